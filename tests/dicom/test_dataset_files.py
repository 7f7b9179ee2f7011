"""`DicomDataSet`: forms of files, transfer syntaxes with codecs, and input that is damaged."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset

from leadtools_compat.dicom import (
    DicomDataSet,
    DicomDataSetSaveFlags,
    DicomExceptionCode,
    DicomTag,
    DicomUidType,
    DicomVRType,
)
from tests.dicom.nodes import BIG, EXPLICIT, IMPLICIT
from tests.support import refused

Flags = DicomDataSetSaveFlags


def real(name: str = "CT_small.dcm") -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def loaded(file: Any) -> DicomDataSet:
    made = DicomDataSet()
    made.Load(file)
    return made


def saved(data: DicomDataSet, flags: Flags | int = 0) -> bytes:
    stream = io.BytesIO()
    data.Save(stream, flags)
    return stream.getvalue()


def text(data: DicomDataSet, tag: int) -> str | None:
    element = data.FindFirstElement(None, tag, True)
    return None if element is None else data.GetStringValue(element, 0)


# ---- forms ----


@pytest.mark.parametrize("form", [Flags.None_, Flags.ImplicitVR, Flags.BigEndian])
def test_group_lengths_are_right(form: Flags) -> None:
    content = saved(loaded(real()), Flags.GroupLengths | Flags.MetaHeaderAbsent | form)
    implicit, little = bool(form & Flags.ImplicitVR), not form & Flags.BigEndian
    found = read_dataset(io.BytesIO(content), implicit, little)
    groups = sorted({element.tag.group for element in found})
    for group in groups:
        length = found[group << 16].value
        if isinstance(length, bytes):  # of a private group, without VR
            length = int.from_bytes(length, "little")
        rest = Dataset({tag: found.get_item(tag) for tag in found.keys() if tag.group == group})  # noqa: SIM118
        del rest[group << 16]
        rest.set_original_encoding(implicit, little, found.original_character_set)
        stream = DicomBytesIO()
        stream.is_implicit_VR, stream.is_little_endian = implicit, little
        from pydicom.filewriter import write_dataset

        write_dataset(stream, rest)
        assert len(stream.getvalue()) == length
    assert dcmread(io.BytesIO(saved(loaded(real()), Flags.GroupLengths))).PatientID == "1CT1"


def test_explicit_lengths_leave_no_delimiters() -> None:
    data = DicomDataSet()
    sequence = data.InsertElement(None, False, DicomTag.ReferencedStudySequence)
    for _ in range(2):
        item = data.InsertElement(sequence, True, DicomTag.Item)
        inner = data.InsertElement(item, True, DicomTag.ReferencedSeriesSequence)
        below = data.InsertElement(inner, True, DicomTag.Item)
        data.InsertElementAndSetValue(below, True, DicomTag.SeriesInstanceUID, "1.2.3")
    stream = io.BytesIO()
    written = dcmread(io.BytesIO(saved(data)))
    written.ReferencedStudySequence[0].is_undefined_length_sequence_item = True
    written["ReferencedStudySequence"].is_undefined_length = True
    written.save_as(stream)
    undefined = loaded(stream.getvalue())
    assert b"\xfe\xff\xdd\xe0" in saved(undefined)
    content = saved(undefined, Flags.LengthExplicit)
    assert b"\xfe\xff\xdd\xe0" not in content
    assert b"\xfe\xff\x0d\xe0" not in content
    assert dcmread(io.BytesIO(content)) == written
    assert b"\xfe\xff\xdd\xe0" in saved(undefined)  # itself as it was


def test_what_a_program_puts_into_group_2_is_saved() -> None:
    data = loaded(real())
    element = data.FindFirstElement(None, DicomTag.SourceApplicationEntityTitle, True)
    assert element is not None
    data.SetStringValue(element, "OTHER")
    data.InsertElementAndSetValue(DicomTag.SendingApplicationEntityTitle, "SENDER")
    content = saved(data)
    found = dcmread(io.BytesIO(content))
    assert found.file_meta.SourceApplicationEntityTitle == "OTHER"
    assert found.file_meta.SendingApplicationEntityTitle == "SENDER"
    assert found.file_meta.TransferSyntaxUID == EXPLICIT
    assert found.file_meta.MediaStorageSOPInstanceUID == found.SOPInstanceUID
    assert found == dcmread(real())
    assert saved(data, Flags.MetaHeaderAbsent)[:2] == b"\x08\0"


def test_a_file_with_a_header_of_its_own_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    data = DicomDataSet()
    data.InsertElementAndSetValue(DicomTag.SourceApplicationEntityTitle, "ME")
    data.InsertElementAndSetValue(DicomTag.PatientID, "1")
    path = tmp_path / "a.dcm"
    data.Save(path)
    assert dcmread(path).file_meta.SourceApplicationEntityTitle == "ME"
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o400
    with refused(DicomExceptionCode.FileWrite, "missing"):
        data.Save(tmp_path / "missing" / "a.dcm")
    (tmp_path / "folder").mkdir()
    with refused(DicomExceptionCode.FileWrite):
        data.Save(tmp_path / "folder")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.dcm", "folder"]


def test_preamble() -> None:
    content = b"Hello".ljust(128, b"\1") + real().read_bytes()[128:]
    assert loaded(content).GetPreamble(5) == b"Hello"
    assert len(loaded(content).GetPreamble()) == 128
    assert DicomDataSet().GetPreamble(128) == b""
    with refused(DicomExceptionCode.Parameter, "bytes is 129"):
        DicomDataSet().GetPreamble(129)


# ---- transfer syntaxes ----


@pytest.mark.parametrize(
    "target", [IMPLICIT, BIG, DicomUidType.DeflatedExplicitVRLittleEndian, EXPLICIT]
)
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm"])
def test_between_native_syntaxes(name: str, target: str) -> None:
    data = loaded(real(name))
    element = data.FindFirstElement(None, DicomTag.PatientName, True)
    data.ChangeTransferSyntax(target, 0, 0)
    assert data.transfer_syntax == target
    found = dcmread(io.BytesIO(saved(data)))
    expected = dcmread(real(name))
    assert found.file_meta.TransferSyntaxUID == target
    assert data.FindFirstElement(None, DicomTag.PatientName, True) is element
    if "PixelData" in expected:
        assert (found.pixel_array == expected.pixel_array).all()
        del found.PixelData, expected.PixelData
    for both in (found, expected):
        for tag in [one.tag for one in both if one.VR in ("OW", "UN") or one.tag.is_private]:
            del both[tag]
    assert found == expected


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "SC_rgb_rle_2frame.dcm",
        "JPEG2000.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "MR_small_jp2klossless.dcm",
    ],
)
def test_decompression(name: str) -> None:
    expected = dcmread(real(name))
    pixels = expected.pixel_array
    data = loaded(real(name))
    data.ChangeTransferSyntax(DicomUidType.ExplicitVRLittleEndian, 0, 0)
    found = dcmread(io.BytesIO(saved(data)))
    assert found.file_meta.TransferSyntaxUID == EXPLICIT
    if "YBR" in expected.PhotometricInterpretation:
        assert found.PhotometricInterpretation == "RGB"
        assert found.pixel_array.shape == pixels.shape
    else:
        assert (found.pixel_array == pixels).all()
    assert found.SOPInstanceUID == expected.SOPInstanceUID


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("CT_small.dcm", "RLELossless"),
        ("CT_small.dcm", "JPEG2000LosslessOnly"),
        ("MR_small_bigendian.dcm", "RLELossless"),
        ("MR_small_bigendian.dcm", "JPEG2000LosslessOnly"),
        ("SC_rgb_small_odd.dcm", "RLELossless"),
    ],
)
def test_compression_and_back(name: str, target: str) -> None:
    data = loaded(real(name))
    uid = getattr(DicomUidType, target)
    data.ChangeTransferSyntax(uid, 0, 0)
    compressed = dcmread(io.BytesIO(saved(data)))
    assert compressed.file_meta.TransferSyntaxUID == uid
    assert (compressed.pixel_array == dcmread(real(name)).pixel_array).all()
    data.ChangeTransferSyntax(DicomUidType.ImplicitVRLittleEndian, 0, 0)
    back = dcmread(io.BytesIO(saved(data)))
    assert (back.pixel_array == dcmread(real(name)).pixel_array).all()


def test_lossy_compression_only_when_asked_for() -> None:
    data = loaded(real())
    data.ChangeTransferSyntax(DicomUidType.JPEG2000, 30, 0)
    assert len(saved(data)) < real().stat().st_size
    found = dcmread(io.BytesIO(saved(data))).pixel_array.astype(int)
    difference = np.abs(found - dcmread(real()).pixel_array.astype(int))
    assert 0 < difference.mean() < 100


def test_what_no_codec_can_do_is_refused_and_nothing_has_changed() -> None:
    data = loaded(real())
    before = saved(data)
    with refused(DicomExceptionCode.CodecNotAvailable, "JPEG Baseline", "leadtools_compat[pixels]"):
        data.ChangeTransferSyntax(DicomUidType.JPEGBaseline1, 10, 0)
    for wrong in ("1.2.3", "x", "", DicomUidType.CTImageStorage):
        with refused(DicomExceptionCode.TransferSyntaxNotSupported, "DicomUidType"):
            data.ChangeTransferSyntax(wrong, 0, 0)
    with refused(DicomExceptionCode.Parameter, "qFactor"):
        data.ChangeTransferSyntax(EXPLICIT, 256, 0)
    assert data.transfer_syntax == EXPLICIT
    assert saved(data) == before
    broken = loaded(real("JPEG2000.dcm"))
    element = broken.FindFirstElement(None, DicomTag.Rows, True)
    assert element is not None
    broken.DeleteElement(element)
    with refused(DicomExceptionCode.ValueInvalid, "pixels"):
        broken.ChangeTransferSyntax(EXPLICIT, 0, 0)
    assert broken.transfer_syntax != EXPLICIT


def test_compressed_syntaxes_without_pixels_need_no_codec() -> None:
    data = DicomDataSet()
    data.InsertElementAndSetValue(DicomTag.PatientID, "1")
    data.ChangeTransferSyntax(DicomUidType.JPEGBaseline1, 0, 0)
    assert dcmread(io.BytesIO(saved(data))).PatientID == "1"


# ---- damaged input ----


@pytest.mark.parametrize("length", [0, 1, 4, 127, 131, 140, 200, 330])
def test_files_that_end_too_early_are_refused(length: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.dcm"
    path.write_bytes(real().read_bytes()[:length])
    with refused(DicomExceptionCode.FileFormat):
        loaded(path).to_pydicom()
    with refused(DicomExceptionCode.FileFormat):
        loaded(path.read_bytes()).to_pydicom()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"GIF89a" * 100,
        b"<?xml version='1.0'?>" * 20,
        b"\0" * 1000,
        bytes(range(256)) * 8,
    ],
)
def test_what_is_no_dicom_is_refused(content: bytes) -> None:
    data = loaded(real())
    with refused(DicomExceptionCode.FileFormat):
        data.Load(content)
    assert text(data, DicomTag.PatientID) == "1CT1"


def header(tag: int, vr: bytes, length: int) -> bytes:
    return (
        (tag >> 16).to_bytes(2, "little")
        + (tag & 0xFFFF).to_bytes(2, "little")
        + vr
        + (
            b"\0\0" + length.to_bytes(4, "little")
            if vr in (b"OB", b"UN", b"SQ")
            else length.to_bytes(2, "little")
        )
    )


def part10(body: bytes, syntax: str = EXPLICIT) -> bytes:
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = header(0x00020010, b"UI", len(uid)) + uid
    return (
        bytes(128)
        + b"DICM"
        + header(0x00020000, b"UL", 4)
        + len(meta).to_bytes(4, "little")
        + meta
        + body
    )


GOOD = header(0x00100020, b"LO", 2) + b"42"


def test_a_length_of_4_gib_in_a_small_file_is_refused() -> None:
    for vr, length in ((b"OB", 0xFFFFFFFE), (b"UN", 0xFFFFFFF0), (b"OB", 5000)):
        data = loaded(part10(GOOD + header(0x00420011, vr, length) + b"x" * 1000))
        with refused(DicomExceptionCode.FileFormat, "(0042,0011)", str(length), "once more"):
            data.GetFirstElement(None, True, True)


def test_values_without_an_end_are_refused() -> None:
    data = loaded(part10(GOOD + header(0x00420011, b"OB", 0xFFFFFFFF) + b"x" * 1000))
    with refused(DicomExceptionCode.FileFormat):
        data.GetFirstElement(None, True, True)
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    data = loaded(part10(GOOD + header(0x00081110, b"SQ", 0xFFFFFFFF) + item + GOOD))
    with refused(DicomExceptionCode.FileFormat):
        data.GetFirstElement(None, True, True)


def test_a_value_that_is_cut_off_is_not_given_as_if_it_were_whole() -> None:
    data = loaded(real("MR_truncated.dcm"))
    pixels = data.FindFirstElement(None, DicomTag.PixelData, True)
    assert pixels is not None
    assert pixels.Length == 8192
    for use in (data.GetBinaryValue, data.GetConvertValue, data.GetStringValue):
        with refused(DicomExceptionCode.FileFormat, "8130 of its 8192 bytes"):
            use(pixels)
    assert text(data, DicomTag.PatientID) is not None


def test_values_that_do_not_fit_their_vr() -> None:
    data = loaded(part10(GOOD + header(0x00280010, b"US", 3) + b"abc"))
    rows = data.FindFirstElement(None, DicomTag.Rows, True)
    assert rows is not None
    with refused(DicomExceptionCode.FileFormat, "Rows"):
        data.GetIntValue(rows, 0, 1)
    assert data.GetBinaryValue(rows) == b"abc"
    data = loaded(part10(GOOD + header(0x00280010, b"ZZ", 2) + b"ab"))
    rows = data.FindFirstElement(None, DicomTag.Rows, True)
    assert rows is not None
    assert rows.VR not in DicomVRType
    with refused(DicomExceptionCode.FileFormat, "ZZ"):
        data.GetConvertValue(rows)


def test_a_deflated_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from leadtools_compat.dicom import _data_set_codec

    monkeypatch.setattr(_data_set_codec, "_INFLATED_LIMIT", 100_000)
    packer = zlib.compressobj(wbits=-15)
    body = GOOD + header(0x00420011, b"OB", 10**6) + bytes(10**6)
    packed = packer.compress(body) + packer.flush()
    data = loaded(part10(packed, DicomUidType.DeflatedExplicitVRLittleEndian))
    with refused(DicomExceptionCode.DataSetTooLarge, "100000"):
        data.to_pydicom()
    damaged = loaded(part10(packed[:50], DicomUidType.DeflatedExplicitVRLittleEndian))
    with refused(DicomExceptionCode.FileFormat):
        damaged.to_pydicom()


def test_nothing_is_left_of_a_save_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(b"before")
    source = Dataset()
    source.Rows = 1
    source["Rows"]._value = "many"
    for flags in (0, Flags.GroupLengths, Flags.LengthExplicit, Flags.ImplicitVR):
        with refused(DicomExceptionCode.ValueInvalid):
            DicomDataSet.from_pydicom(source).Save(path, flags)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
