/* api_tls_rules.c - the public functions of pins, purposes, keys, and of more CA certificates. */
#include "api_tls_rules.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"

int api_change_rules(HDICOMNET handle, const char *what,
                     int (*change)(ldc_tls_rules *rules, const void *value), const void *value)
{
    int rc;
    ldc_net *net = ldc_net_lock_idle(handle, what, &rc);
    if (net == NULL) {
        return rc;
    }
    ldc_tls_rules *old = net->choice.rules;
    ldc_tls_rules *rules = ldc_tls_rules_copy(old, true);
    rc = rules == NULL ? DICOM_ERROR_MEMORY : change(rules, value);
    if (rc != DICOM_SUCCESS) {
        old = rules;
    } else {
        net->choice.rules = rules;
    }
    pthread_mutex_unlock(&net->lock);
    if (old != NULL) {
        ldc_ref_put(&old->ref);
    }
    ldc_net_put(net);
    return rc == DICOM_ERROR_MEMORY ? ldc_error(rc, "%s", what) : rc;
}

int api_replace_text(char **text, const char *value)
{
    free(*text);
    *text = ldc_strdup(value);
    return value == NULL || *text != NULL ? DICOM_SUCCESS : DICOM_ERROR_MEMORY;
}

/* ---- pins ---- */

typedef struct pin_list {
    bool only;
    size_t count;
    ldc_tls_pin pins[LDC_PINS];
} pin_list;

static int set_pins(ldc_tls_rules *rules, const void *value)
{
    const pin_list *list = value;
    rules->pins_only = list->only && list->count > 0;
    rules->pin_count = list->count;
    memcpy(rules->pins, list->pins, sizeof rules->pins);
    return DICOM_SUCCESS;
}

static size_t blank_length(const char *text)
{
    return strspn(text, " \t\r\n,");
}

L_INT L_DicomSetPinsTLS(HDICOMNET hNet, const L_TCHAR *pszPins, L_BOOL bOnly)
{
    pin_list list = {.only = bOnly != 0};
    const char *at = pszPins == NULL ? "" : pszPins;
    for (at += blank_length(at); *at != '\0'; at += blank_length(at)) {
        size_t length = strcspn(at, " \t\r\n,");
        if (list.count == LDC_PINS) {
            return ldc_error(DICOM_ERROR_PARAMETER, "there are more than %d pins", LDC_PINS);
        }
        int rc = ldc_tls_pin_parse(at, length, &list.pins[list.count]);
        if (rc != DICOM_SUCCESS) {
            return rc;
        }
        list.count++;
        at += length;
    }
    if (list.count == 0 && bOnly != 0) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "pins are to be the only trust, and none is given. Give at least one.");
    }
    return api_change_rules(hNet, "the pins", set_pins, &list);
}

L_INT L_DicomGetPinTLS(const L_UCHAR *pCert, L_UINT nCert, L_INT nType, L_INT nKind,
                       L_TCHAR *pszPin, L_UINT nChars)
{
    char text[LDC_PIN_TEXT];
    ldc_tls_pin pin;
    int rc = ldc_tls_library_start();
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (pCert == NULL || pszPin == NULL || nChars < LDC_PIN_TEXT ||
        (nType != DICOM_TLS_CERTIFICATE_PEM && nType != DICOM_TLS_CERTIFICATE_ASN1) ||
        (nKind != DICOM_TLS_PIN_CERTIFICATE && nKind != DICOM_TLS_PIN_KEY)) {
        return ldc_error(
            DICOM_ERROR_PARAMETER,
            "a certificate, its type (Pem, Asn1), DICOM_TLS_PIN_... and a buffer of %d "
            "bytes are needed",
            LDC_PIN_TEXT);
    }
    ERR_clear_error();
    STACK_OF(X509) *certificates = ldc_tls_parse_certificates(pCert, nCert, nType);
    char reason[256];
    (void)ldc_tls_take_error(reason, sizeof reason);
    if (certificates == NULL) {
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE, "no readable certificate (%s)", reason);
    }
    if (ldc_tls_pin_make(sk_X509_value(certificates, 0), nKind, &pin)) {
        ldc_tls_pin_text(&pin, text);
        memcpy(pszPin, text, strlen(text) + 1);
    } else {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "pin");
    }
    sk_X509_pop_free(certificates, X509_free);
    return rc;
}

/* ---- purposes, keys, chains ---- */

static int set_purpose(ldc_tls_rules *rules, const void *value)
{
    rules->purpose = *(const L_INT *)value;
    return DICOM_SUCCESS;
}

L_INT L_DicomSetPurposeCheckTLS(HDICOMNET hNet, L_INT nMode)
{
    if (nMode < DICOM_TLS_PURPOSE_DEFAULT || nMode > DICOM_TLS_PURPOSE_ANY) {
        return ldc_error(DICOM_ERROR_PARAMETER, "purpose check %d. Use DICOM_TLS_PURPOSE_...",
                         nMode);
    }
    int rc = api_change_rules(hNet, "the purpose check", set_purpose, &nMode);
    if (rc == DICOM_SUCCESS && nMode == DICOM_TLS_PURPOSE_ANY) {
        ldc_log(
            DICOM_LOG_WARNING, (uint64_t)(uintptr_t)hNet, "%s",
            "the purposes of the peer's certificate are not checked: a server's certificate will "
            "do for a client, and the other way round");
    }
    return rc;
}

static int set_minima(ldc_tls_rules *rules, const void *value)
{
    rules->minima = *(const ldc_tls_minima *)value;
    return DICOM_SUCCESS;
}

L_INT L_DicomSetMinimumStrengthTLS(HDICOMNET hNet, L_UINT nRsaBits, L_UINT nEcBits,
                                   L_UINT nHashBits)
{
    const ldc_tls_minima least = {.rsa_bits = nRsaBits, .ec_bits = nEcBits, .hash_bits = nHashBits};
    if (nRsaBits > 16384 || nEcBits > 521 || nHashBits > 512) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "RSA %u, EC %u, hash %u bits: at most 16384, 521 and 512 can be asked for",
                         nRsaBits, nEcBits, nHashBits);
    }
    return api_change_rules(hNet, "the minimum strength", set_minima, &least);
}

static int set_whole_chain(ldc_tls_rules *rules, const void *value)
{
    rules->whole_chain = *(const L_BOOL *)value == 0;
    return DICOM_SUCCESS;
}

L_INT L_DicomSetPartialChainTLS(HDICOMNET hNet, L_BOOL bAllow)
{
    return api_change_rules(hNet, "partial chains", set_whole_chain, &bAllow);
}

/* ---- more CA certificates ---- */

static int add_trust(HDICOMNET handle, ldc_tls_trust kind, const char *path)
{
    int rc;
    ldc_tls_settings *changed = NULL;
    ldc_net *net = ldc_net_lock_idle(handle, "the CA certificates", &rc);
    if (net == NULL) {
        return rc;
    }
    ldc_tls_settings *from = net->settings;
    if (from != NULL) {
        ldc_ref_get(&from->ref);
    }
    pthread_mutex_unlock(&net->lock);
    if (from == NULL) {
        ldc_net_put(net);
        return ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                         "the net is not TLS. Initialize it with mode Tls first.");
    }
    rc = ldc_tls_trust_add(from, kind, path, net->id, &changed);
    if (rc == DICOM_SUCCESS) {
        pthread_mutex_lock(&net->lock);
        bool same = !net->busy && !net->reloading && net->settings == from;
        if (same) {
            net->settings = changed;
            changed = from; /* its reference was the net's */
        }
        pthread_mutex_unlock(&net->lock);
        ldc_ref_put(&changed->ref);
        rc = same ? DICOM_SUCCESS
                  : ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                              "the net was connected or initialized while its CA certificates were "
                              "loading");
    }
    ldc_ref_put(&from->ref);
    ldc_net_put(net);
    return rc;
}

static int add_path(HDICOMNET handle, ldc_tls_trust kind, const char *path)
{
    return path == NULL || path[0] == '\0'
               ? ldc_error(DICOM_ERROR_TLS_CA_FILE, "%s", "no path was given")
               : add_trust(handle, kind, path);
}

L_INT L_DicomAddCAFileTLS(HDICOMNET hNet, const L_TCHAR *pszFile)
{
    return add_path(hNet, LDC_TRUST_FILE, pszFile);
}

L_INT L_DicomAddCAFolderTLS(HDICOMNET hNet, const L_TCHAR *pszFolder)
{
    return add_path(hNet, LDC_TRUST_FOLDER, pszFolder);
}

L_INT L_DicomAddSystemTrustTLS(HDICOMNET hNet)
{
    return add_trust(hNet, LDC_TRUST_SYSTEM, NULL);
}
