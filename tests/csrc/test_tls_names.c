/* test_tls_names.c - DNS names, server names in a ClientHello, patterns, pins: pure functions on
 * hostile bytes. */
#include <stdlib.h>
#include <string.h>

#include "ldc_tls_names.h"
#include "ldc_tls_rules.h"
#include "unit.h"

/* ---- DNS names ---- */

static bool is_name(const char *text, bool pattern)
{
    char name[LDC_DNS_NAME];
    return ldc_dns_name(text, strlen(text), pattern, name);
}

TEST(a_name_comes_out_in_small_letters_without_the_last_dot)
{
    char name[LDC_DNS_NAME];
    if (CHECK(ldc_dns_name("PACS-1.Example.ORG.", 19, false, name))) {
        CHECK_STR(name, "pacs-1.example.org");
    }
    CHECK(is_name("localhost", false));
    CHECK(is_name("_dicom-tls.pacs_1", false));
    CHECK(is_name("xn--rntgen-wxa.example", false));
    CHECK(is_name("3d.example", false));
}

TEST(addresses_and_what_is_no_name_are_told_from_names)
{
    const char *texts[] = {"",      ".",         "..",        "a..b",  ".a",          "a b",
                           "-a.b",  "a-.b",      "192.0.2.1", "127.1", "1",           "::1",
                           "[::1]", "fe80::1%e", "a/b",       "a:104", "r\xc3\xb6.b", "*",
                           "*.b",   "a.*.b",     "a\nb.test", "a.b..", "\xff.example"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK(!is_name(texts[i], false));
    }
}

TEST(only_the_whole_first_label_of_a_pattern_may_be_a_star)
{
    CHECK(is_name("*.example.org", true));
    CHECK(is_name("a.example.org", true));
    CHECK(!is_name("*", true));
    CHECK(!is_name("*.", true));
    CHECK(!is_name("a*.example.org", true));
    CHECK(!is_name("a.*.org", true));
    CHECK(!is_name("*.*.org", true));
}

TEST(lengths_of_labels_and_names_are_kept)
{
    char text[400];
    char name[LDC_DNS_NAME];
    memset(text, 'a', sizeof text);
    CHECK(ldc_dns_name(text, 63, false, name));
    CHECK(!ldc_dns_name(text, 64, false, name));
    for (size_t i = 50; i < sizeof text; i += 51) {
        text[i] = '.';
    }
    CHECK(ldc_dns_name(text, 253, false, name));
    CHECK_INT(strlen(name), 253);
    CHECK(!ldc_dns_name(text, 254, false, name));
    CHECK(!ldc_dns_name(text, sizeof text, false, name));
}

TEST(a_nul_inside_is_no_end)
{
    char name[LDC_DNS_NAME];
    CHECK(!ldc_dns_name("good.test\0.evil.test", 20, false, name));
    CHECK(!ldc_dns_name("good.test\0", 10, false, name));
}

TEST(a_star_stands_for_one_label)
{
    CHECK(ldc_dns_matches("a.test", "a.test"));
    CHECK(!ldc_dns_matches("a.test", "b.test"));
    CHECK(ldc_dns_matches("*.a.test", "b.a.test"));
    CHECK(!ldc_dns_matches("*.a.test", "a.test"));
    CHECK(!ldc_dns_matches("*.a.test", "c.b.a.test"));
    CHECK(!ldc_dns_matches("*.a.test", "b.a.test.evil"));
    CHECK(!ldc_dns_matches("*.a.test", "xa.test"));
}

TEST(a_host_is_a_name_or_an_address_in_its_usual_form)
{
    char name[LDC_DNS_NAME];
    static const struct {
        const char *text, *shown;
    } good[] = {{"Node.Test.", "node.test"},
                {"192.0.2.7", "192.0.2.7"},
                {"[2001:DB8:0::7]", "2001:db8::7"},
                {"fe80::7%lo", "fe80::7"},
                {"::ffff:192.0.2.7", "192.0.2.7"}};
    static const char *const bad[] = {"",      ".node.test",     "*.node.test", "node.test:104",
                                      "127.1", "b\xC3\xBC.test", "[::1",        "a@b.test"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (CHECK(ldc_host_name(good[i].text, name))) {
            CHECK_STR(name, good[i].shown);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!ldc_host_name(bad[i], name));
    }
}

/* ---- the extension ---- */

static size_t extension_of(const char *name, size_t length, unsigned char *bytes)
{
    size_t list = length + 3;
    bytes[0] = (unsigned char)(list >> 8);
    bytes[1] = (unsigned char)list;
    bytes[2] = 0;
    bytes[3] = (unsigned char)(length >> 8);
    bytes[4] = (unsigned char)length;
    memcpy(bytes + 5, name, length);
    return length + 5;
}

TEST(the_name_of_a_client_is_read)
{
    unsigned char bytes[64];
    char name[LDC_DNS_NAME];
    size_t length = extension_of("Pacs.Test", 9, bytes);
    CHECK_INT(ldc_sni_parse(bytes, length, name), LDC_SNI_NAME);
    CHECK_STR(name, "pacs.test");
}

/* Each in a piece of memory of its own size, so that a sanitizer sees a step too far. */
static ldc_sni parse_exactly(const unsigned char *bytes, size_t length)
{
    char name[LDC_DNS_NAME];
    unsigned char *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL) {
        return LDC_SNI_NONE;
    }
    memcpy(copy, bytes, length);
    ldc_sni kind = ldc_sni_parse(copy, length, name);
    free(copy);
    return kind;
}

TEST(broken_extensions_are_strange_whatever_is_wrong)
{
    unsigned char bytes[64];
    size_t length = extension_of("pacs.test", 9, bytes);
    for (size_t i = 0; i < length; i++) {
        CHECK_INT(parse_exactly(bytes, i), LDC_SNI_STRANGE);
    }
    CHECK_INT(parse_exactly(bytes, length + 1), LDC_SNI_STRANGE);
    for (size_t i = 0; i < 5; i++) {
        unsigned char before = bytes[i];
        bytes[i] ^= 0x81;
        CHECK_INT(parse_exactly(bytes, length), LDC_SNI_STRANGE);
        bytes[i] = before;
    }
    bytes[9] = '\0';
    CHECK_INT(parse_exactly(bytes, length), LDC_SNI_STRANGE);
    length = extension_of("192.0.2.1", 9, bytes);
    CHECK_INT(parse_exactly(bytes, length), LDC_SNI_STRANGE);
    length = extension_of("", 0, bytes);
    CHECK_INT(parse_exactly(bytes, length), LDC_SNI_STRANGE);
}

/* ---- pins ---- */

#define HEX "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static int parse(const char *text)
{
    ldc_tls_pin pin;
    return ldc_tls_pin_parse(text, strlen(text), &pin);
}

TEST(a_pin_is_read_from_hexadecimal_with_and_without_colons_and_from_base64)
{
    const char *texts[] = {
        "key:" HEX,
        "key:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:"
        "DD:EE:FF",
        "key:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8="};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ldc_tls_pin pin = {.kind = -1};
        char text[LDC_PIN_TEXT];
        if (CHECK_INT(ldc_tls_pin_parse(texts[i], strlen(texts[i]), &pin), DICOM_SUCCESS)) {
            CHECK_INT(pin.kind, DICOM_TLS_PIN_KEY);
            ldc_tls_pin_text(&pin, text);
            CHECK_STR(text, "key:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
        }
    }
    CHECK_INT(parse("cert:" HEX), DICOM_SUCCESS);
}

TEST(what_is_no_pin_is_refused_with_what_would_be_one)
{
    const char *texts[] = {"",
                           "key:",
                           HEX,
                           "KEY:" HEX,
                           "sha256:" HEX,
                           "key:" HEX "0",
                           "key:" HEX "00",
                           "key::" HEX,
                           "key:" HEX ":",
                           "key:g0112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF",
                           "key:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v==",
                           "key:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8",
                           "key:?BEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8="};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_INT(parse(texts[i]), DICOM_ERROR_PARAMETER);
        CHECK(strstr(L_DicomGetLastErrorText(), "cert:") != NULL);
    }
    CHECK_INT(ldc_tls_pin_parse("key:" HEX, 30, &(ldc_tls_pin){0}), DICOM_ERROR_PARAMETER);
}
