/* ldc_part10.c - see ldc_part10.h. */
#include "ldc_part10.h"

#include <string.h>

#include "ldc_associate.h"
#include "ldc_bytes.h"
#include "ltdic.h"

#ifndef LTDIC_VERSION
#error "LTDIC_VERSION is set by the build (setup.py)"
#endif

enum {
    PREAMBLE = 128,
    SHORT_HEADER = 8,
    LONG_HEADER = 12,
    LOOKED_AT = 3 /* elements that have to look right for a guess */
};

static const uint32_t undefined_length = 0xFFFFFFFF;

/* ---- elements ---- */

typedef struct element {
    uint16_t group, number;
    size_t header;   /* bytes before the value */
    uint32_t length; /* of the value; undefined_length is possible */
} element;

static uint16_t read_16(const uint8_t *bytes, bool big)
{
    return big ? (uint16_t)(bytes[0] << 8 | bytes[1]) : (uint16_t)(bytes[1] << 8 | bytes[0]);
}

static uint32_t read_32(const uint8_t *bytes, bool big)
{
    uint32_t first = read_16(bytes, big), second = read_16(bytes + 2, big);
    return big ? first << 16 | second : second << 16 | first;
}

/* Whether list, two letters for each, has the VR. */
static bool is_one_of(const uint8_t *vr, const char *list)
{
    for (; *list != '\0'; list += 2) {
        if (memcmp(vr, list, 2) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_long_vr(const uint8_t *vr) /* PS3.5 §7.1.2: with a length of 32 bits */
{
    return is_one_of(vr, "OBODOFOLOVOWSQSVUCUNURUTUV");
}

static bool is_vr(const uint8_t *vr)
{
    return is_long_vr(vr) || is_one_of(vr, "AEASATCSDADSDTFDFLISLOLTPNSHSLSSSTTMUIULUS");
}

/* The header of the element at `at`, at most what length bytes hold. GOOD: its value lies within
 * `total` bytes, or has an undefined length. MORE: the header is not in the bytes given, but may be
 * in the file. BAD: it is no element, or its value ends past the file. */
static ldc_part10_result read_element(const uint8_t *bytes, size_t length, uint64_t at,
                                      uint64_t total, unsigned form, element *found)
{
    bool big = (form & DS_BIG_ENDIAN) != 0;
    if (at > total || total - at < SHORT_HEADER) {
        return LDC_PART10_BAD;
    }
    if (at > length || length - at < SHORT_HEADER) {
        return LDC_PART10_MORE;
    }
    const uint8_t *header = bytes + at;
    found->group = read_16(header, big);
    found->number = read_16(header + 2, big);
    bool implicit = (form & DS_IMPLICIT_VR) != 0;
    bool is_long = !implicit && is_long_vr(header + 4);
    found->header = is_long ? LONG_HEADER : SHORT_HEADER;
    if (total - at < found->header || (!implicit && !is_vr(header + 4))) {
        return LDC_PART10_BAD;
    }
    if (length - at < found->header) {
        return LDC_PART10_MORE;
    }
    found->length = implicit || is_long ? read_32(header + found->header - 4, big)
                                        : read_16(header + found->header - 2, big);
    if (found->length != undefined_length && found->length > total - at - found->header) {
        return LDC_PART10_BAD;
    }
    return LDC_PART10_GOOD;
}

/* The UID without its padding, if it is one. */
static bool take_uid(const uint8_t *value, size_t length, char uid[LDC_UID_SIZE])
{
    const char *text = (const char *)value;
    while (length > 0 && (text[length - 1] == '\0' || text[length - 1] == ' ')) {
        length--;
    }
    if (!ldc_uid_valid(text, length)) {
        return false;
    }
    ldc_uid_set(uid, text, length);
    return true;
}

/* ---- data sets ---- */

unsigned ldc_part10_form(const char *syntax)
{
    if (strcmp(syntax, LDC_IMPLICIT_LITTLE) == 0) {
        return DS_LITTLE_ENDIAN | DS_IMPLICIT_VR;
    }
    if (strcmp(syntax, LDC_EXPLICIT_BIG) == 0) {
        return DS_BIG_ENDIAN | DS_EXPLICIT_VR;
    }
    return DS_LITTLE_ENDIAN | DS_EXPLICIT_VR;
}

/* Tags ascend, groups are even and those of a data set, every value fits: so far nothing else but a
 * data set passed. After a group 0002 there is a data set for sure, and old private groups may come
 * first. */
static bool looks_like(const uint8_t *bytes, size_t length, uint64_t total, unsigned form,
                       bool sure)
{
    uint64_t at = 0;
    uint32_t before = 0;
    for (int i = 0; i < LOOKED_AT && at < total; i++) {
        element next;
        ldc_part10_result result = read_element(bytes, length, at, total, form, &next);
        if (result != LDC_PART10_GOOD) {
            return result == LDC_PART10_MORE && i > 0;
        }
        uint32_t tag = (uint32_t)next.group << 16 | next.number;
        /* PS3.10 §7.1, PS3.7 §6.3.1: 0000 and 0002 are no groups of a data set; odd ones are
         * private and never come first. */
        bool strange = next.group < 4 || (i == 0 && next.group % 2 != 0);
        if (next.group % 0xFFFF == 0 || next.group == 2 || tag <= before || (strange && !sure)) {
            return false;
        }
        if (next.length == undefined_length) {
            return true;
        }
        before = tag;
        at += next.header + next.length;
    }
    return total > 0;
}

static const char *guess(const uint8_t *bytes, size_t length, uint64_t total, bool sure)
{
    static const char *const syntaxes[] = {LDC_EXPLICIT_LITTLE, LDC_EXPLICIT_BIG,
                                           LDC_IMPLICIT_LITTLE};
    for (size_t i = 0; i < sizeof syntaxes / sizeof syntaxes[0]; i++) {
        if (looks_like(bytes, length, total, ldc_part10_form(syntaxes[i]), sure)) {
            return syntaxes[i];
        }
    }
    return NULL;
}

const char *ldc_part10_guess(const uint8_t *bytes, size_t length, uint64_t total)
{
    return guess(bytes, length, total, false);
}

void ldc_part10_find_instance(const uint8_t *bytes, size_t length, const char *syntax,
                              char sop_class[LDC_UID_SIZE], char instance[LDC_UID_SIZE])
{
    unsigned form = ldc_part10_form(syntax);
    element next;
    uint64_t at = 0;
    if (strcmp(syntax, LDC_DEFLATED) == 0) {
        return;
    }
    /* A sequence of undefined length before these two is very rare: not worth a parser. */
    while (read_element(bytes, length, at, length, form, &next) == LDC_PART10_GOOD &&
           next.length != undefined_length && next.group <= 0x0008) {
        const uint8_t *value = bytes + at + next.header;
        if (next.group == 0x0008 && next.number == 0x0016) {
            (void)take_uid(value, next.length, sop_class);
        } else if (next.group == 0x0008 && next.number == 0x0018) {
            (void)take_uid(value, next.length, instance);
        } else if (next.group == 0x0008 && next.number > 0x0018) {
            return;
        }
        at += next.header + next.length;
    }
}

/* ---- reading the header ---- */

static ldc_part10_result bad(const char **why, const char *sentence)
{
    *why = sentence;
    return LDC_PART10_BAD;
}

/* Takes what matters of one element of group 0002. */
static ldc_part10_result take_meta(const element *meta, const uint8_t *value, uint64_t at,
                                   uint64_t total, uint64_t *end, ldc_part10 *found,
                                   const char **why)
{
    switch (meta->number) {
    case 0x0000: /* Only said, by some wrongly: the elements tell where the group ends */
        if (meta->length != 4) {
            return bad(why, "The length of group 0002 is malformed");
        }
        *end = at + meta->header + 4 + read_32(value, false);
        if (*end > total) {
            return bad(why, "The file ends within group 0002. Has it been copied as a whole?");
        }
        break;
    case 0x0002:
        (void)take_uid(value, meta->length, found->media_class);
        break;
    case 0x0003:
        (void)take_uid(value, meta->length, found->media_instance);
        break;
    case 0x0010:
        if (!take_uid(value, meta->length, found->syntax)) {
            return bad(why, "The transfer syntax, (0002,0010), is not a UID");
        }
        break;
    default:
        break;
    }
    return LDC_PART10_GOOD;
}

/* Walks over group 0002; *at stands at the data set then. */
static ldc_part10_result read_meta(const uint8_t *bytes, size_t length, uint64_t total,
                                   uint64_t *at, ldc_part10 *found, const char **why)
{
    static const char cut[] = "The file ends within group 0002. Has it been copied as a whole?";
    uint64_t end = 0; /* as (0002,0000) says; 0 = not there */
    while (*at < total) {
        uint64_t left = total - *at;
        if (*at > length || length - *at < (left < SHORT_HEADER ? left : SHORT_HEADER)) {
            return LDC_PART10_MORE;
        }
        const uint8_t *header = bytes + *at;
        if (left < 2 ? *at == end : read_16(header, false) != 0x0002) {
            break;
        }
        if (*at == end && left >= SHORT_HEADER && !is_vr(header + 4)) {
            break; /* a compressed data set may begin with any bytes */
        }
        element meta;
        ldc_part10_result result =
            read_element(bytes, length, *at, total, DS_LITTLE_ENDIAN | DS_EXPLICIT_VR, &meta);
        if (result == LDC_PART10_MORE) {
            return result;
        }
        if (result == LDC_PART10_BAD) {
            return bad(why, left >= SHORT_HEADER && !is_vr(header + 4)
                                ? "Group 0002 is not in explicit VR little endian"
                                : cut);
        }
        if (meta.length == undefined_length) {
            return bad(why, "An element of group 0002 has no length");
        }
        if (meta.number <= 0x0010 && length - *at - meta.header < meta.length) {
            return LDC_PART10_MORE;
        }
        result = take_meta(&meta, header + meta.header, *at, total, &end, found, why);
        if (result != LDC_PART10_GOOD) {
            return result;
        }
        *at += meta.header + meta.length;
    }
    return LDC_PART10_GOOD;
}

ldc_part10_result ldc_part10_parse(const uint8_t *bytes, size_t length, uint64_t total,
                                   ldc_part10 *found, const char **why)
{
    static const char preamble_end[] = "DICM";
    uint64_t start = 0;
    bool header = false;
    ldc_part10_result result;

    memset(found, 0, sizeof *found);
    *why = "";
    if (length < total && length < PREAMBLE + 4) {
        return LDC_PART10_MORE;
    }
    if (length >= PREAMBLE + 4 && memcmp(bytes + PREAMBLE, preamble_end, 4) == 0) {
        start = PREAMBLE + 4;
        header = true;
    } else if (length >= 6 && read_16(bytes, false) == 0x0002 && is_vr(bytes + 4)) {
        header = true;
    }
    if (header) {
        result = read_meta(bytes, length, total, &start, found, why);
        if (result != LDC_PART10_GOOD) {
            return result;
        }
    }
    found->offset = start;
    uint64_t left = total - start;
    if (found->syntax[0] != '\0') {
        /* What is deflated may be shorter than the header of one element. */
        return left > 0 && left < SHORT_HEADER && strcmp(found->syntax, LDC_DEFLATED) != 0
                   ? bad(why, "The data set is cut off. Has the file been copied as a whole?")
                   : LDC_PART10_GOOD;
    }
    if (start > length || (length < total && length - start < LONG_HEADER)) {
        return LDC_PART10_MORE;
    }
    const char *syntax = guess(bytes + start, length - (size_t)start, left, header);
    if (syntax == NULL) {
        return bad(why, header ? "There is no transfer syntax, (0002,0010), and the data set does "
                                 "not show it"
                               : "Neither a Part 10 file (128 bytes, then DICM) nor a bare data "
                                 "set, or cut off. Load a DICOM file, as a whole");
    }
    ldc_uid_set(found->syntax, syntax, strlen(syntax));
    return LDC_PART10_GOOD;
}

/* ---- writing it ---- */

static void write_element(ldc_writer *writer, uint16_t number, const char *vr, const char *value,
                          uint8_t padding)
{
    size_t length = strlen(value);
    if (length == 0) {
        return;
    }
    ldc_write_u16_le(writer, 0x0002);
    ldc_write_u16_le(writer, number);
    ldc_write_bytes(writer, vr, 2);
    ldc_write_u16_le(writer, (uint16_t)(length + length % 2));
    ldc_write_bytes(writer, value, length);
    ldc_write_fill(writer, padding, length % 2);
}

uint8_t *ldc_part10_header(const ldc_part10 *what, size_t *length)
{
    /* PS3.7 §D.3.3.2.3: as an association says it, at most 16 characters. */
    static const char full_name[] = "LTCOMPAT_" LTDIC_VERSION;
    char name[LDC_VERSION_NAME_SIZE] = "";
    size_t name_length = sizeof full_name - 1;
    memcpy(name, full_name, name_length < sizeof name ? name_length : sizeof name - 1);

    ldc_writer writer;
    ldc_writer_fault fault;
    ldc_writer_init(&writer, LDC_PART10_FIRST);
    ldc_write_fill(&writer, 0, PREAMBLE);
    ldc_write_bytes(&writer, "DICM", 4);
    ldc_write_bytes(&writer, "\x02\0\0\0UL\x04\0", SHORT_HEADER);
    size_t mark = ldc_write_begin_u32_le(&writer); /* the value of (0002,0000) */
    ldc_write_bytes(&writer, "\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01", LONG_HEADER + 2);
    write_element(&writer, 0x0002, "UI", what->media_class, 0);
    write_element(&writer, 0x0003, "UI", what->media_instance, 0);
    write_element(&writer, 0x0010, "UI", what->syntax, 0);
    write_element(&writer, 0x0012, "UI", LDC_IMPLEMENTATION_CLASS, 0);
    write_element(&writer, 0x0013, "SH", name, ' ');
    ldc_write_end_u32_le(&writer, mark);
    return ldc_writer_take(&writer, length, &fault);
}
