/* test_wait.c - whether a program wants to end the calls that wait, in a forked child. */
#include <sys/wait.h>
#include <unistd.h>

#include "ldc_engine.h"
/* Its lock is held as another thread would. */
#include "ldc_wait.c" /* NOLINT(bugprone-suspicious-include) */
#include "unit.h"

static L_INT never(L_VOID *user)
{
    (void)user;
    return 0;
}

TEST(a_forked_child_sends_though_another_thread_was_looking_at_who_watches)
{
    CHECK_INT(L_DicomSetWaitCallback(never, NULL), 0);
    CHECK(ldc_engine_same_process((int)getpid())); /* from now on it hears of forks */
    pthread_mutex_lock(&watcher.lock);
    pid_t child = fork();
    if (child == 0) {
        alarm(5);
        _exit(ldc_wait_watched() ? 0 : 1);
    }
    pthread_mutex_unlock(&watcher.lock);
    int status = -1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    CHECK_INT(L_DicomSetWaitCallback(NULL, NULL), 0);
}
