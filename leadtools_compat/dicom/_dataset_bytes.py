"""One element's value as bytes: its VR, its length, and changing it.

One rule: what was read from a file and not changed is given as it was read, padding and all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom._dataset_tree import read_element, tag_text
from leadtools_compat.dicom.dicom_element import DicomElement
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_vr import DicomVRType

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement

__all__ = [
    "BINARY",
    "TEXT",
    "UNSPLIT",
    "bytes_of",
    "charsets",
    "invalid",
    "length_of",
    "put",
    "put_bytes",
    "summary",
    "vr_letters",
    "vr_of",
    "whole_value",
]

BINARY = frozenset({"OB", "OW", "OL", "OF", "OD", "OV", "UN"})
"""Value representations whose value is bytes."""
TEXT = frozenset(
    [
        "AE",
        "AS",
        "CS",
        "DA",
        "DS",
        "DT",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "ST",
        "TM",
        "UC",
        "UI",
        "UR",
        "UT",
    ]
)
UNSPLIT = frozenset({"LT", "ST", "UT", "UR"})
"""Text of which a backslash is a part (PS3.5 6.2)."""


def vr_letters(vr: DicomVRType | int) -> str:
    """Give the two letters of a value representation; VRInvalid for a number that is none."""
    number = int(vr)
    if number not in DicomVRType:
        raise DicomException(
            DicomExceptionCode.VRInvalid,
            f"{number:#06x} is no value representation; use a member of DicomVRType, and UN for what "
            "the dictionary says",
        )
    return number.to_bytes(2, "big").decode("ascii")


def _letters(element: DicomElement) -> str:
    raw: Any = element._holder.get_item(element._tag)
    if raw is not None and raw.VR not in (None, "UN") and len(raw.VR) == 2:
        return str(raw.VR)
    return str(read_element(element._holder, element._tag).VR)[:2]


def vr_of(element: DicomElement) -> DicomVRType:
    """Tell the value representation of an element that is no item."""
    return DicomVRType(int.from_bytes(_letters(element).encode("latin-1"), "big"))


def charsets(element: DicomElement) -> list[str]:
    """Find the Python codecs of an element's text: (0008,0005) of its level or of one above."""
    from pydicom.charset import convert_encodings

    above: DicomElement | None = element
    holders = []
    while above is not None:
        holders.append(above._holder)
        above = above._parent
    holders.append(element._tree.root)
    for holder in holders:
        if 0x00080005 in holder:
            named: Any = read_element(holder, 0x00080005).value
            if named:
                return list(convert_encodings(named))
    return []


def _written(element: DicomElement, found: DataElement) -> bytes:
    """Encode one element and take the value out."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_data_element

    implicit = element._tree.syntax == codec.IMPLICIT or found.VR != "SQ"
    stream = DicomBytesIO()
    stream.is_implicit_VR = implicit
    stream.is_little_endian = element._tree.syntax != codec.BIG
    try:
        write_data_element(stream, found, list(charsets(element)) or None)
    except Exception as error:
        raise invalid(element, f"cannot be written: {error}") from error
    return stream.getvalue()[8 if implicit else 12 :]


def length_of(element: DicomElement) -> int:
    """Tell how many bytes the value has as it is encoded; -1: of undefined length."""
    if element._item is not None:
        item: Any = element._item
        if item.is_undefined_length_sequence_item:
            return -1
        return len(codec.encode(item, _plain(element._tree.syntax), element._tree.syntax))
    raw: Any = element._holder.get_item(element._tag)
    if raw.is_raw:
        return -1 if raw.length == 0xFFFFFFFF else int(raw.length)
    return -1 if raw.is_undefined_length else len(_written(element, raw))


def _plain(syntax: str) -> str:
    return syntax if syntax in (codec.IMPLICIT, codec.BIG) else codec.EXPLICIT


def whole_value(element: DicomElement) -> None:
    """Refuse a value of which a part is missing at the end of the file."""
    raw: Any = element._holder.get_item(element._tag)
    if raw.is_raw and raw.length not in (0xFFFFFFFF, len(raw.value or b"")):
        raise DicomException(
            DicomExceptionCode.FileFormat,
            f"{tag_text(element._tag)} has {len(raw.value or b'')} of its {raw.length} bytes: the data "
            "set is cut off. Get it once more from where it came from",
        )


def bytes_of(element: DicomElement) -> bytes:
    """Get the value's bytes, in the byte order of the data set."""
    whole_value(element)
    raw: Any = element._holder.get_item(element._tag)
    if raw.is_raw:
        return raw.value or b""
    if raw.VR in BINARY and isinstance(raw.value, (bytes, bytearray)):
        return bytes(raw.value)
    return _written(element, raw)


def invalid(element: DicomElement, why: object) -> DicomException:
    """Make the exception for a value that does not fit."""
    return DicomException(DicomExceptionCode.ValueInvalid, f"{tag_text(element._tag)} {why}")


def put(element: DicomElement, vr: str, value: Any) -> None:
    """Replace the value; what pydicom cannot hold is ValueInvalid, and nothing has changed then."""
    from pydicom.config import IGNORE
    from pydicom.dataelem import DataElement, empty_value_for_VR

    if value is None:
        value = empty_value_for_VR(vr)
    try:
        made = DataElement(element._tag, vr, value, validation_mode=IGNORE)
    except Exception as error:
        raise invalid(element, f"of VR {vr} cannot be {value!r}: {error}") from error
    element._holder[element._tag] = made


def put_bytes(element: DicomElement, vr: str, data: bytes) -> None:
    """Replace the value by what these bytes say."""
    from pydicom.charset import decode_bytes
    from pydicom.values import convert_value

    if not data:
        put(element, vr, None)
    elif vr in BINARY:
        put(element, vr, data)
    elif vr in TEXT:
        try:
            text = decode_bytes(data, charsets(element) or ["iso8859"], set(b"\\^="))
        except Exception as error:
            raise invalid(element, f"cannot be {data!r}: {error}") from error
        put(element, vr, text.rstrip("\0 "))
    elif vr == "SQ":
        raise DicomException(
            DicomExceptionCode.VRInvalid,
            f"{tag_text(element._tag)} is a sequence; insert items with InsertElement",
        )
    else:
        from pydicom.dataelem import RawDataElement
        from pydicom.tag import Tag

        little = element._tree.syntax != codec.BIG
        raw = RawDataElement(Tag(element._tag), vr, len(data), data, 0, False, little)
        try:
            value = convert_value(vr, raw)
        except Exception as error:
            raise invalid(
                element, f"of VR {vr} cannot be these {len(data)} bytes: {error}"
            ) from error
        put(element, vr, value)


def summary(element: DicomElement) -> str:
    """Tell in a few words what an element is."""
    from leadtools_compat.dicom._dataset_texts import texts_of

    if element._item is not None:
        return f"Item, {len(element._item)} elements"
    words = f"{tag_text(element._tag)} {_letters(element)}"
    if element._tree.is_sequence(element):
        return f"{words}, {len(element._tree.items(element))} items"
    value = read_element(element._holder, element._tag)
    if value.VR in BINARY:
        return f"{words}, {len(value.value or b'')} bytes"
    text = "\\".join(texts_of(value))
    return f"{words} {text if len(text) < 70 else text[:67] + '...'!r}"
