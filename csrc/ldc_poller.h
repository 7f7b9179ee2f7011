/*
 * ldc_poller.h - one set of descriptors, one-shot arming, any number of waiting threads.
 *
 * Back ends: epoll (ldc_poller_epoll.c) and poll (ldc_poller_poll.c, for systems without epoll);
 * one is compiled in. An event is given to exactly one waiter and disarms the descriptor until it
 * is armed again.
 */
#ifndef LDC_POLLER_H
#define LDC_POLLER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LDC_POLL_READ = 1,
    LDC_POLL_WRITE = 2,
    LDC_POLL_ERROR = 4
};

typedef struct ldc_poll_event {
    uint64_t token;
    uint32_t events;
} ldc_poll_event;

typedef struct ldc_poller ldc_poller;

ldc_poller *ldc_poller_new(void); /* NULL: out of memory or descriptors */
void ldc_poller_free(ldc_poller *poller);
/* Arms for one event, the first time adding fd. May be called while others wait. 0 or errno. */
int ldc_poller_arm(ldc_poller *poller, int fd, uint64_t token, uint32_t events, bool first);
void ldc_poller_remove(ldc_poller *poller, int fd);
/* Wakes one waiter, or the next one to wait. */
void ldc_poller_wake(ldc_poller *poller);
/* Waits up to timeout_ms (-1 = for ever); returns the number of events, 0 after a time-out or a
 * wake. */
int ldc_poller_wait(ldc_poller *poller, ldc_poll_event *events, int capacity, int timeout_ms);

#endif
