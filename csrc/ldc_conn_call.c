/*
 * ldc_conn_call.c - a thread that waits for the response to its request, and meanwhile is the
 * connection's strand: it writes, reads and keeps time itself, and no other thread is woken for the
 * exchange. If the strand is another's at the moment, or the connection is not idle, the response
 * is waited for in the ordinary way.
 *
 * What belongs to others is told to them as always: only the final response that is awaited does
 * not go to the callbacks. Lock: conn->await_lock guards the list and what is in it; a leaf.
 */
#include "ldc_conn_call.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "ldc_conn_inner.h"
#include "ldc_error.h"
#include "ldc_poller.h"

struct ldc_await {
    struct ldc_await *next;
    uint16_t field, id; /* of the request */
    bool done;
    int code; /* DICOM_SUCCESS: there is a status */
    uint16_t status;
};

/* ---- the list ---- */

void ldc_conn_awaits_init(ldc_conn *conn)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&conn->await_lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&conn->await_done, &attributes);
    pthread_condattr_destroy(&attributes);
}

void ldc_conn_awaits_fini(ldc_conn *conn)
{
    while (conn->awaits != NULL) {
        ldc_await *await = conn->awaits;
        conn->awaits = await->next;
        free(await);
    }
    pthread_cond_destroy(&conn->await_done);
    pthread_mutex_destroy(&conn->await_lock);
}

/* The lock is held. */
static ldc_await **find(ldc_conn *conn, uint16_t id)
{
    ldc_await **link = &conn->awaits;
    while (*link != NULL && (*link)->id != id) {
        link = &(*link)->next;
    }
    return link;
}

static int enter(ldc_conn *conn, uint16_t field, uint16_t id)
{
    ldc_await *await = calloc(1, sizeof *await);
    if (await == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "a call that waits");
    }
    await->field = field;
    await->id = id;
    pthread_mutex_lock(&conn->await_lock);
    ldc_await **link = find(conn, id);
    bool taken = *link != NULL;
    if (!taken) {
        *link = await;
        (void)atomic_fetch_add(&conn->waiting, 1u);
    }
    pthread_mutex_unlock(&conn->await_lock);
    if (taken) {
        free(await);
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "message id %u is awaited already. Use one for each request.", id);
    }
    return DICOM_SUCCESS;
}

void ldc_conn_forget_await(ldc_conn *conn, uint16_t id)
{
    pthread_mutex_lock(&conn->await_lock);
    ldc_await **link = find(conn, id);
    ldc_await *await = *link;
    if (await != NULL) {
        *link = await->next;
        (void)atomic_fetch_sub(&conn->waiting, 1u);
    }
    pthread_mutex_unlock(&conn->await_lock);
    free(await);
}

bool ldc_conn_take_awaited(ldc_conn *conn, const ldc_news *news)
{
    const ldc_command *response = &news->command;
    if (news->kind != LDC_NEWS_MESSAGE || (response->field & COMMAND_RESPONSE) == 0 ||
        !ldc_window_is_final(response)) {
        return false;
    }
    pthread_mutex_lock(&conn->await_lock);
    ldc_await *await = *find(conn, response->responded_id);
    bool ours =
        await != NULL && !await->done && (await->field | COMMAND_RESPONSE) == response->field;
    if (ours) {
        await->done = true;
        await->status = response->status;
        pthread_cond_broadcast(&conn->await_done);
    }
    pthread_mutex_unlock(&conn->await_lock);
    return ours;
}

void ldc_conn_end_awaits(ldc_conn *conn, int code)
{
    pthread_mutex_lock(&conn->await_lock);
    for (ldc_await *await = conn->awaits; await != NULL; await = await->next) {
        if (!await->done) {
            await->done = true;
            await->code = code;
        }
    }
    pthread_cond_broadcast(&conn->await_done);
    pthread_mutex_unlock(&conn->await_lock);
}

static bool is_done(ldc_conn *conn, uint16_t id)
{
    pthread_mutex_lock(&conn->await_lock);
    const ldc_await *await = *find(conn, id);
    bool done = await == NULL || await->done;
    pthread_mutex_unlock(&conn->await_lock);
    return done;
}

/* ---- being the strand ---- */

static _Thread_local int wake_fd = -1;
static pthread_key_t wake_key;
static pthread_once_t wake_once = PTHREAD_ONCE_INIT;

static void close_wake(void *fd_and_one)
{
    (void)close((int)(intptr_t)fd_and_one - 1);
}

static void make_wake_key(void)
{
    (void)pthread_key_create(&wake_key, close_wake);
}

/* One for each thread that waits, closed when it ends; -1: none is left. */
static int wake_of_thread(void)
{
    pthread_once(&wake_once, make_wake_key);
    if (wake_fd < 0) {
        wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (wake_fd >= 0 && pthread_setspecific(wake_key, (void *)(intptr_t)(wake_fd + 1)) != 0) {
            (void)close(wake_fd);
            wake_fd = -1;
        }
    }
    return wake_fd;
}

/* The parent's thread goes on listening to it: the child needs one of its own. */
void ldc_conn_call_after_fork(void)
{
    if (wake_fd >= 0) {
        (void)close(wake_fd);
        wake_fd = -1;
        (void)pthread_setspecific(wake_key, NULL);
    }
}

/* Waits for the socket or for bits that others post; gives the bits of the socket. */
static uint32_t wait_for_io(ldc_conn *conn, int wake, int64_t ms)
{
    struct pollfd both[2] = {{.fd = conn->actor.fd}, {.fd = wake, .events = POLLIN}};
    uint32_t bits = 0;
    if ((conn->interest & LDC_POLL_READ) != 0) {
        both[0].events = POLLIN;
    }
    if ((conn->interest & LDC_POLL_WRITE) != 0) {
        both[0].events = (short)(both[0].events | POLLOUT);
    }
    if (!ldc_actor_listen(&conn->actor, wake)) {
        return 0; /* there is something to do already */
    }
    bool computed = ldc_compute(false);
    int count = poll(both, 2, ms > 1000 ? 1000 : (int)ms);
    (void)ldc_compute(computed);
    ldc_actor_listen_no_more(&conn->actor);
    if (count > 0 && both[1].revents != 0) {
        uint64_t posts;
        ssize_t got = read(wake, &posts, sizeof posts);
        (void)got; /* only takes the event away */
    }
    if (count > 0 && both[0].revents != 0) {
        bits |= (both[0].revents & POLLOUT) != 0 ? (uint32_t)LDC_BIT_WRITE : 0u;
        bits |= (both[0].revents & ~POLLOUT) != 0 ? (uint32_t)LDC_BIT_READ : 0u;
    }
    return bits;
}

static void serve(ldc_conn *conn, int wake, uint16_t id, int64_t end)
{
    bool computed = ldc_compute(true);
    uint32_t bits = LDC_CONN_SEND;
    conn->borrowed = true;
    for (;;) {
        ldc_actor_turn(&conn->actor, bits);
        int64_t now = ldc_now_ms();
        if (conn->phase != READY || now >= end || is_done(conn, id)) {
            break;
        }
        bits = wait_for_io(conn, wake, end - now);
    }
    conn->borrowed = false;
    if (conn->phase == READY && conn->interest != 0 &&
        ldc_actor_arm(&conn->actor, conn->interest) != 0) {
        ldc_actor_post(&conn->actor, LDC_BIT_READ); /* finds the fault */
    }
    (void)ldc_compute(computed);
}

/* Takes the strand if it is free, and then makes sure that nobody else hears of the socket. */
static bool borrow(ldc_conn *conn)
{
    if (!ldc_actor_borrow(&conn->actor)) {
        return false;
    }
    if (conn->phase != READY || conn->net == NULL || !ldc_upper_empty(conn->upper) ||
        (conn->interest & LDC_POLL_READ) == 0) {
        ldc_actor_return(&conn->actor);
        return false;
    }
    (void)ldc_actor_arm(&conn->actor, 0);
    return true;
}

/* ---- calls ---- */

static int collect(ldc_conn *conn, uint16_t id, int64_t end, uint16_t *status)
{
    struct timespec at = {.tv_sec = (time_t)(end / 1000), .tv_nsec = (long)(end % 1000) * 1000000L};
    int rc = DICOM_SUCCESS;
    bool late = false;
    pthread_mutex_lock(&conn->await_lock);
    ldc_await **link = find(conn, id);
    while (*link != NULL && !(*link)->done && !late) {
        late = pthread_cond_timedwait(&conn->await_done, &conn->await_lock, &at) == ETIMEDOUT;
        link = find(conn, id);
    }
    ldc_await *await = *link;
    if (await == NULL) {
        rc = DICOM_ERROR_PARAMETER;
    } else if (!await->done) {
        rc = DICOM_ERROR_NET_TIMEOUT;
        await = NULL;
    } else {
        *link = await->next;
        (void)atomic_fetch_sub(&conn->waiting, 1u);
        rc = await->code;
        *status = await->status;
    }
    pthread_mutex_unlock(&conn->await_lock);
    free(await);
    return rc;
}

static int told(int rc, uint16_t id)
{
    switch (rc) {
    case DICOM_SUCCESS:
        return rc;
    case DICOM_ERROR_PARAMETER:
        return ldc_error(rc, "nobody waits for a response to message id %u", id);
    case DICOM_ERROR_NET_TIMEOUT:
        return ldc_error(rc, "no response to message id %u yet. Wait on, or give it up.", id);
    default:
        return ldc_error(rc, "the connection ended before the response to message id %u", id);
    }
}

int ldc_conn_call(ldc_conn *conn, uint8_t context, const ldc_command *request, ldc_dataset *data,
                  unsigned ms, uint16_t *status)
{
    uint16_t id = request->message_id;
    int64_t end = ldc_now_ms() + (int64_t)ms;
    int wake = wake_of_thread();
    int rc = enter(conn, request->field, id);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    ldc_conn_look_at_inbox(conn);
    bool borrowed = wake >= 0 && borrow(conn);
    rc = ldc_upper_send(conn->upper, context, request, data,
                        borrowed ? LDC_SENDER_STRAND : LDC_SENDER_USER);
    if (borrowed) {
        serve(conn, wake, id, rc == DICOM_SUCCESS ? end : 0);
        ldc_actor_return(&conn->actor);
    }
    if (rc != DICOM_SUCCESS) {
        ldc_conn_forget_await(conn, id);
        return rc;
    }
    return told(collect(conn, id, end, status), id);
}

int ldc_conn_call_on(ldc_conn *conn, uint16_t id, unsigned ms, uint16_t *status)
{
    int64_t end = ldc_now_ms() + (int64_t)ms;
    int wake = wake_of_thread();
    if (!is_done(conn, id) && wake >= 0 && borrow(conn)) {
        serve(conn, wake, id, end);
        ldc_actor_return(&conn->actor);
    }
    return told(collect(conn, id, end, status), id);
}
