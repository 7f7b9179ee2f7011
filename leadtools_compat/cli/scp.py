"""``scp``: a storage node that keeps what it gets in a folder."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import click

from leadtools_compat._nodes.receiver import Events, Receiver
from leadtools_compat._nodes.tls import TlsOptions, is_uri
from leadtools_compat.cli import exits
from leadtools_compat.cli.log import verb_serves
from leadtools_compat.cli.options import json_option, tls_options
from leadtools_compat.cli.output import Output, plain
from leadtools_compat.dicom import DicomException, DicomFailure
from leadtools_compat.monitor.expiry import Ending, ExpiryWatch

if TYPE_CHECKING:
    from leadtools_compat.monitor.metrics import Metrics

EXAMPLES = """\b
Examples:
  leadtools-compat scp 11112 received
  leadtools-compat scp 2762 received --ca ca.pem --cert server.pem
  leadtools-compat scp 0 received --title ARCHIVE --json | tee log.jsonl

Ends with Ctrl-C or SIGTERM. SIGHUP reads certificates, keys, --ca, --crl, --crl-dir and staples
anew: the next connections use them, open ones live on, and what cannot be used is said and changes
nothing. With --json it prints one line of JSON for each event.
"""
WRITE_EVERY = 15.0


@click.command(epilog=EXAMPLES)
@click.argument("port", type=click.IntRange(0, 65535))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--address", default="*", show_default=True, help="Own address; *: all.")
@click.option(
    "--trusted-proxy",
    "proxies",
    multiple=True,
    metavar="NETWORK",
    help="Address or network of a load balancer that sends a PROXY header; repeatable.",
)
@click.option(
    "--reuse-port", is_flag=True, help="Share the port with other processes that have this, too."
)
@click.option("--title", metavar="AE", help="Reject associations for another AE title.")
@click.option(
    "--metrics",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Numbers for Prometheus over HTTP on this port of 127.0.0.1 (0: a free one).",
)
@click.option(
    "--metrics-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The same as a text file, for node_exporter; written every 15 seconds and at the end.",
)
@click.option(
    "--handshakes",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="So many unfinished TLS handshakes of one address (else 128, of this computer any): the "
    "oldest goes.",
)
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
    metrics: int | None,
    metrics_file: Path | None,
    proxies: tuple[str, ...],
    reuse_port: bool,
    handshakes: int | None,
) -> int:
    """Listen on PORT (0: a free one) and keep what comes as UID.dcm in FOLDER.

    Success is answered when the object is whole on the disk. A file of the same name is replaced.
    Warnings come 30, 7 and 1 days before a certificate of --cert or --ca ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    out.lasts = True
    counts = {"stored": 0, "refused": 0, "failed": 0}
    lock = threading.Lock()
    watched = [] if tls is None else _files(tls)
    verb_serves()
    watch = ExpiryWatch([str(file) for file in watched], lambda ending: _ending(out, ending))
    numbers = _metrics(watch) if metrics is not None or metrics_file is not None else None

    def count(what: str) -> None:
        with lock:
            counts[what] += 1

    def stored(path: Path, peer: str) -> None:
        count("stored")
        if numbers is not None:
            numbers.stored(path.stat().st_size)
        if not quiet:
            out.say(plain(path))
            out.line({"event": "stored", "file": str(path), "peer": peer})

    def refused(why: str, peer: str) -> None:
        count("refused")
        if numbers is not None:
            numbers.refused()
        out.warn(f"{plain(peer)}: {plain(why)}")
        out.line({"event": "refused", "peer": peer, "why": why})

    def failed(peer: str, failure: DicomFailure) -> None:
        count("failed")
        if numbers is not None:
            numbers.failed(failure)
        # In words it is in the log, which shows at most so many lines of a kind.
        out.line({"event": "failed", "peer": peer, "failure": failure.as_dict()})

    def associated(calling: str, peer: str) -> None:
        if numbers is not None:
            numbers.associated()

    began = time.monotonic()
    # Handlers run in this thread, perhaps inside of get(): SimpleQueue is made for that.
    signals: SimpleQueue[int] = SimpleQueue()
    before = {
        number: signal.signal(number, lambda number, frame: signals.put(number))
        for number in (signal.SIGTERM, *([signal.SIGHUP] if tls is not None else []))
    }
    try:
        with ExitStack() as stack:
            told = Events(stored, refused, associated, failed)
            server = stack.enter_context(Receiver(folder, tls, title, told))
            server.trusted_proxies, server.reuse_port = proxies, reuse_port
            if handshakes is not None:
                server.limits["handshakes_per_address"] = handshakes
            number = server.start(address, port)
            if watched:
                stack.enter_context(watch)
            how = "plain, not encrypted" if tls is None else "TLS"
            out.say(f"listening on port {number} ({how}), keeping in {plain(folder)}")
            out.line({"event": "listening", "port": number, "tls": tls is not None})
            _publish(stack, out, numbers, metrics, metrics_file)
            try:
                while signals.get() == signal.SIGHUP:
                    _reload(server, out)
            except KeyboardInterrupt:
                out.note("")
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
    out.say(
        f"ended: {counts['stored']} stored, {counts['refused']} refused, {counts['failed']} failed"
    )
    out.line({"event": "ended", "seconds": time.monotonic() - began, **counts})
    return exits.OK


def _files(tls: TlsOptions) -> list[str | bytes]:
    """List the files with certificates that may end."""
    more = (*tls.demands.certificates, *tls.demands.ca_files)
    files = (tls.certificate, tls.ca, *more)
    return [file for file in files if file and not (isinstance(file, str) and is_uri(file))]


def _reload(server: Receiver, out: Output) -> None:
    """Read certificates and lists anew; say how it went."""
    try:
        server.reload_tls()
    except DicomException as error:
        out.warn(f"not reloaded, what was there before stays in force: {plain(error)}")
        out.line({"event": "reloaded", "error": str(error)})
    else:
        out.say("certificates and lists have been reloaded")
        out.line({"event": "reloaded", "error": None})


def _ending(out: Output, ending: Ending) -> None:
    out.warn(plain(ending))
    out.line(
        {
            "event": "ending",
            "file": str(ending.file),
            "subject": ending.subject,
            "ends": ending.ends,
            "days_left": ending.days_left,
        }
    )


def _metrics(watch: ExpiryWatch) -> Metrics:
    try:
        from leadtools_compat.monitor.metrics import Metrics
    except ImportError as error:
        raise click.UsageError(str(error)) from error
    return Metrics(watch)


def _publish(
    stack: ExitStack, out: Output, numbers: Metrics | None, port: int | None, file: Path | None
) -> None:
    """Serve the numbers, and write them now and then, until the stack ends."""
    if numbers is None:
        return
    if port is not None:
        taken, server = numbers.serve(port)
        stack.callback(server.close)
        out.say(f"numbers for Prometheus: http://127.0.0.1:{taken}/metrics")
        out.line({"event": "metrics", "port": taken})
    if file is not None:
        numbers.write(file)
        stop = threading.Event()

        def write() -> None:
            while not stop.wait(WRITE_EVERY):
                numbers.write(file)

        thread = threading.Thread(target=write, name="metrics file", daemon=True)
        thread.start()
        stack.callback(numbers.write, file)
        stack.callback(thread.join)
        stack.callback(stop.set)
