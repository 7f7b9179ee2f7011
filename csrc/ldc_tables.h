/*
 * ldc_tables.h - cipher suites, texts and names of codes, names of stages and alerts: read-only
 * data, any thread.
 *
 * The data are generated from tools/constants.py; no look-up allocates, fails or returns NULL text.
 */
#ifndef LDC_TABLES_H
#define LDC_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ldc_suite {
    uint32_t id;             /* IANA's number */
    const char *iana;        /* IANA's name, with TLS_ */
    const char *openssl;     /* OpenSSL's name */
    bool tls13;              /* a suite of TLS 1.3; else of TLS 1.2 and older */
    uint32_t key_exchange;   /* DICOM_TLS_KEY_EXCHANGE_... */
    uint32_t authentication; /* DICOM_TLS_AUTHENTICATION_... */
    uint32_t encryption;     /* DICOM_TLS_ENCRYPTION_... */
    uint32_t integrity;      /* DICOM_TLS_INTEGRITY_... */
    uint32_t bits;           /* of the encryption key, 168 for 3DES */
    int default_rank;        /* place in the default list, -1 = not in it */
} ldc_suite;

/* Every suite that has a name, in order of preference; DICOM_TLS_NONE is not among them. */
extern const ldc_suite ldc_suites[];
extern const size_t ldc_suite_count;

/* NULL = unknown, or DICOM_TLS_NONE. */
const ldc_suite *ldc_suite_find(uint32_t id);

/* The fixed text of DICOM_SUCCESS or a DICOM_ERROR_... code; "Unknown error". */
const char *ldc_error_text(int code);

/* The fixed text of an L_X509_V_... code; "unknown certificate verification error". */
const char *ldc_verify_text(int code);

/* The names of a DICOM_ERROR_... ("TlsPeerNotTls"), an L_X509_V_... ("CertHasExpired") and a TLS
 * alert ("unknown_ca"); NULL = unknown. */
const char *ldc_error_name(int code);
const char *ldc_verify_name(int code);
const char *ldc_alert_name(int alert);

/* The name of a DICOM_STAGE_... in lower case; "unknown". */
const char *ldc_stage_name(int stage);

#endif
