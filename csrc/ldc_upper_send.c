/* ldc_upper_send.c - messages and PDUs on their way out: the queue, senders that wait for room,
 * requests that wait for answers, laying out and writing. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ldc_error.h"
#include "ldc_upper_inner.h"
#include "ldc_wait.h"

enum {
    FLUSHED_AT_ONCE = 4 * 1024 * 1024
};

/* ---- the queue; the lock is held ---- */

bool ldc_upper_queue(ldc_upper *upper, ldc_out *out)
{
    if (out == NULL) {
        return false;
    }
    if (upper->last == NULL) {
        upper->first = out;
    } else {
        upper->last->next = out;
    }
    upper->last = out;
    upper->queued += out->cost;
    return true;
}

void ldc_upper_drop_queue(ldc_upper *upper)
{
    while (upper->first != NULL) {
        ldc_out *out = upper->first;
        upper->first = out->next;
        ldc_out_free(out);
    }
    upper->last = NULL;
    upper->queued = 0;
}

/* Drops the requests that have not begun. */
void ldc_upper_drop_operations(ldc_upper *upper)
{
    ldc_out **link = &upper->first;
    upper->last = NULL;
    while (*link != NULL) {
        ldc_out *out = *link;
        if (out->operation && !out->begun) {
            *link = out->next;
            upper->queued -= out->cost;
            ldc_out_free(out);
        } else {
            upper->last = out;
            link = &out->next;
        }
    }
}

/* ---- sending: any thread ---- */

static struct timespec in_ms(uint64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* Whether a sender has to wait: the message in hand, whatever its size, does not count.
 */
static bool is_full(const ldc_upper *upper)
{
    uint64_t in_hand = upper->first == NULL ? 0 : upper->first->cost;
    return upper->queued - in_hand > upper->limits.queue;
}

static bool earlier(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec != other->tv_sec ? one->tv_sec < other->tv_sec
                                        : one->tv_nsec < other->tv_nsec;
}

/* Whether the program ends the wait; the lock is held, but not while it is asked. */
static bool is_over(ldc_upper *upper)
{
    pthread_mutex_unlock(&upper->lock);
    bool over = ldc_wait_ends();
    pthread_mutex_lock(&upper->lock);
    return over;
}

/* Waits until the queue has room; the lock is held. The time begins anew while the peer takes what
 * we send, at least one stage of it: large objects on a slow line are no failure. */
static int wait_for_room(ldc_upper *upper)
{
    uint64_t refills = upper->refills;
    struct timespec end = in_ms(upper->limits.send_ms);
    bool watched = ldc_wait_watched();
    while (is_full(upper) && ldc_upper_stands(upper)) {
        struct timespec slice = watched ? in_ms(LDC_WAIT_SLICE_MS) : end;
        bool last = !earlier(&slice, &end);
        if (pthread_cond_timedwait(&upper->drained, &upper->lock, last ? &end : &slice) !=
            ETIMEDOUT) {
            continue;
        }
        if (watched && is_over(upper)) {
            return ldc_error(DICOM_ERROR_CANCELED, "%s", "waiting for room in the queue");
        }
        if (!last) {
            continue;
        }
        if (refills == upper->refills && is_full(upper) && ldc_upper_stands(upper)) {
            return ldc_error(DICOM_ERROR_NET_QUEUE_FULL,
                             "%llu bytes wait to be sent and the peer does not take them",
                             (unsigned long long)upper->queued);
        }
        refills = upper->refills;
        end = in_ms(upper->limits.send_ms);
    }
    return DICOM_SUCCESS;
}

bool ldc_upper_perform(ldc_upper *upper, const ldc_command *request)
{
    pthread_mutex_lock(&upper->lock);
    bool may = !ldc_window_full(&upper->performed);
    if (may) {
        ldc_window_begin(&upper->performed, request);
    }
    pthread_mutex_unlock(&upper->lock);
    return may;
}

int ldc_upper_send(ldc_upper *upper, uint8_t context, const ldc_command *command, ldc_dataset *data,
                   ldc_sender sender)
{
    ldc_command_fault fault;
    ldc_fsm_step step;
    size_t length = 0;
    uint8_t *bytes = ldc_command_encode(command, &length, &fault);
    if (bytes == NULL) {
        return ldc_error(fault.code, "%s", fault.text);
    }
    pthread_mutex_lock(&upper->lock);
    int rc = sender == LDC_SENDER_USER ? wait_for_room(upper) : DICOM_SUCCESS;
    if (sender == LDC_SENDER_LIBRARY && is_full(upper) && ldc_upper_stands(upper)) {
        /* Nobody can be made to wait; a peer that only asks must not fill our memory. */
        ldc_upper_break(upper, PDU_ABORT_REASON_UNKNOWN, DICOM_ERROR_NET_QUEUE_FULL,
                        "The peer sends requests and does not take the answers",
                        "Look why the peer does not read.");
    }
    ldc_fsm_state before = upper->state;
    bool stands = ldc_upper_stands(upper);
    bool agreed = ldc_upper_agreed(upper, context) != NULL;
    bool go = rc == DICOM_SUCCESS && !upper->ended && agreed &&
              ldc_upper_step(upper, LDC_EVT9, 0, &step) == LDC_FSM_GO;
    bool queued = false;
    if (go) {
        ldc_out *out = ldc_out_message(context, bytes, length, data, upper->peer_maximum);
        queued = ldc_upper_queue(upper, out);
        if (queued) {
            out->field = command->field;
            out->id = ldc_command_id(command);
            out->operation = ldc_window_counts(command);
        }
        if (queued && sender != LDC_SENDER_LIBRARY) {
            (void)ldc_window_end(&upper->performed, command);
        }
    }
    pthread_mutex_unlock(&upper->lock);
    if (queued) {
        if (sender != LDC_SENDER_STRAND) {
            upper->wake(upper->owner);
        }
        return DICOM_SUCCESS;
    }
    free(bytes);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (go) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "the peer's maximum PDU length leaves no room for data");
    }
    if (!agreed && stands) {
        return ldc_error(DICOM_ERROR_PRESENTATION_CONTEXT_INVALID,
                         "context %u was not accepted. Use one whose GetResult is "
                         "Success.",
                         context);
    }
    return ldc_upper_refused(before, "sending a message");
}

/* ---- writing: the strand ---- */

static void note_sent(void *arg, uint8_t type, uint32_t length)
{
    ldc_upper *upper = arg;
    ldc_news *news = ldc_news_new(LDC_NEWS_SENT);
    if (news != NULL) {
        news->type = type;
        news->length = length;
        upper->news(upper->owner, news, 0);
    }
}

bool ldc_upper_empty(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    bool empty = upper->first == NULL;
    pthread_mutex_unlock(&upper->lock);
    return empty;
}

static bool waits_for_answers(const ldc_upper *upper, const ldc_out *out)
{
    return out->operation && !out->begun && ldc_window_full(&upper->invoked);
}

/* A C-CANCEL stays behind the request it is about. */
static bool is_about_one_before(const ldc_upper *upper, const ldc_out *cancel)
{
    const ldc_out *out = upper->first;
    while (out != cancel && !(out->operation && out->id == cancel->id)) {
        out = out->next;
    }
    return out != cancel;
}

/* What is laid out next, put in front of all others; NULL: nothing, or requests that have to wait.
 * Responses and C-CANCEL overtake those; a release does not. */
static ldc_out *next_out(ldc_upper *upper)
{
    ldc_out *before = NULL, *out = upper->first;
    while (out != NULL && waits_for_answers(upper, out)) {
        for (before = out, out = out->next;
             out != NULL && out->message && !out->operation && out->field == COMMAND_C_CANCEL &&
             is_about_one_before(upper, out);
             before = out, out = out->next) {
        }
    }
    if (out == NULL || (before != NULL && !out->message)) {
        return NULL;
    }
    if (before != NULL) {
        before->next = out->next;
        upper->last = upper->last == out ? before : upper->last;
        out->next = upper->first;
        upper->first = out;
    }
    return out;
}

static void begin_operation(ldc_upper *upper, ldc_out *out)
{
    if (out->operation && !out->begun) {
        ldc_command request = {.field = out->field, .message_id = out->id};
        ldc_window_begin(&upper->invoked, &request);
    }
    out->begun = true;
}

/* Lays out what is queued; the lock is held. */
static int lay_out(ldc_upper *upper, bool tell_sent)
{
    int rc = DICOM_SUCCESS;
    bool done = true;
    ldc_out *out;
    while (rc == DICOM_SUCCESS && done && (out = next_out(upper)) != NULL) {
        begin_operation(upper, out);
        rc = ldc_stage_fill(&upper->stage, out, &done, tell_sent ? note_sent : NULL, upper);
        if (rc == DICOM_SUCCESS && done) {
            upper->first = out->next;
            upper->last = upper->first == NULL ? NULL : upper->last;
            upper->queued -= out->cost;
            ldc_out_free(out);
            pthread_cond_broadcast(&upper->drained);
        }
    }
    upper->refills += upper->stage.left > 0 ? 1u : 0u;
    return rc;
}

ldc_io ldc_upper_flush(ldc_upper *upper, ldc_transport *transport, bool tell_sent, bool *more,
                       uint64_t *sent)
{
    ldc_stage *stage = &upper->stage;
    *sent = 0;
    *more = false;
    for (;;) {
        if (*sent > FLUSHED_AT_ONCE) {
            *more = true;
            return LDC_IO_DONE;
        }
        if (stage->left == 0 && !transport->pending) {
            pthread_mutex_lock(&upper->lock);
            int rc = lay_out(upper, tell_sent);
            if (rc != DICOM_SUCCESS && stage->left == 0) {
                ldc_upper_break(upper, PDU_ABORT_REASON_UNKNOWN, rc,
                                "A data set that was being sent cannot be read any more",
                                "Do not change files while they are sent.");
                (void)lay_out(upper, false);
            }
            pthread_mutex_unlock(&upper->lock);
            if (stage->left == 0) {
                ldc_stage_rest(stage);
                return LDC_IO_DONE;
            }
        }
        size_t put = 0;
        struct iovec pieces[LDC_STAGE_PIECES];
        size_t count = ldc_stage_pieces(stage, pieces);
        ldc_io result = transport->ops->write(transport, pieces, count, &put);
        ldc_stage_wrote(stage, put);
        *sent += put;
        if (result != LDC_IO_DONE) {
            return result;
        }
    }
}
