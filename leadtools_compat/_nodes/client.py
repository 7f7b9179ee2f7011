"""A client whose calls wait for their answers: connect, associate, and every C- service.

The one rule: what happens on the worker thread only goes into a queue; the caller's thread waits on
that queue in slices, so that Ctrl-C ends it, and a failure is raised with the whole record.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from leadtools_compat._nodes.tls import TlsOptions, configure
from leadtools_compat.dicom import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomDataSet,
    DicomException,
    DicomExceptionCode,
    DicomFailure,
    DicomNet,
    DicomNetIpTypeFlags,
    DicomNetSecurityMode,
    DicomRoleSupport,
)

if TYPE_CHECKING:
    from types import TracebackType

    from leadtools_compat.dicom import (
        DicomAssociateRejectReasonType,
        DicomAssociateRejectResultType,
        DicomAssociateRejectSourceType,
    )

__all__ = ["VERIFICATION", "Answer", "Client", "Context", "Node", "NodeError", "Progress"]

VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
MAX_LENGTH = 0x40000
_SLICE = 0.5
_DRAIN = 2.0
GONE = (
    DicomExceptionCode.NetNotConnected,
    DicomExceptionCode.AssociationNotEstablished,
    DicomExceptionCode.InvalidState,
    DicomExceptionCode.NetConnectionAborted,
)

Reason = Literal["local", "connect", "tls", "association", "dimse"]
_REASONS: dict[str, Reason] = {
    "resolve": "connect",
    "tcp": "connect",
    "tls": "tls",
    "certificate": "tls",
    "association": "association",
    "dimse": "dimse",
    "close": "dimse",
}


# PS3.8 9.3.3.2: why a presentation context was not accepted, and what to do.
_REFUSED: dict[DicomAssociateAcceptResultType | None, tuple[str, str]] = {
    DicomAssociateAcceptResultType.AbstractSyntax: ("abstract syntax not supported", ""),
    DicomAssociateAcceptResultType.TransferSyntax: (
        "transfer syntaxes not supported",
        "Propose a transfer syntax that the peer has; each takes Implicit VR Little Endian.",
    ),
    DicomAssociateAcceptResultType.UserReject: ("rejected by its program", ""),
}


@dataclass(frozen=True)
class Node:
    """Whom to call, and as whom."""

    host: str
    port: int
    called: str = "ANY-SCP"
    calling: str = "LT-COMPAT"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Context:
    """A presentation context to propose; `provider` asks for the SCP role too."""

    abstract: str
    syntaxes: Sequence[str] = (EXPLICIT, IMPLICIT)
    provider: bool = False


class Answer(NamedTuple):
    """A response: its status, what it carries, and the counts of C-MOVE and C-GET."""

    status: DicomCommandStatusType
    data: DicomDataSet | None = None
    remaining: int = 0
    completed: int = 0
    failed: int = 0
    warning: int = 0

    @property
    def pending(self) -> bool:
        """Whether more answers follow."""
        return int(self.status) in (0xFF00, 0xFF01)

    @property
    def good(self) -> bool:
        """Success, or a warning (PS3.7 annex C)."""
        return int(self.status) == 0 or int(self.status) >> 12 == 0xB or int(self.status) == 1


class Progress(NamedTuple):
    """Something that happened, with the seconds since `Client.open` began."""

    at: float
    what: str


class NodeError(Exception):
    """A node could not be talked to. ``str()`` is the whole record in one line.

    Attributes
    ----------
    message
        What happened, in a sentence.
    reason
        ``local`` (our own files or settings), ``connect``, ``tls``, ``association`` or ``dimse``.
    failure
        The record of the net, if there is one.
    remedy
        What to do about it; may be empty.
    code
        Of the record, or of the exception that a call raised.
    """

    def __init__(
        self,
        text: str,
        reason: Reason,
        failure: DicomFailure | None = None,
        remedy: str = "",
        code: DicomExceptionCode | None = None,
    ) -> None:
        super().__init__(text)
        self.message = text
        self.reason: Reason = reason
        self.failure = failure
        self.code = failure.code if failure is not None else code
        self.remedy = remedy or (failure.remedy if failure is not None else "")

    def __str__(self) -> str:
        if self.failure is not None:
            return f"{self.message} ({self.failure})"
        return f"{self.message}. {self.remedy}" if self.remedy else self.message

    @classmethod
    def of(cls, failure: DicomFailure) -> NodeError:
        """Make one of a failure record."""
        return cls(failure.message, _REASONS.get(failure.stage, "dimse"), failure)

    @classmethod
    def local(cls, error: DicomException) -> NodeError:
        """Make one of what a call of ours raised."""
        if error.failure is not None and error.failure.stage in ("resolve", "tcp"):
            return cls.of(error.failure)
        return cls(error.Message, "local", error.failure, code=error.Code)


class Client(DicomNet):
    """A client; use it in a ``with`` statement.

    Parameters
    ----------
    node
        Whom to call.
    tls
        None: a plain connection.
    timeout
        Seconds for TCP, for TLS, and for each answer.

    Raises
    ------
    NodeError
        From every call, when it cannot be done.
    """

    def __init__(self, node: Node, tls: TlsOptions | None = None, timeout: float = 30.0) -> None:
        self.node = node
        self.tls = tls
        self.timeout = timeout
        self.progress: list[Progress] = []
        self.accepted: dict[int, tuple[str, str]] = {}
        self.refused: dict[str, DicomAssociateAcceptResultType] = {}
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._began = 0.0
        self._message = 0
        self._over = False
        mode = DicomNetSecurityMode.None_ if tls is None else DicomNetSecurityMode.Tls
        super().__init__(None, mode, False)
        try:
            if tls is not None:
                self.set_up(tls)
            self.connect_timeout = self.handshake_timeout = self.association_timeout = timeout
        except DicomException as error:
            self.Dispose()
            raise NodeError.local(error) from error
        except BaseException:
            self.Dispose()
            raise

    def set_up(self, tls: TlsOptions) -> None:
        """Apply the TLS settings; the diagnosis has its own ones."""
        configure(self, tls, tls.expected_host(self.node.host))

    # ---- calls ----

    def open(self) -> Client:
        """Connect, and wait for TLS."""
        self._began = time.perf_counter()
        self._note("connect")
        any_family = DicomNetIpTypeFlags.Ipv4OrIpv6
        try:
            self.Connect(None, 0, self.node.host, self.node.port, any_family)
        except DicomException as error:
            raise NodeError.local(error) from error
        # The library's own timers end it sooner, with a better text.
        self._wait("linked", 2 * self.timeout + 5)
        return self

    def associate(self, contexts: Sequence[Context]) -> None:
        """Ask for an association; `accepted` has what the peer took: id to (class, syntax)."""
        with DicomAssociate(True) as request:
            request.Called, request.Calling = self.node.called, self.node.calling
            request.MaxLength = MAX_LENGTH
            for number, context in zip(range(1, 256, 2), contexts, strict=False):
                request.AddPresentationContext(number, 0, context.abstract)
                for syntax in context.syntaxes:
                    request.AddTransfer(number, syntax)
                if context.provider:
                    yes = DicomRoleSupport.Supported
                    request.SetRoleSelect(number, True, yes, yes)
            self._note("associate")
            self._send(self.SendAssociateRequest, request)
        self.accepted = self._wait("accepted", self.timeout + 5)

    def context(self, abstract: str) -> int:
        """Give the id of the accepted context for a SOP class."""
        for number, (found, _) in self.accepted.items():
            if found == abstract:
                return number
        raise NodeError.of(self._not_accepted(abstract))

    def _not_accepted(self, abstract: str) -> DicomFailure:
        from pydicom.uid import UID

        name = UID(abstract).name
        result = self.refused.get(abstract)
        code = DicomExceptionCode.AbstractSyntaxNotSupported
        why, remedy = _REFUSED.get(result, ("", ""))
        if result == DicomAssociateAcceptResultType.TransferSyntax:
            code = DicomExceptionCode.TransferSyntaxNotSupported
        return DicomFailure(
            "association",
            "peer",
            code,
            f"the peer does not accept {name} ({abstract}){why and ': ' + why}",
            elapsed=time.perf_counter() - self._began,
            remedy=remedy
            or f"Enable this service for {self.node.calling} at the peer, or ask another node.",
        )

    def echo(self) -> Answer:
        """Send a C-ECHO."""
        number = self.context(VERIFICATION)
        self._note("C-ECHO request")
        self._send(self.SendCEchoRequest, number, self._next(), VERIFICATION)
        return self._answer()

    def store(
        self,
        number: int,
        sop_class: str,
        instance: str,
        data: DicomDataSet | Path,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Answer:
        """Send a data set, or the file of one, over the context `number`.

        `meanwhile` is called once while the peer is busy with it.
        """
        loaded = data if isinstance(data, DicomDataSet) else DicomDataSet()
        with loaded:
            if not isinstance(data, DicomDataSet):
                try:
                    loaded.Load(data)
                except DicomException as error:
                    raise NodeError(error.Message, "local", error.failure) from error
            medium = DicomCommandPriorityType.Medium
            message = self._next()
            self._send(
                *(self.SendCStoreRequest, number, message, sop_class, instance),
                *(medium, "", 0, loaded),
            )
        meanwhile()
        return self._answer()

    def find(self, abstract: str, query: DicomDataSet) -> Iterator[Answer]:
        """Send a C-FIND; gives the matches, and the last answer."""
        number = self.context(abstract)
        medium = DicomCommandPriorityType.Medium
        self._send(self.SendCFindRequest, number, self._next(), abstract, medium, query)
        yield from self._answers()

    def move(self, abstract: str, destination: str, query: DicomDataSet) -> Iterator[Answer]:
        """Send a C-MOVE; gives each report, and the last answer."""
        number = self.context(abstract)
        medium = DicomCommandPriorityType.Medium
        self._send(
            *(self.SendCMoveRequest, number, self._next(), abstract, medium, destination, query)
        )
        yield from self._answers()

    def get(self, abstract: str, query: DicomDataSet) -> Iterator[Answer]:
        """Send a C-GET; gives each report, and the last answer. What comes goes to `take`."""
        number = self.context(abstract)
        medium = DicomCommandPriorityType.Medium
        self._send(self.SendCGetRequest, number, self._next(), abstract, medium, query)
        yield from self._answers()

    def cancel(self) -> None:
        """Send a C-CANCEL for the request that is being answered."""
        number = next(iter(self.accepted))
        self._send(self.SendCCancelRequest, number, self._message)

    def release(self) -> None:
        """End the association and the connection in good order; a peer that fails now is forgiven."""
        if self._over:
            return
        try:
            if self.IsAssociated():
                self._note("release")
                self._send(self.SendReleaseRequest)
            else:
                self.Close()
            self._wait("closed", self.timeout)
        except NodeError:
            self.CloseForced(False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free the net; an association that stands is ended first, not just dropped."""
        try:
            if not self._over and self.IsAssociated():
                self._say_goodbye(error)
        finally:
            super().__exit__(kind, error, trace)

    def _say_goodbye(self, error: BaseException | None) -> None:
        if error is None or (isinstance(error, NodeError) and error.reason == "association"):
            self.release()
            return
        with suppress(DicomException, NodeError):
            self.SendAbort(DicomAbortSourceType.User, DicomAbortReasonType.Unknown)
            self._wait("closed", _DRAIN)

    def take(self, instance: str, data: DicomDataSet | None) -> DicomCommandStatusType:
        """Take what a C-GET brings, on the worker thread."""
        return DicomCommandStatusType.ClassNotSupported

    def _reply(self, function: Callable[..., None], *arguments: Any) -> None:
        """Answer; a peer that has gone meanwhile is told of in OnClose."""
        try:
            function(*arguments)
        except DicomException as error:
            if error.Code not in GONE:
                raise

    # ---- waiting ----

    def _note(self, what: str) -> None:
        self.progress.append(Progress(time.perf_counter() - self._began, what))

    def _next(self) -> int:
        self._message = self._message % 65535 + 1
        return self._message

    def _send(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            function(*arguments)
        except DicomException as error:
            if error.Code in GONE:
                self._raise_if_over()
            raise NodeError.local(error) from error

    def _raise_if_over(self) -> None:
        """When the connection has ended, that is the cause, not the call that noticed."""
        try:
            while True:
                what, _ = self._events.get(timeout=_DRAIN)
                if what == "closed":
                    self._over = True
                    break
        except queue.Empty:
            return
        raise self._ended()

    def _ended(self) -> NodeError:
        """Say how the peer ended the connection."""
        if self.failure is not None:
            return NodeError.of(self.failure)
        before = not any(step.what == "accepted" for step in self.progress)
        when = "before it took an association" if before else "during the association"
        return NodeError(
            f"the peer closed the connection {when}",
            "association" if before else "dimse",
            remedy="It may be no DICOM node, or one that is ending or full; its log says more.",
        )

    def _wait(self, wanted: str, limit: float) -> Any:
        end = time.monotonic() + limit
        while True:
            left = end - time.monotonic()
            if left <= 0:
                self.CloseForced(False)
                raise NodeError(
                    f"no answer within {limit:g} seconds",
                    "dimse",
                    remedy="Give it more time with --timeout, and look into the peer's log.",
                )
            try:
                what, value = self._events.get(timeout=min(left, _SLICE))
            except queue.Empty:
                continue
            if what == wanted:
                return value
            if what == "strange":
                self.CloseForced(False)
                raise NodeError(
                    f"the peer answered message {value}, which was not sent",
                    "dimse",
                    remedy="The peer mixes up its answers: its software is faulty.",
                )
            if what == "closed":
                self._over = True
                raise self._ended()

    def _answer(self) -> Answer:
        answer: Answer = self._wait("answer", self.timeout + 5)
        return answer

    def _answers(self) -> Iterator[Answer]:
        while True:
            answer = self._answer()
            yield answer
            if not answer.pending:
                return

    def _take_answer(self, message: int, answer: Answer) -> None:
        if message == self._message:
            self._events.put(("answer", answer))
        else:
            self._events.put(("strange", message))

    # ---- what happens ----

    def OnConnect(self, error: DicomExceptionCode) -> None:
        if error == DicomExceptionCode.Success:
            self._note("connected")
            if self.tls is None:
                self._events.put(("linked", None))

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        if error == DicomExceptionCode.Success:
            self._note("secure")
            self._events.put(("linked", None))

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        accepted = {}
        for index in range(association.PresentationContextCount):
            number = association.GetPresentationContextID(index)
            result = association.GetResult(number)
            if result == DicomAssociateAcceptResultType.Success:
                syntax = association.GetTransfer(number, 0)
                accepted[number] = (association.GetAbstract(number), syntax)
            else:
                self.refused[association.GetAbstract(number)] = result
        self._note("accepted")
        self._events.put(("accepted", accepted))

    def OnReceiveAssociateReject(
        self,
        result: DicomAssociateRejectResultType,
        source: DicomAssociateRejectSourceType,
        reason: DicomAssociateRejectReasonType,
    ) -> None:
        self._note("rejected")
        self.Close()

    def OnReceiveAbort(self, source: DicomAbortSourceType, reason: DicomAbortReasonType) -> None:
        self._note("aborted")

    def OnReceiveReleaseRequest(self) -> None:
        self._reply(self.SendReleaseResponse)

    def OnReceiveReleaseResponse(self) -> None:
        self._note("released")
        self.Close()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        self._note("closed")
        self._events.put(("closed", error))

    def OnReceiveCEchoResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
    ) -> None:
        self._note("C-ECHO response")
        self._take_answer(messageID, Answer(status))

    def OnReceiveCStoreResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
    ) -> None:
        self._take_answer(messageID, Answer(status))

    def OnReceiveCFindResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
        ds: DicomDataSet | None,
    ) -> None:
        self._take_answer(messageID, Answer(status, ds))

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
        answer = Answer(status, ds, remaining, completed, failed, warning)
        self._take_answer(messageID, answer)

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
        answer = Answer(status, ds, remaining, completed, failed, warning)
        self._take_answer(messageID, answer)

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
        status = self.take(instance, ds)
        self._reply(
            self.SendCStoreResponse, presentationID, messageID, affectedClass, instance, status
        )

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        if self.tls is None or self.tls.password is None:
            return None
        return self.tls.password()
