/*
 * ldc_tls_sni.c - the server's name: a client sends it, a server chooses its certificate by it.
 *
 * The choice is made in the ClientHello callback, before sessions are looked at: from there on the
 * link belongs to the context of that certificate, and so do its tickets, its session ids and the
 * marks in them. All contexts of a server have the same settings but for certificate and key.
 */
#include <openssl/err.h>
#include <openssl/tls1.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_text.h"
#include "ldc_tls_names.h"
#include "ldc_tls_rules.h"

typedef struct pattern {
    char *text;               /* owned, from ldc_dns_name */
    ldc_tls_context *context; /* a reference; NULL = the one that this belongs to */
} pattern;

typedef struct ldc_tls_sni {
    pattern *patterns; /* owned */
    size_t count;
} ldc_tls_sni;

/* ---- patterns ---- */

static bool add_pattern(ldc_tls_sni *sni, const char *text, size_t length, ldc_tls_context *context)
{
    pattern *larger = realloc(sni->patterns, (sni->count + 1) * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    sni->patterns = larger;
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (context != NULL) {
        ldc_ref_get(&context->shared.ref);
    }
    sni->patterns[sni->count++] = (pattern){.text = copy, .context = context};
    return true;
}

static bool add_patterns(ldc_tls_sni *sni, const char *names, ldc_tls_context *context)
{
    for (const char *name = names; *name != '\0';) {
        size_t length = strcspn(name, " ");
        if (length > 0 && !add_pattern(sni, name, length, context)) {
            return false;
        }
        name += length;
        name += strspn(name, " ");
    }
    return true;
}

/* The name itself first, then the patterns, each in the order in which they were added. */
static const pattern *find_pattern(const ldc_tls_sni *sni, const char *name)
{
    for (size_t i = 0; i < sni->count; i++) {
        if (strcmp(sni->patterns[i].text, name) == 0) {
            return &sni->patterns[i];
        }
    }
    for (size_t i = 0; i < sni->count; i++) {
        if (ldc_dns_matches(sni->patterns[i].text, name)) {
            return &sni->patterns[i];
        }
    }
    return NULL;
}

void ldc_tls_sni_clear(ldc_tls_context *context)
{
    ldc_tls_sni *sni = context->sni;
    if (sni == NULL) {
        return;
    }
    for (size_t i = 0; i < sni->count; i++) {
        if (sni->patterns[i].context != NULL) {
            ldc_ref_put(&sni->patterns[i].context->shared.ref);
        }
        free(sni->patterns[i].text);
    }
    free(sni->patterns);
    free(sni);
    context->sni = NULL;
}

/* ---- ClientHello ---- */

/* What the client said, for records: a name as it is, all else made printable and bounded. */
static char *shown(ldc_sni kind, const char *name, const unsigned char *bytes, size_t length)
{
    ldc_text text;
    if (kind == LDC_SNI_NAME) {
        return ldc_strdup(name);
    }
    ldc_text_init(&text);
    size_t skipped = length >= 5 ? 5 : length;
    size_t left = length - skipped;
    ldc_text_append_printable(&text, (const char *)bytes + skipped,
                              left < LDC_DNS_NAME ? left : LDC_DNS_NAME);
    return ldc_text_take(&text);
}

/* Gives the link to the context of the certificate for this name. false: there is none. */
static bool choose(ldc_tls_link *link, ldc_sni kind, const char *name)
{
    const ldc_tls_context *all = link->context;
    const pattern *found =
        all->sni == NULL || kind != LDC_SNI_NAME ? NULL : find_pattern(all->sni, name);
    if (found == NULL) {
        return all->rules == NULL || !all->rules->refuse_unknown_names;
    }
    link->name_known = true;
    ldc_tls_context *context = found->context;
    if (context == NULL) {
        return true;
    }
    if (SSL_set_SSL_CTX(link->ssl, context->ctx) == NULL) {
        return false;
    }
    ldc_ref_get(&context->shared.ref);
    ldc_ref_put(&link->context->shared.ref); /* its connection holds that one */
    link->context = context;
    return true;
}

static int greet(SSL *ssl, int *alert, void *unused)
{
    (void)unused;
    ldc_tls_link *link = SSL_get_ex_data(ssl, ldc_tls_link_index());
    const unsigned char *bytes = NULL;
    size_t length = 0;
    char name[LDC_DNS_NAME];
    if (link == NULL) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (link->greeted) { /* the second one, after HelloRetryRequest: what was chosen stays */
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    link->greeted = true;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &length) == 1) {
        ldc_sni kind = ldc_sni_parse(bytes, length, name);
        link->server_name = shown(kind, name, bytes, length);
        link->name_refused = link->server_name == NULL || !choose(link, kind, name);
    }
    if (link->name_refused) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (!ldc_tls_alpn_greet(link)) {
        *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    ldc_tls_session_greet(link);
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* Says in the ServerHello that the name was used (RFC 6066 3). */
static int acknowledge(SSL *ssl, int *alert, void *unused)
{
    (void)alert;
    (void)unused;
    const ldc_tls_link *link = SSL_get_ex_data(ssl, ldc_tls_link_index());
    return link != NULL && link->name_known ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* ---- contexts ---- */

static int add_context(ldc_tls_context *context, const ldc_tls_named *named,
                       const ldc_tls_settings *settings, const ldc_tls_choice *choice,
                       uint64_t handle)
{
    ldc_tls_context *made = NULL;
    int rc = ldc_tls_context_get(true, settings, named->credentials, choice, handle, &made);
    if (rc != DICOM_SUCCESS) {
        char *why = ldc_strdup(L_DicomGetLastErrorText());
        (void)ldc_error(rc, "certificate for %.200s: %s", named->names, why == NULL ? "" : why);
        free(why);
        return rc;
    }
    if (!add_patterns(context->sni, named->names, made)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "certificates by name");
    }
    ldc_ref_put(&made->shared.ref);
    return rc;
}

/* The certificate that a server shows by default counts for its own names, too. */
static bool add_own_names(ldc_tls_context *context)
{
    char *names = ldc_certificate_dns_names(context->credentials->leaf);
    bool done = names != NULL && add_patterns(context->sni, names, NULL);
    free(names);
    return done;
}

int ldc_tls_sni_set_up(ldc_tls_context *context, const ldc_tls_settings *settings,
                       const ldc_tls_choice *choice, uint64_t handle)
{
    const ldc_tls_rules *rules = choice->rules;
    if (!context->server) {
        return DICOM_SUCCESS;
    }
    SSL_CTX_set_client_hello_cb(context->ctx, greet, NULL);
    SSL_CTX_set_tlsext_servername_callback(context->ctx, acknowledge);
    if (rules == NULL || (rules->named_count == 0 && !rules->refuse_unknown_names)) {
        return DICOM_SUCCESS;
    }
    context->sni = calloc(1, sizeof *context->sni);
    ldc_tls_choice for_each = *choice; /* lends all that it has */
    for_each.rules = context->sni == NULL ? NULL : ldc_tls_rules_copy(rules, false);
    if (for_each.rules == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "certificates by name");
    }
    for_each.rules->refuse_unknown_names = false; /* decided before it is chosen */
    int rc = DICOM_SUCCESS;
    for (size_t i = 0; rc == DICOM_SUCCESS && i < rules->named_count; i++) {
        for_each.revocation.staple_file = rules->named[i].staple_file; /* lent */
        rc = add_context(context, &rules->named[i], settings, &for_each, handle);
    }
    if (rc == DICOM_SUCCESS && !add_own_names(context)) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "certificates by name");
    }
    ldc_ref_put(&for_each.rules->ref);
    return rc;
}

/* ---- clients ---- */

bool ldc_tls_sni_send(ldc_tls_link *link, const char *peer_name)
{
    const ldc_tls_context *context = link->context;
    const char *wanted = context->rules == NULL ? NULL : context->rules->server_name;
    char name[LDC_DNS_NAME];
    if (context->server || (wanted != NULL && wanted[0] == '\0')) {
        return true;
    }
    if (wanted == NULL) {
        wanted = context->expected_host;
    }
    if (wanted == NULL || !ldc_dns_name(wanted, strlen(wanted), false, name)) {
        wanted = peer_name;
    }
    if (wanted == NULL || !ldc_dns_name(wanted, strlen(wanted), false, name)) {
        return true; /* an address, or a name that cannot be sent: none */
    }
    link->server_name = ldc_strdup(name);
    return link->server_name != NULL && SSL_set_tlsext_host_name(link->ssl, name) == 1;
}

void ldc_tls_sni_each(const struct ldc_tls_sni *sni,
                      void (*visit)(const ldc_tls_context *context, void *arg), void *arg)
{
    for (size_t i = 0; sni != NULL && i < sni->count; i++) {
        if (sni->patterns[i].context != NULL) {
            visit(sni->patterns[i].context, arg);
        }
    }
}
