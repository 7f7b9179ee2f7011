"""Exceptions of the Scu classes. They are no `DicomException`: ports catch both, in either order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandStatusType,
)

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_failure import DicomFailure

__all__ = [
    "ClientAssociationException",
    "ClientCommunicationException",
    "ClientConnectionException",
]


class _ClientException(Exception):
    """What the three have in common."""

    def __init__(self, msg: str, *rest: object) -> None:
        super().__init__(msg, *rest)
        self._message = msg
        self.failure: DicomFailure | None = None

    @property
    def Message(self) -> str:
        """The sentence for people."""
        return self._message

    def __str__(self) -> str:
        remedy = None if self.failure is None else self.failure.remedy
        return (
            f"{self._message} ({remedy})"
            if remedy and remedy not in self._message
            else self._message
        )


class ClientConnectionException(_ClientException):
    """TCP or TLS failed.

    Attributes
    ----------
    Code
        Why.
    Message
        The sentence. With code ``NetConnectionRefused`` it is always exactly "The attempt to connect
        was forcefully rejected": programs compare it.
    failure
        The failure record of the connection, else None (ours).

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.ClientConnectionException``.
    """

    def __init__(
        self, msg: str, code: DicomExceptionCode | int = DicomExceptionCode.NetFailure
    ) -> None:
        self._code = DicomExceptionCode(code)
        super().__init__(msg, self._code)

    @property
    def Code(self) -> DicomExceptionCode:
        """Why."""
        return self._code


class ClientAssociationException(_ClientException):
    """The association was rejected or aborted, or has no context for what was asked.

    Attributes
    ----------
    Reason, Result, Source
        Of a rejection; else None.
    Message, failure
        As in `ClientConnectionException`. A class that the peer does not take gives "Abstract Syntax
        Not Supported" and its UID.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.ClientAssociationException``; `Result` and `Source` are ours.
    """

    def __init__(
        self,
        msg: str,
        reason: DicomAssociateRejectReasonType | int | None = None,
        result: DicomAssociateRejectResultType | None = None,
        source: DicomAssociateRejectSourceType | None = None,
    ) -> None:
        self._reason = (
            reason
            if reason is None or isinstance(reason, DicomAssociateRejectReasonType)
            else DicomAssociateRejectReasonType(reason)
        )
        self.Result = result
        self.Source = source
        super().__init__(msg, self._reason)

    @property
    def Reason(self) -> DicomAssociateRejectReasonType | None:
        """Why the peer has rejected; None: it has not rejected."""
        return self._reason


class ClientCommunicationException(_ClientException):
    """The exchange of messages broke, or nothing came in time.

    Attributes
    ----------
    Status
        The last status; ``Failure`` if there was none.
    Message, failure
        As in `ClientConnectionException`.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.ClientCommunicationException``.
    """

    def __init__(
        self, msg: str, status: DicomCommandStatusType | int = DicomCommandStatusType.Failure
    ) -> None:
        self._status = DicomCommandStatusType(status)
        super().__init__(msg, self._status)

    @property
    def Status(self) -> DicomCommandStatusType:
        """The last status."""
        return self._status
