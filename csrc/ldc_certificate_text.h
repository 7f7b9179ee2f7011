/*
 * ldc_certificate_text.h - certificates as text, for OnVerify and for failure records.
 *
 * All strings are valid UTF-8 without NUL, whatever the certificate holds: control characters and
 * invalid bytes come out as \XX (ldc_text_append_printable), so a name cannot forge a line. Nothing
 * depends on the locale. The time is linear in the size of the certificate.
 *
 * Strings that are returned are the caller's, to be freed with free(); NULL means out of memory, or
 * longer than LDC_TEXT_LIMIT. A NULL certificate gives "": OpenSSL has none at hand for complaints
 * about a chain as a whole.
 *
 * Any thread. OpenSSL's error queue is left as it was: these run inside handshakes, which look at
 * it.
 */
#ifndef LDC_CERTIFICATE_TEXT_H
#define LDC_CERTIFICATE_TEXT_H

#include <openssl/x509.h>
#include <stddef.h>

/* The certificateString of OnVerify: 25 lines joined by \n, none at the end. */
char *ldc_certificate_text(X509 *certificate);

/* The subject in one line, as in the first line of the certificate's text: "CN = x, C = US". */
char *ldc_subject_text(X509 *certificate);

/* Any name in that form; "" for an empty one. */
char *ldc_name_text(const X509_NAME *name);

/* When the certificate counts as invalid because of an extension (EXFLAG_INVALID: not decodable,
 * there twice, or contradicting itself), writes the name of the first such extension into `buffer`
 * (cut to `size`, NUL-terminated) and returns `buffer`; otherwise NULL. Cheap for valid
 * certificates. */
const char *ldc_invalid_extension(X509 *certificate, char *buffer, size_t size);

#endif
