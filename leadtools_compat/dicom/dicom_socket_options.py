"""`DicomSocketOptions`."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DicomSocketOptions"]


class DicomSocketOptions(NamedTuple):
    """Options of a connection's socket; None leaves an option to the system.

    Attributes
    ----------
    tcp_nodelay
        Send at once instead of waiting for more (TCP_NODELAY); True unless changed.
    so_keepalive
        Have the system look for dead peers (SO_KEEPALIVE).
    so_sndbuf, so_rcvbuf
        Sizes of the system's buffers in bytes; setting them switches the system's own sizing off.

    Notes
    -----
    The type's name is in the LEADTOOLS help (``DicomSocketOptions``); the members are ours. Frozen:
    give a new one to `DicomNet.socket_options`, before connecting.
    """

    tcp_nodelay: bool | None = True
    so_keepalive: bool | None = None
    so_sndbuf: int | None = None
    so_rcvbuf: int | None = None
