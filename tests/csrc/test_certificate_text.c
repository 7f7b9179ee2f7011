/*
 * Unit tests of certificates as text (ldc_certificate_text.h), with certificates made in memory.
 *
 * The purposes that a test expects follow from what the certificate says: RFC 5280 sections 4.2.1.3
 * (key usage), 4.2.1.9 (basic constraints) and 4.2.1.12 (extended key usage), the Netscape
 * certificate type, and these rules that OpenSSL documents in openssl-verification-options(1): what
 * is not restricted is allowed; "Any Purpose" and the OCSP helper itself are never restricted; time
 * stamping needs its own extended key usage (RFC 3161 section 2.3).
 */
#include "ldc_certificate_text.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_text.h"
#include "unit.h"

/* ---- OpenSSL's memory, which can be made to run out ---- */

static long allocations_left = -1; /* -1: no limit; 0: every allocation fails */

static bool may_allocate(void)
{
    if (allocations_left > 0)
        allocations_left--;
    return allocations_left != 0;
}

static void *test_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return may_allocate() ? malloc(size) : NULL;
}

static void *test_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return may_allocate() ? realloc(block, size) : NULL;
}

static void test_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    free(block);
}

static int memory_is_ours;

/* Only possible before OpenSSL's first allocation. */
__attribute__((constructor)) static void take_over_memory(void)
{
    memory_is_ours = CRYPTO_set_mem_functions(test_malloc, test_realloc, test_free);
}

/* ---- making certificates ---- */

static EVP_PKEY *key(void)
{
    static EVP_PKEY *made;

    if (made == NULL)
        made = EVP_EC_gen("P-256");
    return made;
}

static void add_bytes(X509_NAME *name, int nid, int type, const void *bytes, size_t length)
{
    /* Not by a MBSTRING_ type: OpenSSL would then check lengths and choose the type itself. */
    X509_NAME_ENTRY *entry = X509_NAME_ENTRY_new();

    CHECK(X509_NAME_ENTRY_set_object(entry, OBJ_nid2obj(nid)) == 1);
    CHECK(X509_NAME_ENTRY_set_data(entry, type, bytes, (int)length) == 1);
    CHECK(X509_NAME_add_entry(name, entry, -1, 0) == 1);
    X509_NAME_ENTRY_free(entry);
}

static void add(X509_NAME *name, int nid, const char *value)
{
    add_bytes(name, nid, V_ASN1_UTF8STRING, value, strlen(value));
}

/* Version 3, serial number 1, CN = Leaf, issued by CN = Issuer, no extension. */
static X509 *leaf(void)
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
static X509 *nameless(void)
{
    X509 *certificate = leaf();
    X509_NAME *empty = X509_NAME_new();

    X509_set_subject_name(certificate, empty);
    X509_NAME_free(empty);
    return certificate;
}

static void extend(X509 *certificate, int nid, const char *value)
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

static void extend_bytes(X509 *certificate, int nid, const void *bytes, size_t length)
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
static X509 *sent_if_readable(X509 *certificate)
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

static X509 *sent(X509 *certificate)
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
static char *line_of(const char *text, int number)
{
    while (text != NULL && --number > 0) {
        text = strchr(text, '\n');
        if (text != NULL)
            text++;
    }
    return text == NULL ? NULL : strndup(text, strcspn(text, "\n"));
}

static int count_lines(const char *text)
{
    int count = 1;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void check_line(X509 *certificate, int number, const char *expected, int line)
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
static void check_purposes(X509 *certificate, const char *const *granted, int line)
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
static void add_unchecked(X509_NAME *name, int nid, int type, const void *bytes, size_t length)
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
static char *common_name(int type, const void *bytes, size_t length)
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

/* ---- the whole text ---- */

TEST(the_text_of_the_help_page_is_made_line_by_line)
{
    static const unsigned char serial[] = {0xAE, 0x8A, 0x75, 0x37, 0x56, 0x03, 0xC4, 0x45};
    X509 *certificate = leaf();
    X509_NAME *subject = X509_NAME_new();
    X509_NAME *issuer = X509_NAME_new();
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    char *text;

    add(subject, NID_commonName, "Test Client");
    add_bytes(subject, NID_countryName, V_ASN1_PRINTABLESTRING, "US", 2);
    add(subject, NID_stateOrProvinceName, "Nebraska");
    add(subject, NID_localityName, "Omaha");
    add(subject, NID_organizationName, "Test Client Organization");
    X509_set_subject_name(certificate, subject);
    add(issuer, NID_commonName, "LEAD CA");
    add(issuer, NID_localityName, "Charlotte");
    add(issuer, NID_stateOrProvinceName, "North Carolina");
    add_bytes(issuer, NID_countryName, V_ASN1_PRINTABLESTRING, "US", 2);
    add_bytes(issuer, NID_pkcs9_emailAddress, V_ASN1_IA5STRING, "support@example.com", 19);
    add(issuer, NID_organizationName, "LEAD Technologies, Inc.");
    X509_set_issuer_name(certificate, issuer);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "200601213135Z");
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), "300530213135Z");
    extend(certificate, NID_basic_constraints, "CA:FALSE");
    extend(certificate, NID_key_usage, "digitalSignature"); /* no CRL signing */
    extend(certificate, NID_ext_key_usage, "codeSigning");  /* neither server nor client nor mail */
    certificate = sent(certificate);
    text = ldc_certificate_text(certificate);
    /* One difference to the page, which says Yes for "OCSP helper CA": this is not a CA. */
    CHECK_STR(text, "Subject Name: CN = Test Client, C = US, ST = Nebraska, L = Omaha, "
                    "O = Test Client Organization\n"
                    "Issuer Name: CN = LEAD CA, L = Charlotte, ST = North Carolina, C = US, "
                    "emailAddress = support@example.com, O = \"LEAD Technologies, Inc.\"\n"
                    "Valid From: Jun  1 21:31:35 2020 GMT\n"
                    "Valid To: May 30 21:31:35 2030 GMT\n"
                    "Serial Number: ae:8a:75:37:56:03:c4:45\n"
                    "Basic Constraints:\n"
                    "\tNot a CA (Certificate Authority)\n"
                    "Certificate purposes:\n"
                    "\tSSL client : No\n"
                    "\tSSL client CA : No\n"
                    "\tSSL server : No\n"
                    "\tSSL server CA : No\n"
                    "\tNetscape SSL server : No\n"
                    "\tNetscape SSL server CA : No\n"
                    "\tS/MIME signing : No\n"
                    "\tS/MIME signing CA : No\n"
                    "\tS/MIME encryption : No\n"
                    "\tS/MIME encryption CA : No\n"
                    "\tCRL signing : No\n"
                    "\tCRL signing CA : No\n"
                    "\tAny Purpose : Yes\n"
                    "\tAny Purpose CA : Yes\n"
                    "\tOCSP helper : Yes\n"
                    "\tOCSP helper CA : No\n"
                    "\tTime Stamp signing : No");
    free(text);
    BN_free(number);
    X509_NAME_free(issuer);
    X509_NAME_free(subject);
    X509_free(certificate);
}

TEST(no_certificate_gives_empty_texts)
{
    char *text = ldc_certificate_text(NULL);
    char *subject = ldc_subject_text(NULL);
    char *name = ldc_name_text(NULL);
    char buffer[10];

    CHECK_STR(text, "");
    CHECK_STR(subject, "");
    CHECK_STR(name, "");
    CHECK(ldc_invalid_extension(NULL, buffer, sizeof buffer) == NULL);
    free(name);
    free(subject);
    free(text);
}

TEST(the_subject_alone_is_that_of_the_first_line)
{
    X509 *certificate = leaf();
    char *subject;

    add(X509_get_subject_name(certificate), NID_organizationName, "A, B\n");
    certificate = sent(certificate);
    subject = ldc_subject_text(certificate);
    CHECK_STR(subject, "CN = Leaf, O = \"A, B\\0A\"");
    CHECK_SUBJECT(certificate, "CN = Leaf, O = \"A, B\\0A\"");
    CHECK_LINE(certificate, 2, "Issuer Name: CN = Issuer");
    free(subject);
    X509_free(certificate);
}

TEST(a_certificate_that_was_never_filled_in_has_a_text)
{
    X509 *certificate = X509_new();

    CHECK_SUBJECT(certificate, "");
    CHECK_LINE(certificate, 3, "Valid From: Bad time value");
    CHECK_SERIAL(certificate, "00");
    X509_free(certificate);
}

TEST(the_text_is_the_same_each_time)
{
    X509 *certificate = sent(leaf());
    char *first = ldc_certificate_text(certificate);
    char *second = ldc_certificate_text(certificate);

    CHECK_STR(second, first);
    free(second);
    free(first);
    X509_free(certificate);
}

/* ---- names ---- */

TEST(a_nameless_subject_leaves_the_rest_of_the_line_empty)
{
    X509 *certificate = sent(nameless());

    CHECK_SUBJECT(certificate, "");
    CHECK_LINE(certificate, 2, "Issuer Name: CN = Issuer");
    X509_free(certificate);
}

TEST(utf8_stays_as_it_is)
{
    CHECK_NAME(V_ASN1_UTF8STRING, "M\xC3\xBCller \xE6\x9D\xB1\xE4\xBA\xAC \xF0\x9F\x98\x80",
               "M\xC3\xBCller \xE6\x9D\xB1\xE4\xBA\xAC \xF0\x9F\x98\x80");
}

TEST(values_with_special_characters_are_quoted)
{
    CHECK_NAME(V_ASN1_UTF8STRING, "a,b", "\"a,b\"");
    CHECK_NAME(V_ASN1_UTF8STRING, "a+b", "\"a+b\"");
    CHECK_NAME(V_ASN1_UTF8STRING, "a;b<c>", "\"a;b<c>\"");
    CHECK_NAME(V_ASN1_UTF8STRING, "#hash", "\"#hash\"");
    CHECK_NAME(V_ASN1_UTF8STRING, "has#h", "has#h");
    CHECK_NAME(V_ASN1_UTF8STRING, " leading", "\" leading\"");
    CHECK_NAME(V_ASN1_UTF8STRING, "trailing ", "\"trailing \"");
    CHECK_NAME(V_ASN1_UTF8STRING, "in between", "in between");
    CHECK_NAME(V_ASN1_UTF8STRING, "", "");
}

TEST(quotes_and_backslashes_are_escaped_so_that_no_value_can_end_early)
{
    CHECK_NAME(V_ASN1_UTF8STRING, "a\", O = \"b", "\"a\\\", O = \\\"b\"");
    CHECK_NAME(V_ASN1_UTF8STRING, "a\\b", "a\\\\b");
    CHECK_NAME(V_ASN1_UTF8STRING, "a\\0A", "a\\\\0A"); /* unlike a newline */
}

TEST(a_newline_in_a_name_cannot_forge_a_line)
{
    static const char forged[] = "x\nCertificate purposes:\n\tSSL server : Yes";
    X509 *certificate = nameless();

    add(X509_get_subject_name(certificate), NID_commonName, forged);
    certificate = sent(certificate);
    CHECK_SUBJECT(certificate, "CN = x\\0ACertificate purposes:\\0A\\09SSL server : Yes");
    X509_free(certificate);
}

TEST(nul_and_other_control_characters_are_escaped)
{
    CHECK_NAME(V_ASN1_UTF8STRING, "good.example\0.evil.example", "good.example\\00.evil.example");
    CHECK_NAME(V_ASN1_UTF8STRING, "\x1B[2J\x7F\r", "\\1B[2J\\7F\\0D");
    CHECK_NAME(V_ASN1_IA5STRING, "a\0b", "a\\00b");
    CHECK_NAME(V_ASN1_UTF8STRING, "a\xC2\x85z", "a\\C2\\85z");         /* NEL of C1 */
    CHECK_NAME(V_ASN1_UTF8STRING, "a\xE2\x80\xA8z", "a\\E2\\80\\A8z"); /* line separator */
    CHECK_NAME(V_ASN1_UTF8STRING, "a\xE2\x80\xAEz", "a\\E2\\80\\AEz"); /* right-to-left override */
}

TEST(invalid_utf8_does_not_get_through)
{
    CHECK_NAME(V_ASN1_UTF8STRING, "a\xFFz", "a\\FFz");
    CHECK_NAME(V_ASN1_UTF8STRING, "\xC0\x80", "\\C0\\80");
    CHECK_NAME(V_ASN1_UTF8STRING, "\xED\xA0\x80", "\\ED\\A0\\80");
    CHECK_NAME(V_ASN1_UTF8STRING, "cut\xE6\x9D", "cut\\E6\\9D");
}

TEST(old_string_types_become_utf8)
{
    CHECK_NAME(V_ASN1_T61STRING, "M\xFCller", "M\xC3\xBCller"); /* read as Latin-1 */
    CHECK_NAME(V_ASN1_T61STRING, "\x85", "\\C2\\85");           /* which has a C1 range */
    CHECK_NAME(V_ASN1_BMPSTRING, "\x00M\x00\xFC\x6F\x22", "M\xC3\xBC\xE6\xBC\xA2");
    CHECK_NAME(V_ASN1_BMPSTRING, "\x00\x0A\x00\x00", "\\0A\\00");
    CHECK_NAME(V_ASN1_UNIVERSALSTRING, "\0\0\0A\0\1\xF6\0\0\0\0,", "\"A\xF0\x9F\x98\x80,\"");
    CHECK_NAME(V_ASN1_PRINTABLESTRING, "plain", "plain");
    CHECK_NAME(V_ASN1_PRINTABLESTRING, "\xE9", "\xC3\xA9"); /* not allowed, not trusted */
    CHECK_NAME(V_ASN1_NUMERICSTRING, "12 3", "12 3");
}

TEST(wide_strings_that_hold_no_text_come_as_hex_and_drop_nothing)
{
    CHECK_NAME(V_ASN1_BMPSTRING, "\xD8\x3D\xDE\x00", "#1E04D83DDE00");
    CHECK_NAME(V_ASN1_BMPSTRING, "\0A\xDC\x00", "#1E040041DC00");
    CHECK_NAME(V_ASN1_UNIVERSALSTRING, "\0\x11\0\0", "#1C0400110000");
    CHECK_NAME(V_ASN1_UNIVERSALSTRING, "\0\0\xDF\xFF", "#1C040000DFFF");
    CHECK_NAME(V_ASN1_BMPSTRING, "\0A\0", "#1E03004100"); /* half a character */
    CHECK_NAME(V_ASN1_UNIVERSALSTRING, "\0\0\0A\0", "#1C050000004100");
}

TEST(a_value_that_cannot_be_shown_does_not_hide_the_names_behind_it)
{
    X509_NAME *name = X509_NAME_new();
    char *text;

    add_unchecked(name, NID_commonName, V_ASN1_BMPSTRING, "\0A\0", 3);
    add(name, NID_organizationName, "Behind");
    text = ldc_name_text(name);
    CHECK_STR(text, "CN = #1E03004100, O = Behind");
    free(text);
    X509_NAME_free(name);
}

TEST(values_that_are_no_strings_come_as_hex)
{
    CHECK_NAME(V_ASN1_SEQUENCE, "\x30\x02\x05\x00", "#30020500");
    CHECK_NAME(V_ASN1_BIT_STRING, "\2\1", "#0303000201");
}

TEST(several_values_in_one_rdn_are_joined_by_plus)
{
    X509_NAME *name = X509_NAME_new();
    char *text;

    add(name, NID_commonName, "a");
    X509_NAME_add_entry_by_NID(name, NID_serialNumber, MBSTRING_UTF8, (const unsigned char *)"7",
                               -1, -1, -1);
    add(name, NID_organizationName, "b");
    text = ldc_name_text(name);
    CHECK_STR(text, "CN = a + serialNumber = 7, O = b");
    free(text);
    X509_NAME_free(name);
}

TEST(types_without_a_name_come_as_numbers)
{
    X509_NAME *name = X509_NAME_new();
    char *text;

    X509_NAME_add_entry_by_txt(name, "1.2.3.4.5.6789", V_ASN1_UTF8STRING,
                               (const unsigned char *)"x", -1, -1, 0);
    text = ldc_name_text(name);
    CHECK_STR(text, "1.2.3.4.5.6789 = x");
    free(text);
    X509_NAME_free(name);
}

TEST(names_read_as_openssl_prints_them_in_its_oneline_form)
{
    static const char *const values[] = {
        "plain",
        "a,b",
        "#a",
        "a#",
        " a ",
        "\"",
        "\\",
        "a=b",
        "+",
        "<>;",
        "~'()*/:?@[]^_`{|}",
        "",
        "M\xC3\xBCller",
        "\xE6\x9D\xB1",
    };
    static const int types[] = {
        NID_commonName, NID_countryName, NID_pkcs9_emailAddress, NID_domainComponent, NID_surname,
    };
    X509_NAME *name = X509_NAME_new();
    BIO *out = BIO_new(BIO_s_mem());
    char *text, *expected = NULL;
    size_t i;

    for (i = 0; i < sizeof values / sizeof values[0]; i++)
        add(name, types[i % 5], values[i]);
    CHECK(X509_NAME_print_ex(out, name, 0, XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >
          0);
    BIO_write(out, "", 1);
    BIO_get_mem_data(out, &expected);
    text = ldc_name_text(name);
    CHECK_STR(text, expected);
    free(text);
    BIO_free(out);
    X509_NAME_free(name);
}

TEST(five_thousand_rdns_are_printed_in_linear_time)
{
    X509 *certificate = nameless();
    clock_t start;
    char *text;
    int i;

    for (i = 0; i < 5000; i++)
        add(X509_get_subject_name(certificate), NID_organizationalUnitName, "a,b");
    certificate = sent(certificate);
    start = clock();
    text = ldc_subject_text(certificate);
    CHECK(clock() - start < 10 * CLOCKS_PER_SEC);
    CHECK(text != NULL && strlen(text) == 5000 * strlen("OU = \"a,b\"") + 4999 * strlen(", "));
    free(text);
    X509_free(certificate);
}

TEST(a_long_value_and_many_short_ones_are_printed_in_linear_time)
{
    enum {
        LONG = 90000
    };
    X509 *certificate = nameless();
    char *value = malloc(LONG);
    clock_t start;
    char *text;
    int i;

    if (!CHECK(value != NULL))
        return;
    memset(value, 'x', LONG);
    value[LONG / 2] = '\n';
    add_bytes(X509_get_subject_name(certificate), NID_commonName, V_ASN1_UTF8STRING, value, LONG);
    for (i = 0; i < 5000; i++)
        add(X509_get_subject_name(certificate), NID_organizationalUnitName, "b");
    certificate = sent(certificate);
    start = clock();
    text = ldc_certificate_text(certificate);
    CHECK(clock() - start < 10 * CLOCKS_PER_SEC);
    if (CHECK(text != NULL)) {
        CHECK_INT(count_lines(text), 25);
        CHECK_INT(strcspn(text, "\n"), strlen("Subject Name: CN = ") + LONG + 2 + 5000UL * 8);
    }
    free(text);
    free(value);
    X509_free(certificate);
}

TEST(a_text_past_the_limit_is_refused_as_a_whole)
{
    size_t length = LDC_TEXT_LIMIT / 3 + 1; /* three characters for each byte */
    char *value = malloc(length);

    if (!CHECK(value != NULL))
        return;
    memset(value, '\n', length);
    CHECK(common_name(V_ASN1_UTF8STRING, value, length) == NULL);
    free(value);
}

/* ---- validity ---- */

TEST(times_are_in_gmt_with_english_months_and_padded_days)
{
    X509 *certificate = leaf();

    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "491009000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), "99991231235959Z");
    certificate = sent(certificate);
    CHECK_LINE(certificate, 3, "Valid From: Oct  9 00:00:00 2049 GMT");
    CHECK_LINE(certificate, 4, "Valid To: Dec 31 23:59:59 9999 GMT");
    X509_free(certificate);
}

TEST(two_digit_years_from_50_on_are_of_the_last_century)
{
    X509 *certificate = leaf();

    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "500101000000Z");
    CHECK_LINE(certificate, 3, "Valid From: Jan  1 00:00:00 1950 GMT");
    X509_free(certificate);
}

TEST(offsets_are_turned_into_gmt)
{
    X509 *certificate = leaf();

    ASN1_STRING_set(X509_getm_notBefore(certificate), "20200101003000+0100", -1);
    certificate = sent(certificate);
    CHECK_LINE(certificate, 3, "Valid From: Dec 31 23:30:00 2019 GMT");
    X509_free(certificate);
}

TEST(fractions_of_seconds_are_left_out)
{
    X509 *certificate = leaf();

    /* notAfter of leaf() is a GeneralizedTime: the year is past 2049 */
    ASN1_STRING_set(X509_getm_notAfter(certificate), "20510101003000.12345Z", -1);
    certificate = sent(certificate);
    CHECK_LINE(certificate, 4, "Valid To: Jan  1 00:30:00 2051 GMT");
    X509_free(certificate);
}

TEST(times_that_are_none_are_called_bad)
{
    static const char *const values[] = {
        "",
        "Z",
        "today",
        "20511301000000Z",
        "20510230000000Z",
        "20510101250000Z",
        "20510101000000", /* local time: unknown */
        "99999999999999999999Z",
        "20510101000000Z\nValid To: tomorrow",
    };
    size_t i;

    for (i = 0; i < sizeof values / sizeof values[0]; i++) {
        X509 *certificate = leaf();

        ASN1_STRING_set(X509_getm_notAfter(certificate), values[i], -1);
        certificate = sent_if_readable(certificate);
        if (certificate != NULL) {
            CHECK_LINE(certificate, 4, "Valid To: Bad time value");
        } else { /* newer releases do not take such a certificate at all */
            CHECK(OPENSSL_VERSION_NUMBER >= 0x30400000L);
        }
        X509_free(certificate);
    }
}

/* ---- serial number ---- */

static X509 *numbered(const char *hex)
{
    X509 *certificate = leaf();
    BIGNUM *number = NULL;

    CHECK(BN_hex2bn(&number, hex) > 0);
    CHECK(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL);
    BN_free(number);
    return sent(certificate);
}

static void check_number(const char *hex, const char *expected)
{
    X509 *certificate = numbered(hex);

    check_line(certificate, 5, expected, __LINE__);
    X509_free(certificate);
}

TEST(serial_numbers_are_lower_case_hex_bytes)
{
    check_number("1", "Serial Number: 01");
    check_number("7F", "Serial Number: 7f");
    check_number("0100", "Serial Number: 01:00");
    check_number("00AB00CD", "Serial Number: ab:00:cd");
}

TEST(serial_number_zero_is_one_byte)
{
    check_number("0", "Serial Number: 00");
}

TEST(the_sign_byte_of_a_high_serial_number_is_left_out)
{
    check_number("80", "Serial Number: 80");
    check_number("FFEEDDCCBBAA99887766554433221100FFEEDDCC",
                 "Serial Number: ff:ee:dd:cc:bb:aa:99:88:77:66:55:44:33:22:11:00:ff:ee:dd:cc");
}

TEST(negative_serial_numbers_start_with_a_minus)
{
    check_number("-1", "Serial Number: -01");
    check_number("-80", "Serial Number: -80");
    check_number("-8001", "Serial Number: -80:01");
}

TEST(leading_zero_bytes_of_a_number_in_memory_are_left_out)
{
    X509 *certificate = leaf();

    ASN1_STRING_set(X509_get_serialNumber(certificate), "\0\0\1", 3);
    CHECK_SERIAL(certificate, "01");
    ASN1_STRING_set(X509_get_serialNumber(certificate), "\0\0", 2);
    CHECK_SERIAL(certificate, "00");
    X509_free(certificate);
}

/* ---- basic constraints ---- */

static void check_constraints(const char *constraints, const char *expected)
{
    X509 *certificate = leaf();

    if (constraints != NULL)
        extend(certificate, NID_basic_constraints, constraints);
    certificate = sent(certificate);
    CHECK_LINE(certificate, 6, "Basic Constraints:");
    check_line(certificate, 7, expected, __LINE__);
    X509_free(certificate);
}

TEST(only_a_certificate_that_says_so_is_a_ca)
{
    check_constraints(NULL, "\tNot a CA (Certificate Authority)");
    check_constraints("critical,CA:FALSE", "\tNot a CA (Certificate Authority)");
    check_constraints("critical,CA:TRUE", "\tCA (Certificate Authority)");
}

TEST(the_path_length_of_a_ca_is_shown_when_there_is_one)
{
    check_constraints("CA:TRUE,pathlen:0", "\tCA (Certificate Authority), path length: 0");
    check_constraints("CA:TRUE,pathlen:12", "\tCA (Certificate Authority), path length: 12");
    check_constraints("CA:TRUE,pathlen:18446744073709551616",
                      "\tCA (Certificate Authority), path length: 18446744073709551616");
}

TEST(the_path_length_of_a_certificate_that_is_no_ca_is_not_shown)
{
    check_constraints("CA:FALSE,pathlen:3", "\tNot a CA (Certificate Authority)");
}

TEST(constraints_are_shown_although_another_extension_is_broken)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:3");
    extend_bytes(certificate, NID_ext_key_usage, "\xFF", 1);
    certificate = sent(certificate);
    CHECK_LINE(certificate, 7, "\tCA (Certificate Authority), path length: 3");
    X509_free(certificate);
}

/* ---- purposes ---- */

/* What an unrestricted certificate that is not a CA may do. */
#define ALL_OF_A_LEAF                                                                              \
    "SSL client", "SSL server", "Netscape SSL server", "S/MIME signing", "S/MIME encryption",      \
        "CRL signing", "Any Purpose", "Any Purpose CA", "OCSP helper"
/* What any CA may do in that role. */
#define ALL_OF_A_CA                                                                                \
    "SSL client CA", "SSL server CA", "Netscape SSL server CA", "S/MIME signing CA",               \
        "S/MIME encryption CA", "CRL signing CA", "Any Purpose", "Any Purpose CA", "OCSP helper",  \
        "OCSP helper CA"

TEST(a_plain_leaf_may_do_all_that_needs_no_special_usage)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:FALSE");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, ALL_OF_A_LEAF);
    X509_free(certificate);
}

TEST(a_leaf_for_clients_only_is_no_server)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:FALSE");
    extend(certificate, NID_key_usage, "digitalSignature");
    extend(certificate, NID_ext_key_usage, "clientAuth");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, "SSL client", "Any Purpose", "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_leaf_for_servers_that_may_only_sign_is_no_netscape_server)
{
    X509 *certificate = leaf();

    /* Netscape servers did the RSA key exchange, which needs keyEncipherment. */
    extend(certificate, NID_key_usage, "digitalSignature");
    extend(certificate, NID_ext_key_usage, "serverAuth");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, "SSL server", "Any Purpose", "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_leaf_for_time_stamping_says_so)
{
    X509 *certificate = leaf();

    extend(certificate, NID_key_usage, "critical,digitalSignature");
    extend(certificate, NID_ext_key_usage, "critical,timeStamping");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, "Any Purpose", "Any Purpose CA", "OCSP helper",
                   "Time Stamp signing");
    X509_free(certificate);
}

TEST(a_ca_without_key_usage_is_restricted_in_nothing)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, ALL_OF_A_CA, ALL_OF_A_LEAF);
    X509_free(certificate);
}

TEST(a_ca_that_may_only_sign_certificates_and_crls_is_neither_client_nor_server)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, ALL_OF_A_CA, "CRL signing");
    X509_free(certificate);
}

TEST(a_ca_whose_key_may_not_sign_certificates_is_no_ca_for_any_purpose_but_any)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, NID_key_usage, "critical,digitalSignature");
    certificate = sent(certificate);
    CHECK_LINE(certificate, 7, "\tCA (Certificate Authority)");
    CHECK_PURPOSES(certificate, "SSL client", "SSL server", "S/MIME signing", "Any Purpose",
                   "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_netscape_server_type_restricts_to_servers)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:FALSE");
    extend(certificate, NID_netscape_cert_type, "server");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, "SSL server", "Netscape SSL server", "CRL signing", "Any Purpose",
                   "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(an_answer_that_is_neither_0_nor_1_is_a_yes)
{
    X509 *certificate = leaf();

    /* OpenSSL lets old client certificates pass for mail, and answers 2 instead of 1. */
    extend(certificate, NID_netscape_cert_type, "client");
    certificate = sent(certificate);
    CHECK_INT(X509_check_purpose(certificate, X509_PURPOSE_SMIME_SIGN, 0), 2);
    CHECK_PURPOSES(certificate, "SSL client", "S/MIME signing", "S/MIME encryption", "CRL signing",
                   "Any Purpose", "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_self_signed_version_1_certificate_serves_as_a_ca_but_has_no_constraint_that_says_so)
{
    X509 *certificate = leaf();

    X509_set_version(certificate, X509_VERSION_1);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    certificate = sent(certificate);
    CHECK_LINE(certificate, 7, "\tNot a CA (Certificate Authority)");
    CHECK_PURPOSES(certificate, ALL_OF_A_LEAF, ALL_OF_A_CA);
    X509_free(certificate);
}

TEST(a_version_1_certificate_that_is_not_self_signed_is_no_ca)
{
    X509 *certificate = leaf();

    X509_set_version(certificate, X509_VERSION_1);
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, ALL_OF_A_LEAF);
    X509_free(certificate);
}

TEST(a_proxy_certificate_reads_as_a_leaf)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_proxyCertInfo, PROXY_OF_ALL, sizeof PROXY_OF_ALL - 1);
    extend(certificate, NID_key_usage, "critical,digitalSignature,keyEncipherment");
    certificate = sent(certificate);
    CHECK(X509_get_extension_flags(certificate) & EXFLAG_PROXY);
    CHECK_LINE(certificate, 7, "\tNot a CA (Certificate Authority)");
    CHECK_PURPOSES(certificate, "SSL client", "SSL server", "Netscape SSL server", "S/MIME signing",
                   "S/MIME encryption", "Any Purpose", "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_broken_extension_takes_all_purposes_even_any)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_basic_constraints, "\x30\x03\x01\x01", 4); /* cut short */
    certificate = sent(certificate);
    CHECK_LINE(certificate, 7, "\tNot a CA (Certificate Authority)");
    CHECK_PURPOSES(certificate, NULL);
    X509_free(certificate);
}

/* ---- the extension at fault ---- */

/* Frees the certificate. */
static void check_invalid(X509 *certificate, const char *expected, int line)
{
    char buffer[100] = "untouched";
    const char *name;

    certificate = sent(certificate);
    name = ldc_invalid_extension(certificate, buffer, sizeof buffer);
    unit_check_str(name, expected, "invalid extension", __FILE__, line);
    unit_check(name == NULL || name == buffer, "the name is in the buffer", __FILE__, line);
    if (expected != NULL)
        check_purposes(certificate, (const char *const[]){NULL}, line);
    X509_free(certificate);
}

#define CHECK_INVALID(certificate, expected) check_invalid(certificate, expected, __LINE__)

TEST(a_valid_certificate_has_no_invalid_extension)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(certificate, NID_key_usage, "critical,keyCertSign");
    extend(certificate, NID_ext_key_usage, "clientAuth");
    extend(certificate, NID_subject_key_identifier, "hash");
    extend(certificate, NID_subject_alt_name, "DNS:pacs.example");
    CHECK_INVALID(certificate, NULL);
    CHECK_INVALID(leaf(), NULL);
}

TEST(each_extension_that_cannot_be_decoded_is_named)
{
    static const struct {
        int nid;
        const char *name;
    } cases[] = {
        {NID_basic_constraints, "X509v3 Basic Constraints"},
        {NID_proxyCertInfo, "Proxy Certificate Information"},
        {NID_key_usage, "X509v3 Key Usage"},
        {NID_ext_key_usage, "X509v3 Extended Key Usage"},
        {NID_netscape_cert_type, "Netscape Cert Type"},
        {NID_subject_key_identifier, "X509v3 Subject Key Identifier"},
        {NID_authority_key_identifier, "X509v3 Authority Key Identifier"},
        {NID_subject_alt_name, "X509v3 Subject Alternative Name"},
        {NID_name_constraints, "X509v3 Name Constraints"},
        {NID_crl_distribution_points, "X509v3 CRL Distribution Points"},
        {NID_sbgp_ipAddrBlock, "sbgp-ipAddrBlock"},
        {NID_sbgp_autonomousSysNum, "sbgp-autonomousSysNum"},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509 *certificate = leaf();

        extend_bytes(certificate, cases[i].nid, "\xFF\xFF", 2);
        CHECK_INVALID(certificate, cases[i].name);
    }
}

TEST(an_extension_that_is_there_twice_is_named)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:FALSE");
    extend(certificate, NID_subject_alt_name, "DNS:a.example");
    extend(certificate, NID_subject_alt_name, "DNS:b.example");
    CHECK_INVALID(certificate, "X509v3 Subject Alternative Name");
}

TEST(a_key_usage_without_any_bit_is_named)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_key_usage, "\x03\x02\x07\x00", 4);
    CHECK_INVALID(certificate, "X509v3 Key Usage");
    certificate = leaf();
    extend_bytes(certificate, NID_key_usage, "\x03\x01\x00", 3);
    CHECK_INVALID(certificate, "X509v3 Key Usage");
}

TEST(a_key_usage_with_only_its_ninth_bit_is_valid)
{
    X509 *certificate = leaf();

    extend(certificate, NID_key_usage, "decipherOnly");
    CHECK_INVALID(certificate, NULL);
}

TEST(a_negative_path_length_is_named)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_basic_constraints, "\x30\x06\x01\x01\xFF\x02\x01\xFF", 8);
    CHECK_INVALID(certificate, "X509v3 Basic Constraints");
}

TEST(proxy_information_beside_an_alternative_name_is_named)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_proxyCertInfo, PROXY_OF_ALL, sizeof PROXY_OF_ALL - 1);
    extend(certificate, NID_subject_alt_name, "DNS:a.example");
    CHECK_INVALID(certificate, "Proxy Certificate Information");
}

TEST(proxy_information_in_a_ca_is_named)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:TRUE");
    extend_bytes(certificate, NID_proxyCertInfo, PROXY_OF_ALL, sizeof PROXY_OF_ALL - 1);
    CHECK_INVALID(certificate, "Proxy Certificate Information");
}

TEST(an_extension_that_nobody_judges_may_be_broken)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_netscape_comment, "\xFF\xFF", 2);
    CHECK_INVALID(certificate, NULL);
}

TEST(the_name_of_an_extension_is_cut_to_the_buffer)
{
    X509 *certificate = leaf();
    char buffer[7];

    extend_bytes(certificate, NID_key_usage, "\xFF\xFF", 2);
    certificate = sent(certificate);
    CHECK_STR(ldc_invalid_extension(certificate, buffer, sizeof buffer), "X509v3");
    CHECK(ldc_invalid_extension(certificate, buffer, 0) == NULL);
    X509_free(certificate);
}

/* ---- what must not be touched, and memory ---- */

TEST(the_error_queue_is_left_as_it_was)
{
    X509 *certificate = leaf();
    char buffer[100];

    ERR_clear_error();
    extend_bytes(certificate, NID_key_usage, "\xFF\xFF", 2);
    certificate = sent(certificate);
    CHECK(ldc_invalid_extension(certificate, buffer, sizeof buffer) != NULL);
    free(ldc_certificate_text(certificate));
    free(common_name(V_ASN1_BMPSTRING, "\0A\0", 3));
    CHECK_INT(ERR_peek_error(), 0);

    ERR_raise(ERR_LIB_USER, 123);
    free(ldc_certificate_text(certificate));
    free(common_name(V_ASN1_BMPSTRING, "\0A\0", 3));
    CHECK(ldc_invalid_extension(certificate, buffer, sizeof buffer) != NULL);
    CHECK_INT(ERR_GET_REASON(ERR_get_error()), 123);
    CHECK_INT(ERR_get_error(), 0);
    X509_free(certificate);
}

TEST(when_openssl_runs_out_of_memory_there_is_no_text_or_the_whole_text)
{
    X509 *certificate = leaf();
    char *whole, *text = NULL;
    long allowed;

    if (!CHECK(memory_is_ours))
        return;
    extend(certificate, NID_basic_constraints, "CA:TRUE,pathlen:7");
    add_bytes(X509_get_subject_name(certificate), NID_organizationName, V_ASN1_SEQUENCE,
              "\x30\x02\x05\x00", 4);
    certificate = sent(certificate);
    whole = ldc_certificate_text(certificate); /* and what OpenSSL keeps is kept now */
    for (allowed = 0; allowed < 1000 && text == NULL; allowed++) {
        allocations_left = allowed;
        text = ldc_certificate_text(certificate);
        allocations_left = -1;
        ERR_clear_error();
    }
    CHECK(allowed > 5);
    CHECK_STR(text, whole);
    free(text);
    free(whole);
    X509_free(certificate);
}
