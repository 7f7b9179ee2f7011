/* command_vectors.h - command sets, typed by hand from PS3.7 §9.3, §10.3 and Annex E.
 *
 * One element a line: hex, and text in quotes. tests/dicom/test_command_sets.py reads them here and
 * compares with pynetdicom.
 */
#ifndef LDC_TESTS_COMMAND_VECTORS_H
#define LDC_TESTS_COMMAND_VECTORS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_command.h"
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

static inline unsigned digit(char character)
{
    const char *found = strchr("0123456789ABCDEF", character);

    return found == NULL ? 0 : (unsigned)(found - "0123456789ABCDEF");
}

/* The bytes of a vector in a block of exactly their number (sanitizers see each byte past it);
 * freed by the caller. */
static inline uint8_t *bytes_of(const char *vector, size_t *length)
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
static inline uint8_t *repaired(const char *vector, size_t *length)
{
    uint8_t *bytes = bytes_of(vector, length);
    size_t after = *length - 12;

    bytes[8] = (uint8_t)after;
    bytes[9] = (uint8_t)(after >> 8);
    bytes[10] = (uint8_t)(after >> 16);
    return bytes;
}

static inline int check_bytes(const ldc_command *command, const char *vector)
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

#endif
