/* ldc_net.c - the net object: life, limits, busy and idle, failure record, children. See ldc_net.h.
 */
#include "ldc_net.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ldc_conn.h"
#include "ldc_dataset.h"
#include "ldc_error.h"
#include "ldc_proxy.h"
#include "ldc_tables.h"

enum {
    CLOSING_WAIT_MS = 2000,
    HOUR = 60 * 60 * 1000,
    DAY = 24 * HOUR
};

static ldc_registry nets = LDC_REGISTRY_INIT;
static atomic_size_t alive; /* nets whose memory is not freed yet */

/* One row per limit: the public number, default, lowest, highest. Times in milliseconds (design 3).
 */
static const struct limit_row {
    int number;
    uint64_t value, lowest, highest;
} limit_table[LDC_LIMIT_COUNT] = {
    [LDC_LIMIT_HANDSHAKE_TIMEOUT] = {DICOM_LIMIT_HANDSHAKE_TIMEOUT, 10000, 1, DAY},
    [LDC_LIMIT_LATE_REFUSAL_WAIT] = {DICOM_LIMIT_LATE_REFUSAL_WAIT, 2000, 0, HOUR},
    [LDC_LIMIT_CONNECT_TIMEOUT] = {DICOM_LIMIT_CONNECT_TIMEOUT, 30000, 1, DAY},
    [LDC_LIMIT_LINGER_TIMEOUT] = {DICOM_LIMIT_LINGER_TIMEOUT, 5000, 0, HOUR},
    [LDC_LIMIT_CONNECTIONS] = {DICOM_LIMIT_CONNECTIONS, 10000, 1, 1000000},
    [LDC_LIMIT_HANDSHAKES_PER_ADDRESS] = {DICOM_LIMIT_HANDSHAKES_PER_ADDRESS, 128, 1, 1000000},
    [LDC_LIMIT_HANDSHAKES_TOTAL] = {DICOM_LIMIT_HANDSHAKES_TOTAL, 4096, 1, 1000000},
    [LDC_LIMIT_ALLOW_PLAIN_CHILDREN] = {DICOM_LIMIT_ALLOW_PLAIN_CHILDREN, 0, 0, 1},
    [LDC_LIMIT_ARTIM_TIMEOUT] = {DICOM_LIMIT_ARTIM_TIMEOUT, 30000, 1, DAY},
    [LDC_LIMIT_ASSOCIATION_TIMEOUT] = {DICOM_LIMIT_ASSOCIATION_TIMEOUT, 60000, 1, DAY},
    [LDC_LIMIT_IDLE_TIMEOUT] = {DICOM_LIMIT_IDLE_TIMEOUT, 0, 0, DAY},
    [LDC_LIMIT_SEND_TIMEOUT] = {DICOM_LIMIT_SEND_TIMEOUT, 60000, 1, DAY},
    [LDC_LIMIT_PROGRESS_TIMEOUT] = {DICOM_LIMIT_PROGRESS_TIMEOUT, 60000, 1, DAY},
    [LDC_LIMIT_DATA_SET_MEMORY] = {DICOM_LIMIT_DATA_SET_MEMORY, 16ULL << 20, 0, 1ULL << 40},
    [LDC_LIMIT_DATA_SET_TOTAL] = {DICOM_LIMIT_DATA_SET_TOTAL, 16ULL << 30, 1, 1ULL << 50},
    [LDC_LIMIT_SEND_QUEUE] = {DICOM_LIMIT_SEND_QUEUE, 4ULL << 20, 1, 1ULL << 40},
    [LDC_LIMIT_SPILL_QUOTA] = {DICOM_LIMIT_SPILL_QUOTA, LDC_DATASET_QUOTA, 1, 1ULL << 50},
};

/* ---- life ---- */

static void net_destroy(ldc_ref *ref)
{
    ldc_net *net = (ldc_net *)ref;
    if (net->settings != NULL) {
        ldc_ref_put(&net->settings->ref);
    }
    if (net->credentials != NULL) {
        ldc_tls_credentials_release(net->credentials);
    }
    if (net->context != NULL) {
        ldc_tls_context_release(net->context);
    }
    if (net->parent != NULL) {
        ldc_net_put(net->parent);
    }
    if (net->proxies != NULL) {
        ldc_ref_put(&net->proxies->ref);
    }
    ldc_quota_put(net->quota);
    ldc_tls_choice_clear(&net->choice);
    ldc_tls_origin_clear(&net->origin);
    ldc_net_clear_link(&net->link);
    ldc_associate_free(net->last_association);
    ldc_failure_clear(&net->failure);
    ldc_failure_clear(&net->shown[0]);
    ldc_failure_clear(&net->shown[1]);
    free(net->children);
    free(net->path);
    pthread_cond_destroy(&net->idle);
    pthread_cond_destroy(&net->resting);
    pthread_mutex_destroy(&net->lock);
    free(net);
    atomic_fetch_sub(&alive, 1u);
    ldc_engine_release();
}

static ldc_net *net_alloc(void)
{
    pthread_condattr_t attributes;
    ldc_net *net = calloc(1, sizeof *net);
    if (net == NULL || (net->quota = ldc_quota_new(LDC_DATASET_QUOTA)) == NULL) {
        free(net);
        return NULL;
    }
    ldc_ref_init(&net->ref, net_destroy);
    net->pid = (int)getpid();
    pthread_mutex_init(&net->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&net->idle, &attributes);
    pthread_cond_init(&net->resting, &attributes);
    pthread_condattr_destroy(&attributes);
    ldc_tls_choice_init(&net->choice);
    ldc_failure_init(&net->failure);
    ldc_failure_init(&net->shown[0]);
    ldc_failure_init(&net->shown[1]);
    for (size_t i = 0; i < LDC_LIMIT_COUNT; i++) {
        net->limits.value[i] = limit_table[i].value;
    }
    net->socket_options[0] = 1; /* TCP_NODELAY: Nagle costs a DICOM exchange tens of milliseconds */
    net->socket_options[1] = -1;
    net->socket_options[2] = -1;
    net->socket_options[3] = -1;
    atomic_fetch_add(&alive, 1u);
    ldc_engine_retain();
    return net;
}

ldc_net *ldc_net_acquire(HDICOMNET handle)
{
    ldc_net *net = ldc_registry_acquire(&nets, (uint64_t)(uintptr_t)handle);
    if (net == NULL) {
        (void)ldc_error(DICOM_ERROR_OBJECT_DISPOSED, "%s",
                        "the net was freed, or was made by a process before fork()");
    }
    return net;
}

ldc_net *ldc_net_lock_idle(HDICOMNET handle, const char *what, int *rc)
{
    ldc_net *net = ldc_net_acquire(handle);
    if (net == NULL) {
        *rc = DICOM_ERROR_OBJECT_DISPOSED;
        return NULL;
    }
    pthread_mutex_lock(&net->lock);
    while (net->busy && net->finishing) { /* in OnClose: the strand is on its last lines */
        pthread_cond_wait(&net->idle, &net->lock);
    }
    if (net->busy || net->reloading) {
        bool busy = net->busy;
        pthread_mutex_unlock(&net->lock);
        *rc = busy ? ldc_error(DICOM_ERROR_INVALID_STATE,
                               "%s cannot be changed while the net is connecting, connected or "
                               "listening. Close it first.",
                               what)
                   : ldc_error(DICOM_ERROR_INVALID_STATE,
                               "%s cannot be changed while certificates are being reloaded. Wait "
                               "until that call has returned.",
                               what);
        ldc_net_put(net);
        return NULL;
    }
    *rc = DICOM_SUCCESS;
    return net;
}

HDICOMNET ldc_net_handle(const ldc_net *net)
{
    return (HDICOMNET)(uintptr_t)net->id;
}

void ldc_net_put(ldc_net *net)
{
    ldc_ref_put(&net->ref);
}

size_t ldc_net_count(void)
{
    return ldc_registry_count(&nets);
}

void ldc_net_before_fork(void)
{
    pthread_mutex_lock(&nets.lock);
}

void ldc_net_after_fork_in_parent(void)
{
    pthread_mutex_unlock(&nets.lock);
}

void ldc_net_after_fork(void)
{
    ldc_registry_forget(&nets);
    atomic_store(&alive, 0u);
}

/* ---- state ---- */

int ldc_net_begin(ldc_net *net)
{
    int rc = DICOM_SUCCESS;
    int64_t end = ldc_now_ms() + CLOSING_WAIT_MS;
    struct timespec at = {.tv_sec = (time_t)(end / 1000), .tv_nsec = (long)(end % 1000) * 1000000L};
    pthread_mutex_lock(&net->lock);
    while (net->busy && net->closing &&
           pthread_cond_timedwait(&net->idle, &net->lock, &at) != ETIMEDOUT) {
    }
    if (net->disposed) {
        rc = ldc_error(DICOM_ERROR_OBJECT_DISPOSED, "%s", "the net was freed");
    } else if (net->busy) {
        rc = ldc_error(DICOM_ERROR_NET_ALREADY_CONNECTED, "%s",
                       net->closing ? "the connection before is still closing: wait for OnClose"
                                    : "Close it first.");
    } else {
        net->busy = true;
        net->closing = false;
        net->silent = false;
        net->forced = false;
        net->connected = false;
        net->peer_address[0] = '\0';
        net->host_address[0] = '\0';
        net->peer_port = 0;
        net->proxy_address[0] = '\0';
        net->proxy_port = 0;
        atomic_store(&net->sent, 0);
        atomic_store(&net->received, 0);
        net->host_port = 0;
        ldc_failure_clear(&net->failure);
        ldc_net_clear_link(&net->link);
        ldc_associate_free(net->last_association);
        net->last_association = NULL;
        net->serving = false;
    }
    pthread_mutex_unlock(&net->lock);
    return rc;
}

void ldc_net_end(ldc_net *net)
{
    pthread_mutex_lock(&net->lock);
    net->busy = false;
    net->closing = false;
    net->connected = false;
    pthread_cond_broadcast(&net->idle);
    pthread_mutex_unlock(&net->lock);
}

/* With a proxy in between the peer is not whom the socket knows: both are named. */
static void name_proxy(ldc_net *net, ldc_failure *failure)
{
    pthread_mutex_lock(&net->lock);
    char *message =
        net->proxy_address[0] == '\0' || failure->code == DICOM_SUCCESS
            ? NULL
            : ldc_format("%s (peer %s port %u, through the proxy %s port %u)",
                         failure->message == NULL ? "" : failure->message, net->peer_address,
                         net->peer_port, net->proxy_address, net->proxy_port);
    pthread_mutex_unlock(&net->lock);
    if (message != NULL) {
        free(failure->message);
        failure->message = message;
    }
}

void ldc_net_fail(ldc_net *net, const ldc_conn *conn, ldc_failure *failure, int64_t began)
{
    failure->elapsed = (double)(ldc_now_ms() - began) / 1000.0;
    name_proxy(net, failure);
    pthread_mutex_lock(&net->lock);
    if (net->conn == conn) {
        if (failure->openssl != 0) {
            net->last_tls_error = failure->openssl;
        }
        (void)ldc_failure_set(&net->failure, failure);
    }
    pthread_mutex_unlock(&net->lock);
}

bool ldc_net_add_child(ldc_net *parent, uint64_t child)
{
    bool done = true;
    pthread_mutex_lock(&parent->lock);
    if (parent->child_count == parent->child_capacity) {
        size_t capacity = parent->child_capacity == 0 ? 16 : parent->child_capacity * 2;
        uint64_t *children = realloc(parent->children, capacity * sizeof *children);
        if (children == NULL) {
            done = false;
        } else {
            parent->children = children;
            parent->child_capacity = capacity;
        }
    }
    if (done) {
        parent->children[parent->child_count++] = child;
    }
    pthread_mutex_unlock(&parent->lock);
    return done;
}

void ldc_net_remove_child(ldc_net *parent, uint64_t child)
{
    pthread_mutex_lock(&parent->lock);
    for (size_t i = 0; i < parent->child_count; i++) {
        if (parent->children[i] == child) {
            memmove(parent->children + i, parent->children + i + 1,
                    (parent->child_count - i - 1) * sizeof *parent->children);
            parent->child_count--;
            break;
        }
    }
    pthread_mutex_unlock(&parent->lock);
}

void ldc_net_wake_verdict(ldc_net *net)
{
    pthread_mutex_lock(&net->lock);
    pthread_cond_broadcast(&net->resting);
    pthread_mutex_unlock(&net->lock);
}

void ldc_net_end_children(ldc_net *parent, bool notify)
{
    uint64_t *open = NULL;
    size_t count = 0;
    pthread_mutex_lock(&parent->lock);
    if (parent->child_count > 0) {
        open = malloc(parent->child_count * sizeof *open);
    }
    if (open != NULL) {
        count = parent->child_count;
        memcpy(open, parent->children, count * sizeof *open);
    }
    pthread_mutex_unlock(&parent->lock);
    for (size_t i = 0; i < count; i++) {
        (void)L_DicomCloseForced((HDICOMNET)(uintptr_t)open[i], notify ? 1 : 0);
    }
    free(open);
}

/* ---- limits ---- */

uint64_t ldc_net_limit(const ldc_net *net, ldc_limit limit)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&net->lock;
    pthread_mutex_lock(lock);
    uint64_t value = net->limits.value[limit];
    pthread_mutex_unlock(lock);
    return value;
}

static int find_limit(int number)
{
    for (int i = 0; i < LDC_LIMIT_COUNT; i++) {
        if (limit_table[i].number == number) {
            return i;
        }
    }
    return -1;
}

/* The connection that is there takes new settings over; waits that have begun keep their time. */
static void tell_connection(ldc_net *net)
{
    pthread_mutex_lock(&net->lock);
    ldc_conn *conn = net->conn;
    if (conn != NULL) {
        ldc_conn_ref(conn);
    }
    pthread_mutex_unlock(&net->lock);
    if (conn != NULL) {
        ldc_conn_command(conn, LDC_CONN_SETTINGS);
        ldc_conn_put(conn);
    }
}

L_INT L_DicomSetReceiveSink(HDICOMNET hNet, L_INT nSink)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = DICOM_SUCCESS;
    pthread_mutex_lock(&net->lock);
    if (nSink < DICOM_SINK_MEMORY || nSink > DICOM_SINK_CHUNKS) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "sink %d is unknown. Use a DICOM_SINK_... constant.",
                       nSink);
    } else if (nSink == DICOM_SINK_CHUNKS && net->callbacks.pfnReceiveChunk == NULL) {
        rc = ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                       "there is nobody to take the chunks. Set pfnReceiveChunk with "
                       "L_DicomSetCallback first.");
    } else {
        net->receive_sink = nSink;
    }
    pthread_mutex_unlock(&net->lock);
    if (rc == DICOM_SUCCESS) {
        tell_connection(net);
    }
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomSetAutoRespond(HDICOMNET hNet, L_UINT32 uWhat)
{
    const uint32_t known = DICOM_AUTO_RESPOND_ECHO | DICOM_AUTO_RESPOND_RELEASE;
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = DICOM_SUCCESS;
    if ((uWhat & ~known) != 0) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "unknown bits 0x%x. Use DICOM_AUTO_RESPOND_...",
                       uWhat);
    } else {
        pthread_mutex_lock(&net->lock);
        net->auto_respond = uWhat;
        pthread_mutex_unlock(&net->lock);
    }
    ldc_net_put(net);
    return rc;
}

L_INT L_DicomSetLimit(HDICOMNET hNet, L_INT nLimit, L_UINT64 nValue)
{
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = DICOM_SUCCESS;
    int index = find_limit(nLimit);
    if (index < 0) {
        rc = ldc_error(DICOM_ERROR_PARAMETER,
                       "limit %d is unknown. Use a DICOM_LIMIT_... constant.", nLimit);
    } else if (nValue < limit_table[index].lowest || nValue > limit_table[index].highest) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "limit %d cannot be %llu: it must be in %llu..%llu",
                       nLimit, nValue, (unsigned long long)limit_table[index].lowest,
                       (unsigned long long)limit_table[index].highest);
    } else {
        pthread_mutex_lock(&net->lock);
        net->limits.value[index] = nValue;
        net->limits.address_limit_set =
            net->limits.address_limit_set || index == LDC_LIMIT_HANDSHAKES_PER_ADDRESS;
        pthread_mutex_unlock(&net->lock);
        if (index == LDC_LIMIT_SPILL_QUOTA) {
            ldc_quota_set(net->quota, nValue);
        }
        tell_connection(net);
    }
    ldc_net_put(net);
    return rc;
}

L_UINT64 L_DicomGetLimit(HDICOMNET hNet, L_INT nLimit)
{
    ldc_net *net = ldc_net_acquire(hNet);
    int index = find_limit(nLimit);
    L_UINT64 value = net == NULL || index < 0 ? 0 : ldc_net_limit(net, (ldc_limit)index);
    if (net != NULL && index < 0) {
        (void)ldc_error(DICOM_ERROR_PARAMETER,
                        "limit %d is unknown. Use a DICOM_LIMIT_... constant.", nLimit);
    }
    if (net != NULL) {
        ldc_net_put(net);
    }
    return value;
}

/* ---- making, setting up, freeing ---- */

/* Mode, path and settings in one go: nothing is changed unless all is well. */
static int initialize(ldc_net *net, const char *path, uint32_t mode, pL_SSL_CTX_CREATE create)
{
    ldc_tls_settings *settings = NULL;
    int rc = DICOM_SUCCESS;
    if (mode == DICOM_SECURE_ISCL) {
        rc = ldc_error(DICOM_ERROR_FEATURE_NOT_SUPPORTED, "%s",
                       "ISCL is retired from DICOM. Use TLS.");
    } else if (mode != DICOM_SECURE_NONE && mode != DICOM_SECURE_TLS) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "security mode %u. Use None (0) or Tls (1).", mode);
    } else if (mode == DICOM_SECURE_TLS) {
        rc = ldc_tls_settings_new(create, &settings);
    }
    char *copy = ldc_strdup(path);
    if (rc == DICOM_SUCCESS && path != NULL && copy == NULL) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "path");
    }
    if (create != NULL) {
        create->nSuccess = rc;
    }
    if (rc != DICOM_SUCCESS) {
        if (settings != NULL) {
            ldc_ref_put(&settings->ref);
        }
        free(copy);
        return rc;
    }
    pthread_mutex_lock(&net->lock);
    bool busy = net->busy || net->reloading;
    char *old_path = copy;
    ldc_tls_settings *old_settings = settings;
    if (!busy) {
        old_path = net->path;
        old_settings = net->settings;
        net->path = copy;
        net->mode = mode;
        net->settings = settings;
    }
    pthread_mutex_unlock(&net->lock);
    free(old_path);
    if (old_settings != NULL) {
        ldc_ref_put(&old_settings->ref);
    }
    return busy ? ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                            "Initialize is not possible while the net is connecting, connected "
                            "or listening. Close it first.")
                : DICOM_SUCCESS;
}

HDICOMNET L_DicomCreateNetExt(const L_TCHAR *pszPath, L_UINT32 nMode,
                              pL_SSL_CTX_CREATE pSSLCtxCreate)
{
    ldc_net *net = net_alloc();
    if (net == NULL) {
        (void)ldc_error(DICOM_ERROR_MEMORY, "%s", "net");
        return NULL;
    }
    int rc = initialize(net, pszPath, nMode, pSSLCtxCreate);
    if (rc == DICOM_SUCCESS) {
        net->id = ldc_registry_add(&nets, &net->ref);
        if (net->id == 0) {
            rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "net");
        }
    }
    if (rc != DICOM_SUCCESS) {
        ldc_net_put(net);
        return NULL;
    }
    return ldc_net_handle(net);
}

HDICOMNET L_DicomCreateNet(const L_TCHAR *pszPath, L_UINT32 nMode)
{
    return L_DicomCreateNetExt(pszPath, nMode, NULL);
}

L_INT L_DicomInitializeNet(HDICOMNET hNet, const L_TCHAR *pszPath, L_UINT32 nMode,
                           pL_SSL_CTX_CREATE pSSLCtxCreate)
{
    int rc;
    ldc_net *net = ldc_net_lock_idle(hNet, "the settings", &rc);
    if (net == NULL) {
        return rc;
    }
    pthread_mutex_unlock(&net->lock);
    rc = initialize(net, pszPath, nMode, pSSLCtxCreate);
    ldc_net_put(net);
    return rc;
}

L_VOID L_DicomFreeNet(HDICOMNET hNet)
{
    ldc_net *net = ldc_registry_acquire(&nets, (uint64_t)(uintptr_t)hNet);
    if (net == NULL) {
        return; /* NULL, freed already, or the parent's before fork() */
    }
    pthread_mutex_lock(&net->lock);
    bool first = !net->disposed;
    net->disposed = true;
    ldc_conn *conn = net->conn;
    ldc_listener *listener = net->listener;
    net->listener = NULL;
    if (conn != NULL) {
        ldc_conn_ref(conn);
        net->closing = true;
    }
    net->connected = false;
    pthread_mutex_unlock(&net->lock);
    if (listener != NULL) {
        ldc_listener_stop(listener);
        ldc_listener_put(listener);
    }
    if (conn != NULL) {
        ldc_conn_command(conn, LDC_CONN_ABORT | LDC_CONN_SILENT);
        ldc_conn_put(conn);
        ldc_net_wake_verdict(net);
    }
    if (first) {
        ldc_net_end_children(net,
                             true); /* as CloseForced on a listener; they are told, it is not */
        ldc_deliver_discard(net);
        ldc_net_use_context(net, NULL);
        ldc_registry_remove(&nets, net->id);
        ldc_net_put(net); /* the user's */
    }
    ldc_net_put(net);
}

size_t ldc_net_alive(void)
{
    return atomic_load(&alive);
}
