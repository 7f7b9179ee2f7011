"""QueryRetrieveScu finds with classes: mapped queries and results, worklists."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomClassType,
    DicomDataSet,
    DicomDataSetInitializeFlags,
    DicomExceptionCode,
    DicomTag,
    Element,
    Instance,
)
from leadtools_compat.dicom.scu import (
    QueryRetrieveScu,
)
from leadtools_compat.dicom.scu.queries import (
    ModalityWorklistQuery,
    ModalityWorklistResult,
    PatientRootQueryPatient,
    StudyRootQueryImage,
    StudyRootQuerySeries,
    StudyRootQueryStudy,
)
from tests.scu.conftest import Site
from tests.scu.query_tools import PATIENT_FIND, STUDY_FIND, WORKLIST, finder, study
from tests.support import refused


@Instance(DicomClassType.StudyRootQueryStudy, "")
class MyQuery:
    Id = Element(DicomTag.PatientID, str)
    Day: Element[Any] = Element(DicomTag.StudyDate)
    Uid = Element(DicomTag.StudyInstanceUID, str)


class MyResult:
    Id = Element(DicomTag.PatientID, str)
    Day = Element(DicomTag.StudyDate, datetime.date)


def test_mapped_queries_and_results(plain: Site) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(study(), asked=asked))
    scu = plain.scu(QueryRetrieveScu)
    query = MyQuery()
    query.Id = "4711"
    got: list[Any] = []
    scu.Find[MyQuery, MyResult](scp, query, lambda result, ds: got.append((result, ds)))
    assert asked[0][0] == STUDY_FIND
    assert asked[0][1].PatientID == "4711"
    assert asked[0][1].QueryRetrieveLevel == "STUDY"
    assert "StudyDate" in asked[0][1]
    result, ds = got[0]
    assert isinstance(result, MyResult)
    assert (result.Id, result.Day) == ("4711", datetime.date(2024, 2, 29))
    assert ds.to_pydicom().StudyInstanceUID == "1.2.3"
    assert scu._CurrentInstance.ClassType == DicomClassType.StudyRootQueryStudy


def test_mapped_queries_in_other_scripts(plain: Site) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(asked=asked))
    query = StudyRootQueryStudy()
    query.Patient.PatientName = "Müller*"
    plain.scu(QueryRetrieveScu).Find(scp, query, lambda result, ds: None)
    assert asked[0][1].PatientName == "Müller*"
    assert asked[0][1].SpecificCharacterSet == "ISO_IR 192"


def test_results_of_the_querys_type_without_brackets(plain: Site) -> None:
    _, scp = plain.node(OnReceiveCFindRequest=finder(study()))
    got: list[MyQuery] = []
    plain.scu(QueryRetrieveScu).Find(scp, MyQuery(), lambda result, ds: got.append(result))
    assert got[0].Uid == "1.2.3"


def test_templates_and_the_choice_of_tags(plain: Site) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(asked=asked))
    scu = plain.scu(QueryRetrieveScu)
    template = Dataset()
    template.StudyDescription = ""

    def match(result: Any, ds: Any) -> None: ...

    scu.Find[MyQuery, MyResult](scp, MyQuery(), match, DicomDataSet.from_pydicom(template))
    keys = asked[0][1]
    assert "StudyDescription" in keys
    assert keys.QueryRetrieveLevel == "STUDY"
    assert "AccessionNumber" not in keys  # not the keys of the class
    scu.Find(
        scp,
        MyQuery(),
        lambda tag: tag != DicomTag.StudyDate,
        match,
        DicomDataSet.from_pydicom(template),
    )
    assert "StudyDate" not in asked[1][1]


def test_a_data_set_as_query(plain: Site) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(study(), asked=asked))
    query = DicomDataSet()
    query.Initialize(DicomClassType.PatientRootQueryPatient, DicomDataSetInitializeFlags.None_)
    got: list[Any] = []
    scu = plain.scu(QueryRetrieveScu)
    scu.Find[DicomDataSet, DicomDataSet](scp, query, lambda result, ds: got.append(result))
    assert asked[0][0] == PATIENT_FIND
    assert got[0].to_pydicom().PatientID == "4711"
    with refused(DicomExceptionCode.ElementNotFound, "QueryRetrieveLevel"):
        scu.Find(scp, DicomDataSet(), lambda result, ds: None)
    with pytest.raises(TypeError, match="query must be"):
        scu.Find(scp, object(), lambda result, ds: None)
    with pytest.raises(TypeError, match="callable"):
        scu.Find(scp, query, 5)  # type: ignore[call-overload]


def test_classes_of_the_queries_namespace(plain: Site) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(study(), asked=asked))
    scu = plain.scu(QueryRetrieveScu)
    got: list[Any] = []

    def match(result: Any, ds: Any) -> None:
        got.append(result)

    patients = PatientRootQueryPatient()
    patients.PatientQuery.PatientName = "DOE*"
    scu.Find[PatientRootQueryPatient, PatientRootQueryPatient](scp, patients, match)
    assert asked[-1][0] == PATIENT_FIND
    assert asked[-1][1].PatientName == "DOE*"
    assert got[-1].PatientQuery.PatientId == "4711"

    studies = StudyRootQueryStudy()
    studies.Patient.PatientId = "4711"
    studies.Study.StudyDate = "20240101-"
    scu.Find(scp, studies, match)
    assert (asked[-1][1].PatientID, asked[-1][1].StudyDate) == ("4711", "20240101-")
    assert got[-1].Study.StudyInstanceUID == "1.2.3"

    series = StudyRootQuerySeries()
    series.Study.StudyInstanceUID = "1.2.3"
    scu.Find(scp, series, match)
    assert asked[-1][1].QueryRetrieveLevel == "SERIES"
    assert asked[-1][1].StudyInstanceUID == "1.2.3"

    images = StudyRootQueryImage()
    images.Series.SeriesInstanceUID = "1.2.4"
    scu.Find(scp, images, match)
    assert asked[-1][1].QueryRetrieveLevel == "IMAGE"
    assert asked[-1][1].SeriesInstanceUID == "1.2.4"


def test_worklist(plain: Site) -> None:
    entry = Dataset()
    entry.PatientID, entry.PatientName, entry.StudyInstanceUID = "4711", "Doe^Jane", "1.2.3"
    entry.ReferringPhysicianName = "House"
    step = Dataset()
    step.ScheduledProcedureStepStartDate, step.Modality = "20240301", "CT"
    step.ScheduledProcedureStepID = "S1"
    entry.ScheduledProcedureStepSequence = [step]
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(entry, asked=asked))
    query = ModalityWorklistQuery()
    assert query.Broad is not None
    query.Broad.Modality = "CT"
    query.Broad.ScheduledProcedureStepStartDate = "20240301"
    got: list[ModalityWorklistResult] = []
    plain.scu(QueryRetrieveScu).Find[ModalityWorklistQuery, ModalityWorklistResult](
        scp, query, lambda result, ds: got.append(result)
    )
    uid, keys, _ = asked[0]
    assert uid == WORKLIST
    item = keys.ScheduledProcedureStepSequence[0]
    assert (item.Modality, item.ScheduledProcedureStepStartDate) == ("CT", "20240301")
    assert "ScheduledProcedureStepID" in item
    assert "PatientName" in keys
    result = got[0]
    assert (result.PatientId, result.StudyInstanceUid) == ("4711", "1.2.3")
    assert result.ReferringPysician == result.ReferringPhysician == "House"
    assert result.ScheduledProcedureStepSequence is not None
    assert result.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID == "S1"


# ---- move ---------------------------------------------------------------------------------------
