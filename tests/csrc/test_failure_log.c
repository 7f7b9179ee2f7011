/* test_failure_log.c - failures in the log: once each, with their record, and never a flood. */
#include "ldc_failure_log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_engine.h"
#include "net_fixture.h"

enum {
    BOTH = L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    LINE_ROOM = 256
};

/* ---- a log that is written down ---- */

typedef struct line {
    int level, code, side, stage;
    char text[1200], peer[80];
    unsigned port, more;
    bool inbound;
} line;

static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;
static line lines[LINE_ROOM];
static int line_count;
static unsigned long long told;

static L_VOID write_down(const DICOMLOGRECORD *record, L_VOID *user)
{
    (void)user;
    if (record->pFailure == NULL || record->uStructSize != sizeof *record) {
        return;
    }
    pthread_mutex_lock(&lines_lock);
    line *to = &lines[line_count < LINE_ROOM ? line_count : LINE_ROOM - 1];
    *to = (line){.level = record->nLevel,
                 .code = record->pFailure->nCode,
                 .side = record->pFailure->nSide,
                 .stage = record->pFailure->nStage,
                 .port = record->nPeerPort,
                 .more = record->nMore,
                 .inbound = record->bInbound != 0};
    snprintf(to->text, sizeof to->text, "%s", record->pszText);
    snprintf(to->peer, sizeof to->peer, "%s", record->pszPeer == NULL ? "" : record->pszPeer);
    line_count += line_count < LINE_ROOM ? 1 : 0;
    told += record->nMore == 0 ? 1 : record->nMore;
    pthread_mutex_unlock(&lines_lock);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void begin(unsigned most, unsigned seconds)
{
    CHECK_INT(L_DicomSetLogCallbackExt(write_down, NULL), 0);
    CHECK_INT(L_DicomSetFailureLog(most, seconds), 0);
    pthread_mutex_lock(&lines_lock);
    line_count = 0;
    told = 0;
    pthread_mutex_unlock(&lines_lock);
}

static void end(void)
{
    CHECK_INT(L_DicomSetFailureLog(10, 60), 0);
    CHECK_INT(L_DicomSetLogCallbackExt(NULL, NULL), 0);
}

/* Waits for the line about a failure of that side; the log of a strand comes later. */
static bool wait_for_line(bool inbound, line *found)
{
    for (int i = 0; i < WAIT_SECONDS * 100; i++) {
        pthread_mutex_lock(&lines_lock);
        for (int j = 0; j < line_count; j++) {
            if (lines[j].inbound == inbound) {
                *found = lines[j];
                pthread_mutex_unlock(&lines_lock);
                return true;
            }
        }
        pthread_mutex_unlock(&lines_lock);
        struct timespec nap = {.tv_nsec = 10000000L};
        nanosleep(&nap, NULL);
    }
    return false;
}

static void fail_once(int code, const char *peer)
{
    ldc_failure failure;
    ldc_failure_init(&failure);
    ldc_failure_fill(&failure, code, DICOM_STAGE_TLS, DICOM_SIDE_PEER, NULL, "Do something.");
    (void)ldc_failure_log(0, &failure, peer, 4711, true);
    ldc_failure_clear(&failure);
}

/* ---- one line each ---- */

TEST(a_refused_handshake_has_one_line_on_each_side_with_record_sentence_and_peer)
{
    static const int methods[] = {TYPE_TLSV1_2_METHOD, TYPE_TLSV1_3_METHOD};
    for (size_t i = 0; i < 2; i++) {
        begin(10, 60);
        pki ca = pki_new();
        identity server = identity_new(&ca, "Unit Server", "serverAuth", 90);
        identity client = identity_new(&ca, "Unit Client", "emailProtection", 90);
        recorder *listener = recorder_new(NULL, NULL, 0, methods[i]);
        listener->child_pem = server.pem;
        listener->ca_pem = ca.root_pem;
        listener->child_flags = BOTH;
        listener->child_method = methods[i];
        recorder *caller = recorder_new(client.pem, ca.root_pem, BOTH, methods[i]);
        CHECK_INT(L_DicomListen(listener->net, "127.0.0.1", 0, 1), 0);
        unsigned port = L_DicomGetHostPort(listener->net);
        CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", port), 0);
        CHECK(wait_for(caller, "close"));
        recorder *child = wait_for_child(listener);
        CHECK(wait_for(child, "close"));
        line in = {0}, out = {0};
        CHECK(wait_for_line(true, &in) && wait_for_line(false, &out));
        DICOMFAILURE why = {.uStructSize = sizeof why};
        char sentence[1000];
        L_UINT room = sizeof sentence;
        CHECK_INT(L_DicomGetFailure(child->net, &why), 0);
        CHECK_INT(L_DicomFormatFailure(&why, sentence, &room), 0);
        CHECK(strstr(in.text, sentence) != NULL);
        CHECK(strstr(sentence, "certificate depth 0: InvalidPurpose, CN = Unit Client; alert sent "
                               "unsupported_certificate (43)") != NULL);
        CHECK_STR(in.peer, "127.0.0.1");
        CHECK_INT(in.port, L_DicomGetPeerPort(child->net));
        CHECK_INT(in.level, DICOM_LOG_WARNING);
        CHECK_INT(in.code, DICOM_ERROR_TLS_CERTIFICATE_REJECTED);
        room = sizeof sentence;
        CHECK_INT(L_DicomGetFailure(caller->net, &why), 0);
        CHECK_INT(L_DicomFormatFailure(&why, sentence, &room), 0);
        CHECK(strstr(out.text, sentence) != NULL);
        CHECK_INT(out.port, port);
        CHECK_INT(out.code, DICOM_ERROR_TLS_PEER_REJECTED_CERTIFICATE);
        for (recorder *one = made; one != NULL; one = one->next_made) {
            recorder_free(one);
        }
        CHECK(all_quiet());
        CHECK_INT(told, 2);
        recorders_release();
        free(server.pem);
        free(client.pem);
        pki_free(&ca);
        end();
    }
}

TEST(a_port_that_nobody_listens_on_is_named)
{
    begin(10, 60);
    recorder *caller = recorder_new(NULL, NULL, 0, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int taken = socket(AF_INET, SOCK_STREAM, 0); /* bound, not listening: refuses */
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(bind(taken, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(getsockname(taken, (struct sockaddr *)&address, &length), 0);
    CHECK_INT(L_DicomConnect(caller->net, NULL, 0, "127.0.0.1", ntohs(address.sin_port)), 0);
    line out;
    CHECK(wait_for_line(false, &out));
    CHECK_STR(out.peer, "127.0.0.1");
    CHECK_INT(out.port, ntohs(address.sin_port));
    CHECK_INT(out.code, DICOM_ERROR_NET_CONNECTION_REFUSED);
    recorder_free(caller);
    CHECK(all_quiet());
    recorders_release();
    close(taken);
    end();
}

/* ---- no flood ---- */

TEST(a_flood_has_ten_lines_and_one_that_counts_the_rest_and_hides_no_other_cause)
{
    begin(10, 60);
    for (int i = 0; i < 1000; i++) {
        fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, "192.0.2.7");
    }
    CHECK_INT(line_count, 10);
    fail_once(DICOM_ERROR_TLS_CERTIFICATE_REJECTED, "192.0.2.8");
    CHECK_INT(line_count, 11);
    CHECK_STR(lines[10].peer, "192.0.2.8");
    CHECK(ldc_failure_log_look(ldc_now_ms(), false) > ldc_now_ms());
    CHECK_INT(line_count, 11);
    CHECK_INT(ldc_failure_log_look(0, true), 0);
    CHECK_INT(line_count, 12);
    CHECK_INT(lines[11].more, 990);
    CHECK_INT(lines[11].code, DICOM_ERROR_TLS_PEER_NOT_TLS);
    CHECK(begins(lines[11].text,
                 "990 more connections failed within 60 seconds for the same cause, the first of "
                 "them from 192.0.2.7:4711: tls, by the peer: TlsPeerNotTls (305), "));
    end();
}

TEST(when_the_time_is_over_the_count_is_told_and_lines_come_again)
{
    begin(2, 60);
    for (int i = 0; i < 5; i++) {
        fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, "192.0.2.7");
    }
    CHECK_INT(line_count, 2);
    CHECK_INT(ldc_failure_log_look(ldc_now_ms() + 60000, false), 0);
    CHECK_INT(line_count, 3);
    CHECK_INT(lines[2].more, 3);
    begin(1, 1);
    fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, NULL);
    fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, NULL);
    CHECK_INT(line_count, 1);
    CHECK(begins(lines[0].text, "connection from an unknown address failed: "));
    struct timespec nap = {.tv_sec = 1, .tv_nsec = 50000000L};
    nanosleep(&nap, NULL); /* the shortest time there is */
    fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, NULL);
    CHECK_INT(line_count, 3); /* the count, and its own line */
    CHECK_INT(told, 3);
    end();
}

TEST(more_causes_than_there_is_room_for_lose_no_count)
{
    begin(1, 60);
    for (int code = 1000; code < 1100; code++) {
        fail_once(code, "192.0.2.7");
        fail_once(code, "192.0.2.7");
        fail_once(code, "192.0.2.7");
    }
    (void)ldc_failure_log_look(0, true);
    CHECK_INT(told, 300);
    CHECK_INT(line_count, 200);
    end();
}

TEST(with_zero_lines_failures_are_not_logged_and_odd_numbers_are_refused)
{
    begin(0, 60);
    fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, "192.0.2.7");
    (void)ldc_failure_log_look(0, true);
    CHECK_INT(line_count, 0);
    CHECK_INT(L_DicomSetFailureLog(1, 0), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomSetFailureLog(1, 604801), DICOM_ERROR_PARAMETER);
    end();
}

static void *flood(void *arg)
{
    (void)arg;
    for (int i = 0; i < 500; i++) {
        fail_once(2000 + i % 90, "192.0.2.7");
    }
    return NULL;
}

TEST(many_threads_at_once_lose_no_count)
{
    pthread_t threads[4];
    begin(1, 60);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, flood, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    (void)ldc_failure_log_look(0, true);
    CHECK_INT(told, 2000);
    end();
}

/* ---- the sentence ---- */

TEST(a_sentence_is_one_line_whatever_the_texts_are)
{
    DICOMFAILURE why = {.uStructSize = sizeof why,
                        .nCode = 12345,
                        .nStage = 99,
                        .nAlertSent = 200,
                        .nAlertReceived = -1,
                        .nCertificateCode = 4242,
                        .nCertificateDepth = -1,
                        .pszMessage = " a\nb\t\x1b[31mc ",
                        .pszRemedy = ""};
    char text[200];
    L_UINT room = sizeof text;
    CHECK_INT(L_DicomFormatFailure(&why, text, &room), 0);
    CHECK_STR(text, "unknown, by us: 12345 (12345), a b [31mc ; certificate 4242; alert sent "
                    "alert_200 (200)");
    CHECK_INT(room, strlen(text) + 1);
    L_UINT small = room - 1;
    CHECK_INT(L_DicomFormatFailure(&why, text, &small), DICOM_ERROR_PARAMETER);
    CHECK_INT(small, room);
    CHECK_INT(L_DicomFormatFailure(&why, NULL, &small), 0);
    CHECK_INT(L_DicomFormatFailure(NULL, text, &room), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomFormatFailure(&why, text, NULL), DICOM_ERROR_PARAMETER);
    why.uStructSize = 1;
    CHECK_INT(L_DicomFormatFailure(&why, text, &room), DICOM_ERROR_PARAMETER);
}

/* ---- who is told ---- */

static int plain_lines;

static L_VOID count_plain(L_INT level, HDICOMNET net, const L_TCHAR *text, L_VOID *user)
{
    (void)level, (void)net, (void)user;
    plain_lines += begins(text, "connection from 192.0.2.7:4711 failed: ");
}

TEST(the_callback_set_last_is_told_and_the_plain_one_gets_the_same_text)
{
    begin(10, 60);
    CHECK_INT(L_DicomSetLogCallback(count_plain, NULL), 0);
    fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, "192.0.2.7");
    CHECK_INT(plain_lines, 1);
    CHECK_INT(line_count, 0);
    CHECK_INT(L_DicomSetLogCallbackExt(write_down, NULL), 0);
    fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, "192.0.2.7");
    CHECK_INT(plain_lines, 1);
    CHECK_INT(line_count, 1);
    end();
}

TEST(the_failure_callback_is_told_of_each_and_the_log_is_as_bounded_as_before)
{
    begin(1, 60);
    CHECK_INT(L_DicomSetFailureCallback(write_down, NULL), 0);
    for (int i = 0; i < 5; i++) {
        fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, "192.0.2.7");
    }
    CHECK_INT(line_count, 6); /* and one line of the log */
    CHECK_INT(told, 6);
    CHECK_INT(lines[0].inbound && lines[5].inbound, 1);
    CHECK_STR(lines[0].peer, "192.0.2.7");
    CHECK_INT(begins(lines[0].text, "connection"), 0);
    CHECK_INT(begins(lines[1].text, "connection from 192.0.2.7:4711 failed: "), 1);
    CHECK_INT(L_DicomSetFailureCallback(NULL, NULL), 0);
    fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, "192.0.2.7");
    CHECK_INT(line_count, 6);
    end();
}

static atomic_int queued, slow_done;

static L_VOID slow(const DICOMLOGRECORD *record, L_VOID *user)
{
    (void)record, (void)user;
    usleep(20 * 1000);
    atomic_fetch_add(&slow_done, 1);
}

static void fail_later(ldc_job *job, bool user_slot)
{
    (void)job, (void)user_slot;
    fail_once(DICOM_ERROR_TLS_PEER_NOT_TLS, "192.0.2.7");
    atomic_store(&queued, 1);
}

TEST(a_flush_waits_for_what_came_up_so_far_and_no_longer_than_it_may)
{
    static ldc_job job = {.run = fail_later};
    begin(0, 60);
    CHECK_INT(L_DicomFlushLog(1000), 0);
    CHECK_INT(L_DicomSetFailureCallback(slow, NULL), 0);
    ldc_engine_push(&job, LDC_JOB_READY);
    while (atomic_load(&queued) == 0) {
        usleep(1000);
    }
    CHECK_INT(L_DicomFlushLog(10000), 0);
    CHECK_INT(atomic_load(&slow_done), 1);
    CHECK_INT(L_DicomSetFailureCallback(NULL, NULL), 0);
    end();
}
