/*
 * fuzz_pdv.c - fuzz target: a stream of PDUs, cut anywhere.
 *
 * Two bytes of the input say how the rest is cut. Whatever the rest is: the same events come of it
 * whole and in pieces, they follow the grammar of ldc_pdv.h, and written out again they are a
 * stream that gives the same events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_pdv.h"
#include "ltdic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static const ldc_pdu_limits limits = {4096, 16384};

/* What came out of a stream: its own bytes again, and how many events of which kind. */
typedef struct outcome {
    ldc_writer bytes;
    size_t pdus, items, pdu_ends, item_ends;
    uint64_t in_pdu, in_item; /* bytes seen of what is open */
    bool faulty;
    ldc_pdu_fault fault;
} outcome;

static void write_back(const ldc_pdv_parser *parser, ldc_pdv_event event, outcome *seen)
{
    uint8_t headers[LDC_PDV_HEADERS];

    switch (event) {
    case LDC_PDV_PDU:
        REQUIRE(seen->pdus == seen->pdu_ends);
        REQUIRE(parser->pdu_length <= limits.data);
        seen->pdus++;
        seen->in_pdu = 0;
        ldc_write_u8(&seen->bytes, parser->type);
        ldc_write_u8(&seen->bytes, 0);
        ldc_write_u32_be(&seen->bytes, parser->pdu_length);
        break;
    case LDC_PDV_ITEM:
        REQUIRE(seen->pdus == seen->pdu_ends + 1 && seen->items == seen->item_ends);
        REQUIRE(parser->type == PDU_DATA_TRANSFER && parser->context % 2 == 1);
        seen->items++;
        seen->in_pdu += LDC_PDV_ITEM_HEADER;
        seen->in_item = 0;
        ldc_pdv_write_headers(headers, parser->context, parser->command, parser->last,
                              parser->fragment_length);
        ldc_write_bytes(&seen->bytes, headers + LDC_PDU_HEADER, LDC_PDV_ITEM_HEADER);
        break;
    case LDC_PDV_DATA:
        REQUIRE(seen->items == seen->item_ends + 1 && parser->size > 0);
        seen->in_item += parser->size;
        seen->in_pdu += parser->size;
        ldc_write_bytes(&seen->bytes, parser->data, parser->size);
        break;
    case LDC_PDV_BODY:
        REQUIRE(parser->type != PDU_DATA_TRANSFER && parser->size > 0);
        REQUIRE(seen->pdus == seen->pdu_ends + 1);
        seen->in_pdu += parser->size;
        ldc_write_bytes(&seen->bytes, parser->data, parser->size);
        break;
    case LDC_PDV_ITEM_END:
        seen->item_ends++;
        REQUIRE(seen->items == seen->item_ends && seen->in_item == parser->fragment_length);
        break;
    case LDC_PDV_PDU_END:
        seen->pdu_ends++;
        REQUIRE(seen->pdus == seen->pdu_ends && seen->items == seen->item_ends);
        REQUIRE(seen->in_pdu == parser->pdu_length && !ldc_pdv_inside(parser));
        break;
    case LDC_PDV_FAULT:
        seen->faulty = true;
        seen->fault = parser->fault;
        break;
    case LDC_PDV_MORE:
        break;
    }
}

/* One piece, in a block of its size, so that sanitizers see a read past its end. */
static void feed(ldc_pdv_parser *parser, const uint8_t *bytes, size_t size, outcome *seen)
{
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    const uint8_t *at = exact;
    size_t left = size;
    ldc_pdv_event event;

    REQUIRE(exact != NULL);
    if (size > 0) {
        memcpy(exact, bytes, size);
    }
    do {
        event = ldc_pdv_next(parser, &at, &left);
        REQUIRE(at + left == exact + size);
        write_back(parser, event, seen);
    } while (event != LDC_PDV_MORE && event != LDC_PDV_FAULT);
    REQUIRE(event == LDC_PDV_FAULT || left == 0);
    free(exact);
}

/* seed 0: whole; else pieces of 0 to 16 bytes. */
static void run(const uint8_t *data, size_t size, uint32_t seed, outcome *seen)
{
    ldc_pdv_parser parser;
    size_t at = 0;

    memset(seen, 0, sizeof *seen);
    ldc_writer_init(&seen->bytes, SIZE_MAX);
    ldc_pdv_init(&parser, &limits);
    while (at < size && !seen->faulty) {
        size_t piece = size;
        if (seed != 0) {
            seed = seed * 1103515245u + 12345u;
            piece = seed >> 16 & 0x0F;
        }
        piece = piece < size - at ? piece : size - at;
        feed(&parser, data + at, piece, seen);
        at += piece;
    }
    REQUIRE(seen->bytes.fault == LDC_WRITER_GOOD);
}

static void require_same(const outcome *one, const outcome *other)
{
    REQUIRE(one->pdus == other->pdus && one->pdu_ends == other->pdu_ends);
    REQUIRE(one->items == other->items && one->item_ends == other->item_ends);
    REQUIRE(one->bytes.length == other->bytes.length);
    REQUIRE(one->bytes.length == 0 ||
            memcmp(one->bytes.bytes, other->bytes.bytes, one->bytes.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    outcome whole, pieces, again;

    if (size < 2) {
        return 0;
    }
    uint32_t seed = (uint32_t)(data[0] << 8 | data[1]) + 1;
    data += 2;
    size -= 2;
    run(data, size, 0, &whole);
    run(data, size, seed, &pieces);
    require_same(&whole, &pieces);
    REQUIRE(whole.faulty == pieces.faulty);
    REQUIRE(strcmp(whole.fault.text, pieces.fault.text) == 0);
    REQUIRE(whole.bytes.length <= size);
    if (whole.faulty) {
        REQUIRE(whole.fault.reason == 1 || whole.fault.reason == 6);
        REQUIRE(strlen(whole.fault.text) + 1 < sizeof whole.fault.text);
    }
    run(whole.bytes.bytes, whole.bytes.length, 0, &again);
    require_same(&whole, &again);
    ldc_writer_free(&whole.bytes);
    ldc_writer_free(&pieces.bytes);
    ldc_writer_free(&again.bytes);
    return 0;
}
