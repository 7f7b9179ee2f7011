"""`expect_refused`: that a connection is refused, by whom and why; in words when it is not so.

The one rule: a refusal counts only if it is of the kind that was asked for; another failure fails
the test, and the text says what happened in its place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from leadtools_compat._nodes.client import NodeError
from leadtools_compat.dicom import (
    DicomExceptionCode,
    DicomFailure,
    DicomSecurityCertificateExceptionCode,
)
from leadtools_compat.dicom.dicom_failure import ALERTS, alert_name

__all__ = ["Refusal", "expect_refused"]

# What a server of OpenSSL sends for a finding; others may say less, see _VAGUE.
_ALERT_OF = {
    "CertHasExpired": "certificate_expired",
    "CertNotYetValid": "bad_certificate",
    "CertRevoked": "certificate_revoked",
    "InvalidPurpose": "unsupported_certificate",
    "SelfSignedCertInChain": "unknown_ca",
    "DepthZeroSelfSignedCert": "unknown_ca",
    "UnableToGetIssuerCert": "unknown_ca",
    "UnableToGetIssuerCertLocally": "unknown_ca",
    "UnableToVerifyLeafSignature": "unknown_ca",
    "InvalidCa": "unknown_ca",
    "PathLengthExceeded": "unknown_ca",
    "CertChainTooLong": "unknown_ca",
    "CertSignatureFailure": "decrypt_error",
}
_VAGUE = ("bad_certificate", "certificate_unknown")


class Refusal:
    """What `expect_refused` caught.

    Attributes
    ----------
    error
        The exception.
    failure
        The client's record; None if the peer ended without one.
    """

    def __init__(self) -> None:
        self.error: NodeError | None = None
        self.failure: DicomFailure | None = None

    def __repr__(self) -> str:
        return f"<Refusal {self.failure or self.error}>"


@contextmanager
def expect_refused(by: Literal["server", "client"], code: str | None = None) -> Iterator[Refusal]:
    """Expect that what a client does inside is refused.

    Parameters
    ----------
    by
        Who refuses: the ``server`` (we got an alert, or a rejection), or the ``client`` (we did not
        take the server).
    code
        Why, by name: of a `DicomSecurityCertificateExceptionCode` (``CertHasExpired``), of a
        `DicomExceptionCode` (``TlsPeerRejectedCertificate``), or of an alert (``unknown_ca``); None:
        for any reason. A server tells its reason by an alert only, so a finding stands for the
        alert that belongs to it, or for one of those that say nothing in particular.

    Raises
    ------
    AssertionError
        Nothing was refused, by the other side, or for another reason.
    ValueError
        There is no such name; the text has the nearest one.
    """
    _check(code)
    refusal = Refusal()
    wanted = f"the {by} to refuse" + ("" if code is None else f" with {code}")
    try:
        yield refusal
    except NodeError as error:
        refusal.error, refusal.failure = error, error.failure
    else:
        raise AssertionError(f"expected {wanted}, but nothing was refused: it went well")
    failure = refusal.failure
    if failure is None:
        raise AssertionError(f"expected {wanted}, but: {refusal.error}")
    who = "client" if failure.side == "local" else "server"
    if who != by:
        raise AssertionError(f"expected {wanted}, but the {who} did: {failure}")
    if code is not None and code not in _names(failure):
        raise AssertionError(f"expected {wanted}, but the reason is another one: {failure}")


def _names(failure: DicomFailure) -> set[str]:
    names = {str(failure.code)}
    if failure.certificate_code is not None:
        names.add(str(failure.certificate_code))
    alert = failure.alert_received if failure.side == "peer" else failure.alert_sent
    if alert is None:
        return names
    told = alert_name(alert)
    names.add(told)
    if failure.side == "peer" and failure.stage == "certificate":
        vague = told in _VAGUE
        names |= {name for name, meant in _ALERT_OF.items() if meant == told or vague}
        if vague:
            names |= {member.name for member in DicomSecurityCertificateExceptionCode}
    return names


def _check(code: str | None) -> None:
    known = {member.name for member in DicomSecurityCertificateExceptionCode}
    known |= {member.name for member in DicomExceptionCode} | set(ALERTS.values())
    if code is not None and code not in known:
        near = difflib.get_close_matches(code, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no reason {code!r}{hint}")
