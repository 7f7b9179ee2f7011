"""`DicomVRTable` and its rows (PS3.5 table 6.2-1)."""

from __future__ import annotations

from typing import Any, ClassVar

from leadtools_compat.dicom._enum import DotNetFlags
from leadtools_compat.dicom._table import Instance, Table
from leadtools_compat.dicom.enums_vr import DicomVRType

__all__ = ["DicomVR", "DicomVRRestriction", "DicomVRTable"]


class DicomVRRestriction(DotNetFlags):
    """How values of a VR are formed.

    Names and values: this library's.
    """

    None_ = 0
    Binary = 1
    """Numbers or bytes, not text."""
    Fixed = 2
    """Each value has exactly the length that the table says."""
    Text = 4
    """Text of the data set's character set."""
    String = 8
    """Characters of the basic set only."""
    Items = 16
    """Items instead of values."""
    Single = 32
    """One value only."""


_R = DicomVRRestriction

_ROWS: dict[DicomVRType, tuple[int, int, int]] = {
    # length of a value (0: no limit), bytes of a unit, restriction
    DicomVRType.AE: (16, 1, _R.String),
    DicomVRType.AS: (4, 1, _R.String | _R.Fixed),
    DicomVRType.AT: (4, 4, _R.Binary | _R.Fixed),
    DicomVRType.CS: (16, 1, _R.String),
    DicomVRType.DA: (8, 1, _R.String | _R.Fixed),
    DicomVRType.DS: (16, 1, _R.String),
    DicomVRType.DT: (26, 1, _R.String),
    DicomVRType.FD: (8, 8, _R.Binary | _R.Fixed),
    DicomVRType.FL: (4, 4, _R.Binary | _R.Fixed),
    DicomVRType.IS: (12, 1, _R.String),
    DicomVRType.LO: (64, 1, _R.Text),
    DicomVRType.LT: (10240, 1, _R.Text | _R.Single),
    DicomVRType.OB: (0, 1, _R.Binary | _R.Single),
    DicomVRType.OD: (0, 8, _R.Binary | _R.Single),
    DicomVRType.OF: (0, 4, _R.Binary | _R.Single),
    DicomVRType.OL: (0, 4, _R.Binary | _R.Single),
    DicomVRType.OV: (0, 8, _R.Binary | _R.Single),
    DicomVRType.OW: (0, 2, _R.Binary | _R.Single),
    DicomVRType.PN: (64, 1, _R.Text),
    DicomVRType.SH: (16, 1, _R.Text),
    DicomVRType.SL: (4, 4, _R.Binary | _R.Fixed),
    DicomVRType.SQ: (0, 1, _R.Items),
    DicomVRType.SS: (2, 2, _R.Binary | _R.Fixed),
    DicomVRType.ST: (1024, 1, _R.Text | _R.Single),
    DicomVRType.SV: (8, 8, _R.Binary | _R.Fixed),
    DicomVRType.TM: (14, 1, _R.String),
    DicomVRType.UC: (0, 1, _R.Text),
    DicomVRType.UI: (64, 1, _R.String),
    DicomVRType.UL: (4, 4, _R.Binary | _R.Fixed),
    DicomVRType.UN: (0, 1, _R.Binary),
    DicomVRType.UR: (0, 1, _R.String | _R.Single),
    DicomVRType.US: (2, 2, _R.Binary | _R.Fixed),
    DicomVRType.UT: (0, 1, _R.Text | _R.Single),
    DicomVRType.UV: (8, 8, _R.Binary | _R.Fixed),
}


class DicomVR:
    """A row of `DicomVRTable`.

    Attributes
    ----------
    Code
        The value representation.
    Name
        Its name for people.
    Length
        The longest value: bytes, for text characters; 0: no limit.
    Restriction
        How values are formed.
    UnitSize
        The bytes that are swapped together in the other byte order.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomVR``.
    """

    __slots__ = ("Code", "Length", "Name", "Restriction", "UnitSize")

    def __init__(
        self, code: DicomVRType, name: str, length: int, unitSize: int, restriction: int
    ) -> None:
        self.Code = code
        self.Name = name
        self.Length = length
        self.UnitSize = unitSize
        self.Restriction = DicomVRRestriction(restriction)

    def __repr__(self) -> str:
        return f"<DicomVR {self.Code} {self.Name}>"


_NAMES = {
    "AE": "Application Entity",
    "AS": "Age String",
    "AT": "Attribute Tag",
    "CS": "Code String",
    "DA": "Date",
    "DS": "Decimal String",
    "DT": "Date Time",
    "FD": "Floating Point Double",
    "FL": "Floating Point Single",
    "IS": "Integer String",
    "LO": "Long String",
    "LT": "Long Text",
    "OB": "Other Byte",
    "OD": "Other Double",
    "OF": "Other Float",
    "OL": "Other Long",
    "OV": "Other Very Long",
    "OW": "Other Word",
    "PN": "Person Name",
    "SH": "Short String",
    "SL": "Signed Long",
    "SQ": "Sequence of Items",
    "SS": "Signed Short",
    "ST": "Short Text",
    "SV": "Signed Very Long",
    "TM": "Time",
    "UC": "Unlimited Characters",
    "UI": "Unique Identifier",
    "UL": "Unsigned Long",
    "UN": "Unknown",
    "UR": "Universal Resource Identifier",
    "US": "Unsigned Short",
    "UT": "Unlimited Text",
    "UV": "Unsigned Very Long",
}


class DicomVRTable(Table[DicomVR]):
    """The value representations of PS3.5; use `Instance`.

    Attributes
    ----------
    Instance
        The one table.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomVRTable``.
    """

    Instance: ClassVar[Instance[DicomVRTable]] = Instance()

    def _codes(self) -> list[Any]:
        return list(_ROWS)

    def _row(self, code: Any) -> DicomVR | None:
        return self.Find(code)

    def Find(self, vr: DicomVRType | int) -> DicomVR | None:
        """Find a value representation; None: there is no such one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomVRTable.Find``.
        """
        code = DicomVRType(vr)
        row = _ROWS.get(code)
        if row is None:
            return None
        length, unit, restriction = row
        return DicomVR(code, _NAMES[str(code)], length, unit, restriction)
