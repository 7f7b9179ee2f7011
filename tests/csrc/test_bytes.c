/* Unit tests of the reader and the writer (ldc_bytes.h). */
#include "ldc_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

TEST(numbers_are_read_in_both_byte_orders)
{
    static const uint8_t bytes[] = {0xFF, 0x01, 0x02, 0x80, 0x00, 0x00, 0x01,
                                    0x01, 0x02, 0x80, 0x00, 0x00, 0x01};
    ldc_reader reader = ldc_reader_of(bytes, sizeof bytes);

    CHECK_INT(ldc_read_u8(&reader), 0xFF);
    CHECK_INT(ldc_read_u16_be(&reader), 0x0102);
    CHECK_INT(ldc_read_u32_be(&reader), 0x80000001);
    CHECK_INT(ldc_read_u16_le(&reader), 0x0201);
    CHECK_INT(ldc_read_u32_le(&reader), 0x01000080);
    CHECK_INT(ldc_reader_left(&reader), 0);
    CHECK(!reader.failed);
}

TEST(reading_past_the_end_fails_once_and_for_all)
{
    static const uint8_t bytes[] = {1, 2, 3};
    ldc_reader reader = ldc_reader_of(bytes, sizeof bytes);

    CHECK_INT(ldc_read_u32_be(&reader), 0);
    CHECK(reader.failed);
    CHECK_INT(ldc_reader_left(&reader), 0);
    CHECK_INT(ldc_read_u8(&reader), 0);
    CHECK(ldc_read_bytes(&reader, 0) == NULL);
}

TEST(an_empty_reader_gives_nothing_and_has_not_failed)
{
    ldc_reader reader = ldc_reader_of(NULL, 0);

    CHECK(ldc_read_bytes(&reader, 0) != NULL);
    ldc_reader sub = ldc_read_sub(&reader, 0);
    CHECK(!sub.failed && !reader.failed);
    ldc_read_skip(&reader, 1);
    CHECK(reader.failed);
}

TEST(huge_lengths_do_not_wrap_around)
{
    static const uint8_t bytes[] = {1, 2, 3};
    ldc_reader reader = ldc_reader_of(bytes, sizeof bytes);

    ldc_read_skip(&reader, 2);
    CHECK(ldc_read_bytes(&reader, SIZE_MAX) == NULL);
    CHECK(reader.failed);
}

TEST(a_sub_reader_sees_its_part_only_and_fails_alone)
{
    static const uint8_t bytes[] = {9, 1, 2, 3, 8};
    ldc_reader reader = ldc_reader_of(bytes, sizeof bytes);

    ldc_read_skip(&reader, 1);
    ldc_reader sub = ldc_read_sub(&reader, 3);
    CHECK_INT(ldc_reader_offset(&sub), 1);
    CHECK_INT(ldc_read_u16_be(&sub), 0x0102);
    CHECK_INT(ldc_reader_offset(&sub), 3);
    CHECK_INT(ldc_read_u16_be(&sub), 0);
    CHECK(sub.failed);
    CHECK(!reader.failed);
    CHECK_INT(ldc_reader_offset(&reader), 4);
    CHECK_INT(ldc_read_u8(&reader), 8);
}

TEST(a_sub_reader_past_the_parent_fails_with_it)
{
    static const uint8_t bytes[] = {1, 2, 3, 4};
    ldc_reader reader = ldc_reader_of(bytes, sizeof bytes);
    ldc_reader sub = ldc_read_sub(&reader, 2);
    ldc_reader deep = ldc_read_sub(&sub, 3); /* is in the outermost, not in the one around it */

    CHECK(deep.failed && sub.failed);
    CHECK(!reader.failed);
    CHECK_INT(ldc_read_u16_be(&reader), 0x0304);
}

static void check_written(ldc_writer *writer, const void *expected, size_t length)
{
    ldc_writer_fault fault;
    size_t count = 0;
    uint8_t *bytes = ldc_writer_take(writer, &count, &fault);

    CHECK_INT(fault, LDC_WRITER_GOOD);
    if (CHECK_INT(count, length)) {
        CHECK(length == 0 || memcmp(bytes, expected, length) == 0);
    }
    free(bytes);
}

TEST(numbers_are_written_in_both_byte_orders)
{
    static const uint8_t expected[] = {0xFF, 0x01, 0x02, 0x80, 0x00, 0x00, 0x01, 0x02, 0x01,
                                       0x01, 0x00, 0x00, 0x80, 'a',  'b',  7,    7,    7};
    ldc_writer writer;

    ldc_writer_init(&writer, 100);
    ldc_write_u8(&writer, 0xFF);
    ldc_write_u16_be(&writer, 0x0102);
    ldc_write_u32_be(&writer, 0x80000001);
    ldc_write_u16_le(&writer, 0x0102);
    ldc_write_u32_le(&writer, 0x80000001);
    ldc_write_bytes(&writer, "ab", 2);
    ldc_write_bytes(&writer, NULL, 0);
    ldc_write_fill(&writer, 7, 3);
    check_written(&writer, expected, sizeof expected);
}

TEST(an_untouched_writer_gives_nothing_and_needs_no_free)
{
    ldc_writer writer;

    ldc_writer_init(&writer, 0);
    check_written(&writer, "", 0);
}

TEST(lengths_are_filled_in_afterwards_also_nested)
{
    static const uint8_t expected[] = {0, 0, 0, 11, 0, 1, 'x', 4, 0, 0, 0, 'a', 'b', 'c', 'd'};
    ldc_writer writer;

    ldc_writer_init(&writer, 100);
    size_t outer = ldc_write_begin_u32_be(&writer);
    size_t first = ldc_write_begin_u16_be(&writer);
    ldc_write_u8(&writer, 'x');
    ldc_write_end_u16_be(&writer, first);
    size_t second = ldc_write_begin_u32_le(&writer);
    ldc_write_bytes(&writer, "abcd", 4);
    ldc_write_end_u32_le(&writer, second);
    ldc_write_end_u32_be(&writer, outer);
    check_written(&writer, expected, sizeof expected);
}

TEST(sixteen_bits_of_length_hold_65535_and_not_65536)
{
    for (size_t length = 65535; length <= 65536; length++) {
        ldc_writer writer;

        ldc_writer_init(&writer, 1 << 20);
        size_t mark = ldc_write_begin_u16_be(&writer);
        ldc_write_fill(&writer, 0, length);
        ldc_write_end_u16_be(&writer, mark);
        if (length == 65535) {
            CHECK_INT(writer.fault, LDC_WRITER_GOOD);
            CHECK_INT(writer.bytes[0] << 8 | writer.bytes[1], 65535);
        } else {
            CHECK_INT(writer.fault, LDC_WRITER_TOO_LONG);
        }
        ldc_writer_free(&writer);
    }
}

TEST(the_limit_is_exact_and_failure_is_sticky)
{
    ldc_writer writer;
    ldc_writer_fault fault;
    size_t length = 1;

    ldc_writer_init(&writer, 5);
    ldc_write_fill(&writer, 1, 5);
    CHECK_INT(writer.fault, LDC_WRITER_GOOD);
    CHECK_INT(writer.length, 5);
    ldc_write_u8(&writer, 1);
    CHECK_INT(writer.fault, LDC_WRITER_TOO_LONG);
    CHECK(writer.bytes == NULL);
    ldc_write_bytes(&writer, "x", 1);
    size_t mark = ldc_write_begin_u16_be(&writer);
    ldc_write_end_u16_be(&writer, mark);
    ldc_write_end_u32_le(&writer, 4); /* a mark from before the failure */
    CHECK(ldc_writer_take(&writer, &length, &fault) == NULL);
    CHECK_INT(fault, LDC_WRITER_TOO_LONG);
    CHECK_INT(length, 0);
    ldc_write_u8(&writer, 1); /* as new */
    CHECK_INT(writer.length, 1);
    ldc_writer_free(&writer);
}

TEST(a_length_that_would_wrap_around_is_too_long)
{
    ldc_writer writer;

    ldc_writer_init(&writer, SIZE_MAX);
    ldc_write_u8(&writer, 1);
    ldc_write_fill(&writer, 0, SIZE_MAX);
    CHECK_INT(writer.fault, LDC_WRITER_TOO_LONG);
}

TEST(growing_keeps_what_is_written)
{
    ldc_writer writer;

    ldc_writer_init(&writer, 1 << 20);
    for (uint32_t i = 0; i < 100000; i++) {
        ldc_write_u32_le(&writer, i);
    }
    ldc_reader reader = ldc_reader_of(writer.bytes, writer.length);
    for (uint32_t i = 0; i < 100000; i++) {
        if (!CHECK_INT(ldc_read_u32_le(&reader), i)) {
            break;
        }
    }
    ldc_writer_free(&writer);
}
