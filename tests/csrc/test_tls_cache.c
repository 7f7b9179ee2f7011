/* test_tls_cache.c - objects found by digest: gone with their last user, a few without keys kept.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ldc_tls.h"
#include "unit.h"

typedef struct thing {
    ldc_shared shared;
} thing;

static atomic_int alive;

static void thing_free(ldc_ref *ref)
{
    thing *self = (thing *)(void *)ref;
    ldc_cache_remove(&self->shared);
    free(self);
    atomic_fetch_sub(&alive, 1);
}

static thing *thing_new(unsigned number, bool secret)
{
    thing *self = calloc(1, sizeof *self);
    ldc_ref_init(&self->shared.ref, thing_free);
    memcpy(self->shared.key, &number, sizeof number);
    self->shared.secret = secret;
    atomic_fetch_add(&alive, 1);
    return self;
}

static thing *find(unsigned number)
{
    unsigned char key[LDC_DIGEST] = {0};
    memcpy(key, &number, sizeof number);
    return ldc_cache_find(LDC_CACHE_CRLS, key);
}

static void put(thing *one)
{
    ldc_ref_put(&one->shared.ref);
}

TEST(an_object_with_a_key_goes_with_its_last_user)
{
    thing *one = ldc_cache_add(LDC_CACHE_CRLS, &thing_new(1, true)->shared);
    thing *again = find(1);
    CHECK(again == one);
    put(one);
    CHECK_INT(atomic_load(&alive), 1);
    put(again);
    CHECK_INT(atomic_load(&alive), 0);
    CHECK(find(1) == NULL);
}

TEST(of_two_that_are_made_at_once_the_first_is_used)
{
    thing *one = ldc_cache_add(LDC_CACHE_CRLS, &thing_new(2, true)->shared);
    thing *two = ldc_cache_add(LDC_CACHE_CRLS, &thing_new(2, true)->shared);
    CHECK(one == two);
    CHECK_INT(atomic_load(&alive), 1);
    put(one);
    put(two);
    CHECK_INT(atomic_load(&alive), 0);
}

TEST(a_few_without_a_key_are_kept_and_no_more)
{
    for (unsigned i = 0; i < 100; i++) {
        put(ldc_cache_add(LDC_CACHE_CRLS, &thing_new(100 + i, false)->shared));
    }
    CHECK_INT(atomic_load(&alive), LDC_CACHE_KEPT);
    thing *last = find(199);
    CHECK(last != NULL);
    put(last);
    CHECK(find(100) == NULL);
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CRLS), LDC_CACHE_KEPT);
}

static void *use_cache(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    for (unsigned i = 0; i < 3000; i++) {
        unsigned number = 1000 + (seed + i) % 13;
        thing *one = find(number);
        if (one == NULL) {
            one = ldc_cache_add(LDC_CACHE_CRLS, &thing_new(number, number % 2 == 0)->shared);
        }
        CHECK(memcmp(one->shared.key, &number, sizeof number) == 0);
        put(one);
    }
    return NULL;
}

TEST(objects_come_and_go_in_many_threads)
{
    pthread_t threads[4];
    unsigned seeds[4];
    for (unsigned i = 0; i < 4; i++) {
        seeds[i] = i * 3;
        CHECK_INT(pthread_create(&threads[i], NULL, use_cache, &seeds[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    CHECK(atomic_load(&alive) <= LDC_CACHE_KEPT);
}

/* ---- digests and contents ---- */

static void digest_two(const char *label, const char *one, const char *two,
                       unsigned char result[LDC_DIGEST])
{
    ldc_digest digest;
    ldc_digest_begin(&digest, label);
    ldc_digest_add_text(&digest, one);
    ldc_digest_add_text(&digest, two);
    CHECK(ldc_digest_end(&digest, result));
}

TEST(digests_tell_parts_labels_and_nothing_apart)
{
    static const char *const cases[][3] = {
        {"a", "bc", "d"}, {"a", "b", "cd"}, {"a", "bcd", ""}, {"a", "bcd", NULL}, {"ab", "c", "d"}};
    unsigned char results[5][LDC_DIGEST];
    CHECK_INT(ldc_tls_library_start(), 0);
    for (size_t i = 0; i < 5; i++) {
        digest_two(cases[i][0], cases[i][1], cases[i][2], results[i]);
        for (size_t j = 0; j < i; j++) {
            CHECK(memcmp(results[i], results[j], LDC_DIGEST) != 0);
        }
    }
    unsigned char again[LDC_DIGEST];
    digest_two("a", "bc", "d", again);
    CHECK(memcmp(again, results[0], LDC_DIGEST) == 0);
}

TEST(a_file_that_was_read_long_after_its_last_change_is_not_read_again)
{
    char name[] = "/tmp/ltdic-content-XXXXXX";
    ldc_tls_content content;
    CHECK_INT(ldc_tls_library_start(), 0);
    int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, "one", 3) == 3);
    ldc_tls_source source = {.file = name};
    uint64_t before = ldc_tls_files_read();
    for (int i = 0; i < 2; i++) { /* just written: read each time */
        CHECK_INT(ldc_tls_content_open(&content, &source, "file", 1), 0);
        CHECK(content.size == 3 && memcmp(content.data, "one", 3) == 0);
        ldc_tls_content_close(&content);
    }
    CHECK_INT((long long)(ldc_tls_files_read() - before), 2);
    CHECK_INT(write(fd, "!", 1), 1);
    CHECK_INT(ldc_tls_content_open(&content, &source, "file", 1), 0);
    CHECK(content.size == 4 && memcmp(content.data, "one!", 4) == 0);
    ldc_tls_content_close(&content);
    close(fd);
    unlink(name);
    CHECK_INT(ldc_tls_content_open(&content, &source, "file", DICOM_ERROR_TLS_CA_FILE),
              DICOM_ERROR_TLS_CA_FILE);
    ldc_tls_content_close(&content);
}
