/*
 * ldc_tls_diagnose.c - why a TLS link failed: stage, side, code, certificate, alert, remedy.
 *
 * Looked at in the order of who knows most: our own verdict, the peer's alert, the peer's first
 * bytes, OpenSSL's reason, the socket.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_tables.h"
#include "ldc_tls_rules.h"

/* ---- remedies of verification codes ---- */

const char *ldc_tls_code_remedy(int code)
{
    switch (code) {
    case L_X509_V_ERR_INVALID_PURPOSE:
        return "Issue the certificate anew with extended key usage clientAuth for a client, serverAuth for a server, both "
               "for a node that is both.";
    case L_X509_V_ERR_CERT_HAS_EXPIRED:
        return "Renew the certificate; if it should still be valid, check the clock of this computer.";
    case L_X509_V_ERR_CERT_NOT_YET_VALID:
        return "Check the clocks of both computers, or wait until the certificate becomes valid.";
    case L_X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case L_X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case L_X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "Put the issuing CA into the CA file of this side, or have the peer send its intermediate certificates with "
               "its own; if you do not know the issuer at all, a proxy in between may answer for the peer.";
    case L_X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "Put the peer's self-signed certificate into the CA file of this side if it is to be trusted, or have it "
               "signed by a CA that is.";
    case L_X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "Put the root at the end of the peer's chain into the CA file of this side if it is to be trusted.";
    case L_X509_V_ERR_CERT_CHAIN_TOO_LONG:
        return "Raise the maximum verification depth of the settings, or shorten the chain.";
    case L_X509_V_ERR_CERT_REVOKED:
        return "The CA has revoked the certificate: the peer needs a new one.";
    case L_X509_V_ERR_UNABLE_TO_GET_CRL:
        return "Add the missing certificate revocation list to the CRL file or folder: one for each CA of the chain.";
    case L_X509_V_ERR_OCSP_VERIFY_NEEDED:
        return "Switch OCSP stapling on at the server, or do not require a staple here.";
    case L_X509_V_ERR_OCSP_VERIFY_FAILED:
        return "Have the server fetch a new OCSP response from its CA, for this certificate; check the clocks of both "
               "computers.";
    case L_X509_V_ERR_OCSP_CERT_UNKNOWN:
        return "The CA's OCSP responder does not know the certificate: have the CA look into it, or have a new one "
               "issued.";
    case L_X509_V_ERR_CRL_HAS_EXPIRED:
    case L_X509_V_ERR_CRL_NOT_YET_VALID:
        return "Fetch the present certificate revocation list from the CA.";
    case L_X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case L_X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
        return "The certificate revocation list is damaged, forged, or of another CA with the same name: fetch it again.";
    case L_X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case L_X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case L_X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
        return "The certificate revocation list is damaged, or of a kind that OpenSSL does not know: have the CA issue it "
               "anew.";
    case L_X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
        return "Put the root into the CA file: a certificate that is trusted by itself, or pinned, cannot be held against "
               "revocation lists.";
    case L_X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
        return "Who signed the revocation list must not sign any: fetch it from the CA again, or have the CA's certificate "
               "issued with key usage cRLSign.";
    case L_X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
        return "Check who signed the revocation list: the signer needs a chain to the same root, with lists of its own.";
    case L_X509_V_ERR_DIFFERENT_CRL_SCOPE:
        return "Add the revocation list that is meant for this certificate: its distribution point says which.";
    case L_X509_V_ERR_NO_EXPLICIT_POLICY:
        return "Have the certificates issued under a policy that is demanded, or demand another one (set_tls_policies).";
    case L_X509_V_ERR_INVALID_POLICY_EXTENSION:
        return "Have the certificate issued anew: its policies are damaged or contradict each other.";
    case L_X509_V_ERR_INVALID_CA:
    case L_X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        return "The issuer's certificate does not say that it is a CA: have the certificate issued by a proper CA.";
    case L_X509_V_ERR_INVALID_EXTENSION:
        return "Have the certificate issued anew, with extensions that can be read.";
    case L_X509_V_ERR_PATH_LENGTH_EXCEEDED:
        return "A CA of the chain must not have that many CAs below it: have the certificate issued by another CA.";
    case L_X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return "The certificate is damaged or forged: install it anew.";
    case L_X509_V_ERR_EE_KEY_TOO_SMALL:
    case L_X509_V_ERR_CA_KEY_TOO_SMALL:
        return "Have the certificate issued with a stronger key: RSA 2048 bits or more, or EC P-256.";
    case L_X509_V_ERR_CA_MD_TOO_WEAK:
        return "Have the certificate signed with SHA-256 or better.";
    case L_X509_V_ERR_HOSTNAME_MISMATCH:
    case L_X509_V_ERR_EMAIL_MISMATCH:
    case L_X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "Connect by a name or address that the certificate carries, or have it issued with this one.";
    case L_X509_V_ERR_CERT_UNTRUSTED:
        return "The certificate is none of those that are pinned: if the peer has a new one, make sure that it is genuine "
               "and pin it; if not, somebody else answers for the peer.";
    case L_X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
        return "The certificate has a critical extension that OpenSSL does not know: have it issued without.";
    case L_X509_V_ERR_PERMITTED_VIOLATION:
    case L_X509_V_ERR_EXCLUDED_VIOLATION:
        return "A CA of the chain must not issue for this name: have the certificate issued by another CA.";
    case L_X509_V_ERR_CERT_REJECTED:
        return "OpenSSL found no fault; the program's own check (OnVerify) refused the certificate.";
    case L_X509_V_ERR_APPLICATION_VERIFICATION:
        return "The certificate was not judged by the check that had to.";
    default:
        return "Compare the certificate's text with what the CA should have issued.";
    }
}

/* ---- our own verdict ---- */

/* Nobody can be trusted: the usual reason is a setting that was forgotten. */
static const char *no_authority(const ldc_tls_link *link)
{
    bool issuer = link->code == L_X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
                  link->code == L_X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                  link->code == L_X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
                  link->code == L_X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
                  link->code == L_X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
    return issuer && !link->context->has_anchors ? "No CA file was given here. " : "";
}

static void diagnose_verdict(ldc_tls_link *link, ldc_failure *failure)
{
    if (link->no_answer) {
        ldc_failure_fill(
            failure, DICOM_ERROR_TLS_VERIFY_CALLBACK, DICOM_STAGE_CERTIFICATE, DICOM_SIDE_LOCAL,
            NULL,
            "The program's certificate callback raised an exception or returned no number: mend it; nobody is "
            "accepted in doubt.");
    } else {
        const char *advice = ldc_tls_code_remedy(link->code);
        char *remedy = ldc_format("%s%s%s%s", link->detail == NULL ? "" : link->detail,
                                  link->detail == NULL ? "" : " ", no_authority(link), advice);
        char *message =
            ldc_format("The peer's certificate was rejected: %s", ldc_verify_text(link->code));
        ldc_failure_fill(failure, DICOM_ERROR_TLS_CERTIFICATE_REJECTED, DICOM_STAGE_CERTIFICATE,
                         DICOM_SIDE_LOCAL, message, remedy);
        free(message);
        free(remedy);
    }
    failure->certificate_code = link->code;
    failure->certificate_depth = link->depth;
    failure->subject = ldc_strdup(link->subject);
}

/* ---- the peer's alert ---- */

/* Our own certificate's issuer is not among the CAs that the server named: the usual reason of a
 * refusal. */
static char *issuer_not_named(ldc_tls_link *link)
{
    X509 *own = SSL_get_certificate(link->ssl);
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(link->ssl);
    if (own == NULL || link->context->server || sk_X509_NAME_num(names) <= 0) {
        return NULL;
    }
    STACK_OF(X509) *chain = NULL;
    (void)SSL_get0_chain_certs(link->ssl, &chain);
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        const X509_NAME *name = sk_X509_NAME_value(names, i);
        if (X509_NAME_cmp(name, X509_get_issuer_name(own)) == 0 ||
            X509_NAME_cmp(name, X509_get_subject_name(own)) == 0) {
            return NULL;
        }
        for (int j = 0; j < sk_X509_num(chain); j++) {
            if (X509_NAME_cmp(name, X509_get_issuer_name(sk_X509_value(chain, j))) == 0) {
                return NULL;
            }
        }
    }
    char *issuer = ldc_name_text(X509_get_issuer_name(own));
    char *text = ldc_format(
        " The server named %d CA%s it trusts; \"%s\", the issuer of our certificate, is not among them.",
        sk_X509_NAME_num(names), sk_X509_NAME_num(names) == 1 ? "" : "s",
        issuer == NULL ? "" : issuer);
    free(issuer);
    return text;
}

static const char *alert_remedy(int alert)
{
    switch (alert) {
    case SSL_AD_CERTIFICATE_EXPIRED:
        return "Our certificate is expired or not yet valid for the peer: renew it, or check the clocks.";
    case SSL_AD_CERTIFICATE_REVOKED:
        return "The peer says that our certificate is revoked: get a new one.";
    case SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE:
        return "The peer does not take our OCSP staple, or misses one: renew the staple file, and see whether our "
               "certificate has been revoked.";
    case SSL_AD_UNKNOWN_CA:
        return "The peer does not trust the issuer of our certificate: have our CA added to its CA file, and send our "
               "intermediate certificates.";
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
        return "Our certificate does not suit the peer, usually its extended key usage: a client's needs clientAuth, a "
               "server's serverAuth.";
    case SSL_AD_ACCESS_DENIED:
        return "The peer knows our certificate and does not let it in: have it added to the peer's list.";
    default:
        return "The peer refused our certificate; its log says why (OnVerify there, if it is a program of this library).";
    }
}

static bool is_certificate_alert(int alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE: /* RFC 6066 8: about the certificate's status */
        return true;
    default:
        return false;
    }
}

static const char *const NOTHING_SHARED =
    "Give both sides at least one cipher suite in common, of a kind (RSA, ECDSA) that the server's "
    "certificate can serve, one group (X25519, P-256), and one signature algorithm that the server's "
    "key can make.";

static void diagnose_alert(ldc_tls_link *link, ldc_failure *failure)
{
    int alert = link->alert_received;
    bool none_given =
        !link->context->server && link->certificate_requested && link->certificate_empty;
    X509 *own = SSL_get_certificate(link->ssl);
    if (alert == TLS13_AD_CERTIFICATE_REQUIRED ||
        (alert == SSL_AD_HANDSHAKE_FAILURE && none_given) ||
        (is_certificate_alert(alert) && none_given)) {
        if (none_given && ldc_tls_unsent_diagnose(link, failure)) {
            return;
        }
        ldc_failure_fill(
            failure, DICOM_ERROR_TLS_PEER_REQUIRES_CERTIFICATE, DICOM_STAGE_CERTIFICATE,
            DICOM_SIDE_PEER, NULL,
            "Load a certificate that the peer trusts with SetTlsClientCertificate before connecting.");
    } else if (is_certificate_alert(alert)) {
        char *named = issuer_not_named(link);
        char *remedy = ldc_format("%s%s", alert_remedy(alert), named == NULL ? "" : named);
        char *message =
            ldc_format("The peer rejected our certificate: %s", SSL_alert_desc_string_long(alert));
        ldc_failure_fill(failure, DICOM_ERROR_TLS_PEER_REJECTED_CERTIFICATE,
                         DICOM_STAGE_CERTIFICATE, DICOM_SIDE_PEER, message, remedy);
        failure->subject = own == NULL ? NULL : ldc_subject_text(own);
        failure->certificate_depth = own == NULL ? -1 : 0;
        free(named);
        free(remedy);
        free(message);
    } else if ((alert == SSL_AD_HANDSHAKE_FAILURE && !link->hello_done) ||
               alert == SSL_AD_INSUFFICIENT_SECURITY) {
        ldc_failure_fill(failure, DICOM_ERROR_TLS_NO_SHARED_CIPHER_SUITE, DICOM_STAGE_TLS,
                         DICOM_SIDE_PEER, NULL, NOTHING_SHARED);
    } else if (alert == SSL_AD_PROTOCOL_VERSION) {
        ldc_failure_fill(failure, DICOM_ERROR_TLS_NO_SHARED_VERSION, DICOM_STAGE_TLS,
                         DICOM_SIDE_PEER, NULL, "Allow TLS 1.2 or 1.3 on both sides.");
    } else {
        char *message = ldc_format("The peer sent a fatal TLS alert: %s (%d)",
                                   SSL_alert_desc_string_long(alert), alert);
        char *remedy = ldc_tls_refusal_remedy(link, alert);
        ldc_failure_fill(failure, DICOM_ERROR_TLS_ALERT_RECEIVED, DICOM_STAGE_TLS, DICOM_SIDE_PEER,
                         message,
                         remedy == NULL ? "The peer's log says more about this alert." : remedy);
        free(remedy);
        free(message);
    }
}

/* ---- the peer's first bytes ---- */

static bool diagnose_speech(ldc_tls_link *link, ldc_failure *failure)
{
    ldc_speech speech = ldc_transport_speech(link->base.first, link->base.first_length);
    if (speech == LDC_SPEECH_TLS || speech == LDC_SPEECH_NOTHING || link->hello_done) {
        return false;
    }
    const char *who = link->context->server ? "client" : "server";
    char *message = ldc_format("The peer does not speak TLS: it sent %s", ldc_speech_name(speech));
    char *remedy = ldc_format(
        speech == LDC_SPEECH_DICOM
            ? "Switch TLS on at the %s, or use the port that is meant for connections without TLS."
        : speech == LDC_SPEECH_PROXY
            ? "Switch the PROXY protocol off at the load balancer in front (send-proxy); what the %s itself says comes "
              "after it."
            : "Check address and port: the %s is not a DICOM TLS node.",
        who);
    ldc_failure_fill(failure, DICOM_ERROR_TLS_PEER_NOT_TLS, DICOM_STAGE_TLS, DICOM_SIDE_PEER,
                     message, remedy);
    free(message);
    free(remedy);
    return true;
}

/* ---- OpenSSL's reason ---- */

static const char *const DAMAGED =
    "Something between the two sides changes the data, or the peer's TLS is faulty.";

/* OpenSSL's own words behind the text of the code. */
static void fill_reason(const ldc_tls_link *link, ldc_failure *failure, int code, int side,
                        const char *remedy)
{
    char *message = ldc_format("%s: %s", ldc_error_text(code), link->error_text);
    ldc_failure_fill(failure, code, DICOM_STAGE_TLS, side, message, remedy);
    free(message);
}

static void diagnose_reason(ldc_tls_link *link, ldc_failure *failure)
{
    int reason = ERR_GET_LIB((unsigned long)link->error) == ERR_LIB_SSL
                     ? ERR_GET_REASON((unsigned long)link->error)
                     : 0;
    char *message = NULL;
    switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        ldc_failure_fill(
            failure, DICOM_ERROR_TLS_CERTIFICATE_REQUIRED, DICOM_STAGE_CERTIFICATE,
            DICOM_SIDE_LOCAL, NULL,
            "Load a certificate at the client; if it has one, its key must be of a kind that is taken "
            "here (RSA, EC P-256, P-384, P-521, Ed25519, Ed448). Or drop FailIfNoPeerCertificate here if "
            "clients may be unknown.");
        return;
    case SSL_R_NO_SHARED_CIPHER:
        if (ldc_tls_signature_diagnose(link, DICOM_ERROR_TLS_NO_SHARED_CIPHER_SUITE, failure)) {
            return;
        }
        ldc_failure_fill(failure, DICOM_ERROR_TLS_NO_SHARED_CIPHER_SUITE, DICOM_STAGE_TLS,
                         DICOM_SIDE_LOCAL, NULL, NOTHING_SHARED);
        return;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_WRONG_SSL_VERSION:
        ldc_failure_fill(failure, DICOM_ERROR_TLS_NO_SHARED_VERSION, DICOM_STAGE_TLS,
                         DICOM_SIDE_LOCAL, NULL, "Allow TLS 1.2 or 1.3 on both sides.");
        return;
    case SSL_R_WRONG_VERSION_NUMBER:
        if (link->first_record_read && link->odd_record) { /* it spoke TLS before */
            fill_reason(link, failure, DICOM_ERROR_TLS_RECORD, DICOM_SIDE_PEER, DAMAGED);
            return;
        }
        ldc_failure_fill(failure, DICOM_ERROR_TLS_NO_SHARED_VERSION, DICOM_STAGE_TLS,
                         DICOM_SIDE_LOCAL, NULL, "Allow TLS 1.2 or 1.3 on both sides.");
        return;
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
        if (!link->hello_done) {
            fill_reason(
                link, failure, DICOM_ERROR_TLS_FAILURE, DICOM_SIDE_LOCAL,
                "A handshake message was announced that is far too long: the peer's TLS is faulty.");
            return;
        }
        ldc_failure_fill(failure, DICOM_ERROR_TLS_FAILURE, DICOM_STAGE_CERTIFICATE,
                         DICOM_SIDE_LOCAL,
                         "TLS failure: the peer's certificate chain is larger than 100 KiB",
                         "Have the peer send its own certificate and the intermediates only.");
        return;
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_WRONG_SIGNATURE_TYPE:
        if (ldc_tls_signature_diagnose(link, DICOM_ERROR_TLS_FAILURE, failure)) {
            return;
        }
        message = ldc_format("TLS failure: %s", link->error_text);
        ldc_failure_fill(
            failure, DICOM_ERROR_TLS_FAILURE, DICOM_STAGE_TLS, DICOM_SIDE_LOCAL, message,
            "Use certificates signed with SHA-256 or better; SHA-1 and MD5 are not negotiated.");
        break;
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
        message = ldc_format("TLS failure: %s", link->error_text);
        ldc_failure_fill(failure, DICOM_ERROR_TLS_FAILURE, DICOM_STAGE_TLS, DICOM_SIDE_LOCAL,
                         message, "Allow X25519 or P-256 as group on both sides.");
        break;
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_UNEXPECTED_RECORD:
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
    case SSL_R_DATA_LENGTH_TOO_LONG:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        fill_reason(link, failure, DICOM_ERROR_TLS_RECORD, DICOM_SIDE_PEER, DAMAGED);
        return;
    default:
        message = ldc_format("TLS failure%s%s", link->error_text[0] == '\0' ? "" : ": ",
                             link->error_text);
        ldc_failure_fill(failure, DICOM_ERROR_TLS_FAILURE, DICOM_STAGE_TLS, DICOM_SIDE_LOCAL,
                         message, "OpenSSL's reason is given; the peer's log may say more.");
        break;
    }
    free(message);
}

static bool ended_by_socket(const ldc_tls_link *link)
{
    bool eof = ERR_GET_LIB((unsigned long)link->error) == ERR_LIB_SSL &&
               ERR_GET_REASON((unsigned long)link->error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    return link->ssl_error == SSL_ERROR_SYSCALL || eof;
}

void ldc_tls_link_diagnose(ldc_transport *self, ldc_failure *failure)
{
    ldc_tls_link *link = ldc_tls_link_of(self);
    if (link == NULL) {
        return;
    }
    /* The chain failed, and the link was not meant to be made in spite of that. */
    bool refused = link->failed && (link->no_answer || link->context->server ||
                                    (link->context->verify & L_SSL_VERIFY_PEER) != 0);
    if (refused && !link->established) {
        diagnose_verdict(link, failure);
    } else if (link->established || !ldc_tls_refusal_diagnose(link, failure)) {
        if (link->alert_received >= 0) {
            diagnose_alert(link, failure);
        } else if (!diagnose_speech(link, failure)) {
            if (ended_by_socket(link)) {
                ldc_transport_diagnose_socket(self, DICOM_STAGE_TLS, failure);
            } else {
                diagnose_reason(link, failure);
            }
        }
    }
    failure->alert_sent = link->alert_sent;
    failure->alert_received = link->alert_received;
    failure->openssl = link->error;
    failure->openssl_text = link->error_text[0] == '\0' ? NULL : ldc_strdup(link->error_text);
}

void ldc_tls_timeout_diagnose(ldc_transport *self, bool server, ldc_failure *failure)
{
    ldc_speech speech = ldc_transport_speech(self->first, self->first_length);
    const char *remedy;
    if (speech == LDC_SPEECH_NOTHING) {
        remedy =
            server
                ? "The client opened the connection and sent nothing: it may expect plain DICOM to greet it, be a "
                  "health check, or be stuck."
                : "The server accepted the connection and said nothing: the port may not be a TLS port, or a proxy in "
                  "between is stuck.";
    } else if (speech == LDC_SPEECH_TLS) {
        remedy =
            "The peer began the handshake and did not go on: look into its log, and for packet loss in between.";
    } else {
        remedy =
            "What the peer sent is not TLS: check the port and whether TLS is switched on at the peer.";
    }
    char *message =
        ldc_format("The TLS handshake timed out: the peer sent %s", ldc_speech_name(speech));
    ldc_failure_fill(failure, DICOM_ERROR_TLS_HANDSHAKE_TIMEOUT, DICOM_STAGE_TLS, DICOM_SIDE_PEER,
                     message, remedy);
    free(message);
    ldc_tls_link *link = ldc_tls_link_of(self);
    if (link != NULL) {
        failure->alert_sent = link->alert_sent;
        failure->alert_received = link->alert_received;
    }
}
