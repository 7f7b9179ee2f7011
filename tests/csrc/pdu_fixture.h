/* pdu_fixture.h - what the tests of the PDU coders share: decoding, damaging, comparing. */
#ifndef LDC_TESTS_PDU_FIXTURE_H
#define LDC_TESTS_PDU_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "ldc_pdu.h"
#include "ltdic.h"
#include "pdu_vectors.h"
#include "unit.h"

#define VERIFICATION "1.2.840.10008.1.1"
#define CT_STORAGE   "1.2.840.10008.5.1.4.1.1.2"
#define IMPLICIT     "1.2.840.10008.1.2"
#define EXPLICIT     "1.2.840.10008.1.2.1"

/* ---- helpers ---- */

/* Decodes from a block of exactly the given size, so that sanitizers see a read past the end. */
static inline ldc_associate *decode(const void *bytes, size_t length, const ldc_associate *request,
                                    ldc_pdu_fault *fault)
{
    ldc_associate *associate = NULL;
    uint8_t *exact = malloc(length == 0 ? 1 : length);

    if (!CHECK(exact != NULL))
        return NULL;
    memcpy(exact, bytes, length);
    bool good = ldc_pdu_decode_associate(exact, length, 0, request, &associate, fault);
    CHECK_INT(good, associate != NULL);
    free(exact);
    return associate;
}

static inline ldc_associate *decode_good(const void *bytes, size_t length,
                                         const ldc_associate *request)
{
    ldc_pdu_fault fault = {0};
    ldc_associate *associate = decode(bytes, length, request, &fault);

    if (!CHECK(associate != NULL))
        printf("    %s\n", fault.text);
    return associate;
}

static inline void check_fault(const void *bytes, size_t length, const ldc_associate *request,
                               int code, int reason, const char *words)
{
    ldc_pdu_fault fault = {0};
    ldc_associate *associate = decode(bytes, length, request, &fault);

    CHECK(associate == NULL);
    ldc_associate_free(associate);
    CHECK_INT(fault.code, code);
    CHECK_INT(fault.reason, reason);
    if (!CHECK(strstr(fault.text, words) != NULL))
        printf("    text:  %s\n    words: %s\n", fault.text, words);
}

/* A PDU under change: items are put in and taken out, the lengths around follow. */
typedef struct draft {
    uint8_t bytes[262144];
    size_t length;
} draft;

static inline draft draft_of(const char *bytes, size_t length)
{
    static draft made;

    memcpy(made.bytes, bytes, length);
    made.length = length;
    return made;
}

static inline void fix_length(draft *pdu)
{
    size_t length = pdu->length - 6;

    pdu->bytes[2] = (uint8_t)(length >> 24);
    pdu->bytes[3] = (uint8_t)(length >> 16);
    pdu->bytes[4] = (uint8_t)(length >> 8);
    pdu->bytes[5] = (uint8_t)length;
}

/* Replaces `gone` bytes at `at`; `parent` (0 = none): the item whose 16-bit length follows. */
static inline void replace(draft *pdu, size_t at, size_t gone, const void *bytes, size_t count,
                           size_t parent)
{
    memmove(pdu->bytes + at + count, pdu->bytes + at + gone, pdu->length - at - gone);
    memcpy(pdu->bytes + at, bytes, count);
    pdu->length = pdu->length + count - gone;
    fix_length(pdu);
    if (parent != 0) {
        size_t length = (size_t)(pdu->bytes[parent + 2] << 8 | pdu->bytes[parent + 3]);
        length = length + count - gone;
        pdu->bytes[parent + 2] = (uint8_t)(length >> 8);
        pdu->bytes[parent + 3] = (uint8_t)length;
    }
}

#define REPLACE(pdu, at, gone, literal, parent)                                                    \
    replace(&(pdu), at, gone, literal, sizeof(literal) - 1, parent)

#define CHECK_DRAFT(pdu, request, reason, words)                                                   \
    check_fault((pdu).bytes, (pdu).length, request, DICOM_ERROR_PDU_INVALID, reason, words)

static inline void check_encoded(const ldc_associate *associate, const ldc_associate *request,
                                 const void *expected, size_t length)
{
    ldc_writer writer;

    ldc_writer_init(&writer, 1 << 20);
    CHECK_INT(ldc_pdu_encode_associate(associate, request, &writer), DICOM_SUCCESS);
    CHECK_INT(writer.length, length);
    for (size_t i = 0; i < length && i < writer.length; i++) {
        if (!CHECK_INT(writer.bytes[i], ((const uint8_t *)expected)[i])) {
            printf("    at offset %zu\n", i);
            break;
        }
    }
    ldc_writer_free(&writer);
}

static inline void check_not_encoded(const ldc_associate *associate, const ldc_associate *request,
                                     const char *words)
{
    ldc_writer writer;

    ldc_writer_init(&writer, 1 << 20);
    CHECK_INT(ldc_pdu_encode_associate(associate, request, &writer), DICOM_ERROR_PARAMETER);
    if (!CHECK(strstr(L_DicomGetLastErrorText(), words) != NULL))
        printf("    text:  %s\n    words: %s\n", L_DicomGetLastErrorText(), words);
    ldc_writer_free(&writer);
}

static inline ldc_associate *full_request_object(void)
{
    ldc_associate *pdu = ldc_associate_create(true);

    CHECK_INT(L_DicomSetCalled(pdu, "ARCHIVE"), 0);
    CHECK_INT(L_DicomSetCalling(pdu, "SCU"), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 1, IMPLICIT), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 1, EXPLICIT), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 3, IMPLICIT), 0);
    CHECK_INT(L_DicomSetImplementClass(pdu, 1, "1.2.3"), 0);
    CHECK_INT(L_DicomSetImplementVersion(pdu, 1, "V_1"), 0);
    CHECK_INT(L_DicomSetAsyncOperations(pdu, 1, 5, 6), 0);
    CHECK_INT(L_DicomSetRoleSelect(pdu, 3, 1, 1, 1), 0);
    CHECK_INT(L_DicomSetExtendedData(pdu, 3, 1, (const L_UCHAR *)"\1\2\3\4", 4), 0);
    CHECK_INT(L_DicomAddCommonExtended(pdu, CT_STORAGE, "1.2.840.10008.4.2"), 0);
    CHECK_INT(L_DicomAddCommonExtendedRelated(pdu, CT_STORAGE, "1.2.840.10008.5.1.4.1.1.1"), 0);
    CHECK_INT(L_DicomSetUserIdentity(pdu, 1, 2, 1, (const L_UCHAR *)"user", 4,
                                     (const L_UCHAR *)"pass", 4),
              0);
    CHECK_INT(L_DicomAddUserInformation(pdu, 0x5A, (const L_UCHAR *)"\xAA\xBB", 2), 0);
    return pdu;
}

static inline ldc_associate *minimal(bool request)
{
    ldc_associate *pdu = ldc_associate_create(request);

    CHECK_INT(L_DicomSetCalled(pdu, "A"), 0);
    CHECK_INT(L_DicomSetCalling(pdu, "B"), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 1, IMPLICIT), 0);
    return pdu;
}

#endif
