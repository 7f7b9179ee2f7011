/* test_outgoing.c - laying out what waits to be written. */
#include "ldc_outgoing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ldc_part10.h"
#include "ltdic.h"
#include "unit.h"

enum {
    DATA = 40000,
    MAXIMUM = 16 * 1024
};

/* A bare data set in a file of its own: one element of OB. */
static ldc_dataset *file_of(char *path, size_t length)
{
    static const uint8_t head[] = {0x08, 0, 0x18, 0, 'U', 'I', 4, 0, '1', '.', '2', 0};
    ldc_dataset *data = NULL;
    uint8_t *bytes = calloc(1, length);
    memcpy(bytes, head, sizeof head);
    const uint8_t pixels[] = {0xE0, 0x7F, 0x10, 0, 'O', 'B', 0, 0};
    memcpy(bytes + sizeof head, pixels, sizeof pixels);
    uint32_t left = (uint32_t)(length - sizeof head - sizeof pixels - 4);
    memcpy(bytes + sizeof head + sizeof pixels, &left, 4);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK(write(fd, bytes, length) == (ssize_t)length);
    (void)close(fd);
    free(bytes);
    CHECK_INT(ldc_dataset_load(path, NULL, &data), DICOM_SUCCESS);
    return data;
}

static ldc_out *store_of(ldc_dataset *data)
{
    uint8_t *command = calloc(1, 100);
    return ldc_out_message(1, command, 100, data, MAXIMUM);
}

TEST(all_pdus_of_a_message_are_laid_out_in_order)
{
    char path[] = "/tmp/ltdic-test-XXXXXX";
    ldc_dataset *data = file_of(path, DATA);
    ldc_out *out = store_of(data);
    ldc_stage stage = {0};
    bool done = false;
    CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
    CHECK(done);
    size_t at = 0, pdus = 0;
    while (at < stage.used) {
        CHECK_INT(stage.bytes[at], PDU_DATA_TRANSFER);
        at += 6 + ((size_t)stage.bytes[at + 4] << 8) + stage.bytes[at + 5];
        pdus++;
    }
    CHECK(at == stage.used);
    CHECK(pdus == 3);
    ldc_stage_free(&stage);
    ldc_out_free(out);
    ldc_dataset_put(data);
    (void)unlink(path);
}

/* What is read is encrypted while it is in the cache, whatever longer PDUs the peer would take. */
TEST(data_from_a_file_goes_out_in_pdus_of_128_kib)
{
    enum {
        LENGTH = 200 * 1024,
        PDU = 128 * 1024
    };
    const uint32_t maxima[] = {0, 128 * 1024, 1024 * 1024};
    for (size_t i = 0; i < sizeof maxima / sizeof maxima[0]; i++) {
        char path[] = "/tmp/ltdic-test-XXXXXX";
        ldc_dataset *data = file_of(path, LENGTH);
        ldc_out *out = ldc_out_message(1, calloc(1, 100), 100, data, maxima[i]);
        ldc_stage stage = {0};
        bool done = false;
        size_t writes = 0, most = 0;
        while (!done) {
            CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
            most = stage.left > most ? stage.left : most;
            ldc_stage_wrote(&stage, stage.left);
            writes++;
        }
        CHECK_INT(writes, 2);
        CHECK_INT(most, PDU);
        ldc_stage_free(&stage);
        ldc_out_free(out);
        ldc_dataset_put(data);
        (void)unlink(path);
    }
}

TEST(what_is_left_goes_with_the_pdu_before_it_if_it_is_short)
{
    char path[] = "/tmp/ltdic-test-XXXXXX";
    ldc_dataset *data = file_of(path, (size_t)128 * 1024);
    ldc_out *out = ldc_out_message(1, calloc(1, 100), 100, data, 0);
    ldc_stage stage = {0};
    bool done = false;
    CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
    CHECK(done);
    ldc_stage_free(&stage);
    ldc_out_free(out);
    ldc_dataset_put(data);
    (void)unlink(path);
}

/* A file that changes while it is sent: what was laid out before goes out, then the send fails; it
 * never counts as done, and never goes on behind the hole. */
TEST(pdu_whose_data_cannot_be_read_is_not_skipped_when_the_message_is_laid_out_again)
{
    char path[] = "/tmp/ltdic-test-XXXXXX";
    ldc_dataset *data = file_of(path, DATA);
    static const uint8_t earlier[10] = {PDU_RELEASE_REQUEST};
    ldc_out *first = ldc_out_pdu(PDU_RELEASE_REQUEST, earlier, sizeof earlier);
    ldc_out *out = store_of(data);
    ldc_stage stage = {0};
    bool done = false;
    CHECK_INT(ldc_stage_fill(&stage, first, &done, NULL, NULL), DICOM_SUCCESS);
    CHECK(done);
    CHECK_INT(truncate(path, DATA / 2), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_ERROR_FILE_READ);
        CHECK(!done);
        CHECK(stage.used == sizeof earlier);
    }
    ldc_stage_free(&stage);
    ldc_out_free(first);
    ldc_out_free(out);
    ldc_dataset_put(data);
    (void)unlink(path);
}

/* All that is left on a stage, in one piece; freed by the caller. */
static uint8_t *bytes_of(const ldc_stage *stage, size_t *length)
{
    struct iovec pieces[LDC_STAGE_PIECES];
    size_t count = ldc_stage_pieces(stage, pieces);
    uint8_t *bytes = malloc(stage->left + 1);
    *length = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + *length, pieces[i].iov_base, pieces[i].iov_len);
        *length += pieces[i].iov_len;
    }
    CHECK_INT(*length, stage->left);
    return bytes;
}

static ldc_dataset *memory_of(size_t length)
{
    uint8_t *bytes = malloc(length);
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    }
    ldc_dataset *data = ldc_dataset_new(NULL);
    CHECK_INT(ldc_dataset_append(data, bytes, length, UINT64_MAX, UINT64_MAX), DICOM_SUCCESS);
    free(bytes);
    return data;
}

TEST(data_in_memory_is_written_from_where_it_lies)
{
    ldc_dataset *data = memory_of(DATA);
    const uint8_t *memory = ldc_dataset_memory(data);
    ldc_out *out = store_of(data);
    ldc_stage stage = {0};
    struct iovec pieces[LDC_STAGE_PIECES];
    bool done = false;
    CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
    CHECK(done);
    ldc_out_free(out);
    ldc_dataset_put(data); /* the stage holds it */
    size_t count = ldc_stage_pieces(&stage, pieces), lent = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *base = pieces[i].iov_base;
        lent += base >= memory && base < memory + DATA ? pieces[i].iov_len : 0;
    }
    CHECK_INT(lent, DATA);
    CHECK(stage.used < 1024);
    ldc_stage_free(&stage);
}

TEST(what_is_written_piece_by_piece_is_what_was_laid_out)
{
    ldc_dataset *data = memory_of(300000);
    ldc_out *out = ldc_out_message(1, calloc(1, 100), 100, data, 20000);
    ldc_stage stage = {0};
    size_t data_at = 0, turn = 0;
    bool done = false;
    while (!done) {
        CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
        size_t length, rest;
        uint8_t *all = bytes_of(&stage, &length), *later;
        for (size_t at = 0; at < length;) { /* any sizes: the rest stays the same */
            size_t step = 1 + turn++ * 977 % 9000;
            step = step < length - at ? step : length - at;
            ldc_stage_wrote(&stage, step);
            at += step;
            later = bytes_of(&stage, &rest);
            CHECK_INT(rest, length - at);
            CHECK_INT(memcmp(later, all + at, rest), 0);
            free(later);
        }
        for (size_t at = 0; at < length;) { /* PDUs, their PDVs, and the data in order */
            size_t end = at + 6 + ((size_t)all[at + 4] << 8) + all[at + 5];
            CHECK_INT(all[at], PDU_DATA_TRANSFER);
            for (at += 6; at < end;) {
                size_t pdv = ((size_t)all[at + 2] << 8) + all[at + 3] - 2;
                if ((all[at + 5] & 1) == 0) {
                    const uint8_t *memory = ldc_dataset_memory(data);
                    CHECK_INT(memcmp(all + at + 6, memory + data_at, pdv), 0);
                    data_at += pdv;
                }
                at += 6 + pdv;
            }
            CHECK_INT(at, end);
        }
        free(all);
    }
    CHECK_INT(data_at, 300000);
    ldc_stage_free(&stage);
    ldc_out_free(out);
    ldc_dataset_put(data);
}

TEST(pdus_fill_whole_records_of_tls)
{
    ldc_dataset *data = memory_of(DATA);
    ldc_out *out = ldc_out_message(1, calloc(1, 100), 100, data, MAXIMUM + 5000);
    ldc_stage stage = {0};
    bool done = false;
    size_t length;
    CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
    uint8_t *all = bytes_of(&stage, &length);
    CHECK_INT(6 + ((size_t)all[4] << 8) + all[5], MAXIMUM);
    free(all);
    ldc_stage_free(&stage);
    ldc_out_free(out);
    ldc_dataset_put(data);
}

TEST(a_deflated_data_set_of_odd_length_ends_in_one_zero_byte)
{
    /* The last one fills its PDU: the padding has one for itself. */
    static const size_t lengths[] = {
        1, 3, 1023, 1025, 9999, MAXIMUM - 6 - 6 - 6 - 100 - 1, MAXIMUM - 6 - 6 - 6 - 100};
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof lengths[0]; i++) {
        size_t size = lengths[i / 2], length;
        bool deflated = i % 2 == 0, done = false;
        ldc_dataset *data = memory_of(size);
        ldc_dataset_set_syntax(data, deflated ? LDC_DEFLATED : "1.2.840.10008.1.2.1");
        ldc_out *out = store_of(data);
        ldc_stage stage = {0};
        CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
        CHECK(done);
        uint8_t *all = bytes_of(&stage, &length);
        size_t found = 0;
        uint8_t last = 1;
        for (size_t at = 0; at < length;) {
            size_t end = at + 6 + ((size_t)all[at + 4] << 8) + all[at + 5];
            for (at += 6; at < end;) {
                size_t pdv = ((size_t)all[at + 2] << 8) + all[at + 3] - 2;
                if ((all[at + 5] & 1) == 0) {
                    found += pdv;
                    last = all[at + 6 + pdv - 1];
                }
                at += 6 + pdv;
            }
        }
        CHECK_INT(found, size + (deflated ? size % 2 : 0));
        CHECK(last == (deflated && size % 2 != 0 ? 0 : ldc_dataset_memory(data)[size - 1]));
        free(all);
        ldc_stage_free(&stage);
        ldc_out_free(out);
        ldc_dataset_put(data);
    }
}

TEST(a_stage_at_rest_keeps_only_what_is_small)
{
    char path[] = "/tmp/ltdic-test-XXXXXX";
    ldc_dataset *data = file_of(path, DATA);
    ldc_out *out = store_of(data);
    ldc_stage stage = {0};
    bool done = false;
    CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
    ldc_stage_wrote(&stage, stage.left);
    ldc_stage_rest(&stage);
    CHECK_INT(stage.capacity, 0);
    ldc_out_free(out);
    out = ldc_out_message(1, calloc(1, 100), 100, NULL, MAXIMUM);
    for (int i = 0; i < 3; i++) {
        ldc_stage_rest(&stage);
        CHECK_INT(ldc_stage_fill(&stage, out, &done, NULL, NULL), DICOM_SUCCESS);
        ldc_stage_wrote(&stage, stage.left);
    }
    ldc_stage_rest(&stage);
    CHECK(stage.capacity > 0 && stage.capacity <= 1024);
    ldc_stage_free(&stage);
    ldc_out_free(out);
    ldc_dataset_put(data);
    (void)unlink(path);
}
