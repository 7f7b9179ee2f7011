/*
 * ldc_bytes.h - bytes in and out: a bounded reader and a growable writer, for every format of the
 * wire (PDUs big-endian, command sets little-endian).
 *
 * The one rule: reading and writing never fail at the call. The first failure is remembered, later
 * calls do nothing and give zeros, and the caller looks once, at the end. So a parser reads like
 * the table in the standard.
 *
 * Not thread safe: readers and writers belong to the function that makes them.
 */
#ifndef LDC_BYTES_H
#define LDC_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- reader ---- */

typedef struct ldc_reader {
    const uint8_t *bytes; /* lent: has to outlive the reader and all its sub-readers */
    size_t length;
    size_t at;
    size_t origin; /* where bytes[0] stands in the outermost reader, for messages */
    bool failed;   /* something was read that is not there; nothing is left then */
} ldc_reader;

/* Makes a reader over `length` bytes; `bytes` may be NULL when `length` is 0. */
ldc_reader ldc_reader_of(const void *bytes, size_t length);

/* Bytes not read yet, and the offset of the next one in the outermost reader. */
size_t ldc_reader_left(const ldc_reader *reader);
size_t ldc_reader_offset(const ldc_reader *reader);

/* Numbers; 0 when there are not enough bytes, and the reader has failed then. */
uint8_t ldc_read_u8(ldc_reader *reader);
uint16_t ldc_read_u16_be(ldc_reader *reader);
uint32_t ldc_read_u32_be(ldc_reader *reader);
uint16_t ldc_read_u16_le(ldc_reader *reader);
uint32_t ldc_read_u32_le(ldc_reader *reader);

/* The next `length` bytes, lent, not copied. NULL: not there. */
const uint8_t *ldc_read_bytes(ldc_reader *reader, size_t length);
void ldc_read_skip(ldc_reader *reader, size_t length);

/* A reader over the next `length` bytes, which are read here. It can never see what follows them,
 * and its failures are its own. Not enough bytes: both have failed. */
ldc_reader ldc_read_sub(ldc_reader *reader, size_t length);

/* ---- writer ---- */

typedef enum ldc_writer_fault {
    LDC_WRITER_GOOD = 0,
    LDC_WRITER_MEMORY,  /* out of memory */
    LDC_WRITER_TOO_LONG /* past the writer's limit, or a length does not fit its field */
} ldc_writer_fault;

typedef struct ldc_writer {
    uint8_t *bytes; /* own, from malloc; NULL while empty or failed */
    size_t length;
    size_t capacity;
    size_t limit; /* never more bytes than this */
    ldc_writer_fault fault;
} ldc_writer;

/* Makes an empty writer. Takes no memory; one that was only initialised need not be freed. */
void ldc_writer_init(ldc_writer *writer, size_t limit);

void ldc_write_u8(ldc_writer *writer, uint8_t value);
void ldc_write_u16_be(ldc_writer *writer, uint16_t value);
void ldc_write_u32_be(ldc_writer *writer, uint32_t value);
void ldc_write_u16_le(ldc_writer *writer, uint16_t value);
void ldc_write_u32_le(ldc_writer *writer, uint32_t value);
/* `bytes` must not point into the writer; it may be NULL when `length` is 0. */
void ldc_write_bytes(ldc_writer *writer, const void *bytes, size_t length);
void ldc_write_fill(ldc_writer *writer, uint8_t value, size_t count);

/* Lengths that stand before what they count: begin writes the field and gives a mark, end puts in
 * how many bytes came after the field. Pairs may be nested. A length that does not fit the field is
 * LDC_WRITER_TOO_LONG. */
size_t ldc_write_begin_u16_be(ldc_writer *writer);
size_t ldc_write_begin_u32_be(ldc_writer *writer);
size_t ldc_write_begin_u32_le(ldc_writer *writer);
void ldc_write_end_u16_be(ldc_writer *writer, size_t mark);
void ldc_write_end_u32_be(ldc_writer *writer, size_t mark);
void ldc_write_end_u32_le(ldc_writer *writer, size_t mark);

/* Gives the bytes away: the caller frees them with free(). NULL: failed, `fault` says why, or
 * nothing was written. The writer is empty afterwards, with the same limit. */
uint8_t *ldc_writer_take(ldc_writer *writer, size_t *length, ldc_writer_fault *fault);

/* Frees what the writer holds; it is as after ldc_writer_init then, with the same limit. */
void ldc_writer_free(ldc_writer *writer);

#endif
