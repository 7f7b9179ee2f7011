/*
 * ldc_pdu_encode.c - A-ASSOCIATE-RQ and A-ASSOCIATE-AC out of an association object (ldc_pdu.h says
 * the rules). First all is checked that only the wire forbids, then written, item types in
 * increasing order (PS3.8 §9.3.1).
 */
#include <string.h>

#include "ldc_error.h"
#include "ldc_pdu.h"
#include "ltdic.h"

/* ---- checks ---- */

/* PS3.8 Table 9-11 and the value representation AE of PS3.5 §6.2. */
static int check_title(const ldc_associate *associate, bool called)
{
    const char *title = ldc_associate_title(associate, called);
    const char *name = called ? "called" : "calling";
    size_t length = strlen(title);

    if (length > LDC_TITLE_LENGTH) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the %s AE title \"%.80s\" has %zu characters; at most 16 are allowed",
                         name, title, length);
    }
    for (size_t i = 0; i < length; i++) {
        bool backslash = title[i] == '\\' && associate->request;
        if (title[i] < 0x20 || title[i] > 0x7E || backslash) {
            return ldc_error(DICOM_ERROR_PARAMETER,
                             "the %s AE title has %s at position %zu; printable ASCII without "
                             "backslash is allowed",
                             name, backslash ? "a backslash" : "a control or non-ASCII character",
                             i + 1);
        }
    }
    if (length == 0 && associate->request) {
        return ldc_error(DICOM_ERROR_PARAMETER, "the %s AE title is empty; set %s", name,
                         called ? "Called" : "Calling");
    }
    return DICOM_SUCCESS;
}

static int check_request(const ldc_associate *associate)
{
    if (associate->context_count == 0) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the request has no presentation context; add one with "
                         "AddPresentationContext and AddTransfer");
    }
    for (size_t i = 0; i < associate->context_count; i++) {
        const ldc_context *context = &associate->contexts[i];
        if (context->abstract[0] == '\0') { /* an accept may be turned into a request */
            return ldc_error(DICOM_ERROR_PARAMETER,
                             "presentation context %u has no abstract syntax; a request needs it",
                             context->id);
        }
        if (context->transfers.count == 0) {
            return ldc_error(DICOM_ERROR_PARAMETER,
                             "presentation context %u has no transfer syntax; add one with "
                             "AddTransfer",
                             context->id);
        }
    }
    return DICOM_SUCCESS;
}

static int check_accept(const ldc_associate *associate, const ldc_associate *request)
{
    for (size_t i = 0; i < associate->context_count; i++) {
        const ldc_context *context = &associate->contexts[i];
        if (context->result == PDU_ACCEPT_RESULT_SUCCESS && context->transfers.count == 0) {
            return ldc_error(DICOM_ERROR_PARAMETER,
                             "presentation context %u is accepted and has no transfer syntax; add "
                             "the one you chose with AddTransfer, or set another result",
                             context->id);
        }
        const ldc_context *proposed =
            request == NULL ? NULL : ldc_associate_context(request, context->id);
        if (request != NULL && proposed == NULL) {
            return ldc_error(DICOM_ERROR_PARAMETER,
                             "presentation context %u is not in the request that is answered; "
                             "leave it out",
                             context->id);
        }
        if (proposed != NULL && context->result == PDU_ACCEPT_RESULT_SUCCESS &&
            !ldc_context_offers(proposed, context->transfers.uids[0])) {
            return ldc_error(DICOM_ERROR_PARAMETER,
                             "presentation context %u is accepted with %s, which was not proposed; "
                             "choose one of the request's transfer syntaxes, or set another result",
                             context->id, context->transfers.uids[0]);
        }
    }
    return DICOM_SUCCESS;
}

/* ---- items ---- */

static size_t begin_item(ldc_writer *writer, uint8_t type)
{
    ldc_write_u8(writer, type);
    ldc_write_u8(writer, 0); /* reserved */
    return ldc_write_begin_u16_be(writer);
}

static void write_item(ldc_writer *writer, uint8_t type, const void *bytes, size_t length)
{
    size_t mark = begin_item(writer, type);

    ldc_write_bytes(writer, bytes, length);
    ldc_write_end_u16_be(writer, mark);
}

static void write_uid_item(ldc_writer *writer, uint8_t type, const char *uid)
{
    write_item(writer, type, uid, strlen(uid));
}

/* A field with its length in front. */
static void write_field(ldc_writer *writer, const void *bytes, size_t length)
{
    size_t mark = ldc_write_begin_u16_be(writer);

    ldc_write_bytes(writer, bytes, length);
    ldc_write_end_u16_be(writer, mark);
}

static void write_uid_field(ldc_writer *writer, const char *uid)
{
    write_field(writer, uid, strlen(uid));
}

static void write_title(ldc_writer *writer, const char *title)
{
    size_t length = strlen(title);

    ldc_write_bytes(writer, title, length);
    ldc_write_fill(writer, ' ', LDC_TITLE_LENGTH - length);
}

/* The 64 bytes of titles and reserved bytes. In an accept they are the request's (Table 9-17),
 * unless the program gave another title. */
static void write_wire(ldc_writer *writer, const ldc_associate *associate,
                       const ldc_associate *request)
{
    const uint8_t *wire = request != NULL && request->has_wire ? request->wire : NULL;

    for (size_t i = 0; i < 2; i++) {
        const char *title = ldc_associate_title(associate, i == 0);
        const char *asked = request == NULL ? "" : ldc_associate_title(request, i == 0);
        if (wire != NULL && (title[0] == '\0' || strcmp(title, asked) == 0)) {
            ldc_write_bytes(writer, wire + i * LDC_TITLE_LENGTH, LDC_TITLE_LENGTH);
        } else {
            write_title(writer, title[0] != '\0' ? title : asked);
        }
    }
    if (wire != NULL) {
        ldc_write_bytes(writer, wire + LDC_WIRE_SIZE - 32, 32);
    } else {
        ldc_write_fill(writer, 0, 32);
    }
}

/* Tables 9-13 to 9-15. */
static void write_proposed(ldc_writer *writer, const ldc_context *context)
{
    size_t mark = begin_item(writer, 0x20);

    ldc_write_u8(writer, context->id);
    ldc_write_fill(writer, 0, 3); /* reserved */
    write_uid_item(writer, 0x30, context->abstract);
    for (size_t i = 0; i < context->transfers.count; i++) {
        write_uid_item(writer, 0x40, context->transfers.uids[i]);
    }
    ldc_write_end_u16_be(writer, mark);
}

/* Tables 9-18 and 9-19. */
static void write_answer(ldc_writer *writer, uint8_t id, uint8_t result, const char *transfer)
{
    size_t mark = begin_item(writer, 0x21);

    ldc_write_u8(writer, id);
    ldc_write_u8(writer, 0); /* reserved */
    ldc_write_u8(writer, result);
    ldc_write_u8(writer, 0); /* reserved */
    write_uid_item(writer, 0x40, transfer);
    ldc_write_end_u16_be(writer, mark);
}

static void write_answers(ldc_writer *writer, const ldc_associate *associate,
                          const ldc_associate *request)
{
    for (size_t i = 0; i < associate->context_count; i++) {
        const ldc_context *context = &associate->contexts[i];
        write_answer(writer, context->id, context->result,
                     context->transfers.count > 0 ? context->transfers.uids[0]
                                                  : LDC_IMPLICIT_LITTLE);
    }
    for (size_t i = 0; request != NULL && i < request->context_count; i++) {
        uint8_t id = request->contexts[i].id;
        if (ldc_associate_context(associate, id) == NULL) {
            write_answer(writer, id, PDU_ACCEPT_RESULT_PROVIDER_REJECT, LDC_IMPLICIT_LITTLE);
        }
    }
}

/* ---- user information ---- */

/* PS3.7 Table D.3-9, -10. */
static void write_roles(ldc_writer *writer, const ldc_associate *associate)
{
    for (size_t i = 0; i < associate->role_count; i++) {
        const ldc_role *role = &associate->roles[i];
        size_t mark = begin_item(writer, LDC_ITEM_ROLE);
        write_uid_field(writer, role->class_uid);
        ldc_write_u8(writer, role->user);
        ldc_write_u8(writer, role->provider);
        ldc_write_end_u16_be(writer, mark);
    }
}

/* PS3.7 Table D.3-11. */
static void write_extended(ldc_writer *writer, const ldc_associate *associate)
{
    for (size_t i = 0; i < associate->extended_count; i++) {
        const ldc_extended *extended = &associate->extended[i];
        size_t mark = begin_item(writer, LDC_ITEM_EXTENDED);
        write_uid_field(writer, extended->class_uid);
        ldc_write_bytes(writer, extended->data.bytes, extended->data.length);
        ldc_write_end_u16_be(writer, mark);
    }
}

/* PS3.7 Table D.3-12. The second byte is the version of the sub-item, 0. */
static void write_common(ldc_writer *writer, const ldc_associate *associate)
{
    for (size_t i = 0; i < associate->common_count; i++) {
        const ldc_common *common = &associate->common[i];
        size_t mark = begin_item(writer, LDC_ITEM_COMMON_EXTENDED);
        write_uid_field(writer, common->class_uid);
        write_uid_field(writer, common->service_uid);
        size_t list = ldc_write_begin_u16_be(writer);
        for (size_t j = 0; j < common->related.count; j++) {
            write_uid_field(writer, common->related.uids[j]);
        }
        ldc_write_end_u16_be(writer, list);
        ldc_write_end_u16_be(writer, mark);
    }
}

/* PS3.7 Tables D.3-14 and D.3-15. */
static void write_identity(ldc_writer *writer, const ldc_associate *associate)
{
    if (associate->request && associate->has_identity) {
        size_t mark = begin_item(writer, LDC_ITEM_IDENTITY);
        ldc_write_u8(writer, associate->identity_type);
        ldc_write_u8(writer, associate->identity_response_wanted ? 1 : 0);
        write_field(writer, associate->identity_primary.bytes, associate->identity_primary.length);
        write_field(writer, associate->identity_secondary.bytes,
                    associate->identity_secondary.length);
        ldc_write_end_u16_be(writer, mark);
    }
}

static void write_identity_response(ldc_writer *writer, const ldc_associate *associate)
{
    if (!associate->request && associate->has_identity_response) {
        size_t mark = begin_item(writer, LDC_ITEM_IDENTITY_RESPONSE);
        write_field(writer, associate->identity_response.bytes,
                    associate->identity_response.length);
        ldc_write_end_u16_be(writer, mark);
    }
}

/* All items of one type that have members of their own. */
static void write_own(ldc_writer *writer, const ldc_associate *associate, unsigned type)
{
    size_t mark;

    switch (type) {
    case LDC_ITEM_MAX_LENGTH: /* PS3.8 Table D.1-1 */
        if (associate->has_max_length) {
            mark = begin_item(writer, LDC_ITEM_MAX_LENGTH);
            ldc_write_u32_be(writer, associate->max_length);
            ldc_write_end_u16_be(writer, mark);
        }
        break;
    case LDC_ITEM_IMPLEMENTATION_CLASS: /* PS3.7 Table D.3-1, mandatory */
        write_uid_item(writer, LDC_ITEM_IMPLEMENTATION_CLASS,
                       associate->implementation_class[0] != '\0' ? associate->implementation_class
                                                                  : LDC_IMPLEMENTATION_CLASS);
        break;
    case LDC_ITEM_ASYNC_OPERATIONS: /* PS3.7 Table D.3-7 */
        if (associate->has_async) {
            mark = begin_item(writer, LDC_ITEM_ASYNC_OPERATIONS);
            ldc_write_u16_be(writer, associate->invoked);
            ldc_write_u16_be(writer, associate->performed);
            ldc_write_end_u16_be(writer, mark);
        }
        break;
    case LDC_ITEM_ROLE:
        write_roles(writer, associate);
        break;
    case LDC_ITEM_IMPLEMENTATION_VERSION: /* PS3.7 Table D.3-3 */
        if (associate->implementation_version[0] != '\0') {
            write_uid_item(writer, LDC_ITEM_IMPLEMENTATION_VERSION,
                           associate->implementation_version);
        }
        break;
    case LDC_ITEM_EXTENDED:
        write_extended(writer, associate);
        break;
    case LDC_ITEM_COMMON_EXTENDED: /* the acceptor does not answer it, §D.3.3.6.2 */
        if (associate->request) {
            write_common(writer, associate);
        }
        break;
    case LDC_ITEM_IDENTITY:
        write_identity(writer, associate);
        break;
    case LDC_ITEM_IDENTITY_RESPONSE:
        write_identity_response(writer, associate);
        break;
    default:
        break;
    }
}

/* Table 9-16, and 9-20 of the accept. */
static void write_user_information(ldc_writer *writer, const ldc_associate *associate)
{
    bool there[256] = {false};
    size_t mark = begin_item(writer, 0x50);

    for (size_t i = 0; i < associate->item_count; i++) {
        there[associate->items[i].type] = true;
    }
    for (unsigned type = 0; type < 256; type++) {
        write_own(writer, associate, type);
        for (size_t i = 0; there[type] && i < associate->item_count; i++) {
            const ldc_user_item *item = &associate->items[i];
            if (item->type == type) {
                write_item(writer, item->type, item->data.bytes, item->data.length);
            }
        }
    }
    ldc_write_end_u16_be(writer, mark);
}

/* ---- the PDU ---- */

static int said_by(const ldc_writer *writer, const char *what)
{
    if (writer->fault == LDC_WRITER_MEMORY) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "");
    }
    return ldc_error(DICOM_ERROR_PARAMETER,
                     "the association does not fit its PDU: %s; an item has at most 65535 bytes",
                     what);
}

int ldc_pdu_encode_associate(const ldc_associate *associate, const ldc_associate *request,
                             ldc_writer *writer)
{
    int rc = check_title(associate, true);

    if (associate->request) {
        request = NULL;
    }
    if (rc == DICOM_SUCCESS) {
        rc = check_title(associate, false);
    }
    if (rc == DICOM_SUCCESS) {
        rc = associate->request ? check_request(associate) : check_accept(associate, request);
    }
    if (rc != DICOM_SUCCESS) {
        return rc;
    }

    ldc_write_u8(writer, associate->request ? PDU_ASSOCIATE_REQUEST : PDU_ASSOCIATE_ACCEPT);
    ldc_write_u8(writer, 0); /* reserved */
    size_t mark = ldc_write_begin_u32_be(writer);
    ldc_write_u16_be(writer, associate->version);
    ldc_write_u16_be(writer, 0); /* reserved */
    write_wire(writer, associate, request);
    write_uid_item(writer, 0x10,
                   associate->application[0] != '\0' ? associate->application
                                                     : LDC_APPLICATION_CONTEXT);
    if (associate->request) {
        for (size_t i = 0; i < associate->context_count; i++) {
            write_proposed(writer, &associate->contexts[i]);
        }
    } else {
        write_answers(writer, associate, request);
    }
    if (writer->fault != LDC_WRITER_GOOD) {
        return said_by(writer, "too many transfer syntaxes in the presentation contexts");
    }
    write_user_information(writer, associate);
    ldc_write_end_u32_be(writer, mark);
    return writer->fault == LDC_WRITER_GOOD
               ? DICOM_SUCCESS
               : said_by(writer, "the user information (roles, extended negotiation, user identity "
                                 "and other items) is too long");
}
