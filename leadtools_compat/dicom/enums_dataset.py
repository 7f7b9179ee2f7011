"""Enums of data sets."""

from __future__ import annotations

from leadtools_compat.dicom._enum import DotNetEnum, DotNetFlags

__all__ = [
    "ChangeTransferSyntaxFlags",
    "DicomCharacterSetType",
    "DicomDataSetFlags",
    "DicomDataSetInitializeFlags",
    "DicomDataSetInitializeType",
    "DicomDataSetLoadFlags",
    "DicomDataSetSaveFlags",
    "DicomRangeType",
]


class DicomDataSetLoadFlags(DotNetFlags):
    """How `DicomDataSet.Load` reads.

    Names: public programs; values: this library's.
    """

    None_ = 0
    """A file's data set is read when it is needed; the file must stay as it is until then."""
    LoadAndClose = 1
    """All is read at once; the file may change afterwards."""


class DicomDataSetSaveFlags(DotNetFlags):
    """How `DicomDataSet.Save` writes.

    Names: public programs; values: this library's.
    """

    None_ = 0
    """Transfer syntax and form as they are."""
    LittleEndian = 1
    BigEndian = 2
    ImplicitVR = 4
    ExplicitVR = 8
    GroupLengths = 16
    """With the retired group length elements (PS3.5 7.2)."""
    MetaHeaderPresent = 32
    """Preamble and group 0002, as without the flag."""
    MetaHeaderAbsent = 64
    """The bare data set."""
    LengthExplicit = 128
    """Sequences and items have explicit lengths instead of delimiters."""


class DicomDataSetFlags(DotNetFlags):
    """What `DicomDataSet.InformationFlags` tells.

    Names: public programs; values: this library's, those of `DicomDataSetSaveFlags`.
    """

    None_ = 0
    LittleEndian = 1
    BigEndian = 2
    ImplicitVR = 4
    ExplicitVR = 8
    MetaHeaderPresent = 32
    MetaHeaderAbsent = 64


class DicomDataSetInitializeFlags(DotNetFlags):
    """What `DicomDataSet.Initialize` makes.

    Names: public programs; values: this library's.
    """

    None_ = 0
    """Explicit VR little endian, all elements of the template."""
    LittleEndian = 1
    BigEndian = 2
    ImplicitVR = 4
    ExplicitVR = 8
    AddMandatoryElementsOnly = 256
    """Only elements that must be there: types 1 and 2."""


class DicomDataSetInitializeType(DotNetEnum):
    """The transfer syntax that `DicomDataSet.Initialize` gives.

    Names: public programs; values: this library's.
    """

    ExplicitVRLittleEndian = 0
    ImplicitVRLittleEndian = 1
    ExplicitVRBigEndian = 2


class ChangeTransferSyntaxFlags(DotNetFlags):
    """How `DicomDataSet.ChangeTransferSyntax` works.

    Names: public programs; values: this library's.
    """

    None_ = 0
    MinimizeJpegSize = 1
    """Accepted, without effect."""
    RescaleModalityLutWhenLossyCompression = 2
    """Accepted, without effect."""


class DicomRangeType(DotNetEnum):
    """Which ends a range has.

    Names: public programs; values: this library's.
    """

    None_ = 0
    """A single value."""
    Lower = 1
    """From the first value on: ``d-``."""
    Upper = 2
    """Up to the second value: ``-d``."""
    Both = 3


class DicomCharacterSetType(DotNetEnum):
    """A character set of text (PS3.3 C.12.1.1.2).

    Names: public programs for the first two, then ours; values: this library's.
    """

    Default = 0
    """What the data set says in (0008,0005)."""
    UnicodeInUtf8 = 1
    """ISO_IR 192"""
    Latin1 = 100
    """ISO_IR 100: Western Europe"""
    Latin2 = 101
    """ISO_IR 101: Central Europe"""
    Latin3 = 109
    """ISO_IR 109"""
    Latin4 = 110
    """ISO_IR 110: Baltic"""
    Latin5 = 148
    """ISO_IR 148: Turkish"""
    Cyrillic = 144
    """ISO_IR 144"""
    Arabic = 127
    """ISO_IR 127"""
    Greek = 126
    """ISO_IR 126"""
    Hebrew = 138
    """ISO_IR 138"""
    Thai = 166
    """ISO_IR 166"""
    Japanese = 13
    """ISO_IR 13: JIS X 0201"""
    JapaneseKanji = 87
    """ISO 2022 IR 6 and IR 87: JIS X 0208"""
    Korean = 149
    """ISO 2022 IR 6 and IR 149: KS X 1001"""
    Gb18030 = 18030
    """GB18030: Chinese"""
    Gbk = 936
    """GBK: Chinese"""

    @property
    def defined_terms(self) -> tuple[str, ...]:
        """The values of (0008,0005); none for ``Default`` (ours)."""
        return _TERMS.get(int(self), () if int(self) == 0 else (f"ISO_IR {int(self)}",))


_TERMS: dict[int, tuple[str, ...]] = {
    1: ("ISO_IR 192",),
    87: ("", "ISO 2022 IR 87"),
    149: ("", "ISO 2022 IR 149"),
    936: ("GBK",),
    18030: ("GB18030",),
}
