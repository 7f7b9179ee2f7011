"""`DicomDir` and the keys of its data set."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from leadtools_compat.dicom import (
    DicomDataSet,
    DicomDir,
    DicomElement,
    DicomExceptionCode,
    DicomTag,
)
from tests.support import refused

SAMPLES = Path(str(get_testdata_file("DICOMDIR", download=False))).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven files of two patients in folders."""
    for source, target in (
        ("77654033/CR1/6154", "A/CR1"),
        ("77654033/CR2/6247", "A/CR2"),
        ("77654033/CT2/17106", "A/CT1"),
        ("77654033/CT2/17136", "A/CT2"),
        ("98892003/MR1/15820", "B/MR1"),
        ("98892003/MR2/15970", "B/MR2"),
    ):
        (tmp_path / target).parent.mkdir(exist_ok=True)
        shutil.copy(SAMPLES / source, tmp_path / target)
    (tmp_path / "README.TXT").write_text("no DICOM")
    return tmp_path


@contextmanager
def opened(path: Path) -> Iterator[FileSet]:
    """pydicom's view of a directory; its temporary folder is removed."""
    files = FileSet(path)
    try:
        yield files
    finally:
        files._stage["t"].cleanup()  # it has no other way


def keys(data: DicomDataSet) -> list[DicomElement]:
    found, key = [], data.GetFirstKey(None, False)
    while key is not None:
        found.append(key)
        key = data.GetNextKey(key, False)
    return found


def texts(data: DicomDataSet) -> list[str]:
    return [data.GetKeyValueString(key) for key in keys(data)]


def test_a_directory_is_made_and_pydicom_reads_it(folder: Path) -> None:
    with DicomDir(folder) as directory:
        directory.Options.IncludeSubfolders = True
        directory.SetFileSetId("DISC1")
        directory.InsertFile(None)
        assert directory.GetAddedDicomFilesCount() == 6
        assert texts(directory.DataSet).count("PATIENT") == 2
        directory.Save()
    with opened(folder / "DICOMDIR") as files:
        assert files.ID == "DISC1"
        assert len(files) == 6
        for instance in files:
            assert dcmread(instance.path).SOPInstanceUID == instance.SOPInstanceUID
    meta = dcmread(folder / "DICOMDIR").file_meta
    assert meta.MediaStorageSOPClassUID == "1.2.840.10008.1.3.10"
    assert sorted(one.name for one in folder.iterdir()) == ["A", "B", "DICOMDIR", "README.TXT"]


def test_a_directory_is_changed(folder: Path) -> None:
    directory = DicomDir(str(folder))
    for name in ("A/CR1", folder / "A" / "CT1", "B/MR1"):
        directory.InsertFile(name)
    directory.Save()
    instance = dcmread(folder / "DICOMDIR").file_meta.MediaStorageSOPInstanceUID
    again = DicomDir()
    again.Load(folder / "DICOMDIR")
    assert texts(again.DataSet) == texts(directory.DataSet)
    again.InsertFile("A/CT2")
    again.InsertFile("A/CT2")  # once more: in the place of the one that is there
    first = again.DataSet.FindFirstKey(None, "PATIENT", True)
    assert first is not None
    again.DataSet.DeleteKey(first)
    again.InsertFile("B/MR2")
    again.Save()
    with opened(folder / "DICOMDIR") as files:
        assert len(files) == len([one for one in texts(again.DataSet) if one == "IMAGE"])
    assert dcmread(folder / "DICOMDIR").file_meta.MediaStorageSOPInstanceUID == instance


def test_files_that_cannot_be_in_it(folder: Path, tmp_path: Path) -> None:
    directory = DicomDir(folder / "A")
    with refused(DicomExceptionCode.Parameter, "not below"):
        directory.InsertFile(folder / "B" / "MR1")
    with refused(DicomExceptionCode.Parameter, "not below"):
        directory.InsertFile("../B/MR1")
    with refused(DicomExceptionCode.FileNotFound):
        directory.InsertFile("missing")
    (folder / "A" / "text").write_text("no DICOM, but long enough to be looked at for that " * 9)
    with refused(DicomExceptionCode.FileFormat):
        directory.InsertFile("text")
    directory.Options.RejectInvalidFileId = True
    with refused(DicomExceptionCode.Parameter, "media"):
        directory.InsertFile("text")
    assert directory.GetAddedDicomFilesCount() == 0
    with refused(DicomExceptionCode.ValueInvalid, ["PatientID", "Patient ID"][1]):
        directory.InsertDataSet(DicomDataSet.from_pydicom(Dataset()), "CR1")
    with refused(DicomExceptionCode.FileNotFound, "no folder"):
        DicomDir(folder / "missing")
    with refused(DicomExceptionCode.InvalidState, "folder"):
        DicomDir().Save()
    with refused(DicomExceptionCode.FileFormat, "no DICOMDIR"):
        directory.Load(folder / "A" / "CR1")


def test_files_are_told_before_they_are_added(folder: Path) -> None:
    seen: list[tuple[str, DicomExceptionCode]] = []

    class Mine(DicomDir):
        def OnInsertFile(
            self, fileName: str, ds: DicomDataSet, code: DicomExceptionCode, *more: object
        ) -> DicomExceptionCode:
            seen.append((Path(fileName).name, code))
            return (
                DicomExceptionCode.Canceled
                if fileName.endswith("CT1")
                else DicomExceptionCode.Success
            )

    directory = Mine(folder)
    directory.InsertFile(None)
    assert seen == [("README.TXT", DicomExceptionCode.FileFormat)]
    with refused(DicomExceptionCode.Canceled, "CT1"):
        directory.InsertFile("A/CT1")
    directory.InsertFile("A/CR1")
    assert directory.GetAddedDicomFilesCount() == 1


# ---- keys ----


@pytest.mark.parametrize(
    "name", ["DICOMDIR", "DICOMDIR-reordered", "DICOMDIR-implicit", "DICOMDIR-bigEnd"]
)
def test_keys_are_the_tree_of_records(name: str) -> None:
    data = DicomDataSet()
    data.Load(SAMPLES / name)
    found = texts(data)
    assert len(found) == len(dcmread(SAMPLES / name).DirectoryRecordSequence)
    patient = data.GetFirstKey(None, True)
    assert patient is not None
    assert patient.Tag == DicomTag.Item
    assert data.GetKeyValueString(patient) == "PATIENT"
    assert data.GetKeyValue(patient) == b"PATIENT"
    other = data.GetNextKey(patient, True)
    assert other is not None
    assert data.GetNextKey(other, True) is None
    assert data.GetPreviousKey(other, True) is patient
    assert data.GetLastKey(None, True) is other
    study = data.GetChildKey(patient)
    assert study is not None
    assert data.GetKeyValueString(study) == "STUDY"
    assert data.GetParentKey(study) is patient
    assert data.GetParentKey(patient) is None
    series = data.GetChildKey(study)
    assert series is not None
    image = data.GetChildKey(series)
    assert image is not None
    assert data.GetChildKey(image) is None
    assert data.GetRootKey(image) is patient
    assert data.GetChildKey(None) is patient
    assert data.FindFirstKey(None, "IMAGE", False) is image
    following = data.FindNextKey(image, "IMAGE", False)
    assert following is not None
    assert data.FindPreviousKey(following, "IMAGE", False) is image
    assert data.FindLastKey(None, "PATIENT", True) is other
    uid = data.FindFirstElement(data.GetChildElement(study, True), DicomTag.StudyInstanceUID, True)
    assert uid is not None
    assert data.GetParentKey(uid) is study


def test_keys_without_usable_offsets_are_read_by_their_types() -> None:
    data = DicomDataSet()
    data.Load(SAMPLES / "DICOMDIR-nooffset")
    assert texts(data)[:4] == ["PATIENT", "STUDY", "SERIES", "IMAGE"]


def test_keys_are_inserted_and_deleted() -> None:
    data = DicomDataSet()
    assert data.GetFirstKey(None, False) is None
    patient = data.InsertKey(None, False, "PATIENT")
    study = data.InsertKey(patient, True, "STUDY")
    second = data.InsertKey(study, False, "STUDY", 0)
    assert keys(data) == [patient, second, study]
    with refused(DicomExceptionCode.Parameter, "index is 5"):
        data.InsertKey(patient, True, "STUDY", 5)
    with refused(DicomExceptionCode.Parameter, "no key"):
        data.GetKeyValue(data.InsertElement(None, False, DicomTag.PatientID))
    data.DeleteKey(patient)
    assert keys(data) == []
    with refused(DicomExceptionCode.ElementNotFound):
        assert study.Tag
