/*
 * ldc_tls_provider.c - OpenSSL's providers in our own library context: by explicit call only,
 * and again in a forked child.
 *
 * Parameters can be given to a provider in a configuration only (OpenSSL before 3.2), so a
 * configuration is composed in memory; no file of the host is read.
 */
#include <errno.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ldc_error.h"
#include "ldc_text.h"
#include "ldc_tls_keys.h"

enum {
    MAX_PROVIDERS = 16,
    MAX_NAME = 64
};

static struct loaded {
    pthread_mutex_t lock;
    size_t count;
    struct {
        char name[MAX_NAME + 1];
        char *configuration; /* owned, for as long as the process lives */
    } one[MAX_PROVIDERS];
} loaded = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the configuration ---- */

static bool word(const char *text, size_t length)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return length > 0 && length <= MAX_NAME && strspn(text, allowed) >= length;
}

/* Between quotes nothing has a meaning but the quote and the backslash (config(5)). */
static bool add_value(ldc_text *text, const char *value, size_t length)
{
    ldc_text_append_string(text, "\"");
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)value[i] < ' ') {
            return false;
        }
        ldc_text_printf(text, value[i] == '"' || value[i] == '\\' ? "\\%c" : "%c", value[i]);
    }
    ldc_text_append_string(text, "\"\n");
    return true;
}

static bool add_parameters(ldc_text *text, const char *parameters)
{
    while (parameters[0] != '\0') {
        size_t length = strcspn(parameters, "\n");
        size_t name = strcspn(parameters, "=\n");
        if (name >= length || !word(parameters, name)) {
            return false;
        }
        ldc_text_printf(text, "%.*s = ", (int)name, parameters);
        if (!add_value(text, parameters + name + 1, length - name - 1)) {
            return false;
        }
        parameters += length + (parameters[length] == '\n' ? 1 : 0);
    }
    return true;
}

/* NULL: *rc says why. */
static char *compose(const char *name, const char *module, const char *parameters, int *rc)
{
    ldc_text text;
    ldc_text_init(&text);
    ldc_text_printf(&text,
                    "openssl_conf = ltdic_init\n[ltdic_init]\nproviders = ltdic_providers\n"
                    "[ltdic_providers]\n%s = ltdic_one\n[ltdic_one]\nactivate = 1\n",
                    name);
    bool good = true;
    if (module != NULL && module[0] != '\0') {
        ldc_text_append_string(&text, "module = ");
        good = add_value(&text, module, strlen(module));
    }
    good = good && (parameters == NULL || add_parameters(&text, parameters));
    char *result = ldc_text_take(&text);
    *rc = DICOM_SUCCESS;
    if (result == NULL) {
        *rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "provider");
    } else if (!good) {
        *rc = ldc_error(DICOM_ERROR_PARAMETER,
                        "the parameters of provider %s are not of the form name=value, or have "
                        "control characters in them",
                        name);
        free(result);
        result = NULL;
    }
    return result;
}

/* ---- loading ---- */

static bool activate(OSSL_LIB_CTX *library, const char *name, const char *configuration)
{
    CONF *conf = NCONF_new_ex(library, NULL);
    BIO *bio = BIO_new_mem_buf(configuration, -1);
    bool done = conf != NULL && bio != NULL && NCONF_load_bio(conf, bio, NULL) > 0 &&
                CONF_modules_load(conf, NULL, 0) > 0 && OSSL_PROVIDER_available(library, name) == 1;
    BIO_free(bio);
    NCONF_free(conf);
    return done;
}

/* OpenSSL drops its own reason on the way out of the configuration. */
static int load_error(const char *name, const char *module)
{
    const char *folder = secure_getenv("OPENSSL_MODULES");
    folder = folder == NULL ? OpenSSL_version(OPENSSL_MODULES_DIR) : folder;
    bool own = module != NULL && module[0] != '\0';
    char *file = own ? ldc_format("%s", module) : ldc_format("%s/%s.so", folder, name);
    const char *shown = file == NULL ? name : file;
    int error = access(shown, R_OK) == 0 ? 0 : errno;
    int rc = ldc_error(
        DICOM_ERROR_TLS_FAILURE,
        "OpenSSL provider \"%s\" cannot be loaded: \"%s\": %s. Install it, give the path of its "
        "module, check its parameters.",
        name, shown, error == 0 ? "it is there, but does not start" : strerror(error));
    free(file);
    return rc;
}

/* The lock is held. */
static int load_new(const char *name, const char *module, char *configuration)
{
    if (loaded.count == MAX_PROVIDERS) {
        return ldc_error(DICOM_ERROR_INVALID_STATE, "%d providers are loaded, no more can be",
                         MAX_PROVIDERS);
    }
    ERR_clear_error();
    if (!activate(ldc_tls_library(), name, configuration)) {
        ERR_clear_error();
        return load_error(name, module);
    }
    ERR_clear_error();
    snprintf(loaded.one[loaded.count].name, sizeof loaded.one[0].name, "%s", name);
    loaded.one[loaded.count].configuration = configuration;
    loaded.count++;
    return DICOM_SUCCESS;
}

int ldc_tls_provider_load(const char *name, const char *module, const char *parameters)
{
    int rc = ldc_tls_library_start();
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (name == NULL || !word(name, strlen(name))) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the name of a provider has 1 to %d letters, digits, _ and -", MAX_NAME);
    }
    char *configuration = compose(name, module, parameters, &rc);
    if (configuration == NULL) {
        return rc;
    }
    pthread_mutex_lock(&loaded.lock);
    size_t at = 0;
    while (at < loaded.count && strcmp(loaded.one[at].name, name) != 0) {
        at++;
    }
    if (at == loaded.count) {
        rc = load_new(name, module, configuration);
        if (rc == DICOM_SUCCESS) {
            configuration = NULL;
        }
    } else if (strcmp(loaded.one[at].configuration, configuration) != 0) {
        rc = ldc_error(DICOM_ERROR_INVALID_STATE,
                       "provider %s is loaded with another module or other parameters. It stays "
                       "as it is until the process ends.",
                       name);
    }
    pthread_mutex_unlock(&loaded.lock);
    free(configuration);
    return rc;
}

/* ---- fork() ---- */

void ldc_tls_provider_restore(OSSL_LIB_CTX *library)
{
    for (size_t i = 0; i < loaded.count; i++) {
        if (!activate(library, loaded.one[i].name, loaded.one[i].configuration)) {
            char reason[256];
            (void)ldc_tls_take_error(reason, sizeof reason);
            ldc_log(DICOM_LOG_WARNING, 0,
                    "OpenSSL provider \"%s\" cannot be loaded again after fork() (%s)",
                    loaded.one[i].name, reason);
        }
    }
    ERR_clear_error();
}

void ldc_tls_provider_before_fork(void)
{
    pthread_mutex_lock(&loaded.lock);
}

void ldc_tls_provider_after_fork_in_parent(void)
{
    pthread_mutex_unlock(&loaded.lock);
}

void ldc_tls_provider_after_fork(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&loaded.lock, &fresh, sizeof fresh);
}
