"""`QueryRetrieveScu`: queries in all forms, moving to oneself and to others, getting."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomClassType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomDataSet,
    DicomDataSetInitializeFlags,
    DicomException,
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
    DicomTag,
    Element,
    Instance,
)
from leadtools_compat.dicom.scu import (
    ClientAssociationException,
    ClientCommunicationException,
    DateRange,
    FindQuery,
    InstanceLevel,
    PresentationContext,
    QueryLevel,
    QueryRetrieveScu,
    StoreScu,
    TimeRange,
)
from leadtools_compat.dicom.scu.queries import (
    ModalityWorklistQuery,
    ModalityWorklistResult,
    PatientRootQueryPatient,
    StudyRootQueryImage,
    StudyRootQuerySeries,
    StudyRootQueryStudy,
)
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import CT, dataset
from tests.scu.conftest import Site, names, record
from tests.support import MUTUAL, NO_CHECK, PATIENCE, PEER, refused, settings

STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
WORKLIST = "1.2.840.10008.5.1.4.31"


def finder(*matches: Dataset, status: int = 0, asked: list[Any] | None = None) -> Any:
    """Make a hook that answers a C-FIND with these matches."""

    def answer(net: Any, p: int, m: int, uid: str, priority: Any, ds: Any) -> None:
        if asked is not None:
            asked.append((uid, ds.to_pydicom(), net.Association))
        for one in matches:
            net.SendCFindResponse(p, m, uid, 0xFF00, DicomDataSet.from_pydicom(one))
        net.SendCFindResponse(p, m, uid, status, None)

    return answer


def study(**elements: Any) -> Dataset:
    made = Dataset()
    made.QueryRetrieveLevel = "STUDY"
    made.StudyInstanceUID, made.PatientID = "1.2.3", "4711"
    made.PatientName, made.PatientBirthDate = "Doe^Jane^M^Dr", "19700102"
    made.StudyDate, made.StudyTime = "20240229", "101530.5"
    made.ModalitiesInStudy = ["CT", "MR"]
    made.NumberOfStudyRelatedInstances, made.NumberOfStudyRelatedSeries = "12", "3"
    made.RetrieveAETitle = "NODE"
    made.InstanceAvailability = "ONLINE"
    for name, value in elements.items():
        setattr(made, name, value)
    return made


# ---- find ---------------------------------------------------------------------------------------


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


def mover(
    make_store: Callable[[], StoreScu],
    port: Callable[[], int],
    count: int = 3,
    asked: list[Any] | None = None,
    title: str | None = None,
) -> Any:
    """Make a hook that serves a C-MOVE as an archive does: on a new association."""

    def answer(net: Any, p: int, m: int, uid: str, priority: Any, dest: str, ds: Any) -> None:
        if asked is not None:
            asked.append((uid, dest, ds.to_pydicom()))

        def run() -> None:
            from leadtools_compat.dicom.scu import DicomScp

            done = failed = 0
            scu = make_store()
            scu.move_originator = ("OURS", m)
            scp = DicomScp("127.0.0.1", dest if title is None else title, port())
            scp.Timeout = PATIENCE
            try:
                with scu:
                    for number in range(count):
                        data = dataset(1000, SOPInstanceUID=f"1.2.3.{number}")
                        scu.Store(scp, DicomDataSet.from_pydicom(data), number < count - 1)
                        done += scu.Status == 0
                        failed += scu.Status != 0
                        if number < count - 1:
                            rest = count - number - 1
                            net.SendCMoveResponse(p, m, uid, 0xFF00, rest, done, failed, 0, None)
                final = 0 if not failed else 0xB000
            except Exception:  # noqa: BLE001 - what the archive answers then
                failed, final = count - done, 0xA702
            with contextlib.suppress(DicomException):  # the test may have ended it
                net.SendCMoveResponse(p, m, uid, final, 0, done, failed, 0, None)

        threading.Thread(target=run).start()

    return answer


def test_move_to_self(site: Site) -> None:
    """The inner listener is plain here, the connection to the node is what the site is."""
    asked: list[Any] = []
    scu = site.scu(QueryRetrieveScu)
    scu.HostAddress = "127.0.0.1"

    def store() -> StoreScu:
        made = StoreScu()
        made.AETitle = "NODE"
        return made

    _, scp = site.node(OnReceiveCMoveRequest=mover(store, lambda: scu.HostPort, asked=asked))
    seen = record(scu, "HostReady", "BeforeAssociateAccept", "BeforeCMove", "Moved", "AfterCMove")
    threads = set()
    scu.Moved += lambda sender, e: threads.add(threading.get_ident())
    scu.Move(scp, "OURS", "1.2.3")
    uid, dest, keys = asked[0]
    assert (uid, dest) == ("1.2.840.10008.5.1.4.1.2.2.2", "OURS")
    assert (keys.QueryRetrieveLevel, keys.StudyInstanceUID) == ("STUDY", "1.2.3")
    moved = [e for name, e in seen if name == "Moved"]
    assert [e.Instance.SOPInstanceUID for e in moved] == ["1.2.3.0", "1.2.3.1", "1.2.3.2"]
    assert all(e.Instance.InstanceType == InstanceLevel.Image for e in moved)
    assert moved[0].Dataset.to_pydicom().PatientName == "Doe^Jane"
    assert threads == {threading.get_ident()}
    services = [name for name in names(seen) if name not in ("VerifyCertificate",)]
    assert services.index("HostReady") < services.index("BeforeConnect")
    assert "BeforeAssociateAccept" in services
    after = dict(seen)["AfterCMove"]
    assert (after.Status, after.Completed, after.Failed) == (0, 3, 0)
    assert dict(seen)["BeforeCMove"].DestinationAETitle == "OURS"
    assert not scu.IsConnected()


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        (("1.2.3", ""), "STUDY"),
        (("1.2.3", "1.2.4"), "SERIES"),
        (("1.2.3", "1.2.4", ""), "SERIES"),
        (("1.2.3", "1.2.4", "1.2.5"), "IMAGE"),
        (("", "1.2.4", ""), "SERIES"),
    ],
)
def test_the_deepest_uid_is_the_level(plain: Site, arguments: Any, level: str) -> None:
    asked: list[Any] = []

    def answer(net: Any, p: int, m: int, uid: str, priority: Any, dest: str, ds: Any) -> None:
        asked.append(ds.to_pydicom())
        net.SendCMoveResponse(p, m, uid, 0, 0, 1, 0, 0, None)

    _, scp = plain.node(OnReceiveCMoveRequest=answer)
    scu = plain.scu(QueryRetrieveScu)
    scu.Move(scp, "OTHER", *arguments)
    assert asked[0].QueryRetrieveLevel == level
    wanted = [one for one in arguments if one]
    assert sorted(str(e.value) for e in asked[0] if "UID" in e.keyword) == wanted


def test_move_with_a_data_set_in_the_patient_root(plain: Site) -> None:
    asked: list[Any] = []

    def answer(net: Any, p: int, m: int, uid: str, priority: Any, dest: str, ds: Any) -> None:
        asked.append(uid)
        net.SendCMoveResponse(p, m, uid, 0, 0, 0, 0, 0, None)

    _, scp = plain.node(OnReceiveCMoveRequest=answer)
    data = Dataset()
    data.QueryRetrieveLevel, data.PatientID = "PATIENT", "4711"
    scu = plain.scu(QueryRetrieveScu)
    scu.Move(scp, "OTHER", DicomDataSet.from_pydicom(data))
    assert asked == ["1.2.840.10008.5.1.4.1.2.1.2"]
    with refused(DicomExceptionCode.Parameter, "empty"):
        scu.Move(scp, "OTHER", "", "")
    with refused(DicomExceptionCode.Parameter, "destAE"):
        scu.Move(scp, "", "1.2.3")
    with refused(DicomExceptionCode.Parameter, "QueryRetrieveLevel"):
        scu.Move(scp, "OTHER", DicomDataSet())


def test_move_to_others_opens_no_listener(plain: Site) -> None:
    _, scp = plain.node(
        OnReceiveCMoveRequest=lambda net, p, m, uid, pr, dest, ds: net.SendCMoveResponse(
            p, m, uid, 0xA801, 0, 0, 0, 0, None
        )
    )
    scu = plain.scu(QueryRetrieveScu)
    seen = record(scu, "HostReady", "AfterCMove")
    scu.Move(scp, "OTHER", "1.2.3")
    assert scu.Status == DicomCommandStatusType.RefusedMoveDestinationUnknown
    scu.EnableMoveToSelf = False
    scu.Move(scp, "OURS", "1.2.3")
    assert "HostReady" not in names(seen)


def test_a_stranger_at_the_inner_listener_is_turned_away(plain: Site) -> None:
    def store() -> StoreScu:
        made = StoreScu()
        made.AETitle = "NODE"
        return made

    scu = plain.scu(QueryRetrieveScu)
    scu.HostAddress = "127.0.0.1"
    _, scp = plain.node(OnReceiveCMoveRequest=mover(store, lambda: scu.HostPort, title="SOMEBODY"))
    seen = record(scu, "Moved")
    scu.Move(scp, "OURS", "1.2.3")
    assert "Moved" not in names(seen)
    assert scu.Status == DicomCommandStatusType.RefusedUnableToPerformSuboperations


def test_an_override_of_the_store_request_gets_the_connection_in_front(plain: Site) -> None:
    class Port(QueryRetrieveScu):
        def OnReceiveCStoreRequest(  # type: ignore[override]
            self, scu: Any, presentationID: int, messageID: int, *rest: Any
        ) -> None:
            affected, instance, _, move_ae, _, ds = rest
            kept.append((scu is not self, instance, move_ae, ds.to_pydicom().PatientName))
            scu.SendCStoreResponse(presentationID, messageID, affected, instance, 0)

    kept: list[Any] = []

    def store() -> StoreScu:
        made = StoreScu()
        made.AETitle = "NODE"
        return made

    scu = plain.scu(Port)
    scu.HostAddress = "127.0.0.1"
    _, scp = plain.node(OnReceiveCMoveRequest=mover(store, lambda: scu.HostPort, count=1))
    scu.Move(scp, "OURS", "1.2.3")
    assert kept == [(True, "1.2.3.0", "OURS", "Doe^Jane")]


def test_an_exception_while_an_instance_arrives_comes_out(plain: Site) -> None:
    def store() -> StoreScu:
        made = StoreScu()
        made.AETitle = "NODE"
        return made

    scu = plain.scu(QueryRetrieveScu)
    scu.HostAddress = "127.0.0.1"

    def fail(sender: Any, e: Any) -> None:
        raise ZeroDivisionError("mine")

    scu.Moved += fail
    node, scp = plain.node(OnReceiveCMoveRequest=mover(store, lambda: scu.HostPort))
    with pytest.raises(ZeroDivisionError, match="mine"):
        scu.Move(scp, "OURS", "1.2.3")
    assert not scu.IsConnected()
    node.child().log.wait("OnClose")


# ---- the inner secure listener ------------------------------------------------------------------


def secure_store(pki: TestPki, identity: Any, flags: Any = PEER) -> StoreScu:
    made = StoreScu(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, flags))
    if identity is not None:
        made.SetTlsClientCertificate(identity.combined_file, 1, None)
    made.AETitle = "NODE"
    return made


@pytest.mark.parametrize(
    ("kind", "flags", "good"),
    [
        ("good", "mutual", True),
        ("expired", "mutual", False),
        ("unknown_ca", "mutual", False),
        ("none", "mutual", False),
        ("good", "peer", True),
        ("expired", "peer", False),
        ("none", "peer", True),  # Peer alone asks, and does not insist
        ("expired", "unchecked", True),
        ("none", "unchecked", True),
    ],
)
def test_flags_of_the_inner_listener_decide_about_who_comes(
    secure_site: Site, pki: TestPki, kind: str, flags: str, good: bool
) -> None:
    identity = (
        {"good": pki.client, "none": None}.get(kind)
        if kind in ("good", "none")
        else pki.make(kind, role="client")
    )
    number = {"mutual": MUTUAL, "peer": PEER, "unchecked": NO_CHECK}[flags]
    scu = secure_site.scu(QueryRetrieveScu, pki.server)
    scu.HostAddress = "127.0.0.1"
    scu.UseSecureHost = True
    scu.SecureHostSettings = settings(pki.ca_file, number)
    port: list[int] = []
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, identity), lambda: scu.HostPort)
    )
    seen = record(scu, "HostReady", "Moved", "AfterCMove")
    scu.Move(scp, "OURS", "1.2.3")
    assert (names(seen).count("Moved") == 3) == good, port
    assert (scu.Status == 0) == good


def test_the_inner_listener_has_the_flags_of_the_constructor_by_default(
    secure_site: Site, pki: TestPki
) -> None:
    scu = secure_site.scu(QueryRetrieveScu, pki.server)  # made with Peer
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    bad = pki.make("expired", role="client")
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, bad), lambda: scu.HostPort)
    )
    scu.Move(scp, "OURS", "1.2.3")
    assert scu.Status == DicomCommandStatusType.RefusedUnableToPerformSuboperations


def test_host_ready_may_give_the_listener_its_own_certificate_and_judge(
    secure_site: Site, pki: TestPki
) -> None:
    scu = secure_site.scu(QueryRetrieveScu)
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    scu.SecureHostSettings = settings(pki.ca_file, MUTUAL)
    judged: list[str] = []

    def ready(sender: Any, e: Any) -> None:
        assert e.ScpHost.SecurityMode == DicomNetSecurityMode.Tls
        e.ScpHost.SetTlsClientCertificate(pki.server.combined_file, 1, None)

        def judge(host: Any, certificate: Any) -> None:
            judged.append(certificate.CertificateString.partition("\n")[0])
            certificate.Return = 1

        e.ScpHost.VerifyCertificate += judge

    scu.HostReady += ready
    bad = pki.make("expired", role="client")
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, bad), lambda: scu.HostPort)
    )
    seen = record(scu, "Moved")
    scu.Move(scp, "OURS", "1.2.3")
    assert scu.Status == 0  # overruled, by a handler of the listener's own
    assert names(seen).count("Moved") == 3
    assert judged


def test_handlers_of_the_scu_object_do_not_judge_who_comes(secure_site: Site, pki: TestPki) -> None:
    """A handler that trusts everything opens the way to the node, not the own door."""
    scu = secure_site.scu(QueryRetrieveScu, pki.server)
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    scu.SecureHostSettings = settings(pki.ca_file, MUTUAL)

    def trust(sender: Any, e: Any) -> None:
        e.Return = 1

    scu.VerifyCertificate += trust
    bad = pki.make("expired", role="client")
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, bad), lambda: scu.HostPort)
    )
    scu.Move(scp, "OURS", "1.2.3")
    assert scu.Status == DicomCommandStatusType.RefusedUnableToPerformSuboperations


def test_a_secure_listener_needs_a_certificate(plain: Site, pki: TestPki) -> None:
    scu = plain.scu(QueryRetrieveScu)
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    _, scp = plain.node()
    with refused(DicomExceptionCode.TlsCertificateMissing, "SetTlsClientCertificate"):
        scu.Move(scp, "OURS", "1.2.3")
    with pytest.raises(TypeError, match="SecureHostSettings"):
        scu.SecureHostSettings = 5  # type: ignore[assignment]


def test_host_ready_may_set_the_mode(plain: Site, pki: TestPki) -> None:
    scu = plain.scu(QueryRetrieveScu)
    scu.HostAddress = "127.0.0.1"

    def ready(sender: Any, e: Any) -> None:
        e.ScpHost.SecurityMode = DicomNetSecurityMode.Tls
        e.ScpHost.SetTlsClientCertificate(pki.server.combined_file, 1, None)

    scu.HostReady += ready
    _, scp = plain.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, None), lambda: scu.HostPort)
    )
    seen = record(scu, "Moved")
    scu.Move(scp, "OURS", "1.2.3")
    assert names(seen).count("Moved") == 3


# ---- get ----------------------------------------------------------------------------------------


def getter(count: int = 3, status: int = 0) -> Any:
    """Make a hook that serves a C-GET: instances over the same association."""

    def answer(net: Any, p: int, m: int, uid: str, priority: Any, ds: Any) -> None:
        def run() -> None:
            context = net.Association.FindAbstract(CT)
            for number in range(count):
                data = DicomDataSet.from_pydicom(dataset(SOPInstanceUID=f"1.2.3.{number}"))
                net.SendCStoreRequest(context, number + 1, CT, f"1.2.3.{number}", 0, "", 0, data)
                net.log.wait("OnReceiveCStoreResponse", number + 1)
                net.SendCGetResponse(p, m, uid, 0xFF00, count - number - 1, number + 1, 0, 0, None)
            net.SendCGetResponse(p, m, uid, status, 0, count, 0, 0, None)

        threading.Thread(target=run).start()

    return answer


def accept_with_roles(net: DicomNet, asked: DicomAssociate) -> None:
    with DicomAssociate(False) as answer:
        answer.Called, answer.Calling = asked.Called, asked.Calling
        for index in range(asked.PresentationContextCount):
            number = asked.GetPresentationContextID(index)
            answer.AddPresentationContext(number, 0, asked.GetAbstract(number))
            answer.AddTransfer(number, asked.GetTransfer(number, 0))
            if asked.IsRoleSelect(number):
                answer.SetRoleSelect(
                    number, True, asked.GetUserRole(number), asked.GetProviderRole(number)
                )
        net.SendAssociateAccept(answer)


def test_get(site: Site) -> None:
    node, scp = site.node(
        OnReceiveAssociateRequest=accept_with_roles, OnReceiveCGetRequest=getter()
    )
    scu = site.scu(QueryRetrieveScu)
    seen = record(scu, "BeforeCGet", "ReceivedStoreRequest", "AfterCGet")
    scu.Get(scp, "1.2.3", "")
    got = [e.DataSet for name, e in seen if name == "ReceivedStoreRequest"]
    assert [str(one.to_pydicom().SOPInstanceUID) for one in got] == [
        "1.2.3.0",
        "1.2.3.1",
        "1.2.3.2",
    ]
    after = dict(seen)["AfterCGet"]
    assert (after.Status, after.Completed, after.Failed, after.Warning) == (0, 3, 0, 0)
    keys = node.child().log.all("OnReceiveCGetRequest")[0].arguments[-1].to_pydicom()
    assert (keys.QueryRetrieveLevel, keys.StudyInstanceUID) == ("STUDY", "1.2.3")
    answers = node.child().log.all("OnReceiveCStoreResponse")
    assert [event.arguments[-1] for event in answers] == [0, 0, 0]


def test_get_offers_the_callers_contexts_first(plain: Site) -> None:
    jpeg = "1.2.840.10008.1.2.4.70"
    node, scp = plain.node(
        OnReceiveAssociateRequest=accept_with_roles, OnReceiveCGetRequest=getter(0)
    )
    scu = plain.scu(QueryRetrieveScu)
    scu.Get(scp, "1.2.3", None, [PresentationContext("1.2.3.4", [jpeg])])
    asked = node.child().log.wait("OnReceiveAssociateRequest").arguments[0]
    assert asked.PresentationContextCount == 128
    assert asked.GetAbstract(3) == "1.2.3.4"
    assert asked.GetTransfer(3, 0) == jpeg
    assert asked.IsRoleSelect(3)
    assert asked.FindAbstract(CT)
    assert not asked.IsRoleSelect(1)


def test_a_get_that_breaks_off(plain: Site) -> None:
    _, scp = plain.node(
        OnReceiveAssociateRequest=accept_with_roles,
        OnReceiveCGetRequest=lambda net, *rest: net.Dispose(),
    )
    with pytest.raises((ClientCommunicationException, ClientAssociationException)):
        plain.scu(QueryRetrieveScu).Get(scp, "1.2.3", "")


def test_importing_says_where_everything_is() -> None:
    import leadtools_compat.dicom.common.extensions
    import leadtools_compat.dicom.scu.common as common
    from leadtools_compat.dicom import scu
    from leadtools_compat.dicom.scu import event_args

    assert set(common.__all__) == set(scu.__all__)
    assert set(event_args.__all__) < set(scu.__all__)
    assert common.VerifyCertificateEventArgs is scu.VerifyCertificateEventArgs
    assert leadtools_compat.dicom.common.extensions
    for name in ("PatientUpdaterScu", "MediaCreationManagementScu"):
        with pytest.raises(NotImplementedError, match=f"{name} is not part of leadtools_compat"):
            getattr(scu, name)("AE", None)
