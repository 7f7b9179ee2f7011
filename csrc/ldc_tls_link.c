/* ldc_tls_link.c - TLS as a transport: one SSL on one socket, owned by the strand of its
 * connection. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_address.h"
#include "ldc_error.h"
#include "ldc_tls_rules.h"

static ldc_tls_link *link_from(ldc_transport *transport)
{
    return (ldc_tls_link *)(void *)transport; /* base is its first member */
}

/* The list of a Certificate message has length 0: RFC 8446 4.4.2 (with a context), RFC 5246 7.4.2.
 */
static bool certificate_message_empty(int version, const unsigned char *message, size_t length)
{
    size_t at = 4; /* type, length of the message */
    if (version == TLS1_3_VERSION) {
        if (length <= at) {
            return false;
        }
        at += 1u + message[at];
    }
    return length >= at + 3 && message[at] == 0 && message[at + 1] == 0 && message[at + 2] == 0;
}

static void on_message(int sent, int version, int content_type, const void *data, size_t length,
                       SSL *ssl, void *arg)
{
    (void)version;
    ldc_tls_link *link = arg;
    const unsigned char *message = data;
    if (content_type == SSL3_RT_ALERT && length >= 2) {
        /* close_notify and user_canceled are no complaints; below TLS 1.3 a warning ends nothing
         * (RFC 5246 7.2), in 1.3 the level says nothing (RFC 8446 6). */
        bool fatal =
            message[0] == SSL3_AL_FATAL || (link->hello_done && SSL_version(ssl) == TLS1_3_VERSION);
        if (fatal && message[1] != SSL_AD_CLOSE_NOTIFY && message[1] != SSL_AD_USER_CANCELLED) {
            *(sent ? &link->alert_sent : &link->alert_received) = message[1];
        }
        return;
    }
    if (content_type == SSL3_RT_HEADER && !sent && length >= 2) {
        /* RFC 8446 5.1: types 20 to 24, major version 3. */
        link->odd_record = message[0] < 20 || message[0] > 24 || message[1] != 3;
    }
    if (content_type != SSL3_RT_HANDSHAKE || length < 4) {
        return;
    }
    link->first_record_read = link->first_record_read || !sent;
    switch (message[0]) {
    case SSL3_MT_SERVER_HELLO:
        link->hello_done = true;
        break;
    case SSL3_MT_CERTIFICATE_REQUEST:
        link->certificate_requested = true;
        break;
    case SSL3_MT_CERTIFICATE:
        if (sent) {
            link->certificate_empty = certificate_message_empty(SSL_version(ssl), message, length);
        }
        break;
    case SSL3_MT_NEWSESSION_TICKET:
        if (!sent && SSL_version(ssl) == TLS1_3_VERSION) {
            link->peer_spoke = true;
        }
        break;
    default:
        break;
    }
}

/* Before each SSL call: SSL_get_error looks at the thread's queue of errors. Emptying one that is
 * empty costs a twentieth of a C-ECHO, looking costs nothing. */
static void clear_errors(void)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

/* Turns the result of an SSL call into ours, keeping the reason. clear_errors() came before the
 * call. */
static ldc_io result_of(ldc_tls_link *link, int rc)
{
    int error = SSL_get_error(link->ssl, rc);
    switch (error) {
    case SSL_ERROR_NONE:
        return LDC_IO_DONE;
    case SSL_ERROR_WANT_READ:
        return LDC_IO_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return LDC_IO_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return LDC_IO_CLOSED;
    default:
        link->ssl_error = error;
        link->error = ldc_tls_take_error(link->error_text, sizeof link->error_text);
        return LDC_IO_FAILED;
    }
}

static ldc_io link_handshake(ldc_transport *self)
{
    ldc_tls_link *link = link_from(self);
    clear_errors();
    ldc_io result = result_of(link, SSL_do_handshake(link->ssl));
    if (result == LDC_IO_DONE && SSL_session_reused(link->ssl) == 1 &&
        !ldc_tls_session_accept(link)) {
        result = LDC_IO_FAILED;
    }
    if (result == LDC_IO_DONE && !ldc_tls_alpn_accept(link)) {
        result = LDC_IO_FAILED;
    }
    if (result == LDC_IO_DONE) {
        link->established = true;
    }
    if (result == LDC_IO_FAILED || result == LDC_IO_CLOSED) {
        ldc_tls_session_spoil(link);
        return LDC_IO_FAILED;
    }
    return result;
}

static ldc_io link_read(ldc_transport *self, void *buffer, size_t size, size_t *got)
{
    ldc_tls_link *link = link_from(self);
    *got = 0;
    clear_errors();
    ldc_io result = result_of(link, SSL_read_ex(link->ssl, buffer, size, got) == 1 ? 1 : -1);
    if (result == LDC_IO_DONE && *got > 0) {
        link->peer_spoke = true;
        /* The socket is, so the link is unless something has been taken from there before. */
        self->drained = self->drained && self->ahead_length == 0 && SSL_has_pending(link->ssl) == 0;
    }
    if (result == LDC_IO_FAILED && (link->alert_received >= 0 || link->alert_sent >= 0)) {
        ldc_tls_session_spoil(link); /* RFC 5246 7.2: not after a fatal alert */
    }
    return result;
}

/* Gathers what fills one record; the first piece begins at `skip`. */
static size_t gather(const struct iovec *pieces, size_t count, size_t skip,
                     unsigned char record[SSL3_RT_MAX_PLAIN_LENGTH])
{
    size_t filled = 0;
    for (size_t i = 0; i < count && filled < SSL3_RT_MAX_PLAIN_LENGTH; i++) {
        size_t length = pieces[i].iov_len - skip;
        size_t room = SSL3_RT_MAX_PLAIN_LENGTH - filled;
        size_t here = length < room ? length : room;
        memcpy(record + filled, (const unsigned char *)pieces[i].iov_base + skip, here);
        filled += here;
        skip = 0;
    }
    return filled;
}

/* Sends what waits, and `data` behind it. -1, or how much of `data` has gone. */
static long send_behind(ldc_tls_link *link, const void *data, size_t size)
{
    struct iovec pieces[2] = {{.iov_base = link->batch, .iov_len = link->batch_length},
                              {.iov_base = (void *)(uintptr_t)data, .iov_len = size}};
    long put = link->batch_length > 0 ? ldc_transport_send(&link->base, pieces, 2)
                                      : ldc_transport_send(&link->base, pieces + 1, 1);
    if (put < 0) {
        return -1;
    }
    if ((size_t)put < link->batch_length) {
        link->batch_length -= (size_t)put;
        memmove(link->batch, link->batch + put, link->batch_length);
        link->base.error = EAGAIN;
        return size == 0 ? 0 : -1;
    }
    put -= (long)link->batch_length;
    link->batch_length = 0;
    if (put == 0 && size > 0) {
        link->base.error = EAGAIN;
        return -1;
    }
    return put;
}

long ldc_tls_link_send(ldc_transport *transport, const void *data, size_t size)
{
    ldc_tls_link *link = link_from(transport);
    size_t most = LDC_BATCH_RECORDS + (link->hold_for_tail ? 1u : 0u);
    if (link->hold && link->batch_length + size <= most * LDC_BATCH_RECORD) {
        memcpy(link->batch + link->batch_length, data, size);
        link->batch_length += size;
        return (long)size;
    }
    return send_behind(link, data, size);
}

/* Record by record: from where the bytes are, when they fill one there; else gathered. A record
 * that has to be tried again is the same then, as OpenSSL wants it. */
static ldc_io write_records(ldc_tls_link *link, const struct iovec *pieces, size_t count,
                            size_t *put)
{
    unsigned char record[SSL3_RT_MAX_PLAIN_LENGTH];
    size_t skip = 0, left = 0;
    for (size_t i = 0; i < count; i++) {
        left += pieces[i].iov_len;
    }
    while (count > 0) {
        size_t length = pieces->iov_len - skip;
        const void *bytes = (const unsigned char *)pieces->iov_base + skip;
        size_t written = 0;
        if (length >= sizeof record) {
            length = sizeof record;
        } else if (count > 1) {
            length = gather(pieces, count, skip, record);
            bytes = record;
        }
        link->hold = left > length;
        link->hold_for_tail = left - length < LDC_BATCH_TAIL;
        clear_errors();
        ldc_io result =
            result_of(link, SSL_write_ex(link->ssl, bytes, length, &written) == 1 ? 1 : -1);
        link->hold = false;
        if (result != LDC_IO_DONE) {
            return result;
        }
        *put += written;
        left -= written;
        for (skip += written; count > 0 && skip >= pieces->iov_len; pieces++, count--) {
            skip -= pieces->iov_len;
        }
    }
    return LDC_IO_DONE;
}

/* What the socket has not taken outlives this call: it gets a place of its own. */
static ldc_io keep_batch(ldc_tls_link *link, unsigned char *own, ldc_io result)
{
    link->base.pending = link->batch_length > 0;
    if (link->base.pending && own == NULL) {
        own = malloc(LDC_BATCH_BYTES);
        if (own == NULL) {
            link->batch = NULL;
            link->batch_length = 0;
            link->base.error = ENOMEM;
            link->ssl_error = SSL_ERROR_SYSCALL;
            return LDC_IO_FAILED;
        }
        memcpy(own, link->batch, link->batch_length);
    } else if (!link->base.pending) {
        free(own);
        own = NULL;
    }
    link->batch = own;
    return link->base.pending && result == LDC_IO_DONE ? LDC_IO_WANT_WRITE : result;
}

static ldc_io link_write(ldc_transport *self, const struct iovec *pieces, size_t count, size_t *put)
{
    ldc_tls_link *link = link_from(self);
    unsigned char room[LDC_BATCH_BYTES];
    unsigned char *own = link->batch;
    *put = 0;
    if (own == NULL) {
        link->batch = room;
    } else if (send_behind(link, NULL, 0) < 0 || link->batch_length > 0) {
        if (ldc_transport_would_block(self->error)) {
            return LDC_IO_WANT_WRITE;
        }
        link->ssl_error = SSL_ERROR_SYSCALL;
        return LDC_IO_FAILED;
    }
    ldc_io result = write_records(link, pieces, count, put);
    return keep_batch(link, own, result);
}

static ldc_io link_shutdown(ldc_transport *self)
{
    ldc_tls_link *link = link_from(self);
    /* Not after a fatal error, and not in the middle of a handshake: OpenSSL forbids both. */
    if (link->ssl_error == SSL_ERROR_SSL || link->ssl_error == SSL_ERROR_SYSCALL ||
        !SSL_is_init_finished(link->ssl)) {
        return LDC_IO_DONE;
    }
    clear_errors();
    int rc = SSL_shutdown(link->ssl);
    if (rc >= 0) {
        return LDC_IO_DONE; /* sent; the peer's own is not waited for */
    }
    int error = SSL_get_error(link->ssl, rc);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_WRITE ? LDC_IO_WANT_WRITE : LDC_IO_DONE;
}

static void link_free(ldc_transport *self)
{
    ldc_tls_link *link = link_from(self);
    if (link->ssl != NULL) {
        SSL_set_quiet_shutdown(link->ssl, 1);
        SSL_free(link->ssl);
    }
    sk_X509_pop_free(link->received, X509_free);
    free(link->subject);
    free(link->detail);
    free(link->server_name);
    free(link->protocols);
    free(link->batch);
    ldc_ref_put(&link->context->shared.ref);
    free(link);
}

static const ldc_transport_ops link_ops = {
    .handshake = link_handshake,
    .read = link_read,
    .write = link_write,
    .shutdown = link_shutdown,
    .diagnose = ldc_tls_link_diagnose,
    .free = link_free,
};

static bool set_expected_host(SSL *ssl, const char *host)
{
    ldc_address literal;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (host == NULL) {
        return true;
    }
    /* Names in the subject prove nothing (RFC 9525 2). */
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (ldc_address_literal(host, 0, &literal)) {
        char text[LDC_ADDRESS_TEXT];
        unsigned port;
        ldc_address_text(&literal, text, &port);
        return X509_VERIFY_PARAM_set1_ip_asc(param, text) == 1;
    }
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

static bool set_expected_email(SSL *ssl, const ldc_tls_rules *rules)
{
    return rules == NULL || rules->email == NULL ||
           X509_VERIFY_PARAM_set1_email(SSL_get0_param(ssl), rules->email, 0) == 1;
}

ldc_transport *ldc_tls_link_new(ldc_tls_context *context, int fd, const char *peer_name,
                                ldc_verdict_fn verdict, ldc_asks_fn asks, void *owner)
{
    ldc_tls_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        return NULL;
    }
    ldc_ref_get(&context->shared.ref);
    link->base.ops = &link_ops;
    link->base.fd = fd;
    link->context = context;
    link->verdict = verdict;
    link->asks = asks;
    link->owner = owner;
    link->alert_sent = -1;
    link->alert_received = -1;
    link->depth = -1;
    ERR_clear_error();
    link->ssl = SSL_new(context->ctx);
    BIO *bio = link->ssl == NULL ? NULL : BIO_new_ex(ldc_tls_library(), ldc_tls_bio_method());
    if (bio == NULL || SSL_set_ex_data(link->ssl, ldc_tls_link_index(), link) != 1 ||
        !set_expected_host(link->ssl, context->expected_host) ||
        !set_expected_email(link->ssl, context->rules) || !ldc_tls_sni_send(link, peer_name)) {
        BIO_free(bio);
        link_free(&link->base);
        return NULL;
    }
    BIO_set_data(bio, &link->base);
    SSL_set_bio(link->ssl, bio, bio);
    SSL_set_msg_callback(link->ssl, on_message);
    SSL_set_msg_callback_arg(link->ssl, link);
    if (context->server) {
        SSL_set_accept_state(link->ssl);
    } else {
        SSL_set_connect_state(link->ssl);
    }
    ldc_tls_revocation_begin(link);
    ldc_tls_session_begin(link);
    return &link->base;
}

ldc_tls_link *ldc_tls_link_of(ldc_transport *transport)
{
    return transport != NULL && transport->ops == &link_ops ? link_from(transport) : NULL;
}
