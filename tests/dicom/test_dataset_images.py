"""`DicomDataSet`: images and overlays."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from leadtools_compat.dicom import (
    DicomClassType,
    DicomDataSet,
    DicomExceptionCode,
    DicomGetImageFlags,
    DicomImageCompressionType,
    DicomImagePhotometricInterpretationType,
    DicomTag,
    DicomUidType,
)
from tests.dicom.nodes import BIG
from tests.support import refused


def real(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def loaded(name: str) -> DicomDataSet:
    made = DicomDataSet()
    made.Load(real(name))
    return made


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small_bigendian.dcm",
        "SC_rgb_rle_2frame.dcm",
        "JPEG2000.dcm",
        "image_dfl.dcm",
    ],
)
def test_images_are_decoded(name: str) -> None:
    data = loaded(name)
    expected = dcmread(real(name)).pixel_array
    count = data.GetImageCount(None)
    frames = expected if count > 1 else expected[None]
    images = data.GetImages(None, 0, count, 0, 0, DicomGetImageFlags.None_)
    assert len(images) == count == len(frames)
    for image, frame in zip(images, frames, strict=True):
        assert (image == frame).all()
    element = data.FindFirstElement(None, DicomTag.PixelData, True)
    assert (data.GetImage(element, 0, 0, 0, 0) == frames[0]).all()


def test_information() -> None:
    made = loaded("CT_small.dcm").GetImageInformation(None, 0)
    assert (made.Width, made.Height, made.SamplesPerPixel) == (128, 128, 1)
    assert (made.BitsAllocated, made.BitsPerPixel, made.FrameCount) == (16, 16, 1)
    assert made.PhotometricInterpretation == DicomImagePhotometricInterpretationType.Monochrome2
    assert made.Compression == DicomImageCompressionType.None_
    made = loaded("SC_rgb_rle_2frame.dcm").GetImageInformation(None, 1)
    assert made.FrameCount == 2
    assert made.Compression == DicomImageCompressionType.Rle
    assert "2 frames" in repr(made)


def test_images_that_are_not_there() -> None:
    data = loaded("CT_small.dcm")
    with refused(DicomExceptionCode.Parameter, "index is 1"):
        data.GetImage(None, 1)
    with refused(DicomExceptionCode.Parameter, "bpp is 5"):
        data.GetImage(None, 0, 5)
    empty = DicomDataSet()
    assert empty.GetImageCount(None) == 0
    with refused(DicomExceptionCode.ElementNotFound, "pixel data"):
        empty.GetImage(None, 0)
    with refused(DicomExceptionCode.CodecNotAvailable, "pixels"):
        loaded("JPEGLSNearLossless_08.dcm").GetImage(None, 0)
    with refused(DicomExceptionCode.ValueInvalid, "Image 0"):
        loaded("MR_truncated.dcm").GetImage(None, 0)


def test_images_need_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    data = loaded("CT_small.dcm")
    monkeypatch.setitem(sys.modules, "numpy", None)
    with refused(DicomExceptionCode.CodecNotAvailable, "numpy", "leadtools_compat[pixels]"):
        data.GetImage(None, 0)


def test_images_are_scaled_on_request() -> None:
    image = loaded("MR_small.dcm").GetImage(None, 0, 8)
    assert image.dtype == np.uint8
    assert image.max() <= 255


@pytest.mark.parametrize("syntax", [DicomUidType.ExplicitVRLittleEndian, BIG])
@pytest.mark.parametrize(
    "image",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000,
        np.arange(-6, 6, dtype=np.int16).reshape(3, 4) * 1000,
        np.arange(45, dtype=np.uint8).reshape(3, 5, 3),
    ],
    ids=["grey8", "grey16", "signed", "colour"],
)
def test_images_are_set(
    image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], syntax: str
) -> None:
    data = DicomDataSet()
    data.Initialize(DicomClassType.SCImageStorage, 0)
    data.ChangeTransferSyntax(syntax, 0, 0)
    data.SetImage(None, image, 0, 0, 0, 0)
    assert (data.GetImage(None, 0) == image).all()
    stream = io.BytesIO()
    data.Save(stream)
    stream.seek(0)
    assert (dcmread(stream).pixel_array == image).all()
    data.SetImages(None, [image, image])
    assert data.GetImageCount(None) == 2


def test_an_image_in_the_place_of_a_compressed_one() -> None:
    data = loaded("JPEG2000.dcm")
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    data.SetImage(None, image)
    assert data.transfer_syntax == DicomUidType.ExplicitVRLittleEndian
    assert (data.GetImage(None, 0) == image).all()


def test_images_that_cannot_be_stored() -> None:
    data = DicomDataSet()
    for images, word in (
        ([], "empty"),
        ([np.zeros((2, 2), np.float32)], "float32"),
        ([np.zeros(4, np.uint8)], "shape"),
        ([np.zeros((2, 2, 4), np.uint8)], "shape"),
        ([np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)], "one size"),
        ([np.zeros((0, 2), np.uint8)], "not possible"),
    ):
        with refused(DicomExceptionCode.Parameter, word):
            data.SetImages(None, images)
    assert data.GetImageCount(None) == 0


def test_overlays() -> None:
    data = loaded("examples_overlay.dcm")
    assert data.OverlayCount == 1
    overlay = data.GetOverlayAttributes(0)
    expected = dcmread(real("examples_overlay.dcm"))
    assert overlay.Rows == expected[0x60000010].value
    assert overlay.Type == "G"
    assert overlay.GroupNumber == 0x6000
    assert "6000" in repr(overlay)
    with refused(DicomExceptionCode.Parameter, "index is 1"):
        data.GetOverlayAttributes(1)
    assert loaded("CT_small.dcm").OverlayCount == 0
