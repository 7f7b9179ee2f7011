"""Peers that do not behave, made of sockets and of Python's own TLS; nothing of the library here."""

from __future__ import annotations

import random
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable

from tests.support import PATIENCE

# PS3.8 9.3.2: A-ASSOCIATE-RQ, "ANY-SCP" called by "STRANGER", application context only.
_CONTEXT = b"\x10\x00\x00\x151.2.840.10008.3.1.1.1"
_BODY = b"\x00\x01\x00\x00" + b"ANY-SCP".ljust(16) + b"STRANGER".ljust(16) + bytes(32) + _CONTEXT
ASSOCIATE = b"\x01\x00" + struct.pack(">I", len(_BODY)) + _BODY
# PS3.8 9.3.8: A-ABORT of the service provider.
ABORT = b"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x01"

HTTP_REQUEST = b"GET /wado HTTP/1.1\r\nHost: pacs\r\n\r\n"
HTTP_ANSWER = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
SSH_BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"

FATAL, WARNING = 2, 1


def record(kind: int, body: bytes, version: int = 0x0303, length: int | None = None) -> bytes:
    """Write a TLS record; `length` may lie."""
    return struct.pack(">BHH", kind, version, len(body) if length is None else length) + body


def alert(level: int, description: int) -> bytes:
    """Write an alert in the clear."""
    return record(21, bytes((level, description)))


def noise(seed: int, first: int, size: int = 300) -> bytes:
    """Make random bytes with a given first one."""
    return bytes((first,)) + random.Random(seed).randbytes(size)


# ---- sockets ----


def dial(port: int, source: str = "127.0.0.1", host: str = "127.0.0.1") -> socket.socket:
    """Open a connection; small writes leave at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    peer = socket.socket(family)
    peer.settimeout(PATIENCE)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if family == socket.AF_INET:
        peer.bind((source, 0))
    peer.connect((host, port))
    return peer


def reset(peer: socket.socket) -> None:
    """End a connection by RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def read_to_end(peer: socket.socket) -> tuple[bytes, bool]:
    """Read until the other side ends it; tells whether it did so in good order, by FIN."""
    heard = b""
    while True:
        try:
            data = peer.recv(65536)
        except ConnectionError:
            return heard, False
        if not data:
            return heard, True
        heard += data


def send_bytewise(peer: socket.socket, data: bytes) -> None:
    """Send each byte in a segment of its own."""
    for index in range(len(data)):
        peer.send(data[index : index + 1])


def drip(peer: socket.socket, data: bytes, pause: float) -> int:
    """Send a byte, wait, and so on, until the other side has ended it; give the bytes sent."""
    end = time.monotonic() + PATIENCE
    for sent in range(len(data)):
        assert time.monotonic() < end, "nobody stopped a peer that sends a byte now and then"
        try:
            peer.send(data[sent : sent + 1])
        except ConnectionError:
            return sent
        if select.select([peer], [], [], pause)[0]:
            return sent + 1
    return len(data)


# ---- TLS in memory ----


class MemoryTls:
    """One side of TLS whose bytes go through the hands of the test."""

    def __init__(self, context: ssl.SSLContext, server: bool) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_side=server)
        self.done = False
        self.error: ssl.SSLError | None = None

    def step(self, data: bytes = b"") -> bytes:
        """Take bytes of the other side, and give those for it."""
        if data:
            self._in.write(data)
        try:
            if not self.done:
                self.tls.do_handshake()
                self.done = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as problem:
            self.error = problem
        return self._out.read()

    def write(self, data: bytes) -> bytes:
        """Encrypt."""
        self.tls.write(data)
        return self._out.read()

    def read(self, data: bytes) -> bytes:
        """Decrypt; the error is kept."""
        self._in.write(data)
        try:
            return self.tls.read(65536)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as problem:
            self.error = problem
        return b""


def client_context(
    version: ssl.TLSVersion | None = None, certificate: str | None = None
) -> ssl.SSLContext:
    """Make a client that believes everything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def server_context(
    certificate: str, version: ssl.TLSVersion | None = None, ca_file: str | None = None
) -> ssl.SSLContext:
    """Make a server; with `ca_file` it demands a certificate of that CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if ca_file is not None:
        context.load_verify_locations(ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_hello(version: ssl.TLSVersion | None = None) -> bytes:
    """Make a ClientHello."""
    return MemoryTls(client_context(version), server=False).step()


def shake_hands(peer: socket.socket, side: MemoryTls, bytewise: bool = False) -> None:
    """Run a handshake to its end; raises what ended it badly."""
    put = send_bytewise if bytewise else socket.socket.sendall
    put(peer, side.step())
    while not side.done and side.error is None:
        data = peer.recv(65536)
        if not data:
            raise ConnectionError("ended in the handshake")
        put(peer, side.step(data))
    if side.error is not None:
        raise side.error


# ---- servers ----


class OneServer:
    """A socket that listens; one thread serves one connection with `serve`."""

    def __init__(self, serve: Callable[[socket.socket], object]) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(PATIENCE)
        self.port: int = self._listening.getsockname()[1]
        self.problem: BaseException | None = None
        self._serve = serve
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._listening:
                peer, _ = self._listening.accept()
            with peer:
                peer.settimeout(PATIENCE)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._serve(peer)
        except BaseException as problem:  # noqa: BLE001 - shown by the test that waits
            self.problem = problem

    def finish(self) -> None:
        """Wait for the thread, and raise what went wrong in it."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self.problem is not None:
            raise self.problem
