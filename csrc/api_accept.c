/* api_accept.c - the public function that gives a waiting connection to a child. */
#include <unistd.h>

#include "api_net.h"
#include "ldc_conn.h"
#include "ldc_error.h"
#include "ldc_expiry.h"

/* The context of a child: its own, or that of its listener. */
static int child_context(ldc_net *net, ldc_net *child, ldc_tls_context **context)
{
    pthread_mutex_lock(&net->lock);
    bool inherits = net->children_inherit && child->mode == DICOM_SECURE_TLS;
    if (inherits && net->context != NULL) {
        *context = net->context;
        ldc_ref_get(&net->context->shared.ref);
    }
    pthread_mutex_unlock(&net->lock);
    if (!inherits) {
        int rc = ldc_net_make_context(child, true, context);
        if (rc == DICOM_SUCCESS && *context != NULL) {
            ldc_net_use_context(net, *context); /* for the next child, when this one has gone */
        }
        return rc;
    }
    if (*context == NULL) {
        return ldc_error(DICOM_ERROR_NET_NO_PENDING_CONNECTION, "%s",
                         "this net no longer listens. Call Listen first.");
    }
    ldc_net_explain_resumption(child, *context);
    ldc_net_use_context(child, *context);
    return DICOM_SUCCESS;
}

/* The listener with a reference, or NULL. */
static ldc_listener *listener_of(ldc_net *net)
{
    pthread_mutex_lock(&net->lock);
    ldc_listener *listener = net->listener;
    if (listener != NULL) {
        ldc_listener_ref(listener);
    }
    pthread_mutex_unlock(&net->lock);
    return listener;
}

static int adopt(ldc_net *net, ldc_net *child, ldc_listener *listener, ldc_tls_context *context)
{
    ldc_pending pending;
    if (!ldc_listener_take(listener, &pending)) {
        return ldc_error(DICOM_ERROR_NET_NO_PENDING_CONNECTION, "%s",
                         "Call Accept once for each OnAccept.");
    }
    if (!ldc_net_add_child(net, child->id)) {
        close(pending.fd);
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "child");
    }
    pthread_mutex_lock(&child->lock);
    ldc_ref_get(&net->ref);
    child->parent = net;
    ldc_address_text(&pending.proxy, child->proxy_address, &child->proxy_port);
    pthread_mutex_unlock(&child->lock);
    ldc_conn *conn = ldc_conn_adopt(child, context, pending.fd, &pending.address, pending.since);
    if (conn == NULL) {
        close(pending.fd);
        ldc_net_remove_child(net, child->id);
        pthread_mutex_lock(&child->lock);
        child->parent = NULL;
        pthread_mutex_unlock(&child->lock);
        ldc_net_put(net);
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "connection");
    }
    if (context != NULL) {
        pthread_mutex_lock(&net->lock);
        ldc_limits limits = net->limits;
        pthread_mutex_unlock(&net->lock);
        /* Loopback, unless the limit was set by hand; a proxy itself. */
        bool exempt = (ldc_address_is_loopback(&pending.address) && !limits.address_limit_set) ||
                      pending.direct;
        ldc_handshakes_add(conn, &pending.address,
                           exempt ? 0 : limits.value[LDC_LIMIT_HANDSHAKES_PER_ADDRESS],
                           limits.value[LDC_LIMIT_HANDSHAKES_TOTAL]);
        if (ldc_conn_ending(conn)) { /* ended before it was counted: nobody else takes it out */
            ldc_handshakes_remove(conn);
        }
        ldc_conn_command(conn, LDC_CONN_ADOPTED);
        ldc_deliver_go(child, conn);
    } else {
        ldc_conn_command(conn, LDC_BIT_READ);
    }
    pthread_mutex_lock(&child->lock);
    bool disposed = child->disposed;
    pthread_mutex_unlock(&child->lock);
    pthread_mutex_lock(&net->lock);
    bool closed = net->disposed || net->forced; /* meanwhile, without seeing this child */
    pthread_mutex_unlock(&net->lock);
    if (disposed) {
        ldc_conn_command(conn, LDC_CONN_ABORT | LDC_CONN_SILENT);
    } else if (closed) {
        ldc_conn_command(conn, LDC_CONN_ABORT);
    }
    ldc_conn_put(conn);
    return DICOM_SUCCESS;
}

L_INT L_DicomAccept(HDICOMNET hNet, HDICOMNET hChild)
{
    ldc_tls_context *context = NULL;
    ldc_net *child = NULL;
    ldc_listener *listener = NULL;
    int rc = DICOM_SUCCESS;
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    child = ldc_net_acquire(hChild);
    listener = child == NULL ? NULL : listener_of(net);
    if (child == NULL) {
        rc = DICOM_ERROR_OBJECT_DISPOSED;
    } else if (listener == NULL) {
        rc = ldc_error(DICOM_ERROR_NET_NO_PENDING_CONNECTION, "%s",
                       "this net does not listen. Call Listen first.");
    } else {
        rc = ldc_net_begin(child);
    }
    if (rc != DICOM_SUCCESS) {
        goto done;
    }
    if (L_DicomGetSecurityMode(hNet) == DICOM_SECURE_TLS && child->mode != DICOM_SECURE_TLS &&
        ldc_net_limit(net, LDC_LIMIT_ALLOW_PLAIN_CHILDREN) == 0) {
        rc = ldc_error(
            DICOM_ERROR_INVALID_STATE, "%s",
            "the listener is TLS and the child is not: the connection would be plain. Give the child mode Tls, or set "
            "allow_plain_children on the listener.");
    } else {
        rc = child_context(net, child, &context);
    }
    if (rc == DICOM_SUCCESS && context != NULL) {
        ldc_expiry_look_at_context(net->id, context);
    }
    if (rc == DICOM_SUCCESS) {
        rc = adopt(net, child, listener, context);
    }
    if (rc != DICOM_SUCCESS) {
        ldc_net_end(child);
    }
done:
    ldc_net_context_put(context);
    ldc_listener_put(listener);
    if (child != NULL) {
        ldc_net_put(child);
    }
    ldc_net_put(net);
    return rc;
}
