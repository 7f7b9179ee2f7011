"""DicomConnection: calls to a node, what fails, in words."""

from __future__ import annotations

import socket
import threading

import pytest

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandStatusType,
    DicomException,
    DicomExceptionCode,
    DicomNet,
)
from leadtools_compat.dicom.scu import (
    ClientAssociationException,
    ClientCommunicationException,
    ClientConnectionException,
    DicomConnection,
    DicomScp,
)
from tests.dicom.nodes import VERIFICATION
from tests.scu.conftest import Site, names, record
from tests.support import refused


def test_verify_asks_and_ends_released_and_closed(site: Site) -> None:
    node, scp = site.node()
    scu = site.scu(DicomConnection)
    assert scu.Verify(scp) is True
    assert scu.Status == DicomCommandStatusType.Success
    assert not scu.IsConnected()
    child = node.child()
    assert child.log.wait("OnClose").code == DicomExceptionCode.Success
    assert child.log.all("OnReceiveReleaseRequest")
    asked = child.log.wait("OnReceiveAssociateRequest").arguments[0]
    assert (asked.Calling, asked.Called) == ("OURS", "NODE")
    assert scu.CurrentScp is scp
    assert scu.ActiveScp is scp


def test_another_status_than_success_is_false(plain: Site) -> None:
    _, scp = plain.node(
        OnReceiveCEchoRequest=lambda net, p, m, c: net.SendCEchoResponse(p, m, c, 0x0122)
    )
    scu = plain.scu(DicomConnection)
    assert scu.Verify(scp) is False
    assert scu.Status == DicomCommandStatusType.ClassNotSupported


def test_events_come_in_order_on_the_calling_thread(site: Site) -> None:
    _, scp = site.node()
    scu = site.scu(DicomConnection)
    seen = record(scu)
    threads = set()
    for name in ("AfterConnect", "AfterSecureLinkReady", "AfterAssociateRequest", "AfterClose"):
        event = getattr(scu, name)
        event += lambda sender, e: threads.add(threading.get_ident())
    assert scu.Verify(scp)
    tls = ["VerifyCertificate"] * names(seen).count("VerifyCertificate") + ["AfterSecureLinkReady"]
    assert names(seen) == [
        "BeforeConnect",
        "AfterConnect",
        *(tls if site.tls else []),
        "BeforeAssociateRequest",
        "AfterAssociateRequest",
        "BeforeReleaseRequest",
        "AfterReleaseRequest",
        "BeforeClose",
        "AfterClose",
    ]
    assert ("VerifyCertificate" in names(seen)) == site.tls
    assert threads == {threading.get_ident()}
    arguments = dict(seen)
    assert arguments["BeforeConnect"].Scp is scp
    assert arguments["AfterConnect"].Error == DicomExceptionCode.Success
    assert not arguments["AfterAssociateRequest"].Rejected
    assert arguments["AfterAssociateRequest"].Associate.Called == "NODE"


def test_an_object_talks_many_times(site: Site) -> None:
    _, scp = site.node()
    scu = site.scu(DicomConnection)
    assert [scu.Verify(scp) for _ in range(4)] == [True] * 4


# ---- what fails ---------------------------------------------------------------------------------


def test_nobody_listens(plain: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        scp = plain.way(free.getsockname()[1])
    scu = plain.scu(DicomConnection)
    seen = record(scu)
    with pytest.raises(ClientConnectionException) as caught:
        scu.Verify(scp)
    assert caught.value.Code == DicomExceptionCode.NetConnectionRefused
    assert caught.value.Message == "The attempt to connect was forcefully rejected"
    assert caught.value.failure is not None
    assert caught.value.failure.stage == "tcp"
    assert names(seen) == ["BeforeConnect", "AfterConnect"]
    assert seen[-1][1].Error == DicomExceptionCode.NetConnectionRefused
    assert not isinstance(caught.value, DicomException)


def test_a_host_that_is_not_known(plain: Site) -> None:
    scp = DicomScp("no-such-host.invalid", "NODE", 104)
    with pytest.raises(ClientConnectionException) as caught:
        plain.scu(DicomConnection).Verify(scp)
    assert caught.value.Code == DicomExceptionCode.NetHostNotFound


def test_a_silent_peer_costs_the_timeout_and_no_more(plain: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        scp = plain.way(silent.getsockname()[1])
        scp.Timeout = 0.2
        scu = plain.scu(DicomConnection)
        seen = record(scu)
        with pytest.raises(ClientAssociationException):
            scu.Verify(scp)
    assert seen[3][0] == "AfterAssociateRequest"
    assert seen[3][1].Rejected
    assert not scu.IsConnected()


def test_a_node_that_does_not_answer_a_message(plain: Site) -> None:
    node, scp = plain.node(OnReceiveCEchoRequest=lambda *arguments: None)
    scp.Timeout = 0.3
    scu = plain.scu(DicomConnection)
    with pytest.raises(ClientCommunicationException) as caught:
        scu.Verify(scp)
    assert "0.3 seconds" in caught.value.Message
    node.child().log.wait("OnReceiveAbort")


def test_a_rejected_association_says_why(site: Site) -> None:
    def reject(net: DicomNet, asked: DicomAssociate) -> None:
        net.SendAssociateReject(
            DicomAssociateRejectResultType.Permanent,
            DicomAssociateRejectSourceType.User,
            DicomAssociateRejectReasonType.Called,
        )

    _, scp = site.node(OnReceiveAssociateRequest=reject)
    scu = site.scu(DicomConnection)
    seen = record(scu)
    with pytest.raises(ClientAssociationException) as caught:
        scu.Verify(scp)
    assert caught.value.Reason == DicomAssociateRejectReasonType.Called
    assert caught.value.Source == DicomAssociateRejectSourceType.User
    assert (scu.Rejected, scu.Reason, scu.RejectReason) == (
        True,
        DicomAssociateRejectReasonType.Called,
        DicomAssociateRejectReasonType.Called,
    )
    told = dict(seen)["AfterAssociateRequest"]
    assert (told.Rejected, told.Result) == (True, DicomAssociateRejectResultType.Permanent)
    assert not scu.IsConnected()


def test_a_peer_that_aborts(plain: Site) -> None:
    _, scp = plain.node(OnReceiveCEchoRequest=lambda net, *rest: net.SendAbort(0, 0))
    with pytest.raises(ClientAssociationException, match="aborted by the peer"):
        plain.scu(DicomConnection).Verify(scp)


def test_a_peer_that_goes_away_during_the_exchange(plain: Site) -> None:
    _, scp = plain.node(OnReceiveCEchoRequest=lambda net, *rest: net.Dispose())
    with pytest.raises((ClientCommunicationException, ClientAssociationException)):
        plain.scu(DicomConnection).Verify(scp)


def test_a_class_that_is_not_accepted(plain: Site) -> None:
    def refuse(net: DicomNet, asked: DicomAssociate) -> None:
        with DicomAssociate(False) as answer:
            answer.Called, answer.Calling = asked.Called, asked.Calling
            result = DicomAssociateAcceptResultType.AbstractSyntax
            answer.AddPresentationContext(1, result, VERIFICATION)
            net.SendAssociateAccept(answer)

    _, scp = plain.node(OnReceiveAssociateRequest=refuse)
    scu = plain.scu(DicomConnection)
    with pytest.raises(ClientAssociationException) as caught:
        scu.Verify(scp)
    assert "abstract syntax not supported" in caught.value.Message.lower()
    assert VERIFICATION in caught.value.Message
    assert not scu.IsConnected()


def test_the_way_to_the_node_has_to_be_complete(plain: Site) -> None:
    scu = plain.scu(DicomConnection)
    with refused(DicomExceptionCode.Parameter, "PeerAddress"):
        scu.Verify(DicomScp())
    with refused(DicomExceptionCode.Parameter, "Port"):
        scu.Verify(DicomScp("localhost", "X"))
    with refused(DicomExceptionCode.Parameter, "AETitle"):
        scu.Verify(DicomScp("localhost", "", 104))
    with pytest.raises(TypeError, match="DicomScp"):
        scu.Verify("localhost")  # type: ignore[arg-type]
    assert not scu.IsConnected()


def test_a_secure_node_is_not_spoken_to_in_the_clear(plain: Site) -> None:
    _, scp = plain.node()
    scp.Secure = True
    with refused(DicomExceptionCode.InvalidState, "scp.Secure"):
        plain.scu(DicomConnection).Verify(scp)


# ---- handlers and overridables ------------------------------------------------------------------
