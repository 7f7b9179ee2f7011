"""`PerformedProcedureStepScu`: tells a node what a modality does (MPPS)."""

from __future__ import annotations

from typing import Any

from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.element_attributes import elements_of
from leadtools_compat.dicom.enums_dimse import DicomCommandStatusType
from leadtools_compat.dicom.scu import _steps
from leadtools_compat.dicom.scu._connection_state import connection_of, fire
from leadtools_compat.dicom.scu._events import Event
from leadtools_compat.dicom.scu._mapped import fill
from leadtools_compat.dicom.scu.dicom_connection import DicomConnection
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.event_args import StatusCommonEventArgs
from leadtools_compat.dicom.scu.presentation_context import PresentationContext

__all__ = ["PerformedProcedureStepScu"]

MPPS = "1.2.840.10008.3.1.2.3.3"


class PerformedProcedureStepScu(DicomConnection):
    """Makes performed procedure steps and changes them (N-CREATE and N-SET, PS3.4 F.7).

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.PerformedProcedureStepScu``; the parameters are ours.
    """

    AfterNCreate = Event[StatusCommonEventArgs]()
    AfterNSet = Event[StatusCommonEventArgs]()

    def Create(self, scp: DicomScp, instanceUid: str | None, data: Any) -> str:
        """Make a step at a node, usually with the status ``IN PROGRESS``.

        Parameters
        ----------
        instanceUid
            UID of the step; None or "": a new one.
        data
            Its attributes: a `DicomDataSet`, or an object with `Element` members.

        Returns
        -------
        str
            The UID of the step, for `Set`.

        Raises
        ------
        ClientConnectionException, ClientAssociationException, ClientCommunicationException
            Which step failed. The answer is in `Status` and `AfterNCreate`.

        Notes
        -----
        Mirrors ``PerformedProcedureStepScu.Create``; PS3.4 F.7.2.1.
        """
        from pydicom.uid import generate_uid

        uid = instanceUid or str(generate_uid(prefix=None))
        self.__ask(scp, "SendNCreateRequest", "AfterNCreate", uid, data)
        return uid

    def Set(self, scp: DicomScp, instanceUid: str, data: Any) -> None:
        """Change a step, up to ``COMPLETED`` or ``DISCONTINUED``.

        Parameters
        ----------
        instanceUid, data
            As in `Create`; what does not change is left out.

        Raises
        ------
        ClientConnectionException, ClientAssociationException, ClientCommunicationException
            Which step failed. The answer is in `Status` and `AfterNSet`.

        Notes
        -----
        Mirrors ``PerformedProcedureStepScu.Set``; PS3.4 F.7.2.2.
        """
        self.__ask(scp, "SendNSetRequest", "AfterNSet", instanceUid, data)

    def __ask(self, scp: DicomScp, name: str, event: str, uid: str, data: Any) -> None:
        given = _data_set(data)
        with _steps.talking(self, scp, [PresentationContext(MPPS)]) as state:
            context = _steps.need_context(self, state, MPPS)
            state.parameters.Status, state.parameters.Dataset = DicomCommandStatusType.Success, None
            state.conversation.forget_answer()
            _steps.send(self, state, name, context, state.next_message(), MPPS, uid, given)
            _steps.exchange(self, state)
            answer = state.parameters
            fire(self, event, StatusCommonEventArgs(answer.Status, answer.Dataset))

    def OnReceiveNCreateResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
        ds: DicomDataSet | None,
    ) -> None:
        """Keep the answer, and wake `Create`."""
        _keep(self, presentationID, messageID, affectedClass, status, ds)

    def OnReceiveNSetResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
        ds: DicomDataSet | None,
    ) -> None:
        """Keep the answer, and wake `Set`."""
        _keep(self, presentationID, messageID, affectedClass, status, ds)


def _data_set(data: Any) -> DicomDataSet:
    if isinstance(data, DicomDataSet):
        return data
    if not elements_of(type(data)):
        raise TypeError(
            "data must be a DicomDataSet or an object of a class with Element members, not "
            f"{type(data).__name__}"
        )
    made = DicomDataSet()
    fill(made, data)
    return made


def _keep(
    net: Any,
    context: int,
    message: int,
    uid: str,
    status: DicomCommandStatusType,
    ds: DicomDataSet | None,
) -> None:
    state = connection_of(net)
    answer = state.parameters
    answer.PresentationID, answer.MessageID, answer.AffectedClass = context, message, uid
    answer.Status, answer.Dataset = status, ds
    state.conversation.answer()
