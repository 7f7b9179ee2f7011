/* test_storm_clients.c - the other way round: our clients, with calls that wait, and acceptors that
 * say anything at any time. */
#include "storm_fixture.h"

static int door = -1;

static HDICOMPDU proposal(void)
{
    HDICOMPDU request = L_DicomCreateAssociate(1);
    (void)L_DicomSetCalled(request, "SCP");
    (void)L_DicomSetCalling(request, "SCU");
    (void)L_DicomAddPresentation(request, 1, 0, VERIFICATION);
    (void)L_DicomAddTransfer(request, 1, IMPLICIT);
    (void)L_DicomAddPresentation(request, 3, 0, CT_STORAGE);
    (void)L_DicomAddTransfer(request, 3, IMPLICIT);
    return request;
}

static L_VOID ask(HDICOMNET net, L_INT error, L_VOID *user)
{
    (void)user;
    if (error == 0) {
        HDICOMPDU request = proposal();
        (void)L_DicomSendAssociateRequest(net, request);
        L_DicomFreeAssociate(request);
    }
    do_anything(net);
}

static L_VOID ended(HDICOMNET net, L_INT error, HDICOMNET peer, L_VOID *user)
{
    (void)net;
    (void)error;
    (void)peer;
    (void)user;
}

/* Calls that wait, one after the other, until the connection is over. */
static void *call(void *number)
{
    static const L_UCHAR bytes[40000];
    uint32_t count = times(CONNECTIONS / 4);
    DICOMNETCALLBACK table = {.uStructSize = sizeof table,
                              .pfnConnect = ask,
                              .pfnClose = ended,
                              .pfnSend = sent,
                              .pfnReceive = received,
                              .pfnReceiveReleaseRequest = told,
                              .pfnReceiveReleaseResponse = told,
                              .pfnReceiveAbort = aborted,
                              .pfnReceiveCStoreRequest = store,
                              .pfnReceiveCEchoRequest = echo,
                              .pfnReceiveCCancelRequest = cancelled};
    HDICOMDS data = L_DicomCreateDS(NULL);
    (void)number;
    CHECK_INT(L_DicomSetBufferDS(data, bytes, sizeof bytes, IMPLICIT), 0);
    for (uint32_t i = 0; i < count; i++) {
        L_UINT16 status = 0;
        HDICOMNET net = L_DicomCreateNet(NULL, DICOM_SECURE_NONE);
        (void)L_DicomSetCallback(net, &table);
        (void)L_DicomSetLimit(net, DICOM_LIMIT_ARTIM_TIMEOUT, 100);
        (void)L_DicomSetLimit(net, DICOM_LIMIT_LINGER_TIMEOUT, 100);
        (void)L_DicomSetLimit(net, DICOM_LIMIT_SEND_TIMEOUT, 100);
        CHECK_INT(L_DicomConnect(net, NULL, 0, "127.0.0.1", port), 0);
        for (L_UINT16 id = 1; id < 12; id++) {
            L_UINT patience = any(8);
            int rc = id % 2 == 0 ? L_DicomCEchoAndWait(net, 1, id, VERIFICATION, patience, &status)
                                 : L_DicomCStoreAndWait(net, 3, id, CT_STORAGE, "1.2.3", 0, data,
                                                        patience, &status);
            if (rc == DICOM_ERROR_NET_TIMEOUT && any(2) == 0) {
                (void)L_DicomAwaitResponse(net, id, 1, &status);
            }
            if (rc == DICOM_ERROR_NET_TIMEOUT && any(2) == 0) {
                (void)L_DicomForgetResponse(net, id);
            }
            struct timespec nap = {.tv_nsec = 200000L};
            nanosleep(&nap, NULL);
        }
        if (any(2) == 0) {
            (void)L_DicomClose(net);
        }
        L_DicomFreeNet(net);
    }
    L_DicomFreeDS(data);
    return NULL;
}

static size_t agreement(uint8_t *bytes)
{
    L_UINT length = ROOM;
    HDICOMPDU request = proposal(), accept = L_DicomCreateAssociate(0);
    (void)L_DicomAddPresentation(accept, 1, PDU_ACCEPT_RESULT_SUCCESS, VERIFICATION);
    (void)L_DicomAddTransfer(accept, 1, IMPLICIT);
    (void)L_DicomAddPresentation(accept, 3, PDU_ACCEPT_RESULT_SUCCESS, CT_STORAGE);
    (void)L_DicomAddTransfer(accept, 3, IMPLICIT);
    CHECK_INT(L_DicomEncodeAssociate(accept, request, bytes, &length), 0);
    L_DicomFreeAssociate(request);
    L_DicomFreeAssociate(accept);
    return length;
}

static size_t answer(uint8_t *bytes, uint32_t *chance)
{
    ldc_command command;
    ldc_command_fault fault;
    uint16_t id = (uint16_t)(1 + next(chance) % 12);
    bool stored = id % 2 == 1;
    size_t length = 0;
    if (next(chance) % 4 == 0) {
        return piece(bytes, chance);
    }
    (void)(stored ? ldc_command_c_store_rsp(&command, id, CT_STORAGE, "1.2.3", 0, &fault)
                  : ldc_command_c_echo_rsp(&command, id, VERIFICATION, 0, &fault));
    uint8_t *encoded = ldc_command_encode(&command, &length, &fault);
    size_t put = p_data(bytes, stored ? 3 : 1, true, true, encoded, length);
    free(encoded);
    ldc_command_free(&command);
    return put;
}

static void *open_door(void *unused)
{
    uint8_t bytes[ROOM];
    uint32_t chance = 77;
    (void)unused;
    for (;;) {
        int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        struct pollfd some = {.fd = fd, .events = POLLIN};
        ssize_t put = 1;
        if (poll(&some, 1, 20) > 0 && next(&chance) % 10 > 0) {
            (void)recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
            size_t agreed = agreement(bytes);
            put = send(fd, bytes, agreed, MSG_NOSIGNAL);
        }
        for (unsigned i = next(&chance) % PIECES; i > 0 && put >= 0; i--) {
            size_t length = answer(bytes, &chance);
            put = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (next(&chance) % 4 > 0 && poll(&some, 1, 1) > 0) {
                (void)recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
            }
        }
        close(fd);
    }
}

TEST(clients_of_acceptors_that_say_anything)
{
    pthread_t callers[ATTACKERS], acceptor;
    struct sockaddr_in here = {.sin_family = AF_INET};
    socklen_t size = sizeof here;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(L_DicomSetLogCallback(quiet_log, NULL), 0);
    door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(door, (struct sockaddr *)&here, size), 0);
    CHECK_INT(listen(door, 64), 0);
    CHECK_INT(getsockname(door, (struct sockaddr *)&here, &size), 0);
    port = ntohs(here.sin_port);
    CHECK_INT(pthread_create(&acceptor, NULL, open_door, NULL), 0);
    for (size_t i = 0; i < ATTACKERS; i++) {
        CHECK_INT(pthread_create(&callers[i], NULL, call, NULL), 0);
    }
    for (size_t i = 0; i < ATTACKERS; i++) {
        CHECK_INT(pthread_join(callers[i], NULL), 0);
    }
    (void)shutdown(door, SHUT_RDWR);
    CHECK_INT(pthread_join(acceptor, NULL), 0);
    close(door);
    CHECK(all_quiet());
}
