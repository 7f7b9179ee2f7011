"""``portcheck`` in the list of verbs; `leadtools_compat.cli.main` hands over to its own parser."""

from __future__ import annotations

import click

from leadtools_compat.portcheck import main


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def portcheck(arguments: tuple[str, ...]) -> int:
    """Look through C# and VB sources that are to be ported."""
    return main(list(arguments))
