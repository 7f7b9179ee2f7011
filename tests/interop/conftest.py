"""Fixtures of the tests with programs of others. None of them skips: tools/deps.sh installs what they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite(
    "tests.interop.archive", "tests.interop.programs", "tests.interop.wires"
)

from leadtools_compat.testing import TestPki  # noqa: E402
from tests.interop.programs import Tunnels  # noqa: E402
from tests.interop.wires import ALL, Wire  # noqa: E402
from tests.support import Listener  # noqa: E402


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
