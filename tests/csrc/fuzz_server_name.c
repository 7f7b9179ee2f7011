/*
 * fuzz_server_name.c - fuzz target: the server_name extension of a client, and names as text.
 *
 * Whatever the bytes are: a name that is taken is a DNS name in small letters, is taken again as it
 * came out, fits itself, and came from exactly these bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ldc_tls_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void check_name(const char *name, bool pattern)
{
    char again[LDC_DNS_NAME];
    size_t length = strlen(name);
    REQUIRE(length > 0 && length <= 253);
    REQUIRE(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.*") == length);
    REQUIRE(strstr(name, "..") == NULL && name[0] != '.' && name[length - 1] != '.');
    REQUIRE(strchr(name, '*') == NULL || (pattern && strncmp(name, "*.", 2) == 0));
    REQUIRE(ldc_dns_name(name, length, pattern, again) && strcmp(name, again) == 0);
    REQUIRE(ldc_dns_matches(name, name) || name[0] == '*');
    REQUIRE(!ldc_dns_matches(name, "other.example"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[LDC_DNS_NAME];
    char other[LDC_DNS_NAME];
    if (ldc_sni_parse(data, size, name) == LDC_SNI_NAME) {
        REQUIRE(size >= 6);
        REQUIRE(strncasecmp((const char *)data + 5, name, strlen(name)) == 0);
        REQUIRE(strlen(name) + 5 == size || (strlen(name) + 6 == size && data[size - 1] == '.'));
        check_name(name, false);
    }
    const char *text = (const char *)data;
    bool plain = ldc_dns_name(text, size, false, name);
    bool pattern = ldc_dns_name(text, size, true, other);
    REQUIRE(!plain || (pattern && strcmp(name, other) == 0));
    if (plain && strcmp(name, "other.example") != 0) {
        check_name(name, false);
    }
    if (pattern && strcmp(other, "*.example") != 0 && strcmp(other, "other.example") != 0) {
        check_name(other, true);
    }
    return 0;
}
