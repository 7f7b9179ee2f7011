/*
 * ldc_delivery.c - events of a net on their way to user code, one at a time.
 *
 * Worker mode: a net with events is a job for a worker. Pumped mode: events also stand in one list
 * (ldc_delivery_pump.c). What a call is: ldc_delivery_tell.c; verdicts: ldc_delivery_verdict.c.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "ldc_conn.h"
#include "ldc_delivery_inner.h"
#include "ldc_error.h"
#include "ldc_news.h"

enum {
    EVENTS_IN_A_TURN = 16 /* then others have theirs, if somebody waits */
};

void ldc_init_monotonic(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec ldc_at_ms(int64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000L};
}

/* ---- events ---- */

ldc_event *ldc_event_new(ldc_net *net, ldc_event_kind kind, int code)
{
    ldc_event *event = calloc(1, sizeof *event);
    if (event == NULL) {
        ldc_log(DICOM_LOG_ERROR, net->id, "out of memory: a callback is not called");
        return NULL;
    }
    ldc_ref_get(&net->ref);
    event->net = net;
    event->kind = kind;
    event->code = code;
    return event;
}

void ldc_event_free(ldc_event *event)
{
    if (event->question != NULL) {
        ldc_question_cancel(event->question);
        ldc_ref_put(&event->question->ref);
    }
    if (event->kind == LDC_EVENT_NEWS && event->conn != NULL) {
        ldc_conn_told(event->conn, event->cost);
    }
    ldc_news_free(event->news);
    if (event->conn != NULL) {
        ldc_conn_put(event->conn);
    }
    if (event->peer != NULL) {
        ldc_net_put(event->peer);
    }
    if (event->parent != NULL) {
        ldc_net_put(event->parent);
    }
    ldc_net_put(event->net);
    free(event);
}

/* ---- the queue of a net ---- */

ldc_event *ldc_delivery_next(ldc_net *net)
{
    ldc_event *event = net->first;
    if (event != NULL) {
        net->first = event->next;
        if (net->first == NULL) {
            net->last = NULL;
        }
        event->next = NULL;
    }
    return event;
}

void ldc_delivery_release_waiting(ldc_net *net)
{
    while (net->first != NULL && net->first->kind == LDC_EVENT_GO && !net->delivering) {
        ldc_event *event = ldc_delivery_next(net);
        pthread_mutex_unlock(&net->lock);
        ldc_conn_command(event->conn, LDC_CONN_GO);
        ldc_event_free(event);
        pthread_mutex_lock(&net->lock);
    }
}

bool ldc_delivery_put_back(ldc_event *event)
{
    ldc_net *net = event->net;
    if (net->disposed || net->silent) {
        return false;
    }
    event->next = net->first;
    net->first = event;
    net->last = net->last == NULL ? event : net->last;
    return true;
}

/* ---- worker mode ---- */

static void run(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    ldc_net *net = (ldc_net *)(void *)((char *)job - offsetof(ldc_net, job));
    for (unsigned told = 1;; told++) {
        pthread_mutex_lock(&net->lock);
        ldc_event *event = ldc_delivery_next(net);
        if (event == NULL) {
            net->delivering = false;
            pthread_cond_broadcast(&net->resting);
        }
        pthread_mutex_unlock(&net->lock);
        if (event == NULL) {
            break;
        }
        if (event->kind == LDC_EVENT_GO) {
            ldc_conn_command(event->conn, LDC_CONN_GO);
        } else {
            ldc_delivery_tell(event);
            if (!ldc_engine_same_process(net->pid)) {
                return; /* a forked child came back from a callback: all this is the parent's */
            }
            ldc_delivery_tell_parent(event);
        }
        bool kept = false;
        if (event->kind == LDC_EVENT_NEWS && ldc_news_go_on(event->news)) {
            pthread_mutex_lock(&net->lock);
            kept = ldc_delivery_put_back(event);
            pthread_mutex_unlock(&net->lock);
        }
        if (!kept) {
            ldc_event_free(event);
        }
        if (told % EVENTS_IN_A_TURN == 0 && ldc_engine_crowded()) {
            ldc_engine_push(job,
                            LDC_JOB_USER); /* others have their turn; the reference goes along */
            return;
        }
    }
    ldc_net_put(net);
}

void ldc_delivery_start(ldc_net *net)
{
    net->job.run = run;
    ldc_engine_push(&net->job, LDC_JOB_USER);
}

/* Queues an event, which it owns from now on. */
void ldc_delivery_push(ldc_event *event)
{
    ldc_net *net = event->net;
    bool pumping = ldc_pumped();
    ldc_ref_get(&net->ref); /* the event's own may go before this function ends */
    if (pumping) {
        ldc_pump_lock();
    }
    pthread_mutex_lock(&net->lock);
    bool drop = net->disposed || (net->silent && event->kind != LDC_EVENT_GO);
    bool start = false;
    if (event->kind == LDC_EVENT_ACCEPT && !drop) {
        /* No more than may wait: each event takes one that waits, if there is one. */
        drop = net->accepts_due >= net->limits.value[LDC_LIMIT_HANDSHAKES_TOTAL];
        net->accepts_due += drop ? 0u : 1u;
    }
    if (!drop) {
        if (net->last == NULL) {
            net->first = event;
        } else {
            net->last->next = event;
        }
        net->last = event;
        if (!pumping && !net->delivering) {
            net->delivering = true;
            start = true;
            ldc_ref_get(&net->ref);
        }
        if (pumping && event->kind == LDC_EVENT_GO) {
            ldc_delivery_release_waiting(net);
        } else if (pumping) {
            ldc_pump_add(event);
        }
    }
    pthread_mutex_unlock(&net->lock);
    if (pumping) {
        ldc_pump_unlock();
    }
    if (drop) {
        ldc_event_free(event);
    }
    if (start) {
        ldc_delivery_start(net);
    }
    ldc_net_put(net);
}

/* Whether the user wants to hear of it at all. */
static bool wanted(ldc_net *net, ldc_event_kind kind)
{
    pthread_mutex_lock(&net->lock);
    bool result =
        !((kind == LDC_EVENT_CONNECT && net->callbacks.pfnConnect == NULL) ||
          (kind == LDC_EVENT_ACCEPT && net->callbacks.pfnAccept == NULL) ||
          (kind == LDC_EVENT_SECURE_LINK_READY && net->callbacks.pfnSecureLinkReady == NULL));
    pthread_mutex_unlock(&net->lock);
    return result;
}

void ldc_deliver(ldc_net *net, ldc_event_kind kind, int code)
{
    if (!wanted(net, kind)) {
        return;
    }
    ldc_event *event = ldc_event_new(net, kind, code);
    if (event != NULL) {
        ldc_delivery_push(event);
    }
}

/* ---- out of turn: not behind a callback that runs, for which a C-CANCEL-RQ is. One at a time, so
 * that a peer that sends them without end takes one thread of a net's, and no more. ---- */

static void run_urgent(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    ldc_net *net = (ldc_net *)(void *)((char *)job - offsetof(ldc_net, urgent_job));
    pthread_mutex_lock(&net->lock);
    ldc_event *event = net->urgent;
    if (event != NULL) {
        net->urgent = event->next;
        net->last_urgent = net->urgent == NULL ? NULL : net->last_urgent;
        event->next = NULL;
    }
    net->delivering_urgent = event != NULL;
    pthread_mutex_unlock(&net->lock);
    if (event == NULL) {
        ldc_net_put(net);
        return;
    }
    ldc_delivery_tell(event);
    if (!ldc_engine_same_process(net->pid)) {
        return; /* as above */
    }
    ldc_event_free(event);
    ldc_engine_push(job, LDC_JOB_USER); /* the reference goes along */
}

static void push_urgent(ldc_event *event)
{
    ldc_net *net = event->net;
    bool pumping = ldc_pumped();
    bool start = false;
    event->out_of_turn = true;
    if (pumping) {
        ldc_pump_lock();
    }
    pthread_mutex_lock(&net->lock);
    bool drop = net->disposed || net->silent; /* what is queued was discarded */
    if (!drop && pumping) {
        ldc_pump_add(event);
    } else if (!drop) {
        *(net->last_urgent == NULL ? &net->urgent : &net->last_urgent->next) = event;
        net->last_urgent = event;
        start = !net->delivering_urgent;
        net->delivering_urgent = true;
    }
    if (start) {
        ldc_ref_get(&net->ref);
    }
    pthread_mutex_unlock(&net->lock);
    if (pumping) {
        ldc_pump_unlock();
    }
    if (drop) {
        ldc_event_free(event);
    }
    if (start) {
        net->urgent_job.run = run_urgent;
        ldc_engine_push(&net->urgent_job, LDC_JOB_USER);
    }
}

/* OnSend that has not been told yet takes more of its kind in; true: the news is taken over. */
static bool joined(ldc_net *net, const ldc_conn *conn, ldc_news *news)
{
    bool taken = false;
    if (news->kind == LDC_NEWS_SENT) {
        pthread_mutex_lock(&net->lock);
        ldc_event *last = net->last;
        taken = last != NULL && last->kind == LDC_EVENT_NEWS && last->conn == conn &&
                ldc_news_join(last->news, news);
        pthread_mutex_unlock(&net->lock);
    }
    return taken;
}

void ldc_deliver_news(ldc_net *net, ldc_conn *conn, ldc_news *news, uint64_t cost)
{
    ldc_event *event = joined(net, conn, news) ? NULL : ldc_event_new(net, LDC_EVENT_NEWS, 0);
    if (event == NULL) {
        ldc_news_free(news);
        ldc_conn_told(conn, cost);
        return;
    }
    ldc_conn_ref(conn);
    event->conn = conn;
    event->news = news;
    event->cost = cost;
    if (news->kind == LDC_NEWS_MESSAGE && news->command.field == COMMAND_C_CANCEL) {
        push_urgent(event);
    } else {
        ldc_delivery_push(event);
    }
}

void ldc_deliver_close(ldc_net *net, int code, ldc_net *parent)
{
    ldc_event *event = ldc_event_new(net, LDC_EVENT_CLOSE, code);
    if (event == NULL) {
        return;
    }
    ldc_ref_get(&net->ref);
    event->peer = net;
    if (parent != NULL) {
        ldc_ref_get(&parent->ref);
        event->parent = parent;
    }
    ldc_delivery_push(event);
}

void ldc_deliver_go(ldc_net *net, ldc_conn *conn)
{
    pthread_mutex_lock(&net->lock);
    bool at_once = net->first == NULL && !net->delivering;
    pthread_mutex_unlock(&net->lock);
    ldc_event *event = at_once ? NULL : ldc_event_new(net, LDC_EVENT_GO, 0);
    if (event == NULL) {
        ldc_conn_command(conn, LDC_CONN_GO);
        return;
    }
    ldc_conn_ref(conn);
    event->conn = conn;
    ldc_delivery_push(event);
}
