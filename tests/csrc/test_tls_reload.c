/*
 * test_tls_reload.c - certificates read anew while a net listens: what was there before goes with
 * its last link, and nothing sooner.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ldc_net.h"
#include "ldc_tls.h"
#include "net_fixture.h"

enum {
    BOTH = L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    ROUNDS = 12
};

typedef struct scene {
    pki ca;
    identity server, client;
    char folder[64], own[128], trust[128];
    recorder *listener;
} scene;

static void put(const char *file, const char *text)
{
    FILE *stream = fopen(file, "w");
    CHECK(stream != NULL);
    if (stream != NULL) {
        CHECK(fputs(text, stream) >= 0);
        CHECK_INT(fclose(stream), 0);
    }
}

static scene *scene_new(void)
{
    scene *s = calloc(1, sizeof *s);
    s->ca = pki_new();
    s->server = identity_new(&s->ca, "Unit Server", "serverAuth,clientAuth", 10);
    s->client = identity_new(&s->ca, "Unit Client", "clientAuth", 10);
    snprintf(s->folder, sizeof s->folder, "/tmp/ltdic-reload-XXXXXX");
    CHECK(mkdtemp(s->folder) != NULL);
    snprintf(s->own, sizeof s->own, "%s/own.pem", s->folder);
    snprintf(s->trust, sizeof s->trust, "%s/ca.pem", s->folder);
    put(s->own, s->server.pem);
    put(s->trust, s->ca.root_pem);
    s->listener = recorder_new(NULL, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    L_SSL_CTX_CREATE create = {.uStructSize = sizeof create,
                               .uFlags =
                                   FLAG_SSL_CTX_CREATE_VERIFY_MODE | FLAG_SSL_CTX_CREATE_CAFILE,
                               .uVerifyMode = BOTH,
                               .pszCAfile = s->trust};
    CHECK_INT(L_DicomInitializeNet(s->listener->net, NULL, DICOM_SECURE_TLS, &create), 0);
    CHECK_INT(
        L_DicomSetServerCertificateTLS(s->listener->net, s->own, DICOM_TLS_CERTIFICATE_PEM, NULL),
        0);
    CHECK_INT(L_DicomSetChildrenInheritTLS(s->listener->net, 1), 0);
    /* The children: TLS, and nothing that would do. */
    s->listener->ca_pem = s->ca.root_pem;
    s->listener->child_flags = L_SSL_VERIFY_NONE;
    s->listener->child_method = TYPE_SSLV23_METHOD;
    CHECK_INT(L_DicomListen(s->listener->net, "127.0.0.1", 0, 8), 0);
    return s;
}

static void scene_free(scene *s)
{
    for (recorder *one = made; one != NULL; one = one->next_made) {
        recorder_free(one);
    }
    CHECK(all_quiet());
    recorders_release();
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CREDENTIALS), 0);
    unlink(s->own);
    unlink(s->trust);
    rmdir(s->folder);
    free(s->server.pem);
    free(s->client.pem);
    pki_free(&s->ca);
    free(s);
}

static recorder *connected(scene *s)
{
    recorder *caller = recorder_new(s->client.pem, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    CHECK_INT(
        L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", L_DicomGetHostPort(s->listener->net)), 0);
    CHECK(wait_for(caller, "ready 0"));
    return caller;
}

static bool count_becomes(ldc_cache_kind kind, size_t wanted)
{
    for (int i = 0; i < WAIT_SECONDS * 100 && ldc_cache_count(kind) != wanted; i++) {
        struct timespec nap = {.tv_nsec = 10000000L};
        nanosleep(&nap, NULL);
    }
    return CHECK_INT((long long)ldc_cache_count(kind), (long long)wanted) == 1;
}

static void renew(scene *s, int number)
{
    char name[32];
    snprintf(name, sizeof name, "Server %d", number);
    identity next = identity_new(&s->ca, name, "serverAuth", 10);
    put(s->own, next.pem);
    free(next.pem);
}

TEST(old_context_and_key_go_with_their_last_link)
{
    scene *s = scene_new();
    recorder *first = connected(s);
    recorder *child = wait_for_child(s->listener);
    CHECK(wait_for(child, "ready 0"));
    size_t credentials = ldc_cache_count(LDC_CACHE_CREDENTIALS); /* server's, client's */
    size_t contexts = ldc_cache_count(LDC_CACHE_CONTEXTS);
    CHECK_INT((long long)credentials, 2);
    CHECK_INT((long long)contexts, 2);
    for (int i = 0; i < ROUNDS; i++) {
        renew(s, i);
        CHECK_INT(L_DicomReloadTLS(s->listener->net, NULL), 0);
        /* The link's own, the new ones, the client's: those in between had no link. */
        CHECK(count_becomes(LDC_CACHE_CREDENTIALS, credentials + 1));
        CHECK(count_becomes(LDC_CACHE_CONTEXTS, contexts + 1));
    }
    CHECK(L_DicomIsConnected(first->net));
    CHECK(L_DicomIsConnected(child->net));
    recorder_free(child);
    CHECK(wait_for(first, "close"));
    CHECK(count_becomes(LDC_CACHE_CREDENTIALS, credentials));
    CHECK(count_becomes(LDC_CACHE_CONTEXTS, contexts));
    recorder *second = connected(s);
    L_TCHAR subject[128] = "";
    CHECK_INT(L_DicomGetInfoTLS(second->net, DICOM_TLS_INFO_PEER_SUBJECT, subject, sizeof subject),
              0);
    CHECK_STR(subject, "CN = Server 11");
    scene_free(s);
}

TEST(what_cannot_be_read_leaves_everything_as_it_was)
{
    scene *s = scene_new();
    recorder *first = connected(s);
    size_t contexts = ldc_cache_count(LDC_CACHE_CONTEXTS);
    put(s->own, "nonsense");
    CHECK_INT(L_DicomReloadTLS(s->listener->net, NULL), DICOM_ERROR_TLS_CERTIFICATE_FILE);
    CHECK(strstr(L_DicomGetLastErrorText(), s->own) != NULL);
    put(s->own, s->server.pem);
    put(s->trust, "nonsense");
    CHECK_INT(L_DicomReloadTLS(s->listener->net, NULL), DICOM_ERROR_TLS_CA_FILE);
    CHECK(strstr(L_DicomGetLastErrorText(), s->trust) != NULL);
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CONTEXTS), (long long)contexts);
    recorder *second = connected(s);
    CHECK(L_DicomIsConnected(first->net));
    CHECK(L_DicomIsConnected(second->net));
    DICOMTLSRELOAD wrong = {.uStructSize = 4};
    CHECK_INT(L_DicomReloadTLS(s->listener->net, &wrong), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomReloadTLS(NULL, NULL), DICOM_ERROR_OBJECT_DISPOSED);
    scene_free(s);
}

TEST(a_listener_keeps_the_context_of_its_children_when_settings_are_said_to_have_changed)
{
    scene *s = scene_new();
    ldc_net *net = ldc_net_acquire(s->listener->net);
    CHECK(net->context != NULL);
    ldc_net_drop_context(net); /* by a call that was there before Listen, and is late */
    CHECK(net->context != NULL);
    ldc_net_put(net);
    recorder *caller = connected(s);
    CHECK(L_DicomIsConnected(caller->net));
    scene_free(s);
}

static void *reload_often(void *arg)
{
    scene *s = arg;
    for (int i = 0; i < ROUNDS * 2; i++) {
        int rc = L_DicomReloadTLS(s->listener->net, NULL);
        CHECK(rc == DICOM_SUCCESS || rc == DICOM_ERROR_INVALID_STATE); /* one at a time */
    }
    return NULL;
}

TEST(reloads_of_many_threads_while_clients_come_and_go)
{
    pthread_t threads[3];
    scene *s = scene_new();
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, reload_often, s), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        recorder *caller = connected(s);
        recorder_free(caller);
    }
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    scene_free(s);
}
