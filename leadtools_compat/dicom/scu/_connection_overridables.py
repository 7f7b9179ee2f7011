"""The overridables of `DicomConnection`: they raise the events and wake the call that waits.

One rule: an override that leaves out the base has to set `dicomEventResponse` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadtools_compat.dicom._net_helpers import install
from leadtools_compat.dicom._net_state import state_of
from leadtools_compat.dicom.dicom_exception import DicomSecurityCertificateException
from leadtools_compat.dicom.dicom_net import DicomNet
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandStatusType,
)
from leadtools_compat.dicom.scu import _base as base
from leadtools_compat.dicom.scu._connection_state import (
    CONNECTION,
    ConnectionState,
    connection_of,
    not_answered,
)
from leadtools_compat.dicom.scu._connection_state import fire as _fire
from leadtools_compat.dicom.scu._events import events_of
from leadtools_compat.dicom.scu.event_args import (
    AfterAssociateRequestEventArgs,
    AfterConnectEventArgs,
    AfterSecureLinkReadyEventArgs,
    EventArgs,
    PrivateKeyPasswordEventArgs,
    VerifyCertificateEventArgs,
)
from leadtools_compat.dicom.scu.exceptions import ClientAssociationException

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_associate import DicomAssociate

__all__ = ["ConnectionOverridables", "judge"]


def judge(
    net: object,
    ok: int,
    certificateString: str,
    error: DicomSecurityCertificateException,
    sender: object = None,
) -> int:
    """Let the handlers of VerifyCertificate judge; all are asked, any refusal or exception counts."""
    handlers = events_of(net).get("VerifyCertificate", ())
    e = VerifyCertificateEventArgs(certificateString, error, ok)
    raised: BaseException | None = None
    for handler in handlers:
        try:
            handler(net if sender is None else sender, e)
        except BaseException as one:  # noqa: BLE001, PERF203 - raised below, when all have been told
            raised = raised or one
    if raised is not None:
        try:
            raise raised
        finally:
            del raised
    return 0 if e.refused else e.Return


class ConnectionOverridables(DicomNet):
    """What the library calls."""

    def OnConnect(self, error: DicomExceptionCode) -> None:
        """Raise `AfterConnect`."""
        state = connection_of(self)
        state.link_error = error
        _fire(self, "AfterConnect", AfterConnectEventArgs(error))
        # That may have added somebody who judges certificates. A session that has been offered for
        # resumption meanwhile is then refused: it would be a way past him.
        install(self, state_of(self))
        if not base.speaks_tls(self):
            state.conversation.answer()

    def _judges_certificates(self) -> bool:
        """Tell the library whether anybody listens to `OnVerify`: if so, no session is resumed."""
        return len(events_of(self).get("VerifyCertificate", ())) > 0

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        """Raise `VerifyCertificate`.

        Returns
        -------
        int
            `ok` without handlers. Else 1 if the last `Return` is 1, no handler has set another
            number, and none has raised an exception.
        """
        return judge(self, ok, certificateString, error)

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        """Raise `AfterSecureLinkReady`."""
        state = connection_of(self)
        state.link_error = error
        if state.log is not None:
            state.log.line(f"TLS: {error}, {self.tls_version} {self.GetTlsCipherSuite()}")
        _fire(self, "AfterSecureLinkReady", AfterSecureLinkReadyEventArgs(error))
        state.link_ready = error == DicomExceptionCode.Success
        state.conversation.answer()

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        """Raise `PrivateKeyPassword`."""
        state: ConnectionState | None = self.__dict__.get(CONNECTION)
        given = None if state is None else state.password
        e = _fire(self, "PrivateKeyPassword", PrivateKeyPasswordEventArgs(given))
        return e.PrivateKeyPassword

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        """Raise `AfterAssociateRequest`."""
        state = connection_of(self)
        state.rejected, state.reason, state.association_pending = False, None, False
        answer = state.parameters
        _fire(
            self,
            "AfterAssociateRequest",
            AfterAssociateRequestEventArgs(
                False, answer.Result, answer.Reason, answer.Source, association
            ),
        )
        state.conversation.answer()

    def OnReceiveAssociateReject(
        self,
        result: DicomAssociateRejectResultType,
        source: DicomAssociateRejectSourceType,
        reason: DicomAssociateRejectReasonType,
    ) -> None:
        """Raise `AfterAssociateRequest` with `Rejected`."""
        state = connection_of(self)
        answer = state.parameters
        answer.Result, answer.Source, answer.Reason = result, source, reason
        state.rejected, state.reason, state.association_pending = True, reason, False
        _fire(
            self,
            "AfterAssociateRequest",
            AfterAssociateRequestEventArgs(True, result, reason, source),
        )
        rejection = ClientAssociationException(
            f"The association was rejected: {result}, by {source}, {reason}", reason, result, source
        )
        rejection.failure = self.failure
        state.association_error = rejection
        state.conversation.answer()

    def OnReceiveReleaseRequest(self) -> None:
        """Answer the peer's release."""
        self.SendReleaseResponse()

    def OnReceiveReleaseResponse(self) -> None:
        """Raise `AfterReleaseRequest`."""
        state = connection_of(self)
        state.released = True
        _fire(self, "AfterReleaseRequest", EventArgs())
        state.conversation.answer()

    def OnReceiveAbort(self, source: DicomAbortSourceType, reason: DicomAbortReasonType) -> None:
        """Note who has aborted; `OnClose` follows."""
        connection_of(self).aborted = f"by the peer ({source}, {reason})"

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        """Raise `AfterClose`, if there was a connection."""
        state = connection_of(self)
        connected = state.link_error == DicomExceptionCode.Success or state.link_ready
        if state.link_error in (None, DicomExceptionCode.Success) and not state.link_ready:
            tls = base.speaks_tls(self)
            if tls or state.link_error is None:
                state.link_error = error or DicomExceptionCode.NetConnectionAborted
        not_answered(self, state)
        if connected:
            self.OnAfterClose()

    def OnReceiveCEchoRequest(
        self, presentationID: int, messageID: int, affectedClass: str
    ) -> None:
        """Answer ``Success``."""
        self.SendCEchoResponse(
            presentationID, messageID, affectedClass, DicomCommandStatusType.Success
        )

    def OnReceiveCEchoResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
    ) -> None:
        """Keep the status for `Verify`."""
        state = connection_of(self)
        answer = state.parameters
        answer.PresentationID, answer.MessageID = presentationID, messageID
        answer.AffectedClass, answer.Status = affectedClass, status
        state.conversation.answer()

    # ---- protected: raise the events of the close ----

    def OnBeforeClose(self) -> None:
        """Raise `BeforeClose`; protected.

        Notes
        -----
        Mirrors ``DicomConnection.OnBeforeClose``.
        """
        _fire(self, "BeforeClose", EventArgs())

    def OnAfterClose(self) -> None:
        """Raise `AfterClose`; protected.

        Notes
        -----
        Mirrors ``DicomConnection.OnAfterClose``.
        """
        _fire(self, "AfterClose", EventArgs())
