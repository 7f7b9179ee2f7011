/* ldc_tls_pins.c - the SHA-256 of a certificate or of its public key, as text and compared. */
#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tls_rules.h"

enum {
    HEX_DIGITS = 2 * LDC_PIN_SIZE,
    BASE64_CHARS = 44 /* of 32 bytes, the last one '=' */
};

static const struct {
    const char *prefix;
    int kind;
} kinds[] = {{"cert:", DICOM_TLS_PIN_CERTIFICATE}, {"key:", DICOM_TLS_PIN_KEY}};

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int small = tolower((unsigned char)c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* Two digits a byte; a colon may stand between bytes, as OpenSSL prints fingerprints. */
static bool parse_hex(const char *text, size_t length, unsigned char digest[LDC_PIN_SIZE])
{
    size_t at = 0;
    for (size_t i = 0; i < LDC_PIN_SIZE; i++) {
        if (i > 0 && at < length && text[at] == ':') {
            at++;
        }
        if (length - at < 2) {
            return false;
        }
        int high = digit_of(text[at]);
        int low = digit_of(text[at + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        digest[i] = (unsigned char)(high << 4 | low);
        at += 2;
    }
    return at == length;
}

static bool parse_base64(const char *text, size_t length, unsigned char digest[LDC_PIN_SIZE])
{
    unsigned char decoded[LDC_PIN_SIZE + 3];
    if (length != BASE64_CHARS || text[length - 1] != '=' || text[length - 2] == '=') {
        return false;
    }
    /* The last group is of two bytes, the third comes as zero. */
    if (EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)length) != LDC_PIN_SIZE + 1) {
        ERR_clear_error();
        return false;
    }
    memcpy(digest, decoded, LDC_PIN_SIZE);
    return true;
}

int ldc_tls_pin_parse(const char *text, size_t length, ldc_tls_pin *pin)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t prefix = strlen(kinds[i].prefix);
        if (length < prefix || strncmp(text, kinds[i].prefix, prefix) != 0) {
            continue;
        }
        pin->kind = kinds[i].kind;
        if (parse_hex(text + prefix, length - prefix, pin->digest) ||
            parse_base64(text + prefix, length - prefix, pin->digest)) {
            return DICOM_SUCCESS;
        }
    }
    return ldc_error(
        DICOM_ERROR_PARAMETER,
        "\"%.*s\" is no pin. Give \"cert:\" and the SHA-256 of the certificate's DER, "
        "or \"key:\" and that of its SubjectPublicKeyInfo, as %d hexadecimal digits or "
        "as base64.",
        (int)(length > 100 ? 100 : length), text, HEX_DIGITS);
}

bool ldc_tls_pin_make(X509 *certificate, int kind, ldc_tls_pin *pin)
{
    unsigned char *der = NULL;
    size_t size = 0;
    int length = kind == DICOM_TLS_PIN_KEY
                     ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der)
                     : i2d_X509(certificate, &der);
    pin->kind = kind;
    bool done = length > 0 &&
                EVP_Q_digest(ldc_tls_library(), "SHA256", NULL, der, (size_t)length, pin->digest,
                             &size) == 1 &&
                size == LDC_PIN_SIZE;
    OPENSSL_free(der);
    ERR_clear_error();
    return done;
}

void ldc_tls_pin_text(const ldc_tls_pin *pin, char text[LDC_PIN_TEXT])
{
    int used = snprintf(text, LDC_PIN_TEXT, "%s", kinds[pin->kind == DICOM_TLS_PIN_KEY].prefix);
    for (size_t i = 0; i < LDC_PIN_SIZE; i++) {
        snprintf(text + used + 2 * i, LDC_PIN_TEXT - (size_t)used - 2 * i, "%02x", pin->digest[i]);
    }
}

bool ldc_tls_pins_match(const ldc_tls_rules *rules, X509 *certificate)
{
    ldc_tls_pin own[2];
    bool found = false;
    if (!ldc_tls_pin_make(certificate, DICOM_TLS_PIN_CERTIFICATE, &own[0]) ||
        !ldc_tls_pin_make(certificate, DICOM_TLS_PIN_KEY, &own[1])) {
        return false;
    }
    for (size_t i = 0; i < rules->pin_count; i++) {
        const ldc_tls_pin *pin = &rules->pins[i];
        found = found ||
                memcmp(pin->digest, own[pin->kind == DICOM_TLS_PIN_KEY].digest, LDC_PIN_SIZE) == 0;
    }
    return found;
}
