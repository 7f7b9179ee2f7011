/* Unit tests of the PDU coders (ldc_pdu.h): what is sent, what cannot be, answers to requests. */
#include "pdu_fixture.h"

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
