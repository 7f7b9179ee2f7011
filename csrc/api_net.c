/* api_net.c - the public functions of nets: callbacks, connecting, listening, accepting, closing,
 * state. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_conn.h"
#include "ldc_error.h"
#include "ldc_expiry.h"
#include "ldc_net.h"

enum {
    MIN_BACKLOG = 128,
    MAX_PORT = 65535
};

/* ---- callbacks ---- */

L_INT L_DicomSetCallback(HDICOMNET hNet, pDICOMNETCALLBACK pCallback)
{
    DICOMNETCALLBACK table = {0};
    /* An older program's structure is shorter: what it does not know is not called. */
    if (pCallback != NULL) {
        if (pCallback->uStructSize < offsetof(DICOMNETCALLBACK, pfnSend) ||
            pCallback->uStructSize > sizeof table) {
            return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                             "uStructSize must be sizeof(DICOMNETCALLBACK)");
        }
        memcpy(&table, pCallback, pCallback->uStructSize);
    }
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    net->callbacks = table;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return DICOM_SUCCESS;
}

L_INT L_DicomSetCallbackExt(HDICOMNET hNet, pDICOMNETCALLBACKEXT pCallback)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = DICOM_SUCCESS;
    DICOMNETCALLBACKEXT table = {0};
    if (pCallback != NULL && (pCallback->uStructSize < offsetof(DICOMNETCALLBACKEXT, bVerifyIsOk) ||
                              pCallback->uStructSize > sizeof table)) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "%s",
                       "uStructSize must be sizeof(DICOMNETCALLBACKEXT)");
    } else {
        if (pCallback != NULL) {
            memcpy(&table, pCallback, pCallback->uStructSize);
        }
        pthread_mutex_lock(&net->lock);
        net->callbacks_ext = table;
        pthread_mutex_unlock(&net->lock);
    }
    ldc_net_put(net);
    return rc;
}

L_VOID *L_DicomGetUserData(HDICOMNET hNet)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&net->lock);
    void *user = net->callbacks.pUserData;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return user;
}

L_INT L_DicomReportCallbackFailure(HDICOMNET hNet, const L_TCHAR *pszWhat)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    ldc_failure failure;
    ldc_failure_init(&failure);
    char *message = ldc_format("User code raised an exception in a callback: %s",
                               pszWhat == NULL ? "" : pszWhat);
    pthread_mutex_lock(&net->lock);
    ldc_failure_fill(&failure, DICOM_ERROR_CALLBACK,
                     net->busy ? DICOM_STAGE_TCP : DICOM_STAGE_CLOSE, DICOM_SIDE_LOCAL, message,
                     "Mend the program's callback.");
    (void)ldc_failure_set(&net->failure, &failure);
    bool unanswered = net->serving;
    pthread_mutex_unlock(&net->lock);
    free(message);
    if (unanswered) { /* the peer must not wait for an answer that nobody will give */
        (void)L_DicomSendAbort(hNet, PDU_ABORT_SOURCE_USER, PDU_ABORT_REASON_UNKNOWN);
    }
    ldc_net_put(net);
    return DICOM_SUCCESS;
}

/* ---- connecting ---- */

static int bind_error(int error, const char *address, unsigned port)
{
    const char *shown = address == NULL || address[0] == '\0' ? "any local address" : address;
    switch (error) {
    case EADDRINUSE:
        return ldc_error(DICOM_ERROR_NET_ADDRESS_IN_USE,
                         "%s port %u. Use another port, 0 for a free one, or end the program "
                         "that has it.",
                         shown, port);
    case EACCES:
    case EPERM:
        return ldc_error(DICOM_ERROR_NET_ACCESS_DENIED,
                         "%s port %u. Ports below 1024 need a privilege: use another one, for "
                         "example 11112 or 2762.",
                         shown, port);
    case EADDRNOTAVAIL:
        return ldc_error(DICOM_ERROR_NET_ADDRESS_NOT_AVAILABLE,
                         "%s is not an address of this computer. Use \"\" or one of its "
                         "own.",
                         shown);
    default:
        return ldc_error(DICOM_ERROR_NET_FAILURE, "%s port %u: %s", shown, port, strerror(error));
    }
}

static int check_ports(L_UINT host_port, L_UINT peer_port)
{
    if (host_port > MAX_PORT || peer_port > MAX_PORT) {
        return ldc_error(DICOM_ERROR_PARAMETER, "port %u is not in 0..65535",
                         host_port > MAX_PORT ? host_port : peer_port);
    }
    return DICOM_SUCCESS;
}

static int check_ip_type(L_INT *ip_type)
{
    if (*ip_type == DICOM_IPTYPE_NONE) {
        *ip_type = DICOM_IPTYPE_IPV4;
    }
    if (*ip_type < DICOM_IPTYPE_IPV4 || *ip_type > DICOM_IPTYPE_IPV4_OR_IPV6) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "IP type %d. Use Ipv4 (1), Ipv6 (2) or Ipv4OrIpv6 (3).", *ip_type);
    }
    return DICOM_SUCCESS;
}

/* A local address: a literal, or a name of this computer (looked up here, it is local). */
static int local_address(const char *text, unsigned port, int ip_type, ldc_address *address)
{
    int gai = 0;
    if (ldc_address_literal(text, port, address) ||
        ldc_address_resolve(text, port, ip_type, address, 1, &gai) > 0) {
        return DICOM_SUCCESS;
    }
    return ldc_error(DICOM_ERROR_NET_HOST_NOT_FOUND,
                     "local address \"%s\": %s. Give an address of this computer, or \"\".", text,
                     gai_strerror(gai));
}

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
        rc = local_address(host, host_port, ip_type, &target->local);
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
            rc = bind_error(errno, host, host_port);
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

/* Resumption was switched on, and something else keeps it off: said once for each context. */
static void explain_resumption(ldc_net *net, const ldc_tls_context *context)
{
    pthread_mutex_lock(&net->lock);
    bool judges = ldc_net_judges(net);
    bool known = net->context == context;
    pthread_mutex_unlock(&net->lock);
    if (known || !context->resumption) {
        return;
    }
    if (judges) {
        ldc_log(DICOM_LOG_WARNING, net->id, "%s",
                "session resumption stays off: OnVerify or a verify callback judges the peer's "
                "certificates, and a resumed session shows none");
    } else if ((context->verify & L_SSL_VERIFY_PEER) == 0) {
        ldc_log(DICOM_LOG_WARNING, net->id, "%s",
                "session resumption stays off: the verification flags are without Peer");
    }
}

/* The context for the net's own settings. plain: *context = NULL. The net is busy: nothing changes
 * meanwhile. */
static int make_context(ldc_net *net, bool server, ldc_tls_context **context)
{
    *context = NULL;
    if (net->mode != DICOM_SECURE_TLS) {
        return DICOM_SUCCESS;
    }
    ldc_net_tls taken;
    pthread_mutex_lock(&net->lock);
    bool done = ldc_net_take_tls(net, &taken);
    pthread_mutex_unlock(&net->lock);
    if (!done) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS context");
    }
    int rc = ldc_tls_context_get(server, taken.settings, taken.credentials, &taken.choice, net->id,
                                 context);
    ldc_net_give_tls(&taken);
    if (rc == DICOM_SUCCESS) {
        explain_resumption(net, *context);
        ldc_net_use_context(net, *context);
    }
    return rc;
}

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
        int rc = make_context(child, true, context);
        if (rc == DICOM_SUCCESS && *context != NULL) {
            ldc_net_use_context(net, *context); /* for the next child, when this one has gone */
        }
        return rc;
    }
    if (*context == NULL) {
        return ldc_error(DICOM_ERROR_NET_NO_PENDING_CONNECTION, "%s",
                         "this net no longer listens. Call Listen first.");
    }
    explain_resumption(child, *context);
    ldc_net_use_context(child, *context);
    return DICOM_SUCCESS;
}

static void context_put(ldc_tls_context *context)
{
    if (context != NULL) {
        ldc_ref_put(&context->shared.ref);
    }
}

L_INT L_DicomConnectExt(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort,
                        const L_TCHAR *pszPeerAddress, L_UINT nPeerPort, L_INT nIpType)
{
    ldc_target target = {.socket = -1};
    ldc_tls_context *context = NULL;
    ldc_conn *conn = NULL;
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = check_ports(nHostPort, nPeerPort);
    if (rc == DICOM_SUCCESS) {
        rc = check_ip_type(&nIpType);
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_net_begin(net);
    }
    if (rc != DICOM_SUCCESS) {
        ldc_net_put(net);
        return rc;
    }
    rc = prepare_target(&target, pszHostAddress, nHostPort, pszPeerAddress, nPeerPort, nIpType);
    if (rc == DICOM_SUCCESS) {
        rc = make_context(net, false, &context);
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
    context_put(context);
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomConnect(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort,
                     const L_TCHAR *pszPeerAddress, L_UINT nPeerPort)
{
    return L_DicomConnectExt(hNet, pszHostAddress, nHostPort, pszPeerAddress, nPeerPort,
                             DICOM_IPTYPE_IPV4);
}

/* ---- listening ---- */

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
        rc = local_address(host, port, ip_type, &address);
    }
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    int fd = ldc_address_socket(address.storage.ss_family, &address,
                                (ip_type != DICOM_IPTYPE_IPV4_OR_IPV6 ? LDC_SOCKET_V6_ONLY : 0u) |
                                    (reuse_port ? LDC_SOCKET_REUSE_PORT : 0u));
    if (fd < 0 || listen(fd, backlog < MIN_BACKLOG ? MIN_BACKLOG : backlog) != 0) {
        rc = reuse_port && errno == EADDRINUSE ? not_shared(host, port)
                                               : bind_error(errno, host, port);
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
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = check_ports(nHostPort, 0);
    if (rc == DICOM_SUCCESS) {
        rc = check_ip_type(&nIpType);
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_net_begin(net);
    }
    if (rc != DICOM_SUCCESS) {
        ldc_net_put(net);
        return rc;
    }
    if (net->children_inherit) { /* what cannot work is said now, not to a client */
        rc = check_reloading(net);
        rc = rc == DICOM_SUCCESS ? make_context(net, true, &context) : rc;
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
    context_put(context);
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomListen(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort, L_INT nNbPeers)
{
    return L_DicomListenExt(hNet, pszHostAddress, nHostPort, nNbPeers, DICOM_IPTYPE_IPV4);
}

/* ---- accepting ---- */

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
    context_put(context);
    ldc_listener_put(listener);
    if (child != NULL) {
        ldc_net_put(child);
    }
    ldc_net_put(net);
    return rc;
}

/* ---- closing ---- */

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
