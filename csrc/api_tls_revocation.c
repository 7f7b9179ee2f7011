/* api_tls_revocation.c - the public functions of revocation: lists, soft fail, OCSP staples. */
#include <stdlib.h>
#include <string.h>

#include "api_tls_rules.h"
#include "ldc_error.h"
#include "ldc_net.h"

L_INT L_DicomSetCrlPathsTLS(HDICOMNET hNet, const L_TCHAR *const *ppszPaths, L_UINT nPaths)
{
    int rc = DICOM_SUCCESS;
    ldc_tls_revocation made = {.path_count = nPaths};
    for (L_UINT i = 0; i < nPaths; i++) {
        if (ppszPaths == NULL || ppszPaths[i] == NULL || ppszPaths[i][0] == '\0') {
            return ldc_error(DICOM_ERROR_PARAMETER, "path %u of the revocation lists is empty", i);
        }
    }
    if (nPaths > 0) {
        rc = ldc_tls_crls_load(ppszPaths, nPaths, &made.crls);
    }
    if (rc == DICOM_SUCCESS && !ldc_tls_paths_copy(ppszPaths, nPaths, &made.paths)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "revocation lists");
    }
    ldc_net *net = rc == DICOM_SUCCESS ? ldc_net_lock_idle(hNet, "the CRL files", &rc) : NULL;
    if (net != NULL) {
        ldc_tls_revocation *revocation = &net->choice.revocation;
        ldc_tls_revocation old = {.crls = revocation->crls,
                                  .paths = revocation->paths,
                                  .path_count = revocation->path_count};
        revocation->crls = made.crls;
        revocation->paths = made.paths;
        revocation->path_count = made.path_count;
        made = old;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    ldc_tls_revocation_clear(&made);
    return rc;
}

L_INT L_DicomSetCrlFileTLS(HDICOMNET hNet, const L_TCHAR *pszFile)
{
    bool wanted = pszFile != NULL && pszFile[0] != '\0';
    return L_DicomSetCrlPathsTLS(hNet, &pszFile, wanted ? 1 : 0);
}

L_INT L_DicomSetRevocationTLS(HDICOMNET hNet, L_BOOL bLeafOnly, L_BOOL bSoftFail)
{
    int rc;
    ldc_net *net = ldc_net_lock_idle(hNet, "the check of revocation lists", &rc);
    if (net != NULL) {
        net->choice.revocation.leaf_only = bLeafOnly != 0;
        net->choice.revocation.soft_fail = bSoftFail != 0;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    return rc;
}

L_INT L_DicomSetOcspTLS(HDICOMNET hNet, L_INT nMode)
{
    int rc;
    if (nMode != DICOM_OCSP_OFF && nMode != DICOM_OCSP_CHECK && nMode != DICOM_OCSP_REQUIRE) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "OCSP mode %d. Use DICOM_OCSP_OFF (0), DICOM_OCSP_CHECK (1) or "
                         "DICOM_OCSP_REQUIRE (2).",
                         nMode);
    }
    ldc_net *net = ldc_net_lock_idle(hNet, "the OCSP mode", &rc);
    if (net != NULL) {
        net->choice.revocation.ocsp = nMode;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    return rc;
}

int api_try_staple(HDICOMNET handle, const char *file, const ldc_tls_credentials *credentials)
{
    ldc_net_tls taken = {0};
    ldc_tls_staple *staple = NULL;
    int rc = ldc_tls_staple_peek(file);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    ldc_net *net = ldc_net_acquire(handle);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    bool done = ldc_net_take_tls(net, &taken);
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    if (!done) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "OCSP staple");
    }
    if (credentials == NULL) {
        credentials = taken.credentials;
    }
    if (credentials != NULL) {
        ldc_tls_anchors *anchors = taken.settings == NULL ? NULL : taken.settings->anchors;
        bool computed = ldc_compute(true);
        rc = ldc_tls_staple_new(file, credentials, anchors, &staple);
        (void)ldc_compute(computed);
        ldc_tls_staple_free(staple);
    }
    ldc_net_give_tls(&taken);
    return rc;
}

L_INT L_DicomSetOcspStapleTLS(HDICOMNET hNet, const L_TCHAR *pszFile)
{
    bool wanted = pszFile != NULL && pszFile[0] != '\0';
    int rc = wanted ? api_try_staple(hNet, pszFile, NULL) : DICOM_SUCCESS;
    char *file = rc == DICOM_SUCCESS && wanted ? ldc_strdup(pszFile) : NULL;
    if (rc == DICOM_SUCCESS && wanted && file == NULL) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "OCSP staple");
    }
    ldc_net *net = rc == DICOM_SUCCESS ? ldc_net_lock_idle(hNet, "the OCSP staple", &rc) : NULL;
    if (net != NULL) {
        char *old = net->choice.revocation.staple_file;
        net->choice.revocation.staple_file = file;
        file = old;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    free(file);
    return rc;
}
