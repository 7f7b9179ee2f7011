/* Unit tests of command sets (ldc_command.h): what is refused, and in which words. */
#include "command_vectors.h"

TEST(a_command_set_cut_anywhere_is_refused)
{
    size_t i, cut, length;

    for (i = 0; i <= VECTORS; i++) {
        uint8_t *bytes = bytes_of(i < VECTORS ? vectors[i] : everything_else, &length);

        for (cut = 0; cut < length; cut++) {
            uint8_t *shorter = malloc(cut > 0 ? cut : 1);
            ldc_command command;
            ldc_command_fault fault = {0, ""};

            memcpy(shorter, bytes, cut);
            CHECK_INT(ldc_command_decode(&command, shorter, cut, &fault),
                      DICOM_ERROR_COMMAND_INVALID);
            CHECK_INT(fault.code, DICOM_ERROR_COMMAND_INVALID);
            CHECK(strncmp(fault.text, "command set: ", 13) == 0);
            CHECK(command.present == 0 && command.others == NULL);
            if (cut > 12) { /* and also if the group length agrees, unless an element ends there */
                shorter[8] = (uint8_t)(cut - 12);
                if (ldc_command_decode(&command, shorter, cut, &fault) == DICOM_SUCCESS)
                    ldc_command_free(&command);
                else
                    CHECK(strstr(fault.text, "group length") == NULL);
            }
            free(shorter);
        }
        free(bytes);
    }
}

static void check_text(const char *vector, const char *sentence)
{
    size_t length;
    uint8_t *bytes = repaired(vector, &length);
    ldc_command command;
    ldc_command_fault fault = {0, ""};
    int good;

    good = CHECK_INT(ldc_command_decode(&command, bytes, length, &fault),
                     sentence[0] == '\0' ? DICOM_SUCCESS : DICOM_ERROR_COMMAND_INVALID);
    good += CHECK_STR(fault.text, sentence);
    if (good != 2)
        printf("    in %.100s\n", vector);
    ldc_command_free(&command);
    free(bytes);
}

#define START "0000 0000 04000000 00000000"

TEST(lengths_that_lie_are_refused_by_name)
{
    check_text(START "0000 0001 FFFFFFFF 0100",
               "command set: (0000,0100) Command Field says 4294967295 bytes, and 2 are left");
    check_text(START "0000 0200 0A000000 '1.2.3.4' 00",
               "command set: (0000,0002) Affected SOP Class UID says 10 bytes, and 8 are left");
    check_text(START "0000 1000 FCFFFFFF 0100",
               "command set: (0000,0010) unknown element says 4294967292 bytes, and 2 are left");
    check_text(START "0000 0001 00000000",
               "command set: (0000,0100) Command Field has 0 bytes, not 2");
    check_text(START "0000 0001 04000000 01000000",
               "command set: (0000,0100) Command Field has 4 bytes, not 2");
    check_text(START "0000 0001 01000000 01",
               "command set: (0000,0100) Command Field has an odd length, 1");
    check_text(START "0000 0510 06000000 100010002000",
               "command set: (0000,1005) Attribute Identifier List has 6 bytes, not a multiple of "
               "4");
    check_text(START "0000 0001 0200", "command set: ends inside the header of an element, at byte "
                                       "12");
}

TEST(a_wrong_group_length_is_refused)
{
    static const int deltas[] = {-56, -10, -1, 1, 2, 10, 255};
    size_t i, length;
    uint8_t *bytes = bytes_of(c_echo_rq, &length);
    ldc_command command;
    ldc_command_fault fault;

    for (i = 0; i < sizeof deltas / sizeof *deltas; i++) {
        uint32_t said = (uint32_t)(0x38 + deltas[i]);

        bytes[8] = (uint8_t)said;
        bytes[9] = (uint8_t)(said >> 8);
        CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_ERROR_COMMAND_INVALID);
    }
    CHECK_STR(fault.text, "command set: the group length says that 311 bytes follow, and 56 do");
    free(bytes);
    check_text("0000 0001 02000000 0100 0000 0000 04000000 00000000",
               "command set: does not begin with (0000,0000), the group length");
    check_text("0000 0000 02000000 00000000",
               "command set: does not begin with (0000,0000), the group length");
    CHECK_INT(ldc_command_decode(&command, NULL, 0, &fault), DICOM_ERROR_COMMAND_INVALID);
    CHECK_STR(fault.text, "command set: 0 bytes are too few for a group length");
    check_text(START, ""); /* nothing but a group length is well-formed */
}

TEST(tags_that_do_not_ascend_and_other_groups_are_refused)
{
    check_text(START "0000 1001 02000000 0100 0000 0001 02000000 0100",
               "command set: (0000,0100) after (0000,0110): tags do not ascend");
    check_text(START "0000 0001 02000000 0100 0000 0001 02000000 0100",
               "command set: (0000,0100) after (0000,0100): tags do not ascend");
    check_text(START "0000 0000 04000000 00000000",
               "command set: (0000,0000) after (0000,0000): tags do not ascend");
    check_text(START "0000 1000 00000000 0000 1000 00000000",
               "command set: (0000,0010) after (0000,0010): tags do not ascend");
    check_text(START "0000 0001 02000000 0100 0800 1800 02000000 '1' 00",
               "command set: (0008,0018) does not belong into a command set");
    check_text(START "0100 0001 02000000 0100",
               "command set: (0001,0100) does not belong into a command set");
}

TEST(uids_are_digits_with_single_dots_between)
{
    static const char *const good[] = {
        "0",
        "1",
        "1.2",
        "1.02.3", /* in the field */
        "1.2.840.10008.1.2.1",
        "1234567890.123456789.123456789.123456789.123456789.1234567890123",
    };
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "1.",
        ".1",
        "1..2",
        "1.2.",
        "1.a",
        "1/2",
        "1\\2",
        "1 2",
        " 1.2",
        "1.2\n",
        "../../etc/passwd",
        "1.2.\xC3\xA9",
        "-1",
        "1234567890.123456789.123456789.123456789.123456789.12345678901234",
    };
    size_t i;

    for (i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(ldc_command_is_uid(good[i]));
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!CHECK(!ldc_command_is_uid(bad[i])))
            printf("    \"%s\"\n", bad[i]);
    }
    check_text(START "0000 0200 04000000 '1.2' 00", "");
    check_text(START "0000 0200 04000000 '1.2 '", ""); /* in the field */
    check_text(START "0000 0200 00000000", "");
    check_text(START "0000 0200 04000000 '1.' 0000",
               "command set: (0000,0002) Affected SOP Class UID is no UID: '1.?\?' (4 bytes)");
    check_text(START "0000 0200 04000000 '1' 00 '22'",
               "command set: (0000,0002) Affected SOP Class UID is no UID: '1?22' (4 bytes)");
    check_text(START "0000 0010 06000000 '../../'",
               "command set: (0000,1000) Affected SOP Instance UID is no UID: '../../' (6 bytes)");
    check_text(START "0000 0110 42000000 '1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9"
                     ".0.1.2.3' 00",
               "command set: (0000,1001) Requested SOP Instance UID is no UID: '1.2.3.4.5.6.7.8.9.0"
               ".1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3?' (66 bytes)");
}

TEST(ae_titles_are_printable_ascii_without_backslash)
{
    static const char *const good[] = {"A", "STORE_SCP", "A/B", "..", "0123456789ABCDEF", " A B "};
    static const char *const bad[] = {"", " ", "A\\B", "A\n", "\x7F", "A\xE9", "0123456789ABCDEFG"};
    size_t i, length;
    uint8_t *bytes;
    ldc_command command;
    ldc_command_fault fault;

    for (i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(ldc_command_is_ae(good[i]));
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!ldc_command_is_ae(bad[i]));

    bytes = repaired(START "0000 0006 0A000000 '  A B     '", &length);
    CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_SUCCESS);
    CHECK_STR(command.move_destination, "A B");
    ldc_command_free(&command);
    free(bytes);
    check_text(START "0000 0006 00000000", "");
    check_text(START "0000 0006 10000000 '                '", "");
    check_text(START "0000 0006 04000000 'AB' 0000",
               "command set: (0000,0600) Move Destination is no AE title: 'AB?\?' (4 bytes)");
    check_text(START "0000 3010 04000000 'A\\B '",
               "command set: (0000,1030) Move Originator Application Entity Title is no AE title: "
               "'A\\B ' (4 bytes)");
    check_text(START "0000 0006 12000000 'A                 '",
               "command set: (0000,0600) Move Destination is no AE title: 'A                 ' (18 "
               "bytes)");
}

TEST(no_command_set_is_longer_than_the_limit)
{
    size_t length = LDC_COMMAND_LIMIT, i;
    uint8_t *bytes = calloc(1, length + 2);
    uint8_t *again;
    uint32_t *tags;
    ldc_command command;
    ldc_command_fault fault = {0, ""};
    size_t value = length - 12 - 8;

    if (!CHECK(bytes != NULL))
        return;
    bytes[4] = 4;
    bytes[8] = (uint8_t)(length - 12);
    bytes[9] = (uint8_t)((length - 12) >> 8);
    bytes[14] = 0x10;
    bytes[16] = (uint8_t)value;
    bytes[17] = (uint8_t)(value >> 8);
    if (CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_SUCCESS)) {
        again = ldc_command_encode(&command, &i, &fault);
        CHECK(again != NULL && i == length && memcmp(again, bytes, length) == 0);
        free(again);
        command.present = LDC_HAS_STATUS; /* 10 bytes too many */
        CHECK(ldc_command_encode(&command, &i, &fault) == NULL);
        CHECK_STR(fault.text, "a command set of more than 65536 bytes");
        CHECK_INT(i, 0);
    }
    ldc_command_free(&command);
    bytes[8] = (uint8_t)(length - 10);
    bytes[16] = (uint8_t)(value + 2);
    CHECK_INT(ldc_command_decode(&command, bytes, length + 2, &fault), DICOM_ERROR_COMMAND_INVALID);
    CHECK_STR(fault.text, "command set: 65538 bytes, more than the limit of 65536");
    free(bytes);

    tags = calloc(20000, sizeof *tags);
    CHECK_INT(ldc_command_n_get_rq(&command, 1, "1.2", "1.2.3", tags, 20000, &fault),
              DICOM_SUCCESS);
    CHECK(ldc_command_encode(&command, &i, &fault) == NULL);
    CHECK_STR(fault.text, "(0000,1005) Attribute Identifier List: 20000 tags are too many");
    ldc_command_free(&command);
    free(tags);
}

TEST(values_that_do_not_fit_are_not_written)
{
    ldc_command command;
    ldc_command_fault fault;
    size_t length;

    ldc_command_init(&command);
    command.present = LDC_HAS_AFFECTED_CLASS;
    memset(command.affected_class, '1', sizeof command.affected_class); /* no NUL */
    CHECK(ldc_command_encode(&command, &length, &fault) == NULL);
    CHECK_STR(fault.text, "(0000,0002) Affected SOP Class UID is no UID");
    command.present = LDC_HAS_MOVE_DESTINATION;
    memset(command.move_destination, 'A', sizeof command.move_destination);
    CHECK(ldc_command_encode(&command, &length, &fault) == NULL);
    CHECK_STR(fault.text, "(0000,0600) Move Destination is no AE title");
    ldc_command_free(&command);
}

TEST(an_error_comment_is_cut_to_what_lo_allows)
{
    char text[100];
    ldc_command command;
    uint8_t bytes[12 + 8 + 400] = {0, 0, 0, 0, 4, 0, 0, 0, 0x98, 1, 0, 0, 0, 0, 2, 9, 0x90, 1};
    ldc_command_fault fault;

    ldc_command_init(&command);
    ldc_command_set_comment(&command, "no \xC3\xA9t\xC3\xA9\nC:\\x");
    CHECK_STR(command.error_comment, "no ?t??C:?x");
    CHECK_INT(command.present, LDC_HAS_ERROR_COMMENT);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    ldc_command_set_comment(&command, text);
    CHECK_INT(strlen(command.error_comment), 64);
    ldc_command_set_comment(&command, "");
    CHECK_INT(command.present, 0);
    ldc_command_set_comment(&command, NULL);
    CHECK_INT(command.present, 0);

    memset(bytes + 20, 'y', 400);
    CHECK_INT(ldc_command_decode(&command, bytes, sizeof bytes, &fault), DICOM_SUCCESS);
    CHECK_INT(strlen(command.error_comment), 256);
    ldc_command_free(&command);
}

/* Takes each element out of each vector in turn; what is mandatory has to be named. */
TEST(a_missing_mandatory_element_is_named_with_its_tag_and_message)
{
    size_t i, length;
    unsigned bit;

    for (i = 0; i < VECTORS; i++) {
        uint8_t *bytes = bytes_of(vectors[i], &length);
        uint32_t found = 0;

        for (bit = 0; bit < 23; bit++) {
            ldc_command command;
            ldc_command_fault fault = {0, ""};

            CHECK_INT(ldc_command_decode(&command, bytes, length, &fault), DICOM_SUCCESS);
            if (command.present & 1u << bit) {
                command.present &= ~(1u << bit);
                if (ldc_command_check(&command, &fault) != DICOM_SUCCESS) {
                    const char *name = bit == 2 ? "the command set lacks (0000,0100) Command Field"
                                                : ldc_command_name(command.field);

                    CHECK_INT(fault.code, DICOM_ERROR_COMMAND_INVALID);
                    CHECK(strncmp(fault.text, name, strlen(name)) == 0);
                    CHECK(strstr(fault.text, " lacks (0000,") != NULL);
                    found |= 1u << bit;
                }
            }
            ldc_command_free(&command);
        }
        CHECK_INT(found & (LDC_HAS_FIELD | LDC_HAS_DATA_SET_TYPE),
                  LDC_HAS_FIELD | LDC_HAS_DATA_SET_TYPE);
        CHECK((found & (LDC_HAS_MESSAGE_ID | LDC_HAS_RESPONDED_ID)) != 0);
        CHECK((found & (LDC_HAS_ATTRIBUTES | LDC_HAS_ORIGINATOR | LDC_HAS_COMPLETED)) == 0);
        free(bytes);
    }
}

TEST(check_names_all_that_is_missing_or_empty)
{
    ldc_command command;
    ldc_command_fault fault;

    ldc_command_init(&command);
    command.present = LDC_HAS_FIELD | LDC_HAS_AFFECTED_CLASS;
    command.field = COMMAND_C_STORE;
    CHECK_INT(ldc_command_check(&command, &fault), DICOM_ERROR_COMMAND_INVALID);
    CHECK_STR(fault.text,
              "C-STORE-RQ lacks (0000,0002) Affected SOP Class UID, (0000,0110) Message ID, "
              "(0000,0700) Priority, (0000,0800) Command Data Set Type, "
              "(0000,1000) Affected SOP Instance UID");
    command.field = 0x1234;
    CHECK_INT(ldc_command_check(&command, &fault), DICOM_ERROR_COMMAND_INVALID);
    CHECK_STR(fault.text, "(0000,0100) Command Field: 0x1234 is unknown");
    CHECK_STR(ldc_command_name(0x1234), "unknown command");
    CHECK_STR(ldc_command_name(0x8FFF), "unknown command"); /* C-CANCEL has no response */
    command.present = LDC_HAS_FIELD | LDC_HAS_RESPONDED_ID | LDC_HAS_DATA_SET_TYPE;
    command.field = COMMAND_C_CANCEL;
    command.data_set_type = 0x0102;
    CHECK_INT(ldc_command_check(&command, &fault), DICOM_ERROR_COMMAND_INVALID);
    CHECK_STR(fault.text, "C-CANCEL-RQ: (0000,0800) is 0x0102, but this message has no data set");
    command.data_set_type = COMMAND_DATASET_ABSENT;
    CHECK_INT(ldc_command_check(&command, &fault), DICOM_SUCCESS);
    CHECK_STR(ldc_command_element_name(0x0000), "Command Group Length");
    CHECK_STR(ldc_command_element_name(0x4000), "unknown element");
}
