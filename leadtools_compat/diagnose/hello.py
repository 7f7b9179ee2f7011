"""First flights of TLS by hand: which versions, suites and groups a server takes.

No build of OpenSSL offers what has to be looked for here (SSL 3, RC4, 3DES, export and NULL suites),
and each question takes one message and its answer: nothing is agreed on, no certificate is needed.

The one rule: what comes from the server is hostile; every length is checked, and `GarbledError` is the
answer to nonsense.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = [
    "GROUPS",
    "SUITES_12",
    "SUITES_13",
    "VERSIONS",
    "GarbledError",
    "Hello",
    "Question",
    "ask",
]

VERSIONS = {
    "SSLv3": 0x0300,
    "TLSv1": 0x0301,
    "TLSv1.1": 0x0302,
    "TLSv1.2": 0x0303,
    "TLSv1.3": 0x0304,
}

# IANA, "TLS Supported Groups".
GROUPS = {
    0x11EC: "X25519MLKEM768",
    0x11EB: "SecP256r1MLKEM768",
    0x11ED: "SecP384r1MLKEM1024",
    0x001D: "x25519",
    0x0017: "secp256r1",
    0x001E: "x448",
    0x0018: "secp384r1",
    0x0019: "secp521r1",
    0x001A: "brainpoolP256r1",
    0x001B: "brainpoolP384r1",
    0x001C: "brainpoolP512r1",
    0x001F: "brainpoolP256r1tls13",
    0x0020: "brainpoolP384r1tls13",
    0x0021: "brainpoolP512r1tls13",
    0x0100: "ffdhe2048",
    0x0101: "ffdhe3072",
    0x0102: "ffdhe4096",
    0x0103: "ffdhe6144",
    0x0104: "ffdhe8192",
    0x0015: "secp224r1",
    0x0013: "secp192r1",
    0x0016: "secp256k1",
}

SUITES_13 = {
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256",
    0x1305: "TLS_AES_128_CCM_8_SHA256",
}

# IANA, "TLS Cipher Suites": strong ones first, then what must not be taken any more.
SUITES_12 = {
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    0xCCAA: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xC0AD: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
    0xC0AC: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
    0xC0AF: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
    0xC0AE: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
    0xC09F: "TLS_DHE_RSA_WITH_AES_256_CCM",
    0xC09E: "TLS_DHE_RSA_WITH_AES_128_CCM",
    0xC024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xC028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    0xC023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0x006B: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256",
    0xC09D: "TLS_RSA_WITH_AES_256_CCM",
    0xC09C: "TLS_RSA_WITH_AES_128_CCM",
    0x003D: "TLS_RSA_WITH_AES_256_CBC_SHA256",
    0x003C: "TLS_RSA_WITH_AES_128_CBC_SHA256",
    0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA",
    0x0088: "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA",
    0x0045: "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA",
    0x0084: "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
    0x0041: "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
    0x0038: "TLS_DHE_DSS_WITH_AES_256_CBC_SHA",
    0x0032: "TLS_DHE_DSS_WITH_AES_128_CBC_SHA",
    0xC008: "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
    0xC012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC011: "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    0xC007: "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    0x0005: "TLS_RSA_WITH_RC4_128_SHA",
    0x0004: "TLS_RSA_WITH_RC4_128_MD5",
    0x0015: "TLS_DHE_RSA_WITH_DES_CBC_SHA",
    0x0009: "TLS_RSA_WITH_DES_CBC_SHA",
    0x0008: "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA",
    0x0003: "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
    0x003B: "TLS_RSA_WITH_NULL_SHA256",
    0x0002: "TLS_RSA_WITH_NULL_SHA",
    0x0001: "TLS_RSA_WITH_NULL_MD5",
    0xC010: "TLS_ECDHE_RSA_WITH_NULL_SHA",
    0xC006: "TLS_ECDHE_ECDSA_WITH_NULL_SHA",
    0x00A7: "TLS_DH_anon_WITH_AES_256_GCM_SHA384",
    0x00A6: "TLS_DH_anon_WITH_AES_128_GCM_SHA256",
    0x003A: "TLS_DH_anon_WITH_AES_256_CBC_SHA",
    0x0034: "TLS_DH_anon_WITH_AES_128_CBC_SHA",
    0xC019: "TLS_ECDH_anon_WITH_AES_256_CBC_SHA",
    0xC018: "TLS_ECDH_anon_WITH_AES_128_CBC_SHA",
    0x0018: "TLS_DH_anon_WITH_RC4_128_MD5",
}

_SIGNATURES = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x081A, 0x081B, 0x081C, 0x0809, 0x080A, 0x080B),
    *(0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0402, 0x0203, 0x0201, 0x0202),
)
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_ALERT, _HANDSHAKE, _APPLICATION = 21, 22, 23
_SERVER_HELLO, _CERTIFICATE, _KEY_EXCHANGE, _REQUEST, _DONE, _STATUS = 2, 11, 12, 13, 14, 22
_FLIGHT_LIMIT = 512 * 1024


class GarbledError(Exception):
    """What came is not TLS; `first` has its beginning."""

    def __init__(self, text: str, first: bytes = b"") -> None:
        super().__init__(text)
        self.first = first


@dataclass(frozen=True)
class Question:
    """A ClientHello.

    Attributes
    ----------
    version
        The highest one; 1.3 alone if it is 0x0304.
    suites, groups
        Offered, in this order.
    host
        For SNI; None: left out.
    status
        Ask for a stapled OCSP response.
    """

    version: int
    suites: Sequence[int]
    groups: Sequence[int] = tuple(GROUPS)
    host: str | None = None
    status: bool = True


@dataclass
class Hello:
    """The answer.

    Attributes
    ----------
    alert
        The number of the alert that came in place of a ServerHello, or None.
    closed
        The server ended the connection without a word.
    version, suite, group
        Chosen; None: it was not said.
    dh_bits
        Size of the prime of a DHE key exchange.
    requested, stapled
        Whether a certificate was asked for, a response stapled; only TLS 1.2 and older show it.
    seconds
        From question to answer.
    """

    alert: int | None = None
    closed: bool = False
    version: int | None = None
    suite: int | None = None
    group: int | None = None
    dh_bits: int | None = None
    requested: bool | None = None
    stapled: bool | None = None
    seconds: float = 0.0
    _found: set[int] = field(default_factory=set)

    @property
    def accepted(self) -> bool:
        """Whether the server has chosen."""
        return self.suite is not None


# ---- writing


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def _block(content: bytes, size: int) -> bytes:
    return _number(len(content), size) + content


def _extension(kind: int, content: bytes) -> bytes:
    return _number(kind, 2) + _block(content, 2)


def _list(values: Sequence[int]) -> bytes:
    return _block(b"".join(_number(value, 2) for value in values), 2)


def client_hello(question: Question) -> bytes:
    """Write a ClientHello as one record."""
    tls13 = question.version >= 0x0304
    legacy = min(question.version, 0x0303)
    extensions = b""
    if question.version > 0x0300:
        if question.host and not _is_address(question.host):
            name = b"\0" + _block(question.host.encode("idna"), 2)
            extensions += _extension(0, _block(name, 2))
        extensions += _extension(10, _list(question.groups)) + _extension(11, _block(b"\0", 1))
        if question.version >= 0x0303:
            extensions += _extension(13, _list(_SIGNATURES))
        if question.status:
            extensions += _extension(5, b"\x01\0\0\0\0")
        extensions += _extension(0xFF01, b"\0") + _extension(23, b"")
        if tls13:
            extensions += _extension(43, _block(_number(question.version, 2), 1))
            # No key share: a server that agrees asks for one, and names the group it prefers.
            extensions += _extension(51, _block(b"", 2)) + _extension(45, _block(b"\x01", 1))
    body = _number(legacy, 2) + os.urandom(32)
    body += _block(os.urandom(32) if tls13 else b"", 1) + _list(question.suites) + b"\x01\0"
    body += _block(extensions, 2) if extensions else b""
    message = b"\x01" + _block(body, 3)
    return b"\x16" + _number(min(legacy, 0x0301), 2) + _block(message, 2)


def _is_address(host: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# ---- reading


class _Reader:
    """Takes lengths seriously."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, size: int) -> bytes:
        if size > len(self._content) - self._at:
            raise GarbledError("a length points past the end of a message")
        self._at += size
        return self._content[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> bytes:
        return self.take(self.number(size))

    @property
    def more(self) -> bool:
        return self._at < len(self._content)


def _server_hello(body: bytes, answer: Hello) -> None:
    reader = _Reader(body)
    answer.version = reader.number(2)
    retry = reader.take(32) == _RETRY
    reader.block(1)
    answer.suite = reader.number(2)
    reader.take(1)
    extensions = _Reader(reader.block(2) if reader.more else b"")
    while extensions.more:
        kind, content = extensions.number(2), _Reader(extensions.block(2))
        if kind == 43:
            answer.version = content.number(2)
        elif kind == 51:
            answer.group = content.number(2)
    if retry:
        answer._found.add(_DONE)


def _key_exchange(body: bytes, answer: Hello) -> None:
    name = SUITES_12.get(answer.suite or 0, "")
    reader = _Reader(body)
    if "_ECDH" in name:
        if reader.number(1) == 3:  # named_curve, RFC 8422 5.4
            answer.group = reader.number(2)
    elif "_DHE_" in name or "_DH_anon" in name:
        answer.dh_bits = int.from_bytes(reader.block(2), "big").bit_length()


def _message(kind: int, body: bytes, answer: Hello) -> None:
    answer._found.add(kind)
    if kind == _SERVER_HELLO:
        _server_hello(body, answer)
    elif kind == _KEY_EXCHANGE:
        _key_exchange(body, answer)


class _Flight:
    """Records and messages of the server's first flight."""

    def __init__(self, connection: socket.socket, end: float) -> None:
        self._socket = connection
        self._end = end
        self._total = 0

    def exactly(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            got = self._socket.recv(size - len(content))
            if not got:
                raise EOFError
            content += got
        self._total += size
        if self._total > _FLIGHT_LIMIT:
            raise GarbledError("the server's first flight does not end")
        return content

    def record(self) -> tuple[int, bytes]:
        header = self.exactly(5)
        if header[0] not in (20, _ALERT, _HANDSHAKE, _APPLICATION) or header[1] != 3:
            raise GarbledError("the answer is not TLS", header)
        return header[0], self.exactly(int.from_bytes(header[3:], "big"))


def ask(address: tuple[str, int], question: Question, timeout: float) -> Hello:
    """Connect, ask, read the server's first flight, leave.

    Parameters
    ----------
    address
        Numeric host, and port.
    timeout
        Seconds for all of it.

    Raises
    ------
    OSError
        No connection; a `TimeoutError` too when no answer comes.
    GarbledError
        The answer is not TLS.
    """
    end = time.monotonic() + timeout
    answer = Hello()
    with socket.create_connection(address, timeout) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        flight = _Flight(connection, end)
        try:
            connection.sendall(client_hello(question))
            _read(flight, answer, began)
        except (EOFError, ConnectionError):
            answer.closed = not answer.accepted
    if answer.accepted and (answer.version or 0) <= 0x0303:
        answer.requested = _REQUEST in answer._found
        answer.stapled = _STATUS in answer._found
    return answer


def _read(flight: _Flight, answer: Hello, began: float) -> None:
    waiting = b""
    while _DONE not in answer._found:
        kind, content = flight.record()
        answer.seconds = answer.seconds or time.perf_counter() - began
        if kind == _ALERT:
            if len(content) == 2 and content[0] == 1 and not answer.accepted:
                continue  # a warning, as unrecognized_name
            if len(content) == 2 and not answer.accepted:
                answer.alert = content[1]
            return
        if kind != _HANDSHAKE:
            return  # encrypted from here on: all is said
        waiting += content
        while len(waiting) >= 4:
            size = 4 + int.from_bytes(waiting[1:4], "big")
            if size > _FLIGHT_LIMIT:
                raise GarbledError("a message of the server is too long")
            if len(waiting) < size:
                break
            _message(waiting[0], waiting[4:size], answer)
            waiting = waiting[size:]
