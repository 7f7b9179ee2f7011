"""``store``: files and folders by C-STORE.

The one rule: each file ends in exactly one of the counts stored, warned, refused, unusable, left;
the exit code is 0 only if all are stored.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from leadtools_compat._nodes.client import Client, Context, Node, NodeError
from leadtools_compat._nodes.feed import Count, Feed, Pair
from leadtools_compat._nodes.files import Item, Problem
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.cli import exits
from leadtools_compat.cli.link import describe_link
from leadtools_compat.cli.options import json_option, node_options, tls_options
from leadtools_compat.cli.output import Output, plain

if TYPE_CHECKING:
    from typing_extensions import Self

EXAMPLES = """\b
Examples:
  leadtools-compat store pacs 104 image.dcm
  leadtools-compat store pacs 2762 /data/study --ca ca.pem --cert me.pem
  leadtools-compat store pacs 2762 *.dcm --ca ca.pem --json > result.json
"""
SHOWN = 20
"""Problems that are printed one by one; the rest is counted."""
COUNTING = 5.0
"""Seconds that counting what is left over may take at the end."""


@dataclass
class Tally:
    """The counts."""

    stored: int = 0
    warned: int = 0
    left: int = 0
    skipped: int = 0
    refused: int = 0
    unusable: int = 0
    size: int = 0
    handled: int = 0
    """Bytes of all files that have been dealt with."""
    problems: list[Problem] = field(default_factory=list)
    """With --json, all of them."""

    @property
    def done(self) -> int:
        """How many files the peer has."""
        return self.stored + self.warned

    @property
    def bad(self) -> int:
        """How many files were not stored for a reason."""
        return self.refused + self.unusable


@click.command(epilog=EXAMPLES)
@node_options
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@tls_options()
@json_option
def store(
    node: Node, tls: TlsOptions | None, out: Output, timeout: float, paths: tuple[Path, ...]
) -> int:
    """Send files, and the files in folders, to the node HOST PORT.

    Native transfer syntaxes are converted if the peer wants that; compressed files are sent as they
    are. What cannot be sent is told and counted, and the rest goes on. Files are looked at while
    others are sent; there may be any number of them.
    """
    tally = Tally()
    count = Count(paths)
    began = time.perf_counter()
    link: dict[str, Any] = {}
    failure: NodeError | None = None
    interrupted = False
    with _Bar(out, count, tally) as bar:

        def unusable(problem: Problem) -> None:
            tally.unusable += 1
            tally.handled += _size(problem.path)
            _note(out, tally, problem, tally.unusable)

        def skipped(path: Path) -> None:
            tally.skipped += 1
            tally.handled += _size(path)

        feed = Feed(paths, unusable, skipped)
        try:
            while contexts := feed.contexts():
                _send(feed, contexts, Client(node, tls, timeout), tally, out, bar, link)
        except NodeError as error:
            failure = error
        except KeyboardInterrupt:
            interrupted = True
    if failure is not None or interrupted:
        count.finish(COUNTING)
        tally.left = max(0, count.files - tally.done - tally.bad - tally.skipped)
    seconds = time.perf_counter() - began
    _report(out, node, tally, seconds, link, failure, interrupted)
    if interrupted:
        return exits.INTERRUPTED
    if failure is not None:
        return exits.exit_of(failure)
    return exits.NOT_ALL if tally.bad or not tally.done else exits.OK


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _note(out: Output, tally: Tally, problem: Problem, number: int) -> None:
    """Tell of a file that was not stored; `number`: of this kind."""
    if out.as_json:
        tally.problems.append(problem)
    elif number <= SHOWN:
        out.warn(f"{plain(problem.path)}: {plain(problem.text)}")
    elif number == SHOWN + 1:
        out.warn("more of these are only counted (--json lists all)")


class _Bar:
    """The progress bar, if there is a terminal; its end is known when all files have been counted."""

    def __init__(self, out: Output, count: Count, tally: Tally) -> None:
        self._count = count
        self._tally = tally
        self._bar: Progress | None = None
        if out.animated:
            self._bar = Progress(
                TextColumn("[bold]storing[/bold]"),
                BarColumn(),
                TransferSpeedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[files]}"),
                console=out.errors,
            )
            self._task = self._bar.add_task("store", total=None, files="looking at the files")

    def update(self) -> None:
        """Show where it stands."""
        if self._bar is None:
            return
        tally, count = self._tally, self._count
        total = max(count.size, tally.handled) if count.whole else None
        words = f"{tally.done} stored" + (f", {tally.bad} not" if tally.bad else "")
        self._bar.update(self._task, total=total, completed=tally.handled, files=words)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self.update()
            self._bar.stop()


def _send(
    feed: Feed,
    contexts: dict[Pair, tuple[str, ...]],
    client: Client,
    tally: Tally,
    out: Output,
    bar: _Bar,
    link: dict[str, Any],
) -> None:
    """Send over one association what it can carry."""
    numbers = {pair: 2 * index + 1 for index, pair in enumerate(contexts)}
    with client:
        client.open()
        link.update(describe_link(client))
        client.associate([Context(pair[0], syntaxes) for pair, syntaxes in contexts.items()])
        while (item := feed.take(numbers)) is not None:
            number = numbers[item.sop_class, item.syntax]
            problem = _store_one(client, number, item, tally, feed)
            tally.handled += item.size
            if problem is not None:
                tally.refused += 1
                _note(out, tally, problem, tally.refused)
            bar.update()
        client.release()


def _store_one(client: Client, number: int, item: Item, tally: Tally, feed: Feed) -> Problem | None:
    from pydicom.uid import UID

    if number not in client.accepted:
        words = f"{UID(item.sop_class).name} in {UID(item.syntax).name}"
        return Problem(item.path, f"the peer does not accept {words}")
    try:
        answer = client.store(number, item.sop_class, item.instance, item.path, feed.look_ahead)
    except NodeError as error:
        if error.reason != "local":
            raise
        return Problem(item.path, error.message)
    if not answer.good:
        return Problem(item.path, f"refused with status {answer.status}")
    tally.size += item.size
    if int(answer.status):
        tally.warned += 1
    else:
        tally.stored += 1
    return None


def _report(
    out: Output,
    node: Node,
    tally: Tally,
    seconds: float,
    link: dict[str, Any],
    failure: NodeError | None,
    interrupted: bool,
) -> None:
    done = tally.done
    counts = {
        "stored": done,
        "with_warning": tally.warned,
        "refused": tally.refused,
        "unusable": tally.unusable,
        "left": tally.left,
        "bytes": tally.size,
        "seconds": seconds,
    }
    problems = [{"file": str(p.path), "why": p.text} for p in tally.problems]
    if failure is not None and out.as_json:
        out.failed(f"store to {node}", failure, node=str(node), **counts, problems=problems)
        return
    if failure is not None:
        out.failed(f"store to {node}", failure)
    ok = failure is None and not interrupted and not tally.bad and done > 0
    words = [f"[bold]{done}[/bold] stored"]
    words += [f"{tally.warned} of them with a warning"] if tally.warned else []
    words += [f"[red]{tally.refused} refused[/red]"] if tally.refused else []
    words += [f"[yellow]{tally.unusable} unusable[/yellow]"] if tally.unusable else []
    words += [f"[yellow]{tally.left} not sent[/yellow]"] if tally.left else []
    rate = f"{tally.size / 1e6:.1f} MB in {seconds:.1f} s"
    if done and seconds:
        rate += f", {tally.size / 1e6 / seconds:.1f} MB/s, {done / seconds:.0f} files/s"
    if interrupted:
        out.note(
            "[yellow]interrupted[/yellow]; nothing needs cleaning up, run it again for the rest"
        )
    mark = "[green]ok[/green]" if ok else "[red]not all[/red]"
    out.say(f"{mark} {', '.join(words)} ({rate}; {plain(link.get('text', 'not connected'))})")
    out.result(
        {
            "ok": ok,
            "interrupted": interrupted,
            "node": str(node),
            "link": link,
            **counts,
            "problems": problems,
        }
    )
