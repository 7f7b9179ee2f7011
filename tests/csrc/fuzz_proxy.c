/*
 * fuzz_proxy.c - fuzz target: the beginning of a connection from a proxy, and a list of proxies.
 *
 * Whatever the bytes are: the parser asks for no byte behind the header, single bytes and one piece
 * give the same, and what is done has an address or is the proxy's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static ldc_proxy_result feed(const uint8_t *data, size_t size, size_t step,
                             ldc_proxy_header *header, size_t *have)
{
    const char *why;
    size_t need;
    *have = 0;
    for (;;) {
        uint8_t *copy = malloc(*have == 0 ? 1 : *have); /* of that very size */
        REQUIRE(copy != NULL);
        memcpy(copy, data, *have);
        ldc_proxy_result result = ldc_proxy_parse(copy, *have, &need, header, &why);
        free(copy);
        REQUIRE((result == LDC_PROXY_REFUSED) == (why != NULL));
        if (result != LDC_PROXY_MORE) {
            return result;
        }
        REQUIRE(need > 0 && *have + need <= LDC_PROXY_HEADER_MOST);
        if (*have == size) {
            return LDC_PROXY_MORE;
        }
        size_t given = need < step ? need : step;
        *have += given < size - *have ? given : size - *have;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ldc_proxy_header header, other;
    size_t have, other_have;
    if (size > 0 && data[0] == 'L') { /* a list */
        ldc_proxies *proxies;
        char *text = calloc(1, size);
        REQUIRE(text != NULL);
        memcpy(text, data + 1, size - 1);
        if (ldc_proxies_new(text, &proxies) == 0 && proxies != NULL) {
            REQUIRE(proxies->count > 0 && proxies->count <= LDC_PROXIES_MOST);
            ldc_ref_put(&proxies->ref);
        }
        free(text);
        return 0;
    }
    ldc_proxy_result result = feed(data, size, size + 1, &header, &have);
    REQUIRE(feed(data, size, size > 2048 ? 97 : 1, &other, &other_have) == result);
    if (result != LDC_PROXY_DONE) {
        return 0;
    }
    REQUIRE(have <= size && have == other_have);
    REQUIRE(header.version == 1 || header.version == 2);
    REQUIRE(header.direct == (header.client.length == 0));
    char text[LDC_ADDRESS_TEXT];
    unsigned port;
    ldc_address_text(&header.client, text, &port);
    REQUIRE(header.direct == (text[0] == '\0'));
    return 0;
}
