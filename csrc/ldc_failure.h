/*
 * ldc_failure.h - the record of why a connection failed. The first cause wins: the
 * layer that knows most writes it, later ones only add what is still unknown.
 */
#ifndef LDC_FAILURE_H
#define LDC_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "ltdic.h"

typedef struct ldc_failure {
    int code;                       /* DICOM_ERROR_..., 0 = no failure */
    int stage;                      /* DICOM_STAGE_... */
    int side;                       /* DICOM_SIDE_... */
    int alert_sent, alert_received; /* -1 = none */
    int certificate_code;           /* L_X509_V_..., 0 = none */
    int certificate_depth;          /* -1 = none */
    double elapsed;                 /* seconds */
    uint64_t openssl;               /* packed code */
    char *message;                  /* these four are owned, NULL = none */
    char *openssl_text;
    char *subject;
    char *remedy;
} ldc_failure;

void ldc_failure_init(ldc_failure *failure);
void ldc_failure_clear(ldc_failure *failure); /* frees the texts, back to no failure */
/* Moves `from` into `to` unless `to` has a cause already; `from` is empty afterwards. true: it was
 * the first. */
bool ldc_failure_set(ldc_failure *to, ldc_failure *from);
bool ldc_failure_copy(ldc_failure *to, const ldc_failure *from); /* false = out of memory */
/* Code, stage, side, message and remedy in one go (texts are copied; message NULL = the code's own
 * text). */
void ldc_failure_fill(ldc_failure *failure, int code, int stage, int side, const char *message,
                      const char *remedy);

/* As the public structure; its texts are lent by `failure`. */
void ldc_failure_show(const ldc_failure *failure, DICOMFAILURE *shown);

/* ldc_failure_text.c: the record in one sentence, on one line. The caller owns it; NULL = out of
 * memory. */
char *ldc_failure_sentence(const DICOMFAILURE *failure);

#endif
