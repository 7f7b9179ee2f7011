"""What the tests of this folder share: waiting, measuring, and programs in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import leadtools_compat
from leadtools_compat._binding import reads
from tests.support import PATIENCE, without_failures

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = Path(leadtools_compat.__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

_never = threading.Event()


def until(
    condition: Callable[[], object], what: str | Callable[[], str], limit: float = PATIENCE
) -> None:
    """Wait for something that sends no event: a number of the library, a descriptor, memory."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() >= end:
            pytest.fail(f"still not: {what if isinstance(what, str) else what()}")
        _never.wait(0.003)


def statistics() -> dict[str, int]:
    """Read the numbers of the library in this process."""
    return reads.statistics()


def connections_and_handshakes() -> tuple[int, int]:
    """Give those two numbers; both are 0 when nothing goes on."""
    now = reads.statistics()
    return now["connections"], now["handshakes"]


def threads_of_this_process() -> int:
    """Count the threads, Python's and the library's."""
    return len(list(Path("/proc/self/task").iterdir()))


def open_descriptors() -> int:
    """Count the open descriptors, but for the one that counts."""
    return len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - no object per entry while counting


def list_descriptors() -> list[str]:
    """Tell what the open descriptors are."""
    folder = "/proc/self/fd"
    return [f"{name} {os.path.realpath(f'{folder}/{name}')}" for name in os.listdir(folder)]  # noqa: PTH208


def sanitized() -> bool:
    """Tell whether a sanitizer is loaded: memory and speed then mean nothing."""
    return "libasan" in Path("/proc/self/maps").read_text()


def environment(**more: str) -> dict[str, str]:
    """Make the environment of a program that imports the same package as this process."""
    path = os.pathsep.join(
        dict.fromkeys([str(PACKAGE), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    )
    return {**os.environ, "PYTHONPATH": path, **more}


def command(program: str, *arguments: str) -> list[str]:
    """Make the command line of a Python program given as text."""
    return [sys.executable, "-X", "dev", "-c", textwrap.dedent(program), *arguments]


def run_command(line: list[str], limit: float, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; if it does not end in time, it and what it has started are ended."""
    with subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**more),
        start_new_session=True,
    ) as process:
        try:
            out, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its own group: nobody else is in it
            out, errors = process.communicate()
            pytest.fail(f"did not end within {limit:.0f} s; it said {out!r} and {errors!r}")
    return subprocess.CompletedProcess(line, process.returncode, out, without_failures(errors))


def run_program(
    program: str, *arguments: str, limit: float = PATIENCE * 3, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a Python program, given as text, to its end."""
    return run_command(command(program, *arguments), limit, **more)


class Busy:
    """Both cores busy while it is entered: one endless loop for each, ended by its pid."""

    def __init__(self, count: int = 2) -> None:
        self.count = count
        self.loops: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for _ in range(self.count):
            self.loops.append(subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]))
        return self

    def __exit__(self, *error: object) -> None:
        for loop in self.loops:
            loop.kill()
        for loop in self.loops:
            loop.wait(PATIENCE)
