/* test_storm.c - peers that say anything at any time to programs that do anything in any callback:
 * no crash, no hang, nothing left. Most is worth it under the sanitizers. */
#include "storm_fixture.h"

static L_VOID accepting(HDICOMNET net, L_INT error, L_VOID *user)
{
    DICOMNETCALLBACK table = {.uStructSize = sizeof table,
                              .pfnConnect = connected,
                              .pfnClose = closed,
                              .pfnReceiveAssociateRequest = asked,
                              .pfnReceiveReleaseRequest = told,
                              .pfnReceiveReleaseResponse = told,
                              .pfnReceiveAbort = aborted,
                              .pfnReceiveCStoreRequest = store,
                              .pfnReceiveCFindRequest = find,
                              .pfnReceiveCEchoRequest = echo,
                              .pfnReceiveCCancelRequest = cancelled,
                              .pfnReceiveChunk = chunk};
    (void)error;
    (void)user;
    if (any(2) == 0) {
        table.pfnSend = sent;
        table.pfnReceive = received;
        table.pfnReceiveUnknown = received;
        table.pfnReceiveData = data_came;
    }
    HDICOMNET child = L_DicomCreateNet(NULL, DICOM_SECURE_NONE);
    (void)L_DicomSetCallback(child, &table);
    (void)L_DicomSetLimit(child, DICOM_LIMIT_ARTIM_TIMEOUT, 200);
    (void)L_DicomSetLimit(child, DICOM_LIMIT_SEND_TIMEOUT, 200);
    (void)L_DicomSetLimit(child, DICOM_LIMIT_SEND_QUEUE, 4096);
    (void)L_DicomSetLimit(child, DICOM_LIMIT_DATA_SET_MEMORY, 512);
    (void)L_DicomSetLimit(child, DICOM_LIMIT_LINGER_TIMEOUT, 200);
    (void)L_DicomSetAutoRespond(child, any(4));
    if (L_DicomAccept(net, child) != 0 || any(40) == 0) {
        L_DicomFreeNet(child);
    }
}

static void one_connection(uint32_t seed)
{
    uint8_t bytes[ROOM];
    uint32_t chance = seed;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!CHECK_INT(connect(fd, (struct sockaddr *)&to, sizeof to), 0)) {
        close(fd);
        return;
    }
    bool reads = next(&chance) % 3 > 0;
    size_t length = association(bytes, &chance);
    ssize_t put = send(fd, bytes, length, MSG_NOSIGNAL);
    for (unsigned i = next(&chance) % PIECES; i > 0 && put >= 0; i--) {
        length = piece(bytes, &chance);
        put = send(fd, bytes, length, MSG_NOSIGNAL | (reads ? 0 : MSG_DONTWAIT));
        struct pollfd some = {.fd = fd, .events = POLLIN};
        if (reads && poll(&some, 1, (int)(next(&chance) % 3)) > 0) {
            (void)recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        }
    }
    if (next(&chance) % 2 == 0) {
        struct linger now = {.l_onoff = 1};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    } else if (next(&chance) % 2 == 0) {
        (void)shutdown(fd, SHUT_WR);
        while (recv(fd, bytes, sizeof bytes, 0) > 0) {
        }
    }
    close(fd);
}

static void *attack(void *number)
{
    uint32_t count = times(CONNECTIONS);
    for (uint32_t i = 0; i < count; i++) {
        one_connection((uint32_t)(uintptr_t)number * 100000u + i);
    }
    return NULL;
}

static void storm(bool pumped)
{
    pthread_t attackers[ATTACKERS];
    DICOMNETCALLBACK table = {
        .uStructSize = sizeof table, .pfnAccept = accepting, .pfnClose = closed};
    CHECK_INT(L_DicomSetLogCallback(quiet_log, NULL), 0);
    CHECK_INT(L_DicomSetPumpMode(pumped ? 1 : 0), 0);
    HDICOMNET listener = L_DicomCreateNet(NULL, DICOM_SECURE_NONE);
    CHECK_INT(L_DicomSetCallback(listener, &table), 0);
    CHECK_INT(L_DicomListen(listener, "127.0.0.1", 0, 128), 0);
    port = L_DicomGetHostPort(listener);
    for (uintptr_t i = 0; i < ATTACKERS; i++) {
        CHECK_INT(pthread_create(&attackers[i], NULL, attack, (void *)i), 0);
    }
    for (size_t i = 0; i < ATTACKERS; i++) {
        while (pumped && pthread_tryjoin_np(attackers[i], NULL) != 0) {
            (void)L_DicomBreathe(5);
        }
        if (!pumped) {
            CHECK_INT(pthread_join(attackers[i], NULL), 0);
        }
    }
    struct timespec end = wait_limit(), now;
    DICOMSTATISTICS left = {.uStructSize = sizeof left};
    do {
        (void)L_DicomBreathe(5);
        (void)L_DicomGetStatistics(&left);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (left.nConnections > 1 && now.tv_sec < end.tv_sec);
    while (pumped && L_DicomBreathe(50) != 0) {
    }
    L_DicomFreeNet(listener);
    CHECK(all_quiet());
    CHECK_INT(L_DicomSetPumpMode(0), 0);
}

TEST(anything_from_anybody_with_workers)
{
    storm(false);
}

TEST(anything_from_anybody_with_a_pump)
{
    storm(true);
}
