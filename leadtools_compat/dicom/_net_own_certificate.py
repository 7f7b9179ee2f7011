"""Own certificate and key as arguments of C, and calls in which C may ask for a key's password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadtools_compat._binding import ffi
from leadtools_compat._binding.pump import Collector
from leadtools_compat._binding.text import Contents, StrPath, is_bytes, path_to_c
from leadtools_compat.dicom._net_state import NetState, call, live
from leadtools_compat.dicom.dicom_exception import DicomException

__all__ = ["call_that_asks", "own_certificate"]


def own_certificate(
    certFile: StrPath | Contents, kind: int, keyFile: StrPath | Contents | None
) -> tuple[bool, tuple[Any, ...]]:
    """Give whether it is in memory, and the arguments of C's function for that.

    Raises
    ------
    TypeError
        One of them is a path and the other is not.
    """
    if is_bytes(certFile):
        if keyFile is not None and not is_bytes(keyFile):
            raise TypeError("keyFile must be bytes or None when certFile is bytes")
        certificate = bytes(certFile)
        key = ffi.NULL if keyFile is None else bytes(keyFile)
        size = 0 if keyFile is None else len(key)
        return True, (certificate, len(certificate), kind, key, size)
    if is_bytes(keyFile):
        raise TypeError("keyFile must be a path or None when certFile is a path")
    path = path_to_c(certFile, "certFile")  # type: ignore[arg-type]
    return False, (path, kind, path_to_c(keyFile, "keyFile"))  # type: ignore[arg-type]


def call_that_asks(
    net: Any, state: NetState, function: Callable[..., int], *arguments: Any
) -> None:
    """Call C; what `OnPrivateKeyPassword` raised comes before C's own error."""
    with Collector() as collector:
        code = function(state.handle, *arguments)
        failed = None
        try:
            call(state, code)
        except DicomException as error:
            failed = error
    collector.raise_first()
    if failed is not None:
        raise failed
    live(net)  # OnPrivateKeyPassword may have disposed it
