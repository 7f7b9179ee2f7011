"""A program that waits for a peer that does not read: Ctrl-C ends the wait."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.robustness.robust_tools import environment
from tests.support import PATIENCE

PROGRAM = """
import sys
import threading

from leadtools_compat.dicom import DicomDataSet, DicomNet
from tests.dicom.bare import bare_acceptor
from tests.dicom.nodes import CT, VERIFICATION, Node, dataset

pumped = sys.argv[1] == "pumped"
if pumped:
    DicomNet.Startup(pumped=True)
data = DicomDataSet.from_pydicom(dataset(24 << 20))


def fill(net):
    net.SendCStoreRequest(3, 1, CT, "1.2.3", 0, "", 0, data)
    print("waiting", flush=True)
    for number in range(1 << 20):
        net.SendCEchoResponse(1, number & 0xFFFF, VERIFICATION, 0)


def pump(done):
    while not done.is_set():
        DicomNet.Breathe(0.05)


net = Node()
net.limits["send_queue"] = 1 << 16
done = threading.Event()
pumping_thread = threading.Thread(target=pump, args=(done,))
if pumped:
    pumping_thread.start()
with bare_acceptor(net):
    if pumped:
        done.set()
        pumping_thread.join()
    try:
        fill(net)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    print(net.IsAssociated(), flush=True)
    net.Dispose()
"""


@pytest.mark.parametrize("delivery", ["worker", "pumped"])
def test_ctrl_c_ends_a_send_that_waits_for_room(delivery: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, delivery],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        threading.Event().wait(0.5)  # well inside the wait
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        took = time.monotonic() - began
        assert process.stdout.readline() == "True\n"  # the association lives
        assert process.wait(PATIENCE) == 0
    assert took < 2.0, f"{took:.2f} s"
