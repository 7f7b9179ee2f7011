/* ldc_conn.h - one TCP connection of a net, from its start to the last byte drained. See ldc_conn.c
 * for its phases. */
#ifndef LDC_CONN_H
#define LDC_CONN_H

#include "ldc_net.h"

enum {
    LDC_CONN_START = LDC_BIT_OWN, /* begin to connect */
    LDC_CONN_RESOLVED = LDC_BIT_OWN << 1,
    LDC_CONN_GO = LDC_BIT_OWN << 2,        /* CONNECT has been told, or a child was accepted */
    LDC_CONN_CLOSE = LDC_BIT_OWN << 3,     /* the user's Close */
    LDC_CONN_ABORT = LDC_BIT_OWN << 4,     /* the user's CloseForced or the end of the net */
    LDC_CONN_SILENT = LDC_BIT_OWN << 5,    /* with ABORT: nobody is told */
    LDC_CONN_SEND = LDC_BIT_OWN << 7,      /* something is queued to be sent */
    LDC_CONN_RESUME = LDC_BIT_OWN << 8,    /* the inbox has room again */
    LDC_CONN_ADOPTED = LDC_BIT_OWN << 9,   /* a child was accepted: its time runs */
    LDC_CONN_SETTINGS = LDC_BIT_OWN << 10, /* limits of the net have changed */
    LDC_CONN_EVICT = LDC_BIT_OWN << 6, /* the limit of unfinished handshakes: this was the oldest */
};

/* What a connection that we open aims at. */
typedef struct ldc_target {
    char *name; /* owned: host name still to be resolved, NULL = addresses are known */
    unsigned port;
    int ip_type;
    ldc_address local; /* length 0 = the system chooses */
    ldc_address addresses[8];
    int count;
    int socket; /* made and bound already for addresses[0], or -1 */
} ldc_target;

/* The net is busy already. tls NULL = plain. Takes target over on success. The caller gets a
 * reference. */
ldc_conn *ldc_conn_open(ldc_net *net, ldc_tls_context *tls, ldc_target *target);
/* A connection that a listener accepted at `since`; takes fd over on success. parent: the
 * listener's net. */
ldc_conn *ldc_conn_adopt(ldc_net *net, ldc_tls_context *tls, int fd, const ldc_address *peer,
                         int64_t since);
/* Any thread. Bits of the user's commands. */
void ldc_conn_command(ldc_conn *conn, uint32_t bits);
void ldc_conn_ref(ldc_conn *conn);
void ldc_conn_put(ldc_conn *conn);
uint64_t ldc_conn_id(const ldc_conn *conn);
/* Strand and delivery: the question that the strand waits for, so that commands can end the wait.
 */
void ldc_conn_set_question(ldc_conn *conn, ldc_question *question);
/* News of this connection has been told or dropped; cost as it was delivered with. */
void ldc_conn_told(ldc_conn *conn, uint64_t cost);
/* The DICOM upper layer; lives as long as the connection. */
struct ldc_upper *ldc_conn_upper(ldc_conn *conn);
int64_t ldc_conn_handshake_deadline(const ldc_conn *conn);
bool ldc_conn_ending(ldc_conn *conn);

void ldc_conn_after_fork(void);

/* Statistics. */
typedef struct ldc_conn_counts {
    unsigned handshakes;
    uint64_t links, link_failures, resumed;
} ldc_conn_counts;
ldc_conn_counts ldc_conn_statistics(void);

/* ---- ldc_handshakes.c: unfinished inbound handshakes, oldest first ---- */

/* Counts one more and, past a limit, evicts the oldest. per_address 0: this address is exempt. */
void ldc_handshakes_add(ldc_conn *conn, const ldc_address *address, uint64_t per_address,
                        uint64_t total);
void ldc_handshakes_remove(ldc_conn *conn);
size_t ldc_handshakes_count(void);
void ldc_handshakes_after_fork(void);

/* ---- ldc_listener.c ---- */

typedef struct ldc_pending {
    int fd;
    ldc_address address; /* the client's */
    ldc_address proxy;   /* of the proxy in between; length 0 = none */
    bool direct;         /* with a proxy: it is itself the client */
    int64_t since;
} ldc_pending;

/* Makes the net listen on fd, which is taken over on success. 0 or code. */
int ldc_listener_new(ldc_net *net, int fd);
bool ldc_listener_take(ldc_listener *listener, ldc_pending *pending); /* the oldest; false = none */
bool ldc_listener_has_pending(ldc_listener *listener);
void ldc_listener_stop(ldc_listener *listener); /* any thread; no more is accepted from now on */
void ldc_listener_ref(ldc_listener *listener);
void ldc_listener_put(ldc_listener *listener);
void ldc_listener_look(ldc_listener *listener); /* there are failures to be told later; NULL: no */
uint64_t ldc_listener_accepted(void);           /* since the start */

#endif
