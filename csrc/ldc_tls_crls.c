/*
 * ldc_tls_crls.c - revocation lists of files and folders, PEM or DER; see ldc_tls_revocation.h.
 *
 * Fail closed: a file that was named must hold a list; in a folder whatever looks like a list must
 * be one, other files are passed over with a warning, and a folder without any list is an error.
 */
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ldc_certificate_text.h"
#include "ldc_engine.h"
#include "ldc_error.h"
#include "ldc_tls.h"

enum {
    MAX_FILES = 10000,
    DER_SEQUENCE = 0x30
};

static const char PEM_HEAD[] = "-----BEGIN X509 CRL-----";

/* ---- paths ---- */

void ldc_tls_paths_free(char **paths, size_t count)
{
    for (size_t i = 0; paths != NULL && i < count; i++) {
        free(paths[i]);
    }
    free(paths);
}

bool ldc_tls_paths_copy(const char *const *paths, size_t count, char ***copy)
{
    char **made = count == 0 ? NULL : calloc(count, sizeof(char *));
    bool done = count == 0 || made != NULL;
    for (size_t i = 0; done && i < count; i++) {
        made[i] = ldc_strdup(paths[i]);
        done = made[i] != NULL;
    }
    if (!done) {
        ldc_tls_paths_free(made, count);
        made = NULL;
    }
    *copy = made;
    return done;
}

typedef struct list_file {
    char *name; /* owned */
    bool found; /* in a folder: it may be something else */
} list_file;

typedef struct list_files {
    list_file *items; /* owned */
    size_t count, capacity;
} list_files;

static void files_free(list_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].name);
    }
    free(files->items);
}

/* Takes name over. */
static int files_add(list_files *files, char *name, bool found)
{
    if (files->count == files->capacity) {
        size_t capacity = files->capacity == 0 ? 8 : files->capacity * 2;
        list_file *items = realloc(files->items, capacity * sizeof *items);
        if (items == NULL) {
            free(name);
            return ldc_error(DICOM_ERROR_MEMORY, "%s", "revocation lists");
        }
        files->items = items;
        files->capacity = capacity;
    }
    if (name == NULL || files->count >= MAX_FILES) {
        free(name);
        return name == NULL
                   ? ldc_error(DICOM_ERROR_MEMORY, "%s", "revocation lists")
                   : ldc_error(DICOM_ERROR_FILE_ACCESS,
                               "there are more than %d files of revocation lists. Put them "
                               "together into fewer.",
                               MAX_FILES);
    }
    files->items[files->count++] = (list_file){.name = name, .found = found};
    return DICOM_SUCCESS;
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int add_folder(list_files *files, const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, not_hidden, by_name);
    int rc = DICOM_SUCCESS;
    if (count < 0) {
        return ldc_error(DICOM_ERROR_FILE_ACCESS,
                         "CRL folder \"%s\" cannot be read. Give a folder that this user may read.",
                         path);
    }
    size_t before = files->count;
    for (int i = 0; i < count; i++) {
        struct stat status;
        char *name = rc == DICOM_SUCCESS ? ldc_format("%s/%s", path, entries[i]->d_name) : NULL;
        bool other = name != NULL && stat(name, &status) == 0 && !S_ISREG(status.st_mode);
        if (rc == DICOM_SUCCESS && !other) {
            rc = files_add(files, name, true);
            name = NULL;
        }
        free(name);
        free(entries[i]);
    }
    free(entries);
    if (rc == DICOM_SUCCESS && files->count == before) {
        rc = ldc_error(DICOM_ERROR_FILE_ACCESS,
                       "CRL folder \"%s\" is empty. Put the revocation lists of the CAs into it.",
                       path);
    }
    return rc;
}

static int collect(const char *const *paths, size_t count, list_files *files)
{
    int rc = DICOM_SUCCESS;
    for (size_t i = 0; rc == DICOM_SUCCESS && i < count; i++) {
        struct stat status;
        if (stat(paths[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            rc = add_folder(files, paths[i]);
        } else {
            rc = files_add(files, ldc_strdup(paths[i]), false);
        }
    }
    return rc;
}

/* ---- parsing ---- */

static void crls_free(ldc_ref *ref)
{
    ldc_tls_crls *crls = (ldc_tls_crls *)(void *)ref;
    ldc_cache_remove(&crls->shared);
    sk_X509_CRL_pop_free(crls->lists, X509_CRL_free);
    free(crls);
}

/* All lists of PEM text. false: damaged, or no memory; the reason is in OpenSSL's queue. */
static bool parse_pem(const ldc_tls_content *content, STACK_OF(X509_CRL) * lists)
{
    BIO *bio = BIO_new_mem_buf(content->data, (int)content->size);
    X509_CRL *crl = NULL;
    bool kept = bio != NULL;
    while (kept && (crl = X509_CRL_new_ex(ldc_tls_library(), NULL)) != NULL &&
           PEM_read_bio_X509_CRL(bio, &crl, NULL, NULL) != NULL) {
        kept = sk_X509_CRL_push(lists, crl) > 0;
        crl = kept ? NULL : crl;
    }
    X509_CRL_free(crl);
    BIO_free(bio);
    return kept && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool parse_der(const ldc_tls_content *content, STACK_OF(X509_CRL) * lists)
{
    const unsigned char *at = content->data;
    X509_CRL *crl = X509_CRL_new_ex(ldc_tls_library(), NULL);
    if (crl == NULL || d2i_X509_CRL(&crl, &at, (long)content->size) == NULL) {
        X509_CRL_free(crl);
        return false;
    }
    if (at != content->data + content->size || sk_X509_CRL_push(lists, crl) <= 0) {
        X509_CRL_free(crl);
        return false;
    }
    return true;
}

/* In a folder: no list, and nothing that was meant to be one. */
static bool something_else(const ldc_tls_content *content)
{
    if (content->size == 0 || content->data[0] != DER_SEQUENCE) {
        return true;
    }
    const unsigned char *at = content->data;
    X509 *certificate = d2i_X509(NULL, &at, (long)content->size);
    X509_free(certificate);
    return certificate != NULL;
}

static int parse_file(const ldc_tls_content *content, bool found, STACK_OF(X509_CRL) * lists)
{
    int before = sk_X509_CRL_num(lists);
    bool pem = content->size > 0 &&
               memmem(content->data, content->size, PEM_HEAD, sizeof PEM_HEAD - 1) != NULL;
    ERR_clear_error();
    bool done = content->size > 0 && (pem ? parse_pem(content, lists) : parse_der(content, lists));
    if (done && sk_X509_CRL_num(lists) > before) {
        ERR_clear_error();
        return DICOM_SUCCESS;
    }
    char reason[256];
    (void)ldc_tls_take_error(reason, sizeof reason);
    if (found && !pem && something_else(content)) {
        ERR_clear_error();
        ldc_log(DICOM_LOG_WARNING, 0, "\"%s\" holds no revocation list and is passed over",
                content->file);
        return DICOM_SUCCESS;
    }
    ERR_clear_error();
    return ldc_error(
        DICOM_ERROR_FILE_ACCESS,
        "CRL file \"%s\" holds no readable list (%s). Give a PEM file with \"BEGIN X509 "
        "CRL\" blocks, or a DER file with one list.",
        content->file, reason);
}

/* ---- what the lists are worth ---- */

/* Whether another list of the same CA is in date; a delta list stands in for no complete one. */
static bool has_successor(const ldc_tls_crls *crls, int number, int64_t now)
{
    const X509_NAME *issuer = X509_CRL_get_issuer(sk_X509_CRL_value(crls->lists, number));
    bool delta = ldc_tls_is_delta(sk_X509_CRL_value(crls->lists, number));
    for (int i = 0; i < sk_X509_CRL_num(crls->lists); i++) {
        const X509_CRL *other = sk_X509_CRL_value(crls->lists, i);
        if (i != number && (delta || !ldc_tls_is_delta(other)) &&
            X509_NAME_cmp(issuer, X509_CRL_get_issuer(other)) == 0 &&
            ldc_tls_time(X509_CRL_get0_nextUpdate(other), INT64_MAX) >= now) {
            return true;
        }
    }
    return false;
}

/* Until when all of them hold; those that do no longer are told of. */
static void find_end(ldc_tls_crls *crls)
{
    int64_t now = (int64_t)time(NULL);
    crls->until = INT64_MAX;
    for (int i = 0; i < sk_X509_CRL_num(crls->lists); i++) {
        const X509_CRL *crl = sk_X509_CRL_value(crls->lists, i);
        crls->deltas = crls->deltas || ldc_tls_is_delta(crl);
        int64_t until = ldc_tls_time(X509_CRL_get0_nextUpdate(crl), INT64_MAX);
        if (until < now && has_successor(crls, i, now)) {
            continue;
        }
        crls->until = until < crls->until ? until : crls->until;
        if (until < now) {
            char *issuer = ldc_name_text(X509_CRL_get_issuer(crl));
            ldc_log(DICOM_LOG_WARNING, 0,
                    "the revocation list of \"%s\" has ended: fetch the present one from the CA",
                    issuer == NULL ? "" : issuer);
            free(issuer);
        }
    }
}

/* ---- loading ---- */

/* One after the other, so that few files are open at a time. lists NULL: the digest only, for which
 * files that have not changed are not read. */
static int read_files(const list_files *files, STACK_OF(X509_CRL) * lists,
                      unsigned char result[LDC_DIGEST])
{
    ldc_digest digest;
    int rc = DICOM_SUCCESS;
    ldc_digest_begin(&digest, "CRLs");
    for (size_t i = 0; rc == DICOM_SUCCESS && i < files->count; i++) {
        ldc_tls_content content;
        const list_file *file = &files->items[i];
        rc = ldc_tls_content_open(&content, &(ldc_tls_source){.file = file->name}, "CRL file",
                                  DICOM_ERROR_FILE_ACCESS);
        if (rc == DICOM_SUCCESS && lists != NULL) {
            rc = ldc_tls_content_read(&content);
            rc = rc == DICOM_SUCCESS ? parse_file(&content, file->found, lists) : rc;
        }
        ldc_digest_add(&digest, content.digest, LDC_DIGEST);
        ldc_tls_content_close(&content);
    }
    if (!ldc_digest_end(&digest, result) && rc == DICOM_SUCCESS) {
        rc = ldc_error(DICOM_ERROR_MEMORY, "%s", "revocation lists");
    }
    return rc;
}

static int make_new(const list_files *files, ldc_tls_crls **result)
{
    ldc_tls_crls *crls = calloc(1, sizeof *crls);
    if (crls == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "revocation lists");
    }
    ldc_ref_init(&crls->shared.ref, crls_free);
    crls->lists = sk_X509_CRL_new_null();
    int rc = crls->lists == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "revocation lists")
                                 : read_files(files, crls->lists, crls->shared.key);
    if (rc == DICOM_SUCCESS && sk_X509_CRL_num(crls->lists) == 0) {
        rc = ldc_error(
            DICOM_ERROR_FILE_ACCESS,
            "there is no revocation list beside \"%s\". Put the lists of the CAs there, PEM "
            "or DER.",
            files->count == 0 ? "" : files->items[0].name);
    }
    if (rc != DICOM_SUCCESS) {
        ldc_ref_put(&crls->shared.ref);
        return rc;
    }
    find_end(crls);
    *result = ldc_cache_add(LDC_CACHE_CRLS, &crls->shared);
    return DICOM_SUCCESS;
}

int ldc_tls_crls_load(const char *const *paths, size_t count, ldc_tls_crls **result)
{
    unsigned char digest[LDC_DIGEST];
    list_files files = {0};
    int rc = ldc_tls_library_start();
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    bool computed = ldc_compute(true);
    rc = collect(paths, count, &files);
    rc = rc == DICOM_SUCCESS ? read_files(&files, NULL, digest) : rc;
    *result = rc == DICOM_SUCCESS ? ldc_cache_find(LDC_CACHE_CRLS, digest) : NULL;
    if (rc == DICOM_SUCCESS && *result == NULL) {
        rc = make_new(&files, result);
    }
    files_free(&files);
    (void)ldc_compute(computed);
    return rc;
}
