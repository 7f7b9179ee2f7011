"""All kinds in one table.

The one rule: a name is there once; tests check it. OpenSSL 3.0.22 and 3.5.9 were asked and agree about every kind;
where a version is known to differ, the kind's note says so.
"""

from __future__ import annotations

import difflib

from leadtools_compat.testing import (
    kinds_broken,
    kinds_names,
    kinds_purpose,
    kinds_strength,
    kinds_trust,
)
from leadtools_compat.testing.model import Kind

REGISTERS = (
    kinds_trust.KINDS,
    kinds_purpose.KINDS,
    kinds_strength.KINDS,
    kinds_names.KINDS,
    kinds_broken.KINDS,
)
KINDS: dict[str, Kind] = {name: kind for register in REGISTERS for name, kind in register.items()}


def find(name: str) -> Kind:
    """Return the kind of that name.

    Raises
    ------
    ValueError
        If there is none; the text names the nearest ones.
    """
    if name in KINDS:
        return KINDS[name]
    near = difflib.get_close_matches(name, KINDS, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "TestPki.kinds() lists all of them"
    raise ValueError(f"there is no kind of identity {name!r}; {hint}")
