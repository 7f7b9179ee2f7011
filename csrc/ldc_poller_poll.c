/*
 * ldc_poller_poll.c - the poll() back end of ldc_poller.h: for systems without epoll, and to keep
 * the border honest.
 *
 * One thread polls at a time (the leader); the others wait on a condition for events that it found
 * or for its place.
 */
#ifdef LTDIC_POLLER_POLL

#include "ldc_poller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct watched {
    int fd;
    uint32_t armed; /* LDC_POLL_..., 0 = disarmed */
    uint64_t token;
} watched;

struct ldc_poller {
    pthread_mutex_t lock;
    pthread_cond_t turn;
    watched *items; /* owned */
    size_t count, capacity;
    struct pollfd *set; /* owned, the leader's */
    size_t set_capacity;
    bool leading;
    unsigned wakes;
    int pipe[2];
};

ldc_poller *ldc_poller_new(void)
{
    ldc_poller *poller = calloc(1, sizeof *poller);
    if (poller == NULL) {
        return NULL;
    }
    if (pipe2(poller->pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        free(poller);
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&poller->lock, NULL);
    pthread_cond_init(&poller->turn, &attributes);
    pthread_condattr_destroy(&attributes);
    return poller;
}

void ldc_poller_free(ldc_poller *poller)
{
    if (poller == NULL) {
        return;
    }
    close(poller->pipe[0]);
    close(poller->pipe[1]);
    pthread_cond_destroy(&poller->turn);
    pthread_mutex_destroy(&poller->lock);
    free(poller->items);
    free(poller->set);
    free(poller);
}

static void interrupt(ldc_poller *poller)
{
    ssize_t written = write(poller->pipe[1], "", 1);
    (void)written; /* a full pipe interrupts just as well */
}

static watched *find(ldc_poller *poller, int fd)
{
    for (size_t i = 0; i < poller->count; i++) {
        if (poller->items[i].fd == fd) {
            return &poller->items[i];
        }
    }
    return NULL;
}

/* Room for one more; the lock is held. NULL = out of memory. */
static watched *append(ldc_poller *poller, int fd)
{
    if (poller->count == poller->capacity) {
        size_t capacity = poller->capacity == 0 ? 32 : poller->capacity * 2;
        watched *items = realloc(poller->items, capacity * sizeof *items);
        if (items == NULL) {
            return NULL;
        }
        poller->items = items;
        poller->capacity = capacity;
    }
    poller->items[poller->count] = (watched){.fd = fd};
    return &poller->items[poller->count++];
}

int ldc_poller_arm(ldc_poller *poller, int fd, uint64_t token, uint32_t events, bool first)
{
    pthread_mutex_lock(&poller->lock);
    watched *item = first ? append(poller, fd) : find(poller, fd);
    if (item != NULL) {
        item->armed = events;
        item->token = token;
        interrupt(poller);
    }
    pthread_mutex_unlock(&poller->lock);
    return item == NULL ? ENOMEM : 0;
}

void ldc_poller_remove(ldc_poller *poller, int fd)
{
    pthread_mutex_lock(&poller->lock);
    watched *item = find(poller, fd);
    if (item != NULL) {
        *item = poller->items[--poller->count];
        interrupt(poller);
    }
    pthread_mutex_unlock(&poller->lock);
}

void ldc_poller_wake(ldc_poller *poller)
{
    pthread_mutex_lock(&poller->lock);
    poller->wakes++;
    interrupt(poller);
    pthread_cond_signal(&poller->turn);
    pthread_mutex_unlock(&poller->lock);
}

/* The leader's set: the pipe first, then what is armed. The lock is held. 0 = out of memory. */
static nfds_t fill_set(ldc_poller *poller)
{
    if (poller->set_capacity < poller->count + 1) {
        size_t capacity = (poller->count + 1) * 2;
        struct pollfd *set = realloc(poller->set, capacity * sizeof *set);
        if (set == NULL) {
            return 0;
        }
        poller->set = set;
        poller->set_capacity = capacity;
    }
    nfds_t used = 0;
    poller->set[used++] = (struct pollfd){.fd = poller->pipe[0], .events = POLLIN};
    for (size_t i = 0; i < poller->count; i++) {
        uint32_t armed = poller->items[i].armed;
        if (armed != 0) {
            short events = (short)(((armed & LDC_POLL_READ) != 0 ? POLLIN | POLLRDHUP : 0) |
                                   ((armed & LDC_POLL_WRITE) != 0 ? POLLOUT : 0));
            poller->set[used++] = (struct pollfd){.fd = poller->items[i].fd, .events = events};
        }
    }
    return used;
}

static int collect(ldc_poller *poller, nfds_t used, ldc_poll_event *events, int capacity)
{
    int kept = 0;
    for (nfds_t i = 1; i < used && kept < capacity; i++) {
        short mask = poller->set[i].revents;
        watched *item = mask == 0 ? NULL : find(poller, poller->set[i].fd);
        if (item == NULL || item->armed == 0) {
            continue;
        }
        uint32_t bits = 0;
        bits |= (mask & (POLLIN | POLLRDHUP)) != 0 ? (uint32_t)LDC_POLL_READ : 0u;
        bits |= (mask & POLLOUT) != 0 ? (uint32_t)LDC_POLL_WRITE : 0u;
        bits |= (mask & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? (uint32_t)LDC_POLL_ERROR : 0u;
        item->armed = 0;
        events[kept++] = (ldc_poll_event){.token = item->token, .events = bits};
    }
    return kept;
}

int ldc_poller_wait(ldc_poller *poller, ldc_poll_event *events, int capacity, int timeout_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    int kept = 0;
    pthread_mutex_lock(&poller->lock);
    while (poller->leading && poller->wakes == 0) {
        int late = timeout_ms < 0 ? pthread_cond_wait(&poller->turn, &poller->lock)
                                  : pthread_cond_timedwait(&poller->turn, &poller->lock, &end);
        if (late == ETIMEDOUT) {
            goto done;
        }
    }
    if (poller->wakes > 0) {
        poller->wakes--;
        goto done;
    }
    poller->leading = true;
    while (kept == 0 && poller->wakes == 0) {
        nfds_t used = fill_set(poller);
        pthread_mutex_unlock(&poller->lock);
        int ready = used == 0 ? -1 : poll(poller->set, used, timeout_ms);
        pthread_mutex_lock(&poller->lock);
        if (ready == 0 || (ready < 0 && used == 0)) {
            break;
        }
        char drain[256];
        while (read(poller->pipe[0], drain, sizeof drain) == (ssize_t)sizeof drain) {
        }
        if (ready > 0) {
            kept = collect(poller, used, events, capacity);
        }
    }
    if (poller->wakes > 0) {
        poller->wakes--;
    }
    poller->leading = false;
    pthread_cond_signal(&poller->turn);
done:
    pthread_mutex_unlock(&poller->lock);
    return kept;
}

#else
typedef int ldc_poller_poll_not_used;
#endif
