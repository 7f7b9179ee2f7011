"""Forks, signals and ends of the process: the exit code is right, and nobody says a word on stderr."""

from __future__ import annotations

import signal
import subprocess
import textwrap
import threading
import time
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_tools import (
    command,
    environment,
    run_command,
    run_program,
    sanitized,
)
from tests.support import PATIENCE

PRELUDE = """
    import math, os, signal, sys, threading, time
    from leadtools_compat.dicom import *

    class Net(DicomNet):
        def __init__(self, name=None):
            self.connected, self.ready, self.closed = (threading.Event() for _ in range(3))
            self.name = name
            super().__init__(None, 0 if name is None else 1)
            if name is not None:
                flags = DicomOpenSslVerificationFlags
                self.Initialize(None, 1, DicomOpenSslContextCreationSettings(
                    0, sys.argv[1] + "/ca.pem", flags.Peer | flags.FailIfNoPeerCertificate, 9, 0))
                self.SetTlsClientCertificate(f"{sys.argv[1]}/{name}-combined.pem", 1, None)
        def OnConnect(self, error): self.connected.set()
        def OnVerify(self, ok, text, error): return ok
        def OnSecureLinkReady(self, error):
            self.code = error
            self.ready.set()
        def OnClose(self, error, net): self.closed.set()
    class Server(Net):
        def OnAccept(self, error):
            self.child = Net("server")
            self.Accept(self.child)
    def link(wait=True):
        server, client = Server(), Net("client")
        server.Listen("127.0.0.1", 0, 4)
        client.Connect(None, 0, "127.0.0.1", server.HostPort)
        if wait:
            assert client.ready.wait(20)
            assert client.code == 0, client.failure
        return server, client
    def end(server, client):
        client.Close()
        assert client.closed.wait(20)
        assert server.closed.wait(20)
        server.child.Dispose(); server.Dispose(); client.Dispose()
"""
QUIET_FORK = """
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads, from 3.12 on
"""


def program(text: str) -> str:
    """Put the prelude before a program."""
    return textwrap.dedent(PRELUDE) + textwrap.dedent(text)


def run(text: str, pki: TestPki) -> subprocess.CompletedProcess[str]:
    return run_program(program(text), str(pki.directory))


def outcome(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


# ---- fork ----

forks = pytest.mark.skipif(
    sanitized(),
    reason="ASan's allocator may be locked in a child for ever: it does not know fork()",
)


@forks
def test_forked_child_leaves_the_parents_link_alone_and_makes_one_of_its_own(pki: TestPki) -> None:
    text = (
        QUIET_FORK
        + """
    server, client = link()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        assert not client.IsConnected() and not server.child.IsConnected()
        for call in (client.Close, lambda: client.CloseForced(True), lambda: client.tls_version,
                     lambda: client.Connect(None, 0, "127.0.0.1", 1)):
            try:
                call()
            except DicomException as problem:
                assert problem.Code == DicomExceptionCode.ObjectDisposed, problem
        client.Dispose()
        own = link()  # another TLS handshake, with workers of its own
        assert own[1].IsConnected() and own[1].tls_verified
        end(*own)
        print("child is fine", flush=True)
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert client.IsConnected() and server.child.IsConnected() and not client.closed.is_set()
    second = link()
    end(*second)
    end(server, client)
    print("parent is fine")
    """
    )
    done = run(text, pki)
    assert outcome(done) == (0, "child is fine\nparent is fine\n", "")


def test_forked_child_that_drops_the_parents_nets_frees_nothing(pki: TestPki) -> None:
    text = (
        QUIET_FORK
        + """
    import gc
    server, client = link()
    pid = os.fork()
    if pid == 0:
        del server, client
        gc.collect()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert client.IsConnected() and not client.closed.is_set()
    end(server, client)
    """
    )
    assert outcome(run(text, pki)) == (0, "", "")


def test_fork_inside_a_callback(pki: TestPki) -> None:
    text = (
        QUIET_FORK
        + """
    pids = []
    class Forking(Net):
        def OnVerify(self, ok, text, error):
            pid = os.fork()
            if pid == 0:
                os._exit(5)
            pids.append(pid)
            return ok
    # CPython before 3.12 may hang in fork() while another thread of C comes in for the first time: so
    # all workers have been here before, and one connection is made after the other.
    links = [link() for _ in range(3)]
    server = links[0][0]
    for _ in range(4):
        with Forking("client") as client:
            client.Connect(None, 0, "127.0.0.1", server.HostPort)
            assert client.ready.wait(20) and client.code == 0, client.failure
    assert len(pids) >= 8
    for pid in pids:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    """
    )
    assert outcome(run(text, pki)) == (0, "", "")


@forks
def test_forks_under_load_leave_no_lock_of_ours_held(pki: TestPki) -> None:
    """A lock that a worker of the parent held at that moment would hang the child for ever."""
    text = (
        QUIET_FORK
        + """
    stop = threading.Event()
    class Taking(Server):
        def OnClose(self, error, net): net.Dispose()
    server = Taking()
    server.handshake_timeout = 3600.0
    server.Listen("127.0.0.1", 0, 16)
    def load():
        while not stop.is_set():
            with Net("client") as client:
                client.Connect(None, 0, "127.0.0.1", server.HostPort)
                client.ready.wait(20)
    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    outcomes = []
    for _ in range(20):
        pid = os.fork()
        if pid == 0:
            signal.alarm(15)
            with Net() as net, Net() as client:
                net.Listen("127.0.0.1", 0, 1)
                client.Connect(None, 0, "127.0.0.1", net.HostPort)
                assert client.connected.wait(10)
            os._exit(0)
        outcomes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        if outcomes[-1] != 0:
            break
    stop.set()
    for thread in threads:
        thread.join(20)
    server.CloseForced(False)
    server.Dispose()
    print("fork", len(outcomes), "ended with", outcomes[-1])
    """
    )
    assert outcome(run(text, pki)) == (0, "fork 20 ended with 0\n", "")


def forks_during_first_handshakes(count: int, pki: TestPki) -> None:
    """OpenSSL's locks, too: workers that are new take them to seed their generator."""
    text = (
        QUIET_FORK
        + """
    from leadtools_compat._binding import reads
    count = int(sys.argv[2])
    hung = []
    for number in range(count):
        server, client = link(wait=False)
        if number % 2:
            client.connected.wait(20)
        else:
            [None for _ in range(number % 60 * 300)]
        pid = os.fork()
        if pid == 0:
            signal.alarm(10)
            end(*link())
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code:
            hung.append((number, code))
            if len(hung) == 3:
                break
        assert client.ready.wait(20)
        end(server, client)
        while reads.statistics()["connections"] or reads.statistics()["threads"]:
            threading.Event().wait(0.005)
    print(hung)
    """
    )
    done = run_program(program(text), str(pki.directory), str(count), limit=PATIENCE * 3 + count)
    assert outcome(done) == (0, "[]\n", "")


@forks
def test_child_of_a_fork_during_a_handshake_makes_a_link_of_its_own(pki: TestPki) -> None:
    forks_during_first_handshakes(30, pki)


@forks
@pytest.mark.soak
def test_children_of_many_forks_during_handshakes_make_links_of_their_own(pki: TestPki) -> None:
    forks_during_first_handshakes(600, pki)


@forks
def test_forked_child_in_pumped_mode_pumps_its_own_events_only(pki: TestPki) -> None:
    text = (
        QUIET_FORK
        + """
    DicomNet.Startup(pumped=True)
    def pump(event):
        end = time.monotonic() + 20
        while not event.is_set():
            DicomNet.Breathe(0.05)
            assert time.monotonic() < end
    server, client = link(wait=False)
    pump(client.connected)
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        for _ in range(5):
            assert DicomNet.Breathe(0.01) is False  # what waits is the parent's
        own = link(wait=False)
        pump(own[1].ready)
        assert own[1].code == 0
        print("child is fine", flush=True)
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    pump(client.ready)
    assert client.code == 0
    print("parent is fine")
    """
    )
    assert outcome(run(text, pki)) == (0, "child is fine\nparent is fine\n", "")


WITH_MULTIPROCESSING = """
import multiprocessing, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from leadtools_compat.dicom import *

class Net(DicomNet):
    def __init__(self, folder, name):
        self.ready = threading.Event()
        super().__init__(None, 1)
        flags = DicomOpenSslVerificationFlags
        self.Initialize(None, 1, DicomOpenSslContextCreationSettings(
            0, folder + "/ca.pem", flags.Peer | flags.FailIfNoPeerCertificate, 9, 0))
        self.SetTlsClientCertificate(f"{folder}/{name}-combined.pem", 1, None)
    def OnAccept(self, error):
        self.child = Net(self.folder, "server")
        self.Accept(self.child)
    def OnSecureLinkReady(self, error):
        self.code = error
        self.ready.set()

def work(folder, port, answers):
    with Net(folder, "client") as client:
        client.Connect(None, 0, "127.0.0.1", port)
        assert client.ready.wait(20)
        answers.put((int(client.code), client.tls_version))

if __name__ == "__main__":
    folder, method = sys.argv[1:3]
    server = Net(folder, "server")
    server.folder = folder
    server.Listen("127.0.0.1", 0, 4)
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    processes = [context.Process(target=work, args=(folder, server.HostPort, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    print(sorted(answers.get(timeout=60) for _ in processes))
    for process in processes:
        process.join(60)
    print([process.exitcode for process in processes])
    server.CloseForced(True)
    server.Dispose()
"""


@pytest.mark.parametrize("method", [pytest.param("fork", marks=forks), "spawn"])
def test_processes_of_multiprocessing_connect_to_their_parent(
    method: str, pki: TestPki, tmp_path: Any
) -> None:
    file = tmp_path / "work.py"
    file.write_text(WITH_MULTIPROCESSING)
    line = [*command("")[:-2], str(file), str(pki.directory), method]
    done = run_command(line, PATIENCE * 6)
    assert outcome(done) == (0, "[(0, 'TLSv1.3'), (0, 'TLSv1.3')]\n[0, 0]\n", "")


# ---- the end of the process ----

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


def traceback_of(expected: str, stderr: str) -> bool:
    """Tell whether this is the traceback that is expected, and no more than that."""
    lines = stderr.splitlines()
    return (
        bool(lines)
        and lines[0] == "Traceback (most recent call last):"
        and lines[-1] == expected
        and stderr.count("Traceback") == 1
        and "Fatal" not in stderr
    )


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
