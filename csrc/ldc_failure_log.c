/* ldc_failure_log.c - see ldc_failure_log.h. */
#include "ldc_failure_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_engine.h"
#include "ldc_error.h"

enum {
    CAUSES = 64,
    LINES = 10,
    WINDOW_MS = 60 * 1000,
    MAX_SECONDS = 7 * 86400
};

typedef struct cause {
    bool used;
    int stage, side, code, certificate_code, alert_sent, alert_received;
    bool inbound;
    int64_t since;  /* the beginning of the present window, ms */
    unsigned lines; /* told in it */
    unsigned more;  /* not told in it; then, of the first of those: */
    uint64_t handle;
    ldc_failure first; /* owned */
    char *peer;        /* owned */
    unsigned port;
} cause;

static struct causes {
    pthread_mutex_t lock;
    unsigned lines;
    int64_t window;
    cause of[CAUSES];
} causes = {.lock = PTHREAD_MUTEX_INITIALIZER, .lines = LINES, .window = WINDOW_MS};

/* ---- lines ---- */

static int level_of(const ldc_failure *failure)
{
    bool ours = failure->code == DICOM_ERROR_MEMORY || failure->code == DICOM_ERROR_INTERNAL;
    return ours ? DICOM_LOG_ERROR : DICOM_LOG_WARNING;
}

/* "from 10.0.0.7:40112", "to [::1]:2762". */
static char *peer_text(const char *peer, unsigned port, bool inbound)
{
    const char *way = inbound ? "from" : "to";
    if (peer == NULL || peer[0] == '\0') {
        return ldc_format("%s an unknown address", way);
    }
    bool brackets = strchr(peer, ':') != NULL;
    return ldc_format("%s %s%s%s:%u", way, brackets ? "[" : "", peer, brackets ? "]" : "", port);
}

/* more 0: a failure's own line; else that of those without. */
static void tell(uint64_t handle, const ldc_failure *failure, const char *peer, unsigned port,
                 bool inbound, unsigned more, int64_t window)
{
    DICOMFAILURE shown;
    ldc_failure_show(failure, &shown);
    char *sentence = ldc_failure_sentence(&shown);
    char *who = peer_text(peer, port, inbound);
    char *text = NULL;
    if (sentence != NULL && who != NULL) {
        text = more == 0
                   ? ldc_format("connection %s failed: %s", who, sentence)
                   : ldc_format(
                         "%u more connection%s failed within %lld seconds for the same cause, the "
                         "first of them %s: %s",
                         more, more == 1 ? "" : "s", (long long)(window / 1000), who, sentence);
    }
    ldc_log_about about = {
        .failure = failure, .peer = peer, .port = port, .inbound = inbound, .more = more};
    ldc_log_about_it(level_of(failure), handle, text == NULL ? "a connection failed" : text,
                     &about);
    free(text);
    free(who);
    free(sentence);
}

static void tell_more(cause *counted, int64_t window)
{
    tell(counted->handle, &counted->first, counted->peer, counted->port, counted->inbound,
         counted->more, window);
    ldc_failure_clear(&counted->first);
    free(counted->peer);
}

/* ---- counting: the lock is held ---- */

/* Takes what was counted out of the table; false: nothing was. */
static bool take(cause *from, cause *counted)
{
    *counted = *from;
    from->more = 0;
    from->peer = NULL;
    ldc_failure_init(&from->first);
    return counted->more > 0;
}

static bool same(const cause *one, const ldc_failure *failure, bool inbound)
{
    return one->used && one->stage == failure->stage && one->side == failure->side &&
           one->code == failure->code && one->certificate_code == failure->certificate_code &&
           one->alert_sent == failure->alert_sent &&
           one->alert_received == failure->alert_received && one->inbound == inbound;
}

/* The failure's cause, new if need be; what the cause that made room had counted is in *counted. */
static cause *find(const ldc_failure *failure, bool inbound, cause *counted, bool *some)
{
    cause *oldest = &causes.of[0];
    for (size_t i = 0; i < CAUSES; i++) {
        if (same(&causes.of[i], failure, inbound)) {
            return &causes.of[i];
        }
        if (oldest->used && (!causes.of[i].used || causes.of[i].since < oldest->since)) {
            oldest = &causes.of[i];
        }
    }
    *some = oldest->used && take(oldest, counted);
    *oldest = (cause){.used = true,
                      .stage = failure->stage,
                      .side = failure->side,
                      .code = failure->code,
                      .certificate_code = failure->certificate_code,
                      .alert_sent = failure->alert_sent,
                      .alert_received = failure->alert_received,
                      .inbound = inbound,
                      .since = ldc_now_ms()};
    ldc_failure_init(&oldest->first);
    return oldest;
}

bool ldc_failure_log(uint64_t handle, const ldc_failure *failure, const char *peer, unsigned port,
                     bool inbound)
{
    cause displaced;
    bool some = false;
    int64_t now = ldc_now_ms();
    ldc_log_watch(handle, failure, peer, port, inbound);
    (void)ldc_failure_log_look(now, false);
    pthread_mutex_lock(&causes.lock);
    int64_t window = causes.window;
    if (causes.lines == 0) {
        pthread_mutex_unlock(&causes.lock);
        return false;
    }
    cause *of = find(failure, inbound, &displaced, &some);
    if (now - of->since >= window) {
        of->since = now; /* what was counted before has been told above */
        of->lines = 0;
    }
    bool line = of->lines < causes.lines;
    bool first = false;
    if (line) {
        of->lines++;
    } else if (of->more++ == 0) {
        first = true;
        of->handle = handle;
        of->port = port;
        of->peer = ldc_strdup(peer);
        (void)ldc_failure_copy(&of->first, failure);
    }
    pthread_mutex_unlock(&causes.lock);
    if (some) {
        tell_more(&displaced, window);
    }
    if (line) {
        tell(handle, failure, peer, port, inbound, 0, window);
    }
    return first;
}

int64_t ldc_failure_log_look(int64_t now, bool all)
{
    int64_t next = 0;
    for (size_t i = 0; i < CAUSES; i++) {
        cause counted;
        bool some = false;
        pthread_mutex_lock(&causes.lock);
        cause *of = &causes.of[i];
        int64_t window = causes.window, due = of->since + window;
        if (of->used && of->more > 0 && (all || due <= now)) {
            some = take(of, &counted);
        } else if (of->used && of->more > 0 && (next == 0 || due < next)) {
            next = due;
        }
        pthread_mutex_unlock(&causes.lock);
        if (some) {
            tell_more(&counted, window);
        }
    }
    return next;
}

L_INT L_DicomSetFailureLog(L_UINT nLines, L_UINT nSeconds)
{
    if (nSeconds == 0 || nSeconds > MAX_SECONDS) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%u seconds: it must be in 1..%d", nSeconds,
                         MAX_SECONDS);
    }
    (void)ldc_failure_log_look(0, true);
    pthread_mutex_lock(&causes.lock);
    causes.lines = nLines;
    causes.window = (int64_t)nSeconds * 1000;
    for (size_t i = 0; i < CAUSES; i++) {
        causes.of[i].lines = 0; /* it begins anew */
        causes.of[i].since = ldc_now_ms();
    }
    pthread_mutex_unlock(&causes.lock);
    return DICOM_SUCCESS;
}

void ldc_failure_log_after_fork(void)
{
    /* What the parent counted is the parent's; its memory is not ours to free. */
    struct causes fresh = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .lines = causes.lines, .window = causes.window};
    memcpy(&causes, &fresh, sizeof causes);
}
