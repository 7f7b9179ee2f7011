"""``find``, ``move`` and ``get``: C-FIND, C-MOVE and C-GET.

The one rule: keys, levels and models mean the same in all three.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from leadtools_compat._nodes import queries
from leadtools_compat._nodes.client import Answer, Client, Context, Node, NodeError
from leadtools_compat._nodes.receiver import Events, Receiver, is_uid, keep_file
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.cli import exits
from leadtools_compat.cli.options import (
    existing,
    json_option,
    node_options,
    password_of,
    tls_options,
)
from leadtools_compat.cli.output import Output, plain
from leadtools_compat.dicom import DicomCommandStatusType, DicomDataSet

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from typing_extensions import Self

F = TypeVar("F", bound=Callable[..., Any])

KEYS = """\b
Keys are keywords or numbers, with * and ? and ranges as the peer knows them:
  -k "PatientName=DOE^*"   -k StudyDate=20240101-   -k 0010,0020=4711
Without =value a key is only asked for.
"""
FIND = f"""\b
Examples:
  leadtools-compat find pacs 104 -k "PatientName=DOE*"
  leadtools-compat find pacs 2762 --level series -k StudyInstanceUID=1.2.3 --ca ca.pem
  leadtools-compat find ris 104 --model worklist -k Modality=CT --json

{KEYS}"""
MOVE = f"""\b
Examples:
  leadtools-compat move pacs 104 --to WORKSTATION -k StudyInstanceUID=1.2.3
  leadtools-compat move pacs 2762 --to ME --receive-port 11113 -o here -k PatientID=4711 --ca ca.pem --cert me.pem

{KEYS}"""
GET = f"""\b
Examples:
  leadtools-compat get pacs 104 -o study -k StudyInstanceUID=1.2.3
  leadtools-compat get pacs 2762 -o here --level patient --model patient -k PatientID=4711 --ca ca.pem

{KEYS}"""


def query_options(function: F) -> F:
    """Add ``--level``, ``--model`` and ``-k``."""

    @click.option(
        *("--level", "-l"),
        type=click.Choice(queries.LEVELS),
        default="study",
        show_default=True,
        help="What one match is.",
    )
    @click.option(
        *("--model", "-m"),
        type=click.Choice(queries.MODELS),
        default="study",
        show_default=True,
        help="Study root, patient root, or modality worklist.",
    )
    @click.option(
        *("--match", "-k", "keys"), multiple=True, metavar="KEY[=VALUE]", help="May be repeated."
    )
    @functools.wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except ValueError as error:
            raise click.UsageError(str(error)) from error

    return cast(F, wrapped)


def _identifier(query: Dataset) -> DicomDataSet:
    return DicomDataSet.from_pydicom(query)


def _check(answer: Answer, what: str) -> None:
    if not answer.good:
        raise NodeError(
            f"the node ended the {what} with status {answer.status}",
            "dimse",
            remedy="The peer's log says why; check keys and level.",
        )


# ---- find


@click.command(epilog=FIND)
@node_options
@query_options
@click.option("--only", is_flag=True, help="Ask for the given keys only, not for the usual ones.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many matches (C-CANCEL).")
@tls_options()
@json_option
def find(
    node: Node,
    tls: TlsOptions | None,
    out: Output,
    timeout: float,
    level: queries.Level,
    model: queries.Model,
    keys: tuple[str, ...],
    only: bool,
    limit: int | None,
) -> int:
    """Search the node HOST PORT."""
    query = queries.build_query(model, level, keys, wanted=not only)
    abstract = queries.sop_class(model, "find")
    matches: list[Dataset] = []
    cancelled = False
    try:
        with Client(node, tls, timeout) as client, _identifier(query) as identifier:
            client.open().associate([Context(abstract)])
            for answer in client.find(abstract, identifier):
                if answer.data is not None and answer.pending:
                    if limit is None or len(matches) < limit:
                        matches.append(answer.data.to_pydicom())
                    if limit is not None and len(matches) >= limit and not cancelled:
                        client.cancel()
                        cancelled = True
                if not answer.pending and not cancelled:
                    _check(answer, "search")
            client.release()
    except NodeError as error:
        out.failed(f"find at {node}", error, node=str(node), matches=len(matches))
        return exits.exit_of(error)
    _show(out, [queries.row(match) for match in matches])
    out.result(
        {
            "ok": True,
            "node": str(node),
            "matches": [match.to_json_dict(suppress_invalid_tags=True) for match in matches],
        }
    )
    return exits.OK


def _show(out: Output, rows: list[dict[str, str]]) -> None:
    columns = list(
        dict.fromkeys(name for row in rows for name in row if any(r.get(name) for r in rows))
    )
    if not sys.stdout.isatty():  # for programs that cut lines
        if rows:
            out.raw("\t".join(columns))
        for row in rows:
            out.raw("\t".join(row.get(name, "").replace("\t", " ") for name in columns))
        out.note(f"{len(rows)} matches")
        return
    table = Table(header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(plain(row.get(name, "")) for name in columns))
    if rows:
        out.show(table)
    out.say(f"{len(rows)} matches")


# ---- progress of sub-operations


class _Counts:
    """Counts of C-MOVE and C-GET, with a bar on terminals."""

    def __init__(self, out: Output, what: str) -> None:
        self.last = Answer(DicomCommandStatusType.Success)
        self.bar: Progress | None = None
        if out.animated:
            self.bar = Progress(
                TextColumn(f"[bold]{what}[/bold]"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=out.errors,
            )
            self.task = self.bar.add_task(what, total=None)

    def __enter__(self) -> Self:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def take(self, answer: Answer) -> None:
        """Take a report."""
        self.last = answer
        done = answer.completed + answer.failed + answer.warning
        if self.bar is not None:
            self.bar.update(self.task, completed=done, total=done + answer.remaining)

    def as_dict(self) -> dict[str, int]:
        """Give the counts."""
        last = self.last
        return {"completed": last.completed, "failed": last.failed, "with_warning": last.warning}


def _end(out: Output, node: Node, what: str, counts: _Counts, files: list[str] | None) -> int:
    last = counts.last
    done = last.completed + last.warning
    good = last.good and not last.failed
    received = "" if files is None else f", {len(files)} received"
    mark = "[green]ok[/green]" if good else "[red]not all[/red]"
    failed = f", [red]{last.failed} failed[/red]" if last.failed else ""
    out.say(f"{mark} {done} {what}{failed}{received} (status {plain(last.status)})")
    document: dict[str, Any] = {"ok": good, "node": str(node), "status": str(last.status)}
    document |= counts.as_dict() | ({} if files is None else {"files": files})
    out.result(document)
    return exits.OK if good else exits.NOT_ALL


# ---- move


def _receiving(
    tls: TlsOptions | None, port: int | None, plain: bool, given: dict[str, str | None]
) -> TlsOptions | None:
    """Give the TLS settings of the receiving side: those of the connection, with what was given."""
    own, key, ca = (given[f"receive_{name}"] for name in ("cert", "key", "ca"))
    if port is None:
        if plain or own or key or ca:
            raise click.UsageError("the --receive options need --receive-port")
        return None
    if plain:
        if own or key or ca:
            raise click.UsageError("--receive-plain contradicts the other --receive options")
        return None
    if key and not own:
        raise click.UsageError("--receive-key needs --receive-cert: the certificate of that key")
    if tls is None and (own or ca):
        if not own or not ca:
            raise click.UsageError(
                "to receive with TLS from a plain node, both --receive-cert and --receive-ca are needed"
            )
        return TlsOptions(
            ca=ca, certificate=own, key=key, password=functools.partial(password_of, None, own)
        )
    if tls is None:
        return None
    if own is not None:
        tls = dataclasses.replace(
            tls, certificate=own, key=key, password=functools.partial(password_of, None, key or own)
        )
    if ca is not None:
        tls = dataclasses.replace(tls, ca=ca, verify=True)
    if tls.certificate is None:
        raise click.UsageError(
            "to receive with TLS, a certificate is needed: --cert or --receive-cert FILE "
            "(--receive-plain receives without TLS)"
        )
    return tls


@click.command(epilog=MOVE)
@node_options
@query_options
@click.option("--to", "destination", required=True, metavar="AE", help="AE title to send to.")
@click.option(
    "--receive-port",
    type=click.IntRange(0, 65535),
    help="Receive here, as that AE title, on this port; the peer must know it.",
)
@click.option(
    *("--output", "-o"),
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder for what is received.",
)
@click.option("--receive-plain", is_flag=True, help="Receive without TLS, whatever HOST speaks.")
@click.option(
    "--receive-cert",
    type=existing,
    metavar="FILE",
    help="Certificate of the receiving side, if that is not --cert; PEM, DER or PKCS #12.",
)
@click.option(
    "--receive-key", type=existing, metavar="FILE", help="Its key, if that is in another file."
)
@click.option(
    "--receive-ca",
    type=existing,
    metavar="FILE",
    help="Authorities that senders must come from, if those are not --ca.",
)
@tls_options()
@json_option
def move(
    node: Node,
    tls: TlsOptions | None,
    out: Output,
    timeout: float,
    level: queries.Level,
    model: queries.Model,
    keys: tuple[str, ...],
    destination: str,
    receive_port: int | None,
    output: Path,
    receive_plain: bool,
    **receive: str | None,
) -> int:
    """Have the node HOST PORT send what matches to another node, or to this computer.

    The receiving side speaks TLS as the connection to HOST does, with the same options, unless the
    --receive options say otherwise.
    """
    receiving = _receiving(tls, receive_port, receive_plain, receive)
    query = queries.build_query(model, level, keys, wanted=False)
    abstract = queries.sop_class(model, "move")
    files: list[str] | None = None
    with ExitStack() as stack:
        if receive_port is not None:
            files = []
            received = files
            output.mkdir(parents=True, exist_ok=True)
            told = Events(
                stored=lambda path, peer: received.append(str(path)),
                failed=lambda peer, failure: out.warn(f"{plain(peer)}: {plain(failure)}"),
            )
            server = stack.enter_context(Receiver(output, receiving, None, told))
            out.note(f"receiving on port {server.start('*', receive_port)}")
        counts = _Counts(out, "moving")
        try:
            client = stack.enter_context(Client(node, tls, timeout))
            identifier = stack.enter_context(_identifier(query))
            client.open().associate([Context(abstract)])
            with counts:
                for answer in client.move(abstract, destination, identifier):
                    counts.take(answer)
            client.release()
        except NodeError as error:
            out.failed(f"move at {node}", error, node=str(node), **counts.as_dict())
            return exits.exit_of(error)
    return _end(out, node, f"sent to {plain(destination)}", counts, files)


# ---- get


class _Getter(Client):
    """A client that writes what a C-GET brings."""

    def __init__(self, folder: Path, *arguments: Any) -> None:
        self.folder = folder
        self.files: list[str] = []
        self.problems: list[str] = []
        self._guard = threading.Lock()
        super().__init__(*arguments)

    def take(self, instance: str, data: DicomDataSet | None) -> DicomCommandStatusType:
        """Write one object."""
        kept = keep_file(self.folder, instance, data)
        with self._guard:
            if isinstance(kept, Path):
                self.files.append(str(kept))
                return DicomCommandStatusType.Success
            self.problems.append(kept)
        if not is_uid(instance) or data is None:
            return DicomCommandStatusType.InvalidObjectInstance
        return DicomCommandStatusType.RefusedOutOfResources


@click.command(epilog=GET)
@node_options
@query_options
@click.option(
    *("--output", "-o"),
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder; it is made if it is not there.",
)
@click.option(
    "--sop-class",
    "classes",
    multiple=True,
    metavar="UID",
    help="Storage classes to take in place of the 120 usual ones.",
)
@tls_options()
@json_option
def get(
    node: Node,
    tls: TlsOptions | None,
    out: Output,
    timeout: float,
    level: queries.Level,
    model: queries.Model,
    keys: tuple[str, ...],
    output: Path,
    classes: tuple[str, ...],
) -> int:
    """Fetch what matches from the node HOST PORT, over the same association."""
    query = queries.build_query(model, level, keys, wanted=False)
    contexts = queries.get_contexts(model, classes)
    abstract = queries.sop_class(model, "get")
    output.mkdir(parents=True, exist_ok=True)
    counts = _Counts(out, "getting")
    with ExitStack() as stack:
        try:
            client = stack.enter_context(_Getter(output, node, tls, timeout))
            identifier = stack.enter_context(_identifier(query))
            client.open().associate(contexts)
            with counts:
                for answer in client.get(abstract, identifier):
                    counts.take(answer)
            client.release()
        except NodeError as error:
            out.failed(f"get from {node}", error, node=str(node), **counts.as_dict())
            return exits.exit_of(error)
        for problem in client.problems:
            out.warn(plain(problem))
        return _end(out, node, "fetched", counts, client.files)
