"""QueryRetrieveScu gets."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomDataSet,
    DicomNet,
)
from leadtools_compat.dicom.scu import (
    ClientAssociationException,
    ClientCommunicationException,
    PresentationContext,
    QueryRetrieveScu,
)
from tests.dicom.nodes import CT, dataset
from tests.scu.conftest import Site, record


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
