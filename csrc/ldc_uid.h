/*
 * ldc_uid.h - UIDs as text, ordered lists of them, and the growing arrays that such lists are.
 *
 * Functions that give an int give DICOM_SUCCESS or DICOM_ERROR_MEMORY, said by ldc_error().
 */
#ifndef LDC_UID_H
#define LDC_UID_H

#include <stdbool.h>
#include <stddef.h>

enum {
    LDC_UID_SIZE = 65 /* PS3.5 §9.1: 64 characters, and the NUL */
};

typedef struct ldc_uid_list {
    char **uids; /* own, each too */
    size_t count;
} ldc_uid_list;

/* PS3.5 §9.1: digits and single dots, a digit first and last, 1..64 characters. Components with
 * leading zeros pass: peers have them, and they harm nobody. */
bool ldc_uid_valid(const char *text, size_t length);
/* Copies text that ldc_uid_valid() has passed. */
void ldc_uid_set(char uid[LDC_UID_SIZE], const char *text, size_t length);
int ldc_uid_list_add(ldc_uid_list *list, const char *text, size_t length);
void ldc_uid_list_clear(ldc_uid_list *list);
bool ldc_uid_list_clone(ldc_uid_list *to, const ldc_uid_list *from);
/* Makes room for one more element of `size` bytes; `*array` is moved. false: out of memory. */
bool ldc_grow(void *array, size_t count, size_t size);
/* Removes one element. */
void ldc_shrink(void *array, size_t *count, size_t size, size_t index);

#endif
