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

/* ---- worker mode ---- */

static ldc_net *net_of(ldc_job *job)
{
    return (ldc_net *)(void *)((char *)job - offsetof(ldc_net, job));
}

void ldc_delivery_run(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    ldc_net *net = net_of(job);
    for (;;) {
        pthread_mutex_lock(&net->lock);
        ldc_event *event = ldc_delivery_next(net);
        if (event == NULL) {
            net->delivering = false;
            pthread_cond_broadcast(&net->resting);
        }
        pthread_mutex_unlock(&net->lock);
        if (event == NULL || !ldc_engine_same_process(net->pid)) {
            if (event != NULL) {
                return; /* a forked child came back from a callback: all this is the parent's */
            }
            break;
        }
        if (event->kind == LDC_EVENT_GO) {
            ldc_conn_command(event->conn, LDC_CONN_GO);
        } else {
            ldc_delivery_tell(event);
            ldc_delivery_tell_parent(event);
        }
        ldc_event_free(event);
    }
    ldc_net_put(net);
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
        net->job.run = ldc_delivery_run;
        ldc_engine_push(&net->job, LDC_JOB_USER);
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

static void run_out_of_turn(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    ldc_event *event = (ldc_event *)(void *)((char *)job - offsetof(ldc_event, job));
    ldc_delivery_tell(event);
    ldc_event_free(event);
}

/* Not behind a callback that runs: C-CANCEL-RQ is for it. */
static void push_out_of_turn(ldc_event *event)
{
    event->out_of_turn = true;
    if (!ldc_pumped()) {
        event->job.run = run_out_of_turn;
        ldc_engine_push(&event->job, LDC_JOB_USER);
        return;
    }
    ldc_pump_lock();
    pthread_mutex_lock(&event->net->lock);
    bool drop = event->net->disposed || event->net->silent; /* what is queued was discarded */
    pthread_mutex_unlock(&event->net->lock);
    if (!drop) {
        ldc_pump_add(event);
    }
    ldc_pump_unlock();
    if (drop) {
        ldc_event_free(event);
    }
}

void ldc_deliver_news(ldc_net *net, ldc_conn *conn, ldc_news *news, uint64_t cost)
{
    ldc_event *event = ldc_event_new(net, LDC_EVENT_NEWS, 0);
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
        push_out_of_turn(event);
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
