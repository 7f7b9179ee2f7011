/* test_transport.c - bytes over a socket: what is read ahead, what counts as drained, the end. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_transport.h"
#include "unit.h"

typedef struct pair {
    ldc_transport *mine;
    int peer;
} pair;

static pair pair_new(void)
{
    int ends[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    return (pair){.mine = ldc_transport_tcp_new(ends[0]), .peer = ends[1]};
}

static void pair_free(pair *two)
{
    int fd = two->mine->fd;
    two->mine->ops->free(two->mine);
    CHECK_INT(close(fd), 0);
    if (two->peer >= 0) {
        CHECK_INT(close(two->peer), 0);
    }
}

static void say(pair *two, const void *bytes, size_t size)
{
    CHECK_INT(send(two->peer, bytes, size, 0), (long)size);
}

static void fill(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(i * 7);
    }
}

TEST(a_short_record_is_read_in_one_call_of_the_system)
{
    pair two = pair_new();
    char header[5], body[16];
    say(&two, "12345abcdef", 11);
    CHECK_INT(ldc_transport_recv_ahead(two.mine, header, sizeof header), 5);
    CHECK_INT(memcmp(header, "12345", 5), 0);
    CHECK_INT(two.mine->ahead_length, 6);
    CHECK(two.mine->drained);
    say(&two, "next", 4); /* what has been read ahead comes first, alone */
    CHECK_INT(ldc_transport_recv_ahead(two.mine, body, 4), 4);
    CHECK_INT(memcmp(body, "abcd", 4), 0);
    CHECK_INT(ldc_transport_recv_ahead(two.mine, body, sizeof body), 2);
    CHECK_INT(memcmp(body, "ef", 2), 0);
    CHECK_INT(ldc_transport_recv_ahead(two.mine, body, sizeof body), 4);
    CHECK_INT(memcmp(body, "next", 4), 0);
    CHECK_INT(ldc_transport_recv_ahead(two.mine, body, sizeof body), -1);
    CHECK(ldc_transport_would_block(two.mine->error));
    CHECK(two.mine->drained);
    pair_free(&two);
}

TEST(long_records_arrive_whole_and_in_order)
{
    enum {
        ALL = 40000
    };
    static unsigned char sent[ALL], got[ALL];
    pair two = pair_new();
    fill(sent, sizeof sent);
    say(&two, sent, sizeof sent);
    for (size_t at = 0, turn = 0; at < sizeof got; turn++) {
        size_t ask = turn % 2 == 0 ? 5 : 16401;
        ask = ask < sizeof got - at ? ask : sizeof got - at;
        long count = ldc_transport_recv_ahead(two.mine, got + at, ask);
        CHECK(count > 0);
        at += (size_t)count;
    }
    CHECK_INT(memcmp(sent, got, sizeof got), 0);
    pair_free(&two);
}

TEST(the_first_bytes_are_kept_whichever_way_they_were_read)
{
    pair ahead = pair_new(), plain = pair_new();
    char byte[1];
    say(&ahead, "GET / HTTP/1.1\r\nHost: x", 23);
    CHECK_INT(ldc_transport_recv_ahead(ahead.mine, byte, 1), 1);
    CHECK_INT(ahead.mine->first_length, LDC_FIRST_BYTES);
    CHECK_INT(memcmp(ahead.mine->first, "GET / HTTP/1.1\r\n", LDC_FIRST_BYTES), 0);
    say(&plain, "SSH-2", 5);
    CHECK_INT(ldc_transport_recv(plain.mine, byte, 1), 1);
    CHECK_INT(ldc_transport_recv(plain.mine, byte, 1), 1);
    CHECK_INT(plain.mine->first_length, 2);
    CHECK_INT(memcmp(plain.mine->first, "SS", 2), 0);
    pair_free(&ahead);
    pair_free(&plain);
}

TEST(drained_means_that_less_came_than_there_was_room_for)
{
    static unsigned char bytes[4096];
    pair two = pair_new();
    size_t got = 0;
    fill(bytes, sizeof bytes);
    say(&two, bytes, sizeof bytes);
    CHECK_INT(two.mine->ops->read(two.mine, bytes, 4000, &got), LDC_IO_DONE);
    CHECK_INT(got, 4000);
    CHECK(!two.mine->drained);
    CHECK_INT(two.mine->ops->read(two.mine, bytes, 4000, &got), LDC_IO_DONE);
    CHECK_INT(got, 96);
    CHECK(two.mine->drained);
    pair_free(&two);
}

TEST(the_end_comes_after_what_was_read_ahead)
{
    pair two = pair_new();
    char some[8];
    say(&two, "bye", 3);
    CHECK_INT(close(two.peer), 0);
    two.peer = -1;
    CHECK_INT(ldc_transport_recv_ahead(two.mine, some, 1), 1);
    CHECK(!two.mine->eof);
    CHECK_INT(ldc_transport_recv_ahead(two.mine, some, sizeof some), 2);
    CHECK_INT(ldc_transport_recv_ahead(two.mine, some, sizeof some), 0);
    CHECK(two.mine->eof && !two.mine->drained);
    pair_free(&two);
}
