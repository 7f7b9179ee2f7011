/* test_outgoing.c - laying out what waits to be written. */
#include "ldc_outgoing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
