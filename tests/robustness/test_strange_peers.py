"""Strangers at our ports, before any handshake: named, told once, closed."""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from leadtools_compat.dicom import DicomExceptionCode
from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import (
    ASSOCIATE,
    FATAL,
    HTTP_REQUEST,
    SSH_BANNER,
    WARNING,
    alert,
    dial,
    drip,
    noise,
    read_to_end,
    record,
    reset,
    send_bytewise,
)
from tests.robustness.strangers import (
    ABORTED,
    CODES,
    HELLO,
    LONG,
    QUICK,
    Act,
    Keep,
    Listen,
    Named,
    all_quiet,
    broken,
    check_record,
    late,
    leave,
    not_tls,
    say,
    stay,
    tls_children,
    told,
)
from tests.support import (
    PATIENCE,
)

HALF = HELLO[: len(HELLO) // 2]


def say_and(data: bytes, then: Act) -> Act:
    def act(peer: socket.socket) -> None:
        peer.sendall(data)
        then(peer)

    return act


@dataclass(frozen=True)
class Stranger:
    """A peer at our TLS port, and what is to be said about it; None: that it went wrong in TLS."""

    act: Act
    named: Named | None
    limit: float = LONG


AT_TLS_PORT = {
    "silent": Stranger(stay, late("nothing"), QUICK),
    "half a hello, then silent": Stranger(say(HALF), late("TLS"), QUICK),
    "one byte of a hello, then silent": Stranger(say(HELLO[:1]), late(), QUICK),
    "a byte now and then": Stranger(lambda peer: (drip(peer, HELLO, 0.02), None)[1], late(), QUICK),
    "closes at once": Stranger(leave, ABORTED),
    "half a hello, then closes": Stranger(say_and(HALF, leave), ABORTED),
    "resets at once": Stranger(reset, ABORTED),
    "half a hello, then resets": Stranger(say_and(HALF, reset), ABORTED),
    "plain DICOM": Stranger(say(ASSOCIATE), not_tls("plain DICOM")),
    "plain DICOM, byte by byte": Stranger(
        lambda peer: send_bytewise(peer, ASSOCIATE[:16]), not_tls("plain DICOM")
    ),
    "HTTP": Stranger(say(HTTP_REQUEST), not_tls("HTTP")),
    "SSH": Stranger(say(SSH_BANNER), not_tls("SSH")),
    "noise 1": Stranger(say(noise(1, 0x00)), not_tls("unknown")),
    "noise 2": Stranger(say(noise(2, 0xFF)), not_tls("unknown")),
    "noise 3": Stranger(say(noise(3, 0x5A)), not_tls("unknown")),
    "SSL 2 hello": Stranger(
        say(b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + noise(4, 7, 40)), not_tls("unknown")
    ),
    "noise that begins like a record": Stranger(
        say(b"\x16\x03\x01\x00\x40" + noise(5, 0x7F, 63)), broken()
    ),
    "record of 65535 bytes": Stranger(
        say(record(22, HELLO[5:], 0x0301, 0xFFFF)), broken("peer", CODES.TlsRecord)
    ),
    "record of 0 bytes, 100 times": Stranger(say(record(22, b"", 0x0301) * 100), broken()),
    "hello of 16777215 bytes": Stranger(
        say(record(22, b"\x01\xff\xff\xff" + HELLO[9:], 0x0301)), broken()
    ),
    "data before the hello": Stranger(say(record(23, noise(6, 1, 99))), None),
    "flood of warnings": Stranger(say(alert(WARNING, 90) * 200), broken()),
    "flood of unknown alerts": Stranger(say(alert(77, 200) * 200), broken()),
    "flood of ChangeCipherSpec": Stranger(say(record(20, b"\x01") * 200), None),
    "fatal alert instead of a hello": Stranger(say(alert(FATAL, 80)), None),
}


@pytest.mark.parametrize("name", AT_TLS_PORT)
def test_stranger_at_a_tls_port_is_named_told_once_and_closed(
    name: str, listen: Listen, pki: TestPki
) -> None:
    stranger = AT_TLS_PORT[name]
    listener = listen(tls_children(pki, None, stranger.limit))
    with dial(listener.HostPort) as peer:
        try:
            stranger.act(peer)
        except ConnectionError:
            assert stranger.act is not stay  # it was not even allowed to finish
        child = listener.child()
        code = child.log.wait("OnClose").code
        if peer.fileno() >= 0:
            heard, _ = read_to_end(peer)
            # Whatever is said to a stranger is TLS: an alert, no more.
            assert heard == b"" or re.fullmatch(rb"\x15\x03.\x00\x02..", heard, re.DOTALL), heard
    if stranger.named is None:
        assert 300 <= code < 400
        check_record(child, Named(code, "tls", child.failure.side))
    else:
        check_record(child, stranger.named)
    listener.log.wait("OnClose")
    all_quiet()
    assert told(child) == [f"OnSecureLinkReady {code}", f"OnClose {code}"]
    assert child.log.all("OnClose")[0].arguments == (code, child)
    assert told(listener) in (
        ["OnAccept Success", f"OnClose {code}"],
        [f"OnClose {code}", "OnAccept Success"],  # the log of OnAccept is written when it is over
    )
    assert listener.log.all("OnClose")[0].arguments == (code, child)
    assert not child.IsConnected()
    assert child.GetTlsCipherSuite() == 0


def test_peer_that_reset_before_accept_still_has_its_address(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    gone = threading.Event()
    make = tls_children(pki, None, LONG)

    def accept(net: Any, error: DicomExceptionCode) -> None:
        child = nets(make())
        assert gone.wait(PATIENCE)
        net.Accept(child)
        seen.append((child.PeerAddress, child.PeerPort))

    def close(net: Any, error: DicomExceptionCode, child: Any) -> None:
        seen.append((child.PeerAddress, child.PeerPort))  # programs look their client up by it

    seen: list[tuple[str, int]] = []
    listener = listen(OnAccept=accept, OnClose=close)
    peer = dial(listener.HostPort)
    port = peer.getsockname()[1]
    reset(peer)
    gone.set()
    listener.log.wait("OnClose")
    assert seen == [("127.0.0.1", port)] * 2


# ---- at our TLS port: after the hello ----
