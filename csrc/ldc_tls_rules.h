/*
 * ldc_tls_rules.h - what a net demands beyond flags and CA file: names, pins, purposes, keys, ALPN,
 * and the certificates that a server chooses by name.
 *
 * A set of rules never changes once a net has it: a setter makes a changed copy. Nets and contexts
 * share it. NULL stands for no rules.
 *
 * Files: ldc_tls_rules.c (the set), ldc_tls_pins.c (pins), ldc_tls_demands.c (judging a chain by
 * them), ldc_tls_policies.c (certificate policies), ldc_tls_sni.c (the certificate for a name),
 * ldc_tls_alpn.c.
 */
#ifndef LDC_TLS_RULES_H
#define LDC_TLS_RULES_H

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "ldc_failure.h"
#include "ldc_tls.h"

enum {
    LDC_PIN_SIZE = 32,   /* SHA-256 */
    LDC_PIN_TEXT = 80,   /* "cert:" or "key:", 64 digits, NUL */
    LDC_PINS = 64,       /* most of a net */
    LDC_NAMED = 64,      /* most certificates of a server, the default one not counted */
    LDC_RULE_TEXT = 1024 /* longest e-mail address or URI */
};

typedef struct ldc_tls_pin {
    int kind; /* DICOM_TLS_PIN_... */
    unsigned char digest[LDC_PIN_SIZE];
} ldc_tls_pin;

/* The smallest keys and hash, in bits; 0 = no rule. */
typedef struct ldc_tls_minima {
    unsigned rsa_bits, ec_bits, hash_bits;
} ldc_tls_minima;

typedef struct ldc_tls_named {        /* a server's certificate for some names */
    ldc_tls_credentials *credentials; /* a reference */
    char *names;           /* owned: patterns from ldc_dns_name, with a space between them */
    bool own_names;        /* they are those that the certificate carries */
    ldc_tls_origin origin; /* owned: where the credentials came from */
    char *staple_file;     /* owned: the OCSP response that goes with it, NULL = none */
} ldc_tls_named;

typedef struct ldc_tls_rules {
    ldc_ref ref;
    char *server_name; /* owned: to be sent; NULL = what Connect was given, "" = none */
    char *email, *uri; /* owned: what the peer's certificate must carry; NULL = not checked */
    int purpose;       /* DICOM_TLS_PURPOSE_... */
    int alpn;          /* DICOM_TLS_ALPN_... */
    ldc_tls_minima minima;
    unsigned policy_flags; /* DICOM_TLS_POLICY_..., 0 = policies are not looked at */
    char *policies;        /* owned: object identifiers, a space between them; NULL = any */
    bool whole_chain;      /* a CA file's certificate that is not self-signed is no anchor */
    bool pins_only;        /* the pins are the only trust */
    size_t pin_count;
    ldc_tls_pin pins[LDC_PINS];
    bool refuse_unknown_names;
    size_t named_count;
    ldc_tls_named named[LDC_NAMED];
} ldc_tls_rules;

/* ---- ldc_tls_rules.c ---- */

/* A copy that may still be changed; of NULL: the defaults. NULL = no memory. */
ldc_tls_rules *ldc_tls_rules_copy(const ldc_tls_rules *from, bool with_certificates);
/* Adds all that counts to the digest of a context; a client's is without certificates. */
void ldc_tls_rules_digest(const ldc_tls_rules *rules, bool server, ldc_digest *digest);
/* What contradicts the settings. expected_host NULL = none. 0 or code. */
int ldc_tls_rules_check(const ldc_tls_rules *rules, const char *expected_host,
                        const ldc_tls_settings *settings);
/* Whether the peer must show a certificate, as something is demanded of it. */
bool ldc_tls_rules_demand(const ldc_tls_rules *rules);
/* Adds a copy (with one more reference). 0 or code. */
int ldc_tls_rules_add(ldc_tls_rules *rules, const ldc_tls_named *named);
void ldc_tls_rules_clear_named(ldc_tls_rules *rules);

/* ---- ldc_tls_pins.c ---- */

/* "cert:" or "key:" and 64 hexadecimal digits, colons between them allowed, or 44 characters of
 * base64. 0 or code. */
int ldc_tls_pin_parse(const char *text, size_t length, ldc_tls_pin *pin);
/* false: OpenSSL would not. */
bool ldc_tls_pin_make(X509 *certificate, int kind, ldc_tls_pin *pin);
void ldc_tls_pin_text(const ldc_tls_pin *pin, char text[LDC_PIN_TEXT]);
/* Whether one of the pins is that of the certificate. */
bool ldc_tls_pins_match(const ldc_tls_rules *rules, X509 *certificate);

/* ---- ldc_tls_demands.c ---- */

/* The stricter of a profile's and the rules' minima; both may be NULL. */
ldc_tls_minima ldc_tls_minima_of(const ldc_tls_profile *profile, const ldc_tls_rules *rules);
/* L_X509_V_OK, or the code of what is too weak in a certificate. issued: by another certificate of
 * the chain, so that its signature counts. text, if not NULL, gets a sentence. */
int ldc_tls_weigh(const ldc_tls_minima *least, X509 *certificate, bool leaf, bool issued,
                  char *text, size_t size);
/* Before the chain is built: purposes, pins. anchor gets what the store has to lend, to be freed
 * after the verification. 1 goes on. */
int ldc_tls_demands_begin(ldc_tls_link *link, X509_STORE_CTX *store, STACK_OF(X509) * *anchor);
/* When the chain is complete: names, purposes, keys. 1 goes on. */
int ldc_tls_demands_judge(ldc_tls_link *link, X509_STORE_CTX *store);

/* ---- ldc_tls_policies.c ---- */

/* Whether all words are object identifiers. 0 or code. */
int ldc_tls_policies_check(const char *policies);
/* false: no memory. rules may be NULL. */
bool ldc_tls_policies_apply(const ldc_tls_rules *rules, X509_VERIFY_PARAM *param);

/* ---- ldc_tls_verify.c ---- */

/* Asks about a complaint of ours; about (NULL: nothing) is for the record. 1 goes on. */
int ldc_tls_complain(X509_STORE_CTX *store, X509 *certificate, int depth, int code,
                     const char *about);

/* ---- ldc_tls_sni.c ---- */

/* Of a server's context: makes those of its other certificates, and listens for names. 0 or code.
 */
int ldc_tls_sni_set_up(ldc_tls_context *context, const ldc_tls_settings *settings,
                       const ldc_tls_choice *choice, uint64_t handle);
void ldc_tls_sni_clear(ldc_tls_context *context);
/* Calls visit for the context of each further certificate of a server (twice for one with two
 * names). */
void ldc_tls_sni_each(const struct ldc_tls_sni *sni,
                      void (*visit)(const ldc_tls_context *context, void *arg), void *arg);
/* A client's link: sends the name, if there is one. peer_name: what Connect was given, NULL = an
 * address. false: no memory. */
bool ldc_tls_sni_send(ldc_tls_link *link, const char *peer_name);

/* ---- ldc_tls_alpn.c ---- */

bool ldc_tls_alpn_set_up(ldc_tls_context *context);
/* A ClientHello came. false: it is to be refused. */
bool ldc_tls_alpn_greet(ldc_tls_link *link);
/* After the handshake. false: what was agreed is not enough. */
bool ldc_tls_alpn_accept(ldc_tls_link *link);

/* ---- ldc_tls_refusals.c: failure records about names and protocols ---- */

/* true: the failure was of this kind, and the record says so. */
bool ldc_tls_refusal_diagnose(const ldc_tls_link *link, ldc_failure *failure);
/* What to do about the peer's alert, malloc'ed; NULL: it is of another kind, or no memory. */
char *ldc_tls_refusal_remedy(const ldc_tls_link *link, int alert);

/* ---- ldc_tls_signatures.c: failure records about signature algorithms ---- */

/* A server without an algorithm that the client takes; false: that is not the cause. */
bool ldc_tls_signature_diagnose(const ldc_tls_link *link, int code, ldc_failure *failure);
/* A client whose certificate is loaded, and was not sent; false: there is none. */
bool ldc_tls_unsent_diagnose(const ldc_tls_link *link, ldc_failure *failure);

#endif
