"""Staples and lists with programs of others: openssl as responder, client and server, and DCMTK."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from cryptography import x509

from leadtools_compat._nodes.receiver import Events, Receiver
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.dicom import DicomFailure
from leadtools_compat.testing import Identity, TestPki
from tests.interop.programs import run
from tests.support import PATIENCE, Listener, refused
from tests.tls.peers import CLEAN, VERSION_OPTIONS, openssl_client, openssl_server, own
from tests.tls.tls_tools import CERTIFICATE_REVOKED, CODES, FINDINGS, VERSIONS, Rules, rules_for

Nets = Callable[[Any], Any]

in_each_version = pytest.mark.parametrize("version", VERSIONS)


def answer_of_openssl(
    pki: TestPki, folder: Path, *options: str, revoked: bool = False, signer: Identity | None = None
) -> str:
    """Let ``openssl ocsp`` be the CA's responder for the server's certificate; give the file."""
    serial = x509.load_der_x509_certificate(pki.server.chain_der[0]).serial_number
    status = ("R", "260101120000Z,keyCompromise") if revoked else ("V", "")
    index = folder / "index.txt"
    index.write_text(
        f"{status[0]}\t360101000000Z\t{status[1]}\t{serial:X}\tunknown\t/CN=Test Server\n"
    )
    (folder / "index.txt.attr").write_text("unique_subject = no\n")
    issuer = pki.intermediate.certificate_file
    request, response = folder / "request.der", folder / "response.der"
    asked = ["-issuer", issuer, "-cert", pki.server.certificate_file, "-reqout", str(request)]
    keys = (issuer, pki.intermediate.key_file)
    if signer is not None:
        keys = (signer.certificate_file, signer.key_file)
    answer = ["-index", str(index), "-CA", issuer, "-rsigner", keys[0], "-rkey", keys[1]]
    answer += ["-reqin", str(request), "-respout", str(response), "-ndays", "1", *options]
    for one in (asked, answer):
        command = ["openssl", "ocsp", *one]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, env=CLEAN)
    return str(response)


@pytest.fixture
def serving(pki: TestPki, nets: Nets) -> Callable[..., Listener]:
    """Start a listener of ours whose children inherit its TLS, with attributes."""

    def start(version: str = "TLSv1.3", rules: Rules | None = None, **attributes: Any) -> Any:
        rules = rules or rules_for(pki, "server", flags=1)
        listener = nets(Listener(lambda: nets(Rules(flags=0).net())))
        rules.but(method=VERSIONS[version], attributes=attributes).apply(listener)
        listener.children_inherit_tls = True
        listener.Listen("127.0.0.1", 0, 16)
        return listener

    return start


@in_each_version
@pytest.mark.parametrize("revoked", [False, True])
def test_s_client_gets_the_staple_that_openssl_ocsp_made(
    pki: TestPki, serving: Any, tmp_path: Path, version: str, revoked: bool
) -> None:
    listener = serving(version, ocsp_staple_file=answer_of_openssl(pki, tmp_path, revoked=revoked))
    options = ("-status", VERSION_OPTIONS[version], "-CAfile", pki.ca_file)
    printed = openssl_client(listener.HostPort, *options)
    assert "OCSP Response Status: successful" in printed
    assert f"Cert Status: {'revoked' if revoked else 'good'}" in printed
    without = openssl_client(listener.HostPort, *options[1:])
    assert "OCSP response" not in without


@in_each_version
def test_s_client_gets_no_staple_when_there_is_none(
    serving: Any, pki: TestPki, version: str
) -> None:
    listener = serving(version)
    printed = openssl_client(listener.HostPort, "-status", VERSION_OPTIONS[version])
    assert "OCSP response: no response sent" in printed


def test_openssl_finds_the_staple_of_the_test_kit_good(pki: TestPki, tmp_path: Path) -> None:
    responder = pki.issue("kit responder", purposes=("OCSPSigning",), hosts=())
    for signer in (None, responder):
        file = pki.ocsp(pki.server, name="kit", responder=signer)
        issuer = pki.intermediate.certificate_file
        options = ["-respin", file, "-issuer", issuer, "-cert", pki.server.certificate_file]
        options += ["-CAfile", pki.ca_file, "-verify_other", issuer, "-no_nonce"]
        done = subprocess.run(
            ["openssl", "ocsp", *options],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
            env=CLEAN,
        )
        assert "Response verify OK" in done.stderr
        assert re.search(r": good$", done.stdout, re.M), done.stdout


@in_each_version
@pytest.mark.parametrize("signer", ["issuer", "responder"])
def test_client_takes_what_openssl_ocsp_answers_and_s_server_serves(
    pki: TestPki, nets: Nets, tmp_path: Path, version: str, signer: str
) -> None:
    responder = pki.issue("peer responder", purposes=("OCSPSigning",), hosts=())
    by = responder if signer == "responder" else None
    for revoked in (False, True):
        file = answer_of_openssl(pki, tmp_path, revoked=revoked, signer=by)
        with openssl_server(*own(pki.server), "-status_file", file) as server:
            rules = rules_for(pki, "client", method=VERSIONS[version])
            client = nets(rules.but(attributes={"ocsp_check": "require"}).net())
            client.Connect(None, 0, "127.0.0.1", server.port)
            code = client.log.wait("OnSecureLinkReady").code
        assert client.tls_ocsp_status == ("revoked" if revoked else "good")
        assert (code == CODES.Success) != revoked
        if revoked:
            assert client.failure.certificate_code == FINDINGS.CertRevoked
            assert "2026-01-01" in client.failure.remedy


def test_answer_that_is_signed_with_sha1_proves_nothing(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    file = answer_of_openssl(pki, tmp_path, "-rmd", "sha1")
    with openssl_server(*own(pki.server), "-status_file", file) as server:
        rules = rules_for(pki, "client", attributes={"ocsp_check": "check"})
        client = nets(rules.net())
        client.Connect(None, 0, "127.0.0.1", server.port)
        assert client.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected
    assert client.failure.certificate_code == FINDINGS.OcspVerifyFailed
    assert "too weak" in client.failure.remedy
    net = nets(rules_for(pki, "server").net())
    with refused(CODES.FileAccess, "too weak"):
        net.ocsp_staple_file = file


# ---- lists with DCMTK


def run_echoscu(port: int, identity: Identity, *options: str, code: int = 0) -> str:
    """Run ``echoscu`` with TLS; give what it printed."""
    keys = ("+tls", identity.key_file, identity.certificate_file)
    return run("echoscu", "-d", *keys, *options, "-to", "10", "127.0.0.1", port, code=code)


Node = tuple[int, "Queue[DicomFailure]"]


@pytest.fixture
def node(rsa_pki: TestPki, tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Start a storage node of ours with options of revocation; gives its port and its failures."""
    with ExitStack() as stack:

        def start(**options: Any) -> Node:
            tls = TlsOptions(
                ca=rsa_pki.ca_file, certificate=rsa_pki.server.combined_file, **options
            )
            failures: Queue[DicomFailure] = Queue()
            told = Events(failed=lambda peer, failure: failures.put(failure))
            receiver = stack.enter_context(Receiver(tmp_path, tls, None, told))
            return receiver.start("127.0.0.1", 0), failures

        yield start


def test_dcmtk_client_with_a_list_refuses_our_revoked_certificate_and_takes_a_good_one(
    rsa_pki: TestPki, node: Callable[..., Node]
) -> None:
    port, failures = node()
    trust = ("+cf", rsa_pki.ca_file, "+cra", "+crl")
    good = run_echoscu(port, rsa_pki.client, *trust, rsa_pki.crl(name="dcmtk-good"))
    assert "Received Echo Response (Success)" in good
    lists = rsa_pki.crl(rsa_pki.server, name="dcmtk-gone")
    run_echoscu(port, rsa_pki.client, *trust, lists, code=1)
    failure = failures.get(timeout=PATIENCE)
    assert failure.code == CODES.TlsPeerRejectedCertificate
    assert failure.alert_received == CERTIFICATE_REVOKED
    assert "revoked" in failure.remedy


def test_our_node_with_a_list_refuses_the_revoked_certificate_of_a_dcmtk_client(
    rsa_pki: TestPki, node: Callable[..., Node]
) -> None:
    other = rsa_pki.issue("DCMTK client")
    port, failures = node(crls=(rsa_pki.crl(other, name="dcmtk-client"),))
    trust = ("+cf", rsa_pki.ca_file)
    assert "Received Echo Response (Success)" in run_echoscu(port, rsa_pki.client, *trust)
    run_echoscu(port, other, *trust, code=1)
    failure = failures.get(timeout=PATIENCE)
    assert failure.certificate_code == FINDINGS.CertRevoked
    assert failure.alert_sent == CERTIFICATE_REVOKED
