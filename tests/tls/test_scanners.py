"""What scanners of TLS find on a listener in each profile: exactly what its table promises, no weakness.

``sslscan`` looks at every profile; ``testssl`` knows many more attacks, and needs most of a minute for
each of the two profiles in force.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from leadtools_compat.dicom import DicomTlsCipherSuiteType, DicomTlsProfile
from leadtools_compat.testing import TestPki
from tests.support import MUTUAL, NO_CHECK, PATIENCE, PEER, Listener
from tests.tls.peers import CLEAN
from tests.tls.profiles import BY_NAME, TABLE, Row, applied, with_each_possible
from tests.tls.tls_tools import SUITES, Rules, rules_for

Nets = Callable[[Any], Any]
Pkis = dict[str, TestPki]

OLD_VERSIONS = ("TLSv1", "TLSv1.1")
NAMES = {"TLSv1.0": "TLSv1"}  # sslscan's name, ours
GROUPS = {
    "x25519": 0x001D,
    "secp256r1": 0x0017,
    "secp384r1": 0x0018,
    "secp521r1": 0x0019,
    "ffdhe2048": 0x0100,
    "ffdhe3072": 0x0101,
}
PEMS = {"EC": "ECDSA", "RSA": "RSA"}

with_each_key = pytest.mark.parametrize("key", PEMS)


@pytest.fixture
def pkis(pki: TestPki, rsa_pki: TestPki) -> Pkis:
    return {"EC": pki, "RSA": rsa_pki}


def listener_by(nets: Nets, name: str | None, rules: Rules) -> Listener:
    """Listen with children that have the profile."""
    listener: Listener = nets(Listener(lambda: nets(applied(rules.net(), name))))
    listener.Listen("127.0.0.1", 0, 64)
    return listener


# ---- sslscan


class Scan(NamedTuple):
    """What ``sslscan`` saw, by version."""

    versions: list[str]
    suites: dict[str, list[int]]
    groups: dict[str, set[int]]
    signatures: dict[str, set[str]]
    dh_bits: set[int]
    heartbleed: list[str]
    compression: bool
    key_bits: int


def scanned(port: int) -> Scan:
    """Let ``sslscan`` look at a listener."""
    done = subprocess.run(
        ["sslscan", "--show-sigs", "--no-colour", "--xml=-", f"127.0.0.1:{port}"],
        capture_output=True,
        text=True,
        env=CLEAN,
        timeout=3 * PATIENCE,
        check=True,
    )
    test = ElementTree.fromstring(done.stdout).find("ssltest")
    assert test is not None, done.stdout
    suites: dict[str, list[int]] = {}
    groups: dict[str, set[int]] = {}
    signatures: dict[str, set[str]] = {}
    for one in test.iter("cipher"):
        suites.setdefault(version_of(one), []).append(int(one.attrib["id"], 16))
    for one in test.iter("group"):
        groups.setdefault(version_of(one), set()).add(int(one.attrib["id"], 16))
    for one in test.iter("connection-signature-algorithm"):
        signatures.setdefault(version_of(one), set()).add(one.attrib["name"])
    key = test.find("certificates/certificate/pk")
    assert key is not None, done.stdout
    return Scan(
        [
            f"{one.attrib['type'].upper()}v{one.attrib['version']}".removesuffix(".0")
            for one in test.iter("protocol")
            if one.attrib["enabled"] == "1"
        ],
        suites,
        groups,
        signatures,
        {int(one.attrib["dhebits"]) for one in test.iter("cipher") if "dhebits" in one.attrib},
        [
            one.attrib["sslversion"]
            for one in test.iter("heartbleed")
            if one.get("vulnerable") != "0"
        ],
        any(one.get("supported") != "0" for one in test.iter("compression")),
        int(key.attrib["bits"]),
    )


def version_of(element: ElementTree.Element) -> str:
    name = element.attrib["sslversion"]
    return NAMES.get(name, name)


def promised_suites(row: Row, key: str) -> dict[str, list[int]]:
    """What a server with a key of this kind can serve, in the profile's order."""
    promised: dict[str, list[int]] = {}
    for version in row.versions:
        for suite in row.usable:
            name = SUITES(suite).name
            if (suite >> 8 == 0x13) != (version == "TLSv1.3"):
                continue
            if suite >> 8 != 0x13 and ("Ecdsa" in name) != (key == "EC"):
                continue
            if version in OLD_VERSIONS and not name.startswith("Rsa"):
                continue  # AEAD is younger than they are
            promised.setdefault(version, []).append(suite)
    return promised


def promised_signatures(profile: DicomTlsProfile, version: str, key: str) -> set[str]:
    """Names as ``sslscan`` has them, of those that this kind of key can make."""
    names = set()
    for one in profile.signature_algorithms:
        if one.startswith("RSA+") and key == "RSA" and version == "TLSv1.2":
            names.add("rsa_pkcs1_" + one.removeprefix("RSA+").lower())
        elif one.startswith("rsa_pss_rsae_") and key == "RSA":
            names.add(one)
        elif one == "ECDSA+SHA256" and key == "EC" and version == "TLSv1.3":
            names.add("ecdsa_secp256r1_sha256")
    return names


@with_each_key
@with_each_possible
def test_sslscan_sees_what_the_profile_promises(nets: Nets, pkis: Pkis, row: Row, key: str) -> None:
    promised = promised_suites(row, key)
    if not promised:
        assert key == "EC"
        assert not any("Ecdsa" in SUITES(suite).name for suite in row.usable)
        return
    (profile,) = (one for one in DicomTlsProfile.all() if one.name == row.name)
    rules = Rules(identity=pkis[key].server, flags=NO_CHECK)
    seen = scanned(listener_by(nets, row.name, rules).HostPort)
    assert seen.versions == [version for version in row.versions if version in promised]
    assert seen.suites == promised  # and in this order, which is the server's
    if "TLSv1.3" in promised:
        assert seen.groups["TLSv1.3"] == {GROUPS[one] for one in profile.groups}
        assert seen.signatures["TLSv1.3"] == promised_signatures(profile, "TLSv1.3", key)
    if key == "RSA" and any(SUITES(one).name.startswith("Ecdhe") for one in row.usable):
        curves = {GROUPS[one] for one in profile.groups if not one.startswith("ffdhe")}
        assert seen.groups["TLSv1.2"] == curves
    if seen.dh_bits:  # sslscan asks by DHE
        assert seen.signatures["TLSv1.2"] == promised_signatures(profile, "TLSv1.2", key)
    assert seen.dh_bits <= {2048}
    dhe = any(SUITES(one).name.startswith("DheRsa") for one in row.usable)
    assert bool(seen.dh_bits) == (dhe and key == "RSA")
    assert seen.heartbleed == []
    assert not seen.compression
    assert seen.key_bits >= (128 if key == "EC" else 2048)  # of EC it gives the strength


@pytest.mark.parametrize("name", ["B.12", "B.13"])
def test_sslscan_sees_the_same_where_a_certificate_is_asked_for(
    nets: Nets, rsa_pki: TestPki, name: str
) -> None:
    # Asked for, not demanded: sslscan counts finished handshakes, and has no certificate in them.
    seen = scanned(listener_by(nets, name, rules_for(rsa_pki, "server", flags=PEER)).HostPort)
    assert seen.suites == promised_suites(BY_NAME[name], "RSA")
    assert seen.versions == BY_NAME[name].versions


def test_sslscan_sees_what_no_profile_allows_when_it_is_there(nets: Nets, rsa_pki: TestPki) -> None:
    # So that the tests above can fail: the order of the default list is the client's.
    rules = Rules(identity=rsa_pki.server, flags=NO_CHECK)
    seen = scanned(listener_by(nets, None, rules).HostPort)
    assert seen.suites["TLSv1.3"][0] == SUITES.Aes128GcmSha256
    assert all(seen.suites != promised_suites(row, "RSA") for row in TABLE)


# ---- testssl

GOOD = ("OK", "INFO")
BAD = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
OF_A_TEST_PKI = {
    "cert_revocation",  # no CRL and no OCSP address in the certificate
    "DNS_CAArecord",
}
NOT_ABOUT_US = {
    "engine_problem",  # of the scanner's own openssl
    "service",  # "skipping all HTTP checks"
    "sessionresumption_ticket",  # it does not wait for the ticket, and has none to try then
    "RC4",  # with --fast it asks its own openssl, which has none; sslscan offers it, too
}
PREVENTED = "client x509-based authentication prevents this from being tested"
VULNERABILITIES = {
    *("heartbleed", "CCS", "ROBOT", "secure_renego", "secure_client_renego", "CRIME_TLS"),
    *("POODLE_SSL", "fallback_SCSV", "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13"),
}
CURVES = ["prime256v1", "secp384r1", "secp521r1", "X25519"]
QUICK_SECTIONS = ("-p", "-f", "-P", "-S", "-U")  # -s counts by strength what -f lists by name
SECTIONS = ("-p", "-s", "-f", "-P", "-S", "-U")


class Finding(NamedTuple):
    """One line of ``testssl``."""

    severity: str
    name: str
    text: str


def inspected(port: int, ca_file: str, folder: Path, *options: str) -> list[Finding]:
    """Let ``testssl`` look at a listener; no network and no name service but the listener."""
    report = folder / "testssl.json"
    command = ["testssl", "--quiet", "--color", "0", "--warnings", "off", "-n", "none"]
    done = subprocess.run(
        [*command, "--add-ca", ca_file, "--jsonfile", str(report), *options, f"127.0.0.1:{port}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=CLEAN,
        cwd=folder,
        timeout=20 * PATIENCE,
        check=False,  # it ends with the number of its warnings
    )
    assert report.exists(), done.stdout + done.stderr
    return [
        Finding(one["severity"], one["id"], one["finding"])
        for one in json.loads(report.read_text())
    ]


def check_findings(findings: Sequence[Finding], row: Row, key: str) -> None:
    """Hold what ``testssl`` said against the table."""
    excluded = OF_A_TEST_PKI | NOT_ABOUT_US
    prevented = {one.name for one in findings if PREVENTED in one.text}
    assert [
        one for one in findings if one.severity not in GOOD and one.name not in excluded | prevented
    ] == []
    by_name = {one.name: one for one in findings}
    for version, name in (("TLSv1", "TLS1"), ("TLSv1.1", "TLS1_1"), ("TLSv1.2", "TLS1_2")):
        assert by_name[name].text.startswith("offered") == (version in row.versions), by_name[name]
    assert by_name["TLS1_3"].text.startswith("offered with final")
    assert {by_name[name].severity for name in VULNERABILITIES - prevented} == {"OK"}
    assert by_name["cipher_order"].text == "server"
    promised = [one for suites in promised_suites(row, key).values() for one in suites]
    (offered,) = (one for one in findings if re.fullmatch("P?FS_ciphers", one.name))
    assert sorted(offered.text.split()) == sorted(openssl_name(one) for one in promised)
    (curves,) = (one for one in findings if re.fullmatch("P?FS_ECDHE_curves", one.name))
    assert curves.text.split() == CURVES


def openssl_name(suite: int) -> str:
    return str(DicomTlsCipherSuiteType(suite).openssl_name)


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("name", "key", "flags"), [("B.12", "EC", NO_CHECK), ("B.13", "RSA", MUTUAL)]
)
def test_testssl_finds_nothing_in_a_profile_in_force(
    nets: Nets, pkis: Pkis, tmp_path: Path, name: str, key: str, flags: Any
) -> None:
    rules = rules_for(pkis[key], "server", flags=flags)
    port = listener_by(nets, name, rules).HostPort
    findings = inspected(port, pkis[key].ca_file, tmp_path, "--fast", *QUICK_SECTIONS)
    check_findings(findings, BY_NAME[name], key)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("flags", [NO_CHECK, MUTUAL], ids=["none", "mutual"])
@with_each_key
@pytest.mark.parametrize("name", ["B.12", "B.13", "ihe_stx12"])
def test_testssl_finds_nothing_when_it_takes_its_time(
    nets: Nets, pkis: Pkis, tmp_path: Path, name: str, key: str, flags: Any
) -> None:
    rules = rules_for(pkis[key], "server", flags=flags)
    port = listener_by(nets, name, rules).HostPort
    findings = inspected(port, pkis[key].ca_file, tmp_path, *SECTIONS)
    check_findings(findings, BY_NAME[name], key)
    (groups,) = (one.text for one in findings if one.name == "DH_groups")
    assert groups.split() == ["ffdhe2048", "ffdhe3072"]


@pytest.mark.soak
@pytest.mark.timeout(420)
def test_testssl_complains_of_a_retired_profile(
    nets: Nets, rsa_pki: TestPki, tmp_path: Path
) -> None:
    port = listener_by(nets, "aes", rules_for(rsa_pki, "server", flags=NO_CHECK)).HostPort
    findings = inspected(port, rsa_pki.ca_file, tmp_path, "-p")
    assert {one.name for one in findings if one.severity in BAD} >= {"TLS1", "TLS1_1"}
