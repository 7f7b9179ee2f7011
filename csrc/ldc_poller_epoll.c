/* ldc_poller_epoll.c - the epoll back end of ldc_poller.h. */
#ifndef LTDIC_POLLER_POLL

#include "ldc_poller.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    MAX_EVENTS = 32
};

struct ldc_poller {
    int epoll;
    int wake; /* eventfd, edge-triggered: each write wakes one waiter, it is never read */
};

static const uint64_t WAKE_TOKEN = UINT64_MAX;

ldc_poller *ldc_poller_new(void)
{
    ldc_poller *poller = calloc(1, sizeof *poller);
    if (poller == NULL) {
        return NULL;
    }
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    poller->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_TOKEN};
    if (poller->epoll < 0 || poller->wake < 0 ||
        epoll_ctl(poller->epoll, EPOLL_CTL_ADD, poller->wake, &event) != 0) {
        ldc_poller_free(poller);
        return NULL;
    }
    return poller;
}

void ldc_poller_free(ldc_poller *poller)
{
    if (poller == NULL) {
        return;
    }
    if (poller->wake >= 0) {
        close(poller->wake);
    }
    if (poller->epoll >= 0) {
        close(poller->epoll);
    }
    free(poller);
}

int ldc_poller_arm(ldc_poller *poller, int fd, uint64_t token, uint32_t events, bool first)
{
    struct epoll_event event = {.events = EPOLLONESHOT, .data.u64 = token};
    if ((events & LDC_POLL_READ) != 0) {
        event.events |= EPOLLIN | EPOLLRDHUP;
    }
    if ((events & LDC_POLL_WRITE) != 0) {
        event.events |= EPOLLOUT;
    }
    return epoll_ctl(poller->epoll, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0 ? 0
                                                                                            : errno;
}

void ldc_poller_remove(ldc_poller *poller, int fd)
{
    struct epoll_event event = {0};
    (void)epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, &event);
}

void ldc_poller_wake(ldc_poller *poller)
{
    uint64_t one = 1;
    ssize_t written = write(poller->wake, &one, sizeof one);
    (void)written; /* cannot block: 2^64 wakes do not happen */
}

int ldc_poller_wait(ldc_poller *poller, ldc_poll_event *events, int capacity, int timeout_ms)
{
    struct epoll_event ready[MAX_EVENTS];
    int count =
        epoll_wait(poller->epoll, ready, capacity < MAX_EVENTS ? capacity : MAX_EVENTS, timeout_ms);
    int kept = 0;
    for (int i = 0; i < count; i++) {
        if (ready[i].data.u64 == WAKE_TOKEN) {
            continue;
        }
        uint32_t mask = ready[i].events;
        uint32_t bits = 0;
        bits |= (mask & (EPOLLIN | EPOLLRDHUP)) != 0 ? (uint32_t)LDC_POLL_READ : 0u;
        bits |= (mask & EPOLLOUT) != 0 ? (uint32_t)LDC_POLL_WRITE : 0u;
        bits |= (mask & (EPOLLERR | EPOLLHUP)) != 0 ? (uint32_t)LDC_POLL_ERROR : 0u;
        events[kept++] = (ldc_poll_event){.token = ready[i].data.u64, .events = bits};
    }
    return kept;
}

#else
typedef int ldc_poller_epoll_not_used;
#endif
