"""Times, counts and socket options of `DicomNet`; all of it ours."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from leadtools_compat._binding import lib
from leadtools_compat.dicom._arguments import INT_MAX, integer, seconds
from leadtools_compat.dicom._arguments import flags as check_flags
from leadtools_compat.dicom._net_state import NetState, call, live
from leadtools_compat.dicom.dicom_socket_options import DicomSocketOptions
from leadtools_compat.dicom.enums_dimse import DicomNetFlags

__all__ = ["NetLimits", "NetTuning"]

COUNT_MAX = 1_000_000
BYTES_MAX = 2**48
HOUR = 3_600.0
DAY = 24 * HOUR

_COUNTS = {
    "connections": lib.DICOM_LIMIT_CONNECTIONS,
    "handshakes_per_address": lib.DICOM_LIMIT_HANDSHAKES_PER_ADDRESS,
    "handshakes_total": lib.DICOM_LIMIT_HANDSHAKES_TOTAL,
}
_BYTES = {
    "data_set_memory": lib.DICOM_LIMIT_DATA_SET_MEMORY,
    "data_set_total": lib.DICOM_LIMIT_DATA_SET_TOTAL,
    "send_queue": lib.DICOM_LIMIT_SEND_QUEUE,
    "spill_quota": lib.DICOM_LIMIT_SPILL_QUOTA,
}
_ALL = {**_COUNTS, **_BYTES}


class NetLimits(MutableMapping[str, int]):
    """Counts and sizes that a net keeps to: a mapping from name to number, written through to the net.

    ``connections`` (open connections of a listener), ``handshakes_per_address`` and
    ``handshakes_total`` (unfinished TLS handshakes; at the limit the oldest one ends; behind a
    trusted proxy the address is the client's). In bytes:
    ``data_set_memory`` (of a received data set in memory; past that it goes into a file),
    ``data_set_total`` (of a received data set in all), ``send_queue`` (what may wait to be sent
    behind the message in hand before a ``Send...`` call waits) and ``spill_quota`` (temporary files
    of all that the children of a listener have received, of a client: its own; default 16 GiB).
    A connection that is there follows.
    """

    def __init__(self, net: Any) -> None:
        self._net = net

    def _state(self) -> NetState:
        return live(self._net)

    def __getitem__(self, name: str) -> int:
        number = _ALL[name]
        return int(lib.L_DicomGetLimit(self._state().handle, number))

    def __setitem__(self, name: str, value: int) -> None:
        if name not in _ALL:
            raise KeyError(f"{name!r} is not a limit; there are {', '.join(_ALL)}")
        state = self._state()
        most = COUNT_MAX if name in _COUNTS else BYTES_MAX
        number = integer(value, f"limits[{name!r}]", 1, most)
        call(state, lib.L_DicomSetLimit(state.handle, _ALL[name], number))

    def __delitem__(self, name: str) -> None:
        raise TypeError("a limit cannot be deleted, only set")

    def __iter__(self) -> Iterator[str]:
        return iter(_ALL)

    def __len__(self) -> int:
        return len(_ALL)

    def __repr__(self) -> str:
        return f"NetLimits({dict(self)})"


def _get_seconds(net: Any, limit: int) -> float:
    return float(lib.L_DicomGetLimit(live(net).handle, limit)) / 1000.0


def _set_seconds(net: Any, limit: int, name: str, value: float, low: float, high: float) -> None:
    state = live(net)
    call(state, lib.L_DicomSetLimit(state.handle, limit, seconds(value, name, low, high)))


class NetTuning:
    """The part of `DicomNet` that is about limits and sockets."""

    @property
    def handshake_timeout(self) -> float:
        """Seconds for a TLS handshake, from the accept or connect on (ours)."""
        return _get_seconds(self, lib.DICOM_LIMIT_HANDSHAKE_TIMEOUT)

    @handshake_timeout.setter
    def handshake_timeout(self, value: float) -> None:
        _set_seconds(
            self, lib.DICOM_LIMIT_HANDSHAKE_TIMEOUT, "handshake_timeout", value, 0.001, DAY
        )

    @property
    def late_refusal_wait(self) -> float:
        """Seconds that a TLS 1.3 client waits for the server's first word (ours).

        A server judges the client's certificate after the client has finished. So a client that was
        asked for one reports `OnSecureLinkReady` when the server has spoken, or after this time; a
        refusal that comes later is in `OnClose`. 0: do not wait.
        """
        return _get_seconds(self, lib.DICOM_LIMIT_LATE_REFUSAL_WAIT)

    @late_refusal_wait.setter
    def late_refusal_wait(self, value: float) -> None:
        _set_seconds(self, lib.DICOM_LIMIT_LATE_REFUSAL_WAIT, "late_refusal_wait", value, 0.0, HOUR)

    @property
    def connect_timeout(self) -> float:
        """Seconds for the TCP connection (ours)."""
        return _get_seconds(self, lib.DICOM_LIMIT_CONNECT_TIMEOUT)

    @connect_timeout.setter
    def connect_timeout(self, value: float) -> None:
        _set_seconds(self, lib.DICOM_LIMIT_CONNECT_TIMEOUT, "connect_timeout", value, 0.001, DAY)

    @property
    def linger_timeout(self) -> float:
        """Seconds that `Close` gives the peer to take what is queued and to close too (ours)."""
        return _get_seconds(self, lib.DICOM_LIMIT_LINGER_TIMEOUT)

    @linger_timeout.setter
    def linger_timeout(self, value: float) -> None:
        _set_seconds(self, lib.DICOM_LIMIT_LINGER_TIMEOUT, "linger_timeout", value, 0.0, HOUR)

    @property
    def artim_timeout(self) -> float:
        """Seconds to wait for the first PDU, and for the end of a connection (ours).

        PS3.8 9.1.5. A wait that has begun keeps its time.
        """
        return _get_seconds(self, lib.DICOM_LIMIT_ARTIM_TIMEOUT)

    @artim_timeout.setter
    def artim_timeout(self, value: float) -> None:
        _set_seconds(self, lib.DICOM_LIMIT_ARTIM_TIMEOUT, "artim_timeout", value, 0.001, DAY)

    @property
    def association_timeout(self) -> float:
        """Seconds for an answer to a request for an association or its release (ours).

        A wait that has begun keeps its time. A release waits for what was queued before it as long
        as that moves.
        """
        return _get_seconds(self, lib.DICOM_LIMIT_ASSOCIATION_TIMEOUT)

    @association_timeout.setter
    def association_timeout(self, value: float) -> None:
        limit = lib.DICOM_LIMIT_ASSOCIATION_TIMEOUT
        _set_seconds(self, limit, "association_timeout", value, 0.001, DAY)

    @property
    def idle_timeout(self) -> float:
        """Seconds without a byte in either direction before a connection ends (ours).

        0, the default: off. An association is aborted, and `OnClose` says ``NetTimeout``. While an
        override performs a request, or has not answered it yet, the time does not run.
        """
        return _get_seconds(self, lib.DICOM_LIMIT_IDLE_TIMEOUT)

    @idle_timeout.setter
    def idle_timeout(self, value: float) -> None:
        _set_seconds(self, lib.DICOM_LIMIT_IDLE_TIMEOUT, "idle_timeout", value, 0.0, DAY)

    @property
    def send_timeout(self) -> float:
        """Seconds that a ``Send...`` call waits for room in the queue (ours).

        They begin anew while the peer takes what we send, at least 256 KiB of it.
        """
        return _get_seconds(self, lib.DICOM_LIMIT_SEND_TIMEOUT)

    @send_timeout.setter
    def send_timeout(self, value: float) -> None:
        _set_seconds(self, lib.DICOM_LIMIT_SEND_TIMEOUT, "send_timeout", value, 0.001, DAY)

    @property
    def limits(self) -> NetLimits:
        """Counts, as a mapping that writes through (ours)."""
        live(self)
        return NetLimits(self)

    @property
    def allow_plain_children(self) -> bool:
        """Whether a listener with TLS may `Accept` a child without (ours); default False."""
        return bool(lib.L_DicomGetLimit(live(self).handle, lib.DICOM_LIMIT_ALLOW_PLAIN_CHILDREN))

    @allow_plain_children.setter
    def allow_plain_children(self, value: bool) -> None:
        state = live(self)
        limit = lib.DICOM_LIMIT_ALLOW_PLAIN_CHILDREN
        call(state, lib.L_DicomSetLimit(state.handle, limit, 1 if value else 0))

    @property
    def socket_options(self) -> DicomSocketOptions:
        """Socket options of the next connection (ours)."""
        return live(self).socket_options

    @socket_options.setter
    def socket_options(self, value: DicomSocketOptions) -> None:
        state = live(self)
        if not isinstance(value, DicomSocketOptions):
            raise TypeError(
                f"socket_options must be DicomSocketOptions, not {type(value).__name__}"
            )

        def number(name: str, high: int) -> int:
            one = getattr(value, name)
            return -1 if one is None else integer(one, f"socket_options.{name}", 0, high)

        code = lib.L_DicomSetSocketOptions(
            state.handle,
            number("tcp_nodelay", 1),
            number("so_keepalive", 1),
            number("so_sndbuf", INT_MAX),
            number("so_rcvbuf", INT_MAX),
        )
        call(state, code)
        state.socket_options = value

    @property
    def Flags(self) -> DicomNetFlags:
        """Options of sending.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Flags``; the values are ours.
        """
        return DicomNetFlags(lib.L_DicomGetNetFlags(live(self).handle))

    @Flags.setter
    def Flags(self, value: DicomNetFlags | int) -> None:
        state = live(self)
        number = check_flags(value, "Flags", DicomNetFlags)
        call(state, lib.L_DicomSetNetFlags(state.handle, number))
