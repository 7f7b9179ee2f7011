"""The options about names, pins, more trust and strictness, on clients and on ``scp``."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._nodes.tls_demands import TlsDemands
from leadtools_compat.dicom import DicomNet
from leadtools_compat.testing import Identity, TestPki
from tests.cli.conftest import Run, Serve
from tests.support import PATIENCE
from tests.tls.issued import issue
from tests.tls.peers import openssl_client, own

WRONG = "cert:" + "00" * 32


@pytest.fixture
def device(pki: TestPki, tmp_path: Path) -> Identity:
    """A server with a certificate that it has signed itself."""
    return issue(pki, tmp_path, "device", names=["device.test", "ct@device.test"], by_itself=True)


def pins(identity: Identity) -> tuple[str, str]:
    return DicomNet.tls_pins_of(identity.chain_der[0])


def test_pin_is_demanded_besides_the_authority(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    port = serve(pki.server).HostPort
    for pin in pins(pki.server):
        assert run("echo", "localhost", port, *mutual, "--pin", WRONG, "--pin", pin).code == 0
    told = run("echo", "localhost", port, *mutual, "--pin", WRONG)
    assert told.code == 4
    assert "CertUntrusted" in told.err
    assert pins(pki.server)[0] in told.err


def test_pin_alone_is_trust_enough_for_a_device(
    run: Run, serve: Serve, pki: TestPki, device: Identity
) -> None:
    port = serve(device).HostPort
    client = ("--cert", pki.client.combined_file, "--pin-only", "--host-name", "device.test")
    told = run("echo", "127.0.0.1", port, *client, "--pin", pins(device)[1], "--json")
    assert told.code == 0
    assert told.document["link"]["verified"] is True
    assert told.document["link"]["server_name"] == "device.test"
    assert run("echo", "127.0.0.1", port, *client, "--pin", WRONG).code == 4
    other = (*client[:-1], "other.test")
    assert (
        "HostnameMismatch" in run("echo", "127.0.0.1", port, *other, "--pin", pins(device)[0]).err
    )


def test_cert_shows_the_pins(run: Run, pki: TestPki) -> None:
    told = run("cert", pki.server.certificate_file, "--json")
    shown = [one["pins"] for one in told.document["files"][0]["certificates"]]
    assert shown[0] == list(pins(pki.server))
    assert all(f"pin: {one}" in run("cert", pki.server.certificate_file).out for one in shown[0])


def test_authorities_come_from_several_files_and_folders(
    run: Run, serve: Serve, pki: TestPki, tmp_path: Path
) -> None:
    stranger = TestPki(tmp_path / "other", seed="stranger", key="ec")
    folder = tmp_path / "trust"
    folder.mkdir()
    shutil.copy(pki.ca_file, folder)
    port = serve(pki.server).HostPort
    certificate = ("--cert", pki.client.combined_file)
    for trust, code in (
        *((("--ca", stranger.ca_file), 4), (("--ca", stranger.ca_file, "--ca", pki.ca_file), 0)),
        *((("--ca-dir", folder), 0), (("--ca", stranger.ca_file, "--ca-dir", folder), 0)),
    ):
        assert run("echo", "localhost", port, *certificate, *trust).code == code
    told = run("echo", "localhost", port, *certificate, "--ca-dir", tmp_path / "other" / "issued")
    assert told.code in (2, 6)


def test_computers_store_is_trusted_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, run: Run, serve: Serve, pki: TestPki
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", pki.ca_file)
    port = serve(pki.server).HostPort
    certificate = ("--cert", pki.client.combined_file)
    assert run("echo", "localhost", port, *certificate, "--system-trust").code == 0
    assert run("echo", "localhost", port, *certificate).code == 2


def test_names_purposes_and_strength_are_demanded(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str], tmp_path: Path
) -> None:
    names = ["localhost", "ct@device.test", "urn:oid:1.2.3"]
    peer = issue(pki, tmp_path, "peer", names=names, purposes=None)
    port = serve(peer).HostPort
    for options, finding in (
        *((("--expect-email", "ct@device.test"), ""), (("--expect-uri", "urn:oid:1.2.3"), "")),
        (("--expect-email", "mr@device.test"), "EmailMismatch"),
        (("--expect-uri", "urn:oid:1.2.4"), "urn:oid:1.2.4"),
        *((("--purpose", "strict"), "InvalidPurpose"), (("--purpose", "any"), "")),
        *((("--least-ec", "256"), ""), (("--least-ec", "384"), "own certificate")),
        (("--least-hash", "384"), "own certificate"),
    ):
        told = run("echo", "localhost", port, *mutual, *options)
        assert (told.code == 0) == (not finding), told.err
        assert finding in told.err


def test_application_protocol_is_agreed(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    with_it = serve(pki.server, demands=TlsDemands(alpn="offer")).HostPort
    told = run("echo", "localhost", with_it, *mutual, "--alpn", "require", "--json")
    assert told.document["link"]["protocol"] == "dicom"
    assert "protocol dicom" in run("echo", "localhost", with_it, *mutual, "--alpn", "offer").out
    without = serve(pki.server).HostPort
    assert run("echo", "localhost", without, *mutual, "--alpn", "offer").code == 0
    assert run("echo", "localhost", without, *mutual, "--alpn", "require").code == 4


def test_server_name_can_be_chosen(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str], device: Identity
) -> None:
    demands = TlsDemands(certificates=(device.combined_file,))
    port = serve(pki.server, demands=demands).HostPort
    assert run("echo", "localhost", port, *mutual).code == 0
    told = run("echo", "localhost", port, *mutual, "--server-name", "device.test")
    assert told.code == 4
    assert "DepthZeroSelfSignedCert" in told.err
    told = run("echo", "localhost", port, *mutual, "--server-name", "", "--json")
    assert told.document["link"]["server_name"] == ""
    assert run("echo", "localhost", port, *mutual, "--server-name", "a b").code == 6


def test_further_certificate_may_be_a_file_of_pkcs12(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    second = pki.issue("second", role="server", hosts=["second.test"])
    demands = TlsDemands(certificates=(second.p12_file,))
    port = serve(pki.server, demands=demands, password=lambda: second.key_password).HostPort
    assert run("echo", "127.0.0.1", port, *mutual, "--host-name", "second.test").code == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--pin-only",),
        ("--pin-only", "--pin", WRONG, "--ca", "CA"),
        ("--pin-only", "--pin", WRONG, "--system-trust"),
        ("--pin", WRONG, "--no-verify"),
        ("--expect-email", "a@b.test", "--no-verify"),
        ("--pin", WRONG),
        ("--alpn", "dicom"),
        ("--purpose", "loose"),
        ("--least-rsa", "-1"),
        ("--ca-dir", "/nowhere"),
    ],
)
def test_contradictions_are_refused(run: Run, pki: TestPki, options: tuple[str, ...]) -> None:
    given = [pki.ca_file if one == "CA" else one for one in options]
    assert run("echo", "localhost", 104, *given).code == 2


def test_pin_that_is_none_says_what_would_be_one(run: Run, mutual: list[str]) -> None:
    told = run("echo", "localhost", 104, *mutual, "--pin", "sha256:00")
    assert told.code == 6
    assert "cert:" in told.err


def test_diagnose_uses_the_demands(run: Run, serve: Serve, pki: TestPki, device: Identity) -> None:
    port = serve(device).HostPort
    client = ("--cert", pki.client.combined_file, "--host-name", "device.test", "--quick")
    good = run(
        *("diagnose", "127.0.0.1", port, *client, "--pin-only", "--pin", pins(device)[1]), "--json"
    )
    assert good.document["tls"]["verified"] is True
    bad = run("diagnose", "127.0.0.1", port, *client, "--pin-only", "--pin", WRONG, "--json")
    assert "CertUntrusted" in [one["code"] for one in bad.document["tls"]["verdicts"]]


# ---- scp


@contextmanager
def scp(folder: Path, *options: object) -> Iterator[int]:
    """Run ``scp --json``; gives its port."""
    command = [sys.executable, "-m", "leadtools_compat", "scp", "0", folder, "--json", *options]
    with subprocess.Popen(
        [str(one) for one in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            line: dict[str, Any] = json.loads(process.stdout.readline())
            assert line["event"] == "listening"
            yield int(line["port"])
        finally:
            process.kill()
            process.wait(PATIENCE)


def test_scp_serves_several_names_and_pins_its_clients(
    pki: TestPki, device: Identity, tmp_path: Path
) -> None:
    options = ("--cert", pki.server.combined_file, "--address", "127.0.0.1")
    more = ("--also-cert", device.combined_file, "--refuse-unknown-names", "--alpn", "refuse")
    trust = ("--pin-only", "--pin", pins(pki.client)[1])
    with scp(tmp_path / "kept", *options, *more, *trust) as port:
        good = (*own(pki.client), "-alpn", "dicom")
        printed = openssl_client(port, *good, "-servername", "device.test")
        assert re.search("CN ?= ?device", printed)
        assert "ALPN protocol: dicom" in printed
        assert "unrecognized name" in openssl_client(port, *good, "-servername", "other.test")
        others = (*own(pki.client), "-servername", "localhost", "-alpn", "h2")
        assert "no application protocol" in openssl_client(port, *others)
        wrong = (*own(device), "-servername", "localhost", "-tls1_2")
        assert "bad certificate" in openssl_client(port, *wrong)
