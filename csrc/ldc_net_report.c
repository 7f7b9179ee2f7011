/* ldc_net_report.c - failures of a net on their way to the log, with the address of its peer. */
#include <string.h>

#include "ldc_conn.h"
#include "ldc_failure_log.h"
#include "ldc_net.h"

/* A listener that is open tells later what is only counted now. */
static void remind(ldc_net *parent)
{
    pthread_mutex_lock(&parent->lock);
    ldc_listener *listener = parent->listener;
    if (listener != NULL) {
        ldc_listener_ref(listener);
    }
    pthread_mutex_unlock(&parent->lock);
    ldc_listener_look(listener);
    ldc_listener_put(listener);
}

void ldc_net_report(ldc_net *net, const ldc_failure *failure, const char *tried, unsigned port,
                    bool inbound)
{
    ldc_failure copy;
    char peer[LDC_ADDRESS_TEXT];
    ldc_failure_init(&copy);
    pthread_mutex_lock(&net->lock);
    if (failure == NULL) {
        (void)ldc_failure_copy(&copy, &net->failure);
        failure = &copy;
    }
    memcpy(peer, net->peer_address, sizeof peer);
    if (peer[0] != '\0') {
        tried = peer;
        port = net->peer_port;
    }
    ldc_net *parent = net->parent;
    if (parent != NULL) {
        ldc_ref_get(&parent->ref);
    }
    pthread_mutex_unlock(&net->lock);
    if (failure->code != DICOM_SUCCESS && ldc_failure_log(net->id, failure, tried, port, inbound) &&
        parent != NULL) {
        remind(parent);
    }
    ldc_failure_clear(&copy);
    if (parent != NULL) {
        ldc_net_put(parent);
    }
}
