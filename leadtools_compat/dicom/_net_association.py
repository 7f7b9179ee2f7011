"""The part of `DicomNet` that is about associations: request, answer, release, abort."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding import lib
from leadtools_compat.dicom._arguments import member
from leadtools_compat.dicom._associate_state import associate_of
from leadtools_compat.dicom._net_send import send, send_data, u8
from leadtools_compat.dicom._net_state import copy_association, live, state_of
from leadtools_compat.dicom.enums_dimse import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
)

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_associate import DicomAssociate
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet

__all__ = ["NetAssociation"]


def _send_associate(
    net: Any, function: Callable[[Any, Any], int], association: DicomAssociate
) -> None:
    live(net)
    with associate_of(association, "association").lend() as handle:
        send(net, function, handle)


class NetAssociation:
    """Methods for associations; all that send queue and return, from any thread and override.

    Raises
    ------
    DicomException
        ``NetNotConnected``; ``AssociationNotEstablished`` or ``InvalidState``: PS3.8 9.2 forbids it
        now; ``Parameter``.
    """

    def IsAssociated(self) -> bool:
        """Tell whether there is an association, from its acceptance until release, abort or close.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.IsAssociated``. False after `Dispose`.
        """
        state = state_of(self)
        with state.lock:
            return state.snapshot is None and bool(lib.L_DicomIsAssociated(state.handle))

    @property
    def Association(self) -> DicomAssociate | None:
        """A copy of the present or last association; None before the first one.

        Of a requestor: what the peer has accepted. Of an acceptor: the request, then the accept.
        Still there after the close and after `Dispose`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Association``.
        """
        return copy_association(state_of(self))

    def SendAssociateRequest(self, association: DicomAssociate) -> None:
        """Ask the peer for an association.

        Parameters
        ----------
        association
            Made with True; copied.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendAssociateRequest``; PS3.8 9.3.2.
        """
        _send_associate(self, lib.L_DicomSendAssociateRequest, association)

    def SendAssociateAccept(self, association: DicomAssociate) -> None:
        """Accept the peer's association request.

        Parameters
        ----------
        association
            Made with False; copied. Contexts without an answer in it are rejected.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendAssociateAccept``; PS3.8 9.3.3.
        """
        _send_associate(self, lib.L_DicomSendAssociateAccept, association)

    def SendAssociateReject(
        self,
        result: DicomAssociateRejectResultType | int,
        source: DicomAssociateRejectSourceType | int,
        reason: DicomAssociateRejectReasonType | int,
    ) -> None:
        """Reject the peer's association request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendAssociateReject``; PS3.8 9.3.4.
        """
        send(
            self,
            lib.L_DicomSendAssociateReject,
            member(result, "result", DicomAssociateRejectResultType),
            member(source, "source", DicomAssociateRejectSourceType),
            u8(reason, "reason"),
        )

    def SendReleaseRequest(self) -> None:
        """Ask the peer to end the association.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendReleaseRequest``; PS3.8 9.3.6.
        """
        send(self, lib.L_DicomSendReleaseRequest)

    def SendReleaseResponse(self) -> None:
        """Agree to the end of the association; the peer closes the connection next.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendReleaseResponse``; PS3.8 9.3.7.
        """
        send(self, lib.L_DicomSendReleaseResponse)

    def SendAbort(
        self, source: DicomAbortSourceType | int, reason: DicomAbortReasonType | int
    ) -> None:
        """End the association at once, and the connection with it.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendAbort``; PS3.8 9.3.8.
        """
        send(
            self,
            lib.L_DicomSendAbort,
            member(source, "source", DicomAbortSourceType),
            member(reason, "reason", DicomAbortReasonType),
        )

    def SendData(self, presentationID: int, cs: DicomDataSet, ds: DicomDataSet | None) -> None:
        """Send a message with a command set of one's own.

        Parameters
        ----------
        presentationID
            An accepted presentation context.
        cs
            The command set; its group length is counted anew when it has changed.
        ds
            The data set, or None.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SendData``; PS3.7 6.3.
        """
        send_data(self, u8(presentationID, "presentationID"), cs, ds)
