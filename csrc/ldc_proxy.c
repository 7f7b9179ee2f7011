/* ldc_proxy.c - see ldc_proxy.h. */
#include "ldc_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_transport.h"
#include "ltdic.h"

enum {
    IPV4_BYTES = 4,
    IPV6_BYTES = 16,
    MAPPED_BITS = 96 /* ::ffff:0:0/96, an IPv4 address inside an IPv6 one */
};

/* ---- who may speak it ---- */

static void proxies_destroy(ldc_ref *ref)
{
    ldc_proxies *proxies = (ldc_proxies *)(void *)ref;
    free(proxies->text);
    free(proxies);
}

/* The bytes that count: an IPv4 address mapped into IPv6 is an IPv4 address. */
static bool bytes_of(const ldc_address *address, ldc_network *host)
{
    memset(host, 0, sizeof *host);
    if (address->storage.ss_family == AF_INET) {
        host->ipv4 = true;
        memcpy(host->address, &((const struct sockaddr_in *)&address->storage)->sin_addr,
               IPV4_BYTES);
        return true;
    }
    if (address->storage.ss_family != AF_INET6) {
        return false;
    }
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)&address->storage)->sin6_addr;
    host->ipv4 = IN6_IS_ADDR_V4MAPPED(in6);
    if (host->ipv4) {
        memcpy(host->address, in6->s6_addr + IPV6_BYTES - IPV4_BYTES, IPV4_BYTES);
    } else {
        memcpy(host->address, in6->s6_addr, IPV6_BYTES);
    }
    return true;
}

static unsigned char mask_of(unsigned bits, size_t byte)
{
    if (bits >= 8 * (byte + 1)) {
        return 0xFF;
    }
    return bits <= 8 * byte ? 0 : (unsigned char)(0xFF00u >> (bits - 8 * byte));
}

static bool has_host_bits(const ldc_network *network)
{
    for (size_t i = 0; i < sizeof network->address; i++) {
        if ((network->address[i] & (unsigned char)~mask_of(network->bits, i)) != 0) {
            return true;
        }
    }
    return false;
}

/* A decimal number without sign, blanks or leading zeros. */
static bool number_of(const char *text, unsigned most, unsigned *number)
{
    unsigned value = 0;
    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0')) {
        return false;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (unsigned)(*text - '0');
        if (value > most) {
            return false;
        }
    }
    *number = value;
    return *text == '\0';
}

/* word is changed. */
static int parse_network(char *word, ldc_network *network)
{
    ldc_address address;
    char *slash = strchr(word, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    bool literal = ldc_address_literal(word, 0, &address) && bytes_of(&address, network);
    unsigned most =
        literal && address.storage.ss_family == AF_INET ? 8 * IPV4_BYTES : 8 * IPV6_BYTES;
    unsigned bits = most;
    bool sized = literal && (slash == NULL || number_of(slash + 1, most, &bits));
    if (slash != NULL) {
        *slash = '/';
    }
    if (!sized) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "\"%s\" is neither an address nor a network. Give a list like "
                         "\"192.0.2.7, 10.1.0.0/16, fd00::/8\"; names are not looked up.",
                         word);
    }
    if (network->ipv4 && most == 8 * IPV6_BYTES) {
        if (bits < MAPPED_BITS) {
            return ldc_error(DICOM_ERROR_PARAMETER,
                             "\"%s\" mixes IPv4 and IPv6. Give IPv4 networks in their own form.",
                             word);
        }
        bits -= MAPPED_BITS;
    }
    network->bits = bits;
    if (has_host_bits(network)) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "\"%s\" has bits set behind its first %u. Give the network's own address, "
                         "or the single address without \"/%u\".",
                         word, bits, bits);
    }
    return DICOM_SUCCESS;
}

int ldc_proxies_new(const char *text, ldc_proxies **proxies)
{
    static const char separators[] = ", \t\r\n";
    *proxies = NULL;
    char *words = ldc_strdup(text == NULL ? "" : text);
    ldc_proxies *made = calloc(1, sizeof *made + LDC_PROXIES_MOST * sizeof made->networks[0]);
    int rc = DICOM_SUCCESS;
    if (words == NULL || made == NULL ||
        (made->text = ldc_strdup(text == NULL ? "" : text)) == NULL) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "list of proxies");
        goto done;
    }
    char *rest = NULL;
    for (char *word = strtok_r(words, separators, &rest); word != NULL && rc == DICOM_SUCCESS;
         word = strtok_r(NULL, separators, &rest)) {
        if (made->count == LDC_PROXIES_MOST) {
            rc = ldc_error(DICOM_ERROR_PARAMETER,
                           "more than %d addresses and networks: combine some of them",
                           LDC_PROXIES_MOST);
        } else {
            rc = parse_network(word, &made->networks[made->count++]);
        }
    }
    if (rc == DICOM_SUCCESS && made->count > 0) {
        ldc_proxies *fitted = realloc(made, sizeof *made + made->count * sizeof made->networks[0]);
        made = fitted == NULL ? made : fitted;
        ldc_ref_init(&made->ref, proxies_destroy);
        *proxies = made;
        made = NULL;
    }
done:
    if (made != NULL) {
        free(made->text);
        free(made);
    }
    free(words);
    return rc;
}

bool ldc_proxies_have(const ldc_proxies *proxies, const ldc_address *address)
{
    ldc_network host;
    if (proxies == NULL || address->length == 0 || !bytes_of(address, &host)) {
        return false;
    }
    for (size_t i = 0; i < proxies->count; i++) {
        const ldc_network *network = &proxies->networks[i];
        bool same = network->ipv4 == host.ipv4;
        for (size_t at = 0; same && at < sizeof host.address; at++) {
            same = ((network->address[at] ^ host.address[at]) & mask_of(network->bits, at)) == 0;
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* ---- version 1: one line of text ---- */

enum {
    SIGNATURE = 12,
    LINE_MOST = 107, /* section 2.1, with CR and LF */
    WORD_MOST = 40   /* an IPv6 address and its end */
};

static const unsigned char signature_2[SIGNATURE] = "\r\n\r\n\0\r\nQUIT\n";
static const char signature_1[] = "PROXY ";

/* Copies the next word; single blanks stand between words. */
static bool next_word(const char **at, const char *end, char word[WORD_MOST])
{
    size_t length = 0;
    while (*at < end && **at != ' ') {
        if (length + 1 >= WORD_MOST || **at == '\0') {
            return false;
        }
        word[length++] = *(*at)++;
    }
    word[length] = '\0';
    if (*at < end) {
        (*at)++;
    }
    return length > 0;
}

static bool set_address(ldc_address *address, int family, const void *bytes, unsigned port)
{
    memset(address, 0, sizeof *address);
    if (family == AF_INET) {
        struct sockaddr_in *in4 = (struct sockaddr_in *)&address->storage;
        in4->sin_family = AF_INET;
        in4->sin_port = htons((uint16_t)port);
        memcpy(&in4->sin_addr, bytes, IPV4_BYTES);
        address->length = sizeof *in4;
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->storage;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        memcpy(&in6->sin6_addr, bytes, IPV6_BYTES);
        address->length = sizeof *in6;
    }
    return true;
}

/* "TCP4 192.0.2.1 192.0.2.2 40000 2762"; end is behind the last character. */
static bool parse_line(const char *at, const char *end, ldc_proxy_header *header)
{
    char word[WORD_MOST];
    unsigned char source[IPV6_BYTES], destination[IPV6_BYTES];
    unsigned ports[2];
    if (!next_word(&at, end, word)) {
        return false;
    }
    if (strcmp(word, "UNKNOWN") == 0) { /* what follows is to be ignored */
        header->direct = true;
        return true;
    }
    int family = strcmp(word, "TCP4") == 0 ? AF_INET : strcmp(word, "TCP6") == 0 ? AF_INET6 : -1;
    if (family < 0 || !next_word(&at, end, word) || inet_pton(family, word, source) != 1 ||
        !next_word(&at, end, word) || inet_pton(family, word, destination) != 1) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (!next_word(&at, end, word) || !number_of(word, 65535, &ports[i])) {
            return false;
        }
    }
    return at == end && end[-1] != ' ' && set_address(&header->client, family, source, ports[0]);
}

static ldc_proxy_result parse_1(const unsigned char *bytes, size_t have, size_t *need,
                                ldc_proxy_header *header, const char **why)
{
    header->version = 1;
    if (bytes[have - 1] != '\n') {
        if (have >= LINE_MOST) {
            *why = "its line is longer than 107 characters";
            return LDC_PROXY_REFUSED;
        }
        *need = 1; /* where the line ends is seen only then */
        return LDC_PROXY_MORE;
    }
    const char *line = (const char *)bytes;
    if (bytes[have - 2] != '\r' ||
        !parse_line(line + sizeof signature_1 - 1, line + have - 2, header)) {
        *why = "its line is not as section 2.1 of the protocol says";
        return LDC_PROXY_REFUSED;
    }
    return LDC_PROXY_DONE;
}

/* ---- version 2: binary ---- */

enum {
    FIXED = 16,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    FAMILY_NONE = 0x00,
    TCP_IPV4 = 0x11,
    UDP_IPV4 = 0x12,
    TCP_IPV6 = 0x21,
    UDP_IPV6 = 0x22,
    UNIX_STREAM = 0x31,
    UNIX_DATAGRAM = 0x32,
    IPV4_BLOCK = 12,
    IPV6_BLOCK = 36,
    UNIX_BLOCK = 216,
    TLV_HEADER = 3,
    TLV_CRC32C = 3,
    CRC_BYTES = 4,
    CRC_POLYNOMIAL_BITS = 8
};

static unsigned be16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* CRC32c (RFC 3720 B.4) of all, with 0 in the four bytes from `hole` on. */
static uint32_t crc32c(const unsigned char *bytes, size_t length, size_t hole)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < length; i++) {
        crc ^= i >= hole && i < hole + CRC_BYTES ? 0u : bytes[i];
        for (int bit = 0; bit < CRC_POLYNOMIAL_BITS; bit++) {
            crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

/* The values behind the addresses: all fit, and the checksum is right if there is one. */
static const char *check_values(const unsigned char *bytes, size_t length, size_t at)
{
    size_t sum_at = 0;
    while (at < length) {
        if (length - at < TLV_HEADER || length - at - TLV_HEADER < be16(bytes + at + 1)) {
            return "a value in it is longer than the header";
        }
        size_t size = be16(bytes + at + 1);
        if (bytes[at] == TLV_CRC32C) {
            if (size != CRC_BYTES || sum_at != 0) {
                return "its checksum is not one of four bytes";
            }
            sum_at = at + TLV_HEADER;
        }
        at += TLV_HEADER + size;
    }
    if (sum_at == 0) {
        return NULL;
    }
    uint32_t told = (uint32_t)be16(bytes + sum_at) << 16 | be16(bytes + sum_at + 2);
    return crc32c(bytes, length, sum_at) == told ? NULL : "its checksum is wrong";
}

static ldc_proxy_result parse_2(const unsigned char *bytes, size_t have, size_t *need,
                                ldc_proxy_header *header, const char **why)
{
    header->version = 2;
    if (have < FIXED) {
        *need = FIXED - have;
        return LDC_PROXY_MORE;
    }
    unsigned command = bytes[12] & 0x0Fu, family = bytes[13];
    size_t block = be16(bytes + 14), addresses = 0;
    *why = NULL;
    if (bytes[12] >> 4 != 2 || command > COMMAND_PROXY) {
        *why = "its version or command is unknown";
        return LDC_PROXY_REFUSED;
    }
    switch (family) {
    case FAMILY_NONE:
        header->direct = true;
        break;
    case TCP_IPV4:
        addresses = IPV4_BLOCK;
        break;
    case TCP_IPV6:
        addresses = IPV6_BLOCK;
        break;
    case UNIX_STREAM:
        header->direct = true; /* a client on the proxy's own computer: it has no address */
        addresses = UNIX_BLOCK;
        break;
    case UDP_IPV4:
    case UDP_IPV6:
    case UNIX_DATAGRAM:
        *why = "it tells of datagrams, not of a TCP connection";
        break;
    default:
        *why = "its address family is unknown";
        break;
    }
    if (*why == NULL && block < addresses) {
        *why = "it is too short for its addresses";
    }
    if (command == COMMAND_LOCAL) { /* section 2.2: all that follows is to be ignored */
        header->direct = true;
        *why = NULL;
    }
    if (*why != NULL) {
        return LDC_PROXY_REFUSED;
    }
    if (have < FIXED + block) {
        *need = FIXED + block - have;
        return LDC_PROXY_MORE;
    }
    if (command == COMMAND_PROXY) {
        *why = check_values(bytes, have, FIXED + addresses);
    }
    if (*why != NULL) {
        return LDC_PROXY_REFUSED;
    }
    if (!header->direct) {
        bool ipv4 = family == TCP_IPV4;
        size_t ports = FIXED + 2u * (ipv4 ? IPV4_BYTES : IPV6_BYTES);
        (void)set_address(&header->client, ipv4 ? AF_INET : AF_INET6, bytes + FIXED,
                          be16(bytes + ports));
    }
    return LDC_PROXY_DONE;
}

static const char *missing(const unsigned char *bytes, size_t have)
{
    switch (ldc_transport_speech(bytes, have)) {
    case LDC_SPEECH_TLS:
        return "it began with TLS, without a PROXY header";
    case LDC_SPEECH_DICOM:
        return "it began with DICOM, without a PROXY header";
    case LDC_SPEECH_HTTP:
        return "it spoke HTTP, without a PROXY header";
    default:
        return "it did not begin with a PROXY header";
    }
}

ldc_proxy_result ldc_proxy_parse(const unsigned char *bytes, size_t have, size_t *need,
                                 ldc_proxy_header *header, const char **why)
{
    size_t seen = have < SIGNATURE ? have : SIGNATURE;
    size_t word = have < sizeof signature_1 - 1 ? have : sizeof signature_1 - 1;
    *need = SIGNATURE - seen; /* the shortest header of either version is longer */
    *why = NULL;
    memset(header, 0, sizeof *header);
    bool first = memcmp(bytes, signature_1, word) == 0;
    if (!first && memcmp(bytes, signature_2, seen) != 0) {
        *why = missing(bytes, have);
        return LDC_PROXY_REFUSED;
    }
    if (have < SIGNATURE) {
        return LDC_PROXY_MORE;
    }
    return first ? parse_1(bytes, have, need, header, why)
                 : parse_2(bytes, have, need, header, why);
}
