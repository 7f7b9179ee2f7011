/*
 * ldc_bytes.c - bytes in and out (ldc_bytes.h says the rules).
 */
#include "ldc_bytes.h"

#include <stdlib.h>
#include <string.h>

/* Room for a usual A-ASSOCIATE-RQ after one growth. */
#define FIRST_CAPACITY 512

/* ---- reader ---- */

ldc_reader ldc_reader_of(const void *bytes, size_t length)
{
    return (ldc_reader){bytes, length, 0, 0, false};
}

size_t ldc_reader_left(const ldc_reader *reader)
{
    return reader->length - reader->at;
}

size_t ldc_reader_offset(const ldc_reader *reader)
{
    return reader->origin + reader->at;
}

const uint8_t *ldc_read_bytes(ldc_reader *reader, size_t length)
{
    static const uint8_t nothing;

    if (reader->failed || length > ldc_reader_left(reader)) {
        reader->failed = true;
        reader->at = reader->length;
        return NULL;
    }
    if (length == 0) {
        return &nothing; /* a reader over NULL, too */
    }
    const uint8_t *bytes = reader->bytes + reader->at;
    reader->at += length;
    return bytes;
}

void ldc_read_skip(ldc_reader *reader, size_t length)
{
    (void)ldc_read_bytes(reader, length);
}

ldc_reader ldc_read_sub(ldc_reader *reader, size_t length)
{
    size_t origin = ldc_reader_offset(reader);
    const uint8_t *bytes = ldc_read_bytes(reader, length);

    if (bytes == NULL) {
        return (ldc_reader){NULL, 0, 0, origin, true};
    }
    return (ldc_reader){bytes, length, 0, origin, false};
}

uint8_t ldc_read_u8(ldc_reader *reader)
{
    const uint8_t *bytes = ldc_read_bytes(reader, 1);

    return bytes == NULL ? 0 : bytes[0];
}

uint16_t ldc_read_u16_be(ldc_reader *reader)
{
    const uint8_t *bytes = ldc_read_bytes(reader, 2);

    return bytes == NULL ? 0 : (uint16_t)(bytes[0] << 8 | bytes[1]);
}

uint32_t ldc_read_u32_be(ldc_reader *reader)
{
    const uint8_t *bytes = ldc_read_bytes(reader, 4);

    return bytes == NULL ? 0
                         : (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                               (uint32_t)bytes[2] << 8 | bytes[3];
}

uint16_t ldc_read_u16_le(ldc_reader *reader)
{
    const uint8_t *bytes = ldc_read_bytes(reader, 2);

    return bytes == NULL ? 0 : (uint16_t)(bytes[1] << 8 | bytes[0]);
}

uint32_t ldc_read_u32_le(ldc_reader *reader)
{
    const uint8_t *bytes = ldc_read_bytes(reader, 4);

    return bytes == NULL ? 0
                         : (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 |
                               (uint32_t)bytes[1] << 8 | bytes[0];
}

/* ---- writer ---- */

void ldc_writer_init(ldc_writer *writer, size_t limit)
{
    *writer = (ldc_writer){NULL, 0, 0, limit, LDC_WRITER_GOOD};
}

void ldc_writer_free(ldc_writer *writer)
{
    free(writer->bytes);
    ldc_writer_init(writer, writer->limit);
}

static void fail(ldc_writer *writer, ldc_writer_fault fault)
{
    ldc_writer_free(writer);
    writer->fault = fault;
}

/* Room for `more` bytes, which the caller fills: NULL when there is none. Doubles, so that writing
 * byte by byte stays linear. */
static uint8_t *extend(ldc_writer *writer, size_t more)
{
    if (writer->fault != LDC_WRITER_GOOD) {
        return NULL;
    }
    if (more > writer->limit - writer->length) {
        fail(writer, LDC_WRITER_TOO_LONG);
        return NULL;
    }
    size_t needed = writer->length + more;
    if (needed > writer->capacity) {
        size_t capacity = writer->capacity == 0 ? FIRST_CAPACITY : writer->capacity;
        while (capacity < needed) {
            capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
        }
        if (capacity > writer->limit) {
            capacity = writer->limit; /* not below needed: checked above */
        }
        uint8_t *bytes = realloc(writer->bytes, capacity);
        if (bytes == NULL) {
            fail(writer, LDC_WRITER_MEMORY);
            return NULL;
        }
        writer->bytes = bytes;
        writer->capacity = capacity;
    }
    uint8_t *room = writer->bytes + writer->length;
    writer->length = needed;
    return room;
}

void ldc_write_bytes(ldc_writer *writer, const void *bytes, size_t length)
{
    uint8_t *room = length == 0 ? NULL : extend(writer, length);

    if (room != NULL) {
        memcpy(room, bytes, length);
    }
}

void ldc_write_fill(ldc_writer *writer, uint8_t value, size_t count)
{
    uint8_t *room = count == 0 ? NULL : extend(writer, count);

    if (room != NULL) {
        memset(room, value, count);
    }
}

void ldc_write_u8(ldc_writer *writer, uint8_t value)
{
    ldc_write_bytes(writer, &value, 1);
}

static void put_u16_be(uint8_t *room, uint32_t value)
{
    room[0] = (uint8_t)(value >> 8);
    room[1] = (uint8_t)value;
}

static void put_u32_be(uint8_t *room, uint32_t value)
{
    put_u16_be(room, value >> 16);
    put_u16_be(room + 2, value);
}

static void put_u32_le(uint8_t *room, uint32_t value)
{
    room[0] = (uint8_t)value;
    room[1] = (uint8_t)(value >> 8);
    room[2] = (uint8_t)(value >> 16);
    room[3] = (uint8_t)(value >> 24);
}

void ldc_write_u16_be(ldc_writer *writer, uint16_t value)
{
    uint8_t *room = extend(writer, 2);

    if (room != NULL) {
        put_u16_be(room, value);
    }
}

void ldc_write_u32_be(ldc_writer *writer, uint32_t value)
{
    uint8_t *room = extend(writer, 4);

    if (room != NULL) {
        put_u32_be(room, value);
    }
}

void ldc_write_u16_le(ldc_writer *writer, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

    ldc_write_bytes(writer, bytes, sizeof bytes);
}

void ldc_write_u32_le(ldc_writer *writer, uint32_t value)
{
    uint8_t *room = extend(writer, 4);

    if (room != NULL) {
        put_u32_le(room, value);
    }
}

size_t ldc_write_begin_u16_be(ldc_writer *writer)
{
    ldc_write_u16_be(writer, 0);
    return writer->length;
}

size_t ldc_write_begin_u32_be(ldc_writer *writer)
{
    ldc_write_u32_be(writer, 0);
    return writer->length;
}

size_t ldc_write_begin_u32_le(ldc_writer *writer)
{
    ldc_write_u32_le(writer, 0);
    return writer->length;
}

/* How much came after the field; the field's first byte, or NULL when the writer has failed, which
 * a mark from before the failure may meet. */
static uint8_t *field_of(ldc_writer *writer, size_t mark, size_t size, size_t most, size_t *count)
{
    if (writer->fault != LDC_WRITER_GOOD) {
        return NULL;
    }
    *count = writer->length - mark;
    if (*count > most) {
        fail(writer, LDC_WRITER_TOO_LONG);
        return NULL;
    }
    return writer->bytes + mark - size;
}

void ldc_write_end_u16_be(ldc_writer *writer, size_t mark)
{
    size_t count = 0;
    uint8_t *field = field_of(writer, mark, 2, UINT16_MAX, &count);

    if (field != NULL) {
        put_u16_be(field, (uint32_t)count);
    }
}

void ldc_write_end_u32_be(ldc_writer *writer, size_t mark)
{
    size_t count = 0;
    uint8_t *field = field_of(writer, mark, 4, UINT32_MAX, &count);

    if (field != NULL) {
        put_u32_be(field, (uint32_t)count);
    }
}

void ldc_write_end_u32_le(ldc_writer *writer, size_t mark)
{
    size_t count = 0;
    uint8_t *field = field_of(writer, mark, 4, UINT32_MAX, &count);

    if (field != NULL) {
        put_u32_le(field, (uint32_t)count);
    }
}

uint8_t *ldc_writer_take(ldc_writer *writer, size_t *length, ldc_writer_fault *fault)
{
    uint8_t *bytes = writer->bytes;

    *length = writer->length;
    *fault = writer->fault;
    ldc_writer_init(writer, writer->limit);
    return bytes;
}
