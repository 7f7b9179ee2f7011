/*
 * verify_client.c - a TLS client that shows what VERIFY is told about the server's certificates.
 *
 *     L=$(python -c "import leadtools_compat; print(leadtools_compat.library_path())")
 *     I=$(python -c "import leadtools_compat; print(leadtools_compat.include_path())")
 *     cc verify_client.c -I"$I" "$L" -Wl,-rpath,"$(dirname "$L")" -pthread -o verify_client
 *     ./verify_client HOST PORT CA_FILE [insecure]
 *
 * insecure: the answer is always 1, whatever is wrong. Exit status 0: the link was made.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ltdic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool finished;
static L_INT result;
static bool insecure;

/* Called on a worker thread for each certificate, root first, and for each complaint. */
static L_INT verify(HDICOMNET hNet, L_INT ok, L_TCHAR *pszCertificateString, L_INT nError,
                    L_TCHAR *pszErrorString)
{
    (void)hNet;
    printf("%s\nVerdict: ok %d, code %d, %s\n\n", pszCertificateString, ok, nError, pszErrorString);
    return insecure ? 1 : ok; /* exactly 1 goes on */
}

static void finish(L_INT error)
{
    pthread_mutex_lock(&lock);
    finished = true;
    result = error;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static L_VOID on_connect(HDICOMNET hNet, L_INT nError, L_VOID *pUserData)
{
    (void)hNet;
    (void)pUserData;
    printf("Connect: %s\n\n", L_DicomGetErrorText(nError));
    if (nError != DICOM_SUCCESS) {
        finish(nError); /* there is no TLS to wait for */
    }
}

static L_VOID on_ready(HDICOMNET hNet, L_INT nError, L_VOID *pUserData)
{
    (void)hNet;
    (void)pUserData;
    printf("Secure link: %s\n", L_DicomGetErrorText(nError));
    finish(nError);
}

/* The record of the first cause; empty when there was none. */
static void print_failure(HDICOMNET net)
{
    DICOMFAILURE failure = {.uStructSize = sizeof failure};
    if (L_DicomGetFailure(net, &failure) != DICOM_SUCCESS || failure.nCode == DICOM_SUCCESS) {
        return;
    }
    printf("Failure: %s (%d), by the %s\n", failure.pszMessage, failure.nCode,
           failure.nSide == DICOM_SIDE_PEER ? "peer" : "local side");
    if (failure.pszSubject != NULL) {
        printf("Certificate: %s, %s\n", failure.pszSubject,
               L_DicomGetVerifyErrorText(failure.nCertificateCode));
    }
    printf("Remedy: %s\n", failure.pszRemedy == NULL ? "none" : failure.pszRemedy);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s HOST PORT CA_FILE [insecure]\n", argv[0]);
        return 2;
    }
    insecure = argc > 4 && strcmp(argv[4], "insecure") == 0;

    L_SSL_CTX_CREATE settings = {
        .uStructSize = sizeof settings,
        .uFlags = FLAG_SSL_CTX_CREATE_CAFILE | FLAG_SSL_CTX_CREATE_VERIFY_MODE,
        .pszCAfile = argv[3],
        .uVerifyMode = L_SSL_VERIFY_PEER,
    };
    DICOMNETCALLBACK callbacks = {
        .uStructSize = sizeof callbacks,
        .pfnConnect = on_connect,
        .pfnSecureLinkReady = on_ready,
    };
    DICOMNETCALLBACKEXT gates = {.uStructSize = sizeof gates, .pfnVerify = verify};

    HDICOMNET net = L_DicomCreateNetExt(NULL, DICOM_SECURE_TLS, &settings);
    if (net == NULL || L_DicomSetCallback(net, &callbacks) != DICOM_SUCCESS ||
        L_DicomSetCallbackExt(net, &gates) != DICOM_SUCCESS ||
        L_DicomConnect(net, NULL, 0, argv[1], (L_UINT)strtoul(argv[2], NULL, 10)) !=
            DICOM_SUCCESS) {
        fprintf(stderr, "%s\n", L_DicomGetLastErrorText());
        L_DicomFreeNet(net);
        return 1;
    }
    pthread_mutex_lock(&lock);
    while (!finished) { /* the library's own time limits end it */
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);

    L_CIPHERSUITE suite = L_DicomGetCiphersuiteTLS(net);
    printf("Cipher suite: %s\n", suite == 0 ? "none" : L_DicomGetCipherNameTLS(suite));
    print_failure(net);
    L_DicomClose(net);
    L_DicomFreeNet(net);
    return result == DICOM_SUCCESS ? 0 : 1;
}
