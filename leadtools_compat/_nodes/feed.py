"""Files on their way to a node: looked at while others are sent, never all of them at once.

The one rule: what is held does not grow with the number of files: `AHEAD` of them are looked at, the
rest are names in a folder.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Container, Iterable
from pathlib import Path

from leadtools_compat._nodes.files import MAX_CONTEXTS, Item, Problem, find_files, look

__all__ = ["Count", "Feed", "Pair"]

AHEAD = 256
"""So many are looked at before they are needed: an association asks for what they have."""
PATIENCE = 0.5
"""Seconds that looking ahead may take before sending begins."""

Pair = tuple[str, str]
"""SOP class and transfer syntax: a presentation context."""


class Feed:
    """Gives the usable files of some paths one after the other, to one thread or several.

    Parameters
    ----------
    paths
        Files and folders.
    unusable
        Told of each file that cannot be sent.
    skipped
        Told of each file that is not to be sent: a DICOMDIR.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        unusable: Callable[[Problem], None],
        skipped: Callable[[Path], None] = lambda path: None,
    ) -> None:
        self._lock = threading.RLock()
        self._over = False
        self._found = find_files(paths)
        self._unusable = unusable
        self._skipped = skipped
        self._ahead: deque[Item] = deque()
        self._known: dict[Pair, tuple[str, ...]] = {}

    def look_ahead(self) -> bool:
        """Look at one more file; False: there is none, or enough have been looked at."""
        with self._lock:
            return len(self._ahead) < AHEAD and not self._over and self._look()

    def _look(self) -> bool:
        found = next(self._found, None)
        if found is None:
            return False
        if isinstance(found, Problem):
            self._unusable(found)
            return True
        item = look(found)
        if item is None:
            self._skipped(found)
        elif isinstance(item, Problem):
            self._unusable(item)
        else:
            self._ahead.append(item)
        return True

    def contexts(self) -> dict[Pair, tuple[str, ...]]:
        """Give what the next association should ask for, with the syntaxes; empty: no files are left.

        First what the next files have, then what those before them had, as long as there is room.
        """
        with self._lock:
            return self._contexts()

    def _contexts(self) -> dict[Pair, tuple[str, ...]]:
        end = time.monotonic() + PATIENCE
        while self.look_ahead():
            if self._ahead and time.monotonic() > end:
                break
        if not self._ahead or self._over:
            return {}
        wanted: dict[Pair, tuple[str, ...]] = {}
        for item in self._ahead:
            wanted[item.sop_class, item.syntax] = item.syntaxes
        for pair, syntaxes in reversed(self._known.items()):
            wanted.setdefault(pair, syntaxes)
        chosen = dict(list(wanted.items())[:MAX_CONTEXTS])
        for pair in chosen:
            self._known.pop(pair, None)  # to the end: the last ones used
        self._known |= dict(reversed(chosen.items()))
        return chosen

    def take(self, contexts: Container[Pair]) -> Item | None:
        """Give the next file if it is of these contexts; None: it is not, or there is none."""
        with self._lock:
            while not self._ahead and self.look_ahead():
                pass
            if not self._ahead or self._over:
                return None
            first = self._ahead[0]
            return self._ahead.popleft() if (first.sop_class, first.syntax) in contexts else None

    @property
    def waiting(self) -> int:
        """How many files have been looked at and not been taken."""
        return len(self._ahead)

    def stop(self) -> None:
        """Give nothing any more: whoever sends ends in good order with the file in hand."""
        self._over = True


class Count:
    """Counts what there is to send on a thread of its own: for time left, and for what is left over.

    Attributes
    ----------
    files, size
        So far.
    whole
        Whether that is all.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)
        self._stop = False
        self.files = 0
        self.size = 0
        self.whole = False
        self._thread = threading.Thread(target=self._run, name="counting files", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for found in find_files(self._paths):
            if self._stop:
                return
            self.files += 1
            if not isinstance(found, Problem):
                try:
                    self.size += found.stat().st_size
                except OSError:  # whoever looks at it says why
                    continue
        self.whole = True

    def finish(self, patience: float) -> None:
        """Wait at most so many seconds for the rest."""
        self._thread.join(patience)
        self._stop = True
