"""Enums and information of images."""

from __future__ import annotations

from leadtools_compat.dicom._enum import DotNetEnum, DotNetFlags

__all__ = [
    "DicomGetImageFlags",
    "DicomImageCompressionType",
    "DicomImageInformation",
    "DicomImagePhotometricInterpretationType",
    "DicomOverlayAttributes",
]


class DicomGetImageFlags(DotNetFlags):
    """How `DicomDataSet.GetImage` reads; accepted, without effect but for the first.

    Names: public programs; values: this library's.
    """

    None_ = 0
    AutoLoadOverlays = 1
    AutoApplyModalityLut = 2
    AutoApplyVoiLut = 4
    AutoScaleModalityLut = 8
    AutoScaleVoiLut = 16
    AutoDetectInvalidRleCompression = 32
    AutoDectectInvalidRleCompression = 32
    """Misspelt in public programs."""
    LoadCorrupted = 64
    KeepColorPalette = 128
    VoiLutPaintOnly = 256
    AllowRangeExpansion = 512
    RleSwapSegments = 1024


class DicomImagePhotometricInterpretationType(DotNetEnum):
    """What the samples of a pixel mean (PS3.3 C.7.6.3.1.2).

    Names: public programs; values: this library's.
    """

    Unknown = 0
    Monochrome1 = 1
    Monochrome2 = 2
    PaletteColor = 3
    Rgb = 4
    YbrFull = 5
    YbrFull422 = 6
    YbrPartial420 = 7
    YbrIct = 8
    YbrRct = 9
    Argb = 10
    Cmyk = 11
    PaletteColorLookupTable = 3
    PaletteColorLoockupTable = 3
    """Misspelt in public programs."""


class DicomImageCompressionType(DotNetEnum):
    """How the pixels are compressed.

    Names: public programs; values: this library's.
    """

    None_ = 0
    Rle = 1
    JpegLossless = 2
    JpegLossy = 3
    JpegLsLossless = 4
    JpegLsLossy = 5
    J2kLossless = 6
    J2kLossy = 7
    Other = 8


class DicomImageInformation:
    """What an image is like; `DicomDataSet.GetImageInformation` gives it.

    Attributes
    ----------
    Width, Height
        In pixels.
    BitsPerPixel
        Of all samples together, as stored.
    BitsAllocated
        Of one sample.
    SamplesPerPixel
        How many there are.
    PhotometricInterpretation
        What the samples mean.
    Compression
        How they are compressed.
    FrameCount
        How many images there are.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomImageInformation``; members are ours.
    """

    __slots__ = (
        "BitsAllocated",
        "BitsPerPixel",
        "Compression",
        "FrameCount",
        "Height",
        "PhotometricInterpretation",
        "SamplesPerPixel",
        "Width",
    )

    def __init__(
        self,
        width: int,
        height: int,
        bitsPerPixel: int,
        bitsAllocated: int,
        samplesPerPixel: int,
        photometricInterpretation: DicomImagePhotometricInterpretationType,
        compression: DicomImageCompressionType,
        frameCount: int,
    ) -> None:
        self.Width = width
        self.Height = height
        self.BitsPerPixel = bitsPerPixel
        self.BitsAllocated = bitsAllocated
        self.SamplesPerPixel = samplesPerPixel
        self.PhotometricInterpretation = photometricInterpretation
        self.Compression = compression
        self.FrameCount = frameCount

    def __repr__(self) -> str:
        return (
            f"<DicomImageInformation {self.Width} x {self.Height} x {self.SamplesPerPixel}, "
            f"{self.BitsAllocated} bits, {self.PhotometricInterpretation}, {self.FrameCount} frames>"
        )


class DicomOverlayAttributes:
    """An overlay's place and form; `DicomDataSet.GetOverlayAttributes` gives it.

    Attributes
    ----------
    Rows, Columns
        Its size in pixels.
    OriginX, OriginY
        Its first pixel in the image, from 1.
    Type
        ``G`` graphics, ``R`` region of interest.
    BitsAllocated, BitPosition
        1 and 0 for a plane of its own.
    Description, Label
        Text; "" if there is none.
    GroupNumber
        60xx.
    FramesInOverlay
        How many frames it has.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomOverlayAttributes``; members are ours.
    """

    __slots__ = (
        "BitPosition",
        "BitsAllocated",
        "Columns",
        "Description",
        "FramesInOverlay",
        "GroupNumber",
        "Label",
        "OriginX",
        "OriginY",
        "Rows",
        "Type",
    )

    def __init__(self, groupNumber: int) -> None:
        self.GroupNumber = groupNumber
        self.Rows = self.Columns = self.BitPosition = 0
        self.OriginX = self.OriginY = self.BitsAllocated = self.FramesInOverlay = 1
        self.Type = self.Description = self.Label = ""

    def __repr__(self) -> str:
        return f"<DicomOverlayAttributes {self.GroupNumber:04X}, {self.Columns} x {self.Rows}>"


_Photometric = DicomImagePhotometricInterpretationType
_PHOTOMETRIC = {
    "MONOCHROME1": _Photometric.Monochrome1,
    "MONOCHROME2": _Photometric.Monochrome2,
    "PALETTE COLOR": _Photometric.PaletteColor,
    "RGB": _Photometric.Rgb,
    "YBR_FULL": _Photometric.YbrFull,
    "YBR_FULL_422": _Photometric.YbrFull422,
    "YBR_PARTIAL_420": _Photometric.YbrPartial420,
    "YBR_ICT": _Photometric.YbrIct,
    "YBR_RCT": _Photometric.YbrRct,
    "ARGB": _Photometric.Argb,
    "CMYK": _Photometric.Cmyk,
}
_Compression = DicomImageCompressionType
_COMPRESSION = {
    "5": _Compression.Rle,
    "4.50": _Compression.JpegLossy,
    "4.51": _Compression.JpegLossy,
    "4.57": _Compression.JpegLossless,
    "4.70": _Compression.JpegLossless,
    "4.80": _Compression.JpegLsLossless,
    "4.81": _Compression.JpegLsLossy,
    "4.90": _Compression.J2kLossless,
    "4.91": _Compression.J2kLossy,
}


def photometric_of(term: str) -> DicomImagePhotometricInterpretationType:
    """Find the member for a defined term of (0028,0004)."""
    return _PHOTOMETRIC.get(term, _Photometric.Unknown)


def compression_of(syntax: str) -> DicomImageCompressionType:
    """Find the member for a transfer syntax."""
    short = syntax.removeprefix("1.2.840.10008.1.2").removeprefix(".")
    if short in ("", "1", "1.99", "2"):
        return _Compression.None_
    return _COMPRESSION.get(short, _Compression.Other)
