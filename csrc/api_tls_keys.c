/* api_tls_keys.c - the public functions around keys: providers, what OpenSSL has, the key log; all
 * settings handed on. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_net.h"
#include "ldc_text.h"
#include "ldc_tls_keylog.h"
#include "ldc_tls_keys.h"

L_INT L_DicomLoadProviderTLS(const L_TCHAR *pszName, const L_TCHAR *pszModule,
                             const L_TCHAR *pszParameters)
{
    return ldc_tls_provider_load(pszName, pszModule, pszParameters);
}

/* NULL: no such thing, or no memory. */
static char *library_text(L_INT what)
{
    ldc_text text;
    ldc_text_init(&text);
    switch (what) {
    case DICOM_TLS_LIBRARY_VERSION:
        ldc_text_append_string(&text, OpenSSL_version(OPENSSL_VERSION));
        break;
    case DICOM_TLS_LIBRARY_GROUPS:
    case DICOM_TLS_LIBRARY_HYBRID_GROUPS:
        ldc_tls_list_groups(&text, what == DICOM_TLS_LIBRARY_HYBRID_GROUPS);
        break;
    case DICOM_TLS_LIBRARY_PROVIDERS:
        ldc_tls_list_providers(&text);
        break;
    default:
        return NULL;
    }
    return ldc_text_take(&text);
}

L_INT L_DicomGetLibraryTLS(L_INT nWhat, L_TCHAR *pszText, L_UINT nChars)
{
    int rc = ldc_tls_library_start();
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    char *text = library_text(nWhat);
    if (text == NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "information %d is unknown. Use a DICOM_TLS_LIBRARY_... constant.", nWhat);
    }
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

L_INT L_DicomSetKeyLogFileTLS(HDICOMNET hNet, const L_TCHAR *pszFile)
{
    int rc = DICOM_SUCCESS;
    ldc_tls_keylog *keylog = NULL;
    bool wanted = pszFile != NULL && pszFile[0] != '\0';
    ldc_net *net = ldc_net_lock_idle(hNet, "the key log", &rc);
    if (net == NULL) {
        return rc;
    }
    if (wanted) {
        rc = ldc_tls_keylog_open(pszFile, &keylog);
    }
    if (rc == DICOM_SUCCESS) {
        ldc_tls_keylog *old = net->choice.keylog;
        net->choice.keylog = keylog;
        keylog = old;
    }
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    if (keylog != NULL) {
        ldc_ref_put(&keylog->ref);
    }
    if (rc == DICOM_SUCCESS && wanted) {
        ldc_log(DICOM_LOG_WARNING, (uint64_t)(uintptr_t)hNet,
                "the secrets of TLS links will be written to \"%s\": who reads that file can "
                "decrypt them. For debugging only.",
                pszFile);
    }
    return rc;
}

/* ---- all settings of one net for another ---- */

typedef struct all_settings {
    ldc_tls_settings *settings;       /* a reference */
    ldc_tls_credentials *credentials; /* held, or NULL */
    ldc_tls_choice choice;
    ldc_tls_origin origin; /* of the credentials */
} all_settings;

static void let_go(all_settings *all)
{
    if (all->settings != NULL) {
        ldc_ref_put(&all->settings->ref);
    }
    if (all->credentials != NULL) {
        ldc_tls_credentials_release(all->credentials);
    }
    ldc_tls_choice_clear(&all->choice);
    ldc_tls_origin_clear(&all->origin);
}

static int take_all(HDICOMNET handle, all_settings *all)
{
    int rc = DICOM_SUCCESS;
    ldc_net *net = ldc_net_acquire(handle);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    if (net->settings == NULL) {
        rc = ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                       "the net to copy from is not TLS. Initialize it with mode Tls first.");
    } else if (!ldc_tls_choice_copy(&all->choice, &net->choice) ||
               !ldc_tls_origin_copy(&all->origin, &net->origin)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS settings");
    } else {
        ldc_ref_get(&net->settings->ref);
        all->settings = net->settings;
        all->credentials = net->credentials;
        if (all->credentials != NULL) {
            ldc_tls_credentials_hold(all->credentials);
        }
    }
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomCopySettingsTLS(HDICOMNET hFrom, HDICOMNET hTo)
{
    all_settings all;
    memset(&all, 0, sizeof all);
    int rc = take_all(hFrom, &all);
    ldc_net *net = rc == DICOM_SUCCESS ? ldc_net_lock_idle(hTo, "its TLS settings", &rc) : NULL;
    bool taken = false;
    if (net != NULL && net->settings == NULL) {
        rc = ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                       "the net to copy to is not TLS. Initialize it with mode Tls first.");
    } else if (net != NULL) {
        all_settings old = {net->settings, net->credentials, net->choice, net->origin};
        net->settings = all.settings;
        net->credentials = all.credentials;
        net->choice = all.choice;
        net->origin = all.origin;
        all = old;
        taken = true;
    }
    if (net != NULL) {
        pthread_mutex_unlock(&net->lock);
        if (taken) {
            ldc_net_drop_context(net);
        }
        ldc_net_put(net);
    }
    let_go(&all);
    return rc;
}
