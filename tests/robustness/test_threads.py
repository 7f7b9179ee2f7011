"""Many threads on one net, and many nets in many threads: no crash, no hang, nothing lost or told twice."""

from __future__ import annotations

import json
import subprocess

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_tools import run_program
from tests.support import PATIENCE

QUICK, SOAK = 1.5, 60.0
"""Seconds for which the threads go on."""

PRELUDE = """
    import faulthandler, gc, json, random, sys, threading, time, warnings
    from collections import Counter
    from leadtools_compat._binding import reads
    from leadtools_compat.dicom import *

    folder, seconds = sys.argv[1], float(sys.argv[2])
    faulthandler.dump_traceback_later(seconds + 60, exit=True)  # a hang shows where
    sys.setswitchinterval(0.0005)
    ALLOWED = {DicomExceptionCode.ObjectDisposed, DicomExceptionCode.NetAlreadyConnected,
               DicomExceptionCode.InvalidState, DicomExceptionCode.NetNoPendingConnection,
               DicomExceptionCode.Parameter}
    count = Counter()
    counting = threading.Lock()
    faults = []

    def add(name, number=1):
        with counting:
            count[name] += number

    class Net(DicomNet):
        def __init__(self, name=None):
            self.inside = 0
            self.name = name
            super().__init__(None, 0 if name is None else 1)
            if name is not None:
                flags = DicomOpenSslVerificationFlags
                self.Initialize(None, 1, DicomOpenSslContextCreationSettings(
                    0, folder + "/ca.pem", flags.Peer | flags.FailIfNoPeerCertificate, 9, 0))
                self.SetTlsClientCertificate(f"{folder}/{name}-combined.pem", 1, None)
        def enter(self, name):
            self.inside += 1
            if self.inside != 1:
                faults.append(f"{name} overlaps")
            add(name)
            self.inside -= 1
        def OnConnect(self, error): self.enter("OnConnect")
        def OnVerify(self, ok, text, error):
            self.enter("OnVerify")
            return ok
        def OnSecureLinkReady(self, error): self.enter("OnSecureLinkReady")
        def OnClose(self, error, net): self.enter("OnClose")

    class Server(DicomNet):
        accepted = told = 0
        def OnAccept(self, error):
            try:
                self.Accept(Child(self.child_name))
                Server.accepted += 1
            except DicomException as problem:
                if problem.Code not in ALLOWED:
                    faults.append(repr(problem))
        def OnClose(self, error, net):
            Server.told += 1
            net.Dispose()
    class Child(Net):
        def enter(self, name): pass

    def serve(name):
        server = Server(None, 0)
        server.child_name = name
        server.handshake_timeout = 3600.0  # its turn may come late in such a crowd
        server.Listen("127.0.0.1", 0, 64)
        return server

    def run(*bodies):
        end = time.monotonic() + seconds
        def loop(body, seed):
            rng = random.Random(seed)
            try:
                while time.monotonic() < end:
                    try:
                        body(rng)
                    except DicomException as problem:
                        add(str(problem.Code))
                        if problem.Code not in ALLOWED:
                            faults.append(repr(problem))
            except BaseException as problem:
                faults.append(repr(problem))
        threads = [threading.Thread(target=loop, args=(body, number)) for number, body in enumerate(bodies)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def settle(condition, what):
        end = time.monotonic() + 30
        while not condition():
            if time.monotonic() > end:
                faults.append(f"not in the end: {what}: {reads.statistics()} {dict(count)}")
                return
            threading.Event().wait(0.01)

    def finish(*nets):
        for net in nets:
            net.Dispose()
        def quiet():
            gc.collect()
            now = reads.statistics()
            return now["connections"] == now["handshakes"] == 0
        settle(quiet, "quiet")
        if reads.statistics()["threads"] > 64:
            faults.append("too many threads")
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps({"count": count, "faults": faults[:20]}))
"""

READING = """
    def read(net):
        what = rng.randrange(12)
        if what == 0: net.failure and net.failure.as_dict()
        elif what == 1: repr(net)
        elif what == 2: net.IsConnected(), net.IsAssociated()
        elif what == 3: net.PeerAddress, net.PeerPort, net.HostAddress, net.HostPort
        elif what == 4: net.GetTlsCipherSuite()
        elif what == 5: net.tls_version, net.tls_group, net.tls_verified
        elif what == 6: list(net.tls_peer_certificates)
        elif what == 7: net.GetClientCount()
        elif what == 8: str(net.failure)
        elif what == 9: net.handshake_timeout, dict(net.limits)
        elif what == 10: net.GetLastIsclOrTlsError()
        else: net.SecurityMode, net.Flags, net.socket_options
"""

ONE_NET_LOUD = """
    # Every Connect that does not raise is answered by one OnConnect and one OnClose: none lost, none twice.
    server = serve("server" if {tls} else None)
    net = Net("client" if {tls} else None)
    port = server.HostPort
    rng = random.Random(1)
    def connect(rng):
        net.Connect(None, 0, "127.0.0.1", port)
        add("Connect")
    def close(rng):
        net.Close() if rng.random() < 0.5 else net.CloseForced(True)
        threading.Event().wait(rng.random() * 0.004)
    def change(rng):
        net.SetTlsCipherSuiteByIndex(0, 0x1302)
        net.Initialize(None, {tls}, DicomOpenSslContextCreationSettings(0, folder + "/ca.pem", 3, 9, 0))
    run(connect, connect, close, close, change, *[lambda rng: read(net)] * 3)
    net.Close()
    settle(lambda: count["OnClose"] == count["Connect"], "one OnClose for each Connect")
    settle(lambda: count["OnConnect"] == count["Connect"], "one OnConnect for each Connect")
    settle(lambda: server.GetClientCount() == 0, "no client of the server is left")
    threading.Event().wait(0.1)
    if not count["OnClose"] == count["OnConnect"] == count["Connect"]:
        faults.append("told too often")
    if count["OnSecureLinkReady"] > count["Connect"]:
        faults.append("ready too often")
    finish(net, server)
"""

ONE_NET_DISPOSED = """
    # Threads use a net while others dispose it, over and over.
    server = serve("server")
    port = server.HostPort
    rng = random.Random(2)
    box = [Net("client")]
    def connect(rng):
        box[0].Connect(None, 0, "127.0.0.1", port)
    def close(rng):
        net = box[0]
        rng.choice([net.Close, lambda: net.CloseForced(True), lambda: net.CloseForced(False)])()
    def dispose(rng):
        threading.Event().wait(rng.random() * 0.01)
        box[0].Dispose()
        add("disposed")
    def renew(rng):
        threading.Event().wait(rng.random() * 0.01)
        box[0] = Net("client")
        add("made")
    warnings.simplefilter("ignore", ResourceWarning)
    run(connect, connect, close, dispose, dispose, renew, *[lambda rng: read(box[0])] * 3)
    server.CloseForced(True)
    finish(box[0], server)
"""

MANY_NETS = """
    # Each thread has nets of its own; all talk to one server.
    server = serve("server")
    port = server.HostPort
    rng = random.Random(3)
    class Waiting(Net):
        def __init__(self, name):
            self.ready, self.closed = threading.Event(), threading.Event()
            super().__init__(name)
        def OnSecureLinkReady(self, error):
            self.code = error
            self.ready.set()
        def OnClose(self, error, net):
            self.closed.set()
    def come_and_go(rng):
        with Waiting("client") as net:
            net.Connect(None, 0, "127.0.0.1", port)
            if rng.random() < 0.8:
                if not net.ready.wait(30):
                    faults.append("no link within 30 s")
                elif net.code != 0:
                    faults.append(str(net.failure))
                add("links")
                read(net)
            if rng.random() < 0.5:
                net.Close()
                if not net.closed.wait(30):
                    faults.append("no OnClose within 30 s")
    run(*[come_and_go] * 8)
    settle(lambda: server.GetClientCount() == 0, "no client of the server is left")
    settle(lambda: Server.told == Server.accepted, f"the server was told of each")
    finish(server)
"""

FAILURE_READ = """
    # A net that fails in two ways in turn: whoever reads the record reads one of the two, whole.
    import socket
    deaf, rude = socket.socket(), socket.create_server(("127.0.0.1", 0), backlog=64)
    deaf.bind(("127.0.0.1", 0))
    closed = threading.Event()
    class Failing(Net):
        def OnClose(self, error, net):
            closed.set()
    net = Failing("client")
    def serve_rudely():
        while True:
            try:
                peer, _ = rude.accept()
            except OSError:
                return
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 400 Bad Request\\r\\n\\r\\n")
    thread = threading.Thread(target=serve_rudely)
    thread.start()
    WHOLE = {
        DicomExceptionCode.NetConnectionRefused: ("tcp", "peer", "forcefully rejected", "listens"),
        DicomExceptionCode.TlsPeerNotTls: ("tls", "peer", "HTTP", "port"),
    }
    def fail(rng):
        closed.clear()
        target = rng.choice([deaf, rude]).getsockname()[1]
        net.Connect(None, 0, "127.0.0.1", target)
        if not closed.wait(30):
            faults.append("no OnClose within 30 s")
        add("failures")
    def look(rng):
        failure = net.failure
        if failure is None:
            add("none")
            return
        expected = WHOLE.get(failure.code)
        add(str(failure.code))
        if expected is None:
            faults.append(str(failure))
            return
        stage, side, message, remedy = expected
        if not (failure.stage == stage and failure.side == side and message in failure.message
                and remedy in failure.remedy and json.dumps(failure.as_dict())):
            faults.append(str(failure))
    run(fail, *[look] * 5)
    rude.shutdown(socket.SHUT_RDWR)
    rude.close()
    deaf.close()
    thread.join(20)
    finish(net)
"""

LISTENER = """
    # Threads open and close one listener, accept what waits, and count its clients, while others dial.
    server = Server(None, 0)
    server.child_name = None
    rng = random.Random(5)
    server.Listen("127.0.0.1", 0, 64)
    port = server.HostPort
    def open_and_close(rng):
        threading.Event().wait(rng.random() * 0.02)
        rng.choice([server.Close, lambda: server.CloseForced(True)])()
        server.Listen("127.0.0.1", port, 64)
    def dial(rng):
        with Net() as client:
            client.Connect(None, 0, "127.0.0.1", port)
            threading.Event().wait(rng.random() * 0.004)
    def count_clients(rng):
        for index in range(server.GetClientCount()):
            try:
                server.GetClient(index)
            except DicomException:
                pass
        try:
            server.Accept(Child(None))
        except DicomException as problem:
            if problem.Code not in ALLOWED:
                raise
    ALLOWED.add(DicomExceptionCode.NetAddressInUse)  # for the moment until the worker has closed it
    run(open_and_close, *[dial] * 4, *[count_clients] * 2)
    server.CloseForced(True)
    finish(server)
"""

BODIES = {
    "one plain net, none lost": ONE_NET_LOUD.replace("{tls}", "0"),
    "one TLS net, none lost": ONE_NET_LOUD.replace("{tls}", "1"),
    "one net, disposed by others": ONE_NET_DISPOSED,
    "many nets": MANY_NETS,
    "failure record": FAILURE_READ,
    "one listener": LISTENER,
}


def run_threads(name: str, seconds: float, pki: TestPki) -> None:
    done: subprocess.CompletedProcess[str] = run_program(
        PRELUDE + READING + BODIES[name],
        str(pki.directory),
        str(seconds),
        limit=seconds + PATIENCE * 6,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    result = json.loads(done.stdout)
    print(name, result["count"])
    assert result["faults"] == [], result


@pytest.mark.parametrize("name", BODIES)
def test_threads_at_once_for_a_moment(name: str, pki: TestPki) -> None:
    run_threads(name, QUICK, pki)


@pytest.mark.soak
@pytest.mark.parametrize("name", BODIES)
def test_threads_at_once_for_a_minute(name: str, pki: TestPki) -> None:
    run_threads(name, SOAK, pki)
