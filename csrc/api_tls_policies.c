/* api_tls_policies.c - the public function of certificate policies. */
#include "api_tls_rules.h"
#include "ldc_error.h"

typedef struct policy_wish {
    L_UINT flags;
    const char *policies; /* NULL = any */
} policy_wish;

static int set_policies(ldc_tls_rules *rules, const void *value)
{
    const policy_wish *wish = value;
    rules->policy_flags = wish->flags;
    return api_replace_text(&rules->policies, wish->policies);
}

L_INT L_DicomSetPoliciesTLS(HDICOMNET hNet, L_UINT uFlags, const L_TCHAR *pszPolicies)
{
    const L_UINT known = DICOM_TLS_POLICY_CHECK | DICOM_TLS_POLICY_EXPLICIT |
                         DICOM_TLS_POLICY_INHIBIT_ANY | DICOM_TLS_POLICY_INHIBIT_MAPPING;
    bool some = pszPolicies != NULL && pszPolicies[0] != '\0';
    policy_wish wish = {.flags = uFlags, .policies = some ? pszPolicies : NULL};
    if ((uFlags & ~known) != 0 ||
        ((uFlags & DICOM_TLS_POLICY_CHECK) == 0 && (uFlags != 0 || some))) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "policy flags 0x%X: 0 without policies, or DICOM_TLS_POLICY_CHECK with "
                         "others of DICOM_TLS_POLICY_...",
                         uFlags);
    }
    int rc = some ? ldc_tls_policies_check(pszPolicies) : DICOM_SUCCESS;
    return rc == DICOM_SUCCESS
               ? api_change_rules(hNet, "the certificate policies", set_policies, &wish)
               : rc;
}
