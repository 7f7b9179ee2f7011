/* test_expiry.c - listeners warn 30, 7 and 1 days before a certificate ends, and when it has; the
 * clock is the test's. */
#include "ldc_expiry.h"

#include "net_fixture.h"

enum {
    DAY = 86400,
    BOTH = L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT
};

/* ---- time and log ---- */

static _Atomic long long shift;

static int64_t shifted(void)
{
    return (int64_t)time(NULL) + shift + 3600; /* days that have begun do not count */
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

typedef struct warning {
    char text[300], subject[100];
    int days;
    bool authority;
} warning;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static warning warnings[32];
static int count, others;

static L_VOID write_down(const DICOMLOGRECORD *record, L_VOID *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    if (record->pEnding != NULL && count < 32) {
        warning *to = &warnings[count++];
        to->days = record->pEnding->nDaysLeft;
        to->authority = record->pEnding->bAuthority != 0;
        snprintf(to->text, sizeof to->text, "%s", record->pszText);
        snprintf(to->subject, sizeof to->subject, "%s", record->pEnding->pszSubject);
        CHECK_INT(record->nLevel, DICOM_LOG_WARNING);
    } else {
        others++;
    }
    pthread_mutex_unlock(&lock);
}

static void begin(void)
{
    count = 0;
    others = 0;
    shift = 0;
    ldc_expiry_set_clock(shifted);
    CHECK_INT(L_DicomSetLogCallbackExt(write_down, NULL), 0);
}

static void end(void)
{
    ldc_expiry_set_clock(NULL);
    CHECK_INT(L_DicomSetLogCallbackExt(NULL, NULL), 0);
}

/* Opens and closes a listener that has the certificate itself. */
static void listen_once(const char *pem, const char *ca_pem)
{
    recorder *listener = recorder_new(pem, ca_pem, BOTH, TYPE_SSLV23_METHOD);
    CHECK_INT(L_DicomListen(listener->net, "127.0.0.1", 0, 1), 0);
    recorder_free(listener);
    CHECK(all_quiet());
    recorders_release();
}

/* ---- tests ---- */

TEST(each_step_is_told_once_when_a_listener_opens)
{
    begin();
    pki ca = pki_new(); /* 30 days */
    X509_free(ca.root);
    free(ca.root_pem);
    ca.root = make_certificate("Unit Root", ca.root_key, NULL, ca.root_key, true, NULL, 400);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, ca.root);
    ca.root_pem = bio_text(bio);
    identity own = identity_new(&ca, "Node", "serverAuth", 100);
    static const struct {
        int after, days, told;
    } rounds[] = {{0, 99, 0}, {60, 39, 0}, {70, 29, 1}, {80, 19, 1}, {93, 6, 2},
                  {95, 4, 2}, {98, 1, 3},  {98, 1, 3},  {99, 0, 3},  {101, -2, 4}};
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
        shift = (long long)rounds[i].after * DAY;
        listen_once(own.pem, ca.root_pem);
        CHECK_INT(count, rounds[i].told);
        if (count > 0 && i > 0 && rounds[i].told > rounds[i - 1].told) {
            CHECK_INT(warnings[count - 1].days, rounds[i].days);
            CHECK_STR(warnings[count - 1].subject, "CN = Node");
            CHECK(!warnings[count - 1].authority);
        }
    }
    CHECK(begins(warnings[0].text, "our certificate CN = Node ends in 29 days, on "));
    CHECK(begins(warnings[2].text, "our certificate CN = Node ends in 1 day, on "));
    CHECK(begins(warnings[3].text, "our certificate CN = Node has ended on "));
    CHECK(strstr(warnings[3].text, " UTC: renew it") != NULL);
    free(own.pem);
    pki_free(&ca);
    end();
}

TEST(children_with_tls_behind_a_listener_without_are_looked_at_too)
{
    begin();
    pki ca = pki_new(); /* 30 days: 29 whole ones */
    identity own = identity_new(&ca, "Child", "serverAuth", 5);
    identity client = identity_new(&ca, "Client", "clientAuth", 5);
    recorder *listener = recorder_new(NULL, NULL, 0, 0);
    listener->child_pem = own.pem;
    listener->ca_pem = ca.root_pem;
    listener->child_flags = BOTH;
    listener->child_method = TYPE_SSLV23_METHOD;
    CHECK_INT(L_DicomListen(listener->net, "127.0.0.1", 0, 1), 0);
    CHECK_INT(count, 0);
    for (int i = 0; i < 2; i++) {
        recorder *caller = recorder_new(client.pem, ca.root_pem, BOTH, TYPE_SSLV23_METHOD);
        CHECK_INT(
            L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", L_DicomGetHostPort(listener->net)),
            0);
        CHECK(wait_for(caller, "ready 0"));
        CHECK_INT(count, 2); /* the client is no listener: of its certificate nothing is said */
    }
    CHECK_STR(warnings[0].subject, "CN = Child");
    CHECK_INT(warnings[0].days, 4);
    CHECK_STR(warnings[1].subject, "CN = Unit Root");
    CHECK(warnings[1].authority);
    CHECK(begins(warnings[1].text, "the certification authority CN = Unit Root ends in 29 days"));
    for (recorder *one = made; one != NULL; one = one->next_made) {
        recorder_free(one);
    }
    CHECK(all_quiet());
    recorders_release();
    free(own.pem);
    free(client.pem);
    pki_free(&ca);
    end();
}

TEST(a_context_is_looked_at_again_on_the_next_day_only)
{
    begin();
    pki ca = pki_new();
    identity own = identity_new(&ca, "Daily", "serverAuth", 31);
    ldc_tls_credentials *credentials = NULL;
    ldc_tls_settings *settings = NULL, *with_ca = NULL;
    ldc_tls_context *context = NULL;
    ldc_tls_choice choice;
    ldc_tls_source source = {.data = (const unsigned char *)own.pem, .size = strlen(own.pem)};
    ldc_tls_source none = {0};
    ldc_tls_choice_init(&choice);
    CHECK_INT(ldc_tls_library_start(), 0);
    CHECK_INT(ldc_tls_credentials_load(&source, DICOM_TLS_CERTIFICATE_PEM, &none, NULL, NULL,
                                       &credentials),
              0);
    CHECK_INT(ldc_tls_settings_new(NULL, &settings), 0);
    CHECK_INT(ldc_tls_settings_with_ca(settings,
                                       &(ldc_tls_source){.file = "ca",
                                                         .data = (const unsigned char *)ca.root_pem,
                                                         .size = strlen(ca.root_pem)},
                                       &with_ca),
              0);
    CHECK_INT(ldc_tls_context_get(true, with_ca, credentials, &choice, 0, &context), 0);
    shift = (int64_t)-2 * DAY;
    ldc_expiry_look_at_context(0, context);
    CHECK_INT(count, 0); /* 31 and 32 days */
    shift = 0;
    ldc_expiry_look_at_context(0, context);
    CHECK_INT(count, 2);
    shift = (int64_t)26 * DAY;
    ldc_expiry_look_at_context(0, context);
    CHECK_INT(count, 4);
    shift = (int64_t)26 * DAY + 3600; /* an hour later */
    ldc_expiry_look_at_context(0, context);
    CHECK_INT(count, 4);
    shift = (int64_t)60 * DAY;
    ldc_expiry_look_at_context(0, context);
    CHECK_INT(count, 6);
    ldc_ref_put(&context->shared.ref);
    ldc_ref_put(&credentials->shared.ref);
    ldc_ref_put(&settings->ref);
    ldc_ref_put(&with_ca->ref);
    ldc_tls_choice_clear(&choice);
    free(own.pem);
    pki_free(&ca);
    end();
}

TEST(a_file_of_many_authorities_that_have_ended_does_not_flood_the_log)
{
    begin();
    pki ca = pki_new();
    ldc_tls_anchors anchors = {.certificates = sk_X509_new_null()};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "Old Root %d", i);
        sk_X509_push(anchors.certificates, make_certificate(name, key, NULL, key, true, NULL, -1));
    }
    ldc_expiry_look(0, NULL, &anchors);
    CHECK_INT(count, 5);
    CHECK_INT(others, 1);
    ldc_expiry_look(0, NULL, &anchors);
    CHECK_INT(count + others, 6);
    sk_X509_pop_free(anchors.certificates, X509_free);
    EVP_PKEY_free(key);
    pki_free(&ca);
    end();
}
