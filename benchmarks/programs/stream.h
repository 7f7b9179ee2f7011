/*
 * stream.h - a blocking socket, plain or with TLS 1.3 on plain OpenSSL calls, for the programs that
 * show what is possible without a DICOM library (limit.c, holder.c). Mutual authentication always.
 */
#ifndef LDC_BENCH_STREAM_H
#define LDC_BENCH_STREAM_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

typedef struct stream {
    int fd;
    SSL *ssl; /* owned; NULL = plain */
} stream;

static inline void fail_tls(const char *what)
{
    char text[256];
    ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
    fail("%s: %s", what, text);
}

/* NULL when plain. who: the file name of certificate and key. */
static inline SSL_CTX *tls_context(bool server)
{
    if (option_tls() == NULL) {
        return NULL;
    }
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    const char *identity = tls_file(server ? "server-combined.pem" : "client-combined.pem");
    if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") != 1 ||
        SSL_CTX_use_certificate_chain_file(ctx, identity) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, identity, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(ctx, tls_file("ca.pem"), NULL) != 1) {
        fail_tls("TLS settings");
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    static const unsigned char context_id[] = "bench";
    (void)SSL_CTX_set_session_id_context(ctx, context_id, sizeof context_id - 1);
    (void)SSL_CTX_set_num_tickets(ctx, 1);
    if (!server) { /* sessions are kept by the caller */
        (void)SSL_CTX_set_session_cache_mode(ctx,
                                             SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    }
    return ctx;
}

static inline void no_delay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static inline stream stream_connect(SSL_CTX *ctx, unsigned port, SSL_SESSION *session)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    stream link = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (link.fd < 0 || connect(link.fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("connect to %u: %m", port);
    }
    no_delay(link.fd);
    if (ctx != NULL) {
        link.ssl = SSL_new(ctx);
        if (link.ssl == NULL || SSL_set_fd(link.ssl, link.fd) != 1) {
            fail_tls("SSL_new");
        }
        if (session != NULL) {
            (void)SSL_set_session(link.ssl, session);
        }
        if (SSL_connect(link.ssl) != 1) {
            fail_tls("SSL_connect");
        }
    }
    return link;
}

static inline void stream_close(stream *link)
{
    if (link->ssl != NULL) {
        (void)SSL_shutdown(link->ssl);
        SSL_free(link->ssl);
    }
    (void)close(link->fd);
}

static inline bool stream_write(stream *link, const void *bytes, size_t length)
{
    const char *next = (const char *)bytes;
    while (length > 0) {
        ssize_t put = link->ssl != NULL ? SSL_write(link->ssl, next, (int)length)
                                        : send(link->fd, next, length, MSG_NOSIGNAL);
        if (put <= 0) {
            return false;
        }
        next += put;
        length -= (size_t)put;
    }
    return true;
}

/* At most length bytes; 0 = the end. */
static inline size_t stream_some(stream *link, void *bytes, size_t length)
{
    ssize_t got = link->ssl != NULL ? SSL_read(link->ssl, bytes, (int)length)
                                    : recv(link->fd, bytes, length, 0);
    return got > 0 ? (size_t)got : 0;
}

static inline bool stream_read(stream *link, void *bytes, size_t length)
{
    char *next = (char *)bytes;
    while (length > 0) {
        size_t got = stream_some(link, next, length);
        if (got == 0) {
            return false;
        }
        next += got;
        length -= got;
    }
    return true;
}

#endif
