/* ldc_wait.h - calls that wait, and programs that want to end them: Ctrl-C is for the thread that
 * waits. */
#ifndef LDC_WAIT_H
#define LDC_WAIT_H

#include <stdbool.h>

enum {
    LDC_WAIT_SLICE_MS = 200 /* between two looks */
};

/* Whether somebody wants to be asked on this thread. */
bool ldc_wait_watched(void);
/* Asks him. true: the wait is to end. User code runs: no lock may be held. */
bool ldc_wait_ends(void);

void ldc_wait_after_fork(void);

#endif
