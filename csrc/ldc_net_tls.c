/* ldc_net_tls.c - what a net has of TLS: who judges, what a context is made of, the context held.
 */
#include <stdlib.h>

#include "ldc_error.h"
#include "ldc_net.h"
#include "ldc_tls_rules.h"

bool ldc_net_judges(const ldc_net *net)
{
    return net->callbacks_ext.pfnVerify != NULL && net->callbacks_ext.bVerifyIsOk == 0;
}

bool ldc_net_take_tls(ldc_net *net, ldc_net_tls *taken)
{
    const ldc_tls_revocation *revocation = &net->choice.revocation;
    char **paths = NULL;
    char *staple = ldc_strdup(revocation->staple_file);
    if ((staple == NULL && revocation->staple_file != NULL) ||
        !ldc_tls_paths_copy((const char *const *)revocation->paths, revocation->path_count,
                            &paths)) {
        free(staple);
        return false;
    }
    *taken = (ldc_net_tls){
        .settings = net->settings, .credentials = net->credentials, .choice = net->choice};
    taken->choice.revocation.paths = paths;
    taken->choice.revocation.staple_file = staple;
    if (taken->settings != NULL) {
        ldc_ref_get(&taken->settings->ref);
    }
    if (taken->credentials != NULL) {
        ldc_ref_get(&taken->credentials->shared.ref);
    }
    if (revocation->crls != NULL) {
        ldc_ref_get(&revocation->crls->shared.ref);
    }
    if (taken->choice.rules != NULL) {
        ldc_ref_get(&taken->choice.rules->ref);
    }
    return true;
}

void ldc_net_give_tls(ldc_net_tls *taken)
{
    if (taken->settings != NULL) {
        ldc_ref_put(&taken->settings->ref);
    }
    if (taken->credentials != NULL) {
        ldc_ref_put(&taken->credentials->shared.ref);
    }
    if (taken->choice.rules != NULL) {
        ldc_ref_put(&taken->choice.rules->ref);
    }
    ldc_tls_revocation_clear(&taken->choice.revocation);
}

void ldc_net_use_context(ldc_net *net, ldc_tls_context *context)
{
    pthread_mutex_lock(&net->lock);
    bool same = net->context == context;
    pthread_mutex_unlock(&net->lock);
    if (same) {
        return;
    }
    if (context != NULL) {
        ldc_tls_context_hold(context, net->id);
    }
    pthread_mutex_lock(&net->lock);
    ldc_tls_context *unused = context;
    if (!net->disposed || context == NULL) {
        unused = net->context;
        net->context = context;
    }
    pthread_mutex_unlock(&net->lock);
    if (unused != NULL) {
        ldc_tls_context_release(unused);
    }
}
