"""Every test here leaves nothing behind: no connection, no handshake, no net."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from leadtools_compat.testing import TestPki


_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test has failed: its traceback then keeps nets."""
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compare the library's numbers before and after the test."""
    from tests.robustness.robust_tools import statistics, until

    gc.collect()
    end = time.monotonic() + 6  # what an earlier test left lingers for 5 s at most
    while statistics()["connections"] and time.monotonic() < end:
        gc.collect()
    before = statistics()
    yield
    if request.node.stash.get(_failed, False):
        return
    names = ("nets", "connections", "handshakes")

    def back() -> bool:
        now = statistics()
        if all(now[name] <= before[name] for name in names):
            return True
        gc.collect()
        return False

    # Longer than the linger limit: a test may leave a peer that never closes.
    until(back, lambda: f"as before {before}: {statistics()} after {request.node.name}")


@pytest.fixture(scope="session")
def other_pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """A PKI that nobody of the first one trusts."""
    from leadtools_compat.testing import TestPki

    return TestPki(tmp_path_factory.mktemp("other"), seed="others", key="ec")
