/* ldc_outgoing.c - see ldc_outgoing.h. */
#include "ldc_outgoing.h"

#include <stdlib.h>
#include <string.h>

#include "ltdic.h"

enum {
    STAGE_BYTES = 256 * 1024
};

ldc_out *ldc_out_pdu(uint8_t type, const void *bytes, size_t length)
{
    ldc_out *out = calloc(1, sizeof *out);
    if (out == NULL || (out->bytes = malloc(length)) == NULL) {
        free(out);
        return NULL;
    }
    memcpy(out->bytes, bytes, length);
    out->type = type;
    out->length = length;
    out->cost = length;
    return out;
}

ldc_out *ldc_out_message(uint8_t context, uint8_t *command, size_t length, ldc_dataset *data,
                         uint32_t peer_maximum)
{
    ldc_out *out = calloc(1, sizeof *out);
    uint64_t data_length = data == NULL ? 0 : ldc_dataset_length(data);
    if (out == NULL || !ldc_fragmenter_init(&out->fragmenter, context, length, data != NULL,
                                            data_length, peer_maximum)) {
        free(out);
        return NULL;
    }
    out->type = PDU_DATA_TRANSFER;
    out->message = true;
    out->bytes = command;
    out->length = length;
    out->cost = length + data_length;
    if (data != NULL) {
        ldc_dataset_ref(data);
    }
    out->data = data;
    return out;
}

void ldc_out_free(ldc_out *out)
{
    if (out != NULL) {
        ldc_dataset_put(out->data);
        free(out->bytes);
        free(out);
    }
}

static bool room(ldc_stage *stage, size_t needed)
{
    if (stage->bytes == NULL || stage->capacity < needed) {
        if (stage->used > 0) {
            return false; /* what is there goes out first */
        }
        size_t capacity = needed > STAGE_BYTES ? needed : STAGE_BYTES;
        uint8_t *bytes = realloc(stage->bytes, capacity);
        if (bytes == NULL) {
            return false;
        }
        stage->bytes = bytes;
        stage->capacity = capacity;
    }
    return stage->capacity - stage->used >= needed;
}

static void put(ldc_stage *stage, const void *bytes, size_t length)
{
    memcpy(stage->bytes + stage->used, bytes, length);
    stage->used += length;
}

static int put_fragment(ldc_stage *stage, ldc_out *out, const ldc_fragment *fragment)
{
    put(stage, fragment->header, fragment->header_length);
    if (fragment->length == 0) {
        return DICOM_SUCCESS;
    }
    if (fragment->command) {
        put(stage, out->bytes + fragment->offset, fragment->length);
        return DICOM_SUCCESS;
    }
    const uint8_t *memory = ldc_dataset_memory(out->data);
    if (memory != NULL) {
        put(stage, memory + fragment->offset, fragment->length);
        return DICOM_SUCCESS;
    }
    int rc =
        ldc_dataset_read(out->data, fragment->offset, stage->bytes + stage->used, fragment->length);
    stage->used += rc == DICOM_SUCCESS ? fragment->length : 0;
    return rc;
}

int ldc_stage_fill(ldc_stage *stage, ldc_out *out, bool *done,
                   void (*told)(void *arg, uint8_t type, uint32_t length), void *arg)
{
    *done = false;
    if (!out->message) {
        if (!room(stage, out->length)) {
            return stage->used > 0 ? DICOM_SUCCESS : DICOM_ERROR_MEMORY;
        }
        put(stage, out->bytes, out->length);
        if (told != NULL) {
            told(arg, out->type, (uint32_t)(out->length - LDC_FRAGMENT_PDU_HEADER));
        }
        *done = true;
        return DICOM_SUCCESS;
    }
    size_t largest = (size_t)out->fragmenter.maximum + LDC_FRAGMENT_PDU_HEADER;
    while (room(stage, largest)) {
        ldc_fragment fragments[2];
        size_t before = stage->used;
        const ldc_fragmenter unmoved = out->fragmenter;
        size_t count = ldc_fragmenter_next(&out->fragmenter, fragments);
        if (count == 0) {
            *done = true;
            return DICOM_SUCCESS;
        }
        for (size_t i = 0; i < count; i++) {
            int rc = put_fragment(stage, out, &fragments[i]);
            if (rc != DICOM_SUCCESS) {
                stage->used = before; /* nothing of this PDU has gone out, so it is still due */
                out->fragmenter = unmoved;
                return rc;
            }
        }
        if (told != NULL) {
            told(arg, out->type, (uint32_t)(stage->used - before - LDC_FRAGMENT_PDU_HEADER));
        }
    }
    return stage->used > 0 ? DICOM_SUCCESS : DICOM_ERROR_MEMORY;
}

void ldc_stage_free(ldc_stage *stage)
{
    free(stage->bytes);
    memset(stage, 0, sizeof *stage);
}
