"""DicomConnection: handlers, overridables, threads, Ctrl-C, pumped delivery, lifetime."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomAssociate,
    DicomException,
    DicomExceptionCode,
    DicomNet,
)
from leadtools_compat.dicom.scu import (
    ClientAssociationException,
    ClientCommunicationException,
    DicomConnection,
    DicomScp,
    PresentationContext,
)
from tests.dicom.nodes import VERIFICATION
from tests.scu.conftest import Site
from tests.support import PATIENCE, refused


@pytest.mark.parametrize(
    "event",
    [
        "BeforeConnect",
        "AfterConnect",
        "BeforeAssociateRequest",
        "AfterAssociateRequest",
        "BeforeReleaseRequest",
        "AfterReleaseRequest",
    ],
)
def test_an_exception_in_a_handler_comes_out_of_the_call(plain: Site, event: str) -> None:
    _, scp = plain.node()
    scu = plain.scu(DicomConnection)

    def fail(sender: Any, e: Any) -> None:
        raise ZeroDivisionError(event)

    handlers = getattr(scu, event)
    handlers += fail
    with pytest.raises(ZeroDivisionError, match=event):
        scu.Verify(scp)
    assert not scu.IsConnected()
    handlers -= fail
    assert scu.Verify(scp)


def test_an_exception_in_an_override_aborts_and_comes_out(plain: Site) -> None:
    class Fails(DicomConnection):
        def OnReceiveCEchoResponse(self, *arguments: Any) -> None:
            raise LookupError("mine")

    node, scp = plain.node()
    scu = plain.scu(Fails)
    with pytest.raises(LookupError, match="mine"):
        scu.Verify(scp)
    node.child().log.wait("OnReceiveAbort")


def test_an_override_without_the_base_sets_the_response(plain: Site) -> None:
    class Own(DicomConnection):
        heard: list[str]

        def OnConnect(self, error: DicomExceptionCode) -> None:
            self.heard = ["OnConnect"]
            self.dicomEventResponse.Set()

        def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
            self.heard.append("accept")
            self.dicomEventResponse.Set()

        def OnReceiveCEchoResponse(self, *arguments: Any) -> None:
            self.heard.append("echo")
            self._Status = arguments[-1]
            self.dicomEventResponse.Set()

        def OnReceiveReleaseResponse(self) -> None:
            self.heard.append("release")
            self.dicomEventResponse.Set()

        def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
            self.heard.append("close")
            self.dicomEventResponse.Set()

    _, scp = plain.node()
    scu = plain.scu(Own)
    assert scu.Verify(scp)
    assert scu.heard == ["OnConnect", "accept", "echo", "release", "close"]
    assert scu.Verify(scp)


def test_a_subclass_may_have_members_of_our_names(plain: Site) -> None:
    class Port(DicomConnection):
        Status: Any = "mine"
        Tag = 5
        ImplementationClass: Any = "mine"
        _Rejected = True
        Timeout = "mine"
        Event = Init = Terminate = None

        def Wait(self) -> bool:
            raise AssertionError("called by the library")

        def Connect(self, server: Any) -> None:  # type: ignore[override]
            raise AssertionError("called by the library")

    _, scp = plain.node()
    assert plain.scu(Port).Verify(scp)


def test_a_port_of_its_own_exchange_with_protected_members(plain: Site) -> None:
    class Echo(DicomConnection):
        def GetPresentationContexts(self) -> list[PresentationContext]:
            return [PresentationContext(VERIFICATION)]

        def Echo(self, scp: DicomScp) -> int:
            self.Connect(scp)
            with self.BuildAssociation(scp) as request:
                self.SendAssociateRequest(request)
            assert self.Wait()
            self.dicomEventResponse.Reset()
            self.SendCEchoRequest(1, 7, VERIFICATION)
            assert self.Wait()
            status = self.parameters.Status
            self.Release()
            return status

    _, scp = plain.node()
    scu = plain.scu(Echo)
    assert scu.Echo(scp) == 0
    assert not scu.IsConnected()


def test_before_associate_request_may_change_the_request(plain: Site) -> None:
    node, scp = plain.node()
    scu = plain.scu(DicomConnection)

    def add(sender: Any, e: Any) -> None:
        e.Associate.AddPresentationContext(9, 0, "1.2.3")
        e.Associate.AddTransfer(9, "1.2.840.10008.1.2")

    scu.BeforeAssociateRequest += add
    assert scu.Verify(scp)
    asked = node.child().log.wait("OnReceiveAssociateRequest").arguments[0]
    assert asked.FindAbstract("1.2.3") == 9


def test_properties_go_into_the_request(plain: Site) -> None:
    node, scp = plain.node()
    scu = plain.scu(DicomConnection)
    scu.ImplementationClass, scu.ImplementationVersionName = "1.2.3.4", "MINE_1"
    scu.MaxLength, scu.ProtocolVersion = 20000, 1
    assert scu.Verify(scp)
    asked = node.child().log.wait("OnReceiveAssociateRequest").arguments[0]
    assert (asked.ImplementClass, asked.ImplementationVersionName) == ("1.2.3.4", "MINE_1")
    assert (asked.MaxLength, asked.Version) == (20000, 1)


def test_a_call_inside_a_callback_of_the_same_object_is_refused(plain: Site) -> None:
    _, scp = plain.node()
    scu = plain.scu(DicomConnection)
    scu.AfterAssociateRequest += lambda sender, e: sender.Verify(scp)
    with refused(DicomExceptionCode.InvalidState, "inside one of its own callbacks"):
        scu.Verify(scp)


def test_two_calls_at_once_are_refused(plain: Site) -> None:
    _, scp = plain.node()
    scu = plain.scu(DicomConnection)
    other: list[BaseException] = []

    def call() -> None:
        try:
            scu.Verify(scp)
        except DicomException as error:
            other.append(error)

    def second(sender: Any, e: Any) -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join(PATIENCE)

    scu.AfterConnect += second
    assert scu.Verify(scp)
    assert isinstance(other[0], DicomException)
    assert other[0].Code == DicomExceptionCode.InvalidState


def test_objects_may_call_from_many_threads(site: Site) -> None:
    _, scp = site.node()
    results: list[bool] = []

    def call() -> None:
        results.append(site.scu(DicomConnection).Verify(scp))

    threads = [threading.Thread(target=call) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert results == [True] * 6


@pytest.mark.parametrize("way", ["CloseForced", "CloseSilent", "Dispose", "AbortRequest"])
def test_another_thread_ends_a_call(plain: Site, way: str) -> None:
    scu = plain.scu(DicomConnection)

    def end(*arguments: Any) -> None:
        if way == "AbortRequest":
            scu.AbortRequest(DicomAbortSourceType.User, DicomAbortReasonType.Unknown)
        elif way == "Dispose":
            scu.Dispose()
        else:
            scu.CloseForced(way == "CloseForced")

    _, scp = plain.node(OnReceiveCEchoRequest=end)
    expected = (ClientAssociationException, ClientCommunicationException)
    with pytest.raises(expected) as caught:
        scu.Verify(scp)
    if way == "AbortRequest":
        assert isinstance(caught.value, ClientAssociationException)


def test_ctrl_c_ends_a_call(plain: Site) -> None:
    def interrupt(*arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    node, scp = plain.node(OnReceiveCEchoRequest=interrupt)
    scu = plain.scu(DicomConnection)
    with pytest.raises(KeyboardInterrupt):
        scu.Verify(scp)
    assert not scu.IsConnected()
    node.child().log.wait("OnReceiveAbort")


def test_pumped_mode(pumped: None, plain: Site) -> None:
    node, scp = plain.node()
    scu = plain.scu(DicomConnection)
    assert scu.Verify(scp)
    node.Dispose()


def test_an_object_that_nobody_holds_goes(plain: Site) -> None:
    _, scp = plain.node()
    scu = DicomConnection()
    scu.AETitle = "OURS"
    assert scu.Verify(scp)
    gone = threading.Event()
    weak = weakref.ref(scu, lambda _: gone.set())
    del scu
    for _ in range(int(PATIENCE * 10)):  # a worker may still be on its way out of the last callback
        gc.collect()
        if gone.wait(0.1):
            break
    assert weak() is None


def test_the_constructor_has_to_run() -> None:
    class Forgot(DicomConnection):
        def __init__(self) -> None:
            pass

    with refused(DicomExceptionCode.InvalidState, "super().__init__()"):
        Forgot().Verify(DicomScp("localhost", "X", 104))


# ---- TLS ----------------------------------------------------------------------------------------
