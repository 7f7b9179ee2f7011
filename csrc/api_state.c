/* api_state.c - the public look-ups of a net: state, addresses, children, flags, socket options,
 * failure. */
#include <string.h>

#include "ldc_error.h"
#include "ldc_net.h"
#include "ldc_tables.h"

/* Copies text into the caller's buffer; too small is an error, never a cut-off. */
static int give_text(const char *text, L_TCHAR *buffer, L_UINT size)
{
    size_t length = strlen(text);
    if (buffer == NULL || length >= size) {
        return ldc_error(DICOM_ERROR_PARAMETER, "the buffer has %u bytes, %zu are needed", size,
                         length + 1);
    }
    memcpy(buffer, text, length + 1);
    return DICOM_SUCCESS;
}

L_BOOL L_DicomIsConnected(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    L_BOOL connected = net->connected ? 1 : 0;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return connected;
}

static int get_address(HDICOMNET handle, bool peer, L_TCHAR *text, L_UINT size)
{
    char copy[LDC_ADDRESS_TEXT];
    ldc_net *net = ldc_net_acquire(handle);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    memcpy(copy, peer ? net->peer_address : net->host_address, sizeof copy);
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return give_text(copy, text, size);
}

static L_UINT get_port(HDICOMNET handle, bool peer)
{
    ldc_net *net = ldc_net_acquire(handle);
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    L_UINT port = peer ? net->peer_port : net->host_port;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return port;
}

L_INT L_DicomGetPeerAddress(HDICOMNET hNet, L_TCHAR *pszText, L_UINT nChars)
{
    return get_address(hNet, true, pszText, nChars);
}

L_INT L_DicomGetHostAddress(HDICOMNET hNet, L_TCHAR *pszText, L_UINT nChars)
{
    return get_address(hNet, false, pszText, nChars);
}

L_UINT L_DicomGetPeerPort(HDICOMNET hNet)
{
    return get_port(hNet, true);
}

L_UINT L_DicomGetHostPort(HDICOMNET hNet)
{
    return get_port(hNet, false);
}

L_INT L_DicomGetTraffic(HDICOMNET hNet, L_UINT64 *pnSent, L_UINT64 *pnReceived)
{
    if (pnSent == NULL || pnReceived == NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER, "pnSent or pnReceived is NULL");
    }
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    *pnSent = atomic_load(&net->sent);
    *pnReceived = atomic_load(&net->received);
    ldc_net_put(net);
    return DICOM_SUCCESS;
}

L_UINT L_DicomGetClientCount(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    L_UINT count = (L_UINT)net->child_count;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return count;
}

HDICOMNET L_DicomGetClient(HDICOMNET hNet, L_UINT nIndex)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&net->lock);
    uint64_t child = nIndex < net->child_count ? net->children[nIndex] : 0;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    if (child == 0) {
        (void)ldc_error(DICOM_ERROR_PARAMETER, "there is no client %u", nIndex);
    }
    return (HDICOMNET)(uintptr_t)child;
}

L_UINT32 L_DicomGetSecurityMode(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_SECURE_NONE;
    }
    pthread_mutex_lock(&net->lock);
    L_UINT32 mode = net->mode;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return mode;
}

L_INT L_DicomSetNetFlags(HDICOMNET hNet, L_UINT32 uFlags)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = DICOM_SUCCESS;
    if ((uFlags & ~(L_UINT32)DICOM_NET_FLAG_SEND_DATA_WITH_GROUP_LENGTH) != 0) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "unknown flags 0x%x", uFlags);
    } else {
        pthread_mutex_lock(&net->lock);
        net->flags = uFlags;
        pthread_mutex_unlock(&net->lock);
    }
    ldc_net_put(net);
    return rc;
}

L_UINT32 L_DicomGetNetFlags(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    L_UINT32 flags = net->flags;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return flags;
}

L_INT L_DicomSetSocketOptions(HDICOMNET hNet, L_INT nTcpNoDelay, L_INT nKeepAlive, L_INT nSoSndBuf,
                              L_INT nSoRcvBuf)
{
    int rc;
    const int values[4] = {nTcpNoDelay, nKeepAlive, nSoSndBuf, nSoRcvBuf};
    ldc_net *net = ldc_net_lock_idle(hNet, "socket options", &rc);
    if (net == NULL) {
        return rc;
    }
    for (size_t i = 0; i < 4; i++) {
        net->socket_options[i] = values[i] < 0 ? -1 : values[i];
    }
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return DICOM_SUCCESS;
}

L_INT L_DicomEnableOptimizedMemorySend(HDICOMNET hNet, L_BOOL bEnable)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    net->optimized_memory_send = bEnable != 0;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return DICOM_SUCCESS;
}

L_INT L_DicomGetFailure(HDICOMNET hNet, pDICOMFAILURE pFailure)
{
    if (pFailure == NULL || pFailure->uStructSize != sizeof *pFailure) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s", "uStructSize must be sizeof(DICOMFAILURE)");
    }
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = DICOM_SUCCESS;
    pthread_mutex_lock(&net->lock);
    net->shown_index ^= 1u;
    ldc_failure *shown = &net->shown[net->shown_index];
    if (!ldc_failure_copy(shown, &net->failure)) {
        rc = DICOM_ERROR_MEMORY;
    }
    ldc_failure_show(shown, pFailure);
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return rc == DICOM_SUCCESS ? rc : ldc_error(rc, "%s", "failure record");
}
