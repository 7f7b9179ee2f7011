"""`DicomDataSet` as JSON and XML, the tables, and the members that are not here."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from leadtools_compat.dicom import (
    DicomClassType,
    DicomDataSet,
    DicomExceptionCode,
    DicomIodTable,
    DicomIodType,
    DicomModuleType,
    DicomTag,
    DicomTagTable,
    DicomUIDCategory,
    DicomUidTable,
    DicomUidType,
    DicomVRTable,
    DicomVRType,
)
from tests.support import refused

FILES = ["CT_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "test-SR.dcm", "reportsi.dcm", "priv_SQ.dcm"]


def real(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def loaded(file: Any) -> DicomDataSet:
    made = DicomDataSet()
    made.Load(file)
    return made


# ---- models ----


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("model", ["Json", "Xml"])
@pytest.mark.parametrize("name", FILES)
def test_models_there_and_back(name: str, model: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    data = loaded(real(name))
    getattr(data, f"Save{model}")(path, 0)
    stream = io.BytesIO()
    getattr(data, f"Save{model}")(stream, 0)
    assert stream.getvalue() == path.read_bytes()
    again = DicomDataSet()
    for source in (path, io.BytesIO(path.read_bytes()), path.read_bytes()):
        getattr(again, f"Load{model}")(source, 0)
        expected, found = dcmread(real(name)), again.to_pydicom()
        assert [element.tag for element in found] == [element.tag for element in expected]
        for element in expected:
            if element.VR not in ("FL", "SQ"):
                assert found[element.tag].value == element.value or not element.value
    assert again.transfer_syntax == DicomUidType.ExplicitVRLittleEndian
    assert list(tmp_path.iterdir()) == [path]


def test_xml_of_names_and_characters_that_xml_cannot_hold() -> None:
    data = DicomDataSet()
    data.InsertElementAndSetValue(DicomTag.SpecificCharacterSet, "ISO_IR 192")
    data.InsertElementAndSetValue(DicomTag.PatientName, "Yamada^Tarou=山田^太郎=やまだ^たろう")
    data.InsertElementAndSetValue(DicomTag.PatientComments, "a\x1bb <&> ")
    data.InsertElementAndSetValue(DicomTag.ImageType, ["A", "B"])
    data.InsertElementAndSetValue(DicomTag.FrameIncrementPointer, 0x00181063)
    stream = io.BytesIO()
    data.SaveXml(stream)
    assert b"<FamilyName>Yamada</FamilyName>" in stream.getvalue()
    assert b'keyword="PatientName"' in stream.getvalue()
    again = DicomDataSet()
    again.LoadXml(stream.getvalue())
    assert again.GetValue(DicomTag.PatientName, "") == "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert "\ufffd" in again.GetValue(DicomTag.PatientComments, "")
    assert again.GetValue[list](DicomTag.ImageType) == ["A", "B"]
    assert again.GetValue(DicomTag.FrameIncrementPointer) == 0x00181063


BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><NativeDicomModel>&b;</NativeDicomModel>'
MODEL = b"<NativeDicomModel>%s</NativeDicomModel>"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a>",
        b"<a/>",
        BOMB,
        MODEL % b"<DicomAttribute/>",
        MODEL % b'<DicomAttribute tag="0028001X" vr="US"/>',
        MODEL % b'<DicomAttribute tag="00280010" vr="US"><Value>x</Value></DicomAttribute>',
        MODEL % b'<DicomAttribute tag="00280010" vr="US"><Value>70000</Value></DicomAttribute>',
        MODEL % b'<DicomAttribute tag="7FE00010" vr="OW"><BulkData uri="x"/></DicomAttribute>',
        MODEL
        % b'<DicomAttribute tag="7FE00010" vr="OW"><InlineBinary>%%</InlineBinary></DicomAttribute>',
        MODEL % (b'<DicomAttribute tag="00081110" vr="SQ"><Item number="1">' * 200),
    ],
)
def test_xml_that_is_no_data_set_is_refused(content: bytes) -> None:
    data = loaded(real("CT_small.dcm"))
    with refused(DicomExceptionCode.XmlFormat, "XML"):
        data.LoadXml(content)
    assert data.GetValue(DicomTag.PatientID, "") == "1CT1"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"00100010": 5}',
        b'{"00280010": {"vr": "US", "Value": ["x"]}}',
        b"[" * 100_000,
    ],
)
def test_json_that_is_no_data_set_is_refused(content: bytes) -> None:
    data = loaded(real("CT_small.dcm"))
    with refused(DicomExceptionCode.XmlFormat, "JSON"):
        data.LoadJson(content)
    assert data.GetValue(DicomTag.PatientID, "") == "1CT1"


def test_models_in_files_that_are_not_there(tmp_path: Path) -> None:
    data = DicomDataSet()
    with refused(DicomExceptionCode.FileNotFound, "missing"):
        data.LoadXml(tmp_path / "missing")
    with refused(DicomExceptionCode.FileWrite, "missing"):
        data.SaveJson(tmp_path / "missing" / "x")
    with refused(DicomExceptionCode.Parameter, "flags"):
        data.SaveXml(tmp_path / "x", 1)
    with pytest.raises(TypeError):
        data.LoadJson(5)  # type: ignore[arg-type]


# ---- tables ----


@pytest.fixture
def tags() -> Iterator[DicomTagTable]:
    table = DicomTagTable.Instance
    yield table
    table.Default()


def test_tags_are_found(tags: DicomTagTable) -> None:
    assert DicomTagTable.Instance is tags
    row = tags.Find(DicomTag.PatientName)
    assert row is not None
    assert (row.Code, row.Name, row.VR) == (DicomTag.PatientName, "Patient's Name", DicomVRType.PN)
    assert (row.MinVM, row.MaxVM, row.VMDivider, row.Mask) == (1, 1, 1, 0xFFFFFFFF)
    for tag, least, most, divider in (
        (DicomTag.ImageType, 2, -1, 1),
        (DicomTag.PixelSpacing, 2, 2, 1),
        (DicomTag.OtherPatientIDs, 1, -1, 1),
        (DicomTag.ContourData, 3, -1, 3),
        (DicomTag.FrameAnatomySequence, 1, 1, 1),
        (DicomTag.DisplayedAreaTopLeftHandCorner, 2, 2, 1),
    ):
        found = tags.Find(tag)
        assert found is not None
        assert (found.MinVM, found.MaxVM, found.VMDivider) == (least, most, divider)
    overlay = tags.Find(0x60043000)
    assert overlay is not None
    assert overlay.Code == 0x60003000
    assert overlay.Mask == 0xFF00FFFF
    assert tags.Find(0x00990001) is None
    assert tags.GetCount() > 5000


def test_tags_are_walked(tags: DicomTagTable) -> None:
    first, last = tags.GetFirst(), tags.GetLast()
    assert first is not None
    assert last is not None
    assert first.Code == 0
    following = tags.GetNext(first)
    assert following is not None
    assert following.Code > 0
    before = tags.GetPrevious(following)
    assert before is not None
    assert before.Code == first.Code
    assert tags.GetPrevious(first) is None
    assert tags.GetNext(last) is None
    assert tags.FindByIndex(tags.GetCount()) is None
    assert tags.Exists(first)


def test_changed_tags_hold_until_the_default(tags: DicomTagTable) -> None:
    tags.Insert(0x00291077, 0xFFFFFFFF, "Mine", DicomVRType.DS, 1, 3, 1)
    data = DicomDataSet()
    assert data.InsertElement(None, False, 0x00291077).VR == DicomVRType.DS
    name = tags.Find(DicomTag.PatientName)
    assert name is not None
    tags.SetName(name, "Name")
    renamed = tags.Find(DicomTag.PatientName)
    assert renamed is not None
    assert renamed.Name == "Name"
    tags.Delete(name)
    assert tags.Find(DicomTag.PatientName) is None
    tags.Reset()
    assert tags.GetCount() == 0
    assert tags.GetFirst() is None
    tags.Default()
    assert tags.Find(0x00291077) is None
    assert tags.Find(DicomTag.PatientName) is not None


def test_uids() -> None:
    table = DicomUidTable.Instance
    row = table.Find(DicomUidType.CTImageStorage)
    assert row is not None
    assert row.Name == str(row) == row.ToString() == "CT Image Storage"
    assert row.Type == DicomUIDCategory.SopClass
    syntax = table.Find("1.2.840.10008.1.2\0")
    assert syntax is not None
    assert syntax.Type == DicomUIDCategory.TransferSyntax
    assert table.Find("1.2.3") is None
    try:
        table.Insert("1.2.3", "Mine", DicomUIDCategory.SopClass)
        assert str(table.Find("1.2.3")) == "Mine"
        assert table.GetLast() is not None
        table.Delete(row)
        assert table.Find(row.Code) is None
        table.Reset()
        assert table.GetCount() == 0
    finally:
        table.Default()
    assert table.GetCount() > 450


def test_vrs() -> None:
    table = DicomVRTable.Instance
    assert table.GetCount() == len(DicomVRType)
    for vr in DicomVRType:
        row = table.Find(vr)
        assert row is not None
        assert row.Code == vr
        assert row.Name
    row = table.Find(DicomVRType.US)
    assert row is not None
    assert (row.Length, row.UnitSize) == (2, 2)
    assert table.Find(0x1234) is None


def test_iods_are_a_tree() -> None:
    table = DicomIodTable.Instance
    top = table.FindClass(DicomClassType.SCImageStorage)
    assert top is not None
    module = table.FindModule(DicomClassType.SCImageStorage, DicomModuleType.Patient)
    assert module is not None
    assert module.Type == DicomIodType.Module
    assert table.GetParent(module) is top
    element = table.GetChild(module)
    assert element is not None
    assert element.TagCode == DicomTag.PatientName
    assert element.ClassCode == DicomClassType.SCImageStorage
    assert element.ModuleCode == DicomModuleType.Patient
    assert element.Description
    assert table.GetRoot(element) is top
    assert table.Find(top, DicomTag.Rows) is not None
    assert table.Find(top, DicomTag.Rows, True) is None
    walked, node = [], table.GetFirst(None, False)
    while node is not None:
        walked.append(node)
        node = table.GetNext(node, False)
    back, node = [], table.GetLast(None, False)
    while node is not None:
        back.append(node)
        node = table.GetPrevious(node, False)
    assert back[::-1] == walked
    assert table.GetCount() == len(DicomClassType) - 1
    worklist = table.FindClass(DicomClassType.ModalityWorklist)
    assert worklist is not None
    assert table.Find(worklist, DicomTag.ScheduledStationAETitle) is not None


# ---- out ----


@pytest.mark.parametrize(
    "name",
    [
        "InsertImage", "DeleteImage", "GetWaveformGroup", "AddWaveformGroup", "CreateSignature",
        "VerifySignature", "GetSignaturesCount", "GetVoiLut", "GetVoiLutData",
        "GetPresentationStateInformation", "GetEncapsulatedDocument", "SetEncapsulatedDocument",
    ],
)  # fmt: skip
def test_members_that_are_not_here_say_what_to_use(name: str) -> None:
    with pytest.raises(NotImplementedError, match=rf"DicomDataSet\.{name} .*to_pydicom"):
        getattr(DicomDataSet(), name)(None, 1, "x")


def test_properties_that_are_not_here_or_only_remember() -> None:
    data = DicomDataSet()
    with pytest.raises(NotImplementedError, match="WaveformGroupCount"):
        data.WaveformGroupCount  # noqa: B018
    options: Any = data.Jpeg2000Options
    options.CompressionControl = 5
    assert data.Jpeg2000Options is options
    assert "CompressionControl=5" in repr(options)
