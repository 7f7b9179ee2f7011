"""`DicomTagTable`: the data dictionary."""

from __future__ import annotations

from typing import Any, ClassVar

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._table import Instance, Table
from leadtools_compat.dicom.dicom_tag import DicomTag
from leadtools_compat.dicom.enums_vr import DicomVRType

__all__ = ["DicomTagTable"]


class DicomTagTable(Table[DicomTag]):
    """The data dictionary of PS3.6, with what the program has added; use `Instance`.

    Changes hold for the whole process, for example for the VR that
    ``DicomDataSet.InsertElement`` finds; `Default` takes them back.

    Attributes
    ----------
    Instance
        The one table.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomTagTable``.
    """

    Instance: ClassVar[Instance[DicomTagTable]] = Instance()

    def _codes(self) -> list[Any]:
        from leadtools_compat.dicom import _tag_rows

        return _tag_rows.codes()

    def _row(self, code: Any) -> DicomTag | None:
        return self.Find(code)

    def Find(self, tag: int) -> DicomTag | None:
        """Find the row of a tag, of a repeating group too; None: it is not in the dictionary."""
        from leadtools_compat.dicom import _tag_rows

        return _tag_rows.find(integer(tag, "tag", 0, 0xFFFFFFFF))

    def Insert(
        self,
        code: int,
        mask: int = 0xFFFFFFFF,
        name: str = "",
        vr: DicomVRType | int = DicomVRType.UN,
        minVM: int = 1,
        maxVM: int = 1,
        vmDivider: int = 1,
    ) -> DicomTag:
        """Add a row, or replace the one that the tag has.

        Parameters
        ----------
        code, mask
            The tag, and the bits of it that count.
        name, vr
            Its name and value representation.
        minVM, maxVM, vmDivider
            The number of values: least, most (-1 is any), and what it is a multiple of.
        """
        from leadtools_compat.dicom import _tag_rows
        from leadtools_compat.dicom._dataset_bytes import vr_letters

        vr_letters(vr)
        row = DicomTag(
            integer(code, "code", 0, 0xFFFFFFFF),
            integer(mask, "mask", 0, 0xFFFFFFFF),
            name,
            vr,
            integer(minVM, "minVM", 0, 2**31 - 1),
            integer(maxVM, "maxVM", -1, 2**31 - 1),
            integer(vmDivider, "vmDivider", 1, 2**31 - 1),
        )
        _tag_rows.insert(row)
        return row

    def Delete(self, row: DicomTag) -> None:
        """Take a row out."""
        from leadtools_compat.dicom import _tag_rows

        _tag_rows.remove(row.Code)

    def SetName(self, row: DicomTag, name: str) -> DicomTag:
        """Give a row another name; the new row is returned."""
        if self.Find(row.Code) is None:
            raise parameter_error(f"row, {row!r}, is not in the table")
        return self.Insert(row.Code, row.Mask, name, row.VR, row.MinVM, row.MaxVM, row.VMDivider)

    def Reset(self) -> None:
        """Take all rows out."""
        from leadtools_compat.dicom import _tag_rows

        _tag_rows.clear()

    def Default(self) -> None:
        """Have the dictionary of PS3.6 again."""
        from leadtools_compat.dicom import _tag_rows

        _tag_rows.restore()
