"""``store``: files and folders, what is told about those that cannot be sent, Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import UID

from leadtools_compat._nodes.receiver import Events
from leadtools_compat.testing import TestPki
from tests.cli.conftest import Run, Serve
from tests.interop.orthanc import TITLE, running
from tests.interop.wires import KINDS
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


# ---- many files, over TLS, to Orthanc; at a terminal


def series(folder: Path, count: int) -> Path:
    """Make so many files, each an instance of its own."""
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    data = dcmread(path)
    folder.mkdir()
    for number in range(count):
        uid = UID(f"1.2.826.0.1.3680043.8.498.1.{number + 1}")
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid
        data.save_as(folder / f"{number:04}.dcm")
    return folder


def at_a_terminal(command: list[str], after: bytes = b"", **environment: str) -> tuple[int, str]:
    """Run a command at a terminal of 100 columns; with `after`, Ctrl-C when that was printed."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(inside)
    printed = b""
    while True:
        try:
            got = os.read(terminal, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not got:
            break
        printed += got
        if after and after in printed:
            process.send_signal(signal.SIGINT)
            after = b""
    os.close(terminal)
    return process.wait(PATIENCE), printed.decode("utf-8", "replace")


@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.soak)])
def test_folder_goes_to_orthanc_over_tls_with_a_progress_bar_and_after_ctrl_c_once_more(
    tmp_path: Path, count: int
) -> None:
    pki = TestPki(tmp_path / "pki", "orthanc", "rsa")
    folder = series(tmp_path / "series", count)
    (tmp_path / "server").mkdir()
    with running(tmp_path / "server", KINDS["tls13"], pki) as orthanc:
        command = [sys.executable, "-m", "leadtools_compat", "store", "localhost"]
        command += [str(orthanc.port), str(folder), "--called", TITLE, "--ca", pki.ca_file]
        command += ["--cert", pki.client.combined_file]
        code, printed = at_a_terminal(command, after=b"/s")
        # A quick machine may be through before the key is heard.
        assert code in (130, 0), printed
        if code == 130:
            assert "interrupted" in printed
            assert "run it again" in printed
        assert "Traceback" not in printed
        code, printed = at_a_terminal(command)
        assert code == 0, printed
        assert f"{count}\x1b[0m stored" in printed
        assert "storing" in printed
        assert "TLSv1.3" in printed
        assert len(orthanc.ask("/instances")) == count


def test_colours_are_for_terminals_and_can_be_switched_off_there(serve: Serve) -> None:
    command = [sys.executable, "-m", "leadtools_compat", "echo", "127.0.0.1"]
    command += [str(serve().HostPort)]
    assert "\x1b[32mok" in at_a_terminal(command)[1]
    plain = at_a_terminal(command, NO_COLOR="1")[1]
    assert "\x1b[32m" not in plain
    assert plain.startswith("ok")
