"""C data sets (HDICOMDS): who frees them, and their bytes without a copy.

A C handle is a number that is checked at every call; what is behind it never changes, it is only
replaced. So a view of the bytes has a handle of its own and stays good whatever happens to the
handle it was taken from.
"""

from __future__ import annotations

import os
from typing import Any

from leadtools_compat._binding import ffi, lib
from leadtools_compat._binding.errors import check, last_error
from leadtools_compat._binding.text import Contents, StrPath, from_c, path_to_c

__all__ = ["DataSet", "replace_lent"]


class _Keeper:
    """A destructor that does nothing but refer to something."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Any) -> None:
        self._kept = kept

    def __call__(self, pointer: Any) -> None:
        pass


class DataSet:
    """A C data set, freed once: when told to, or when nobody refers to it any more."""

    __slots__ = ("__weakref__", "handle")

    def __init__(self, handle: Any) -> None:
        """Take `handle` over; NULL raises what the failed call on this thread has said."""
        if handle == ffi.NULL:
            raise last_error()
        self.handle = ffi.gc(handle, lib.L_DicomFreeDS)

    @classmethod
    def create(cls, folder: StrPath | None) -> DataSet:
        return cls(lib.L_DicomCreateDS(path_to_c(folder, "temporaryDirectory")))

    @classmethod
    def retain(cls, lent: Any) -> DataSet:
        """Keep what C lends for the time of a call."""
        return cls(lib.L_DicomRetainDS(lent))

    def free(self) -> None:
        """Free it; again is fine. The handle stays, and C finds nothing behind it any more."""
        ffi.release(self.handle)

    # ---- what is in it ----

    @property
    def syntax(self) -> str:
        return from_c(lib.L_DicomGetTransferSyntaxDS(self.handle))

    @property
    def length(self) -> int:
        return int(lib.L_DicomGetLengthDS(self.handle))

    @property
    def file(self) -> str | None:
        """The file it lies in; None while in memory."""
        name = lib.L_DicomGetFileDS(self.handle)
        return None if name == ffi.NULL else os.fsdecode(bytes(ffi.string(name)))

    def view(self) -> memoryview:
        """Show the bytes; the view keeps them alive."""
        own = lib.L_DicomRetainDS(self.handle)
        if own == ffi.NULL:
            raise last_error()
        keeper = ffi.gc(own, lib.L_DicomFreeDS)
        data, count = ffi.new("L_UCHAR **"), ffi.new("L_UINT64 *")
        check(lib.L_DicomGetBufferDS(own, data, count))
        if count[0] == 0:
            return memoryview(b"")
        # The buffer object keeps `held`, whose destructor keeps `keeper`.
        held = ffi.gc(data[0], _Keeper(keeper))
        return memoryview(ffi.buffer(held, count[0])).toreadonly()

    # ---- replacing it ----

    def set(self, data: Contents, syntax: str) -> None:
        """Replace the content by a copy of `data`."""
        view = memoryview(data).cast("B")
        pointer = ffi.from_buffer("L_UCHAR[]", view) if view.nbytes else ffi.NULL
        check(lib.L_DicomSetBufferDS(self.handle, pointer, view.nbytes, syntax.encode()))

    def load(self, path: StrPath) -> None:
        check(lib.L_DicomLoadDS(self.handle, path_to_c(path, "file"), 0))

    def save(self, path: StrPath, flags: int) -> None:
        check(lib.L_DicomSaveDS(self.handle, path_to_c(path, "file"), flags))

    def reset(self) -> None:
        check(lib.L_DicomResetDS(self.handle))


def replace_lent(lent: Any, data: bytes, syntax: str) -> None:
    """Replace the content of a data set that C lends for the time of a call."""
    check(lib.L_DicomSetBufferDS(lent, data, len(data), syntax.encode()))
