"""``find``, ``move`` and ``get`` at pynetdicom's providers."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from leadtools_compat._nodes.receiver import Events
from tests.cli.conftest import Run, Serve
from tests.support import PATIENCE

MATCHES = 5


def image(number: int) -> Any:
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    made = dcmread(path)
    uid = UID(f"1.2.3.{number}")
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = uid
    return made


def on_find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
    for number in range(MATCHES):
        if event.is_cancelled:
            yield 0xFE00, None
            return
        match = Dataset()
        match.QueryRetrieveLevel = "STUDY"
        match.PatientName = f"DOE^JOHN {number} \x1b[31m"
        match.StudyInstanceUID = f"1.2.{number}"
        yield 0xFF00, match


def on_get(event: Any) -> Iterator[Any]:
    yield 2
    for number in range(2):
        yield 0xFF00, image(number)


@pytest.fixture
def pacs(serve: Serve) -> Iterator[int]:
    """A provider on a free port; its C-MOVE knows one destination: our receiver."""
    receiver = serve()

    def on_move(event: Any) -> Iterator[Any]:
        yield ("127.0.0.1", receiver.HostPort) if event.move_destination == "HERE" else (None, None)
        yield 2
        for number in range(2):
            yield 0xFF00, image(number)

    entity: Any = AE(ae_title="PACS")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelMove)
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
    entity.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)
    entity.add_requested_context(CTImageStorage)
    handlers = [(evt.EVT_C_FIND, on_find), (evt.EVT_C_MOVE, on_move), (evt.EVT_C_GET, on_get)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    yield server.socket.getsockname()[1]
    server.shutdown()


def test_find_prints_the_matches_without_what_they_try_to_do_to_the_terminal(
    run: Run, pacs: int
) -> None:
    told = run("find", "127.0.0.1", pacs, "-k", "PatientName=DOE*")
    assert told.code == 0
    assert told.out.splitlines()[0].split("\t")[:1] == ["PatientName"]
    assert "DOE^JOHN 0" in told.out
    assert "\x1b" not in told.out
    assert f"{MATCHES} matches" in told.err


def test_find_gives_dicom_json(run: Run, pacs: int) -> None:
    document = run("find", "127.0.0.1", pacs, "-k", "StudyDate=20200101-", "--json").document
    assert len(document["matches"]) == MATCHES
    assert document["matches"][3]["0020000D"]["Value"] == ["1.2.3"]


def test_find_stops_at_the_limit(run: Run, pacs: int) -> None:
    told = run("find", "127.0.0.1", pacs, "--limit", 2, "--json")
    assert told.code == 0
    assert len(told.document["matches"]) == 2


def test_find_of_a_model_that_the_peer_does_not_have_says_so(run: Run, pacs: int) -> None:
    told = run("find", "127.0.0.1", pacs, "--model", "worklist")
    assert told.code == 5
    assert "does not accept" in told.err


def test_get_writes_what_comes(run: Run, pacs: int, tmp_path: Path) -> None:
    folder = tmp_path / "got"
    arguments = ("-o", folder, "-k", "StudyInstanceUID=1.2", "--json")
    told = run("get", "127.0.0.1", pacs, *arguments)
    assert told.code == 0, told
    assert sorted(path.name for path in folder.iterdir()) == ["1.2.3.0.dcm", "1.2.3.1.dcm"]
    assert dcmread(folder / "1.2.3.1.dcm").PatientID == image(1).PatientID
    assert told.document["completed"] == 2


def test_move_to_a_known_destination_counts_what_was_sent(run: Run, pacs: int) -> None:
    told = run("move", "127.0.0.1", pacs, "--to", "HERE", "-k", "StudyInstanceUID=1.2")
    assert told.code == 0, told
    assert "2 sent to HERE" in told.out


def test_move_to_an_unknown_destination_fails_with_its_status(run: Run, pacs: int) -> None:
    told = run("move", "127.0.0.1", pacs, "--to", "NOWHERE", "-k", "StudyInstanceUID=1.2", "--json")
    assert told.code == 1
    assert told.document["status"] == "RefusedMoveDestinationUnknown"


@pytest.mark.parametrize("json", [False, True], ids=["text", "json"])
def test_ctrl_c_in_the_middle_of_a_search_is_one_word(tmp_path: Path, json: bool) -> None:
    class Stop:
        """Interrupts the client as soon as the request is there, and never answers."""

        process: subprocess.Popen[str]

    def interrupt(event: Any) -> Iterator[tuple[int, None]]:
        Stop.process.send_signal(signal.SIGINT)
        Stop.process.wait(PATIENCE)
        yield 0, None

    entity: Any = AE(ae_title="PACS")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, interrupt)]
    )
    command = [sys.executable, "-m", "leadtools_compat", "find", "127.0.0.1"]
    command += [str(server.socket.getsockname()[1]), *(["--json"] if json else [])]
    Stop.process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    out, err = Stop.process.communicate(timeout=PATIENCE * 2)
    server.shutdown()
    assert Stop.process.returncode == 130
    assert (out, err.strip()) == ("", "interrupted") if not json else '"interrupted": true' in out
    assert "Traceback" not in err


def test_a_service_that_the_node_lacks_ends_in_a_release(
    run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[object] = []
    closed = threading.Event()
    receiver = serve(events=Events(failed=lambda peer, failure: failures.append(failure)))
    tell = receiver.OnClose

    def tell_and_note(*what: Any) -> None:
        tell(*what)
        closed.set()

    monkeypatch.setattr(receiver, "OnClose", tell_and_note)
    told = run("find", "127.0.0.1", receiver.HostPort, "-k", "PatientName", "--json")
    assert told.code == 5
    assert told.document["failure"]["code"] == "AbstractSyntaxNotSupported"
    assert "abstract syntax not supported" in told.document["error"]["message"]
    assert "Enable this service" in told.document["error"]["remedy"]
    assert closed.wait(PATIENCE)
    assert failures == []
