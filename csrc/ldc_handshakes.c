/*
 * ldc_handshakes.c - unfinished inbound TLS handshakes, oldest first; at a limit the oldest goes,
 * never the newest.
 *
 * An attacker's half-open connections then push out each other, and a proper client gets in.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_conn.h"

typedef struct entry {
    struct entry *next, *before;
    ldc_conn *conn; /* reference */
    ldc_address address;
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry *oldest, *newest;
static size_t count;

static void unlink_entry(entry *item)
{
    *(item->before == NULL ? &oldest : &item->before->next) = item->next;
    *(item->next == NULL ? &newest : &item->next->before) = item->before;
    count--;
}

/* The oldest of this host if it has `limit` or more; the lock is held. */
static entry *over_limit(const ldc_address *address, uint64_t limit)
{
    entry *first = NULL;
    uint64_t same = 0;
    if (limit == 0 || count < limit) {
        return NULL;
    }
    for (entry *item = oldest; item != NULL; item = item->next) {
        if (ldc_address_same_host(&item->address, address)) {
            first = first == NULL ? item : first;
            same++;
        }
    }
    return same >= limit ? first : NULL;
}

void ldc_handshakes_add(ldc_conn *conn, const ldc_address *address, uint64_t per_address,
                        uint64_t total)
{
    entry *item = calloc(1, sizeof *item);
    if (item == NULL) {
        return; /* not counted; its own timer still ends it */
    }
    ldc_conn_ref(conn);
    item->conn = conn;
    item->address = *address;
    pthread_mutex_lock(&lock);
    entry *evicted = over_limit(address, per_address);
    if (evicted == NULL && total != 0 && count >= total) {
        evicted = oldest;
    }
    if (evicted != NULL) {
        unlink_entry(evicted);
    }
    item->before = newest;
    *(newest == NULL ? &oldest : &newest->next) = item;
    newest = item;
    count++;
    pthread_mutex_unlock(&lock);
    if (evicted != NULL) {
        ldc_conn_command(evicted->conn, LDC_CONN_EVICT);
        ldc_conn_put(evicted->conn);
        free(evicted);
    }
}

void ldc_handshakes_remove(ldc_conn *conn)
{
    pthread_mutex_lock(&lock);
    entry *item = oldest;
    while (item != NULL && item->conn != conn) {
        item = item->next;
    }
    if (item != NULL) {
        unlink_entry(item);
    }
    pthread_mutex_unlock(&lock);
    if (item != NULL) {
        ldc_conn_put(item->conn);
        free(item);
    }
}

size_t ldc_handshakes_count(void)
{
    pthread_mutex_lock(&lock);
    size_t result = count;
    pthread_mutex_unlock(&lock);
    return result;
}

void ldc_handshakes_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&lock, &fresh, sizeof fresh);
    oldest = NULL;
    newest = NULL;
    count = 0;
}
