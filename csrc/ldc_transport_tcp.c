/* ldc_transport_tcp.c - plain TCP as a transport, and the socket calls that TLS shares. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "ldc_error.h"
#include "ldc_transport.h"
#include "ltdic.h"

bool ldc_transport_would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void keep_first(ldc_transport *self, const void *bytes, size_t size)
{
    size_t room = LDC_FIRST_BYTES - self->first_length;
    size_t count = size < room ? size : room;
    memcpy(self->first + self->first_length, bytes, count);
    self->first_length += count;
}

/* Fills the parts in turn; what it gives is the sum. */
static long receive(ldc_transport *self, struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    size_t asked = 0;
    ssize_t got = recvmsg(self->fd, &message, 0);
    if (got < 0) {
        self->error = errno;
        self->drained = ldc_transport_would_block(self->error);
        return -1;
    }
    self->error = 0;
    size_t left = (size_t)got;
    for (size_t i = 0; i < count; i++) {
        size_t here = left < parts[i].iov_len ? left : parts[i].iov_len;
        keep_first(self, parts[i].iov_base, here);
        asked += parts[i].iov_len;
        left -= here;
    }
    if (got == 0 && asked > 0) {
        self->eof = true;
    }
    self->drained = (size_t)got < asked && !self->eof;
    return (long)got;
}

long ldc_transport_recv(ldc_transport *self, void *buffer, size_t size)
{
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    return receive(self, &part, 1);
}

long ldc_transport_recv_ahead(ldc_transport *self, void *buffer, size_t size)
{
    if (self->ahead_length > 0) {
        size_t count = size < self->ahead_length ? size : self->ahead_length;
        memcpy(buffer, self->ahead + self->ahead_at, count);
        self->ahead_at += count;
        self->ahead_length -= count;
        return (long)count;
    }
    struct iovec parts[2] = {{.iov_base = buffer, .iov_len = size},
                             {.iov_base = self->ahead, .iov_len = sizeof self->ahead}};
    long got = receive(self, parts, 2);
    if (got > 0 && (size_t)got > size) {
        self->ahead_at = 0;
        self->ahead_length = (size_t)got - size;
        return (long)size;
    }
    return got;
}

long ldc_transport_send(ldc_transport *self, const struct iovec *pieces, size_t count)
{
    /* sendmsg only reads them */
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
    ssize_t put = sendmsg(self->fd, &message, MSG_NOSIGNAL);
    if (put < 0) {
        self->error = errno;
        return -1;
    }
    self->error = 0;
    return (long)put;
}

static ldc_io tcp_handshake(ldc_transport *self)
{
    (void)self;
    return LDC_IO_DONE;
}

static ldc_io tcp_read(ldc_transport *self, void *buffer, size_t size, size_t *got)
{
    long count = ldc_transport_recv(self, buffer, size);
    *got = count > 0 ? (size_t)count : 0;
    if (count > 0) {
        return LDC_IO_DONE;
    }
    if (count == 0) {
        return LDC_IO_CLOSED;
    }
    return ldc_transport_would_block(self->error) ? LDC_IO_WANT_READ : LDC_IO_FAILED;
}

static ldc_io tcp_write(ldc_transport *self, const struct iovec *pieces, size_t count, size_t *put)
{
    long sent = ldc_transport_send(self, pieces, count);
    *put = sent > 0 ? (size_t)sent : 0;
    if (sent >= 0) {
        return LDC_IO_DONE;
    }
    return ldc_transport_would_block(self->error) ? LDC_IO_WANT_WRITE : LDC_IO_FAILED;
}

static ldc_io tcp_shutdown(ldc_transport *self)
{
    (void)self;
    return LDC_IO_DONE;
}

void ldc_transport_diagnose_socket(const ldc_transport *self, int stage, ldc_failure *failure)
{
    if (self->error == 0 || self->error == ECONNRESET || self->error == EPIPE) {
        bool closed = self->error == 0;
        ldc_failure_fill(
            failure, DICOM_ERROR_NET_CONNECTION_ABORTED, stage, DICOM_SIDE_PEER,
            closed ? "The connection was aborted: the peer closed it in the middle"
                   : "The connection was aborted: the peer reset it",
            closed
                ? "The peer closed the connection in the middle; its own log says why."
                : "The peer reset the connection; look for its reason in its log, or for a firewall between.");
        return;
    }
    bool late = self->error == ETIMEDOUT;
    char *message =
        ldc_format("%s (%s)", late ? "The network operation timed out" : "Network failure",
                   strerror(self->error));
    ldc_failure_fill(failure, late ? DICOM_ERROR_NET_TIMEOUT : DICOM_ERROR_NET_FAILURE, stage,
                     DICOM_SIDE_PEER, message, "Check the network between the two computers.");
    free(message);
}

static void tcp_diagnose(ldc_transport *self, ldc_failure *failure)
{
    ldc_transport_diagnose_socket(self, DICOM_STAGE_TCP, failure);
}

static void tcp_free(ldc_transport *self)
{
    free(self);
}

static const ldc_transport_ops tcp_ops = {
    .handshake = tcp_handshake,
    .read = tcp_read,
    .write = tcp_write,
    .shutdown = tcp_shutdown,
    .diagnose = tcp_diagnose,
    .free = tcp_free,
};

ldc_transport *ldc_transport_tcp_new(int fd)
{
    ldc_transport *self = calloc(1, sizeof *self);
    if (self != NULL) {
        self->ops = &tcp_ops;
        self->fd = fd;
    }
    return self;
}

static bool begins(const unsigned char *first, size_t length, const char *word)
{
    size_t size = strlen(word);
    return length >= size && memcmp(first, word, size) == 0;
}

ldc_speech ldc_transport_speech(const unsigned char *first, size_t length)
{
    static const char *const methods[] = {"GET ",     "HEAD ",      "POST ",    "PUT ",   "DELETE ",
                                          "OPTIONS ", "PATCH ",     "CONNECT ", "TRACE ", "PRI * ",
                                          "HTTP/",    "<!DOCTYPE ", "<html",    "<HTML"};
    if (length == 0) {
        return LDC_SPEECH_NOTHING;
    }
    /* RFC 8446 5.1: handshake or alert record, major version 3. */
    if (length >= 2 && (first[0] == 22 || first[0] == 21) && first[1] == 3) {
        return LDC_SPEECH_TLS;
    }
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (begins(first, length, methods[i])) {
            return LDC_SPEECH_HTTP;
        }
    }
    /* The PROXY protocol of load balancers, version 1 and 2. */
    if (begins(first, length, "PROXY ") || begins(first, length, "\r\n\r\n")) {
        return LDC_SPEECH_PROXY;
    }
    if (begins(first, length, "SSH-")) {
        return LDC_SPEECH_SSH;
    }
    /* PS3.8 9.3: PDU type 1..7, then a reserved byte (not tested by receivers, but 0 with every
     * known peer). */
    if (length >= 2 && first[0] >= 1 && first[0] <= 7 && first[1] == 0) {
        return LDC_SPEECH_DICOM;
    }
    return LDC_SPEECH_UNKNOWN;
}

const char *ldc_speech_name(ldc_speech speech)
{
    switch (speech) {
    case LDC_SPEECH_NOTHING:
        return "nothing";
    case LDC_SPEECH_TLS:
        return "TLS";
    case LDC_SPEECH_DICOM:
        return "plain DICOM";
    case LDC_SPEECH_HTTP:
        return "HTTP";
    case LDC_SPEECH_SSH:
        return "SSH";
    case LDC_SPEECH_PROXY:
        return "the PROXY protocol of a load balancer";
    case LDC_SPEECH_UNKNOWN:
        break;
    }
    return "an unknown protocol";
}
