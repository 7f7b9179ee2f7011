/*
 * ldc_tls_revocation.c - what a link finds out about revocation, and what is said about it; see
 * ldc_tls_revocation.h.
 *
 * Lists are OpenSSL's business, within the verification of the chain; soft fail lets pass that a
 * list is missing or out of date, never that it names the certificate. The staple comes later in
 * the handshake than the chain: what is wrong with it is a complaint about the leaf, asked as all
 * others, after the chain's calls.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_tables.h"
#include "ldc_tls_inner.h"

/* ---- wishes ---- */

bool ldc_tls_revocation_copy(ldc_tls_revocation *copy, const ldc_tls_revocation *revocation)
{
    *copy = *revocation;
    if (copy->crls != NULL) {
        ldc_ref_get(&copy->crls->shared.ref);
    }
    copy->staple_file = ldc_strdup(revocation->staple_file);
    bool done = ldc_tls_paths_copy((const char *const *)revocation->paths, revocation->path_count,
                                   &copy->paths) &&
                (revocation->staple_file == NULL || copy->staple_file != NULL);
    if (!done) {
        ldc_tls_revocation_clear(copy);
    }
    return done;
}

void ldc_tls_revocation_clear(ldc_tls_revocation *revocation)
{
    if (revocation->crls != NULL) {
        ldc_ref_put(&revocation->crls->shared.ref);
    }
    ldc_tls_paths_free(revocation->paths, revocation->path_count);
    free(revocation->staple_file);
    memset(revocation, 0, sizeof *revocation);
}

void ldc_tls_revocation_digest(const ldc_tls_revocation *revocation, ldc_digest *digest)
{
    static const unsigned char nothing[LDC_DIGEST];
    ldc_digest_add(digest, revocation->crls == NULL ? nothing : revocation->crls->shared.key,
                   LDC_DIGEST);
    ldc_digest_add_number(digest, revocation->leaf_only ? 1 : 0);
    ldc_digest_add_number(digest, revocation->soft_fail ? 1 : 0);
    ldc_digest_add_number(digest, (uint64_t)revocation->ocsp);
    ldc_digest_add_text(digest, revocation->staple_file);
}

/* ---- the staple at a client ---- */

static int code_of(ldc_ocsp_finding finding)
{
    switch (finding) {
    case LDC_OCSP_GOOD:
        return X509_V_OK;
    case LDC_OCSP_REVOKED:
        return L_X509_V_ERR_CERT_REVOKED;
    case LDC_OCSP_UNKNOWN:
        return L_X509_V_ERR_OCSP_CERT_UNKNOWN;
    case LDC_OCSP_MISSING:
        return L_X509_V_ERR_OCSP_VERIFY_NEEDED;
    default:
        return L_X509_V_ERR_OCSP_VERIFY_FAILED;
    }
}

/* A sentence for the failure record, from malloc; NULL = the code says it all. */
static char *detail_of(const ldc_ocsp_result *result, bool must)
{
    switch (result->finding) {
    case LDC_OCSP_MISSING:
        return result->detail[0] != '\0'
                   ? ldc_format("The server's OCSP staple says nothing: %s.", result->detail)
                   : ldc_format("The server sent no OCSP staple%s.",
                                must ? ", and its certificate is only good with one" : "");
    case LDC_OCSP_REVOKED:
        return ldc_format("The server's OCSP staple says so: %s.", result->detail);
    case LDC_OCSP_BAD:
        return ldc_format("The server's OCSP staple proves nothing: %s.", result->detail);
    default:
        return NULL;
    }
}

/* SSL_CTX_set_tlsext_status_cb of a client: the server's certificate has been judged, the handshake
 * is not over. 1 goes on, 0 ends it. */
static int check_staple(SSL *ssl, void *unused)
{
    (void)unused;
    ldc_tls_link *link = SSL_get_ex_data(ssl, ldc_tls_link_index());
    const unsigned char *der = NULL;
    ldc_ocsp_result result;
    if (link == NULL) {
        return 0;
    }
    if (SSL_session_reused(ssl) == 1) {
        return 1; /* the verdict of the session holds, or ldc_tls_session_accept ends the link */
    }
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    if (!link->judged || leaf == NULL) {
        return 0;
    }
    if (link->stopped || link->failed) {
        return 1; /* judged already; this client takes anybody */
    }
    long size = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    ldc_ocsp_question question = {.leaf = leaf,
                                  .issuers = {SSL_get0_verified_chain(ssl), link->received},
                                  .crls = link->context->crls};
    ldc_ocsp_judge(der, size > 0 ? (size_t)size : 0, &question, &result);
    link->ocsp = (int)result.finding;
    bool must = ldc_ocsp_must_staple(leaf);
    if (result.finding == LDC_OCSP_MISSING && link->context->ocsp == DICOM_OCSP_CHECK && !must) {
        return 1;
    }
    if (result.finding == LDC_OCSP_GOOD) {
        link->valid_until = result.until < link->valid_until ? result.until : link->valid_until;
        return 1;
    }
    char *detail = detail_of(&result, must);
    int code = code_of(result.finding);
    SSL_set_verify_result(ssl, code); /* no session of it is good */
    bool goes_on = ldc_tls_complain_late(link, leaf, code, detail);
    free(detail);
    return goes_on ? 1 : 0;
}

void ldc_tls_revocation_begin(ldc_tls_link *link)
{
    link->ocsp = LDC_OCSP_NOT_ASKED;
    if (!link->context->server && link->context->ocsp != DICOM_OCSP_OFF) {
        (void)SSL_set_tlsext_status_type(link->ssl, TLSEXT_STATUSTYPE_ocsp);
    }
}

/* ---- a context ---- */

int ldc_tls_revocation_set_up(ldc_tls_context *context, const ldc_tls_revocation *revocation,
                              ldc_tls_anchors *anchors)
{
    SSL_CTX *ctx = context->ctx;
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    context->soft_fail = revocation->soft_fail;
    context->ocsp = context->server ? DICOM_OCSP_OFF : revocation->ocsp;
    context->crls_until = INT64_MAX;
    if (context->server && revocation->ocsp == DICOM_OCSP_REQUIRE) {
        return ldc_error(
            DICOM_ERROR_FEATURE_NOT_SUPPORTED, "%s",
            "a server cannot require OCSP staples: TLS clients send none. Check clients by "
            "revocation lists, and set OCSP to off or check.");
    }
    if (revocation->crls != NULL) {
        context->crls = revocation->crls;
        ldc_ref_get(&context->crls->shared.ref);
        context->crls_until = context->crls->until;
        for (int i = 0; i < sk_X509_CRL_num(context->crls->lists); i++) {
            if (X509_STORE_add_crl(store, sk_X509_CRL_value(context->crls->lists, i)) != 1) {
                return ldc_error(DICOM_ERROR_MEMORY, "%s", "revocation lists");
            }
        }
        /* Fail closed: what is checked needs its list. What RFC 5280 allows in lists counts: delta
         * lists (else what they revoke would go through), indirect ones, keys for lists only. */
        unsigned long flags =
            X509_V_FLAG_CRL_CHECK | X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS;
        flags |= revocation->leaf_only ? 0 : X509_V_FLAG_CRL_CHECK_ALL;
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), flags);
    }
    if (context->ocsp != DICOM_OCSP_OFF) {
        SSL_CTX_set_tlsext_status_cb(ctx, check_staple);
    }
    if (context->server && revocation->staple_file != NULL && context->credentials != NULL) {
        int rc = ldc_tls_staple_new(revocation->staple_file, context->credentials, anchors,
                                    &context->staple);
        if (rc != DICOM_SUCCESS) {
            return rc;
        }
        SSL_CTX_set_tlsext_status_cb(ctx, ldc_tls_staple_serve);
    }
    ERR_clear_error();
    return DICOM_SUCCESS;
}

void ldc_tls_revocation_release(ldc_tls_context *context)
{
    ldc_tls_staple_free(context->staple);
    if (context->crls != NULL) {
        ldc_ref_put(&context->crls->shared.ref);
    }
}

/* ---- what a link finds ---- */

static bool about_revocation(int code)
{
    switch (code) {
    case L_X509_V_ERR_UNABLE_TO_GET_CRL:
    case L_X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case L_X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case L_X509_V_ERR_CRL_NOT_YET_VALID:
    case L_X509_V_ERR_CRL_HAS_EXPIRED:
    case L_X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case L_X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case L_X509_V_ERR_CERT_REVOKED:
    case L_X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case L_X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case L_X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case L_X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case L_X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case L_X509_V_ERR_OCSP_VERIFY_NEEDED:
    case L_X509_V_ERR_OCSP_VERIFY_FAILED:
    case L_X509_V_ERR_OCSP_CERT_UNKNOWN:
        return true;
    default:
        return false;
    }
}

bool ldc_tls_revocation_passes(ldc_tls_link *link, int code)
{
    bool soft = link->context->soft_fail &&
                (code == L_X509_V_ERR_UNABLE_TO_GET_CRL || code == L_X509_V_ERR_CRL_HAS_EXPIRED ||
                 code == L_X509_V_ERR_CRL_NOT_YET_VALID);
    if (soft && link->soft_code == X509_V_OK) {
        link->soft_code = code;
    }
    link->revocation_fault = link->revocation_fault || (!soft && about_revocation(code));
    return soft;
}

const char *ldc_tls_revocation_text(const ldc_tls_link *link)
{
    const ldc_tls_context *context = link->context;
    if (!link->judged || (context->crls == NULL && context->ocsp == DICOM_OCSP_OFF)) {
        return "off";
    }
    if (link->revocation_fault) {
        return "failed";
    }
    bool known = context->crls != NULL || link->ocsp == LDC_OCSP_GOOD || link->resumed;
    return known && link->soft_code == X509_V_OK && !link->failed ? "good" : "unknown";
}

const char *ldc_tls_ocsp_text(const ldc_tls_link *link)
{
    switch (link->ocsp) {
    case LDC_OCSP_MISSING:
        return "missing";
    case LDC_OCSP_GOOD:
        return "good";
    case LDC_OCSP_REVOKED:
        return "revoked";
    case LDC_OCSP_UNKNOWN:
        return "unknown";
    case LDC_OCSP_BAD:
        return "bad";
    default:
        return "";
    }
}

void ldc_tls_revocation_tell(const ldc_tls_link *link, uint64_t handle)
{
    bool bare = link->ocsp == LDC_OCSP_MISSING && !link->revocation_fault;
    if (link->soft_code == X509_V_OK && !bare) {
        return;
    }
    char *subject =
        sk_X509_num(link->received) > 0 ? ldc_subject_text(sk_X509_value(link->received, 0)) : NULL;
    if (link->soft_code != X509_V_OK) {
        ldc_log(DICOM_LOG_WARNING, handle,
                "TLS link with a peer that may have been revoked: %s, code %d (%s); soft fail lets "
                "it pass",
                subject == NULL ? "" : subject, link->soft_code, ldc_verify_text(link->soft_code));
    }
    if (bare) {
        ldc_log(DICOM_LOG_INFO, handle, "TLS link with a server that sent no OCSP staple: %s",
                subject == NULL ? "" : subject);
    }
    free(subject);
}
