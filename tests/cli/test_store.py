"""``store``: files and folders, what is told about those that cannot be sent, Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from leadtools_compat._nodes.receiver import Events
from leadtools_compat.testing import TestPki
from tests.cli.conftest import Run, Serve
from tests.support import PATIENCE

NAMES = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "rtplan.dcm")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of four good files in two levels, and four others."""
    made = tmp_path / "study"
    (made / "series").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        path = get_testdata_file(name)
        assert isinstance(path, str)
        shutil.copy(path, made / ("series" if number % 2 else "") / name)
    (made / "readme.txt").write_text("not DICOM")
    (made / "empty.dcm").touch()
    (made / "cut.dcm").write_bytes((made / "CT_small.dcm").read_bytes()[:300])
    (made / ".hidden").write_text("left out")
    return made


def test_folder_is_sent_and_what_cannot_be_sent_is_counted(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str], folder: Path
) -> None:
    receiver = serve(pki.server)
    told = run("store", "localhost", receiver.HostPort, folder, *mutual, "--json")
    assert told.code == 1
    document = told.document
    assert (document["stored"], document["unusable"], document["refused"]) == (4, 3, 0)
    names = sorted(Path(one["file"]).name for one in document["problems"])
    assert names == ["cut.dcm", "empty.dcm", "readme.txt"]
    kept = {dcmread(path).SOPInstanceUID for path in receiver.folder.iterdir()}
    sent = {dcmread(folder / name).SOPInstanceUID for name in NAMES if (folder / name).exists()}
    assert sent <= kept
    assert len(kept) == 4


def test_good_files_alone_end_with_zero_and_a_rate(run: Run, serve: Serve, folder: Path) -> None:
    told = run("store", "127.0.0.1", serve().HostPort, folder / "CT_small.dcm")
    assert told.code == 0
    assert told.out.startswith("ok 1 stored")
    assert "MB/s" in told.out


def test_missing_path_and_folder_without_rights_are_told_and_the_rest_goes_on(
    run: Run, serve: Serve, folder: Path, tmp_path: Path
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0)
    try:
        told = run(
            *("store", "127.0.0.1", serve().HostPort, tmp_path / "nowhere", locked),
            *(folder / "CT_small.dcm", "--json"),
        )
    finally:
        locked.chmod(0o700)
    assert told.code == 1
    assert told.document["stored"] == 1
    # root may look into every folder
    assert told.document["unusable"] == (1 if os.geteuid() == 0 else 2)


def test_class_that_the_peer_does_not_take_is_refused_by_name(
    run: Run, serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "leadtools_compat._nodes.receiver.takes_class", lambda uid: "1.2" not in uid
    )
    told = run("store", "127.0.0.1", serve().HostPort, folder / "CT_small.dcm")
    assert told.code == 1
    assert "does not accept CT Image Storage" in told.err


def test_folder_without_any_dicom_file_is_a_failure(run: Run, serve: Serve, tmp_path: Path) -> None:
    empty = tmp_path / "nothing"
    empty.mkdir()
    told = run("store", "127.0.0.1", serve().HostPort, empty)
    assert told.code == 1
    assert "0 stored" in told.out


def test_peer_that_goes_away_in_between_says_how_many_are_stored(
    run: Run, serve: Serve, folder: Path
) -> None:
    count = 0

    def stop(path: Path, peer: str) -> None:
        nonlocal count
        count += 1
        if count == 2:
            receiver.CloseForced(True)

    receiver = serve(events=Events(stored=stop))
    told = run("store", "127.0.0.1", receiver.HostPort, folder, "--json")
    assert told.code == 5
    assert told.document["stored"] + told.document["left"] == 4
    assert told.document["failure"]["code"] == "NetConnectionAborted"


@pytest.mark.parametrize("json", [False, True], ids=["text", "json"])
def test_ctrl_c_says_how_many_are_stored_and_leaves_nothing_to_clean_up(
    serve: Serve, folder: Path, tmp_path: Path, json: bool
) -> None:
    source = folder / "CT_small.dcm"
    many = tmp_path / "many"
    many.mkdir()
    for number in range(400):
        (many / f"{number:03}.dcm").symlink_to(source)
    process: subprocess.Popen[str]
    seen = 0

    def stop(path: Path, peer: str) -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            process.send_signal(signal.SIGINT)

    receiver = serve(events=Events(stored=stop))
    command = [sys.executable, "-m", "leadtools_compat", "store", "127.0.0.1"]
    command += [str(receiver.HostPort), str(many), *(["--json"] if json else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate(timeout=PATIENCE * 3)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    assert ('"interrupted": true' in out) if json else ("interrupted" in err)
    assert "stored" in out
    assert seen < 400
    assert [path.name for path in receiver.folder.iterdir() if path.suffix != ".dcm"] == []
