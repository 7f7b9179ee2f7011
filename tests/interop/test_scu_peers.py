"""The Scu classes on DCMTK's servers and on Orthanc, plain and with TLS of both versions."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydicom import dcmread

from leadtools_compat.dicom import DicomNetSecurityMode
from leadtools_compat.dicom.scu import (
    DicomConnection,
    DicomScp,
    FindQuery,
    QueryLevel,
    QueryRetrieveScu,
    StorageCommitOptions,
    StoreScu,
)
from leadtools_compat.dicom.scu.queries import ModalityWorklistQuery, ModalityWorklistResult
from leadtools_compat.testing import TestPki
from tests.interop.archive import files, same
from tests.interop.orthanc import TITLE, Orthanc
from tests.interop.programs import Tunnels, free_port, served, server_options
from tests.interop.test_dcmtk_servers import scheduled
from tests.interop.test_orthanc import orthanc, orthancs  # noqa: F401 - fixtures
from tests.interop.wires import WITH_CERTIFICATE, Wire
from tests.support import MUTUAL, PATIENCE, PEER, settings

S = TypeVar("S", bound=DicomConnection)

STORED = files("CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")
PATHS = [file.path for file in STORED]
KINDS = pytest.mark.parametrize("link", WITH_CERTIFICATE, indirect=True)

Make = Callable[[type[Any]], Any]


@pytest.fixture
def make(link: Wire, pki: TestPki, nets: Callable[[Any], Any]) -> Make:
    """Make Scu objects for the kind of wire."""

    def one(cls: type[S]) -> S:
        if link.tls is None:
            scu = cls()
        else:
            scu = cls(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, PEER, link.tls.method))
            scu.SetTlsClientCertificate(pki.client.combined_file, 1, None)
        scu.AETitle = "OURS"
        nets(scu)
        return scu

    return one


def way(port: int, title: str, link: Wire) -> DicomScp:
    scp = DicomScp("127.0.0.1", title, port)
    scp.Timeout, scp.Secure = PATIENCE, link.tls is not None
    return scp


# ---- storescp -----------------------------------------------------------------------------------


@KINDS
def test_store_scu_and_storescp(link: Wire, pki: TestPki, make: Make, tmp_path: Path) -> None:
    folder, port = tmp_path / "storescp", free_port()
    folder.mkdir()
    command = ["storescp", *server_options(link.tls, pki), "+B", "+xa", "-od", folder, port]
    with served(command, tmp_path / "storescp.log", port):
        scu = make(StoreScu)
        scp = way(port, "STORESCP", link)
        assert scu.Verify(scp)
        statuses: list[int] = []
        scu.AfterCStore += lambda sender, e: statuses.append(int(e.Status))
        scu.store_files(scp, PATHS)
        assert statuses == [0] * len(PATHS)
    same(map(dcmread, folder.iterdir()), STORED)


# ---- dcmqrscp -----------------------------------------------------------------------------------


@KINDS
def test_query_retrieve_scu_and_dcmqrscp(
    link: Wire, pki: TestPki, tunnels: Tunnels, make: Make, tmp_path: Path
) -> None:
    folder, port, host = tmp_path / "archive", free_port(), free_port()
    folder.mkdir()
    lines = (
        f"NetworkTCPPort = {port}",
        "MaxPDUSize = 131072",
        "MaxAssociations = 16",
        "HostTable BEGIN",
        f"ours = (OURS, 127.0.0.1, {host if link.tls is None else tunnels.to_ours(host)})",
        "HostTable END",
        "VendorTable BEGIN",
        "VendorTable END",
        "AETable BEGIN",
        f"DCMTK {folder} RW (100, 1024mb) ANY",
        "AETable END",
    )
    (tmp_path / "dcmqrscp.cfg").write_text("\n".join(lines) + "\n")
    command = ["dcmqrscp", "-v", "-c", tmp_path / "dcmqrscp.cfg", port]
    with served(command, tmp_path / "dcmqrscp.log", port):
        scp = way(tunnels.from_ours(port), "DCMTK", link)
        store = make(StoreScu)
        assert store.Verify(scp)
        store.store_files(scp, PATHS)
        assert store.Status == 0
        scu = make(QueryRetrieveScu)
        _finds(scu, scp)
        _gets(scu, scp)
        scu.HostAddress, scu.HostPort = "127.0.0.1", host
        if link.tls is not None:  # the peer's certificate is the tunnel's, a client's
            scu.UseSecureHost = True
            scu.SecureHostSettings = settings(pki.ca_file, MUTUAL, link.tls.method)
            scu.HostReady += lambda sender, e: e.ScpHost.SetTlsClientCertificate(
                pki.server.combined_file, 1, None
            )
        _moves(scu, scp)


def _finds(scu: QueryRetrieveScu, scp: DicomScp) -> None:
    """Find at all levels."""
    seen: list[tuple[str, Any]] = []
    scu.MatchPatient += lambda sender, e: seen.append(("patient", e.Info))
    scu.MatchStudy += lambda sender, e: seen.append(("study", e.Info))
    scu.MatchSeries += lambda sender, e: seen.append(("series", e.Info))
    scu.MatchInstance += lambda sender, e: seen.append(("image", e.Info))
    data = STORED[0].data
    query = FindQuery()
    query.PatientId = data.PatientID
    scu.Find(scp, query)
    assert [(kind, one.InstanceUID) for kind, one in seen] == [("study", data.StudyInstanceUID)]
    assert seen[0][1].Patient.Id == data.PatientID
    seen.clear()
    query.QueryLevel = QueryLevel.Patient
    query.PatientId, query.PatientName = None, "*"
    scu.Find(scp, query)
    assert {one.Id for _, one in seen} == {file.data.PatientID for file in STORED}
    seen.clear()
    query = FindQuery()
    query.QueryLevel, query.StudyInstanceUID = QueryLevel.Series, data.StudyInstanceUID
    scu.Find(scp, query)
    assert [(kind, one.InstanceUID) for kind, one in seen] == [("series", data.SeriesInstanceUID)]
    seen.clear()
    query.QueryLevel, query.SeriesInstanceUID = QueryLevel.Image, data.SeriesInstanceUID
    scu.Find(scp, query)
    assert [one.SOPInstanceUID for _, one in seen] == [data.SOPInstanceUID]
    seen.clear()
    query = FindQuery()
    query.StudyDate.StartDate = query.StudyDate.EndDate = None
    query.PatientName = "nobody^at^all"
    scu.Find(scp, query)
    assert seen == []
    assert scu.Status == 0


def _gets(scu: QueryRetrieveScu, scp: DicomScp) -> None:
    got: list[Any] = []

    def take(sender: Any, e: Any) -> None:
        got.append(e.DataSet.to_pydicom())

    scu.ReceivedStoreRequest += take
    scu.Get(scp, STORED[0].data.StudyInstanceUID, "")
    assert scu.Status == 0
    assert [one.SOPInstanceUID for one in got] == [STORED[0].instance]
    assert got[0].PixelData == STORED[0].data.PixelData


def _moves(scu: QueryRetrieveScu, scp: DicomScp) -> None:
    moved: list[Any] = []
    counts: list[int] = []
    scu.Moved += lambda sender, e: moved.append(e.Dataset.to_pydicom())
    scu.AfterCMove += lambda sender, e: counts.append(e.Completed)
    scu.Move(scp, "OURS", STORED[1].data.StudyInstanceUID)
    assert scu.Status == 0
    same(moved, STORED[1:2])
    assert counts == [1]


# ---- wlmscpfs -----------------------------------------------------------------------------------


@KINDS
def test_worklist_of_wlmscpfs(link: Wire, tunnels: Tunnels, make: Make, tmp_path: Path) -> None:
    folder, port = tmp_path / "worklists" / "WLM", free_port()
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    for name, station in (("Doe^Jane", "CT1"), ("Roe^Richard", "MR1")):
        entry = scheduled(name, station)
        _write(entry, folder / f"{station}.wl")
    command = ["wlmscpfs", "-v", "-dfp", folder.parent, port]
    with served(command, tmp_path / "wlmscpfs.log", port):
        query = ModalityWorklistQuery()
        assert query.Broad is not None
        query.Broad.ScheduledStationAETitle = "CT1"
        found: list[ModalityWorklistResult] = []
        make(QueryRetrieveScu).Find[ModalityWorklistQuery, ModalityWorklistResult](
            way(tunnels.from_ours(port), "WLM", link),
            query,
            lambda result, ds: found.append(result),
        )
    assert [one.PatientName for one in found] == ["Doe^Jane"]
    steps = found[0].ScheduledProcedureStepSequence
    assert steps is not None
    assert steps[0].Modality == "CT"


def _write(entry: Any, path: Path) -> None:
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

    entry.file_meta = FileMetaDataset()
    entry.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    entry.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.31")
    entry.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dcmwrite(path, entry, enforce_file_format=True)


# ---- Orthanc ------------------------------------------------------------------------------------


@KINDS
def test_scu_classes_and_orthanc(
    link: Wire,
    pki: TestPki,
    make: Make,
    orthanc: Orthanc,  # noqa: F811
) -> None:
    scp = way(orthanc.port, TITLE, link)
    store = make(StoreScu)
    assert store.Verify(scp)
    store.store_files(scp, PATHS)
    assert store.Status == 0
    same((dcmread(io.BytesIO(one)) for one in orthanc.stored()), STORED)
    scu = make(QueryRetrieveScu)
    _finds(scu, scp)
    _gets(scu, scp)
    host = free_port()
    orthanc.knows("ours", "OURS", host)
    scu.HostAddress, scu.HostPort = "127.0.0.1", host
    _own_door(scu, link, pki)
    _moves(scu, scp)


def _own_door(scu: Any, link: Wire, pki: TestPki) -> None:
    """Let the inner listener speak TLS as the kind of wire wants: who comes must have a good certificate."""
    if link.tls is not None:
        scu.UseSecureHost = True
        scu.SecureHostSettings = settings(pki.ca_file, MUTUAL, link.tls.method)
        scu.HostReady += lambda sender, e: e.ScpHost.SetTlsClientCertificate(
            pki.server.combined_file, 1, None
        )


@KINDS
def test_orthanc_commits_itself_on_a_new_association(
    link: Wire,
    pki: TestPki,
    make: Make,
    orthanc: Orthanc,  # noqa: F811
) -> None:
    scp = way(orthanc.port, TITLE, link)
    scu = make(StoreScu)
    host = free_port()
    orthanc.knows("ours", "OURS", host)
    scu.HostAddress, scu.HostPort = "127.0.0.1", host
    _own_door(scu, link, pki)
    scu.store_files(scp, PATHS[:2])
    results: list[Any] = []
    scu.StorageCommitmentResult += lambda sender, e: results.append(e.Result)
    scu.StorageCommit(scp, PATHS, None, StorageCommitOptions.WaitForResultsThenClose)
    good = {one.ReferencedSOPInstanceUID for one in results[0].ReferencedSOPSequence}
    bad = {one.ReferencedSOPInstanceUID for one in results[0].FailedSOPSequence}
    assert good == {file.instance for file in STORED[:2]}
    assert bad == {STORED[2].instance}
