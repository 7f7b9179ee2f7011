"""A C-FIND that streams matches, as two programs, so that their memory can be watched.

    python robust_find.py scp MATCHES
    python robust_find.py scu PORT MATCHES CANCEL_AFTER PAUSE

The server prints its port, and for each query how many matches it has sent, and how many
seconds after the cancel it stopped (null: none came). The client
prints a line when it is associated, then waits for a line of input; it cancels after some matches (0: never), and
takes PAUSE seconds for each one. It prints JSON at the end.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from typing import Any

from pydicom.uid import UID

from leadtools_compat.dicom import DicomAssociate, DicomDataSet, DicomExceptionCode, DicomNet
from tests.dicom.nodes import FIND, IMPLICIT, accept_all, dataset

PENDING, CANCELLED = 0xFF00, 0xFE00


def query(name: str) -> DicomDataSet:
    """Make a data set whose bytes go out as they are: nothing is parsed or converted for each match."""
    made = dataset(0, PatientName=name, QueryRetrieveLevel="STUDY", StudyDescription="x" * 64)
    made.file_meta.TransferSyntaxUID = UID(IMPLICIT)
    made.file_meta.MediaStorageSOPClassUID = UID(FIND)
    made.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    loaded = DicomDataSet()
    loaded.Load(file.getvalue())
    return loaded


class Archive(DicomNet):
    """Streams in its callback, until it is told to stop."""

    matches = 0

    def __init__(self) -> None:
        super().__init__(None, 0)
        self.cancelled = threading.Event()
        self.cancelled_at = 0.0

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        accept_all(self, association)

    def OnReceiveCCancelRequest(self, presentationID: int, messageID: int) -> None:
        self.cancelled_at = time.monotonic()
        self.cancelled.set()

    def OnReceiveCFindRequest(self, p: int, m: int, c: str, priority: Any, ds: Any) -> None:
        sent = 0
        with query("Doe^Jane") as match:
            while sent < self.matches and not self.cancelled.is_set():
                self.SendCFindResponse(p, m, c, PENDING, match)
                sent += 1
        stopped = time.monotonic() - self.cancelled_at if self.cancelled.is_set() else None
        self.cancelled.clear()
        self.SendCFindResponse(p, m, c, CANCELLED if stopped is not None else 0, None)
        print(json.dumps([sent, stopped]), flush=True)

    def OnReceiveReleaseRequest(self) -> None:
        self.SendReleaseResponse()


class Server(DicomNet):
    def OnAccept(self, error: DicomExceptionCode) -> None:
        self.Accept(Archive())


class Client(DicomNet):
    """Counts what comes; tells nothing to Python's memory."""

    def __init__(self, matches: int, cancel_after: int, pause: float) -> None:
        super().__init__(None, 0)
        self.cancel_after, self.pause = cancel_after, pause
        self.count = self.status = 0
        self.cancelled_at = self.ended_at = 0.0
        self.ready, self.ended, self.closed = (threading.Event() for _ in range(3))
        self._never = threading.Event()

    def OnConnect(self, error: DicomExceptionCode) -> None:
        with DicomAssociate(True) as asked:
            asked.Called, asked.Calling = "SCP", "SCU"
            asked.AddPresentationContext(1, 0, FIND)
            asked.AddTransfer(1, IMPLICIT)
            self.SendAssociateRequest(asked)

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        self.ready.set()

    def OnReceiveCFindResponse(self, p: int, m: int, c: str, status: Any, ds: Any) -> None:
        if status != PENDING:
            self.status, self.ended_at = int(status), time.monotonic()
            self.ended.set()
            return
        self.count += 1
        if self.pause and not self.cancelled_at:
            self._never.wait(self.pause)
        if self.count == self.cancel_after:
            self.cancelled_at = time.monotonic()
            self.SendCCancelRequest(1, 1)

    def OnReceiveReleaseResponse(self) -> None:
        self.Close()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        self.closed.set()
        self.ended.set()


def serve(matches: int) -> None:
    """Run the server until its input ends."""
    Archive.matches = matches
    with Server(None, 0) as server:
        server.Listen("127.0.0.1", 0, 4)
        print(server.HostPort, flush=True)
        sys.stdin.read()


def ask(port: int, matches: int, cancel_after: int, pause: float) -> None:
    """Run the client."""
    with Client(matches, cancel_after, pause) as net:
        net.Connect(None, 0, "127.0.0.1", port)
        assert net.ready.wait(30)
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.monotonic()
        with query("*") as keys:
            net.SendCFindRequest(1, 1, FIND, 0, keys)
        net.ended.wait()
        net.SendReleaseRequest()
        assert net.closed.wait(30)
        waited = net.ended_at - net.cancelled_at if net.cancelled_at else 0.0
        took = net.ended_at - began
        told = {"count": net.count, "status": net.status, "after_cancel": waited, "took": took}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "scp":
        serve(int(sys.argv[2]))
    else:
        port, matches, cancel_after = map(int, sys.argv[2:5])
        ask(port, matches, cancel_after, float(sys.argv[5]))
