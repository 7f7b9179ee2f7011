/*
 * ldc_outgoing.h - PDUs that wait to be written, and the stage on which they are laid out for one
 * write: pieces, in order, of a small buffer and of data sets in memory, which are not copied.
 */
#ifndef LDC_OUTGOING_H
#define LDC_OUTGOING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "ldc_dataset.h"
#include "ldc_message.h"

typedef struct ldc_out {
    struct ldc_out *next;
    uint8_t type;   /* PDU_... */
    uint8_t *bytes; /* owned: the PDU, or the command set of a message */
    size_t length;
    bool message;
    bool in_file;              /* the data set: read as it is sent */
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

enum {
    LDC_STAGE_PIECES = 32
};

typedef struct ldc_piece {
    const uint8_t *memory; /* of a data set that is held; NULL: in the stage's bytes */
    size_t offset, length;
} ldc_piece;

typedef struct ldc_stage {
    uint8_t *bytes; /* owned: headers, command sets, what was read from files */
    size_t capacity, used;
    ldc_piece pieces[LDC_STAGE_PIECES];
    size_t count, at; /* pieces, and the first that is not written */
    size_t left;      /* bytes not written yet: nothing is laid out before that is 0 */
    ldc_dataset *held[LDC_STAGE_PIECES]; /* references */
    size_t held_count;
} ldc_stage;

/* Lays out as much of `out` as there is room for. done: all of it. 0 or DICOM_ERROR_... (a file
 * cannot be read). Each whole PDU laid out is reported to told (may be NULL). */
int ldc_stage_fill(ldc_stage *stage, ldc_out *out, bool *done,
                   void (*told)(void *arg, uint8_t type, uint32_t length), void *arg);
/* What is left to be written. Valid until the next call but ldc_stage_wrote. */
size_t ldc_stage_pieces(const ldc_stage *stage, struct iovec pieces[LDC_STAGE_PIECES]);
void ldc_stage_wrote(ldc_stage *stage, size_t size);
/* Nothing is left and nothing comes: keeps only what is small. */
void ldc_stage_rest(ldc_stage *stage);
void ldc_stage_free(ldc_stage *stage);

#endif
