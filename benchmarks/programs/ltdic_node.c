/*
 * ltdic_node.c - this library from C, both roles: what ours_node.py does, without Python.
 * Verbs: serve, handshakes, echo, store.
 *
 * One request in flight: the main thread sends and waits (L_DicomCStoreAndWait,
 * L_DicomCEchoAndWait). All else is done from inside the callbacks, as programs for the library do.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "bench.h"
#include "ltdic.h"

#define VERIFICATION "1.2.840.10008.1.1"
#define SECONDARY    "1.2.840.10008.5.1.4.1.1.7"
#define IMPLICIT     "1.2.840.10008.1.2"
#define EXPLICIT     "1.2.840.10008.1.2.1"

/* What is older than these has them not: it works from inside the callbacks. */
__attribute__((weak)) L_INT L_DicomCEchoAndWait(HDICOMNET, L_UCHAR, L_UINT16, const L_TCHAR *,
                                                L_UINT, L_UINT16 *);
__attribute__((weak)) L_INT L_DicomCStoreAndWait(HDICOMNET, L_UCHAR, L_UINT16, const L_TCHAR *,
                                                 const L_TCHAR *, L_UINT16, HDICOMDS, L_UINT,
                                                 L_UINT16 *);

enum {
    PATIENCE_MS = 60000
};

static void check(L_INT code, const char *what)
{
    if (code != DICOM_SUCCESS) {
        fail("%s: %s", what, L_DicomGetLastErrorText());
    }
}

static HDICOMNET new_net(bool server)
{
    if (option_tls() == NULL) {
        return L_DicomCreateNet(NULL, DICOM_SECURE_NONE);
    }
    const char *identity = tls_file(server ? "server-combined.pem" : "client-combined.pem");
    L_SSL_CTX_CREATE settings = {.uStructSize = sizeof settings,
                                 .uFlags = FLAG_SSL_CTX_CREATE_ALL,
                                 .nMethodTypeSSL = TYPE_SSLV23_METHOD,
                                 .pszCAfile = (L_TCHAR *)(uintptr_t)tls_file("ca.pem"),
                                 .uVerifyMode =
                                     L_SSL_VERIFY_PEER | L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                 .nVerifyDepth = 9,
                                 .nOptions = DICOM_SSL_OP_NO_SSL_V2};
    HDICOMNET net = L_DicomCreateNetExt(NULL, DICOM_SECURE_TLS, &settings);
    if (net == NULL) {
        fail("CreateNetExt: %s", L_DicomGetLastErrorText());
    }
    check(L_DicomSetClientCertificateTLS(net, identity, DICOM_TLS_CERTIFICATE_PEM, NULL),
          "certificate");
    if (option_number("resume", 0) != 0) {
#ifdef DICOM_SINK_DISCARD /* what is older has no resumption */
        check(L_DicomSetSessionResumptionTLS(net, 1), "resumption");
#else
        fail("not offered: resumption");
#endif
    }
    return net;
}

/* ---- server ---- */

static L_VOID scp_request(HDICOMNET net, HDICOMPDU request, L_VOID *user)
{
    (void)user;
    L_TCHAR uid[65];
    HDICOMPDU accept = L_DicomCreateAssociate(0);
    (void)L_DicomGetCalled(request, uid, sizeof uid);
    (void)L_DicomSetCalled(accept, uid);
    (void)L_DicomGetCalling(request, uid, sizeof uid);
    (void)L_DicomSetCalling(accept, uid);
    (void)L_DicomSetMaxLength(accept, 1, (L_UINT32)option_number("pdu", 131072));
    for (L_UINT i = 0; i < L_DicomGetPresentationCount(request); i++) {
        L_UCHAR id = L_DicomGetPresentation(request, i);
        (void)L_DicomAddPresentation(accept, id, PDU_ACCEPT_RESULT_SUCCESS, "");
        (void)L_DicomGetTransfer(request, id, 0, uid, sizeof uid);
        (void)L_DicomAddTransfer(accept, id, uid);
    }
    L_UINT16 invoked;
    L_UINT16 performed;
    if (L_DicomGetAsyncOperations(request, &invoked, &performed)) {
        (void)L_DicomSetAsyncOperations(accept, 1, invoked, 1);
    }
    check(L_DicomSendAssociateAccept(net, accept), "SendAssociateAccept");
    L_DicomFreeAssociate(accept);
}

static L_VOID scp_echo(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                       L_VOID *user)
{
    (void)user;
    (void)L_DicomSendCEchoResponse(net, context, id, class_uid, COMMAND_STATUS_SUCCESS);
}

/* The data set is let go of, not looked at. */
static L_VOID scp_store(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                        L_TCHAR *instance, L_UINT16 priority, L_TCHAR *move_ae, L_UINT16 move_id,
                        HDICOMDS data, L_VOID *user)
{
    (void)priority;
    (void)move_ae;
    (void)move_id;
    (void)data;
    (void)user;
    (void)L_DicomSendCStoreResponse(net, context, id, class_uid, instance, COMMAND_STATUS_SUCCESS);
}

static L_VOID scp_release(HDICOMNET net, L_VOID *user)
{
    (void)user;
    (void)L_DicomSendReleaseResponse(net);
}

static L_VOID scp_close(HDICOMNET net, L_INT error, HDICOMNET peer, L_VOID *user)
{
    (void)error;
    (void)user;
    (void)peer;
    L_DicomFreeNet(net);
}

static L_VOID scp_accept(HDICOMNET listener, L_INT error, L_VOID *user)
{
    (void)error;
    (void)user;
    HDICOMNET child = new_net(true);
    DICOMNETCALLBACK table = {.uStructSize = sizeof table,
                              .pfnClose = scp_close,
                              .pfnReceiveAssociateRequest = scp_request,
                              .pfnReceiveCEchoRequest = scp_echo,
                              .pfnReceiveCStoreRequest = scp_store,
                              .pfnReceiveReleaseRequest = scp_release};
    check(L_DicomSetCallback(child, &table), "SetCallback");
#ifdef DICOM_SINK_DISCARD /* else it is taken whole, and let go of by the callback */
    check(L_DicomSetReceiveSink(child, DICOM_SINK_DISCARD), "receive sink");
#endif
    if (L_DicomAccept(listener, child) != DICOM_SUCCESS) {
        L_DicomFreeNet(child);
    }
}

static void serve(void)
{
    HDICOMNET listener = L_DicomCreateNet(NULL, DICOM_SECURE_NONE);
    DICOMNETCALLBACK table = {.uStructSize = sizeof table, .pfnAccept = scp_accept};
    check(L_DicomSetCallback(listener, &table), "SetCallback");
    check(L_DicomSetLimit(listener, DICOM_LIMIT_CONNECTIONS, 20000), "SetLimit");
    check(L_DicomListen(listener, "127.0.0.1", 0, 1024), "Listen");
    say_ready(L_DicomGetHostPort(listener));
    wait_for_end();
}

/* ---- client ---- */

typedef enum verb {
    HANDSHAKES,
    ECHO,
    STORE
} verb;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int prepared; /* 1: the association is open; 2: the work is done; 3: closed */
    verb verb;
    HDICOMNET net;
    HDICOMDS objects[MAX_FILES];
    int object_count;
    bool loaded_each_time;
    char *names[MAX_FILES];
    L_UINT64 size;
    double began, before, seconds;
    uint64_t count, bytes, sent;
    int window, outstanding;
    latencies all;
} scu = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void reached(int stage)
{
    pthread_mutex_lock(&scu.lock);
    scu.prepared = stage;
    pthread_cond_signal(&scu.changed);
    pthread_mutex_unlock(&scu.lock);
}

static void wait_until(int stage)
{
    pthread_mutex_lock(&scu.lock);
    while (scu.prepared < stage) {
        pthread_cond_wait(&scu.changed, &scu.lock);
    }
    pthread_mutex_unlock(&scu.lock);
}

static void associate(HDICOMNET net)
{
    HDICOMPDU request = L_DicomCreateAssociate(1);
    (void)L_DicomSetCalled(request, option("called", "BENCH"));
    (void)L_DicomSetCalling(request, "BENCH-C");
    (void)L_DicomSetMaxLength(request, 1, (L_UINT32)option_number("pdu", 131072));
    (void)L_DicomAddPresentation(request, 1, 0, VERIFICATION);
    (void)L_DicomAddTransfer(request, 1, IMPLICIT);
    (void)L_DicomAddPresentation(request, 3, 0, SECONDARY);
    (void)L_DicomAddTransfer(request, 3, EXPLICIT);
    if (scu.window > 1) {
        (void)L_DicomSetAsyncOperations(request, 1, (L_UINT16)scu.window, 1);
    }
    check(L_DicomSendAssociateRequest(net, request), "SendAssociateRequest");
    L_DicomFreeAssociate(request);
}

static L_VOID scu_connected(HDICOMNET net, L_INT error, L_VOID *user)
{
    (void)user;
    check(error, "connect");
    if (option_tls() == NULL) {
        associate(net);
    }
}

static L_VOID scu_ready(HDICOMNET net, L_INT error, L_VOID *user)
{
    (void)user;
    if (error != DICOM_SUCCESS) {
        fail("TLS: %s", L_DicomGetErrorText(error));
    }
    associate(net);
}

static void send_echo(HDICOMNET net)
{
    check(L_DicomSendCEchoRequest(net, 1, 1, VERIFICATION), "SendCEchoRequest");
}

typedef struct object {
    HDICOMDS data; /* owned when loaded for this time */
    L_UINT16 id;
    L_TCHAR instance[65];
} object;

static object next_object(void)
{
    pthread_mutex_lock(&scu.lock); /* the first window is sent by the main thread */
    uint64_t number = scu.sent++;
    scu.outstanding++;
    pthread_mutex_unlock(&scu.lock);
    int which = (int)(number % (uint64_t)scu.object_count);
    object next = {.data = scu.objects[which], .id = (L_UINT16)(number % 65535 + 1)};
    (void)snprintf(next.instance, sizeof next.instance, "2.25.%lld",
                   option_number("size", 0) * 1000LL + which);
    if (scu.loaded_each_time) {
        next.data = L_DicomCreateDS(NULL);
        check(L_DicomLoadDS(next.data, scu.names[which], 0), "LoadDS");
    }
    return next;
}

static void send_object(HDICOMNET net)
{
    object next = next_object();
    check(L_DicomSendCStoreRequest(net, 3, next.id, SECONDARY, next.instance,
                                   COMMAND_PRIORITY_MEDIUM, "", 0, next.data),
          "SendCStoreRequest");
    if (scu.loaded_each_time) {
        L_DicomFreeDS(next.data);
    }
}

static void store_and_wait(HDICOMNET net)
{
    object next = next_object();
    L_UINT16 status;
    check(L_DicomCStoreAndWait(net, 3, next.id, SECONDARY, next.instance, COMMAND_PRIORITY_MEDIUM,
                               next.data, PATIENCE_MS, &status),
          "CStoreAndWait");
    if (status != COMMAND_STATUS_SUCCESS) {
        fail("C-STORE status 0x%04x", status);
    }
    if (scu.loaded_each_time) {
        L_DicomFreeDS(next.data);
    }
    scu.bytes += scu.size;
}

static void echo_and_wait(HDICOMNET net)
{
    L_UINT16 status;
    check(L_DicomCEchoAndWait(net, 1, 1, VERIFICATION, PATIENCE_MS, &status), "CEchoAndWait");
    if (status != COMMAND_STATUS_SUCCESS) {
        fail("C-ECHO status 0x%04x", status);
    }
}

static L_VOID scu_accepted(HDICOMNET net, HDICOMPDU accept, L_VOID *user)
{
    (void)user;
    if (L_DicomGetResult(accept, 1) != PDU_ACCEPT_RESULT_SUCCESS) {
        fail("verification was not accepted");
    }
    if (scu.verb == HANDSHAKES) {
        send_echo(net);
    } else {
        reached(1);
    }
}

static L_VOID scu_echoed(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                         L_UINT16 status, L_VOID *user)
{
    (void)context;
    (void)id;
    (void)class_uid;
    (void)user;
    if (status != COMMAND_STATUS_SUCCESS) {
        fail("C-ECHO status 0x%04x", status);
    }
    if (scu.verb == HANDSHAKES) {
        check(L_DicomSendReleaseRequest(net), "SendReleaseRequest");
        return;
    }
    double now = now_s();
    latency_add(&scu.all, now - scu.before);
    scu.before = now;
    scu.count++;
    if (now - scu.began < scu.seconds) {
        send_echo(net);
    } else {
        reached(2);
    }
}

static L_VOID scu_stored(HDICOMNET net, L_UCHAR context, L_UINT16 id, L_TCHAR *class_uid,
                         L_TCHAR *instance, L_UINT16 status, L_VOID *user)
{
    (void)context;
    (void)id;
    (void)class_uid;
    (void)instance;
    (void)user;
    if (status != COMMAND_STATUS_SUCCESS) {
        fail("C-STORE status 0x%04x", status);
    }
    pthread_mutex_lock(&scu.lock);
    int outstanding = --scu.outstanding;
    pthread_mutex_unlock(&scu.lock);
    scu.count++;
    scu.bytes += scu.size;
    scu.before = now_s();
    if (scu.before - scu.began < scu.seconds) {
        send_object(net);
    } else if (outstanding == 0) {
        reached(2);
    }
}

static L_VOID scu_released(HDICOMNET net, L_VOID *user)
{
    (void)user;
    check(L_DicomClose(net), "Close");
}

static L_VOID scu_closed(HDICOMNET net, L_INT error, HDICOMNET peer, L_VOID *user)
{
    (void)net;
    (void)peer;
    (void)user;
    if (error != DICOM_SUCCESS) {
        fail("closed: %s", L_DicomGetErrorText(error));
    }
    reached(3);
}

static L_VOID scu_aborted(HDICOMNET net, L_UCHAR source, L_UCHAR reason, L_VOID *user)
{
    (void)net;
    (void)user;
    fail("aborted: source %u, reason %u", source, reason);
}

static void connect_net(void)
{
    scu.prepared = 0;
    check(L_DicomConnect(scu.net, NULL, 0, "127.0.0.1", (L_UINT)option_number("port", 0)),
          "Connect");
}

static HDICOMNET new_client(void)
{
    DICOMNETCALLBACK table = {.uStructSize = sizeof table,
                              .pfnConnect = scu_connected,
                              .pfnClose = scu_closed,
                              .pfnSecureLinkReady = scu_ready,
                              .pfnReceiveAssociateAccept = scu_accepted,
                              .pfnReceiveReleaseResponse = scu_released,
                              .pfnReceiveAbort = scu_aborted,
                              .pfnReceiveCEchoResponse = scu_echoed,
                              .pfnReceiveCStoreResponse = scu_stored};
    HDICOMNET net = new_net(false);
    check(L_DicomSetCallback(net, &table), "SetCallback");
    return net;
}

static void check_resumed(void)
{
    L_TCHAR resumed[16];
    check(L_DicomGetInfoTLS(scu.net, DICOM_TLS_INFO_RESUMED, resumed, sizeof resumed), "resumed");
    if (option_tls() != NULL && (strcmp(resumed, "1") == 0) != (option_number("resume", 0) != 0)) {
        fail("resumed: \"%s\"", resumed);
    }
}

static void handshakes(void)
{
    connect_net(); /* a first one, outside of the measurement */
    wait_until(3);
    wait_for_go();
    scu.began = now_s();
    do {
        connect_net();
        wait_until(3);
        scu.count++;
        check_resumed();
    } while (now_s() - scu.began < scu.seconds);
    say_result(scu.count, 0, now_s() - scu.began, &scu.all);
}

/* Small objects are read before the clock runs, as DCMTK's best does; large ones while they are
 * sent. */
static void load_objects(void)
{
    scu.object_count = file_names(scu.names);
    scu.loaded_each_time = option_number("preload", 1) == 0;
    for (int i = 0; i < scu.object_count; i++) {
        HDICOMDS file = L_DicomCreateDS(NULL);
        check(L_DicomLoadDS(file, scu.names[i], 0), "LoadDS");
        scu.size = L_DicomGetLengthDS(file);
        if (!scu.loaded_each_time) {
            const L_UCHAR *bytes;
            L_UINT64 length;
            scu.objects[i] = L_DicomCreateDS(NULL);
            check(L_DicomGetBufferDS(file, &bytes, &length), "GetBufferDS");
            check(L_DicomSetBufferDS(scu.objects[i], bytes, length, EXPLICIT), "SetBufferDS");
        }
        L_DicomFreeDS(file);
    }
}

/* One request after the other, on this thread. */
static void one_by_one(void)
{
    do {
        if (scu.verb == ECHO) {
            echo_and_wait(scu.net);
        } else {
            store_and_wait(scu.net);
        }
        double now = now_s();
        latency_add(&scu.all, now - scu.before);
        scu.before = now;
        scu.count++;
    } while (scu.before - scu.began < scu.seconds);
}

static void work_on_one(void)
{
    if (scu.verb == STORE) {
        load_objects();
    }
    connect_net();
    wait_until(1);
    wait_for_go();
    scu.began = scu.before = now_s();
    if (scu.window == 1 && L_DicomCStoreAndWait != NULL && L_DicomCEchoAndWait != NULL) {
        one_by_one();
        reached(2);
    } else if (scu.verb == ECHO) {
        send_echo(scu.net);
    } else {
        for (int i = 0; i < scu.window; i++) {
            send_object(scu.net);
        }
    }
    wait_until(2);
    say_result(scu.count, scu.bytes, scu.before - scu.began, &scu.all);
}

int main(int argc, char **argv)
{
    options_count = argc;
    options_words = argv;
    const char *word = option("verb", "");
    if (strcmp(word, "serve") == 0) {
        serve();
        return 0;
    }
    scu.verb = strcmp(word, "handshakes") == 0 ? HANDSHAKES
               : strcmp(word, "echo") == 0     ? ECHO
                                               : STORE;
    scu.seconds = option_seconds();
    scu.window = (int)option_number("window", 1);
    scu.net = new_client();
    if (scu.verb == HANDSHAKES) {
        handshakes();
    } else {
        work_on_one();
    }
    wait_for_end();
    _Exit(0);
}
