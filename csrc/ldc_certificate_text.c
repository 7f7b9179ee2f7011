/*
 * ldc_certificate_text.c - certificates as text, for OnVerify and for failure records.
 *
 * The form is that of the DicomNet.OnVerify help page; names are printed as OpenSSL's "oneline"
 * name option does, the purposes are what the linked OpenSSL says of the certificate (RFC 5280
 * section 4.2.1.12 and its own rules).
 */
#include "ldc_certificate_text.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ldc_text.h"

/* XN_FLAG_ONELINE's flags for values, without ASN1_STRFLGS_ESC_MSB: that would turn all but ASCII
 * into hex. */
#define VALUE_FLAGS                                                                                \
    ((ASN1_STRFLGS_RFC2253 | ASN1_STRFLGS_ESC_QUOTE) & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

/* ---- names ---- */

static bool print_value(BIO *out, const ASN1_STRING *value)
{
    if (ASN1_STRING_print_ex(out, value, VALUE_FLAGS) >= 0)
        return true;
    /* A wide string that is no Unicode (half a surrogate pair, above U+10FFFF): as OpenSSL shows
     * the types that are no text, # and the DER in hex, RFC 2253 section 2.4. The call above counts
     * before it writes, so nothing is out yet. */
    return ASN1_STRING_print_ex(out, value, VALUE_FLAGS | ASN1_STRFLGS_DUMP_ALL) >= 0;
}

/* What X509_NAME_print_ex(XN_FLAG_ONELINE) does, except that a value which cannot be shown does not
 * end the name. */
static bool print_name(BIO *out, const X509_NAME *name)
{
    int count = X509_NAME_entry_count(name);
    int previous_set = 0;
    int i;

    for (i = 0; i < count; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_OBJECT *type = X509_NAME_ENTRY_get_object(entry);
        int nid = OBJ_obj2nid(type);
        char number[80]; /* of a type without a name; as long as OpenSSL lets it be */
        const char *label = NULL;
        const char *separator = "";

        if (i > 0)
            separator = X509_NAME_ENTRY_set(entry) == previous_set ? " + " : ", ";
        previous_set = X509_NAME_ENTRY_set(entry);
        if (nid != NID_undef)
            label = OBJ_nid2sn(nid);
        if (nid == NID_undef || label == NULL) { /* a program may add types without a short name */
            number[0] = '\0';
            OBJ_obj2txt(number, (int)sizeof number, type, 1);
            label = number;
        }
        if (BIO_puts(out, separator) < 0 || BIO_puts(out, label) < 0 || BIO_puts(out, " = ") < 0 ||
            !print_value(out, X509_NAME_ENTRY_get_data(entry)))
            return false;
    }
    return true;
}

/* Appends the name by way of `scratch`, a memory BIO that several names share: its earlier content
 * stays, because BIO_reset() wipes all that was ever written. */
static bool append_name(ldc_text *text, BIO *scratch, const X509_NAME *name)
{
    size_t start = BIO_ctrl_pending(scratch);
    char *bytes = NULL;

    if (!print_name(scratch, name))
        return false;
    if (BIO_get_mem_data(scratch, &bytes) < 0)
        return false;
    if (BIO_ctrl_pending(scratch) > start)
        ldc_text_append_printable(text, bytes + start, BIO_ctrl_pending(scratch) - start);
    return true;
}

char *ldc_name_text(const X509_NAME *name)
{
    ldc_text text;
    BIO *scratch = NULL;
    char *result = NULL;

    ldc_text_init(&text);
    ERR_set_mark();
    if (name != NULL) {
        scratch = BIO_new(BIO_s_mem());
        if (scratch == NULL || !append_name(&text, scratch, name))
            goto done;
    }
    result = ldc_text_take(&text);
done:
    ldc_text_free(&text);
    BIO_free(scratch);
    ERR_pop_to_mark();
    return result;
}

char *ldc_subject_text(X509 *certificate)
{
    return ldc_name_text(certificate == NULL ? NULL : X509_get_subject_name(certificate));
}

/* ---- the lines of a certificate ---- */

/* Not ASN1_TIME_print: it adds fractions of seconds, which RFC 5280 section 4.1.2.5.2 forbids, in
 * any number. */
static void append_time(ldc_text *text, const ASN1_TIME *time)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm utc;

    /* NULL would mean the present time. */
    if (time == NULL || ASN1_TIME_to_tm(time, &utc) != 1 || utc.tm_mon < 0 || utc.tm_mon > 11) {
        ldc_text_append_string(text, "Bad time value");
        return;
    }
    ldc_text_printf(text, "%s %2d %02d:%02d:%02d %d GMT", months[utc.tm_mon], utc.tm_mday,
                    utc.tm_hour, utc.tm_min, utc.tm_sec, utc.tm_year + 1900);
}

static void append_serial(ldc_text *text, const ASN1_INTEGER *serial)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = ASN1_STRING_get0_data(serial);
    int length = ASN1_STRING_length(serial);
    int i = 0;

    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        ldc_text_append_string(text, "-");
    while (i < length - 1 && bytes[i] == 0)
        i++;
    if (length == 0)
        ldc_text_append_string(text, "00"); /* zero that was never encoded */
    for (; i < length; i++) {
        char byte[3] = {digits[bytes[i] >> 4], digits[bytes[i] & 0x0F], ':'};

        ldc_text_append(text, byte, i == length - 1 ? 2 : 3);
    }
}

/* Not X509_get_pathlen: it answers "none" for certificates with a fault in another extension, and
 * for huge numbers. */
static bool append_path_length(ldc_text *text, X509 *certificate)
{
    BASIC_CONSTRAINTS *constraints =
        X509_get_ext_d2i(certificate, NID_basic_constraints, NULL, NULL);
    char *number = NULL;
    bool done = false;

    if (constraints == NULL)
        goto done; /* it decoded before, so this is memory */
    if (constraints->pathlen != NULL) {
        number = i2s_ASN1_INTEGER(NULL, constraints->pathlen);
        if (number == NULL)
            goto done;
        ldc_text_printf(text, ", path length: %s", number);
    }
    done = true;
done:
    OPENSSL_free(number);
    BASIC_CONSTRAINTS_free(constraints);
    return done;
}

/* OpenSSL numbers and orders its purposes as it likes (newer ones have more); the page's list is
 * fixed. */
static void append_purposes(ldc_text *text, X509 *certificate)
{
    static const struct {
        const char *label;
        int purpose;
        int ca;
    } lines[17] = {
        {"SSL client", X509_PURPOSE_SSL_CLIENT, 0},
        {"SSL client CA", X509_PURPOSE_SSL_CLIENT, 1},
        {"SSL server", X509_PURPOSE_SSL_SERVER, 0},
        {"SSL server CA", X509_PURPOSE_SSL_SERVER, 1},
        {"Netscape SSL server", X509_PURPOSE_NS_SSL_SERVER, 0},
        {"Netscape SSL server CA", X509_PURPOSE_NS_SSL_SERVER, 1},
        {"S/MIME signing", X509_PURPOSE_SMIME_SIGN, 0},
        {"S/MIME signing CA", X509_PURPOSE_SMIME_SIGN, 1},
        {"S/MIME encryption", X509_PURPOSE_SMIME_ENCRYPT, 0},
        {"S/MIME encryption CA", X509_PURPOSE_SMIME_ENCRYPT, 1},
        {"CRL signing", X509_PURPOSE_CRL_SIGN, 0},
        {"CRL signing CA", X509_PURPOSE_CRL_SIGN, 1},
        {"Any Purpose", X509_PURPOSE_ANY, 0},
        {"Any Purpose CA", X509_PURPOSE_ANY, 1},
        {"OCSP helper", X509_PURPOSE_OCSP_HELPER, 0},
        {"OCSP helper CA", X509_PURPOSE_OCSP_HELPER, 1},
        {"Time Stamp signing", X509_PURPOSE_TIMESTAMP_SIGN, 0},
    };
    size_t i;

    for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        /* -1 for every purpose of a certificate with a broken extension: that is a No */
        bool fit = X509_check_purpose(certificate, lines[i].purpose, lines[i].ca) > 0;

        ldc_text_append_string(text, "\n\t");
        ldc_text_append_string(text, lines[i].label);
        ldc_text_append_string(text, fit ? " : Yes" : " : No");
    }
}

char *ldc_certificate_text(X509 *certificate)
{
    ldc_text text;
    BIO *scratch = NULL;
    char *result = NULL;

    ldc_text_init(&text);
    ERR_set_mark();
    if (certificate == NULL) {
        result = ldc_text_take(&text);
        goto done;
    }
    scratch = BIO_new(BIO_s_mem());
    if (scratch == NULL)
        goto done;
    ldc_text_append_string(&text, "Subject Name: ");
    if (!append_name(&text, scratch, X509_get_subject_name(certificate)))
        goto done;
    ldc_text_append_string(&text, "\nIssuer Name: ");
    if (!append_name(&text, scratch, X509_get_issuer_name(certificate)))
        goto done;
    ldc_text_append_string(&text, "\nValid From: ");
    append_time(&text, X509_get0_notBefore(certificate));
    ldc_text_append_string(&text, "\nValid To: ");
    append_time(&text, X509_get0_notAfter(certificate));
    ldc_text_append_string(&text, "\nSerial Number: ");
    append_serial(&text, X509_get0_serialNumber(certificate));
    ldc_text_append_string(&text, "\nBasic Constraints:\n\t");
    if (X509_get_extension_flags(certificate) & EXFLAG_CA) {
        ldc_text_append_string(&text, "CA (Certificate Authority)");
        if (!append_path_length(&text, certificate))
            goto done;
    } else {
        ldc_text_append_string(&text, "Not a CA (Certificate Authority)");
    }
    ldc_text_append_string(&text, "\nCertificate purposes:");
    append_purposes(&text, certificate);
    result = ldc_text_take(&text);
done:
    ldc_text_free(&text);
    BIO_free(scratch);
    ERR_pop_to_mark();
    return result;
}

/* ---- the extension at fault ---- */

/* X509V3_get_d2i gives types of all kinds; this is the way OpenSSL itself frees them. */
static void free_decoded(const X509V3_EXT_METHOD *method, void *value)
{
    if (method->it != NULL)
        ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
    else
        method->ext_free(value);
}

/* The contradictions for which OpenSSL calls a certificate invalid though the extension decodes. */
static bool is_contradiction(X509 *certificate, int nid, const void *value)
{
    const BASIC_CONSTRAINTS *constraints;
    const ASN1_BIT_STRING *usage;

    switch (nid) {
    case NID_basic_constraints: /* RFC 5280 section 4.2.1.9: not below 0 */
        constraints = value;
        return constraints->pathlen != NULL &&
               ASN1_STRING_type(constraints->pathlen) == V_ASN1_NEG_INTEGER;
    case NID_key_usage: /* RFC 5280 section 4.2.1.3: at least one bit */
        usage = value;
        return (usage->length < 1 || usage->data[0] == 0) &&
               (usage->length < 2 || usage->data[1] == 0);
    case NID_proxyCertInfo: /* RFC 3820 sections 3.5, 3.6, 3.8: no alternative names, no CA */
        return (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0 ||
               X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) >= 0 ||
               X509_get_ext_by_NID(certificate, NID_issuer_alt_name, -1) >= 0;
    default:
        return false;
    }
}

static bool is_fault(X509 *certificate, int nid)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(nid);
    int critical = 0; /* -1: not there, -2: there twice */
    bool fault;
    void *value;

    if (method == NULL)
        return false; /* this OpenSSL was built without it, and does not look at it */
    value = X509_get_ext_d2i(certificate, nid, &critical, NULL);
    if (value == NULL)
        return critical != -1;
    fault = is_contradiction(certificate, nid, value);
    free_decoded(method, value);
    return fault;
}

const char *ldc_invalid_extension(X509 *certificate, char *buffer, size_t size)
{
    /* Those that OpenSSL decodes to judge a certificate, in its order; a fault in any other does
     * not count. */
    static const int judged[] = {
        NID_basic_constraints,
        NID_proxyCertInfo,
        NID_key_usage,
        NID_ext_key_usage,
        NID_netscape_cert_type,
        NID_subject_key_identifier,
        NID_authority_key_identifier,
        NID_subject_alt_name,
        NID_name_constraints,
        NID_crl_distribution_points,
        NID_sbgp_ipAddrBlock,
        NID_sbgp_autonomousSysNum,
    };
    const char *result = NULL;
    size_t i;

    if (certificate == NULL || size == 0)
        return NULL;
    ERR_set_mark();
    if (!(X509_get_extension_flags(certificate) & EXFLAG_INVALID))
        goto done;
    for (i = 0; i < sizeof judged / sizeof judged[0] && result == NULL; i++) {
        if (is_fault(certificate, judged[i])) {
            snprintf(buffer, size, "%s", OBJ_nid2ln(judged[i]));
            result = buffer;
        }
    }
done:
    ERR_pop_to_mark();
    return result;
}
