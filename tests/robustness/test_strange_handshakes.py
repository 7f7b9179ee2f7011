"""Clients that go wrong in the handshake with our TLS port, or right after it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import (
    ASSOCIATE,
    FATAL,
    WARNING,
    MemoryTls,
    alert,
    client_context,
    client_hello,
    dial,
    noise,
    read_to_end,
    record,
    reset,
    shake_hands,
)
from tests.robustness.strangers import (
    ABORTED,
    CODES,
    LONG,
    QUICK,
    VERSIONS,
    Act,
    Listen,
    Named,
    all_quiet,
    check_record,
    late,
    leave,
    say,
    stay,
    tls_children,
    told,
)
from tests.support import (
    Listener,
)


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
