/* ldc_conn_call.h - requests whose response the calling thread waits for; see ldc_conn_call.c. */
#ifndef LDC_CONN_CALL_H
#define LDC_CONN_CALL_H

#include "ldc_conn.h"
#include "ldc_upper.h"

typedef struct ldc_await ldc_await;

/* Sends, and waits up to ms. DICOM_ERROR_NET_TIMEOUT: not yet, ldc_conn_call_on() waits on, or
 * ldc_conn_forget_await() gives up, and the response is told as any other. */
int ldc_conn_call(ldc_conn *conn, uint8_t context, const ldc_command *request, ldc_dataset *data,
                  unsigned ms, uint16_t *status);
int ldc_conn_call_on(ldc_conn *conn, uint16_t id, unsigned ms, uint16_t *status);
void ldc_conn_forget_await(ldc_conn *conn, uint16_t id);

/* Strand: whether somebody waits for this news, and has it now. */
bool ldc_conn_take_awaited(ldc_conn *conn, const ldc_news *news);
void ldc_conn_end_awaits(ldc_conn *conn, int code); /* no response will come any more */
void ldc_conn_awaits_init(ldc_conn *conn);
void ldc_conn_awaits_fini(ldc_conn *conn);
void ldc_conn_call_after_fork(void); /* in the child, on the thread that forked */

#endif
