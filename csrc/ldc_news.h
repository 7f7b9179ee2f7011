/*
 * ldc_news.h - what the upper layer has to tell user code: one PDU or one DIMSE message, with all
 * that the callback needs.
 *
 * News is made on a connection's strand, travels in an event, and is freed when it has been told.
 */
#ifndef LDC_NEWS_H
#define LDC_NEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_command.h"
#include "ldc_dataset.h"
#include "ltdic.h"

typedef enum ldc_news_kind {
    LDC_NEWS_PDU,     /* RECEIVECALLBACK: raw */
    LDC_NEWS_UNKNOWN, /* the same for a type that is not known */
    LDC_NEWS_SENT,    /* SENDCALLBACK */
    LDC_NEWS_ASSOCIATE_REQUEST,
    LDC_NEWS_ASSOCIATE_ACCEPT,
    LDC_NEWS_ASSOCIATE_REJECT,
    LDC_NEWS_RELEASE_REQUEST,
    LDC_NEWS_RELEASE_RESPONSE,
    LDC_NEWS_ABORT,
    LDC_NEWS_MESSAGE, /* RECEIVEDATACALLBACK, then the message's own */
    LDC_NEWS_CHUNK,   /* RECEIVECHUNKCALLBACK: raw, context, id, chunk */
} ldc_news_kind;

typedef struct ldc_news {
    struct ldc_news *next; /* the upper layer's */
    uint64_t cost;         /* likewise */
    bool operation;        /* the connection's: a request that user code will answer */
    ldc_news_kind kind;
    uint8_t type; /* PDU, SENT: PDU_... */
    uint8_t result, source, reason;
    uint32_t length;       /* SENT */
    struct ldc_sent *sent; /* SENT, owned: PDUs that have left after it, ldc_news_sent.c */
    HDICOMPDU associate;   /* owned */
    uint8_t *raw;          /* owned: PDU, CHUNK */
    size_t raw_length;
    uint16_t id;            /* CHUNK: of its message */
    uint32_t chunk;         /* CHUNK: DICOM_CHUNK_... */
    uint8_t context;        /* CHUNK; MESSAGE, to the end */
    ldc_command command;    /* owned */
    uint8_t *command_bytes; /* owned: as received */
    size_t command_length;
    ldc_dataset *data; /* reference, NULL = none */
} ldc_news;

ldc_news *ldc_news_new(ldc_news_kind kind); /* NULL = out of memory */
void ldc_news_free(ldc_news *news);
/* Whether the callbacks want it at all. */
bool ldc_news_wanted(const DICOMNETCALLBACK *callbacks, const ldc_news *news);
/* Whether the library answers it: DICOM_AUTO_RESPOND_... asks for it, and no callback is there. */
bool ldc_news_automatic(const DICOMNETCALLBACK *callbacks, uint32_t automatic,
                        const ldc_news *news);
/* Whether there is a callback that answers this request. */
bool ldc_news_answered(const DICOMNETCALLBACK *callbacks, const ldc_news *news);
/* SENT: `first` takes over what `next` tells, to be told after it. false: it is of another kind, or
 * there is no memory. What is past a limit is only counted. */
bool ldc_news_join(ldc_news *first, const ldc_news *next);
/* SENT: the next of the PDUs that were joined becomes the one to be told. false: there was none. */
bool ldc_news_go_on(ldc_news *news);
bool ldc_news_has_more(const ldc_news *news);     /* go_on will give true */
uint64_t ldc_news_left_out(const ldc_news *news); /* SENT: how many were only counted */
/* Calls what there is to be called. User code runs: no lock may be held. */
void ldc_news_tell(HDICOMNET net, const DICOMNETCALLBACK *callbacks, ldc_news *news,
                   const char *folder);

#endif
