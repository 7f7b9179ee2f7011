"""What the tests of trust share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.tls.tls_tools import (
    SIDES,
    VERSIONS,
    calls_of,
)

Nets = Callable[[Any], Any]

at_either_side = pytest.mark.parametrize("side", SIDES)
in_both_versions = pytest.mark.parametrize("version", VERSIONS)

GOOD = [(1, "Success")] * 3


def codes_of(net: Any) -> list[tuple[int, str]]:
    """Give `ok` and code of each call of OnVerify."""
    return [(call.ok, call.code) for call in calls_of(net)]
