"""QueryRetrieveScu moves: to itself and to others, what arrives, who may bring it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomCommandStatusType,
    DicomDataSet,
    DicomExceptionCode,
)
from leadtools_compat.dicom.scu import (
    InstanceLevel,
    QueryRetrieveScu,
    StoreScu,
)
from tests.scu.conftest import Site, names, record
from tests.scu.query_tools import mover
from tests.support import refused


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
