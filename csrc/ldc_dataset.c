/* ldc_dataset.c - see ldc_dataset.h. */
#include "ldc_dataset.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ldc_error.h"
#include "ldc_file.h"

enum {
    SMALLEST_BUFFER = 1024
};

struct ldc_dataset {
    ldc_ref ref;
    char *folder; /* own; "" = the system's */
    uint64_t length;
    int failed; /* what every append answers; 0 = none has failed */
    char syntax[LDC_UID_SIZE];
    char media_class[LDC_UID_SIZE], media_instance[LDC_UID_SIZE];
    /* in memory: fd is -1 */
    uint8_t *bytes; /* own; NULL while empty */
    size_t capacity;
    uint64_t counted; /* of it, in the quota's memory */
    /* in a file: ours, without a name (path NULL), or the user's */
    int fd;            /* own */
    uint64_t offset;   /* of the data set in the file */
    char *path;        /* own */
    off_t file_length; /* of the user's file, as it was loaded */
    struct timespec file_time;
    ldc_quota *quota; /* reference, NULL = the process's own */
    unsigned process; /* counts forks: the quota of another process is none of ours */
    char fd_path[32];
    /* all in one piece, made when it is first asked for */
    pthread_mutex_t lock; /* guards the two below, a leaf */
    uint8_t *whole;       /* own */
    bool mapped;
};

struct ldc_quota {
    ldc_ref ref;
    _Atomic uint64_t used, limit;
    _Atomic uint64_t memory, memory_limit;
};

static const uint8_t nothing;
static ldc_quota own = {.limit = LDC_DATASET_QUOTA};
static atomic_uint forks;

/* ---- quotas ---- */

static void quota_destroy(ldc_ref *ref)
{
    free(ref);
}

ldc_quota *ldc_quota_new(uint64_t bytes)
{
    ldc_quota *quota = calloc(1, sizeof *quota);
    if (quota != NULL) {
        ldc_ref_init(&quota->ref, quota_destroy);
        atomic_store(&quota->limit, bytes);
        atomic_store(&quota->memory_limit, LDC_DATASET_MEMORY_QUOTA);
    }
    return quota;
}

void ldc_quota_ref(ldc_quota *quota)
{
    ldc_ref_get(&quota->ref);
}

void ldc_quota_put(ldc_quota *quota)
{
    ldc_ref_put((ldc_ref *)quota);
}

void ldc_quota_set(ldc_quota *quota, uint64_t bytes)
{
    atomic_store(&quota->limit, bytes);
}

uint64_t ldc_quota_used(ldc_quota *quota)
{
    return atomic_load(&quota->used);
}

void ldc_quota_set_memory(ldc_quota *quota, uint64_t bytes)
{
    atomic_store(&quota->memory_limit, bytes);
}

uint64_t ldc_quota_memory(ldc_quota *quota)
{
    return atomic_load(&quota->memory);
}

void ldc_dataset_share(ldc_dataset *dataset, ldc_quota *quota)
{
    ldc_quota_ref(quota);
    dataset->quota = quota;
}

uint64_t ldc_dataset_spilled_bytes(void)
{
    return ldc_quota_used(&own);
}

void ldc_dataset_set_quota(uint64_t bytes)
{
    ldc_quota_set(&own, bytes);
}

static ldc_quota *quota_of(const ldc_dataset *dataset)
{
    return dataset->quota == NULL ? &own : dataset->quota;
}

static bool take(_Atomic uint64_t *of, uint64_t limit, uint64_t size)
{
    uint64_t used = atomic_load(of);
    do {
        if (used > limit || size > limit - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(of, &used, used + size));
    return true;
}

static bool take_quota(const ldc_dataset *dataset, uint64_t size)
{
    ldc_quota *quota = quota_of(dataset);
    return take(&quota->used, atomic_load(&quota->limit), size);
}

/* For a buffer of so many bytes; those of the user count nowhere. */
static bool take_memory(ldc_dataset *dataset, uint64_t capacity)
{
    ldc_quota *quota = dataset->quota;
    if (quota == NULL) {
        return true;
    }
    if (!take(&quota->memory, atomic_load(&quota->memory_limit), capacity - dataset->counted)) {
        return false;
    }
    dataset->counted = capacity;
    return true;
}

static void give_memory_back(ldc_dataset *dataset)
{
    if (dataset->counted > 0 && dataset->process == atomic_load(&forks)) {
        atomic_fetch_sub(&dataset->quota->memory, dataset->counted);
    }
    dataset->counted = 0;
}

void ldc_dataset_handed_over(ldc_dataset *dataset)
{
    if (dataset != NULL) {
        give_memory_back(dataset);
    }
}

static void give_quota_back(const ldc_dataset *dataset, uint64_t size)
{
    if (dataset->process == atomic_load(&forks)) {
        atomic_fetch_sub(&quota_of(dataset)->used, size);
    }
}

void ldc_dataset_forget_quota(void)
{
    atomic_fetch_add(&forks, 1u);
    atomic_store(&own.used, 0u);
}

/* ---- life ---- */

static void dataset_destroy(ldc_ref *ref)
{
    ldc_dataset *dataset = (ldc_dataset *)ref;
    if (dataset->mapped) {
        (void)munmap(dataset->whole, (size_t)dataset->length);
    } else {
        free(dataset->whole);
    }
    if (dataset->fd >= 0) {
        (void)close(dataset->fd);
        if (dataset->path == NULL) {
            give_quota_back(dataset, dataset->length);
        }
    }
    give_memory_back(dataset);
    ldc_quota_put(dataset->quota);
    free(dataset->bytes);
    free(dataset->path);
    free(dataset->folder);
    pthread_mutex_destroy(&dataset->lock);
    free(dataset);
}

ldc_dataset *ldc_dataset_new(const char *temporary_folder)
{
    ldc_dataset *dataset = calloc(1, sizeof *dataset);
    if (dataset != NULL) {
        ldc_ref_init(&dataset->ref, dataset_destroy);
        pthread_mutex_init(&dataset->lock, NULL);
        dataset->fd = -1;
        dataset->process = atomic_load(&forks);
        dataset->folder = ldc_strdup(temporary_folder == NULL ? "" : temporary_folder);
        if (dataset->folder == NULL) {
            ldc_dataset_put(dataset);
            dataset = NULL;
        }
    }
    if (dataset == NULL) {
        (void)ldc_error(DICOM_ERROR_MEMORY, "%s", "data set");
    }
    return dataset;
}

void ldc_dataset_ref(ldc_dataset *dataset)
{
    ldc_ref_get(&dataset->ref);
}

void ldc_dataset_put(ldc_dataset *dataset)
{
    ldc_ref_put((ldc_ref *)dataset);
}

/* ---- writing ---- */

static int append_to_file(ldc_dataset *dataset, const void *bytes, size_t size);

/* In a file all the same when all memory for data sets is taken. */
static int append_to_memory(ldc_dataset *dataset, const void *bytes, size_t size,
                            uint64_t memory_limit)
{
    size_t needed = (size_t)dataset->length + size;
    if (needed > dataset->capacity) {
        size_t capacity =
            dataset->capacity > SIZE_MAX / 2 ? SIZE_MAX : (size_t)dataset->capacity * 2;
        capacity = capacity < SMALLEST_BUFFER ? SMALLEST_BUFFER : capacity;
        capacity = capacity > memory_limit ? (size_t)memory_limit : capacity;
        capacity = capacity < needed ? needed : capacity;
        if (!take_memory(dataset, capacity)) {
            return append_to_file(dataset, bytes, size);
        }
        uint8_t *longer = realloc(dataset->bytes, capacity);
        if (longer == NULL) {
            return ldc_error(DICOM_ERROR_MEMORY, "a data set of %zu bytes", needed);
        }
        dataset->bytes = longer;
        dataset->capacity = capacity;
    }
    memcpy(dataset->bytes + dataset->length, bytes, size);
    dataset->length += size;
    return DICOM_SUCCESS;
}

static int append_to_file(ldc_dataset *dataset, const void *bytes, size_t size)
{
    bool moves = dataset->fd < 0;
    const char *folder = ldc_file_folder(dataset->folder);
    uint64_t more = moves ? dataset->length + size : size;
    if (!take_quota(dataset, more)) {
        return ldc_error(DICOM_ERROR_DATA_SET_TOO_LARGE,
                         "the temporary files of %s would be larger than %llu bytes in all. Free "
                         "data sets that are done with",
                         dataset->quota == NULL ? "this process" : "this listener or client",
                         (unsigned long long)atomic_load(&quota_of(dataset)->limit));
    }
    int fd = moves ? ldc_file_unnamed(folder, true) : dataset->fd;
    int error = fd < 0 ? errno : 0;
    if (error == 0 && moves && dataset->length > 0) {
        error = ldc_file_write(fd, dataset->bytes, (size_t)dataset->length, 0);
    }
    if (error == 0) {
        error = ldc_file_write(fd, bytes, size, dataset->length);
    }
    if (error != 0) {
        give_quota_back(dataset, more);
        if (moves && fd >= 0) {
            (void)close(fd);
        } else if (!moves && ftruncate(fd, (off_t)dataset->length) != 0) {
            /* Only the disk is worse off: what is past the length does not count. */
        }
        return ldc_error(DICOM_ERROR_FILE_WRITE,
                         "a temporary file in \"%s\": %s. Make room, or give another folder",
                         folder, strerror(error));
    }
    if (moves) {
        dataset->fd = fd;
        snprintf(dataset->fd_path, sizeof dataset->fd_path, "/proc/self/fd/%d", fd);
        free(dataset->bytes);
        dataset->bytes = NULL;
        dataset->capacity = 0;
        give_memory_back(dataset);
    }
    dataset->length += size;
    return DICOM_SUCCESS;
}

int ldc_dataset_append(ldc_dataset *dataset, const void *bytes, size_t size, uint64_t memory_limit,
                       uint64_t total_limit)
{
    if (dataset->failed != DICOM_SUCCESS) {
        return ldc_error(dataset->failed, "%s",
                         "an earlier part of the data set could not be kept");
    }
    if (size == 0) {
        return DICOM_SUCCESS;
    }
    if (dataset->path != NULL) {
        return ldc_error(DICOM_ERROR_INVALID_STATE, "%s", "a loaded data set does not grow");
    }
    if (dataset->length > total_limit || size > total_limit - dataset->length) {
        dataset->failed =
            ldc_error(DICOM_ERROR_DATA_SET_TOO_LARGE, "the limit is %llu bytes. Raise the limit",
                      (unsigned long long)total_limit);
    } else if (dataset->fd >= 0 || size > memory_limit || dataset->length > memory_limit - size) {
        dataset->failed = append_to_file(dataset, bytes, size);
    } else {
        dataset->failed = append_to_memory(dataset, bytes, size, memory_limit);
    }
    return dataset->failed;
}

void ldc_dataset_set_syntax(ldc_dataset *dataset, const char *uid)
{
    size_t length = uid == NULL ? 0 : strnlen(uid, LDC_UID_SIZE);
    dataset->syntax[0] = '\0';
    if (ldc_uid_valid(uid, length)) {
        ldc_uid_set(dataset->syntax, uid, length);
    }
}

/* ---- loading ---- */

int ldc_dataset_load(const char *path, const char *temporary_folder, ldc_dataset **dataset)
{
    struct stat status;
    ldc_part10 found;
    ldc_dataset *loaded = NULL;
    int fd = -1;
    int rc = ldc_file_open(path, &fd, &status);
    if (rc == DICOM_SUCCESS) {
        rc = ldc_file_parse(path, fd, (uint64_t)status.st_size, &found);
    }
    if (rc == DICOM_SUCCESS) {
        loaded = ldc_dataset_new(temporary_folder);
        char *copy = loaded == NULL ? NULL : ldc_strdup(path);
        if (copy == NULL) {
            ldc_dataset_put(loaded);
            rc = ldc_error(DICOM_ERROR_MEMORY, "\"%s\"", path);
        } else {
            loaded->path = copy;
        }
    }
    if (rc != DICOM_SUCCESS) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return rc;
    }
    loaded->fd = fd;
    loaded->offset = found.offset;
    loaded->length = (uint64_t)status.st_size - found.offset;
    loaded->file_length = status.st_size;
    loaded->file_time = status.st_mtim;
    memcpy(loaded->syntax, found.syntax, sizeof loaded->syntax);
    memcpy(loaded->media_class, found.media_class, sizeof loaded->media_class);
    memcpy(loaded->media_instance, found.media_instance, sizeof loaded->media_instance);
    *dataset = loaded;
    return DICOM_SUCCESS;
}

/* ---- reading ---- */

const char *ldc_dataset_syntax(const ldc_dataset *dataset)
{
    return dataset->syntax;
}

const char *ldc_dataset_folder(const ldc_dataset *dataset)
{
    return dataset->folder;
}

const char *ldc_dataset_media_class(const ldc_dataset *dataset)
{
    return dataset->media_class;
}

const char *ldc_dataset_media_instance(const ldc_dataset *dataset)
{
    return dataset->media_instance;
}

uint64_t ldc_dataset_length(const ldc_dataset *dataset)
{
    return dataset->length;
}

const uint8_t *ldc_dataset_memory(const ldc_dataset *dataset)
{
    if (dataset->fd >= 0) {
        return NULL;
    }
    return dataset->bytes == NULL ? &nothing : dataset->bytes;
}

int ldc_dataset_descriptor(const ldc_dataset *dataset, uint64_t *offset)
{
    *offset = dataset->offset;
    return dataset->fd;
}

const char *ldc_dataset_file(const ldc_dataset *dataset)
{
    if (dataset->fd < 0) {
        return NULL;
    }
    return dataset->path == NULL ? dataset->fd_path : dataset->path;
}

int ldc_dataset_check(const ldc_dataset *dataset)
{
    struct stat status;
    if (dataset->path == NULL) {
        return DICOM_SUCCESS;
    }
    if (fstat(dataset->fd, &status) != 0) {
        return ldc_error(DICOM_ERROR_FILE_READ, "\"%s\": %s", dataset->path, strerror(errno));
    }
    if (status.st_size != dataset->file_length ||
        status.st_mtim.tv_sec != dataset->file_time.tv_sec ||
        status.st_mtim.tv_nsec != dataset->file_time.tv_nsec) {
        return ldc_error(DICOM_ERROR_FILE_READ,
                         "\"%s\" has changed since it was loaded. Load it again", dataset->path);
    }
    return DICOM_SUCCESS;
}

int ldc_dataset_read(ldc_dataset *dataset, uint64_t offset, void *buffer, size_t size)
{
    if (offset > dataset->length || size > dataset->length - offset) {
        return ldc_error(DICOM_ERROR_FILE_READ, "%zu bytes at %llu of a data set of %llu", size,
                         (unsigned long long)offset, (unsigned long long)dataset->length);
    }
    if (size == 0) {
        return DICOM_SUCCESS;
    }
    if (dataset->fd < 0) {
        memcpy(buffer, dataset->bytes + offset, size);
        return DICOM_SUCCESS;
    }
    int error = ldc_file_read(dataset->fd, buffer, size, dataset->offset + offset);
    /* After reading: a change while we read is seen too. It is the better answer to a short read.
     */
    int rc = ldc_dataset_check(dataset);
    if (rc == DICOM_SUCCESS && error != 0) {
        rc = ldc_error(DICOM_ERROR_FILE_READ, "\"%s\": %s", ldc_dataset_file(dataset),
                       strerror(error));
    }
    return rc;
}

/* The lock is held. */
static int make_whole(ldc_dataset *dataset)
{
    size_t size = (size_t)dataset->length;
    if (dataset->path == NULL) {
        void *place = mmap(NULL, size, PROT_READ, MAP_SHARED, dataset->fd, 0);
        if (place != MAP_FAILED) {
            dataset->whole = place;
            dataset->mapped = true;
            return DICOM_SUCCESS;
        }
    }
    uint8_t *copy = malloc(size);
    if (copy == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "a data set of %zu bytes. Read it from the file",
                         size);
    }
    int rc = ldc_dataset_read(dataset, 0, copy, size);
    if (rc != DICOM_SUCCESS) {
        free(copy);
        return rc;
    }
    dataset->whole = copy;
    return DICOM_SUCCESS;
}

int ldc_dataset_buffer(ldc_dataset *dataset, const uint8_t **bytes)
{
    int rc = DICOM_SUCCESS;
    const uint8_t *place = ldc_dataset_memory(dataset);
    if (dataset->length == 0) {
        place = &nothing;
    }
    if (place == NULL) {
        pthread_mutex_lock(&dataset->lock);
        if (dataset->whole == NULL) {
            rc = make_whole(dataset);
        }
        place = dataset->whole;
        pthread_mutex_unlock(&dataset->lock);
    }
    if (rc == DICOM_SUCCESS) {
        *bytes = place;
    }
    return rc;
}
