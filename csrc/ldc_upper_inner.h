/* ldc_upper_inner.h - what ldc_upper.c, ldc_upper_send.c and ldc_upper_receive.c share, and nobody
 * else. */
#ifndef LDC_UPPER_INNER_H
#define LDC_UPPER_INNER_H

#include "ldc_outgoing.h"
#include "ldc_upper.h"
#include "ldc_window.h"

struct ldc_upper {
    pthread_mutex_t lock;
    pthread_cond_t drained;
    bool requestor;
    char *folder;     /* owned */
    ldc_quota *quota; /* reference */
    uint64_t handle;
    ldc_upper_limits limits;
    ldc_upper_news_fn news;
    ldc_upper_wake_fn wake;
    void *owner; /* lent: the connection, which owns this */
    /* under lock */
    ldc_fsm_state state;
    ldc_upper_timer timer;
    unsigned timer_serial;
    ldc_associate *request, *accept; /* owned */
    uint32_t peer_maximum;
    ldc_pdu_limits parse_limits; /* the strand's parser follows them */
    bool ended;
    ldc_window invoked, performed; /* operations that are open: ours, the peer's */
    ldc_out *first, *last;         /* owned */
    uint64_t queued;
    uint64_t refills;   /* how often the stage was filled: the peer takes what we send */
    uint64_t answers;   /* responses received */
    uint64_t timed_at;  /* refills + answers when the timer began */
    bool response_held; /* SendReleaseResponse in Sta10 */
    bool close_wished;
    bool farewell; /* with it: what is queued, an A-ABORT, goes out first, while ARTIM runs */
    int close_code;
    ldc_failure failure;
    bool broken;        /* a protocol error has been answered: nothing more is read */
    bool aborted_again; /* AA-7 has been answered */
    /* strand */
    ldc_stage stage;
    ldc_pdv_parser parser;
    ldc_message message;
    bool ignoring;         /* the PDU at hand came too late to matter (AA-6) */
    ldc_dataset *incoming; /* reference */
    int sink;              /* of the message at hand */
    uint8_t *chunk;        /* owned: what CHUNKS will tell next */
    size_t chunk_length;
    bool chunk_told; /* not the first */
    uint8_t *body;   /* owned: a PDU that is not P-DATA-TF, header included */
    size_t body_length, body_capacity;
    uint8_t *capture; /* owned: a PDU as received, for RECEIVECALLBACK */
    size_t capture_length, capture_capacity;
    ldc_news *held_first, *held_last; /* owned: messages that wait for the PDU they came in */
    size_t held_count;
};

ldc_fsm_answer ldc_upper_step(ldc_upper *upper, ldc_fsm_event event, unsigned facts,
                              ldc_fsm_step *step);
bool ldc_upper_queue(ldc_upper *upper, ldc_out *out);
void ldc_upper_drop_queue(ldc_upper *upper);
void ldc_upper_drop_operations(ldc_upper *upper);             /* requests that have not begun */
int ldc_upper_refused(ldc_fsm_state state, const char *what); /* the error of a primitive */
bool ldc_upper_stands(const ldc_upper *upper);                /* there is an association */
void ldc_upper_wish_close(ldc_upper *upper, int code, bool farewell);
void ldc_upper_break(ldc_upper *upper, uint8_t reason, int code, const char *message,
                     const char *remedy);
/* ldc_upper_failure.c: the record, if there is none; the lock is held. */
void ldc_upper_note_reject(ldc_upper *upper, uint8_t result, uint8_t source, uint8_t reason,
                           bool by_us);
void ldc_upper_note_abort(ldc_upper *upper, uint8_t source, uint8_t reason);
void ldc_upper_agree(ldc_upper *upper);
/* The transfer syntax of an accepted context, NULL for another; the lock is held. */
const char *ldc_upper_agreed(const ldc_upper *upper, uint8_t id);

#endif
