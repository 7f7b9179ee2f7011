"""`DicomDataSet`: values as text and as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import Contents, is_bytes
from leadtools_compat.dicom._arguments import INT_MAX, integer
from leadtools_compat.dicom._data_set_state import DataSetState, state_of
from leadtools_compat.dicom._dataset_access import check_valued
from leadtools_compat.dicom._dataset_bytes import (
    BINARY,
    TEXT,
    UNSPLIT,
    bytes_of,
    charsets,
    invalid,
    put,
    put_bytes,
    whole_value,
)
from leadtools_compat.dicom._dataset_texts import from_convert, texts_of, to_convert
from leadtools_compat.dicom._dataset_tree import tag_text
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dataset import DicomCharacterSetType

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_element import DicomElement

__all__ = ["DataSetValues", "put_texts", "use_charset"]

_CHARSET = 0x00080005
_WORDS = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
_CHARSET_VRS = frozenset(["LO", "LT", "PN", "SH", "ST", "UC", "UT"])


def _no_sequence(element: DicomElement, vr: str) -> None:
    if vr == "SQ":
        raise DicomException(
            DicomExceptionCode.VRInvalid,
            f"{tag_text(element._tag)} is a sequence and has no value of its own; its items' elements "
            "have",
        )


def _encodable(element: DicomElement, texts: Sequence[Any]) -> None:
    """Refuse text that the character set has no bytes for."""
    characters = {one for text in texts if isinstance(text, str) for one in text}
    if all(one < "\x7f" for one in characters):
        return
    codecs = charsets(element) or ["ascii"]

    def fits(character: str) -> bool:
        for codec in codecs:
            try:
                character.encode("ascii" if codec == "iso8859" else codec)
            except UnicodeError:
                continue
            return True
        return False

    strange = sorted(one for one in characters if not fits(one))
    if strange:
        raise DicomException(
            DicomExceptionCode.CharacterSet,
            f"{tag_text(element._tag)}: the data set's character set cannot hold {strange[0]!r}. Use "
            "SetStringValue with DicomCharacterSetType.UnicodeInUtf8, or set "
            "DicomTag.SpecificCharacterSet first, for example to ISO_IR 192",
        )


def use_charset(state: DataSetState, terms: Sequence[str]) -> None:
    """Set (0008,0005) of the data set; text that is there is read with the old one first."""
    tree = state.tree()
    root: Any = tree.root
    present = root.get(_CHARSET)
    now = [] if present is None or not present.value else present.value
    if list([now] if isinstance(now, str) else now) == list(terms):
        return
    root.decode()
    root.add_new(_CHARSET, "CS", list(terms) if len(terms) > 1 else terms[0])
    tree.changed(root)


def put_texts(state: DataSetState, element: DicomElement, vr: str, texts: list[Any]) -> None:
    """Replace the value by these, which are in DICOM's form."""
    if vr in _CHARSET_VRS:
        _encodable(element, texts)
    if element._tag == _CHARSET and element._parent is None:
        element._tree.root.decode()
    put(element, vr, (texts[0] if len(texts) == 1 else texts) if texts else None)
    state.touch()


def _hex(element: DicomElement, text: str) -> bytes:
    try:
        return bytes(int(one, 16) for one in text.split("\\")) if text.strip() else b""
    except ValueError:
        raise invalid(element, f"has bytes, to be written as 0A\\1F\\..., not {text!r}") from None


class DataSetValues:
    """Members about values as text and bytes.

    An `element` that is None, of another data set, deleted or an item is a `DicomException`.
    """

    # ---- LEADTOOLS's text ----

    def GetConvertValue(self, element: DicomElement) -> str:
        r"""Get all values as text, joined by ``\``.

        Returns
        -------
        str
            Dates as MM/DD/YYYY, times as hh:mm:ss.ffffff, DT as both with a blank between and the
            offset behind, parts that are missing left out, ranges with ``-``; numbers in decimal;
            tags as GGGG:EEEE; bytes in hexadecimal. A date that is none is given as it is. "" if
            there is no value, and for a sequence.

        Raises
        ------
        DicomException
            ``FileFormat``: the value cannot be read, or a part of it is missing.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetConvertValue``.
        """
        with state_of(self) as state:
            tree = state.tree()
            checked = check_valued(tree, element)
            whole_value(checked)
            found = tree.value(checked)
            return "\\".join(to_convert(one, found.VR) for one in texts_of(found))

    def SetConvertValue(self, element: DicomElement, value: str, count: int = 1) -> None:
        r"""Set values from text in the form of `GetConvertValue`, or in DICOM's.

        Parameters
        ----------
        element
            Whose value.
        value
            Values joined by ``\``. Of LT, ST, UT and UR a backslash is a part of the text.
        count
            How many values to take, at least 1; more are dropped.

        Raises
        ------
        DicomException
            ``ValueInvalid``: a value does not fit the VR, as the 30th of February;
            ``CharacterSet``: the data set's character set cannot hold it; ``VRInvalid``: a sequence.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetConvertValue``.
        """
        if not isinstance(value, str):
            raise TypeError(f"value must be a str, not {type(value).__name__}")
        number = integer(count, "count", 1, INT_MAX)
        with state_of(self) as state:
            checked = check_valued(state.tree(), element)
            vr = str(checked.VR)
            _no_sequence(checked, vr)
            if vr in BINARY:
                data = _hex(checked, value)
                put_bytes(checked, vr, data[: number * _WORDS.get(vr, 1)] if number > 1 else data)
                state.touch()
                return
            given = [value] if vr in UNSPLIT else value.split("\\")[:number]
            converted = [from_convert(one, vr) for one in given] if value else []
            for one, text in zip(converted, given, strict=bool(value)):
                if one is None:
                    raise invalid(checked, f"of VR {vr} cannot be {text!r}")
            put_texts(state, checked, vr, converted)

    # ---- DICOM's text ----

    def GetElementValueCount(self, element: DicomElement) -> int:
        """Count the values; of a sequence its items, of bytes the words that the VR has.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetElementValueCount``.
        """
        with state_of(self) as state:
            tree = state.tree()
            checked = check_valued(tree, element)
            if tree.is_sequence(checked):
                return len(tree.items(checked))
            found = tree.value(checked)
            if found.VR in BINARY:
                return len(found.value or b"") // _WORDS.get(found.VR, 1)
            return len(texts_of(found))

    def GetStringValue(self, element: DicomElement, index: int = 0) -> str | None:
        """Get one value as DICOM writes it, without padding: dates as YYYYMMDD.

        Parameters
        ----------
        element
            Whose value.
        index
            Which, from 0.

        Returns
        -------
        str or None
            None past the last value; bytes are given in hexadecimal, one at a time.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetStringValue``.
        """
        place = integer(index, "index", 0, INT_MAX)
        with state_of(self) as state:
            tree = state.tree()
            checked = check_valued(tree, element)
            whole_value(checked)
            found = tree.value(checked)
            texts = texts_of(found)
            if place >= len(texts):
                return None
            return texts[place].rstrip(" \0") if found.VR in UNSPLIT else texts[place].strip(" \0")

    def SetStringValue(
        self,
        element: DicomElement,
        value: str | Sequence[str],
        type: DicomCharacterSetType | int = DicomCharacterSetType.Default,
    ) -> None:
        r"""Set values from text as DICOM writes it, joined by ``\`` or as a list.

        Parameters
        ----------
        element
            Whose value.
        value
            The text. Dates are YYYYMMDD; month/day/year is understood too.
        type
            ``Default``: the character set that the data set has. Another member: the data set gets
            that one in (0008,0005) first, and what it holds already is converted.

        Raises
        ------
        DicomException
            As from `SetConvertValue`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetStringValue``.
        """
        if not isinstance(value, str):
            if is_bytes(value) or not all(isinstance(one, str) for one in value):
                raise TypeError(f"value must be a str or a list of them, not {value!r}")
            value = "\\".join(value)
        kind = DicomCharacterSetType(type)
        with state_of(self) as state:
            checked = check_valued(state.tree(), element)
            vr = str(checked.VR)
            if vr not in TEXT:
                self.SetConvertValue(checked, value, value.count("\\") + 1)
                return
            given = [value] if vr in UNSPLIT else value.split("\\")
            converted = [from_convert(one, vr) for one in given] if value else []
            for one, text in zip(converted, given, strict=bool(value)):
                if one is None:
                    raise invalid(checked, f"of VR {vr} cannot be {text!r}")
            if kind != DicomCharacterSetType.Default:
                use_charset(state, kind.defined_terms)
            put_texts(state, checked, vr, converted)

    # ---- bytes ----

    def GetBinaryValue(self, element: DicomElement, length: int = 0) -> bytes:
        """Get the value's bytes as they are encoded, padding too.

        Parameters
        ----------
        element
            Whose value.
        length
            How many bytes at most; 0 is all.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetBinaryValue``. Words are in the byte order of the
        data set; that of a sequence are its items.
        """
        most = integer(length, "length", 0, 2**63 - 1)
        with state_of(self) as state:
            data = bytes_of(check_valued(state.tree(), element))
            return data[:most] if most else data

    def SetBinaryValue(self, element: DicomElement, value: Contents, length: int = 0) -> None:
        """Set the value's bytes as they are encoded; text may be set so too, date ranges as well.

        Parameters
        ----------
        element
            Whose value.
        value
            The bytes. One byte of padding is added when it is needed.
        length
            How many of them; 0 is all.

        Raises
        ------
        DicomException
            ``ValueInvalid``: the bytes are no value of this VR, as 3 bytes for US;
            ``Parameter``: `length` is more than there is; ``VRInvalid``: a sequence.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetBinaryValue``.
        """
        if not is_bytes(value):
            raise TypeError(f"value must be bytes-like, not {type(value).__name__}")
        data = bytes(value)
        most = integer(length, "length", 0, 2**63 - 1)
        if most > len(data):
            raise parameter_error(f"length is {most}, and value has {len(data)} bytes")
        with state_of(self) as state:
            checked = check_valued(state.tree(), element)
            put_bytes(checked, str(checked.VR), data[:most] if most else data)
            state.touch()
