/* test_greeting.c - connections from a trusted proxy, over loopback: their header comes before all
 * else, and nothing is left of those that never say one. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_fixture.h"

#define SIGN   "\r\n\r\n\0\r\nQUIT\n"
#define CLIENT SIGN "\x21\x11\0\x0C\xC0\x00\x02\x07\xC0\x00\x02\xC8\x9C\x40\x0A\xCA"

static int dial(unsigned port, const char *bytes, size_t length)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((unsigned short)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_INT(send(fd, bytes, length, MSG_NOSIGNAL), (long)length);
    return fd;
}

static bool ended(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) <= 0;
}

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER; /* a recorder is listed unfinished */

/* Told when the child has been accepted; on the way out that may fail. */
static L_VOID accept_one(HDICOMNET net, L_INT error, L_VOID *user)
{
    recorder *self = user;
    pthread_mutex_lock(&making);
    recorder *child = recorder_new(NULL, NULL, 0, 0);
    pthread_mutex_unlock(&making);
    if (L_DicomAccept(net, child->net) != DICOM_SUCCESS) {
        recorder_free(child);
        return;
    }
    pthread_mutex_lock(&self->lock);
    self->child = child;
    pthread_mutex_unlock(&self->lock);
    noted(self, "accept", error);
}

static recorder *listener_new(const char *proxies)
{
    recorder *listener = recorder_new(NULL, NULL, 0, 0);
    DICOMNETCALLBACK callbacks = {
        .uStructSize = sizeof callbacks, .pUserData = listener, .pfnAccept = accept_one};
    CHECK_INT(L_DicomSetCallback(listener->net, &callbacks), 0);
    CHECK_INT(L_DicomSetTrustedProxies(listener->net, proxies), 0);
    CHECK_INT(L_DicomListen(listener->net, "127.0.0.1", 0, 16), 0);
    listener->port = L_DicomGetHostPort(listener->net);
    return listener;
}

/* Frees all nets, those too that are accepted meanwhile, until nothing is left. */
static void end(void)
{
    DICOMSTATISTICS now = {.uStructSize = sizeof now, .nNets = 1};
    for (int i = 0; i < WAIT_SECONDS * 100 && now.nNets + now.nThreads > 0; i++) {
        pthread_mutex_lock(&making);
        for (recorder *one = made; one != NULL; one = one->next_made) {
            recorder_free(one);
        }
        pthread_mutex_unlock(&making);
        struct timespec nap = {.tv_nsec = 1000000L};
        nanosleep(&nap, NULL);
        CHECK_INT(L_DicomGetStatistics(&now), 0);
    }
    CHECK(all_quiet());
    recorders_release();
}

TEST(the_child_knows_the_client_and_the_proxy)
{
    char text[64];
    recorder *listener = listener_new("127.0.0.0/8");
    int fd = dial(listener->port, CLIENT, sizeof CLIENT - 1);
    recorder *child = wait_for_child(listener);
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    CHECK_INT(getsockname(fd, (struct sockaddr *)&own, &length), 0);
    CHECK_INT(L_DicomGetPeerAddress(child->net, text, sizeof text), 0);
    CHECK_STR(text, "192.0.2.7");
    CHECK_INT(L_DicomGetPeerPort(child->net), 40000);
    CHECK_INT(L_DicomGetProxyAddress(child->net, text, sizeof text), 0);
    CHECK_STR(text, "127.0.0.1");
    CHECK_INT(L_DicomGetProxyPort(child->net), ntohs(own.sin_port));
    CHECK_INT(L_DicomGetProxyAddress(child->net, text, 9), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomGetTrustedProxies(listener->net, text, sizeof text), 0);
    CHECK_STR(text, "127.0.0.0/8");
    CHECK_INT(L_DicomSetTrustedProxies(listener->net, NULL), DICOM_ERROR_INVALID_STATE);
    close(fd);
    CHECK(wait_for(child, "close"));
    end();
}

TEST(listener_that_is_freed_leaves_nothing_of_those_that_have_not_greeted)
{
    for (int round = 0; round < 6; round++) {
        recorder *listener = listener_new("127.0.0.1");
        int fds[3] = {dial(listener->port, "", 0), dial(listener->port, SIGN, sizeof SIGN - 1),
                      dial(listener->port, SIGN "\x20\0\0", 15)};
        int last = dial(listener->port, CLIENT, sizeof CLIENT - 1);
        if (round % 2 == 0) {
            (void)wait_for_child(listener); /* else in the middle of accepting */
        }
        end();
        for (int i = 0; i < 3; i++) {
            CHECK(ended(fds[i]));
            close(fds[i]);
        }
        close(last);
    }
}

TEST(listener_may_listen_again_with_other_proxies)
{
    recorder *listener = listener_new("127.0.0.1");
    int silent = dial(listener->port, "", 0);
    CHECK_INT(L_DicomClose(listener->net), 0);
    CHECK(ended(silent));
    close(silent);
    CHECK_INT(L_DicomSetTrustedProxies(listener->net, "192.0.2.1"), 0);
    CHECK_INT(L_DicomListen(listener->net, "127.0.0.1", 0, 16), 0);
    int fd = dial(L_DicomGetHostPort(listener->net), CLIENT, sizeof CLIENT - 1);
    recorder *child = wait_for_child(listener);
    CHECK(wait_for(child, "close"));
    char text[64];
    CHECK_INT(L_DicomGetPeerAddress(child->net, text, sizeof text), 0);
    CHECK_STR(text, "127.0.0.1");
    close(fd);
    end();
}

typedef struct dialler {
    pthread_t thread;
    unsigned port;
} dialler;

static void *dial_often(void *arg)
{
    const dialler *self = arg;
    for (int i = 0; i < 40; i++) {
        size_t cut = (size_t)i % (sizeof CLIENT - 1);
        int fd = dial(self->port, CLIENT, cut);
        (void)send(fd, &CLIENT[cut], sizeof CLIENT - 1 - cut, MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

TEST(many_greet_at_once_while_the_listener_goes_away)
{
    dialler diallers[3];
    recorder *listener = listener_new("127.0.0.1");
    for (int i = 0; i < 3; i++) {
        diallers[i].port = listener->port;
        CHECK_INT(pthread_create(&diallers[i].thread, NULL, dial_often, &diallers[i]), 0);
    }
    (void)wait_for_child(listener);
    for (int i = 0; i < 3; i++) {
        pthread_join(diallers[i].thread, NULL);
    }
    end(); /* with whatever is still on its way */
}

TEST(port_is_shared_only_by_listeners_that_say_so)
{
    recorder *one = recorder_new(NULL, NULL, 0, 0);
    recorder *other = recorder_new(NULL, NULL, 0, 0);
    CHECK_INT(L_DicomGetReusePort(one->net), 0);
    CHECK_INT(L_DicomSetReusePort(one->net, 1), 0);
    CHECK_INT(L_DicomGetReusePort(one->net), 1);
    CHECK_INT(L_DicomListen(one->net, "127.0.0.1", 0, 1), 0);
    unsigned port = L_DicomGetHostPort(one->net);
    CHECK_INT(L_DicomListen(other->net, "127.0.0.1", port, 1), DICOM_ERROR_NET_ADDRESS_IN_USE);
    CHECK_INT(L_DicomSetReusePort(other->net, 1), 0);
    CHECK_INT(L_DicomListen(other->net, "127.0.0.1", port, 1), 0);
    CHECK_INT(L_DicomSetReusePort(other->net, 0), DICOM_ERROR_INVALID_STATE);
    end();
}
