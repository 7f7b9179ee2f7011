"""One value between Python's types and an element: what `GetValue`, `SetValue`, `Set`, `Get` do."""

from __future__ import annotations

import datetime
import enum
import types
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.text import is_bytes
from leadtools_compat.dicom import dicom_date_values as dates
from leadtools_compat.dicom._dataset_bytes import BINARY, TEXT, bytes_of, invalid
from leadtools_compat.dicom._dataset_texts import texts_of, values_of
from leadtools_compat.dicom._dataset_typed import number_text
from leadtools_compat.dicom.element_attributes import elements_of

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet
    from leadtools_compat.dicom.dicom_element import DicomElement

__all__ = ["fill", "get_object", "put_object", "read"]

BeforeAdd = Callable[[int], Any]
_TRUE, _FALSE = {"Y", "YES", "TRUE", "1", "T"}, {"N", "NO", "FALSE", "0", "F"}


# ---- reading ----


def _inner(kind: Any) -> Any:
    """Take Optional off a type."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        rest = [one for one in typing.get_args(kind) if one is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return kind


def _bool(text: str) -> bool | None:
    upper = text.strip().upper()
    return True if upper in _TRUE else False if upper in _FALSE else None


def _moment(text: str) -> datetime.datetime | None:
    found = dates.moment_of(text) or dates.date_of(text)
    return None if found is None else found.ToDateTime()


def _day(text: str) -> datetime.date | None:
    moment = _moment(text)
    return None if moment is None else moment.date()


def _clock(text: str) -> datetime.time | None:
    found = dates.time_of(text)
    return None if found is None else found.ToTime()


_READ: dict[Any, Callable[[str], Any]] = {
    bool: _bool,
    datetime.datetime: _moment,
    datetime.date: _day,
    datetime.time: _clock,
    dates.DicomDateValue: dates.date_of,
    dates.DicomTimeValue: dates.time_of,
    dates.DicomDateTimeValue: dates.moment_of,
    dates.DicomAgeValue: dates.age_of,
}


def _from_text(text: str, kind: Any) -> Any:
    """Read one value of a type; None or an exception: it is none."""
    if kind is str:
        return text
    if kind in _READ:
        return _READ[kind](text)
    if kind is int:
        number = float(text)
        return (
            int(text)
            if text.lstrip("+-").isdigit()
            else int(number)
            if number == int(number)
            else None
        )
    if isinstance(kind, type) and issubclass(kind, dates._Range):
        return dates.range_of(kind, text)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        by_name: Mapping[str, Any] = kind.__members__
        return by_name[text] if text in by_name else kind(int(text))
    return kind(text)


def natural(data: DicomDataSet, element: DicomElement) -> Any:
    """Get the first value as its value representation suggests; None: there is none."""
    found = element._tree.value(element)
    if found.VR in BINARY:
        return bytes_of(element) or None
    values = values_of(found)
    if not values:
        return None
    if found.VR == "SQ":
        return None
    if found.VR == "IS":
        return int(values[0]) if not isinstance(values[0], str) else values[0]
    if found.VR in ("DS", "FL", "FD"):
        return float(values[0]) if not isinstance(values[0], str) else values[0]
    if found.VR in TEXT:
        return texts_of(found)[0].strip(" \0")
    return int(values[0]) if isinstance(values[0], int) else values[0]


def read(data: DicomDataSet, element: DicomElement, kind: Any) -> Any:
    """Get an element's value as a type; None: it has none."""
    kind = _inner(kind)
    if kind is None or kind is object or kind is Any:
        return natural(data, element)
    origin = typing.get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, (list, tuple)):
        (inner, *_) = typing.get_args(kind) or (str,)
        return origin(_all(data, element, _inner(inner)))
    if kind in (bytes, bytearray, memoryview):
        content = data.GetBinaryValue(element)
        return kind(content) if content else None
    if isinstance(kind, type) and elements_of(kind):
        item = data.GetChildElement(element, True)
        return None if item is None else get_object(data, item, kind)
    text = data.GetStringValue(element, 0)
    return None if not text else _checked(element, text, kind)


def _all(data: DicomDataSet, element: DicomElement, kind: Any) -> list[Any]:
    if isinstance(kind, type) and elements_of(kind):
        found = []
        item = data.GetChildElement(element, True)
        while item is not None:
            found.append(get_object(data, item, kind))
            item = data.GetNextElement(item, True, True)
        return found
    texts = texts_of(element._tree.value(element))
    return [_checked(element, text.strip(" \0"), kind) for text in texts]


def _checked(element: DicomElement, text: str, kind: Any) -> Any:
    try:
        value = _from_text(text, kind)
    except Exception as error:
        raise invalid(element, f"has the value {text!r}, which is no {kind.__name__}") from error
    if value is None:
        raise invalid(element, f"has the value {text!r}, which is no {kind.__name__}")
    return value


def get_object(data: DicomDataSet, item: DicomElement | None, kind: Any) -> Any:
    """Make an object of a class with `Element` members; `item` None: of the top level."""
    made = kind()
    first = None if item is None else data.GetChildElement(item, True)
    for name, member in elements_of(kind).items():
        if item is not None and first is None:
            continue
        element = data.FindFirstElement(first, member.Tag, True)
        if element is not None:
            setattr(made, name, read(data, element, member.kind))
    return made


# ---- writing ----


def _text(element: DicomElement, vr: str, value: Any) -> str:
    """Write one value as DICOM's text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("YES" if value else "NO") if vr == "CS" else str(int(value))
    if isinstance(value, enum.Enum):
        numeric = isinstance(value, int) and vr not in TEXT - {"IS", "DS"}
        return str(value.value) if numeric else str(value.name).rstrip("_")
    if isinstance(value, datetime.datetime):
        moment: Any = {"DA": dates.DicomDateValue, "TM": dates.DicomTimeValue}.get(
            vr, dates.DicomDateTimeValue
        )(value)
        return str(moment.dicom)
    if isinstance(value, datetime.date):
        return dates.DicomDateValue(value).dicom
    if isinstance(value, datetime.time):
        return dates.DicomTimeValue(value).dicom
    if isinstance(value, dates._Value):
        return value.dicom
    if isinstance(value, (int, float)):
        return number_text(value, vr)
    raise TypeError(
        f"value must be text, a number, a date, bytes or a mapped object, not {value!r}"
    )


def put_object(data: DicomDataSet, element: DicomElement, value: Any) -> None:
    """Set an element's value; its type decides how."""
    from pydicom.dataset import Dataset

    from leadtools_compat.dicom.dicom_data_set import DicomDataSet as DataSetClass

    vr = str(element.VR)
    if value is None:
        data.FreeElementValue(element)
        return
    if is_bytes(value):
        data.SetBinaryValue(element, value, len(value))
        return
    many = list(value) if isinstance(value, (list, tuple)) else [value]
    mapped = [one for one in many if elements_of(type(one))]
    sets = [one for one in many if isinstance(one, (DataSetClass, Dataset))]
    if vr == "SQ" or mapped or sets:
        if len(mapped) + len(sets) != len(many) or vr != "SQ":
            raise invalid(
                element,
                f"of VR {vr} cannot be {value!r}: items of sequences are objects "
                "with Element members, or data sets",
            )
        data.FreeElementValue(element)
        for one in many:
            item = data.InsertElement(element, True, 0xFFFEE000)
            if elements_of(type(one)):
                fill(data, item, one, None)
                continue
            if isinstance(one, Dataset):
                one = DataSetClass.from_pydicom(one)
            first = one.GetFirstElement(None, True, True)
            while first is not None:
                data.Copy(one, item, first)
                first = one.GetNextElement(first, True, True)
        return
    numbers = all(isinstance(one, (int, float)) and not isinstance(one, enum.Enum) for one in many)
    if numbers and vr not in TEXT:
        data.SetDoubleValue(element, many)
    elif vr in TEXT:
        data.SetStringValue(element, [_text(element, vr, one) for one in many])
    else:
        texts = [_text(element, vr, one) for one in many]
        data.SetConvertValue(element, "\\".join(texts), max(len(texts), 1))


def fill(
    data: DicomDataSet, item: DicomElement | None, value: Any, before: BeforeAdd | None
) -> None:
    """Set the elements that an object has members for; None makes an empty one."""
    for name, member in elements_of(type(value)).items():
        if before is not None and not before(member.Tag):
            continue
        element = data.InsertElement(item, item is not None, member.Tag)
        put_object(data, element, getattr(value, name))
