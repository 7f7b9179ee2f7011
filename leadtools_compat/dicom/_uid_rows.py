"""The rows behind `DicomUidType` and `DicomUidTable`: pydicom's dictionary of UIDs.

Loaded when the first UID is looked up.
"""

from __future__ import annotations

import functools

from pydicom._uid_dict import UID_dictionary

__all__ = ["entry", "keywords", "uid_of_keyword", "uids"]


@functools.cache
def _uids() -> dict[str, str]:
    return {row[4]: uid for uid, row in UID_dictionary.items() if row[4]}


def uid_of_keyword(keyword: str) -> str | None:
    """Find a UID by its keyword."""
    return _uids().get(keyword)


def keywords() -> list[str]:
    """List all keywords."""
    return list(_uids())


def uids() -> list[str]:
    """List all UIDs in the order of PS3.6."""
    return list(UID_dictionary)


def entry(uid: str) -> tuple[str, str, str, str, str] | None:
    """Find name, type, information, "Retired" or "", and keyword of a UID."""
    return UID_dictionary.get(uid)
