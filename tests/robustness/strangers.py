"""Peers that go wrong: what they do, and how our nets must name it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from leadtools_compat.dicom import DicomExceptionCode, DicomSslMethodType
from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import (
    client_hello,
)
from tests.robustness.robust_tools import connections_and_handshakes, until
from tests.support import (
    MUTUAL,
    PATIENCE,
    Listener,
    RecordingNet,
    secure,
    settings,
    tls_net,
)

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
Act = Callable[[socket.socket], None]
CODES = DicomExceptionCode
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
METHODS = {V12: DicomSslMethodType.TlsV1_2, V13: DicomSslMethodType.TlsV1_3}
VERSIONS = pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
QUICK = 0.2
"""Handshake limit, in seconds, where the test is about the limit."""
LONG = 3600.0
"""The limit where it is not: if it ended the connection, the test would fail."""


@dataclass(frozen=True)
class Named:
    """What the record must say."""

    code: DicomExceptionCode
    stage: str
    side: str
    words: tuple[str, ...] = ()


ABORTED = Named(CODES.NetConnectionAborted, "tls", "peer")
NOT_TLS = Named(CODES.TlsPeerNotTls, "tls", "peer")


def check_record(net: Any, named: Named) -> None:
    """Compare the failure record, in all its forms, with what it must say."""
    failure = net.failure
    assert failure is not None
    assert (failure.code, failure.stage, failure.side) == (named.code, named.stage, named.side), (
        str(failure)
    )
    for word in named.words:
        assert word in failure.message, str(failure)
    assert failure.message
    assert failure.remedy
    assert 0 <= failure.elapsed < PATIENCE * 2
    assert failure.as_dict()["code"] == str(named.code)
    assert str(named.code) in str(failure)


def told(net: Any) -> list[str]:
    """List what a net was told, with the code; verdicts in a row count as one."""
    lines: list[str] = []
    for event in net.log.all():
        line = event.name if event.name == "OnVerify" else f"{event.name} {event.code}"
        if line != "OnVerify" or line not in lines[-1:]:
            lines.append(line)
    return lines


def all_quiet() -> None:
    """Wait until nothing more can come: the tests count what came after this."""
    until(
        lambda: connections_and_handshakes()[0] <= 1 and connections_and_handshakes()[1] == 0,
        "only the listener is left",
    )


def tls_children(
    pki: TestPki, version: ssl.TLSVersion | None, limit: float, **hooks: Any
) -> Callable[[], RecordingNet]:
    """Make a function that makes children for one TLS version, with a handshake limit."""

    def make() -> RecordingNet:
        child = RecordingNet(1, **hooks)
        secure(child, pki.server, pki.ca_file)
        if version is not None:
            child.Initialize(None, 1, settings(pki.ca_file, MUTUAL, METHODS[version]))
        child.handshake_timeout = limit
        return child

    return make


def tls_client(
    pki: TestPki, version: ssl.TLSVersion | None = None, limit: float = LONG, **options: Any
) -> Any:
    """Make a client for one TLS version, with a handshake limit."""
    client = tls_net(pki, **options)
    if version is not None:
        client.Initialize(None, 1, settings(pki.ca_file, MUTUAL, METHODS[version]))
    client.handshake_timeout = limit
    return client


# ---- at our TLS port: before any hello, the version does not matter ----

HELLO = client_hello()


def stay(peer: socket.socket) -> None:
    """Say nothing (more), and stay."""


def leave(peer: socket.socket) -> None:
    try:
        peer.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side was quicker


def say(*parts: bytes) -> Act:
    def act(peer: socket.socket) -> None:
        for part in parts:
            peer.sendall(part)

    return act


def late(*words: str) -> Named:
    return Named(CODES.TlsHandshakeTimeout, "tls", "peer", words)


def not_tls(what: str) -> Named:
    return Named(CODES.TlsPeerNotTls, "tls", "peer", (what,))


def broken(side: str = "local", code: DicomExceptionCode = CODES.TlsFailure) -> Named:
    return Named(code, "tls", side)
