"""The archive of the examples: DCMTK's clients and our own programs on it, plain and with TLS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from leadtools_compat.dicom.scu import DicomScp, StorageCommitOptions, StoreScu
from leadtools_compat.testing import TestPki
from tests.interop.archive import files, same
from tests.interop.programs import Tunnels, client_options, free_port, run, served, server_options
from tests.interop.test_examples import options
from tests.interop.wires import Wire
from tests.support import PATIENCE, PEER, settings

ROOT = Path(__file__).resolve().parents[2]
STORED = files("CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")
PATHS = [file.path for file in STORED]
PLAIN_AND_TLS = pytest.mark.parametrize("link", ["plain", "tls12", "tls13"], indirect=True)
PLAIN = pytest.mark.parametrize("link", ["plain"], indirect=True)
TLS = pytest.mark.parametrize("link", ["tls13"], indirect=True)
TITLE = "ARCHIVE"


class Place:
    """The archive that runs: its port and what it has."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder

    def stored(self) -> Iterator[Dataset]:
        return map(dcmread, self.folder.rglob("*.dcm"))


def example(name: str, *arguments: object, code: int = 0) -> str:
    """Run one of our programs by the command in its head."""
    done = subprocess.run(
        [sys.executable, "-m", f"examples.{name}", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout


@contextmanager
def running(link: Wire, pki: TestPki, folder: Path, *more: object) -> Iterator[Place]:
    """Run the archive by the command in its head; it must end well with Ctrl-C."""
    place = ["0", folder, "--address", "127.0.0.1", "--title", TITLE]
    log = folder.parent / f"{folder.name}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "examples.archive",
                *map(str, (*place, *more)),
                *options(link.tls, pki, True),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert "listening on port" in line, log.read_text()
            yield Place(int(line.split()[-1]), folder)
        finally:
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (said, log.read_text())


def scheduled(accession: str, modality: str, day: str) -> Dataset:
    step = Dataset()
    step.Modality, step.ScheduledProcedureStepStartDate = modality, day
    step.ScheduledProcedureStepStartTime = "101500"
    step.ScheduledStationAETitle, step.ScheduledProcedureStepID = "STATION", f"S{accession}"
    step.ScheduledProcedureStepDescription = "HEAD"
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PatientName, made.PatientID = "Müller^Jörg", f"P{accession}"
    made.PatientBirthDate, made.PatientSex = "19700101", "M"
    made.AccessionNumber, made.StudyInstanceUID = accession, f"1.2.3.{accession[1:]}"
    made.RequestedProcedureID, made.RequestedProcedureDescription = "R1", "CT head"
    made.ScheduledProcedureStepSequence = [step]
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.31")
    made.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.4.{accession[1:]}")
    return made


@pytest.fixture
def worklist(tmp_path: Path) -> Path:
    folder = tmp_path / "worklist"
    folder.mkdir()
    for entry in (("A1", "CT", "20240301"), ("A2", "MR", "20240301"), ("A3", "CT", "20240302")):
        dcmwrite(folder / f"{entry[0]}.wl", scheduled(*entry), enforce_file_format=True)
    (folder / "broken.wl").write_bytes(b"\0" * 200)
    return folder


@PLAIN_AND_TLS
def test_dcmtk_echoes_stores_finds_moves_and_gets(
    link: Wire, pki: TestPki, tunnels: Tunnels, tmp_path: Path, worklist: Path
) -> None:
    received, got = tmp_path / "received", tmp_path / "got"
    received.mkdir()
    got.mkdir()
    there = free_port()
    tls = client_options(link.tls, pki)
    node = f"OURS=127.0.0.1:{there}{',tls' if link.tls else ''}"
    scp = ["storescp", *server_options(link.tls, pki), "+B", "+xa", "-od", received, there]
    with (
        served(scp, tmp_path / "storescp.log", there),
        running(link, pki, tmp_path / "archive", "--node", node, "--worklist", worklist) as place,
    ):
        at = ("127.0.0.1", place.port)
        call = ("-aet", "DCMTK", "-aec", TITLE)
        run("echoscu", *tls, *call, *at)
        run("storescu", *tls, *call, *at, *PATHS)
        same(place.stored(), STORED)

        keys = (
            "-k",
            "QueryRetrieveLevel=STUDY",
            "-k",
            "StudyInstanceUID",
            "-k",
            "PatientName=compressed*",
        )
        said = run("findscu", "-v", "-S", *tls, *call, *at, *keys)
        assert STORED[0].data.StudyInstanceUID in said
        assert "Received Final Find Response (Success)" in said or "Success" in said
        said = run(
            "findscu",
            "-v",
            "-S",
            *tls,
            *call,
            *at,
            *keys[:2],
            "-k",
            "ModalitiesInStudy=RTPLAN",
            "-k",
            "StudyInstanceUID",
        )
        assert STORED[2].data.StudyInstanceUID in said
        assert STORED[0].data.StudyInstanceUID not in said
        keys = ("-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID", "-k", "PatientName")
        said = run("findscu", "-v", "-P", *tls, *call, *at, *keys)
        assert all(file.data.PatientID in said for file in STORED)
        keys = (
            "-k",
            "ScheduledProcedureStepSequence[0].Modality=CT",
            "-k",
            "AccessionNumber",
            "-k",
            "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=20240301-20240301",
        )
        said = run("findscu", "-v", "-W", *tls, *call, *at, *keys)
        assert "A1" in said
        assert "A2" not in said
        assert "A3" not in said

        port = tunnels.to_ours(place.port)  # these two have no TLS of their own
        plain = ("127.0.0.1", port)
        study = (
            "-k",
            "QueryRetrieveLevel=STUDY",
            "-k",
            f"StudyInstanceUID={STORED[0].data.StudyInstanceUID}",
        )
        run("movescu", "-v", "-S", *call, "-aem", "OURS", *plain, *study)
        same(map(dcmread, received.iterdir()), STORED[:1])
        said = run("movescu", "-v", "-S", *call, "-aem", "NOBODY", *plain, *study, code=69)
        assert "Move Destination Unknown" in said or "MoveDestinationUnknown" in said
        run("getscu", "-v", "-S", *call, "-od", got, "+B", *plain, *study)
        same(map(dcmread, got.iterdir()), STORED[:1])


@TLS
def test_our_programs_do_everything_with_the_archive(
    link: Wire, pki: TestPki, tmp_path: Path, worklist: Path
) -> None:
    tls = options(link.tls, pki, server=False)
    with running(link, pki, tmp_path / "archive", "--worklist", worklist) as place:
        node = ("127.0.0.1", place.port)
        called = ("--called", TITLE)

        said = example("store_client", *node, *PATHS, *tls, *called)
        assert f"ProcessTerminated: {len(PATHS)} of {len(PATHS)} stored" in said
        assert ("SecureLinkReady: TLS_" in said) == (link.tls is not None)
        same(place.stored(), STORED)

        said = example(
            "query_client", *node, *tls, *called, "find", "--id", STORED[0].data.PatientID
        )
        assert STORED[0].data.StudyInstanceUID in said
        assert len(said.splitlines()) == 1
        study = STORED[0].data.StudyInstanceUID
        assert "CT" in example("query_client", *node, *tls, *called, "series", study)
        got = tmp_path / "got"
        said = example("query_client", *node, *tls, *called, "get", study, "--folder", got)
        assert "1 instances received: Success" in said
        same(map(dcmread, got.iterdir()), STORED[:1])

        said = example(
            "worklist_mpps", *node, *tls, *called, "--modality", "CT", "--date", "20240301"
        )
        assert said.count("\n") == 1
        assert "Müller^Jörg" in said
        said = example("worklist_mpps", *node, *tls, *called, "--perform", "A2")
        assert "in progress: Success" in said
        assert "completed: Success" in said


@TLS
def test_the_archive_moves_to_our_query_client(link: Wire, pki: TestPki, tmp_path: Path) -> None:
    tls = options(link.tls, pki, server=False)
    port = free_port()
    node = f"OURS=127.0.0.1:{port}{',tls' if link.tls else ''}"
    with running(link, pki, tmp_path / "archive", "--node", node) as place:
        at = ("127.0.0.1", place.port)
        example("store_client", *at, *PATHS, *tls, "--called", TITLE)
        got = tmp_path / "got"
        secure = ["--secure-host"] if link.tls else []
        # Our client's certificate is good for a server, too: the archive checks it.
        mine = ["--ca", pki.ca_file, "--certificate", pki.server.combined_file] if link.tls else []
        fetch = ("move", STORED[1].data.StudyInstanceUID, "--host-port", port, "--folder", got)
        said = example("query_client", *at, *mine, "--called", TITLE, *fetch, *secure)
        assert "1 instances received: Success" in said
        same(map(dcmread, got.iterdir()), STORED[1:2])


@PLAIN
def test_the_archive_commits_itself(link: Wire, pki: TestPki, tmp_path: Path) -> None:
    with running(link, pki, tmp_path / "archive") as place, made(StoreScu, link, pki) as scu:
        scp = DicomScp("127.0.0.1", TITLE, place.port)
        scu.HostAddress = "127.0.0.1"
        results = []
        scu.StorageCommitmentResult += lambda sender, e: results.append(e.Result)
        scu.store_files(scp, PATHS[:2])
        scu.StorageCommit(scp, PATHS, None, StorageCommitOptions.WaitForResultsThenClose)
        assert len(results[0].ReferencedSOPSequence) == 2
        missing = results[0].FailedSOPSequence
        assert [one.ReferencedSOPInstanceUID for one in missing] == [STORED[2].instance]


def made(cls: type[StoreScu], link: Wire, pki: TestPki) -> StoreScu:
    from leadtools_compat.dicom import DicomNetSecurityMode

    if link.tls is None:
        scu = cls()
    else:
        scu = cls(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, PEER, link.tls.method))
        scu.SetTlsClientCertificate(pki.client.combined_file, 1, None)
    scu.AETitle = "OURS"
    return scu


@TLS
def test_the_forwarder_empties_its_queue(link: Wire, pki: TestPki, tmp_path: Path) -> None:
    tls = options(link.tls, pki, server=False)
    queue = tmp_path / "queue"
    queue.mkdir()
    for path in PATHS:
        (queue / path.name).write_bytes(path.read_bytes())
    (queue / "junk.dcm").write_bytes(b"junk")
    nobody = free_port()
    example("forwarder", queue, "127.0.0.1", nobody, *tls, "--called", TITLE, "--once", code=1)
    assert len(list(queue.glob("*.dcm"))) == len(PATHS) + 1  # all are still there
    with running(link, pki, tmp_path / "archive") as place:
        node = ("127.0.0.1", place.port)
        said = example("forwarder", queue, *node, *tls, "--called", TITLE, "--once")
        assert said.count("Success") == len(PATHS)
        same(place.stored(), STORED)
    assert not list(queue.glob("*.dcm"))
    assert len(list((queue / "sent").iterdir())) == len(PATHS)
    assert (queue / "refused" / "junk.dcm.reason").read_text()


@TLS
def test_the_forwarder_waits_for_its_node_and_ends_with_sigterm(
    link: Wire, pki: TestPki, tmp_path: Path
) -> None:
    queue = tmp_path / "queue"
    queue.mkdir()
    (queue / "ct.dcm").write_bytes(PATHS[0].read_bytes())
    port = free_port()
    command = [sys.executable, "-m", "examples.forwarder", str(queue), "127.0.0.1", str(port)]
    command += [*options(link.tls, pki, server=False), "--called", TITLE]
    with (tmp_path / "forwarder.log").open("w+") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env={**os.environ}
        )
        assert process.stdout is not None
        try:
            deadline = time.monotonic() + PATIENCE
            while "forcefully rejected" not in (tmp_path / "forwarder.log").read_text():
                assert time.monotonic() < deadline
            folder = tmp_path / "received"
            folder.mkdir()
            scp = ["storescp", *server_options(link.tls, pki), "+B", "+xa", "-od", folder, port]
            with served(scp, tmp_path / "storescp.log", port):
                assert "ct.dcm: Success" in process.stdout.readline()
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert (queue / "sent" / "ct.dcm").exists()


@TLS
def test_the_archive_turns_away_who_has_no_good_certificate(
    link: Wire, pki: TestPki, tmp_path: Path
) -> None:
    bad = pki.make("expired", role="client")
    with running(link, pki, tmp_path / "archive") as place:
        node = ("127.0.0.1", place.port)
        said = subprocess.run(
            [
                sys.executable,
                "-m",
                "examples.query_client",
                *map(str, node),
                "--ca",
                pki.ca_file,
                "--certificate",
                bad.combined_file,
                "find",
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=ROOT,
        )
        assert said.returncode == 1
        assert "rejected our certificate" in said.stderr


@PLAIN
def test_the_archive_lets_in_whom_it_knows(link: Wire, pki: TestPki, tmp_path: Path) -> None:
    with running(link, pki, tmp_path / "archive", "--allow", "FRIEND", "--clients", "1") as place:
        at = ("127.0.0.1", place.port)
        run("echoscu", "-aet", "FRIEND", "-aec", TITLE, *at)
        run("echoscu", "-aet", "STRANGER", "-aec", TITLE, *at, code=1)
        run("echoscu", "-aet", "FRIEND", "-aec", "OTHER", *at, code=1)
