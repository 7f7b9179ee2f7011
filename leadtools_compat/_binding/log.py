"""Lines of the library's log become records of the logger ``leadtools_compat``.

A line about a connection that failed, or about a certificate that ends, carries that as attributes
of the `logging.LogRecord`: see `emit`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from leadtools_compat._binding import ffi, lib, reads
from leadtools_compat._binding.errors import check
from leadtools_compat._binding.lifetime import STATE, life_of
from leadtools_compat._binding.text import from_c
from leadtools_compat.dicom.dicom_failure import DicomFailure, describe_exception, make_failure

__all__ = [
    "CertificateEnding",
    "emit",
    "flush",
    "logger",
    "tell_watchers",
    "unwatch_failures",
    "watch_failures",
]

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


def flush(patience: float) -> None:
    """Wait at most so many seconds until lines that came up so far have been logged."""
    lib.L_DicomFlushLog(int(patience * 1000))


# ---- those who are told of every failure ---------------------------------------------------------

Watcher = Callable[[DicomFailure, str, int, bool], object]
"""Called with the record, the peer's address and port, and whether the peer called us."""
_watchers: tuple[Watcher, ...] = ()
_watchers_lock = threading.Lock()


def watch_failures(watcher: Watcher) -> None:
    """Have `watcher` called for every failure of a connection, on whatever thread."""
    global _watchers
    with _watchers_lock:
        _watchers = (*_watchers, watcher)
        check(lib.L_DicomSetFailureCallback(lib.ldc_py_failure, ffi.NULL))


def unwatch_failures(watcher: Watcher, patience: float) -> None:
    """End that, when it has been told of what happened so far; waits at most so many seconds."""
    global _watchers
    flush(patience)
    with _watchers_lock:
        _watchers = tuple(one for one in _watchers if one != watcher)
        if not _watchers:
            check(lib.L_DicomSetFailureCallback(ffi.NULL, ffi.NULL))


def tell_watchers(record: Any) -> None:
    """Hand a DICOMLOGRECORD on; one who raises is logged, and the others are told."""
    failure = make_failure(reads.failure_fields(record.pFailure))
    about = failure, from_c(record.pszPeer), record.nPeerPort, bool(record.bInbound)
    for watcher in _watchers:
        _tell(watcher, about)


def _tell(watcher: Watcher, about: tuple[DicomFailure, str, int, bool]) -> None:
    try:
        watcher(*about)
    except Exception:
        logger.exception("a watcher of failures raised")


def _raised(net: Any) -> str:
    """Say what user code raised in a callback of a net that may be gone."""
    life = life_of(lib.L_DicomGetUserData(net))
    owner = None if life is None else life.owner()
    raised = None if owner is None else owner.__dict__[STATE].exception
    return "" if raised is None else f"; {describe_exception(raised)}"
