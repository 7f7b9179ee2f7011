/*
 * ldc_part10.h - what stands around a data set in a file (PS3.10 §7.1), and the little that has to
 * be known of a data set to put it there.
 *
 * The one rule: bytes in, facts out. No I/O, no locks, no memory kept; every length is checked
 * against what is there before anything behind it is looked at.
 */
#ifndef LDC_PART10_H
#define LDC_PART10_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_uid.h"

#define LDC_EXPLICIT_LITTLE "1.2.840.10008.1.2.1"
#define LDC_EXPLICIT_BIG    "1.2.840.10008.1.2.2"
#define LDC_DEFLATED        "1.2.840.10008.1.2.1.99"

enum {
    LDC_PART10_FIRST = 64 * 1024,  /* bytes to begin with: enough for nearly all */
    LDC_PART10_LIMIT = 1024 * 1024 /* preamble and group 0002, and the first element after it */
};

typedef struct ldc_part10 {
    uint64_t offset; /* of the data set in the file */
    char syntax[LDC_UID_SIZE];
    char media_class[LDC_UID_SIZE];    /* "" = not there */
    char media_instance[LDC_UID_SIZE]; /* "" = not there */
} ldc_part10;

typedef enum ldc_part10_result {
    LDC_PART10_GOOD,
    LDC_PART10_MORE, /* give more of the file's beginning */
    LDC_PART10_BAD   /* *why is a sentence */
} ldc_part10_result;

/* Looks at the beginning of a file of `total` bytes, of which `length` are given: with preamble and
 * group 0002, with group 0002 alone, or a bare data set. Without (0002,0010) the transfer syntax is
 * guessed as in ldc_part10_guess. */
ldc_part10_result ldc_part10_parse(const uint8_t *bytes, size_t length, uint64_t total,
                                   ldc_part10 *found, const char **why);

/* The transfer syntax of a data set without a header, from its first elements: one of the three
 * that are not compressed, explicit VR only if it shows. NULL: does not look like a data set. */
const char *ldc_part10_guess(const uint8_t *bytes, size_t length, uint64_t total);

/* SOP class and instance, (0008,0016) and (0008,0018), from the first bytes of a data set; those
 * that are not found are left as they are. */
void ldc_part10_find_instance(const uint8_t *bytes, size_t length, const char *syntax,
                              char sop_class[LDC_UID_SIZE], char instance[LDC_UID_SIZE]);

/* DS_LITTLE_ENDIAN or DS_BIG_ENDIAN, and DS_IMPLICIT_VR or DS_EXPLICIT_VR. */
unsigned ldc_part10_form(const char *syntax);

/* Preamble and group 0002; *length bytes from malloc, or NULL: no memory. `what->offset` does not
 * matter. */
uint8_t *ldc_part10_header(const ldc_part10 *what, size_t *length);

#endif
