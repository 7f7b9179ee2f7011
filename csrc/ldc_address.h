/* ldc_address.h - socket addresses: literals, names, text, local binding. */
#ifndef LDC_ADDRESS_H
#define LDC_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>

enum {
    LDC_ADDRESS_TEXT = 64
};

typedef struct ldc_address {
    struct sockaddr_storage storage;
    socklen_t length; /* 0 = unset */
} ldc_address;

/* A literal of either family ("127.0.0.1", "::1", "[::1]", "fe80::1%eth0"). false: not one. */
bool ldc_address_literal(const char *text, unsigned port, ldc_address *address);
/* Looks a name up; blocks. Up to capacity addresses of the families in ip_type (DICOM_IPTYPE_...);
 * 0 = error set in *gai. */
int ldc_address_resolve(const char *name, unsigned port, int ip_type, ldc_address *addresses,
                        int capacity, int *gai);
/* First address of this computer that is not loopback, else loopback. family AF_INET or AF_INET6.
 */
void ldc_address_local(int family, unsigned port, ldc_address *address);
/* All addresses of this computer. */
void ldc_address_any(int family, unsigned port, ldc_address *address);
/* Numeric text without brackets (an IPv4 address mapped into IPv6 as IPv4), and the port. */
void ldc_address_text(const ldc_address *address, char text[LDC_ADDRESS_TEXT], unsigned *port);
bool ldc_address_is_loopback(const ldc_address *address);
/* Whether the hosts are the same (the ports do not matter). */
bool ldc_address_same_host(const ldc_address *one, const ldc_address *other);
enum {
    LDC_SOCKET_V6_ONLY = 1,
    LDC_SOCKET_REUSE_PORT = 2 /* SO_REUSEPORT: others that set it, of the same user, may bind too */
};
/* An unconnected non-blocking TCP socket, bound if local is set. flags: LDC_SOCKET_... -1 and
 * errno.
 */
int ldc_address_socket(int family, const ldc_address *local, unsigned flags);
/* The family of DICOM_IPTYPE_... when one has to be chosen. */
int ldc_address_family(int ip_type);

#endif
