/* ldc_tls_credentials.c - own certificate, chain and key, from files or memory, PEM or DER. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tls.h"

enum {
    PASSWORD_SIZE = 1024
};

static void credentials_free(ldc_ref *ref)
{
    ldc_tls_credentials *credentials = (ldc_tls_credentials *)ref;
    X509_free(credentials->leaf);
    sk_X509_pop_free(credentials->chain, X509_free);
    EVP_PKEY_free(credentials->key);
    free(credentials);
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

/* ---- the key ---- */

typedef struct password_request {
    ldc_password_fn ask;
    void *arg;
    bool asked, none, too_long;
} password_request;

static int give_password(char *buffer, int size, int encrypting, void *arg)
{
    (void)encrypting;
    password_request *request = arg;
    if (request->none || request->too_long) {
        return -1; /* OpenSSL tries a second decoder: the user is asked once */
    }
    request->asked = true;
    if (request->ask == NULL) {
        request->none = true;
        return -1;
    }
    char password[PASSWORD_SIZE + 1];
    int room = size < PASSWORD_SIZE ? size : PASSWORD_SIZE;
    int length = request->ask(request->arg, password, room);
    if (length <= 0) {
        request->none = true;
        length = -1;
    } else if (length > room) {
        request->too_long = true;
        length = -1;
    } else {
        memcpy(buffer, password, (size_t)length);
    }
    OPENSSL_cleanse(password, sizeof password);
    return length;
}

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

static int load_key(const unsigned char *data, size_t size, int type, const char *name,
                    ldc_password_fn ask, void *arg, EVP_PKEY **key)
{
    password_request request = {.ask = ask, .arg = arg};
    char reason[256];
    ERR_clear_error();
    *key = size == 0 || size > LDC_FILE_LIMIT ? NULL : read_key(data, size, type, &request);
    (void)ldc_tls_take_error(reason, sizeof reason);
    if (*key != NULL) {
        return DICOM_SUCCESS;
    }
    if (request.too_long) {
        return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
                         "the password for \"%s\" is longer than %d bytes. Use a shorter one.",
                         name, PASSWORD_SIZE);
    }
    if (request.none) {
        return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
                         "the key in \"%s\" is encrypted and no password was given. Return it from "
                         "OnPrivateKeyPassword, or store the key without encryption.",
                         name);
    }
    if (request.asked) {
        return ldc_error(
            DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
            "the key in \"%s\" cannot be decrypted with the password given (%s). Check the password.",
            name, reason);
    }
    return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_FILE,
                     "\"%s\" holds no readable private key (%s). Give a %s file with the "
                     "key of the certificate.",
                     name, reason, type == DICOM_TLS_CERTIFICATE_PEM ? "PEM" : "DER");
}

/* ---- both ---- */

static int source_read(const ldc_tls_source *source, const char *what, int code,
                       unsigned char **owned, const unsigned char **data, size_t *size)
{
    if (source->data != NULL) {
        *data = source->data;
        *size = source->size;
        return DICOM_SUCCESS;
    }
    int rc = ldc_tls_read_file(source->file, what, code, owned, size);
    *data = *owned;
    return rc;
}

int ldc_tls_credentials_load(const ldc_tls_source *certificate, int type, const ldc_tls_source *key,
                             ldc_password_fn password, void *arg, ldc_tls_credentials **result)
{
    unsigned char *certificate_owned = NULL;
    unsigned char *key_owned = NULL;
    const unsigned char *certificate_data = NULL;
    const unsigned char *key_data = NULL;
    size_t certificate_size = 0;
    size_t key_size = 0;
    ldc_tls_credentials *credentials = NULL;
    bool own_key = key->data != NULL || (key->file != NULL && key->file[0] != '\0');
    if (type != DICOM_TLS_CERTIFICATE_PEM && type != DICOM_TLS_CERTIFICATE_ASN1) {
        return ldc_error(DICOM_ERROR_PARAMETER, "certificate type %d. Use Pem (%d) or Asn1 (%d).",
                         type, DICOM_TLS_CERTIFICATE_PEM, DICOM_TLS_CERTIFICATE_ASN1);
    }
    if (type == DICOM_TLS_CERTIFICATE_ASN1 && !own_key) {
        return ldc_error(
            DICOM_ERROR_TLS_PRIVATE_KEY_FILE, "%s",
            "a DER file holds the certificate only. Give the DER file of the private key as well.");
    }
    int rc = ldc_tls_library_start();
    if (rc == DICOM_SUCCESS) {
        rc = source_read(certificate, "certificate file", DICOM_ERROR_TLS_CERTIFICATE_FILE,
                         &certificate_owned, &certificate_data, &certificate_size);
    }
    if (rc == DICOM_SUCCESS && own_key) {
        rc = source_read(key, "private key file", DICOM_ERROR_TLS_PRIVATE_KEY_FILE, &key_owned,
                         &key_data, &key_size);
    } else if (rc == DICOM_SUCCESS) {
        key = certificate;
        key_data = certificate_data;
        key_size = certificate_size;
    }
    if (rc != DICOM_SUCCESS) {
        goto done;
    }
    credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate");
        goto done;
    }
    ldc_ref_init(&credentials->ref, credentials_free);
    ERR_clear_error();
    credentials->chain = ldc_tls_parse_certificates(certificate_data, certificate_size, type);
    if (credentials->chain == NULL) {
        char reason[256];
        (void)ldc_tls_take_error(reason, sizeof reason);
        rc =
            ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE,
                      "\"%s\" holds no readable certificate (%s). Give a %s file, leaf "
                      "first.",
                      certificate->file, reason, type == DICOM_TLS_CERTIFICATE_PEM ? "PEM" : "DER");
        goto done;
    }
    credentials->leaf = sk_X509_shift(credentials->chain);
    rc = load_key(key_data, key_size, type, key->file, password, arg, &credentials->key);
    if (rc == DICOM_SUCCESS && X509_check_private_key(credentials->leaf, credentials->key) != 1) {
        rc = ldc_error(
            DICOM_ERROR_TLS_KEY_MISMATCH,
            "the key in \"%s\" is not that of the first certificate in \"%s\". Give the key that the "
            "certificate was made for; in a PEM file the own certificate comes first.",
            key->file, certificate->file);
    }
    ERR_clear_error();
    if (rc == DICOM_SUCCESS) {
        *result = credentials;
        credentials = NULL;
    }
done:
    if (credentials != NULL) {
        ldc_ref_put(&credentials->ref);
    }
    if (key_owned != NULL) {
        OPENSSL_cleanse(key_owned, key_size);
    }
    if (certificate_owned != NULL) {
        OPENSSL_cleanse(certificate_owned, certificate_size); /* a PEM file may hold the key, too */
    }
    free(key_owned);
    free(certificate_owned);
    return rc;
}
