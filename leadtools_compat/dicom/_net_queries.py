"""What one can ask a `DicomNet`: state, addresses, the failure record. Answers after Dispose too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding import lib, reads
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.lifetime import ended, number_of
from leadtools_compat.dicom._arguments import INT_MAX, integer
from leadtools_compat.dicom._net_state import live, read_failure, state_of
from leadtools_compat.dicom.dicom_failure import DicomFailure
from leadtools_compat.dicom.enums_tls import DicomNetSecurityMode

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_net import DicomNet

__all__ = ["NetQueries", "read_address", "read_port"]


def read_address(net: Any, function: Callable[[Any, Any, int], int], field: str) -> str:
    state = state_of(net)
    text = reads.address(function, state.handle)
    if state.snapshot is not None:
        return str(getattr(state.snapshot, field))
    return text


def read_port(net: Any, function: Callable[[Any], int], field: str) -> int:
    state = state_of(net)
    number = function(state.handle)
    if state.snapshot is not None:
        return int(getattr(state.snapshot, field))
    return number


class NetQueries:
    """The part of `DicomNet` that tells how things stand."""

    def IsConnected(self) -> bool:
        """Tell whether there is a TCP connection; TLS may still be on its way.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.IsConnected``. False after `Dispose`.
        """
        state = state_of(self)
        return not ended(state.life) and bool(lib.L_DicomIsConnected(state.handle))

    @property
    def PeerAddress(self) -> str:
        """Address of the peer as numeric text; still there after the close and after `Dispose`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.PeerAddress``.
        """
        return read_address(self, lib.L_DicomGetPeerAddress, "peer_address")

    @property
    def PeerPort(self) -> int:
        """Port of the peer; still there after the close and after `Dispose`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.PeerPort``.
        """
        return read_port(self, lib.L_DicomGetPeerPort, "peer_port")

    @property
    def HostAddress(self) -> str:
        """Own address as numeric text; after `Listen` the one that was chosen.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.HostAddress``.
        """
        return read_address(self, lib.L_DicomGetHostAddress, "host_address")

    @property
    def HostPort(self) -> int:
        """Own port; after ``Listen(address, 0, ...)`` the one that was chosen.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.HostPort``.
        """
        return read_port(self, lib.L_DicomGetHostPort, "host_port")

    @property
    def SecurityMode(self) -> DicomNetSecurityMode:
        """The mode that constructor or `Initialize` set.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SecurityMode``.
        """
        return DicomNetSecurityMode(lib.L_DicomGetSecurityMode(live(self).handle))

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes of PDUs sent and received on the present or last connection (ours).

        (0, 0) before the first one and after `Dispose`. Shows whether data moves.
        """
        return reads.traffic(state_of(self).handle)

    def GetClientCount(self) -> int:
        """Count the open children of a listener.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetClientCount``.
        """
        return int(lib.L_DicomGetClientCount(live(self).handle))

    def GetClient(self, index: int) -> DicomNet:
        """Give one of the open children of a listener.

        Raises
        ------
        DicomException
            ``Parameter``: there is no child with this index (any more).

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetClient``.
        """
        state = live(self)
        number = integer(index, "index", 0, INT_MAX)
        key = number_of(lib.L_DicomGetClient(state.handle, number))
        child = state.children.get(key)
        if child is None:
            count = lib.L_DicomGetClientCount(state.handle)
            raise parameter_error(f"index is {number}, and there are {count} clients")
        return child

    @property
    def failure(self) -> DicomFailure | None:
        """The first cause of failure of the present or last connection; None while all is well (ours)."""
        return read_failure(state_of(self))
