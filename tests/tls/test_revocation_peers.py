"""Revocation lists between us and the ``openssl`` program, Python's ssl module and DCMTK: who judges, and whom.

Each judge has lists for the whole chain. A peer that is not on them links, one that has been revoked does
not, and a chain without lists does not either.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.interop.programs import ENVIRONMENT, free_port, served
from tests.support import PATIENCE, Listener
from tests.tls.peers import VERSION_OPTIONS, openssl_client, openssl_server, own
from tests.tls.resuming import crl_of
from tests.tls.tls_tools import CERTIFICATE_REVOKED, CODES, FINDINGS, VERSIONS, Side, rules_for

Nets = Callable[[Any], Any]

LISTS = ("good", "revoked", "missing")
with_each_list = pytest.mark.parametrize("state", LISTS)
in_each_version = pytest.mark.parametrize("version", VERSIONS)


def lists_for(pki: TestPki, judged: Side, state: str) -> str:
    """Give a file with the lists of root and intermediate; "missing": without the latter's."""
    identity = pki.server if judged == "server" else pki.client
    file = crl_of(pki, f"peers-{judged}-{state}", *([identity] if state == "revoked" else []))
    if state == "missing":
        end = "-----END X509 CRL-----\n"
        Path(file).write_text(Path(file).read_text().partition(end)[0] + end)
    return file


# ---- we judge


def check_ours(net: Any, state: str) -> None:
    code = net.log.wait("OnSecureLinkReady").code
    if state == "good":
        assert code == CODES.Success, net.failure
        assert net.tls_verified
        return
    assert code == CODES.TlsCertificateRejected
    revoked = state == "revoked"
    finding = FINDINGS.CertRevoked if revoked else FINDINGS.UnableToGetCrl
    assert net.failure.certificate_code == finding
    assert not revoked or net.failure.alert_sent == CERTIFICATE_REVOKED


@pytest.fixture
def judging_listener(nets: Nets, pki: TestPki) -> Callable[..., Listener]:
    """Make a listener that has the lists of a state."""

    def start(state: str, version: str = "TLSv1.3") -> Listener:
        crl_file = lists_for(pki, "client", state)
        rules = rules_for(pki, "server", crl_file=crl_file, method=VERSIONS[version])
        listener: Listener = nets(Listener(lambda: nets(rules.net())))
        listener.Listen("127.0.0.1", 0, 16)
        return listener

    return start


@with_each_list
@in_each_version
def test_we_judge_openssl_s_client(
    judging_listener: Callable[..., Listener], pki: TestPki, state: str, version: str
) -> None:
    listener = judging_listener(state, version)
    printed = openssl_client(listener.HostPort, *own(pki.client), "-CAfile", pki.ca_file)
    check_ours(listener.child(), state)
    if state == "revoked" and version == "TLSv1.2":
        assert "certificate revoked" in printed


@with_each_list
@in_each_version
def test_we_judge_a_python_client(
    judging_listener: Callable[..., Listener], pki: TestPki, state: str, version: str
) -> None:
    listener = judging_listener(state, version)
    context = python_context(pki, "client")
    with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as plain:
        try:
            with context.wrap_socket(plain) as secure:
                child = listener.child()
                child.log.wait("OnSecureLinkReady")
                child.Close()
                assert secure.recv(1) == b""
                said = ""
        except ssl.SSLError as error:
            said = str(error)
    check_ours(listener.child(), state)
    assert (said == "") == (state == "good"), said
    assert ("certificate revoked" in said) == (state == "revoked"), said


@with_each_list
def test_we_judge_echoscu(
    judging_listener: Callable[..., Listener], pki: TestPki, state: str
) -> None:
    listener = judging_listener(state)
    with echoscu(pki, listener.HostPort):
        check_ours(listener.child(), state)


@with_each_list
@in_each_version
def test_we_judge_openssl_s_server(nets: Nets, pki: TestPki, state: str, version: str) -> None:
    with openssl_server(*own(pki.server), VERSION_OPTIONS[version]) as server:
        check_ours(judging_client(nets, pki, state, server.port), state)


@with_each_list
def test_we_judge_a_python_server(nets: Nets, pki: TestPki, state: str) -> None:
    with python_server(python_context(pki, "server")) as (port, _):
        check_ours(judging_client(nets, pki, state, port), state)


@with_each_list
def test_we_judge_storescp(nets: Nets, pki: TestPki, tmp_path: Path, state: str) -> None:
    with storescp(pki, tmp_path) as port:
        check_ours(judging_client(nets, pki, state, port), state)


def judging_client(nets: Nets, pki: TestPki, state: str, port: int) -> Any:
    client = nets(rules_for(pki, "client", crl_file=lists_for(pki, "server", state)).net())
    client.Connect(None, 0, "127.0.0.1", port)
    return client


# ---- they judge


def check_theirs(net: Any, state: str) -> None:
    code = net.log.wait("OnSecureLinkReady").code
    if state == "good":
        assert code == CODES.Success, net.failure
        return
    assert code == CODES.TlsPeerRejectedCertificate, net.failure
    if state == "revoked":
        assert net.failure.alert_received == CERTIFICATE_REVOKED


@pytest.fixture
def presenting_listener(nets: Nets, pki: TestPki) -> Callable[..., Listener]:
    """Make a listener whose certificate others judge."""

    def start(version: str = "TLSv1.3") -> Listener:
        rules = rules_for(pki, "server", method=VERSIONS[version])
        listener: Listener = nets(Listener(lambda: nets(rules.net())))
        listener.Listen("127.0.0.1", 0, 16)
        return listener

    return start


def crl_options(pki: TestPki, judged: Side, state: str) -> list[str]:
    """Give the options of ``openssl`` for a judge; the CA file has the lists, as -CRL takes one only."""
    lists = Path(lists_for(pki, judged, state))
    both = lists.with_name(f"with-ca-{lists.name}")
    both.write_text(Path(pki.ca_file).read_text() + lists.read_text())
    return [
        "-CAfile",
        str(both),
        "-no-CApath",
        "-no-CAstore",
        "-crl_check_all",
        "-verify_return_error",
    ]


@with_each_list
@in_each_version
def test_openssl_s_client_judges_us(
    presenting_listener: Callable[..., Listener], pki: TestPki, state: str, version: str
) -> None:
    listener = presenting_listener(version)
    options = (*own(pki.client), *crl_options(pki, "server", state))
    printed = openssl_client(listener.HostPort, *options)
    check_theirs(listener.child(), state)
    assert ("certificate revoked" in printed) == (state == "revoked")


@with_each_list
def test_a_python_client_judges_us(
    presenting_listener: Callable[..., Listener], pki: TestPki, state: str
) -> None:
    listener = presenting_listener()
    context = python_context(pki, "client", lists_for(pki, "server", state))
    with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as plain:
        try:
            context.wrap_socket(plain).close()
            said = ""
        except ssl.SSLCertVerificationError as error:
            said = error.verify_message
    check_theirs(listener.child(), state)
    assert said == {"good": "", "revoked": "certificate revoked"}.get(
        state, "unable to get certificate CRL"
    )


@with_each_list
def test_echoscu_judges_us(
    presenting_listener: Callable[..., Listener], pki: TestPki, state: str
) -> None:
    listener = presenting_listener()
    with echoscu(pki, listener.HostPort, "+crl", lists_for(pki, "server", state), "+cra"):
        check_theirs(listener.child(), state)


@with_each_list
@in_each_version
def test_openssl_s_server_judges_us(nets: Nets, pki: TestPki, state: str, version: str) -> None:
    options = (*own(pki.server), "-Verify", "3", *crl_options(pki, "client", state))
    with openssl_server(*options, VERSION_OPTIONS[version]) as server:
        check_theirs(presenting_client(nets, pki, server.port), state)


@with_each_list
def test_a_python_server_judges_us(nets: Nets, pki: TestPki, state: str) -> None:
    context = python_context(pki, "server", lists_for(pki, "client", state))
    with python_server(context) as (port, said):
        check_theirs(presenting_client(nets, pki, port), state)
    assert len(said) == 1
    assert ("certificate revoked" in said[0]) == (state == "revoked")


@with_each_list
def test_storescp_judges_us(nets: Nets, pki: TestPki, tmp_path: Path, state: str) -> None:
    options = ("+crl", lists_for(pki, "client", state), "+cra")
    with storescp(pki, tmp_path, *options) as port:
        check_theirs(presenting_client(nets, pki, port), state)


def presenting_client(nets: Nets, pki: TestPki, port: int) -> Any:
    client = nets(rules_for(pki, "client").net())
    client.Connect(None, 0, "127.0.0.1", port)
    return client


# ---- the others


def python_context(pki: TestPki, side: Side, lists: str | None = None) -> ssl.SSLContext:
    """Make mutual settings of Python's own; with lists, the whole chain needs one."""
    protocol = ssl.PROTOCOL_TLS_SERVER if side == "server" else ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain((pki.server if side == "server" else pki.client).combined_file)
    context.load_verify_locations(pki.ca_file)
    if lists is not None:
        context.load_verify_locations(lists)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    return context


@contextmanager
def python_server(context: ssl.SSLContext) -> Iterator[tuple[int, list[str]]]:
    """Serve one connection; gives the port and, at the end, what went wrong."""
    said: list[str] = []
    judged = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            plain, _ = listener.accept()
            with plain:
                plain.settimeout(PATIENCE)
                try:
                    with context.wrap_socket(plain, server_side=True) as secure:
                        said.append("")
                        judged.set()
                        secure.recv(1)
                except OSError as error:
                    said[:] = said or [str(error)]
                    judged.set()

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1], said
        judged.wait(PATIENCE)


@contextmanager
def echoscu(pki: TestPki, port: int, *options: str) -> Iterator[None]:
    """Let DCMTK's client connect; it is ended when the test has seen enough."""
    command = ["echoscu", "+tls", pki.client.key_file, pki.client.combined_file]
    process = subprocess.Popen(
        [*command, "+cf", pki.ca_file, *options, "127.0.0.1", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait(PATIENCE)


@contextmanager
def storescp(pki: TestPki, folder: Path, *options: str) -> Iterator[int]:
    """Run DCMTK's server; gives the port."""
    port = free_port()
    command = ["storescp", "+tls", pki.server.key_file, pki.server.combined_file]
    with served([*command, "+cf", pki.ca_file, *options, port], folder / "storescp.log", port):
        yield port
