/*
 * Unit tests of command sets (ldc_command.h).
 *
 * The vectors were typed by hand from PS3.7 §9.3, §10.3 and Annex E, one element a line: hex, and
 * text in quotes. tests/dicom/test_command_sets.py reads them here and compares with pynetdicom.
 */
#include "ldc_command.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ltdic.h"
#include "unit.h"

#define CT                "1.2.840.10008.5.1.4.1.1.2"
#define FIND              "1.2.840.10008.5.1.4.1.2.2.1"
#define ECHO              "1.2.840.10008.1.1"
#define VECTOR(name, hex) static const char name[] = hex

/* clang-format off */

VECTOR(c_store_rq,
       "0000 0000 04000000 5A000000"
       "0000 0200 1A000000 '1.2.840.10008.5.1.4.1.1.2' 00"
       "0000 0001 02000000 0100"
       "0000 1001 02000000 0700"
       "0000 0007 02000000 0200"
       "0000 0008 02000000 0100"
       "0000 0010 08000000 '1.2.3.4' 00");
VECTOR(c_store_rq_moved,
       "0000 0000 04000000 72000000"
       "0000 0200 1A000000 '1.2.840.10008.5.1.4.1.1.2' 00"
       "0000 0001 02000000 0100"
       "0000 1001 02000000 0700"
       "0000 0007 02000000 0000"
       "0000 0008 02000000 0100"
       "0000 0010 08000000 '1.2.3.4' 00"
       "0000 3010 06000000 'MOVER '"
       "0000 3110 02000000 FFFF");
VECTOR(c_store_rsp,
       "0000 0000 04000000 5A000000"
       "0000 0200 1A000000 '1.2.840.10008.5.1.4.1.1.2' 00"
       "0000 0001 02000000 0180"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0009 02000000 00A7"
       "0000 0010 08000000 '1.2.3.4' 00");
VECTOR(c_find_rq,
       "0000 0000 04000000 4C000000"
       "0000 0200 1C000000 '1.2.840.10008.5.1.4.1.2.2.1' 00"
       "0000 0001 02000000 2000"
       "0000 1001 02000000 0201"
       "0000 0007 02000000 0100"
       "0000 0008 02000000 0100");
VECTOR(c_find_rsp,
       "0000 0000 04000000 4C000000"
       "0000 0200 1C000000 '1.2.840.10008.5.1.4.1.2.2.1' 00"
       "0000 0001 02000000 2080"
       "0000 2001 02000000 0201"
       "0000 0008 02000000 0100"
       "0000 0009 02000000 00FF");
VECTOR(c_get_rq,
       "0000 0000 04000000 36000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 1000"
       "0000 1001 02000000 0700"
       "0000 0007 02000000 0000"
       "0000 0008 02000000 0100");
VECTOR(c_get_rsp,
       "0000 0000 04000000 5E000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 1080"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0009 02000000 00FF"
       "0000 2010 02000000 0100"
       "0000 2110 02000000 0200"
       "0000 2210 02000000 0300"
       "0000 2310 02000000 0400");
VECTOR(c_move_rq,
       "0000 0000 04000000 42000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 2100"
       "0000 1001 02000000 0700"
       "0000 0006 04000000 'DEST'"
       "0000 0007 02000000 0000"
       "0000 0008 02000000 0100");
VECTOR(c_move_rsp,
       "0000 0000 04000000 54000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 2180"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0009 02000000 0000"
       "0000 2110 02000000 0200"
       "0000 2210 02000000 0300"
       "0000 2310 02000000 0400");
VECTOR(c_cancel_rq,
       "0000 0000 04000000 1E000000"
       "0000 0001 02000000 FF0F"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101");
VECTOR(c_echo_rq,
       "0000 0000 04000000 38000000"
       "0000 0200 12000000 '1.2.840.10008.1.1' 00"
       "0000 0001 02000000 3000"
       "0000 1001 02000000 0700"
       "0000 0008 02000000 0101");
VECTOR(c_echo_rsp,
       "0000 0000 04000000 42000000"
       "0000 0200 12000000 '1.2.840.10008.1.1' 00"
       "0000 0001 02000000 3080"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0009 02000000 0000");
VECTOR(n_event_report_rq,
       "0000 0000 04000000 46000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 0001"
       "0000 1001 02000000 0700"
       "0000 0008 02000000 0100"
       "0000 0010 08000000 '1.2.3.4' 00"
       "0000 0210 02000000 0200");
VECTOR(n_event_report_rsp,
       "0000 0000 04000000 50000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 0081"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0009 02000000 1001"
       "0000 0010 08000000 '1.2.3.4' 00"
       "0000 0210 02000000 0200");
VECTOR(n_get_rq,
       "0000 0000 04000000 4C000000"
       "0000 0300 06000000 '1.2.3' 00"
       "0000 0001 02000000 1001"
       "0000 1001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0110 08000000 '1.2.3.4' 00"
       "0000 0510 08000000 1000 1000 E17F 1000");
VECTOR(n_get_rsp,
       "0000 0000 04000000 46000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 1081"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0100"
       "0000 0009 02000000 0000"
       "0000 0010 08000000 '1.2.3.4' 00");
VECTOR(n_set_rq,
       "0000 0000 04000000 3C000000"
       "0000 0300 06000000 '1.2.3' 00"
       "0000 0001 02000000 2001"
       "0000 1001 02000000 0700"
       "0000 0008 02000000 0100"
       "0000 0110 08000000 '1.2.3.4' 00");
VECTOR(n_set_rsp,
       "0000 0000 04000000 46000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 2081"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0009 02000000 0601"
       "0000 0010 08000000 '1.2.3.4' 00");
VECTOR(n_action_rq,
       "0000 0000 04000000 46000000"
       "0000 0300 06000000 '1.2.3' 00"
       "0000 0001 02000000 3001"
       "0000 1001 02000000 0700"
       "0000 0008 02000000 0100"
       "0000 0110 08000000 '1.2.3.4' 00"
       "0000 0810 02000000 0100");
VECTOR(n_action_rsp,
       "0000 0000 04000000 50000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 3081"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0009 02000000 0000"
       "0000 0010 08000000 '1.2.3.4' 00"
       "0000 0810 02000000 0100");
VECTOR(n_create_rq,
       "0000 0000 04000000 2C000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 4001"
       "0000 1001 02000000 0700"
       "0000 0008 02000000 0100");
VECTOR(n_create_rsp,
       "0000 0000 04000000 46000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 4081"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0100"
       "0000 0009 02000000 0000"
       "0000 0010 08000000 '1.2.3.4' 00");
VECTOR(n_delete_rq,
       "0000 0000 04000000 3C000000"
       "0000 0300 06000000 '1.2.3' 00"
       "0000 0001 02000000 5001"
       "0000 1001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0110 08000000 '1.2.3.4' 00");
VECTOR(n_delete_rsp,
       "0000 0000 04000000 46000000"
       "0000 0200 06000000 '1.2.3' 00"
       "0000 0001 02000000 5081"
       "0000 2001 02000000 0700"
       "0000 0008 02000000 0101"
       "0000 0009 02000000 1201"
       "0000 0010 08000000 '1.2.3.4' 00");

/* Elements that no builder writes, a private one of the group's end among them. */
VECTOR(everything_else,
       "0000 0000 04000000 60000000"
       "0000 0100 04000000 01020304"
       "0000 0001 02000000 2080"
       "0000 0002 00000000"
       "0000 0109 04000000 1000 2000"
       "0000 0209 0C000000 'out of paper'"
       "0000 0309 02000000 0500"
       "0000 0040 06000000 'ABCDEF'"
       "0000 FFFF 02000000 7F7F");

/* clang-format on */

static const char *const vectors[] = {
    c_store_rq,        c_store_rq_moved,   c_store_rsp, c_find_rq,    c_find_rsp,  c_get_rq,
    c_get_rsp,         c_move_rq,          c_move_rsp,  c_cancel_rq,  c_echo_rq,   c_echo_rsp,
    n_event_report_rq, n_event_report_rsp, n_get_rq,    n_get_rsp,    n_set_rq,    n_set_rsp,
    n_action_rq,       n_action_rsp,       n_create_rq, n_create_rsp, n_delete_rq, n_delete_rsp,
};

enum {
    VECTORS = sizeof vectors / sizeof *vectors
};

static unsigned digit(char character)
{
    const char *found = strchr("0123456789ABCDEF", character);

    return found == NULL ? 0 : (unsigned)(found - "0123456789ABCDEF");
}

/* The bytes of a vector in a block of exactly their number (sanitizers see each byte past it);
 * freed by the caller. */
static uint8_t *bytes_of(const char *vector, size_t *length)
{
    uint8_t *bytes = malloc(strlen(vector) + 1), *exact;
    bool quoted = false;

    *length = 0;
    for (; *vector != '\0'; vector++) {
        if (*vector == '\'')
            quoted = !quoted;
        else if (quoted)
            bytes[(*length)++] = (uint8_t)*vector;
        else if (*vector != ' ') {
            bytes[(*length)++] = (uint8_t)(digit(vector[0]) << 4 | digit(vector[1]));
            vector++;
        }
    }
    exact = realloc(bytes, *length > 0 ? *length : 1);
    return exact != NULL ? exact : bytes;
}

/* Puts the right group length in, for vectors that are about something else. */
static uint8_t *repaired(const char *vector, size_t *length)
{
    uint8_t *bytes = bytes_of(vector, length);
    size_t after = *length - 12;

    bytes[8] = (uint8_t)after;
    bytes[9] = (uint8_t)(after >> 8);
    bytes[10] = (uint8_t)(after >> 16);
    return bytes;
}

static int check_bytes(const ldc_command *command, const char *vector)
{
    ldc_command_fault fault = {0, ""};
    size_t length, wanted_length;
    uint8_t *bytes = ldc_command_encode(command, &length, &fault);
    uint8_t *wanted = bytes_of(vector, &wanted_length);
    int good = CHECK_STR(fault.text, "") && CHECK(bytes != NULL) &&
               CHECK_INT(length, wanted_length) && CHECK(memcmp(bytes, wanted, length) == 0);

    if (!good)
        printf("    in %.60s\n", vector);
    free(bytes);
    free(wanted);
    return good;
}

/* What a builder made; frees it. */
#define CHECK_BUILT(call, vector)                                                                  \
    do {                                                                                           \
        if (CHECK_INT(call, DICOM_SUCCESS)) {                                                      \
            check_bytes(&command, vector);                                                         \
            CHECK_INT(ldc_command_check(&command, &fault), DICOM_SUCCESS);                         \
        }                                                                                          \
        ldc_command_free(&command);                                                                \
    } while (0)

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
