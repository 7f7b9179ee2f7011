"""Every kind of the test PKI is shown to the judge that counts: the real OpenSSL."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadtools_compat.testing import Complaint, Identity, Kind, TestPki, files
from leadtools_compat.testing.catalogue import KINDS, REGISTERS
from leadtools_compat.testing.codes import NUMBERS, name_of
from leadtools_compat.testing.judge import judge
from leadtools_compat.testing.model import Role

ROLES: tuple[Role, Role] = ("client", "server")
CLEAN = {**os.environ, "OPENSSL_CONF": os.devnull, "LC_ALL": "C"}  # nothing from the host
PATIENCE = 30.0

# One of each sort of leaf key, of complaint and of trouble on the wire.
SHAKEN = [
    *(
        "good_rsa",
        "good_ec",
        "good_rsa_pss",
        "good_ed25519",
        "two_intermediates",
        "unordered_chain",
    ),
    *(
        "no_purpose",
        "expired",
        "unknown_ca",
        "self_signed",
        "too_deep",
        "issuer_not_ca",
        "bad_signature",
    ),
    *("weak_key_rsa1024", "weak_hash_md5", "crl_missing", "revoked_intermediate", "wrong_address"),
    *("name_with_newline", "name_very_long", "negative_serial", "ber_encoded"),
    *("broken_extension", "needless_certificates"),
]

PEERS_AND_OURS = """
good_rsa good_ec good_rsa_pss good_ed25519 with_intermediate direct_root_signed two_intermediates
expired not_yet_valid expired_intermediate clock_skew wrong_purpose no_purpose no_eku any_eku
critical_eku unknown_ca missing_intermediate self_signed self_signed_trusted leaf_trusted_directly
issuer_not_ca path_length_exceeded too_deep bad_signature key_usage_no_cert_sign
name_constraints_permitted_violation name_constraints_excluded unknown_critical_extension
weak_key_rsa1024 weak_key_rsa768 weak_ca_key weak_hash_sha1 weak_hash_md5
weak_hash_sha1_intermediate weak_hash_md5_intermediate revoked_leaf revoked_intermediate
crl_missing crl_expired name_with_quotes name_with_commas name_utf8 name_with_nul name_very_long
name_beyond_limit name_not_utf8 many_rdns multi_valued_rdn empty_subject huge_serial
over_long_serial negative_serial zero_serial v1_certificate chain_1mb ber_encoded
duplicate_extension broken_extension wildcard_san ipv6_san wrong_host
"""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """RSA, fresh keys."""
    return TestPki(tmp_path_factory.mktemp("pki-rsa"))


@pytest.fixture(scope="module")
def ec_pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """P-256, fresh keys."""
    return TestPki(tmp_path_factory.mktemp("pki-ec"), key="ec")


def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run the openssl program."""
    return subprocess.run(
        ["openssl", *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=CLEAN,
        timeout=PATIENCE,
        check=False,
    )


def conditions(identity: Identity, folder: Path) -> list[str]:
    """Give the options that make the openssl program judge as the identity says."""
    trust = Path(identity.ca_file).read_bytes()
    options = ["-partial_chain", "-auth_level", "2"]
    if identity.crl_file is not None:
        trust += Path(identity.crl_file).read_bytes()
        options.append("-crl_check_all")
    if identity.verify_depth is not None:
        options += ["-verify_depth", str(identity.verify_depth)]
    if identity.host is not None:
        address = re.fullmatch(r"[0-9.]+|.*:.*", identity.host)
        options += ["-verify_ip" if address else "-verify_hostname", identity.host]
    return [*options, "-CAfile", str(files.write(folder / "trust.pem", trust))]


def complain(code: str, depth: str) -> Complaint:
    """Make a complaint of what the openssl program prints."""
    return Complaint(name_of(int(code)), int(depth))


# ---- verdicts


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_openssl_verify_says_the_expected_code(
    pki: TestPki, tmp_path: Path, kind: Kind, role: Role
) -> None:
    identity = pki.make(kind.name, role)
    if kind.never_judged == "cannot be parsed":
        assert run("x509", "-in", identity.der_file, "-noout").returncode != 0
        return
    chain = ["-purpose", f"ssl{role}", "-untrusted", identity.certificate_file]
    done = run("verify", *conditions(identity, tmp_path), *chain, identity.certificate_file)
    printed = done.stdout + done.stderr
    found = re.findall(r"^error (\d+) at (\d+) depth lookup", printed, re.MULTILINE)
    said = [complain(*one) for one in found]  # it overrules some complaints only, then it stops
    if kind.name == "common_name_only":  # the program cannot be told not to take that
        assert (done.returncode, said) == (0, []), printed
        return
    assert (done.returncode == 0) == (not identity.expected), printed
    assert said == list(identity.expected[: len(said) or 1])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_libcrypto_says_every_expected_complaint_also_at_depth_two(
    pki: TestPki, ec_pki: TestPki, kind: Kind, role: Role
) -> None:
    for identity in (pki.make(kind.name, role), ec_pki.make(kind.name, role)):
        narrow = dataclasses.replace(identity, verify_depth=2)
        if kind.never_judged == "cannot be parsed":
            with pytest.raises(ValueError, match="cannot parse"):
                judge(identity)
        else:
            assert judge(identity) == judge(narrow) == identity.expected


# ---- handshakes


def presented(identity: Identity, folder: Path) -> list[str]:
    """Give the options that make the openssl program present an identity, even a weak one."""
    rest = files.write(folder / "rest.pem", files.pem("CERTIFICATE", *identity.chain_der[1:]))
    chain = ["-cert_chain", str(rest)] if identity.chain_der[1:] else []
    own = ["-cert", identity.certificate_file, "-key", identity.key_file, *chain]
    return [*own, "-cipher", "DEFAULT@SECLEVEL=0"]  # judged at level 2 all the same: -auth_level


@contextlib.contextmanager
def serving(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``openssl s_server`` for one connection; give its address."""
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=CLEAN,
    )
    guard = threading.Timer(PATIENCE, server.kill)
    guard.start()
    printed = []
    try:
        assert server.stdout is not None
        for line in server.stdout:
            printed.append(line)
            if line.startswith("ACCEPT "):
                yield line.split()[1], server
                break
        else:
            pytest.fail("openssl s_server did not start:\n" + "".join(printed))
    finally:
        guard.cancel()
        server.kill()
        server.communicate()


def shake_hands(judged: Identity, other: Identity, folder: Path, *more: str) -> str:
    """Let two openssl programs shake hands; give what the judging side printed."""
    judging = [
        *conditions(judged, folder),
        *more,
        "-Verify" if judged.role == "client" else "-verify",
    ]
    judging.append("50")
    server, client = (judged, other) if judged.role == "server" else (other, judged)
    with serving(*presented(server, folder), *judging * (judged is client)) as (address, process):
        own = [*presented(client, folder), *judging * (judged is server)]
        done = run("s_client", "-connect", address, *own, text="Q\n")
        if judged is server:
            return done.stdout + done.stderr
        return process.communicate(timeout=PATIENCE)[0]


def complaints_in(printed: str) -> list[Complaint]:
    """Read the lines of the openssl programs' verify callback."""
    lines = re.findall(r"^(?:depth=(\d+)|verify error:num=(\d+))", printed, re.MULTILINE)
    depths = [depth for depth, _ in lines]
    return [complain(code, depths[at - 1]) for at, (_, code) in enumerate(lines) if code]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", SHAKEN)
def test_handshake_brings_the_expected_complaints(
    pki: TestPki, tmp_path: Path, kind: str, role: Role
) -> None:
    identity = pki.make(kind, role)
    printed = shake_hands(identity, pki.client if role == "server" else pki.server, tmp_path)
    assert complaints_in(printed) == list(identity.expected), printed
    assert "verify return:1" in printed, printed
    assert "Cipher" in printed or "CIPHER is" in printed, printed


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["chain_1mb", "name_beyond_limit"])
def test_chain_over_100_kib_fails_without_a_verdict(
    pki: TestPki, tmp_path: Path, kind: str, role: Role
) -> None:
    other = pki.client if role == "server" else pki.server
    printed = shake_hands(pki.make(kind, role), other, tmp_path)
    assert "excessive message size" in printed
    assert not re.search(r"^(depth=|verify (error|return))", printed, re.MULTILINE)


@pytest.mark.parametrize("role", ROLES)
def test_first_complaint_ends_the_handshake_by_default(
    pki: TestPki, tmp_path: Path, role: Role
) -> None:
    identity = pki.make("issuer_not_ca", role)
    other = pki.client if role == "server" else pki.server
    printed = shake_hands(identity, other, tmp_path, "-verify_return_error")
    assert complaints_in(printed) == list(identity.expected[:1])
    assert "certificate verify failed" in printed


@pytest.mark.parametrize("role", ROLES)
def test_ec_pki_shakes_hands_on_both_sides(ec_pki: TestPki, tmp_path: Path, role: Role) -> None:
    judged, other = ec_pki.server, ec_pki.client
    if role == "client":
        judged, other = other, judged
    printed = shake_hands(judged, other, tmp_path, "-verify_return_error")
    assert complaints_in(printed) == []
    assert "verify return:1" in printed


# ---- the list


def test_kinds_are_described_once_and_all_there(pki: TestPki) -> None:
    names = [kind.name for kind in pki.kinds()]
    assert len(names) == len(set(names)) == sum(map(len, REGISTERS))
    assert set(PEERS_AND_OURS.split()) <= set(names)
    for kind in pki.kinds():
        assert kind.description.strip()
        assert "\n" not in kind.description
        assert all(code in NUMBERS for code, _ in kind.expected)
        assert kind.accepted == (not kind.expected and not kind.never_judged)


def test_purposes_of_the_documented_example_are_those_of_the_documentation(pki: TestPki) -> None:
    identity = pki.make("documented_example")
    shown = run("x509", "-in", identity.certificate_file, "-noout", "-purpose", "-serial").stdout
    yes = re.findall(r"^(.*) : Yes", shown, re.MULTILINE)
    # "Code signing" is new in OpenSSL 3.2, and said of any certificate without an EKU that forbids it.
    assert [one for one in yes if one != "Code signing"] == [
        "Any Purpose",
        "Any Purpose CA",
        "OCSP helper",
    ]
    assert "serial=AE8A75375603C445" in shown
    same = run("x509", "-in", pki.make("no_purpose").certificate_file, "-noout", "-purpose").stdout
    assert re.findall(r"^(.*) : Yes", same, re.MULTILINE) == yes
