"""Dates, times, ages and ranges of them as values of their own.

One rule: they hold what DICOM can write, so a part may be missing, and `dicom` is that text.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom.enums_dataset import DicomRangeType

__all__ = [
    "DicomAgeValue",
    "DicomDateRangeValue",
    "DicomDateTimeRangeValue",
    "DicomDateTimeValue",
    "DicomDateValue",
    "DicomTimeRangeValue",
    "DicomTimeValue",
]


class _Now:
    """A class-level property: a new value of this moment."""

    def __get__(self, owner: Any, kind: Any) -> Any:
        return kind(datetime.datetime.now())


class _Value:
    """Equality, hash and text by the DICOM form."""

    __slots__ = ()

    @property
    def dicom(self) -> str:
        """The value as DICOM writes it (ours)."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.dicom == self.dicom

    def __hash__(self) -> int:
        return hash((type(self), self.dicom))

    def __str__(self) -> str:
        return self.dicom

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dicom})"


def _date(year: int, month: int, day: int) -> tuple[int, int, int]:
    try:
        datetime.date(year, month, day)
    except (ValueError, OverflowError) as error:
        raise parameter_error(f"{year}-{month}-{day} is no date: {error}") from error
    return year, month, day


class DicomDateValue(_Value):
    """A date.

    Parameters
    ----------
    value
        A ``datetime.date`` or ``datetime``; or the year, followed by `month` and `day`.

    Attributes
    ----------
    Year, Month, Day
        Its parts.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomDateValue``.
    """

    __slots__ = ("Day", "Month", "Year")

    Now = _Now()
    """Today."""

    def __init__(
        self, value: datetime.date | int | None = None, month: int = 1, day: int = 1
    ) -> None:
        if value is None:
            value = datetime.date(1, 1, 1)
        if isinstance(value, datetime.date):
            year, month, day = value.year, value.month, value.day
        else:
            year = value
        self.Year, self.Month, self.Day = _date(year, month, day)

    def ToDateTime(self) -> datetime.datetime:
        """Give midnight of that day."""
        return datetime.datetime(self.Year, self.Month, self.Day)

    @property
    def dicom(self) -> str:
        """As DICOM writes it: YYYYMMDD (ours)."""
        return f"{self.Year:04d}{self.Month:02d}{self.Day:02d}"


class DicomTimeValue(_Value):
    """A time of the day.

    Parameters
    ----------
    value
        A ``datetime`` or ``datetime.time``; or the hours, 0 to 23.
    minutes, seconds
        0 to 59; 60 is a leap second.
    fractions
        Millionths of a second.

    Attributes
    ----------
    Hours, Minutes, Seconds, Fractions
        Its parts.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomTimeValue``.
    """

    __slots__ = ("Fractions", "Hours", "Minutes", "Seconds")

    Now = _Now()
    """This moment."""

    def __init__(
        self,
        value: datetime.datetime | datetime.time | int = 0,
        minutes: int = 0,
        seconds: int = 0,
        fractions: int = 0,
    ) -> None:
        if isinstance(value, (datetime.datetime, datetime.time)):
            hours, minutes, seconds = value.hour, value.minute, value.second
            fractions = value.microsecond
        else:
            hours = value
        self.Hours = integer(hours, "hours", 0, 23)
        self.Minutes = integer(minutes, "minutes", 0, 59)
        self.Seconds = integer(seconds, "seconds", 0, 60)
        self.Fractions = integer(fractions, "fractions", 0, 999_999)

    def ToTime(self) -> datetime.time:
        """Give it as ``datetime.time``; a leap second becomes the 59th (ours)."""
        return datetime.time(self.Hours, self.Minutes, min(self.Seconds, 59), self.Fractions)

    @property
    def dicom(self) -> str:
        """As DICOM writes it: HHMMSS.FFFFFF (ours)."""
        text = f"{self.Hours:02d}{self.Minutes:02d}{self.Seconds:02d}"
        return f"{text}.{self.Fractions:06d}" if self.Fractions else text


class DicomDateTimeValue(_Value):
    """A date and time.

    Parameters
    ----------
    value
        A ``datetime``; or the year, followed by the other parts.
    offset
        Minutes east of UTC; None: not said.

    Attributes
    ----------
    Year, Month, Day, Hours, Minutes, Seconds, Fractions
        Its parts.
    Offset
        Minutes east of UTC, or None.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomDateTimeValue``.
    """

    __slots__ = ("Day", "Fractions", "Hours", "Minutes", "Month", "Offset", "Seconds", "Year")

    Now = _Now()
    """This moment, without offset."""

    def __init__(
        self,
        value: datetime.datetime | int = 1,
        month: int = 1,
        day: int = 1,
        hours: int = 0,
        minutes: int = 0,
        seconds: int = 0,
        fractions: int = 0,
        offset: int | None = None,
    ) -> None:
        if isinstance(value, datetime.datetime):
            given = value
            shift = given.utcoffset()
            offset = offset if shift is None else round(shift.total_seconds() / 60)
            value, month, day = given.year, given.month, given.day
            hours, minutes, seconds = given.hour, given.minute, given.second
            fractions = given.microsecond
        self.Year, self.Month, self.Day = _date(value, month, day)
        self.Hours = integer(hours, "hours", 0, 23)
        self.Minutes = integer(minutes, "minutes", 0, 59)
        self.Seconds = integer(seconds, "seconds", 0, 60)
        self.Fractions = integer(fractions, "fractions", 0, 999_999)
        self.Offset = None if offset is None else integer(offset, "offset", -720, 840)

    def ToDateTime(self) -> datetime.datetime:
        """Give it as ``datetime``, with its offset if it has one."""
        zone = None
        if self.Offset is not None:
            zone = datetime.timezone(datetime.timedelta(minutes=self.Offset))
        return datetime.datetime(
            self.Year,
            self.Month,
            self.Day,
            self.Hours,
            self.Minutes,
            min(self.Seconds, 59),
            self.Fractions,
            zone,
        )

    @property
    def dicom(self) -> str:
        """As DICOM writes it: YYYYMMDDHHMMSS.FFFFFF&ZZXX (ours)."""
        text = (
            f"{self.Year:04d}{self.Month:02d}{self.Day:02d}"
            f"{self.Hours:02d}{self.Minutes:02d}{self.Seconds:02d}"
        )
        if self.Fractions:
            text += f".{self.Fractions:06d}"
        if self.Offset is not None:
            hours, minutes = divmod(abs(self.Offset), 60)
            text += f"{'-' if self.Offset < 0 else '+'}{hours:02d}{minutes:02d}"
        return text


class DicomAgeValue(_Value):
    """An age.

    Parameters
    ----------
    number
        0 to 999.
    reference
        Of what: ``D`` days, ``W`` weeks, ``M`` months, ``Y`` years.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomAgeValue``.
    """

    __slots__ = ("Number", "Reference")

    def __init__(self, number: int = 0, reference: str = "Y") -> None:
        self.Number = integer(number, "number", 0, 999)
        if reference not in ("D", "W", "M", "Y"):
            raise parameter_error(f"reference is {reference!r}, which is none of D, W, M, Y")
        self.Reference = reference

    @property
    def dicom(self) -> str:
        """As DICOM writes it: 045Y (ours)."""
        return f"{self.Number:03d}{self.Reference}"


class _Range(_Value):
    __slots__ = ("Type", "_first", "_second")

    _kind: Any = None

    def __init__(
        self,
        type: DicomRangeType | int = DicomRangeType.None_,
        value1: Any = None,
        value2: Any = None,
    ) -> None:
        self.Type = DicomRangeType(type)
        self._first, self._second = self._checked(value1), self._checked(value2)
        need = {
            DicomRangeType.None_: ("value1",),
            DicomRangeType.Lower: ("value1",),
            DicomRangeType.Upper: ("value2",),
            DicomRangeType.Both: ("value1", "value2"),
        }.get(self.Type)
        if need is None:
            raise parameter_error(f"type is {int(self.Type)}, which is no DicomRangeType")
        for name in need:
            if (self._first if name == "value1" else self._second) is None:
                raise parameter_error(f"{name} is None, and a range of type {self.Type} needs it")

    def _checked(self, value: Any) -> Any:
        return value if value is None or isinstance(value, self._kind) else self._kind(value)

    @property
    def dicom(self) -> str:
        """As DICOM writes it: a-b, a- or -b (ours)."""
        first = "" if self._first is None else self._first.dicom
        second = "" if self._second is None else self._second.dicom
        if self.Type == DicomRangeType.None_:
            return str(first)
        if self.Type == DicomRangeType.Lower:
            return f"{first}-"
        return f"-{second}" if self.Type == DicomRangeType.Upper else f"{first}-{second}"


class DicomDateRangeValue(_Range):
    """A range of dates, for queries.

    Parameters
    ----------
    type
        Which ends it has.
    value1, value2
        From and to, as `DicomDateValue` or ``datetime.date``; None for an end that is not there.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomDateRangeValue``.
    """

    __slots__ = ()
    _kind = DicomDateValue

    @property
    def Date1(self) -> DicomDateValue | None:
        """The first date."""
        value: DicomDateValue | None = self._first
        return value

    @property
    def Date2(self) -> DicomDateValue | None:
        """The last date."""
        value: DicomDateValue | None = self._second
        return value


class DicomTimeRangeValue(_Range):
    """A range of times; as `DicomDateRangeValue`.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomTimeRangeValue``.
    """

    __slots__ = ()
    _kind = DicomTimeValue

    @property
    def Time1(self) -> DicomTimeValue | None:
        """The first time."""
        value: DicomTimeValue | None = self._first
        return value

    @property
    def Time2(self) -> DicomTimeValue | None:
        """The last time."""
        value: DicomTimeValue | None = self._second
        return value


class DicomDateTimeRangeValue(_Range):
    """A range of dates with times; as `DicomDateRangeValue`.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomDateTimeRangeValue``.
    """

    __slots__ = ()
    _kind = DicomDateTimeValue

    @property
    def DateTime1(self) -> DicomDateTimeValue | None:
        """The first moment."""
        value: DicomDateTimeValue | None = self._first
        return value

    @property
    def DateTime2(self) -> DicomDateTimeValue | None:
        """The last moment."""
        value: DicomDateTimeValue | None = self._second
        return value


# ---- from DICOM's text; None: it is none ----

_DATE = r"(\d{4})\.?(\d{2})\.?(\d{2})"
_TIME = r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?"
_MOMENT = (
    r"(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:\.(\d{1,6}))?(?:([+-])(\d{2})(\d{2}))?"
)


def date_of(text: str) -> DicomDateValue | None:
    match = re.fullmatch(_DATE, text.strip())
    try:
        return None if match is None else DicomDateValue(*(int(part) for part in match.groups()))
    except Exception:  # noqa: BLE001 - a date that is none
        return None


def time_of(text: str) -> DicomTimeValue | None:
    match = re.fullmatch(_TIME, text.strip())
    if match is None:
        return None
    try:
        hour, minute, second = (int(part or 0) for part in match.groups()[:3])
        return DicomTimeValue(hour, minute, second, int((match[4] or "0").ljust(6, "0")))
    except Exception:  # noqa: BLE001 - a time that is none
        return None


def moment_of(text: str) -> DicomDateTimeValue | None:
    match = re.fullmatch(_MOMENT, text.strip())
    if match is None:
        return None
    parts = match.groups()[:6]
    year, month, day, hour, minute, second = (
        int(part or low) for part, low in zip(parts, (1, 1, 1, 0, 0, 0), strict=True)
    )
    rest = int((match[7] or "0").ljust(6, "0"))
    offset = None
    if match[8]:
        offset = int(match[8] + "1") * (int(match[9]) * 60 + int(match[10]))
    try:
        return DicomDateTimeValue(year, month, day, hour, minute, second, rest, offset)
    except Exception:  # noqa: BLE001 - a moment that is none
        return None


def age_of(text: str) -> DicomAgeValue | None:
    match = re.fullmatch(r"(\d{3})([DWMY])", text.strip())
    return None if match is None else DicomAgeValue(int(match[1]), match[2])


_RANGES: dict[type[_Range], Any] = {
    DicomDateRangeValue: date_of,
    DicomTimeRangeValue: time_of,
    DicomDateTimeRangeValue: moment_of,
}


def range_of(kind: Any, text: str) -> Any:
    """Read a range; None: it is none."""
    read = _RANGES[kind]
    single = read(text)
    if single is not None:
        return kind(DicomRangeType.None_, single, None)
    for at, character in enumerate(text):
        if character != "-":
            continue
        first, second = text[:at].strip(), text[at + 1 :].strip()
        one, two = read(first) if first else None, read(second) if second else None
        if (bool(first) and one is None) or (bool(second) and two is None):
            continue
        if one is not None and two is not None:
            return kind(DicomRangeType.Both, one, two)
        if one is not None:
            return kind(DicomRangeType.Lower, one, None)
        if two is not None:
            return kind(DicomRangeType.Upper, None, two)
    return None
