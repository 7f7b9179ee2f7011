/* ldc_address.c - see ldc_address.h. */
#include "ldc_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ltdic.h"

static bool look_up(const char *name, unsigned port, int family, int flags,
                    struct addrinfo **result, int *gai)
{
    char service[16];
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    snprintf(service, sizeof service, "%u", port);
    *result = NULL;
    *gai = getaddrinfo(name, service, &hints, result);
    return *gai == 0 && *result != NULL;
}

static void take(ldc_address *address, const struct addrinfo *info)
{
    memset(&address->storage, 0, sizeof address->storage);
    address->length = info->ai_addrlen <= sizeof address->storage ? info->ai_addrlen : 0;
    memcpy(&address->storage, info->ai_addr, address->length);
}

bool ldc_address_literal(const char *text, unsigned port, ldc_address *address)
{
    char bare[LDC_ADDRESS_TEXT];
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof bare) {
        return false;
    }
    memcpy(bare, text, length);
    bare[length] = '\0';
    struct in_addr strict;
    /* getaddrinfo would also take "127.1" and "2130706433": a name for us. */
    if (strchr(bare, ':') == NULL && inet_pton(AF_INET, bare, &strict) != 1) {
        return false;
    }
    struct addrinfo *result;
    int gai;
    bool found = look_up(bare, port, AF_UNSPEC, AI_NUMERICHOST, &result, &gai);
    if (found) {
        take(address, result);
        freeaddrinfo(result);
    }
    return found;
}

int ldc_address_resolve(const char *name, unsigned port, int ip_type, ldc_address *addresses,
                        int capacity, int *gai)
{
    struct addrinfo *result;
    int family = ip_type == DICOM_IPTYPE_IPV4_OR_IPV6 ? AF_UNSPEC : ldc_address_family(ip_type);
    int count = 0;
    if (look_up(name, port, family, 0, &result, gai)) {
        for (struct addrinfo *info = result; info != NULL && count < capacity;
             info = info->ai_next) {
            if (info->ai_family == AF_INET || info->ai_family == AF_INET6) {
                take(&addresses[count++], info);
            }
        }
        freeaddrinfo(result);
    }
    return count;
}

int ldc_address_family(int ip_type)
{
    return ip_type == DICOM_IPTYPE_IPV6 ? AF_INET6 : AF_INET;
}

static void set_port(ldc_address *address, unsigned port)
{
    if (address->storage.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons((uint16_t)port);
    } else {
        ((struct sockaddr_in *)&address->storage)->sin_port = htons((uint16_t)port);
    }
}

static void from_in(ldc_address *address, int family, unsigned port, bool loopback)
{
    memset(address, 0, sizeof *address);
    if (family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->storage;
        in6->sin6_family = AF_INET6;
        in6->sin6_addr = loopback ? in6addr_loopback : in6addr_any;
        address->length = sizeof *in6;
    } else {
        struct sockaddr_in *in4 = (struct sockaddr_in *)&address->storage;
        in4->sin_family = AF_INET;
        in4->sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY);
        address->length = sizeof *in4;
    }
    set_port(address, port);
}

void ldc_address_any(int family, unsigned port, ldc_address *address)
{
    from_in(address, family, port, false);
}

void ldc_address_local(int family, unsigned port, ldc_address *address)
{
    struct ifaddrs *interfaces;
    from_in(address, family, port, true);
    if (getifaddrs(&interfaces) != 0) {
        return;
    }
    for (struct ifaddrs *one = interfaces; one != NULL; one = one->ifa_next) {
        if (one->ifa_addr == NULL || one->ifa_addr->sa_family != family ||
            (one->ifa_flags & IFF_UP) == 0 || (one->ifa_flags & IFF_LOOPBACK) != 0) {
            continue;
        }
        ldc_address candidate = {.length = address->length};
        memcpy(&candidate.storage, one->ifa_addr, candidate.length);
        /* A link-local address needs a scope to be reached: not what "this computer" means. */
        if (family == AF_INET6 &&
            IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)&candidate.storage)->sin6_addr)) {
            continue;
        }
        set_port(&candidate, port);
        *address = candidate;
        break;
    }
    freeifaddrs(interfaces);
}

/* The IPv4 address inside, if there is one. */
static bool as_ipv4(const ldc_address *address, struct in_addr *ipv4)
{
    if (address->storage.ss_family == AF_INET) {
        *ipv4 = ((const struct sockaddr_in *)&address->storage)->sin_addr;
        return true;
    }
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)&address->storage)->sin6_addr;
    if (address->storage.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(in6)) {
        memcpy(ipv4, &in6->s6_addr[12], sizeof *ipv4);
        return true;
    }
    return false;
}

void ldc_address_text(const ldc_address *address, char text[LDC_ADDRESS_TEXT], unsigned *port)
{
    struct in_addr ipv4;
    text[0] = '\0';
    *port = 0;
    if (address->length == 0) {
        return;
    }
    if (as_ipv4(address, &ipv4)) {
        (void)inet_ntop(AF_INET, &ipv4, text, LDC_ADDRESS_TEXT);
    } else {
        (void)getnameinfo((const struct sockaddr *)&address->storage, address->length, text,
                          LDC_ADDRESS_TEXT, NULL, 0, NI_NUMERICHOST);
    }
    *port = ntohs(address->storage.ss_family == AF_INET6
                      ? ((const struct sockaddr_in6 *)&address->storage)->sin6_port
                      : ((const struct sockaddr_in *)&address->storage)->sin_port);
}

bool ldc_address_is_loopback(const ldc_address *address)
{
    struct in_addr ipv4;
    if (as_ipv4(address, &ipv4)) {
        return (ntohl(ipv4.s_addr) >> 24) == 127u;
    }
    return address->storage.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&address->storage)->sin6_addr);
}

bool ldc_address_same_host(const ldc_address *one, const ldc_address *other)
{
    struct in_addr first;
    struct in_addr second;
    bool v4 = as_ipv4(one, &first);
    if (v4 != as_ipv4(other, &second)) {
        return false;
    }
    if (v4) {
        return first.s_addr == second.s_addr;
    }
    return memcmp(&((const struct sockaddr_in6 *)&one->storage)->sin6_addr,
                  &((const struct sockaddr_in6 *)&other->storage)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

int ldc_address_socket(int family, const ldc_address *local, unsigned flags)
{
    int on = 1;
    int only = (flags & LDC_SOCKET_V6_ONLY) != 0 ? 1 : 0;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) {
        goto failed;
    }
    if (local != NULL && local->length != 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
         ((flags & LDC_SOCKET_REUSE_PORT) != 0 &&
          setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
         bind(fd, (const struct sockaddr *)&local->storage, local->length) != 0)) {
        goto failed;
    }
    return fd;
failed:;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}
