/* ldc_tls_credentials.c - own certificate, chain and key: read, checked against each other, shared.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_engine.h"
#include "ldc_error.h"
#include "ldc_tls_keys.h"

static void credentials_free(ldc_ref *ref)
{
    ldc_tls_credentials *credentials = (ldc_tls_credentials *)(void *)ref;
    ldc_cache_remove(&credentials->shared);
    X509_free(credentials->leaf);
    sk_X509_pop_free(credentials->chain, X509_free);
    EVP_PKEY_free(credentials->key);
    pthread_mutex_destroy(&credentials->lock);
    free(credentials);
}

void ldc_tls_credentials_hold(ldc_tls_credentials *credentials)
{
    ldc_ref_get(&credentials->shared.ref);
    pthread_mutex_lock(&credentials->lock);
    credentials->users++;
    pthread_mutex_unlock(&credentials->lock);
}

void ldc_tls_credentials_release(ldc_tls_credentials *credentials)
{
    ldc_shared *gone[LDC_CONTEXTS_KEPT] = {NULL};
    pthread_mutex_lock(&credentials->lock);
    if (--credentials->users == 0) {
        memcpy(gone, credentials->kept, sizeof gone);
        memset(credentials->kept, 0, sizeof credentials->kept);
    }
    pthread_mutex_unlock(&credentials->lock);
    for (size_t i = 0; i < LDC_CONTEXTS_KEPT; i++) {
        if (gone[i] != NULL) {
            ldc_ref_put(&gone[i]->ref);
        }
    }
    ldc_ref_put(&credentials->shared.ref);
}

void ldc_tls_credentials_keep(ldc_tls_credentials *credentials, ldc_shared *context)
{
    ldc_shared *old = NULL;
    pthread_mutex_lock(&credentials->lock);
    bool wanted = credentials->users > 0;
    for (size_t i = 0; i < LDC_CONTEXTS_KEPT; i++) {
        wanted = wanted && credentials->kept[i] != context;
    }
    if (wanted) {
        old = credentials->kept[credentials->next];
        ldc_ref_get(&context->ref);
        credentials->kept[credentials->next] = context;
        credentials->next = (credentials->next + 1) % LDC_CONTEXTS_KEPT;
    }
    pthread_mutex_unlock(&credentials->lock);
    if (old != NULL) {
        ldc_ref_put(&old->ref);
    }
}

static STACK_OF(X509) * parse_der(const unsigned char *data, size_t size)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    X509 *certificate = X509_new_ex(ldc_tls_library(), NULL);
    const unsigned char *at = data;
    if (certificates == NULL || certificate == NULL ||
        d2i_X509(&certificate, &at, (long)size) == NULL ||
        sk_X509_push(certificates, certificate) <= 0) {
        X509_free(certificate);
        sk_X509_free(certificates);
        return NULL;
    }
    return certificates;
}

STACK_OF(X509) * ldc_tls_parse_certificates(const unsigned char *data, size_t size, int type)
{
    if (size == 0 || size > LDC_FILE_LIMIT) {
        return NULL;
    }
    if (type == DICOM_TLS_CERTIFICATE_ASN1) {
        return parse_der(data, size);
    }
    STACK_OF(X509) *certificates = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    X509 *certificate = NULL;
    bool whole = false;
    while (certificates != NULL && bio != NULL) {
        certificate = X509_new_ex(ldc_tls_library(), NULL);
        if (certificate == NULL) {
            break;
        }
        if (PEM_read_bio_X509(bio, &certificate, NULL, NULL) == NULL) {
            unsigned long error = ERR_peek_last_error();
            whole =
                ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
            break;
        }
        if (sk_X509_push(certificates, certificate) <= 0) {
            break;
        }
        certificate = NULL;
    }
    X509_free(certificate);
    BIO_free(bio);
    if (whole && sk_X509_num(certificates) > 0) {
        ERR_clear_error();
        return certificates;
    }
    sk_X509_pop_free(certificates, X509_free);
    return NULL;
}

/* ---- both ---- */

typedef struct loading {
    int type;
    bool own_key;                          /* the key is not where the certificate is */
    bool stored;                           /* the key is in a provider's store, its name a URI */
    bool stored_too;                       /* the certificate as well */
    const char *certificate_uri, *key_uri; /* lent */
    char *shown[2];                        /* owned: the URIs without their PINs */
    ldc_tls_content certificate, key;
    ldc_tls_password password;
} loading;

static bool is_pkcs12(int type)
{
    return type == DICOM_TLS_CERTIFICATE_PKCS12 || type == DICOM_TLS_CERTIFICATE_PKCS12_LEGACY;
}

static ldc_tls_content *key_content(loading *load)
{
    return load->own_key ? &load->key : &load->certificate;
}

/* Of where they come from. What a store has may change: it is part of the digest itself then; both
 * may be NULL if nothing is from there. */
static bool digest_both(loading *load, X509 *leaf, EVP_PKEY *key, unsigned char result[LDC_DIGEST])
{
    ldc_digest digest;
    unsigned char *public_key = NULL;
    unsigned char *certificate = NULL;
    int size = load->stored ? i2d_PUBKEY(key, &public_key) : 0;
    int length = load->stored_too ? i2d_X509(leaf, &certificate) : 0;
    if (size < 0 || length < 0) {
        OPENSSL_free(public_key);
        OPENSSL_free(certificate);
        return false;
    }
    ldc_digest_begin(&digest, "credentials");
    ldc_digest_add_number(&digest, (uint64_t)load->type);
    ldc_digest_add(&digest, load->certificate.digest, LDC_DIGEST);
    ldc_digest_add(&digest, key_content(load)->digest, LDC_DIGEST);
    ldc_digest_add(&digest, public_key, (size_t)size);
    ldc_digest_add(&digest, certificate, (size_t)length);
    OPENSSL_free(public_key);
    OPENSSL_free(certificate);
    return ldc_digest_end(&digest, result);
}

/* The same certificate and key as somebody has loaded already, if the password is the same, too.
 * *known NULL: not known, or another password, which decrypting will judge. 0 or code. */
static int find_known(loading *load, ldc_tls_credentials **known)
{
    unsigned char digest[LDC_DIGEST];
    *known = NULL;
    if (load->stored || load->stored_too || !digest_both(load, NULL, NULL, digest)) {
        return DICOM_SUCCESS;
    }
    ldc_tls_credentials *found = ldc_cache_find(LDC_CACHE_CREDENTIALS, digest);
    if (found == NULL || !found->encrypted) {
        *known = found;
        return DICOM_SUCCESS;
    }
    ldc_tls_password_ask(&load->password);
    if (load->password.none || load->password.too_long) {
        ldc_ref_put(&found->shared.ref);
        return ldc_tls_password_error(&load->password, key_content(load)->file, "");
    }
    if (ldc_tls_password_digest(&load->password, digest) &&
        CRYPTO_memcmp(digest, found->password, LDC_DIGEST) == 0) {
        *known = found;
    } else {
        ldc_ref_put(&found->shared.ref);
    }
    return DICOM_SUCCESS;
}

static int parse_certificates(loading *load, STACK_OF(X509) * *chain)
{
    ldc_tls_content *content = &load->certificate;
    ERR_clear_error();
    if (load->stored_too) {
        return ldc_tls_store_certificates(load->certificate_uri, content->file, &load->password,
                                          chain);
    }
    *chain = ldc_tls_parse_certificates(content->data, content->size, load->type);
    if (*chain == NULL) {
        char reason[256];
        (void)ldc_tls_take_error(reason, sizeof reason);
        bool pem = load->type == DICOM_TLS_CERTIFICATE_PEM;
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE,
                         "\"%s\" holds no readable certificate (%s). Give a %s file, leaf "
                         "first.%s",
                         content->file, reason, pem ? "PEM" : "DER",
                         pem || ldc_tls_is_pkcs12(content->data, content->size)
                             ? ldc_tls_looks_like(content->data, content->size, false)
                             : "");
    }
    return DICOM_SUCCESS;
}

static int parse_key(loading *load, X509 *leaf, EVP_PKEY **key)
{
    const ldc_tls_content *content = key_content(load);
    return load->stored
               ? ldc_tls_store_key(load->key_uri, content->file, leaf, &load->password, key)
               : ldc_tls_key_load(content, load->type, &load->password, key);
}

static int check_pair(loading *load, const ldc_tls_credentials *credentials)
{
    int rc = DICOM_SUCCESS;
    if (X509_check_private_key(credentials->leaf, credentials->key) != 1) {
        rc = ldc_error(
            DICOM_ERROR_TLS_KEY_MISMATCH,
            "the key in \"%s\" is not that of the first certificate in \"%s\". Give the key that the "
            "certificate was made for; in a PEM file the own certificate comes first.",
            key_content(load)->file, load->certificate.file);
    }
    ERR_clear_error();
    return rc;
}

static int parse_both(loading *load, ldc_tls_credentials *credentials)
{
    if (is_pkcs12(load->type)) {
        return ldc_tls_pkcs12_load(
            &load->certificate, load->type == DICOM_TLS_CERTIFICATE_PKCS12_LEGACY, &load->password,
            &credentials->leaf, &credentials->chain, &credentials->key);
    }
    int rc = parse_certificates(load, &credentials->chain);
    if (rc == DICOM_SUCCESS) {
        credentials->leaf = sk_X509_shift(credentials->chain);
        rc = parse_key(load, credentials->leaf, &credentials->key);
    }
    return rc == DICOM_SUCCESS ? check_pair(load, credentials) : rc;
}

/* Reads and parses; shares the result if its key and password can be told from others. */
static int make_new(loading *load, ldc_tls_credentials **result)
{
    int rc = ldc_tls_content_read(&load->certificate);
    if (rc == DICOM_SUCCESS && load->own_key) {
        rc = ldc_tls_content_read(&load->key);
    }
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    ldc_tls_credentials *credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate");
    }
    ldc_ref_init(&credentials->shared.ref, credentials_free);
    pthread_mutex_init(&credentials->lock, NULL);
    credentials->shared.secret = true;
    rc = parse_both(load, credentials);
    if (rc == DICOM_SUCCESS && load->password.too_long) { /* a token that opens all the same */
        rc = ldc_tls_password_error(&load->password, key_content(load)->file, "");
    }
    if (rc == DICOM_SUCCESS &&
        !digest_both(load, credentials->leaf, credentials->key, credentials->shared.key)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate");
    }
    credentials->encrypted = load->password.asked;
    if (rc == DICOM_SUCCESS && credentials->encrypted &&
        !ldc_tls_password_digest(&load->password, credentials->password)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "password");
    }
    if (rc != DICOM_SUCCESS) {
        ldc_ref_put(&credentials->shared.ref);
        return rc;
    }
    *result = ldc_cache_add(LDC_CACHE_CREDENTIALS, &credentials->shared);
    return DICOM_SUCCESS;
}

/* A URI in place of a file: its digest is that of its text. */
static int open_uri(ldc_tls_content *content, const char *uri, char **shown, const char *what)
{
    ldc_digest digest;
    *shown = ldc_tls_uri_shown(uri);
    *content = (ldc_tls_content){.file = *shown, .what = what, .fd = -1};
    ldc_digest_begin(&digest, "store");
    ldc_digest_add_text(&digest, uri);
    return ldc_digest_end(&digest, content->digest) && *shown != NULL
               ? DICOM_SUCCESS
               : ldc_error(DICOM_ERROR_MEMORY, "%s", what);
}

static int open_both(loading *load, const ldc_tls_source *certificate, const ldc_tls_source *key)
{
    int rc = load->stored_too
                 ? open_uri(&load->certificate, certificate->file, &load->shown[0], "certificate")
                 : ldc_tls_content_open(&load->certificate, certificate, "certificate file",
                                        DICOM_ERROR_TLS_CERTIFICATE_FILE);
    if (rc == DICOM_SUCCESS && load->own_key) {
        rc = load->stored ? open_uri(&load->key, key->file, &load->shown[1], "private key")
                          : ldc_tls_content_open(&load->key, key, "private key file",
                                                 DICOM_ERROR_TLS_PRIVATE_KEY_FILE);
    }
    return rc;
}

static int check_arguments(const loading *load)
{
    int type = load->type;
    if (type != DICOM_TLS_CERTIFICATE_PEM && type != DICOM_TLS_CERTIFICATE_ASN1 &&
        !is_pkcs12(type)) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "certificate type %d. Use Pem (%d), Asn1 (%d) or PKCS #12 (%d, %d).", type,
                         DICOM_TLS_CERTIFICATE_PEM, DICOM_TLS_CERTIFICATE_ASN1,
                         DICOM_TLS_CERTIFICATE_PKCS12, DICOM_TLS_CERTIFICATE_PKCS12_LEGACY);
    }
    if (type == DICOM_TLS_CERTIFICATE_ASN1 && !load->own_key && !load->stored) {
        return ldc_error(
            DICOM_ERROR_TLS_PRIVATE_KEY_FILE, "%s",
            "a DER file holds the certificate only. Give the DER file of the private key as well.");
    }
    if (is_pkcs12(type) && (load->own_key || load->stored)) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "a PKCS #12 file has its key inside. Give no other key.");
    }
    return DICOM_SUCCESS;
}

int ldc_tls_credentials_load(const ldc_tls_source *certificate, int type, const ldc_tls_source *key,
                             ldc_password_fn password, void *arg, ldc_tls_credentials **result)
{
    loading load = {.type = type,
                    .own_key = key->data != NULL || (key->file != NULL && key->file[0] != '\0'),
                    .certificate_uri = certificate->file,
                    .key_uri = key->file,
                    .certificate = {.fd = -1},
                    .key = {.fd = -1},
                    .password = {.ask = password, .arg = arg}};
    ldc_tls_credentials *known = NULL;
    load.stored_too = certificate->data == NULL && ldc_tls_is_uri(certificate->file);
    load.stored = load.own_key ? key->data == NULL && ldc_tls_is_uri(key->file) : load.stored_too;
    if (!load.own_key) {
        load.key_uri = certificate->file;
    }
    int rc = check_arguments(&load);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    rc = ldc_tls_library_start();
    bool computed = ldc_compute(true);
    if (rc == DICOM_SUCCESS) {
        rc = open_both(&load, certificate, key);
    }
    if (rc == DICOM_SUCCESS) {
        rc = find_known(&load, &known);
    }
    if (rc == DICOM_SUCCESS && known == NULL) {
        rc = make_new(&load, &known);
    }
    if (rc == DICOM_SUCCESS) {
        *result = known;
    }
    ldc_tls_content_close(&load.certificate);
    ldc_tls_content_close(&load.key);
    free(load.shown[0]);
    free(load.shown[1]);
    ldc_tls_password_forget(&load.password);
    (void)ldc_compute(computed);
    return rc;
}

/* ---- where they came from ---- */

void ldc_tls_origin_clear(ldc_tls_origin *origin)
{
    free(origin->certificate);
    free(origin->key);
    memset(origin, 0, sizeof *origin);
}

bool ldc_tls_origin_copy(ldc_tls_origin *copy, const ldc_tls_origin *origin)
{
    *copy = (ldc_tls_origin){.type = origin->type,
                             .certificate = ldc_strdup(origin->certificate),
                             .key = ldc_strdup(origin->key)};
    if ((copy->certificate == NULL && origin->certificate != NULL) ||
        (copy->key == NULL && origin->key != NULL)) {
        ldc_tls_origin_clear(copy);
        return false;
    }
    return true;
}

bool ldc_tls_origin_set(ldc_tls_origin *origin, const ldc_tls_source *certificate, int type,
                        const ldc_tls_source *key)
{
    bool named = certificate->data == NULL;
    ldc_tls_origin made = {.type = type};
    if (named) {
        made.certificate = ldc_strdup(certificate->file);
        made.key = ldc_strdup(key->file);
        if (made.certificate == NULL || (made.key == NULL && key->file != NULL)) {
            ldc_tls_origin_clear(&made);
            return false;
        }
    }
    ldc_tls_origin_clear(origin);
    *origin = made;
    return true;
}
