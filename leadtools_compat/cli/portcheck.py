"""``portcheck``: hands over to `leadtools_compat.portcheck`, where it is installed."""

from __future__ import annotations

import importlib
from typing import Any

import click

from leadtools_compat.cli import exits


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def portcheck(arguments: tuple[str, ...]) -> int:
    """Look through C# and VB sources that are to be ported."""
    try:
        checker: Any = importlib.import_module("leadtools_compat.portcheck")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.startswith("leadtools_compat.portcheck"):
            raise click.UsageError("this installation has no portcheck") from error
        raise click.UsageError(
            f"portcheck needs the package {missing!r}: pip install 'leadtools_compat[port]'"
        ) from error
    result = checker.main(list(arguments))
    return int(result) if isinstance(result, int) else exits.OK
