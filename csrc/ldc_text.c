/*
 * ldc_text.c - a growable string (ldc_text.h says the rules).
 */
#include "ldc_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for the usual text of a certificate (about 900 bytes) after one growth. */
#define FIRST_CAPACITY 512

void ldc_text_init(ldc_text *text)
{
    *text = (ldc_text){NULL, 0, 0, false};
}

void ldc_text_free(ldc_text *text)
{
    free(text->bytes);
    ldc_text_init(text);
}

static void fail(ldc_text *text)
{
    ldc_text_free(text);
    text->failed = true;
}

/* Makes room for `more` bytes and the NUL. Doubles, so that appending byte by byte stays linear. */
static bool reserve(ldc_text *text, size_t more)
{
    size_t capacity = text->capacity == 0 ? FIRST_CAPACITY : text->capacity;
    size_t needed;
    char *bytes;

    if (text->failed)
        return false;
    if (more > LDC_TEXT_LIMIT - text->length) {
        fail(text);
        return false;
    }
    needed = text->length + more + 1;
    if (needed <= text->capacity)
        return true;
    while (capacity < needed)
        capacity *= 2; /* cannot overflow: needed is at most LDC_TEXT_LIMIT + 1 */
    if (capacity > LDC_TEXT_LIMIT + 1)
        capacity = LDC_TEXT_LIMIT + 1; /* so that room in memory is never room past the limit */
    bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        fail(text);
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void ldc_text_append(ldc_text *text, const char *bytes, size_t length)
{
    if (length == 0 || !reserve(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void ldc_text_append_string(ldc_text *text, const char *string)
{
    ldc_text_append(text, string, strlen(string));
}

void ldc_text_printf(ldc_text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    ldc_text_vprintf(text, format, arguments);
    va_end(arguments);
}

void ldc_text_vprintf(ldc_text *text, const char *format, va_list arguments)
{
    va_list again;
    size_t room;
    int length;

    if (!reserve(text, 0))
        return;
    room = text->capacity - text->length;
    va_copy(again, arguments);
    length = vsnprintf(text->bytes + text->length, room, format, arguments);
    if (length < 0) {
        fail(text);
    } else if ((size_t)length < room) {
        text->length += (size_t)length;
    } else if (reserve(text, (size_t)length)) {
        /* It did not fit; now it does. */
        length = vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        if (length < 0)
            fail(text);
        else
            text->length += (size_t)length;
    }
    va_end(again);
}

/* Decodes one character; 0 when the bytes are not valid UTF-8 (RFC 3629, section 4, table of
 * well-formed sequences). */
static size_t decode_utf8(const unsigned char *bytes, size_t length, uint32_t *character)
{
    unsigned char lowest = 0x80, highest = 0xBF; /* of the second byte */
    size_t size, i;

    if (bytes[0] < 0x80) {
        *character = bytes[0];
        return 1;
    }
    if (bytes[0] >= 0xC2 && bytes[0] <= 0xDF) {
        size = 2;
        *character = bytes[0] & 0x1Fu;
    } else if ((bytes[0] & 0xF0) == 0xE0) {
        size = 3;
        *character = bytes[0] & 0x0Fu;
        if (bytes[0] == 0xE0)
            lowest = 0xA0; /* below: overlong */
        else if (bytes[0] == 0xED)
            highest = 0x9F; /* above: surrogates */
    } else if (bytes[0] >= 0xF0 && bytes[0] <= 0xF4) {
        size = 4;
        *character = bytes[0] & 0x07u;
        if (bytes[0] == 0xF0)
            lowest = 0x90; /* below: overlong */
        else if (bytes[0] == 0xF4)
            highest = 0x8F; /* above: not Unicode */
    } else {
        return 0;
    }
    if (size > length || bytes[1] < lowest || bytes[1] > highest)
        return 0;
    for (i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        *character = *character << 6 | (bytes[i] & 0x3Fu);
    }
    return size;
}

static bool is_printable(uint32_t character)
{
    if (character < 0x20 || (character >= 0x7F && character <= 0x9F))
        return false;
    return !(character >= 0x2028 && character <= 0x202E) &&
           !(character >= 0x2066 && character <= 0x2069);
}

void ldc_text_append_printable(ldc_text *text, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *octets = (const unsigned char *)bytes;
    size_t plain = 0; /* start of the printable run that ends at i */
    size_t i = 0;

    while (i < length) {
        uint32_t character = 0;
        size_t size = decode_utf8(octets + i, length - i, &character);
        size_t end;

        if (size != 0 && is_printable(character)) {
            i += size;
            continue;
        }
        ldc_text_append(text, bytes + plain, i - plain);
        for (end = i + (size == 0 ? 1 : size); i < end; i++) {
            char escaped[3] = {'\\', digits[octets[i] >> 4], digits[octets[i] & 0x0F]};

            ldc_text_append(text, escaped, sizeof escaped);
        }
        plain = i;
    }
    ldc_text_append(text, bytes + plain, length - plain);
}

char *ldc_text_take(ldc_text *text)
{
    char *bytes = NULL;

    if (reserve(text, 0)) {
        bytes = text->bytes;
        bytes[text->length] = '\0'; /* nothing was ever appended, perhaps */
    }
    ldc_text_init(text);
    return bytes;
}
