"""`DicomFailure`: why a connection failed, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from leadtools_compat.dicom._texts import ALERT_NAMES, STAGE_NAMES
from leadtools_compat.dicom.enums_codes import (
    DicomExceptionCode,
    DicomSecurityCertificateExceptionCode,
)

if TYPE_CHECKING:
    from leadtools_compat._binding.reads import FailureFields

__all__ = [
    "ALERTS",
    "DicomFailure",
    "ReceivedCertificate",
    "alert_name",
    "describe_exception",
    "make_failure",
]

ALERTS = ALERT_NAMES
"""Names of TLS alerts, by number."""


def alert_name(number: int) -> str:
    """Give the name of a TLS alert, as ``unknown_ca``."""
    return ALERTS.get(number, f"alert_{number}")


class ReceivedCertificate(NamedTuple):
    """One certificate of the chain that the peer sent, judged or not.

    Attributes
    ----------
    depth
        0 is the peer's own certificate.
    subject
        Its subject in one line.
    text
        What `DicomNet.OnVerify` calls certificateString.
    """

    depth: int
    subject: str
    text: str


class DicomFailure(NamedTuple):
    """The first cause of a connection's failure, written by the layer that knows most.

    Attributes
    ----------
    stage
        Where: ``resolve``, ``tcp``, ``tls``, ``certificate``, ``association``, ``dimse``, ``close``.
    side
        Who refused or failed: ``local`` or ``peer``.
    code
        The reason.
    message
        The reason as a sentence.
    openssl
        OpenSSL's packed code and its text, or None.
    alert_sent, alert_received
        Numbers of the TLS alerts, or None; `alert_name` has the names.
    certificate_code
        What was found about the certificate at fault, or None.
    certificate_subject, certificate_depth
        Which certificate that was (0 is the peer's own), or None.
    elapsed
        Seconds from the beginning of the connection to the failure.
    remedy
        One sentence: what to do about it. May be empty.
    exception
        What user code raised in a callback of this connection, or None.
    chain
        All certificates that the peer sent, its own one first.

    Notes
    -----
    Ours. It is a copy: a later connection of the same net does not change it.
    """

    stage: str
    side: str
    code: DicomExceptionCode
    message: str
    openssl: tuple[int, str] | None = None
    alert_sent: int | None = None
    alert_received: int | None = None
    certificate_code: DicomSecurityCertificateExceptionCode | None = None
    certificate_subject: str | None = None
    certificate_depth: int | None = None
    elapsed: float = 0.0
    remedy: str = ""
    exception: BaseException | None = None
    chain: tuple[ReceivedCertificate, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Give the record as plain values, ready for JSON: enums by name, the exception as text."""
        values: dict[str, Any] = self._asdict()
        values["code"] = str(self.code)
        if self.certificate_code is not None:
            values["certificate_code"] = str(self.certificate_code)
        if self.openssl is not None:
            values["openssl"] = list(self.openssl)
        if self.exception is not None:
            values["exception"] = describe_exception(self.exception)
        values["chain"] = [
            {"depth": one.depth, "subject": one.subject, "text": one.text} for one in self.chain
        ]
        return values

    def __str__(self) -> str:
        from leadtools_compat._binding import reads

        stage = STAGE_NAMES.index(self.stage) if self.stage in STAGE_NAMES else 0
        sentence = reads.failure_sentence(
            reads.FailureFields(
                code=int(self.code),
                stage=stage,
                side=1 if self.side == "peer" else 0,
                alert_sent=_or_none(self.alert_sent),
                alert_received=_or_none(self.alert_received),
                certificate_code=int(self.certificate_code or 0),
                certificate_depth=_or_none(self.certificate_depth),
                elapsed=self.elapsed,
                openssl_code=0,
                message=self.message,
                openssl_text=self.openssl[1] if self.openssl is not None else "",
                subject=self.certificate_subject or "",
                remedy=self.remedy,
            )
        )
        if self.exception is not None:
            sentence += f"; {describe_exception(self.exception)}"
        return sentence


def _or_none(number: int | None) -> int:
    return -1 if number is None else number


def describe_exception(error: BaseException) -> str:
    """Write what user code raised, on one line; its own ``__str__`` may do anything."""
    try:
        words = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - see above
        words = ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def make_failure(
    fields: FailureFields,
    exception: BaseException | None = None,
    chain: tuple[ReceivedCertificate, ...] = (),
) -> DicomFailure:
    """Make the record of C's."""
    known = fields.certificate_code != 0
    return DicomFailure(
        stage=STAGE_NAMES[fields.stage] if 0 <= fields.stage < len(STAGE_NAMES) else "none",
        side="peer" if fields.side == 1 else "local",
        code=DicomExceptionCode(fields.code),
        message=fields.message,
        openssl=(fields.openssl_code, fields.openssl_text) if fields.openssl_code else None,
        alert_sent=fields.alert_sent if fields.alert_sent >= 0 else None,
        alert_received=fields.alert_received if fields.alert_received >= 0 else None,
        certificate_code=(
            DicomSecurityCertificateExceptionCode(fields.certificate_code) if known else None
        ),
        certificate_subject=fields.subject or None,
        certificate_depth=fields.certificate_depth if fields.certificate_depth >= 0 else None,
        elapsed=fields.elapsed,
        remedy=fields.remedy,
        exception=exception,
        chain=chain,
    )
