"""What a modality does: asks for its worklist, and tells how a step goes (MPPS).

    python -m examples.worklist_mpps localhost 2762 --ca ca.pem --certificate client.pem \\
        --modality CT --date 20240301
    python -m examples.worklist_mpps ... --perform A4711

The first form lists the worklist; `--perform` takes the entry with this accession number, says that
its step is in progress, and then that it is completed. To be run in the folder above `examples`.
"""

from __future__ import annotations

import argparse
import datetime
import sys

from pydicom.uid import generate_uid

from examples.tls_options import add_options, connection, node
from leadtools_compat.dicom import *
from leadtools_compat.dicom.scu import *
from leadtools_compat.dicom.scu.queries import *


class StepAttributes:
    """An item of ScheduledStepAttributesSequence (PS3.4 table F.7.2-1)."""

    StudyInstanceUID = Element(DicomTag.StudyInstanceUID, str)
    AccessionNumber = Element(DicomTag.AccessionNumber, str)
    RequestedProcedureID = Element(DicomTag.RequestedProcedureID, str)
    RequestedProcedureDescription = Element(DicomTag.RequestedProcedureDescription, str)
    ScheduledProcedureStepID = Element(DicomTag.ScheduledProcedureStepID, str)
    ScheduledProcedureStepDescription = Element(DicomTag.ScheduledProcedureStepDescription, str)


class StepInProgress:
    """What N-CREATE says."""

    Scheduled = Element(DicomTag.ScheduledStepAttributesSequence, list[StepAttributes])
    PatientName = Element(DicomTag.PatientName, str)
    PatientID = Element(DicomTag.PatientID, str)
    PatientBirthDate = Element(DicomTag.PatientBirthDate, datetime.datetime)
    PatientSex = Element(DicomTag.PatientSex, str)
    PerformedProcedureStepID = Element(DicomTag.PerformedProcedureStepID, str)
    PerformedStationAETitle = Element(DicomTag.PerformedStationAETitle, str)
    StartDate = Element(DicomTag.PerformedProcedureStepStartDate, datetime.date)
    StartTime = Element(DicomTag.PerformedProcedureStepStartTime, datetime.time)
    Status = Element(DicomTag.PerformedProcedureStepStatus, str)
    Modality = Element(DicomTag.Modality, str)


class StepCompleted:
    """What N-SET says."""

    EndDate = Element(DicomTag.PerformedProcedureStepEndDate, datetime.date)
    EndTime = Element(DicomTag.PerformedProcedureStepEndTime, datetime.time)
    Status = Element(DicomTag.PerformedProcedureStepStatus, str)


def worklist(
    scu: QueryRetrieveScu, scp: DicomScp, options: argparse.Namespace
) -> list[ModalityWorklistResult]:
    """Ask for the entries."""
    query = ModalityWorklistQuery()
    query.PatientName, query.PatientId = options.name, options.id
    query.AccessionNumber = options.perform
    assert query.Broad is not None
    query.Broad.Modality = options.modality
    query.Broad.ScheduledProcedureStepStartDate = options.date
    query.Broad.ScheduledStationAETitle = options.station
    found: list[ModalityWorklistResult] = []
    scu.Find[ModalityWorklistQuery, ModalityWorklistResult](
        scp, query, lambda result, ds: found.append(result)
    )
    return found


def show(entry: ModalityWorklistResult) -> None:
    for step in entry.ScheduledProcedureStepSequence or [ScheduledProcedureStep()]:
        print(
            f"{entry.AccessionNumber}  {entry.PatientId}  {entry.PatientName}  {step.Modality}  "
            f"{step.ScheduledProcedureStepStartDate}  {step.ScheduledProcedureStepDescription or ''}"
        )


def perform(
    scu: PerformedProcedureStepScu, scp: DicomScp, entry: ModalityWorklistResult
) -> DicomCommandStatusType:
    """Tell the beginning and the end of a step."""
    scheduled = (entry.ScheduledProcedureStepSequence or [ScheduledProcedureStep()])[0]
    attributes = StepAttributes()
    attributes.StudyInstanceUID = entry.StudyInstanceUid or str(generate_uid(prefix=None))
    attributes.AccessionNumber = entry.AccessionNumber
    attributes.RequestedProcedureID = entry.RequestedProcedureId
    attributes.RequestedProcedureDescription = entry.RequestedProcedureDescription
    attributes.ScheduledProcedureStepID = scheduled.ScheduledProcedureStepID
    attributes.ScheduledProcedureStepDescription = scheduled.ScheduledProcedureStepDescription
    now = datetime.datetime.now()
    step = StepInProgress()
    step.Scheduled = [attributes]
    step.PatientName, step.PatientID = entry.PatientName, entry.PatientId
    step.PatientBirthDate, step.PatientSex = entry.PatientBirthDate, entry.PatientSex
    step.PerformedProcedureStepID = f"{now:%H%M%S}"
    step.PerformedStationAETitle = scu.AETitle
    step.StartDate, step.StartTime = now.date(), now.time().replace(microsecond=0)
    step.Status, step.Modality = "IN PROGRESS", scheduled.Modality
    uid = scu.Create(scp, None, step)
    print(f"step {uid} in progress: {scu.Status}")
    if scu.Status != DicomCommandStatusType.Success:
        return scu.Status
    end = StepCompleted()
    now = datetime.datetime.now()
    end.EndDate, end.EndTime = now.date(), now.time().replace(microsecond=0)
    end.Status = "COMPLETED"
    scu.Set(scp, uid, end)
    print(f"step {uid} completed: {scu.Status}")
    return scu.Status


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_options(parser)
    parser.add_argument("--name", help="patient's name; * and ? stand for characters")
    parser.add_argument("--id", help="patient's id")
    parser.add_argument("--modality")
    parser.add_argument("--date", help="YYYYMMDD, or a range as YYYYMMDD-")
    parser.add_argument("--station", help="AE title of the station that is scheduled")
    parser.add_argument("--perform", help="accession number of the entry to perform")
    options = parser.parse_args()
    scp = node(options)
    try:
        with connection(QueryRetrieveScu, options) as scu:
            entries = worklist(scu, scp, options)
            status = scu.Status
        for entry in entries:
            show(entry)
        if status == DicomCommandStatusType.Success and options.perform:
            if len(entries) != 1:
                print(f"{len(entries)} entries have this accession number", file=sys.stderr)
                return 1
            with connection(PerformedProcedureStepScu, options) as steps:
                status = perform(steps, scp, entries[0])
    except (
        ClientConnectionException,
        ClientAssociationException,
        ClientCommunicationException,
        DicomException,
    ) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if status == DicomCommandStatusType.Success else 1


if __name__ == "__main__":
    sys.exit(main())
