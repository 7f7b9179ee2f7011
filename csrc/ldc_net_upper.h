/* ldc_net_upper.h - from a handle to the upper layer of its connection, for the public functions.
 */
#ifndef LDC_NET_UPPER_H
#define LDC_NET_UPPER_H

#include "ldc_conn.h"
#include "ldc_upper.h"

/* References to the net and its connection; NULL: *rc says why (code: it is not connected), nothing
 * is held. */
ldc_conn *ldc_net_upper_acquire(HDICOMNET handle, int code, ldc_net **net, int *rc);
void ldc_net_upper_release(ldc_net *net, ldc_conn *conn);
/* TRANSFER_SYNTAX_NOT_SUPPORTED: the data set is in another syntax than its context. */
int ldc_net_check_syntax(ldc_upper *upper, uint8_t context, const ldc_dataset *data);
/* User code has answered the request that it is being told (0: an association request). */
void ldc_net_answered(ldc_net *net, uint16_t id);

#endif
