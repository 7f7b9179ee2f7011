"""The debug log of `DicomConnection`: PDUs, command sets and events of TLS, as text.

It hangs shims of the overridables on the object, which write a line and then call what the class
has. One rule: values of data sets are never written.
"""

from __future__ import annotations

import datetime
import logging
import threading
from pathlib import Path
from typing import Any

from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.scu._connection_state import ConnectionState

__all__ = ["DebugLog", "switch_log"]

logger = logging.getLogger("leadtools_compat.scu")

_SHIMS = (
    "OnConnect",
    "OnVerify",
    "OnSend",
    "OnReceive",
    "OnReceiveData",
    "OnBeforeSendCommandSet",
    "OnClose",
)


def _short(value: Any) -> str:
    if isinstance(value, DicomDataSet):
        return repr(value)
    if isinstance(value, memoryview):
        return f"{value.nbytes} bytes"
    return str(value) if not isinstance(value, str) else repr(value)


def _command(data: DicomDataSet) -> str:
    elements = data.to_pydicom()
    return ", ".join(
        f"{one.keyword or one.tag}={one.value}" for one in elements if one.tag.element != 0
    )


class DebugLog:
    """One log, of one connection."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lock = threading.Lock()

    def line(self, text: str) -> None:
        """Write a line; what cannot be written is said to the logger, and nobody is disturbed."""
        if not self._file:
            logger.debug("%s", text)
            return
        now = datetime.datetime.now().astimezone().isoformat(timespec="milliseconds")
        try:
            with self._lock, Path(self._file).open("a", encoding="utf-8") as log:
                log.write(f"{now} {text}\n")
        except OSError as error:
            logger.warning("the debug log cannot be written: %s", error)

    def sending(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Write that a request goes out."""
        self.line(f"-> {name[4:]} {', '.join(map(_short, arguments))}".rstrip())

    def told(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Write what an overridable was told."""
        if name == "OnReceiveData":
            context, command, data = arguments
            rest = "" if data is None else f"; data set {data!r}"
            self.line(f"<- message in context {context}: {_command(command)}{rest}")
        elif name == "OnBeforeSendCommandSet":
            self.line(f"-> message: {_command(arguments[0])}")
        elif name == "OnReceive":
            self.line(f"<- PDU {arguments[1]}, {arguments[3]} bytes")
        elif name == "OnSend":
            self.line(f"-> PDU {arguments[1]}, {arguments[2]} bytes: {arguments[0]}")
        elif name == "OnVerify":
            subject = arguments[1].partition("\n")[0]
            self.line(f"TLS: certificate {subject}: ok {arguments[0]}, {arguments[2].Code}")
        else:
            self.line(f"{name[2:]}: {arguments[0]}")


def switch_log(net: Any, state: ConnectionState) -> None:
    """Switch the log of a connection on or off, as its properties say."""
    for name in _SHIMS:
        if getattr(net.__dict__.get(name), "is_debug_log", False):
            del net.__dict__[name]
    state.log = DebugLog(state.log_file) if state.log_enabled else None
    if state.log is None:
        return
    for name in _SHIMS:
        if name not in net.__dict__:
            net.__dict__[name] = _shim(net, name, state.log)


def _shim(net: Any, name: str, log: DebugLog) -> Any:
    import weakref

    weak = weakref.ref(net)

    def shim(*arguments: Any) -> Any:
        log.told(name, arguments)
        return getattr(type(weak()), name)(weak(), *arguments)

    shim.is_debug_log = True  # type: ignore[attr-defined]
    return shim
