/* test_net.c - nets over loopback in worker delivery: handshakes, refusals, closing and freeing in
 * every callback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_fixture.h"

enum {
    BOTH = L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT
};

typedef struct scene {
    pki ca;
    identity server, client;
    recorder *listener, *caller;
    char text[2048], other[2048];
} scene;

static scene *scene_new(const char *client_purposes, int client_days, int method)
{
    scene *s = calloc(1, sizeof *s);
    s->ca = pki_new();
    s->server = identity_new(&s->ca, "Unit Server", "serverAuth,clientAuth", 10);
    s->client = identity_new(&s->ca, "Unit Client", client_purposes, client_days);
    s->listener = recorder_new(s->server.pem, s->ca.root_pem, BOTH, method);
    s->listener->child_pem = s->server.pem;
    s->listener->ca_pem = s->ca.root_pem;
    s->listener->child_flags = BOTH;
    s->listener->child_method = method;
    s->caller = recorder_new(s->client.pem, s->ca.root_pem, BOTH, method);
    CHECK_INT(L_DicomListen(s->listener->net, "127.0.0.1", 0, 1), 0);
    return s;
}

static void scene_connect(scene *s)
{
    CHECK_INT(
        L_DicomConnect(s->caller->net, NULL, 0, "127.0.0.1", L_DicomGetHostPort(s->listener->net)),
        0);
}

static void scene_free(scene *s)
{
    for (recorder *one = made; one != NULL; one = one->next_made) {
        recorder_free(one);
    }
    CHECK(all_quiet());
    recorders_release();
    free(s->server.pem);
    free(s->client.pem);
    pki_free(&s->ca);
    free(s);
}

static const int methods[] = {TYPE_TLSV1_2_METHOD, TYPE_TLSV1_3_METHOD};

TEST(a_good_chain_is_judged_on_both_sides_and_the_link_is_ready)
{
    for (size_t i = 0; i < 2; i++) {
        scene *s = scene_new("clientAuth", 10, methods[i]);
        scene_connect(s);
        CHECK(wait_for(s->caller, "ready"));
        recorder *child = wait_for_child(s->listener);
        CHECK(wait_for(child, "ready"));
        CHECK_STR(history(s->caller, s->text, sizeof s->text),
                  "connect 0, verified 0, verified 0, ready 0");
        CHECK_STR(history(child, s->text, sizeof s->text), "verified 0, verified 0, ready 0");
        CHECK(L_DicomIsConnected(s->caller->net) && L_DicomIsConnected(child->net));
        CHECK(L_DicomGetCiphersuiteTLS(s->caller->net) != 0);
        CHECK_INT(L_DicomGetCiphersuiteTLS(s->caller->net), L_DicomGetCiphersuiteTLS(child->net));
        CHECK_INT(L_DicomGetClientCount(s->listener->net), 1);
        CHECK_INT(L_DicomClose(s->caller->net), 0);
        CHECK(wait_for(s->caller, "close 0") && wait_for(child, "close 0") &&
              wait_for(s->listener, "child-close 0"));
        CHECK_INT(L_DicomGetClientCount(s->listener->net), 0);
        scene_free(s);
    }
}

TEST(a_client_certificate_without_purpose_is_refused_and_both_sides_know_why)
{
    for (size_t i = 0; i < 2; i++) {
        DICOMFAILURE why = {.uStructSize = sizeof why};
        scene *s = scene_new("emailProtection", 10, methods[i]);
        scene_connect(s);
        CHECK(wait_for(s->caller, "close"));
        recorder *child = wait_for_child(s->listener);
        CHECK(wait_for(child, "close") && wait_for(s->listener, "child-close"));
        CHECK_STR(history(s->caller, s->text, sizeof s->text),
                  "connect 0, verified 0, verified 0, ready 308, close 308");
        CHECK_STR(history(child, s->text, sizeof s->text), "complaint 26, ready 307, close 307");
        CHECK_INT(L_DicomGetFailure(child->net, &why), 0);
        CHECK_INT(why.nCertificateCode, L_X509_V_ERR_INVALID_PURPOSE);
        CHECK_INT(why.nAlertSent, 43);
        CHECK_STR(why.pszSubject, "CN = Unit Client");
        CHECK_INT(L_DicomGetFailure(s->caller->net, &why), 0);
        CHECK_INT(why.nAlertReceived, 43);
        CHECK_INT(why.nStage, DICOM_STAGE_CERTIFICATE);
        CHECK_INT(why.nSide, DICOM_SIDE_PEER);
        CHECK_INT(L_DicomGetCiphersuiteTLS(s->caller->net), 0);
        scene_free(s);
    }
}

static int always(recorder *self, int ok, int code)
{
    (void)self;
    (void)ok;
    (void)code;
    return 1;
}

static int two(recorder *self, int ok, int code)
{
    (void)self;
    (void)ok;
    (void)code;
    return 2;
}

static int nobody(recorder *self, int ok, int code)
{
    (void)self;
    (void)ok;
    (void)code;
    return DICOM_VERIFY_NO_ANSWER;
}

TEST(an_answer_of_one_overrules_the_complaint)
{
    scene *s = scene_new("emailProtection", -1, TYPE_SSLV23_METHOD);
    s->listener->answer = always;
    scene_connect(s);
    CHECK(wait_for(s->caller, "ready 0"));
    recorder *child = wait_for_child(s->listener);
    CHECK(wait_for(child, "ready 0"));
    CHECK_STR(history(child, s->text, sizeof s->text),
              "complaint 26, verified 0, complaint 10, verified 0, ready 0");
    CHECK_INT(L_DicomGetInfoTLS(child->net, DICOM_TLS_INFO_VERIFIED, s->text, sizeof s->text), 0);
    CHECK_STR(s->text, "0");
    scene_free(s);
}

TEST(any_other_answer_than_one_stops)
{
    int (*const answers[])(recorder *, int, int) = {two, nobody};
    const char *const expected[] = {"verified 0, ready 307, close 307",
                                    "verified 0, ready 320, close 320"};
    for (size_t i = 0; i < 2; i++) {
        scene *s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
        s->listener->answer = answers[i];
        scene_connect(s);
        CHECK(wait_for(s->caller, "close"));
        recorder *child = wait_for_child(s->listener);
        CHECK(wait_for(child, "close"));
        CHECK_STR(history(child, s->text, sizeof s->text), expected[i]);
        CHECK_STR(history(s->caller, s->other, sizeof s->other),
                  "connect 0, verified 0, verified 0, ready 308, close 308");
        scene_free(s);
    }
}

static void free_itself(recorder *self, const char *event)
{
    (void)event;
    L_DicomFreeNet(self->net);
    CHECK_INT(L_DicomClose(self->net), DICOM_ERROR_OBJECT_DISPOSED);
}

static void close_itself(recorder *self, const char *event)
{
    (void)event;
    (void)L_DicomClose(self->net);
}

static void force_itself(recorder *self, const char *event)
{
    (void)event;
    (void)L_DicomCloseForced(self->net, 1);
}

TEST(a_net_may_close_and_free_itself_in_every_callback)
{
    const reaction reactions[] = {free_itself, close_itself, force_itself};
    for (size_t i = 0; i < 3; i++) {
        scene *s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
        s->caller->react = reactions[i];
        scene_connect(s);
        CHECK(wait_for(s->caller, "connect"));
        CHECK(wait_for(s->listener, "child-close"));
        scene_free(s);

        s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
        s->listener->child_react = reactions[i];
        scene_connect(s);
        CHECK(wait_for(s->caller, "close"));
        scene_free(s);
    }
}

TEST(a_yes_does_not_count_once_the_net_was_given_up)
{
    const reaction reactions[] = {free_itself, force_itself};
    for (size_t i = 0; i < 2; i++) {
        scene *s = scene_new("clientAuth", 10, TYPE_TLSV1_3_METHOD);
        s->listener->child_react = reactions[i];
        s->listener->answer = always;
        scene_connect(s);
        CHECK(wait_for(s->caller, "close"));
        CHECK(strstr(history(s->caller, s->text, sizeof s->text), "ready 0") == NULL);
        scene_free(s);
    }
}

TEST(nothing_is_told_after_a_silent_close_by_force)
{
    scene *s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
    scene_connect(s);
    CHECK(wait_for(s->caller, "ready 0"));
    CHECK_INT(L_DicomCloseForced(s->caller->net, 0), 0);
    CHECK(wait_for(s->listener, "child-close"));
    CHECK_STR(history(s->caller, s->text, sizeof s->text),
              "connect 0, verified 0, verified 0, ready 0");
    CHECK(!L_DicomIsConnected(s->caller->net));
    scene_free(s);
}

static void connect_again(recorder *self, const char *event)
{
    if (strcmp(event, "close") == 0 && self->rounds-- > 0) {
        CHECK_INT(L_DicomConnect(self->net, NULL, 0, "127.0.0.1", self->port), 0);
    } else if (strcmp(event, "ready") == 0) {
        CHECK_INT(L_DicomClose(self->net), 0);
    }
}

TEST(a_net_may_connect_again_in_its_close)
{
    scene *s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
    s->caller->rounds = 3;
    s->caller->port = L_DicomGetHostPort(s->listener->net);
    s->caller->react = connect_again;
    scene_connect(s);
    while (wait_for(s->caller, "close") && s->caller->rounds >= 0) {
        struct timespec nap = {.tv_nsec = 1000000L};
        nanosleep(&nap, NULL);
    }
    CHECK_STR(history(s->caller, s->text, sizeof s->text),
              "connect 0, verified 0, verified 0, ready 0, close 0, "
              "connect 0, verified 0, verified 0, ready 0, close 0, "
              "connect 0, verified 0, verified 0, ready 0, close 0, "
              "connect 0, verified 0, verified 0, ready 0, close 0");
    CHECK_INT(s->caller->most_running, 1);
    scene_free(s);
}

TEST(a_stale_handle_is_detected)
{
    recorder *one = recorder_new(NULL, NULL, 0, 0);
    HDICOMNET old = one->net;
    recorder_free(one);
    recorder *other = recorder_new(NULL, NULL, 0, 0);
    CHECK(old != other->net);
    CHECK_INT(L_DicomClose(old), DICOM_ERROR_OBJECT_DISPOSED);
    CHECK_INT(L_DicomConnect(old, NULL, 0, "127.0.0.1", 1), DICOM_ERROR_OBJECT_DISPOSED);
    CHECK(!L_DicomIsConnected((HDICOMNET)(uintptr_t)12345));
    L_DicomFreeNet(old);
    L_DicomFreeNet(NULL);
    recorder_free(other);
    CHECK(all_quiet());
    recorders_release();
}

TEST(a_refused_port_is_told_in_connect_and_then_close)
{
    char text[256];
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    CHECK_INT(bind(probe, (struct sockaddr *)&address, length),
              0); /* bound, never listening: refused for sure */
    CHECK_INT(getsockname(probe, (struct sockaddr *)&address, &length), 0);
    recorder *caller = recorder_new(NULL, NULL, 0, 0);
    CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", ntohs(address.sin_port)), 0);
    CHECK(wait_for(caller, "close"));
    CHECK_STR(history(caller, text, sizeof text), "connect 202, close 202");
    recorder_free(caller);
    CHECK(all_quiet());
    recorders_release();
    close(probe);
}

/* A client that opens a connection and says what it is told. */
static int raw_connect(unsigned port, const char *data, size_t size)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (size > 0) {
        CHECK_INT(send(fd, data, size, MSG_NOSIGNAL), (long long)size);
    }
    return fd;
}

TEST(strangers_on_a_tls_port_are_named)
{
    static const struct {
        const char *data;
        size_t size;
        const char *word;
    } strangers[] = {{"GET / HTTP/1.1\r\n\r\n", 18, "HTTP"},
                     {"<!DOCTYPE HTML PUBLIC", 21, "HTTP"},
                     {"SSH-2.0-OpenSSH_9.0\r\n", 21, "SSH"},
                     {"\x01\x00\x00\x00\x00\xcd\x00\x01\x00\x00", 10, "plain DICOM"}};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        DICOMFAILURE why = {.uStructSize = sizeof why};
        scene *s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
        int fd =
            raw_connect(L_DicomGetHostPort(s->listener->net), strangers[i].data, strangers[i].size);
        recorder *child = wait_for_child(s->listener);
        CHECK(wait_for(child, "ready 305") && wait_for(child, "close 305"));
        CHECK_INT(L_DicomGetFailure(child->net, &why), 0);
        CHECK(strstr(why.pszMessage, strangers[i].word) != NULL);
        close(fd);
        scene_free(s);
    }
}

TEST(a_silent_peer_is_closed_by_the_handshake_timer)
{
    DICOMFAILURE why = {.uStructSize = sizeof why};
    scene *s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
    recorder *silent = recorder_new(s->server.pem, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    CHECK_INT(L_DicomClose(s->listener->net), 0);
    /* A listener without ACCEPT: the connection is adopted by a child with a short limit. */
    DICOMNETCALLBACK none = {.uStructSize = sizeof none};
    CHECK_INT(L_DicomSetCallback(s->listener->net, &none), 0);
    CHECK_INT(L_DicomListen(s->listener->net, "127.0.0.1", 0, 1), 0);
    CHECK_INT(L_DicomSetLimit(silent->net, DICOM_LIMIT_HANDSHAKE_TIMEOUT, 50), 0);
    int fd = raw_connect(L_DicomGetHostPort(s->listener->net), "", 0);
    int rc;
    do {
        rc = L_DicomAccept(s->listener->net, silent->net);
    } while (rc == DICOM_ERROR_NET_NO_PENDING_CONNECTION);
    CHECK_INT(rc, 0);
    CHECK(wait_for(silent, "ready 301") && wait_for(silent, "close 301"));
    CHECK_INT(L_DicomGetFailure(silent->net, &why), 0);
    CHECK(strstr(why.pszMessage, "nothing") != NULL);
    close(fd);
    recorder_free(silent);
    scene_free(s);
}

TEST(past_the_limit_of_handshakes_the_oldest_goes)
{
    scene *s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
    CHECK_INT(L_DicomSetLimit(s->listener->net, DICOM_LIMIT_HANDSHAKES_PER_ADDRESS, 1), 0);
    int first = raw_connect(L_DicomGetHostPort(s->listener->net), "", 0);
    recorder *child = wait_for_child(s->listener);
    int second = raw_connect(L_DicomGetHostPort(s->listener->net), "", 0);
    CHECK(wait_for(child, "close 212"));
    close(first);
    close(second);
    CHECK(wait_for(s->listener, "child-close 212") && wait_for(s->listener, "child-close 201"));
    recorder_free(child);
    scene_free(s);
}

/* ---- many at once ---- */

typedef struct crowd {
    scene *s;
    int rounds;
} crowd;

static void *come_and_go(void *arg)
{
    crowd *all = arg;
    for (int i = 0; i < all->rounds; i++) {
        recorder *caller =
            recorder_new(all->s->client.pem, all->s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
        (void)L_DicomConnect(caller->net, NULL, 0, "127.0.0.1",
                             L_DicomGetHostPort(all->s->listener->net));
        if (i % 3 != 0) {
            CHECK(wait_for(caller, i % 3 == 1 ? "ready" : "connect"));
        }
        if (i % 2 == 0) {
            (void)L_DicomCloseForced(caller->net, i % 4 == 0);
        }
        L_DicomFreeNet(
            caller->net); /* the recorder is left behind: callbacks may still be running */
    }
    return NULL;
}

static L_VOID accept_and_forget(HDICOMNET net, L_INT error, L_VOID *user)
{
    recorder *self = user;
    (void)error;
    recorder *child = recorder_new(self->child_pem, self->ca_pem, BOTH, TYPE_SSLV23_METHOD);
    child->react = NULL;
    (void)L_DicomAccept(net, child->net);
}

static L_VOID free_child(HDICOMNET net, L_INT error, HDICOMNET peer, L_VOID *user)
{
    (void)error;
    (void)user;
    if (net != peer) {
        L_DicomFreeNet(peer);
    }
}

TEST(many_threads_come_and_go_and_nothing_is_left)
{
    enum {
        THREADS = 4,
        ROUNDS = 20
    };
    pthread_t threads[THREADS];
    scene *s = scene_new("clientAuth", 10, TYPE_SSLV23_METHOD);
    DICOMNETCALLBACK callbacks = {.uStructSize = sizeof callbacks,
                                  .pUserData = s->listener,
                                  .pfnAccept = accept_and_forget,
                                  .pfnClose = free_child};
    CHECK_INT(L_DicomSetCallback(s->listener->net, &callbacks), 0);
    crowd all = {.s = s, .rounds = ROUNDS};
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, come_and_go, &all), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(L_DicomCloseForced(s->listener->net, 1), 0);
    for (int i = 0; i < WAIT_SECONDS * 100 && L_DicomGetClientCount(s->listener->net) > 0; i++) {
        struct timespec nap = {.tv_nsec = 10000000L};
        nanosleep(&nap, NULL);
    }
    CHECK_INT(L_DicomGetClientCount(s->listener->net), 0);
    scene_free(s);
}
