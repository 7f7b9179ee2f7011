/* ldc_upper_failure.c - why there is no association, in words: rejected, aborted, nothing agreed
 * on (PS3.8 9.3.3, 9.3.4, 9.3.8). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_upper_inner.h"

static const char *const LOG_SAYS = "The peer's log says why.";

static const char *reject_reason(uint8_t source, uint8_t reason)
{
    if (source == PDU_REJECT_SOURCE_USER) {
        switch (reason) {
        case PDU_REJECT_REASON_UNKNOWN:
            return "no reason given";
        case PDU_REJECT_REASON_APPLICATION:
            return "application context name not supported";
        case PDU_REJECT_REASON_CALLING:
            return "calling AE title not recognized";
        case PDU_REJECT_REASON_CALLED:
            return "called AE title not recognized";
        default:
            return "unknown reason";
        }
    }
    if (source == PDU_REJECT_SOURCE_PROVIDER1) {
        return reason == PDU_REJECT_REASON_VERSION   ? "protocol version not supported"
               : reason == PDU_REJECT_REASON_UNKNOWN ? "no reason given"
                                                     : "unknown reason";
    }
    if (source == PDU_REJECT_SOURCE_PROVIDER2) {
        return reason == PDU_REJECT_REASON_CONGESTION ? "temporary congestion"
               : reason == PDU_REJECT_REASON_LIMIT    ? "local limit exceeded"
                                                      : "unknown reason";
    }
    return "unknown reason";
}

static const char *abort_reason(uint8_t source, uint8_t reason)
{
    if (source != PDU_ABORT_SOURCE_PROVIDER) {
        return "by its program";
    }
    switch (reason) {
    case PDU_ABORT_REASON_UNRECOGNIZED:
        return "unrecognized PDU";
    case PDU_ABORT_REASON_UNEXPECTED:
        return "unexpected PDU";
    case PDU_ABORT_REASON_UNRECOGNIZED_PARAM:
        return "unrecognized PDU parameter";
    case PDU_ABORT_REASON_UNEXPECTED_PARAM:
        return "unexpected PDU parameter";
    case PDU_ABORT_REASON_INVALID_PARAM:
        return "invalid PDU parameter value";
    default:
        return "no reason given";
    }
}

/* What the other side is to do about our reject, and we about theirs. */
static const char *reject_remedy(uint8_t source, uint8_t reason, bool by_us)
{
    if (source == PDU_REJECT_SOURCE_USER && reason == PDU_REJECT_REASON_CALLED) {
        return by_us ? "Have the peer call this node by its AE title, or let it know this one, too."
                     : "The peer does not know the called AE title: check its spelling.";
    }
    if (source == PDU_REJECT_SOURCE_USER && reason == PDU_REJECT_REASON_CALLING) {
        return by_us ? "If the peer may call, add its AE title to those that this node knows."
                     : "The peer does not know our calling AE title: have it configured there.";
    }
    if (source == PDU_REJECT_SOURCE_PROVIDER2) {
        return by_us
                   ? "The peer may try again when there is less to do."
                   : "The peer is busy: try again later, or have its limit of associations raised.";
    }
    return by_us ? "This program's own rules say why." : LOG_SAYS;
}

/* Both titles in quotes, printable; the lock is held. */
static void titles(const ldc_upper *upper, char *text, size_t size)
{
    const ldc_associate *request = upper->request;
    text[0] = '\0';
    if (request != NULL) {
        snprintf(text, size, "; called \"%.16s\", calling \"%.16s\"",
                 ldc_associate_title(request, true), ldc_associate_title(request, false));
    }
    for (char *c = text; *c != '\0'; c++) {
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    }
}

void ldc_upper_note_reject(ldc_upper *upper, uint8_t result, uint8_t source, uint8_t reason,
                           bool by_us)
{
    ldc_failure failure;
    char text[320], names[96];
    ldc_failure_init(&failure);
    titles(upper, names, sizeof names);
    snprintf(text, sizeof text,
             "The association was rejected: %s (%s; result %u, source %u, reason %u)%s",
             reject_reason(source, reason),
             result == PDU_REJECT_RESULT_TRANSIENT ? "for the time being" : "for good", result,
             source, reason, names);
    ldc_failure_fill(&failure, DICOM_ERROR_ASSOCIATION_REJECTED, DICOM_STAGE_ASSOCIATION,
                     by_us ? DICOM_SIDE_LOCAL : DICOM_SIDE_PEER, text,
                     reject_remedy(source, reason, by_us));
    (void)ldc_failure_set(&upper->failure, &failure);
}

void ldc_upper_note_abort(ldc_upper *upper, uint8_t source, uint8_t reason)
{
    ldc_failure failure;
    char text[200];
    ldc_failure_init(&failure);
    snprintf(text, sizeof text, "The association was aborted: %s (source %u, reason %u)",
             abort_reason(source, reason), source, reason);
    ldc_failure_fill(&failure, DICOM_ERROR_ASSOCIATION_ABORTED, DICOM_STAGE_ASSOCIATION,
                     DICOM_SIDE_PEER, text, LOG_SAYS);
    (void)ldc_failure_set(&upper->failure, &failure);
}

static const char *context_reason(uint8_t result)
{
    switch (result) {
    case PDU_ACCEPT_RESULT_USER_REJECT:
        return "rejected by the program";
    case PDU_ACCEPT_RESULT_ABSTRACT_SYNTAX:
        return "abstract syntax not supported";
    case PDU_ACCEPT_RESULT_TRANSFER_SYNTAX:
        return "transfer syntaxes not supported";
    default:
        return "no reason given";
    }
}

bool ldc_upper_nothing_agreed(ldc_upper *upper, ldc_failure *failure)
{
    enum {
        MOST = 3
    };
    char list[MOST * (LDC_UID_SIZE + 48) + 32] = "";
    size_t length = 0, refused = 0;
    bool syntax_only = true;
    pthread_mutex_lock(&upper->lock);
    const ldc_associate *accept = upper->accept;
    bool nothing = accept != NULL && upper->request != NULL && upper->request->context_count > 0;
    for (size_t i = 0; nothing && i < upper->request->context_count; i++) {
        const ldc_context *asked = &upper->request->contexts[i];
        const ldc_context *got = ldc_associate_context(accept, asked->id);
        uint8_t result = got == NULL ? PDU_ACCEPT_RESULT_PROVIDER_REJECT : got->result;
        nothing = result != PDU_ACCEPT_RESULT_SUCCESS;
        syntax_only = syntax_only && result == PDU_ACCEPT_RESULT_TRANSFER_SYNTAX;
        if (refused++ < MOST) {
            int put = snprintf(list + length, sizeof list - length, "%s%s (%s)",
                               length == 0 ? "" : ", ", asked->abstract, context_reason(result));
            length += put > 0 ? (size_t)put : 0;
        }
    }
    bool by_us = !upper->requestor;
    pthread_mutex_unlock(&upper->lock);
    if (!nothing) {
        return false;
    }
    char *message =
        ldc_format("None of %zu presentation context%s %s: %s%s", refused, refused == 1 ? "" : "s",
                   by_us ? "that the peer proposed was accepted here" : "was accepted by the peer",
                   list, refused > MOST ? ", ..." : "");
    ldc_failure_fill(failure,
                     syntax_only ? DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED
                                 : DICOM_ERROR_ABSTRACT_SYNTAX_NOT_SUPPORTED,
                     DICOM_STAGE_ASSOCIATION, by_us ? DICOM_SIDE_LOCAL : DICOM_SIDE_PEER, message,
                     by_us
                         ? "If this node is to serve it, accept its SOP class and one of its "
                           "transfer syntaxes; else it called the wrong node."
                         : "Have the service enabled for our AE title at the peer, propose another "
                           "transfer syntax, or ask another node.");
    free(message);
    return true;
}
