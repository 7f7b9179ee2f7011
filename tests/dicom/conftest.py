"""Fixtures of associations: two kinds of links, two ways of delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from leadtools_compat.dicom import DicomAssociate
from leadtools_compat.testing import TestPki
from tests.dicom.associates import full_request
from tests.dicom.nodes import Link, pumping
from tests.support import Listener


@pytest.fixture(params=["worker", "pumped"])
def delivery(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test with callbacks on worker threads, then with a thread that pumps them."""
    if request.param == "worker":
        yield "worker"
        return
    request.getfixturevalue("pumped")
    with pumping():
        yield "pumped"


@pytest.fixture(params=["plain", "tls"])
def link(
    request: pytest.FixtureRequest,
    pki: TestPki,
    nets: Callable[[Any], Any],
    listen: Callable[..., Listener],
) -> Link:
    """Make the ends of an association, plain and with TLS."""
    return Link(request.param, pki, listen, nets)


@pytest.fixture
def plain(pki: TestPki, nets: Callable[[Any], Any], listen: Callable[..., Listener]) -> Link:
    """Make the ends of an association, plain."""
    return Link("plain", pki, listen, nets)


@pytest.fixture
def request_() -> Iterator[DicomAssociate]:
    """A request with something in every member."""
    yield from full_request()
