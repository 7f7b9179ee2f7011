"""What the library's log is for the command line: warnings beside the result, more with ``--verbose``,
and a file with ``--log``.

The one rule: nothing is said twice. A failure that the verb tells itself is not a line as well, unless
all lines were asked for. A verb that serves leaves failures of clients to the log, which is bounded.
"""

from __future__ import annotations

import logging

import click

from leadtools_compat._binding.log import flush
from leadtools_compat.cli.output import Output, plain
from leadtools_compat.dicom import DicomExceptionCode

__all__ = ["PATIENCE", "LibraryLog", "set_up", "verb_serves", "verb_tells_all"]

PATIENCE = 2.0
"""Seconds that the last lines of the library may take at the end."""

_FORM = "%(asctime)s %(levelname)s %(message)s"
# No verb that receives is told of an association of which nothing came.
_UNTOLD = (
    DicomExceptionCode.AbstractSyntaxNotSupported,
    DicomExceptionCode.TransferSyntaxNotSupported,
)


class LibraryLog(logging.Handler):
    """Shows the library's warnings as notes; all lines if `verbose`."""

    def __init__(self, out: Output) -> None:
        super().__init__(logging.WARNING)
        self.out = out
        self.verbose = False
        self.serves = False
        self.silent = False

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        if self.verbose or not self._told(record):
            self.out.warn(plain(record.getMessage()))

    def _told(self, record: logging.LogRecord) -> bool:
        """Whether the verb itself says this."""
        if self.silent and record.levelno < logging.ERROR:
            return True
        failure = getattr(record, "failure", None)
        if failure is not None:
            inbound: bool = getattr(record, "inbound", False)
            return not (inbound and (self.serves or failure.code in _UNTOLD))
        return self.serves and getattr(record, "ending", None) is not None


def _handler() -> LibraryLog | None:
    context = click.get_current_context(silent=True)
    handler = None if context is None else context.find_root().obj
    return handler if isinstance(handler, LibraryLog) else None


def verb_serves() -> None:
    """Say that the verb warns of certificates that end by itself, and not of failures of clients."""
    handler = _handler()
    if handler is not None:
        handler.serves = True


def verb_tells_all() -> None:
    """Say that the verb makes links of every kind on purpose, and tells of each itself."""
    handler = _handler()
    if handler is not None:
        handler.silent = True


def set_up(verbose: bool, file: str | None) -> None:
    """Do what ``--verbose`` and ``--log`` say, until the verb ends.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    library = logging.getLogger("leadtools_compat")
    context = click.get_current_context()
    handler = _handler()
    if verbose and handler is not None:
        handler.verbose = True
        handler.setLevel(logging.DEBUG)
    if file is not None:
        lines = logging.FileHandler(file, encoding="utf-8")
        lines.setFormatter(logging.Formatter(_FORM))
        library.addHandler(lines)
        context.call_on_close(lines.close)
        context.call_on_close(lambda: library.removeHandler(lines))
    if verbose or file is not None:
        before = library.level
        library.setLevel(logging.DEBUG if verbose else logging.INFO)
        context.call_on_close(lambda: library.setLevel(before))
        context.call_on_close(lambda: flush(PATIENCE))  # first: what closes last was added first
