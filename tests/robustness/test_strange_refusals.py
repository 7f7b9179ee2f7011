"""Servers that refuse our certificate when the handshake is over (TLS 1.3)."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import (
    MemoryTls,
    OneServer,
    read_to_end,
    reset,
    server_context,
    shake_hands,
)
from tests.robustness.strangers import (
    ABORTED,
    CODES,
    METHODS,
    V12,
    V13,
    VERSIONS,
    Act,
    Keep,
    Named,
    all_quiet,
    check_record,
    leave,
    tls_client,
    told,
)
from tests.support import (
    MUTUAL,
    PATIENCE,
    RecordingNet,
    settings,
)

if TYPE_CHECKING:
    from typing_extensions import Self


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
