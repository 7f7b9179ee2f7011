/*
 * api_associate.c - the public functions of associations: the handle is checked, the object asked
 * (ldc_associate.h), the answer given. Those of the items in user information are in
 * api_associate_items.c.
 */
#include "api_associate.h"

#include <string.h>

#include "ldc_error.h"
#include "ldc_pdu.h"

bool ldc_pdu_handle(HDICOMPDU handle)
{
    if (ldc_associate_alive(handle)) {
        return true;
    }
    (void)ldc_error(DICOM_ERROR_OBJECT_DISPOSED,
                    "the handle is not that of an association; it may have been freed");
    return false;
}

/* Copies text into the caller's buffer; too small is an error, never a cut-off. */
int ldc_give_text(const char *text, L_TCHAR *buffer, L_UINT size)
{
    size_t length = strlen(text);

    if (buffer == NULL || length >= size) {
        return ldc_error(DICOM_ERROR_PARAMETER, "the buffer has %u bytes, %zu are needed", size,
                         length + 1);
    }
    memcpy(buffer, text, length + 1);
    return DICOM_SUCCESS;
}

int ldc_no_context(L_UCHAR id)
{
    return ldc_error(DICOM_ERROR_PARAMETER,
                     "there is no presentation context %u; add it with AddPresentationContext", id);
}

/* ---- life ---- */

HDICOMPDU L_DicomCreateAssociate(L_BOOL bRequest)
{
    return ldc_associate_create(bRequest != 0);
}

L_VOID L_DicomFreeAssociate(HDICOMPDU hPDU)
{
    if (hPDU != NULL && ldc_pdu_handle(hPDU)) {
        ldc_associate_free(hPDU);
    }
}

HDICOMPDU L_DicomCloneAssociate(HDICOMPDU hPDU)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_clone(hPDU) : NULL;
}

L_INT L_DicomDefaultAssociate(HDICOMPDU hPDU)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    ldc_associate_default(hPDU);
    return DICOM_SUCCESS;
}

L_INT L_DicomResetAssociate(HDICOMPDU hPDU, L_BOOL bRequest)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    ldc_associate_reset(hPDU, bRequest != 0);
    return DICOM_SUCCESS;
}

L_BOOL L_DicomIsAssociateRequest(HDICOMPDU hPDU)
{
    return ldc_pdu_handle(hPDU) && hPDU->request ? 1 : 0;
}

/* ---- fixed fields ---- */

L_INT L_DicomSetVersion(HDICOMPDU hPDU, L_UINT16 nVersion)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    hPDU->version = nVersion;
    return DICOM_SUCCESS;
}

L_INT L_DicomSetCalled(HDICOMPDU hPDU, const L_TCHAR *pszCalled)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_set_title(hPDU, true, pszCalled)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomSetCalling(HDICOMPDU hPDU, const L_TCHAR *pszCalling)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_set_title(hPDU, false, pszCalling)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomSetApplication(HDICOMPDU hPDU, const L_TCHAR *pszUID)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_set_application(hPDU, pszUID)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomSetMaxLength(HDICOMPDU hPDU, L_BOOL bEnabled, L_UINT32 nLength)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    hPDU->has_max_length = bEnabled != 0;
    hPDU->max_length = bEnabled ? nLength : 0;
    return DICOM_SUCCESS;
}

L_INT L_DicomSetImplementClass(HDICOMPDU hPDU, L_BOOL bEnabled, const L_TCHAR *pszUID)
{
    return ldc_pdu_handle(hPDU)
               ? ldc_associate_set_implementation_class(hPDU, bEnabled ? pszUID : "")
               : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomSetImplementVersion(HDICOMPDU hPDU, L_BOOL bEnabled, const L_TCHAR *pszVersion)
{
    return ldc_pdu_handle(hPDU)
               ? ldc_associate_set_implementation_version(hPDU, bEnabled ? pszVersion : "")
               : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomSetAsyncOperations(HDICOMPDU hPDU, L_BOOL bEnabled, L_UINT16 nInvoked,
                                L_UINT16 nPerformed)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    hPDU->has_async = bEnabled != 0;
    hPDU->invoked = bEnabled ? nInvoked : 0;
    hPDU->performed = bEnabled ? nPerformed : 0;
    return DICOM_SUCCESS;
}

L_UINT16 L_DicomGetVersion(HDICOMPDU hPDU)
{
    return ldc_pdu_handle(hPDU) ? hPDU->version : 0;
}

L_INT L_DicomGetCalled(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars)
{
    return ldc_pdu_handle(hPDU) ? ldc_give_text(ldc_associate_title(hPDU, true), pszText, nChars)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomGetCalling(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars)
{
    return ldc_pdu_handle(hPDU) ? ldc_give_text(ldc_associate_title(hPDU, false), pszText, nChars)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomGetApplication(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars)
{
    return ldc_pdu_handle(hPDU) ? ldc_give_text(hPDU->application, pszText, nChars)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_UINT32 L_DicomGetMaxLength(HDICOMPDU hPDU)
{
    return ldc_pdu_handle(hPDU) ? hPDU->max_length : 0;
}

L_INT L_DicomGetImplementClass(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars)
{
    return ldc_pdu_handle(hPDU) ? ldc_give_text(hPDU->implementation_class, pszText, nChars)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomGetImplementVersion(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars)
{
    return ldc_pdu_handle(hPDU) ? ldc_give_text(hPDU->implementation_version, pszText, nChars)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomGetAsyncOperations(HDICOMPDU hPDU, L_UINT16 *pnInvoked, L_UINT16 *pnPerformed)
{
    bool there = ldc_pdu_handle(hPDU) && hPDU->has_async;

    if (pnInvoked != NULL) {
        *pnInvoked = there ? hPDU->invoked : 0;
    }
    if (pnPerformed != NULL) {
        *pnPerformed = there ? hPDU->performed : 0;
    }
    return there ? 1 : 0;
}

/* ---- presentation contexts ---- */

static int check_result(unsigned result)
{
    if (result <= PDU_ACCEPT_RESULT_TRANSFER_SYNTAX) {
        return DICOM_SUCCESS;
    }
    return ldc_error(DICOM_ERROR_PARAMETER,
                     "the result is %u; it is 0 (accepted) or 1 to 4 (the reasons to reject)",
                     result);
}

static ldc_context *context_of(HDICOMPDU handle, L_UCHAR id)
{
    return ldc_pdu_handle(handle) ? ldc_associate_context(handle, id) : NULL;
}

L_INT L_DicomAddPresentation(HDICOMPDU hPDU, L_UCHAR nID, L_UCHAR nResult,
                             const L_TCHAR *pszAbstract)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = check_result(nResult);
    return rc != DICOM_SUCCESS ? rc : ldc_associate_add_context(hPDU, nID, nResult, pszAbstract);
}

L_INT L_DicomSetPresentation(HDICOMPDU hPDU, L_UCHAR nID, L_UCHAR nResult,
                             const L_TCHAR *pszAbstract)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = check_result(nResult);
    return rc != DICOM_SUCCESS ? rc : ldc_associate_set_context(hPDU, nID, nResult, pszAbstract);
}

L_INT L_DicomDeletePresentation(HDICOMPDU hPDU, L_UCHAR nID)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_delete_context(hPDU, nID)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_UINT L_DicomGetPresentationCount(HDICOMPDU hPDU)
{
    return ldc_pdu_handle(hPDU) ? (L_UINT)hPDU->context_count : 0;
}

L_UCHAR L_DicomGetPresentation(HDICOMPDU hPDU, L_UINT nIndex)
{
    if (!ldc_pdu_handle(hPDU)) {
        return 0;
    }
    if (nIndex >= hPDU->context_count) {
        (void)ldc_error(DICOM_ERROR_PARAMETER,
                        "the index is %u; there are %zu presentation contexts", nIndex,
                        hPDU->context_count);
        return 0;
    }
    return hPDU->contexts[nIndex].id;
}

L_INT L_DicomAddTransfer(HDICOMPDU hPDU, L_UCHAR nID, const L_TCHAR *pszUID)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_add_transfer(hPDU, nID, pszUID)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_UINT L_DicomGetTransferCount(HDICOMPDU hPDU, L_UCHAR nID)
{
    const ldc_context *context = context_of(hPDU, nID);

    return context == NULL ? 0 : (L_UINT)context->transfers.count;
}

L_INT L_DicomGetTransfer(HDICOMPDU hPDU, L_UCHAR nID, L_UINT nIndex, L_TCHAR *pszUID, L_UINT nChars)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    const ldc_context *context = ldc_associate_context(hPDU, nID);
    bool there = context != NULL && nIndex < context->transfers.count;
    return ldc_give_text(there ? context->transfers.uids[nIndex] : "", pszUID, nChars);
}

L_INT L_DicomGetAbstract(HDICOMPDU hPDU, L_UCHAR nID, L_TCHAR *pszUID, L_UINT nChars)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    const ldc_context *context = ldc_associate_context(hPDU, nID);
    return ldc_give_text(context != NULL ? context->abstract : "", pszUID, nChars);
}

L_UCHAR L_DicomGetResult(HDICOMPDU hPDU, L_UCHAR nID)
{
    const ldc_context *context = context_of(hPDU, nID);

    return context == NULL ? PDU_ACCEPT_RESULT_PROVIDER_REJECT : context->result;
}

L_INT L_DicomSetResult(HDICOMPDU hPDU, L_UCHAR nID, L_UCHAR nResult)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    ldc_context *context = ldc_associate_context(hPDU, nID);
    if (context == NULL) {
        return ldc_no_context(nID);
    }
    int rc = check_result(nResult);
    if (rc == DICOM_SUCCESS) {
        context->result = nResult;
    }
    return rc;
}

L_UCHAR L_DicomFindAbstract(HDICOMPDU hPDU, const L_TCHAR *pszUID)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_find(hPDU, 0, pszUID) : 0;
}

L_UCHAR L_DicomFindNextAbstract(HDICOMPDU hPDU, L_UCHAR nID, const L_TCHAR *pszUID)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_find(hPDU, nID, pszUID) : 0;
}

/* ---- the wire ---- */

L_INT L_DicomEncodeAssociate(HDICOMPDU hPDU, HDICOMPDU hRequest, L_UCHAR *pBuffer, L_UINT *pnLength)
{
    ldc_writer writer;

    if (!ldc_pdu_handle(hPDU) || (hRequest != NULL && !ldc_pdu_handle(hRequest))) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    if (pnLength == NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER, "pnLength is NULL; it takes the length");
    }
    /* What L_DicomDecodeAssociate would not take back is not made either. */
    ldc_writer_init(&writer, LDC_PDU_HEADER + (size_t)LDC_PDU_ASSOCIATE_LIMIT);
    int rc = ldc_pdu_encode_associate(hPDU, hRequest, &writer);
    if (rc != DICOM_SUCCESS) {
        goto done;
    }
    if (pBuffer != NULL && writer.length > *pnLength) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "the buffer has %u bytes, %zu are needed", *pnLength,
                       writer.length);
    } else if (pBuffer != NULL) {
        memcpy(pBuffer, writer.bytes, writer.length);
    }
    *pnLength = (L_UINT)writer.length;
done:
    ldc_writer_free(&writer);
    return rc;
}

HDICOMPDU L_DicomDecodeAssociate(const L_UCHAR *pBuffer, L_UINT nLength, HDICOMPDU hRequest)
{
    ldc_associate *associate = NULL;
    ldc_pdu_fault fault = {0};

    if (hRequest != NULL && !ldc_pdu_handle(hRequest)) {
        return NULL;
    }
    if (pBuffer == NULL) {
        (void)ldc_error(DICOM_ERROR_PARAMETER, "pBuffer is NULL; it holds the bytes of a PDU");
        return NULL;
    }
    if (!ldc_pdu_decode_associate(pBuffer, nLength, 0, hRequest, &associate, &fault)) {
        (void)ldc_error(fault.code, "%s", fault.text);
    }
    return associate;
}
