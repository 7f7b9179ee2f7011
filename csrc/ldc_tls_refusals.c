/* ldc_tls_refusals.c - failure records of links that ended about a name or a protocol. */
#include <stdlib.h>

#include "ldc_error.h"
#include "ldc_tls_rules.h"

static void diagnose_name(const ldc_tls_link *link, ldc_failure *failure)
{
    char *message = ldc_format(
        "TLS failure: the client asked for the server name \"%s\", and no certificate here is for it",
        link->server_name == NULL ? "" : link->server_name);
    ldc_failure_fill(
        failure, DICOM_ERROR_TLS_FAILURE, DICOM_STAGE_TLS, DICOM_SIDE_LOCAL, message,
        "Add a certificate for this name, have the client use a name that is known, or "
        "let unknown names have the default certificate.");
    free(message);
}

static void diagnose_alpn(const ldc_tls_link *link, ldc_failure *failure)
{
    const char *remedy = "Switch the application protocol \"dicom\" (ALPN) on at the peer, or do "
                         "not require it here.";
    char *message;
    if (!link->context->server && link->protocols != NULL) {
        message = ldc_format("TLS failure: the server chose the application protocol \"%s\", which "
                             "was not offered",
                             link->protocols);
        remedy = "Check address and port: this is not a DICOM node, or its TLS is faulty.";
    } else if (!link->context->server) {
        message = ldc_format("%s", "TLS failure: the server did not agree to the application "
                                   "protocol \"dicom\", which is required");
    } else if (link->protocols != NULL) {
        message = ldc_format("TLS failure: the client offers the application protocols \"%s\", and "
                             "not \"dicom\"",
                             link->protocols);
        remedy =
            "A browser or a proxy may have come here: check address and port at the client, or "
            "switch its application protocol \"dicom\" on.";
    } else {
        message = ldc_format("%s", "TLS failure: the client offers no application protocol, and "
                                   "\"dicom\" is required");
    }
    ldc_failure_fill(failure, DICOM_ERROR_TLS_FAILURE, DICOM_STAGE_TLS,
                     link->context->server ? DICOM_SIDE_LOCAL : DICOM_SIDE_PEER, message, remedy);
    free(message);
}

bool ldc_tls_refusal_diagnose(const ldc_tls_link *link, ldc_failure *failure)
{
    if (link->name_refused) {
        diagnose_name(link, failure);
        return true;
    }
    if (link->alpn_refused) {
        diagnose_alpn(link, failure);
        return true;
    }
    return false;
}

char *ldc_tls_refusal_remedy(const ldc_tls_link *link, int alert)
{
    bool named = link->server_name != NULL && !link->context->server;
    switch (alert) {
    case SSL_AD_UNRECOGNIZED_NAME:
        return named ? ldc_format(
                           "The peer has no certificate for the name \"%s\" that it was called "
                           "by: use one of its names, or set server_name.",
                           link->server_name)
                     : ldc_strdup("The peer wants to be called by one of its names: set "
                                  "server_name, or connect by name.");
    case SSL_AD_NO_APPLICATION_PROTOCOL:
        return ldc_strdup("The peer wants another application protocol (ALPN): check address and "
                          "port; set ALPN to \"dicom\" here if it is a DICOM node.");
    default:
        return NULL;
    }
}
