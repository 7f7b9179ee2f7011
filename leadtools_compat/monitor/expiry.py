"""Certificates that end: warned about 30, 7 and 1 days before, and when they have ended.

The one rule: each step is told once for each certificate; a file that is replaced starts anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Ending", "ExpiryWatch"]

logger = logging.getLogger("leadtools_compat")
DAYS = (30, 7, 1)
HALF_A_DAY = 43_200.0


class Ending(NamedTuple):
    """A certificate that ends soon, or has ended.

    Attributes
    ----------
    file, subject
        Which one.
    ends
        When.
    days_left
        Whole days; negative: it has ended.
    """

    file: Path
    subject: str
    ends: datetime
    days_left: int

    def __str__(self) -> str:
        when = f"{self.ends:%Y-%m-%d %H:%M} UTC"
        if self.days_left < 0:
            return f"the certificate {self.subject} in {self.file} has ended on {when}: renew it"
        days = "day" if self.days_left == 1 else "days"
        return (
            f"the certificate {self.subject} in {self.file} ends in {self.days_left} {days}, on "
            f"{when}: renew it"
        )


class ExpiryWatch:
    """Looks at files of certificates now and then; use it in a ``with`` statement, or call `look`.

    Parameters
    ----------
    files
        PEM, DER or PKCS #12 without a password: the own certificate with its chain, the CA file.
    told
        Called with each `Ending`, on the watch's thread; None: it is logged as a warning.
    days
        Days before the end at which to warn; after the end it is told too.
    interval
        Seconds between two looks.
    clock
        Gives the time; for tests.
    """

    def __init__(
        self,
        files: Iterable[Path | str],
        told: Callable[[Ending], None] | None = None,
        days: Iterable[int] = DAYS,
        interval: float = HALF_A_DAY,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self.files = [Path(file) for file in files]
        self._told = told or _log
        self._days = sorted(days)
        self._interval = interval
        self._clock = clock
        self._steps: dict[tuple[Path, str], int] = {}
        self._unreadable: set[Path] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def days_left(self) -> dict[tuple[Path, str], float]:
        """Give the days that each certificate has left, by file and subject."""
        now = self._clock()
        return {
            (file, subject): (ends - now).total_seconds() / 86400
            for file, subject, _, ends in self._read()
        }

    def look(self) -> list[Ending]:
        """Look once: tell what has come nearer since the last time, and return it."""
        now = self._clock()
        found = []
        for file, subject, identity, ends in self._read():
            left = int((ends - now).total_seconds() // 86400)
            step = -1 if left < 0 else next((day for day in self._days if left <= day), None)
            before = self._steps.get((file, identity))
            if step is None or (before is not None and step >= before):
                continue
            self._steps[file, identity] = step
            found.append(Ending(file, subject, ends, left))
        for ending in found:
            self._told(ending)
        return found

    def _read(self) -> list[tuple[Path, str, str, datetime]]:
        from leadtools_compat.diagnose.certificates import describe, read_file

        made = []
        for file in self.files:
            try:
                held = read_file(file).certificates
            except (OSError, ValueError) as error:
                if file not in self._unreadable:
                    self._unreadable.add(file)
                    logger.warning("the certificates in %s cannot be watched: %s", file, error)
                continue
            self._unreadable.discard(file)
            for der in held:
                one = describe(der)
                if one.not_after is not None:
                    made.append((file, one.subject, one.sha256, one.not_after))
        return made

    def start(self) -> None:
        """Look now, and again after each interval, on a thread of its own."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="expiry watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                logger.exception("the watch over certificates failed; it goes on")
            if self._stop.wait(self._interval):
                return

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def _log(ending: Ending) -> None:
    logger.warning("%s", ending)
