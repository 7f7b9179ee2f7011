"""Our clients and DCMTK's servers. Those that have no TLS get it from stunnel, as in hospitals."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from leadtools_compat.dicom import DicomDataSet, DicomExceptionCode
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import IMPLICIT, VERIFICATION, request
from tests.interop import programs
from tests.interop.archive import (
    PATIENT_FIND,
    PATIENT_GET,
    PATIENT_MOVE,
    WORKLIST,
    answers,
    files,
    identifier,
    same,
    store,
    with_get,
)
from tests.interop.programs import Tunnels, free_port, served, server_options
from tests.interop.wires import Wire, released

STORED = files("CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")
CODES = DicomExceptionCode
CALLED = "DCMTK"


def contexts() -> list[tuple[str, str]]:
    return [(VERIFICATION, IMPLICIT), *((file.sop_class, file.syntax) for file in STORED)]


# ---- storescp ----


@pytest.fixture
def storescp(link: Wire, pki: TestPki, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Start DCMTK's storage server; gives its port and folder."""
    folder = tmp_path / "storescp"
    folder.mkdir()
    port = free_port()
    options = [*server_options(link.tls, pki), "-v", "+B", "+xa", "-od", folder]
    with served(["storescp", *options, port], tmp_path / "storescp.log", port):
        yield port, folder


def test_storescp_echoes_and_stores_what_we_send(link: Wire, storescp: tuple[int, Path]) -> None:
    port, folder = storescp
    scu = link.associated_to(port, *contexts())
    scu.SendCEchoRequest(1, 9, VERIFICATION)
    assert scu.log.wait("OnReceiveCEchoResponse").arguments[-1] == 0
    store(scu, STORED)
    released(scu)
    same(map(dcmread, folder.iterdir()), STORED)


def test_storescp_that_writes_in_pieces_is_not_kept_waiting_for_our_acknowledgement(
    link: Wire, pki: TestPki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default it leaves Nagle's algorithm on; a delayed ACK would cost 40 ms for every answer."""
    monkeypatch.setitem(programs.ENVIRONMENT, "TCP_NODELAY", "0")
    port = free_port()
    took = []
    command = ["storescp", *server_options(link.tls, pki), port]
    with served(command, tmp_path / "storescp.log", port):
        scu = link.associated_to(port, (VERIFICATION, IMPLICIT))
        for number in range(1, 11):
            began = time.perf_counter()
            scu.SendCEchoRequest(1, number, VERIFICATION)
            scu.log.wait("OnReceiveCEchoResponse", number)
            took.append(time.perf_counter() - began)
        released(scu)
    assert min(took) < 0.03


@pytest.mark.parametrize("link", ["tls12", "tls13"], indirect=True)
def test_storescp_refuses_us_without_a_certificate(link: Wire, storescp: tuple[int, Path]) -> None:
    port, _ = storescp
    assert link.tls is not None
    link.tls = link.tls._replace(client_certificate=False)
    scu = link.scu()
    scu.Connect(None, 0, "127.0.0.1", port)
    assert scu.log.wait("OnSecureLinkReady").code == CODES.TlsPeerRequiresCertificate
    assert scu.failure.alert_received in (40, 116)  # handshake_failure, certificate_required
    scu.log.wait("OnClose")


@pytest.mark.parametrize("link", ["tls12", "tls13"], indirect=True)
def test_storescp_refuses_us_with_an_expired_certificate(
    link: Wire, pki: TestPki, storescp: tuple[int, Path]
) -> None:
    port, _ = storescp
    scu = link.scu()
    scu.SetTlsClientCertificate(pki.make("expired", role="client").combined_file, 1, None)
    scu.Connect(None, 0, "127.0.0.1", port)
    assert scu.log.wait("OnSecureLinkReady").code == CODES.TlsPeerRejectedCertificate
    assert scu.failure.alert_received == 45  # certificate_expired
    scu.log.wait("OnClose")


@pytest.mark.parametrize("link", ["plain"], indirect=True)
def test_storescp_that_aborts_is_told_by_name(link: Wire, tmp_path: Path) -> None:
    port = free_port()
    command = ["storescp", "--abort-after", "--ignore", port]
    with served(command, tmp_path / "storescp.log", port):
        scu = link.associated_to(port, (STORED[0].sop_class, STORED[0].syntax))
        with DicomDataSet() as data:
            data.Load(STORED[0].path)
            scu.SendCStoreRequest(1, 1, STORED[0].sop_class, STORED[0].instance, 0, "", 0, data)
        scu.log.wait("OnReceiveAbort")
        assert scu.log.wait("OnClose").code == CODES.NetConnectionAborted


@pytest.mark.parametrize("link", ["plain"], indirect=True)
def test_storescp_that_rejects_is_told_by_name(link: Wire, tmp_path: Path) -> None:
    port = free_port()
    with served(["storescp", "--refuse", port], tmp_path / "storescp.log", port):
        scu = link.dial(port)
        with request((VERIFICATION, IMPLICIT)) as asked:
            scu.SendAssociateRequest(asked)
        rejected = scu.log.wait("OnReceiveAssociateReject")
        assert [str(one) for one in rejected.arguments] == ["Permanent", "User", "Unknown"]
        scu.log.wait("OnClose")


# ---- dcmqrscp ----


class Archive:
    """DCMTK's archive: its port, and ours to which it moves."""

    def __init__(self, port: int, listener: Any) -> None:
        self.port, self.listener = port, listener


@pytest.fixture
def dcmqrscp(link: Wire, tunnels: Tunnels, tmp_path: Path) -> Iterator[Archive]:
    """Start DCMTK's archive; it moves to a listener of ours, which it knows as OURS."""
    listener = link.scp()
    folder = tmp_path / "archive"
    folder.mkdir()
    port = free_port()
    settings = tmp_path / "dcmqrscp.cfg"
    lines = (
        f"NetworkTCPPort = {port}",
        "MaxPDUSize = 131072",
        "MaxAssociations = 16",
        "HostTable BEGIN",
        f"ours = (OURS, 127.0.0.1, {tunnels.to_ours(listener.HostPort)})",
        "HostTable END",
        "VendorTable BEGIN",
        "VendorTable END",
        "AETable BEGIN",
        f"{CALLED} {folder} RW (100, 1024mb) ANY",
        "AETable END",
    )
    settings.write_text("\n".join(lines) + "\n")
    # A process for each association: as one process it crashes at the end of a C-STORE (3.6.7).
    with served(["dcmqrscp", "-v", "-c", settings, port], tmp_path / "dcmqrscp.log", port):
        yield Archive(tunnels.from_ours(port), listener)


def filled(link: Wire, archive: Archive) -> None:
    scu = link.associated_to(archive.port, *contexts(), called=CALLED)
    store(scu, STORED)
    released(scu)


def test_dcmqrscp_stores_and_finds_what_we_ask(link: Wire, dcmqrscp: Archive) -> None:
    filled(link, dcmqrscp)
    scu = link.associated_to(dcmqrscp.port, (PATIENT_FIND, IMPLICIT), called=CALLED)
    query = identifier("PATIENT", PatientID="", PatientName="*")
    scu.SendCFindRequest(1, 5, PATIENT_FIND, 0, DicomDataSet.from_pydicom(query))
    *pending, final = answers(scu, "OnReceiveCFindResponse")
    assert final[3:] == (0, None)
    found = [one[4].to_pydicom() for one in pending]
    assert {one.PatientID for one in found} == {file.data.PatientID for file in STORED}
    assert {str(one.PatientName) for one in found} == {str(f.data.PatientName) for f in STORED}
    released(scu)


def test_dcmqrscp_moves_to_our_listener(link: Wire, dcmqrscp: Archive) -> None:
    filled(link, dcmqrscp)
    scu = link.associated_to(dcmqrscp.port, (PATIENT_MOVE, IMPLICIT), called=CALLED)
    query = DicomDataSet.from_pydicom(identifier("PATIENT", PatientID=STORED[1].data.PatientID))
    scu.SendCMoveRequest(1, 5, PATIENT_MOVE, 0, "OURS", query)
    final = answers(scu, "OnReceiveCMoveResponse")[-1]
    assert final[3:8] == (0, 0, 1, 0, 0)
    child = dcmqrscp.listener.child()
    stored = child.log.wait("OnReceiveCStoreRequest").arguments
    assert stored[5:7] == ("SCU", 5)
    same([stored[-1].to_pydicom()], [STORED[1]])
    released(scu)
    assert child.log.wait("OnClose").code == 0
    link.check(child)


def test_dcmqrscp_gives_us_what_we_get(link: Wire, dcmqrscp: Archive) -> None:
    filled(link, dcmqrscp)
    scu = with_get(link, dcmqrscp.port, CALLED, STORED)
    query = DicomDataSet.from_pydicom(identifier("PATIENT", PatientID=STORED[0].data.PatientID))
    scu.SendCGetRequest(1, 5, PATIENT_GET, 0, query)
    final = answers(scu, "OnReceiveCGetResponse")[-1]
    assert final[3:8] == (0, 0, 1, 0, 0)
    same(
        [one.arguments[-1].to_pydicom() for one in scu.log.all("OnReceiveCStoreRequest")],
        STORED[:1],
    )
    released(scu)


# ---- wlmscpfs ----


def scheduled(name: str, station: str) -> Dataset:
    """Make an item of a worklist as wlmscpfs keeps it."""
    step = Dataset()
    step.Modality = "CT"
    step.ScheduledStationAETitle = station
    step.ScheduledProcedureStepStartDate = "20260101"
    step.ScheduledProcedureStepStartTime = "120000"
    step.ScheduledPerformingPhysicianName = "House^Gregory"
    step.ScheduledProcedureStepDescription = "HEAD"
    step.ScheduledProcedureStepID = "SPS1"
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 100"
    made.AccessionNumber = "00001"
    made.PatientName = name
    made.PatientID = name.upper()
    made.PatientBirthDate = "19700101"
    made.PatientSex = "F"
    made.StudyInstanceUID = generate_uid(entropy_srcs=[name])
    made.RequestedProcedureDescription = "HEAD"
    made.RequestedProcedureID = "RP1"
    made.ScheduledProcedureStepSequence = Sequence([step])
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = UID(WORKLIST)
    made.file_meta.MediaStorageSOPInstanceUID = made.StudyInstanceUID
    return made


@pytest.fixture
def wlmscpfs(tunnels: Tunnels, tmp_path: Path) -> Iterator[int]:
    """Start DCMTK's worklist server with two items for its AE title; gives the port."""
    folder = tmp_path / "worklists" / CALLED
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    for name in ("Müller^Anna", "Meier^Bob"):
        data = scheduled(name, "CT1")
        dcmwrite(folder / f"{name}.wl", data, enforce_file_format=True)
    port = free_port()
    options = ["--single-process", "-v", "-csk", "-dfr", "-dfp", folder.parent]
    with served(["wlmscpfs", *options, port], tmp_path / "wlmscpfs.log", port):
        yield tunnels.from_ours(port)


def test_wlmscpfs_answers_our_worklist_query(link: Wire, wlmscpfs: int) -> None:
    scu = link.associated_to(wlmscpfs, (WORKLIST, IMPLICIT), called=CALLED)
    query = Dataset()
    query.PatientName = "M*"
    query.PatientID = ""
    query.StudyInstanceUID = ""
    step = Dataset()
    step.Modality = "CT"
    step.ScheduledStationAETitle = "CT1"
    step.ScheduledProcedureStepStartDate = ""
    query.ScheduledProcedureStepSequence = Sequence([step])
    scu.SendCFindRequest(1, 1, WORKLIST, 0, DicomDataSet.from_pydicom(query))
    *pending, final = answers(scu, "OnReceiveCFindResponse")
    assert final[3:] == (0, None)
    found = [one[4].to_pydicom() for one in pending]
    assert sorted(str(one.PatientName) for one in found) == ["Meier^Bob", "Müller^Anna"]
    for one in found:
        assert one.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate == "20260101"
    released(scu)
