"""Session resumption with OCSP staples and soft fail: no session hides what is known about revocation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.tls.resuming import Believing, Scene
from tests.tls.test_resumption_refused import seconds_left
from tests.tls.tls_tools import FINDINGS, SIDES, VERSIONS, Side, Unjudged

Nets = Callable[[Any], Any]

at_either_side = pytest.mark.parametrize("side", SIDES)
in_each_version = pytest.mark.parametrize("version", VERSIONS)


def with_staple(scene: Scene, file: str | None, mode: str) -> None:
    """Let the server serve a file, and the client do what `mode` says."""
    scene.change("server", attributes={} if file is None else {"ocsp_staple_file": file})
    scene.change("client", attributes={"ocsp_check": mode})


@in_each_version
def test_link_with_a_good_staple_is_resumed_and_known_to_be_good(
    pki: TestPki, nets: Nets, version: str
) -> None:
    scene = Scene(pki, nets, version)
    with_staple(scene, pki.ocsp(pki.server), "require")
    assert not scene.link()
    both = scene.meet()
    assert both["client"].tls_resumed
    assert both["client"].tls_revocation == "good"
    scene.close(both)


def test_link_without_the_staple_that_was_asked_for_makes_no_session(
    pki: TestPki, nets: Nets
) -> None:
    scene = Scene(pki, nets)
    with_staple(scene, None, "check")
    assert [scene.link() for _ in range(3)] == [False] * 3


def test_other_wish_about_staples_needs_a_full_handshake(pki: TestPki, nets: Nets) -> None:
    scene = Scene(pki, nets)
    file = pki.ocsp(pki.server)
    with_staple(scene, file, "check")
    assert [scene.link(), scene.link()] == [False, True]
    with_staple(scene, file, "require")
    assert [scene.link(), scene.link()] == [False, True]


def test_session_from_before_does_not_hide_that_the_staple_says_revoked(
    pki: TestPki, nets: Nets
) -> None:
    scene = Scene(pki, nets)
    with_staple(scene, None, "off")
    assert [scene.link(), scene.link()] == [False, True]
    with_staple(scene, pki.ocsp(pki.server, "revoked", name="resumption"), "check")
    assert scene.refusal("client") == FINDINGS.CertRevoked


def test_overruled_staple_makes_no_session(pki: TestPki, nets: Nets) -> None:
    scene = Scene(pki, nets)
    with_staple(scene, None, "require")
    scene.kind["client"] = Believing
    assert not scene.link()
    scene.kind["client"] = Unjudged
    assert scene.refusal("client") == FINDINGS.OcspVerifyNeeded


def test_session_ends_with_the_staple(pki: TestPki, nets: Nets) -> None:
    scene = Scene(pki, nets)

    def end_at(end: float, attempt: int) -> None:
        # Five minutes of grace belong to the check, not to the session.
        file = pki.ocsp(
            pki.server, name=f"ends-{attempt}", days=(-1 / 24, (end - time.time()) / 86400)
        )
        with_staple(scene, file, "check")

    with seconds_left(scene, end_at):
        assert not scene.link()


@at_either_side
def test_soft_fail_makes_no_session(pki: TestPki, nets: Nets, side: Side) -> None:
    scene = Scene(pki, nets)
    old = pki.crl(name=f"soft-{side}", days=(-9, -1))
    scene.change(side, crl_file=old, attributes={"revocation_soft_fail": True})
    assert [scene.link() for _ in range(3)] == [False] * 3
