/* ldc_delivery_tell.c - one event of a net becomes one call of user code. */
#include <stdlib.h>

#include "ldc_conn.h"
#include "ldc_delivery_inner.h"
#include "ldc_error.h"
#include "ldc_news.h"
#include "ldc_upper.h"

static int call_verify(const DICOMNETCALLBACKEXT *ext, ldc_net *net, ldc_question *question)
{
    int value = DICOM_VERIFY_NO_ANSWER;
    bool computed;
    if (ext->pfnVerify == NULL) {
        return question->ok;
    }
    if (!ldc_question_answered(question) && ldc_user_enter(&computed)) {
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

/* After the last of those that were joined. */
static void tell_left_out(const ldc_net *net, const ldc_news *news)
{
    if (ldc_news_left_out(news) > 0 && !ldc_news_has_more(news)) {
        ldc_log(
            DICOM_LOG_WARNING, net->id,
            "OnSend is slower than the connection: %llu PDUs have left without its being called",
            (unsigned long long)ldc_news_left_out(news));
    }
}

/* Tells one event. No lock is held. */
void ldc_delivery_tell(ldc_event *event)
{
    ldc_net *net = event->net;
    HDICOMNET handle = ldc_net_handle(net);
    pthread_mutex_lock(&net->lock);
    DICOMNETCALLBACK callbacks = net->callbacks;
    DICOMNETCALLBACKEXT ext = net->callbacks_ext;
    uint32_t automatic = net->auto_respond;
    bool disposed = net->disposed;
    if (event->kind == LDC_EVENT_ACCEPT && net->accepts_due > 0) {
        net->accepts_due--; /* before it looks who waits: whoever comes from now on has one more */
    }
    bool stale = event->out_of_turn && net->conn != event->conn;
    pthread_mutex_unlock(&net->lock);
    if (disposed || stale) {
        return; /* a question in it is answered with a refusal by event_free */
    }
    if (event->kind == LDC_EVENT_VERIFY) {
        ldc_question_answer(event->question, call_verify(&ext, net, event->question));
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
        tell_left_out(net, event->news);
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

/* The listener is told of a child after the child itself. */
void ldc_delivery_tell_parent(ldc_event *event)
{
    if (event->kind != LDC_EVENT_CLOSE || event->parent == NULL) {
        return;
    }
    ldc_event *next = ldc_event_new(event->parent, LDC_EVENT_CLOSE, event->code);
    if (next != NULL) {
        ldc_ref_get(&event->peer->ref);
        next->peer = event->peer;
        ldc_delivery_push(next);
    }
}
