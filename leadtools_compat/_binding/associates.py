"""C associations (HDICOMPDU): who frees them, one thread at a time, texts and bytes out of them.

A C association is a plain object with an owner. Here the owner is an `Association`, which frees it
once: when told to, or when nobody refers to it any more. Its lock makes up for the C side, which has
none: no call meets another one, nor a handle that is being freed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from leadtools_compat._binding import ffi, lib
from leadtools_compat._binding.errors import check, last_error
from leadtools_compat._binding.text import from_c

__all__ = ["Association"]

_new = ffi.new
_TEXT = ffi.typeof("L_TCHAR[]")
_CHARS = 256
_MOST_CHARS = 1 << 24


def _disposed() -> Exception:
    from leadtools_compat.dicom.dicom_exception import DicomException
    from leadtools_compat.dicom.enums_codes import DicomExceptionCode

    return DicomException(
        DicomExceptionCode.ObjectDisposed, "The DicomAssociate has been disposed; make a new one"
    )


class Association:
    """A C association and its lock.

    Every method raises ``ObjectDisposed`` after `free`.
    """

    __slots__ = ("__weakref__", "_handle", "_lock")

    def __init__(self, handle: Any) -> None:
        """Take `handle` over; NULL raises what the failed call on this thread has said."""
        if handle == ffi.NULL:
            raise last_error()
        self._handle: Any = ffi.gc(handle, lib.L_DicomFreeAssociate)
        self._lock = threading.RLock()

    @classmethod
    def create(cls, request: bool) -> Association:
        return cls(lib.L_DicomCreateAssociate(request))

    def free(self) -> None:
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                ffi.release(handle)

    @contextmanager
    def lend(self) -> Iterator[Any]:
        """Lend the handle; it lives, and nobody else has it, until the block ends."""
        with self._lock:
            if self._handle is None:
                raise _disposed()
            yield self._handle

    def clone(self) -> Association:
        with self.lend() as handle:
            return Association(lib.L_DicomCloneAssociate(handle))

    # ---- calls ----

    def ask(self, function: Callable[..., int], *arguments: Any) -> int:
        """Call a function that answers with a number."""
        with self._lock:  # as `lend`, but this is asked often for each association
            if self._handle is None:
                raise _disposed()
            return function(self._handle, *arguments)

    def tell(self, function: Callable[..., int], *arguments: Any) -> None:
        """Call a function that answers with an error code."""
        with self._lock:
            if self._handle is None:
                raise _disposed()
            code = function(self._handle, *arguments)
            if code != 0:
                check(code)

    def text(self, function: Callable[..., int], *arguments: Any) -> str:
        """Call a function whose last parameters are a buffer for text and its size."""
        with self._lock:
            if self._handle is None:
                raise _disposed()
            size = _CHARS
            while True:
                buffer = _new(_TEXT, size)
                code = function(self._handle, *arguments, buffer, size)
                if code == 0:
                    return from_c(buffer)
                if code != lib.DICOM_ERROR_PARAMETER or size >= _MOST_CHARS:
                    raise last_error(code)
                size *= 16

    def context_id(self, index: int) -> int:
        with self._lock:
            if self._handle is None:
                raise _disposed()
            identifier = lib.L_DicomGetPresentation(self._handle, index)
            if identifier == 0:
                raise last_error()
            return identifier

    def pair(
        self, function: Callable[..., int], kind: str, *arguments: Any
    ) -> tuple[int, int] | None:
        """Call a function that fills two numbers; None when it says that they are not there."""
        with self.lend() as handle:
            numbers = ffi.new(f"{kind}[2]")
            if function(handle, *arguments, numbers, numbers + 1) == 0:
                return None
            return numbers[0], numbers[1]

    def block(self, function: Callable[..., int], *arguments: Any) -> bytes | None:
        """Call a function that lends bytes; None when it says that they are not there."""
        with self.lend() as handle:
            data, length = ffi.new("L_UCHAR **"), ffi.new("L_UINT *")
            if function(handle, *arguments, data, length) == 0:
                return None
            return bytes(ffi.buffer(data[0], length[0]))

    # ---- what has more than two results ----

    def user_information(self, index: int) -> tuple[int, bytes]:
        """Read type and bytes of an item that has no functions of its own."""
        with self.lend() as handle:
            kind, data, length = (
                ffi.new("L_UCHAR *"),
                ffi.new("L_UCHAR **"),
                ffi.new("L_UINT *"),
            )
            check(lib.L_DicomGetUserInformation(handle, index, kind, data, length))
            return kind[0], bytes(ffi.buffer(data[0], length[0]))

    def identity(self) -> tuple[int, bool, bytes, bytes] | None:
        """Read type, response wanted, primary and secondary field; None: there is none."""
        with self.lend() as handle:
            kind, wanted = ffi.new("L_UCHAR *"), ffi.new("L_BOOL *")
            fields, lengths = ffi.new("L_UCHAR *[2]"), ffi.new("L_UINT[2]")
            there = lib.L_DicomGetUserIdentity(
                handle, kind, wanted, fields, lengths, fields + 1, lengths + 1
            )
            if not there:
                return None
            primary, secondary = (bytes(ffi.buffer(fields[i], lengths[i])) for i in (0, 1))
            return kind[0], bool(wanted[0]), primary, secondary

    def common_extended(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Read SOP class, service class and related classes of each common extended negotiation."""
        with self.lend() as handle:
            found = []
            for index in range(lib.L_DicomGetCommonExtendedCount(handle)):
                sop, service = ffi.new("L_TCHAR[]", _CHARS), ffi.new("L_TCHAR[]", _CHARS)
                check(lib.L_DicomGetCommonExtended(handle, index, sop, _CHARS, service, _CHARS))
                count = lib.L_DicomGetCommonExtendedRelatedCount(handle, index)
                related = tuple(
                    self.text(lib.L_DicomGetCommonExtendedRelated, index, i) for i in range(count)
                )
                found.append((from_c(sop), from_c(service), related))
            return found

    # ---- the wire ----

    def encode(self, request: Association | None) -> bytes:
        """Write the PDU."""
        # A copy: with both locks held, two threads could wait for each other.
        asked = None if request is None else request.clone()
        with self.lend() as handle:
            return self._encode(handle, ffi.NULL if asked is None else asked._handle)

    @staticmethod
    def _encode(handle: Any, request: Any) -> bytes:
        length = ffi.new("L_UINT *")
        check(lib.L_DicomEncodeAssociate(handle, request, ffi.NULL, length))
        buffer = ffi.new("L_UCHAR[]", length[0])
        check(lib.L_DicomEncodeAssociate(handle, request, buffer, length))
        return bytes(ffi.buffer(buffer, length[0]))

    @classmethod
    def decode(cls, data: bytes, request: Association | None) -> Association:
        """Read a PDU."""
        if request is None:
            return cls(lib.L_DicomDecodeAssociate(data, len(data), ffi.NULL))
        with request.lend() as asked:
            return cls(lib.L_DicomDecodeAssociate(data, len(data), asked))
