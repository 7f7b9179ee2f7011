/* Unit tests of certificates as text (ldc_certificate_text.h): names. */
#include "certificate_fixture.h"

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
