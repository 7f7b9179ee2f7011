/*
 * ldc_pdu.h - the PDUs of PS3.8 §9.3 as bytes: headers, A-ASSOCIATE-RQ/AC/RJ, A-RELEASE-RQ/RP,
 * A-ABORT. (P-DATA-TF, and taking a stream of PDUs apart, is ldc_pdv.h.)
 *
 * Pure: bytes in, structures out. A decoder is given one whole PDU, its header included, and reads
 * nothing past it; lengths inside are checked against the item around them. Reserved bytes are not
 * tested, unrecognized items are skipped, the order of items is free (PS3.8 §9.3.1 asks for order
 * of senders; ours keep it).
 */
#ifndef LDC_PDU_H
#define LDC_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_associate.h"
#include "ldc_bytes.h"

enum {
    LDC_PDU_HEADER = 6, /* type, reserved, 4 bytes of length */
    LDC_PDU_SMALL = 10, /* RJ, RELEASE-RQ, RELEASE-RP, ABORT: all of the PDU */
    LDC_PDU_ASSOCIATE_FIXED = 74
};

#define LDC_PDU_ASSOCIATE_LIMIT ((uint32_t)1024 * 1024)
/* For an announced maximum length of 0, which is "no limit" (PS3.8 Annex D.1). */
#define LDC_PDU_DATA_LIMIT ((uint32_t)128 * 1024 * 1024)

/* What a PDU length (the field, which does not count the six bytes of the header) may be. */
typedef struct ldc_pdu_limits {
    uint32_t associate; /* A-ASSOCIATE-RQ and -AC */
    uint32_t data; /* P-DATA-TF: the maximum length that we announced; 0 = LDC_PDU_DATA_LIMIT */
} ldc_pdu_limits;

/* What was wrong with what a peer sent, and the A-ABORT that answers it (PS3.8 §9.3.8). The source
 * is always PDU_ABORT_SOURCE_PROVIDER. */
typedef struct ldc_pdu_fault {
    int code;       /* DICOM_ERROR_PDU_INVALID, _PDU_TOO_LONG, _MEMORY */
    uint8_t reason; /* PDU_ABORT_REASON_... */
    char text[200]; /* for people: offset, item, what is wrong. No bytes of the peer's in it */
} ldc_pdu_fault;

/* Fills `fault` and gives false. `offset` counts from the first byte of the PDU's header. */
bool ldc_pdu_fault_set(ldc_pdu_fault *fault, int code, uint8_t reason, uint64_t offset,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "A-ASSOCIATE-RQ" and so on; "PDU of unknown type". */
const char *ldc_pdu_name(uint8_t type);

/* The header: an unknown type is reason 1 (unrecognized PDU), a length above the limit or one that
 * does not fit the type is reason 6. `limits` NULL: the defaults. */
bool ldc_pdu_decode_header(const uint8_t header[LDC_PDU_HEADER], const ldc_pdu_limits *limits,
                           uint8_t *type, uint32_t *length, ldc_pdu_fault *fault);

/* ---- A-ASSOCIATE-RJ, A-RELEASE, A-ABORT (§9.3.4, §9.3.6, §9.3.7, §9.3.8) ---- */

typedef struct ldc_pdu_small {
    uint8_t type;   /* PDU_... */
    uint8_t result; /* of a rejection; 0 for the others. All three as the peer sent them */
    uint8_t source; /* of a rejection or an abort */
    uint8_t reason;
} ldc_pdu_small;

void ldc_pdu_encode_reject(uint8_t pdu[LDC_PDU_SMALL], uint8_t result, uint8_t source,
                           uint8_t reason);
void ldc_pdu_encode_release(uint8_t pdu[LDC_PDU_SMALL], bool request);
/* A user's abort has no reason: 0 is sent (Table 9-26). */
void ldc_pdu_encode_abort(uint8_t pdu[LDC_PDU_SMALL], uint8_t source, uint8_t reason);
bool ldc_pdu_decode_small(const uint8_t *pdu, size_t length, ldc_pdu_small *small,
                          ldc_pdu_fault *fault);

/* ---- A-ASSOCIATE-RQ, A-ASSOCIATE-AC (§9.3.2, §9.3.3) ---- */

/* Writes the PDU at the end of `writer`. DICOM_ERROR_PARAMETER, said by ldc_error(): the object
 * lacks something, or holds what the wire has no room for; the writer has to be thrown away then.
 *
 * An accept may be given the request that it answers (else NULL). Then
 *   - what the PDU repeats of the request is byte for byte the same (Table 9-17), and titles left
 *     empty are the request's;
 *   - a context that was not proposed is an error;
 *   - contexts without an answer are rejected by the provider, for no reason given.
 * Of an accepted context the first transfer syntax is sent. A rejected one without any gets
 * Implicit VR Little Endian, which says nothing (Table 9-18). */
int ldc_pdu_encode_associate(const ldc_associate *associate, const ldc_associate *request,
                             ldc_writer *writer);

/* Gives a new object in *associate, which the caller frees. An accept takes its abstract syntaxes
 * from `request`, the request that was sent; one that answers what was not proposed is invalid.
 * `request` NULL: they stay empty. `limit`: largest PDU length, 0 = LDC_PDU_ASSOCIATE_LIMIT.
 * false: `fault` says why, *associate is NULL. */
bool ldc_pdu_decode_associate(const uint8_t *pdu, size_t length, uint32_t limit,
                              const ldc_associate *request, ldc_associate **associate,
                              ldc_pdu_fault *fault);

#endif
