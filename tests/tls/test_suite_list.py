"""The list of cipher suites: its rules, the versions it stands for, and what it does to links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import DicomException
from leadtools_compat.testing import TestPki
from tests.support import Listener, refused
from tests.tls.conftest import Meet
from tests.tls.suites import DEFAULT, TOO_WEAK
from tests.tls.tls_tools import (
    CODES,
    HANDSHAKE_FAILURE,
    SUITES,
    TLS,
    LibraryLog,
    calls_of,
    rules_for,
    set_suites,
)


@pytest.fixture
def net(nets: Callable[[Any], Any], pki: TestPki) -> Any:
    """A client that is not connected."""
    return nets(rules_for(pki, "client").net())


def listed(net: Any) -> list[int]:
    """Read the list up to its last entry."""
    entries = [int(net.GetTlsCipherSuiteByIndex(index)) for index in range(64)]
    while entries and entries[-1] == 0:
        entries.pop()
    return entries


def test_default_list_is_that_of_the_contract(net: Any) -> None:
    assert listed(net) == DEFAULT
    assert len(DEFAULT) == 11


def test_one_entry_is_replaced_and_the_others_stay(net: Any) -> None:
    net.SetTlsCipherSuiteByIndex(2, SUITES.RsaWithAes128CbcSha)
    assert listed(net) == [*DEFAULT[:2], SUITES.RsaWithAes128CbcSha, *DEFAULT[3:]]
    net.SetTlsCipherSuiteByIndex(63, SUITES.Aes128CcmSha256)
    assert net.GetTlsCipherSuiteByIndex(63) == SUITES.Aes128CcmSha256
    assert net.GetTlsCipherSuiteByIndex(11) == SUITES.None_


@pytest.mark.parametrize("none", [SUITES.None_, 0])
@pytest.mark.parametrize("index", [0, 1, 5, 10, 11, 63])
def test_none_clears_the_entry_and_all_after_it(net: Any, index: int, none: int) -> None:
    net.SetTlsCipherSuiteByIndex(20, SUITES.Aes128CcmSha256)
    net.SetTlsCipherSuiteByIndex(index, none)
    kept = DEFAULT[:index]
    assert listed(net) == ([*DEFAULT, *[0] * 9, 0x1304] if index == 63 else kept)


def test_initialize_keeps_the_list(net: Any, pki: TestPki) -> None:
    set_suites(net, [SUITES.Aes128GcmSha256])
    net.Initialize(None, TLS, rules_for(pki, "client").settings())
    assert listed(net) == [SUITES.Aes128GcmSha256]
    net.Initialize(None, TLS, None)
    assert listed(net) == [SUITES.Aes128GcmSha256]


@pytest.mark.parametrize("index", [64, 65, 1000, -1, 2**31, 2**64])
def test_index_out_of_range_is_a_wrong_parameter(net: Any, index: int) -> None:
    with refused(CODES.Parameter, "index"):
        net.SetTlsCipherSuiteByIndex(index, SUITES.Aes128GcmSha256)
    with refused(CODES.Parameter, "index"):
        net.SetTlsCipherSuiteByIndex(index, SUITES.None_)
    with refused(CODES.Parameter, "index"):
        net.GetTlsCipherSuiteByIndex(index)
    assert listed(net) == DEFAULT


def test_unknown_number_is_kept_and_skipped_with_a_warning(
    meet: Meet, pki: TestPki, library_log: LibraryLog
) -> None:
    suites = [0x1234, 0xFFFFFF, SUITES.Aes128GcmSha256]
    meeting = meet(rules_for(pki, "server"), rules_for(pki, "client", suites=suites))
    assert meeting.linked
    assert listed(meeting.client) == suites
    assert str(meeting.client.GetTlsCipherSuiteByIndex(0)) == "Value_0x1234"
    assert meeting.client.GetTlsCipherSuite() == SUITES.Aes128GcmSha256
    said = library_log.about_settings()
    for number in ("0x1234", "0xFFFFFF"):
        assert any(number in text and "skipped" in text for text in said)


@pytest.mark.parametrize("number", [-1, 2**32])
def test_number_that_is_no_suite_is_a_wrong_parameter(net: Any, number: int) -> None:
    with refused(CODES.Parameter, "cipherSuite"):
        net.SetTlsCipherSuiteByIndex(0, number)
    assert listed(net) == DEFAULT


def test_list_is_taken_literally_with_gaps_and_repetitions(meet: Meet, pki: TestPki) -> None:
    client = rules_for(
        pki,
        "client",
        suites=[
            SUITES.Chacha20Poly1305Sha256,
            SUITES.Aes128GcmSha256,
            SUITES.Chacha20Poly1305Sha256,
        ],
    )
    assert meet(rules_for(pki, "server"), client).client.GetTlsCipherSuite() == client.suites[0]  # type: ignore[index]


def test_gap_at_the_beginning_is_skipped(
    nets: Callable[[Any], Any], pki: TestPki, listen: Callable[..., Listener]
) -> None:
    client = nets(rules_for(pki, "client").net())
    client.SetTlsCipherSuiteByIndex(0, SUITES.None_)
    client.SetTlsCipherSuiteByIndex(7, SUITES.Chacha20Poly1305Sha256)
    assert client.GetTlsCipherSuiteByIndex(0) == SUITES.None_
    listener = listen(lambda: nets(rules_for(pki, "server").net()))
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert client.GetTlsCipherSuite() == SUITES.Chacha20Poly1305Sha256


TLS13 = [SUITES.Aes128GcmSha256, SUITES.Chacha20Poly1305Sha256, SUITES.Aes256GcmSha384]
TLS12 = [
    SUITES.EcdheEcdsaWithAes128GcmSha256,
    SUITES.EcdheEcdsaWithChacha20Poly1305Sha256,
    SUITES.EcdheEcdsaWithAes256GcmSha384,
]


@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize(
    ("suites", "version"), [(TLS13, "TLSv1.3"), (TLS12, "TLSv1.2"), ([*TLS12, *TLS13], "TLSv1.3")]
)
def test_list_decides_about_the_versions(
    meet: Meet, pki: TestPki, suites: list[int], version: str, side: str
) -> None:
    meeting = meet(
        rules_for(pki, "server", suites=suites if side == "server" else None),
        rules_for(pki, "client", suites=suites if side == "client" else None),
    )
    assert meeting.linked
    assert meeting.client.tls_version == version


@pytest.mark.parametrize("side", ["server", "client"])
def test_list_of_one_version_only_has_no_version_in_common_with_the_other(
    meet: Meet, pki: TestPki, side: str
) -> None:
    lists = {"server": TLS13, "client": TLS12}
    if side == "client":
        lists = {"server": TLS12, "client": TLS13}
    meeting = meet(
        rules_for(pki, "server", suites=lists["server"]),
        rules_for(pki, "client", suites=lists["client"]),
    )
    assert meeting.client.failure.code == CODES.TlsNoSharedVersion
    assert meeting.child.failure.code == CODES.TlsNoSharedVersion


@pytest.mark.parametrize("suites", [TLS13, TLS12], ids=["TLSv1.3", "TLSv1.2"])
@pytest.mark.parametrize("first", range(3))
def test_preference_of_the_client_counts(
    meet: Meet, pki: TestPki, suites: list[int], first: int
) -> None:
    order = [*suites[first:], *suites[:first]]
    meeting = meet(
        rules_for(pki, "server", suites=order[::-1]), rules_for(pki, "client", suites=order)
    )
    assert meeting.client.GetTlsCipherSuite() == order[0]
    assert meeting.child.GetTlsCipherSuite() == order[0]


@pytest.mark.parametrize("suites", [TLS13, TLS12], ids=["TLSv1.3", "TLSv1.2"])
def test_server_takes_the_first_of_its_clients_that_it_knows(
    meet: Meet, pki: TestPki, suites: list[int]
) -> None:
    meeting = meet(
        rules_for(pki, "server", suites=suites[1:]), rules_for(pki, "client", suites=suites)
    )
    assert meeting.client.GetTlsCipherSuite() == suites[1]


@pytest.mark.parametrize("suites", [TLS13, TLS12], ids=["TLSv1.3", "TLSv1.2"])
def test_nothing_in_common_is_said_on_both_sides_and_nobody_is_asked(
    meet: Meet, pki: TestPki, suites: list[int]
) -> None:
    meeting = meet(
        rules_for(pki, "server", suites=suites[:1]), rules_for(pki, "client", suites=suites[1:])
    )
    for net in (meeting.client, meeting.child):
        failure = net.failure
        assert failure.code == CODES.TlsNoSharedCipherSuite
        assert failure.stage == "tls"
        assert failure.remedy
        assert calls_of(net) == []
        assert net.log.all("OnSecureLinkReady")[0].code == CODES.TlsNoSharedCipherSuite
        assert net.log.all("OnClose")[0].code == CODES.TlsNoSharedCipherSuite
        assert net.GetTlsCipherSuite() == SUITES.None_
    assert meeting.child.failure.side == "local"
    assert meeting.client.failure.side == "peer"
    assert meeting.child.failure.alert_sent == HANDSHAKE_FAILURE
    assert meeting.client.failure.alert_received == HANDSHAKE_FAILURE
    assert meeting.order == ["child", "listener"]


def test_suites_of_the_wrong_kind_of_key_are_nothing_in_common(meet: Meet, pki: TestPki) -> None:
    rsa = pki.make("good_rsa", "server")
    meeting = meet(rules_for(pki, "server", identity=rsa), rules_for(pki, "client", suites=TLS12))
    for net in (meeting.client, meeting.child):
        assert net.failure.code == CODES.TlsNoSharedCipherSuite
        assert "RSA" in net.failure.remedy


# ---- nothing usable

UNUSABLE = {
    "empty": [],
    "unknown": [0x1234],
    "des": [SUITES.DheRsaWithDesCbcSha],
    **({"weak": TOO_WEAK} if TOO_WEAK else {}),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_list_without_a_usable_suite_is_raised_by_connect_with_a_remedy(
    nets: Callable[[Any], Any], pki: TestPki, listen: Callable[..., Listener], name: str
) -> None:
    listener = listen(lambda: nets(rules_for(pki, "server").net()))
    client = nets(rules_for(pki, "client", suites=UNUSABLE[name]).net())
    with refused(CODES.TlsNoCipherSuite, "SetTlsCipherSuiteByIndex", "EcdheRsaWith"):
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert not client.IsConnected()
    assert client.log.names() == []
    set_suites(client, TLS13)  # and after that it works
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success


@pytest.mark.parametrize("name", UNUSABLE)
def test_list_without_a_usable_suite_is_raised_by_accept_and_the_next_child_may_have_it(
    nets: Callable[[Any], Any], pki: TestPki, name: str
) -> None:
    raised: list[DicomException] = []
    rules = rules_for(pki, "server")

    def accept(listener: Any, error: Any) -> None:
        child = nets(rules.but(suites=UNUSABLE[name]).net())
        try:
            listener.Accept(child)
        except DicomException as problem:
            raised.append(problem)
        listener.children.append(nets(rules.net()))
        listener.Accept(listener.children[-1])

    listener = nets(Listener(OnAccept=accept))
    listener.Listen("127.0.0.1", 0, 16)
    client = nets(rules_for(pki, "client").net())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert [problem.Code for problem in raised] == [CODES.TlsNoCipherSuite]
    assert "SetTlsCipherSuiteByIndex" in raised[0].Message


def test_suite_that_is_too_weak_for_the_level_is_skipped_with_a_warning(
    meet: Meet, pki: TestPki, library_log: LibraryLog
) -> None:
    # OpenSSL 3.0 finds none of ours too weak for level 2, newer ones do: nothing is said without reason.
    suites = [*TOO_WEAK[:1], *TLS12]
    meeting = meet(rules_for(pki, "server"), rules_for(pki, "client", suites=suites))
    assert meeting.client.GetTlsCipherSuite() == TLS12[0]
    said = library_log.about_settings("level 2")
    assert len(said) == len(TOO_WEAK[:1])
    assert all(weak.iana_name in line for weak, line in zip(TOO_WEAK[:1], said, strict=True))


# ---- the lists of the seed page


def test_lists_of_the_seed_page_make_a_link_and_name_the_suites_that_are_gone(
    nets: Callable[[Any], Any],
    pki: TestPki,
    listen: Callable[..., Listener],
    library_log: LibraryLog,
) -> None:
    def child() -> Any:
        net = rules_for(pki, "server").net()
        net.SetTlsCipherSuiteByIndex(0, SUITES.DheRsaWith3DesEdeCbcSha)
        return nets(net)

    listener = listen(child)
    client = nets(rules_for(pki, "client").net())
    client.SetTlsCipherSuiteByIndex(0, SUITES.DheRsaWithDesCbcSha)
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert listener.child().log.wait("OnSecureLinkReady").code == CODES.Success
    assert client.GetTlsCipherSuite() == SUITES.Aes128GcmSha256  # the first that is left
    gone = [
        one.iana_name
        for one in (SUITES.DheRsaWithDesCbcSha, SUITES.DheRsaWith3DesEdeCbcSha)
        if not one.is_available
    ]
    said = library_log.about_settings()
    for name in gone:
        assert sum(name in text and "skipped" in text for text in said) == 1
    assert "TLS_DHE_RSA_WITH_DES_CBC_SHA" in gone
    assert client.GetTlsCipherSuiteByIndex(0) == SUITES.DheRsaWithDesCbcSha  # it stays listed
