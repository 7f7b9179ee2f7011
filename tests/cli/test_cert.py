"""``cert``: what files have in them, whether it is in order, whether a peer would take it."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadtools_compat.testing import TestPki
from leadtools_compat.testing.files import pem
from tests.cli.conftest import Run


def test_text_is_that_of_onverify(run: Run, pki: TestPki) -> None:
    told = run("cert", pki.server.certificate_file)
    assert told.code == 0
    for line in ("Subject Name: CN = Test Server", "SSL client : Yes", "days left"):
        assert line in told.out


@pytest.mark.parametrize("form", ["pem", "der", "p12", "combined"])
def test_all_forms_are_read(run: Run, pki: TestPki, form: str, tmp_path: Path) -> None:
    client = pki.client
    files = {
        "pem": client.certificate_file,
        "der": client.der_file,
        "p12": client.p12_file,
        "combined": client.combined_file,
    }
    password = tmp_path / "password"
    password.write_text("test")
    told = run("cert", files[form], "--password-file", password, "--json")
    assert told.code == 0
    found = told.document["files"][0]
    assert found["certificates"][0]["subject"].startswith("CN = Test Client")
    assert len(found["certificates"]) == (1 if form == "der" else 2)


@pytest.mark.parametrize(
    ("kind", "role", "code"),
    [
        ("expired", "server", "CertHasExpired"),
        ("no_purpose", "client", "InvalidPurpose"),
        ("self_signed", "client", "DepthZeroSelfSignedCert"),
    ],
)
def test_peer_that_would_refuse_is_asked_beforehand(
    run: Run, pki: TestPki, kind: str, role: str, code: str
) -> None:
    identity = pki.make(kind, role=role)  # type: ignore[arg-type]
    told = run("cert", identity.certificate_file, "--ca", pki.ca_file, "--role", role, "--json")
    assert told.code == 1
    complaints = told.document["files"][0]["judged"][role]["complaints"]
    assert complaints[0]["code"] == code
    assert complaints[0]["remedy"]


def test_name_of_the_host_is_judged_too(run: Run, pki: TestPki) -> None:
    options = ("--ca", pki.ca_file, "--role", "server", "--host-name")
    assert run("cert", pki.server.certificate_file, *options, "localhost").code == 0
    told = run("cert", pki.server.certificate_file, *options, "pacs.example.org")
    assert told.code == 1
    assert "HostnameMismatch" in told.out


def test_reversed_chain_is_an_error_with_its_remedy(run: Run, pki: TestPki, tmp_path: Path) -> None:
    file = tmp_path / "reversed.pem"
    chain = [pki.root.certificate_der, *reversed(pki.server.chain_der)]
    file.write_bytes(pem("CERTIFICATE", *chain))
    told = run("cert", file)
    assert told.code == 1
    assert "reversed" in told.out
    assert "own certificate first" in told.out


def test_missing_intermediate_is_seen(run: Run, pki: TestPki, tmp_path: Path) -> None:
    file = tmp_path / "gap.pem"
    file.write_bytes(pem("CERTIFICATE", pki.server.chain_der[0], pki.root.certificate_der))
    told = run("cert", file, "--json")
    texts = [one["text"] for one in told.document["files"][0]["findings"]]
    assert any("Test Intermediate CA" in text and "missing" in text for text in texts)


def test_mixed_pem_with_a_cut_block_shows_the_rest(run: Run, pki: TestPki, tmp_path: Path) -> None:
    file = tmp_path / "mixed.pem"
    good = Path(pki.server.combined_file).read_text()
    file.write_text(f"Notes\n{good}\n-----BEGIN CERTIFICATE-----\nMIIB\n")
    told = run("cert", file, "--json")
    found = told.document["files"][0]
    assert len(found["certificates"]) == 2
    assert any("END" in one["text"] for one in found["findings"])


def test_what_is_no_certificate_is_told_and_the_rest_goes_on(
    run: Run, pki: TestPki, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").touch()
    files = [tmp_path / "text", tmp_path / "empty", tmp_path / "none", tmp_path]
    told = run("cert", *files, pki.client.key_file, pki.server.certificate_file)
    assert told.code == 1
    assert "1 good, 0 with faults, 5 not readable" in told.out
    for word in ("neither PEM nor DER", "empty", "No such file", "only a private key"):
        assert word in told.err
    assert run("cert", tmp_path / "text").code == 6


@pytest.mark.parametrize("given", [None, "wrong"])
def test_password_that_is_missing_or_wrong_is_said(
    run: Run, pki: TestPki, given: str | None, tmp_path: Path
) -> None:
    options: list[object] = []
    if given is not None:
        (tmp_path / "password").write_text(given)
        options = ["--password-file", tmp_path / "password"]
    told = run("cert", pki.client.p12_file, *options)
    assert told.code == 6
    assert ("none was given" if given is None else "password is wrong") in told.err


def test_every_kind_of_certificate_is_shown_whatever_is_wrong_with_it(
    run: Run, pki: TestPki
) -> None:
    files = [
        pki.make(kind.name).certificate_file for kind in pki.kinds() if kind.name != "huge_chain"
    ]
    told = run("cert", *files, "--ca", pki.ca_file, "--role", "client", "--json")
    assert told.code == 1
    assert len(told.document["files"]) == len(files)
    assert "Traceback" not in told.err
