/*
 * api_associate.h - what the files with the public functions of associations share; giving texts
 * out is for others, too.
 */
#ifndef LDC_API_ASSOCIATE_H
#define LDC_API_ASSOCIATE_H

#include <stdbool.h>

#include "ldc_associate.h"
#include "ltdic.h"

/* Whether it is one; if not, DICOM_ERROR_OBJECT_DISPOSED has been said. */
bool ldc_pdu_handle(HDICOMPDU handle);
/* Copies text into the caller's buffer; too small is an error, never a cut-off. */
int ldc_give_text(const char *text, L_TCHAR *buffer, L_UINT size);
/* Says DICOM_ERROR_PARAMETER and gives it. */
int ldc_no_context(L_UCHAR id);

#endif
