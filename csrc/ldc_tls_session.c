/*
 * ldc_tls_session.c - session resumption, which is a way round the verification unless it is bound
 * to it.
 *
 * A session is kept only of a link whose chain was judged with Peer and found without fault by
 * OpenSSL alone. It is taken only for the same digest of settings (and, at a client, the same
 * address and port), while the chain and the revocation lists of that verdict are in date, and
 * while no user code judges. Whatever is missing: a full handshake. If a peer resumes all the same:
 * no link.
 *
 * At a client a session is a copy in the store. At a server it is kept as well (ldc_tls_kept.c:
 * TLS 1.3; ldc_tls_store.c: for TLS 1.2 clients that know no tickets), or all of it is in a ticket:
 * where there is no room, or a process that was forked is to know it. Each has a mark with the
 * digest and the span of the verdict. Tickets without the mark only tell a TLS 1.3 client that it
 * was accepted.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "ldc_address.h"
#include "ldc_tls_kept.h"

enum {
    VERDICT_SECONDS = 24 * 3600, /* then the chain is verified anew, however often it was resumed */
    AES_BLOCK = 16
};

#define MARK_MAGIC 0x3152544cu

typedef struct mark { /* in a server's sessions; read by this process or its children only */
    uint32_t magic, unused;
    ldc_tls_span span;
    unsigned char digest[LDC_DIGEST];
} mark;

static ldc_tls_link *link_of(const SSL *ssl)
{
    return ssl == NULL ? NULL : SSL_get_ex_data(ssl, ldc_tls_link_index());
}

static bool in_span(ldc_tls_span span)
{
    int64_t now = (int64_t)time(NULL);
    return span.from <= now && now <= span.until;
}

static ldc_tls_span span_of(const ldc_tls_link *link)
{
    return (ldc_tls_span){.from = link->valid_from, .until = link->valid_until};
}

/* Whether this link is one whose session may be resumed, as things stand. */
static bool worthy(const ldc_tls_link *link)
{
    return link != NULL && link->resumes && link->judged && !link->failed && !link->overruled &&
           !link->stopped && !link->no_answer && link->soft_code == X509_V_OK &&
           (link->context->ocsp == DICOM_OCSP_OFF || link->ocsp == LDC_OCSP_GOOD) &&
           SSL_get_verify_result(link->ssl) == X509_V_OK &&
           SSL_get0_peer_certificate(link->ssl) != NULL && in_span(span_of(link)) &&
           !link->asks(link->owner);
}

/* ---- marks ---- */

static bool put_mark(const ldc_tls_link *link, SSL_SESSION *session)
{
    mark made = {.magic = MARK_MAGIC, .span = span_of(link)};
    memcpy(made.digest, link->context->shared.key, LDC_DIGEST);
    return SSL_SESSION_set1_ticket_appdata(session, &made, sizeof made) == 1;
}

static bool get_mark(const ldc_tls_link *link, SSL_SESSION *session, ldc_tls_span *span)
{
    void *data = NULL;
    size_t size = 0;
    mark found;
    if (session == NULL || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 ||
        data == NULL || size != sizeof found) {
        return false;
    }
    memcpy(&found, data, sizeof found);
    *span = found.span;
    return found.magic == MARK_MAGIC &&
           memcmp(found.digest, link->context->shared.key, LDC_DIGEST) == 0;
}

/* ---- a server's tickets ---- */

/* The next ticket of TLS 1.3: the name of a session that is kept (also if it stands for nothing),
 * or all of it inside. */
static void choose_form(ldc_tls_link *link, SSL *ssl, bool resumable)
{
    if (link == NULL || !link->context->resumption || SSL_version(ssl) != TLS1_3_VERSION) {
        return;
    }
    link->keeps = resumable && ldc_tls_kept_has_room();
    if (link->keeps || !resumable) {
        SSL_set_options(ssl, SSL_OP_NO_TICKET);
    } else {
        SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    }
}

static int give_ticket(SSL *ssl, void *unused)
{
    (void)unused;
    ldc_tls_link *link = link_of(ssl);
    SSL_SESSION *session = SSL_get_session(ssl);
    if (session == NULL) {
        return 0;
    }
    /* A ticket in place of one that was taken comes before the end of the handshake. */
    bool renewed = link != NULL && link->taken && SSL_session_reused(ssl) == 1 &&
                   SSL_get_verify_result(ssl) == X509_V_OK;
    bool resumable = worthy(link) || renewed;
    choose_form(link, ssl, resumable);
    return resumable ? put_mark(link, session)
                     : SSL_SESSION_set1_ticket_appdata(session, NULL, 0) == 1;
}

/* Whether the client offers a ticket that is but the name of a session (RFC 8446 4.2.11: the length
 * of the list, the length of the first identity). */
static bool offers_name(SSL *ssl)
{
    const unsigned char *psk = NULL;
    size_t length = 0;
    return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &psk, &length) == 1 && length >= 4 &&
           psk[2] == 0 && psk[3] == LDC_KEPT_NAME;
}

void ldc_tls_session_greet(ldc_tls_link *link)
{
    if (link->context->resumption && offers_name(link->ssl)) {
        SSL_set_options(link->ssl, SSL_OP_NO_TICKET); /* it is looked up, not decrypted */
    }
}

static void take_verdict(ldc_tls_link *link, ldc_tls_span span)
{
    link->taken = true;
    link->valid_from = span.from;
    link->valid_until = span.until;
}

static SSL_TICKET_RETURN take_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                     size_t length, SSL_TICKET_STATUS status, void *unused)
{
    (void)name;
    (void)length;
    (void)unused;
    ldc_tls_link *link = link_of(ssl);
    ldc_tls_span span;
    if (status == SSL_TICKET_FATAL_ERR_MALLOC || status == SSL_TICKET_FATAL_ERR_OTHER) {
        return SSL_TICKET_RETURN_ABORT;
    }
    bool taken = (status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW) &&
                 link != NULL && link->resumes && get_mark(link, session, &span) && in_span(span) &&
                 SSL_SESSION_get0_peer(session) != NULL && !link->asks(link->owner);
    if (!taken) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    take_verdict(link, span);
    return status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

static bool start_mac(EVP_MAC_CTX *mac, unsigned char *key, size_t size)
{
    char name[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, size),
                           OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_END};
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* RFC 5077 4, with AES-256-CBC and HMAC-SHA256: 1 = done, 2 = and give a new ticket, 0 = no ticket,
 * below 0 = failed. */
static int ticket_keys(SSL *ssl, unsigned char name[LDC_TICKET_NAME], unsigned char iv[AES_BLOCK],
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
    ldc_tls_link *link = link_of(ssl);
    ldc_ticket_keys keys;
    if (link == NULL ||
        !ldc_ticket_keys_of(link->context->shared.key, encrypt != 0 ? NULL : name, &keys)) {
        return 0;
    }
    EVP_CIPHER *aes = EVP_CIPHER_fetch(ldc_tls_library(), "AES-256-CBC", NULL);
    int result = keys.old ? 2 : 1;
    if (encrypt != 0) {
        memcpy(name, keys.name, LDC_TICKET_NAME);
        result = RAND_bytes_ex(ldc_tls_library(), iv, AES_BLOCK, 0) == 1 ? 1 : -1;
    }
    if (aes == NULL || !start_mac(mac, keys.mac, sizeof keys.mac) ||
        EVP_CipherInit_ex(cipher, aes, NULL, keys.cipher, iv, encrypt != 0 ? 1 : 0) != 1) {
        result = -1;
    }
    EVP_CIPHER_free(aes);
    OPENSSL_cleanse(&keys, sizeof keys);
    return result;
}

/* ---- sessions in the store ---- */

/* Where a server keeps a session with this id. */
static bool key_of_id(const ldc_tls_context *context, const unsigned char *id, size_t size,
                      unsigned char key[LDC_DIGEST])
{
    ldc_digest digest;
    ldc_digest_begin(&digest, "session id");
    ldc_digest_add(&digest, context->shared.key, LDC_DIGEST);
    ldc_digest_add(&digest, id, size);
    return ldc_digest_end(&digest, key);
}

/* Where a client keeps the session with this peer. */
static bool key_of_peer(const ldc_tls_link *link, unsigned char key[LDC_DIGEST])
{
    ldc_address peer = {.length = sizeof peer.storage};
    char text[LDC_ADDRESS_TEXT];
    unsigned port;
    if (getpeername(link->base.fd, (struct sockaddr *)&peer.storage, &peer.length) != 0) {
        return false;
    }
    ldc_address_text(&peer, text, &port);
    ldc_digest digest;
    ldc_digest_begin(&digest, "session with");
    ldc_digest_add(&digest, link->context->shared.key, LDC_DIGEST);
    ldc_digest_add_text(&digest, text);
    ldc_digest_add_number(&digest, port);
    ldc_digest_add_text(&digest, link->server_name); /* one address may be many servers */
    return ldc_digest_end(&digest, key);
}

/* TLS 1.3: the session of the ticket that has just been made, with its mark. */
static void keep_session(const ldc_tls_link *link, const SSL_SESSION *session)
{
    unsigned char key[LDC_DIGEST];
    unsigned size = 0;
    const unsigned char *id = SSL_SESSION_get_id(session, &size);
    if (size == LDC_KEPT_NAME && key_of_id(link->context, id, size, key)) {
        ldc_tls_kept_put(key, session, span_of(link));
    }
}

static int new_session(SSL *ssl, SSL_SESSION *session)
{
    ldc_tls_link *link = link_of(ssl);
    unsigned char key[LDC_DIGEST];
    if (link != NULL && link->context->server && SSL_version(ssl) == TLS1_3_VERSION) {
        if (link->keeps) {
            keep_session(link, session);
        }
        return 0;
    }
    if (!worthy(link)) {
        return 0;
    }
    if (!link->context->server) {
        ldc_tls_store_put(link->session_key, session, span_of(link));
    } else {
        unsigned size = 0;
        const unsigned char *id = SSL_SESSION_get_id(session, &size);
        SSL_SESSION *marked = size == 0 ? NULL : SSL_SESSION_dup(session);
        if (marked != NULL && put_mark(link, marked) && key_of_id(link->context, id, size, key)) {
            ldc_tls_store_put(key, marked, span_of(link));
        }
        SSL_SESSION_free(marked);
    }
    return 0; /* OpenSSL's own reference stays OpenSSL's */
}

static SSL_SESSION *session_with_id(SSL *ssl, const unsigned char *id, int size, int *shared)
{
    ldc_tls_link *link = link_of(ssl);
    unsigned char key[LDC_DIGEST];
    ldc_tls_span span;
    *shared = 0;
    if (link == NULL || !link->resumes || size <= 0 || link->asks(link->owner) ||
        !key_of_id(link->context, id, (size_t)size, key)) {
        return NULL;
    }
    if (SSL_version(ssl) < TLS1_3_VERSION) {
        return ldc_tls_store_get(key, &span);
    }
    bool renew = false;
    SSL_SESSION *session = ldc_tls_kept_get(key, &span, &renew);
    if (session != NULL && get_mark(link, session, &span) && in_span(span) &&
        SSL_SESSION_get0_peer(session) != NULL && SSL_set_num_tickets(ssl, renew ? 1 : 0) == 1) {
        take_verdict(link, span);
        return session;
    }
    SSL_SESSION_free(session);
    return NULL;
}

bool ldc_tls_session_set_up(ldc_tls_context *context)
{
    SSL_CTX *ctx = context->ctx;
    long mode = SSL_SESS_CACHE_OFF;
    bool done;
    if (context->resumption) {
        mode = SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR |
               (context->server ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(ctx, new_session);
    }
    SSL_CTX_set_session_cache_mode(ctx, mode);
    SSL_CTX_set_timeout(ctx, LDC_SESSION_SECONDS);
    /* 0-RTT can be replayed (RFC 8446 8): never taken, and never sent, for which nobody calls
     * SSL_write_early_data. */
    done = SSL_CTX_set_max_early_data(ctx, 0) == 1;
    if (context->server) {
        if (!context->resumption) {
            /* Of TLS 1.3 tickets an id is left, which stands for nothing, and costs nothing to
             * make. */
            SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        }
        /* A ticket tells a TLS 1.3 client that it was accepted, so one is always sent. */
        done = done && SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
               SSL_CTX_set_session_id_context(ctx, context->shared.key, LDC_DIGEST) == 1 &&
               SSL_CTX_set_session_ticket_cb(ctx, give_ticket, take_ticket, NULL) == 1 &&
               SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_keys) == 1;
        if (context->resumption) {
            SSL_CTX_sess_set_get_cb(ctx, session_with_id);
        }
    }
    return done;
}

/* ---- a link ---- */

void ldc_tls_session_begin(ldc_tls_link *link)
{
    const ldc_tls_context *context = link->context;
    ldc_tls_span span;
    link->resumes = context->resumption && (context->verify & L_SSL_VERIFY_PEER) != 0 &&
                    !link->asks(link->owner);
    if (!link->resumes || context->server) {
        return;
    }
    if (!key_of_peer(link, link->session_key)) {
        link->resumes = false;
        return;
    }
    SSL_SESSION *session = ldc_tls_store_get(link->session_key, &span);
    if (session != NULL && SSL_SESSION_is_resumable(session) == 1 &&
        SSL_set_session(link->ssl, session) == 1) {
        link->valid_from = span.from;
        link->valid_until = span.until;
    }
    SSL_SESSION_free(session);
    ERR_clear_error();
}

int64_t ldc_tls_time(const ASN1_TIME *time, int64_t otherwise)
{
    struct tm parts;
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
        return otherwise;
    }
    return (int64_t)timegm(&parts);
}

void ldc_tls_session_limit(ldc_tls_link *link, X509_STORE_CTX *store)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
    if (link->taken) { /* a session was found, and put away: its hash, or the time of day */
        link->taken = false;
        (void)SSL_set_num_tickets(link->ssl, 1);
    }
    if (!link->resumes) {
        return;
    }
    int64_t now = (int64_t)time(NULL);
    int64_t until = now + VERDICT_SECONDS;
    link->valid_from = INT64_MIN;
    until = link->context->crls_until < until ? link->context->crls_until : until;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        int64_t from = ldc_tls_time(X509_get0_notBefore(sk_X509_value(chain, i)), INT64_MAX);
        int64_t to = ldc_tls_time(X509_get0_notAfter(sk_X509_value(chain, i)), INT64_MIN);
        link->valid_from = from > link->valid_from ? from : link->valid_from;
        until = to < until ? to : until;
    }
    link->valid_until = until;
}

/* The certificates that came with the session: the look-ups of the link give them. */
static void take_chain(ldc_tls_link *link)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(link->ssl);
    X509 *leaf = SSL_get0_peer_certificate(link->ssl);
    sk_X509_pop_free(link->received, X509_free);
    link->received = chain == NULL ? sk_X509_new_null() : X509_chain_up_ref(chain);
    /* A server's chain is without the client's own certificate. */
    if (leaf != NULL && link->received != NULL &&
        (sk_X509_num(link->received) == 0 ||
         X509_cmp(sk_X509_value(link->received, 0), leaf) != 0)) {
        if (X509_up_ref(leaf) == 1 && sk_X509_unshift(link->received, leaf) <= 0) {
            X509_free(leaf);
        }
    }
}

/* What is wrong with the verdict of a resumed session; X509_V_OK: nothing. */
static int fault_of(ldc_tls_link *link)
{
    if (!link->resumes || link->asks(link->owner)) {
        return X509_V_ERR_APPLICATION_VERIFICATION;
    }
    if (SSL_get_verify_result(link->ssl) != X509_V_OK) {
        return ldc_tls_code_from_openssl((int)SSL_get_verify_result(link->ssl));
    }
    if (sk_X509_num(link->received) == 0) {
        return X509_V_ERR_UNSPECIFIED;
    }
    ldc_tls_span span = span_of(link);
    if (link->context->server && !get_mark(link, SSL_get_session(link->ssl), &span)) {
        return X509_V_ERR_APPLICATION_VERIFICATION;
    }
    link->valid_from = span.from;
    link->valid_until = span.until;
    for (int i = 0; i < sk_X509_num(link->received); i++) {
        if (X509_cmp_current_time(X509_get0_notAfter(sk_X509_value(link->received, i))) <= 0) {
            return X509_V_ERR_CERT_HAS_EXPIRED;
        }
    }
    return in_span(span) ? X509_V_OK : X509_V_ERR_CERT_HAS_EXPIRED;
}

bool ldc_tls_session_accept(ldc_tls_link *link)
{
    take_chain(link);
    int fault = fault_of(link);
    ERR_clear_error();
    link->judged = true;
    link->resumed = fault == X509_V_OK;
    if (fault != X509_V_OK) {
        link->failed = true;
        link->code = fault;
        link->depth = 0;
        free(link->detail);
        link->detail = ldc_strdup("A session was resumed whose verdict does not hold here: connect "
                                  "again, for a full handshake.");
    }
    return link->resumed;
}

void ldc_tls_session_spoil(ldc_tls_link *link)
{
    if (link->resumes && !link->context->server) {
        ldc_tls_store_forget(link->session_key);
    }
}
