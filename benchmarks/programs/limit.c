/*
 * limit.c - the limit: TLS and messages of DICOM's sizes on plain OpenSSL calls, blocking, one
 * thread a connection, no DICOM. Nothing that speaks DICOM over TLS can be expected to be quicker.
 *
 * A connection begins with 16 bytes: length of each request, length of each answer (64 bits, host
 * order). Then the server reads whole requests and answers each. Verbs: serve, handshakes, echo,
 * store.
 */
#include <fcntl.h>
#include <pthread.h>

#include "stream.h"

enum {
    /* A-ASSOCIATE-RQ, C-ECHO-RQ, A-RELEASE-RQ and their answers are about that long; the mean of
     * the three does for all. */
    REQUEST = 211,
    ANSWER = 187,
    CHUNK = 64 * 1024, /* one write */
    STORE_ANSWER = 190,
    STACK = 256 * 1024,
    WARMED_UP = 16 * 1024 * 1024, /* one more object before the clock runs, up to this size */
};

/* ---- server ---- */

typedef struct shape {
    uint64_t request, answer;
} shape;

static SSL_CTX *server_ctx;

static void *serve_one(void *argument)
{
    stream link = {.fd = (int)(intptr_t)argument};
    shape lengths;
    char *chunk = malloc(CHUNK);
    char answer[1024] = {0};
    no_delay(link.fd);
    if (server_ctx != NULL) {
        link.ssl = SSL_new(server_ctx);
        (void)SSL_set_fd(link.ssl, link.fd);
        if (SSL_accept(link.ssl) != 1) {
            goto end;
        }
    }
    if (!stream_read(&link, &lengths, sizeof lengths)) {
        goto end;
    }
    for (;;) {
        uint64_t left = lengths.request;
        while (left > 0) {
            size_t got = stream_some(&link, chunk, left < CHUNK ? (size_t)left : CHUNK);
            if (got == 0) {
                goto end;
            }
            left -= got;
        }
        if (!stream_write(&link, answer, (size_t)lengths.answer)) {
            goto end;
        }
    }
end:
    stream_close(&link);
    free(chunk);
    return NULL;
}

static void *accept_all(void *argument)
{
    int listener = (int)(intptr_t)argument;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    for (;;) {
        pthread_t thread;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0 && pthread_create(&thread, &attributes, serve_one, (void *)(intptr_t)fd) != 0) {
            (void)close(fd);
        }
    }
    return NULL;
}

static void serve(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    pthread_t thread;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    server_ctx = tls_context(true);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, 1024) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener) != 0) {
        fail("listen: %m");
    }
    say_ready(ntohs(address.sin_port));
    wait_for_end();
}

/* ---- client ---- */

static SSL_SESSION *latest_session; /* owned */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(latest_session);
    latest_session = session;
    return 1; /* taken over */
}

static stream open_link(SSL_CTX *ctx, uint64_t request, uint64_t answer, SSL_SESSION *session)
{
    shape lengths = {.request = request, .answer = answer};
    stream link = stream_connect(ctx, (unsigned)option_number("port", 0), session);
    if (!stream_write(&link, &lengths, sizeof lengths)) {
        fail("the server has gone");
    }
    return link;
}

/* The same chunk again and again; read from the end of `file` each time, unless that is -1. */
static void send_and_wait(stream *link, char *request, uint64_t length, uint64_t answer, int file)
{
    char back[1024];
    off_t start = file < 0 ? 0 : lseek(file, -(off_t)length, SEEK_END);
    for (uint64_t at = 0; at < length; at += CHUNK) {
        uint64_t left = length - at;
        size_t size = left < CHUNK ? (size_t)left : CHUNK;
        if (file >= 0 && pread(file, request, size, start + (off_t)at) != (ssize_t)size) {
            fail("read: %m");
        }
        if (!stream_write(link, request, size)) {
            fail("write: the server has gone");
        }
    }
    if (!stream_read(link, back, (size_t)answer)) {
        fail("read: the server has gone");
    }
}

static void round_trip(stream *link, char *request, uint64_t length, uint64_t answer)
{
    send_and_wait(link, request, length, answer, -1);
}

static void handshakes(SSL_CTX *ctx)
{
    char message[REQUEST] = {0};
    latencies none = {0};
    bool resume = option_number("resume", 0) != 0;
    uint64_t count = 0;
    uint64_t resumed = 0;
    double seconds = option_seconds();
    if (ctx != NULL) {
        SSL_CTX_sess_set_new_cb(ctx, on_session);
    }
    if (resume) { /* one full handshake to begin with */
        stream first = open_link(ctx, REQUEST, ANSWER, NULL);
        round_trip(&first, message, REQUEST, ANSWER);
        stream_close(&first);
    }
    wait_for_go();
    double began = now_s();
    do {
        stream link = open_link(ctx, REQUEST, ANSWER, resume ? latest_session : NULL);
        for (int i = 0; i < 3; i++) {
            round_trip(&link, message, REQUEST, ANSWER);
        }
        resumed += link.ssl != NULL && SSL_session_reused(link.ssl) ? 1u : 0u;
        stream_close(&link);
        count++;
    } while (now_s() - began < seconds);
    double took = now_s() - began;
    if (resumed != (resume ? count : 0)) {
        fail("%llu of %llu handshakes were resumed", (unsigned long long)resumed,
             (unsigned long long)count);
    }
    say_result(count, 0, took, &none);
}

static void echo(SSL_CTX *ctx)
{
    char message[REQUEST] = {0};
    latencies all = {0};
    stream link = open_link(ctx, REQUEST, ANSWER, NULL);
    double seconds = option_seconds();
    for (int i = 0; i < 50; i++) {
        round_trip(&link, message, REQUEST, ANSWER);
    }
    wait_for_go();
    double began = now_s();
    double before = began;
    do {
        round_trip(&link, message, REQUEST, ANSWER);
        double now = now_s();
        latency_add(&all, now - before);
        before = now;
    } while (before - began < seconds);
    say_result(all.count, 0, before - began, &all);
    stream_close(&link);
}

static void store(SSL_CTX *ctx)
{
    latencies none = {0};
    uint64_t size = (uint64_t)option_number("size", 65536);
    char *chunk = calloc(1, CHUNK);
    char *names[MAX_FILES];
    int file = option_number("from_file", 0) == 0 || file_names(names) == 0
                   ? -1
                   : open(names[0], O_RDONLY | O_CLOEXEC);
    stream link = open_link(ctx, size, STORE_ANSWER, NULL);
    double seconds = option_seconds();
    uint64_t count = 0;
    if (size < WARMED_UP) {
        round_trip(&link, chunk, size, STORE_ANSWER);
    }
    wait_for_go();
    double began = now_s();
    do {
        send_and_wait(&link, chunk, size, STORE_ANSWER, file);
        count++;
    } while (now_s() - began < seconds);
    say_result(count, count * size, now_s() - began, &none);
    stream_close(&link);
    free(chunk);
}

int main(int argc, char **argv)
{
    options_count = argc;
    options_words = argv;
    const char *verb = option("verb", "");
    if (strcmp(verb, "serve") == 0) {
        serve();
        return 0;
    }
    SSL_CTX *ctx = tls_context(false);
    if (strcmp(verb, "handshakes") == 0) {
        handshakes(ctx);
    } else if (strcmp(verb, "echo") == 0) {
        echo(ctx);
    } else if (strcmp(verb, "store") == 0) {
        store(ctx);
    } else {
        fail("verb=serve, handshakes, echo or store");
    }
    wait_for_end();
    return 0;
}
