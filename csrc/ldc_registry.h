/*
 * ldc_registry.h - numbers that stand for objects: user handles and poller tokens.
 *
 * A number names one object once and is never used again, so a stale handle or a late poller event
 * finds nothing instead of freed memory. An object is removed before its owner gives up the owner's
 * reference.
 */
#ifndef LDC_REGISTRY_H
#define LDC_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First member of every counted object. */
typedef struct ldc_ref {
    atomic_uint count;
    void (*destroy)(struct ldc_ref *self);
} ldc_ref;

void ldc_ref_init(ldc_ref *ref, void (*destroy)(ldc_ref *self)); /* count 1 */
void ldc_ref_get(ldc_ref *ref);
void ldc_ref_put(ldc_ref *ref);      /* NULL is fine; the last one destroys */
bool ldc_ref_get_live(ldc_ref *ref); /* false: the last one has gone, it is being destroyed */

typedef struct ldc_registry {
    pthread_mutex_t lock;
    struct ldc_slot *slots; /* owned */
    size_t capacity;
    size_t used;
    uint32_t free_head; /* index + 1, 0 = none */
    size_t count;
} ldc_registry;

#define LDC_REGISTRY_INIT                                                                          \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, NULL, 0, 0, 0, 0                                                \
    }

uint64_t ldc_registry_add(ldc_registry *registry, ldc_ref *object); /* 0 = out of memory */
void *ldc_registry_acquire(ldc_registry *registry, uint64_t id); /* one more reference, or NULL */
void ldc_registry_remove(ldc_registry *registry, uint64_t id);
size_t ldc_registry_count(ldc_registry *registry);
/* In a forked child: forget everything without freeing, the memory belongs to the parent's objects.
 */
void ldc_registry_forget(ldc_registry *registry);

#endif
