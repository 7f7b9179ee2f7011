"""The command line ``leadtools-compat``, also ``python -m leadtools_compat``.

The one rule: it is thin; what a verb does is done in `leadtools_compat._nodes`,
`leadtools_compat.diagnose` and `leadtools_compat.testing`, and can be had there without it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]

NEEDED = ("click", "rich", "cryptography")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        In place of ``sys.argv[1:]``.

    Returns
    -------
    int
        The exit code; ``leadtools-compat --help`` lists them.
    """
    try:
        return _main(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:  # before a verb has begun, or after it has ended
        print("interrupted", file=sys.stderr)
        return 130


def _main(given: list[str]) -> int:
    if given[:1] == ["portcheck"]:  # it has an extra of its own, and its own options
        from leadtools_compat.portcheck import main as portcheck

        return portcheck(given[1:])
    try:
        for name in NEEDED:
            __import__(name)
    except ImportError as error:
        print(
            f"leadtools-compat: the command line needs the package {error.name!r}, which is not "
            "installed: pip install 'leadtools_compat[cli]'",
            file=sys.stderr,
        )
        return 2
    from leadtools_compat.cli.app import run

    return run(given)
