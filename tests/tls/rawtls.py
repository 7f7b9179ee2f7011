"""A TLS peer that presents any bytes as its certificate chain, and hears the alert that follows.

OpenSSL cannot present what it cannot parse or thinks unusable. This speaks just enough of TLS 1.2
(RFC 5246) and TLS 1.3 (RFC 8446, TLS_AES_128_GCM_SHA256 with X25519) to get to the Certificate
message; it cannot finish a handshake.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.support import PATIENCE

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE, HELLO_DONE, FINISHED = (
    *(1, 2, 8, 11),
    *(14, 20),
)
X25519 = 0x001D
SUITE_12, SUITE_13 = 0xC02B, 0x1301


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def block(content: bytes, size: int) -> bytes:
    """Give a vector: its length in `size` bytes, then the content."""
    return number(len(content), size) + content


def extension(kind: int, content: bytes) -> bytes:
    return number(kind, 2) + block(content, 2)


def message(kind: int, content: bytes) -> bytes:
    return number(kind, 1) + block(content, 3)


GROUPS = extension(10, block(number(X25519, 2) + number(0x0017, 2), 2))
POINTS = extension(11, block(b"\0", 1))
SIGNATURES = extension(
    13, block(b"".join(number(one, 2) for one in (0x0403, 0x0804, 0x0401, 0x0807)), 2)
)
RENEGOTIATION = extension(0xFF01, block(b"", 1))


class Closed(Exception):
    """The peer has ended the connection without an alert."""


class Channel:
    """Records and handshake messages on a socket; encrypted when a direction has a secret."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.transcript = b""
        self._pending = b""
        self._keys: dict[str, tuple[AESGCM, bytes]] = {}
        self._sequence = {"in": 0, "out": 0}

    def use_secret(self, direction: str, secret: bytes) -> None:
        """Encrypt from now on (RFC 8446 7.3)."""
        key, iv = expand(secret, b"key", b"", 16), expand(secret, b"iv", b"", 12)
        self._keys[direction] = (AESGCM(key), iv)
        self._sequence[direction] = 0

    def send(self, content: bytes) -> None:
        """Send one handshake message."""
        self.transcript += content
        for start in range(0, len(content), 16000):
            self._send_record(content[start : start + 16000])

    def _send_record(self, content: bytes) -> None:
        kind = HANDSHAKE
        if "out" in self._keys:
            inner = content + number(HANDSHAKE, 1)
            kind = APPLICATION_DATA
            header = number(kind, 1) + b"\x03\x03" + number(len(inner) + 16, 2)
            aead, nonce = self._cipher("out")
            self.socket.sendall(header + aead.encrypt(nonce, inner, header))
            return
        self.socket.sendall(number(kind, 1) + b"\x03\x03" + block(content, 2))

    def _cipher(self, direction: str) -> tuple[AESGCM, bytes]:
        aead, iv = self._keys[direction]
        count = number(self._sequence[direction], 12)
        self._sequence[direction] += 1
        return aead, bytes(a ^ b for a, b in zip(iv, count, strict=True))

    def _exactly(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            got = self.socket.recv(size - len(content))
            if not got:
                raise Closed
            content += got
        return content

    def record(self) -> tuple[int, bytes]:
        """Read one record, decrypted; those of middlebox compatibility are left out."""
        while True:
            header = self._exactly(5)
            kind = header[0]
            content = self._exactly(int.from_bytes(header[3:], "big"))
            if kind == CHANGE_CIPHER_SPEC:
                continue
            if kind == APPLICATION_DATA:
                aead, nonce = self._cipher("in")
                content = aead.decrypt(nonce, content, header).rstrip(b"\0")
                kind, content = content[-1], content[:-1]
            return kind, content

    def receive(self) -> tuple[int, bytes]:
        """Read one handshake message: type and body."""
        while len(self._pending) < 4 or len(self._pending) < self._size():
            kind, content = self.record()
            assert kind == HANDSHAKE, f"record of type {kind}: {content.hex()}"
            self._pending += content
        size = self._size()
        whole, self._pending = self._pending[:size], self._pending[size:]
        self.transcript += whole
        return whole[0], whole[4:]

    def _size(self) -> int:
        return 4 + int.from_bytes(self._pending[1:4], "big")

    def alert(self) -> int | None:
        """Read until an alert comes, and give its number; None if the peer just ends."""
        try:
            while True:
                kind, content = self.record()
                if kind == ALERT:
                    return content[1]
        except (Closed, ConnectionResetError):
            return None


# ---- RFC 8446 section 7.1


def expand(secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label with SHA-256, up to 32 bytes."""
    info = number(size, 2) + block(b"tls13 " + label, 1) + block(context, 1)
    return hmac.digest(secret, info + b"\x01", "sha256")[:size]


def extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.digest(salt, secret, "sha256")


def derive(secret: bytes, label: bytes, transcript: bytes) -> bytes:
    return expand(secret, label, hashlib.sha256(transcript).digest(), 32)


def handshake_secret(shared: bytes) -> bytes:
    early = extract(bytes(32), bytes(32))
    return extract(derive(early, b"derived", b""), shared)


def exchange(own: X25519PrivateKey, peer: bytes) -> bytes:
    return own.exchange(X25519PublicKey.from_public_bytes(peer))


# ---- hellos


def extensions_in(content: bytes) -> dict[int, bytes]:
    """Parse a block of extensions."""
    found = {}
    size, at = int.from_bytes(content[:2], "big"), 2
    while at < size + 2:
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        found[int.from_bytes(content[at : at + 2], "big")] = content[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def client_hello(suite: int, *more: bytes) -> bytes:
    head = b"\x03\x03" + os.urandom(32) + block(b"", 1) + block(number(suite, 2), 2)
    extensions = GROUPS + POINTS + SIGNATURES + RENEGOTIATION + b"".join(more)
    return message(CLIENT_HELLO, head + block(b"\0", 1) + block(extensions, 2))


def server_hello(suite: int, session: bytes, *more: bytes) -> bytes:
    head = b"\x03\x03" + os.urandom(32) + block(session, 1) + number(suite, 2) + b"\0"
    return message(SERVER_HELLO, head + block(b"".join(more), 2))


def read_client_hello(channel: Channel) -> tuple[bytes, dict[int, bytes]]:
    kind, body = channel.receive()
    assert kind == CLIENT_HELLO
    session = body[35 : 35 + body[34]]
    at = 35 + len(session)
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    at += 1 + body[at]
    return session, extensions_in(body[at:])


# ---- the four peers


def server_12(channel: Channel, chain: Sequence[bytes]) -> int | None:
    read_client_hello(channel)
    channel.send(server_hello(SUITE_12, b"", RENEGOTIATION))
    channel.send(message(CERTIFICATE, block(b"".join(block(one, 3) for one in chain), 3)))
    return channel.alert()


def client_12(channel: Channel, chain: Sequence[bytes]) -> int | None:
    channel.send(client_hello(SUITE_12))
    while channel.receive()[0] != HELLO_DONE:
        pass
    channel.send(message(CERTIFICATE, block(b"".join(block(one, 3) for one in chain), 3)))
    return channel.alert()


def certificate_13(chain: Sequence[bytes]) -> bytes:
    entries = b"".join(block(one, 3) + block(b"", 2) for one in chain)
    return message(CERTIFICATE, block(b"", 1) + block(entries, 3))


def server_13(channel: Channel, chain: Sequence[bytes]) -> int | None:
    session, extensions = read_client_hello(channel)
    share = number(X25519, 2) + number(32, 2)
    shares = extensions[51]
    assert share in shares, "this OpenSSL offers no share of X25519: teach HelloRetryRequest here"
    at = shares.index(share) + 4
    own = X25519PrivateKey.generate()
    hello = server_hello(
        SUITE_13,
        session,
        extension(43, b"\x03\x04"),
        extension(51, share + own.public_key().public_bytes_raw()),
    )
    channel.send(hello)
    secret = handshake_secret(exchange(own, shares[at : at + 32]))
    until_here = channel.transcript
    channel.use_secret("out", derive(secret, b"s hs traffic", until_here))
    channel.send(message(ENCRYPTED_EXTENSIONS, block(b"", 2)))
    channel.use_secret("in", derive(secret, b"c hs traffic", until_here))
    channel.send(certificate_13(chain))
    return channel.alert()


def client_13(channel: Channel, chain: Sequence[bytes]) -> int | None:
    own = X25519PrivateKey.generate()
    share = number(X25519, 2) + block(own.public_key().public_bytes_raw(), 2)
    channel.send(
        client_hello(SUITE_13, extension(43, b"\x02\x03\x04"), extension(51, block(share, 2)))
    )
    kind, body = channel.receive()
    assert kind == SERVER_HELLO
    extensions = extensions_in(body[35 + body[34] + 3 :])
    secret = handshake_secret(exchange(own, extensions[51][4:]))
    until_here = channel.transcript
    channel.use_secret("in", derive(secret, b"s hs traffic", until_here))
    while channel.receive()[0] != FINISHED:
        pass
    master = extract(derive(secret, b"derived", b""), bytes(32))
    channel.use_secret("in", derive(master, b"s ap traffic", channel.transcript))
    channel.use_secret("out", derive(secret, b"c hs traffic", until_here))
    channel.send(certificate_13(chain))
    return channel.alert()


SERVERS = {"TLSv1.2": server_12, "TLSv1.3": server_13}
CLIENTS = {"TLSv1.2": client_12, "TLSv1.3": client_13}


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Listen on a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


def present_to_client(listener: socket.socket, version: str, chain: Sequence[bytes]) -> int | None:
    """Serve one connection with this chain; give the alert that came."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(PATIENCE)
        return SERVERS[version](Channel(connection), chain)


def present_to_server(port: int, version: str, chain: Sequence[bytes]) -> int | None:
    """Connect with this chain; give the alert that came."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        return CLIENTS[version](Channel(connection), chain)
