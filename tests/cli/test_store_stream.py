"""``store`` with many files: sending begins at once, what is held does not grow, contexts follow."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from leadtools_compat._nodes import feed as feeding
from leadtools_compat._nodes.client import Client, Context, NodeError
from leadtools_compat._nodes.feed import Count, Feed
from leadtools_compat._nodes.files import Item, Problem
from leadtools_compat._nodes.files import look as look_at
from leadtools_compat._nodes.receiver import Events
from tests.cli.conftest import Run, Serve
from tests.support import PATIENCE

PEAK = """
import sys
from pathlib import Path
from leadtools_compat.cli import main
try:
    sys.exit(main())
finally:  # of this program; ru_maxrss begins with that of the process it was forked from
    sys.stderr.write(Path("/proc/self/status").read_text())
"""


def sample(name: str) -> str:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return path


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """So many files that they are not all looked at beforehand; the last two are of other kinds."""
    made = tmp_path / "many"
    made.mkdir()
    for number in range(20):
        (made / f"{number:03}.dcm").symlink_to(sample("CT_small.dcm"))
    shutil.copy(sample("MR_small.dcm"), made / "x-mr.dcm")
    shutil.copy(sample("rtplan.dcm"), made / "y-plan.dcm")
    return made


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "AHEAD", 4)


@pytest.mark.usefixtures("small_steps")
def test_first_file_is_stored_before_the_last_is_looked_at(
    run: Run, serve: Serve, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    at_first: list[int] = []
    plain_look = look_at

    def look(path: Path) -> Item | Problem | None:
        looked.append(path.name)
        return plain_look(path)

    monkeypatch.setattr(feeding, "look", look)
    receiver = serve(events=Events(stored=lambda path, peer: at_first.append(len(looked))))
    told = run("store", "127.0.0.1", receiver.HostPort, many, "--json")
    assert told.code == 0
    assert told.document["stored"] == 22
    assert at_first[0] <= 6
    assert len(looked) == 22


@pytest.mark.usefixtures("small_steps")
def test_kinds_that_come_late_get_an_association_that_takes_them(
    run: Run, serve: Serve, many: Path
) -> None:
    associations: list[str] = []
    receiver = serve(events=Events(associated=lambda calling, peer: associations.append(calling)))
    told = run("store", "127.0.0.1", receiver.HostPort, many, "--json")
    assert told.document["stored"] == 22
    kept = {dcmread(path).Modality for path in receiver.folder.iterdir()}
    assert kept == {"CT", "MR", "RTPLAN"}
    assert len(associations) == 2  # the second asks for both that come


def test_what_was_asked_for_once_is_asked_for_again(many: Path, small_steps: None) -> None:
    feed = Feed([many], lambda problem: pytest.fail(str(problem)))
    first = feed.contexts()
    while feed.take(first):
        pass
    second = feed.contexts()
    assert set(first) < set(second)
    while feed.take(second):
        pass
    assert feed.contexts() == {}


def test_no_more_contexts_are_asked_for_than_an_association_has(
    many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "MAX_CONTEXTS", 1)
    feed = Feed([many], lambda problem: pytest.fail(str(problem)))
    sent = 0
    rounds = 0
    while contexts := feed.contexts():
        assert len(contexts) == 1
        rounds += 1
        while feed.take(contexts):
            sent += 1
    assert (sent, rounds) == (22, 3)


@pytest.mark.usefixtures("small_steps")
def test_failure_counts_what_was_not_looked_at_as_left(run: Run, serve: Serve, many: Path) -> None:
    count = 0

    def stop(path: Path, peer: str) -> None:
        nonlocal count
        count += 1
        if count == 3:
            receiver.CloseForced(True)

    receiver = serve(events=Events(stored=stop))
    told = run("store", "127.0.0.1", receiver.HostPort, many, "--json")
    assert told.code == 5
    assert told.document["stored"] + told.document["left"] == 22
    assert told.document["left"] >= 19


def test_pipe_among_the_files_is_told_and_nobody_waits_for_its_other_end(
    run: Run, serve: Serve, many: Path
) -> None:
    os.mkfifo(many / "pipe.dcm")
    done: list[int] = []

    def send() -> None:
        done.append(run("store", "127.0.0.1", serve().HostPort, many, "--json").code)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert done == [1]


def test_count_goes_on_beside_the_sending_and_ends(many: Path) -> None:
    count = Count([many, many / "nowhere"])
    count.finish(PATIENCE)
    assert count.whole
    assert count.files == 23
    assert count.size == sum(path.stat().st_size for path in many.iterdir())


def test_unusable_files_are_listed_with_json_and_counted_else(
    run: Run, serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(50):
        (folder / f"{number}.txt").write_text("not DICOM")
    port = serve().HostPort
    told = run("store", "127.0.0.1", port, folder)
    assert told.code == 1
    assert "50 unusable" in told.out
    assert len(told.err.splitlines()) == 21
    assert len(run("store", "127.0.0.1", port, folder, "--json").document["problems"]) == 50


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.soak)])
def test_memory_does_not_grow_with_the_number_of_files(
    serve: Serve, tmp_path: Path, count: int
) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05}.dcm").symlink_to(sample("rtplan.dcm"))
    command = [sys.executable, "-c", PEAK, "store", "127.0.0.1"]
    command += [str(serve().HostPort), str(folder), "--json", "--parallel", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stored"] == count
    (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB", done.stderr, re.M)
    assert int(peak) < 100 * 1024  # 65 MiB with one file


# ---- several associations


@pytest.mark.usefixtures("small_steps")
def test_associations_side_by_side_send_each_file_once(run: Run, serve: Serve, many: Path) -> None:
    stored: list[str] = []
    associations: list[str] = []
    events = Events(
        stored=lambda path, peer: stored.append(path.name),
        associated=lambda calling, peer: associations.append(calling),
    )
    receiver = serve(events=events)
    told = run("store", "127.0.0.1", receiver.HostPort, many, "--parallel", 3, "--json")
    assert told.code == 0
    assert told.document["stored"] == len(stored) == 22
    assert len(associations) >= 3


def test_association_that_the_peer_does_not_take_leaves_the_files_to_the_others(
    run: Run, serve: Serve, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = iter(range(100))
    associate = Client.associate

    def refuse_one(client: Client, contexts: Sequence[Context]) -> None:
        if next(tries) == 0:
            raise NodeError("The association was rejected: local limit exceeded", "association")
        associate(client, contexts)

    monkeypatch.setattr(Client, "associate", refuse_one)
    port = serve().HostPort
    told = run("store", "127.0.0.1", port, many, "--parallel", 2)
    assert told.code == 0
    assert told.out.startswith("ok 22 stored")
    assert "one of 2 associations failed" in told.err


def test_peer_that_is_not_there_fails_all_associations_alike(run: Run, many: Path) -> None:
    told = run("store", "127.0.0.1", 1, many, "--parallel", 3, "--json")
    assert told.code == 3
    assert (told.document["stored"], told.document["left"]) == (0, 22)


def test_ctrl_c_lets_each_association_finish_its_file(serve: Serve, many: Path) -> None:
    for number in range(300):
        (many / f"more-{number:03}.dcm").symlink_to(sample("CT_small.dcm"))
    process: subprocess.Popen[str]
    seen = 0

    def stop(path: Path, peer: str) -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            process.send_signal(signal.SIGINT)

    failed: list[str] = []
    receiver = serve(events=Events(stored=stop, failed=lambda peer, why: failed.append(str(why))))
    command = [sys.executable, "-m", "leadtools_compat", "store", "127.0.0.1"]
    command += [str(receiver.HostPort), str(many), "--parallel", "3", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate(timeout=PATIENCE * 3)
    assert process.returncode == 130, out + err
    document = json.loads(out)
    assert document["interrupted"]
    assert document["stored"] == seen < 322, out + err + str(failed)
    assert document["stored"] + document["left"] == 322
    assert failed == []  # released, not dropped
    assert err == ""


def test_file_that_was_lost_with_its_association_is_left_though_nobody_has_counted_it(
    run: Run, serve: Serve, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count is slow, or had passed the folder before the file came into it."""
    monkeypatch.setattr(Count, "_run", lambda count: None)
    tries = iter(range(100))
    send = Client.store

    def lose_one(client: Client, *arguments: Any) -> Any:
        if next(tries) == 0:
            raise NodeError("the peer closed the connection during the association", "dimse")
        return send(client, *arguments)

    monkeypatch.setattr(Client, "store", lose_one)
    port = serve().HostPort
    told = run("store", "127.0.0.1", port, many, "--parallel", 2, "--json")
    assert told.code != 0
    assert (told.document["stored"], told.document["left"]) == (21, 1)
