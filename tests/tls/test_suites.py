"""Cipher suites: every one that the linked OpenSSL has, against the ``openssl`` program; their look-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from leadtools_compat.testing import Identity, TestPki
from tests.support import Listener
from tests.tls.conftest import Meet
from tests.tls.peers import (
    ALL_SUITES,
    BEST_GROUP,
    OpenSslServer,
    cipher_of,
    openssl_client,
    openssl_server,
    own,
)
from tests.tls.suites import (
    OFFERED,
    ROWS,
    USABLE,
    Row,
    look_ups,
    method_for,
    right_look_ups,
    with_each_suite,
    with_each_usable_suite,
)
from tests.tls.tls_tools import CODES, FLAGS, SUITES, rules_for


@pytest.fixture(scope="module")
def rsa(pki: TestPki) -> Identity:
    """The server's certificate with an RSA key."""
    return pki.make("good_rsa", "server")


@pytest.fixture(scope="module")
def ecdsa(pki: TestPki) -> Identity:
    """The server's certificate with an ECDSA key."""
    return pki.make("good_ec", "server")


@pytest.fixture(scope="module")
def openssl(rsa: Identity, ecdsa: Identity) -> Iterator[OpenSslServer]:
    """An ``openssl s_server`` that has both certificates and takes any suite."""
    with openssl_server(*own(rsa), *own(ecdsa, "d"), *ALL_SUITES) as server:
        yield server


# ---- every suite, with the openssl program


@with_each_usable_suite
def test_client_negotiates_each_suite_with_openssl_s_server(
    nets: Callable[[Any], Any], pki: TestPki, openssl: OpenSslServer, row: Row
) -> None:
    client = nets(rules_for(pki, "client", method=method_for(row), suites=[row.suite]).net())
    before = openssl.printed
    client.Connect(None, 0, "127.0.0.1", openssl.port)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success, client.failure
    assert client.GetTlsCipherSuite() == row.suite
    assert client.tls_version == ("TLSv1.3" if row.tls13 else "TLSv1.2")
    assert client.tls_verified
    assert look_ups(client, client.GetTlsCipherSuite()) == right_look_ups(row)
    if row.authentication == "Any":
        assert client.tls_group.lower() == BEST_GROUP
        bits = {256, 2048}
    else:
        bits = {256} if row.authentication == "Ecdsa" else {2048}
    assert client.GetTlsMutualAuthenticationKeyLength(row.suite) in bits
    other = next(one for one in ROWS if one is not row)
    assert client.GetTlsMutualAuthenticationKeyLength(other.suite) == 0
    openssl.wait_for(f"^CIPHER is {row.openssl}$", before)
    client.CloseForced(True)
    assert client.log.wait("OnClose").code == CODES.Success


@with_each_usable_suite
def test_server_negotiates_each_suite_with_openssl_s_client(
    nets: Callable[[Any], Any], pki: TestPki, rsa: Identity, ecdsa: Identity, row: Row
) -> None:
    seen: list[tuple[Any, ...]] = []

    def look(net: Any, error: Any) -> None:
        suite = net.GetTlsCipherSuite()
        length = net.GetTlsMutualAuthenticationKeyLength(suite)
        seen.append((suite, net.tls_version, length, look_ups(net, suite)))

    identity = rsa if row.authentication == "Rsa" else ecdsa
    rules = rules_for(
        pki,
        "server",
        identity=identity,
        flags=FLAGS.None_,
        method=method_for(row),
        suites=[row.suite],
    )
    listener = nets(Listener(lambda: nets(rules.net(OnSecureLinkReady=look))))
    listener.Listen("127.0.0.1", 0, 16)
    printed = openssl_client(listener.HostPort, *ALL_SUITES, "-CAfile", pki.ca_file)
    assert cipher_of(printed) == row.openssl
    assert "Verify return code: 0 (ok)" in printed
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.Success, child.failure
    # Without a certificate of the client's the length is that of our own key.
    bits = 2048 if identity is rsa else 256
    version = "TLSv1.3" if row.tls13 else "TLSv1.2"
    assert seen == [(row.suite, version, bits, right_look_ups(row))]


@pytest.mark.parametrize("key", ["rsa", "ec"])
@pytest.mark.parametrize("side", ["server", "client"])
def test_key_length_of_the_peer_is_told_when_it_sent_a_certificate(
    meet: Meet, pki: TestPki, side: str, key: str
) -> None:
    kinds = {"rsa": "good_rsa", "ec": "good_ec"}
    other = "client" if side == "server" else "server"
    rules = {
        side: rules_for(pki, side),  # type: ignore[arg-type]
        other: rules_for(pki, other, identity=pki.make(kinds[key], other)),  # type: ignore[arg-type]
    }
    meeting = meet(rules["server"], rules["client"])
    net = meeting.of(side)  # type: ignore[arg-type]
    suite = net.GetTlsCipherSuite()
    assert net.GetTlsMutualAuthenticationKeyLength(suite) == (2048 if key == "rsa" else 256)


# ---- the table


@with_each_suite
def test_member_has_the_number_and_the_names_of_the_table(row: Row) -> None:
    assert int(row.suite) == row.value
    assert str(row.suite) == row.member
    assert row.suite.iana_name == row.iana
    assert row.suite.openssl_name == row.openssl
    assert row.suite.is_available == (row.iana in OFFERED)
    assert OFFERED.get(row.iana, row.openssl) == row.openssl
    assert row.suite.GetCipherFriendlyName()


def test_table_is_complete() -> None:
    assert {row.suite for row in ROWS} == set(SUITES) - {SUITES.None_}
    assert len({SUITES.DheRsaWithAes256CbcSha, SUITES.DheRsaAes256Sha}) == 1  # an alias
    assert len(USABLE) >= 36


@with_each_suite
def test_look_ups_answer_without_a_link_and_for_any_suite(
    nets: Callable[[Any], Any], pki: TestPki, row: Row
) -> None:
    net = nets(rules_for(pki, "client").net())
    assert look_ups(net, row.suite) == look_ups(net, row.value) == right_look_ups(row)
    assert net.GetTlsMutualAuthenticationKeyLength(row.suite) == 0
    assert net.GetTlsCipherSuite() == SUITES.None_


@pytest.mark.parametrize("number", [0, 1, 0x1306, 0xC0FF, 0xFFFF, 0x10000, 2**32 - 1])
def test_look_ups_of_an_unknown_suite_are_none(
    nets: Callable[[Any], Any], pki: TestPki, number: int
) -> None:
    net = nets(rules_for(pki, "client").net())
    assert look_ups(net, number) == (0, 0, 0, 0, 0)
    assert {str(one) for one in look_ups(net, number)} == {"None", "0"}
    assert net.GetTlsMutualAuthenticationKeyLength(number) == 0
