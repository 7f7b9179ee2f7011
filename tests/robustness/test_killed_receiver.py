"""Programs that are killed: what a server has answered Success for is whole on its disk, and nothing else is left."""

from __future__ import annotations

import random
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomDataSet, DicomException
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import CT, dataset
from tests.robustness.robust_tools import command, environment
from tests.robustness.robust_transfer import MIB, Sender, receiver, whole
from tests.support import PATIENCE


def sizes(count: int, chance: random.Random) -> dict[str, int]:
    """Give instances and their sizes: most are small, some go to a file while they come in."""
    return {
        f"1.2.3.{number}": chance.choice([20_000, 500_000, 3 * MIB, 20 * MIB]) // 2 * 2
        if number % 10 == 0
        else chance.randrange(1000, 1_000_000, 2)
        for number in range(1, count + 1)
    }


class Run:
    """Sends objects until all have been taken, while the receiver is killed again and again."""

    def __init__(self, count: int, kills: int, folder: Path, pki: TestPki, seed: int) -> None:
        self.chance = random.Random(seed)
        self.objects = sizes(count, self.chance)
        self.left = list(self.objects)
        self.taken: list[str] = []
        self.checked = 0
        self.kills = kills
        # How many objects a receiver takes before it is killed; the rest goes to the last one.
        self.lives = [self.chance.randrange(2 * count // kills) for _ in range(kills)]
        self.folder, self.pki = folder, pki

    def check(self) -> None:
        """Look at what has been answered since the last look."""
        for instance in self.taken[self.checked :]:
            assert whole(self.folder / f"{instance}.dcm", self.objects[instance]), instance
        self.checked = len(self.taken)

    def send(self, net: Sender, process: Any, until_killed: int | None) -> None:
        """Send what is left; after some objects the receiver is killed a moment later."""
        sent = 0
        while self.left and not net.closed.is_set():
            if sent == until_killed:
                threading.Timer(self.chance.uniform(0, 0.03), process.kill).start()
            instance = self.left[0]
            net.answered.clear()
            net.status = -1
            if net.closed.is_set():
                return
            made = dataset(self.objects[instance], SOPInstanceUID=instance)
            try:
                with DicomDataSet.from_pydicom(made) as data:
                    net.SendCStoreRequest(1, sent % 60_000, CT, instance, 0, "", 0, data)
            except DicomException:  # it is gone
                assert net.closed.wait(PATIENCE)
                return
            assert net.answered.wait(PATIENCE * 3)
            if net.status == 0:
                self.taken.append(self.left.pop(0))
                sent += 1
            else:
                assert net.status == -1, hex(net.status)

    def life(self, until_killed: int | None) -> None:
        """Run one receiver, until it is killed or has taken everything."""
        with ExitStack() as stack:
            process, port = stack.enter_context(receiver(self.folder, self.pki))
            assert list((self.folder / ".unfinished").iterdir()) == []
            assert all(path.suffix == ".dcm" for path in self.folder.glob("[!.]*"))
            self.check()
            net = stack.enter_context(Sender(self.pki.directory))
            net.Connect(None, 0, "127.0.0.1", port)
            assert net.ready.wait(PATIENCE)
            self.send(net, process, until_killed)
            if until_killed is not None and not self.left:
                process.kill()
                assert net.closed.wait(PATIENCE)

    def all(self) -> None:
        for objects in self.lives:
            self.life(objects)
        self.life(None)
        self.check()
        assert self.taken == list(self.objects)
        found = {path.stem for path in self.folder.glob("*.dcm")}
        assert found == self.objects.keys()
        print(f"{len(self.taken)} objects, {self.kills} kills, all whole")


def test_receiver_killed_twice_while_20_objects_come_in(tmp_path: Path, pki: TestPki) -> None:
    Run(20, 2, tmp_path / "received", pki, random.randrange(2**32)).all()


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_receiver_killed_50_times_while_500_objects_come_in(tmp_path: Path, pki: TestPki) -> None:
    Run(500, 50, tmp_path / "received", pki, random.randrange(2**32)).all()


SAVING = """
    import sys
    from pathlib import Path
    from leadtools_compat.dicom import DicomDataSet
    from tests.dicom.nodes import dataset

    folder = Path(sys.argv[1])
    DicomDataSet.from_pydicom(dataset(16 * 1024 * 1024)).Save(folder / "0.dcm")
    data = DicomDataSet()
    data.Load(folder / "0.dcm")  # saved as it is from now on: there is hardly anything but writing
    for number in range(1, 1_000_000):
        print(number, flush=True)
        data.Save(folder / f"{number}.dcm")
"""


def test_program_killed_while_it_saves_new_files_leaves_no_temporary_ones(tmp_path: Path) -> None:
    for round_ in range(2):
        folder = tmp_path / str(round_)
        folder.mkdir()
        with subprocess.Popen(
            command(SAVING, str(folder)), stdout=subprocess.PIPE, text=True, env=environment()
        ) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(2)]
            threading.Event().wait(random.uniform(0, 0.02))
            process.kill()
            said += process.stdout.readlines()
        last = int(said[-1])
        there = {path.name: path.stat().st_size for path in folder.iterdir()}
        assert there.keys() - {f"{last}.dcm"} == {f"{number}.dcm" for number in range(last)}
        assert len(set(there.values())) == 1  # all are whole
