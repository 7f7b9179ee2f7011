"""`DicomConnection`: the frame of every blocking call."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._binding.lifetime import all_lives
from leadtools_compat.dicom import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandStatusType,
    DicomException,
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
    DicomSecurityCertificateExceptionCode,
)
from leadtools_compat.dicom.scu import (
    ClientAssociationException,
    ClientCommunicationException,
    ClientConnectionException,
    DicomConnection,
    DicomScp,
    PresentationContext,
)
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import VERIFICATION, Scp, accept_all
from tests.scu.conftest import Site, names, record
from tests.support import MUTUAL, NO_CHECK, PATIENCE, PEER, Listener, refused, secure, settings


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
    weak = weakref.ref(scu)
    del scu
    gc.collect()
    assert weak() is None


def test_the_constructor_has_to_run() -> None:
    class Forgot(DicomConnection):
        def __init__(self) -> None:
            pass

    with refused(DicomExceptionCode.InvalidState, "super().__init__()"):
        Forgot().Verify(DicomScp("localhost", "X", 104))


# ---- TLS ----------------------------------------------------------------------------------------


def tls_scu(
    pki: TestPki, nets: Callable[[Any], Any], flags: Any, client: bool = True
) -> DicomConnection:
    scu = DicomConnection(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, flags))
    nets(scu)
    scu.AETitle = "OURS"
    if client:
        scu.SetTlsClientCertificate(pki.client.combined_file, 1, None)
    return scu


@pytest.mark.parametrize("kind", ["expired", "unknown_ca", "no_purpose"])
@pytest.mark.parametrize("flags", [PEER, NO_CHECK])
def test_flags_of_the_constructor_decide_about_the_node(
    secure_site: Site, pki: TestPki, nets: Callable[[Any], Any], listen: Any, kind: str, flags: Any
) -> None:
    from tests.dicom.nodes import Scp
    from tests.support import tls_net

    bad = pki.make(kind)
    listener = listen(lambda: tls_net(pki, bad, NO_CHECK, cls=Scp))
    scu = tls_scu(pki, nets, flags)
    seen = record(scu)
    if flags == NO_CHECK:
        assert scu.Verify(secure_site.way(listener.HostPort))
        assert not scu.tls_verified
        return
    with pytest.raises(ClientConnectionException) as caught:
        scu.Verify(secure_site.way(listener.HostPort))
    assert caught.value.Code == DicomExceptionCode.TlsCertificateRejected
    assert caught.value.failure is not None
    assert caught.value.failure.certificate_code
    assert "VerifyCertificate" in names(seen)
    assert dict(seen)["AfterSecureLinkReady"].Error == DicomExceptionCode.TlsCertificateRejected
    assert names(seen)[-1] in ("AfterSecureLinkReady", "AfterClose")


def test_a_refused_certificate_of_ours_is_a_connection_failure(
    secure_site: Site, pki: TestPki
) -> None:
    _, scp = secure_site.node()
    scu = secure_site.scu(DicomConnection, pki.make("expired", role="client"))
    with pytest.raises(ClientConnectionException) as caught:
        scu.Verify(scp)
    assert caught.value.Code == DicomExceptionCode.TlsPeerRejectedCertificate


def test_a_missing_certificate_of_ours(secure_site: Site, pki: TestPki, nets: Any) -> None:
    _, scp = secure_site.node()
    with pytest.raises(ClientConnectionException) as caught:
        tls_scu(pki, nets, PEER, client=False).Verify(scp)
    assert caught.value.Code == DicomExceptionCode.TlsPeerRequiresCertificate


def test_verify_certificate_hears_every_certificate(secure_site: Site) -> None:
    _, scp = secure_site.node()
    scu = secure_site.scu(DicomConnection)
    seen = record(scu)
    assert scu.Verify(scp)
    told = [e for name, e in seen if name == "VerifyCertificate"]
    assert len(told) == 3  # root, intermediate, leaf
    assert all((e.Ok, e.Return) == (1, 1) for e in told)
    success = DicomSecurityCertificateExceptionCode.Success
    assert all(e.ErrorException.Code == success for e in told)
    assert "Subject Name:" in told[0].CertificateString


def answers(*values: Any) -> list[Callable[[Any, Any], None]]:
    """Make handlers that give these answers; None does not touch it."""

    def handler(value: Any) -> Callable[[Any, Any], None]:
        def handle(sender: Any, e: Any) -> None:
            if isinstance(value, BaseException):
                raise value
            if value is not None:
                e.Return = value

        return handle

    return [handler(value) for value in values]


@pytest.mark.parametrize(
    ("values", "good"),
    [
        ((1,), True),
        ((0,), False),
        ((2,), False),
        ((-1,), False),
        ((0, 1), False),
        ((1, 0), False),
        ((1, 0, 1), False),
        ((1, 1), True),
        ((None, 1), True),
        ((1, None), True),
        ((None,), True),
        ((True,), True),
        ((False, 1), False),
    ],
)
def test_any_refusal_of_several_handlers_counts(
    secure_site: Site, values: tuple[Any, ...], good: bool
) -> None:
    _, scp = secure_site.node()
    scu = secure_site.scu(DicomConnection)
    for handler in answers(*values):
        scu.VerifyCertificate += handler
    if good:
        assert scu.Verify(scp)
        return
    with pytest.raises(ClientConnectionException) as caught:
        scu.Verify(scp)
    assert caught.value.Code == DicomExceptionCode.TlsCertificateRejected


@pytest.mark.parametrize("values", [("yes",), (1, KeyError("mine")), (KeyError("mine"), 1)])
def test_an_exception_of_a_verify_handler_refuses_and_comes_out(
    secure_site: Site, values: tuple[Any, ...]
) -> None:
    node, scp = secure_site.node()
    scu = secure_site.scu(DicomConnection)
    for handler in answers(*values):
        scu.VerifyCertificate += handler
    with pytest.raises((KeyError, TypeError)):
        scu.Verify(scp)
    assert node.child().log.wait("OnSecureLinkReady").code != DicomExceptionCode.Success


def test_handlers_may_overrule_a_bad_certificate(
    secure_site: Site, pki: TestPki, nets: Any, listen: Any
) -> None:
    from tests.dicom.nodes import Scp
    from tests.support import tls_net

    bad = pki.make("expired")
    listener = listen(lambda: tls_net(pki, bad, MUTUAL, cls=Scp))
    scu = tls_scu(pki, nets, PEER)
    scu.VerifyCertificate += answers(1)[0]
    scu.VerifyCertificate += lambda sender, e: None  # one that only writes a log
    assert scu.Verify(secure_site.way(listener.HostPort))
    assert not scu.tls_verified


def test_the_password_comes_from_the_event(pki: TestPki, nets: Any, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(Path(pki.client.key_file).read_bytes(), None)
    locked = tmp_path / "key.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    scu = nets(DicomConnection(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, PEER)))
    with refused(DicomExceptionCode.TlsPrivateKeyPassword):
        scu.SetTlsClientCertificate(pki.client.combined_file, 1, locked)

    def password(sender: Any, e: Any) -> None:
        e.PrivateKeyPassword = "secret"

    scu.PrivateKeyPassword += password
    scu.SetTlsClientCertificate(pki.client.combined_file, 1, locked)
    scu.PrivateKeyPassword -= password


def test_a_plain_node_where_tls_is_spoken(secure_site: Site, plain: Site) -> None:
    _, scp = plain.node()
    with pytest.raises(ClientConnectionException) as caught:
        secure_site.scu(DicomConnection).Verify(scp)
    assert caught.value.Code == DicomExceptionCode.TlsPeerNotTls


# ---- properties ---------------------------------------------------------------------------------


def test_properties(plain: Site, tmp_path: Path) -> None:
    with DicomConnection(str(tmp_path)) as scu:
        assert scu.TemporaryDirectory == str(tmp_path)
        assert scu.SecurityMode == DicomNetSecurityMode.None_
        scu.HostAddress, scu.HostPort, scu.Tag = "127.0.0.1", 104, [1]
        assert (scu.HostAddress, scu.HostPort, scu.Tag) == ("127.0.0.1", 104, [1])
        assert scu.MaxLength == 262144
        assert scu.ProtocolVersion == 1
        assert scu.CurrentScp is None
        assert not scu.Rejected
        with refused(DicomExceptionCode.Parameter, "HostPort"):
            scu.HostPort = 65536
        with pytest.raises(TypeError, match="AETitle"):
            scu.AETitle = 5  # type: ignore[assignment]
        with pytest.raises(TypeError, match="event"):
            scu.AfterClose = 5  # type: ignore[assignment]
        with pytest.raises(TypeError, match="callable"):
            scu.AfterClose += 5  # type: ignore[arg-type]


def test_the_debug_log_says_what_goes_on(site: Site, tmp_path: Path) -> None:
    _, scp = site.node()
    scu = site.scu(DicomConnection)
    scu.DebugLogFilename = str(tmp_path / "log.txt")
    scu.EnableDebugLog = True
    assert scu.Verify(scp)
    text = (tmp_path / "log.txt").read_text()
    for words in (
        "CEchoRequest",
        "PDU AssociateRequest",
        "PDU AssociateAccept",
        "Status=0",
        "Close",
    ):
        assert words in text
    assert ("TLS" in text) == site.tls
    scu.EnableDebugLog = False
    assert scu.Verify(scp)
    assert (tmp_path / "log.txt").read_text() == text


def test_the_repr_says_who_and_how(plain: Site) -> None:
    _, scp = plain.node()
    scu = plain.scu(DicomConnection)
    assert repr(scu) == "<DicomConnection not connected>"
    scu.Verify(scp)
    assert repr(scu) == f"<DicomConnection not connected, NODE@127.0.0.1:{scp.Port}>"


class Answering(DicomNet):
    """A node without an `OnVerify`, so that it may resume sessions."""

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        accept_all(self, association)

    def OnReceiveCEchoRequest(self, presentationID: int, messageID: int, uid: str) -> None:
        self.SendCEchoResponse(presentationID, messageID, uid, 0)

    def OnReceiveReleaseRequest(self) -> None:
        self.SendReleaseResponse()


def test_sessions_are_resumed_only_while_nobody_judges(
    secure_site: Site, pki: TestPki, nets: Any, listen: Any
) -> None:
    def child() -> Answering:
        made = Answering(None, DicomNetSecurityMode.Tls)
        made.tls_resumption = True
        secure(made, pki.server, pki.ca_file, MUTUAL)
        return made

    scp = secure_site.way(listen(child).HostPort)
    scu = tls_scu(pki, nets, PEER)
    scu.tls_resumption = True
    resumed: list[bool] = []
    scu.AfterAssociateRequest += lambda sender, e: resumed.append(sender.tls_resumed)
    assert scu.Verify(scp)
    assert scu.Verify(scp)
    heard: list[str] = []

    def late(sender: Any, e: Any) -> None:
        scu.VerifyCertificate += lambda sender, e: heard.append(e.CertificateString)

    scu.AfterConnect += late  # too late for this link, which would have been resumed
    with pytest.raises(ClientConnectionException):
        scu.Verify(scp)
    scu.AfterConnect -= late
    assert scu.Verify(scp)
    assert resumed == [False, True, False]
    assert heard


# ---- more ---------------------------------------------------------------------------------------


def test_waiting_for_the_response_by_hand(plain: Site) -> None:
    scu = plain.scu(DicomConnection)
    assert not scu.dicomEventResponse.WaitOne(0)
    scu.dicomEventResponse.Set()
    assert scu.dicomEventResponse.WaitOne(0)
    assert not scu.dicomEventResponse.WaitOne(1)  # it was an auto-reset event
    timer = threading.Timer(0.2, scu.dicomEventResponse.Set)
    timer.start()
    assert scu.dicomEventResponse.WaitOne(int(PATIENCE * 1000))  # though nothing came for long
    scu.dicomEventResponse.Set()
    scu.dicomEventResponse.Reset()
    assert not scu.dicomEventResponse.WaitOne(1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_names_and_addresses_of_either_family(plain: Site, nets: Any, host: str) -> None:
    listener = nets(Listener(Scp))
    listener.Listen("::1" if host == "::1" else "127.0.0.1", 0, 5)
    scp = DicomScp(host, "NODE", listener.HostPort)
    assert plain.scu(DicomConnection).Verify(scp)
    assert str(scp.PeerAddress) == host


def test_no_time_limit_is_none(plain: Site) -> None:
    _, scp = plain.node()
    scp.Timeout = 0
    assert plain.scu(DicomConnection).Verify(scp)


def test_times_that_the_user_has_set_are_kept(plain: Site) -> None:
    _, scp = plain.node()
    scu = plain.scu(DicomConnection)
    scu.handshake_timeout = 7.0
    assert scu.Verify(scp)
    scu.association_timeout = 9.0
    scp.Timeout = 11.0
    assert scu.Verify(scp)
    assert (scu.handshake_timeout, scu.association_timeout, scu.connect_timeout) == (7.0, 9.0, 11.0)


def many_calls(site: Site, count: int) -> None:
    """Talk often, well and badly; nothing may be left over."""
    _, scp = site.node()
    nowhere = DicomScp("127.0.0.1", "NODE", 1)
    scu = site.scu(DicomConnection)
    scu.AfterAssociateRequest += lambda sender, e: None
    before = threading.active_count()
    for _ in range(count):
        assert scu.Verify(scp)
        with pytest.raises(ClientConnectionException):
            scu.Verify(nowhere)
        with DicomConnection() as other:
            other.AETitle = "OTHER"
            with contextlib.suppress(ClientConnectionException):
                other.Verify(nowhere)
    assert threading.active_count() <= before + 2
    assert len([one for one in all_lives() if one.kind == "DicomConnection"]) == 1


def test_many_calls_leave_nothing_over(site: Site) -> None:
    many_calls(site, 20)


@pytest.mark.soak
def test_a_thousand_calls_leave_nothing_over(site: Site) -> None:
    many_calls(site, 1000)
