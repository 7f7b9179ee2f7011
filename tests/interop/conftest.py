"""Fixtures of the tests with programs of others. None of them skips: tools/deps.sh installs what they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.interop.programs import Tunnels
from tests.interop.wires import ALL, Wire
from tests.support import Listener


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """One PKI with RSA keys: DCMTK's TLS profiles have no suites of TLS 1.2 for others."""
    return TestPki(tmp_path_factory.mktemp("pki"), key="rsa")


@pytest.fixture(params=ALL)
def link(
    request: pytest.FixtureRequest,
    pki: TestPki,
    nets: Callable[[Any], Any],
    listen: Callable[..., Listener],
) -> Wire:
    """Make our end: plain, TLS 1.2 and 1.3, with and without client certificate."""
    return Wire(request.param, pki, listen, nets)


@pytest.fixture
def plain(pki: TestPki, nets: Callable[[Any], Any], listen: Callable[..., Listener]) -> Wire:
    """Make our end, plain."""
    return Wire("plain", pki, listen, nets)


@pytest.fixture
def tunnels(link: Wire, pki: TestPki, tmp_path: Path) -> Iterator[Tunnels]:
    """Start stunnel where the kind of wire needs it."""
    with ExitStack() as stack:
        yield Tunnels(link.tls, pki, tmp_path, stack)
