/* api_library.c - the public functions that concern the library as a whole. */
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "ldc_actor.h"
#include "ldc_conn.h"
#include "ldc_error.h"
#include "ldc_failure_log.h"
#include "ldc_net.h"
#include "ldc_tables.h"
#include "ldc_tls.h"

#ifndef LTDIC_VERSION
#error "LTDIC_VERSION is set by the build (setup.py)"
#endif

static atomic_uint starts;

L_INT L_DicomStartUp(void)
{
    int rc = ldc_tls_library_start();
    if (rc == DICOM_SUCCESS) {
        atomic_fetch_add(&starts, 1u);
    }
    return rc;
}

L_VOID L_DicomShutDown(void)
{
    unsigned count = atomic_load(&starts);
    /* Harmless in any order and number: open nets decide how long threads live. */
    while (count > 0 && !atomic_compare_exchange_weak(&starts, &count, count - 1)) {
    }
    if (count == 1) {
        (void)ldc_failure_log_look(0, true);
    }
}

L_INT L_DicomMuteCallbacks(L_UINT nTimeoutMs)
{
    (void)ldc_failure_log_look(0, true);
    return ldc_user_mute(nTimeoutMs) ? 1 : 0;
}

const L_TCHAR *L_DicomGetErrorText(L_INT nError)
{
    return ldc_error_text(nError);
}

const L_TCHAR *L_DicomGetVerifyErrorText(L_INT nError)
{
    return ldc_verify_text(nError);
}

const L_TCHAR *L_DicomGetOpenSslVersion(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

const L_TCHAR *L_DicomGetLibraryVersion(void)
{
    return LTDIC_VERSION;
}

L_INT L_DicomGetStatistics(pDICOMSTATISTICS pStatistics)
{
    if (pStatistics == NULL || pStatistics->uStructSize < offsetof(DICOMSTATISTICS, nResumed) ||
        pStatistics->uStructSize > sizeof *pStatistics) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s",
                         "uStructSize must be sizeof(DICOMSTATISTICS)");
    }
    ldc_conn_counts counts = ldc_conn_statistics();
    DICOMSTATISTICS now = {.uStructSize = pStatistics->uStructSize,
                           .nNets = (L_UINT)ldc_net_alive(),
                           .nConnections = (L_UINT)ldc_actor_count(),
                           .nThreads = ldc_engine_threads(),
                           .nHandshakes = counts.handshakes,
                           .nAccepted = ldc_listener_accepted(),
                           .nLinks = counts.links,
                           .nLinkFailures = counts.link_failures,
                           .nResumed = counts.resumed,
                           .nFilesRead = ldc_tls_files_read()};
    memcpy(pStatistics, &now, pStatistics->uStructSize);
    return DICOM_SUCCESS;
}

const L_TCHAR *L_DicomGetVerifyRemedy(L_INT nCode)
{
    return nCode == L_X509_V_OK ? "" : ldc_tls_code_remedy(nCode);
}
