/*
 * ldc_text.h - a growable string.
 *
 * The one rule: appending never fails at the call. The first failure (no memory, or more than
 * LDC_TEXT_LIMIT bytes) is remembered, all later appends do nothing, and ldc_text_take() then
 * answers NULL. So a text is put together without a check at each line, and is either whole or not
 * there at all: a cut text of a certificate could mislead.
 *
 * Not thread safe: a text belongs to the function that makes it.
 */
#ifndef LDC_TEXT_H
#define LDC_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Longest text in bytes, the final NUL not counted. A certificate chain may hold 100 KiB (OpenSSL's
 * limit), at most six times that once escaped; whatever is longer is a mistake or an attack. */
#define LDC_TEXT_LIMIT ((size_t)4 * 1024 * 1024)

typedef struct ldc_text {
    char *bytes;     /* own, from malloc, NUL-terminated; NULL while empty or failed */
    size_t length;   /* without the NUL */
    size_t capacity; /* allocated, with room for the NUL */
    bool failed;
} ldc_text;

/* Makes an empty text. Takes no memory; a text that was only initialised need not be freed. */
void ldc_text_init(ldc_text *text);

/* Appends formatted text. The arguments must not point into the text itself; the same holds for all
 * that follow. */
void ldc_text_printf(ldc_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ldc_text_vprintf(ldc_text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Appends bytes as they are. `bytes` may be NULL when `length` is 0. */
void ldc_text_append(ldc_text *text, const char *bytes, size_t length);
void ldc_text_append_string(ldc_text *text, const char *string);

/* Appends bytes of foreign origin so that they stay on one line and the text stays valid UTF-8
 * without NUL. What is printable stays; each byte of the following becomes \XX (upper-case hex):
 *   - invalid UTF-8 (RFC 3629: overlong forms, surrogates and values above U+10FFFF included);
 *   - control characters, C0 with NUL, TAB and newline, DEL and C1;
 *   - U+2028 and U+2029, which many readers take for a line end;
 *   - U+202A..U+202E and U+2066..U+2069, which let a name be shown as another one.
 *
 * A backslash is left alone: the callers' bytes come from printers that have doubled it. */
void ldc_text_append_printable(ldc_text *text, const char *bytes, size_t length);

/* Gives the string away: the caller frees it with free(). Empty gives "", failed gives NULL. The
 * text is as after ldc_text_init then, in each case. */
char *ldc_text_take(ldc_text *text);

/* Frees what the text holds; it is as after ldc_text_init then. */
void ldc_text_free(ldc_text *text);

#endif
