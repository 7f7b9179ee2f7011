/*
 * api_tls_reload.c - certificates, keys, CAs, lists and staples read anew while a net listens.
 *
 * All or nothing: everything is loaded and a context made of it beside what is in force; only then
 * are the net's references exchanged, under its lock. A connection has a reference of its own to
 * the context that it began with, which goes with the last of them.
 */
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_expiry.h"
#include "ldc_net.h"
#include "ldc_tls_names.h"
#include "ldc_tls_rules.h"

typedef struct reloaded {
    ldc_net_tls after; /* first what is there, then what was loaded */
    ldc_tls_origin origin;
    bool listening;
    PRIVATEKEYPASSWORDCALLBACK password;
    HDICOMNET handle;
} reloaded;

L_INT L_DicomSetChildrenInheritTLS(HDICOMNET hNet, L_BOOL bInherit)
{
    int rc;
    ldc_net *net = ldc_net_lock_idle(hNet, "what children inherit", &rc);
    if (net != NULL) {
        net->children_inherit = bInherit != 0;
        pthread_mutex_unlock(&net->lock);
        ldc_net_put(net);
    }
    return rc;
}

static int ask_password(void *arg, char *buffer, int size)
{
    const reloaded *load = arg;
    return load->password == NULL ? 0 : load->password(load->handle, buffer, size, 0);
}

/* ---- the parts; each puts its result into load->after ---- */

static int load_credentials(reloaded *load, const DICOMTLSRELOAD *given)
{
    ldc_tls_source certificate = {.file = load->origin.certificate};
    ldc_tls_source key = {.file = load->origin.key};
    int type = load->origin.type;
    if (given->pszCertFile != NULL || given->pCert != NULL) {
        bool memory = given->pCert != NULL;
        type = given->nCertType;
        certificate =
            (ldc_tls_source){.file = memory ? "certificate in memory" : given->pszCertFile,
                             .data = given->pCert,
                             .size = given->nCert};
        key = (ldc_tls_source){.file = given->pKey != NULL ? "key in memory" : given->pszKeyFile,
                               .data = given->pKey,
                               .size = given->nKey};
        if (!ldc_tls_origin_set(&load->origin, &certificate, type, &key)) {
            return ldc_error(DICOM_ERROR_MEMORY, "%s", "certificate");
        }
    }
    if (certificate.file == NULL) {
        return DICOM_SUCCESS; /* none, or from memory */
    }
    ldc_tls_credentials *loaded = NULL;
    int rc = ldc_tls_credentials_load(&certificate, type, &key, ask_password, load, &loaded);
    if (rc == DICOM_SUCCESS) {
        if (load->after.credentials != NULL) {
            ldc_ref_put(&load->after.credentials->shared.ref);
        }
        load->after.credentials = loaded;
    }
    return rc;
}

/* One certificate by name, read anew into rules. */
static int load_named(reloaded *load, const ldc_tls_named *named, ldc_tls_rules *rules)
{
    ldc_tls_source certificate = {.file = named->origin.certificate};
    ldc_tls_source key = {.file = named->origin.key};
    ldc_tls_named fresh = *named;
    char *names = NULL;
    if (certificate.file == NULL) { /* from memory */
        return ldc_tls_rules_add(rules, named);
    }
    int rc = ldc_tls_credentials_load(&certificate, named->origin.type, &key, ask_password, load,
                                      &fresh.credentials);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (named->own_names) {
        names = ldc_certificate_dns_names(fresh.credentials->leaf);
        fresh.names = names;
    }
    if (fresh.names == NULL || fresh.names[0] == '\0') {
        rc = ldc_error(DICOM_ERROR_TLS_CERTIFICATE_FILE,
                       "\"%s\": the certificate carries no DNS name any more. Have one issued that "
                       "does, or say for which names it is.",
                       certificate.file);
    } else {
        rc = ldc_tls_rules_add(rules, &fresh);
    }
    free(names);
    ldc_ref_put(&fresh.credentials->shared.ref);
    return rc;
}

/* The certificates that a server chooses by name. */
static int load_rules(reloaded *load)
{
    ldc_tls_rules *from = load->after.choice.rules;
    if (from == NULL || from->named_count == 0) {
        return DICOM_SUCCESS;
    }
    ldc_tls_rules *rules = ldc_tls_rules_copy(from, false);
    int rc =
        rules == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "certificates by name") : DICOM_SUCCESS;
    for (size_t i = 0; rc == DICOM_SUCCESS && i < from->named_count; i++) {
        rc = load_named(load, &from->named[i], rules);
    }
    if (rc == DICOM_SUCCESS) {
        load->after.choice.rules = rules;
        rules = from;
    }
    if (rules != NULL) {
        ldc_ref_put(&rules->ref);
    }
    return rc;
}

static int load_settings(reloaded *load, const DICOMTLSRELOAD *given)
{
    ldc_tls_settings *from = load->after.settings;
    ldc_tls_settings *loaded = NULL;
    ldc_tls_source first = {.file = given->pszCAFile};
    if (given->pCA != NULL) {
        first = (ldc_tls_source){
            .file = "CA certificates in memory", .data = given->pCA, .size = given->nCA};
    }
    int rc = ldc_tls_trust_reload(from, first.file == NULL ? NULL : &first,
                                  (uint64_t)(uintptr_t)load->handle, &loaded);
    if (rc == DICOM_SUCCESS) {
        ldc_ref_put(&from->ref);
        load->after.settings = loaded;
    }
    return rc;
}

static int load_lists(reloaded *load, const DICOMTLSRELOAD *given)
{
    ldc_tls_revocation *revocation = &load->after.choice.revocation;
    ldc_tls_crls *loaded = NULL;
    int rc = DICOM_SUCCESS;
    if (given->nCrlPaths > 0) {
        char **paths = NULL;
        if (!ldc_tls_paths_copy(given->ppszCrlPaths, given->nCrlPaths, &paths)) {
            return ldc_error(DICOM_ERROR_MEMORY, "%s", "revocation lists");
        }
        ldc_tls_paths_free(revocation->paths, revocation->path_count);
        revocation->paths = paths;
        revocation->path_count = given->nCrlPaths;
    }
    if (given->pszStapleFile != NULL) {
        char *file = ldc_strdup(given->pszStapleFile);
        if (file == NULL) {
            return ldc_error(DICOM_ERROR_MEMORY, "%s", "OCSP staple");
        }
        free(revocation->staple_file);
        revocation->staple_file = file;
    }
    if (revocation->path_count > 0) {
        rc = ldc_tls_crls_load((const char *const *)revocation->paths, revocation->path_count,
                               &loaded);
    }
    if (rc == DICOM_SUCCESS && loaded != NULL) {
        if (revocation->crls != NULL) {
            ldc_ref_put(&revocation->crls->shared.ref);
        }
        revocation->crls = loaded;
    }
    return rc;
}

/* Looks at the staple of a context now; arg: the code so far. */
static void refresh_staple(const ldc_tls_context *context, void *arg)
{
    int *rc = arg;
    if (*rc == DICOM_SUCCESS && context->staple != NULL) {
        *rc = ldc_tls_staple_refresh(context->staple);
    }
}

/* The context of the next children; the staples, which one that was there already has, too. */
static int make_context(reloaded *load, ldc_tls_context **context)
{
    int rc = DICOM_SUCCESS;
    if (!load->listening) {
        return load->after.choice.revocation.staple_file == NULL
                   ? DICOM_SUCCESS
                   : ldc_tls_staple_peek(load->after.choice.revocation.staple_file);
    }
    rc = ldc_tls_context_get(true, load->after.settings, load->after.credentials,
                             &load->after.choice, (uint64_t)(uintptr_t)load->handle, context);
    if (rc == DICOM_SUCCESS) {
        bool computed = ldc_compute(true);
        refresh_staple(*context, &rc);
        ldc_tls_sni_each((*context)->sni, refresh_staple, &rc);
        (void)ldc_compute(computed);
    }
    return rc;
}

/* ---- beginning and end ---- */

static int check_new(const DICOMTLSRELOAD *given)
{
    if (given->uStructSize != sizeof *given) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "uStructSize is %u, not sizeof(DICOMTLSRELOAD) = %zu. Set it.",
                         given->uStructSize, sizeof *given);
    }
    for (L_UINT i = 0; i < given->nCrlPaths; i++) {
        if (given->ppszCrlPaths == NULL || given->ppszCrlPaths[i] == NULL ||
            given->ppszCrlPaths[i][0] == '\0') {
            return ldc_error(DICOM_ERROR_PARAMETER, "path %u of the revocation lists is empty", i);
        }
    }
    if ((given->pszKeyFile != NULL || given->pKey != NULL) && given->pszCertFile == NULL &&
        given->pCert == NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "a key was given without its certificate. Give both.");
    }
    return DICOM_SUCCESS;
}

static int begin(ldc_net *net, reloaded *load)
{
    const char *why = NULL;
    pthread_mutex_lock(&net->lock);
    load->listening = net->listener != NULL;
    if (net->mode != DICOM_SECURE_TLS || net->settings == NULL) {
        why = "the net is not TLS. Initialize it with mode Tls first.";
    } else if (net->reloading) {
        why = "another call is reloading. Call again when that one has returned.";
    } else if (net->busy && net->conn == NULL && !load->listening) {
        why = "the net is just being opened. Call again when that call has returned.";
    } else if (load->listening && !net->children_inherit) {
        why =
            "the children of this listener have TLS settings of their own, which are read for each. "
            "Let them inherit (children_inherit_tls) before Listen.";
    }
    bool taken = why == NULL && ldc_net_take_tls(net, &load->after);
    if (taken) {
        taken = ldc_tls_origin_copy(&load->origin, &net->origin);
        net->reloading = taken;
        load->password = net->callbacks_ext.pfnPrivateKeyPassword;
    }
    pthread_mutex_unlock(&net->lock);
    if (why != NULL) {
        return ldc_error(DICOM_ERROR_INVALID_STATE, "%s", why);
    }
    return taken ? DICOM_SUCCESS : ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS settings");
}

/* Exchanges what the net has for what was loaded, but for the credentials, whose users are counted;
 * the old goes with load. The lock is held. */
static void exchange(ldc_net *net, reloaded *load)
{
    ldc_tls_settings *settings = net->settings;
    net->settings = load->after.settings;
    load->after.settings = settings;
    ldc_tls_revocation revocation = net->choice.revocation;
    net->choice.revocation = load->after.choice.revocation;
    load->after.choice.revocation = revocation;
    ldc_tls_rules *rules = net->choice.rules;
    net->choice.rules = load->after.choice.rules;
    load->after.choice.rules = rules;
    ldc_tls_origin origin = net->origin;
    net->origin = load->origin;
    load->origin = origin;
}

/* The context of the next children goes in with the settings that it was made of: another reload
 * may come right behind. A net that does not listen has one with the old key. Gives what is not
 * used any more. The lock is held. */
static ldc_tls_context *exchange_context(ldc_net *net, const reloaded *load,
                                         ldc_tls_context *context)
{
    ldc_tls_context *unused = context;
    bool listening = net->listener != NULL;
    if (context != NULL && listening && load->listening && !net->disposed) {
        unused = net->context;
        net->context = context;
    } else if (context == NULL && ldc_net_context_is_free(net)) {
        unused = net->context;
        net->context = NULL;
    }
    return unused;
}

static void finish(ldc_net *net, reloaded *load, int rc, ldc_tls_context *context)
{
    bool done = rc == DICOM_SUCCESS;
    ldc_tls_credentials *loaded = done ? load->after.credentials : NULL;
    ldc_tls_credentials *old = NULL;
    ldc_tls_context *unused = NULL;
    if (loaded != NULL) {
        ldc_tls_credentials_hold(loaded);
    }
    if (done && context != NULL) {
        ldc_tls_context_hold(context, net->id);
    }
    pthread_mutex_lock(&net->lock);
    if (done) {
        exchange(net, load);
        unused = exchange_context(net, load, context);
    }
    if (loaded != NULL) {
        old = net->credentials;
        net->credentials = loaded;
    }
    net->reloading = false;
    pthread_cond_broadcast(&net->idle);
    pthread_mutex_unlock(&net->lock);
    if (old != NULL) {
        ldc_tls_credentials_release(old);
    }
    if (unused != NULL) {
        ldc_tls_context_release(unused);
    }
}

L_INT L_DicomReloadTLS(HDICOMNET hNet, const DICOMTLSRELOAD *pNew)
{
    static const DICOMTLSRELOAD nothing = {.uStructSize = sizeof nothing};
    const DICOMTLSRELOAD *given = pNew == NULL ? &nothing : pNew;
    reloaded load = {.handle = hNet};
    ldc_tls_context *context = NULL;
    int rc = check_new(given);
    ldc_net *net = rc == DICOM_SUCCESS ? ldc_net_acquire(hNet) : NULL;
    if (net == NULL) {
        return rc == DICOM_SUCCESS ? DICOM_ERROR_OBJECT_DISPOSED : rc;
    }
    rc = begin(net, &load);
    bool began = rc == DICOM_SUCCESS;
    rc = rc == DICOM_SUCCESS ? load_credentials(&load, given) : rc;
    rc = rc == DICOM_SUCCESS ? load_rules(&load) : rc;
    rc = rc == DICOM_SUCCESS ? load_settings(&load, given) : rc;
    rc = rc == DICOM_SUCCESS ? load_lists(&load, given) : rc;
    rc = rc == DICOM_SUCCESS ? make_context(&load, &context) : rc;
    if (began) {
        finish(net, &load, rc, context);
    }
    if (rc == DICOM_SUCCESS) {
        ldc_log(DICOM_LOG_INFO, net->id, "%s", "TLS certificates and lists have been reloaded");
        if (context != NULL) {
            ldc_expiry_look_at_context(net->id, context);
        }
    }
    ldc_net_give_tls(&load.after);
    ldc_tls_origin_clear(&load.origin);
    if (context != NULL) {
        ldc_ref_put(&context->shared.ref);
    }
    ldc_net_put(net);
    return rc;
}
