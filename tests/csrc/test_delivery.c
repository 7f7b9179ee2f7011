/* test_delivery.c - what waits to be told is bounded: connections that nobody accepts, PDUs that
 * OnSend has not heard of. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_net.h"
#include "ldc_news.h"
#include "net_fixture.h"

/* ---- OnSend ---- */

static ldc_news *sent(uint8_t type, uint32_t length)
{
    ldc_news *news = ldc_news_new(LDC_NEWS_SENT);
    news->type = type;
    news->length = length;
    return news;
}

static bool join(ldc_news *first, uint8_t type, uint32_t length)
{
    ldc_news *next = sent(type, length);
    bool taken = ldc_news_join(first, next);
    ldc_news_free(next);
    return taken;
}

TEST(pdus_that_are_joined_are_told_one_by_one_in_their_order)
{
    static const struct {
        uint8_t type;
        uint32_t length;
    } pdus[] = {{4, 100}, {4, 100}, {4, 100}, {4, 90}, {5, 4}, {4, 100}, {4, 100}};
    ldc_news *first = sent(2, 200);
    for (size_t i = 0; i < sizeof pdus / sizeof pdus[0]; i++) {
        CHECK(join(first, pdus[i].type, pdus[i].length));
    }
    CHECK_INT(first->length, 200);
    for (size_t i = 0; i < sizeof pdus / sizeof pdus[0]; i++) {
        CHECK(ldc_news_has_more(first));
        CHECK(ldc_news_go_on(first));
        CHECK_INT(first->type, pdus[i].type);
        CHECK_INT(first->length, pdus[i].length);
    }
    CHECK(!ldc_news_go_on(first));
    CHECK(join(first, 4, 7)); /* after the last one there may be more */
    CHECK(ldc_news_go_on(first));
    CHECK_INT(first->length, 7);
    CHECK(!ldc_news_has_more(first));
    ldc_news_free(first);
}

TEST(pdus_past_the_limit_are_counted)
{
    ldc_news *first = sent(4, 0);
    uint32_t joined = 0, told = 0;
    while (ldc_news_left_out(first) < 100) {
        CHECK(join(first, 4, ++joined));
    }
    joined -= 100;
    while (told < joined / 2 + 10 && ldc_news_go_on(first)) {
        CHECK_INT(first->length, ++told);
    }
    CHECK(join(first, 4, joined + 1)); /* room again */
    CHECK_INT(ldc_news_left_out(first), 100);
    while (ldc_news_go_on(first)) {
        CHECK_INT(first->length, ++told);
    }
    CHECK_INT(told, joined + 1);
    ldc_news_free(first);
}

TEST(other_news_is_not_joined)
{
    ldc_news *first = sent(4, 1), *other = ldc_news_new(LDC_NEWS_PDU);
    CHECK(!ldc_news_join(first, other));
    CHECK(!ldc_news_join(other, first));
    ldc_news_free(first);
    ldc_news_free(other);
}

/* ---- OnAccept ---- */

enum {
    MOST_WAITING = 4,
    CALLERS = 60
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int accepts;

static L_VOID blocked_accept(HDICOMNET net, L_INT error, L_VOID *user)
{
    (void)error;
    (void)user;
    atomic_fetch_add(&accepts, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    HDICOMNET child = L_DicomCreateNet(NULL, DICOM_SECURE_NONE);
    (void)L_DicomAccept(net, child); /* it may be gone by now */
    L_DicomFreeNet(child);
}

static int dial(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static bool within_limit(bool (*done)(HDICOMNET net), HDICOMNET net)
{
    for (int i = 0; i < WAIT_SECONDS * 100 && !done(net); i++) {
        struct timespec nap = {.tv_nsec = 10000000L};
        nanosleep(&nap, NULL);
    }
    return done(net);
}

static uint64_t accepted_before;

static bool all_have_come(HDICOMNET net)
{
    DICOMSTATISTICS now = {.uStructSize = sizeof now};
    (void)net;
    (void)L_DicomGetStatistics(&now);
    return now.nAccepted - accepted_before == CALLERS;
}

static bool nothing_waits(HDICOMNET handle)
{
    ldc_net *net = ldc_net_acquire(handle);
    pthread_mutex_lock(&net->lock);
    bool none = net->first == NULL && net->accepts_due == 0 && !net->delivering;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    return none;
}

TEST(a_crowd_at_the_door_does_not_fill_the_queue_of_events)
{
    DICOMSTATISTICS now = {.uStructSize = sizeof now};
    DICOMNETCALLBACK callbacks = {.uStructSize = sizeof callbacks, .pfnAccept = blocked_accept};
    int callers[CALLERS];
    HDICOMNET listener = L_DicomCreateNet(NULL, DICOM_SECURE_NONE);
    CHECK_INT(L_DicomSetLimit(listener, DICOM_LIMIT_HANDSHAKES_TOTAL, MOST_WAITING), 0);
    CHECK_INT(L_DicomSetCallback(listener, &callbacks), 0);
    CHECK_INT(L_DicomListen(listener, "127.0.0.1", 0, 128), 0);
    (void)L_DicomGetStatistics(&now);
    accepted_before = now.nAccepted;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = dial(L_DicomGetHostPort(listener));
    }
    CHECK(within_limit(all_have_come, listener));
    ldc_net *net = ldc_net_acquire(listener);
    int events = 0;
    pthread_mutex_lock(&net->lock);
    for (ldc_event *event = net->first; event != NULL; event = event->next) {
        events++;
    }
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    CHECK(events <= MOST_WAITING);
    pthread_mutex_unlock(&gate);
    CHECK(within_limit(nothing_waits, listener));
    CHECK(atomic_load(&accepts) >= MOST_WAITING); /* all that still waited were told of */
    CHECK(atomic_load(&accepts) <= 2 * MOST_WAITING + 1);
    atomic_store(&accepts, 0);
    int one_more = dial(L_DicomGetHostPort(listener));
    for (int i = 0; i < WAIT_SECONDS * 100 && atomic_load(&accepts) == 0; i++) {
        struct timespec nap = {.tv_nsec = 10000000L};
        nanosleep(&nap, NULL);
    }
    CHECK_INT(atomic_load(&accepts), 1);
    close(one_more);
    for (int i = 0; i < CALLERS; i++) {
        close(callers[i]);
    }
    L_DicomFreeNet(listener);
    CHECK(all_quiet());
}
