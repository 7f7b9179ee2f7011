"""The part of `DicomNet` that sends C-messages (PS3.7 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadtools_compat._binding import lib
from leadtools_compat.dicom._arguments import member
from leadtools_compat.dicom._associate_state import optional_text
from leadtools_compat.dicom._net_send import send, start, u8, u16
from leadtools_compat.dicom._net_state import call, live
from leadtools_compat.dicom.enums_dimse import DicomCommandPriorityType

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet
    from leadtools_compat.dicom.enums_dimse import DicomCommandStatusType

__all__ = ["NetMessages"]


class NetMessages:
    """Methods that send C-messages (PS3.7 9).

    All of these queue the message and return before it has left, from any thread and every
    override. The data set is taken over as it is now. While more than the queue's limit waits to be
    sent, a call blocks.

    Parameters that all have: `presentationID`, an accepted presentation context; `messageID`, 0 to
    65535; `affectedClass`, the SOP class. `ds` None: without a data set. `status` may be any number
    of 0 to 65535. A data set in another transfer syntax than the context's is converted, unless
    that takes a codec.

    Raises
    ------
    DicomException
        ``AssociationNotEstablished``; ``PresentationContextInvalid``: not accepted; ``Parameter``:
        a value is out of its range; ``TransferSyntaxNotSupported``: the data set needs a codec;
        ``NetQueueFull``: the peer takes nothing any more.
    """

    def SendCStoreRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        priority: DicomCommandPriorityType | int,
        moveAE: str,
        moveMessageID: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send a C-STORE request: store an instance.

        Parameters
        ----------
        moveAE, moveMessageID
            As a sub-operation of a C-MOVE: who asked for it, and its message id. Else "" and 0.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCStoreRequest``; PS3.7 9.3.1.
        """
        send(
            self,
            lib.L_DicomSendCStoreRequest,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            member(priority, "priority", DicomCommandPriorityType),
            optional_text(moveAE, "moveAE"),
            u16(moveMessageID, "moveMessageID"),
            data=ds,
        )

    def SendCStoreResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType | int,
    ) -> None:
        """Send an answer to a C-STORE request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCStoreResponse``; PS3.7 9.3.1.
        """
        state = live(self)
        code = lib.L_DicomSendCStoreResponse(
            state.handle,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(status, "status"),
        )
        if code != 0:
            call(state, code)

    def SendCFindRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType | int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send a C-FIND request: look for what matches.

        Every element of `ds` is a key, empty ones too; group lengths stay behind, unless `Flags`
        says not.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCFindRequest``; PS3.7 9.3.2.
        """
        send(
            self,
            lib.L_DicomSendCFindRequest,
            *start(presentationID, messageID, affectedClass),
            member(priority, "priority", DicomCommandPriorityType),
            data=ds,
            keys=True,
        )

    def SendCFindResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType | int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an answer to a C-FIND request: one match (Pending), or the last one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCFindResponse``; PS3.7 9.3.2.
        """
        send(
            self,
            lib.L_DicomSendCFindResponse,
            *start(presentationID, messageID, affectedClass),
            u16(status, "status"),
            data=ds,
        )

    def SendCMoveRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType | int,
        moveAE: str,
        ds: DicomDataSet | None,
    ) -> None:
        """Send a C-MOVE request: have what matches sent to an AE.

        Parameters
        ----------
        moveAE
            The AE title to send to.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCMoveRequest``; PS3.7 9.3.4.
        """
        send(
            self,
            lib.L_DicomSendCMoveRequest,
            *start(presentationID, messageID, affectedClass),
            member(priority, "priority", DicomCommandPriorityType),
            optional_text(moveAE, "moveAE"),
            data=ds,
        )

    def SendCMoveResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType | int,
        remaining: int,
        completed: int,
        failed: int,
        warning: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an answer to a C-MOVE request: progress (Pending), or the last one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCMoveResponse``; PS3.7 9.3.4.
        """
        send(
            self,
            lib.L_DicomSendCMoveResponse,
            *start(presentationID, messageID, affectedClass),
            u16(status, "status"),
            u16(remaining, "remaining"),
            u16(completed, "completed"),
            u16(failed, "failed"),
            u16(warning, "warning"),
            data=ds,
        )

    def SendCGetRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType | int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send a C-GET request: have what matches sent over this association.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCGetRequest``; PS3.7 9.3.3.
        """
        send(
            self,
            lib.L_DicomSendCGetRequest,
            *start(presentationID, messageID, affectedClass),
            member(priority, "priority", DicomCommandPriorityType),
            data=ds,
        )

    def SendCGetResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType | int,
        remaining: int,
        completed: int,
        failed: int,
        warning: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an answer to a C-GET request: progress (Pending), or the last one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCGetResponse``; PS3.7 9.3.3.
        """
        send(
            self,
            lib.L_DicomSendCGetResponse,
            *start(presentationID, messageID, affectedClass),
            u16(status, "status"),
            u16(remaining, "remaining"),
            u16(completed, "completed"),
            u16(failed, "failed"),
            u16(warning, "warning"),
            data=ds,
        )

    def SendCCancelRequest(self, presentationID: int, messageID: int) -> None:
        """Send a C-CANCEL request: end a C-FIND, C-MOVE or C-GET.

        Parameters
        ----------
        messageID
            Of the request to cancel.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCCancelRequest``; PS3.7 9.3.2.3.
        """
        send(
            self,
            lib.L_DicomSendCCancelRequest,
            u8(presentationID, "presentationID"),
            u16(messageID, "messageID"),
        )

    def SendCEchoRequest(self, presentationID: int, messageID: int, affectedClass: str) -> None:
        """Send a C-ECHO request: ask for a sign of life.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCEchoRequest``; PS3.7 9.3.5.
        """
        send(
            self,
            lib.L_DicomSendCEchoRequest,
            *start(presentationID, messageID, affectedClass),
        )

    def SendCEchoResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType | int,
    ) -> None:
        """Send an answer to a C-ECHO request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendCEchoResponse``; PS3.7 9.3.5.
        """
        state = live(self)
        code = lib.L_DicomSendCEchoResponse(
            state.handle,
            *start(presentationID, messageID, affectedClass),
            u16(status, "status"),
        )
        if code != 0:
            call(state, code)
