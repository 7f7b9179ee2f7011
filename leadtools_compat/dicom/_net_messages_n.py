"""The part of `DicomNet` that sends N-messages (PS3.7 10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadtools_compat._binding import lib
from leadtools_compat.dicom._associate_state import optional_text
from leadtools_compat.dicom._net_send import send, start, tags, u16

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet
    from leadtools_compat.dicom.enums_dimse import DicomCommandStatusType

__all__ = ["NetMessagesN"]


class NetMessagesN:
    """Methods that send N-messages (PS3.7 10).

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

    def SendNReportRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        dicomEvent: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an N-EVENT-REPORT request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNReportRequest``; PS3.7 10.3.1.
        """
        send(
            self,
            lib.L_DicomSendNReportRequest,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(dicomEvent, "dicomEvent"),
            data=ds,
        )

    def SendNReportResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType | int,
        dicomEvent: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an answer to an N-EVENT-REPORT request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNReportResponse``; PS3.7 10.3.1.
        """
        send(
            self,
            lib.L_DicomSendNReportResponse,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(status, "status"),
            u16(dicomEvent, "dicomEvent"),
            data=ds,
        )

    def SendNGetRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        attributes: Sequence[int],
    ) -> None:
        """Send an N-GET request.

        Parameters
        ----------
        attributes
            Tags; none: all.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNGetRequest``; PS3.7 10.3.2.
        """
        send(
            self,
            lib.L_DicomSendNGetRequest,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            *tags(attributes, "attributes"),
        )

    def SendNGetResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType | int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an answer to an N-GET request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNGetResponse``; PS3.7 10.3.2.
        """
        send(
            self,
            lib.L_DicomSendNGetResponse,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(status, "status"),
            data=ds,
        )

    def SendNSetRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an N-SET request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNSetRequest``; PS3.7 10.3.3.
        """
        send(
            self,
            lib.L_DicomSendNSetRequest,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            data=ds,
        )

    def SendNSetResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType | int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an answer to an N-SET request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNSetResponse``; PS3.7 10.3.3.
        """
        send(
            self,
            lib.L_DicomSendNSetResponse,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(status, "status"),
            data=ds,
        )

    def SendNActionRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        action: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an N-ACTION request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNActionRequest``; PS3.7 10.3.4.
        """
        send(
            self,
            lib.L_DicomSendNActionRequest,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(action, "action"),
            data=ds,
        )

    def SendNActionResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType | int,
        action: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an answer to an N-ACTION request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNActionResponse``; PS3.7 10.3.4.
        """
        send(
            self,
            lib.L_DicomSendNActionResponse,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(status, "status"),
            u16(action, "action"),
            data=ds,
        )

    def SendNCreateRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an N-CREATE request; without an instance the peer chooses one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNCreateRequest``; PS3.7 10.3.5.
        """
        send(
            self,
            lib.L_DicomSendNCreateRequest,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            data=ds,
        )

    def SendNCreateResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType | int,
        ds: DicomDataSet | None,
    ) -> None:
        """Send an answer to an N-CREATE request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNCreateResponse``; PS3.7 10.3.5.
        """
        send(
            self,
            lib.L_DicomSendNCreateResponse,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(status, "status"),
            data=ds,
        )

    def SendNDeleteRequest(
        self, presentationID: int, messageID: int, affectedClass: str, instance: str
    ) -> None:
        """Send an N-DELETE request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNDeleteRequest``; PS3.7 10.3.6.
        """
        send(
            self,
            lib.L_DicomSendNDeleteRequest,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
        )

    def SendNDeleteResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType | int,
    ) -> None:
        """Send an answer to an N-DELETE request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendNDeleteResponse``; PS3.7 10.3.6.
        """
        send(
            self,
            lib.L_DicomSendNDeleteResponse,
            *start(presentationID, messageID, affectedClass),
            optional_text(instance, "instance"),
            u16(status, "status"),
        )
