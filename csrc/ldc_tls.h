/*
 * ldc_tls.h - TLS: settings and credentials (immutable, shared), contexts made of them, links made
 * of contexts.
 *
 * Files: ldc_tls_library.c (OpenSSL set-up), ldc_tls_settings.c (CA file, method, flags),
 * ldc_tls_credentials.c (own certificate and key), ldc_tls_context.c (SSL_CTX), ldc_tls_link.c (the
 * transport), ldc_tls_verify.c (judging the peer's chain), ldc_tls_diagnose.c (why a handshake
 * failed).
 */
#ifndef LDC_TLS_H
#define LDC_TLS_H

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_failure.h"
#include "ldc_registry.h"
#include "ldc_transport.h"
#include "ltdic.h"

enum {
    LDC_CIPHER_SLOTS = 64,
    LDC_FILE_LIMIT = 64 * 1024 * 1024
};

/* ---- ldc_tls_library.c ---- */

/* Our own library context: no configuration file of the host is read (errata 7). Never NULL after
 * success. 0 or code. */
int ldc_tls_library_start(void);
OSSL_LIB_CTX *ldc_tls_library(void);
bool ldc_tls_suite_available(uint32_t id);
/* The index of the link in SSL's ex_data. */
int ldc_tls_link_index(void);
/* The socket BIO: send without SIGPIPE, first bytes kept. */
const BIO_METHOD *ldc_tls_bio_method(void);
/* Reads a whole file; *data is malloc'ed. what names the file's role in the error. 0 or code
 * (given). */
int ldc_tls_read_file(const char *file, const char *what, int code, unsigned char **data,
                      size_t *size);
/* First error of OpenSSL's queue as text ("" if none), the queue is emptied. */
uint64_t ldc_tls_take_error(char *text, size_t size);

/* ---- ldc_tls_settings.c ---- */

typedef struct ldc_tls_settings {
    ldc_ref ref;
    int method;      /* TYPE_..._METHOD */
    unsigned verify; /* L_SSL_VERIFY_..., FAIL_IF_NO_PEER_CERT and CLIENT_ONCE imply PEER */
    int depth;       /* certificates between leaf and anchor */
    int options;     /* DICOM_SSL_OP_... */
    STACK_OF(X509) * anchors; /* owned, may be empty */
    char *ca_file;            /* owned, for messages, NULL = none */
} ldc_tls_settings;

/* create NULL = defaults. 0 or code. */
int ldc_tls_settings_new(const L_SSL_CTX_CREATE *create, ldc_tls_settings **settings);
/* The same with other anchors, from PEM text. */
int ldc_tls_settings_with_ca(const ldc_tls_settings *from, const unsigned char *pem, size_t size,
                             ldc_tls_settings **settings);
/* Revocation lists of a PEM file. */
int ldc_tls_crls_load(const char *file, STACK_OF(X509_CRL) * *crls);

/* ---- ldc_tls_credentials.c ---- */

typedef struct ldc_tls_credentials {
    ldc_ref ref;
    X509 *leaf;             /* owned, all three */
    STACK_OF(X509) * chain; /* without the leaf */
    EVP_PKEY *key;
} ldc_tls_credentials;

/* Fills buffer, returns the length; <= 0 = none; > size = too long. */
typedef int (*ldc_password_fn)(void *arg, char *buffer, int size);

typedef struct ldc_tls_source { /* a file, or bytes with a name for messages */
    const char *file;
    const unsigned char *data; /* NULL: read the file */
    size_t size;
} ldc_tls_source;

/* key->file and key->data NULL: the key is where the certificate is. 0 or code. */
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
    STACK_OF(X509_CRL) * crls;          /* owned, NULL = no check */
    char *expected_host;                /* owned, NULL = no check */
    bool send_ca_names;
} ldc_tls_choice;

void ldc_tls_choice_init(ldc_tls_choice *choice); /* the default list */
void ldc_tls_choice_clear(ldc_tls_choice *choice);

typedef struct ldc_tls_context {
    ldc_ref ref;
    SSL_CTX *ctx; /* owned */
    bool server;
    unsigned verify;     /* L_SSL_VERIFY_... in force */
    char *expected_host; /* owned */
    bool has_anchors;
} ldc_tls_context;

/* Builds the SSL_CTX. credentials may be NULL for a client. handle: for warnings. 0 or code. */
int ldc_tls_context_new(bool server, const ldc_tls_settings *settings,
                        const ldc_tls_credentials *credentials, const ldc_tls_choice *choice,
                        uint64_t handle, ldc_tls_context **context);

/* ---- ldc_tls_link.c, ldc_tls_verify.c, ldc_tls_diagnose.c ---- */

/* Judges one certificate: 1 goes on, DICOM_VERIFY_NO_ANSWER = nobody answered, anything else stops.
 */
typedef int (*ldc_verdict_fn)(void *owner, int ok, char *text, int code, const char *error_text);

typedef struct ldc_tls_link {
    ldc_transport base;
    SSL *ssl;                 /* owned */
    ldc_tls_context *context; /* a reference */
    ldc_verdict_fn verdict;
    void *owner; /* lent: the connection, which outlives its transport */
    /* the verification */
    STACK_OF(X509) * received; /* owned: the chain as the peer sent it, leaf first; NULL = none */
    bool judged;               /* the chain was verified */
    bool stopped;              /* an answer ended the verification */
    bool no_answer;            /* nobody answered */
    bool failed;               /* the verification did not end well and was not overruled */
    bool overruled;            /* a complaint was answered with 1 */
    int code, depth; /* of the complaint that counts: the stop, else the first overruled */
    char *subject;   /* owned: of that certificate */
    char *detail;    /* owned: more about it, NULL = none */
    /* the handshake as seen by the message callback */
    int alert_sent, alert_received;
    bool first_record_read;     /* a handshake message of the peer's went by */
    bool odd_record;            /* the last record's header is none of TLS */
    bool hello_done;            /* a ServerHello went by */
    bool certificate_requested; /* client: the server asked for a certificate */
    bool certificate_empty;     /* client: we answered with none */
    bool peer_spoke;            /* client: ticket or data after the handshake */
    bool established;
    int ssl_error; /* SSL_get_error of the last failure */
    uint64_t error;
    char error_text[256];
} ldc_tls_link;

/* The transport of a TLS connection on fd. NULL: not possible (memory). */
ldc_transport *ldc_tls_link_new(ldc_tls_context *context, int fd, ldc_verdict_fn verdict,
                                void *owner);
/* The link behind a transport; NULL for a plain one. */
ldc_tls_link *ldc_tls_link_of(ldc_transport *transport);

int ldc_tls_verify_chain(X509_STORE_CTX *store,
                         void *unused);  /* SSL_CTX_set_cert_verify_callback */
int ldc_tls_code_from_openssl(int code); /* 24 and 79 exchanged */
void ldc_tls_link_diagnose(ldc_transport *self, ldc_failure *failure);
/* One sentence: what to do about a verification code. Never NULL. */
const char *ldc_tls_code_remedy(int code);
/* Fills a record for a handshake that did not end in time. */
void ldc_tls_timeout_diagnose(ldc_transport *self, bool server, ldc_failure *failure);

#endif
