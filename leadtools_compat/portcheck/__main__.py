"""``python -m leadtools_compat.portcheck``."""

from __future__ import annotations

import sys

from leadtools_compat.portcheck import main

sys.exit(main())
