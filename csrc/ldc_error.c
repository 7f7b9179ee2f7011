/* ldc_error.c - see ldc_error.h. */
#include "ldc_error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
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
    pthread_mutex_unlock(&log_lock);
    if (callback == NULL) {
        if (level >= DICOM_LOG_WARNING) {
            fprintf(stderr, "ltdic: %s\n", text);
        }
    } else if (ldc_user_enter()) {
        callback(level, (HDICOMNET)(uintptr_t)handle, text, user);
        ldc_user_leave();
    }
}

/* A line that arose where user code must not run: a worker with a user slot tells it. */
typedef struct log_job {
    ldc_job job;
    int level;
    uint64_t handle;
    char text[];
} log_job;

enum {
    MAX_LOG_JOBS = 1000
};
static atomic_uint log_jobs;

static void run_log(ldc_job *job, bool user_slot)
{
    (void)user_slot;
    log_job *line = (log_job *)(void *)job;
    call_log(line->level, line->handle, line->text);
    free(line);
    atomic_fetch_sub(&log_jobs, 1u);
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
        return;
    }
    size_t size = strlen(text) + 1;
    log_job *line = atomic_load(&log_jobs) < MAX_LOG_JOBS ? malloc(sizeof *line + size) : NULL;
    if (line == NULL) {
        return; /* a reader that slow has to do without */
    }
    line->job.run = run_log;
    line->level = level;
    line->handle = handle;
    memcpy(line->text, text, size);
    atomic_fetch_add(&log_jobs, 1u);
    ldc_engine_push(&line->job, LDC_JOB_USER);
}

void ldc_log_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&log_lock, &fresh, sizeof fresh);
    atomic_store(&log_jobs, 0u);
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
