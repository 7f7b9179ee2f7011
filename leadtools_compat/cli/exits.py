"""Exit codes of the command line: the same for every verb."""

from __future__ import annotations

from leadtools_compat._nodes.client import NodeError

__all__ = ["HELP", "exit_of"]

OK = 0
NOT_ALL = 1
USAGE = 2
CONNECT = 3
TLS = 4
ASSOCIATION = 5
LOCAL = 6
INTERRUPTED = 130

HELP = """\b
Exit codes:
    0  all is well
    1  something was refused, failed or found bad; the rest was done
    2  the command line is wrong
    3  the host cannot be reached, or refuses the connection
    4  TLS failed: the message says which certificate, and what to do
    5  the association was rejected or aborted, or the exchange broke
    6  a file of our own cannot be used: certificate, key, CA, folder
  130  ended by Ctrl-C
"""

_REASONS = {
    "local": LOCAL,
    "connect": CONNECT,
    "tls": TLS,
    "association": ASSOCIATION,
    "dimse": ASSOCIATION,
}


def exit_of(error: NodeError) -> int:
    """Give the exit code for a failure."""
    return _REASONS[error.reason]
