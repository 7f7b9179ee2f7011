"""``scp``: a storage node that keeps what it gets in a folder."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import click

from leadtools_compat._nodes.receiver import Events, Receiver
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.cli import exits
from leadtools_compat.cli.options import json_option, tls_options
from leadtools_compat.cli.output import Output, plain
from leadtools_compat.dicom import DicomFailure

EXAMPLES = """\b
Examples:
  leadtools-compat scp 11112 received
  leadtools-compat scp 2762 received --ca ca.pem --cert server.pem
  leadtools-compat scp 0 received --title ARCHIVE --json | tee log.jsonl

Ends with Ctrl-C or SIGTERM. With --json it prints one line of JSON for each event.
"""


@click.command(epilog=EXAMPLES)
@click.argument("port", type=click.IntRange(0, 65535))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--address", default="*", show_default=True, help="Own address; *: all.")
@click.option("--title", metavar="AE", help="Reject associations for another AE title.")
@click.option("--quiet", "-q", is_flag=True, help="Print no line for each object.")
@tls_options(server=True)
@json_option
def scp(
    port: int,
    folder: Path,
    tls: TlsOptions | None,
    out: Output,
    address: str,
    title: str | None,
    quiet: bool,
) -> int:
    """Listen on PORT (0: a free one) and keep what comes as UID.dcm in FOLDER.

    Success is answered when the object is whole on the disk. A file of the same name is replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"stored": 0, "refused": 0, "failed": 0}
    lock = threading.Lock()

    def count(what: str) -> None:
        with lock:
            counts[what] += 1

    def stored(path: Path, peer: str) -> None:
        count("stored")
        if not quiet:
            out.say(plain(path))
            out.line({"event": "stored", "file": str(path), "peer": peer})

    def refused(why: str, peer: str) -> None:
        count("refused")
        out.warn(f"{plain(peer)}: {plain(why)}")
        out.line({"event": "refused", "peer": peer, "why": why})

    def failed(peer: str, failure: DicomFailure) -> None:
        count("failed")
        out.warn(f"{plain(peer)}: {plain(failure)}")
        out.line({"event": "failed", "peer": peer, "failure": failure.as_dict()})

    began = time.monotonic()
    end = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: end.set())
    try:
        with Receiver(folder, tls, title, Events(stored, refused, failed=failed)) as server:
            number = server.start(address, port)
            how = "plain, not encrypted" if tls is None else "TLS"
            out.say(f"listening on port {number} ({how}), keeping in {plain(folder)}")
            out.line({"event": "listening", "port": number, "tls": tls is not None})
            try:
                end.wait()
            except KeyboardInterrupt:
                out.note("")
    finally:
        signal.signal(signal.SIGTERM, before)
    out.say(
        f"ended: {counts['stored']} stored, {counts['refused']} refused, {counts['failed']} failed"
    )
    out.line({"event": "ended", "seconds": time.monotonic() - began, **counts})
    return exits.OK
