/* ldc_conn_open.c - the beginning of a connection: resolve, connect, addresses, transport. */
#include "ldc_conn_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_error.h"
#include "ldc_link_info.h"
#include "ldc_poller.h"
#include "ldc_tables.h"

/* ---- the beginning ---- */

endpoints ldc_conn_endpoints_of(int fd)
{
    endpoints ends = {.peer.length = sizeof ends.peer.storage,
                      .host.length = sizeof ends.host.storage};
    if (getpeername(fd, (struct sockaddr *)&ends.peer.storage, &ends.peer.length) != 0) {
        ends.peer.length = 0;
    }
    if (getsockname(fd, (struct sockaddr *)&ends.host.storage, &ends.host.length) != 0) {
        ends.host.length = 0;
    }
    return ends;
}

/* The net's lock is held. */
void ldc_conn_set_endpoints(ldc_net *net, const endpoints *ends)
{
    ldc_address_text(&ends->peer, net->peer_address, &net->peer_port);
    ldc_address_text(&ends->host, net->host_address, &net->host_port);
    net->connected = !net->closing && !net->disposed;
}

bool ldc_conn_make_transport(ldc_conn *conn)
{
    conn->transport = conn->tls == NULL
                          ? ldc_transport_tcp_new(conn->actor.fd)
                          : ldc_tls_link_new(conn->tls, conn->actor.fd, conn->target.name,
                                             ldc_conn_verdict, ldc_conn_asks, conn);
    return conn->transport != NULL;
}

static void connected(ldc_conn *conn)
{
    ldc_conn_apply_socket_options(conn, conn->actor.fd);
    endpoints ends = ldc_conn_endpoints_of(conn->actor.fd);
    pthread_mutex_lock(&conn->net->lock);
    ldc_conn_set_endpoints(conn->net, &ends);
    pthread_mutex_unlock(&conn->net->lock);
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE, 0);
    bool made = ldc_conn_make_transport(conn);
    ldc_conn_target_clear(&conn->target);
    if (!made) {
        ldc_conn_end_with(conn, DICOM_ERROR_MEMORY, DICOM_STAGE_TCP, DICOM_SIDE_LOCAL, NULL, NULL);
        return;
    }
    conn->phase = TOLD;
    ldc_deliver(conn->net, LDC_EVENT_CONNECT, DICOM_SUCCESS);
    if (conn->tls != NULL) {
        ldc_deliver_go(conn->net, conn);
    } else {
        conn->phase = READY;
        conn->last_read = ldc_now_ms();
        ldc_upper_start(conn->upper);
        ldc_conn_read(conn);
    }
}

void ldc_conn_end_connect(ldc_conn *conn, int error)
{
    bool by_peer = error == ECONNREFUSED || error == ECONNRESET || error == ECONNABORTED;
    if (error == EADDRNOTAVAIL && conn->target.local.length != 0) {
        error = EADDRINUSE; /* bound well before: the pair of addresses belongs to a connection */
    }
    int code = DICOM_ERROR_NET_FAILURE;
    const char *remedy = "Check the network between the two computers.";
    switch (error) {
    case ECONNREFUSED:
        code = DICOM_ERROR_NET_CONNECTION_REFUSED;
        remedy =
            "No program listens on this port there: check address and port, and that the peer is running.";
        break;
    case ETIMEDOUT:
        code = DICOM_ERROR_NET_TIMEOUT;
        remedy =
            "The peer did not answer: check the address, that it is switched on, and firewalls in between.";
        break;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
        code = DICOM_ERROR_NET_HOST_UNREACHABLE;
        remedy =
            "There is no route to this address: check the address and this computer's network.";
        break;
    case EADDRINUSE:
        code = DICOM_ERROR_NET_ADDRESS_IN_USE;
        remedy = "This local address and port already belong to a connection: use local port 0.";
        break;
    case EADDRNOTAVAIL:
        code = DICOM_ERROR_NET_ADDRESS_NOT_AVAILABLE;
        remedy = "No local port is free, or the local address is not one of this computer.";
        break;
    case EACCES:
    case EPERM:
        code = DICOM_ERROR_NET_ACCESS_DENIED;
        remedy = "The system forbids this connection: look at its firewall rules.";
        break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        remedy =
            "This program has no descriptor or memory left for a connection: raise the limit (ulimit -n).";
        break;
    case ECONNRESET:
    case ECONNABORTED:
        code = DICOM_ERROR_NET_CONNECTION_ABORTED;
        remedy =
            "The peer reset the connection at once: look for its reason in its log, or for a firewall between.";
        break;
    default:
        break;
    }
    ldc_conn_end_with(conn, code, DICOM_STAGE_TCP, by_peer ? DICOM_SIDE_PEER : DICOM_SIDE_LOCAL,
                      NULL, remedy);
}

/* Tries the addresses one after the other; last_error: why the one before failed. */
static void try_next(ldc_conn *conn, int last_error)
{
    ldc_target *target = &conn->target;
    while (conn->next_address < target->count) {
        const ldc_address *address = &target->addresses[conn->next_address++];
        int old = ldc_actor_take_fd(&conn->actor);
        if (old >= 0) {
            close(old);
        }
        int fd = target->socket;
        target->socket = -1;
        if (fd < 0) {
            fd = ldc_address_socket(address->storage.ss_family, &target->local, 0);
        }
        if (fd < 0) {
            last_error = errno;
            continue;
        }
        conn->actor.fd = fd;
        if (connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0) {
            connected(conn);
            return;
        }
        last_error = errno;
        if (last_error == EINPROGRESS || last_error == EINTR) {
            if (ldc_actor_arm(&conn->actor, LDC_POLL_WRITE) == 0) {
                return;
            }
            last_error = ENOMEM;
        }
    }
    ldc_conn_end_connect(conn, last_error == 0 ? EHOSTUNREACH : last_error);
}

/* A name is looked up on a worker of its own: the resolver blocks. */
typedef struct resolve_job {
    ldc_job job;
    ldc_conn *conn; /* reference */
} resolve_job;

static void resolve(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    resolve_job *work = (resolve_job *)(void *)job;
    ldc_conn *conn = work->conn;
    ldc_target *target = &conn->target;
    /* The strand does not touch the target before RESOLVED, except to end, which leaves the name
     * alone. */
    ldc_address found[8];
    int gai = 0;
    bool computed = ldc_compute(false); /* the name service may take its time */
    int count = ldc_address_resolve(target->name, target->port, target->ip_type, found, 8, &gai);
    (void)ldc_compute(computed);
    pthread_mutex_lock(&conn->actor.lock);
    memcpy(target->addresses, found, sizeof found[0] * (size_t)count);
    target->count = count;
    conn->gai = gai;
    pthread_mutex_unlock(&conn->actor.lock);
    ldc_conn_command(conn, LDC_CONN_RESOLVED);
    ldc_conn_put(conn);
    free(work);
}

void ldc_conn_begin(ldc_conn *conn)
{
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE,
                       conn->began + (int64_t)conn->limits.value[LDC_LIMIT_CONNECT_TIMEOUT]);
    if (conn->target.name == NULL) {
        try_next(conn, 0);
        return;
    }
    resolve_job *work = calloc(1, sizeof *work);
    if (work == NULL) {
        ldc_conn_end_with(conn, DICOM_ERROR_MEMORY, DICOM_STAGE_RESOLVE, DICOM_SIDE_LOCAL, NULL,
                          NULL);
        return;
    }
    ldc_conn_ref(conn);
    work->conn = conn;
    work->job.run = resolve;
    ldc_engine_push(&work->job, LDC_JOB_BLOCKING);
}

void ldc_conn_resolved(ldc_conn *conn)
{
    conn->resolved = true;
    if (conn->target.count > 0) {
        try_next(conn, 0);
        return;
    }
    char *message = ldc_format("The host name is not known: %s (%s)", conn->target.name,
                               gai_strerror(conn->gai));
    ldc_conn_end_with(
        conn, DICOM_ERROR_NET_HOST_NOT_FOUND, DICOM_STAGE_RESOLVE, DICOM_SIDE_LOCAL, message,
        "Check the spelling of the name and this computer's name service, or give the address.");
    free(message);
}

void ldc_conn_connect_progress(ldc_conn *conn)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (conn->actor.fd < 0) {
        return;
    }
    if (getsockopt(conn->actor.fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        error = errno;
    }
    endpoints ends = ldc_conn_endpoints_of(conn->actor.fd);
    if (error == 0 && ends.peer.length == 0) {
        /* Not yet: an event that meant something else. */
        error = ldc_actor_arm(&conn->actor, LDC_POLL_WRITE) == 0 ? EINPROGRESS : ENOMEM;
    }
    if (error == EINPROGRESS) {
        return;
    }
    if (error == 0) {
        connected(conn);
    } else {
        try_next(conn, error);
    }
}
