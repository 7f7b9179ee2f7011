"""What a `DicomNet` keeps for itself: one name-mangled attribute, reached through the functions here.

One rule: nothing of the library's calls a method of the net but the overridables, so a subclass
may define whatever it likes. Reading goes through ``__dict__``, past any ``__getattr__``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from leadtools_compat._binding import ffi, lib, reads
from leadtools_compat._binding.errors import last_error
from leadtools_compat._binding.lifetime import STATE, Life, ended
from leadtools_compat.dicom._tls_rules import TlsRules
from leadtools_compat.dicom.dicom_associate import adopt
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.dicom_failure import (
    DicomFailure,
    ReceivedCertificate,
    make_failure,
)
from leadtools_compat.dicom.dicom_socket_options import DicomSocketOptions
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_associate import DicomAssociate
    from leadtools_compat.dicom.dicom_net import DicomNet

__all__ = [
    "NetState",
    "Runner",
    "Snapshot",
    "call",
    "copy_association",
    "disposed_error",
    "last_association",
    "live",
    "read_failure",
    "state_of",
]

_SUBJECT = "Subject Name: "


class Snapshot(NamedTuple):
    """What stays readable after Dispose."""

    host_address: str
    host_port: int
    peer_address: str
    peer_port: int
    proxy_address: str
    proxy_port: int
    failure: DicomFailure | None
    association: Any
    """C's, or None."""


class Runner(Protocol):
    """Runs callbacks on a thread of its own choice, and takes what they raise."""

    def run(self, owner: Any, name: str, function: Callable[[], Any]) -> Any:
        """Run the callback `name` of `owner` to its end; what it raises comes out."""

    def arguments(self, owner: Any, name: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Say what the callback `name` of `owner` is to be called with."""

    def take(self, error: BaseException) -> bool:
        """Take an exception that a callback has raised; False: nobody here waits for it."""


TLS_VALUES = (
    "crl_check",
    "crl_paths",
    "expected_host",
    "ocsp_check",
    "ocsp_staple_file",
    "revocation_soft_fail",
    "rules",
    "send_ca_names",
    "tls_keylog_file",
    "tls_resumption",
)
"""Members of `NetState` that say what C was told about TLS."""


class NetState:
    """The private state of one net."""

    __slots__ = (
        "auto_respond",
        "children",
        "children_inherit_tls",
        "chunk_taker",
        "chunk_taking",
        "close_told",
        "closes_owed",
        "crl_check",
        "crl_paths",
        "exception",
        "expected_host",
        "handle",
        "installed",
        "judges",
        "life",
        "lock",
        "ocsp_check",
        "ocsp_staple_file",
        "parent",
        "receive_sink",
        "revocation_soft_fail",
        "rules",
        "runner",
        "send_ca_names",
        "snapshot",
        "socket_options",
        "tls_keylog_file",
        "tls_resumption",
    )

    def __init__(self, life: Life) -> None:
        self.life = life
        self.handle: Any = life.handle
        self.lock = threading.RLock()
        """Held while texts that C lends are copied, and while the net is freed; never in user code."""
        self.snapshot: Snapshot | None = None
        """Set when the net has been disposed."""
        self.children: dict[int, DicomNet] = {}
        """Of a listener: its open children by handle, kept alive until their close was told."""
        self.closes_owed: dict[int, int] = {}
        """Of a listener: closes still to be told of children that were accepted again meanwhile."""
        self.parent: Life | None = None
        """Of an accepted child: its listener."""
        self.close_told = False
        """The close of the present connection is being told: the listener's turn comes next."""
        self.exception: BaseException | None = None
        """What user code raised first in a callback of the present connection."""
        self.installed: frozenset[str] | None = None
        """The overridables that C calls; None: C does not even know the net's number."""
        self.judges: bool | None = None
        """Whether C asks Python for certificates; None: not told yet, which means that it does."""
        self.tls_resumption = False
        self.tls_keylog_file: Any = None
        self.runner: Runner | None = None
        """Who runs the callbacks, if that is not the thread that C calls on."""
        self.expected_host: str | None = None
        self.crl_paths: tuple[Any, ...] = ()
        self.crl_check = "chain"
        self.revocation_soft_fail = False
        self.ocsp_check = "off"
        self.ocsp_staple_file: Any = None
        self.children_inherit_tls = False
        self.send_ca_names = True
        self.rules = TlsRules()
        self.receive_sink: str | Callable[[bytes], object] = "memory"
        self.chunk_taker: Callable[[bytes], object] | None = None
        """The callable that was set last."""
        self.chunk_taking: Callable[[bytes], object] | None = None
        """The one that has got the first pieces of a data set, and gets them all."""
        self.auto_respond: frozenset[str] = frozenset()
        self.socket_options = DicomSocketOptions()


def state_of(net: Any) -> NetState:
    """Find the state; InvalidState when the constructor of DicomNet did not run."""
    state: NetState | None = net.__dict__.get(STATE)
    if state is None:
        raise DicomException(
            DicomExceptionCode.InvalidState,
            f"The constructor of DicomNet did not run for this {type(net).__name__}: call "
            "super().__init__(path, mode) first in its __init__",
        )
    return state


def disposed_error(net: Any) -> DicomException:
    """Make the exception for a net that is used after Dispose."""
    return DicomException(
        DicomExceptionCode.ObjectDisposed,
        f"This {type(net).__name__} has been disposed: make a new one to connect again",
    )


def live(net: Any) -> NetState:
    """Find the state of a net that may be used."""
    state: NetState | None = net.__dict__.get(STATE)
    if state is None:
        return state_of(net)  # raises
    if ended(state.life):
        raise disposed_error(net)
    return state


def call(state: NetState, code: int) -> None:
    """Check the result of a C call for a net; a failure that is the net's own brings its record."""
    if code == 0:
        return
    error = last_error(code)
    record = read_failure(state)
    if record is not None and record.code == error.Code:
        error.failure = record
    raise error


def _received(handle: Any) -> tuple[ReceivedCertificate, ...]:
    received = []
    for depth, (_, text) in enumerate(reads.peer_certificates(handle)):
        first = text.partition("\n")[0]
        received.append(ReceivedCertificate(depth, first.removeprefix(_SUBJECT), text))
    return tuple(received)


def read_failure(state: NetState) -> DicomFailure | None:
    """Copy the failure record of a net that is not freed."""
    with state.lock:
        if ended(state.life):
            return None if state.snapshot is None else state.snapshot.failure
        record = reads.failure(state.handle)
        if record is None:
            return None
        chain = _received(state.handle)
    return make_failure(record, state.exception, chain)


def last_association(state: NetState) -> Any:
    """Copy what C has of the last association; None: nothing."""
    handle = lib.L_DicomGetAssociate(state.handle)
    return None if handle == ffi.NULL else ffi.gc(handle, lib.L_DicomFreeAssociate)


def copy_association(state: NetState) -> DicomAssociate | None:
    """Copy the present or last association."""
    with state.lock:
        if state.snapshot is not None:
            last = state.snapshot.association
            return None if last is None else adopt(lib.L_DicomCloneAssociate(last))
        handle = lib.L_DicomGetAssociate(state.handle)
        return None if handle == ffi.NULL else adopt(handle)
