/*
 * ldc_tls_keys.h - private keys and where they come from: files and bytes in PEM, DER and PKCS #12,
 * stores of OpenSSL providers (pkcs11: and others), and their passwords.
 */
#ifndef LDC_TLS_KEYS_H
#define LDC_TLS_KEYS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "ldc_text.h"
#include "ldc_tls.h"

enum {
    LDC_PASSWORD_SIZE = 1024
};

/* ---- ldc_tls_keys.c: PEM and DER, the password ---- */

/* The user is asked at most once for each load, however often the answer is wanted. */
typedef struct ldc_tls_password {
    ldc_password_fn ask;
    void *arg;
    bool asked, none, too_long;
    bool once;  /* a second question is no better answered: a token counts wrong PINs */
    bool given; /* once: it has been */
    char answer[LDC_PASSWORD_SIZE + 1]; /* ends with NUL, may have one inside */
    int length;
} ldc_tls_password;

void ldc_tls_password_ask(ldc_tls_password *password);
void ldc_tls_password_forget(ldc_tls_password *password);
/* A pem_password_cb; arg is an ldc_tls_password. */
int ldc_tls_password_give(char *buffer, int size, int encrypting, void *arg);
bool ldc_tls_password_digest(const ldc_tls_password *password, unsigned char result[LDC_DIGEST]);
/* Which of the things that go wrong with a password; reason is OpenSSL's. Gives the code. */
int ldc_tls_password_error(const ldc_tls_password *password, const char *name, const char *reason);

/* The key in a PEM or DER text. 0 or code. */
int ldc_tls_key_load(const ldc_tls_content *content, int type, ldc_tls_password *password,
                     EVP_PKEY **key);
/* Whether the error queue says that an algorithm is missing which the legacy provider has. */
bool ldc_tls_needs_legacy(void);
/* What a text looks like that holds no readable certificate or key: " It looks like ..." or "". */
const char *ldc_tls_looks_like(const unsigned char *data, size_t size, bool key);

/* ---- ldc_tls_pkcs12.c ---- */

bool ldc_tls_is_pkcs12(const unsigned char *data, size_t size);
/* Leaf, key and the rest as chain, all owned by the caller. legacy: if need be with the algorithms
 * of OpenSSL's legacy provider, for this text only. 0 or code. */
int ldc_tls_pkcs12_load(const ldc_tls_content *content, bool legacy, ldc_tls_password *password,
                        X509 **leaf, STACK_OF(X509) * *chain, EVP_PKEY **key);

/* ---- ldc_tls_key_store.c ---- */

/* Whether a name is the URI of a store and no file: "pkcs11:...", or a scheme that a loaded
 * provider serves. */
bool ldc_tls_is_uri(const char *name);
/* The URI without the PIN that may be in it, malloc'ed. */
char *ldc_tls_uri_shown(const char *uri);
/* Of several keys that fit the URI that of leaf. shown: for messages. 0 or code. */
int ldc_tls_store_key(const char *uri, const char *shown, X509 *leaf, ldc_tls_password *password,
                      EVP_PKEY **key);
int ldc_tls_store_certificates(const char *uri, const char *shown, ldc_tls_password *password,
                               STACK_OF(X509) * *certificates);

/* ---- ldc_tls_provider.c: OpenSSL's providers, by explicit call only ---- */

/* module: NULL = found by name. parameters: lines "name=value", or NULL. 0 or code. */
int ldc_tls_provider_load(const char *name, const char *module, const char *parameters);
/* In a forked child, with its fresh library context: what the parent had loaded. */
void ldc_tls_provider_restore(OSSL_LIB_CTX *library);
void ldc_tls_provider_before_fork(void);
void ldc_tls_provider_after_fork_in_parent(void);
void ldc_tls_provider_after_fork(void);

/* ---- ldc_tls_groups.c: names with ':' between them; the library has been started ---- */

void ldc_tls_list_groups(ldc_text *text, bool hybrid_only);
void ldc_tls_list_providers(ldc_text *text);

#endif
