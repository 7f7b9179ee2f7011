/* test_net_pumped.c - nets in pumped delivery: callbacks run in L_DicomBreathe, verdicts wait
 * there, and no longer than the handshake's limit. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_fixture.h"

enum {
    BOTH = L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT
};

static pki ca;
static identity server, client;
static pthread_t pumping_thread;
static bool elsewhere; /* a callback ran on another thread than the pumping one */

static void start(void)
{
    CHECK_INT(L_DicomSetPumpMode(1), 0);
    ca = pki_new();
    server = identity_new(&ca, "Unit Server", "serverAuth", 10);
    client = identity_new(&ca, "Unit Client", "clientAuth", 10);
    pumping_thread = pthread_self();
    elsewhere = false;
}

static void end(void)
{
    for (recorder *one = made; one != NULL; one = one->next_made) {
        recorder_free(one);
    }
    CHECK(all_quiet());
    recorders_release();
    free(server.pem);
    free(client.pem);
    pki_free(&ca);
}

static void where(recorder *self, const char *event)
{
    (void)self;
    (void)event;
    elsewhere = elsewhere || !pthread_equal(pthread_self(), pumping_thread);
}

static recorder *listener_new(void)
{
    recorder *listener = recorder_new(server.pem, ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    listener->child_pem = server.pem;
    listener->ca_pem = ca.root_pem;
    listener->child_flags = BOTH;
    listener->child_react = where;
    listener->react = where;
    CHECK_INT(L_DicomListen(listener->net, "127.0.0.1", 0, 1), 0);
    return listener;
}

static recorder *caller_new(recorder *listener)
{
    recorder *caller = recorder_new(client.pem, ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    caller->react = where;
    CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", L_DicomGetHostPort(listener->net)),
              0);
    return caller;
}

TEST(all_callbacks_run_on_the_pumping_thread_one_a_turn)
{
    char text[512];
    start();
    recorder *listener = listener_new();
    recorder *caller = caller_new(listener);
    CHECK(wait_for(caller, "ready 0"));
    recorder *child = wait_for_child(listener);
    CHECK(wait_for(child, "ready 0"));
    CHECK_STR(history(caller, text, sizeof text), "connect 0, verified 0, verified 0, ready 0");
    CHECK_INT(caller->most_running, 1);
    CHECK(!elsewhere);
    end();
}

TEST(the_mode_cannot_change_while_a_net_exists)
{
    start();
    recorder *one = recorder_new(NULL, NULL, 0, 0);
    CHECK_INT(L_DicomSetPumpMode(0), DICOM_ERROR_INVALID_STATE);
    CHECK_INT(L_DicomSetPumpMode(1), 0);
    recorder_free(one);
    CHECK_INT(L_DicomSetPumpMode(0), 0);
    CHECK_INT(L_DicomSetPumpMode(1), 0);
    end();
}

/* Pumps until connect was told, then lets the handshake run into its verdict without pumping. */
static recorder *caller_in_verdict(recorder *listener, unsigned limit_ms)
{
    recorder *caller = recorder_new(client.pem, ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    CHECK_INT(L_DicomSetLimit(caller->net, DICOM_LIMIT_HANDSHAKE_TIMEOUT, limit_ms), 0);
    CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", L_DicomGetHostPort(listener->net)),
              0);
    CHECK(wait_for(caller, "connect 0"));
    CHECK(wait_for(listener, "accept 0"));
    return caller;
}

static bool nothing_connected(void)
{
    DICOMSTATISTICS now = {.uStructSize = sizeof now};
    for (int i = 0; i < WAIT_SECONDS * 100; i++) {
        CHECK_INT(L_DicomGetStatistics(&now), 0);
        if (now.nHandshakes == 0 && now.nConnections <= 1) {
            return true;
        }
        struct timespec nap = {.tv_nsec = 10000000L};
        nanosleep(&nap, NULL);
    }
    return false;
}

TEST(a_verdict_that_nobody_pumps_ends_with_the_handshakes_limit)
{
    start();
    recorder *listener = listener_new();
    recorder *caller = caller_in_verdict(listener, 200);
    CHECK(nothing_connected()); /* without a turn of the pump */
    CHECK(wait_for(caller, "ready 301") && wait_for(caller, "close 301"));
    end();
}

TEST(closing_by_force_wakes_a_waiting_verdict)
{
    start();
    recorder *listener = listener_new();
    recorder *caller = caller_in_verdict(listener, 3600 * 1000);
    CHECK_INT(L_DicomCloseForced(caller->net, 1), 0);
    CHECK(nothing_connected());
    CHECK(wait_for(caller, "close 0"));
    end();
}

/* ---- a TLS server that is not ours: one thread for each client, so that many clients can wait at
 * once ---- */

typedef struct foreign_server {
    SSL_CTX *ctx;
    int listening;
    unsigned port;
    int clients;
    pthread_t thread;
} foreign_server;

static void *serve_one(void *arg)
{
    SSL *ssl = arg;
    char byte;
    if (SSL_accept(ssl) == 1) {
        (void)SSL_read(ssl, &byte, 1);
    }
    int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    close(fd);
    return NULL;
}

static void *serve(void *arg)
{
    foreign_server *self = arg;
    pthread_t *threads = calloc((size_t)self->clients, sizeof *threads);
    for (int i = 0; i < self->clients; i++) {
        SSL *ssl = SSL_new(self->ctx);
        SSL_set_fd(ssl, accept(self->listening, NULL, NULL));
        pthread_create(&threads[i], NULL, serve_one, ssl);
    }
    for (int i = 0; i < self->clients; i++) {
        pthread_join(threads[i], NULL);
    }
    free(threads);
    return NULL;
}

static void foreign_start(foreign_server *self, int clients)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    BIO *bio = BIO_new_mem_buf(server.pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    self->clients = clients;
    self->ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(self->ctx, certificate);
    SSL_CTX_use_PrivateKey(self->ctx, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(bio);
    self->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(self->listening, (struct sockaddr *)&address, length), 0);
    CHECK_INT(listen(self->listening, 128), 0);
    CHECK_INT(getsockname(self->listening, (struct sockaddr *)&address, &length), 0);
    self->port = ntohs(address.sin_port);
    CHECK_INT(pthread_create(&self->thread, NULL, serve, self), 0);
}

static void foreign_end(foreign_server *self)
{
    pthread_join(self->thread, NULL);
    close(self->listening);
    SSL_CTX_free(self->ctx);
}

/* A client of which only OnVerify is of interest: nothing else needs a turn of the pump. */
static recorder *waiting_caller(unsigned port, unsigned limit_ms)
{
    recorder *caller = recorder_new(client.pem, ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    DICOMNETCALLBACK callbacks = {
        .uStructSize = sizeof callbacks, .pUserData = caller, .pfnClose = on_close};
    CHECK_INT(L_DicomSetCallback(caller->net, &callbacks), 0);
    CHECK_INT(L_DicomSetLimit(caller->net, DICOM_LIMIT_HANDSHAKE_TIMEOUT, limit_ms), 0);
    CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", port), 0);
    return caller;
}

TEST(verdicts_that_wait_hold_up_no_timer)
{
    enum {
        WAITING = 80
    }; /* more than there can be threads */
    foreign_server other;
    recorder *waiting[WAITING];
    start();
    foreign_start(&other, WAITING);
    for (int i = 0; i < WAITING; i++) {
        waiting[i] = waiting_caller(other.port, 1500);
    }
    CHECK(
        nothing_connected()); /* each is ended by its own timer, also those that found no thread */
    for (int i = 0; i < WAITING; i++) {
        CHECK(wait_for(waiting[i], "close 301"));
    }
    foreign_end(&other);
    end();
}

static void pump_inside(recorder *self, const char *event)
{
    (void)event;
    int before = self->count;
    while (L_DicomBreathe(0) == 1) {
    }
    CHECK_INT(self->count,
              before); /* callbacks of one net never overlap, nested pumping included */
}

TEST(pumping_inside_a_callback_does_not_overlap_the_same_net)
{
    start();
    recorder *listener = listener_new();
    recorder *caller = caller_new(listener);
    caller->react = pump_inside;
    CHECK(wait_for(caller, "ready 0"));
    CHECK_INT(caller->most_running, 1);
    end();
}
