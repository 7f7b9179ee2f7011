/*
 * ldc_tls.h - TLS: settings and credentials (immutable, shared), contexts made of them, links made
 * of contexts.
 *
 * Files: ldc_tls_library.c (OpenSSL set-up), ldc_tls_settings.c (CA file, method, flags),
 * ldc_tls_credentials.c (own certificate and key; ldc_tls_keys.h: where they come from),
 * ldc_tls_context.c (SSL_CTX), ldc_tls_link.c (the
 * transport), ldc_tls_verify.c (judging the peer's chain), ldc_tls_session.c (resumption),
 * ldc_tls_profiles.c (named profiles), ldc_tls_rules.h (names, pins and other demands),
 * ldc_tls_trust.c (more CA certificates), ldc_tls_revocation.h (revocation), ldc_tls_diagnose.c
 * (why a handshake failed).
 */
#ifndef LDC_TLS_H
#define LDC_TLS_H

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_failure.h"
#include "ldc_registry.h"
#include "ldc_tls_cache.h"
#include "ldc_tls_profiles.h"
#include "ldc_tls_revocation.h"
#include "ldc_transport.h"
#include "ltdic.h"

enum {
    LDC_CIPHER_SLOTS = 64,
    LDC_CONTEXTS_KEPT = 4,
    LDC_FILE_LIMIT = 64 * 1024 * 1024,
    LDC_BATCH_RECORD = 16 * 1024 + 256, /* with its header and tag */
    LDC_BATCH_RECORDS = 3,              /* the one after them is not copied */
    LDC_BATCH_TAIL =
        1024, /* less than that is no write of its own: then four records wait for it */
    LDC_BATCH_BYTES = (LDC_BATCH_RECORDS + 1) * LDC_BATCH_RECORD,
};

/* ---- ldc_tls_library.c ---- */

/* Caches at rest around fork(); the child knows nothing of the parent's objects. */
void ldc_tls_before_fork(void);
void ldc_tls_after_fork_in_parent(void);
void ldc_tls_after_fork(void);

/* Our own library context: no configuration file of the host is read. Never NULL after
 * success. 0 or code. */
int ldc_tls_library_start(void);
OSSL_LIB_CTX *ldc_tls_library(void);
bool ldc_tls_suite_available(uint32_t id);
/* The index of the link in SSL's ex_data. */
int ldc_tls_link_index(void);
/* The socket BIO: send without SIGPIPE, first bytes kept. */
const BIO_METHOD *ldc_tls_bio_method(void);
/* First error of OpenSSL's queue as text ("" if none), the queue is emptied. */
uint64_t ldc_tls_take_error(char *text, size_t size);

/* ---- ldc_tls_settings.c ---- */

typedef struct ldc_tls_anchors { /* the certificates of one CA file */
    ldc_shared shared;
    STACK_OF(X509) * certificates; /* owned, at least one */
} ldc_tls_anchors;

typedef enum ldc_tls_trust {
    LDC_TRUST_FILE,   /* PEM or DER */
    LDC_TRUST_FOLDER, /* all that is readable in it */
    LDC_TRUST_SYSTEM  /* what the computer trusts; no path */
} ldc_tls_trust;

typedef struct ldc_tls_more { /* where more anchors came from */
    ldc_tls_trust kind;
    char *path; /* owned, NULL = the computer's */
} ldc_tls_more;

typedef struct ldc_tls_settings {
    ldc_ref ref;
    int method;      /* TYPE_..._METHOD */
    unsigned verify; /* L_SSL_VERIFY_..., FAIL_IF_NO_PEER_CERT and CLIENT_ONCE imply PEER */
    int depth;       /* certificates between leaf and anchor */
    int options;     /* DICOM_SSL_OP_... */
    ldc_tls_anchors *anchors; /* a reference, NULL = none */
    /* to read them anew: */
    char *ca_file;          /* owned, NULL = from memory, or none */
    ldc_tls_anchors *first; /* a reference: those of the CA file alone, or of memory */
    ldc_tls_more *more;     /* owned */
    size_t more_count;
} ldc_tls_settings;

/* create NULL = defaults. 0 or code. */
int ldc_tls_settings_new(const L_SSL_CTX_CREATE *create, ldc_tls_settings **settings);
/* The same with other anchors, of a CA file or PEM text. */
int ldc_tls_settings_with_ca(const ldc_tls_settings *from, const ldc_tls_source *source,
                             ldc_tls_settings **settings);
/* The same with these anchors, NULL = none; a reference of them is taken over. */
int ldc_tls_settings_with_anchors(const ldc_tls_settings *from, ldc_tls_anchors *anchors,
                                  ldc_tls_settings **settings);
/* The same with what came from memory only, or with no anchors. */
int ldc_tls_settings_with_first(const ldc_tls_settings *from, ldc_tls_settings **settings);
/* Anchors of these certificates (taken over) with the key of a cache; NULL = no memory. */
ldc_tls_anchors *ldc_tls_anchors_new(STACK_OF(X509) * certificates,
                                     const unsigned char key[LDC_DIGEST]);

/* ---- ldc_tls_trust.c ---- */

/* The same settings with more anchors. handle: for the log lines about files that are left out. No
 * lock may be held. 0 or code. */
int ldc_tls_trust_add(const ldc_tls_settings *from, ldc_tls_trust kind, const char *path,
                      uint64_t handle, ldc_tls_settings **settings);
/* The same settings with all anchors read anew; first (NULL: what it was) in place of the CA file.
 */
int ldc_tls_trust_reload(const ldc_tls_settings *from, const ldc_tls_source *first, uint64_t handle,
                         ldc_tls_settings **settings);

/* ---- ldc_tls_credentials.c ---- */

typedef struct ldc_tls_credentials {
    ldc_shared shared;
    X509 *leaf;             /* owned, all three */
    STACK_OF(X509) * chain; /* without the leaf */
    EVP_PKEY *key;
    bool encrypted;                      /* the key was; then: */
    unsigned char password[LDC_DIGEST];  /* digest of the password */
    pthread_mutex_t lock;                /* of what follows */
    unsigned users;                      /* nets that hold it */
    ldc_shared *kept[LDC_CONTEXTS_KEPT]; /* references, while there are users */
    unsigned next;
} ldc_tls_credentials;

/* For a net, or a listener whose children have it: one more reference. While somebody holds them,
 * the last few contexts made of them are kept, too; with the last one they go. */
void ldc_tls_credentials_hold(ldc_tls_credentials *credentials);
void ldc_tls_credentials_release(ldc_tls_credentials *credentials);
void ldc_tls_credentials_keep(ldc_tls_credentials *credentials, ldc_shared *context);

/* Fills buffer, returns the length; <= 0 = none; > size = too long. */
typedef int (*ldc_password_fn)(void *arg, char *buffer, int size);

/* key->file and key->data NULL: the key is where the certificate is. Gives a reference that is not
 * held. 0 or code. */
int ldc_tls_credentials_load(const ldc_tls_source *certificate, int type, const ldc_tls_source *key,
                             ldc_password_fn password, void *arg,
                             ldc_tls_credentials **credentials);
/* Certificates in PEM (all) or DER (one) text; NULL or empty = none, the reason is in OpenSSL's
 * queue. */
STACK_OF(X509) * ldc_tls_parse_certificates(const unsigned char *data, size_t size, int type);

/* ---- ldc_tls_context.c ---- */

/* What a net adds to settings and credentials. */
typedef struct ldc_tls_choice {
    uint32_t ciphers[LDC_CIPHER_SLOTS]; /* 0 = empty slot */
    ldc_tls_revocation revocation;
    char *expected_host; /* owned, NULL = no check */
    bool send_ca_names;
    bool resumption;
    const ldc_tls_profile *profile; /* of the table, NULL = none */
    struct ldc_tls_keylog *keylog;  /* a reference, NULL = none */
    struct ldc_tls_rules *rules;    /* a reference, NULL = none (ldc_tls_rules.h) */
} ldc_tls_choice;

/* Where own certificate and key were loaded from. */
typedef struct ldc_tls_origin {
    int type;                /* DICOM_TLS_CERTIFICATE_... */
    char *certificate, *key; /* owned: files; certificate NULL = from memory, or none */
} ldc_tls_origin;

void ldc_tls_origin_clear(ldc_tls_origin *origin);
/* Both false: no memory. */
bool ldc_tls_origin_copy(ldc_tls_origin *copy, const ldc_tls_origin *origin);
bool ldc_tls_origin_set(ldc_tls_origin *origin, const ldc_tls_source *certificate, int type,
                        const ldc_tls_source *key);

void ldc_tls_choice_init(ldc_tls_choice *choice); /* the default list */
/* A copy with references and strings of its own; false: no memory, and copy is empty. */
bool ldc_tls_choice_copy(ldc_tls_choice *copy, const ldc_tls_choice *choice);
void ldc_tls_choice_clear(ldc_tls_choice *choice);

enum {
    LDC_NOTES = LDC_CIPHER_SLOTS + 8
};

typedef struct ldc_tls_notes { /* warnings about settings */
    size_t count;
    char *texts[LDC_NOTES]; /* owned */
} ldc_tls_notes;

/* One for all nets whose settings, credentials and choice are the same. Immutable. */
typedef struct ldc_tls_context {
    ldc_shared shared;                /* the key is the digest of all that counts */
    SSL_CTX *ctx;                     /* owned */
    ldc_tls_credentials *credentials; /* a reference, NULL = none */
    bool server;
    unsigned verify;     /* L_SSL_VERIFY_... in force */
    char *expected_host; /* owned */
    bool has_anchors;
    bool resumption;
    const ldc_tls_profile *profile; /* NULL = none */
    struct ldc_tls_rules *rules;    /* a reference, NULL = none */
    struct ldc_tls_sni *sni;        /* owned: a server's certificates by name, NULL = one for all */
    ldc_tls_crls *crls;             /* a reference, NULL = lists are not checked */
    int64_t crls_until;             /* when the first of them ends */
    bool soft_fail;
    int ocsp;                      /* DICOM_OCSP_..., of a client */
    ldc_tls_staple *staple;        /* owned: of a server, NULL = none */
    struct ldc_tls_keylog *keylog; /* a reference, NULL = none */
    ldc_tls_notes notes;
    atomic_uint users;         /* nets that hold it */
    _Atomic int64_t looked_at; /* ldc_expiry.c: when its certificates were */
} ldc_tls_context;

/* Finds or builds it. credentials may be NULL for a client. handle: for warnings of one that cannot
 * be built. The caller gets a reference. 0 or code. */
int ldc_tls_context_get(bool server, const ldc_tls_settings *settings,
                        ldc_tls_credentials *credentials, const ldc_tls_choice *choice,
                        uint64_t handle, ldc_tls_context **context);
/* A net holds what it used last, so that it is there next time; one more reference. The first of
 * all is told the warnings. */
void ldc_tls_context_hold(ldc_tls_context *context, uint64_t handle);
void ldc_tls_context_release(ldc_tls_context *context);

/* ---- ldc_tls_link.c, ldc_tls_verify.c, ldc_tls_diagnose.c ---- */

/* Judges one certificate: 1 goes on, DICOM_VERIFY_NO_ANSWER = nobody answered, anything else stops.
 */
typedef int (*ldc_verdict_fn)(void *owner, int ok, char *text, int code, const char *error_text);
/* Whether user code judges. If not, the verdict is asked for without a text. */
typedef bool (*ldc_asks_fn)(void *owner);

typedef struct ldc_tls_link {
    ldc_transport base;
    SSL *ssl;                 /* owned */
    ldc_tls_context *context; /* a reference */
    ldc_verdict_fn verdict;
    ldc_asks_fn asks;
    void *owner; /* lent: the connection, which outlives its transport */
    /* the verification */
    STACK_OF(X509) * received; /* owned: the chain as the peer sent it, leaf first; NULL = none */
    bool judged;               /* the chain was verified */
    bool weighed;              /* the demands of profile and rules were judged */
    const char *about;         /* lent while a complaint of ours is asked about: its detail */
    bool stopped;              /* an answer ended the verification */
    bool no_answer;            /* nobody answered */
    bool failed;               /* the verification did not end well and was not overruled */
    bool overruled;            /* a complaint was answered with 1 */
    int code, depth; /* of the complaint that counts: the stop, else the first overruled */
    char *subject;   /* owned: of that certificate */
    char *detail;    /* owned: more about it, NULL = none */
    /* revocation */
    int ocsp;              /* LDC_OCSP_...: what the staple says */
    int soft_code;         /* the complaint that soft fail let pass first; X509_V_OK = none */
    bool revocation_fault; /* there was a complaint about revocation */
    uint64_t revoked;      /* bits of the depths that OpenSSL has found revoked */
    /* names and protocols (ldc_tls_sni.c, ldc_tls_alpn.c) */
    char *server_name; /* owned: sent by us, or asked for by the client; NULL = none */
    char *protocols;   /* owned: what a client offered where we found nothing to take */
    bool greeted;      /* server: a ClientHello came by */
    bool name_known;   /* a certificate is for the name */
    bool name_refused; /* no certificate is for the name */
    bool alpn_refused; /* no application protocol in common */
    /* the session */
    bool resumes;                          /* sessions of this link may be resumed */
    bool taken;                            /* server: the client's ticket was good */
    bool keeps;                            /* server: keeps the session of the next ticket */
    bool resumed;                          /* this one was, and the verdict still holds */
    int64_t valid_from, valid_until;       /* when the verdict holds, seconds since 1970 */
    unsigned char session_key[LDC_DIGEST]; /* client: where its session is kept */
    /* the handshake as seen by the message callback */
    int alert_sent, alert_received;
    bool first_record_read;     /* a handshake message of the peer's went by */
    bool odd_record;            /* the last record's header is none of TLS */
    bool hello_done;            /* a ServerHello went by */
    bool certificate_requested; /* client: the server asked for a certificate */
    bool certificate_empty;     /* client: we answered with none */
    bool peer_spoke;            /* client: ticket or data after the handshake */
    bool established;
    bool keylog_told; /* the warning has been given */
    /* records that wait for the next one, to go out with it */
    unsigned char
        *batch; /* NULL, or LDC_BATCH_BYTES: on the writer's stack; owned between writes */
    size_t batch_length;
    bool hold;          /* the record that is being written may wait */
    bool hold_for_tail; /* only little comes after it */
    int ssl_error;      /* SSL_get_error of the last failure */
    uint64_t error;
    char error_text[256];
} ldc_tls_link;

/* The transport of a TLS connection on fd. peer_name: the host name that a client was given, NULL =
 * none. NULL: not possible (memory). */
ldc_transport *ldc_tls_link_new(ldc_tls_context *context, int fd, const char *peer_name,
                                ldc_verdict_fn verdict, ldc_asks_fn asks, void *owner);
/* The socket BIO's write: -1 with the transport's error, or how much was taken. */
long ldc_tls_link_send(ldc_transport *transport, const void *data, size_t size);
/* The link behind a transport; NULL for a plain one. */
ldc_tls_link *ldc_tls_link_of(ldc_transport *transport);

int ldc_tls_verify_chain(X509_STORE_CTX *store,
                         void *unused);  /* SSL_CTX_set_cert_verify_callback */
int ldc_tls_code_from_openssl(int code); /* 24 and 79 exchanged */
/* A fault of the peer's certificate that shows when the chain has been judged: asked as all others.
 * false: the handshake must end. */
bool ldc_tls_complain_late(ldc_tls_link *link, X509 *certificate, int code, const char *about);
void ldc_tls_link_diagnose(ldc_transport *self, ldc_failure *failure);
/* One sentence: what to do about a verification code. Never NULL. */
const char *ldc_tls_code_remedy(int code);
/* Seconds since 1970; otherwise for NULL and what is no time. */
int64_t ldc_tls_time(const ASN1_TIME *time, int64_t otherwise);

/* ---- ldc_tls_session.c: resumption ---- */

/* At the beginning of a link: says whether it may resume, and offers a session. */
void ldc_tls_session_begin(ldc_tls_link *link);
/* The chain was verified without a fault: how long that holds. */
void ldc_tls_session_limit(ldc_tls_link *link, X509_STORE_CTX *store);
/* After a resumed handshake. false: the verdict does not hold (any more), and the link says why. */
bool ldc_tls_session_accept(ldc_tls_link *link);
/* Server: a ClientHello came, and its context is chosen. */
void ldc_tls_session_greet(ldc_tls_link *link);
/* The link failed: its session is not offered again. */
void ldc_tls_session_spoil(ldc_tls_link *link);

/* Fills a record for a handshake that did not end in time. */
void ldc_tls_timeout_diagnose(ldc_transport *self, bool server, ldc_failure *failure);

#endif
