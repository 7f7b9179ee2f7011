"""Data sets between bytes and pydicom, and between the transfer syntaxes that need no codec.

One rule: what nobody touched is not written anew. The functions here are for data sets whose
elements somebody has looked at, and for conversions.
"""

from __future__ import annotations

import array
import io
import sys
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = [
    "BIG",
    "DEFLATED",
    "EXPLICIT",
    "IMPLICIT",
    "NATIVE",
    "encode",
    "encode_command",
    "has_pixels",
    "parse",
]

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG})
"""The syntaxes that differ in form only (PS3.5 A.1 to A.3 and A.5)."""

_PIXELS = 0x7FE00010
_COMMAND_LENGTH = 0x00000000
_ITEM_CODES = {"OW": "H", "OL": "I", "OF": "I", "OD": "Q", "OV": "Q"}


class _Reader(io.RawIOBase):
    """A file over a memoryview, of which no part is copied before it is read."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        end = len(self._view) if size is None or size < 0 else self._at + size
        piece = bytes(self._view[self._at : end])
        self._at += len(piece)
        return piece

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max((0, self._at, len(self._view))[whence] + offset, 0)
        return self._at


def _form(syntax: str) -> tuple[bool, bool]:
    """Tell implicit VR and little endian."""
    return syntax == IMPLICIT, syntax != BIG


def parse(view: memoryview, syntax: str) -> Dataset:
    """Read a data set; `file_meta` has its transfer syntax."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.filereader import read_dataset
    from pydicom.uid import UID

    implicit, little = _form(syntax or EXPLICIT)
    source: Any = (
        io.BytesIO(zlib.decompress(view, -zlib.MAX_WBITS))
        if syntax == DEFLATED and view.nbytes
        else _Reader(view)
    )
    data = read_dataset(source, implicit, little)
    if syntax:
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = UID(syntax)
    return data


def has_pixels(data: Dataset) -> bool:
    return _PIXELS in data


def encode(data: Dataset, syntax: str, source: str) -> bytes:
    """Write a data set whose values are in the byte order of the syntax `source`."""
    import copy

    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import correct_ambiguous_vr, write_dataset

    implicit, little = _form(syntax)
    if _form(source or EXPLICIT)[1] != little:
        data = correct_ambiguous_vr(copy.deepcopy(data), not little)
        _swap(data)
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit, little
    write_dataset(stream, data)
    encoded = stream.getvalue()
    if syntax != DEFLATED:
        return encoded
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(encoded) + packer.flush()
    return packed + b"\0" * (len(packed) % 2)


def _swap(data: Dataset) -> None:
    """Turn the bytes of every value that pydicom keeps as it was read."""
    for element in data:
        if element.VR == "SQ":
            for item in element.value or ():
                _swap(item)
        elif element.VR in _ITEM_CODES and element.value:
            words = array.array(_ITEM_CODES[element.VR])
            words.frombytes(bytes(element.value))
            words.byteswap()
            element.value = words.tobytes()


def encode_command(data: Dataset) -> bytes:
    """Write a command set: implicit VR little endian, its group length counted anew (PS3.7 6.3.1)."""
    import copy

    rest = copy.copy(data)
    if _COMMAND_LENGTH in rest:
        del rest[_COMMAND_LENGTH]
    body = encode(rest, IMPLICIT, IMPLICIT)
    return b"\0\0\0\0\4\0\0\0" + len(body).to_bytes(4, "little") + body


assert array.array("I").itemsize == 4, sys.platform
