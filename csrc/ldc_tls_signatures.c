/*
 * ldc_tls_signatures.c - failure records of links without a signature algorithm in common.
 *
 * OpenSSL says "no shared cipher", or lets a client send no certificate at all; what the peer takes
 * and what our key is, tell the cause.
 */
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_text.h"
#include "ldc_tls_rules.h"

/* TLS SignatureScheme (RFC 8446 4.2.3) in words, with the key that makes it. One that several have
 * (RSA with PKCS #1 and PSS) is said once. */
static const struct scheme {
    unsigned value;
    const char *key; /* as EVP_PKEY_get0_type_name */
    const char *words;
} schemes[] = {
    {0x0201, "RSA", "RSA with SHA-1"},
    {0x0203, "EC", "ECDSA with SHA-1"},
    {0x0202, "DSA", "DSA"},
    {0x0402, "DSA", "DSA"},
    {0x0401, "RSA", "RSA"},
    {0x0501, "RSA", "RSA"},
    {0x0601, "RSA", "RSA"},
    {0x0804, "RSA", "RSA"},
    {0x0805, "RSA", "RSA"},
    {0x0806, "RSA", "RSA"},
    {0x0809, "RSA-PSS", "RSA-PSS"},
    {0x080a, "RSA-PSS", "RSA-PSS"},
    {0x080b, "RSA-PSS", "RSA-PSS"},
    {0x0403, "EC", "ECDSA (P-256)"},
    {0x0503, "EC", "ECDSA (P-384)"},
    {0x0603, "EC", "ECDSA (P-521)"},
    {0x081a, "EC", "ECDSA (Brainpool)"},
    {0x081b, "EC", "ECDSA (Brainpool)"},
    {0x081c, "EC", "ECDSA (Brainpool)"},
    {0x0807, "ED25519", "Ed25519"},
    {0x0808, "ED448", "Ed448"},
};

static const struct scheme *scheme_of(SSL *ssl, int index)
{
    unsigned char low = 0, high = 0;
    if (SSL_get_sigalgs(ssl, index, NULL, NULL, NULL, &low, &high) <= index) {
        return NULL;
    }
    unsigned value = (unsigned)high << 8 | low;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (schemes[i].value == value) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* "Ed448, RSA"; NULL if the peer has not said, or only what nobody knows. The peer may name tens of
 * thousands: each is looked at once. */
static char *taken(SSL *ssl)
{
    int count = SSL_get_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);
    bool said[sizeof schemes / sizeof schemes[0]] = {false};
    ldc_text text;
    bool some = false;
    ldc_text_init(&text);
    for (int i = 0; i < count; i++) {
        const struct scheme *one = scheme_of(ssl, i);
        if (one == NULL || said[one - schemes]) {
            continue;
        }
        ldc_text_printf(&text, "%s%s", some ? ", " : "", one->words);
        some = true;
        for (size_t k = 0; k < sizeof schemes / sizeof schemes[0]; k++) {
            said[k] = said[k] || strcmp(schemes[k].words, one->words) == 0;
        }
    }
    char *made = ldc_text_take(&text);
    if (!some) {
        free(made);
        return NULL;
    }
    return made;
}

static const char *key_of(SSL *ssl)
{
    X509 *own = SSL_get_certificate(ssl);
    EVP_PKEY *key = own == NULL ? NULL : X509_get0_pubkey(own);
    return key == NULL ? NULL : EVP_PKEY_get0_type_name(key);
}

/* Whether the peer takes something of our kind of key, with a hash that we have. */
static bool key_fits(SSL *ssl, const char *key)
{
    int count = SSL_get_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);
    for (int i = 0; i < count; i++) {
        const struct scheme *one = scheme_of(ssl, i);
        if (one != NULL && strcmp(one->key, key) == 0 && one->value >> 8 != 0x02) {
            return true;
        }
    }
    return false;
}

static char *remedy_of(const char *takes)
{
    return ldc_format(
        "The peer takes %s. Load a certificate with such a key, or have the peer take "
        "others (RSA, EC P-256), with SHA-256 or better.",
        takes == NULL ? "none of ours" : takes);
}

bool ldc_tls_signature_diagnose(const ldc_tls_link *link, int code, ldc_failure *failure)
{
    const char *key = key_of(link->ssl);
    if (!link->context->server || key == NULL || key_fits(link->ssl, key)) {
        return false;
    }
    char *takes = taken(link->ssl);
    if (takes == NULL) {
        return false;
    }
    char *message = ldc_format(
        "TLS failure: no signature algorithm in common: the client takes none that our %s key makes",
        key);
    char *remedy = remedy_of(takes);
    ldc_failure_fill(failure, code, DICOM_STAGE_TLS, DICOM_SIDE_LOCAL, message, remedy);
    free(remedy);
    free(message);
    free(takes);
    return true;
}

bool ldc_tls_unsent_diagnose(const ldc_tls_link *link, ldc_failure *failure)
{
    const char *key = key_of(link->ssl);
    if (key == NULL) {
        return false;
    }
    char *takes = taken(link->ssl);
    char *message =
        ldc_format("The peer requires a certificate, and ours could not be sent: the peer takes no "
                   "signature that our %s key makes",
                   key);
    char *remedy = remedy_of(takes);
    ldc_failure_fill(failure, DICOM_ERROR_TLS_PEER_REQUIRES_CERTIFICATE, DICOM_STAGE_CERTIFICATE,
                     DICOM_SIDE_PEER, message, remedy);
    failure->subject = ldc_subject_text(SSL_get_certificate(link->ssl));
    failure->certificate_depth = 0;
    free(remedy);
    free(message);
    free(takes);
    return true;
}
