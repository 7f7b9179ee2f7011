"""Fixtures for all tests.

Two rules. No sleeps: tests wait for events, at most `support.PATIENCE` seconds. Nothing is
swallowed: an exception that goes to ``sys.unraisablehook`` fails the test, unless the test says
that it expects it.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # for "from tests.support import ..."

# Before anybody imports them: tests of other folders use them, too.
pytest.register_assert_rewrite(
    "tests.dicom.associates",
    "tests.interop.archive",
    "tests.interop.programs",
    "tests.interop.wires",
    "tests.robustness.strangers",
)

if TYPE_CHECKING:
    from leadtools_compat.dicom import DicomNet
    from leadtools_compat.testing import TestPki
    from tests.support import Listener

N = TypeVar("N", bound="DicomNet")

SANITIZED = (
    "binding/",
    "dicom/test_association",
    "dicom/test_calls",
    "dicom/test_dicom_associate",
    "dicom/test_dicom_data_set",
    "dicom/test_dicom_net",
    "dicom/test_lifetime",
    "dicom/test_messages",
    "dicom/test_proxy_protocol",
    "dicom/test_receiving",
    "dicom/test_state_table_driven",
    "dicom/test_stubborn_peers",
    "dicom/test_window",
    "robustness/test_reentry",
    "robustness/test_strange_",
    "robustness/test_threads",
    "tls/test_certificate_text",
    "tls/test_key_files",
    "tls/test_keylog",
    "tls/test_pkits",
    "tls/test_policies",
    "tls/test_pins",
    "tls/test_server_names",
    "tls/test_trust_",
)
"""What runs under the sanitizers too: where memory is made, shared and freed."""


def pytest_configure() -> None:
    """Hear SIGINT, which a shell's job in the background ignores, and with it all programs of tests."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make sanitize` takes."""
    for item in items:
        if item.path.relative_to(ROOT / "tests").as_posix().startswith(SANITIZED):
            item.add_marker(pytest.mark.sanitize)


def pytest_collection_finish() -> None:
    """Take what stays for the whole run out of the way of the many collections that tests ask for."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """One PKI for the run: root, intermediate, good identities; `make` gives the bad ones."""
    from leadtools_compat.testing import TestPki

    return TestPki(tmp_path_factory.mktemp("pki"), seed="tests", key="ec")


class Unraisable:
    """Exceptions that went to ``sys.unraisablehook`` during a test."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._seen: list[tuple[BaseException, str]] = []

    def hook(self, arguments: Any) -> None:
        error = arguments.exc_value if arguments.exc_value is not None else arguments.exc_type()
        with self._changed:
            self._seen.append((error, repr(arguments.object)))
            self._changed.notify_all()

    def expect(self, kind: type[BaseException], where: str = "") -> BaseException:
        """Wait for an exception of `kind`, take it off the list and return it."""
        from tests.support import PATIENCE

        def found() -> tuple[BaseException, str] | None:
            for one in self._seen:
                if isinstance(one[0], kind) and where in one[1]:
                    return one
            return None

        with self._changed:
            if not self._changed.wait_for(found, PATIENCE):
                pytest.fail(f"no {kind.__name__} went to sys.unraisablehook; seen: {self._seen}")
            one = found()
            assert one is not None
            self._seen.remove(one)
            return one[0]

    def rest(self) -> list[str]:
        with self._changed:
            return [f"{type(error).__name__}: {error} in {where}" for error, where in self._seen]


@pytest.fixture(autouse=True)
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Unraisable]:
    """Fail the test if an exception was swallowed that it did not expect."""
    record = Unraisable()
    monkeypatch.setattr(sys, "unraisablehook", record.hook)
    yield record
    if "leadtools_compat.dicom" in sys.modules:
        from leadtools_compat._binding.lifetime import all_lives

        if all_lives():
            gc.collect()  # what a net says when it goes belongs to this test
    assert record.rest() == []


@pytest.fixture
def nets() -> Iterator[Callable[[N], N]]:
    """Register nets to be disposed at the end of the test."""
    kept: list[DicomNet] = []

    def keep(net: N) -> N:
        kept.append(net)
        return net

    yield keep
    for net in reversed(kept):
        net.Dispose()
        for child in getattr(net, "children", ()):
            child.Dispose()


@pytest.fixture
def listen(nets: Callable[[DicomNet], DicomNet]) -> Callable[..., Listener]:
    """Start listeners on free ports of 127.0.0.1; see `support.Listener`."""
    from tests.support import Listener

    def start(*args: Any, **kwargs: Any) -> Listener:
        listener = Listener(*args, **kwargs)
        nets(listener)
        listener.Listen("127.0.0.1", 0, 16)
        return listener

    return start


@pytest.fixture
def pumped() -> Iterator[None]:
    """Run the test in pumped mode; all its nets must be gone at the end."""
    from leadtools_compat.dicom import DicomNet

    gc.collect()
    DicomNet.Startup(pumped=True)
    yield
    DicomNet.Shutdown()
    gc.collect()
    DicomNet.Startup(pumped=False)
    DicomNet.Shutdown()
