/*
 * ldc_tls_suites.c - the versions and cipher suites of a context, made of method, options and the
 * net's list.
 */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_tables.h"
#include "ldc_tls_inner.h"

enum {
    LIST_SIZE = 4096
};

/* ---- versions ---- */

/* The range of method and options, or that of the profile, of which the methods for one version
 * leave that one. */
static ldc_tls_versions range_of(const ldc_tls_settings *settings, const ldc_tls_profile *profile)
{
    ldc_tls_versions range = {.lowest = TLS1_2_VERSION, .highest = TLS1_3_VERSION};
    switch (settings->method) {
    case TYPE_TLSV1_METHOD:
        range.lowest = TLS1_VERSION;
        break;
    case TYPE_TLSV1_2_METHOD:
        range.highest = TLS1_2_VERSION;
        break;
    case TYPE_TLSV1_3_METHOD:
        range.lowest = TLS1_3_VERSION;
        break;
    default: /* SslV23, and SslV2 and SslV3, whose protocols are gone */
        break;
    }
    if ((settings->options & DICOM_SSL_OP_ALLOW_TLS_V1_1) != 0 && range.lowest > TLS1_1_VERSION) {
        range.lowest = TLS1_1_VERSION;
    }
    /* With 1.0 comes 1.1: OpenSSL's clients know no gaps. A version that is switched off brings
     * none. */
    if ((settings->options & DICOM_SSL_OP_ALLOW_TLS_V1) != 0 &&
        (settings->options & DICOM_SSL_OP_NO_TLS_V1) == 0) {
        range.lowest = TLS1_VERSION;
    }
    if (profile != NULL) {
        bool only =
            settings->method == TYPE_TLSV1_2_METHOD || settings->method == TYPE_TLSV1_3_METHOD;
        int version = settings->method == TYPE_TLSV1_2_METHOD ? TLS1_2_VERSION : TLS1_3_VERSION;
        range.lowest = only && version > profile->lowest ? version : profile->lowest;
        range.highest = only && version < profile->highest ? version : profile->highest;
    }
    return range;
}

static ldc_tls_versions versions_of(const ldc_tls_settings *settings,
                                    const ldc_tls_profile *profile)
{
    ldc_tls_versions range = range_of(settings, profile);
    const struct {
        int option;
        uint64_t flag;
    } offs[] = {{DICOM_SSL_OP_NO_TLS_V1, SSL_OP_NO_TLSv1},
                {DICOM_SSL_OP_NO_TLS_V1_1, SSL_OP_NO_TLSv1_1},
                {DICOM_SSL_OP_NO_TLS_V1_2, SSL_OP_NO_TLSv1_2},
                {DICOM_SSL_OP_NO_TLS_V1_3, SSL_OP_NO_TLSv1_3}};
    for (size_t i = 0; i < sizeof offs / sizeof offs[0]; i++) {
        if ((settings->options & offs[i].option) != 0) {
            range.switched_off |= offs[i].flag;
        }
    }
    range.legacy =
        (range.lowest <= TLS1_VERSION && (range.switched_off & SSL_OP_NO_TLSv1) == 0) ||
        (range.lowest <= TLS1_1_VERSION && (range.switched_off & SSL_OP_NO_TLSv1_1) == 0);
    return range;
}

static bool version_possible(const ldc_tls_versions *range, int version, uint64_t off)
{
    return range->lowest <= version && version <= range->highest &&
           (range->switched_off & off) == 0;
}

int ldc_tls_apply_versions(SSL_CTX *ctx, const ldc_tls_settings *settings,
                           const ldc_tls_profile *profile, ldc_tls_versions *range,
                           ldc_tls_notes *notes)
{
    *range = versions_of(settings, profile);
    if (!version_possible(range, TLS1_VERSION, SSL_OP_NO_TLSv1) &&
        !version_possible(range, TLS1_1_VERSION, SSL_OP_NO_TLSv1_1) &&
        !version_possible(range, TLS1_2_VERSION, SSL_OP_NO_TLSv1_2) &&
        !version_possible(range, TLS1_3_VERSION, SSL_OP_NO_TLSv1_3)) {
        return ldc_error(
            DICOM_ERROR_TLS_NO_SHARED_VERSION,
            "method%s%s and options together switch every TLS version off. Leave one of NoTlsV1_2, NoTlsV1_3 away.",
            profile == NULL ? "" : ", profile ", profile == NULL ? "" : profile->name);
    }
    if (settings->method == TYPE_SSLV2_METHOD || settings->method == TYPE_SSLV3_METHOD) {
        ldc_tls_note(notes,
                     "the method asks for SSL %d, which no longer exists: TLS 1.2 and 1.3 are used",
                     settings->method == TYPE_SSLV2_METHOD ? 2 : 3);
    }
    if (range->legacy) {
        ldc_tls_note(
            notes, "%s",
            "TLS 1.0 or 1.1 is allowed: OpenSSL's security level is 0 for the protocol (certificates are still judged "
            "at level 2)");
    }
    SSL_CTX_set_security_level(ctx, range->legacy ? 0 : LDC_SECURITY_LEVEL);
    /* What the host's configuration may have set before we came. */
    SSL_CTX_clear_options(ctx, SSL_CTX_get_options(ctx));
    (void)SSL_CTX_clear_cert_flags(ctx, SSL_CERT_FLAG_TLS_STRICT | SSL_CERT_FLAG_SUITEB_128_LOS |
                                            SSL_CERT_FLAG_BROKEN_PROTOCOL);
    /* Without a profile the client's order counts, as ported programs expect; with one that of the
     * profile does: RFC 9325, 4.2.1, wants servers to prefer the best suite in common. */
    uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                       SSL_OP_ENABLE_MIDDLEBOX_COMPAT | range->switched_off;
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
    /* RFC 8879 (OpenSSL 3.2): the length before decompression is the peer's word, and
     * SSL_CTX_set_max_cert_list has no say. Chains of a few KiB are not worth that. */
    options |= SSL_OP_NO_RX_CERTIFICATE_COMPRESSION | SSL_OP_NO_TX_CERTIFICATE_COMPRESSION;
#endif
    if (profile != NULL) {
        options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
    }
    if ((settings->options & DICOM_SSL_OP_ALL_BUG_WORKAROUNDS) != 0) {
        options |= SSL_OP_ALL & ~(uint64_t)SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS;
    }
    SSL_CTX_set_options(ctx, options);
    return DICOM_SUCCESS;
}

/* ---- suites ---- */

typedef struct suite_lists {
    char tls13[LIST_SIZE], tls12[LIST_SIZE];
    bool any13, any12; /* a member of the list, usable or not */
} suite_lists;

typedef struct usable_suites { /* suites of these versions are left */
    bool tls13, tls12;
} usable_suites;

static void append(char *list, const char *name)
{
    size_t used = strlen(list);
    if (used + strlen(name) + 2 < LIST_SIZE) {
        snprintf(list + used, LIST_SIZE - used, "%s%s", used > 0 ? ":" : "", name);
    }
}

static void split_list(const ldc_tls_choice *choice, ldc_tls_notes *notes, suite_lists *lists)
{
    memset(lists, 0, sizeof *lists);
    for (size_t i = 0; i < LDC_CIPHER_SLOTS; i++) {
        uint32_t id = choice->ciphers[i];
        bool repeated = false;
        for (size_t j = 0; j < i; j++) {
            repeated = repeated || choice->ciphers[j] == id;
        }
        if (id == DICOM_TLS_NONE || repeated) {
            continue;
        }
        const ldc_suite *suite = ldc_suite_find(id);
        if (suite == NULL) {
            ldc_tls_note(notes, "cipher suite 0x%04X is unknown and skipped", id);
            continue;
        }
        lists->any13 = lists->any13 || suite->tls13;
        lists->any12 = lists->any12 || !suite->tls13;
        if (!ldc_tls_suite_available(id)) {
            ldc_tls_note(notes, "cipher suite %s is not in this OpenSSL (%s) and skipped",
                         suite->iana, OpenSSL_version(OPENSSL_VERSION));
            continue;
        }
        append(suite->tls13 ? lists->tls13 : lists->tls12, suite->openssl);
    }
}

/* What is left that a handshake can use; warns of what the security level takes away. */
static usable_suites usable(SSL_CTX *ctx, const ldc_tls_choice *choice,
                            const ldc_tls_versions *range, int lowest, int highest,
                            ldc_tls_notes *notes)
{
    bool has13 = highest >= TLS1_3_VERSION && (range->switched_off & SSL_OP_NO_TLSv1_3) == 0;
    bool has12 = lowest <= TLS1_2_VERSION &&
                 !(lowest == TLS1_2_VERSION && (range->switched_off & SSL_OP_NO_TLSv1_2) != 0);
    usable_suites result = {false, false};
    SSL *ssl = SSL_new(ctx);
    STACK_OF(SSL_CIPHER) *supported = ssl == NULL ? NULL : SSL_get1_supported_ciphers(ssl);
    int count = sk_SSL_CIPHER_num(supported);
    for (size_t i = 0; i < LDC_CIPHER_SLOTS; i++) {
        const ldc_suite *suite = ldc_suite_find(choice->ciphers[i]);
        /* Suites of versions that are off are no surprise. */
        if (suite == NULL || !ldc_tls_suite_available(suite->id) ||
            !(suite->tls13 ? has13 : has12)) {
            continue;
        }
        bool found = false;
        for (int j = 0; !found && j < count; j++) {
            found = SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(supported, j)) == suite->id;
        }
        if (found) {
            result.tls13 = result.tls13 || suite->tls13;
            result.tls12 = result.tls12 || !suite->tls13;
        } else {
            ldc_tls_note(
                notes, "cipher suite %s is too weak for OpenSSL's security level %d and is skipped",
                suite->iana, SSL_CTX_get_security_level(ctx));
        }
    }
    sk_SSL_CIPHER_free(supported);
    SSL_free(ssl);
    return result;
}

static bool set_range(SSL_CTX *ctx, int lowest, int highest)
{
    return lowest <= highest && SSL_CTX_set_min_proto_version(ctx, lowest) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, highest) == 1;
}

int ldc_tls_apply_suites(SSL_CTX *ctx, const ldc_tls_choice *choice, const ldc_tls_versions *range,
                         ldc_tls_notes *notes)
{
    suite_lists *lists = malloc(sizeof *lists);
    int rc = DICOM_SUCCESS;
    if (lists == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "cipher list");
    }
    split_list(choice, notes, lists);
    int lowest = range->lowest;
    int highest = range->highest;
    if (!lists->any13 && highest > TLS1_2_VERSION) {
        highest = TLS1_2_VERSION;
    }
    if (!lists->any12 && lowest < TLS1_3_VERSION) {
        lowest = TLS1_3_VERSION;
    }
    /* An empty list is refused by OpenSSL below 1.3; when 1.3 alone is left the old list does not
     * matter. */
    bool set12 = lists->tls12[0] != '\0' && SSL_CTX_set_cipher_list(ctx, lists->tls12) == 1;
    bool set13 = SSL_CTX_set_ciphersuites(ctx, lists->tls13) == 1 && lists->tls13[0] != '\0';
    if (!set12 && lowest < TLS1_3_VERSION) {
        lowest = TLS1_3_VERSION;
    }
    if (!set13 && highest > TLS1_2_VERSION) {
        highest = TLS1_2_VERSION;
    }
    bool done = (set12 || set13) && set_range(ctx, lowest, highest);
    usable_suites left = {false, false};
    if (done) {
        left = usable(ctx, choice, range, lowest, highest, notes);
        done = left.tls12 || left.tls13;
    }
    /* A version without a suite must not be offered: the peer would choose it. */
    if (done && !left.tls13 && highest > TLS1_2_VERSION) {
        highest = TLS1_2_VERSION;
        done = set_range(ctx, lowest, highest);
    }
    if (done && !left.tls12 && lowest < TLS1_3_VERSION) {
        done = set_range(ctx, TLS1_3_VERSION, highest);
    }
    if (!done) {
        rc = ldc_error(
            DICOM_ERROR_TLS_NO_CIPHER_SUITE,
            "no entry of the list works with %s and the TLS versions allowed. Add for example "
            "EcdheRsaWithAes256GcmSha384 (TLS 1.2) or Aes256GcmSha384 (TLS 1.3) with SetTlsCipherSuiteByIndex.",
            OpenSSL_version(OPENSSL_VERSION));
    }
    ERR_clear_error();
    free(lists);
    return rc;
}
