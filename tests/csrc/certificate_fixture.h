/* certificate_fixture.h - certificates made in memory, and looks at their text. */
#ifndef LDC_TESTS_CERTIFICATE_FIXTURE_H
#define LDC_TESTS_CERTIFICATE_FIXTURE_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_certificate_text.h"
#include "ldc_text.h"
#include "unit.h"

/* ---- making certificates ---- */

static inline EVP_PKEY *key(void)
{
    static EVP_PKEY *made;

    if (made == NULL)
        made = EVP_EC_gen("P-256");
    return made;
}

static inline void add_bytes(X509_NAME *name, int nid, int type, const void *bytes, size_t length)
{
    /* Not by a MBSTRING_ type: OpenSSL would then check lengths and choose the type itself. */
    X509_NAME_ENTRY *entry = X509_NAME_ENTRY_new();

    CHECK(X509_NAME_ENTRY_set_object(entry, OBJ_nid2obj(nid)) == 1);
    CHECK(X509_NAME_ENTRY_set_data(entry, type, bytes, (int)length) == 1);
    CHECK(X509_NAME_add_entry(name, entry, -1, 0) == 1);
    X509_NAME_ENTRY_free(entry);
}

static inline void add(X509_NAME *name, int nid, const char *value)
{
    add_bytes(name, nid, V_ASN1_UTF8STRING, value, strlen(value));
}

/* Version 3, serial number 1, CN = Leaf, issued by CN = Issuer, no extension. */
static inline X509 *leaf(void)
{
    X509 *certificate = X509_new();

    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    add(X509_get_subject_name(certificate), NID_commonName, "Leaf");
    add(X509_get_issuer_name(certificate), NID_commonName, "Issuer");
    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20200102030405Z");
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20501231235959Z");
    X509_set_pubkey(certificate, key());
    return certificate;
}

/* Without a name at all. */
static inline X509 *nameless(void)
{
    X509 *certificate = leaf();
    X509_NAME *empty = X509_NAME_new();

    X509_set_subject_name(certificate, empty);
    X509_NAME_free(empty);
    return certificate;
}

static inline void extend(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (CHECK(extension != NULL))
        CHECK(X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static inline void extend_bytes(X509 *certificate, int nid, const void *bytes, size_t length)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    ASN1_OCTET_STRING_set(value, bytes, (int)length);
    extension = X509_EXTENSION_create_by_NID(NULL, nid, 0, value);
    if (CHECK(extension != NULL))
        CHECK(X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
}

/* ProxyCertInfo (RFC 3820 section 3.8) with the policy language id-ppl-inheritAll. */
#define PROXY_OF_ALL "\x30\x0C\x30\x0A\x06\x08\x2B\x06\x01\x05\x05\x07\x15\x01"

/* Signs the certificate and gives it as it comes off the wire, with nothing cached; frees what it
 * was given. NULL: OpenSSL does not read it back. */
static inline X509 *sent_if_readable(X509 *certificate)
{
    unsigned char *der = NULL;
    const unsigned char *at;
    X509 *received;
    int length;

    CHECK(X509_sign(certificate, key(), EVP_sha256()) > 0);
    length = i2d_X509(certificate, &der);
    X509_free(certificate);
    at = der;
    received = d2i_X509(NULL, &at, length);
    OPENSSL_free(der);
    return received;
}

static inline X509 *sent(X509 *certificate)
{
    X509 *received = sent_if_readable(certificate);

    CHECK(received != NULL);
    return received;
}

/* ---- looking at texts ---- */

static const char *const labels[17] = {
    "SSL client",          "SSL client CA",          "SSL server",     "SSL server CA",
    "Netscape SSL server", "Netscape SSL server CA", "S/MIME signing", "S/MIME signing CA",
    "S/MIME encryption",   "S/MIME encryption CA",   "CRL signing",    "CRL signing CA",
    "Any Purpose",         "Any Purpose CA",         "OCSP helper",    "OCSP helper CA",
    "Time Stamp signing",
};

/* Line `number` of the text, from 1; freed by the caller. */
static inline char *line_of(const char *text, int number)
{
    while (text != NULL && --number > 0) {
        text = strchr(text, '\n');
        if (text != NULL)
            text++;
    }
    return text == NULL ? NULL : strndup(text, strcspn(text, "\n"));
}

static inline int count_lines(const char *text)
{
    int count = 1;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static inline void check_line(X509 *certificate, int number, const char *expected, int line)
{
    char *text = ldc_certificate_text(certificate);
    char *found = line_of(text, number);

    unit_check_str(found, expected, "line of the text", __FILE__, line);
    if (text != NULL)
        unit_check_int(count_lines(text), 25, "number of lines", __FILE__, line);
    free(found);
    free(text);
}

#define CHECK_LINE(certificate, number, expected)                                                  \
    check_line(certificate, number, expected, __LINE__)
#define CHECK_SUBJECT(certificate, expected) CHECK_LINE(certificate, 1, "Subject Name: " expected)
#define CHECK_SERIAL(certificate, expected)  CHECK_LINE(certificate, 5, "Serial Number: " expected)

/* `granted`: the labels that say Yes, up to a NULL; all others must say No. */
static inline void check_purposes(X509 *certificate, const char *const *granted, int line)
{
    char *text = ldc_certificate_text(certificate);
    ldc_text expected;
    char *string;
    size_t i, j;

    ldc_text_init(&expected);
    ldc_text_append_string(&expected, "Certificate purposes:");
    for (i = 0; i < 17; i++) {
        bool yes = false;

        for (j = 0; granted[j] != NULL; j++)
            yes = yes || strcmp(granted[j], labels[i]) == 0;
        ldc_text_printf(&expected, "\n\t%s : %s", labels[i], yes ? "Yes" : "No");
    }
    string = ldc_text_take(&expected);
    if (unit_check(text != NULL, "there is a text", __FILE__, line))
        unit_check_str(strstr(text, "Certificate purposes:"), string, "purposes", __FILE__, line);
    free(string);
    free(text);
}

#define CHECK_PURPOSES(certificate, ...)                                                           \
    check_purposes(certificate, (const char *const[]){__VA_ARGS__, NULL}, __LINE__)

/* Adds a value that OpenSSL may not take as it stands. */
static inline void add_unchecked(X509_NAME *name, int nid, int type, const void *bytes,
                                 size_t length)
{
    const X509_NAME_ENTRY *entry;
    ASN1_STRING *value = ASN1_STRING_type_new(type);

    add(name, nid, "x");
    entry = X509_NAME_get_entry(name, X509_NAME_entry_count(name) - 1);
    CHECK(ASN1_STRING_set(value, bytes, (int)length) == 1);
    CHECK(ASN1_STRING_copy(X509_NAME_ENTRY_get_data(entry), value) == 1);
    ASN1_STRING_free(value);
}

/* The text of a name whose common name has the given type and bytes. */
static inline char *common_name(int type, const void *bytes, size_t length)
{
    X509_NAME *name = X509_NAME_new();
    char *text;

    add_unchecked(name, NID_commonName, type, bytes, length);
    text = ldc_name_text(name);
    X509_NAME_free(name);
    return text;
}

#define CHECK_NAME(type, literal, expected)                                                        \
    do {                                                                                           \
        char *string = common_name(type, literal, sizeof(literal) - 1);                            \
        CHECK_STR(string, "CN = " expected);                                                       \
        free(string);                                                                              \
    } while (0)

#endif
