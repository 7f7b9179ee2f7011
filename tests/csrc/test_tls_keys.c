/* test_tls_keys.c - where keys come from: URIs and what is shown of them, texts that are something
 * else, passwords, providers, copies of a net's choice. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ldc_error.h"
#include "ldc_tls_keylog.h"
#include "ldc_tls_keys.h"
#include "unit.h"

static void check_shown(const char *uri, const char *expected)
{
    char *shown = ldc_tls_uri_shown(uri);
    CHECK_STR(shown, expected);
    free(shown);
}

TEST(pin_of_a_uri_is_never_shown)
{
    check_shown("pkcs11:token=a;object=b", "pkcs11:token=a;object=b");
    check_shown("pkcs11:object=b?pin-value=1234", "pkcs11:object=b?pin-value=***");
    check_shown("pkcs11:a?pin-value=1234&module-name=x", "pkcs11:a?pin-value=***&module-name=x");
    check_shown("pkcs11:a?pin-value=12&pin-value=34", "pkcs11:a?pin-value=***&pin-value=***");
    check_shown("pkcs11:a?pin-value=", "pkcs11:a?pin-value=***");
    check_shown("pkcs11:a?pin-source=file:/x", "pkcs11:a?pin-source=file:/x");
}

TEST(paths_are_no_uris)
{
    static const char *const paths[] = {"",
                                        "key.pem",
                                        "/a/b:c",
                                        "a:b",
                                        "C:/k",
                                        "./pkcs11:a",
                                        ":x",
                                        "file:key.pem",
                                        "1a:b",
                                        "PKCS11:a",
                                        "none-such-scheme:x"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        CHECK(!ldc_tls_is_uri(paths[i]));
    }
    CHECK(!ldc_tls_is_uri(NULL));
    CHECK(ldc_tls_is_uri("pkcs11:token=a"));
    CHECK(ldc_tls_is_uri("pkcs11:"));
}

TEST(pkcs12_is_told_by_its_beginning_however_short_the_text_is)
{
    static const unsigned char store[] = {0x30, 0x82, 0x05, 0x00, 0x02, 0x01, 0x03, 0x30, 0x82};
    static const unsigned char endless[] = {0x30, 0x80, 0x02, 0x01, 0x03, 0x30, 0x80};
    static const unsigned char key[] = {0x30, 0x82, 0x05, 0x00, 0x02, 0x01, 0x00, 0x30, 0x0d};
    static const unsigned char lying[] = {0x30, 0xff, 0x02, 0x01, 0x03, 0x30};
    CHECK(ldc_tls_is_pkcs12(store, sizeof store));
    CHECK(ldc_tls_is_pkcs12(endless, sizeof endless));
    CHECK(!ldc_tls_is_pkcs12(key, sizeof key));
    CHECK(!ldc_tls_is_pkcs12(lying, sizeof lying));
    for (size_t size = 0; size < sizeof store - 1; size++) {
        unsigned char *exact = malloc(size + 1); /* so that a sanitizer sees a read past its end */
        if (CHECK(exact != NULL)) {
            memcpy(exact, store, size);
            CHECK(!ldc_tls_is_pkcs12(exact, size));
            (void)ldc_tls_looks_like(exact, size, true);
        }
        free(exact);
    }
}

static bool looks(const char *text, bool key, const char *word)
{
    const char *said = ldc_tls_looks_like((const unsigned char *)text, strlen(text), key);
    return word[0] == '\0' ? said[0] == '\0' : strstr(said, word) != NULL;
}

TEST(text_that_is_something_else_is_named)
{
    CHECK(looks("", false, "empty"));
    CHECK(looks("-----BEGIN PRIVATE KEY-----\n", false, "no certificate"));
    CHECK(looks("-----BEGIN PRIVATE KEY-----\n", true, ""));
    CHECK(looks("-----BEGIN CERTIFICATE-----\n", true, "certificate only"));
    CHECK(looks("-----BEGIN CERTIFICATE REQUEST-----\n", false, "request"));
    CHECK(looks("-----BEGIN OPENSSH PRIVATE KEY-----\n", true, "ssh-keygen"));
    CHECK(looks("nonsense", false, ""));
    CHECK(looks("0\x03\x02\x01\x05", false, "DER"));
}

static int answers;
static int answer_length;

static int answer(void *arg, char *buffer, int size)
{
    (void)arg;
    answers++;
    if (answer_length <= size) {
        memset(buffer, 'x', answer_length > 0 ? (size_t)answer_length : 0);
    }
    return answer_length;
}

TEST(password_is_asked_for_once_and_its_length_is_checked)
{
    static const struct {
        int length;
        int given; /* to somebody with room for 100 */
    } cases[] = {
        {4, 4}, {0, -1}, {-1, -1}, {101, -1}, {LDC_PASSWORD_SIZE, -1}, {LDC_PASSWORD_SIZE + 1, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ldc_tls_password password = {.ask = answer};
        char buffer[100];
        answers = 0;
        answer_length = cases[i].length;
        CHECK_INT(ldc_tls_password_give(buffer, sizeof buffer, 0, &password), cases[i].given);
        CHECK_INT(ldc_tls_password_give(buffer, sizeof buffer, 0, &password), cases[i].given);
        CHECK_INT(answers, 1);
        CHECK(password.none == (cases[i].length <= 0));
        CHECK(password.too_long == (cases[i].length > 100));
    }
    ldc_tls_password nobody = {.ask = NULL};
    char buffer[8];
    CHECK_INT(ldc_tls_password_give(buffer, sizeof buffer, 0, &nobody), -1);
    CHECK(nobody.none);
}

/* A token may open all the same. */
TEST(password_that_is_none_or_too_long_has_a_digest_like_an_empty_one)
{
    ldc_tls_password empty = {.asked = true, .none = true};
    ldc_tls_password none = {.asked = true, .none = true, .length = -1};
    ldc_tls_password longer = {.asked = true, .too_long = true, .length = LDC_PASSWORD_SIZE * 4};
    unsigned char digests[3][LDC_DIGEST];
    CHECK_INT(ldc_tls_library_start(), DICOM_SUCCESS);
    CHECK(ldc_tls_password_digest(&empty, digests[0]));
    CHECK(ldc_tls_password_digest(&none, digests[1]));
    CHECK(ldc_tls_password_digest(&longer, digests[2]));
    CHECK(memcmp(digests[0], digests[1], LDC_DIGEST) == 0);
    CHECK(memcmp(digests[0], digests[2], LDC_DIGEST) == 0);
}

TEST(token_is_not_given_the_same_pin_twice)
{
    ldc_tls_password password = {.ask = answer, .once = true};
    char buffer[100];
    answer_length = 6;
    CHECK_INT(ldc_tls_password_give(buffer, sizeof buffer, 0, &password), 6);
    CHECK_INT(ldc_tls_password_give(buffer, sizeof buffer, 0, &password), -1);
}

TEST(provider_is_loaded_once_and_never_with_other_parameters)
{
    CHECK_INT(ldc_tls_provider_load("legacy", NULL, NULL), DICOM_SUCCESS);
    CHECK_INT(ldc_tls_provider_load("legacy", NULL, ""), DICOM_SUCCESS);
    CHECK_INT(ldc_tls_provider_load("legacy", "/other.so", NULL), DICOM_ERROR_INVALID_STATE);
    CHECK_INT(ldc_tls_provider_load("legacy", NULL, "a=b"), DICOM_ERROR_INVALID_STATE);
    CHECK_INT(ldc_tls_provider_load(NULL, NULL, NULL), DICOM_ERROR_PARAMETER);
    CHECK_INT(ldc_tls_provider_load("", NULL, NULL), DICOM_ERROR_PARAMETER);
    CHECK_INT(ldc_tls_provider_load("a\nb", NULL, NULL), DICOM_ERROR_PARAMETER);
    CHECK_INT(ldc_tls_provider_load("x", "/a\nactivate = 1", NULL), DICOM_ERROR_PARAMETER);
    CHECK_INT(ldc_tls_provider_load("x", NULL, "no value"), DICOM_ERROR_PARAMETER);
    CHECK_INT(ldc_tls_provider_load("x", NULL, "=v"), DICOM_ERROR_PARAMETER);
    CHECK_INT(ldc_tls_provider_load("x", NULL, "a=b\rc"), DICOM_ERROR_PARAMETER);
    CHECK_INT(ldc_tls_provider_load("x", "/nowhere/x.so", "a=\"$ENV::HOME\\"),
              DICOM_ERROR_TLS_FAILURE);
}

TEST(copy_of_a_choice_owns_what_it_has)
{
    ldc_tls_choice choice;
    ldc_tls_choice copy;
    char file[] = "/tmp/ltdic-keylog-XXXXXX";
    int fd = mkstemp(file);
    ldc_tls_choice_init(&choice);
    choice.expected_host = ldc_strdup("host.example");
    CHECK_INT(ldc_tls_keylog_open(file, &choice.keylog), DICOM_SUCCESS);
    CHECK(ldc_tls_choice_copy(&copy, &choice));
    ldc_tls_choice_clear(&choice);
    CHECK_STR(copy.expected_host, "host.example");
    CHECK(copy.keylog != NULL && copy.send_ca_names && copy.ciphers[0] != 0);
    ldc_tls_choice_clear(&copy);
    close(fd);
    remove(file);
}
