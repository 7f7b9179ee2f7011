/*
 * ldc_delivery.c - telling user code, one event of a net at a time.
 *
 * Worker mode: a net with events is a job for a worker. Pumped mode: events also stand in one list,
 * oldest first, and L_DicomBreathe runs one. Locks: the pump's before a net's. No lock is held
 * while user code runs.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ldc_conn.h"
#include "ldc_error.h"
#include "ldc_net.h"
#include "ldc_news.h"
#include "ldc_upper.h"

static atomic_bool pumped_mode;

static struct pump {
    pthread_mutex_t lock;
    pthread_cond_t some; /* CLOCK_MONOTONIC */
    ldc_event *first, *last;
} pump = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_monotonic(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void set_up_once(void)
{
    init_monotonic(&pump.some);
}

static struct timespec at_ms(int64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000L};
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

/* ---- questions ---- */

static void question_destroy(ldc_ref *ref)
{
    ldc_question *question = (ldc_question *)ref;
    pthread_cond_destroy(&question->answered);
    pthread_mutex_destroy(&question->lock);
    free(question->text);
    free(question->error_text);
    free(question);
}

static ldc_question *question_new(int ok, const char *text, int code, const char *error_text)
{
    ldc_question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        return NULL;
    }
    ldc_ref_init(&question->ref, question_destroy);
    pthread_mutex_init(&question->lock, NULL);
    init_monotonic(&question->answered);
    question->answer = DICOM_VERIFY_NO_ANSWER;
    question->ok = ok;
    question->code = code;
    question->text = ldc_strdup(text);
    question->error_text = ldc_strdup(error_text);
    if (question->text == NULL || question->error_text == NULL) {
        ldc_ref_put(&question->ref);
        return NULL;
    }
    return question;
}

static void answer(ldc_question *question, int value)
{
    pthread_mutex_lock(&question->lock);
    if (!question->done) {
        question->done = true;
        question->answer = value;
        pthread_cond_broadcast(&question->answered);
    }
    pthread_mutex_unlock(&question->lock);
}

/* The handshake has gone on without it: too late to ask. */
static bool answered_already(ldc_question *question)
{
    pthread_mutex_lock(&question->lock);
    bool done = question->done;
    pthread_mutex_unlock(&question->lock);
    return done;
}

void ldc_question_cancel(ldc_question *question)
{
    answer(question, DICOM_VERIFY_NO_ANSWER);
}

/* ---- events ---- */

static ldc_event *event_new(ldc_net *net, ldc_event_kind kind, int code)
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

static void event_free(ldc_event *event)
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

static int call_verify(const DICOMNETCALLBACKEXT *ext, ldc_net *net, ldc_question *question)
{
    int value = DICOM_VERIFY_NO_ANSWER;
    bool computed;
    if (ext->pfnVerify == NULL) {
        return question->ok;
    }
    if (!answered_already(question) && ldc_user_enter(&computed)) {
        value = ext->pfnVerify(ldc_net_handle(net), question->ok, question->text, question->code,
                               question->error_text);
        ldc_user_leave(computed);
    }
    return value;
}

/* While a request is told, a failing callback that has not answered it ends the association. */
static void begin_serving(ldc_net *net, const ldc_news *news)
{
    bool request =
        news->kind == LDC_NEWS_ASSOCIATE_REQUEST || news->kind == LDC_NEWS_CHUNK ||
        (news->kind == LDC_NEWS_MESSAGE && (news->command.field & COMMAND_RESPONSE) == 0 &&
         news->command.field != COMMAND_C_CANCEL);
    if (request) {
        pthread_mutex_lock(&net->lock);
        net->serving = true;
        net->serving_id =
            news->kind == LDC_NEWS_MESSAGE ? ldc_command_id(&news->command) : news->id;
        pthread_mutex_unlock(&net->lock);
    }
}

static void end_serving(ldc_net *net, const ldc_event *event)
{
    if (!event->out_of_turn) {
        pthread_mutex_lock(&net->lock);
        net->serving = false;
        pthread_mutex_unlock(&net->lock);
    }
}

static bool somebody_waits(ldc_net *net)
{
    pthread_mutex_lock(&net->lock);
    ldc_listener *listener = net->listener;
    if (listener != NULL) {
        ldc_listener_ref(listener);
    }
    pthread_mutex_unlock(&net->lock);
    bool waits = listener != NULL && ldc_listener_has_pending(listener);
    ldc_listener_put(listener);
    return waits;
}

/* Tells one event. No lock is held. */
static void tell(ldc_event *event)
{
    ldc_net *net = event->net;
    HDICOMNET handle = ldc_net_handle(net);
    pthread_mutex_lock(&net->lock);
    DICOMNETCALLBACK callbacks = net->callbacks;
    DICOMNETCALLBACKEXT ext = net->callbacks_ext;
    uint32_t automatic = net->auto_respond;
    bool disposed = net->disposed;
    bool stale = event->out_of_turn && net->conn != event->conn;
    pthread_mutex_unlock(&net->lock);
    if (disposed || stale) {
        return; /* a question in it is answered with a refusal by event_free */
    }
    if (event->kind == LDC_EVENT_VERIFY) {
        answer(event->question, call_verify(&ext, net, event->question));
        return;
    }
    bool computed;
    if (!ldc_user_enter(&computed)) {
        return;
    }
    switch (event->kind) {
    case LDC_EVENT_CONNECT:
        if (callbacks.pfnConnect != NULL) {
            callbacks.pfnConnect(handle, event->code, callbacks.pUserData);
        }
        break;
    case LDC_EVENT_ACCEPT:
        /* One that was dropped meanwhile (a limit, the listener's end) is not told. */
        if (callbacks.pfnAccept != NULL && somebody_waits(net)) {
            callbacks.pfnAccept(handle, event->code, callbacks.pUserData);
        }
        break;
    case LDC_EVENT_SECURE_LINK_READY:
        if (callbacks.pfnSecureLinkReady != NULL) {
            callbacks.pfnSecureLinkReady(handle, event->code, callbacks.pUserData);
        }
        break;
    case LDC_EVENT_CLOSE:
        if (callbacks.pfnClose != NULL) {
            callbacks.pfnClose(handle, event->code, ldc_net_handle(event->peer),
                               callbacks.pUserData);
        }
        break;
    case LDC_EVENT_NEWS:
        begin_serving(net, event->news);
        /* Not the net's path: it may change from the end of the connection on. */
        ldc_news_tell(handle, &callbacks, event->news,
                      ldc_upper_folder(ldc_conn_upper(event->conn)));
        end_serving(net, event);
        if (event->news->kind == LDC_NEWS_RELEASE_REQUEST &&
            ldc_news_automatic(&callbacks, automatic, event->news)) {
            (void)ldc_upper_release(ldc_conn_upper(event->conn), false);
        }
        break;
    case LDC_EVENT_GO:
    case LDC_EVENT_VERIFY:
        break;
    }
    ldc_user_leave(computed);
}

static void push(ldc_event *event);

/* The listener is told of a child after the child itself. */
static void tell_parent(ldc_event *event)
{
    if (event->kind != LDC_EVENT_CLOSE || event->parent == NULL) {
        return;
    }
    ldc_event *next = event_new(event->parent, LDC_EVENT_CLOSE, event->code);
    if (next != NULL) {
        ldc_ref_get(&event->peer->ref);
        next->peer = event->peer;
        push(next);
    }
}

static ldc_event *unlink_first(ldc_net *net)
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

/* Lets connections go that waited for the events before them; the net's lock is held and released
 * in between. */
static void release_waiting(ldc_net *net)
{
    while (net->first != NULL && net->first->kind == LDC_EVENT_GO && !net->delivering) {
        ldc_event *event = unlink_first(net);
        pthread_mutex_unlock(&net->lock);
        ldc_conn_command(event->conn, LDC_CONN_GO);
        event_free(event);
        pthread_mutex_lock(&net->lock);
    }
}

/* ---- worker mode ---- */

static ldc_net *net_of(ldc_job *job)
{
    return (ldc_net *)(void *)((char *)job - offsetof(ldc_net, job));
}

static void run_on_worker(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    ldc_net *net = net_of(job);
    for (;;) {
        pthread_mutex_lock(&net->lock);
        ldc_event *event = unlink_first(net);
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
            tell(event);
            tell_parent(event);
        }
        event_free(event);
    }
    ldc_net_put(net);
}

/* Queues an event, which it owns from now on. */
static void push(ldc_event *event)
{
    ldc_net *net = event->net;
    bool pumping = ldc_pumped();
    pthread_once(&once, set_up_once);
    ldc_ref_get(&net->ref); /* the event's own may go before this function ends */
    if (pumping) {
        pthread_mutex_lock(&pump.lock);
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
            release_waiting(net);
        } else if (pumping) {
            if (pump.last == NULL) {
                pump.first = event;
            } else {
                pump.last->pump_next = event;
            }
            pump.last = event;
            pthread_cond_signal(&pump.some);
        }
    }
    pthread_mutex_unlock(&net->lock);
    if (pumping) {
        pthread_mutex_unlock(&pump.lock);
    }
    if (drop) {
        event_free(event);
    }
    if (start) {
        net->job.run = run_on_worker;
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
    ldc_event *event = event_new(net, kind, code);
    if (event != NULL) {
        push(event);
    }
}

static void run_out_of_turn(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    ldc_event *event = (ldc_event *)(void *)((char *)job - offsetof(ldc_event, job));
    tell(event);
    event_free(event);
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
    pthread_once(&once, set_up_once);
    pthread_mutex_lock(&pump.lock);
    pthread_mutex_lock(&event->net->lock);
    bool drop = event->net->disposed || event->net->silent; /* what is queued was discarded */
    pthread_mutex_unlock(&event->net->lock);
    if (!drop && pump.last == NULL) {
        pump.first = event;
    } else if (!drop) {
        pump.last->pump_next = event;
    }
    if (!drop) {
        pump.last = event;
        pthread_cond_signal(&pump.some);
    }
    pthread_mutex_unlock(&pump.lock);
    if (drop) {
        event_free(event);
    }
}

void ldc_deliver_news(ldc_net *net, ldc_conn *conn, ldc_news *news, uint64_t cost)
{
    ldc_event *event = event_new(net, LDC_EVENT_NEWS, 0);
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
        push(event);
    }
}

void ldc_deliver_close(ldc_net *net, int code, ldc_net *parent)
{
    ldc_event *event = event_new(net, LDC_EVENT_CLOSE, code);
    if (event == NULL) {
        return;
    }
    ldc_ref_get(&net->ref);
    event->peer = net;
    if (parent != NULL) {
        ldc_ref_get(&parent->ref);
        event->parent = parent;
    }
    push(event);
}

void ldc_deliver_go(ldc_net *net, ldc_conn *conn)
{
    pthread_mutex_lock(&net->lock);
    bool at_once = net->first == NULL && !net->delivering;
    pthread_mutex_unlock(&net->lock);
    ldc_event *event = at_once ? NULL : event_new(net, LDC_EVENT_GO, 0);
    if (event == NULL) {
        ldc_conn_command(conn, LDC_CONN_GO);
        return;
    }
    ldc_conn_ref(conn);
    event->conn = conn;
    push(event);
}

/* ---- pumped mode ---- */

/* The first event whose net is not in a callback, taken out of both lists; the pump's lock is held.
 */
static ldc_event *take_runnable(void)
{
    ldc_event *before = NULL;
    for (ldc_event *event = pump.first; event != NULL; before = event, event = event->pump_next) {
        ldc_net *net = event->net;
        pthread_mutex_lock(&net->lock);
        bool runnable = event->out_of_turn || (!net->delivering && net->first == event);
        if (runnable && !event->out_of_turn) {
            net->delivering = true;
            (void)unlink_first(net);
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

L_INT L_DicomBreathe(L_UINT nTimeoutMs)
{
    pthread_once(&once, set_up_once);
    struct timespec end = at_ms(ldc_now_ms() + (int64_t)nTimeoutMs);
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
    tell(event);
    tell_parent(event);
    event_free(event);
    pthread_mutex_lock(&net->lock);
    if (in_turn) {
        net->delivering = false;
        release_waiting(net);
    }
    pthread_mutex_unlock(&net->lock);
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
        event_free(event);
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
    pthread_mutex_unlock(&net->lock);
    pthread_mutex_unlock(&pump.lock);
    free_list(dropped);
    free_list(apart);
}

void ldc_delivery_after_fork(void)
{
    struct pump fresh = {.lock = PTHREAD_MUTEX_INITIALIZER};
    memcpy(&pump, &fresh, sizeof pump);
    init_monotonic(&pump.some);
}

/* ---- verdicts ---- */

/* Takes the net's turn of user code for the strand; false: not before the handshake's limit, or
 * nobody wants the verdict any more. */
static bool begin_turn(ldc_net *net, ldc_conn *conn)
{
    struct timespec end = at_ms(ldc_conn_handshake_deadline(conn));
    bool wanted = true;
    bool late = false;
    bool computed = ldc_compute(false);
    pthread_mutex_lock(&net->lock);
    for (;;) {
        wanted = !late && !net->disposed && !ldc_conn_ending(conn);
        if (!wanted || !net->delivering) {
            break;
        }
        late = pthread_cond_timedwait(&net->resting, &net->lock, &end) == ETIMEDOUT;
    }
    if (wanted) {
        net->delivering = true;
    }
    pthread_mutex_unlock(&net->lock);
    (void)ldc_compute(computed);
    return wanted;
}

/* Gives it back, to the events that have come meanwhile. */
static void end_turn(ldc_net *net)
{
    pthread_mutex_lock(&net->lock);
    bool more = net->first != NULL;
    net->delivering = more;
    if (more) {
        ldc_ref_get(&net->ref);
    } else {
        pthread_cond_broadcast(&net->resting);
    }
    pthread_mutex_unlock(&net->lock);
    if (more) {
        net->job.run = run_on_worker;
        ldc_engine_push(&net->job, LDC_JOB_USER);
    }
}

/* Worker delivery: the strand itself asks. Events of the net do not overlap with it. */
static int ask_on_strand(const DICOMNETCALLBACKEXT *ext, ldc_net *net, ldc_conn *conn, int ok,
                         char *text, int code, const char *error_text)
{
    int value = DICOM_VERIFY_NO_ANSWER;
    char *mutable_text = ldc_strdup(error_text);
    if (mutable_text == NULL || !begin_turn(net, conn)) {
        free(mutable_text);
        return value;
    }
    bool computed;
    if (ldc_user_enter(&computed)) {
        value = ext->pfnVerify(ldc_net_handle(net), ok, text, code, mutable_text);
        ldc_user_leave(computed);
    }
    if (!ldc_engine_same_process(net->pid)) {
        pthread_exit(
            NULL); /* user code forked and came back in the child: the handshake is the parent's */
    }
    end_turn(net);
    free(mutable_text);
    pthread_mutex_lock(&net->lock);
    bool disposed = net->disposed;
    pthread_mutex_unlock(&net->lock);
    /* Whoever was asked has given the net up meanwhile: a yes no longer counts. */
    return disposed || ldc_conn_ending(conn) ? DICOM_VERIFY_NO_ANSWER : value;
}

int ldc_deliver_verdict(ldc_net *net, ldc_conn *conn, int ok, char *text, int code,
                        const char *error_text)
{
    pthread_mutex_lock(&net->lock);
    DICOMNETCALLBACKEXT ext = net->callbacks_ext;
    bool disposed = net->disposed;
    bool judges = ldc_net_judges(net);
    pthread_mutex_unlock(&net->lock);
    if (disposed || ldc_user_muted() || ldc_conn_ending(conn)) {
        return DICOM_VERIFY_NO_ANSWER;
    }
    if (!judges) {
        return ok;
    }
    if (text == NULL) { /* it has just begun to judge */
        return DICOM_VERIFY_NO_ANSWER;
    }
    if (!ldc_pumped()) {
        return ask_on_strand(&ext, net, conn, ok, text, code, error_text);
    }
    ldc_question *question = question_new(ok, text, code, error_text);
    ldc_event *event = question == NULL ? NULL : event_new(net, LDC_EVENT_VERIFY, 0);
    if (event == NULL) {
        if (question != NULL) {
            ldc_ref_put(&question->ref);
        }
        return DICOM_VERIFY_NO_ANSWER;
    }
    ldc_ref_get(&question->ref);
    event->question = question;
    ldc_conn_set_question(conn, question);
    push(event);
    struct timespec end = at_ms(ldc_conn_handshake_deadline(conn));
    bool computed = ldc_compute(false);
    pthread_mutex_lock(&question->lock);
    while (!question->done) {
        if (pthread_cond_timedwait(&question->answered, &question->lock, &end) == ETIMEDOUT) {
            question->done = true; /* too late for an answer */
        }
    }
    int value = question->answer;
    pthread_mutex_unlock(&question->lock);
    (void)ldc_compute(computed);
    ldc_conn_set_question(conn, NULL);
    ldc_ref_put(&question->ref);
    pthread_mutex_lock(&net->lock);
    disposed = net->disposed;
    pthread_mutex_unlock(&net->lock);
    return disposed || ldc_conn_ending(conn) ? DICOM_VERIFY_NO_ANSWER : value;
}
