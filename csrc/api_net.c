/* api_net.c - see api_net.h. */
#include "api_net.h"

#include <errno.h>
#include <string.h>

#include "ldc_error.h"

enum {
    MAX_PORT = 65535
};

int ldc_net_bind_error(int error, const char *address, unsigned port)
{
    const char *shown = address == NULL || address[0] == '\0' ? "any local address" : address;
    switch (error) {
    case EADDRINUSE:
        return ldc_error(DICOM_ERROR_NET_ADDRESS_IN_USE,
                         "%s port %u. Use another port, 0 for a free one, or end the program "
                         "that has it.",
                         shown, port);
    case EACCES:
    case EPERM:
        return ldc_error(DICOM_ERROR_NET_ACCESS_DENIED,
                         "%s port %u. Ports below 1024 need a privilege: use another one, for "
                         "example 11112 or 2762.",
                         shown, port);
    case EADDRNOTAVAIL:
        return ldc_error(DICOM_ERROR_NET_ADDRESS_NOT_AVAILABLE,
                         "%s is not an address of this computer. Use \"\" or one of its "
                         "own.",
                         shown);
    default:
        return ldc_error(DICOM_ERROR_NET_FAILURE, "%s port %u: %s", shown, port, strerror(error));
    }
}

static int check_ports(L_UINT host_port, L_UINT peer_port)
{
    if (host_port > MAX_PORT || peer_port > MAX_PORT) {
        return ldc_error(DICOM_ERROR_PARAMETER, "port %u is not in 0..65535",
                         host_port > MAX_PORT ? host_port : peer_port);
    }
    return DICOM_SUCCESS;
}

static int check_ip_type(L_INT *ip_type)
{
    if (*ip_type == DICOM_IPTYPE_NONE) {
        *ip_type = DICOM_IPTYPE_IPV4;
    }
    if (*ip_type < DICOM_IPTYPE_IPV4 || *ip_type > DICOM_IPTYPE_IPV4_OR_IPV6) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "IP type %d. Use Ipv4 (1), Ipv6 (2) or Ipv4OrIpv6 (3).", *ip_type);
    }
    return DICOM_SUCCESS;
}

int ldc_net_begin_at(HDICOMNET handle, L_UINT host_port, L_UINT peer_port, L_INT *ip_type,
                     ldc_net **begun)
{
    ldc_net *net = ldc_net_acquire(handle);
    if (net == NULL) {
        return DICOM_ERROR_OBJECT_DISPOSED;
    }
    int rc = check_ports(host_port, peer_port);
    if (rc == DICOM_SUCCESS) {
        rc = check_ip_type(ip_type);
    }
    if (rc == DICOM_SUCCESS) {
        rc = ldc_net_begin(net);
    }
    if (rc != DICOM_SUCCESS) {
        ldc_net_put(net);
        return rc;
    }
    *begun = net;
    return DICOM_SUCCESS;
}

/* A local address: a literal, or a name of this computer (looked up here, it is local). */
int ldc_net_local_address(const char *text, unsigned port, int ip_type, ldc_address *address)
{
    int gai = 0;
    if (ldc_address_literal(text, port, address) ||
        ldc_address_resolve(text, port, ip_type, address, 1, &gai) > 0) {
        return DICOM_SUCCESS;
    }
    return ldc_error(DICOM_ERROR_NET_HOST_NOT_FOUND,
                     "local address \"%s\": %s. Give an address of this computer, or \"\".", text,
                     gai_strerror(gai));
}

/* Resumption was switched on, and something else keeps it off: said once for each context. */
void ldc_net_explain_resumption(ldc_net *net, const ldc_tls_context *context)
{
    pthread_mutex_lock(&net->lock);
    bool judges = ldc_net_judges(net);
    bool known = net->context == context;
    pthread_mutex_unlock(&net->lock);
    if (known || !context->resumption) {
        return;
    }
    if (judges) {
        ldc_log(DICOM_LOG_WARNING, net->id, "%s",
                "session resumption stays off: OnVerify or a verify callback judges the peer's "
                "certificates, and a resumed session shows none");
    } else if ((context->verify & L_SSL_VERIFY_PEER) == 0) {
        ldc_log(DICOM_LOG_WARNING, net->id, "%s",
                "session resumption stays off: the verification flags are without Peer");
    }
}

/* The context for the net's own settings. plain: *context = NULL. The net is busy: nothing changes
 * meanwhile. */
int ldc_net_make_context(ldc_net *net, bool server, ldc_tls_context **context)
{
    *context = NULL;
    if (net->mode != DICOM_SECURE_TLS) {
        return DICOM_SUCCESS;
    }
    ldc_net_tls taken;
    pthread_mutex_lock(&net->lock);
    bool done = ldc_net_take_tls(net, &taken);
    pthread_mutex_unlock(&net->lock);
    if (!done) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "TLS context");
    }
    int rc = ldc_tls_context_get(server, taken.settings, taken.credentials, &taken.choice, net->id,
                                 context);
    ldc_net_give_tls(&taken);
    if (rc == DICOM_SUCCESS) {
        ldc_net_explain_resumption(net, *context);
        ldc_net_use_context(net, *context);
    }
    return rc;
}

void ldc_net_context_put(ldc_tls_context *context)
{
    if (context != NULL) {
        ldc_ref_put(&context->shared.ref);
    }
}
