"""C-CANCEL while matches stream: it is heard however fast or slow the other side reads."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomCommandStatusType, DicomDataSet
from tests.dicom.nodes import EXPLICIT, FIND, Link, dataset
from tests.support import PATIENCE

Pending, Cancel = DicomCommandStatusType.Pending, DicomCommandStatusType.Cancel
MATCHES = 100_000


def resident() -> int:
    """The memory of this process that is no file's, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("RssAnon")) * 1024


class Stream:
    """An SCP's C-FIND: matches from a file, until it is cancelled."""

    def __init__(self, folder: Path) -> None:
        DicomDataSet.from_pydicom(dataset(200)).Save(folder / "match.dcm")
        self.match = DicomDataSet()
        self.match.Load(folder / "match.dcm")
        self.cancelled = threading.Event()
        self.sent = 0

    def find(self, net: Any, p: int, m: int, c: str, *rest: Any) -> None:
        while self.sent < MATCHES and not self.cancelled.is_set():
            net.SendCFindResponse(p, m, c, Pending, self.match)
            self.sent += 1
        net.SendCFindResponse(p, m, c, Cancel if self.sent < MATCHES else 0, None)

    def cancel(self, net: Any, p: int, m: int) -> None:
        self.cancelled.set()


@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["fast reader", "slow reader"])
def test_cancel_stops_a_stream_of_matches(link: Link, tmp_path: Path, pause: float) -> None:
    """Not one of the matches is kept by the SCU; what waits between the two is bounded."""
    stream = Stream(tmp_path)
    times: list[float] = []
    over = threading.Event()
    slow = threading.Event()

    def look(net: Any, p: int, m: int, c: str, status: Any, ds: Any) -> None:
        if status != Pending:
            times.append(time.monotonic())
            over.set()
            return
        ds.Dispose()
        if not stream.cancelled.is_set():
            slow.wait(pause)  # never set: the pace of this reader
        times.append(time.monotonic())
        if len(times) == 20:
            net.SendCCancelRequest(p, m)

    listener = link.scp(OnReceiveCFindRequest=stream.find, OnReceiveCCancelRequest=stream.cancel)
    scu = link.associated(listener, (FIND, EXPLICIT), OnReceiveCFindResponse=look)
    scu.log.add = lambda *arguments: None
    before = resident()
    scu.SendCFindRequest(1, 1, FIND, 0, DicomDataSet.from_pydicom(dataset()))
    assert over.wait(3 * PATIENCE)
    assert stream.sent < MATCHES
    assert stream.cancelled.is_set()
    assert resident() - before < 64 << 20
