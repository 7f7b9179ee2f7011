"""``cert``: what files have in them, whether it is in order, whether a peer would take it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from leadtools_compat.diagnose.certificates import read_lists
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
    (tmp_path / "notepad").write_text("-----BEGIN CERTIFICATE-----", "utf-16")
    os.mkfifo(tmp_path / "pipe")
    files = [tmp_path / name for name in ("text", "empty", "none", "notepad", "pipe")]
    told = run("cert", *files, pki.client.key_file, pki.server.certificate_file)
    assert told.code == 1
    assert "1 good, 0 with faults, 6 not readable" in told.out
    for word in (
        *("neither PEM nor DER", "empty", "no such file", "only a private key"),
        *("UTF-16", "not a file"),
    ):
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


# ---- many files, and folders


def test_thousands_of_other_files_end_in_a_count_and_not_in_thousands_of_lines(
    run: Run, tmp_path: Path
) -> None:
    for number in range(2000):
        (tmp_path / f"{number}.dcm").write_bytes(bytes(128) + b"DICM")
    for given in ([tmp_path], sorted(tmp_path.iterdir())):
        told = run("cert", *given)
        assert told.code == 6
        assert told.out == "0 good, 0 with faults, 2000 not readable\n"
        assert len(told.err.splitlines()) == 21
        assert "only counted" in told.err


def test_folder_is_searched_and_keys_and_lists_in_it_are_no_faults(
    run: Run, pki: TestPki, tmp_path: Path
) -> None:
    node = tmp_path / "node"
    (node / "deeper").mkdir(parents=True)
    shutil.copy(pki.server.combined_file, node)
    shutil.copy(pki.client.certificate_file, node / "deeper")
    shutil.copy(pki.server.key_file, node)
    shutil.copy(pki.server.key_file.replace(".key", "-key.der"), node)
    crl = pki.make("crl_good", role="server").crl_file
    assert crl is not None
    shutil.copy(crl, node / "list.pem")
    told = run("cert", node, "--json")
    assert told.code == 0
    assert (told.document["good"], told.document["others"]) == (2, 3)
    assert run("cert", pki.server.key_file).code == 6


def test_many_certificates_get_a_line_each_after_the_first_ones(
    run: Run, pki: TestPki, tmp_path: Path
) -> None:
    for number in range(25):
        shutil.copy(pki.server.certificate_file, tmp_path / f"{number:02}.pem")
    told = run("cert", tmp_path, "--ca", pki.ca_file)
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[-1].startswith("25 good")
    assert lines[-2].startswith(str(tmp_path / "24.pem"))
    assert lines[-2].endswith("accepted as client; accepted as server")


def test_certificate_for_one_role_is_good_unless_both_are_asked_for(run: Run, pki: TestPki) -> None:
    identity = pki.make("wrong_purpose", role="client")  # a server's
    options = (identity.certificate_file, "--ca", pki.ca_file)
    assert run("cert", *options).code == 0
    assert run("cert", *options, "--role", "server").code == 0
    told = run("cert", *options, "--role", "both")
    assert told.code == 1
    assert "InvalidPurpose" in told.out


# ---- what the peer has


def test_authorities_and_lists_may_be_several_files_and_folders(
    run: Run, pki: TestPki, tmp_path: Path
) -> None:
    revoked = pki.make("revoked_leaf", role="server")
    assert revoked.crl_file is not None
    lists = read_lists(Path(revoked.crl_file))
    assert len(lists) == 2
    authority, other = tmp_path / "ca", tmp_path / "crl"
    authority.mkdir()
    other.mkdir()
    shutil.copy(revoked.ca_file, authority)
    (other / "root.crl").write_bytes(lists[0])
    (tmp_path / "leaf.crl").write_bytes(lists[1])
    (other / "notes.txt").write_text("not a list")
    told = run(
        *("cert", revoked.certificate_file, "--ca-dir", authority, "--role", "server"),
        *("--crl", tmp_path / "leaf.crl", "--crl-dir", other, "--json"),
    )
    assert told.code == 1
    complaints = told.document["files"][0]["judged"]["server"]["complaints"]
    assert [one["code"] for one in complaints] == ["CertRevoked"]


def test_file_that_is_no_list_is_refused_with_its_name(
    run: Run, pki: TestPki, tmp_path: Path
) -> None:
    options = ("cert", pki.server.certificate_file, "--ca", pki.ca_file)
    told = run(*options, "--crl", pki.client.certificate_file)
    assert told.code == 2
    assert "no revocation list in it; it has" in told.err
    told = run(*options, "--crl-dir", tmp_path)
    assert told.code == 2
    assert "nothing in it" in told.err
    assert run("cert", pki.server.certificate_file, "--crl", pki.ca_file).code == 2
    assert "--ca" in run("cert", pki.server.certificate_file, "--host-name", "x").err
