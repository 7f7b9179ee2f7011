/*
 * net_fixture.h - what the C tests of nets share: a PKI made in memory and nets that record their
 * callbacks.
 *
 * Waiting is always for an event with a limit, never for a time.
 */
#ifndef LDC_TESTS_NET_FIXTURE_H
#define LDC_TESTS_NET_FIXTURE_H

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ltdic.h"
#include "unit.h"

enum {
    WAIT_SECONDS = 30,
    EVENT_ROOM = 64
};

/* ---- PKI ---- */

typedef struct pki {
    EVP_PKEY *root_key;
    X509 *root;
    char *root_pem; /* NUL-terminated */
} pki;

typedef struct identity {
    char *pem; /* certificate and key */
} identity;

static inline void add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    (void)X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static inline X509 *make_certificate(const char *name, EVP_PKEY *key, X509 *issuer,
                                     EVP_PKEY *issuer_key, bool ca, const char *purposes, int days)
{
    static long serial = 1000;
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400L);
    X509_set_pubkey(certificate, key);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                               0);
    X509_set_issuer_name(certificate, issuer == NULL ? subject : X509_get_subject_name(issuer));
    add_extension(certificate, NID_basic_constraints,
                  ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (ca) {
        add_extension(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    if (purposes != NULL) {
        add_extension(certificate, NID_ext_key_usage, purposes);
    }
    X509_sign(certificate, issuer_key, EVP_sha256());
    return certificate;
}

static inline char *bio_text(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    char *text = malloc((size_t)size + 1);
    memcpy(text, data, (size_t)size);
    text[size] = '\0';
    BIO_free(bio);
    return text;
}

static inline pki pki_new(void)
{
    pki result = {.root_key = EVP_EC_gen("P-256")};
    result.root =
        make_certificate("Unit Root", result.root_key, NULL, result.root_key, true, NULL, 30);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, result.root);
    result.root_pem = bio_text(bio);
    return result;
}

static inline void pki_free(pki *one)
{
    EVP_PKEY_free(one->root_key);
    X509_free(one->root);
    free(one->root_pem);
}

/* days < 0: expired. */
static inline identity identity_new(pki *from, const char *name, const char *purposes, int days)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *leaf = make_certificate(name, key, from->root, from->root_key, false, purposes, days);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, leaf);
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return (identity){.pem = bio_text(bio)};
}

/* ---- recording nets ---- */

typedef struct recorder recorder;
typedef void (*reaction)(recorder *self, const char *event);

struct recorder {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char events[EVENT_ROOM][32]; /* "connect 0", "verify 1", "ready 307", "close 0" ... */
    int count;
    int running, most_running; /* callbacks at once */
    HDICOMNET net;
    reaction react; /* called after recording, outside of the lock; may be NULL */
    int (*answer)(recorder *self, int ok, int code);
    /* a listener's children are made like this */
    const char *child_pem, *ca_pem;
    unsigned child_flags;
    int child_method;
    reaction child_react;
    recorder *child;
    atomic_int rounds; /* a test's own */
    unsigned port;
    recorder *next_made;
};

/* All recorders since the last release: callbacks may outlive the net that a test freed. */
static recorder *made;
static pthread_mutex_t made_lock = PTHREAD_MUTEX_INITIALIZER;

static inline void record(recorder *self, const char *name, int code)
{
    pthread_mutex_lock(&self->lock);
    if (self->count < EVENT_ROOM) {
        snprintf(self->events[self->count], sizeof self->events[0], "%s %d", name, code);
        self->count++;
    }
    self->running++;
    if (self->running > self->most_running) {
        self->most_running = self->running;
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static inline void left(recorder *self)
{
    pthread_mutex_lock(&self->lock);
    self->running--;
    pthread_mutex_unlock(&self->lock);
}

static inline void noted(recorder *self, const char *name, int code)
{
    record(self, name, code);
    if (self->react != NULL) {
        self->react(self, name);
    }
    left(self);
}

static inline L_INT on_verify(HDICOMNET net, L_INT ok, L_TCHAR *text, L_INT code,
                              L_TCHAR *error_text)
{
    recorder *self = L_DicomGetUserData(net);
    (void)error_text;
    if (self == NULL || strncmp(text, "Subject Name: ", 14) != 0) {
        return 0;
    }
    record(self, ok == 1 ? "verified" : "complaint", code);
    if (self->react != NULL) {
        self->react(self, "verify");
    }
    int answer = self->answer == NULL ? ok : self->answer(self, ok, code);
    left(self);
    return answer;
}

static inline L_VOID on_connect(HDICOMNET net, L_INT error, L_VOID *user)
{
    (void)net;
    noted(user, "connect", error);
}

static inline L_VOID on_ready(HDICOMNET net, L_INT error, L_VOID *user)
{
    (void)net;
    noted(user, "ready", error);
}

static inline L_VOID on_close(HDICOMNET net, L_INT error, HDICOMNET peer, L_VOID *user)
{
    noted(user, net == peer ? "close" : "child-close", error);
}

static inline L_VOID on_accept(HDICOMNET net, L_INT error, L_VOID *user);

/* A net with everything recorded. pem NULL: no certificate; ca_pem NULL: a plain net. */
static inline recorder *recorder_new(const char *pem, const char *ca_pem, unsigned flags,
                                     int method)
{
    recorder *self = calloc(1, sizeof *self);
    pthread_mutex_lock(&made_lock);
    self->next_made = made;
    made = self;
    pthread_mutex_unlock(&made_lock);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    DICOMNETCALLBACK callbacks = {.uStructSize = sizeof callbacks,
                                  .pUserData = self,
                                  .pfnConnect = on_connect,
                                  .pfnAccept = on_accept,
                                  .pfnClose = on_close,
                                  .pfnSecureLinkReady = on_ready};
    DICOMNETCALLBACKEXT ext = {.uStructSize = sizeof ext, .pfnVerify = on_verify};
    L_SSL_CTX_CREATE create = {.uStructSize = sizeof create,
                               .uFlags = FLAG_SSL_CTX_CREATE_METHOD_TYPE |
                                         FLAG_SSL_CTX_CREATE_VERIFY_MODE,
                               .nMethodTypeSSL = method,
                               .uVerifyMode = flags};
    self->net = L_DicomCreateNetExt(NULL, ca_pem == NULL ? DICOM_SECURE_NONE : DICOM_SECURE_TLS,
                                    ca_pem == NULL ? NULL : &create);
    CHECK(self->net != NULL);
    CHECK_INT(L_DicomSetCallback(self->net, &callbacks), 0);
    CHECK_INT(L_DicomSetCallbackExt(self->net, &ext), 0);
    if (ca_pem != NULL) {
        CHECK_INT(L_DicomSetCABytesTLS(self->net, (const L_UCHAR *)ca_pem, (L_UINT)strlen(ca_pem)),
                  0);
    }
    if (pem != NULL) {
        CHECK_INT(L_DicomSetCertificateBytesTLS(self->net, (const L_UCHAR *)pem,
                                                (L_UINT)strlen(pem), DICOM_TLS_CERTIFICATE_PEM,
                                                NULL, 0),
                  0);
    }
    return self;
}

static inline L_VOID on_accept(HDICOMNET net, L_INT error, L_VOID *user)
{
    recorder *self = user;
    recorder *child =
        recorder_new(self->child_pem, self->ca_pem, self->child_flags, self->child_method);
    child->react = self->child_react;
    child->answer = self->answer;
    pthread_mutex_lock(&self->lock);
    self->child = child;
    pthread_mutex_unlock(&self->lock);
    record(self, "accept", error);
    CHECK_INT(L_DicomAccept(net, child->net), 0);
    left(self);
}

static inline struct timespec wait_limit(void)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += WAIT_SECONDS;
    return end;
}

/* Waits until an event has been recorded. pumped nets are pumped meanwhile. */
static inline bool wait_for(recorder *self, const char *event)
{
    struct timespec end = wait_limit();
    bool found = false;
    bool late = false;
    pthread_mutex_lock(&self->lock);
    while (!found && !late) {
        for (int i = 0; i < self->count; i++) {
            found = found || strncmp(self->events[i], event, strlen(event)) == 0;
        }
        if (!found && L_DicomGetPumpMode()) {
            pthread_mutex_unlock(&self->lock);
            (void)L_DicomBreathe(20);
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            late = now.tv_sec > end.tv_sec;
            pthread_mutex_lock(&self->lock);
        } else if (!found) {
            late = pthread_cond_timedwait(&self->changed, &self->lock, &end) == ETIMEDOUT;
        }
    }
    pthread_mutex_unlock(&self->lock);
    if (!found) {
        printf("never came: %s\n", event);
    }
    return found;
}

/* The child that a listener accepted. */
static inline recorder *wait_for_child(recorder *listener)
{
    CHECK(wait_for(listener, "accept"));
    pthread_mutex_lock(&listener->lock);
    recorder *child = listener->child;
    pthread_mutex_unlock(&listener->lock);
    return child;
}

/* All events in one line: "connect 0, verified 0, ready 0". */
static inline const char *history(recorder *self, char *buffer, size_t size)
{
    buffer[0] = '\0';
    pthread_mutex_lock(&self->lock);
    for (int i = 0; i < self->count; i++) {
        size_t used = strlen(buffer);
        snprintf(buffer + used, size - used, "%s%s", i > 0 ? ", " : "", self->events[i]);
    }
    pthread_mutex_unlock(&self->lock);
    return buffer;
}

/* Frees the net; the recorder's memory goes when no callback can be running: at the end of the
 * program's nets. */
static inline void recorder_free(recorder *self)
{
    L_DicomFreeNet(self->net);
}

/* Waits until every net, connection and worker has ended: then nothing was leaked and memory may
 * go. */
static inline bool all_quiet(void)
{
    DICOMSTATISTICS now = {.uStructSize = sizeof now};
    for (int i = 0; i < WAIT_SECONDS * 100; i++) {
        CHECK_INT(L_DicomGetStatistics(&now), 0);
        if (now.nNets == 0 && now.nConnections == 0 && now.nThreads == 0 && now.nHandshakes == 0) {
            return true;
        }
        struct timespec nap = {.tv_nsec = 10000000L};
        nanosleep(&nap, NULL);
    }
    printf("left: %u nets, %u connections, %u threads, %u handshakes\n", now.nNets,
           now.nConnections, now.nThreads, now.nHandshakes);
    return false;
}

/* When all is quiet. */
static inline void recorders_release(void)
{
    while (made != NULL) {
        recorder *next = made->next_made;
        pthread_cond_destroy(&made->changed);
        pthread_mutex_destroy(&made->lock);
        free(made);
        made = next;
    }
}

#endif
