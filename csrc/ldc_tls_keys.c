/* ldc_tls_keys.c - private keys in PEM and DER, encrypted or not, and the password for them. */
#include "ldc_tls_keys.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <string.h>

#include "ldc_engine.h"
#include "ldc_error.h"

/* ---- the password ---- */

void ldc_tls_password_ask(ldc_tls_password *password)
{
    if (password->asked) {
        return;
    }
    password->asked = true;
    bool computed = ldc_compute(false); /* user code */
    password->length = password->ask == NULL
                           ? 0
                           : password->ask(password->arg, password->answer, LDC_PASSWORD_SIZE);
    (void)ldc_compute(computed);
    password->none = password->length <= 0;
    password->too_long = password->length > LDC_PASSWORD_SIZE;
    if (!password->none && !password->too_long) {
        password->answer[password->length] = '\0';
    }
}

void ldc_tls_password_forget(ldc_tls_password *password)
{
    OPENSSL_cleanse(password->answer, sizeof password->answer);
}

int ldc_tls_password_give(char *buffer, int size, int encrypting, void *arg)
{
    (void)encrypting;
    ldc_tls_password *password = arg;
    ldc_tls_password_ask(password);
    password->too_long = password->too_long || password->length > size;
    if (password->none || password->too_long || (password->once && password->given)) {
        return -1;
    }
    password->given = true;
    memcpy(buffer, password->answer, (size_t)password->length);
    return password->length;
}

bool ldc_tls_password_digest(const ldc_tls_password *password, unsigned char result[LDC_DIGEST])
{
    ldc_digest digest;
    bool some = !password->none && !password->too_long && password->length > 0;
    ldc_digest_begin(&digest, "password");
    ldc_digest_add(&digest, password->answer, some ? (size_t)password->length : 0);
    return ldc_digest_end(&digest, result);
}

int ldc_tls_password_error(const ldc_tls_password *password, const char *name, const char *reason)
{
    if (password->too_long) {
        return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
                         "the password for \"%s\" is longer than %d bytes. Use a shorter one.",
                         name, LDC_PASSWORD_SIZE);
    }
    if (password->none) {
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

/* ---- what else a text may be ---- */

bool ldc_tls_needs_legacy(void)
{
    bool found = false;
    unsigned long error;
    const char *data = NULL;
    int flags = 0;
    while ((error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        int library = ERR_GET_LIB(error);
        int reason = ERR_GET_REASON(error);
        found = found || (library == ERR_LIB_EVP &&
                          (reason == EVP_R_UNSUPPORTED_ALGORITHM || reason == ERR_R_UNSUPPORTED));
    }
    return found;
}

static bool contains(const unsigned char *data, size_t size, const char *text)
{
    size_t length = strlen(text);
    for (size_t at = 0; at + length <= size; at++) {
        if (data[at] == (unsigned char)text[0] && memcmp(data + at, text, length) == 0) {
            return true;
        }
    }
    return false;
}

const char *ldc_tls_looks_like(const unsigned char *data, size_t size, bool key)
{
    if (size == 0) {
        return " It is empty.";
    }
    if (ldc_tls_is_pkcs12(data, size)) {
        return " It looks like PKCS #12: the type is Pkcs12.";
    }
    if (data[0] == 0x30) {
        return " It looks like DER: the type is Asn1.";
    }
    if (contains(data, size, "-----BEGIN OPENSSH PRIVATE KEY")) {
        return " It has a key in the format of OpenSSH: \"ssh-keygen -p -m PKCS8 -f FILE\" "
               "converts it.";
    }
    bool has_key = contains(data, size, "PRIVATE KEY-----");
    bool has_certificate = contains(data, size, "-----BEGIN CERTIFICATE-----") ||
                           contains(data, size, "-----BEGIN TRUSTED CERTIFICATE-----");
    if (key) {
        return has_certificate && !has_key
                   ? " It has a certificate only: name the file of the key as well."
                   : "";
    }
    if (contains(data, size, "CERTIFICATE REQUEST-----")) {
        return " It has a certificate request: an authority has to issue the certificate first.";
    }
    return has_key && !has_certificate ? " It has a key, but no certificate." : "";
}

/* ---- the key ---- */

/* An EncryptedPrivateKeyInfo (RFC 5958), with our own library context all the way. */
static EVP_PKEY *read_encrypted_der(BIO *bio, ldc_tls_password *password)
{
    char answer[LDC_PASSWORD_SIZE];
    EVP_PKEY *key = NULL;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    X509_SIG *encrypted = d2i_PKCS8_bio(bio, NULL);
    if (encrypted == NULL) {
        return NULL;
    }
    ERR_clear_error(); /* of the attempt to read it unencrypted */
    int length = ldc_tls_password_give(answer, (int)sizeof answer, 0, password);
    if (length > 0) {
        info = PKCS8_decrypt_ex(encrypted, answer, length, ldc_tls_library(), NULL);
    }
    if (info != NULL) {
        key = EVP_PKCS82PKEY_ex(info, ldc_tls_library(), NULL);
    }
    OPENSSL_cleanse(answer, sizeof answer);
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(encrypted);
    return key;
}

static EVP_PKEY *read_key(const ldc_tls_content *content, int type, ldc_tls_password *password)
{
    BIO *bio = BIO_new_mem_buf(content->data, (int)content->size);
    EVP_PKEY *key = NULL;
    if (bio == NULL) {
        return NULL;
    }
    if (type == DICOM_TLS_CERTIFICATE_PEM) {
        key = PEM_read_bio_PrivateKey_ex(bio, NULL, ldc_tls_password_give, password,
                                         ldc_tls_library(), NULL);
    } else {
        key = d2i_PrivateKey_ex_bio(bio, NULL, ldc_tls_library(), NULL);
        if (key == NULL) {
            BIO_free(bio);
            bio = BIO_new_mem_buf(content->data, (int)content->size);
            key = bio == NULL ? NULL : read_encrypted_der(bio, password);
        }
    }
    BIO_free(bio);
    return key;
}

/* The queue of errors is full: what they mean. */
static int key_error(const ldc_tls_content *content, int type, const ldc_tls_password *password)
{
    char reason[256];
    unsigned long first = ERR_peek_error();
    const char *text = ERR_reason_error_string(first);
    snprintf(reason, sizeof reason, "%s", text == NULL ? "unknown reason" : text);
    bool answered = password->asked && !password->none && !password->too_long;
    bool legacy = ldc_tls_needs_legacy(); /* empties the queue */
    if (answered && legacy) {
        return ldc_error(
            DICOM_ERROR_TLS_PRIVATE_KEY_FILE,
            "the key in \"%s\" is encrypted with an algorithm that OpenSSL has in its legacy "
            "provider only (DES, RC2 or MD5). Encrypt it anew: \"openssl pkcs8 -topk8 -v2 "
            "aes-256-cbc -provider legacy -provider default -in FILE -out NEW\"; or load the "
            "provider: load_tls_provider(\"legacy\"), L_DicomLoadProviderTLS.",
            content->file);
    }
    if (password->asked) {
        return ldc_tls_password_error(password, content->file, reason);
    }
    bool der = type == DICOM_TLS_CERTIFICATE_ASN1;
    const char *looks = der && content->size > 0 && !ldc_tls_is_pkcs12(content->data, content->size)
                            ? ""
                            : ldc_tls_looks_like(content->data, content->size, true);
    return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_FILE,
                     "\"%s\" holds no readable private key (%s). Give a %s file with the "
                     "key of the certificate.%s",
                     content->file, reason, der ? "DER" : "PEM", looks);
}

int ldc_tls_key_load(const ldc_tls_content *content, int type, ldc_tls_password *password,
                     EVP_PKEY **key)
{
    ERR_clear_error();
    *key = content->size == 0 || content->size > LDC_FILE_LIMIT ? NULL
                                                                : read_key(content, type, password);
    if (*key == NULL) {
        return key_error(content, type, password);
    }
    ERR_clear_error();
    return DICOM_SUCCESS;
}
