/* ldc_expiry.c - see ldc_expiry.h. */
#include "ldc_expiry.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_log.h"
#include "ldc_tls_rules.h"

enum {
    DAY = 86400,
    KNOWN = 256,          /* certificates that were told of; the oldest is forgotten */
    MOST_AUTHORITIES = 5, /* lines of one look: the CA file may be a system's, with a hundred */
    ENDED = -1
};

static const int steps[] = {1, 7, 30};

/* ---- the clock ---- */

static int64_t (*_Atomic other_clock)(void);

int64_t ldc_expiry_now(void)
{
    int64_t (*clock)(void) = atomic_load(&other_clock);
    return clock != NULL ? clock() : (int64_t)time(NULL);
}

void ldc_expiry_set_clock(int64_t (*clock)(void))
{
    atomic_store(&other_clock, clock);
}

/* ---- what was told ---- */

typedef struct told {
    unsigned char print[EVP_MAX_MD_SIZE]; /* SHA-256 */
    int step;
} told;

static struct book {
    pthread_mutex_t lock;
    told of[KNOWN];
    size_t count, next;
} book = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Whether this step of this certificate is to be told now. */
static bool is_new(const unsigned char *print, unsigned size, int step)
{
    bool new = true;
    pthread_mutex_lock(&book.lock);
    told *known = NULL;
    for (size_t i = 0; i < book.count && known == NULL; i++) {
        known = memcmp(book.of[i].print, print, size) == 0 ? &book.of[i] : NULL;
    }
    if (known != NULL) {
        new = step < known->step;
    } else {
        known = &book.of[book.next];
        book.next = (book.next + 1) % KNOWN;
        book.count += book.count < KNOWN ? 1u : 0u;
        memset(known, 0, sizeof *known);
        memcpy(known->print, print, size);
    }
    if (new) {
        known->step = step;
    }
    pthread_mutex_unlock(&book.lock);
    return new;
}

/* ---- looking ---- */

static int64_t whole_days(int64_t seconds)
{
    return seconds >= 0 ? seconds / DAY : -((-seconds + DAY - 1) / DAY);
}

static void say(uint64_t handle, X509 *certificate, const char *what, bool authority, int64_t ends,
                int64_t days)
{
    char when[64] = "";
    struct tm parts;
    time_t moment = (time_t)ends;
    if (gmtime_r(&moment, &parts) != NULL) {
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &parts);
    }
    char *subject = ldc_subject_text(certificate);
    char *text = days < 0 ? ldc_format("%s %s has ended on %s: renew it", what,
                                       subject == NULL ? "" : subject, when)
                          : ldc_format("%s %s ends in %lld day%s, on %s: renew it", what,
                                       subject == NULL ? "" : subject, (long long)days,
                                       days == 1 ? "" : "s", when);
    DICOMENDING ending = {.uStructSize = sizeof ending,
                          .bAuthority = authority ? 1 : 0,
                          .nDaysLeft = (L_INT)days,
                          .nEnds = ends,
                          .pszSubject = subject == NULL ? "" : subject};
    ldc_log_about about = {.ending = &ending};
    if (text != NULL) {
        ldc_log_about_it(DICOM_LOG_WARNING, handle, text, &about);
    }
    free(text);
    free(subject);
}

/* true: a step of its was reached; told unless `quiet`. */
static bool look(uint64_t handle, X509 *certificate, const char *what, bool authority, bool quiet)
{
    unsigned char print[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    int64_t ends = ldc_tls_time(X509_get0_notAfter(certificate), INT64_MAX);
    if (ends == INT64_MAX || X509_digest(certificate, EVP_sha256(), print, &size) != 1) {
        return false;
    }
    int64_t days = whole_days(ends - ldc_expiry_now());
    int step = INT32_MAX;
    for (size_t i = sizeof steps / sizeof steps[0]; i > 0; i--) {
        step = days <= steps[i - 1] ? steps[i - 1] : step;
    }
    step = days < 0 ? ENDED : step;
    if (step == INT32_MAX || !is_new(print, size, step)) {
        return false;
    }
    if (!quiet) {
        say(handle, certificate, what, authority, ends, days);
    }
    return true;
}

static void look_at_own(uint64_t handle, const ldc_tls_credentials *credentials)
{
    (void)look(handle, credentials->leaf, "our certificate", false, false);
    for (int i = 0; i < sk_X509_num(credentials->chain); i++) {
        (void)look(handle, sk_X509_value(credentials->chain, i), "the certificate of our chain",
                   false, false);
    }
}

static void look_at_authorities(uint64_t handle, STACK_OF(X509) * certificates)
{
    int count = 0;
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        count += look(handle, sk_X509_value(certificates, i), "the certification authority", true,
                      count >= MOST_AUTHORITIES)
                     ? 1
                     : 0;
    }
    if (count > MOST_AUTHORITIES) {
        ldc_log(DICOM_LOG_WARNING, handle,
                "%d more certification authorities of the CA file end soon or have ended",
                count - MOST_AUTHORITIES);
    }
}

void ldc_expiry_look(uint64_t handle, const ldc_tls_credentials *credentials,
                     const ldc_tls_anchors *anchors)
{
    if (credentials != NULL) {
        look_at_own(handle, credentials);
    }
    if (anchors != NULL) {
        look_at_authorities(handle, anchors->certificates);
    }
}

static void look_at_further(const ldc_tls_context *context, void *handle)
{
    if (context->credentials != NULL) {
        look_at_own(*(const uint64_t *)handle, context->credentials);
    }
}

void ldc_expiry_look_at_context(uint64_t handle, ldc_tls_context *context)
{
    int64_t now = ldc_expiry_now();
    int64_t before = atomic_load(&context->looked_at);
    if ((before != 0 && now >= before && now - before < LDC_EXPIRY_EVERY) ||
        !atomic_compare_exchange_strong(&context->looked_at, &before, now)) {
        return;
    }
    if (context->credentials != NULL) {
        look_at_own(handle, context->credentials);
    }
    for (size_t i = 0; context->rules != NULL && i < context->rules->named_count; i++) {
        look_at_own(handle, context->rules->named[i].credentials);
    }
    ldc_tls_sni_each(context->sni, look_at_further, &handle);
    STACK_OF(X509) *anchors = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(context->ctx));
    look_at_authorities(handle, anchors);
    sk_X509_pop_free(anchors, X509_free);
}

void ldc_expiry_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&book.lock, &fresh, sizeof fresh);
}
