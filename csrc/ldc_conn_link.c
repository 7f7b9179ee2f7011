/* ldc_conn_link.c - a connection that is up: TLS handshake, reading, writing, keeping time. */
#include "ldc_conn_inner.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_link_info.h"
#include "ldc_poller.h"
#include "ldc_tables.h"

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
    struct iovec piece = {.iov_base = (void *)(uintptr_t)abort_pdu, .iov_len = sizeof abort_pdu};
    (void)conn->transport->ops->write(conn->transport, &piece, 1, &put);
    char *message =
        ldc_format("%s: it sent %s",
                   ldc_error_text(tls ? DICOM_ERROR_NET_PEER_SPEAKS_TLS : DICOM_ERROR_NET_PROTOCOL),
                   ldc_speech_name(speech));
    ldc_conn_end_with(
        conn, tls ? DICOM_ERROR_NET_PEER_SPEAKS_TLS : DICOM_ERROR_NET_PROTOCOL, DICOM_STAGE_TCP,
        DICOM_SIDE_PEER, message,
        tls ? "Switch TLS on here as well, or off at the peer, or use the port meant for it."
            : "Check address and port at the peer: this is a DICOM port.");
    free(message);
    return true;
}

static bool wants_pdus(ldc_conn *conn)
{
    pthread_mutex_lock(&conn->net->lock);
    bool wanted = conn->net->callbacks.pfnReceive != NULL;
    pthread_mutex_unlock(&conn->net->lock);
    return wanted;
}

static bool wants_sent(ldc_conn *conn)
{
    pthread_mutex_lock(&conn->net->lock);
    bool wanted = conn->net->callbacks.pfnSend != NULL;
    pthread_mutex_unlock(&conn->net->lock);
    return wanted;
}

/* While user code performs a request the peer waits for us: that is not idle. */
int64_t ldc_conn_idle_at(ldc_conn *conn)
{
    int64_t limit = (int64_t)conn->limits.value[LDC_LIMIT_IDLE_TIMEOUT];
    int64_t last = conn->last_read > conn->last_write ? conn->last_read : conn->last_write;
    if (limit == 0) {
        return 0;
    }
    return (ldc_upper_performs(conn->upper) || atomic_load(&conn->inbox_count) > 0 ? ldc_now_ms()
                                                                                   : last) +
           limit;
}

/* The timers that the upper layer wants. */
static void keep_time(ldc_conn *conn)
{
    unsigned serial;
    uint64_t ms;
    int64_t now = ldc_now_ms();
    ldc_upper_timer timer = ldc_upper_timer_of(conn->upper, &serial, &ms);
    if (serial != conn->timer_serial) {
        conn->timer_serial = serial;
        ldc_actor_deadline(&conn->actor, DEADLINE_UPPER,
                           timer == LDC_TIMER_NONE ? 0 : now + (int64_t)ms);
    }
    int64_t idle_at = ldc_conn_idle_at(conn);
    if (idle_at == 0) {
        ldc_actor_deadline(&conn->actor, DEADLINE_IDLE, 0);
    } else if (conn->actor.deadline[DEADLINE_IDLE] == 0 ||
               conn->actor.deadline[DEADLINE_IDLE] > idle_at) {
        /* Later ones are found out when it has passed: no timer is set for each read. */
        ldc_actor_deadline(&conn->actor, DEADLINE_IDLE, idle_at);
    }
    bool inside = ldc_upper_inside(conn->upper);
    if (!inside) {
        ldc_actor_deadline(&conn->actor, DEADLINE_PROGRESS, 0);
    } else if (conn->actor.deadline[DEADLINE_PROGRESS] == 0) {
        ldc_actor_deadline(&conn->actor, DEADLINE_PROGRESS,
                           conn->last_read +
                               (int64_t)conn->limits.value[LDC_LIMIT_PROGRESS_TIMEOUT]);
    }
}

/* The peer takes no more. What it has said before, an A-ABORT for instance, is still there to be
 * read; after an error TLS gives no more. */
static void write_failed(ldc_conn *conn)
{
    if (conn->tls != NULL || conn->read_last) {
        ldc_conn_end_failed(conn);
        return;
    }
    conn->read_last = true;
    ldc_conn_read(conn);
}

/* After anything that may have changed something: writes, keeps time, ends or waits for more. */
void ldc_conn_serve(ldc_conn *conn)
{
    int code = DICOM_SUCCESS;
    bool more = false;
    ldc_conn_open_gate(conn, false);
    uint64_t sent = 0;
    ldc_io result = ldc_upper_flush(conn->upper, conn->transport, wants_sent(conn), &more, &sent);
    if (sent > 0) {
        conn->last_write = ldc_now_ms();
        atomic_fetch_add(&conn->net->sent, sent);
    }
    if (result == LDC_IO_FAILED || result == LDC_IO_CLOSED) {
        write_failed(conn);
        return;
    }
    conn->want_write = result == LDC_IO_WANT_WRITE;
    bool flushed = result == LDC_IO_DONE && !more && ldc_upper_empty(conn->upper);
    ldc_failure failure;
    ldc_failure_init(&failure);
    bool ending = ldc_upper_ending(conn->upper, flushed, &code, &failure);
    if (ending || (flushed && conn->close_pending)) {
        ldc_conn_end(conn, ending ? code : DICOM_SUCCESS, &failure, true);
        ldc_failure_clear(&failure);
        return;
    }
    ldc_failure_clear(&failure);
    if (more) {
        ldc_actor_post(&conn->actor, LDC_CONN_SEND); /* reading and others have their turn first */
    }
    keep_time(conn);
    uint32_t interest = atomic_load(&conn->paused) ? 0u : (uint32_t)LDC_POLL_READ;
    interest |= conn->want_write || conn->read_wants_write ? (uint32_t)LDC_POLL_WRITE : 0u;
    conn->interest = interest;
    if (interest != 0 && !conn->borrowed && ldc_actor_arm(&conn->actor, interest) != 0) {
        ldc_conn_end_with(conn, DICOM_ERROR_NET_FAILURE, DICOM_STAGE_TCP, DICOM_SIDE_LOCAL, NULL,
                          NULL);
    }
}

/* A peer that leaves Nagle's algorithm on (DCMTK, Orthanc) and writes in pieces, a PDU or its
 * tickets before the first one, holds the next piece back until the last is acknowledged, which the
 * system puts off for 40 ms: not here. */
static void acknowledge(const ldc_conn *conn)
{
    const int on = 1;
    (void)setsockopt(conn->actor.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void ldc_conn_read(ldc_conn *conn)
{
    unsigned char buffer[READ_SIZE];
    for (int i = 0; i < READS_AT_ONCE; i++) {
        size_t got = 0;
        ldc_io result = conn->transport->ops->read(conn->transport, buffer, sizeof buffer, &got);
        if (conn->phase == LATE) {
            ldc_tls_link *link = ldc_tls_link_of(conn->transport);
            if (result == LDC_IO_FAILED ||
                result == LDC_IO_CLOSED) { /* the server's first word was its last */
                if (result == LDC_IO_CLOSED) {
                    ldc_conn_late_done(conn); /* it said goodbye, it did not refuse */
                    ldc_conn_end(conn, DICOM_SUCCESS, NULL, true);
                } else {
                    ldc_conn_end_failed(conn);
                }
                return;
            }
            if (link != NULL && link->peer_spoke) {
                ldc_conn_late_done(conn);
            }
        }
        switch (result) {
        case LDC_IO_DONE:
            if (got > 0 && end_strangers(conn, buffer, got)) {
                return;
            }
            conn->last_read = ldc_now_ms();
            atomic_fetch_add(&conn->net->received, got);
            ldc_upper_receive(conn->upper, buffer, got, wants_pdus(conn));
            if (got < SMALL_READ && ldc_upper_inside(conn->upper)) {
                acknowledge(conn);
            }
            if (ldc_conn_inbox_full(conn)) {
                atomic_store(&conn->paused, true);
                if (ldc_conn_inbox_full(conn)) { /* still: whoever tells the next news resumes */
                    ldc_conn_serve(conn);
                    return;
                }
                atomic_store(&conn->paused, false);
            }
            break;
        case LDC_IO_WANT_READ:
        case LDC_IO_WANT_WRITE:
            conn->read_wants_write = result == LDC_IO_WANT_WRITE;
            if (conn->tls != NULL && !conn->first_data_seen) {
                acknowledge(conn);
            }
            ldc_conn_serve(conn);
            return;
        case LDC_IO_CLOSED: {
            ldc_failure failure;
            ldc_failure_init(&failure);
            int code = ldc_upper_closed(conn->upper, &failure);
            ldc_conn_end(conn, code, &failure, true);
            ldc_failure_clear(&failure);
            return;
        }
        case LDC_IO_FAILED:
            ldc_conn_end_failed(conn);
            return;
        }
        if (ldc_upper_broken(conn->upper)) {
            ldc_conn_serve(conn);
            return;
        }
        /* Nothing has come after a whole PDU: the poller will tell. Inside of one there is more on
         * its way, and to look once more is cheaper than to be woken. */
        if (conn->transport->drained && !ldc_upper_inside(conn->upper)) {
            conn->read_wants_write = false;
            ldc_conn_serve(conn);
            return;
        }
    }
    ldc_actor_post(&conn->actor, LDC_BIT_READ); /* others' turn, then on */
    ldc_conn_serve(conn);
}

/* ---- TLS ---- */

int ldc_conn_verdict(void *owner, int ok, char *text, int code, const char *error_text)
{
    ldc_conn *conn = owner;
    return ldc_deliver_verdict(conn->net, conn, ok, text, code, error_text);
}

bool ldc_conn_asks(void *owner)
{
    ldc_conn *conn = owner;
    if (conn->net == NULL) {
        return true;
    }
    pthread_mutex_lock(&conn->net->lock);
    bool asks = ldc_net_judges(conn->net);
    pthread_mutex_unlock(&conn->net->lock);
    return asks;
}

static void ready(ldc_conn *conn)
{
    conn->phase = READY;
    conn->actor.calls_user = false;
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE, 0);
    atomic_fetch_sub(&ldc_conn_totals.handshakes, 1u);
    atomic_fetch_add(&ldc_conn_totals.links, 1u);
    ldc_tls_link *link = ldc_tls_link_of(conn->transport);
    atomic_fetch_add(&ldc_conn_totals.resumed, link != NULL && link->resumed ? 1u : 0u);
    if (link != NULL && (!link->judged || link->failed || link->overruled)) {
        char *subject = sk_X509_num(link->received) > 0
                            ? ldc_subject_text(sk_X509_value(link->received, 0))
                            : NULL;
        ldc_log(
            DICOM_LOG_WARNING, conn->net->id, "TLS link with an unverified peer: %s, code %d (%s)",
            subject == NULL ? "no certificate" : subject, link->code, ldc_verify_text(link->code));
        free(subject);
    }
    if (link != NULL) {
        ldc_tls_revocation_tell(link, conn->net->id);
    }
    conn->last_read = ldc_now_ms();
    ldc_upper_start(conn->upper);
    ldc_deliver(conn->net, LDC_EVENT_SECURE_LINK_READY, DICOM_SUCCESS);
}

void ldc_conn_late_done(ldc_conn *conn)
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

void ldc_conn_timed_out(ldc_conn *conn)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    ldc_tls_timeout_diagnose(conn->transport, conn->server, &failure);
    ldc_conn_end(conn, failure.code, &failure, false);
    ldc_failure_clear(&failure);
}

void ldc_conn_shake_hands(ldc_conn *conn)
{
    ldc_io result = conn->transport->ops->handshake(conn->transport);
    ldc_tls_link *link = ldc_tls_link_of(conn->transport);
    bool commanded = ldc_conn_ending(conn) || (result == LDC_IO_FAILED && was_evicted(conn));
    if ((result == LDC_IO_DONE || result == LDC_IO_FAILED) && commanded) {
        return; /* a command came during the verdict; its turn is next, and it says how this ends */
    }
    if (ldc_now_ms() >= conn->handshake_deadline) {
        ldc_conn_timed_out(conn); /* also when a verdict came too late */
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
        ldc_conn_read(conn);
        break;
    case LDC_IO_WANT_READ:
    case LDC_IO_WANT_WRITE:
        if (ldc_actor_arm(&conn->actor,
                          result == LDC_IO_WANT_READ ? LDC_POLL_READ : LDC_POLL_WRITE) != 0) {
            ldc_conn_end_with(conn, DICOM_ERROR_NET_FAILURE, DICOM_STAGE_TCP, DICOM_SIDE_LOCAL,
                              NULL, NULL);
        }
        break;
    case LDC_IO_CLOSED:
    case LDC_IO_FAILED:
        ldc_conn_end_failed(conn);
        break;
    }
}

/* All before has been told: the handshake begins, or plain reading. */
void ldc_conn_go(ldc_conn *conn)
{
    if (conn->phase != TOLD) {
        return;
    }
    conn->phase = HANDSHAKE;
    conn->actor.calls_user = true;
    atomic_fetch_add(&ldc_conn_totals.handshakes, 1u);
    if (!conn->server) {
        conn->handshake_deadline =
            ldc_now_ms() + (int64_t)conn->limits.value[LDC_LIMIT_HANDSHAKE_TIMEOUT];
    }
    ldc_actor_deadline(&conn->actor, DEADLINE_PHASE, conn->handshake_deadline);
    ldc_actor_post(&conn->actor, LDC_BIT_READ); /* comes back with a user slot */
}
