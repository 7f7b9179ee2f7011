/*
 * ldc_pdv.c - PDUs taken from a stream, P-DATA-TF headers for sending (ldc_pdv.h says the rules).
 */
#include "ldc_pdv.h"

#include <inttypes.h>
#include <string.h>

#include "ltdic.h"

/* Message control header, PS3.8 Annex E.2; the other bits are reserved and not tested. */
enum {
    CONTROL_COMMAND = 1,
    CONTROL_LAST = 2
};

enum {
    IN_PDU_HEADER,
    IN_BODY,
    IN_ITEM_HEADER,
    IN_FRAGMENT,
    FAULTY
};

void ldc_pdv_init(ldc_pdv_parser *parser, const ldc_pdu_limits *limits)
{
    memset(parser, 0, sizeof *parser);
    parser->state = IN_PDU_HEADER;
    ldc_pdv_set_limits(parser, limits);
}

void ldc_pdv_set_limits(ldc_pdv_parser *parser, const ldc_pdu_limits *limits)
{
    parser->limits =
        limits != NULL ? *limits : (ldc_pdu_limits){LDC_PDU_ASSOCIATE_LIMIT, LDC_PDU_DATA_LIMIT};
}

bool ldc_pdv_inside(const ldc_pdv_parser *parser)
{
    return parser->state != IN_PDU_HEADER || parser->have > 0;
}

/* Takes up to `wanted` bytes from the front. */
static size_t take(const uint8_t **bytes, size_t *left, size_t wanted, const uint8_t **taken)
{
    size_t size = wanted < *left ? wanted : *left;

    *taken = *bytes;
    if (size > 0) { /* NULL and 0 may be fed */
        *bytes += size;
        *left -= size;
    }
    return size;
}

/* PDU and item headers have six bytes both. true: all of them are there. */
static bool collect(ldc_pdv_parser *parser, const uint8_t **bytes, size_t *left)
{
    const uint8_t *taken;
    size_t size = take(bytes, left, (size_t)(LDC_PDU_HEADER - parser->have), &taken);

    if (size > 0) {
        memcpy(parser->header + parser->have, taken, size);
        parser->have = (uint8_t)(parser->have + size);
    }
    if (parser->have < LDC_PDU_HEADER) {
        return false;
    }
    parser->have = 0;
    return true;
}

static ldc_pdv_event fault(ldc_pdv_parser *parser)
{
    parser->state = FAULTY;
    return LDC_PDV_FAULT;
}

static ldc_pdv_event pdu_header(ldc_pdv_parser *parser)
{
    if (!ldc_pdu_decode_header(parser->header, &parser->limits, &parser->type, &parser->pdu_length,
                               &parser->fault)) {
        return fault(parser);
    }
    parser->pdu_left = parser->pdu_length;
    parser->items = 0;
    parser->state = parser->type == PDU_DATA_TRANSFER ? IN_ITEM_HEADER : IN_BODY;
    return LDC_PDV_PDU;
}

/* Judges that there is room for one more item header, before its bytes are waited for. */
static bool item_fits(ldc_pdv_parser *parser)
{
    if (parser->pdu_left >= LDC_PDV_ITEM_HEADER) {
        return true;
    }
    return ldc_pdu_fault_set(&parser->fault, DICOM_ERROR_PDU_INVALID,
                             PDU_ABORT_REASON_INVALID_PARAM,
                             LDC_PDU_HEADER + (uint64_t)parser->pdu_length - parser->pdu_left,
                             "the P-DATA-TF ends %" PRIu32 " bytes after item %" PRIu32
                             ", an item has a header of 6 bytes",
                             parser->pdu_left, parser->items);
}

/* Table 9-23. */
static ldc_pdv_event item_header(ldc_pdv_parser *parser)
{
    ldc_reader reader = ldc_reader_of(parser->header, LDC_PDV_ITEM_HEADER);
    uint64_t offset = LDC_PDU_HEADER + (uint64_t)parser->pdu_length - parser->pdu_left;
    uint32_t length = ldc_read_u32_be(&reader);
    uint8_t context = ldc_read_u8(&reader);
    uint8_t control = ldc_read_u8(&reader);

    parser->items++;
    /* The length counts context id, control header and fragment. */
    if (length < 2 || length > parser->pdu_left - 4) {
        ldc_pdu_fault_set(&parser->fault, DICOM_ERROR_PDU_INVALID, PDU_ABORT_REASON_INVALID_PARAM,
                          offset,
                          "the length of item %" PRIu32 " of the P-DATA-TF is %" PRIu32
                          ", it has to be 2 to %" PRIu32,
                          parser->items, length, parser->pdu_left - 4);
        return fault(parser);
    }
    if (context % 2 == 0) { /* §9.3.5.1, Table 9-23: odd, 1 to 255 */
        ldc_pdu_fault_set(
            &parser->fault, DICOM_ERROR_PDU_INVALID, PDU_ABORT_REASON_INVALID_PARAM, offset + 4,
            "the presentation context id of item %" PRIu32 " of the P-DATA-TF is %u, ids are odd",
            parser->items, context);
        return fault(parser);
    }
    parser->context = context;
    parser->command = (control & CONTROL_COMMAND) != 0;
    parser->last = (control & CONTROL_LAST) != 0;
    parser->fragment_length = length - 2;
    parser->item_left = length - 2;
    parser->pdu_left -= LDC_PDV_ITEM_HEADER;
    parser->state = IN_FRAGMENT;
    return LDC_PDV_ITEM;
}

ldc_pdv_event ldc_pdv_next(ldc_pdv_parser *parser, const uint8_t **bytes, size_t *left)
{
    parser->data = NULL;
    parser->size = 0;
    switch (parser->state) {
    case IN_PDU_HEADER:
        return collect(parser, bytes, left) ? pdu_header(parser) : LDC_PDV_MORE;
    case IN_BODY:
        if (parser->pdu_left == 0) {
            parser->state = IN_PDU_HEADER;
            return LDC_PDV_PDU_END;
        }
        parser->size = take(bytes, left, parser->pdu_left, &parser->data);
        parser->pdu_left -= (uint32_t)parser->size;
        return parser->size > 0 ? LDC_PDV_BODY : LDC_PDV_MORE;
    case IN_ITEM_HEADER:
        if (parser->pdu_left == 0 && parser->items > 0) {
            parser->state = IN_PDU_HEADER;
            return LDC_PDV_PDU_END;
        }
        if (parser->have == 0 && !item_fits(parser)) {
            return fault(parser);
        }
        return collect(parser, bytes, left) ? item_header(parser) : LDC_PDV_MORE;
    case IN_FRAGMENT:
        if (parser->item_left == 0) {
            parser->state = IN_ITEM_HEADER;
            return LDC_PDV_ITEM_END;
        }
        parser->size = take(bytes, left, parser->item_left, &parser->data);
        parser->item_left -= (uint32_t)parser->size;
        parser->pdu_left -= (uint32_t)parser->size;
        return parser->size > 0 ? LDC_PDV_DATA : LDC_PDV_MORE;
    default:
        return LDC_PDV_FAULT;
    }
}

/* ---- sending ---- */

static void put_u32_be(uint8_t *room, uint32_t value)
{
    room[0] = (uint8_t)(value >> 24);
    room[1] = (uint8_t)(value >> 16);
    room[2] = (uint8_t)(value >> 8);
    room[3] = (uint8_t)value;
}

void ldc_pdv_write_headers(uint8_t headers[LDC_PDV_HEADERS], uint8_t context, bool command,
                           bool last, uint32_t fragment_length)
{
    headers[0] = PDU_DATA_TRANSFER;
    headers[1] = 0;
    put_u32_be(headers + 2, fragment_length + LDC_PDV_ITEM_HEADER);
    put_u32_be(headers + 6, fragment_length + 2);
    headers[10] = context;
    headers[11] = (uint8_t)((command ? CONTROL_COMMAND : 0) | (last ? CONTROL_LAST : 0));
}

uint32_t ldc_pdv_fragment_room(uint32_t max_length, uint32_t wanted)
{
    uint32_t length = max_length == 0 || wanted < max_length ? wanted : max_length;

    return length <= LDC_PDV_ITEM_HEADER ? 0 : (length - LDC_PDV_ITEM_HEADER) & ~(uint32_t)1;
}
