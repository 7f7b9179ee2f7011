/*
 * ldc_conn_inner.h - what the files of a connection share, and nobody else: ldc_conn.c (life,
 * steps, commands), ldc_conn_open.c (resolve, connect), ldc_conn_link.c (handshake, reading,
 * writing), ldc_conn_inbox.c (what user code is to be told), ldc_conn_call.c (calls that wait),
 * ldc_conn_end.c (the end).
 */
#ifndef LDC_CONN_INNER_H
#define LDC_CONN_INNER_H

#include <stdatomic.h>

#include "ldc_conn.h"
#include "ldc_conn_call.h"
#include "ldc_upper.h"
#include "ldc_window.h"

typedef enum phase {
    OPENING,
    TOLD,
    HANDSHAKE,
    LATE,
    READY,
    DRAINING,
    DEAD
} phase;

enum {
    DEADLINE_PHASE = 0,
    DEADLINE_LINGER = 1,
    DEADLINE_UPPER = 2,
    DEADLINE_PROGRESS = 3,
    DEADLINE_IDLE = 4
};
enum {
    READ_SIZE = 64 * 1024, /* of TLS: one record */
    READS_AT_ONCE = 16,
    SMALL_READ = 256, /* less is the beginning of a PDU, not its data */
    DRAIN_BYTES = 64 * 1024 * 1024,
    FORCED_LINGER_MS = 1000,
    INBOX_MESSAGES = 64,
    INBOX_BYTES = 64 * 1024 * 1024,
    CROWDED_LINGER_MS = 100,
    MAX_DRAINING = 256, /* more at once are crowded */
};

struct ldc_conn {
    ldc_actor actor;      /* first */
    ldc_net *net;         /* reference until told of the end, then NULL */
    ldc_tls_context *tls; /* reference, NULL = plain */
    bool server;
    phase phase;
    ldc_transport *transport; /* owned */
    ldc_target target;        /* owned; opening only */
    int next_address;
    bool resolved;
    int gai;
    ldc_limits limits;
    int64_t began;
    int64_t handshake_deadline;
    bool first_data_seen;
    ldc_upper *upper; /* owned */
    unsigned timer_serial;
    int64_t last_read, last_write;
    bool want_write, read_wants_write;
    uint32_t interest;  /* LDC_POLL_..., while ready: what was armed last */
    bool borrowed;      /* the strand is a calling thread's, which polls itself */
    bool read_last;     /* writing has failed: what is there is read, then it ends */
    bool close_pending; /* the user's Close waits for what is queued */
    atomic_bool paused; /* the inbox is full: nothing is read */
    atomic_size_t inbox_count;
    atomic_ullong inbox_bytes;
    atomic_uint waiting;              /* calls that wait for a response */
    ldc_news *gate_first, *gate_last; /* owned: counted, and held back (ldc_conn_inbox.c) */
    size_t drained;
    pthread_mutex_t await_lock;
    pthread_cond_t await_done;
    ldc_await *awaits;      /* owned, under await_lock */
    ldc_question *question; /* reference, under actor.lock */
    bool ending;            /* under actor.lock: the user's command to end was given */
    bool evicted;           /* under actor.lock: so was EVICT */
};

typedef struct endpoints {
    ldc_address peer, host;
} endpoints;

/* Counted over all connections. */
extern struct ldc_conn_totals {
    atomic_uint handshakes, draining;
    atomic_ullong links, link_failures, resumed;
} ldc_conn_totals;

/* ldc_conn.c */
void ldc_conn_target_clear(ldc_target *target);
void ldc_conn_apply_socket_options(ldc_conn *conn, int fd);

/* ldc_conn_inbox.c */
bool ldc_conn_inbox_full(ldc_conn *conn);
void ldc_conn_look_at_inbox(ldc_conn *conn); /* there is room perhaps: then reading goes on */
void ldc_conn_take_news(void *owner, ldc_news *news, uint64_t cost);
/* Lets go what may be told now; all: whatever was agreed, the connection ends. */
void ldc_conn_open_gate(ldc_conn *conn, bool all);
void ldc_conn_drop_gate(ldc_conn *conn);

/* ldc_conn_open.c */
endpoints ldc_conn_endpoints_of(int fd);
void ldc_conn_set_endpoints(ldc_net *net, const endpoints *ends); /* the net's lock is held */
bool ldc_conn_make_transport(ldc_conn *conn);
void ldc_conn_begin(ldc_conn *conn);
void ldc_conn_resolved(ldc_conn *conn);
void ldc_conn_connect_progress(ldc_conn *conn);
void ldc_conn_end_connect(ldc_conn *conn, int error);

/* ldc_conn_link.c */
int ldc_conn_verdict(void *owner, int ok, char *text, int code, const char *error_text);
bool ldc_conn_asks(void *owner); /* ldc_asks_fn */
void ldc_conn_go(ldc_conn *conn);
void ldc_conn_shake_hands(ldc_conn *conn);
void ldc_conn_timed_out(ldc_conn *conn);
void ldc_conn_late_done(ldc_conn *conn);
void ldc_conn_read(ldc_conn *conn);
void ldc_conn_serve(ldc_conn *conn);
int64_t ldc_conn_idle_at(ldc_conn *conn); /* when it will have been idle for too long; 0 = never */

/* ldc_conn_end.c */
void ldc_conn_die(ldc_conn *conn);
void ldc_conn_drain(ldc_conn *conn);
void ldc_conn_linger(ldc_conn *conn, bool goodbye, bool forced);
void ldc_conn_finish(ldc_conn *conn, int code, ldc_failure *failure, bool silent);
void ldc_conn_end(ldc_conn *conn, int code, ldc_failure *failure, bool goodbye);
void ldc_conn_end_failed(ldc_conn *conn);
void ldc_conn_end_with(ldc_conn *conn, int code, int stage, int side, const char *message,
                       const char *remedy);

#endif
