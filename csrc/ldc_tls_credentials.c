/* ldc_tls_credentials.c - own certificate, chain and key, from files or memory, PEM or DER. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_engine.h"
#include "ldc_error.h"
#include "ldc_tls.h"

enum {
    PASSWORD_SIZE = 1024
};

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

/* ---- the password ---- */

/* The user is asked at most once for each load, however often the answer is wanted. */
typedef struct password_request {
    ldc_password_fn ask;
    void *arg;
    bool asked, none, too_long;
    char answer[PASSWORD_SIZE];
    int length;
} password_request;

static void ask_once(password_request *request)
{
    if (request->asked) {
        return;
    }
    request->asked = true;
    bool computed = ldc_compute(false); /* user code */
    request->length =
        request->ask == NULL ? 0 : request->ask(request->arg, request->answer, PASSWORD_SIZE);
    (void)ldc_compute(computed);
    request->none = request->length <= 0;
    request->too_long = request->length > PASSWORD_SIZE;
}

static void forget_answer(password_request *request)
{
    OPENSSL_cleanse(request->answer, sizeof request->answer);
}

static int give_password(char *buffer, int size, int encrypting, void *arg)
{
    (void)encrypting;
    password_request *request = arg;
    ask_once(request);
    request->too_long = request->too_long || request->length > size;
    if (request->none || request->too_long) {
        return -1;
    }
    memcpy(buffer, request->answer, (size_t)request->length);
    return request->length;
}

static bool digest_password(const password_request *request, unsigned char result[LDC_DIGEST])
{
    ldc_digest digest;
    ldc_digest_begin(&digest, "password");
    ldc_digest_add(&digest, request->answer, (size_t)request->length);
    return ldc_digest_end(&digest, result);
}

/* ---- the key ---- */

/* An EncryptedPrivateKeyInfo (RFC 5958), with our own library context all the way. */
static EVP_PKEY *read_encrypted_der(BIO *bio, password_request *request)
{
    char password[PASSWORD_SIZE];
    EVP_PKEY *key = NULL;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    X509_SIG *encrypted = d2i_PKCS8_bio(bio, NULL);
    if (encrypted == NULL) {
        return NULL;
    }
    int length = give_password(password, (int)sizeof password, 0, request);
    if (length > 0) {
        info = PKCS8_decrypt_ex(encrypted, password, length, ldc_tls_library(), NULL);
    }
    if (info != NULL) {
        key = EVP_PKCS82PKEY_ex(info, ldc_tls_library(), NULL);
    }
    OPENSSL_cleanse(password, sizeof password);
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(encrypted);
    return key;
}

static EVP_PKEY *read_key(const unsigned char *data, size_t size, int type,
                          password_request *request)
{
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    EVP_PKEY *key = NULL;
    if (bio == NULL) {
        return NULL;
    }
    if (type == DICOM_TLS_CERTIFICATE_PEM) {
        key =
            PEM_read_bio_PrivateKey_ex(bio, NULL, give_password, request, ldc_tls_library(), NULL);
    } else {
        key = d2i_PrivateKey_ex_bio(bio, NULL, ldc_tls_library(), NULL);
        if (key == NULL) {
            BIO_free(bio);
            bio = BIO_new_mem_buf(data, (int)size);
            key = bio == NULL ? NULL : read_encrypted_der(bio, request);
        }
    }
    BIO_free(bio);
    return key;
}

static int password_error(const password_request *request, const char *name, const char *reason)
{
    if (request->too_long) {
        return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
                         "the password for \"%s\" is longer than %d bytes. Use a shorter one.",
                         name, PASSWORD_SIZE);
    }
    if (request->none) {
        return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
                         "the key in \"%s\" is encrypted and no password was given. Return it from "
                         "OnPrivateKeyPassword, or store the key without encryption.",
                         name);
    }
    return ldc_error(
        DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
        "the key in \"%s\" cannot be decrypted with the password given (%s). Check the password.",
        name, reason);
}

static int load_key(const ldc_tls_content *content, int type, password_request *request,
                    EVP_PKEY **key)
{
    char reason[256];
    ERR_clear_error();
    *key = content->size == 0 || content->size > LDC_FILE_LIMIT
               ? NULL
               : read_key(content->data, content->size, type, request);
    (void)ldc_tls_take_error(reason, sizeof reason);
    if (*key != NULL) {
        return DICOM_SUCCESS;
    }
    if (request->asked) {
        return password_error(request, content->file, reason);
    }
    return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_FILE,
                     "\"%s\" holds no readable private key (%s). Give a %s file with the "
                     "key of the certificate.",
                     content->file, reason, type == DICOM_TLS_CERTIFICATE_PEM ? "PEM" : "DER");
}

/* ---- both ---- */

typedef struct loading {
    int type;
    bool own_key; /* the key is not where the certificate is */
    ldc_tls_content certificate, key;
    password_request password;
} loading;

static ldc_tls_content *key_content(loading *load)
{
    return load->own_key ? &load->key : &load->certificate;
}

static bool digest_both(loading *load, unsigned char result[LDC_DIGEST])
{
    ldc_digest digest;
    ldc_digest_begin(&digest, "credentials");
    ldc_digest_add_number(&digest, (uint64_t)load->type);
    ldc_digest_add(&digest, load->certificate.digest, LDC_DIGEST);
    ldc_digest_add(&digest, key_content(load)->digest, LDC_DIGEST);
    return ldc_digest_end(&digest, result);
}

/* The same certificate and key as somebody has loaded already, if the password is the same, too.
 * *known NULL: not known, or another password, which decrypting will judge. 0 or code. */
static int find_known(loading *load, ldc_tls_credentials **known)
{
    unsigned char digest[LDC_DIGEST];
    *known = NULL;
    if (!digest_both(load, digest)) {
        return DICOM_SUCCESS;
    }
    ldc_tls_credentials *found = ldc_cache_find(LDC_CACHE_CREDENTIALS, digest);
    if (found == NULL || !found->encrypted) {
        *known = found;
        return DICOM_SUCCESS;
    }
    ask_once(&load->password);
    if (load->password.none || load->password.too_long) {
        ldc_ref_put(&found->shared.ref);
        return password_error(&load->password, key_content(load)->file, "");
    }
    if (digest_password(&load->password, digest) &&
        CRYPTO_memcmp(digest, found->password, LDC_DIGEST) == 0) {
        *known = found;
    } else {
        ldc_ref_put(&found->shared.ref);
    }
    return DICOM_SUCCESS;
}

static int parse_both(loading *load, ldc_tls_credentials *credentials)
{
    const ldc_tls_content *key = key_content(load);
    ERR_clear_error();
    credentials->chain =
        ldc_tls_parse_certificates(load->certificate.data, load->certificate.size, load->type);
    if (credentials->chain == NULL) {
        char reason[256];
        (void)ldc_tls_take_error(reason, sizeof reason);
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE,
                         "\"%s\" holds no readable certificate (%s). Give a %s file, leaf "
                         "first.",
                         load->certificate.file, reason,
                         load->type == DICOM_TLS_CERTIFICATE_PEM ? "PEM" : "DER");
    }
    credentials->leaf = sk_X509_shift(credentials->chain);
    int rc = load_key(key, load->type, &load->password, &credentials->key);
    if (rc == DICOM_SUCCESS && X509_check_private_key(credentials->leaf, credentials->key) != 1) {
        rc = ldc_error(
            DICOM_ERROR_TLS_KEY_MISMATCH,
            "the key in \"%s\" is not that of the first certificate in \"%s\". Give the key that the "
            "certificate was made for; in a PEM file the own certificate comes first.",
            key->file, load->certificate.file);
    }
    ERR_clear_error();
    return rc;
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
    if (rc == DICOM_SUCCESS && !digest_both(load, credentials->shared.key)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate");
    }
    credentials->encrypted = load->password.asked;
    if (rc == DICOM_SUCCESS && credentials->encrypted &&
        !digest_password(&load->password, credentials->password)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "password");
    }
    if (rc != DICOM_SUCCESS) {
        ldc_ref_put(&credentials->shared.ref);
        return rc;
    }
    *result = ldc_cache_add(LDC_CACHE_CREDENTIALS, &credentials->shared);
    return DICOM_SUCCESS;
}

int ldc_tls_credentials_load(const ldc_tls_source *certificate, int type, const ldc_tls_source *key,
                             ldc_password_fn password, void *arg, ldc_tls_credentials **result)
{
    loading load = {.type = type,
                    .own_key = key->data != NULL || (key->file != NULL && key->file[0] != '\0'),
                    .certificate = {.fd = -1},
                    .key = {.fd = -1},
                    .password = {.ask = password, .arg = arg}};
    ldc_tls_credentials *known = NULL;
    if (type != DICOM_TLS_CERTIFICATE_PEM && type != DICOM_TLS_CERTIFICATE_ASN1) {
        return ldc_error(DICOM_ERROR_PARAMETER, "certificate type %d. Use Pem (%d) or Asn1 (%d).",
                         type, DICOM_TLS_CERTIFICATE_PEM, DICOM_TLS_CERTIFICATE_ASN1);
    }
    if (type == DICOM_TLS_CERTIFICATE_ASN1 && !load.own_key) {
        return ldc_error(
            DICOM_ERROR_TLS_PRIVATE_KEY_FILE, "%s",
            "a DER file holds the certificate only. Give the DER file of the private key as well.");
    }
    int rc = ldc_tls_library_start();
    bool computed = ldc_compute(true);
    if (rc == DICOM_SUCCESS) {
        rc = ldc_tls_content_open(&load.certificate, certificate, "certificate file",
                                  DICOM_ERROR_TLS_CERTIFICATE_FILE);
    }
    if (rc == DICOM_SUCCESS && load.own_key) {
        rc = ldc_tls_content_open(&load.key, key, "private key file",
                                  DICOM_ERROR_TLS_PRIVATE_KEY_FILE);
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
    forget_answer(&load.password);
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
