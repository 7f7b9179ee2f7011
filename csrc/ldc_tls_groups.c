/* ldc_tls_groups.c - what the linked OpenSSL has: groups for the key exchange, post-quantum hybrids
 * among them, and loaded providers. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <string.h>

#include "ldc_tls.h"
#include "ldc_tls_keys.h"

/* IANA's registry of supported groups by OpenSSL's names, the hybrids first (RFC 9794 for the word;
 * draft-ietf-tls-ecdhe-mlkem). Before 3.5 OpenSSL cannot list them itself, but takes no name that
 * it lacks. */
static const struct {
    const char *name;
    bool hybrid;
} groups[] = {
    {"X25519MLKEM768", true},
    {"SecP256r1MLKEM768", true},
    {"SecP384r1MLKEM1024", true},
    {"MLKEM512", false},
    {"MLKEM768", false},
    {"MLKEM1024", false},
    {"X25519", false},
    {"X448", false},
    {"P-256", false},
    {"P-384", false},
    {"P-521", false},
    {"brainpoolP256r1", false},
    {"brainpoolP384r1", false},
    {"brainpoolP512r1", false},
    {"ffdhe2048", false},
    {"ffdhe3072", false},
    {"ffdhe4096", false},
    {"ffdhe6144", false},
    {"ffdhe8192", false},
};

static void add(ldc_text *text, const char *name)
{
    ldc_text_printf(text, "%s%s", text->length > 0 ? ":" : "", name);
}

void ldc_tls_list_groups(ldc_text *text, bool hybrid_only)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(ldc_tls_library(), NULL, TLS_method());
    for (size_t i = 0; ctx != NULL && i < sizeof groups / sizeof groups[0]; i++) {
        if ((groups[i].hybrid || !hybrid_only) &&
            SSL_CTX_set1_groups_list(ctx, groups[i].name) == 1) {
            add(text, groups[i].name);
        }
    }
    SSL_CTX_free(ctx);
    ERR_clear_error();
}

static int add_provider(OSSL_PROVIDER *provider, void *text)
{
    add(text, OSSL_PROVIDER_get0_name(provider));
    return 1;
}

void ldc_tls_list_providers(ldc_text *text)
{
    (void)OSSL_PROVIDER_do_all(ldc_tls_library(), add_provider, text);
    ERR_clear_error();
}
