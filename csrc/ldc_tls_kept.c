/*
 * ldc_tls_kept.c - a server's TLS 1.3 sessions; see ldc_tls_kept.h.
 *
 * Bounded, for the whole process, in memory only, and for an hour at most. A client comes back with
 * the same ticket again and again; when half of the time is over, it gets a new one. Then the
 * session before may go when room is needed: it stays so long for connections made at once.
 */
#include "ldc_tls_kept.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "ldc_engine.h"

typedef struct kept_session {
    SSL_SESSION *session; /* owned; NULL = free */
    unsigned char key[LDC_DIGEST];
    ldc_tls_span span;
    int64_t expires; /* ldc_now_ms() */
    uint64_t used;   /* serial of the last use */
    bool renewed;    /* its client has a newer one */
} kept_session;

static struct kept {
    pthread_mutex_t lock;
    kept_session sessions[LDC_KEPT_SESSIONS];
    uint64_t serial;
    bool forked; /* other processes are to know what this one gives out */
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_over(const kept_session *one, int64_t now_ms, int64_t now)
{
    return now_ms >= one->expires || now > one->span.until;
}

/* Lets go of what is over; gives the place for the next one. The lock is held. */
static kept_session *place(void)
{
    int64_t now_ms = ldc_now_ms();
    int64_t now = (int64_t)time(NULL);
    kept_session *best = NULL;
    for (size_t i = 0; i < LDC_KEPT_SESSIONS; i++) {
        kept_session *one = &kept.sessions[i];
        if (one->session != NULL && is_over(one, now_ms, now)) {
            SSL_SESSION_free(one->session);
            one->session = NULL;
        }
        if (best == NULL || (best->session != NULL &&
                             (one->session == NULL || (one->renewed && !best->renewed) ||
                              (one->renewed == best->renewed && one->used < best->used)))) {
            best = one;
        }
    }
    return best;
}

bool ldc_tls_kept_has_room(void)
{
    pthread_mutex_lock(&kept.lock);
    const kept_session *next = kept.forked ? NULL : place();
    bool room = next != NULL && (next->session == NULL || next->renewed);
    pthread_mutex_unlock(&kept.lock);
    return room;
}

void ldc_tls_kept_put(const unsigned char key[LDC_DIGEST], const SSL_SESSION *session,
                      ldc_tls_span span)
{
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    if (copy == NULL) {
        return;
    }
    pthread_mutex_lock(&kept.lock);
    kept_session *one = place();
    SSL_SESSION *before = one->session;
    *one = (kept_session){.session = copy,
                          .span = span,
                          .expires = ldc_now_ms() + LDC_SESSION_SECONDS * 1000LL,
                          .used = ++kept.serial};
    memcpy(one->key, key, LDC_DIGEST);
    pthread_mutex_unlock(&kept.lock);
    SSL_SESSION_free(before);
}

/* The lock is held. */
static kept_session *find_kept(const unsigned char key[LDC_DIGEST])
{
    for (size_t i = 0; i < LDC_KEPT_SESSIONS; i++) {
        kept_session *one = &kept.sessions[i];
        if (one->session != NULL && memcmp(one->key, key, LDC_DIGEST) == 0) {
            return one;
        }
    }
    return NULL;
}

SSL_SESSION *ldc_tls_kept_get(const unsigned char key[LDC_DIGEST], ldc_tls_span *span, bool *renew)
{
    SSL_SESSION *copy = NULL;
    int64_t now = (int64_t)time(NULL);
    pthread_mutex_lock(&kept.lock);
    kept_session *one = find_kept(key);
    if (one != NULL && !is_over(one, ldc_now_ms(), now) && now >= one->span.from) {
        one->used = ++kept.serial;
        *renew = one->expires - ldc_now_ms() < LDC_SESSION_SECONDS * 1000LL / 2;
        one->renewed = one->renewed || *renew;
        *span = one->span;
        copy = SSL_SESSION_dup(one->session);
    }
    pthread_mutex_unlock(&kept.lock);
    return copy;
}

/* ---- fork() ---- */

void ldc_tls_kept_before_fork(void)
{
    pthread_mutex_lock(&kept.lock);
    kept.forked = kept.forked || ldc_tls_library() != NULL;
}

void ldc_tls_kept_after_fork_in_parent(void)
{
    pthread_mutex_unlock(&kept.lock);
}

/* The child makes its own; what its parent keeps stays the parent's. */
void ldc_tls_kept_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&kept.lock, &fresh, sizeof fresh);
    memset(kept.sessions, 0, sizeof kept.sessions);
}
