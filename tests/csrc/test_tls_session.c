/* test_tls_session.c - resumption between two links without nets around them: what no pair of nets
 * can be made to do, and the store. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ldc_tls_inner.h"
/* Their clocks are set forward. */
#include "ldc_tls_kept.c"  /* NOLINT(bugprone-suspicious-include) */
#include "ldc_tls_store.c" /* NOLINT(bugprone-suspicious-include) */
#include "net_fixture.h"

enum {
    BOTH = L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT
};

static void let_pass(int64_t seconds)
{
    pthread_mutex_lock(&store.lock);
    for (size_t i = 0; i < SESSIONS; i++) {
        store.sessions[i].expires -= seconds * 1000;
    }
    store.secrets[0].since -= seconds * 1000;
    store.secrets[1].since -= seconds * 1000;
    pthread_mutex_unlock(&store.lock);
    pthread_mutex_lock(&kept.lock);
    for (size_t i = 0; i < LDC_KEPT_SESSIONS; i++) {
        kept.sessions[i].expires -= seconds * 1000;
    }
    pthread_mutex_unlock(&kept.lock);
}

static unsigned kept_count(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < LDC_KEPT_SESSIONS; i++) {
        count += kept.sessions[i].session != NULL ? 1u : 0u;
    }
    return count;
}

static void keep_nothing(void)
{
    for (size_t i = 0; i < LDC_KEPT_SESSIONS; i++) {
        SSL_SESSION_free(kept.sessions[i].session);
        kept.sessions[i] = (kept_session){.session = NULL};
    }
}

/* ---- two links on a socket pair ---- */

typedef struct mind {
    bool asks;
    int answer; /* -1: ok */
    int asked;
} mind;

typedef struct pair {
    ldc_transport *client, *server;
    int fds[2];
    mind minds[2];
} pair;

static int verdict(void *owner, int ok, char *text, int code, const char *error_text)
{
    mind *self = owner;
    (void)code;
    (void)error_text;
    CHECK(self->asks == (text != NULL));
    self->asked += self->asks ? 1 : 0;
    return self->answer < 0 ? ok : self->answer;
}

static bool asks(void *owner)
{
    return ((mind *)owner)->asks;
}

static ldc_tls_context *context_new(bool server, const char *ca, const char *own, unsigned flags,
                                    int method)
{
    L_SSL_CTX_CREATE create = {.uStructSize = sizeof create,
                               .uFlags = FLAG_SSL_CTX_CREATE_METHOD_TYPE |
                                         FLAG_SSL_CTX_CREATE_VERIFY_MODE,
                               .nMethodTypeSSL = method,
                               .uVerifyMode = flags};
    ldc_tls_settings *empty = NULL;
    ldc_tls_settings *settings = NULL;
    ldc_tls_credentials *credentials = NULL;
    ldc_tls_context *context = NULL;
    ldc_tls_choice choice;
    ldc_tls_source source = {
        .file = "own", .data = (const unsigned char *)own, .size = strlen(own)};
    ldc_tls_source no_key = {.file = NULL};
    ldc_tls_source trust = {.file = "ca", .data = (const unsigned char *)ca, .size = strlen(ca)};
    CHECK_INT(ldc_tls_settings_new(&create, &empty), 0);
    CHECK_INT(ldc_tls_settings_with_ca(empty, &trust, &settings), 0);
    CHECK_INT(ldc_tls_credentials_load(&source, DICOM_TLS_CERTIFICATE_PEM, &no_key, NULL, NULL,
                                       &credentials),
              0);
    ldc_tls_choice_init(&choice);
    choice.resumption = true;
    CHECK_INT(ldc_tls_context_get(server, settings, credentials, &choice, 0, &context), 0);
    ldc_tls_choice_clear(&choice);
    ldc_ref_put(&credentials->shared.ref);
    ldc_ref_put(&settings->ref);
    ldc_ref_put(&empty->ref);
    return context;
}

/* One listening socket, so that each pair has the same peer as the one before. */
static int listening_socket(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_INT(bind(listener, (struct sockaddr *)address, sizeof *address), 0);
    CHECK_INT(listen(listener, 8), 0);
    CHECK_INT(getsockname(listener, (struct sockaddr *)address, &length), 0);
    return listener;
}

static pair *pair_new(int listener, const struct sockaddr_in *address, ldc_tls_context *client,
                      ldc_tls_context *server)
{
    pair *self = calloc(1, sizeof *self);
    self->fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(self->fds[0], (const struct sockaddr *)address, sizeof *address), 0);
    self->fds[1] = accept(listener, NULL, NULL);
    CHECK(self->fds[1] >= 0);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(fcntl(self->fds[i], F_SETFL, O_NONBLOCK), 0);
        self->minds[i].answer = -1;
    }
    self->client = ldc_tls_link_new(client, self->fds[0], NULL, verdict, asks, &self->minds[0]);
    self->server = ldc_tls_link_new(server, self->fds[1], NULL, verdict, asks, &self->minds[1]);
    return self;
}

static void pair_free(pair *self)
{
    self->client->ops->free(self->client);
    self->server->ops->free(self->server);
    close(self->fds[0]);
    close(self->fds[1]);
    free(self);
}

static ldc_io go_on(ldc_transport *side, ldc_io before)
{
    return before == LDC_IO_DONE || before == LDC_IO_FAILED ? before : side->ops->handshake(side);
}

/* Both handshakes, then the client reads what came after them (tickets). */
static void shake_hands(pair *self, ldc_io results[2])
{
    results[0] = results[1] = LDC_IO_WANT_READ;
    for (int i = 0; i < 1000 && (results[0] == LDC_IO_WANT_READ || results[1] == LDC_IO_WANT_READ);
         i++) {
        results[0] = go_on(self->client, results[0]);
        results[1] = go_on(self->server, results[1]);
        if (results[0] == LDC_IO_FAILED || results[1] == LDC_IO_FAILED) {
            shutdown(self->fds[0], SHUT_WR); /* so that the other one ends, too */
            shutdown(self->fds[1], SHUT_WR);
        }
    }
    unsigned char byte;
    size_t got;
    if (results[0] == LDC_IO_DONE) {
        (void)self->client->ops->read(self->client, &byte, 1, &got);
    }
}

typedef struct scene {
    pki ca, other;
    identity server, client;
    int listener;
    struct sockaddr_in address;
    ldc_tls_context *contexts[2]; /* client, server */
    int method;
} scene;

static scene *scene_new(int method)
{
    scene *s = calloc(1, sizeof *s);
    s->ca = pki_new();
    s->other = pki_new();
    s->server = identity_new(&s->ca, "Unit Server", "serverAuth,clientAuth", 10);
    s->client = identity_new(&s->ca, "Unit Client", "clientAuth", 10);
    s->listener = listening_socket(&s->address);
    s->method = method;
    s->contexts[0] = context_new(false, s->ca.root_pem, s->client.pem, BOTH, method);
    s->contexts[1] = context_new(true, s->ca.root_pem, s->server.pem, BOTH, method);
    return s;
}

static void scene_free(scene *s)
{
    ldc_ref_put(&s->contexts[0]->shared.ref);
    ldc_ref_put(&s->contexts[1]->shared.ref);
    close(s->listener);
    free(s->server.pem);
    free(s->client.pem);
    pki_free(&s->ca);
    pki_free(&s->other);
    free(s);
}

static pair *scene_pair(scene *s)
{
    return pair_new(s->listener, &s->address, s->contexts[0], s->contexts[1]);
}

static ldc_tls_link *link_in(ldc_transport *side)
{
    return ldc_tls_link_of(side);
}

/* A whole link; what both sides say of resumption. */
static bool link_once(scene *s)
{
    ldc_io results[2];
    pair *one = scene_pair(s);
    shake_hands(one, results);
    CHECK_INT(results[0], LDC_IO_DONE);
    CHECK_INT(results[1], LDC_IO_DONE);
    bool resumed = link_in(one->client)->resumed;
    CHECK_INT(link_in(one->server)->resumed, resumed);
    CHECK(link_in(one->client)->judged);
    CHECK_INT(link_in(one->server)->judged, (s->contexts[1]->verify & L_SSL_VERIFY_PEER) != 0);
    pair_free(one);
    return resumed;
}

static const int methods[] = {TYPE_TLSV1_2_METHOD, TYPE_TLSV1_3_METHOD};

TEST(the_second_link_of_the_same_contexts_is_resumed)
{
    for (size_t i = 0; i < 2; i++) {
        scene *s = scene_new(methods[i]);
        CHECK(!link_once(s));
        CHECK(link_once(s));
        CHECK(link_once(s));
        scene_free(s);
    }
}

TEST(a_server_keeps_tls_1_3_sessions_and_gives_their_names_away)
{
    for (size_t i = 0; i < 2; i++) {
        scene *s = scene_new(methods[i]);
        keep_nothing();
        CHECK(!link_once(s));
        CHECK_INT(kept_count(), methods[i] == TYPE_TLSV1_3_METHOD ? 1 : 0);
        CHECK(link_once(s));
        CHECK_INT(kept_count(), methods[i] == TYPE_TLSV1_3_METHOD ? 1 : 0);
        keep_nothing();
        CHECK_INT(link_once(s), methods[i] == TYPE_TLSV1_2_METHOD); /* it has the ticket */
        scene_free(s);
    }
}

TEST(one_kept_session_is_good_for_several_links_at_once)
{
    ldc_io results[2];
    scene *s = scene_new(TYPE_TLSV1_3_METHOD);
    pair *all[3];
    CHECK(!link_once(s));
    for (size_t i = 0; i < 3; i++) {
        all[i] = scene_pair(s); /* has its session now */
    }
    for (size_t i = 0; i < 3; i++) {
        shake_hands(all[i], results);
        CHECK_INT(results[0], LDC_IO_DONE);
        CHECK(link_in(all[i]->server)->resumed);
        CHECK(SSL_get0_peer_certificate(link_in(all[i]->server)->ssl) != NULL);
        pair_free(all[i]);
    }
    scene_free(s);
}

/* All places have a session that nobody has come back with. */
static void keep_strangers(void)
{
    ldc_tls_span span = {.from = 0, .until = INT64_MAX};
    SSL_SESSION *session = SSL_SESSION_new();
    for (unsigned i = 0; i < LDC_KEPT_SESSIONS; i++) {
        unsigned char key[LDC_DIGEST] = {9};
        memcpy(key + 1, &i, sizeof i);
        ldc_tls_kept_put(key, session, span);
    }
    SSL_SESSION_free(session);
}

TEST(where_there_is_no_room_the_ticket_has_all_inside)
{
    scene *s = scene_new(TYPE_TLSV1_3_METHOD);
    keep_nothing();
    keep_strangers();
    CHECK(!ldc_tls_kept_has_room());
    CHECK(!link_once(s));
    CHECK_INT(kept_count(), LDC_KEPT_SESSIONS);
    CHECK(link_once(s));
    keep_nothing();
    CHECK(link_once(s)); /* nothing of it is kept here */
    CHECK_INT(kept_count(), 0);
    scene_free(s);
}

TEST(a_kept_session_is_renewed_when_half_of_its_time_is_over)
{
    scene *s = scene_new(TYPE_TLSV1_3_METHOD);
    keep_nothing();
    CHECK(!link_once(s));
    int64_t until = kept.sessions[0].span.until;
    let_pass(LDC_SESSION_SECONDS / 2 - 60);
    CHECK(link_once(s));
    CHECK_INT(kept_count(), 1);
    let_pass(120);
    CHECK(link_once(s));
    CHECK_INT(kept_count(), 2);
    CHECK(kept.sessions[0].renewed && !kept.sessions[1].renewed);
    CHECK_INT(kept.sessions[1].span.until, until); /* the verdict is as old as it is */
    let_pass(LDC_SESSION_SECONDS / 2);
    CHECK(link_once(s));
    CHECK_INT(kept_count(), 2); /* renewed again, and the first one's hour is over */
    CHECK_INT(kept.sessions[0].span.until, until);
    scene_free(s);
}

TEST(where_a_forked_process_is_to_know_it_the_ticket_has_all_inside)
{
    scene *s = scene_new(TYPE_TLSV1_3_METHOD);
    keep_nothing();
    kept.forked = true;
    CHECK(!link_once(s));
    CHECK(link_once(s));
    CHECK_INT(kept_count(), 0);
    kept.forked = false;
    scene_free(s);
}

TEST(a_kept_session_is_for_one_context_and_ends_with_its_verdict)
{
    ldc_io results[2];
    for (int change = 0; change < 4; change++) {
        scene *s = scene_new(TYPE_TLSV1_3_METHOD);
        ldc_tls_context *other =
            context_new(true, s->ca.root_pem, s->server.pem, BOTH, TYPE_SSLV23_METHOD);
        ldc_tls_context *mine = s->contexts[1];
        keep_nothing();
        CHECK(!link_once(s));
        CHECK_INT(kept_count(), 1);
        for (size_t i = 0; i < LDC_KEPT_SESSIONS; i++) {
            if (change == 0) {
                kept.sessions[i].span.until = (int64_t)time(NULL) - 1;
            } else if (change == 1) {
                kept.sessions[i].expires = 0;
            } else if (change == 2 && kept.sessions[i].session != NULL) {
                CHECK_INT(SSL_SESSION_set1_ticket_appdata(kept.sessions[i].session, "", 0), 1);
            }
        }
        s->contexts[1] = change == 3 ? other : mine;
        pair *one = scene_pair(s);
        shake_hands(one, results);
        CHECK_INT(results[0], LDC_IO_DONE);
        CHECK_INT(results[1], LDC_IO_DONE);
        CHECK(SSL_session_reused(link_in(one->server)->ssl) == 0);
        CHECK(link_in(one->server)->judged && !link_in(one->server)->resumed);
        pair_free(one);
        s->contexts[1] = mine;
        ldc_ref_put(&other->shared.ref);
        scene_free(s);
    }
}

TEST(what_is_over_is_not_kept_and_the_longest_unused_of_the_renewed_goes_first)
{
    unsigned char key[LDC_DIGEST] = {9};
    ldc_tls_span span;
    unsigned number;
    bool renew;
    keep_nothing();
    keep_strangers();
    CHECK(!ldc_tls_kept_has_room());
    for (number = 5; number < 8; number++) {
        kept.sessions[number].renewed = true;
    }
    CHECK(ldc_tls_kept_has_room());
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char fresh[LDC_DIGEST] = {10};
    ldc_tls_kept_put(fresh, session, (ldc_tls_span){.from = 0, .until = INT64_MAX});
    number = 5;
    memcpy(key + 1, &number, sizeof number);
    CHECK(ldc_tls_kept_get(key, &span, &renew) == NULL);
    number = 6;
    memcpy(key + 1, &number, sizeof number);
    SSL_SESSION *copy = ldc_tls_kept_get(key, &span, &renew);
    CHECK(copy != NULL);
    SSL_SESSION_free(copy);
    let_pass(LDC_SESSION_SECONDS);
    CHECK(ldc_tls_kept_has_room());
    CHECK_INT(kept_count(), 0);
    ldc_tls_kept_put(fresh, session, (ldc_tls_span){.from = INT64_MAX, .until = INT64_MAX});
    CHECK(ldc_tls_kept_get(fresh, &span, &renew) == NULL);
    keep_nothing();
    SSL_SESSION_free(session);
}

TEST(user_code_that_begins_to_judge_in_the_middle_of_a_resumed_handshake_ends_it)
{
    for (int side = 0; side < 2; side++) {
        ldc_io results[2];
        scene *s = scene_new(TYPE_TLSV1_3_METHOD);
        CHECK(!link_once(s));
        pair *one = scene_pair(s);
        if (side == 0) {
            one->minds[0].asks = true; /* the session is offered already */
            shake_hands(one, results);
            CHECK_INT(results[0], LDC_IO_FAILED);
            CHECK(link_in(one->client)->failed && !link_in(one->client)->resumed);
            CHECK(SSL_session_reused(link_in(one->client)->ssl) == 1);
        } else {
            one->minds[1].asks = true; /* before the ticket has come: it is not taken */
            shake_hands(one, results);
            CHECK_INT(results[1], LDC_IO_DONE);
            CHECK(!link_in(one->server)->resumed);
            CHECK_INT(one->minds[1].asked, 2);
        }
        pair_free(one);
        scene_free(s);
    }
}

TEST(a_verdict_that_ends_during_a_resumed_handshake_ends_the_link)
{
    for (size_t i = 0; i < 2; i++) {
        ldc_io results[2];
        scene *s = scene_new(methods[i]);
        CHECK(!link_once(s));
        pair *one = scene_pair(s);
        link_in(one->client)->valid_until = (int64_t)time(NULL) - 1;
        shake_hands(one, results);
        CHECK_INT(results[0], LDC_IO_FAILED);
        CHECK(link_in(one->client)->failed);
        CHECK_INT(link_in(one->client)->code, L_X509_V_ERR_CERT_HAS_EXPIRED);
        ldc_failure failure;
        ldc_failure_init(&failure);
        one->client->ops->diagnose(one->client, &failure);
        CHECK_INT(failure.code, DICOM_ERROR_TLS_CERTIFICATE_REJECTED);
        ldc_failure_clear(&failure);
        pair_free(one);
        CHECK(!link_once(s)); /* and that session is not offered again */
        scene_free(s);
    }
}

TEST(a_session_that_was_made_without_verification_is_refused_even_if_it_gets_offered)
{
    for (size_t i = 0; i < 2; i++) {
        ldc_io results[2];
        scene *s = scene_new(methods[i]);
        ldc_tls_context *strict = s->contexts[0];
        ldc_tls_context *other =
            context_new(false, s->other.root_pem, s->client.pem, BOTH, s->method);
        ldc_tls_context *lax =
            context_new(false, s->other.root_pem, s->client.pem, L_SSL_VERIFY_NONE, s->method);
        s->contexts[0] = lax;
        pair *one = scene_pair(s);
        shake_hands(one, results);
        CHECK_INT(results[0], LDC_IO_DONE); /* unverified, as asked */
        CHECK(link_in(one->client)->failed);
        /* A copy: OpenSSL takes its own for spoiled when the link ends without a goodbye. */
        SSL_SESSION *session = SSL_SESSION_dup(SSL_get_session(link_in(one->client)->ssl));
        CHECK(SSL_SESSION_is_resumable(session));
        pair_free(one);
        s->contexts[0] = other; /* Peer, and no trust in the server */
        one = scene_pair(s);
        CHECK_INT(SSL_set_session(link_in(one->client)->ssl, session), 1);
        shake_hands(one, results);
        CHECK_INT(results[0], LDC_IO_FAILED);
        CHECK(SSL_session_reused(link_in(one->client)->ssl) == 1);
        CHECK(!link_in(one->client)->resumed);
        CHECK(link_in(one->client)->code != X509_V_OK);
        pair_free(one);
        SSL_SESSION_free(session);
        ldc_ref_put(&lax->shared.ref);
        ldc_ref_put(&other->shared.ref);
        s->contexts[0] = strict;
        scene_free(s);
    }
}

TEST(a_ticket_of_another_context_or_without_the_mark_is_not_taken)
{
    ldc_io results[2];
    scene *s = scene_new(TYPE_TLSV1_3_METHOD);
    ldc_tls_context *strict = s->contexts[1];
    ldc_tls_context *lax =
        context_new(true, s->ca.root_pem, s->server.pem, L_SSL_VERIFY_NONE, s->method);
    s->contexts[1] = lax;
    CHECK(!link_once(s));
    CHECK(!link_once(s)); /* the same server, but it never saw a certificate */
    s->contexts[1] = strict;
    CHECK(!link_once(s));
    CHECK(link_once(s));
    /* Judged, and overruled: no mark either. */
    identity stranger = identity_new(&s->other, "Stranger", "clientAuth", 10);
    ldc_tls_context *mine = s->contexts[0];
    s->contexts[0] = context_new(false, s->ca.root_pem, stranger.pem, BOTH, s->method);
    for (int i = 0; i < 2; i++) {
        pair *one = scene_pair(s);
        one->minds[1].answer = 1;
        shake_hands(one, results);
        CHECK_INT(results[1], LDC_IO_DONE);
        CHECK(link_in(one->server)->overruled);
        CHECK(!link_in(one->server)->resumed);
        pair_free(one);
    }
    pair *one = scene_pair(s);
    shake_hands(one, results);
    CHECK_INT(results[1], LDC_IO_FAILED);
    pair_free(one);
    ldc_ref_put(&s->contexts[0]->shared.ref);
    s->contexts[0] = mine;
    ldc_ref_put(&lax->shared.ref);
    free(stranger.pem);
    scene_free(s);
}

TEST(tickets_are_taken_with_the_secret_before_and_then_no_more)
{
    unsigned char digest[LDC_DIGEST] = {1};
    unsigned char other[LDC_DIGEST] = {2};
    ldc_ticket_keys now = {.old = false};
    ldc_ticket_keys found = {.old = false};
    CHECK_INT(ldc_tls_library_start(), 0);
    CHECK(ldc_ticket_keys_of(digest, NULL, &now));
    CHECK(ldc_ticket_keys_of(digest, now.name, &found));
    CHECK(!found.old && memcmp(found.cipher, now.cipher, sizeof now.cipher) == 0);
    CHECK(memcmp(now.cipher, now.mac, sizeof now.mac) != 0);
    CHECK(!ldc_ticket_keys_of(other, now.name, &found)); /* another context's */
    let_pass(LDC_SESSION_SECONDS);
    CHECK(ldc_ticket_keys_of(digest, NULL, &found));
    CHECK(memcmp(found.name, now.name, sizeof now.name) != 0);
    CHECK(ldc_ticket_keys_of(digest, now.name, &found));
    CHECK(found.old && memcmp(found.cipher, now.cipher, sizeof now.cipher) == 0);
    let_pass(LDC_SESSION_SECONDS);
    CHECK(!ldc_ticket_keys_of(digest, now.name, &found));
    CHECK(ldc_ticket_keys_of(digest, NULL, &now));
    let_pass(5LL * LDC_SESSION_SECONDS); /* a quiet night: the one before is too old, too */
    CHECK(!ldc_ticket_keys_of(digest, now.name, &found));
}

/* The names of the tickets of the hours to come, as a forked child and its parent know them. */
enum {
    HOURS = 5
};

static void look_ahead(unsigned char names[HOURS][LDC_TICKET_NAME])
{
    unsigned char digest[LDC_DIGEST] = {7};
    for (int hour = 0; hour < HOURS; hour++) {
        ldc_ticket_keys keys = {.old = false};
        CHECK(ldc_ticket_keys_of(digest, NULL, &keys));
        memcpy(names[hour], keys.name, LDC_TICKET_NAME);
        let_pass(hour == 2 ? 3LL * LDC_SESSION_SECONDS : LDC_SESSION_SECONDS);
    }
}

TEST(processes_that_were_forked_know_each_others_tickets_in_the_hours_to_come)
{
    unsigned char mine[HOURS][LDC_TICKET_NAME], theirs[HOURS][LDC_TICKET_NAME];
    int ends[2];
    HDICOMNET net = L_DicomCreateNet(NULL, DICOM_SECURE_TLS); /* with it the library minds fork() */
    CHECK_INT(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        bool started = ldc_tls_library_start() == DICOM_SUCCESS;
        look_ahead(theirs);
        bool told = write(ends[1], theirs, sizeof theirs) == (ssize_t)sizeof theirs;
        _exit(started && told ? 0 : 1);
    }
    look_ahead(mine);
    CHECK_INT(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    CHECK_INT(memcmp(mine, theirs, sizeof mine), 0);
    for (int hour = 1; hour < HOURS; hour++) {
        CHECK(memcmp(mine[hour], mine[hour - 1], LDC_TICKET_NAME) != 0);
    }
    int status = -1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    CHECK_INT(close(ends[0]) | close(ends[1]), 0);
    L_DicomFreeNet(net);
    store.forked = false; /* for the tests that follow */
    kept.forked = false;
}

TEST(a_ticket_of_the_hour_before_is_taken_and_renewed)
{
    scene *s = scene_new(TYPE_TLSV1_3_METHOD);
    kept.forked = true; /* so that all is inside of it */
    CHECK(!link_once(s));
    let_pass(LDC_SESSION_SECONDS - 1);
    CHECK(link_once(s));
    let_pass(1); /* the client's copy is over now: an hour is the limit */
    CHECK(!link_once(s));
    CHECK(link_once(s));
    kept.forked = false;
    scene_free(s);
}

/* ---- the store ---- */

static SSL_SESSION *empty_session(void)
{
    return SSL_SESSION_new();
}

static void key_for(unsigned char key[LDC_DIGEST], unsigned number)
{
    memset(key, 0, LDC_DIGEST);
    memcpy(key, &number, sizeof number);
}

TEST(the_store_is_bounded_and_the_longest_unused_session_goes_first)
{
    unsigned char key[LDC_DIGEST];
    ldc_tls_span span = {.from = 0, .until = INT64_MAX};
    SSL_SESSION *session = empty_session();
    for (unsigned i = 0; i < SESSIONS; i++) {
        key_for(key, 1000 + i);
        ldc_tls_store_put(key, session, span);
    }
    key_for(key, 1000);
    SSL_SESSION *copy = ldc_tls_store_get(key, &span); /* used */
    CHECK(copy != NULL && copy != session);
    SSL_SESSION_free(copy);
    key_for(key, 5000);
    ldc_tls_store_put(key, session, span);
    key_for(key, 1001);
    CHECK(ldc_tls_store_get(key, &span) == NULL);
    for (unsigned i = 0; i < SESSIONS; i++) {
        key_for(key, i == 1 ? 5000 : 1000 + i);
        copy = ldc_tls_store_get(key, &span);
        CHECK(copy != NULL);
        SSL_SESSION_free(copy);
        ldc_tls_store_forget(key);
        CHECK(ldc_tls_store_get(key, &span) == NULL);
    }
    SSL_SESSION_free(session);
}

TEST(the_store_gives_nothing_before_or_after_its_time)
{
    unsigned char key[LDC_DIGEST];
    int64_t now = (int64_t)time(NULL);
    ldc_tls_span span = {0, 0};
    SSL_SESSION *session = empty_session();
    key_for(key, 1);
    ldc_tls_store_put(key, session, (ldc_tls_span){.from = now + 1000, .until = now + 2000});
    CHECK(ldc_tls_store_get(key, &span) == NULL);
    ldc_tls_store_put(key, session, (ldc_tls_span){.from = now - 1000, .until = now - 1});
    CHECK(ldc_tls_store_get(key, &span) == NULL);
    ldc_tls_store_put(key, session, (ldc_tls_span){.from = now - 1000, .until = now + 1000});
    SSL_SESSION *copy = ldc_tls_store_get(key, &span);
    CHECK(copy != NULL);
    SSL_SESSION_free(copy);
    CHECK_INT(span.until, now + 1000);
    let_pass(LDC_SESSION_SECONDS);
    CHECK(ldc_tls_store_get(key, &span) == NULL);
    SSL_SESSION_free(session);
}

static void *use_store(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    SSL_SESSION *session = empty_session();
    for (unsigned i = 0; i < 2000; i++) {
        unsigned char key[LDC_DIGEST];
        unsigned char digest[LDC_DIGEST] = {0};
        ldc_ticket_keys keys;
        ldc_tls_span span = {.from = 0, .until = INT64_MAX};
        bool renew;
        key_for(key, (seed * 7 + i) % 600);
        if (i % 3 == 0) {
            ldc_tls_store_put(key, session, span);
            if (ldc_tls_kept_has_room()) {
                ldc_tls_kept_put(key, session, span);
            }
        } else if (i % 3 == 1) {
            SSL_SESSION_free(ldc_tls_store_get(key, &span));
            SSL_SESSION_free(ldc_tls_kept_get(key, &span, &renew));
        } else if (i % 30 == 2) {
            ldc_tls_store_forget(key);
        } else if (i % 100 == 5) {
            CHECK(ldc_ticket_keys_of(digest, NULL, &keys));
        }
    }
    SSL_SESSION_free(session);
    return NULL;
}

TEST(the_store_is_used_by_many_threads)
{
    pthread_t threads[4];
    unsigned seeds[4];
    CHECK_INT(ldc_tls_library_start(), 0);
    for (unsigned i = 0; i < 4; i++) {
        seeds[i] = i;
        CHECK_INT(pthread_create(&threads[i], NULL, use_store, &seeds[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
}
