"""Lines of the library's log become records of the logger ``leadtools_compat``.

A line about a connection that failed, or about a certificate that ends, carries that as attributes
of the `logging.LogRecord`: see `emit`.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from leadtools_compat._binding import ffi, lib, reads
from leadtools_compat._binding.lifetime import STATE, life_of
from leadtools_compat._binding.text import from_c
from leadtools_compat.dicom.dicom_failure import describe_exception, make_failure

__all__ = ["CertificateEnding", "emit", "logger"]

logger = logging.getLogger("leadtools_compat")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_OF_CALLBACKS = (lib.DICOM_ERROR_TLS_VERIFY_CALLBACK, lib.DICOM_ERROR_CALLBACK)


class CertificateEnding(NamedTuple):
    """A certificate of an open listener, or of what it accepts with, that ends soon or has ended.

    Attributes
    ----------
    subject
        Which one.
    authority
        Whether it is one of the CA file; else it is the own certificate, or of its chain.
    ends
        When.
    days_left
        Whole days; negative: it has ended.
    """

    subject: str
    authority: bool
    ends: datetime
    days_left: int


def emit(record: Any) -> None:
    """Log a DICOMLOGRECORD.

    About a failure the record has ``failure`` (`DicomFailure`, without chain and exception: a record
    may be kept, and must not keep a net), ``peer_address``, ``peer_port``, ``inbound`` (the peer
    called us) and ``more`` (failures of the same cause that have no line of their own, or 0); about
    a certificate ``ending`` (`CertificateEnding`).
    """
    if not logger.isEnabledFor(record.nLevel):
        return
    text = from_c(record.pszText)
    extra: dict[str, Any] = {}
    if record.pFailure != ffi.NULL:
        fields = reads.failure_fields(record.pFailure)
        if fields.code in _OF_CALLBACKS:
            text += _raised(record.hNet)
        extra = {
            "failure": make_failure(fields),
            "peer_address": from_c(record.pszPeer),
            "peer_port": record.nPeerPort,
            "inbound": bool(record.bInbound),
            "more": record.nMore,
        }
    elif record.pEnding != ffi.NULL:
        ending = record.pEnding
        ends = _EPOCH + timedelta(seconds=ending.nEnds)
        subject, authority = from_c(ending.pszSubject), bool(ending.bAuthority)
        extra = {"ending": CertificateEnding(subject, authority, ends, ending.nDaysLeft)}
    logger.log(record.nLevel, "%s", text, extra=extra)


def _raised(net: Any) -> str:
    """Say what user code raised in a callback of a net that may be gone."""
    life = life_of(lib.L_DicomGetUserData(net))
    owner = None if life is None else life.owner()
    raised = None if owner is None else owner.__dict__[STATE].exception
    return "" if raised is None else f"; {describe_exception(raised)}"
