"""The mirror of ``Leadtools.Dicom.Scu.Queries``: classes whose members are keys of queries.

Members that are None are no conditions, but their values come back. They serve as results, too::

    query = StudyRootQueryStudy()
    query.Patient.PatientId = "4711"
    scu.Find[StudyRootQueryStudy, StudyRootQueryStudy](scp, query, match)
"""

from __future__ import annotations

import datetime
from typing import Any, Generic, TypeVar, overload

from leadtools_compat.dicom.dicom_tag import DicomTag
from leadtools_compat.dicom.element_attributes import Element, Instance
from leadtools_compat.dicom.enums_class import DicomClassType

__all__ = [
    "ImageKeys",
    "ModalityWorklistQuery",
    "ModalityWorklistResult",
    "PatientKeys",
    "PatientRootQueryPatient",
    "ScheduledProcedureStep",
    "SeriesKeys",
    "StudyKeys",
    "StudyRootQueryImage",
    "StudyRootQuerySeries",
    "StudyRootQueryStudy",
]

T = TypeVar("T")


class _Part(Generic[T]):
    """A member of a group that is a member of the query: groups are no sequences."""

    def __init__(self, kind: type[T]) -> None:
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = "_" + name

    @overload
    def __get__(self, group: None, kind: type) -> _Part[T]: ...
    @overload
    def __get__(self, group: _Keys, kind: type) -> T | None: ...
    def __get__(self, group: _Keys | None, kind: type) -> _Part[T] | T | None:
        if group is None:
            return self
        value: T | None = getattr(group.query, self._name)
        return value

    def __set__(self, group: _Keys, value: T | None) -> None:
        setattr(group.query, self._name, value)


class _Keys:
    """A group of keys of a query."""

    def __init__(self, query: Any) -> None:
        self.query = query

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {type(self.query).__name__}>"


class PatientKeys(_Keys):
    """Keys of the patient."""

    PatientId = _Part(str)
    PatientName = _Part(str)
    PatientBirthDate = _Part(object)
    PatientSex = _Part(str)
    PatientComments = _Part(str)
    EthnicGroup = _Part(str)


class StudyKeys(_Keys):
    """Keys of the study; dates and times may be ranges, in DICOM's form or as value classes."""

    StudyInstanceUID = _Part(str)
    StudyId = _Part(str)
    StudyDate = _Part(object)
    StudyTime = _Part(object)
    AccessionNumber = _Part(str)
    StudyDescription = _Part(str)
    ReferringPhysiciansName = _Part(str)
    ModalitiesInStudy = _Part(str)


class SeriesKeys(_Keys):
    """Keys of the series."""

    SeriesInstanceUID = _Part(str)
    Modality = _Part(str)
    SeriesNumber = _Part(int)
    SeriesDescription = _Part(str)


class ImageKeys(_Keys):
    """Keys of the instance."""

    SOPInstanceUID = _Part(str)
    SOPClassUID = _Part(str)
    InstanceNumber = _Part(int)


@Instance(DicomClassType.PatientRootQueryPatient)
class PatientRootQueryPatient:
    """A query for patients, in the patient root."""

    _PatientId = Element(DicomTag.PatientID, str)
    _PatientName = Element(DicomTag.PatientName, str)
    _PatientBirthDate: Element[Any] = Element(DicomTag.PatientBirthDate)
    _PatientSex = Element(DicomTag.PatientSex, str)
    _PatientComments = Element(DicomTag.PatientComments, str)
    _EthnicGroup = Element(DicomTag.EthnicGroup, str)

    @property
    def PatientQuery(self) -> PatientKeys:
        """The keys."""
        return PatientKeys(self)


class _StudyMembers:
    _StudyInstanceUID = Element(DicomTag.StudyInstanceUID, str)
    _StudyId = Element(DicomTag.StudyID, str)
    _StudyDate: Element[Any] = Element(DicomTag.StudyDate)
    _StudyTime: Element[Any] = Element(DicomTag.StudyTime)
    _AccessionNumber = Element(DicomTag.AccessionNumber, str)
    _StudyDescription = Element(DicomTag.StudyDescription, str)
    _ReferringPhysiciansName = Element(DicomTag.ReferringPhysicianName, str)
    _ModalitiesInStudy = Element(DicomTag.ModalitiesInStudy, str)

    @property
    def Study(self) -> StudyKeys:
        """The keys of the study."""
        return StudyKeys(self)


@Instance(DicomClassType.StudyRootQueryStudy)
class StudyRootQueryStudy(_StudyMembers):
    """A query for studies, in the study root."""

    _PatientId = Element(DicomTag.PatientID, str)
    _PatientName = Element(DicomTag.PatientName, str)
    _PatientBirthDate: Element[Any] = Element(DicomTag.PatientBirthDate)
    _PatientSex = Element(DicomTag.PatientSex, str)

    @property
    def Patient(self) -> PatientKeys:
        """The keys of the patient."""
        return PatientKeys(self)


class _Narrower:
    """Below the study: what is above the level travels only if it is set, as a unique key."""

    _PatientId = Element(DicomTag.PatientID, str)
    _StudyInstanceUID = Element(DicomTag.StudyInstanceUID, str)

    @property
    def Patient(self) -> PatientKeys:
        """The keys of the patient: ``PatientId``."""
        return PatientKeys(self)

    @property
    def Study(self) -> StudyKeys:
        """The keys of the study: ``StudyInstanceUID``."""
        return StudyKeys(self)


@Instance(DicomClassType.StudyRootQuerySeries)
class StudyRootQuerySeries(_Narrower):
    """A query for series, in the study root."""

    _SeriesInstanceUID = Element(DicomTag.SeriesInstanceUID, str)
    _Modality = Element(DicomTag.Modality, str)
    _SeriesNumber = Element(DicomTag.SeriesNumber, int)
    _SeriesDescription = Element(DicomTag.SeriesDescription, str)

    @property
    def Series(self) -> SeriesKeys:
        """The keys of the series."""
        return SeriesKeys(self)


@Instance(DicomClassType.StudyRootQueryImage)
class StudyRootQueryImage(_Narrower):
    """A query for instances, in the study root."""

    _SeriesInstanceUID = Element(DicomTag.SeriesInstanceUID, str)
    _SOPInstanceUID = Element(DicomTag.SOPInstanceUID, str)
    _SOPClassUID = Element(DicomTag.SOPClassUID, str)
    _InstanceNumber = Element(DicomTag.InstanceNumber, int)

    @property
    def Series(self) -> SeriesKeys:
        """The keys of the series: ``SeriesInstanceUID``."""
        return SeriesKeys(self)

    @property
    def Image(self) -> ImageKeys:
        """The keys of the instance."""
        return ImageKeys(self)


# ---- worklist -----------------------------------------------------------------------------------


class ScheduledProcedureStep:
    """A step that is scheduled: an item of a worklist, and the conditions of a broad query."""

    ScheduledStationAETitle = Element(DicomTag.ScheduledStationAETitle, str)
    ScheduledStationName = Element(DicomTag.ScheduledStationName, str)
    ScheduledProcedureStepStartDate: Element[Any] = Element(
        DicomTag.ScheduledProcedureStepStartDate
    )
    ScheduledProcedureStepStartTime: Element[Any] = Element(
        DicomTag.ScheduledProcedureStepStartTime
    )
    Modality = Element(DicomTag.Modality, str)
    ScheduledPerformingPhysicianName = Element(DicomTag.ScheduledPerformingPhysicianName, str)
    ScheduledProcedureStepDescription = Element(DicomTag.ScheduledProcedureStepDescription, str)
    ScheduledProcedureStepID = Element(DicomTag.ScheduledProcedureStepID, str)
    ScheduledProcedureStepLocation = Element(DicomTag.ScheduledProcedureStepLocation, str)
    ScheduledProcedureStepStatus = Element(DicomTag.ScheduledProcedureStepStatus, str)


@Instance(DicomClassType.ModalityWorklist)
class ModalityWorklistQuery:
    """A query for a worklist, by patient or order, or broad: by station, date and modality."""

    PatientName = Element(DicomTag.PatientName, str)
    PatientId = Element(DicomTag.PatientID, str)
    RequestedProcedureId = Element(DicomTag.RequestedProcedureID, str)
    AccessionNumber = Element(DicomTag.AccessionNumber, str)
    Broad = Element(DicomTag.ScheduledProcedureStepSequence, ScheduledProcedureStep)

    def __init__(self) -> None:
        self.Broad = ScheduledProcedureStep()


class ModalityWorklistResult:
    """An entry of a worklist."""

    ScheduledProcedureStepSequence = Element(
        DicomTag.ScheduledProcedureStepSequence, list[ScheduledProcedureStep]
    )
    AccessionNumber = Element(DicomTag.AccessionNumber, str)
    PatientId = Element(DicomTag.PatientID, str)
    PatientSex = Element(DicomTag.PatientSex, str)
    PatientName = Element(DicomTag.PatientName, str)
    PatientBirthDate = Element(DicomTag.PatientBirthDate, datetime.datetime)
    StudyInstanceUid = Element(DicomTag.StudyInstanceUID, str)
    ReferringPysician = Element(DicomTag.ReferringPhysicianName, str)
    RequestedProcedureId = Element(DicomTag.RequestedProcedureID, str)
    RequestedProcedureDescription = Element(DicomTag.RequestedProcedureDescription, str)

    @property
    def ReferringPhysician(self) -> str | None:
        """`ReferringPysician`, spelt right."""
        return self.ReferringPysician
