"""Text between Python and C: UTF-8, NUL-terminated, checked for a NUL inside.

Text that comes from C never raises: certificates and peers may have written it.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeGuard

from leadtools_compat._binding import ffi
from leadtools_compat._binding.errors import parameter_error

__all__ = [
    "Address",
    "Contents",
    "StrPath",
    "address_to_c",
    "from_c",
    "is_bytes",
    "path_to_c",
    "text_to_c",
]

StrPath = str | os.PathLike[str]
Contents = bytes | bytearray | memoryview
Address = str | IPv4Address | IPv6Address | None


_string = ffi.string


def from_c(pointer: Any) -> str:
    """Copy a C string; NULL is the empty string."""
    if not pointer:
        return ""
    text: bytes = _string(pointer)
    return text.decode("utf-8", "replace")


def _checked(encoded: bytes, value: object, name: str) -> bytes:
    if 0 in encoded:
        raise parameter_error(f"{name} is {value!r}, which has a NUL character in it")
    return encoded


def text_to_c(value: str, name: str) -> bytes:
    """Encode a string argument, for cffi to pass as ``const char *``."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    try:
        encoded = value.encode()
        return encoded if 0 not in encoded else _checked(encoded, value, name)
    except UnicodeEncodeError as error:
        raise parameter_error(f"{name} is {value!r}, which UTF-8 cannot hold") from error


def path_to_c(value: StrPath | None, name: str) -> Any:
    """Encode a path as the system does; None and "" are NULL."""
    if value is None:
        return ffi.NULL
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a str or os.PathLike, not {type(value).__name__}")
    path = os.fsencode(value)
    return _checked(path, value, name) if path else ffi.NULL


def address_to_c(value: Address, name: str) -> Any:
    """Encode a host name or address, which may be an ``ipaddress`` object; None and "" are NULL."""
    if value is None:
        return ffi.NULL
    if isinstance(value, (IPv4Address, IPv6Address)):
        return str(value).encode()
    if not isinstance(value, str):
        raise TypeError(
            f"{name} must be a str, an ipaddress object or None, not {type(value).__name__}"
        )
    return text_to_c(value, name) if value else ffi.NULL


def is_bytes(value: object) -> TypeGuard[Contents]:
    """Tell contents from paths: bytes-like objects are contents."""
    return isinstance(value, (bytes, bytearray, memoryview))
