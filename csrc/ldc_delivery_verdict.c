/* ldc_delivery_verdict.c - asking user code about a certificate: on the strand that verifies, or,
 * in pumped mode, through a question that the pump answers. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ldc_conn.h"
#include "ldc_delivery_inner.h"
#include "ldc_error.h"

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

static ldc_question *ldc_question_new(int ok, const char *text, int code, const char *error_text)
{
    ldc_question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        return NULL;
    }
    ldc_ref_init(&question->ref, question_destroy);
    pthread_mutex_init(&question->lock, NULL);
    ldc_init_monotonic(&question->answered);
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

void ldc_question_answer(ldc_question *question, int value)
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
bool ldc_question_answered(ldc_question *question)
{
    pthread_mutex_lock(&question->lock);
    bool done = question->done;
    pthread_mutex_unlock(&question->lock);
    return done;
}

void ldc_question_cancel(ldc_question *question)
{
    ldc_question_answer(question, DICOM_VERIFY_NO_ANSWER);
}

/* ---- verdicts ---- */

/* Takes the net's turn of user code for the strand; false: not before the handshake's limit, or
 * nobody wants the verdict any more. */
static bool begin_turn(ldc_net *net, ldc_conn *conn)
{
    struct timespec end = ldc_at_ms(ldc_conn_handshake_deadline(conn));
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
        ldc_delivery_start(net);
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
    ldc_question *question = ldc_question_new(ok, text, code, error_text);
    ldc_event *event = question == NULL ? NULL : ldc_event_new(net, LDC_EVENT_VERIFY, 0);
    if (event == NULL) {
        if (question != NULL) {
            ldc_ref_put(&question->ref);
        }
        return DICOM_VERIFY_NO_ANSWER;
    }
    ldc_ref_get(&question->ref);
    event->question = question;
    ldc_conn_set_question(conn, question);
    ldc_delivery_push(event);
    struct timespec end = ldc_at_ms(ldc_conn_handshake_deadline(conn));
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
