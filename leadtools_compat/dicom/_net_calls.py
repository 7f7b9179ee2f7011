"""Requests that wait for their response; ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding import ffi, lib
from leadtools_compat._binding.text import text_to_c
from leadtools_compat.dicom._arguments import member, seconds
from leadtools_compat.dicom._net_send import data_state, send, start
from leadtools_compat.dicom._net_state import call, live
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import DicomCommandPriorityType, DicomCommandStatusType

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet

__all__ = ["NetCalls"]

SLICE = 200
"""Milliseconds that C waits at a time, so that Ctrl-C works."""
SLICE_SECONDS = SLICE / 1000
DAY = 86_400.0
TIMEOUT = int(DicomExceptionCode.NetTimeout)
UNFIT = int(DicomExceptionCode.TransferSyntaxNotSupported)

MEDIUM = int(DicomCommandPriorityType.Medium)

_new = ffi.new
_store: Callable[..., int] = lib.L_DicomCStoreAndWait
_STATUS = ffi.typeof("L_UINT16 *")


def _medium_or(priority: DicomCommandPriorityType | int) -> int:
    if priority is DicomCommandPriorityType.Medium:
        return MEDIUM
    return member(priority, "priority", DicomCommandPriorityType)


def _first_slice(timeout: float) -> int:
    """Check a time-out and give the milliseconds of the first wait."""
    if timeout.__class__ is float and SLICE_SECONDS <= timeout <= DAY:
        return SLICE
    return max(1, min(SLICE, seconds(timeout, "timeout", 0.0, DAY)))


def _wait_on(handle: Any, number: int, code: int, end: float, status: Any) -> int:
    """Wait on in slices after C's first function has given `code`."""
    while code == TIMEOUT and (left := end - time.monotonic()) > 0:
        milliseconds = max(1, round(1000 * min(SLICE_SECONDS, left)))
        code = int(lib.L_DicomAwaitResponse(handle, number, milliseconds, status))
    if code == TIMEOUT:
        lib.L_DicomForgetResponse(handle, number)
    return code


class NetCalls:
    """Methods that send a request and return with the status of its response.

    On an idle connection the calling thread does the reading and writing itself: the quickest way
    for one request after the other. The response is not told to ``OnReceive...Response``; all else
    that comes meanwhile is told as always, on the library's threads (in pumped mode by `Breathe`).
    Legal in overrides too.

    Raises
    ------
    DicomException
        ``NetTimeout``: no response in time; when it comes it is told as any other. ``Parameter``:
        the message id is awaited already. What ended the connection. What ``Send...`` raises.
    """

    def echo_and_wait(
        self, presentationID: int, messageID: int, affectedClass: str, timeout: float = 60.0
    ) -> DicomCommandStatusType:
        """Ask the peer for a sign of life (C-ECHO, PS3.7 9.3.5).

        Parameters
        ----------
        presentationID, messageID, affectedClass
            As in `SendCEchoRequest`.
        timeout
            Seconds to wait for the response, 0 to 86400.
        """
        status, milliseconds = _new(_STATUS), _first_slice(timeout)
        context, number, sop_class = start(presentationID, messageID, affectedClass)
        state, end = live(self), time.monotonic() + timeout
        handle = state.handle
        try:
            code = lib.L_DicomCEchoAndWait(handle, context, number, sop_class, milliseconds, status)
            if code != 0:
                code = _wait_on(handle, number, code, end, status)
        except BaseException:  # Ctrl-C: whoever comes later is told
            lib.L_DicomForgetResponse(handle, number)
            raise
        if code != 0:
            call(state, code)
        return DicomCommandStatusType(status[0])

    def store_and_wait(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        ds: DicomDataSet,
        priority: DicomCommandPriorityType | int = DicomCommandPriorityType.Medium,
        timeout: float = 60.0,
    ) -> DicomCommandStatusType:
        """Have the peer store an instance (C-STORE, PS3.7 9.3.1).

        Parameters
        ----------
        presentationID, messageID, affectedClass, instance, ds, priority
            As in `SendCStoreRequest`.
        timeout
            Seconds to wait for the response, 0 to 86400.
        """
        status, milliseconds = _new(_STATUS), _first_slice(timeout)
        context, number, sop_class = start(presentationID, messageID, affectedClass)
        uid, level = text_to_c(instance, "instance"), _medium_or(priority)
        state, end = live(self), time.monotonic() + timeout
        lent = None if ds is None else data_state(ds).untouched()
        code = UNFIT
        if lent is not None:  # written out, though `store` does the same: most objects go this way
            handle = state.handle
            try:
                code = _store(
                    handle,
                    context,
                    number,
                    sop_class,
                    uid,
                    level,
                    lent.handle,
                    milliseconds,
                    status,
                )
                if code != 0:
                    code = _wait_on(handle, number, code, end, status)
            except BaseException:  # Ctrl-C: whoever comes later is told
                lib.L_DicomForgetResponse(handle, number)
                raise
        if code == UNFIT:  # written first, or converted
            store = _storing(milliseconds, end, status)
            send(self, store, context, number, sop_class, uid, level, data=ds)
        elif code != 0:
            call(state, code)
        return DicomCommandStatusType(status[0])


def _storing(milliseconds: int, end: float, status: Any) -> Callable[..., int]:
    """Make a function that stores and waits, for `send` to call with a data set that fits."""

    def store(handle: Any, context: int, number: int, *more: Any) -> int:
        try:
            code = int(_store(handle, context, number, *more, milliseconds, status))
            return code and _wait_on(handle, number, code, end, status)
        except BaseException:  # Ctrl-C: whoever comes later is told
            lib.L_DicomForgetResponse(handle, number)
            raise

    return store
