/* Unit tests of data sets (ldc_dataset.h): where their bytes are, quotas, handles. */
#include "dataset_fixture.h"

/* ---- receiving ---- */

TEST(a_new_data_set_is_empty_and_in_memory)
{
    uint64_t offset = 1;
    const uint8_t *buffer = NULL;
    ldc_dataset *dataset = ldc_dataset_new(NULL);

    CHECK_INT(ldc_dataset_length(dataset), 0);
    CHECK(ldc_dataset_memory(dataset) != NULL);
    CHECK_INT(ldc_dataset_descriptor(dataset, &offset), -1);
    CHECK_INT(offset, 0);
    CHECK_STR(ldc_dataset_syntax(dataset), "");
    CHECK_STR(ldc_dataset_file(dataset), NULL);
    CHECK_INT(ldc_dataset_buffer(dataset, &buffer), DICOM_SUCCESS);
    CHECK(buffer != NULL);
    CHECK_INT(ldc_dataset_read(dataset, 0, NULL, 0), DICOM_SUCCESS);
    ldc_dataset_put(dataset);
    ldc_dataset_put(NULL);
}

TEST(up_to_the_limit_bytes_stay_in_memory_and_one_more_moves_all_to_a_file_without_a_name)
{
    uint8_t *bytes = pattern(5000), part[100], opened[5000];
    const uint8_t *buffer = NULL;
    uint64_t offset, before = ldc_dataset_spilled_bytes();
    open_folder();
    ldc_dataset *dataset = ldc_dataset_new(folder);

    CHECK_INT(ldc_dataset_append(dataset, bytes, 1, 4096, NO_LIMIT), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_append(dataset, bytes + 1, 4095, 4096, NO_LIMIT), DICOM_SUCCESS);
    CHECK(ldc_dataset_memory(dataset) != NULL &&
          memcmp(ldc_dataset_memory(dataset), bytes, 4096) == 0);
    CHECK_INT(ldc_dataset_spilled_bytes(), before);
    CHECK_INT(ldc_dataset_append(dataset, bytes + 4096, 1, 4096, NO_LIMIT), DICOM_SUCCESS);
    CHECK(ldc_dataset_memory(dataset) == NULL);
    CHECK_INT(ldc_dataset_append(dataset, bytes + 4097, 903, 4096, NO_LIMIT), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_spilled_bytes() - before, 5000);
    CHECK_INT(entries(), 0);

    CHECK(dataset_holds(dataset, bytes, 5000));
    CHECK_INT(ldc_dataset_read(dataset, 4090, part, 100), DICOM_SUCCESS);
    CHECK(memcmp(part, bytes + 4090, 100) == 0);
    CHECK_INT(ldc_dataset_read(dataset, 4901, part, 100), DICOM_ERROR_FILE_READ);
    CHECK_INT(ldc_dataset_read(dataset, UINT64_MAX, part, 100), DICOM_ERROR_FILE_READ);
    CHECK_INT(ldc_dataset_buffer(dataset, &buffer), DICOM_SUCCESS);
    CHECK(buffer != NULL && memcmp(buffer, bytes, 5000) == 0);
    CHECK(ldc_dataset_descriptor(dataset, &offset) >= 0);
    CHECK_INT(offset, 0);
    int fd = open(ldc_dataset_file(dataset), O_RDONLY | O_CLOEXEC);
    CHECK_INT(read(fd, opened, sizeof opened), 5000);
    CHECK(memcmp(opened, bytes, 5000) == 0);
    close(fd);

    ldc_dataset_put(dataset);
    CHECK_INT(ldc_dataset_spilled_bytes(), before);
    close_folder();
    free(bytes);
}

TEST(with_a_memory_limit_of_0_the_first_byte_goes_to_a_file)
{
    open_folder();
    ldc_dataset *dataset = ldc_dataset_new(folder);

    CHECK_INT(ldc_dataset_append(dataset, "", 0, 0, NO_LIMIT), DICOM_SUCCESS);
    CHECK(ldc_dataset_memory(dataset) != NULL);
    CHECK_INT(ldc_dataset_append(dataset, "x", 1, 0, NO_LIMIT), DICOM_SUCCESS);
    CHECK(ldc_dataset_memory(dataset) == NULL);
    CHECK(dataset_holds(dataset, "x", 1));
    ldc_dataset_put(dataset);
    close_folder();
}

TEST(past_the_total_limit_the_data_set_stays_as_it_was_and_every_further_append_fails_alike)
{
    uint8_t *bytes = pattern(300);
    open_folder();
    for (uint64_t memory_limit = 0; memory_limit <= 1000; memory_limit += 1000) {
        uint64_t before = ldc_dataset_spilled_bytes();
        ldc_dataset *dataset = ldc_dataset_new(folder);
        CHECK_INT(ldc_dataset_append(dataset, bytes, 200, memory_limit, 200), DICOM_SUCCESS);
        CHECK_INT(ldc_dataset_append(dataset, bytes, 1, memory_limit, 200),
                  DICOM_ERROR_DATA_SET_TOO_LARGE);
        CHECK_INT(ldc_dataset_append(dataset, bytes, 1, memory_limit, NO_LIMIT),
                  DICOM_ERROR_DATA_SET_TOO_LARGE);
        CHECK_INT(L_DicomGetLastError(), DICOM_ERROR_DATA_SET_TOO_LARGE);
        CHECK(dataset_holds(dataset, bytes, 200));
        CHECK_INT(ldc_dataset_spilled_bytes() - before, memory_limit == 0 ? 200 : 0);
        ldc_dataset_put(dataset);
        CHECK_INT(ldc_dataset_spilled_bytes(), before);
    }
    close_folder();
    free(bytes);
}

TEST(the_quota_counts_the_files_of_all_data_sets_and_what_is_freed_can_be_used_again)
{
    uint8_t *bytes = pattern(600);
    open_folder();
    CHECK_INT(ldc_dataset_spilled_bytes(), 0);
    ldc_dataset_set_quota(1000);
    ldc_dataset *first = ldc_dataset_new(folder), *second = ldc_dataset_new(folder);

    CHECK_INT(ldc_dataset_append(first, bytes, 600, 0, NO_LIMIT), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_append(second, bytes, 300, 300, NO_LIMIT), DICOM_SUCCESS);
    /* Moving counts what was in memory too. */
    CHECK_INT(ldc_dataset_append(second, bytes + 300, 101, 300, NO_LIMIT),
              DICOM_ERROR_DATA_SET_TOO_LARGE);
    CHECK(ldc_dataset_memory(second) != NULL && dataset_holds(second, bytes, 300));
    CHECK_INT(ldc_dataset_spilled_bytes(), 600);
    ldc_dataset_put(second);
    ldc_dataset_put(first);
    CHECK_INT(ldc_dataset_spilled_bytes(), 0);
    first = ldc_dataset_new(folder);
    CHECK_INT(ldc_dataset_append(first, bytes, 600, 0, NO_LIMIT), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_append(first, bytes, 400, 0, NO_LIMIT), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_append(first, bytes, 1, 0, NO_LIMIT), DICOM_ERROR_DATA_SET_TOO_LARGE);
    ldc_dataset_put(first);
    ldc_dataset_set_quota(LDC_DATASET_QUOTA);
    close_folder();
    free(bytes);
}

TEST(data_sets_that_have_not_been_handed_over_share_the_memory_there_is)
{
    static const char bytes[8000];
    open_folder();
    ldc_quota *quota = ldc_quota_new(20000);
    ldc_quota_set_memory(quota, 10000);
    ldc_dataset *first = ldc_dataset_new(folder), *second = ldc_dataset_new(folder),
                *third = ldc_dataset_new(folder);
    ldc_dataset_share(first, quota);
    ldc_dataset_share(second, quota);
    ldc_dataset_share(third, quota);
    CHECK_INT(ldc_dataset_append(first, bytes, sizeof bytes, NO_LIMIT, NO_LIMIT), 0);
    CHECK_INT(ldc_dataset_append(second, bytes, 100, NO_LIMIT, NO_LIMIT), 0);
    CHECK(ldc_dataset_memory(first) != NULL && ldc_dataset_memory(second) != NULL);
    CHECK(ldc_quota_memory(quota) >= 8100 && ldc_quota_memory(quota) <= 10000);
    CHECK_INT(ldc_dataset_append(second, bytes, sizeof bytes, NO_LIMIT, NO_LIMIT), 0);
    CHECK(ldc_dataset_memory(second) == NULL); /* no room: in a file, all of it */
    CHECK_INT(ldc_dataset_length(second), 8100);
    CHECK_INT(ldc_quota_used(quota), 8100);
    CHECK_INT(ldc_quota_memory(quota), 8000);
    ldc_dataset_handed_over(first); /* the user's: no longer counted, and still in memory */
    CHECK_INT(ldc_quota_memory(quota), 0);
    CHECK(ldc_dataset_memory(first) != NULL);
    CHECK_INT(ldc_dataset_append(third, bytes, sizeof bytes, NO_LIMIT, NO_LIMIT), 0);
    CHECK(ldc_dataset_memory(third) != NULL);
    ldc_dataset_put(first);
    ldc_dataset_put(second);
    CHECK_INT(ldc_quota_memory(quota), 8000);
    ldc_dataset_put(third);
    CHECK_INT(ldc_quota_memory(quota), 0);
    CHECK_INT(ldc_quota_used(quota), 0);
    ldc_quota_put(quota);
    close_folder();
}

TEST(a_quota_that_is_shared_is_apart_from_the_process_and_outlives_its_maker)
{
    uint8_t *bytes = pattern(600);
    open_folder();
    ldc_quota *quota = ldc_quota_new(1000);
    ldc_dataset *first = ldc_dataset_new(folder), *second = ldc_dataset_new(folder);
    ldc_dataset_share(first, quota);
    ldc_dataset_share(second, quota);
    CHECK_INT(ldc_dataset_append(first, bytes, 600, 0, NO_LIMIT), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_append(second, bytes, 600, 0, NO_LIMIT), DICOM_ERROR_DATA_SET_TOO_LARGE);
    CHECK_INT(ldc_quota_used(quota), 600);
    CHECK_INT(ldc_dataset_spilled_bytes(), 0);
    ldc_quota_set(quota, 100); /* no harm to what is there */
    CHECK(dataset_holds(first, bytes, 600));
    ldc_dataset_put(first);
    CHECK_INT(ldc_quota_used(quota), 0);
    ldc_quota_put(quota);
    ldc_dataset_put(second);
    close_folder();
    free(bytes);
}

TEST(a_disk_that_is_full_leaves_the_data_set_as_it_was_and_gives_the_room_back)
{
    enum {
        MOST = 100 * 1024
    };
    struct stat status;
    uint64_t offset;
    uint8_t *bytes = pattern((size_t)2 * MOST);
    open_folder();
    limit_files(MOST);

    /* Full while moving out of memory. */
    ldc_dataset *moving = ldc_dataset_new(folder);
    CHECK_INT(ldc_dataset_append(moving, bytes, MOST, MOST, NO_LIMIT), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_append(moving, bytes + MOST, 10, MOST, NO_LIMIT), DICOM_ERROR_FILE_WRITE);
    CHECK(strstr(L_DicomGetLastErrorText(), folder) != NULL);
    CHECK(ldc_dataset_memory(moving) != NULL && dataset_holds(moving, bytes, MOST));
    CHECK_INT(ldc_dataset_spilled_bytes(), 0);

    /* Full later: a part of the bytes could be written. */
    ldc_dataset *growing = ldc_dataset_new(folder);
    CHECK_INT(ldc_dataset_append(growing, bytes, MOST - 1000, 0, NO_LIMIT), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_append(growing, bytes, 5000, 0, NO_LIMIT), DICOM_ERROR_FILE_WRITE);
    CHECK_INT(fstat(ldc_dataset_descriptor(growing, &offset), &status), 0);
    CHECK_INT(status.st_size, MOST - 1000);
    CHECK_INT(ldc_dataset_spilled_bytes(), MOST - 1000);
    limit_files(RLIM_INFINITY);
    CHECK_INT(ldc_dataset_append(growing, bytes, 1, 0, NO_LIMIT), DICOM_ERROR_FILE_WRITE);
    CHECK(dataset_holds(growing, bytes, MOST - 1000));
    CHECK_INT(ldc_dataset_append(moving, bytes, 1, NO_LIMIT, NO_LIMIT), DICOM_ERROR_FILE_WRITE);

    ldc_dataset_put(moving);
    ldc_dataset_put(growing);
    CHECK_INT(ldc_dataset_spilled_bytes(), 0);
    close_folder();
    free(bytes);
}

TEST(a_folder_that_is_not_there_is_named_in_the_error)
{
    ldc_dataset *dataset = ldc_dataset_new("/nowhere/at_all");
    CHECK_INT(ldc_dataset_append(dataset, "x", 1, 0, NO_LIMIT), DICOM_ERROR_FILE_WRITE);
    CHECK(strstr(L_DicomGetLastErrorText(), "/nowhere/at_all") != NULL);
    ldc_dataset_put(dataset);
}

TEST(a_temporary_file_has_no_name_and_nobody_may_write_to_it_however_it_was_made)
{
    struct stat status;
    open_folder();
    for (int i = 0; i < 2; i++) {
        int fd = ldc_file_unnamed(folder, i == 0);
        CHECK(fd >= 0);
        CHECK_INT(entries(), 0);
        CHECK_INT(fstat(fd, &status), 0);
        CHECK_INT(status.st_nlink, 0);
        CHECK_INT(status.st_mode & 07777, 0400);
        CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_INT(ldc_file_write(fd, (const uint8_t *)"abc", 3, 0), 0);
        close(fd);
    }
    CHECK_INT(ldc_file_unnamed("/nowhere/at_all", false), -1);
    CHECK_INT(errno, ENOENT);
    close_folder();
}

TEST(a_transfer_syntax_is_kept_only_if_it_is_a_uid)
{
    char longest[65], longer[66];
    memset(longest, '1', 64);
    longest[64] = '\0';
    memset(longer, '1', 65);
    longer[65] = '\0';
    ldc_dataset *dataset = ldc_dataset_new("");

    ldc_dataset_set_syntax(dataset, longest);
    CHECK_STR(ldc_dataset_syntax(dataset), longest);
    ldc_dataset_set_syntax(dataset, longer);
    CHECK_STR(ldc_dataset_syntax(dataset), "");
    ldc_dataset_set_syntax(dataset, IMPLICIT_LITTLE);
    ldc_dataset_set_syntax(dataset, NULL);
    CHECK_STR(ldc_dataset_syntax(dataset), "");
    ldc_dataset_put(dataset);
}

/* ---- handles ---- */

TEST(a_stale_handle_is_disposed_of_for_every_function)
{
    const L_UCHAR *buffer = (const L_UCHAR *)"unchanged";
    L_UINT64 length = 5;
    size_t handles = ldc_dataset_handles();
    HDICOMDS stale = L_DicomCreateDS(NULL);
    CHECK_INT(ldc_dataset_handles(), handles + 1);
    L_DicomFreeDS(stale);
    L_DicomFreeDS(stale);
    CHECK_INT(ldc_dataset_handles(), handles);
    HDICOMDS none[] = {stale, NULL, (HDICOMDS)(uintptr_t)0x1234567890ABCDEF};
    HDICOMDS other = L_DicomCreateDS(NULL); /* has taken the place in the registry */

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        HDICOMDS handle = none[i];
        CHECK(ldc_dataset_acquire(handle) == NULL);
        CHECK_INT(L_DicomGetLastError(), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomLoadDS(handle, "/tmp", 0), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomSaveDS(handle, "/tmp", 0), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomResetDS(handle), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK(L_DicomRetainDS(handle) == NULL);
        CHECK_INT(L_DicomSetBufferDS(handle, (const L_UCHAR *)"x", 1, NULL),
                  DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomGetBufferDS(handle, &buffer, &length), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_STR((const char *)buffer, "unchanged");
        CHECK_INT(length, 5);
        CHECK_INT(L_DicomGetLengthDS(handle), 0);
        CHECK_STR(L_DicomGetTransferSyntaxDS(handle), "");
        CHECK_STR(L_DicomGetFileDS(handle), NULL);
        L_DicomFreeDS(handle);
        ldc_dataset_unlend(handle);
    }
    CHECK_INT(ldc_dataset_handles(), handles + 1);
    L_DicomFreeDS(other);
    CHECK(ldc_dataset_lend(NULL) == NULL);
}

TEST(a_lent_handle_may_be_freed_by_the_user_and_what_he_retained_outlives_it)
{
    size_t handles = ldc_dataset_handles();
    ldc_dataset *dataset = ldc_dataset_new("");
    CHECK_INT(ldc_dataset_append(dataset, "abc", 3, NO_LIMIT, NO_LIMIT), DICOM_SUCCESS);
    ldc_dataset_set_syntax(dataset, IMPLICIT_LITTLE);

    HDICOMDS lent = ldc_dataset_lend(dataset);
    HDICOMDS kept = L_DicomRetainDS(lent);
    CHECK(kept != NULL && kept != lent);
    L_DicomFreeDS(lent);
    ldc_dataset_unlend(lent);
    ldc_dataset_put(dataset);
    CHECK(holds(kept, "abc", 3));
    CHECK_STR(L_DicomGetTransferSyntaxDS(kept), IMPLICIT_LITTLE);
    L_DicomFreeDS(kept);
    CHECK_INT(ldc_dataset_handles(), handles);
}

TEST(what_was_acquired_for_sending_stays_whatever_happens_to_its_handle)
{
    open_folder();
    HDICOMDS handle = sample_handle(IMPLICIT_LITTLE);
    HDICOMDS twin = L_DicomRetainDS(handle);
    ldc_dataset *first = ldc_dataset_acquire(handle);
    const uint8_t *memory = ldc_dataset_memory(first);
    uint64_t length = ldc_dataset_length(first);

    CHECK_INT(L_DicomSetBufferDS(handle, (const L_UCHAR *)"new", 3, LDC_EXPLICIT_LITTLE),
              DICOM_SUCCESS);
    ldc_dataset *second = ldc_dataset_acquire(handle);
    CHECK(second != first);
    CHECK_INT(L_DicomResetDS(handle), DICOM_SUCCESS);
    CHECK_INT(L_DicomGetLengthDS(handle), 0);
    CHECK_STR(L_DicomGetTransferSyntaxDS(handle), "");
    CHECK_STR(ldc_dataset_syntax(second), LDC_EXPLICIT_LITTLE);
    CHECK(dataset_holds(second, "new", 3));
    CHECK_STR(ldc_dataset_syntax(first), IMPLICIT_LITTLE);
    CHECK(ldc_dataset_memory(first) == memory);
    CHECK_INT(ldc_dataset_length(first), length);
    CHECK_INT(L_DicomGetLengthDS(twin), length);

    CHECK_INT(L_DicomSaveDS(twin, in_folder("file"), 0), DICOM_SUCCESS);
    CHECK_INT(L_DicomLoadDS(handle, in_folder("file"), 0), DICOM_SUCCESS);
    ldc_dataset *loaded = ldc_dataset_acquire(handle);
    L_DicomFreeDS(handle);
    CHECK(ldc_dataset_memory(loaded) == NULL);
    CHECK(dataset_holds(loaded, memory, (size_t)length));
    /* Its file may go, its bytes are there as long as somebody has it. */
    CHECK_INT(unlink(in_folder("file")), 0);
    CHECK(dataset_holds(loaded, memory, (size_t)length));
    ldc_dataset_put(loaded);
    ldc_dataset_put(second);
    ldc_dataset_put(first);
    L_DicomFreeDS(twin);
    close_folder();
}

TEST(setting_a_buffer_copies_and_takes_its_own_buffer_too)
{
    char bytes[] = "0123456789";
    const L_UCHAR *buffer;
    L_UINT64 length;
    HDICOMDS handle = L_DicomCreateDS("");

    CHECK_INT(L_DicomSetBufferDS(handle, (const L_UCHAR *)bytes, 10, ""), DICOM_SUCCESS);
    bytes[0] = 'x';
    CHECK(holds(handle, "0123456789", 10));
    CHECK_INT(L_DicomGetBufferDS(handle, &buffer, &length), DICOM_SUCCESS);
    CHECK_INT(L_DicomSetBufferDS(handle, buffer + 3, 4, NULL), DICOM_SUCCESS);
    CHECK(holds(handle, "3456", 4));
    CHECK_STR(L_DicomGetFileDS(handle), NULL);
    CHECK_INT(L_DicomSetBufferDS(handle, NULL, 1, NULL), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomSetBufferDS(handle, buffer, 1, "JPEG"), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomGetBufferDS(handle, NULL, &length), DICOM_ERROR_PARAMETER);
    CHECK(holds(handle, "3456", 4));
    CHECK_INT(L_DicomSetBufferDS(handle, NULL, 0, NULL), DICOM_SUCCESS);
    CHECK_INT(L_DicomGetLengthDS(handle), 0);
    L_DicomFreeDS(handle);
}

TEST(a_large_buffer_goes_to_the_handles_folder_and_is_mapped)
{
    size_t size = (size_t)LDC_DATASET_MEMORY_LIMIT + 1;
    uint8_t *bytes = pattern(size), *saved;
    open_folder();
    HDICOMDS handle = L_DicomCreateDS(folder);

    CHECK_INT(L_DicomSetBufferDS(handle, bytes, size, LDC_EXPLICIT_LITTLE), DICOM_SUCCESS);
    CHECK(L_DicomGetFileDS(handle) != NULL &&
          strncmp(L_DicomGetFileDS(handle), "/proc/self/fd/", 14) == 0);
    CHECK_INT(ldc_dataset_spilled_bytes(), size);
    CHECK(holds(handle, bytes, size));
    CHECK_INT(L_DicomSaveDS(handle, in_folder("large"), DS_METAHEADER_ABSENT), DICOM_SUCCESS);
    size_t length;
    saved = read_file(in_folder("large"), &length);
    CHECK(length == size && saved != NULL && memcmp(saved, bytes, size) == 0);
    CHECK_INT(unlink(in_folder("large")), 0);
    CHECK_INT(L_DicomResetDS(handle), DICOM_SUCCESS);
    CHECK_INT(ldc_dataset_spilled_bytes(), 0);
    L_DicomFreeDS(handle);
    close_folder();
    free(saved);
    free(bytes);
}
