/*
 * unit.h - the harness of the C unit tests: one program for each test_*.c, which includes this once
 * and gets its main() from here.
 *
 *     TEST(empty_text_is_taken_as_an_empty_string)
 *     {
 *         ...
 *         CHECK_STR(string, "");
 *     }
 *
 * Names are sentences. A failing check prints where and what, is counted, and the test goes on; a
 * check gives 1 or 0, so that a test can leave when going on makes no sense:
 *
 *     if (!CHECK(certificate != NULL))
 *         return;
 *
 * Checks may be used from any thread of a test, as long as the test waits for its threads.
 *
 *     test_text                  runs all
 *     test_text limit sticky     runs those with "limit" or "sticky" in the name
 *     test_text --list           prints the names
 *
 * Exit code: 0 all passed, 1 some failed, 2 no test has such a name.
 */
#ifndef LDC_TESTS_UNIT_H
#define LDC_TESTS_UNIT_H

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct unit_test {
    const char *name;
    void (*run)(void);
    struct unit_test *next;
} unit_test;

static unit_test *unit_first;
static unit_test **unit_end = &unit_first;
static atomic_int unit_failed_checks; /* of the running test */

/* Tests enter themselves in the list before main(), in the order of the file. */
#define TEST(sentence)                                                                             \
    static void unit_run_##sentence(void);                                                         \
    static unit_test unit_test_##sentence = {#sentence, unit_run_##sentence, NULL};                \
    __attribute__((constructor)) static void unit_enter_##sentence(void)                           \
    {                                                                                              \
        *unit_end = &unit_test_##sentence;                                                         \
        unit_end = &unit_test_##sentence.next;                                                     \
    }                                                                                              \
    static void unit_run_##sentence(void)

/* Each takes the value that the code gave first and the wanted one second; each gives 1 or 0. */
#define CHECK(condition) unit_check((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define CHECK_INT(actual, expected)                                                                \
    unit_check_int((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)
#define CHECK_STR(actual, expected)                                                                \
    unit_check_str((actual), (expected), #actual, __FILE__, __LINE__)

static inline int unit_check(int condition, const char *text, const char *file, int line)
{
    if (condition)
        return 1;
    atomic_fetch_add(&unit_failed_checks, 1);
    printf("%s:%d: not true: %s\n", file, line, text);
    return 0;
}

static inline int unit_check_int(long long actual, long long expected, const char *text,
                                 const char *file, int line)
{
    if (actual == expected)
        return 1;
    atomic_fetch_add(&unit_failed_checks, 1);
    printf("%s:%d: %s is %lld, not %lld\n", file, line, text, actual, expected);
    return 0;
}

/* Prints `string` from `start` on, at most `most` bytes, as a C literal. */
static inline void unit_print_literal(const char *string, size_t start, size_t most)
{
    size_t i;

    fputs(start > 0 ? "...\"" : "\"", stdout);
    for (i = start; string[i] != '\0' && i < start + most; i++) {
        unsigned char byte = (unsigned char)string[i];

        if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else if (byte == '\n')
            fputs("\\n", stdout);
        else if (byte < 0x20 || byte >= 0x7F)
            printf("\\%03o", byte);
        else
            putchar(byte);
    }
    fputs(string[i] != '\0' ? "\"...\n" : "\"\n", stdout);
}

/* NULL equals NULL only. Of long strings the surroundings of the first difference are shown. */
static inline int unit_check_str(const char *actual, const char *expected, const char *text,
                                 const char *file, int line)
{
    size_t same = 0;

    if (actual == expected || (actual != NULL && expected != NULL && strcmp(actual, expected) == 0))
        return 1;
    atomic_fetch_add(&unit_failed_checks, 1);
    if (actual == NULL || expected == NULL) {
        printf("%s:%d: %s is %s\n", file, line, text, actual == NULL ? "NULL" : "not NULL");
        return 0;
    }
    while (actual[same] == expected[same])
        same++;
    printf("%s:%d: %s differs at byte %zu\n", file, line, text, same);
    same = same > 60 ? same - 60 : 0;
    fputs("    is   ", stdout);
    unit_print_literal(actual, same, 120);
    fputs("    not  ", stdout);
    unit_print_literal(expected, same, 120);
    return 0;
}

static inline int unit_wanted(const unit_test *test, int count, char **filters)
{
    int i;

    for (i = 0; i < count; i++) {
        if (strstr(test->name, filters[i]) != NULL)
            return 1;
    }
    return count == 0;
}

static inline double unit_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    const unit_test *test;

    /* Line by line, so that a crash does not take the lines before it along. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        for (test = unit_first; test != NULL; test = test->next)
            puts(test->name);
        return 0;
    }
    for (test = unit_first; test != NULL; test = test->next) {
        double start = unit_seconds();
        double duration;

        if (!unit_wanted(test, argc - 1, argv + 1))
            continue;
        atomic_store(&unit_failed_checks, 0);
        test->run();
        duration = unit_seconds() - start;
        if (atomic_load(&unit_failed_checks) > 0) {
            printf("FAILED %s\n", test->name);
            failed++;
        } else {
            passed++;
        }
        if (duration > 1.0)
            printf("%.1f s %s\n", duration, test->name);
    }
    if (passed + failed == 0) {
        printf("no test with such a name\n");
        return 2;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

#endif
