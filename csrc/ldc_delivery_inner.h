/*
 * ldc_delivery_inner.h - what the files of delivery share, and nobody else: ldc_delivery.c (events,
 * a net's queue, its turn on a worker), ldc_delivery_pump.c (the list of pumped mode, Breathe),
 * ldc_delivery_tell.c (one event becomes one call of user code), ldc_delivery_verdict.c (questions
 * about certificates).
 *
 * Locks: the pump's before a net's. No lock is held while user code runs.
 */
#ifndef LDC_DELIVERY_INNER_H
#define LDC_DELIVERY_INNER_H

#include <time.h>

#include "ldc_net.h"

/* ldc_delivery.c */
void ldc_init_monotonic(pthread_cond_t *condition);
struct timespec ldc_at_ms(int64_t ms);                                 /* CLOCK_MONOTONIC */
ldc_event *ldc_event_new(ldc_net *net, ldc_event_kind kind, int code); /* NULL: no memory, said */
void ldc_event_free(ldc_event *event);
/* Queues an event, which it owns from now on. */
void ldc_delivery_push(ldc_event *event);
/* The first event of the net's queue, taken out; the net's lock is held. */
ldc_event *ldc_delivery_next(ldc_net *net);
/* Lets connections go that waited for the events before them; the net's lock is held and released
 * in between. */
void ldc_delivery_release_waiting(ldc_net *net);
/* Puts an event that has more to tell back in front of the net's queue; the net's lock is held.
 * false: nobody wants it any more. */
bool ldc_delivery_put_back(ldc_event *event);
/* Has a worker tell the net's queue: `delivering` is set, a reference goes along. */
void ldc_delivery_start(ldc_net *net);

/* ldc_delivery_pump.c: the pump's lock is held from lock to unlock. */
void ldc_pump_lock(void);
void ldc_pump_unlock(void);
void ldc_pump_add(ldc_event *event);

/* ldc_delivery_tell.c */
void ldc_delivery_tell(ldc_event *event);
void ldc_delivery_tell_parent(ldc_event *event);

/* ldc_delivery_verdict.c */
void ldc_question_answer(ldc_question *question, int value);
bool ldc_question_answered(ldc_question *question); /* too late to ask */

#endif
