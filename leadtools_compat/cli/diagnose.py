"""``diagnose``: the report about a peer, as tree, JSON or a page."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from leadtools_compat._nodes.client import Node
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.cli import exits
from leadtools_compat.cli.log import verb_tells_all
from leadtools_compat.cli.options import json_option, node_options, tls_options
from leadtools_compat.cli.output import Output, plain

EXAMPLES = """\b
Examples:
  leadtools-compat diagnose pacs 2762 --ca ca.pem --cert me.pem
  leadtools-compat diagnose pacs 2762 --ca ca.pem --html report.html
  leadtools-compat diagnose 10.0.0.7 2762 --ca ca.pem --host-name pacs.example.org --json
  leadtools-compat diagnose pacs 104 --plain

Exit code 0: no errors found (warnings may be); 1: errors found; 3, 4, 5: where it failed.
"""
_STAGES = {"resolve": exits.CONNECT, "tcp": exits.CONNECT, "tls": exits.TLS}
_STAGES |= {"certificate": exits.TLS}


@click.command(epilog=EXAMPLES)
@node_options
@click.option("--plain", "is_plain", is_flag=True, help="Look at a port without TLS.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write the report as one page that can be mailed.",
)
@click.option(
    "--quick", is_flag=True, help="One connection only; versions and suites are not probed."
)
@click.option("--no-dicom", is_flag=True, help="No association and no C-ECHO.")
@tls_options(always=True)
@json_option
def diagnose(
    node: Node,
    tls: TlsOptions | None,
    out: Output,
    timeout: float,
    is_plain: bool,
    html: Path | None,
    quick: bool,
    no_dicom: bool,
) -> int:
    """Find out what the peer HOST PORT can do in TLS and DICOM, and what is wrong.

    It makes one connection as any client does, and about 40 short ones with questions. Nothing but
    a C-ECHO is sent, and that only to a peer that is trusted.
    """
    if html is not None and not html.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {html.parent}", param_hint="--html")
    verb_tells_all()
    from leadtools_compat.diagnose import diagnose as run
    from leadtools_compat.diagnose.model import Level
    from leadtools_compat.diagnose.text import render

    status = out.errors.status("diagnosing") if out.animated else nullcontext()
    with status as spinner:

        def told(what: str) -> None:
            if spinner is not None:
                spinner.update(f"diagnosing: {plain(what)}")

        report = run(
            node.host,
            node.port,
            None if is_plain else tls,
            called=node.called,
            calling=node.calling,
            timeout=min(timeout, 10.0) if timeout == 30.0 else timeout,
            probes=not quick,
            dicom=not no_dicom,
            told=told,
        )
    out.show(render(report))
    out.result({"ok": report.level is not Level.error, **report.as_dict()})
    if html is not None:
        from leadtools_compat.diagnose.html import page

        html.write_text(page(report), "utf-8")
        out.note(f"written: {plain(html)}")
    if report.failure is not None:
        return _STAGES.get(report.failure["stage"], exits.ASSOCIATION)
    if not report.connection.connected:
        return exits.CONNECT
    return exits.NOT_ALL if report.level is Level.error else exits.OK
