/*
 * ldc_tls_verify.c - judging the peer's chain, one certificate at a time.
 *
 * Fail closed: no link, no owner, no memory, no answer: the answer is no. OpenSSL's order of calls
 * is kept: complaints found while the chain is built come first, then one call per
 * certificate, root to leaf. After a stop nobody is asked any more.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_tables.h"
#include "ldc_tls_names.h"
#include "ldc_tls_rules.h"

enum {
    CERTIFICATE_LEVEL = 2
}; /* whatever the protocol's level is: level 0 would take MD5 */

/* OpenSSL 3 gave 24 to "no issuer public key" and moved "invalid CA" to 79; LEADTOOLS has the older
 * meaning. */
int ldc_tls_code_from_openssl(int code)
{
#if X509_V_ERR_INVALID_CA == 79
    if (code == 79) {
        return L_X509_V_ERR_INVALID_CA;
    }
    if (code == 24) {
        return L_X509_V_ERR_NO_ISSUER_PUBLIC_KEY;
    }
#endif
    return code;
}

static ldc_tls_link *link_of(X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    return ssl == NULL ? NULL : SSL_get_ex_data(ssl, ldc_tls_link_index());
}

static bool about_names(int code)
{
    return code == L_X509_V_ERR_HOSTNAME_MISMATCH || code == L_X509_V_ERR_EMAIL_MISMATCH ||
           code == L_X509_V_ERR_IP_ADDRESS_MISMATCH;
}

/* Keeps what the failure record will say; the first complaint counts unless a stop comes. */
static void remember(ldc_tls_link *link, int code, int depth, X509 *certificate)
{
    char name[128];
    free(link->subject);
    free(link->detail);
    link->code = code;
    link->depth = depth;
    link->subject = certificate == NULL ? NULL : ldc_subject_text(certificate);
    link->detail = NULL;
    /* A broken extension shows itself by other complaints: purposes, or no issuer found. */
    const char *extension =
        certificate == NULL ? NULL : ldc_invalid_extension(certificate, name, sizeof name);
    if (extension != NULL) {
        link->detail = ldc_format("The extension %s of the certificate is invalid.", extension);
        return;
    }
    if (link->about != NULL) {
        link->detail = ldc_strdup(link->about);
        return;
    }
    if (certificate != NULL && about_names(code)) {
        char *names = ldc_certificate_names_text(certificate);
        const char *host =
            code == L_X509_V_ERR_EMAIL_MISMATCH ? NULL : link->context->expected_host;
        bool none = names == NULL || names[0] == '\0';
        link->detail =
            ldc_format("%s%s%sThe certificate carries %s.", host == NULL ? "" : "Expected was \"",
                       host == NULL ? "" : host, host == NULL ? "" : "\". ",
                       none ? "no name in its subjectAltName" : names);
        free(names);
        return;
    }
    for (int i = 0; i < sk_X509_num(link->received); i++) {
        extension = ldc_invalid_extension(sk_X509_value(link->received, i), name, sizeof name);
        if (extension != NULL) {
            char *subject = ldc_subject_text(sk_X509_value(link->received, i));
            link->detail =
                ldc_format("The extension %s of the certificate \"%s\" in the chain is invalid.",
                           extension, subject == NULL ? "" : subject);
            free(subject);
            return;
        }
    }
}

/* A signature that does not verify is about the certificate: bad_certificate (RFC 8446 6.2), where
 * OpenSSL would say decrypt_error and leave the peer guessing. */
static void choose_alert(X509_STORE_CTX *store)
{
    switch (X509_STORE_CTX_get_error(store)) {
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        break;
    default:
        break;
    }
}

/* Asks about one certificate; code X509_V_OK: no fault was found. 1 goes on, 0 stops: link->code is
 * the complaint that counts. */
static int ask_owner(ldc_tls_link *link, X509 *certificate, int code, int depth)
{
    /* The text takes longer than the verification: it is made when somebody will read it. */
    int ok = code == X509_V_OK ? 1 : 0;
    bool asks = link->asks(link->owner);
    char *text = certificate == NULL || !asks ? NULL : ldc_certificate_text(certificate);
    int answer = asks && text == NULL
                     ? DICOM_VERIFY_NO_ANSWER
                     : link->verdict(link->owner, ok, text, code, ldc_verify_text(code));
    free(text);
    if (answer == 1) {
        if (ok != 1 && !link->overruled) {
            link->overruled = true;
            remember(link, code, depth, certificate);
        }
        return 1;
    }
    link->stopped = true;
    link->no_answer = answer == DICOM_VERIFY_NO_ANSWER;
    /* Refused although OpenSSL found no fault. */
    remember(link, ok == 1 ? L_X509_V_ERR_CERT_REJECTED : code, depth, certificate);
    return 0;
}

static int ask(int ok, X509_STORE_CTX *store)
{
    ldc_tls_link *link = link_of(store);
    if (link == NULL || link->verdict == NULL || link->asks == NULL) {
        X509_STORE_CTX_set_error(
            store, X509_V_ERR_APPLICATION_VERIFICATION); /* not ours: refuse, never guess */
        return 0;
    }
    if (link->stopped) {
        return 0;
    }
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    if (certificate == NULL) {
        certificate =
            X509_STORE_CTX_get0_cert(store); /* complaints about no certificate in particular */
    }
    /* A complaint without a code would be reported as Success: it is "unspecified". */
    int code = ok == 1 ? X509_V_OK : ldc_tls_code_from_openssl(X509_STORE_CTX_get_error(store));
    if (ok != 1 && code == X509_V_OK) {
        code = L_X509_V_ERR_UNSPECIFIED;
    }
    if (ok != 1 && ldc_tls_revocation_passes(link, code)) {
        return 1;
    }
    if (ask_owner(link, certificate, code, X509_STORE_CTX_get_error_depth(store)) == 1) {
        return 1;
    }
    if (ok == 1) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    }
    return 0;
}

int ldc_tls_complain(X509_STORE_CTX *store, X509 *certificate, int depth, int code,
                     const char *about)
{
    ldc_tls_link *link = link_of(store);
    X509 *current = X509_STORE_CTX_get_current_cert(store);
    int depth_before = X509_STORE_CTX_get_error_depth(store);
    if (link == NULL) {
        return 0;
    }
    X509_STORE_CTX_set_current_cert(store, certificate);
    X509_STORE_CTX_set_error_depth(store, depth);
    X509_STORE_CTX_set_error(store, code);
    link->about = about;
    int answer = ask(0, store);
    link->about = NULL;
    if (answer == 1) {
        X509_STORE_CTX_set_current_cert(store, current);
        X509_STORE_CTX_set_error_depth(store, depth_before);
    }
    return answer;
}

/* Whether a link is made though its verification has failed: a client with None_, if somebody
 * answered. It says that it is not verified. */
static bool takes_anybody(const ldc_tls_link *link)
{
    return !link->no_answer && !link->context->server &&
           (link->context->verify & L_SSL_VERIFY_PEER) == 0;
}

bool ldc_tls_complain_late(ldc_tls_link *link, X509 *certificate, int code, const char *about)
{
    if (link->verdict == NULL || link->asks == NULL || link->stopped) {
        return false;
    }
    (void)ldc_tls_revocation_passes(link, code);
    link->about = about;
    bool goes_on = ask_owner(link, certificate, code, 0) == 1;
    link->about = NULL;
    link->failed = link->failed || !goes_on;
    return goes_on || takes_anybody(link);
}

/* The chain is complete. 1 goes on. */
static int weigh(ldc_tls_link *link, X509_STORE_CTX *store)
{
    link->weighed = true;
    return ldc_tls_demands_judge(link, store) == 1 ? ldc_tls_deltas_judge(link, store) : 0;
}

/* X509_STORE_CTX_verify_cb: 1 goes on, 0 ends the verification. */
static int judge(int ok, X509_STORE_CTX *store)
{
    /* Who signed a revocation list has a chain of its own (RFC 5280, 6.3.3 f). Nobody is asked
     * about it: OpenSSL's answer counts, and a fault there is a complaint about the list. Names are
     * expected of the peer, not of the signer. */
    if (X509_STORE_CTX_get0_parent_ctx(store) != NULL) {
        return ok == 1 || about_names(X509_STORE_CTX_get_error(store)) ? 1 : 0;
    }
    ldc_tls_link *link = link_of(store);
    /* The chain is complete when the first certificate is found good. */
    if (ok == 1 && link != NULL && !link->weighed && weigh(link, store) != 1) {
        return 0;
    }
    int depth = X509_STORE_CTX_get_error_depth(store);
    if (ok != 1 && link != NULL && depth >= 0 && depth < 64 &&
        X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_REVOKED) {
        link->revoked |= (uint64_t)1 << depth;
    }
    return ask(ok, store);
}

/* OpenSSL's verification, and our own demands before and in it. */
static int verify(ldc_tls_link *link, X509_STORE_CTX *store)
{
    STACK_OF(X509) *anchor = NULL;
    int verified = ldc_tls_demands_begin(link, store, &anchor);
    if (verified == 1) {
        verified = X509_verify_cert(store);
    }
    if (verified == 1 && !link->stopped && !link->weighed) { /* no certificate was found good */
        verified = weigh(link, store);
    }
    sk_X509_pop_free(anchor, X509_free);
    return verified;
}

int ldc_tls_verify_chain(X509_STORE_CTX *store, void *unused)
{
    (void)unused;
    ldc_tls_link *link = link_of(store);
    if (link == NULL) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    sk_X509_pop_free(link->received, X509_free);
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);
    link->received = sent == NULL ? NULL : X509_chain_up_ref(sent);
    link->judged = true;
    link->weighed = false;
    link->revoked = 0;
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(store), CERTIFICATE_LEVEL);
    X509_STORE_CTX_set_verify_cb(store, judge);
    if (link->context->crls != NULL) { /* in the store those by another issuer are not found */
        X509_STORE_CTX_set0_crls(store, link->context->crls->lists);
    }

    int verified = verify(link, store);

    if (link->no_answer) {
        link->failed = true;
        X509_STORE_CTX_set_error(
            store, X509_V_ERR_CERT_REJECTED); /* alert bad_certificate: the peer is told */
        return 0;
    }
    if (verified == 1 && !link->stopped) {
        if (!link->overruled) {
            X509_STORE_CTX_set_error(store, X509_V_OK);
            ldc_tls_session_limit(link, store);
        }
        return 1;
    }
    link->failed = true;
    if (!link->stopped) { /* it failed without a question: no memory, or a broken store */
        int code = X509_STORE_CTX_get_error(store);
        remember(link,
                 code == X509_V_OK ? L_X509_V_ERR_UNSPECIFIED : ldc_tls_code_from_openssl(code),
                 X509_STORE_CTX_get_error_depth(store), X509_STORE_CTX_get0_cert(store));
    }
    if (X509_STORE_CTX_get_error(store) == X509_V_OK) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
    }
    if (takes_anybody(link)) {
        ERR_clear_error();
        return 1;
    }
    choose_alert(store);
    return 0;
}
