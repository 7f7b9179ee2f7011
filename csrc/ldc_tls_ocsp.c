/*
 * ldc_tls_ocsp.c - judging an OCSP response (RFC 6960): is it about this certificate, from somebody
 * who may say so, in date, and what does it say; see ldc_tls_revocation.h.
 *
 * The bytes come from the peer. Everything is checked in our own library context, never in the
 * host's. Who may answer: the certificate's issuer, or whom the issuer itself has given a
 * certificate with OCSPSigning (4.2.2.2). A nonce is not needed: the answer was not made for us.
 */
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ldc_error.h"
#include "ldc_tls.h"

enum {
    LEAST_BITS = 112,       /* of security, for keys and signatures: OpenSSL's level 2 */
    CLOCK_SECONDS = 300,    /* how much two clocks may differ */
    NO_END_SECONDS = 86400, /* how long an answer without nextUpdate counts */
    RESPONDERS = 8,    /* so many certificates of a response are tried: each costs a signature */
    STATUS_REQUEST = 5 /* RFC 7633: the TLS extension that must be there */
};

static void say(ldc_ocsp_result *result, ldc_ocsp_finding finding, const char *format, ...)
    LDC_PRINTF(3, 4);

static void say(ldc_ocsp_result *result, ldc_ocsp_finding finding, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(result->detail, sizeof result->detail, format, args);
    va_end(args);
    result->finding = finding;
}

/* ---- the certificate ---- */

bool ldc_ocsp_must_staple(X509 *certificate)
{
    int critical = -1;
    STACK_OF(ASN1_INTEGER) *features =
        X509_get_ext_d2i(certificate, NID_tlsfeature, &critical, NULL);
    bool must = features == NULL && critical != -1; /* not readable, or twice: as if it said so */
    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        must = must || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
    }
    sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
    ERR_clear_error();
    return must;
}

/* Who has signed the certificate, told by the signature. */
static X509 *issuer_of(const ldc_ocsp_question *question)
{
    for (size_t list = 0; list < sizeof question->issuers / sizeof question->issuers[0]; list++) {
        for (int i = 0; i < sk_X509_num(question->issuers[list]); i++) {
            X509 *one = sk_X509_value(question->issuers[list], i);
            EVP_PKEY *key = X509_get0_pubkey(one);
            if (key != NULL && X509_check_issued(one, question->leaf) == X509_V_OK &&
                X509_verify(question->leaf, key) == 1) {
                return one;
            }
        }
    }
    return NULL;
}

/* Whether `hash` is the digest of these bytes, by one of the algorithms that are in use. */
static bool hash_is(int algorithm, const void *bytes, size_t size, const ASN1_OCTET_STRING *hash)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (algorithm != NID_sha1 && algorithm != NID_sha256 && algorithm != NID_sha384 &&
        algorithm != NID_sha512) {
        return false;
    }
    EVP_MD *md = EVP_MD_fetch(ldc_tls_library(), OBJ_nid2sn(algorithm), NULL);
    bool same = md != NULL && EVP_Digest(bytes, size, digest, &length, md, NULL) == 1 &&
                ASN1_STRING_length(hash) == (int)length &&
                memcmp(ASN1_STRING_get0_data(hash), digest, length) == 0;
    EVP_MD_free(md);
    return same;
}

static bool key_hash_is(int algorithm, X509 *certificate, const ASN1_OCTET_STRING *hash)
{
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(certificate);
    return bits != NULL &&
           hash_is(algorithm, ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits), hash);
}

/* Whether this answer is about the certificate: number, name and key of its issuer (4.1.1). */
static bool is_about(const OCSP_SINGLERESP *single, const ldc_ocsp_question *question, X509 *issuer)
{
    ASN1_OCTET_STRING *name_hash = NULL;
    ASN1_OCTET_STRING *key_hash = NULL;
    ASN1_OBJECT *algorithm = NULL;
    ASN1_INTEGER *serial = NULL;
    const unsigned char *name = NULL;
    size_t size = 0;
    OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);
    if (OCSP_id_get0_info(&name_hash, &algorithm, &key_hash, &serial, id) != 1 ||
        ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(question->leaf)) != 0 ||
        X509_NAME_get0_der(X509_get_issuer_name(question->leaf), &name, &size) != 1) {
        return false;
    }
    int nid = OBJ_obj2nid(algorithm);
    return hash_is(nid, name, size, name_hash) &&
           (issuer == NULL || key_hash_is(nid, issuer, key_hash));
}

/* ---- who has signed ---- */

/* The hash of a signature; the security level would refuse SHA-1 and MD5 in certificates, too. */
static bool strong_signature(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;
    int hash = NID_undef;
    int key = NID_undef;
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    int nid = OBJ_obj2nid(object);
    if (nid == NID_rsassaPss) {
        RSA_PSS_PARAMS *pss =
            ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
        if (pss != NULL && pss->hashAlgorithm != NULL) {
            X509_ALGOR_get0(&object, NULL, NULL, pss->hashAlgorithm);
            hash = OBJ_obj2nid(object);
        }
        RSA_PSS_PARAMS_free(pss);
    } else if (OBJ_find_sigid_algs(nid, &hash, &key) != 1) {
        return false;
    } else if (hash == NID_undef) {
        return true; /* Ed25519 and its like */
    }
    const EVP_MD *digest = hash == NID_undef ? NULL : EVP_get_digestbynid(hash);
    return digest != NULL && EVP_MD_get_size(digest) * 4 >= LEAST_BITS;
}

static bool signed_by(const OCSP_BASICRESP *basic, X509 *signer)
{
    EVP_PKEY *key = X509_get0_pubkey(signer);
    return key != NULL &&
           ASN1_item_verify_ex(ASN1_ITEM_rptr(OCSP_RESPDATA), OCSP_resp_get0_tbs_sigalg(basic),
                               OCSP_resp_get0_signature(basic), OCSP_resp_get0_respdata(basic),
                               NULL, key, ldc_tls_library(), NULL) == 1;
}

static bool is_responder(const OCSP_BASICRESP *basic, X509 *certificate)
{
    const ASN1_OCTET_STRING *key_hash = NULL;
    const X509_NAME *name = NULL;
    if (OCSP_resp_get0_id(basic, &key_hash, &name) != 1) {
        return false;
    }
    return name != NULL ? X509_NAME_cmp(name, X509_get_subject_name(certificate)) == 0
                        : key_hash_is(NID_sha1, certificate, key_hash);
}

static bool named_in_list(const ldc_tls_crls *crls, X509 *certificate, X509 *issuer)
{
    STACK_OF(X509_CRL) *lists = crls == NULL ? NULL : crls->lists;
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        X509_CRL *crl = sk_X509_CRL_value(lists, i);
        X509_REVOKED *entry = NULL;
        if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) == 0 &&
            X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1 &&
            X509_CRL_get0_by_cert(crl, &entry, certificate) == 1) {
            return true;
        }
    }
    return false;
}

/* What speaks against a delegated responder; NULL = nothing. */
static const char *fault_of(X509 *responder, X509 *issuer, const ldc_tls_crls *crls)
{
    int bits = 0;
    EVP_PKEY *key = X509_get0_pubkey(responder);
    uint32_t flags = X509_get_extension_flags(responder);
    if (X509_check_issued(issuer, responder) != X509_V_OK ||
        X509_verify(responder, X509_get0_pubkey(issuer)) != 1) {
        return "was not issued by the certificate's own issuer";
    }
    if ((flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0) {
        return "has an extension that is invalid, or unknown and critical";
    }
    if ((flags & EXFLAG_XKUSAGE) == 0 ||
        (X509_get_extended_key_usage(responder) & XKU_OCSP_SIGN) == 0) {
        return "lacks extended key usage OCSPSigning";
    }
    if ((X509_get_key_usage(responder) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0) {
        return "lacks key usage digitalSignature";
    }
    if (X509_cmp_current_time(X509_get0_notBefore(responder)) >= 0 ||
        X509_cmp_current_time(X509_get0_notAfter(responder)) <= 0) {
        return "is not in date";
    }
    if (key == NULL || EVP_PKEY_get_security_bits(key) < LEAST_BITS ||
        X509_get_signature_info(responder, NULL, NULL, &bits, NULL) != 1 || bits < LEAST_BITS) {
        return "has a key or signature that is too weak";
    }
    if (X509_get_ext_by_NID(responder, NID_id_pkix_OCSP_noCheck, -1) < 0 &&
        named_in_list(crls, responder, issuer)) {
        return "has been revoked";
    }
    return NULL;
}

/* A copy that lives in our library context. */
static X509 *adopt(const X509 *certificate)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    const unsigned char *at = der;
    X509 *copy = size <= 0 ? NULL : X509_new_ex(ldc_tls_library(), NULL);
    if (copy != NULL && d2i_X509(&copy, &at, size) == NULL) {
        copy = NULL; /* freed */
    }
    OPENSSL_free(der);
    return copy;
}

static bool check_signer(const OCSP_BASICRESP *basic, const ldc_ocsp_question *question,
                         X509 *issuer, ldc_ocsp_result *result)
{
    if (!strong_signature(OCSP_resp_get0_tbs_sigalg(basic))) {
        say(result, LDC_OCSP_BAD, "%s", "it is signed with a hash that is too weak");
        return false;
    }
    if (is_responder(basic, issuer) && signed_by(basic, issuer)) {
        return true;
    }
    const STACK_OF(X509) *sent = OCSP_resp_get0_certs(basic);
    say(result, LDC_OCSP_BAD, "%s", "its signature is not that of the certificate's issuer");
    for (int i = 0; i < sk_X509_num(sent) && i < RESPONDERS; i++) {
        X509 *responder = adopt(sk_X509_value(sent, i));
        const char *fault = NULL;
        bool signer =
            responder != NULL && is_responder(basic, responder) && signed_by(basic, responder);
        if (signer) {
            fault = fault_of(responder, issuer, question->crls);
        }
        X509_free(responder);
        if (signer && fault == NULL) {
            result->detail[0] = '\0';
            result->finding = LDC_OCSP_NOT_ASKED;
            return true;
        }
        if (signer) {
            say(result, LDC_OCSP_BAD, "the responder's certificate %s", fault);
        }
    }
    return false;
}

/* ---- what it says ---- */

static bool has_critical(const OCSP_BASICRESP *basic, const OCSP_SINGLERESP *single)
{
    OCSP_BASICRESP *all = (OCSP_BASICRESP *)(uintptr_t)basic;
    OCSP_SINGLERESP *one = (OCSP_SINGLERESP *)(uintptr_t)single;
    for (int i = 0; i < OCSP_BASICRESP_get_ext_count(all); i++) {
        X509_EXTENSION *extension = OCSP_BASICRESP_get_ext(all, i);
        if (X509_EXTENSION_get_critical(extension) == 1 &&
            OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_id_pkix_OCSP_Nonce) {
            return true;
        }
    }
    for (int i = 0; i < OCSP_SINGLERESP_get_ext_count(one); i++) {
        if (X509_EXTENSION_get_critical(OCSP_SINGLERESP_get_ext(one, i)) == 1) {
            return true;
        }
    }
    return false;
}

/* One answer about the certificate; the worst of several counts. */
static void take_single(OCSP_SINGLERESP *single, int64_t now, ldc_ocsp_result *result)
{
    int reason = -1;
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
    int status = OCSP_single_get0_status(single, &reason, &revoked, &from, &until);
    int64_t begin = ldc_tls_time(from, INT64_MAX);
    int64_t end = until != NULL           ? ldc_tls_time(until, INT64_MIN)
                  : begin < INT64_MAX / 2 ? begin + NO_END_SECONDS
                                          : INT64_MIN;
    if (status == V_OCSP_CERTSTATUS_REVOKED) { /* there is no way back: dates do not matter */
        char when[32] = "";
        struct tm parts;
        if (revoked != NULL && ASN1_TIME_to_tm(revoked, &parts) == 1) {
            (void)strftime(when, sizeof when, " on %Y-%m-%d", &parts);
        }
        say(result, LDC_OCSP_REVOKED, "revoked%s%s%s", when, reason >= 0 ? ", reason " : "",
            reason >= 0 ? OCSP_crl_reason_str(reason) : "");
        return;
    }
    if (begin > now + CLOCK_SECONDS || end < now - CLOCK_SECONDS) {
        say(result, LDC_OCSP_BAD, "%s",
            end < now - CLOCK_SECONDS ? "it is out of date" : "it is not yet valid");
        return;
    }
    if (status != V_OCSP_CERTSTATUS_GOOD) {
        say(result, LDC_OCSP_UNKNOWN, "%s", "the OCSP responder does not know the certificate");
        return;
    }
    result->finding = LDC_OCSP_GOOD;
    result->until = end < result->until ? end : result->until;
}

static int worse(ldc_ocsp_finding finding)
{
    static const int rank[] = {
        [LDC_OCSP_NOT_ASKED] = 0, [LDC_OCSP_MISSING] = 0, [LDC_OCSP_GOOD] = 1,
        [LDC_OCSP_UNKNOWN] = 2,   [LDC_OCSP_BAD] = 3,     [LDC_OCSP_REVOKED] = 4};
    return rank[finding];
}

static void judge_basic(OCSP_BASICRESP *basic, const ldc_ocsp_question *question,
                        ldc_ocsp_result *result)
{
    X509 *issuer = issuer_of(question);
    int64_t now = (int64_t)time(NULL);
    int about = 0;
    if (issuer == NULL && !question->own) {
        say(result, LDC_OCSP_BAD, "%s",
            "the certificate's issuer is not at hand, so nobody can say who may answer for it");
        return;
    }
    if (issuer != NULL && !check_signer(basic, question, issuer, result)) {
        return;
    }
    result->until = INT64_MAX;
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        ldc_ocsp_result one = {.until = result->until};
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (!is_about(single, question, issuer)) {
            continue;
        }
        about++;
        if (has_critical(basic, single)) {
            say(&one, LDC_OCSP_BAD, "%s", "it has a critical extension that is unknown");
        } else {
            take_single(single, now, &one);
        }
        if (worse(one.finding) >= worse(result->finding)) {
            *result = one;
        }
    }
    if (about == 0) {
        say(result, LDC_OCSP_BAD, "%s", "it is about another certificate");
    }
}

void ldc_ocsp_judge(const unsigned char *der, size_t size, const ldc_ocsp_question *question,
                    ldc_ocsp_result *result)
{
    const unsigned char *at = der;
    *result = (ldc_ocsp_result){.finding = LDC_OCSP_MISSING};
    if (der == NULL || size == 0) {
        return;
    }
    ERR_clear_error();
    OCSP_RESPONSE *response =
        size > LDC_FILE_LIMIT ? NULL : d2i_OCSP_RESPONSE(NULL, &at, (long)size);
    if (response == NULL || at != der + size) {
        say(result, LDC_OCSP_BAD, "%s", "it is no OCSP response");
    } else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        say(result, LDC_OCSP_MISSING, "the OCSP responder answered \"%s\"",
            OCSP_response_status_str(OCSP_response_status(response)));
    } else {
        OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
        if (basic == NULL) {
            say(result, LDC_OCSP_BAD, "%s", "it is of a kind that is unknown");
        } else {
            judge_basic(basic, question, result);
        }
        OCSP_BASICRESP_free(basic);
    }
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
}
