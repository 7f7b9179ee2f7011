"""Every call that ends or changes a net, made inside every callback of both sides."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import DicomException, DicomExceptionCode, DicomNet
from leadtools_compat.testing import TestPki
from tests.robustness import robust_reentry
from tests.robustness.robust_peers import dial, read_to_end
from tests.robustness.robust_reentry import ACTIONS, CALLBACKS, Stage
from tests.robustness.robust_tools import Busy, run_command, run_program, until
from tests.support import (
    PATIENCE,
    Listener,
    RecordingNet,
    connect,
    refused,
    secure,
    tls_child,
    tls_net,
)

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
CODES = DicomExceptionCode


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("callback", CALLBACKS)
def test_call_inside_a_callback_of_a_worker(callback: str, action: str, pki: TestPki) -> None:
    story = Stage(str(pki.directory), callback, action, pumped=False).play()
    assert story.faults == [], story


@pytest.mark.parametrize("callback", CALLBACKS)
def test_calls_inside_a_callback_in_pumped_mode(callback: str, pki: TestPki) -> None:
    line = [sys.executable, "-X", "dev", robust_reentry.__file__, str(pki.directory), callback]
    done = run_command(line, PATIENCE * 6)
    stories = [json.loads(line) for line in done.stdout.splitlines()]
    assert [story for story in stories if story["faults"]] == []
    assert [story["action"] for story in stories] == list(ACTIONS)
    assert (done.returncode, done.stderr) == (0, "")


# ---- connecting again ----


def test_reconnect_from_onclose_twenty_times(listen: Listen, pki: TestPki, nets: Keep) -> None:
    rounds = 20
    listener = listen(tls_child(pki), OnClose=lambda net, error, child: child.Dispose())

    def again(net: Any, error: DicomExceptionCode, closed: Any) -> None:
        if len(net.log.all("OnSecureLinkReady")) < rounds:
            connect(net, listener)

    client = nets(
        tls_net(pki, OnClose=again, OnSecureLinkReady=lambda net, error: net.CloseForced(True))
    )
    connect(client, listener)
    client.log.wait("OnClose", rounds)
    listener.log.wait("OnClose", rounds)
    names = [
        name for name in client.log.names() if name not in ("OnVerify", "OnPrivateKeyPassword")
    ]
    assert names == ["OnConnect", "OnSecureLinkReady", "OnClose"] * rounds
    assert {event.code for event in client.log.all("OnSecureLinkReady")} == {CODES.Success}
    assert listener.GetClientCount() == 0


def test_reconnect_from_onclose_after_failures(nets: Keep) -> None:
    deaf = nets(Listener())
    deaf.Listen("127.0.0.1", 0, 1)
    port = deaf.HostPort
    taken = dial(port)  # the port stays taken, and refuses
    local = taken.getsockname()[1]

    def again(net: Any, error: DicomExceptionCode, closed: Any) -> None:
        if len(net.log.all("OnConnect")) < 20:
            net.Connect(None, 0, "127.0.0.1", local)

    client = nets(RecordingNet(OnClose=again))
    with taken:
        client.Connect(None, 0, "127.0.0.1", local)
        client.log.wait("OnClose", 20)
    assert client.log.names() == ["OnConnect", "OnClose"] * 20
    assert {event.code for event in client.log.all()} == {CODES.NetConnectionRefused}


@pytest.mark.parametrize("side", ["client", "child"])
def test_settings_are_free_in_every_onclose(side: str, listen: Listen, nets: Keep) -> None:
    rounds = 300
    problems: list[str] = []

    def change(net: Any, error: DicomExceptionCode, closed: Any) -> None:
        try:
            net.SetTlsCipherSuiteByIndex(0, 0x1302)
            net.Initialize(None, 0, None)
        except DicomException as problem:
            problems.append(str(problem))

    child = nets(RecordingNet(OnClose=change if side == "child" else lambda *arguments: None))
    listener = listen(OnAccept=lambda net, error: net.Accept(child))
    client = nets(RecordingNet(OnClose=change if side == "client" else lambda *arguments: None))
    for count in range(1, rounds + 1):
        connect(client, listener)
        listener.log.wait("OnAccept", count)
        client.CloseForced(True) if side == "client" else child.CloseForced(True)
        client.log.wait("OnClose", count)
        child.log.wait("OnClose", count)
        listener.log.wait("OnClose", count)
    assert problems == []


def test_settings_are_free_in_every_onclose_in_pumped_mode_on_a_busy_machine() -> None:
    program = """
        import threading
        from leadtools_compat.dicom import *
        DicomNet.Startup(pumped=True)
        problems, told = [], 0
        class Client(DicomNet):
            def OnConnect(self, error):
                self.CloseForced(True)
            def OnClose(self, error, net):
                global told
                told += 1
                try:
                    self.SetTlsCipherSuiteByIndex(0, 0x1302)
                except DicomException as problem:
                    problems.append(problem.Code)
        class Server(DicomNet):
            def OnAccept(self, error):
                self.child = DicomNet(None, 0)
                self.Accept(self.child)
        with Server(None, 0) as server, Client(None, 0) as client:
            server.Listen("127.0.0.1", 0, 8)
            for count in range(1, 3001):
                client.Connect(None, 0, "127.0.0.1", server.HostPort)
                while told < count:
                    DicomNet.Breathe(0.05)
        print(len(problems), *map(str, set(problems)))
    """
    with Busy():
        done = run_program(program)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)


@pytest.mark.parametrize("close", ["Close", "CloseForced"])
def test_connect_right_after_close_makes_a_new_connection(
    close: str, listen: Listen, pki: TestPki, nets: Keep
) -> None:
    rounds = 10
    listener = listen(tls_child(pki), OnClose=lambda net, error, child: child.Dispose())
    client = nets(tls_net(pki))
    for count in range(1, rounds + 1):
        connect(client, listener)
        client.log.wait("OnSecureLinkReady", count)
        client.CloseForced(True) if close == "CloseForced" else client.Close()
    client.log.wait("OnClose", rounds)
    listener.log.wait("OnClose", rounds)
    names = [name for name in client.log.names() if name != "OnVerify"]
    # The close of one connection is told before anything of the next one.
    assert names == ["OnConnect", "OnSecureLinkReady", "OnClose"] * rounds


def test_connect_right_after_close_of_a_connection_that_is_not_there_yet(
    listen: Listen, nets: Keep
) -> None:
    listener = listen()
    client = nets(RecordingNet())
    for _ in range(10):
        connect(client, listener)
        client.Close()
    connect(client, listener)
    client.log.wait("OnConnect", 11)
    until(client.IsConnected, "the last one lives")
    names = client.log.names()
    assert names == ["OnConnect", "OnClose"] * 10 + ["OnConnect"]


def test_silent_close_and_a_new_connection_tell_the_new_one_only(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen(tls_child(pki), OnClose=lambda net, error, child: child.Dispose())
    client = nets(tls_net(pki))
    for count in range(1, 6):
        connect(client, listener)
        client.log.wait("OnSecureLinkReady", count)
        client.CloseForced(False)
    connect(client, listener)
    client.log.wait("OnSecureLinkReady", 6)
    client.Close()
    client.log.wait("OnClose")
    listener.log.wait("OnClose", 6)
    names = [name for name in client.log.names() if name != "OnVerify"]
    assert names == ["OnConnect", "OnSecureLinkReady"] * 6 + ["OnClose"]


# ---- while a verdict is being given ----


@pytest.mark.parametrize("how", ["Close", "CloseForced(True)", "CloseForced(False)", "Dispose"])
def test_other_thread_ends_a_net_whose_verdict_is_pending(
    how: str, listen: Listen, pki: TestPki, nets: Keep
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def wait(net: Any, ok: int, *rest: Any) -> int:
        asked.set()
        assert answer.wait(PATIENCE)
        return ok

    listener = listen(tls_child(pki))
    client = nets(tls_net(pki, OnVerify=wait))
    connect(client, listener)
    assert asked.wait(PATIENCE)
    calls: dict[str, Callable[[], None]] = {
        "Close": client.Close,
        "CloseForced(True)": lambda: client.CloseForced(True),
        "CloseForced(False)": lambda: client.CloseForced(False),
        "Dispose": client.Dispose,
    }
    calls[how]()  # returns although the callback is still running
    assert not client.IsConnected()
    answer.set()
    child = listener.child()
    child.log.wait("OnClose")
    listener.log.wait("OnClose")
    silent = how in ("CloseForced(False)", "Dispose")
    if not silent:
        assert client.log.wait("OnClose").code == CODES.Success
    client.Dispose()
    names = [name for name in client.log.names() if name != "OnVerify"]
    assert names == ["OnConnect"] + ["OnClose"] * (not silent)


# ---- listeners ----


def test_closed_listener_ends_what_waits_for_accept(listen: Listen) -> None:
    listener = listen(OnAccept=lambda net, error: None)  # nobody is taken in
    peers = [dial(listener.HostPort) for _ in range(5)]
    listener.log.wait("OnAccept", 5)
    listener.Close()
    for peer in peers:
        with peer:
            assert read_to_end(peer)[0] == b""
    with refused(CODES.NetNoPendingConnection):
        listener.Accept(RecordingNet())
    assert "OnClose" not in listener.log.names()
    assert listener.GetClientCount() == 0


def test_listener_closed_while_onaccept_is_running_has_nothing_to_accept(listen: Listen) -> None:
    inside, closed = threading.Event(), threading.Event()

    def accept(net: Any, error: DicomExceptionCode) -> None:
        inside.set()
        assert closed.wait(PATIENCE)
        with pytest.raises(DicomException) as caught:
            net.Accept(RecordingNet())
        assert caught.value.Code == CODES.NetNoPendingConnection

    listener = listen(OnAccept=accept)
    with dial(listener.HostPort) as peer:
        assert inside.wait(PATIENCE)
        listener.Close()
        closed.set()
        listener.log.wait("OnAccept")
        assert read_to_end(peer)[0] == b""


def test_what_nobody_accepts_is_closed_at_the_handshake_limit(listen: Listen) -> None:
    listener = Listener(OnAccept=lambda net, error: None)
    with listener:
        listener.handshake_timeout = 0.2
        listener.Listen("127.0.0.1", 0, 8)
        with dial(listener.HostPort) as peer:
            assert read_to_end(peer)[0] == b""
        with refused(CODES.NetNoPendingConnection):
            listener.Accept(RecordingNet())


def test_accept_later_and_outside_of_onaccept_takes_the_oldest_first(
    listen: Listen, nets: Keep
) -> None:
    listener = listen(OnAccept=lambda net, error: None)
    peers = [dial(listener.HostPort) for _ in range(4)]
    listener.log.wait("OnAccept", 4)
    children = [nets(RecordingNet()) for _ in peers]
    for child in children:
        listener.Accept(child)
    ports = [peer.getsockname()[1] for peer in peers]
    assert [child.PeerPort for child in children] == ports
    for peer, child in zip(peers, children, strict=True):
        peer.close()
        child.log.wait("OnClose")
    listener.log.wait("OnClose", 4)


def test_child_is_used_again_for_a_second_accept(listen: Listen, pki: TestPki, nets: Keep) -> None:
    child = nets(RecordingNet(1))
    secure(child, pki.server, pki.ca_file)
    listener = listen(OnAccept=lambda net, error: net.Accept(child))
    for count in range(1, 6):
        client = nets(tls_net(pki))
        connect(client, listener)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        child.log.wait("OnSecureLinkReady", count)
        assert [listener.GetClient(0)] == [child]
        assert child.PeerPort == client.HostPort
        client.Close()
        assert child.log.wait("OnClose", count).code == CODES.Success
        assert listener.log.wait("OnClose", count).arguments == (CODES.Success, child)
        assert listener.GetClientCount() == 0
    names = [name for name in child.log.names() if name not in ("OnVerify", "OnPrivateKeyPassword")]
    assert names == ["OnSecureLinkReady", "OnClose"] * 5


def test_child_is_used_again_in_its_own_onclose(listen: Listen, nets: Keep) -> None:
    def take_the_next(net: Any, error: DicomExceptionCode, closed: Any) -> None:
        if not net.log.all("OnClose"):
            listener.Accept(net)

    child = nets(RecordingNet(OnClose=take_the_next))

    def accept_once(net: Any, error: DicomExceptionCode) -> None:
        if not net.log.all("OnAccept"):
            net.Accept(child)

    listener = listen(OnAccept=accept_once)
    with dial(listener.HostPort) as first, dial(listener.HostPort) as second:
        listener.log.wait("OnAccept", 2)
        first.close()
        child.log.wait("OnClose")
        assert child.PeerPort == second.getsockname()[1]
        listener.log.wait("OnClose")
        assert listener.GetClientCount() == 1
        assert [listener.GetClient(0)] == [child]
    child.log.wait("OnClose", 2)
    assert listener.log.wait("OnClose", 2).arguments == (CODES.Success, child)


def test_busy_child_is_refused_and_the_connection_keeps_waiting(listen: Listen, nets: Keep) -> None:
    child, other = nets(RecordingNet()), nets(RecordingNet())
    problems: list[DicomExceptionCode] = []

    def accept(net: Any, error: DicomExceptionCode) -> None:
        try:
            net.Accept(child)
        except DicomException as problem:
            problems.append(problem.Code)
            net.Accept(other)

    listener = listen(OnAccept=accept)
    with dial(listener.HostPort) as first, dial(listener.HostPort) as second:
        listener.log.wait("OnAccept", 2)
        assert problems == [CODES.NetAlreadyConnected]
        ports = [child.PeerPort, other.PeerPort]
        assert ports == [first.getsockname()[1], second.getsockname()[1]]
        assert listener.GetClientCount() == 2
    listener.log.wait("OnClose", 2)


def test_listener_listens_again_right_after_close(listen: Listen, nets: Keep) -> None:
    listener = listen()
    port = listener.HostPort
    for count in range(1, 11):
        client = nets(RecordingNet())
        client.Connect(None, 0, "127.0.0.1", port)
        listener.child(count)
        client.log.wait("OnConnect")
        listener.Close()
        listener.Listen("127.0.0.1", port, 8)
    listener.CloseForced(True)
    listener.log.wait("OnClose", 10)


def test_net_is_client_then_listener_then_client(listen: Listen, pki: TestPki, nets: Keep) -> None:
    other = listen(tls_child(pki))
    net = nets(tls_net(pki, cls=Listener))
    for count in (1, 2):
        connect(net, other)
        net.log.wait("OnSecureLinkReady", count)
        net.Close()
        net.log.wait("OnClose", 2 * count - 1)
        net.make_child = tls_child(pki)
        net.Listen("127.0.0.1", 0, 4)
        client = nets(tls_net(pki))
        connect(client, net)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        net.CloseForced(True)
        net.log.wait("OnClose", 2 * count)


def test_pump_runs_nothing_of_a_net_that_was_disposed_with_events_waiting() -> None:
    program = """
        from leadtools_compat.dicom import DicomNet
        DicomNet.Startup(pumped=True)
        class Net(DicomNet):
            told = 0
            def OnConnect(self, error): Net.told += 1
            def OnClose(self, error, net): Net.told += 1
        with Net(None, 0) as net:
            net.Connect(None, 0, "127.0.0.1", 1)
            while "not connected, Net" not in repr(net):  # the failure is known, and not told
                DicomNet.GetOpenSslVersion()
        for _ in range(10):
            assert DicomNet.Breathe(0.01) is False
        print(Net.told)
    """
    done = run_program(program)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)


def test_breathe_is_no_pump_in_worker_mode() -> None:
    assert DicomNet.Breathe(0.0) is False
