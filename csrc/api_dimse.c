/* api_dimse.c - the public functions that send DIMSE messages: one for each message of PS3.7, on
 * one pattern. */
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_net_upper.h"
#include "ldc_window.h"

typedef struct outgoing {
    ldc_command command;
    ldc_command_fault fault;
} outgoing;

/* The data set behind a handle as it is now, with a reference. No handle: none. */
static int take_data(HDICOMDS handle, ldc_dataset **data)
{
    *data = handle == NULL ? NULL : ldc_dataset_acquire(handle);
    return handle != NULL && *data == NULL ? DICOM_ERROR_OBJECT_DISPOSED : DICOM_SUCCESS;
}

/* The result of a builder of ldc_command_build.c. */
static int built(outgoing *message, int rc)
{
    return rc == DICOM_SUCCESS ? rc : ldc_error(message->fault.code, "%s", message->fault.text);
}

int ldc_net_check_syntax(ldc_upper *upper, uint8_t context, const ldc_dataset *data)
{
    char agreed[LDC_UID_SIZE];
    const char *own = data == NULL ? "" : ldc_dataset_syntax(data);
    if (own[0] != '\0' && ldc_upper_syntax(upper, context, agreed) && strcmp(own, agreed) != 0) {
        return ldc_error(
            DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED,
            "the data set is in %s, context %u was accepted with %s. Convert it first (ChangeTransferSyntax).",
            own, context, agreed);
    }
    return DICOM_SUCCESS;
}

/* BEFORESENDCOMMANDSETCALLBACK: user code may add elements to the command set of a response. */
static int before_send(ldc_net *net, ldc_command *command)
{
    ldc_command_fault fault;
    size_t length = 0;
    bool computed;
    pthread_mutex_lock(&net->lock);
    DICOMNETCALLBACK callbacks = net->callbacks;
    pthread_mutex_unlock(&net->lock);
    if (callbacks.pfnBeforeSendCommandSet == NULL) {
        return DICOM_SUCCESS;
    }
    uint8_t *bytes = ldc_command_encode(command, &length, &fault);
    HDICOMDS set = bytes == NULL ? NULL : L_DicomCreateDS(NULL);
    int rc = set == NULL ? DICOM_ERROR_MEMORY
                         : L_DicomSetBufferDS(set, bytes, length, LDC_IMPLICIT_LITTLE);
    free(bytes);
    if (rc == DICOM_SUCCESS && ldc_user_enter(&computed)) {
        callbacks.pfnBeforeSendCommandSet(ldc_net_handle(net), set, callbacks.pUserData);
        ldc_user_leave(computed);
    }
    const L_UCHAR *changed = NULL;
    L_UINT64 size = 0;
    if (rc == DICOM_SUCCESS) {
        rc = L_DicomGetBufferDS(set, &changed, &size);
    }
    if (rc == DICOM_SUCCESS) {
        ldc_command_free(command);
        rc = ldc_command_decode(command, changed, (size_t)size, &fault);
        rc = rc == DICOM_SUCCESS ? rc : ldc_error(fault.code, "%s", fault.text);
    }
    L_DicomFreeDS(set);
    return rc;
}

/* Sends what was built, if it was; the data set's reference is taken. */
static int finish(HDICOMNET handle, uint8_t context, uint16_t id, outgoing *message, int rc,
                  ldc_dataset *data, bool response)
{
    ldc_net *net = NULL;
    bool have_command = rc == DICOM_SUCCESS;
    ldc_conn *conn =
        have_command
            ? ldc_net_upper_acquire(handle, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc)
            : NULL;
    if (conn != NULL) {
        ldc_upper *upper = ldc_conn_upper(conn);
        rc = ldc_net_check_syntax(upper, context, data);
        if (rc == DICOM_SUCCESS && response) {
            rc = before_send(net, &message->command);
        }
        if (rc == DICOM_SUCCESS) {
            rc = ldc_upper_send(upper, context, &message->command, data, LDC_SENDER_USER);
        }
        if (rc == DICOM_SUCCESS && response && ldc_window_is_final(&message->command)) {
            ldc_net_answered(net, id);
        }
        ldc_net_upper_release(net, conn);
    }
    if (have_command) {
        ldc_command_free(&message->command);
    }
    ldc_dataset_put(data);
    return rc;
}

L_INT L_DicomSendCStoreRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                               const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                               L_UINT16 nPriority, const L_TCHAR *pszMoveAE,
                               L_UINT16 nMoveMessageID, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_c_store_rq(&message.command, nMessageID, pszClass,
                                                    pszInstance, nPriority, pszMoveAE,
                                                    nMoveMessageID, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, false);
}

L_INT L_DicomSendCStoreResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                                L_UINT16 nStatus)
{
    outgoing message;

    int rc = DICOM_SUCCESS;
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_c_store_rsp(&message.command, nMessageID, pszClass,
                                                     pszInstance, nStatus, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, NULL, true);
}

L_INT L_DicomSendCFindRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                              const L_TCHAR *pszClass, L_UINT16 nPriority, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_c_find_rq(&message.command, nMessageID, pszClass,
                                                   nPriority, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, false);
}

L_INT L_DicomSendCFindResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                               const L_TCHAR *pszClass, L_UINT16 nStatus, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_c_find_rsp(&message.command, nMessageID, pszClass, nStatus,
                                                    data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, true);
}

L_INT L_DicomSendCMoveRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                              const L_TCHAR *pszClass, L_UINT16 nPriority, const L_TCHAR *pszMoveAE,
                              HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc =
            built(&message, ldc_command_c_move_rq(&message.command, nMessageID, pszClass, nPriority,
                                                  pszMoveAE, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, false);
}

L_INT L_DicomSendCMoveResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                               const L_TCHAR *pszClass, L_UINT16 nStatus, L_UINT16 nRemaining,
                               L_UINT16 nCompleted, L_UINT16 nFailed, L_UINT16 nWarning,
                               HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_c_move_rsp(&message.command, nMessageID, pszClass, nStatus,
                                                    nRemaining, nCompleted, nFailed, nWarning,
                                                    data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, true);
}

L_INT L_DicomSendCGetRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                             const L_TCHAR *pszClass, L_UINT16 nPriority, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_c_get_rq(&message.command, nMessageID, pszClass, nPriority,
                                                  data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, false);
}

L_INT L_DicomSendCGetResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                              const L_TCHAR *pszClass, L_UINT16 nStatus, L_UINT16 nRemaining,
                              L_UINT16 nCompleted, L_UINT16 nFailed, L_UINT16 nWarning,
                              HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_c_get_rsp(&message.command, nMessageID, pszClass, nStatus,
                                                   nRemaining, nCompleted, nFailed, nWarning,
                                                   data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, true);
}

L_INT L_DicomSendCEchoRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                              const L_TCHAR *pszClass)
{
    outgoing message;

    int rc = DICOM_SUCCESS;
    if (rc == DICOM_SUCCESS) {
        rc = built(&message,
                   ldc_command_c_echo_rq(&message.command, nMessageID, pszClass, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, NULL, false);
}

L_INT L_DicomSendCEchoResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                               const L_TCHAR *pszClass, L_UINT16 nStatus)
{
    outgoing message;

    int rc = DICOM_SUCCESS;
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_c_echo_rsp(&message.command, nMessageID, pszClass, nStatus,
                                                    &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, NULL, true);
}

L_INT L_DicomSendNReportRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                                L_UINT16 nEvent, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_n_event_report_rq(&message.command, nMessageID, pszClass,
                                                           pszInstance, nEvent, data != NULL,
                                                           &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, false);
}

L_INT L_DicomSendNReportResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                 const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                                 L_UINT16 nStatus, L_UINT16 nEvent, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_n_event_report_rsp(&message.command, nMessageID, pszClass,
                                                            pszInstance, nStatus, nEvent,
                                                            data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, true);
}

L_INT L_DicomSendNGetRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                             const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                             L_UINT32 *pnAttribute, L_UINT16 nCount)
{
    outgoing message;

    int rc = DICOM_SUCCESS;
    if (rc == DICOM_SUCCESS) {
        rc =
            built(&message, ldc_command_n_get_rq(&message.command, nMessageID, pszClass,
                                                 pszInstance, pnAttribute, nCount, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, NULL, false);
}

L_INT L_DicomSendNGetResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                              const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nStatus,
                              HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message,
                   ldc_command_n_get_rsp(&message.command, nMessageID, pszClass, pszInstance,
                                         nStatus, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, true);
}

L_INT L_DicomSendNSetRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                             const L_TCHAR *pszClass, const L_TCHAR *pszInstance, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_n_set_rq(&message.command, nMessageID, pszClass,
                                                  pszInstance, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, false);
}

L_INT L_DicomSendNSetResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                              const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nStatus,
                              HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message,
                   ldc_command_n_set_rsp(&message.command, nMessageID, pszClass, pszInstance,
                                         nStatus, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, true);
}

L_INT L_DicomSendNActionRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                                L_UINT16 nAction, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message,
                   ldc_command_n_action_rq(&message.command, nMessageID, pszClass, pszInstance,
                                           nAction, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, false);
}

L_INT L_DicomSendNActionResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                 const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                                 L_UINT16 nStatus, L_UINT16 nAction, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message,
                   ldc_command_n_action_rsp(&message.command, nMessageID, pszClass, pszInstance,
                                            nStatus, nAction, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, true);
}

L_INT L_DicomSendNCreateRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_n_create_rq(&message.command, nMessageID, pszClass,
                                                     pszInstance, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, false);
}

L_INT L_DicomSendNCreateResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                 const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                                 L_UINT16 nStatus, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    int rc = take_data(hDS, &data);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message,
                   ldc_command_n_create_rsp(&message.command, nMessageID, pszClass, pszInstance,
                                            nStatus, data != NULL, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, data, true);
}

L_INT L_DicomSendNDeleteRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance)
{
    outgoing message;

    int rc = DICOM_SUCCESS;
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_n_delete_rq(&message.command, nMessageID, pszClass,
                                                     pszInstance, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, NULL, false);
}

L_INT L_DicomSendNDeleteResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                 const L_TCHAR *pszClass, const L_TCHAR *pszInstance,
                                 L_UINT16 nStatus)
{
    outgoing message;

    int rc = DICOM_SUCCESS;
    if (rc == DICOM_SUCCESS) {
        rc = built(&message, ldc_command_n_delete_rsp(&message.command, nMessageID, pszClass,
                                                      pszInstance, nStatus, &message.fault));
    }
    return finish(hNet, nPresentationID, nMessageID, &message, rc, NULL, true);
}

L_INT L_DicomSendCCancelRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID)
{
    outgoing message;
    int rc = built(&message, ldc_command_c_cancel_rq(&message.command, nMessageID, &message.fault));
    return finish(hNet, nPresentationID, nMessageID, &message, rc, NULL, false);
}

L_INT L_DicomSendData(HDICOMNET hNet, L_UCHAR nPresentationID, HDICOMDS hCS, HDICOMDS hDS)
{
    outgoing message;
    ldc_dataset *data = NULL;
    const L_UCHAR *bytes = NULL;
    L_UINT64 size = 0;
    int rc = L_DicomGetBufferDS(hCS, &bytes, &size);
    if (rc == DICOM_SUCCESS) {
        rc = built(&message,
                   ldc_command_decode(&message.command, bytes, (size_t)size, &message.fault));
    }
    bool decoded = rc == DICOM_SUCCESS;
    if (decoded) {
        rc = take_data(hDS, &data);
    }
    if (rc == DICOM_SUCCESS && ldc_command_has_data(&message.command) != (data != NULL)) {
        rc = ldc_error(DICOM_ERROR_DATA_SET_MISSING, "%s",
                       "the command set's (0000,0800) and the data set given do not agree");
    }
    if (decoded && rc != DICOM_SUCCESS) {
        ldc_command_free(&message.command);
        ldc_dataset_put(data);
        return rc;
    }
    return finish(hNet, nPresentationID, decoded ? ldc_command_id(&message.command) : 0, &message,
                  rc, data, false);
}
