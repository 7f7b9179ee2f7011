"""`QueryRetrieveScu`: asks a node what it has, and fetches that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_open_ssl_context_creation_settings import (
    DicomOpenSslContextCreationSettings,
)
from leadtools_compat.dicom.enums_dimse import DicomCommandPriorityType, DicomCommandStatusType
from leadtools_compat.dicom.enums_tls import DicomNetSecurityMode
from leadtools_compat.dicom.scu import _base as base
from leadtools_compat.dicom.scu import _find, _steps
from leadtools_compat.dicom.scu._connection_state import connection_of, fire
from leadtools_compat.dicom.scu._events import Event
from leadtools_compat.dicom.scu._host import HostOwner, ScpHost, host_of, start_host, stop_host
from leadtools_compat.dicom.scu._query_forms import FindMethod
from leadtools_compat.dicom.scu._storage_classes import is_storage, storage_classes
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.event_args import (
    AfterCFindEventArgs,
    AfterCGetEventArgs,
    AfterCMoveEventArgs,
    BeforeCFindEventArgs,
    BeforeCGetEventArgs,
    BeforeCMoveEventArgs,
    MatchEventArgs,
    MovedEventArgs,
    ReceivedStoreRequestEventArgs,
)
from leadtools_compat.dicom.scu.presentation_context import PresentationContext
from leadtools_compat.dicom.scu.results import CompositeObjectInstance, Patient, Series, Study

__all__ = ["QueryRetrieveScu"]

MOVE_TO_SELF = "_QueryRetrieveScu__move_to_self"
GETTING = "_QueryRetrieveScu__getting"

MOST = 128
LAST_WORDS = 2.0
"""Seconds that the node has after a C-MOVE to end the associations on which it has sent."""


class QueryRetrieveScu(HostOwner):
    """Queries and retrieves (PS3.4 C), and asks for worklists (PS3.4 K).

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.QueryRetrieveScu``.
    """

    BeforeCFind = Event[BeforeCFindEventArgs]()
    AfterCFind = Event[AfterCFindEventArgs]()
    MatchPatient = Event[MatchEventArgs[Patient]]()
    MatchStudy = Event[MatchEventArgs[Study]]()
    MatchSeries = Event[MatchEventArgs[Series]]()
    MatchInstance = Event[MatchEventArgs[CompositeObjectInstance]]()
    BeforeCMove = Event[BeforeCMoveEventArgs]()
    AfterCMove = Event[AfterCMoveEventArgs]()
    Moved = Event[MovedEventArgs]()
    BeforeCGet = Event[BeforeCGetEventArgs]()
    ReceivedStoreRequest = Event[ReceivedStoreRequestEventArgs]()
    AfterCGet = Event[AfterCGetEventArgs]()

    def __init__(
        self,
        temporaryDirectory: StrPath | None = None,
        mode: DicomNetSecurityMode | int = DicomNetSecurityMode.None_,
        settings: DicomOpenSslContextCreationSettings | None = None,
    ) -> None:
        super().__init__(temporaryDirectory, mode, settings)
        connection_of(self).conversation.put_in_front("OnReceiveCStoreRequest")

    @property
    def EnableMoveToSelf(self) -> bool:
        """Whether `Move` to the own title opens the inner listener; default True."""
        return bool(self.__dict__.get(MOVE_TO_SELF, True))

    @EnableMoveToSelf.setter
    def EnableMoveToSelf(self, value: bool) -> None:
        self.__dict__[MOVE_TO_SELF] = bool(value)

    # ---- query ----

    @property
    def Find(self) -> FindMethod:
        """Query a node.

        ``Find(scp, FindQuery)`` and ``Find(scp, FindQuery, returnUnmatched, dataSet)``: matches
        come in `MatchPatient`, `MatchStudy`, `MatchSeries` or `MatchInstance`. The bool has no
        effect; the data set adds keys.

        ``Find[TQuery, TResult](scp, query, match)``, ``(scp, query, match, template)`` and ``(scp,
        query, beforeAddTag, match, template)``: `query` is an object of a class with `Instance` and
        `Element` members, or a `DicomDataSet`; ``match(result, dataSet)`` is called for each match.
        Without types in brackets the result is of the query's type.

        Raises
        ------
        ClientConnectionException, ClientAssociationException, ClientCommunicationException
            Which step failed. How the query itself ended is in `Status` and `AfterCFind`.

        Notes
        -----
        Mirrors ``QueryRetrieveScu.Find``; PS3.4 C.4.1 and K.4.1.
        """
        return FindMethod(self)

    def OnReceiveCFindResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
        ds: DicomDataSet | None,
    ) -> None:
        """Tell a match; keep the last status, and wake `Find`."""
        state = connection_of(self)
        answer = state.parameters
        answer.PresentationID, answer.MessageID = presentationID, messageID
        answer.AffectedClass = affectedClass
        _find.response(self, state, status, ds)

    # ---- retrieve ----

    def Move(
        self,
        scp: DicomScp,
        destAE: str,
        studyUid: str | DicomDataSet,
        seriesUid: str | None = None,
        sopUid: str | None = None,
    ) -> None:
        """Have a node send what it has to an AE, which may be this one.

        To the own `AETitle`, with `EnableMoveToSelf`, the inner listener on `HostAddress` and
        `HostPort` takes the instances, and `Moved` tells each. The node has to know the own title's
        address.

        Parameters
        ----------
        destAE
            Title of the destination.
        studyUid
            A UID, or a data set that says level and keys.
        seriesUid, sopUid
            Narrow it down; the deepest one that is not empty is the level.

        Raises
        ------
        DicomException
            ``Parameter``: nothing is named. What starting the listener raises.
        ClientConnectionException, ClientAssociationException, ClientCommunicationException
            Which step failed. How the retrieval ended is in `Status` and `AfterCMove`.

        Notes
        -----
        Mirrors ``QueryRetrieveScu.Move``; PS3.4 C.4.2.
        """
        if not isinstance(destAE, str) or not destAE.strip():
            raise parameter_error(f"destAE is {destAE!r}: name the destination's title")
        data, root = _what(studyUid, seriesUid, sopUid)
        uid = f"{root}2"
        state = connection_of(self)
        with contextlib.ExitStack() as stack:
            host = None
            if self.__dict__.get(MOVE_TO_SELF, True) and destAE.strip() == state.ae_title:
                host = stack.enter_context(_listening(self))
            stack.enter_context(_steps.talking(self, scp, [PresentationContext(uid)]))
            context = _steps.need_context(self, state, uid)
            message = state.next_message()
            before = BeforeCMoveEventArgs(
                scp, data, DicomCommandPriorityType.Medium, destAE, message, context, uid
            )
            self.OnBeforeCMove(before)
            self.LogSendCMoveRequest(context, message, uid, before.Priority, destAE, before.Dataset)
            self.__ask(
                "SendCMoveRequest", context, message, uid, before.Priority, destAE, before.Dataset
            )
            answer = state.parameters
            self.OnAfterCMove(
                AfterCMoveEventArgs(
                    scp,
                    answer.Completed,
                    answer.Failed,
                    answer.Warning,
                    answer.Dataset,
                    answer.Status,
                    answer.Remaining,
                    message,
                    context,
                    uid,
                )
            )
            if host is not None:
                _let_finish(self, host)

    def Get(
        self,
        scp: DicomScp,
        studyUid: str | DicomDataSet,
        seriesUid: str | None = None,
        additionalPresentationContexts: Iterable[PresentationContext] | None = None,
    ) -> None:
        """Fetch what a node has over the same association; `ReceivedStoreRequest` tells each.

        Parameters
        ----------
        studyUid
            A UID, or a data set that says level and keys.
        seriesUid
            One series of the study; None or "": all.
        additionalPresentationContexts
            Storage classes and syntaxes that are offered first; all of DICOM's storage classes that
            have room follow.

        Raises
        ------
        ClientConnectionException, ClientAssociationException, ClientCommunicationException
            Which step failed. How the retrieval ended is in `Status` and `AfterCGet`.

        Notes
        -----
        Mirrors ``QueryRetrieveScu.Get``; PS3.4 C.4.3.
        """
        data, root = _what(studyUid, seriesUid, None)
        uid = f"{root}3"
        state = connection_of(self)
        contexts = [PresentationContext(uid), *_storage(additionalPresentationContexts or ())]
        with _steps.talking(self, scp, contexts):
            context = _steps.need_context(self, state, uid)
            message = state.next_message()
            before = fire(self, "BeforeCGet", BeforeCGetEventArgs(scp))
            self.__dict__[GETTING] = True
            try:
                self.__ask("SendCGetRequest", context, message, uid, before.Priority, data)
            finally:
                self.__dict__[GETTING] = False
            answer = state.parameters
            fire(
                self,
                "AfterCGet",
                AfterCGetEventArgs(answer.Status, answer.Completed, answer.Warning, answer.Failed),
            )

    def __ask(self, name: str, context: int, message: int, *arguments: Any) -> None:
        """Send a request for a retrieval and wait for its last answer."""
        state = connection_of(self)
        answer = state.parameters
        answer.Status, answer.Dataset = DicomCommandStatusType.Success, None
        answer.Completed = answer.Remaining = answer.Failed = answer.Warning = 0
        state.presentation_id = context
        state.conversation.forget_answer()
        try:
            _steps.send(self, state, name, context, message, *arguments)
            state.running = message
            _steps.exchange(self, state)
        finally:
            state.running = 0

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
        """Keep the counts; after the last answer wake `Move`."""
        self.__progress(
            presentationID,
            messageID,
            affectedClass,
            status,
            (remaining, completed, failed, warning),
            ds,
        )

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
        """Keep the counts; after the last answer wake `Get`."""
        self.__progress(
            presentationID,
            messageID,
            affectedClass,
            status,
            (remaining, completed, failed, warning),
            ds,
        )

    def __progress(
        self,
        context: int,
        message: int,
        uid: str,
        status: DicomCommandStatusType,
        counts: tuple[int, int, int, int],
        ds: DicomDataSet | None,
    ) -> None:
        state = connection_of(self)
        answer = state.parameters
        answer.PresentationID, answer.MessageID, answer.AffectedClass = context, message, uid
        answer.Remaining, answer.Completed, answer.Failed, answer.Warning = counts
        if int(status) & 0xFF00 != 0xFF00:
            answer.Status, answer.Dataset = status, ds
            state.conversation.answer()

    def OnReceiveCStoreRequest(  # type: ignore[override]
        self,
        scu: Any,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        priority: DicomCommandPriorityType,
        moveAE: str,
        moveMessageID: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an instance: raise `Moved` or `ReceivedStoreRequest`, then answer ``Success``.

        Parameters
        ----------
        scu
            The connection on which it came: a child of the inner listener, or this object. An
            override without the base answers with ``scu.SendCStoreResponse``.

        Notes
        -----
        Mirrors ``QueryRetrieveScu.OnReceiveCStoreRequest``, which has this one parameter more.
        """
        status = DicomCommandStatusType.Success
        if ds is None:
            status = DicomCommandStatusType.InvalidObjectInstance
        elif scu is self:
            fire(self, "ReceivedStoreRequest", ReceivedStoreRequestEventArgs(ds))
        else:
            found = CompositeObjectInstance(ds, affectedClass, instance)
            fire(self, "Moved", MovedEventArgs(found, ds))
        scu.SendCStoreResponse(presentationID, messageID, affectedClass, instance, status)

    # ---- of the inner listener ----

    def host_takes(self, sop_class: str) -> bool:
        """Tell whether the inner listener accepts a SOP class: all of storage (ours)."""
        return is_storage(sop_class)

    def take_instance(self, net: Any, *arguments: Any) -> None:
        """Take an instance that came to the inner listener (ours)."""
        self.OnReceiveCStoreRequest(net, *arguments)

    # ---- protected ----

    def OnBeforeCMove(self, args: BeforeCMoveEventArgs) -> None:
        """Raise `BeforeCMove`; protected."""
        fire(self, "BeforeCMove", args)

    def OnAfterCMove(self, args: AfterCMoveEventArgs) -> None:
        """Raise `AfterCMove`; protected."""
        fire(self, "AfterCMove", args)

    def LogSendCMoveRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        priority: DicomCommandPriorityType,
        moveAE: str,
        ds: DicomDataSet | None,
    ) -> None:
        """Hear of a C-MOVE request before it is sent; protected. The base does nothing."""


# ---- helpers ------------------------------------------------------------------------------------


def _what(
    study: str | DicomDataSet, series: str | None, instance: str | None
) -> tuple[DicomDataSet, str]:
    """Make the identifier of a retrieval, and find the root (PS3.4 C.4.2.1.4)."""
    from pydicom.dataset import Dataset

    if isinstance(study, DicomDataSet):
        level = _find.level_of(study)
        if level is None:
            raise parameter_error(
                "the data set has no QueryRetrieveLevel: set what is to be fetched"
            )
        _, uid = _find.kind_of_data_set(study)
        return study, uid[:-1]
    uids = {
        "StudyInstanceUID": study or "",
        "SeriesInstanceUID": series or "",
        "SOPInstanceUID": instance or "",
    }
    if not any(uids.values()):
        raise parameter_error(
            "studyUid, seriesUid and sopUid are empty: name what is to be fetched"
        )
    data = Dataset()
    data.QueryRetrieveLevel = (
        "IMAGE" if uids["SOPInstanceUID"] else "SERIES" if uids["SeriesInstanceUID"] else "STUDY"
    )
    for name, uid in uids.items():
        if uid:
            setattr(data, name, uid)
    return DicomDataSet.from_pydicom(data), _find.STUDY_ROOT


def _storage(more: Iterable[PresentationContext]) -> list[PresentationContext]:
    """Make the storage contexts of a C-GET: those of the caller, then all there is room for."""
    made = [
        PresentationContext(one.AbstractSyntax, one.TransferSyntaxes, scp_role=True) for one in more
    ]
    named = {one.AbstractSyntax for one in made}
    made += [
        PresentationContext(uid, (), scp_role=True) for uid in storage_classes() if uid not in named
    ]
    return made[: MOST - 1]


@contextlib.contextmanager
def _listening(net: QueryRetrieveScu) -> Iterator[ScpHost]:
    """Have the inner listener run for the time of a call."""
    state = connection_of(net)
    before = host_of(net).running
    host = start_host(net)
    state.more_traffic = lambda: [base.traffic(child) for child in host.children()]
    try:
        yield host
    finally:
        state.more_traffic = None
        if before is None:
            stop_host(net)


def _let_finish(net: QueryRetrieveScu, host: ScpHost) -> None:
    """Let the node end the associations on which it has sent."""
    conversation = connection_of(net).conversation
    conversation.forget_answer()
    conversation.wait(LAST_WORDS, lambda: host.open_children() == 0)
