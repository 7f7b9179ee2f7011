/*
 * ldc_tls_profiles.h - named TLS profiles: the table, look-up by name, whether OpenSSL can do one,
 * the minima of keys and hashes.
 *
 * Read-only data, any thread. What is applied to an SSL_CTX is in ldc_tls_context.c and
 * ldc_tls_suites.c; judging a link is in api_tls_profile.c.
 */
#ifndef LDC_TLS_PROFILES_H
#define LDC_TLS_PROFILES_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LDC_PROFILE_SUITES = 16
};

/* Lists of every context without a profile, too. The hybrid group goes first where OpenSSL has it.
 */
#define LDC_TLS_HYBRID_GROUP "X25519MLKEM768"
#define LDC_TLS_GROUPS       "x25519:secp256r1:secp384r1:secp521r1:ffdhe2048:ffdhe3072"
#define LDC_TLS_SIGNATURES                                                                                              \
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:" \
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"
#define LDC_TLS_LEGACY_SIGNATURES LDC_TLS_SIGNATURES ":RSA+SHA1:ECDSA+SHA1"

typedef struct ldc_tls_profile {
    const char *name;
    const char
        *aliases; /* other spellings, one space between them; case, '.', '_', '-' never count */
    const char *title; /* where it is defined */
    bool retired;
    int lowest, highest;                 /* TLS1_..._VERSION */
    uint32_t suites[LDC_PROFILE_SUITES]; /* in order; 0 ends them */
    uint8_t uses[LDC_PROFILE_SUITES];    /* DICOM_TLS_PROFILE_SUITE_... */
    bool hybrid;                         /* the hybrid group may be used */
    bool resumption;                     /* sessions may be resumed where a net wants it */
    const char *groups, *signatures;     /* OpenSSL's lists */
    unsigned rsa_bits, ec_bits, dh_bits; /* the smallest keys, 0 = no rule */
    unsigned hash_bits;                  /* of the smallest hash of a signature, 0 = no rule */
} ldc_tls_profile;

extern const ldc_tls_profile ldc_tls_profiles[];
extern const size_t ldc_tls_profile_count;

/* Lenient about case and punctuation. NULL: unknown, and the error of the call names the known. */
const ldc_tls_profile *ldc_tls_profile_find(const char *name);
bool ldc_tls_profile_has_suite(const ldc_tls_profile *profile, uint32_t id);
bool ldc_tls_profile_has_group(const ldc_tls_profile *profile, const char *group);
/* OpenSSL's security level for its protocol. */
int ldc_tls_profile_level(const ldc_tls_profile *profile);

/* The suites to be listed, 0 after the last; size above LDC_PROFILE_SUITES.
 * DICOM_ERROR_TLS_PROFILE: one that must be there is missing, or a group; the text says which and
 * why. */
int ldc_tls_profile_list(const ldc_tls_profile *profile, uint32_t *list, size_t size);

/* L_X509_V_OK, or the code of what is too weak in a certificate. issued: by another certificate of
 * the chain, so that its signature counts. text, if not NULL, gets a sentence. */
int ldc_tls_profile_weigh(const ldc_tls_profile *profile, X509 *certificate, bool leaf, bool issued,
                          char *text, size_t size);

#endif
