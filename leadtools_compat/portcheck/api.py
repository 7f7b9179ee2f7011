"""What this library has, read off its classes: nothing here is a list that could grow stale."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import re
from typing import Any

from leadtools_compat import api_matrix
from leadtools_compat.portcheck.model import Ref, Status
from leadtools_compat.portcheck.notes import ABSENT, DIFFERS

__all__ = ["Api", "Verdict"]

_ATTRIBUTE = re.compile(r"^\s+self\.([A-Za-z]\w*)(?::[^=]+)?\s*=", re.MULTILINE)
_TYPE_NAME = re.compile(r"[A-Za-z_][\w.]*")
_OBJECT = frozenset({"ToString", "Equals", "GetHashCode", "GetType", "MemberwiseClone", "Finalize"})

Verdict = tuple[str, str, Status, str, str]
"""Owner, member, status, note, heading."""


class Api:
    """The types and their members."""

    def __init__(self) -> None:
        import leadtools_compat
        from leadtools_compat import dicom
        from leadtools_compat.dicom import scu
        from leadtools_compat.dicom.scu import queries

        self.types: dict[str, Any] = {}
        for module in (leadtools_compat, dicom, scu, queries):
            for name in module.__all__:
                one = getattr(module, name)
                if (
                    isinstance(one, type)
                    or name.endswith("Delegate")
                    or name in ("Element", "Instance")
                ):
                    self.types[name] = one
        self._rows = {
            (owner.name, row.name.removesuffix("_")): row
            for owner in api_matrix.all_owners()
            for row in owner.rows
        }
        self._lower = {name.lower(): name for name in [*self.types, *ABSENT] if "." not in name}

    def type_name(self, name: str, any_case: bool = False) -> str | None:
        """Find a type, also one that is known to be absent."""
        if any_case:
            return self._lower.get(name.lower())
        return name if name in self.types or (name in ABSENT and "." not in name) else None

    # ---- members ----

    @functools.cache  # noqa: B019 - there is one Api
    def members(self, type_name: str) -> dict[str, str]:
        """List the members of a type by their names in lower case."""
        cls = self.types.get(type_name)
        if not isinstance(cls, type):
            return {}
        names: set[str] = {name for name in dir(cls) if not name.startswith("__")}
        for one in cls.__mro__:
            if one.__module__.startswith("leadtools_compat"):
                names.update(getattr(one, "__annotations__", {}))
                names.update(_assigned(one))
        if dataclasses.is_dataclass(cls):
            names.update(field.name for field in dataclasses.fields(cls))
        if issubclass(cls, enum.Enum):
            names.update(cls.__members__)
        names = {
            name
            for name in names
            if not name.startswith("_") or name in ("_Status", "_CurrentInstance")
        }
        return {name.lower().removesuffix("_"): name.removesuffix("_") for name in names}

    def member_name(self, type_name: str, member: str, any_case: bool = False) -> str | None:
        """Find a member of a type as .NET spells it; None: this library has none."""
        found = self.members(type_name).get(member.lower())
        if found is None or (found != member and not any_case):
            # Names that are looked up lazily, as DicomTag's.
            cls = self.types.get(type_name)
            lazy = getattr(cls, member, None) is not None if isinstance(cls, type) else False
            return member if lazy else None
        return found

    def member_type(self, ref: Ref, member: str) -> Ref | None:
        """Tell the type of a member, from its annotation."""
        cls = self.types.get(ref.name)
        if not isinstance(cls, type):
            return None
        if issubclass(cls, enum.Enum):
            return Ref(ref.name)
        return _reference(self, _annotation(cls, member), ref)

    # ---- verdicts ----

    def judge(self, type_name: str, member: str, any_case: bool = False) -> Verdict | None:
        """Say what is to be said of a use; None: it is none of LEADTOOLS's."""
        if type_name in ABSENT:
            return (type_name, member, Status.ABSENT, *ABSENT[type_name])
        if not member:
            note = DIFFERS.get(type_name)
            return (
                type_name,
                "",
                Status.DONE if note is None else Status.DIFFERS,
                *(note or ("", "")),
            )
        found = self.member_name(type_name, member, any_case)
        owner = type_name if found is None else self._owner(type_name, found)
        name = found or member
        row = self._rows.get((owner, name)) or self._rows.get((type_name, name))
        if row is not None and row.state == "absent":
            return (owner, name, Status.ABSENT, row.note, "what-is-not-there")
        if found is None:
            if member in _OBJECT:
                return None
            no_such = "this library has no such member"
            return (type_name, member, Status.ABSENT, no_such, "what-is-not-there")
        for key in (f"{type_name}.{name}", f"{owner}.{name}", f"{owner}.*"):
            if key in DIFFERS:
                return (owner, name, Status.DIFFERS, *DIFFERS[key])
        if row is not None and row.state == "differs":
            anchor = "images" if "Image" in name else "small-differences"
            return (owner, name, Status.DIFFERS, row.note, anchor)
        return (owner, name, Status.DONE, "", "")

    def _owner(self, type_name: str, member: str) -> str:
        """Find the most basic public class that has a member."""
        cls: Any = self.types[type_name]
        owner = type_name
        for one in getattr(cls, "__mro__", ()):
            name = str(one.__name__)
            if self.types.get(name) is one and member.lower() in self.members(name):
                owner = name
        return owner

    @functools.cached_property
    def distinctive(self) -> dict[str, str]:
        """Members that one class only has and whose names say what they are, with that class."""
        owners: dict[str, set[str]] = {}
        for type_name, cls in self.types.items():
            if isinstance(cls, type) and not issubclass(cls, enum.Enum):
                for name in self.members(type_name).values():
                    owners.setdefault(name, set()).add(self._owner(type_name, name))
        return {
            name: next(iter(classes))
            for name, classes in owners.items()
            if len(classes) == 1 and len(re.findall("[A-Z]", name)) >= 3 and len(name) > 9
        }


def _assigned(cls: type) -> set[str]:
    """List the attributes that the methods of a class set on ``self``."""
    try:
        return set(_ATTRIBUTE.findall(inspect.getsource(cls)))
    except (OSError, TypeError):
        return set()


def _annotation(cls: type, member: str) -> str:
    """Read the annotation of a member: a property's, a method's, a field's; "" if there is none."""
    for one in cls.__mro__:
        found = vars(one).get(member)
        if isinstance(found, property) and found.fget is not None:
            return str(found.fget.__annotations__.get("return", ""))
        if inspect.isfunction(found):
            return str(found.__annotations__.get("return", ""))
        annotated = getattr(one, "__annotations__", {}).get(member)
        if annotated is not None:
            return str(annotated)
    return ""


def _reference(api: Api, annotation: str, of: Ref) -> Ref | None:
    """Turn an annotation as ``DicomElement | None`` into a type of LEADTOOLS."""
    for part in annotation.split("|"):
        match = _TYPE_NAME.match(part.strip())
        if match is None:
            continue
        name = match[0].rpartition(".")[2]
        if name in api.types:
            return Ref(name)
        if name == "T" and of.arguments:
            return of.arguments[0]
        inner = re.search(r"\[\s*([\w.]+)", part)
        if name == "list" and inner is not None and inner[1].rpartition(".")[2] in api.types:
            return Ref("list", (Ref(inner[1].rpartition(".")[2]),))
    return None
