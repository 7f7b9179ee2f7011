/*
 * ldc_tls_cache.h - what is made of the same bytes is made once: certificates, keys, revocation
 * lists, contexts.
 *
 * A cache knows its objects but does not own them: an object goes with its last user and takes
 * itself out. Beyond that a cache keeps a few references of its own, never to an object that holds
 * a private key.
 */
#ifndef LDC_TLS_CACHE_H
#define LDC_TLS_CACHE_H

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ldc_registry.h"

enum {
    LDC_DIGEST = 32,
    LDC_CACHE_KEPT = 8
};

/* One cache for each kind of object. */
typedef enum ldc_cache_kind {
    LDC_CACHE_ANCHORS,
    LDC_CACHE_CRLS,
    LDC_CACHE_CREDENTIALS,
    LDC_CACHE_CONTEXTS,
    LDC_CACHE_KINDS
} ldc_cache_kind;

/* First member of what a cache knows. */
typedef struct ldc_shared {
    ldc_ref ref;
    unsigned char key[LDC_DIGEST];
    ldc_cache_kind kind;
    bool listed; /* a cache knows it */
    bool secret; /* holds a private key */
} ldc_shared;

/* ---- ldc_tls_cache.c; any thread; nothing else is locked inside ---- */

/* A reference, or NULL. */
void *ldc_cache_find(ldc_cache_kind kind, const unsigned char key[LDC_DIGEST]);
/* Takes object (one reference, with its key) over; gives the object to use instead: it, or the one
 * that another thread was quicker to add. */
void *ldc_cache_add(ldc_cache_kind kind, ldc_shared *object);
/* The first line of an object's destroy. */
void ldc_cache_remove(ldc_shared *object);
size_t ldc_cache_count(ldc_cache_kind kind);
void ldc_cache_before_fork(void);
void ldc_cache_after_fork_in_parent(void);
void ldc_cache_after_fork(void); /* in the child: forgets, frees nothing */

/* ---- ldc_tls_digest.c ---- */

/* Digests are keyed with a secret of this process, so that none of them tells anything about a
 * password or key. Added up from parts; a failure is remembered and told at the end. */
typedef struct ldc_digest {
    EVP_MAC_CTX *ctx; /* owned until the end; NULL: failed */
} ldc_digest;

bool ldc_digest_start(void); /* once, at the start of the library: makes the secret */
/* label: what the digest is of, so that digests of different things never meet. */
void ldc_digest_begin(ldc_digest *digest, const char *label);
void ldc_digest_add(ldc_digest *digest, const void *data, size_t size); /* with its length */
void ldc_digest_add_text(ldc_digest *digest, const char *text);         /* NULL is not "" */
void ldc_digest_add_number(ldc_digest *digest, uint64_t number);
bool ldc_digest_end(ldc_digest *digest, unsigned char result[LDC_DIGEST]); /* false: failed */

/* ---- ldc_tls_content.c ---- */

typedef struct ldc_tls_source { /* a file, or bytes with a name for messages */
    const char *file;
    const unsigned char *data; /* NULL: read the file */
    size_t size;
} ldc_tls_source;

/* The bytes of a source, read only when somebody wants them; their digest is known before that if
 * the file has not changed since it was read last. */
typedef struct ldc_tls_content {
    const char *file, *what; /* lent */
    int code;                /* of errors */
    int fd;                  /* -1: nothing (more) to read */
    const unsigned char *data;
    size_t size;
    unsigned char *owned; /* data, when it was read */
    unsigned char digest[LDC_DIGEST];
} ldc_tls_content;

/* Opens, so that a file which is missing or not allowed is found out each time. what names its role
 * in errors. 0 or code; close it in either case. */
int ldc_tls_content_open(ldc_tls_content *content, const ldc_tls_source *source, const char *what,
                         int code);
/* Makes data and size valid, and the digest that of these bytes. 0 or code. */
int ldc_tls_content_read(ldc_tls_content *content);
void ldc_tls_content_close(ldc_tls_content *content); /* overwrites what was read */

/* For tests: how many files were read since the start. */
uint64_t ldc_tls_files_read(void);

void ldc_tls_content_before_fork(void);
void ldc_tls_content_after_fork_in_parent(void);
void ldc_tls_content_after_fork(void);

#endif
