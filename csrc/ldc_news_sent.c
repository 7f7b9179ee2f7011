/*
 * ldc_news_sent.c - PDUs that have left and that OnSend has not heard of, in little memory: they
 * are joined to one news, equal ones that follow each other in one run.
 *
 * They can pile up as nothing else can: a C-FIND override that sends matches keeps OnSend waiting
 * until it returns, and nobody else's backpressure holds it up.
 */
#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ldc_news.h"

enum {
    FIRST_RUNS = 16,
    MOST_RUNS = 128 * 1024
};

typedef struct run {
    uint32_t length;
    uint32_t times;
    uint8_t type;
} run;

typedef struct ldc_sent {
    size_t at, count, capacity;
    uint64_t left_out;
    run runs[];
} ldc_sent;

static bool same(const run *one, const ldc_news *news)
{
    return one->type == news->type && one->length == news->length && one->times < UINT32_MAX;
}

/* Room for one more run: what has been told makes some. */
static bool reserve(ldc_news *news)
{
    ldc_sent *sent = news->sent;
    if (sent != NULL && sent->count == sent->capacity && sent->at > sent->capacity / 2) {
        sent->count -= sent->at;
        memmove(sent->runs, sent->runs + sent->at, sent->count * sizeof *sent->runs);
        sent->at = 0;
    }
    if (sent != NULL && sent->count < sent->capacity) {
        return true;
    }
    size_t capacity = sent == NULL ? FIRST_RUNS : sent->capacity * 2;
    ldc_sent *larger = realloc(sent, sizeof *sent + capacity * sizeof *sent->runs);
    if (larger == NULL) {
        return false;
    }
    if (sent == NULL) {
        memset(larger, 0, sizeof *larger);
    }
    larger->capacity = capacity;
    news->sent = larger;
    return true;
}

bool ldc_news_join(ldc_news *first, const ldc_news *next)
{
    if (first->kind != LDC_NEWS_SENT || next->kind != LDC_NEWS_SENT) {
        return false;
    }
    ldc_sent *sent = first->sent;
    run *last = sent == NULL || sent->at == sent->count ? NULL : &sent->runs[sent->count - 1];
    if (last != NULL && same(last, next)) {
        last->times++;
        return true;
    }
    if (sent != NULL && sent->count - sent->at >= MOST_RUNS) {
        sent->left_out++;
        return true;
    }
    if (!reserve(first)) {
        return false;
    }
    first->sent->runs[first->sent->count++] =
        (run){.length = next->length, .times = 1, .type = next->type};
    return true;
}

bool ldc_news_has_more(const ldc_news *news)
{
    return news->sent != NULL && news->sent->at < news->sent->count;
}

bool ldc_news_go_on(ldc_news *news)
{
    if (!ldc_news_has_more(news)) {
        return false;
    }
    ldc_sent *sent = news->sent;
    run *next = &sent->runs[sent->at];
    news->type = next->type;
    news->length = next->length;
    next->times--;
    sent->at += next->times == 0 ? 1u : 0u;
    return true;
}

uint64_t ldc_news_left_out(const ldc_news *news)
{
    return news->sent == NULL ? 0 : news->sent->left_out;
}
