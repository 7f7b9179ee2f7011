"""Connections that come and go, and what is left of them; a program, so that nothing else is measured.

    python robust_leaks.py SCENARIO FOLDER OTHER_FOLDER WARM_UP CYCLES

Prints one line of JSON: memory, descriptors and threads after the warm-up and after the cycles.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leadtools_compat._binding import reads
from leadtools_compat.dicom import (
    DicomAssociate,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomExceptionCode,
    DicomNet,
    DicomOpenSslContextCreationSettings,
    DicomOpenSslVerificationFlags,
    DicomSecurityCertificateException,
)

PATIENCE = 30.0
MUTUAL = DicomOpenSslVerificationFlags.Peer | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate
HALF_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(64)

_never = threading.Event()


class Mallinfo(ctypes.Structure):
    """``struct mallinfo2`` of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


_libc = ctypes.CDLL(None)
_libc.mallinfo2.restype = Mallinfo


def allocated() -> int:
    """Give the bytes that malloc has given out: C's, and Python's large ones."""
    info = _libc.mallinfo2()
    return int(info.uordblks) + int(info.hblkhd)


def resident() -> int:
    """Read RssAnon, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


class Net(DicomNet):
    """Sets an event at its close; can be told what to do in a callback."""

    verdict: Callable[[int], int] | None = None
    on_connect: Callable[[DicomNet], None] | None = None
    rejected = False

    def __init__(self, folder: str | None, name: str, ca: str | None = None) -> None:
        self.ready = threading.Event()
        self.closed = threading.Event()
        self.code = DicomExceptionCode.Success
        super().__init__(None, 0 if folder is None else 1)
        if folder is not None:
            settings = DicomOpenSslContextCreationSettings(
                0, f"{ca or folder}/ca.pem", MUTUAL, 9, 0
            )
            self.Initialize(None, 1, settings)
            self.SetTlsClientCertificate(f"{folder}/{name}-combined.pem", 1, None)

    def OnConnect(self, error: DicomExceptionCode) -> None:
        if self.on_connect is not None:
            self.on_connect(self)

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        return ok if self.verdict is None else self.verdict(ok)

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        self.code = error
        self.ready.set()

    def OnReceiveAssociateReject(
        self,
        result: DicomAssociateRejectResultType,
        source: DicomAssociateRejectSourceType,
        reason: DicomAssociateRejectReasonType,
    ) -> None:
        self.rejected = True
        self.Close()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        self.closed.set()


def ask_for_an_association(net: DicomNet) -> None:
    with DicomAssociate(True) as asked:
        asked.Called, asked.Calling = "SCP", "SCU"
        asked.AddPresentationContext(1, 0, "1.2.840.10008.1.1")
        asked.AddTransfer(1, "1.2.840.10008.1.2")
        net.SendAssociateRequest(asked)


class Rejecting(Net):
    """Takes nobody's association."""

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        self.SendAssociateReject(
            DicomAssociateRejectResultType.Transient,
            DicomAssociateRejectSourceType.Provider2,
            DicomAssociateRejectReasonType.Congestion,
        )


class Server(Net):
    """Makes the child that the scenario wants."""

    make: Callable[[], Net]
    child: Net | None = None

    def OnAccept(self, error: DicomExceptionCode) -> None:
        self.child = self.make()
        self.Accept(self.child)


def wait(event: threading.Event) -> None:
    if not event.wait(PATIENCE):
        raise SystemExit("an event did not come")


class Plain:
    """A listener without TLS; its children reject whoever asks for an association."""

    def __init__(self) -> None:
        self.server = Server(None, "")
        self.server.make = lambda: Rejecting(None, "")
        self.server.Listen("127.0.0.1", 0, 16)

    def dial(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.HostPort))

    def over(self) -> None:
        wait(self.server.closed)
        self.server.closed.clear()
        child, self.server.child = self.server.child, None
        assert child is not None
        child.Dispose()


class Scene:
    """A listener and the ways to connect to it."""

    def __init__(self, folder: str, other: str) -> None:
        self.folder, self.other = folder, other
        self.server = Server(None, "")
        self.server.make = lambda: Net(folder, "server")
        self.server.Listen("127.0.0.1", 0, 16)
        self.plain = Plain()
        self.kept = Net(folder, "client")
        self.deaf = socket.socket()
        self.deaf.bind(("127.0.0.1", 0))
        self.other_server = socket.create_server(("127.0.0.1", 0))

    def connect(self, client: Net) -> None:
        self.server.closed.clear()
        client.ready.clear()
        client.closed.clear()
        client.Connect(None, 0, "127.0.0.1", self.server.HostPort)

    def over(self, client: Net | None, good: bool, dispose: bool = True) -> None:
        """Wait for the end on both sides, and see that it was the one that is meant."""
        if client is not None:
            wait(client.closed)
        wait(self.server.closed)
        child, self.server.child = self.server.child, None
        assert child is not None
        for net in (client, child):
            if net is not None and net.ready.is_set():
                assert (net.code == DicomExceptionCode.Success) == good, (net.code, net.failure)
                str(net.failure)
                list(net.tls_peer_certificates)
        if dispose:
            child.Dispose()
            if client is not None and client is not self.kept:
                client.Dispose()

    def dial(self, data: bytes) -> socket.socket:
        self.server.closed.clear()
        peer = socket.create_connection(("127.0.0.1", self.server.HostPort))
        peer.sendall(data)
        return peer

    # ---- scenarios: one cycle each ----

    def good(self) -> None:
        client = Net(self.folder, "client")
        self.connect(client)
        wait(client.ready)
        client.Close()
        self.over(client, good=True)

    def good_and_collected(self) -> None:
        client = Net(self.folder, "client")
        self.connect(client)
        wait(client.ready)
        client.Close()
        self.over(client, good=True, dispose=False)

    def good_in_a_cycle(self) -> None:
        client: Any = Net(self.folder, "client")
        client.myself = client
        client.verdict = lambda ok: ok if client else 0
        self.connect(client)
        wait(client.ready)
        client.Close()
        self.over(client, good=True, dispose=False)

    def good_on_one_net(self) -> None:
        self.connect(self.kept)
        wait(self.kept.ready)
        self.kept.Close()
        self.over(self.kept, good=True)

    def client_refused(self) -> None:
        client = Net(self.other, "client", self.folder)
        self.connect(client)
        self.over(client, good=False)

    def server_refused(self) -> None:
        self.server.make = lambda: Net(self.other, "server", self.folder)
        client = Net(self.folder, "client")
        self.connect(client)
        self.over(client, good=False)

    def verdict_raises(self) -> None:
        def fail(ok: int) -> int:
            raise ValueError("no verdict")

        client = Net(self.folder, "client")
        client.verdict = fail
        self.connect(client)
        self.over(client, good=False)

    def forced_in_onconnect(self) -> None:
        client = Net(self.folder, "client")
        client.on_connect = lambda net: net.CloseForced(True)
        self.connect(client)
        self.over(client, good=False)

    def disposed_in_onconnect(self) -> None:
        client = Net(self.folder, "client")
        client.on_connect = lambda net: net.Dispose()
        self.connect(client)
        self.over(None, good=False)

    def disposed_while_connecting(self) -> None:
        client = Net(self.folder, "client")
        client.Connect(None, 0, "localhost", self.deaf.getsockname()[1])
        client.Dispose()

    def aborted_by_a_reset(self) -> None:
        peer = self.dial(HALF_HELLO)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        self.over(None, good=False)

    def plain_stranger(self) -> None:
        with self.dial(b"GET / HTTP/1.1\r\n\r\n"):
            self.over(None, good=False)

    def handshake_timeout(self) -> None:
        def make() -> Net:
            child = Net(self.folder, "server")
            child.handshake_timeout = 0.01
            return child

        self.server.make = make
        with self.dial(HALF_HELLO):
            self.over(None, good=False)

    def health_check(self) -> None:
        """Connect and close, as load balancers do, at a listener without TLS."""
        with self.plain.dial():
            pass
        self.plain.over()

    def health_check_with_tls(self) -> None:
        with self.dial(b""):
            pass
        self.over(None, good=False)

    def association_rejected(self) -> None:
        client = Net(None, "")
        client.on_connect = ask_for_an_association
        client.Connect(None, 0, "127.0.0.1", self.plain.server.HostPort)
        wait(client.closed)
        assert client.rejected, client.failure
        client.Dispose()
        self.plain.over()

    def server_hangs_up(self) -> None:
        client = Net(self.folder, "client")
        client.Connect(None, 0, "127.0.0.1", self.other_server.getsockname()[1])
        peer, _ = self.other_server.accept()
        peer.close()
        wait(client.closed)
        client.Dispose()

    def connection_refused(self) -> None:
        client = Net(self.folder, "client")
        client.Connect(None, 0, "127.0.0.1", self.deaf.getsockname()[1])
        wait(client.closed)
        client.Dispose()

    def listens_and_closes(self) -> None:
        listener = Server(None, "")
        listener.Listen("127.0.0.1", 0, 1)
        listener.Dispose()


SCENARIOS = tuple(
    name
    for name in vars(Scene)
    if not name.startswith("_") and name not in ("connect", "over", "dial")
)


def measure() -> dict[str, int]:
    """Wait for quiet, then read all numbers."""
    end = time.monotonic() + PATIENCE
    objects = -1

    def busy() -> bool:
        nonlocal objects
        gc.collect()
        now = reads.statistics()
        # A line of the log may still be on its way, on a thread of the library.
        before, objects = objects, len(gc.get_objects())
        moving = objects != before
        # The listeners; they, and the kept one.
        return moving or now["connections"] > 2 or now["nets"] > 3

    while busy():
        _never.wait(0.01)
        if time.monotonic() > end:
            raise SystemExit(f"something is left: {reads.statistics()}")
    return {
        "resident": resident(),
        "allocated": allocated(),
        "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208
        "threads": len(os.listdir("/proc/self/task")),  # noqa: PTH208
        "python_objects": len(gc.get_objects()),
        "nets": reads.statistics()["nets"],
    }


def main() -> None:
    """Run the scenario."""
    scenario, folder, other = sys.argv[1:4]
    warm_up, cycles = map(int, sys.argv[4:6])
    sys.unraisablehook = lambda arguments: None  # the scenario that raises does so on purpose
    logging.logThreads = False  # else each thread of the library that logs has a dummy in threading
    scene = Scene(folder, other)
    run = getattr(scene, scenario)
    for _ in range(warm_up):
        run()
    before = measure()
    for _ in range(cycles):
        run()
    print(json.dumps({"before": before, "after": measure()}))


if __name__ == "__main__":
    main()
