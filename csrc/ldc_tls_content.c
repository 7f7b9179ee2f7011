/*
 * ldc_tls_content.c - the bytes of a file or of the caller, and their digest; see ldc_tls_cache.h.
 *
 * A file is known again by device, inode, size, mtime and ctime. It is opened each time all the
 * same, so that one that is gone or forbidden by now is found out. A file that changed so recently
 * that a further change might not show in its times is read each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ldc_error.h"
#include "ldc_tls.h"
#include "ldc_tls_cache.h"

enum {
    KNOWN_FILES = 64,
    SETTLED_SECONDS = 2 /* the coarsest times that file systems keep (FAT) */
};

typedef struct known_file {
    bool used;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
    unsigned char digest[LDC_DIGEST];
} known_file;

static struct known {
    pthread_mutex_t lock;
    known_file files[KNOWN_FILES];
    unsigned next;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

static atomic_ullong files_read;

static bool same_time(struct timespec one, struct timespec other)
{
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

static bool same_file(const known_file *file, const struct stat *status)
{
    return file->used && file->device == status->st_dev && file->inode == status->st_ino &&
           file->size == status->st_size && same_time(file->modified, status->st_mtim) &&
           same_time(file->changed, status->st_ctim);
}

static bool find_known(const struct stat *status, unsigned char digest[LDC_DIGEST])
{
    bool found = false;
    pthread_mutex_lock(&known.lock);
    for (size_t i = 0; !found && i < KNOWN_FILES; i++) {
        found = same_file(&known.files[i], status);
        if (found) {
            memcpy(digest, known.files[i].digest, LDC_DIGEST);
        }
    }
    pthread_mutex_unlock(&known.lock);
    return found;
}

static bool settled(const struct stat *status)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return status->st_mtim.tv_sec + SETTLED_SECONDS < now.tv_sec &&
           status->st_ctim.tv_sec + SETTLED_SECONDS < now.tv_sec;
}

static void remember(const struct stat *status, const unsigned char digest[LDC_DIGEST])
{
    pthread_mutex_lock(&known.lock);
    size_t at = known.next;
    for (size_t i = 0; i < KNOWN_FILES; i++) {
        const known_file *one = &known.files[i];
        if (one->used && one->device == status->st_dev && one->inode == status->st_ino) {
            at = i; /* the same file before it changed */
            break;
        }
    }
    if (at == known.next) {
        known.next = (known.next + 1) % KNOWN_FILES;
    }
    known_file *file = &known.files[at];
    *file = (known_file){.used = true,
                         .device = status->st_dev,
                         .inode = status->st_ino,
                         .size = status->st_size,
                         .modified = status->st_mtim,
                         .changed = status->st_ctim};
    memcpy(file->digest, digest, LDC_DIGEST);
    pthread_mutex_unlock(&known.lock);
}

static int digest_of(ldc_tls_content *content)
{
    ldc_digest digest;
    ldc_digest_begin(&digest, "content");
    ldc_digest_add(&digest, content->data, content->size);
    return ldc_digest_end(&digest, content->digest)
               ? DICOM_SUCCESS
               : ldc_error(DICOM_ERROR_MEMORY, "%s \"%s\"", content->what, content->file);
}

static int check(const ldc_tls_content *content, struct stat *status)
{
    if (fstat(content->fd, status) != 0 || !S_ISREG(status->st_mode)) {
        return ldc_error(content->code, "%s \"%s\" is not a regular file. Give the path of a file.",
                         content->what, content->file);
    }
    if (status->st_size > LDC_FILE_LIMIT) {
        return ldc_error(content->code,
                         "%s \"%s\" has %lld bytes, more than %d. Give the right file.",
                         content->what, content->file, (long long)status->st_size, LDC_FILE_LIMIT);
    }
    return DICOM_SUCCESS;
}

static int fill(ldc_tls_content *content, size_t room)
{
    content->owned = malloc(room + 1);
    if (content->owned == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s \"%s\"", content->what, content->file);
    }
    content->data = content->owned;
    while (content->size < room) {
        ssize_t got = pread(content->fd, content->owned + content->size, room - content->size,
                            (off_t)content->size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return ldc_error(content->code, "%s \"%s\": %s", content->what, content->file,
                             strerror(errno));
        }
        if (got == 0) {
            break; /* it shrank: what is there counts */
        }
        content->size += (size_t)got;
    }
    content->owned[content->size] = '\0';
    return DICOM_SUCCESS;
}

int ldc_tls_content_open(ldc_tls_content *content, const ldc_tls_source *source, const char *what,
                         int code)
{
    struct stat status;
    *content = (ldc_tls_content){.file = source->file, .what = what, .code = code, .fd = -1};
    if (source->data != NULL) {
        content->data = source->data;
        content->size = source->size;
        return digest_of(content);
    }
    content->fd = open(source->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* never hang on a FIFO */
    if (content->fd < 0) {
        return ldc_error(code, "%s \"%s\": %s. Give the path of an existing, readable file.", what,
                         source->file, strerror(errno));
    }
    int rc = check(content, &status);
    if (rc != DICOM_SUCCESS || find_known(&status, content->digest)) {
        return rc;
    }
    return ldc_tls_content_read(content);
}

int ldc_tls_content_read(ldc_tls_content *content)
{
    struct stat before;
    struct stat after;
    if (content->fd < 0) {
        return DICOM_SUCCESS;
    }
    int rc = check(content, &before);
    if (rc == DICOM_SUCCESS) {
        bool old = settled(&before);
        rc = fill(content, (size_t)before.st_size);
        if (rc == DICOM_SUCCESS) {
            atomic_fetch_add(&files_read, 1u);
            rc = digest_of(content);
        }
        if (rc == DICOM_SUCCESS && old && content->size == (size_t)before.st_size &&
            fstat(content->fd, &after) == 0) {
            known_file read = {.used = true,
                               .device = before.st_dev,
                               .inode = before.st_ino,
                               .size = before.st_size,
                               .modified = before.st_mtim,
                               .changed = before.st_ctim};
            if (same_file(&read, &after)) {
                remember(&before, content->digest);
            }
        }
    }
    close(content->fd);
    content->fd = -1;
    return rc;
}

void ldc_tls_content_close(ldc_tls_content *content)
{
    if (content->fd >= 0) {
        close(content->fd);
        content->fd = -1;
    }
    if (content->owned != NULL) {
        OPENSSL_cleanse(content->owned, content->size);
        free(content->owned);
        content->owned = NULL;
    }
    content->data = NULL;
    content->size = 0;
}

uint64_t ldc_tls_files_read(void)
{
    return atomic_load(&files_read);
}

void ldc_tls_content_before_fork(void)
{
    pthread_mutex_lock(&known.lock);
}

void ldc_tls_content_after_fork_in_parent(void)
{
    pthread_mutex_unlock(&known.lock);
}

void ldc_tls_content_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER; /* what is known of files stays true */
    memcpy(&known.lock, &fresh, sizeof fresh);
}
