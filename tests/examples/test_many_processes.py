"""The example with several processes on one port, run as its user would."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from leadtools_compat._nodes.client import VERIFICATION, Client, Context, Node
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.testing import TestPki
from tests.robustness.robust_tools import environment
from tests.support import PATIENCE

PROGRAM = Path(__file__).resolve().parents[2] / "examples/many_processes.py"


class Run:
    """The program, with the lines that it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with suppress(ValueError):  # closed by a test that has failed
            for line in self.process.stdout:
                with self._changed:
                    self.lines.append(line.strip())
                    self._changed.notify_all()

    def wait(self, pattern: str, count: int = 1) -> list[re.Match[str]]:
        """Wait for so many lines of a kind."""

        def found() -> list[re.Match[str]]:
            return [match for line in self.lines if (match := re.search(pattern, line))]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, PATIENCE), self.lines
            return found()

    def silent(self) -> bool:
        """Wait until nobody can say anything any more."""
        self._reader.join(PATIENCE)
        return not self._reader.is_alive()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        assert self.silent()
        return code


@contextmanager
def running(pki: TestPki, *options: object, processes: int = 3, port: int = 0) -> Iterator[Run]:
    """Run it on a port of 127.0.0.1 until all of its processes listen."""
    server = pki.server
    command = [sys.executable, PROGRAM, port, "--processes", processes, "--address", "127.0.0.1"]
    tls = ["--ca", pki.ca_file, "--certificate", server.combined_file, "--key", server.key_file]
    with subprocess.Popen(
        list(map(str, [*command, *tls, *options])),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    ) as process:
        run = Run(process)
        try:
            run.wait("listening on port", processes)
            yield run
        finally:
            process.kill()


def port_of(run: Run) -> int:
    return int(run.wait(r"listening on port (\d+)")[0][1])


def client(pki: TestPki, port: int) -> Client:
    identity = pki.client
    tls = TlsOptions(
        ca=pki.ca_file, certificate=identity.combined_file, key=identity.key_file, check_host=False
    )
    return Client(Node("127.0.0.1", port), tls, PATIENCE)


def echo(pki: TestPki, port: int, resumption: bool = False) -> bool:
    """Make one association with a C-ECHO; tell whether its TLS session was resumed."""
    with client(pki, port) as scu:
        scu.tls_resumption = resumption
        scu.open()
        resumed: bool = scu.tls_resumed
        scu.associate([Context(VERIFICATION)])
        assert scu.echo().good
        scu.release()
    return resumed


def test_processes_share_the_port_and_all_of_them_serve(pki: TestPki) -> None:
    with running(pki) as run:
        port = port_of(run)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: echo(pki, port), range(60)))
        served = run.wait(r"^(\d+): 127\.0\.0\.1, 0 stored, ok", 60)
        assert len(served) == 60
        listening = {match[1] for match in run.wait(r"^(\d+): listening")}
        # 60 of 3 processes: that one gets none has a chance of 3 in 10^11
        assert {match[1] for match in served} == listening
        assert run.end() == 0


def test_session_of_one_process_is_resumed_by_its_sisters(pki: TestPki) -> None:
    with running(pki) as run:
        port = port_of(run)
        assert not echo(pki, port, resumption=True)
        assert all(echo(pki, port, resumption=True) for _ in range(20))
        served = run.wait("0 stored, resumed, ok", 20)
        assert len({match.string.partition(":")[0] for match in served}) > 1
        assert run.end() == 0


def test_open_association_goes_to_its_end_after_sigterm(pki: TestPki) -> None:
    with running(pki) as run, client(pki, port_of(run)) as scu:
        scu.open()
        scu.associate([Context(VERIFICATION)])
        run.process.send_signal(signal.SIGTERM)
        assert scu.echo().good
        scu.release()
        run.wait("0 stored, ok")
        assert run.process.wait(PATIENCE) == 0


def test_association_that_does_not_end_is_cut_off_after_the_grace(pki: TestPki) -> None:
    with running(pki, "--grace", 0.2) as run, client(pki, port_of(run)) as scu:
        scu.open()
        scu.associate([Context(VERIFICATION)])
        assert run.end() == 0


def test_process_that_is_killed_is_replaced_and_the_others_go_on(pki: TestPki) -> None:
    with running(pki, processes=2) as run:
        victim = int(run.wait(r"^(\d+): listening")[0][1])
        os.kill(victim, signal.SIGKILL)
        run.wait(f"{victim}: ended with -9")
        run.wait("listening on port", 3)
        for _ in range(10):
            echo(pki, port_of(run))
        assert run.end() == 0


def test_processes_end_with_their_parent(pki: TestPki) -> None:
    with running(pki, processes=2) as run:
        run.process.kill()
        run.process.wait(PATIENCE)
        assert run.silent()  # nobody holds its standard output any more


def test_processes_that_were_started_apart_share_the_port_but_no_sessions(pki: TestPki) -> None:
    with running(pki, processes=1) as one, running(pki, processes=1, port=port_of(one)) as other:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: echo(pki, port_of(one)), range(30)))
        assert len(one.wait("0 stored, ok")) < 30
        assert len(other.wait("0 stored, ok")) < 30
        # A ticket of the other process is worth nothing, and does no harm.
        resumed = [echo(pki, port_of(one), resumption=True) for _ in range(20)]
        assert True in resumed
        assert False in resumed[1:]
        assert (one.end(), other.end()) == (0, 0)
