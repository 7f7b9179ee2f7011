/* ldc_tls_names.c - see ldc_tls_names.h. */
#include "ldc_tls_names.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "ldc_address.h"
#include "ldc_text.h"

enum {
    LONGEST_NAME = 253,
    LONGEST_LABEL = 63,
    SHOWN_NAMES = 16,
    SHOWN_CHARS = 200
};

/* ---- DNS names ---- */

static bool label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* What is left of a label: its length, 0 = no label. */
static size_t label_length(const char *label)
{
    size_t length = 0;
    while (label_char(label[length])) {
        length++;
    }
    return length > LONGEST_LABEL || label[0] == '-' || (length > 0 && label[length - 1] == '-')
               ? 0
               : length;
}

bool ldc_dns_name(const char *text, size_t length, bool pattern, char name[LDC_DNS_NAME])
{
    memset(name, 0, LDC_DNS_NAME);
    if (length > 0 && text[length - 1] == '.') {
        length--;
    }
    if (length == 0 || length > LONGEST_NAME) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
    }
    name[length] = '\0';
    const char *label = pattern && strncmp(name, "*.", 2) == 0 ? name + 2 : name;
    bool number;
    for (;;) {
        size_t here = label_length(label);
        if (here == 0) {
            return false;
        }
        number = strspn(label, "0123456789") == here;
        label += here;
        if (*label != '.') {
            break;
        }
        label++;
    }
    /* A NUL inside ends the labels before the end; a number at the end is an address ("127.1"). */
    return label == name + length && !number;
}

bool ldc_host_name(const char *text, char name[LDC_DNS_NAME])
{
    ldc_address address;
    char shown[LDC_ADDRESS_TEXT];
    unsigned port;
    _Static_assert((int)LDC_ADDRESS_TEXT <= (int)LDC_DNS_NAME, "an address fits into a name");
    if (!ldc_address_literal(text, 0, &address)) {
        return ldc_dns_name(text, strlen(text), false, name);
    }
    ldc_address_text(&address, shown, &port);
    size_t length = strcspn(shown, "%");
    memset(name, 0, LDC_DNS_NAME);
    memcpy(name, shown, length);
    return length > 0;
}

bool ldc_dns_matches(const char *pattern, const char *name)
{
    if (strncmp(pattern, "*.", 2) != 0) {
        return strcmp(pattern, name) == 0;
    }
    const char *rest = strchr(name, '.');
    return rest != NULL && rest != name && strcmp(pattern + 1, rest) == 0;
}

/* ---- ClientHello ---- */

static size_t number_at(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

ldc_sni ldc_sni_parse(const unsigned char *extension, size_t length, char name[LDC_DNS_NAME])
{
    /* ServerNameList: its length, then of each name the type (0 = host name), the length, the
     * bytes. There is one name of a type, and one type. */
    if (length < 5 || number_at(extension) != length - 2 || extension[2] != 0 ||
        number_at(extension + 3) != length - 5) {
        return LDC_SNI_STRANGE;
    }
    return ldc_dns_name((const char *)extension + 5, length - 5, false, name) ? LDC_SNI_NAME
                                                                              : LDC_SNI_STRANGE;
}

/* ---- certificates ---- */

static GENERAL_NAMES *names_of(X509 *certificate)
{
    ERR_set_mark();
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    ERR_pop_to_mark();
    return names;
}

static const char *bytes_of(const ASN1_STRING *string, size_t *length)
{
    int bytes = ASN1_STRING_length(string);
    *length = bytes > 0 ? (size_t)bytes : 0;
    return (const char *)ASN1_STRING_get0_data(string);
}

char *ldc_certificate_dns_names(X509 *certificate)
{
    char name[LDC_DNS_NAME];
    ldc_text text;
    ldc_text_init(&text);
    GENERAL_NAMES *names = names_of(certificate);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        size_t length;
        if (one->type == GEN_DNS) {
            const char *bytes = bytes_of(one->d.dNSName, &length);
            if (ldc_dns_name(bytes, length, true, name)) {
                ldc_text_printf(&text, "%s%s", text.length > 0 ? " " : "", name);
            }
        }
    }
    GENERAL_NAMES_free(names);
    return ldc_text_take(&text);
}

static void append_address(ldc_text *text, const ASN1_OCTET_STRING *address)
{
    size_t length;
    const unsigned char *bytes = (const unsigned char *)bytes_of(address, &length);
    ldc_address made = {.length = sizeof made.storage};
    char shown[LDC_ADDRESS_TEXT] = "?";
    unsigned port;
    if (length == 4) {
        struct sockaddr_in *four = (struct sockaddr_in *)(void *)&made.storage;
        four->sin_family = AF_INET;
        memcpy(&four->sin_addr, bytes, 4);
        made.length = sizeof *four;
        ldc_address_text(&made, shown, &port);
    } else if (length == 16) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&made.storage;
        six->sin6_family = AF_INET6;
        memcpy(&six->sin6_addr, bytes, 16);
        made.length = sizeof *six;
        ldc_address_text(&made, shown, &port);
    }
    ldc_text_append_string(text, shown);
}

static void append_name(ldc_text *text, const GENERAL_NAME *one)
{
    const char *kind = one->type == GEN_DNS     ? "DNS "
                       : one->type == GEN_IPADD ? "IP address "
                       : one->type == GEN_EMAIL ? "e-mail "
                                                : "URI ";
    ldc_text_printf(text, "%s%s", text->length > 0 ? ", " : "", kind);
    if (one->type == GEN_IPADD) {
        append_address(text, one->d.iPAddress);
        return;
    }
    size_t length;
    const char *bytes = bytes_of(one->d.ia5, &length);
    ldc_text_append_printable(text, bytes, length > SHOWN_CHARS ? SHOWN_CHARS : length);
}

char *ldc_certificate_names_text(X509 *certificate)
{
    ldc_text text;
    ldc_text_init(&text);
    GENERAL_NAMES *names = names_of(certificate);
    int count = sk_GENERAL_NAME_num(names);
    for (int i = 0; i < count && i < SHOWN_NAMES; i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if (one->type == GEN_DNS || one->type == GEN_IPADD || one->type == GEN_EMAIL ||
            one->type == GEN_URI) {
            append_name(&text, one);
        }
    }
    if (count > SHOWN_NAMES) {
        ldc_text_printf(&text, " and %d more", count - SHOWN_NAMES);
    }
    GENERAL_NAMES_free(names);
    return ldc_text_take(&text);
}

bool ldc_certificate_email_in_subject(X509 *certificate, const char *email)
{
    return X509_check_email(certificate, email, 0, 0) == 1 &&
           X509_check_email(certificate, email, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT) != 1;
}

bool ldc_certificate_has_uri(X509 *certificate, const char *uri)
{
    GENERAL_NAMES *names = names_of(certificate);
    size_t wanted = strlen(uri);
    bool found = false;
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        size_t length;
        if (one->type == GEN_URI) {
            const char *bytes = bytes_of(one->d.uniformResourceIdentifier, &length);
            found = length == wanted && memcmp(bytes, uri, wanted) == 0;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}
