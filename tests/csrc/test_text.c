/* Unit tests of the growable string (ldc_text.h). */
#include "ldc_text.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* The text of `bytes` once made printable; freed by the caller. */
static char *printable(const char *bytes, size_t length)
{
    ldc_text text;

    ldc_text_init(&text);
    ldc_text_append_printable(&text, bytes, length);
    return ldc_text_take(&text);
}

#define CHECK_PRINTABLE(literal, expected)                                                         \
    do {                                                                                           \
        char *string = printable("" literal, sizeof(literal) - 1);                                 \
        CHECK_STR(string, expected);                                                               \
        free(string);                                                                              \
    } while (0)

static ldc_text full_text(size_t length)
{
    ldc_text text;
    char *bytes = malloc(length);

    ldc_text_init(&text);
    if (CHECK(bytes != NULL)) {
        memset(bytes, 'x', length);
        ldc_text_append(&text, bytes, length);
    }
    free(bytes);
    return text;
}

TEST(an_untouched_text_needs_no_free_and_is_taken_as_an_empty_string)
{
    ldc_text text;
    char *string;

    ldc_text_init(&text);
    CHECK(text.bytes == NULL);
    string = ldc_text_take(&text);
    CHECK_STR(string, "");
    free(string);
    CHECK(text.bytes == NULL && text.length == 0 && !text.failed);
}

TEST(pieces_are_joined_and_always_terminated)
{
    ldc_text text;
    char *string;

    ldc_text_init(&text);
    ldc_text_append_string(&text, "one");
    CHECK_STR(text.bytes, "one");
    ldc_text_append(&text, ", two and more", 5);
    CHECK_STR(text.bytes, "one, two");
    ldc_text_printf(&text, ", %d%c", 3, '!');
    CHECK_STR(text.bytes, "one, two, 3!");
    ldc_text_append(&text, NULL, 0);
    ldc_text_append_string(&text, "");
    ldc_text_printf(&text, "%s", "");
    CHECK_INT(text.length, 12);
    string = ldc_text_take(&text);
    CHECK_STR(string, "one, two, 3!");
    free(string);
}

TEST(bytes_with_nul_are_kept_as_they_are)
{
    ldc_text text;

    ldc_text_init(&text);
    ldc_text_append(&text, "a\0b", 3);
    CHECK_INT(text.length, 3);
    CHECK(text.bytes != NULL && memcmp(text.bytes, "a\0b", 4) == 0);
    ldc_text_free(&text);
}

TEST(formatted_text_of_every_length_around_the_growth_is_whole)
{
    size_t length;

    for (length = 500; length < 530; length++) {
        ldc_text text = full_text(length);

        ldc_text_printf(&text, "%s-%05d", "abcdefghij", 42);
        CHECK_INT(text.length, length + 16);
        CHECK_STR(text.bytes + length, "abcdefghij-00042");
        ldc_text_free(&text);
    }
}

TEST(one_format_may_be_longer_than_all_room_so_far)
{
    ldc_text text;

    ldc_text_init(&text);
    ldc_text_printf(&text, "%100000d|", 7);
    CHECK_INT(text.length, 100001);
    CHECK_STR(text.bytes + 99998, " 7|");
    ldc_text_free(&text);
}

TEST(a_million_single_bytes_are_appended_without_copying_each_time)
{
    ldc_text text;
    clock_t start = clock();
    int i;

    ldc_text_init(&text);
    for (i = 0; i < 1000000; i++)
        ldc_text_append(&text, "x", 1);
    CHECK_INT(text.length, 1000000);
    CHECK(text.capacity <= 2UL * 1000001UL);
    CHECK(clock() - start < 10 * CLOCKS_PER_SEC); /* quadratic would take minutes */
    ldc_text_free(&text);
}

TEST(a_text_may_be_as_long_as_the_limit)
{
    ldc_text text = full_text(LDC_TEXT_LIMIT - 1);
    char *string;

    ldc_text_printf(&text, "%c", 'y');
    CHECK(!text.failed);
    CHECK_INT(text.length, LDC_TEXT_LIMIT);
    string = ldc_text_take(&text);
    CHECK(string != NULL && strlen(string) == LDC_TEXT_LIMIT);
    free(string);
}

TEST(one_byte_past_the_limit_fails_and_frees_what_was_there)
{
    ldc_text text = full_text(LDC_TEXT_LIMIT);

    ldc_text_append(&text, "y", 1);
    CHECK(text.failed);
    CHECK(text.bytes == NULL);
    ldc_text_free(&text);
}

TEST(a_length_that_would_overflow_fails)
{
    ldc_text text = full_text(10);

    ldc_text_append(&text, "y", (size_t)-1);
    CHECK(text.failed);
    ldc_text_free(&text);
}

TEST(failure_is_sticky_until_the_text_is_taken)
{
    ldc_text text = full_text(LDC_TEXT_LIMIT);
    char *string;

    ldc_text_printf(&text, "%d", 12);
    CHECK(text.failed);
    ldc_text_append_string(&text, "short");
    ldc_text_append_printable(&text, "\n", 1);
    ldc_text_printf(&text, "%d", 12);
    CHECK(text.failed);
    CHECK(text.bytes == NULL);
    CHECK(ldc_text_take(&text) == NULL);
    CHECK(!text.failed);
    ldc_text_append_string(&text, "again");
    string = ldc_text_take(&text);
    CHECK_STR(string, "again");
    free(string);
}

TEST(free_may_be_called_twice)
{
    ldc_text text = full_text(10);

    ldc_text_free(&text);
    ldc_text_free(&text);
    CHECK(text.bytes == NULL);
}

TEST(printable_text_of_all_lengths_of_utf8_stays)
{
    CHECK_PRINTABLE("", "");
    CHECK_PRINTABLE("plain ~ text \\ \"", "plain ~ text \\ \"");
    CHECK_PRINTABLE("M\xC3\xBCller \xE6\x9D\xB1\xE4\xBA\xAC \xF0\x9F\x98\x80",
                    "M\xC3\xBCller \xE6\x9D\xB1\xE4\xBA\xAC \xF0\x9F\x98\x80");
    /* The first and the last of each length, and those next to the surrogates. */
    CHECK_PRINTABLE("\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF",
                    "\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF");
    CHECK_PRINTABLE("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}

TEST(control_characters_are_escaped)
{
    CHECK_PRINTABLE("a\nb\tc\rd", "a\\0Ab\\09c\\0Dd");
    CHECK_PRINTABLE("\0", "\\00");
    CHECK_PRINTABLE("\x1F\x7F\x1B[31m", "\\1F\\7F\\1B[31m");
    CHECK_PRINTABLE("\xC2\x80\xC2\x85\xC2\x9F", "\\C2\\80\\C2\\85\\C2\\9F"); /* C1, with NEL */
}

TEST(line_separators_and_bidirectional_controls_are_escaped_their_neighbours_not)
{
    CHECK_PRINTABLE("\xE2\x80\xA8\xE2\x80\xA9", "\\E2\\80\\A8\\E2\\80\\A9");
    CHECK_PRINTABLE("\xE2\x80\xAA\xE2\x80\xAE", "\\E2\\80\\AA\\E2\\80\\AE");
    CHECK_PRINTABLE("\xE2\x81\xA6\xE2\x81\xA9", "\\E2\\81\\A6\\E2\\81\\A9");
    CHECK_PRINTABLE("\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA",
                    "\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA");
}

TEST(invalid_utf8_is_escaped_byte_by_byte_and_the_rest_stays)
{
    CHECK_PRINTABLE("a\xFF\xFE"
                    "b",
                    "a\\FF\\FEb");
    CHECK_PRINTABLE("\x80\xBF", "\\80\\BF");                                 /* no start */
    CHECK_PRINTABLE("\xC0\x80\xC1\xBF", "\\C0\\80\\C1\\BF");                 /* overlong NUL, DEL */
    CHECK_PRINTABLE("\xE0\x9F\xBF", "\\E0\\9F\\BF");                         /* overlong */
    CHECK_PRINTABLE("\xF0\x8F\xBF\xBF", "\\F0\\8F\\BF\\BF");                 /* overlong */
    CHECK_PRINTABLE("\xED\xA0\x80\xED\xBF\xBF", "\\ED\\A0\\80\\ED\\BF\\BF"); /* surrogates */
    CHECK_PRINTABLE("\xF4\x90\x80\x80", "\\F4\\90\\80\\80");                 /* above U+10FFFF */
    CHECK_PRINTABLE("\xF5\x80\x80\x80", "\\F5\\80\\80\\80");
    CHECK_PRINTABLE("\xC3(", "\\C3(");
    CHECK_PRINTABLE("\xE6\x9D(", "\\E6\\9D(");
    CHECK_PRINTABLE("\xF0\x9F\x98\xC3\xBC", "\\F0\\9F\\98\xC3\xBC");
}

TEST(a_character_that_is_cut_at_the_end_is_escaped_and_nothing_behind_it_is_read)
{
    static const char smile[] = "\xF0\x9F\x98\x80";
    static const char *const expected[] = {"", "\\F0", "\\F0\\9F", "\\F0\\9F\\98"};
    size_t length;

    for (length = 0; length < 4; length++) {
        char *exact = malloc(length + 1); /* sanitizers see a read past the end of a block */
        char *string;

        if (!CHECK(exact != NULL))
            return;
        memcpy(exact + 1, smile, length);
        string = printable(exact + 1, length);
        CHECK_STR(string, expected[length]);
        free(string);
        free(exact);
    }
}

TEST(a_long_text_with_one_bad_byte_in_each_block_is_linear)
{
    enum {
        SIZE = 400000
    };
    char *bytes = malloc(SIZE);
    clock_t start = clock();
    char *string;
    int i;

    if (!CHECK(bytes != NULL))
        return;
    for (i = 0; i < SIZE; i++)
        bytes[i] = i % 4 == 0 ? '\n' : 'x';
    string = printable(bytes, SIZE);
    CHECK(string != NULL && strlen(string) == SIZE + SIZE / 4 * 2);
    CHECK(clock() - start < 10 * CLOCKS_PER_SEC);
    free(string);
    free(bytes);
}
