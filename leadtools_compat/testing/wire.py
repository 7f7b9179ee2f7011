"""Bytes of DICOM for peers that misbehave: PDUs that are right, to be spoiled by those who use them.

The one rule: what is right comes from the library's own coder (`DicomAssociate.to_bytes`); only what
nobody may send is put together by hand.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Sequence

from leadtools_compat.dicom import DicomAssociate, DicomAssociateAcceptResultType

__all__ = [
    "CT",
    "IMPLICIT",
    "VERIFICATION",
    "Wire",
    "accept_pdu",
    "command",
    "command_of",
    "data_pdu",
    "pdu",
    "request_pdu",
]

VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT = "1.2.840.10008.1.2"
CT = "1.2.840.10008.5.1.4.1.1.2"

REQUEST, ACCEPT, REJECT, DATA, RELEASE, RELEASED, ABORT = range(1, 8)


def pdu(kind: int, body: bytes, length: int | None = None) -> bytes:
    """Write a PDU; `length` lies about its length (PS3.8 9.3.1)."""
    return struct.pack(">BxI", kind, len(body) if length is None else length) + body


def data_pdu(context: int, fragment: bytes, is_command: bool, last: bool = True) -> bytes:
    """Write a P-DATA-TF with one PDV (PS3.8 9.3.5)."""
    control = (1 if is_command else 0) | (2 if last else 0)
    return pdu(DATA, struct.pack(">IBB", len(fragment) + 2, context, control) + fragment)


def _element(element: int, value: bytes) -> bytes:
    value += b"\0" if len(value) % 2 else b""
    return struct.pack("<HHI", 0, element, len(value)) + value


def command(
    field: int,
    sop_class: str,
    *,
    message: int = 1,
    status: int | None = None,
    data: bool = False,
    instance: str = "",
) -> bytes:
    """Write a command set in implicit VR little endian (PS3.7 9.3, E.1)."""
    response = field & 0x8000
    body = _element(0x0002, sop_class.encode("ascii")) + _element(0x0100, struct.pack("<H", field))
    body += _element(0x0120 if response else 0x0110, struct.pack("<H", message))
    if not response and field != 0x0030:
        body += _element(0x0700, b"\0\0")
    body += _element(0x0800, struct.pack("<H", 0x0001 if data else 0x0101))
    if status is not None:
        body += _element(0x0900, struct.pack("<H", status))
    if instance:
        body += _element(0x1000, instance.encode("ascii"))
    return _element(0x0000, struct.pack("<I", len(body))) + body


def command_of(body: bytes) -> dict[int, bytes]:
    """Read the command set in the first PDV of a P-DATA-TF: values by element number."""
    fragment = body[6 : 4 + int.from_bytes(body[:4], "big")]
    found, at = {}, 0
    while at + 8 <= len(fragment):
        _, element, size = struct.unpack_from("<HHI", fragment, at)
        found[element] = fragment[at + 8 : at + 8 + size]
        at += 8 + size
    return found


def request_pdu(
    classes: Sequence[str] = (VERIFICATION,), called: str = "ANY-SCP", calling: str = "FAULTY"
) -> bytes:
    """Write an A-ASSOCIATE-RQ; contexts 1, 3, 5 ... in implicit VR little endian."""
    with DicomAssociate(True) as made:
        made.Called, made.Calling = called, calling
        for number, uid in enumerate(classes):
            made.AddPresentationContext(2 * number + 1, 0, uid)
            made.AddTransfer(2 * number + 1, IMPLICIT)
        return made.to_bytes()


def accept_pdu(request: bytes, accept: bool = True) -> bytes:
    """Write the A-ASSOCIATE-AC that answers a request, with all contexts accepted, or none."""
    result = DicomAssociateAcceptResultType.Success
    if not accept:
        result = DicomAssociateAcceptResultType.AbstractSyntax
    with DicomAssociate.from_bytes(request) as asked, DicomAssociate(False) as made:
        made.Called, made.Calling = asked.Called, asked.Calling
        for index in range(asked.PresentationContextCount):
            number = asked.GetPresentationContextID(index)
            made.AddPresentationContext(number, result, asked.GetAbstract(number))
            made.AddTransfer(number, asked.GetTransfer(number, 0))
        return made.to_bytes(asked)


class Wire:
    """One end of a connection, with the means to misbehave.

    Parameters
    ----------
    connection
        Owned.
    stop
        Set when everything has to end.
    """

    def __init__(self, connection: socket.socket, stop: threading.Event, timeout: float) -> None:
        self.socket = connection
        self.stop = stop
        self.timeout = timeout
        connection.settimeout(timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def secure(self, context: ssl.SSLContext, server: bool, host: str | None = None) -> None:
        """Go on over TLS."""
        self.socket = context.wrap_socket(self.socket, server_side=server, server_hostname=host)

    def send(self, content: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(content)

    def slowly(self, content: bytes, pause: float) -> None:
        """Send byte by byte until all is out, the other side has gone, or everything ends."""
        for at in range(len(content)):
            self.send(content[at : at + 1])
            if self.stop.wait(pause):
                return

    def exactly(self, size: int) -> bytes:
        """Receive so many bytes.

        Raises
        ------
        EOFError
            The other side has ended.
        """
        content = b""
        while len(content) < size:
            got = self.socket.recv(size - len(content))
            if not got:
                raise EOFError
            content += got
        return content

    def read(self) -> tuple[int, bytes]:
        """Receive a PDU: type, and all of it with its header."""
        header = self.exactly(6)
        return header[0], header + self.exactly(int.from_bytes(header[2:], "big"))

    def hold(self) -> None:
        """Stay silent until everything ends or the other side goes."""
        self.socket.settimeout(0.1)
        while not self.stop.is_set():
            try:
                if not self.socket.recv(65536):
                    return
            except (TimeoutError, ssl.SSLWantReadError):  # noqa: PERF203
                continue
            except OSError:
                return

    def reset(self) -> None:
        """End by a reset."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        descriptor = self.socket.detach()
        socket.socket(fileno=descriptor).close()

    def close(self) -> None:
        """End; whatever the other side thinks of it."""
        with contextlib.suppress(OSError):
            self.socket.close()
