/*
 * ldc_tls_keylog.c - secrets of TLS links, appended to a file (draft-ietf-tls-keylogfile), by
 * explicit call only.
 *
 * The rule: it never happens unnoticed. Each link that writes there warns, and nobody but the owner
 * can read the file.
 */
#include "ldc_tls_keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ldc_error.h"
#include "ldc_tls.h"

static void keylog_free(ldc_ref *ref)
{
    ldc_tls_keylog *keylog = (ldc_tls_keylog *)(void *)ref;
    if (keylog->fd >= 0) {
        close(keylog->fd);
    }
    free(keylog->file);
    free(keylog);
}

static int open_private(ldc_tls_keylog *keylog)
{
    struct stat status;
    keylog->fd = open(keylog->file,
                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
                          O_NONBLOCK, /* never hang on a FIFO */
                      0600);
    if (keylog->fd < 0) {
        return ldc_error(DICOM_ERROR_FILE_ACCESS,
                         "key log \"%s\": %s. Give the path of a file that can be made or written; "
                         "no symbolic link.",
                         keylog->file, strerror(errno));
    }
    if (fstat(keylog->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return ldc_error(DICOM_ERROR_FILE_ACCESS,
                         "key log \"%s\" is not a regular file. Give the path of a file.",
                         keylog->file);
    }
    if (status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
        return ldc_error(DICOM_ERROR_FILE_ACCESS,
                         "key log \"%s\" can be read by others (owner %u, mode %03o): who reads it "
                         "can decrypt the traffic. Remove it, or make it yours with mode 600.",
                         keylog->file, (unsigned)status.st_uid, (unsigned)status.st_mode & 0777u);
    }
    return DICOM_SUCCESS;
}

int ldc_tls_keylog_open(const char *file, ldc_tls_keylog **result)
{
    ldc_tls_keylog *keylog = calloc(1, sizeof *keylog);
    if (keylog == NULL) {
        return ldc_error(DICOM_ERROR_MEMORY, "%s", "key log");
    }
    ldc_ref_init(&keylog->ref, keylog_free);
    keylog->fd = -1;
    keylog->file = ldc_strdup(file);
    int rc = keylog->file == NULL ? ldc_error(DICOM_ERROR_MEMORY, "%s", "key log")
                                  : open_private(keylog);
    if (rc != DICOM_SUCCESS) {
        ldc_ref_put(&keylog->ref);
        return rc;
    }
    *result = keylog;
    return DICOM_SUCCESS;
}

void ldc_tls_keylog_digest(ldc_digest *digest, const ldc_tls_keylog *keylog)
{
    struct stat status;
    ldc_digest_add_text(digest, keylog == NULL ? NULL : keylog->file);
    if (keylog != NULL &&
        fstat(keylog->fd, &status) == 0) { /* the name may be another file's now */
        ldc_digest_add_number(digest, status.st_dev);
        ldc_digest_add_number(digest, status.st_ino);
    }
}

static void write_line(const SSL *ssl, const char *line)
{
    ldc_tls_link *link = SSL_get_ex_data(ssl, ldc_tls_link_index());
    const ldc_tls_keylog *keylog = link == NULL ? NULL : link->context->keylog;
    if (keylog == NULL) {
        return;
    }
    if (!link->keylog_told) {
        link->keylog_told = true;
        ldc_log(DICOM_LOG_WARNING, 0,
                "the secrets of a TLS link are written to \"%s\": who reads that file can decrypt "
                "the link",
                keylog->file);
    }
    struct iovec pieces[2] = {{(void *)(uintptr_t)line, strlen(line)},
                              {(void *)(uintptr_t) "\n", 1}}; /* one write: lines stay whole */
    if (writev(keylog->fd, pieces, 2) < 0) {
        ldc_log(DICOM_LOG_ERROR, 0, "key log \"%s\": %s", keylog->file, strerror(errno));
    }
}

void ldc_tls_keylog_apply(SSL_CTX *ctx, const ldc_tls_keylog *keylog)
{
    SSL_CTX_set_keylog_callback(ctx, keylog == NULL ? NULL : write_line);
}
