/*
 * fuzz_certificate_text.c - fuzz target: a certificate as a peer may send it, DER, to its texts.
 *
 * Whatever the bytes are: valid UTF-8, no control character but the newlines and TABs of the form,
 * 25 lines, and the same subject in the line and alone.
 */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_certificate_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Another way than the library's: decode to a number, and look whether the length was needed. */
static bool is_clean_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != 0) {
        static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
        uint32_t character = *at;
        int length = *at < 0x80       ? 1
                     : *at >> 5 == 6  ? 2
                     : *at >> 4 == 14 ? 3
                     : *at >> 3 == 30 ? 4
                                      : 0;
        int i;

        if (length == 0)
            return false;
        if (length > 1)
            character = *at & (0x7Fu >> length);
        for (i = 1; i < length; i++) {
            if (at[i] >> 6 != 2) /* the NUL at the end too */
                return false;
            character = character << 6 | (at[i] & 0x3Fu);
        }
        if (character < lowest[length] || character > 0x10FFFF || character >> 11 == 0x1B)
            return false;
        if (character < 0x20 && character != '\n' && character != '\t')
            return false;
        if ((character >= 0x7F && character < 0xA0) || character == 0x2028 || character == 0x2029)
            return false;
        at += length;
    }
    return true;
}

/* What only the form itself may contain, the labels of the lines in order. */
static void require_form(const char *text)
{
    static const char *const starts[25] = {
        "Subject Name: ",
        "Issuer Name: ",
        "Valid From: ",
        "Valid To: ",
        "Serial Number: ",
        "Basic Constraints:",
        "\t",
        "Certificate purposes:",
        "\tSSL client : ",
        "\tSSL client CA : ",
        "\tSSL server : ",
        "\tSSL server CA : ",
        "\tNetscape SSL server : ",
        "\tNetscape SSL server CA : ",
        "\tS/MIME signing : ",
        "\tS/MIME signing CA : ",
        "\tS/MIME encryption : ",
        "\tS/MIME encryption CA : ",
        "\tCRL signing : ",
        "\tCRL signing CA : ",
        "\tAny Purpose : ",
        "\tAny Purpose CA : ",
        "\tOCSP helper : ",
        "\tOCSP helper CA : ",
        "\tTime Stamp signing : ",
    };
    int i;

    for (i = 0; i < 25; i++) {
        size_t length = strcspn(text, "\n");
        size_t start = strlen(starts[i]);

        REQUIRE(strncmp(text, starts[i], start) == 0);
        REQUIRE(memchr(text + start, '\t', length - start) == NULL);
        text += length;
        REQUIRE((*text == '\n') == (i < 24));
        if (*text == '\n')
            text++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char label[] = "Subject Name: ";
    const unsigned char *at = data;
    X509 *certificate = d2i_X509(NULL, &at, (long)size);
    char *text, *subject;
    char buffer[64];
    const char *extension;

    ERR_clear_error();
    if (certificate == NULL)
        return 0;
    text = ldc_certificate_text(certificate);
    subject = ldc_subject_text(certificate);
    extension = ldc_invalid_extension(certificate, buffer, sizeof buffer);
    REQUIRE(ERR_peek_error() == 0);
    REQUIRE(text != NULL && subject != NULL); /* no input is long enough for the limit */
    REQUIRE(is_clean_utf8(text) && is_clean_utf8(subject));
    require_form(text);
    REQUIRE(strncmp(text + sizeof label - 1, subject, strlen(subject)) == 0);
    REQUIRE(text[sizeof label - 1 + strlen(subject)] == '\n');
    if (X509_get_extension_flags(certificate) & EXFLAG_INVALID) {
        REQUIRE(strstr(strstr(text, "\nCertificate purposes:"), " : Yes") == NULL);
        REQUIRE(extension != NULL);
    } else {
        REQUIRE(extension == NULL);
    }
    free(subject);
    free(text);
    X509_free(certificate);
    return 0;
}
