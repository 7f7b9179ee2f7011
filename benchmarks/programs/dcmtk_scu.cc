/*
 * dcmtk_scu.cc - DCMTK's classes in one process: the quickest client that can be made of DCMTK.
 * Verbs: handshakes, echo, store. Objects are read before the clock runs; one request is in flight,
 * more is not offered by DCMTK.
 */
#include "dcmtk/config/osconfig.h"

#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmnet/dcmlayer.h"
#include "dcmtk/dcmnet/dimse.h"
#include "dcmtk/dcmtls/tlslayer.h"

#include <memory>
#include <vector>

#include "bench.h"

static T_ASC_Network *network;
static DcmTLSTransportLayer *layer;

static void check(const OFCondition &condition, const char *what)
{
    if (condition.bad()) {
        fail("%s: %s", what, condition.text());
    }
}

static void set_up()
{
    check(ASC_initializeNetwork(NET_REQUESTOR, 0, 30, &network), "network");
    if (option_tls() == nullptr) {
        return;
    }
    DcmTLSTransportLayer::initializeOpenSSL();
    layer = new DcmTLSTransportLayer(NET_REQUESTOR, nullptr, OFFalse);
    const char *identity = tls_file("client-combined.pem");
    check(layer->setPrivateKeyFile(identity, DCF_Filetype_PEM), "key");
    check(layer->setCertificateFile(identity, DCF_Filetype_PEM), "certificate");
    check(layer->addTrustedCertificateFile(tls_file("ca.pem"), DCF_Filetype_PEM), "CA");
    check(layer->addTrustedCertificateFile(tls_file("intermediate.pem"), DCF_Filetype_PEM), "CA");
    check(layer->setTLSProfile(TSP_Profile_BCP195), "profile");
    check(layer->activateCipherSuites(), "suites");
    layer->setCertificateVerification(DCV_requireCertificate);
    check(ASC_setTransportLayer(network, layer, 0), "transport layer");
}

static T_ASC_Association *associate()
{
    T_ASC_Parameters *parameters = nullptr;
    T_ASC_Association *association = nullptr;
    char peer[64];
    const char *implicit_le[] = {UID_LittleEndianImplicitTransferSyntax};
    const char *explicit_le[] = {UID_LittleEndianExplicitTransferSyntax};
    long pdu = option_number("pdu", ASC_DEFAULTMAXPDU);
    snprintf(peer, sizeof peer, "127.0.0.1:%s", option("port", "0"));
    check(ASC_createAssociationParameters(&parameters, pdu), "parameters");
    ASC_setAPTitles(parameters, "BENCH-DCMTK", option("called", "BENCH"), nullptr);
    ASC_setTransportLayerType(parameters, layer != nullptr);
    ASC_setPresentationAddresses(parameters, "localhost", peer);
    check(ASC_addPresentationContext(parameters, 1, UID_VerificationSOPClass, implicit_le, 1), "1");
    check(
        ASC_addPresentationContext(parameters, 3, UID_SecondaryCaptureImageStorage, explicit_le, 1),
        "3");
    check(ASC_requestAssociation(network, parameters, &association), "association");
    return association;
}

static void release(T_ASC_Association *association)
{
    check(ASC_releaseAssociation(association), "release");
    ASC_destroyAssociation(&association);
}

static void echo_once(T_ASC_Association *association)
{
    DIC_US status = 0;
    DcmDataset *detail = nullptr;
    check(
        DIMSE_echoUser(association, ++association->nextMsgID, DIMSE_BLOCKING, 0, &status, &detail),
        "C-ECHO");
    delete detail;
    if (status != STATUS_Success) {
        fail("C-ECHO status 0x%04x", status);
    }
}

static void handshakes()
{
    latencies none = {};
    double seconds = option_seconds();
    uint64_t count = 0;
    wait_for_go();
    double began = now_s();
    do {
        T_ASC_Association *association = associate();
        echo_once(association);
        release(association);
        count++;
    } while (now_s() - began < seconds);
    say_result(count, 0, now_s() - began, &none);
}

static void echo()
{
    latencies all = {};
    double seconds = option_seconds();
    T_ASC_Association *association = associate();
    echo_once(association);
    wait_for_go();
    double began = now_s();
    double before = began;
    do {
        echo_once(association);
        double now = now_s();
        latency_add(&all, now - before);
        before = now;
    } while (before - began < seconds);
    say_result(all.count, 0, before - began, &all);
    release(association);
}

static void store()
{
    latencies none = {};
    char *names[MAX_FILES];
    int file_count = file_names(names);
    bool preload = option_number("preload", 1) != 0;
    uint64_t size = (uint64_t)option_number("size", 0);
    double seconds = option_seconds();
    std::vector<std::unique_ptr<DcmFileFormat>> objects;
    for (int i = 0; i < file_count && preload; i++) {
        objects.push_back(std::make_unique<DcmFileFormat>());
        check(objects.back()->loadFile(names[i]), names[i]);
        check(objects.back()->loadAllDataIntoMemory(), names[i]);
    }
    T_ASC_Association *association = associate();
    uint64_t count = 0;
    wait_for_go();
    double began = now_s();
    do {
        T_DIMSE_C_StoreRQ request = {};
        T_DIMSE_C_StoreRSP response = {};
        DcmDataset *detail = nullptr;
        size_t which = count % (size_t)file_count;
        request.MessageID = ++association->nextMsgID;
        strcpy(request.AffectedSOPClassUID, UID_SecondaryCaptureImageStorage);
        snprintf(request.AffectedSOPInstanceUID, sizeof request.AffectedSOPInstanceUID, "2.25.%llu",
                 (unsigned long long)(size * 1000 + which));
        request.DataSetType = DIMSE_DATASET_PRESENT;
        request.Priority = DIMSE_PRIORITY_MEDIUM;
        check(DIMSE_storeUser(association, 3, &request, preload ? nullptr : names[which],
                              preload ? objects[which]->getDataset() : nullptr, nullptr, nullptr,
                              DIMSE_BLOCKING, 0, &response, &detail),
              "C-STORE");
        delete detail;
        if (response.DimseStatus != STATUS_Success) {
            fail("C-STORE status 0x%04x", response.DimseStatus);
        }
        count++;
    } while (now_s() - began < seconds);
    say_result(count, count * size, now_s() - began, &none);
    release(association);
}

int main(int argc, char **argv)
{
    options_count = argc;
    options_words = argv;
    OFLog::configure(OFLogger::ERROR_LOG_LEVEL);
    set_up();
    const char *verb = option("verb", "");
    if (strcmp(verb, "handshakes") == 0) {
        handshakes();
    } else if (strcmp(verb, "echo") == 0) {
        echo();
    } else {
        store();
    }
    wait_for_end();
    ASC_dropNetwork(&network);
    return 0;
}
