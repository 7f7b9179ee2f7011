/*
 * ldc_tls_trust.c - more CA certificates than one file: further files, folders, the computer's own
 * store, each by explicit call only.
 *
 * In a folder every file counts that holds certificates, whatever its name: PEM or DER, hashed
 * names too. What cannot be read is told in the log and left out; a folder with nothing to read is
 * an error, since it is never what somebody meant.
 */
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ldc_engine.h"
#include "ldc_error.h"
#include "ldc_tls.h"

enum {
    FOLDER_FILES = 4096,
    LOGGED_FILES = 20
};

/* What is collected for one call. */
typedef struct gathering {
    STACK_OF(X509) * certificates; /* owned */
    ldc_digest digest;             /* of all contents */
    uint64_t handle;
    unsigned left_out;
} gathering;

/* ---- one file ---- */

/* PEM, all of it, or DER. NULL: neither; the reason is in OpenSSL's queue. */
static STACK_OF(X509) * parse(const ldc_tls_content *content)
{
    ERR_clear_error();
    STACK_OF(X509) *found =
        ldc_tls_parse_certificates(content->data, content->size, DICOM_TLS_CERTIFICATE_PEM);
    if (found == NULL && content->size > 0 && content->data[0] == 0x30) { /* a SEQUENCE */
        ERR_clear_error();
        found =
            ldc_tls_parse_certificates(content->data, content->size, DICOM_TLS_CERTIFICATE_ASN1);
    }
    return found;
}

/* Moves all of them; false: no memory, the rest is freed. */
static bool take_all(gathering *all, STACK_OF(X509) * found)
{
    bool done = true;
    X509 *one;
    while (done && (one = sk_X509_shift(found)) != NULL) {
        done = sk_X509_push(all->certificates, one) > 0;
        if (!done) {
            X509_free(one);
        }
    }
    sk_X509_pop_free(found, X509_free);
    return done;
}

static int take_file(gathering *all, const char *path)
{
    ldc_tls_content content;
    int rc = ldc_tls_content_open(&content, &(ldc_tls_source){.file = path}, "CA file",
                                  DICOM_ERROR_TLS_CA_FILE);
    rc = rc == DICOM_SUCCESS ? ldc_tls_content_read(&content) : rc;
    if (rc == DICOM_SUCCESS) {
        STACK_OF(X509) *found = parse(&content);
        char reason[256];
        (void)ldc_tls_take_error(reason, sizeof reason);
        if (found == NULL) {
            rc = ldc_error(DICOM_ERROR_TLS_CA_FILE,
                           "\"%s\" holds no readable certificate%s%s. Give a PEM file with one or "
                           "more \"BEGIN CERTIFICATE\" blocks, or a DER file.",
                           path, reason[0] != '\0' ? ": " : "", reason);
        } else if (!take_all(all, found)) {
            rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "CA file");
        } else {
            ldc_digest_add(&all->digest, content.digest, LDC_DIGEST);
        }
    }
    ldc_tls_content_close(&content);
    return rc;
}

/* ---- a folder ---- */

static int wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void leave_out(gathering *all, const char *path, const char *why)
{
    all->left_out++;
    if (all->left_out <= LOGGED_FILES) {
        ldc_log(DICOM_LOG_WARNING, all->handle, "CA folder: \"%s\" is left out: %s", path, why);
    }
}

static int take_entry(gathering *all, const char *folder, const char *name)
{
    struct stat status;
    char *path = ldc_format("%s/%s", folder, name);
    int rc = DICOM_SUCCESS;
    if (path == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "CA folder");
    }
    if (stat(path, &status) != 0) {
        leave_out(all, path, strerror(errno));
    } else if (S_ISREG(status.st_mode)) { /* a folder inside is nobody's mistake */
        rc = take_file(all, path);
        if (rc == DICOM_ERROR_TLS_CA_FILE) {
            leave_out(all, path, L_DicomGetLastErrorText());
            rc = DICOM_SUCCESS;
        }
    }
    free(path);
    return rc;
}

static int take_folder(gathering *all, const char *folder)
{
    struct dirent **entries = NULL;
    int before = sk_X509_num(all->certificates);
    int rc = DICOM_SUCCESS;
    int count = scandir(folder, &entries, wanted, alphasort);
    if (count < 0) {
        return ldc_error(DICOM_ERROR_TLS_CA_FILE,
                         "CA folder \"%s\": %s. Give the path of an existing, readable folder.",
                         folder, strerror(errno));
    }
    if (count > FOLDER_FILES) {
        rc = ldc_error(DICOM_ERROR_TLS_CA_FILE,
                       "CA folder \"%s\" has %d entries, more than %d. Give the right folder.",
                       folder, count, FOLDER_FILES);
    }
    for (int i = 0; i < count; i++) {
        rc = rc == DICOM_SUCCESS ? take_entry(all, folder, entries[i]->d_name) : rc;
        free(entries[i]);
    }
    free(entries);
    if (rc == DICOM_SUCCESS && sk_X509_num(all->certificates) == before) {
        rc = ldc_error(DICOM_ERROR_TLS_CA_FILE,
                       "CA folder \"%s\" holds no readable certificate. Put PEM or DER files of CA "
                       "certificates there.",
                       folder);
    }
    return rc;
}

/* ---- the computer's store ---- */

/* Where distributions keep it, after what OpenSSL was built with. */
static const char *const BUNDLES[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* SUSE */
    "/etc/ssl/cert.pem",                  /* Alpine */
};

static int take_system(gathering *all)
{
    const char *file = secure_getenv(X509_get_default_cert_file_env());
    const char *folder = secure_getenv(X509_get_default_cert_dir_env());
    bool told = (file != NULL && file[0] != '\0') || (folder != NULL && folder[0] != '\0');
    if (told) { /* as OpenSSL's own programs take it */
        int rc = file != NULL && file[0] != '\0' ? take_file(all, file) : DICOM_SUCCESS;
        return rc == DICOM_SUCCESS && folder != NULL && folder[0] != '\0' ? take_folder(all, folder)
                                                                          : rc;
    }
    if (access(X509_get_default_cert_file(), F_OK) == 0) {
        return take_file(all, X509_get_default_cert_file());
    }
    for (size_t i = 0; i < sizeof BUNDLES / sizeof BUNDLES[0]; i++) {
        if (access(BUNDLES[i], F_OK) == 0) {
            return take_file(all, BUNDLES[i]);
        }
    }
    if (access(X509_get_default_cert_dir(), F_OK) == 0) {
        return take_folder(all, X509_get_default_cert_dir());
    }
    return ldc_error(DICOM_ERROR_TLS_CA_FILE, "%s",
                     "this computer has no store of CA certificates. Install its package "
                     "(ca-certificates), or give a CA file.");
}

/* ---- together ---- */

static int compare(const X509 *const *one, const X509 *const *other)
{
    return X509_cmp(*one, *other);
}

/* Each once: folders have the same certificate under several names. */
static void drop_doubles(STACK_OF(X509) * certificates)
{
    sk_X509_set_cmp_func(certificates, compare);
    sk_X509_sort(certificates);
    for (int i = sk_X509_num(certificates) - 1; i > 0; i--) {
        if (X509_cmp(sk_X509_value(certificates, i), sk_X509_value(certificates, i - 1)) == 0) {
            X509_free(sk_X509_delete(certificates, i));
        }
    }
}

static int take(gathering *all, const ldc_tls_settings *from, ldc_tls_trust kind, const char *path)
{
    STACK_OF(X509) *before = from->anchors == NULL ? NULL : from->anchors->certificates;
    for (int i = 0; i < sk_X509_num(before); i++) {
        X509 *one = sk_X509_value(before, i);
        if (X509_up_ref(one) != 1 || sk_X509_push(all->certificates, one) <= 0) {
            X509_free(one);
            return ldc_error(DICOM_ERROR_MEMORY, "%s", "CA certificates");
        }
    }
    switch (kind) {
    case LDC_TRUST_FILE:
        return take_file(all, path);
    case LDC_TRUST_FOLDER:
        return take_folder(all, path);
    case LDC_TRUST_SYSTEM:
        return take_system(all);
    default:
        return DICOM_ERROR_PARAMETER;
    }
}

/* Where all of them came from. false: no memory. */
static bool copy_origin(const ldc_tls_settings *from, ldc_tls_trust kind, const char *path,
                        ldc_tls_settings *settings)
{
    settings->ca_file = ldc_strdup(from->ca_file);
    settings->first = from->first;
    if (settings->first != NULL) {
        ldc_ref_get(&settings->first->shared.ref);
    }
    settings->more = calloc(from->more_count + 1, sizeof *settings->more);
    bool done = settings->more != NULL && (from->ca_file == NULL || settings->ca_file != NULL);
    for (size_t i = 0; done && i <= from->more_count; i++) {
        bool last = i == from->more_count;
        const char *here = last ? path : from->more[i].path;
        settings->more[i] =
            (ldc_tls_more){.kind = last ? kind : from->more[i].kind, .path = ldc_strdup(here)};
        settings->more_count++;
        done = here == NULL || settings->more[i].path != NULL;
    }
    return done;
}

int ldc_tls_trust_add(const ldc_tls_settings *from, ldc_tls_trust kind, const char *path,
                      uint64_t handle, ldc_tls_settings **result)
{
    unsigned char key[LDC_DIGEST];
    gathering all = {.certificates = sk_X509_new_null(), .handle = handle};
    if (all.certificates == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "CA certificates");
    }
    bool computed = ldc_compute(true);
    ldc_digest_begin(&all.digest, "trust");
    if (from->anchors != NULL) {
        ldc_digest_add(&all.digest, from->anchors->shared.key, LDC_DIGEST);
    }
    int rc = take(&all, from, kind, path);
    bool digested = ldc_digest_end(&all.digest, key);
    if (rc == DICOM_SUCCESS && !digested) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "CA certificates");
    }
    ERR_clear_error();
    (void)ldc_compute(computed);
    if (all.left_out > LOGGED_FILES) {
        ldc_log(DICOM_LOG_WARNING, handle, "CA folder: %u files were left out in all",
                all.left_out);
    }
    if (rc != DICOM_SUCCESS) {
        sk_X509_pop_free(all.certificates, X509_free);
        return rc;
    }
    drop_doubles(all.certificates);
    ldc_tls_anchors *anchors = ldc_tls_anchors_new(all.certificates, key);
    rc = anchors == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "CA certificates")
                         : ldc_tls_settings_with_anchors(from, anchors, result);
    if (rc == DICOM_SUCCESS && !copy_origin(from, kind, path, *result)) {
        ldc_ref_put(&(*result)->ref);
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "CA certificates");
    }
    return rc;
}

/* ---- once more ---- */

int ldc_tls_trust_reload(const ldc_tls_settings *from, const ldc_tls_source *first, uint64_t handle,
                         ldc_tls_settings **result)
{
    ldc_tls_source file = {.file = from->ca_file};
    ldc_tls_settings *settings = NULL;
    int rc = DICOM_SUCCESS;
    first = first == NULL && from->ca_file != NULL ? &file : first;
    if (first != NULL) {
        rc = ldc_tls_settings_with_ca(from, first, &settings);
    } else {
        rc = ldc_tls_settings_with_first(from, &settings);
    }
    for (size_t i = 0; rc == DICOM_SUCCESS && i < from->more_count; i++) {
        ldc_tls_settings *more = NULL;
        rc = ldc_tls_trust_add(settings, from->more[i].kind, from->more[i].path, handle, &more);
        ldc_ref_put(&settings->ref);
        settings = more;
    }
    *result = settings;
    return rc;
}
