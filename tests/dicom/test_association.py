"""Associations between two nets of ours: accept, reject, release, abort, and what breaks them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomDataSet,
    DicomException,
    DicomExceptionCode,
    DicomNet,
)
from tests.conftest import Unraisable
from tests.dicom.bare import RELEASE_REQUEST, RELEASE_RESPONSE, bare_acceptor, pdu
from tests.dicom.nodes import CT, EXPLICIT, IMPLICIT, VERIFICATION, Link, accept_all, request
from tests.support import PATIENCE, refused

Success = DicomExceptionCode.Success
Aborted = DicomExceptionCode.NetConnectionAborted
User, Provider = DicomAbortSourceType.User, DicomAbortSourceType.Provider


class Broken(Exception):
    """Raised in handlers."""


def broken(*arguments: Any) -> None:
    raise Broken("on purpose")


def test_association_from_request_to_release(delivery: str, link: Link) -> None:
    states: list[tuple[Any, ...]] = []

    def accept(net: DicomNet, asked: DicomAssociate) -> None:
        before = net.Association
        assert before is not None
        states.append((net.IsAssociated(), before.IsRequest))
        accept_all(net, asked)
        after = net.Association
        assert after is not None
        states.append((net.IsAssociated(), after.IsRequest))

    listener = link.scp(OnReceiveAssociateRequest=accept)
    scu = link.connected(listener)
    assert not scu.IsAssociated()
    assert scu.Association is None
    scu.SendAssociateRequest(request((VERIFICATION, IMPLICIT), (CT, EXPLICIT)))
    accepted = scu.log.wait("OnReceiveAssociateAccept").arguments[0]
    child = listener.child()
    assert scu.IsAssociated()
    child.log.wait("OnReceiveAssociateRequest")
    assert states == [(False, True), (True, False)]
    one: Any
    for one in (accepted, scu.Association, child.Association):
        assert not one.IsRequest
        assert (one.Called, one.Calling) == ("SCP", "SCU")
        assert [one.GetAbstract(number) for number in (1, 3)] == [VERIFICATION, CT]
        assert one.GetResult(3) == DicomAssociateAcceptResultType.Success
        assert one.GetTransfer(3, 0) == EXPLICIT
    scu.SendReleaseRequest()
    assert scu.log.wait("OnClose").arguments == (Success, scu)
    assert child.log.wait("OnClose").arguments == (Success, child)
    listener.log.wait("OnClose")
    assert not scu.IsAssociated()
    assert not child.IsAssociated()
    assert scu.failure is None
    assert child.failure is None
    assert scu.log.names()[-3:] == [
        "OnReceiveAssociateAccept",
        "OnReceiveReleaseResponse",
        "OnClose",
    ]
    child.Dispose()
    scu.Dispose()
    kept: Any = (scu.Association, child.Association)
    assert [one.Called for one in kept] == ["SCP", "SCP"]


def test_many_associations_over_one_net(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.scu()
    for count in range(1, 4):
        scu.Connect(None, 0, "127.0.0.1", listener.HostPort)
        scu.log.wait("OnConnect", count)
        scu.SendAssociateRequest(request((VERIFICATION, IMPLICIT), calling=f"SCU{count}"))
        scu.log.wait("OnReceiveAssociateAccept", count)
        scu.SendReleaseRequest()
        scu.log.wait("OnClose", count)
        last: Any = scu.Association
        assert last.Calling == f"SCU{count}"


@pytest.mark.parametrize(
    ("source", "reason", "name"),
    [(1, 7, "Called"), (1, 2, "Application"), (2, 2, "Version"), (3, 2, "Limit")],
)
def test_reject(delivery: str, plain: Link, source: int, reason: int, name: str) -> None:
    listener = plain.scp(
        OnReceiveAssociateRequest=lambda net, asked: net.SendAssociateReject(2, source, reason)
    )
    scu = plain.connected(listener, OnReceiveAssociateReject=lambda net, *arguments: net.Close())
    scu.SendAssociateRequest(request((VERIFICATION, IMPLICIT)))
    got = scu.log.wait("OnReceiveAssociateReject").arguments
    assert got == (
        DicomAssociateRejectResultType.Transient,
        DicomAssociateRejectSourceType(source),
        DicomAssociateRejectReasonType.from_wire(source, reason),
    )
    assert str(got[2]) == name
    assert scu.log.wait("OnClose").code == Success
    assert listener.child().log.wait("OnClose").code == Success


def test_some_contexts_are_not_accepted(plain: Link) -> None:
    def accept(net: DicomNet, asked: DicomAssociate) -> None:
        with DicomAssociate(False) as answer:
            answer.Called, answer.Calling = asked.Called, asked.Calling
            answer.AddPresentationContext(
                1, DicomAssociateAcceptResultType.AbstractSyntax, asked.GetAbstract(1)
            )
            answer.AddPresentationContext(3, 0, asked.GetAbstract(3))
            answer.AddTransfer(3, EXPLICIT)
            net.SendAssociateAccept(answer)

    scu = plain.associated(
        plain.scp(OnReceiveAssociateRequest=accept), (VERIFICATION, IMPLICIT), (CT, EXPLICIT)
    )
    accepted = scu.log.wait("OnReceiveAssociateAccept").arguments[0]
    assert accepted.GetResult(1) == DicomAssociateAcceptResultType.AbstractSyntax
    assert accepted.GetResult(3) == DicomAssociateAcceptResultType.Success
    with refused(DicomExceptionCode.PresentationContextInvalid):
        scu.SendCEchoRequest(1, 1, VERIFICATION)


def test_abort_by_the_requestor(delivery: str, link: Link) -> None:
    listener = link.scp()
    scu = link.associated(listener)
    scu.SendAbort(User, DicomAbortReasonType.Unknown)
    child = listener.child()
    assert child.log.wait("OnReceiveAbort").arguments == (User, DicomAbortReasonType.Unknown)
    assert child.log.wait("OnClose").code == Aborted
    assert listener.log.wait("OnClose").arguments == (Aborted, child)
    assert scu.log.wait("OnClose").code == Success
    assert not scu.IsAssociated()
    assert not child.IsAssociated()


def test_abort_by_the_acceptor(plain: Link) -> None:
    listener = plain.scp(
        OnReceiveCEchoRequest=lambda net, *rest: net.SendAbort(
            Provider, DicomAbortReasonType.InvalidParameter
        )
    )
    scu = plain.associated(listener)
    scu.SendCEchoRequest(1, 1, VERIFICATION)
    assert scu.log.wait("OnReceiveAbort").arguments == (
        Provider,
        DicomAbortReasonType.InvalidParameter,
    )
    assert scu.log.wait("OnClose").code == Aborted


@pytest.mark.parametrize(
    "order",
    ["after", "before"],
)
def test_release_collision_at_the_acceptor(plain: Link, unraisable: Unraisable, order: str) -> None:
    """Both ask for the release at once (PS3.8 9.2.3, Sta7 -> Sta10 -> Sta12).

    The peer is a bare socket, so that the requests cross for certain. The program answers in its
    handler as always (before the peer's response is there), or later.
    """
    later: dict[str, Any] = {"OnReceiveReleaseRequest": lambda net: None}
    if order == "after":
        later["OnReceiveReleaseResponse"] = DicomNet.SendReleaseResponse
    else:
        later = {}
    listener = plain.scp(**later)
    with (
        socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as peer,
        peer.makefile("rb") as reader,
    ):
        peer.sendall(request((VERIFICATION, IMPLICIT)).to_bytes())
        child = listener.child()
        child.log.wait("OnReceiveAssociateRequest")
        assert pdu(reader)[0] == 2
        child.SendReleaseRequest()
        assert pdu(reader) == RELEASE_REQUEST
        peer.sendall(RELEASE_REQUEST)
        child.log.wait("OnReceiveReleaseRequest")
        if order == "before" and unraisable.rest():
            unraisable.expect(DicomException)
            pytest.fail("SendReleaseResponse was refused in the handler")
        peer.sendall(RELEASE_RESPONSE)
        assert pdu(reader) == RELEASE_RESPONSE
    assert child.log.wait("OnClose").code == Success
    assert not child.log.all("OnReceiveAbort")


def test_release_collision_at_the_requestor(plain: Link) -> None:
    """PS3.8 9.2.3, Sta7 -> Sta9 -> Sta11: the requestor answers first."""
    scu = plain.scu(OnReceiveReleaseRequest=DicomNet.SendReleaseResponse)
    with bare_acceptor(scu) as (peer, reader):
        scu.SendReleaseRequest()
        assert pdu(reader) == RELEASE_REQUEST
        peer.sendall(RELEASE_REQUEST)
        assert pdu(reader) == RELEASE_RESPONSE
        peer.sendall(RELEASE_RESPONSE)
        scu.log.wait("OnReceiveReleaseResponse")
        assert scu.log.wait("OnClose").code == Success


def test_pdu_of_an_unknown_type_is_shown_and_ends_the_connection(plain: Link) -> None:
    scu = plain.scu(OnReceiveUnknown=lambda net, buffer: None)
    unknown = b"\x55\0\0\0\0\3abc"
    with bare_acceptor(scu) as (peer, reader):
        peer.sendall(unknown)
        assert pdu(reader)[0] == 7
        (shown,) = scu.log.wait("OnReceiveUnknown").arguments
        assert len(shown) >= 6  # the header at least: it is refused before the rest is read
        assert unknown.startswith(shown)
    assert scu.log.wait("OnClose").code != Success
    assert not scu.log.all("OnReceiveAbort")


def test_peer_that_vanishes_without_a_release(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu):
        pass
    assert scu.log.wait("OnClose").code == Aborted
    assert not scu.IsAssociated()
    assert "without releasing" in scu.failure.remedy


def test_peer_that_closes_right_after_the_release(plain: Link) -> None:
    """PS3.8 has the requestor close; an acceptor that is quicker does no harm."""
    scu = plain.scu(OnReceiveReleaseResponse=lambda net: None)
    for count in range(1, 31):  # response and end arrive together in some of them only
        with bare_acceptor(scu) as (peer, reader):
            scu.SendReleaseRequest()
            assert pdu(reader) == RELEASE_REQUEST
            peer.sendall(RELEASE_RESPONSE)
        assert scu.log.wait("OnClose", count).code == Success, (count, scu.failure)
        assert scu.failure is None


def test_what_is_not_allowed_now(plain: Link) -> None:
    scu = plain.scu()
    with refused(DicomExceptionCode.NetNotConnected):
        scu.SendAssociateRequest(request((VERIFICATION, IMPLICIT)))
    listener = plain.scp()
    scu = plain.associated(listener)
    with refused(DicomExceptionCode.AssociationAlreadyEstablished):
        scu.SendAssociateRequest(request((VERIFICATION, IMPLICIT)))
    with refused(DicomExceptionCode.InvalidState, "SendReleaseResponse"):
        scu.SendReleaseResponse()
    with DicomAssociate(False) as wrong, refused(DicomExceptionCode.Parameter, "made for"):
        scu.SendAssociateRequest(wrong)
    with pytest.raises(TypeError, match="association must be a DicomAssociate"):
        scu.SendAssociateRequest(None)
    assert scu.IsAssociated()


# ---- handlers that fail ----


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("OnReceiveAssociateRequest", None),
        ("OnReceiveCEchoRequest", lambda scu: scu.SendCEchoRequest(1, 1, VERIFICATION)),
        (
            "OnReceiveCStoreRequest",
            lambda scu: scu.SendCStoreRequest(3, 1, CT, "1.2", 0, "", 0, DicomDataSet()),
        ),
    ],
)
def test_exception_while_serving_a_request_aborts(
    plain: Link, unraisable: Unraisable, name: str, ask: Callable[[Any], None] | None
) -> None:
    listener = plain.scp(**{name: broken})
    scu = plain.connected(listener)
    scu.SendAssociateRequest(request((VERIFICATION, IMPLICIT), (CT, EXPLICIT)))
    if ask is not None:
        scu.log.wait("OnReceiveAssociateAccept")
        ask(scu)
    assert scu.log.wait("OnReceiveAbort").arguments[0] == User
    assert scu.log.wait("OnClose").code == Aborted
    error = unraisable.expect(Broken, name)
    child = listener.child()
    child.log.wait("OnClose")
    assert child.failure.code == DicomExceptionCode.Callback
    assert child.failure.exception is error
    assert "on purpose" in child.failure.message


def test_exception_after_the_answer_does_not_abort(plain: Link, unraisable: Unraisable) -> None:
    def echo(net: DicomNet, context: int, message: int, sop_class: str) -> None:
        net.SendCEchoResponse(context, message, sop_class, 0)
        broken()

    scu = plain.associated(plain.scp(OnReceiveCEchoRequest=echo))
    for count in (1, 2):
        scu.SendCEchoRequest(1, count, VERIFICATION)
        scu.log.wait("OnReceiveCEchoResponse", count)
        unraisable.expect(Broken)
    scu.SendReleaseRequest()
    assert scu.log.wait("OnClose").code == Success


def test_exception_in_pumped_mode_comes_out_of_breathe(pumped: None, plain: Link) -> None:
    listener = plain.scp(OnReceiveCEchoRequest=broken)
    scu = plain.scu()
    scu.Connect(None, 0, "127.0.0.1", listener.HostPort)

    def until(log: Any, name: str) -> None:
        for _ in range(1000):
            if log.all(name):
                return
            DicomNet.Breathe(PATIENCE / 1000)
        pytest.fail(f"{name} did not come")

    until(scu.log, "OnConnect")
    scu.SendAssociateRequest(request((VERIFICATION, IMPLICIT)))
    until(scu.log, "OnReceiveAssociateAccept")
    scu.SendCEchoRequest(1, 1, VERIFICATION)
    with pytest.raises(Broken):
        until(scu.log, "OnReceiveAbort")
    until(scu.log, "OnClose")


# ---- time limits ----


def test_request_without_an_answer_ends_by_the_association_limit(plain: Link) -> None:
    listener = plain.scp(OnReceiveAssociateRequest=lambda net, asked: None)
    scu = plain.scu()
    scu.association_timeout = 0.2  # before connecting: a connection keeps what it began with
    assert scu.association_timeout == 0.2
    scu.Connect(None, 0, "127.0.0.1", listener.HostPort)
    scu.log.wait("OnConnect")
    scu.SendAssociateRequest(request((VERIFICATION, IMPLICIT)))
    assert scu.log.wait("OnClose").code == DicomExceptionCode.AssociationTimeout
    assert scu.failure.stage == "association"


def test_silent_requestor_ends_by_artim(plain: Link) -> None:
    listener = plain.scp()
    make = listener.make_child

    def impatient() -> Any:
        child: Any = make()
        child.artim_timeout = 0.2
        return child

    listener.make_child = impatient
    scu = plain.connected(listener)
    assert listener.child().log.wait("OnClose").code != Success
    scu.log.wait("OnClose")


def test_sizes_are_limits_too(plain: Link) -> None:
    scu = plain.scu()
    scu.limits["send_queue"] = 1 << 20
    assert scu.limits["send_queue"] == 1 << 20
    assert set(scu.limits) >= {"data_set_memory", "data_set_total", "send_queue"}


def test_dispose_inside_handlers(plain: Link) -> None:
    done = threading.Event()

    def dispose(net: DicomNet, *rest: Any) -> None:
        net.Dispose()
        assert not net.IsAssociated()
        assert net.Association is not None
        done.set()

    scu = plain.associated(plain.scp(OnReceiveCEchoRequest=dispose))
    scu.SendCEchoRequest(1, 1, VERIFICATION)
    assert done.wait(PATIENCE)
    assert scu.log.wait("OnClose").code != Success
