/* api_association.c - the public functions of associations on a net: request, accept, reject,
 * release, abort. */
#include "ldc_conn.h"
#include "ldc_error.h"
#include "ldc_net.h"
#include "ldc_net_upper.h"

/* The net's connection with a reference, or NULL and the error. *net has a reference, too. */
ldc_conn *ldc_net_upper_acquire(HDICOMNET handle, int code, ldc_net **net, int *rc)
{
    *net = ldc_net_acquire(handle);
    if (*net == NULL) {
        *rc = DICOM_ERROR_OBJECT_DISPOSED;
        return NULL;
    }
    pthread_mutex_lock(&(*net)->lock);
    ldc_conn *conn = (*net)->conn;
    if (conn != NULL) {
        ldc_conn_ref(conn);
    }
    pthread_mutex_unlock(&(*net)->lock);
    if (conn == NULL) {
        *rc = ldc_error(code, "%s", "Connect first, or wait for OnConnect.");
        ldc_net_put(*net);
        *net = NULL;
    }
    return conn;
}

void ldc_net_upper_release(ldc_net *net, ldc_conn *conn)
{
    ldc_conn_put(conn);
    ldc_net_put(net);
}

void ldc_net_answered(ldc_net *net, uint16_t id)
{
    pthread_mutex_lock(&net->lock);
    if (net->serving && net->serving_id == id) {
        net->serving = false;
    }
    pthread_mutex_unlock(&net->lock);
}

static int check_associate(HDICOMPDU associate, bool request)
{
    if (!ldc_associate_alive(associate)) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "no association object was given, or it was freed");
    }
    if (associate->request != request) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the association object is made for a%s. Create it with %s.",
                         associate->request ? " request" : "n accept", request ? "true" : "false");
    }
    return DICOM_SUCCESS;
}

L_BOOL L_DicomIsAssociated(HDICOMNET hNet)
{
    int rc;
    ldc_net *net;
    ldc_conn *conn =
        ldc_net_upper_acquire(hNet, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc);
    if (conn == NULL) {
        return 0;
    }
    L_BOOL associated = ldc_upper_associated(ldc_conn_upper(conn)) ? 1 : 0;
    ldc_net_upper_release(net, conn);
    return associated;
}

HDICOMPDU L_DicomGetAssociate(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    ldc_associate *copy = NULL;
    if (net == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&net->lock);
    ldc_conn *conn = net->conn;
    if (conn != NULL) {
        ldc_conn_ref(conn);
    } else if (net->last_association != NULL) {
        copy = ldc_associate_clone(net->last_association);
    }
    pthread_mutex_unlock(&net->lock);
    if (conn != NULL) {
        copy = ldc_upper_association(ldc_conn_upper(conn));
        ldc_conn_put(conn);
    }
    ldc_net_put(net);
    return copy;
}

L_INT L_DicomSendAssociateRequest(HDICOMNET hNet, HDICOMPDU hPDU)
{
    ldc_net *net;
    int rc = check_associate(hPDU, true);
    ldc_conn *conn = rc == DICOM_SUCCESS
                         ? ldc_net_upper_acquire(hNet, DICOM_ERROR_NET_NOT_CONNECTED, &net, &rc)
                         : NULL;
    if (conn != NULL) {
        rc = ldc_upper_associate(ldc_conn_upper(conn), hPDU);
        ldc_net_upper_release(net, conn);
    }
    return rc;
}

/* An association of which nothing can come is a failure for those who look at it. */
static void report_nothing(ldc_net *net, ldc_conn *conn)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    if (ldc_upper_nothing_agreed(ldc_conn_upper(conn), &failure)) {
        ldc_net_report(net, &failure, NULL, 0, true);
    }
    ldc_failure_clear(&failure);
}

L_INT L_DicomSendAssociateAccept(HDICOMNET hNet, HDICOMPDU hPDU)
{
    ldc_net *net;
    int rc = check_associate(hPDU, false);
    ldc_conn *conn =
        rc == DICOM_SUCCESS
            ? ldc_net_upper_acquire(hNet, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc)
            : NULL;
    if (conn != NULL) {
        rc = ldc_upper_accept(ldc_conn_upper(conn), hPDU);
        if (rc == DICOM_SUCCESS) {
            ldc_net_answered(net, 0);
            report_nothing(net, conn);
        }
        ldc_net_upper_release(net, conn);
    }
    return rc;
}

L_INT L_DicomSendAssociateReject(HDICOMNET hNet, L_UCHAR nResult, L_UCHAR nSource, L_UCHAR nReason)
{
    int rc;
    ldc_net *net;
    ldc_conn *conn =
        ldc_net_upper_acquire(hNet, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc);
    if (conn != NULL) {
        rc = ldc_upper_reject(ldc_conn_upper(conn), nResult, nSource, nReason);
        if (rc == DICOM_SUCCESS) {
            ldc_net_answered(net, 0);
        }
        ldc_net_upper_release(net, conn);
    }
    return rc;
}

static int release(HDICOMNET handle, bool request)
{
    int rc;
    ldc_net *net;
    ldc_conn *conn =
        ldc_net_upper_acquire(handle, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc);
    if (conn != NULL) {
        rc = ldc_upper_release(ldc_conn_upper(conn), request);
        ldc_net_upper_release(net, conn);
    }
    return rc;
}

L_INT L_DicomSendReleaseRequest(HDICOMNET hNet)
{
    return release(hNet, true);
}

L_INT L_DicomSendReleaseResponse(HDICOMNET hNet)
{
    return release(hNet, false);
}

L_INT L_DicomSendAbort(HDICOMNET hNet, L_UCHAR nSource, L_UCHAR nReason)
{
    int rc;
    ldc_net *net;
    ldc_conn *conn =
        ldc_net_upper_acquire(hNet, DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED, &net, &rc);
    if (conn != NULL) {
        rc = ldc_upper_abort(ldc_conn_upper(conn), nSource, nReason);
        ldc_net_upper_release(net, conn);
    }
    return rc;
}
