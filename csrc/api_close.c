/* api_close.c - the public functions that close a net. */
#include "ldc_conn.h"
#include "ldc_net.h"

/* The strand's command for the net's connection; a listener stops. children: by force, too. */
static void end_net(ldc_net *net, uint32_t command, bool children)
{
    bool silent = (command & LDC_CONN_SILENT) != 0;
    pthread_mutex_lock(&net->lock);
    ldc_conn *conn = net->conn;
    ldc_listener *listener = net->listener;
    net->listener = NULL;
    /* Busy with neither: another thread is just beginning to connect, which this call came before.
     */
    bool beginning = net->busy && conn == NULL && listener == NULL;
    if (conn != NULL) {
        ldc_conn_ref(conn);
        net->closing = true;
        net->connected = false;
    }
    if (listener != NULL) {
        net->busy = false;
        net->connected = false;
        pthread_cond_broadcast(&net->idle);
    }
    if (!beginning) {
        net->silent = net->silent || silent;
        net->forced = net->forced || children;
    }
    pthread_mutex_unlock(&net->lock);
    if (silent && !beginning) {
        ldc_deliver_discard(net); /* what was queued before it became silent */
    }
    if (listener != NULL) {
        ldc_net_use_context(net, NULL); /* its children's */
        ldc_listener_stop(listener);
        ldc_listener_put(listener);
    }
    if (conn != NULL) {
        ldc_conn_command(conn, command);
        ldc_conn_put(conn);
        ldc_net_wake_verdict(net);
    }
    if (children) {
        ldc_net_end_children(net, !silent);
    }
}

L_INT L_DicomClose(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    end_net(net, LDC_CONN_CLOSE, false);
    ldc_net_put(net);
    return DICOM_SUCCESS;
}

L_INT L_DicomCloseForced(HDICOMNET hNet, L_BOOL bNotify)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    end_net(net, LDC_CONN_ABORT | (bNotify != 0 ? 0u : (uint32_t)LDC_CONN_SILENT), true);
    ldc_net_put(net);
    return DICOM_SUCCESS;
}
