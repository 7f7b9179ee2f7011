/*
 * ldc_tls_policies.c - certificate policies (RFC 5280, 6.1): what a net demands of a path, as text
 * and as parameters of OpenSSL's verification.
 */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tls_rules.h"

enum {
    MOST = 64, /* policies of a net */
    LONGEST = 128
};

#define ANY "2.5.29.32.0" /* anyPolicy */

/* The next word of a list, length 0 at its end. */
static const char *next(const char *at, size_t *length)
{
    at += strspn(at, " ");
    *length = strcspn(at, " ");
    return at;
}

static ASN1_OBJECT *object_of(const char *text, size_t length)
{
    char copy[LONGEST];
    if (length >= sizeof copy) {
        return NULL;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    ASN1_OBJECT *object = OBJ_txt2obj(copy, 1);
    ERR_clear_error();
    return object;
}

int ldc_tls_policies_check(const char *policies)
{
    size_t count = 0;
    size_t length;
    for (const char *at = next(policies, &length); length > 0; at = next(at + length, &length)) {
        ASN1_OBJECT *object = object_of(at, length);
        if (object == NULL) {
            return ldc_error(DICOM_ERROR_PARAMETER,
                             "\"%.*s\" is no certificate policy. Give object identifiers such as "
                             "2.16.840.1.101.3.2.1.3.7.",
                             length > LONGEST ? LONGEST : (int)length, at);
        }
        ASN1_OBJECT_free(object);
        if (++count > MOST) {
            return ldc_error(DICOM_ERROR_PARAMETER, "there are more than %d policies", MOST);
        }
    }
    return DICOM_SUCCESS;
}

bool ldc_tls_policies_apply(const ldc_tls_rules *rules, X509_VERIFY_PARAM *param)
{
    if (rules == NULL || rules->policy_flags == 0) {
        return true;
    }
    unsigned long flags = X509_V_FLAG_POLICY_CHECK;
    flags |=
        (rules->policy_flags & DICOM_TLS_POLICY_EXPLICIT) != 0 ? X509_V_FLAG_EXPLICIT_POLICY : 0;
    flags |=
        (rules->policy_flags & DICOM_TLS_POLICY_INHIBIT_ANY) != 0 ? X509_V_FLAG_INHIBIT_ANY : 0;
    flags |=
        (rules->policy_flags & DICOM_TLS_POLICY_INHIBIT_MAPPING) != 0 ? X509_V_FLAG_INHIBIT_MAP : 0;
    size_t length;
    /* OpenSSL takes an empty set for none that will do. */
    const char *list = rules->policies == NULL ? ANY : rules->policies;
    for (const char *at = next(list, &length); length > 0; at = next(at + length, &length)) {
        ASN1_OBJECT *object = object_of(at, length);
        if (object == NULL || X509_VERIFY_PARAM_add0_policy(param, object) != 1) {
            ASN1_OBJECT_free(object);
            return false;
        }
    }
    return X509_VERIFY_PARAM_set_flags(param, flags) == 1;
}
