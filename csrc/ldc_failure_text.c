/* ldc_failure_text.c - a failure record in one sentence: the one that C, Python, the log and the
 * command line show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_failure.h"
#include "ldc_tables.h"

/* A text that grows; out of memory shows at the end. */
typedef struct sentence {
    char *text; /* owned; NULL = none yet, or no memory */
    bool failed;
} sentence;

static void add(sentence *to, const char *separator, char *part)
{
    char *longer = part == NULL || to->failed
                       ? NULL
                       : ldc_format("%s%s%s", to->text == NULL ? "" : to->text,
                                    to->text == NULL ? "" : separator, part);
    to->failed = to->failed || longer == NULL;
    free(to->text);
    free(part);
    to->text = longer;
}

static char *name_of(const char *name, int code)
{
    return name != NULL ? ldc_strdup(name) : ldc_format("%d", code);
}

static bool has(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void add_certificate(sentence *to, const DICOMFAILURE *failure)
{
    if (failure->nCertificateCode != 0) {
        char *name = name_of(ldc_verify_name(failure->nCertificateCode), failure->nCertificateCode);
        char depth[32] = "";
        if (failure->nCertificateDepth >= 0) {
            snprintf(depth, sizeof depth, "depth %d: ", failure->nCertificateDepth);
        }
        add(to, "; ",
            ldc_format("certificate %s%s%s%s", depth, name == NULL ? "" : name,
                       has(failure->pszSubject) ? ", " : "",
                       has(failure->pszSubject) ? failure->pszSubject : ""));
        free(name);
    } else if (has(failure->pszSubject)) {
        add(to, "; ",
            ldc_format("%s %s",
                       failure->nSide == DICOM_SIDE_PEER ? "our certificate" : "certificate",
                       failure->pszSubject));
    }
}

static void add_alert(sentence *to, const char *what, int alert)
{
    if (alert >= 0) {
        const char *name = ldc_alert_name(alert);
        add(to, "; ",
            name != NULL ? ldc_format("alert %s %s (%d)", what, name, alert)
                         : ldc_format("alert %s alert_%d (%d)", what, alert, alert));
    }
}

/* One line: whatever separates becomes one space. */
static void flatten(char *text)
{
    char *to = text;
    bool space = false;
    for (const char *from = text; *from != '\0'; from++) {
        unsigned char c = (unsigned char)*from;
        if (c <= ' ' || c == 0x7f) {
            space = to != text;
        } else {
            if (space) {
                *to++ = ' ';
            }
            space = false;
            *to++ = *from;
        }
    }
    *to = '\0';
}

char *ldc_failure_sentence(const DICOMFAILURE *failure)
{
    sentence made = {0};
    char *name = name_of(ldc_error_name(failure->nCode), failure->nCode);
    add(&made, "",
        ldc_format("%s, %s: %s (%d), %s", ldc_stage_name(failure->nStage),
                   failure->nSide == DICOM_SIDE_PEER ? "by the peer" : "by us",
                   name == NULL ? "" : name, failure->nCode,
                   failure->pszMessage == NULL ? "" : failure->pszMessage));
    free(name);
    add_certificate(&made, failure);
    add_alert(&made, "sent", failure->nAlertSent);
    add_alert(&made, "received", failure->nAlertReceived);
    if (has(failure->pszOpenSsl)) {
        add(&made, "; ", ldc_strdup(failure->pszOpenSsl));
    }
    if (has(failure->pszRemedy)) {
        add(&made, "; ", ldc_strdup(failure->pszRemedy));
    }
    if (made.text != NULL) {
        flatten(made.text);
    }
    return made.text;
}

L_INT L_DicomFormatFailure(const DICOMFAILURE *pFailure, L_TCHAR *pszText, L_UINT *pnChars)
{
    if (pFailure == NULL || pFailure->uStructSize != sizeof *pFailure || pnChars == NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "a record with uStructSize sizeof(DICOMFAILURE), and pnChars, are needed");
    }
    char *text = ldc_failure_sentence(pFailure);
    if (text == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "failure record");
    }
    size_t needed = strlen(text) + 1;
    int rc = DICOM_SUCCESS;
    if (needed > UINT32_MAX) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "%s", "the record's texts are too long");
    } else if (pszText != NULL && *pnChars < needed) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "the buffer has %u bytes, %zu are needed", *pnChars,
                       needed);
    } else if (pszText != NULL) {
        memcpy(pszText, text, needed);
    }
    if (needed <= UINT32_MAX) {
        *pnChars = (L_UINT)needed;
    }
    free(text);
    return rc;
}
