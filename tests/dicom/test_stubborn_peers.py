"""Peers that do not read, do not close, or reset: nobody hangs, and what was said first is told."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomDataSet,
    DicomException,
    DicomExceptionCode,
)
from tests.dicom.bare import (
    ABORT,
    RELEASE_REQUEST,
    RELEASE_RESPONSE,
    InBackground,
    bare_acceptor,
    bare_requestor,
    echo_request,
    echo_response,
    pdu,
)
from tests.dicom.nodes import CT, VERIFICATION, Link, dataset
from tests.support import PATIENCE

Success = DicomExceptionCode.Success
User, Unknown = DicomAbortSourceType.User, DicomAbortReasonType.Unknown
LARGE = 24 << 20
"""Bytes that no socket buffer takes."""


def store(scu: Any, number: int, size: int = LARGE) -> None:
    data = DicomDataSet.from_pydicom(dataset(size))
    scu.SendCStoreRequest(3, number, CT, f"1.2.{number}", 0, "", 0, data)


def echo_until_full(scu: Any) -> None:
    """Send until the queue is full, which blocks."""
    for number in range(1 << 20):
        scu.SendCEchoResponse(1, number & 0xFFFF, VERIFICATION, 0)


def stuck(scu: Any) -> InBackground:
    """Have a sender that waits for a peer that does not read."""
    scu.limits["send_queue"] = 64 << 10
    store(scu, 1)
    sender = InBackground(lambda: echo_until_full(scu))
    assert sender.running(0.3)
    return sender


@pytest.fixture
def scu(plain: Link) -> Any:
    made = plain.scu()
    made.artim_timeout = 0.5
    made.limits["send_queue"] = 64 << 10
    return made


def test_abort_overtakes_what_is_queued_and_frees_a_sender(scu: Any) -> None:
    with bare_acceptor(scu) as (_, reader):
        scu.artim_timeout = PATIENCE
        sender = stuck(scu)
        scu.SendAbort(User, Unknown)
        refusal = sender.outcome()
        assert isinstance(refusal, DicomException)
        assert refusal.Code == DicomExceptionCode.AssociationNotEstablished
        assert not scu.IsAssociated()
        rest = b""
        while not rest.endswith(b"\7\0\0\0\0\4\0\0\0\0"):  # A-ABORT, PS3.8 9.3.8
            rest += (more := reader.read1())
            assert more, "closed without an A-ABORT"
        assert len(rest) < LARGE
    assert scu.log.wait("OnClose").code == Success


def test_abort_that_the_peer_never_reads_ends_by_artim(scu: Any) -> None:
    with bare_acceptor(scu):
        stuck(scu)
        scu.SendAbort(User, Unknown)
        scu.log.wait("OnClose")


def test_protocol_error_of_a_peer_that_does_not_read_ends_by_artim(scu: Any) -> None:
    with bare_acceptor(scu) as (peer, _):
        sender = stuck(scu)
        peer.sendall(RELEASE_RESPONSE)  # not allowed in Sta6
        assert isinstance(sender.outcome(), DicomException)
        assert scu.log.wait("OnClose").code == DicomExceptionCode.PduUnexpected


def test_abort_of_a_peer_that_does_not_read_ends_at_once(scu: Any) -> None:
    scu.artim_timeout = 10 * PATIENCE
    states: list[bool] = []
    scu.hooks["OnReceiveAbort"] = lambda net, *rest: states.append(net.IsAssociated())
    with bare_acceptor(scu) as (peer, _):
        sender = stuck(scu)
        peer.sendall(ABORT)
        scu.log.wait("OnReceiveAbort")
        assert scu.log.wait("OnClose").code == DicomExceptionCode.NetConnectionAborted
        assert isinstance(sender.outcome(), DicomException)
    assert states == [False]
    assert scu.failure.code == DicomExceptionCode.AssociationAborted


def test_abort_before_a_reset_is_told(scu: Any) -> None:
    """A peer that aborts and closes with unread data resets the connection."""
    for count in range(1, 11):
        with bare_acceptor(scu) as (peer, _):
            store(scu, 1)
            peer.sendall(ABORT)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        scu.log.wait("OnClose", count)
        assert len(scu.log.all("OnReceiveAbort")) == count
        assert scu.failure.code == DicomExceptionCode.AssociationAborted


def test_abort_without_an_association_only_closes(scu: Any) -> None:
    """PS3.8 Table 9-10, Evt15 in Sta4: AA-2."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        scu.Connect(None, 0, "127.0.0.1", server.getsockname()[1])
        peer, _ = server.accept()
        peer.settimeout(PATIENCE)
        with peer:
            scu.log.wait("OnConnect")
            scu.SendAbort(User, Unknown)
            assert peer.recv(100) == b""
            assert scu.log.wait("OnClose").code == Success


def test_association_is_over_when_its_release_is_confirmed(scu: Any) -> None:
    states: list[bool] = []
    scu.hooks["OnReceiveReleaseResponse"] = lambda net: states.append(net.IsAssociated())
    with bare_acceptor(scu) as (peer, reader):
        scu.SendReleaseRequest()
        assert pdu(reader) == RELEASE_REQUEST
        peer.sendall(RELEASE_RESPONSE)
        scu.log.wait("OnClose")
    assert states == [False]


def test_queue_is_full_only_after_the_send_timeout(scu: Any) -> None:
    scu.send_timeout = 0.4
    with bare_acceptor(scu):
        store(scu, 1)
        began = time.monotonic()
        with pytest.raises(DicomException) as caught:
            echo_until_full(scu)
        assert caught.value.Code == DicomExceptionCode.NetQueueFull
        assert time.monotonic() - began >= 0.4
        assert scu.IsAssociated()


def test_message_in_hand_does_not_count_for_the_queue(scu: Any) -> None:
    with bare_acceptor(scu):
        store(scu, 1)
        scu.SendCEchoResponse(1, 2, VERIFICATION, 0)
        scu.SendCEchoResponse(1, 3, VERIFICATION, 0)


def test_pdu_is_shown_before_the_messages_in_it(plain: Link) -> None:
    """Two messages in one P-DATA-TF: the PDU comes first (help: OnReceive)."""
    listener = plain.scp(OnReceive=lambda *arguments: None)
    with bare_requestor(listener) as (peer, reader):
        log = listener.child().log
        one, two = echo_request(1), echo_request(2)
        both = one[6:] + two[6:]
        peer.sendall(b"\4\0" + len(both).to_bytes(4, "big") + both)
        assert pdu(reader) == echo_response(1)
        assert pdu(reader) == echo_response(2)
        log.wait("OnReceiveCEchoRequest", 2)
        assert log.names() == [
            "OnReceive",
            "OnReceiveAssociateRequest",
            "OnReceive",
            "OnReceiveCEchoRequest",
            "OnReceiveCEchoRequest",
        ]
