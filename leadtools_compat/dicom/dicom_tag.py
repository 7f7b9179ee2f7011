"""`DicomTag`: a constant for each tag, and the row type of `DicomTagTable`."""

from __future__ import annotations

from typing import ClassVar

from leadtools_compat.dicom._lazy_names import LazyNames
from leadtools_compat.dicom.enums_vr import DicomVRType

__all__ = ["DicomTag", "DicomTagType"]


class _TagNames(LazyNames):
    def _look_up(cls, name: str) -> int | None:
        from leadtools_compat.dicom._tag_rows import tag_of_keyword

        return tag_of_keyword(name)

    def _all_names(cls) -> list[str]:
        from leadtools_compat.dicom._tag_rows import keywords

        return keywords()


class DicomTag(metaclass=_TagNames):
    """The tags of the data dictionary (PS3.6), and a row of `DicomTagTable`.

    On the class: one ``int`` for each keyword, as ``DicomTag.PatientName`` (0x00100010); of a
    repeating group the first tag (``DicomTag.OverlayData`` is 0x60003000). On an object, which
    `DicomTagTable.Find` gives: the fields of a row.

    Attributes
    ----------
    Code
        The tag.
    Mask
        The bits of a tag that count: fewer than all for repeating groups.
    Name
        The name for people, as ``Patient's Name``.
    VR
        The value representation, the first if there are several.
    MinVM, MaxVM
        The number of values; -1 is any number.
    VMDivider
        The number of values is a multiple of this.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomTag``; the names are those of PS3.6.
    """

    __slots__ = ("Code", "Mask", "MaxVM", "MinVM", "Name", "VMDivider", "VR")

    Item: ClassVar[int] = 0xFFFEE000
    """An item of a sequence."""

    def __init__(
        self,
        code: int,
        mask: int = 0xFFFFFFFF,
        name: str = "",
        vr: DicomVRType | int = DicomVRType.UN,
        minVM: int = 1,
        maxVM: int = 1,
        vmDivider: int = 1,
    ) -> None:
        self.Code = code
        self.Mask = mask
        self.Name = name
        self.VR = DicomVRType(vr)
        self.MinVM = minVM
        self.MaxVM = maxVM
        self.VMDivider = vmDivider

    def __repr__(self) -> str:
        group, element = self.Code >> 16, self.Code & 0xFFFF
        return f"<DicomTag ({group:04X},{element:04X}) {self.Name}, {self.VR}>"


DicomTagType = DicomTag
"""The enum's name in older versions."""
