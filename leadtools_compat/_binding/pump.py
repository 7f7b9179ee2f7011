"""Pumped mode, and where the exceptions of callbacks go.

An exception of user code must arrive somewhere. A callback that runs inside a call of the same
thread (`DicomNet.Breathe` in pumped mode, `SetTlsClientCertificate` for the key's password) leaves
it in that call's `Collector`, and the call raises it. From every other callback it goes to
``sys.unraisablehook``. KeyboardInterrupt and SystemExit are no exception to that.
"""

from __future__ import annotations

import math
import os
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from leadtools_compat._binding import lib
from leadtools_compat._binding.errors import check, unraisable

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Collector", "apply_environment", "breathe", "call_has_failed", "deliver", "set_mode"]

SLICE = 0.1
"""Longest wait in C, in seconds: Python handles signals (Ctrl-C) between two waits."""

PUMPED_VARIABLE = "LEADTOOLS_COMPAT_PUMPED"

_thread = threading.local()


class Collector:
    """Takes the exceptions of callbacks on this thread while it is entered; re-raises the first."""

    __slots__ = ("_before", "_errors", "_where")

    def __init__(self) -> None:
        self._errors: list[BaseException] = []
        self._where: list[str] = []
        self._before: Collector | None = None

    @property
    def failed(self) -> bool:
        """Whether something has been raised already."""
        return bool(self._errors)

    def add(self, error: BaseException, where: str) -> None:
        """Keep an exception for `raise_first`."""
        self._errors.append(error)
        self._where.append(where)

    def __enter__(self) -> Self:
        self._before = getattr(_thread, "collector", None)
        _thread.collector = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _thread.collector = self._before
        if error is not None:  # the call raised by itself: what was kept must not vanish
            self._report_rest()

    def raise_first(self) -> None:
        """Raise the user's own exception, if there was one."""
        if not self._errors:
            return
        first = self._errors.pop(0)
        self._where.pop(0)
        self._report_rest()
        try:
            raise first
        finally:
            del first  # exception -> traceback -> this frame -> exception would be a cycle

    def _report_rest(self) -> None:
        while self._errors:
            unraisable(self._errors.pop(0), self._where.pop(0))


def call_has_failed() -> bool:
    """Tell whether the call on this thread is going to raise what a callback has raised."""
    collector: Collector | None = getattr(_thread, "collector", None)
    return collector is not None and collector.failed


def deliver(error: BaseException, where: str) -> None:
    """Send an exception of a callback on its way; `where` is words for the reader of the hook."""
    collector: Collector | None = getattr(_thread, "collector", None)
    if collector is not None:
        collector.add(error, where)
    else:
        unraisable(error, where)


def set_mode(pumped: bool | None) -> None:
    """Switch the delivery; None leaves it, or follows the environment."""
    if pumped is None:
        apply_environment()
    else:
        check(lib.L_DicomSetPumpMode(pumped))


def apply_environment() -> None:
    """Switch pumped mode on for unchanged programs, when the environment says so."""
    if os.environ.get(PUMPED_VARIABLE) == "1":
        check(lib.L_DicomSetPumpMode(True))


def breathe(timeout: float) -> bool:
    """Run at most one queued callback; raise what it raised."""
    end = time.monotonic() + timeout
    while True:
        rest = max(end - time.monotonic(), 0.0)
        milliseconds = math.ceil(min(rest, SLICE) * 1000)  # rounded up: never a busy loop
        with Collector() as collector:
            ran = lib.L_DicomBreathe(milliseconds)
        collector.raise_first()
        if ran:
            return True
        if rest <= SLICE:
            return False
