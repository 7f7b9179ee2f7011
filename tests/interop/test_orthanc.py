"""Orthanc as the other side, in both roles, as far as it offers them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from leadtools_compat.dicom import DicomDataSet, DicomNet
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import IMPLICIT, VERIFICATION
from tests.interop.archive import (
    OF_ALL_SYNTAXES,
    PATIENT_FIND,
    PATIENT_GET,
    PATIENT_MOVE,
    STUDY_FIND,
    Archive,
    File,
    answers,
    files,
    identical,
    identifier,
    same,
    store,
    with_get,
)
from tests.interop.orthanc import TITLE, Orthanc, running
from tests.interop.wires import WITH_CERTIFICATE, Kind, Wire, released

COMMITMENT = "1.2.840.10008.1.20.1"
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
STORED = files("CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")
HAS_THE_CERTIFICATE = pytest.mark.parametrize("link", WITH_CERTIFICATE, indirect=True)
"""As a client Orthanc shows its certificate to whoever asks."""

Start = Callable[[Kind | None], Orthanc]


@pytest.fixture(scope="session")
def orthancs(tmp_path_factory: pytest.TempPathFactory, pki: TestPki) -> Iterator[Start]:
    """Start one for each way of using TLS; they live as long as the tests."""
    there: dict[bool | None, Orthanc] = {}
    with ExitStack() as stack:

        def get(tls: Kind | None) -> Orthanc:
            way = None if tls is None else tls.client_certificate
            if way not in there:
                folder = tmp_path_factory.mktemp("orthanc")
                there[way] = stack.enter_context(running(folder, tls, pki))
            return there[way]

        yield get


@pytest.fixture
def orthanc(link: Wire, orthancs: Start) -> Orthanc:
    """Give an Orthanc that has nothing."""
    one = orthancs(link.tls)
    one.empty()
    return one


def filled(orthanc: Orthanc) -> None:
    for file in STORED:
        orthanc.upload(file.path)


# ---- we ask, Orthanc answers ----


def test_orthanc_stores_what_we_send_in_all_transfer_syntaxes(link: Wire, orthanc: Orthanc) -> None:
    contexts = [(file.sop_class, file.syntax) for file in OF_ALL_SYNTAXES]
    scu = link.associated_to(orthanc.port, (VERIFICATION, IMPLICIT), *contexts, called=TITLE)
    scu.SendCEchoRequest(1, 9, VERIFICATION)
    assert scu.log.wait("OnReceiveCEchoResponse").arguments[-1] == 0
    store(scu, OF_ALL_SYNTAXES)
    released(scu)
    got = {}
    for content in orthanc.stored():
        one = dcmread(io.BytesIO(content))
        got[one.SOPInstanceUID] = one
    for file in OF_ALL_SYNTAXES:
        one = got[file.instance]
        assert one.file_meta.TransferSyntaxUID == file.syntax
        identical(one, file)


def test_orthanc_finds_what_we_ask(link: Wire, orthanc: Orthanc) -> None:
    filled(orthanc)
    scu = link.associated_to(
        orthanc.port, (PATIENT_FIND, IMPLICIT), (STUDY_FIND, IMPLICIT), called=TITLE
    )
    query = DicomDataSet.from_pydicom(identifier("PATIENT", PatientID="", PatientName="*"))
    scu.SendCFindRequest(1, 1, PATIENT_FIND, 0, query)
    *pending, final = answers(scu, "OnReceiveCFindResponse")
    assert final[3:] == (0, None)
    found = [one[4].to_pydicom() for one in pending]
    assert {one.PatientID for one in found} == {file.data.PatientID for file in STORED}
    one_patient = identifier("STUDY", PatientID=STORED[0].data.PatientID, StudyInstanceUID="")
    scu.SendCFindRequest(3, 2, STUDY_FIND, 0, DicomDataSet.from_pydicom(one_patient))
    scu.log.wait("OnReceiveCFindResponse", len(pending) + 3)
    study = scu.log.all("OnReceiveCFindResponse")[-2].arguments[4].to_pydicom()
    assert study.StudyInstanceUID == STORED[0].data.StudyInstanceUID
    released(scu)


@HAS_THE_CERTIFICATE
def test_orthanc_moves_to_our_listener(link: Wire, orthanc: Orthanc) -> None:
    filled(orthanc)
    listener = link.scp()
    orthanc.knows("ours", "OURS", listener.HostPort)
    scu = link.associated_to(orthanc.port, (PATIENT_MOVE, IMPLICIT), called=TITLE)
    query = DicomDataSet.from_pydicom(identifier("PATIENT", PatientID=STORED[0].data.PatientID))
    scu.SendCMoveRequest(1, 5, PATIENT_MOVE, 0, "OURS", query)
    assert answers(scu, "OnReceiveCMoveResponse")[-1][3:5] == (0, 0)
    child = listener.child()
    stored = child.log.wait("OnReceiveCStoreRequest").arguments
    assert stored[5:7] == ("SCU", 5)
    same([stored[-1].to_pydicom()], STORED[:1])
    released(scu)
    assert child.log.wait("OnClose").code == 0
    link.check(child)


def test_orthanc_gives_us_what_we_get(link: Wire, orthanc: Orthanc) -> None:
    filled(orthanc)
    scu = with_get(link, orthanc.port, TITLE, STORED)
    query = DicomDataSet.from_pydicom(identifier("PATIENT", PatientID=STORED[0].data.PatientID))
    scu.SendCGetRequest(1, 5, PATIENT_GET, 0, query)
    assert answers(scu, "OnReceiveCGetResponse")[-1][3:8] == (0, 0, 1, 0, 0)
    got = scu.log.all("OnReceiveCStoreRequest")
    same([one.arguments[-1].to_pydicom() for one in got], STORED[:1])
    released(scu)


@HAS_THE_CERTIFICATE
def test_orthanc_commits_to_what_we_have_stored(link: Wire, orthanc: Orthanc) -> None:
    """N-ACTION to it; its N-EVENT-REPORT comes on an association of its own."""
    filled(orthanc)
    listener = link.scp(
        OnReceiveNReportRequest=lambda net, p, m, c, i, event, ds: net.SendNReportResponse(
            p, m, c, i, 0, event, None
        )
    )
    orthanc.knows("ours", "OURS", listener.HostPort)
    scu = link.associated_to(orthanc.port, (COMMITMENT, IMPLICIT), called=TITLE, calling="OURS")
    asked = commitment(STORED[:1])
    action = (COMMITMENT_INSTANCE, 1, DicomDataSet.from_pydicom(asked))
    scu.SendNActionRequest(1, 3, COMMITMENT, *action)
    assert scu.log.wait("OnReceiveNActionResponse").arguments[4] == 0
    report = listener.child().log.wait("OnReceiveNReportRequest").arguments
    assert report[2:5] == (COMMITMENT, COMMITMENT_INSTANCE, 1)  # event 1: all of it
    told = report[5].to_pydicom()
    assert told.TransactionUID == asked.TransactionUID
    assert told.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == STORED[0].instance
    released(scu)
    listener.child().log.wait("OnClose")


def commitment(stored: list[File]) -> Dataset:
    made = Dataset()
    made.TransactionUID = generate_uid()
    items = []
    for file in stored:
        item = Dataset()
        item.ReferencedSOPClassUID = file.sop_class
        item.ReferencedSOPInstanceUID = file.instance
        items.append(item)
    made.ReferencedSOPSequence = Sequence(items)
    return made


# ---- Orthanc asks, we answer ----


@HAS_THE_CERTIFICATE
def test_orthanc_echoes_us(link: Wire, orthanc: Orthanc) -> None:
    listener = link.scp()
    orthanc.knows("ours", "OURS", listener.HostPort)
    assert orthanc.ask("/modalities/ours/echo", {}, "POST") == {}
    child = listener.child()
    assert child.log.wait("OnClose").code == 0
    link.check(child)


@HAS_THE_CERTIFICATE
def test_orthanc_stores_to_us_in_all_transfer_syntaxes(link: Wire, orthanc: Orthanc) -> None:
    listener = link.scp()
    orthanc.knows("ours", "OURS", listener.HostPort)
    names = [orthanc.upload(file.path) for file in OF_ALL_SYNTAXES]
    for name in names:  # one job each: 1.12.7 keeps to the contexts of a job's first instance
        asked = {"Resources": [name], "Synchronous": True}
        done = orthanc.ask("/modalities/ours/store", asked, "POST")
        assert (done["InstancesCount"], done["FailedInstancesCount"]) == (1, 0)
    events = [
        event
        for child in list(listener.children)
        for event in child.log.all("OnReceiveCStoreRequest")
    ]
    got = {event.arguments[3]: event.arguments[-1] for event in events}
    for file in OF_ALL_SYNTAXES:
        one: DicomDataSet = got[file.instance]
        assert one.transfer_syntax == file.syntax
        identical(one.to_pydicom(), file)


@HAS_THE_CERTIFICATE
def test_orthanc_finds_in_our_archive_and_moves_to_itself(link: Wire, orthanc: Orthanc) -> None:
    archive = Archive(STORED, link, {TITLE: orthanc.port})
    listener = link.scp(**archive.hooks)
    orthanc.knows("ours", "OURS", listener.HostPort)
    wanted = {"Level": "Study", "Query": {"PatientID": "*", "PatientName": ""}}
    query = orthanc.ask("/modalities/ours/query", wanted, "POST")["Path"]
    numbers = orthanc.ask(f"{query}/answers")
    found = [orthanc.ask(f"{query}/answers/{one}/content?simplify") for one in numbers]
    assert {one["PatientID"] for one in found} == {file.data.PatientID for file in STORED}
    orthanc.ask(f"{query}/retrieve", {"TargetAet": TITLE, "Synchronous": True}, "POST")
    same([dcmread(io.BytesIO(content)) for content in orthanc.stored()], STORED)
    archive.log.wait("OnClose", len(numbers))


@HAS_THE_CERTIFICATE
def test_orthanc_asks_us_for_a_commitment(link: Wire, orthanc: Orthanc) -> None:
    def answer(net: DicomNet, p: int, m: int, c: str, i: str, action: int, ds: Any) -> None:
        net.SendNActionResponse(p, m, c, i, 0, action, None)

    listener = link.scp(OnReceiveNActionRequest=answer)
    orthanc.knows("ours", "OURS", listener.HostPort)
    name = orthanc.upload(STORED[0].path)
    asked = {"Resources": [name]}
    commit = orthanc.ask("/modalities/ours/storage-commitment", asked, "POST")
    got = listener.child().log.wait("OnReceiveNActionRequest").arguments
    assert got[2:5] == (COMMITMENT, COMMITMENT_INSTANCE, 1)
    wanted = got[5].to_pydicom()
    assert wanted.TransactionUID == commit["ID"]

    scu = link.associated_to(orthanc.port, (COMMITMENT, IMPLICIT), called=TITLE, calling="OURS")
    report = DicomDataSet.from_pydicom(wanted)
    scu.SendNReportRequest(1, 4, COMMITMENT, COMMITMENT_INSTANCE, 1, report)
    assert scu.log.wait("OnReceiveNReportResponse").arguments[4] == 0
    released(scu)
    assert orthanc.ask(commit["Path"])["Status"] == "Success"
