/* ldc_file.c - see ldc_file.h. */
#include "ldc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "ldc_error.h"

enum {
    NAMES_TRIED = 100,
    COPIED_AT_ONCE = 256 * 1024
};

/* ---- temporary files ---- */

const char *ldc_file_folder(const char *folder)
{
    if (folder == NULL || folder[0] == '\0') {
        folder = secure_getenv("TMPDIR");
    }
    return folder == NULL || folder[0] == '\0' ? "/tmp" : folder;
}

char *ldc_file_new_name(const char *folder)
{
    static atomic_uint count;
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        number =
            (uint64_t)now.tv_nsec << 32 ^ (uint64_t)getpid() << 16 ^ atomic_fetch_add(&count, 1u);
    }
    return ldc_format("%s/.ltdic-%016llx.tmp", folder, (unsigned long long)number);
}

int ldc_file_unnamed(const char *folder, bool try_first)
{
    int fd = -1;
    folder = ldc_file_folder(folder);
    if (try_first) {
        fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
        /* The last two: file systems and kernels that do not know O_TMPFILE. */
        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
            return fd;
        }
    }
    for (int i = 0; fd < 0 && i < NAMES_TRIED; i++) {
        char *name = ldc_file_new_name(folder);
        if (name == NULL) {
            errno = ENOMEM;
            return -1;
        }
        fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0400);
        int error = errno;
        if (fd >= 0) {
            (void)unlink(name);
        }
        free(name);
        errno = error;
        if (fd < 0 && error != EEXIST) {
            break;
        }
    }
    return fd;
}

int ldc_file_write(int fd, const uint8_t *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, (off_t)offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written == 0 ? ENOSPC : errno;
        }
        bytes += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

/* ---- reading ---- */

int ldc_file_read(int fd, uint8_t *buffer, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t got = pread(fd, buffer, size, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? ENODATA : errno;
        }
        buffer += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

int ldc_file_parse(const char *path, int fd, uint64_t total, ldc_part10 *found)
{
    ldc_part10_result result = LDC_PART10_MORE;
    const char *why = "";
    uint8_t *bytes = NULL;
    int rc = DICOM_SUCCESS;
    for (size_t most = LDC_PART10_FIRST; rc == DICOM_SUCCESS && result == LDC_PART10_MORE;) {
        size_t length = total < most ? (size_t)total : most;
        free(bytes);
        bytes = malloc(length + 1);
        int error = bytes == NULL ? 0 : ldc_file_read(fd, bytes, length, 0);
        if (bytes == NULL) {
            rc = ldc_error(DICOM_ERROR_MEMORY, "%s", path);
        } else if (error != 0) {
            rc = ldc_error(DICOM_ERROR_FILE_READ, "\"%s\": %s", path, strerror(error));
        } else {
            result = ldc_part10_parse(bytes, length, total, found, &why);
            if (result == LDC_PART10_MORE && most == LDC_PART10_LIMIT) {
                result = LDC_PART10_BAD;
                why = "Group 0002 is larger than 1 MiB";
            }
            most = LDC_PART10_LIMIT;
        }
    }
    free(bytes);
    if (rc == DICOM_SUCCESS && result != LDC_PART10_GOOD) {
        rc = ldc_error(DICOM_ERROR_FILE_FORMAT, "\"%s\": %s.", path, why);
    }
    return rc;
}

int ldc_file_open(const char *path, int *fd, struct stat *status)
{
    /* Non-blocking: a FIFO must not hold us. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return ldc_error(DICOM_ERROR_FILE_NOT_FOUND, "\"%s\". Check the path", path);
    }
    if (*fd < 0 || fstat(*fd, status) != 0) {
        return ldc_error(DICOM_ERROR_FILE_ACCESS, "\"%s\": %s", path, strerror(errno));
    }
    if (!S_ISREG(status->st_mode)) {
        return ldc_error(DICOM_ERROR_FILE_ACCESS, "\"%s\" is no regular file. Give a file's path",
                         path);
    }
    return DICOM_SUCCESS;
}

/* ---- saving ---- */

/* A Part 10 file is written without a name, or under a new one where the file system cannot do
 * that, so that the target is the old file or the new one, whole, at any moment; and a process that
 * is killed leaves nothing of a new file. */
typedef struct saving {
    char *target;    /* own: symbolic links resolved */
    char *folder;    /* own */
    char *temporary; /* own; NULL: the file has no name yet */
    int fd;
    bool unnamed;
    bool
        no_name_given; /* the file system has files without names, and does not let them have one */
    uint64_t length;   /* written */
} saving;

static int write_failed(const char *path, int error)
{
    return ldc_error(DICOM_ERROR_FILE_WRITE, "\"%s\": %s", path, strerror(error));
}

static bool new_temporary(saving *self)
{
    free(self->temporary);
    self->temporary = ldc_file_new_name(self->folder);
    return self->temporary != NULL;
}

static int begin_saving(saving *self, const char *path)
{
    struct stat status;
    char *real = realpath(path, NULL);
    bool exists = real != NULL;
    self->target = exists ? real : ldc_strdup(path);
    if (exists && stat(self->target, &status) != 0) {
        return write_failed(path, errno);
    }
    if (exists && !S_ISREG(status.st_mode)) {
        return ldc_error(DICOM_ERROR_FILE_WRITE, "\"%s\" is no regular file. Give a file's path",
                         path);
    }
    const char *slash = self->target == NULL ? NULL : strrchr(self->target, '/');
    if (slash == NULL) {
        self->folder = ldc_strdup(".");
    } else {
        self->folder = strndup(self->target, (size_t)(slash - self->target) + 1);
    }
    if (self->target == NULL || self->folder == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "\"%s\"", path);
    }
    mode_t mode = exists ? 0600 : 0666;
    if (self->unnamed) {
        /* A name is given through /proc. */
        self->fd = access("/proc/self/fd", X_OK) == 0
                       ? open(self->folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode)
                       : -1;
        self->unnamed = self->fd >= 0;
    }
    for (int i = 0; i < NAMES_TRIED && self->fd < 0; i++) {
        if (!new_temporary(self)) {
            return ldc_error(DICOM_ERROR_MEMORY, "\"%s\"", path);
        }
        self->fd =
            open(self->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
        if (self->fd < 0 && errno != EEXIST) {
            break;
        }
    }
    if (self->fd < 0) {
        int error = errno;
        free(self->temporary); /* not ours to remove */
        self->temporary = NULL;
        return write_failed(path, error);
    }
    /* Who may read the file stays as it was. */
    if (exists && fchmod(self->fd, status.st_mode & 07777) != 0) {
        return write_failed(path, errno);
    }
    return DICOM_SUCCESS;
}

static int save_bytes(saving *self, const char *path, const void *bytes, size_t size)
{
    int error = ldc_file_write(self->fd, bytes, size, self->length);
    self->length += size;
    return error == 0 ? DICOM_SUCCESS : write_failed(path, error);
}

static int save_dataset(saving *self, const char *path, ldc_dataset *dataset)
{
    uint64_t length = ldc_dataset_length(dataset);
    const uint8_t *memory = ldc_dataset_memory(dataset);
    if (memory != NULL) {
        return save_bytes(self, path, memory, (size_t)length);
    }
    uint8_t *buffer = malloc(COPIED_AT_ONCE);
    int rc = buffer == NULL ? ldc_error(DICOM_ERROR_MEMORY, "\"%s\"", path) : DICOM_SUCCESS;
    for (uint64_t at = 0; rc == DICOM_SUCCESS && at < length;) {
        size_t size = length - at < COPIED_AT_ONCE ? (size_t)(length - at) : COPIED_AT_ONCE;
        rc = ldc_dataset_read(dataset, at, buffer, size);
        if (rc == DICOM_SUCCESS) {
            rc = save_bytes(self, path, buffer, size);
        }
        at += size;
    }
    free(buffer);
    return rc;
}

/* The target's name if nothing has it; else a new one, in `temporary`. 0, or an errno. */
static int give_name(saving *self)
{
    char *self_fd = ldc_format("/proc/self/fd/%d", self->fd);
    int error = self_fd == NULL ? ENOMEM : 0;
    const char *name = self->target;
    for (int i = 0; error == 0 && i < NAMES_TRIED; i++) {
        if (linkat(AT_FDCWD, self_fd, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
            break;
        }
        error = errno;
        if (error == EEXIST && i + 1 < NAMES_TRIED) {
            error = new_temporary(self) ? 0 : ENOMEM;
            name = self->temporary;
        }
    }
    free(self_fd);
    if (error != 0) {
        free(self->temporary); /* somebody else's */
        self->temporary = NULL;
    }
    return error;
}

static int end_saving(saving *self, const char *path)
{
    if (fsync(self->fd) != 0) {
        return write_failed(path, errno);
    }
    if (self->unnamed) {
        int error = give_name(self);
        if (error != 0) {
            self->no_name_given = true;
            return write_failed(path, error);
        }
    }
    int fd = self->fd;
    self->fd = -1;
    if (close(fd) != 0 || (self->temporary != NULL && rename(self->temporary, self->target) != 0)) {
        return write_failed(path, errno);
    }
    free(self->temporary);
    self->temporary = NULL;
    /* The new name too has to survive a power failure, where the file system can do that. */
    int folder = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = folder >= 0 && fsync(folder) != 0 ? errno : 0;
    if (folder >= 0) {
        (void)close(folder);
    }
    return error == EIO || error == ENOSPC ? write_failed(path, error) : DICOM_SUCCESS;
}

static int save(const char *path, const uint8_t *header, size_t header_length, ldc_dataset *dataset,
                saving *self)
{
    int rc = begin_saving(self, path);
    if (rc == DICOM_SUCCESS) {
        rc = save_bytes(self, path, header, header_length);
    }
    if (rc == DICOM_SUCCESS) {
        rc = save_dataset(self, path, dataset);
    }
    if (rc == DICOM_SUCCESS) {
        rc = end_saving(self, path);
    }
    if (self->fd >= 0) {
        (void)close(self->fd);
    }
    if (self->temporary != NULL) {
        (void)unlink(self->temporary);
    }
    free(self->temporary);
    free(self->folder);
    free(self->target);
    return rc;
}

int ldc_file_save(const char *path, const uint8_t *header, size_t header_length,
                  ldc_dataset *dataset, bool try_first)
{
    saving self = {.fd = -1, .unnamed = try_first};
    int rc = save(path, header, header_length, dataset, &self);
    if (self.no_name_given) {
        saving again = {.fd = -1};
        rc = save(path, header, header_length, dataset, &again);
    }
    return rc;
}
