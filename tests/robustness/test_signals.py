"""Signals and descriptors of the program: they stay the program's, and Ctrl-C ends a wait at once."""

from __future__ import annotations

import signal
import subprocess
import threading
import time

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_programs import outcome, program, run, traceback_of
from tests.robustness.robust_tools import (
    command,
    environment,
)
from tests.support import PATIENCE, without_failures

# ---- Ctrl-C ----

WAITS = {
    "Breathe in worker mode": ("", "DicomNet.Breathe(math.inf)"),
    "Breathe in pumped mode": (
        "DicomNet.Startup(pumped=True)",
        "[DicomNet.Breathe(math.inf) for _ in iter(int, 1)]",
    ),
    "Breathe in short breaths": (
        "DicomNet.Startup(pumped=True)",
        "[DicomNet.Breathe(0.05) for _ in iter(int, 1)]",
    ),
    "an event": ("", "threading.Event().wait()"),
    "connecting again and again": ("", "[again() for _ in iter(int, 1)]"),
}


@pytest.mark.parametrize("caught", [True, False], ids=["caught", "not caught"])
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_at_once(wait: str, caught: bool, pki: TestPki) -> None:
    before, statement = WAITS[wait]
    text = f"""
    {before or "pass"}
    server, client = link(wait=False)
    net = Net()
    def again():
        net.closed.clear()
        net.Connect(None, 0, "127.0.0.1", 1)
        net.closed.wait()
    print("waiting", flush=True)
    try:
        {statement}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        {"" if caught else "raise"}
    server.Dispose(); client.Dispose(); net.Dispose()
    """
    with subprocess.Popen(
        command(program(text), str(pki.directory)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        threading.Event().wait(0.1)  # well inside the wait
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        took = time.monotonic() - began
        out, errors = process.communicate(timeout=PATIENCE)
        errors = without_failures(errors)
    assert took < 1.0, f"{took:.2f} s"
    assert out == ""
    if caught:
        assert (process.returncode, errors) == (0, "")
    else:
        assert process.returncode == -signal.SIGINT
        assert traceback_of("KeyboardInterrupt", errors), errors


def test_ctrl_c_during_a_callback_of_a_worker_reaches_the_main_thread_only(pki: TestPki) -> None:
    text = """
    class Slow(Net):
        def OnConnect(self, error):
            print("inside", flush=True)
            go.wait(20)
            super().OnConnect(error)
    go = threading.Event()
    server = Server()
    server.Listen("127.0.0.1", 0, 4)
    client = Slow("client")
    try:
        client.Connect(None, 0, "127.0.0.1", server.HostPort)
        client.ready.wait()
    except KeyboardInterrupt:
        go.set()
    assert client.ready.wait(20) and client.code == 0
    print("linked", flush=True)
    """
    with subprocess.Popen(
        command(program(text), str(pki.directory)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, errors) == (0, "linked\n", "")


# ---- SIGPIPE and the other signals ----


@pytest.mark.parametrize("disposition", ["SIG_IGN", "SIG_DFL", "handler"])
def test_sigpipe_and_the_signal_mask_stay_as_the_program_has_them(
    disposition: str, pki: TestPki
) -> None:
    text = f"""
    import socket, struct
    def handler(number, frame):
        print("SIGPIPE")
    wanted = {{"SIG_IGN": signal.SIG_IGN, "SIG_DFL": signal.SIG_DFL}}.get({disposition!r}, handler)
    signal.signal(signal.SIGPIPE, wanted)
    def look():
        with open("/proc/self/status") as status:
            return [line for line in status if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
    def reset(peer):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    class Plain(Server):
        def OnAccept(self, error):
            self.child = Net()
            self.Accept(self.child)
    first = threading.Thread(target=look)  # glibc handles a signal of its own from then on
    first.start()
    first.join()
    before = look()
    # Peers that are gone when we write to them: our alert, our A-ABORT, our hello, our goodbye.
    tls, plain = Server(), Plain()
    for listener in (tls, plain):
        listener.Listen("127.0.0.1", 0, 4)
        for data in (b"GET / HTTP/1.1", b"\\x16\\x03\\x01\\x40\\x00" + bytes(64)):
            for _ in range(10):
                listener.closed.clear()
                peer = socket.create_connection(("127.0.0.1", listener.HostPort))
                peer.sendall(data)
                reset(peer)
                assert listener.closed.wait(20)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        for _ in range(10):
            with Net("client") as client:
                client.Connect(None, 0, "127.0.0.1", deaf.getsockname()[1])
                peer, _ = deaf.accept()
                reset(peer)
                assert client.closed.wait(20)
    server, client = link()
    server.child.CloseForced(True)
    client.Close()
    assert client.closed.wait(20)
    assert look() == before, (before, look())
    assert signal.getsignal(signal.SIGPIPE) is wanted
    """
    assert outcome(run(text, pki)) == (0, "", "")


def test_workers_take_no_signal_of_the_program(pki: TestPki) -> None:
    text = """
    seen = []
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM):
        signal.signal(number, lambda number, frame: seen.append(
            (number, threading.current_thread() is threading.main_thread())))
    server, client = link()
    own = threading.get_native_id()
    for task in os.listdir("/proc/self/task"):
        if int(task) != own:
            with open(f"/proc/self/task/{task}/status") as file:
                status = list(file)
            blocked = [int(line.split()[1], 16) for line in status if line.startswith("SigBlk")][0]
            for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGPROF):
                assert blocked >> (number - 1) & 1, (task, number)
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD):
        os.kill(os.getpid(), number)
    assert sorted(seen) == sorted((number, True) for number in (
        signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD)), seen
    end(server, client)
    """
    assert outcome(run(text, pki)) == (0, "", "")


def test_descriptors_are_not_inherited_by_programs_that_are_started(pki: TestPki) -> None:
    text = """
    import subprocess
    server, client = link()
    inheritable = [fd for fd in map(int, os.listdir("/proc/self/fd"))
                   if fd > 2 and os.path.exists(f"/proc/self/fd/{fd}") and os.get_inheritable(fd)]
    assert inheritable == [], inheritable
    seen = subprocess.run(["ls", "/proc/self/fd"], close_fds=False, capture_output=True, text=True)
    assert len(seen.stdout.split()) <= 4, seen.stdout
    end(server, client)
    """
    assert outcome(run(text, pki)) == (0, "", "")
