/*
 * ldc_greeting.c - reads the PROXY header of one accepted connection (ldc_proxy.h), then gives the
 * connection to its listener with the client's address.
 *
 * A health check that only connects, or that says LOCAL and goes, never becomes a connection: what
 * ends before its first byte of content is closed without a word to user code. Not a byte behind
 * the header is read here: it belongs to TLS.
 */
#include "ldc_greeting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_error.h"
#include "ldc_failure_log.h"
#include "ldc_poller.h"
#include "ldc_proxy.h"

enum {
    END = LDC_BIT_OWN
};
enum {
    DEADLINE_HEADER = 0,
    ROOM = 256 /* most headers are shorter */
};

struct ldc_greeting {
    ldc_actor actor;        /* first */
    ldc_greeting *next;     /* the listener's: its list */
    ldc_listener *listener; /* reference until it is over, then NULL */
    uint64_t net_id;        /* of the listener's net, for the log */
    ldc_pending pending;
    unsigned char *bytes; /* owned, or `room` */
    size_t have, capacity;
    bool read;       /* the header has been; the first byte behind it is awaited */
    int64_t ends_at; /* 0 = the deadline is set */
    unsigned char room[ROOM];
};

static void greeting_destroy(ldc_ref *ref)
{
    ldc_greeting *greeting = (ldc_greeting *)(void *)ref;
    if (greeting->bytes != greeting->room) {
        free(greeting->bytes);
    }
    if (greeting->listener != NULL) {
        ldc_listener_put(greeting->listener);
    }
    ldc_actor_fini(&greeting->actor);
    free(greeting);
}

/* given: with its connection; else that is closed. */
static void finish(ldc_greeting *greeting, bool given)
{
    ldc_listener *listener = greeting->listener;
    greeting->listener = NULL;
    if (given) {
        greeting->pending.fd = ldc_actor_take_fd(&greeting->actor);
    }
    ldc_actor_close(&greeting->actor);
    ldc_listener_greeted(listener, greeting, given ? &greeting->pending : NULL);
    ldc_listener_put(listener);
    ldc_ref_put(&greeting->actor.ref); /* the one that kept it alive while open */
}

static void refuse(ldc_greeting *greeting, const char *why)
{
    char text[LDC_ADDRESS_TEXT];
    unsigned port;
    const ldc_pending *pending = &greeting->pending;
    ldc_address_text(pending->proxy.length > 0 ? &pending->proxy : &pending->address, text, &port);
    ldc_failure failure;
    ldc_failure_init(&failure);
    char *message = ldc_format("A connection from the trusted proxy %s was refused: %s", text, why);
    ldc_failure_fill(&failure, DICOM_ERROR_NET_PROTOCOL, DICOM_STAGE_TCP, DICOM_SIDE_PEER, message,
                     "Let the proxy send a PROXY header (HAProxy: send-proxy-v2), or take its "
                     "address out of the trusted proxies.");
    free(message);
    failure.elapsed = (double)(ldc_now_ms() - pending->since) / 1000.0;
    if (ldc_failure_log(greeting->net_id, &failure, text, port, true)) {
        ldc_listener_look(greeting->listener);
    }
    ldc_failure_clear(&failure);
    finish(greeting, false);
}

static bool make_room(ldc_greeting *greeting, size_t size)
{
    if (size <= greeting->capacity) {
        return true;
    }
    unsigned char *larger = malloc(size);
    if (larger == NULL) {
        return false;
    }
    memcpy(larger, greeting->bytes, greeting->have);
    if (greeting->bytes != greeting->room) {
        free(greeting->bytes);
    }
    greeting->bytes = larger;
    greeting->capacity = size;
    return true;
}

/* A health check of version 1 has no other way to say that it is the proxy's own connection. */
static bool is_proxy(const ldc_address *client, const ldc_address *proxy)
{
    char text[LDC_ADDRESS_TEXT];
    unsigned client_port, proxy_port;
    ldc_address_text(client, text, &client_port);
    ldc_address_text(proxy, text, &proxy_port);
    return client_port == proxy_port && ldc_address_same_host(client, proxy);
}

/* The header is complete. */
static void take(ldc_greeting *greeting, const ldc_proxy_header *header)
{
    ldc_pending *pending = &greeting->pending;
    pending->proxy = pending->address;
    pending->direct = header->direct || is_proxy(&header->client, &pending->address);
    if (!pending->direct) {
        pending->address = header->client;
        finish(greeting, true);
        return;
    }
    greeting->read = true;
}

/* One receive. false: nothing more can be done now. */
static bool read_on(ldc_greeting *greeting)
{
    ldc_proxy_header header;
    const char *why = NULL;
    size_t need = 1;
    ldc_proxy_result result =
        ldc_proxy_parse(greeting->bytes, greeting->have, &need, &header, &why);
    if (result == LDC_PROXY_REFUSED) {
        refuse(greeting, why);
        return false;
    }
    if (result == LDC_PROXY_DONE) {
        take(greeting, &header);
        return greeting->listener != NULL;
    }
    if (!make_room(greeting, greeting->have + need)) {
        finish(greeting, false);
        return false;
    }
    ssize_t got = recv(greeting->actor.fd, greeting->bytes + greeting->have, need, 0);
    if (got > 0) {
        greeting->have += (size_t)got;
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return errno == EINTR;
    }
    if (greeting->have > 0) {
        refuse(greeting, "it ended in the middle of its PROXY header");
    } else {
        finish(greeting, false); /* a check that somebody listens */
    }
    return false;
}

/* Behind a header that names no client: whether anything follows at all. */
static void await_content(ldc_greeting *greeting)
{
    char byte;
    ssize_t got = recv(greeting->actor.fd, &byte, 1, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    finish(greeting, got > 0);
}

static void greeting_step(ldc_actor *actor, uint32_t bits)
{
    ldc_greeting *greeting = (ldc_greeting *)(void *)actor;
    if (greeting->listener == NULL) {
        return;
    }
    if ((bits & END) != 0) {
        finish(greeting, false);
        return;
    }
    if (greeting->ends_at != 0) { /* the first step: nobody else sees it before the list has it */
        ldc_actor_deadline(actor, DEADLINE_HEADER, greeting->ends_at);
        greeting->ends_at = 0;
    }
    if ((bits & LDC_BIT_TIMER) != 0 && ldc_actor_expired(actor, DEADLINE_HEADER, ldc_now_ms())) {
        refuse(greeting, greeting->read
                             ? "nothing followed its header within the handshake limit"
                             : "its PROXY header did not come within the handshake limit");
        return;
    }
    while (!greeting->read && read_on(greeting)) {
    }
    if (greeting->listener != NULL && greeting->read) {
        await_content(greeting);
    }
    if (greeting->listener != NULL && ldc_actor_arm(actor, LDC_POLL_READ) != 0) {
        finish(greeting, false);
    }
}

ldc_greeting *ldc_greeting_new(ldc_listener *listener, uint64_t net_id, const ldc_pending *pending,
                               int64_t ends_at)
{
    ldc_greeting *greeting = calloc(1, sizeof *greeting);
    if (greeting == NULL ||
        ldc_actor_init(&greeting->actor, greeting_step, greeting_destroy) != 0) {
        free(greeting);
        return NULL;
    }
    ldc_listener_ref(listener);
    greeting->listener = listener;
    greeting->net_id = net_id;
    greeting->pending = *pending;
    greeting->bytes = greeting->room;
    greeting->capacity = sizeof greeting->room;
    greeting->actor.fd = pending->fd;
    ldc_ref_get(&greeting->actor.ref); /* the caller's */
    greeting->ends_at = ends_at;
    return greeting;
}

void ldc_greeting_start(ldc_greeting *greeting)
{
    ldc_actor_post(&greeting->actor, LDC_BIT_READ);
}

void ldc_greeting_end(ldc_greeting *greeting)
{
    ldc_actor_post(&greeting->actor, END);
}

void ldc_greeting_put(ldc_greeting *greeting)
{
    ldc_ref_put(&greeting->actor.ref);
}

ldc_greeting **ldc_greeting_link(ldc_greeting *greeting)
{
    return &greeting->next;
}
