/*
 * bench.h - what all benchmark programs in C and C++ share: options, the clock, the talk with the
 * runner, latencies.
 *
 * Talk: a server prints "ready PORT" and lives until its standard input ends. A client prints
 * "ready 0" when all is prepared, waits for a line, works, prints one line of JSON and lives until
 * its standard input ends, so that the runner can read its CPU time. Whatever fails ends the
 * program with a sentence on standard error: a figure of a broken run is worse than none.
 */
#ifndef LDC_BENCH_H
#define LDC_BENCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__attribute__((format(printf, 1, 2), noreturn)) static inline void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    (void)fflush(NULL);
    _Exit(1);
}

static inline double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- options: name=value words ---- */

static int options_count;
static char **options_words;

static inline const char *option(const char *name, const char *otherwise)
{
    size_t length = strlen(name);
    for (int i = 1; i < options_count; i++) {
        const char *word = options_words[i];
        if (strncmp(word, name, length) == 0 && word[length] == '=') {
            return word + length + 1;
        }
    }
    return otherwise;
}

static inline long option_number(const char *name, long otherwise)
{
    const char *text = option(name, "");
    return *text == '\0' ? otherwise : strtol(text, NULL, 10);
}

static inline double option_seconds(void)
{
    return strtod(option("seconds", "1"), NULL);
}

/* NULL = plain. */
static inline const char *option_tls(void)
{
    const char *folder = option("tls", "");
    return *folder == '\0' ? NULL : folder;
}

static inline const char *tls_file(const char *name)
{
    enum {
        KEPT = 8,
        ROOM = 1024
    };
    static char paths[KEPT][ROOM];
    static int next;
    char *path = paths[next++ % KEPT];
    (void)snprintf(path, ROOM, "%s/%s", option("tls", ""), name);
    return path;
}

/* ---- the talk ---- */

static inline void say_ready(unsigned port)
{
    printf("ready %u\n", port);
    (void)fflush(stdout);
}

static inline bool read_line(void)
{
    char line[64];
    return fgets(line, sizeof line, stdin) != NULL;
}

static inline void wait_for_go(void)
{
    say_ready(0);
    if (!read_line()) {
        exit(0);
    }
}

static inline void wait_for_end(void)
{
    while (read_line()) {
    }
}

/* ---- latencies ---- */

typedef struct latencies {
    double *seconds; /* owned */
    size_t count, capacity;
} latencies;

static inline void latency_add(latencies *all, double seconds)
{
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 65536 : all->capacity * 2;
        double *grown = (double *)realloc(all->seconds, all->capacity * sizeof *grown);
        if (grown == NULL) {
            fail("out of memory");
        }
        all->seconds = grown;
    }
    all->seconds[all->count++] = seconds;
}

static inline int by_size(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b ? 1 : 0;
}

/* In microseconds; 0 for none. */
static inline double latency_at(const latencies *all, double part)
{
    size_t index = (size_t)((double)all->count * part);
    if (all->count == 0) {
        return 0;
    }
    return all->seconds[index < all->count ? index : all->count - 1] * 1e6;
}

static inline void say_result(uint64_t count, uint64_t bytes, double seconds, latencies *all)
{
    if (all->count > 0) {
        qsort(all->seconds, all->count, sizeof *all->seconds, by_size);
    }
    printf("{\"count\": %llu, \"bytes\": %llu, \"seconds\": %.6f, \"p50\": %.2f, \"p99\": %.2f}\n",
           (unsigned long long)count, (unsigned long long)bytes, seconds, latency_at(all, 0.5),
           latency_at(all, 0.99));
    (void)fflush(stdout);
}

/* ---- files ---- */

enum {
    MAX_FILES = 256
};

/* The comma-separated names of the option "files", split in place of a copy. */
static inline int file_names(char *names[MAX_FILES])
{
    static char *copy; /* for good */
    int count = 0;
    copy = strdup(option("files", ""));
    for (char *name = strtok(copy, ","); name != NULL && count < MAX_FILES;
         name = strtok(NULL, ",")) {
        names[count++] = name;
    }
    if (count == 0) {
        fail("files= is missing");
    }
    return count;
}

#endif
