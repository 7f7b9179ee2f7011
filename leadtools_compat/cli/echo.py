"""``echo``: C-ECHO."""

from __future__ import annotations

import statistics
import time

import click

from leadtools_compat._nodes.client import VERIFICATION, Client, Context, Node, NodeError
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.cli import exits
from leadtools_compat.cli.link import describe_link
from leadtools_compat.cli.options import json_option, node_options, tls_options
from leadtools_compat.cli.output import Output, plain

EXAMPLES = """\b
Examples:
  leadtools-compat echo pacs.example.org 104
  leadtools-compat echo pacs.example.org 2762 --ca ca.pem --cert me.pem
  leadtools-compat echo pacs 11112 --called PACS --repeat 100 --json
"""


@click.command(epilog=EXAMPLES)
@node_options
@click.option(
    *("--repeat", "-n"),
    type=click.IntRange(1, 1_000_000),
    default=1,
    help="So many C-ECHOs in one association.",
)
@tls_options()
@json_option
def echo(node: Node, tls: TlsOptions | None, out: Output, timeout: float, repeat: int) -> int:
    """Ask the node HOST PORT for a sign of life: one association, one or more C-ECHOs."""
    times: list[float] = []
    try:
        with Client(node, tls, timeout) as client:
            began = time.perf_counter()
            client.open()
            linked = time.perf_counter() - began
            link = describe_link(client)
            client.associate([Context(VERIFICATION)])
            for _ in range(repeat):
                sent = time.perf_counter()
                answer = client.echo()
                times.append(time.perf_counter() - sent)
                if not answer.good:
                    raise NodeError(
                        f"the node answered C-ECHO with status {answer.status}", "dimse"
                    )
            client.release()
    except NodeError as error:
        out.failed(f"echo {node}", error, node=str(node), answered=len(times))
        return exits.exit_of(error)
    median = statistics.median(times)
    out.say(
        f"[green]ok[/green] {plain(node.called)} at {plain(node)} answers C-ECHO in "
        f"{median * 1000:.1f} ms ({plain(link['text'])}; connected in {linked * 1000:.0f} ms)"
    )
    if repeat > 1:
        out.say(f"   {repeat} C-ECHOs: {min(times) * 1000:.2f} to {max(times) * 1000:.2f} ms")
    out.result(
        {
            "ok": True,
            "node": str(node),
            "called": node.called,
            "link": link,
            "connected_s": linked,
            "echo_s": times,
        }
    )
    return exits.OK
