"""What verbs print: texts for people, or one JSON document; colours only on terminals.

The one rule: results go to the standard output, everything else to the standard error output.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leadtools_compat._nodes.client import NodeError
from leadtools_compat.dicom import DicomFailure
from leadtools_compat.dicom.dicom_failure import alert_name

__all__ = ["Output", "plain"]


def plain(text: object) -> str:
    """Make foreign text harmless: no control characters, no markup."""
    cleaned = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))
    return escape(cleaned)


class Output:
    """Where a verb prints to.

    Parameters
    ----------
    as_json
        One JSON document at the end in place of texts.
    """

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
        self.errors = Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())

    @property
    def animated(self) -> bool:
        """Whether a progress bar makes sense."""
        return self.errors.is_terminal and not self.as_json

    def say(self, text: str) -> None:
        """Print a line of the result, with rich's markup; nothing with ``--json``."""
        if not self.as_json:
            self.console.print(text)

    def show(self, renderable: Any) -> None:
        """Print a table, a tree …; nothing with ``--json``."""
        if not self.as_json:
            self.console.print(renderable)

    def warn(self, text: str) -> None:
        """Print a line beside the result."""
        if not self.as_json:
            self.errors.print(f"[yellow]{text}[/yellow]")

    def note(self, text: str) -> None:
        """Print a line about what goes on."""
        if not self.as_json:
            self.errors.print(text)

    def result(self, value: dict[str, Any]) -> None:
        """Print the JSON document; nothing without ``--json``."""
        if self.as_json:
            print(json.dumps(value, indent=2, ensure_ascii=False, default=str), flush=True)

    def line(self, value: dict[str, Any]) -> None:
        """Print one line of JSON, for verbs that go on for ever."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, default=str), flush=True)

    def failed(self, what: str, error: NodeError, **more: Any) -> None:
        """Print why it failed."""
        record = None if error.failure is None else error.failure.as_dict()
        self.result(
            {
                "ok": False,
                **more,
                "error": {"reason": error.reason, "message": str(error), "remedy": error.remedy},
                "failure": record,
            }
        )
        if self.as_json:
            return
        self.errors.print(f"[bold red]failed[/bold red] {what}: {plain(error)}")
        self.errors.print(_facts(error))

    def usage(self, text: str) -> None:
        """Print that the command line is wrong."""
        if self.as_json:
            self.result({"ok": False, "error": {"reason": "usage", "message": text}})
        else:
            self.errors.print(f"[bold red]error[/bold red] {plain(text)}")


def _facts(error: NodeError) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if error.failure is not None:
        for name, value in facts(error.failure):
            table.add_row(f"  {name}", plain(value))
    if error.remedy:
        table.add_row("  remedy", f"[bold]{plain(error.remedy)}[/bold]")
    return table


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
