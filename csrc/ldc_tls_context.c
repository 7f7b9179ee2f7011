/*
 * ldc_tls_context.c - an SSL_CTX made of settings, credentials and a net's choice.
 *
 * Everything that decides about security is set here, nothing is left to the host's configuration
 * (errata 7): versions, suites, groups, signature algorithms, security level, options, store,
 * depth, verification.
 */
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tables.h"
#include "ldc_tls.h"

enum {
    SECURITY_LEVEL = 2,
    LIST_SIZE = 4096,
    MAX_CHAIN_BYTES = 100 * 1024
};

#define GROUPS        "X25519:P-256:P-384:P-521:ffdhe2048:ffdhe3072"
#define HYBRID_GROUPS "X25519MLKEM768:" GROUPS
#define SIGNATURES                                                                                                      \
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:" \
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"
#define LEGACY_SIGNATURES SIGNATURES ":RSA+SHA1:ECDSA+SHA1"

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

void ldc_tls_choice_clear(ldc_tls_choice *choice)
{
    sk_X509_CRL_pop_free(choice->crls, X509_CRL_free);
    free(choice->expected_host);
    memset(choice, 0, sizeof *choice);
}

/* ---- versions ---- */

typedef struct version_range {
    int lowest, highest;
    uint64_t switched_off; /* SSL_OP_NO_TLS... */
    bool legacy;           /* TLS 1.0 or 1.1 may be used: security level 0 for the protocol */
} version_range;

static version_range versions_of(const ldc_tls_settings *settings)
{
    version_range range = {.lowest = TLS1_2_VERSION, .highest = TLS1_3_VERSION};
    switch (settings->method) {
    case TYPE_TLSV1_METHOD:
        range.lowest = TLS1_VERSION;
        break;
    case TYPE_TLSV1_2_METHOD:
        range.highest = TLS1_2_VERSION;
        break;
    case TYPE_TLSV1_3_METHOD:
        range.lowest = TLS1_3_VERSION;
        break;
    default: /* SslV23, and SslV2 and SslV3, whose protocols are gone */
        break;
    }
    if ((settings->options & DICOM_SSL_OP_ALLOW_TLS_V1_1) != 0 && range.lowest > TLS1_1_VERSION) {
        range.lowest = TLS1_1_VERSION;
    }
    /* With 1.0 comes 1.1: OpenSSL's clients know no gaps. A version that is switched off brings
     * none. */
    if ((settings->options & DICOM_SSL_OP_ALLOW_TLS_V1) != 0 &&
        (settings->options & DICOM_SSL_OP_NO_TLS_V1) == 0) {
        range.lowest = TLS1_VERSION;
    }
    const struct {
        int option;
        uint64_t flag;
    } offs[] = {{DICOM_SSL_OP_NO_TLS_V1, SSL_OP_NO_TLSv1},
                {DICOM_SSL_OP_NO_TLS_V1_1, SSL_OP_NO_TLSv1_1},
                {DICOM_SSL_OP_NO_TLS_V1_2, SSL_OP_NO_TLSv1_2},
                {DICOM_SSL_OP_NO_TLS_V1_3, SSL_OP_NO_TLSv1_3}};
    for (size_t i = 0; i < sizeof offs / sizeof offs[0]; i++) {
        if ((settings->options & offs[i].option) != 0) {
            range.switched_off |= offs[i].flag;
        }
    }
    range.legacy =
        (range.lowest <= TLS1_VERSION && (range.switched_off & SSL_OP_NO_TLSv1) == 0) ||
        (range.lowest <= TLS1_1_VERSION && (range.switched_off & SSL_OP_NO_TLSv1_1) == 0);
    return range;
}

static bool version_possible(const version_range *range, int version, uint64_t off)
{
    return range->lowest <= version && version <= range->highest &&
           (range->switched_off & off) == 0;
}

static int apply_versions(SSL_CTX *ctx, const ldc_tls_settings *settings, version_range *range,
                          uint64_t handle)
{
    *range = versions_of(settings);
    if (!version_possible(range, TLS1_VERSION, SSL_OP_NO_TLSv1) &&
        !version_possible(range, TLS1_1_VERSION, SSL_OP_NO_TLSv1_1) &&
        !version_possible(range, TLS1_2_VERSION, SSL_OP_NO_TLSv1_2) &&
        !version_possible(range, TLS1_3_VERSION, SSL_OP_NO_TLSv1_3)) {
        return ldc_error(
            DICOM_ERROR_TLS_NO_SHARED_VERSION, "%s",
            "method and options together switch every TLS version off. Leave one of NoTlsV1_2, NoTlsV1_3 away.");
    }
    if (settings->method == TYPE_SSLV2_METHOD || settings->method == TYPE_SSLV3_METHOD) {
        ldc_log(DICOM_LOG_WARNING, handle,
                "the method asks for SSL %d, which no longer exists: TLS 1.2 and 1.3 are used",
                settings->method == TYPE_SSLV2_METHOD ? 2 : 3);
    }
    if (range->legacy) {
        ldc_log(
            DICOM_LOG_WARNING, handle, "%s",
            "TLS 1.0 or 1.1 is allowed: OpenSSL's security level is 0 for the protocol (certificates are still judged "
            "at level 2)");
    }
    SSL_CTX_set_security_level(ctx, range->legacy ? 0 : SECURITY_LEVEL);
    /* What the host's configuration may have set before we came. */
    SSL_CTX_clear_options(ctx, SSL_CTX_get_options(ctx));
    (void)SSL_CTX_clear_cert_flags(ctx, SSL_CERT_FLAG_TLS_STRICT | SSL_CERT_FLAG_SUITEB_128_LOS |
                                            SSL_CERT_FLAG_BROKEN_PROTOCOL);
    /* Without CIPHER_SERVER_PREFERENCE: the client's order counts (api 2.5). */
    uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                       SSL_OP_ENABLE_MIDDLEBOX_COMPAT | range->switched_off;
    if ((settings->options & DICOM_SSL_OP_ALL_BUG_WORKAROUNDS) != 0) {
        options |= SSL_OP_ALL & ~(uint64_t)SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS;
    }
    SSL_CTX_set_options(ctx, options);
    return DICOM_SUCCESS;
}

/* ---- suites ---- */

typedef struct suite_lists {
    char tls13[LIST_SIZE], tls12[LIST_SIZE];
    bool any13, any12; /* a member of the list, usable or not */
} suite_lists;

static void append(char *list, const char *name)
{
    size_t used = strlen(list);
    if (used + strlen(name) + 2 < LIST_SIZE) {
        snprintf(list + used, LIST_SIZE - used, "%s%s", used > 0 ? ":" : "", name);
    }
}

static void split_list(const ldc_tls_choice *choice, uint64_t handle, suite_lists *lists)
{
    memset(lists, 0, sizeof *lists);
    for (size_t i = 0; i < LDC_CIPHER_SLOTS; i++) {
        uint32_t id = choice->ciphers[i];
        bool repeated = false;
        for (size_t j = 0; j < i; j++) {
            repeated = repeated || choice->ciphers[j] == id;
        }
        if (id == DICOM_TLS_NONE || repeated) {
            continue;
        }
        const ldc_suite *suite = ldc_suite_find(id);
        if (suite == NULL) {
            ldc_log(DICOM_LOG_WARNING, handle, "cipher suite 0x%04X is unknown and skipped", id);
            continue;
        }
        lists->any13 = lists->any13 || suite->tls13;
        lists->any12 = lists->any12 || !suite->tls13;
        if (!ldc_tls_suite_available(id)) {
            ldc_log(DICOM_LOG_WARNING, handle,
                    "cipher suite %s is not in this OpenSSL (%s) and skipped", suite->iana,
                    OpenSSL_version(OPENSSL_VERSION));
            continue;
        }
        append(suite->tls13 ? lists->tls13 : lists->tls12, suite->openssl);
    }
}

/* Whether something is left that a handshake can use; warns of what the security level takes away.
 */
static bool usable(SSL_CTX *ctx, const ldc_tls_choice *choice, const version_range *range,
                   int lowest, int highest, uint64_t handle)
{
    bool has13 = highest >= TLS1_3_VERSION && (range->switched_off & SSL_OP_NO_TLSv1_3) == 0;
    bool has12 = lowest <= TLS1_2_VERSION &&
                 !(lowest == TLS1_2_VERSION && (range->switched_off & SSL_OP_NO_TLSv1_2) != 0);
    SSL *ssl = SSL_new(ctx);
    STACK_OF(SSL_CIPHER) *supported = ssl == NULL ? NULL : SSL_get1_supported_ciphers(ssl);
    bool any = sk_SSL_CIPHER_num(supported) > 0;
    for (size_t i = 0; any && i < LDC_CIPHER_SLOTS; i++) {
        const ldc_suite *suite = ldc_suite_find(choice->ciphers[i]);
        /* Suites of versions that are off are no surprise. */
        bool found =
            suite == NULL || !ldc_tls_suite_available(suite->id) || !(suite->tls13 ? has13 : has12);
        for (int j = 0; !found && j < sk_SSL_CIPHER_num(supported); j++) {
            found = SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(supported, j)) == suite->id;
        }
        if (!found) {
            ldc_log(DICOM_LOG_WARNING, handle,
                    "cipher suite %s is too weak for OpenSSL's security level %d and is skipped",
                    suite->iana, SSL_CTX_get_security_level(ctx));
        }
    }
    sk_SSL_CIPHER_free(supported);
    SSL_free(ssl);
    return any;
}

static int apply_suites(SSL_CTX *ctx, const ldc_tls_choice *choice, const version_range *range,
                        uint64_t handle)
{
    suite_lists *lists = malloc(sizeof *lists);
    int rc = DICOM_SUCCESS;
    if (lists == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "cipher list");
    }
    split_list(choice, handle, lists);
    int lowest = range->lowest;
    int highest = range->highest;
    if (!lists->any13 && highest > TLS1_2_VERSION) {
        highest = TLS1_2_VERSION;
    }
    if (!lists->any12 && lowest < TLS1_3_VERSION) {
        lowest = TLS1_3_VERSION;
    }
    /* An empty list is refused by OpenSSL below 1.3; when 1.3 alone is left the old list does not
     * matter. */
    bool set12 = lists->tls12[0] != '\0' && SSL_CTX_set_cipher_list(ctx, lists->tls12) == 1;
    bool set13 = SSL_CTX_set_ciphersuites(ctx, lists->tls13) == 1 && lists->tls13[0] != '\0';
    if (!set12 && lowest < TLS1_3_VERSION) {
        lowest = TLS1_3_VERSION;
    }
    if (!set13 && highest > TLS1_2_VERSION) {
        highest = TLS1_2_VERSION;
    }
    if (lowest > highest || (!set12 && !set13) || SSL_CTX_set_min_proto_version(ctx, lowest) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, highest) != 1 ||
        !usable(ctx, choice, range, lowest, highest, handle)) {
        rc = ldc_error(
            DICOM_ERROR_TLS_NO_CIPHER_SUITE,
            "no entry of the list works with %s and the TLS versions allowed. Add for example "
            "EcdheRsaWithAes256GcmSha384 (TLS 1.2) or Aes256GcmSha384 (TLS 1.3) with SetTlsCipherSuiteByIndex.",
            OpenSSL_version(OPENSSL_VERSION));
    }
    ERR_clear_error();
    free(lists);
    return rc;
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

static bool apply_groups(SSL_CTX *ctx, bool legacy)
{
    if (SSL_CTX_set1_groups_list(ctx, HYBRID_GROUPS) != 1 &&
        SSL_CTX_set1_groups_list(ctx, GROUPS) != 1) {
        return false;
    }
    ERR_clear_error();
    const char *signatures = legacy ? LEGACY_SIGNATURES : SIGNATURES;
    return SSL_CTX_set1_sigalgs_list(ctx, signatures) == 1 &&
           SSL_CTX_set1_client_sigalgs_list(ctx, signatures) == 1;
}

static int apply_credentials(SSL_CTX *ctx, const ldc_tls_credentials *credentials)
{
    if (credentials == NULL) {
        return DICOM_SUCCESS;
    }
    if (SSL_CTX_use_cert_and_key(ctx, credentials->leaf, credentials->key, credentials->chain, 1) ==
        1) {
        return DICOM_SUCCESS;
    }
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    char text[256];
    (void)ldc_tls_take_error(text, sizeof text);
    bool weak = reason == SSL_R_EE_KEY_TOO_SMALL || reason == SSL_R_CA_KEY_TOO_SMALL ||
                reason == SSL_R_CA_MD_TOO_WEAK;
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
    for (int i = 0; done && i < sk_X509_num(settings->anchors); i++) {
        X509 *anchor = sk_X509_value(settings->anchors, i);
        done = X509_STORE_add_cert(store, anchor) == 1;
        X509_NAME *name =
            done && names != NULL ? X509_NAME_dup(X509_get_subject_name(anchor)) : NULL;
        if (name != NULL && sk_X509_NAME_push(names, name) <= 0) {
            X509_NAME_free(name);
            done = false;
        }
    }
    for (int i = 0; done && i < sk_X509_CRL_num(choice->crls); i++) {
        done = X509_STORE_add_crl(store, sk_X509_CRL_value(choice->crls, i)) == 1;
    }
    SSL_CTX_set0_CA_list(ctx, names);
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_clear_flags(param, X509_VERIFY_PARAM_get_flags(param));
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST;
    if (choice->crls != NULL) {
        flags |= X509_V_FLAG_CRL_CHECK |
                 X509_V_FLAG_CRL_CHECK_ALL; /* fail closed: every certificate needs its list */
    }
    X509_VERIFY_PARAM_set_flags(param, flags);
    SSL_CTX_set_verify_depth(ctx, settings->depth);
    ERR_clear_error();
    return done;
}

static void apply_verification(ldc_tls_context *context, const ldc_tls_settings *settings,
                               uint64_t handle)
{
    int mode = SSL_VERIFY_PEER;
    context->verify = settings->verify;
    context->has_anchors = sk_X509_num(settings->anchors) > 0;
    if (context->server) {
        mode = (settings->verify & L_SSL_VERIFY_PEER) == 0 ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
        if ((settings->verify & L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0) {
            mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        }
    }
    /* A client always verifies; what None_ lets pass is decided in ldc_tls_verify_chain. */
    SSL_CTX_set_verify(context->ctx, mode, NULL);
    SSL_CTX_set_cert_verify_callback(context->ctx, ldc_tls_verify_chain, NULL);
    if (settings->verify == L_SSL_VERIFY_NONE) {
        ldc_log(
            DICOM_LOG_WARNING, handle, "%s",
            context->server
                ? "this TLS server asks for no client certificate: anybody can connect"
                : "this TLS client accepts any server certificate: verification flags are None");
    }
}

/* ---- sessions ---- */

/* A ticket tells a TLS 1.3 client that it was accepted, so one is always sent; none is ever resumed
 * (errata 3, 16). */
static SSL_TICKET_RETURN ignore_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                       size_t length, SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl;
    (void)session;
    (void)name;
    (void)length;
    (void)arg;
    return status == SSL_TICKET_FATAL_ERR_MALLOC || status == SSL_TICKET_FATAL_ERR_OTHER
               ? SSL_TICKET_RETURN_ABORT
               : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static void apply_sessions(SSL_CTX *ctx, bool server)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (server) {
        SSL_CTX_set_num_tickets(ctx, 1);
        SSL_CTX_set_session_ticket_cb(ctx, NULL, ignore_ticket, NULL);
    }
}

static void context_free(ldc_ref *ref)
{
    ldc_tls_context *context = (ldc_tls_context *)ref;
    SSL_CTX_free(context->ctx);
    free(context->expected_host);
    free(context);
}

int ldc_tls_context_new(bool server, const ldc_tls_settings *settings,
                        const ldc_tls_credentials *credentials, const ldc_tls_choice *choice,
                        uint64_t handle, ldc_tls_context **result)
{
    version_range range;
    if (server && credentials == NULL) {
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_MISSING, "%s",
                         "Load certificate and key with SetTlsClientCertificate before accepting.");
    }
    ldc_tls_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS context");
    }
    ldc_ref_init(&context->ref, context_free);
    context->server = server;
    ERR_clear_error();
    context->ctx =
        SSL_CTX_new_ex(ldc_tls_library(), NULL, server ? TLS_server_method() : TLS_client_method());
    context->expected_host = ldc_strdup(choice->expected_host);
    int rc = DICOM_SUCCESS;
    if (context->ctx == NULL || (choice->expected_host != NULL && context->expected_host == NULL)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS context");
    }
    if (rc == DICOM_SUCCESS) {
        rc = apply_versions(context->ctx, settings, &range, handle);
    }
    if (rc == DICOM_SUCCESS &&
        (!apply_groups(context->ctx, range.legacy) || (server && !apply_ffdhe(context->ctx)) ||
         !apply_anchors(context->ctx, settings, choice, server))) {
        char text[256];
        (void)ldc_tls_take_error(text, sizeof text);
        rc = ldc_error(DICOM_ERROR_TLS_FAILURE, "TLS context: %s", text);
    }
    if (rc == DICOM_SUCCESS) {
        rc = apply_suites(context->ctx, choice, &range, handle);
    }
    if (rc == DICOM_SUCCESS) {
        rc = apply_credentials(context->ctx, credentials);
    }
    if (rc != DICOM_SUCCESS) {
        ldc_ref_put(&context->ref);
        return rc;
    }
    apply_verification(context, settings, handle);
    apply_sessions(context->ctx, server);
    SSL_CTX_set_max_cert_list(context->ctx, MAX_CHAIN_BYTES);
    SSL_CTX_set_mode(context->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    *result = context;
    return DICOM_SUCCESS;
}
