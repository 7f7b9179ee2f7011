/* ldc_tls_settings.c - method, CA file, verification flags, depth, options (api: L_SSL_CTX_CREATE).
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_engine.h"
#include "ldc_error.h"
#include "ldc_tls.h"

enum {
    DEFAULT_DEPTH = 9,
    MAX_DEPTH = 100
};

/* ---- CA certificates ---- */

static void anchors_free(ldc_ref *ref)
{
    ldc_tls_anchors *anchors = (ldc_tls_anchors *)(void *)ref;
    ldc_cache_remove(&anchors->shared);
    sk_X509_pop_free(anchors->certificates, X509_free);
    free(anchors);
}

ldc_tls_anchors *ldc_tls_anchors_new(STACK_OF(X509) * certificates,
                                     const unsigned char key[LDC_DIGEST])
{
    ldc_tls_anchors *anchors = calloc(1, sizeof *anchors);
    if (anchors == NULL) {
        sk_X509_pop_free(certificates, X509_free);
        return NULL;
    }
    ldc_ref_init(&anchors->shared.ref, anchors_free);
    memcpy(anchors->shared.key, key, LDC_DIGEST);
    anchors->certificates = certificates;
    return ldc_cache_add(LDC_CACHE_ANCHORS, &anchors->shared);
}

static int parse_anchors(const ldc_tls_content *content, ldc_tls_anchors **result)
{
    char reason[256];
    ERR_clear_error();
    STACK_OF(X509) *certificates =
        ldc_tls_parse_certificates(content->data, content->size, DICOM_TLS_CERTIFICATE_PEM);
    (void)ldc_tls_take_error(reason, sizeof reason);
    if (sk_X509_num(certificates) <= 0) {
        sk_X509_pop_free(certificates, X509_free);
        return ldc_error(
            DICOM_ERROR_TLS_CA_FILE,
            "\"%s\" holds no readable certificate%s%s. Give a PEM file with one or more \"BEGIN "
            "CERTIFICATE\" blocks.",
            content->file, reason[0] != '\0' ? ": " : "", reason);
    }
    *result = ldc_tls_anchors_new(certificates, content->digest);
    return *result == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "CA file") : DICOM_SUCCESS;
}

static int load_anchors(const ldc_tls_source *source, ldc_tls_anchors **result)
{
    ldc_tls_content content;
    bool computed = ldc_compute(true);
    int rc = ldc_tls_content_open(&content, source, "CA file", DICOM_ERROR_TLS_CA_FILE);
    if (rc == DICOM_SUCCESS) {
        *result = ldc_cache_find(LDC_CACHE_ANCHORS, content.digest);
    }
    if (rc == DICOM_SUCCESS && *result == NULL) {
        rc = ldc_tls_content_read(&content);
        rc = rc == DICOM_SUCCESS ? parse_anchors(&content, result) : rc;
    }
    ldc_tls_content_close(&content);
    (void)ldc_compute(computed);
    return rc;
}

/* ---- settings ---- */

static void settings_free(ldc_ref *ref)
{
    ldc_tls_settings *settings = (ldc_tls_settings *)ref;
    if (settings->anchors != NULL) {
        ldc_ref_put(&settings->anchors->shared.ref);
    }
    if (settings->first != NULL) {
        ldc_ref_put(&settings->first->shared.ref);
    }
    for (size_t i = 0; i < settings->more_count; i++) {
        free(settings->more[i].path);
    }
    free(settings->more);
    free(settings->ca_file);
    free(settings);
}

static ldc_tls_settings *settings_alloc(void)
{
    ldc_tls_settings *settings = calloc(1, sizeof *settings);
    if (settings == NULL) {
        return NULL;
    }
    ldc_ref_init(&settings->ref, settings_free);
    settings->method = TYPE_SSLV23_METHOD;
    settings->verify = L_SSL_VERIFY_NONE;
    settings->depth = DEFAULT_DEPTH;
    settings->options = DICOM_SSL_OP_NO_SSL_V2 | DICOM_SSL_OP_NO_SSL_V3;
    return settings;
}

static int take_method(ldc_tls_settings *settings, int method)
{
    switch (method) {
    case TYPE_SSLV23_METHOD:
    case TYPE_SSLV2_METHOD:
    case TYPE_SSLV3_METHOD:
    case TYPE_TLSV1_METHOD:
    case TYPE_TLSV1_2_METHOD:
    case TYPE_TLSV1_3_METHOD:
        settings->method = method;
        return DICOM_SUCCESS;
    default:
        return ldc_error(
            DICOM_ERROR_PARAMETER,
            "unknown TLS method %d. Use one of TYPE_SSLV23_METHOD (%d), "
            "TYPE_TLSV1_2_METHOD (%d), TYPE_TLSV1_3_METHOD (%d), TYPE_TLSV1_METHOD (%d).",
            method, TYPE_SSLV23_METHOD, TYPE_TLSV1_2_METHOD, TYPE_TLSV1_3_METHOD,
            TYPE_TLSV1_METHOD);
    }
}

static int take_verify(ldc_tls_settings *settings, unsigned verify)
{
    unsigned known =
        L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT | L_SSL_VERIFY_CLIENT_ONCE;
    if ((verify & ~known) != 0) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "unknown verification flags 0x%x. Combine PEER (1), "
                         "FAIL_IF_NO_PEER_CERT (2) and CLIENT_ONCE (4).",
                         verify & ~known);
    }
    /* What only makes sense together with PEER never means "do not verify". */
    if (verify != 0 && (verify & L_SSL_VERIFY_PEER) == 0) {
        ldc_log(DICOM_LOG_WARNING, 0,
                "verification flags 0x%x without Peer are taken as if Peer were there", verify);
        verify |= L_SSL_VERIFY_PEER;
    }
    settings->verify = verify;
    return DICOM_SUCCESS;
}

static int take_options(ldc_tls_settings *settings, int options)
{
    int known = DICOM_SSL_OP_NO_SSL_V2 | DICOM_SSL_OP_NO_SSL_V3 | DICOM_SSL_OP_NO_TLS_V1 |
                DICOM_SSL_OP_NO_TLS_V1_1 | DICOM_SSL_OP_NO_TLS_V1_2 | DICOM_SSL_OP_NO_TLS_V1_3 |
                DICOM_SSL_OP_ALL_BUG_WORKAROUNDS | DICOM_SSL_OP_ALLOW_TLS_V1 |
                DICOM_SSL_OP_ALLOW_TLS_V1_1;
    if ((options & ~known) != 0) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "unknown TLS options 0x%x. Use members of DicomOpenSslOptionsFlags "
                         "(DICOM_SSL_OP_...).",
                         (unsigned)(options & ~known));
    }
    settings->options = options;
    return DICOM_SUCCESS;
}

/* The anchors so far are those of the CA file (NULL: of memory). false: no memory. */
static bool name_origin(ldc_tls_settings *settings, const char *file)
{
    settings->ca_file = ldc_strdup(file);
    settings->first = settings->anchors;
    ldc_ref_get(&settings->first->shared.ref);
    return file == NULL || settings->ca_file != NULL;
}

static int fill(ldc_tls_settings *settings, const L_SSL_CTX_CREATE *create)
{
    int rc = DICOM_SUCCESS;
    if (create->uStructSize != sizeof *create) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "uStructSize is %u, not sizeof(L_SSL_CTX_CREATE) = %zu. Set it.",
                         create->uStructSize, sizeof *create);
    }
    if ((create->uFlags & ~(L_UINT32)FLAG_SSL_CTX_CREATE_ALL) != 0) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "unknown bits 0x%x in uFlags. Use FLAG_SSL_CTX_CREATE_...",
                         create->uFlags);
    }
    if ((create->uFlags & FLAG_SSL_CTX_CREATE_METHOD_TYPE) != 0) {
        rc = take_method(settings, create->nMethodTypeSSL);
    }
    if (rc == DICOM_SUCCESS && (create->uFlags & FLAG_SSL_CTX_CREATE_VERIFY_MODE) != 0) {
        rc = take_verify(settings, create->uVerifyMode);
    }
    if (rc == DICOM_SUCCESS && (create->uFlags & FLAG_SSL_CTX_CREATE_OPTIONS) != 0) {
        rc = take_options(settings, create->nOptions);
    }
    if (rc == DICOM_SUCCESS && (create->uFlags & FLAG_SSL_CTX_CREATE_VERIFY_DEPTH) != 0) {
        if (create->nVerifyDepth < 0 || create->nVerifyDepth > MAX_DEPTH) {
            return ldc_error(DICOM_ERROR_PARAMETER, "verification depth %d is not in 0..%d",
                             create->nVerifyDepth, MAX_DEPTH);
        }
        settings->depth = create->nVerifyDepth;
    }
    const char *file =
        (create->uFlags & FLAG_SSL_CTX_CREATE_CAFILE) != 0 ? create->pszCAfile : NULL;
    if (rc == DICOM_SUCCESS && file != NULL && file[0] != '\0') {
        rc = load_anchors(&(ldc_tls_source){.file = file}, &settings->anchors);
        if (rc == DICOM_SUCCESS && !name_origin(settings, file)) {
            rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "CA file");
        }
    }
    return rc;
}

int ldc_tls_settings_new(const L_SSL_CTX_CREATE *create, ldc_tls_settings **result)
{
    int rc = ldc_tls_library_start();
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    ldc_tls_settings *settings = settings_alloc();
    if (settings == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS settings");
    }
    rc = create == NULL ? DICOM_SUCCESS : fill(settings, create);
    if (rc != DICOM_SUCCESS) {
        ldc_ref_put(&settings->ref);
        return rc;
    }
    *result = settings;
    return DICOM_SUCCESS;
}

int ldc_tls_settings_with_anchors(const ldc_tls_settings *from, ldc_tls_anchors *anchors,
                                  ldc_tls_settings **result)
{
    ldc_tls_settings *settings = settings_alloc();
    if (settings == NULL) {
        if (anchors != NULL) {
            ldc_ref_put(&anchors->shared.ref);
        }
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS settings");
    }
    settings->method = from->method;
    settings->verify = from->verify;
    settings->depth = from->depth;
    settings->options = from->options;
    settings->anchors = anchors;
    *result = settings;
    return DICOM_SUCCESS;
}

int ldc_tls_settings_with_ca(const ldc_tls_settings *from, const ldc_tls_source *source,
                             ldc_tls_settings **result)
{
    ldc_tls_anchors *anchors = NULL;
    ldc_tls_settings *settings = NULL;
    int rc = load_anchors(source, &anchors);
    if (rc == DICOM_SUCCESS) {
        rc = ldc_tls_settings_with_anchors(from, anchors, &settings);
    }
    if (rc == DICOM_SUCCESS && !name_origin(settings, source->data == NULL ? source->file : NULL)) {
        ldc_ref_put(&settings->ref);
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS settings");
    }
    *result = rc == DICOM_SUCCESS ? settings : NULL;
    return rc;
}

int ldc_tls_settings_with_first(const ldc_tls_settings *from, ldc_tls_settings **result)
{
    ldc_tls_settings *settings = NULL;
    if (from->first != NULL) {
        ldc_ref_get(&from->first->shared.ref);
    }
    int rc = ldc_tls_settings_with_anchors(from, from->first, &settings);
    if (rc == DICOM_SUCCESS && settings->anchors != NULL) {
        (void)name_origin(settings, NULL); /* of memory */
    }
    *result = settings;
    return rc;
}
