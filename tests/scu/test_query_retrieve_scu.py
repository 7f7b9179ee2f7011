"""QueryRetrieveScu finds: levels, roots, keys, cancelling, time limits."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest
from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomDataSet,
    DicomNet,
)
from leadtools_compat.dicom.scu import (
    ClientAssociationException,
    DateRange,
    FindQuery,
    QueryLevel,
    QueryRetrieveScu,
    TimeRange,
)
from tests.dicom.nodes import CT
from tests.scu.conftest import Site, names, record
from tests.scu.query_tools import PATIENT_FIND, STUDY_FIND, finder, study


def test_studies(site: Site) -> None:
    asked: list[Any] = []
    _, scp = site.node(OnReceiveCFindRequest=finder(study(), study(PatientID=""), asked=asked))
    scu = site.scu(QueryRetrieveScu)
    seen = record(scu, "BeforeCFind", "MatchStudy", "AfterCFind")
    query = FindQuery()
    query.PatientName, query.AccessionNumber = "DOE*", "A1"
    query.Modalities = ["CT", "MR"]
    scu.Find(scp, query)
    uid, keys, _ = asked[0]
    assert uid == STUDY_FIND
    assert keys.QueryRetrieveLevel == "STUDY"
    assert (keys.PatientName, keys.AccessionNumber) == ("DOE*", "A1")
    assert list(keys.ModalitiesInStudy) == ["CT", "MR"]
    assert "StudyInstanceUID" in keys  # a return key
    assert not keys.StudyInstanceUID
    told = [e for name, e in seen if name == "MatchStudy"]
    assert len(told) == 2
    info = told[0].Info
    assert (info.InstanceUID, info.Patient.Id) == ("1.2.3", "4711")
    assert (info.Patient.Name.Family, info.Patient.Name.Given) == ("Doe", "Jane")
    assert info.Patient.Name.Full == "Dr Jane M Doe"
    assert info.Patient.BirthDate == datetime.datetime(1970, 1, 2)
    assert info.Date == datetime.datetime(2024, 2, 29)
    assert info.Time == datetime.datetime(2024, 2, 29, 10, 15, 30, 500000)
    assert info.ModalitiesInStudy == ["CT", "MR"]
    assert (info.NumberOfRelatedInstances, info.NumberofRelatedSeries) == (12, 3)
    assert (told[0].RetrieveAETitle, told[0].Availability) == ("NODE", "ONLINE")
    assert told[0].QueryLevel == QueryLevel.Study
    assert told[0].Dataset.to_pydicom().PatientID == "4711"
    assert dict(seen)["AfterCFind"].MatchCount == 2
    assert dict(seen)["AfterCFind"].Status == scu.Status == DicomCommandStatusType.Success
    before = dict(seen)["BeforeCFind"]
    assert (before.AffectedClass, before.QueryLevel) == (STUDY_FIND, QueryLevel.Study)


@pytest.mark.parametrize(
    ("level", "root", "uid", "word", "event"),
    [
        ("Patient", None, PATIENT_FIND, "PATIENT", "MatchPatient"),
        ("Study", None, STUDY_FIND, "STUDY", "MatchStudy"),
        ("Study", True, PATIENT_FIND, "STUDY", "MatchStudy"),
        ("Series", None, STUDY_FIND, "SERIES", "MatchSeries"),
        ("Series", True, PATIENT_FIND, "SERIES", "MatchSeries"),
        ("Image", None, STUDY_FIND, "IMAGE", "MatchInstance"),
        ("Image", True, PATIENT_FIND, "IMAGE", "MatchInstance"),
    ],
)
def test_all_levels_and_roots(
    plain: Site, level: str, root: bool | None, uid: str, word: str, event: str
) -> None:
    asked: list[Any] = []
    found = study(
        SeriesInstanceUID="1.2.4",
        SOPInstanceUID="1.2.5",
        SOPClassUID=CT,
        InstanceNumber="7",
        SeriesNumber="2",
        Modality="CT",
    )
    _, scp = plain.node(OnReceiveCFindRequest=finder(found, asked=asked))
    scu = plain.scu(QueryRetrieveScu)
    seen = record(scu, "MatchPatient", "MatchStudy", "MatchSeries", "MatchInstance")
    query = FindQuery()
    query.QueryLevel = QueryLevel[level]
    query.patient_root = root
    query.StudyInstanceUID = "1.2.3"
    query.PatientId = "4711"
    query.Modality = "CT"
    scu.Find(scp, query)
    assert asked[0][0] == uid
    assert asked[0][1].QueryRetrieveLevel == word
    told = [(name, e) for name, e in seen if name.startswith("Match")]
    assert [name for name, _ in told] == [event]
    info = told[0][1].Info
    if level == "Patient":
        assert (info.Id, info.Sex) == ("4711", "")
    elif level == "Series":
        assert (info.InstanceUID, info.Modality, info.Number) == ("1.2.4", "CT", 2)
    elif level == "Image":
        assert (info.SOPInstanceUID, info.SOPClassUID, info.InstanceNumber) == ("1.2.5", CT, 7)
        assert info.SeriesInstanceUID == "1.2.4"


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (datetime.date(2024, 1, 1), datetime.date(2024, 12, 31), "20240101-20241231"),
        (datetime.date(2024, 1, 1), None, "20240101-"),
        (None, datetime.datetime(2024, 12, 31, 5), "-20241231"),
        (datetime.date(2024, 1, 1), datetime.date(2024, 1, 1), "20240101"),
        (None, None, ""),
    ],
)
def test_date_ranges(plain: Site, start: Any, end: Any, text: str) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(asked=asked))
    query = FindQuery()
    query.StudyDate.StartDate, query.StudyDate.EndDate = start, end
    query.StudyTime = TimeRange(datetime.time(8), datetime.time(17, 30))
    plain.scu(QueryRetrieveScu).Find(scp, query)
    keys = asked[0][1]
    assert (keys.StudyDate or "") == text
    assert keys.StudyTime == "080000-173000"
    assert DateRange(start, end).dicom == text


def test_further_keys_and_the_ignored_bool(plain: Site) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(asked=asked))
    more = Dataset()
    more.PatientComments = ""
    more.BodyPartExamined = "HEAD"
    scu = plain.scu(QueryRetrieveScu)
    scu.Find(scp, FindQuery(), True, DicomDataSet.from_pydicom(more))
    assert "PatientComments" in asked[0][1]
    assert asked[0][1].BodyPartExamined == "HEAD"


def test_the_query_may_be_changed_before_it_is_sent(plain: Site) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(asked=asked))
    scu = plain.scu(QueryRetrieveScu)

    def change(sender: Any, e: Any) -> None:
        e.Dataset.to_pydicom().StudyID = "changed"
        e.Priority = DicomCommandPriorityType.High

    scu.BeforeCFind += change
    scu.Find(scp, FindQuery())
    assert asked[0][1].StudyID == "changed"


def test_names_in_other_scripts(plain: Site) -> None:
    asked: list[Any] = []
    _, scp = plain.node(OnReceiveCFindRequest=finder(asked=asked))
    query = FindQuery()
    query.PatientName = "Müller*"
    plain.scu(QueryRetrieveScu).Find(scp, query)
    assert asked[0][1].SpecificCharacterSet == "ISO_IR 192"
    assert asked[0][1].PatientName == "Müller*"


def test_relational_queries_are_negotiated(plain: Site) -> None:
    asked: list[Any] = []
    node, scp = plain.node(OnReceiveCFindRequest=finder(asked=asked))
    scp.Relational = True
    plain.scu(QueryRetrieveScu).Find(scp, FindQuery())
    request = node.child().log.wait("OnReceiveAssociateRequest").arguments[0]
    assert request.GetExtendedData(1) == b"\1"


def test_a_query_that_fails_is_told_by_its_status(plain: Site) -> None:
    _, scp = plain.node(OnReceiveCFindRequest=finder(status=0xA700))
    scu = plain.scu(QueryRetrieveScu)
    seen = record(scu, "AfterCFind")
    scu.Find(scp, FindQuery())
    assert scu.Status == DicomCommandStatusType.RefusedOutOfResources
    assert dict(seen)["AfterCFind"].Status == DicomCommandStatusType.RefusedOutOfResources


def test_canceling_a_query(plain: Site) -> None:
    def answer(net: Any, p: int, m: int, uid: str, priority: Any, ds: Any) -> None:
        def run() -> None:
            net.SendCFindResponse(p, m, uid, 0xFF00, DicomDataSet.from_pydicom(study()))
            net.log.wait("OnReceiveCCancelRequest")
            net.SendCFindResponse(p, m, uid, 0xFE00, None)

        threading.Thread(target=run).start()

    node, scp = plain.node(OnReceiveCFindRequest=answer)
    scu = plain.scu(QueryRetrieveScu)
    scu.MatchStudy += lambda sender, e: sender.CancelRequest()
    scu.Find(scp, FindQuery())
    assert scu.Status == DicomCommandStatusType.Cancel
    assert node.child().log.all("OnReceiveCCancelRequest")


def test_pending_answers_keep_a_slow_query_alive(plain: Site) -> None:
    def answer(net: Any, p: int, m: int, uid: str, priority: Any, ds: Any) -> None:
        def run() -> None:
            pause = threading.Event()
            for _ in range(8):
                pause.wait(0.1)
                net.SendCFindResponse(p, m, uid, 0xFF00, DicomDataSet.from_pydicom(study()))
            net.SendCFindResponse(p, m, uid, 0, None)

        threading.Thread(target=run).start()

    _, scp = plain.node(OnReceiveCFindRequest=answer)
    scp.Timeout = 0.6
    scu = plain.scu(QueryRetrieveScu)
    seen = record(scu, "MatchStudy")
    scu.Find(scp, FindQuery())
    assert names(seen).count("MatchStudy") == 8


def test_a_class_of_queries_that_is_not_taken(plain: Site) -> None:
    def refuse(net: DicomNet, asked: DicomAssociate) -> None:
        with DicomAssociate(False) as answer:
            answer.Called, answer.Calling = asked.Called, asked.Calling
            answer.AddPresentationContext(1, 3, asked.GetAbstract(1))
            net.SendAssociateAccept(answer)

    _, scp = plain.node(OnReceiveAssociateRequest=refuse)
    with pytest.raises(ClientAssociationException, match="Abstract Syntax Not Supported"):
        plain.scu(QueryRetrieveScu).Find(scp, FindQuery())


# ---- find with classes --------------------------------------------------------------------------
