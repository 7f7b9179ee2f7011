"""Who frees a net, when, and what is left of it."""

from __future__ import annotations

import gc
import re
import subprocess
import textwrap
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat._binding import reads
from leadtools_compat.dicom import DicomExceptionCode, DicomNet
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, Listener, RecordingNet, connect, python, tls_child, tls_net

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
CODES = DicomExceptionCode


def wait_until_gone(reference: weakref.ref[Any]) -> None:
    """Wait for workers to let go of an object; what it says of itself is a cycle to collect."""
    gone = threading.Event()
    thing = reference()
    if thing is None:
        return
    weakref.finalize(thing, gone.set)
    del thing
    end = time.monotonic() + PATIENCE
    while not gone.wait(0.01):
        gc.collect()
        assert time.monotonic() < end


# ---- Dispose ----


def test_dispose_twice_is_harmless_and_closes_silently(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen(tls_child(pki))
    client = tls_net(pki)
    connect(client, listener)
    client.log.wait("OnSecureLinkReady")
    client.Dispose()
    client.Dispose()
    listener.log.wait("OnClose")
    assert "OnClose" not in client.log.names()
    assert not client.IsConnected()


def test_addresses_stay_readable_after_dispose(listen: Listen, nets: Keep) -> None:
    listener = listen()
    client = RecordingNet()
    connect(client, listener)
    client.log.wait("OnConnect")
    before = (client.PeerAddress, client.PeerPort, client.HostAddress, client.HostPort)
    client.Dispose()
    after = (client.PeerAddress, client.PeerPort, client.HostAddress, client.HostPort)
    assert before == after
    assert after[:2] == ("127.0.0.1", listener.HostPort)


def test_with_statement_disposes_through_the_override() -> None:
    calls: list[bool] = []

    class Port(DicomNet):
        def Dispose(self, disposing: bool) -> None:  # type: ignore[override]
            calls.append(disposing)
            super().Dispose(disposing)

    with Port(None, 0) as net:
        assert net.SecurityMode == 0
    assert calls == [True]
    net.Dispose()  # type: ignore[call-arg]
    net.Dispose(False)
    assert calls == [True, True, False]
    assert repr(net) == "<Port disposed>"


def test_override_of_dispose_may_have_any_shape() -> None:
    calls: list[Any] = []

    class NoArgument(DicomNet):
        def Dispose(self) -> None:  # type: ignore[override]
            calls.append("none")
            super().Dispose()

    class Default(DicomNet):
        def Dispose(self, disposing: bool = False) -> None:
            calls.append(disposing)
            super().Dispose(disposing)

    class Stars(DicomNet):
        def Dispose(self, *args: Any, **kwargs: Any) -> None:
            calls.append((args, kwargs))
            super().Dispose(*args, **kwargs)

    class Inherits(Default):
        def Dispose(self, __p1: bool) -> None:  # type: ignore[override]  # noqa: PYI063
            calls.append(__p1)
            super().Dispose(__p1)

    for cls in (NoArgument, Default, Stars, Inherits):
        with cls(None, 0):
            pass
    assert calls == ["none", False, ((), {}), True, True]


def test_dispose_from_many_threads_frees_once(listen: Listen) -> None:
    listener = listen()
    client = RecordingNet()
    connect(client, listener)
    client.log.wait("OnConnect")
    barrier = threading.Barrier(8)

    def dispose() -> None:
        barrier.wait(PATIENCE)
        client.Dispose()

    threads = [threading.Thread(target=dispose) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert client.PeerPort == listener.HostPort
    listener.log.wait("OnClose")


# ---- the collector ----


def test_collected_open_net_warns_and_closes(listen: Listen) -> None:
    listener = listen()
    client = RecordingNet()
    connect(client, listener)
    client.log.wait("OnConnect")
    with pytest.warns(ResourceWarning, match="a RecordingNet was connected"):
        del client
        gc.collect()
    listener.log.wait("OnClose")


def test_collected_listener_warns_and_its_port_is_free() -> None:
    listener = Listener()
    listener.Listen("127.0.0.1", 0, 1)
    port = listener.HostPort
    with pytest.warns(ResourceWarning, match="a Listener was listening"):
        del listener
        gc.collect()
    with Listener() as again:
        again.Listen("127.0.0.1", port, 1)


def test_nets_that_are_not_open_go_without_a_word(listen: Listen) -> None:
    listener = listen()
    client = RecordingNet()
    connect(client, listener)
    client.log.wait("OnConnect")
    client.Close()
    client.log.wait("OnClose")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DicomNet(None, 1)
        del client
        gc.collect()


def test_net_goes_at_once_when_its_last_reference_goes() -> None:
    gc.disable()
    try:
        net = RecordingNet()
        reference = weakref.ref(net)
        del net
        assert reference() is None
    finally:
        gc.enable()


def test_exception_of_a_callback_does_not_keep_the_net_for_ever(
    listen: Listen, pki: TestPki, unraisable: Any
) -> None:
    def fail(net: Any, *arguments: Any) -> int:
        raise ValueError("no")

    client = tls_net(pki, OnVerify=fail)
    connect(client, listen(tls_child(pki)))
    client.log.wait("OnClose")
    assert isinstance(client.failure.exception, ValueError)
    unraisable.expect(ValueError)
    reference = weakref.ref(client)
    del client
    wait_until_gone(reference)


# ---- children ----


def test_listener_keeps_its_children_until_their_close_is_told(listen: Listen, nets: Keep) -> None:
    references: list[weakref.ref[Any]] = []
    told = []

    def accept(net: Any, error: DicomExceptionCode) -> None:
        child = RecordingNet()
        references.append(weakref.ref(child))
        net.Accept(child)

    def close(net: Any, error: DicomExceptionCode, child: Any) -> None:
        told.append((type(child).__name__, child.PeerAddress, child.PeerPort))

    listener = listen(OnAccept=accept, OnClose=close)
    client = nets(RecordingNet())
    connect(client, listener)
    listener.log.wait("OnAccept")
    client.log.wait("OnConnect")
    gc.collect()
    child = references[0]()
    assert child is not None
    assert child.IsConnected()
    assert listener.GetClientCount() == 1
    assert listener.GetClient(0) is child
    del child
    port = client.HostPort
    client.Close()
    event = listener.log.wait("OnClose")
    assert told == [("RecordingNet", "127.0.0.1", port)]
    assert listener.GetClientCount() == 0
    listener.log = type(listener.log)()
    del event
    wait_until_gone(references[0])


def test_child_hears_its_close_before_the_listener_does(listen: Listen, nets: Keep) -> None:
    order: list[str] = []
    listener = listen(
        lambda: RecordingNet(OnClose=lambda *arguments: order.append("child")),
        OnClose=lambda *arguments: order.append("listener"),
    )
    client = nets(RecordingNet())
    connect(client, listener)
    child = listener.child()
    client.log.wait("OnConnect")
    client.Close()
    event = listener.log.wait("OnClose")
    assert order == ["child", "listener"]
    assert event.arguments == (CODES.Success, child)


def test_child_disposed_in_its_own_onclose_is_still_told_to_the_listener(
    listen: Listen, nets: Keep
) -> None:
    listener = listen(lambda: RecordingNet(OnClose=lambda net, *arguments: net.Dispose()))
    client = nets(RecordingNet())
    connect(client, listener)
    child = listener.child()
    client.log.wait("OnConnect")
    client.Close()
    event = listener.log.wait("OnClose")
    assert event.arguments[1] is child
    assert child.PeerPort == client.HostPort
    assert repr(child) == "<RecordingNet disposed>"


def test_child_disposed_by_the_program_is_let_go(listen: Listen, nets: Keep) -> None:
    listener = listen()
    client = nets(RecordingNet())
    connect(client, listener)
    child = listener.child()
    listener.children.clear()
    child.Dispose()
    client.log.wait("OnClose")
    reference = weakref.ref(child)
    del child
    wait_until_gone(reference)
    assert listener.GetClientCount() == 0


def test_child_disposed_in_the_listeners_onclose(listen: Listen, nets: Keep) -> None:
    listener = listen(OnClose=lambda net, error, child: child.Dispose())
    client = nets(RecordingNet())
    connect(client, listener)
    child = listener.child()
    client.log.wait("OnConnect")
    client.Close()
    listener.log.wait("OnClose")
    assert repr(child) == "<RecordingNet disposed>"


def test_forced_close_of_a_listener_closes_the_children(listen: Listen, nets: Keep) -> None:
    listener = listen()
    client = nets(RecordingNet())
    connect(client, listener)
    child = listener.child()
    client.log.wait("OnConnect")
    listener.CloseForced(True)
    child.log.wait("OnClose")
    client.log.wait("OnClose")
    assert not child.IsConnected()


def test_disposed_listener_lets_go_of_everything(listen: Listen, nets: Keep) -> None:
    listener = listen()
    client = nets(RecordingNet())
    connect(client, listener)
    reference = weakref.ref(listener.child())
    client.log.wait("OnConnect")
    listener.Dispose()
    listener.children.clear()
    client.log.wait("OnClose")
    wait_until_gone(reference)


def test_closed_listener_leaves_its_children_connected(listen: Listen, nets: Keep) -> None:
    listener = listen()
    client = nets(RecordingNet())
    connect(client, listener)
    child = listener.child()
    listener.Close()
    assert child.IsConnected()
    assert "listening" not in repr(listener)
    client.Close()
    child.log.wait("OnClose")


# ---- the process ----


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python("-X", "dev", "-c", textwrap.dedent(program), *arguments)


def test_interpreter_ends_with_open_nets_and_without_a_word(pki: TestPki) -> None:
    program = """
        import sys, threading
        from leadtools_compat.dicom import *
        ready = threading.Event()
        class Net(DicomNet):
            def __init__(self):
                super().__init__(None, 1)
                self.Initialize(None, 1, DicomOpenSslContextCreationSettings(0, sys.argv[1], 3, 9, 0))
                self.SetTlsClientCertificate(sys.argv[2], 1, None)
            def OnVerify(self, ok, text, error): return ok
            def OnAccept(self, error): self.child = Net(); self.Accept(self.child)
            def OnSecureLinkReady(self, error): ready.set()
            def OnClose(self, error, net): print("closed")
        server, client = Net(), Net()
        server.Listen("127.0.0.1", 0, 1)
        client.Connect(None, 0, "127.0.0.1", server.HostPort)
        assert ready.wait(20)
        client.cycle = client
    """
    done = run(program, pki.ca_file, pki.client.combined_file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_interpreter_ends_during_a_callback(pki: TestPki) -> None:
    program = """
        import threading
        from leadtools_compat.dicom import *
        inside = threading.Event()
        class Net(DicomNet):
            def OnAccept(self, error):
                inside.set()
                threading.Event().wait()
        server, client = Net(None, 0), DicomNet(None, 0)
        server.Listen("127.0.0.1", 0, 1)
        client.Connect(None, 0, "127.0.0.1", server.HostPort)
        assert inside.wait(20)
    """
    done = run(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_forked_child_frees_nothing() -> None:
    program = """
        import os, sys, threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads
        from leadtools_compat.dicom import *
        connected, closed = threading.Event(), threading.Event()
        class Net(DicomNet):
            def OnAccept(self, error): self.child = Net(None, 0); self.Accept(self.child)
            def OnConnect(self, error): connected.set()
            def OnClose(self, error, net): closed.set()
        server, client = Net(None, 0), Net(None, 0)
        server.Listen("127.0.0.1", 0, 1)
        client.Connect(None, 0, "127.0.0.1", server.HostPort)
        assert connected.wait(20)
        pid = os.fork()
        if pid == 0:
            client.Dispose()
            del server
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        assert client.IsConnected() and not closed.is_set()
        client.CloseForced(True)
        assert closed.wait(20)
        server.Dispose(); client.Dispose()
        print("parent is fine")
    """
    done = run(program)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "parent is fine\n"


def test_library_has_no_nets_left_when_all_are_gone() -> None:
    program = """
        import gc
        from leadtools_compat._binding import reads
        from leadtools_compat.dicom import *
        for _ in range(200):
            DicomNet(None, 1)
        nets = [DicomNet(None, 0) for _ in range(50)]
        assert reads.statistics()["nets"] == 50, reads.statistics()
        for net in nets:
            net.Dispose()
        print(reads.statistics()["nets"])
    """
    done = run(program)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)


def test_statistics_have_all_numbers() -> None:
    numbers = reads.statistics()
    assert set(numbers) >= {"nets", "connections", "threads", "handshakes", "accepted", "links"}
    assert all(re.fullmatch(r"\d+", str(value)) for value in numbers.values())
