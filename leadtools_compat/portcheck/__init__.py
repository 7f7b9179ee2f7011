"""Checks C# and Visual Basic sources: which members of LEADTOOLS do they use, and are those here?

    python -m leadtools_compat portcheck PATH...

`main` is the command; `check` gives the same as objects. tree-sitter reads the sources: the extra
``port`` has it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from leadtools_compat.portcheck.check import MissingGrammarError, check
from leadtools_compat.portcheck.model import Finding, Hint, Report, Status, Unread
from leadtools_compat.portcheck.report import as_json, as_text

__all__ = [
    "Finding",
    "Hint",
    "MissingGrammarError",
    "Report",
    "Status",
    "Unread",
    "as_json",
    "as_text",
    "check",
    "main",
]


EXAMPLES = """Examples:
  leadtools-compat portcheck Viewer/
  leadtools-compat portcheck Store.cs Query.vb --brief
  leadtools-compat portcheck Viewer/ --json --fail-under 90
"""


def _percent(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not in 0..100")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0; 1: less than ``--fail-under``; 2: nothing could be read, or the extra is missing.
    """
    parser = argparse.ArgumentParser(
        prog="python -m leadtools_compat portcheck",
        description="Lists the members of LEADTOOLS DICOM that C# and VB sources use: done, differs "
        "or absent here.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", nargs="+", help="source files, or folders of them")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--brief", action="store_true", help="only what differs or is absent")
    parser.add_argument(
        "--fail-under", type=_percent, default=0, metavar="PERCENT", help="exit 1 if there is less"
    )
    options = parser.parse_args(argv)
    try:
        report = check(options.path)
    except MissingGrammarError as error:
        print(error, file=sys.stderr)
        return 2
    print(as_json(report) if options.json else as_text(report, options.brief))
    if report.files == 0:
        print("no C# or Visual Basic source was read", file=sys.stderr)
        return 2
    return 1 if report.percentage() < options.fail_under else 0
