"""Demands that change between two links: pins, names, purposes, strength, policies, lists, staples.

A session was made without the demand; whoever comes with it is judged by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.tls.resuming import Scene, at_either_side, crl_of, two_authorities
from tests.tls.tls_tools import FINDINGS, PEM, Side, finding

Demand = Callable[[Any, TestPki, Side], object]


def setting(name: str, value: object) -> Demand:
    return lambda net, pki, side: setattr(net, name, value)


def pins(net: Any, pki: TestPki, side: Side, only: bool = False) -> None:
    peer = pki.client if side == "server" else pki.server
    net.set_tls_pins([net.tls_pins_of(peer.chain_der[0]).key], only=only)


SATISFIED: dict[str, Demand] = {
    "pins": pins,
    "pins only": lambda net, pki, side: pins(net, pki, side, only=True),
    "strength": lambda net, pki, side: net.set_tls_minimum_strength(ec_bits=256),
    "strict purposes": setting("tls_purpose_check", "strict"),
    "no purposes": setting("tls_purpose_check", "any"),
    "whole chains": setting("tls_partial_chain", False),
    "policies": lambda net, pki, side: net.set_tls_policies((), explicit=False),
    "profile": lambda net, pki, side: net.apply_tls_profile("B.12"),
    "ALPN": setting("tls_alpn", "offer"),
    "soft fail": setting("revocation_soft_fail", True),
    "lists of the leaf": setting("crl_check", "leaf"),
    "more authorities": lambda net, pki, side: net.add_tls_ca_file(two_authorities(pki)),
    "server name": setting("server_name", "other.test"),
    "names refused": setting("tls_refuse_unknown_names", True),
}


def demand(scene: Scene, pki: TestPki, side: Side, what: Demand) -> None:
    scene.change(side, also=lambda net: what(net, pki, side))


@at_either_side
@pytest.mark.parametrize("what", SATISFIED)
def test_new_demand_needs_a_full_handshake(
    resuming: Scene, pki: TestPki, side: Side, what: str
) -> None:
    demand(resuming, pki, side, SATISFIED[what])
    assert not resuming.link()
    assert resuming.link()
    resuming.change(side, also=None)
    resuming.link()
    assert resuming.link()


UNSATISFIED: dict[str, tuple[Demand, str]] = {
    "pins": (
        lambda net, pki, side: net.set_tls_pins(["key:" + "00" * 32]),
        "CertUntrusted",
    ),
    "pins only": (
        lambda net, pki, side: net.set_tls_pins(["cert:" + "11" * 32], only=True),
        "CertUntrusted",
    ),
    "host": (setting("expected_host", "elsewhere.test"), "HostnameMismatch"),
    "address": (setting("expected_host", "192.0.2.99"), "IpAddressMismatch"),
    "e-mail": (setting("expected_email", "a@b.test"), "EmailMismatch"),
    "URI": (setting("expected_uri", "urn:a:b"), "HostnameMismatch"),
    "policy": (
        lambda net, pki, side: net.set_tls_policies("1.2.3.4"),
        "NoExplicitPolicy",
    ),
    "lists": (
        lambda net, pki, side: setattr(net, "crl_paths", pki.crl(name="root", authorities=("ca",))),
        "UnableToGetCrl",
    ),
}


@at_either_side
@pytest.mark.parametrize("what", UNSATISFIED)
def test_peer_that_lacks_what_is_demanded_now_is_refused(
    resuming: Scene, pki: TestPki, side: Side, what: str
) -> None:
    change, code = UNSATISFIED[what]
    demand(resuming, pki, side, change)
    assert resuming.refusal(side) == finding(code)


def test_server_without_a_staple_is_refused_when_one_is_required_now(
    resuming: Scene, pki: TestPki
) -> None:
    demand(resuming, pki, "client", setting("ocsp_check", "require"))
    assert resuming.refusal("client") == FINDINGS.OcspVerifyNeeded


@at_either_side
def test_soft_fail_makes_no_session(resuming: Scene, pki: TestPki, side: Side) -> None:
    resuming.change(
        side,
        crl_file=pki.crl(name="soft", authorities=("ca",)),
        attributes={"revocation_soft_fail": True},
    )
    assert [resuming.link() for _ in range(3)] == [False] * 3
    resuming.change(side, crl_file=crl_of(pki, f"hard-{side}"))
    assert [resuming.link() for _ in range(2)] == [False, True]


def test_certificate_for_a_name_has_sessions_of_its_own(resuming: Scene, pki: TestPki) -> None:
    named = pki.issue("Named Server", role="server", hosts=["named.test"])
    demand(
        resuming,
        pki,
        "server",
        lambda net, pki, side: net.add_tls_certificate(named.combined_file, PEM),
    )
    assert [resuming.link() for _ in range(2)] == [False, True]
    demand(resuming, pki, "client", setting("server_name", "named.test"))
    assert [resuming.link() for _ in range(2)] == [False, True]
    demand(resuming, pki, "client", setting("server_name", "nobody.test"))
    assert [resuming.link() for _ in range(2)] == [False, True]
