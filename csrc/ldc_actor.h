/* ldc_actor.h - what the worker loop (ldc_engine.c) and the actors (ldc_actor.c) need of each
 * other. */
#ifndef LDC_ACTOR_H
#define LDC_ACTOR_H

#include <stddef.h>
#include <stdint.h>

struct ldc_poller;

/* A descriptor's event: finds the actor by its number and posts. */
void ldc_actor_event(uint64_t token, uint32_t events);
void ldc_actor_before_fork(void);
void ldc_actor_after_fork_in_parent(void);
void ldc_actor_after_fork(void); /* in the child */
size_t ldc_actor_count(void);
struct ldc_poller *ldc_engine_poller(void); /* NULL = out of descriptors */

#endif
