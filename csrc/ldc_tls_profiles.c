/* ldc_tls_profiles.c - see ldc_tls_profiles.h. */
#include "ldc_tls_profiles.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ldc_error.h"
#include "ldc_tables.h"
#include "ldc_text.h"
#include "ldc_tls.h"
#include "ldc_tls_rules.h"

enum {
    MUST = DICOM_TLS_PROFILE_SUITE_REQUIRED,
    MAY = DICOM_TLS_PROFILE_SUITE_IF_THERE,
    ASK = DICOM_TLS_PROFILE_SUITE_ON_REQUEST,
    MODERN_LEVEL = 2,
    NAME_SIZE = 32
};

/* Keys of the profiles that go back to BCP 195. Those before it have no forward secrecy: their
 * sessions are not resumed, as their keys would last all the longer. Renegotiation is for none. */
#define BCP195_MINIMA .rsa_bits = 2048, .ec_bits = 256, .dh_bits = 2048, .hash_bits = 256

const ldc_tls_profile ldc_tls_profiles[] = {
    {
        .name = "B.12",
        .aliases = "bcp195_rfc8996_9325",
        .title = "PS3.15 B.12, BCP 195 (RFC 8996, RFC 9325)",
        .lowest = TLS1_2_VERSION,
        .highest = TLS1_3_VERSION,
        .suites = {0x1302, 0x1301, 0x1303, 0xC02C, 0xC030, 0xC02B, 0xC02F},
        .uses = {MUST, MUST, MUST, MUST, MUST, MUST, MUST},
        .hybrid = true,
        .groups = LDC_TLS_GROUPS,
        .signatures = LDC_TLS_SIGNATURES,
        .resumption = true,
        BCP195_MINIMA,
    },
    {
        .name = "B.13",
        .aliases = "modified_bcp195_rfc8996_9325",
        .title = "PS3.15 B.13, modified BCP 195 (RFC 8996, RFC 9325)",
        .lowest = TLS1_2_VERSION,
        .highest = TLS1_3_VERSION,
        .suites = {0x1302, 0x1303, 0x1301, 0x1304, 0x1305, 0xC02C, 0xC030, 0xC0AD, 0xC0AF, 0xCCA9,
                   0xCCA8, 0xC02B, 0xC02F, 0xC0AC, 0xC0AE},
        .uses = {MUST, MUST, MUST, MUST, ASK, MUST, MUST, MUST, ASK, MUST, MUST, MUST, MUST, MUST,
                 ASK},
        .hybrid = true,
        .groups = LDC_TLS_GROUPS,
        .signatures = LDC_TLS_SIGNATURES,
        .resumption = true,
        BCP195_MINIMA,
    },
    {
        .name = "ihe_stx12",
        .aliases = "ihe_stx_tls12",
        .title = "IHE ITI-19, STX: TLS 1.2 floor using BCP195",
        .lowest = TLS1_2_VERSION,
        .highest = TLS1_3_VERSION,
        .suites = {0x1302, 0x1301, 0x1303, 0xC030, 0xC02F, 0x009F, 0x009E},
        .uses = {MUST, MUST, MUST, MUST, MUST, MUST, MUST},
        .hybrid = true,
        .groups = LDC_TLS_GROUPS,
        .signatures = LDC_TLS_SIGNATURES,
        .resumption = true,
        BCP195_MINIMA,
    },
    {
        .name = "bcp195",
        .aliases = "B.9",
        .title = "PS3.15 B.9, BCP 195 (RFC 7525)",
        .retired = true,
        .lowest = TLS1_VERSION,
        .highest = TLS1_2_VERSION,
        .suites = {0xC02F, 0x009E, 0xC030, 0x009F, 0x002F, 0x000A},
        .uses = {MUST, MUST, MUST, MUST, MUST, MAY},
        .groups = LDC_TLS_GROUPS,
        .signatures = LDC_TLS_SIGNATURES,
        .resumption = true,
        BCP195_MINIMA,
    },
    {
        .name = "bcp195_nd",
        .aliases = "nd_bcp195 B.10",
        .title = "PS3.15 B.10, non-downgrading BCP 195",
        .retired = true,
        .lowest = TLS1_2_VERSION,
        .highest = TLS1_3_VERSION,
        .suites = {0xC02F, 0x009E, 0xC030, 0x009F, 0x1302, 0x1301, 0x1303},
        .uses = {MUST, MUST, MUST, MUST, MUST, MUST, MUST},
        .hybrid = true,
        .groups = LDC_TLS_GROUPS,
        .signatures = LDC_TLS_SIGNATURES,
        .resumption = true,
        BCP195_MINIMA,
    },
    {
        .name = "bcp195_extended",
        .aliases = "extended_bcp195 B.11",
        .title = "PS3.15 B.11, extended BCP 195",
        .retired = true,
        .lowest = TLS1_2_VERSION,
        .highest = TLS1_2_VERSION,
        .suites = {0xC02F, 0x009E, 0xC030, 0x009F, 0xC02C, 0xC02B},
        .uses = {MUST, MUST, MUST, MUST, MUST, MUST},
        .groups = LDC_TLS_GROUPS,
        .signatures = LDC_TLS_SIGNATURES,
        .resumption = true,
        BCP195_MINIMA,
    },
    {
        .name = "aes",
        .aliases = "B.3",
        .title = "PS3.15 B.3, AES TLS secure transport connection",
        .retired = true,
        .lowest = TLS1_VERSION,
        .highest = TLS1_2_VERSION,
        .suites = {0x002F, 0x000A},
        .uses = {MUST, MAY},
        .groups = LDC_TLS_GROUPS,
        .signatures = LDC_TLS_LEGACY_SIGNATURES,
    },
    {
        .name = "basic",
        .aliases = "B.1",
        .title = "PS3.15 B.1, basic TLS secure transport connection",
        .retired = true,
        .lowest = TLS1_VERSION,
        .highest = TLS1_2_VERSION,
        .suites = {0x000A},
        .uses = {MUST},
        .groups = LDC_TLS_GROUPS,
        .signatures = LDC_TLS_LEGACY_SIGNATURES,
    },
};

const size_t ldc_tls_profile_count = sizeof ldc_tls_profiles / sizeof ldc_tls_profiles[0];

/* ---- by name ---- */

/* Small letters and digits of the first length bytes. false: longer than any name. */
static bool fold(const char *name, size_t length, char folded[NAME_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (isalnum((unsigned char)name[i]) == 0) {
            if (strchr("._- ", name[i]) == NULL) {
                return false;
            }
            continue;
        }
        if (used + 1 >= NAME_SIZE) {
            return false;
        }
        folded[used++] = (char)tolower((unsigned char)name[i]);
    }
    folded[used] = '\0';
    return used > 0;
}

static bool called(const ldc_tls_profile *profile, const char *wanted)
{
    char folded[NAME_SIZE];
    if (fold(profile->name, strlen(profile->name), folded) && strcmp(folded, wanted) == 0) {
        return true;
    }
    for (const char *alias = profile->aliases; *alias != '\0';) {
        size_t length = strcspn(alias, " ");
        if (fold(alias, length, folded) && strcmp(folded, wanted) == 0) {
            return true;
        }
        alias += length;
        alias += strspn(alias, " ");
    }
    return false;
}

const ldc_tls_profile *ldc_tls_profile_find(const char *name)
{
    char wanted[NAME_SIZE];
    char known[512] = "";
    bool sound = name != NULL && fold(name, strlen(name), wanted);
    for (size_t i = 0; i < ldc_tls_profile_count; i++) {
        if (sound && called(&ldc_tls_profiles[i], wanted)) {
            return &ldc_tls_profiles[i];
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                 ldc_tls_profiles[i].name);
    }
    (void)ldc_error(DICOM_ERROR_PARAMETER, "there is no TLS profile \"%.64s\". Use one of %s.",
                    name == NULL ? "" : name, known);
    return NULL;
}

bool ldc_tls_profile_has_suite(const ldc_tls_profile *profile, uint32_t id)
{
    for (size_t i = 0; i < LDC_PROFILE_SUITES && profile->suites[i] != DICOM_TLS_NONE; i++) {
        if (profile->suites[i] == id) {
            return true;
        }
    }
    return false;
}

bool ldc_tls_profile_has_group(const ldc_tls_profile *profile, const char *group)
{
    size_t wanted = strlen(group);
    if (profile->hybrid && strcasecmp(group, LDC_TLS_HYBRID_GROUP) == 0) {
        return true;
    }
    for (const char *one = profile->groups; *one != '\0';) {
        size_t length = strcspn(one, ":");
        if (length == wanted && strncasecmp(one, group, length) == 0) {
            return true;
        }
        one += length;
        one += strspn(one, ":");
    }
    return false;
}

int ldc_tls_profile_level(const ldc_tls_profile *profile)
{
    return profile->lowest < TLS1_2_VERSION ? 0 : MODERN_LEVEL;
}

/* ---- whether OpenSSL can ---- */

/* What a handshake with all of the profile's suites would have, NULL = nothing. false: the linked
 * OpenSSL lacks a version, group or signature algorithm. */
static bool usable_suites(const ldc_tls_profile *profile, STACK_OF(SSL_CIPHER) * *usable)
{
    char tls13[512] = "";
    char tls12[512] = "";
    for (size_t i = 0; i < LDC_PROFILE_SUITES && profile->suites[i] != DICOM_TLS_NONE; i++) {
        const ldc_suite *suite = ldc_suite_find(profile->suites[i]);
        if (suite != NULL && ldc_tls_suite_available(suite->id)) {
            char *list = suite->tls13 ? tls13 : tls12;
            size_t used = strlen(list);
            snprintf(list + used, sizeof tls12 - used, "%s%s", used > 0 ? ":" : "", suite->openssl);
        }
    }
    SSL_CTX *ctx = SSL_CTX_new_ex(ldc_tls_library(), NULL, TLS_method());
    bool possible = false;
    *usable = NULL;
    if (ctx != NULL) {
        SSL_CTX_set_security_level(ctx, ldc_tls_profile_level(profile));
        possible = SSL_CTX_set_min_proto_version(ctx, profile->lowest) == 1 &&
                   SSL_CTX_set_max_proto_version(ctx, profile->highest) == 1 &&
                   SSL_CTX_set1_groups_list(ctx, profile->groups) == 1 &&
                   SSL_CTX_set1_sigalgs_list(ctx, profile->signatures) == 1;
        bool any12 = tls12[0] != '\0' && SSL_CTX_set_cipher_list(ctx, tls12) == 1;
        bool any13 = SSL_CTX_set_ciphersuites(ctx, tls13) == 1 && tls13[0] != '\0';
        SSL *ssl = possible && (any12 || any13) ? SSL_new(ctx) : NULL;
        *usable = ssl == NULL ? NULL : SSL_get1_supported_ciphers(ssl);
        SSL_free(ssl);
    }
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return possible;
}

static bool is_usable(const STACK_OF(SSL_CIPHER) * usable, uint32_t id)
{
    for (int i = 0; i < sk_SSL_CIPHER_num(usable); i++) {
        if (SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(usable, i)) == id) {
            return ldc_tls_suite_available(id); /* not what is left of OpenSSL's own list */
        }
    }
    return false;
}

int ldc_tls_profile_list(const ldc_tls_profile *profile, uint32_t *list, size_t size)
{
    size_t count = 0;
    ldc_text missing;
    int rc = ldc_tls_library_start();
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    STACK_OF(SSL_CIPHER) *usable = NULL;
    ldc_text_init(&missing);
    bool lacks = !usable_suites(profile, &usable);
    if (lacks) {
        ldc_text_printf(&missing, "a version, group or signature algorithm (%s; %s)",
                        profile->groups, profile->signatures);
    }
    for (size_t i = 0; !lacks && i < LDC_PROFILE_SUITES && profile->suites[i] != DICOM_TLS_NONE;
         i++) {
        const ldc_suite *suite = ldc_suite_find(profile->suites[i]);
        if (suite == NULL || profile->uses[i] == ASK) {
            continue;
        }
        if (is_usable(usable, suite->id)) {
            if (count + 1 < size) {
                list[count++] = suite->id;
            }
        } else if (profile->uses[i] == MUST) {
            bool there = ldc_tls_suite_available(suite->id);
            ldc_text_printf(&missing, "%s%s (%s)", missing.length > 0 ? ", " : "", suite->iana,
                            there ? "its security level forbids it" : "it was built without it");
        }
    }
    lacks = lacks || missing.length > 0;
    sk_SSL_CIPHER_free(usable);
    char *text = ldc_text_take(&missing);
    for (size_t i = count; i < size; i++) {
        list[i] = DICOM_TLS_NONE;
    }
    if (lacks || text == NULL) {
        rc = ldc_error(DICOM_ERROR_TLS_PROFILE,
                       "profile %s needs what %s at security level %d lacks: %s. Use another "
                       "profile, or an OpenSSL that has it.",
                       profile->name, OpenSSL_version(OPENSSL_VERSION),
                       ldc_tls_profile_level(profile), text == NULL ? "memory" : text);
    }
    free(text);
    return rc;
}

/* ---- keys and hashes ---- */

int ldc_tls_profile_weigh(const ldc_tls_profile *profile, X509 *certificate, bool leaf, bool issued,
                          char *text, size_t size)
{
    ldc_tls_minima least = ldc_tls_minima_of(profile, NULL);
    return ldc_tls_weigh(&least, certificate, leaf, issued, text, size);
}
