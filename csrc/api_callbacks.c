/* api_callbacks.c - the public functions about whom a net tells: callbacks, their user data, their
 * failures. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_net.h"

L_INT L_DicomSetCallback(HDICOMNET hNet, pDICOMNETCALLBACK pCallback)
{
    DICOMNETCALLBACK table = {0};
    /* An older program's structure is shorter: what it does not know is not called. */
    if (pCallback != NULL) {
        if (pCallback->uStructSize < offsetof(DICOMNETCALLBACK, pfnSend) ||
            pCallback->uStructSize > sizeof table) {
            return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                             "uStructSize must be sizeof(DICOMNETCALLBACK)");
        }
        memcpy(&table, pCallback, pCallback->uStructSize);
    }
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    net->callbacks = table;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return DICOM_SUCCESS;
}

L_INT L_DicomSetCallbackExt(HDICOMNET hNet, pDICOMNETCALLBACKEXT pCallback)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = DICOM_SUCCESS;
    DICOMNETCALLBACKEXT table = {0};
    if (pCallback != NULL && (pCallback->uStructSize < offsetof(DICOMNETCALLBACKEXT, bVerifyIsOk) ||
                              pCallback->uStructSize > sizeof table)) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "%s",
                       "uStructSize must be sizeof(DICOMNETCALLBACKEXT)");
    } else {
        if (pCallback != NULL) {
            memcpy(&table, pCallback, pCallback->uStructSize);
        }
        pthread_mutex_lock(&net->lock);
        net->callbacks_ext = table;
        pthread_mutex_unlock(&net->lock);
    }
    ldc_net_put(net);
    return rc;
}

L_VOID *L_DicomGetUserData(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&net->lock);
    void *user = net->callbacks.pUserData;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return user;
}

L_INT L_DicomReportCallbackFailure(HDICOMNET hNet, const L_TCHAR *pszWhat)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    ldc_failure failure;
    ldc_failure_init(&failure);
    char *message = ldc_format("User code raised an exception in a callback: %s",
                               pszWhat == NULL ? "" : pszWhat);
    pthread_mutex_lock(&net->lock);
    ldc_failure_fill(&failure, DICOM_ERROR_CALLBACK,
                     net->busy ? DICOM_STAGE_TCP : DICOM_STAGE_CLOSE, DICOM_SIDE_LOCAL, message,
                     "Mend the program's callback.");
    (void)ldc_failure_set(&net->failure, &failure);
    bool unanswered = net->serving;
    pthread_mutex_unlock(&net->lock);
    free(message);
    if (unanswered) { /* the peer must not wait for an answer that nobody will give */
        (void)L_DicomSendAbort(hNet, PDU_ABORT_SOURCE_USER, PDU_ABORT_REASON_UNKNOWN);
    }
    ldc_net_put(net);
    return DICOM_SUCCESS;
}
