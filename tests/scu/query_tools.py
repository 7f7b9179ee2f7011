"""Answers of archives to queries, for the tests of QueryRetrieveScu."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomDataSet,
    DicomException,
    DicomNetSecurityMode,
)
from leadtools_compat.dicom.scu import (
    StoreScu,
)
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import dataset
from tests.support import PATIENCE, PEER, settings

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


def secure_store(pki: TestPki, identity: Any, flags: Any = PEER) -> StoreScu:
    """Make the sender of an archive, with TLS."""
    made = StoreScu(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, flags))
    if identity is not None:
        made.SetTlsClientCertificate(identity.combined_file, 1, None)
    made.AETitle = "NODE"
    return made
