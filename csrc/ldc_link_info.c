/* ldc_link_info.c - see ldc_link_info.h. */
#include "ldc_link_info.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_certificate_text.h"
#include "ldc_error.h"
#include "ldc_text.h"

void ldc_net_clear_link(ldc_link_info *link)
{
    free(link->server_name);
    free(link->peer_subject);
    free(link->ca_names);
    sk_X509_pop_free(link->received, X509_free);
    X509_free(link->own);
    memset(link, 0, sizeof *link);
}

static void swap_in(ldc_net *net, ldc_link_info *info)
{
    pthread_mutex_lock(&net->lock);
    ldc_link_info before = net->link;
    net->link = *info;
    pthread_mutex_unlock(&net->lock);
    ldc_net_clear_link(&before);
}

static uint32_t key_bits(X509 *certificate)
{
    EVP_PKEY *key = certificate == NULL ? NULL : X509_get0_pubkey(certificate);
    int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
    return bits > 0 ? (uint32_t)bits : 0u;
}

/* What both outcomes have: the chain as received, and how it was judged. */
static void fill_chain(ldc_link_info *info, const ldc_tls_link *link)
{
    X509 *leaf = sk_X509_num(link->received) > 0 ? sk_X509_value(link->received, 0) : NULL;
    info->received = link->received == NULL ? NULL : X509_chain_up_ref(link->received);
    info->peer_subject = leaf == NULL ? NULL : ldc_subject_text(leaf);
    info->peer_key_bits = key_bits(leaf);
    info->own_key_bits = key_bits(SSL_get_certificate(link->ssl));
    info->verified = link->judged && !link->failed && !link->overruled;
    info->verify_code = link->code;
    info->revocation = ldc_tls_revocation_text(link);
    info->ocsp = ldc_tls_ocsp_text(link);
    info->certificate_requested = link->certificate_requested;
    info->server_name = ldc_strdup(link->server_name);
}

static void fill_application(ldc_link_info *info, SSL *ssl)
{
    const unsigned char *name = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl, &name, &length);
    if (length < sizeof info->application) {
        memcpy(info->application, name == NULL ? (const unsigned char *)"" : name, length);
    }
}

static void fill_exchange(ldc_link_info *info, SSL *ssl, bool server)
{
    EVP_PKEY *key = NULL;
    if ((server ? SSL_get_tmp_key(ssl, &key) : SSL_get_peer_tmp_key(ssl, &key)) == 1 &&
        key != NULL) {
        int bits = EVP_PKEY_get_bits(key);
        uint32_t size = bits > 0 ? (uint32_t)bits : 0u;
        info->dh_bits = EVP_PKEY_get_base_id(key) == EVP_PKEY_DH ? size : 0u;
        info->ec_bits = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? size : 0u;
    }
    EVP_PKEY_free(key);
    X509 *own = server || info->certificate_requested ? SSL_get_certificate(ssl) : NULL;
    if (own != NULL && X509_up_ref(own) == 1) {
        info->own = own;
        (void)SSL_get_signature_nid(ssl, &info->own_hash);
    }
    (void)SSL_get_peer_signature_nid(ssl, &info->peer_hash);
}

static char *names_text(const STACK_OF(X509_NAME) * names)
{
    ldc_text text;
    ldc_text_init(&text);
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        char *name = ldc_name_text(sk_X509_NAME_value(names, i));
        ldc_text_printf(&text, "%s%s", i > 0 ? "\n" : "", name == NULL ? "" : name);
        free(name);
    }
    return ldc_text_take(&text);
}

void ldc_link_info_established(ldc_net *net, const ldc_tls_link *link)
{
    ldc_link_info info = {0};
    const SSL_CIPHER *cipher = SSL_get_current_cipher(link->ssl);
    info.suite = cipher == NULL ? 0 : SSL_CIPHER_get_protocol_id(cipher);
    info.resumed = link->resumed;
    snprintf(info.version, sizeof info.version, "%s", SSL_get_version(link->ssl));
    int group = (int)SSL_get_negotiated_group(link->ssl);
    const char *name = group == 0 ? NULL : SSL_group_to_name(link->ssl, group);
    snprintf(info.group, sizeof info.group, "%s", name == NULL ? "" : name);
    if (!link->context->server && link->certificate_requested) {
        info.ca_names = names_text(SSL_get0_peer_CA_list(link->ssl));
    }
    fill_chain(&info, link);
    fill_application(&info, link->ssl);
    fill_exchange(&info, link->ssl, link->context->server);
    ERR_clear_error();
    swap_in(net, &info);
}

void ldc_link_info_failed(ldc_net *net, const ldc_tls_link *link)
{
    ldc_link_info info = {0};
    if (link == NULL) {
        return;
    }
    fill_chain(&info, link);
    info.verified = false;
    ERR_clear_error();
    swap_in(net, &info);
}
