"""What of the mirrored API is there: each member, its priority and its state.

The facts are in the text files beside this one. A line that begins with ``@`` names a module and a
class (``-``: the module itself; ``ltdic.h``: C), and perhaps a note behind `` : ``. The lines below
it have three words: priority, state, member, and perhaps a note.

- priority: ``must``, ``should``, ``rare`` (how many programs use it), ``out`` (left out on purpose),
  ``ours`` (.NET has no such member);
- state: ``done``, ``differs`` (the note says how), ``absent`` (not there, or it raises an error that
  names the remedy; the note says why).

``docs/api-matrix.md`` is made from these files, and a test holds them against the classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["PRIORITIES", "STATES", "Owner", "Row", "files", "read"]

PRIORITIES = ("must", "should", "rare", "out", "ours")
STATES = ("done", "differs", "absent")
_ORDER = ("net", "data_set", "scu", "enums", "c")


class Row(NamedTuple):
    """One member."""

    priority: str
    state: str
    name: str
    note: str


class Owner(NamedTuple):
    """A class, a module or the C header, with its members."""

    module: str
    name: str
    note: str
    rows: tuple[Row, ...]


def files() -> list[Path]:
    """List the files in the order of the document."""
    return [Path(__file__).parent / f"{name}.txt" for name in _ORDER]


def _noted(line: str) -> tuple[str, str]:
    text, _, note = line.partition(" : ")
    return text.strip(), note.strip()


def read(file: Path) -> tuple[str, list[Owner]]:
    """Read one file: its title and its owners; a line that does not fit is a ValueError."""
    title, owners = "", []
    head: tuple[str, str, str] | None = None
    rows: list[Row] = []

    def finish() -> None:
        if head is not None:
            owners.append(Owner(*head, tuple(rows)))

    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        text, note = _noted(line)
        words = text.split()
        if not words:
            continue
        if words[0] == "#":
            title = text[1:].strip()
        elif words[0] == "@" and len(words) == 3:
            finish()
            head, rows = (words[1], words[2], note), []
        elif head and len(words) == 3 and words[0] in PRIORITIES and words[1] in STATES:
            rows.append(Row(words[0], words[1], words[2], note))
        else:
            raise ValueError(
                f"{file.name}, line {number}: {line!r} is neither an owner nor a member"
            )
    finish()
    return title, owners


def all_owners() -> Iterator[Owner]:
    """List the owners of all files."""
    for file in files():
        yield from read(file)[1]
