"""What the library asks of a net: past whatever members of those names a subclass has."""

from __future__ import annotations

from typing import Any

from leadtools_compat._binding.lifetime import STATE, ended
from leadtools_compat.dicom.dicom_associate import DicomAssociate
from leadtools_compat.dicom.dicom_net import DicomNet
from leadtools_compat.dicom.enums_tls import DicomNetSecurityMode

__all__ = ["association", "connected", "gone", "prop", "set_prop", "speaks_tls", "traffic"]


def prop(net: Any, name: str) -> Any:
    """Read a property of `DicomNet`."""
    return getattr(DicomNet, name).fget(net)


def set_prop(net: Any, name: str, value: Any) -> None:
    """Set a property of `DicomNet`."""
    getattr(DicomNet, name).fset(net, value)


def traffic(net: Any) -> object:
    """Give something that changes while data moves."""
    return prop(net, "traffic")


def association(net: Any) -> DicomAssociate | None:
    """Copy the present or last association."""
    found: DicomAssociate | None = prop(net, "Association")
    return found


def speaks_tls(net: Any) -> bool:
    """Tell whether the mode is TLS."""
    return bool(prop(net, "SecurityMode") == DicomNetSecurityMode.Tls)


def connected(net: Any) -> bool:
    """Tell whether there is a TCP connection."""
    return DicomNet.IsConnected(net)


def gone(net: Any) -> bool:
    """Tell whether the net has been disposed."""
    return ended(net.__dict__[STATE].life)
