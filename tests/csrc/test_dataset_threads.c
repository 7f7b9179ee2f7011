/* Unit tests of data sets (ldc_dataset.h): threads and fork. */
#include "dataset_fixture.h"

/* ---- threads ---- */

enum {
    THREADS = 8,
    ROUNDS = 400
};

static HDICOMDS shared;

/* Every data set that is put behind the handle has equal bytes, and says by its length which. */
static void *use_shared(void *arg)
{
    int number = (int)(intptr_t)arg;
    uint8_t bytes[64], copy[64];
    memset(bytes, number + 1, sizeof bytes);
    for (int i = 0; i < ROUNDS; i++) {
        switch ((i + number) % 5) {
        case 0:
            CHECK_INT(L_DicomSetBufferDS(shared, bytes, (L_UINT64)number + 1, IMPLICIT_LITTLE),
                      DICOM_SUCCESS);
            break;
        case 1:
            CHECK_INT(L_DicomResetDS(shared), DICOM_SUCCESS);
            break;
        case 2:
            CHECK(L_DicomGetLengthDS(shared) <= THREADS);
            break;
        default: {
            HDICOMDS kept = L_DicomRetainDS(shared);
            ldc_dataset *dataset = ldc_dataset_acquire(kept);
            L_DicomFreeDS(kept);
            if (CHECK(dataset != NULL)) {
                size_t length = (size_t)ldc_dataset_length(dataset);
                CHECK_INT(ldc_dataset_read(dataset, 0, copy, length), DICOM_SUCCESS);
                CHECK(length == 0 || (copy[0] == length && copy[length - 1] == length));
                ldc_dataset_put(dataset);
            }
        }
        }
    }
    return NULL;
}

static void run_threads(void *(*run)(void *))
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
}

TEST(threads_may_share_a_handle)
{
    size_t handles = ldc_dataset_handles();
    shared = L_DicomCreateDS(NULL);
    run_threads(use_shared);
    L_DicomFreeDS(shared);
    CHECK_INT(ldc_dataset_handles(), handles);
}

static pthread_barrier_t at_once;
static HDICOMDS many[ROUNDS];

static void *free_many(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&at_once);
    for (int i = 0; i < ROUNDS; i++) {
        HDICOMDS kept = L_DicomRetainDS(many[i]); /* or NULL */
        L_DicomFreeDS(many[i]);
        L_DicomFreeDS(kept);
    }
    return NULL;
}

TEST(threads_that_free_one_handle_free_it_once)
{
    size_t handles = ldc_dataset_handles();
    pthread_barrier_init(&at_once, NULL, THREADS);
    for (int i = 0; i < ROUNDS; i++) {
        many[i] = L_DicomCreateDS(NULL);
    }
    run_threads(free_many);
    pthread_barrier_destroy(&at_once);
    CHECK_INT(ldc_dataset_handles(), handles);
}

static const L_UCHAR *buffers[THREADS];

static void *get_buffer(void *arg)
{
    L_UINT64 length;
    CHECK_INT(L_DicomGetBufferDS(shared, &buffers[(intptr_t)arg], &length), DICOM_SUCCESS);
    return NULL;
}

TEST(threads_that_ask_for_the_buffer_get_the_same_one)
{
    open_folder();
    ldc_dataset *dataset = ldc_dataset_new(folder);
    CHECK_INT(ldc_dataset_append(dataset, "abcd", 4, 0, NO_LIMIT), DICOM_SUCCESS);
    shared = ldc_dataset_lend(dataset);
    ldc_dataset_put(dataset);
    run_threads(get_buffer);
    for (int i = 0; i < THREADS; i++) {
        CHECK(buffers[i] != NULL && buffers[i] == buffers[0]);
    }
    CHECK(memcmp(buffers[0], "abcd", 4) == 0);
    L_DicomFreeDS(shared);
    close_folder();
}

static void *spill_and_free(void *arg)
{
    uint8_t bytes[1000] = {0};
    (void)arg;
    for (int i = 0; i < 50; i++) {
        ldc_dataset *dataset = ldc_dataset_new(folder);
        CHECK_INT(ldc_dataset_append(dataset, bytes, 900, 0, NO_LIMIT), DICOM_SUCCESS);
        CHECK_INT(ldc_dataset_append(dataset, bytes, 100, 0, NO_LIMIT), DICOM_SUCCESS);
        ldc_dataset_put(dataset);
    }
    return NULL;
}

TEST(threads_keep_the_quota_right)
{
    open_folder();
    ldc_dataset_set_quota((uint64_t)THREADS * 1000);
    run_threads(spill_and_free);
    ldc_dataset_set_quota(LDC_DATASET_QUOTA);
    CHECK_INT(ldc_dataset_spilled_bytes(), 0);
    close_folder();
}

/* ---- fork ---- */

/* What the child finds; 0 = all is right. */
static int be_child(HDICOMDS handle, ldc_dataset *dataset)
{
    ldc_dataset_after_fork();
    if (ldc_dataset_acquire(handle) != NULL || ldc_dataset_handles() != 0 ||
        ldc_dataset_spilled_bytes() != 0) {
        return 1;
    }
    ldc_dataset_put(dataset); /* of the parent: its quota is none of ours */
    ldc_dataset_put(dataset); /* the last one: that of the handle, which is gone here */
    if (ldc_dataset_spilled_bytes() != 0) {
        return 2;
    }
    HDICOMDS own = L_DicomCreateDS(NULL);
    if (own == handle || L_DicomSetBufferDS(own, (const L_UCHAR *)"x", 1, NULL) != DICOM_SUCCESS) {
        return 3;
    }
    L_DicomFreeDS(own);
    return 0;
}

TEST(a_forked_child_starts_without_handles)
{
    int status = -1;
    open_folder();
    ldc_dataset *dataset = ldc_dataset_new(folder);
    CHECK_INT(ldc_dataset_append(dataset, "x", 1, 0, NO_LIMIT), DICOM_SUCCESS);
    HDICOMDS handle = ldc_dataset_lend(dataset);

    pid_t child = fork();
    if (child == 0) {
        _exit(be_child(handle, dataset));
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    ldc_dataset_before_fork();
    ldc_dataset_after_fork_in_parent();
    CHECK(holds(handle, "x", 1));
    ldc_dataset_put(dataset);
    L_DicomFreeDS(handle);
    CHECK_INT(ldc_dataset_spilled_bytes(), 0);
    close_folder();
}
