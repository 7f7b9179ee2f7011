"""Peers that are silent, slow, rude, or of another protocol: each is named, told once, and gone."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from leadtools_compat.dicom import DicomExceptionCode, DicomSslMethodType
from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import (
    ABORT,
    ASSOCIATE,
    FATAL,
    HTTP_ANSWER,
    HTTP_REQUEST,
    SSH_BANNER,
    WARNING,
    MemoryTls,
    OneServer,
    alert,
    client_context,
    client_hello,
    dial,
    drip,
    noise,
    read_to_end,
    record,
    reset,
    send_bytewise,
    server_context,
    shake_hands,
)
from tests.robustness.robust_tools import connections_and_handshakes, until
from tests.support import (
    MUTUAL,
    PATIENCE,
    Listener,
    RecordingNet,
    connect,
    secure,
    settings,
    tls_net,
)

if TYPE_CHECKING:
    from typing_extensions import Self

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
HALF = HELLO[: len(HELLO) // 2]


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


def late(*words: str) -> Named:
    return Named(CODES.TlsHandshakeTimeout, "tls", "peer", words)


def not_tls(what: str) -> Named:
    return Named(CODES.TlsPeerNotTls, "tls", "peer", (what,))


def broken(side: str = "local", code: DicomExceptionCode = CODES.TlsFailure) -> Named:
    return Named(code, "tls", side)


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


def hello_then(then: Act) -> Callable[[socket.socket, ssl.TLSVersion], None]:
    """Say hello, read the server's flight, then do something else."""

    def act(peer: socket.socket, version: ssl.TLSVersion) -> None:
        peer.sendall(client_hello(version))
        assert peer.recv(65536)
        then(peer)

    return act


AFTER_HELLO = {
    "silent": (stay, late("TLS"), QUICK),
    "closes": (leave, ABORTED, LONG),
    "resets": (reset, ABORTED, LONG),
    "plain DICOM": (say(ASSOCIATE), None, LONG),
    "record of 65535 bytes": (say(record(22, b"", length=0xFFFF)), None, LONG),
    "flood of warnings": (say(alert(WARNING, 90) * 200), None, LONG),
    "fatal alert": (
        say(alert(FATAL, 80)),
        Named(CODES.TlsAlertReceived, "tls", "peer", ("internal error",)),
        LONG,
    ),
    "unknown CA": (
        say(alert(FATAL, 48)),
        Named(CODES.TlsPeerRejectedCertificate, "certificate", "peer", ("unknown CA",)),
        LONG,
    ),
    "data": (say(record(23, noise(7, 1, 99))), None, LONG),
}


@VERSIONS
@pytest.mark.parametrize("name", AFTER_HELLO)
def test_peer_that_goes_wrong_after_its_hello_is_named_told_once_and_closed(
    name: str, version: ssl.TLSVersion, listen: Listen, pki: TestPki
) -> None:
    then, named, limit = AFTER_HELLO[name]
    listener = listen(tls_children(pki, version, limit))
    with dial(listener.HostPort) as peer:
        hello_then(then)(peer, version)
        child = listener.child()
        code = child.log.wait("OnClose").code
        if peer.fileno() >= 0:
            read_to_end(peer)
    if named is not None:
        check_record(child, named)
    else:  # which of its reasons OpenSSL finds first depends on the version
        assert code in (CODES.TlsFailure, CODES.TlsRecord), str(child.failure)
        check_record(child, Named(code, "tls", child.failure.side))
        assert child.failure.openssl is not None
    listener.log.wait("OnClose")
    all_quiet()
    assert told(child) == [f"OnSecureLinkReady {code}", f"OnClose {code}"]
    assert listener.log.all("OnClose")[0].arguments == (code, child)
    assert len(listener.log.all("OnClose")) == 1


@VERSIONS
def test_client_that_speaks_byte_by_byte_gets_its_link(
    version: ssl.TLSVersion, listen: Listen, pki: TestPki
) -> None:
    listener = listen(tls_children(pki, version, LONG))
    context = client_context(version, pki.client.combined_file)
    with dial(listener.HostPort) as peer:
        shake_hands(peer, MemoryTls(context, server=False), bytewise=True)
        child = listener.child()
        assert child.log.wait("OnSecureLinkReady").code == CODES.Success
        assert child.tls_verified
        leave(peer)
        read_to_end(peer)
    assert child.log.wait("OnClose").code == CODES.Success
    listener.log.wait("OnClose")
    all_quiet()
    assert told(child) == ["OnVerify", "OnSecureLinkReady Success", "OnClose Success"]
    assert child.failure is None


@VERSIONS
def test_refused_client_that_answers_our_alert_by_a_reset_changes_nothing(
    version: ssl.TLSVersion, listen: Listen, pki: TestPki, other_pki: TestPki
) -> None:
    listener = listen(tls_children(pki, version, LONG))
    context = client_context(version, other_pki.client.combined_file)
    with dial(listener.HostPort) as peer:
        side = MemoryTls(context, server=False)
        with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
            shake_hands(peer, side)
            side.read(peer.recv(65536))  # TLS 1.3: the client's own handshake is over before
            assert side.error is not None
            raise side.error
        reset(peer)
    child = listener.child()
    named = Named(CODES.TlsCertificateRejected, "certificate", "local")
    assert child.log.wait("OnClose").code == named.code
    check_record(child, named)
    assert child.failure.alert_sent == 48
    assert child.failure.certificate_subject
    listener.log.wait("OnClose")
    all_quiet()
    assert told(child) == [
        "OnVerify",
        "OnSecureLinkReady TlsCertificateRejected",
        "OnClose TlsCertificateRejected",
    ]


def ready_link(
    listener: Listener, pki: TestPki, version: ssl.TLSVersion
) -> tuple[socket.socket, MemoryTls, Any]:
    """Make a link of a stranger that behaves up to here."""
    peer = dial(listener.HostPort)
    side = MemoryTls(client_context(version, pki.client.combined_file), server=False)
    shake_hands(peer, side)
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.Success
    return peer, side, child


@VERSIONS
def test_reset_after_the_handshake_is_an_aborted_connection(
    version: ssl.TLSVersion, listen: Listen, pki: TestPki
) -> None:
    listener = listen(tls_children(pki, version, LONG))
    peer, _, child = ready_link(listener, pki, version)
    reset(peer)
    assert child.log.wait("OnClose").code == CODES.NetConnectionAborted
    assert child.failure.side == "peer"
    assert child.failure.stage != "certificate"
    assert child.failure.remedy
    listener.log.wait("OnClose")
    all_quiet()
    assert told(child) == [
        "OnVerify",
        "OnSecureLinkReady Success",
        "OnClose NetConnectionAborted",
    ]


@VERSIONS
@pytest.mark.parametrize("goodbye", [True, False], ids=["close_notify", "bare FIN"])
def test_close_after_the_handshake_is_no_failure(
    goodbye: bool, version: ssl.TLSVersion, listen: Listen, pki: TestPki
) -> None:
    listener = listen(tls_children(pki, version, LONG))
    peer, side, child = ready_link(listener, pki, version)
    with peer:
        if goodbye:
            with pytest.raises(ssl.SSLWantReadError):
                side.tls.unwrap()
            peer.sendall(side.step())
        leave(peer)
        assert child.log.wait("OnClose").code == CODES.Success
        assert child.failure is None
        assert read_to_end(peer)[1]


@VERSIONS
@pytest.mark.parametrize("kind", [20, 21, 22, 23, 99])
def test_damaged_record_after_the_handshake_is_named(
    kind: int, version: ssl.TLSVersion, listen: Listen, pki: TestPki
) -> None:
    listener = listen(tls_children(pki, version, LONG))
    peer, _, child = ready_link(listener, pki, version)
    with peer:
        peer.sendall(record(kind, noise(8, 1, 99)))
        code = child.log.wait("OnClose").code
        read_to_end(peer)
    assert code in (CODES.TlsRecord, CODES.TlsFailure), str(child.failure)
    check_record(child, Named(code, "tls", child.failure.side))
    assert len(child.log.all("OnClose")) == len(child.log.all("OnSecureLinkReady")) == 1


@VERSIONS
def test_flood_of_renegotiations_and_empty_records_ends_bounded(
    version: ssl.TLSVersion, listen: Listen, pki: TestPki
) -> None:
    listener = listen(tls_children(pki, version, LONG))
    peer, _, child = ready_link(listener, pki, version)
    with peer:
        try:
            peer.sendall(client_hello(version) + record(22, b"") * 500)
        except ConnectionError:
            pass  # cut off in the middle: just as well
        code = child.log.wait("OnClose").code
        read_to_end(peer)
    assert code != CODES.Success
    assert child.failure.remedy


# ---- at our plain port ----

AT_PLAIN_PORT = {
    "TLS 1.2": (client_hello(V12), CODES.NetPeerSpeaksTls, "TLS"),
    "TLS 1.3": (client_hello(V13), CODES.NetPeerSpeaksTls, "TLS"),
    "TLS alert": (alert(FATAL, 40), CODES.NetPeerSpeaksTls, "TLS"),
    "HTTP": (HTTP_REQUEST, CODES.NetProtocol, "HTTP"),
    "SSH": (SSH_BANNER, CODES.NetProtocol, "SSH"),
    "noise": (noise(1, 0xA5), CODES.NetProtocol, "unknown"),
    "zeros": (bytes(64), CODES.NetProtocol, "unknown"),
}


@pytest.mark.parametrize("name", AT_PLAIN_PORT)
def test_stranger_at_a_plain_port_is_named_and_gets_an_a_abort(name: str, listen: Listen) -> None:
    data, code, word = AT_PLAIN_PORT[name]
    listener = listen()
    with dial(listener.HostPort) as peer:
        peer.sendall(data)
        heard, in_order = read_to_end(peer)
    assert heard == ABORT
    assert in_order
    child = listener.child()
    assert child.log.wait("OnClose").code == code
    check_record(child, Named(code, "tcp", "peer", (word,)))
    listener.log.wait("OnClose")
    all_quiet()
    assert told(child) == [f"OnClose {code}"]
    assert listener.log.all("OnClose")[0].arguments == (code, child)


@pytest.mark.parametrize("end", [leave, reset], ids=["closes", "resets"])
def test_peer_that_leaves_a_plain_port_is_told_once(end: Act, listen: Listen) -> None:
    listener = listen()
    with dial(listener.HostPort) as peer:
        child = listener.child()
        end(peer)
        code = child.log.wait("OnClose").code
    assert code == (CODES.Success if end is leave else CODES.NetConnectionAborted)
    listener.log.wait("OnClose")
    all_quiet()
    assert told(child) == [f"OnClose {code}"]


@VERSIONS
def test_our_tls_client_at_our_plain_port_both_sides_know(
    version: ssl.TLSVersion, listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen()
    client = nets(tls_client(pki, version))
    connect(client, listener)
    assert client.log.wait("OnClose").code == CODES.TlsPeerNotTls
    child = listener.child()
    assert child.log.wait("OnClose").code == CODES.NetPeerSpeaksTls
    check_record(client, not_tls("plain DICOM"))
    assert "server" in client.failure.remedy
    check_record(child, Named(CODES.NetPeerSpeaksTls, "tcp", "peer", ("TLS",)))
    listener.log.wait("OnClose")
    all_quiet()
    assert told(client) == [
        "OnConnect Success",
        "OnSecureLinkReady TlsPeerNotTls",
        "OnClose TlsPeerNotTls",
    ]
    assert told(child) == ["OnClose NetPeerSpeaksTls"]


# ---- servers that our TLS client meets ----


def server_flight_then(
    certificate: str, version: ssl.TLSVersion, share: float, then: Act
) -> Callable[[socket.socket], None]:
    """Answer the hello by a part of what a server says, then do something else."""

    def serve(peer: socket.socket) -> None:
        side = MemoryTls(server_context(certificate, version), server=True)
        flight = side.step(peer.recv(65536))
        peer.sendall(flight[: int(len(flight) * share)])
        then(peer)
        if peer.fileno() >= 0:
            read_to_end(peer)

    return serve


def answer(*acts: Act, read_first: bool = True) -> Callable[[socket.socket], None]:
    """Read the hello, do something, and read what comes until the end."""

    def serve(peer: socket.socket) -> None:
        if read_first:
            peer.recv(65536)
        try:
            for act in acts:
                act(peer)
        except ConnectionError:
            pass  # cut off in the middle
        if peer.fileno() >= 0:
            read_to_end(peer)

    return serve


def from_alert(code: DicomExceptionCode, stage: str = "tls") -> Named:
    return Named(code, stage, "peer")


SERVERS: dict[str, tuple[Callable[[socket.socket], None], Named, float]] = {
    "accepts and says nothing": (answer(stay), late("nothing"), QUICK),
    "half a record, then silent": (answer(say(b"\x16\x03\x03\x00")), late("TLS"), QUICK),
    "closes at once": (answer(leave, read_first=False), ABORTED, LONG),
    "reads the hello and closes": (answer(leave), ABORTED, LONG),
    "reads the hello and resets": (answer(reset), ABORTED, LONG),
    "half a record, then closes": (answer(say(b"\x16\x03\x03\x00"), leave), ABORTED, LONG),
    "HTTP": (answer(say(HTTP_ANSWER), leave), not_tls("HTTP"), LONG),
    "SSH banner before the hello": (
        answer(say(SSH_BANNER), read_first=False),
        not_tls("SSH"),
        LONG,
    ),
    "A-ABORT": (answer(say(ABORT), leave), not_tls("plain DICOM"), LONG),
    "noise": (answer(say(noise(9, 0xC3))), not_tls("unknown"), LONG),
    "record of 65535 bytes": (
        answer(say(record(22, b"\x02", length=0xFFFF))),
        broken("peer", CODES.TlsRecord),
        LONG,
    ),
    "hello of 16777215 bytes": (
        answer(say(record(22, b"\x02\xff\xff\xff" + noise(10, 3, 99)))),
        broken(),
        LONG,
    ),
    "noise that begins like a record": (
        answer(say(b"\x16\x03\x03\x00\x40" + noise(5, 0x7F, 63))),
        broken(),
        LONG,
    ),
    "flood of warnings": (answer(say(alert(WARNING, 90) * 200)), broken(), LONG),
    "our own hello": (answer(say(HELLO)), broken(), LONG),
    "alert handshake_failure": (
        answer(say(alert(FATAL, 40))),
        from_alert(CODES.TlsNoSharedCipherSuite),
        LONG,
    ),
    "alert protocol_version": (
        answer(say(alert(FATAL, 70))),
        from_alert(CODES.TlsNoSharedVersion),
        LONG,
    ),
    "alert internal_error": (
        answer(say(alert(FATAL, 80))),
        from_alert(CODES.TlsAlertReceived),
        LONG,
    ),
}


@pytest.mark.parametrize("name", SERVERS)
def test_strange_server_is_named_by_our_tls_client(name: str, pki: TestPki, nets: Keep) -> None:
    serve, named, limit = SERVERS[name]
    server = OneServer(serve)
    client = nets(tls_client(pki, limit=limit))
    client.Connect(None, 0, "127.0.0.1", server.port)
    code = client.log.wait("OnClose").code
    check_record(client, named)
    server.finish()
    all_quiet()
    assert told(client) == [
        "OnConnect Success",
        f"OnSecureLinkReady {code}",
        f"OnClose {code}",
    ]
    assert client.log.all("OnClose")[0].arguments == (code, client)
    assert not client.IsConnected()


def test_server_that_resets_at_once_is_the_one_who_did_it(pki: TestPki, nets: Keep) -> None:
    server = OneServer(answer(reset, read_first=False))
    client = nets(tls_client(pki))
    client.Connect(None, 0, "127.0.0.1", server.port)
    code = CODES.NetConnectionAborted
    assert client.log.wait("OnClose").code == code
    server.finish()
    all_quiet()
    assert told(client) in (
        ["OnConnect Success", f"OnSecureLinkReady {code}", f"OnClose {code}"],
        [f"OnConnect {code}", f"OnClose {code}"],  # it was reset before we looked
    )
    check_record(client, Named(code, client.failure.stage, "peer"))
    assert client.failure.stage == ("tcp" if len(told(client)) == 2 else "tls")


def test_server_that_never_accepts_ends_by_the_handshake_timer(pki: TestPki, nets: Keep) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = nets(tls_client(pki, limit=QUICK))
        client.Connect(None, 0, "127.0.0.1", deaf.getsockname()[1])
        assert client.log.wait("OnClose").code == CODES.TlsHandshakeTimeout
        check_record(client, late("nothing"))
        client.linger_timeout = 0.0
    all_quiet()


@VERSIONS
@pytest.mark.parametrize("then", [stay, leave, reset], ids=["silent", "closes", "resets"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_server_that_breaks_off_in_its_flight_is_named(
    share: float, then: Act, version: ssl.TLSVersion, pki: TestPki, nets: Keep
) -> None:
    server = OneServer(server_flight_then(pki.server.combined_file, version, share, then))
    client = nets(tls_client(pki, version, QUICK if then is stay else LONG))
    client.Connect(None, 0, "127.0.0.1", server.port)
    code = client.log.wait("OnClose").code
    check_record(client, late("TLS") if then is stay else ABORTED)
    server.finish()
    all_quiet()
    lines = told(client)
    assert lines[0] == "OnConnect Success"
    assert lines[-2:] == [f"OnSecureLinkReady {code}", f"OnClose {code}"]
    assert len(client.log.all("OnClose")) == 1


@VERSIONS
def test_server_that_speaks_byte_by_byte_gets_its_link(
    version: ssl.TLSVersion, pki: TestPki, nets: Keep
) -> None:
    context = server_context(pki.server.combined_file, version, pki.ca_file)

    def serve(peer: socket.socket) -> None:
        shake_hands(peer, MemoryTls(context, server=True), bytewise=True)
        read_to_end(peer)

    server = OneServer(serve)
    client = nets(tls_client(pki, version))
    client.Connect(None, 0, "127.0.0.1", server.port)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    client.Close()
    assert client.log.wait("OnClose").code == CODES.Success
    server.finish()


# ---- servers that our plain client meets ----

GREETINGS = {
    "SSH banner": (SSH_BANNER, CODES.NetProtocol, "SSH"),
    "HTTP": (HTTP_ANSWER, CODES.NetProtocol, "HTTP"),
    "TLS alert": (alert(FATAL, 10), CODES.NetPeerSpeaksTls, "TLS"),
}


@pytest.mark.parametrize("name", GREETINGS)
def test_strange_server_is_named_by_our_plain_client(name: str, nets: Keep) -> None:
    data, code, word = GREETINGS[name]
    server = OneServer(answer(say(data), read_first=False))
    client = nets(RecordingNet())
    client.Connect(None, 0, "127.0.0.1", server.port)
    assert client.log.wait("OnClose").code == code
    check_record(client, Named(code, "tcp", "peer", (word,)))
    server.finish()
    all_quiet()
    assert told(client) == ["OnConnect Success", f"OnClose {code}"]


# ---- refusals after the handshake is over (TLS 1.3) ----


@VERSIONS
def test_python_server_that_trusts_another_ca_refuses_us_by_name(
    version: ssl.TLSVersion, pki: TestPki, other_pki: TestPki, nets: Keep
) -> None:
    context = server_context(pki.server.combined_file, version, other_pki.ca_file)

    def serve(peer: socket.socket) -> None:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(peer, server_side=True)

    server = OneServer(serve)
    client = nets(tls_client(pki, version))
    client.late_refusal_wait = PATIENCE
    client.Connect(None, 0, "127.0.0.1", server.port)
    code = CODES.TlsPeerRejectedCertificate
    assert client.log.wait("OnClose").code == code
    check_record(client, Named(code, "certificate", "peer"))
    assert client.failure.alert_received == 48
    server.finish()
    all_quiet()
    assert told(client) == [
        "OnConnect Success",
        "OnVerify",
        f"OnSecureLinkReady {code}",
        f"OnClose {code}",
    ]


class Openssl:
    """``openssl s_server``: somebody else's program, ended by its pid."""

    def __init__(self, *arguments: str) -> None:
        line = ["openssl", "s_server", "-accept", "127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.port = 0
        assert self.process.stdout is not None
        for text in self.process.stdout:
            found = re.search(r"^ACCEPT .*:(\d+)$", text)
            if found:
                self.port = int(found[1])
                break
        assert self.port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


@VERSIONS
@pytest.mark.parametrize("given", [True, False], ids=["other CA", "no certificate"])
def test_openssl_s_server_refuses_us_by_name(
    given: bool, version: ssl.TLSVersion, pki: TestPki, other_pki: TestPki, nets: Keep
) -> None:
    with Openssl(
        *("-cert", pki.server.certificate_file, "-key", pki.server.key_file),
        *("-cert_chain", pki.server.certificate_file, "-no_dhe", "-verify_return_error"),
        *("-CAfile", other_pki.ca_file, "-Verify", "3"),
        "-tls1_2" if version == V12 else "-tls1_3",
    ) as server:
        client = nets(RecordingNet(1))
        client.Initialize(None, 1, settings(pki.ca_file, MUTUAL, METHODS[version]))
        if given:
            client.SetTlsClientCertificate(pki.client.combined_file, 1, None)
        client.late_refusal_wait = PATIENCE
        client.Connect(None, 0, "127.0.0.1", server.port)
        code = CODES.TlsPeerRejectedCertificate if given else CODES.TlsPeerRequiresCertificate
        assert client.log.wait("OnClose").code == code, str(client.failure)
        check_record(client, Named(code, "certificate", "peer"))
    all_quiet()
    assert told(client) == [
        "OnConnect Success",
        "OnVerify",
        f"OnSecureLinkReady {code}",
        f"OnClose {code}",
    ]


def held_back(
    context: ssl.SSLContext, ready: threading.Event, then: Act | None
) -> Callable[[socket.socket], None]:
    """Keep the client's last flight until the client is ready; then judge it, or do `then`."""

    def serve(peer: socket.socket) -> None:
        side = MemoryTls(context, server=True)
        peer.sendall(side.step(peer.recv(65536)))
        last = peer.recv(65536)
        assert ready.wait(PATIENCE)
        if then is not None:
            then(peer)
        else:
            while side.error is None:
                peer.sendall(side.step(last))  # the alert too
                if side.error is None:
                    last = peer.recv(65536)
        if peer.fileno() >= 0:
            leave(peer)
            read_to_end(peer)

    return serve


def test_refusal_after_the_wait_is_told_in_onclose_as_one_of_the_certificate(
    pki: TestPki, other_pki: TestPki, nets: Keep
) -> None:
    ready = threading.Event()
    context = server_context(pki.server.combined_file, V13, other_pki.ca_file)
    server = OneServer(held_back(context, ready, None))
    client = nets(tls_client(pki, V13))
    client.late_refusal_wait = 0.05
    client.Connect(None, 0, "127.0.0.1", server.port)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    ready.set()
    code = CODES.TlsPeerRejectedCertificate
    assert client.log.wait("OnClose").code == code
    check_record(client, Named(code, "certificate", "peer"))
    server.finish()
    all_quiet()
    assert told(client) == [
        "OnConnect Success",
        "OnVerify",
        "OnSecureLinkReady Success",
        f"OnClose {code}",
    ]


@pytest.mark.parametrize("end", [leave, reset], ids=["closes", "resets"])
def test_server_that_ends_without_a_word_after_our_certificate_is_suspected_of_refusing_it(
    end: Act, pki: TestPki, nets: Keep
) -> None:
    at_once = threading.Event()
    at_once.set()
    context = server_context(pki.server.combined_file, V13, pki.ca_file)
    server = OneServer(held_back(context, at_once, end))
    client = nets(tls_client(pki, V13))
    client.late_refusal_wait = PATIENCE
    client.Connect(None, 0, "127.0.0.1", server.port)
    assert client.log.wait("OnClose").code == CODES.NetConnectionAborted
    check_record(client, ABORTED)
    assert "refused" in client.failure.remedy
    server.finish()
    all_quiet()
    assert told(client) == [
        "OnConnect Success",
        "OnVerify",
        "OnSecureLinkReady NetConnectionAborted",
        "OnClose NetConnectionAborted",
    ]


def test_server_without_tickets_that_stays_silent_has_not_refused(pki: TestPki, nets: Keep) -> None:
    context = server_context(pki.server.combined_file, V13, pki.ca_file)
    context.num_tickets = 0

    def serve(peer: socket.socket) -> None:
        shake_hands(peer, MemoryTls(context, server=True))
        read_to_end(peer)

    server = OneServer(serve)
    client = nets(tls_client(pki, V13))
    client.late_refusal_wait = 0.05
    client.Connect(None, 0, "127.0.0.1", server.port)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    client.Close()
    assert client.log.wait("OnClose").code == CODES.Success
    server.finish()
