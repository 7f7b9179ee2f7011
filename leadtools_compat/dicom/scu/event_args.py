"""What handlers of the Scu events get as `e`.

The mixed case is .NET's: ``MessageId`` and ``Dataset`` in the arguments of C-... events,
``MessageID`` and ``DataSet`` in those of N-... events.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from leadtools_compat.dicom.dicom_associate import DicomAssociate
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomSecurityCertificateException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
)
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.enums import QueryLevel, SkipMethod, StorageCommitOptions

__all__ = [
    "AfterAssociateRequestDelegate",
    "AfterAssociateRequestEventArgs",
    "AfterCFindDelegate",
    "AfterCFindEventArgs",
    "AfterCGetDelegate",
    "AfterCGetEventArgs",
    "AfterCMoveDelegate",
    "AfterCMoveEventArgs",
    "AfterCStoreDelegate",
    "AfterCStoreEventArgs",
    "AfterConnectDelegate",
    "AfterConnectEventArgs",
    "AfterNActionEventArgs",
    "AfterSecureLinkReadyDelegate",
    "AfterSecureLinkReadyEventArgs",
    "BaseEventArgs",
    "BeforeAssociateAcceptDelegate",
    "BeforeAssociateAcceptEventArgs",
    "BeforeAssociateRequestDelegate",
    "BeforeAssociateRequestEventArgs",
    "BeforeAssociationRequestDelegate",
    "BeforeCFindDelegate",
    "BeforeCFindEventArgs",
    "BeforeCGetDelegate",
    "BeforeCGetEventArgs",
    "BeforeCMoveDelegate",
    "BeforeCMoveEventArgs",
    "BeforeCStoreDelegate",
    "BeforeCStoreEventArgs",
    "BeforeConnectDelegate",
    "BeforeConnectEventArgs",
    "BeforeNActionEventArgs",
    "EventArgs",
    "HostReadyDelegate",
    "HostReadyEventArgs",
    "MatchDelegate",
    "MatchEventArgs",
    "MovedDelegate",
    "MovedEventArgs",
    "PrivateKeyPasswordDelegate",
    "PrivateKeyPasswordEventArgs",
    "ReceivedStoreRequestDelegate",
    "ReceivedStoreRequestEventArgs",
    "StatusCommonEventArgs",
    "StorageCommitmentResultData",
    "StorageCommitmentResultDelegate",
    "StorageCommitmentResultEventArgs",
    "StorageCommitmentWaitDelegate",
    "StorageCommitmentWaitEventArgs",
    "VerifyCertificateDelegate",
    "VerifyCertificateEventArgs",
]

T = TypeVar("T")
A = TypeVar("A")


class EventArgs:
    """An argument that says nothing; .NET's ``EventArgs``."""


class BaseEventArgs(EventArgs):
    """Base of all arguments of Scu events."""


# ---- connection and association -----------------------------------------------------------------


@dataclass
class BeforeConnectEventArgs(BaseEventArgs):
    """`PrivateKeyPassword`, when set, is used for keys that are loaded from now on."""

    Scp: DicomScp
    PrivateKeyPassword: str | None = None


@dataclass
class AfterConnectEventArgs(BaseEventArgs):
    """How the TCP connection went."""

    Error: DicomExceptionCode


@dataclass
class AfterSecureLinkReadyEventArgs(BaseEventArgs):
    """How the TLS handshake went."""

    Error: DicomExceptionCode


@dataclass
class PrivateKeyPasswordEventArgs(BaseEventArgs):
    """The handler sets the password of the private key that is being loaded."""

    PrivateKeyPassword: str | None = None


class VerifyCertificateEventArgs(BaseEventArgs):
    """One certificate of the peer's chain, for the handlers to judge.

    Attributes
    ----------
    CertificateString, ErrorException
        As in `DicomNet.OnVerify`.
    Ok
        1: no fault was found; else 0.
    Return
        The answer; preset to `Ok`. 1 goes on. With several handlers any other number that one of
        them sets is a refusal which no other handler can take back, and so is an exception.
    """

    def __init__(
        self, CertificateString: str, ErrorException: DicomSecurityCertificateException, Ok: int
    ) -> None:
        self.CertificateString = CertificateString
        self.ErrorException = ErrorException
        self.Ok = Ok
        self._return = Ok
        self._refused = False

    @property
    def Return(self) -> int:
        """The answer."""
        return self._return

    @Return.setter
    def Return(self, value: int) -> None:
        self._refused = True  # until it is known to be a number, and 1
        number = operator.index(value)
        if number == 1:
            self._refused = self._refused_before
        else:
            self._refused_before = True
        self._return = number

    _refused_before = False

    @property
    def refused(self) -> bool:
        """Whether a handler has refused (ours)."""
        return self._refused


@dataclass
class BeforeAssociateRequestEventArgs(BaseEventArgs):
    """The request that is about to be sent, which handlers may change."""

    Associate: DicomAssociate


@dataclass
class AfterAssociateRequestEventArgs(BaseEventArgs):
    """How the request was answered; `Rejected` is True also when it never was."""

    Rejected: bool
    Result: DicomAssociateRejectResultType
    Reason: DicomAssociateRejectReasonType
    Source: DicomAssociateRejectSourceType
    Associate: DicomAssociate | None = None


@dataclass
class BeforeAssociateAcceptEventArgs(BaseEventArgs):
    """The answer of the inner listener that is about to be sent, which handlers may change."""

    Associate: DicomAssociate


@dataclass
class HostReadyEventArgs(BaseEventArgs):
    """The inner listener, before it listens: for its certificate, suites and `SecurityMode`.

    `ScpHost` is a `DicomConnection`; ``SecureHostSettings`` of the Scu object are applied already.
    """

    ScpHost: Any


# ---- query and retrieve -------------------------------------------------------------------------


@dataclass
class BeforeCFindEventArgs(BaseEventArgs):
    """The query that is about to be sent; `Dataset` may be changed."""

    QueryLevel: QueryLevel
    Priority: DicomCommandPriorityType
    MessageId: int
    PresentationID: int
    AffectedClass: str
    Dataset: DicomDataSet


@dataclass
class AfterCFindEventArgs(BaseEventArgs):
    """How the query ended."""

    Status: DicomCommandStatusType
    MatchCount: int


@dataclass
class MatchEventArgs(BaseEventArgs, Generic[T]):
    """One match; `Info` is a `Patient`, `Study`, `Series` or `CompositeObjectInstance`."""

    QueryLevel: QueryLevel
    Availability: str
    RetrieveAETitle: str
    Info: T
    Dataset: DicomDataSet


@dataclass
class BeforeCMoveEventArgs(BaseEventArgs):
    """The retrieval that is about to be asked for; `Dataset` may be changed."""

    Scp: DicomScp | None
    Dataset: DicomDataSet | None
    Priority: DicomCommandPriorityType
    DestinationAETitle: str
    MessageId: int = 0
    PresentationID: int = 0
    AffectedClass: str = ""


@dataclass
class AfterCMoveEventArgs(BaseEventArgs):
    """How the retrieval ended; `Dataset` has the list of what failed, if the peer gives one."""

    Scp: DicomScp | None
    Completed: int
    Failed: int
    Warning: int
    Dataset: DicomDataSet | None
    Status: DicomCommandStatusType
    Remaining: int = 0
    MessageId: int = 0
    PresentationID: int = 0
    AffectedClass: str = ""


@dataclass
class MovedEventArgs(BaseEventArgs):
    """An instance that has arrived."""

    Instance: Any
    Dataset: DicomDataSet


@dataclass
class BeforeCGetEventArgs(BaseEventArgs):
    """The retrieval that is about to be asked for."""

    Scp: DicomScp
    Priority: DicomCommandPriorityType = DicomCommandPriorityType.Medium


@dataclass
class ReceivedStoreRequestEventArgs(BaseEventArgs):
    """An instance that has arrived."""

    DataSet: DicomDataSet


@dataclass
class AfterCGetEventArgs(BaseEventArgs):
    """How the retrieval ended."""

    Status: DicomCommandStatusType
    Completed: int
    Warning: int
    Failed: int


# ---- storage ------------------------------------------------------------------------------------


@dataclass
class BeforeCStoreEventArgs(BaseEventArgs):
    """The instance that is about to be sent.

    `Error` says that it cannot be; `Skip` leaves it out. `FileInfo` is None without a file.
    """

    MessageId: int
    PresentationID: int
    AffectedClass: str
    Instance: str
    Priority: DicomCommandPriorityType
    Dataset: DicomDataSet | None
    FileInfo: Path | None
    Error: DicomExceptionCode = DicomExceptionCode.Success
    Skip: SkipMethod = SkipMethod.None_


@dataclass
class AfterCStoreEventArgs(BaseEventArgs):
    """How the peer has answered, or why nothing could be sent."""

    Status: DicomCommandStatusType
    MessageId: int
    PresentationID: int
    AffectedClass: str
    Instance: str
    FileInfo: Path | None = None


@dataclass
class BeforeNActionEventArgs(BaseEventArgs):
    """The N-ACTION that is about to be sent."""

    MessageID: int
    PresentationID: int
    AffectedClass: str
    Instance: str
    ActionType: int
    DataSet: DicomDataSet | None
    Status: DicomCommandStatusType = DicomCommandStatusType.Success


@dataclass
class AfterNActionEventArgs(BeforeNActionEventArgs):
    """How it was answered."""


@dataclass
class StorageCommitmentResultData:
    """What the peer says about a request for storage commitment (PS3.4 J.3.3).

    The two sequences are lists of pydicom data sets.
    """

    TransactionUID: str = ""
    RetrieveAETitle: str = ""
    StorageMediaFileSetID: str = ""
    StorageMediaFileSetUID: str = ""
    ReferencedSOPSequence: list[Any] = field(default_factory=list)
    FailedSOPSequence: list[Any] = field(default_factory=list)


@dataclass
class StorageCommitmentResultEventArgs(BaseEventArgs):
    """The result of a request for storage commitment."""

    Result: StorageCommitmentResultData


@dataclass
class StorageCommitmentWaitEventArgs(BaseEventArgs):
    """The request has been taken; the result is being waited for."""

    Options: StorageCommitOptions


@dataclass
class StatusCommonEventArgs(BaseEventArgs):
    """How an N-CREATE or N-SET was answered; `Dataset` is the peer's, or None."""

    Status: DicomCommandStatusType
    Dataset: DicomDataSet | None = None


# ---- delegates ----------------------------------------------------------------------------------


def _delegate(
    kind: type[A],
) -> Callable[[Callable[[Any, A], object]], Callable[[Any, A], object]]:
    """Make what a port writes as ``new XDelegate(handler)``: it gives the handler back."""

    def delegate(handler: Callable[[Any, A], object]) -> Callable[[Any, A], object]:
        if not callable(handler):
            raise TypeError(f"a handler must be callable, not {handler!r}")
        return handler

    return delegate


AfterAssociateRequestDelegate = _delegate(AfterAssociateRequestEventArgs)
AfterCFindDelegate = _delegate(AfterCFindEventArgs)
AfterCGetDelegate = _delegate(AfterCGetEventArgs)
AfterCMoveDelegate = _delegate(AfterCMoveEventArgs)
AfterCStoreDelegate = _delegate(AfterCStoreEventArgs)
AfterConnectDelegate = _delegate(AfterConnectEventArgs)
AfterSecureLinkReadyDelegate = _delegate(AfterSecureLinkReadyEventArgs)
BeforeAssociateAcceptDelegate = _delegate(BeforeAssociateAcceptEventArgs)
BeforeAssociateRequestDelegate = _delegate(BeforeAssociateRequestEventArgs)
BeforeAssociationRequestDelegate = BeforeAssociateRequestDelegate  # the public spelling
BeforeCFindDelegate = _delegate(BeforeCFindEventArgs)
BeforeCGetDelegate = _delegate(BeforeCGetEventArgs)
BeforeCMoveDelegate = _delegate(BeforeCMoveEventArgs)
BeforeCStoreDelegate = _delegate(BeforeCStoreEventArgs)
BeforeConnectDelegate = _delegate(BeforeConnectEventArgs)
HostReadyDelegate = _delegate(HostReadyEventArgs)
MovedDelegate = _delegate(MovedEventArgs)
PrivateKeyPasswordDelegate = _delegate(PrivateKeyPasswordEventArgs)
ReceivedStoreRequestDelegate = _delegate(ReceivedStoreRequestEventArgs)
StorageCommitmentResultDelegate = _delegate(StorageCommitmentResultEventArgs)
StorageCommitmentWaitDelegate = _delegate(StorageCommitmentWaitEventArgs)
VerifyCertificateDelegate = _delegate(VerifyCertificateEventArgs)


def MatchDelegate(
    handler: Callable[[Any, MatchEventArgs[T]], object],
) -> Callable[[Any, MatchEventArgs[T]], object]:
    """Make what a port writes as ``new MatchDelegate<T>(handler)``: it gives the handler back."""
    return handler
