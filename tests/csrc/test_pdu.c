/* Unit tests of the PDU coders (ldc_pdu.h). */
#include "ldc_pdu.h"

#include <stdlib.h>
#include <string.h>

#include "ltdic.h"
#include "pdu_vectors.h"
#include "unit.h"

#define VERIFICATION "1.2.840.10008.1.1"
#define CT_STORAGE   "1.2.840.10008.5.1.4.1.1.2"
#define IMPLICIT     "1.2.840.10008.1.2"
#define EXPLICIT     "1.2.840.10008.1.2.1"

/* ---- helpers ---- */

/* Decodes from a block of exactly the given size, so that sanitizers see a read past the end. */
static ldc_associate *decode(const void *bytes, size_t length, const ldc_associate *request,
                             ldc_pdu_fault *fault)
{
    ldc_associate *associate = NULL;
    uint8_t *exact = malloc(length == 0 ? 1 : length);

    if (!CHECK(exact != NULL))
        return NULL;
    memcpy(exact, bytes, length);
    bool good = ldc_pdu_decode_associate(exact, length, 0, request, &associate, fault);
    CHECK_INT(good, associate != NULL);
    free(exact);
    return associate;
}

static ldc_associate *decode_good(const void *bytes, size_t length, const ldc_associate *request)
{
    ldc_pdu_fault fault = {0};
    ldc_associate *associate = decode(bytes, length, request, &fault);

    if (!CHECK(associate != NULL))
        printf("    %s\n", fault.text);
    return associate;
}

static void check_fault(const void *bytes, size_t length, const ldc_associate *request, int code,
                        int reason, const char *words)
{
    ldc_pdu_fault fault = {0};
    ldc_associate *associate = decode(bytes, length, request, &fault);

    CHECK(associate == NULL);
    ldc_associate_free(associate);
    CHECK_INT(fault.code, code);
    CHECK_INT(fault.reason, reason);
    if (!CHECK(strstr(fault.text, words) != NULL))
        printf("    text:  %s\n    words: %s\n", fault.text, words);
}

/* A PDU under change: items are put in and taken out, the lengths around follow. */
typedef struct draft {
    uint8_t bytes[262144];
    size_t length;
} draft;

static draft draft_of(const char *bytes, size_t length)
{
    static draft made;

    memcpy(made.bytes, bytes, length);
    made.length = length;
    return made;
}

static void fix_length(draft *pdu)
{
    size_t length = pdu->length - 6;

    pdu->bytes[2] = (uint8_t)(length >> 24);
    pdu->bytes[3] = (uint8_t)(length >> 16);
    pdu->bytes[4] = (uint8_t)(length >> 8);
    pdu->bytes[5] = (uint8_t)length;
}

/* Replaces `gone` bytes at `at`; `parent` (0 = none): the item whose 16-bit length follows. */
static void replace(draft *pdu, size_t at, size_t gone, const void *bytes, size_t count,
                    size_t parent)
{
    memmove(pdu->bytes + at + count, pdu->bytes + at + gone, pdu->length - at - gone);
    memcpy(pdu->bytes + at, bytes, count);
    pdu->length = pdu->length + count - gone;
    fix_length(pdu);
    if (parent != 0) {
        size_t length = (size_t)(pdu->bytes[parent + 2] << 8 | pdu->bytes[parent + 3]);
        length = length + count - gone;
        pdu->bytes[parent + 2] = (uint8_t)(length >> 8);
        pdu->bytes[parent + 3] = (uint8_t)length;
    }
}

#define REPLACE(pdu, at, gone, literal, parent)                                                    \
    replace(&(pdu), at, gone, literal, sizeof(literal) - 1, parent)

#define CHECK_DRAFT(pdu, request, reason, words)                                                   \
    check_fault((pdu).bytes, (pdu).length, request, DICOM_ERROR_PDU_INVALID, reason, words)

static void check_encoded(const ldc_associate *associate, const ldc_associate *request,
                          const void *expected, size_t length)
{
    ldc_writer writer;

    ldc_writer_init(&writer, 1 << 20);
    CHECK_INT(ldc_pdu_encode_associate(associate, request, &writer), DICOM_SUCCESS);
    CHECK_INT(writer.length, length);
    for (size_t i = 0; i < length && i < writer.length; i++) {
        if (!CHECK_INT(writer.bytes[i], ((const uint8_t *)expected)[i])) {
            printf("    at offset %zu\n", i);
            break;
        }
    }
    ldc_writer_free(&writer);
}

static void check_not_encoded(const ldc_associate *associate, const ldc_associate *request,
                              const char *words)
{
    ldc_writer writer;

    ldc_writer_init(&writer, 1 << 20);
    CHECK_INT(ldc_pdu_encode_associate(associate, request, &writer), DICOM_ERROR_PARAMETER);
    if (!CHECK(strstr(L_DicomGetLastErrorText(), words) != NULL))
        printf("    text:  %s\n    words: %s\n", L_DicomGetLastErrorText(), words);
    ldc_writer_free(&writer);
}

static ldc_associate *full_request_object(void)
{
    ldc_associate *pdu = ldc_associate_create(true);

    CHECK_INT(L_DicomSetCalled(pdu, "ARCHIVE"), 0);
    CHECK_INT(L_DicomSetCalling(pdu, "SCU"), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 1, IMPLICIT), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 1, EXPLICIT), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 3, IMPLICIT), 0);
    CHECK_INT(L_DicomSetImplementClass(pdu, 1, "1.2.3"), 0);
    CHECK_INT(L_DicomSetImplementVersion(pdu, 1, "V_1"), 0);
    CHECK_INT(L_DicomSetAsyncOperations(pdu, 1, 5, 6), 0);
    CHECK_INT(L_DicomSetRoleSelect(pdu, 3, 1, 1, 1), 0);
    CHECK_INT(L_DicomSetExtendedData(pdu, 3, 1, (const L_UCHAR *)"\1\2\3\4", 4), 0);
    CHECK_INT(L_DicomAddCommonExtended(pdu, CT_STORAGE, "1.2.840.10008.4.2"), 0);
    CHECK_INT(L_DicomAddCommonExtendedRelated(pdu, CT_STORAGE, "1.2.840.10008.5.1.4.1.1.1"), 0);
    CHECK_INT(L_DicomSetUserIdentity(pdu, 1, 2, 1, (const L_UCHAR *)"user", 4,
                                     (const L_UCHAR *)"pass", 4),
              0);
    CHECK_INT(L_DicomAddUserInformation(pdu, 0x5A, (const L_UCHAR *)"\xAA\xBB", 2), 0);
    return pdu;
}

static ldc_associate *minimal(bool request)
{
    ldc_associate *pdu = ldc_associate_create(request);

    CHECK_INT(L_DicomSetCalled(pdu, "A"), 0);
    CHECK_INT(L_DicomSetCalling(pdu, "B"), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 1, IMPLICIT), 0);
    return pdu;
}

/* ---- the PDUs of ten bytes ---- */

TEST(small_pdus_are_the_bytes_of_the_tables)
{
    uint8_t pdu[LDC_PDU_SMALL];

    /* Table 9-21: permanent, by the user, called AE title not recognized */
    ldc_pdu_encode_reject(pdu, 1, 1, 7);
    CHECK(memcmp(pdu, "\x03\0\0\0\0\x04\0\x01\x01\x07", 10) == 0);
    ldc_pdu_encode_release(pdu, true); /* Table 9-24 */
    CHECK(memcmp(pdu, "\x05\0\0\0\0\x04\0\0\0\0", 10) == 0);
    ldc_pdu_encode_release(pdu, false); /* Table 9-25 */
    CHECK(memcmp(pdu, "\x06\0\0\0\0\x04\0\0\0\0", 10) == 0);
    ldc_pdu_encode_abort(pdu, 2, 6); /* Table 9-26 */
    CHECK(memcmp(pdu, "\x07\0\0\0\0\x04\0\0\x02\x06", 10) == 0);
    ldc_pdu_encode_abort(pdu, 0, 6); /* a user's has no reason */
    CHECK(memcmp(pdu, "\x07\0\0\0\0\x04\0\0\0\0", 10) == 0);
}

TEST(small_pdus_are_read_without_a_look_at_reserved_bytes)
{
    ldc_pdu_small small;
    ldc_pdu_fault fault;

    CHECK(ldc_pdu_decode_small((const uint8_t *)"\x03\xEE\0\0\0\x04\xEE\x02\x03\x02", 10, &small,
                               &fault));
    CHECK_INT(small.type, PDU_ASSOCIATE_REJECT);
    CHECK_INT(small.result, 2);
    CHECK_INT(small.source, 3);
    CHECK_INT(small.reason, 2);
    CHECK(ldc_pdu_decode_small((const uint8_t *)"\x05\xEE\0\0\0\x04\xEE\xEE\xEE\xEE", 10, &small,
                               &fault));
    CHECK_INT(small.type, PDU_RELEASE_REQUEST);
    CHECK_INT(small.reason, 0);
    CHECK(ldc_pdu_decode_small((const uint8_t *)"\x06\0\0\0\0\x04\0\0\0\0", 10, &small, &fault));
    CHECK_INT(small.type, PDU_RELEASE_RESPONSE);
    CHECK(ldc_pdu_decode_small((const uint8_t *)"\x07\0\0\0\0\x04\xEE\xEE\x02\x06", 10, &small,
                               &fault));
    CHECK_INT(small.type, PDU_ABORT);
    CHECK_INT(small.result, 0);
    CHECK_INT(small.source, 2);
    CHECK_INT(small.reason, 6);
}

TEST(small_pdus_of_another_size_are_invalid)
{
    ldc_pdu_small small;
    ldc_pdu_fault fault = {0};

    for (size_t length = 0; length < 10; length++) {
        CHECK(!ldc_pdu_decode_small((const uint8_t *)"\x07\0\0\0\0\x04\0\0\0\0", length, &small,
                                    &fault));
        CHECK_INT(fault.reason, PDU_ABORT_REASON_INVALID_PARAM);
    }
    CHECK(!ldc_pdu_decode_small((const uint8_t *)"\x07\0\0\0\0\x05\0\0\0\0\0", 11, &small, &fault));
    CHECK_STR(fault.text, "at offset 2: the length of the A-ABORT is 5, 4 bytes are needed");
    CHECK(!ldc_pdu_decode_small((const uint8_t *)full_request, 10, &small, &fault));
    CHECK_INT(fault.reason, PDU_ABORT_REASON_UNEXPECTED);
}

/* ---- headers ---- */

static int header_reason(const char *bytes, const ldc_pdu_limits *limits, ldc_pdu_fault *fault)
{
    uint8_t type;
    uint32_t length;

    memset(fault, 0, sizeof *fault);
    return ldc_pdu_decode_header((const uint8_t *)bytes, limits, &type, &length, fault)
               ? -1
               : fault->reason;
}

TEST(headers_are_judged_before_anything_follows)
{
    const ldc_pdu_limits limits = {1000, 16384};
    ldc_pdu_fault fault;

    CHECK_INT(header_reason("\x00\0\0\0\0\x04", NULL, &fault), PDU_ABORT_REASON_UNRECOGNIZED);
    CHECK_INT(header_reason("\x08\0\0\0\0\x04", NULL, &fault), PDU_ABORT_REASON_UNRECOGNIZED);
    CHECK_INT(header_reason("GET / ", NULL, &fault), PDU_ABORT_REASON_UNRECOGNIZED);
    CHECK_STR(fault.text, "at offset 0: the PDU type is 47H, types are 01H to 07H");
    CHECK_INT(header_reason("\x01\xFF\0\x10\0\0", NULL, &fault), -1); /* 1 MiB */
    CHECK_INT(header_reason("\x01\0\0\x10\0\x01", NULL, &fault), PDU_ABORT_REASON_INVALID_PARAM);
    CHECK_INT(fault.code, DICOM_ERROR_PDU_TOO_LONG);
    CHECK_INT(header_reason("\x02\0\xFF\xFF\xFF\xFF", NULL, &fault), 6);
    CHECK_INT(fault.code, DICOM_ERROR_PDU_TOO_LONG);
    CHECK_INT(header_reason("\x01\0\0\0\x03\xE8", &limits, &fault), -1);
    CHECK_INT(header_reason("\x01\0\0\0\x03\xE9", &limits, &fault), 6);
    CHECK_STR(fault.text,
              "at offset 2: the length of the A-ASSOCIATE-RQ is 1001, at most 1000 are allowed");
    CHECK_INT(header_reason("\x01\0\0\0\0\x44", NULL, &fault), -1); /* 68, the fixed part */
    CHECK_INT(header_reason("\x01\0\0\0\0\x43", NULL, &fault), 6);
    CHECK_INT(fault.code, DICOM_ERROR_PDU_INVALID);
    CHECK_INT(header_reason("\x04\0\0\0\x40\0", &limits, &fault), -1);
    CHECK_INT(header_reason("\x04\0\0\0\x40\x01", &limits, &fault), 6);
    CHECK_INT(header_reason("\x04\0\x08\0\0\0", NULL, &fault), -1); /* 128 MiB */
    CHECK_INT(header_reason("\x04\0\x08\0\0\x01", NULL, &fault), 6);
    CHECK_INT(header_reason("\x04\0\0\0\0\0", NULL, &fault), 6);
    CHECK_INT(header_reason("\x04\0\0\0\0\x05", NULL, &fault), 6);
    CHECK_INT(header_reason("\x05\0\0\0\0\x03", NULL, &fault), 6);
    CHECK_INT(header_reason("\x06\0\xFF\xFF\xFF\xFF", NULL, &fault), 6);
    CHECK_INT(header_reason("\x03\0\0\0\0\0", NULL, &fault), 6);
}

/* ---- A-ASSOCIATE: the full vectors ---- */

TEST(the_vectors_have_the_lengths_they_say)
{
    CHECK_INT(FULL_REQUEST, 437);
    CHECK_INT(FULL_ACCEPT, 271);
}

TEST(a_full_request_is_encoded_byte_for_byte)
{
    ldc_associate *pdu = full_request_object();

    check_encoded(pdu, NULL, full_request, FULL_REQUEST);
    ldc_associate_free(pdu);
}

TEST(a_full_request_is_decoded_field_by_field)
{
    ldc_associate *pdu = decode_good(full_request, FULL_REQUEST, NULL);

    if (pdu == NULL)
        return;
    CHECK(pdu->request);
    CHECK_INT(pdu->version, 1);
    CHECK_STR(pdu->called, "ARCHIVE");
    CHECK_STR(pdu->calling, "SCU");
    CHECK_STR(pdu->application, "1.2.840.10008.3.1.1.1");
    CHECK(pdu->has_max_length);
    CHECK_INT(pdu->max_length, 262144);
    CHECK_STR(pdu->implementation_class, "1.2.3");
    CHECK_STR(pdu->implementation_version, "V_1");
    CHECK(pdu->has_async);
    CHECK_INT(pdu->invoked, 5);
    CHECK_INT(pdu->performed, 6);
    if (CHECK_INT(pdu->context_count, 2)) {
        CHECK_INT(pdu->contexts[0].id, 1);
        CHECK_STR(pdu->contexts[0].abstract, VERIFICATION);
        CHECK_INT(pdu->contexts[0].transfers.count, 2);
        CHECK_STR(pdu->contexts[0].transfers.uids[0], IMPLICIT);
        CHECK_STR(pdu->contexts[0].transfers.uids[1], EXPLICIT);
        CHECK_INT(pdu->contexts[1].id, 3);
        CHECK_STR(pdu->contexts[1].abstract, CT_STORAGE);
        CHECK_INT(pdu->contexts[1].transfers.count, 1);
    }
    if (CHECK_INT(pdu->role_count, 1)) {
        CHECK_STR(pdu->roles[0].class_uid, CT_STORAGE);
        CHECK_INT(pdu->roles[0].user, 1);
        CHECK_INT(pdu->roles[0].provider, 1);
    }
    if (CHECK_INT(pdu->extended_count, 1)) {
        CHECK_STR(pdu->extended[0].class_uid, CT_STORAGE);
        CHECK_INT(pdu->extended[0].data.length, 4);
        CHECK_INT(memcmp(pdu->extended[0].data.bytes, "\1\2\3\4", 4), 0);
    }
    if (CHECK_INT(pdu->common_count, 1)) {
        CHECK_STR(pdu->common[0].class_uid, CT_STORAGE);
        CHECK_STR(pdu->common[0].service_uid, "1.2.840.10008.4.2");
        CHECK_INT(pdu->common[0].related.count, 1);
        CHECK_STR(pdu->common[0].related.uids[0], "1.2.840.10008.5.1.4.1.1.1");
    }
    CHECK(pdu->has_identity && pdu->identity_response_wanted);
    CHECK_INT(pdu->identity_type, 2);
    CHECK_INT(pdu->identity_primary.length, 4);
    CHECK_INT(memcmp(pdu->identity_primary.bytes, "user", 4), 0);
    CHECK_INT(memcmp(pdu->identity_secondary.bytes, "pass", 4), 0);
    if (CHECK_INT(pdu->item_count, 1)) {
        CHECK_INT(pdu->items[0].type, 0x5A);
        CHECK_INT(pdu->items[0].data.length, 2);
        CHECK_INT(memcmp(pdu->items[0].data.bytes, "\xAA\xBB", 2), 0);
    }
    check_encoded(pdu, NULL, full_request, FULL_REQUEST);
    ldc_associate_free(pdu);
}

TEST(a_full_accept_is_decoded_with_the_request_that_it_answers)
{
    ldc_associate *request = decode_good(full_request, FULL_REQUEST, NULL);
    ldc_associate *pdu = decode_good(full_accept, FULL_ACCEPT, request);
    L_UCHAR user = 9, provider = 9;

    if (pdu == NULL)
        goto done;
    CHECK(!pdu->request);
    CHECK_INT(pdu->max_length, 16384);
    if (CHECK_INT(pdu->context_count, 2)) {
        CHECK_INT(pdu->contexts[0].result, PDU_ACCEPT_RESULT_SUCCESS);
        CHECK_STR(pdu->contexts[0].abstract, VERIFICATION);
        CHECK_STR(pdu->contexts[0].transfers.uids[0], IMPLICIT);
        CHECK_INT(pdu->contexts[1].result, PDU_ACCEPT_RESULT_ABSTRACT_SYNTAX);
        CHECK_STR(pdu->contexts[1].abstract, CT_STORAGE);
    }
    CHECK_INT(L_DicomGetRoleSelect(pdu, 3, &user, &provider), 1);
    CHECK_INT(user, 0);
    CHECK_INT(provider, 1);
    CHECK(pdu->has_identity_response);
    CHECK_INT(memcmp(pdu->identity_response.bytes, "kerb", 4), 0);
    check_encoded(pdu, NULL, full_accept, FULL_ACCEPT);
    check_encoded(pdu, request, full_accept, FULL_ACCEPT);
done:
    ldc_associate_free(pdu);
    ldc_associate_free(request);
}

TEST(an_accept_alone_has_no_abstract_syntaxes)
{
    ldc_associate *pdu = decode_good(full_accept, FULL_ACCEPT, NULL);

    if (pdu == NULL)
        return;
    CHECK_STR(pdu->contexts[0].abstract, "");
    CHECK_INT(pdu->role_count, 1);
    check_encoded(pdu, NULL, full_accept, FULL_ACCEPT);
    ldc_associate_free(pdu);
}

/* ---- truncation and lies ---- */

TEST(a_request_or_accept_cut_at_any_offset_is_invalid)
{
    const struct {
        const char *bytes;
        size_t length;
    } vectors[] = {{full_request, FULL_REQUEST}, {full_accept, FULL_ACCEPT}};

    for (size_t which = 0; which < 2; which++) {
        for (size_t length = 0; length < vectors[which].length; length++) {
            draft pdu = draft_of(vectors[which].bytes, length);

            /* The length says what was meant, then what is there. */
            CHECK_DRAFT(pdu, NULL, PDU_ABORT_REASON_INVALID_PARAM, "at offset ");
            if (length >= 6) {
                fix_length(&pdu);
                CHECK_DRAFT(pdu, NULL, PDU_ABORT_REASON_INVALID_PARAM, "at offset ");
            }
        }
    }
}

TEST(a_byte_too_many_is_invalid)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    pdu.bytes[pdu.length++] = 0;
    CHECK_DRAFT(pdu, NULL, PDU_ABORT_REASON_INVALID_PARAM, "431, 432 bytes follow");
    fix_length(&pdu);
    CHECK_DRAFT(pdu, NULL, PDU_ABORT_REASON_INVALID_PARAM,
                "at offset 437: the PDU ends 1 bytes after its last item");
}

/* Every byte of the items takes a few values: nothing is read that is not there (sanitizers), what
 * is taken can be sent again, and is then the same. */
TEST(any_changed_byte_is_refused_or_makes_a_sound_object)
{
    static const uint8_t values[] = {0, 1, 2, 3, 0x10, 0x20, 0x21, 0x40, 0x50, 0x58, 0x7F, 0xFF};
    const char *const vectors[] = {full_request, full_accept};
    const size_t lengths[] = {FULL_REQUEST, FULL_ACCEPT};
    ldc_pdu_fault fault = {0};
    int taken = 0;

    for (size_t which = 0; which < 2; which++) {
        for (size_t at = 6; at < lengths[which]; at++) {
            for (size_t i = 0; i < sizeof values; i++) {
                char bytes[FULL_REQUEST];
                ldc_writer writer;

                memcpy(bytes, vectors[which], lengths[which]);
                bytes[at] = (char)values[i];
                ldc_associate *pdu = decode(bytes, lengths[which], NULL, &fault);
                if (pdu == NULL) {
                    CHECK(fault.reason == 5 || fault.reason == 6);
                    continue;
                }
                ldc_writer_init(&writer, 1 << 20);
                if (ldc_pdu_encode_associate(pdu, NULL, &writer) == DICOM_SUCCESS) {
                    ldc_associate *again = decode_good(writer.bytes, writer.length, NULL);
                    if (again != NULL)
                        check_encoded(again, NULL, writer.bytes, writer.length);
                    ldc_associate_free(again);
                    taken++;
                }
                ldc_writer_free(&writer);
                ldc_associate_free(pdu);
            }
        }
    }
    CHECK(taken > 1000);
}

TEST(item_lengths_past_the_parent_are_named_with_offset_and_item)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    pdu.bytes[REQUEST_USER + 3] = 0xCC;
    CHECK_DRAFT(pdu, NULL, 6,
                "at offset 230: the length of item 50H is 204, 203 bytes are left in the PDU");
    pdu = draft_of(full_request, FULL_REQUEST);
    pdu.bytes[REQUEST_USER + 4 + 2] = 0xFF;
    CHECK_DRAFT(pdu, NULL, 6,
                "at offset 234: the length of item 51H is 65284, 199 bytes are left in the user "
                "information");
    pdu = draft_of(full_request, FULL_REQUEST);
    pdu.bytes[REQUEST_CONTEXTS + 8 + 3] = 0x3E; /* inside the PDU, not inside the context */
    CHECK_DRAFT(pdu, NULL, 6, "item 30H is 62, 61 bytes are left in the presentation context");
    pdu = draft_of(full_request, FULL_REQUEST);
    pdu.bytes[REQUEST_USER + 4 + 8 + 9 + 8 + 5] = 0x1C; /* UID length of the role selection */
    CHECK_DRAFT(pdu, NULL, 6, "is 28, 27 bytes are left in its item");
    pdu = draft_of(full_request, FULL_REQUEST);
    pdu.bytes[REQUEST_CONTEXTS + 3] = 3; /* a context of 3 bytes */
    CHECK_DRAFT(pdu, NULL, 6, "a presentation context of 3 bytes is too short");
}

/* ---- contexts ---- */

TEST(even_and_repeated_context_ids_are_invalid)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    pdu.bytes[REQUEST_SECOND_CONTEXT + 4] = 1;
    CHECK_DRAFT(pdu, NULL, 6, "at offset 176: there are two presentation contexts 1");
    pdu.bytes[REQUEST_SECOND_CONTEXT + 4] = 2;
    CHECK_DRAFT(pdu, NULL, 6, "id is 2, ids are odd");
    pdu.bytes[REQUEST_SECOND_CONTEXT + 4] = 0;
    CHECK_DRAFT(pdu, NULL, 6, "id is 0, ids are odd");
    pdu = draft_of(full_accept, FULL_ACCEPT);
    pdu.bytes[ACCEPT_CONTEXTS + 29 + 4] = 1;
    CHECK_DRAFT(pdu, NULL, 6, "two presentation contexts 1");
}

TEST(as_many_contexts_as_there_are_odd_ids_and_one_more)
{
    static const char item[] = "\x20\0\x00\x10\x01\0\0\0"
                               "\x30\0\x00\x02"
                               "1x"
                               "\x40\0\x00\x02"
                               "11";
    char context[20];
    draft pdu = draft_of(full_request, FULL_REQUEST);

    memcpy(context, item, 20);
    context[12] = '1';
    context[13] = '2';
    replace(&pdu, REQUEST_CONTEXTS, 73 + 58, "", 0, 0);
    for (int id = 255; id > 0; id -= 2) {
        context[4] = (char)id;
        replace(&pdu, REQUEST_CONTEXTS, 0, context, 20, 0);
    }
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL)
        CHECK_INT(associate->context_count, 128);
    ldc_associate_free(associate);
    replace(&pdu, REQUEST_CONTEXTS, 0, context, 20, 0);
    CHECK_DRAFT(pdu, NULL, 6, "two presentation contexts 1");
}

TEST(a_proposed_context_has_one_abstract_syntax_and_transfer_syntaxes)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_CONTEXTS + 8, 21, "", REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "context 1 has no abstract syntax");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_CONTEXTS + 29, 44, "", REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "context 1 has no transfer syntax");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_CONTEXTS + 29, 0,
            "\x30\0\0\x01"
            "1",
            REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, PDU_ABORT_REASON_UNEXPECTED_PARAM,
                "context 1 has two abstract syntaxes");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_CONTEXTS + 29, 0, "\x40\0\0\0", REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "the transfer syntax (0 bytes) is no UID");
}

TEST(an_accepted_context_has_one_transfer_syntax)
{
    draft pdu = draft_of(full_accept, FULL_ACCEPT);

    REPLACE(pdu, ACCEPT_CONTEXTS + 8, 21, "", ACCEPT_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "accepted presentation context 1 has no transfer syntax");
    pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, ACCEPT_CONTEXTS + 29, 0,
            "\x40\0\0\x01"
            "1",
            ACCEPT_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 5, "accepted presentation context 1 has two transfer syntaxes");
}

TEST(the_transfer_syntax_of_a_rejected_context_is_not_tested)
{
    static const char *const syntaxes[] = {"", "\x40\0\0\0",
                                           "\x40\0\0\x03"
                                           "abc",
                                           "\x40\0\0\x01"
                                           "1\x40\0\0\x01"
                                           "2"};
    static const size_t lengths[] = {0, 4, 7, 10};

    for (size_t i = 0; i < 4; i++) {
        draft pdu = draft_of(full_accept, FULL_ACCEPT);

        replace(&pdu, ACCEPT_CONTEXTS + 29 + 8, 21, syntaxes[i], lengths[i], ACCEPT_CONTEXTS + 29);
        ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
        if (associate != NULL)
            CHECK_INT(associate->contexts[1].transfers.count, i == 3 ? 1 : 0);
        ldc_associate_free(associate);
    }
}

TEST(an_answer_to_what_was_not_proposed_is_invalid)
{
    ldc_associate *request = decode_good(full_request, FULL_REQUEST, NULL);
    draft pdu = draft_of(full_accept, FULL_ACCEPT);

    pdu.bytes[ACCEPT_CONTEXTS + 4] = 5;
    CHECK_DRAFT(pdu, request, 6, "presentation context 5 was not proposed");

    pdu = draft_of(full_accept, FULL_ACCEPT);
    pdu.bytes[ACCEPT_CONTEXTS + 28] = '9'; /* 1.2.840.10008.1.9 */
    CHECK_DRAFT(pdu, request, 6, "presentation context 1 is accepted with");
    ldc_associate_free(request);
}

/* ---- missing, repeated, unknown items ---- */

TEST(missing_items_are_invalid)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, 74, 25, "", 0);
    CHECK_DRAFT(pdu, NULL, 6, "no item for the application context name");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_CONTEXTS, 73 + 58, "", 0);
    CHECK_DRAFT(pdu, NULL, 6, "no item for the presentation context");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_USER, 207, "", 0);
    CHECK_DRAFT(pdu, NULL, 6, "no item for the user information");
}

TEST(repeated_items_are_unexpected)
{
    static const struct {
        const char *item;
        size_t length;
        const char *words;
    } cases[] = {
        {"\x51\0\0\x04\0\0\0\0", 8, "two sub-items 51H"},
        {"\x52\0\0\x01"
         "1",
         5, "two sub-items 52H"},
        {"\x53\0\0\x04\0\0\0\0", 8, "two sub-items 53H"},
        {"\x55\0\0\x01"
         "1",
         5, "two sub-items 55H"},
        {"\x58\0\0\x06\x01\0\0\0\0\0", 10, "two sub-items 58H"},
        {"\x59\0\0\x02\0\0", 6, "59H, response to user identity, belongs into an A-ASSOCIATE-AC"},
    };
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, 74, 0, APPLICATION_ITEM, 0);
    CHECK_DRAFT(pdu, NULL, 5, "at offset 99: there are two application context names");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, FULL_REQUEST, 0, "\x50\0\0\0", 0);
    CHECK_DRAFT(pdu, NULL, 5, "two user information items");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pdu = draft_of(full_request, FULL_REQUEST);
        replace(&pdu, FULL_REQUEST, 0, cases[i].item, cases[i].length, REQUEST_USER);
        CHECK_DRAFT(pdu, NULL, 5, cases[i].words);
    }
    pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, FULL_ACCEPT, 0, "\x58\0\0\x06\x01\0\0\0\0\0", ACCEPT_USER);
    CHECK_DRAFT(pdu, NULL, 5, "58H, user identity, belongs into an A-ASSOCIATE-RQ");
    pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, FULL_ACCEPT, 0, "\x59\0\0\x02\0\0", ACCEPT_USER);
    CHECK_DRAFT(pdu, NULL, 5, "two sub-items 59H");
}

TEST(contexts_of_the_other_kind_of_pdu_are_unexpected)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_CONTEXTS, 0, "\x21\0\0\x04\x07\0\x03\0", 0);
    CHECK_DRAFT(pdu, NULL, 5, "item 21H belongs into an A-ASSOCIATE-AC");
    pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, ACCEPT_CONTEXTS, 0, "\x20\0\0\x04\x07\0\0\0", 0);
    CHECK_DRAFT(pdu, NULL, 5, "item 20H belongs into an A-ASSOCIATE-RQ");
}

TEST(unrecognized_items_are_skipped_and_unknown_user_information_is_kept)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, FULL_REQUEST, 0,
            "\x5B\0\0\0"
            "\x5A\0\0\x01"
            "x"
            "\x01\0\0\x01"
            "y",
            REQUEST_USER);
    REPLACE(pdu, REQUEST_USER, 0,
            "\x77\0\0\x02"
            "ab",
            0);                                                            /* among the items */
    REPLACE(pdu, REQUEST_CONTEXTS + 8, 0, "\x77\0\0\0", REQUEST_CONTEXTS); /* in a context */
    REPLACE(pdu, 74, 0,
            "\x00\0\0\x01"
            "z",
            0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL && CHECK_INT(associate->item_count, 4)) {
        CHECK_INT(associate->items[0].type, 0x5A);
        CHECK_INT(associate->items[1].type, 0x5B);
        CHECK_INT(associate->items[1].data.length, 0);
        CHECK_INT(associate->items[2].type, 0x5A);
        CHECK_INT(associate->items[3].type, 0x01);
    }
    /* Sent in the order of types, those of one type in theirs. */
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, FULL_REQUEST, 0,
            "\x5A\0\0\x01"
            "x"
            "\x5B\0\0\0",
            REQUEST_USER);
    REPLACE(pdu, REQUEST_USER + 4, 0,
            "\x01\0\0\x01"
            "y",
            REQUEST_USER);
    if (associate != NULL)
        check_encoded(associate, NULL, pdu.bytes, pdu.length);
    ldc_associate_free(associate);
}

TEST(items_may_come_in_any_order_and_reserved_bytes_be_anything)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);
    uint8_t user[207];

    memcpy(user, pdu.bytes + REQUEST_USER, sizeof user);
    replace(&pdu, REQUEST_USER, 207, "", 0, 0);
    replace(&pdu, 74, 0, user, 207, 0);
    pdu.bytes[1] = 0xEE;
    pdu.bytes[8] = pdu.bytes[9] = 0xEE;
    memset(pdu.bytes + 42, 0xEE, 32);
    pdu.bytes[74 + 1] = 0xEE;
    pdu.bytes[74 + 5] = 0xEE;
    memset(pdu.bytes + REQUEST_CONTEXTS + 207 + 5, 0xEE, 3);
    pdu.bytes[REQUEST_CONTEXTS + 207 + 9] = 0xEE;
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL)
        check_encoded(associate, NULL, full_request, FULL_REQUEST);
    ldc_associate_free(associate);
}

/* ---- values ---- */

TEST(sub_items_of_user_information_have_the_sizes_of_their_tables)
{
    static const struct {
        const char *item;
        size_t length;
        const char *words;
    } cases[] = {
        {"\x51\0\0\x03\0\0\0", 7, "sub-item 51H has 3 bytes, it has to have 4"},
        {"\x51\0\0\x05\0\0\0\0\0", 9, "sub-item 51H has 5 bytes"},
        {"\x53\0\0\x02\0\0", 6, "sub-item 53H has 2 bytes"},
        {"\x54\0\0\0", 4, "the item ends where the length of the SOP class of the role"},
        {"\x54\0\0\x04\0\x01"
         "1\x01",
         8, "sub-item 54H is too short"},
        {"\x54\0\0\x06\0\x01"
         "1\x01\x01\x01",
         10, "sub-item 54H is longer"},
        {"\x54\0\0\x05\0\x01"
         "1\x02\x01",
         9, "the roles are 2 and 1"},
        {"\x54\0\0\x04\0\0\x01\x01", 8, "role selection (0 bytes) is no UID"},
        {"\x56\0\0\x02\0\x01", 6, "extended negotiation is 1, 0 bytes are left"},
        {"\x57\0\0\x03\0\x01"
         "1",
         7, "the item ends where the length of the service class"},
        {"\x57\0\0\x08\0\x01"
         "1\0\x01"
         "1\0\x01",
         12, "related general SOP classes is 1, 0 bytes"},
        {"\x57\0\0\x09\0\x01"
         "1\0\x01"
         "1\0\x01\0",
         13, "where the length of the related general"},
        {"\x58\0\0\0", 4, "the item ends where the length of the primary"},
        {"\x58\0\0\x06\x01\0\0\x01\0\0", 10, "where the length of the secondary"},
        {"\x58\0\0\x07\x01\0\0\0\0\0\0", 11, "sub-item 58H is longer"},
        {"\x58\0\0\x06\0\0\0\0\0\0", 10, "the type of the user identity is 0"},
    };
    static const char user[] = "\x50\0\0\0";

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        draft pdu = draft_of(full_request, FULL_REQUEST);

        replace(&pdu, REQUEST_USER, 207, user, 4, 0);
        replace(&pdu, REQUEST_USER + 4, 0, cases[i].item, cases[i].length, REQUEST_USER);
        CHECK_DRAFT(pdu, NULL, 6, cases[i].words);
    }
    draft pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, ACCEPT_USER, 114, "\x50\0\0\x07\x59\0\0\x03\0\0\0", 0);
    CHECK_DRAFT(pdu, NULL, 6, "sub-item 59H is longer");
}

TEST(an_empty_user_information_gives_neutral_values)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_USER, 207, "\x50\0\0\0", 0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL) {
        CHECK_INT(associate->max_length, 0);
        CHECK(!associate->has_max_length);
        CHECK_STR(associate->implementation_class, "");
        CHECK_STR(associate->implementation_version, "");
    }
    ldc_associate_free(associate);
}

TEST(roles_of_one_class_may_be_repeated_and_the_last_counts)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_USER, 207,
            "\x50\0\0\x12"
            "\x54\0\0\x05\0\x01"
            "1\x01\x01"
            "\x54\0\0\x05\0\x01"
            "1\0\x01",
            0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL && CHECK_INT(associate->role_count, 1))
        CHECK_INT(associate->roles[0].user, 0);
    ldc_associate_free(associate);
}

TEST(more_classes_than_contexts_can_be_are_invalid)
{
    static char item[] = "\x54\0\0\x07\0\x03"
                         "1.1\x01\x01";
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_USER, 207, "\x50\0\0\0", 0);
    for (int i = 0; i < 129; i++) {
        item[6] = (char)('0' + i / 43);
        item[7] = (char)('0' + i / 10 % 10);
        item[8] = (char)('0' + i % 10);
        replace(&pdu, REQUEST_USER + 4, 0, item, 11, REQUEST_USER);
    }
    CHECK_DRAFT(pdu, NULL, 6, "more than 128 SOP classes");
}

TEST(uids_from_a_peer_may_be_padded_and_have_to_be_uids)
{
    static const char *const bad[] = {
        "1.2.840.10008.1..",  "1.2.840/10008.1.1", "1.2.840\\10008.1.1",    "../../etc/passwd1",
        "1.2.840\n10008.1.1", ".2.840.10008.1.1",  "1.2.840.\303\27408.1.1"};
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_CONTEXTS + 12, 17, "1.2.840.10008.1\0\0", 0);
    REPLACE(pdu, REQUEST_CONTEXTS + 33, 17, "1.2.840.10008.1\0 ", 0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL) {
        CHECK_STR(associate->contexts[0].abstract, "1.2.840.10008.1");
        CHECK_STR(associate->contexts[0].transfers.uids[0], "1.2.840.10008.1");
    }
    ldc_associate_free(associate);
    REPLACE(pdu, REQUEST_CONTEXTS + 12, 17,
            "1.2.840\0"
            "10008.1.1",
            0);
    CHECK_DRAFT(pdu, NULL, 6, "at offset 111: the abstract syntax (17 bytes) is no UID");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdu = draft_of(full_request, FULL_REQUEST);
        replace(&pdu, REQUEST_CONTEXTS + 33, 17, bad[i], strlen(bad[i]), 0);
        pdu.bytes[REQUEST_CONTEXTS + 32] = (uint8_t)strlen(bad[i]);
        if (strlen(bad[i]) == 17)
            CHECK_DRAFT(pdu, NULL, 6, "the transfer syntax (17 bytes) is no UID");
        else
            CHECK_DRAFT(pdu, NULL, 6, "at offset");
        pdu = draft_of(full_accept, FULL_ACCEPT);
        replace(&pdu, ACCEPT_CONTEXTS + 12, 17, bad[i], strlen(bad[i]) < 17 ? 16 : 17, 0);
        if (strlen(bad[i]) == 17)
            CHECK_DRAFT(pdu, NULL, 6, "the transfer syntax (17 bytes) is no UID");
    }
}

TEST(a_uid_of_65_characters_is_invalid)
{
    char item[4 + 65];
    draft pdu = draft_of(full_request, FULL_REQUEST);

    memcpy(item, "\x40\0\0\x41", 4);
    memset(item + 4, '1', 65);
    replace(&pdu, REQUEST_CONTEXTS + 29, 0, item, sizeof item, REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "the transfer syntax (65 bytes) is no UID");
}

TEST(titles_with_slash_backslash_and_padding_are_taken_and_control_characters_are_not)
{
    static const char *const good[][2] = {{"../../etc/passwd", "../../etc/passwd"},
                                          {"A\\B             ", "A\\B"},
                                          {"  SPACES AROUND ", "SPACES AROUND"},
                                          {"                ", ""},
                                          {"'; rm -rf / #`$X", "'; rm -rf / #`$X"}};
    draft pdu = draft_of(full_request, FULL_REQUEST);

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        memcpy(pdu.bytes + 10, good[i][0], 16);
        ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
        if (associate != NULL)
            CHECK_STR(ldc_associate_title(associate, true), good[i][1]);
        ldc_associate_free(associate);
    }
    memcpy(pdu.bytes + 10, "PADDED\0\0\0\0\0\0\0\0\0\0", 16);
    ldc_associate *padded = decode_good(pdu.bytes, pdu.length, NULL);
    if (padded != NULL)
        CHECK_STR(padded->called, "PADDED");
    ldc_associate_free(padded);
    memcpy(pdu.bytes + 10, "A\0B             ", 16);
    CHECK_DRAFT(pdu, NULL, 6, "at offset 11: the called AE title has the character 00H");
    memcpy(pdu.bytes + 10, "ARCHIVE         ", 16);
    memcpy(pdu.bytes + 26, "SCU\n            ", 16);
    CHECK_DRAFT(pdu, NULL, 6, "at offset 29: the calling AE title has the character 0AH");
    memcpy(pdu.bytes + 26, "SC\xDC             ", 16);
    CHECK_DRAFT(pdu, NULL, 6, "the character DCH");
}

TEST(titles_in_an_accept_are_not_tested)
{
    draft pdu = draft_of(full_accept, FULL_ACCEPT);

    memset(pdu.bytes + 10, 0xEE, 64);
    memcpy(pdu.bytes + 26, "SCU             ", 16);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL) {
        CHECK_STR(ldc_associate_title(associate, true), "");
        CHECK_STR(ldc_associate_title(associate, false), "SCU");
    }
    ldc_associate_free(associate);
}

TEST(version_names_are_cut_to_16_characters_and_classes_may_be_words)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_USER, 207,
            "\x50\0\0\x26"
            "\x52\0\0\x0A"
            "1.2.xxxx.3"
            "\x55\0\0\x14"
            "ABC                X",
            0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL) {
        CHECK_STR(associate->implementation_class, "1.2.xxxx.3");
        CHECK_STR(associate->implementation_version, "ABC");
    }
    ldc_associate_free(associate);
    REPLACE(pdu, REQUEST_USER, pdu.length - REQUEST_USER,
            "\x50\0\0\x06"
            "\x55\0\0\x02"
            "A\x07",
            0);
    CHECK_DRAFT(pdu, NULL, 6, "implementation version name has the character 07H");
    REPLACE(pdu, REQUEST_USER, pdu.length - REQUEST_USER,
            "\x50\0\0\x06"
            "\x52\0\0\x02"
            "A\x07",
            0);
    CHECK_DRAFT(pdu, NULL, 6, "implementation class UID has the character 07H");
}

TEST(a_pdu_of_another_type_or_past_the_limit_is_refused)
{
    ldc_pdu_fault fault = {0};
    ldc_associate *associate = NULL;
    draft pdu = draft_of(full_request, FULL_REQUEST);

    CHECK(!ldc_pdu_decode_associate(pdu.bytes, pdu.length, 430, NULL, &associate, &fault));
    CHECK_INT(fault.code, DICOM_ERROR_PDU_TOO_LONG);
    CHECK_INT(fault.reason, 6);
    CHECK(ldc_pdu_decode_associate(pdu.bytes, pdu.length, 431, NULL, &associate, &fault));
    ldc_associate_free(associate);
    pdu.bytes[0] = 4;
    check_fault(pdu.bytes, pdu.length, NULL, DICOM_ERROR_PDU_UNEXPECTED, 2, "a P-DATA-TF");
    check_fault("\x05\0\0\0\0\x04\0\0\0\0", 10, NULL, DICOM_ERROR_PDU_UNEXPECTED, 2,
                "an A-RELEASE-RQ");
    check_fault("\x09\0\0\0\0\x04\0\0\0\0", 10, NULL, DICOM_ERROR_PDU_INVALID, 1, "09H");
}

TEST(big_user_information_is_read_within_bounds)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);
    uint8_t *user = malloc(4 + 65535);

    if (!CHECK(user != NULL))
        return;
    memset(user, 0, 4 + 65535); /* 16383 empty sub-items of type 0 and three bytes */
    memcpy(user, "\x50\0\xFF\xFF", 4);
    replace(&pdu, REQUEST_USER, 207, user, 4 + 65535, 0);
    CHECK_DRAFT(pdu, NULL, 6, "the user information ends 3 bytes after its last item");
    memcpy(user, "\x50\0\xFF\xFC", 4);
    replace(&pdu, REQUEST_USER, 4 + 65535, user, 4 + 65532, 0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL)
        CHECK_INT(associate->item_count, 16383);
    ldc_associate_free(associate);
    free(user);
}

/* ---- what cannot be sent ---- */

TEST(titles_that_the_wire_has_no_room_for_are_refused_on_sending)
{
    ldc_associate *pdu = minimal(true);

    CHECK_INT(L_DicomSetCalled(pdu, "12345678901234567"), 0);
    check_not_encoded(pdu, NULL, "called AE title \"12345678901234567\" has 17 characters");
    CHECK_INT(L_DicomSetCalled(pdu, ""), 0);
    check_not_encoded(pdu, NULL, "the called AE title is empty; set Called");
    CHECK_INT(L_DicomSetCalled(pdu, "1234567890123456"), 0);
    CHECK_INT(L_DicomSetCalling(pdu, "A\\B"), 0);
    check_not_encoded(pdu, NULL, "the calling AE title has a backslash at position 2");
    CHECK_INT(L_DicomSetCalling(pdu, "AB\x01"), 0);
    check_not_encoded(pdu, NULL, "the calling AE title has a control");
    CHECK_INT(L_DicomSetCalling(pdu, "\xC3\x9C"), 0);
    check_not_encoded(pdu, NULL, "position 1");
    ldc_associate_free(pdu);
}

TEST(a_request_needs_contexts_with_transfer_syntaxes)
{
    ldc_associate *pdu = minimal(true);

    CHECK_INT(L_DicomAddPresentation(pdu, 3, 0, CT_STORAGE), 0);
    check_not_encoded(pdu, NULL, "context 3 has no transfer syntax; add one with AddTransfer");
    CHECK_INT(L_DicomDeletePresentation(pdu, 3), 0);
    CHECK_INT(L_DicomDeletePresentation(pdu, 1), 0);
    check_not_encoded(pdu, NULL, "no presentation context");
    ldc_associate_free(pdu);
}

TEST(items_longer_than_their_length_field_are_refused)
{
    static uint8_t bytes[65535];
    ldc_associate *pdu = minimal(true);

    CHECK_INT(L_DicomAddUserInformation(pdu, 0x60, bytes, 65535), 0);
    check_not_encoded(pdu, NULL, "the user information");
    ldc_associate_free(pdu);
    pdu = minimal(true);
    for (int i = 0; i < 4000; i++) {
        CHECK_INT(L_DicomAddTransfer(pdu, 1, IMPLICIT), 0);
    }
    check_not_encoded(pdu, NULL, "too many transfer syntaxes");
    ldc_associate_free(pdu);
}

TEST(a_pdu_past_the_writers_limit_is_refused)
{
    ldc_associate *pdu = minimal(true);
    ldc_writer writer;

    ldc_writer_init(&writer, 100);
    CHECK_INT(ldc_pdu_encode_associate(pdu, NULL, &writer), DICOM_ERROR_PARAMETER);
    ldc_writer_free(&writer);
    ldc_associate_free(pdu);
}

/* ---- accepts that answer a request ---- */

TEST(a_rejected_context_without_transfer_syntax_gets_one_on_the_wire)
{
    ldc_associate *pdu = minimal(false);
    ldc_writer writer;

    CHECK_INT(L_DicomAddPresentation(pdu, 3, PDU_ACCEPT_RESULT_ABSTRACT_SYNTAX, CT_STORAGE), 0);
    ldc_writer_init(&writer, 1 << 20);
    CHECK_INT(ldc_pdu_encode_associate(pdu, NULL, &writer), DICOM_SUCCESS);
    ldc_associate *again = decode_good(writer.bytes, writer.length, NULL);
    if (again != NULL) {
        CHECK_INT(again->contexts[1].result, PDU_ACCEPT_RESULT_ABSTRACT_SYNTAX);
        CHECK_STR(again->contexts[1].transfers.uids[0], IMPLICIT);
    }
    CHECK_INT(L_DicomSetResult(pdu, 3, PDU_ACCEPT_RESULT_SUCCESS), 0);
    check_not_encoded(pdu, NULL, "context 3 is accepted and has no transfer syntax");
    ldc_associate_free(again);
    ldc_writer_free(&writer);
    ldc_associate_free(pdu);
}

TEST(an_accept_repeats_the_requests_bytes_and_answers_all_contexts)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);
    ldc_associate *accept = ldc_associate_create(false);
    ldc_writer writer;

    memcpy(pdu.bytes + 10, "  ARCHIVE\0\0\0\0\0\0\0", 16);
    memset(pdu.bytes + 42, 0xEE, 32);
    ldc_associate *request = decode_good(pdu.bytes, pdu.length, NULL);
    CHECK_INT(L_DicomSetCalled(accept, "ARCHIVE"), 0); /* as the program does; calling left empty */
    CHECK_INT(L_DicomAddPresentation(accept, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddTransfer(accept, 3, IMPLICIT), 0);
    CHECK_INT(L_DicomAddTransfer(accept, 3, EXPLICIT), 0); /* of these the first is sent */
    ldc_writer_init(&writer, 1 << 20);
    CHECK_INT(ldc_pdu_encode_associate(accept, request, &writer), DICOM_SUCCESS);
    CHECK_INT(memcmp(writer.bytes + 10, pdu.bytes + 10, 64), 0);
    ldc_associate *again = decode_good(writer.bytes, writer.length, request);
    if (again != NULL && CHECK_INT(again->context_count, 2)) {
        CHECK_INT(again->contexts[0].id, 3);
        CHECK_INT(again->contexts[0].transfers.count, 1);
        CHECK_STR(again->contexts[0].transfers.uids[0], IMPLICIT);
        CHECK_INT(again->contexts[1].id, 1);
        CHECK_INT(again->contexts[1].result, PDU_ACCEPT_RESULT_PROVIDER_REJECT);
    }
    CHECK_INT(L_DicomSetCalled(accept, "OTHER"), 0); /* the program's word counts */
    ldc_writer_free(&writer);
    CHECK_INT(ldc_pdu_encode_associate(accept, request, &writer), DICOM_SUCCESS);
    CHECK_INT(memcmp(writer.bytes + 10, "OTHER           SCU             ", 32), 0);
    CHECK_INT(L_DicomAddPresentation(accept, 9, PDU_ACCEPT_RESULT_USER_REJECT, ""), 0);
    check_not_encoded(accept, request, "presentation context 9 is not in the request");
    CHECK_INT(L_DicomDeletePresentation(accept, 9), 0);
    CHECK_INT(L_DicomDeletePresentation(accept, 3), 0);
    CHECK_INT(L_DicomAddPresentation(accept, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddTransfer(accept, 3, EXPLICIT), 0);
    check_not_encoded(accept, request, "1.2.840.10008.1.2.1, which was not proposed");
    ldc_associate_free(again);
    ldc_writer_free(&writer);
    ldc_associate_free(accept);
    ldc_associate_free(request);
}

TEST(a_request_reset_to_an_accept_repeats_the_bytes_too)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);
    ldc_writer writer;

    memset(pdu.bytes + 42, 0xEE, 32);
    ldc_associate *request = decode_good(pdu.bytes, pdu.length, NULL);
    ldc_associate *accept = ldc_associate_clone(request);
    ldc_associate_reset(accept, false);
    ldc_writer_init(&writer, 1 << 20);
    CHECK_INT(ldc_pdu_encode_associate(accept, request, &writer), DICOM_SUCCESS);
    CHECK_INT(memcmp(writer.bytes + 10, pdu.bytes + 10, 64), 0);
    ldc_writer_free(&writer);
    ldc_associate_free(accept);
    ldc_associate_free(request);
}

TEST(the_public_functions_encode_and_decode)
{
    uint8_t bytes[600];
    L_UINT length = 0;
    HDICOMPDU request = L_DicomDecodeAssociate((const L_UCHAR *)full_request, FULL_REQUEST, NULL);

    CHECK(request != NULL);
    CHECK_INT(L_DicomEncodeAssociate(request, NULL, NULL, &length), 0);
    CHECK_INT(length, FULL_REQUEST);
    length = FULL_REQUEST - 1;
    CHECK_INT(L_DicomEncodeAssociate(request, NULL, bytes, &length), DICOM_ERROR_PARAMETER);
    CHECK_INT(length, FULL_REQUEST);
    CHECK_INT(L_DicomEncodeAssociate(request, NULL, bytes, &length), 0);
    CHECK_INT(memcmp(bytes, full_request, FULL_REQUEST), 0);
    CHECK_INT(L_DicomEncodeAssociate(request, NULL, bytes, NULL), DICOM_ERROR_PARAMETER);
    HDICOMPDU accept = L_DicomDecodeAssociate((const L_UCHAR *)full_accept, FULL_ACCEPT, request);
    CHECK_INT(L_DicomFindAbstract(accept, CT_STORAGE), 3);
    CHECK(L_DicomDecodeAssociate((const L_UCHAR *)full_accept, FULL_ACCEPT - 1, NULL) == NULL);
    CHECK_INT(L_DicomGetLastError(), DICOM_ERROR_PDU_INVALID);
    CHECK(strstr(L_DicomGetLastErrorText(), "A PDU is malformed: at offset 2") != NULL);
    CHECK(L_DicomDecodeAssociate(NULL, 0, NULL) == NULL);
    L_DicomFreeAssociate(accept);
    L_DicomFreeAssociate(request);
}
