/* ldc_link_info.h - what a net keeps of its TLS link for look-ups: suite, version, group, peer's
 * chain, verdict. */
#ifndef LDC_LINK_INFO_H
#define LDC_LINK_INFO_H

#include "ldc_net.h"

void ldc_link_info_established(ldc_net *net, const ldc_tls_link *link);
/* After a failed handshake: no suite, but the chain that was received stays to be looked at. */
void ldc_link_info_failed(ldc_net *net, const ldc_tls_link *link);

#endif
