"""Each demand of ours on peers that are not ours: openssl, DCMTK and Python's ssl, as client and as server."""

from __future__ import annotations

import functools
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from leadtools_compat.dicom import DicomExceptionCode, DicomNet
from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.files import pem
from tests.interop.programs import ENVIRONMENT, free_port, served
from tests.support import PATIENCE, Listener
from tests.tls.issued import issue
from tests.tls.peers import openssl_client, openssl_server, own
from tests.tls.tls_tools import CODES, rules_for

Nets = Callable[[Any], Any]


class Case(NamedTuple):
    """A demand, who meets it, who does not, and what is found then."""

    demand: Callable[[Any], object]
    good: Identity
    bad: Identity
    finding: str
    trusts: bool = True
    """Whether the PKI's root is trusted besides."""


def pins_of(identity: Identity) -> tuple[str, str]:
    return DicomNet.tls_pins_of(identity.chain_der[0])


def folder_case(pki: TestPki, folder: Path) -> Case:
    stranger = TestPki(folder / "stranger", seed="stranger of others", key="ec")
    trust = folder / "trust"
    trust.mkdir()
    (trust / "root.crt").write_bytes(pem("CERTIFICATE", pki.root.certificate_der))
    return Case(
        lambda net: net.add_tls_ca_folder(trust),
        pki.client,
        stranger.client,
        "UnableToGetIssuerCert",
        False,
    )


def file_case(pki: TestPki, folder: Path) -> Case:
    partner = TestPki(folder / "partner", seed="partner of others", key="ec")
    stranger = TestPki(folder / "stranger", seed="stranger of others", key="ec")
    return Case(
        lambda net: net.add_tls_ca_file(partner.ca_file),
        partner.client,
        stranger.client,
        "UnableToGetIssuerCert",
    )


def intermediate_case(pki: TestPki, folder: Path) -> Case:
    stranger = TestPki(folder / "stranger", seed="stranger of others", key="ec")
    return Case(
        lambda net: net.add_tls_ca_file(pki.intermediate.certificate_file),
        pki.client,
        stranger.client,
        "UnableToGetIssuerCert",
        False,
    )


def pin_case(pki: TestPki, folder: Path) -> Case:
    good = issue(pki, folder, "good")
    return Case(lambda net: net.set_tls_pins(pins_of(good)[:1]), good, pki.client, "CertUntrusted")


def pin_only_case(pki: TestPki, folder: Path) -> Case:
    good = issue(pki, folder, "good", by_itself=True)
    return Case(
        lambda net: net.set_tls_pins(pins_of(good)[1], only=True),
        good,
        pki.client,
        "CertUntrusted",
        False,
    )


def email_case(pki: TestPki, folder: Path) -> Case:
    return Case(
        lambda net: setattr(net, "expected_email", "ct@hospital.test"),
        issue(pki, folder, "good", names=["ct@hospital.test"]),
        issue(pki, folder, "bad", names=["mr@hospital.test"]),
        "EmailMismatch",
    )


def uri_case(pki: TestPki, folder: Path) -> Case:
    return Case(
        lambda net: setattr(net, "expected_uri", "urn:oid:1.2.3"),
        issue(pki, folder, "good", names=["urn:oid:1.2.3"]),
        issue(pki, folder, "bad", names=["urn:oid:1.2.4"]),
        "HostnameMismatch",
    )


def host_case(pki: TestPki, folder: Path) -> Case:
    return Case(
        lambda net: setattr(net, "expected_host", "ct.hospital.test"),
        issue(pki, folder, "good", names=["*.hospital.test"]),
        issue(pki, folder, "bad", names=["hospital.test"]),
        "HostnameMismatch",
    )


def address_case(pki: TestPki, folder: Path) -> Case:
    return Case(
        lambda net: setattr(net, "expected_host", "192.0.2.7"),
        issue(pki, folder, "good", names=["192.0.2.7"]),
        issue(pki, folder, "bad", names=["192.0.2.8", "192.0.2.7.test"]),
        "IpAddressMismatch",
    )


def purpose_case(pki: TestPki, folder: Path) -> Case:
    return Case(
        lambda net: setattr(net, "tls_purpose_check", "strict"),
        issue(pki, folder, "good"),
        issue(pki, folder, "bad", purposes=None),
        "InvalidPurpose",
    )


@functools.cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Make a key once: it takes its time."""
    return rsa.generate_private_key(65537, bits)


def strength_case(pki: TestPki, folder: Path) -> Case:
    return Case(
        lambda net: net.set_tls_minimum_strength(rsa_bits=3072),
        issue(pki, folder, "good", key=rsa_key(3072)),
        issue(pki, folder, "bad", key=rsa_key(2048)),
        "EeKeyTooSmall",
    )


CASES: dict[str, Callable[[TestPki, Path], Case]] = {
    "folder": folder_case,
    "file": file_case,
    "intermediate": intermediate_case,
    "pin": pin_case,
    "pin only": pin_only_case,
    "e-mail": email_case,
    "URI": uri_case,
    "host": host_case,
    "address": address_case,
    "purpose": purpose_case,
    "strength": strength_case,
}


# ---- peers as clients


@contextmanager
def openssl_calls(port: int, pki: TestPki, identity: Identity) -> Iterator[None]:
    openssl_client(port, *own(identity))
    yield


@contextmanager
def dcmtk_calls(port: int, pki: TestPki, identity: Identity) -> Iterator[None]:
    options = ["+tls", identity.key_file, identity.certificate_file, "+cf", pki.ca_file]
    with subprocess.Popen(
        ["echoscu", *options, "127.0.0.1", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as process:
        yield
        process.kill()


@contextmanager
def python_calls(port: int, pki: TestPki, identity: Identity) -> Iterator[None]:
    context = ssl.create_default_context(cafile=pki.ca_file)
    context.load_cert_chain(identity.combined_file)
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="localhost"),
    ):
        yield


# ---- peers as servers


@contextmanager
def openssl_serves(pki: TestPki, identity: Identity, folder: Path) -> Iterator[int]:
    with openssl_server(*own(identity)) as server:
        yield server.port


@contextmanager
def dcmtk_serves(pki: TestPki, identity: Identity, folder: Path) -> Iterator[int]:
    port = free_port()
    options = ["+tls", identity.key_file, identity.certificate_file, "+cf", pki.ca_file]
    with served(["storescp", *options, port, "-od", folder], folder / "storescp.log", port):
        yield port


@contextmanager
def python_serves(pki: TestPki, identity: Identity, folder: Path) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki.ca_file)
    context.load_cert_chain(identity.combined_file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                with connection, context.wrap_socket(connection, server_side=True) as link:
                    link.recv(1)
            except OSError:  # refused, as it may be
                return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE)


CLIENTS = {"openssl": openssl_calls, "dcmtk": dcmtk_calls, "python": python_calls}
SERVERS = {"openssl": openssl_serves, "dcmtk": dcmtk_serves, "python": python_serves}
of_each = pytest.mark.parametrize("name", CASES)
good_and_bad = pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])


def judged(net: Any, case: Case, good: bool) -> None:
    """Check what a net of ours found."""
    code: DicomExceptionCode = net.log.wait("OnSecureLinkReady").code
    if good:
        assert code == CODES.Success, net.failure
        assert net.tls_verified
        return
    assert code == CODES.TlsCertificateRejected
    assert str(net.failure.certificate_code).startswith(case.finding)
    assert net.failure.remedy


@of_each
@good_and_bad
@pytest.mark.parametrize("program", CLIENTS)
def test_client_of_others_is_judged(
    listen: Callable[..., Listener],
    nets: Nets,
    pki: TestPki,
    tmp_path: Path,
    program: str,
    name: str,
    good: bool,
) -> None:
    case = CASES[name](pki, tmp_path)
    rules = rules_for(pki, "server", ca=pki.ca_file if case.trusts else None, also=case.demand)
    listener = listen(lambda: nets(rules.net()))
    with CLIENTS[program](listener.HostPort, pki, case.good if good else case.bad):
        judged(listener.child(), case, good)


@of_each
@good_and_bad
@pytest.mark.parametrize("program", SERVERS)
def test_server_of_others_is_judged(
    nets: Nets, pki: TestPki, tmp_path: Path, program: str, name: str, good: bool
) -> None:
    case = CASES[name](pki, tmp_path)
    rules = rules_for(pki, "client", ca=pki.ca_file if case.trusts else None, also=case.demand)
    with SERVERS[program](pki, case.good if good else case.bad, tmp_path) as port:
        net = nets(rules.net())
        net.Connect(None, 0, "127.0.0.1", port)
        judged(net, case, good)
        net.CloseForced(True)
        net.log.wait("OnClose")
