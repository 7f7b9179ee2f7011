"""The rows behind `DicomTag` and `DicomTagTable`: pydicom's dictionary and what a program changed.

Loaded when the first tag is looked up.
"""

from __future__ import annotations

import functools
import re
import threading

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

from leadtools_compat.dicom.dicom_tag import DicomTag
from leadtools_compat.dicom.enums_vr import DicomVRType

__all__ = [
    "codes",
    "find",
    "insert",
    "keywords",
    "remove",
    "restore",
    "tag_of_keyword",
    "vr_of_tag",
]

_CHANGED: dict[int, DicomTag | None] = {}
"""Rows that a program has inserted or (None) deleted; process-wide."""
_LOCK = threading.Lock()


def _first(pattern: str) -> int:
    return int(pattern.replace("x", "0"), 16)


def _mask(pattern: str) -> int:
    return int("".join("0" if one == "x" else "F" for one in pattern), 16)


@functools.cache
def _tags() -> dict[str, int]:
    found = {entry[4]: tag for tag, entry in DicomDictionary.items() if entry[4]}
    for pattern, entry in RepeatersDictionary.items():
        found.setdefault(entry[4], _first(pattern))
    return found


@functools.cache
def _repeaters() -> list[tuple[int, int, str]]:
    return [(_first(one), _mask(one), one) for one in RepeatersDictionary]


def tag_of_keyword(keyword: str) -> int | None:
    """Find a tag by its keyword."""
    return _tags().get(keyword)


def keywords() -> list[str]:
    """List all keywords."""
    return list(_tags())


def _multiplicity(vm: str) -> tuple[int, int, int]:
    """Read a multiplicity, as 1, 1-3, 2-n or 3-3n: least, most (-1 is any), divider."""
    match = re.match(r"(\d+)(?:-(\d*)(n?))?", vm)
    if match is None:
        return 1, -1, 1
    least = int(match[1])
    if match[3]:
        return least, -1, int(match[2] or 1)
    return least, int(match[2] or least), 1


def _row(code: int, mask: int, entry: tuple[str, str, str, str, str]) -> DicomTag:
    letters = entry[0][:2] if entry[0] != "NONE" else "UN"
    vr = DicomVRType(int.from_bytes(letters.encode(), "big"))
    return DicomTag(code, mask, entry[2] or entry[4], vr, *_multiplicity(entry[1]))


def _entry(tag: int) -> tuple[int, int, tuple[str, str, str, str, str]] | None:
    entry = DicomDictionary.get(tag)
    if entry is not None:
        return tag, 0xFFFFFFFF, entry
    if not tag >> 16 & 1:
        for first, mask, pattern in _repeaters():
            if tag & mask == first:
                return first, mask, RepeatersDictionary[pattern]
    return None


def find(tag: int) -> DicomTag | None:
    """Find the row of a tag."""
    if _CHANGED:
        if tag in _CHANGED:
            return _CHANGED[tag]
        for row in list(_CHANGED.values()):
            if row is not None and tag & row.Mask == row.Code & row.Mask:
                return row
    found = _entry(tag)
    return None if found is None else _row(*found)


def vr_of_tag(tag: int) -> str | None:
    """Find the letters of a tag's VR; None: not in the table, or UN."""
    if _CHANGED:
        row = find(tag)
        return None if row is None or row.VR == DicomVRType.UN else str(row.VR)
    if tag & 0xFFFF == 0:
        return "UL"
    found = _entry(tag)
    return None if found is None or found[2][0] in ("NONE", "UN") else found[2][0][:2]


def codes() -> list[int]:
    """List the tags of all rows in order."""
    with _LOCK:
        present = {*DicomDictionary, *(first for first, _, _ in _repeaters())}
        for tag, row in _CHANGED.items():
            if row is None:
                present.discard(tag)
            else:
                present.add(tag)
    return sorted(present)


def insert(row: DicomTag) -> None:
    with _LOCK:
        _CHANGED[row.Code] = row


def remove(tag: int) -> None:
    with _LOCK:
        _CHANGED[tag] = None


def clear() -> None:
    """Take all rows out."""
    with _LOCK:
        for tag in {*DicomDictionary, *(first for first, _, _ in _repeaters()), *_CHANGED}:
            _CHANGED[tag] = None


def restore() -> None:
    """Have pydicom's dictionary again."""
    with _LOCK:
        _CHANGED.clear()
