/* ldc_upper.c - state, local primitives and what the strand is to do; see ldc_upper.h. Sending:
 * ldc_upper_send.c, receiving: ldc_upper_receive.c. */
#include "ldc_upper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ldc_error.h"
#include "ldc_upper_inner.h"

#define IDLE_TEXT   "The connection was idle for longer than idle_timeout allows"
#define IDLE_REMEDY "Release associations that are not used, or give idle_timeout more time."

ldc_upper *ldc_upper_new(bool requestor, const char *folder, ldc_quota *quota,
                         const ldc_upper_limits *limits, ldc_upper_news_fn news,
                         ldc_upper_wake_fn wake, void *owner, uint64_t handle)
{
    pthread_condattr_t attributes;
    ldc_upper *upper = calloc(1, sizeof *upper);
    if (upper == NULL) {
        return NULL;
    }
    upper->folder = ldc_strdup(folder);
    if (folder != NULL && upper->folder == NULL) {
        free(upper);
        return NULL;
    }
    pthread_mutex_init(&upper->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&upper->drained, &attributes);
    pthread_condattr_destroy(&attributes);
    ldc_quota_ref(quota);
    upper->quota = quota;
    upper->requestor = requestor;
    /* The transport is the connection's: a requestor waits for its user, an acceptor for the
     * request. */
    upper->state = requestor ? LDC_STA4 : LDC_STA2;
    upper->limits = *limits;
    upper->news = news;
    upper->wake = wake;
    upper->owner = owner;
    upper->handle = handle;
    upper->parse_limits = (ldc_pdu_limits){LDC_PDU_ASSOCIATE_LIMIT, LDC_PDU_DATA_LIMIT};
    ldc_pdv_init(&upper->parser, &upper->parse_limits);
    ldc_message_init(&upper->message);
    ldc_window_init(&upper->invoked);
    ldc_window_init(&upper->performed);
    ldc_failure_init(&upper->failure);
    return upper;
}

void ldc_upper_free(ldc_upper *upper)
{
    if (upper == NULL) {
        return;
    }
    ldc_upper_drop_queue(upper);
    while (upper->held_first != NULL) {
        ldc_news *news = upper->held_first;
        upper->held_first = news->next;
        ldc_news_free(news);
    }
    ldc_stage_free(&upper->stage);
    ldc_message_free(&upper->message);
    ldc_window_free(&upper->invoked);
    ldc_window_free(&upper->performed);
    ldc_dataset_put(upper->incoming);
    ldc_associate_free(upper->request);
    ldc_associate_free(upper->accept);
    ldc_failure_clear(&upper->failure);
    ldc_quota_put(upper->quota);
    free(upper->body);
    free(upper->capture);
    free(upper->chunk);
    free(upper->folder);
    pthread_cond_destroy(&upper->drained);
    pthread_mutex_destroy(&upper->lock);
    free(upper);
}

const char *ldc_upper_folder(const ldc_upper *upper)
{
    return upper->folder;
}

/* ---- the state table; the lock is held in these ---- */

bool ldc_upper_stands(const ldc_upper *upper)
{
    return upper->state >= LDC_STA6 && upper->state <= LDC_STA12 && !upper->ended;
}

ldc_fsm_answer ldc_upper_step(ldc_upper *upper, ldc_fsm_event event, unsigned facts,
                              ldc_fsm_step *step)
{
    ldc_fsm_answer answer = ldc_fsm_next(
        upper->state, event, facts | (upper->requestor ? (unsigned)LDC_FSM_REQUESTOR : 0u), step);
    if (answer != LDC_FSM_GO) {
        return answer;
    }
    bool stood = ldc_upper_stands(upper);
    upper->state = step->next;
    if (stood && !ldc_upper_stands(upper)) {
        pthread_cond_broadcast(&upper->drained); /* senders that wait have nothing to wait for */
    }
    ldc_upper_timer timer = upper->timer;
    bool restart = false;
    if ((step->effects & LDC_FSM_STOP_ARTIM) != 0) {
        timer = LDC_TIMER_NONE;
    }
    if ((step->effects & LDC_FSM_START_ARTIM) != 0) {
        timer = LDC_TIMER_ARTIM;
        restart = true;
    } else if (step->next == LDC_STA3 || step->next == LDC_STA5 || step->next == LDC_STA7) {
        timer = LDC_TIMER_ASSOCIATION; /* design 3: nobody waits for an answer for ever */
        restart = true;
    } else if (step->next == LDC_STA6) {
        timer = LDC_TIMER_NONE;
    }
    if (restart || timer != upper->timer) {
        upper->timer = timer;
        upper->timer_serial++;
        upper->timed_at = upper->refills + upper->answers;
    }
    return answer;
}

void ldc_upper_wish_close(ldc_upper *upper, int code, bool farewell)
{
    if (!upper->close_wished) {
        upper->close_wished = true;
        upper->close_code = code;
        upper->farewell = farewell;
    }
    upper->farewell = upper->farewell && farewell;
    if (!upper->farewell) {
        ldc_upper_drop_queue(upper);
    }
}

/* Our A-ABORT and the end: a protocol error of the peer's, or a time-out. What was queued is no
 * longer of use; a peer that does not even take the A-ABORT has until ARTIM (AA-8). */
void ldc_upper_break(ldc_upper *upper, uint8_t reason, int code, const char *message,
                     const char *remedy)
{
    uint8_t pdu[LDC_PDU_SMALL];
    ldc_failure failure;
    ldc_failure_init(&failure);
    ldc_failure_fill(&failure, code, DICOM_STAGE_ASSOCIATION, DICOM_SIDE_PEER, message, remedy);
    (void)ldc_failure_set(&upper->failure, &failure);
    ldc_pdu_encode_abort(pdu, PDU_ABORT_SOURCE_PROVIDER, reason);
    ldc_upper_drop_queue(upper);
    (void)ldc_upper_queue(upper, ldc_out_pdu(PDU_ABORT, pdu, sizeof pdu));
    upper->state = LDC_STA13;
    upper->timer = LDC_TIMER_ARTIM;
    upper->timer_serial++;
    upper->broken = true;
    pthread_cond_broadcast(&upper->drained);
    ldc_upper_wish_close(upper, code, true);
}

/* ---- agreement ---- */

/* PS3.7 D.3.3.3: both numbers are those of the requestor's side; without the item it is one. */
static void agree_on_windows(ldc_upper *upper)
{
    const ldc_associate *request = upper->request, *accept = upper->accept;
    bool said = request->has_async && accept->has_async;
    uint16_t by_requestor = said ? ldc_window_agreed(request->invoked, accept->invoked) : 1;
    uint16_t by_acceptor = said ? ldc_window_agreed(request->performed, accept->performed) : 1;
    upper->invoked.most = upper->requestor ? by_requestor : by_acceptor;
    upper->performed.most = upper->requestor ? by_acceptor : by_requestor;
}

/* What both sides agreed on, from request and accept. */
void ldc_upper_agree(ldc_upper *upper)
{
    const ldc_associate *own = upper->requestor ? upper->request : upper->accept;
    const ldc_associate *peer = upper->requestor ? upper->accept : upper->request;
    upper->peer_maximum = peer->has_max_length ? peer->max_length : 0;
    upper->parse_limits = (ldc_pdu_limits){.associate = LDC_PDU_ASSOCIATE_LIMIT,
                                           .data = own->has_max_length ? own->max_length : 0};
    agree_on_windows(upper);
}

const char *ldc_upper_agreed(const ldc_upper *upper, uint8_t id)
{
    const ldc_context *context =
        upper->accept == NULL || id % 2 == 0 ? NULL : ldc_associate_context(upper->accept, id);
    bool accepted = context != NULL && context->result == PDU_ACCEPT_RESULT_SUCCESS &&
                    context->transfers.count > 0;
    return accepted && context->transfers.uids[0][0] != '\0' ? context->transfers.uids[0] : NULL;
}

bool ldc_upper_syntax(ldc_upper *upper, uint8_t context, char syntax[LDC_UID_SIZE])
{
    pthread_mutex_lock(&upper->lock);
    const char *agreed = ldc_upper_agreed(upper, context);
    if (agreed != NULL) {
        memcpy(syntax, agreed, strnlen(agreed, LDC_UID_SIZE - 1) + 1);
        syntax[LDC_UID_SIZE - 1] = '\0';
    }
    pthread_mutex_unlock(&upper->lock);
    return agreed != NULL;
}

bool ldc_upper_associated(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    bool associated = ldc_upper_stands(upper);
    pthread_mutex_unlock(&upper->lock);
    return associated;
}

ldc_associate *ldc_upper_association(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    const ldc_associate *now = upper->accept != NULL ? upper->accept
                               : upper->requestor    ? NULL
                                                     : upper->request;
    ldc_associate *copy = now == NULL ? NULL : ldc_associate_clone(now);
    pthread_mutex_unlock(&upper->lock);
    return copy;
}

/* ---- local primitives ---- */

int ldc_upper_refused(ldc_fsm_state state, const char *what)
{
    bool none = state == LDC_STA1 || state == LDC_STA2 || state == LDC_STA4 || state == LDC_STA13;
    return ldc_error(none ? DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED : DICOM_ERROR_INVALID_STATE,
                     "%s is not possible in state %s (%s, PS3.8 9.2)", what,
                     ldc_fsm_state_name(state), ldc_fsm_state_text(state));
}

/* Takes the step and does what it asks for. The PDU is ours. reject: result, source and reason of
 * an A-ASSOCIATE-RJ, or NULL. */
static int local(ldc_upper *upper, ldc_fsm_event event, const char *what, ldc_out *out,
                 const uint8_t *reject)
{
    ldc_fsm_step step;
    int rc = DICOM_SUCCESS;
    if (out == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", what);
    }
    pthread_mutex_lock(&upper->lock);
    ldc_fsm_state before = upper->state;
    if (upper->ended || ldc_upper_step(upper, event, 0, &step) != LDC_FSM_GO) {
        rc = DICOM_ERROR_INVALID_STATE;
    } else {
        if (reject != NULL) {
            ldc_upper_note_reject(upper, reject[0], reject[1], reject[2], true);
        }
        if (event == LDC_EVT15) {
            ldc_upper_drop_queue(
                upper); /* an abort does not wait for data that is of no use any more */
        } else if (event == LDC_EVT14 && ldc_window_full(&upper->invoked)) {
            ldc_upper_drop_operations(upper); /* the peer goes: it will answer no more */
        }
        if ((step.effects & LDC_FSM_SEND) != 0) {
            (void)ldc_upper_queue(upper, out);
            out = NULL;
        }
        if ((step.effects & LDC_FSM_CLOSE) != 0) { /* AA-2 */
            ldc_upper_wish_close(upper, DICOM_SUCCESS, false);
        }
    }
    pthread_mutex_unlock(&upper->lock);
    ldc_out_free(out);
    if (rc != DICOM_SUCCESS) {
        return ldc_upper_refused(before, what);
    }
    upper->wake(upper->owner);
    return DICOM_SUCCESS;
}

static ldc_out *associate_pdu(uint8_t type, const ldc_associate *associate,
                              const ldc_associate *request, int *rc)
{
    ldc_writer writer;
    ldc_out *out = NULL;
    ldc_writer_init(&writer, LDC_PDU_ASSOCIATE_LIMIT + LDC_PDU_HEADER);
    *rc = ldc_pdu_encode_associate(associate, request, &writer);
    if (*rc == DICOM_SUCCESS) {
        out = ldc_out_pdu(type, writer.bytes, writer.length);
        *rc = out == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "association") : DICOM_SUCCESS;
    }
    ldc_writer_free(&writer);
    return out;
}

int ldc_upper_associate(ldc_upper *upper, const ldc_associate *request)
{
    int rc;
    ldc_fsm_step step;
    ldc_associate *copy = ldc_associate_clone(request);
    ldc_out *out = copy == NULL ? NULL : associate_pdu(PDU_ASSOCIATE_REQUEST, copy, NULL, &rc);
    if (out == NULL) {
        ldc_associate_free(copy);
        return copy == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "association") : rc;
    }
    pthread_mutex_lock(&upper->lock);
    ldc_fsm_state before = upper->state;
    /* The transport is there: what is left of AE-1 and AE-2 is to send the request. */
    bool go = !upper->ended && ldc_upper_step(upper, LDC_EVT2, 0, &step) == LDC_FSM_GO;
    if (go) {
        ldc_associate_free(upper->request);
        upper->request = copy;
        (void)ldc_upper_queue(upper, out);
    }
    pthread_mutex_unlock(&upper->lock);
    if (!go) {
        ldc_associate_free(copy);
        ldc_out_free(out);
        return before == LDC_STA6 ? ldc_error(DICOM_ERROR_ASSOCIATION_ALREADY_ESTABLISHED, "%s",
                                              "Release it first.")
                                  : ldc_upper_refused(before, "SendAssociateRequest");
    }
    upper->wake(upper->owner);
    return DICOM_SUCCESS;
}

int ldc_upper_accept(ldc_upper *upper, const ldc_associate *accept)
{
    int rc = DICOM_SUCCESS;
    ldc_fsm_step step;
    pthread_mutex_lock(&upper->lock);
    ldc_fsm_state before = upper->state;
    ldc_out *out = NULL;
    ldc_associate *copy = NULL;
    if (before == LDC_STA3 && !upper->ended) {
        copy = ldc_associate_clone(accept);
        out = copy == NULL ? NULL : associate_pdu(PDU_ASSOCIATE_ACCEPT, copy, upper->request, &rc);
        if (copy == NULL) {
            rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "association");
        }
    }
    bool go = out != NULL && ldc_upper_step(upper, LDC_EVT7, 0, &step) == LDC_FSM_GO;
    if (go) {
        ldc_associate_free(upper->accept);
        upper->accept = copy;
        copy = NULL;
        for (size_t i = 0; i < upper->accept->context_count;
             i++) { /* abstract syntaxes are the request's */
            ldc_context *context = &upper->accept->contexts[i];
            const ldc_context *asked = ldc_associate_context(upper->request, context->id);
            if (asked != NULL) {
                memcpy(context->abstract, asked->abstract, sizeof context->abstract);
            }
        }
        ldc_upper_agree(upper);
        (void)ldc_upper_queue(upper, out);
        out = NULL;
    }
    pthread_mutex_unlock(&upper->lock);
    ldc_associate_free(copy);
    ldc_out_free(out);
    if (!go) {
        return rc != DICOM_SUCCESS ? rc : ldc_upper_refused(before, "SendAssociateAccept");
    }
    upper->wake(upper->owner);
    return DICOM_SUCCESS;
}

int ldc_upper_reject(ldc_upper *upper, uint8_t result, uint8_t source, uint8_t reason)
{
    const uint8_t reject[] = {result, source, reason};
    uint8_t pdu[LDC_PDU_SMALL];
    ldc_pdu_encode_reject(pdu, result, source, reason);
    return local(upper, LDC_EVT8, "SendAssociateReject",
                 ldc_out_pdu(PDU_ASSOCIATE_REJECT, pdu, sizeof pdu), reject);
}

int ldc_upper_release(ldc_upper *upper, bool request)
{
    uint8_t pdu[LDC_PDU_SMALL];
    pthread_mutex_lock(&upper->lock);
    /* Release collision: the acceptor's answer waits for the requestor's (PS3.8 9.2, Sta10 to
     * Sta12). */
    bool held = !request && upper->state == LDC_STA10 && !upper->ended;
    upper->response_held = upper->response_held || held;
    pthread_mutex_unlock(&upper->lock);
    if (held) {
        return DICOM_SUCCESS;
    }
    ldc_pdu_encode_release(pdu, request);
    return local(upper, request ? LDC_EVT11 : LDC_EVT14,
                 request ? "SendReleaseRequest" : "SendReleaseResponse",
                 ldc_out_pdu(request ? PDU_RELEASE_REQUEST : PDU_RELEASE_RESPONSE, pdu, sizeof pdu),
                 NULL);
}

int ldc_upper_abort(ldc_upper *upper, uint8_t source, uint8_t reason)
{
    uint8_t pdu[LDC_PDU_SMALL];
    ldc_pdu_encode_abort(pdu, source, reason);
    return local(upper, LDC_EVT15, "SendAbort", ldc_out_pdu(PDU_ABORT, pdu, sizeof pdu), NULL);
}

/* ---- strand ---- */

void ldc_upper_start(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    if (!upper->requestor && upper->state == LDC_STA2) { /* AE-5 */
        upper->timer = LDC_TIMER_ARTIM;
        upper->timer_serial++;
    }
    pthread_mutex_unlock(&upper->lock);
}

void ldc_upper_set_limits(ldc_upper *upper, const ldc_upper_limits *limits)
{
    pthread_mutex_lock(&upper->lock);
    upper->limits = *limits;
    pthread_cond_broadcast(&upper->drained);
    pthread_mutex_unlock(&upper->lock);
}

void ldc_upper_expired(ldc_upper *upper)
{
    ldc_fsm_step step;
    pthread_mutex_lock(&upper->lock);
    ldc_upper_timer timer = upper->timer;
    uint64_t activity = upper->refills + upper->answers;
    bool goes_on = timer == LDC_TIMER_ASSOCIATION && upper->state == LDC_STA7 &&
                   upper->first != NULL && activity != upper->timed_at;
    upper->timer = goes_on ? timer : LDC_TIMER_NONE;
    upper->timer_serial++;
    upper->timed_at = activity;
    if (goes_on) {
        /* Our release request is still behind what was queued before it, and that moves. */
    } else if (timer == LDC_TIMER_ASSOCIATION) {
        ldc_upper_break(
            upper, PDU_ABORT_REASON_UNKNOWN, DICOM_ERROR_ASSOCIATION_TIMEOUT, NULL,
            upper->requestor
                ? "The peer did not answer in time: look into its log."
                : "The program did not answer in time: SendAssociateAccept or SendAssociateReject.");
        if (!upper->requestor && upper->failure.code == DICOM_ERROR_ASSOCIATION_TIMEOUT) {
            upper->failure.side = DICOM_SIDE_LOCAL; /* it is ours that did not answer */
        }
    } else if (timer == LDC_TIMER_ARTIM) {
        bool waited_for_request = upper->state == LDC_STA2;
        (void)ldc_upper_step(upper, LDC_EVT18, 0, &step);
        if (waited_for_request) {
            ldc_failure failure;
            ldc_failure_init(&failure);
            ldc_failure_fill(
                &failure, DICOM_ERROR_ASSOCIATION_TIMEOUT, DICOM_STAGE_ASSOCIATION, DICOM_SIDE_PEER,
                NULL,
                "The peer opened the connection and requested no association: a health check, or not DICOM.");
            (void)ldc_failure_set(&upper->failure, &failure);
        }
        ldc_upper_wish_close(
            upper, waited_for_request ? DICOM_ERROR_ASSOCIATION_TIMEOUT : DICOM_SUCCESS, false);
    }
    pthread_mutex_unlock(&upper->lock);
}

bool ldc_upper_performs(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    bool performs = upper->performed.count > 0;
    pthread_mutex_unlock(&upper->lock);
    return performs;
}

void ldc_upper_idle(ldc_upper *upper)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    pthread_mutex_lock(&upper->lock);
    if (ldc_upper_stands(upper)) {
        ldc_upper_break(upper, PDU_ABORT_REASON_UNKNOWN, DICOM_ERROR_NET_TIMEOUT, IDLE_TEXT,
                        IDLE_REMEDY);
    } else {
        ldc_failure_fill(&failure, DICOM_ERROR_NET_TIMEOUT, DICOM_STAGE_ASSOCIATION,
                         DICOM_SIDE_PEER, IDLE_TEXT, IDLE_REMEDY);
        (void)ldc_failure_set(&upper->failure, &failure);
        ldc_upper_wish_close(upper, DICOM_ERROR_NET_TIMEOUT, false);
    }
    pthread_mutex_unlock(&upper->lock);
}

int ldc_upper_closed(ldc_upper *upper, ldc_failure *failure)
{
    ldc_fsm_step step;
    pthread_mutex_lock(&upper->lock);
    ldc_fsm_state before = upper->state;
    bool inside = ldc_pdv_inside(&upper->parser);
    (void)ldc_upper_step(upper, LDC_EVT17, 0, &step);
    int code = upper->close_wished ? upper->close_code : DICOM_SUCCESS;
    bool proper =
        (before == LDC_STA1 || before == LDC_STA2 || before == LDC_STA4 || before == LDC_STA13) &&
        !inside;
    if (!proper && code == DICOM_SUCCESS) {
        code = DICOM_ERROR_NET_CONNECTION_ABORTED;
        bool unanswered = before == LDC_STA5;
        ldc_failure_fill(
            failure, code,
            unanswered || before == LDC_STA3 ? DICOM_STAGE_ASSOCIATION : DICOM_STAGE_CLOSE,
            DICOM_SIDE_PEER,
            unanswered
                ? "The peer closed the connection instead of answering the association request"
                : "The peer closed the connection without releasing the association",
            unanswered
                ? "It may expect TLS on this port, if this link has none, or be no DICOM node; its log "
                  "says more."
                : "The peer closed the connection without releasing the association: look into its log.");
    } else {
        (void)ldc_failure_copy(failure, &upper->failure);
    }
    pthread_mutex_unlock(&upper->lock);
    return code;
}

ldc_upper_timer ldc_upper_timer_of(ldc_upper *upper, unsigned *serial, uint64_t *ms)
{
    pthread_mutex_lock(&upper->lock);
    ldc_upper_timer timer = upper->timer;
    *serial = upper->timer_serial;
    *ms = timer == LDC_TIMER_ARTIM ? upper->limits.artim_ms : upper->limits.association_ms;
    pthread_mutex_unlock(&upper->lock);
    return timer;
}

bool ldc_upper_ending(ldc_upper *upper, bool flushed, int *code, ldc_failure *failure)
{
    pthread_mutex_lock(&upper->lock);
    bool ending = upper->close_wished && (flushed || !upper->farewell);
    if (ending) {
        *code = upper->close_code;
        (void)ldc_failure_copy(failure, &upper->failure);
    }
    pthread_mutex_unlock(&upper->lock);
    return ending;
}

bool ldc_upper_broken(const ldc_upper *upper)
{
    return upper->broken; /* set by the strand only */
}

bool ldc_upper_over(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    bool over = upper->state == LDC_STA13 || upper->state == LDC_STA1;
    pthread_mutex_unlock(&upper->lock);
    return over;
}

bool ldc_upper_inside(const ldc_upper *upper)
{
    return ldc_pdv_inside(&upper->parser);
}

void ldc_upper_end(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    upper->ended = true;
    ldc_upper_drop_queue(upper); /* the connection lingers; data sets and files need not */
    pthread_cond_broadcast(&upper->drained);
    pthread_mutex_unlock(&upper->lock);
}
