/* ldc_net_tls.c - what a net has of TLS: who judges, what a context is made of, the context held.
 */
#include "ldc_net.h"

bool ldc_net_judges(const ldc_net *net)
{
    return net->callbacks_ext.pfnVerify != NULL && net->callbacks_ext.bVerifyIsOk == 0;
}

bool ldc_net_take_tls(ldc_net *net, ldc_net_tls *taken)
{
    *taken = (ldc_net_tls){.settings = net->settings, .credentials = net->credentials};
    if (!ldc_tls_choice_copy(&taken->choice, &net->choice)) {
        *taken = (ldc_net_tls){0};
        return false;
    }
    if (taken->settings != NULL) {
        ldc_ref_get(&taken->settings->ref);
    }
    if (taken->credentials != NULL) {
        ldc_ref_get(&taken->credentials->shared.ref);
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
    ldc_tls_choice_clear(&taken->choice);
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

bool ldc_net_context_is_free(const ldc_net *net)
{
    return net->listener == NULL && (!net->busy || net->conn != NULL);
}

void ldc_net_drop_context(ldc_net *net)
{
    ldc_tls_context *unused = NULL;
    pthread_mutex_lock(&net->lock);
    if (ldc_net_context_is_free(net)) {
        unused = net->context;
        net->context = NULL;
    }
    pthread_mutex_unlock(&net->lock);
    if (unused != NULL) {
        ldc_tls_context_release(unused);
    }
}
