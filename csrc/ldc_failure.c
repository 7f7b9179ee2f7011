/* ldc_failure.c - see ldc_failure.h. */
#include "ldc_failure.h"

#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tables.h"
#include "ltdic.h"

void ldc_failure_init(ldc_failure *failure)
{
    memset(failure, 0, sizeof *failure);
    failure->alert_sent = -1;
    failure->alert_received = -1;
    failure->certificate_depth = -1;
}

void ldc_failure_clear(ldc_failure *failure)
{
    free(failure->message);
    free(failure->openssl_text);
    free(failure->subject);
    free(failure->remedy);
    ldc_failure_init(failure);
}

bool ldc_failure_set(ldc_failure *to, ldc_failure *from)
{
    if (to->code != DICOM_SUCCESS) {
        ldc_failure_clear(from);
        return false;
    }
    ldc_failure_clear(to);
    *to = *from;
    ldc_failure_init(from);
    return true;
}

bool ldc_failure_copy(ldc_failure *to, const ldc_failure *from)
{
    ldc_failure copy = *from;
    copy.message = ldc_strdup(from->message);
    copy.openssl_text = ldc_strdup(from->openssl_text);
    copy.subject = ldc_strdup(from->subject);
    copy.remedy = ldc_strdup(from->remedy);
    ldc_failure_clear(to);
    *to = copy;
    return (from->message == NULL) == (copy.message == NULL) &&
           (from->remedy == NULL) == (copy.remedy == NULL) &&
           (from->subject == NULL) == (copy.subject == NULL) &&
           (from->openssl_text == NULL) == (copy.openssl_text == NULL);
}

void ldc_failure_fill(ldc_failure *failure, int code, int stage, int side, const char *message,
                      const char *remedy)
{
    failure->code = code;
    failure->stage = stage;
    failure->side = side;
    free(failure->message);
    free(failure->remedy);
    failure->message = ldc_strdup(message != NULL ? message : ldc_error_text(code));
    failure->remedy = ldc_strdup(remedy);
}

void ldc_failure_show(const ldc_failure *failure, DICOMFAILURE *shown)
{
    *shown = (DICOMFAILURE){.uStructSize = sizeof *shown,
                            .nCode = failure->code,
                            .nStage = failure->stage,
                            .nSide = failure->side,
                            .nAlertSent = failure->alert_sent,
                            .nAlertReceived = failure->alert_received,
                            .nCertificateCode = failure->certificate_code,
                            .nCertificateDepth = failure->certificate_depth,
                            .dElapsed = failure->elapsed,
                            .uOpenSsl = failure->openssl,
                            .pszMessage = failure->message,
                            .pszOpenSsl = failure->openssl_text,
                            .pszSubject = failure->subject,
                            .pszRemedy = failure->remedy};
}
