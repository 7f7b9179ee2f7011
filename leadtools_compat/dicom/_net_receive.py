"""The overridables of `DicomNet` for associations and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadtools_compat.dicom._net_receive_n import NetReceiveN

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_associate import DicomAssociate
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet
    from leadtools_compat.dicom.enums_codes import DicomExceptionCode
    from leadtools_compat.dicom.enums_dimse import (
        DicomAbortReasonType,
        DicomAbortSourceType,
        DicomAssociateRejectReasonType,
        DicomAssociateRejectResultType,
        DicomAssociateRejectSourceType,
        DicomCommandPriorityType,
        DicomCommandStatusType,
        DicomPduType,
    )

__all__ = ["NetReceive"]


class NetReceive(NetReceiveN):
    """Base versions: all do nothing.

    As with the other overridables, the library passes positional arguments, and calls for one net
    never overlap; only `OnReceiveCCancelRequest` comes at once, while another one runs. Data sets
    are kept as long as somebody refers to them; a message without one gives None.

    An exception goes to ``sys.unraisablehook`` (in pumped mode it comes out of ``Breathe``). If a
    request was being served and has not been answered, the association is aborted.
    """

    def OnReceive(
        self, error: DicomExceptionCode, pduType: DicomPduType, buffer: memoryview, bytes: int
    ) -> None:
        """Look at a PDU that was received, before anything else is told about it.

        Parameters
        ----------
        error
            ``Success``.
        pduType
            Its type.
        buffer
            The whole PDU with its header, for the time of the call.
        bytes
            Length of `buffer`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceive``.
        """

    def OnReceiveUnknown(self, buffer: bytes) -> None:
        """Look at a PDU of a type that DICOM does not know, before the connection is aborted.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveUnknown``.
        """

    def OnSend(self, error: DicomExceptionCode, type: DicomPduType, length: int) -> None:
        """Hear that a queued PDU has left.

        Parameters
        ----------
        error
            ``Success``, or why it has not.
        type, length
            Its type, and its length without the header.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnSend``.
        """

    def OnBeforeSendCommandSet(self, commandSet: DicomDataSet) -> None:
        """Add elements to the command set of a response that is being sent.

        Runs inside the ``Send...Response`` call, on its thread.

        Parameters
        ----------
        commandSet
            What is changed in its ``to_pydicom()`` is sent.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnBeforeSendCommandSet``.
        """

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        """Answer an association request, with `SendAssociateAccept` or `SendAssociateReject`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveAssociateRequest``. Not answered within
        `association_timeout`: the association is aborted.
        """

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        """Hear that the association is there, and what the peer has accepted of it.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveAssociateAccept``.
        """

    def OnReceiveAssociateReject(
        self,
        result: DicomAssociateRejectResultType,
        source: DicomAssociateRejectSourceType,
        reason: DicomAssociateRejectReasonType,
    ) -> None:
        """Hear that the peer has rejected the association.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveAssociateReject``; PS3.8 9.3.4.
        """

    def OnReceiveReleaseRequest(self) -> None:
        """Answer a release request, with `SendReleaseResponse`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveReleaseRequest``.
        """

    def OnReceiveReleaseResponse(self) -> None:
        """Hear that the association is released; `Close` comes next.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveReleaseResponse``.
        """

    def OnReceiveAbort(self, source: DicomAbortSourceType, reason: DicomAbortReasonType) -> None:
        """Hear that the peer has aborted the association; `OnClose` follows.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveAbort``; PS3.8 9.3.8.
        """

    def OnReceiveData(self, presentationID: int, cs: DicomDataSet, ds: DicomDataSet | None) -> None:
        """Look at command set and data set of any DIMSE message, before its own override is called.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveData``.
        """

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
        """Take a C-STORE request: store an instance.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCStoreRequest``; PS3.7 9.3.1.
        """

    def OnReceiveCStoreResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
    ) -> None:
        """Take an answer to a C-STORE request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCStoreResponse``; PS3.7 9.3.1.
        """

    def OnReceiveCFindRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType,
        ds: DicomDataSet | None,
    ) -> None:
        """Take a C-FIND request: look for what matches.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCFindRequest``; PS3.7 9.3.2.
        """

    def OnReceiveCFindResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an answer to a C-FIND request: one match (Pending), or the last one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCFindResponse``; PS3.7 9.3.2.
        """

    def OnReceiveCMoveRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType,
        moveAE: str,
        ds: DicomDataSet | None,
    ) -> None:
        """Take a C-MOVE request: have what matches sent to an AE.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCMoveRequest``; PS3.7 9.3.4.
        """

    def OnReceiveCMoveResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
        remaining: int,
        completed: int,
        failed: int,
        warning: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an answer to a C-MOVE request: progress (Pending), or the last one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCMoveResponse``; PS3.7 9.3.4.
        """

    def OnReceiveCGetRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType,
        ds: DicomDataSet | None,
    ) -> None:
        """Take a C-GET request: have what matches sent over this association.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCGetRequest``; PS3.7 9.3.3.
        """

    def OnReceiveCGetResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
        remaining: int,
        completed: int,
        failed: int,
        warning: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an answer to a C-GET request: progress (Pending), or the last one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCGetResponse``; PS3.7 9.3.3.
        """

    def OnReceiveCCancelRequest(self, presentationID: int, messageID: int) -> None:
        """Take a C-CANCEL request: end a C-FIND, C-MOVE or C-GET.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCCancelRequest``; PS3.7 9.3.2.3.
        """

    def OnReceiveCEchoRequest(
        self, presentationID: int, messageID: int, affectedClass: str
    ) -> None:
        """Take a C-ECHO request: ask for a sign of life.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCEchoRequest``; PS3.7 9.3.5.
        """

    def OnReceiveCEchoResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
    ) -> None:
        """Take an answer to a C-ECHO request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveCEchoResponse``; PS3.7 9.3.5.
        """
