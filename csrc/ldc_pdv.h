/*
 * ldc_pdv.h - a stream of PDUs taken apart as it comes in, and the headers of the P-DATA-TF PDUs
 * that go out (PS3.8 §9.3.5, Annex E.2).
 *
 * The parser copies and buffers nothing but the bytes of a header that is not complete yet. It is
 * fed with bytes cut anywhere and answers with events, one for each call:
 *
 *     while ((event = ldc_pdv_next(&parser, &bytes, &left)) != LDC_PDV_MORE) { ... }
 *
 * Events of one P-DATA-TF PDU: PDU, then for each item ITEM, DATA (0 or more), ITEM_END, then
 * PDU_END. Of any other PDU: PDU, BODY (1 or more), PDU_END. PDU comes before any byte behind the
 * header is looked at; type and length have been judged by then. FAULT is final.
 *
 * What a fragment is for (which context, command or data set, in order or not) is for the layer
 * above.
 */
#ifndef LDC_PDV_H
#define LDC_PDV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_pdu.h"

typedef enum ldc_pdv_event {
    LDC_PDV_MORE,     /* all bytes are used up */
    LDC_PDV_PDU,      /* header: type, pdu_length */
    LDC_PDV_BODY,     /* some bytes of a PDU that is not P-DATA-TF: data, size */
    LDC_PDV_ITEM,     /* header of a PDV: context, command, last, fragment_length */
    LDC_PDV_DATA,     /* some bytes of its fragment: data, size (never 0) */
    LDC_PDV_ITEM_END, /* the fragment is complete */
    LDC_PDV_PDU_END,  /* the PDU is complete */
    LDC_PDV_FAULT     /* fault */
} ldc_pdv_event;

typedef struct ldc_pdv_parser {
    /* Read these; they are of the last event, those of a header until the next header. */
    uint8_t type; /* PDU_... */
    uint32_t pdu_length;
    uint8_t context;
    bool command; /* else data set */
    bool last;    /* the last fragment of the command or data set */
    uint32_t fragment_length;
    const uint8_t *data; /* lent: points into the bytes that were fed */
    size_t size;
    ldc_pdu_fault fault;

    /* The parser's own. */
    ldc_pdu_limits limits;
    int state;
    uint8_t header[LDC_PDU_HEADER];
    uint8_t have;       /* bytes of `header` */
    uint32_t pdu_left;  /* of the PDU, the rest of the item included */
    uint32_t item_left; /* of the fragment */
    uint32_t items;     /* begun in this PDU */
} ldc_pdv_parser;

/* `limits` is copied; NULL: the defaults. There is nothing to free. */
void ldc_pdv_init(ldc_pdv_parser *parser, const ldc_pdu_limits *limits);
/* From the next PDU on; for the maximum length that is announced with the association. */
void ldc_pdv_set_limits(ldc_pdv_parser *parser, const ldc_pdu_limits *limits);
/* Takes bytes from the front: moves *bytes on, and makes *left smaller. */
ldc_pdv_event ldc_pdv_next(ldc_pdv_parser *parser, const uint8_t **bytes, size_t *left);
/* Whether a PDU has begun and is not complete: for timers, and for a peer that closes. */
bool ldc_pdv_inside(const ldc_pdv_parser *parser);

/* ---- sending ---- */

enum {
    LDC_PDV_ITEM_HEADER = 6, /* 4 bytes of length, context id, control header */
    LDC_PDV_HEADERS = 12     /* of a P-DATA-TF PDU with one item */
};

/* The twelve bytes in front of a fragment that is the only one of its PDU. fragment_length is at
 * most 0xFFFFFFFF - 6. */
void ldc_pdv_write_headers(uint8_t headers[LDC_PDV_HEADERS], uint8_t context, bool command,
                           bool last, uint32_t fragment_length);
/* How many bytes of fragment fit a PDU of the peer's maximum length (PS3.8 Annex D.1: the length
 * counts all after the PDU header; 0 is no limit, then `wanted` counts). Even, because fragments
 * are (PS3.8 Annex E); 0: the peer's maximum has no room for any. */
uint32_t ldc_pdv_fragment_room(uint32_t max_length, uint32_t wanted);

#endif
