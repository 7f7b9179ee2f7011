"""What `DicomNet` does beside its members: installing callbacks, bookkeeping, its repr."""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from types import FunctionType
from typing import Any

from leadtools_compat._binding import callbacks, lib, messages, reads
from leadtools_compat._binding.lifetime import STATE, ended, number_of
from leadtools_compat.dicom._arguments import member
from leadtools_compat.dicom._net_iscl import iscl_error
from leadtools_compat.dicom._net_overridables import NetOverridables
from leadtools_compat.dicom._net_receive import NetReceive
from leadtools_compat.dicom._net_state import NetState, read_failure
from leadtools_compat.dicom.enums_tls import DicomNetSecurityMode, DicomTlsCipherSuiteType

__all__ = [
    "describe",
    "install",
    "judges",
    "leave_parent",
    "needs_an_argument",
    "release_children",
    "security_mode",
    "with_default",
]


def security_mode(mode: DicomNetSecurityMode | int) -> int:
    """Check a security mode."""
    number = member(mode, "mode", DicomNetSecurityMode)
    if number == DicomNetSecurityMode.Iscl:
        raise iscl_error("mode is Iscl")
    return number


@functools.cache
def _bases() -> dict[str, Any]:
    """Find the base versions, once: `messages` and the mirror import each other."""
    ours = ("OnConnect", "OnAccept", "OnClose", "OnSecureLinkReady")
    return {
        **{name: getattr(NetOverridables, name) for name in ours},
        **{name: getattr(NetReceive, name) for name in messages.NAMES},
    }


@functools.cache
def _read_all() -> tuple[Callable[[type], tuple[Any, ...]], frozenset[str]]:
    """Make a function that reads all overridables of a class at once, and list their names."""
    names = tuple(_bases())
    return operator.attrgetter(*names), frozenset(names)


_seen: weakref.WeakKeyDictionary[type, tuple[tuple[Any, ...], frozenset[str]]] = (
    weakref.WeakKeyDictionary()
)
"""What was found for a class, and for which members: both may change while the program runs."""


def overridden(net: Any) -> frozenset[str]:
    """List the overridables without an answer that the class or the instance has of its own."""
    kind = type(net)
    read, names = _read_all()
    members = read(kind)
    found = _seen.get(kind)
    if found is None or found[0] != members:
        own = (one for one, base in _bases().items() if getattr(kind, one) is not base)
        _seen[kind] = found = members, frozenset(own)
    mine = names & net.__dict__.keys()
    return found[1] | mine if mine else found[1]


def judges(net: Any) -> bool:
    """Tell whether code outside the library may judge certificates: an `OnVerify` of its own.

    A class of the library with an `OnVerify` of its own says in ``_judges_certificates`` whether
    somebody listens there.
    """
    if "OnVerify" in net.__dict__:
        return True
    method = type(net).OnVerify
    if method is NetOverridables.OnVerify:
        return False
    # Where it was defined, whatever its attributes say: wrappers copy those.
    if (
        type(method) is not FunctionType
        or method.__globals__.get("__name__", "").partition(".")[0] != "leadtools_compat"
    ):
        return True
    asked = getattr(net, "_judges_certificates", None)
    return asked is None or bool(asked())


def install(net: Any, state: NetState, always: AbstractSet[str] = frozenset()) -> None:
    """Have C call what the class or the object overrides now, and what bookkeeping needs."""
    gate = judges(net)
    if gate != state.judges:
        callbacks.install_gates(state.life, gate)
        state.judges = gate
    names = overridden(net)
    if always:
        names |= always
    if names != state.installed:
        callbacks.install(state.life, names, messages.connect)
        state.installed = names


def leave_parent(state: NetState) -> None:
    """Have the listener let go of a child whose close it will not be told of."""
    if state.close_told:
        return
    parent, state.parent = state.parent, None
    listener = None if parent is None else parent.owner()
    if listener is not None:
        listener.__dict__[STATE].children.pop(number_of(state.handle), None)


def release_children(state: NetState) -> None:
    """Close the children of a listener that has gone, and let go of them.

    C has closed those it knew of; one that was just being accepted it may have missed.
    """
    for child in list(state.children.values()):
        lib.L_DicomCloseForced(child.__dict__[STATE].handle, 1)
    state.children.clear()


def needs_an_argument(override: Callable[..., Any]) -> bool:
    """Tell whether a method demands exactly one argument."""
    import inspect  # takes long, and is rarely needed

    required = [
        one
        for one in list(inspect.signature(override).parameters.values())[1:]
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty
    ]
    return len(required) == 1


def with_default(override: Callable[..., Any]) -> Callable[..., Any]:
    """Give True to an override of Dispose when the caller gives nothing."""

    @functools.wraps(override)
    def Dispose(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not args and not kwargs:
            args = (True,)
        return override(self, *args, **kwargs)

    return Dispose


def _where(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _link(handle: Any) -> str:
    if lib.L_DicomGetSecurityMode(handle) != DicomNetSecurityMode.Tls:
        return "plain"
    suite = lib.L_DicomGetCiphersuiteTLS(handle)
    if suite == 0:
        return "TLS not ready"
    version = reads.tls_info(handle, lib.DICOM_TLS_INFO_VERSION)
    return f"{version} {DicomTlsCipherSuiteType(suite)}"


def describe(net: Any) -> str:
    """Tell in a few words how things stand with a net."""
    state: NetState | None = net.__dict__.get(STATE)
    if state is None:
        return "without its base constructor"
    if ended(state.life):
        return "disposed"
    handle = state.handle
    if lib.L_DicomIsConnected(handle):
        address = reads.address(lib.L_DicomGetPeerAddress, handle)
        return f"connected to {_where(address, lib.L_DicomGetPeerPort(handle))}, {_link(handle)}"
    if state.life.listening:
        address = reads.address(lib.L_DicomGetHostAddress, handle)
        mode = DicomNetSecurityMode(lib.L_DicomGetSecurityMode(handle))
        what = "TLS" if mode == DicomNetSecurityMode.Tls else "plain"
        return f"listening on {_where(address, lib.L_DicomGetHostPort(handle))}, {what}"
    failure = read_failure(state)
    return "not connected" if failure is None else f"not connected, {failure.code}"
