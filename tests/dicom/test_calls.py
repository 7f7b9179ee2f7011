"""Requests that wait for their response, on the calling thread."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomCommandStatusType,
    DicomDataSet,
    DicomException,
    DicomExceptionCode,
)
from tests.dicom.bare import (
    ABORT,
    RELEASE_REQUEST,
    InBackground,
    bare_acceptor,
    echo_request,
    echo_response,
    pdu,
)
from tests.dicom.nodes import BIG, CT, VERIFICATION, Link, dataset
from tests.support import PATIENCE, python, refused

Success = DicomCommandStatusType.Success


def test_status_of_the_response_is_returned_and_not_told(delivery: str, link: Link) -> None:
    statuses = iter((0, 0x0124, 0xB000, 0xFE00))
    listener = link.scp(
        OnReceiveCEchoRequest=lambda net, p, m, c: net.SendCEchoResponse(p, m, c, next(statuses))
    )
    scu = link.associated(listener)
    got = [scu.echo_and_wait(1, number, VERIFICATION) for number in range(4)]
    assert got == [0, 0x0124, 0xB000, 0xFE00]
    assert all(isinstance(one, DicomCommandStatusType) for one in got)
    assert not scu.log.all("OnReceiveCEchoResponse")


@pytest.mark.parametrize("size", [100, 64 << 10, 40 << 20])
def test_objects_of_all_sizes_are_stored(link: Link, size: int) -> None:
    listener = link.scp()
    scu = link.associated(listener)
    data = DicomDataSet.from_pydicom(dataset(size))
    for number in range(1, 4):
        assert scu.store_and_wait(3, number, CT, f"1.2.{number}", data) == Success
    got = listener.child().log.wait("OnReceiveCStoreRequest", 3).arguments[-1]
    assert got.to_pydicom() == dataset(size)


def test_thousand_stores_one_after_the_other(link: Link) -> None:
    scu = link.associated(link.scp())
    data = DicomDataSet.from_pydicom(dataset(1000))
    for number in range(1000):
        assert scu.store_and_wait(3, number, CT, "1.2.3", data) == Success
    scu.SendReleaseRequest()
    scu.log.wait("OnClose")


def test_data_set_is_converted_for_its_context(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.associated(listener, (CT, BIG))
    assert scu.store_and_wait(1, 1, CT, "1.2", DicomDataSet.from_pydicom(dataset(50))) == Success
    got = listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1]
    assert got.transfer_syntax == BIG


def test_response_that_does_not_come_is_a_timeout_and_told_when_it_comes(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu) as (peer, reader):
        began = time.monotonic()
        with refused(DicomExceptionCode.NetTimeout, "message id 7"):
            scu.echo_and_wait(1, 7, VERIFICATION, timeout=0.5)
        assert time.monotonic() - began >= 0.5
        assert pdu(reader) == echo_request(7)
        peer.sendall(echo_response(7))
        assert scu.log.wait("OnReceiveCEchoResponse").arguments[1] == 7
        later = InBackground(lambda: scu.echo_and_wait(1, 8, VERIFICATION))
        assert pdu(reader) == echo_request(8)
        peer.sendall(echo_response(8))
        assert later.outcome() == Success


def test_many_threads_call_at_once(link: Link) -> None:
    listener = link.scp()
    scu = link.associated(listener)

    def some(first: int) -> list[int]:
        return [scu.echo_and_wait(1, first + number, VERIFICATION) for number in range(50)]

    calls = [InBackground(partial(some, first)) for first in range(0, 400, 50)]
    for one in calls:
        assert one.outcome() == [Success] * 50


def test_other_threads_send_while_one_waits(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu, window=(0, 0)) as (peer, reader):
        waits = InBackground(lambda: scu.echo_and_wait(1, 1, VERIFICATION))
        assert pdu(reader) == echo_request(1)
        scu.SendCEchoRequest(1, 2, VERIFICATION)  # wakes the thread that waits, which sends it
        assert pdu(reader) == echo_request(2)
        peer.sendall(echo_response(2))
        scu.log.wait("OnReceiveCEchoResponse")
        assert waits.running()
        peer.sendall(echo_response(1))
        assert waits.outcome() == Success


def test_peer_is_served_while_one_waits(plain: Link) -> None:
    """What the peer asks meanwhile is told on another thread."""
    scu = plain.scu(OnReceiveCEchoRequest=lambda net, p, m, c: net.SendCEchoResponse(p, m, c, 0))
    with bare_acceptor(scu) as (peer, reader):
        waits = InBackground(lambda: scu.echo_and_wait(1, 1, VERIFICATION))
        assert pdu(reader) == echo_request(1)
        peer.sendall(echo_request(99))
        assert pdu(reader) == echo_response(99)
        peer.sendall(echo_response(1))
        assert waits.outcome() == Success


@pytest.mark.parametrize("how", ["abort", "close", "local abort", "close forced", "dispose"])
def test_end_of_the_connection_ends_the_call(plain: Link, how: str) -> None:
    scu = plain.scu()
    with bare_acceptor(scu) as (peer, reader):
        waits = InBackground(lambda: scu.echo_and_wait(1, 1, VERIFICATION, timeout=3 * PATIENCE))
        assert pdu(reader) == echo_request(1)
        if how == "abort":
            peer.sendall(ABORT)
        elif how == "close":
            peer.shutdown(2)
        elif how == "local abort":
            scu.SendAbort(0, 0)
            peer.shutdown(2)
        elif how == "close forced":
            scu.CloseForced(True)
        else:
            scu.Dispose()
        error = waits.outcome()
        assert isinstance(error, DicomException)
        assert error.Code not in (DicomExceptionCode.NetTimeout, DicomExceptionCode.Success)
        if how == "abort":
            assert error.Code == DicomExceptionCode.AssociationAborted
            scu.log.wait("OnReceiveAbort")
        if how != "dispose":
            scu.log.wait("OnClose")


def test_connection_is_watched_between_calls(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu) as (peer, reader):
        for number in (1, 2):
            waits = InBackground(partial(scu.echo_and_wait, 1, number, VERIFICATION))
            assert pdu(reader) == echo_request(number)
            peer.sendall(echo_response(number))
            assert waits.outcome() == Success
        peer.sendall(RELEASE_REQUEST)
        scu.log.wait("OnReceiveReleaseRequest")


def test_call_in_an_override(plain: Link) -> None:
    """The SCP asks back before it answers; the SCU's thread is not in the way."""
    statuses: list[int] = []

    def serve(net: Any, p: int, m: int, c: str) -> None:
        statuses.append(net.echo_and_wait(p, 500, c))
        net.SendCEchoResponse(p, m, c, 0)

    listener = plain.scp(OnReceiveCEchoRequest=serve)
    scu = plain.associated(
        listener,
        OnReceiveCEchoRequest=lambda net, p, m, c: net.SendCEchoResponse(p, m, c, 0x0110),
    )
    assert scu.echo_and_wait(1, 1, VERIFICATION) == Success
    assert statuses == [0x0110]


def test_message_id_that_is_awaited_already(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu, window=(0, 0)) as (peer, reader):
        waits = InBackground(lambda: scu.echo_and_wait(1, 1, VERIFICATION))
        assert pdu(reader) == echo_request(1)
        with refused(DicomExceptionCode.Parameter, "message id 1", "awaited"):
            scu.echo_and_wait(1, 1, VERIFICATION)
        peer.sendall(echo_response(1))
        assert waits.outcome() == Success


def test_without_an_association_and_with_wrong_arguments(plain: Link) -> None:
    net = plain.scu()
    with refused(DicomExceptionCode.AssociationNotEstablished):
        net.echo_and_wait(1, 1, VERIFICATION)
    with refused(DicomExceptionCode.Parameter, "timeout"):
        net.echo_and_wait(1, 1, VERIFICATION, timeout=-1)
    scu = plain.associated(plain.scp())
    with refused(DicomExceptionCode.PresentationContextInvalid):
        scu.echo_and_wait(77, 1, VERIFICATION)
    assert scu.echo_and_wait(1, 1, VERIFICATION) == Success


CTRL_C = """
import os, signal, sys, threading
sys.path.insert(0, sys.argv[2])
from leadtools_compat.dicom import DicomAssociate, DicomNet
ready = threading.Event()
class Scu(DicomNet):
    def OnConnect(self, error):
        with DicomAssociate(True) as asked:
            asked.Called, asked.Calling = "A", "B"
            asked.AddPresentationContext(1, 0, "1.2.840.10008.1.1")
            asked.AddTransfer(1, "1.2.840.10008.1.2")
            self.SendAssociateRequest(asked)
    def OnReceiveAssociateAccept(self, association):
        ready.set()
with Scu(None, 0) as scu:
    scu.Connect(None, 0, "127.0.0.1", int(sys.argv[1]))
    assert ready.wait(20)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        scu.echo_and_wait(1, 1, "1.2.840.10008.1.1", timeout=60)
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_ctrl_c_ends_the_wait(plain: Link) -> None:
    listener = plain.scp(OnReceiveCEchoRequest=lambda *arguments: None)
    began = time.monotonic()
    done = python("-c", CTRL_C, listener.HostPort, Path.cwd())
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")
    assert time.monotonic() - began < PATIENCE
