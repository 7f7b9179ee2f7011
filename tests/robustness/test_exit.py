"""Ends of the process: the exit code is right, and nobody says a word on stderr."""

from __future__ import annotations

import signal
import time

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_programs import outcome, run, traceback_of
from tests.robustness.robust_tools import (
    sanitized,
)
from tests.support import PATIENCE

ENDS = {
    "falls off the end": ("pass", 0, ""),
    "sys.exit": ("sys.exit(3)", 3, ""),
    "os._exit": ("os._exit(4)", 4, ""),
    "exception": ("raise RuntimeError('as expected')", 1, "RuntimeError: as expected"),
    "exit in a thread": ("threading.Thread(target=lambda: os._exit(5)).start()", 5, ""),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
}
STATES = {
    "open link": "server, client = link()",
    "in the handshake": "server, client = link(wait=False)",
    "open link in a cycle": "server, client = link(); client.me = client; server.client = client",
    "global names gone": "pair = link(); del Net, Server",
    "closing": "server, client = link(); client.Close(); server.Close()",
}


@pytest.mark.parametrize("end", ENDS)
def test_program_ends_with_an_open_link(end: str, pki: TestPki) -> None:
    statement, code, expected = ENDS[end]
    done = run(STATES["open link"] + "\n" + statement, pki)
    assert done.returncode == code, done.stderr
    assert done.stderr == "" if not expected else traceback_of(expected, done.stderr)
    assert done.stdout == ""


@pytest.mark.parametrize("state", list(STATES)[1:])
def test_program_falls_off_its_end_in_any_state(state: str, pki: TestPki) -> None:
    assert outcome(run(STATES[state], pki)) == (0, "", "")


def test_program_ends_in_pumped_mode_with_events_and_a_verdict_waiting(pki: TestPki) -> None:
    text = """
    DicomNet.Startup(pumped=True)
    server, client = link(wait=False)
    while not client.connected.is_set():
        DicomNet.Breathe(0.05)
    threading.Event().wait(0.3)  # the handshake goes on, and asks for a verdict
    """
    began = time.monotonic()
    assert outcome(run(text, pki)) == (0, "", "")
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    ("doing", "name"),
    [
        ("waits", "OnConnect"),
        ("waits", "OnVerify"),
        ("waits", "OnSecureLinkReady"),
        ("waits", "OnClose"),
        ("computes", "OnVerify"),
        ("computes", "OnClose"),
        ("makes nets", "OnConnect"),
        ("makes nets", "OnVerify"),
    ],
)
def test_program_ends_while_a_callback_is_running(doing: str, name: str, pki: TestPki) -> None:
    if doing != "waits" and sanitized():
        pytest.skip("Python ends the thread by pthread_exit, which ASan takes for a fault")
    bodies = {
        "waits": "threading.Event().wait()",
        "computes": "[None for _ in iter(int, 1)]",
        "makes nets": "[self.churn() for _ in iter(int, 1)]",
    }
    text = f"""
    inside = threading.Event()
    class Busy(Net):
        def churn(self):
            with Net("client") as net:
                net.IsConnected()
        def {name}(self, *arguments):
            inside.set()
            {bodies[doing]}
            return 1
    server = Server()
    server.Listen("127.0.0.1", 0, 4)
    client = Busy("client")
    client.Connect(None, 0, "127.0.0.1", server.HostPort)
    if {name!r} == "OnClose":
        assert client.ready.wait(20)
        client.Close()
    assert inside.wait(20)
    """
    began = time.monotonic()
    done = run(text, pki)
    assert outcome(done) == (0, "", "")
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize("pumped", [False, True])
def test_program_ends_while_daemon_threads_use_nets(pumped: bool, pki: TestPki) -> None:
    text = f"""
    DicomNet.Startup(pumped={pumped})
    server = Server()
    server.Listen("127.0.0.1", 0, 16)
    port = server.HostPort
    rounds = threading.Semaphore(0)
    def churn():
        while True:
            with Net("client") as net:
                net.Connect(None, 0, "127.0.0.1", port)
                for _ in range(20):
                    net.failure, net.IsConnected(), repr(net)
                    DicomNet.Breathe(0.001)
            rounds.release()
    def breathe():
        while True:
            DicomNet.Breathe(math.inf)
    for target in (churn, churn, churn, breathe):
        threading.Thread(target=target, daemon=True).start()
    for _ in range(20):
        assert rounds.acquire(timeout=20)
    """
    assert outcome(run(text, pki)) == (0, "", "")


def test_atexit_of_the_program_may_use_nets(pki: TestPki) -> None:
    text = """
    import atexit
    server, client = link()
    def last():
        assert client.IsConnected()
        end(server, client)
        print("closed in order")
    atexit.register(last)
    """
    assert outcome(run(text, pki)) == (0, "closed in order\n", "")


def test_finalizer_of_the_program_may_touch_a_net_that_is_gone(pki: TestPki) -> None:
    text = """
    import weakref
    server, client = link()
    class Holder:
        def __del__(self, client=client):
            client.IsConnected(); client.failure; repr(client); client.Dispose()
    holder = Holder()
    holder.me = holder
    sys.modules["keep_until_the_very_end"] = holder
    """
    assert outcome(run(text, pki)) == (0, "", "")
