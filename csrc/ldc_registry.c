/* ldc_registry.c - see ldc_registry.h. */
#include "ldc_registry.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOT_BITS = 24
}; /* 16 million objects at once; 2^40 uses of one slot */

struct ldc_slot {
    ldc_ref *object;    /* lent; NULL = free */
    uint64_t uses;      /* generation, from 1 */
    uint32_t next_free; /* index + 1 */
};

void ldc_ref_init(ldc_ref *ref, void (*destroy)(ldc_ref *self))
{
    atomic_init(&ref->count, 1u);
    ref->destroy = destroy;
}

void ldc_ref_get(ldc_ref *ref)
{
    atomic_fetch_add_explicit(&ref->count, 1u, memory_order_relaxed);
}

bool ldc_ref_get_live(ldc_ref *ref)
{
    unsigned count = atomic_load_explicit(&ref->count, memory_order_relaxed);
    while (count != 0 &&
           !atomic_compare_exchange_weak_explicit(&ref->count, &count, count + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
    }
    return count != 0;
}

void ldc_ref_put(ldc_ref *ref)
{
    if (ref != NULL && atomic_fetch_sub_explicit(&ref->count, 1u, memory_order_acq_rel) == 1u) {
        ref->destroy(ref);
    }
}

static int grow(ldc_registry *registry)
{
    size_t capacity = registry->capacity == 0 ? 64 : registry->capacity * 2;
    if (capacity > ((size_t)1 << SLOT_BITS)) {
        return 0;
    }
    struct ldc_slot *slots = realloc(registry->slots, capacity * sizeof *slots);
    if (slots == NULL) {
        return 0;
    }
    memset(slots + registry->capacity, 0, (capacity - registry->capacity) * sizeof *slots);
    registry->slots = slots;
    registry->capacity = capacity;
    return 1;
}

uint64_t ldc_registry_add(ldc_registry *registry, ldc_ref *object)
{
    uint64_t id = 0;
    pthread_mutex_lock(&registry->lock);
    size_t index;
    if (registry->free_head != 0) {
        index = registry->free_head - 1u;
        registry->free_head = registry->slots[index].next_free;
    } else {
        if (registry->used == registry->capacity && !grow(registry)) {
            goto done;
        }
        index = registry->used++;
    }
    struct ldc_slot *slot = &registry->slots[index];
    slot->object = object;
    slot->uses++;
    registry->count++;
    id = (slot->uses << SLOT_BITS) | index;
done:
    pthread_mutex_unlock(&registry->lock);
    return id;
}

/* The live slot of id, or NULL; the lock is held. */
static struct ldc_slot *find(ldc_registry *registry, uint64_t id)
{
    size_t index = (size_t)(id & (((uint64_t)1 << SLOT_BITS) - 1u));
    if (index >= registry->used) {
        return NULL;
    }
    struct ldc_slot *slot = &registry->slots[index];
    return slot->object != NULL && slot->uses == id >> SLOT_BITS ? slot : NULL;
}

void *ldc_registry_acquire(ldc_registry *registry, uint64_t id)
{
    pthread_mutex_lock(&registry->lock);
    struct ldc_slot *slot = find(registry, id);
    ldc_ref *object = slot == NULL ? NULL : slot->object;
    if (object != NULL) {
        ldc_ref_get(object);
    }
    pthread_mutex_unlock(&registry->lock);
    return object;
}

void ldc_registry_remove(ldc_registry *registry, uint64_t id)
{
    pthread_mutex_lock(&registry->lock);
    struct ldc_slot *slot = find(registry, id);
    if (slot != NULL) {
        slot->object = NULL;
        slot->next_free = registry->free_head;
        registry->free_head = (uint32_t)(slot - registry->slots) + 1u;
        registry->count--;
    }
    pthread_mutex_unlock(&registry->lock);
}

size_t ldc_registry_count(ldc_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    size_t count = registry->count;
    pthread_mutex_unlock(&registry->lock);
    return count;
}

void ldc_registry_forget(ldc_registry *registry)
{
    ldc_registry fresh = LDC_REGISTRY_INIT;
    /* The child's ids must never equal one of the parent's: go on counting. */
    for (size_t i = 0; i < registry->used; i++) {
        registry->slots[i].object = NULL;
        registry->slots[i].next_free = i + 1 < registry->used ? (uint32_t)i + 2u : 0u;
    }
    fresh.slots = registry->slots;
    fresh.capacity = registry->capacity;
    fresh.used = registry->used;
    fresh.free_head = registry->used == 0 ? 0u : 1u;
    memcpy(registry, &fresh, sizeof fresh);
}
