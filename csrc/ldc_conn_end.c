/* ldc_conn_end.c - how a connection ends: the net is told, then the last bytes are drained. */
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

/* ---- the end ---- */

void ldc_conn_die(ldc_conn *conn)
{
    if (conn->phase == DRAINING) {
        atomic_fetch_sub(&ldc_conn_totals.draining, 1u);
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
void ldc_conn_drain(ldc_conn *conn)
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
            ldc_conn_die(conn);
            return;
        }
    }
    if (ldc_actor_arm(&conn->actor, LDC_POLL_READ) != 0) {
        ldc_conn_die(conn);
    }
}

/* Lets go of the net and lingers alone. */
void ldc_conn_linger(ldc_conn *conn, bool goodbye, bool forced)
{
    if (conn->transport != NULL) {
        if (goodbye) {
            (void)conn->transport->ops->shutdown(conn->transport);
        }
        conn->transport->ops->free(conn->transport);
        conn->transport = NULL;
    }
    if (conn->tls != NULL) { /* a key does not linger */
        ldc_ref_put(&conn->tls->shared.ref);
        conn->tls = NULL;
    }
    if (conn->actor.fd < 0 || shutdown(conn->actor.fd, SHUT_WR) != 0) {
        ldc_conn_die(conn);
        return;
    }
    conn->phase = DRAINING;
    conn->actor.calls_user = false;
    bool crowded = atomic_fetch_add(&ldc_conn_totals.draining, 1u) >= MAX_DRAINING;
    uint64_t ms = conn->limits.value[LDC_LIMIT_LINGER_TIMEOUT];
    uint64_t most = crowded ? CROWDED_LINGER_MS : FORCED_LINGER_MS;
    if ((forced || crowded) && ms > most) {
        ms = most;
    }
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE, 0);
    ldc_actor_deadline(&conn->actor, DEADLINE_UPPER, 0);
    ldc_actor_deadline(&conn->actor, DEADLINE_PROGRESS, 0);
    ldc_actor_deadline(&conn->actor, DEADLINE_IDLE, 0);
    ldc_actor_deadline(&conn->actor, DEADLINE_LINGER, ldc_now_ms() + (int64_t)ms);
    ldc_conn_drain(conn);
}

/* The record goes to the log, whoever wrote it first. */
static void report(ldc_conn *conn)
{
    char address[LDC_ADDRESS_TEXT] = "";
    const char *tried = conn->target.name; /* for one that never connected */
    unsigned port = conn->target.port;
    if (tried == NULL && conn->target.count > 0) {
        ldc_address_text(&conn->target.addresses[0], address, &port);
        tried = address;
    }
    ldc_net_report(conn->net, NULL, tried, port, conn->server);
}

/* Tells the net that this connection has ended; code and failure as OnClose and the record say. */
void ldc_conn_finish(ldc_conn *conn, int code, ldc_failure *failure, bool silent)
{
    ldc_net *net = conn->net;
    phase was = conn->phase;
    if (was == READY) {
        ldc_upper_release_held(conn->upper);
        ldc_conn_open_gate(conn, true);
    }
    ldc_upper_end(conn->upper);
    bool link_owed = conn->tls != NULL && (was == TOLD || was == HANDSHAKE || was == LATE);
    if (was == HANDSHAKE || was == LATE) {
        atomic_fetch_sub(&ldc_conn_totals.handshakes, 1u);
    }
    if (conn->server && conn->tls != NULL) {
        ldc_handshakes_remove(conn);
    }
    if (link_owed) {
        atomic_fetch_add(&ldc_conn_totals.link_failures, 1u);
        ldc_link_info_failed(net, ldc_tls_link_of(conn->transport));
    }
    int cause = failure != NULL && failure->code != DICOM_SUCCESS ? failure->code
                : code != DICOM_SUCCESS                           ? code
                                        : DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED;
    if (failure != NULL && failure->code != DICOM_SUCCESS) {
        ldc_net_fail(net, conn, failure, conn->began);
        report(conn);
    }
    ldc_conn_end_awaits(conn, cause); /* when the record is there to be read */
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
    ldc_associate *association = ldc_upper_association(conn->upper);
    pthread_mutex_lock(&net->lock);
    ldc_associate_free(net->last_association);
    net->last_association = association;
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

void ldc_conn_end(ldc_conn *conn, int code, ldc_failure *failure, bool goodbye)
{
    ldc_conn_finish(conn, code, failure, false);
    ldc_conn_linger(conn, goodbye, false);
}

/* The transport failed: asks it why. */
void ldc_conn_end_failed(ldc_conn *conn)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    conn->transport->ops->diagnose(conn->transport, &failure);
    /* An end without close_notify is how many peers hang up: the association says whether it was
     * one. */
    bool gone = conn->phase == READY && failure.code == DICOM_ERROR_NET_CONNECTION_ABORTED;
    if (gone && (conn->transport->eof || ldc_upper_over(conn->upper))) {
        ldc_failure_clear(&failure);
        int code = ldc_upper_closed(conn->upper, &failure);
        ldc_conn_end(conn, code, &failure, false); /* the record may have a code of its own */
        ldc_failure_clear(&failure);
        return;
    }
    if (conn->phase == LATE && failure.code == DICOM_ERROR_NET_CONNECTION_ABORTED) {
        ldc_failure_fill(
            &failure, failure.code, DICOM_STAGE_TLS, DICOM_SIDE_PEER, NULL,
            "The server ended the connection right after it got our certificate: it probably refused it; "
            "its log says why.");
    }
    int code = failure.code;
    ldc_conn_end(conn, code, &failure, false);
    ldc_failure_clear(&failure);
}

void ldc_conn_end_with(ldc_conn *conn, int code, int stage, int side, const char *message,
                       const char *remedy)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    ldc_failure_fill(&failure, code, stage, side, message, remedy);
    ldc_conn_end(conn, code, &failure, true);
    ldc_failure_clear(&failure);
}
