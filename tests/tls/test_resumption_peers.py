"""Session resumption with other programs: the ``openssl`` program and Python's ssl module."""

from __future__ import annotations

import re
import select
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

from leadtools_compat.testing import TestPki
from tests.support import PATIENCE
from tests.tls.peers import CLEAN, openssl_client, openssl_server, own
from tests.tls.resuming import Judging, Nets, Scene, crl_of, in_each_version, make, two_authorities
from tests.tls.tls_tools import (
    CODES,
    FINDINGS,
    VERSIONS,
    Side,
    rules_for,
)

# ---- other programs


def ssl_context(pki: TestPki, side: Side, version: str) -> ssl.SSLContext:
    """Make a context of Python's own, mutual."""
    protocol = ssl.PROTOCOL_TLS_SERVER if side == "server" else ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(protocol)
    identity = pki.server if side == "server" else pki.client
    context.load_cert_chain(identity.combined_file)
    context.load_verify_locations(pki.ca_file)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    number = ssl.TLSVersion.TLSv1_2 if version == "TLSv1.2" else ssl.TLSVersion.TLSv1_3
    context.minimum_version = context.maximum_version = number
    return context


def take_ticket(link: ssl.SSLSocket) -> Any:
    """Read until the session has its ticket."""
    link.setblocking(False)
    while link.version() == "TLSv1.3" and not (link.session and link.session.has_ticket):
        assert select.select([link], [], [], PATIENCE)[0]
        try:
            assert link.recv(1) == b"", "no data was expected"
        except ssl.SSLWantReadError:
            continue
    return link.session


@in_each_version
def test_python_ssl_client_resumes_at_our_listener_and_not_after_a_change(
    pki: TestPki, nets: Nets, version: str
) -> None:
    scene = Scene(pki, nets, version)
    context = ssl_context(pki, "client", version)
    session = None

    def link() -> bool:
        nonlocal session
        scene.links += 1
        with socket.create_connection(("127.0.0.1", scene.listener.HostPort), PATIENCE) as plain:
            secure = context.wrap_socket(plain, session=session)
            child = scene.listener.child(scene.links)
            assert child.log.wait("OnSecureLinkReady").code == CODES.Success
            reused = bool(secure.session_reused)
            assert child.tls_resumed == reused
            assert child.tls_verified
            assert child.tls_peer_certificates[0] == pki.client.chain_der[0]
            if not reused:
                session = take_ticket(secure)
            child.Close()
            child.log.wait("OnClose")
            secure.close()
        return reused

    assert [link() for _ in range(3)] == [False, True, True]
    kept = session
    scene.change("server", crl_file=crl_of(pki, f"python {version}"))
    session = kept
    assert not link()
    scene.change("server", crl_file=None)
    session = kept
    assert link()


@in_each_version
def test_our_client_resumes_at_a_python_ssl_server(pki: TestPki, nets: Nets, version: str) -> None:
    context = ssl_context(pki, "server", version)
    reused: list[bool] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            plain, _ = listener.accept()
            with plain, context.wrap_socket(plain, server_side=True) as secure:
                reused.append(bool(secure.session_reused))
                secure.recv(1)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    client = nets(make(rules_for(pki, "client", method=VERSIONS[version])))
    for turn in (1, 2):
        client.Connect(None, 0, "127.0.0.1", listener.getsockname()[1])
        assert client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
        assert client.tls_resumed == (turn == 2)
        client.Close()
        client.log.wait("OnClose", turn)
    server.join(PATIENCE)
    listener.close()
    assert reused == [False, True]


@in_each_version
def test_our_client_resumes_at_openssl_s_server(pki: TestPki, nets: Nets, version: str) -> None:
    option = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}[version]
    options = (*own(pki.server), "-CAfile", pki.ca_file, "-Verify", "3", option)
    with openssl_server(*options) as server:
        client = nets(make(rules_for(pki, "client", method=VERSIONS[version])))
        for turn in (1, 2):
            client.Connect(None, 0, "127.0.0.1", server.port)
            assert client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
            assert client.tls_resumed == (turn == 2)
            client.Close()
            client.log.wait("OnClose", turn)
        server.wait_for("Reused session-id")


def test_openssl_s_client_without_tickets_resumes_by_session_id(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    scene = Scene(pki, nets, "TLSv1.2")
    options = (*own(pki.client), "-CAfile", pki.ca_file, "-no_ticket", "-tls1_2")
    file = str(tmp_path / "session.pem")
    said = openssl_client(scene.listener.HostPort, *options, "-sess_out", file)
    assert "New, TLSv1.2" in said
    child = scene.listener.child(1)
    child.log.wait("OnClose")
    said = openssl_client(scene.listener.HostPort, *options, "-sess_in", file)
    assert "Reused, TLSv1.2" in said
    child = scene.listener.child(2)
    child.log.wait("OnClose")
    scene.change("server", ca=two_authorities(pki))
    assert "New, TLSv1.2" in openssl_client(scene.listener.HostPort, *options, "-sess_in", file)
    scene.change("server", ca=pki.ca_file)
    scene.kind["server"] = Judging
    assert "New, TLSv1.2" in openssl_client(scene.listener.HostPort, *options, "-sess_in", file)


# ---- what goes over the wire

MESSAGE = re.compile(r"^(<<<|>>>) TLS 1\.[23], Handshake \[length \w+\], (\w+)", re.M)


def certificates_in(printed: str) -> list[str]:
    """Say who sent a certificate, and who signed with one, by what ``openssl -msg`` printed."""
    names = {"Certificate", "CertificateVerify", "CertificateRequest"}
    found = MESSAGE.findall(printed)
    assert ("<<<", "ServerHello") in found or (">>>", "ServerHello") in found, printed
    return [name for _, name in found if name in names]


@in_each_version
def test_openssl_s_client_sees_no_certificate_in_a_resumed_handshake_with_us(
    pki: TestPki, nets: Nets, tmp_path: Path, version: str
) -> None:
    scene = Scene(pki, nets, version)
    file = str(tmp_path / "session.pem")
    options = (*own(pki.client), "-CAfile", pki.ca_file, "-msg")
    with_certificates = ["CertificateRequest", "Certificate", "Certificate", "CertificateVerify"]
    if version == "TLSv1.3":
        with_certificates.append("CertificateVerify")
    for links, (way, expected) in enumerate(
        (("-sess_out", with_certificates), ("-sess_in", [])), 1
    ):
        printed = session_client(scene, links, *options, way, file)
        assert sorted(certificates_in(printed)) == sorted(expected)
        assert scene.listener.child(links).tls_resumed == (links == 2)


def session_client(scene: Scene, links: int, *options: str) -> str:
    """Let ``s_client`` connect, and quit when it has its ticket; give what it printed."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{scene.listener.HostPort}", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=CLEAN,
    )
    try:
        # It reads before it quits: the close comes after our ticket.
        child = scene.listener.child(links)
        assert child.log.wait("OnSecureLinkReady").code == CODES.Success
        child.Close()
        return process.communicate(timeout=PATIENCE)[0]
    finally:
        process.kill()
        process.wait(PATIENCE)


@in_each_version
def test_openssl_s_server_sees_no_certificate_in_a_resumed_handshake_with_us(
    pki: TestPki, nets: Nets, version: str
) -> None:
    options = (*own(pki.server), "-CAfile", pki.ca_file, "-Verify", "3", "-msg")
    client = nets(make(rules_for(pki, "client", method=VERSIONS[version])))
    with openssl_server(*options) as server:
        for turn, sent in ((1, True), (2, False)):
            start = server.printed
            client.Connect(None, 0, "127.0.0.1", server.port)
            assert client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
            client.Close()
            client.log.wait("OnClose", turn)
            server.wait_for("(CONNECTION CLOSED|shutting down SSL|^ERROR)", start)
            assert bool(certificates_in(server.text(start))) == sent


# ---- what has changed since


def test_client_whose_session_does_not_fit_its_suites_gets_the_ticket_that_says_it_was_accepted(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    """The session is found, and OpenSSL puts it away: of another hash. No ticket, and it would wait."""
    scene = Scene(pki, nets, "TLSv1.3")
    file = str(tmp_path / "session.pem")
    options = (*own(pki.client), "-CAfile", pki.ca_file, "-msg", "-ciphersuites")
    first = session_client(scene, 1, *options, "TLS_AES_128_GCM_SHA256", "-sess_out", file)
    second = session_client(scene, 2, *options, "TLS_AES_256_GCM_SHA384", "-sess_in", file)
    assert "Reused" not in second
    assert [len(re.findall("<<<.*NewSessionTicket", said)) for said in (first, second)] == [1, 1]


@in_each_version
def test_openssl_s_client_is_refused_with_its_session_once_it_is_revoked(
    pki: TestPki, nets: Nets, tmp_path: Path, version: str
) -> None:
    scene = Scene(pki, nets, version)
    scene.change("server", crl_file=crl_of(pki, f"s_client {version}"))
    file = str(tmp_path / "session.pem")
    options = (*own(pki.client), "-CAfile", pki.ca_file)
    session_client(scene, 1, *options, "-sess_out", file)
    assert "Reused" in session_client(scene, 2, *options, "-sess_in", file)
    scene.change("server", crl_file=crl_of(pki, f"s_client revoked {version}", pki.client))
    openssl_client(scene.listener.HostPort, *options, "-sess_in", file)
    child = scene.listener.child(3)
    assert child.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected
    assert child.failure.certificate_code == FINDINGS.CertRevoked
    assert not child.tls_resumed
