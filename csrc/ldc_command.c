/*
 * ldc_command.c - the coder of command sets (ldc_command.h says the rules).
 *
 * Implicit VR little endian always (PS3.7 §6.3.1): tag, 32-bit length, value. The VR comes from one
 * table; its order is that of the tags and of the LDC_HAS_ bits.
 */
#include "ldc_command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_bytes.h"
#include "ltdic.h"

typedef enum kind { /* VR, VM 1 where not said otherwise */
    KIND_US,
    KIND_UI,
    KIND_AE,
    KIND_LO,
    KIND_AT /* VM 0-n */
} kind;

typedef struct element {
    uint16_t number; /* of group 0000 */
    uint8_t kind;
    uint16_t offset; /* of the member of ldc_command */
    const char *name;
} element;

#define ELEMENT(number, kind, member, name)                                                        \
    {                                                                                              \
        number, KIND_##kind, (uint16_t)offsetof(ldc_command, member), name                         \
    }

/* PS3.7 Annex E, Table E.1-1, without the retired ones: those are kept as `others`. */
static const element elements[] = {
    ELEMENT(0x0002, UI, affected_class, "Affected SOP Class UID"),
    ELEMENT(0x0003, UI, requested_class, "Requested SOP Class UID"),
    ELEMENT(0x0100, US, field, "Command Field"),
    ELEMENT(0x0110, US, message_id, "Message ID"),
    ELEMENT(0x0120, US, responded_id, "Message ID Being Responded To"),
    ELEMENT(0x0600, AE, move_destination, "Move Destination"),
    ELEMENT(0x0700, US, priority, "Priority"),
    ELEMENT(0x0800, US, data_set_type, "Command Data Set Type"),
    ELEMENT(0x0900, US, status, "Status"),
    ELEMENT(0x0901, AT, offending, "Offending Element"),
    ELEMENT(0x0902, LO, error_comment, "Error Comment"),
    ELEMENT(0x0903, US, error_id, "Error ID"),
    ELEMENT(0x1000, UI, affected_instance, "Affected SOP Instance UID"),
    ELEMENT(0x1001, UI, requested_instance, "Requested SOP Instance UID"),
    ELEMENT(0x1002, US, event_type, "Event Type ID"),
    ELEMENT(0x1005, AT, attributes, "Attribute Identifier List"),
    ELEMENT(0x1008, US, action_type, "Action Type ID"),
    ELEMENT(0x1020, US, remaining, "Number of Remaining Sub-operations"),
    ELEMENT(0x1021, US, completed, "Number of Completed Sub-operations"),
    ELEMENT(0x1022, US, failed, "Number of Failed Sub-operations"),
    ELEMENT(0x1023, US, warning, "Number of Warning Sub-operations"),
    ELEMENT(0x1030, AE, originator, "Move Originator Application Entity Title"),
    ELEMENT(0x1031, US, originator_id, "Move Originator Message ID"),
};

enum {
    ELEMENTS = sizeof elements / sizeof *elements,
    HEADER = 8 /* tag and length */
};

_Static_assert(LDC_HAS_ORIGINATOR_ID == 1 << (ELEMENTS - 1), "one bit for each element");

/* Sets *fault; gives its code. The first cause stays where a caller adds its own. */
__attribute__((format(printf, 2, 3))) static int invalid(ldc_command_fault *fault,
                                                         const char *format, ...)
{
    va_list arguments;

    fault->code = DICOM_ERROR_COMMAND_INVALID;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return fault->code;
}

static int no_memory(ldc_command_fault *fault)
{
    fault->code = DICOM_ERROR_MEMORY;
    snprintf(fault->text, sizeof fault->text, "not enough memory for a command set");
    return fault->code;
}

static const element *find(uint16_t number)
{
    size_t i;

    for (i = 0; i < ELEMENTS; i++) {
        if (elements[i].number == number)
            return &elements[i];
    }
    return NULL;
}

const char *ldc_command_element_name(uint16_t number)
{
    const element *known = find(number);

    if (number == 0x0000)
        return "Command Group Length";
    return known == NULL ? "unknown element" : known->name;
}

void ldc_command_init(ldc_command *command)
{
    memset(command, 0, sizeof *command);
}

void ldc_command_free(ldc_command *command)
{
    free(command->offending.tags);
    free(command->attributes.tags);
    free(command->others);
    ldc_command_init(command);
}

/* PS3.5 §6.2, §9.1: components of digits with one dot between. */
static bool uid_of(const char *text, size_t length)
{
    size_t i;

    if (length == 0 || length >= LDC_COMMAND_UID)
        return false;
    for (i = 0; i < length; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';

        if (!digit && (text[i] != '.' || i == 0 || i == length - 1 || text[i - 1] == '.'))
            return false;
    }
    return true;
}

/* PS3.5 §6.2: the default repertoire without backslash and control characters. */
static bool ae_of(const char *text, size_t length)
{
    size_t i;

    if (length >= LDC_COMMAND_AE)
        return false;
    for (i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte < 0x20 || byte > 0x7E || byte == '\\')
            return false;
    }
    return true;
}

bool ldc_command_is_uid(const char *text)
{
    return uid_of(text, strnlen(text, LDC_COMMAND_UID));
}

bool ldc_command_is_ae(const char *text)
{
    size_t length = strnlen(text, LDC_COMMAND_AE);

    /* PS3.5 §6.2: not spaces alone */
    return ae_of(text, length) && strspn(text, " ") < length;
}

void ldc_command_set_comment(ldc_command *command, const char *text)
{
    size_t length = 0;

    while (text != NULL && *text != '\0' && length < 64) {
        unsigned char byte = (unsigned char)*text++;

        if (byte >= 0x80 && byte < 0xC0)
            continue; /* of a character that has its '?' already */
        command->error_comment[length++] =
            (char)(byte < 0x20 || byte > 0x7E || byte == '\\' ? '?' : byte);
    }
    command->error_comment[length] = '\0';
    command->present &= ~(uint32_t)LDC_HAS_ERROR_COMMENT;
    if (length > 0)
        command->present |= LDC_HAS_ERROR_COMMENT;
}

/* ---- reading ---- */

/* A foreign value for a message: printable ASCII, the rest '?'. */
static const char *shown(const uint8_t *value, size_t length, char text[72])
{
    size_t i;

    for (i = 0; i < length && i < 68; i++)
        text[i] = (char)(value[i] < 0x20 || value[i] > 0x7E ? '?' : value[i]);
    snprintf(text + i, 4, "%s", i < length ? "..." : "");
    return text;
}

static int read_text(const element *known, const uint8_t *value, size_t length, char *text,
                     ldc_command_fault *fault)
{
    const char *from = (const char *)value;
    size_t whole = length;
    char show[72];
    bool good;

    if (known->kind == KIND_UI) {
        if (length > 0 && (from[length - 1] == '\0' || from[length - 1] == ' '))
            length--;
        good = length == 0 || uid_of(from, length);
    } else {
        good = length < LDC_COMMAND_AE;
        while (length > 0 && from[length - 1] == ' ')
            length--;
        while (length > 0 && *from == ' ')
            from++, length--;
        good = good && ae_of(from, length);
    }
    if (!good)
        return invalid(fault, "command set: (0000,%04X) %s is no %s: '%s' (%zu bytes)",
                       known->number, known->name, known->kind == KIND_UI ? "UID" : "AE title",
                       shown(value, whole, show), whole);
    if (length > 0)
        memcpy(text, from, length);
    text[length] = '\0';
    return DICOM_SUCCESS;
}

static void read_comment(const uint8_t *value, size_t length, char text[LDC_COMMAND_COMMENT])
{
    if (length >= LDC_COMMAND_COMMENT)
        length = LDC_COMMAND_COMMENT - 1;
    if (length > 0)
        memcpy(text, value, length);
    text[length] = '\0';
    for (length = strlen(text); length > 0 && text[length - 1] == ' '; length--)
        text[length - 1] = '\0';
}

static int read_tags(const element *known, const uint8_t *value, size_t length,
                     ldc_command_tags *list, ldc_command_fault *fault)
{
    ldc_reader reader = ldc_reader_of(value, length);
    size_t i;

    if (length % 4 != 0)
        return invalid(fault, "command set: (0000,%04X) %s has %zu bytes, not a multiple of 4",
                       known->number, known->name, length);
    if (length == 0)
        return DICOM_SUCCESS;
    list->tags = calloc(length / 4, sizeof *list->tags);
    if (list->tags == NULL)
        return no_memory(fault);
    list->count = length / 4;
    for (i = 0; i < list->count; i++) {
        uint32_t group = ldc_read_u16_le(&reader);

        list->tags[i] = group << 16 | ldc_read_u16_le(&reader);
    }
    return DICOM_SUCCESS;
}

static int read_element(ldc_command *command, const element *known, const uint8_t *value,
                        size_t length, ldc_command_fault *fault)
{
    void *member = (char *)command + known->offset;
    int rc = DICOM_SUCCESS;

    switch ((kind)known->kind) {
    case KIND_US:
        if (length != 2)
            return invalid(fault, "command set: (0000,%04X) %s has %zu bytes, not 2", known->number,
                           known->name, length);
        *(uint16_t *)member = (uint16_t)(value[0] | value[1] << 8);
        break;
    case KIND_UI:
    case KIND_AE:
        rc = read_text(known, value, length, member, fault);
        break;
    case KIND_LO:
        read_comment(value, length, member);
        break;
    case KIND_AT:
        rc = read_tags(known, value, length, member, fault);
        break;
    }
    command->present |= 1u << (known - elements);
    return rc;
}

static void keep(ldc_writer *others, uint16_t number, const uint8_t *value, size_t length)
{
    ldc_write_u16_le(others, 0x0000);
    ldc_write_u16_le(others, number);
    ldc_write_u32_le(others, (uint32_t)length);
    ldc_write_bytes(others, value, length);
}

/* (0000,0000), PS3.7 §E.1: the bytes from the end of its value to the end of the command set. */
static int read_group_length(ldc_reader *reader, ldc_command_fault *fault)
{
    uint32_t tag = ldc_read_u32_le(reader);
    uint32_t size = ldc_read_u32_le(reader);
    uint32_t said = ldc_read_u32_le(reader);

    if (reader->failed)
        return invalid(fault, "command set: %zu bytes are too few for a group length",
                       reader->length);
    if (tag != 0 || size != 4)
        return invalid(fault, "command set: does not begin with (0000,0000), the group length");
    if (said != ldc_reader_left(reader))
        return invalid(fault,
                       "command set: the group length says that %lu bytes follow, and %zu do",
                       (unsigned long)said, ldc_reader_left(reader));
    return DICOM_SUCCESS;
}

/* One element; `*before` is the number of the last one. */
static int read_next(ldc_command *command, ldc_reader *reader, uint16_t *before, ldc_writer *others,
                     ldc_command_fault *fault)
{
    uint16_t group, number;
    uint32_t length;
    const uint8_t *value;
    const element *known;

    if (ldc_reader_left(reader) < HEADER)
        return invalid(fault, "command set: ends inside the header of an element, at byte %zu",
                       ldc_reader_offset(reader));
    group = ldc_read_u16_le(reader);
    number = ldc_read_u16_le(reader);
    length = ldc_read_u32_le(reader);
    if (group != 0x0000)
        return invalid(fault, "command set: (%04X,%04X) does not belong into a command set", group,
                       number);
    if (number <= *before)
        return invalid(fault, "command set: (0000,%04X) after (0000,%04X): tags do not ascend",
                       number, *before);
    if (length > ldc_reader_left(reader))
        return invalid(fault, "command set: (0000,%04X) %s says %lu bytes, and %zu are left",
                       number, ldc_command_element_name(number), (unsigned long)length,
                       ldc_reader_left(reader));
    if (length % 2 != 0)
        return invalid(fault, "command set: (0000,%04X) %s has an odd length, %lu", number,
                       ldc_command_element_name(number), (unsigned long)length);
    *before = number;
    value = ldc_read_bytes(reader, length);
    known = find(number);
    if (known != NULL)
        return read_element(command, known, value, length, fault);
    keep(others, number, value, length);
    return DICOM_SUCCESS;
}

int ldc_command_decode(ldc_command *command, const uint8_t *bytes, size_t length,
                       ldc_command_fault *fault)
{
    ldc_reader reader = ldc_reader_of(bytes, length);
    ldc_writer others;
    ldc_writer_fault kept;
    uint16_t before = 0x0000;
    int rc;

    ldc_command_init(command);
    ldc_writer_init(&others, LDC_COMMAND_LIMIT);
    if (length > LDC_COMMAND_LIMIT) {
        rc = invalid(fault, "command set: %zu bytes, more than the limit of %d", length,
                     LDC_COMMAND_LIMIT);
        goto done;
    }
    rc = read_group_length(&reader, fault);
    while (rc == DICOM_SUCCESS && ldc_reader_left(&reader) > 0)
        rc = read_next(command, &reader, &before, &others, fault);
    if (rc != DICOM_SUCCESS)
        goto done;
    command->others = ldc_writer_take(&others, &command->others_length, &kept);
    if (kept != LDC_WRITER_GOOD)
        rc = no_memory(fault);
done:
    ldc_writer_free(&others);
    if (rc != DICOM_SUCCESS)
        ldc_command_free(command);
    return rc;
}

/* ---- writing ---- */

static void write_text(ldc_writer *writer, const char *text, size_t length, char pad)
{
    ldc_write_u32_le(writer, (uint32_t)(length + length % 2));
    ldc_write_bytes(writer, text, length);
    ldc_write_fill(writer, (uint8_t)pad, length % 2);
}

static void write_tags(ldc_writer *writer, const ldc_command_tags *list)
{
    size_t i;

    ldc_write_u32_le(writer, (uint32_t)list->count * 4);
    for (i = 0; i < list->count; i++) {
        ldc_write_u16_le(writer, (uint16_t)(list->tags[i] >> 16));
        ldc_write_u16_le(writer, (uint16_t)list->tags[i]);
    }
}

static int write_element(ldc_writer *writer, const ldc_command *command, const element *known,
                         ldc_command_fault *fault)
{
    const void *member = (const char *)command + known->offset;
    const char *text = member;
    const ldc_command_tags *tags;
    size_t length;

    ldc_write_u16_le(writer, 0x0000);
    ldc_write_u16_le(writer, known->number);
    switch ((kind)known->kind) {
    case KIND_US:
        ldc_write_u32_le(writer, 2);
        ldc_write_u16_le(writer, *(const uint16_t *)member);
        break;
    case KIND_UI:
        length = strnlen(text, LDC_COMMAND_UID);
        if (length > 0 && !uid_of(text, length))
            return invalid(fault, "(0000,%04X) %s is no UID", known->number, known->name);
        write_text(writer, text, length, '\0');
        break;
    case KIND_AE:
        length = strnlen(text, LDC_COMMAND_AE);
        if (!ae_of(text, length))
            return invalid(fault, "(0000,%04X) %s is no AE title", known->number, known->name);
        write_text(writer, text, length, ' ');
        break;
    case KIND_LO:
        write_text(writer, text, strnlen(text, LDC_COMMAND_COMMENT - 1), ' ');
        break;
    case KIND_AT:
        tags = member;
        if (tags->count > LDC_COMMAND_LIMIT / 4)
            return invalid(fault, "(0000,%04X) %s: %zu tags are too many", known->number,
                           known->name, tags->count);
        write_tags(writer, tags);
        break;
    }
    return DICOM_SUCCESS;
}

/* Copies those of the others whose number is below `end`. */
static void write_others(ldc_writer *writer, ldc_reader *others, uint32_t end)
{
    while (ldc_reader_left(others) >= HEADER) {
        ldc_reader ahead = *others;
        uint32_t length;

        ldc_read_skip(&ahead, 2);
        if (ldc_read_u16_le(&ahead) >= end)
            return;
        length = ldc_read_u32_le(&ahead);
        if (length > ldc_reader_left(&ahead))
            return;
        ldc_write_bytes(writer, ldc_read_bytes(others, HEADER + length), HEADER + length);
    }
}

uint8_t *ldc_command_encode(const ldc_command *command, size_t *length, ldc_command_fault *fault)
{
    ldc_reader others = ldc_reader_of(command->others, command->others_length);
    ldc_writer writer;
    ldc_writer_fault written;
    uint8_t *bytes = NULL;
    size_t mark, i;

    *length = 0;
    ldc_writer_init(&writer, LDC_COMMAND_LIMIT);
    ldc_write_u32_le(&writer, 0x00000000);
    ldc_write_u32_le(&writer, 4);
    mark = ldc_write_begin_u32_le(&writer);
    for (i = 0; i < ELEMENTS; i++) {
        if ((command->present & 1u << i) == 0)
            continue;
        write_others(&writer, &others, elements[i].number);
        if (write_element(&writer, command, &elements[i], fault) != DICOM_SUCCESS)
            goto done;
    }
    write_others(&writer, &others, 0x10000);
    ldc_write_end_u32_le(&writer, mark);
    bytes = ldc_writer_take(&writer, length, &written);
    if (written == LDC_WRITER_TOO_LONG)
        invalid(fault, "a command set of more than %d bytes", LDC_COMMAND_LIMIT);
    else if (bytes == NULL)
        no_memory(fault);
done:
    ldc_writer_free(&writer);
    return bytes;
}

/* ---- looking ---- */

bool ldc_command_has_data(const ldc_command *command)
{
    return (command->present & LDC_HAS_DATA_SET_TYPE) != 0 &&
           command->data_set_type != COMMAND_DATASET_ABSENT;
}

const char *ldc_command_class(const ldc_command *command)
{
    return command->affected_class[0] != '\0' ? command->affected_class : command->requested_class;
}

const char *ldc_command_instance(const ldc_command *command)
{
    return command->affected_instance[0] != '\0' ? command->affected_instance
                                                 : command->requested_instance;
}

uint16_t ldc_command_id(const ldc_command *command)
{
    return (command->present & LDC_HAS_MESSAGE_ID) != 0 ? command->message_id
                                                        : command->responded_id;
}
