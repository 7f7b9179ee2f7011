/*
 * ldc_proxy.h - the PROXY protocol of load balancers (proxy-protocol.txt of HAProxy, versions 1 and
 * 2): who may speak it, and what its header says. No sockets here.
 *
 * The one rule: a header counts only from an address that was configured. What it says is taken for
 * true there, so every length and every number in it is checked, and what is not understood is
 * refused.
 */
#ifndef LDC_PROXY_H
#define LDC_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "ldc_address.h"
#include "ldc_registry.h"

/* ---- who may speak it ---- */

enum {
    LDC_PROXIES_MOST = 256, /* addresses and networks in one list */
};

typedef struct ldc_network {
    bool ipv4;
    unsigned bits; /* of the address, from the front, that have to be the same */
    unsigned char address[16];
} ldc_network;

/* Addresses and networks; never changes. */
typedef struct ldc_proxies {
    ldc_ref ref;
    char *text; /* owned: as it was given */
    size_t count;
    ldc_network networks[];
} ldc_proxies;

/* text: addresses and networks ("10.0.0.0/8", "fd00::/8") between commas or blanks. None of them:
 * *proxies = NULL. 0, or a code with its error set. */
int ldc_proxies_new(const char *text, ldc_proxies **proxies);
/* proxies may be NULL: nobody. */
bool ldc_proxies_have(const ldc_proxies *proxies, const ldc_address *address);

/* ---- what a header says ---- */

typedef struct ldc_proxy_header {
    unsigned version; /* 1 or 2 */
    bool direct;      /* no client is named: the connection is the proxy's own */
    ldc_address client;
} ldc_proxy_header;

typedef enum ldc_proxy_result {
    LDC_PROXY_MORE,
    LDC_PROXY_DONE,
    LDC_PROXY_REFUSED
} ldc_proxy_result;

enum {
    LDC_PROXY_HEADER_MOST = 16 + 0xFFFF,
};

/*
 * Looks at the first `have` bytes of a connection. MORE: *need is how many more may be read now,
 * which never reaches past the header. DONE: `have` is exactly the header. REFUSED: *why says it.
 */
ldc_proxy_result ldc_proxy_parse(const unsigned char *bytes, size_t have, size_t *need,
                                 ldc_proxy_header *header, const char **why);

#endif
