/* ldc_upper_receive.c - what comes in: PDUs, association items, DIMSE messages. Bytes from the
 * network are hostile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_upper_inner.h"

enum {
    NEWS_COST = 512,
    HELD_MOST = 64,
    CHUNK_BYTES = 256 * 1024
};

static const char *const ADVICE =
    "The peer does not keep to the protocol (PS3.8, PS3.7): look into its log, or trace the connection.";

/* ---- small things ---- */

static bool append(uint8_t **bytes, size_t *length, size_t *capacity, const uint8_t *more,
                   size_t size, size_t limit)
{
    if (size > limit - *length) {
        size = limit - *length;
    }
    if (*length + size > *capacity) {
        size_t wanted = *capacity == 0 ? 256 : *capacity;
        while (wanted < *length + size) {
            wanted *= 2;
        }
        uint8_t *grown = realloc(*bytes, wanted);
        if (grown == NULL) {
            return false;
        }
        *bytes = grown;
        *capacity = wanted;
    }
    if (size > 0) {
        memcpy(*bytes + *length, more, size);
    }
    *length += size;
    return true;
}

static void tell(ldc_upper *upper, ldc_news *news, uint64_t cost)
{
    if (news != NULL) {
        upper->news(upper->owner, news, cost);
    } else {
        ldc_log(DICOM_LOG_ERROR, upper->handle, "out of memory: something received is not told");
    }
}

/* ---- a PDU is shown before the messages in it ---- */

void ldc_upper_release_held(ldc_upper *upper)
{
    while (upper->held_first != NULL) {
        ldc_news *news = upper->held_first;
        upper->held_first = news->next;
        news->next = NULL;
        tell(upper, news, news->cost);
    }
    upper->held_last = NULL;
    upper->held_count = 0;
}

/* A message is complete; the PDU that it ends in may not be. */
static void tell_message(ldc_upper *upper, ldc_news *news, uint64_t cost)
{
    if (news == NULL || upper->capture_length == 0 || upper->held_count == HELD_MOST) {
        ldc_upper_release_held(upper);
        tell(upper, news, cost);
        return;
    }
    news->cost = cost;
    if (upper->held_last == NULL) {
        upper->held_first = news;
    } else {
        upper->held_last->next = news;
    }
    upper->held_last = news;
    upper->held_count++;
}

static void break_off(ldc_upper *upper, uint8_t reason, int code, const char *text)
{
    char *message = ldc_format("%s", text);
    pthread_mutex_lock(&upper->lock);
    ldc_upper_break(upper, reason, code, message, ADVICE);
    pthread_mutex_unlock(&upper->lock);
    free(message);
}

static void break_unexpected(ldc_upper *upper, ldc_fsm_state state, uint8_t type)
{
    char text[200];
    snprintf(text, sizeof text, "A PDU is not allowed in this state: %s in %s (%s)",
             ldc_pdu_name(type), ldc_fsm_state_name(state), ldc_fsm_state_text(state));
    break_off(upper, PDU_ABORT_REASON_UNEXPECTED, DICOM_ERROR_PDU_UNEXPECTED, text);
}

/* ---- PDUs other than P-DATA-TF ---- */

typedef void (*with_step)(ldc_upper *upper, void *arg);

/* Takes the event's step; `also`, if there is one, in the same moment. false: it had no place here
 * and the association is broken off. */
static bool step_or_break(ldc_upper *upper, ldc_fsm_event event, unsigned facts, uint8_t type,
                          ldc_fsm_step *step, with_step also, void *arg)
{
    pthread_mutex_lock(&upper->lock);
    ldc_fsm_state before = upper->state;
    ldc_fsm_answer answer = ldc_upper_step(upper, event, facts, step);
    bool error = answer == LDC_FSM_GO && (step->action == LDC_AA_1 || step->action == LDC_AA_8);
    /* Once: a peer that goes on and does not read must not fill our memory until ARTIM. */
    if (answer == LDC_FSM_GO && step->action == LDC_AA_7 && !upper->aborted_again) {
        upper->aborted_again = true;
        uint8_t pdu[LDC_PDU_SMALL];
        ldc_pdu_encode_abort(pdu, PDU_ABORT_SOURCE_PROVIDER, PDU_ABORT_REASON_UNEXPECTED);
        (void)ldc_upper_queue(upper, ldc_out_pdu(PDU_ABORT, pdu, sizeof pdu));
    }
    /* AA-6, AA-7: what comes after the end is not looked at. */
    bool good =
        answer == LDC_FSM_GO && !error && step->action != LDC_AA_6 && step->action != LDC_AA_7;
    if (good && also != NULL) {
        also(upper, arg);
    }
    pthread_mutex_unlock(&upper->lock);
    if (error) {
        break_unexpected(upper, before, type);
    }
    return good;
}

/* The peer has ended the association: nothing is left to be sent. */
static void wish_close(ldc_upper *upper, int code)
{
    pthread_mutex_lock(&upper->lock);
    ldc_upper_wish_close(upper, code, false);
    pthread_mutex_unlock(&upper->lock);
}

/* The user may answer from the very moment of the step: the request has to be there then. */
static void keep_request(ldc_upper *upper, void *arg)
{
    ldc_associate_free(upper->request);
    upper->request = arg;
}

static void keep_accept(ldc_upper *upper, void *arg)
{
    ldc_associate_free(upper->accept);
    upper->accept = arg;
    ldc_upper_agree(upper);
}

static void received_request(ldc_upper *upper)
{
    ldc_pdu_fault fault;
    ldc_fsm_step step;
    ldc_associate *request = NULL;
    if (!ldc_pdu_decode_associate(upper->body, upper->body_length, 0, NULL, &request, &fault)) {
        break_off(upper, fault.reason, fault.code, fault.text);
        return;
    }
    bool version = (request->version & 1u) != 0; /* PS3.8 9.3.2: bit 0 is version 1 */
    ldc_news *news = ldc_news_new(LDC_NEWS_ASSOCIATE_REQUEST);
    if (news != NULL && (news->associate = ldc_associate_clone(request)) == NULL) {
        ldc_news_free(news);
        news = NULL;
    }
    if (!step_or_break(upper, LDC_EVT6, version ? (unsigned)LDC_FSM_ACCEPTABLE : 0u,
                       PDU_ASSOCIATE_REQUEST, &step, version ? keep_request : NULL, request)) {
        ldc_news_free(news);
        ldc_associate_free(request);
        return;
    }
    if (!version) { /* AE-6, the other way */
        uint8_t pdu[LDC_PDU_SMALL];
        ldc_pdu_encode_reject(pdu, PDU_REJECT_RESULT_PERMANENT, PDU_REJECT_SOURCE_PROVIDER1,
                              PDU_REJECT_REASON_VERSION);
        pthread_mutex_lock(&upper->lock);
        ldc_upper_note_reject(upper, PDU_REJECT_RESULT_PERMANENT, PDU_REJECT_SOURCE_PROVIDER1,
                              PDU_REJECT_REASON_VERSION, true);
        (void)ldc_upper_queue(upper, ldc_out_pdu(PDU_ASSOCIATE_REJECT, pdu, sizeof pdu));
        pthread_mutex_unlock(&upper->lock);
        ldc_news_free(news);
        ldc_associate_free(request);
        return;
    }
    tell(upper, news, NEWS_COST);
}

static void received_accept(ldc_upper *upper)
{
    ldc_pdu_fault fault;
    ldc_fsm_step step;
    ldc_associate *accept = NULL;
    /* Only in Sta5 it is looked at: an acceptor's request is the peer's own, and elsewhere it may
     * be set by others right now. Once it is sent it does not change any more. */
    pthread_mutex_lock(&upper->lock);
    ldc_associate *request = upper->state == LDC_STA5 ? upper->request : NULL;
    pthread_mutex_unlock(&upper->lock);
    if (request != NULL &&
        !ldc_pdu_decode_associate(upper->body, upper->body_length, 0, request, &accept, &fault)) {
        break_off(upper, fault.reason, fault.code, fault.text);
        return;
    }
    if (request == NULL) {
        (void)step_or_break(upper, LDC_EVT3, 0, PDU_ASSOCIATE_ACCEPT, &step, NULL, NULL);
        return;
    }
    ldc_news *news = ldc_news_new(LDC_NEWS_ASSOCIATE_ACCEPT);
    if (news != NULL && (news->associate = ldc_associate_clone(accept)) == NULL) {
        ldc_news_free(news);
        news = NULL;
    }
    if (!step_or_break(upper, LDC_EVT3, 0, PDU_ASSOCIATE_ACCEPT, &step, keep_accept, accept)) {
        ldc_news_free(news);
        ldc_associate_free(accept);
        return;
    }
    tell(upper, news, NEWS_COST);
}

/* The answer to a colliding release, which user code gave before its time. */
static void send_held_response(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    bool held = upper->response_held;
    upper->response_held = false;
    pthread_mutex_unlock(&upper->lock);
    if (held) {
        (void)ldc_upper_release(upper, false);
    }
}

static void received_small(ldc_upper *upper, uint8_t type)
{
    ldc_pdu_fault fault;
    ldc_pdu_small small;
    ldc_fsm_step step;
    if (!ldc_pdu_decode_small(upper->body, upper->body_length, &small, &fault)) {
        break_off(upper, fault.reason, fault.code, fault.text);
        return;
    }
    ldc_fsm_event event = type == PDU_ASSOCIATE_REJECT   ? LDC_EVT4
                          : type == PDU_RELEASE_REQUEST  ? LDC_EVT12
                          : type == PDU_RELEASE_RESPONSE ? LDC_EVT13
                                                         : LDC_EVT16;
    if (!step_or_break(upper, event, 0, type, &step, NULL, NULL)) {
        return;
    }
    ldc_news_kind kind = type == PDU_ASSOCIATE_REJECT   ? LDC_NEWS_ASSOCIATE_REJECT
                         : type == PDU_RELEASE_REQUEST  ? LDC_NEWS_RELEASE_REQUEST
                         : type == PDU_RELEASE_RESPONSE ? LDC_NEWS_RELEASE_RESPONSE
                                                        : LDC_NEWS_ABORT;
    pthread_mutex_lock(&upper->lock);
    if (type == PDU_ASSOCIATE_REJECT) {
        ldc_upper_note_reject(upper, small.result, small.source, small.reason, false);
    } else if (type == PDU_ABORT) {
        ldc_upper_note_abort(upper, small.source, small.reason);
    }
    pthread_mutex_unlock(&upper->lock);
    if ((step.effects & LDC_FSM_INDICATE) != 0) {
        ldc_news *news = ldc_news_new(kind);
        if (news != NULL) {
            news->result = small.result;
            news->source = small.source;
            news->reason = small.reason;
        }
        tell(upper, news, NEWS_COST);
    }
    if (step.action == LDC_AR_10) {
        send_held_response(upper);
    }
    if ((step.effects & LDC_FSM_CLOSE) != 0) {
        wish_close(upper, type == PDU_ABORT ? DICOM_ERROR_NET_CONNECTION_ABORTED : DICOM_SUCCESS);
    }
}

/* ---- messages ---- */

static int take_data(void *arg, const uint8_t *bytes, size_t length, bool last)
{
    ldc_upper *upper = arg;
    (void)last;
    int rc = length == 0
                 ? DICOM_SUCCESS
                 : ldc_dataset_append(upper->incoming, bytes, length,
                                      upper->sink == DICOM_SINK_FILE ? 0 : upper->limits.memory,
                                      upper->limits.total);
    if (rc != DICOM_SUCCESS) { /* the rest is discarded: what is there makes room at once */
        ldc_dataset_put(upper->incoming);
        upper->incoming = NULL;
    }
    return rc;
}

/* DICOM_SINK_CHUNKS: what has come together is told. */
static void tell_chunk(ldc_upper *upper, bool last)
{
    uint64_t cost = NEWS_COST + upper->chunk_length;
    ldc_news *news = ldc_news_new(LDC_NEWS_CHUNK);
    if (news != NULL) {
        news->raw = upper->chunk;
        news->raw_length = upper->chunk_length;
        news->context = upper->message.context;
        news->id = upper->message.command.message_id;
        news->chunk = (upper->chunk_told ? 0u : (uint32_t)DICOM_CHUNK_FIRST) |
                      (last ? (uint32_t)DICOM_CHUNK_LAST : 0u);
        upper->chunk = NULL;
    }
    upper->chunk_length = 0;
    upper->chunk_told = true;
    tell_message(upper, news, cost);
}

static int take_chunk(void *arg, const uint8_t *bytes, size_t length, bool last)
{
    ldc_upper *upper = arg;
    while (length > 0) {
        if (upper->chunk_length == CHUNK_BYTES) {
            tell_chunk(upper, false);
        }
        if (upper->chunk == NULL && (upper->chunk = malloc(CHUNK_BYTES)) == NULL) {
            return ldc_error(DICOM_ERROR_MEMORY, "%s", "a piece of a data set");
        }
        size_t size = CHUNK_BYTES - upper->chunk_length;
        size = size < length ? size : length;
        memcpy(upper->chunk + upper->chunk_length, bytes, size);
        upper->chunk_length += size;
        bytes += size;
        length -= size;
    }
    if (last) {
        tell_chunk(upper, true);
    }
    return DICOM_SUCCESS;
}

static void begin_data(ldc_upper *upper)
{
    char syntax[LDC_UID_SIZE];
    ldc_dataset_put(upper->incoming);
    upper->incoming = NULL;
    upper->chunk_length = 0;
    upper->chunk_told = false;
    pthread_mutex_lock(&upper->lock);
    upper->sink =
        upper->message.command.field == COMMAND_C_STORE ? upper->limits.sink : DICOM_SINK_MEMORY;
    pthread_mutex_unlock(&upper->lock);
    if (upper->sink == DICOM_SINK_DISCARD) {
        return;
    }
    if (upper->sink == DICOM_SINK_CHUNKS) {
        ldc_message_set_sink(&upper->message, take_chunk, upper);
        return;
    }
    upper->incoming = ldc_dataset_new(upper->folder);
    if (upper->incoming == NULL) {
        return; /* no sink: the data is discarded, and the message is answered for want of resources
                 */
    }
    ldc_dataset_share(upper->incoming, upper->quota);
    if (ldc_upper_syntax(upper, upper->message.context, syntax)) {
        ldc_dataset_set_syntax(upper->incoming, syntax);
    }
    ldc_message_set_sink(&upper->message, take_data, upper);
}

/* A request whose data set we have no room for: answered by us, the association lives.
 */
static bool refuse_for_want_of_room(ldc_upper *upper, uint8_t context, const ldc_command *request)
{
    ldc_command response;
    ldc_command_fault fault;
    int rc = ldc_command_refusal(&response, request, &fault);
    if (rc == DICOM_SUCCESS) {
        rc = ldc_upper_send(upper, context, &response, NULL, LDC_SENDER_LIBRARY);
        ldc_command_free(&response);
        ldc_log(DICOM_LOG_ERROR, upper->handle, "%s refused: no room for its data set",
                ldc_command_name(request->field));
    }
    return rc == DICOM_SUCCESS;
}

static void message_complete(ldc_upper *upper)
{
    ldc_command_fault fault;
    bool has_data = ldc_command_has_data(&upper->message.command);
    bool kept = upper->sink == DICOM_SINK_MEMORY || upper->sink == DICOM_SINK_FILE;
    bool lost = has_data &&
                ((kept && upper->incoming == NULL) || upper->message.sink_answer != DICOM_SUCCESS);
    if (ldc_command_check(&upper->message.command, &fault) != DICOM_SUCCESS) {
        break_off(upper, PDU_ABORT_REASON_INVALID_PARAM, fault.code, fault.text);
        return;
    }
    if ((upper->message.command.field & COMMAND_RESPONSE) != 0) {
        pthread_mutex_lock(&upper->lock);
        (void)ldc_window_end(&upper->invoked, &upper->message.command);
        upper->answers++;
        pthread_mutex_unlock(&upper->lock);
    }
    if (lost) {
        if (!refuse_for_want_of_room(upper, upper->message.context, &upper->message.command)) {
            break_off(upper, PDU_ABORT_REASON_UNKNOWN, DICOM_ERROR_DATA_SET_TOO_LARGE,
                      "There is no room for a data set");
        }
        ldc_dataset_put(upper->incoming);
        upper->incoming = NULL;
        return;
    }
    ldc_news *news = ldc_news_new(LDC_NEWS_MESSAGE);
    if (news != NULL) {
        news->context = upper->message.context;
        ldc_message_take(&upper->message, &news->command, &news->command_bytes,
                         &news->command_length);
        news->data = has_data ? upper->incoming : NULL;
        upper->incoming = has_data ? NULL : upper->incoming;
    }
    tell_message(upper, news,
                 NEWS_COST +
                     (news == NULL || news->data == NULL ? 0 : ldc_dataset_length(news->data)));
}

static void feed(ldc_upper *upper, const uint8_t *bytes, size_t size, bool last)
{
    if (upper->ignoring) {
        return;
    }
    uint8_t control = (uint8_t)((upper->parser.command ? LDC_FRAGMENT_COMMAND : 0) |
                                (last ? LDC_FRAGMENT_LAST : 0));
    switch (ldc_message_feed(&upper->message, upper->parser.context, control, bytes, size)) {
    case LDC_MESSAGE_MORE:
        break;
    case LDC_MESSAGE_COMMAND:
        begin_data(upper);
        break;
    case LDC_MESSAGE_COMPLETE:
        message_complete(upper);
        break;
    case LDC_MESSAGE_FAILED:
        break_off(upper, (uint8_t)upper->message.abort_reason, upper->message.fault.code,
                  upper->message.fault.text);
        break;
    }
}

/* A P-DATA-TF PDU begins: is it allowed now? */
static void data_begins(ldc_upper *upper)
{
    ldc_fsm_step step;
    upper->ignoring = !step_or_break(upper, LDC_EVT10, 0, PDU_DATA_TRANSFER, &step, NULL, NULL);
}

static void item_begins(ldc_upper *upper)
{
    pthread_mutex_lock(&upper->lock);
    bool agreed = ldc_upper_agreed(upper, upper->parser.context) != NULL;
    pthread_mutex_unlock(&upper->lock);
    if (!upper->ignoring && !agreed) {
        char text[100];
        snprintf(text, sizeof text,
                 "A PDV came for presentation context %u, which was not accepted",
                 upper->parser.context);
        break_off(upper, PDU_ABORT_REASON_INVALID_PARAM, DICOM_ERROR_PDU_INVALID, text);
    }
}

static void pdu_ends(ldc_upper *upper)
{
    uint8_t type = upper->parser.type;
    if (upper->capture_length > 0) {
        uint64_t cost = NEWS_COST + upper->capture_length;
        ldc_news *news = ldc_news_new(LDC_NEWS_PDU);
        if (news != NULL) {
            news->type = type;
            news->raw = upper->capture;
            news->raw_length = upper->capture_length;
            upper->capture = NULL;
            upper->capture_capacity = 0;
        }
        upper->capture_length = 0;
        tell(upper, news, cost);
        ldc_upper_release_held(upper);
    }
    switch (type) {
    case PDU_ASSOCIATE_REQUEST:
        received_request(upper);
        break;
    case PDU_ASSOCIATE_ACCEPT:
        received_accept(upper);
        break;
    case PDU_DATA_TRANSFER:
        break;
    default:
        received_small(upper, type);
        break;
    }
    upper->body_length = 0;
}

static void fault_found(ldc_upper *upper)
{
    const ldc_pdu_fault *fault = &upper->parser.fault;
    if (fault->reason == PDU_ABORT_REASON_UNRECOGNIZED) {
        ldc_news *news = ldc_news_new(LDC_NEWS_UNKNOWN);
        if (news != NULL && (news->raw = malloc(LDC_PDU_HEADER)) != NULL) {
            memcpy(news->raw, upper->parser.header, LDC_PDU_HEADER);
            news->raw_length = LDC_PDU_HEADER;
            news->type = upper->parser.header[0];
        }
        tell(upper, news, NEWS_COST);
    }
    break_off(upper, fault->reason, fault->code, fault->text);
}

static bool put_aside(ldc_upper *upper, const uint8_t *bytes, size_t size)
{
    return append(&upper->body, &upper->body_length, &upper->body_capacity, bytes, size,
                  LDC_PDU_ASSOCIATE_LIMIT + LDC_PDU_HEADER);
}

/* Feeds the parser until the bytes are used up, or nothing more is wanted. */
static void parse(ldc_upper *upper, const uint8_t *bytes, size_t size, bool capture)
{
    ldc_pdv_parser *parser = &upper->parser;
    while (!upper->broken) {
        const uint8_t *before = bytes;
        ldc_pdv_event event = ldc_pdv_next(parser, &bytes, &size);
        bool kept = true;
        if (event == LDC_PDV_PDU && capture) { /* the header, whose bytes may have come earlier */
            upper->capture_length = 0;
            kept = append(&upper->capture, &upper->capture_length, &upper->capture_capacity,
                          parser->header, LDC_PDU_HEADER, SIZE_MAX);
        } else if (capture && upper->capture_length > 0) {
            kept = append(&upper->capture, &upper->capture_length, &upper->capture_capacity, before,
                          (size_t)(bytes - before), SIZE_MAX); /* the parser keeps the limits */
        }
        switch (event) {
        case LDC_PDV_MORE:
            return;
        case LDC_PDV_PDU:
            upper->body_length = 0;
            if (parser->type == PDU_DATA_TRANSFER) {
                data_begins(upper);
            } else {
                kept = kept && put_aside(upper, parser->header, LDC_PDU_HEADER);
            }
            break;
        case LDC_PDV_BODY:
            kept = kept && put_aside(upper, parser->data, parser->size);
            break;
        case LDC_PDV_ITEM:
            item_begins(upper);
            break;
        case LDC_PDV_DATA:
            feed(upper, parser->data, parser->size, parser->last && parser->item_left == 0);
            break;
        case LDC_PDV_ITEM_END:
            if (parser->fragment_length == 0) {
                feed(upper, NULL, 0, parser->last);
            }
            break;
        case LDC_PDV_PDU_END:
            pdu_ends(upper);
            break;
        case LDC_PDV_FAULT:
            fault_found(upper);
            return;
        }
        if (!kept) {
            break_off(upper, PDU_ABORT_REASON_UNKNOWN, DICOM_ERROR_MEMORY,
                      "Not enough memory for a PDU");
        }
    }
}

void ldc_upper_receive(ldc_upper *upper, const uint8_t *bytes, size_t size, bool capture)
{
    pthread_mutex_lock(&upper->lock);
    ldc_pdu_limits limits = upper->parse_limits; /* the accept may have been sent meanwhile */
    pthread_mutex_unlock(&upper->lock);
    ldc_pdv_set_limits(&upper->parser, &limits);
    parse(upper, bytes, size, capture);
    if (upper->broken) {
        ldc_upper_release_held(upper);
    }
}
