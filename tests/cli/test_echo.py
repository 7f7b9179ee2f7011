"""``echo``: who is taken, who is not, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadtools_compat.testing import TestPki
from tests.cli.conftest import Run, Serve


def test_plain_echo_says_that_nothing_is_encrypted(run: Run, serve: Serve) -> None:
    told = run("echo", "127.0.0.1", serve().HostPort)
    assert told.code == 0
    assert told.out.startswith("ok ")
    assert "not encrypted" in told.out


def test_echo_over_tls_says_version_suite_and_that_the_peer_was_verified(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    port = serve(pki.server).HostPort
    told = run("echo", "localhost", port, *mutual, "--repeat", 3, "--json")
    assert told.code == 0
    assert told.document["link"]["verified"] is True
    assert told.document["link"]["version"] == "TLSv1.3"
    assert len(told.document["echo_s"]) == 3


def test_version_and_suite_can_be_chosen(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    port = serve(pki.server).HostPort
    suite = "ECDHE-ECDSA-CHACHA20-POLY1305"
    told = run("echo", "localhost", port, *mutual, "--tls-version", "1.2", "--suite", suite)
    assert told.code == 0
    assert "TLSv1.2, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" in told.out


def test_name_of_the_host_is_checked_unless_switched_off(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    identity = pki.issue("elsewhere", role="server", hosts=["pacs.example.org"])
    port = serve(identity).HostPort
    refused = run("echo", "localhost", port, *mutual)
    assert refused.code == 4
    assert "HostnameMismatch" in refused.err
    assert run("echo", "localhost", port, *mutual, "--no-host-check").code == 0
    assert run("echo", "localhost", port, *mutual, "--host-name", "pacs.example.org").code == 0
    assert run("echo", "localhost", port, *mutual, "--host-name", "other.example.org").code == 4


def test_peer_of_unknown_authority_is_refused_unless_nothing_is_verified(
    run: Run, serve: Serve, pki: TestPki, tmp_path: Path
) -> None:
    stranger = TestPki(tmp_path / "other", seed="stranger", key="ec")
    port = serve(stranger.server, ca=pki.ca_file).HostPort
    own = ["--cert", pki.client.combined_file]
    told = run("echo", "localhost", port, "--ca", pki.ca_file, *own)
    assert told.code == 4
    assert "UnableToGetIssuerCertLocally" in told.err
    assert "certificate" in told.err
    taken = run("echo", "localhost", port, "--no-verify", *own)
    assert taken.code == 0
    assert "NOT VERIFIED" in taken.out


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_refused_client_is_told_what_was_wrong_with_its_certificate(
    run: Run, serve: Serve, pki: TestPki, version: str
) -> None:
    port = serve(pki.server).HostPort
    own = pki.make("no_purpose", role="client").combined_file
    arguments = ["--ca", pki.ca_file, "--cert", own, "--tls-version", version]
    told = run("echo", "localhost", port, *arguments)
    assert told.code == 4
    assert "unsupported_certificate (43)" in told.err
    assert "clientAuth" in told.err
    document = run("echo", "localhost", port, *arguments, "--json").document
    assert document["failure"]["code"] == "TlsPeerRejectedCertificate"
    assert document["error"]["remedy"]


def test_client_without_a_certificate_is_told_the_option(
    run: Run, serve: Serve, pki: TestPki
) -> None:
    told = run("echo", "localhost", serve(pki.server).HostPort, "--ca", pki.ca_file)
    assert told.code == 4
    assert "TlsPeerRequiresCertificate" in told.err
    assert "--cert FILE" in told.err


def test_wrong_title_is_an_association_that_was_rejected(run: Run, serve: Serve) -> None:
    port = serve(title="ARCHIVE").HostPort
    told = run("echo", "127.0.0.1", port, "--called", "ARCHIV")
    assert told.code == 5
    assert "called AE title" in told.err
    assert run("echo", "127.0.0.1", port, "--called", "ARCHIVE").code == 0


def test_nobody_there_is_a_failure_to_connect(run: Run) -> None:
    told = run("echo", "127.0.0.1", 1, "--json")
    assert told.code == 3
    assert told.document["failure"]["code"] == "NetConnectionRefused"


def test_plain_client_at_a_tls_port_is_told_that_it_may_be_one(
    run: Run, serve: Serve, pki: TestPki
) -> None:
    told = run("echo", "127.0.0.1", serve(pki.server).HostPort)
    assert told.code in (3, 5)
    assert "TLS" in told.err


def test_tls_client_at_a_plain_port_is_told_so(run: Run, serve: Serve, mutual: list[str]) -> None:
    told = run("echo", "127.0.0.1", serve().HostPort, *mutual, "--no-host-check")
    assert told.code == 4
    assert "does not speak TLS" in told.err


@pytest.mark.parametrize("how", ["file", "environment", "wrong", "none"])
def test_encrypted_key_takes_its_password_from_a_file_or_the_environment(
    run: Run,
    serve: Serve,
    pki: TestPki,
    how: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = serve(pki.server).HostPort
    arguments = ["--ca", pki.ca_file, "--cert", pki.client.encrypted_file]
    file = tmp_path / "password"
    file.write_text("test\n" if how == "file" else "tset\n")
    if how in ("file", "wrong"):
        arguments += ["--password-file", str(file)]
    monkeypatch.delenv("LEADTOOLS_COMPAT_KEY_PASSWORD", raising=False)
    if how == "environment":
        monkeypatch.setenv("LEADTOOLS_COMPAT_KEY_PASSWORD", "test")
    told = run("echo", "localhost", port, *arguments)
    if how in ("file", "environment"):
        assert told.code == 0
    else:
        assert told.code == 6
        assert "password" in told.err


def test_der_certificate_and_key_are_taken(run: Run, serve: Serve, pki: TestPki) -> None:
    own = ["--cert", pki.client.der_file, "--key", pki.client.key_der_file]
    # Without its intermediate the chain ends early: the server must know that one.
    port = serve(pki.server, ca=pki.intermediate.certificate_file).HostPort
    assert run("echo", "localhost", port, "--ca", pki.ca_file, *own).code == 0


def test_file_that_is_no_certificate_is_named(
    run: Run, serve: Serve, pki: TestPki, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no certificate")
    told = run("echo", "localhost", serve(pki.server).HostPort, "--ca", file)
    assert told.code == 6
    assert str(file) in told.err


def test_failure_is_told_once_and_the_log_file_has_the_sentence(
    run: Run, serve: Serve, pki: TestPki, tmp_path: Path
) -> None:
    port = serve(pki.server).HostPort
    arguments = ["echo", "localhost", port, "--ca", pki.ca_file]
    log = tmp_path / "echo.log"
    told = run(*arguments, "--log", log)
    assert told.code == 4
    assert "connection to" not in told.err
    line = log.read_text()
    assert "WARNING connection to 127.0.0.1:" in line
    assert "certificate, by the peer: TlsPeerRequiresCertificate (309)" in line
    assert "Load a certificate" in line
    loud = run(*arguments, "-v")
    assert loud.code == 4
    assert "connection to 127.0.0.1:" in loud.err
    assert log.read_text() == line
    assert run(*arguments, "--log", tmp_path / "no" / "folder").code == 6


@pytest.mark.parametrize("name", ["B.12", "b12", "B12"])
def test_profile_is_applied(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str], name: str
) -> None:
    port = serve(pki.server).HostPort
    told = run("echo", "localhost", port, *mutual, "--profile", name, "--json")
    assert told.code == 0
    assert told.document["link"]["verified"] is True


def test_profile_that_both_sides_lack_or_that_does_not_exist_is_said(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    port = serve(pki.server, profile="B.13").HostPort
    told = run("echo", "localhost", port, *mutual, "--profile", "ihe_stx12")
    assert told.code in (0, 4)
    wrong = run("echo", "localhost", port, *mutual, "--profile", "ihe_stx21")
    assert wrong.code == 2
    assert "did you mean ihe_stx12?" in wrong.err
    assert run("echo", "localhost", port, "--profile", "nothing").code == 2
    assert "--ca FILE is needed" in run("echo", "localhost", port, "--profile", "B.12").err
