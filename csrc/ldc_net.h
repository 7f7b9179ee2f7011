/*
 * ldc_net.h - the net: what a user's HDICOMNET stands for. Settings, callbacks, state, failure, the
 * queue of events.
 *
 * Owners: a net has one connection *or* one listener at a time (references); they hold the net
 * until they end. A child holds its listener's net. Lock: net->lock guards every field below it; it
 * is never held while user code, another net's lock (except parent before nobody) or a strand runs.
 */
#ifndef LDC_NET_H
#define LDC_NET_H

#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ldc_address.h"
#include "ldc_associate.h"
#include "ldc_engine.h"
#include "ldc_failure.h"
#include "ldc_registry.h"
#include "ldc_tls.h"
#include "ltdic.h"

typedef struct ldc_conn ldc_conn;
typedef struct ldc_listener ldc_listener;
typedef struct ldc_net ldc_net;

/* ---- limits: one table (ldc_net.c) gives number, default, lowest, highest ---- */

typedef enum ldc_limit {
    LDC_LIMIT_HANDSHAKE_TIMEOUT,
    LDC_LIMIT_LATE_REFUSAL_WAIT,
    LDC_LIMIT_CONNECT_TIMEOUT,
    LDC_LIMIT_LINGER_TIMEOUT,
    LDC_LIMIT_CONNECTIONS,
    LDC_LIMIT_HANDSHAKES_PER_ADDRESS,
    LDC_LIMIT_HANDSHAKES_TOTAL,
    LDC_LIMIT_ALLOW_PLAIN_CHILDREN,
    LDC_LIMIT_ARTIM_TIMEOUT,
    LDC_LIMIT_ASSOCIATION_TIMEOUT,
    LDC_LIMIT_IDLE_TIMEOUT,
    LDC_LIMIT_SEND_TIMEOUT,
    LDC_LIMIT_PROGRESS_TIMEOUT,
    LDC_LIMIT_DATA_SET_MEMORY,
    LDC_LIMIT_DATA_SET_TOTAL,
    LDC_LIMIT_SEND_QUEUE,
    LDC_LIMIT_SPILL_QUOTA,
    LDC_LIMIT_COUNT,
} ldc_limit;

typedef struct ldc_limits {
    uint64_t value[LDC_LIMIT_COUNT];
    bool address_limit_set; /* HANDSHAKES_PER_ADDRESS was set by the user: it then counts loopback
                               too */
} ldc_limits;

/* ---- events: what user code is to be told ---- */

typedef enum ldc_event_kind {
    LDC_EVENT_GO, /* not user code: the connection may go on, all before it has been told */
    LDC_EVENT_CONNECT,
    LDC_EVENT_ACCEPT,
    LDC_EVENT_SECURE_LINK_READY,
    LDC_EVENT_CLOSE,
    LDC_EVENT_VERIFY, /* pumped mode only */
    LDC_EVENT_NEWS,   /* of the upper layer */
} ldc_event_kind;

/* A certificate waiting for its verdict in pumped mode; shared by the strand that waits and the
 * thread that pumps. */
typedef struct ldc_question {
    ldc_ref ref;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;
    int answer;
    int ok, code;
    char *text, *error_text; /* owned */
} ldc_question;

typedef struct ldc_event {
    struct ldc_event *next;      /* in its net's queue */
    struct ldc_event *pump_next; /* in the pump's */
    ldc_net *net;                /* a reference */
    ldc_event_kind kind;
    int code;
    ldc_conn *conn;         /* GO, NEWS: a reference */
    ldc_net *peer;          /* CLOSE: a reference to the net that closed */
    ldc_net *parent;        /* CLOSE of a child: a reference to its listener, told next */
    ldc_question *question; /* VERIFY: a reference */
    struct ldc_news *news;  /* NEWS: owned */
    uint64_t cost;          /* NEWS: what it counts in the inbox */
    bool out_of_turn;       /* NEWS: not behind a callback that runs (C-CANCEL-RQ) */
} ldc_event;

/* ---- the live or last link, for look-ups ---- */

typedef struct ldc_link_info {
    uint32_t suite; /* 0 = none */
    uint32_t peer_key_bits, own_key_bits;
    uint32_t dh_bits, ec_bits; /* of the key exchange; 0 = another kind */
    int peer_hash, own_hash; /* NID of the handshake's signatures; NID_undef = none, or built in */
    X509 *own;               /* owned: own certificate that the peer was shown, or NULL */
    bool verified, resumed, certificate_requested;
    int verify_code;
    const char *revocation, *ocsp; /* static; NULL = no link */
    char version[16];
    char group[32];
    char application[16];      /* the protocol of ALPN, "" = none */
    char *server_name;         /* owned: sent or asked for, NULL = none */
    char *peer_subject;        /* owned */
    char *ca_names;            /* owned: one per line */
    STACK_OF(X509) * received; /* owned */
} ldc_link_info;

struct ldc_net {
    ldc_ref ref;
    uint64_t id; /* the user's handle */
    int pid;
    pthread_mutex_t lock;
    pthread_cond_t idle; /* busy became false */
    bool disposed;
    /* configuration: frozen while busy */
    bool busy;
    bool closing;   /* busy, and the end has been asked for or has come */
    bool finishing; /* the connection has ended and lets go at any moment */
    bool forced;    /* CloseForced was called: on a listener, children too */
    bool silent;    /* CloseForced(net, 0): nothing more is told of this connection */
    char *path;
    uint32_t mode;
    uint32_t flags;
    ldc_tls_settings *settings;       /* reference, NULL until Initialize of a TLS net */
    ldc_tls_credentials *credentials; /* held, or NULL */
    ldc_tls_choice choice;
    ldc_tls_origin origin;    /* of the credentials */
    bool children_inherit;    /* a listener's children use its TLS, not their own */
    bool reloading;           /* certificates and lists are being read anew: frozen, too */
    ldc_tls_context *context; /* held: that of the last connection, of a listener its children's */
    ldc_limits limits;
    bool reuse_port;             /* other processes may listen on the same address and port */
    struct ldc_proxies *proxies; /* reference, or NULL: from whom PROXY headers are taken */
    int socket_options[4];       /* TCP_NODELAY, SO_KEEPALIVE, SO_SNDBUF, SO_RCVBUF; -1 = leave */
    bool optimized_memory_send;
    int receive_sink;        /* DICOM_SINK_... */
    uint32_t auto_respond;   /* DICOM_AUTO_RESPOND_... */
    struct ldc_quota *quota; /* reference, never NULL: spill files of its connections, or of its
                                children's */
    DICOMNETCALLBACK callbacks;
    DICOMNETCALLBACKEXT callbacks_ext;
    /* state */
    ldc_conn *conn;         /* reference */
    ldc_listener *listener; /* reference */
    ldc_net *parent;        /* reference: the listener that accepted the present connection */
    uint64_t *children;     /* owned: handles of open accepted nets */
    size_t child_count, child_capacity;
    bool connected;
    char peer_address[LDC_ADDRESS_TEXT], host_address[LDC_ADDRESS_TEXT];
    unsigned peer_port, host_port;
    char proxy_address[LDC_ADDRESS_TEXT]; /* of the proxy in between, "" = none */
    unsigned proxy_port;
    atomic_ullong sent, received; /* bytes of PDUs on the present or last connection; no lock */
    ldc_failure failure;
    ldc_failure
        shown[2]; /* what L_DicomGetFailure lent; the one before stays valid for a slow reader */
    unsigned shown_index;
    ldc_link_info link;
    ldc_associate *last_association; /* owned: of a connection that has ended */
    uint64_t last_tls_error;
    /* delivery */
    ldc_job job;
    ldc_event *first, *last;
    bool delivering;                 /* user code of this net is running */
    ldc_event *urgent, *last_urgent; /* out of turn, one at a time; worker delivery */
    bool delivering_urgent;
    ldc_job urgent_job;
    uint64_t accepts_due;   /* ACCEPT events in the queue */
    pthread_cond_t resting; /* delivering became false */
    bool serving;           /* a request is being told that user code has not answered yet */
    uint16_t serving_id;
};

/* ldc_net.c */
ldc_net *ldc_net_acquire(HDICOMNET handle); /* reference, or NULL: L_DicomGetLastError is set */
/* Acquires and forbids change from outside while busy. NULL: not possible, *rc says why. The lock
 * is held on success. */
ldc_net *ldc_net_lock_idle(HDICOMNET handle, const char *what, int *rc);
HDICOMNET ldc_net_handle(const ldc_net *net);
void ldc_net_put(ldc_net *net);
void ldc_net_clear_link(ldc_link_info *link); /* frees */
size_t ldc_net_count(void);
size_t ldc_net_alive(void); /* memory of disposed nets that are in a callback included */
void ldc_net_before_fork(void);
void ldc_net_after_fork_in_parent(void);
void ldc_net_after_fork(void); /* in the child: the parent's nets are not ours */
/* Takes the failure into the net's record if conn is still its connection. */
void ldc_net_fail(ldc_net *net, const ldc_conn *conn, ldc_failure *failure, int64_t began);
/* ldc_net_report.c: logs a failure of the net's, NULL: its record. tried: whom it could not reach
 * at port, if there is no peer yet. No lock is held. */
void ldc_net_report(ldc_net *net, const ldc_failure *failure, const char *tried, unsigned port,
                    bool inbound);
bool ldc_net_add_child(ldc_net *parent, uint64_t child);
void ldc_net_remove_child(ldc_net *parent, uint64_t child);
void ldc_net_end_children(ldc_net *parent, bool notify); /* by force */
/* A verdict that waits for its turn looks again whether it is still wanted. */
void ldc_net_wake_verdict(ldc_net *net);
uint64_t ldc_net_limit(const ldc_net *net, ldc_limit limit);
/* Makes the net busy for a new connection or listener, waiting a moment for one that is closing. 0
 * or code. */
int ldc_net_begin(ldc_net *net);
void ldc_net_end(ldc_net *net); /* undoes it when the start failed */
/* ldc_net_tls.c */
/* Whether user code judges the peer's certificates; the lock is held. */
bool ldc_net_judges(const ldc_net *net);
/* What a new context is made of, as a copy: a reload may be going on. */
typedef struct ldc_net_tls {
    ldc_tls_settings *settings;
    ldc_tls_credentials *credentials;
    ldc_tls_choice choice;
} ldc_net_tls;
/* The lock is held. false: no memory. */
bool ldc_net_take_tls(ldc_net *net, ldc_net_tls *taken);
void ldc_net_give_tls(ldc_net_tls *taken);
/* Holds context instead of the one before; NULL = none. No lock is held. */
void ldc_net_use_context(ldc_net *net, ldc_tls_context *context);
/* Its settings have changed: lets go of a context that has the old key, unless it listens, or has
 * just begun to, with the new ones. */
void ldc_net_drop_context(ldc_net *net);
/* Whether it may let go of one now. The lock is held. */
bool ldc_net_context_is_free(const ldc_net *net);

/* ldc_delivery*.c */
void ldc_deliver(ldc_net *net, ldc_event_kind kind, int code);
void ldc_deliver_close(ldc_net *net, int code, ldc_net *parent);
/* Takes the news over. */
void ldc_deliver_news(ldc_net *net, ldc_conn *conn, struct ldc_news *news, uint64_t cost);
/* Posts LDC_CONN_GO to conn when every event queued so far has been told. */
void ldc_deliver_go(ldc_net *net, ldc_conn *conn);
/* Strand: asks the user about one certificate and waits for the answer. */
int ldc_deliver_verdict(ldc_net *net, ldc_conn *conn, int ok, char *text, int code,
                        const char *error_text);
/* Forgets what is queued; the lock is not held. */
void ldc_deliver_discard(ldc_net *net);
bool ldc_pumped(void);
void ldc_delivery_after_fork(void);
void ldc_question_cancel(ldc_question *question);

#endif
