/* Unit tests of the PDU coders (ldc_pdu.h): small PDUs, headers, the full vectors, damage. */
#include "pdu_fixture.h"

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
