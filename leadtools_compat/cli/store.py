"""``store``: files and folders by C-STORE.

The one rule: each file ends in exactly one of the counts stored, warned, refused, unusable, left;
the exit code is 0 only if all are stored.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from leadtools_compat._nodes.client import Client, Context, Node, NodeError
from leadtools_compat._nodes.files import Batch, Item, Problem, batches, find_files, look
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.cli import exits
from leadtools_compat.cli.link import describe_link
from leadtools_compat.cli.options import json_option, node_options, tls_options
from leadtools_compat.cli.output import Output, plain

EXAMPLES = """\b
Examples:
  leadtools-compat store pacs 104 image.dcm
  leadtools-compat store pacs 2762 /data/study --ca ca.pem --cert me.pem
  leadtools-compat store pacs 2762 *.dcm --ca ca.pem --json > result.json
"""
SHOWN = 20
"""Problems that are printed one by one; the rest is counted."""


@dataclass
class Tally:
    """The counts."""

    stored: int = 0
    warned: int = 0
    left: int = 0
    size: int = 0
    refused: list[Problem] = field(default_factory=list)
    unusable: list[Problem] = field(default_factory=list)

    @property
    def bad(self) -> int:
        """How many files were not stored for a reason."""
        return len(self.refused) + len(self.unusable)


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
    are. What cannot be sent is told and counted, and the rest goes on.
    """
    tally = Tally()
    items = _look_at(paths, tally, out)
    tally.left = len(items)
    began = time.perf_counter()
    link: dict[str, Any] = {}
    failure: NodeError | None = None
    interrupted = False
    bar = _bar(out)
    try:
        with bar if isinstance(bar, Progress) else nullcontext():
            for batch in batches(items):
                _send(batch, node, tls, timeout, tally, out, bar, link, sum(i.size for i in items))
    except NodeError as error:
        failure = error
    except KeyboardInterrupt:
        interrupted = True
    seconds = time.perf_counter() - began
    _report(out, node, tally, seconds, link, failure, interrupted)
    if interrupted:
        return exits.INTERRUPTED
    if failure is not None:
        return exits.exit_of(failure)
    return exits.NOT_ALL if tally.bad or not items else exits.OK


def _look_at(paths: Iterable[Path], tally: Tally, out: Output) -> list[Item]:
    items: list[Item] = []
    status: AbstractContextManager[object] = nullcontext()
    if out.animated:
        status = out.errors.status("looking at the files")
    with status:
        for found in find_files(paths):
            item = found if isinstance(found, Problem) else look(found)
            if isinstance(item, Problem):
                tally.unusable.append(item)
                _tell(out, item, len(tally.unusable))
            elif item is not None:
                items.append(item)
    return items


def _tell(out: Output, problem: Problem, number: int) -> None:
    if number <= SHOWN:
        out.warn(f"{plain(problem.path)}: {plain(problem.text)}")
    elif number == SHOWN + 1:
        out.warn("more of these are only counted (--json lists all)")


def _bar(out: Output) -> Progress | None:
    if not out.animated:
        return None
    return Progress(
        TextColumn("[bold]storing[/bold]"),
        BarColumn(),
        TransferSpeedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[files]}"),
        console=out.errors,
    )


def _send(
    batch: Batch,
    node: Node,
    tls: TlsOptions | None,
    timeout: float,
    tally: Tally,
    out: Output,
    bar: Progress | None,
    link: dict[str, Any],
    total: int,
) -> None:
    task = None
    if bar is not None:
        task = bar.task_ids[0] if bar.task_ids else bar.add_task("store", total=total, files="")
    by_pair = {(item.sop_class, item.syntax): item.syntaxes for item in batch.items}
    with Client(node, tls, timeout) as client:
        client.open()
        link.update(describe_link(client))
        client.associate([Context(pair[0], by_pair[pair]) for pair in batch.contexts])
        for item in batch.items:
            problem = _store_one(client, batch.contexts[item.sop_class, item.syntax], item, tally)
            tally.left -= 1
            if problem is not None:
                tally.refused.append(problem)
                _tell(out, problem, len(tally.refused))
            if bar is not None and task is not None:
                done = tally.stored + tally.warned
                bar.update(task, advance=item.size, files=f"{done} stored, {tally.bad} not")
        client.release()


def _store_one(client: Client, number: int, item: Item, tally: Tally) -> Problem | None:
    from pydicom.uid import UID

    if number not in client.accepted:
        words = f"{UID(item.sop_class).name} in {UID(item.syntax).name}"
        return Problem(item.path, f"the peer does not accept {words}")
    try:
        answer = client.store(number, item.sop_class, item.instance, item.path)
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
    done = tally.stored + tally.warned
    counts = {
        "stored": done,
        "with_warning": tally.warned,
        "refused": len(tally.refused),
        "unusable": len(tally.unusable),
        "left": tally.left,
        "bytes": tally.size,
        "seconds": seconds,
    }
    problems = [{"file": str(p.path), "why": p.text} for p in (*tally.unusable, *tally.refused)]
    if failure is not None and out.as_json:
        out.failed(f"store to {node}", failure, node=str(node), **counts, problems=problems)
        return
    if failure is not None:
        out.failed(f"store to {node}", failure)
    ok = failure is None and not interrupted and not tally.bad and done > 0
    words = [f"[bold]{done}[/bold] stored"]
    words += [f"{tally.warned} of them with a warning"] if tally.warned else []
    words += [f"[red]{len(tally.refused)} refused[/red]"] if tally.refused else []
    words += [f"[yellow]{len(tally.unusable)} unusable[/yellow]"] if tally.unusable else []
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
