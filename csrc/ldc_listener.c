/*
 * ldc_listener.c - a listening socket: accepts in batches, keeps what waits for Accept, never
 * handshakes. While it is open it also looks at what a node has to look at now and then:
 * certificates that end, failures that were counted and not told.
 *
 * Each accepted connection waits in a list, oldest first, until the user's Accept takes it or the
 * handshake limit is over. The listener is told of each by one ACCEPT event. One from a configured
 * proxy is a greeting first (ldc_greeting.c): it comes into the list when its header has been read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_conn.h"
#include "ldc_error.h"
#include "ldc_expiry.h"
#include "ldc_failure_log.h"
#include "ldc_greeting.h"
#include "ldc_poller.h"
#include "ldc_proxy.h"

enum {
    ACCEPTS_AT_ONCE = 64,
    DEADLINE_PENDING = 0,
    DEADLINE_AGAIN = 1,
    DEADLINE_EXPIRY = 2,
    DEADLINE_FAILURES = 3,
    AGAIN_MS = 100
};
enum {
    STOP = LDC_BIT_OWN,
    LOOK = LDC_BIT_OWN << 1,
    GREETED = LDC_BIT_OWN << 2
};

typedef struct waiting {
    struct waiting *next;
    ldc_pending pending; /* owns the descriptor */
} waiting;

struct ldc_listener {
    ldc_actor actor;      /* first */
    ldc_net *net;         /* reference until it is stopped */
    ldc_proxies *proxies; /* reference, NULL = none */
    int64_t limit_ms;
    uint64_t max_connections, max_pending;
    int reserve; /* a descriptor kept for the day when there is none left; -1 = used up */
    bool told_exhausted, told_full;
    /* under actor.lock */
    waiting *first, *last;
    size_t count;
    ldc_greeting *greetings; /* references, newest first */
    size_t greeting_count;
    waiting *greeted, *greeted_last; /* owned: greetings that are over, still to be told of */
    bool stopped;
    int listening; /* the descriptor while it listens, for stop; -1 afterwards */
};

static atomic_ullong accepted;

static void listener_destroy(ldc_ref *ref)
{
    ldc_listener *listener = (ldc_listener *)(void *)ref;
    if (listener->reserve >= 0) {
        close(listener->reserve);
    }
    if (listener->net != NULL) {
        ldc_net_put(listener->net);
    }
    if (listener->proxies != NULL) {
        ldc_ref_put(&listener->proxies->ref);
    }
    ldc_actor_fini(&listener->actor);
    free(listener);
}

bool ldc_listener_take(ldc_listener *listener, ldc_pending *pending)
{
    pthread_mutex_lock(&listener->actor.lock);
    waiting *item = listener->first;
    if (item != NULL) {
        listener->first = item->next;
        listener->last = item->next == NULL ? NULL : listener->last;
        listener->count--;
    }
    pthread_mutex_unlock(&listener->actor.lock);
    if (item == NULL) {
        return false;
    }
    *pending = item->pending;
    free(item);
    return true;
}

static void drop_oldest(ldc_listener *listener)
{
    ldc_pending pending;
    if (ldc_listener_take(listener, &pending)) {
        close(pending.fd);
    }
}

/* Closes what has waited longer than the handshake limit; sets the next deadline. */
static void expire(ldc_listener *listener, int64_t now)
{
    int64_t oldest = 0;
    for (;;) {
        pthread_mutex_lock(&listener->actor.lock);
        oldest = listener->first == NULL ? 0 : listener->first->pending.since;
        pthread_mutex_unlock(&listener->actor.lock);
        if (oldest == 0 || oldest + listener->limit_ms > now) {
            break;
        }
        ldc_log(DICOM_LOG_WARNING, listener->net->id,
                "a connection waited for Accept longer than the handshake limit and is closed");
        drop_oldest(listener);
    }
    ldc_actor_deadline(&listener->actor, DEADLINE_PENDING,
                       oldest == 0 ? 0 : oldest + listener->limit_ms);
}

static void keep(ldc_listener *listener, waiting *item)
{
    item->next = NULL;
    pthread_mutex_lock(&listener->actor.lock);
    if (listener->last == NULL) {
        listener->first = item;
    } else {
        listener->last->next = item;
    }
    listener->last = item;
    bool full = ++listener->count > listener->max_pending;
    pthread_mutex_unlock(&listener->actor.lock);
    if (full) {
        drop_oldest(listener);
    }
    atomic_fetch_add(&accepted, 1u);
    ldc_deliver(listener->net, LDC_EVENT_ACCEPT, DICOM_SUCCESS);
}

/* ---- greetings ---- */

/* The lock is held. false: it is not in the list. */
static bool unlist(ldc_listener *listener, ldc_greeting *greeting)
{
    ldc_greeting **at = &listener->greetings;
    while (*at != NULL && *at != greeting) {
        at = ldc_greeting_link(*at);
    }
    if (*at == NULL) {
        return false;
    }
    *at = *ldc_greeting_link(greeting);
    listener->greeting_count--;
    return true;
}

/* Many do not greet at all: the oldest one goes. */
static void end_oldest_greeting(ldc_listener *listener)
{
    pthread_mutex_lock(&listener->actor.lock);
    ldc_greeting *oldest = listener->greetings;
    while (oldest != NULL && *ldc_greeting_link(oldest) != NULL) {
        oldest = *ldc_greeting_link(oldest);
    }
    bool found = oldest != NULL && unlist(listener, oldest);
    pthread_mutex_unlock(&listener->actor.lock);
    if (found) {
        ldc_greeting_end(oldest);
        ldc_greeting_put(oldest);
    }
}

static void greet(ldc_listener *listener, const ldc_pending *pending)
{
    ldc_greeting *greeting =
        ldc_greeting_new(listener, listener->net->id, pending, pending->since + listener->limit_ms);
    if (greeting == NULL) {
        close(pending->fd);
        return;
    }
    pthread_mutex_lock(&listener->actor.lock);
    *ldc_greeting_link(greeting) = listener->greetings;
    listener->greetings = greeting;
    bool full = ++listener->greeting_count > listener->max_pending;
    pthread_mutex_unlock(&listener->actor.lock);
    ldc_greeting_start(greeting);
    if (full) {
        end_oldest_greeting(listener);
    }
}

void ldc_listener_greeted(ldc_listener *listener, ldc_greeting *greeting,
                          const ldc_pending *pending)
{
    waiting *item = pending == NULL ? NULL : calloc(1, sizeof *item);
    if (item != NULL) {
        item->pending = *pending;
    }
    pthread_mutex_lock(&listener->actor.lock);
    bool listed = unlist(listener, greeting);
    bool kept = item != NULL && listed && !listener->stopped;
    if (kept) {
        *(listener->greeted_last == NULL ? &listener->greeted : &listener->greeted_last->next) =
            item;
        listener->greeted_last = item;
    }
    pthread_mutex_unlock(&listener->actor.lock);
    if (kept) {
        ldc_actor_post(&listener->actor, GREETED);
    } else if (pending != NULL) {
        close(pending->fd);
        free(item);
    }
    if (listed) {
        ldc_greeting_put(greeting);
    }
}

static waiting *take_greeted(ldc_listener *listener)
{
    pthread_mutex_lock(&listener->actor.lock);
    waiting *first = listener->greeted;
    listener->greeted = NULL;
    listener->greeted_last = NULL;
    pthread_mutex_unlock(&listener->actor.lock);
    return first;
}

static void keep_greeted(ldc_listener *listener)
{
    waiting *item = take_greeted(listener);
    while (item != NULL) {
        waiting *next = item->next;
        keep(listener, item);
        item = next;
    }
    expire(listener, ldc_now_ms());
}

static void stop_greetings(ldc_listener *listener)
{
    pthread_mutex_lock(&listener->actor.lock);
    listener->stopped = true;
    ldc_greeting *greeting = listener->greetings;
    listener->greetings = NULL;
    listener->greeting_count = 0;
    pthread_mutex_unlock(&listener->actor.lock);
    while (greeting != NULL) {
        ldc_greeting *next = *ldc_greeting_link(greeting);
        ldc_greeting_end(greeting);
        ldc_greeting_put(greeting);
        greeting = next;
    }
    waiting *item = take_greeted(listener);
    while (item != NULL) {
        waiting *next = item->next;
        close(item->pending.fd);
        free(item);
        item = next;
    }
}

/* ---- accepting ---- */

/* No descriptor is left: the reserve accepts one connection and closes it, so that the backlog does
 * not spin. */
static void turn_one_away(ldc_listener *listener)
{
    if (!listener->told_exhausted) {
        listener->told_exhausted = true;
        ldc_log(
            DICOM_LOG_ERROR, listener->net->id, "%s",
            "no file descriptors are left: connections are turned away. Raise the limit (ulimit -n).");
    }
    if (listener->reserve >= 0) {
        close(listener->reserve);
        int fd = accept4(listener->actor.fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            close(fd);
        }
    }
    listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool room_for_one(ldc_listener *listener)
{
    pthread_mutex_lock(&listener->net->lock);
    size_t children = listener->net->child_count;
    pthread_mutex_unlock(&listener->net->lock);
    pthread_mutex_lock(&listener->actor.lock);
    size_t pending = listener->count + listener->greeting_count;
    pthread_mutex_unlock(&listener->actor.lock);
    if (children + pending < listener->max_connections) {
        return true;
    }
    if (!listener->told_full) {
        listener->told_full = true;
        ldc_log(DICOM_LOG_WARNING, listener->net->id,
                "the limit of %llu connections is reached: more are turned away",
                (unsigned long long)listener->max_connections);
    }
    return false;
}

/* One that was accepted. */
static void welcome(ldc_listener *listener, int fd, const ldc_address *address)
{
    ldc_pending pending = {.fd = fd, .address = *address, .since = ldc_now_ms()};
    if (!room_for_one(listener)) {
        close(fd);
    } else if (ldc_proxies_have(listener->proxies, address)) {
        greet(listener, &pending);
    } else {
        waiting *item = calloc(1, sizeof *item);
        if (item == NULL) {
            close(fd);
            return;
        }
        item->pending = pending;
        keep(listener, item);
    }
}

static void accept_some(ldc_listener *listener)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        ldc_address address = {.length = sizeof address.storage};
        int fd = accept4(listener->actor.fd, (struct sockaddr *)&address.storage, &address.length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(listener, fd, &address);
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        }
        if (errno == EMFILE || errno == ENFILE) {
            turn_one_away(listener);
            if (listener->reserve <
                0) { /* not even that: look again a little later instead of spinning */
                ldc_actor_deadline(&listener->actor, DEADLINE_AGAIN, ldc_now_ms() + AGAIN_MS);
                return;
            }
        } else if (errno == ENOMEM || errno == ENOBUFS) {
            ldc_actor_deadline(&listener->actor, DEADLINE_AGAIN, ldc_now_ms() + AGAIN_MS);
            return;
        }
        /* Anything else concerns one connection that is gone already (accept(2)). */
    }
    expire(listener, ldc_now_ms());
    if (ldc_actor_arm(&listener->actor, LDC_POLL_READ) != 0) {
        ldc_actor_deadline(&listener->actor, DEADLINE_AGAIN, ldc_now_ms() + AGAIN_MS);
    }
}

/* ---- now and then ---- */

static void look_at_certificates(ldc_listener *listener)
{
    ldc_net *net = listener->net;
    pthread_mutex_lock(&net->lock);
    ldc_tls_credentials *credentials = net->mode == DICOM_SECURE_TLS ? net->credentials : NULL;
    ldc_tls_settings *settings = net->mode == DICOM_SECURE_TLS ? net->settings : NULL;
    ldc_tls_context *context = net->context; /* its children's */
    if (credentials != NULL) {
        ldc_ref_get(&credentials->shared.ref);
    }
    if (settings != NULL) {
        ldc_ref_get(&settings->ref);
    }
    if (context != NULL) {
        ldc_ref_get(&context->shared.ref);
    }
    pthread_mutex_unlock(&net->lock);
    ldc_expiry_look(net->id, credentials, settings == NULL ? NULL : settings->anchors);
    if (credentials != NULL) {
        ldc_ref_put(&credentials->shared.ref);
    }
    if (settings != NULL) {
        ldc_ref_put(&settings->ref);
    }
    if (context != NULL) {
        ldc_expiry_look_at_context(net->id, context);
        ldc_ref_put(&context->shared.ref);
    }
}

static void look_at_failures(ldc_listener *listener)
{
    ldc_actor_deadline(&listener->actor, DEADLINE_FAILURES,
                       ldc_failure_log_look(ldc_now_ms(), false));
}

static void stop(ldc_listener *listener)
{
    ldc_net *net = listener->net;
    (void)ldc_failure_log_look(0, true); /* nobody will do it later */
    listener->net = NULL;
    ldc_actor_close(&listener->actor);
    stop_greetings(listener);
    ldc_pending pending;
    while (ldc_listener_take(listener, &pending)) {
        close(pending.fd);
    }
    ldc_net_put(net);
    ldc_ref_put(&listener->actor.ref); /* the one that kept it alive while open */
}

/* The net's limits as they are now: they may be set while it listens. */
static void take_limits(ldc_listener *listener)
{
    pthread_mutex_lock(&listener->net->lock);
    const uint64_t *limit = listener->net->limits.value;
    listener->limit_ms = (int64_t)limit[LDC_LIMIT_HANDSHAKE_TIMEOUT];
    listener->max_connections = limit[LDC_LIMIT_CONNECTIONS];
    listener->max_pending = limit[LDC_LIMIT_HANDSHAKES_TOTAL];
    pthread_mutex_unlock(&listener->net->lock);
}

static void listener_step(ldc_actor *actor, uint32_t bits)
{
    ldc_listener *listener = (ldc_listener *)(void *)actor;
    if (listener->net == NULL) {
        return;
    }
    if ((bits & STOP) != 0) {
        stop(listener);
        return;
    }
    take_limits(listener);
    int64_t now = ldc_now_ms();
    bool timer = (bits & LDC_BIT_TIMER) != 0;
    if (timer && ldc_actor_expired(actor, DEADLINE_EXPIRY, now)) {
        look_at_certificates(listener);
    }
    if (actor->deadline[DEADLINE_EXPIRY] == 0) {
        ldc_actor_deadline(actor, DEADLINE_EXPIRY, now + (int64_t)LDC_EXPIRY_EVERY * 1000);
    }
    if ((timer && ldc_actor_expired(actor, DEADLINE_FAILURES, now)) || (bits & LOOK) != 0) {
        look_at_failures(listener);
    }
    bool again = timer && ldc_actor_expired(actor, DEADLINE_AGAIN, now);
    if (timer && ldc_actor_expired(actor, DEADLINE_PENDING, now)) {
        expire(listener, now);
    }
    if ((bits & GREETED) != 0) {
        keep_greeted(listener);
    }
    if (again || (bits & (LDC_BIT_READ | LDC_BIT_ERROR)) != 0) {
        accept_some(listener);
    }
}

int ldc_listener_new(ldc_net *net, int fd)
{
    ldc_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL ||
        ldc_actor_init(&listener->actor, listener_step, listener_destroy) != 0) {
        free(listener);
        return ldc_error(DICOM_ERROR_MEMORY, "%s",
                         "no memory, thread or descriptor is left for a listener");
    }
    ldc_ref_get(&net->ref);
    listener->net = net;
    take_limits(listener);
    listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    listener->listening = fd;
    look_at_certificates(listener); /* in the call: a program hears of it when it begins */
    pthread_mutex_lock(&net->lock);
    listener->proxies = net->proxies; /* settings stay as they are while it listens */
    if (listener->proxies != NULL) {
        ldc_ref_get(&listener->proxies->ref);
    }
    bool disposed = net->disposed;
    if (!disposed) {
        listener->actor.fd = fd;
        ldc_ref_get(&listener->actor.ref); /* the net's */
        net->listener = listener;
    }
    pthread_mutex_unlock(&net->lock);
    if (disposed) { /* freed meanwhile by another thread, which did not see the listener */
        listener->listening = -1;
        ldc_actor_post(&listener->actor, STOP);
        return ldc_error(DICOM_ERROR_OBJECT_DISPOSED, "%s", "the net was freed");
    }
    ldc_actor_post(&listener->actor, LDC_BIT_READ);
    return DICOM_SUCCESS;
}

void ldc_listener_stop(ldc_listener *listener)
{
    pthread_mutex_lock(&listener->actor.lock);
    if (listener->listening >= 0) {
        /* At once, so that the address is free when Close returns; the strand closes the
         * descriptor. */
        (void)shutdown(listener->listening, SHUT_RDWR);
        listener->listening = -1;
    }
    pthread_mutex_unlock(&listener->actor.lock);
    ldc_actor_post(&listener->actor, STOP);
}

void ldc_listener_put(ldc_listener *listener)
{
    if (listener != NULL) {
        ldc_ref_put(&listener->actor.ref);
    }
}

uint64_t ldc_listener_accepted(void)
{
    return atomic_load(&accepted);
}

bool ldc_listener_has_pending(ldc_listener *listener)
{
    pthread_mutex_lock(&listener->actor.lock);
    bool some = listener->first != NULL;
    pthread_mutex_unlock(&listener->actor.lock);
    return some;
}

void ldc_listener_ref(ldc_listener *listener)
{
    ldc_ref_get(&listener->actor.ref);
}

void ldc_listener_look(ldc_listener *listener)
{
    if (listener != NULL) {
        ldc_actor_post(&listener->actor, LOOK);
    }
}
