"""`PerformedProcedureStepScu`: N-CREATE and N-SET."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from leadtools_compat.dicom import DicomCommandStatusType, DicomDataSet, DicomTag, Element
from leadtools_compat.dicom.scu import ClientCommunicationException, PerformedProcedureStepScu
from tests.scu.conftest import Site, names, record

MPPS = "1.2.840.10008.3.1.2.3.3"


class Step:
    Status = Element(DicomTag.PerformedProcedureStepStatus, str)
    Id = Element(DicomTag.PerformedProcedureStepID, str)


def hooks(status: int = 0) -> dict[str, Any]:
    return {
        "OnReceiveNCreateRequest": lambda net, p, m, c, i, ds: net.SendNCreateResponse(
            p, m, c, i, status, None
        ),
        "OnReceiveNSetRequest": lambda net, p, m, c, i, ds: net.SendNSetResponse(
            p, m, c, i, status, ds
        ),
    }


def test_a_step_is_made_and_completed(site: Site) -> None:
    node, scp = site.node(**hooks())
    scu = site.scu(PerformedProcedureStepScu)
    seen = record(scu, "AfterNCreate", "AfterNSet")
    step = Step()
    step.Status, step.Id = "IN PROGRESS", "P1"
    uid = scu.Create(scp, None, step)
    assert uid.startswith("2.25.")
    done = Dataset()
    done.PerformedProcedureStepStatus = "COMPLETED"
    scu.Set(scp, uid, DicomDataSet.from_pydicom(done))
    made = node.child(1).log.wait("OnReceiveNCreateRequest").arguments
    assert made[2:4] == (MPPS, uid)
    assert made[4].to_pydicom().PerformedProcedureStepStatus == "IN PROGRESS"
    changed = node.child(2).log.wait("OnReceiveNSetRequest").arguments
    assert changed[3] == uid
    assert changed[4].to_pydicom().PerformedProcedureStepStatus == "COMPLETED"
    assert [one for one in names(seen) if one.startswith("AfterN")] == ["AfterNCreate", "AfterNSet"]
    assert dict(seen)["AfterNCreate"].Status == DicomCommandStatusType.Success
    assert dict(seen)["AfterNSet"].Dataset is not None
    assert not scu.IsConnected()


def test_a_refusal_is_told_by_its_status(plain: Site) -> None:
    _, scp = plain.node(**hooks(0x0111))
    scu = plain.scu(PerformedProcedureStepScu)
    seen = record(scu, "AfterNCreate")
    assert scu.Create(scp, "1.2.3", Step()) == "1.2.3"
    assert (
        scu.Status == dict(seen)["AfterNCreate"].Status == DicomCommandStatusType.DuplicateInstance
    )


def test_no_answer_and_wrong_data(plain: Site) -> None:
    _, scp = plain.node()
    scp.Timeout = 0.3
    scu = plain.scu(PerformedProcedureStepScu)
    with pytest.raises(ClientCommunicationException):
        scu.Create(scp, "1.2.3", Step())
    with pytest.raises(TypeError, match="Element members"):
        scu.Set(scp, "1.2.3", object())
