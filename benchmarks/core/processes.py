"""Processes of a case: started, talked to, measured and ended.

CPU seconds are those of the process and all its children, living or gone, from /proc. Memory is
RssAnon + RssShmem of /proc/PID/status, summed over the tree and looked at every 20 ms: what a
process has taken for itself, without the pages of files.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from benchmarks.core.model import MIB, Command

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "BrokenRunError",
    "Sampler",
    "Worker",
    "busy_seconds",
    "free_port",
    "private_kib",
    "threads",
    "watched",
]

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 60.0
END_SECONDS = 5.0


class BrokenRunError(Exception):
    """A program did not do what it was asked for; the text has its last words."""


# ---- /proc --------------------------------------------------------------------------------------


def _tree(pid: int) -> list[int]:
    """List a process and all its living descendants."""
    found = [pid]
    for one in found:
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
        except OSError:
            continue
        for task in tasks:
            with contextlib.suppress(OSError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _cpu(pid: int) -> float:
    seconds = 0
    for one in _tree(pid):
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            seconds += sum(int(ticks) for ticks in fields[11:15])  # own and waited-for children's
    return seconds / TICKS


def _status(pid: int) -> dict[str, int]:
    values = {}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("RssAnon", "RssShmem", "Threads"):
                values[name] = int(rest.split()[0])
    return values


def _memory(pid: int) -> float:
    """In MiB, of the tree."""
    total = 0
    for one in _tree(pid):
        values = _status(one)
        total += values.get("RssAnon", 0) + values.get("RssShmem", 0)
    return total * 1024 / MIB


def private_kib(pid: int) -> int:
    """Count the private memory of the tree in KiB (Private_Clean + Private_Dirty)."""
    total = 0
    for one in _tree(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Clean", "Private_Dirty")):
                    total += int(line.split()[1])
    return total


def threads(pid: int) -> int:
    return sum(_status(one).get("Threads", 0) for one in _tree(pid))


def busy_seconds() -> float:
    """Sum what all CPUs of the machine have worked, and what the host took from them."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq, steal = (int(ticks) for ticks in fields[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def _listens(port: int) -> bool:
    """Look whether somebody listens, without connecting (state 0A is LISTEN, proc(5))."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    lines += Path("/proc/net/tcp6").read_text().splitlines()[1:]
    wanted = f":{port:04X}"
    return any(line.split()[1].endswith(wanted) and line.split()[3] == "0A" for line in lines)


def free_port() -> int:
    """Find a port for a program that cannot say which one it got."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sampler:
    """Looks at the memory of processes, on a thread of its own."""

    INTERVAL = 0.02

    def __init__(self) -> None:
        self._peaks: dict[int, float] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def watch(self, pid: int) -> None:
        with self._lock:
            self._peaks[pid] = 0.0

    def look(self, pid: int) -> float:
        """Look now, too; return the peak since `watch`, in MiB."""
        with self._lock:
            self._peaks[pid] = max(self._peaks.get(pid, 0.0), _memory(pid))
            return self._peaks[pid]

    def forget(self, pid: int) -> None:
        with self._lock:
            self._peaks.pop(pid, None)

    def _run(self) -> None:
        while not self._stop.wait(self.INTERVAL):
            with self._lock:
                for pid in self._peaks:
                    self._peaks[pid] = max(self._peaks[pid], _memory(pid))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


# ---- one process --------------------------------------------------------------------------------


class Worker:
    """One program that runs; use with ``with``: it is ended whatever happens."""

    def __init__(self, command: Command, log: Path, cpu: int | None = None) -> None:
        argv = list(command.argv)
        if cpu is not None:
            argv = ["taskset", "-c", str(cpu), *argv]
        self.command = command
        self.name = " ".join(Path(word).name for word in argv[:6])
        self._log = log.open("w+")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            argv,
            env={**os.environ, **command.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if not command.port else self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self.pid = self.process.pid
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def broken(self, what: str) -> BrokenRunError:
        self._log.flush()
        self._log.seek(0)
        words = self._log.read().strip()[-800:]
        return BrokenRunError(f"{self.name}: {what}: {words or 'it said nothing'}")

    def line(self, seconds: float) -> str:
        """Take the next line of its standard output."""
        assert self.process.stdout is not None
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0:
                raise self.broken(f"no answer within {seconds:.0f} s")
            if select.select([self.process.stdout], [], [], left)[0]:
                chunk = os.read(self.process.stdout.fileno(), 65536)
                if not chunk:
                    raise self.broken("it has ended")
                self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def ready(self) -> int:
        """Wait until it is prepared; return its port, or what it says instead."""
        if not self.command.port:
            word, _, number = self.line(START_SECONDS * 4).partition(" ")
            if word != "ready":
                raise self.broken(f"said {word!r}")
            return int(number)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise self.broken("it has ended")
            if _listens(self.command.port):
                return self.command.port
            time.sleep(0.02)
        raise self.broken("it does not listen")

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def result(self, seconds: float) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.line(seconds))
        return answer

    def cpu(self) -> float:
        return _cpu(self.pid)

    def end(self) -> None:
        """End the process and its children."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        if self.command.port:
            self._signal(signal.SIGTERM)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()
        self._signal(signal.SIGKILL)  # children that a server has left
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self.pid, number)  # the session is this process's own


@contextlib.contextmanager
def watched(sampler: Sampler, *workers: Worker) -> Iterator[None]:
    """Watch the memory of processes meanwhile."""
    for worker in workers:
        sampler.watch(worker.pid)
    try:
        yield
    finally:
        for worker in workers:
            sampler.forget(worker.pid)
