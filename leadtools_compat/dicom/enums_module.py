"""`DicomModuleType` and the enums of `DicomIod`."""

from __future__ import annotations

from leadtools_compat.dicom._enum import DotNetEnum

__all__ = ["DicomIodType", "DicomIodUsageType", "DicomModuleType"]


class DicomModuleType(DotNetEnum):
    """A module of PS3.3: those of the classes that `DicomDataSet.Initialize` has templates for.

    Names: Pascal case of PS3.3's; values: this library's.
    """

    Patient = 1
    GeneralStudy = 2
    GeneralSeries = 3
    SCEquipment = 4
    EncapsulatedDocumentSeries = 5
    EncapsulatedDocument = 6
    GeneralImage = 7
    ImagePixel = 8
    SopCommon = 9


class DicomIodType(DotNetEnum):
    """What a `DicomIod` describes.

    Names and values: this library's.
    """

    Class = 1
    Module = 2
    Element = 3


class DicomIodUsageType(DotNetEnum):
    """Whether a module or element has to be there.

    Names and values: this library's.
    """

    Mandatory = 1
    """Module usage M; element types 1 and 2."""
    Conditional = 2
    """Module usage C; element types 1C and 2C."""
    Optional = 3
    """Module usage U; element type 3."""
