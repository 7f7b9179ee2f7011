"""Which SOP classes are storage, from pydicom's dictionary (PS3.6 table A-1)."""

from __future__ import annotations

import functools

__all__ = ["is_storage", "storage_classes"]

_PREFIX = "1.2.840.10008.5.1.4.1.1."
_NOT = ("Commitment", "Management", "Media")


@functools.cache
def storage_classes() -> tuple[str, ...]:
    """List the storage classes that are not retired, the common ones first."""
    from pydicom._uid_dict import UID_dictionary

    found = [
        uid
        for uid, (name, kind, _, retired, _) in UID_dictionary.items()
        if kind == "SOP Class"
        and "Storage" in name
        and not retired
        and uid.startswith(_PREFIX)
        and not any(word in name for word in _NOT)
    ]
    # Shorter UIDs are the older classes, which nearly all that is stored belongs to.
    return tuple(sorted(found, key=lambda uid: (uid.count("."), found.index(uid))))


def is_storage(uid: str) -> bool:
    """Tell whether a SOP class is one of storage; a private one may be."""
    from pydicom._uid_dict import UID_dictionary

    entry = UID_dictionary.get(uid)
    if entry is None:
        return not uid.startswith("1.2.840.10008.") or uid.startswith(_PREFIX)
    return entry[1] == "SOP Class" and uid.startswith(_PREFIX)
