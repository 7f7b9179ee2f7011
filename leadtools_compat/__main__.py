"""``python -m leadtools_compat``: the command line."""

from __future__ import annotations

import sys

from leadtools_compat.cli import main

if __name__ == "__main__":
    sys.exit(main())
