/* test_net_shared.c - nets of many threads that share contexts and sessions; structures of older
 * programs. */
#include <stddef.h>

#include "net_fixture.h"

enum {
    BOTH = L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    THREADS = 4,
    ROUNDS = 8
};

typedef struct scene {
    pki ca;
    identity server, client;
    recorder *listener;
    unsigned port;
    atomic_int resumed, links;
} scene;

/* Nobody judges: sessions may be resumed. */
static void trust(recorder *one)
{
    DICOMNETCALLBACKEXT ext = {.uStructSize = sizeof ext, .pfnVerify = on_verify, .bVerifyIsOk = 1};
    CHECK_INT(L_DicomSetCallbackExt(one->net, &ext), 0);
    CHECK_INT(L_DicomSetSessionResumptionTLS(one->net, 1), 0);
}

/* Like on_accept of the fixture, with resumption. */
static L_VOID accept_trusting(HDICOMNET net, L_INT error, L_VOID *user)
{
    recorder *self = user;
    recorder *child =
        recorder_new(self->child_pem, self->ca_pem, self->child_flags, self->child_method);
    trust(child);
    record(self, "accept", error);
    CHECK_INT(L_DicomAccept(net, child->net), 0);
    left(self);
}

static scene *scene_new(void)
{
    scene *s = calloc(1, sizeof *s);
    s->ca = pki_new();
    s->server = identity_new(&s->ca, "Unit Server", "serverAuth,clientAuth", 10);
    s->client = identity_new(&s->ca, "Unit Client", "clientAuth", 10);
    s->listener = recorder_new(NULL, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    s->listener->child_pem = s->server.pem;
    s->listener->ca_pem = s->ca.root_pem;
    s->listener->child_flags = BOTH;
    s->listener->child_method = TYPE_SSLV23_METHOD;
    DICOMNETCALLBACK callbacks = {.uStructSize = sizeof callbacks,
                                  .pUserData = s->listener,
                                  .pfnAccept = accept_trusting,
                                  .pfnClose = on_close};
    CHECK_INT(L_DicomSetCallback(s->listener->net, &callbacks), 0);
    CHECK_INT(L_DicomListen(s->listener->net, "127.0.0.1", 0, 1), 0);
    s->port = L_DicomGetHostPort(s->listener->net);
    return s;
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

static void *connect_often(void *arg)
{
    scene *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char text[8] = "";
        recorder *caller = recorder_new(s->client.pem, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
        trust(caller);
        CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", s->port), 0);
        CHECK(wait_for(caller, "ready 0"));
        CHECK_INT(L_DicomGetInfoTLS(caller->net, DICOM_TLS_INFO_RESUMED, text, sizeof text), 0);
        atomic_fetch_add(&s->resumed, text[0] == '1' ? 1 : 0);
        CHECK_INT(L_DicomGetInfoTLS(caller->net, DICOM_TLS_INFO_VERIFIED, text, sizeof text), 0);
        CHECK_STR(text, "1");
        atomic_fetch_add(&s->links, 1);
        recorder_free(caller);
    }
    return NULL;
}

TEST(nets_of_many_threads_share_contexts_and_sessions)
{
    pthread_t threads[THREADS];
    DICOMSTATISTICS before = {.uStructSize = sizeof before};
    DICOMSTATISTICS after = {.uStructSize = sizeof after};
    CHECK_INT(L_DicomGetStatistics(&before), 0);
    scene *s = scene_new();
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, connect_often, s), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    CHECK_INT(atomic_load(&s->links), THREADS * ROUNDS);
    /* Each thread's first may come before there is a session. */
    CHECK(atomic_load(&s->resumed) >= THREADS * (ROUNDS - 1));
    CHECK_INT(L_DicomGetStatistics(&after), 0);
    CHECK((int)(after.nResumed - before.nResumed) >= atomic_load(&s->resumed));
    scene_free(s);
}

TEST(an_older_program_gets_the_statistics_that_it_knows)
{
    struct {
        DICOMSTATISTICS numbers;
        unsigned char beyond;
    } small = {
        .numbers = {.uStructSize = (L_UINT)offsetof(DICOMSTATISTICS, nResumed), .nResumed = 77},
        .beyond = 0x55};
    CHECK_INT(L_DicomGetStatistics(&small.numbers), 0);
    CHECK_INT((long long)small.numbers.nResumed, 77);
    CHECK_INT(small.numbers.uStructSize, offsetof(DICOMSTATISTICS, nResumed));
    small.numbers.uStructSize = sizeof small.numbers + 1;
    CHECK_INT(L_DicomGetStatistics(&small.numbers), DICOM_ERROR_PARAMETER);
}

TEST(an_older_program_s_verify_callback_judges)
{
    scene *s = scene_new();
    recorder *caller = recorder_new(s->client.pem, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    DICOMNETCALLBACKEXT ext = {.uStructSize = (L_UINT)offsetof(DICOMNETCALLBACKEXT, bVerifyIsOk),
                               .pfnVerify = on_verify,
                               .bVerifyIsOk = 1 /* beyond what it says it has */};
    CHECK_INT(L_DicomSetCallbackExt(caller->net, &ext), 0);
    CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", s->port), 0);
    CHECK(wait_for(caller, "ready 0"));
    CHECK(wait_for(caller, "verified 0"));
    scene_free(s);
}
