"""What failed in C becomes a `DicomException`; what nobody can catch goes to ``unraisablehook``.

The exception classes belong to the mirror, which imports this folder, so they are fetched when
something has failed and not before.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from leadtools_compat._binding import ffi, lib

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_exception import DicomException

__all__ = [
    "check",
    "interrupted",
    "keep_interrupt",
    "last_error",
    "parameter_error",
    "unraisable",
]


def last_error(code: int = 0) -> DicomException:
    """Make the exception of the C call that has just failed on this thread.

    Without `code` (calls that give a handle) the code is the thread's last one.
    """
    from leadtools_compat.dicom.dicom_exception import DicomException

    if code == lib.DICOM_ERROR_CANCELED:
        interrupted()
    text = bytes(ffi.string(lib.L_DicomGetLastErrorText())).decode("utf-8", "replace")
    return DicomException(code or lib.L_DicomGetLastError(), text or None)


def check(code: int) -> None:
    """Raise when a C function's result says so; to be called at once, in the same thread."""
    if code != 0:
        raise last_error(code)


def parameter_error(sentence: str) -> DicomException:
    """Make the exception for an argument that was refused before it got to C."""
    from leadtools_compat.dicom.dicom_exception import DicomException
    from leadtools_compat.dicom.enums_codes import DicomExceptionCode

    code = DicomExceptionCode.Parameter
    return DicomException(code, f"{DicomException.GetCodeMessage(code)}: {sentence}")


_interrupts = threading.local()


def keep_interrupt(error: BaseException) -> None:
    """Keep what a signal handler has raised while a call waited in C, for the end of that call."""
    _interrupts.error = error


def interrupted() -> None:
    """Raise what `keep_interrupt` has kept on this thread."""
    error: BaseException | None = getattr(_interrupts, "error", None)
    if error is not None:
        _interrupts.error = None
        try:
            raise error
        finally:
            del error  # exception -> traceback -> this frame -> exception would be a cycle


class _Anchor:
    """Something that can be weakly referenced, and dropped."""

    __slots__ = ("__weakref__",)


class _Reraise:
    """Raises when called; its repr is what the hook shows behind "Exception ignored in"."""

    __slots__ = ("error", "where")

    def __init__(self, error: BaseException, where: str) -> None:
        self.error = error
        self.where = where

    def __call__(self, reference: object) -> None:
        raise self.error.with_traceback(self.error.__traceback__)

    def __repr__(self) -> str:
        return self.where


def unraisable(error: BaseException, where: str) -> None:
    """Give an exception to ``sys.unraisablehook``, whatever it is.

    Python has no function for that. An exception in a weak reference's callback takes exactly that
    way in the interpreter, with the callback as the hook's ``object``.
    """
    before = error.__traceback__
    anchor = _Anchor()
    reference = weakref.ref(anchor, _Reraise(error, where))
    del anchor
    del reference
    error.__traceback__ = before
