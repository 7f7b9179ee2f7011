"""`DicomModule`: the elements of a data set that belong to one module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadtools_compat.dicom.enums_module import DicomModuleType

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_element import DicomElement

__all__ = ["DicomModule", "module_tags"]


def module_tags(kind: DicomModuleType) -> list[int]:
    """List the tags of a module's elements."""
    from leadtools_compat.dicom._dataset_templates import MODULES
    from leadtools_compat.dicom._tag_rows import tag_of_keyword

    found = [tag_of_keyword(keyword) for keyword in MODULES[kind].split()]
    return [tag for tag in found if tag is not None]


class DicomModule:
    """A module of a data set; `DicomDataSet.FindModule` gives it.

    Attributes
    ----------
    Type
        Which module.
    Elements
        Its elements that are there.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomModule``.
    """

    __slots__ = ("Elements", "Type")

    def __init__(self, type: DicomModuleType, elements: list[DicomElement]) -> None:
        self.Type = type
        self.Elements = elements

    def __repr__(self) -> str:
        return f"<DicomModule {self.Type}, {len(self.Elements)} elements>"
