/*
 * api_associate_items.c - the public functions for what user information holds: roles, extended
 * negotiation, user identity, and the rest.
 */
#include "api_associate.h"
#include "ldc_error.h"

static void give_block(const ldc_block *block, const L_UCHAR **data, L_UINT *length)
{
    static const L_UCHAR nothing;

    if (data != NULL) {
        *data = block->length == 0 ? &nothing : block->bytes;
    }
    if (length != NULL) {
        *length = (L_UINT)block->length; /* at most LDC_ITEM_LENGTH */
    }
}

static ldc_context *context_of(HDICOMPDU handle, L_UCHAR id)
{
    return ldc_pdu_handle(handle) ? ldc_associate_context(handle, id) : NULL;
}

/* The SOP class of a context, or NULL, said, when it has none. */
static const char *class_of(HDICOMPDU handle, L_UCHAR id)
{
    const ldc_context *context = ldc_associate_context(handle, id);

    if (context == NULL) {
        (void)ldc_no_context(id);
        return NULL;
    }
    if (context->abstract[0] == '\0') {
        (void)ldc_error(DICOM_ERROR_PARAMETER,
                        "presentation context %u has no abstract syntax; set it first", id);
        return NULL;
    }
    return context->abstract;
}

/* ---- items by SOP class ---- */

L_INT L_DicomSetRoleSelect(HDICOMPDU hPDU, L_UCHAR nID, L_BOOL bEnabled, L_UCHAR nUser,
                           L_UCHAR nProvider)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    const char *class_uid = class_of(hPDU, nID);
    if (class_uid == NULL) {
        return DICOM_ERROR_PARAMETER;
    }
    if (!bEnabled) {
        ldc_associate_drop_role(hPDU, class_uid);
        return DICOM_SUCCESS;
    }
    return ldc_associate_put_role(hPDU, class_uid, nUser, nProvider);
}

L_INT L_DicomGetRoleSelect(HDICOMPDU hPDU, L_UCHAR nID, L_UCHAR *pnUser, L_UCHAR *pnProvider)
{
    const ldc_context *context = context_of(hPDU, nID);
    const ldc_role *role = context == NULL ? NULL : ldc_associate_role(hPDU, context->abstract);

    if (pnUser != NULL) {
        *pnUser = role == NULL ? 0 : role->user;
    }
    if (pnProvider != NULL) {
        *pnProvider = role == NULL ? 0 : role->provider;
    }
    return role == NULL ? 0 : 1;
}

L_INT L_DicomSetExtendedData(HDICOMPDU hPDU, L_UCHAR nID, L_BOOL bEnabled, const L_UCHAR *pData,
                             L_UINT nLength)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    const char *class_uid = class_of(hPDU, nID);
    if (class_uid == NULL) {
        return DICOM_ERROR_PARAMETER;
    }
    if (!bEnabled) {
        ldc_associate_drop_extended(hPDU, class_uid);
        return DICOM_SUCCESS;
    }
    return ldc_associate_put_extended(hPDU, class_uid, pData, nLength);
}

L_INT L_DicomGetExtendedData(HDICOMPDU hPDU, L_UCHAR nID, const L_UCHAR **ppData, L_UINT *pnLength)
{
    static const ldc_block none;
    const ldc_context *context = context_of(hPDU, nID);
    const ldc_extended *extended =
        context == NULL ? NULL : ldc_associate_extended(hPDU, context->abstract);

    give_block(extended == NULL ? &none : &extended->data, ppData, pnLength);
    return extended == NULL ? 0 : 1;
}

static int request_only(HDICOMPDU handle, const char *what)
{
    return handle->request
               ? DICOM_SUCCESS
               : ldc_error(DICOM_ERROR_PARAMETER, "an accept has no %s; set it in a request", what);
}

L_INT L_DicomAddCommonExtended(HDICOMPDU hPDU, const L_TCHAR *pszClass,
                               const L_TCHAR *pszServiceClass)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = request_only(hPDU, "common extended negotiation");
    return rc != DICOM_SUCCESS ? rc : ldc_associate_put_common(hPDU, pszClass, pszServiceClass);
}

L_INT L_DicomAddCommonExtendedRelated(HDICOMPDU hPDU, const L_TCHAR *pszClass,
                                      const L_TCHAR *pszRelated)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_add_related(hPDU, pszClass, pszRelated)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}

L_INT L_DicomClearCommonExtended(HDICOMPDU hPDU)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    ldc_associate_drop_common(hPDU);
    return DICOM_SUCCESS;
}

L_UINT L_DicomGetCommonExtendedCount(HDICOMPDU hPDU)
{
    return ldc_pdu_handle(hPDU) ? (L_UINT)hPDU->common_count : 0;
}

static const ldc_common *common_at(HDICOMPDU handle, L_UINT index)
{
    if (index < handle->common_count) {
        return &handle->common[index];
    }
    (void)ldc_error(DICOM_ERROR_PARAMETER,
                    "the index is %u; there are %zu common extended negotiations", index,
                    handle->common_count);
    return NULL;
}

L_INT L_DicomGetCommonExtended(HDICOMPDU hPDU, L_UINT nIndex, L_TCHAR *pszClass, L_UINT nClassChars,
                               L_TCHAR *pszServiceClass, L_UINT nServiceClassChars)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    const ldc_common *common = common_at(hPDU, nIndex);
    int rc = common == NULL ? DICOM_ERROR_PARAMETER
                            : ldc_give_text(common->class_uid, pszClass, nClassChars);
    return rc != DICOM_SUCCESS
               ? rc
               : ldc_give_text(common->service_uid, pszServiceClass, nServiceClassChars);
}

L_UINT L_DicomGetCommonExtendedRelatedCount(HDICOMPDU hPDU, L_UINT nIndex)
{
    return ldc_pdu_handle(hPDU) && nIndex < hPDU->common_count
               ? (L_UINT)hPDU->common[nIndex].related.count
               : 0;
}

L_INT L_DicomGetCommonExtendedRelated(HDICOMPDU hPDU, L_UINT nIndex, L_UINT nRelated,
                                      L_TCHAR *pszUID, L_UINT nChars)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    const ldc_common *common = common_at(hPDU, nIndex);
    if (common == NULL) {
        return DICOM_ERROR_PARAMETER;
    }
    if (nRelated >= common->related.count) {
        return ldc_error(DICOM_ERROR_PARAMETER, "the index is %u; there are %zu related classes",
                         nRelated, common->related.count);
    }
    return ldc_give_text(common->related.uids[nRelated], pszUID, nChars);
}

/* ---- user identity ---- */

L_INT L_DicomSetUserIdentity(HDICOMPDU hPDU, L_BOOL bEnabled, L_UCHAR nType, L_BOOL bResponse,
                             const L_UCHAR *pPrimary, L_UINT nPrimary, const L_UCHAR *pSecondary,
                             L_UINT nSecondary)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    if (!bEnabled) {
        ldc_associate_drop_identity(hPDU);
        return DICOM_SUCCESS;
    }
    int rc = request_only(hPDU, "user identity");
    if (rc == DICOM_SUCCESS && nType > 5) {
        rc = ldc_error(DICOM_ERROR_PARAMETER,
                       "the type of the user identity is %u; types are 1 user name, 2 user name "
                       "and passcode, 3 Kerberos, 4 SAML, 5 JSON web token",
                       nType);
    }
    return rc != DICOM_SUCCESS ? rc
                               : ldc_associate_set_identity(hPDU, nType, bResponse != 0, pPrimary,
                                                            nPrimary, pSecondary, nSecondary);
}

L_INT L_DicomGetUserIdentity(HDICOMPDU hPDU, L_UCHAR *pnType, L_BOOL *pbResponse,
                             const L_UCHAR **ppPrimary, L_UINT *pnPrimary,
                             const L_UCHAR **ppSecondary, L_UINT *pnSecondary)
{
    static const ldc_block none;
    bool there = ldc_pdu_handle(hPDU) && hPDU->has_identity;

    if (pnType != NULL) {
        *pnType = there ? hPDU->identity_type : 0;
    }
    if (pbResponse != NULL) {
        *pbResponse = there && hPDU->identity_response_wanted ? 1 : 0;
    }
    give_block(there ? &hPDU->identity_primary : &none, ppPrimary, pnPrimary);
    give_block(there ? &hPDU->identity_secondary : &none, ppSecondary, pnSecondary);
    return there ? 1 : 0;
}

L_INT L_DicomSetUserIdentityResponse(HDICOMPDU hPDU, L_BOOL bEnabled, const L_UCHAR *pData,
                                     L_UINT nLength)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    if (!bEnabled) {
        ldc_associate_drop_identity_response(hPDU);
        return DICOM_SUCCESS;
    }
    if (hPDU->request) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "a request has no response to the user identity; set it in an accept");
    }
    return ldc_associate_set_identity_response(hPDU, pData, nLength);
}

L_INT L_DicomGetUserIdentityResponse(HDICOMPDU hPDU, const L_UCHAR **ppData, L_UINT *pnLength)
{
    static const ldc_block none;
    bool there = ldc_pdu_handle(hPDU) && hPDU->has_identity_response;

    give_block(there ? &hPDU->identity_response : &none, ppData, pnLength);
    return there ? 1 : 0;
}

/* ---- other user information ---- */

L_UINT L_DicomGetUserInformationCount(HDICOMPDU hPDU)
{
    return ldc_pdu_handle(hPDU) ? (L_UINT)hPDU->item_count : 0;
}

L_INT L_DicomGetUserInformation(HDICOMPDU hPDU, L_UINT nIndex, L_UCHAR *pnType,
                                const L_UCHAR **ppData, L_UINT *pnLength)
{
    if (!ldc_pdu_handle(hPDU)) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    if (nIndex >= hPDU->item_count) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the index is %u; there are %zu other user-information items", nIndex,
                         hPDU->item_count);
    }
    if (pnType != NULL) {
        *pnType = hPDU->items[nIndex].type;
    }
    give_block(&hPDU->items[nIndex].data, ppData, pnLength);
    return DICOM_SUCCESS;
}

L_INT L_DicomAddUserInformation(HDICOMPDU hPDU, L_UCHAR nType, const L_UCHAR *pData, L_UINT nLength)
{
    return ldc_pdu_handle(hPDU) ? ldc_associate_add_item(hPDU, nType, pData, nLength)
                                : DICOM_ERROR_OBJECT_DISPOSED;
}
