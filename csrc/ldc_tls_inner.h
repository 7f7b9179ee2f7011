/*
 * ldc_tls_inner.h - what the files of a TLS context share, and nobody else: ldc_tls_context.c,
 * ldc_tls_suites.c, ldc_tls_session.c, ldc_tls_store.c.
 */
#ifndef LDC_TLS_INNER_H
#define LDC_TLS_INNER_H

#include "ldc_error.h"
#include "ldc_tls.h"

/* ---- ldc_tls_suites.c ---- */

typedef struct ldc_tls_versions {
    int lowest, highest;
    uint64_t switched_off; /* SSL_OP_NO_TLS... */
    bool legacy;           /* TLS 1.0 or 1.1 may be used: security level 0 for the protocol */
} ldc_tls_versions;

/* 0 or code. */
int ldc_tls_apply_versions(SSL_CTX *ctx, const ldc_tls_settings *settings,
                           const ldc_tls_profile *profile, ldc_tls_versions *range,
                           ldc_tls_notes *notes);
int ldc_tls_apply_suites(SSL_CTX *ctx, const ldc_tls_choice *choice, const ldc_tls_versions *range,
                         ldc_tls_notes *notes);

/* ---- ldc_tls_context.c ---- */

void ldc_tls_note(ldc_tls_notes *notes, const char *format, ...) LDC_PRINTF(2, 3);

/* ---- ldc_tls_session.c ---- */

/* Cache mode, tickets, session id context of a new context. false: OpenSSL would not. */
bool ldc_tls_session_set_up(ldc_tls_context *context);

/* ---- ldc_tls_store.c: sessions kept, secrets of tickets; any thread ---- */

typedef struct ldc_tls_span { /* when a verdict holds, in seconds since 1970 */
    int64_t from, until;
} ldc_tls_span;

/* Keeps a copy of session; the oldest unused one makes room. */
void ldc_tls_store_put(const unsigned char key[LDC_DIGEST], const SSL_SESSION *session,
                       ldc_tls_span span);
/* A copy that the caller owns, if there is one and its time is not over. */
SSL_SESSION *ldc_tls_store_get(const unsigned char key[LDC_DIGEST], ldc_tls_span *span);
void ldc_tls_store_forget(const unsigned char key[LDC_DIGEST]);

enum {
    LDC_SECURITY_LEVEL = 2,     /* of the protocol, unless old versions are allowed */
    LDC_SESSION_SECONDS = 3600, /* how long a session can be resumed */
    LDC_TICKET_NAME = 16
};

typedef struct ldc_ticket_keys {
    unsigned char name[LDC_TICKET_NAME];
    unsigned char cipher[32], mac[32];
    bool old; /* made with the secret before */
} ldc_ticket_keys;

/* The keys for new tickets of the context with this digest (name NULL), or those with this name.
 * false: none. */
bool ldc_ticket_keys_of(const unsigned char digest[LDC_DIGEST], const unsigned char *name,
                        ldc_ticket_keys *keys);

void ldc_tls_store_before_fork(void);
void ldc_tls_store_after_fork_in_parent(void);
void ldc_tls_store_after_fork(void);

#endif
