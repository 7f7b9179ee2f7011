/*
 * ldc_actor.c - strands and their deadlines.
 *
 * Deadlines of all actors stand in one binary heap, one place per actor (its earliest); one timerfd
 * in the poller fires for the first. Locks: an actor's own, the heap's; never both.
 */
#include "ldc_actor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "ldc_engine.h"
#include "ldc_poller.h"

static ldc_registry actors = LDC_REGISTRY_INIT;

static const uint64_t TIMER_TOKEN = UINT64_MAX - 1u;

static struct timers {
    pthread_mutex_t lock;
    ldc_actor **heap; /* owned; the actors are lent: they leave before they end */
    size_t count, capacity;
    int fd; /* owned, -1 = not made yet */
    bool registered;
    int64_t armed_at; /* 0 = not armed */
} timers = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

/* ---- heap; the timer lock is held in all of these ---- */

static void place(size_t index, ldc_actor *actor)
{
    timers.heap[index] = actor;
    actor->timer_index = index + 1;
}

static void sift_up(size_t index)
{
    ldc_actor *actor = timers.heap[index];
    while (index > 0 && timers.heap[(index - 1) / 2]->timer_at > actor->timer_at) {
        place(index, timers.heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(index, actor);
}

static void sift_down(size_t index)
{
    ldc_actor *actor = timers.heap[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= timers.count) {
            break;
        }
        if (child + 1 < timers.count &&
            timers.heap[child + 1]->timer_at < timers.heap[child]->timer_at) {
            child++;
        }
        if (timers.heap[child]->timer_at >= actor->timer_at) {
            break;
        }
        place(index, timers.heap[child]);
        index = child;
    }
    place(index, actor);
}

static void heap_remove(ldc_actor *actor)
{
    if (actor->timer_index == 0) {
        return;
    }
    size_t index = actor->timer_index - 1;
    actor->timer_index = 0;
    ldc_actor *last = timers.heap[--timers.count];
    if (last != actor) {
        place(index, last);
        sift_up(index);
        sift_down(last->timer_index - 1);
    }
}

static void heap_add(ldc_actor *actor)
{
    place(timers.count++, actor); /* room was reserved when the actor was made */
    sift_up(timers.count - 1);
}

/* Programs the timerfd for the first deadline. */
static void program(void)
{
    int64_t first = timers.count == 0 ? 0 : timers.heap[0]->timer_at;
    if (first != 0 && (timers.armed_at == 0 || first < timers.armed_at)) {
        struct itimerspec when = {0};
        when.it_value.tv_sec = (time_t)(first / 1000);
        when.it_value.tv_nsec =
            (long)(first % 1000) * 1000000L + 1; /* never 0, which would disarm */
        (void)timerfd_settime(timers.fd, TFD_TIMER_ABSTIME, &when,
                              NULL); /* fails for bad arguments only */
        if (ldc_poller_arm(ldc_engine_poller(), timers.fd, TIMER_TOKEN, LDC_POLL_READ,
                           !timers.registered) == 0) {
            timers.registered = true;
            timers.armed_at = first;
        }
    }
}

/* Makes sure that a new actor's deadlines will be kept: the timerfd, a place in the heap. */
static bool reserve_timer(void)
{
    bool done = true;
    struct ldc_poller *poller = ldc_engine_poller();
    pthread_mutex_lock(&timers.lock);
    if (timers.fd < 0) {
        timers.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        done = timers.fd >= 0;
    }
    if (done && !timers.registered) { /* while it is not programmed it stays quiet */
        done = ldc_poller_arm(poller, timers.fd, TIMER_TOKEN, LDC_POLL_READ, true) == 0;
        timers.registered = done;
    }
    size_t needed = ldc_registry_count(&actors) + 1;
    if (done && timers.capacity < needed) {
        size_t capacity = timers.capacity == 0 ? 64 : timers.capacity;
        while (capacity < needed) {
            capacity *= 2;
        }
        ldc_actor **heap = realloc(timers.heap, capacity * sizeof(ldc_actor *));
        done = heap != NULL;
        if (done) {
            timers.heap = heap;
            timers.capacity = capacity;
        }
    }
    pthread_mutex_unlock(&timers.lock);
    return done;
}

static void fire(void)
{
    enum {
        BATCH = 64
    };
    ldc_actor *due[BATCH];
    size_t count;
    do {
        count = 0;
        int64_t now = ldc_now_ms();
        pthread_mutex_lock(&timers.lock);
        uint64_t expirations;
        ssize_t got = read(timers.fd, &expirations, sizeof expirations);
        (void)got; /* only takes the event away */
        timers.armed_at = 0;
        while (count < BATCH && timers.count > 0 && timers.heap[0]->timer_at <= now) {
            ldc_actor *actor = timers.heap[0];
            heap_remove(actor);
            ldc_ref_get(&actor->ref);
            due[count++] = actor;
        }
        program();
        pthread_mutex_unlock(&timers.lock);
        for (size_t i = 0; i < count; i++) {
            ldc_actor_post(due[i], LDC_BIT_TIMER);
            ldc_ref_put(&due[i]->ref);
        }
    } while (count == BATCH);
}

/* Brings the actor's place in line with its deadlines. */
static void reschedule(ldc_actor *actor)
{
    int64_t first = 0;
    for (unsigned i = 0; i < LDC_DEADLINE_COUNT; i++) {
        if (actor->deadline[i] != 0 && (first == 0 || actor->deadline[i] < first)) {
            first = actor->deadline[i];
        }
    }
    pthread_mutex_lock(&timers.lock);
    if (first == 0) {
        heap_remove(actor);
    } else if (actor->timer_index == 0 || actor->timer_at != first) {
        heap_remove(actor);
        actor->timer_at = first;
        heap_add(actor);
        program();
    }
    pthread_mutex_unlock(&timers.lock);
}

/* ---- strands ---- */

/* Only I/O can lead into user code: timers and commands never wait for a user slot. */
static const uint32_t IO_BITS = LDC_BIT_READ | LDC_BIT_WRITE | LDC_BIT_ERROR;

/* One turn of the strand. */
static void step(ldc_actor *actor, uint32_t bits)
{
    actor->step(actor, bits);
    if ((bits & LDC_BIT_TIMER) != 0) {
        reschedule(actor); /* it left the heap when it fired */
    }
}

/* Puts I/O aside until a worker with a user slot comes for it; the lock is held. true: queue
 * user_job. */
static bool park(ldc_actor *actor)
{
    bool queue = !actor->parked;
    actor->parked = true;
    return queue;
}

/* After a turn: goes on later if more has come, else the strand rests. Others get their turn in
 * between. */
static void rest(ldc_actor *actor)
{
    pthread_mutex_lock(&actor->lock);
    uint32_t bits = actor->bits;
    bool parked_only = actor->parked && (bits & ~IO_BITS) == 0;
    bool more = bits != 0 && !parked_only;
    actor->active = more;
    pthread_mutex_unlock(&actor->lock);
    if (more) {
        ldc_engine_push(&actor->job, LDC_JOB_READY); /* the reference goes along */
    } else {
        ldc_ref_put(&actor->ref);
    }
}

/* A turn without a user slot. */
static void run(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    ldc_actor *actor = (ldc_actor *)(void *)((char *)job - offsetof(ldc_actor, job));
    bool queue_user = false;
    pthread_mutex_lock(&actor->lock);
    uint32_t bits = actor->bits;
    actor->bits = 0;
    if (actor->calls_user && (bits & IO_BITS) != 0) {
        actor->bits = bits & IO_BITS;
        bits &= ~IO_BITS;
        queue_user = park(actor);
    }
    pthread_mutex_unlock(&actor->lock);
    if (queue_user) {
        ldc_ref_get(&actor->ref);
        ldc_engine_push(&actor->user_job, LDC_JOB_USER);
    }
    if (bits != 0) {
        step(actor, bits);
    }
    rest(actor);
}

/* A turn with a user slot: I/O that was parked, and whatever else came. */
static void run_with_slot(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    ldc_actor *actor = (ldc_actor *)(void *)((char *)job - offsetof(ldc_actor, user_job));
    pthread_mutex_lock(&actor->lock);
    uint32_t bits = 0;
    actor->parked = false;
    if (!actor
             ->active) { /* else the other job runs or will run, finds the I/O and parks it again */
        bits = actor->bits;
        actor->bits = 0;
        actor->active = bits != 0;
    }
    pthread_mutex_unlock(&actor->lock);
    if (bits == 0) {
        ldc_ref_put(&actor->ref);
        return;
    }
    step(actor, bits);
    rest(actor);
}

/* ---- strands on other threads ---- */

bool ldc_actor_borrow(ldc_actor *actor)
{
    pthread_mutex_lock(&actor->lock);
    bool rests = !actor->active && !actor->parked;
    actor->active = actor->active || rests; /* parked: another job is on its way to it */
    pthread_mutex_unlock(&actor->lock);
    if (rests) {
        ldc_ref_get(&actor->ref);
    }
    return rests;
}

void ldc_actor_turn(ldc_actor *actor, uint32_t bits)
{
    pthread_mutex_lock(&actor->lock);
    bits |= actor->bits;
    actor->bits = 0;
    pthread_mutex_unlock(&actor->lock);
    if (bits != 0) {
        step(actor, bits);
    }
}

bool ldc_actor_listen(ldc_actor *actor, int eventfd)
{
    pthread_mutex_lock(&actor->lock);
    bool quiet = actor->bits == 0;
    actor->listener = quiet ? eventfd : -1;
    pthread_mutex_unlock(&actor->lock);
    return quiet;
}

void ldc_actor_listen_no_more(ldc_actor *actor)
{
    pthread_mutex_lock(&actor->lock);
    actor->listener = -1;
    pthread_mutex_unlock(&actor->lock);
}

void ldc_actor_return(ldc_actor *actor)
{
    rest(actor);
}

int ldc_actor_init(ldc_actor *actor, void (*on_step)(ldc_actor *self, uint32_t bits),
                   void (*destroy)(ldc_ref *self))
{
    ldc_ref_init(&actor->ref, destroy);
    actor->job.run = run;
    actor->user_job.run = run_with_slot;
    actor->step = on_step;
    actor->fd = -1;
    actor->listener = -1;
    pthread_mutex_init(&actor->lock, NULL);
    ldc_engine_retain();
    actor->id = ldc_registry_add(&actors, &actor->ref);
    if (actor->id == 0 || ldc_engine_poller() == NULL || !reserve_timer() || !ldc_engine_ensure()) {
        ldc_registry_remove(&actors, actor->id);
        pthread_mutex_destroy(&actor->lock);
        ldc_engine_release();
        return ENOMEM;
    }
    return 0;
}

/* A borrowed strand that sleeps; the lock is held. */
static void wake_listener(const ldc_actor *actor)
{
    if (actor->listener >= 0) {
        uint64_t one = 1;
        ssize_t written = write(actor->listener, &one, sizeof one);
        (void)written; /* full: it is awake already */
    }
}

void ldc_actor_post(ldc_actor *actor, uint32_t bits)
{
    pthread_mutex_lock(&actor->lock);
    bool start = !actor->active;
    actor->bits |= bits;
    actor->active = true;
    wake_listener(actor);
    pthread_mutex_unlock(&actor->lock);
    if (start) {
        ldc_ref_get(&actor->ref);
        ldc_engine_push(&actor->job, LDC_JOB_READY);
    }
}

void ldc_actor_run(ldc_actor *actor, uint32_t bits)
{
    pthread_mutex_lock(&actor->lock);
    bool start = !actor->active;
    actor->bits |= start ? 0 : bits;
    actor->active = true;
    wake_listener(actor);
    pthread_mutex_unlock(&actor->lock);
    if (start) {
        bool computed = ldc_compute(true);
        ldc_ref_get(&actor->ref);
        step(actor, bits);
        rest(actor);
        (void)ldc_compute(computed);
    }
}

void ldc_actor_event(uint64_t token, uint32_t events)
{
    if (token == TIMER_TOKEN) {
        fire();
        return;
    }
    ldc_actor *actor = ldc_registry_acquire(&actors, token);
    if (actor != NULL) {
        uint32_t bits = 0;
        atomic_store(&actor->armed, 0u); /* one shot */
        bits |= (events & LDC_POLL_READ) != 0 ? (uint32_t)LDC_BIT_READ : 0u;
        bits |= (events & LDC_POLL_WRITE) != 0 ? (uint32_t)LDC_BIT_WRITE : 0u;
        bits |= (events & LDC_POLL_ERROR) != 0 ? (uint32_t)LDC_BIT_ERROR : 0u;
        ldc_actor_post(actor, bits);
        ldc_ref_put(&actor->ref);
    }
}

int ldc_actor_arm(ldc_actor *actor, uint32_t events)
{
    if (actor->fd < 0) {
        return EBADF;
    }
    if (actor->registered && atomic_load(&actor->armed) == events) {
        return 0;
    }
    /* Before the poller knows: the event may be there before it returns. */
    atomic_store(&actor->armed, events);
    int error =
        ldc_poller_arm(ldc_engine_poller(), actor->fd, actor->id, events, !actor->registered);
    if (error == 0) {
        actor->registered = true;
    } else {
        atomic_store(&actor->armed, 0u);
    }
    return error;
}

void ldc_actor_deadline(ldc_actor *actor, unsigned kind, int64_t at)
{
    if (actor->deadline[kind] != at) {
        actor->deadline[kind] = at;
        reschedule(actor);
    }
}

bool ldc_actor_expired(ldc_actor *actor, unsigned kind, int64_t now)
{
    if (actor->deadline[kind] == 0 || actor->deadline[kind] > now) {
        return false;
    }
    actor->deadline[kind] = 0;
    return true;
}

int ldc_actor_take_fd(ldc_actor *actor)
{
    int fd = actor->fd;
    if (fd >= 0 && actor->registered) {
        ldc_poller_remove(ldc_engine_poller(), fd);
    }
    actor->registered = false;
    atomic_store(&actor->armed, 0u);
    actor->fd = -1;
    return fd;
}

void ldc_actor_close(ldc_actor *actor)
{
    /* First out of the heap, then out of the registry: reserve_timer() counts on that order. */
    memset(actor->deadline, 0, sizeof actor->deadline);
    reschedule(actor);
    ldc_registry_remove(&actors, actor->id);
    int fd = ldc_actor_take_fd(actor);
    if (fd >= 0) {
        close(fd);
    }
}

void ldc_actor_fini(ldc_actor *actor)
{
    pthread_mutex_destroy(&actor->lock);
    ldc_engine_release();
}

size_t ldc_actor_count(void)
{
    return ldc_registry_count(&actors);
}

void ldc_actor_before_fork(void)
{
    pthread_mutex_lock(&timers.lock);
    pthread_mutex_lock(&actors.lock);
}

void ldc_actor_after_fork_in_parent(void)
{
    pthread_mutex_unlock(&actors.lock);
    pthread_mutex_unlock(&timers.lock);
}

void ldc_actor_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&timers.lock, &fresh, sizeof fresh);
    timers.count = 0;
    timers.fd = -1;
    timers.registered = false;
    timers.armed_at = 0;
    ldc_registry_forget(&actors);
}
