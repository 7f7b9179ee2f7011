"""`FindQuery`: the conditions of a query, and what becomes of them in a data set."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom import _arguments
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.enums_class import DicomClassType
from leadtools_compat.dicom.enums_dataset import DicomDataSetInitializeFlags
from leadtools_compat.dicom.scu.enums import QueryLevel

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["DateRange", "FindQuery", "TimeRange", "class_of_level", "data_set_of"]

Moment = datetime.datetime | datetime.date | None
Clock = datetime.datetime | datetime.time | None


class DateRange:
    """A span of days; either end may be None, and then it is open.

    Notes
    -----
    Mirrors the type of ``FindQuery.StudyDate``; the name is ours.
    """

    def __init__(self, StartDate: Moment = None, EndDate: Moment = None) -> None:
        self.StartDate = StartDate
        self.EndDate = EndDate

    @property
    def dicom(self) -> str:
        """The range as DICOM writes it (PS3.4 C.2.2.2.5): one day, ``d-``, ``-d`` or ``d-d`` (ours)."""
        return _range(_day(self.StartDate), _day(self.EndDate))

    def __repr__(self) -> str:
        return f"<DateRange {self.dicom!r}>"


class TimeRange:
    """A span of times of day; either end may be None, and then it is open.

    Notes
    -----
    Mirrors the type of ``FindQuery.StudyTime``; the name is ours.
    """

    def __init__(self, StartTime: Clock = None, EndTime: Clock = None) -> None:
        self.StartTime = StartTime
        self.EndTime = EndTime

    @property
    def dicom(self) -> str:
        """The range as DICOM writes it (ours)."""
        return _range(_clock(self.StartTime), _clock(self.EndTime))

    def __repr__(self) -> str:
        return f"<TimeRange {self.dicom!r}>"


def _day(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, datetime.date):
        return f"{value.year:04}{value.month:02}{value.day:02}"
    raise TypeError(f"a date must be a date, a datetime, a str or None, not {value!r}")


def _clock(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, (datetime.datetime, datetime.time)):
        text = f"{value.hour:02}{value.minute:02}{value.second:02}"
        return f"{text}.{value.microsecond:06}" if value.microsecond else text
    raise TypeError(f"a time must be a time, a datetime, a str or None, not {value!r}")


def _range(start: str, end: str) -> str:
    if start == end:
        return start
    return f"{start}-{end}"


def _date_text(value: Any) -> str:
    return value.dicom if isinstance(value, DateRange) else _day(value)


def _time_text(value: Any) -> str:
    return value.dicom if isinstance(value, TimeRange) else _clock(value)


class FindQuery:
    """What a query looks for. None is no condition, but still a key whose value comes back.

    Attributes
    ----------
    QueryLevel
        ``Patient``, ``Study`` (default), ``Series`` or ``Image``.
    PatientId, PatientName, StudyId, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID,
    AccessionNumber, Modality, ReferringPhysiciansName, InstanceNumber, SeriesNumber,
    RequestedProcId, SchedProcStepId
        Text; ``*`` and ``?`` stand for characters (PS3.4 C.2.2.2.4).
    Modalities
        List of modalities that a study may have.
    StudyDate, StudyTime, PerfProcStepStartDate, PerfProcStepStartTime
        A `DateRange` or `TimeRange`; one moment or text is taken, too.
    patient_root
        Whether the patient root is asked; None: for the patient level only (ours).

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.Common.FindQuery``.
    """

    def __init__(self) -> None:
        self._level = QueryLevel.Study
        self.PatientId: str | None = None
        self.PatientName: str | None = None
        self.StudyId: str | None = None
        self.StudyInstanceUID: str | None = None
        self.SeriesInstanceUID: str | None = None
        self.SOPInstanceUID: str | None = None
        self.AccessionNumber: str | None = None
        self.Modalities: list[str] = []
        self.Modality: str | None = None
        self.ReferringPhysiciansName: str | None = None
        self.StudyDate: Any = DateRange()
        self.StudyTime: Any = TimeRange()
        self.InstanceNumber: int | str | None = None
        self.SeriesNumber: int | str | None = None
        self.PerfProcStepStartDate: Any = DateRange()
        self.PerfProcStepStartTime: Any = TimeRange()
        self.RequestedProcId: str | None = None
        self.SchedProcStepId: str | None = None
        self.patient_root: bool | None = None

    @property
    def QueryLevel(self) -> QueryLevel:
        """What the matches are."""
        return self._level

    @QueryLevel.setter
    def QueryLevel(self, value: Any) -> None:
        self._level = QueryLevel(_arguments.member(value, "QueryLevel", QueryLevel))

    def uses_patient_root(self) -> bool:
        """Tell which information model is asked (ours; PS3.4 C.6)."""
        if self.patient_root is None:
            return self._level == QueryLevel.Patient
        return self.patient_root


_CLASSES = {
    (True, QueryLevel.Patient): DicomClassType.PatientRootQueryPatient,
    (True, QueryLevel.Study): DicomClassType.PatientRootQueryStudy,
    (True, QueryLevel.Series): DicomClassType.PatientRootQuerySeries,
    (True, QueryLevel.Image): DicomClassType.PatientRootQueryImage,
    (False, QueryLevel.Patient): DicomClassType.PatientRootQueryPatient,
    (False, QueryLevel.Study): DicomClassType.StudyRootQueryStudy,
    (False, QueryLevel.Series): DicomClassType.StudyRootQuerySeries,
    (False, QueryLevel.Image): DicomClassType.StudyRootQueryImage,
}


def class_of_level(patient_root: bool, level: QueryLevel) -> DicomClassType:
    """Find the kind of query for a root and a level; the patient level has one root only."""
    return _CLASSES[patient_root, level]


def _conditions(query: FindQuery) -> dict[str, str]:
    level = query.QueryLevel
    conditions = {
        "PatientID": query.PatientId,
        "PatientName": query.PatientName,
        "StudyID": query.StudyId,
        "StudyInstanceUID": query.StudyInstanceUID,
        "SeriesInstanceUID": query.SeriesInstanceUID,
        "SOPInstanceUID": query.SOPInstanceUID,
        "AccessionNumber": query.AccessionNumber,
        "ReferringPhysicianName": query.ReferringPhysiciansName,
        "StudyDate": _date_text(query.StudyDate),
        "StudyTime": _time_text(query.StudyTime),
        "InstanceNumber": query.InstanceNumber,
        "SeriesNumber": query.SeriesNumber,
        "PerformedProcedureStepStartDate": _date_text(query.PerfProcStepStartDate),
        "PerformedProcedureStepStartTime": _time_text(query.PerfProcStepStartTime),
    }
    modalities = "\\".join(query.Modalities or ())
    if level == QueryLevel.Series:
        conditions["Modality"] = query.Modality or modalities
    else:
        conditions["ModalitiesInStudy"] = modalities or query.Modality
    return {name: str(value) for name, value in conditions.items() if value not in (None, "")}


def data_set_of(
    query: FindQuery, more: DicomDataSet | None = None
) -> tuple[DicomDataSet, DicomClassType]:
    """Make the data set of a query: the keys of its level, and its conditions.

    Parameters
    ----------
    more
        Further keys.
    """
    kind = class_of_level(query.uses_patient_root(), query.QueryLevel)
    made = DicomDataSet()
    made.Initialize(kind, DicomDataSetInitializeFlags.None_)
    elements = made.to_pydicom()
    for name, value in _conditions(query).items():
        set_text(elements, name, value)
    _procedure(elements, query)
    if more is not None:
        for element in more.to_pydicom():
            elements[element.tag] = element
    return made, kind


def set_text(elements: Dataset, name: str, value: str) -> None:
    """Set a condition as it is written, ranges and wildcards included."""
    from pydicom import config
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import DataElement

    tag = tag_for_keyword(name)
    assert tag is not None, name
    parts: Any = value.split("\\") if "\\" in value else value
    elements[tag] = DataElement(tag, dictionary_VR(tag), parts, validation_mode=config.IGNORE)
    if not value.isascii():
        elements.SpecificCharacterSet = "ISO_IR 192"


def _procedure(elements: Dataset, query: FindQuery) -> None:
    """Add the conditions about the request, which stand in a sequence (PS3.3 10.6)."""
    from pydicom.dataset import Dataset

    if query.RequestedProcId is None and query.SchedProcStepId is None:
        return
    item = Dataset()
    item.RequestedProcedureID = query.RequestedProcId or ""
    item.ScheduledProcedureStepID = query.SchedProcStepId or ""
    elements.RequestAttributesSequence = [item]
