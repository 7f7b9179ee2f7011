"""Base classes of the mirrored enums: .NET's behaviour on top of `enum.IntEnum` and `enum.IntFlag`.

What differs from plain Python enums, on every Python version alike:

- ``str()`` and ``format()`` give the .NET name: ``None`` for ``None_``, flags joined by ``, ``;
- ``Enum["None"]`` works, and ``Enum[str(member)]`` is the member again, flags and unknown numbers included;
- a number without a name is a member too, ``Value_0x1234`` (``Value_-1`` below 0), and never raises: the peer
  decides which numbers arrive;
- iteration, ``len()`` and ``in`` are about the names that are written down: ``None_`` and combined flags are
  among them, aliases and unknown numbers are not.
"""

from __future__ import annotations

import enum
import keyword
import operator
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["CipherSuiteEnum", "DotNetEnum", "DotNetFlags", "RejectReasonEnum"]

_MemberT = TypeVar("_MemberT")

# Members for numbers without a name are kept, so that the usual few are the same object each time; past this
# many in one class, which only a hostile peer causes, new ones are not.
_KEPT = 256

_UNNAMED = re.compile(r"Value_(-[0-9]+|0x[0-9A-F]{4,})")


class _DotNetMeta(enum.EnumMeta):
    """Look-up by .NET name; iteration that does not depend on the version of Python."""

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cls._unnamed_members: dict[int, Any] = {}

    def __call__(cls, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Find the member for a number: of every message, so the short way comes first."""
        kind: Any = value.__class__
        if kind is cls:
            return value
        try:
            member = cls._value2member_map_.get(value)
            if member is None:
                member = cls._unnamed_members.get(value)
        except TypeError:  # not even a key
            member = None
        return super().__call__(value, *args, **kwargs) if member is None else member

    def __getitem__(cls: type[_MemberT], name: str) -> _MemberT:
        members: dict[str, Any] = cls.__members__  # type: ignore[attr-defined]
        if name in members:
            return members[name]  # type: ignore[no-any-return]
        if isinstance(name, str):
            if name + "_" in members and keyword.iskeyword(name):
                return members[name + "_"]  # type: ignore[no-any-return]
            if match := _UNNAMED.fullmatch(name):
                return cls(int(match[1], 0))  # type: ignore[call-arg]
            if ", " in name and issubclass(cls, enum.Flag):
                value = 0
                for part in name.split(", "):
                    value |= int(cls[part])  # type: ignore[call-overload]
                return cls(value)
        raise KeyError(name)

    def __iter__(cls: type[_MemberT]) -> Iterator[_MemberT]:
        members: dict[str, Any] = cls.__members__  # type: ignore[attr-defined]
        return (member for name, member in members.items() if member.name == name)

    def __reversed__(cls: type[_MemberT]) -> Iterator[_MemberT]:
        return reversed(list(cls))  # type: ignore[call-overload]

    def __len__(cls) -> int:
        return sum(1 for _ in cls)

    def __contains__(cls, value: object) -> bool:
        members: dict[str, Any] = cls.__members__  # type: ignore[assignment]
        return any(value == int(member) for member in members.values())


class _DotNetText:
    """Text, copying and pickling, common to enums and flags."""

    _value_: int

    def __str__(self) -> str:
        name: str = self.name  # type: ignore[attr-defined]
        return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name

    def __format__(self, format_spec: str) -> str:
        """A number if the specification asks for one (``{code:d}``, ``{status:04X}``), else the name."""
        if format_spec and format_spec[-1] in "bcdeEfFgGnoxX%":
            return int.__format__(self, format_spec)  # type: ignore[arg-type]
        return str.__format__(str(self), format_spec)

    def __repr__(self) -> str:
        value = int(self)  # type: ignore[call-overload]
        digits = f"{value} = 0x{value:04X}" if value > 9 else f"{value}"
        return f"<{type(self).__name__}.{self}: {digits}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return type(self), (self._value_,)


def _unnamed(cls: Any, key: int, number: int, name: Callable[[int], str]) -> Any:
    """The member of `cls` for a number without a name; `key` is what ``cls(key)`` was called with."""
    kept: dict[int, Any] = cls._unnamed_members
    member = kept.get(key)
    if member is None:
        member = int.__new__(cls, number)
        member._name_ = name(number)
        member._value_ = key
        # setdefault is atomic: two threads get the same member. Without a lock none can be held at a fork.
        if len(kept) < _KEPT:
            member = kept.setdefault(key, member)
    return member


def _unnamed_name(number: int) -> str:
    return f"Value_{number}" if number < 0 else f"Value_0x{number:04X}"


class DotNetEnum(_DotNetText, enum.IntEnum, metaclass=_DotNetMeta):
    """An enum of the mirrored API."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        try:
            number = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            return None  # not a number: enum raises ValueError
        return _unnamed(cls, number, number, _unnamed_name)


class DotNetFlags(_DotNetText, enum.IntFlag, metaclass=_DotNetMeta):
    """An enum of the mirrored API that has .NET's ``[Flags]``."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        try:
            number = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            return None
        return _unnamed(cls, number, number, cls._flag_names)

    @classmethod
    def _flag_names(cls, number: int) -> str:
        """As .NET: the largest flags that fit are taken first and named last; what is left is a number."""
        if number < 0:
            return _unnamed_name(number)
        flags = {
            int(member): str(member) for member in cls
        }  # numbers, because & would come back here
        names: list[str] = []
        rest = number
        for flag in sorted(flags, reverse=True):
            if flag and rest & flag == flag:
                names.insert(0, flags[flag])
                rest -= flag
        if rest:
            names.append(_unnamed_name(rest))
        return ", ".join(names)

    # Written out because enum's own forms differ between versions of Python.
    def __contains__(self, other: Any) -> bool:
        """Whether all bits of `other` are set: .NET's HasFlag."""
        return int(self) & int(other) == int(other)

    def __iter__(self) -> Iterator[Any]:
        """The named single bits that are set, lowest first."""
        return (
            m for m in sorted(type(self), key=int) if int(m).bit_count() == 1 and int(self) & int(m)
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return int(self) != 0


class RejectReasonEnum(DotNetEnum):
    """Numbers that mean something only together with the source of a rejection (PS3.8 Table 9-21).

    A member is written as source * 256 + reason, which keeps the reasons of different sources apart, but it
    *is* the reason: as an ``int``, as ``value``, when compared, hashed and printed.
    """

    def __new__(cls, key: int) -> Self:
        member = int.__new__(cls, key & 0xFF)
        member._value_ = key
        return member

    @property
    def value(self) -> int:
        return int(self)

    @classmethod
    def from_wire(cls, source: int, reason: int) -> Self:
        """The member for two numbers of an A-ASSOCIATE-RJ; a reason without a name is ``Value_0xNNNN``."""
        return cls(int(source) << 8 | int(reason))

    @classmethod
    def _missing_(cls, value: object) -> Any:
        try:
            key = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            return None
        if key < 0 or key > 0xFFFF:
            return _unnamed(cls, key, key, _unnamed_name)
        source, reason = key >> 8, key & 0xFF
        if source <= 1 or (source, reason) == (
            2,
            1,
        ):  # a bare number; the provider's "no reason given"
            named = cls._value2member_map_.get(0x100 | reason)
            return named or _unnamed(cls, reason, reason, _unnamed_name)
        return _unnamed(cls, key, reason, _unnamed_name)


class CipherSuiteEnum(DotNetEnum):
    """What the members of `DicomTlsCipherSuiteType` can tell: nothing for ``None_`` and unknown numbers."""

    def GetCipherFriendlyName(self) -> str:
        """The IANA name, as ``TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384``."""
        return self.iana_name

    @property
    def iana_name(self) -> str:
        """The IANA name, as ``TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384``."""
        from leadtools_compat.dicom._texts import CIPHER_NAMES

        return CIPHER_NAMES.get(int(self), ("", ""))[0]

    @property
    def openssl_name(self) -> str:
        """OpenSSL's name, as ``ECDHE-RSA-AES256-GCM-SHA384``."""
        from leadtools_compat.dicom._texts import CIPHER_NAMES

        return CIPHER_NAMES.get(int(self), ("", ""))[1]

    @property
    def is_available(self) -> bool:
        """Whether the OpenSSL that the library is linked with has this suite."""
        from leadtools_compat._binding import lib

        return bool(lib.L_DicomIsCipherAvailableTLS(int(self)))
