/* api_tls_rules.h - what the public functions about TLS rules share: api_tls_rules.c. */
#ifndef API_TLS_RULES_H
#define API_TLS_RULES_H

#include <stdbool.h>

#include "ldc_net.h"
#include "ldc_tls_rules.h"

/* Gives the net a copy of its rules that `change` has changed; false of it: no memory. 0 or code.
 */
int api_change_rules(HDICOMNET handle, const char *what,
                     int (*change)(ldc_tls_rules *rules, const void *value), const void *value);

/* Replaces an owned text by a copy, which may be NULL. 0 or code. */
int api_replace_text(char **text, const char *value);

/* Whether the file holds a staple that may be served with these credentials, NULL = the net's own
 * (if it has none yet, that it holds one must do). 0 or code. (api_tls_revocation.c) */
int api_try_staple(HDICOMNET handle, const char *file, const ldc_tls_credentials *credentials);

/* Loads a certificate and its key, asking the net's password callback; no lock is held meanwhile. A
 * reference that is not held. 0 or code. (api_tls.c) */
int api_load_credentials(HDICOMNET handle, const ldc_tls_source *certificate, int type,
                         const ldc_tls_source *key, ldc_tls_credentials **credentials);

#endif
