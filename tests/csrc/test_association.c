/* test_association.c - associations and messages over loopback, both roles of ours, plain. */
#include "net_fixture.h"

#define VERIFICATION "1.2.840.10008.1.1"
#define CT_STORAGE   "1.2.840.10008.5.1.4.1.1.2"
#define IMPLICIT     "1.2.840.10008.1.2"
#define EXPLICIT     "1.2.840.10008.1.2.1"

typedef struct link {
    recorder *listener, *scu;
    recorder *scp; /* the child */
} link;

static DICOMNETCALLBACK table_of(recorder *self)
{
    return (DICOMNETCALLBACK){.uStructSize = sizeof(DICOMNETCALLBACK),
                              .pUserData = self,
                              .pfnConnect = on_connect,
                              .pfnClose = on_close};
}

/* ---- SCP ---- */

static L_VOID scp_request(HDICOMNET net, HDICOMPDU request, L_VOID *user)
{
    HDICOMPDU accept = L_DicomCreateAssociate(0);
    CHECK_INT(L_DicomSetCalled(accept, "SCP"), 0);
    CHECK_INT(L_DicomSetCalling(accept, "SCU"), 0);
    for (L_UINT i = 0; i < L_DicomGetPresentationCount(request); i++) {
        L_TCHAR uid[65];
        L_UCHAR id = L_DicomGetPresentation(request, i);
        CHECK_INT(L_DicomGetAbstract(request, id, uid, sizeof uid), 0);
        CHECK_INT(L_DicomAddPresentation(accept, id, PDU_ACCEPT_RESULT_SUCCESS, uid), 0);
        CHECK_INT(L_DicomGetTransfer(request, id, 0, uid, sizeof uid), 0);
        CHECK_INT(L_DicomAddTransfer(accept, id, uid), 0);
    }
    noted(user, "request", 0);
    CHECK_INT(L_DicomSendAssociateAccept(net, accept), 0);
    L_DicomFreeAssociate(accept);
}

static L_VOID scp_echo(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                       L_VOID *user)
{
    CHECK_STR(class_uid, VERIFICATION);
    CHECK(L_DicomIsAssociated(net));
    noted(user, "echo", id);
    CHECK_INT(L_DicomSendCEchoResponse(net, context, id, class_uid, COMMAND_STATUS_SUCCESS), 0);
}

static L_VOID scp_store(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                        L_TCHAR *instance, L_UINT16 priority, L_TCHAR *move_ae, L_UINT16 move_id,
                        HDICOMDS data, L_VOID *user)
{
    const L_UCHAR *bytes = NULL;
    L_UINT64 size = 0;
    (void)move_id;
    CHECK_INT(priority, COMMAND_PRIORITY_MEDIUM);
    CHECK_STR(move_ae, "");
    CHECK_STR(L_DicomGetTransferSyntaxDS(data), EXPLICIT);
    CHECK_INT(L_DicomGetBufferDS(data, &bytes, &size), 0);
    bool same = true;
    for (L_UINT64 i = 0; i < size; i++) {
        same = same && bytes[i] == (L_UCHAR)(i * 7);
    }
    CHECK(same);
    noted(user, "store", (int)size);
    CHECK_INT(
        L_DicomSendCStoreResponse(net, context, id, class_uid, instance, COMMAND_STATUS_SUCCESS),
        0);
}

static L_VOID scp_release(HDICOMNET net, L_VOID *user)
{
    noted(user, "release", 0);
    CHECK_INT(L_DicomSendReleaseResponse(net), 0);
}

static L_VOID noted_abort(HDICOMNET net, L_UCHAR source, L_UCHAR reason, L_VOID *user)
{
    (void)net;
    noted(user, "abort", source * 16 + reason);
}

static L_VOID scp_accept(HDICOMNET net, L_INT error, L_VOID *user)
{
    recorder *self = user;
    recorder *child = recorder_new(NULL, NULL, 0, 0);
    DICOMNETCALLBACK table = table_of(child);
    table.pfnReceiveAssociateRequest = scp_request;
    table.pfnReceiveCEchoRequest = scp_echo;
    table.pfnReceiveCStoreRequest = scp_store;
    table.pfnReceiveReleaseRequest = scp_release;
    table.pfnReceiveAbort = noted_abort;
    CHECK_INT(L_DicomSetCallback(child->net, &table), 0);
    pthread_mutex_lock(&self->lock);
    self->child = child;
    pthread_mutex_unlock(&self->lock);
    record(self, "accept", error);
    CHECK_INT(L_DicomAccept(net, child->net), 0);
    left(self);
}

/* ---- SCU ---- */

static L_VOID scu_accepted(HDICOMNET net, HDICOMPDU accept, L_VOID *user)
{
    (void)net;
    noted(user, "accepted", (int)L_DicomGetPresentationCount(accept));
}

static L_VOID scu_rejected(HDICOMNET net, L_UCHAR result, L_UCHAR source, L_UCHAR reason,
                           L_VOID *user)
{
    (void)net;
    noted(user, "rejected", result * 100 + source * 10 + reason);
}

static L_VOID scu_echoed(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                         L_UINT16 status, L_VOID *user)
{
    (void)net;
    (void)context;
    CHECK_STR(class_uid, VERIFICATION);
    CHECK_INT(status, 0);
    noted(user, "echoed", id);
}

static L_VOID scu_stored(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                         L_TCHAR *instance, L_UINT16 status, L_VOID *user)
{
    (void)net;
    (void)context;
    (void)class_uid;
    CHECK_STR(instance, "1.2.3.4");
    CHECK_INT(status, 0);
    noted(user, "stored", id);
}

static L_VOID scu_released(HDICOMNET net, L_VOID *user)
{
    noted(user, "released", 0);
    CHECK_INT(L_DicomClose(net), 0);
}

static link *link_new(void)
{
    link *one = calloc(1, sizeof *one);
    one->listener = recorder_new(NULL, NULL, 0, 0);
    DICOMNETCALLBACK table = table_of(one->listener);
    table.pfnAccept = scp_accept;
    CHECK_INT(L_DicomSetCallback(one->listener->net, &table), 0);
    CHECK_INT(L_DicomListen(one->listener->net, "127.0.0.1", 0, 1), 0);
    one->scu = recorder_new(NULL, NULL, 0, 0);
    table = table_of(one->scu);
    table.pfnReceiveAssociateAccept = scu_accepted;
    table.pfnReceiveAssociateReject = scu_rejected;
    table.pfnReceiveCEchoResponse = scu_echoed;
    table.pfnReceiveCStoreResponse = scu_stored;
    table.pfnReceiveReleaseResponse = scu_released;
    table.pfnReceiveAbort = noted_abort;
    CHECK_INT(L_DicomSetCallback(one->scu->net, &table), 0);
    CHECK_INT(
        L_DicomConnect(one->scu->net, NULL, 0, "127.0.0.1", L_DicomGetHostPort(one->listener->net)),
        0);
    CHECK(wait_for(one->scu, "connect 0"));
    one->scp = wait_for_child(one->listener);
    return one;
}

static void link_free(link *one)
{
    for (recorder *net = made; net != NULL; net = net->next_made) {
        recorder_free(net);
    }
    CHECK(all_quiet());
    recorders_release();
    free(one);
}

static void associate(link *one)
{
    HDICOMPDU request = L_DicomCreateAssociate(1);
    CHECK_INT(L_DicomSetCalled(request, "SCP"), 0);
    CHECK_INT(L_DicomSetCalling(request, "SCU"), 0);
    CHECK_INT(L_DicomAddPresentation(request, 1, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomAddTransfer(request, 1, IMPLICIT), 0);
    CHECK_INT(L_DicomAddPresentation(request, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddTransfer(request, 3, EXPLICIT), 0);
    CHECK_INT(L_DicomSendAssociateRequest(one->scu->net, request), 0);
    L_DicomFreeAssociate(request);
}

TEST(associate_echo_and_release)
{
    char text[512];
    link *one = link_new();
    CHECK_INT(L_DicomSendCEchoRequest(one->scu->net, 1, 1, VERIFICATION),
              DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED);
    associate(one);
    CHECK(wait_for(one->scu, "accepted 2"));
    CHECK(L_DicomIsAssociated(one->scu->net));
    CHECK_INT(L_DicomSendCEchoRequest(one->scu->net, 5, 1, VERIFICATION),
              DICOM_ERROR_PRESENTATION_CONTEXT_INVALID);
    CHECK_INT(L_DicomSendCEchoRequest(one->scu->net, 1, 7, VERIFICATION), 0);
    CHECK(wait_for(one->scu, "echoed 7"));
    CHECK_INT(L_DicomSendReleaseRequest(one->scu->net), 0);
    CHECK(wait_for(one->scu, "close 0") && wait_for(one->scp, "close 0"));
    CHECK_STR(history(one->scu, text, sizeof text),
              "connect 0, accepted 2, echoed 7, released 0, close 0");
    CHECK_STR(history(one->scp, text, sizeof text), "request 0, echo 7, release 0, close 0");
    CHECK(!L_DicomIsAssociated(one->scu->net));
    HDICOMPDU last = L_DicomGetAssociate(one->scu->net);
    CHECK(last != NULL && L_DicomGetPresentationCount(last) == 2);
    L_DicomFreeAssociate(last);
    link_free(one);
}

TEST(data_sets_of_all_sizes_arrive_as_they_were_sent)
{
    static const L_UINT64 sizes[] = {2, 1000, 65536, 262138, 262144, 1000000, 40000000};
    link *one = link_new();
    associate(one);
    CHECK(wait_for(one->scu, "accepted 2"));
    L_UCHAR *bytes = malloc(40000000);
    for (L_UINT64 i = 0; i < 40000000; i++) {
        bytes[i] = (L_UCHAR)(i * 7);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        HDICOMDS data = L_DicomCreateDS(NULL);
        char expected[32];
        CHECK_INT(L_DicomSetBufferDS(data, bytes, sizes[i], EXPLICIT), 0);
        CHECK_INT(L_DicomSendCStoreRequest(one->scu->net, 3, (L_UINT16)(i + 1), CT_STORAGE,
                                           "1.2.3.4", COMMAND_PRIORITY_MEDIUM, "", 0, data),
                  0);
        L_DicomFreeDS(data);
        snprintf(expected, sizeof expected, "stored %d", (int)i + 1);
        CHECK(wait_for(one->scu, expected));
        snprintf(expected, sizeof expected, "store %d", (int)sizes[i]);
        CHECK(wait_for(one->scp, expected));
    }
    free(bytes);
    link_free(one);
}

TEST(another_transfer_syntax_is_refused_before_a_byte_is_sent)
{
    link *one = link_new();
    associate(one);
    CHECK(wait_for(one->scu, "accepted 2"));
    HDICOMDS data = L_DicomCreateDS(NULL);
    CHECK_INT(L_DicomSetBufferDS(data, (const L_UCHAR *)"ab", 2, IMPLICIT), 0);
    CHECK_INT(L_DicomSendCStoreRequest(one->scu->net, 3, 1, CT_STORAGE, "1.2.3.4", 0, "", 0, data),
              DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED);
    CHECK(strstr(L_DicomGetLastErrorText(), EXPLICIT) != NULL);
    L_DicomFreeDS(data);
    link_free(one);
}

TEST(an_abort_is_told_with_source_and_reason)
{
    char text[512];
    link *one = link_new();
    associate(one);
    CHECK(wait_for(one->scu, "accepted 2"));
    CHECK_INT(L_DicomSendAbort(one->scu->net, PDU_ABORT_SOURCE_USER, PDU_ABORT_REASON_UNKNOWN), 0);
    CHECK(wait_for(one->scp, "close") && wait_for(one->scu, "close"));
    CHECK_STR(history(one->scp, text, sizeof text), "request 0, abort 0, close 201");
    CHECK_STR(history(one->scu, text, sizeof text), "connect 0, accepted 2, close 0");
    link_free(one);
}

TEST(closing_in_the_middle_of_an_association_is_an_abort_for_the_peer)
{
    link *one = link_new();
    associate(one);
    CHECK(wait_for(one->scu, "accepted 2"));
    CHECK_INT(L_DicomClose(one->scu->net), 0);
    CHECK(wait_for(one->scp, "close 201") && wait_for(one->scu, "close 0"));
    link_free(one);
}

/* ---- calls that wait ---- */

enum {
    CALLERS = 4,
    CALLS = 50
};

typedef struct caller {
    pthread_t thread;
    HDICOMNET net;
    L_UINT16 first; /* message id */
    int good;
} caller;

static void *call_often(void *arg)
{
    caller *self = arg;
    for (int i = 0; i < CALLS; i++) {
        L_UINT16 status = 0xFFFF;
        if (L_DicomCEchoAndWait(self->net, 1, (L_UINT16)(self->first + i), VERIFICATION, 20000,
                                &status) == DICOM_SUCCESS &&
            status == COMMAND_STATUS_SUCCESS) {
            self->good++;
        }
    }
    return NULL;
}

TEST(threads_call_and_send_at_once_and_every_one_gets_its_own_response)
{
    link *one = link_new();
    associate(one);
    CHECK(wait_for(one->scu, "accepted 2"));
    caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){.net = one->scu->net, .first = (L_UINT16)(1000 * (i + 1))};
        CHECK_INT(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (L_UINT16 i = 1; i <= 5; i++) {
        CHECK_INT(L_DicomSendCEchoRequest(one->scu->net, 1, i, VERIFICATION), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        CHECK_INT(pthread_join(callers[i].thread, NULL), 0);
        CHECK_INT(callers[i].good, CALLS);
    }
    CHECK(wait_for(one->scu, "echoed 5"));
    link_free(one);
}

TEST(object_is_stored_by_a_call_and_its_response_is_not_told)
{
    char text[512];
    link *one = link_new();
    associate(one);
    CHECK(wait_for(one->scu, "accepted 2"));
    L_UCHAR bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (L_UCHAR)(i * 7);
    }
    HDICOMDS data = L_DicomCreateDS(NULL);
    L_UINT16 status = 0xFFFF;
    CHECK_INT(L_DicomSetBufferDS(data, bytes, sizeof bytes, EXPLICIT), 0);
    CHECK_INT(L_DicomCStoreAndWait(one->scu->net, 3, 9, CT_STORAGE, "1.2.3.4",
                                   COMMAND_PRIORITY_MEDIUM, data, 20000, &status),
              DICOM_SUCCESS);
    CHECK_INT(status, COMMAND_STATUS_SUCCESS);
    CHECK_INT(L_DicomCStoreAndWait(one->scu->net, 3, 9, CT_STORAGE, "1.2.3.4", 0, data, 1, NULL),
              DICOM_ERROR_PARAMETER);
    L_DicomFreeDS(data);
    CHECK_INT(L_DicomAwaitResponse(one->scu->net, 9, 1, &status), DICOM_ERROR_PARAMETER);
    CHECK_STR(history(one->scu, text, sizeof text), "connect 0, accepted 2");
    link_free(one);
}

static void *close_soon(void *arg)
{
    recorder *scp = arg;
    (void)wait_for(scp, "echo 77");
    (void)L_DicomCloseForced(scp->net, 1);
    return NULL;
}

static L_VOID deaf_echo(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                        L_VOID *user)
{
    (void)net;
    (void)context;
    (void)class_uid;
    noted(user, "echo", id);
}

TEST(call_ends_with_the_connection_and_one_that_times_out_can_wait_on)
{
    L_UINT16 status = 0;
    link *one = link_new();
    DICOMNETCALLBACK table = table_of(one->scp);
    table.pfnReceiveAssociateRequest = scp_request;
    table.pfnReceiveCEchoRequest = deaf_echo;
    CHECK_INT(L_DicomSetCallback(one->scp->net, &table), 0);
    associate(one);
    CHECK(wait_for(one->scu, "accepted 2"));
    CHECK_INT(L_DicomCEchoAndWait(one->scu->net, 1, 77, VERIFICATION, 10, &status),
              DICOM_ERROR_NET_TIMEOUT);
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, close_soon, one->scp), 0);
    int rc = L_DicomAwaitResponse(one->scu->net, 77, 20000, &status);
    CHECK(rc != DICOM_SUCCESS && rc != DICOM_ERROR_NET_TIMEOUT);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(wait_for(one->scu, "close"));
    link_free(one);
}
