/*
 * api_dataset.c - the public functions of data sets: the handle is checked, the data set behind it
 * asked or replaced (ldc_dataset.h), the answer given.
 */
#include <stdlib.h>
#include <string.h>

#include "ldc_dataset.h"
#include "ldc_error.h"
#include "ldc_file.h"

/* ---- life ---- */

HDICOMDS L_DicomCreateDS(const L_TCHAR *pszTempPath)
{
    ldc_dataset *dataset = ldc_dataset_new(pszTempPath);
    HDICOMDS handle = ldc_dataset_lend(dataset);
    ldc_dataset_put(dataset);
    return handle;
}

L_VOID L_DicomFreeDS(HDICOMDS hDS)
{
    ldc_dataset_unlend(hDS);
}

HDICOMDS L_DicomRetainDS(HDICOMDS hDS)
{
    ldc_dataset *dataset = ldc_dataset_acquire(hDS);
    HDICOMDS handle = ldc_dataset_lend(dataset);
    ldc_dataset_put(dataset);
    return handle;
}

/* ---- replacing the content ---- */

/* An empty data set with the folder of the one behind the handle. */
static int make_successor(HDICOMDS handle, ldc_dataset **successor)
{
    ldc_dataset *present = ldc_dataset_acquire(handle);
    if (present == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    *successor = ldc_dataset_new(ldc_dataset_folder(present));
    ldc_dataset_put(present);
    return *successor == NULL ? DICOM_ERROR_MEMORY : DICOM_SUCCESS;
}

L_INT L_DicomResetDS(HDICOMDS hDS)
{
    ldc_dataset *successor = NULL;
    int rc = make_successor(hDS, &successor);
    if (rc == DICOM_SUCCESS) {
        rc = ldc_dataset_replace(hDS, successor);
    }
    ldc_dataset_put(successor);
    return rc;
}

L_INT L_DicomSetBufferDS(HDICOMDS hDS, const L_UCHAR *pData, L_UINT64 nBytes,
                         const L_TCHAR *pszTransferSyntax)
{
    const char *syntax = pszTransferSyntax == NULL ? "" : pszTransferSyntax;
    ldc_dataset *successor = NULL;
    int rc = make_successor(hDS, &successor);
    if (rc == DICOM_SUCCESS && pData == NULL && nBytes > 0) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "%s", "pData is NULL");
    }
    if (rc == DICOM_SUCCESS) {
        ldc_dataset_set_syntax(successor, syntax);
        if (strcmp(ldc_dataset_syntax(successor), syntax) != 0) {
            rc = ldc_error(DICOM_ERROR_PARAMETER,
                           "the transfer syntax \"%s\" is not a UID. Use NULL if it is not known",
                           syntax);
        }
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_dataset_append(successor, pData, (size_t)nBytes, LDC_DATASET_MEMORY_LIMIT,
                                UINT64_MAX);
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_dataset_replace(hDS, successor);
    }
    ldc_dataset_put(successor);
    return rc;
}

L_INT L_DicomLoadDS(HDICOMDS hDS, const L_TCHAR *pszFile, L_UINT uFlags)
{
    ldc_dataset *present = ldc_dataset_acquire(hDS);
    ldc_dataset *loaded = NULL;
    int rc = DICOM_SUCCESS;
    if (present == NULL) {
        rc = DICOM_ERROR_OBJECT_DISPOSED;
    } else if (pszFile == NULL || pszFile[0] == '\0') {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "%s", "pszFile is empty. Give the path of a file");
    } else if (uFlags != 0) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "uFlags is %u. It must be 0", uFlags);
    } else {
        rc = ldc_dataset_load(pszFile, ldc_dataset_folder(present), &loaded);
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_dataset_replace(hDS, loaded);
    }
    ldc_dataset_put(loaded);
    ldc_dataset_put(present);
    return rc;
}

/* ---- saving ---- */

/* What the flags ask for, of things that exclude each other and things that bytes cannot show. */
static int check_flags(unsigned flags)
{
    static const unsigned pairs[] = {DS_LITTLE_ENDIAN | DS_BIG_ENDIAN,
                                     DS_IMPLICIT_VR | DS_EXPLICIT_VR,
                                     DS_METAHEADER_PRESENT | DS_METAHEADER_ABSENT};
    if ((flags & (DS_GROUP_LENGTHS | DS_LENGTH_EXPLICIT)) != 0) {
        return ldc_error(DICOM_ERROR_FEATURE_NOT_SUPPORTED, "%s",
                         "group lengths and explicit lengths: the bytes are written as they are. "
                         "Encode the data set that way and use L_DicomSetBufferDS");
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if ((flags & pairs[i]) == pairs[i]) {
            return ldc_error(DICOM_ERROR_PARAMETER, "uFlags is %u: %u exclude each other", flags,
                             pairs[i]);
        }
        flags &= ~pairs[i];
    }
    return flags == 0 ? DICOM_SUCCESS
                      : ldc_error(DICOM_ERROR_PARAMETER,
                                  "uFlags has unknown bits: %u. Use DS_... constants", flags);
}

static void copy_uid(char uid[LDC_UID_SIZE], const char *from)
{
    ldc_uid_set(uid, from, strlen(from));
}

/* Transfer syntax and instance of the data set: as it is known, else as its first bytes show. */
static int describe(ldc_dataset *dataset, ldc_part10 *what)
{
    uint64_t total = ldc_dataset_length(dataset);
    size_t length = total < LDC_PART10_FIRST ? (size_t)total : LDC_PART10_FIRST;
    memset(what, 0, sizeof *what);
    copy_uid(what->syntax, ldc_dataset_syntax(dataset));
    copy_uid(what->media_class, ldc_dataset_media_class(dataset));
    copy_uid(what->media_instance, ldc_dataset_media_instance(dataset));
    uint8_t *bytes = malloc(LDC_PART10_FIRST);
    int rc = bytes == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "saving")
                           : ldc_dataset_read(dataset, 0, bytes, length);
    if (rc == DICOM_SUCCESS && what->syntax[0] == '\0') {
        const char *guess =
            total == 0 ? LDC_EXPLICIT_LITTLE : ldc_part10_guess(bytes, length, total);
        if (guess == NULL) {
            rc = ldc_error(DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED, "%s",
                           "it is not known, and the bytes do not show it. Say it in "
                           "L_DicomSetBufferDS");
        } else {
            copy_uid(what->syntax, guess);
        }
    }
    if (rc == DICOM_SUCCESS) {
        ldc_part10_find_instance(bytes, length, what->syntax, what->media_class,
                                 what->media_instance);
    }
    free(bytes);
    return rc;
}

static int save(ldc_dataset *dataset, const char *path, unsigned flags)
{
    const unsigned form_flags = DS_LITTLE_ENDIAN | DS_BIG_ENDIAN | DS_IMPLICIT_VR | DS_EXPLICIT_VR;
    ldc_part10 what;
    uint8_t *header = NULL;
    size_t length = 0;
    int rc = describe(dataset, &what);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if ((flags & form_flags & ~ldc_part10_form(what.syntax)) != 0) {
        return ldc_error(DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED,
                         "the data set is in %s, and is written as it is. Leave uFlags 0, or "
                         "encode it anew and use L_DicomSetBufferDS",
                         what.syntax);
    }
    if ((flags & DS_METAHEADER_ABSENT) == 0) {
        header = ldc_part10_header(&what, &length);
        if (header == NULL) {
            return ldc_error(DICOM_ERROR_MEMORY, "\"%s\"", path);
        }
    }
    rc = ldc_file_save(path, header, length, dataset, true);
    free(header);
    return rc;
}

L_INT L_DicomSaveDS(HDICOMDS hDS, const L_TCHAR *pszFile, L_UINT uFlags)
{
    ldc_dataset *dataset = ldc_dataset_acquire(hDS);
    if (dataset == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = check_flags(uFlags);
    if (rc == DICOM_SUCCESS && (pszFile == NULL || pszFile[0] == '\0')) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "%s", "pszFile is empty. Give the path of a file");
    }
    if (rc == DICOM_SUCCESS) {
        rc = save(dataset, pszFile, uFlags);
    }
    ldc_dataset_put(dataset);
    return rc;
}

/* ---- asking: what is lent lives as long as the handle's own reference ---- */

L_INT L_DicomGetBufferDS(HDICOMDS hDS, const L_UCHAR **ppData, L_UINT64 *pnBytes)
{
    const uint8_t *bytes = NULL;
    ldc_dataset *dataset = ldc_dataset_acquire(hDS);
    if (dataset == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = DICOM_SUCCESS;
    if (ppData == NULL || pnBytes == NULL) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "%s", "ppData or pnBytes is NULL");
    } else if ((rc = ldc_dataset_buffer(dataset, &bytes)) == DICOM_SUCCESS) {
        *ppData = bytes;
        *pnBytes = ldc_dataset_length(dataset);
    }
    ldc_dataset_put(dataset);
    return rc;
}

L_UINT64 L_DicomGetLengthDS(HDICOMDS hDS)
{
    ldc_dataset *dataset = ldc_dataset_acquire(hDS);
    L_UINT64 length = dataset == NULL ? 0 : ldc_dataset_length(dataset);
    ldc_dataset_put(dataset);
    return length;
}

const L_TCHAR *L_DicomGetTransferSyntaxDS(HDICOMDS hDS)
{
    ldc_dataset *dataset = ldc_dataset_acquire(hDS);
    const char *syntax = dataset == NULL ? "" : ldc_dataset_syntax(dataset);
    ldc_dataset_put(dataset);
    return syntax;
}

const L_TCHAR *L_DicomGetFileDS(HDICOMDS hDS)
{
    ldc_dataset *dataset = ldc_dataset_acquire(hDS);
    const char *file = dataset == NULL ? NULL : ldc_dataset_file(dataset);
    ldc_dataset_put(dataset);
    return file;
}
