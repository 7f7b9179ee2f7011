/*
 * ldc_file.h - files of data sets: temporary ones without a name, a user's to load, and saving.
 *
 * The one rule: nothing is left behind. A temporary file has no name, or none any more; a saved one
 * gets its name when it is whole.
 *
 * Functions that give an int give DICOM_SUCCESS or a DICOM_ERROR_... code, said by ldc_error(); but
 * ldc_file_write and ldc_file_read give 0 or an errno.
 */
#ifndef LDC_FILE_H
#define LDC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "ldc_dataset.h"
#include "ldc_part10.h"

/* The folder itself; NULL or "": the system's, TMPDIR, else /tmp. */
const char *ldc_file_folder(const char *folder);
/* A path in the folder that is likely to be new; from malloc, NULL: no memory. */
char *ldc_file_new_name(const char *folder);
/* An open file that has no name; its mode 0400 keeps others from writing to what we map.
 * `try_first` false: made by creating and unlinking, as where the file system has no O_TMPFILE. -1:
 * errno says why. */
int ldc_file_unnamed(const char *folder, bool try_first);

int ldc_file_write(int fd, const uint8_t *bytes, size_t size, uint64_t offset);
int ldc_file_read(int fd, uint8_t *buffer, size_t size, uint64_t offset); /* ENODATA: it ends */

/* FILE_NOT_FOUND, FILE_ACCESS; *fd may be open then. */
int ldc_file_open(const char *path, int *fd, struct stat *status);
/* Where the data set is in a file of `total` bytes. FILE_READ, FILE_FORMAT, MEMORY. */
int ldc_file_parse(const char *path, int fd, uint64_t total, ldc_part10 *found);

/* Header and data set, in place of what is there under this path, which stays if something fails.
 * A process that is killed meanwhile leaves no part of a new file. `try_first` false: by way of a
 * temporary name, as where the file system has no O_TMPFILE. FILE_WRITE, FILE_READ, MEMORY. */
int ldc_file_save(const char *path, const uint8_t *header, size_t header_length,
                  ldc_dataset *dataset, bool try_first);

#endif
