/*
 * fuzz_pdu.c - fuzz target: one PDU as a peer may send it, but P-DATA-TF (fuzz_pdv.c).
 *
 * Whatever the bytes are: what is decoded can be encoded, decoded again to an equal object, and
 * encoded to equal bytes; a copy of it encodes to the same; a request can be answered. What is
 * refused has a reason of PS3.8 Table 9-26 and a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_pdu.h"
#include "ltdic.h"
#include "pdu_vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- equality, member by member ---- */

static void require_same_lists(const ldc_uid_list *one, const ldc_uid_list *other)
{
    REQUIRE(one->count == other->count);
    for (size_t i = 0; i < one->count; i++) {
        REQUIRE(ldc_uid_valid(one->uids[i], strlen(one->uids[i])));
        REQUIRE(strcmp(one->uids[i], other->uids[i]) == 0);
    }
}

static void require_same_blocks(const ldc_block *one, const ldc_block *other)
{
    REQUIRE(one->length == other->length);
    REQUIRE(one->length == 0 || memcmp(one->bytes, other->bytes, one->length) == 0);
}

/* The next item of a type, from *at on; NULL: none. */
static const ldc_user_item *next_of(const ldc_associate *associate, unsigned type, size_t *at)
{
    while (*at < associate->item_count) {
        const ldc_user_item *item = &associate->items[(*at)++];
        if (item->type == type) {
            return item;
        }
    }
    return NULL;
}

/* They are sent in the order of types, so the order counts among those of one type. */
static void require_same_items(const ldc_associate *one, const ldc_associate *other)
{
    REQUIRE(one->item_count == other->item_count);
    for (unsigned type = 0; type < 256; type++) {
        size_t at = 0, other_at = 0;
        const ldc_user_item *item, *other_item;

        do {
            item = next_of(one, type, &at);
            other_item = next_of(other, type, &other_at);
            REQUIRE((item == NULL) == (other_item == NULL));
            if (item != NULL) {
                require_same_blocks(&item->data, &other_item->data);
            }
        } while (item != NULL);
    }
}

static void require_same(const ldc_associate *one, const ldc_associate *other)
{
    const char *class_uid =
        one->implementation_class[0] == '\0' ? LDC_IMPLEMENTATION_CLASS : one->implementation_class;

    REQUIRE(one->request == other->request && one->version == other->version);
    REQUIRE(strcmp(ldc_associate_title(one, true), ldc_associate_title(other, true)) == 0);
    REQUIRE(strcmp(ldc_associate_title(one, false), ldc_associate_title(other, false)) == 0);
    REQUIRE(strcmp(one->application, other->application) == 0);
    REQUIRE(one->has_max_length == other->has_max_length && one->max_length == other->max_length);
    REQUIRE(strcmp(class_uid, other->implementation_class) == 0);
    REQUIRE(strcmp(one->implementation_version, other->implementation_version) == 0);
    REQUIRE(one->has_async == other->has_async && one->invoked == other->invoked &&
            one->performed == other->performed);
    REQUIRE(one->context_count == other->context_count && one->context_count <= LDC_CONTEXTS);
    for (size_t i = 0; i < one->context_count; i++) {
        const ldc_context *context = &one->contexts[i], *same = &other->contexts[i];
        bool none = !one->request && context->transfers.count == 0;
        REQUIRE(context->id == same->id && context->result == same->result);
        REQUIRE(strcmp(context->abstract, same->abstract) == 0);
        if (none) { /* rejected: one was put in for the wire */
            REQUIRE(context->result != 0 && same->transfers.count == 1);
        } else {
            require_same_lists(&context->transfers, &same->transfers);
        }
    }
    REQUIRE(one->role_count == other->role_count && one->role_count <= LDC_CLASSES);
    for (size_t i = 0; i < one->role_count; i++) {
        REQUIRE(strcmp(one->roles[i].class_uid, other->roles[i].class_uid) == 0);
        REQUIRE(one->roles[i].user == other->roles[i].user);
        REQUIRE(one->roles[i].provider == other->roles[i].provider);
    }
    REQUIRE(one->extended_count == other->extended_count);
    for (size_t i = 0; i < one->extended_count; i++) {
        REQUIRE(strcmp(one->extended[i].class_uid, other->extended[i].class_uid) == 0);
        require_same_blocks(&one->extended[i].data, &other->extended[i].data);
    }
    REQUIRE(one->common_count == other->common_count);
    for (size_t i = 0; i < one->common_count; i++) {
        REQUIRE(strcmp(one->common[i].class_uid, other->common[i].class_uid) == 0);
        REQUIRE(strcmp(one->common[i].service_uid, other->common[i].service_uid) == 0);
        require_same_lists(&one->common[i].related, &other->common[i].related);
    }
    REQUIRE(one->has_identity == other->has_identity);
    REQUIRE(one->identity_type == other->identity_type);
    REQUIRE(one->identity_response_wanted == other->identity_response_wanted);
    require_same_blocks(&one->identity_primary, &other->identity_primary);
    require_same_blocks(&one->identity_secondary, &other->identity_secondary);
    REQUIRE(one->has_identity_response == other->has_identity_response);
    require_same_blocks(&one->identity_response, &other->identity_response);
    require_same_items(one, other);
}

/* ---- the runs ---- */

static bool sendable_title(const ldc_associate *associate, bool called)
{
    const char *title = ldc_associate_title(associate, called);

    return !associate->request || (title[0] != '\0' && strchr(title, '\\') == NULL);
}

static void require_fault(const ldc_pdu_fault *fault)
{
    REQUIRE(fault->code == DICOM_ERROR_PDU_INVALID || fault->code == DICOM_ERROR_PDU_TOO_LONG ||
            fault->code == DICOM_ERROR_PDU_UNEXPECTED);
    REQUIRE(fault->reason == PDU_ABORT_REASON_UNRECOGNIZED ||
            fault->reason == PDU_ABORT_REASON_UNEXPECTED ||
            fault->reason == PDU_ABORT_REASON_UNEXPECTED_PARAM ||
            fault->reason == PDU_ABORT_REASON_INVALID_PARAM);
    REQUIRE(strncmp(fault->text, "at offset ", 10) == 0);
    REQUIRE(strlen(fault->text) + 1 < sizeof fault->text); /* not cut */
}

static void require_round_trip(const ldc_associate *associate, size_t size)
{
    ldc_pdu_fault fault = {0};
    ldc_associate *again = NULL, *copy = NULL;
    ldc_writer first, second;

    ldc_writer_init(&first, LDC_PDU_HEADER + LDC_PDU_ASSOCIATE_LIMIT);
    ldc_writer_init(&second, LDC_PDU_HEADER + LDC_PDU_ASSOCIATE_LIMIT);
    if (ldc_pdu_encode_associate(associate, NULL, &first) != DICOM_SUCCESS) {
        /* An implementation class that was put in may be too much for a full item. */
        REQUIRE(!sendable_title(associate, true) || !sendable_title(associate, false) ||
                size > 60000);
        goto done;
    }
    REQUIRE(ldc_pdu_decode_associate(first.bytes, first.length, 0, NULL, &again, &fault));
    require_same(associate, again);
    copy = ldc_associate_clone(again);
    REQUIRE(copy != NULL);
    REQUIRE(ldc_pdu_encode_associate(copy, NULL, &second) == DICOM_SUCCESS);
    REQUIRE(second.length == first.length);
    REQUIRE(memcmp(second.bytes, first.bytes, first.length) == 0);
done:
    ldc_associate_free(copy);
    ldc_associate_free(again);
    ldc_writer_free(&first);
    ldc_writer_free(&second);
}

/* What most SCPs do: each context in turn is accepted with its first syntax or rejected. */
static void require_answer(const ldc_associate *request)
{
    ldc_associate *accept = ldc_associate_clone(request), *answer = NULL;
    ldc_pdu_fault fault = {0};
    ldc_writer writer;

    REQUIRE(accept != NULL);
    ldc_writer_init(&writer, LDC_PDU_HEADER + LDC_PDU_ASSOCIATE_LIMIT);
    ldc_associate_reset(accept, false);
    for (size_t i = 0; i < request->context_count; i++) {
        const ldc_context *context = &request->contexts[i];
        uint8_t result = (uint8_t)(i % 5);
        if (i % 7 == 6) {
            continue; /* left to the encoder */
        }
        REQUIRE(ldc_associate_add_context(accept, context->id, result, context->abstract) == 0);
        if (result == 0) {
            REQUIRE(ldc_associate_add_transfer(accept, context->id, context->transfers.uids[0]) ==
                    0);
        }
    }
    REQUIRE(ldc_pdu_encode_associate(accept, request, &writer) == DICOM_SUCCESS);
    REQUIRE(memcmp(writer.bytes + 10, request->wire, LDC_WIRE_SIZE) == 0);
    REQUIRE(ldc_pdu_decode_associate(writer.bytes, writer.length, 0, request, &answer, &fault));
    REQUIRE(answer->context_count == request->context_count);
    for (size_t i = 0; i < answer->context_count; i++) {
        const ldc_context *asked = ldc_associate_context(request, answer->contexts[i].id);
        REQUIRE(asked != NULL && strcmp(asked->abstract, answer->contexts[i].abstract) == 0);
    }
    ldc_associate_free(answer);
    ldc_associate_free(accept);
    ldc_writer_free(&writer);
}

static void run_small(const uint8_t *data, size_t size)
{
    ldc_pdu_fault fault = {0};
    ldc_pdu_small small;
    uint8_t pdu[LDC_PDU_SMALL];

    if (!ldc_pdu_decode_small(data, size, &small, &fault)) {
        require_fault(&fault);
        return;
    }
    REQUIRE(size == LDC_PDU_SMALL);
    if (small.type == PDU_ASSOCIATE_REJECT) {
        ldc_pdu_encode_reject(pdu, small.result, small.source, small.reason);
    } else if (small.type == PDU_ABORT) {
        ldc_pdu_encode_abort(pdu, small.source, small.reason);
    } else {
        ldc_pdu_encode_release(pdu, small.type == PDU_RELEASE_REQUEST);
    }
    ldc_pdu_small again;
    REQUIRE(ldc_pdu_decode_small(pdu, sizeof pdu, &again, &fault));
    REQUIRE(again.type == small.type && again.result == small.result);
    REQUIRE(again.source == small.source);
    REQUIRE(again.reason == small.reason || small.source == PDU_ABORT_SOURCE_USER);
}

static void run_associate(const uint8_t *data, size_t size, const ldc_associate *request)
{
    ldc_pdu_fault fault = {0};
    ldc_associate *associate = NULL;

    if (!ldc_pdu_decode_associate(data, size, 0, request, &associate, &fault)) {
        REQUIRE(associate == NULL);
        require_fault(&fault);
        return;
    }
    if (request == NULL) {
        require_round_trip(associate, size);
        if (associate->request) {
            require_answer(associate);
        }
    }
    ldc_associate_free(associate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ldc_associate *request = NULL;
    ldc_pdu_fault fault = {0};

    run_small(data, size);
    run_associate(data, size, NULL);
    if (size > 0 && data[0] == PDU_ASSOCIATE_ACCEPT) {
        REQUIRE(ldc_pdu_decode_associate((const uint8_t *)full_request, FULL_REQUEST, 0, NULL,
                                         &request, &fault));
        run_associate(data, size, request);
        ldc_associate_free(request);
    }
    return 0;
}
