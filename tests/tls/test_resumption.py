"""Session resumption: when it happens, and what it saves."""

from __future__ import annotations

import pytest

from leadtools_compat._binding import reads
from leadtools_compat.dicom import DicomException
from leadtools_compat.testing import TestPki
from tests.support import RecordingNet, refused
from tests.tls.resuming import Nets, Relay, Scene, in_each_version
from tests.tls.tls_tools import (
    CODES,
    FINDINGS,
    SIDES,
    TLS,
)

# ---- when it happens


@in_each_version
def test_second_link_of_the_same_net_is_resumed_and_still_verified(
    pki: TestPki, nets: Nets, version: str
) -> None:
    scene = Scene(pki, nets, version)
    client = nets(scene.net("client"))
    counted = reads.statistics()["resumed"]
    assert not scene.link(client)
    for _ in range(3):
        both = scene.meet(client)
        for side, net in both.items():
            assert net.tls_resumed
            assert net.tls_verified
            assert net.tls_version == version
            assert net.tls_verify_code == FINDINGS.Success
            peer = pki.server if side == "client" else pki.client
            assert net.tls_peer_certificates[0] == peer.chain_der[0]
            assert net.failure is None
        scene.close(both)
    assert reads.statistics()["resumed"] >= counted + 6


@in_each_version
def test_another_net_with_the_same_settings_resumes_too(
    pki: TestPki, nets: Nets, version: str
) -> None:
    scene = Scene(pki, nets, version)
    assert [scene.link() for _ in range(3)] == [False, True, True]


@in_each_version
def test_certificates_are_not_exchanged_again(pki: TestPki, nets: Nets, version: str) -> None:
    scene = Scene(pki, nets, version)
    with Relay(scene.listener.HostPort) as relay:
        assert [scene.link(port=relay.port) for _ in range(2)] == [False, True]
    certificates = sum(map(len, pki.server.chain_der + pki.client.chain_der))
    assert relay.counts[1] < relay.counts[0] - certificates


def test_it_is_off_unless_both_sides_switch_it_on(pki: TestPki, nets: Nets) -> None:
    assert RecordingNet(TLS).tls_resumption is False
    for on in ({"server": False, "client": True}, {"server": True, "client": False}):
        scene = Scene(pki, nets)
        scene.on.update(on)  # type: ignore[arg-type]
        assert [scene.link() for _ in range(3)] == [False] * 3


def test_switching_it_off_ends_it(resuming: Scene) -> None:
    for side in SIDES:
        resuming.on[side] = False
        assert not resuming.link()
        resuming.on[side] = True
        assert resuming.link() in (True, False)


def test_it_is_a_setting_that_is_frozen_while_connected(scene: Scene) -> None:
    both = scene.meet()
    with refused(CODES.InvalidState, "session resumption"):
        both["client"].tls_resumption = False
    assert both["client"].tls_resumption
    scene.close(both)


def test_resumed_link_carries_data_and_ends_like_any_other(scene: Scene) -> None:
    scene.link()
    both = scene.meet()
    assert both["client"].tls_resumed
    with pytest.raises(DicomException):
        both["client"].SendReleaseRequest()  # no association: but the net answers as ever
    scene.close(both)
    assert both["client"].log.all("OnClose")[-1].code == CODES.Success
