/* ldc_tls_pkcs12.c - certificate, chain and key out of one PKCS #12 text (RFC 7292). */
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tls_keys.h"

/* SEQUENCE { INTEGER 3, SEQUENCE { OBJECT pkcs7-data or -signedData ... is enough to tell it from a
 * certificate and from a key. */
bool ldc_tls_is_pkcs12(const unsigned char *data, size_t size)
{
    static const unsigned char version[] = {0x02, 0x01, 0x03, 0x30};
    size_t at = 2;
    if (size < 2 || data[0] != 0x30) {
        return false;
    }
    if ((data[1] & 0x80) != 0) {
        at += data[1] & 0x7fu; /* 0: indefinite */
    }
    return at < size && size - at > sizeof version &&
           memcmp(data + at, version, sizeof version) == 0;
}

/* ---- reading, in a library context ---- */

typedef struct opened {
    X509 *leaf;
    STACK_OF(X509) * others;
    EVP_PKEY *key;
    bool old; /* not read: the algorithms are not in this context */
} opened;

static void opened_free(opened *parts)
{
    X509_free(parts->leaf);
    sk_X509_pop_free(parts->others, X509_free);
    EVP_PKEY_free(parts->key);
    memset(parts, 0, sizeof *parts);
}

static PKCS12 *decode(const ldc_tls_content *content, OSSL_LIB_CTX *library)
{
    PKCS12 *store = PKCS12_init_ex(NID_pkcs7_data, library, NULL);
    const unsigned char *at = content->data;
    if (store != NULL && d2i_PKCS12(&store, &at, (long)content->size) == NULL) {
        return NULL; /* it has been freed */
    }
    return store;
}

/* NULL and "" are two different passwords (RFC 7292 B.1), and tools mean "none" with either.
 * Without a MAC there is nothing to try a password with: such a text is read if nothing in it is
 * encrypted. */
static bool opens_without_password(PKCS12 *store)
{
    return PKCS12_mac_present(store) != 1 || PKCS12_verify_mac(store, NULL, 0) == 1 ||
           PKCS12_verify_mac(store, "", 0) == 1;
}

static int parse_error(const ldc_tls_content *content, const ldc_tls_password *password,
                       opened *parts)
{
    unsigned long last = ERR_peek_last_error();
    unsigned long first = ERR_peek_error();
    char reason[160];
    const char *text = ERR_reason_error_string(first);
    snprintf(reason, sizeof reason, "%s", text == NULL ? "unknown reason" : text);
    bool wrong =
        ERR_GET_LIB(last) == ERR_LIB_PKCS12 && ERR_GET_REASON(last) == PKCS12_R_MAC_VERIFY_FAILURE;
    parts->old = ldc_tls_needs_legacy(); /* empties the queue */
    if (parts->old) {
        return ldc_error(
            DICOM_ERROR_TLS_PRIVATE_KEY_FILE,
            "\"%s\" is PKCS #12 encrypted with RC2 or another algorithm that OpenSSL has in its "
            "legacy provider only. Export it anew with AES-256, or convert it: \"openssl pkcs12 "
            "-legacy -in FILE -out both.pem\", then \"openssl pkcs12 -export -in both.pem -out "
            "NEW\"; or allow it for this file: with the type Pkcs12Legacy.",
            content->file);
    }
    if (wrong || password->asked) {
        bool cut = password->length > 0 && strlen(password->answer) != (size_t)password->length;
        return ldc_tls_password_error(password, content->file,
                                      cut     ? "it has a NUL character"
                                      : wrong ? "wrong password"
                                              : reason);
    }
    return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE,
                     "\"%s\" holds no readable PKCS #12 (%s). Give a file that ends with .p12 or "
                     ".pfx as it was exported.",
                     content->file, reason);
}

static int read_parts(const ldc_tls_content *content, OSSL_LIB_CTX *library,
                      ldc_tls_password *password, opened *parts)
{
    ERR_clear_error();
    PKCS12 *store = decode(content, library);
    if (store == NULL) {
        return parse_error(content, password, parts);
    }
    const char *answer = NULL;
    bool good = true;
    if (!opens_without_password(store)) {
        ERR_clear_error();
        ldc_tls_password_ask(password);
        good = !password->none && !password->too_long &&
               strlen(password->answer) == (size_t)password->length;
        answer = password->answer;
    }
    ERR_clear_error();
    if (good) {
        good = PKCS12_parse(store, answer, &parts->key, &parts->leaf, &parts->others) == 1;
    }
    PKCS12_free(store);
    return good ? DICOM_SUCCESS : parse_error(content, password, parts);
}

/* ---- what was read with the legacy provider: the same in our own context ---- */

static X509 *moved_certificate(const X509 *certificate)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    const unsigned char *at = der;
    X509 *result = size <= 0 ? NULL : X509_new_ex(ldc_tls_library(), NULL);
    if (result != NULL && d2i_X509(&result, &at, size) == NULL) {
        result = NULL; /* it has been freed */
    }
    OPENSSL_free(der);
    return result;
}

static bool move_here(opened *from, opened *to)
{
    PKCS8_PRIV_KEY_INFO *info = from->key == NULL ? NULL : EVP_PKEY2PKCS8(from->key);
    to->key = info == NULL ? NULL : EVP_PKCS82PKEY_ex(info, ldc_tls_library(), NULL);
    PKCS8_PRIV_KEY_INFO_free(info);
    to->leaf = from->leaf == NULL ? NULL : moved_certificate(from->leaf);
    to->others = sk_X509_new_null();
    bool done = to->others != NULL && (from->key == NULL) == (to->key == NULL) &&
                (from->leaf == NULL) == (to->leaf == NULL);
    for (int i = 0; done && i < sk_X509_num(from->others); i++) {
        X509 *one = moved_certificate(sk_X509_value(from->others, i));
        done = one != NULL && sk_X509_push(to->others, one) > 0;
        if (!done) {
            X509_free(one);
        }
    }
    return done;
}

static int read_with_legacy(const ldc_tls_content *content, ldc_tls_password *password,
                            opened *parts)
{
    opened there = {.old = false};
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *ordinary = library == NULL ? NULL : OSSL_PROVIDER_load(library, "default");
    OSSL_PROVIDER *legacy = library == NULL ? NULL : OSSL_PROVIDER_load(library, "legacy");
    int rc = DICOM_SUCCESS;
    if (ordinary == NULL || legacy == NULL) {
        char reason[256];
        (void)ldc_tls_take_error(reason, sizeof reason);
        rc = ldc_error(DICOM_ERROR_TLS_FAILURE,
                       "OpenSSL's legacy provider cannot be loaded (%s). Install it (legacy.so, on "
                       "Debian 13 the package openssl-provider-legacy), or convert \"%s\".",
                       reason, content->file);
    } else {
        rc = read_parts(content, library, password, &there);
    }
    if (rc == DICOM_SUCCESS && !move_here(&there, parts)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "PKCS #12");
    }
    opened_free(&there);
    if (legacy != NULL) {
        OSSL_PROVIDER_unload(legacy);
    }
    if (ordinary != NULL) {
        OSSL_PROVIDER_unload(ordinary);
    }
    OSSL_LIB_CTX_free(library);
    ERR_clear_error();
    return rc;
}

/* ---- the chain ---- */

/* Leaf's issuer first, as TLS 1.2 wants it (RFC 5246 7.4.2): the text keeps no order. What does not
 * belong to the chain stays behind it. false: no memory. */
static bool order_chain(X509 *leaf, STACK_OF(X509) * others)
{
    X509 *last = leaf;
    for (int done = 0; done < sk_X509_num(others); done++) {
        int found = done;
        while (found < sk_X509_num(others) &&
               X509_check_issued(sk_X509_value(others, found), last) != X509_V_OK) {
            found++;
        }
        if (found == sk_X509_num(others)) {
            break;
        }
        last = sk_X509_delete(others, found);
        if (sk_X509_insert(others, last, done) <= 0) {
            X509_free(last);
            return false;
        }
    }
    return true;
}

int ldc_tls_pkcs12_load(const ldc_tls_content *content, bool legacy, ldc_tls_password *password,
                        X509 **leaf, STACK_OF(X509) * *chain, EVP_PKEY **key)
{
    opened parts = {.old = false};
    int rc = read_parts(content, ldc_tls_library(), password, &parts);
    if (parts.old && legacy) {
        opened_free(&parts);
        rc = read_with_legacy(content, password, &parts);
    }
    if (rc == DICOM_SUCCESS && parts.others == NULL) {
        parts.others = sk_X509_new_null();
    }
    if (rc == DICOM_SUCCESS && parts.key == NULL) {
        rc = ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_FILE,
                       "\"%s\" has no private key. Export it together with the certificate.",
                       content->file);
    } else if (rc == DICOM_SUCCESS && parts.leaf == NULL) {
        rc = sk_X509_num(parts.others) > 0
                 ? ldc_error(DICOM_ERROR_TLS_KEY_MISMATCH,
                             "no certificate in \"%s\" belongs to the key in it. Export key and "
                             "certificate together.",
                             content->file)
                 : ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE,
                             "\"%s\" has a private key, but no certificate. Export both together.",
                             content->file);
    } else if (rc == DICOM_SUCCESS &&
               (parts.others == NULL || !order_chain(parts.leaf, parts.others))) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "PKCS #12");
    }
    ERR_clear_error();
    if (rc != DICOM_SUCCESS) {
        opened_free(&parts);
        return rc;
    }
    *leaf = parts.leaf;
    *chain = parts.others;
    *key = parts.key;
    return DICOM_SUCCESS;
}
