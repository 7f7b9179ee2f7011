"""Connections that come and go, well and badly, leave no memory, no descriptor and no thread behind."""

from __future__ import annotations

import gc
import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import DicomExceptionCode, DicomNet
from leadtools_compat.testing import TestPki
from tests.robustness import robust_leaks
from tests.robustness.robust_leaks import SCENARIOS
from tests.robustness.robust_tools import (
    list_descriptors,
    open_descriptors,
    run_command,
    sanitized,
    statistics,
    until,
)
from tests.support import PATIENCE, Listener, RecordingNet, connect, tls_child, tls_net

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
CODES = DicomExceptionCode
KIB = 1024

# What may grow: OpenSSL's caches and malloc's own, which fill up over the first thousand or two of
# connections (half a MiB in all, then flat). A leak of one SSL_CTX, SSL or chain per connection is 20 KiB and more.
# (warm-up, cycles, allowance for malloc, allowance for RssAnon)
QUICK = (30, 100, 1024 * KIB, 2048 * KIB)
SOAK = (2000, 2000, 512 * KIB, 1536 * KIB)
# The engine's pool may be at another point of its breath.
THREADS = 3


def run_scenario(scenario: str, scale: tuple[int, int, int, int], pki: Any, other: Any) -> None:
    warm_up, cycles, for_malloc, for_resident = scale
    folders = [str(pki.directory), str(other.directory)]
    line = [sys.executable, robust_leaks.__file__, scenario, *folders, str(warm_up), str(cycles)]
    done = run_command(line, PATIENCE * 3 + cycles, MALLOC_ARENA_MAX="2")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    numbers = json.loads(done.stdout)
    grown = {name: value - numbers["before"][name] for name, value in numbers["after"].items()}
    print(scenario, cycles, grown)
    assert grown["descriptors"] == 0, numbers
    assert grown["nets"] == 0, numbers
    assert grown["threads"] <= THREADS, numbers
    assert grown["python_objects"] <= cycles // 10, numbers
    if not sanitized():
        assert grown["allocated"] <= for_malloc, numbers
        assert grown["resident"] <= for_resident, numbers


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_hundred_cycles_leave_nothing(scenario: str, pki: TestPki, other_pki: TestPki) -> None:
    run_scenario(scenario, QUICK, pki, other_pki)


@pytest.mark.soak
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_two_thousand_cycles_leave_nothing(scenario: str, pki: TestPki, other_pki: TestPki) -> None:
    run_scenario(scenario, SOAK, pki, other_pki)


def test_two_thousand_health_checks_leave_nothing(pki: TestPki, other_pki: TestPki) -> None:
    run_scenario("health_check", (100, 2000, *QUICK[2:]), pki, other_pki)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("scenario", "cycles"),
    [("health_check", 100_000), ("health_check_with_tls", 20_000), ("association_rejected", 5000)],
)
@pytest.mark.timeout(3600)
def test_great_crowds_at_the_door_leave_nothing(
    scenario: str, cycles: int, pki: TestPki, other_pki: TestPki
) -> None:
    run_scenario(scenario, (2000, cycles, *SOAK[2:]), pki, other_pki)


# ---- nets that nobody disposes ----


@pytest.fixture
def descriptors_back() -> Any:
    """Compare the open descriptors before and after."""
    with Listener() as listener, RecordingNet() as client:  # the engine has its own ones by then
        listener.Listen("127.0.0.1", 0, 1)
        connect(client, listener)
        client.log.wait("OnConnect")
        listener.log.wait("OnAccept")
        client.Close()
        listener.log.wait("OnClose")
    del listener, client
    gc.collect()
    until(lambda: statistics()["connections"] == 0, "quiet")
    before = open_descriptors()
    yield
    until(lambda: open_descriptors() <= before, lambda: f"{before}: {list_descriptors()}")


def test_two_hundred_nets_made_and_dropped_leave_nothing(
    descriptors_back: None, pki: TestPki
) -> None:
    before = statistics()["nets"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(200):
            net = DicomNet(None, number % 2)
            if number % 4 == 1:
                net.SetTlsClientCertificate(pki.client.combined_file, 1, None)
        del net
        gc.collect()
    assert statistics()["nets"] == before


def test_two_hundred_nets_in_cycles_are_collected(descriptors_back: None) -> None:
    before = statistics()["nets"]
    made: list[Any] = [RecordingNet() for _ in range(200)]
    for one, other in zip(made, made[1:] + made[:1], strict=True):
        one.other = other
        one.hooks["OnConnect"] = lambda *arguments, other=other: other
    assert statistics()["nets"] == before + 200
    del one, other
    made.clear()
    gc.collect()
    assert statistics()["nets"] == before


@pytest.mark.parametrize("security", ["plain", "TLS"])
def test_connected_nets_that_are_dropped_warn_and_close_their_sockets(
    security: str, descriptors_back: None, pki: TestPki
) -> None:
    count = 25
    tls = security == "TLS"
    listener = Listener(tls_child(pki) if tls else None)
    listener.Listen("127.0.0.1", 0, count)
    clients = [tls_net(pki) if tls else RecordingNet() for _ in range(count)]
    for client in clients:
        connect(client, listener)
    for client in clients:
        client.log.wait("OnSecureLinkReady" if tls else "OnConnect")
    listener.log.wait("OnAccept", count)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        del client
        clients.clear()
        gc.collect()
        text = [str(one.message) for one in caught if one.category is ResourceWarning]
        assert len([line for line in text if "was connected" in line]) == count
    listener.log.wait("OnClose", count)
    codes = {event.code for event in listener.log.all("OnClose")}
    assert codes <= {CODES.Success, CODES.NetConnectionAborted}
    listener.Dispose()


def test_whole_scene_in_one_reference_cycle_is_collected(
    descriptors_back: None, pki: TestPki
) -> None:
    listener: Any = Listener(tls_child(pki))
    listener.Listen("127.0.0.1", 0, 4)
    client: Any = tls_net(pki)
    connect(client, listener)
    client.log.wait("OnSecureLinkReady")
    child: Any = listener.child()
    child.log.wait("OnSecureLinkReady")
    client.server, listener.client, child.parent = listener, client, listener
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        del client, listener, child
        gc.collect()

        def all_gone() -> bool:
            gc.collect()
            return statistics()["connections"] == 0

        until(all_gone, "all sockets closed")
        kinds = [str(one.message).split()[1] for one in caught]
    assert (
        "Listener" in kinds
    )  # it closes its child; who of them goes first is the collector's choice


def test_dropped_while_connecting_and_in_the_handshake(
    descriptors_back: None, listen: Listen, pki: TestPki
) -> None:
    listener = listen(OnAccept=lambda net, error: None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(20):
            client = tls_net(pki)
            connect(client, listener)
            del client
            gc.collect()
        client = tls_net(pki)
        connect(client, listener)
        client.log.wait("OnConnect")  # and no answer to its hello
        del client
        gc.collect()
    listener.CloseForced(False)
