/* test_tls_profiles.c - the table of named TLS profiles: sound by itself, found by name, weighed.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#include "ldc_tables.h"
#include "ldc_tls.h"
#include "unit.h"

static size_t suites_of(const ldc_tls_profile *profile)
{
    size_t count = 0;
    while (count < LDC_PROFILE_SUITES && profile->suites[count] != DICOM_TLS_NONE) {
        count++;
    }
    return count;
}

TEST(each_profile_has_a_name_versions_and_suites_that_are_known_and_listed_once)
{
    for (size_t i = 0; i < ldc_tls_profile_count; i++) {
        const ldc_tls_profile *profile = &ldc_tls_profiles[i];
        CHECK(ldc_tls_profile_find(profile->name) == profile);
        CHECK(profile->lowest >= TLS1_VERSION && profile->lowest <= profile->highest);
        CHECK(profile->highest <= TLS1_3_VERSION);
        CHECK(profile->title[0] != '\0');
        size_t count = suites_of(profile);
        CHECK(count > 0 && count < LDC_PROFILE_SUITES);
        for (size_t j = 0; j < count; j++) {
            const ldc_suite *suite = ldc_suite_find(profile->suites[j]);
            if (CHECK(suite != NULL)) {
                CHECK(!suite->tls13 || profile->highest == TLS1_3_VERSION);
            }
            CHECK(profile->uses[j] <= DICOM_TLS_PROFILE_SUITE_ON_REQUEST);
            for (size_t k = 0; k < j; k++) {
                CHECK(profile->suites[k] != profile->suites[j]);
            }
        }
    }
}

TEST(only_retired_profiles_have_versions_below_1_2_or_no_key_minima)
{
    for (size_t i = 0; i < ldc_tls_profile_count; i++) {
        const ldc_tls_profile *profile = &ldc_tls_profiles[i];
        CHECK(profile->retired || profile->lowest >= TLS1_2_VERSION);
        CHECK(profile->retired || (profile->rsa_bits >= 2048 && profile->ec_bits >= 256 &&
                                   profile->dh_bits >= 2048 && profile->hash_bits >= 256));
        CHECK(profile->retired || strstr(profile->signatures, "SHA1") == NULL);
        CHECK_INT(ldc_tls_profile_level(profile), profile->lowest < TLS1_2_VERSION ? 0 : 2);
    }
}

TEST(a_name_is_found_whatever_its_case_and_punctuation)
{
    const char *names[] = {"B.12", "b12", "B_12", "B-12", "bcp195_rfc8996_9325"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const ldc_tls_profile *profile = ldc_tls_profile_find(names[i]);
        CHECK(profile != NULL && strcmp(profile->name, "B.12") == 0);
    }
    CHECK(ldc_tls_profile_find("ND_BCP195") == ldc_tls_profile_find("bcp195_nd"));
    CHECK(ldc_tls_profile_find("EXTENDED-BCP195") == ldc_tls_profile_find("B.11"));
}

TEST(what_is_no_name_is_refused_and_the_known_are_named)
{
    char longer[200];
    memset(longer, 'b', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *names[] = {NULL, "", ".", "B", "B.1 2 3", "B.12\n", "B.12;", "bcp", longer};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(ldc_tls_profile_find(names[i]) == NULL);
        CHECK_INT(L_DicomGetLastError(), DICOM_ERROR_PARAMETER);
        for (size_t j = 0; j < ldc_tls_profile_count; j++) {
            CHECK(strstr(L_DicomGetLastErrorText(), ldc_tls_profiles[j].name) != NULL);
        }
    }
}

TEST(the_list_has_the_suites_in_order_without_those_on_request)
{
    uint32_t list[LDC_CIPHER_SLOTS];
    const ldc_tls_profile *profile = ldc_tls_profile_find("B.13");
    memset(list, 0xFF, sizeof list);
    CHECK_INT(ldc_tls_profile_list(profile, list, LDC_CIPHER_SLOTS), DICOM_SUCCESS);
    size_t used = 0;
    for (size_t i = 0; i < suites_of(profile); i++) {
        if (profile->uses[i] != DICOM_TLS_PROFILE_SUITE_ON_REQUEST) {
            CHECK_INT(list[used++], profile->suites[i]);
        }
        CHECK(ldc_tls_profile_has_suite(profile, profile->suites[i]));
    }
    CHECK_INT(used, 12);
    for (size_t i = used; i < LDC_CIPHER_SLOTS; i++) {
        CHECK_INT(list[i], DICOM_TLS_NONE);
    }
    CHECK(!ldc_tls_profile_has_suite(profile, 0x009F));
    CHECK(!ldc_tls_profile_has_suite(profile, DICOM_TLS_NONE));
}

TEST(a_profile_that_needs_what_openssl_lacks_says_what)
{
    uint32_t list[LDC_CIPHER_SLOTS];
    ldc_tls_profile odd = *ldc_tls_profile_find("B.12");
    odd.name = "odd";
    odd.suites[1] = DICOM_TLS_DHE_RSA_WITH_DES_CBC_SHA; /* no OpenSSL 3 has it */
    CHECK_INT(ldc_tls_profile_list(&odd, list, LDC_CIPHER_SLOTS), DICOM_ERROR_TLS_PROFILE);
    CHECK(strstr(L_DicomGetLastErrorText(), "TLS_DHE_RSA_WITH_DES_CBC_SHA (it was built") != NULL);
    CHECK_INT(list[63], DICOM_TLS_NONE);
    odd.uses[1] = DICOM_TLS_PROFILE_SUITE_IF_THERE;
    CHECK_INT(ldc_tls_profile_list(&odd, list, LDC_CIPHER_SLOTS), DICOM_SUCCESS);
    CHECK_INT(list[1], odd.suites[2]);
    odd.groups = "x25519:no_such_group";
    CHECK_INT(ldc_tls_profile_list(&odd, list, LDC_CIPHER_SLOTS), DICOM_ERROR_TLS_PROFILE);
    CHECK(strstr(L_DicomGetLastErrorText(), "no_such_group") != NULL);
}

TEST(groups_are_compared_as_a_whole)
{
    const ldc_tls_profile *profile = ldc_tls_profile_find("B.12");
    CHECK(ldc_tls_profile_has_group(profile, "x25519"));
    CHECK(ldc_tls_profile_has_group(profile, "X25519"));
    CHECK(ldc_tls_profile_has_group(profile, "ffdhe3072"));
    CHECK(ldc_tls_profile_has_group(profile, LDC_TLS_HYBRID_GROUP));
    CHECK(!ldc_tls_profile_has_group(ldc_tls_profile_find("bcp195"), LDC_TLS_HYBRID_GROUP));
    CHECK(!ldc_tls_profile_has_group(profile, "x2551"));
    CHECK(!ldc_tls_profile_has_group(profile, "x25519:"));
    CHECK(!ldc_tls_profile_has_group(profile, "secp224r1"));
    CHECK(!ldc_tls_profile_has_group(profile, ""));
}

/* ---- weighing ---- */

static X509 *certificate_of(EVP_PKEY *key, const EVP_MD *digest)
{
    X509 *certificate = X509_new();
    X509_set_pubkey(certificate, key);
    CHECK(X509_sign(certificate, key, digest) > 0);
    EVP_PKEY_free(key);
    return certificate;
}

static int weigh(const char *profile, X509 *certificate, bool leaf, bool issued)
{
    char text[128] = "";
    int code = ldc_tls_profile_weigh(ldc_tls_profile_find(profile), certificate, leaf, issued, text,
                                     sizeof text);
    CHECK((code == X509_V_OK) == (text[0] == '\0'));
    X509_free(certificate);
    return code;
}

TEST(keys_and_hashes_below_the_minima_are_found)
{
    const EVP_MD *sha256 = EVP_sha256();
    CHECK_INT(weigh("B.12", certificate_of(EVP_EC_gen("P-256"), sha256), true, true), 0);
    CHECK_INT(weigh("B.12", certificate_of(EVP_EC_gen("P-224"), sha256), true, true),
              L_X509_V_ERR_EE_KEY_TOO_SMALL);
    CHECK_INT(weigh("B.12", certificate_of(EVP_EC_gen("P-224"), sha256), false, true),
              L_X509_V_ERR_CA_KEY_TOO_SMALL);
    CHECK_INT(weigh("B.12", certificate_of(EVP_RSA_gen(1024), sha256), true, true),
              L_X509_V_ERR_EE_KEY_TOO_SMALL);
    CHECK_INT(weigh("B.12", certificate_of(EVP_RSA_gen(2048), sha256), true, true), 0);
    CHECK_INT(weigh("B.12", certificate_of(EVP_EC_gen("P-256"), EVP_sha224()), true, true),
              L_X509_V_ERR_CA_MD_TOO_WEAK);
    CHECK_INT(weigh("B.12", certificate_of(EVP_EC_gen("P-256"), EVP_sha1()), true, false), 0);
    CHECK_INT(weigh("aes", certificate_of(EVP_EC_gen("P-224"), EVP_sha1()), true, true), 0);
}
