/*
 * test_tls_ocsp.c - judging OCSP responses: what is good, and that nothing else is, whatever the
 * bytes are.
 */
#include <fcntl.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ldc_tls.h"
#include "net_fixture.h"

typedef struct scene {
    EVP_PKEY *ca_key, *leaf_key;
    X509 *ca, *leaf;
    STACK_OF(X509) * chain;
} scene;

static scene scene_new(void)
{
    CHECK_INT(ldc_tls_library_start(), 0);
    scene s = {.ca_key = EVP_EC_gen("P-256"), .leaf_key = EVP_EC_gen("P-256")};
    s.ca = make_certificate("Unit Root", s.ca_key, NULL, s.ca_key, true, NULL, 30);
    s.leaf = make_certificate("Unit Leaf", s.leaf_key, s.ca, s.ca_key, false, "serverAuth", 10);
    s.chain = sk_X509_new_null();
    sk_X509_push(s.chain, s.ca);
    return s;
}

static void scene_free(scene *s)
{
    sk_X509_free(s->chain);
    X509_free(s->ca);
    X509_free(s->leaf);
    EVP_PKEY_free(s->ca_key);
    EVP_PKEY_free(s->leaf_key);
}

static OCSP_SINGLERESP *add(OCSP_BASICRESP *basic, const scene *s, int status, long from,
                            long until)
{
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), s->leaf, s->ca);
    ASN1_TIME *begin = X509_gmtime_adj(NULL, from);
    ASN1_TIME *end = X509_gmtime_adj(NULL, until);
    ASN1_TIME *gone = status == V_OCSP_CERTSTATUS_REVOKED ? X509_gmtime_adj(NULL, from) : NULL;
    OCSP_SINGLERESP *single = OCSP_basic_add1_status(
        basic, id, status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, gone, begin, end);
    CHECK(single != NULL);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    ASN1_TIME_free(gone);
    OCSP_CERTID_free(id);
    return single;
}

/* Signs and encodes; frees basic. */
static unsigned char *encode(OCSP_BASICRESP *basic, const scene *s, int *size)
{
    unsigned char *der = NULL;
    CHECK_INT(OCSP_basic_sign(basic, s->ca, s->ca_key, EVP_sha256(), NULL,
                              OCSP_NOCERTS | OCSP_RESPID_KEY),
              1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    *size = i2d_OCSP_RESPONSE(response, &der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    return der;
}

static ldc_ocsp_finding judge(const scene *s, const unsigned char *der, size_t size)
{
    ldc_ocsp_result result;
    ldc_ocsp_question question = {.leaf = s->leaf, .issuers = {s->chain, NULL}};
    ldc_ocsp_judge(der, size, &question, &result);
    CHECK(memchr(result.detail, '\0', sizeof result.detail) != NULL);
    return result.finding;
}

static ldc_ocsp_finding judge_one(const scene *s, OCSP_BASICRESP *basic)
{
    int size;
    unsigned char *der = encode(basic, s, &size);
    ldc_ocsp_finding finding = judge(s, der, (size_t)size);
    OPENSSL_free(der);
    return finding;
}

TEST(what_the_issuer_says_counts_while_it_is_in_date)
{
    static const struct {
        int status;
        long from, until;
        ldc_ocsp_finding finding;
    } cases[] = {
        {V_OCSP_CERTSTATUS_GOOD, -60, 60, LDC_OCSP_GOOD},
        {V_OCSP_CERTSTATUS_GOOD, 200, 600, LDC_OCSP_GOOD},
        {V_OCSP_CERTSTATUS_GOOD, -600, -200, LDC_OCSP_GOOD},
        {V_OCSP_CERTSTATUS_GOOD, 400, 600, LDC_OCSP_BAD},
        {V_OCSP_CERTSTATUS_GOOD, -600, -400, LDC_OCSP_BAD},
        {V_OCSP_CERTSTATUS_UNKNOWN, -60, 60, LDC_OCSP_UNKNOWN},
        {V_OCSP_CERTSTATUS_UNKNOWN, -600, -400, LDC_OCSP_BAD},
        {V_OCSP_CERTSTATUS_REVOKED, -60, 60, LDC_OCSP_REVOKED},
        {V_OCSP_CERTSTATUS_REVOKED, -600, -400, LDC_OCSP_REVOKED},
    };
    scene s = scene_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
        add(basic, &s, cases[i].status, cases[i].from, cases[i].until);
        CHECK_INT(judge_one(&s, basic), cases[i].finding);
    }
    scene_free(&s);
}

TEST(of_several_answers_the_worst_counts_in_any_order)
{
    scene s = scene_new();
    for (int first = 0; first < 2; first++) {
        OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
        add(basic, &s, first ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD, -60, 60);
        add(basic, &s, first ? V_OCSP_CERTSTATUS_GOOD : V_OCSP_CERTSTATUS_REVOKED, -60, 60);
        CHECK_INT(judge_one(&s, basic), LDC_OCSP_REVOKED);
    }
    scene_free(&s);
}

TEST(a_critical_extension_that_is_unknown_is_not_passed_over)
{
    scene s = scene_new();
    for (int where = 0; where < 3; where++) {
        OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
        OCSP_SINGLERESP *single = add(basic, &s, V_OCSP_CERTSTATUS_GOOD, -60, 60);
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2);
        X509_EXTENSION *extension =
            X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_archiveCutoff, where != 2, value);
        CHECK_INT(where == 0 ? OCSP_BASICRESP_add_ext(basic, extension, -1)
                             : OCSP_SINGLERESP_add_ext(single, extension, -1),
                  1);
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
        CHECK_INT(judge_one(&s, basic), where == 2 ? LDC_OCSP_GOOD : LDC_OCSP_BAD);
    }
    scene_free(&s);
}

/* BER has more than one way to write the same: OpenSSL reads them all, the signature is over DER.
 */
static bool same_in_der(const unsigned char *changed, const unsigned char *der, int size)
{
    const unsigned char *at = changed;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, size);
    OCSP_BASICRESP *basic = response == NULL ? NULL : OCSP_response_get1_basic(response);
    OCSP_RESPONSE *again =
        basic == NULL ? NULL : OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *encoded = NULL;
    int length = again == NULL ? 0 : i2d_OCSP_RESPONSE(again, &encoded);
    bool same = length == size && memcmp(encoded, der, (size_t)size) == 0;
    OPENSSL_free(encoded);
    OCSP_RESPONSE_free(again);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return same;
}

TEST(no_changed_or_cut_response_is_good)
{
    scene s = scene_new();
    int size;
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    add(basic, &s, V_OCSP_CERTSTATUS_GOOD, -60, 600);
    unsigned char *der = encode(basic, &s, &size);
    CHECK_INT(judge(&s, der, (size_t)size), LDC_OCSP_GOOD);
    unsigned char *changed = malloc((size_t)size + 1);
    for (int i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(changed, der, (size_t)size);
            changed[i] ^= (unsigned char)(1 << bit);
            ldc_ocsp_finding finding = judge(&s, changed, (size_t)size);
            if (!CHECK(finding == LDC_OCSP_BAD || finding == LDC_OCSP_MISSING ||
                       same_in_der(changed, der, size))) {
                printf("byte %d, bit %d: %d\n", i, bit, (int)finding);
            }
        }
        unsigned char *cut = malloc((size_t)i + 1); /* for ASan: nothing behind it */
        memcpy(cut, der, (size_t)i);
        CHECK_INT(judge(&s, cut, (size_t)i), i == 0 ? LDC_OCSP_MISSING : LDC_OCSP_BAD);
        free(cut);
    }
    memcpy(changed, der, (size_t)size);
    changed[size] = 0;
    CHECK_INT(judge(&s, changed, (size_t)size + 1), LDC_OCSP_BAD);
    CHECK_INT(judge(&s, NULL, 0), LDC_OCSP_MISSING);
    free(changed);
    OPENSSL_free(der);
    scene_free(&s);
}

TEST(without_the_issuer_nobody_else_is_believed)
{
    scene s = scene_new();
    ldc_ocsp_result result;
    int size;
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    add(basic, &s, V_OCSP_CERTSTATUS_GOOD, -60, 600);
    unsigned char *der = encode(basic, &s, &size);
    ldc_ocsp_question question = {.leaf = s.leaf};
    ldc_ocsp_judge(der, (size_t)size, &question, &result);
    CHECK_INT(result.finding, LDC_OCSP_BAD);
    question.own = true; /* what a server with no chain at hand can know */
    ldc_ocsp_judge(der, (size_t)size, &question, &result);
    CHECK_INT(result.finding, LDC_OCSP_GOOD);
    question.leaf = s.ca;
    ldc_ocsp_judge(der, (size_t)size, &question, &result);
    CHECK_INT(result.finding, LDC_OCSP_BAD);
    OPENSSL_free(der);
    scene_free(&s);
}

TEST(the_feature_that_makes_a_staple_necessary_is_seen)
{
    static const struct {
        const char *value; /* DER of the extension */
        size_t size;
        bool must;
    } cases[] = {{"\x30\x03\x02\x01\x05", 5, true},
                 {"\x30\x03\x02\x01\x11", 5, false},
                 {"\x30\x06\x02\x01\x11\x02\x01\x05", 8, true},
                 {"\x30\x00", 2, false},
                 {"\x05\x00", 2, true},
                 {"\x30\x03\x02\x01", 4, true}};
    scene s = scene_new();
    CHECK(!ldc_ocsp_must_staple(s.leaf));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509 *copy = X509_dup(s.leaf);
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(value, (const unsigned char *)cases[i].value, (int)cases[i].size);
        X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_tlsfeature, 0, value);
        X509_add_ext(copy, extension, -1);
        CHECK_INT(ldc_ocsp_must_staple(copy), cases[i].must);
        X509_add_ext(copy, extension, -1); /* twice: whatever it says */
        CHECK(ldc_ocsp_must_staple(copy));
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
        X509_free(copy);
    }
    scene_free(&s);
}

/* ---- served with a certificate that is chosen by name ---- */

static void write_staple(const scene *s, long until, const char *file)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    add(basic, s, V_OCSP_CERTSTATUS_GOOD, -600, until);
    int size;
    unsigned char *der = encode(basic, s, &size);
    FILE *stream = fopen(file, "wb");
    CHECK(stream != NULL && fwrite(der, 1, (size_t)size, stream) == (size_t)size);
    CHECK(stream != NULL && fclose(stream) == 0);
    OPENSSL_free(der);
}

TEST(an_added_certificate_takes_its_own_staple_and_no_other)
{
    scene s = scene_new();
    char file[] = "/tmp/ltdic-staple-XXXXXX";
    int fd = mkstemp(file);
    CHECK(fd >= 0 && close(fd) == 0);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, s.leaf);
    PEM_write_bio_X509(bio, s.ca);
    PEM_write_bio_PrivateKey(bio, s.leaf_key, NULL, NULL, 0, NULL, NULL);
    char *pem = bio_text(bio);
    recorder *one = recorder_new(NULL, NULL, L_SSL_VERIFY_NONE, TYPE_SSLV23_METHOD);
    DICOMTLSCERTIFICATE given = {.uStructSize = sizeof given - 1,
                                 .pCert = (const L_UCHAR *)pem,
                                 .nCert = (L_UINT)strlen(pem),
                                 .nCertType = DICOM_TLS_CERTIFICATE_PEM,
                                 .pszNames = "a.test",
                                 .pszStapleFile = file};
    CHECK_INT(L_DicomAddCertificateExTLS(one->net, &given), DICOM_ERROR_PARAMETER);
    CHECK_INT(L_DicomAddCertificateExTLS(one->net, NULL), DICOM_ERROR_PARAMETER);
    given.uStructSize = sizeof given;
    CHECK_INT(L_DicomAddCertificateExTLS(one->net, &given), DICOM_ERROR_FILE_ACCESS); /* empty */
    write_staple(&s, -400, file);
    CHECK_INT(L_DicomAddCertificateExTLS(one->net, &given), DICOM_ERROR_FILE_ACCESS);
    scene other = scene_new();
    write_staple(&other, 600, file);
    CHECK_INT(L_DicomAddCertificateExTLS(one->net, &given), DICOM_ERROR_FILE_ACCESS);
    CHECK_INT((long long)ldc_cache_count(LDC_CACHE_CREDENTIALS), 0); /* none was kept */
    write_staple(&s, 600, file);
    CHECK_INT(L_DicomAddCertificateExTLS(one->net, &given), 0);
    given.pszStapleFile = NULL;
    CHECK_INT(L_DicomAddCertificateExTLS(one->net, &given), 0);
    CHECK_INT(L_DicomClearCertificatesTLS(one->net), 0);
    CHECK_INT(unlink(file), 0);
    recorder_free(one);
    free(pem);
    scene_free(&other);
    scene_free(&s);
}
