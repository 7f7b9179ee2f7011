/*
 * ldc_tls_demands.c - what a net demands of the peer's chain beyond what OpenSSL checks: pins,
 * purposes, keys and hashes, URIs.
 *
 * Each shortfall is a complaint like OpenSSL's own: OnVerify is asked, and decides. Pins come
 * before the chain is built: where they are the only trust, the pinned certificate itself is the
 * anchor that OpenSSL then judges by date, purpose, name and key.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "ldc_error.h"
#include "ldc_tls_names.h"
#include "ldc_tls_rules.h"

/* ---- keys and hashes ---- */

static unsigned larger(unsigned one, unsigned other)
{
    return one > other ? one : other;
}

ldc_tls_minima ldc_tls_minima_of(const ldc_tls_profile *profile, const ldc_tls_rules *rules)
{
    ldc_tls_minima least = {0};
    if (rules != NULL) {
        least = rules->minima;
    }
    if (profile != NULL) {
        least.rsa_bits = larger(least.rsa_bits, profile->rsa_bits);
        least.ec_bits = larger(least.ec_bits, profile->ec_bits);
        least.hash_bits = larger(least.hash_bits, profile->hash_bits);
    }
    return least;
}

int ldc_tls_weigh(const ldc_tls_minima *least, X509 *certificate, bool leaf, bool issued,
                  char *text, size_t size)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    int kind = key == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
    int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
    bool rsa = kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
    bool curve = kind == EVP_PKEY_EC;
    if (!rsa && !curve) { /* Ed25519 and others: an EC key of the same strength */
        bits = key == NULL ? 0 : 2 * EVP_PKEY_get_security_bits(key);
    }
    unsigned wanted = rsa ? least->rsa_bits : least->ec_bits;
    if (bits < 0 || (unsigned)bits < wanted) {
        if (text != NULL) {
            const char *what = rsa     ? "an RSA key of"
                               : curve ? "an EC key of"
                                       : "a key as strong as EC with";
            snprintf(text, size, "has %s %d bits, %u are needed", what, bits, wanted);
        }
        return leaf ? L_X509_V_ERR_EE_KEY_TOO_SMALL : L_X509_V_ERR_CA_KEY_TOO_SMALL;
    }
    int security = 0; /* of the signature: half of the bits of the hash */
    if (issued && least->hash_bits > 0 &&
        (X509_get_signature_info(certificate, NULL, NULL, &security, NULL) != 1 ||
         security * 2 < (int)least->hash_bits)) {
        ERR_clear_error();
        if (text != NULL) {
            snprintf(text, size, "is signed with a hash weaker than SHA-%u", least->hash_bits);
        }
        return L_X509_V_ERR_CA_MD_TOO_WEAK;
    }
    return L_X509_V_OK;
}

static int judge_keys(const ldc_tls_minima *least, X509_STORE_CTX *store)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
    int count = sk_X509_num(chain);
    int answer = 1;
    for (int i = 0; answer == 1 && i < count; i++) {
        X509 *certificate = sk_X509_value(chain, i);
        char why[128];
        char about[160];
        /* Nobody relies on the signature of the anchor. */
        int code = ldc_tls_weigh(least, certificate, i == 0, i + 1 < count, why, sizeof why);
        if (code != X509_V_OK) {
            snprintf(about, sizeof about, "The certificate %s.", why);
            answer = ldc_tls_complain(store, certificate, i, code, about);
        }
    }
    return answer;
}

/* ---- pins ---- */

static int judge_pins(const ldc_tls_rules *rules, X509_STORE_CTX *store, X509 *leaf)
{
    ldc_tls_pin pin;
    char text[LDC_PIN_TEXT] = "";
    char about[256];
    if (ldc_tls_pins_match(rules, leaf)) {
        return 1;
    }
    /* The one that would have to be added, of the kind that is used here. */
    if (ldc_tls_pin_make(leaf, rules->pins[0].kind, &pin)) {
        ldc_tls_pin_text(&pin, text);
    }
    snprintf(about, sizeof about, "Its pin is %s; %zu %s set, and none is this one.", text,
             rules->pin_count, rules->pin_count == 1 ? "pin is" : "pins are");
    return ldc_tls_complain(store, leaf, 0, L_X509_V_ERR_CERT_UNTRUSTED, about);
}

/* The leaf becomes the anchor of its own chain, whoever has issued it. */
static bool anchor_leaf(X509_STORE_CTX *store, X509 *leaf, STACK_OF(X509) * *anchor)
{
    *anchor = sk_X509_new_null();
    if (*anchor == NULL || X509_up_ref(leaf) != 1) {
        return false;
    }
    if (sk_X509_push(*anchor, leaf) <= 0) {
        X509_free(leaf);
        return false;
    }
    X509_STORE_CTX_set0_trusted_stack(store, *anchor);
    X509_STORE_CTX_set0_untrusted(store, NULL);
    return X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(store),
                                       X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

/* ---- all ---- */

int ldc_tls_demands_begin(ldc_tls_link *link, X509_STORE_CTX *store, STACK_OF(X509) * *anchor)
{
    const ldc_tls_rules *rules = link->context->rules;
    *anchor = NULL;
    if (rules == NULL) {
        return 1;
    }
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    if (rules->purpose == DICOM_TLS_PURPOSE_ANY &&
        X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(store), X509_PURPOSE_ANY) != 1) {
        return 0;
    }
    if (rules->pin_count == 0) {
        return 1;
    }
    if (leaf == NULL || judge_pins(rules, store, leaf) != 1) {
        return 0;
    }
    return !rules->pins_only || anchor_leaf(store, leaf, anchor) ? 1 : 0;
}

int ldc_tls_demands_judge(ldc_tls_link *link, X509_STORE_CTX *store)
{
    const ldc_tls_rules *rules = link->context->rules;
    ldc_tls_minima least = ldc_tls_minima_of(link->context->profile, rules);
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    int answer = 1;
    /* Else a broken certificate has no issuer; its purposes cannot be told, which OpenSSL passes.
     */
    if (X509_STORE_CTX_get_num_untrusted(store) == 0 &&
        (X509_get_extension_flags(leaf) & EXFLAG_INVALID) != 0) {
        answer = ldc_tls_complain(store, leaf, 0, L_X509_V_ERR_INVALID_EXTENSION, NULL);
    }
    if (answer == 1 && rules != NULL && rules->email != NULL &&
        ldc_certificate_email_in_subject(leaf, rules->email)) {
        answer = ldc_tls_complain(store, leaf, 0, L_X509_V_ERR_EMAIL_MISMATCH, NULL);
    }
    if (answer == 1 && rules != NULL && rules->uri != NULL &&
        !ldc_certificate_has_uri(leaf, rules->uri)) {
        char *about = ldc_format("The certificate does not carry the URI \"%s\".", rules->uri);
        answer = ldc_tls_complain(store, leaf, 0, L_X509_V_ERR_HOSTNAME_MISMATCH, about);
        free(about);
    }
    if (answer == 1 && rules != NULL && rules->purpose == DICOM_TLS_PURPOSE_STRICT &&
        (X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) == 0) {
        answer = ldc_tls_complain(store, leaf, 0, L_X509_V_ERR_INVALID_PURPOSE,
                                  "The certificate says nothing about its purposes: it has no "
                                  "extended key usage, and the check is strict.");
    }
    /* OpenSSL finds fault with no policy where there is no path. */
    if (answer == 1 && rules != NULL && (rules->policy_flags & DICOM_TLS_POLICY_EXPLICIT) != 0 &&
        sk_X509_num(X509_STORE_CTX_get0_chain(store)) == 1) {
        answer = ldc_tls_complain(store, leaf, 0, L_X509_V_ERR_NO_EXPLICIT_POLICY,
                                  "The certificate is trusted by itself: no authority says under "
                                  "which policy it was issued.");
    }
    return answer == 1 ? judge_keys(&least, store) : answer;
}
