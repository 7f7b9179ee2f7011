"""`DicomDataSet`: values as numbers, dates, times and ages."""

from __future__ import annotations

import datetime
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import Contents, is_bytes
from leadtools_compat.dicom import dicom_date_values as dates
from leadtools_compat.dicom._arguments import INT_MAX, integer
from leadtools_compat.dicom._data_set_state import state_of
from leadtools_compat.dicom._dataset_access import check_valued
from leadtools_compat.dicom._dataset_bytes import BINARY, TEXT, bytes_of, invalid, put, put_bytes
from leadtools_compat.dicom._dataset_texts import values_of
from leadtools_compat.dicom._dataset_values import DataSetValues, put_texts
from leadtools_compat.dicom.dicom_date_values import (
    DicomAgeValue,
    DicomDateRangeValue,
    DicomDateTimeRangeValue,
    DicomDateTimeValue,
    DicomDateValue,
    DicomTimeRangeValue,
    DicomTimeValue,
)

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_element import DicomElement

__all__ = ["DataSetTyped", "number_text"]

T = TypeVar("T")

Date = DicomDateValue | datetime.date
Time = DicomTimeValue | datetime.time | datetime.datetime
DateTime = DicomDateTimeValue | datetime.datetime
Number = int | float

_CODES = {"OW": "h", "OL": "i", "OV": "q", "OF": "f", "OD": "d", "OB": "B", "UN": "B"}
_INFINITE = (float("inf"), float("-inf"))
_LIMITS = {"US": (0, 2**16), "SS": (-(2**15), 2**15), "UL": (0, 2**32), "SL": (-(2**31), 2**31)}
_LIMITS |= {"UV": (0, 2**64), "SV": (-(2**63), 2**63), "AT": (0, 2**32)}


def number_text(value: Number, vr: str) -> str:
    """Write a number as IS or DS text, at most as long as the VR allows."""
    if vr == "DS" and isinstance(value, float):
        from pydicom.valuerep import format_number_as_ds

        return format_number_as_ds(value)
    return str(value)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        return list(value)
    return [value]


class DataSetTyped(DataSetValues):
    """Members about values of a type.

    The getters give a list of `count` values from `index` on; -1 is all. An element without value
    gives an empty list. An `index` past the last value is ``Parameter``, a value that is none of
    the type ``ValueInvalid``. The setters take one value or several.
    """

    def _get(
        self, element: DicomElement, index: int, count: int, convert: Callable[[Any, str], T | None]
    ) -> list[T]:
        first = integer(index, "index", 0, INT_MAX)
        number = integer(count, "count", -1, INT_MAX)
        with state_of(self) as state:
            tree = state.tree()
            checked = check_valued(tree, element)
            found = tree.value(checked)
            values = values_of(found)
            if found.VR in BINARY:
                code = _CODES[found.VR]
                data = bytes_of(checked)
                size = struct.calcsize(code)
                values = list(
                    struct.unpack(f"<{len(data) // size}{code}", data[: len(data) // size * size])
                )
            if first and first >= len(values):
                raise parameter_error(f"index is {first}, and the element has {len(values)} values")
            chosen = values[first:] if number < 0 else values[first : first + number]
            result = []
            for one in chosen:
                try:
                    converted = convert(one, found.VR)
                except (TypeError, ValueError, OverflowError):
                    converted = None
                if converted is None:
                    raise invalid(
                        checked, f"of VR {found.VR} has the value {one!r}, which does not fit"
                    )
                result.append(converted)
            return result

    # ---- numbers ----

    def GetIntValue(self, element: DicomElement, index: int = 0, count: int = -1) -> list[int]:
        """Get whole numbers, of IS and DS too.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetIntValue``.
        """

        def whole(value: Any, vr: str) -> int | None:
            number = int(value)
            return number if number == float(value) or vr in _LIMITS else None

        return self._get(element, index, count, whole)

    def GetLongValue(self, element: DicomElement, index: int = 0, count: int = -1) -> list[int]:
        """As `GetIntValue`: Python's numbers have any size.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetLongValue``.
        """
        return self.GetIntValue(element, index, count)

    def GetShortValue(self, element: DicomElement, index: int = 0, count: int = -1) -> list[int]:
        """As `GetIntValue`; of OW signed words.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetShortValue``.
        """
        return self.GetIntValue(element, index, count)

    def GetFloatValue(self, element: DicomElement, index: int = 0, count: int = -1) -> list[float]:
        """As `GetDoubleValue`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetFloatValue``.
        """
        return self.GetDoubleValue(element, index, count)

    def GetDoubleValue(self, element: DicomElement, index: int = 0, count: int = -1) -> list[float]:
        """Get numbers, of IS and DS too.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetDoubleValue``.
        """
        return self._get(element, index, count, lambda value, vr: float(value))

    def GetByteValue(self, element: DicomElement, index: int = 0, count: int = -1) -> bytes:
        """Get bytes of a value as it is encoded.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetByteValue``.
        """
        first = integer(index, "index", 0, INT_MAX)
        number = integer(count, "count", -1, INT_MAX)
        data = self.GetBinaryValue(element)
        if first and first >= len(data):
            raise parameter_error(f"index is {first}, and the element has {len(data)} bytes")
        return data[first:] if number < 0 else data[first : first + number]

    def _set_numbers(self, element: DicomElement, value: Number | Sequence[Number]) -> None:
        values = _listed(value)
        with state_of(self) as state:
            checked = check_valued(state.tree(), element)
            vr = str(checked.VR)
            for one in values:
                if not isinstance(one, (int, float)):
                    raise TypeError(f"value must be a number or a list of them, not {one!r}")
                low, high = _LIMITS.get(vr, (None, None))
                whole = vr in _LIMITS or vr == "IS"
                if whole and (
                    one != int(one) or (low is not None and not low <= one < (high or 0))
                ):
                    raise invalid(checked, f"of VR {vr} cannot be {one!r}")
            if vr in _CODES:
                order = "<"
                try:
                    data = struct.pack(f"{order}{len(values)}{_CODES[vr]}", *values)
                except struct.error:
                    try:
                        data = struct.pack(f"{order}{len(values)}{_CODES[vr].upper()}", *values)
                    except struct.error as error:
                        raise invalid(
                            checked, f"of VR {vr} cannot be {value!r}: {error}"
                        ) from error
                put_bytes(checked, vr, data)
            elif vr in TEXT:
                put_texts(state, checked, vr, [number_text(one, vr) for one in values])
            else:
                numbers = [int(one) if vr in _LIMITS else float(one) for one in values]
                put(checked, vr, numbers[0] if len(numbers) == 1 else numbers or None)
            state.touch()

    def SetIntValue(self, element: DicomElement, value: int | Sequence[int]) -> None:
        """Set whole numbers; ``ValueInvalid`` if the VR has no room for one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetIntValue``.
        """
        self._set_numbers(element, value)

    def SetLongValue(self, element: DicomElement, value: int | Sequence[int]) -> None:
        """As `SetIntValue`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetLongValue``.
        """
        self._set_numbers(element, value)

    def SetShortValue(self, element: DicomElement, value: int | Sequence[int]) -> None:
        """As `SetIntValue`; of OW the words.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetShortValue``.
        """
        self._set_numbers(element, value)

    def SetFloatValue(self, element: DicomElement, value: Number | Sequence[Number]) -> None:
        """As `SetDoubleValue`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetFloatValue``.
        """
        self._set_numbers(element, value)

    def SetDoubleValue(self, element: DicomElement, value: Number | Sequence[Number]) -> None:
        """Set numbers; of DS they are rounded to 16 characters.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetDoubleValue``.
        """
        self._set_numbers(element, value)

    def SetByteValue(self, element: DicomElement, value: int | Contents | Sequence[int]) -> None:
        """Set bytes.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetByteValue``.
        """
        if not is_bytes(value):
            numbers = [integer(one, "value", 0, 255) for one in _listed(value)]
            value = bytes(numbers)
        self.SetBinaryValue(element, value)

    # ---- dates, times, ages ----

    def _get_texts(
        self, element: DicomElement, index: int, count: int, read: Callable[[str], T | None]
    ) -> list[T]:
        return self._get(element, index, count, lambda value, vr: read(str(value)))

    def GetDateValue(
        self, element: DicomElement, index: int = 0, count: int = -1
    ) -> list[DicomDateValue]:
        """Get dates, of DA and DT.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetDateValue``.
        """

        def read(text: str) -> DicomDateValue | None:
            day = dates.date_of(text)
            moment = None if day is not None else dates.moment_of(text)
            return day if moment is None else DicomDateValue(moment.ToDateTime())

        return self._get_texts(element, index, count, read)

    def GetTimeValue(
        self, element: DicomElement, index: int = 0, count: int = -1
    ) -> list[DicomTimeValue]:
        """Get times.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetTimeValue``.
        """
        return self._get_texts(element, index, count, dates.time_of)

    def GetDateTimeValue(
        self, element: DicomElement, index: int = 0, count: int = -1
    ) -> list[DicomDateTimeValue]:
        """Get dates with times, of DT and DA.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetDateTimeValue``.
        """
        return self._get_texts(element, index, count, dates.moment_of)

    def GetAgeValue(
        self, element: DicomElement, index: int = 0, count: int = -1
    ) -> list[DicomAgeValue]:
        """Get ages.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetAgeValue``.
        """
        return self._get_texts(element, index, count, dates.age_of)

    def GetDateRangeValue(
        self, element: DicomElement, index: int = 0, count: int = -1
    ) -> list[DicomDateRangeValue]:
        """Get ranges of dates; a single date is one too.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetDateRangeValue``.
        """
        return self._get_texts(
            element, index, count, lambda text: dates.range_of(DicomDateRangeValue, text)
        )

    def GetTimeRangeValue(
        self, element: DicomElement, index: int = 0, count: int = -1
    ) -> list[DicomTimeRangeValue]:
        """Get ranges of times.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetTimeRangeValue``.
        """
        return self._get_texts(
            element, index, count, lambda text: dates.range_of(DicomTimeRangeValue, text)
        )

    def GetDateTimeRangeValue(
        self, element: DicomElement, index: int = 0, count: int = -1
    ) -> list[DicomDateTimeRangeValue]:
        """Get ranges of dates with times.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetDateTimeRangeValue``.
        """
        return self._get_texts(
            element, index, count, lambda text: dates.range_of(DicomDateTimeRangeValue, text)
        )

    def _set_dates(self, element: DicomElement, value: Any, kind: Any) -> None:
        try:
            made = [one if isinstance(one, kind) else kind(one) for one in _listed(value)]
        except TypeError:
            raise TypeError(
                f"value must be a {kind.__name__} or a list of them, not {value!r}"
            ) from None
        texts = [one.dicom for one in made]
        with state_of(self) as state:
            checked = check_valued(state.tree(), element)
            vr = str(checked.VR)
            if vr not in TEXT:
                raise invalid(checked, f"of VR {vr} cannot be {texts}")
            put_texts(state, checked, vr, texts)

    def SetDateValue(self, element: DicomElement, value: Date | Sequence[Date]) -> None:
        """Set dates.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetDateValue``.
        """
        self._set_dates(element, value, DicomDateValue)

    def SetTimeValue(self, element: DicomElement, value: Time | Sequence[Time]) -> None:
        """Set times.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetTimeValue``.
        """
        self._set_dates(element, value, DicomTimeValue)

    def SetDateTimeValue(self, element: DicomElement, value: DateTime | Sequence[DateTime]) -> None:
        """Set dates with times.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetDateTimeValue``.
        """
        self._set_dates(element, value, DicomDateTimeValue)

    def SetAgeValue(
        self, element: DicomElement, value: DicomAgeValue | Sequence[DicomAgeValue]
    ) -> None:
        """Set ages.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetAgeValue``.
        """
        self._set_dates(element, value, DicomAgeValue)

    def SetDateRangeValue(
        self, element: DicomElement, value: DicomDateRangeValue | Sequence[DicomDateRangeValue]
    ) -> None:
        """Set ranges of dates, for a query.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetDateRangeValue``.
        """
        self._set_dates(element, value, DicomDateRangeValue)

    def SetTimeRangeValue(
        self, element: DicomElement, value: DicomTimeRangeValue | Sequence[DicomTimeRangeValue]
    ) -> None:
        """Set ranges of times, for a query.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetTimeRangeValue``.
        """
        self._set_dates(element, value, DicomTimeRangeValue)

    def SetDateTimeRangeValue(
        self,
        element: DicomElement,
        value: DicomDateTimeRangeValue | Sequence[DicomDateTimeRangeValue],
    ) -> None:
        """Set ranges of dates with times, for a query.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetDateTimeRangeValue``.
        """
        self._set_dates(element, value, DicomDateTimeRangeValue)
