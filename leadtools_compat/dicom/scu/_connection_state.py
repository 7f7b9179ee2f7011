"""What a `DicomConnection` keeps for itself, in one name-mangled attribute.

One rule, as for `DicomNet`: nothing here calls a member of the object but the overridables and the
protected members that subclasses are known to override.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from leadtools_compat.dicom.dicom_associate import DicomAssociate
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandStatusType,
)
from leadtools_compat.dicom.scu._conversation import CONNECTION, Conversation, DicomEventResponse
from leadtools_compat.dicom.scu._events import EventHandlers
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.presentation_context import InstanceAttribute, PresentationContext

__all__ = ["CONNECTION", "ConnectionState", "Parameters", "connection_of", "fire", "not_answered"]

A = TypeVar("A")


@dataclass
class Parameters:
    """The last answer of the peer: what the overridables were told (`DicomConnection.parameters`)."""

    Result: DicomAssociateRejectResultType = DicomAssociateRejectResultType.Permanent
    Reason: DicomAssociateRejectReasonType = DicomAssociateRejectReasonType.Unknown
    Source: DicomAssociateRejectSourceType = DicomAssociateRejectSourceType.User
    Completed: int = 0
    Remaining: int = 0
    Failed: int = 0
    Warning: int = 0
    Dataset: DicomDataSet | None = None
    Status: DicomCommandStatusType = DicomCommandStatusType.Success
    PresentationID: int = 0
    MessageID: int = 0
    AffectedClass: str = ""


@dataclass
class ConnectionState:
    """The private state of one connection."""

    temporary_directory: str
    settings: Any = None
    ae_title: str = ""
    host_address: str = ""
    host_port: int = 0
    implementation_class: str = ""
    implementation_version_name: str = ""
    protocol_version: int = 1
    max_length: int | None = None
    tag: Any = None

    conversation: Conversation = field(default_factory=Conversation)
    response: DicomEventResponse = field(init=False)
    parameters: Parameters = field(default_factory=Parameters)
    password: str | None = None

    scp: DicomScp | None = None
    """Of the call that is running, else of the last."""
    contexts: list[PresentationContext] = field(default_factory=list)
    """What the association of the call is to be good for."""
    instance: InstanceAttribute = field(default_factory=InstanceAttribute)
    message_id: int = 0
    presentation_id: int = 0
    rejected: bool = False
    reason: Any = None

    open: bool = False
    """There is a connection whose close has not been told."""
    link_error: DicomExceptionCode | None = None
    """How TCP and then TLS went; None: not known yet."""
    link_ready: bool = False
    association_pending: bool = False
    """AfterAssociateRequest is owed."""
    association_error: BaseException | None = None
    aborted: str = ""
    """Who has aborted the association, in words."""
    released: bool = False
    canceled: bool = False
    matching: Callable[[DicomDataSet], object] | None = None
    """What is told the matches of the C-FIND that is going on."""
    more_traffic: Callable[[], object] | None = None
    """Gives something that changes while data moves elsewhere for this call."""
    running: int = 0
    """Message id of a C-FIND, C-MOVE or C-GET that is going on; 0: none."""
    times_set: dict[str, float] = field(default_factory=dict)
    """Limits of the net that a call has set, so that the user's own are kept."""

    certificate: tuple[Any, ...] | None = None
    """Arguments of the last SetTlsClientCertificate, for the inner listener."""
    suites: list[tuple[int, int]] = field(default_factory=list)
    """Calls of SetTlsCipherSuiteByIndex, for the inner listener."""
    log: Any = None
    """The debug log; None: off."""
    log_file: str = ""
    log_enabled: bool = False
    owner_of_child: Any = None
    """Of a connection that the inner listener has accepted: the listener."""

    def __post_init__(self) -> None:
        self.response = DicomEventResponse(self.conversation)

    def next_message(self) -> int:
        """Give the id of the next request, 1..65535 (PS3.7 9.1)."""
        self.message_id = self.message_id % 0xFFFF + 1
        return self.message_id

    def accepted(self, association: DicomAssociate | None, sop_class: str) -> int:
        """Find the first context of a class that the peer has accepted; 0: none."""
        if association is None:
            return 0
        number = association.FindAbstract(sop_class)
        while number and association.GetResult(number) != 0:
            number = association.FindNextAbstract(number, sop_class)
        return number


def connection_of(net: Any) -> ConnectionState:
    """Find the state; InvalidState when the constructor did not run."""
    state: ConnectionState | None = net.__dict__.get(CONNECTION)
    if state is None:
        raise DicomException(
            DicomExceptionCode.InvalidState,
            f"The constructor of DicomConnection did not run for this {type(net).__name__}: call "
            "super().__init__() first in its __init__",
        )
    return state


def fire(net: Any, name: str, e: A) -> A:
    """Raise an event of an object, and give its argument back."""
    from leadtools_compat.dicom.scu._events import events_of

    handlers: EventHandlers[A] | None = events_of(net).get(name)
    if handlers is not None:
        handlers(net, e)
    return e


def not_answered(net: Any, state: ConnectionState) -> None:
    """Raise the AfterAssociateRequest of a request that was never answered, if it is owed."""
    from leadtools_compat.dicom.scu.event_args import AfterAssociateRequestEventArgs

    if state.association_pending:
        state.association_pending = False
        answer = state.parameters
        e = AfterAssociateRequestEventArgs(True, answer.Result, answer.Reason, answer.Source)
        fire(net, "AfterAssociateRequest", e)
