"""Data sets between bytes and pydicom, and between the transfer syntaxes that need no codec.

One rule: what nobody touched is not written anew. The functions here are for data sets whose
elements somebody has looked at, and for conversions.
"""

from __future__ import annotations

import array
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = [
    "BIG",
    "DEFLATED",
    "EXPLICIT",
    "IMPLICIT",
    "NATIVE",
    "empty",
    "encode",
    "encode_command",
    "has_pixels",
    "parse",
    "reading",
    "turn",
]

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG})
"""The syntaxes that differ in form only (PS3.5 A.1 to A.3 and A.5)."""

_PIXELS = 0x7FE00010
_COMMAND_LENGTH = 0x00000000
_INFLATED_LIMIT = 2 * 1024**3
"""Bytes that a deflated data set may become."""
_ITEM_CODES = {"OW": "H", "OL": "I", "OF": "I", "OD": "Q", "OV": "Q"}


class _Reader(io.RawIOBase):
    """A file over a memoryview, of which no part is copied before it is read."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0
        self.asked = 8
        """Size of the last read."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        end = len(self._view) if size is None or size < 0 else self._at + size
        self.asked = end - self._at
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


@contextmanager
def reading(syntax: str) -> Iterator[None]:
    """Turn what pydicom raises about bytes that are no data set into a DicomException."""
    form = syntax or "explicit VR"
    try:
        yield
    except (DicomException, MemoryError):
        raise
    except RecursionError as error:
        raise DicomException(
            DicomExceptionCode.SequenceDepth,
            "Sequences are nested too deeply to be read; 64 levels are the most",
        ) from error
    except Exception as error:
        raise DicomException(
            DicomExceptionCode.FileFormat,
            f"The data set cannot be read as {form}: {error}. It is damaged or cut off: get it "
            "once more from where it came from",
        ) from error


def empty(syntax: str) -> Dataset:
    """Make a data set without elements."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(syntax)
    return made


def _inflated(view: memoryview) -> memoryview:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacker.decompress(view, _INFLATED_LIMIT)
    if unpacker.unconsumed_tail:
        raise DicomException(
            DicomExceptionCode.DataSetTooLarge,
            f"The deflated data set is larger than {_INFLATED_LIMIT} bytes when inflated",
        )
    return memoryview(content)


def parse(view: memoryview, syntax: str) -> Dataset:
    """Read a data set; `file_meta` has its transfer syntax."""
    from pydicom.dataelem import RawDataElement
    from pydicom.dataset import FileMetaDataset
    from pydicom.filereader import read_dataset
    from pydicom.uid import UID

    implicit, little = _form(syntax or EXPLICIT)
    if syntax == DEFLATED and view.nbytes:
        view = _inflated(view)
    source: Any = _Reader(view)
    data = read_dataset(source, implicit, little)
    # The end of a data set is where pydicom looked for one more element's header. It only warns
    # when it has looked for the end of a value in vain.
    if source.asked != 8:
        raise EOFError(f"it ends within a value, at byte {view.nbytes}")
    for tag in data.keys():  # noqa: SIM118 - iterating itself would convert every value
        raw: Any = data.get_item(tag)
        if isinstance(raw, RawDataElement) and view.nbytes < raw.length < 0xFFFFFFFF:
            raise EOFError(
                f"({tag.group:04X},{tag.element:04X}) claims {raw.length} bytes, and all of it "
                f"has {view.nbytes}"
            )
    if syntax:
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = UID(syntax)
    return data


def has_pixels(data: Dataset) -> bool:
    return _PIXELS in data


def _write(data: Dataset, syntax: str) -> bytes:
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = _form(syntax)
    write_dataset(stream, data)
    return stream.getvalue()


def _explicit_lengths(data: Dataset) -> None:
    for element in data:
        if element.VR == "SQ":
            element.is_undefined_length = False
            element.value.is_undefined_length = False
            for item in element.value:
                item.is_undefined_length_sequence_item = False
                _explicit_lengths(item)


def _with_group_lengths(data: Dataset, syntax: str, encoded: bytes) -> bytes:
    """Put the retired group lengths in (PS3.5 7.2)."""
    implicit, little = _form(syntax)
    order: Any = "little" if little else "big"
    groups = sorted({int(tag) >> 16 for tag in data.keys()})  # noqa: SIM118
    pieces, start = [], 0
    for group in groups:
        upto: Any = data[: (group + 1) << 16]
        end = len(_write(upto, syntax)) if group != groups[-1] else len(encoded)
        if group > 6 and end > start:
            head = group.to_bytes(2, order) + b"\0\0"
            head += (4).to_bytes(4, order) if implicit else b"UL" + (4).to_bytes(2, order)
            pieces.append(head + (end - start).to_bytes(4, order))
        pieces.append(encoded[start:end])
        start = end
    return b"".join(pieces)


def encode(
    data: Dataset,
    syntax: str,
    source: str,
    group_lengths: bool = False,
    explicit_lengths: bool = False,
) -> bytes:
    """Write a data set whose values are in the byte order of the syntax `source`."""
    import copy

    from pydicom.filewriter import correct_ambiguous_vr

    little = _form(syntax)[1]
    swapped = _form(source or EXPLICIT)[1] != little
    if swapped or explicit_lengths:
        data = copy.deepcopy(data)
    if swapped:
        data = correct_ambiguous_vr(data, not little)
        _swap(data)
    if explicit_lengths:
        _explicit_lengths(data)
    encoded = _write(data, syntax)
    if group_lengths:
        encoded = _with_group_lengths(data, syntax, encoded)
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


def turn(data: Dataset, was_little: bool) -> None:
    """Have the values in the other byte order."""
    from pydicom.filewriter import correct_ambiguous_vr

    correct_ambiguous_vr(data, was_little)
    _swap(data)


def encode_command(data: Dataset) -> bytes:
    """Write a command set: implicit VR little endian, its group length counted anew (PS3.7 6.3.1)."""
    import copy

    rest = copy.copy(data)
    if _COMMAND_LENGTH in rest:
        del rest[_COMMAND_LENGTH]
    body = encode(rest, IMPLICIT, IMPLICIT)
    return b"\0\0\0\0\4\0\0\0" + len(body).to_bytes(4, "little") + body


assert array.array("I").itemsize == 4, sys.platform
