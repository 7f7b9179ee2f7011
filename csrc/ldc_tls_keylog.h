/* ldc_tls_keylog.h - secrets of TLS links in a file, for those who were told to do so. */
#ifndef LDC_TLS_KEYLOG_H
#define LDC_TLS_KEYLOG_H

#include <openssl/ssl.h>

#include "ldc_registry.h"
#include "ldc_tls_cache.h"

typedef struct ldc_tls_keylog {
    ldc_ref ref;
    int fd;     /* owned */
    char *file; /* owned */
} ldc_tls_keylog;

/* Opens or makes the file. 0 or code. */
int ldc_tls_keylog_open(const char *file, ldc_tls_keylog **keylog);
/* A context with a keylog is shared with nobody who has none, or another. */
void ldc_tls_keylog_digest(ldc_digest *digest, const ldc_tls_keylog *keylog);
/* Of a context: NULL = nothing is written, whatever OpenSSL would do by itself. */
void ldc_tls_keylog_apply(SSL_CTX *ctx, const ldc_tls_keylog *keylog);

#endif
