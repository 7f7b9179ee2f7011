"""Crowds that are silent, too many, or more than there are descriptors for: a proper client gets in."""

from __future__ import annotations

import json
import resource
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import IO, Any

import pytest

from leadtools_compat.dicom import DicomException, DicomExceptionCode
from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import dial, read_to_end
from tests.robustness.robust_tools import (
    command,
    environment,
    run_program,
    sanitized,
    statistics,
    threads_of_this_process,
    until,
)
from tests.support import PATIENCE, Listener, RecordingNet, connect, secure, tls_child, tls_net

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
CODES = DicomExceptionCode
MAX_THREADS = 64
"""Of the engine (csrc/ldc_engine.c)."""


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Raise the soft limit of descriptors as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def patient_children(pki: TestPki, limit: float) -> Callable[[], RecordingNet]:
    """Make a function that makes children with a handshake limit."""

    def make() -> RecordingNet:
        child = RecordingNet(1)
        secure(child, pki.server, pki.ca_file)
        child.handshake_timeout = limit
        return child

    return make


# ---- silent ones ----


def silent_crowd(
    count: int, limit: float, within: float, listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen(patient_children(pki, limit))
    before = threads_of_this_process() - statistics()["threads"]
    with ExitStack() as stack:
        began = time.monotonic()
        peers = [stack.enter_context(dial(listener.HostPort)) for _ in range(count)]
        listener.log.wait("OnAccept", count)
        client = nets(tls_net(pki))
        if time.monotonic() - began < limit / 2:
            until(lambda: statistics()["handshakes"] == count, "all of them are silent")
        dialled = time.monotonic()
        connect(client, listener)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        took = time.monotonic() - dialled
        assert took <= within or sanitized(), f"a proper client needed {took:.2f} s"
        assert statistics()["threads"] <= MAX_THREADS
        assert threads_of_this_process() - before <= MAX_THREADS
        good = listener.child(count + 1)
        good.log.wait("OnSecureLinkReady")

        # Each of the silent ones is closed by its own timer, and named.
        children = listener.children[:count]
        for child in children:
            assert child.log.wait("OnClose").code == CODES.TlsHandshakeTimeout
        ended = time.monotonic() - began
        assert ended >= limit
        for child in children:
            failure = child.failure
            assert (failure.code, failure.stage, failure.side) == (
                CODES.TlsHandshakeTimeout,
                "tls",
                "peer",
            )
            assert "nothing" in failure.message
            assert failure.elapsed >= limit * 0.99
            assert child.log.names()[-2:] == ["OnSecureLinkReady", "OnClose"]
        for peer in peers:
            assert read_to_end(peer) == (b"", True)
        listener.log.wait("OnClose", count)
        assert good.IsConnected()
        assert client.IsConnected()
        print(f"{count} silent: client in {took * 1000:.0f} ms, all closed after {ended:.1f} s")
    assert listener.GetClientCount() == 1
    client.Close()
    good.log.wait("OnClose")


def test_twenty_silent_connections_disturb_nobody(listen: Listen, pki: TestPki, nets: Keep) -> None:
    silent_crowd(20, 1.5, PATIENCE, listen, pki, nets)


@pytest.mark.soak
def test_thousand_silent_connections_disturb_nobody(
    many_descriptors: None, listen: Listen, pki: TestPki, nets: Keep
) -> None:
    silent_crowd(1000, 20.0, 2.0, listen, pki, nets)


@pytest.mark.soak
def test_four_thousand_silent_connections_push_out_each_other_at_the_default_limit(
    many_descriptors: None, listen: Listen, nets: Keep, pki: TestPki
) -> None:
    """Nobody calls Accept: what waits has the total limit of handshakes, 4 096 by default."""
    listener = listen(OnAccept=lambda net, error: None)
    with ExitStack() as stack:
        peers = [stack.enter_context(dial(listener.HostPort)) for _ in range(4200)]
        listener.log.wait("OnAccept", 4200)
        poll = select.poll()
        for peer in peers:
            poll.register(peer, select.POLLIN)

        def gone() -> int:
            return len(poll.poll(0))

        until(lambda: gone() >= 4200 - 4096, "the oldest are closed")
        assert gone() == 4200 - 4096
        listener.CloseForced(False)


def crowd_that_comes_and_goes(count: int, listen: Listen, pki: TestPki, nets: Keep) -> None:
    """Health checks: connect and close, as fast as they can; each is told once."""
    told: list[DicomExceptionCode] = []

    def close(net: Any, error: DicomExceptionCode, child: Any) -> None:
        child.Dispose()
        told.append(error)

    listener = listen(tls_child(pki), OnClose=close)
    at_once = 1000  # fewer than may wait for Accept
    for number in range(1, count + 1):
        dial(listener.HostPort).close()
        if number in (count, number // at_once * at_once):
            until(lambda: len(told) >= number, f"{number} are told", PATIENCE * 6)  # noqa: B023
            listener.children.clear()
    listener.log.wait("OnClose", count)
    assert {event.code for event in listener.log.all("OnClose")} == {CODES.NetConnectionAborted}
    assert len(listener.log.all("OnClose")) == len(listener.log.all("OnAccept")) == count
    client = nets(tls_net(pki))
    connect(client, listener)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert listener.GetClientCount() == 1
    client.Close()
    listener.log.wait("OnClose", count + 1)


def test_onaccept_is_not_called_for_connections_that_were_dropped_before_it(
    listen: Listen, pki: TestPki
) -> None:
    """A program that calls Accept once in each OnAccept never finds nothing to accept."""
    inside, go = threading.Event(), threading.Event()
    problems: list[DicomExceptionCode] = []

    def accept(net: Any, error: DicomExceptionCode) -> None:
        inside.set()
        assert go.wait(PATIENCE)
        children.append(net.make_child())
        try:
            net.Accept(children[-1])
        except DicomException as problem:
            problems.append(problem.Code)

    children: list[Any] = []
    listener = listen(tls_child(pki), OnAccept=accept)
    listener.Close()
    listener.limits["handshakes_total"] = 4  # as many as may wait
    listener.Listen("127.0.0.1", 0, 16)
    with ExitStack() as stack:
        peers = [stack.enter_context(dial(listener.HostPort)) for _ in range(10)]
        assert inside.wait(PATIENCE)
        for peer in peers[:6]:
            assert read_to_end(peer)[0] == b""
        go.set()
        listener.log.wait("OnAccept", 4)
        until(lambda: listener.GetClientCount() == 4, "the newest four are taken in")
        listener.CloseForced(True)
        listener.log.wait("OnClose", 4)
    for child in children:
        child.Dispose()
    assert problems == []


def test_hundred_health_checks_are_told_once_each(listen: Listen, pki: TestPki, nets: Keep) -> None:
    crowd_that_comes_and_goes(100, listen, pki, nets)


@pytest.mark.soak
def test_ten_thousand_health_checks_are_told_once_each(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    crowd_that_comes_and_goes(10_000, listen, pki, nets)


# ---- limits of unfinished handshakes ----


def closed_by_us(peer: socket.socket) -> bool:
    return bool(select.select([peer], [], [], 0)[0])


def test_past_the_limit_of_an_address_the_oldest_goes_and_the_newest_lives(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen(patient_children(pki, 3600.0))
    listener.limits["handshakes_per_address"] = 5
    with ExitStack() as stack:
        peers = [stack.enter_context(dial(listener.HostPort)) for _ in range(8)]
        listener.log.wait("OnAccept", 8)
        for child in listener.children[:3]:
            assert child.log.wait("OnClose").code == CODES.NetTooManyConnections
            assert child.failure.code == CODES.NetTooManyConnections
            assert child.failure.stage == "tls"
            assert "oldest" in child.failure.message
            assert child.failure.remedy
        for peer in peers[:3]:
            assert read_to_end(peer)[0] == b""
        other = stack.enter_context(dial(listener.HostPort, source="127.0.0.2"))
        listener.log.wait("OnAccept", 9)
        # Another address has its own count, and a proper client gets in at the cost of the oldest.
        client = nets(tls_net(pki))
        connect(client, listener)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        assert listener.children[3].log.wait("OnClose").code == CODES.NetTooManyConnections
        assert not any(closed_by_us(peer) for peer in [*peers[4:], other])
        until(lambda: statistics()["handshakes"] == 5, "four of the crowd, and the other one")
        names = [child.log.names() for child in listener.children[:4]]
        assert names == [["OnSecureLinkReady", "OnClose"]] * 4
        listener.CloseForced(True)
        for peer in [*peers[4:], other]:
            assert read_to_end(peer)[0] == b""


def test_past_the_limit_in_total_the_oldest_goes_whatever_its_address(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen(patient_children(pki, 3600.0))
    listener.limits["handshakes_total"] = 4
    with ExitStack() as stack:
        peers = []
        for number in range(1, 7):
            source = f"127.0.0.{number}"
            peers.append(stack.enter_context(dial(listener.HostPort, source=source)))
            listener.log.wait("OnAccept", number)
        for child in listener.children[:2]:
            assert child.log.wait("OnClose").code == CODES.NetTooManyConnections
        assert not any(closed_by_us(peer) for peer in peers[2:])
        client = nets(tls_net(pki))
        connect(client, listener)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        assert listener.children[2].log.wait("OnClose").code == CODES.NetTooManyConnections
        assert not any(closed_by_us(peer) for peer in peers[3:])
        listener.CloseForced(True)


def test_loopback_has_no_limit_per_address_unless_one_is_set(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    count = 140  # the default for others is 128
    listener = listen(patient_children(pki, 3600.0))
    with ExitStack() as stack:
        peers = [stack.enter_context(dial(listener.HostPort)) for _ in range(count)]
        listener.log.wait("OnAccept", count)
        until(lambda: statistics()["handshakes"] == count, "all of them wait for a hello")
        assert not any(closed_by_us(peer) for peer in peers)
        listener.CloseForced(True)
        listener.log.wait("OnClose", count)


def test_limit_of_connections_turns_away_the_newest_and_takes_in_again(
    listen: Listen, nets: Keep
) -> None:
    listener = Listener()
    nets(listener)
    listener.limits["connections"] = 3
    listener.Listen("127.0.0.1", 0, 8)
    with ExitStack() as stack:
        peers = [stack.enter_context(dial(listener.HostPort)) for _ in range(3)]
        listener.log.wait("OnAccept", 3)
        for _ in range(5):
            with dial(listener.HostPort) as more:
                assert read_to_end(more)[0] == b""
        assert listener.GetClientCount() == 3
        peers[0].close()
        listener.log.wait("OnClose")
        assert listener.GetClientCount() == 2
        again = stack.enter_context(dial(listener.HostPort))
        listener.log.wait("OnAccept", 4)
        assert listener.GetClientCount() == 3
        assert not any(closed_by_us(peer) for peer in [*peers[1:], again])
        listener.CloseForced(True)
        listener.log.wait("OnClose", 4)


# ---- no descriptors left ----

STARVING = """
    import json, logging, os, resource, sys, threading, time
    from leadtools_compat._binding import reads
    from leadtools_compat.dicom import *

    lines = []
    class Keep(logging.Handler):
        def emit(self, record):
            if record.levelno >= logging.ERROR:
                lines.append(record.getMessage())
    logging.getLogger("leadtools_compat").addHandler(Keep())
    logging.getLogger("leadtools_compat").propagate = False

    children, changed = [], threading.Condition()
    class Child(DicomNet):
        pass
    class Server(DicomNet):
        def OnAccept(self, error):
            child = Child(None, 0)
            self.Accept(child)
            with changed:
                children.append(child)
                changed.notify_all()
    server = Server(None, 0)
    server.Listen("127.0.0.1", 0, 64)
    # One connection before the famine, so that the engine has all descriptors of its own.
    with DicomNet(None, 0) as first:
        first.Connect(None, 0, "127.0.0.1", server.HostPort)
        with changed:
            assert changed.wait_for(lambda: children, 20)
        children.pop().Close()
    while reads.statistics()["connections"] > 1:
        threading.Event().wait(0.01)
    room = int(sys.argv[1])
    used = len(os.listdir("/proc/self/fd")) - 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + room, hard))
    print(json.dumps({"port": server.HostPort}), flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "wait":  # until this many have been taken in
            with changed:
                ok = changed.wait_for(lambda: len(children) >= int(words[1]), 20)
        elif words[0] == "free":
            for child in children:
                child.CloseForced(False)
            end = time.monotonic() + 20
            while reads.statistics()["connections"] > 1 and time.monotonic() < end:
                threading.Event().wait(0.01)
            ok = reads.statistics()["connections"] == 1
            children.clear()
        else:
            ok = True
        times = os.times()
        print(json.dumps({"ok": ok, "children": len(children), "lines": lines,
                          "cpu": times.user + times.system}), flush=True)
    server.Dispose()
"""


class Starving:
    """A listener in a process that has room for a few descriptors only."""

    def __init__(self, room: int) -> None:
        self.process = subprocess.Popen(
            command(STARVING, str(room)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.port = int(self._read()["port"])

    def answers(self) -> IO[str]:
        out: IO[str] | None = self.process.stdout
        assert out is not None
        return out

    def _read(self) -> dict[str, Any]:
        line = self.answers().readline()
        assert line, self.process.communicate()[1]
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, *words: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(*words, file=self.process.stdin, flush=True)
        return self._read()

    def end(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


@pytest.mark.skipif(sanitized(), reason="a sanitizer opens files of its own")
def test_listener_without_descriptors_turns_away_says_so_once_and_recovers() -> None:
    room, dialled = 8, 40
    starving = Starving(room)
    with ExitStack() as stack:
        peers = [stack.enter_context(dial(starving.port)) for _ in range(dialled)]
        taken = starving.ask("wait", room)
        assert taken["ok"], taken
        turned_away = dialled - room
        until(lambda: sum(map(closed_by_us, peers)) >= turned_away, "the others are turned away")
        for peer in peers:
            if closed_by_us(peer):
                assert read_to_end(peer)[0] == b""
        assert sum(map(closed_by_us, peers)) == turned_away

        # It holds, without spinning: 1 s in which nobody comes, and then more are turned away.
        before = starving.ask("look")
        assert not select.select([starving.answers()], [], [], 1.0)[0]
        after = starving.ask("look")
        assert after["cpu"] - before["cpu"] < 0.2, "it spins"
        with dial(starving.port) as more:
            assert read_to_end(more)[0] == b""
        now = starving.ask("look")
        assert now["children"] == room
        assert len(now["lines"]) == 1, now["lines"]
        assert "descriptors" in now["lines"][0]

        assert starving.ask("free")["ok"]
        for peer in peers:
            peer.close()
        again = [stack.enter_context(dial(starving.port)) for _ in range(room)]
        taken = starving.ask("wait", room)
        assert taken["ok"], taken
        assert taken["children"] == room
        assert not any(map(closed_by_us, again))
        assert len(taken["lines"]) == 1
    assert starving.end() == (0, "")


# Fills all free descriptors and keeps them in `filler`; `os.close` gives one back.
FILL = """
    def fill(free):
        import os, resource
        highest = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 20, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        filler = []
        try:
            while True:
                filler.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        for _ in range(free):
            os.close(filler.pop())
        return filler
"""


@pytest.mark.skipif(sanitized(), reason="a sanitizer opens files of its own")
def test_first_timer_works_although_it_was_set_when_no_descriptor_was_left() -> None:
    program = (
        FILL
        + """
    import os, sys, threading
    from leadtools_compat.dicom import *
    accepted = threading.Event()
    class Server(DicomNet):
        def OnAccept(self, error): accepted.set()  # and nobody takes it in
    server = Server(None, 0)
    server.handshake_timeout = 0.3
    server.Listen("127.0.0.1", 0, 1)
    filler = fill(1)
    print(server.HostPort, flush=True)
    assert accepted.wait(20)
    for one in filler:
        os.close(one)
    print("free again", flush=True)
    sys.stdin.readline()
    server.Dispose()
    """
    )
    with subprocess.Popen(
        command(program),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        with dial(int(process.stdout.readline())) as peer:
            assert process.stdout.readline() == "free again\n"
            closed = select.select([peer], [], [], 5.0)[0]
        process.communicate("end\n", timeout=PATIENCE)
    assert process.returncode == 0
    assert closed, "the limit of 0.3 s was set, and never came"


@pytest.mark.skipif(sanitized(), reason="a sanitizer opens files of its own")
def test_connect_and_listen_without_descriptors_say_what_is_missing() -> None:
    program = (
        FILL
        + """
    import os, sys, threading
    from leadtools_compat.dicom import *
    told, closed = [], threading.Event()
    class Client(DicomNet):
        def OnConnect(self, error): told.append(error)
        def OnClose(self, error, net): told.append(error); closed.set()
    client, other = Client(None, 0), Client(None, 0)
    client.Connect(None, 0, "127.0.0.1", int(sys.argv[1]))
    assert closed.wait(20)  # refused: the engine has all descriptors of its own
    del told[:]
    closed.clear()
    fds = "/proc/self/fd/"
    while any("socket:" in os.path.realpath(fds + one) for one in os.listdir(fds)):
        pass  # its descriptor is closed a moment after OnClose
    filler = fill(0)
    def tells(problem):
        return "open files" in str(problem) or "descriptor" in str(problem)
    try:
        other.Listen("127.0.0.1", 0, 1)
    except DicomException as problem:
        print("Listen", problem.Code, tells(problem))
    client.Connect(None, 0, "127.0.0.1", int(sys.argv[1]))
    assert closed.wait(20)
    print("Connect", *map(str, told), client.failure.side, tells(client.failure))
    for one in filler:
        os.close(one)
    del told[:]
    closed.clear()
    client.Connect(None, 0, "127.0.0.1", int(sys.argv[1]))
    assert closed.wait(20)
    print("Connect", *map(str, told))
    other.Listen("127.0.0.1", 0, 1)
    client.Dispose(); other.Dispose()
    """
    )
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        done = run_program(program, str(deaf.getsockname()[1]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Listen NetFailure True",
        "Connect NetFailure NetFailure local True",
        "Connect NetConnectionRefused NetConnectionRefused",
    ]
