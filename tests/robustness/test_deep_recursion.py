"""User code that recurses without end, on a worker's thread: Python stops it, not the system."""

from __future__ import annotations

import pytest

from tests.support import python

PROGRAM = """
import json
import socket
import sys
import threading

from leadtools_compat.dicom import DicomNet

over = threading.Event()


def sort(unused=None):
    return sorted([1, 2], key=sort)


def encode():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    json.dumps(nested)


class Net(DicomNet):
    def OnConnect(self, error):
        try:
            {"sort": sort, "encode": encode}[sys.argv[1]]()
        except RecursionError:
            print("stopped")
        over.set()


with socket.create_server(("127.0.0.1", 0)) as server, Net(None, 0) as net:
    net.Connect(None, 0, "127.0.0.1", server.getsockname()[1])
    over.wait(60)
"""


@pytest.mark.parametrize("what", ["sort", "encode"])
def test_recursion_in_a_callback_is_stopped_by_python(what: str) -> None:
    done = python("-c", PROGRAM, what)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr
