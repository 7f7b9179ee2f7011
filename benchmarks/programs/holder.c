/*
 * holder.c - holds many DICOM associations open against any server, at little cost of its own:
 * bytes of PS3.8 and PS3.7 written by hand over stream.h.
 *
 * "ready HELD" when count= associations are held, or as many as the server gives. After the next
 * line: one C-ECHO on each, and the result. Then it lives until its standard input ends.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "stream.h"

enum {
    THREADS = 4,
    PATIENCE_S = 30,
};

typedef struct bytes {
    uint8_t data[512];
    size_t length;
} bytes;

static void put(bytes *out, const void *data, size_t length)
{
    memcpy(out->data + out->length, data, length);
    out->length += length;
}

static void put_be(bytes *out, uint32_t value, int size)
{
    for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) {
        uint8_t byte = (uint8_t)(value >> shift);
        put(out, &byte, 1);
    }
}

static void put_le(bytes *out, uint32_t value, int size)
{
    for (int shift = 0; shift < size * 8; shift += 8) {
        uint8_t byte = (uint8_t)(value >> shift);
        put(out, &byte, 1);
    }
}

static void put_item(bytes *out, uint32_t type, const void *data, size_t length)
{
    put_be(out, type, 1);
    put_be(out, 0, 1);
    put_be(out, (uint32_t)length, 2);
    put(out, data, length);
}

static void put_text_item(bytes *out, uint32_t type, const char *text)
{
    put_item(out, type, text, strlen(text));
}

/* Room for the header is left by the caller: type, 0, length. */
static bytes pdu(uint32_t type, const bytes *body)
{
    bytes out = {0};
    put_be(&out, type, 1);
    put_be(&out, 0, 1);
    put_be(&out, (uint32_t)body->length, 4);
    put(&out, body->data, body->length);
    return out;
}

static bytes associate_request(void)
{
    bytes context = {0};
    bytes user = {0};
    bytes maximum = {0};
    bytes body = {0};
    char title[17];
    put_be(&context, 1, 1); /* its id */
    put_be(&context, 0, 3);
    put_text_item(&context, 0x30, "1.2.840.10008.1.1");
    put_text_item(&context, 0x40, "1.2.840.10008.1.2");
    put_be(&maximum, 131072, 4);
    put_item(&user, 0x51, maximum.data, 4);
    put_text_item(&user, 0x52, "2.25.1");
    put_be(&body, 1, 2); /* protocol version */
    put_be(&body, 0, 2);
    (void)snprintf(title, sizeof title, "%-16s", option("called", "BENCH"));
    put(&body, title, 16);
    (void)snprintf(title, sizeof title, "%-16s", "HOLDER");
    put(&body, title, 16);
    for (int i = 0; i < 8; i++) {
        put_be(&body, 0, 4);
    }
    put_text_item(&body, 0x10, "1.2.840.10008.3.1.1.1");
    put_item(&body, 0x20, context.data, context.length);
    put_item(&body, 0x50, user.data, user.length);
    return pdu(1, &body);
}

static void put_element(bytes *out, uint32_t element, const void *data, size_t length)
{
    put_le(out, 0, 2);
    put_le(out, element, 2);
    put_le(out, (uint32_t)length, 4);
    put(out, data, length);
}

static bytes echo_request(void)
{
    bytes command = {0};
    bytes set = {0};
    bytes body = {0};
    bytes number = {0};
    put_element(&command, 0x0002, "1.2.840.10008.1.1\0", 18);
    put_le(&number, 0x0030, 2);
    put_le(&number, 1, 2);
    put_le(&number, 0x0101, 2);
    put_element(&command, 0x0100, number.data, 2);
    put_element(&command, 0x0110, number.data + 2, 2);
    put_element(&command, 0x0800, number.data + 4, 2);
    number.length = 0;
    put_le(&number, (uint32_t)command.length, 4);
    put_element(&set, 0x0000, number.data, 4);
    put(&set, command.data, command.length);
    put_be(&body, (uint32_t)set.length + 2, 4);
    put_be(&body, 1, 1); /* context */
    put_be(&body, 3, 1); /* command, last */
    put(&body, set.data, set.length);
    return pdu(4, &body);
}

/* Sends a PDU and takes the answer, of the given type. */
static bool exchange(stream *link, const bytes *request, uint8_t type)
{
    uint8_t header[6];
    uint8_t body[4096];
    if (!stream_write(link, request->data, request->length) ||
        !stream_read(link, header, sizeof header)) {
        return false;
    }
    size_t length = (size_t)header[2] << 24 | (size_t)header[3] << 16 | (size_t)header[4] << 8 |
                    (size_t)header[5];
    return header[0] == type && length <= sizeof body && stream_read(link, body, length);
}

static struct {
    pthread_mutex_t lock;
    SSL_CTX *ctx;
    stream *links; /* owned */
    bool *alive;   /* owned */
    long wanted, next, held;
    bool stop;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A server that holds one at a time leaves the next one waiting; connect() does not fail then. */
static bool hold_one(stream *link, const bytes *request)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)option_number("port", 0)),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0) {
        fail("socket: %m");
    }
    (void)setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(link->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        return false;
    }
    no_delay(link->fd);
    if (all.ctx != NULL) {
        link->ssl = SSL_new(all.ctx);
        (void)SSL_set_fd(link->ssl, link->fd);
        if (SSL_connect(link->ssl) != 1) {
            return false;
        }
    }
    return exchange(link, request, 2);
}

static void *hold(void *unused)
{
    (void)unused;
    bytes request = associate_request();
    for (;;) {
        pthread_mutex_lock(&all.lock);
        long mine = all.stop || all.next == all.wanted ? -1 : all.next++;
        pthread_mutex_unlock(&all.lock);
        if (mine < 0) {
            return NULL;
        }
        bool good = hold_one(&all.links[mine], &request);
        pthread_mutex_lock(&all.lock);
        all.alive[mine] = good;
        all.held += good ? 1 : 0;
        all.stop = all.stop || !good;
        pthread_mutex_unlock(&all.lock);
    }
}

int main(int argc, char **argv)
{
    options_count = argc;
    options_words = argv;
    struct rlimit files;
    pthread_t threads[THREADS];
    latencies echoes = {0};
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    all.ctx = tls_context(false);
    all.wanted = option_number("count", 100);
    all.links = calloc((size_t)all.wanted, sizeof *all.links);
    all.alive = calloc((size_t)all.wanted, sizeof *all.alive);
    if (all.links == NULL || all.alive == NULL) {
        fail("out of memory");
    }
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, hold, NULL) != 0) {
            fail("pthread_create: %m");
        }
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    say_ready((unsigned)all.held);
    if (!read_line()) {
        return 0;
    }
    bytes request = echo_request();
    double began = now_s();
    for (long i = 0; i < all.wanted; i++) {
        double before = now_s();
        if (all.alive[i] && exchange(&all.links[i], &request, 4)) {
            latency_add(&echoes, now_s() - before);
        }
    }
    say_result(echoes.count, 0, now_s() - began, &echoes);
    wait_for_end();
    return 0;
}
