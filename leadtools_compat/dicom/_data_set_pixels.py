"""Pixel data from one transfer syntax to another, by pydicom's decoders and encoders.

One rule: the data set that is given is not changed; what is given back are the elements that are
to replace its own. Which codecs there are depends on what is installed: see the extra ``pixels``.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["LOSSLESS", "check_syntax", "decodable", "needs_codec", "no_codec", "transcoded"]

LOSSLESS = frozenset(
    {
        "1.2.840.10008.1.2.5",  # RLE
        "1.2.840.10008.1.2.4.57",
        "1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.4.201",
        "1.2.840.10008.1.2.4.202",
    }
)
"""Compressions that keep every bit: the only ones that are done without being asked for."""

_JPEG_2000 = "1.2.840.10008.1.2.4.91"
_PIXEL_DATA = 0x7FE00010
_REMEDY = "install the extra: pip install 'leadtools_compat[pixels]'"


def no_codec(what: str, why: object = "") -> DicomException:
    """Make the exception for a codec that is not there."""
    because = f" ({why})" if why else ""
    return DicomException(
        DicomExceptionCode.CodecNotAvailable, f"There is no {what}{because}; {_REMEDY}"
    )


def check_syntax(uid: str) -> str:
    """Check that a UID is a transfer syntax."""
    from leadtools_compat.dicom._uid_rows import entry

    text = str(uid)
    known = entry(text)
    if known is None or known[1] != "Transfer Syntax":
        raise DicomException(
            DicomExceptionCode.TransferSyntaxNotSupported,
            f"{text!r} is not a transfer syntax of DICOM; use a constant of DicomUidType",
        )
    return text


def needs_codec(data: Dataset, source: str, target: str) -> bool:
    """Tell whether pixels have to be decoded or encoded."""
    compressed = {uid for uid in (source, target) if uid} - codec.NATIVE
    return source != target and bool(compressed) and codec.has_pixels(data)


def _pixel_part(data: Dataset, source: str, order: str) -> Dataset:
    """Copy what has to do with pixels, in little endian."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    part = Dataset()
    for tag in data.keys():  # noqa: SIM118 - the values are not wanted yet
        if tag.group == 0x0028 or tag.group == 0x7FE0 or tag == 0x00080016:
            part[tag] = copy.deepcopy(data[tag])
    if order == codec.BIG:
        part = codec.parse(
            memoryview(codec.encode(part, codec.EXPLICIT, codec.BIG)), codec.EXPLICIT
        )
        part = Dataset({tag: part[tag] for tag in part.keys()})  # noqa: SIM118
    part.file_meta = FileMetaDataset()
    part.file_meta.TransferSyntaxUID = UID(source if source not in codec.NATIVE else codec.EXPLICIT)
    return part


def _decoder(part: Dataset, source: str) -> Any:
    """Find the decoder, if it can run."""
    from pydicom.pixels.decoders.base import get_decoder

    try:
        decoder: Any = get_decoder(source)
    except NotImplementedError as error:
        raise no_codec(f"decoder for {part.file_meta.TransferSyntaxUID.name}") from error
    if not decoder.is_available:
        raise no_codec(
            f"decoder for {part.file_meta.TransferSyntaxUID.name}",
            ", ".join(decoder.missing_dependencies),
        )
    return decoder


def decodable(data: Dataset, source: str, order: str) -> Dataset:
    """Copy what has to do with pixels, for one of pydicom's functions that decode."""
    part = _pixel_part(data, source, order)
    if source not in codec.NATIVE:
        _decoder(part, source)
    return part


def _decode(part: Dataset, source: str) -> None:
    from pydicom.pixels.utils import decompress

    decoder = _decoder(part, source)
    try:
        import numpy  # noqa: F401 - asked for, not used
    except ImportError:
        _decode_without_numpy(part, decoder)
    else:
        decompress(part, generate_instance_uid=False)


def _decode_without_numpy(part: Dataset, decoder: Any) -> None:
    """Decode frame by frame; colours stay as they are."""
    from pydicom.uid import ExplicitVRLittleEndian

    frames = [(bytes(frame), pixel) for frame, pixel in decoder.iter_buffer(part)]
    content = b"".join(frame for frame, _ in frames)
    pixel = frames[-1][1]
    part.add_new(
        _PIXEL_DATA, "OB" if part.BitsAllocated <= 8 else "OW", content + b"\0" * (len(content) % 2)
    )
    part.PhotometricInterpretation = pixel["photometric_interpretation"]
    if pixel["samples_per_pixel"] > 1:
        part.PlanarConfiguration = pixel["planar_configuration"]
    part.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def _encode(part: Dataset, target: str, quality: int) -> None:
    from pydicom.pixels.encoders.base import get_encoder
    from pydicom.pixels.utils import compress
    from pydicom.uid import UID

    name = UID(target).name
    try:
        encoder: Any = get_encoder(target)
    except NotImplementedError as error:
        raise no_codec(f"encoder for {name} in pydicom") from error
    if not encoder.is_available:
        raise no_codec(f"encoder for {name}", ", ".join(encoder.missing_dependencies))
    options: dict[str, Any] = {}
    if target == _JPEG_2000:
        options["j2k_cr"] = [max(quality, 1)]
    compress(part, UID(target), generate_instance_uid=False, **options)


def transcoded(data: Dataset, source: str, order: str, target: str, quality: int = 0) -> Dataset:
    """Make the elements of the pixels in another transfer syntax.

    Parameters
    ----------
    data
        The data set; it is not changed.
    source, order
        Its transfer syntax; the one in whose byte order its values are.
    target
        What is wanted: compressed, or one that is not, which gives explicit VR little endian.
    quality
        For JPEG 2000 that is not lossless the ratio of compression; 0 and 1 lose nothing.
    """
    part = _pixel_part(data, source, order)
    try:
        if source not in codec.NATIVE:
            _decode(part, source)
        if target not in codec.NATIVE:
            _encode(part, target, quality)
    except (DicomException, MemoryError):
        raise
    except Exception as error:
        raise DicomException(
            DicomExceptionCode.ValueInvalid,
            f"The pixels cannot be brought from {source} to {target}: {error}",
        ) from error
    return part
