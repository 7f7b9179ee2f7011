/*
 * ldc_pdu_decode_user.c - the sub-items of user information (PS3.8 Annex D.1, PS3.7 §D.3.3). A
 * sub-item that nothing here knows is kept as it is.
 */
#include <string.h>

#include "ldc_pdu_decode.h"
#include "ltdic.h"

/* A field with its length in front. */
static bool read_field(ldc_pdu_decoder *decoder, ldc_reader *item, const char *what,
                       ldc_reader *field)
{
    size_t offset = ldc_reader_offset(item);
    uint16_t length = ldc_read_u16_be(item);
    size_t left = ldc_reader_left(item);
    bool cut = item->failed;

    *field = ldc_read_sub(item, length);
    if (cut) {
        return LDC_PDU_INVALID(decoder, offset, "the item ends where the length of %s has to be",
                               what);
    }
    if (field->failed) {
        return LDC_PDU_INVALID(decoder, offset,
                               "the length of %s is %u, %zu bytes are left in its item", what,
                               length, left);
    }
    return true;
}

static bool read_uid_field(ldc_pdu_decoder *decoder, ldc_reader *item, const char *what,
                           char uid[LDC_UID_SIZE])
{
    ldc_reader field;

    return read_field(decoder, item, what, &field) && ldc_pdu_uid(decoder, &field, what, uid);
}

static bool expect_length(ldc_pdu_decoder *decoder, const ldc_reader *item, uint8_t type,
                          size_t length)
{
    if (item->length == length) {
        return true;
    }
    return LDC_PDU_INVALID(decoder, ldc_reader_offset(item),
                           "sub-item %02XH has %zu bytes, it has to have %zu", type, item->length,
                           length);
}

static bool expect_end(ldc_pdu_decoder *decoder, const ldc_reader *item, uint8_t type)
{
    if (!item->failed && ldc_reader_left(item) == 0) {
        return true;
    }
    return LDC_PDU_INVALID(decoder, ldc_reader_offset(item),
                           item->failed ? "sub-item %02XH is too short"
                                        : "sub-item %02XH is longer than what is in it",
                           type);
}

/* The result of one of the object's functions, whose arguments have been checked here, so that
 * DICOM_ERROR_PARAMETER means that there is no more room. */
static bool stored(ldc_pdu_decoder *decoder, const ldc_reader *item, uint8_t type, int rc)
{
    if (rc == DICOM_SUCCESS) {
        return true;
    }
    if (rc == DICOM_ERROR_MEMORY) {
        return ldc_pdu_no_memory(decoder);
    }
    return LDC_PDU_INVALID(decoder, ldc_reader_offset(item),
                           "there are sub-items %02XH for more than %d SOP classes", type,
                           LDC_CLASSES);
}

/* PS3.7 Tables D.3-9 and D.3-10. Some peers have one for each context: of those for one class the
 * last counts. */
static bool read_role(ldc_pdu_decoder *decoder, ldc_reader *item)
{
    char uid[LDC_UID_SIZE];

    if (!read_uid_field(decoder, item, "the SOP class of the role selection", uid)) {
        return false;
    }
    size_t offset = ldc_reader_offset(item);
    uint8_t user = ldc_read_u8(item);
    uint8_t provider = ldc_read_u8(item);
    if (!expect_end(decoder, item, LDC_ITEM_ROLE)) {
        return false;
    }
    if (user > 1 || provider > 1) {
        return LDC_PDU_INVALID(decoder, offset, "the roles are %u and %u, they are 0 or 1", user,
                               provider);
    }
    return stored(decoder, item, LDC_ITEM_ROLE,
                  ldc_associate_put_role(decoder->associate, uid, user, provider));
}

/* PS3.7 Table D.3-11. */
static bool read_extended(ldc_pdu_decoder *decoder, ldc_reader *item)
{
    char uid[LDC_UID_SIZE];

    if (!read_uid_field(decoder, item, "the SOP class of the extended negotiation", uid)) {
        return false;
    }
    size_t length = ldc_reader_left(item);
    return stored(
        decoder, item, LDC_ITEM_EXTENDED,
        ldc_associate_put_extended(decoder->associate, uid, ldc_read_bytes(item, length), length));
}

/* PS3.7 Tables D.3-12 and D.3-13. What comes after them in the item belongs to later versions of it
 * and is left out. */
static bool read_common(ldc_pdu_decoder *decoder, ldc_reader *item)
{
    char uid[LDC_UID_SIZE], service[LDC_UID_SIZE], related[LDC_UID_SIZE];
    ldc_reader list;

    if (!read_uid_field(decoder, item, "the SOP class of the common extended negotiation", uid) ||
        !read_uid_field(decoder, item, "the service class", service) ||
        !read_field(decoder, item, "the list of related general SOP classes", &list)) {
        return false;
    }
    if (!stored(decoder, item, LDC_ITEM_COMMON_EXTENDED,
                ldc_associate_put_common(decoder->associate, uid, service))) {
        return false;
    }
    while (ldc_reader_left(&list) > 0) {
        if (!read_uid_field(decoder, &list, "the related general SOP class", related) ||
            !stored(decoder, &list, LDC_ITEM_COMMON_EXTENDED,
                    ldc_associate_add_related(decoder->associate, uid, related))) {
            return false;
        }
    }
    return true;
}

/* PS3.7 Table D.3-14. Types that are not defined yet are kept. */
static bool read_identity(ldc_pdu_decoder *decoder, ldc_reader *item)
{
    ldc_reader primary, secondary;
    size_t offset = ldc_reader_offset(item);
    uint8_t type = ldc_read_u8(item);
    uint8_t wanted = ldc_read_u8(item);

    if (!read_field(decoder, item, "the primary field of the user identity", &primary) ||
        !read_field(decoder, item, "the secondary field of the user identity", &secondary) ||
        !expect_end(decoder, item, LDC_ITEM_IDENTITY)) {
        return false;
    }
    if (type == 0) {
        return LDC_PDU_INVALID(decoder, offset, "the type of the user identity is 0");
    }
    return stored(decoder, item, LDC_ITEM_IDENTITY,
                  ldc_associate_set_identity(decoder->associate, type, wanted != 0, primary.bytes,
                                             primary.length, secondary.bytes, secondary.length));
}

/* PS3.7 Table D.3-15. */
static bool read_identity_response(ldc_pdu_decoder *decoder, ldc_reader *item)
{
    ldc_reader response;

    return read_field(decoder, item, "the response to the user identity", &response) &&
           expect_end(decoder, item, LDC_ITEM_IDENTITY_RESPONSE) &&
           stored(decoder, item, LDC_ITEM_IDENTITY_RESPONSE,
                  ldc_associate_set_identity_response(decoder->associate, response.bytes,
                                                      response.length));
}

/* Whether the sub-item may be here: of some there is one at most, of some one side's only. */
static bool expected(ldc_pdu_decoder *decoder, uint8_t type, size_t offset)
{
    ldc_associate *associate = decoder->associate;
    bool twice = (type == LDC_ITEM_MAX_LENGTH && associate->has_max_length) ||
                 (type == LDC_ITEM_IMPLEMENTATION_CLASS && decoder->has_class) ||
                 (type == LDC_ITEM_ASYNC_OPERATIONS && associate->has_async) ||
                 (type == LDC_ITEM_IMPLEMENTATION_VERSION && decoder->has_version) ||
                 (type == LDC_ITEM_IDENTITY && associate->has_identity) ||
                 (type == LDC_ITEM_IDENTITY_RESPONSE && associate->has_identity_response);

    decoder->has_class = decoder->has_class || type == LDC_ITEM_IMPLEMENTATION_CLASS;
    decoder->has_version = decoder->has_version || type == LDC_ITEM_IMPLEMENTATION_VERSION;
    if (twice) {
        return LDC_PDU_UNEXPECTED(decoder, offset, "there are two sub-items %02XH", type);
    }
    if (type == LDC_ITEM_IDENTITY && !associate->request) {
        return LDC_PDU_UNEXPECTED(decoder, offset,
                                  "sub-item 58H, user identity, belongs into an A-ASSOCIATE-RQ");
    }
    if (type == LDC_ITEM_IDENTITY_RESPONSE && associate->request) {
        return LDC_PDU_UNEXPECTED(decoder, offset,
                                  "sub-item 59H, response to user identity, belongs into an "
                                  "A-ASSOCIATE-AC");
    }
    return true;
}

static bool read_one(ldc_pdu_decoder *decoder, uint8_t type, ldc_reader *item)
{
    ldc_associate *associate = decoder->associate;
    const uint8_t *bytes;

    switch (type) {
    case LDC_ITEM_MAX_LENGTH: /* PS3.8 Table D.1-1 */
        if (!expect_length(decoder, item, type, 4)) {
            return false;
        }
        associate->has_max_length = true;
        associate->max_length = ldc_read_u32_be(item);
        return true;
    case LDC_ITEM_IMPLEMENTATION_CLASS: /* PS3.7 Table D.3-1; identifies, so words do no harm */
        if (item->length >= LDC_UID_SIZE) {
            return LDC_PDU_INVALID(decoder, ldc_reader_offset(item),
                                   "the implementation class UID has %zu bytes, at most 64 are "
                                   "allowed",
                                   item->length);
        }
        return ldc_pdu_text(decoder, item, "the implementation class UID", '!', LDC_UID_SIZE - 1,
                            associate->implementation_class);
    case LDC_ITEM_ASYNC_OPERATIONS: /* PS3.7 Table D.3-7 */
        if (!expect_length(decoder, item, type, 4)) {
            return false;
        }
        associate->has_async = true;
        associate->invoked = ldc_read_u16_be(item);
        associate->performed = ldc_read_u16_be(item);
        return true;
    case LDC_ITEM_ROLE:
        return read_role(decoder, item);
    case LDC_ITEM_IMPLEMENTATION_VERSION: /* PS3.7 Table D.3-3; longer ones are cut to 16 */
        return ldc_pdu_text(decoder, item, "the implementation version name", ' ',
                            LDC_VERSION_NAME_SIZE - 1, associate->implementation_version);
    case LDC_ITEM_EXTENDED:
        return read_extended(decoder, item);
    case LDC_ITEM_COMMON_EXTENDED:
        /* A requestor's only; an acceptor's says nothing (PS3.7 §D.3.3.6.2). */
        return !associate->request || read_common(decoder, item);
    case LDC_ITEM_IDENTITY:
        return read_identity(decoder, item);
    case LDC_ITEM_IDENTITY_RESPONSE:
        return read_identity_response(decoder, item);
    default:
        bytes = ldc_read_bytes(item, item->length);
        return stored(decoder, item, type,
                      ldc_associate_add_item(associate, type, bytes, item->length));
    }
}

bool ldc_pdu_read_user(ldc_pdu_decoder *decoder, ldc_reader *item)
{
    while (ldc_reader_left(item) > 0) {
        ldc_reader sub;
        uint8_t type = 0;
        size_t offset = ldc_reader_offset(item);
        if (!ldc_pdu_next_item(decoder, item, "the user information", &type, &sub) ||
            !expected(decoder, type, offset) || !read_one(decoder, type, &sub)) {
            return false;
        }
    }
    return true;
}
