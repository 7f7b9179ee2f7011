/*
 * Unit tests of certificates as text (ldc_certificate_text.h), with certificates made in memory:
 * the whole text, validity, serial number, constraints, memory.
 */
#include "certificate_fixture.h"

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
