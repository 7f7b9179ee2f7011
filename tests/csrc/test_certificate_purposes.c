/*
 * Unit tests of certificates as text (ldc_certificate_text.h), purposes and broken extensions.
 *
 * The purposes that a test expects follow from what the certificate says: RFC 5280 sections 4.2.1.3
 * (key usage), 4.2.1.9 (basic constraints) and 4.2.1.12 (extended key usage), the Netscape
 * certificate type, and these rules that OpenSSL documents in openssl-verification-options(1): what
 * is not restricted is allowed; "Any Purpose" and the OCSP helper itself are never restricted; time
 * stamping needs its own extended key usage (RFC 3161 section 2.3).
 */
#include "certificate_fixture.h"

/* ---- purposes ---- */

/* What an unrestricted certificate that is not a CA may do. */
#define ALL_OF_A_LEAF                                                                              \
    "SSL client", "SSL server", "Netscape SSL server", "S/MIME signing", "S/MIME encryption",      \
        "CRL signing", "Any Purpose", "Any Purpose CA", "OCSP helper"
/* What any CA may do in that role. */
#define ALL_OF_A_CA                                                                                \
    "SSL client CA", "SSL server CA", "Netscape SSL server CA", "S/MIME signing CA",               \
        "S/MIME encryption CA", "CRL signing CA", "Any Purpose", "Any Purpose CA", "OCSP helper",  \
        "OCSP helper CA"

TEST(a_plain_leaf_may_do_all_that_needs_no_special_usage)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:FALSE");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, ALL_OF_A_LEAF);
    X509_free(certificate);
}

TEST(a_leaf_for_clients_only_is_no_server)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:FALSE");
    extend(certificate, NID_key_usage, "digitalSignature");
    extend(certificate, NID_ext_key_usage, "clientAuth");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, "SSL client", "Any Purpose", "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_leaf_for_servers_that_may_only_sign_is_no_netscape_server)
{
    X509 *certificate = leaf();

    /* Netscape servers did the RSA key exchange, which needs keyEncipherment. */
    extend(certificate, NID_key_usage, "digitalSignature");
    extend(certificate, NID_ext_key_usage, "serverAuth");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, "SSL server", "Any Purpose", "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_leaf_for_time_stamping_says_so)
{
    X509 *certificate = leaf();

    extend(certificate, NID_key_usage, "critical,digitalSignature");
    extend(certificate, NID_ext_key_usage, "critical,timeStamping");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, "Any Purpose", "Any Purpose CA", "OCSP helper",
                   "Time Stamp signing");
    X509_free(certificate);
}

TEST(a_ca_without_key_usage_is_restricted_in_nothing)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, ALL_OF_A_CA, ALL_OF_A_LEAF);
    X509_free(certificate);
}

TEST(a_ca_that_may_only_sign_certificates_and_crls_is_neither_client_nor_server)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, ALL_OF_A_CA, "CRL signing");
    X509_free(certificate);
}

TEST(a_ca_whose_key_may_not_sign_certificates_is_no_ca_for_any_purpose_but_any)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, NID_key_usage, "critical,digitalSignature");
    certificate = sent(certificate);
    CHECK_LINE(certificate, 7, "\tCA (Certificate Authority)");
    CHECK_PURPOSES(certificate, "SSL client", "SSL server", "S/MIME signing", "Any Purpose",
                   "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_netscape_server_type_restricts_to_servers)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:FALSE");
    extend(certificate, NID_netscape_cert_type, "server");
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, "SSL server", "Netscape SSL server", "CRL signing", "Any Purpose",
                   "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(an_answer_that_is_neither_0_nor_1_is_a_yes)
{
    X509 *certificate = leaf();

    /* OpenSSL lets old client certificates pass for mail, and answers 2 instead of 1. */
    extend(certificate, NID_netscape_cert_type, "client");
    certificate = sent(certificate);
    CHECK_INT(X509_check_purpose(certificate, X509_PURPOSE_SMIME_SIGN, 0), 2);
    CHECK_PURPOSES(certificate, "SSL client", "S/MIME signing", "S/MIME encryption", "CRL signing",
                   "Any Purpose", "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_self_signed_version_1_certificate_serves_as_a_ca_but_has_no_constraint_that_says_so)
{
    X509 *certificate = leaf();

    X509_set_version(certificate, X509_VERSION_1);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    certificate = sent(certificate);
    CHECK_LINE(certificate, 7, "\tNot a CA (Certificate Authority)");
    CHECK_PURPOSES(certificate, ALL_OF_A_LEAF, ALL_OF_A_CA);
    X509_free(certificate);
}

TEST(a_version_1_certificate_that_is_not_self_signed_is_no_ca)
{
    X509 *certificate = leaf();

    X509_set_version(certificate, X509_VERSION_1);
    certificate = sent(certificate);
    CHECK_PURPOSES(certificate, ALL_OF_A_LEAF);
    X509_free(certificate);
}

TEST(a_proxy_certificate_reads_as_a_leaf)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_proxyCertInfo, PROXY_OF_ALL, sizeof PROXY_OF_ALL - 1);
    extend(certificate, NID_key_usage, "critical,digitalSignature,keyEncipherment");
    certificate = sent(certificate);
    CHECK(X509_get_extension_flags(certificate) & EXFLAG_PROXY);
    CHECK_LINE(certificate, 7, "\tNot a CA (Certificate Authority)");
    CHECK_PURPOSES(certificate, "SSL client", "SSL server", "Netscape SSL server", "S/MIME signing",
                   "S/MIME encryption", "Any Purpose", "Any Purpose CA", "OCSP helper");
    X509_free(certificate);
}

TEST(a_broken_extension_takes_all_purposes_even_any)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_basic_constraints, "\x30\x03\x01\x01", 4); /* cut short */
    certificate = sent(certificate);
    CHECK_LINE(certificate, 7, "\tNot a CA (Certificate Authority)");
    CHECK_PURPOSES(certificate, NULL);
    X509_free(certificate);
}

/* ---- the extension at fault ---- */

/* Frees the certificate. */
static void check_invalid(X509 *certificate, const char *expected, int line)
{
    char buffer[100] = "untouched";
    const char *name;

    certificate = sent(certificate);
    name = ldc_invalid_extension(certificate, buffer, sizeof buffer);
    unit_check_str(name, expected, "invalid extension", __FILE__, line);
    unit_check(name == NULL || name == buffer, "the name is in the buffer", __FILE__, line);
    if (expected != NULL)
        check_purposes(certificate, (const char *const[]){NULL}, line);
    X509_free(certificate);
}

#define CHECK_INVALID(certificate, expected) check_invalid(certificate, expected, __LINE__)

TEST(a_valid_certificate_has_no_invalid_extension)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(certificate, NID_key_usage, "critical,keyCertSign");
    extend(certificate, NID_ext_key_usage, "clientAuth");
    extend(certificate, NID_subject_key_identifier, "hash");
    extend(certificate, NID_subject_alt_name, "DNS:pacs.example");
    CHECK_INVALID(certificate, NULL);
    CHECK_INVALID(leaf(), NULL);
}

TEST(each_extension_that_cannot_be_decoded_is_named)
{
    static const struct {
        int nid;
        const char *name;
    } cases[] = {
        {NID_basic_constraints, "X509v3 Basic Constraints"},
        {NID_proxyCertInfo, "Proxy Certificate Information"},
        {NID_key_usage, "X509v3 Key Usage"},
        {NID_ext_key_usage, "X509v3 Extended Key Usage"},
        {NID_netscape_cert_type, "Netscape Cert Type"},
        {NID_subject_key_identifier, "X509v3 Subject Key Identifier"},
        {NID_authority_key_identifier, "X509v3 Authority Key Identifier"},
        {NID_subject_alt_name, "X509v3 Subject Alternative Name"},
        {NID_name_constraints, "X509v3 Name Constraints"},
        {NID_crl_distribution_points, "X509v3 CRL Distribution Points"},
        {NID_sbgp_ipAddrBlock, "sbgp-ipAddrBlock"},
        {NID_sbgp_autonomousSysNum, "sbgp-autonomousSysNum"},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509 *certificate = leaf();

        extend_bytes(certificate, cases[i].nid, "\xFF\xFF", 2);
        CHECK_INVALID(certificate, cases[i].name);
    }
}

TEST(an_extension_that_is_there_twice_is_named)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:FALSE");
    extend(certificate, NID_subject_alt_name, "DNS:a.example");
    extend(certificate, NID_subject_alt_name, "DNS:b.example");
    CHECK_INVALID(certificate, "X509v3 Subject Alternative Name");
}

TEST(a_key_usage_without_any_bit_is_named)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_key_usage, "\x03\x02\x07\x00", 4);
    CHECK_INVALID(certificate, "X509v3 Key Usage");
    certificate = leaf();
    extend_bytes(certificate, NID_key_usage, "\x03\x01\x00", 3);
    CHECK_INVALID(certificate, "X509v3 Key Usage");
}

TEST(a_key_usage_with_only_its_ninth_bit_is_valid)
{
    X509 *certificate = leaf();

    extend(certificate, NID_key_usage, "decipherOnly");
    CHECK_INVALID(certificate, NULL);
}

TEST(a_negative_path_length_is_named)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_basic_constraints, "\x30\x06\x01\x01\xFF\x02\x01\xFF", 8);
    CHECK_INVALID(certificate, "X509v3 Basic Constraints");
}

TEST(proxy_information_beside_an_alternative_name_is_named)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_proxyCertInfo, PROXY_OF_ALL, sizeof PROXY_OF_ALL - 1);
    extend(certificate, NID_subject_alt_name, "DNS:a.example");
    CHECK_INVALID(certificate, "Proxy Certificate Information");
}

TEST(proxy_information_in_a_ca_is_named)
{
    X509 *certificate = leaf();

    extend(certificate, NID_basic_constraints, "CA:TRUE");
    extend_bytes(certificate, NID_proxyCertInfo, PROXY_OF_ALL, sizeof PROXY_OF_ALL - 1);
    CHECK_INVALID(certificate, "Proxy Certificate Information");
}

TEST(an_extension_that_nobody_judges_may_be_broken)
{
    X509 *certificate = leaf();

    extend_bytes(certificate, NID_netscape_comment, "\xFF\xFF", 2);
    CHECK_INVALID(certificate, NULL);
}

TEST(the_name_of_an_extension_is_cut_to_the_buffer)
{
    X509 *certificate = leaf();
    char buffer[7];

    extend_bytes(certificate, NID_key_usage, "\xFF\xFF", 2);
    certificate = sent(certificate);
    CHECK_STR(ldc_invalid_extension(certificate, buffer, sizeof buffer), "X509v3");
    CHECK(ldc_invalid_extension(certificate, buffer, 0) == NULL);
    X509_free(certificate);
}
