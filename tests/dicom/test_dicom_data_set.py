"""`DicomDataSet`: loading, saving, copying, and its elements through pydicom."""

from __future__ import annotations

import gc
import io
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from leadtools_compat._binding.datasets import DataSet
from leadtools_compat.dicom import (
    DicomDataSet,
    DicomDataSetLoadFlags,
    DicomDataSetSaveFlags,
    DicomExceptionCode,
)
from tests.dicom.nodes import BIG, EXPLICIT, IMPLICIT, dataset
from tests.support import refused

Flags = DicomDataSetSaveFlags


def real(name: str = "CT_small.dcm") -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def loaded(file: Any, **options: Any) -> DicomDataSet:
    made = DicomDataSet()
    made.Load(file, **options)
    return made


# ---- loading and saving ----


@pytest.mark.parametrize("how", ["path", "text", "stream", "bytes", "bytearray", "memoryview"])
def test_load_from_everything(how: str) -> None:
    path = real()
    content = path.read_bytes()
    file: Any = {
        "path": path,
        "text": str(path),
        "stream": io.BytesIO(content),
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
    }[how]
    data = loaded(file)
    expected = dcmread(path)
    assert data.transfer_syntax == expected.file_meta.TransferSyntaxUID
    assert data.to_pydicom() == expected


@pytest.mark.parametrize(
    "name",
    [
        "JPEG2000.dcm",
        "MR_small_bigendian.dcm",
        "image_dfl.dcm",
        "rtplan.dcm",
        "ExplVR_BigEndNoMeta.dcm",
    ],
)
def test_load_of_many_kinds_of_files(name: str) -> None:
    assert loaded(real(name)).to_pydicom() == dcmread(real(name), force=True)


def test_a_file_stays_in_its_file_until_load_and_close(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(real().read_bytes())
    kept, read = loaded(path), loaded(path, flags=DicomDataSetLoadFlags.LoadAndClose)
    assert str(path) in repr(kept)
    assert "in memory" in repr(read)
    path.write_bytes(b"\0" * 10)
    assert read.to_pydicom() == dcmread(real())
    with refused(DicomExceptionCode.FileRead):
        kept.to_pydicom()


def test_files_that_cannot_be_loaded(tmp_path: Path) -> None:
    data = loaded(real())
    with refused(DicomExceptionCode.FileNotFound, "missing.dcm"):
        data.Load(tmp_path / "missing.dcm")
    with refused(DicomExceptionCode.FileFormat):
        data.Load(b"This is no DICOM file at all, and it is long enough to see that." * 10)
    with pytest.raises(TypeError, match="path, a binary stream or bytes-like, not int"):
        data.Load(5)  # type: ignore[arg-type]
    with refused(DicomExceptionCode.Parameter, "flags"):
        data.Load(real(), 64)
    assert data.to_pydicom() == dcmread(real())  # as it was


def test_save_writes_what_was_loaded(tmp_path: Path) -> None:
    path, stream = tmp_path / "b.dcm", io.BytesIO()
    data = loaded(real())
    data.Save(path)
    data.Save(stream)
    assert path.read_bytes() == stream.getvalue()
    saved, expected = dcmread(path), dcmread(real())
    assert saved == expected
    assert saved.file_meta.MediaStorageSOPInstanceUID == expected.SOPInstanceUID
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("flags", "syntax"),
    [
        (Flags.None_, EXPLICIT),
        (Flags.ExplicitVR | Flags.LittleEndian, EXPLICIT),
        (Flags.ImplicitVR, IMPLICIT),
        (Flags.BigEndian, BIG),
        (Flags.BigEndian | Flags.ExplicitVR | Flags.MetaHeaderPresent, BIG),
    ],
)
def test_save_converts(tmp_path: Path, flags: Flags, syntax: str) -> None:
    path = tmp_path / "c.dcm"
    loaded(real()).Save(path, flags)
    saved, expected = dcmread(path), dcmread(real())
    assert saved.file_meta.TransferSyntaxUID == syntax
    assert saved.PatientName == expected.PatientName
    pytest.importorskip("numpy")
    assert (saved.pixel_array == expected.pixel_array).all()


def test_save_and_load_without_group_2(tmp_path: Path) -> None:
    path = tmp_path / "d.dcm"
    loaded(real()).Save(path, Flags.MetaHeaderAbsent | Flags.ImplicitVR)
    assert path.read_bytes()[:2] == b"\x08\0"
    assert loaded(path).to_pydicom().PatientName == dcmread(real()).PatientName


def test_save_says_what_it_cannot_do(tmp_path: Path) -> None:
    path = tmp_path / "e.dcm"
    with refused(DicomExceptionCode.Parameter, "exclude"):
        loaded(real()).Save(path, Flags.LittleEndian | Flags.BigEndian)
    with refused(DicomExceptionCode.TransferSyntaxNotSupported):
        loaded(real("JPEG2000.dcm")).Save(path, Flags.ImplicitVR)
    with refused(DicomExceptionCode.FileWrite, "missing"):
        loaded(real()).Save(tmp_path / "missing" / "e.dcm")
    assert not path.exists()


# ---- elements ----


def test_what_is_changed_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "f.dcm"
    data = loaded(real())
    data.to_pydicom().PatientName = "Changed^Name"
    assert data.to_pydicom() is data.to_pydicom()
    data.Save(path)
    assert dcmread(path).PatientName == "Changed^Name"
    data.Reset()
    assert len(data.to_pydicom()) == 0


def test_what_is_only_looked_at_stays_byte_by_byte(tmp_path: Path) -> None:
    before, after = tmp_path / "g.dcm", tmp_path / "h.dcm"
    data = loaded(real("rtplan.dcm"))  # with sequences in a form that pydicom would write otherwise
    data.Save(before)
    assert data.to_pydicom().BeamSequence[0].BeamName
    data.Save(after)
    assert before.read_bytes() == after.read_bytes()


def test_from_pydicom_follows_its_data_set(tmp_path: Path) -> None:
    source = Dataset()
    source.PatientName = "New^One"
    data = DicomDataSet.from_pydicom(source)
    assert data.transfer_syntax == ""
    assert "from pydicom" in repr(data)
    data.Save(tmp_path / "i.dcm")
    assert data.transfer_syntax == EXPLICIT
    source.PatientName = "New^Two"
    data.Save(tmp_path / "i.dcm")
    assert dcmread(tmp_path / "i.dcm").PatientName == "New^Two"
    assert data.to_pydicom() is source
    with pytest.raises(TypeError, match="pydicom Dataset, not dict"):
        DicomDataSet.from_pydicom({})  # type: ignore[arg-type]


def test_values_that_cannot_be_written_are_named() -> None:
    source = Dataset()
    source.Rows = 1
    source["Rows"]._value = "many"
    data = DicomDataSet.from_pydicom(source)
    with refused(DicomExceptionCode.ValueInvalid):
        data.Save(io.BytesIO())


def test_copy_is_independent() -> None:
    one, two = DicomDataSet.from_pydicom(dataset(AccessionNumber="1")), DicomDataSet()
    two.Copy(one, None, None)
    one.to_pydicom().AccessionNumber = "2"
    assert two.to_pydicom().AccessionNumber == "1"
    one.Dispose()
    assert two.to_pydicom().AccessionNumber == "1"
    with pytest.raises(TypeError, match="source must be a DicomDataSet"):
        two.Copy(None, None, None)  # type: ignore[arg-type]


# ---- life ----


def test_dispose_and_with() -> None:
    with DicomDataSet() as data:
        assert "0 bytes in memory" in repr(data)
    data.Dispose()
    assert "disposed" in repr(data)
    for use in (data.Reset, data.to_pydicom, lambda: data.transfer_syntax, lambda: data.Load(b"")):
        with refused(DicomExceptionCode.ObjectDisposed, "new one"):
            use()


def test_subclass_with_members_of_its_own() -> None:
    class Mine(DicomDataSet):
        state = data = folder = None

        def __init__(self) -> None:
            super().__init__("")

    assert Mine().transfer_syntax == ""

    class Forgetful(DicomDataSet):
        def __init__(self) -> None:
            pass

    with refused(DicomExceptionCode.InvalidState, "Forgetful", "super().__init__"):
        Forgetful().Reset()
    Forgetful().Dispose()


def test_bytes_are_seen_without_a_copy_and_outlive_their_data_set() -> None:
    data = DataSet.create(None)
    data.set(b"\1\2" * 1000, EXPLICIT)
    first, second = data.view(), data.view()
    assert first.readonly
    data.set(b"", EXPLICIT)
    assert data.view().nbytes == 0
    data.free()
    del data
    gc.collect()
    assert bytes(first) == bytes(second) == b"\1\2" * 1000
