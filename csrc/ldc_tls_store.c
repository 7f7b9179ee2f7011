/*
 * ldc_tls_store.c - sessions that may be resumed, and the secrets of our tickets.
 *
 * Bounded, for the whole process, in memory only. A session is kept as a copy: links end in many
 * ways, and OpenSSL marks their own object. The secret of tickets is drawn anew each hour; the one
 * before is good for tickets that were given out with it, so no ticket lives longer than two hours,
 * and nobody who gets at the memory later can read older ones. Processes that were forked from each
 * other make the next secret out of the present one instead, in one direction, so that they go on
 * to know each other's tickets.
 */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "ldc_engine.h"
#include "ldc_tls_inner.h"

enum {
    SESSIONS = 256,
    SECRET_MS = LDC_SESSION_SECONDS * 1000,
    SECRETS_MS = 2 * SECRET_MS
};

typedef struct stored {
    SSL_SESSION *session; /* owned; NULL = free */
    unsigned char key[LDC_DIGEST];
    ldc_tls_span span;
    int64_t expires; /* ldc_now_ms() */
    uint64_t used;   /* serial of the last use */
} stored;

typedef struct ticket_secret {
    bool made;
    unsigned char bytes[32];
    int64_t since; /* ldc_now_ms() */
} ticket_secret;

static struct store {
    pthread_mutex_t lock;
    stored sessions[SESSIONS];
    uint64_t serial;
    ticket_secret secrets[2]; /* present, before */
    bool forked;              /* other processes have the same ones */
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- sessions ---- */

static stored *find(const unsigned char key[LDC_DIGEST])
{
    for (size_t i = 0; i < SESSIONS; i++) {
        stored *one = &store.sessions[i];
        if (one->session != NULL && memcmp(one->key, key, LDC_DIGEST) == 0) {
            return one;
        }
    }
    return NULL;
}

static stored *free_or_oldest(void)
{
    stored *oldest = &store.sessions[0];
    for (size_t i = 0; i < SESSIONS; i++) {
        stored *one = &store.sessions[i];
        if (one->session == NULL) {
            return one;
        }
        oldest = one->used < oldest->used ? one : oldest;
    }
    return oldest;
}

void ldc_tls_store_put(const unsigned char key[LDC_DIGEST], const SSL_SESSION *session,
                       ldc_tls_span span)
{
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    if (copy == NULL) {
        return;
    }
    /* What the server says about its ticket (RFC 8446 4.6.1), never more than our own limit. */
    int64_t seconds = LDC_SESSION_SECONDS;
    int64_t hint = (int64_t)SSL_SESSION_get_ticket_lifetime_hint(session);
    if (hint > 0 && hint < seconds) {
        seconds = hint;
    }
    pthread_mutex_lock(&store.lock);
    stored *one = find(key);
    if (one == NULL) {
        one = free_or_oldest();
    }
    SSL_SESSION *before = one->session;
    *one = (stored){.session = copy,
                    .span = span,
                    .expires = ldc_now_ms() + seconds * 1000,
                    .used = ++store.serial};
    memcpy(one->key, key, LDC_DIGEST);
    pthread_mutex_unlock(&store.lock);
    SSL_SESSION_free(before);
}

SSL_SESSION *ldc_tls_store_get(const unsigned char key[LDC_DIGEST], ldc_tls_span *span)
{
    SSL_SESSION *copy = NULL;
    SSL_SESSION *over = NULL;
    int64_t now = (int64_t)time(NULL);
    pthread_mutex_lock(&store.lock);
    stored *one = find(key);
    if (one != NULL && (ldc_now_ms() >= one->expires || now > one->span.until)) {
        over = one->session;
        one->session = NULL;
    } else if (one != NULL && now >= one->span.from) {
        one->used = ++store.serial;
        *span = one->span;
        copy = SSL_SESSION_dup(one->session);
    }
    pthread_mutex_unlock(&store.lock);
    SSL_SESSION_free(over);
    return copy;
}

void ldc_tls_store_forget(const unsigned char key[LDC_DIGEST])
{
    SSL_SESSION *session = NULL;
    pthread_mutex_lock(&store.lock);
    stored *one = find(key);
    if (one != NULL) {
        session = one->session;
        one->session = NULL;
    }
    pthread_mutex_unlock(&store.lock);
    SSL_SESSION_free(session);
}

/* ---- tickets ---- */

static bool derive(const ticket_secret *secret, const char *label,
                   const unsigned char digest[LDC_DIGEST], unsigned char result[LDC_DIGEST])
{
    ldc_digest made;
    ldc_digest_begin(&made, label);
    ldc_digest_add(&made, secret->bytes, sizeof secret->bytes);
    ldc_digest_add(&made, digest, LDC_DIGEST);
    return ldc_digest_end(&made, result);
}

/* The one that follows: no way leads back. The lock is held. */
static bool step_secret(void)
{
    static const unsigned char nothing[LDC_DIGEST];
    ticket_secret next = {.made = true, .since = store.secrets[0].since + SECRET_MS};
    _Static_assert(sizeof next.bytes == LDC_DIGEST, "a secret is a digest");
    if (!derive(&store.secrets[0], "ticket secret", nothing, next.bytes)) {
        return false;
    }
    store.secrets[1] = store.secrets[0];
    store.secrets[0] = next;
    return true;
}

static bool draw_secret(int64_t now)
{
    ticket_secret fresh = {.made = true, .since = now};
    if (RAND_priv_bytes_ex(ldc_tls_library(), fresh.bytes, sizeof fresh.bytes,
                           8 * sizeof fresh.bytes) != 1) {
        return false;
    }
    store.secrets[1] = store.secrets[0];
    store.secrets[0] = fresh;
    return true;
}

/* The lock is held. */
static bool renew_secret(int64_t now)
{
    while (!store.secrets[0].made || now - store.secrets[0].since >= SECRET_MS) {
        if (!(store.forked && store.secrets[0].made ? step_secret() : draw_secret(now))) {
            return false;
        }
    }
    if (now - store.secrets[1].since >= SECRETS_MS) {
        OPENSSL_cleanse(&store.secrets[1], sizeof store.secrets[1]); /* no ticket of its is left */
    }
    return true;
}

static bool derive_all(const ticket_secret *secret, const unsigned char digest[LDC_DIGEST],
                       ldc_ticket_keys *keys)
{
    unsigned char name[LDC_DIGEST];
    if (!derive(secret, "ticket name", digest, name) ||
        !derive(secret, "ticket cipher", digest, keys->cipher) ||
        !derive(secret, "ticket mac", digest, keys->mac)) {
        return false;
    }
    memcpy(keys->name, name, LDC_TICKET_NAME);
    return true;
}

bool ldc_ticket_keys_of(const unsigned char digest[LDC_DIGEST], const unsigned char *name,
                        ldc_ticket_keys *keys)
{
    ticket_secret secrets[2];
    pthread_mutex_lock(&store.lock);
    bool done = renew_secret(ldc_now_ms());
    memcpy(secrets, store.secrets, sizeof secrets);
    pthread_mutex_unlock(&store.lock);
    bool found = false;
    for (size_t i = 0; done && !found && i < (name == NULL ? 1u : 2u); i++) {
        found = secrets[i].made && derive_all(&secrets[i], digest, keys) &&
                (name == NULL || CRYPTO_memcmp(keys->name, name, LDC_TICKET_NAME) == 0);
        keys->old = i > 0;
    }
    OPENSSL_cleanse(secrets, sizeof secrets);
    return found;
}

/* ---- fork() ---- */

void ldc_tls_store_before_fork(void)
{
    pthread_mutex_lock(&store.lock);
    if (ldc_tls_library() != NULL) { /* else this process has no TLS yet */
        store.forked = renew_secret(ldc_now_ms()) || store.forked;
    }
}

void ldc_tls_store_after_fork_in_parent(void)
{
    pthread_mutex_unlock(&store.lock);
}

/* The child keeps the secrets of tickets: processes that share a listening port resume each other's
 * sessions. What the parent has as a client stays the parent's. */
void ldc_tls_store_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&store.lock, &fresh, sizeof fresh);
    memset(store.sessions, 0, sizeof store.sessions);
}
