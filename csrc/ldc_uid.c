/*
 * ldc_uid.c - UIDs, lists of them, and growing arrays (ldc_uid.h says the rules).
 */
#include "ldc_uid.h"

#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ltdic.h"

bool ldc_uid_valid(const char *text, size_t length)
{
    char before = '.';

    if (length == 0 || length >= LDC_UID_SIZE) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (!digit && (text[i] != '.' || before == '.')) {
            return false;
        }
        before = text[i];
    }
    return before != '.';
}

void ldc_uid_set(char uid[LDC_UID_SIZE], const char *text, size_t length)
{
    memcpy(uid, text, length);
    uid[length] = '\0';
}

bool ldc_grow(void *array, size_t count, size_t size)
{
    void *old;

    if ((count & (count - 1)) != 0) {
        return true; /* not 0, 1, 2, 4, 8 ...: there is room */
    }
    memcpy(&old, array, sizeof old); /* a void * may not alias what the caller has */
    void *longer = reallocarray(old, count == 0 ? 1 : count * 2, size);
    if (longer == NULL) {
        return false;
    }
    memcpy(array, &longer, sizeof longer);
    return true;
}

void ldc_shrink(void *array, size_t *count, size_t size, size_t index)
{
    char *bytes = array;

    memmove(bytes + index * size, bytes + (index + 1) * size, (*count - index - 1) * size);
    (*count)--;
}

int ldc_uid_list_add(ldc_uid_list *list, const char *text, size_t length)
{
    char *copy = strndup(text, length);

    if (copy == NULL || !ldc_grow(&list->uids, list->count, sizeof *list->uids)) {
        free(copy);
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "");
    }
    list->uids[list->count++] = copy;
    return DICOM_SUCCESS;
}

void ldc_uid_list_clear(ldc_uid_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->uids[i]);
    }
    free(list->uids);
    *list = (ldc_uid_list){NULL, 0};
}

bool ldc_uid_list_clone(ldc_uid_list *to, const ldc_uid_list *from)
{
    *to = (ldc_uid_list){NULL, 0};
    for (size_t i = 0; i < from->count; i++) {
        if (ldc_uid_list_add(to, from->uids[i], strlen(from->uids[i])) != DICOM_SUCCESS) {
            return false;
        }
    }
    return true;
}
