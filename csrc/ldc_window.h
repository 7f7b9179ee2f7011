/*
 * ldc_window.h - the operations of one direction of an association that have been asked for and not
 * answered, and how many there may be: the asynchronous operations window (PS3.7 D.3.3.3).
 *
 * Pure: no I/O, no locks. Message ids may be in use twice; who does that gets what he asked for.
 */
#ifndef LDC_WINDOW_H
#define LDC_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_command.h"

typedef struct ldc_operation {
    uint16_t field, id; /* of the request */
} ldc_operation;

typedef struct ldc_window {
    uint16_t most; /* 0 = no limit */
    size_t count, capacity;
    ldc_operation *open; /* own, oldest first */
} ldc_window;

enum {
    LDC_WINDOW_MOST = 65536 /* that many are remembered, even without a limit */
};

/* An empty window for one operation at a time, as without negotiation. */
void ldc_window_init(ldc_window *window);
void ldc_window_free(ldc_window *window);
bool ldc_window_full(const ldc_window *window);
/* Enters a request. What cannot be remembered (no memory, LDC_WINDOW_MOST) does not count. */
void ldc_window_begin(ldc_window *window, const ldc_command *request);
/* Takes out what a response answers, if it is the final one. A response that fits no request ends
 * the oldest of its kind: peers that mix ids up must not block an association for good. false:
 * nothing was taken out. */
bool ldc_window_end(ldc_window *window, const ldc_command *response);
/* What both agreed on: how many operations a requestor may have open (invoked) or an acceptor
 * towards it (performed); each as said by request and accept, 0 = no limit. */
uint16_t ldc_window_agreed(uint16_t asked, uint16_t answered);

/* Whether the command is a request that has an answer: not C-CANCEL. */
bool ldc_window_counts(const ldc_command *command);
bool ldc_window_is_final(const ldc_command *response);

#endif
