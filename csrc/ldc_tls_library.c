/* ldc_tls_library.c - OpenSSL set up once: our own library context, the socket BIO, the suites it
 * has. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tables.h"
#include "ldc_tls_kept.h"
#include "ldc_tls_keys.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *library; /* never freed; a forked child makes its own */
static BIO_METHOD *bio_method;
static int link_index = -1;

enum {
    MAX_AVAILABLE = 512
};
static uint32_t available[MAX_AVAILABLE];
static size_t available_count;

/* ---- the socket BIO ---- */

static int bio_write(BIO *bio, const char *data, int size)
{
    ldc_transport *transport = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    long put = ldc_tls_link_send(transport, data, (size_t)size);
    if (put < 0 && ldc_transport_would_block(transport->error)) {
        BIO_set_retry_write(bio);
    }
    return (int)put;
}

static int bio_read(BIO *bio, char *buffer, int size)
{
    ldc_transport *transport = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    long got = ldc_transport_recv_ahead(transport, buffer, (size_t)size);
    if (got < 0 && ldc_transport_would_block(transport->error)) {
        BIO_set_retry_read(bio);
    }
    return (int)got;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    ldc_transport *transport = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return transport != NULL && transport->eof ? 1 : 0;
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

const BIO_METHOD *ldc_tls_bio_method(void)
{
    return bio_method;
}

/* ---- once ---- */

/* Which suites this OpenSSL has at all: at level 0, with everything named. */
static void find_suites(void)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(library, NULL, TLS_method());
    if (ctx == NULL) {
        return;
    }
    SSL_CTX_set_security_level(ctx, 0);
    (void)SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
    for (size_t i = 0; i < ldc_suite_count; i++) {
        if (ldc_suites[i].tls13 && SSL_CTX_set_ciphersuites(ctx, ldc_suites[i].openssl) == 1 &&
            available_count < MAX_AVAILABLE) {
            available[available_count++] = ldc_suites[i].id;
        }
    }
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && available_count < MAX_AVAILABLE; i++) {
        available[available_count++] = SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(ciphers, i));
    }
    SSL_CTX_free(ctx);
    ERR_clear_error();
}

static void start_once(void)
{
    /* No atexit handler: worker threads may still be in OpenSSL when the process ends. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1) {
        return;
    }
    OSSL_LIB_CTX *made = OSSL_LIB_CTX_new();
    if (made != NULL && OSSL_PROVIDER_load(made, "default") == NULL) {
        OSSL_LIB_CTX_free(made); /* by name, since it is no fallback any more beside another one */
        made = NULL;
    }
    if (bio_method == NULL) { /* else a forked child starts again: these two are no context's */
        bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR,
                                  "ltdic socket");
        link_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    }
    if (made == NULL || bio_method == NULL || link_index < 0) {
        OSSL_LIB_CTX_free(made);
        return;
    }
    BIO_meth_set_write(bio_method, bio_write);
    BIO_meth_set_read(bio_method, bio_read);
    BIO_meth_set_ctrl(bio_method, bio_ctrl);
    BIO_meth_set_create(bio_method, bio_create);
    library = made;
    ldc_tls_provider_restore(made);
    if (!ldc_digest_start()) {
        library = NULL;
        OSSL_LIB_CTX_free(made);
        return;
    }
    find_suites();
}

int ldc_tls_library_start(void)
{
    pthread_once(&once, start_once);
    return library == NULL ? ldc_error(DICOM_ERROR_TLS_FAILURE, "OpenSSL could not be started")
                           : DICOM_SUCCESS;
}

OSSL_LIB_CTX *ldc_tls_library(void)
{
    return library;
}

int ldc_tls_link_index(void)
{
    return link_index;
}

bool ldc_tls_suite_available(uint32_t id)
{
    if (ldc_tls_library_start() != DICOM_SUCCESS) {
        return false;
    }
    for (size_t i = 0; i < available_count; i++) {
        if (available[i] == id) {
            return true;
        }
    }
    return false;
}

uint64_t ldc_tls_take_error(char *text, size_t size)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    if (size > 0) {
        text[0] = '\0';
        if (error != 0) {
            const char *reason = ERR_reason_error_string(error);
            const char *detail =
                data != NULL && (flags & ERR_TXT_STRING) != 0 && data[0] != '\0' ? data : "";
            snprintf(text, size, "%s%s%s", reason != NULL ? reason : "unknown reason",
                     detail[0] != '\0' ? ": " : "", detail);
        }
    }
    ERR_clear_error();
    return error;
}

L_BOOL L_DicomIsCipherAvailableTLS(L_CIPHERSUITE nCipher)
{
    return ldc_suite_find(nCipher) != NULL && ldc_tls_suite_available(nCipher) ? 1 : 0;
}

/* ---- fork() ---- */

void ldc_tls_before_fork(void)
{
    ldc_cache_before_fork();
    ldc_tls_content_before_fork();
    ldc_tls_store_before_fork();
    ldc_tls_kept_before_fork();
    ldc_tls_provider_before_fork();
}

void ldc_tls_after_fork_in_parent(void)
{
    ldc_tls_provider_after_fork_in_parent();
    ldc_tls_kept_after_fork_in_parent();
    ldc_tls_store_after_fork_in_parent();
    ldc_tls_content_after_fork_in_parent();
    ldc_cache_after_fork_in_parent();
}

/* Locks of the library context may be held by a thread of the parent that is not here, an
 * application's own for instance: the child makes a context of its own, and leaves that one alone.
 */
void ldc_tls_after_fork(void)
{
    pthread_once_t fresh = PTHREAD_ONCE_INIT;
    memcpy(&once, &fresh, sizeof fresh);
    library = NULL;
    available_count = 0;
    ldc_cache_after_fork();
    ldc_tls_content_after_fork();
    ldc_tls_store_after_fork();
    ldc_tls_kept_after_fork();
    ldc_tls_provider_after_fork();
}
