"""Named TLS profiles, against the ``openssl`` program, DCMTK and ourselves, good and bad.

`TABLE` is api.md 4.8, written down again, so that a wrong row in the library cannot hide.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from leadtools_compat.dicom import DicomTlsCipherSuiteType, DicomTlsProfile
from leadtools_compat.testing import TestPki
from leadtools_compat.testing.files import pem
from tests.interop.programs import ENVIRONMENT, free_port, served
from tests.support import NO_CHECK, PATIENCE, Listener, refused
from tests.tls.conftest import Meet
from tests.tls.peers import (
    ALL_SUITES,
    VERSION_OPTIONS,
    available_suites,
    cipher_of,
    openssl_client,
    openssl_server,
    own,
)
from tests.tls.tools import (
    CODES,
    METHODS,
    OPTIONS,
    PEM,
    SUITES,
    VERSIONS,
    LibraryLog,
    Rules,
    calls_of,
    rules_for,
    set_suites,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/tls.md"


class Row(NamedTuple):
    """One line of the table; suites in hex, ``?``: if OpenSSL has it, ``*``: on request only."""

    name: str
    lowest: str
    highest: str
    suites: str
    retired: bool = True
    minima: tuple[int, int, int, int] = (2048, 256, 2048, 256)

    def numbers(self, without: str = "") -> list[int]:
        return [
            int(one.strip("?*"), 16)
            for one in self.suites.split()
            if one[-1] not in (without or " ")
        ]

    @property
    def usable(self) -> list[int]:
        return [one for one in self.numbers("*") if SUITES(one).is_available]

    @property
    def versions(self) -> list[str]:
        names = list(VERSION_OPTIONS)
        return names[names.index(self.lowest) : names.index(self.highest) + 1]


TABLE = [
    Row("B.12", "TLSv1.2", "TLSv1.3", "1302 1301 1303 C02C C030 C02B C02F", False),
    Row(
        *("B.13", "TLSv1.2", "TLSv1.3"),
        "1302 1303 1301 1304 1305* C02C C030 C0AD C0AF* CCA9 CCA8 C02B C02F C0AC C0AE*",
        False,
    ),
    Row("ihe_stx12", "TLSv1.2", "TLSv1.3", "1302 1301 1303 C030 C02F 009F 009E", False),
    Row("bcp195", "TLSv1", "TLSv1.2", "C02F 009E C030 009F 002F 000A?"),
    Row("bcp195_nd", "TLSv1.2", "TLSv1.3", "C02F 009E C030 009F 1302 1301 1303"),
    Row("bcp195_extended", "TLSv1.2", "TLSv1.2", "C02F 009E C030 009F C02C C02B"),
    Row("aes", "TLSv1", "TLSv1.2", "002F 000A?", minima=(0, 0, 0, 0)),
    Row("basic", "TLSv1", "TLSv1.2", "000A", minima=(0, 0, 0, 0)),
]
TRIPLE_DES = SUITES.RsaWith3DesEdeCbcSha.is_available
POSSIBLE = [row for row in TABLE if row.name != "basic" or TRIPLE_DES]
NOTHING_SHARED = (CODES.TlsNoSharedVersion, CODES.TlsNoSharedCipherSuite)
BY_NAME = {row.name: row for row in TABLE}

with_each_profile = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
with_each_possible = pytest.mark.parametrize("row", POSSIBLE, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def rsa_pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """A PKI with RSA keys, which most of the retired profiles need."""
    return TestPki(tmp_path_factory.mktemp("rsa"), seed="profiles", key="rsa")


@pytest.fixture
def net(nets: Callable[[Any], Any], pki: TestPki) -> Any:
    """A client that is not connected."""
    return nets(rules_for(pki, "client").net())


def applied(net: Any, name: str | None) -> Any:
    net.apply_tls_profile(name)
    return net


def dialled(net: Any, port: int) -> Any:
    """Connect, and wait until the link is there or has failed."""
    net.Connect(None, 0, "127.0.0.1", port)
    net.log.wait("OnSecureLinkReady")
    return net


@contextmanager
def dialling(rules: Rules, name: str | None, port: int, *suites: int) -> Iterator[Any]:
    """Connect by a profile, and be gone at the end: ``s_server`` takes one after the other."""
    with rules.net() as net:
        net.apply_tls_profile(name)
        if suites:
            set_suites(net, suites)
        yield dialled(net, port)


def linked(net: Any) -> bool:
    return bool(net.log.wait("OnSecureLinkReady").code == CODES.Success)


def listed(net: Any) -> list[int]:
    return [int(suite) for i in range(64) if (suite := net.GetTlsCipherSuiteByIndex(i))]


def checked(net: Any, name: str) -> Any:
    return next(one for one in net.check_tls_profiles() if one.name == name)


# ---- the table


def test_table_is_that_of_the_contract() -> None:
    assert [one.name for one in DicomTlsProfile.all()] == [row.name for row in TABLE]


@with_each_profile
def test_profile_has_the_row_of_the_contract(row: Row) -> None:
    (profile,) = (one for one in DicomTlsProfile.all() if one.name == row.name)
    assert profile.retired == row.retired
    assert profile.versions == tuple(row.versions)
    assert list(profile.suites) == row.numbers("*")
    required = [one for one in profile.suites if one not in profile.optional_suites]
    assert required == [one for one in row.numbers("?") if one in profile.suites]
    assert sorted([*profile.suites, *profile.suites_on_request]) == sorted(row.numbers())
    assert row.minima == (*(profile.rsa_bits, profile.ec_bits, profile.dh_bits, profile.hash_bits),)
    assert profile.is_possible == (row in POSSIBLE)
    assert row.name in str(profile)


def test_document_shows_the_table() -> None:
    names = "|".join(map(re.escape, BY_NAME))
    shown = re.findall(rf"^\| `({names})` \| (.*) \|$", DOCUMENT.read_text(), re.M)
    assert shown == [(one.name, " | ".join(cells(one))) for one in DicomTlsProfile.all()]


def cells(profile: DicomTlsProfile) -> tuple[str, ...]:
    suites = [
        f"{int(one):04X}" + ("?" if one in profile.optional_suites else "")
        for one in profile.suites
    ]
    if profile.suites_on_request:
        asked = " ".join(f"{int(one):04X}" for one in profile.suites_on_request)
        suites.append(f"(on request: {asked})")
    versions = ", ".join(one.removeprefix("TLSv") for one in profile.versions)
    minima = (profile.rsa_bits, profile.ec_bits, profile.dh_bits, profile.hash_bits)
    keys = "RSA {}, EC {}, DHE {}, SHA-{}".format(*minima) if any(minima) else "none"
    return (profile.title, "yes" if profile.retired else "no", versions, " ".join(suites), keys)


# ---- applying


@with_each_possible
def test_applying_sets_the_list_in_order_and_warns_of_retired_ones(
    net: Any, library_log: LibraryLog, row: Row
) -> None:
    applied(net, row.name)
    assert listed(net) == row.usable
    assert bool(library_log.about_settings("retired")) == row.retired


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        *(("b12", "B.12"), ("B13", "B.13"), ("IHE_STX12", "ihe_stx12"), ("BCP195", "bcp195")),
        *(("ND_BCP195", "bcp195_nd"), ("extended-bcp195", "bcp195_extended"), ("B.3", "aes")),
    ],
)
def test_name_is_taken_in_any_spelling(net: Any, spelling: str, name: str) -> None:
    assert listed(applied(net, spelling)) == BY_NAME[name].usable


@pytest.mark.parametrize("name", ["B.14", "b", "tls", "B.12 or so", "-", "x" * 5000])
def test_unknown_name_is_refused_with_the_known_ones(net: Any, name: str) -> None:
    before = listed(net)
    with refused(CODES.Parameter, *BY_NAME):
        net.apply_tls_profile(name)
    assert listed(net) == before


def test_profile_that_openssl_cannot_do_is_refused_with_what_is_missing(net: Any) -> None:
    before = listed(net)
    if TRIPLE_DES:
        assert listed(applied(net, "basic")) == [SUITES.RsaWith3DesEdeCbcSha]
        return
    words = ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "built without", "OpenSSL")
    with refused(CODES.TlsProfile, *words):
        net.apply_tls_profile("basic")
    assert listed(net) == before
    (basic,) = (one for one in DicomTlsProfile.all() if one.name == "basic")
    assert all(word in basic.missing for word in words)


def test_none_takes_the_profile_off(net: Any) -> None:
    before = listed(net)
    assert listed(applied(applied(net, "B.13"), None)) == before


def test_profile_cannot_change_while_connected(meet: Meet, pki: TestPki) -> None:
    meeting = meet(rules_for(pki, "server"), rules_for(pki, "client"))
    with refused(CODES.InvalidState):
        meeting.client.apply_tls_profile("B.12")


def test_nothing_to_judge_without_a_link(net: Any) -> None:
    with refused(CODES.InvalidState, "OnSecureLinkReady"):
        net.check_tls_profiles()


def test_initialize_keeps_the_profile(net: Any, pki: TestPki) -> None:
    applied(net, "ihe_stx12")
    rules_for(pki, "client", method=METHODS.TlsV1).apply(net)
    set_suites(net, [SUITES.RsaWithAes128CbcSha])
    with refused(CODES.TlsProfile, "TLS_RSA_WITH_AES_128_CBC_SHA", "ihe_stx12"):
        net.Connect(None, 0, "127.0.0.1", 9)


def test_list_may_be_narrowed_and_filled_up_within_the_profile(meet: Meet, pki: TestPki) -> None:
    asked = SUITES.EcdheEcdsaWithAes128Ccm8
    with openssl_server(*own(pki.server), *ALL_SUITES) as server:
        rules = rules_for(pki, "client")
        with rules.net() as client:
            applied(client, "B.13")
            set_suites(client, [asked])
            assert linked(dialled(client, server.port)), client.failure
            assert client.GetTlsCipherSuite() == asked
            assert checked(client, "B.13").satisfied


# ---- against the openssl program


@pytest.mark.parametrize("version", VERSION_OPTIONS)
@with_each_possible
def test_client_talks_the_versions_of_its_profile(
    nets: Callable[[Any], Any], rsa_pki: TestPki, row: Row, version: str
) -> None:
    options = (*own(rsa_pki.server), VERSION_OPTIONS[version], *ALL_SUITES)
    # The method has no say: it would allow neither 1.0 nor, in its own list, these suites.
    client = nets(rules_for(rsa_pki, "client").net())
    with openssl_server(*options) as server:
        dialled(applied(client, row.name), server.port)
        can = version in row.versions and any(
            SUITES(one).name.startswith("Rsa") or version not in ("TLSv1", "TLSv1.1")
            for one in row.usable
        )
        assert linked(client) == can, client.failure
        if can:
            assert client.tls_version == version
            assert int(client.GetTlsCipherSuite()) in row.usable
            assert checked(client, row.name) == (row.name, True, (), row.retired)
        else:
            # A server of 1.0 or 1.1 may look at the suites first.
            assert client.failure.code in NOTHING_SHARED, client.failure


@with_each_possible
def test_server_takes_exactly_the_suites_of_its_profile(
    nets: Callable[[Any], Any], rsa_pki: TestPki, pki: TestPki, row: Row
) -> None:
    seen: list[Any] = []

    def look(net: Any, error: Any) -> None:
        if error == CODES.Success:
            seen.append((int(net.GetTlsCipherSuite()), checked(net, row.name)))

    ecdsa = {suite for suite in DicomTlsCipherSuiteType if "Ecdsa" in suite.name}
    taken = set()
    for identity, those in ((rsa_pki.server, False), (pki.server, True)):
        rules = Rules(identity=identity, flags=NO_CHECK)

        def child(rules: Rules = rules) -> Any:
            return nets(applied(rules.net(OnSecureLinkReady=look), row.name))

        listener = nets(Listener(child))
        listener.Listen("127.0.0.1", 0, 16)
        for suite in DicomTlsCipherSuiteType:
            if suite.iana_name not in OFFERED or (suite in ecdsa) != those:
                continue
            if suite >> 8 == 0x13:
                choice = ("-tls1_3", "-ciphersuites", suite.openssl_name)
            else:
                choice = ("-no_tls1_3", "-cipher", f"{suite.openssl_name}:@SECLEVEL=0")
            if cipher_of(openssl_client(listener.HostPort, *choice)) != "(NONE)":
                taken.add(int(suite))
    assert sorted(taken) == sorted(row.usable)
    for child_net in listener.children:
        child_net.log.wait("OnSecureLinkReady")
    assert all(check.satisfied for _, check in seen), seen
    assert taken == {suite for suite, _ in seen}


OFFERED = available_suites()


@pytest.mark.parametrize(
    ("group", "taken"),
    [
        *(("X25519", True), ("P-256", True), ("P-521", True)),
        *(("P-224", False), ("brainpoolP256r1", False), ("X448", False)),
    ],
)
def test_server_takes_the_groups_of_its_profile(
    nets: Callable[[Any], Any], rsa_pki: TestPki, group: str, taken: bool
) -> None:
    rules = rules_for(rsa_pki, "server", flags=NO_CHECK)
    listener = nets(Listener(lambda: nets(applied(rules.net(), "B.12"))))
    listener.Listen("127.0.0.1", 0, 16)
    choice = ("-tls1_2", "-groups", group, "-cipher", "ALL:@SECLEVEL=0")
    printed = openssl_client(listener.HostPort, *choice)
    assert (cipher_of(printed) != "(NONE)") == taken, printed
    assert linked(listener.child()) == taken


# ---- settings beside a profile


def test_option_that_switches_a_version_off_wins(
    nets: Callable[[Any], Any], pki: TestPki, meet: Meet
) -> None:
    rules = rules_for(pki, "client", options=OPTIONS.NoTlsV1_3)
    with openssl_server(*own(pki.server), *ALL_SUITES) as server:
        client = dialled(applied(nets(rules.net()), "B.12"), server.port)
        assert linked(client)
        assert client.tls_version == "TLSv1.2"


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_method_for_one_version_narrows_the_profile(pki: TestPki, version: str) -> None:
    rules = rules_for(pki, "client", method=VERSIONS[version])
    with (
        openssl_server(*own(pki.server), *ALL_SUITES) as server,
        dialling(rules, "B.12", server.port) as client,
    ):
        assert client.tls_version == version


def test_method_for_a_version_that_the_profile_lacks_leaves_nothing(
    nets: Callable[[Any], Any], pki: TestPki
) -> None:
    client = nets(rules_for(pki, "client", method=METHODS.TlsV1_3).net())
    with refused(CODES.TlsNoSharedVersion, "bcp195_extended"):
        applied(client, "bcp195_extended").Connect(None, 0, "127.0.0.1", 9)


def test_old_versions_that_method_or_options_allow_do_not_come_into_a_profile(
    nets: Callable[[Any], Any], pki: TestPki, library_log: LibraryLog
) -> None:
    with openssl_server(*own(pki.server), "-tls1_1", *ALL_SUITES) as server:
        rules = rules_for(
            pki, "client", method=METHODS.TlsV1, options=OPTIONS.AllowTlsV1 | OPTIONS.AllowTlsV1_1
        )
        client = dialled(applied(nets(rules.net()), "B.12"), server.port)
        assert client.failure.code == CODES.TlsNoSharedVersion
    assert library_log.about_settings("level is 0") == []


def test_suite_outside_of_the_profile_is_refused(nets: Callable[[Any], Any], pki: TestPki) -> None:
    client = applied(nets(rules_for(pki, "client").net()), "B.12")
    client.SetTlsCipherSuiteByIndex(7, SUITES.EcdheEcdsaWithChacha20Poly1305Sha256)
    with refused(CODES.TlsProfile, "CHACHA20", "B.12"):
        client.Connect(None, 0, "127.0.0.1", 9)


def test_profiles_do_not_share_a_context(rsa_pki: TestPki) -> None:
    rules = rules_for(rsa_pki, "client")
    suite = SUITES.EcdheRsaWithAes256GcmSha384
    offers = "-tls1_2", "-sigalgs", "RSA+SHA1"
    with openssl_server(*own(rsa_pki.server), *offers, *ALL_SUITES) as server:
        # The same settings, certificate and list: one takes SHA-1, being of level 0.
        for name, good in (("B.12", False), ("bcp195_extended", False), (None, False)):
            with dialling(rules, name, server.port, suite) as client:
                assert linked(client) == good
    rules = rules_for(rsa_pki, "client", suites=[SUITES.RsaWithAes128CbcSha])
    with openssl_server(*own(rsa_pki.server), "-tls1_1", *ALL_SUITES) as server:
        for name, good in ((None, False), ("aes", True), (None, False), ("bcp195", True)):
            with dialling(rules, name, server.port, SUITES.RsaWithAes128CbcSha) as client:
                assert linked(client) == good, name


# ---- keys, hashes, signatures


class Chain(NamedTuple):
    """A root and a leaf for 127.0.0.1; files in PEM."""

    root: str
    leaf: str


def chain(
    folder: Path, root_curve: ec.EllipticCurve, leaf_curve: ec.EllipticCurve, digest: Any
) -> Chain:
    """Issue a leaf of one curve by a root of another."""
    keys = {
        "root": ec.generate_private_key(root_curve),
        "leaf": ec.generate_private_key(leaf_curve),
    }
    now = datetime.now(timezone.utc)
    files = {}
    for name, key in keys.items():
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
        certificate = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(name == "root", None), True)
            .sign(keys["root"], digest)
        )
        text = certificate.public_bytes(Encoding.PEM)
        if name == "leaf":
            text += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files[name] = folder / f"{name}.pem"
        files[name].write_bytes(text)
    return Chain(str(files["root"]), str(files["leaf"]))


WEAK_CHAINS = {
    "root P-224": (ec.SECP224R1(), ec.SECP256R1(), hashes.SHA256(), "CaKeyTooSmall"),
    "SHA-224": (ec.SECP256R1(), ec.SECP256R1(), hashes.SHA224(), "CaMdTooWeak"),
}


@pytest.mark.parametrize("name", WEAK_CHAINS)
def test_chain_that_is_too_weak_for_the_profile_is_a_complaint(
    nets: Callable[[Any], Any], tmp_path: Path, name: str
) -> None:
    root_curve, leaf_curve, digest, code = WEAK_CHAINS[name]
    files = chain(tmp_path, root_curve, leaf_curve, digest)
    rules = Rules(ca=files.root)
    options = ("-cert", files.leaf, "-key", files.leaf, *ALL_SUITES)
    with openssl_server(*options) as server:
        with dialling(rules, None, server.port) as plain:
            assert linked(plain), plain.failure  # level 2 finds no fault
            assert [call.ok for call in calls_of(plain)] == [1, 1]
            assert checked(plain, "B.12").satisfied == (name == "root P-224")  # it is not sent
        client = dialled(applied(nets(rules.net()), "B.12"), server.port)
        assert not linked(client)
        assert client.failure.code == CODES.TlsCertificateRejected
        assert str(client.failure.certificate_code) == code
        assert [(call.ok, call.code) for call in calls_of(client)] == [(0, code)]


def test_complaint_of_the_profile_can_be_overruled_and_comes_before_the_successes(
    nets: Callable[[Any], Any], tmp_path: Path
) -> None:
    files = chain(tmp_path, ec.SECP224R1(), ec.SECP256R1(), hashes.SHA224())
    rules = Rules(ca=files.root, hooks={"OnVerify": lambda net, ok, text, error: 1})
    options = ("-cert", files.leaf, "-key", files.leaf, *ALL_SUITES)
    with openssl_server(*options) as server:
        client = dialled(applied(nets(rules.net()), "B.12"), server.port)
        assert linked(client), client.failure
        assert [(call.ok, call.code, call.subject[-4:]) for call in calls_of(client)] == [
            *((0, "CaMdTooWeak", "leaf"), (0, "CaKeyTooSmall", "root")),
            *((1, "Success", "root"), (1, "Success", "leaf")),
        ]
        assert not client.tls_verified
        reasons = checked(client, "B.12").reasons
        assert any("certificate" in one and "SHA-256" in one for one in reasons)


def test_own_certificate_that_is_too_weak_is_refused(
    nets: Callable[[Any], Any], pki: TestPki, tmp_path: Path
) -> None:
    files = chain(tmp_path, ec.SECP256R1(), ec.SECP224R1(), hashes.SHA256())
    client = nets(rules_for(pki, "client").net())
    client.SetTlsClientCertificate(files.leaf, PEM, None)
    with refused(CODES.TlsWeakKey, "224 bits", "256", "B.12"):
        applied(client, "B.12").Connect(None, 0, "127.0.0.1", 9)


# ---- judging


def test_each_reason_names_what_is_wrong(nets: Callable[[Any], Any], pki: TestPki) -> None:
    rules = rules_for(pki, "client", suites=[SUITES.EcdheEcdsaWithChacha20Poly1305Sha256])
    with openssl_server(*own(pki.server), *ALL_SUITES) as server:
        client = dialled(nets(rules.net()), server.port)
        checks = {one.name: one for one in client.check_tls_profiles()}
    assert list(checks) == list(BY_NAME)
    assert checks["B.13"].satisfied
    (reason,) = checks["B.12"].reasons
    assert "cipher suite" in reason
    assert "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" in reason
    assert {one.name for one in checks.values() if one.satisfied} == {"B.13"}
    assert str(checks["B.13"]) == "B.13: satisfied"
    assert "cipher suite" in str(checks["B.12"])


def test_version_is_a_reason_on_both_sides(meet: Meet, pki: TestPki) -> None:
    meeting = meet(rules_for(pki, "server"), rules_for(pki, "client"))
    for net in (meeting.client, meeting.child):
        assert net.tls_version == "TLSv1.3"
        assert checked(net, "B.12").satisfied
        assert any("version: TLSv1.3" in one for one in checked(net, "bcp195_extended").reasons)


# The second Oakley group, RFC 2409 section 6.2.
OAKLEY_2 = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF"
)


@pytest.fixture
def small_prime(tmp_path: Path) -> str:
    """Write parameters of Diffie-Hellman with 1024 bits."""
    file = tmp_path / "dh.pem"
    # PKCS #3: a sequence of the prime, here with a zero before it, and the generator.
    der = bytes.fromhex(f"308187 02818100 {OAKLEY_2} 020102")
    file.write_bytes(pem("DH PARAMETERS", der))
    return str(file)


def test_small_prime_of_the_peer_is_a_reason_and_no_link_with_the_profile(
    nets: Callable[[Any], Any], rsa_pki: TestPki, small_prime: str
) -> None:
    suite = SUITES.DheRsaWithAes128GcmSha256
    options = (*own(rsa_pki.server), "-tls1_2", "-dhparam", small_prime)
    rules = rules_for(rsa_pki, "client", method=METHODS.TlsV1)
    with openssl_server(*options, *ALL_SUITES) as server:
        with dialling(rules, None, server.port, suite) as loose:
            assert linked(loose), loose.failure
            reasons = checked(loose, "bcp195").reasons
            assert any("DHE with 1024 bits" in one for one in reasons), reasons
        for name in ("bcp195", "ihe_stx12"):
            with dialling(rules, name, server.port, suite) as client:
                assert not linked(client), name


def test_weak_signature_of_the_peer_is_a_reason_and_no_link_with_the_profile(
    nets: Callable[[Any], Any], rsa_pki: TestPki
) -> None:
    options = (*own(rsa_pki.server), "-tls1_2", "-sigalgs", "RSA+SHA1")
    suite = SUITES.EcdheRsaWithAes128GcmSha256
    rules = rules_for(rsa_pki, "client", method=METHODS.TlsV1)
    with openssl_server(*options, *ALL_SUITES) as server:
        with dialling(rules, None, server.port, suite) as loose:
            assert linked(loose), loose.failure
            (reason,) = checked(loose, "B.12").reasons
            assert "signature algorithm" in reason
            assert "SHA1" in reason
        for name in ("B.12", "bcp195"):
            with dialling(rules, name, server.port, suite) as client:
                assert not linked(client), name


# ---- DCMTK

DCMTK = {"+py": "bcp195_nd", "+px": "bcp195", "+pz": "bcp195_extended", "+pa": "aes"}
GOOD = [
    *DCMTK.items(),
    *[("+py", "B.12"), ("+pz", "B.12"), ("+px", "ihe_stx12"), ("+px", "aes")],
]
BAD = [("+pa", "B.12"), ("+pa", "bcp195_nd"), ("+pa", "B.13"), ("+pz", "aes")]
with_each_pair = pytest.mark.parametrize(
    ("option", "name", "good"),
    [*((*pair, True) for pair in GOOD), *((*pair, False) for pair in BAD)],
)


@with_each_pair
def test_our_client_and_storescp_link_when_their_profiles_meet(
    nets: Callable[[Any], Any], rsa_pki: TestPki, tmp_path: Path, option: str, name: str, good: bool
) -> None:
    port = free_port()
    identity = (rsa_pki.server.key_file, rsa_pki.server.combined_file)
    command = ["storescp", "+tls", *identity, "+cf", rsa_pki.ca_file, option, port]
    with served(command, tmp_path / "storescp.log", port):
        client = dialled(applied(nets(rules_for(rsa_pki, "client").net()), name), port)
        check_dcmtk(client, option, name, good)


@with_each_pair
def test_echoscu_and_our_server_link_when_their_profiles_meet(
    nets: Callable[[Any], Any], rsa_pki: TestPki, option: str, name: str, good: bool
) -> None:
    rules = rules_for(rsa_pki, "server")
    listener = nets(Listener(lambda: nets(applied(rules.net(), name))))
    listener.Listen("127.0.0.1", 0, 16)
    identity = (rsa_pki.client.key_file, rsa_pki.client.combined_file)
    command = ["echoscu", "+tls", *identity, "+cf", rsa_pki.ca_file, option]
    process = subprocess.Popen(
        [*command, "127.0.0.1", str(listener.HostPort)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    try:
        check_dcmtk(listener.child(), option, name, good)
    finally:
        process.kill()
        process.wait(PATIENCE)


def check_dcmtk(net: Any, option: str, name: str, good: bool) -> None:
    assert linked(net) == good, net.failure
    if good:
        assert checked(net, name).satisfied
    else:
        assert net.failure.code in NOTHING_SHARED
