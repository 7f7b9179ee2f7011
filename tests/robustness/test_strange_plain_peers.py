"""Strangers at our plain port."""

from __future__ import annotations

import ssl

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import (
    ABORT,
    FATAL,
    HTTP_REQUEST,
    SSH_BANNER,
    alert,
    client_hello,
    dial,
    noise,
    read_to_end,
    reset,
)
from tests.robustness.strangers import (
    CODES,
    V12,
    V13,
    VERSIONS,
    Act,
    Keep,
    Listen,
    Named,
    all_quiet,
    check_record,
    leave,
    not_tls,
    tls_client,
    told,
)
from tests.support import (
    connect,
)

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
