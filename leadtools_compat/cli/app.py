"""The group of verbs: loads the one that is asked for, and says what is wrong with a command line.

The one rule: whatever happens, a sentence and an exit code come out, never a traceback of ours for
what a user, a file or a peer did.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import io
import logging
import os
import sys
import warnings
from typing import Any

import click

from leadtools_compat import __version__
from leadtools_compat._binding.log import flush
from leadtools_compat._nodes.client import NodeError
from leadtools_compat.cli import exits
from leadtools_compat.cli.log import PATIENCE, LibraryLog
from leadtools_compat.cli.output import Output, json_text
from leadtools_compat.dicom import DicomException

__all__ = ["VERBS", "app", "run"]

VERBS = {
    "echo": ("echo", "Ask a node for a sign of life (C-ECHO)."),
    "store": ("store", "Send files and folders (C-STORE)."),
    "find": ("query", "Search a node (C-FIND)."),
    "move": ("query", "Have a node send objects to another one (C-MOVE)."),
    "get": ("query", "Fetch objects into a folder (C-GET)."),
    "scp": ("scp", "Receive into a folder."),
    "diagnose": ("diagnose", "Find out what a peer can do in TLS and DICOM, and what is wrong."),
    "cert": ("cert", "Show certificates, and whether a peer would accept them."),
    "pki": ("pki", "Make a test PKI, with good and bad certificates."),
    "ciphers": ("ciphers", "List the cipher suites."),
    "profiles": ("profiles", "List the named TLS profiles."),
    "portcheck": ("portcheck", "Look through C# and VB sources that are to be ported."),
}


class Verbs(click.Group):
    """Loads verbs when they are asked for; knows near misses."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the verbs in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"leadtools_compat.cli.{VERBS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without loading them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown verb with the nearest one."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            near = difflib.get_close_matches(name, VERBS, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(VERBS)}"
            raise click.UsageError(f"there is no verb {name!r}{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    epilog=exits.HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="leadtools-compat")
def app() -> None:
    """DICOM over TLS from the command line; each verb has --help with examples.

    With TLS, peers are verified: give the authorities you trust with --ca.
    """


def run(arguments: list[str]) -> int:
    """Run; gives the exit code."""
    _mend_streams()
    library = logging.getLogger("leadtools_compat")
    handler = LibraryLog(_output(arguments))
    library.addHandler(handler)
    try:
        with warnings.catch_warnings():
            # What pydicom thinks of foreign data sets; those that matter end in an error of a verb.
            warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
            return _run(arguments, handler)
    finally:
        flush(PATIENCE)
        library.removeHandler(handler)


def _forget_output() -> None:
    """Whoever read the output has seen enough: what is still in the buffer must not fail once more."""
    with contextlib.suppress(OSError, ValueError):  # no file, in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mend_streams() -> None:
    """Make outputs that are closed nothing; show characters that they have not by their numbers."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: list[str], log: LibraryLog) -> int:
    try:
        code = app.main(
            args=arguments, prog_name="leadtools-compat", standalone_mode=False, obj=log
        )
    except (click.Abort, KeyboardInterrupt):
        out = _output(arguments)
        out.note("interrupted")
        out.result({"ok": False, "interrupted": True})
        return exits.INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return exits.USAGE
    except click.ClickException as error:
        _show(error, arguments)
        return exits.USAGE
    except BrokenPipeError:
        _forget_output()
        return exits.NOT_ALL
    except NodeError as error:
        _output(arguments).failed(" ".join(arguments[:1]), error)
        return exits.exit_of(error)
    except DicomException as error:
        _output(arguments).failed(" ".join(arguments[:1]), NodeError.local(error))
        return exits.LOCAL
    except OSError as error:
        text = f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")
        with contextlib.suppress(OSError):  # perhaps it is the output that fails
            _output(arguments).failed(" ".join(arguments[:1]), NodeError(text, "local"))
        return exits.LOCAL
    return int(code) if isinstance(code, int) else exits.OK


def _output(arguments: list[str]) -> Output:
    return Output("--json" in arguments)


def _show(error: click.ClickException, arguments: list[str]) -> None:
    text = error.format_message()
    if "--json" in arguments:
        document: dict[str, Any] = {"ok": False, "error": {"reason": "usage", "message": text}}
        print(json_text(document, indent=2))
        return
    if isinstance(error, click.UsageError) and error.ctx is not None:
        print(error.ctx.get_usage(), file=sys.stderr)
        print(f"'{error.ctx.command_path} --help' tells more.", file=sys.stderr)
    print(f"error: {text}", file=sys.stderr)
