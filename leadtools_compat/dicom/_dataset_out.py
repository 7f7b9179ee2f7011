"""`DicomDataSet`: members that are not part of this library, and say so."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["DataSetOut", "DicomJpeg2000Options"]


def _out(name: str) -> NoReturn:
    raise NotImplementedError(
        f"DicomDataSet.{name} is not part of leadtools_compat (networking and TLS). Use "
        "to_pydicom() and pydicom instead."
    )


class DicomJpeg2000Options:
    """Remembers what a program sets, without effect.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomJpeg2000Options``.
    """

    def __repr__(self) -> str:
        return f"DicomJpeg2000Options({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


class DataSetOut:
    """Members about raster images, waveforms, signatures, presentation states and documents."""

    @property
    def Jpeg2000Options(self) -> DicomJpeg2000Options:
        """Options of the vendor's encoder: they are remembered, without effect."""
        made: DicomJpeg2000Options = self.__dict__.setdefault(
            "_DataSetOut__jpeg2000", DicomJpeg2000Options()
        )
        return made

    def InsertImage(self, *arguments: Any) -> NoReturn:
        """Not part of this library: use `SetImage`."""
        _out("InsertImage")

    def DeleteImage(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("DeleteImage")

    def GetWaveformGroup(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("GetWaveformGroup")

    def AddWaveformGroup(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("AddWaveformGroup")

    @property
    def WaveformGroupCount(self) -> int:
        """Not part of this library."""
        _out("WaveformGroupCount")

    def CreateSignature(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("CreateSignature")

    def VerifySignature(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("VerifySignature")

    def GetSignaturesCount(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("GetSignaturesCount")

    def GetVoiLut(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("GetVoiLut")

    def GetVoiLutData(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("GetVoiLutData")

    def GetPresentationStateInformation(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("GetPresentationStateInformation")

    def GetEncapsulatedDocument(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("GetEncapsulatedDocument")

    def SetEncapsulatedDocument(self, *arguments: Any) -> NoReturn:
        """Not part of this library."""
        _out("SetEncapsulatedDocument")
