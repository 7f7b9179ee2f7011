"""`DicomFailure`: why a connection failed, as data."""

from __future__ import annotations

from typing import Any, NamedTuple

from leadtools_compat.dicom.enums_codes import (
    DicomExceptionCode,
    DicomSecurityCertificateExceptionCode,
)

__all__ = ["ALERTS", "DicomFailure", "ReceivedCertificate", "alert_name"]

# RFC 8446 section 6 and RFC 5246 section 7.2.
ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}


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
            values["exception"] = _describe(self.exception)
        values["chain"] = [
            {"depth": one.depth, "subject": one.subject, "text": one.text} for one in self.chain
        ]
        return values

    def __str__(self) -> str:
        who = "by us" if self.side == "local" else "by the peer"
        parts = [f"{self.stage}, {who}: {self.code} ({int(self.code)}), {self.message}"]
        if self.certificate_code is not None:
            about = (
                f"depth {self.certificate_depth}: " if self.certificate_depth is not None else ""
            )
            parts.append(f"certificate {about}{self.certificate_code}, {self.certificate_subject}")
        elif self.certificate_subject is not None:
            whose = "our certificate" if self.side == "peer" else "certificate"
            parts.append(f"{whose} {self.certificate_subject}")
        if self.alert_sent is not None:
            parts.append(f"alert sent {alert_name(self.alert_sent)} ({self.alert_sent})")
        if self.alert_received is not None:
            parts.append(
                f"alert received {alert_name(self.alert_received)} ({self.alert_received})"
            )
        if self.openssl is not None and self.openssl[1]:
            parts.append(self.openssl[1])
        if self.exception is not None:
            parts.append(_describe(self.exception))
        if self.remedy:
            parts.append(self.remedy)
        return " ".join("; ".join(parts).split())


def _describe(error: BaseException) -> str:
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - a user's __str__ may do anything
        words = ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
