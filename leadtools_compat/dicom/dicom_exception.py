"""`DicomException` and `DicomSecurityCertificateException`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadtools_compat.dicom._texts import EXCEPTION_TEXTS, VERIFY_TEXTS
from leadtools_compat.dicom.enums_codes import (
    DicomExceptionCode,
    DicomSecurityCertificateExceptionCode,
)

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_failure import DicomFailure

__all__ = ["DicomException", "DicomSecurityCertificateException"]


class DicomException(Exception):
    """A call of this library failed.

    Parameters
    ----------
    code
        Why; a bare number is taken too.
    message
        A sentence for people. None: the fixed text of the code.

    Attributes
    ----------
    Code
        The reason as `DicomExceptionCode`.
    Message
        The sentence. With code ``NetConnectionRefused`` it is always exactly "The attempt to connect
        was forcefully rejected": programs compare it.
    failure
        The failure record of the net whose failure this is, else None (ours).

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomException``. ``str()`` gives the name of the code, the message, and
    the remedy if the failure record has one.
    """

    def __init__(self, code: DicomExceptionCode | int, message: str | None = None) -> None:
        self._code = DicomExceptionCode(code)
        fixed = self.GetCodeMessage(self._code)
        stable = self._code == DicomExceptionCode.NetConnectionRefused
        self._message = fixed if message is None or stable else message
        self.failure: DicomFailure | None = None
        super().__init__(self._code, self._message)

    @property
    def Code(self) -> DicomExceptionCode:
        """The reason."""
        return self._code

    @property
    def Message(self) -> str:
        """The sentence for people."""
        return self._message

    @staticmethod
    def GetCodeMessage(code: DicomExceptionCode | int) -> str:
        """Give the fixed text of a code; ``"Unknown error"`` for a number without a name.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomException.GetCodeMessage``.
        """
        return EXCEPTION_TEXTS.get(int(code), "Unknown error")

    def __str__(self) -> str:
        text = f"{self._code}: {self._message}"
        remedy = None if self.failure is None else self.failure.remedy
        return f"{text} ({remedy})" if remedy and remedy not in text else text


class DicomSecurityCertificateException(Exception):
    """What was found about one certificate of the peer; an argument of `DicomNet.OnVerify`.

    Parameters
    ----------
    code
        The finding; ``Success`` when there is no fault.
    message
        Its text. None: the fixed text of the code.

    Attributes
    ----------
    Code
        The finding as `DicomSecurityCertificateExceptionCode`. Numbers are those of OpenSSL 1.1.1.
    Message
        Its text, the same whatever OpenSSL is installed.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomSecurityCertificateException``. It is handed over, never raised by
    the library; a program may raise it.
    """

    def __init__(
        self, code: DicomSecurityCertificateExceptionCode | int, message: str | None = None
    ) -> None:
        self._code = DicomSecurityCertificateExceptionCode(code)
        fixed = VERIFY_TEXTS.get(int(code), "unknown certificate verification error")
        self._message = fixed if message is None else message
        super().__init__(self._code, self._message)

    @property
    def Code(self) -> DicomSecurityCertificateExceptionCode:
        """The finding."""
        return self._code

    @property
    def Message(self) -> str:
        """The text of the finding."""
        return self._message

    @property
    def remedy(self) -> str:
        """What to do about the finding, in one sentence; "" for ``Success`` (ours)."""
        from leadtools_compat._binding import reads

        return reads.verify_remedy(int(self._code))

    def __str__(self) -> str:
        return f"{self._code}: {self._message}"
