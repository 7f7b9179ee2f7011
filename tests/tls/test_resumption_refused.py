"""Every way round the verification that session resumption must not be.

A resumed handshake shows no certificate and asks nobody. So each test first makes a session, then
changes one thing, and expects a full handshake with its verdict.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from leadtools_compat.testing import Identity, TestPki
from tests.support import NO_CHECK, PEER, Hook
from tests.tls.resuming import (
    Believing,
    Judging,
    Nets,
    Scene,
    at_either_side,
    crl_of,
    in_each_version,
    two_authorities,
)
from tests.tls.tls_tools import (
    CODES,
    FINDINGS,
    VERSIONS,
    LibraryLog,
    Side,
    Unjudged,
    calls_of,
    other_side,
    rules_for,
)

# ---- off whenever user code judges


@at_either_side
@in_each_version
def test_own_onverify_sees_every_handshake(
    pki: TestPki, nets: Nets, library_log: LibraryLog, side: Side, version: str
) -> None:
    scene = Scene(pki, nets, version)
    scene.kind[side] = Judging
    for _ in range(3):
        both = scene.meet()
        assert not both["client"].tls_resumed
        assert not both["server"].tls_resumed
        assert [call.ok for call in calls_of(both[side])] == [1, 1, 1]
        scene.close(both)
    assert "resumption stays off" in library_log.wait("resumption stays off", "OnVerify")


@at_either_side
def test_onverify_of_an_object_counts_from_the_next_connection_on(
    resuming: Scene, side: Side
) -> None:
    asked: list[int] = []

    class Changed(Unjudged):
        def __init__(self, mode: int, **hooks: Hook) -> None:
            super().__init__(mode, **hooks)
            self.__dict__["OnVerify"] = self.judge

        def judge(self, ok: int, text: str, error: Any) -> int:
            asked.append(ok)
            return ok

    resuming.kind[side] = Changed
    assert not resuming.link()
    assert asked == [1, 1, 1]


@at_either_side
def test_overruled_verdict_makes_no_session(pki: TestPki, nets: Nets, side: Side) -> None:
    scene = Scene(pki, nets)
    bad = other_side(side)
    scene.change(bad, identity=pki.make("self_signed", bad))
    scene.kind[side] = Believing
    assert not scene.link()
    assert not scene.link()
    scene.kind[side] = Unjudged
    assert scene.refusal(side) == FINDINGS.DepthZeroSelfSignedCert


@at_either_side
def test_session_from_before_is_not_taken_when_user_code_refuses(
    resuming: Scene, side: Side
) -> None:
    class Refusing(Judging):
        answer = 0

    resuming.kind[side] = Refusing
    assert resuming.refusal(side) == FINDINGS.CertRejected


# ---- each way round the verification


@at_either_side
def test_unverified_link_makes_no_session(pki: TestPki, nets: Nets, side: Side) -> None:
    scene = Scene(pki, nets)
    bad = other_side(side)
    scene.change(bad, identity=pki.make("self_signed", bad))
    scene.change(side, flags=NO_CHECK)
    assert [scene.link() for _ in range(2)] == [False, False]
    scene.change(side, flags=rules_for(pki, side).flags)
    assert scene.refusal(side) == FINDINGS.DepthZeroSelfSignedCert


@at_either_side
def test_verification_that_is_switched_on_again_is_done(
    pki: TestPki, nets: Nets, side: Side
) -> None:
    scene = Scene(pki, nets)
    scene.change(side, flags=NO_CHECK)
    assert [scene.link() for _ in range(2)] == [False, False]
    scene.change(side, flags=PEER)
    both = scene.meet()
    assert both[side].tls_verified
    assert not both[side].tls_resumed


def test_client_without_a_certificate_gets_no_session_of_a_server_that_asked(
    pki: TestPki, nets: Nets
) -> None:
    scene = Scene(pki, nets)
    scene.change("server", flags=PEER)
    scene.change("client", identity=None)
    assert [scene.link() for _ in range(3)] == [False] * 3


CHANGES: dict[str, Callable[[TestPki, Side], dict[str, Any]]] = {
    "flags": lambda pki, side: {"flags": PEER},
    "depth": lambda pki, side: {"depth": 8},
    "method": lambda pki, side: {"method": VERSIONS["TLSv1.3"].__class__.SslV23},
    "certificate": lambda pki, side: {"identity": pki.make("good_rsa", side)},
    "CA file": lambda pki, side: {"ca": two_authorities(pki)},
    "CRL": lambda pki, side: {"crl_file": crl_of(pki, "empty")},
    "suites": lambda pki, side: {"suites": [0x1301, 0x1302]},
    "host": lambda pki, side: {"host": "localhost"},
}


@at_either_side
@pytest.mark.parametrize("what", CHANGES)
def test_other_settings_need_a_full_handshake_of_their_own(
    resuming: Scene, pki: TestPki, side: Side, what: str
) -> None:
    before = resuming.rules[side]
    resuming.change(side, **CHANGES[what](pki, side))
    assert not resuming.link()
    assert resuming.link()
    resuming.rules[side] = before
    resuming.link()
    assert resuming.link()


@at_either_side
def test_peer_is_refused_when_its_authority_is_no_longer_trusted(
    resuming: Scene, pki: TestPki, side: Side
) -> None:
    resuming.change(side, ca=pki.make("self_signed", "server").certificate_file)
    assert resuming.refusal(side) == FINDINGS.UnableToGetIssuerCertLocally


@at_either_side
@in_each_version
def test_peer_is_refused_when_it_has_been_revoked(
    pki: TestPki, nets: Nets, side: Side, version: str
) -> None:
    scene = Scene(pki, nets, version)
    scene.change(side, crl_file=crl_of(pki, f"none-{side}"))
    assert [scene.link() for _ in range(2)] == [False, True]
    peer = pki.client if side == "server" else pki.server
    # The same file, as somebody would do it who gets a new list each night.
    scene.change(side, crl_file=crl_of(pki, f"none-{side}", peer))
    assert scene.refusal(side) == FINDINGS.CertRevoked


def issue_until(pki: TestPki, name: str, side: Side, end: float) -> Identity:
    """Issue a certificate that ends at `end`."""
    return pki.issue(name, role=side, days=(-1, (end - pki.now.timestamp()) / 86400))


@contextmanager
def seconds_left(scene: Scene, prepare: Callable[[float, int], None]) -> Iterator[None]:
    """Have the scene resume a link whose verdict holds a few seconds only; yield when they are over."""
    for attempt, seconds in enumerate((2, 8, 40)):  # more of them for a busy machine
        end = int(time.time()) + seconds
        prepare(end, attempt)
        both = scene.meet()
        if set(scene.said.values()) == {CODES.Success}:
            scene.close(both)
            both = scene.meet()
            if both["client"].tls_resumed:
                scene.close(both)
                break
            scene.close(both)
    else:
        pytest.fail("the machine is too busy to make two links in time")
    while time.time() <= end + 1:
        threading.Event().wait(end + 1.01 - time.time())  # for the calendar, which tells nobody
    yield


@at_either_side
@in_each_version
def test_peer_whose_certificate_has_ended_in_between_is_refused(
    pki: TestPki, nets: Nets, side: Side, version: str
) -> None:
    scene = Scene(pki, nets, version)
    peer = other_side(side)

    def prepare(end: float, attempt: int) -> None:
        name = f"short {side} {version} {attempt}"
        scene.change(peer, identity=issue_until(pki, name, peer, end))

    with seconds_left(scene, prepare):
        assert scene.refusal(side) == FINDINGS.CertHasExpired


@at_either_side
def test_peer_is_judged_anew_when_the_revocation_list_has_ended_in_between(
    pki: TestPki, nets: Nets, side: Side
) -> None:
    scene = Scene(pki, nets)

    def prepare(end: float, attempt: int) -> None:
        file = crl_of(pki, f"short-{side}-{attempt}", seconds=end - time.time())
        scene.change(side, crl_file=file)

    with seconds_left(scene, prepare):
        assert scene.refusal(side) == FINDINGS.CrlHasExpired


def test_session_is_for_the_address_and_port_that_made_it(
    resuming: Scene, pki: TestPki, nets: Nets
) -> None:
    assert not resuming.link(host="127.0.0.2")
    assert resuming.link(host="127.0.0.2")
    other = Scene(pki, nets)  # the same settings, another port
    assert not other.link()


def test_refused_client_does_not_offer_its_session_again(pki: TestPki, nets: Nets) -> None:
    scene = Scene(pki, nets)
    client = nets(scene.net("client"))
    assert not scene.link(client)
    scene.change("server", ca=pki.make("self_signed", "server").certificate_file)
    both = scene.meet(client)
    assert scene.said["client"] == CODES.TlsPeerRejectedCertificate
    client.log.wait("OnClose", 2)
    both["server"].log.wait("OnClose")
    scene.change("server", ca=pki.ca_file)
    assert not scene.link(client)
    assert scene.link(client)
