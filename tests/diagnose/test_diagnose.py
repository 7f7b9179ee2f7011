"""The diagnosis of real peers: our own, ``openssl s_server``, DCMTK; and of what is none."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._nodes.receiver import Receiver
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.diagnose import Level, Report, diagnose
from leadtools_compat.diagnose.text import render
from leadtools_compat.testing import Identity, TestPki
from tests.interop.orthanc import TITLE, running
from tests.interop.wires import KINDS
from tests.support import PATIENCE
from tests.tls.peers import openssl_server, own

Diagnose = Callable[..., Report]


@pytest.fixture
def good(pki: TestPki) -> TlsOptions:
    """What a good client has."""
    return TlsOptions(ca=pki.ca_file, certificate=pki.client.combined_file)


@pytest.fixture
def scp(pki: TestPki, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Start our own storage node; gives its port."""
    made: list[Receiver] = []

    def start(identity: Identity | None, **options: Any) -> int:
        tls = None
        if identity is not None:
            tls = TlsOptions(ca=pki.ca_file, certificate=identity.combined_file)
        receiver = Receiver(tmp_path, tls, **options)
        made.append(receiver)
        return receiver.start("127.0.0.1", 0)

    yield start
    for receiver in made:
        receiver.CloseForced(False)
        receiver.Dispose()


@contextmanager
def saying(first: bytes, wait: bool = False) -> Iterator[int]:
    """A server that greets every client with `first`, then closes or stays silent."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def serve() -> None:
            kept = []
            while not stop.is_set():
                try:
                    peer, _ = listener.accept()
                except TimeoutError:
                    continue
                peer.settimeout(PATIENCE)
                if wait:
                    kept.append(peer)
                    continue
                with peer, suppress(OSError):  # some only look whether the port is open
                    peer.recv(65536)
                    peer.sendall(first)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):
                        pass
            for peer in kept:
                peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()


def texts(report: Report, level: Level) -> str:
    return "\n".join(f"{one.text} {one.remedy}" for one in report.findings if one.level is level)


def test_our_own_node_is_found_good(
    scp: Callable[..., int], pki: TestPki, good: TlsOptions
) -> None:
    report = diagnose("127.0.0.1", scp(pki.server), good, timeout=PATIENCE)
    tls = report.tls
    assert report.level in (Level.good, Level.note), report.findings
    assert "answers C-ECHO" in report.verdict
    accepted = [name for name, offer in tls.versions.items() if offer.accepted]
    assert accepted == ["TLSv1.2", "TLSv1.3"]
    assert tls.versions["TLSv1.3"].suites[0] == "TLS_AES_256_GCM_SHA384"
    assert "x25519" in tls.groups
    assert "can meet: B.12, B.13, ihe_stx12" in texts(report, Level.note)
    assert [one.code for one in tls.verdicts] == ["Success"] * 3
    assert [one.depth for one in tls.verdicts] == [None, 1, 0]
    assert tls.client_certificate == "required"
    assert tls.ca_names == ["CN = Test Root CA, O = leadtools_compat test PKI"]
    assert report.dicom.echo == "Success"
    assert report.failure is None
    steps = [one.text for one in report.events]
    assert steps[0] == "TCP connect"
    assert "A-ASSOCIATE-AC" in steps
    times = [one.at for one in report.events]
    assert times == sorted(times)
    assert json.loads(json.dumps(report.as_dict()))["tls"]["chain"][0]["days_left"] > 300


def test_openssl_server_of_doubtful_settings_is_described_with_remedies(
    pki: TestPki, good: TlsOptions
) -> None:
    identity = pki.make("good_rsa", role="server")
    options = ["-cipher", "ALL:eNULL:aNULL:@SECLEVEL=0", "-serverpref", "-tls1_2"]
    with openssl_server(*own(identity), *options) as server:
        report = diagnose("localhost", server.port, good, timeout=PATIENCE, dicom=False)
    offer = report.tls.versions["TLSv1.2"]
    assert offer.server_order is True
    assert report.tls.versions["TLSv1.3"].accepted is False
    assert any("_NULL_" in suite for suite in offer.suites)
    assert any("_anon_" in suite for suite in offer.suites)
    assert report.level is Level.error
    assert "do not protect" in texts(report, Level.error)
    assert "forward secrecy" in texts(report, Level.warning)
    assert "no client certificate" in texts(report, Level.warning)
    assert "TLS 1.3" in texts(report, Level.note)
    assert report.tls.client_certificate == "not requested"
    assert report.tls.resumption == "resumed"


def test_peer_that_meets_only_a_retired_profile_is_told_as_one(
    pki: TestPki, good: TlsOptions
) -> None:
    identity = pki.make("good_rsa", role="server")
    options = ["-cipher", "AES128-SHA:@SECLEVEL=0", "-tls1_2"]
    with openssl_server(*own(identity), *options) as server:
        report = diagnose("localhost", server.port, good, timeout=PATIENCE, dicom=False)
    told = texts(report, Level.note)
    assert "can meet: bcp195 (retired), aes (retired)." in told
    warned = texts(report, Level.warning)
    assert "can meet B.12: the peer takes none of its cipher suites" in warned
    why = {one.name: one.reasons for one in report.tls.profiles}
    assert why["aes"] == []
    assert "TLS_RSA_WITH_3DES_EDE_CBC_SHA" in why["basic"][0]


def test_a_weak_certificate_and_a_strange_group_are_reasons_against_profiles(
    pki: TestPki, good: TlsOptions
) -> None:
    weak = pki.make("weak_key_rsa1024", role="server")
    options = ["-cipher", "ECDHE+AESGCM:@SECLEVEL=0", "-tls1_2", "-groups", "secp521r1"]
    with openssl_server(*own(weak), *options) as server:
        report = diagnose("localhost", server.port, good, timeout=PATIENCE, dicom=False)
    why = {one.name: "; ".join(one.reasons) for one in report.tls.profiles}
    assert "RSA 1024, and must be 2048 bits or more" in why["B.12"]
    assert "none of its versions (TLSv1.2, TLSv1.3)" not in why["B.12"]


def test_peer_that_hangs_up_after_the_handshake_is_said_to_have_done_so(
    pki: TestPki, good: TlsOptions
) -> None:
    """As ``openssl s_server`` does whose input has ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server.combined_file)

    def hang_up(listener: socket.socket) -> None:
        for _ in range(2):  # the look at TCP, and the link
            plain, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as link:
                link.unwrap()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        report = diagnose("127.0.0.1", port, good, timeout=PATIENCE, probes=False)
        thread.join()
    assert report.level is Level.error
    assert "closed the connection" in report.verdict
    assert re.search("before it took an association|instead of answering", report.verdict)
    assert "no DICOM node" in " ".join(one.remedy for one in report.findings)


def test_optional_client_certificate_is_told_from_one_that_is_required(
    pki: TestPki, good: TlsOptions
) -> None:
    found = {}
    for option in ("-verify", "-Verify"):
        trust = ["-CAfile", pki.ca_file, option, "3", "-verify_return_error"]
        with openssl_server(*own(pki.server), *trust) as server:
            report = diagnose("localhost", server.port, good, timeout=PATIENCE, dicom=False)
            found[option] = report.tls.client_certificate
    assert found == {"-verify": "optional", "-Verify": "required"}


def test_alpn_and_a_missing_staple_are_seen(pki: TestPki, good: TlsOptions) -> None:
    with openssl_server(*own(pki.server), "-alpn", "dicom", "-tls1_3") as server:
        report = diagnose("localhost", server.port, good, timeout=PATIENCE, dicom=False)
    assert report.tls.alpn == "dicom"
    assert report.tls.stapling == "none"


def test_dcmtk_storescp_is_diagnosed(pki: TestPki, good: TlsOptions, tmp_path: Path) -> None:
    server = pki.make("good_rsa", role="server")
    command = ["storescp", "-od", str(tmp_path), "--fork", "+tls", server.key_file]
    command += [
        server.certificate_file,
        "+cf",
        pki.ca_file,
        "+cf",
        pki.intermediate.certificate_file,
    ]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stderr=subprocess.DEVNULL)
    try:
        await_port(port, process)
        report = diagnose("localhost", port, good, timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert report.dicom.echo == "Success", report.findings
    assert report.dicom.implementation.startswith("OFFIS_DCMTK")
    assert report.tls.versions["TLSv1.2"].accepted


def test_orthanc_is_diagnosed(tmp_path: Path) -> None:
    pki = TestPki(tmp_path / "pki", "orthanc", "rsa")
    (tmp_path / "server").mkdir()
    with running(tmp_path / "server", KINDS["tls13"], pki) as orthanc:
        tls = TlsOptions(ca=pki.ca_file, certificate=pki.client.combined_file)
        report = diagnose("localhost", orthanc.port, tls, called=TITLE, timeout=PATIENCE)
    assert report.dicom.echo == "Success", report.findings
    assert report.tls.verified
    assert report.tls.versions["TLSv1.3"].accepted
    assert report.tls.client_certificate == "required"
    assert "ORTHANC" in report.dicom.implementation.upper() or report.dicom.implementation


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = threading.Event()
    for _ in range(int(PATIENCE * 20)):
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            deadline.wait(0.05)
        else:
            return
    pytest.fail("storescp does not listen")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("expired", "CertHasExpired"),
        ("no_purpose", "InvalidPurpose"),
        ("self_signed", "DepthZeroSelfSignedCert"),
        ("missing_intermediate", "UnableToGetIssuerCertLocally"),
        ("weak_key_rsa1024", "EeKeyTooSmall"),
    ],
)
def test_bad_certificate_of_the_peer_is_on_top_with_its_remedy(
    pki: TestPki, good: TlsOptions, kind: str, code: str
) -> None:
    identity = pki.make(kind, role="server")
    options = ["-cipher", "ALL:@SECLEVEL=0"]
    with openssl_server(*own(identity), *options) as server:
        report = diagnose("localhost", server.port, good, timeout=PATIENCE, probes=False)
    assert report.level is Level.error
    first = next(one for one in report.tls.verdicts if not one.good)
    assert (first.code, first.depth) == (code, 0)
    assert first.remedy
    assert report.failure is not None
    assert report.failure["certificate_code"] == code
    assert "certificate was rejected" in report.verdict
    assert not report.dicom.tried


def test_wrong_name_is_found_and_may_be_left_unchecked(pki: TestPki, good: TlsOptions) -> None:
    with openssl_server(*own(pki.server)) as server:
        report = diagnose("127.0.0.2", server.port, good, timeout=PATIENCE, probes=False)
        assert report.connection.connected == "" or report.failure is not None
    import dataclasses

    identity = pki.issue("far", role="server", hosts=["far.example.org"])
    with openssl_server(*own(identity)) as server:
        report = diagnose("localhost", server.port, good, timeout=PATIENCE, probes=False)
        assert [one.code for one in report.tls.verdicts if not one.good] == ["HostnameMismatch"]
        assert "name" in texts(report, Level.error)
        lax = dataclasses.replace(good, check_host=False)
        report = diagnose("localhost", server.port, lax, probes=False, dicom=False)
        assert report.tls.verified


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    ],
)
def test_what_speaks_something_else_is_named(good: TlsOptions, first: bytes, words: str) -> None:
    with saying(first) as port:
        report = diagnose("localhost", port, good, timeout=PATIENCE)
    assert report.level is Level.error
    assert words in report.verdict
    assert report.tls.versions == {}


def test_silent_peer_is_told_as_one(good: TlsOptions) -> None:
    with saying(b"", wait=True) as port:
        report = diagnose("localhost", port, good, timeout=0.5)
    assert report.level is Level.error
    assert "timed out" in report.verdict
    assert "sent nothing" in report.verdict


def test_plain_node_at_a_port_meant_for_tls_and_the_other_way_round(
    scp: Callable[..., int], pki: TestPki, good: TlsOptions
) -> None:
    report = diagnose("localhost", scp(None), good, timeout=PATIENCE)
    assert "does not speak TLS" in report.verdict
    report = diagnose("localhost", scp(pki.server), None, timeout=PATIENCE)
    assert "TLS" in texts(report, Level.error)
    report = diagnose("localhost", scp(None), None, timeout=PATIENCE)
    assert report.dicom.echo == "Success"
    assert "nothing is encrypted" in report.verdict


def test_rejected_association_is_a_matter_of_dicom(
    scp: Callable[..., int], pki: TestPki, good: TlsOptions
) -> None:
    report = diagnose("localhost", scp(pki.server, title="X"), good, timeout=PATIENCE, probes=False)
    assert report.tls.verified
    assert report.dicom.associated is False
    assert "called AE title" in texts(report, Level.error)


def test_nobody_there_and_a_name_without_address(good: TlsOptions) -> None:
    report = diagnose("127.0.0.1", 1, good, timeout=PATIENCE)
    assert "refused" in report.verdict
    report = diagnose("no-such-host.invalid", 104, good, timeout=PATIENCE)
    assert "has no address" in report.verdict


def test_without_authorities_nothing_is_trusted_and_that_is_said(pki: TestPki) -> None:
    with openssl_server(*own(pki.server)) as server:
        report = diagnose("localhost", server.port, TlsOptions(), timeout=PATIENCE, probes=False)
    assert not report.tls.verified
    assert "No authorities were given" in texts(report, Level.warning)
    assert texts(report, Level.error) == ""
    assert report.verdict.startswith("TLS works; without --ca FILE it is not known")
    assert not report.dicom.tried
    assert "association and C-ECHO: nobody is trusted without --ca" in report.untested


def test_without_authorities_other_faults_are_errors_all_the_same(pki: TestPki) -> None:
    with openssl_server(*own(pki.make("expired", role="server"))) as server:
        report = diagnose("localhost", server.port, TlsOptions(), timeout=PATIENCE, probes=False)
    assert "certificate has expired" in texts(report, Level.error)
    assert "get local issuer" not in texts(report, Level.error)
    assert "certificate has expired" in report.verdict


def test_remedies_are_in_options_too_and_verdicts_are_sentences(
    pki: TestPki, tmp_path: Path
) -> None:
    ask = ("-CAfile", pki.ca_file, "-Verify", "3")
    with openssl_server(*own(pki.server), *ask) as server:
        tls = TlsOptions(ca=pki.ca_file)
        report = diagnose("localhost", server.port, tls, timeout=PATIENCE, probes=False)
    assert "--cert FILE is the own certificate" in report.findings[0].remedy
    with openssl_server(*own(pki.server), "-www") as server:  # ends what is no HTTP
        report = diagnose("localhost", server.port, tls, timeout=PATIENCE, probes=False)
    assert report.verdict.startswith("TLS works, the certificate is trusted, but DICOM fails: The ")


def test_tree_has_the_verdict_on_top_and_nothing_foreign_in_it(
    pki: TestPki, good: TlsOptions
) -> None:
    from rich.console import Console

    report = Report("evil\x1b[31m.example", 104)
    report.add(Level.error, "dicom", "[bold]loud[/bold] \x1b]0;title\x07", "mend \x00 it")
    report.verdict, report.level = "It is [red]bad[/red] \x1b[2J", Level.error
    console = Console(width=120, force_terminal=False)
    with console.capture() as caught:
        console.print(render(report))
    printed = caught.get()
    assert printed.splitlines()[0].startswith("ERROR It is [red]bad[/red]")
    assert "\x1b" not in printed
    assert "\x00" not in printed
