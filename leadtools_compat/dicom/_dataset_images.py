"""`DicomDataSet`: images as numpy arrays, through pydicom's decoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._data_set_state import state_of
from leadtools_compat.dicom._dataset_access import check_element
from leadtools_compat.dicom._dataset_tree import read_element
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from leadtools_compat.dicom.dicom_element import DicomElement
    from leadtools_compat.dicom.enums_image import (
        DicomGetImageFlags,
        DicomImageInformation,
        DicomOverlayAttributes,
    )

__all__ = ["DataSetImages"]

_PIXELS = 0x7FE00010


def _number(data: Dataset, keyword: str, default: int) -> int:
    value: Any = data.get(keyword)
    return default if value in (None, "") else int(value)


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        from leadtools_compat.dicom._data_set_pixels import no_codec

        raise no_codec("numpy, in whose arrays images are given") from error
    return numpy


class DataSetImages:
    """Members about images.

    An image is a ``numpy.ndarray``: rows x columns, and samples if there are several. They need
    numpy, and for compressed pixels pydicom's decoders (both in the extra ``pixels``); without:
    ``CodecNotAvailable``. `element` is the pixel data or None for that of the top level.
    """

    def _pixels(self, state: Any, element: DicomElement | None) -> Dataset:
        tree = state.tree()
        if element is None:
            holder: Dataset = tree.root
        else:
            holder = check_element(tree, element)._holder
        if _PIXELS not in holder:
            raise DicomException(
                DicomExceptionCode.ElementNotFound, "The data set has no pixel data, (7FE0,0010)"
            )
        return holder

    def GetImageCount(self, element: DicomElement | None = None) -> int:
        """Count the frames; 0 without pixel data.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetImageCount``.
        """
        with state_of(self) as state:
            tree = state.tree()
            if element is None and _PIXELS not in tree.root:
                return 0
            return _number(self._pixels(state, element), "NumberOfFrames", 1)

    def GetImageInformation(
        self, element: DicomElement | None = None, index: int = 0
    ) -> DicomImageInformation:
        """Tell what an image is like, without decoding it.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetImageInformation``.
        """
        from leadtools_compat.dicom import enums_image

        with state_of(self) as state:
            data = self._pixels(state, element)
            frames = _number(data, "NumberOfFrames", 1)
            place = integer(index, "index", 0, 2**31 - 1)
            if place >= frames:
                raise parameter_error(f"index is {place}, and there are {frames} images")
            samples = _number(data, "SamplesPerPixel", 1)
            bits = _number(data, "BitsStored", _number(data, "BitsAllocated", 0))
            photometric = str(data.get("PhotometricInterpretation", ""))
            return enums_image.DicomImageInformation(
                _number(data, "Columns", 0),
                _number(data, "Rows", 0),
                bits * samples,
                _number(data, "BitsAllocated", 0),
                samples,
                enums_image.photometric_of(photometric),
                enums_image.compression_of(state.syntax()),
                frames,
            )

    def GetImage(
        self,
        element: DicomElement | None = None,
        index: int = 0,
        bpp: int = 0,
        order: int = 0,
        flags: DicomGetImageFlags | int = 0,
    ) -> Any:
        """Decode one image.

        Parameters
        ----------
        element
            The pixel data; None: that of the top level.
        index
            Which frame, from 0.
        bpp
            Bits of a pixel: 0 as it is stored; 8 and 16 (for one sample), 24 (for three) scale the
            values to that size.
        order, flags
            Accepted, without effect. Colours are red, green, blue.

        Returns
        -------
        numpy.ndarray
            Rows x columns, or rows x columns x samples.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetImage``.
        """
        depth = integer(bpp, "bpp", 0, 64)
        if depth not in (0, 8, 16, 24):
            raise parameter_error(f"bpp is {depth}; 0 (as stored), 8, 16 and 24 are possible")
        with state_of(self) as state:
            place = integer(index, "index", 0, 2**31 - 1)
            frames = self.GetImageCount(element)
            if frames and place >= frames:
                raise parameter_error(f"index is {place}, and there are {frames} images")
            image = self._decoded(state, element, place)
            bits = _number(self._pixels(state, element), "BitsStored", 8)
        return image if depth == 0 else _scaled(image, bits, 8 if depth == 24 else depth)

    def GetImages(
        self,
        element: DicomElement | None = None,
        index: int = 0,
        count: int = -1,
        bpp: int = 0,
        order: int = 0,
        flags: DicomGetImageFlags | int = 0,
    ) -> list[Any]:
        """Decode several images; `count` -1 is all from `index` on. As `GetImage` else.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetImages``.
        """
        first = integer(index, "index", 0, 2**31 - 1)
        number = integer(count, "count", -1, 2**31 - 1)
        end = self.GetImageCount(element) if number < 0 else first + number
        return [self.GetImage(element, place, bpp, order, flags) for place in range(first, end)]

    def _decoded(self, state: Any, element: DicomElement | None, index: int) -> Any:
        _numpy()
        from pydicom.pixels.utils import pixel_array

        from leadtools_compat.dicom._data_set_pixels import decodable

        data = self._pixels(state, element)
        part = decodable(data, state.syntax() or codec.EXPLICIT, state.order())
        try:
            return pixel_array(part, index=index)
        except MemoryError:
            raise
        except Exception as error:
            raise DicomException(
                DicomExceptionCode.ValueInvalid, f"Image {index} cannot be decoded: {error}"
            ) from error

    def SetImage(self, element: DicomElement | None, image: Any, *options: Any) -> None:
        """Replace the pixels by one image, not compressed, and describe it in group 0028.

        Parameters
        ----------
        element
            The pixel data; None: that of the top level, which is inserted if it is not there.
        image
            A ``numpy.ndarray`` of 8 or 16 bits: rows x columns, or rows x columns x 3.
        options
            Compression, photometric interpretation, bits and flags of the vendor's call: accepted,
            without effect.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetImage``. A compressed data set becomes explicit VR
        little endian.
        """
        self.SetImages(element, [image], *options)

    def SetImages(self, element: DicomElement | None, images: Any, *options: Any) -> None:
        """Replace the pixels by images of one size; as `SetImage`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SetImages``.
        """
        numpy = _numpy()
        arrays = [numpy.asarray(one) for one in images]
        if not arrays:
            raise parameter_error("images is empty")
        first = arrays[0]
        shape, kind = first.shape, first.dtype
        colour = len(shape) == 3 and shape[2] == 3
        if not (len(shape) == 2 or colour) or kind.kind not in "iu" or kind.itemsize > 2:
            raise parameter_error(
                f"an image of shape {shape} and type {kind} cannot be stored: rows x columns or rows "
                "x columns x 3, of 8 or 16 bits"
            )
        if any(one.shape != shape or one.dtype != kind for one in arrays):
            raise parameter_error("images are not of one size and type")
        if max(shape[:2]) > 0xFFFF or min(shape[:2]) < 1:
            raise parameter_error(f"an image of {shape[0]} x {shape[1]} pixels is not possible")
        content = b"".join(one.astype(kind.newbyteorder("<")).tobytes() for one in arrays)
        with state_of(self) as state:
            tree = state.tree()
            data: Any = tree.root if element is None else check_element(tree, element)._holder
            if state.syntax() not in ("", *codec.NATIVE):
                state.drop_pixels(codec.EXPLICIT)
            if state.order() == codec.BIG and kind.itemsize == 2:
                content = b"".join(one.astype(kind.newbyteorder(">")).tobytes() for one in arrays)
            bits = kind.itemsize * 8
            for keyword, value in (
                ("Rows", shape[0]),
                ("Columns", shape[1]),
                ("SamplesPerPixel", 3 if colour else 1),
                ("BitsAllocated", bits),
                ("BitsStored", bits),
                ("HighBit", bits - 1),
                ("PixelRepresentation", int(kind.kind == "i")),
            ):
                setattr(data, keyword, value)
            old = str(data.get("PhotometricInterpretation", ""))
            grey = old if old.startswith("MONOCHROME") else "MONOCHROME2"
            data.PhotometricInterpretation = "RGB" if colour else grey
            if colour:
                data.PlanarConfiguration = 0
            elif "PlanarConfiguration" in data:
                del data.PlanarConfiguration
            if len(arrays) > 1 or "NumberOfFrames" in data:
                data.NumberOfFrames = len(arrays)
            data.add_new(_PIXELS, "OB" if bits == 8 else "OW", content + b"\0" * (len(content) % 2))
            tree.changed(data)
            state.touch()

    # ---- overlays ----

    def _overlays(self, state: Any) -> list[int]:
        groups = {tag >> 16 for tag in state.tree().tags(state.tree().root)}
        return sorted(one for one in groups if 0x6000 <= one <= 0x601E and one % 2 == 0)

    @property
    def OverlayCount(self) -> int:
        """How many overlays there are: groups 60xx.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.OverlayCount``.
        """
        with state_of(self) as state:
            return len(self._overlays(state))

    def GetOverlayAttributes(self, index: int) -> DicomOverlayAttributes:
        """Tell where an overlay is and what it is like.

        Parameters
        ----------
        index
            Which, from 0.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetOverlayAttributes``.
        """
        from leadtools_compat.dicom.enums_image import DicomOverlayAttributes

        place = integer(index, "index", 0, 2**31 - 1)
        with state_of(self) as state:
            groups = self._overlays(state)
            if place >= len(groups):
                raise parameter_error(f"index is {place}, and there are {len(groups)} overlays")
            root = state.tree().root
            base = groups[place] << 16

            def value(number: int, default: Any) -> Any:
                if base | number not in root:
                    return default
                found: Any = read_element(root, base | number).value
                return default if found in (None, "") else found

            made = DicomOverlayAttributes(groups[place])
            made.Rows, made.Columns = int(value(0x10, 0)), int(value(0x11, 0))
            made.FramesInOverlay = int(value(0x15, 1))
            made.OriginY, made.OriginX = (int(one) for one in value(0x50, (1, 1)))
            made.Type = str(value(0x40, ""))
            made.Description, made.Label = str(value(0x22, "")), str(value(0x1500, ""))
            made.BitsAllocated, made.BitPosition = int(value(0x100, 1)), int(value(0x102, 0))
            return made


def _scaled(image: Any, stored: int, wanted: int) -> Any:
    """Bring the values to 8 or 16 bits, from the range that is stored."""
    numpy = _numpy()
    kind = numpy.uint8 if wanted == 8 else numpy.uint16
    low = -(1 << stored - 1) if image.dtype.kind == "i" else 0
    shifted = image.astype(numpy.int64) - low
    shifted = shifted >> stored - wanted if stored >= wanted else shifted << wanted - stored
    return shifted.clip(0, (1 << wanted) - 1).astype(kind)
