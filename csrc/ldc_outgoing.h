/* ldc_outgoing.h - PDUs that wait to be written, and the buffer in which they are laid out for one
 * write. */
#ifndef LDC_OUTGOING_H
#define LDC_OUTGOING_H

#include <stdbool.h>
#include <stdint.h>

#include "ldc_dataset.h"
#include "ldc_message.h"

typedef struct ldc_out {
    struct ldc_out *next;
    uint8_t type;   /* PDU_... */
    uint8_t *bytes; /* owned: the PDU, or the command set of a message */
    size_t length;
    bool message;
    bool begun;                /* laid out in part at least */
    bool operation;            /* message: a request that has an answer */
    uint16_t field, id;        /* message: of its command */
    ldc_fragmenter fragmenter; /* message */
    ldc_dataset *data;         /* message: reference, NULL = none */
    uint64_t cost;
} ldc_out;

ldc_out *ldc_out_pdu(uint8_t type, const void *bytes, size_t length);
/* Takes the command's bytes over. */
ldc_out *ldc_out_message(uint8_t context, uint8_t *command, size_t length, ldc_dataset *data,
                         uint32_t peer_maximum);
void ldc_out_free(ldc_out *out);

typedef struct ldc_stage {
    uint8_t *bytes; /* owned, NULL while idle */
    size_t capacity, used, written;
} ldc_stage;

/* Lays out as much of `out` as there is room for. done: all of it. 0 or DICOM_ERROR_... (a file
 * cannot be read). Each whole PDU laid out is reported to told (may be NULL). */
int ldc_stage_fill(ldc_stage *stage, ldc_out *out, bool *done,
                   void (*told)(void *arg, uint8_t type, uint32_t length), void *arg);
void ldc_stage_free(ldc_stage *stage);

#endif
