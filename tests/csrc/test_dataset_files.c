/* Unit tests of data sets (ldc_dataset.h): loading and saving. */
#include "dataset_fixture.h"

/* ---- loading ---- */

TEST(a_users_file_that_changes_is_never_read_as_if_it_had_not)
{
    static const char *const changes[] = {"longer", "shorter", "same size", "same bytes, later"};
    uint8_t bytes[256], buffer[256];
    size_t size = sample(bytes, IMPLICIT_LITTLE);
    open_folder();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        ldc_dataset *dataset = NULL;
        const char *path = in_folder("file");
        /* A nanosecond apart: clocks of file systems may not tell two writes in a row apart. */
        struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
        write_file(path, bytes, size);
        CHECK_INT(utimensat(AT_FDCWD, path, times, 0), 0);
        if (!CHECK_INT(ldc_dataset_load(path, folder, &dataset), DICOM_SUCCESS)) {
            continue;
        }
        CHECK_INT(ldc_dataset_check(dataset), DICOM_SUCCESS);
        CHECK(dataset_holds(dataset, bytes, size));

        write_file(path, bytes, i == 0 ? size + 1 : i == 1 ? size - 1 : size);
        times[1].tv_nsec = i < 2 ? 0 : 1;
        CHECK_INT(utimensat(AT_FDCWD, path, times, 0), 0);
        CHECK_INT(ldc_dataset_check(dataset), DICOM_ERROR_FILE_READ);
        CHECK_INT(ldc_dataset_read(dataset, 0, buffer, 10), DICOM_ERROR_FILE_READ);
        CHECK(strstr(L_DicomGetLastErrorText(), path) != NULL);
        CHECK(strstr(L_DicomGetLastErrorText(), "changed") != NULL);

        HDICOMDS handle = ldc_dataset_lend(dataset);
        const L_UCHAR *whole;
        L_UINT64 length;
        CHECK_INT(L_DicomGetBufferDS(handle, &whole, &length), DICOM_ERROR_FILE_READ);
        CHECK_INT(L_DicomSaveDS(handle, in_folder("copy"), 0), DICOM_ERROR_FILE_READ);
        CHECK_INT(entries(), 1);
        L_DicomFreeDS(handle);
        ldc_dataset_put(dataset);
    }
    CHECK_INT(unlink(in_folder("file")), 0);
    close_folder();
}

TEST(a_users_file_is_read_into_memory_and_not_mapped)
{
    uint8_t bytes[256];
    const L_UCHAR *buffer = NULL;
    L_UINT64 length = 0;
    size_t size = sample(bytes, IMPLICIT_LITTLE);
    open_folder();
    const char *path = in_folder("file");
    write_file(path, bytes, size);
    HDICOMDS handle = L_DicomCreateDS(folder);
    CHECK_INT(L_DicomLoadDS(handle, path, 0), DICOM_SUCCESS);
    CHECK_STR(L_DicomGetFileDS(handle), path);
    CHECK_INT(L_DicomGetBufferDS(handle, &buffer, &length), DICOM_SUCCESS);
    CHECK_INT(truncate(path, 0), 0);
    CHECK(length == size && memcmp(buffer, bytes, size) == 0); /* mapped: SIGBUS */
    L_DicomFreeDS(handle);
    CHECK_INT(unlink(path), 0);
    close_folder();
}

TEST(what_cannot_be_loaded_is_told_by_code_and_by_name_and_the_handle_keeps_what_it_had)
{
    open_folder();
    HDICOMDS handle = L_DicomCreateDS(folder);
    CHECK_INT(L_DicomSetBufferDS(handle, (const L_UCHAR *)"kept", 4, NULL), DICOM_SUCCESS);

    CHECK_INT(L_DicomLoadDS(handle, in_folder("missing"), 0), DICOM_ERROR_FILE_NOT_FOUND);
    CHECK(strstr(L_DicomGetLastErrorText(), "missing") != NULL);
    CHECK_INT(L_DicomLoadDS(handle, NULL, 0), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomLoadDS(handle, "", 0), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomLoadDS(handle, folder, 1), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomLoadDS(handle, folder, 0), DICOM_ERROR_FILE_ACCESS);
    CHECK_INT(mkfifo(in_folder("fifo"), 0600), 0);
    CHECK_INT(L_DicomLoadDS(handle, in_folder("fifo"), 0), DICOM_ERROR_FILE_ACCESS);
    CHECK_INT(unlink(in_folder("fifo")), 0);

    const char *path = in_folder("file");
    write_file(path, "", 0);
    CHECK_INT(L_DicomLoadDS(handle, path, 0), DICOM_ERROR_FILE_FORMAT);
    write_file(path, "This is a text, and not a data set", 34);
    CHECK_INT(L_DicomLoadDS(handle, path, 0), DICOM_ERROR_FILE_FORMAT);
    CHECK(strstr(L_DicomGetLastErrorText(), path) != NULL);
    CHECK_INT(L_DicomLoadDS(handle, in_folder("file/below"), 0), DICOM_ERROR_FILE_NOT_FOUND);
    if (geteuid() != 0) {
        CHECK_INT(chmod(path, 0), 0);
        CHECK_INT(L_DicomLoadDS(handle, path, 0), DICOM_ERROR_FILE_ACCESS);
    }
    CHECK_INT(unlink(path), 0);
    CHECK(holds(handle, "kept", 4));
    L_DicomFreeDS(handle);
    close_folder();
}

TEST(bare_data_sets_load_in_the_syntax_that_they_show)
{
    static const char *const syntaxes[] = {IMPLICIT_LITTLE, LDC_EXPLICIT_LITTLE, LDC_EXPLICIT_BIG};
    uint8_t bytes[256];
    open_folder();
    HDICOMDS handle = L_DicomCreateDS(folder);
    for (size_t i = 0; i < sizeof syntaxes / sizeof syntaxes[0]; i++) {
        size_t size = sample(bytes, syntaxes[i]);
        write_file(in_folder("bare"), bytes, size);
        CHECK_INT(L_DicomLoadDS(handle, in_folder("bare"), 0), DICOM_SUCCESS);
        CHECK_STR(L_DicomGetTransferSyntaxDS(handle), syntaxes[i]);
        CHECK(holds(handle, bytes, size));
    }
    L_DicomFreeDS(handle);
    CHECK_INT(unlink(in_folder("bare")), 0);
    close_folder();
}

/* Loads the first bytes; the code. */
static int load_beginning(const uint8_t *bytes, size_t size, HDICOMDS handle)
{
    write_file(in_folder("cut"), bytes, size);
    return L_DicomLoadDS(handle, in_folder("cut"), 0);
}

TEST(a_file_cut_off_at_any_place_is_refused_until_its_data_set_has_begun)
{
    open_folder();
    HDICOMDS handle = sample_handle(LDC_EXPLICIT_LITTLE);
    size_t data = (size_t)L_DicomGetLengthDS(handle), size;
    CHECK_INT(L_DicomSaveDS(handle, in_folder("file"), 0), DICOM_SUCCESS);
    uint8_t *bytes = read_file(in_folder("file"), &size);
    for (size_t i = 0; i < 2; i++) {
        /* With preamble and without. */
        size_t skipped = i == 0 ? 0 : 132, header = size - data;
        for (size_t cut = skipped; cut < size; cut++) {
            bool good = cut == header || cut >= header + 8;
            int rc = load_beginning(bytes + skipped, cut - skipped, handle);
            if (!CHECK_INT(rc, good ? DICOM_SUCCESS : DICOM_ERROR_FILE_FORMAT)) {
                printf("cut off after %zu of %zu bytes\n", cut, size);
            }
            if (good) {
                CHECK(holds(handle, bytes + header, cut - header));
            }
        }
    }
    L_DicomFreeDS(handle);
    CHECK_INT(unlink(in_folder("cut")), 0);
    CHECK_INT(unlink(in_folder("file")), 0);
    close_folder();
    free(bytes);
}

/* Preamble, and group 0002 with `extra` bytes of private information. */
static size_t long_header(uint8_t *to, size_t extra)
{
    size_t at = 132;
    memset(to, 0, 128);
    memcpy(to + 128, (const char[4]){'D', 'I', 'C', 'M'}, 4);
    at += put_element(to + at, DS_EXPLICIT_VR, 2, 0x10, "UI", LDC_EXPLICIT_LITTLE, 20);
    memcpy(to + at, (const uint8_t[8]){2, 0, 2, 1, 'O', 'B', 0, 0}, 8);
    to[at + 8] = (uint8_t)extra;
    to[at + 9] = (uint8_t)(extra >> 8);
    to[at + 10] = (uint8_t)(extra >> 16);
    to[at + 11] = (uint8_t)(extra >> 24);
    memset(to + at + 12, 'p', extra);
    return at + 12 + extra;
}

TEST(a_long_group_0002_is_read_and_one_of_more_than_a_mebibyte_is_refused)
{
    size_t room = (size_t)3 * 1024 * 1024;
    uint8_t *bytes = malloc(room), data[256];
    size_t size = sample(data, LDC_EXPLICIT_LITTLE);
    open_folder();
    HDICOMDS handle = L_DicomCreateDS(folder);
    for (size_t extra = 60000; bytes != NULL && extra < room - 1000; extra += 99330) {
        size_t header = long_header(bytes, extra);
        memcpy(bytes + header, data, size);
        if (header + 8 <= LDC_PART10_LIMIT) {
            CHECK_INT(load_beginning(bytes, header + size, handle), DICOM_SUCCESS);
            CHECK(holds(handle, data, size));
        } else {
            CHECK_INT(load_beginning(bytes, header + size, handle), DICOM_ERROR_FILE_FORMAT);
            CHECK(strstr(L_DicomGetLastErrorText(), "1 MiB") != NULL);
        }
    }
    L_DicomFreeDS(handle);
    CHECK_INT(unlink(in_folder("cut")), 0);
    close_folder();
    free(bytes);
}

/* ---- saving ---- */

TEST(what_was_saved_is_loaded_as_it_was_in_every_syntax)
{
    static const char *const syntaxes[] = {IMPLICIT_LITTLE, LDC_EXPLICIT_LITTLE, LDC_EXPLICIT_BIG,
                                           "1.2.840.10008.1.2.4.50"};
    uint8_t bytes[256];
    open_folder();
    for (size_t i = 0; i < sizeof syntaxes / sizeof syntaxes[0]; i++) {
        size_t size = sample(bytes, syntaxes[i]), length;
        HDICOMDS handle = sample_handle(syntaxes[i]), other = L_DicomCreateDS(folder);
        CHECK_INT(L_DicomSaveDS(handle, in_folder("file"), DS_METAHEADER_PRESENT), DICOM_SUCCESS);
        CHECK_INT(L_DicomLoadDS(other, in_folder("file"), 0), DICOM_SUCCESS);
        CHECK_STR(L_DicomGetTransferSyntaxDS(other), syntaxes[i]);
        CHECK(holds(other, bytes, size));
        ldc_dataset *loaded = ldc_dataset_acquire(other);
        CHECK_STR(ldc_dataset_media_class(loaded), "1.2.840.10008.5.1.4.1.1.7");
        CHECK_STR(ldc_dataset_media_instance(loaded), "1.2.3.4.5");
        ldc_dataset_put(loaded);

        uint8_t *file = read_file(in_folder("file"), &length);
        CHECK(memcmp(file + 128, "DICM\x02\0\0\0UL\x04\0", 12) == 0);
        CHECK_INT((size_t)file[140] | (size_t)file[141] << 8, length - size - 144);
        free(file);
        /* Onto the very file it was loaded from. */
        CHECK_INT(L_DicomSaveDS(other, in_folder("file"), 0), DICOM_SUCCESS);
        CHECK(holds(other, bytes, size));
        L_DicomFreeDS(other);
        L_DicomFreeDS(handle);
    }
    CHECK_INT(unlink(in_folder("file")), 0);
    close_folder();
}

TEST(class_and_instance_of_the_file_are_kept_when_the_data_set_has_none)
{
    uint8_t bytes[512];
    ldc_part10 what = {.syntax = LDC_EXPLICIT_LITTLE,
                       .media_class = "1.2.840.10008.1.3.10",
                       .media_instance = "1.2.77"};
    size_t length = 0;
    uint8_t *header = ldc_part10_header(&what, &length);
    open_folder();
    memcpy(bytes, header, length);
    free(header);
    length += put_element(bytes + length, DS_EXPLICIT_VR, 0x0004, 0x1130, "CS", "SET ", 4);
    write_file(in_folder("directory"), bytes, length);
    HDICOMDS handle = L_DicomCreateDS(folder);
    CHECK_INT(L_DicomLoadDS(handle, in_folder("directory"), 0), DICOM_SUCCESS);
    CHECK_INT(L_DicomSaveDS(handle, in_folder("directory"), 0), DICOM_SUCCESS);
    CHECK_INT(L_DicomLoadDS(handle, in_folder("directory"), 0), DICOM_SUCCESS);
    ldc_dataset *loaded = ldc_dataset_acquire(handle);
    CHECK_STR(ldc_dataset_media_class(loaded), "1.2.840.10008.1.3.10");
    CHECK_STR(ldc_dataset_media_instance(loaded), "1.2.77");
    ldc_dataset_put(loaded);
    L_DicomFreeDS(handle);
    CHECK_INT(unlink(in_folder("directory")), 0);
    close_folder();
}

TEST(saving_writes_the_bytes_as_they_are_and_refuses_every_other_form)
{
    static const struct {
        unsigned flags;
        int rc;
    } asked[] = {
        {DS_LITTLE_ENDIAN | DS_IMPLICIT_VR, DICOM_SUCCESS},
        {DS_IMPLICIT_VR | DS_METAHEADER_PRESENT, DICOM_SUCCESS},
        {DS_BIG_ENDIAN, DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED},
        {DS_EXPLICIT_VR | DS_LITTLE_ENDIAN, DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED},
        {DS_LITTLE_ENDIAN | DS_BIG_ENDIAN, DICOM_ERROR_PARAMETER},
        {DS_METAHEADER_PRESENT | DS_METAHEADER_ABSENT, DICOM_ERROR_PARAMETER},
        {DS_GROUP_LENGTHS, DICOM_ERROR_FEATURE_NOT_SUPPORTED},
        {DS_LENGTH_EXPLICIT, DICOM_ERROR_FEATURE_NOT_SUPPORTED},
        {256, DICOM_ERROR_PARAMETER},
    };
    uint8_t bytes[256];
    size_t size = sample(bytes, IMPLICIT_LITTLE), length;
    open_folder();
    HDICOMDS handle = sample_handle(IMPLICIT_LITTLE);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        CHECK_INT(L_DicomSaveDS(handle, in_folder("file"), asked[i].flags), asked[i].rc);
        CHECK_INT(entries(), asked[i].rc == DICOM_SUCCESS ? 1 : 0);
        (void)unlink(in_folder("file"));
    }
    CHECK_INT(L_DicomSaveDS(handle, NULL, 0), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomSaveDS(handle, in_folder("file"), DS_METAHEADER_ABSENT), DICOM_SUCCESS);
    uint8_t *file = read_file(in_folder("file"), &length);
    CHECK(length == size && memcmp(file, bytes, size) == 0);
    free(file);

    /* Not known: as the bytes show, explicit little endian for an empty one, or not at all. */
    CHECK_INT(L_DicomSetBufferDS(handle, bytes, size, NULL), DICOM_SUCCESS);
    CHECK_INT(L_DicomSaveDS(handle, in_folder("file"), 0), DICOM_SUCCESS);
    CHECK_INT(L_DicomLoadDS(handle, in_folder("file"), 0), DICOM_SUCCESS);
    CHECK_STR(L_DicomGetTransferSyntaxDS(handle), IMPLICIT_LITTLE);
    CHECK_INT(L_DicomResetDS(handle), DICOM_SUCCESS);
    CHECK_INT(L_DicomSaveDS(handle, in_folder("file"), 0), DICOM_SUCCESS);
    CHECK_INT(L_DicomLoadDS(handle, in_folder("file"), 0), DICOM_SUCCESS);
    CHECK_STR(L_DicomGetTransferSyntaxDS(handle), LDC_EXPLICIT_LITTLE);
    CHECK_INT(L_DicomSetBufferDS(handle, (const L_UCHAR *)"????????????", 12, NULL), DICOM_SUCCESS);
    CHECK_INT(L_DicomSaveDS(handle, in_folder("file"), 0),
              DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED);
    CHECK_INT(unlink(in_folder("file")), 0);
    L_DicomFreeDS(handle);
    close_folder();
}

TEST(a_save_that_fails_leaves_the_old_file_and_nothing_else)
{
    size_t size = 200000, length;
    uint8_t *bytes = pattern(size);
    open_folder();
    HDICOMDS handle = L_DicomCreateDS(folder);
    CHECK_INT(L_DicomSetBufferDS(handle, bytes, size, LDC_EXPLICIT_LITTLE), DICOM_SUCCESS);
    write_file(in_folder("file"), "old", 3);

    limit_files(100000);
    CHECK_INT(L_DicomSaveDS(handle, in_folder("file"), 0), DICOM_ERROR_FILE_WRITE);
    CHECK(strstr(L_DicomGetLastErrorText(), in_folder("file")) != NULL);
    limit_files(RLIM_INFINITY);
    CHECK_INT(entries(), 1);
    uint8_t *file = read_file(in_folder("file"), &length);
    CHECK(length == 3 && memcmp(file, "old", 3) == 0);
    free(file);
    CHECK_INT(unlink(in_folder("file")), 0);

    CHECK_INT(L_DicomSaveDS(handle, folder, 0), DICOM_ERROR_FILE_WRITE);
    CHECK_INT(L_DicomSaveDS(handle, "/dev/full", 0), DICOM_ERROR_FILE_WRITE);
    CHECK_INT(L_DicomSaveDS(handle, in_folder("missing/file"), 0), DICOM_ERROR_FILE_WRITE);
    L_DicomFreeDS(handle);
    close_folder();
    free(bytes);
}

TEST(saving_over_a_file_keeps_its_mode_and_goes_through_a_link)
{
    struct stat status;
    open_folder();
    HDICOMDS handle = sample_handle(IMPLICIT_LITTLE);
    write_file(in_folder("file"), "old", 3);
    CHECK_INT(chmod(in_folder("file"), 0640), 0);
    CHECK_INT(symlink("file", in_folder("link")), 0);

    CHECK_INT(L_DicomSaveDS(handle, in_folder("link"), 0), DICOM_SUCCESS);
    CHECK_INT(lstat(in_folder("link"), &status), 0);
    CHECK(S_ISLNK(status.st_mode));
    CHECK_INT(lstat(in_folder("file"), &status), 0);
    CHECK_INT(status.st_mode & 07777, 0640);
    CHECK(status.st_size > 300);

    mode_t mask = umask(027);
    CHECK_INT(L_DicomSaveDS(handle, in_folder("new"), 0), DICOM_SUCCESS);
    (void)umask(mask);
    CHECK_INT(lstat(in_folder("new"), &status), 0);
    CHECK_INT(status.st_mode & 07777, 0640);
    CHECK_INT(unlink(in_folder("new")), 0);
    CHECK_INT(unlink(in_folder("link")), 0);
    CHECK_INT(unlink(in_folder("file")), 0);
    L_DicomFreeDS(handle);
    close_folder();
}

TEST(saving_is_the_same_with_and_without_a_temporary_name)
{
    static const uint8_t header[] = "header";
    for (int i = 0; i < 4; i++) {
        struct stat status;
        size_t length;
        open_folder();
        ldc_dataset *data = ldc_dataset_new(folder);
        CHECK_INT(ldc_dataset_append(data, "data", 4, 1000, 1000), DICOM_SUCCESS);
        if (i % 2 == 1) {
            write_file(in_folder("file"), "old", 3);
            CHECK_INT(chmod(in_folder("file"), 0604), 0);
        }
        mode_t mask = umask(026);
        CHECK_INT(ldc_file_save(in_folder("file"), header, 6, data, i < 2), DICOM_SUCCESS);
        (void)umask(mask);
        CHECK_INT(entries(), 1);
        CHECK_INT(lstat(in_folder("file"), &status), 0);
        CHECK_INT(status.st_mode & 07777, i % 2 == 1 ? 0604 : 0640);
        uint8_t *file = read_file(in_folder("file"), &length);
        CHECK(length == 10 && memcmp(file, "headerdata", 10) == 0);
        free(file);
        CHECK_INT(unlink(in_folder("file")), 0);
        ldc_dataset_put(data);
        close_folder();
    }
}
