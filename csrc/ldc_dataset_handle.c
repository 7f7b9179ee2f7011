/*
 * ldc_dataset_handle.c - the numbers that stand for data sets; see ldc_dataset.h.
 */
#include <pthread.h>
#include <stdlib.h>

#include "ldc_dataset.h"
#include "ldc_error.h"

/* ---- handles ---- */

typedef struct cell {
    ldc_ref ref;
    pthread_mutex_t lock; /* guards the two below; a leaf */
    ldc_dataset *current; /* a reference, never NULL */
    bool ended;
} cell;

static ldc_registry cells = LDC_REGISTRY_INIT;

static void cell_destroy(ldc_ref *ref)
{
    cell *self = (cell *)ref;
    ldc_dataset_put(self->current);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

HDICOMDS ldc_dataset_lend(ldc_dataset *dataset)
{
    if (dataset == NULL) {
        return NULL;
    }
    uint64_t id = 0;
    cell *self = calloc(1, sizeof *self);
    if (self != NULL) {
        ldc_ref_init(&self->ref, cell_destroy);
        pthread_mutex_init(&self->lock, NULL);
        ldc_dataset_ref(dataset);
        self->current = dataset;
        id = ldc_registry_add(&cells, &self->ref);
    }
    if (id == 0) {
        ldc_ref_put((ldc_ref *)self);
        (void)ldc_error(DICOM_ERROR_MEMORY, "%s", "data set handle");
    }
    return (HDICOMDS)(uintptr_t)id;
}

void ldc_dataset_unlend(HDICOMDS handle)
{
    uint64_t id = (uint64_t)(uintptr_t)handle;
    cell *self = ldc_registry_acquire(&cells, id);
    if (self == NULL) {
        return; /* NULL, ended already, or the parent's before fork() */
    }
    pthread_mutex_lock(&self->lock);
    bool first = !self->ended;
    self->ended = true;
    pthread_mutex_unlock(&self->lock);
    if (first) {
        ldc_registry_remove(&cells, id);
        ldc_ref_put(&self->ref); /* the handle's */
    }
    ldc_ref_put(&self->ref);
}

static cell *acquire_cell(HDICOMDS handle)
{
    cell *self = ldc_registry_acquire(&cells, (uint64_t)(uintptr_t)handle);
    if (self == NULL) {
        (void)ldc_error(DICOM_ERROR_OBJECT_DISPOSED, "%s",
                        "the data set was freed, was lent to a callback that has returned, or was "
                        "made by a process before fork()");
    }
    return self;
}

ldc_dataset *ldc_dataset_acquire(HDICOMDS handle)
{
    cell *self = acquire_cell(handle);
    if (self == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&self->lock);
    ldc_dataset *dataset = self->current;
    ldc_dataset_ref(dataset);
    pthread_mutex_unlock(&self->lock);
    ldc_ref_put(&self->ref);
    return dataset;
}

int ldc_dataset_replace(HDICOMDS handle, ldc_dataset *dataset)
{
    cell *self = acquire_cell(handle);
    if (self == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    ldc_dataset_ref(dataset);
    pthread_mutex_lock(&self->lock);
    ldc_dataset *before = self->current;
    self->current = dataset;
    pthread_mutex_unlock(&self->lock);
    ldc_dataset_put(before);
    ldc_ref_put(&self->ref);
    return DICOM_SUCCESS;
}

size_t ldc_dataset_handles(void)
{
    return ldc_registry_count(&cells);
}

/* ---- fork ---- */

void ldc_dataset_before_fork(void)
{
    pthread_mutex_lock(&cells.lock);
}

void ldc_dataset_after_fork_in_parent(void)
{
    pthread_mutex_unlock(&cells.lock);
}

void ldc_dataset_after_fork(void)
{
    ldc_registry_forget(&cells);
    ldc_dataset_forget_quota();
}
