/*
 * ldc_tls_revocation.h - whether a certificate has been revoked: lists (CRL, RFC 5280 6.3) and
 * stapled answers (OCSP, RFC 6960), checked and served.
 *
 * Nothing here ever looks anything up over the network. Files: ldc_tls_crls.c (lists from files and
 * folders), ldc_tls_deltas.c (delta lists), ldc_tls_ocsp.c (judging an OCSP response),
 * ldc_tls_staple.c (the response that a server serves), ldc_tls_revocation.c (what a link finds,
 * and what is said about it).
 */
#ifndef LDC_TLS_REVOCATION_H
#define LDC_TLS_REVOCATION_H

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_tls_cache.h"

struct ldc_tls_link;
struct ldc_tls_context;
struct ldc_tls_credentials;
struct ldc_tls_anchors;

/* ---- ldc_tls_crls.c ---- */

typedef struct ldc_tls_crls { /* the lists of some files and folders */
    ldc_shared shared;
    STACK_OF(X509_CRL) * lists; /* owned, at least one */
    int64_t until;              /* the first nextUpdate of those that are still in date */
    bool deltas;                /* there is a delta list among them */
} ldc_tls_crls;

/* Lists of PEM or DER files; of a folder all that are in it. 0 or code. */
int ldc_tls_crls_load(const char *const *paths, size_t count, ldc_tls_crls **crls);

/* ---- ldc_tls_deltas.c ---- */

bool ldc_tls_is_delta(const X509_CRL *crl);
/* When the chain is complete: what delta lists name that OpenSSL did not look at. 1 goes on. */
int ldc_tls_deltas_judge(struct ldc_tls_link *link, X509_STORE_CTX *store);

/* ---- a net's wishes ---- */

typedef struct ldc_tls_revocation {
    ldc_tls_crls *crls; /* a reference, NULL = lists are not checked */
    char **paths;       /* owned: where they came from */
    size_t path_count;
    bool leaf_only;
    bool soft_fail;
    int ocsp;          /* DICOM_OCSP_... */
    char *staple_file; /* owned: what a server serves, NULL = nothing */
} ldc_tls_revocation;

/* false: no memory, and copy is empty. */
bool ldc_tls_revocation_copy(ldc_tls_revocation *copy, const ldc_tls_revocation *revocation);
void ldc_tls_revocation_clear(ldc_tls_revocation *revocation);
void ldc_tls_revocation_digest(const ldc_tls_revocation *revocation, ldc_digest *digest);
/* Copies of paths. false: no memory. */
bool ldc_tls_paths_copy(const char *const *paths, size_t count, char ***copy);
void ldc_tls_paths_free(char **paths, size_t count);

/* ---- ldc_tls_ocsp.c ---- */

typedef enum ldc_ocsp_finding {
    LDC_OCSP_NOT_ASKED,
    LDC_OCSP_MISSING, /* there is none, or it says no more than that the responder is busy */
    LDC_OCSP_GOOD,
    LDC_OCSP_REVOKED,
    LDC_OCSP_UNKNOWN, /* the responder does not know the certificate */
    LDC_OCSP_BAD,     /* it proves nothing: detail says why */
} ldc_ocsp_finding;

typedef struct ldc_ocsp_result {
    ldc_ocsp_finding finding;
    int64_t until; /* when it ends, seconds since 1970 */
    char detail[256];
} ldc_ocsp_result;

typedef struct ldc_ocsp_question {
    X509 *leaf;
    const STACK_OF(X509) * issuers[2]; /* among them its issuer is looked for; NULL = empty */
    const ldc_tls_crls *crls;          /* may name a delegated responder; NULL = none */
    /* The certificate is our own: if its issuer is not at hand, names and number have to do. */
    bool own;
} ldc_ocsp_question;

/* der may be anything: it comes from the peer. */
void ldc_ocsp_judge(const unsigned char *der, size_t size, const ldc_ocsp_question *question,
                    ldc_ocsp_result *result);
/* RFC 7633: the certificate says that it is only good with a staple. */
bool ldc_ocsp_must_staple(X509 *certificate);

/* ---- ldc_tls_staple.c ---- */

typedef struct ldc_tls_staple { /* of a server's context */
    pthread_mutex_t lock;       /* of what changes: der to told */
    char *file;                 /* owned, as the next two */
    X509 *leaf;
    STACK_OF(X509) * issuers;        /* the chain; below it the anchors */
    struct ldc_tls_anchors *anchors; /* a reference, or NULL */
    unsigned char *der;              /* owned: what is served */
    size_t size;
    int64_t until;                    /* when it ends */
    unsigned char digest[LDC_DIGEST]; /* of the file's content when it was looked at last */
    int64_t looked;                   /* when, ldc_now_ms() */
    bool told;                        /* that it has ended */
} ldc_tls_staple;

/* Loads and judges the file: refused unless it is for this certificate and in date. 0 or code. */
int ldc_tls_staple_new(const char *file, const struct ldc_tls_credentials *credentials,
                       struct ldc_tls_anchors *anchors, ldc_tls_staple **staple);
/* Looks at the file now. 0 or code: what was served before is served on. */
int ldc_tls_staple_refresh(ldc_tls_staple *staple);
void ldc_tls_staple_free(ldc_tls_staple *staple); /* NULL is fine */
int ldc_tls_staple_serve(SSL *ssl, void *unused); /* SSL_CTX_set_tlsext_status_cb of a server */
/* Whether the file holds an OCSP response at all. 0 or code. */
int ldc_tls_staple_peek(const char *file);

/* ---- ldc_tls_revocation.c ---- */

/* Flags, store and call-backs of a new context. 0 or code. */
int ldc_tls_revocation_set_up(struct ldc_tls_context *context, const ldc_tls_revocation *revocation,
                              struct ldc_tls_anchors *anchors);
void ldc_tls_revocation_release(struct ldc_tls_context *context);
/* A new link of a client asks for a staple. */
void ldc_tls_revocation_begin(struct ldc_tls_link *link);
/* A complaint of OpenSSL's: notes that it is about revocation. true: soft fail lets it pass. */
bool ldc_tls_revocation_passes(struct ldc_tls_link *link, int code);
/* "off", "good", "unknown", "failed"; and of the staple "", "missing", "good", "revoked",
 * "unknown", "bad". */
const char *ldc_tls_revocation_text(const struct ldc_tls_link *link);
const char *ldc_tls_ocsp_text(const struct ldc_tls_link *link);
/* A link is made though it is not known whether the peer's certificate is revoked: the log says so.
 */
void ldc_tls_revocation_tell(const struct ldc_tls_link *link, uint64_t handle);

#endif
