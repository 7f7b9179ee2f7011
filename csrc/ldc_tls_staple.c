/*
 * ldc_tls_staple.c - the OCSP response that a server sends along with its certificate (RFC 6066 8,
 * RFC 8446 4.4.2.1); see ldc_tls_revocation.h.
 *
 * It comes from a file that somebody else renews. The file is looked at when a client asks, at most
 * once a second, so that a new one is served without a call. What is not for our certificate or out
 * of date is never taken; what was taken is no longer served when it has ended.
 */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ldc_engine.h"
#include "ldc_error.h"
#include "ldc_tls.h"

enum {
    LOOK_MS = 1000,
    STAPLE_LIMIT = 64 * 1024
};

/* What is to be told when the lock is open again. */
typedef struct news {
    enum {
        NOTHING,
        NOT_GOOD, /* detail says what the response says */
        ENDED,
        KEPT /* the new file is bad: the error of the call has the sentence */
    } what;
    char detail[256];
} news;

static int open_file(const char *file, ldc_tls_content *content)
{
    return ldc_tls_content_open(content, &(ldc_tls_source){.file = file}, "OCSP staple",
                                DICOM_ERROR_FILE_ACCESS);
}

static int refuse(const char *file, const char *why)
{
    return ldc_error(DICOM_ERROR_FILE_ACCESS,
                     "OCSP staple \"%s\" cannot be served: %s. Fetch the response for the own "
                     "certificate from the CA's responder (DER).",
                     file, why);
}

int ldc_tls_staple_peek(const char *file)
{
    ldc_tls_content content;
    int rc = ldc_tls_library_start();
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    bool computed = ldc_compute(true);
    rc = open_file(file, &content);
    rc = rc == DICOM_SUCCESS ? ldc_tls_content_read(&content) : rc;
    if (rc == DICOM_SUCCESS) {
        const unsigned char *at = content.data;
        OCSP_RESPONSE *response =
            content.size == 0 ? NULL : d2i_OCSP_RESPONSE(NULL, &at, (long)content.size);
        if (response == NULL) {
            rc = refuse(file, "it is no OCSP response");
        }
        OCSP_RESPONSE_free(response);
        ERR_clear_error();
    }
    ldc_tls_content_close(&content);
    (void)ldc_compute(computed);
    return rc;
}

/* The bytes of a response that may be served; the lock is held. 0 or code. */
static int take(ldc_tls_staple *staple, const ldc_tls_content *content, news *said)
{
    ldc_ocsp_result result;
    ldc_ocsp_question question = {.leaf = staple->leaf,
                                  .issuers = {staple->issuers, staple->anchors == NULL
                                                                   ? NULL
                                                                   : staple->anchors->certificates},
                                  .own = true};
    ldc_ocsp_judge(content->data, content->size, &question, &result);
    if (content->size > STAPLE_LIMIT) {
        return refuse(staple->file, "it is longer than 64 KiB");
    }
    if (result.finding == LDC_OCSP_BAD || result.finding == LDC_OCSP_MISSING) {
        return refuse(staple->file, result.detail[0] == '\0' ? "it is empty" : result.detail);
    }
    unsigned char *der = malloc(content->size);
    if (der == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "OCSP staple");
    }
    memcpy(der, content->data, content->size);
    free(staple->der);
    staple->der = der;
    staple->size = content->size;
    staple->until = result.finding == LDC_OCSP_GOOD ? result.until : INT64_MAX;
    staple->told = false;
    if (result.finding != LDC_OCSP_GOOD) { /* honest, and clients will refuse us */
        said->what = NOT_GOOD;
        memcpy(said->detail, result.detail, sizeof said->detail);
    }
    return DICOM_SUCCESS;
}

/* The lock is held. */
static int look(ldc_tls_staple *staple, news *said)
{
    ldc_tls_content content;
    int rc = open_file(staple->file, &content);
    bool same = rc == DICOM_SUCCESS && staple->der != NULL &&
                memcmp(content.digest, staple->digest, LDC_DIGEST) == 0;
    staple->looked = ldc_now_ms();
    if (rc == DICOM_SUCCESS && !same) {
        rc = ldc_tls_content_read(&content);
    }
    if (rc == DICOM_SUCCESS && !same) {
        memcpy(staple->digest, content.digest, LDC_DIGEST); /* also of a bad one: told once */
        rc = take(staple, &content, said);
    }
    ldc_tls_content_close(&content);
    return rc;
}

static void tell(const ldc_tls_staple *staple, const news *said)
{
    switch (said->what) {
    case NOT_GOOD:
        ldc_log(DICOM_LOG_WARNING, 0,
                "the OCSP staple \"%s\" says of the own certificate: %s. Get a new certificate.",
                staple->file, said->detail);
        break;
    case ENDED:
        ldc_log(DICOM_LOG_WARNING, 0,
                "the OCSP staple \"%s\" has ended and is no longer served. Renew the file.",
                staple->file);
        break;
    case KEPT:
        ldc_log(DICOM_LOG_WARNING, 0, "%s The one before is served on.", L_DicomGetLastErrorText());
        break;
    default:
        break;
    }
}

void ldc_tls_staple_free(ldc_tls_staple *staple)
{
    if (staple == NULL) {
        return;
    }
    pthread_mutex_destroy(&staple->lock);
    free(staple->file);
    X509_free(staple->leaf);
    sk_X509_pop_free(staple->issuers, X509_free);
    if (staple->anchors != NULL) {
        ldc_ref_put(&staple->anchors->shared.ref);
    }
    free(staple->der);
    free(staple);
}

int ldc_tls_staple_new(const char *file, const ldc_tls_credentials *credentials,
                       ldc_tls_anchors *anchors, ldc_tls_staple **result)
{
    news said = {0};
    ldc_tls_staple *staple = calloc(1, sizeof *staple);
    if (staple == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "OCSP staple");
    }
    pthread_mutex_init(&staple->lock, NULL);
    staple->file = ldc_strdup(file);
    staple->leaf = credentials->leaf;
    X509_up_ref(staple->leaf);
    staple->issuers = X509_chain_up_ref(credentials->chain);
    staple->anchors = anchors;
    if (anchors != NULL) {
        ldc_ref_get(&anchors->shared.ref);
    }
    bool made = staple->file != NULL && (staple->issuers != NULL || credentials->chain == NULL);
    int rc = made ? look(staple, &said) : ldc_error(DICOM_ERROR_MEMORY, "%s", "OCSP staple");
    if (rc != DICOM_SUCCESS) {
        ldc_tls_staple_free(staple);
        return rc;
    }
    tell(staple, &said);
    *result = staple;
    return DICOM_SUCCESS;
}

int ldc_tls_staple_refresh(ldc_tls_staple *staple)
{
    news said = {0};
    pthread_mutex_lock(&staple->lock);
    memset(staple->digest, 0, sizeof staple->digest); /* a bad one is refused again */
    int rc = look(staple, &said);
    pthread_mutex_unlock(&staple->lock);
    tell(staple, &said);
    return rc;
}

/* A copy for OpenSSL, which frees it; NULL = there is none to serve. */
static unsigned char *copy_of(ldc_tls_staple *staple, size_t *size)
{
    news said = {0};
    unsigned char *copy = NULL;
    pthread_mutex_lock(&staple->lock);
    unsigned char before[LDC_DIGEST];
    memcpy(before, staple->digest, sizeof before);
    if (ldc_now_ms() - staple->looked >= LOOK_MS && look(staple, &said) != DICOM_SUCCESS &&
        memcmp(before, staple->digest, sizeof before) != 0) {
        said.what = KEPT;
    }
    if (staple->until > (int64_t)time(NULL)) {
        copy = OPENSSL_memdup(staple->der, staple->size);
        *size = staple->size;
    } else if (!staple->told) {
        staple->told = true;
        said.what = ENDED;
    }
    pthread_mutex_unlock(&staple->lock);
    tell(staple, &said);
    return copy;
}

int ldc_tls_staple_serve(SSL *ssl, void *unused)
{
    (void)unused;
    const ldc_tls_link *link = SSL_get_ex_data(ssl, ldc_tls_link_index());
    ldc_tls_staple *staple = link == NULL ? NULL : link->context->staple;
    X509 *shown = SSL_get_certificate(ssl);
    if (staple == NULL || shown == NULL || X509_cmp(shown, staple->leaf) != 0) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    size_t size = 0;
    unsigned char *copy = copy_of(staple, &size);
    if (copy == NULL || SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)size) != 1) {
        OPENSSL_free(copy);
        return SSL_TLSEXT_ERR_NOACK;
    }
    return SSL_TLSEXT_ERR_OK;
}
