/*
 * ldc_conn.c - one TCP connection of a net.
 *
 * Phases:  OPENING (resolve, connect) -> TOLD (CONNECT is being told) -> HANDSHAKE -> LATE (a
 * TLS 1.3 client waits for the server's first word) -> READY -> DRAINING (the net has been told;
 * only the peer's last bytes are awaited, so that no reset eats our alert) -> DEAD. Everything here
 * runs on the strand unless it says otherwise.
 */
#include "ldc_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_link_info.h"
#include "ldc_poller.h"
#include "ldc_tables.h"

typedef enum phase {
    OPENING,
    TOLD,
    HANDSHAKE,
    LATE,
    READY,
    DRAINING,
    DEAD
} phase;

enum {
    DEADLINE_PHASE = 0,
    DEADLINE_LINGER = 1
};
enum {
    READ_SIZE = 16 * 1024,
    READS_AT_ONCE = 16,
    DRAIN_BYTES = 64 * 1024 * 1024,
    FORCED_LINGER_MS = 1000,
    CROWDED_LINGER_MS = 100,
    MAX_DRAINING = 256, /* more at once are crowded */
};

struct ldc_conn {
    ldc_actor actor;      /* first */
    ldc_net *net;         /* reference until told of the end, then NULL */
    ldc_tls_context *tls; /* reference, NULL = plain */
    bool server;
    phase phase;
    ldc_transport *transport; /* owned */
    ldc_target target;        /* owned; opening only */
    int next_address;
    bool resolved;
    int gai;
    ldc_limits limits;
    int64_t began;
    int64_t handshake_deadline;
    bool first_data_seen;
    size_t drained;
    ldc_question *question; /* reference, under actor.lock */
    bool ending;            /* under actor.lock: the user's command to end was given */
    bool evicted;           /* under actor.lock: so was EVICT */
};

static atomic_uint handshakes;
static atomic_uint draining;
static atomic_ullong links, link_failures;

static void conn_step(ldc_actor *actor, uint32_t bits);

static void target_clear(ldc_target *target)
{
    free(target->name);
    target->name = NULL;
    if (target->socket >= 0) {
        close(target->socket);
        target->socket = -1;
    }
}

static void conn_destroy(ldc_ref *ref)
{
    ldc_conn *conn = (ldc_conn *)(void *)ref;
    if (conn->transport != NULL) {
        conn->transport->ops->free(conn->transport);
    }
    if (conn->actor.fd >= 0) {
        close(conn->actor.fd);
    }
    target_clear(&conn->target);
    if (conn->tls != NULL) {
        ldc_ref_put(&conn->tls->ref);
    }
    if (conn->net != NULL) {
        ldc_net_put(conn->net);
    }
    ldc_actor_fini(&conn->actor);
    free(conn);
}

static ldc_conn *conn_new(ldc_net *net, ldc_tls_context *tls, bool server)
{
    ldc_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        return NULL;
    }
    conn->target.socket = -1;
    if (ldc_actor_init(&conn->actor, conn_step, conn_destroy) != 0) {
        free(conn);
        return NULL;
    }
    ldc_ref_get(&net->ref);
    conn->net = net;
    if (tls != NULL) {
        ldc_ref_get(&tls->ref);
    }
    conn->tls = tls;
    conn->server = server;
    conn->began = ldc_now_ms();
    pthread_mutex_lock(&net->lock);
    conn->limits = net->limits;
    pthread_mutex_unlock(&net->lock);
    return conn;
}

static void apply_socket_options(ldc_conn *conn, int fd)
{
    static const struct {
        int level, name;
    } options[4] = {{IPPROTO_TCP, TCP_NODELAY},
                    {SOL_SOCKET, SO_KEEPALIVE},
                    {SOL_SOCKET, SO_SNDBUF},
                    {SOL_SOCKET, SO_RCVBUF}};
    int values[4];
    pthread_mutex_lock(&conn->net->lock);
    memcpy(values, conn->net->socket_options, sizeof values);
    pthread_mutex_unlock(&conn->net->lock);
    for (size_t i = 0; i < 4; i++) {
        if (values[i] >= 0) {
            (void)setsockopt(fd, options[i].level, options[i].name, &values[i], sizeof values[i]);
        }
    }
}

/* ---- the end ---- */

static void die(ldc_conn *conn)
{
    if (conn->phase == DRAINING) {
        atomic_fetch_sub(&draining, 1u);
    }
    conn->phase = DEAD;
    if (conn->transport != NULL) {
        conn->transport->ops->free(conn->transport);
        conn->transport = NULL;
    }
    ldc_actor_close(&conn->actor);
    ldc_ref_put(&conn->actor.ref); /* the one that kept it alive while open */
}

/* Takes what the peer still sends away, until its FIN or the linger limit. */
static void drain(ldc_conn *conn)
{
    unsigned char sink[READ_SIZE];
    for (int i = 0;; i++) {
        if (i == READS_AT_ONCE) {
            ldc_actor_post(&conn->actor, LDC_BIT_READ); /* others' turn, then on */
            return;
        }
        ssize_t got = recv(conn->actor.fd, sink, sizeof sink, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        }
        conn->drained += got > 0 ? (size_t)got : 0;
        if (got <= 0 || conn->drained > DRAIN_BYTES) {
            die(conn);
            return;
        }
    }
    if (ldc_actor_arm(&conn->actor, LDC_POLL_READ) != 0) {
        die(conn);
    }
}

/* Lets go of the net and lingers alone. */
static void linger(ldc_conn *conn, bool goodbye, bool forced)
{
    if (conn->transport != NULL) {
        if (goodbye) {
            (void)conn->transport->ops->shutdown(conn->transport);
        }
        conn->transport->ops->free(conn->transport);
        conn->transport = NULL;
    }
    if (conn->actor.fd < 0 || shutdown(conn->actor.fd, SHUT_WR) != 0) {
        die(conn);
        return;
    }
    conn->phase = DRAINING;
    conn->actor.calls_user = false;
    bool crowded = atomic_fetch_add(&draining, 1u) >= MAX_DRAINING;
    uint64_t ms = conn->limits.value[LDC_LIMIT_LINGER_TIMEOUT];
    uint64_t most = crowded ? CROWDED_LINGER_MS : FORCED_LINGER_MS;
    if ((forced || crowded) && ms > most) {
        ms = most;
    }
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE, 0);
    ldc_actor_deadline(&conn->actor, DEADLINE_LINGER, ldc_now_ms() + (int64_t)ms);
    drain(conn);
}

/* Tells the net that this connection has ended; code and failure as OnClose and the record say. */
static void finish(ldc_conn *conn, int code, ldc_failure *failure, bool silent)
{
    ldc_net *net = conn->net;
    phase was = conn->phase;
    bool link_owed = conn->tls != NULL && (was == TOLD || was == HANDSHAKE || was == LATE);
    if (was == HANDSHAKE || was == LATE) {
        atomic_fetch_sub(&handshakes, 1u);
    }
    if (conn->server && conn->tls != NULL) {
        ldc_handshakes_remove(conn);
    }
    if (link_owed) {
        atomic_fetch_add(&link_failures, 1u);
        ldc_link_info_failed(net, ldc_tls_link_of(conn->transport));
    }
    if (failure != NULL && failure->code != DICOM_SUCCESS) {
        ldc_net_fail(net, conn, failure, conn->began);
    }
    pthread_mutex_lock(&net->lock);
    net->connected = false;
    net->closing = true; /* a Connect from now on waits until all of this has been queued */
    net->finishing = true;
    ldc_net *parent = net->parent;
    net->parent = NULL;
    pthread_mutex_unlock(&net->lock);
    if (parent != NULL) {
        ldc_net_remove_child(parent, net->id);
    }
    if (!silent) {
        if (was == OPENING && !conn->server) {
            ldc_deliver(net, LDC_EVENT_CONNECT,
                        code == DICOM_SUCCESS ? DICOM_ERROR_CANCELED : code);
        } else if (link_owed && code != DICOM_SUCCESS) {
            ldc_deliver(net, LDC_EVENT_SECURE_LINK_READY, code);
        }
        ldc_deliver_close(net, code, parent);
    }
    if (parent != NULL) {
        ldc_net_put(parent);
    }
    pthread_mutex_lock(&net->lock);
    net->conn = NULL;
    net->busy = false;
    net->closing = false;
    net->finishing = false;
    pthread_cond_broadcast(&net->idle);
    pthread_mutex_unlock(&net->lock);
    conn->net = NULL;
    ldc_conn_put(conn); /* the net's */
    ldc_net_put(net);
}

static void end(ldc_conn *conn, int code, ldc_failure *failure, bool goodbye)
{
    finish(conn, code, failure, false);
    linger(conn, goodbye, false);
}

/* The transport failed: asks it why. */
static void end_failed(ldc_conn *conn)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    conn->transport->ops->diagnose(conn->transport, &failure);
    /* An end without close_notify outside of any message is how many peers hang up. */
    bool hung_up = conn->phase == READY && conn->transport->eof &&
                   failure.code == DICOM_ERROR_NET_CONNECTION_ABORTED;
    if (hung_up) {
        ldc_failure_clear(&failure);
    } else if (conn->phase == LATE && failure.code == DICOM_ERROR_NET_CONNECTION_ABORTED) {
        ldc_failure_fill(
            &failure, failure.code, DICOM_STAGE_TLS, DICOM_SIDE_PEER, NULL,
            "The server ended the connection right after it got our certificate: it probably refused it; "
            "its log says why.");
    }
    end(conn, failure.code, &failure, false);
    ldc_failure_clear(&failure);
}

static void end_with(ldc_conn *conn, int code, int stage, int side, const char *message,
                     const char *remedy)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    ldc_failure_fill(&failure, code, stage, side, message, remedy);
    end(conn, code, &failure, true);
    ldc_failure_clear(&failure);
}

/* ---- reading ---- */

/* The first bytes on a link that should carry DICOM: somebody else is named. true: the connection
 * has ended. */
static bool end_strangers(ldc_conn *conn, const unsigned char *data, size_t size)
{
    /* PS3.8 9.3.1 and 7.4 (A-ABORT): type 7, length 4, source 2 = provider, reason 1 = unrecognized
     * PDU. */
    static const unsigned char abort_pdu[] = {7, 0, 0, 0, 0, 4, 0, 0, 2, 1};
    if (conn->first_data_seen) {
        return false;
    }
    conn->first_data_seen = true;
    if (data[0] >= 1 && data[0] <= 7) {
        return false;
    }
    ldc_speech speech = ldc_transport_speech(data, size);
    bool tls = speech == LDC_SPEECH_TLS;
    size_t put;
    (void)conn->transport->ops->write(conn->transport, abort_pdu, sizeof abort_pdu, &put);
    char *message =
        ldc_format("%s: it sent %s",
                   ldc_error_text(tls ? DICOM_ERROR_NET_PEER_SPEAKS_TLS : DICOM_ERROR_NET_PROTOCOL),
                   ldc_speech_name(speech));
    end_with(conn, tls ? DICOM_ERROR_NET_PEER_SPEAKS_TLS : DICOM_ERROR_NET_PROTOCOL,
             DICOM_STAGE_TCP, DICOM_SIDE_PEER, message,
             tls ? "Switch TLS on here as well, or off at the peer, or use the port meant for it."
                 : "Check address and port at the peer: this is a DICOM port.");
    free(message);
    return true;
}

static void late_done(ldc_conn *conn);

static void read_some(ldc_conn *conn)
{
    unsigned char buffer[READ_SIZE];
    for (int i = 0; i < READS_AT_ONCE; i++) {
        size_t got = 0;
        ldc_io result = conn->transport->ops->read(conn->transport, buffer, sizeof buffer, &got);
        if (conn->phase == LATE) {
            ldc_tls_link *link = ldc_tls_link_of(conn->transport);
            if (result == LDC_IO_FAILED || result == LDC_IO_CLOSED) {
                if (result == LDC_IO_CLOSED) {
                    late_done(conn); /* it said goodbye, it did not refuse */
                    end(conn, DICOM_SUCCESS, NULL, true);
                } else {
                    end_failed(conn);
                }
                return;
            }
            if (link != NULL && link->peer_spoke) {
                late_done(conn);
            }
        }
        switch (result) {
        case LDC_IO_DONE:
            if (got > 0 && end_strangers(conn, buffer, got)) {
                return;
            }
            break;
        case LDC_IO_WANT_READ:
        case LDC_IO_WANT_WRITE:
            if (ldc_actor_arm(&conn->actor,
                              result == LDC_IO_WANT_READ ? LDC_POLL_READ : LDC_POLL_WRITE) != 0) {
                end_with(conn, DICOM_ERROR_NET_FAILURE, DICOM_STAGE_TCP, DICOM_SIDE_LOCAL, NULL,
                         NULL);
            }
            return;
        case LDC_IO_CLOSED:
            end(conn, DICOM_SUCCESS, NULL, true);
            return;
        case LDC_IO_FAILED:
            end_failed(conn);
            return;
        }
    }
    ldc_actor_post(&conn->actor, LDC_BIT_READ); /* others' turn, then on */
}

/* ---- TLS ---- */

static int verdict(void *owner, int ok, char *text, int code, const char *error_text)
{
    ldc_conn *conn = owner;
    return ldc_deliver_verdict(conn->net, conn, ok, text, code, error_text);
}

static void ready(ldc_conn *conn)
{
    conn->phase = READY;
    conn->actor.calls_user = false;
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE, 0);
    atomic_fetch_sub(&handshakes, 1u);
    atomic_fetch_add(&links, 1u);
    ldc_tls_link *link = ldc_tls_link_of(conn->transport);
    if (link != NULL && (!link->judged || link->failed || link->overruled)) {
        char *subject = sk_X509_num(link->received) > 0
                            ? ldc_subject_text(sk_X509_value(link->received, 0))
                            : NULL;
        ldc_log(
            DICOM_LOG_WARNING, conn->net->id, "TLS link with an unverified peer: %s, code %d (%s)",
            subject == NULL ? "no certificate" : subject, link->code, ldc_verify_text(link->code));
        free(subject);
    }
    ldc_deliver(conn->net, LDC_EVENT_SECURE_LINK_READY, DICOM_SUCCESS);
}

static void late_done(ldc_conn *conn)
{
    ready(conn);
}

static bool was_evicted(ldc_conn *conn)
{
    pthread_mutex_lock(&conn->actor.lock);
    bool evicted = conn->evicted;
    pthread_mutex_unlock(&conn->actor.lock);
    return evicted;
}

static void timed_out(ldc_conn *conn)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    ldc_tls_timeout_diagnose(conn->transport, conn->server, &failure);
    end(conn, failure.code, &failure, false);
    ldc_failure_clear(&failure);
}

static void shake_hands(ldc_conn *conn)
{
    ldc_io result = conn->transport->ops->handshake(conn->transport);
    ldc_tls_link *link = ldc_tls_link_of(conn->transport);
    bool commanded = ldc_conn_ending(conn) || (result == LDC_IO_FAILED && was_evicted(conn));
    if ((result == LDC_IO_DONE || result == LDC_IO_FAILED) && commanded) {
        return; /* a command came during the verdict; its turn is next, and it says how this ends */
    }
    if (ldc_now_ms() >= conn->handshake_deadline) {
        timed_out(conn); /* also when a verdict came too late */
        return;
    }
    switch (result) {
    case LDC_IO_DONE:
        if (conn->server) {
            ldc_handshakes_remove(conn);
        }
        ldc_link_info_established(conn->net, link);
        conn->actor.calls_user = false;
        if (!conn->server && link->certificate_requested &&
            SSL_version(link->ssl) == TLS1_3_VERSION &&
            conn->limits.value[LDC_LIMIT_LATE_REFUSAL_WAIT] > 0) {
            conn->phase = LATE;
            ldc_actor_deadline(&conn->actor, DEADLINE_PHASE,
                               ldc_now_ms() +
                                   (int64_t)conn->limits.value[LDC_LIMIT_LATE_REFUSAL_WAIT]);
        } else {
            ready(conn);
        }
        read_some(conn);
        break;
    case LDC_IO_WANT_READ:
    case LDC_IO_WANT_WRITE:
        if (ldc_actor_arm(&conn->actor,
                          result == LDC_IO_WANT_READ ? LDC_POLL_READ : LDC_POLL_WRITE) != 0) {
            end_with(conn, DICOM_ERROR_NET_FAILURE, DICOM_STAGE_TCP, DICOM_SIDE_LOCAL, NULL, NULL);
        }
        break;
    case LDC_IO_CLOSED:
    case LDC_IO_FAILED:
        end_failed(conn);
        break;
    }
}

/* All before has been told: the handshake begins, or plain reading. */
static void go(ldc_conn *conn)
{
    if (conn->phase != TOLD) {
        return;
    }
    conn->phase = HANDSHAKE;
    conn->actor.calls_user = true;
    atomic_fetch_add(&handshakes, 1u);
    if (!conn->server) {
        conn->handshake_deadline =
            ldc_now_ms() + (int64_t)conn->limits.value[LDC_LIMIT_HANDSHAKE_TIMEOUT];
    }
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE, conn->handshake_deadline);
    ldc_actor_post(&conn->actor, LDC_BIT_READ); /* comes back with a user slot */
}

/* ---- the beginning ---- */

typedef struct endpoints {
    ldc_address peer, host;
} endpoints;

static endpoints endpoints_of(int fd)
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
static void set_endpoints(ldc_net *net, const endpoints *ends)
{
    ldc_address_text(&ends->peer, net->peer_address, &net->peer_port);
    ldc_address_text(&ends->host, net->host_address, &net->host_port);
    net->connected = !net->closing && !net->disposed;
}

static bool make_transport(ldc_conn *conn)
{
    conn->transport = conn->tls == NULL
                          ? ldc_transport_tcp_new(conn->actor.fd)
                          : ldc_tls_link_new(conn->tls, conn->actor.fd, verdict, conn);
    return conn->transport != NULL;
}

static void connected(ldc_conn *conn)
{
    apply_socket_options(conn, conn->actor.fd);
    endpoints ends = endpoints_of(conn->actor.fd);
    pthread_mutex_lock(&conn->net->lock);
    set_endpoints(conn->net, &ends);
    pthread_mutex_unlock(&conn->net->lock);
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE, 0);
    target_clear(&conn->target);
    if (!make_transport(conn)) {
        end_with(conn, DICOM_ERROR_MEMORY, DICOM_STAGE_TCP, DICOM_SIDE_LOCAL, NULL, NULL);
        return;
    }
    conn->phase = TOLD;
    ldc_deliver(conn->net, LDC_EVENT_CONNECT, DICOM_SUCCESS);
    if (conn->tls != NULL) {
        ldc_deliver_go(conn->net, conn);
    } else {
        conn->phase = READY;
        read_some(conn);
    }
}

static void end_connect(ldc_conn *conn, int error)
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
    end_with(conn, code, DICOM_STAGE_TCP, by_peer ? DICOM_SIDE_PEER : DICOM_SIDE_LOCAL, NULL,
             remedy);
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
            fd = ldc_address_socket(address->storage.ss_family, &target->local, false);
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
    end_connect(conn, last_error == 0 ? EHOSTUNREACH : last_error);
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
    int count = ldc_address_resolve(target->name, target->port, target->ip_type, found, 8, &gai);
    pthread_mutex_lock(&conn->actor.lock);
    memcpy(target->addresses, found, sizeof found[0] * (size_t)count);
    target->count = count;
    conn->gai = gai;
    pthread_mutex_unlock(&conn->actor.lock);
    ldc_conn_command(conn, LDC_CONN_RESOLVED);
    ldc_conn_put(conn);
    free(work);
}

static void start(ldc_conn *conn)
{
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE,
                       conn->began + (int64_t)conn->limits.value[LDC_LIMIT_CONNECT_TIMEOUT]);
    if (conn->target.name == NULL) {
        try_next(conn, 0);
        return;
    }
    resolve_job *work = calloc(1, sizeof *work);
    if (work == NULL) {
        end_with(conn, DICOM_ERROR_MEMORY, DICOM_STAGE_RESOLVE, DICOM_SIDE_LOCAL, NULL, NULL);
        return;
    }
    ldc_conn_ref(conn);
    work->conn = conn;
    work->job.run = resolve;
    ldc_engine_push(&work->job, LDC_JOB_BLOCKING);
}

static void resolved(ldc_conn *conn)
{
    conn->resolved = true;
    if (conn->target.count > 0) {
        try_next(conn, 0);
        return;
    }
    char *message = ldc_format("The host name is not known: %s (%s)", conn->target.name,
                               gai_strerror(conn->gai));
    end_with(
        conn, DICOM_ERROR_NET_HOST_NOT_FOUND, DICOM_STAGE_RESOLVE, DICOM_SIDE_LOCAL, message,
        "Check the spelling of the name and this computer's name service, or give the address.");
    free(message);
}

static void connect_progress(ldc_conn *conn)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (conn->actor.fd < 0) {
        return;
    }
    if (getsockopt(conn->actor.fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        error = errno;
    }
    endpoints ends = endpoints_of(conn->actor.fd);
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

/* ---- steps ---- */

static void on_commands(ldc_conn *conn, uint32_t bits)
{
    if ((bits & LDC_CONN_ABORT) != 0) {
        finish(conn, DICOM_SUCCESS, NULL, (bits & LDC_CONN_SILENT) != 0);
        linger(conn, true, true);
    } else if ((bits & LDC_CONN_CLOSE) != 0) {
        end(conn, DICOM_SUCCESS, NULL, true);
    } else if ((bits & LDC_CONN_EVICT) != 0 && (conn->phase == TOLD || conn->phase == HANDSHAKE)) {
        end_with(
            conn, DICOM_ERROR_NET_TOO_MANY_CONNECTIONS, DICOM_STAGE_TLS, DICOM_SIDE_LOCAL,
            "The limit of unfinished TLS handshakes is reached: this was the oldest",
            "Somebody opens connections without finishing the handshake; find out who, or raise the limit.");
    }
}

static void on_deadline(ldc_conn *conn)
{
    switch (conn->phase) {
    case OPENING:
        if (conn->target.name != NULL && !conn->resolved) {
            end_with(
                conn, DICOM_ERROR_NET_TIMEOUT, DICOM_STAGE_RESOLVE, DICOM_SIDE_LOCAL, NULL,
                "The name service did not answer: check this computer's, or give the address.");
        } else {
            end_connect(conn, ETIMEDOUT);
        }
        break;
    case TOLD:
    case HANDSHAKE:
        timed_out(conn);
        break;
    case LATE:
        late_done(conn); /* a server that stays silent has not refused */
        break;
    case READY:
    case DRAINING:
    case DEAD:
        break;
    }
}

static void conn_step(ldc_actor *actor, uint32_t bits)
{
    ldc_conn *conn = (ldc_conn *)(void *)actor;
    int64_t now = (bits & LDC_BIT_TIMER) != 0 ? ldc_now_ms() : 0;
    uint32_t io = bits & (LDC_BIT_READ | LDC_BIT_WRITE | LDC_BIT_ERROR);
    if (conn->phase == DEAD) {
        return;
    }
    if (conn->phase == DRAINING) {
        if (now != 0 && ldc_actor_expired(actor, DEADLINE_LINGER, now)) {
            die(conn);
        } else if (io != 0) {
            drain(conn);
        }
        return;
    }
    if ((bits & (LDC_CONN_ABORT | LDC_CONN_CLOSE | LDC_CONN_EVICT)) != 0) {
        on_commands(conn, bits);
        if (conn->net == NULL) {
            return;
        }
    }
    if (now != 0 && ldc_actor_expired(actor, DEADLINE_PHASE, now)) {
        on_deadline(conn);
        if (conn->net == NULL) {
            return;
        }
    }
    if ((bits & LDC_CONN_ADOPTED) != 0 && conn->phase == TOLD) {
        ldc_actor_deadline(actor, DEADLINE_PHASE, conn->handshake_deadline);
    }
    if ((bits & LDC_CONN_START) != 0) {
        start(conn);
    } else if ((bits & LDC_CONN_RESOLVED) != 0 && conn->phase == OPENING) {
        resolved(conn);
    } else if ((bits & LDC_CONN_GO) != 0) {
        go(conn);
    } else if (io != 0) {
        switch (conn->phase) {
        case OPENING:
            connect_progress(conn);
            break;
        case HANDSHAKE:
            shake_hands(conn);
            break;
        case LATE:
        case READY:
            read_some(conn);
            break;
        case TOLD:
        case DRAINING:
        case DEAD:
            break;
        }
    }
}

/* ---- from outside ---- */

ldc_conn *ldc_conn_open(ldc_net *net, ldc_tls_context *tls, ldc_target *target)
{
    ldc_conn *conn = conn_new(net, tls, false);
    if (conn == NULL) {
        return NULL;
    }
    conn->target = *target;
    target->name = NULL;
    target->socket = -1;
    pthread_mutex_lock(&net->lock);
    ldc_conn_ref(conn); /* the net's */
    net->conn = conn;
    pthread_mutex_unlock(&net->lock);
    ldc_conn_ref(conn); /* the caller's */
    return conn;
}

ldc_conn *ldc_conn_adopt(ldc_net *net, ldc_tls_context *tls, int fd, const ldc_address *peer,
                         int64_t since)
{
    ldc_conn *conn = conn_new(net, tls, true);
    if (conn == NULL) {
        return NULL;
    }
    conn->began = since;
    conn->handshake_deadline = since + (int64_t)conn->limits.value[LDC_LIMIT_HANDSHAKE_TIMEOUT];
    conn->actor.fd = fd;
    if (!make_transport(conn)) {
        conn->actor.fd = -1;
        ldc_actor_close(&conn->actor);
        ldc_conn_put(conn);
        return NULL;
    }
    apply_socket_options(conn, fd);
    conn->phase = tls == NULL ? READY : TOLD;
    /* All is set before others can see the connection: from then on its strand alone touches it. */
    endpoints ends = endpoints_of(fd);
    ends.peer = *peer;  /* as accept told: one that has reset is no longer known to the socket */
    ldc_conn_ref(conn); /* the caller's */
    pthread_mutex_lock(&net->lock);
    ldc_conn_ref(conn); /* the net's */
    net->conn = conn;
    set_endpoints(net, &ends);
    pthread_mutex_unlock(&net->lock);
    return conn;
}

void ldc_conn_command(ldc_conn *conn, uint32_t bits)
{
    ldc_question *question = NULL;
    if ((bits & (LDC_CONN_ABORT | LDC_CONN_CLOSE | LDC_CONN_EVICT)) != 0) {
        pthread_mutex_lock(&conn->actor.lock);
        conn->ending = conn->ending || (bits & (LDC_CONN_ABORT | LDC_CONN_CLOSE)) != 0;
        conn->evicted = conn->evicted || (bits & LDC_CONN_EVICT) != 0;
        question = conn->question;
        if (question != NULL) {
            ldc_ref_get(&question->ref);
        }
        pthread_mutex_unlock(&conn->actor.lock);
    }
    if (question != NULL) {
        ldc_question_cancel(question);
        ldc_ref_put(&question->ref);
    }
    ldc_actor_post(&conn->actor, bits);
}

void ldc_conn_set_question(ldc_conn *conn, ldc_question *question)
{
    pthread_mutex_lock(&conn->actor.lock);
    ldc_question *before = conn->question;
    conn->question = question;
    if (question != NULL) {
        ldc_ref_get(&question->ref);
    }
    bool ending = conn->ending || conn->evicted;
    pthread_mutex_unlock(&conn->actor.lock);
    if (question != NULL && ending) {
        ldc_question_cancel(question);
    }
    if (before != NULL) {
        ldc_ref_put(&before->ref);
    }
}

int64_t ldc_conn_handshake_deadline(const ldc_conn *conn)
{
    return conn->handshake_deadline;
}

bool ldc_conn_ending(ldc_conn *conn)
{
    pthread_mutex_lock(&conn->actor.lock);
    bool ending = conn->ending;
    pthread_mutex_unlock(&conn->actor.lock);
    return ending;
}

void ldc_conn_ref(ldc_conn *conn)
{
    ldc_ref_get(&conn->actor.ref);
}

void ldc_conn_put(ldc_conn *conn)
{
    if (conn != NULL) {
        ldc_ref_put(&conn->actor.ref);
    }
}

uint64_t ldc_conn_id(const ldc_conn *conn)
{
    return conn->actor.id;
}

void ldc_conn_after_fork(void)
{
    atomic_store(&handshakes, 0u);
    atomic_store(&draining, 0u);
}

ldc_conn_counts ldc_conn_statistics(void)
{
    return (ldc_conn_counts){.handshakes = atomic_load(&handshakes),
                             .links = atomic_load(&links),
                             .link_failures = atomic_load(&link_failures)};
}
