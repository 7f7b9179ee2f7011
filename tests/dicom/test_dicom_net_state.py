"""What DicomNet does in which state, and what belongs to the subclass."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import leadtools_compat
from leadtools_compat.dicom import (
    DicomDataSet,
    DicomEngine,
    DicomException,
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
    DicomTlsCertificateType,
    DicomTlsCipherSuiteType,
)
from leadtools_compat.testing import TestPki
from tests.support import (
    Listener,
    RecordingNet,
    connect,
    refused,
    secure,
    tls_child,
    tls_net,
)

Keep = Callable[[Any], Any]
PEM, DER = DicomTlsCertificateType.Pem, DicomTlsCertificateType.Asn1
PLAIN, TLS = DicomNetSecurityMode.None_, DicomNetSecurityMode.Tls


@pytest.fixture
def net(nets: Keep) -> RecordingNet:
    made: RecordingNet = nets(RecordingNet(TLS))
    return made


def test_port_in_use_is_raised_by_listen_and_by_connect(
    listen: Callable[..., Listener], nets: Keep
) -> None:
    port = listen().HostPort
    with refused(DicomExceptionCode.NetAddressInUse, "127.0.0.1", str(port)):
        nets(Listener()).Listen("127.0.0.1", port, 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with refused(DicomExceptionCode.NetAddressInUse, "127.0.0.1", str(number)):
            nets(RecordingNet()).Connect("127.0.0.1", number, "127.0.0.1", port)


def test_own_address_that_is_not_here_is_raised(nets: Keep) -> None:
    with refused(DicomExceptionCode.NetAddressNotAvailable, "192.0.2.1"):
        nets(Listener()).Listen("192.0.2.1", 0, 1)


def test_name_that_does_not_resolve_comes_in_on_connect(nets: Keep) -> None:
    net = nets(RecordingNet())
    net.Connect(None, 0, "no-such-host.invalid", 104)
    assert net.log.wait("OnConnect").code == DicomExceptionCode.NetHostNotFound
    assert net.log.wait("OnClose").code == DicomExceptionCode.NetHostNotFound
    failure = net.failure
    assert failure is not None
    assert failure.stage == "resolve"
    assert "no-such-host.invalid" in failure.message + failure.remedy
    assert failure.remedy


def test_connecting_twice_and_changing_a_busy_net_is_refused(
    listen: Callable[..., Listener], pki: TestPki, nets: Keep
) -> None:
    listener = listen(tls_child(pki))
    net = nets(tls_net(pki))
    connect(net, listener)
    net.log.wait("OnSecureLinkReady")
    with refused(DicomExceptionCode.NetAlreadyConnected):
        connect(net, listener)
    with refused(DicomExceptionCode.NetAlreadyConnected):
        net.Listen("127.0.0.1", 0, 1)
    for change in (
        lambda: secure(net, None, pki.ca_file),
        lambda: net.SetTlsClientCertificate(pki.client.combined_file, PEM, None),
        lambda: net.SetTlsCipherSuiteByIndex(0, 0x1301),
        lambda: setattr(net, "expected_host", "x"),
        lambda: setattr(net, "server_name", "x"),
        lambda: setattr(net, "expected_email", "a@b.test"),
        lambda: setattr(net, "expected_uri", "urn:x:y"),
        lambda: setattr(net, "tls_refuse_unknown_names", True),
        lambda: setattr(net, "tls_purpose_check", "any"),
        lambda: setattr(net, "tls_partial_chain", False),
        lambda: net.set_tls_pins(None),
        lambda: net.set_tls_minimum_strength(2048),
        lambda: net.add_tls_certificate(pki.client.combined_file, PEM),
        net.clear_tls_certificates,
    ):
        with refused(DicomExceptionCode.InvalidState):
            change()
    net.CloseForced(True)
    net.log.wait("OnClose")
    net.SetTlsCipherSuiteByIndex(0, 0x1301)


def test_accept_without_a_waiting_connection_is_refused(
    listen: Callable[..., Listener], nets: Keep
) -> None:
    listener = listen()
    child = nets(RecordingNet())
    with refused(DicomExceptionCode.NetNoPendingConnection):
        listener.Accept(child)
    child.Dispose()
    with refused(DicomExceptionCode.ObjectDisposed, "RecordingNet"):
        listener.Accept(child)


def test_plain_child_of_a_tls_listener_needs_permission(
    pki: TestPki, nets: Keep, unraisable: Any
) -> None:
    listener = nets(tls_net(pki, pki.server, cls=Listener))
    listener.Listen("127.0.0.1", 0, 4)
    first = nets(RecordingNet())
    connect(first, listener)
    error = unraisable.expect(DicomException, "OnAccept")
    assert error.Code == DicomExceptionCode.InvalidState
    listener.CloseForced(True)
    listener.allow_plain_children = True
    listener.Listen("127.0.0.1", 0, 4)
    second = nets(RecordingNet())
    connect(second, listener)
    second.log.wait("OnConnect")
    listener.log.wait("OnAccept")


def test_close_without_a_connection_does_nothing(net: RecordingNet) -> None:
    net.Close()
    net.CloseForced(True)
    assert not net.IsConnected()
    assert not net.IsAssociated()
    assert net.Association is None
    assert net.failure is None
    assert (net.PeerAddress, net.PeerPort, net.GetClientCount()) == ("", 0, 0)


# ---- objects in the wrong state ----


def public_members() -> list[str]:
    return [name for name in dir(DicomNet) if not name.startswith("_")]


STATIC = {
    *("Startup", "Shutdown", "Breathe", "GetOpenSslVersion"),
    *("load_tls_provider", "set_failure_log", "tls_library", "tls_pins_of"),
}
OVERRIDABLES = {name for name in public_members() if name.startswith("On")}
ISCL = {name for name in public_members() if "Iscl" in name} - {"GetLastIsclOrTlsError"}
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "Accept": (None,),
    "CloseForced": (True,),
    "Connect": (None, 0, "127.0.0.1", 1),
    "GetClient": (0,),
    "GetTlsAuthenticationAlgorithm": (0,),
    "GetTlsCipherSuiteByIndex": (0,),
    "GetTlsEncryptionAlgorithm": (0,),
    "GetTlsEncryptionKeyLength": (0,),
    "GetTlsIntegrityAlgorithm": (0,),
    "GetTlsKeyExchangeAlgorithm": (0,),
    "GetTlsMutualAuthenticationKeyLength": (0,),
    "Initialize": (None, 1, None),
    "Listen": (None, 0, 1),
    "SendAbort": (0, 0),
    "add_tls_ca_file": ("ca.pem",),
    "add_tls_ca_folder": (".",),
    "add_tls_certificate": ("a.pem", 1),
    "apply_tls_profile": ("B.12",),
    "copy_tls_settings": (None,),
    "echo_and_wait": (1, 1, "1.2.840.10008.1.1"),
    "store_and_wait": (1, 1, "1.2.840.10008.5.1.4.1.1.2", "1.2", DicomDataSet()),
    "SendAssociateAccept": (None,),
    "SendAssociateReject": (1, 1, 1),
    "SendAssociateRequest": (None,),
    "SendCCancelRequest": (1, 1),
    "SendCEchoRequest": (1, 1, "1.2.3"),
    "SendCEchoResponse": (1, 1, "1.2.3", 0),
    "SendCFindRequest": (1, 1, "1.2.3", 0, None),
    "SendCFindResponse": (1, 1, "1.2.3", 0, None),
    "SendCGetRequest": (1, 1, "1.2.3", 0, None),
    "SendCGetResponse": (1, 1, "1.2.3", 0, 0, 0, 0, 0, None),
    "SendCMoveRequest": (1, 1, "1.2.3", 0, "AE", None),
    "SendCMoveResponse": (1, 1, "1.2.3", 0, 0, 0, 0, 0, None),
    "SendCStoreRequest": (1, 1, "1.2.3", "1.2", 0, "", 0, None),
    "SendCStoreResponse": (1, 1, "1.2.3", "1.2", 0),
    "SendData": (1, DicomDataSet(), None),
    "SendNActionRequest": (1, 1, "1.2.3", "1.2", 1, None),
    "SendNActionResponse": (1, 1, "1.2.3", "1.2", 0, 1, None),
    "SendNCreateRequest": (1, 1, "1.2.3", "1.2", None),
    "SendNCreateResponse": (1, 1, "1.2.3", "1.2", 0, None),
    "SendNDeleteRequest": (1, 1, "1.2.3", "1.2"),
    "SendNDeleteResponse": (1, 1, "1.2.3", "1.2", 0),
    "SendNGetRequest": (1, 1, "1.2.3", "1.2", []),
    "SendNGetResponse": (1, 1, "1.2.3", "1.2", 0, None),
    "SendNReportRequest": (1, 1, "1.2.3", "1.2", 1, None),
    "SendNReportResponse": (1, 1, "1.2.3", "1.2", 0, 1, None),
    "SendNSetRequest": (1, 1, "1.2.3", "1.2", None),
    "SendNSetResponse": (1, 1, "1.2.3", "1.2", 0, None),
    "SetTlsCipherSuiteByIndex": (0, 0),
    "SetTlsClientCertificate": ("a.pem", 1, None),
    "set_tls_pins": ((),),
    "set_tls_policies": ((),),
}
MEMBERS = sorted(set(public_members()) - STATIC - OVERRIDABLES - ISCL)


def use(net: DicomNet, name: str) -> Any:
    value = getattr(net, name)
    return value(*ARGUMENTS.get(name, ())) if callable(value) else value


class Forgetful(DicomNet):
    def __init__(self) -> None:
        pass


@pytest.mark.parametrize("name", MEMBERS)
def test_without_the_base_constructor_every_member_says_so(name: str) -> None:
    net = Forgetful()
    assert "base constructor" in repr(net)
    with refused(DicomExceptionCode.InvalidState, "Forgetful", "super().__init__"):
        use(net, name)


AFTER_DISPOSE = {
    "Association": None,
    "Dispose": None,
    "GetTlsCipherSuite": DicomTlsCipherSuiteType.None_,
    "HostAddress": "",
    "HostPort": 0,
    "IsAssociated": False,
    "IsConnected": False,
    "PeerAddress": "",
    "PeerPort": 0,
    "failure": None,
    "proxy_address": "",
    "proxy_port": 0,
    "traffic": (0, 0),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_after_dispose_a_member_answers_or_says_disposed(net: RecordingNet, name: str) -> None:
    net.Dispose()
    if name in AFTER_DISPOSE:
        assert use(net, name) == AFTER_DISPOSE[name]
        return
    with refused(DicomExceptionCode.ObjectDisposed, "RecordingNet", "new one"):
        use(net, name)


def test_settings_cannot_be_written_after_dispose(net: RecordingNet) -> None:
    net.Dispose()
    for name in ("handshake_timeout", "expected_host", "crl_file", "send_ca_names", "Flags"):
        with refused(DicomExceptionCode.ObjectDisposed):
            setattr(net, name, None)


def test_second_constructor_call_is_refused(net: RecordingNet) -> None:
    with refused(DicomExceptionCode.InvalidState, "Initialize"):
        DicomNet.__init__(net, None, TLS)
    assert net.SecurityMode == TLS


# ---- what belongs to the port ----


def test_private_state_is_one_mangled_attribute() -> None:
    with DicomNet(None, PLAIN) as net:
        assert list(vars(net)) == ["_DicomNet__state"]


def test_subclass_may_define_names_of_its_own(listen: Callable[..., Listener]) -> None:
    class Port(RecordingNet):
        def __init__(self) -> None:
            self.Status, self.Event, self.Tag, self.Timeout = 1, 2, 3, 4
            self.state, self.handle, self._state, self.lock = 5, 6, 7, 8
            super().__init__(PLAIN)
            self._Rejected, self.ImplementationClass, self.life = 9, 10, 11

        def Init(self) -> None: ...
        def Wait(self) -> None: ...
        def Terminate(self) -> None: ...

        def IsConnected(self) -> bool:
            raise AssertionError("the library must not call it")

        def Connect(self, server: Any) -> None:  # type: ignore[override]
            super().Connect(None, 0, server.HostAddress, server.HostPort)

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"the library must not look for {name}")

    listener = listen()
    with Port() as net:
        net.Connect(listener)
        net.log.wait("OnConnect")
        assert "connected to 127.0.0.1" in repr(net)
        net.Close()
        net.log.wait("OnClose")


def test_overridables_get_positional_arguments(listen: Callable[..., Listener]) -> None:
    seen: list[Any] = []

    class Port(DicomNet):
        def OnConnect(self, anything: DicomExceptionCode) -> None:
            seen.append(anything)

        def OnClose(self, a: DicomExceptionCode, b: DicomNet) -> None:
            seen.append((a, b))
            done.log.add("closed")

    done = RecordingNet()
    listener = listen()
    with done, Port(None, PLAIN) as net:
        connect(net, listener)
        listener.child()
        net.CloseForced(True)
        done.log.wait("closed")
        assert seen[-1] == (DicomExceptionCode.Success, net)


def test_override_set_on_the_object_before_connect_is_called(
    listen: Callable[..., Listener], nets: Keep
) -> None:
    net = nets(DicomNet(None, PLAIN))
    log = RecordingNet()
    nets(log)
    net.OnConnect = lambda error: log.log.add("connected", error)
    connect(net, listen())
    assert log.log.wait("connected").code == DicomExceptionCode.Success


def test_repr_tells_how_things_stand(
    listen: Callable[..., Listener], pki: TestPki, nets: Keep
) -> None:
    listener = listen(tls_child(pki))
    assert repr(listener) == f"<Listener listening on 127.0.0.1:{listener.HostPort}, plain>"
    net = nets(tls_net(pki))
    assert repr(net) == "<RecordingNet not connected>"
    connect(net, listener)
    net.log.wait("OnSecureLinkReady")
    assert repr(net) == (
        f"<RecordingNet connected to 127.0.0.1:{listener.HostPort}, TLSv1.3 Aes256GcmSha384>"
    )
    net.Dispose()
    assert repr(net) == "<RecordingNet disposed>"


# ---- the rest of the package ----


def test_startup_and_shutdown_are_harmless_in_any_order() -> None:
    DicomNet.Shutdown()
    DicomEngine.Shutdown()
    for _ in range(3):
        DicomEngine.Startup()
        DicomNet.Startup()
    with DicomNet(None, PLAIN):
        for _ in range(3):
            DicomNet.Shutdown()
            DicomEngine.Shutdown()


def test_openssl_is_there_and_has_a_version() -> None:
    version = DicomNet.GetOpenSslVersion()
    assert version.IsAvailable is True
    assert version.DownloadMessage == ""
    assert version.version_text.startswith("OpenSSL 3")


def test_licence_calls_do_nothing() -> None:
    support = leadtools_compat.RasterSupport
    kinds = leadtools_compat.RasterSupportType
    support.SetLicense("file", "key")
    assert [str(kind) for kind in kinds] == [
        "DicomCommunication",
        "Medical",
        "MedicalNet",
        "MedicalServer",
    ]
    for kind in kinds:
        support.Unlock(kind, "key")
        assert support.IsLocked(kind) is False
    assert support.KernelExpired is False


def test_star_import_brings_every_public_name() -> None:
    import leadtools_compat.dicom as dicom

    namespace: dict[str, Any] = {}
    exec("from leadtools_compat.dicom import *", namespace)
    assert set(dicom.__all__) <= set(namespace)
    assert len(set(dicom.__all__)) == len(dicom.__all__)
    for name in dir(dicom):
        value = getattr(dicom, name)
        if isinstance(value, type) and value.__module__.startswith("leadtools_compat.dicom"):
            assert name in dicom.__all__


def test_library_and_header_are_where_the_package_says() -> None:
    assert Path(leadtools_compat.library_path()).is_file()
    assert (Path(leadtools_compat.include_path()) / "ltdic.h").is_file()
