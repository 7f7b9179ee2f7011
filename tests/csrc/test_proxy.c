/* test_proxy.c - who may send a PROXY header, and what one says: versions 1 and 2, byte by byte. */
#include <stdlib.h>
#include <string.h>

#include "ldc_proxy.h"
#include "ltdic.h"
#include "unit.h"

#define SIGN        "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

/* Feeds a stream as the network may: never more than was asked for. The header's length, or 0. */
static size_t feed(const unsigned char *stream, size_t length, size_t step,
                   ldc_proxy_header *header, const char **why)
{
    size_t have = 0, need = 0;
    *why = NULL;
    for (;;) {
        /* A copy of that very size: a look past its end is found by the sanitizer. */
        unsigned char *copy = malloc(have == 0 ? 1 : have);
        memcpy(copy, stream, have);
        ldc_proxy_result result = ldc_proxy_parse(copy, have, &need, header, why);
        free(copy);
        if (result == LDC_PROXY_DONE) {
            return have;
        }
        if (result == LDC_PROXY_REFUSED) {
            CHECK(*why != NULL);
            return 0;
        }
        CHECK(need > 0);
        if (have == length) {
            *why = NULL;
            return 0; /* more is wanted */
        }
        size_t given = need < step ? need : step;
        have += given < length - have ? given : length - have;
    }
}

/* The whole and in single bytes: the same. */
static size_t parse(const unsigned char *stream, size_t length, ldc_proxy_header *header,
                    const char **why)
{
    ldc_proxy_header other;
    const char *reason;
    size_t whole = feed(stream, length, length, header, why);
    CHECK_INT(feed(stream, length, 1, &other, &reason), whole);
    CHECK_INT(*why == NULL, reason == NULL);
    CHECK_INT(header->direct, other.direct);
    return whole;
}

static void check_client(const ldc_proxy_header *header, const char *address, unsigned port)
{
    char text[LDC_ADDRESS_TEXT];
    unsigned number;
    ldc_address_text(&header->client, text, &number);
    CHECK_STR(text, address);
    CHECK_INT(number, port);
    CHECK(!header->direct);
}

static void check_refused(const unsigned char *stream, size_t length, const char *word)
{
    ldc_proxy_header header;
    const char *why = NULL;
    CHECK_INT(parse(stream, length, &header, &why), 0);
    if (CHECK(why != NULL)) {
        CHECK(strstr(why, word) != NULL);
    }
}

static void check_unfinished(const unsigned char *stream, size_t length)
{
    ldc_proxy_header header;
    const char *why;
    CHECK_INT(parse(stream, length, &header, &why), 0);
    CHECK(why == NULL);
}

/* ---- version 2 ---- */

#define TCP4      SIGN "\x21\x11"
#define FROM_TO_4 "\xC0\x00\x02\x01\xC0\x00\x02\x02\x9C\x40\x0A\xCA" /* 192.0.2.1:40000 */
#define FROM_TO_6                                                                                  \
    "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07"                                                   \
    "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x08"                                                   \
    "\x9C\x41\x0A\xCA"

TEST(version_2_tells_the_client_of_an_ipv4_connection)
{
    ldc_proxy_header header;
    const char *why;
    CHECK_INT(parse(BYTES(TCP4 "\0\x0C" FROM_TO_4 "\x16\x03\x01"), &header, &why), 28);
    check_client(&header, "192.0.2.1", 40000);
    CHECK_INT(header.version, 2);
}

TEST(version_2_tells_the_client_of_an_ipv6_connection)
{
    ldc_proxy_header header;
    const char *why;
    CHECK_INT(parse(BYTES(SIGN "\x21\x21\0\x24" FROM_TO_6 "\x16"), &header, &why), 52);
    check_client(&header, "2001:db8::7", 40001);
}

TEST(not_a_byte_behind_the_header_is_asked_for)
{
    static const unsigned char stream[] = TCP4 "\0\x0C" FROM_TO_4;
    ldc_proxy_header header;
    const char *why;
    size_t need;
    CHECK_INT(ldc_proxy_parse(stream, 0, &need, &header, &why), LDC_PROXY_MORE);
    CHECK_INT(need, 12);
    CHECK_INT(ldc_proxy_parse(stream, 12, &need, &header, &why), LDC_PROXY_MORE);
    CHECK_INT(need, 4);
    CHECK_INT(ldc_proxy_parse(stream, 16, &need, &header, &why), LDC_PROXY_MORE);
    CHECK_INT(need, 12);
}

TEST(values_behind_the_addresses_are_passed_over)
{
    ldc_proxy_header header;
    const char *why;
    /* NOOP without content, an authority, one of a number that nobody knows. */
    CHECK_INT(
        parse(BYTES(TCP4 "\0\x1A" FROM_TO_4 "\x04\0\0\x02\0\x03pac\xEE\0\x02xy"), &header, &why),
        42);
    check_client(&header, "192.0.2.1", 40000);
}

TEST(value_that_is_longer_than_the_header_is_refused)
{
    check_refused(BYTES(TCP4 "\0\x0F" FROM_TO_4 "\x02\0\x01"), "longer than the header");
    check_refused(BYTES(TCP4 "\0\x10" FROM_TO_4 "\x02\xFF\xFFz"), "longer than the header");
    check_refused(BYTES(TCP4 "\0\x0E" FROM_TO_4 "\x02\0"), "longer than the header");
}

/* A header with a CRC32c value; the sum was computed by another program. */
#define WITH_SUM(sum) TCP4 "\0\x13" FROM_TO_4 "\x03\0\x04" sum
#define RIGHT_SUM     "\xC0\x92\xA0\x99"

TEST(checksum_is_checked)
{
    ldc_proxy_header header;
    const char *why;
    CHECK_INT(parse(BYTES(WITH_SUM(RIGHT_SUM)), &header, &why), 35);
    check_client(&header, "192.0.2.1", 40000);
    check_refused(BYTES(WITH_SUM("\0\0\0\0")), "checksum is wrong");
}

TEST(checksum_of_another_length_or_a_second_one_is_refused)
{
    check_refused(BYTES(TCP4 "\0\x11" FROM_TO_4 "\x03\0\x02\0\0"), "four bytes");
    check_refused(BYTES(TCP4 "\0\x1A" FROM_TO_4 "\x03\0\x04" RIGHT_SUM "\x03\0\x04" RIGHT_SUM),
                  "four bytes");
}

TEST(local_command_is_the_proxys_own_connection_whatever_follows)
{
    ldc_proxy_header header;
    const char *why;
    CHECK_INT(parse(BYTES(SIGN "\x20\0\0\0"), &header, &why), 16);
    CHECK(header.direct);
    CHECK_INT(parse(BYTES(SIGN "\x20\x77\0\x03\xFF\xFF\xFF"), &header, &why), 19);
    CHECK(header.direct);
}

TEST(client_without_an_address_is_the_proxys_own_connection)
{
    ldc_proxy_header header;
    const char *why;
    unsigned char local[16 + 216] = SIGN "\x21\x31\0\xD8";
    CHECK_INT(parse(BYTES(SIGN "\x21\0\0\0"), &header, &why), 16);
    CHECK(header.direct);
    CHECK_INT(parse(local, sizeof local, &header, &why), 232);
    CHECK(header.direct);
}

TEST(header_that_is_shorter_than_its_addresses_is_refused)
{
    check_refused(BYTES(TCP4 "\0\x0B" FROM_TO_4), "too short");
    check_refused(BYTES(TCP4 "\0\0"), "too short");
    check_refused(BYTES(SIGN "\x21\x21\0\x23" FROM_TO_6), "too short");
    check_refused(BYTES(SIGN "\x21\x31\0\xD7"), "too short");
}

TEST(other_versions_commands_and_families_are_refused)
{
    check_refused(BYTES(SIGN "\x11\x11\0\x0C" FROM_TO_4), "version or command");
    check_refused(BYTES(SIGN "\x31\x11\0\x0C" FROM_TO_4), "version or command");
    check_refused(BYTES(SIGN "\x22\x11\0\x0C" FROM_TO_4), "version or command");
    check_refused(BYTES(SIGN "\x21\x12\0\x0C" FROM_TO_4), "datagrams");
    check_refused(BYTES(SIGN "\x21\x22\0\x24" FROM_TO_6), "datagrams");
    check_refused(BYTES(SIGN "\x21\x41\0\x0C" FROM_TO_4), "family is unknown");
    check_refused(BYTES(SIGN "\x21\x10\0\x0C" FROM_TO_4), "family is unknown");
}

TEST(part_of_a_header_is_waited_for)
{
    check_unfinished(BYTES(""));
    check_unfinished(BYTES("\r\n"));
    check_unfinished(BYTES(SIGN));
    check_unfinished(BYTES(TCP4 "\0\x0C\xC0"));
    check_unfinished(BYTES(TCP4 "\xFF\xFF" FROM_TO_4));
    check_unfinished(BYTES("PRO"));
    check_unfinished(BYTES("PROXY TCP4 192.0.2.1 "));
}

/* ---- version 1 ---- */

TEST(version_1_tells_the_client)
{
    ldc_proxy_header header;
    const char *why;
    CHECK_INT(parse(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 40000 2762\r\n\x16\x03"), &header, &why),
              43);
    check_client(&header, "192.0.2.1", 40000);
    CHECK_INT(header.version, 1);
    CHECK_INT(parse(BYTES("PROXY TCP6 2001:db8::7 2001:db8::8 1 65535\r\n"), &header, &why), 44);
    check_client(&header, "2001:db8::7", 1);
}

TEST(version_1_without_a_known_client_is_the_proxys_own_connection)
{
    ldc_proxy_header header;
    const char *why;
    CHECK_INT(parse(BYTES("PROXY UNKNOWN\r\n\x16"), &header, &why), 15);
    CHECK(header.direct);
    CHECK_INT(parse(BYTES("PROXY UNKNOWN ffff:: x 1 2\r\n"), &header, &why), 28);
    CHECK(header.direct);
}

TEST(line_of_version_1_that_is_not_as_it_should_be_is_refused)
{
    static const char *const lines[] = {
        "PROXY TCP4 192.0.2.1 192.0.2.2 40000\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 40000 2762 \r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 40000 2762 1\r\n",
        "PROXY TCP4  192.0.2.1 192.0.2.2 40000 2762\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 40000 2762\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2762\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 040 2762\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2762\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 99999999999999999999 1\r\n",
        "PROXY TCP4 192.0.2 192.0.2.2 40000 2762\r\n",
        "PROXY TCP4 ::1 ::2 40000 2762\r\n",
        "PROXY TCP6 192.0.2.1 192.0.2.2 40000 2762\r\n",
        "PROXY UDP4 192.0.2.1 192.0.2.2 40000 2762\r\n",
        "PROXY TCP6 1111111111111111111111111111111111111111111111111111 ::1 1 1\r\n",
        "PROXY \r\nsomething\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        check_refused((const unsigned char *)lines[i], strlen(lines[i]), "2.1");
    }
    check_refused(BYTES("PROXY TCP4 192.0.2.1\0 192.0.2.2 40000 2762\r\n"), "2.1");
}

TEST(endless_line_of_version_1_is_refused)
{
    unsigned char line[200];
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    check_refused(line, sizeof line, "107");
}

/* ---- something else ---- */

TEST(connection_without_a_header_is_refused_at_its_first_bytes_and_named)
{
    check_refused(BYTES("\x16\x03\x01\x02"), "TLS");
    check_refused(BYTES("\x16"), "PROXY header");
    check_refused(BYTES("\x01\x00\x00\x00\x00\xCD"), "PROXY header");
    check_refused(BYTES("GET / HTTP/1.1\r\n"), "PROXY header");
    check_refused(BYTES("PROXY\r\n"), "PROXY header");
    check_refused(BYTES("\r\n\r\n\x01"), "PROXY header");
    check_refused(BYTES("\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0C"), "PROXY header");
}

/* ---- who may send one ---- */

static bool has(const char *list, const char *address)
{
    ldc_proxies *proxies;
    ldc_address one;
    CHECK_INT(ldc_proxies_new(list, &proxies), DICOM_SUCCESS);
    CHECK(ldc_address_literal(address, 1234, &one));
    bool found = ldc_proxies_have(proxies, &one);
    if (proxies != NULL) {
        ldc_ref_put(&proxies->ref);
    }
    return found;
}

TEST(address_in_the_list_is_trusted_and_no_other)
{
    CHECK(has("192.0.2.7", "192.0.2.7"));
    CHECK(!has("192.0.2.7", "192.0.2.6"));
    CHECK(!has("192.0.2.7", "192.0.2.8"));
    CHECK(has("192.0.2.7,2001:db8::1", "2001:db8::1"));
    CHECK(!has("2001:db8::1", "2001:db8::2"));
    CHECK(!has("", "127.0.0.1"));
    CHECK(!has(NULL, "127.0.0.1"));
}

TEST(network_in_the_list_is_trusted_to_the_bit)
{
    CHECK(has("10.1.0.0/16", "10.1.255.255"));
    CHECK(!has("10.1.0.0/16", "10.2.0.0"));
    CHECK(has("10.128.0.0/9", "10.255.0.1"));
    CHECK(!has("10.128.0.0/9", "10.127.255.255"));
    CHECK(has("fd00::/8", "fdff::1"));
    CHECK(!has("fd00::/8", "fe00::1"));
    CHECK(has("0.0.0.0/0", "203.0.113.9"));
    CHECK(!has("0.0.0.0/0", "2001:db8::1"));
    CHECK(!has("::/0", "203.0.113.9"));
}

TEST(ipv4_address_is_the_same_inside_an_ipv6_one)
{
    CHECK(has("10.0.0.0/8", "::ffff:10.9.9.9"));
    CHECK(has("::ffff:10.0.0.0/104", "10.9.9.9"));
    CHECK(has("::ffff:192.0.2.1", "192.0.2.1"));
}

TEST(list_with_something_else_is_refused)
{
    static const char *const lists[] = {
        "pacs",        "10.0.0.0/33",  "10.0.0.1/8",  "10.0.0.0/", "10.0.0.0/08",
        "10.0.0.0/-1", "10.0.0.0/8/8", "::/129",      "::1/64",    "::ffff:1.2.3.4/90",
        "127.1",       "10.0.0.0 /8",  "192.0.2.1, x"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        ldc_proxies *proxies = NULL;
        if (!CHECK_INT(ldc_proxies_new(lists[i], &proxies), DICOM_ERROR_PARAMETER)) {
            printf("    %s\n", lists[i]);
        }
        CHECK(proxies == NULL);
    }
}

TEST(list_may_be_long_but_not_endless)
{
    static const char one[] = "192.0.2.1 ";
    enum {
        WORD = sizeof one - 1
    };
    char list[(LDC_PROXIES_MOST + 1) * WORD + 1];
    ldc_proxies *proxies;
    for (size_t i = 0; i <= LDC_PROXIES_MOST; i++) {
        memcpy(&list[i * WORD], one, WORD);
    }
    char *behind = &list[sizeof list - 1 - WORD]; /* the last one that is too much */
    *behind = '\0';
    CHECK_INT(ldc_proxies_new(list, &proxies), DICOM_SUCCESS);
    CHECK_INT(proxies->count, LDC_PROXIES_MOST);
    ldc_ref_put(&proxies->ref);
    *behind = one[0];
    list[sizeof list - 1] = '\0';
    CHECK_INT(ldc_proxies_new(list, &proxies), DICOM_ERROR_PARAMETER);
}
