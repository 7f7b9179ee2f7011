/* api_connect.c - the public functions that connect a net to a peer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_net.h"
#include "ldc_conn.h"
#include "ldc_error.h"

static int prepare_target(ldc_target *target, const char *host, unsigned host_port,
                          const char *peer, unsigned peer_port, int ip_type)
{
    bool has_host = host != NULL && host[0] != '\0';
    int rc = DICOM_SUCCESS;
    memset(target, 0, sizeof *target);
    target->socket = -1;
    target->port = peer_port;
    target->ip_type = ip_type;
    if (peer == NULL || peer[0] == '\0') {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "the peer's address is empty. Give a host name or an address.");
    }
    if (ldc_address_literal(peer, peer_port, &target->addresses[0])) {
        target->count = 1;
    } else {
        target->name = ldc_strdup(peer);
        if (target->name == NULL) {
            return ldc_error(DICOM_ERROR_MEMORY, "%s", "peer address");
        }
    }
    int family =
        target->count > 0 ? target->addresses[0].storage.ss_family : ldc_address_family(ip_type);
    if (has_host) {
        rc = ldc_net_local_address(host, host_port, ip_type, &target->local);
        if (rc == DICOM_SUCCESS && target->count > 0 && target->local.storage.ss_family != family) {
            rc = ldc_error(DICOM_ERROR_PARAMETER,
                           "local address \"%s\" and peer \"%s\" are of different IP versions",
                           host, peer);
        }
        family = target->local.storage.ss_family;
    } else if (host_port != 0) {
        ldc_address_any(family, host_port, &target->local);
    }
    if (rc == DICOM_SUCCESS && target->local.length != 0) {
        target->socket = ldc_address_socket(family, &target->local, 0);
        if (target->socket < 0) {
            rc = ldc_net_bind_error(errno, host, host_port);
        }
    }
    return rc;
}

static void target_release(ldc_target *target)
{
    free(target->name);
    if (target->socket >= 0) {
        close(target->socket);
    }
}

L_INT L_DicomConnectExt(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort,
                        const L_TCHAR *pszPeerAddress, L_UINT nPeerPort, L_INT nIpType)
{
    ldc_target target = {.socket = -1};
    ldc_tls_context *context = NULL;
    ldc_conn *conn = NULL;
    ldc_net *net = NULL;
    int rc = ldc_net_begin_at(hNet, nHostPort, nPeerPort, &nIpType, &net);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    rc = prepare_target(&target, pszHostAddress, nHostPort, pszPeerAddress, nPeerPort, nIpType);
    if (rc == DICOM_SUCCESS) {
        rc = ldc_net_make_context(net, false, &context);
    }
    if (rc == DICOM_SUCCESS) {
        conn = ldc_conn_open(net, context, &target);
        if (conn == NULL) {
            rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "connection");
        }
    }
    if (rc == DICOM_SUCCESS) {
        ldc_conn_command(conn, LDC_CONN_START);
        pthread_mutex_lock(&net->lock);
        bool disposed = net->disposed;
        pthread_mutex_unlock(&net->lock);
        if (disposed) { /* freed meanwhile by another thread, which may not have seen the connection
                         */
            ldc_conn_command(conn, LDC_CONN_ABORT | LDC_CONN_SILENT);
        }
    } else {
        target_release(&target);
        ldc_net_end(net);
    }
    ldc_conn_put(conn);
    ldc_net_context_put(context);
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomConnect(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort,
                     const L_TCHAR *pszPeerAddress, L_UINT nPeerPort)
{
    return L_DicomConnectExt(hNet, pszHostAddress, nHostPort, pszPeerAddress, nPeerPort,
                             DICOM_IPTYPE_IPV4);
}
