/* ldc_tls_rules.c - the set of a net's rules: copied, digested, held against the settings. */
#include "ldc_tls_rules.h"

#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"

static void rules_free(ldc_ref *ref)
{
    ldc_tls_rules *rules = (ldc_tls_rules *)(void *)ref;
    ldc_tls_rules_clear_named(rules);
    free(rules->server_name);
    free(rules->email);
    free(rules->uri);
    free(rules->policies);
    free(rules);
}

static bool copy_text(const char *from, char **copy)
{
    *copy = ldc_strdup(from);
    return from == NULL || *copy != NULL;
}

ldc_tls_rules *ldc_tls_rules_copy(const ldc_tls_rules *from, bool with_certificates)
{
    ldc_tls_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL) {
        return NULL;
    }
    ldc_ref_init(&rules->ref, rules_free);
    if (from == NULL) {
        return rules;
    }
    bool done = copy_text(from->server_name, &rules->server_name) &&
                copy_text(from->email, &rules->email) && copy_text(from->uri, &rules->uri) &&
                copy_text(from->policies, &rules->policies);
    rules->purpose = from->purpose;
    rules->alpn = from->alpn;
    rules->minima = from->minima;
    rules->policy_flags = from->policy_flags;
    rules->whole_chain = from->whole_chain;
    rules->pins_only = from->pins_only;
    rules->pin_count = from->pin_count;
    memcpy(rules->pins, from->pins, sizeof rules->pins);
    rules->refuse_unknown_names = from->refuse_unknown_names;
    for (size_t i = 0; done && with_certificates && i < from->named_count; i++) {
        done = ldc_tls_rules_add(rules, &from->named[i]) == DICOM_SUCCESS;
    }
    if (!done) {
        ldc_ref_put(&rules->ref);
        return NULL;
    }
    return rules;
}

int ldc_tls_rules_add(ldc_tls_rules *rules, const ldc_tls_named *named)
{
    if (rules->named_count == LDC_NAMED) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "a net takes %d certificates beside its own. Clear them, or use one "
                         "certificate for several names.",
                         LDC_NAMED);
    }
    ldc_tls_named copy = {.credentials = named->credentials, .own_names = named->own_names};
    if (!copy_text(named->names, &copy.names) ||
        !copy_text(named->staple_file, &copy.staple_file) ||
        !ldc_tls_origin_copy(&copy.origin, &named->origin)) {
        free(copy.names);
        free(copy.staple_file);
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate by name");
    }
    ldc_ref_get(&copy.credentials->shared.ref);
    rules->named[rules->named_count++] = copy;
    return DICOM_SUCCESS;
}

void ldc_tls_rules_clear_named(ldc_tls_rules *rules)
{
    for (size_t i = 0; i < rules->named_count; i++) {
        ldc_ref_put(&rules->named[i].credentials->shared.ref);
        free(rules->named[i].names);
        free(rules->named[i].staple_file);
        ldc_tls_origin_clear(&rules->named[i].origin);
    }
    rules->named_count = 0;
}

void ldc_tls_rules_digest(const ldc_tls_rules *rules, bool server, ldc_digest *digest)
{
    static const ldc_tls_rules none;
    const ldc_tls_rules *all = rules == NULL ? &none : rules;
    ldc_digest_add_text(digest, all->server_name);
    ldc_digest_add_text(digest, all->email);
    ldc_digest_add_text(digest, all->uri);
    ldc_digest_add_number(digest, (uint64_t)all->purpose);
    ldc_digest_add_number(digest, (uint64_t)all->alpn);
    ldc_digest_add_number(digest, all->minima.rsa_bits);
    ldc_digest_add_number(digest, all->minima.ec_bits);
    ldc_digest_add_number(digest, all->minima.hash_bits);
    ldc_digest_add_number(digest, all->policy_flags);
    ldc_digest_add_text(digest, all->policies);
    ldc_digest_add_number(digest, all->whole_chain ? 1 : 0);
    ldc_digest_add_number(digest, all->pins_only ? 1 : 0);
    ldc_digest_add_number(digest, all->pin_count);
    for (size_t i = 0; i < all->pin_count; i++) {
        ldc_digest_add_number(digest, (uint64_t)all->pins[i].kind);
        ldc_digest_add(digest, all->pins[i].digest, LDC_PIN_SIZE);
    }
    ldc_digest_add_number(digest, all->refuse_unknown_names ? 1 : 0);
    size_t named = server ? all->named_count : 0;
    ldc_digest_add_number(digest, named);
    for (size_t i = 0; i < named; i++) {
        ldc_digest_add(digest, all->named[i].credentials->shared.key, LDC_DIGEST);
        ldc_digest_add_text(digest, all->named[i].names);
        ldc_digest_add_text(digest, all->named[i].staple_file);
    }
}

bool ldc_tls_rules_demand(const ldc_tls_rules *rules)
{
    return rules != NULL && (rules->pin_count > 0 || rules->email != NULL || rules->uri != NULL ||
                             (rules->policy_flags & DICOM_TLS_POLICY_EXPLICIT) != 0);
}

int ldc_tls_rules_check(const ldc_tls_rules *rules, const char *expected_host,
                        const ldc_tls_settings *settings)
{
    if ((expected_host != NULL || ldc_tls_rules_demand(rules)) &&
        (settings->verify & L_SSL_VERIFY_PEER) == 0) {
        return ldc_error(
            DICOM_ERROR_PARAMETER, "%s",
            "pins, names or policies are demanded of the peer, and the verification flags are "
            "None: nobody would be refused. Add Peer, or take the demands away.");
    }
    return DICOM_SUCCESS;
}
