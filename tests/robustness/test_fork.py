"""Forks: the child starts anew, and never inherits a lock that somebody holds."""

from __future__ import annotations

from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_programs import QUIET_FORK, outcome, program, run
from tests.robustness.robust_tools import (
    command,
    run_command,
    run_program,
    sanitized,
)
from tests.support import PATIENCE

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
