/*
 * ldc_pdu_decode.c - A-ASSOCIATE-RQ and A-ASSOCIATE-AC into an association object (ldc_pdu.h says
 * the rules). What user information holds is read in ldc_pdu_decode_user.c.
 */
#include "ldc_pdu_decode.h"

#include <inttypes.h>
#include <string.h>

#include "ltdic.h"

bool ldc_pdu_next_item(ldc_pdu_decoder *decoder, ldc_reader *reader, const char *parent,
                       uint8_t *type, ldc_reader *item)
{
    size_t offset = ldc_reader_offset(reader);
    size_t left = ldc_reader_left(reader);

    *type = ldc_read_u8(reader);
    ldc_read_skip(reader, 1); /* reserved, not tested */
    uint16_t length = ldc_read_u16_be(reader);
    if (reader->failed) {
        return LDC_PDU_INVALID(decoder, offset,
                               "%s ends %zu bytes after its last item, an item has a header of 4 "
                               "bytes",
                               parent, left);
    }
    left = ldc_reader_left(reader);
    *item = ldc_read_sub(reader, length);
    if (item->failed) {
        return LDC_PDU_INVALID(decoder, offset,
                               "the length of item %02XH is %u, %zu bytes are left in %s", *type,
                               length, left, parent);
    }
    return true;
}

bool ldc_pdu_no_memory(ldc_pdu_decoder *decoder)
{
    return ldc_pdu_fault_set(decoder->fault, DICOM_ERROR_MEMORY, PDU_ABORT_REASON_UNKNOWN, 0,
                             "there is not enough memory to read the PDU");
}

/* PS3.8 Annex F: UIDs have no padding here. Peers pad with NUL and spaces all the same. */
static size_t without_padding(const char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == '\0' || text[length - 1] == ' ')) {
        length--;
    }
    return length;
}

static bool uid_of(ldc_reader *field, char uid[LDC_UID_SIZE])
{
    const char *text = (const char *)ldc_read_bytes(field, ldc_reader_left(field));
    size_t length = field->failed ? 0 : without_padding(text, field->length);

    uid[0] = '\0';
    if (length > 0 && !ldc_uid_valid(text, length)) {
        return false;
    }
    if (length > 0) {
        ldc_uid_set(uid, text, length);
    }
    return length > 0;
}

bool ldc_pdu_uid(ldc_pdu_decoder *decoder, ldc_reader *field, const char *what,
                 char uid[LDC_UID_SIZE])
{
    size_t offset = ldc_reader_offset(field);

    if (uid_of(field, uid)) {
        return true;
    }
    return LDC_PDU_INVALID(decoder, offset,
                           "%s (%zu bytes) is no UID: 1 to 64 characters, digits and single dots",
                           what, field->length);
}

bool ldc_pdu_text(ldc_pdu_decoder *decoder, ldc_reader *field, const char *what, char low,
                  size_t most, char *text)
{
    size_t offset = ldc_reader_offset(field);
    const char *bytes = (const char *)ldc_read_bytes(field, ldc_reader_left(field));
    size_t length = without_padding(bytes, field->length);

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < low || bytes[i] > 0x7E) {
            return LDC_PDU_INVALID(decoder, offset + i,
                                   "%s has the character %02XH, which is not allowed in it", what,
                                   (unsigned char)bytes[i]);
        }
    }
    if (length > most) {
        length = without_padding(bytes, most);
    }
    memcpy(text, bytes, length);
    text[length] = '\0';
    return true;
}

/* ---- the fixed part (Tables 9-11 and 9-17) ---- */

/* ISO 646 with spaces around that say nothing. Padding with NUL is taken, too. What is in an accept
 * "shall not be tested when received": whatever is not a title is no title there. */
static bool read_title(ldc_pdu_decoder *decoder, ldc_reader *reader, bool called)
{
    char title[LDC_TITLE_LENGTH + 1];
    ldc_pdu_fault unused;
    ldc_pdu_decoder lenient = {NULL, NULL, &unused, false, false};
    ldc_reader field = ldc_read_sub(reader, LDC_TITLE_LENGTH);
    bool request = decoder->associate->request;

    if (!ldc_pdu_text(request ? decoder : &lenient, &field,
                      called ? "the called AE title" : "the calling AE title", ' ',
                      LDC_TITLE_LENGTH, title)) {
        if (request) {
            return false;
        }
        title[0] = '\0';
    }
    return ldc_associate_set_title(decoder->associate, called, title) == DICOM_SUCCESS ||
           ldc_pdu_no_memory(decoder);
}

static bool read_fixed(ldc_pdu_decoder *decoder, ldc_reader *reader)
{
    ldc_associate *associate = decoder->associate;

    associate->version = ldc_read_u16_be(reader);
    ldc_read_skip(reader, 2); /* reserved */
    ldc_reader copy = *reader;
    if (!read_title(decoder, reader, true) || !read_title(decoder, reader, false)) {
        return false;
    }
    ldc_read_skip(reader, 32); /* reserved, but an accept repeats them */
    const uint8_t *wire = ldc_read_bytes(&copy, LDC_WIRE_SIZE);
    if (associate->request && wire != NULL) {
        associate->has_wire = true;
        memcpy(associate->wire, wire, LDC_WIRE_SIZE);
    }
    return true;
}

/* ---- presentation contexts ---- */

static bool add_context(ldc_pdu_decoder *decoder, size_t offset, uint8_t id, uint8_t result)
{
    ldc_associate *associate = decoder->associate;

    if (id % 2 == 0) {
        return LDC_PDU_INVALID(decoder, offset, "the presentation context id is %u, ids are odd",
                               id);
    }
    if (ldc_associate_context(associate, id) != NULL) {
        return LDC_PDU_INVALID(decoder, offset, "there are two presentation contexts %u", id);
    }
    if (!ldc_grow(&associate->contexts, associate->context_count, sizeof *associate->contexts)) {
        return ldc_pdu_no_memory(decoder);
    }
    associate->contexts[associate->context_count++] = (ldc_context){.id = id, .result = result};
    return true;
}

static bool add_transfer(ldc_pdu_decoder *decoder, ldc_context *context, const char *uid)
{
    return ldc_uid_list_add(&context->transfers, uid, strlen(uid)) == DICOM_SUCCESS ||
           ldc_pdu_no_memory(decoder);
}

/* Tables 9-13 to 9-15: one abstract syntax, one or more transfer syntaxes. */
static bool read_proposed(ldc_pdu_decoder *decoder, ldc_reader *item)
{
    size_t offset = ldc_reader_offset(item);
    uint8_t id = ldc_read_u8(item);
    char uid[LDC_UID_SIZE];

    ldc_read_skip(item, 3); /* reserved */
    if (item->failed) {
        return LDC_PDU_INVALID(decoder, offset, "a presentation context of %zu bytes is too short",
                               item->length);
    }
    if (!add_context(decoder, offset, id, PDU_ACCEPT_RESULT_SUCCESS)) {
        return false;
    }
    ldc_context *context = &decoder->associate->contexts[decoder->associate->context_count - 1];
    while (ldc_reader_left(item) > 0) {
        ldc_reader field;
        uint8_t type = 0;
        size_t at = ldc_reader_offset(item);
        if (!ldc_pdu_next_item(decoder, item, "the presentation context", &type, &field)) {
            return false;
        }
        if (type == 0x30) {
            if (context->abstract[0] != '\0') {
                return LDC_PDU_UNEXPECTED(decoder, at,
                                          "presentation context %u has two abstract syntaxes", id);
            }
            if (!ldc_pdu_uid(decoder, &field, "the abstract syntax", context->abstract)) {
                return false;
            }
        } else if (type == 0x40) {
            if (!ldc_pdu_uid(decoder, &field, "the transfer syntax", uid) ||
                !add_transfer(decoder, context, uid)) {
                return false;
            }
        }
    }
    if (context->abstract[0] == '\0') {
        return LDC_PDU_INVALID(decoder, offset, "presentation context %u has no abstract syntax",
                               id);
    }
    if (context->transfers.count == 0) {
        return LDC_PDU_INVALID(decoder, offset, "presentation context %u has no transfer syntax",
                               id);
    }
    return true;
}

/* Tables 9-18 and 9-19: one transfer syntax, which is not tested unless the context is accepted. */
static bool read_answer(ldc_pdu_decoder *decoder, ldc_reader *item)
{
    size_t offset = ldc_reader_offset(item);
    uint8_t id = ldc_read_u8(item);
    char uid[LDC_UID_SIZE];

    ldc_read_skip(item, 1); /* reserved */
    uint8_t result = ldc_read_u8(item);
    ldc_read_skip(item, 1); /* reserved */
    if (item->failed) {
        return LDC_PDU_INVALID(decoder, offset, "a presentation context of %zu bytes is too short",
                               item->length);
    }
    if (!add_context(decoder, offset, id, result)) {
        return false;
    }
    ldc_context *context = &decoder->associate->contexts[decoder->associate->context_count - 1];
    const ldc_context *proposed = NULL;
    if (decoder->request != NULL) {
        proposed = ldc_associate_context(decoder->request, id);
        if (proposed == NULL) {
            return LDC_PDU_INVALID(decoder, offset, "presentation context %u was not proposed", id);
        }
        memcpy(context->abstract, proposed->abstract, sizeof context->abstract);
    }
    while (ldc_reader_left(item) > 0) {
        ldc_reader field;
        uint8_t type = 0;
        size_t at = ldc_reader_offset(item);
        if (!ldc_pdu_next_item(decoder, item, "the presentation context", &type, &field)) {
            return false;
        }
        if (type != 0x40) {
            continue;
        }
        if (result == PDU_ACCEPT_RESULT_SUCCESS) {
            if (context->transfers.count > 0) {
                return LDC_PDU_UNEXPECTED(
                    decoder, at, "accepted presentation context %u has two transfer syntaxes", id);
            }
            if (!ldc_pdu_uid(decoder, &field, "the transfer syntax", uid)) {
                return false;
            }
            if (proposed != NULL &&
                !ldc_context_offers(proposed, uid)) { /* data nobody here asked for */
                return LDC_PDU_INVALID(
                    decoder, at,
                    "presentation context %u is accepted with %s, which was not proposed", id, uid);
            }
            if (!add_transfer(decoder, context, uid)) {
                return false;
            }
        } else if (context->transfers.count == 0 && uid_of(&field, uid) &&
                   !add_transfer(decoder, context, uid)) {
            return false;
        }
    }
    if (result == PDU_ACCEPT_RESULT_SUCCESS && context->transfers.count == 0) {
        return LDC_PDU_INVALID(decoder, offset,
                               "accepted presentation context %u has no transfer syntax", id);
    }
    return true;
}

/* ---- the PDU ---- */

static bool read_application(ldc_pdu_decoder *decoder, size_t offset, ldc_reader *item)
{
    if (decoder->associate->application[0] != '\0') {
        return LDC_PDU_UNEXPECTED(decoder, offset, "there are two application context names");
    }
    return ldc_pdu_uid(decoder, item, "the application context name",
                       decoder->associate->application);
}

static bool read_items(ldc_pdu_decoder *decoder, ldc_reader *reader)
{
    bool request = decoder->associate->request;
    bool has_user = false;

    while (ldc_reader_left(reader) > 0) {
        ldc_reader item;
        uint8_t type = 0;
        bool good = true;
        size_t offset = ldc_reader_offset(reader);
        if (!ldc_pdu_next_item(decoder, reader, "the PDU", &type, &item)) {
            return false;
        }
        switch (type) {
        case 0x10:
            good = read_application(decoder, offset, &item);
            break;
        case 0x20:
            good = request ? read_proposed(decoder, &item)
                           : LDC_PDU_UNEXPECTED(decoder, offset,
                                                "item 20H belongs into an A-ASSOCIATE-RQ");
            break;
        case 0x21:
            good = !request ? read_answer(decoder, &item)
                            : LDC_PDU_UNEXPECTED(decoder, offset,
                                                 "item 21H belongs into an A-ASSOCIATE-AC");
            break;
        case 0x50:
            good = !has_user ? ldc_pdu_read_user(decoder, &item)
                             : LDC_PDU_UNEXPECTED(decoder, offset,
                                                  "there are two user information items");
            has_user = true;
            break;
        default: /* §9.3.1: unrecognized items are ignored and skipped */
            break;
        }
        if (!good) {
            return false;
        }
    }
    const char *missing = decoder->associate->application[0] == '\0' ? "application context name"
                          : request && decoder->associate->context_count == 0
                              ? "presentation context"
                          : !has_user ? "user information"
                                      : NULL;
    if (missing != NULL) {
        return LDC_PDU_INVALID(decoder, ldc_reader_offset(reader),
                               "the PDU ends and has had no item for the %s", missing);
    }
    return true;
}

bool ldc_pdu_decode_associate(const uint8_t *pdu, size_t length, uint32_t limit,
                              const ldc_associate *request, ldc_associate **associate,
                              ldc_pdu_fault *fault)
{
    const ldc_pdu_limits limits = {limit == 0 ? LDC_PDU_ASSOCIATE_LIMIT : limit, 0};
    ldc_pdu_decoder decoder = {NULL, request, fault, false, false};
    ldc_reader reader = ldc_reader_of(pdu, length);
    uint8_t type = 0;
    uint32_t said = 0;

    *associate = NULL;
    if (length < LDC_PDU_HEADER) {
        return LDC_PDU_INVALID(&decoder, 0, "the PDU has %zu bytes, its header alone needs 6",
                               length);
    }
    if (!ldc_pdu_decode_header(pdu, &limits, &type, &said, fault)) {
        return false;
    }
    if (type != PDU_ASSOCIATE_REQUEST && type != PDU_ASSOCIATE_ACCEPT) {
        return ldc_pdu_fault_set(fault, DICOM_ERROR_PDU_UNEXPECTED, PDU_ABORT_REASON_UNEXPECTED, 0,
                                 "the PDU is %s %s, not an A-ASSOCIATE-RQ or -AC",
                                 type == PDU_DATA_TRANSFER ? "a" : "an", ldc_pdu_name(type));
    }
    if (length - LDC_PDU_HEADER != said) {
        return LDC_PDU_INVALID(&decoder, 2, "the length of the %s is %" PRIu32 ", %zu bytes follow",
                               ldc_pdu_name(type), said, length - LDC_PDU_HEADER);
    }
    decoder.associate = ldc_associate_create(type == PDU_ASSOCIATE_REQUEST);
    if (decoder.associate == NULL) {
        return ldc_pdu_no_memory(&decoder);
    }
    ldc_associate_clear(decoder.associate);
    ldc_read_skip(&reader, LDC_PDU_HEADER);
    if (!read_fixed(&decoder, &reader) || !read_items(&decoder, &reader)) {
        ldc_associate_free(decoder.associate);
        return false;
    }
    *associate = decoder.associate;
    return true;
}
