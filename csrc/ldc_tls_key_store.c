/* ldc_tls_key_store.c - keys and certificates named by a URI, out of the store of an OpenSSL
 * provider: tokens by "pkcs11:" (RFC 7512), and what else a loaded provider serves. */
#include <openssl/err.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tls_keys.h"

enum {
    SCHEME_SIZE = 32
};

/* RFC 3986 3.1. One letter is none: it may be the drive of a path. "" = no scheme. */
static void scheme_of(const char *name, char scheme[SCHEME_SIZE])
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+.-");
    scheme[0] = '\0';
    if (length >= 2 && length < SCHEME_SIZE && name[length] == ':' && name[0] >= 'a') {
        memcpy(scheme, name, length);
        scheme[length] = '\0';
    }
}

static bool served(const char *scheme)
{
    OSSL_STORE_LOADER *loader = OSSL_STORE_LOADER_fetch(ldc_tls_library(), scheme, NULL);
    OSSL_STORE_LOADER_free(loader);
    ERR_clear_error();
    return loader != NULL;
}

bool ldc_tls_is_uri(const char *name)
{
    char scheme[SCHEME_SIZE];
    if (name == NULL) {
        return false;
    }
    scheme_of(name, scheme);
    if (scheme[0] == '\0' || strcmp(scheme, "file") == 0) {
        return false;
    }
    return strcmp(scheme, "pkcs11") == 0 ||
           (ldc_tls_library_start() == DICOM_SUCCESS && served(scheme));
}

char *ldc_tls_uri_shown(const char *uri)
{
    static const char pin[] = "pin-value=";
    ldc_text shown;
    ldc_text_init(&shown);
    for (const char *at; (at = strstr(uri, pin)) != NULL;) {
        at += sizeof pin - 1;
        ldc_text_append(&shown, uri, (size_t)(at - uri));
        ldc_text_append_string(&shown, "***");
        uri = at + strcspn(at, "&;?");
    }
    ldc_text_append_string(&shown, uri);
    return ldc_text_take(&shown);
}

/* ---- looking into the store ---- */

typedef struct look {
    int wanted;                    /* OSSL_STORE_INFO_PKEY or _CERT */
    X509 *leaf;                    /* lent: whose key is wanted */
    EVP_PKEY *key;                 /* found, owned: that of the leaf, else the first */
    bool fits;                     /* it is the leaf's */
    STACK_OF(X509) * certificates; /* found, owned */
} look;

static void look_free(look *found)
{
    EVP_PKEY_free(found->key);
    sk_X509_pop_free(found->certificates, X509_free);
}

static bool take(look *found, OSSL_STORE_INFO *info)
{
    int type = OSSL_STORE_INFO_get_type(info);
    if (type != found->wanted) {
        return true;
    }
    if (type == OSSL_STORE_INFO_PKEY) {
        bool fits = X509_check_private_key(found->leaf, OSSL_STORE_INFO_get0_PKEY(info)) == 1;
        if (found->key == NULL || (fits && !found->fits)) {
            EVP_PKEY_free(found->key);
            found->key = OSSL_STORE_INFO_get1_PKEY(info);
            found->fits = fits;
        }
        ERR_clear_error();
        return found->key != NULL;
    }
    X509 *certificate = OSSL_STORE_INFO_get1_CERT(info);
    if (certificate == NULL || sk_X509_push(found->certificates, certificate) <= 0) {
        X509_free(certificate);
        return false;
    }
    return true;
}

static bool look_into(const char *uri, ldc_tls_password *password, look *found)
{
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(ldc_tls_password_give, 0);
    OSSL_STORE_CTX *store = NULL;
    bool good = ui != NULL;
    found->certificates = sk_X509_new_null();
    password->once = true;
    password->given = false;
    if (good && found->certificates != NULL) {
        store = OSSL_STORE_open_ex(uri, ldc_tls_library(), NULL, ui, password, NULL, NULL, NULL);
    }
    good = store != NULL && OSSL_STORE_expect(store, found->wanted) == 1;
    while (good && OSSL_STORE_eof(store) == 0) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info == NULL) {
            good = OSSL_STORE_error(store) == 0;
            break;
        }
        good = take(found, info);
        OSSL_STORE_INFO_free(info);
    }
    if (store != NULL) {
        OSSL_STORE_close(store);
    }
    UI_destroy_method(ui);
    return good;
}

static int store_error(const char *uri, const char *shown, const ldc_tls_password *password,
                       int code, const char *what)
{
    char scheme[SCHEME_SIZE];
    char reason[256];
    (void)ldc_tls_take_error(reason, sizeof reason);
    scheme_of(uri, scheme);
    if (!served(scheme)) {
        return ldc_error(
            code,
            "no OpenSSL provider for \"%s:\" is loaded, so \"%s\" cannot be read. Load one first, "
            "for example load_tls_provider(\"pkcs11\", parameters={\"pkcs11-module-path\": "
            "\"/usr/lib/softhsm/libsofthsm2.so\"}); L_DicomLoadProviderTLS in C.",
            scheme, shown);
    }
    if (password->too_long) {
        return ldc_tls_password_error(password, shown, reason);
    }
    if (password->asked && password->none) {
        return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
                         "\"%s\" wants a PIN and none was given. Return it from "
                         "OnPrivateKeyPassword, or name a file with it: pin-source=file:PATH.",
                         shown);
    }
    if (password->asked && password->given) {
        return ldc_error(DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD,
                         "\"%s\" cannot be opened with the PIN given (%s). Check the PIN; a token "
                         "locks itself after a few wrong ones.",
                         shown, reason);
    }
    return ldc_error(code,
                     "no %s is found at \"%s\" (%s). Check token, object and id of the URI; "
                     "\"pkcs11-tool --list-objects\" shows what a token has.",
                     what, shown, reason[0] == '\0' ? "nothing fits" : reason);
}

int ldc_tls_store_key(const char *uri, const char *shown, X509 *leaf, ldc_tls_password *password,
                      EVP_PKEY **key)
{
    look found = {.wanted = OSSL_STORE_INFO_PKEY, .leaf = leaf};
    int rc = DICOM_SUCCESS;
    ERR_clear_error();
    if (!look_into(uri, password, &found) || found.key == NULL) {
        rc = store_error(uri, shown, password, DICOM_ERROR_TLS_PRIVATE_KEY_FILE, "private key");
    } else {
        *key = found.key;
        found.key = NULL;
    }
    look_free(&found);
    ERR_clear_error();
    return rc;
}

int ldc_tls_store_certificates(const char *uri, const char *shown, ldc_tls_password *password,
                               STACK_OF(X509) * *certificates)
{
    look found = {.wanted = OSSL_STORE_INFO_CERT};
    int rc = DICOM_SUCCESS;
    ERR_clear_error();
    if (!look_into(uri, password, &found) || sk_X509_num(found.certificates) <= 0) {
        rc = store_error(uri, shown, password, DICOM_ERROR_TLS_CERTIFICATE_FILE, "certificate");
    } else {
        *certificates = found.certificates;
        found.certificates = NULL;
    }
    look_free(&found);
    ERR_clear_error();
    return rc;
}
