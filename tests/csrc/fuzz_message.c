/*
 * fuzz_message.c - fuzz target: PDVs in any order and form, and messages cut up for any maximum.
 *
 * The first byte chooses. Even: the rest are fragments for the assembler, each with a head of three
 * bytes: control header, context id, length. Odd: the rest are the numbers of a message, which is
 * cut up, and put together again.
 *
 * Whatever comes: bounded memory, every byte of a data set reaches the sink once and in order, the
 * end once; PDUs no longer than announced, parts without gap or overlap.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_message.h"
#include "ltdic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct drain {
    uint64_t length;
    int lasts;
    bool stopped;        /* it said no, and must not be called again */
    const uint8_t *next; /* the fragment that is being fed: not a copy */
} drain;

static int swallow(void *arg, const uint8_t *bytes, size_t length, bool last)
{
    drain *sink = arg;

    REQUIRE(!sink->stopped && sink->lasts == 0);
    REQUIRE(length == 0 || bytes == sink->next);
    sink->length += length;
    sink->lasts += last;
    sink->stopped = length > 0 && bytes[0] == 0xEE;
    return sink->stopped ? 7 : 0;
}

static void require_fault(const ldc_message *message)
{
    int reason = message->abort_reason;

    REQUIRE(message->fault.code != DICOM_SUCCESS && message->fault.text[0] != '\0');
    REQUIRE(reason == PDU_ABORT_REASON_UNEXPECTED_PARAM ||
            reason == PDU_ABORT_REASON_INVALID_PARAM);
    REQUIRE(!ldc_message_is_open(message));
}

static void assemble(const uint8_t *data, size_t size)
{
    drain sink = {0, 0, false, NULL};
    ldc_message message;
    ldc_message_result result = LDC_MESSAGE_MORE;

    ldc_message_init(&message);
    while (size >= 3 && result != LDC_MESSAGE_FAILED) {
        uint8_t control = data[0], context = data[1];
        size_t length = data[2], i;
        bool was_open = ldc_message_is_open(&message);

        data += 3;
        size -= 3;
        length = length < size ? length : size;
        sink.next = data;
        /* 0xFC in the reserved bits: the same piece again and again, to get at the limit. */
        for (i = 0; i < ((control & 0xFC) == 0xFC ? 300u : 1u); i++) {
            result = ldc_message_feed(&message, context, control, data, length);
            REQUIRE(message.capacity <= LDC_COMMAND_LIMIT);
            REQUIRE(message.command_length <= message.capacity);
            if (result != LDC_MESSAGE_MORE)
                break;
        }
        data += length;
        size -= length;
        switch (result) {
        case LDC_MESSAGE_MORE:
            REQUIRE(ldc_message_is_open(&message));
            break;
        case LDC_MESSAGE_COMMAND:
            REQUIRE(message.context == context && ldc_command_has_data(&message.command));
            sink = (drain){0, 0, false, NULL};
            ldc_message_set_sink(&message, swallow, &sink);
            break;
        case LDC_MESSAGE_COMPLETE:
            REQUIRE(message.context == context && !ldc_message_is_open(&message));
            if (!ldc_command_has_data(&message.command))
                break;
            REQUIRE(was_open && (sink.stopped || sink.lasts == 1));
            REQUIRE(sink.stopped == (message.sink_answer == 7));
            REQUIRE(sink.stopped ? sink.length <= message.data_length
                                 : sink.length == message.data_length);
            break;
        case LDC_MESSAGE_FAILED:
            require_fault(&message);
            break;
        }
    }
    ldc_message_free(&message);
}

static uint32_t number(const uint8_t **data, size_t *size)
{
    uint32_t value = 0;
    int i;

    for (i = 0; i < 4 && *size > 0; i++, (*data)++, (*size)--)
        value = value << 8 | **data;
    return value;
}

static void cut_up(const uint8_t *data, size_t size)
{
    uint32_t maximum = number(&data, &size);
    size_t command_length = number(&data, &size) % (LDC_COMMAND_LIMIT + 1);
    uint64_t data_length = number(&data, &size);
    bool has_data = data_length % 2 != 0;
    uint32_t allowed = maximum == 0 ? LDC_FRAGMENT_UNLIMITED : maximum;
    uint64_t command_at = 0, data_at = 0;
    int command_lasts = 0, data_lasts = 0;
    ldc_fragmenter fragmenter;
    ldc_fragment fragments[2];
    size_t count, i, pdus = 0;

    data_length = data_length / 2 << (command_length % 8);
    if (!ldc_fragmenter_init(&fragmenter, 1, command_length, has_data, data_length, maximum)) {
        REQUIRE(command_length == 0 || allowed < LDC_FRAGMENT_LEAST);
        return;
    }
    while (pdus++ < 20000 && (count = ldc_fragmenter_next(&fragmenter, fragments)) > 0) {
        uint32_t in_pdu = 0;

        REQUIRE(count <= 2);
        for (i = 0; i < count; i++) {
            const ldc_fragment *one = &fragments[i];
            const uint8_t *head = one->header + (i == 0 ? LDC_FRAGMENT_PDU_HEADER : 0);
            uint64_t *at = one->command ? &command_at : &data_at;

            REQUIRE(one->header_length == (i == 0 ? 12 : 6));
            REQUIRE(one->offset == *at && data_lasts == 0);
            REQUIRE(one->command ? command_lasts == 0 : command_lasts == 1);
            *at += one->length;
            command_lasts += one->command && one->last;
            data_lasts += !one->command && one->last;
            REQUIRE(one->last == (*at == (one->command ? command_length : data_length)));
            REQUIRE(one->last || (one->length > 0 && one->length % 2 == 0));
            REQUIRE(head[4] == 1 && head[5] == (one->command ? 1 : 0) + (one->last ? 2 : 0));
            REQUIRE(((uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 |
                     head[3]) == one->length + 2);
            in_pdu += LDC_FRAGMENT_PDV_HEADER + one->length;
        }
        REQUIRE(in_pdu <= allowed && in_pdu <= LDC_FRAGMENT_MOST);
        REQUIRE(fragments[0].header[0] == PDU_DATA_TRANSFER && fragments[0].header[1] == 0);
        REQUIRE(((uint32_t)fragments[0].header[2] << 24 | (uint32_t)fragments[0].header[3] << 16 |
                 (uint32_t)fragments[0].header[4] << 8 | fragments[0].header[5]) == in_pdu);
    }
    if (pdus < 20000)
        REQUIRE(command_lasts == 1 && data_lasts == (has_data ? 1 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        assemble(data + 1, size - 1);
    else
        cut_up(data + 1, size - 1);
    return 0;
}
