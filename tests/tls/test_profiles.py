"""Named TLS profiles, against the ``openssl`` program, DCMTK and ourselves, good and bad."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomTlsCipherSuiteType, DicomTlsProfile
from leadtools_compat.testing import TestPki
from tests.support import NO_CHECK, Listener, refused
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
from tests.tls.profiles import (
    BY_NAME,
    NOTHING_SHARED,
    POSSIBLE,
    TABLE,
    TRIPLE_DES,
    Row,
    applied,
    checked,
    dialled,
    dialling,
    linked,
    listed,
    with_each_possible,
    with_each_profile,
)
from tests.tls.tls_tools import (
    CODES,
    METHODS,
    OPTIONS,
    SUITES,
    VERSIONS,
    LibraryLog,
    Rules,
    rules_for,
    set_suites,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/tls.md"


@pytest.fixture
def net(nets: Callable[[Any], Any], pki: TestPki) -> Any:
    """A client that is not connected."""
    return nets(rules_for(pki, "client").net())


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
    sessions = "on request" if profile.resumption else "never"
    retired = "yes" if profile.retired else "no"
    return (profile.title, retired, versions, " ".join(suites), keys, sessions)


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
    # Newer releases of OpenSSL find a tag of 8 bytes too short for level 2.
    short = "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8" in available_suites(2)
    asked = SUITES.EcdheEcdsaWithAes128Ccm8 if short else SUITES.EcdheEcdsaWithAes256Ccm
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


def picked(port: int, suites: list[DicomTlsCipherSuiteType], *version: str) -> list[int]:
    """Let ``s_client`` offer all suites, then all but what was picked, until nothing is picked."""
    left = {suite.openssl_name: suite for suite in suites if suite.iana_name in OFFERED}
    level = ":@SECLEVEL=0" if "-cipher" in version else ""
    found = []
    while left:
        name = cipher_of(openssl_client(port, *version, ":".join(left) + level))
        if name == "(NONE)":
            break
        found.append(int(left.pop(name)))
    return found


@with_each_possible
def test_server_takes_exactly_the_suites_of_its_profile_in_its_order(
    nets: Callable[[Any], Any], rsa_pki: TestPki, pki: TestPki, row: Row
) -> None:
    seen: list[Any] = []

    def look(net: Any, error: Any) -> None:
        if error == CODES.Success:
            seen.append((int(net.GetTlsCipherSuite()), checked(net, row.name)))

    every = list(DicomTlsCipherSuiteType)
    modern = [suite for suite in every if suite >> 8 == 0x13]
    ecdsa = [suite for suite in every if "Ecdsa" in suite.name]
    rsa = [suite for suite in every if suite not in modern and suite not in ecdsa]
    older = ("-no_tls1_3", "-cipher")
    for identity, groups in (
        (rsa_pki.server, ((modern, ("-tls1_3", "-ciphersuites")), (rsa, older))),
        (pki.server, ((ecdsa, older),)),
    ):
        rules = Rules(identity=identity, flags=NO_CHECK)

        def child(rules: Rules = rules) -> Any:
            return nets(applied(rules.net(OnSecureLinkReady=look), row.name))

        listener = nets(Listener(child))
        listener.Listen("127.0.0.1", 0, 16)
        for suites, version in groups:
            taken = picked(listener.HostPort, suites, *version)
            assert taken == [suite for suite in row.usable if suite in suites]
        for child_net in listener.children:
            child_net.log.wait("OnSecureLinkReady")
    assert all(check.satisfied for _, check in seen), seen
    assert {suite for suite, _ in seen} == set(row.usable)


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
