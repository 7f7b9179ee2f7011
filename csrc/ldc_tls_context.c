/*
 * ldc_tls_context.c - an SSL_CTX made of settings, credentials and a net's choice; nets that want
 * the same share it.
 *
 * Everything that decides about security is set here, nothing is left to the host's configuration:
 * versions, suites, groups, signature algorithms, security level, options, store, depth,
 * verification.
 */
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_engine.h"
#include "ldc_error.h"
#include "ldc_tables.h"
#include "ldc_tls_inner.h"
#include "ldc_tls_keylog.h"
#include "ldc_tls_rules.h"

enum {
    MAX_CHAIN_BYTES = 100 * 1024
};

/* ---- choice ---- */

void ldc_tls_choice_init(ldc_tls_choice *choice)
{
    memset(choice, 0, sizeof *choice);
    for (size_t i = 0; i < ldc_suite_count; i++) {
        int rank = ldc_suites[i].default_rank;
        if (rank >= 0 && rank < LDC_CIPHER_SLOTS) {
            choice->ciphers[rank] = ldc_suites[i].id;
        }
    }
    choice->send_ca_names = true;
}

/* Whoever adds a member says here what a copy of it is; then the number is changed. */
_Static_assert(sizeof(ldc_tls_choice) == sizeof(uint32_t[LDC_CIPHER_SLOTS]) +
                                             sizeof(ldc_tls_revocation) + 4 * sizeof(void *) +
                                             sizeof(void *),
               "ldc_tls_choice has changed: look at ldc_tls_choice_copy and _clear");

bool ldc_tls_choice_copy(ldc_tls_choice *copy, const ldc_tls_choice *choice)
{
    *copy = *choice;
    copy->expected_host = ldc_strdup(choice->expected_host);
    if ((choice->expected_host != NULL && copy->expected_host == NULL) ||
        !ldc_tls_revocation_copy(&copy->revocation, &choice->revocation)) {
        free(copy->expected_host);
        memset(copy, 0, sizeof *copy);
        return false;
    }
    if (copy->keylog != NULL) {
        ldc_ref_get(&copy->keylog->ref);
    }
    if (copy->rules != NULL) {
        ldc_ref_get(&copy->rules->ref);
    }
    return true;
}

void ldc_tls_choice_clear(ldc_tls_choice *choice)
{
    ldc_tls_revocation_clear(&choice->revocation);
    free(choice->expected_host);
    if (choice->keylog != NULL) {
        ldc_ref_put(&choice->keylog->ref);
    }
    if (choice->rules != NULL) {
        ldc_ref_put(&choice->rules->ref);
    }
    memset(choice, 0, sizeof *choice);
}

/* ---- keys, groups ---- */

/* DHE of a server: a built-in group of RFC 7919, never parameters from a file. */
static bool apply_ffdhe(SSL_CTX *ctx)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("group", (char *)(uintptr_t) "ffdhe2048", 0),
        OSSL_PARAM_END};
    EVP_PKEY_CTX *generator = EVP_PKEY_CTX_new_from_name(ldc_tls_library(), "DH", NULL);
    EVP_PKEY *parameters = NULL;
    bool done = generator != NULL && EVP_PKEY_paramgen_init(generator) > 0 &&
                EVP_PKEY_CTX_set_params(generator, params) > 0 &&
                EVP_PKEY_paramgen(generator, &parameters) > 0 &&
                SSL_CTX_set0_tmp_dh_pkey(ctx, parameters) == 1;
    if (!done) {
        EVP_PKEY_free(parameters);
    }
    EVP_PKEY_CTX_free(generator);
    return done;
}

static bool apply_groups(SSL_CTX *ctx, const ldc_tls_profile *profile, bool legacy)
{
    const char *groups = profile == NULL ? LDC_TLS_GROUPS : profile->groups;
    const char *signatures = profile != NULL ? profile->signatures
                             : legacy        ? LDC_TLS_LEGACY_SIGNATURES
                                             : LDC_TLS_SIGNATURES;
    char with_hybrid[256];
    bool hybrid = false;
    if (profile == NULL || profile->hybrid) {
        /* A key share for the first classical group, too: a peer that does not know the hybrid one
         * would have to ask for it (HelloRetryRequest). */
        snprintf(with_hybrid, sizeof with_hybrid, "*%s:*%s", LDC_TLS_HYBRID_GROUP, groups);
        hybrid = SSL_CTX_set1_groups_list(ctx, with_hybrid) == 1;
    }
    if (!hybrid && SSL_CTX_set1_groups_list(ctx, groups) != 1) {
        return false;
    }
    ERR_clear_error();
    return SSL_CTX_set1_sigalgs_list(ctx, signatures) == 1 &&
           SSL_CTX_set1_client_sigalgs_list(ctx, signatures) == 1;
}

/* At level 0, where the profile's minimum of DHE still counts: 112 bits of security are 2048. */
static int guard_dhe(const SSL *ssl, const SSL_CTX *ctx, int operation, int bits, int nid,
                     void *other, void *unused)
{
    (void)ssl, (void)ctx, (void)nid, (void)other, (void)unused;
    return operation == SSL_SECOP_TMP_DH && bits < 112 ? 0 : 1;
}

/* An own certificate that is too weak for the rules or the profile. 0 or code. */
static int apply_minima(const ldc_tls_choice *choice, const ldc_tls_credentials *credentials)
{
    ldc_tls_minima least = ldc_tls_minima_of(choice->profile, choice->rules);
    char text[128];
    if (credentials == NULL ||
        ldc_tls_weigh(&least, credentials->leaf, true, X509_self_signed(credentials->leaf, 0) != 1,
                      text, sizeof text) == X509_V_OK) {
        return DICOM_SUCCESS;
    }
    return ldc_error(
        DICOM_ERROR_TLS_WEAK_KEY,
        "own certificate: it %s by %s%s. Have a certificate issued with a stronger key, RSA 2048 "
        "bits or more, or EC P-256, signed with SHA-256 or better.",
        text, choice->profile == NULL ? "the minimum set" : "profile ",
        choice->profile == NULL ? "" : choice->profile->name);
}

/* What a profile forbids, however the net was set up. 0 or code. */
static int apply_profile(SSL_CTX *ctx, const ldc_tls_choice *choice,
                         const ldc_tls_credentials *credentials, bool server)
{
    const ldc_tls_profile *profile = choice->profile;
    int rc = apply_minima(choice, credentials);
    if (profile == NULL || rc != DICOM_SUCCESS) {
        return rc;
    }
    for (size_t i = 0; i < LDC_CIPHER_SLOTS; i++) {
        uint32_t id = choice->ciphers[i];
        if (id != DICOM_TLS_NONE && !ldc_tls_profile_has_suite(profile, id)) {
            const ldc_suite *suite = ldc_suite_find(id);
            return ldc_error(DICOM_ERROR_TLS_PROFILE,
                             "cipher suite %s (0x%04X) is in the list, but not in profile %s. Take "
                             "it out, or apply no profile.",
                             suite == NULL ? "unknown" : suite->iana, id, profile->name);
        }
    }
    if (SSL_CTX_get_security_level(ctx) == 0 && profile->dh_bits > 0 && !server) {
        SSL_CTX_set_security_callback(ctx, guard_dhe);
    }
    return DICOM_SUCCESS;
}

/* Level 2 asks for 112 bits. OpenSSL itself looks at it when a certificate is loaded (3.0), or not
 * before the peer does (3.5). */
static bool hash_is_weak(X509 *certificate)
{
    int bits = 0;
    return (X509_get_extension_flags(certificate) & EXFLAG_SS) == 0 &&
           (X509_get_signature_info(certificate, NULL, NULL, &bits, NULL) != 1 || bits < 112);
}

static bool well_signed(const ldc_tls_credentials *credentials)
{
    bool weak = hash_is_weak(credentials->leaf);
    for (int i = 0; !weak && i < sk_X509_num(credentials->chain); i++) {
        weak = hash_is_weak(sk_X509_value(credentials->chain, i));
    }
    return !weak;
}

static int apply_credentials(SSL_CTX *ctx, const ldc_tls_credentials *credentials)
{
    if (credentials == NULL) {
        return DICOM_SUCCESS;
    }
    char text[256] = "";
    bool weak = false;
    if (SSL_CTX_use_cert_and_key(ctx, credentials->leaf, credentials->key, credentials->chain, 1) ==
        1) {
        if (SSL_CTX_get_security_level(ctx) < LDC_SECURITY_LEVEL || well_signed(credentials)) {
            return DICOM_SUCCESS;
        }
        weak = true;
        snprintf(text, sizeof text, "%s", "it, or its chain, is signed with a weak hash");
    } else {
        int reason = ERR_GET_REASON(ERR_peek_last_error());
        weak = reason == SSL_R_EE_KEY_TOO_SMALL || reason == SSL_R_CA_KEY_TOO_SMALL ||
               reason == SSL_R_CA_MD_TOO_WEAK;
        (void)ldc_tls_take_error(text, sizeof text);
    }
    return ldc_error(
        weak ? DICOM_ERROR_TLS_WEAK_KEY : DICOM_ERROR_TLS_CERTIFICATE_FILE,
        weak
            ? "own certificate: %s. Have a certificate issued with RSA 2048 bits or more, or EC P-256, "
              "signed with SHA-256 or better."
            : "own certificate: %s",
        text);
}

/* ---- trust ---- */

static bool apply_anchors(SSL_CTX *ctx, const ldc_tls_settings *settings,
                          const ldc_tls_choice *choice, bool server)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL) {
        return false;
    }
    SSL_CTX_set_cert_store(ctx, store); /* owns it now */
    STACK_OF(X509_NAME) *names = server && choice->send_ca_names ? sk_X509_NAME_new_null() : NULL;
    bool done = true;
    STACK_OF(X509) *anchors = settings->anchors == NULL ? NULL : settings->anchors->certificates;
    for (int i = 0; done && i < sk_X509_num(anchors); i++) {
        X509 *anchor = sk_X509_value(anchors, i);
        done = X509_STORE_add_cert(store, anchor) == 1;
        X509_NAME *name =
            done && names != NULL ? X509_NAME_dup(X509_get_subject_name(anchor)) : NULL;
        if (name != NULL && sk_X509_NAME_push(names, name) <= 0) {
            X509_NAME_free(name);
            done = false;
        }
    }
    SSL_CTX_set0_CA_list(ctx, names);
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_clear_flags(param, X509_VERIFY_PARAM_get_flags(param));
    unsigned long flags = X509_V_FLAG_TRUSTED_FIRST;
    if (choice->rules == NULL || !choice->rules->whole_chain) {
        flags |= X509_V_FLAG_PARTIAL_CHAIN;
    }
    X509_VERIFY_PARAM_set_flags(param, flags);
    done = done && ldc_tls_policies_apply(choice->rules, param);
    SSL_CTX_set_verify_depth(ctx, settings->depth);
    ERR_clear_error();
    return done;
}

static void apply_verification(ldc_tls_context *context, const ldc_tls_settings *settings)
{
    int mode = SSL_VERIFY_PEER;
    context->verify = settings->verify;
    context->has_anchors = settings->anchors != NULL;
    if (context->server) {
        mode = (settings->verify & L_SSL_VERIFY_PEER) == 0 ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
        if ((settings->verify & L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0 ||
            context->expected_host != NULL || ldc_tls_rules_demand(context->rules)) {
            mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        }
    }
    /* A client always verifies; what None_ lets pass is decided in ldc_tls_verify_chain. */
    SSL_CTX_set_verify(context->ctx, mode, NULL);
    SSL_CTX_set_cert_verify_callback(context->ctx, ldc_tls_verify_chain, NULL);
    if (settings->verify == L_SSL_VERIFY_NONE) {
        ldc_tls_note(
            &context->notes, "%s",
            context->server
                ? "this TLS server asks for no client certificate: anybody can connect"
                : "this TLS client accepts any server certificate: verification flags are None");
    }
}

/* ---- warnings ---- */

void ldc_tls_note(ldc_tls_notes *notes, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (notes->count < LDC_NOTES) {
        notes->texts[notes->count] = ldc_strdup(text);
        notes->count += notes->texts[notes->count] != NULL ? 1u : 0u;
    }
}

static void say(const ldc_tls_notes *notes, uint64_t handle)
{
    for (size_t i = 0; i < notes->count; i++) {
        ldc_log(DICOM_LOG_WARNING, handle, "%s", notes->texts[i]);
    }
}

/* ---- making ---- */

static void context_free(ldc_ref *ref)
{
    ldc_tls_context *context = (ldc_tls_context *)(void *)ref;
    ldc_cache_remove(&context->shared);
    SSL_CTX_free(context->ctx);
    ldc_tls_revocation_release(context);
    if (context->credentials != NULL) {
        ldc_ref_put(&context->credentials->shared.ref);
    }
    for (size_t i = 0; i < context->notes.count; i++) {
        free(context->notes.texts[i]);
    }
    if (context->keylog != NULL) {
        ldc_ref_put(&context->keylog->ref);
    }
    ldc_tls_sni_clear(context);
    if (context->rules != NULL) {
        ldc_ref_put(&context->rules->ref);
    }
    free(context->expected_host);
    free(context);
}

/* All that decides about the SSL_CTX and about who may resume whose sessions. */
static bool digest_of(bool server, const ldc_tls_settings *settings,
                      const ldc_tls_credentials *credentials, const ldc_tls_choice *choice,
                      unsigned char result[LDC_DIGEST])
{
    static const unsigned char nothing[LDC_DIGEST];
    ldc_digest digest;
    ldc_digest_begin(&digest, server ? "server" : "client");
    ldc_digest_add_number(&digest, (uint64_t)settings->method);
    ldc_digest_add_number(&digest, settings->verify);
    ldc_digest_add_number(&digest, (uint64_t)settings->depth);
    ldc_digest_add_number(&digest, (uint64_t)settings->options);
    ldc_digest_add(&digest, settings->anchors == NULL ? nothing : settings->anchors->shared.key,
                   LDC_DIGEST);
    ldc_tls_revocation_digest(&choice->revocation, &digest);
    ldc_digest_add(&digest, credentials == NULL ? nothing : credentials->shared.key, LDC_DIGEST);
    for (size_t i = 0; i < LDC_CIPHER_SLOTS; i++) {
        ldc_digest_add_number(&digest, choice->ciphers[i]);
    }
    ldc_digest_add_text(&digest, choice->expected_host);
    ldc_digest_add_number(&digest, choice->send_ca_names ? 1 : 0);
    ldc_digest_add_number(&digest, choice->resumption ? 1 : 0);
    ldc_digest_add_text(&digest, choice->profile == NULL ? NULL : choice->profile->name);
    ldc_tls_keylog_digest(&digest, choice->keylog);
    ldc_tls_rules_digest(choice->rules, server, &digest);
    return ldc_digest_end(&digest, result);
}

static int fill(ldc_tls_context *context, const ldc_tls_settings *settings,
                const ldc_tls_credentials *credentials, const ldc_tls_choice *choice,
                uint64_t handle)
{
    ldc_tls_versions range;
    ERR_clear_error();
    context->ctx = SSL_CTX_new_ex(ldc_tls_library(), NULL,
                                  context->server ? TLS_server_method() : TLS_client_method());
    context->expected_host = ldc_strdup(choice->expected_host);
    int rc = ldc_tls_rules_check(choice->rules, choice->expected_host, settings);
    if (context->ctx == NULL || (choice->expected_host != NULL && context->expected_host == NULL)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS context");
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_tls_apply_versions(context->ctx, settings, choice->profile, &range,
                                    &context->notes);
    }
    if (rc == DICOM_SUCCESS && (!apply_groups(context->ctx, choice->profile, range.legacy) ||
                                (context->server && !apply_ffdhe(context->ctx)) ||
                                !apply_anchors(context->ctx, settings, choice, context->server))) {
        char text[256];
        (void)ldc_tls_take_error(text, sizeof text);
        rc = ldc_error(DICOM_ERROR_TLS_FAILURE, "TLS context: %s", text);
    }
    if (rc == DICOM_SUCCESS) {
        rc = apply_profile(context->ctx, choice, credentials, context->server);
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_tls_apply_suites(context->ctx, choice, &range, &context->notes);
    }
    if (rc == DICOM_SUCCESS) {
        rc = apply_credentials(context->ctx, credentials);
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_tls_revocation_set_up(context, &choice->revocation, settings->anchors);
    }
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    apply_verification(context, settings);
    ldc_tls_keylog_apply(context->ctx, choice->keylog);
    if (!ldc_tls_session_set_up(context) || !ldc_tls_alpn_set_up(context)) {
        return ldc_error(DICOM_ERROR_TLS_FAILURE, "%s", "TLS context: sessions, ALPN");
    }
    SSL_CTX_set_max_cert_list(context->ctx, MAX_CHAIN_BYTES);
    SSL_CTX_set_mode(context->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    return ldc_tls_sni_set_up(context, settings, choice, handle);
}

int ldc_tls_context_get(bool server, const ldc_tls_settings *settings,
                        ldc_tls_credentials *credentials, const ldc_tls_choice *choice,
                        uint64_t handle, ldc_tls_context **result)
{
    unsigned char digest[LDC_DIGEST];
    if (server && credentials == NULL) {
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_MISSING, "%s",
                         "Load certificate and key with SetTlsClientCertificate before accepting.");
    }
    if (!digest_of(server, settings, credentials, choice, digest)) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS context");
    }
    *result = ldc_cache_find(LDC_CACHE_CONTEXTS, digest);
    if (*result != NULL) {
        return DICOM_SUCCESS;
    }
    ldc_tls_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS context");
    }
    ldc_ref_init(&context->shared.ref, context_free);
    memcpy(context->shared.key, digest, LDC_DIGEST);
    context->shared.secret = credentials != NULL;
    context->server = server;
    context->profile = choice->profile;
    context->resumption =
        choice->resumption && (choice->profile == NULL || choice->profile->resumption);
    if (choice->resumption && !context->resumption) {
        ldc_tls_note(
            &context->notes,
            "session resumption stays off: profile %s has none, for want of forward secrecy",
            choice->profile->name);
    }
    context->rules = choice->rules;
    if (context->rules != NULL) {
        ldc_ref_get(&context->rules->ref);
        context->shared.secret = context->shared.secret || context->rules->named_count > 0;
    }
    if (choice->keylog != NULL) {
        ldc_ref_get(&choice->keylog->ref);
        context->keylog = choice->keylog;
    }
    if (credentials != NULL) {
        ldc_ref_get(&credentials->shared.ref);
        context->credentials = credentials;
    }
    bool computed = ldc_compute(true);
    int rc = fill(context, settings, credentials, choice, handle);
    (void)ldc_compute(computed);
    if (rc != DICOM_SUCCESS) {
        say(&context->notes, handle);
        ldc_ref_put(&context->shared.ref);
        return rc;
    }
    *result = ldc_cache_add(LDC_CACHE_CONTEXTS, &context->shared);
    return DICOM_SUCCESS;
}

/* ---- users ---- */

void ldc_tls_context_hold(ldc_tls_context *context, uint64_t handle)
{
    ldc_ref_get(&context->shared.ref);
    if (context->credentials != NULL) {
        ldc_tls_credentials_hold(context->credentials);
        if (context->rules == NULL || context->rules->named_count == 0) { /* no other keys */
            ldc_tls_credentials_keep(context->credentials, &context->shared);
        }
    }
    if (atomic_fetch_add(&context->users, 1u) == 0) {
        say(&context->notes, handle);
    }
}

void ldc_tls_context_release(ldc_tls_context *context)
{
    atomic_fetch_sub(&context->users, 1u);
    if (context->credentials != NULL) {
        ldc_tls_credentials_release(context->credentials);
    }
    ldc_ref_put(&context->shared.ref);
}
