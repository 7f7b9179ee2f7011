/*
 * ldc_conn_inbox.c - what the upper layer has to tell, on its way to user code: counted, so that
 * reading can stop in time, and held back while the peer has more requests open than was agreed.
 */
#include "ldc_conn_inner.h"

/* While a call waits for a response, perhaps in the very callback that the others wait for, only
 * bytes count: each news has some. */
bool ldc_conn_inbox_full(ldc_conn *conn)
{
    return (atomic_load(&conn->inbox_count) > INBOX_MESSAGES && atomic_load(&conn->waiting) == 0) ||
           atomic_load(&conn->inbox_bytes) > INBOX_BYTES;
}

void ldc_conn_told(ldc_conn *conn, uint64_t cost)
{
    (void)atomic_fetch_sub(&conn->inbox_count, 1u);
    (void)atomic_fetch_sub(&conn->inbox_bytes, cost);
    ldc_conn_look_at_inbox(conn);
}

void ldc_conn_look_at_inbox(ldc_conn *conn)
{
    if (atomic_load(&conn->paused) && !ldc_conn_inbox_full(conn)) {
        ldc_actor_post(&conn->actor, LDC_CONN_RESUME);
    }
}

/* A request that user code will answer. Nobody waits for answers of callbacks that are not there.
 */
static bool is_operation(const DICOMNETCALLBACK *callbacks, const ldc_news *news)
{
    return news->kind == LDC_NEWS_MESSAGE && ldc_window_counts(&news->command) &&
           ldc_news_answered(callbacks, news);
}

/* News that waits for nothing: it is told out of turn, or is not about what the peer wants. */
static bool passes(const ldc_news *news)
{
    return news->kind == LDC_NEWS_SENT ||
           (news->kind == LDC_NEWS_MESSAGE && news->command.field == COMMAND_C_CANCEL);
}

/* Whether it is the turn of this news; a request is entered as being performed then. */
static bool may_go(ldc_conn *conn, const ldc_news *news)
{
    return !news->operation || ldc_upper_perform(conn->upper, &news->command);
}

/* ---- answers that need no user code ---- */

static void answer_echo(ldc_conn *conn, const ldc_news *news)
{
    ldc_command response;
    ldc_command_fault fault;
    if (ldc_command_c_echo_rsp(&response, news->command.message_id, news->command.affected_class,
                               COMMAND_STATUS_SUCCESS, &fault) == DICOM_SUCCESS) {
        (void)ldc_upper_send(conn->upper, news->context, &response, NULL, LDC_SENDER_LIBRARY);
        ldc_command_free(&response);
    }
}

/* true: answered, and nobody wants to hear of it. */
static bool answered(ldc_conn *conn, const ldc_news *news, bool heard)
{
    if (news->kind == LDC_NEWS_MESSAGE) {
        answer_echo(conn, news);
        return !heard;
    }
    /* What came before a release is told, and answered, first: then ldc_delivery_tell.c does. */
    if (atomic_load(&conn->inbox_count) > 0 || ldc_upper_performs(conn->upper)) {
        return false;
    }
    (void)ldc_upper_release(conn->upper, false);
    return true;
}

/* ---- taking ---- */

void ldc_conn_take_news(void *owner, ldc_news *news, uint64_t cost)
{
    ldc_conn *conn = owner;
    if (news->kind == LDC_NEWS_ASSOCIATE_ACCEPT) {
        ldc_failure failure;
        ldc_failure_init(&failure);
        if (ldc_upper_nothing_agreed(conn->upper, &failure)) {
            ldc_net_report(conn->net, &failure, NULL, 0, false);
        }
        ldc_failure_clear(&failure);
    }
    if (ldc_conn_take_awaited(conn, news)) {
        ldc_news_free(news);
        return;
    }
    pthread_mutex_lock(&conn->net->lock);
    const DICOMNETCALLBACK *callbacks = &conn->net->callbacks;
    bool wanted = ldc_news_wanted(callbacks, news);
    bool heard = callbacks->pfnReceiveData != NULL;
    bool automatic = ldc_news_automatic(callbacks, conn->net->auto_respond, news);
    news->operation = is_operation(callbacks, news);
    pthread_mutex_unlock(&conn->net->lock);
    if (!wanted || (automatic && answered(conn, news, heard))) {
        ldc_news_free(news);
        return;
    }
    (void)atomic_fetch_add(&conn->inbox_count, 1u);
    (void)atomic_fetch_add(&conn->inbox_bytes, cost);
    news->cost = cost;
    if (passes(news) || (conn->gate_first == NULL && may_go(conn, news))) {
        ldc_deliver_news(conn->net, conn, news, cost);
        return;
    }
    news->next = NULL;
    if (conn->gate_last == NULL) {
        conn->gate_first = news;
    } else {
        conn->gate_last->next = news;
    }
    conn->gate_last = news;
}

void ldc_conn_open_gate(ldc_conn *conn, bool all)
{
    while (conn->gate_first != NULL && (all || may_go(conn, conn->gate_first))) {
        ldc_news *news = conn->gate_first;
        conn->gate_first = news->next;
        conn->gate_last = conn->gate_first == NULL ? NULL : conn->gate_last;
        news->next = NULL;
        ldc_deliver_news(conn->net, conn, news, news->cost);
    }
}

void ldc_conn_drop_gate(ldc_conn *conn)
{
    while (conn->gate_first != NULL) {
        ldc_news *news = conn->gate_first;
        conn->gate_first = news->next;
        ldc_news_free(news);
    }
    conn->gate_last = NULL;
}
