/* Unit tests of message assembly and fragmentation (ldc_message.h). */
#include "ldc_message.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ltdic.h"
#include "unit.h"

enum {
    C = LDC_FRAGMENT_COMMAND,
    CL = LDC_FRAGMENT_COMMAND | LDC_FRAGMENT_LAST,
    D = 0,
    DL = LDC_FRAGMENT_LAST
};

/* PS3.7 §9.3.1.1, typed by hand; a data set follows. */
static const uint8_t store[] = "\0\0\0\0\4\0\0\0\116\0\0\0" /* group length 78 */
                               "\0\0\2\0\6\0\0\0"           /* Affected SOP Class UID */
                               "1.2.3\0"                    /* */
                               "\0\0\0\1\2\0\0\0\1\0"       /* C-STORE-RQ */
                               "\0\0\20\1\2\0\0\0\11\0"     /* message id 9 */
                               "\0\0\0\7\2\0\0\0\0\0"       /* priority */
                               "\0\0\0\10\2\0\0\0\1\0"      /* a data set */
                               "\0\0\0\20\20\0\0\0"         /* Affected SOP Instance UID */
                               "1.2.3.4.5.6.789";         /* and the literal's own NUL as padding */
static const uint8_t echo[] = "\0\0\0\0\4\0\0\0\54\0\0\0" /* group length 44 */
                              "\0\0\2\0\6\0\0\0"          /* Affected SOP Class UID */
                              "1.2.3\0"                   /* */
                              "\0\0\0\1\2\0\0\0\60\0"     /* C-ECHO-RQ */
                              "\0\0\20\1\2\0\0\0\7\0"     /* message id 7 */
                              "\0\0\0\10\2\0\0\0\1";      /* no data set: 0x0101, see echo_set() */

enum {
    STORE = sizeof store,
    ECHO = sizeof echo
};

/* What a sink was given. */
typedef struct pool {
    uint8_t bytes[4096];
    size_t length;
    int calls, lasts;
    int answer; /* what to answer from now on */
} pool;

static int pour(void *arg, const uint8_t *bytes, size_t length, bool last)
{
    pool *basin = arg;

    if (CHECK(length <= sizeof basin->bytes - basin->length) && length > 0)
        memcpy(basin->bytes + basin->length, bytes, length);
    basin->length += length;
    basin->calls++;
    basin->lasts += last;
    return basin->answer;
}

/* A copy in a block of exactly its size, so that sanitizers see each byte past it. */
static ldc_message_result feed(ldc_message *message, uint8_t context, int control,
                               const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    ldc_message_result result;

    if (length > 0)
        memcpy(copy, bytes, length);
    result = ldc_message_feed(message, context, (uint8_t)control, copy, length);
    free(copy);
    return result;
}

static void echo_set(uint8_t bytes[ECHO])
{
    memcpy(bytes, echo, ECHO);
    bytes[ECHO - 1] = 1;
}

TEST(a_message_without_a_data_set_is_complete_with_its_command)
{
    uint8_t bytes[ECHO];
    ldc_message message;

    echo_set(bytes);
    ldc_message_init(&message);
    CHECK(!ldc_message_is_open(&message));
    CHECK_INT(feed(&message, 3, CL, bytes, ECHO), LDC_MESSAGE_COMPLETE);
    CHECK_INT(message.context, 3);
    CHECK_INT(message.command.field, COMMAND_C_ECHO);
    CHECK_INT(message.command.message_id, 7);
    CHECK_INT(message.command_length, ECHO);
    CHECK(memcmp(message.command_bytes, bytes, ECHO) == 0);
    CHECK(!ldc_message_is_open(&message));
    CHECK_INT(feed(&message, 5, CL, bytes, ECHO), LDC_MESSAGE_COMPLETE); /* and the next */
    CHECK_INT(message.context, 5);
    ldc_message_free(&message);
}

TEST(a_data_set_goes_through_the_sink_as_it_comes)
{
    static pool basin;
    ldc_message message;

    memset(&basin, 0, sizeof basin);
    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    CHECK(ldc_message_is_open(&message));
    CHECK_STR(message.command.affected_instance, "1.2.3.4.5.6.789");
    ldc_message_set_sink(&message, pour, &basin);
    CHECK_INT(feed(&message, 1, D, (const uint8_t *)"abcd", 4), LDC_MESSAGE_MORE);
    CHECK_INT(basin.length, 4);
    CHECK_INT(feed(&message, 1, D, NULL, 0), LDC_MESSAGE_MORE);
    CHECK_INT(basin.calls, 1);
    CHECK_INT(feed(&message, 1, DL, (const uint8_t *)"ef", 2), LDC_MESSAGE_COMPLETE);
    CHECK_INT(basin.calls, 2);
    CHECK_INT(basin.lasts, 1);
    CHECK_INT(message.data_length, 6);
    CHECK(memcmp(basin.bytes, "abcdef", 6) == 0);
    CHECK(!ldc_message_is_open(&message));
    ldc_message_free(&message);
}

TEST(an_empty_data_set_and_an_empty_last_fragment_reach_the_sink)
{
    static pool basin;
    ldc_message message;

    memset(&basin, 0, sizeof basin);
    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    ldc_message_set_sink(&message, pour, &basin);
    CHECK_INT(feed(&message, 1, DL, NULL, 0), LDC_MESSAGE_COMPLETE);
    CHECK_INT(basin.calls, 1);
    CHECK_INT(basin.lasts, 1);
    CHECK_INT(basin.length, 0);
    ldc_message_free(&message);
}

TEST(without_a_sink_a_data_set_is_discarded_and_counted)
{
    ldc_message message;

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    CHECK_INT(feed(&message, 1, D, store, STORE), LDC_MESSAGE_MORE);
    CHECK_INT(feed(&message, 1, DL, store, 2), LDC_MESSAGE_COMPLETE);
    CHECK_INT(message.data_length, STORE + 2);
    CHECK_INT(message.sink_answer, 0);
    ldc_message_free(&message);
}

TEST(a_sink_that_refuses_is_not_called_again_and_the_message_goes_on)
{
    static pool basin;
    ldc_message message;

    memset(&basin, 0, sizeof basin);
    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    ldc_message_set_sink(&message, pour, &basin);
    CHECK_INT(feed(&message, 1, D, store, 10), LDC_MESSAGE_MORE);
    basin.answer = 28; /* as ENOSPC */
    CHECK_INT(feed(&message, 1, D, store, 10), LDC_MESSAGE_MORE);
    CHECK_INT(feed(&message, 1, D, store, 10), LDC_MESSAGE_MORE);
    CHECK_INT(feed(&message, 1, DL, store, 10), LDC_MESSAGE_COMPLETE);
    CHECK_INT(basin.calls, 2);
    CHECK_INT(basin.lasts, 0);
    CHECK_INT(message.sink_answer, 28);
    CHECK_INT(message.data_length, 40);
    /* The next message has neither the sink nor its answer. */
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    CHECK_INT(message.sink_answer, 0);
    CHECK_INT(feed(&message, 1, DL, store, 10), LDC_MESSAGE_COMPLETE);
    CHECK_INT(basin.calls, 2);
    ldc_message_free(&message);
}

TEST(a_refusal_of_the_last_fragment_is_kept_too)
{
    static pool basin;
    ldc_message message;

    memset(&basin, 0, sizeof basin);
    basin.answer = -1;
    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    ldc_message_set_sink(&message, pour, &basin);
    CHECK_INT(feed(&message, 1, DL, store, 2), LDC_MESSAGE_COMPLETE);
    CHECK_INT(message.sink_answer, -1);
    ldc_message_free(&message);
}

/* Feeds one part of a message in three fragments, cut at `first` and `second`. */
static ldc_message_result in_three(ldc_message *message, int control, const uint8_t *bytes,
                                   size_t length, size_t first, size_t second)
{
    CHECK_INT(feed(message, 1, control, bytes, first), LDC_MESSAGE_MORE);
    CHECK_INT(feed(message, 1, control, bytes + first, second - first), LDC_MESSAGE_MORE);
    return feed(message, 1, control | LDC_FRAGMENT_LAST, bytes + second, length - second);
}

TEST(every_split_of_a_command_set_into_three_fragments_is_the_same_command)
{
    size_t first, second;

    for (first = 0; first <= STORE; first++) {
        for (second = first; second <= STORE; second++) {
            ldc_message message;

            ldc_message_init(&message);
            CHECK_INT(in_three(&message, C, store, STORE, first, second), LDC_MESSAGE_COMMAND);
            CHECK_INT(message.command_length, STORE);
            CHECK(memcmp(message.command_bytes, store, STORE) == 0);
            CHECK_INT(message.command.message_id, 9);
            ldc_message_free(&message);
        }
    }
}

TEST(every_split_of_a_data_set_into_three_fragments_is_the_same_data_set)
{
    static pool basin;
    size_t first, second;

    for (first = 0; first <= 24; first++) {
        for (second = first; second <= 24; second++) {
            ldc_message message;

            memset(&basin, 0, sizeof basin);
            ldc_message_init(&message);
            CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
            ldc_message_set_sink(&message, pour, &basin);
            CHECK_INT(in_three(&message, D, store, 24, first, second), LDC_MESSAGE_COMPLETE);
            CHECK_INT(basin.length, 24);
            CHECK_INT(basin.lasts, 1);
            CHECK(memcmp(basin.bytes, store, 24) == 0);
            ldc_message_free(&message);
        }
    }
}

TEST(a_command_set_that_ends_too_early_is_refused_wherever_it_does)
{
    size_t cut;

    for (cut = 0; cut < STORE; cut++) {
        ldc_message message;

        ldc_message_init(&message);
        CHECK_INT(feed(&message, 1, CL, store, cut), LDC_MESSAGE_FAILED);
        CHECK_INT(message.abort_reason, PDU_ABORT_REASON_INVALID_PARAM);
        CHECK_INT(message.fault.code, DICOM_ERROR_COMMAND_INVALID);
        CHECK(!ldc_message_is_open(&message));
        ldc_message_free(&message);
    }
}

static void check_failed(ldc_message *message, int code, int reason, const char *text)
{
    CHECK_INT(message->fault.code, code);
    CHECK_INT(message->abort_reason, reason);
    CHECK_STR(message->fault.text, text);
    CHECK_INT(feed(message, 1, CL, store, STORE), LDC_MESSAGE_FAILED); /* for good */
    CHECK_STR(message->fault.text, text);
    ldc_message_free(message);
}

#define CHECK_UNEXPECTED(text)                                                                     \
    check_failed(&message, DICOM_ERROR_COMMAND_UNEXPECTED, PDU_ABORT_REASON_UNEXPECTED_PARAM, text)
#define CHECK_INVALID(text)                                                                        \
    check_failed(&message, DICOM_ERROR_COMMAND_INVALID, PDU_ABORT_REASON_INVALID_PARAM, text)

TEST(a_data_set_without_a_command_is_refused)
{
    ldc_message message;
    uint8_t bytes[ECHO];

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 7, DL, store, 4), LDC_MESSAGE_FAILED);
    CHECK_UNEXPECTED("a data set fragment without a command before it on presentation context 7");

    echo_set(bytes);
    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, bytes, ECHO), LDC_MESSAGE_COMPLETE);
    CHECK_INT(feed(&message, 1, D, store, 4), LDC_MESSAGE_FAILED);
    CHECK_UNEXPECTED("a data set fragment on presentation context 1 after the end of C-ECHO-RQ");

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    CHECK_INT(feed(&message, 1, DL, store, 4), LDC_MESSAGE_COMPLETE);
    CHECK_INT(feed(&message, 3, DL, store, 4), LDC_MESSAGE_FAILED);
    CHECK_UNEXPECTED("a data set fragment on presentation context 3 after the end of C-STORE-RQ");
}

TEST(fragments_out_of_order_are_refused)
{
    ldc_message message;

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, C, store, 20), LDC_MESSAGE_MORE);
    CHECK_INT(feed(&message, 1, D, store, 4), LDC_MESSAGE_FAILED);
    CHECK_UNEXPECTED("a data set fragment inside a command on presentation context 1");

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, C, store, 20), LDC_MESSAGE_MORE);
    CHECK_INT(feed(&message, 3, C, store + 20, 4), LDC_MESSAGE_FAILED);
    CHECK_UNEXPECTED("a fragment on presentation context 3 inside a command on 1");

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    CHECK_INT(feed(&message, 3, D, store, 4), LDC_MESSAGE_FAILED);
    CHECK_UNEXPECTED("a fragment on presentation context 3 inside the data set of C-STORE-RQ on 1");

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    CHECK_INT(feed(&message, 1, D, store, 4), LDC_MESSAGE_MORE);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_FAILED);
    CHECK_UNEXPECTED("a command fragment on presentation context 1 before the end of the data set "
                     "of C-STORE-RQ");
}

TEST(a_command_that_does_not_say_what_it_is_or_what_follows_is_refused)
{
    ldc_message message;
    uint8_t bytes[ECHO];

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, (const uint8_t *)"\0\0\0\0\4\0\0\0\0\0\0\0", 12),
              LDC_MESSAGE_FAILED);
    CHECK_INVALID("the command set lacks (0000,0100) Command Field");

    echo_set(bytes);
    bytes[8] = 34;
    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, bytes, ECHO - 10), LDC_MESSAGE_FAILED);
    CHECK_INVALID("C-ECHO-RQ lacks (0000,0800) Command Data Set Type");

    echo_set(bytes);
    bytes[8] = 45;
    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, bytes, ECHO), LDC_MESSAGE_FAILED);
    CHECK_INVALID("command set: the group length says that 45 bytes follow, and 44 do");
}

TEST(a_command_set_that_never_ends_is_refused_at_the_limit)
{
    static const uint8_t zeros[1000];
    ldc_message message;
    size_t fed;

    ldc_message_init(&message);
    for (fed = 0; fed + 1000 <= LDC_COMMAND_LIMIT; fed += 1000)
        CHECK_INT(feed(&message, 9, C, zeros, 1000), LDC_MESSAGE_MORE);
    CHECK_INT(feed(&message, 9, C, zeros, LDC_COMMAND_LIMIT - fed), LDC_MESSAGE_MORE);
    CHECK_INT(message.command_length, LDC_COMMAND_LIMIT);
    CHECK_INT(message.capacity, LDC_COMMAND_LIMIT);
    CHECK_INT(feed(&message, 9, C, NULL, 0), LDC_MESSAGE_MORE);
    CHECK_INT(feed(&message, 9, C, zeros, 1), LDC_MESSAGE_FAILED);
    CHECK_INT(message.capacity, LDC_COMMAND_LIMIT);
    CHECK_INVALID("a command set of more than 65536 bytes on presentation context 9");
}

TEST(reserved_control_bits_are_not_looked_at)
{
    uint8_t bytes[ECHO];
    ldc_message message;

    echo_set(bytes);
    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, 0xFF, bytes, ECHO), LDC_MESSAGE_COMPLETE);
    ldc_message_free(&message);
}

TEST(what_was_taken_outlives_the_next_message)
{
    ldc_message message;
    ldc_command command, other;
    uint8_t *bytes = NULL;
    size_t length = 0;

    ldc_message_init(&message);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    ldc_message_take(&message, &command, &bytes, &length);
    CHECK_INT(feed(&message, 1, DL, store, 4), LDC_MESSAGE_COMPLETE);
    CHECK_INT(feed(&message, 1, CL, store, STORE), LDC_MESSAGE_COMMAND);
    ldc_message_take(&message, &other, NULL, NULL);
    CHECK_INT(feed(&message, 3, DL, store, 4), LDC_MESSAGE_FAILED);
    CHECK_STR(message.fault.text, /* still knows the name */
              "a fragment on presentation context 3 inside the data set of C-STORE-RQ on 1");
    ldc_message_free(&message);
    CHECK_INT(command.message_id, 9);
    CHECK_INT(other.message_id, 9);
    CHECK_INT(length, STORE);
    CHECK(bytes != NULL && memcmp(bytes, store, STORE) == 0);
    ldc_command_free(&command);
    ldc_command_free(&other);
    free(bytes);
}

/* ---- cutting up ---- */

static void check_header(const ldc_fragment *fragment, const char *bytes, size_t length)
{
    CHECK_INT(fragment->header_length, length);
    CHECK(memcmp(fragment->header, bytes, length) == 0);
}

TEST(a_small_message_is_one_pdu_of_two_pdvs)
{
    ldc_fragmenter fragmenter;
    ldc_fragment fragments[2];

    CHECK(ldc_fragmenter_init(&fragmenter, 5, 90, true, 300, 16384));
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 2);
    check_header(&fragments[0], "\4\0\0\0\1\222\0\0\0\134\5\3", 12); /* 402; 92 */
    CHECK(fragments[0].command && fragments[0].last);
    CHECK_INT(fragments[0].offset, 0);
    CHECK_INT(fragments[0].length, 90);
    check_header(&fragments[1], "\0\0\1\56\5\2", 6); /* 302 */
    CHECK(!fragments[1].command && fragments[1].last);
    CHECK_INT(fragments[1].offset, 0);
    CHECK_INT(fragments[1].length, 300);
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 0);
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 0);
}

TEST(a_message_without_a_data_set_is_one_pdv)
{
    ldc_fragmenter fragmenter;
    ldc_fragment fragments[2];

    CHECK(ldc_fragmenter_init(&fragmenter, 255, 68, false, 999, 0));
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 1);
    check_header(&fragments[0], "\4\0\0\0\0\112\0\0\0\106\377\3", 12); /* 74; 70 */
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 0);
}

TEST(an_empty_data_set_is_an_empty_last_pdv)
{
    ldc_fragmenter fragmenter;
    ldc_fragment fragments[2];

    CHECK(ldc_fragmenter_init(&fragmenter, 1, 68, true, 0, 0));
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 2);
    check_header(&fragments[0], "\4\0\0\0\0\120\0\0\0\106\1\3", 12); /* 80; 70 */
    check_header(&fragments[1], "\0\0\0\2\1\2", 6);
    CHECK_INT(fragments[1].length, 0);
    CHECK(fragments[1].last);
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 0);
    /* No room for its header beside the command: a PDU of its own. */
    CHECK(ldc_fragmenter_init(&fragmenter, 1, 68, true, 0, 79));
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 1);
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 1);
    check_header(&fragments[0], "\4\0\0\0\0\6\0\0\0\2\1\2", 12);
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 0);
}

TEST(no_announced_maximum_means_pdus_of_128_kib_and_a_huge_one_of_1_mib)
{
    static const struct {
        uint32_t announced, sent;
    } cases[] = {{0, 131072}, {16384, 16384}, {1048576, 1048576}, {0xFFFFFFFF, 1048576}};
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        ldc_fragmenter fragmenter;
        ldc_fragment fragments[2];
        uint64_t sent = 0, pdus = 0, length = (uint64_t)5 << 30; /* more than 32 bits hold */

        CHECK(ldc_fragmenter_init(&fragmenter, 1, 90, true, length, cases[i].announced));
        CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 2);
        CHECK_INT(fragments[0].length + fragments[1].length + 12, cases[i].sent);
        sent = fragments[1].length;
        while (ldc_fragmenter_next(&fragmenter, fragments) == 1) {
            if (fragments[0].offset != sent || fragments[0].length % 2 != 0 ||
                (!fragments[0].last && fragments[0].length != cases[i].sent - 6)) {
                CHECK(0);
                return;
            }
            sent += fragments[0].length;
            pdus++;
        }
        CHECK_INT(sent, length);
        CHECK(fragments[0].last);
        CHECK(pdus > 5000);
    }
}

TEST(a_maximum_without_room_for_data_is_refused)
{
    ldc_fragmenter fragmenter;
    ldc_fragment fragments[2];
    uint32_t maximum;

    for (maximum = 1; maximum < LDC_FRAGMENT_LEAST; maximum++) {
        CHECK(!ldc_fragmenter_init(&fragmenter, 1, 90, true, 300, maximum));
        CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 0);
    }
    CHECK(!ldc_fragmenter_init(&fragmenter, 1, 0, true, 300, 0));
    CHECK_INT(ldc_fragmenter_next(&fragmenter, fragments), 0);
}

/* Writes the PDUs as a socket would see them; gives their length. */
static size_t written(ldc_fragmenter *fragmenter, const uint8_t *data, uint8_t *wire, size_t size)
{
    ldc_fragment fragments[2];
    size_t at = 0, count, i;

    while ((count = ldc_fragmenter_next(fragmenter, fragments)) > 0) {
        for (i = 0; i < count; i++) {
            const uint8_t *part = fragments[i].command ? store : data;

            if (!CHECK(at + fragments[i].header_length + fragments[i].length <= size))
                return 0;
            memcpy(wire + at, fragments[i].header, fragments[i].header_length);
            at += fragments[i].header_length;
            memcpy(wire + at, part + fragments[i].offset, fragments[i].length);
            at += fragments[i].length;
        }
    }
    return at;
}

static uint32_t u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Takes the PDUs apart again, by PS3.8 §9.3.5, and feeds the PDVs. */
static ldc_message_result read_back(ldc_message *message, pool *basin, const uint8_t *wire,
                                    size_t length, uint32_t maximum)
{
    ldc_message_result result = LDC_MESSAGE_MORE;
    size_t at = 0;

    while (at < length) {
        size_t end = at + 6 + u32(wire + at + 2);

        CHECK_INT(wire[at], 4);
        CHECK(u32(wire + at + 2) <= maximum && end <= length);
        for (at += 6; at < end;) {
            uint32_t item = u32(wire + at);

            CHECK(result != LDC_MESSAGE_COMPLETE);
            CHECK(item >= 2 && at + 4 + item <= end);
            result = feed(message, wire[at + 4], wire[at + 5], wire + at + 6, item - 2);
            if (result == LDC_MESSAGE_COMMAND)
                ldc_message_set_sink(message, pour, basin);
            at += 4 + item;
        }
    }
    return result;
}

TEST(what_is_cut_up_for_any_maximum_is_put_together_again)
{
    static pool basin;
    static uint8_t data[400], wire[20000];
    uint32_t maximum;
    size_t length;

    for (length = 0; length < sizeof data; length++)
        data[length] = (uint8_t)(length * 7);
    for (maximum = LDC_FRAGMENT_LEAST; maximum < 560; maximum++) {
        static const size_t lengths[] = {0, 1, 2, 3, 10, 255, 400};
        size_t i, on_wire;

        for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            ldc_fragmenter fragmenter;
            ldc_message message;

            memset(&basin, 0, sizeof basin);
            ldc_message_init(&message);
            CHECK(ldc_fragmenter_init(&fragmenter, 11, STORE, true, lengths[i], maximum));
            on_wire = written(&fragmenter, data, wire, sizeof wire);
            CHECK_INT(read_back(&message, &basin, wire, on_wire, maximum), LDC_MESSAGE_COMPLETE);
            CHECK_INT(message.context, 11);
            CHECK_INT(message.command_length, STORE);
            CHECK_INT(basin.length, lengths[i]);
            CHECK_INT(basin.lasts, 1);
            CHECK(memcmp(basin.bytes, data, lengths[i]) == 0);
            ldc_message_free(&message);
        }
    }
}
