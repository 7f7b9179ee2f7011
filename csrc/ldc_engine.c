/* ldc_engine.c - worker threads and their queue; see ldc_engine.h. Actors and timers: ldc_actor.c.
 */
#include "ldc_engine.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ldc_actor.h"
#include "ldc_conn.h"
#include "ldc_dataset.h"
#include "ldc_error.h"
#include "ldc_expiry.h"
#include "ldc_failure_log.h"
#include "ldc_net.h"
#include "ldc_poller.h"
#include "ldc_tls.h"
#include "ldc_wait.h"
#include "ltdic.h"

enum {
    MIN_THREADS = 2,  /* kept while there is something to do */
    MAX_THREADS = 64, /* user code that blocks holds one each */
    /* User code that waits for other user code, with all threads taken, would wait for ever: one
     * more for each time that a job has waited that long for a slot, up to a last bound. */
    STALLED_MS = 200,
    MOST_THREADS = 512,
    IDLE_MS = 5000, /* an additional thread goes after that long without work */
    EVENTS_AT_ONCE = 16,
    JOBS_BETWEEN_POLLS = 16,
    MAX_BLOCKING = 8, /* name look-ups at once */
    /* As the main thread has: an interpreter's limit of recursion counts on that. Only what is
     * touched takes memory; where even addresses are short, a small one is better than no thread.
     */
    STACK_BYTES = 8 * 1024 * 1024,
    SMALL_STACK_BYTES = 1024 * 1024,
    FORK_WAIT_MS = 1000,
};

typedef struct job_queue {
    ldc_job *head, *tail; /* lent */
} job_queue;

static struct engine {
    pthread_mutex_t lock;
    job_queue queue[LDC_JOB_KINDS];
    unsigned blocking; /* jobs of that kind that run */
    unsigned threads;
    unsigned polling;   /* threads inside ldc_poller_wait */
    unsigned user_busy; /* user slots taken */
    int64_t stalled_at; /* since when a job has waited for a slot, past MAX_THREADS; 0 = none has */
    size_t users;       /* nets and actors */
    ldc_poller *poller; /* owned, made once */
} engine = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int process_id;

static _Thread_local bool on_worker;
static _Thread_local bool has_user_slot;

static atomic_bool muted;
static atomic_uint callbacks_running;

int64_t ldc_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- fork() ---- */

static _Thread_local bool computes;
static _Thread_local bool left_behind; /* a worker's stack in a forked child */

static struct gate {
    atomic_uint computing;
    atomic_uint forks;
    pthread_mutex_t lock;
    pthread_cond_t open;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .open = PTHREAD_COND_INITIALIZER};

bool ldc_compute(bool computing)
{
    bool before = computes;
    if (computing == before || left_behind) {
        return before;
    }
    computes = computing;
    if (!computing) {
        atomic_fetch_sub(&gate.computing, 1u);
        return before;
    }
    atomic_fetch_add(&gate.computing, 1u);
    while (atomic_load(&gate.forks) != 0) {
        atomic_fetch_sub(&gate.computing, 1u);
        pthread_mutex_lock(&gate.lock);
        while (atomic_load(&gate.forks) != 0) {
            pthread_cond_wait(&gate.open, &gate.lock);
        }
        pthread_mutex_unlock(&gate.lock);
        atomic_fetch_add(&gate.computing, 1u);
    }
    return before;
}

/* A worker that computes for longer is not waited for: the program goes before its child. */
static void quiet_workers(void)
{
    int64_t end = ldc_now_ms() + FORK_WAIT_MS;
    atomic_fetch_add(&gate.forks, 1u);
    while (atomic_load(&gate.computing) > (computes ? 1u : 0u) && ldc_now_ms() < end) {
        struct timespec nap = {.tv_nsec = 50000L};
        nanosleep(&nap, NULL);
    }
}

static void open_gate(void)
{
    pthread_mutex_lock(&gate.lock);
    atomic_fetch_sub(&gate.forks, 1u);
    pthread_cond_broadcast(&gate.open);
    pthread_mutex_unlock(&gate.lock);
}

/* In the child: nobody else is there. */
static void fresh_gate(void)
{
    struct gate fresh = {.lock = PTHREAD_MUTEX_INITIALIZER, .open = PTHREAD_COND_INITIALIZER};
    memcpy(&gate, &fresh, sizeof gate);
    left_behind = on_worker;
    on_worker = false;
    has_user_slot = false;
    computes = false;
}

/* Around fork() all is at rest: no table is half changed in the child. Order: timers, engine,
 * registries. */
static void before_fork(void)
{
    quiet_workers();
    ldc_tls_before_fork();
    ldc_dataset_before_fork();
    ldc_net_before_fork();
    ldc_actor_before_fork();
    pthread_mutex_lock(&engine.lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&engine.lock);
    ldc_actor_after_fork_in_parent();
    ldc_net_after_fork_in_parent();
    ldc_dataset_after_fork_in_parent();
    ldc_tls_after_fork_in_parent();
    open_gate();
}

/* A forked child has none of our threads; what they held is the parent's. It starts anew. */
static void after_fork(void)
{
    struct engine fresh = {.lock = PTHREAD_MUTEX_INITIALIZER};
    memcpy(&engine, &fresh, sizeof engine);
    atomic_store(&process_id, (int)getpid());
    atomic_store(&callbacks_running, 0u);
    fresh_gate();
    ldc_actor_after_fork();
    ldc_net_after_fork();
    ldc_dataset_after_fork();
    ldc_tls_after_fork();
    ldc_delivery_after_fork();
    ldc_handshakes_after_fork();
    ldc_conn_after_fork();
    ldc_log_after_fork();
    ldc_wait_after_fork();
    ldc_failure_log_after_fork();
    ldc_expiry_after_fork();
}

static void set_up_once(void)
{
    atomic_store(&process_id, (int)getpid());
    pthread_atfork(before_fork, after_fork_in_parent, after_fork);
}

bool ldc_engine_same_process(int pid)
{
    pthread_once(&once, set_up_once);
    return atomic_load(&process_id) == pid;
}

static void queue_put(job_queue *queue, ldc_job *job)
{
    job->next = NULL;
    if (queue->tail == NULL) {
        queue->head = job;
    } else {
        queue->tail->next = job;
    }
    queue->tail = job;
}

static ldc_job *queue_take(job_queue *queue)
{
    ldc_job *job = queue->head;
    if (job != NULL) {
        queue->head = job->next;
        if (queue->head == NULL) {
            queue->tail = NULL;
        }
    }
    return job;
}

static bool waiting(ldc_job_kind kind)
{
    return engine.queue[kind].head != NULL;
}

/* A job that needs a user slot waits, and there may be one for it. */
static bool wants_slot(void)
{
    return waiting(LDC_JOB_USER) || (waiting(LDC_JOB_BLOCKING) && engine.blocking < MAX_BLOCKING);
}

static ldc_job *take_with_slot(ldc_job_kind *kind)
{
    if (engine.user_busy + 1 >= engine.threads) {
        return NULL;
    }
    ldc_job *job = queue_take(&engine.queue[LDC_JOB_USER]);
    *kind = LDC_JOB_USER;
    if (job == NULL && engine.blocking < MAX_BLOCKING) {
        job = queue_take(&engine.queue[LDC_JOB_BLOCKING]);
        *kind = LDC_JOB_BLOCKING;
        engine.blocking += job != NULL ? 1u : 0u;
    }
    engine.user_busy += job != NULL ? 1u : 0u;
    engine.stalled_at = job != NULL ? 0 : engine.stalled_at;
    return job;
}

/* What this thread may run now, each side of the border in turn; the lock is held. */
static ldc_job *next_job(ldc_job_kind *kind, bool user_first)
{
    ldc_job *job = user_first ? take_with_slot(kind) : NULL;
    if (job == NULL) {
        job = queue_take(&engine.queue[LDC_JOB_READY]);
        *kind = LDC_JOB_READY;
    }
    return job == NULL && !user_first ? take_with_slot(kind) : job;
}

/* A job has ended; the lock is held. */
static void give_back(ldc_job_kind kind)
{
    engine.user_busy -= kind != LDC_JOB_READY ? 1u : 0u;
    engine.blocking -= kind == LDC_JOB_BLOCKING ? 1u : 0u;
}

static void *work(void *unused);

/* Starts one worker; the lock is held. */
static void spawn(void)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    if (engine.threads >= MOST_THREADS || pthread_attr_init(&attributes) != 0) {
        return;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* Signals are the host's business, not a worker's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int error = pthread_create(&thread, &attributes, work, NULL);
    if (error != 0) {
        pthread_attr_setstacksize(&attributes, SMALL_STACK_BYTES);
        error = pthread_create(&thread, &attributes, work, NULL);
    }
    engine.threads += error == 0 ? 1u : 0u;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

/* Whether one more thread is in order for the jobs that wait for a slot; the lock is held. */
static bool short_of_slots(void)
{
    if (!wants_slot() || engine.user_busy + 1 < engine.threads) {
        engine.stalled_at = 0;
        return false;
    }
    if (engine.threads < MAX_THREADS) {
        return true;
    }
    int64_t now = ldc_now_ms();
    if (engine.stalled_at == 0) {
        engine.stalled_at = now;
    }
    bool stalled = now - engine.stalled_at >= STALLED_MS;
    engine.stalled_at = stalled ? now : engine.stalled_at;
    return stalled;
}

/* Enough threads for what waits; the lock is held. true: somebody sleeps who should be woken. */
static bool staff(void)
{
    while (engine.threads < MIN_THREADS) {
        unsigned before = engine.threads;
        spawn();
        if (engine.threads == before) {
            break; /* the system has none to give; those that exist go on */
        }
    }
    if (short_of_slots()) {
        spawn();
    }
    return engine.polling > 0 && (waiting(LDC_JOB_READY) || wants_slot());
}

static ldc_poller *poller(void)
{
    if (engine.poller == NULL) {
        engine.poller = ldc_poller_new();
    }
    return engine.poller;
}

void ldc_engine_push(ldc_job *job, ldc_job_kind kind)
{
    pthread_once(&once, set_up_once);
    pthread_mutex_lock(&engine.lock);
    bool alone = !waiting(LDC_JOB_READY) && !waiting(LDC_JOB_USER) && !waiting(LDC_JOB_BLOCKING);
    queue_put(&engine.queue[kind], job);
    bool wake = staff();
    if (alone && on_worker && !has_user_slot) {
        wake = false; /* this thread comes back for it at once */
    }
    ldc_poller *to_wake = poller();
    pthread_mutex_unlock(&engine.lock);
    if (wake && to_wake != NULL) {
        ldc_poller_wake(to_wake);
    }
}

bool ldc_engine_ensure(void)
{
    pthread_mutex_lock(&engine.lock);
    (void)staff();
    bool some = engine.threads > 0;
    pthread_mutex_unlock(&engine.lock);
    return some;
}

bool ldc_engine_crowded(void)
{
    pthread_mutex_lock(&engine.lock);
    bool crowded = wants_slot();
    pthread_mutex_unlock(&engine.lock);
    return crowded;
}

bool ldc_engine_is_worker(void)
{
    return on_worker;
}

bool ldc_engine_may_call_user(void)
{
    return !on_worker || has_user_slot;
}

struct ldc_poller *ldc_engine_poller(void)
{
    pthread_once(&once, set_up_once);
    pthread_mutex_lock(&engine.lock);
    ldc_poller *result = poller();
    pthread_mutex_unlock(&engine.lock);
    return result;
}

/* Whether this thread should end; the lock is held. It is counted out here, so that a push
 * afterwards staffs anew. */
static bool retire(bool idle)
{
    bool nothing_left = engine.users == 0 && !waiting(LDC_JOB_READY) && !waiting(LDC_JOB_USER) &&
                        !waiting(LDC_JOB_BLOCKING);
    if (nothing_left ||
        (idle && engine.threads > MIN_THREADS && engine.user_busy + 2 < engine.threads)) {
        engine.threads--;
        return true;
    }
    return false;
}

/* Waits for events and hands them out. The lock is held before and after. true: nothing happened
 * for long. */
static bool poll_once(int timeout_ms)
{
    ldc_poll_event events[EVENTS_AT_ONCE];
    engine.polling++;
    pthread_mutex_unlock(&engine.lock);
    int64_t began = ldc_now_ms();
    bool computed = ldc_compute(false);
    int count = ldc_poller_wait(engine.poller, events, EVENTS_AT_ONCE, timeout_ms);
    (void)ldc_compute(computed);
    bool idle = timeout_ms > 0 && count == 0 && ldc_now_ms() - began >= timeout_ms;
    pthread_mutex_lock(&engine.lock);
    engine.polling--;
    pthread_mutex_unlock(&engine.lock);
    for (int i = 0; i < count; i++) {
        ldc_actor_event(events[i].token, events[i].events);
    }
    pthread_mutex_lock(&engine.lock);
    return idle;
}

static void *work(void *unused)
{
    (void)unused;
    bool idle = false;
    bool user_first = false;
    unsigned since_poll = 0;
    int pid = (int)getpid();
    on_worker = true;
    (void)ldc_compute(true);
    pthread_mutex_lock(&engine.lock);
    for (;;) {
        ldc_job_kind kind;
        ldc_job *job = next_job(&kind, user_first);
        user_first = !user_first;
        if (job == NULL && retire(idle)) {
            break;
        }
        if (job == NULL) {
            (void)staff(); /* a thread may be had by now that could not be started before */
            idle = poll_once(engine.stalled_at != 0 ? STALLED_MS : IDLE_MS);
            since_poll = 0;
            continue;
        }
        bool wake = staff();
        pthread_mutex_unlock(&engine.lock);
        if (wake) {
            ldc_poller_wake(engine.poller);
        }
        has_user_slot = kind != LDC_JOB_READY;
        job->run(job, has_user_slot);
        has_user_slot = false;
        if (!ldc_engine_same_process(pid)) {
            return NULL; /* user code forked and returned in the child: nothing here is the child's
                          */
        }
        pthread_mutex_lock(&engine.lock);
        give_back(kind);
        idle = false;
        if (++since_poll >= JOBS_BETWEEN_POLLS) {
            since_poll = 0;
            (void)poll_once(0); /* whoever keeps the queue full must not keep events out */
        }
    }
    bool others = engine.polling > 0 && engine.users == 0;
    pthread_mutex_unlock(&engine.lock);
    if (others) {
        ldc_poller_wake(engine.poller);
    }
    (void)ldc_compute(false);
    return NULL;
}

void ldc_engine_retain(void)
{
    pthread_once(&once, set_up_once);
    pthread_mutex_lock(&engine.lock);
    engine.users++;
    pthread_mutex_unlock(&engine.lock);
}

void ldc_engine_release(void)
{
    pthread_mutex_lock(&engine.lock);
    engine.users--;
    bool wake = engine.users == 0 && engine.polling > 0;
    pthread_mutex_unlock(&engine.lock);
    if (wake) {
        ldc_poller_wake(engine.poller);
    }
}

unsigned ldc_engine_threads(void)
{
    pthread_mutex_lock(&engine.lock);
    unsigned threads = engine.threads;
    pthread_mutex_unlock(&engine.lock);
    return threads;
}

/* ---- the border to user code ---- */

bool ldc_user_enter(bool *computed)
{
    atomic_fetch_add(&callbacks_running, 1u);
    if (atomic_load(&muted)) {
        atomic_fetch_sub(&callbacks_running, 1u);
        return false;
    }
    *computed = ldc_compute(false);
    return true;
}

void ldc_user_leave(bool computed)
{
    atomic_fetch_sub(&callbacks_running, 1u);
    (void)ldc_compute(computed);
}

bool ldc_user_muted(void)
{
    return atomic_load(&muted);
}

bool ldc_user_mute(unsigned timeout_ms)
{
    atomic_store(&muted, true);
    int64_t end = ldc_now_ms() + (int64_t)timeout_ms;
    /* Only at the end of a process: a short nap between looks is simpler than a condition on every
     * callback. */
    while (atomic_load(&callbacks_running) != 0 && ldc_now_ms() < end) {
        struct timespec nap = {.tv_nsec = 2000000L};
        nanosleep(&nap, NULL);
    }
    return atomic_load(&callbacks_running) == 0;
}
