/* ldc_wait.c - see ldc_wait.h. */
#include "ldc_wait.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "ldc_engine.h"
#include "ltdic.h"

static struct watcher {
    pthread_mutex_t lock;
    WAITCALLBACK callback;
    void *user;
} watcher = {.lock = PTHREAD_MUTEX_INITIALIZER};

L_INT L_DicomSetWaitCallback(WAITCALLBACK pfnWait, L_VOID *pUserData)
{
    pthread_mutex_lock(&watcher.lock);
    watcher.callback = pfnWait;
    watcher.user = pUserData;
    pthread_mutex_unlock(&watcher.lock);
    return DICOM_SUCCESS;
}

bool ldc_wait_watched(void)
{
    pthread_mutex_lock(&watcher.lock);
    bool watched = watcher.callback != NULL;
    pthread_mutex_unlock(&watcher.lock);
    return watched && !ldc_engine_is_worker();
}

bool ldc_wait_ends(void)
{
    bool computed;
    pthread_mutex_lock(&watcher.lock);
    WAITCALLBACK callback = watcher.callback;
    void *user = watcher.user;
    pthread_mutex_unlock(&watcher.lock);
    if (callback == NULL || !ldc_user_enter(&computed)) {
        return false;
    }
    bool ends = callback(user) != 0;
    ldc_user_leave(computed);
    return ends;
}

/* Each send takes the lock: another thread may have had it. */
void ldc_wait_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&watcher.lock, &fresh, sizeof fresh);
}
