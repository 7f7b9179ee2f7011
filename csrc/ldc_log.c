/* ldc_log.c - see ldc_log.h. */
#include "ldc_log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ldc_engine.h"
#include "ldc_error.h"

enum {
    TEXT_SIZE = 2048,
    MAX_LOG_LINES = 1000,
    LINES_AT_ONCE = 50
};

/* ---- who is told ---- */

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static LOGCALLBACK log_callback; /* at most one of these two */
static LOGCALLBACKEXT log_callback_ext;
static void *log_user;
static LOGCALLBACKEXT failure_callback;
static void *failure_user;

static void set_callbacks(LOGCALLBACK callback, LOGCALLBACKEXT callback_ext, void *user)
{
    pthread_mutex_lock(&log_lock);
    log_callback = callback;
    log_callback_ext = callback_ext;
    log_user = user;
    pthread_mutex_unlock(&log_lock);
}

L_INT L_DicomSetLogCallback(LOGCALLBACK pfnLog, L_VOID *pUserData)
{
    set_callbacks(pfnLog, NULL, pUserData);
    return DICOM_SUCCESS;
}

L_INT L_DicomSetLogCallbackExt(LOGCALLBACKEXT pfnLog, L_VOID *pUserData)
{
    set_callbacks(NULL, pfnLog, pUserData);
    return DICOM_SUCCESS;
}

L_INT L_DicomSetFailureCallback(LOGCALLBACKEXT pfnFailure, L_VOID *pUserData)
{
    pthread_mutex_lock(&log_lock);
    failure_callback = pfnFailure;
    failure_user = pUserData;
    pthread_mutex_unlock(&log_lock);
    return DICOM_SUCCESS;
}

static void call_ext(LOGCALLBACKEXT callback, void *user, int level, uint64_t handle,
                     const char *text, const ldc_log_about *about)
{
    DICOMFAILURE failure;
    DICOMLOGRECORD record = {.uStructSize = sizeof record,
                             .nLevel = level,
                             .hNet = (HDICOMNET)(uintptr_t)handle,
                             .pszText = text};
    if (about != NULL) {
        record.pszPeer = about->peer;
        record.nPeerPort = about->port;
        record.bInbound = about->inbound ? 1 : 0;
        record.nMore = about->more;
        record.pEnding = about->ending;
    }
    if (about != NULL && about->failure != NULL) {
        ldc_failure_show(about->failure, &failure);
        record.pFailure = &failure;
    }
    callback(&record, user);
}

static void call_log(int level, uint64_t handle, const char *text, const ldc_log_about *about)
{
    bool computed;
    pthread_mutex_lock(&log_lock);
    LOGCALLBACK callback = log_callback;
    LOGCALLBACKEXT callback_ext = log_callback_ext;
    void *user = log_user;
    bool watched = about != NULL && about->watched;
    if (watched) {
        callback = NULL;
        callback_ext = failure_callback;
        user = failure_user;
    }
    pthread_mutex_unlock(&log_lock);
    if (callback == NULL && callback_ext == NULL) {
        if (!watched && level >= DICOM_LOG_WARNING) {
            fprintf(stderr, "ltdic: %s\n", text);
        }
    } else if (ldc_user_enter(&computed)) {
        if (callback != NULL) {
            callback(level, (HDICOMNET)(uintptr_t)handle, text, user);
        } else {
            call_ext(callback_ext, user, level, handle, text, about);
        }
        ldc_user_leave(computed);
    }
}

/* ---- lines that wait: one worker with a user slot tells them, in order ---- */

typedef struct log_line {
    struct log_line *next;
    int level;
    uint64_t handle;
    bool has_about;
    ldc_log_about about; /* points to what follows */
    ldc_failure failure; /* owned, like the rest */
    DICOMENDING ending;
    char *peer, *subject;
    char text[];
} log_line;

static struct log_queue {
    pthread_mutex_t lock;
    pthread_cond_t told;    /* running has become false */
    log_line *first, *last; /* owned */
    unsigned count;
    bool running; /* the job is queued or runs */
    ldc_job job;
} log_queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};

static void line_free(log_line *line)
{
    ldc_failure_clear(&line->failure);
    free(line->peer);
    free(line->subject);
    free(line);
}

/* What memory there is not is left out: the text is the line. */
static log_line *line_new(int level, uint64_t handle, const char *text, const ldc_log_about *about)
{
    size_t size = strlen(text) + 1;
    log_line *line = calloc(1, sizeof *line + size);
    if (line == NULL) {
        return NULL;
    }
    line->level = level;
    line->handle = handle;
    memcpy(line->text, text, size);
    ldc_failure_init(&line->failure);
    line->has_about = about != NULL;
    if (about == NULL) {
        return line;
    }
    line->about = *about;
    line->peer = ldc_strdup(about->peer);
    line->about.peer = line->peer;
    if (about->failure != NULL) {
        (void)ldc_failure_copy(&line->failure, about->failure);
        line->about.failure = &line->failure;
    }
    if (about->ending != NULL) {
        line->ending = *about->ending;
        line->subject = ldc_strdup(about->ending->pszSubject);
        line->ending.pszSubject = line->subject;
        line->about.ending = &line->ending;
    }
    return line;
}

static void run_log(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    bool more = true;
    for (int i = 0; i < LINES_AT_ONCE && more; i++) {
        pthread_mutex_lock(&log_queue.lock);
        log_line *line = log_queue.first;
        if (line == NULL) {
            log_queue.running = false;
            pthread_cond_broadcast(&log_queue.told);
            more = false;
        } else {
            log_queue.first = line->next;
            log_queue.last = line->next == NULL ? NULL : log_queue.last;
            log_queue.count--;
        }
        pthread_mutex_unlock(&log_queue.lock);
        if (line != NULL) {
            call_log(line->level, line->handle, line->text, line->has_about ? &line->about : NULL);
            line_free(line);
        }
    }
    if (more) {
        ldc_engine_push(job, LDC_JOB_USER);
    }
}

static void queue_log(int level, uint64_t handle, const char *text, const ldc_log_about *about)
{
    log_line *line = line_new(level, handle, text, about);
    if (line == NULL) {
        return;
    }
    pthread_mutex_lock(&log_queue.lock);
    bool full = log_queue.count >= MAX_LOG_LINES; /* a reader that slow has to do without */
    bool start = !full && !log_queue.running;
    if (!full) {
        if (log_queue.last == NULL) {
            log_queue.first = line;
        } else {
            log_queue.last->next = line;
        }
        log_queue.last = line;
        log_queue.count++;
        log_queue.running = true;
    }
    pthread_mutex_unlock(&log_queue.lock);
    if (full) {
        line_free(line);
    }
    if (start) {
        log_queue.job.run = run_log;
        ldc_engine_push(&log_queue.job, LDC_JOB_USER);
    }
}

/* ---- lines ---- */

void ldc_log_about_it(int level, uint64_t handle, const char *text, const ldc_log_about *about)
{
    if (ldc_engine_may_call_user()) {
        call_log(level, handle, text, about);
    } else {
        queue_log(level, handle, text, about);
    }
}

void ldc_log(int level, uint64_t handle, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ldc_log_about_it(level, handle, text, NULL);
}

void ldc_log_watch(uint64_t handle, const ldc_failure *failure, const char *peer, unsigned port,
                   bool inbound)
{
    pthread_mutex_lock(&log_lock);
    bool wanted = failure_callback != NULL;
    pthread_mutex_unlock(&log_lock);
    if (!wanted) {
        return;
    }
    DICOMFAILURE shown;
    ldc_failure_show(failure, &shown);
    char *sentence = ldc_failure_sentence(&shown);
    ldc_log_about about = {
        .failure = failure, .peer = peer, .port = port, .inbound = inbound, .watched = true};
    ldc_log_about_it(DICOM_LOG_WARNING, handle, sentence == NULL ? "" : sentence, &about);
    free(sentence);
}

L_INT L_DicomFlushLog(L_UINT nMilliseconds)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (time_t)(nMilliseconds / 1000);
    end.tv_nsec += (long)(nMilliseconds % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&log_queue.lock);
    int waited = 0;
    while (log_queue.running && waited == 0) {
        waited = pthread_cond_timedwait(&log_queue.told, &log_queue.lock, &end);
    }
    bool all = !log_queue.running;
    pthread_mutex_unlock(&log_queue.lock);
    return all ? DICOM_SUCCESS : DICOM_ERROR_NET_TIMEOUT;
}

void ldc_log_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&log_lock, &fresh, sizeof fresh);
    struct log_queue none = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};
    memcpy(&log_queue, &none, sizeof log_queue);
}
