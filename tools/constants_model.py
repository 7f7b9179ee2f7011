"""What ``tools/constants.py`` is made of: records, and readers of its tables of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc

__all__ = [
    "CGroup",
    "Code",
    "Enum",
    "Member",
    "Suite",
    "codes",
    "enum",
    "group",
    "members",
    "numbered",
    "suites",
]


@dataclass(frozen=True)
class Code:
    """An error or verification code and its text."""

    value: int
    name: str
    text: str


@dataclass(frozen=True)
class Suite:
    """A cipher suite; `parts` are members of the algorithm enums."""

    name: str
    value: int
    iana: str
    openssl: str
    parts: tuple[str, str, str, int, str]
    rank: int

    @property
    def tls13(self) -> bool:
        return "_WITH_" not in self.iana


@dataclass(frozen=True)
class Member:
    """A member of an enum. `name` is Python's spelling (``None_``), `alias` a second name, `source` is for
    DicomAssociateRejectReasonType; `c`: names in C less the prefix, ``=X``: the whole name is X."""

    name: str
    alias: str
    value: int
    source: int
    c: tuple[str, ...]
    doc: str


@dataclass(frozen=True)
class Enum:
    """A .NET enum and its C constants, one full set for each of `prefixes`. `base` is a class of
    ``leadtools_compat/dicom/_enum.py``, `note` the comment in the C header, `digits` 0 means decimal."""

    name: str
    module: str
    prefixes: tuple[str, ...]
    note: str
    doc: str
    members: tuple[Member, ...]
    base: str
    digits: int
    alias: str


@dataclass(frozen=True)
class CGroup:
    """Constants that only C knows, and Python through ``lib``."""

    note: str
    digits: int
    members: tuple[tuple[str, int], ...]


def _lines(table: str) -> Iterator[str]:
    return (line.strip() for line in table.splitlines() if line.strip())


def codes(table: str) -> tuple[Code, ...]:
    """Lines of: value, member, text."""
    rows = (line.split(maxsplit=2) for line in _lines(table))
    return tuple(Code(int(value), name, text) for value, name, text in rows)


def numbered(table: str) -> tuple[tuple[int, str], ...]:
    """Lines of: number, name."""
    rows = (line.split() for line in _lines(table))
    return tuple((int(value), name) for value, name in rows)


def suites(table: str) -> tuple[Suite, ...]:
    """Lines of: member, number, IANA's name, OpenSSL's name, parts, place in the default list or -1."""
    rows = []
    for line in _lines(table):
        name, value, iana, openssl, exchange, authentication, encryption, bits, integrity, rank = (
            line.split()
        )
        parts = (exchange, authentication, encryption, int(bits), integrity)
        rows.append(
            Suite(name, int(value, 16), iana, iana if openssl == "=" else openssl, parts, int(rank))
        )
    return tuple(rows)


def members(table: str) -> tuple[Member, ...]:
    """Lines of: member[/alias], [source:]value, C names (nothing: UPPER_SNAKE, -: not in C), | text."""
    rows = []
    for line in _lines(table):
        columns, _, doc = line.partition("|")
        names, number, *c = columns.split()
        name, _, alias = names.partition("/")
        source, _, value = number.rpartition(":")
        c_tuple = () if c == ["-"] else tuple(c) or ("*",)
        rows.append(Member(name, alias, int(value, 0), int(source or 0), c_tuple, doc.strip()))
    return tuple(rows)


def enum(
    module: str,
    name: str,
    prefixes: str,
    note: str,
    doc: str,
    table: str | tuple[Member, ...],
    *,
    base: str = "DotNetEnum",
    digits: int = 0,
    alias: str = "",
) -> Enum:
    rows = members(table) if isinstance(table, str) else table
    return Enum(
        name, module, tuple(prefixes.split()), note, cleandoc(doc), rows, base, digits, alias
    )


def group(note: str, table: str, digits: int = 0) -> CGroup:
    rows = (line.split() for line in _lines(table))
    return CGroup(note, digits, tuple((name, int(value, 0)) for name, value in rows))
