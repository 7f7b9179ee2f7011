"""The setting of certificate policies: what it takes, and what it does to links; PKITS has the paths."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._binding import lib
from leadtools_compat.dicom._net_state import state_of
from leadtools_compat.testing import TestPki
from tests.support import NO_CHECK, PEER, Listener, refused
from tests.tls.conftest import Meet
from tests.tls.peers import write_pem
from tests.tls.resuming import Scene
from tests.tls.tls_tools import CODES, FINDINGS, SIDES, Rules, Side, Unjudged, rules_for

Nets = Callable[[Any], Any]

POLICY = "1.2.3.4"


@pytest.fixture
def net(nets: Nets, pki: TestPki) -> Any:
    return nets(rules_for(pki, "client").net())


def with_policies(rules: Rules, *policies: str, **more: bool) -> Any:
    made = rules.net()
    made.set_tls_policies(policies, **more)
    return made


@pytest.mark.parametrize("policies", [None, (), (POLICY,), (POLICY, "2.5.29.32.0")])
def test_what_was_set_is_read_back(net: Any, policies: tuple[str, ...] | None) -> None:
    assert net.tls_policies is None
    net.set_tls_policies(policies)
    assert net.tls_policies == policies


def test_one_policy_may_come_without_brackets(net: Any) -> None:
    net.set_tls_policies(POLICY)
    assert net.tls_policies == (POLICY,)


@pytest.mark.parametrize(
    "bad", ["policy", "1.2.3.x", "9.9.9", "1", "1.2." + "3" * 200, "clientAuth"]
)
def test_what_is_no_object_identifier_is_refused_by_name_and_changes_nothing(
    net: Any, bad: str
) -> None:
    net.set_tls_policies((POLICY,))
    with refused(CODES.Parameter, bad[:20], "object identifiers"):
        net.set_tls_policies((POLICY, bad))
    assert net.tls_policies == (POLICY,)


def test_64_policies_fit_and_no_more(net: Any) -> None:
    many = tuple(f"1.2.3.{number}" for number in range(65))
    net.set_tls_policies(many[:64])
    with refused(CODES.Parameter, "64"):
        net.set_tls_policies(many)


@pytest.mark.parametrize(
    ("flags", "policies"), [(16, b""), (2, b""), (0, b"1.2.3"), (12, b"1.2.3")]
)
def test_flags_of_c_that_make_no_sense_are_a_wrong_parameter(
    net: Any, flags: int, policies: bytes
) -> None:
    assert lib.L_DicomSetPoliciesTLS(state_of(net).handle, flags, policies) == CODES.Parameter


def test_policies_cannot_change_while_connected(pki: TestPki, nets: Nets) -> None:
    scene = Scene(pki, nets)
    both = scene.meet()
    with refused(CODES.InvalidState, "policies"):
        both["client"].set_tls_policies(())
    scene.close(both)


@pytest.mark.parametrize("side", ["server", "client"])
def test_a_peer_without_the_policy_is_refused_and_a_peer_of_any_policy_is_not(
    nets: Nets, pki: TestPki, side: Side
) -> None:
    for policies, code in (((POLICY,), CODES.TlsCertificateRejected), ((), CODES.Success)):

        def make(who: Side, wanted: tuple[str, ...] = policies) -> Any:
            rules = rules_for(pki, who)
            return nets(with_policies(rules, *wanted) if who == side else rules.net())

        listener = nets(Listener(partial(make, "server")))
        listener.Listen("127.0.0.1", 0, 16)
        client = make("client")
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        judge = client if side == "client" else listener.child()
        assert judge.log.wait("OnSecureLinkReady").code == code
        if policies:
            assert judge.failure.certificate_code == FINDINGS.NoExplicitPolicy
            assert "set_tls_policies" in judge.failure.remedy
            assert judge.log.all("OnVerify")[-1].arguments[0] == 0


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("how", ["pinned", "in the CA file"])
def test_a_peer_that_is_trusted_by_itself_does_not_meet_a_demand_for_a_policy(
    meet: Meet, pki: TestPki, tmp_path: Path, side: Side, how: str
) -> None:
    """There is no path, so nobody says under which policy its certificate was issued."""
    peer = pki.client if side == "server" else pki.server

    def demand(net: Any, *, policies: tuple[str, ...] | None = (POLICY,)) -> None:
        net.set_tls_policies(policies)
        if how == "pinned":
            net.set_tls_pins([net.tls_pins_of(peer.chain_der[0]).key], only=True)

    alone = write_pem(tmp_path / "peer.pem", peer.chain_der[0])
    ca = pki.ca_file if how == "pinned" else alone
    rules = {who: rules_for(pki, who) for who in SIDES}
    for policies in (None, ()):
        also = partial(demand, policies=policies)
        rules[side] = rules_for(pki, side, ca=ca, also=also)
        assert meet(rules["server"], rules["client"]).linked
    rules[side] = rules_for(pki, side, ca=ca, also=demand)
    meeting = meet(rules["server"], rules["client"])
    assert not meeting.linked
    failure = meeting.of(side).failure
    assert failure.certificate_code == FINDINGS.NoExplicitPolicy
    if how == "pinned":  # else the chain goes on to the intermediate that was sent
        assert "trusted by itself" in failure.remedy


def test_onverify_may_overrule_a_missing_policy_and_it_shows(nets: Nets, pki: TestPki) -> None:
    listener = nets(Listener(lambda: nets(rules_for(pki, "server").net())))
    listener.Listen("127.0.0.1", 0, 16)
    rules = rules_for(pki, "client", hooks={"OnVerify": lambda *_: 1})
    client = nets(with_policies(rules, POLICY))
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert not client.tls_verified
    assert client.tls_verify_code == FINDINGS.NoExplicitPolicy


def test_a_server_that_demands_a_policy_insists_on_a_certificate(nets: Nets, pki: TestPki) -> None:
    rules = rules_for(pki, "server", flags=PEER)
    listener = nets(Listener(lambda: nets(with_policies(rules, POLICY))))
    listener.Listen("127.0.0.1", 0, 16)
    client = nets(rules_for(pki, "client", identity=None).net())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRequired


def test_a_policy_that_nobody_would_be_refused_for_is_raised_by_connect(
    nets: Nets, pki: TestPki
) -> None:
    client = nets(with_policies(rules_for(pki, "client", flags=NO_CHECK), POLICY))
    with refused(CODES.Parameter, "policies", "Peer"):
        client.Connect(None, 0, "127.0.0.1", 9)


@pytest.mark.parametrize("side", ["server", "client"])
def test_a_session_from_before_is_not_resumed_when_policies_are_looked_at(
    pki: TestPki, nets: Nets, side: Side
) -> None:
    class Demanding(Unjudged):
        def Initialize(self, *arguments: Any) -> None:
            super().Initialize(*arguments)
            self.set_tls_policies(())

    scene = Scene(pki, nets)
    assert [scene.link() for _ in range(2)] == [False, True]
    scene.kind[side] = Demanding
    assert [scene.link() for _ in range(2)] == [False, True]
