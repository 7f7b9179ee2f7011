/* ldc_error.c - see ldc_error.h. */
#include "ldc_error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_engine.h"
#include "ldc_tables.h"
#include "ltdic.h"

enum {
    TEXT_SIZE = 2048
};

static _Thread_local int last_code;
static _Thread_local char last_text[TEXT_SIZE];

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static LOGCALLBACK log_callback;
static void *log_user;

int ldc_error(int code, const char *format, ...)
{
    char detail[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    last_code = code;
    /* The cut-off of an overlong text is meant: it is for people. */
    if (detail[0] == '\0') {
        snprintf(last_text, sizeof last_text, "%s", ldc_error_text(code));
    } else {
        snprintf(last_text, sizeof last_text, "%.200s: %.1800s", ldc_error_text(code), detail);
    }
    return code;
}

L_INT L_DicomGetLastError(void)
{
    return last_code;
}

const L_TCHAR *L_DicomGetLastErrorText(void)
{
    return last_text;
}

L_INT L_DicomSetLogCallback(LOGCALLBACK pfnLog, L_VOID *pUserData)
{
    pthread_mutex_lock(&log_lock);
    log_callback = pfnLog;
    log_user = pUserData;
    pthread_mutex_unlock(&log_lock);
    return DICOM_SUCCESS;
}

static void call_log(int level, uint64_t handle, const char *text)
{
    pthread_mutex_lock(&log_lock);
    LOGCALLBACK callback = log_callback;
    void *user = log_user;
    bool computed;
    pthread_mutex_unlock(&log_lock);
    if (callback == NULL) {
        if (level >= DICOM_LOG_WARNING) {
            fprintf(stderr, "ltdic: %s\n", text);
        }
    } else if (ldc_user_enter(&computed)) {
        callback(level, (HDICOMNET)(uintptr_t)handle, text, user);
        ldc_user_leave(computed);
    }
}

/* Lines that arose where user code must not run: one worker with a user slot tells them, in order.
 */
typedef struct log_line {
    struct log_line *next;
    int level;
    uint64_t handle;
    char text[];
} log_line;

enum {
    MAX_LOG_LINES = 1000,
    LINES_AT_ONCE = 50
};

static struct log_queue {
    pthread_mutex_t lock;
    log_line *first, *last; /* owned */
    unsigned count;
    bool running; /* the job is queued or runs */
    ldc_job job;
} log_queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void run_log(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    bool more = true;
    for (int i = 0; i < LINES_AT_ONCE && more; i++) {
        pthread_mutex_lock(&log_queue.lock);
        log_line *line = log_queue.first;
        if (line == NULL) {
            log_queue.running = false;
            more = false;
        } else {
            log_queue.first = line->next;
            log_queue.last = line->next == NULL ? NULL : log_queue.last;
            log_queue.count--;
        }
        pthread_mutex_unlock(&log_queue.lock);
        if (line != NULL) {
            call_log(line->level, line->handle, line->text);
            free(line);
        }
    }
    if (more) {
        ldc_engine_push(job, LDC_JOB_USER);
    }
}

static void queue_log(int level, uint64_t handle, const char *text)
{
    size_t size = strlen(text) + 1;
    log_line *line = malloc(sizeof *line + size);
    if (line == NULL) {
        return;
    }
    line->next = NULL;
    line->level = level;
    line->handle = handle;
    memcpy(line->text, text, size);
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
        free(line);
    }
    if (start) {
        log_queue.job.run = run_log;
        ldc_engine_push(&log_queue.job, LDC_JOB_USER);
    }
}

void ldc_log(int level, uint64_t handle, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (ldc_engine_may_call_user()) {
        call_log(level, handle, text);
    } else {
        queue_log(level, handle, text);
    }
}

void ldc_log_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&log_lock, &fresh, sizeof fresh);
    struct log_queue none = {.lock = PTHREAD_MUTEX_INITIALIZER};
    memcpy(&log_queue, &none, sizeof log_queue);
}

char *ldc_strdup(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

char *ldc_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
    }
    va_end(args);
    return text;
}
