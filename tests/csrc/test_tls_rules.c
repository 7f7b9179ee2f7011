/* test_tls_rules.c - rules of nets: all of them count in the digest, servers choose by name from
 * many threads, and no key is left when the nets have gone. */
#include "ldc_error.h"
#include "ldc_tls_rules.h"
#include "net_fixture.h"

enum {
    BOTH = L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    THREADS = 4,
    ROUNDS = 6
};

/* ---- digest ---- */

static void digest_of(const ldc_tls_rules *rules, bool server, unsigned char result[LDC_DIGEST])
{
    ldc_digest digest;
    ldc_digest_begin(&digest, "rules");
    ldc_tls_rules_digest(rules, server, &digest);
    CHECK(ldc_digest_end(&digest, result));
}

static void set_text(char **text, const char *value)
{
    free(*text);
    *text = ldc_strdup(value);
}

/* One change of each kind. */
static void change(ldc_tls_rules *rules, int which)
{
    switch (which) {
    case 0:
        set_text(&rules->server_name, "");
        break;
    case 1:
        set_text(&rules->server_name, "a.test");
        break;
    case 2:
        set_text(&rules->email, "a.test");
        break;
    case 3:
        set_text(&rules->uri, "a.test");
        break;
    case 4:
        rules->purpose = DICOM_TLS_PURPOSE_STRICT;
        break;
    case 5:
        rules->purpose = DICOM_TLS_PURPOSE_ANY;
        break;
    case 6:
        rules->alpn = DICOM_TLS_ALPN_OFFER;
        break;
    case 7:
        rules->minima.rsa_bits = 1;
        break;
    case 8:
        rules->minima.ec_bits = 1;
        break;
    case 9:
        rules->minima.hash_bits = 1;
        break;
    case 10:
        rules->whole_chain = true;
        break;
    case 11:
        rules->pins_only = true;
        break;
    case 12:
        rules->pin_count = 1;
        break;
    case 13:
        rules->pin_count = 1;
        rules->pins[0].kind = DICOM_TLS_PIN_KEY;
        break;
    case 14:
        rules->pin_count = 1;
        rules->pins[0].digest[31] = 1;
        break;
    case 15:
        rules->refuse_unknown_names = true;
        break;
    default:
        break;
    }
}

TEST(every_rule_counts_in_the_digest)
{
    enum {
        CHANGES = 17
    };
    unsigned char digests[CHANGES][LDC_DIGEST];
    unsigned char same[LDC_DIGEST];
    CHECK_INT(ldc_tls_library_start(), 0);
    for (int i = 0; i < CHANGES; i++) {
        ldc_tls_rules *rules = ldc_tls_rules_copy(NULL, true);
        change(rules, i);
        digest_of(rules, true, digests[i]);
        ldc_tls_rules *copy = ldc_tls_rules_copy(rules, true);
        digest_of(copy, true, same);
        CHECK(memcmp(same, digests[i], LDC_DIGEST) == 0);
        for (int j = 0; j < i; j++) {
            CHECK(memcmp(digests[i], digests[j], LDC_DIGEST) != 0);
        }
        ldc_ref_put(&copy->ref);
        ldc_ref_put(&rules->ref);
    }
    digest_of(NULL, true, same);
    CHECK(memcmp(same, digests[CHANGES - 1], LDC_DIGEST) == 0); /* none are the default ones */
}

/* ---- certificates by name ---- */

typedef struct scene {
    pki ca;
    identity server, second, client;
    recorder *listener;
    unsigned port;
    atomic_int links, seconds;
} scene;

static void add_second(recorder *one, const scene *s, const char *names)
{
    CHECK_INT(L_DicomAddCertificateBytesTLS(one->net, (const L_UCHAR *)s->second.pem,
                                            (L_UINT)strlen(s->second.pem),
                                            DICOM_TLS_CERTIFICATE_PEM, NULL, 0, names),
              0);
}

static scene *present; /* of the listener's callback */

static L_VOID accept_by_name(HDICOMNET net, L_INT error, L_VOID *user)
{
    recorder *self = user;
    recorder *child =
        recorder_new(self->child_pem, self->ca_pem, self->child_flags, self->child_method);
    add_second(child, present, "Second.test *.second.test");
    CHECK_INT(L_DicomSetRefuseUnknownNamesTLS(child->net, 1), 0);
    CHECK_INT(L_DicomSetAlpnTLS(child->net, DICOM_TLS_ALPN_OFFER), 0);
    record(self, "accept", error);
    CHECK_INT(L_DicomAccept(net, child->net), 0);
    left(self);
}

static scene *scene_new(void)
{
    scene *s = calloc(1, sizeof *s);
    s->ca = pki_new();
    s->server = identity_new(&s->ca, "Unit Server", "serverAuth,clientAuth", 10);
    s->second = identity_new(&s->ca, "Unit Second", "serverAuth", 10);
    s->client = identity_new(&s->ca, "Unit Client", "clientAuth", 10);
    s->listener = recorder_new(NULL, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    s->listener->child_pem = s->server.pem;
    s->listener->ca_pem = s->ca.root_pem;
    s->listener->child_flags = BOTH;
    s->listener->child_method = TYPE_SSLV23_METHOD;
    DICOMNETCALLBACK callbacks = {.uStructSize = sizeof callbacks,
                                  .pUserData = s->listener,
                                  .pfnAccept = accept_by_name,
                                  .pfnClose = on_close};
    present = s;
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
    free(s->second.pem);
    free(s->client.pem);
    pki_free(&s->ca);
    free(s);
}

static bool peer_is(recorder *caller, const char *name)
{
    char subject[128] = "";
    CHECK_INT(L_DicomGetInfoTLS(caller->net, DICOM_TLS_INFO_PEER_SUBJECT, subject, sizeof subject),
              0);
    return strstr(subject, name) != NULL;
}

static void *connect_by_names(void *arg)
{
    static const char *const names[] = {"second.test", "a.second.test", "", "unknown.test"};
    scene *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char text[16] = "";
        const char *name = names[i % 4];
        recorder *caller = recorder_new(s->client.pem, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
        CHECK_INT(L_DicomSetServerNameTLS(caller->net, name), 0);
        CHECK_INT(L_DicomSetAlpnTLS(caller->net, DICOM_TLS_ALPN_REQUIRE), 0);
        CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", s->port), 0);
        if (strcmp(name, "unknown.test") == 0) {
            CHECK(wait_for(caller, "ready 310"));
        } else {
            CHECK(wait_for(caller, "ready 0"));
            bool second = strstr(name, "second") != NULL;
            CHECK(peer_is(caller, second ? "Unit Second" : "Unit Server"));
            CHECK_INT(L_DicomGetInfoTLS(caller->net, DICOM_TLS_INFO_APPLICATION, text, sizeof text),
                      0);
            CHECK_STR(text, "dicom");
            atomic_fetch_add(&s->seconds, second ? 1 : 0);
        }
        atomic_fetch_add(&s->links, 1);
        recorder_free(caller);
    }
    return NULL;
}

TEST(clients_of_many_threads_get_the_certificate_of_the_name_and_no_key_is_left)
{
    pthread_t threads[THREADS];
    scene *s = scene_new();
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, connect_by_names, s), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    CHECK_INT(atomic_load(&s->links), THREADS * ROUNDS);
    CHECK_INT(atomic_load(&s->seconds), THREADS * 4);
    scene_free(s);
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CREDENTIALS), 0);
}

/* The default certificate is in use elsewhere; the added one goes with the net that had it. */
TEST(an_added_key_goes_with_its_net_though_the_default_one_stays)
{
    scene *s = scene_new();
    recorder *other = recorder_new(s->server.pem, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    recorder *caller = recorder_new(s->client.pem, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    CHECK_INT(L_DicomSetServerNameTLS(caller->net, "second.test"), 0);
    CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", s->port), 0);
    CHECK(wait_for(caller, "ready 0"));
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CREDENTIALS), 3);
    for (recorder *one = made; one != NULL; one = one->next_made) {
        if (one != other) {
            recorder_free(one);
        }
    }
    for (int i = 0; i < 1000 && ldc_cache_count(LDC_CACHE_CREDENTIALS) > 1; i++) {
        struct timespec nap = {.tv_nsec = 10000000L}; /* connections end on workers */
        nanosleep(&nap, NULL);
    }
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CREDENTIALS), 1);
    scene_free(s);
}

TEST(certificates_may_be_taken_away_again)
{
    scene *s = scene_new();
    recorder *one = recorder_new(s->server.pem, s->ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
    add_second(one, s, "a.test");
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CREDENTIALS), 2);
    CHECK_INT(L_DicomClearCertificatesTLS(one->net), 0);
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CREDENTIALS), 1);
    CHECK_INT(L_DicomAddCertificateBytesTLS(one->net, NULL, 0, DICOM_TLS_CERTIFICATE_PEM, NULL, 0,
                                            "a.test"),
              DICOM_ERROR_TLS_CERTIFICATE_FILE);
    scene_free(s);
}
