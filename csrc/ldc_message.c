/*
 * ldc_message.c - assembler and fragmenter (ldc_message.h says the rules).
 */
#include "ldc_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ltdic.h"

enum {
    FIRST_CAPACITY = 512 /* command sets are about 150 bytes, and come in one fragment */
};

typedef enum stage {
    STAGE_START,   /* nothing yet; with command.present: the message before is complete */
    STAGE_COMMAND, /* inside a command set */
    STAGE_DATA,    /* the command set is complete, its data set is not */
    STAGE_FAILED
} stage;

void ldc_message_init(ldc_message *message)
{
    memset(message, 0, sizeof *message);
    message->stage = STAGE_START;
}

void ldc_message_free(ldc_message *message)
{
    ldc_command_free(&message->command);
    free(message->command_bytes);
    ldc_message_init(message);
}

bool ldc_message_is_open(const ldc_message *message)
{
    return message->stage == STAGE_COMMAND || message->stage == STAGE_DATA;
}

void ldc_message_set_sink(ldc_message *message, ldc_message_sink sink, void *arg)
{
    message->sink = sink;
    message->sink_arg = arg;
}

void ldc_message_take(ldc_message *message, ldc_command *command, uint8_t **bytes, size_t *length)
{
    uint16_t field = message->command.field;

    *command = message->command;
    ldc_command_init(&message->command);
    message->command.field = field; /* for the texts of faults */
    if (bytes == NULL)
        return;
    *bytes = message->command_bytes;
    *length = message->command_length;
    message->command_bytes = NULL;
    message->command_length = message->capacity = 0;
}

__attribute__((format(printf, 4, 5))) static ldc_message_result fail(ldc_message *message, int code,
                                                                     int reason, const char *format,
                                                                     ...)
{
    va_list arguments;

    message->stage = STAGE_FAILED;
    message->abort_reason = reason;
    message->fault.code = code;
    va_start(arguments, format);
    vsnprintf(message->fault.text, sizeof message->fault.text, format, arguments);
    va_end(arguments);
    return LDC_MESSAGE_FAILED;
}

/* A fragment in the wrong place; the text is given by the caller. */
#define unexpected(message, ...)                                                                   \
    fail(message, DICOM_ERROR_COMMAND_UNEXPECTED, PDU_ABORT_REASON_UNEXPECTED_PARAM, __VA_ARGS__)
#define malformed(message, ...)                                                                    \
    fail(message, DICOM_ERROR_COMMAND_INVALID, PDU_ABORT_REASON_INVALID_PARAM, __VA_ARGS__)

/* ---- assembling ---- */

static ldc_message_result append(ldc_message *message, const uint8_t *bytes, size_t length)
{
    size_t capacity = message->capacity > 0 ? message->capacity : FIRST_CAPACITY;
    size_t needed;
    uint8_t *grown;

    if (length > LDC_COMMAND_LIMIT - message->command_length)
        return malformed(message, "a command set of more than %d bytes on presentation context %u",
                         LDC_COMMAND_LIMIT, message->context);
    needed = message->command_length + length;
    while (capacity < needed)
        capacity *= 2; /* the limit is a power of two: never past it */
    if (capacity > message->capacity) {
        grown = realloc(message->command_bytes, capacity);
        if (grown == NULL)
            return fail(message, DICOM_ERROR_MEMORY, PDU_ABORT_REASON_UNKNOWN,
                        "not enough memory for a command set");
        message->command_bytes = grown;
        message->capacity = capacity;
    }
    if (length > 0)
        memcpy(message->command_bytes + message->command_length, bytes, length);
    message->command_length = needed;
    return LDC_MESSAGE_MORE;
}

static ldc_message_result command_complete(ldc_message *message)
{
    int rc = ldc_command_decode(&message->command, message->command_bytes, message->command_length,
                                &message->fault);
    const uint32_t needed = LDC_HAS_FIELD | LDC_HAS_DATA_SET_TYPE;

    if (rc != DICOM_SUCCESS) {
        message->stage = STAGE_FAILED;
        message->abort_reason =
            rc == DICOM_ERROR_MEMORY ? PDU_ABORT_REASON_UNKNOWN : PDU_ABORT_REASON_INVALID_PARAM;
        return LDC_MESSAGE_FAILED;
    }
    if ((message->command.present & needed) != needed) {
        bool nameless = (message->command.present & LDC_HAS_FIELD) == 0;

        return malformed(message, "%s lacks %s",
                         nameless ? "the command set" : ldc_command_name(message->command.field),
                         nameless ? "(0000,0100) Command Field"
                                  : "(0000,0800) Command Data Set Type");
    }
    if (ldc_command_has_data(&message->command)) {
        message->stage = STAGE_DATA;
        return LDC_MESSAGE_COMMAND;
    }
    message->stage = STAGE_START;
    return LDC_MESSAGE_COMPLETE;
}

static ldc_message_result feed_command(ldc_message *message, bool last, const uint8_t *bytes,
                                       size_t length)
{
    if (append(message, bytes, length) == LDC_MESSAGE_FAILED)
        return LDC_MESSAGE_FAILED;
    return last ? command_complete(message) : LDC_MESSAGE_MORE;
}

static ldc_message_result feed_data(ldc_message *message, bool last, const uint8_t *bytes,
                                    size_t length)
{
    message->data_length += length;
    if (message->sink != NULL && (length > 0 || last)) {
        message->sink_answer = message->sink(message->sink_arg, bytes, length, last);
        if (message->sink_answer != 0 || last)
            message->sink = NULL;
    }
    if (!last)
        return LDC_MESSAGE_MORE;
    message->stage = STAGE_START;
    return LDC_MESSAGE_COMPLETE;
}

/* A data set fragment where a command has to begin. */
static ldc_message_result stray_data(ldc_message *message, uint8_t context)
{
    if (message->command.field == 0)
        return unexpected(message,
                          "a data set fragment without a command before it on presentation context "
                          "%u",
                          context);
    return unexpected(message, "a data set fragment on presentation context %u after the end of %s",
                      context, ldc_command_name(message->command.field));
}

ldc_message_result ldc_message_feed(ldc_message *message, uint8_t context, uint8_t control,
                                    const uint8_t *bytes, size_t length)
{
    bool is_command = (control & LDC_FRAGMENT_COMMAND) != 0,
         last = (control & LDC_FRAGMENT_LAST) != 0;

    switch ((stage)message->stage) {
    case STAGE_FAILED:
        return LDC_MESSAGE_FAILED;
    case STAGE_START:
        if (!is_command)
            return stray_data(message, context);
        ldc_message_free(message);
        message->stage = STAGE_COMMAND;
        message->context = context;
        return feed_command(message, last, bytes, length);
    case STAGE_COMMAND:
        if (context != message->context)
            return unexpected(message,
                              "a fragment on presentation context %u inside a command on %u",
                              context, message->context);
        if (!is_command)
            return unexpected(message,
                              "a data set fragment inside a command on presentation context %u",
                              context);
        return feed_command(message, last, bytes, length);
    case STAGE_DATA:
        if (context != message->context)
            return unexpected(message,
                              "a fragment on presentation context %u inside the data set of %s on "
                              "%u",
                              context, ldc_command_name(message->command.field), message->context);
        if (is_command)
            return unexpected(message,
                              "a command fragment on presentation context %u before the end of the "
                              "data set of %s",
                              context, ldc_command_name(message->command.field));
        return feed_data(message, last, bytes, length);
    }
    return LDC_MESSAGE_FAILED;
}

/* ---- cutting up ---- */

bool ldc_fragmenter_init(ldc_fragmenter *fragmenter, uint8_t context, size_t command_length,
                         bool data, uint64_t data_length, uint32_t maximum)
{
    *fragmenter = (ldc_fragmenter){.context = context,
                                   .data = data,
                                   .command_length = command_length,
                                   .data_length = data ? data_length : 0,
                                   .maximum = maximum};
    if (maximum == 0)
        fragmenter->maximum = LDC_FRAGMENT_UNLIMITED;
    else if (maximum > LDC_FRAGMENT_MOST)
        fragmenter->maximum = LDC_FRAGMENT_MOST;
    fragmenter->done = fragmenter->maximum < LDC_FRAGMENT_LEAST || command_length == 0;
    return !fragmenter->done;
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 24);
    bytes[1] = (uint8_t)(value >> 16);
    bytes[2] = (uint8_t)(value >> 8);
    bytes[3] = (uint8_t)value;
}

/* Cuts a PDV of at most `space` bytes, its header included, from the part that is due. Leaves room
 * for the header of the PDU. */
static void cut(ldc_fragmenter *fragmenter, uint32_t space, ldc_fragment *fragment)
{
    bool command = fragmenter->command_at < fragmenter->command_length;
    uint64_t *at = command ? &fragmenter->command_at : &fragmenter->data_at;
    uint64_t left = (command ? fragmenter->command_length : fragmenter->data_length) - *at;
    uint32_t room = (space - LDC_FRAGMENT_PDV_HEADER) & ~(uint32_t)1;

    fragment->command = command;
    fragment->last = left <= room;
    fragment->offset = *at;
    fragment->length = fragment->last ? (uint32_t)left : room;
    *at += fragment->length;
    if (fragment->last)
        fragmenter->done = !command || !fragmenter->data;
    fragment->header_length = LDC_FRAGMENT_PDV_HEADER;
    put_u32(fragment->header, fragment->length + 2);
    fragment->header[4] = fragmenter->context;
    fragment->header[5] =
        (uint8_t)((command ? LDC_FRAGMENT_COMMAND : 0) | (fragment->last ? LDC_FRAGMENT_LAST : 0));
}

size_t ldc_fragmenter_next(ldc_fragmenter *fragmenter, ldc_fragment fragments[2])
{
    uint32_t length;
    size_t count = 1;

    if (fragmenter->done)
        return 0;
    cut(fragmenter, fragmenter->maximum, &fragments[0]);
    length = LDC_FRAGMENT_PDV_HEADER + fragments[0].length;
    /* An empty data set needs no room but for its header. */
    if (fragments[0].command && fragments[0].last && !fragmenter->done &&
        fragmenter->maximum - length >=
            LDC_FRAGMENT_PDV_HEADER + (fragmenter->data_length > 0 ? 2u : 0u)) {
        cut(fragmenter, fragmenter->maximum - length, &fragments[1]);
        length += LDC_FRAGMENT_PDV_HEADER + fragments[1].length;
        count = 2;
    }
    memmove(fragments[0].header + LDC_FRAGMENT_PDU_HEADER, fragments[0].header,
            LDC_FRAGMENT_PDV_HEADER);
    fragments[0].header[0] = PDU_DATA_TRANSFER;
    fragments[0].header[1] = 0;
    put_u32(fragments[0].header + 2, length);
    fragments[0].header_length += LDC_FRAGMENT_PDU_HEADER;
    return count;
}
