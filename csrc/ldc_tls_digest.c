/* ldc_tls_digest.c - HMAC-SHA256 under a secret of this process; see ldc_tls_cache.h. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "ldc_tls.h"
#include "ldc_tls_cache.h"

/* Has the secret, never used itself: to copy it is quicker than to begin anew. Lives as long as the
 * process. */
static EVP_MAC_CTX *beginning;

bool ldc_digest_start(void)
{
    unsigned char secret[LDC_DIGEST];
    char name[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_END};
    if (beginning != NULL) {
        return true; /* a forked child keeps it: the processes of a port know each other's tickets
                      */
    }
    EVP_MAC *hmac = EVP_MAC_fetch(ldc_tls_library(), "HMAC", NULL);
    EVP_MAC_CTX *made = EVP_MAC_CTX_new(hmac);
    bool done =
        made != NULL &&
        RAND_priv_bytes_ex(ldc_tls_library(), secret, sizeof secret, 8 * sizeof secret) == 1 &&
        EVP_MAC_init(made, secret, sizeof secret, params) == 1;
    OPENSSL_cleanse(secret, sizeof secret);
    EVP_MAC_free(hmac);
    if (done) {
        beginning = made;
    } else {
        EVP_MAC_CTX_free(made);
    }
    return done;
}

static void fail(ldc_digest *digest)
{
    EVP_MAC_CTX_free(digest->ctx);
    digest->ctx = NULL;
}

static void update(ldc_digest *digest, const void *data, size_t size)
{
    if (digest->ctx != NULL && size > 0 && EVP_MAC_update(digest->ctx, data, size) != 1) {
        fail(digest);
    }
}

void ldc_digest_begin(ldc_digest *digest, const char *label)
{
    digest->ctx = EVP_MAC_CTX_dup(beginning);
    ldc_digest_add_text(digest, label);
}

void ldc_digest_add_number(ldc_digest *digest, uint64_t number)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    update(digest, bytes, sizeof bytes);
}

void ldc_digest_add(ldc_digest *digest, const void *data, size_t size)
{
    ldc_digest_add_number(digest, size);
    update(digest, data, size);
}

void ldc_digest_add_text(ldc_digest *digest, const char *text)
{
    if (text == NULL) {
        ldc_digest_add_number(digest, UINT64_MAX);
    } else {
        ldc_digest_add(digest, text, strlen(text));
    }
}

bool ldc_digest_end(ldc_digest *digest, unsigned char result[LDC_DIGEST])
{
    size_t size = 0;
    bool done = digest->ctx != NULL && EVP_MAC_final(digest->ctx, result, &size, LDC_DIGEST) == 1 &&
                size == LDC_DIGEST;
    fail(digest);
    return done;
}
