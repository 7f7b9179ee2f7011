"""What the mirror's classes and the C header really have, for comparing the API matrix with them."""

from __future__ import annotations

import dis
import enum
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from leadtools_compat.api_matrix import Owner, all_owners  # noqa: E402
from leadtools_compat.dicom._lazy_names import LazyNames  # noqa: E402

__all__ = ["declared_in_c", "members", "missing", "owner_of"]

_PYTHONS = {"value", "name"}
"""Members of Python's enums that one of ours defines anew."""


def owner_of(owner: Owner) -> Any:
    """Find the class, or the module."""
    module = importlib.import_module(owner.module)
    return module if owner.name == "-" else getattr(module, owner.name)


def _set_in_init(cls: type) -> Iterator[str]:
    """List what the constructor sets on the object."""
    code = getattr(vars(cls).get("__init__"), "__code__", None)
    if code is not None:
        for one in dis.get_instructions(code):
            if one.opname == "STORE_ATTR":
                yield str(one.argval)


def members(owner: Any) -> set[str]:
    """List what an object of a class has, as far as the class can tell."""
    if isinstance(owner, ModuleType):
        return set(dir(owner))
    if not isinstance(owner, type):
        return set()
    found: set[str] = set()
    if issubclass(owner, enum.Enum):
        found.update(owner.__members__)
    for one in owner.__mro__:
        if one.__module__.startswith("leadtools_compat"):
            found.update(vars(one), getattr(one, "__annotations__", {}), _set_in_init(one))
    return found


def declared_in_c() -> set[str]:
    """List the functions of ltdic.h."""
    header = (ROOT / "csrc/ltdic.h").read_text(encoding="utf-8")
    return set(re.findall(r"\b(L_Dicom\w+)\(", header))


def missing(owner: Owner) -> set[str]:
    """List what is there and not in the matrix, below this owner or below a base class of it."""
    named = {row.name for row in owner.rows}
    if owner.module == "ltdic.h":
        return declared_in_c() - named
    real = owner_of(owner)
    if not isinstance(real, type):
        return set()
    own = {one for one in members(real) if not one.startswith("_")} - _PYTHONS
    if isinstance(real, LazyNames):  # constants that somebody has used already
        own -= set(dir(real)) - set(vars(real).get("__slots__", ()))
    for other in all_owners():
        if other.module != "ltdic.h" and other.name != owner.name:
            base = owner_of(other)
            if isinstance(base, type) and base is not real and issubclass(real, base):
                named |= {row.name for row in other.rows}
    return own - named
