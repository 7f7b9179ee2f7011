"""`DicomUidTable` and its rows."""

from __future__ import annotations

from typing import Any, ClassVar

from leadtools_compat.dicom._enum import DotNetEnum
from leadtools_compat.dicom._table import Instance, Table

__all__ = ["DicomUIDCategory", "DicomUid", "DicomUidTable"]


class DicomUIDCategory(DotNetEnum):
    """What a UID names (PS3.6 table A-1).

    Names and values: this library's.
    """

    Other = 0
    SopClass = 1
    TransferSyntax = 2
    FrameOfReference = 3
    SopInstance = 4
    MetaSopClass = 5
    CodingScheme = 6
    ServiceClass = 7
    ApplicationContext = 8
    LdapOid = 9
    ApplicationHostingModel = 10
    MappingResource = 11


_CATEGORIES = {
    "SOP Class": DicomUIDCategory.SopClass,
    "Transfer Syntax": DicomUIDCategory.TransferSyntax,
    "Well-known frame of reference": DicomUIDCategory.FrameOfReference,
    "Synchronization Frame of Reference": DicomUIDCategory.FrameOfReference,
    "Well-known SOP Instance": DicomUIDCategory.SopInstance,
    "Meta SOP Class": DicomUIDCategory.MetaSopClass,
    "Coding Scheme": DicomUIDCategory.CodingScheme,
    "DICOM UIDs as a Coding Scheme": DicomUIDCategory.CodingScheme,
    "Service Class": DicomUIDCategory.ServiceClass,
    "Application Context Name": DicomUIDCategory.ApplicationContext,
    "LDAP OID": DicomUIDCategory.LdapOid,
    "Application Hosting Model": DicomUIDCategory.ApplicationHostingModel,
    "Mapping Resource": DicomUIDCategory.MappingResource,
}


class DicomUid:
    """A row of `DicomUidTable`.

    Attributes
    ----------
    Code
        The UID.
    Name
        Its name for people.
    Type
        What it names.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomUid``; ``str()`` gives the name.
    """

    __slots__ = ("Code", "Name", "Type")

    def __init__(
        self, code: str, name: str, type: DicomUIDCategory | int = DicomUIDCategory.Other
    ) -> None:
        self.Code = code
        self.Name = name
        self.Type = DicomUIDCategory(type)

    def ToString(self) -> str:
        """Give the name."""
        return self.Name

    def __str__(self) -> str:
        return self.Name

    def __repr__(self) -> str:
        return f"<DicomUid {self.Code} {self.Name}, {self.Type}>"


class DicomUidTable(Table[DicomUid]):
    """The UIDs of PS3.6, with what the program has added; use `Instance`.

    Changes hold for the whole process; `Default` takes them back.

    Attributes
    ----------
    Instance
        The one table.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomUidTable``.
    """

    Instance: ClassVar[Instance[DicomUidTable]] = Instance()

    def __init__(self) -> None:
        self._changed: dict[str, DicomUid | None] = {}

    def _codes(self) -> list[Any]:
        from leadtools_compat.dicom import _uid_rows

        changed = dict(self._changed)
        codes = [uid for uid in _uid_rows.uids() if changed.get(uid, True) is not None]
        known = set(codes)
        return codes + [uid for uid, row in changed.items() if row is not None and uid not in known]

    def _row(self, code: Any) -> DicomUid | None:
        return self.Find(code)

    def Find(self, uid: str) -> DicomUid | None:
        """Find the row of a UID; None: it is not in the table.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomUidTable.Find``.
        """
        from leadtools_compat.dicom import _uid_rows

        code = str(uid).rstrip("\0 ")
        if code in self._changed:
            return self._changed[code]
        entry = _uid_rows.entry(code)
        if entry is None:
            return None
        return DicomUid(code, entry[0], _CATEGORIES.get(entry[1], DicomUIDCategory.Other))

    def Insert(
        self, uid: str, name: str, type: DicomUIDCategory | int = DicomUIDCategory.Other
    ) -> DicomUid:
        """Add a row, or replace the one that the UID has."""
        row = DicomUid(str(uid), name, type)
        self._changed[row.Code] = row
        return row

    def Delete(self, row: DicomUid) -> None:
        """Take a row out."""
        self._changed[row.Code] = None

    def SetName(self, row: DicomUid, name: str) -> DicomUid:
        """Give a row another name; the new row is returned."""
        return self.Insert(row.Code, name, row.Type)

    def Reset(self) -> None:
        """Take all rows out."""
        from leadtools_compat.dicom import _uid_rows

        self._changed = dict.fromkeys(_uid_rows.uids())

    def Default(self) -> None:
        """Have the UIDs of PS3.6 again."""
        self._changed = {}
