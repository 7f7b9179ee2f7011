/* api_net.h - what the public functions that begin something share: own addresses, arguments, TLS
 * contexts. */
#ifndef LDC_API_NET_H
#define LDC_API_NET_H

#include "ldc_net.h"

/* Checks the arguments of Connect or Listen, and makes the net busy (ldc_net_begin). On success
 * *begun has a reference, and *ip_type is one of the three. */
int ldc_net_begin_at(HDICOMNET handle, L_UINT host_port, L_UINT peer_port, L_INT *ip_type,
                     ldc_net **begun);
/* A local address: a literal, or a name of this computer (looked up here, it is local). */
int ldc_net_local_address(const char *text, unsigned port, int ip_type, ldc_address *address);
/* errno of bind() as an error that is said. */
int ldc_net_bind_error(int error, const char *address, unsigned port);
/* The context for the net's own settings. plain: *context = NULL. The net is busy: nothing changes
 * meanwhile. */
int ldc_net_make_context(ldc_net *net, bool server, ldc_tls_context **context);
void ldc_net_context_put(ldc_tls_context *context); /* NULL is fine */
/* Resumption was switched on, and something else keeps it off: said once for each context. */
void ldc_net_explain_resumption(ldc_net *net, const ldc_tls_context *context);

#endif
