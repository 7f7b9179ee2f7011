"""One client of the archive: which requests it takes, and how it answers them.

Callbacks return at once: what takes longer (queries, retrievals) runs on the server's worker
threads, as LEAD's server demo does it, so that a C-CANCEL finds somebody who hears it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from examples.archive import query, retrieve, storage
from examples.archive.records import commit, create_step, set_step
from leadtools_compat.dicom import *

if TYPE_CHECKING:
    from examples.archive.server import Server

SERVICES = {
    DicomUidType.VerificationClass,
    *query.FINDS,
    *retrieve.MOVES,
    *retrieve.GETS,
    DicomUidType.StorageCommitmentPushModelClass,
    DicomUidType.ModalityPerformedClass,
}
STORAGE = "1.2.840.10008.5.1.4.1.1."
NATIVE = (DicomUidType.ExplicitVRLittleEndian, DicomUidType.ImplicitVRLittleEndian)


class Association(DicomNet):
    """A connection that the server has accepted; made and configured in the server's OnAccept."""

    def __init__(self, server: Server, mode: DicomNetSecurityMode) -> None:
        super().__init__(str(server.folder), mode, False)
        self.server = server
        self.canceled: dict[int, threading.Event] = {}
        self.stored = threading.Condition()
        self.answers: dict[int, DicomCommandStatusType] = {}
        self.over = False
        self.calling = self.called = ""

    # ---- association ----

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        server = self.server
        if server.GetClientCount() > server.most_clients:
            self.SendAssociateReject(
                DicomAssociateRejectResultType.Transient,
                DicomAssociateRejectSourceType.Provider2,
                DicomAssociateRejectReasonType.Limit,
            )
            return
        if server.title not in ("", association.Called):
            self.reject(DicomAssociateRejectReasonType.Called)
            return
        if server.callers and association.Calling not in server.callers:
            self.reject(DicomAssociateRejectReasonType.Calling)
            return
        self.calling, self.called = association.Calling, association.Called
        with DicomAssociate(False) as answer:
            answer.MaxLength, answer.Version = association.MaxLength, 1
            answer.Called, answer.Calling = association.Called, association.Calling
            answer.ApplicationContextName = association.ApplicationContextName
            for index in range(association.PresentationContextCount):
                self.answer_context(
                    association, association.GetPresentationContextID(index), answer
                )
            self.SendAssociateAccept(answer)

    def reject(self, reason: DicomAssociateRejectReasonType) -> None:
        self.SendAssociateReject(
            DicomAssociateRejectResultType.Permanent, DicomAssociateRejectSourceType.User, reason
        )

    def answer_context(
        self, association: DicomAssociate, number: int, answer: DicomAssociate
    ) -> None:
        """Accept a context, or say why not."""
        uid = association.GetAbstract(number)
        offered = [
            association.GetTransfer(number, i) for i in range(association.GetTransferCount(number))
        ]
        stores = uid.startswith(STORAGE)
        result, syntax = DicomAssociateAcceptResultType.Success, offered[0]
        if not stores and uid not in SERVICES:
            result = DicomAssociateAcceptResultType.AbstractSyntax
        elif not stores:
            known = [one for one in offered if one in NATIVE]
            if known:
                syntax = known[0]
            else:
                result = DicomAssociateAcceptResultType.TransferSyntax
        answer.AddPresentationContext(number, result, uid)
        answer.AddTransfer(number, syntax)
        if stores and association.IsRoleSelect(number):  # C-GET: the client stores
            answer.SetRoleSelect(
                number, True, association.GetUserRole(number), association.GetProviderRole(number)
            )

    def OnReceiveReleaseRequest(self) -> None:
        self.SendReleaseResponse()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        with self.stored:
            self.over = True
            self.stored.notify_all()
        for event in list(self.canceled.values()):
            event.set()

    # ---- verification and storage ----

    def OnReceiveCEchoRequest(
        self, presentationID: int, messageID: int, affectedClass: str
    ) -> None:
        self.SendCEchoResponse(
            presentationID, messageID, affectedClass, DicomCommandStatusType.Success
        )

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
        status = DicomCommandStatusType.InvalidObjectInstance
        if ds is not None:
            try:
                status = storage.store(ds, instance, self.server.folder, self.server.index)
            except OSError as error:
                self.server.log(f"{instance}: {error}")
                status = DicomCommandStatusType.RefusedOutOfResources
            except DicomException as error:
                self.server.log(f"{instance}: {error}")
                status = DicomCommandStatusType.ProcessingFailure
        self.server.log(f"stored {instance} of {self.PeerAddress}: {status}")
        self.SendCStoreResponse(presentationID, messageID, affectedClass, instance, status)

    # ---- query and retrieve ----

    def OnReceiveCFindRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType,
        ds: DicomDataSet | None,
    ) -> None:
        self.work(messageID, self.find, presentationID, messageID, affectedClass, ds)

    def find(
        self, context: int, message: int, uid: str, ds: DicomDataSet | None, stop: threading.Event
    ) -> None:
        status = DicomCommandStatusType.Success
        try:
            keys = None if ds is None else ds.to_pydicom()
            found = (
                query.answers(uid, keys, self.server.index, self.server.worklist) if keys else ()
            )
            for one in found:
                if stop.is_set():
                    status = DicomCommandStatusType.Cancel
                    break
                if uid != query.WORKLIST:
                    one.RetrieveAETitle = self.called
                with DicomDataSet.from_pydicom(one) as match:
                    pending = DicomCommandStatusType.Pending
                    self.SendCFindResponse(context, message, uid, pending, match)
        except (ValueError, DicomException) as error:
            self.server.log(f"query: {error}")
            status = DicomCommandStatusType.ClaseInstanceConflict
        self.SendCFindResponse(context, message, uid, status, None)

    def OnReceiveCMoveRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType,
        moveAE: str,
        ds: DicomDataSet | None,
    ) -> None:
        self.work(
            messageID, retrieve.move, self, presentationID, messageID, affectedClass, moveAE, ds
        )

    def OnReceiveCGetRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType,
        ds: DicomDataSet | None,
    ) -> None:
        self.work(messageID, retrieve.get, self, presentationID, messageID, affectedClass, ds)

    def OnReceiveCStoreResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
    ) -> None:
        with self.stored:
            self.answers[messageID] = status
            self.stored.notify_all()

    def OnReceiveCCancelRequest(self, presentationID: int, messageID: int) -> None:
        event = self.canceled.get(messageID)
        if event is not None:
            event.set()

    def work(self, message: int, function: Callable[..., None], *arguments: Any) -> None:
        """Serve a request on a worker thread."""
        stop = self.canceled[message] = threading.Event()

        def run() -> None:
            try:
                function(*arguments, stop)
            except DicomException as error:
                self.server.log(f"{self.PeerAddress}: {error}")  # the client has gone
            except Exception as error:  # noqa: BLE001 - the client must not wait for nothing
                self.server.log(f"{self.PeerAddress}: {type(error).__name__}: {error}")
                self.CloseForced(True)
            finally:
                self.canceled.pop(message, None)

        pool: ThreadPoolExecutor = self.server.pool
        pool.submit(run)

    # ---- storage commitment and performed procedure steps ----

    def OnReceiveNActionRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        action: int,
        ds: DicomDataSet | None,
    ) -> None:
        commit(self, presentationID, messageID, affectedClass, instance, action, ds)

    def OnReceiveNCreateRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        ds: DicomDataSet | None,
    ) -> None:
        status = create_step(self.server.index, affectedClass, instance, ds)
        self.SendNCreateResponse(presentationID, messageID, affectedClass, instance, status, None)

    def OnReceiveNSetRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        ds: DicomDataSet | None,
    ) -> None:
        status = set_step(self.server.index, affectedClass, instance, ds)
        self.SendNSetResponse(presentationID, messageID, affectedClass, instance, status, None)
