"""Storage commitment and performed procedure steps of the archive: the N-services."""

from __future__ import annotations

import json
from typing import Any

from pydicom.dataset import Dataset

from examples.archive.index import Index, text
from examples.archive.storage import is_uid
from leadtools_compat.dicom import *

MISSING = 0x0112
"""Failure reason: no such object instance (PS3.3 C.14.1.1)."""


def commit(
    net: DicomNet,
    context: int,
    message: int,
    uid: str,
    instance: str,
    action: int,
    ds: DicomDataSet | None,
) -> None:
    """Answer a request for storage commitment; the result follows on the same association."""
    index: Index = net.server.index  # type: ignore[attr-defined]
    if uid != DicomUidType.StorageCommitmentPushModelClass or action != 1 or ds is None:
        net.SendNActionResponse(
            context, message, uid, instance, DicomCommandStatusType.NoSuchArgument, action, None
        )
        return
    asked = ds.to_pydicom()
    result = Dataset()
    result.TransactionUID = asked.TransactionUID
    good: list[Dataset] = []
    bad: list[Dataset] = []
    for item in asked.get("ReferencedSOPSequence", []):
        if index.has(text(item, "ReferencedSOPClassUID"), text(item, "ReferencedSOPInstanceUID")):
            good.append(item)
        else:
            item.FailureReason = MISSING
            bad.append(item)
    result.ReferencedSOPSequence = good
    if bad:
        result.FailedSOPSequence = bad
    # Before the response: the client may release as soon as it has that.
    net.SendNReportRequest(
        context, message, uid, instance, 2 if bad else 1, DicomDataSet.from_pydicom(result)
    )
    net.SendNActionResponse(
        context, message, uid, instance, DicomCommandStatusType.Success, action, None
    )


def create_step(
    index: Index, uid: str, instance: str, ds: DicomDataSet | None
) -> DicomCommandStatusType:
    """Take a new step (PS3.4 F.7.2.1)."""
    if uid != DicomUidType.ModalityPerformedClass:
        return DicomCommandStatusType.NoSuchClass
    if ds is None or not is_uid(instance):
        return DicomCommandStatusType.InvalidObjectInstance
    if index.step(instance) is not None:
        return DicomCommandStatusType.DuplicateInstance
    data = ds.to_pydicom()
    status = text(data, "PerformedProcedureStepStatus")
    if status != "IN PROGRESS":
        return DicomCommandStatusType.InvalidAttributeValue
    index.set_step(instance, status, data.to_json())
    return DicomCommandStatusType.Success


def set_step(
    index: Index, uid: str, instance: str, ds: DicomDataSet | None
) -> DicomCommandStatusType:
    """Change a step that is in progress (PS3.4 F.7.2.2)."""
    if uid != DicomUidType.ModalityPerformedClass:
        return DicomCommandStatusType.NoSuchClass
    known = index.step(instance)
    if known is None or ds is None:
        return DicomCommandStatusType.NoSuchObjectInstance
    before, attributes = known
    if before != "IN PROGRESS":
        return DicomCommandStatusType.ProcessingFailure  # it is over, PS3.4 F.7.2.2.2
    data = ds.to_pydicom()
    merged: dict[str, Any] = {**json.loads(attributes), **data.to_json_dict()}
    status = text(data, "PerformedProcedureStepStatus") or before
    index.set_step(instance, status, json.dumps(merged))
    return DicomCommandStatusType.Success
