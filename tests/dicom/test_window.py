"""How many operations are open at once: the asynchronous operations window, honoured both ways."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from leadtools_compat.dicom import DicomAssociate, DicomDataSet, DicomExceptionCode, DicomNet
from tests.dicom.bare import (
    RELEASE_REQUEST,
    RELEASE_RESPONSE,
    bare_acceptor,
    bare_requestor,
    command,
    echo_request,
    echo_response,
    p_data,
    pdu,
)
from tests.dicom.nodes import FIND, IMPLICIT, VERIFICATION, Link, dataset
from tests.support import PATIENCE

Success = DicomExceptionCode.Success


def echo(net: Any, *numbers: int) -> None:
    for number in numbers:
        net.SendCEchoRequest(1, number, VERIFICATION)


def quiet(peer: Any) -> bool:
    """Tell whether nothing comes: a look that has to take a moment."""
    peer.settimeout(0.15)
    try:
        return not peer.recv(1)
    except TimeoutError:
        return True
    finally:
        peer.settimeout(PATIENCE)


def accept_window(net: DicomNet, asked: DicomAssociate) -> None:
    """Accept every context, and the window that the peer wants."""
    with DicomAssociate(False) as answer:
        answer.Called, answer.Calling = asked.Called, asked.Calling
        for index in range(asked.PresentationContextCount):
            number = asked.GetPresentationContextID(index)
            answer.AddPresentationContext(number, 0, asked.GetAbstract(number))
            answer.AddTransfer(number, asked.GetTransfer(number, 0))
        answer.SetAsynchronousOperations(
            True, asked.InvokedOperationsCount, asked.PerformedOperationsCount
        )
        net.SendAssociateAccept(answer)


# ---- sending ----


def test_requests_wait_for_answers_when_no_window_was_agreed(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu) as (peer, reader):
        echo(scu, 1, 2, 3)
        for number in (1, 2, 3):
            assert pdu(reader) == echo_request(number)
            if number == 1:
                assert quiet(peer)
            peer.sendall(echo_response(number))
        scu.log.wait("OnReceiveCEchoResponse", 3)


def test_window_is_filled_and_answers_in_any_order_make_room(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu, window=(3, 1)) as (peer, reader):
        echo(scu, *range(1, 6))
        for number in (1, 2, 3):
            assert pdu(reader) == echo_request(number)
        assert quiet(peer)
        peer.sendall(echo_response(2))
        assert pdu(reader) == echo_request(4)
        peer.sendall(echo_response(4))
        assert pdu(reader) == echo_request(5)


def test_zero_is_no_limit(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu, window=(0, 0)) as (_, reader):
        echo(scu, *range(1, 200))
        for number in range(1, 200):
            assert pdu(reader) == echo_request(number)


def test_pending_responses_make_no_room_and_a_cancel_overtakes(plain: Link) -> None:
    scu = plain.scu()
    pending = command(0x8020, 1, FIND, data=True, Status=0xFF00)
    final = command(0x8020, 1, FIND, Status=0xFE00)
    with bare_acceptor(scu, (FIND, IMPLICIT), (VERIFICATION, IMPLICIT)) as (peer, reader):
        scu.SendCFindRequest(1, 1, FIND, 0, DicomDataSet.from_pydicom(dataset()))
        scu.SendCEchoRequest(3, 2, VERIFICATION)
        scu.SendCCancelRequest(1, 1)
        assert b"\x20\0" in pdu(reader)  # the C-FIND-RQ
        peer.sendall(p_data((1, 3, pending), (1, 2, b"\x08\0\x50\0\0\0\0\0")))
        scu.log.wait("OnReceiveCFindResponse")
        assert b"\xff\x0f" in pdu(reader)  # C-CANCEL-RQ
        assert quiet(peer)
        peer.sendall(p_data((1, 3, final)))
        assert pdu(reader)[10] == 3


def test_response_with_a_wrong_id_does_not_block_for_good(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu) as (peer, reader):
        echo(scu, 1, 2)
        assert pdu(reader) == echo_request(1)
        peer.sendall(echo_response(77))
        assert pdu(reader) == echo_request(2)


def test_release_goes_out_behind_the_requests(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu) as (peer, reader):
        echo(scu, 1, 2)
        scu.SendReleaseRequest()
        for number in (1, 2):
            assert pdu(reader) == echo_request(number)
            peer.sendall(echo_response(number))
        assert pdu(reader) == RELEASE_REQUEST
        peer.sendall(RELEASE_RESPONSE)
        assert scu.log.wait("OnClose").code == Success
        assert len(scu.log.all("OnReceiveCEchoResponse")) == 2


def test_peer_that_releases_instead_of_answering_gets_its_response(plain: Link) -> None:
    scu = plain.scu(OnReceiveReleaseRequest=DicomNet.SendReleaseResponse)
    with bare_acceptor(scu) as (peer, reader):
        echo(scu, 1, 2)
        assert pdu(reader) == echo_request(1)
        peer.sendall(RELEASE_REQUEST)
        assert pdu(reader) == RELEASE_RESPONSE
    assert scu.log.wait("OnClose").code == Success


def test_close_does_not_wait_for_answers_longer_than_the_linger_limit(plain: Link) -> None:
    scu = plain.scu()
    scu.linger_timeout = 0.3
    with bare_acceptor(scu) as (_, reader):
        echo(scu, 1, 2)
        assert pdu(reader) == echo_request(1)
        scu.Close()
        assert scu.log.wait("OnClose").code == Success


# ---- receiving ----


class Later:
    """An SCP's echo that is answered when the test says."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self._changed = threading.Condition()

    def __call__(self, net: Any, context: int, number: int, sop_class: str) -> None:
        with self._changed:
            self.told.append(number)
            self._changed.notify_all()

    def wait(self, count: int) -> list[int]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, PATIENCE), self.told
            return list(self.told)


def test_peer_that_sends_too_many_requests_is_served_one_after_the_other(
    delivery: str, plain: Link
) -> None:
    later = Later()
    listener = plain.scp(OnReceiveCEchoRequest=later)
    with bare_requestor(listener) as (peer, reader):
        peer.sendall(b"".join(echo_request(number) for number in range(1, 6)))
        child = listener.child()
        for number in range(1, 6):
            assert later.wait(number) == list(range(1, number + 1))
            assert quiet(peer) or number > 1
            assert len(later.told) == number
            child.SendCEchoResponse(1, number, VERIFICATION, 0)
            assert pdu(reader) == echo_response(number)


def test_window_that_was_agreed_is_performed_at_once(plain: Link) -> None:
    later = Later()
    listener = plain.scp(OnReceiveCEchoRequest=later, OnReceiveAssociateRequest=accept_window)
    with bare_requestor(listener, window=(2, 1)) as (peer, reader):
        peer.sendall(b"".join(echo_request(number) for number in (1, 2, 3)))
        child = listener.child()
        assert later.wait(2) == [1, 2]
        assert quiet(peer)
        assert later.told == [1, 2]
        child.SendCEchoResponse(1, 2, VERIFICATION, 0)
        assert pdu(reader) == echo_response(2)
        assert later.wait(3) == [1, 2, 3]


@pytest.mark.parametrize("end", ["release", "close"])
def test_all_requests_are_told_before_the_end(plain: Link, end: str) -> None:
    later = Later()
    listener = plain.scp(OnReceiveCEchoRequest=later, OnReceiveReleaseRequest=lambda net: None)
    with bare_requestor(listener) as (peer, _):
        peer.sendall(b"".join(echo_request(number) for number in (1, 2, 3)))
        if end == "release":
            peer.sendall(RELEASE_REQUEST)
        assert later.wait(1) == [1]
    child = listener.child()
    child.log.wait("OnClose")
    names = [name for name in child.log.names() if name != "OnReceiveAssociateRequest"]
    expected = ["OnReceiveCEchoRequest"] * 3
    if end == "release":
        expected.append("OnReceiveReleaseRequest")
    assert names == [*expected, "OnClose"]


def test_requests_that_nobody_answers_hold_nothing_up(plain: Link) -> None:
    """Without an override there is no answer to wait for."""
    seen: list[int] = []
    listener = plain.scp(
        OnReceiveData=lambda net, context, cs, ds: seen.append(cs.to_pydicom().MessageID)
    )
    make = listener.make_child

    def deaf() -> Any:
        child: Any = make()
        del child.OnReceiveCEchoRequest
        return child

    listener.make_child = deaf
    with bare_requestor(listener) as (peer, _):
        peer.sendall(b"".join(echo_request(number) for number in (1, 2, 3)))
        listener.child().log.wait("OnReceiveData", 3)
    assert seen == [1, 2, 3]


def test_two_of_ours_keep_to_what_they_agreed_on(link: Link) -> None:
    """Five hundred requests over a window of seven, answered late and out of order."""
    waiting: list[int] = []
    most: list[int] = []

    def serve(net: Any, context: int, number: int, sop_class: str) -> None:
        waiting.append(number)
        most.append(len(waiting))
        if len(waiting) == 7 or number > 493:
            for one in reversed(waiting):
                net.SendCEchoResponse(context, one, sop_class, 0)
            waiting.clear()

    listener = link.scp(OnReceiveCEchoRequest=serve, OnReceiveAssociateRequest=accept_window)
    scu = link.connected(listener)
    with DicomAssociate(True) as asked:
        asked.Called, asked.Calling = "SCP", "SCU"
        asked.AddPresentationContext(1, 0, VERIFICATION)
        asked.AddTransfer(1, IMPLICIT)
        asked.SetAsynchronousOperations(True, 7, 1)
        scu.SendAssociateRequest(asked)
    scu.log.wait("OnReceiveAssociateAccept")
    echo(scu, *range(1, 501))
    scu.log.wait("OnReceiveCEchoResponse", 500)
    assert max(most) == 7
