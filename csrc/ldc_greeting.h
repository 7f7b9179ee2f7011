/*
 * ldc_greeting.h - a connection from a configured proxy, before it is one of the listener's: its
 * PROXY header is read, and only then is it told of.
 */
#ifndef LDC_GREETING_H
#define LDC_GREETING_H

#include "ldc_conn.h"

typedef struct ldc_greeting ldc_greeting;

/* Takes pending->fd over on success; pending->address is the proxy's. ends_at: when the header must
 * have come. The caller gets a reference. NULL = no memory. */
ldc_greeting *ldc_greeting_new(ldc_listener *listener, uint64_t net_id, const ldc_pending *pending,
                               int64_t ends_at);
/* Begins to read; ldc_listener_greeted is called once from now on. */
void ldc_greeting_start(ldc_greeting *greeting);
/* Any thread: closes it, unless it is over. */
void ldc_greeting_end(ldc_greeting *greeting);
void ldc_greeting_put(ldc_greeting *greeting);
/* Where the listener, under its lock, keeps the next one of its list. */
ldc_greeting **ldc_greeting_link(ldc_greeting *greeting);

/* ldc_listener.c; the greeting's strand. pending: whom it turned out to be, taken over; NULL: it is
 * closed. */
void ldc_listener_greeted(ldc_listener *listener, ldc_greeting *greeting,
                          const ldc_pending *pending);

#endif
