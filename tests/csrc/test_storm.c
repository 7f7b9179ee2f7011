/*
 * test_storm.c - peers that say anything at any time, programs that do anything in any callback: no
 * crash, no hang, nothing left. Most is worth it under the sanitizers.
 *
 * Seeded: what one connection says is the same in every run; when it arrives is not. The variable
 * LDC_STORM gives how many times as many connections there are.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ldc_command.h"
#include "ldc_pdv.h"
#include "net_fixture.h"

#define VERIFICATION "1.2.840.10008.1.1"
#define CT_STORAGE   "1.2.840.10008.5.1.4.1.1.2"
#define FIND         "1.2.840.10008.5.1.4.1.2.2.1"
#define IMPLICIT     "1.2.840.10008.1.2"

enum {
    ATTACKERS = 3,
    CONNECTIONS = 60,
    PIECES = 24,
    ROOM = 16 * 1024
};

/* ---- chance ---- */

static atomic_uint chance_of_callbacks;

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static unsigned any(unsigned most)
{
    uint32_t state = atomic_fetch_add(&chance_of_callbacks, 7919u);
    return next(&state) % most;
}

/* ---- the program ---- */

static void do_anything(HDICOMNET net)
{
    L_UINT16 status;
    switch (any(24)) {
    case 0:
        (void)L_DicomClose(net);
        break;
    case 1:
        (void)L_DicomCloseForced(net, 1);
        break;
    case 2:
        (void)L_DicomCloseForced(net, 0);
        L_DicomFreeNet(net); /* nobody tells of the close */
        break;
    case 3:
        L_DicomFreeNet(net);
        break;
    case 4:
        (void)L_DicomSendAbort(net, 0, 0);
        break;
    case 5:
        (void)L_DicomSendReleaseRequest(net);
        break;
    case 6:
        (void)L_DicomSendReleaseResponse(net);
        break;
    case 7:
        (void)L_DicomCEchoAndWait(net, 1, (L_UINT16)any(9), VERIFICATION, any(5), &status);
        break;
    case 8:
        (void)L_DicomSetLimit(net, DICOM_LIMIT_IDLE_TIMEOUT, any(3));
        break;
    case 9:
        (void)L_DicomSetReceiveSink(net, (L_INT)any(4));
        break;
    case 10:
        (void)L_DicomReportCallbackFailure(net, "on purpose");
        break;
    default:
        break;
    }
}

static L_VOID connected(HDICOMNET net, L_INT error, L_VOID *user)
{
    (void)error;
    (void)user;
    do_anything(net);
}

static L_VOID closed(HDICOMNET net, L_INT error, HDICOMNET peer, L_VOID *user)
{
    (void)error;
    (void)user;
    L_DicomFreeNet(peer == net ? net : peer);
}

static L_VOID sent(HDICOMNET net, L_INT error, L_UCHAR type, L_UINT32 bytes, L_VOID *user)
{
    (void)error;
    (void)type;
    (void)bytes;
    (void)user;
    do_anything(net);
}

static L_VOID received(HDICOMNET net, L_INT error, L_UCHAR type, L_UCHAR *bytes, L_UINT32 size,
                       L_VOID *user)
{
    (void)error;
    (void)type;
    (void)user;
    CHECK(size == 0 || bytes != NULL);
    do_anything(net);
}

static L_VOID asked(HDICOMNET net, HDICOMPDU request, L_VOID *user)
{
    (void)user;
    if (any(10) == 0) {
        (void)L_DicomSendAssociateReject(net, 1, 1, 1);
        return;
    }
    HDICOMPDU accept = L_DicomCreateAssociate(0);
    for (L_UINT i = 0; i < L_DicomGetPresentationCount(request); i++) {
        L_TCHAR uid[65];
        L_UCHAR id = L_DicomGetPresentation(request, i);
        (void)L_DicomAddPresentation(accept, id, PDU_ACCEPT_RESULT_SUCCESS, "");
        (void)L_DicomGetTransfer(request, id, 0, uid, sizeof uid);
        (void)L_DicomAddTransfer(accept, id, uid);
    }
    (void)L_DicomSendAssociateAccept(net, accept);
    L_DicomFreeAssociate(accept);
    do_anything(net);
}

static L_VOID told(HDICOMNET net, L_VOID *user)
{
    (void)user;
    do_anything(net);
}

static L_VOID aborted(HDICOMNET net, L_UCHAR source, L_UCHAR reason, L_VOID *user)
{
    (void)source;
    (void)reason;
    (void)user;
    do_anything(net);
}

static L_VOID data_came(HDICOMNET net, L_UCHAR context, HDICOMDS command, HDICOMDS data,
                        L_VOID *user)
{
    (void)context;
    (void)user;
    CHECK(L_DicomGetLengthDS(command) > 0);
    (void)L_DicomGetLengthDS(data);
    do_anything(net);
}

static L_VOID echo(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid, L_VOID *user)
{
    (void)user;
    if (any(4) > 0) {
        (void)L_DicomSendCEchoResponse(net, context, id, class_uid, 0);
    }
    do_anything(net);
}

static L_VOID store(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                    L_TCHAR *instance, L_UINT16 priority, L_TCHAR *move_ae, L_UINT16 move_id,
                    HDICOMDS data, L_VOID *user)
{
    (void)priority;
    (void)move_ae;
    (void)move_id;
    (void)data;
    (void)user;
    if (any(4) > 0) {
        (void)L_DicomSendCStoreResponse(net, context, id, class_uid, instance, 0);
    }
    do_anything(net);
}

static L_VOID find(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                   L_UINT16 priority, HDICOMDS data, L_VOID *user)
{
    (void)priority;
    (void)user;
    for (unsigned i = any(30); i > 0; i--) {
        (void)L_DicomSendCFindResponse(net, context, id, class_uid, COMMAND_STATUS_PENDING, data);
    }
    (void)L_DicomSendCFindResponse(net, context, id, class_uid, 0, NULL);
    do_anything(net);
}

static L_VOID cancelled(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_VOID *user)
{
    (void)context;
    (void)id;
    (void)user;
    do_anything(net);
}

static L_VOID chunk(HDICOMNET net, L_UCHAR context, L_UINT16 id, const L_UCHAR *bytes,
                    L_UINT32 size, L_UINT32 flags, L_VOID *user)
{
    (void)context;
    (void)id;
    (void)bytes;
    (void)size;
    (void)flags;
    (void)user;
    do_anything(net);
}

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

/* ---- the peer ---- */

static size_t association(uint8_t *bytes, uint32_t *chance)
{
    L_UINT length = ROOM;
    HDICOMPDU request = L_DicomCreateAssociate(1);
    (void)L_DicomSetCalled(request, "SCP");
    (void)L_DicomSetCalling(request, "SCU");
    (void)L_DicomAddPresentation(request, 1, 0, VERIFICATION);
    (void)L_DicomAddTransfer(request, 1, IMPLICIT);
    (void)L_DicomAddPresentation(request, 3, 0, CT_STORAGE);
    (void)L_DicomAddTransfer(request, 3, IMPLICIT);
    (void)L_DicomAddPresentation(request, 5, 0, FIND);
    (void)L_DicomAddTransfer(request, 5, IMPLICIT);
    CHECK_INT(L_DicomEncodeAssociate(request, NULL, bytes, &length), 0);
    L_DicomFreeAssociate(request);
    if (next(chance) % 8 == 0) {
        bytes[7] = 0; /* no version that we have */
    }
    return length;
}

static size_t p_data(uint8_t *bytes, uint8_t context, bool command, bool last, const void *part,
                     size_t size)
{
    ldc_pdv_write_headers(bytes, context, command, last, (uint32_t)size);
    memcpy(bytes + LDC_PDV_HEADERS, part, size);
    return LDC_PDV_HEADERS + size;
}

static size_t message(uint8_t *bytes, uint32_t *chance)
{
    static const uint8_t data[3000];
    ldc_command command;
    ldc_command_fault fault;
    uint16_t id = (uint16_t)(next(chance) % 9);
    unsigned kind = next(chance) % 6;
    uint8_t context = kind == 1 ? 3 : kind == 2 ? 5 : 1;
    bool with_data = kind == 1 || kind == 2;
    switch (kind) {
    case 0:
        (void)ldc_command_c_echo_rq(&command, id, VERIFICATION, &fault);
        break;
    case 1:
        (void)ldc_command_c_store_rq(&command, id, CT_STORAGE, "1.2.3", 0, NULL, 0, true, &fault);
        break;
    case 2:
        (void)ldc_command_c_find_rq(&command, id, FIND, 0, true, &fault);
        break;
    case 3:
    case 4:
        (void)ldc_command_c_cancel_rq(&command, id, &fault);
        break;
    default:
        (void)ldc_command_c_echo_rsp(&command, id, VERIFICATION, 0, &fault);
        break;
    }
    size_t length = 0;
    uint8_t *encoded = ldc_command_encode(&command, &length, &fault);
    size_t put = p_data(bytes, context, true, true, encoded, length);
    free(encoded);
    ldc_command_free(&command);
    if (with_data && next(chance) % 8 > 0) {
        size_t size = next(chance) % 2 == 0 ? 16 : sizeof data;
        put += p_data(bytes + put, context, false, next(chance) % 8 > 0, data, size);
    }
    return put;
}

static size_t piece(uint8_t *bytes, uint32_t *chance)
{
    static const uint8_t release[] = {5, 0, 0, 0, 0, 4, 0, 0, 0, 0};
    static const uint8_t released[] = {6, 0, 0, 0, 0, 4, 0, 0, 0, 0};
    static const uint8_t end[] = {7, 0, 0, 0, 0, 4, 0, 0, 2, 1};
    static const uint8_t rejected[] = {3, 0, 0, 0, 0, 4, 0, 1, 1, 1};
    const uint8_t *small = NULL;
    size_t length = sizeof release;
    switch (next(chance) % 32) {
    case 0:
        small = release;
        break;
    case 1:
        small = released;
        break;
    case 2:
        small = end;
        break;
    case 3:
        small = rejected;
        break;
    case 4:
        return association(bytes, chance);
    case 5: /* empty fragments */
        return p_data(bytes, 1, next(chance) % 2 == 0, false, "", 0);
    default:
        length = message(bytes, chance);
        break;
    }
    if (small != NULL) {
        memcpy(bytes, small, length);
    }
    if (next(chance) % 24 == 0) {
        bytes[next(chance) % length] ^= (uint8_t)(1u << next(chance) % 8);
    }
    return next(chance) % 24 == 0 ? next(chance) % length : length;
}

static unsigned port;

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
    const char *times = getenv("LDC_STORM");
    uint32_t count = CONNECTIONS * (times == NULL ? 1u : (uint32_t)strtoul(times, NULL, 10));
    for (uint32_t i = 0; i < count; i++) {
        one_connection((uint32_t)(uintptr_t)number * 100000u + i);
    }
    return NULL;
}

static L_VOID quiet_log(L_INT level, HDICOMNET net, const L_TCHAR *text, L_VOID *user)
{
    (void)level;
    (void)net;
    (void)user;
    CHECK(text[0] != '\0');
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
