/*
 * ldc_pdu_decode.h - what the two files that read A-ASSOCIATE-RQ and -AC share; nobody else's
 * business (ldc_pdu.h is the interface).
 *
 * Functions give false when they have filled the decoder's fault, and then all callers end.
 */
#ifndef LDC_PDU_DECODE_H
#define LDC_PDU_DECODE_H

#include "ldc_pdu.h"

typedef struct ldc_pdu_decoder {
    ldc_associate *associate;     /* what is being filled */
    const ldc_associate *request; /* lent: what an accept answers; NULL = not known */
    ldc_pdu_fault *fault;
    bool has_class, has_version; /* seen: these may be empty */
} ldc_pdu_decoder;

/* A value, length or id that is wrong, and an item that must not be here (PS3.8 Table 9-26). */
#define LDC_PDU_INVALID(decoder, offset, ...)                                                      \
    ldc_pdu_fault_set((decoder)->fault, DICOM_ERROR_PDU_INVALID, PDU_ABORT_REASON_INVALID_PARAM,   \
                      offset, __VA_ARGS__)
#define LDC_PDU_UNEXPECTED(decoder, offset, ...)                                                   \
    ldc_pdu_fault_set((decoder)->fault, DICOM_ERROR_PDU_INVALID,                                   \
                      PDU_ABORT_REASON_UNEXPECTED_PARAM, offset, __VA_ARGS__)
bool ldc_pdu_no_memory(ldc_pdu_decoder *decoder);

/* Type and contents of the next item of `reader`, which is what `parent` names. */
bool ldc_pdu_next_item(ldc_pdu_decoder *decoder, ldc_reader *reader, const char *parent,
                       uint8_t *type, ldc_reader *item);
/* All of `field` as a UID; padding with NUL or spaces is left out. */
bool ldc_pdu_uid(ldc_pdu_decoder *decoder, ldc_reader *field, const char *what,
                 char uid[LDC_UID_SIZE]);
/* All of `field` as text of the characters `low` to 7EH, padding left out, cut to `most`
 * characters; `text` has room for those and the NUL. */
bool ldc_pdu_text(ldc_pdu_decoder *decoder, ldc_reader *field, const char *what, char low,
                  size_t most, char *text);

/* The contents of a user information item (ldc_pdu_decode_user.c). */
bool ldc_pdu_read_user(ldc_pdu_decoder *decoder, ldc_reader *item);

#endif
