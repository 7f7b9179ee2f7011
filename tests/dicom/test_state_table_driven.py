"""Every cell of PS3.8 Table 9-10 that a peer can cause, driven by a peer that sends just that PDU.

Sta1 and Sta4 have no peer that could send. What each cell asks for is read from
``docs/state-table.md``, which is drawn from the compiled table.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from leadtools_compat.dicom import DicomAssociate, DicomExceptionCode, DicomNet
from tests.dicom.bare import (
    ABORT,
    CONTEXTS,
    REJECT,
    RELEASE_REQUEST,
    RELEASE_RESPONSE,
    answer_to,
    bare_acceptor,
    bare_requestor,
    connected_acceptor,
    connected_requestor,
    echo_request,
    pdu,
)
from tests.dicom.nodes import Link, request
from tests.support import PATIENCE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "state-table.md"
STATES = (2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13)
Success = DicomExceptionCode.Success


def association_request() -> bytes:
    with request(*CONTEXTS) as asking:
        return asking.to_bytes()


def association_accept() -> bytes:
    with request(*CONTEXTS) as asking:
        return answer_to(asking)


EVENTS: dict[int, bytes] = {
    3: association_accept(),
    4: REJECT,
    6: association_request(),
    10: echo_request(9),
    12: RELEASE_REQUEST,
    13: RELEASE_RESPONSE,
    16: ABORT,
    19: b"\x5a\0\0\0\0\0",
}


def table() -> dict[tuple[int, int], str]:
    """Read the cells: (event, state) to action, "" for an empty one."""
    cells = {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("| **Evt"):
            first, *rest = [one.strip() for one in line.strip("|").split("|")]
            event = int(first.removeprefix("**Evt").partition("**")[0])
            cells.update({(event, state): one for state, one in enumerate(rest, 1)})
    return cells


CELLS = table()


class Stage(NamedTuple):
    """Our net in the state wanted, and its peer."""

    net: Any
    peer: Any
    reader: Any


@contextmanager
def in_state(plain: Link, state: int) -> Iterator[Stage]:
    """Bring a net of ours into a state."""
    quiet: dict[str, Any] = {"OnReceiveReleaseRequest": lambda net: None}
    with ExitStack() as stack:
        if state in (5, 7, 9, 11):  # as a requestor
            net = plain.scu(OnReceiveReleaseResponse=lambda net: None, **quiet)
            opener: Any = connected_acceptor if state == 5 else bare_acceptor
            peer, reader = stack.enter_context(opener(net))
        else:
            if state == 3:
                quiet["OnReceiveAssociateRequest"] = lambda net, asked: None
            listener = plain.scp(OnReceiveReleaseResponse=lambda net: None, **quiet)
            opener = connected_requestor if state in (2, 3) else bare_requestor
            peer, reader = stack.enter_context(opener(listener))
            net = listener.child()
            if state not in (2, 3):
                net.log.wait("OnReceiveAssociateRequest")  # written when it has been answered
        if state == 3:
            peer.sendall(association_request())
            net.log.wait("OnReceiveAssociateRequest")
        if state == 5:
            with request(*CONTEXTS) as asking:
                net.SendAssociateRequest(asking)
            DicomAssociate.from_bytes(pdu(reader)).Dispose()
        if state in (7, 9, 10, 11, 12):
            net.SendReleaseRequest()
            assert pdu(reader) == RELEASE_REQUEST
        if state in (8, 9, 10, 11, 12):
            peer.sendall(RELEASE_REQUEST)
            net.log.wait("OnReceiveReleaseRequest")
        if state == 11:
            net.SendReleaseResponse()
            assert pdu(reader) == RELEASE_RESPONSE
        if state == 12:
            peer.sendall(RELEASE_RESPONSE)
            net.log.wait("OnReceiveReleaseResponse")
        if state == 13:
            net.SendAbort(0, 0)
            assert pdu(reader)[0] == 7
        yield Stage(net, peer, reader)


TOLD = {
    3: "OnReceiveAssociateAccept",
    4: "OnReceiveAssociateReject",
    6: "OnReceiveAssociateRequest",
    10: "OnReceiveCEchoRequest",
    12: "OnReceiveReleaseRequest",
    13: "OnReceiveReleaseResponse",
    16: "OnReceiveAbort",
}


def check(stage: Stage, event: int, action: str, told_before: int) -> None:
    """Look at what the peer and the user see of an action."""
    net = stage.net
    told = TOLD.get(event, "")
    if action in ("AA-1", "AA-7", "AA-8"):
        answer = pdu(stage.reader)
        assert answer[0] == 7, answer
        assert answer[8] == 2  # the provider
        if action == "AA-7":  # and still waits for the peer's end
            stage.peer.sendall(ABORT)
        assert stage.reader.read(1) == b""
        code = net.log.wait("OnClose").code
        if action != "AA-7":
            assert code in (
                DicomExceptionCode.PduUnexpected,
                DicomExceptionCode.PduInvalid,
                DicomExceptionCode.NetProtocol,  # nothing of DICOM came before it
            )
            assert net.failure.code == code
    elif action in ("AE-4", "AR-3", "AA-3"):  # told, and closed by us
        net.log.wait(told, told_before + 1)
        assert stage.reader.read(1) == b""
        code = net.log.wait("OnClose").code
        assert (code == Success) == (action != "AA-3")
        return
    elif action == "AA-2":  # closed by us, not told
        assert stage.reader.read(1) == b""
        net.log.wait("OnClose")
    elif action == "AA-6":  # nothing at all: an abort afterwards finds it still waiting
        stage.peer.sendall(ABORT)
        assert stage.reader.read(1) == b""
        net.log.wait("OnClose")
    else:  # told, and it goes on
        net.log.wait(told, told_before + 1)
        assert not net.log.all("OnClose")
        stage.peer.sendall(ABORT)
        net.log.wait("OnReceiveAbort")
        net.log.wait("OnClose")
        return
    if told:
        assert len(net.log.all(told)) == told_before


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_cell(plain: Link, state: int, event: int) -> None:
    action = CELLS[event, state]
    assert action, f"Evt{event} in Sta{state} is not empty in PS3.8"
    with in_state(plain, state) as stage:
        told_before = len(stage.net.log.all(TOLD.get(event, "none")))
        stage.peer.sendall(EVENTS[event])
        check(stage, event, action, told_before)


@pytest.mark.parametrize("state", STATES)
def test_end_of_the_transport(plain: Link, state: int) -> None:
    """Evt17: a proper end before and after an association, else a broken one."""
    with in_state(plain, state) as stage:
        pass
    code = stage.net.log.wait("OnClose").code
    assert (code == Success) == (state in (2, 13)), code


@pytest.mark.parametrize("state", STATES)
def test_local_primitives_that_have_no_place_are_refused(plain: Link, state: int) -> None:
    """Evt7, 8, 9, 11, 14, 15: an empty cell is an exception, and nothing is sent."""
    primitives: dict[int, Any] = {
        7: lambda net: net.SendAssociateAccept(DicomAssociate(False)),
        8: lambda net: net.SendAssociateReject(1, 1, 1),
        9: lambda net: net.SendCEchoRequest(1, 1, CONTEXTS[0][0]),
        11: DicomNet.SendReleaseRequest,
        14: DicomNet.SendReleaseResponse,
        15: lambda net: net.SendAbort(0, 0),
    }
    with in_state(plain, state) as stage:
        for event, primitive in primitives.items():
            # Sta10: a response that is given before its time is kept for Sta12.
            if CELLS[event, state] == "" and (event, state) != (14, 10):
                with pytest.raises(Exception) as caught:  # noqa: PT011 - looked at below
                    primitive(stage.net)
                assert getattr(caught.value, "Code", None) in (
                    DicomExceptionCode.InvalidState,
                    DicomExceptionCode.AssociationNotEstablished,
                ), (event, caught.value)
        stage.peer.settimeout(PATIENCE)
        stage.peer.sendall(ABORT)
        assert stage.reader.read() == b""
