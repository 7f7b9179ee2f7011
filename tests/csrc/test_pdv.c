/* Unit tests of the stream of PDUs and the headers of P-DATA-TF (ldc_pdv.h). */
#include "ldc_pdv.h"

#include <stdlib.h>
#include <string.h>

#include "ltdic.h"
#include "pdu_vectors.h"
#include "unit.h"

/* A P-DATA-TF with a command and the begin of a data set, an A-RELEASE-RQ, and a P-DATA-TF whose
 * fragment is empty. */
static const char stream[] =
    "\x04\0\x00\x00\x00\x11" /* Table 9-22: 9 + 8 = 17 bytes */
    "\x00\x00\x00\x05\x01\x03"
    "abc" /* Table 9-23: context 1, command, last */
    "\x00\x00\x00\x04\x01\x00"
    "de"                        /* context 1, data set, more to come */
    "\x05\0\0\0\0\x04\0\0\0\0"  /* */
    "\x04\0\x00\x00\x00\x06"    /* */
    "\x00\x00\x00\x02\xFF\xFE"; /* context 255; reserved bits are not tested: data, last */

enum {
    STREAM = sizeof stream - 1
};

/* Writes events down, one character or so for each; runs of DATA and BODY are joined. */
typedef struct record {
    char text[400];
    ldc_pdu_fault fault;
} record;

static ldc_pdv_event feed(ldc_pdv_parser *parser, record *seen, const char *bytes, size_t length)
{
    uint8_t *exact = malloc(length == 0 ? 1 : length);
    const uint8_t *at = exact;
    size_t left = length;
    ldc_pdv_event event;

    memcpy(exact, bytes, length);
    do {
        size_t end = strlen(seen->text);
        size_t room = sizeof seen->text - end;

        event = ldc_pdv_next(parser, &at, &left);
        switch (event) {
        case LDC_PDV_MORE:
            CHECK_INT(left, 0);
            break;
        case LDC_PDV_PDU:
            snprintf(seen->text + end, room, "[%u %u|", parser->type, parser->pdu_length);
            break;
        case LDC_PDV_ITEM:
            snprintf(seen->text + end, room, "(%u%s%s %u:", parser->context,
                     parser->command ? "c" : "d", parser->last ? "l" : "", parser->fragment_length);
            break;
        case LDC_PDV_BODY:
        case LDC_PDV_DATA:
            CHECK(parser->size > 0 && parser->data >= exact);
            CHECK(parser->data + parser->size <= exact + length);
            for (size_t i = 0; i < parser->size && end + i + 1 < sizeof seen->text; i++) {
                seen->text[end + i] = parser->data[i] == 0 ? '0' : (char)parser->data[i];
                seen->text[end + i + 1] = '\0';
            }
            break;
        case LDC_PDV_ITEM_END:
            snprintf(seen->text + end, room, ")");
            break;
        case LDC_PDV_PDU_END:
            snprintf(seen->text + end, room, "]");
            CHECK(!ldc_pdv_inside(parser));
            break;
        case LDC_PDV_FAULT:
            seen->fault = parser->fault;
            break;
        }
    } while (event != LDC_PDV_MORE && event != LDC_PDV_FAULT);
    free(exact);
    return event;
}

static const char parsed[] = "[4 17|(1cl 3:abc)(1d 2:de)][5 4|0000][4 6|(255dl 0:)]";

TEST(a_stream_gives_its_events_whole_cut_in_two_and_byte_by_byte)
{
    ldc_pdv_parser parser;

    for (size_t cut = 0; cut <= STREAM; cut++) {
        record seen = {0};

        ldc_pdv_init(&parser, NULL);
        CHECK_INT(feed(&parser, &seen, stream, cut), LDC_PDV_MORE);
        CHECK_INT(ldc_pdv_inside(&parser), cut != 0 && cut != 23 && cut != 33 && cut != STREAM);
        CHECK_INT(feed(&parser, &seen, stream + cut, STREAM - cut), LDC_PDV_MORE);
        CHECK_STR(seen.text, parsed);
    }
    for (size_t chunk = 1; chunk < 8; chunk++) {
        record seen = {0};

        ldc_pdv_init(&parser, NULL);
        for (size_t at = 0; at < STREAM; at += chunk) {
            CHECK_INT(feed(&parser, &seen, stream + at, at + chunk < STREAM ? chunk : STREAM - at),
                      LDC_PDV_MORE);
        }
        CHECK_STR(seen.text, parsed);
    }
}

TEST(a_stream_cut_in_three_gives_the_same_events)
{
    ldc_pdv_parser parser;

    for (size_t first = 0; first <= STREAM; first++) {
        for (size_t second = first; second <= STREAM; second++) {
            record seen = {0};

            ldc_pdv_init(&parser, NULL);
            feed(&parser, &seen, stream, first);
            feed(&parser, &seen, stream + first, second - first);
            feed(&parser, &seen, stream + second, STREAM - second);
            CHECK_STR(seen.text, parsed);
        }
    }
}

TEST(the_header_is_reported_before_a_byte_of_the_body_is_there)
{
    ldc_pdv_parser parser;
    const uint8_t *at = (const uint8_t *)full_request;
    size_t left = 6;

    ldc_pdv_init(&parser, NULL);
    CHECK_INT(ldc_pdv_next(&parser, &at, &left), LDC_PDV_PDU);
    CHECK_INT(parser.type, PDU_ASSOCIATE_REQUEST);
    CHECK_INT(parser.pdu_length, 431);
    CHECK_INT(ldc_pdv_next(&parser, &at, &left), LDC_PDV_MORE);
    at = NULL; /* nothing may be fed, too */
    CHECK_INT(ldc_pdv_next(&parser, &at, &left), LDC_PDV_MORE);
}

static void check_stream_fault(const char *bytes, size_t length, const ldc_pdu_limits *limits,
                               int code, int reason, const char *events, const char *words)
{
    ldc_pdv_parser parser;

    for (size_t chunk = 1; chunk <= length; chunk++) {
        record seen = {0};
        ldc_pdv_event event = LDC_PDV_MORE;

        ldc_pdv_init(&parser, limits);
        for (size_t at = 0; at < length && event == LDC_PDV_MORE; at += chunk) {
            event = feed(&parser, &seen, bytes + at, at + chunk < length ? chunk : length - at);
        }
        CHECK_INT(event, LDC_PDV_FAULT);
        CHECK_STR(seen.text, events);
        CHECK_INT(seen.fault.code, code);
        CHECK_INT(seen.fault.reason, reason);
        CHECK_STR(seen.fault.text, words);
        CHECK_INT(feed(&parser, &seen, stream, STREAM), LDC_PDV_FAULT); /* final */
        CHECK_STR(seen.text, events);
    }
}

TEST(lying_item_lengths_end_the_stream)
{
    check_stream_fault("\x04\0\0\0\0\x08\0\0\0\x05\x01\x03"
                       "ab",
                       14, NULL, DICOM_ERROR_PDU_INVALID, 6, "[4 8|",
                       "at offset 6: the length of item 1 of the P-DATA-TF is 5, it has to be 2 to "
                       "4");
    check_stream_fault("\x04\0\0\0\0\x08\xFF\xFF\xFF\xFF\x01\x03"
                       "ab",
                       14, NULL, DICOM_ERROR_PDU_INVALID, 6, "[4 8|",
                       "at offset 6: the length of item 1 of the P-DATA-TF is 4294967295, it has "
                       "to be 2 to 4");
    check_stream_fault("\x04\0\0\0\0\x08\0\0\0\x01\x01\x03"
                       "ab",
                       14, NULL, DICOM_ERROR_PDU_INVALID, 6, "[4 8|",
                       "at offset 6: the length of item 1 of the P-DATA-TF is 1, it has to be 2 to "
                       "4");
    check_stream_fault("\x04\0\0\0\0\x08\0\0\0\0\x01\x03"
                       "ab",
                       14, NULL, DICOM_ERROR_PDU_INVALID, 6, "[4 8|",
                       "at offset 6: the length of item 1 of the P-DATA-TF is 0, it has to be 2 to "
                       "4");
    check_stream_fault("\x04\0\0\0\0\x0B\0\0\0\x02\x01\x03\0\0\0\x02\x01", 17, NULL,
                       DICOM_ERROR_PDU_INVALID, 6, "[4 11|(1cl 0:)",
                       "at offset 12: the P-DATA-TF ends 5 bytes after item 1, an item has a "
                       "header of 6 bytes");
    check_stream_fault("\x04\0\0\0\0\x06\0\0\0\x02\x02\x03", 12, NULL, DICOM_ERROR_PDU_INVALID, 6,
                       "[4 6|",
                       "at offset 10: the presentation context id of item 1 of the P-DATA-TF is 2, "
                       "ids are odd");
    check_stream_fault("\x04\0\0\0\0\0", 6, NULL, DICOM_ERROR_PDU_INVALID, 6, "",
                       "at offset 2: the length of the P-DATA-TF is 0, at least 6 bytes are "
                       "needed");
}

TEST(limits_are_enforced_on_the_header)
{
    const ldc_pdu_limits limits = {100, 16};

    check_stream_fault(stream, STREAM, &limits, DICOM_ERROR_PDU_TOO_LONG, 6, "",
                       "at offset 2: the length of the P-DATA-TF is 17, at most 16 are allowed");
    check_stream_fault(full_request, 6, &limits, DICOM_ERROR_PDU_TOO_LONG, 6, "",
                       "at offset 2: the length of the A-ASSOCIATE-RQ is 431, at most 100 are "
                       "allowed");
    check_stream_fault("GET / HTTP/1.1", 14, NULL, DICOM_ERROR_PDU_INVALID, 1, "",
                       "at offset 0: the PDU type is 47H, types are 01H to 07H");
}

TEST(new_limits_hold_from_the_next_pdu_on)
{
    const ldc_pdu_limits narrow = {100, 6};
    ldc_pdv_parser parser;
    record seen = {0};

    ldc_pdv_init(&parser, NULL);
    CHECK_INT(feed(&parser, &seen, stream, 10), LDC_PDV_MORE);
    ldc_pdv_set_limits(&parser, &narrow);
    CHECK_INT(feed(&parser, &seen, stream + 10, STREAM - 10), LDC_PDV_MORE);
    CHECK_STR(seen.text, parsed);
    CHECK_INT(feed(&parser, &seen, stream, STREAM), LDC_PDV_FAULT);
}

TEST(fragment_headers_are_the_bytes_of_the_tables)
{
    uint8_t headers[LDC_PDV_HEADERS];

    ldc_pdv_write_headers(headers, 3, true, true, 0x100);
    CHECK_INT(memcmp(headers, "\x04\0\0\0\x01\x06\0\0\x01\x02\x03\x03", 12), 0);
    ldc_pdv_write_headers(headers, 255, false, false, 0xFFFFFFF9);
    CHECK_INT(memcmp(headers, "\x04\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFB\xFF\0", 12), 0);
    ldc_pdv_write_headers(headers, 1, false, true, 0);
    CHECK_INT(memcmp(headers, "\x04\0\0\0\0\x06\0\0\0\x02\x01\x02", 12), 0);
    ldc_pdv_write_headers(headers, 1, true, false, 2);
    CHECK_INT(headers[11], 1);
}

TEST(fragments_fit_the_peers_maximum_length)
{
    CHECK_INT(ldc_pdv_fragment_room(16384, 1 << 20), 16378);
    CHECK_INT(ldc_pdv_fragment_room(16383, 1 << 20), 16376); /* even */
    CHECK_INT(ldc_pdv_fragment_room(0, 65536), 65530);       /* no limit: what is wanted */
    CHECK_INT(ldc_pdv_fragment_room(16384, 4096), 4090);
    CHECK_INT(ldc_pdv_fragment_room(8, 65536), 2);
    CHECK_INT(ldc_pdv_fragment_room(7, 65536), 0);
    CHECK_INT(ldc_pdv_fragment_room(1, 65536), 0);
}
