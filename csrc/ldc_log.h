/*
 * ldc_log.h - the log: lines for people, with what they are about as data.
 *
 * A line that arises where user code must not run is told later, in order, by a worker.
 */
#ifndef LDC_LOG_H
#define LDC_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "ldc_failure.h"
#include "ltdic.h"

/* What a line is about; all of it lent, and copied if it is told later. */
typedef struct ldc_log_about {
    const ldc_failure *failure; /* NULL = none */
    const char *peer;           /* address or host name, NULL = none */
    unsigned port;
    bool inbound;
    unsigned more;             /* failures that were not logged */
    const DICOMENDING *ending; /* NULL = none */
    bool watched;              /* for the failure callback, and no line of the log */
} ldc_log_about;

/* Sends one line to the log callback. handle: the net's number or 0. No lock may be held. */
void ldc_log_about_it(int level, uint64_t handle, const char *text, const ldc_log_about *about);

/* Tells the failure callback, if there is one, of a failure; all lent. No lock may be held. */
void ldc_log_watch(uint64_t handle, const ldc_failure *failure, const char *peer, unsigned port,
                   bool inbound);

void ldc_log_after_fork(void);

#endif
