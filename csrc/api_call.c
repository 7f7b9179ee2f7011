/* api_call.c - the public functions that send a request and wait for its response. */
#include "ldc_conn_call.h"
#include "ldc_error.h"
#include "ldc_net_upper.h"

/* The request is ours. */
static int call(HDICOMNET handle, uint8_t context, ldc_command *request, ldc_dataset *data,
                unsigned ms, uint16_t *status)
{
    ldc_net *net = NULL;
    int rc = DICOM_SUCCESS;
    ldc_conn *conn =
        ldc_net_upper_acquire(handle, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc);
    if (conn != NULL) {
        rc = ldc_net_check_syntax(ldc_conn_upper(conn), context, data);
        if (rc == DICOM_SUCCESS) {
            rc = ldc_conn_call(conn, context, request, data, ms, status);
        }
        ldc_net_upper_release(net, conn);
    }
    ldc_command_free(request);
    return rc;
}

static int no_room_for_status(void)
{
    return ldc_error(DICOM_ERROR_PARAMETER, "%s", "pnStatus is NULL");
}

L_INT L_DicomCStoreAndWait(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                           const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nPriority,
                           HDICOMDS hDS, L_UINT nTimeoutMs, L_UINT16 *pnStatus)
{
    ldc_command request;
    ldc_command_fault fault;
    if (pnStatus == NULL) {
        return no_room_for_status();
    }
    ldc_dataset *data = hDS == NULL ? NULL : ldc_dataset_acquire(hDS);
    if (hDS != NULL && data == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = ldc_command_c_store_rq(&request, nMessageID, pszClass, pszInstance, nPriority, NULL, 0,
                                    data != NULL, &fault);
    rc = rc == DICOM_SUCCESS ? call(hNet, nPresentationID, &request, data, nTimeoutMs, pnStatus)
                             : ldc_error(fault.code, "%s", fault.text);
    ldc_dataset_put(data);
    return rc;
}

L_INT L_DicomCEchoAndWait(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                          const L_TCHAR *pszClass, L_UINT nTimeoutMs, L_UINT16 *pnStatus)
{
    ldc_command request;
    ldc_command_fault fault;
    if (pnStatus == NULL) {
        return no_room_for_status();
    }
    int rc = ldc_command_c_echo_rq(&request, nMessageID, pszClass, &fault);
    return rc == DICOM_SUCCESS ? call(hNet, nPresentationID, &request, NULL, nTimeoutMs, pnStatus)
                               : ldc_error(fault.code, "%s", fault.text);
}

L_INT L_DicomAwaitResponse(HDICOMNET hNet, L_UINT16 nMessageID, L_UINT nTimeoutMs,
                           L_UINT16 *pnStatus)
{
    ldc_net *net = NULL;
    int rc = DICOM_SUCCESS;
    if (pnStatus == NULL) {
        return no_room_for_status();
    }
    ldc_conn *conn =
        ldc_net_upper_acquire(hNet, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc);
    if (conn != NULL) {
        rc = ldc_conn_call_on(conn, nMessageID, nTimeoutMs, pnStatus);
        ldc_net_upper_release(net, conn);
    }
    return rc;
}

L_INT L_DicomForgetResponse(HDICOMNET hNet, L_UINT16 nMessageID)
{
    ldc_net *net = NULL;
    int rc = DICOM_SUCCESS;
    ldc_conn *conn =
        ldc_net_upper_acquire(hNet, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc);
    if (conn != NULL) {
        ldc_conn_forget_await(conn, nMessageID);
        ldc_net_upper_release(net, conn);
    }
    return rc;
}
