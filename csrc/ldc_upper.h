/*
 * ldc_upper.h - the DICOM upper layer of one connection: association, release, abort, DIMSE
 * messages (PS3.8, PS3.7).
 *
 * Two sides meet here, under upper->lock: any thread asks for local primitives, which change the
 * state at once and queue PDUs; the connection's strand feeds what is received, writes what is
 * queued, and does what the state table wishes (timers, closing). News for the user goes out in the
 * order of what happened.
 */
#ifndef LDC_UPPER_H
#define LDC_UPPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "ldc_associate.h"
#include "ldc_failure.h"
#include "ldc_fsm.h"
#include "ldc_message.h"
#include "ldc_news.h"
#include "ldc_pdv.h"
#include "ldc_transport.h"

typedef struct ldc_upper ldc_upper;

typedef struct ldc_upper_limits {
    uint64_t artim_ms, association_ms, send_ms, progress_ms;
    uint64_t memory, total; /* bytes of a data set in memory, and in all */
    uint64_t queue;         /* bytes that may wait to be sent before a sender is made to wait */
    int sink;               /* DICOM_SINK_... */
} ldc_upper_limits;

/* What the strand is to do after a call. */
typedef enum ldc_upper_timer {
    LDC_TIMER_NONE,
    LDC_TIMER_ARTIM,
    LDC_TIMER_ASSOCIATION
} ldc_upper_timer;

typedef void (*ldc_upper_news_fn)(void *owner, ldc_news *news, uint64_t cost);
typedef void (*ldc_upper_wake_fn)(void *owner);

/* news: takes the news over; strand only. wake: there is something to write or to do; any thread.
 * folder is copied, quota referred to. */
ldc_upper *ldc_upper_new(bool requestor, const char *folder, ldc_quota *quota,
                         const ldc_upper_limits *limits, ldc_upper_news_fn news,
                         ldc_upper_wake_fn wake, void *owner, uint64_t handle);
void ldc_upper_free(ldc_upper *upper);

/* ---- strand ---- */

void ldc_upper_start(ldc_upper *upper); /* the link is ready */
void ldc_upper_set_limits(ldc_upper *upper, const ldc_upper_limits *limits);
void ldc_upper_receive(ldc_upper *upper, const uint8_t *bytes, size_t size, bool capture);
/* Writes what it can, and no more than a few MiB at once: *more, there is more, and reading has its
 * turn before it. LDC_IO_DONE: all is out, or there is more. */
ldc_io ldc_upper_flush(ldc_upper *upper, ldc_transport *transport, bool tell_sent, bool *more,
                       uint64_t *sent);
bool ldc_upper_empty(ldc_upper *upper); /* nothing is queued, nor waits for the peer's answers */
/* Enters a received request as being performed. false: as many as agreed are, it has to wait. */
bool ldc_upper_perform(ldc_upper *upper, const ldc_command *request);
bool ldc_upper_performs(ldc_upper *upper); /* a request is being performed */
void ldc_upper_expired(ldc_upper *upper);  /* the timer has run out */
void ldc_upper_idle(ldc_upper *upper);     /* nothing has come or gone for too long */
/* The peer closed the transport: the code of OnClose, the record if it was no proper end. */
/* Whether the association has no presentation context that was accepted; then *failure says which
 * were refused and why. */
bool ldc_upper_nothing_agreed(ldc_upper *upper, ldc_failure *failure);
int ldc_upper_closed(ldc_upper *upper, ldc_failure *failure);
/* The timer in force and its number, which changes when it starts anew. */
ldc_upper_timer ldc_upper_timer_of(ldc_upper *upper, unsigned *serial, uint64_t *ms);
/* Whether the connection is to be closed now; the code of OnClose and the record. flushed: all that
 * was queued is out. */
bool ldc_upper_ending(ldc_upper *upper, bool flushed, int *code, ldc_failure *failure);
bool ldc_upper_broken(
    const ldc_upper *upper); /* a protocol error was answered: nothing more is read */
bool ldc_upper_over(
    ldc_upper *upper); /* released, rejected or aborted: only the close is awaited */
bool ldc_upper_inside(const ldc_upper *upper); /* a PDU has begun and is not complete */
void ldc_upper_release_held(ldc_upper *upper); /* messages of a PDU that will not be complete */
void ldc_upper_end(ldc_upper *upper);          /* no more: senders that wait are woken */
const char *ldc_upper_folder(const ldc_upper *upper); /* lives as long as upper; NULL = none */

/* ---- any thread ---- */

bool ldc_upper_associated(ldc_upper *upper);
ldc_associate *ldc_upper_association(ldc_upper *upper); /* a copy; NULL = none yet */
int ldc_upper_associate(ldc_upper *upper, const ldc_associate *request);
int ldc_upper_accept(ldc_upper *upper, const ldc_associate *accept);
int ldc_upper_reject(ldc_upper *upper, uint8_t result, uint8_t source, uint8_t reason);
int ldc_upper_release(ldc_upper *upper, bool request);
int ldc_upper_abort(ldc_upper *upper, uint8_t source, uint8_t reason);
/* Who sends: a user waits while the queue is full, and his final response ends what he performs; an
 * answer of the library's own does neither. */
typedef enum ldc_sender {
    LDC_SENDER_USER,
    LDC_SENDER_STRAND, /* a user whose thread is the strand: nobody else would make room */
    LDC_SENDER_LIBRARY
} ldc_sender;

/* Queues a message; the command is encoded, the data set referred to. A request goes out when fewer
 * operations are open than was agreed (PS3.7 D.3.3.3); responses and C-CANCEL overtake it. */
int ldc_upper_send(ldc_upper *upper, uint8_t context, const ldc_command *command, ldc_dataset *data,
                   ldc_sender sender);
/* The transfer syntax agreed for a context; false: not accepted. */
bool ldc_upper_syntax(ldc_upper *upper, uint8_t context, char syntax[LDC_UID_SIZE]);

#endif
