/*
 * fuzz_ocsp.c - fuzz target: an OCSP response as a server may staple it, judged.
 *
 * With the issuer at hand nobody but it can be believed, and it has signed nothing: never good,
 * never revoked. Without it (an own certificate) the seeds get as far as the answers themselves.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static X509 *make(const char *name, const char *issuer, long serial, EVP_PKEY *key,
                  EVP_PKEY *signer)
{
    X509 *made = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(made), serial);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 86400);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_NAME_add_entry_by_txt(X509_get_issuer_name(made), "CN", MBSTRING_UTF8,
                               (const unsigned char *)issuer, -1, -1, 0);
    REQUIRE(X509_sign(made, signer, EVP_sha256()) > 0);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static X509 *leaf;
    static STACK_OF(X509) * chain;
    ldc_ocsp_result result;
    if (leaf == NULL) {
        REQUIRE(ldc_tls_library_start() == 0);
        EVP_PKEY *key = EVP_EC_gen("P-256");
        chain = sk_X509_new_null();
        sk_X509_push(chain, make("Fuzz CA", "Fuzz CA", 1, key, key));
        leaf = make("Fuzz Leaf", "Fuzz CA", 4660, key, key); /* as in the seeds */
        EVP_PKEY_free(key);
    }
    ldc_ocsp_question question = {.leaf = leaf, .issuers = {chain, NULL}};
    ldc_ocsp_judge(data, size, &question, &result);
    REQUIRE(result.finding == LDC_OCSP_BAD || result.finding == LDC_OCSP_MISSING);
    REQUIRE(memchr(result.detail, '\0', sizeof result.detail) != NULL);
    ldc_ocsp_question own = {.leaf = leaf, .own = true};
    ldc_ocsp_judge(data, size, &own, &result);
    REQUIRE(result.finding != LDC_OCSP_NOT_ASKED);
    REQUIRE(memchr(result.detail, '\0', sizeof result.detail) != NULL);
    REQUIRE(ERR_peek_error() == 0);
    return 0;
}
