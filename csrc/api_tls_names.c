/* api_tls_names.c - the public functions of names in TLS: server name, expected names, certificates
 * by name, ALPN. */
#include <stdlib.h>
#include <string.h>

#include "api_tls_rules.h"
#include "ldc_error.h"
#include "ldc_tls_names.h"

/* ---- what is sent and expected ---- */

static int set_server_name(ldc_tls_rules *rules, const void *value)
{
    return api_replace_text(&rules->server_name, value);
}

L_INT L_DicomSetServerNameTLS(HDICOMNET hNet, const L_TCHAR *pszName)
{
    char name[LDC_DNS_NAME] = "";
    if (pszName != NULL && pszName[0] != '\0' &&
        !ldc_dns_name(pszName, strlen(pszName), false, name)) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "\"%.100s\" cannot be sent as server name. Give a DNS name in ASCII, no "
                         "address (RFC 6066 3); \"\" sends none.",
                         pszName);
    }
    return api_change_rules(hNet, "the server name", set_server_name,
                            pszName == NULL ? NULL : name);
}

static int set_email(ldc_tls_rules *rules, const void *value)
{
    return api_replace_text(&rules->email, value);
}

static int set_uri(ldc_tls_rules *rules, const void *value)
{
    return api_replace_text(&rules->uri, value);
}

L_INT L_DicomSetExpectedNameTLS(HDICOMNET hNet, L_INT nKind, const L_TCHAR *pszName)
{
    if (nKind != DICOM_TLS_NAME_EMAIL && nKind != DICOM_TLS_NAME_URI) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "kind of name %d. Use DICOM_TLS_NAME_EMAIL or DICOM_TLS_NAME_URI; "
                         "L_DicomSetExpectedHostTLS is for host names and addresses.",
                         nKind);
    }
    const char *name = pszName != NULL && pszName[0] != '\0' ? pszName : NULL;
    if (name != NULL &&
        (strlen(name) > LDC_RULE_TEXT ||
         (nKind == DICOM_TLS_NAME_EMAIL ? strchr(name, '@') == NULL : strchr(name, ':') == NULL))) {
        return ldc_error(DICOM_ERROR_PARAMETER, "\"%.100s\" is no %s of at most %d bytes", name,
                         nKind == DICOM_TLS_NAME_EMAIL ? "e-mail address" : "URI", LDC_RULE_TEXT);
    }
    return api_change_rules(hNet, "the expected name",
                            nKind == DICOM_TLS_NAME_EMAIL ? set_email : set_uri, name);
}

/* ---- certificates by name ---- */

typedef struct addition {
    ldc_tls_named named; /* lent */
} addition;

static int add_certificate(ldc_tls_rules *rules, const void *value)
{
    const addition *more = value;
    return ldc_tls_rules_add(rules, &more->named);
}

/* Names as given, in small letters with one space between them, malloc'ed. NULL: *rc says why. */
static char *clean_names(const char *given, int *rc)
{
    size_t size = strlen(given) + 1;
    char *names = calloc(1, size + 1);
    size_t used = 0;
    for (const char *at = given + strspn(given, " ,"); names != NULL && *at != '\0';) {
        char name[LDC_DNS_NAME];
        size_t length = strcspn(at, " ,");
        if (!ldc_dns_name(at, length, true, name)) {
            *rc = ldc_error(DICOM_ERROR_PARAMETER,
                            "\"%.*s\" is no server name. Give DNS names in ASCII; the first label "
                            "may be \"*\".",
                            (int)(length > 100 ? 100 : length), at);
            free(names);
            return NULL;
        }
        size_t here = strlen(name);
        if (used > 0) {
            names[used++] = ' ';
        }
        memcpy(names + used, name, here + 1); /* never longer than what was given */
        used += here;
        at += length;
        at += strspn(at, " ,");
    }
    if (names == NULL) {
        *rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "server names");
    }
    return names;
}

/* more: credentials, origin and staple file; given: the names, NULL = those of the certificate. */
static int add_loaded(HDICOMNET handle, const ldc_tls_named *more, const char *given)
{
    int rc = DICOM_SUCCESS;
    bool own = given == NULL || given[0] == '\0';
    char *names =
        own ? ldc_certificate_dns_names(more->credentials->leaf) : clean_names(given, &rc);
    if (names == NULL) {
        return rc == DICOM_SUCCESS ? ldc_error(DICOM_ERROR_MEMORY, "%s", "server names") : rc;
    }
    addition named = {.named = *more};
    named.named.names = names;
    named.named.own_names = own;
    if (names[0] == '\0') {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "%s",
                       own ? "the certificate carries no DNS name. Say for which names it is."
                           : "no name was given");
    } else if (more->staple_file != NULL) {
        rc = api_try_staple(handle, more->staple_file, more->credentials);
    }
    if (rc == DICOM_SUCCESS) {
        rc = api_change_rules(handle, "the certificates by name", add_certificate, &named);
    }
    free(names);
    return rc;
}

L_INT L_DicomAddCertificateExTLS(HDICOMNET hNet, const DICOMTLSCERTIFICATE *pCertificate)
{
    const DICOMTLSCERTIFICATE *given = pCertificate;
    if (given == NULL || given->uStructSize != sizeof *given) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "uStructSize is not sizeof(DICOMTLSCERTIFICATE) = %zu. Set it.",
                         sizeof *given);
    }
    bool memory = given->pCert != NULL;
    if (memory ? given->nCert == 0 : given->pszCertFile == NULL || given->pszCertFile[0] == '\0') {
        return ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE, "%s",
                         memory ? "the certificate is empty" : "no file name was given");
    }
    ldc_tls_source certificate = {.file = memory ? "certificate in memory" : given->pszCertFile,
                                  .data = given->pCert,
                                  .size = given->nCert};
    ldc_tls_source key = {.file = given->pKey != NULL ? "key in memory" : given->pszKeyFile,
                          .data = given->pKey,
                          .size = given->nKey};
    ldc_tls_named more = {0};
    int rc = api_load_credentials(hNet, &certificate, given->nCertType, &key, &more.credentials);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    bool stapled = given->pszStapleFile != NULL && given->pszStapleFile[0] != '\0';
    more.staple_file = stapled ? ldc_strdup(given->pszStapleFile) : NULL;
    bool made = (more.staple_file != NULL || !stapled) &&
                ldc_tls_origin_set(&more.origin, &certificate, given->nCertType, &key);
    rc = made ? add_loaded(hNet, &more, given->pszNames)
              : ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate by name");
    ldc_ref_put(&more.credentials->shared.ref);
    ldc_tls_origin_clear(&more.origin);
    free(more.staple_file);
    return rc;
}

L_INT L_DicomAddCertificateTLS(HDICOMNET hNet, const L_TCHAR *pszCertFile, L_INT nType,
                               const L_TCHAR *pszKeyFile, const L_TCHAR *pszNames)
{
    const DICOMTLSCERTIFICATE given = {.uStructSize = sizeof given,
                                       .pszCertFile = pszCertFile,
                                       .pszKeyFile = pszKeyFile,
                                       .nCertType = nType,
                                       .pszNames = pszNames};
    return L_DicomAddCertificateExTLS(hNet, &given);
}

L_INT L_DicomAddCertificateBytesTLS(HDICOMNET hNet, const L_UCHAR *pCert, L_UINT nCert, L_INT nType,
                                    const L_UCHAR *pKey, L_UINT nKey, const L_TCHAR *pszNames)
{
    static const L_UCHAR nothing;
    const DICOMTLSCERTIFICATE given = {.uStructSize = sizeof given,
                                       .pCert = pCert == NULL ? &nothing : pCert,
                                       .nCert = pCert == NULL ? 0 : nCert,
                                       .pKey = pKey,
                                       .nKey = nKey,
                                       .nCertType = nType,
                                       .pszNames = pszNames};
    return L_DicomAddCertificateExTLS(hNet, &given);
}

static int clear_certificates(ldc_tls_rules *rules, const void *unused)
{
    (void)unused;
    ldc_tls_rules_clear_named(rules);
    return DICOM_SUCCESS;
}

L_INT L_DicomClearCertificatesTLS(HDICOMNET hNet)
{
    return api_change_rules(hNet, "the certificates by name", clear_certificates, NULL);
}

static int set_refuse(ldc_tls_rules *rules, const void *value)
{
    rules->refuse_unknown_names = *(const L_BOOL *)value != 0;
    return DICOM_SUCCESS;
}

L_INT L_DicomSetRefuseUnknownNamesTLS(HDICOMNET hNet, L_BOOL bRefuse)
{
    return api_change_rules(hNet, "refuse_unknown_names", set_refuse, &bRefuse);
}

/* ---- ALPN ---- */

static int set_alpn(ldc_tls_rules *rules, const void *value)
{
    rules->alpn = *(const L_INT *)value;
    return DICOM_SUCCESS;
}

L_INT L_DicomSetAlpnTLS(HDICOMNET hNet, L_INT nMode)
{
    if (nMode < DICOM_TLS_ALPN_OFF || nMode > DICOM_TLS_ALPN_REQUIRE) {
        return ldc_error(DICOM_ERROR_PARAMETER, "ALPN mode %d. Use DICOM_TLS_ALPN_...", nMode);
    }
    return api_change_rules(hNet, "ALPN", set_alpn, &nMode);
}
