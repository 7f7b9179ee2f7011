/*
 * fuzz_part10.c - fuzz target: the beginning of any file, taken for a DICOM file.
 *
 * Whatever the bytes are: what is found lies in the file and is a UID or nothing; a part of the
 * bytes gives the same answer as all of them, or asks for more; and a header made of what was found
 * is read back as the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_part10.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void require_uid(const char *uid)
{
    REQUIRE(memchr(uid, '\0', LDC_UID_SIZE) != NULL);
    REQUIRE(uid[0] == '\0' || ldc_uid_valid(uid, strlen(uid)));
}

static void require_same(const ldc_part10 *first, const ldc_part10 *second)
{
    REQUIRE(strcmp(first->syntax, second->syntax) == 0);
    REQUIRE(strcmp(first->media_class, second->media_class) == 0);
    REQUIRE(strcmp(first->media_instance, second->media_instance) == 0);
}

/* In a block of exactly this size, so that sanitizers see each read past the end. */
static ldc_part10_result parse(const uint8_t *data, size_t length, size_t total, ldc_part10 *found)
{
    const char *why;
    uint8_t *block = malloc(length == 0 ? 1 : length);
    REQUIRE(block != NULL);
    if (length > 0) {
        memcpy(block, data, length);
    }
    ldc_part10_result result = ldc_part10_parse(block, length, total, found, &why);
    REQUIRE((result == LDC_PART10_BAD) == (why[0] != '\0'));
    free(block);
    return result;
}

static void require_parts_agree(const uint8_t *data, size_t size, ldc_part10_result whole,
                                const ldc_part10 *found)
{
    size_t step = size / 64 + 1;
    for (size_t length = 0; length < size; length += step) {
        ldc_part10 part;
        ldc_part10_result result = parse(data, length, size, &part);
        /* A guess looks at three elements at most, and at fewer when they are not given. */
        if (result == LDC_PART10_GOOD && whole == LDC_PART10_GOOD) {
            REQUIRE(part.offset == found->offset);
        }
        REQUIRE(result != LDC_PART10_BAD || whole == LDC_PART10_BAD);
    }
}

static void require_round_trip(const ldc_part10 *found)
{
    size_t length;
    ldc_part10 again;
    uint8_t *header = ldc_part10_header(found, &length);
    REQUIRE(header != NULL);
    REQUIRE(parse(header, length, length, &again) == LDC_PART10_GOOD);
    REQUIRE(again.offset == length);
    require_same(found, &again);
    for (size_t cut = 0; cut < length; cut++) {
        /* GOOD once only what does not matter is missing. */
        REQUIRE(parse(header, cut, length, &again) != LDC_PART10_BAD);
    }
    free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const syntaxes[] = {LDC_EXPLICIT_LITTLE, LDC_EXPLICIT_BIG,
                                           "1.2.840.10008.1.2", LDC_DEFLATED};
    ldc_part10 found;
    ldc_part10_result result = parse(data, size, size, &found);
    REQUIRE(result != LDC_PART10_MORE);
    require_uid(found.syntax);
    require_uid(found.media_class);
    require_uid(found.media_instance);
    if (result == LDC_PART10_GOOD) {
        REQUIRE(found.offset <= size);
        REQUIRE(found.syntax[0] != '\0');
        require_round_trip(&found);
    }
    require_parts_agree(data, size, result, &found);
    for (size_t i = 0; i < sizeof syntaxes / sizeof syntaxes[0]; i++) {
        char sop_class[LDC_UID_SIZE] = "", instance[LDC_UID_SIZE] = "";
        ldc_part10_find_instance(data, size, syntaxes[i], sop_class, instance);
        require_uid(sop_class);
        require_uid(instance);
    }
    return 0;
}
