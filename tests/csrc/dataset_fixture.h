/* dataset_fixture.h - a folder for each test, which has to be empty at the end, and sample data
 * sets. */
#ifndef LDC_TESTS_DATASET_FIXTURE_H
#define LDC_TESTS_DATASET_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ldc_dataset.h"
#include "ldc_file.h"
#include "unit.h"

#define IMPLICIT_LITTLE "1.2.840.10008.1.2"
#define NO_LIMIT        UINT64_MAX

/* ---- a folder for each test, which has to be empty at the end ---- */

static char folder[64];

static inline void open_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/test_dataset.XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

/* Names in the folder. */
static inline int entries(void)
{
    int count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        return -1;
    }
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count - 2;
}

static inline void close_folder(void)
{
    CHECK_INT(entries(), 0);
    CHECK_INT(rmdir(folder), 0);
}

/* A path in the folder; two are kept. */
static inline const char *in_folder(const char *name)
{
    static char paths[2][128];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (CHECK(file != NULL)) {
        CHECK_INT(fwrite(bytes, 1, size, file), size);
        fclose(file);
    }
}

/* From malloc. */
static inline uint8_t *read_file(const char *path, size_t *size)
{
    struct stat status;
    uint8_t *bytes = NULL;
    FILE *file = fopen(path, "rb");
    *size = 0;
    if (CHECK(file != NULL)) {
        if (fstat(fileno(file), &status) == 0 &&
            (bytes = malloc((size_t)status.st_size + 1)) != NULL) {
            *size = fread(bytes, 1, (size_t)status.st_size, file);
        }
        fclose(file);
    }
    return bytes;
}

static inline uint8_t *pattern(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; bytes != NULL && i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    return bytes;
}

/* ---- sample data sets ---- */

static inline size_t put_element(uint8_t *to, unsigned form, uint16_t group, uint16_t number,
                                 const char *vr, const void *value, size_t length)
{
    bool big = (form & DS_BIG_ENDIAN) != 0;
    uint8_t *at = to;
    for (int i = 0; i < 2; i++) {
        uint16_t half = i == 0 ? group : number;
        *at++ = (uint8_t)(big ? half >> 8 : half);
        *at++ = (uint8_t)(big ? half : half >> 8);
    }
    if ((form & DS_IMPLICIT_VR) != 0) {
        *at++ = (uint8_t)length;
        *at++ = (uint8_t)(length >> 8);
        *at++ = 0;
        *at++ = 0;
    } else {
        *at++ = (uint8_t)vr[0];
        *at++ = (uint8_t)vr[1];
        *at++ = (uint8_t)(big ? length >> 8 : length);
        *at++ = (uint8_t)(big ? length : length >> 8);
    }
    memcpy(at, value, length);
    return (size_t)(at - to) + length;
}

/* A small image, without pixels. */
static inline size_t sample(uint8_t *to, const char *syntax)
{
    unsigned form = ldc_part10_form(syntax);
    size_t at = 0;
    at += put_element(to + at, form, 0x0008, 0x0005, "CS", "ISO_IR 192", 10);
    at += put_element(to + at, form, 0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.7", 26);
    at += put_element(to + at, form, 0x0008, 0x0018, "UI", "1.2.3.4.5", 10);
    at += put_element(to + at, form, 0x0008, 0x0060, "CS", "OT", 2);
    at += put_element(to + at, form, 0x0010, 0x0010, "PN", "Doe^Jane", 8);
    return at;
}

static inline HDICOMDS sample_handle(const char *syntax)
{
    uint8_t bytes[256];
    HDICOMDS handle = L_DicomCreateDS(folder);
    CHECK_INT(L_DicomSetBufferDS(handle, bytes, sample(bytes, syntax), syntax), DICOM_SUCCESS);
    return handle;
}

static inline bool holds(HDICOMDS handle, const void *bytes, size_t size)
{
    const L_UCHAR *buffer = NULL;
    L_UINT64 length = 0;
    return CHECK_INT(L_DicomGetBufferDS(handle, &buffer, &length), DICOM_SUCCESS) &&
           length == size && memcmp(buffer, bytes, size) == 0;
}

static inline bool dataset_holds(ldc_dataset *dataset, const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    bool same = copy != NULL && ldc_dataset_length(dataset) == size &&
                CHECK_INT(ldc_dataset_read(dataset, 0, copy, size), DICOM_SUCCESS) &&
                memcmp(copy, bytes, size) == 0;
    free(copy);
    return same;
}

/* Files grow to `most` bytes and no further; RLIM_INFINITY: as before. */
static inline void limit_files(rlim_t most)
{
    struct rlimit limit;
    (void)signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
