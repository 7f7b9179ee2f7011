/*
 * ldc_conn.c - one TCP connection of a net: its life, its steps, commands from outside.
 *
 * Phases:  OPENING (resolve, connect) -> TOLD (CONNECT is being told) -> HANDSHAKE -> LATE (a
 * TLS 1.3 client waits for the server's first word) -> READY -> DRAINING (the net has been told;
 * only the peer's last bytes are awaited, so that no reset eats our alert) -> DEAD. Everything here
 * runs on the strand unless it says otherwise.
 */
#include "ldc_conn_inner.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_error.h"

struct ldc_conn_totals ldc_conn_totals;

static void conn_step(ldc_actor *actor, uint32_t bits);

void ldc_conn_target_clear(ldc_target *target)
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
    ldc_conn_target_clear(&conn->target);
    ldc_conn_drop_gate(conn);
    ldc_conn_awaits_fini(conn);
    ldc_upper_free(conn->upper);
    if (conn->tls != NULL) {
        ldc_ref_put(&conn->tls->shared.ref);
    }
    if (conn->net != NULL) {
        ldc_net_put(conn->net);
    }
    ldc_actor_fini(&conn->actor);
    free(conn);
}

/* Any thread: there is something to write. */
static void wake_up(void *owner)
{
    ldc_conn *conn = owner;
    ldc_actor_run(&conn->actor, LDC_CONN_SEND);
}

ldc_upper *ldc_conn_upper(ldc_conn *conn)
{
    return conn->upper;
}

/* The net's limits as they are now; the part of the upper layer. */
static ldc_upper_limits take_limits(ldc_conn *conn)
{
    pthread_mutex_lock(&conn->net->lock);
    conn->limits = conn->net->limits;
    int sink = conn->net->receive_sink;
    pthread_mutex_unlock(&conn->net->lock);
    const uint64_t *limit = conn->limits.value;
    return (ldc_upper_limits){.artim_ms = limit[LDC_LIMIT_ARTIM_TIMEOUT],
                              .association_ms = limit[LDC_LIMIT_ASSOCIATION_TIMEOUT],
                              .send_ms = limit[LDC_LIMIT_SEND_TIMEOUT],
                              .progress_ms = limit[LDC_LIMIT_PROGRESS_TIMEOUT],
                              .memory = limit[LDC_LIMIT_DATA_SET_MEMORY],
                              .total = limit[LDC_LIMIT_DATA_SET_TOTAL],
                              .queue = limit[LDC_LIMIT_SEND_QUEUE],
                              .sink = sink};
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
    ldc_conn_awaits_init(conn);
    ldc_ref_get(&net->ref);
    conn->net = net;
    if (tls != NULL) {
        ldc_ref_get(&tls->shared.ref);
    }
    conn->tls = tls;
    conn->server = server;
    conn->began = ldc_now_ms();
    pthread_mutex_lock(&net->lock);
    char *folder = ldc_strdup(net->path); /* frozen while busy */
    ldc_quota *quota = net->parent != NULL ? net->parent->quota : net->quota; /* never changes */
    pthread_mutex_unlock(&net->lock);
    ldc_upper_limits limits = take_limits(conn);
    conn->upper =
        ldc_upper_new(!server, folder, quota, &limits, ldc_conn_take_news, wake_up, conn, net->id);
    free(folder);
    if (conn->upper == NULL) {
        ldc_actor_close(&conn->actor);
        ldc_conn_put(conn);
        return NULL;
    }
    return conn;
}

void ldc_conn_apply_socket_options(ldc_conn *conn, int fd)
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

/* ---- steps ---- */

static void on_commands(ldc_conn *conn, uint32_t bits)
{
    if ((bits & LDC_CONN_ABORT) != 0) {
        ldc_conn_finish(conn, DICOM_SUCCESS, NULL, (bits & LDC_CONN_SILENT) != 0);
        ldc_conn_linger(conn, true, true);
    } else if ((bits & LDC_CONN_CLOSE) != 0 && conn->phase == READY) {
        conn->close_pending = true; /* what is queued goes out first, within the linger limit */
        ldc_actor_deadline(&conn->actor, DEADLINE_LINGER,
                           ldc_now_ms() + (int64_t)conn->limits.value[LDC_LIMIT_LINGER_TIMEOUT]);
        ldc_conn_serve(conn);
    } else if ((bits & LDC_CONN_CLOSE) != 0) {
        ldc_conn_end(conn, DICOM_SUCCESS, NULL, true);
    } else if ((bits & LDC_CONN_EVICT) != 0 && (conn->phase == TOLD || conn->phase == HANDSHAKE)) {
        ldc_conn_end_with(
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
            ldc_conn_end_with(
                conn, DICOM_ERROR_NET_TIMEOUT, DICOM_STAGE_RESOLVE, DICOM_SIDE_LOCAL, NULL,
                "The name service did not answer: check this computer's, or give the address.");
        } else {
            ldc_conn_end_connect(conn, ETIMEDOUT);
        }
        break;
    case TOLD:
    case HANDSHAKE:
        ldc_conn_timed_out(conn);
        break;
    case LATE:
        ldc_conn_late_done(conn); /* a server that stays silent has not refused */
        ldc_conn_serve(conn);
        break;
    case READY:
    case DRAINING:
    case DEAD:
        break;
    }
}

/* The deadlines of a link that is ready. false: the connection has ended. */
static bool on_time(ldc_conn *conn, int64_t now)
{
    int64_t limit = (int64_t)conn->limits.value[LDC_LIMIT_PROGRESS_TIMEOUT];
    if (conn->close_pending && ldc_actor_expired(&conn->actor, DEADLINE_LINGER, now)) {
        ldc_conn_end(conn, DICOM_SUCCESS, NULL, true);
        return false;
    }
    if (ldc_actor_expired(&conn->actor, DEADLINE_UPPER, now)) {
        ldc_upper_expired(conn->upper);
        ldc_conn_serve(conn);
    }
    if (conn->net != NULL && ldc_actor_expired(&conn->actor, DEADLINE_IDLE, now)) {
        int64_t idle_at = ldc_conn_idle_at(conn);
        if (idle_at != 0 && idle_at <= now) {
            ldc_upper_idle(conn->upper);
        }
        ldc_conn_serve(conn);
    }
    if (conn->net != NULL && ldc_actor_expired(&conn->actor, DEADLINE_PROGRESS, now)) {
        if (atomic_load(&conn->paused) || now - conn->last_read < limit) {
            ldc_actor_deadline(&conn->actor, DEADLINE_PROGRESS,
                               (atomic_load(&conn->paused) ? now : conn->last_read) + limit);
        } else {
            ldc_conn_end_with(conn, DICOM_ERROR_NET_TIMEOUT, DICOM_STAGE_ASSOCIATION,
                              DICOM_SIDE_PEER, "The peer stopped in the middle of a PDU",
                              "Look for packet loss in between, and into the peer's log.");
        }
    }
    return conn->net != NULL;
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
            ldc_conn_die(conn);
        } else if (io != 0) {
            ldc_conn_drain(conn);
        }
        return;
    }
    if ((bits & (LDC_CONN_ABORT | LDC_CONN_CLOSE | LDC_CONN_EVICT)) != 0) {
        on_commands(conn, bits);
        if (conn->net == NULL) {
            return;
        }
    }
    if ((bits & LDC_CONN_SETTINGS) != 0) {
        ldc_upper_limits limits = take_limits(conn);
        ldc_upper_set_limits(conn->upper, &limits);
        bits |= LDC_CONN_SEND; /* serve looks at the time anew */
    }
    if (now != 0 && ldc_actor_expired(actor, DEADLINE_PHASE, now)) {
        on_deadline(conn);
        if (conn->net == NULL) {
            return;
        }
    }
    if (now != 0 && conn->phase == READY && !on_time(conn, now)) {
        return;
    }
    if ((bits & LDC_CONN_RESUME) != 0 && conn->phase == READY && !ldc_conn_inbox_full(conn)) {
        atomic_store(&conn->paused, false);
        io |= LDC_BIT_READ;
    }
    if ((bits & LDC_CONN_SEND) != 0 && conn->phase == READY && io == 0) {
        ldc_conn_serve(conn);
        return;
    }
    if ((bits & LDC_CONN_ADOPTED) != 0 && conn->phase == TOLD) {
        ldc_actor_deadline(actor, DEADLINE_PHASE, conn->handshake_deadline);
    }
    if ((bits & LDC_CONN_START) != 0) {
        ldc_conn_begin(conn);
    } else if ((bits & LDC_CONN_RESOLVED) != 0 && conn->phase == OPENING) {
        ldc_conn_resolved(conn);
    } else if ((bits & LDC_CONN_GO) != 0) {
        ldc_conn_go(conn);
    } else if (io != 0) {
        switch (conn->phase) {
        case OPENING:
            ldc_conn_connect_progress(conn);
            break;
        case HANDSHAKE:
            ldc_conn_shake_hands(conn);
            break;
        case LATE:
        case READY:
            ldc_conn_read(conn);
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
    if (!ldc_conn_make_transport(conn)) {
        conn->actor.fd = -1;
        ldc_actor_close(&conn->actor);
        ldc_conn_put(conn);
        return NULL;
    }
    ldc_conn_apply_socket_options(conn, fd);
    conn->phase = tls == NULL ? READY : TOLD;
    conn->last_read = ldc_now_ms();
    if (tls == NULL) {
        ldc_upper_start(conn->upper);
    }
    /* All is set before others can see the connection: from then on its strand alone touches it. */
    endpoints ends = ldc_conn_endpoints_of(fd);
    ends.peer = *peer;  /* as accept told: one that has reset is no longer known to the socket */
    ldc_conn_ref(conn); /* the caller's */
    pthread_mutex_lock(&net->lock);
    ldc_conn_ref(conn); /* the net's */
    net->conn = conn;
    ldc_conn_set_endpoints(net, &ends);
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
    ldc_conn_call_after_fork();
    atomic_store(&ldc_conn_totals.handshakes, 0u);
    atomic_store(&ldc_conn_totals.draining, 0u);
}

ldc_conn_counts ldc_conn_statistics(void)
{
    return (ldc_conn_counts){.handshakes = atomic_load(&ldc_conn_totals.handshakes),
                             .links = atomic_load(&ldc_conn_totals.links),
                             .link_failures = atomic_load(&ldc_conn_totals.link_failures),
                             .resumed = atomic_load(&ldc_conn_totals.resumed)};
}
