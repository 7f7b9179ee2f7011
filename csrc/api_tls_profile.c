/* api_tls_profile.c - the public functions of named TLS profiles; what a link lacks for one. */
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_net.h"
#include "ldc_tables.h"
#include "ldc_text.h"

/* ---- the table ---- */

L_INT L_DicomGetProfileTLS(L_UINT nIndex, pDICOMTLSPROFILE pProfile)
{
    if (pProfile == NULL || pProfile->uStructSize != sizeof *pProfile) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "pProfile is NULL or its uStructSize is not sizeof(DICOMTLSPROFILE)");
    }
    if (nIndex >= ldc_tls_profile_count) {
        return ldc_error(DICOM_ERROR_PARAMETER, "there are %zu TLS profiles, no number %u",
                         ldc_tls_profile_count, nIndex);
    }
    const ldc_tls_profile *profile = &ldc_tls_profiles[nIndex];
    L_UINT suites = 0;
    while (suites < LDC_PROFILE_SUITES && profile->suites[suites] != DICOM_TLS_NONE) {
        suites++;
    }
    *pProfile = (DICOMTLSPROFILE){
        .uStructSize = sizeof *pProfile,
        .pszName = profile->name,
        .pszAliases = profile->aliases,
        .pszTitle = profile->title,
        .bRetired = profile->retired ? 1 : 0,
        .nLowest = profile->lowest,
        .nHighest = profile->highest,
        .nSuites = suites,
        .pSuites = profile->suites,
        .pUses = profile->uses,
        .pszGroups = profile->groups,
        .pszSignatures = profile->signatures,
        .bHybrid = profile->hybrid ? 1 : 0,
        .nRsaBits = profile->rsa_bits,
        .nEcBits = profile->ec_bits,
        .nDhBits = profile->dh_bits,
        .nHashBits = profile->hash_bits,
        .bResumption = profile->resumption ? 1 : 0,
    };
    return DICOM_SUCCESS;
}

L_INT L_DicomIsProfilePossibleTLS(const L_TCHAR *pszName)
{
    uint32_t list[LDC_CIPHER_SLOTS];
    const ldc_tls_profile *profile = ldc_tls_profile_find(pszName);
    return profile == NULL ? DICOM_ERROR_PARAMETER
                           : ldc_tls_profile_list(profile, list, LDC_CIPHER_SLOTS);
}

/* ---- applying ---- */

static void tell(const ldc_tls_profile *profile, HDICOMNET handle)
{
    uint64_t net = (uint64_t)(uintptr_t)handle;
    if (profile->retired) {
        ldc_log(DICOM_LOG_WARNING, net,
                "TLS profile %s (%s) is retired. Use B.12 unless the peer can do nothing better.",
                profile->name, profile->title);
    }
    for (size_t i = 0; i < LDC_PROFILE_SUITES && profile->suites[i] != DICOM_TLS_NONE; i++) {
        const ldc_suite *suite = ldc_suite_find(profile->suites[i]);
        if (suite == NULL || profile->uses[i] == DICOM_TLS_PROFILE_SUITE_REQUIRED) {
            continue;
        }
        if (profile->uses[i] == DICOM_TLS_PROFILE_SUITE_ON_REQUEST) {
            ldc_log(DICOM_LOG_INFO, net,
                    "TLS profile %s: %s is left out, as newer versions of OpenSSL take it at "
                    "security level 0 only. SetTlsCipherSuiteByIndex adds it.",
                    profile->name, suite->iana);
        } else if (!ldc_tls_suite_available(suite->id)) {
            ldc_log(DICOM_LOG_INFO, net, "TLS profile %s: %s is not in this OpenSSL", profile->name,
                    suite->iana);
        }
    }
}

L_INT L_DicomApplyProfileTLS(HDICOMNET hNet, const L_TCHAR *pszName)
{
    ldc_tls_choice fresh;
    const ldc_tls_profile *profile = NULL;
    int rc = DICOM_SUCCESS;
    ldc_tls_choice_init(&fresh); /* the default list; owns nothing */
    if (pszName != NULL && pszName[0] != '\0') {
        profile = ldc_tls_profile_find(pszName);
        rc = profile == NULL ? DICOM_ERROR_PARAMETER
                             : ldc_tls_profile_list(profile, fresh.ciphers, LDC_CIPHER_SLOTS);
    }
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    ldc_net *net = ldc_net_lock_idle(hNet, "the TLS profile", &rc);
    if (net == NULL) {
        return rc;
    }
    net->choice.profile = profile;
    memcpy(net->choice.ciphers, fresh.ciphers, sizeof fresh.ciphers);
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    if (profile != NULL) {
        tell(profile, hNet);
    }
    return DICOM_SUCCESS;
}

/* ---- judging a link ---- */

static const struct {
    const char *name;
    int version;
} versions[] = {{"TLSv1", TLS1_VERSION},
                {"TLSv1.1", TLS1_1_VERSION},
                {"TLSv1.2", TLS1_2_VERSION},
                {"TLSv1.3", TLS1_3_VERSION}};

static void judge_version(const ldc_tls_profile *profile, const ldc_link_info *link, ldc_text *why)
{
    const char *lowest = "";
    const char *highest = "";
    bool within = false;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        int version = versions[i].version;
        within = within || (strcmp(versions[i].name, link->version) == 0 &&
                            profile->lowest <= version && version <= profile->highest);
        lowest = version == profile->lowest ? versions[i].name : lowest;
        highest = version == profile->highest ? versions[i].name : highest;
    }
    if (!within) {
        ldc_text_printf(why, "version: %s, allowed are %s to %s\n", link->version, lowest, highest);
    }
}

static void judge_exchange(const ldc_tls_profile *profile, const ldc_link_info *link, ldc_text *why)
{
    const ldc_suite *suite = ldc_suite_find(link->suite);
    if (!ldc_tls_profile_has_suite(profile, link->suite)) {
        ldc_text_printf(why, "cipher suite: %s (0x%04X) is not in the profile\n",
                        suite == NULL ? "unknown" : suite->iana, link->suite);
    }
    if (link->group[0] != '\0' && !ldc_tls_profile_has_group(profile, link->group)) {
        ldc_text_printf(why, "group: %s is not in the profile\n", link->group);
    }
    if (link->dh_bits > 0 && link->dh_bits < profile->dh_bits) {
        ldc_text_printf(why, "key exchange: DHE with %u bits, %u are needed\n", link->dh_bits,
                        profile->dh_bits);
    }
    if (link->ec_bits > 0 && link->ec_bits < profile->ec_bits) {
        ldc_text_printf(why, "key exchange: ECDHE with %u bits, %u are needed\n", link->ec_bits,
                        profile->ec_bits);
    }
}

static void judge_hash(const ldc_tls_profile *profile, const char *whose, int hash, ldc_text *why)
{
    const EVP_MD *digest = hash == NID_undef ? NULL : EVP_get_digestbynid(hash);
    int bits = digest == NULL ? 0 : EVP_MD_get_size(digest) * 8;
    bool weak = hash == NID_md5_sha1 || (bits > 0 && bits < (int)profile->hash_bits);
    if (profile->hash_bits > 0 && weak) {
        ldc_text_printf(why, "signature algorithm: %s signature uses %s, SHA-%u is needed\n", whose,
                        OBJ_nid2sn(hash), profile->hash_bits);
    }
}

static void judge_certificate(const ldc_tls_profile *profile, const char *whose, X509 *certificate,
                              bool leaf, ldc_text *why)
{
    char text[128];
    bool issued = X509_self_signed(certificate, 0) != 1;
    if (ldc_tls_profile_weigh(profile, certificate, leaf, issued, text, sizeof text) == X509_V_OK) {
        return;
    }
    char *subject = ldc_subject_text(certificate);
    ldc_text_printf(why, "certificate: %s (%s) %s\n", whose, subject == NULL ? "" : subject, text);
    free(subject);
}

/* Why the link does not satisfy the profile, one reason a line; "" = it does; NULL = no memory. */
static char *judge(const ldc_tls_profile *profile, const ldc_link_info *link)
{
    ldc_text why;
    ldc_text_init(&why);
    judge_version(profile, link, &why);
    judge_exchange(profile, link, &why);
    if (strcmp(link->version, "TLSv1") != 0 && strcmp(link->version, "TLSv1.1") != 0) {
        /* These two know nothing better than MD5 with SHA-1: the version decides. */
        judge_hash(profile, "the peer's", link->peer_hash, &why);
        judge_hash(profile, "our", link->own_hash, &why);
    }
    for (int i = 0; i < sk_X509_num(link->received); i++) {
        judge_certificate(profile, i == 0 ? "the peer's" : "one of the peer's chain",
                          sk_X509_value(link->received, i), i == 0, &why);
    }
    if (link->own != NULL) {
        judge_certificate(profile, "our own", link->own, true, &why);
    }
    if (!why.failed && why.length > 0) {
        why.bytes[--why.length] = '\0'; /* the last line's end */
    }
    return ldc_text_take(&why);
}

L_INT L_DicomCheckProfileTLS(HDICOMNET hNet, const L_TCHAR *pszName, L_TCHAR *pszWhyNot,
                             L_UINT nChars)
{
    const ldc_tls_profile *profile = ldc_tls_profile_find(pszName);
    if (profile == NULL) {
        return DICOM_ERROR_PARAMETER;
    }
    ldc_net *net = ldc_net_acquire(hNet);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    pthread_mutex_lock(&net->lock);
    bool linked = net->link.suite != DICOM_TLS_NONE;
    char *text = linked ? judge(profile, &net->link) : NULL;
    pthread_mutex_unlock(&net->lock);
    ldc_net_put(net);
    if (!linked) {
        return ldc_error(DICOM_ERROR_INVALID_STATE, "%s",
                         "there is no TLS link to judge. Wait for OnSecureLinkReady.");
    }
    if (text == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS profile");
    }
    int rc = DICOM_SUCCESS;
    size_t size = strlen(text) + 1;
    if (pszWhyNot != NULL && size > nChars) {
        rc = ldc_error(DICOM_ERROR_PARAMETER, "the buffer has %u bytes, %zu are needed", nChars,
                       size);
    } else {
        if (pszWhyNot != NULL) {
            memcpy(pszWhyNot, text, size);
        }
        if (size > 1) {
            rc = ldc_error(DICOM_ERROR_TLS_PROFILE, "profile %s: %s", profile->name, text);
        }
    }
    free(text);
    return rc;
}
