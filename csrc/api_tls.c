/* api_tls.c - the public functions of TLS: cipher list, certificates, look-ups by suite, the live
 * link. */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_tls_rules.h"
#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_net.h"
#include "ldc_tables.h"
#include "ldc_tls_names.h"

/* ---- cipher list ---- */

L_INT L_DicomSetCipherToIndexTLS(HDICOMNET hNet, L_UINT32 nIndex, L_CIPHERSUITE nCipher)
{
    int rc;
    if (nIndex >= LDC_CIPHER_SLOTS) {
        return ldc_error(DICOM_ERROR_PARAMETER, "index %u is not in 0..%d", nIndex,
                         LDC_CIPHER_SLOTS - 1);
    }
    ldc_net *net = ldc_net_lock_idle(hNet, "the cipher list", &rc);
    if (net == NULL) {
        return rc;
    }
    net->choice.ciphers[nIndex] = nCipher;
    for (size_t i = nIndex; nCipher == DICOM_TLS_NONE && i < LDC_CIPHER_SLOTS; i++) {
        net->choice.ciphers[i] = DICOM_TLS_NONE;
    }
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    if (nCipher != DICOM_TLS_NONE && ldc_suite_find(nCipher) == NULL) {
        ldc_log(DICOM_LOG_WARNING, (uint64_t)(uintptr_t)hNet,
                "cipher suite 0x%04X is unknown and will be skipped", nCipher);
    }
    return DICOM_SUCCESS;
}

L_CIPHERSUITE L_DicomGetCipherFromIndexTLS(HDICOMNET hNet, L_UINT32 nIndex)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_TLS_NONE;
    }
    pthread_mutex_lock(&net->lock);
    L_CIPHERSUITE suite = nIndex < LDC_CIPHER_SLOTS ? net->choice.ciphers[nIndex] : DICOM_TLS_NONE;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return suite;
}

/* ---- look-ups by suite ---- */

static const ldc_suite no_suite = {.iana = "", .openssl = ""};

static const ldc_suite *suite_of(L_CIPHERSUITE cipher)
{
    const ldc_suite *suite = ldc_suite_find(cipher);
    return suite == NULL ? &no_suite : suite;
}

L_UINT32 L_DicomGetEncryptionAlgorithmTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher)
{
    (void)hNet;
    return suite_of(nCipher)->encryption;
}

L_UINT32 L_DicomGetAuthenticationAlgorithmTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher)
{
    (void)hNet;
    return suite_of(nCipher)->authentication;
}

L_UINT32 L_DicomGetIntegrityAlgorithmTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher)
{
    (void)hNet;
    return suite_of(nCipher)->integrity;
}

L_UINT32 L_DicomGetKeyExchangeAlgorithmTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher)
{
    (void)hNet;
    return suite_of(nCipher)->key_exchange;
}

L_UINT32 L_DicomGetEncryptKeyLengthTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher)
{
    (void)hNet;
    return suite_of(nCipher)->bits;
}

const L_TCHAR *L_DicomGetCipherNameTLS(L_CIPHERSUITE nCipher)
{
    return suite_of(nCipher)->iana;
}

const L_TCHAR *L_DicomGetCipherOpenSslNameTLS(L_CIPHERSUITE nCipher)
{
    return suite_of(nCipher)->openssl;
}

/* ---- the live link ---- */

L_CIPHERSUITE L_DicomGetCiphersuiteTLS(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_TLS_NONE;
    }
    pthread_mutex_lock(&net->lock);
    L_CIPHERSUITE suite = net->link.suite;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return suite;
}

L_UINT32 L_DicomGetMutualAuthKeyLengthTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher)
{
    ldc_net *net = ldc_net_acquire(hNet);
    L_UINT32 bits = 0;
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    if (nCipher != DICOM_TLS_NONE && nCipher == net->link.suite) {
        bits = net->link.peer_key_bits != 0 ? net->link.peer_key_bits : net->link.own_key_bits;
    }
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return bits;
}

L_UINT64 L_DicomGetErrorSecure(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    L_UINT64 error = net->last_tls_error;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return error;
}

/* The text of one piece of information, malloc'ed; the net's lock is held. */
static char *info_text(const ldc_link_info *link, L_INT what)
{
    switch (what) {
    case DICOM_TLS_INFO_VERSION:
        return ldc_strdup(link->version);
    case DICOM_TLS_INFO_GROUP:
        return ldc_strdup(link->group);
    case DICOM_TLS_INFO_VERIFIED:
        return ldc_strdup(link->verified ? "1" : "0");
    case DICOM_TLS_INFO_VERIFY_CODE:
        return ldc_format("%d", link->verify_code);
    case DICOM_TLS_INFO_RESUMED:
        return ldc_strdup(link->resumed ? "1" : "0");
    case DICOM_TLS_INFO_PEER_SUBJECT:
        return ldc_strdup(link->peer_subject == NULL ? "" : link->peer_subject);
    case DICOM_TLS_INFO_CIPHER_NAME:
        return ldc_strdup(suite_of(link->suite)->iana);
    case DICOM_TLS_INFO_CERTIFICATE_REQUESTED:
        return ldc_strdup(link->certificate_requested ? "1" : "0");
    case DICOM_TLS_INFO_CA_NAMES:
        return ldc_strdup(link->ca_names == NULL ? "" : link->ca_names);
    case DICOM_TLS_INFO_REVOCATION:
        return ldc_strdup(link->revocation == NULL ? "" : link->revocation);
    case DICOM_TLS_INFO_OCSP:
        return ldc_strdup(link->ocsp == NULL ? "" : link->ocsp);
    case DICOM_TLS_INFO_SERVER_NAME:
        return ldc_strdup(link->server_name == NULL ? "" : link->server_name);
    case DICOM_TLS_INFO_APPLICATION:
        return ldc_strdup(link->application);
    default:
        return NULL;
    }
}

L_INT L_DicomGetInfoTLS(HDICOMNET hNet, L_INT nWhat, L_TCHAR *pszText, L_UINT nChars)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    char *text = info_text(&net->link, nWhat);
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    if (text == NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "information %d is unknown. Use a DICOM_TLS_INFO_... constant.", nWhat);
    }
    int rc = DICOM_SUCCESS;
    size_t length = strlen(text);
    if (pszText == NULL || length >= nChars) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "the buffer has %u bytes, %zu are needed", nChars,
                       length + 1);
    } else {
        memcpy(pszText, text, length + 1);
    }
    free(text);
    return rc;
}

L_UINT L_DicomGetPeerCertificateCountTLS(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    int count = sk_X509_num(net->link.received);
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return count > 0 ? (L_UINT)count : 0;
}

/* Copies size bytes if there is room; *room becomes the size needed. */
static int give_bytes(const void *data, size_t size, void *buffer, L_UINT *room, const char *what)
{
    L_UINT have = *room;
    *room = (L_UINT)size;
    if (buffer == NULL) {
        return DICOM_SUCCESS;
    }
    if (have < size) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the buffer for the %s has %u bytes, %zu are needed", what, have, size);
    }
    memcpy(buffer, data, size);
    return DICOM_SUCCESS;
}

static int give_certificate(X509 *certificate, L_UCHAR *der, L_UINT *der_size, L_TCHAR *text,
                            L_UINT *text_size)
{
    int rc = DICOM_SUCCESS;
    unsigned char *encoded = NULL;
    char *readable = NULL;
    if (der_size != NULL) {
        int size = i2d_X509(certificate, &encoded);
        rc = size <= 0 ? ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate")
                       : give_bytes(encoded, (size_t)size, der, der_size, "certificate");
    }
    if (rc == DICOM_SUCCESS && text_size != NULL) {
        readable = ldc_certificate_text(certificate);
        rc = readable == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate text")
                              : give_bytes(readable, strlen(readable) + 1, text, text_size, "text");
    }
    free(readable);
    OPENSSL_free(encoded);
    ERR_clear_error();
    return rc;
}

L_INT L_DicomGetPeerCertificateTLS(HDICOMNET hNet, L_UINT nIndex, L_UCHAR *pDer, L_UINT *pnDer,
                                   L_TCHAR *pszText, L_UINT *pnText)
{
    ldc_net *net = ldc_net_acquire(hNet);
    X509 *certificate = NULL;
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    int count = sk_X509_num(net->link.received);
    if (count > 0 && nIndex < (L_UINT)count) {
        certificate = sk_X509_value(net->link.received, (int)nIndex);
        X509_up_ref(certificate);
    }
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    if (certificate == NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER, "there is no certificate %u", nIndex);
    }
    int rc = give_certificate(certificate, pDer, pnDer, pszText, pnText);
    X509_free(certificate);
    return rc;
}

L_INT L_DicomGetCertificateText(const L_UCHAR *pCert, L_UINT nCert, L_INT nType, L_TCHAR *pszText,
                                L_UINT *pnText)
{
    int rc = ldc_tls_library_start();
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (pCert == NULL || pnText == NULL ||
        (nType != DICOM_TLS_CERTIFICATE_PEM && nType != DICOM_TLS_CERTIFICATE_ASN1)) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "certificate, its type (Pem, Asn1) and pnText are needed");
    }
    ERR_clear_error();
    STACK_OF(X509) *certificates = ldc_tls_parse_certificates(pCert, nCert, nType);
    if (certificates == NULL) {
        char reason[256];
        (void)ldc_tls_take_error(reason, sizeof reason);
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE, "no readable certificate (%s)", reason);
    }
    rc = give_certificate(sk_X509_value(certificates, 0), NULL, NULL, pszText, pnText);
    sk_X509_pop_free(certificates, X509_free);
    return rc;
}

/* ---- own certificate ---- */

typedef struct asker {
    HDICOMNET handle;
    PRIVATEKEYPASSWORDCALLBACK callback;
} asker;

static int ask_password(void *arg, char *buffer, int size)
{
    asker *who = arg;
    return who->callback == NULL ? 0 : who->callback(who->handle, buffer, size, 0);
}

int api_load_credentials(HDICOMNET handle, const ldc_tls_source *certificate, int type,
                         const ldc_tls_source *key, ldc_tls_credentials **credentials)
{
    int rc;
    ldc_net *net = ldc_net_lock_idle(handle, "the certificate", &rc);
    if (net == NULL) {
        return rc;
    }
    asker who = {.handle = handle, .callback = net->callbacks_ext.pfnPrivateKeyPassword};
    pthread_mutex_unlock(&net->lock);
    rc = ldc_tls_credentials_load(certificate, type, key, ask_password, &who, credentials);
    ldc_net_put(net);
    return rc;
}

static int set_credentials(HDICOMNET handle, const ldc_tls_source *certificate, int type,
                           const ldc_tls_source *key)
{
    ldc_tls_credentials *credentials = NULL;
    ldc_net *net = ldc_net_acquire(handle);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = api_load_credentials(handle, certificate, type, key, &credentials);
    if (rc == DICOM_SUCCESS) {
        ldc_tls_credentials_hold(credentials);
        pthread_mutex_lock(&net->lock);
        bool busy = net->busy || net->reloading;
        bool named = busy || ldc_tls_origin_set(&net->origin, certificate, type, key);
        ldc_tls_credentials *old = busy || !named ? credentials : net->credentials;
        if (!busy && named) {
            net->credentials = credentials;
        }
        pthread_mutex_unlock(&net->lock);
        if (old != NULL) {
            ldc_tls_credentials_release(old);
        }
        if (!busy && named) {
            ldc_net_drop_context(net);
        }
        ldc_ref_put(&credentials->shared.ref);
        rc = busy     ? ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                                  "the net was connected while its certificate was loading")
             : !named ? ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate")
                      : DICOM_SUCCESS;
    }
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomSetClientCertificateTLS(HDICOMNET hNet, const L_TCHAR *pszCertFile, L_INT nType,
                                     const L_TCHAR *pszKeyFile)
{
    if (pszCertFile == NULL || pszCertFile[0] == '\0') {
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE, "%s", "no file name was given");
    }
    ldc_tls_source certificate = {.file = pszCertFile};
    ldc_tls_source key = {.file = pszKeyFile};
    return set_credentials(hNet, &certificate, nType, &key);
}

L_INT L_DicomSetServerCertificateTLS(HDICOMNET hNet, const L_TCHAR *pszCertFile, L_INT nType,
                                     const L_TCHAR *pszKeyFile)
{
    return L_DicomSetClientCertificateTLS(hNet, pszCertFile, nType, pszKeyFile);
}

L_INT L_DicomSetCertificateBytesTLS(HDICOMNET hNet, const L_UCHAR *pCert, L_UINT nCert, L_INT nType,
                                    const L_UCHAR *pKey, L_UINT nKey)
{
    if (pCert == NULL || nCert == 0) {
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE, "%s", "the certificate is empty");
    }
    ldc_tls_source certificate = {.file = "certificate in memory", .data = pCert, .size = nCert};
    ldc_tls_source key = {
        .file = pKey == NULL ? NULL : "key in memory", .data = pKey, .size = nKey};
    return set_credentials(hNet, &certificate, nType, &key);
}

/* ---- trust ---- */

L_INT L_DicomSetCABytesTLS(HDICOMNET hNet, const L_UCHAR *pPem, L_UINT nPem)
{
    int rc;
    ldc_tls_settings *changed = NULL;
    if (pPem == NULL) {
        return ldc_error(DICOM_ERROR_TLS_CA_FILE, "%s", "no certificates were given");
    }
    ldc_net *net = ldc_net_lock_idle(hNet, "the CA certificates", &rc);
    if (net == NULL) {
        return rc;
    }
    if (net->settings == NULL) {
        rc = ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                       "the net is not TLS. Initialize it with mode Tls first.");
    } else {
        rc = ldc_tls_settings_with_ca(
            net->settings,
            &(ldc_tls_source){.file = "CA certificates in memory", .data = pPem, .size = nPem},
            &changed);
    }
    if (rc == DICOM_SUCCESS) {
        ldc_ref_put(&net->settings->ref);
        net->settings = changed;
    }
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomSetExpectedHostTLS(HDICOMNET hNet, const L_TCHAR *pszHost)
{
    int rc;
    char name[LDC_DNS_NAME];
    bool wanted = pszHost != NULL && pszHost[0] != '\0';
    if (wanted && !ldc_host_name(pszHost, name)) {
        return ldc_error(
            DICOM_ERROR_PARAMETER,
            "\"%.100s\" is no host that a certificate may be for. Give an IP address, or "
            "a DNS name in ASCII, without port and \"*\".",
            pszHost);
    }
    char *copy = wanted ? ldc_strdup(name) : NULL;
    if (wanted && copy == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "host name");
    }
    ldc_net *net = ldc_net_lock_idle(hNet, "the expected host", &rc);
    if (net != NULL) {
        char *old = net->choice.expected_host;
        net->choice.expected_host = copy;
        copy = old;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    free(copy);
    return rc;
}

L_INT L_DicomSetSendCANamesTLS(HDICOMNET hNet, L_BOOL bSend)
{
    int rc;
    ldc_net *net = ldc_net_lock_idle(hNet, "send_ca_names", &rc);
    if (net != NULL) {
        net->choice.send_ca_names = bSend != 0;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    return rc;
}

L_INT L_DicomSetSessionResumptionTLS(HDICOMNET hNet, L_BOOL bOn)
{
    int rc;
    ldc_net *net = ldc_net_lock_idle(hNet, "session resumption", &rc);
    if (net != NULL) {
        net->choice.resumption = bOn != 0;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    return rc;
}
