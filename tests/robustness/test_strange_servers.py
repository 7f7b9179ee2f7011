"""Servers that go wrong when our client comes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import pytest

from leadtools_compat.dicom import DicomExceptionCode
from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import (
    ABORT,
    FATAL,
    HTTP_ANSWER,
    SSH_BANNER,
    WARNING,
    MemoryTls,
    OneServer,
    alert,
    noise,
    read_to_end,
    record,
    reset,
    server_context,
    shake_hands,
)
from tests.robustness.strangers import (
    ABORTED,
    CODES,
    HELLO,
    LONG,
    QUICK,
    VERSIONS,
    Act,
    Keep,
    Named,
    all_quiet,
    broken,
    check_record,
    late,
    leave,
    not_tls,
    say,
    stay,
    tls_client,
    told,
)
from tests.support import (
    RecordingNet,
)


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
