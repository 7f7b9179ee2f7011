"""`DicomVRType`: value representations."""

from __future__ import annotations

from leadtools_compat.dicom._enum import DotNetEnum

__all__ = ["DicomVRType"]


class DicomVRType(DotNetEnum):
    """A value representation (PS3.5 6.2); the number is its two letters, as they stand in a file.

    Names: public programs; values: this library's.
    """

    AE = 0x4145
    """Application Entity"""
    AS = 0x4153
    """Age String"""
    AT = 0x4154
    """Attribute Tag"""
    CS = 0x4353
    """Code String"""
    DA = 0x4441
    """Date"""
    DS = 0x4453
    """Decimal String"""
    DT = 0x4454
    """Date Time"""
    FD = 0x4644
    """Floating Point Double"""
    FL = 0x464C
    """Floating Point Single"""
    IS = 0x4953
    """Integer String"""
    LO = 0x4C4F
    """Long String"""
    LT = 0x4C54
    """Long Text"""
    OB = 0x4F42
    """Other Byte"""
    OD = 0x4F44
    """Other Double"""
    OF = 0x4F46
    """Other Float"""
    OL = 0x4F4C
    """Other Long"""
    OV = 0x4F56
    """Other Very Long"""
    OW = 0x4F57
    """Other Word"""
    PN = 0x504E
    """Person Name"""
    SH = 0x5348
    """Short String"""
    SL = 0x534C
    """Signed Long"""
    SQ = 0x5351
    """Sequence of Items"""
    SS = 0x5353
    """Signed Short"""
    ST = 0x5354
    """Short Text"""
    SV = 0x5356
    """Signed Very Long"""
    TM = 0x544D
    """Time"""
    UC = 0x5543
    """Unlimited Characters"""
    UI = 0x5549
    """Unique Identifier"""
    UL = 0x554C
    """Unsigned Long"""
    UN = 0x554E
    """Unknown; to `DicomDataSet.InsertElement`: as the dictionary says"""
    UR = 0x5552
    """Universal Resource Identifier"""
    US = 0x5553
    """Unsigned Short"""
    UT = 0x5554
    """Unlimited Text"""
    UV = 0x5556
    """Unsigned Very Long"""
