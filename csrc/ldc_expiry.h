/*
 * ldc_expiry.h - certificates of listeners that end soon: a warning 30, 7 and 1 days before, and
 * when they have ended.
 *
 * Each step is told once for each certificate, whoever has it; looked at when a listener opens, at
 * each Accept of TLS settings that were not looked at today, and twice a day while it is open.
 */
#ifndef LDC_EXPIRY_H
#define LDC_EXPIRY_H

#include "ldc_tls.h"

enum {
    LDC_EXPIRY_EVERY = 43200 /* seconds */
};

/* Seconds since 1970. */
int64_t ldc_expiry_now(void);
/* Tests: another clock; NULL = the system's. */
void ldc_expiry_set_clock(int64_t (*clock)(void));

/* Own certificate with its chain, and authorities; either may be NULL. handle: for the log. No lock
 * may be held. */
void ldc_expiry_look(uint64_t handle, const ldc_tls_credentials *credentials,
                     const ldc_tls_anchors *anchors);
/* The same for a context, unless that was looked at within LDC_EXPIRY_EVERY. */
void ldc_expiry_look_at_context(uint64_t handle, ldc_tls_context *context);
void ldc_expiry_after_fork(void);

#endif
