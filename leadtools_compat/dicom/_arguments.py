"""Checks of arguments: a wrong type is a TypeError, a wrong value ``DicomException(Parameter)``.

One rule: nothing has happened yet when one of these raises, and the sentence names the argument,
the value and what would be right.
"""

from __future__ import annotations

import enum
import functools
import operator
from typing import SupportsIndex

from leadtools_compat._binding.errors import parameter_error

__all__ = ["INT_MAX", "flags", "integer", "member", "port", "seconds"]

INT_MAX = 2**31 - 1


def integer(value: SupportsIndex, name: str, low: int, high: int) -> int:
    """Check a number, an enum's member included."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, not {type(value).__name__}") from None
    if not low <= number <= high:
        raise parameter_error(f"{name} is {number}, which is not in {low}..{high}")
    return number


def port(value: SupportsIndex, name: str) -> int:
    """Check a TCP port; 0 is for the caller to judge."""
    return integer(value, name, 0, 65535)


def _names(kind: type[enum.IntEnum | enum.IntFlag]) -> str:
    return ", ".join(f"{one} ({int(one)})" for one in kind)


@functools.cache
def _values(kind: type[enum.IntEnum]) -> frozenset[int]:
    return frozenset(int(one) for one in kind)


def member(value: SupportsIndex, name: str, kind: type[enum.IntEnum]) -> int:
    """Check that a number is one of an enum's members."""
    number = integer(value, name, -INT_MAX - 1, 2**32 - 1)
    if number not in _values(kind):
        raise parameter_error(f"{name} is {number}; {kind.__name__} has {_names(kind)}")
    return number


@functools.cache
def _known(kind: type[enum.IntFlag]) -> int:
    known = 0
    for one in kind:
        known |= int(one)
    return known


def flags(value: SupportsIndex, name: str, kind: type[enum.IntFlag]) -> int:
    """Check that a number has only bits that a flags enum names."""
    number = integer(value, name, 0, INT_MAX)
    known = _known(kind)
    if number & ~known:
        raise parameter_error(
            f"{name} is {number:#x}, which has the unknown bits {number & ~known:#x}; "
            f"{kind.__name__} has {_names(kind)}"
        )
    return number


def seconds(value: float, name: str, low: float, high: float) -> int:
    """Check a time in seconds and turn it into milliseconds."""
    if not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not low <= value <= high:  # NaN too
        raise parameter_error(f"{name} is {value}, which is not in {low:g}..{high:g} seconds")
    return round(value * 1000)
