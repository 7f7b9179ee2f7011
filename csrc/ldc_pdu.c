/*
 * ldc_pdu.c - PDU headers and the PDUs of fixed size (ldc_pdu.h says the rules).
 */
#include "ldc_pdu.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ltdic.h"

bool ldc_pdu_fault_set(ldc_pdu_fault *fault, int code, uint8_t reason, uint64_t offset,
                       const char *format, ...)
{
    va_list arguments;

    fault->code = code;
    fault->reason = reason;
    int length = snprintf(fault->text, sizeof fault->text, "at offset %" PRIu64 ": ", offset);
    va_start(arguments, format);
    vsnprintf(fault->text + length, sizeof fault->text - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

const char *ldc_pdu_name(uint8_t type)
{
    switch (type) {
    case PDU_ASSOCIATE_REQUEST:
        return "A-ASSOCIATE-RQ";
    case PDU_ASSOCIATE_ACCEPT:
        return "A-ASSOCIATE-AC";
    case PDU_ASSOCIATE_REJECT:
        return "A-ASSOCIATE-RJ";
    case PDU_DATA_TRANSFER:
        return "P-DATA-TF";
    case PDU_RELEASE_REQUEST:
        return "A-RELEASE-RQ";
    case PDU_RELEASE_RESPONSE:
        return "A-RELEASE-RP";
    case PDU_ABORT:
        return "A-ABORT";
    default:
        return "PDU of unknown type";
    }
}

bool ldc_pdu_decode_header(const uint8_t header[LDC_PDU_HEADER], const ldc_pdu_limits *limits,
                           uint8_t *type, uint32_t *length, ldc_pdu_fault *fault)
{
    static const ldc_pdu_limits defaults = {LDC_PDU_ASSOCIATE_LIMIT, 0};
    ldc_reader reader = ldc_reader_of(header, LDC_PDU_HEADER);
    uint32_t least = LDC_PDU_SMALL - LDC_PDU_HEADER;
    uint32_t most = least;

    if (limits == NULL) {
        limits = &defaults;
    }
    *type = ldc_read_u8(&reader);
    ldc_read_skip(&reader, 1); /* reserved, not tested */
    *length = ldc_read_u32_be(&reader);

    switch (*type) {
    case PDU_ASSOCIATE_REQUEST:
    case PDU_ASSOCIATE_ACCEPT:
        least = LDC_PDU_ASSOCIATE_FIXED - LDC_PDU_HEADER;
        most = limits->associate;
        break;
    case PDU_DATA_TRANSFER:
        /* §9.3.5: one or more items, each of 4 bytes of length, context id and control header. */
        least = 6;
        most = limits->data == 0 ? LDC_PDU_DATA_LIMIT : limits->data;
        break;
    case PDU_ASSOCIATE_REJECT:
    case PDU_RELEASE_REQUEST:
    case PDU_RELEASE_RESPONSE:
    case PDU_ABORT:
        break;
    default:
        return ldc_pdu_fault_set(fault, DICOM_ERROR_PDU_INVALID, PDU_ABORT_REASON_UNRECOGNIZED, 0,
                                 "the PDU type is %02XH, types are 01H to 07H", *type);
    }
    if (*length > most && most > least) {
        return ldc_pdu_fault_set(fault, DICOM_ERROR_PDU_TOO_LONG, PDU_ABORT_REASON_INVALID_PARAM, 2,
                                 "the length of the %s is %" PRIu32 ", at most %" PRIu32
                                 " are allowed",
                                 ldc_pdu_name(*type), *length, most);
    }
    if (*length < least || *length > most) {
        return ldc_pdu_fault_set(
            fault, DICOM_ERROR_PDU_INVALID, PDU_ABORT_REASON_INVALID_PARAM, 2,
            "the length of the %s is %" PRIu32 ", %s%" PRIu32 " bytes are needed",
            ldc_pdu_name(*type), *length, most > least ? "at least " : "", least);
    }
    return true;
}

/* Tables 9-21, 9-24, 9-25 and 9-26 have one shape: four bytes, of which some are reserved. */
static void encode_small(uint8_t pdu[LDC_PDU_SMALL], uint8_t type, uint8_t result, uint8_t source,
                         uint8_t reason)
{
    const uint8_t bytes[LDC_PDU_SMALL] = {type, 0, 0, 0, 0, 4, 0, result, source, reason};

    memcpy(pdu, bytes, sizeof bytes);
}

void ldc_pdu_encode_reject(uint8_t pdu[LDC_PDU_SMALL], uint8_t result, uint8_t source,
                           uint8_t reason)
{
    encode_small(pdu, PDU_ASSOCIATE_REJECT, result, source, reason);
}

void ldc_pdu_encode_release(uint8_t pdu[LDC_PDU_SMALL], bool request)
{
    encode_small(pdu, request ? PDU_RELEASE_REQUEST : PDU_RELEASE_RESPONSE, 0, 0, 0);
}

void ldc_pdu_encode_abort(uint8_t pdu[LDC_PDU_SMALL], uint8_t source, uint8_t reason)
{
    encode_small(pdu, PDU_ABORT, 0, source, source == PDU_ABORT_SOURCE_USER ? 0 : reason);
}

bool ldc_pdu_decode_small(const uint8_t *pdu, size_t length, ldc_pdu_small *small,
                          ldc_pdu_fault *fault)
{
    uint32_t said = 0;

    *small = (ldc_pdu_small){0};
    if (length < LDC_PDU_HEADER) {
        return ldc_pdu_fault_set(fault, DICOM_ERROR_PDU_INVALID, PDU_ABORT_REASON_INVALID_PARAM, 0,
                                 "the PDU has %zu bytes, its header alone needs 6", length);
    }
    if (!ldc_pdu_decode_header(pdu, NULL, &small->type, &said, fault)) {
        return false;
    }
    if (small->type <= PDU_ASSOCIATE_ACCEPT || small->type == PDU_DATA_TRANSFER) {
        return ldc_pdu_fault_set(fault, DICOM_ERROR_PDU_UNEXPECTED, PDU_ABORT_REASON_UNEXPECTED, 0,
                                 "an %s is not one of the PDUs of ten bytes",
                                 ldc_pdu_name(small->type));
    }
    if (length != LDC_PDU_SMALL) {
        return ldc_pdu_fault_set(fault, DICOM_ERROR_PDU_INVALID, PDU_ABORT_REASON_INVALID_PARAM, 2,
                                 "the %s has %zu bytes, it says 10", ldc_pdu_name(small->type),
                                 length);
    }
    if (small->type == PDU_ASSOCIATE_REJECT) {
        small->result = pdu[7];
    }
    if (small->type == PDU_ASSOCIATE_REJECT || small->type == PDU_ABORT) {
        small->source = pdu[8];
        small->reason = pdu[9];
    }
    return true;
}
