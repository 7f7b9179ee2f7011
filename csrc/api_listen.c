/* api_listen.c - the public functions that make a net listen. Sharing a port, and proxies:
 * api_listening.c. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_net.h"
#include "ldc_conn.h"
#include "ldc_error.h"

enum {
    MIN_BACKLOG = 128
};

/* reuse_port is set here, and yet the port cannot be had. */
static int not_shared(const char *host, unsigned port)
{
    return ldc_error(
        DICOM_ERROR_NET_ADDRESS_IN_USE,
        "%s port %u. The program that has it does not share it with this one: set "
        "reuse_port before Listen in every process of the port, and run all as the same "
        "user, or use another port.",
        host == NULL || host[0] == '\0' ? "any local address" : host, port);
}

static int listening_socket(const char *host, unsigned port, int ip_type, int backlog,
                            bool reuse_port, int *result)
{
    ldc_address address;
    bool all = host != NULL && strcmp(host, "*") == 0;
    int family = ip_type == DICOM_IPTYPE_IPV4 ? AF_INET : AF_INET6;
    int rc = DICOM_SUCCESS;
    if (all) {
        ldc_address_any(family, port, &address);
    } else if (host == NULL || host[0] == '\0') {
        ldc_address_local(ldc_address_family(ip_type), port, &address);
    } else {
        rc = ldc_net_local_address(host, port, ip_type, &address);
    }
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    int fd = ldc_address_socket(address.storage.ss_family, &address,
                                (ip_type != DICOM_IPTYPE_IPV4_OR_IPV6 ? LDC_SOCKET_V6_ONLY : 0u) |
                                    (reuse_port ? LDC_SOCKET_REUSE_PORT : 0u));
    if (fd < 0 || listen(fd, backlog < MIN_BACKLOG ? MIN_BACKLOG : backlog) != 0) {
        rc = reuse_port && errno == EADDRINUSE ? not_shared(host, port)
                                               : ldc_net_bind_error(errno, host, port);
        if (fd >= 0) {
            close(fd);
        }
        return rc;
    }
    *result = fd;
    return DICOM_SUCCESS;
}

static void remember_listening(ldc_net *net, int fd)
{
    ldc_address address = {.length = sizeof address.storage};
    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.length) == 0) {
        pthread_mutex_lock(&net->lock);
        ldc_address_text(&address, net->host_address, &net->host_port);
        pthread_mutex_unlock(&net->lock);
    }
}

/* The net is busy: no reload begins any more. One that goes on would replace what the children
 * have. */
static int check_reloading(ldc_net *net)
{
    pthread_mutex_lock(&net->lock);
    bool reloading = net->reloading;
    pthread_mutex_unlock(&net->lock);
    return reloading ? ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                                 "another call is reloading the TLS settings. Listen when that one "
                                 "has returned.")
                     : DICOM_SUCCESS;
}

L_INT L_DicomListenExt(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort,
                       L_INT nNbPeers, L_INT nIpType)
{
    int fd = -1;
    ldc_tls_context *context = NULL;
    ldc_net *net = NULL;
    int rc = ldc_net_begin_at(hNet, nHostPort, 0, &nIpType, &net);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (net->children_inherit) { /* what cannot work is said now, not to a client */
        rc = check_reloading(net);
        rc = rc == DICOM_SUCCESS ? ldc_net_make_context(net, true, &context) : rc;
    }
    if (rc == DICOM_SUCCESS) {
        rc = listening_socket(pszHostAddress, nHostPort, nIpType, nNbPeers, net->reuse_port, &fd);
    }
    if (rc == DICOM_SUCCESS) {
        remember_listening(net, fd);
        rc = ldc_listener_new(net, fd);
        if (rc != DICOM_SUCCESS) {
            close(fd);
        }
    }
    if (rc != DICOM_SUCCESS) {
        ldc_net_end(net);
    }
    ldc_net_context_put(context);
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomListen(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort, L_INT nNbPeers)
{
    return L_DicomListenExt(hNet, pszHostAddress, nHostPort, nNbPeers, DICOM_IPTYPE_IPV4);
}
