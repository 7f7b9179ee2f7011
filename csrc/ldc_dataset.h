/*
 * ldc_dataset.h - data sets as bytes: received ones, in memory and then in a file without a name;
 * the user's, in memory or in a file of his; and the handles (HDICOMDS) that stand for them.
 *
 * The one rule: a data set is written by one owner and then sealed. Whoever has a reference after
 * that may read it from any thread, for nobody changes it any more: a handle whose content is
 * replaced (load, set, reset) gets another data set, and who acquired the one before keeps it.
 *
 * A handle is a number. Behind it is a small counted cell, in a registry of its own, that points to
 * the present data set. Careful: HDICOMDS has the type of a pointer to a data set and is none.
 *
 * Files: only those that were made here are mapped. A user's file may be cut at any time, which
 * would be a SIGBUS: it is read through its descriptor, and a change of size or mtime is an error.
 *
 * Functions that give an int give DICOM_SUCCESS or a DICOM_ERROR_... code, said by ldc_error().
 */
#ifndef LDC_DATASET_H
#define LDC_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_registry.h"
#include "ltdic.h"

typedef struct ldc_dataset ldc_dataset;
typedef struct ldc_quota ldc_quota;

/* What stays in memory when the user makes a data set; received ones have the net's limits. */
#define LDC_DATASET_MEMORY_LIMIT ((uint64_t)16 * 1024 * 1024)
/* What files of data sets may have in all, of a quota and of the process's own, unless set. */
#define LDC_DATASET_QUOTA ((uint64_t)16 * 1024 * 1024 * 1024)
/* What data sets that share a quota may have in memory before they have been handed over: past that
 * they go to files. Else ten thousand peers that stop in the middle of one would take it all. */
#define LDC_DATASET_MEMORY_QUOTA ((uint64_t)1024 * 1024 * 1024)

/* ---- life ---- */

/* Empty, in memory. Folder NULL or "": the system's. NULL: no memory. */
ldc_dataset *ldc_dataset_new(const char *temporary_folder);
/* The data set of a Part 10 file, or a bare one; stays in the file. FILE_NOT_FOUND, FILE_ACCESS,
 * FILE_READ, FILE_FORMAT, MEMORY; *dataset is set on success only. The folder is kept, as above. */
int ldc_dataset_load(const char *path, const char *temporary_folder, ldc_dataset **dataset);
void ldc_dataset_ref(ldc_dataset *dataset);
void ldc_dataset_put(ldc_dataset *dataset); /* NULL is fine */

/* ---- writing, by its one owner ---- */

/* Appends. Past memory_limit bytes everything moves to a file without a name, in the folder.
 * FILE_WRITE: no room on the disk and the like. DATA_SET_TOO_LARGE: past total_limit, or all such
 * files of the process past the quota. After an error the data set is as it was before, and all
 * later appends give the same error. */
int ldc_dataset_append(ldc_dataset *dataset, const void *bytes, size_t size, uint64_t memory_limit,
                       uint64_t total_limit);
void ldc_dataset_set_syntax(ldc_dataset *dataset, const char *uid); /* NULL = ""; no UID: "" */

/* Bytes in files without a name, of all data sets that share a quota, and what they may be at most.
 * It is checked by every append; lowering it does no harm to what is there. A data set that is
 * given none shares the process's. */
ldc_quota *ldc_quota_new(uint64_t bytes); /* NULL: no memory */
void ldc_quota_ref(ldc_quota *quota);
void ldc_quota_put(ldc_quota *quota); /* NULL is fine */
void ldc_quota_set(ldc_quota *quota, uint64_t bytes);
uint64_t ldc_quota_used(ldc_quota *quota);
void ldc_quota_set_memory(ldc_quota *quota, uint64_t bytes);
uint64_t ldc_quota_memory(ldc_quota *quota);                    /* in use */
void ldc_dataset_share(ldc_dataset *dataset, ldc_quota *quota); /* before the first append */
uint64_t ldc_dataset_spilled_bytes(void);                       /* of the process's own quota */
void ldc_dataset_set_quota(uint64_t bytes);                     /* likewise */

/* It is the user's from now on: what it has in memory is no longer counted. NULL is fine. */
void ldc_dataset_handed_over(ldc_dataset *dataset);

/* ---- reading, by anybody ---- */

const char *ldc_dataset_syntax(const ldc_dataset *dataset); /* "" = unknown */
const char *ldc_dataset_folder(const ldc_dataset *dataset); /* "" = the system's */
uint64_t ldc_dataset_length(const ldc_dataset *dataset);
/* The bytes if they are in memory (never NULL then, empty ones too), NULL if they are in a file. */
const uint8_t *ldc_dataset_memory(const ldc_dataset *dataset);
/* Copies a range out: all of it, or FILE_READ. Memory or file. */
int ldc_dataset_read(ldc_dataset *dataset, uint64_t offset, void *buffer, size_t size);
/* For sendfile: the data set begins at *offset of the descriptor, which is lent. -1: in memory. */
int ldc_dataset_descriptor(const ldc_dataset *dataset, uint64_t *offset);
/* FILE_READ if a user's file has changed since it was loaded. After sendfile, and before its bytes
 * count as sent; ldc_dataset_read looks itself. */
int ldc_dataset_check(const ldc_dataset *dataset);
/* All bytes in one piece, valid as long as the data set: the memory, the file mapped, or a user's
 * file read. FILE_READ, MEMORY. */
int ldc_dataset_buffer(ldc_dataset *dataset, const uint8_t **bytes);
/* The user's file, or /proc/self/fd/N, good while the data set is there. NULL: in memory. */
const char *ldc_dataset_file(const ldc_dataset *dataset);
/* SOP class and instance of the file's group 0002: "" if it had none. */
const char *ldc_dataset_media_class(const ldc_dataset *dataset);
const char *ldc_dataset_media_instance(const ldc_dataset *dataset);

/* ---- handles ---- */

/* A new handle, with a reference of its own. NULL: no memory (ldc_error is set), or dataset NULL.
 */
HDICOMDS ldc_dataset_lend(ldc_dataset *dataset);
/* Ends the handle, if nobody has done so yet. */
void ldc_dataset_unlend(HDICOMDS handle);
/* A reference to the data set that the handle stands for at this moment. NULL: stale, ldc_error is
 * set. */
ldc_dataset *ldc_dataset_acquire(HDICOMDS handle);
/* Puts another data set behind the handle, with a reference of its own. */
int ldc_dataset_replace(HDICOMDS handle, ldc_dataset *dataset);
size_t ldc_dataset_handles(void); /* that have not been ended */

/* ---- fork ---- */

void ldc_dataset_before_fork(void);
void ldc_dataset_after_fork_in_parent(void);
void ldc_dataset_after_fork(void);   /* in the child: the parent's handles are stale */
void ldc_dataset_forget_quota(void); /* inner: a part of it */

#endif
