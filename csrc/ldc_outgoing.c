/* ldc_outgoing.c - see ldc_outgoing.h. */
#include "ldc_outgoing.h"

#include <stdlib.h>
#include <string.h>

#include "ldc_part10.h"
#include "ltdic.h"

enum {
    STAGE_BYTES = 256 * 1024,
    FILE_BYTES = 128 * 1024, /* of a PDU that is read from a file, and of a write of them */
    KEPT_BYTES = 512,        /* enough for messages without a data set: those allocate nothing */
    LEAST_LENT = 1024,  /* less is copied: it costs less than a piece, or a write, of its own */
    PIECES_OF_PDU = 5,  /* header and end of the command set, header, data set, padding */
    RECORD = 16 * 1024, /* of TLS */
};

/* PS3.5 A.5: a deflated data set of odd length gets one zero byte more. */
static uint64_t padded_length(const ldc_dataset *data)
{
    uint64_t length = data == NULL ? 0 : ldc_dataset_length(data);
    bool odd = length % 2 != 0 && strcmp(ldc_dataset_syntax(data), LDC_DEFLATED) == 0;
    return length + (odd ? 1 : 0);
}

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
    bool in_file = data != NULL && ldc_dataset_memory(data) == NULL;
    if (in_file && (peer_maximum == 0 || peer_maximum > FILE_BYTES)) {
        peer_maximum = FILE_BYTES;
    }
    /* PDUs that fill whole records: no small one at the end of each write. */
    if (peer_maximum >= RECORD) {
        peer_maximum = peer_maximum / RECORD * RECORD - LDC_FRAGMENT_PDU_HEADER;
    }
    uint64_t data_length = padded_length(data);
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
    out->in_file = in_file;
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

/* ---- the stage ---- */

/* All pieces are written: begins anew. */
static void clear(ldc_stage *stage)
{
    for (size_t i = 0; i < stage->held_count; i++) {
        ldc_dataset_put(stage->held[i]);
    }
    stage->held_count = 0;
    stage->count = stage->at = 0;
    stage->used = 0;
}

/* Makes the buffer large enough for `needed` more bytes. */
static bool reserve(ldc_stage *stage, size_t needed)
{
    if (stage->capacity - stage->used >= needed) {
        return true;
    }
    size_t capacity = stage->capacity == 0 ? KEPT_BYTES : stage->capacity;
    while (capacity < stage->used + needed) {
        capacity *= 2;
    }
    uint8_t *bytes = realloc(stage->bytes, capacity);
    if (bytes == NULL) {
        return false;
    }
    stage->bytes = bytes;
    stage->capacity = capacity;
    return true;
}

/* Room is reserved. Bytes that follow each other are one piece. */
static uint8_t *put_own(ldc_stage *stage, size_t length)
{
    ldc_piece *last = stage->count > 0 ? &stage->pieces[stage->count - 1] : NULL;
    uint8_t *place = stage->bytes + stage->used;
    if (last != NULL && last->memory == NULL && last->offset + last->length == stage->used) {
        last->length += length;
    } else {
        stage->pieces[stage->count++] = (ldc_piece){.offset = stage->used, .length = length};
    }
    stage->used += length;
    stage->left += length;
    return place;
}

static void put_lent(ldc_stage *stage, ldc_dataset *data, const uint8_t *memory, size_t length)
{
    if (stage->held_count == 0 || stage->held[stage->held_count - 1] != data) {
        ldc_dataset_ref(data);
        stage->held[stage->held_count++] = data;
    }
    stage->pieces[stage->count++] = (ldc_piece){.memory = memory, .length = length};
    stage->left += length;
}

static int put_fragment(ldc_stage *stage, ldc_out *out, const ldc_fragment *fragment)
{
    const uint8_t *memory = fragment->command ? NULL : ldc_dataset_memory(out->data);
    bool lent = memory != NULL && fragment->length >= LEAST_LENT;
    bool pad = !fragment->command && out->data != NULL &&
               fragment->offset + fragment->length > ldc_dataset_length(out->data);
    size_t length = fragment->length - (pad ? 1 : 0);
    if (!reserve(stage, fragment->header_length + (lent ? 0 : length) + (pad ? 1 : 0))) {
        return DICOM_ERROR_MEMORY;
    }
    memcpy(put_own(stage, fragment->header_length), fragment->header, fragment->header_length);
    if (fragment->length == 0) {
        return DICOM_SUCCESS;
    }
    if (lent) {
        put_lent(stage, out->data, memory + fragment->offset, length);
        if (pad) {
            *put_own(stage, 1) = 0;
        }
        return DICOM_SUCCESS;
    }
    uint8_t *place = put_own(stage, fragment->length);
    if (fragment->command) {
        memcpy(place, out->bytes + fragment->offset, length);
        return DICOM_SUCCESS;
    }
    if (pad) {
        place[length] = 0;
    }
    return length == 0 ? DICOM_SUCCESS
                       : ldc_dataset_read(out->data, fragment->offset, place, length);
}

/* One PDU; as if it had not been tried when a file cannot be read. */
static int put_pdu(ldc_stage *stage, ldc_out *out, const ldc_fragment *fragments, size_t count)
{
    size_t pieces = stage->count, used = stage->used, left = stage->left;
    size_t last_length = pieces > 0 ? stage->pieces[pieces - 1].length : 0;
    int rc = DICOM_SUCCESS;
    for (size_t i = 0; i < count && rc == DICOM_SUCCESS; i++) {
        rc = put_fragment(stage, out, &fragments[i]);
    }
    if (rc != DICOM_SUCCESS) { /* a data set that is held too long is no harm */
        stage->count = pieces;
        stage->used = used;
        stage->left = left;
        if (pieces > 0) {
            stage->pieces[pieces - 1].length = last_length;
        }
    }
    return rc;
}

/* Whether one more PDU is laid out for the same write. */
static bool room(const ldc_stage *stage, size_t length, size_t most)
{
    return stage->left == 0 ||
           (stage->left + length <= most && stage->count + PIECES_OF_PDU <= LDC_STAGE_PIECES);
}

/* The most that the next PDU can take. */
static size_t next_length(const ldc_fragmenter *fragmenter)
{
    uint64_t left = fragmenter->command_length - fragmenter->command_at +
                    (fragmenter->data_length - fragmenter->data_at) + (uint64_t)PIECES_OF_PDU * 6;
    size_t most = (size_t)fragmenter->maximum + LDC_FRAGMENT_PDU_HEADER;
    return left < most ? (size_t)left : most;
}

int ldc_stage_fill(ldc_stage *stage, ldc_out *out, bool *done,
                   void (*told)(void *arg, uint8_t type, uint32_t length), void *arg)
{
    *done = false;
    if (stage->left == 0) {
        clear(stage);
    }
    if (!out->message) {
        if (!room(stage, out->length, STAGE_BYTES)) {
            return DICOM_SUCCESS;
        }
        if (!reserve(stage, out->length)) {
            return DICOM_ERROR_MEMORY;
        }
        memcpy(put_own(stage, out->length), out->bytes, out->length);
        if (told != NULL) {
            told(arg, out->type, (uint32_t)(out->length - LDC_FRAGMENT_PDU_HEADER));
        }
        *done = true;
        return DICOM_SUCCESS;
    }
    while (room(stage, next_length(&out->fragmenter),
                out->in_file ? FILE_BYTES + LEAST_LENT : STAGE_BYTES)) {
        ldc_fragment fragments[2];
        size_t before = stage->left;
        const ldc_fragmenter unmoved = out->fragmenter;
        size_t count = ldc_fragmenter_next(&out->fragmenter, fragments);
        if (count == 0) {
            *done = true;
            return DICOM_SUCCESS;
        }
        int rc = put_pdu(stage, out, fragments, count);
        if (rc != DICOM_SUCCESS) {
            out->fragmenter = unmoved; /* nothing of this PDU has gone out, so it is still due */
            return rc;
        }
        if (told != NULL) {
            told(arg, out->type, (uint32_t)(stage->left - before - LDC_FRAGMENT_PDU_HEADER));
        }
        if (out->fragmenter.done) {
            *done = true;
            return DICOM_SUCCESS;
        }
    }
    return DICOM_SUCCESS;
}

size_t ldc_stage_pieces(const ldc_stage *stage, struct iovec pieces[LDC_STAGE_PIECES])
{
    for (size_t i = stage->at; i < stage->count; i++) {
        const ldc_piece *piece = &stage->pieces[i];
        const uint8_t *base = piece->memory == NULL ? stage->bytes : piece->memory;
        /* iovec serves reading too: nobody writes to it here */
        pieces[i - stage->at] = (struct iovec){
            .iov_base = (void *)(uintptr_t)(base + piece->offset), .iov_len = piece->length};
    }
    return stage->count - stage->at;
}

void ldc_stage_wrote(ldc_stage *stage, size_t size)
{
    stage->left -= size;
    while (size > 0) {
        ldc_piece *piece = &stage->pieces[stage->at];
        size_t here = size < piece->length ? size : piece->length;
        piece->offset += here;
        piece->length -= here;
        size -= here;
        stage->at += piece->length == 0 ? 1u : 0u;
    }
}

void ldc_stage_rest(ldc_stage *stage)
{
    clear(stage);
    if (stage->capacity > KEPT_BYTES) {
        free(stage->bytes);
        stage->bytes = NULL;
        stage->capacity = 0;
    }
}

void ldc_stage_free(ldc_stage *stage)
{
    clear(stage);
    free(stage->bytes);
    memset(stage, 0, sizeof *stage);
}
