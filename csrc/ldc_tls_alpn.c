/*
 * ldc_tls_alpn.c - the application protocol "dicom" (RFC 7301; IANA's name for DICOM).
 *
 * Off: nothing is offered, and what clients offer is not answered. Offered: taken where both have
 * it. What else happens at a server is its own setting: nothing, or no_application_protocol.
 */
#include <openssl/tls1.h>
#include <string.h>

#include "ldc_text.h"
#include "ldc_tls_rules.h"

enum {
    SHOWN_BYTES = 200
};

static const unsigned char dicom[] = {5, 'd', 'i', 'c', 'o', 'm'}; /* with its length */

static int mode_of(const ldc_tls_context *context)
{
    return context->rules == NULL ? DICOM_TLS_ALPN_OFF : context->rules->alpn;
}

/* What a client offers, for records. */
static char *list_text(const unsigned char *list, size_t length)
{
    ldc_text text;
    ldc_text_init(&text);
    for (size_t at = 0; at < length && text.length < SHOWN_BYTES;) {
        size_t size = list[at++];
        size = size > length - at ? length - at : size;
        ldc_text_append_string(&text, text.length > 0 ? ", " : "");
        ldc_text_append_printable(&text, (const char *)list + at, size);
        at += size;
    }
    return ldc_text_take(&text);
}

static int choose(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
                  const unsigned char *list, unsigned length, void *unused)
{
    (void)unused;
    ldc_tls_link *link = SSL_get_ex_data(ssl, ldc_tls_link_index());
    if (link == NULL) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    for (size_t at = 0; at < length; at += 1u + list[at]) {
        if (length - at >= sizeof dicom && memcmp(list + at, dicom, sizeof dicom) == 0) {
            *chosen = dicom + 1;
            *chosen_length = dicom[0];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    if (mode_of(link->context) == DICOM_TLS_ALPN_OFFER) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    link->alpn_refused = true;
    if (link->protocols == NULL) {
        link->protocols = list_text(list, length);
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool ldc_tls_alpn_set_up(ldc_tls_context *context)
{
    if (mode_of(context) == DICOM_TLS_ALPN_OFF) {
        return true;
    }
    if (context->server) {
        SSL_CTX_set_alpn_select_cb(context->ctx, choose, NULL);
        return true;
    }
    return SSL_CTX_set_alpn_protos(context->ctx, dicom, sizeof dicom) == 0;
}

bool ldc_tls_alpn_greet(ldc_tls_link *link)
{
    const unsigned char *bytes = NULL;
    size_t length = 0;
    link->alpn_refused =
        mode_of(link->context) == DICOM_TLS_ALPN_REQUIRE &&
        SSL_client_hello_get0_ext(link->ssl, TLSEXT_TYPE_application_layer_protocol_negotiation,
                                  &bytes, &length) != 1;
    return !link->alpn_refused;
}

bool ldc_tls_alpn_accept(ldc_tls_link *link)
{
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    int mode = mode_of(link->context);
    SSL_get0_alpn_selected(link->ssl, &chosen, &length);
    bool agreed = length == dicom[0] && memcmp(chosen, dicom + 1, length) == 0;
    if (agreed ? mode == DICOM_TLS_ALPN_OFF : length > 0 || mode == DICOM_TLS_ALPN_REQUIRE) {
        link->alpn_refused = true;
        if (length > 0 && !agreed) {
            unsigned char one[256];
            one[0] = (unsigned char)length;
            memcpy(one + 1, chosen, length > 255 ? 255 : length);
            link->protocols = list_text(one, 1u + (length > 255 ? 255 : length));
        }
        return false;
    }
    return true;
}
