"""Storage commitment, the part of `StoreScu` that asks a node to answer for instances (PS3.4 J)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom import _arguments
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_dimse import DicomCommandStatusType
from leadtools_compat.dicom.scu import _base as base
from leadtools_compat.dicom.scu import _steps
from leadtools_compat.dicom.scu._connection_state import connection_of, fire
from leadtools_compat.dicom.scu._events import Event
from leadtools_compat.dicom.scu._host import HostOwner, start_host, stop_host
from leadtools_compat.dicom.scu._store_items import look_at_file
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.enums import StorageCommitOptions
from leadtools_compat.dicom.scu.event_args import (
    AfterNActionEventArgs,
    BeforeNActionEventArgs,
    StorageCommitmentResultData,
    StorageCommitmentResultEventArgs,
    StorageCommitmentWaitEventArgs,
)
from leadtools_compat.dicom.scu.exceptions import ClientCommunicationException
from leadtools_compat.dicom.scu.presentation_context import PresentationContext

__all__ = ["Commitment"]

PUSH_MODEL = "1.2.840.10008.1.20.1"
PUSH_INSTANCE = "1.2.840.10008.1.20.1.1"
REQUEST = 1
"""Action type, PS3.4 J.3.2.1."""

RESULTS = "_Commitment__results"


class Commitment(HostOwner):
    """The storage commitment of `StoreScu`."""

    BeforeNAction = Event[BeforeNActionEventArgs]()
    AfterNAction = Event[AfterNActionEventArgs]()
    StorageCommitmentResult = Event[StorageCommitmentResultEventArgs]()
    StorageCommitmentWait = Event[StorageCommitmentWaitEventArgs]()

    def StorageCommit(
        self,
        scp: DicomScp,
        files: Iterable[StrPath],
        transactionUid: str | None,
        options: StorageCommitOptions | int = StorageCommitOptions.None_,
    ) -> None:
        """Ask a node to answer for instances that it has got.

        The result is told in `StorageCommitmentResult`. With other options than ``None_`` an inner
        listener on `HostPort` takes it, should the node tell it on a new association.

        Parameters
        ----------
        files
            The files of the instances.
        transactionUid
            Names the request. None or "": a new UID.

        Raises
        ------
        DicomException
            A file is no instance; the listener cannot be started.
        ClientConnectionException, ClientAssociationException, ClientCommunicationException
            As in `Store`; or the result has not come in time.

        Notes
        -----
        Mirrors ``StoreScu.StorageCommit``; PS3.4 J.3.2. A refusal is in `Status` and `AfterNAction`.
        """
        number = _arguments.member(options, "options", StorageCommitOptions)
        request, transaction = _request(files, transactionUid)
        results: set[str] = self.__dict__.setdefault(RESULTS, set())
        results.discard(transaction)
        if number != StorageCommitOptions.None_:
            start_host(self)
        keep = False
        try:
            with _steps.talking(self, scp, [PresentationContext(PUSH_MODEL)]) as state:
                context = _steps.need_context(self, state, PUSH_MODEL)
                message = state.next_message()
                arguments = (message, context, PUSH_MODEL, PUSH_INSTANCE, REQUEST, request)
                fire(self, "BeforeNAction", BeforeNActionEventArgs(*arguments))
                state.parameters.Status = DicomCommandStatusType.Success
                state.conversation.forget_answer()
                _steps.send(
                    self,
                    state,
                    "SendNActionRequest",
                    context,
                    message,
                    PUSH_MODEL,
                    PUSH_INSTANCE,
                    REQUEST,
                    request,
                )
                _steps.exchange(self, state)
                status = state.parameters.Status
                fire(self, "AfterNAction", AfterNActionEventArgs(*arguments, status))
                good = status == DicomCommandStatusType.Success
                if good and number != StorageCommitOptions.None_:
                    wait = StorageCommitmentWaitEventArgs(StorageCommitOptions(number))
                    fire(self, "StorageCommitmentWait", wait)
                if good and number == StorageCommitOptions.WaitForResultsThenClose:
                    _wait_for(self, scp, transaction, results)
            keep = good and number == StorageCommitOptions.NoWaitForResults
        finally:
            if not keep:
                stop_host(self)

    def StopListener(self) -> None:
        """End the listener that waits for the result of a `StorageCommit`.

        Notes
        -----
        Mirrors ``StoreScu.StopListener``.
        """
        stop_host(self)

    def OnReceiveNActionResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
        action: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Keep the status, and wake the call."""
        state = connection_of(self)
        answer = state.parameters
        answer.PresentationID, answer.MessageID = presentationID, messageID
        answer.AffectedClass, answer.Status, answer.Dataset = affectedClass, status, ds
        state.conversation.answer()

    def OnReceiveNReportRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        dicomEvent: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Take the result of a commitment on the association of the request."""
        self.take_report(self, presentationID, messageID, affectedClass, instance, dicomEvent, ds)

    # ---- of the inner listener ----

    def host_takes(self, sop_class: str) -> bool:
        """Tell whether the inner listener accepts a SOP class (ours)."""
        return sop_class == PUSH_MODEL

    def take_report(self, net: Any, *arguments: Any) -> None:
        """Take a report of either association, and answer it (ours)."""
        context, message, sop_class, instance, event, data = arguments
        known = sop_class == PUSH_MODEL and data is not None
        result = _result(data) if known else None
        if result is None:
            status = DicomCommandStatusType.ProcessingFailure
        else:
            fire(self, "StorageCommitmentResult", StorageCommitmentResultEventArgs(result))
            status = DicomCommandStatusType.Success
        # It may have crossed our release, and then nobody waits for the answer; it is told all the same.
        with contextlib.suppress(DicomException):
            net.SendNReportResponse(context, message, sop_class, instance, status, event, None)
        if result is not None:  # a call that waits for it looks after each callback
            self.__dict__.setdefault(RESULTS, set()).add(result.TransactionUID)


def _wait_for(net: Any, scp: DicomScp, transaction: str, results: set[str]) -> None:
    """Wait for the result; the node may end the association of the request meanwhile."""
    conversation = connection_of(net).conversation
    while transaction not in results:
        conversation.forget_answer()
        if not conversation.wait(
            scp.Timeout, lambda: transaction in results, lambda: base.traffic(net)
        ):
            raise ClientCommunicationException(
                f"{scp} has not told the result of the commitment within {scp.Timeout:g} seconds",
                DicomCommandStatusType.Pending,
            )


def _request(files: Iterable[StrPath], transaction: str | None) -> tuple[DicomDataSet, str]:
    from pydicom.dataset import Dataset
    from pydicom.uid import generate_uid

    request = Dataset()
    request.TransactionUID = transaction or generate_uid(prefix=None)
    items = []
    if isinstance(files, (str, bytes)):
        raise TypeError("files must be a list of paths, not one path")
    for path in files:
        item = look_at_file(path)
        if item.error is not None:
            raise item.error
        one = Dataset()
        one.ReferencedSOPClassUID = item.sop_class
        one.ReferencedSOPInstanceUID = item.instance
        items.append(one)
    request.ReferencedSOPSequence = items
    return DicomDataSet.from_pydicom(request), str(request.TransactionUID)


def _result(data: DicomDataSet) -> StorageCommitmentResultData | None:
    elements = data.to_pydicom()
    transaction = str(elements.get("TransactionUID", "") or "")
    if not transaction:
        return None
    return StorageCommitmentResultData(
        transaction,
        str(elements.get("RetrieveAETitle", "") or ""),
        str(elements.get("StorageMediaFileSetID", "") or ""),
        str(elements.get("StorageMediaFileSetUID", "") or ""),
        list(elements.get("ReferencedSOPSequence", None) or ()),
        list(elements.get("FailedSOPSequence", None) or ()),
    )
