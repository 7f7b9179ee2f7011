/*
 * ldc_transport.h - bytes over a connected socket: plain TCP and TLS fill the same table of
 * operations.
 *
 * Locking theory: a transport belongs to the strand of its connection; nothing here locks. "Not
 * now" is a result (LDC_IO_WANT_...), not an error. After LDC_IO_FAILED, diagnose() says why, once.
 */
#ifndef LDC_TRANSPORT_H
#define LDC_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "ldc_failure.h"

typedef enum ldc_io {
    LDC_IO_DONE,
    LDC_IO_WANT_READ,
    LDC_IO_WANT_WRITE,
    LDC_IO_CLOSED, /* the peer ended the stream in good order */
    LDC_IO_FAILED,
} ldc_io;

enum {
    LDC_FIRST_BYTES = 16,
    LDC_AHEAD_BYTES = 512, /* most messages without a data set are shorter */
};

typedef struct ldc_transport ldc_transport;

typedef struct ldc_transport_ops {
    ldc_io (*handshake)(ldc_transport *self);
    ldc_io (*read)(ldc_transport *self, void *buffer, size_t size, size_t *got);
    /* The pieces in order, as if they were one; *put counts whatever the result is. */
    ldc_io (*write)(ldc_transport *self, const struct iovec *pieces, size_t count, size_t *put);
    ldc_io (*shutdown)(
        ldc_transport *self); /* says goodbye (close_notify); FIN is the connection's */
    void (*diagnose)(ldc_transport *self, ldc_failure *failure);
    void (*free)(ldc_transport *self);
} ldc_transport_ops;

struct ldc_transport {
    const ldc_transport_ops *ops;
    int fd;                               /* lent */
    int error;                            /* errno of the last failed socket call */
    bool eof;                             /* the socket said end of file */
    bool drained;                         /* the last read() took all that had come */
    bool pending;                         /* write() has something left, whatever it is given */
    unsigned char first[LDC_FIRST_BYTES]; /* what the peer sent first on the socket */
    size_t first_length;
    unsigned char ahead[LDC_AHEAD_BYTES]; /* taken from the socket before it was asked for */
    size_t ahead_at, ahead_length;
};

/* NULL = out of memory. */
ldc_transport *ldc_transport_tcp_new(int fd);

/* Socket calls with SIGPIPE kept away, errno and first bytes kept. -1 with errno in self->error; 0
 * = end of file. */
long ldc_transport_recv(ldc_transport *self, void *buffer, size_t size);
/* The same for a caller that asks in small pieces (a record's header, then its body): what has come
 * with them is kept for the next call, so that a short record takes one call of the system. */
long ldc_transport_recv_ahead(ldc_transport *self, void *buffer, size_t size);
long ldc_transport_send(ldc_transport *self, const struct iovec *pieces, size_t count);
bool ldc_transport_would_block(int error);

/* What a peer that should speak DICOM (or TLS) spoke instead, told by its first bytes. */
typedef enum ldc_speech {
    LDC_SPEECH_UNKNOWN,
    LDC_SPEECH_NOTHING,
    LDC_SPEECH_TLS,
    LDC_SPEECH_DICOM,
    LDC_SPEECH_HTTP,
    LDC_SPEECH_SSH,
    LDC_SPEECH_PROXY
} ldc_speech;
ldc_speech ldc_transport_speech(const unsigned char *first, size_t length);
const char *ldc_speech_name(ldc_speech speech);
/* Fills the record of an I/O error (errno or an end in the middle). */
void ldc_transport_diagnose_socket(const ldc_transport *self, int stage, ldc_failure *failure);

#endif
