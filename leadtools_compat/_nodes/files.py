"""DICOM files on the disk: found in folders, looked at, put into groups that one association can carry.

The one rule: a file that cannot be used is told and counted; it never stops the others.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Batch", "Item", "Problem", "batches", "find_files", "look"]

MAX_CONTEXTS = 128
"""Presentation contexts of one association (PS3.8 9.3.2.2): the odd numbers to 255."""

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
NATIVE = (EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
DICOMDIR = "1.2.840.10008.1.3.10"
_LAST = 0x00080018
"""SOP Instance UID: what comes after it is not looked at."""


@dataclass(frozen=True)
class Problem:
    """A path that cannot be used, and why."""

    path: Path
    text: str


@dataclass(frozen=True)
class Item:
    """One file to send."""

    path: Path
    sop_class: str
    instance: str
    syntax: str
    size: int

    @property
    def syntaxes(self) -> tuple[str, ...]:
        """The syntaxes to offer: native ones can be converted, compressed ones are sent as they are."""
        if self.syntax in NATIVE:
            return (self.syntax, *(one for one in (EXPLICIT, IMPLICIT) if one != self.syntax))
        return (self.syntax,)


@dataclass(frozen=True)
class Batch:
    """What one association carries: contexts by (class, syntax), and the files."""

    contexts: dict[tuple[str, str], int]
    items: list[Item]


def find_files(paths: Iterable[Path]) -> Iterator[Path | Problem]:
    """Give the files, those in folders and their folders too, in a stable order.

    Hidden files and folders inside of a folder are left out. A folder is not followed through
    symbolic links.
    """
    for path in paths:
        if path.is_dir():
            yield from _walk(path)
        elif path.exists():
            yield path
        else:
            yield Problem(path, "no such file or folder")


def _walk(folder: Path) -> Iterator[Path | Problem]:
    problems: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=problems.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(root) / name
        while problems:
            yield _of(problems.pop(0))
    for error in problems:
        yield _of(error)


def _of(error: OSError) -> Problem:
    return Problem(Path(error.filename or "?"), error.strerror or str(error))


def look(path: Path) -> Item | Problem | None:
    """Find out what has to be said about a file; its pixels are not read. None: a DICOMDIR."""
    from pydicom.errors import InvalidDicomError
    from pydicom.filereader import read_partial

    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # opening a pipe would wait for its other end
            return Problem(path, "not a file")
        with path.open("rb") as stream:
            data = read_partial(stream, stop_when=lambda tag, vr, length: tag > _LAST)
        if str(data.file_meta.get("MediaStorageSOPClassUID", "")) == DICOMDIR:
            return None
        syntax = str(data.file_meta.get("TransferSyntaxUID", ""))
        sop_class, instance = str(data.get("SOPClassUID", "")), str(data.get("SOPInstanceUID", ""))
    except InvalidDicomError:
        return Problem(path, "not a DICOM file")
    except OSError as error:
        return Problem(path, error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - a parser on hostile bytes may raise anything
        return Problem(path, f"damaged: {type(error).__name__}: {error}")
    for name, value in (
        ("transfer syntax", syntax),
        ("SOP class", sop_class),
        ("SOP instance UID", instance),
    ):
        if not value:
            return Problem(path, f"it has no {name}")
    return Item(path, sop_class, instance, syntax, about.st_size)


def batches(items: Iterable[Item]) -> list[Batch]:
    """Put files into as few associations as their pairs of class and syntax need."""
    made: list[Batch] = []
    for item in items:
        pair = (item.sop_class, item.syntax)
        for batch in made:
            if pair in batch.contexts or len(batch.contexts) < MAX_CONTEXTS:
                batch.contexts.setdefault(pair, 2 * len(batch.contexts) + 1)
                batch.items.append(item)
                break
        else:
            made.append(Batch({pair: 1}, [item]))
    return made
