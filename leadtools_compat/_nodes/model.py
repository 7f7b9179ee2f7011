"""Whom a node calls and what comes of it: addresses, contexts, answers, and the error of every call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from leadtools_compat.dicom import (
    DicomCommandStatusType,
    DicomDataSet,
    DicomException,
    DicomExceptionCode,
    DicomFailure,
)

__all__ = ["EXPLICIT", "IMPLICIT", "Answer", "Context", "Node", "NodeError", "Progress", "Reason"]

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"

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
