"""Peers that are bare sockets: they send what a test says, read when it says, and keep to no rule."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydicom.dataset import Dataset

from leadtools_compat.dicom import DicomAssociate
from tests.dicom.nodes import CT, EXPLICIT, IMPLICIT, VERIFICATION, request
from tests.support import PATIENCE

RELEASE_REQUEST, RELEASE_RESPONSE = b"\5\0\0\0\0\4\0\0\0\0", b"\6\0\0\0\0\4\0\0\0\0"
ABORT = b"\7\0\0\0\0\4\0\0\2\2"
REJECT = b"\3\0\0\0\0\4\0\1\1\1"
CONTEXTS = ((VERIFICATION, IMPLICIT), (CT, EXPLICIT))


def pdu(reader: Any) -> bytes:
    """Read one PDU; shorter than a header: the end."""
    header: bytes = reader.read(6)
    return header + bytes(reader.read(int.from_bytes(header[2:], "big")))


def p_data(*items: tuple[int, int, bytes]) -> bytes:
    """Make a P-DATA-TF of (context, control, fragment)."""
    body = b"".join(
        struct.pack(">IBB", len(fragment) + 2, context, control) + fragment
        for context, control, fragment in items
    )
    return struct.pack(">BBI", 4, 0, len(body)) + body


def command(field: int, number: int, sop_class: str = VERIFICATION, **elements: Any) -> bytes:
    """Encode a command set; a response when `field` says so. data=True: a data set follows."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    made = Dataset()
    made.AffectedSOPClassUID = sop_class
    made.CommandField = field
    if field & 0x8000:
        made.MessageIDBeingRespondedTo = number
        made.Status = 0
    else:
        made.MessageID = number
    made.CommandDataSetType = 1 if elements.pop("data", False) else 0x0101
    for name, value in elements.items():
        setattr(made, name, value)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_dataset(buffer, made)
    encoded: bytes = buffer.getvalue()
    return struct.pack("<HHII", 0, 0, 4, len(encoded)) + encoded


def echo_request(number: int) -> bytes:
    return p_data((1, 3, command(0x30, number)))


def echo_response(number: int) -> bytes:
    return p_data((1, 3, command(0x8030, number)))


def store_request(number: int, data: bytes) -> bytes:
    """Make a C-STORE-RQ with its data set, on context 3, in one PDU."""
    head = command(1, number, CT, data=True, Priority=0, AffectedSOPInstanceUID=f"1.2.3.{number}")
    return p_data((3, 3, head), (3, 2, data))


def answer_to(asked: DicomAssociate, **settings: Any) -> bytes:
    """Accept all contexts of a request with their first transfer syntax."""
    with DicomAssociate(False) as answer:
        for index in range(asked.PresentationContextCount):
            number = asked.GetPresentationContextID(index)
            answer.AddPresentationContext(number, 0, asked.GetAbstract(number))
            answer.AddTransfer(number, asked.GetTransfer(number, 0))
        for name, value in settings.items():
            setattr(answer, name, value)
        if asked.IsAsynchronousOperations:
            answer.SetAsynchronousOperations(
                True, asked.InvokedOperationsCount, asked.PerformedOperationsCount
            )
        return answer.to_bytes(asked)


@contextmanager
def connected_acceptor(scu: Any, buffer: int = 0) -> Iterator[tuple[socket.socket, Any]]:
    """Connect a client of ours with a bare socket."""
    before = len(scu.log.all("OnConnect"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        if buffer:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        scu.Connect(None, 0, "127.0.0.1", server.getsockname()[1])
        peer, _ = server.accept()
    peer.settimeout(PATIENCE)
    with peer, peer.makefile("rb") as reader:
        scu.log.wait("OnConnect", before + 1)
        yield peer, reader


@contextmanager
def connected_requestor(listener: Any) -> Iterator[tuple[socket.socket, Any]]:
    """Connect a bare socket with a listener of ours."""
    with (
        socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as peer,
        peer.makefile("rb") as reader,
    ):
        yield peer, reader


@contextmanager
def bare_acceptor(
    scu: Any,
    *contexts: tuple[str, str],
    window: tuple[int, int] | None = None,
    buffer: int = 0,
    **settings: Any,
) -> Iterator[tuple[socket.socket, Any]]:
    """Associate a client of ours with a bare socket; `settings`: what the accept says."""
    associated = len(scu.log.all("OnReceiveAssociateAccept"))
    with connected_acceptor(scu, buffer) as (peer, reader):
        with request(*(contexts or CONTEXTS)) as asking:
            if window is not None:
                asking.SetAsynchronousOperations(True, *window)
            scu.SendAssociateRequest(asking)
        asked = DicomAssociate.from_bytes(pdu(reader))
        peer.sendall(answer_to(asked, **settings))
        scu.log.wait("OnReceiveAssociateAccept", associated + 1)
        yield peer, reader


@contextmanager
def bare_requestor(
    listener: Any, *contexts: tuple[str, str], window: tuple[int, int] | None = None
) -> Iterator[tuple[socket.socket, Any]]:
    """Associate a bare socket with a listener of ours."""
    with connected_requestor(listener) as (peer, reader):
        with request(*(contexts or CONTEXTS)) as asking:
            if window is not None:
                asking.SetAsynchronousOperations(True, *window)
            peer.sendall(asking.to_bytes())
        assert pdu(reader)[0] == 2
        yield peer, reader


class InBackground:
    """Runs a call on a thread; what it raised or gave is asked for later."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._outcome: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome = self._call()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self._outcome = error

    def running(self, seconds: float = 0.0) -> bool:
        self._thread.join(seconds)
        return self._thread.is_alive()

    def outcome(self) -> Any:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the call still blocks"
        return self._outcome
