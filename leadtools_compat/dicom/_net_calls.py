"""Requests that wait for their response; ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding import ffi, lib
from leadtools_compat._binding.text import text_to_c
from leadtools_compat.dicom._arguments import member, seconds
from leadtools_compat.dicom._net_send import send, start
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import DicomCommandPriorityType, DicomCommandStatusType

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet

__all__ = ["NetCalls"]

SLICE = 0.2
"""Seconds that C waits at a time, so that Ctrl-C works."""
DAY = 86_400.0
TIMEOUT = int(DicomExceptionCode.NetTimeout)


class _Wait:
    """One call: C's first function, then waiting on in slices."""

    __slots__ = ("end", "first", "status")

    def __init__(self, first: Callable[..., int], timeout: float) -> None:
        seconds(timeout, "timeout", 0.0, DAY)
        self.first = first
        self.end = time.monotonic() + timeout
        self.status = ffi.new("L_UINT16 *")

    def _slice(self) -> int:
        return max(1, round(1000 * min(SLICE, self.end - time.monotonic())))

    def __call__(self, handle: Any, context: int, number: int, *arguments: Any) -> int:
        try:
            code = self.first(handle, context, number, *arguments, self._slice(), self.status)
            while code == TIMEOUT and time.monotonic() < self.end:
                code = lib.L_DicomAwaitResponse(handle, number, self._slice(), self.status)
        except BaseException:  # Ctrl-C: whoever comes later is told
            lib.L_DicomForgetResponse(handle, number)
            raise
        if code == TIMEOUT:
            lib.L_DicomForgetResponse(handle, number)
        return int(code)


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
        wait = _Wait(lib.L_DicomCEchoAndWait, timeout)
        send(self, wait, *start(presentationID, messageID, affectedClass))
        return DicomCommandStatusType(wait.status[0])

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
        wait = _Wait(lib.L_DicomCStoreAndWait, timeout)
        send(
            self,
            wait,
            *start(presentationID, messageID, affectedClass),
            text_to_c(instance, "instance"),
            member(priority, "priority", DicomCommandPriorityType),
            data=ds,
        )
        return DicomCommandStatusType(wait.status[0])
