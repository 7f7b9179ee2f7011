/*
 * ldc_error.h - the error of a call (per thread), and the log.
 *
 * The failure of a *connection* is data of its net (ldc_failure.h); this is the answer to a call
 * that could not be done.
 */
#ifndef LDC_ERROR_H
#define LDC_ERROR_H

#include <stdint.h>

#define LDC_PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Remembers code and sentence for L_DicomGetLastError*; returns code, so that callers can `return
 * ldc_error(...)`. The text begins with the fixed text of the code. */
int ldc_error(int code, const char *format, ...) LDC_PRINTF(2, 3) __attribute__((nonnull(2)));
#ifdef __clang_analyzer__ /* sees one file at a time, and not that the code comes back */
#define ldc_error(code, ...) (ldc_error(code, __VA_ARGS__), (code))
#endif

/* Sends one line to the log callback (ldc_log.c). handle: the net's number or 0. No lock may be
 * held. */
void ldc_log(int level, uint64_t handle, const char *format, ...) LDC_PRINTF(3, 4);

/* strdup that copes with NULL (gives NULL). */
char *ldc_strdup(const char *text);
/* malloc'ed printf; NULL = out of memory. */
char *ldc_format(const char *format, ...) LDC_PRINTF(1, 2);

#endif
