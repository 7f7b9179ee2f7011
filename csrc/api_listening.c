/* api_listening.c - the public functions about how a listener shares its port, and about proxies in
 * front of it. */
#include <string.h>

#include "api_associate.h"
#include "ldc_error.h"
#include "ldc_net.h"
#include "ldc_proxy.h"

L_INT L_DicomSetReusePort(HDICOMNET hNet, L_BOOL bReuse)
{
    int rc;
    ldc_net *net = ldc_net_lock_idle(hNet, "reuse_port", &rc);
    if (net == NULL) {
        return rc;
    }
    net->reuse_port = bReuse != 0;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return DICOM_SUCCESS;
}

L_BOOL L_DicomGetReusePort(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    L_BOOL reuse = net->reuse_port ? 1 : 0;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return reuse;
}

L_INT L_DicomSetTrustedProxies(HDICOMNET hNet, const L_TCHAR *pszAddresses)
{
    ldc_proxies *proxies = NULL;
    int rc = ldc_proxies_new(pszAddresses, &proxies);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    ldc_net *net = ldc_net_lock_idle(hNet, "the trusted proxies", &rc);
    ldc_proxies *unused = proxies;
    if (net != NULL) {
        unused = net->proxies;
        net->proxies = proxies;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    if (unused != NULL) {
        ldc_ref_put(&unused->ref);
    }
    return rc;
}

L_INT L_DicomGetTrustedProxies(HDICOMNET hNet, L_TCHAR *pszText, L_UINT nChars)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    ldc_proxies *proxies = net->proxies;
    if (proxies != NULL) {
        ldc_ref_get(&proxies->ref);
    }
    pthread_mutex_unlock(&net->lock);
    int rc = ldc_give_text(proxies == NULL ? "" : proxies->text, pszText, nChars);
    if (proxies != NULL) {
        ldc_ref_put(&proxies->ref);
    }
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomGetProxyAddress(HDICOMNET hNet, L_TCHAR *pszText, L_UINT nChars)
{
    char copy[LDC_ADDRESS_TEXT];
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    memcpy(copy, net->proxy_address, sizeof copy);
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return ldc_give_text(copy, pszText, nChars);
}

L_UINT L_DicomGetProxyPort(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return 0;
    }
    pthread_mutex_lock(&net->lock);
    L_UINT port = net->proxy_port;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return port;
}
