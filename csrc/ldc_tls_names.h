/*
 * ldc_tls_names.h - names in TLS: DNS names as they are sent and asked for, patterns of one label,
 * the names that a certificate carries.
 *
 * Pure functions, any thread. Names of clients are hostile bytes: what is no DNS name is told from
 * one here and nowhere else.
 */
#ifndef LDC_TLS_NAMES_H
#define LDC_TLS_NAMES_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    LDC_DNS_NAME = 256 /* 253 characters, as RFC 1035 has them, and the NUL */
};

/* Writes the name in small letters, without a dot at its end. false: not a DNS name in ASCII, or an
 * IP address (RFC 6066 3). pattern: its first label may be "*". */
bool ldc_dns_name(const char *text, size_t length, bool pattern, char name[LDC_DNS_NAME]);

/* Writes the host that a certificate has to be for: a DNS name as above, or an address in its usual
 * form, without a scope. false: neither. */
bool ldc_host_name(const char *text, char name[LDC_DNS_NAME]);

/* Whether a pattern stands for a name; both from ldc_dns_name. "*" is exactly one label (RFC 6125
 * 6.4.3). */
bool ldc_dns_matches(const char *pattern, const char *name);

typedef enum ldc_sni {
    LDC_SNI_NONE,   /* no name */
    LDC_SNI_NAME,   /* a DNS name */
    LDC_SNI_STRANGE /* something else, or a broken extension */
} ldc_sni;

/* The host name in the server_name extension of a ClientHello (RFC 6066 3). */
ldc_sni ldc_sni_parse(const unsigned char *extension, size_t length, char name[LDC_DNS_NAME]);

/* DNS names of a certificate in small letters, with a space between them; "" = none. malloc'ed,
 * NULL = no memory. Names that are none are left out. */
char *ldc_certificate_dns_names(X509 *certificate);

/* All names of a certificate for people: "DNS a, IP address b, ...", bounded. malloc'ed, NULL = no
 * memory. */
char *ldc_certificate_names_text(X509 *certificate);

/* Whether its subject has the e-mail address, and its subjectAltName has none at all: there OpenSSL
 * takes the subject's, which proves nothing (RFC 5280 4.2.1.6). */
bool ldc_certificate_email_in_subject(X509 *certificate, const char *email);

/* Whether the certificate carries exactly this URI (RFC 5280 4.2.1.6). */
bool ldc_certificate_has_uri(X509 *certificate, const char *uri);

#endif
