/*
 * ldc_engine.h - worker threads, the queue of runnable work, actors, timers, and the border to user
 * code.
 *
 * One rule: at least one worker is never in user code, so timers, accepting and I/O go on whatever
 * user code does. Work that may call user code carries LDC_JOB_USER and takes one of (threads - 1)
 * user slots.
 */
#ifndef LDC_ENGINE_H
#define LDC_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ldc_registry.h"

/* ---- jobs ---- */

typedef struct ldc_job {
    struct ldc_job *next; /* the queue's */
    void (*run)(struct ldc_job *self, bool user_slot);
} ldc_job;

typedef enum ldc_job_kind {
    LDC_JOB_READY,    /* never calls user code, never blocks */
    LDC_JOB_USER,     /* may call user code: takes a user slot */
    LDC_JOB_BLOCKING, /* blocks in the system (name service): takes one of a few user slots */
    LDC_JOB_KINDS,
} ldc_job_kind;

/* Queues the job for a worker. Starts threads when there are too few. */
void ldc_engine_push(ldc_job *job, ldc_job_kind kind);
/* Whether there is a worker at all; tries to start one. false: the system has no thread to give. */
bool ldc_engine_ensure(void);
/* Whether a job waits for a user slot. */
bool ldc_engine_crowded(void);
/* Whether this thread may call user code: it is none of ours, or holds a user slot. */
bool ldc_engine_may_call_user(void);
/* Monotonic time in milliseconds. */
int64_t ldc_now_ms(void);
/* Nets and actors count as users of the engine: threads end when none is left. */
void ldc_engine_retain(void);
void ldc_engine_release(void);
unsigned ldc_engine_threads(void);
/* Whether this process is the one in which `pid` was taken (fork safety). */
bool ldc_engine_same_process(int pid);

/* ---- fork() ---- */

/*
 * fork() waits until no worker computes: OpenSSL's locks are not ours to take, and a child in which
 * a worker that is not there holds one would hang. User code, waits and name look-ups do not count
 * as computing. Gives what it was, to be set again afterwards. No lock may be held when a thread
 * begins (or goes on) to compute: it may have to wait for a fork.
 */
bool ldc_compute(bool computing);

/* ---- the border to user code ---- */

/* Every call into user code is made between these two. false: callbacks are muted, do not call. The
 * value belongs to ldc_user_leave. */
bool ldc_user_enter(bool *computed);
void ldc_user_leave(bool computed);
/* Mutes for good; waits up to timeout_ms for running callbacks. true: none is running. */
bool ldc_user_mute(unsigned timeout_ms);
bool ldc_user_muted(void);

/* ---- actors ---- */

enum {
    LDC_DEADLINE_COUNT = 5
};

/*
 * Something with a descriptor and deadlines that runs on one worker at a time (its strand). `step`
 * gets the bits posted since it ran last. Only the strand touches fd, interest and deadlines;
 * posting is for everyone.
 */
typedef struct ldc_actor {
    ldc_ref ref;
    ldc_job job;      /* runs the strand without a user slot */
    ldc_job user_job; /* runs it with one */
    uint64_t id;      /* in the registry while open */
    pthread_mutex_t lock;
    uint32_t bits;     /* under lock */
    bool active;       /* under lock: queued to run or running */
    bool parked;       /* under lock: user_job is queued, I/O waits for its slot */
    bool calls_user;   /* strand: the next step may call user code */
    bool registered;   /* strand: fd is in the poller */
    atomic_uint armed; /* LDC_POLL_... that the poller waits for; 0 when an event is on its way */
    int fd;            /* strand: owned, -1 = none */
    int listener;      /* under lock: an eventfd that posts write into, -1 = none */
    void (*step)(struct ldc_actor *self, uint32_t bits);
    int64_t deadline[LDC_DEADLINE_COUNT]; /* strand: ms, 0 = off */
    int64_t timer_at;                     /* timer lock */
    size_t timer_index;                   /* timer lock: place in the heap + 1, 0 = not in it */
} ldc_actor;

/* Bits that every actor understands; own bits from LDC_BIT_OWN on. */
enum {
    LDC_BIT_READ = 1,
    LDC_BIT_WRITE = 2,
    LDC_BIT_ERROR = 4,
    LDC_BIT_TIMER = 8,
    LDC_BIT_OWN = 16
};

int ldc_actor_init(ldc_actor *actor, void (*step)(ldc_actor *self, uint32_t bits),
                   void (*destroy)(ldc_ref *self));
void ldc_actor_post(ldc_actor *actor, uint32_t bits);
/* The same for bits whose step neither waits nor calls user code: the step is made on this thread
 * if the strand rests, so that nobody needs to be woken. The caller holds no lock. */
void ldc_actor_run(ldc_actor *actor, uint32_t bits);
/*
 * Any thread may be a strand for a time: from a borrow that gave true to the return it runs turns
 * itself, and what is posted waits for them. While it sleeps it listens: a post writes into its
 * eventfd. listen gives false when there are bits already.
 */
bool ldc_actor_borrow(ldc_actor *actor);
void ldc_actor_turn(ldc_actor *actor, uint32_t bits); /* these, and those that were posted */
bool ldc_actor_listen(ldc_actor *actor, int eventfd);
void ldc_actor_listen_no_more(ldc_actor *actor);
void ldc_actor_return(ldc_actor *actor);
/* Strand: waits for LDC_POLL_... events, 0: for none. 0 or errno. */
int ldc_actor_arm(ldc_actor *actor, uint32_t events);
/* Strand: sets one deadline (absolute ms, 0 = off). */
void ldc_actor_deadline(ldc_actor *actor, unsigned kind, int64_t at);
/* Strand: whether a deadline has passed; clears it if so. */
bool ldc_actor_expired(ldc_actor *actor, unsigned kind, int64_t now);
/* Strand: closes fd, forgets deadlines, leaves the registry. The owner's reference stays the
 * owner's. */
void ldc_actor_close(ldc_actor *actor);
/* Takes fd out of the poller without closing it. */
int ldc_actor_take_fd(ldc_actor *actor);
void ldc_actor_fini(ldc_actor *actor); /* from destroy */

#endif
