/*
 * ldc_tls_deltas.c - delta lists that OpenSSL passes over; see ldc_tls_revocation.h.
 *
 * OpenSSL looks at a delta list (RFC 5280 5.2.4) only beside a complete one, and only if that or
 * the certificate points at it. Whoever puts one into a folder means it to count: a certificate
 * that it names is revoked, unless a complete list that is as new says otherwise.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "ldc_tls_rules.h"

bool ldc_tls_is_delta(const X509_CRL *crl)
{
    return X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0;
}

/* Whether both are about the same part of the issuer's certificates. */
static bool same_scope(const X509_CRL *one, const X509_CRL *other)
{
    int at = X509_CRL_get_ext_by_NID(one, NID_issuing_distribution_point, -1);
    int there = X509_CRL_get_ext_by_NID(other, NID_issuing_distribution_point, -1);
    if (at < 0 || there < 0) {
        return at < 0 && there < 0;
    }
    return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_CRL_get_ext(one, at)),
                                 X509_EXTENSION_get_data(X509_CRL_get_ext(other, there))) == 0;
}

/* Whether the number of `later` is not below that of `delta`. */
static bool as_new(const X509_CRL *later, const X509_CRL *delta)
{
    ASN1_INTEGER *one = X509_CRL_get_ext_d2i(later, NID_crl_number, NULL, NULL);
    ASN1_INTEGER *other = X509_CRL_get_ext_d2i(delta, NID_crl_number, NULL, NULL);
    bool result = one != NULL && other != NULL && ASN1_INTEGER_cmp(one, other) >= 0;
    ASN1_INTEGER_free(one);
    ASN1_INTEGER_free(other);
    return result;
}

static bool is_of(X509_CRL *crl, const X509_NAME *issuer, EVP_PKEY *key)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(crl), issuer) == 0 && X509_CRL_verify(crl, key) == 1;
}

static bool superseded(const ldc_tls_crls *crls, const X509_CRL *delta, const X509_NAME *issuer,
                       EVP_PKEY *key)
{
    bool found = false;
    for (int i = 0; !found && i < sk_X509_CRL_num(crls->lists); i++) {
        X509_CRL *one = sk_X509_CRL_value(crls->lists, i);
        found = !ldc_tls_is_delta(one) && same_scope(one, delta) && as_new(one, delta) &&
                is_of(one, issuer, key);
    }
    return found;
}

static bool revoked(const ldc_tls_crls *crls, X509 *certificate, X509 *issuer)
{
    const X509_NAME *name = X509_get_issuer_name(certificate);
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    bool found = false;
    for (int i = 0; key != NULL && !found && i < sk_X509_CRL_num(crls->lists); i++) {
        X509_CRL *one = sk_X509_CRL_value(crls->lists, i);
        X509_REVOKED *entry = NULL;
        found = ldc_tls_is_delta(one) && X509_CRL_get0_by_cert(one, &entry, certificate) == 1 &&
                is_of(one, name, key) && !superseded(crls, one, name, key);
    }
    ERR_clear_error();
    return found;
}

int ldc_tls_deltas_judge(ldc_tls_link *link, X509_STORE_CTX *store)
{
    const ldc_tls_crls *crls = link->context->crls;
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
    bool all = (X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(store)) &
                X509_V_FLAG_CRL_CHECK_ALL) != 0;
    int count = crls == NULL || !crls->deltas ? 0 : sk_X509_num(chain);
    int answer = 1;
    for (int i = 0; answer == 1 && i < (all ? count : count > 0 ? 1 : 0); i++) {
        X509 *certificate = sk_X509_value(chain, i);
        X509 *issuer = i + 1 < count ? sk_X509_value(chain, i + 1) : certificate;
        bool told = i < 64 && (link->revoked >> i & 1) != 0;
        if (!told && revoked(crls, certificate, issuer)) {
            answer = ldc_tls_complain(store, certificate, i, L_X509_V_ERR_CERT_REVOKED,
                                      "A delta list names it.");
        }
    }
    return answer;
}
