"""Enums of data sets."""

from __future__ import annotations

from leadtools_compat.dicom._enum import DotNetFlags

__all__ = ["DicomDataSetLoadFlags", "DicomDataSetSaveFlags"]


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
    """Not supported yet."""
    MetaHeaderPresent = 32
    """Preamble and group 0002, as without the flag."""
    MetaHeaderAbsent = 64
    """The bare data set."""
    LengthExplicit = 128
    """Not supported yet."""
