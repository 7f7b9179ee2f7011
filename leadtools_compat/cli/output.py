"""What verbs print: texts for people, or one JSON document; colours only on terminals.

The one rule: results go to the standard output, everything else to the standard error output.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape

from leadtools_compat._nodes.client import NodeError
from leadtools_compat._nodes.words import OPTIONS
from leadtools_compat.dicom import DicomFailure
from leadtools_compat.dicom.dicom_failure import alert_name

__all__ = ["Output", "facts", "harmless", "json_text", "plain"]

_NO_TERMINAL = 100_000
_LINES = threading.Lock()


def harmless(text: str) -> str:
    """Make control characters visible, but tabs."""
    return "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in text)


def plain(text: object) -> str:
    """Make foreign text harmless: no control characters, no markup."""
    return escape(harmless(str(text)).replace("\t", "\\t"))


def json_text(value: object, indent: int | None = None) -> str:
    """Write JSON that the standard output can take.

    Names of files may have bytes that are no text: Python's lone surrogates; JSON escapes them alike.
    """
    only_ascii = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    text = json.dumps(value, indent=indent, ensure_ascii=only_ascii, default=str)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _width(stream: TextIO) -> int | None:
    """Lines are not broken for programs that read them; None: as wide as the terminal."""
    return None if stream.isatty() else _NO_TERMINAL


class _Console(Console):
    """One that leaves a reader who has gone to us; rich would end the program."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Output:
    """Where a verb prints to.

    Parameters
    ----------
    as_json
        One JSON document at the end in place of texts.
    """

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self.lasts = False
        self._gone = False
        self.console = _Console(highlight=False, width=_width(sys.stdout))
        self.errors = _Console(stderr=True, highlight=False, width=_width(sys.stderr))

    @property
    def animated(self) -> bool:
        """Whether a progress bar makes sense."""
        return self.errors.is_terminal and not self.as_json

    @contextmanager
    def _lasting(self) -> Iterator[None]:
        """Let a verb that `lasts` go on when nobody reads its output any more; that is said once."""
        try:
            yield
        except OSError as error:
            if not self.lasts:
                raise
            with suppress(OSError):
                if not self._gone:
                    self._gone = True
                    self.errors.print(f"nothing more is printed: {error.strerror}")

    def say(self, text: str) -> None:
        """Print a line of the result, with rich's markup; nothing with ``--json``."""
        if not self.as_json:
            with self._lasting():
                self.console.print(text)

    def raw(self, text: str) -> None:
        """Print a line for programs: no markup, tabs stay tabs; nothing with ``--json``."""
        if not self.as_json:
            print(harmless(text))

    def show(self, renderable: Any) -> None:
        """Print a table, a tree …; nothing with ``--json``."""
        if not self.as_json:
            self.console.print(renderable)

    def warn(self, text: str) -> None:
        """Print a line beside the result."""
        if not self.as_json:
            with self._lasting():
                self.errors.print(f"[yellow]{text}[/yellow]")

    def note(self, text: str) -> None:
        """Print a line about what goes on."""
        if not self.as_json:
            self.errors.print(text)

    def result(self, value: dict[str, Any]) -> None:
        """Print the JSON document; nothing without ``--json``."""
        if self.as_json:
            print(json_text(value, indent=2), flush=True)

    def line(self, value: dict[str, Any]) -> None:
        """Print one line of JSON, for verbs that go on for ever."""
        if self.as_json:
            text = json_text(value)
            with self._lasting(), _LINES:  # from several threads, and never mixed up
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()

    def failed(self, what: str, error: NodeError, **more: Any) -> None:
        """Print why it failed."""
        record = None if error.failure is None else error.failure.as_dict()
        self.result(
            {
                "ok": False,
                **more,
                "error": {"reason": error.reason, "message": error.message, "remedy": error.remedy},
                "failure": record,
            }
        )
        if self.as_json:
            return
        self.errors.print(f"[bold red]failed[/bold red] {what}: {plain(error.message)}")
        for name, value in facts(error.failure) if error.failure is not None else ():
            self.errors.print(f"  [dim]{name:<14}[/dim] {plain(value)}")
        if error.remedy:
            self.errors.print(f"  [dim]{'remedy':<14}[/dim] [bold]{plain(error.remedy)}[/bold]")
        option = None if error.code is None else OPTIONS.get(error.code)
        if option is not None:
            self.errors.print(f"  [dim]{'here':<14}[/dim] {option}")

    def usage(self, text: str) -> None:
        """Print that the command line is wrong."""
        if self.as_json:
            self.result({"ok": False, "error": {"reason": "usage", "message": text}})
        else:
            self.errors.print(f"[bold red]error[/bold red] {plain(text)}")


def facts(failure: DicomFailure) -> list[tuple[str, str]]:
    """Give the lines of a failure record, but message and remedy."""
    who = "by us" if failure.side == "local" else "by the peer"
    rows = [("stage", f"{failure.stage}, {who}"), ("code", f"{failure.code} ({int(failure.code)})")]
    if failure.certificate_subject:
        depth = failure.certificate_depth
        where = "" if depth is None else f"depth {depth}: "
        rows.append(("certificate", where + failure.certificate_subject))
    if failure.certificate_code:
        rows.append(("finding", str(failure.certificate_code)))
    for name, alert in (
        ("alert sent", failure.alert_sent),
        ("alert received", failure.alert_received),
    ):
        if alert is not None:
            rows.append((name, f"{alert_name(alert)} ({alert})"))
    if failure.openssl is not None and failure.openssl[1]:
        rows.append(("OpenSSL", failure.openssl[1]))
    rows.append(("after", f"{failure.elapsed:.3f} s"))
    return rows
