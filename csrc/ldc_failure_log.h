/*
 * ldc_failure_log.h - failures of connections as lines of the log: each once, and no flood.
 *
 * Of one cause so many have a line of their own within a time; the others are counted, and told in
 * one line when the time is over.
 */
#ifndef LDC_FAILURE_LOG_H
#define LDC_FAILURE_LOG_H

#include "ldc_log.h"

/* Logs the failure, or counts it. The peer, host name or address, is lent; NULL = not known. true:
 * it is the first one that is only counted, so somebody should call ldc_failure_log_look() later.
 * No lock may be held. */
bool ldc_failure_log(uint64_t handle, const ldc_failure *failure, const char *peer, unsigned port,
                     bool inbound);
/* Tells the counts whose time is over; all: of all causes. When the next one will be (ms), 0 =
 * there is none. */
int64_t ldc_failure_log_look(int64_t now, bool all);
void ldc_failure_log_after_fork(void);

#endif
