/* ldc_delivery_pump.c - pumped mode: events stand in one list, oldest first, and L_DicomBreathe
 * runs one. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ldc_conn.h"
#include "ldc_delivery_inner.h"
#include "ldc_error.h"
#include "ldc_news.h"

static atomic_bool pumped_mode;

static struct pump {
    pthread_mutex_t lock;
    pthread_cond_t some; /* CLOCK_MONOTONIC */
    ldc_event *first, *last;
} pump = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up_once(void)
{
    ldc_init_monotonic(&pump.some);
}

bool ldc_pumped(void)
{
    return atomic_load(&pumped_mode);
}

L_INT L_DicomSetPumpMode(L_BOOL bPumped)
{
    pthread_once(&once, set_up_once);
    bool wanted = bPumped != 0;
    if (wanted != ldc_pumped() && ldc_net_count() > 0) {
        return ldc_error(
            DICOM_ERROR_INVALID_STATE, "%s",
            "the delivery of callbacks cannot change while nets exist. Call Startup before the first net is "
            "created, with the same mode everywhere.");
    }
    atomic_store(&pumped_mode, wanted);
    return DICOM_SUCCESS;
}

L_BOOL L_DicomGetPumpMode(void)
{
    return ldc_pumped() ? 1 : 0;
}

void ldc_pump_lock(void)
{
    pthread_once(&once, set_up_once);
    pthread_mutex_lock(&pump.lock);
}

void ldc_pump_unlock(void)
{
    pthread_mutex_unlock(&pump.lock);
}

void ldc_pump_add(ldc_event *event)
{
    *(pump.last == NULL ? &pump.first : &pump.last->pump_next) = event;
    pump.last = event;
    pthread_cond_signal(&pump.some);
}

/* The first event whose net is not in a callback, taken out of both lists; the pump's lock is held.
 */
static ldc_event *take_runnable(void)
{
    ldc_event *before = NULL;
    for (ldc_event *event = pump.first; event != NULL; before = event, event = event->pump_next) {
        ldc_net *net = event->net;
        pthread_mutex_lock(&net->lock);
        bool runnable =
            event->out_of_turn ? !net->delivering_urgent : !net->delivering && net->first == event;
        if (runnable && event->out_of_turn) {
            net->delivering_urgent = true;
        } else if (runnable) {
            net->delivering = true;
            (void)ldc_delivery_next(net);
        }
        pthread_mutex_unlock(&net->lock);
        if (runnable) {
            *(before == NULL ? &pump.first : &before->pump_next) = event->pump_next;
            if (pump.last == event) {
                pump.last = before;
            }
            event->pump_next = NULL;
            return event;
        }
    }
    return NULL;
}

/* The event has been told; one that has more to tell stays the first of its net's, and others have
 * their turn before the next of it. */
static void end_turn(ldc_event *event, bool in_turn)
{
    ldc_net *net = event->net; /* the caller has a reference */
    bool more = in_turn && event->kind == LDC_EVENT_NEWS && ldc_news_go_on(event->news);
    bool kept = false;
    ldc_pump_lock();
    pthread_mutex_lock(&net->lock);
    if (more && ldc_delivery_put_back(event)) {
        kept = true;
        event->pump_next = NULL;
        ldc_pump_add(event);
    }
    pthread_mutex_unlock(&net->lock);
    ldc_pump_unlock();
    if (!kept) {
        ldc_event_free(event);
    }
    pthread_mutex_lock(&net->lock);
    if (in_turn) {
        net->delivering = false;
        ldc_delivery_release_waiting(net);
    } else {
        net->delivering_urgent = false;
    }
    pthread_mutex_unlock(&net->lock);
}

L_INT L_DicomBreathe(L_UINT nTimeoutMs)
{
    pthread_once(&once, set_up_once);
    struct timespec end = ldc_at_ms(ldc_now_ms() + (int64_t)nTimeoutMs);
    if (!ldc_pumped()) {
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR) {
        }
        return 0;
    }
    pthread_mutex_lock(&pump.lock);
    ldc_event *event = take_runnable();
    while (event == NULL && pthread_cond_timedwait(&pump.some, &pump.lock, &end) != ETIMEDOUT) {
        event = take_runnable();
    }
    if (event == NULL) {
        event = take_runnable();
    }
    pthread_mutex_unlock(&pump.lock);
    if (event == NULL) {
        return 0;
    }
    ldc_net *net = event->net;
    bool in_turn = !event->out_of_turn;
    ldc_ref_get(&net->ref);
    ldc_delivery_tell(event);
    ldc_delivery_tell_parent(event);
    end_turn(event, in_turn);
    ldc_net_put(net);
    /* Another thread that pumps may now run the next event of this net. */
    pthread_mutex_lock(&pump.lock);
    if (pump.first != NULL) {
        pthread_cond_signal(&pump.some);
    }
    pthread_mutex_unlock(&pump.lock);
    return 1;
}

static void free_list(ldc_event *event)
{
    while (event != NULL) {
        ldc_event *next = event->next;
        ldc_event_free(event);
        event = next;
    }
}

void ldc_deliver_discard(ldc_net *net)
{
    ldc_event *dropped = NULL;
    ldc_event *apart = NULL;
    pthread_mutex_lock(&pump.lock);
    pthread_mutex_lock(&net->lock);
    ldc_event **link = &pump.first;
    ldc_event *last = NULL;
    while (*link != NULL) {
        ldc_event *event = *link;
        if (event->net == net && event->out_of_turn) {
            *link = event->pump_next;
            event->next = apart; /* it stands in no other list */
            apart = event;
        } else if (event->net == net) {
            *link = event->pump_next;
        } else {
            last = *link;
            link = &(*link)->pump_next;
        }
    }
    pump.last = last;
    dropped = net->first;
    net->first = NULL;
    net->last = NULL;
    net->accepts_due = 0;
    ldc_event *urgent = net->urgent;
    net->urgent = NULL;
    net->last_urgent = NULL;
    pthread_mutex_unlock(&net->lock);
    pthread_mutex_unlock(&pump.lock);
    free_list(dropped);
    free_list(apart);
    free_list(urgent);
}

void ldc_delivery_after_fork(void)
{
    struct pump fresh = {.lock = PTHREAD_MUTEX_INITIALIZER};
    memcpy(&pump, &fresh, sizeof pump);
    ldc_init_monotonic(&pump.some);
}
