"""Values as text: DICOM's own form and LEADTOOLS's, in which dates are month/day/year.

Pure functions. DICOM's form is PS3.5 6.2; the other one is what ``GetConvertValue`` gives.
"""

from __future__ import annotations

import datetime
import re
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement

__all__ = ["from_convert", "texts_of", "to_convert", "values_of"]

# Patterns are text: `re` keeps what it has compiled, and importing this module compiles nothing.
_DATE = r"(\d{4})\.?(\d{2})\.?(\d{2})"
_TIME = r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?"
_DATE_TIME = (
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?"
    r"([+-]\d{4})?"
)
_US_DATE = r"(\d{1,2})/(\d{1,2})/(\d{4})"
_US_TIME = r"(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?)?"
_US_DATE_TIME = (
    r"(?:(?:(\d{1,2})/)?(?:(\d{1,2})/)?)(\d{4})"
    r"(?: +(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?)?)?([+-]\d{4})?"
)
_FLOATS = {"FL": "f", "FD": "d", "OF": "f", "OD": "d"}
_INTEGERS = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "UV": 8, "SV": 8, "AT": 4}
_UID = r"[0-9.]{0,64}"
_AGE = r"\d{3}[DWMY]"
_DECIMAL = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"


# ---- DICOM's own form ----


def values_of(element: DataElement) -> list[Any]:
    """List the values that pydicom has."""
    value: Any = element.value
    if value is None or (isinstance(value, (str, bytes, bytearray)) and not value):
        return []
    if element.VR == "SQ" or isinstance(value, (bytes, bytearray)):
        return list(value) if element.VR == "SQ" else [bytes(value)]
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return list(value)
    text = str(value) if type(value).__name__ == "PersonName" else None
    return [] if text == "" else [value]


def _float_text(value: float, vr: str) -> str:
    """The shortest decimal that is the same number again."""
    if vr != "FL":
        return repr(float(value))
    packed = struct.pack("<f", value)
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("<f", float(text)) == packed:
            return text
    return repr(float(value))


def text_of(value: Any, vr: str) -> str:
    """Write one value as DICOM's text."""
    if value is None:
        return ""
    if vr == "AT":
        return f"{int(value) >> 16:04X}:{int(value) & 0xFFFF:04X}"
    if vr in ("FL", "FD") and isinstance(value, float):
        return _float_text(value, vr)
    if vr in ("DS", "IS"):
        return str(getattr(value, "original_string", "") or value).strip()
    return str(value).rstrip("\0") if vr in ("UI",) else str(value)


def texts_of(element: DataElement) -> list[str]:
    """Write all values as DICOM's text; bytes as they are in hexadecimal, [] for a sequence."""
    vr = element.VR
    if vr == "SQ":
        return []
    found = values_of(element)
    if found and isinstance(found[0], bytes):
        return [f"{byte:02X}" for byte in found[0]]
    return [text_of(one, vr) for one in found]


# ---- to LEADTOOLS's form ----


def _range_parts(text: str, pattern: str) -> list[str] | None:
    """Split a single value or a range; None: it is neither. The list has one or two parts."""
    if re.fullmatch(pattern, text):
        return [text]
    for at, character in enumerate(text):
        if character == "-":
            parts = [text[:at].strip(), text[at + 1 :].strip()]
            if any(parts) and all(not part or re.fullmatch(pattern, part) for part in parts):
                return parts
    return None


def _real_date(year: str, month: str | None, day: str | None) -> bool:
    try:
        datetime.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return False
    return True


def _date_out(text: str) -> str:
    match = re.fullmatch(_DATE, text)
    if match is None or not _real_date(match[1], match[2], match[3]):
        return text
    return f"{match[2]}/{match[3]}/{match[1]}"


def _time_out(text: str) -> str:
    match = re.fullmatch(_TIME, text)
    if match is None:
        return text
    out = ":".join(part for part in match.groups()[:3] if part is not None)
    return out + (f".{match[4]}" if match[4] else "")


def _date_time_out(text: str) -> str:
    match = re.fullmatch(_DATE_TIME, text)
    if match is None or not _real_date(match[1], match[2], match[3]):
        return text
    out = "/".join(part for part in (match[2], match[3], match[1]) if part)
    clock = ":".join(part for part in (match[4], match[5], match[6]) if part)
    if clock:
        out += f" {clock}" + (f".{match[7]}" if match[7] else "")
    return out + (match[8] or "")


_OUT = {"DA": (_DATE, _date_out), "TM": (_TIME, _time_out), "DT": (_DATE_TIME, _date_time_out)}


def to_convert(text: str, vr: str) -> str:
    """Turn one value from DICOM's text into LEADTOOLS's; what is no valid date stays as it is."""
    if vr not in _OUT:
        return text
    pattern, convert = _OUT[vr]
    parts = _range_parts(text.strip(), pattern)
    return text if parts is None else "-".join(map(convert, parts))


# ---- from LEADTOOLS's form, or DICOM's ----


def _two(text: str | None) -> str:
    return "" if text is None else f"{int(text):02d}"


def _date_in(text: str) -> str | None:
    match = re.fullmatch(_US_DATE, text)
    if match is not None:
        month, day, year = match.groups()
    else:
        match = re.fullmatch(_DATE, text)
        if match is None:
            return None
        year, month, day = match.groups()
    return f"{year}{_two(month)}{_two(day)}" if _real_date(year, month, day) else None


def _clock(hour: str, minute: str | None, second: str | None, rest: str | None) -> str | None:
    if int(hour) > 23 or int(minute or 0) > 59 or int(second or 0) > 60:
        return None
    return _two(hour) + _two(minute) + _two(second) + (f".{rest}" if rest else "")


def _time_in(text: str) -> str | None:
    match = re.fullmatch(_US_TIME, text) or re.fullmatch(_TIME, text)
    return None if match is None else _clock(match[1], match[2], match[3], match[4])


def _date_time_in(text: str) -> str | None:
    match = re.fullmatch(_US_DATE_TIME, text)
    if match is not None:
        month, day, year, hour, minute, second, rest, zone = match.groups()
    else:
        match = re.fullmatch(_DATE_TIME, text)
        if match is None:
            return None
        year, month, day, hour, minute, second, rest, zone = match.groups()
    if not _real_date(year, month, day):
        return None
    clock = "" if hour is None else _clock(hour, minute, second, rest)
    if clock is None:
        return None
    return f"{year}{_two(month)}{_two(day)}{clock}{zone or ''}"


_IN = {
    "DA": (f"{_US_DATE}|{_DATE}", _date_in),
    "TM": (f"{_US_TIME}|{_TIME}", _time_in),
    "DT": (f"{_US_DATE_TIME}|{_DATE_TIME}", _date_time_in),
}


def _calendar(text: str, vr: str) -> str | None:
    pattern, convert = _IN[vr]
    parts = _range_parts(text, pattern)
    if parts is None:
        return None
    converted = [convert(part) if part else "" for part in parts]
    return None if None in converted else "-".join(map(str, converted))


def _integer(text: str, vr: str) -> int | None:
    try:
        number = int(text, 10)
    except ValueError:
        return None
    bits = 8 * _INTEGERS[vr]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if vr[0] == "S" else (0, (1 << bits) - 1)
    return number if low <= number <= high else None


def _tag(text: str) -> int | None:
    match = re.fullmatch(r"\(?([0-9A-Fa-f]{4})[:,]?([0-9A-Fa-f]{4})\)?", text)
    return None if match is None else int(match[1] + match[2], 16)


def _float(text: str, vr: str) -> float | None:
    try:
        number = float(text)
        struct.pack(f"<{_FLOATS[vr]}", number)
    except (ValueError, OverflowError):
        return None
    return number


def from_convert(text: str, vr: str, query: bool = True) -> Any:
    """Turn one value's text into what pydicom holds; None: it does not fit the VR.

    `query`: wild cards may stand where a number or a UID is expected (PS3.4 C.2.2.2).
    """
    if vr in UNSTRIPPED:
        return text
    bare = text.strip()
    if not bare:
        return ""
    if query and bare in ("*", '""') and vr not in _INTEGERS and vr not in _FLOATS:
        return bare
    if vr in _IN:
        return _calendar(bare, vr)
    if vr == "AT":
        return _tag(bare)
    if vr in _INTEGERS:
        return _integer(bare, vr)
    if vr in _FLOATS:
        return _float(bare, vr)
    if vr == "IS":
        fits = re.fullmatch(r"[+-]?\d{1,12}", bare) and -(2**31) <= int(bare) < 2**31
        return bare if fits else None
    if vr == "DS":
        return bare if re.fullmatch(_DECIMAL, bare) and len(bare) <= 16 else None
    if vr == "UI":
        return bare.rstrip("\0") if re.fullmatch(_UID, bare.rstrip("\0")) else None
    if vr == "AS":
        return bare if re.fullmatch(_AGE, bare) else None
    return text


UNSTRIPPED = frozenset({"LT", "ST", "UT", "LO", "SH", "PN", "UC"})
"""Text that is taken as it is given."""
