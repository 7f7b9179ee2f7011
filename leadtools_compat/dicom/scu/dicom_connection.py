"""`DicomConnection`: a `DicomNet` with blocking calls and events; the base of the Scu classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from leadtools_compat._binding.text import Address, Contents, StrPath
from leadtools_compat.dicom import _arguments
from leadtools_compat.dicom.dicom_associate import DicomAssociate
from leadtools_compat.dicom.dicom_net import DicomNet
from leadtools_compat.dicom.dicom_open_ssl_context_creation_settings import (
    DicomOpenSslContextCreationSettings,
)
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomCommandStatusType,
    DicomNetIpTypeFlags,
    DicomRoleSupport,
)
from leadtools_compat.dicom.enums_tls import (
    DicomNetSecurityMode,
    DicomTlsCertificateType,
    DicomTlsCipherSuiteType,
)
from leadtools_compat.dicom.scu import _base as base
from leadtools_compat.dicom.scu import _steps
from leadtools_compat.dicom.scu._connection_members import ConnectionMembers
from leadtools_compat.dicom.scu._connection_overridables import ConnectionOverridables
from leadtools_compat.dicom.scu._connection_state import CONNECTION, ConnectionState, connection_of
from leadtools_compat.dicom.scu._events import Event
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.event_args import (
    AfterAssociateRequestEventArgs,
    AfterConnectEventArgs,
    AfterSecureLinkReadyEventArgs,
    BeforeAssociateRequestEventArgs,
    BeforeConnectEventArgs,
    EventArgs,
    PrivateKeyPasswordEventArgs,
    VerifyCertificateEventArgs,
)
from leadtools_compat.dicom.scu.presentation_context import PresentationContext

__all__ = ["DicomConnection"]

VERIFICATION = "1.2.840.10008.1.1"


class DicomConnection(ConnectionOverridables, ConnectionMembers, DicomNet):
    """A `DicomNet` that talks to one `DicomScp` at a time, in calls that block.

    While a call blocks, the events and overridables of the object run on the calling thread; what
    one of them raises comes out of the call, after the association was aborted. Ctrl-C ends a call
    in the same way. Outside a call they run as those of `DicomNet` do.

    Parameters
    ----------
    temporaryDirectory
        Folder for temporary files; None or "": the system's.
    mode
        ``Tls`` or ``None_``.
    settings
        Of TLS, its verification flags included. None: the defaults, which verify nothing.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.DicomConnection``.
    """

    __connection: ConnectionState

    BeforeConnect = Event[BeforeConnectEventArgs]()
    AfterConnect = Event[AfterConnectEventArgs]()
    AfterSecureLinkReady = Event[AfterSecureLinkReadyEventArgs]()
    PrivateKeyPassword = Event[PrivateKeyPasswordEventArgs]()
    VerifyCertificate = Event[VerifyCertificateEventArgs]()
    BeforeAssociateRequest = Event[BeforeAssociateRequestEventArgs]()
    AfterAssociateRequest = Event[AfterAssociateRequestEventArgs]()
    BeforeReleaseRequest = Event[EventArgs]()
    AfterReleaseRequest = Event[EventArgs]()
    BeforeClose = Event[EventArgs]()
    AfterClose = Event[EventArgs]()

    def __init__(
        self,
        temporaryDirectory: StrPath | None = None,
        mode: DicomNetSecurityMode | int = DicomNetSecurityMode.None_,
        settings: DicomOpenSslContextCreationSettings | None = None,
    ) -> None:
        state = ConnectionState(str(temporaryDirectory or ""), settings)
        super().__init__(temporaryDirectory, mode)
        # Past any __setattr__ of a subclass, which is not ready for calls yet.
        object.__setattr__(self, CONNECTION, state)
        _steps.begin(self, state)
        if settings is not None:
            DicomNet.Initialize(self, temporaryDirectory, mode, settings)

    # ---- connecting ----

    @overload
    def Connect(self, hostAddress: DicomScp) -> None: ...
    @overload
    def Connect(
        self,
        hostAddress: Address,
        hostPort: int,
        peerAddress: Address,
        peerPort: int,
        ipType: DicomNetIpTypeFlags | int = DicomNetIpTypeFlags.Ipv4,
    ) -> None: ...
    def Connect(
        self,
        hostAddress: Any = None,
        hostPort: Any = None,
        peerAddress: Any = None,
        peerPort: Any = None,
        ipType: DicomNetIpTypeFlags | int = DicomNetIpTypeFlags.Ipv4,
        scp: DicomScp | None = None,
    ) -> None:
        """Connect to a node, with TLS if the mode is that, without an association; blocks.

        With four or five arguments: as ``DicomNet.Connect``, which does not block.

        Parameters
        ----------
        hostAddress
            The `DicomScp` (``scp=`` is taken too).

        Raises
        ------
        ClientConnectionException
            TCP or TLS failed.

        Notes
        -----
        Mirrors ``DicomConnection.Connect``.
        """
        node = scp if scp is not None else hostAddress
        if not isinstance(node, DicomScp):
            connection_of(self).open = True
            super().Connect(hostAddress, hostPort, peerAddress, peerPort, ipType)
            return
        with _steps.open_call(self, node) as state:
            _steps.close(self, state)
            _steps.connect(self, state, node)

    def Verify(self, scp: DicomScp) -> bool:
        """Ask a node for a sign of life (C-ECHO).

        Returns
        -------
        bool
            Whether the status was ``Success``.

        Raises
        ------
        ClientConnectionException, ClientAssociationException, ClientCommunicationException
            Which step failed.

        Notes
        -----
        Mirrors ``DicomConnection.Verify``; PS3.4 A.
        """
        with _steps.talking(self, scp, [PresentationContext(VERIFICATION)]) as state:
            number = _steps.need_context(self, state, VERIFICATION)
            state.parameters.Status = DicomCommandStatusType.Success
            state.conversation.forget_answer()
            message = state.next_message()
            _steps.send(self, state, "SendCEchoRequest", number, message, VERIFICATION)
            _steps.exchange(self, state)
            status = state.parameters.Status
        return status == DicomCommandStatusType.Success

    def CancelRequest(self) -> None:
        """End what the running call does; from another thread, or from a handler.

        Sends a C-CANCEL for a C-FIND, C-MOVE or C-GET; a store loop ends after the present file.
        The call returns when the peer has answered. Without a call nothing happens.

        Notes
        -----
        Mirrors ``DicomConnection.CancelRequest``; PS3.7 9.3.2.3.
        """
        state = connection_of(self)
        if not state.conversation.going_on:
            return
        state.canceled = True
        running = state.running
        if running:
            _steps.send(self, state, "SendCCancelRequest", state.presentation_id, running)

    def AbortRequest(
        self,
        source: DicomAbortSourceType | int = DicomAbortSourceType.User,
        reason: DicomAbortReasonType | int = DicomAbortReasonType.Unknown,
    ) -> None:
        """Abort the association; the running call raises ``ClientAssociationException``.

        Notes
        -----
        Mirrors ``DicomConnection.AbortRequest``.
        """
        state = connection_of(self)
        _steps.send(self, state, "SendAbort", source, reason)
        state.aborted = state.aborted or "by us"

    # ---- ends that a running call has to notice ----

    def Dispose(self, disposing: bool = True) -> None:
        """As ``DicomNet.Dispose``; wakes a running call."""
        super().Dispose(disposing)
        state: ConnectionState | None = self.__dict__.get(CONNECTION)
        if state is not None:
            state.open = False
            state.conversation.answer()

    def CloseForced(self, notify: bool) -> None:
        """As ``DicomNet.CloseForced``; wakes a running call."""
        super().CloseForced(notify)
        if not notify:
            state = connection_of(self)
            state.open = False
            if state.link_error is None:
                state.link_error = DicomExceptionCode.Canceled
            state.conversation.answer()

    # ---- what the inner listener repeats ----

    def Initialize(
        self,
        path: StrPath | None,
        mode: DicomNetSecurityMode | int,
        settings: DicomOpenSslContextCreationSettings | None = None,
    ) -> None:
        """As ``DicomNet.Initialize``."""
        super().Initialize(path, mode, settings)
        connection_of(self).settings = settings

    def SetTlsCipherSuiteByIndex(
        self, index: int, cipherSuite: DicomTlsCipherSuiteType | int
    ) -> None:
        """As ``DicomNet.SetTlsCipherSuiteByIndex``."""
        super().SetTlsCipherSuiteByIndex(index, cipherSuite)
        connection_of(self).suites.append((index, int(cipherSuite)))

    def SetTlsClientCertificate(
        self,
        certFile: StrPath | Contents,
        type: DicomTlsCertificateType | int,
        keyFile: StrPath | Contents | None = None,
    ) -> None:
        """As ``DicomNet.SetTlsClientCertificate``; the inner listener has the same certificate.

        A `HostReady` handler may give that one another.
        """
        super().SetTlsClientCertificate(certFile, type, keyFile)
        connection_of(self).certificate = (certFile, type, keyFile)

    # ---- protected members ----

    def GetPresentationContexts(self) -> list[PresentationContext]:
        """List what the association of the running call has to be good for; protected.

        An override may add to the list.

        Notes
        -----
        Mirrors ``DicomConnection.GetPresentationContexts``.
        """
        return list(connection_of(self).contexts)

    def BuildAssociation(self, scp: DicomScp) -> DicomAssociate:
        """Make the association request for a node; protected.

        Notes
        -----
        Mirrors ``DicomConnection.BuildAssociation``.
        """
        state = connection_of(self)
        return fill_request(state, scp, self.GetPresentationContexts())

    def Wait(self) -> bool:
        """Run callbacks until `dicomEventResponse` is set, or the node's time is over; protected.

        Returns
        -------
        bool
            False: the time is over.

        Notes
        -----
        Mirrors ``DicomConnection.Wait``.
        """
        state = connection_of(self)
        limit = _steps.GOODBYE if state.scp is None else state.scp.Timeout

        def traffic() -> object:
            return base.traffic(self)

        if state.conversation.going_on:
            return state.conversation.wait(limit, None, traffic)
        state.conversation.begin(type(self).__name__, keep_answer=True)
        try:
            return state.conversation.wait(limit, None, traffic)
        finally:
            state.conversation.end()

    def Release(self) -> None:
        """Release the association and close the connection; protected.

        Notes
        -----
        Mirrors ``DicomConnection.Release``.
        """
        state = connection_of(self)
        if state.conversation.going_on:
            _steps.release(self, state)
            _steps.close(self, state)
            return
        with _steps.open_call(self, None):
            _steps.release(self, state)
            _steps.close(self, state)

    def __repr__(self) -> str:
        text = super().__repr__()
        state: ConnectionState | None = self.__dict__.get(CONNECTION)
        scp = None if state is None else state.scp
        return text if scp is None else f"{text[:-1]}, {scp}>"


def fill_request(
    state: ConnectionState, scp: DicomScp, contexts: Sequence[PresentationContext]
) -> DicomAssociate:
    """Make a request from the properties of a connection and its contexts."""
    made = DicomAssociate(True)
    made.Called, made.Calling = scp.AETitle, state.ae_title
    made.Version = state.protocol_version
    if state.max_length is not None:
        made.MaxLength = state.max_length
    if state.implementation_class:
        made.ImplementClass = state.implementation_class
    if state.implementation_version_name:
        made.ImplementationVersionName = state.implementation_version_name
    for index, context in enumerate(contexts):
        number = _arguments.integer(2 * index + 1, "number of presentation contexts", 1, 255)
        made.AddPresentationContext(number, 0, context.AbstractSyntax)
        for syntax in context.TransferSyntaxes or _steps.NATIVE:
            made.AddTransfer(number, syntax)
        if context.scp_role:
            made.SetRoleSelect(
                number, True, DicomRoleSupport.Unsupported, DicomRoleSupport.Supported
            )
        if scp.Relational and context.AbstractSyntax.startswith("1.2.840.10008.5.1.4.1.2."):
            made.SetExtendedData(number, b"\1")  # PS3.4 C.5.1.1
    return made
