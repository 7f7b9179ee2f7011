"""The inner listener of a Scu object: for C-MOVE to oneself and for late commitments.

Its callbacks run on the thread that is in a call of the Scu object. One rule: what it accepts is
what the owner is for, under the owner's title; its certificates are judged by its own settings and
its own handlers, never by the owner's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadtools_compat._binding.lifetime import STATE
from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom.dicom_associate import DicomAssociate
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomException, DicomSecurityCertificateException
from leadtools_compat.dicom.dicom_net import DicomNet
from leadtools_compat.dicom.dicom_open_ssl_context_creation_settings import (
    DicomOpenSslContextCreationSettings,
)
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAssociateAcceptResultType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
)
from leadtools_compat.dicom.enums_tls import DicomNetSecurityMode
from leadtools_compat.dicom.scu import _base as base
from leadtools_compat.dicom.scu._connection_overridables import judge
from leadtools_compat.dicom.scu._connection_state import connection_of, fire
from leadtools_compat.dicom.scu._events import Event, events_of
from leadtools_compat.dicom.scu.dicom_connection import DicomConnection
from leadtools_compat.dicom.scu.event_args import (
    BeforeAssociateAcceptEventArgs,
    HostReadyEventArgs,
)

__all__ = ["HostOwner", "ScpHost"]

HOST = "_HostOwner__host"
VERIFICATION = "1.2.840.10008.1.1"
PEERS = 16


class HostState:
    """What the owner of an inner listener keeps about it."""

    def __init__(self) -> None:
        self.secure = False
        self.settings: DicomOpenSslContextCreationSettings | None = None
        self.running: ScpHost | None = None


def host_of(owner: Any) -> HostState:
    state: HostState = owner.__dict__.setdefault(HOST, HostState())
    return state


class ScpHost(DicomConnection):
    """The listener that `HostReady` hands out, before it listens."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner
        self._children: list[DicomNet] = []
        super().__init__(connection_of(owner).temporary_directory or None)
        self.__dict__[STATE].runner = connection_of(owner).conversation

    @property
    def SecurityMode(self) -> DicomNetSecurityMode:
        """The mode; it can be set here."""
        mode: DicomNetSecurityMode = base.prop(self, "SecurityMode")
        return mode

    @SecurityMode.setter
    def SecurityMode(self, value: DicomNetSecurityMode | int) -> None:
        state = connection_of(self)
        self.Initialize(state.temporary_directory or None, value, state.settings)

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        own = super().OnPrivateKeyPassword(encryption)
        given: str | None = self._owner.OnPrivateKeyPassword(encryption) if own is None else own
        return given

    def OnAccept(self, error: DicomExceptionCode) -> None:
        child = HostConnection(self, self._owner)
        try:
            self.Accept(child)
        except DicomException as failed:
            child.Dispose()
            if failed.Code not in (
                DicomExceptionCode.NetNoPendingConnection,  # the peer has gone away again
                DicomExceptionCode.ObjectDisposed,
            ):
                raise
        else:
            self._children.append(child)

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if net in self._children:
            self._children.remove(net)
            net.Dispose()

    def children(self) -> list[DicomNet]:
        """List the connections that are open."""
        return list(self._children)

    def open_children(self) -> int:
        """Count the connections that are open."""
        return len(self._children)

    def Dispose(self, disposing: bool = True) -> None:
        children = list(self._children)
        super().Dispose(disposing)
        for child in children:
            child.Dispose()


class HostConnection(DicomConnection):
    """A connection that the inner listener has accepted."""

    def __init__(self, host: ScpHost, owner: Any) -> None:
        self._host, self._owner = host, owner
        mode = host.SecurityMode
        state = connection_of(host)
        super().__init__(state.temporary_directory or None, mode, state.settings)
        self.__dict__[STATE].runner = connection_of(owner).conversation
        if mode == DicomNetSecurityMode.Tls:
            self.copy_tls_settings(host)

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        return self._host.OnPrivateKeyPassword(encryption)

    def _judges_certificates(self) -> bool:
        return len(events_of(self._host).get("VerifyCertificate", ())) > 0

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        return judge(self._host, ok, certificateString, error, sender=self)

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        owner = self._owner
        if association.Called != connection_of(owner).ae_title:
            self.SendAssociateReject(
                DicomAssociateRejectResultType.Permanent,
                DicomAssociateRejectSourceType.User,
                DicomAssociateRejectReasonType.Called,
            )
            return
        with accept_for(owner, association) as answer:
            fire(owner, "BeforeAssociateAccept", BeforeAssociateAcceptEventArgs(answer))
            self.SendAssociateAccept(answer)

    def OnReceiveCStoreRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        priority: DicomCommandPriorityType,
        moveAE: str,
        moveMessageID: int,
        ds: DicomDataSet | None,
    ) -> None:
        self._owner.take_instance(
            self,
            presentationID,
            messageID,
            affectedClass,
            instance,
            priority,
            moveAE,
            moveMessageID,
            ds,
        )

    def OnReceiveNReportRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        dicomEvent: int,
        ds: DicomDataSet | None,
    ) -> None:
        self._owner.take_report(
            self, presentationID, messageID, affectedClass, instance, dicomEvent, ds
        )


def accept_for(owner: Any, asked: DicomAssociate) -> DicomAssociate:
    """Make the acceptance: of each context that the owner is for, the first transfer syntax."""
    answer = DicomAssociate(False)
    answer.Version = 1
    answer.Called, answer.Calling = asked.Called, asked.Calling
    answer.ApplicationContextName = asked.ApplicationContextName
    takes: Callable[[str], bool] = owner.host_takes
    for index in range(asked.PresentationContextCount):
        number = asked.GetPresentationContextID(index)
        uid = asked.GetAbstract(number)
        good = uid == VERIFICATION or takes(uid)
        result = (
            DicomAssociateAcceptResultType.Success
            if good
            else DicomAssociateAcceptResultType.AbstractSyntax
        )
        answer.AddPresentationContext(number, result, uid)
        answer.AddTransfer(number, asked.GetTransfer(number, 0))
        if good and asked.IsRoleSelect(number):
            answer.SetRoleSelect(
                number, True, asked.GetUserRole(number), asked.GetProviderRole(number)
            )
    return answer


class HostOwner(DicomConnection):
    """What `QueryRetrieveScu` and `StoreScu` have in common: the inner listener."""

    HostReady = Event[HostReadyEventArgs]()
    BeforeAssociateAccept = Event[BeforeAssociateAcceptEventArgs]()

    @property
    def UseSecureHost(self) -> bool:
        """Whether the inner listener speaks TLS; default False.

        It has the TLS settings of this object: certificate, cipher suites, profile, CRLs and so
        on, all but `expected_host`. `SecureHostSettings` and a `HostReady` handler, through
        ``e.ScpHost``, give it others. Certificates of who comes are judged by the listener's flags
        and its own ``VerifyCertificate``.
        """
        return host_of(self).secure

    @UseSecureHost.setter
    def UseSecureHost(self, value: bool) -> None:
        host_of(self).secure = bool(value)

    @property
    def SecureHostSettings(self) -> DicomOpenSslContextCreationSettings | None:
        """TLS settings of the inner listener; None: those given to the constructor."""
        return host_of(self).settings

    @SecureHostSettings.setter
    def SecureHostSettings(self, value: DicomOpenSslContextCreationSettings | None) -> None:
        if value is not None and not isinstance(value, DicomOpenSslContextCreationSettings):
            raise TypeError(
                "SecureHostSettings must be DicomOpenSslContextCreationSettings or None, not "
                f"{type(value).__name__}"
            )
        host_of(self).settings = value

    @property
    def HostPort(self) -> int:
        """Port of the inner listener (C-MOVE, storage commitment); 0: a free one.

        While that listens it is the port in use.
        """
        running = host_of(self).running
        if running is not None:
            return int(base.prop(running, "HostPort"))
        return connection_of(self).host_port or base.prop(self, "HostPort")

    @HostPort.setter
    def HostPort(self, value: int) -> None:
        DicomConnection.HostPort.fset(self, value)  # type: ignore[attr-defined]

    def Dispose(self, disposing: bool = True) -> None:
        """As ``DicomNet.Dispose``; ends the inner listener too."""
        stop_host(self)
        super().Dispose(disposing)

    # ---- what the listener asks its owner ----

    def host_takes(self, sop_class: str) -> bool:
        """Tell whether the inner listener accepts a SOP class (ours)."""
        return False

    def take_instance(self, net: DicomConnection, *arguments: Any) -> None:
        """Take a C-STORE request that came to the inner listener (ours)."""
        context, message, sop_class, instance = arguments[:4]
        net.SendCStoreResponse(
            context, message, sop_class, instance, DicomCommandStatusType.ClassNotSupported
        )

    def take_report(self, net: DicomConnection, *arguments: Any) -> None:
        """Take an N-EVENT-REPORT request that came to the inner listener (ours)."""
        context, message, sop_class, instance, event = arguments[:5]
        net.SendNReportResponse(
            context,
            message,
            sop_class,
            instance,
            DicomCommandStatusType.ClassNotSupported,
            event,
            None,
        )


def _inherit(host: ScpHost, owner: Any) -> None:
    """Give the listener what its owner has; who comes has another name than whom the owner calls."""
    host.copy_tls_settings(owner)
    host.expected_host = None


def start_host(owner: Any) -> ScpHost:
    """Have the owner's listener run.

    Raises
    ------
    DicomException
        The port is taken, or TLS cannot work as it is set.
    """
    state, about = connection_of(owner), host_of(owner)
    if about.running is not None:
        return about.running
    host = ScpHost(owner)
    try:
        if about.secure:
            settings = about.settings if about.settings is not None else state.settings
            folder: StrPath | None = state.temporary_directory or None
            host.Initialize(folder, DicomNetSecurityMode.Tls, settings)
            if owner.SecurityMode == DicomNetSecurityMode.Tls:
                _inherit(host, owner)
                if about.settings is not None:
                    host.Initialize(folder, DicomNetSecurityMode.Tls, about.settings)
            else:
                for index, suite in state.suites:
                    host.SetTlsCipherSuiteByIndex(index, suite)
                if state.certificate is not None:
                    host.SetTlsClientCertificate(*state.certificate)
        fire(owner, "HostReady", HostReadyEventArgs(host))
        tls = host.SecurityMode == DicomNetSecurityMode.Tls
        if tls and state.certificate is None and connection_of(host).certificate is None:
            raise DicomException(
                DicomExceptionCode.TlsCertificateMissing,
                "The inner listener speaks TLS and has no certificate: call "
                "SetTlsClientCertificate of this object, or of e.ScpHost in a HostReady handler",
            )
        host.Listen(state.host_address or "*", state.host_port, PEERS)
    except BaseException:
        host.Dispose()
        raise
    about.running = host
    return host


def stop_host(owner: Any) -> None:
    """End the owner's listener and its connections."""
    about: HostState | None = owner.__dict__.get(HOST)
    if about is not None and about.running is not None:
        running, about.running = about.running, None
        running.Dispose()
