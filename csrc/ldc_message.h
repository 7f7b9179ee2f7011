/*
 * ldc_message.h - DIMSE messages and their fragments: putting together what PDVs bring, and cutting
 * up what goes out (PS3.7 §6.3.1, PS3.8 §9.3.5 and Annex E).
 *
 * The one rule: a data set is never held here. Its fragments go through, from the buffer they were
 * received in to a sink, and are sent from where they lie. Only the command set is kept, up to
 * LDC_COMMAND_LIMIT.
 *
 * Pure: no I/O, no locks. An assembler or fragmenter belongs to one association, used by one thread
 * at a time.
 */
#ifndef LDC_MESSAGE_H
#define LDC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_command.h"

/* The message control header, PS3.8 §E.2. Bits 2 to 7 are 0 when sent, and not looked at. */
enum {
    LDC_FRAGMENT_COMMAND = 0x01, /* else: data set */
    LDC_FRAGMENT_LAST = 0x02
};

/* ---- assembling ---- */

/* Takes a fragment of the data set, in order; `bytes` are lent for the call. `last` comes exactly
 * once and with the last fragment, which may be empty. Another answer than 0 takes the sink away:
 * the rest of the data set is discarded, the message goes on to its end (so that it can be answered
 * with a status), and `sink_answer` keeps the number. */
typedef int (*ldc_message_sink)(void *arg, const uint8_t *bytes, size_t length, bool last);

typedef enum ldc_message_result {
    LDC_MESSAGE_MORE,     /* taken; the message goes on */
    LDC_MESSAGE_COMMAND,  /* the command set is complete, a data set follows: now set the sink */
    LDC_MESSAGE_COMPLETE, /* the message is complete. Without a data set this comes in place of
                             LDC_MESSAGE_COMMAND */
    LDC_MESSAGE_FAILED    /* abort the association: `fault` and `abort_reason` */
} ldc_message_result;

typedef struct ldc_message {
    /* The message at hand: from LDC_MESSAGE_COMMAND or _COMPLETE to the feed that begins the next
     */
    uint8_t context;
    ldc_command command;
    uint8_t *command_bytes; /* own, from malloc: the command set as received */
    size_t command_length;
    uint64_t data_length; /* bytes of the data set so far, discarded ones too */
    int sink_answer;      /* 0: the sink took everything, or there was none */

    /* After LDC_MESSAGE_FAILED */
    ldc_command_fault fault;
    int abort_reason; /* PDU_ABORT_REASON_..., the source is PDU_ABORT_SOURCE_PROVIDER */

    /* Inner */
    int stage;
    size_t capacity;       /* of command_bytes */
    ldc_message_sink sink; /* NULL: discard */
    void *sink_arg;
} ldc_message;

void ldc_message_init(ldc_message *message);
void ldc_message_free(ldc_message *message);

/* Takes a fragment of a PDV whose context id is one of an accepted context (the caller looks). May
 * be called with a PDV in pieces, as they come from the socket: LDC_FRAGMENT_LAST then goes with
 * the last piece only, which may be empty. `bytes` may be NULL when `length` is 0. The first feed
 * after LDC_MESSAGE_COMPLETE begins the next message, and frees the one before unless it was taken.
 * After LDC_MESSAGE_FAILED all feeds fail.
 *
 * Refused with reason 5 (unexpected parameter): a data set fragment before or without its command,
 * a command fragment inside a data set, another context within a message. With reason 6 (invalid
 * value): a command set that is too long, malformed, or without (0000,0100) or (0000,0800). What
 * else a message lacks does not end the association: ldc_command_check(). */
ldc_message_result ldc_message_feed(ldc_message *message, uint8_t context, uint8_t control,
                                    const uint8_t *bytes, size_t length);

/* Where the data set goes. To be called after LDC_MESSAGE_COMMAND, before the next feed; otherwise
 * it is discarded. `arg` is the caller's and has to outlive the message. */
void ldc_message_set_sink(ldc_message *message, ldc_message_sink sink, void *arg);

/* Gives the command away, and the bytes of the command set if `bytes` is not NULL: the caller frees
 * both (ldc_command_free, free). Only after LDC_MESSAGE_COMMAND or _COMPLETE, once. */
void ldc_message_take(ldc_message *message, ldc_command *command, uint8_t **bytes, size_t *length);

/* Whether a message has begun and is not complete: an association that ends now cut it off. */
bool ldc_message_is_open(const ldc_message *message);

/* ---- cutting up ---- */

enum {
    LDC_FRAGMENT_PDU_HEADER = 6,         /* type, reserved, length */
    LDC_FRAGMENT_PDV_HEADER = 6,         /* length, context, control */
    LDC_FRAGMENT_UNLIMITED = 128 * 1024, /* taken when the peer announces no maximum */
    LDC_FRAGMENT_MOST = 1024 * 1024,     /* taken when it announces more: a PDU that has begun has
                                            to be sent to its end before an abort can go out */
    LDC_FRAGMENT_LEAST = LDC_FRAGMENT_PDV_HEADER + 2 /* a smaller maximum leaves no room for data */
};

typedef struct ldc_fragmenter {
    uint8_t context;
    bool data; /* a data set follows the command set */
    uint64_t command_length, data_length;
    uint64_t command_at, data_at; /* cut so far */
    uint32_t maximum;             /* of a PDU's length field */
    bool done;
} ldc_fragmenter;

/* One PDV: write `header`, then `length` bytes from `offset` of the command set or data set. */
typedef struct ldc_fragment {
    uint8_t header[LDC_FRAGMENT_PDU_HEADER + LDC_FRAGMENT_PDV_HEADER];
    size_t header_length; /* 12 with the header of the PDU it opens, else 6 */
    bool command;         /* else: of the data set */
    bool last;            /* of its part */
    uint64_t offset;
    uint32_t length;
} ldc_fragment;

/* Begins a message. `maximum`: as the peer announced it, PS3.8 §D.1; 0: none. `data`: there is a
 * data set, of `data_length` bytes, 0 too. false: the maximum is below LDC_FRAGMENT_LEAST, or the
 * command set is empty; nothing can be sent. */
bool ldc_fragmenter_init(ldc_fragmenter *fragmenter, uint8_t context, size_t command_length,
                         bool data, uint64_t data_length, uint32_t maximum);

/* The PDVs of the next P-DATA-TF PDU: 2 where the end of the command set leaves room for the
 * beginning of the data set, else 1; 0: all is cut. As many PDUs as wanted may go out in one write.
 * Fragments have an even length, but for the end of a data set of odd length. */
size_t ldc_fragmenter_next(ldc_fragmenter *fragmenter, ldc_fragment fragments[2]);

#endif
