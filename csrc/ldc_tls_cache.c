/* ldc_tls_cache.c - objects found by the digest of what they were made of; see ldc_tls_cache.h. */
#include "ldc_tls_cache.h"

#include <stdlib.h>
#include <string.h>

typedef struct cache {
    pthread_mutex_t lock;
    ldc_shared **objects; /* owned; the objects are lent */
    size_t count, capacity;
    ldc_shared *kept[LDC_CACHE_KEPT]; /* references */
    unsigned next;
} cache;

#define CACHE_INIT                                                                                 \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                          \
    }

static cache caches[LDC_CACHE_KINDS] = {CACHE_INIT, CACHE_INIT, CACHE_INIT, CACHE_INIT};

/* Index of an object with this key that is not being destroyed, with one more reference; or count.
 * The lock is held. */
static size_t find(const cache *in, const unsigned char key[LDC_DIGEST])
{
    size_t i = 0;
    while (i < in->count && (memcmp(in->objects[i]->key, key, LDC_DIGEST) != 0 ||
                             !ldc_ref_get_live(&in->objects[i]->ref))) {
        i++;
    }
    return i;
}

/* Keeps an object without a key for a while; gives what makes room for it. The lock is held. */
static ldc_shared *keep(cache *in, ldc_shared *object)
{
    if (object->secret) {
        return NULL;
    }
    for (size_t i = 0; i < LDC_CACHE_KEPT; i++) {
        if (in->kept[i] == object) {
            return NULL;
        }
    }
    ldc_shared *old = in->kept[in->next];
    ldc_ref_get(&object->ref);
    in->kept[in->next] = object;
    in->next = (in->next + 1) % LDC_CACHE_KEPT;
    return old;
}

void *ldc_cache_find(ldc_cache_kind kind, const unsigned char key[LDC_DIGEST])
{
    cache *in = &caches[kind];
    ldc_shared *old = NULL;
    pthread_mutex_lock(&in->lock);
    size_t at = find(in, key);
    ldc_shared *found = at < in->count ? in->objects[at] : NULL;
    if (found != NULL) {
        old = keep(in, found);
    }
    pthread_mutex_unlock(&in->lock);
    if (old != NULL) {
        ldc_ref_put(&old->ref);
    }
    return found;
}

static bool grow(cache *in)
{
    if (in->count < in->capacity) {
        return true;
    }
    size_t capacity = in->capacity == 0 ? 16 : in->capacity * 2;
    ldc_shared **objects = realloc(in->objects, capacity * sizeof(ldc_shared *));
    if (objects == NULL) {
        return false;
    }
    in->objects = objects;
    in->capacity = capacity;
    return true;
}

void *ldc_cache_add(ldc_cache_kind kind, ldc_shared *object)
{
    cache *in = &caches[kind];
    ldc_shared *old = NULL;
    pthread_mutex_lock(&in->lock);
    size_t at = find(in, object->key);
    ldc_shared *found = at < in->count ? in->objects[at] : NULL;
    if (found == NULL && grow(in)) { /* without memory it is just not shared */
        in->objects[in->count++] = object;
        object->kind = kind;
        object->listed = true;
        old = keep(in, object);
    }
    pthread_mutex_unlock(&in->lock);
    if (old != NULL) {
        ldc_ref_put(&old->ref);
    }
    if (found == NULL) {
        return object;
    }
    ldc_ref_put(&object->ref);
    return found;
}

void ldc_cache_remove(ldc_shared *object)
{
    cache *in = &caches[object->kind];
    if (!object->listed) {
        return;
    }
    pthread_mutex_lock(&in->lock);
    for (size_t i = 0; i < in->count; i++) {
        if (in->objects[i] == object) {
            in->objects[i] = in->objects[--in->count];
            break;
        }
    }
    pthread_mutex_unlock(&in->lock);
}

size_t ldc_cache_count(ldc_cache_kind kind)
{
    pthread_mutex_lock(&caches[kind].lock);
    size_t count = caches[kind].count;
    pthread_mutex_unlock(&caches[kind].lock);
    return count;
}

void ldc_cache_before_fork(void)
{
    for (size_t i = 0; i < LDC_CACHE_KINDS; i++) {
        pthread_mutex_lock(&caches[i].lock);
    }
}

void ldc_cache_after_fork_in_parent(void)
{
    for (size_t i = LDC_CACHE_KINDS; i-- > 0;) {
        pthread_mutex_unlock(&caches[i].lock);
    }
}

void ldc_cache_after_fork(void)
{
    for (size_t i = 0; i < LDC_CACHE_KINDS; i++) {
        cache fresh = CACHE_INIT;
        memcpy(&caches[i], &fresh, sizeof fresh);
    }
}
