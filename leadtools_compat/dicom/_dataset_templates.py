"""The elements that `DicomDataSet.Initialize` creates for each kind of data set, and the modules.

A template is a list of lines. A line is a keyword; ``*`` after it marks what may be left out;
``=`` gives a value; an indented line belongs to the one item of the sequence above it.
Sources: PS3.4 C.6 and K.6 (keys), PS3.4 F.7 (procedure steps), PS3.3 (modules of storage classes).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from leadtools_compat.dicom.enums_class import DicomClassType as Class
from leadtools_compat.dicom.enums_module import DicomModuleType as Module

__all__ = ["Line", "modules_of", "template_of"]


class Line(NamedTuple):
    """One element of a template."""

    keyword: str
    value: str = ""
    optional: bool = False
    below: tuple[Line, ...] = ()


_PATIENT_KEYS = """PatientName
PatientID
PatientBirthDate*
PatientBirthTime*
PatientSex*
OtherPatientIDs*
OtherPatientNames*
EthnicGroup*
PatientComments*
NumberOfPatientRelatedStudies*
NumberOfPatientRelatedSeries*
NumberOfPatientRelatedInstances*
"""

_STUDY_KEYS = """StudyDate
StudyTime
AccessionNumber
ModalitiesInStudy*
ReferringPhysicianName*
StudyDescription*
PatientName
PatientID
PatientBirthDate*
PatientSex*
PatientAge*
PatientSize*
PatientWeight*
StudyInstanceUID
StudyID
NameOfPhysiciansReadingStudy*
AdmittingDiagnosesDescription*
NumberOfStudyRelatedSeries*
NumberOfStudyRelatedInstances*
"""

_SERIES_KEYS = """StudyInstanceUID
SeriesInstanceUID
Modality
SeriesNumber
SeriesDescription*
SeriesDate*
SeriesTime*
BodyPartExamined*
NumberOfSeriesRelatedInstances*
"""

_IMAGE_KEYS = """StudyInstanceUID
SeriesInstanceUID
SOPInstanceUID
SOPClassUID*
InstanceNumber
"""


def _without(text: str, *keywords: str) -> str:
    return "".join(
        line for line in text.splitlines(True) if line.strip().rstrip("*") not in keywords
    )


_WORKLIST = """PatientName
PatientID
PatientBirthDate*
PatientSex*
PatientWeight*
MedicalAlerts*
Allergies*
PregnancyStatus*
SpecialNeeds*
PatientState*
ConfidentialityConstraintOnPatientDataDescription*
AccessionNumber*
ReferringPhysicianName*
RequestingPhysician*
AdmissionID*
CurrentPatientLocation*
StudyInstanceUID
ReferencedStudySequence*
ReferencedPatientSequence*
RequestedProcedureID
RequestedProcedureDescription
RequestedProcedureCodeSequence
RequestedProcedurePriority*
PatientTransportArrangements*
ScheduledProcedureStepSequence
 ScheduledStationAETitle
 ScheduledStationName*
 ScheduledProcedureStepStartDate
 ScheduledProcedureStepStartTime
 Modality
 ScheduledPerformingPhysicianName
 ScheduledProcedureStepDescription
 ScheduledProcedureStepID
 ScheduledProcedureStepLocation*
 ScheduledProcedureStepStatus*
 ScheduledProtocolCodeSequence
 PreMedication*
 RequestedContrastAgent*
"""

_STEP = """ScheduledStepAttributesSequence
 AccessionNumber
 ReferencedStudySequence
 StudyInstanceUID
 RequestedProcedureDescription
 ScheduledProcedureStepDescription
 ScheduledProtocolCodeSequence
 ScheduledProcedureStepID
 RequestedProcedureID
PatientName
PatientID
PatientBirthDate
PatientSex
ReferencedPatientSequence
Modality
StudyID
PerformedStationAETitle
PerformedStationName
PerformedLocation
PerformedProcedureStepStartDate
PerformedProcedureStepStartTime
PerformedProcedureStepEndDate
PerformedProcedureStepEndTime
PerformedProcedureStepStatus=IN PROGRESS
PerformedProcedureStepID
PerformedProcedureStepDescription
PerformedProcedureTypeDescription
ProcedureCodeSequence
PerformedProtocolCodeSequence
PerformedSeriesSequence
"""

_DIRECTORY = """FileSetID
OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity=0
OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity=0
FileSetConsistencyFlag=0
DirectoryRecordSequence
"""

MODULES: dict[Module, str] = {
    Module.Patient: "PatientName\nPatientID\nPatientBirthDate\nPatientSex\n",
    Module.GeneralStudy: (
        "StudyInstanceUID\nStudyDate\nStudyTime\nReferringPhysicianName\nStudyID\nAccessionNumber\n"
    ),
    Module.GeneralSeries: "Modality\nSeriesInstanceUID\nSeriesNumber\n",
    Module.SCEquipment: "ConversionType\n",
    Module.EncapsulatedDocumentSeries: "Modality\nSeriesInstanceUID\nSeriesNumber\n",
    Module.EncapsulatedDocument: (
        "InstanceNumber\nContentDate\nContentTime\nAcquisitionDateTime\nBurnedInAnnotation\n"
        "DocumentTitle\nConceptNameCodeSequence\nMIMETypeOfEncapsulatedDocument\n"
        "EncapsulatedDocument\n"
    ),
    Module.GeneralImage: "InstanceNumber\nPatientOrientation\n",
    Module.ImagePixel: (
        "SamplesPerPixel\nPhotometricInterpretation\nRows\nColumns\nBitsAllocated\nBitsStored\n"
        "HighBit\nPixelRepresentation\n"
    ),
    Module.SopCommon: "SOPClassUID\nSOPInstanceUID\n",
}
"""What each module must have: types 1 and 2 of PS3.3."""

_KEYS: dict[Class, str] = {
    Class.PatientRootQueryPatient: f"QueryRetrieveLevel=PATIENT\n{_PATIENT_KEYS}",
    Class.PatientRootQueryStudy: "QueryRetrieveLevel=STUDY\n"
    + _without(_STUDY_KEYS, "PatientName", "PatientBirthDate", "PatientSex"),
    Class.PatientRootQuerySeries: f"QueryRetrieveLevel=SERIES\nPatientID\n{_SERIES_KEYS}",
    Class.PatientRootQueryImage: f"QueryRetrieveLevel=IMAGE\nPatientID\n{_IMAGE_KEYS}",
    Class.StudyRootQueryStudy: f"QueryRetrieveLevel=STUDY\n{_STUDY_KEYS}",
    Class.StudyRootQuerySeries: f"QueryRetrieveLevel=SERIES\n{_SERIES_KEYS}",
    Class.StudyRootQueryImage: f"QueryRetrieveLevel=IMAGE\n{_IMAGE_KEYS}",
    Class.ModalityWorklist: _WORKLIST,
    Class.ModalityPerformedProcedureStep: _STEP,
    Class.StorageCommitment: "TransactionUID\nReferencedSOPSequence\n",
    Class.BasicDirectory: _DIRECTORY,
}

_COMMON = (Module.Patient, Module.GeneralStudy, Module.GeneralSeries, Module.SopCommon)
_MODULES: dict[Class, tuple[Module, ...]] = {
    Class.SCImageStorage: (
        Module.Patient,
        Module.GeneralStudy,
        Module.GeneralSeries,
        Module.SCEquipment,
        Module.GeneralImage,
        Module.ImagePixel,
        Module.SopCommon,
    ),
    Class.EncapsulatedPdfStorage: (
        Module.Patient,
        Module.GeneralStudy,
        Module.EncapsulatedDocumentSeries,
        Module.SCEquipment,
        Module.EncapsulatedDocument,
        Module.SopCommon,
    ),
}


def modules_of(kind: Class | int) -> tuple[Module, ...]:
    """List the modules of a storage class; none for the others."""
    number = Class(kind)
    if number == Class.Undefined or number in _KEYS:
        return ()
    return _MODULES.get(number, _COMMON)


def _parsed(text: str) -> tuple[Line, ...]:
    lines: list[Line] = []
    for row in text.splitlines():
        keyword, _, value = row.strip().partition("=")
        line = Line(keyword.rstrip("*"), value, keyword.endswith("*"))
        if row.startswith(" "):
            above = lines[-1]
            lines[-1] = above._replace(below=(*above.below, line))
        else:
            lines.append(line)
    return tuple(lines)


@functools.cache
def template_of(kind: Class) -> tuple[Line, ...]:
    """List the elements of a kind of data set; none for ``Undefined``."""
    if kind in _KEYS:
        return _parsed(_KEYS[kind])
    return _parsed("".join(MODULES[one] for one in modules_of(kind)))
