/*
 * ldc_tls_kept.h - a server's TLS 1.3 sessions, kept here instead of inside of tickets.
 *
 * What is inside of a ticket has to be encoded, encrypted, and at each resumption decrypted and
 * decoded, the peer's certificates and keys with it. A session that is kept is found by the name in
 * the ticket, and its certificates are shared. Any thread.
 */
#ifndef LDC_TLS_KEPT_H
#define LDC_TLS_KEPT_H

#include "ldc_tls_inner.h"

enum {
    LDC_KEPT_SESSIONS = 512, /* about 1 KiB each, 8 to 10 with certificates of their own */
    LDC_KEPT_NAME = 32       /* bytes of a ticket that is but the name of a session */
};

/* Whether one more session may be kept without pushing out one that its client may come back with,
 * and no forked process has to know it, too. Else tickets have all that is needed inside. */
bool ldc_tls_kept_has_room(void);
/* Keeps a copy. */
void ldc_tls_kept_put(const unsigned char key[LDC_DIGEST], const SSL_SESSION *session,
                      ldc_tls_span span);
/* A copy that the caller owns, if there is one and its time has begun and is not over. `renew`:
 * half of that is over, the client is to get a new ticket. */
SSL_SESSION *ldc_tls_kept_get(const unsigned char key[LDC_DIGEST], ldc_tls_span *span, bool *renew);

void ldc_tls_kept_before_fork(void);
void ldc_tls_kept_after_fork_in_parent(void);
void ldc_tls_kept_after_fork(void);

#endif
