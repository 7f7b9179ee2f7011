/* Unit tests of command sets (ldc_command.h): built, read, written again. */
#include "command_vectors.h"

TEST(requests_and_responses_of_the_c_services_have_the_bytes_of_the_standard)
{
    ldc_command command;
    ldc_command_fault fault;

    CHECK_BUILT(ldc_command_c_store_rq(&command, 7, CT, "1.2.3.4", COMMAND_PRIORITY_LOW, "", 0,
                                       true, &fault),
                c_store_rq);
    CHECK_BUILT(ldc_command_c_store_rq(&command, 7, CT, "1.2.3.4", COMMAND_PRIORITY_MEDIUM, "MOVER",
                                       65535, true, &fault),
                c_store_rq_moved);
    CHECK_BUILT(ldc_command_c_store_rsp(&command, 7, CT, "1.2.3.4", 0xA700, &fault), c_store_rsp);
    CHECK_BUILT(ldc_command_c_find_rq(&command, 258, FIND, COMMAND_PRIORITY_HIGH, true, &fault),
                c_find_rq);
    CHECK_BUILT(ldc_command_c_find_rsp(&command, 258, FIND, COMMAND_STATUS_PENDING, true, &fault),
                c_find_rsp);
    CHECK_BUILT(ldc_command_c_get_rq(&command, 7, "1.2.3", 0, true, &fault), c_get_rq);
    CHECK_BUILT(ldc_command_c_get_rsp(&command, 7, "1.2.3", 0xFF00, 1, 2, 3, 4, false, &fault),
                c_get_rsp);
    CHECK_BUILT(ldc_command_c_move_rq(&command, 7, "1.2.3", 0, "DEST", true, &fault), c_move_rq);
    CHECK_BUILT(ldc_command_c_move_rsp(&command, 7, "1.2.3", 0, 1, 2, 3, 4, false, &fault),
                c_move_rsp);
    CHECK_BUILT(ldc_command_c_cancel_rq(&command, 7, &fault), c_cancel_rq);
    CHECK_BUILT(ldc_command_c_echo_rq(&command, 7, ECHO, &fault), c_echo_rq);
    CHECK_BUILT(ldc_command_c_echo_rsp(&command, 7, ECHO, 0, &fault), c_echo_rsp);
}

TEST(requests_and_responses_of_the_n_services_have_the_bytes_of_the_standard)
{
    static const uint32_t attributes[] = {0x00100010, 0x7FE10010};
    const char *const class_uid = "1.2.3", *const instance = "1.2.3.4";
    ldc_command command;
    ldc_command_fault fault;

    CHECK_BUILT(ldc_command_n_event_report_rq(&command, 7, class_uid, instance, 2, true, &fault),
                n_event_report_rq);
    CHECK_BUILT(
        ldc_command_n_event_report_rsp(&command, 7, class_uid, instance, 0x0110, 2, false, &fault),
        n_event_report_rsp);
    CHECK_BUILT(ldc_command_n_get_rq(&command, 7, class_uid, instance, attributes, 2, &fault),
                n_get_rq);
    CHECK_BUILT(ldc_command_n_get_rsp(&command, 7, class_uid, instance, 0, true, &fault),
                n_get_rsp);
    CHECK_BUILT(ldc_command_n_set_rq(&command, 7, class_uid, instance, true, &fault), n_set_rq);
    CHECK_BUILT(ldc_command_n_set_rsp(&command, 7, class_uid, instance, 0x0106, false, &fault),
                n_set_rsp);
    CHECK_BUILT(ldc_command_n_action_rq(&command, 7, class_uid, instance, 1, true, &fault),
                n_action_rq);
    CHECK_BUILT(ldc_command_n_action_rsp(&command, 7, class_uid, instance, 0, 1, false, &fault),
                n_action_rsp);
    CHECK_BUILT(ldc_command_n_create_rq(&command, 7, class_uid, NULL, true, &fault), n_create_rq);
    CHECK_BUILT(ldc_command_n_create_rsp(&command, 7, class_uid, instance, 0, true, &fault),
                n_create_rsp);
    CHECK_BUILT(ldc_command_n_delete_rq(&command, 7, class_uid, instance, &fault), n_delete_rq);
    CHECK_BUILT(ldc_command_n_delete_rsp(&command, 7, class_uid, instance, 0x0112, &fault),
                n_delete_rsp);
}

TEST(remaining_goes_out_only_while_pending_or_cancelled)
{
    static const uint16_t statuses[] = {0x0000, 0xFF00, 0xFF01, 0xFE00, 0xB000, 0xA702, 0xC001};
    ldc_command command;
    ldc_command_fault fault;
    size_t i;

    for (i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        CHECK_INT(
            ldc_command_c_move_rsp(&command, 1, "1.2", statuses[i], 9, 0, 0, 0, false, &fault),
            DICOM_SUCCESS);
        CHECK_INT((command.present & LDC_HAS_REMAINING) != 0, statuses[i] >= 0xFE00);
        CHECK_INT(command.remaining, statuses[i] >= 0xFE00 ? 9 : 0);
        ldc_command_free(&command);
    }
}

TEST(responses_may_leave_class_and_instance_out)
{
    ldc_command command;
    ldc_command_fault fault;

    CHECK_INT(ldc_command_c_store_rsp(&command, 1, "", NULL, 0, &fault), DICOM_SUCCESS);
    CHECK_INT(command.present,
              LDC_HAS_FIELD | LDC_HAS_RESPONDED_ID | LDC_HAS_DATA_SET_TYPE | LDC_HAS_STATUS);
    ldc_command_free(&command);
}

TEST(builders_refuse_what_is_missing_or_not_of_its_vr)
{
    const char *const long_uid =
        "1.23456789.123456789.123456789.123456789.123456789.123456789.1234";
    ldc_command command;
    ldc_command_fault fault;

#define CHECK_REFUSED(call, error, sentence)                                                       \
    do {                                                                                           \
        fault = (ldc_command_fault){0, ""};                                                        \
        CHECK_INT(call, error);                                                                    \
        CHECK_INT(fault.code, error);                                                              \
        CHECK_STR(fault.text, sentence);                                                           \
        CHECK_INT(command.present, 0);                                                             \
    } while (0)

    CHECK_REFUSED(ldc_command_c_echo_rq(&command, 1, "", &fault), DICOM_ERROR_PARAMETER,
                  "C-ECHO-RQ lacks (0000,0002) Affected SOP Class UID");
    CHECK_REFUSED(ldc_command_c_store_rq(&command, 1, NULL, "", 0, NULL, 0, true, &fault),
                  DICOM_ERROR_PARAMETER,
                  "C-STORE-RQ lacks (0000,0002) Affected SOP Class UID, "
                  "(0000,1000) Affected SOP Instance UID");
    CHECK_REFUSED(ldc_command_c_store_rq(&command, 1, CT, "../x", 0, NULL, 0, true, &fault),
                  DICOM_ERROR_PARAMETER, "C-STORE-RQ: not a UID: ../x");
    CHECK_INT(strlen(long_uid), 65);
    CHECK_REFUSED(ldc_command_n_delete_rq(&command, 1, "1.2", long_uid, &fault),
                  DICOM_ERROR_PARAMETER,
                  "N-DELETE-RQ: not a UID: "
                  "1.23456789.123456789.123456789.123456789.123456789.123456789.1234");
    CHECK_REFUSED(ldc_command_c_move_rq(&command, 1, "1.2", 0, "A\\B", true, &fault),
                  DICOM_ERROR_PARAMETER, "C-MOVE-RQ: not an AE title: A\\B");
    CHECK_REFUSED(ldc_command_c_move_rq(&command, 1, "1.2", 0, "", true, &fault),
                  DICOM_ERROR_PARAMETER, "C-MOVE-RQ lacks (0000,0600) Move Destination");
    CHECK_REFUSED(ldc_command_c_store_rq(&command, 1, CT, "1.2", 0, "", 0, false, &fault),
                  DICOM_ERROR_DATA_SET_MISSING, "C-STORE-RQ needs a data set");
    CHECK_REFUSED(ldc_command_c_find_rsp(&command, 1, FIND, 0xFF01, false, &fault),
                  DICOM_ERROR_DATA_SET_MISSING, "C-FIND-RSP needs a data set");
    CHECK_INT(ldc_command_c_find_rsp(&command, 1, FIND, 0x0000, false, &fault), DICOM_SUCCESS);
    ldc_command_free(&command);
}

TEST(what_was_read_is_written_again_byte_for_byte)
{
    size_t i, length;

    for (i = 0; i <= VECTORS; i++) {
        const char *vector = i < VECTORS ? vectors[i] : everything_else;
        uint8_t *bytes = bytes_of(vector, &length);
        ldc_command command;
        ldc_command_fault fault = {0, ""};

        CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_SUCCESS);
        CHECK_STR(fault.text, "");
        free(bytes); /* not needed any more */
        check_bytes(&command, vector);
        if (i < VECTORS)
            CHECK_INT(ldc_command_check(&command, &fault), DICOM_SUCCESS);
        ldc_command_free(&command);
    }
}

TEST(every_member_is_read)
{
    size_t length;
    uint8_t *bytes = bytes_of(c_store_rq_moved, &length);
    ldc_command command;
    ldc_command_fault fault;

    CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_SUCCESS);
    CHECK_STR(command.affected_class, CT);
    CHECK_STR(command.affected_instance, "1.2.3.4");
    CHECK_STR(command.originator, "MOVER");
    CHECK_INT(command.originator_id, 65535);
    CHECK_INT(command.field, COMMAND_C_STORE);
    CHECK_INT(command.message_id, 7);
    CHECK_INT(command.priority, COMMAND_PRIORITY_MEDIUM);
    CHECK(ldc_command_has_data(&command));
    CHECK_STR(ldc_command_class(&command), CT);
    CHECK_STR(ldc_command_instance(&command), "1.2.3.4");
    CHECK_INT(ldc_command_id(&command), 7);
    ldc_command_free(&command);
    free(bytes);

    bytes = bytes_of(n_get_rq, &length);
    CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_SUCCESS);
    CHECK_STR(ldc_command_class(&command), "1.2.3");
    CHECK_STR(ldc_command_instance(&command), "1.2.3.4");
    CHECK_INT(command.attributes.count, 2);
    CHECK_INT(command.attributes.tags[0], 0x00100010);
    CHECK_INT(command.attributes.tags[1], 0x7FE10010);
    CHECK(!ldc_command_has_data(&command));
    ldc_command_free(&command);
    free(bytes);

    bytes = bytes_of(everything_else, &length);
    CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_SUCCESS);
    CHECK_INT(command.offending.count, 1);
    CHECK_INT(command.offending.tags[0], 0x00100020);
    CHECK_STR(command.error_comment, "out of paper");
    CHECK_INT(command.error_id, 5);
    CHECK_INT(command.others_length, 12 + 8 + 14 + 10);
    CHECK(!ldc_command_has_data(&command)); /* not said is not there */
    ldc_command_free(&command);
    free(bytes);

    bytes = bytes_of(c_move_rsp, &length);
    CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_SUCCESS);
    CHECK_INT(command.completed * 100 + command.failed * 10 + command.warning, 234);
    CHECK_INT(command.remaining, 0);
    CHECK_INT(ldc_command_id(&command), 7);
    ldc_command_free(&command);
    free(bytes);
}
