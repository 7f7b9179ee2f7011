"""`DicomDataSet`: values by type, mapped classes, templates, modules, constants."""

from __future__ import annotations

import datetime
import enum
import re
import sys
from pathlib import Path

import pytest

from leadtools_compat.dicom import (
    DicomClassType,
    DicomDataSet,
    DicomDataSetFlags,
    DicomDataSetInitializeFlags,
    DicomDataSetInitializeType,
    DicomDateRangeValue,
    DicomDateValue,
    DicomElement,
    DicomExceptionCode,
    DicomModuleType,
    DicomRangeType,
    DicomTag,
    DicomTagType,
    DicomUidType,
    DicomVRType,
    Element,
    Instance,
)
from leadtools_compat.dicom.element_attributes import elements_of, instance_of
from tests.dicom.nodes import BIG, EXPLICIT, IMPLICIT
from tests.support import python, refused

Flags = DicomDataSetInitializeFlags


class Sex(enum.Enum):
    M = 1
    F = 2


@Instance(DicomClassType.ModalityWorklist)
class Step:
    Modality = Element(DicomTag.Modality, str)
    StartDate = Element(DicomTag.ScheduledProcedureStepStartDate, datetime.date)


class Query:
    PatientName = Element(DicomTag.PatientName, str)
    BirthDate = Element(DicomTag.PatientBirthDate, DicomDateValue)
    StudyDate = Element(DicomTag.StudyDate, DicomDateRangeValue)
    Rows = Element(DicomTag.Rows, int)
    Sex = Element(DicomTag.PatientSex, Sex)
    Modalities = Element(DicomTag.ModalitiesInStudy, list[str])
    Steps = Element(DicomTag.ScheduledProcedureStepSequence, list[Step])


@pytest.fixture
def data() -> DicomDataSet:
    made = DicomDataSet()
    for tag, value in (
        (DicomTag.PatientName, "Doe^John"),
        (DicomTag.StudyDate, "20201231"),
        (DicomTag.StudyTime, "072730"),
        (DicomTag.Rows, 512),
        (DicomTag.PixelSpacing, [0.5, 0.25]),
        (DicomTag.PatientSex, Sex.F),
        (DicomTag.ImageType, ["ORIGINAL", "PRIMARY"]),
        (DicomTag.PatientID, None),
        (DicomTag.EncapsulatedDocument, b"\1\2\3\4"),
        (DicomTag.InstanceNumber, 7),
    ):
        made.InsertElementAndSetValue(tag, value)
    return made


def test_get_value_by_type(data: DicomDataSet) -> None:
    assert data.GetValue[str](DicomTag.PatientName, "") == "Doe^John"
    assert data.GetValue(DicomTag.PatientName, "") == "Doe^John"
    assert data.GetValue(DicomTag.Rows, 0) == 512
    assert data.GetValue[str](DicomTag.Rows, "") == "512"
    assert data.GetValue(DicomTag.InstanceNumber, 0, T=int) == 7
    assert data.GetValue[float](DicomTag.PixelSpacing, 0.0) == 0.5
    assert data.GetValue[datetime.datetime](DicomTag.StudyDate) == datetime.datetime(2020, 12, 31)
    assert data.GetValue[datetime.time](DicomTag.StudyTime) == datetime.time(7, 27, 30)
    assert data.GetValue[DicomDateValue](DicomTag.StudyDate) == DicomDateValue(2020, 12, 31)
    assert data.GetValue[Sex](DicomTag.PatientSex) is Sex.F
    assert data.GetValue[list](DicomTag.ImageType) == ["ORIGINAL", "PRIMARY"]
    assert data.GetValue[bytes](DicomTag.EncapsulatedDocument) == b"\1\2\3\4"
    element = data.FindFirstElement(None, DicomTag.PatientName, True)
    assert data.GetValue(element, "") == "Doe^John"
    assert data.GetValue(DicomTag.Rows) == 512
    assert data.GetValue(DicomTag.PixelSpacing) == 0.5


def test_get_value_gives_the_default_for_what_is_not_there(data: DicomDataSet) -> None:
    assert data.GetValue(DicomTag.PatientID, "none") == "none"
    assert data.GetValue(DicomTag.Columns, 5) == 5
    assert data.GetValue(DicomTag.Columns) is None
    assert data.GetValue(None, "x") == "x"
    assert data.GetValue[int](DicomTag.Rows, 0, lambda text: int(text) * 2) == 1024
    assert data.GetValue[int](DicomTag.Columns, 3, lambda text: 1) == 3
    with refused(DicomExceptionCode.ValueInvalid, "no int"):
        data.GetValue[int](DicomTag.PatientName, 0)


def test_set_value_takes_what_has_that_type(data: DicomDataSet) -> None:
    data.SetValue(DicomTag.StudyDate, datetime.datetime(2021, 1, 2, 3, 4, 5))
    data.SetValue(DicomTag.StudyTime, datetime.datetime(2021, 1, 2, 3, 4, 5))
    assert data.GetValue(DicomTag.StudyDate, "") == "20210102"
    assert data.GetValue(DicomTag.StudyTime, "") == "030405"
    data.SetValue(DicomTag.PatientID, 12)
    assert data.GetValue(DicomTag.PatientID, "") == "12"
    data.SetValue(DicomTag.PatientID, None)
    assert data.GetValue(DicomTag.PatientID) is None
    with refused(DicomExceptionCode.ElementNotFound, "InsertElementAndSetValue"):
        data.SetValue(DicomTag.Columns, 1)
    with pytest.raises(TypeError):
        data.SetValue(DicomTag.PatientID, object())


def test_insert_and_set_leaves_nothing_behind_when_the_value_is_wrong(data: DicomDataSet) -> None:
    with refused(DicomExceptionCode.ValueInvalid):
        data.InsertElementAndSetValue(DicomTag.Columns, "many")
    assert data.FindFirstElement(None, DicomTag.Columns, True) is None
    sequence = data.InsertElement(None, False, DicomTag.ReferencedStudySequence)
    item = data.InsertElement(sequence, True, DicomTag.Item)
    uid = data.InsertElementAndSetValue(item, True, DicomTag.ReferencedSOPInstanceUID, "1.2.3")
    assert data.GetParentElement(uid) is item
    with pytest.raises(TypeError, match="item, child, tag, value"):
        data.InsertElementAndSetValue(1, 2, 3)


def test_objects_with_element_members_there_and_back() -> None:
    query = Query()
    assert query.PatientName is None
    query.PatientName = "Doe*"
    query.StudyDate = DicomDateRangeValue(DicomRangeType.Lower, datetime.date(2020, 1, 1), None)
    query.Rows = 4
    query.Sex = Sex.M
    query.Modalities = ["CT", "MR"]
    step = Step()
    step.Modality, step.StartDate = "US", datetime.date(2020, 2, 3)
    query.Steps = [step, Step()]
    data = DicomDataSet()
    data.Set(query)
    empty = data.FindFirstElement(None, DicomTag.PatientBirthDate, True)
    assert empty is not None  # a return key
    assert data.GetElementValueCount(empty) == 0
    again = data.Get[Query]()
    assert again.PatientName == "Doe*"
    assert again.StudyDate == query.StudyDate
    assert again.Sex is Sex.M
    assert again.Modalities == ["CT", "MR"]
    assert again.BirthDate is None
    assert again.Steps is not None
    assert again.Steps[0].StartDate == datetime.date(2020, 2, 3)
    assert again.Steps[1].Modality is None
    assert data.Get(T=Query).Rows == 4


def test_tags_can_be_left_out_before_they_are_added() -> None:
    query = Query()
    data = DicomDataSet()
    data.Set(lambda tag: tag != DicomTag.Rows, query)
    assert data.FindFirstElement(None, DicomTag.Rows, True) is None
    assert data.FindFirstElement(None, DicomTag.PatientName, True) is not None
    with pytest.raises(TypeError, match="no members made with Element"):
        data.Set("text")
    with pytest.raises(TypeError, match="no members made with Element"):
        data.Get[str]()


def test_instances_and_members_of_classes() -> None:
    assert instance_of(Step) == (DicomClassType.ModalityWorklist, DicomUidType.ModalityWorklistFind)
    assert instance_of(Query) == (DicomClassType.Undefined, "")

    class More(Step):
        Station = Element(DicomTag.ScheduledStationAETitle, str)
        Modality = None

    assert list(elements_of(More)) == ["StartDate", "Station"]
    assert instance_of(More)[0] == DicomClassType.ModalityWorklist


# ---- Initialize ----


def elements(data: DicomDataSet) -> list[DicomElement]:
    found, element = [], data.GetFirstElement(None, True, True)
    while element is not None:
        found.append(element)
        element = data.GetNextElement(element, True, True)
    return found


@pytest.mark.parametrize(
    ("flags", "syntax"),
    [
        (0, EXPLICIT),
        (Flags.ExplicitVR | Flags.LittleEndian, EXPLICIT),
        (Flags.ImplicitVR | Flags.LittleEndian, IMPLICIT),
        (Flags.ExplicitVR | Flags.BigEndian, BIG),
        (DicomDataSetInitializeType.ExplicitVRLittleEndian, EXPLICIT),
        (DicomDataSetInitializeType.ImplicitVRLittleEndian, IMPLICIT),
        (DicomDataSetInitializeType.ExplicitVRBigEndian, BIG),
    ],
)
def test_initialize_sets_the_transfer_syntax(flags: Flags, syntax: str) -> None:
    data = DicomDataSet()
    data.InsertElementAndSetValue(DicomTag.PatientID, "old")
    data.Initialize(DicomClassType.Undefined, flags)
    assert data.transfer_syntax == syntax
    assert elements(data) == []
    form = DicomDataSetFlags.ImplicitVR if syntax == IMPLICIT else DicomDataSetFlags.ExplicitVR
    assert data.InformationFlags & form


def test_initialize_creates_the_elements_of_the_class() -> None:
    data = DicomDataSet()
    data.Initialize(DicomClassType.StudyRootQueryStudy, 0)
    tags = {one.Tag: data.GetConvertValue(one) for one in elements(data)}
    assert tags.pop(DicomTag.QueryRetrieveLevel) == "STUDY"
    assert len(tags) == 19
    assert set(tags.values()) == {""}
    data.Initialize(DicomClassType.PatientRootQueryStudy, 0)
    tags = {one.Tag: "" for one in elements(data)}
    assert DicomTag.PatientName not in tags
    assert DicomTag.PatientID in tags
    data.Initialize(DicomClassType.StudyRootQueryStudy, Flags.AddMandatoryElementsOnly)
    assert {one.Tag for one in elements(data)} == {
        DicomTag.QueryRetrieveLevel,
        DicomTag.StudyDate,
        DicomTag.StudyTime,
        DicomTag.AccessionNumber,
        DicomTag.PatientName,
        DicomTag.PatientID,
        DicomTag.StudyInstanceUID,
        DicomTag.StudyID,
    }
    data.Initialize(DicomClassType.ModalityWorklist, 0)
    sequence = data.FindFirstElement(None, DicomTag.ScheduledProcedureStepSequence, True)
    assert sequence is not None
    assert data.GetElementValueCount(sequence) == 1
    assert data.FindFirstElement(None, DicomTag.ScheduledStationAETitle, False) is not None
    assert len(data.to_pydicom().ScheduledProcedureStepSequence[0]) == 13


@pytest.mark.parametrize("kind", list(DicomClassType), ids=str)
def test_every_class_has_a_template_and_is_told_again(kind: DicomClassType) -> None:
    data = DicomDataSet()
    data.Initialize(kind, 0)
    assert data.InformationClass == kind
    copy = DicomDataSet()
    copy.Copy(data, None, None)
    assert copy.InformationClass == kind
    assert (len(elements(data)) > 0) == (kind != DicomClassType.Undefined)
    data.Reset()
    assert data.InformationClass == DicomClassType.Undefined


def test_the_class_is_told_from_the_sop_class() -> None:
    data = DicomDataSet()
    data.Initialize(DicomClassType.SCImageStorage, 0)
    assert data.GetValue(DicomTag.SOPClassUID, "") == DicomUidType.SCImageStorage
    copy = DicomDataSet()
    copy.Copy(data, None, None)
    assert copy.InformationClass == DicomClassType.SCImageStorage


def test_initialize_with_what_does_not_exist() -> None:
    data = DicomDataSet()
    data.InsertElementAndSetValue(DicomTag.PatientID, "old")
    for kind, flags, word in (
        (99999, 0, "classType"),
        (0, 4096, "flags"),
        (0, Flags.BigEndian | Flags.ImplicitVR, "exclude"),
        (0, Flags.LittleEndian | Flags.BigEndian, "exclude"),
    ):
        with refused(DicomExceptionCode.Parameter, word):
            data.Initialize(kind, flags)
    assert data.GetValue(DicomTag.PatientID, "") == "old"


def test_modules() -> None:
    data = DicomDataSet()
    data.Initialize(DicomClassType.SCImageStorage, 0)
    assert data.ModuleCount == 7
    module = data.FindModule(DicomModuleType.Patient)
    assert module is not None
    assert [one.Tag for one in module.Elements][:2] == [DicomTag.PatientName, DicomTag.PatientID]
    assert data.FindModuleByIndex(0) is not None
    assert data.FindModuleByIndex(7) is None
    data.DeleteModule(DicomModuleType.Patient)
    assert data.FindModule(DicomModuleType.Patient) is None
    assert data.ModuleCount == 6
    assert len(data.InsertModule(DicomModuleType.Patient, False).Elements) == 4
    with refused(DicomExceptionCode.Parameter, "type"):
        data.FindModule(77)


# ---- constants ----


def test_constants() -> None:
    assert DicomTag.PatientName == 0x00100010
    assert DicomTag.OverlayData == 0x60003000
    assert DicomTag.Item == 0xFFFEE000
    assert DicomTagType.PatientName == DicomTag.PatientName
    assert DicomUidType.VerificationClass == DicomUidType.Verification == "1.2.840.10008.1.1"
    assert DicomUidType.CTImageStorage == "1.2.840.10008.5.1.4.1.1.2"
    assert int(DicomVRType.UN) == 0x554E
    assert DicomVRType["PN"] == 0x504E
    assert len(dir(DicomTag)) > 5000
    with pytest.raises(AttributeError, match="do you mean PatientName"):
        DicomTag.PatientsName  # type: ignore[attr-defined] # noqa: B018
    with pytest.raises(AttributeError, match="no constant 'Nothing'"):
        DicomUidType.Nothing  # type: ignore[attr-defined] # noqa: B018


@pytest.mark.parametrize(
    ("ours", "standard"),
    [
        ("VerificationClass", "Verification"),
        ("ApplicationContextName", "DICOMApplicationContext"),
        ("JPEGBaseline1", "JPEGBaseline8Bit"),
        ("JPEGExtended2_4", "JPEGExtended12Bit"),
        ("JPEGLosslessNonhier14", "JPEGLossless"),
        ("JPEGLosslessNonhier14B", "JPEGLosslessSV1"),
        ("JPEG2000LosslessOnly", "JPEG2000Lossless"),
        ("PatientRootQueryFind", "PatientRootQueryRetrieveInformationModelFind"),
        ("PatientRootQueryMove", "PatientRootQueryRetrieveInformationModelMove"),
        ("PatientRootQueryGet", "PatientRootQueryRetrieveInformationModelGet"),
        ("StudyRootQueryFind", "StudyRootQueryRetrieveInformationModelFind"),
        ("StudyRootQueryMove", "StudyRootQueryRetrieveInformationModelMove"),
        ("StudyRootQueryGet", "StudyRootQueryRetrieveInformationModelGet"),
        ("ModalityWorklistFind", "ModalityWorklistInformationModelFind"),
        ("SCImageStorage", "SecondaryCaptureImageStorage"),
        ("ModalityPerformedClass", "ModalityPerformedProcedureStep"),
        ("StorageCommitmentPushModelClass", "StorageCommitmentPushModel"),
        ("TwleveLeadECGWaveformStorage", "TwelveLeadECGWaveformStorage"),
        ("EncapsulatedPdfStorage", "EncapsulatedPDFStorage"),
    ],
)
def test_names_of_uids_beside_those_of_the_standard(ours: str, standard: str) -> None:
    assert getattr(DicomUidType, ours) == getattr(DicomUidType, standard)


def test_every_class_has_the_uid_of_its_name() -> None:
    from leadtools_compat.dicom._class_uids import CLASS_UIDS

    names = {
        "SCImageStorage": "SecondaryCaptureImageStorage",
        "EncapsulatedPdfStorage": "EncapsulatedPDFStorage",
    }
    storage = [one for one in DicomClassType if 0 < int(one) < int(DicomClassType.BasicDirectory)]
    assert len(storage) > 190
    for one in storage:
        assert CLASS_UIDS[int(one)] == getattr(DicomUidType, names.get(str(one), str(one)))
    assert set(CLASS_UIDS) == {int(one) for one in DicomClassType if one}


@pytest.mark.parametrize("kind", [DicomTag, DicomUidType])
def test_the_stubs_for_editors_name_real_constants(kind: type) -> None:
    source = Path(str(sys.modules[kind.__module__].__file__)).with_suffix(".pyi").read_text()
    names = re.findall(r"^    (\w+): ClassVar", source, re.MULTILINE)
    assert len(names) > 450
    for name in names:
        assert isinstance(getattr(kind, name), (int, str))


def test_a_program_that_only_associates_loads_nothing_about_data_sets_nor_logging() -> None:
    done = python(
        "-c",
        "import sys; from leadtools_compat.dicom import DicomNet;"
        " DicomNet(None, 0).Dispose();"
        " print([name for name in sys.modules if 'data_set' in name or name == 'logging'])",
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_who_is_told_of_data_sets_has_them_loaded_before_the_first_comes() -> None:
    done = python(
        "-c",
        "import sys; from leadtools_compat.dicom import DicomNet;"
        " kind = type('Kind', (DicomNet,), {'OnReceiveCFindRequest': lambda *rest: None});"
        " kind(None, 0).Dispose();"
        " print('leadtools_compat.dicom.dicom_data_set' in sys.modules)",
    )
    assert done.stdout.strip() == "True", done.stderr


def test_importing_needs_no_pydicom_nor_does_verifying() -> None:
    done = python(
        "-c",
        "import sys; from leadtools_compat.dicom import *; DicomUidType.VerificationClass; DicomDataSet();"
        " print('pydicom' in sys.modules, 'numpy' in sys.modules)",
    )
    assert done.stdout.strip() == "False False", done.stderr
