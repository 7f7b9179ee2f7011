"""``store``: files and folders by C-STORE.

The one rule: each file ends in exactly one of the counts stored, warned, refused, unusable, left;
the exit code is 0 only if all are stored.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
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
from leadtools_compat.dicom import DicomException

if TYPE_CHECKING:
    from typing_extensions import Self

EXAMPLES = """\b
Examples:
  leadtools-compat store pacs 104 image.dcm
  leadtools-compat store pacs 2762 /data/study --ca ca.pem --cert me.pem
  leadtools-compat store pacs 2762 /data --ca ca.pem --cert me.pem --parallel 4
  leadtools-compat store pacs 2762 *.dcm --ca ca.pem --json > result.json
"""
SHOWN = 20
"""Problems that are printed one by one; the rest is counted."""
WIDE = 80
"""Columns below which the progress bar is short, and without its rate."""
GOODBYE = 2.0
"""Seconds that associations side by side have for the file in hand, after Ctrl-C."""
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
@click.option(
    "--parallel",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    metavar="N",
    help="So many associations at the same time; the peer may limit them.",
)
@tls_options()
@json_option
def store(
    node: Node,
    tls: TlsOptions | None,
    out: Output,
    timeout: float,
    parallel: int,
    paths: tuple[Path, ...],
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
    failures: list[NodeError] = []
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
        sending = _Sending(lambda: Client(node, tls, timeout), feed, tally, out, bar, link)
        try:
            if parallel == 1:
                sending.all_of()
            else:
                sending.side_by_side(parallel)
        except NodeError as error:
            failures.append(error)
        except KeyboardInterrupt:
            interrupted = True
        failures += sending.failures
    if failures or interrupted:
        count.finish(COUNTING)
        known = count.files - tally.done - tally.bad - tally.skipped
        # The count may be slow, or have passed a folder before a file came into it.
        tally.left = max(known, sending.in_hand + feed.waiting)
    failure = failures[0] if failures and (tally.left or not tally.done) else None
    for one in failures if failure is None else failures[1:]:
        out.warn(f"one of {parallel} associations failed: {plain(one)}")
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
            wide = out.errors.width >= WIDE
            rate = (TransferSpeedColumn(),) if wide else ()
            self._bar = Progress(
                *(TextColumn("[bold]storing[/bold]"), BarColumn(40 if wide else 8), *rate),
                *(TextColumn("left"), TimeRemainingColumn(compact=not wide)),
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


class _Sending:
    """Sends what the feed gives, over one association after the other, or several side by side."""

    def __init__(
        self,
        connect: Callable[[], Client],
        feed: Feed,
        tally: Tally,
        out: Output,
        bar: _Bar,
        link: dict[str, Any],
    ) -> None:
        self._connect = connect
        self._feed = feed
        self._tally = tally
        self._out = out
        self._bar = bar
        self._link = link
        self._lock = threading.Lock()
        self._ended = threading.Condition()
        self._running = 0
        self._open: set[Client] = set()
        self._broken: Exception | None = None
        self.in_hand = 0
        """Files that have been taken and that end in no count yet; in the end, those that were lost."""
        self.failures: list[NodeError] = []

    def all_of(self) -> None:
        """Send all on this thread."""
        while contexts := self._feed.contexts():
            self._send(contexts)

    def side_by_side(self, count: int) -> None:
        """Send all over so many associations; those that fail leave the rest to the others."""
        self._running = count
        try:
            for number in range(count):
                threading.Thread(target=self._worker, name=f"store {number}", daemon=True).start()
            self._wait(None)
        except KeyboardInterrupt:
            self._end()
            raise
        if self._broken is not None:
            raise self._broken

    def _wait(self, seconds: float | None) -> None:
        """Wait for the workers: not with `join`, which Ctrl-C makes believe that they have ended."""
        with self._ended:
            self._ended.wait_for(lambda: self._running == 0, seconds)

    def _worker(self) -> None:
        try:
            self.all_of()
        except NodeError as error:
            with self._lock:
                self.failures.append(error)
        except Exception as error:  # noqa: BLE001 - raised where it is seen
            self._broken = error
        finally:
            with self._ended:
                self._running -= 1
                self._ended.notify_all()

    def _end(self) -> None:
        """Let each finish its file; then end what does not."""
        self._feed.stop()
        self._wait(GOODBYE)
        with self._lock:
            late = list(self._open)
        for client in late:
            with suppress(DicomException):
                client.CloseForced(False)
        self._wait(GOODBYE)
        self.failures.clear()  # of our own making

    def _send(self, contexts: dict[Pair, tuple[str, ...]]) -> None:
        """Send over one association what it can carry."""
        numbers = {pair: 2 * index + 1 for index, pair in enumerate(contexts)}
        with self._connect() as client:
            with self._lock:
                self._open.add(client)
            try:
                client.open()
                self._link.update(describe_link(client))
                proposed = [Context(pair[0], syntaxes) for pair, syntaxes in contexts.items()]
                client.associate(proposed)
                while (item := self._feed.take(numbers)) is not None:
                    with self._lock:
                        self.in_hand += 1
                    number = numbers[item.sop_class, item.syntax]
                    self._count(item, _store_one(client, number, item, self._feed))
                client.release()
            finally:
                with self._lock:
                    self._open.discard(client)

    def _count(self, item: Item, result: Problem | bool) -> None:
        tally = self._tally
        with self._lock:
            self.in_hand -= 1
            tally.handled += item.size
            if isinstance(result, Problem):
                tally.refused += 1
                _note(self._out, tally, result, tally.refused)
            else:
                tally.size += item.size
                tally.stored += result
                tally.warned += not result
            self._bar.update()


def _store_one(client: Client, number: int, item: Item, feed: Feed) -> Problem | bool:
    """Send a file; True: stored, False: stored with a warning."""
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
    return int(answer.status) == 0


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
