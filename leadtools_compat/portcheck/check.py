"""Finds the sources, has them read, and puts together what was found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from leadtools_compat.portcheck import csharp, visual_basic
from leadtools_compat.portcheck.api import Api
from leadtools_compat.portcheck.model import Report, Unread
from leadtools_compat.portcheck.program import Program, Uses

__all__ = ["MissingGrammarError", "check", "sources"]

READERS: dict[str, ModuleType] = {".cs": csharp, ".vb": visual_basic}
LARGEST = 16 * 1024 * 1024
"""Bytes; nobody writes such a source."""

FRAMES = 4000
"""Calls within calls; past that a source counts as nested too deeply."""


class MissingGrammarError(Exception):
    """The packages of the extra ``port`` are not installed."""


def sources(paths: Iterable[str | Path]) -> Iterator[Path]:
    """List the files: those named, and of folders all C# and VB sources below them."""
    seen: set[Path] = set()
    for one in paths:
        path = Path(one)
        found = [path]
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix.lower() in READERS)
        for file in found:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _read(path: Path) -> bytes:
    """Read a source in the encodings that Visual Studio writes; gives UTF-8."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1024 // 1024} MiB")
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16").encode()
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in content:
        raise ValueError("it is not text")
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").encode()
    return content


@contextmanager
def _deep() -> Iterator[None]:
    """Let the readers follow what is nested: long concatenations are."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def check(paths: Iterable[str | Path]) -> Report:
    """Check sources.

    Parameters
    ----------
    paths
        Files, and folders that are searched for ``.cs`` and ``.vb``.

    Returns
    -------
    Report
        What they use. A file that cannot be read is in its `unread`, and is passed over.

    Raises
    ------
    MissingGrammarError
        tree-sitter or one of the grammars is not installed.
    """
    try:
        from tree_sitter import Parser

        parsers = {suffix: Parser(reader.language()) for suffix, reader in READERS.items()}
    except ImportError as error:
        raise MissingGrammarError(
            f"{error.name} is missing: pip install 'leadtools_compat[port]'"
        ) from error
    api = Api()
    programs = {suffix: Program(api, suffix == ".vb") for suffix in READERS}
    report = Report()
    trees: list[tuple[Path, str, Any]] = []
    for path in sources(paths):
        suffix = path.suffix.lower()
        try:
            if suffix not in READERS:
                raise ValueError("it is neither C# (.cs) nor Visual Basic (.vb)")
            root = parsers[suffix].parse(_read(path)).root_node
            READERS[suffix].declare(programs[suffix], root)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            report.unread.append(Unread(str(path), why))
        else:
            trees.append((path, suffix, root))
    for path, suffix, root in trees:
        reader = READERS[suffix]
        uses = Uses(programs[suffix], str(path), reader.imports_leadtools(root))
        try:
            with _deep():
                reader.use(uses, root)
        except RecursionError:
            report.unread.append(Unread(str(path), "its expressions are nested too deeply"))
            continue
        report.files += 1
        report.findings += dict.fromkeys(uses.findings)
        report.hints += dict.fromkeys(uses.hints)
    return report
