"""The pytest plugin: a PKI, secure nodes, misbehaving peers, and the PACS under test.

The one rule: it loads with every pytest run of an environment, so it imports nothing until a fixture
is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from leadtools_compat.testing import (
        FaultyScp,
        FaultyScu,
        Pacs,
        SecureScp,
        SecureScu,
        TestPki,
        VerifyRecorder,
    )

__all__: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options about the node under test."""
    group = parser.getgroup("DICOM over TLS", "the node that the fixture 'pacs' calls")
    group.addoption("--pacs", metavar="HOST:PORT", help="where it is")
    group.addoption("--pacs-title", metavar="AE", default="ANY-SCP", help="its AE title")
    group.addoption(
        "--pacs-calling", metavar="AE", default="LT-COMPAT", help="the client's AE title"
    )
    group.addoption(
        "--pacs-pki", metavar="DIR", help="folder made by 'leadtools-compat pki DIR --seed SEED'"
    )
    group.addoption("--pacs-seed", metavar="SEED", help="the seed of that PKI")
    group.addoption(
        "--pacs-key", choices=["rsa", "ec"], default="rsa", help="type of its keys (rsa)"
    )
    group.addoption(
        "--pacs-strict", action="store_true", help="also run what is marked pacs_strict"
    )
    group.addoption(
        "--pacs-host-name", metavar="NAME", help="name in its certificate, if it is not HOST"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line(
        "markers", "pacs_strict: what many PACS fail; runs with the option --pacs-strict only"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for the strict."""
    if config.getoption("--pacs-strict"):
        return
    left = [item for item in items if item.get_closest_marker("pacs_strict") is not None]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session")
def dicom_pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """A test PKI for this run: root, intermediate, server, client; `make` gives the bad ones."""
    from leadtools_compat.testing import TestPki

    return TestPki(tmp_path_factory.mktemp("dicom_pki"), seed="leadtools_compat", key="ec")


@pytest.fixture
def onverify() -> VerifyRecorder:
    """What OnVerify was asked, on the nodes of the two fixtures below; ``answers`` overrules."""
    from leadtools_compat.testing import VerifyRecorder

    return VerifyRecorder()


@pytest.fixture
def make_secure_scp(
    dicom_pki: TestPki, onverify: VerifyRecorder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., SecureScp]]:
    """Make storage servers with TLS on free ports; parameters as of `SecureScp`, none is needed."""
    from leadtools_compat.testing import SecureScp

    with ExitStack() as stack:

        def make(identity: Any = None, **options: Any) -> SecureScp:
            options.setdefault("recorder", onverify)
            options.setdefault("ca_file", dicom_pki.ca_file)
            folder = tmp_path_factory.mktemp("received")
            scp = SecureScp(folder, identity or dicom_pki.server, **options)
            stack.callback(scp.Dispose)
            return scp

        yield make


@pytest.fixture
def secure_scp(make_secure_scp: Callable[..., SecureScp]) -> SecureScp:
    """A storage server with mutual TLS on a free port."""
    return make_secure_scp()


@pytest.fixture
def secure_scu(dicom_pki: TestPki, onverify: VerifyRecorder) -> SecureScu:
    """A client with a good certificate; ``dataclasses.replace`` makes others of it."""
    from leadtools_compat.testing import SecureScu

    return SecureScu(dicom_pki.client, dicom_pki.ca_file, recorder=onverify)


@pytest.fixture
def faulty_scp(dicom_pki: TestPki) -> Iterator[Callable[..., FaultyScp]]:
    """Start servers that misbehave, with the PKI's server certificate; ``identity=None``: plain."""
    from leadtools_compat.testing import FaultyScp

    with ExitStack() as stack:

        def start(fault: str, **options: Any) -> FaultyScp:
            options.setdefault("identity", dicom_pki.server)
            return stack.enter_context(FaultyScp(fault, **options))

        yield start


@pytest.fixture
def faulty_scu(dicom_pki: TestPki) -> Iterator[Callable[..., FaultyScu]]:
    """Start clients that misbehave, with the PKI's client certificate; ``identity=None``: plain."""
    from leadtools_compat.testing import FaultyScu

    with ExitStack() as stack:

        def start(fault: str, port: int, **options: Any) -> FaultyScu:
            options.setdefault("identity", dicom_pki.client)
            return stack.enter_context(FaultyScu(fault, port, **options))

        yield start


@pytest.fixture(scope="session")
def pacs(pytestconfig: pytest.Config) -> Pacs:
    """The node under test, from the options ``--pacs`` and ``--pacs-...``."""
    from leadtools_compat.testing import Pacs, SecureScu, TestPki

    target = pytestconfig.getoption("--pacs")
    folder, seed = pytestconfig.getoption("--pacs-pki"), pytestconfig.getoption("--pacs-seed")
    if not target or not folder or not seed:
        raise pytest.UsageError(
            "which node is to be tested? Give --pacs HOST:PORT, and --pacs-pki DIR --pacs-seed SEED "
            "as they were given to 'leadtools-compat pki'"
        )
    host, _, port = str(target).rpartition(":")
    if not host or not port.isdecimal():
        raise pytest.UsageError(f"--pacs is {target!r}, but must be HOST:PORT")
    title = str(pytestconfig.getoption("--pacs-title"))
    pki = TestPki(str(folder), str(seed), pytestconfig.getoption("--pacs-key"))
    scu = SecureScu(
        pki.client,
        pki.ca_file,
        host_name=pytestconfig.getoption("--pacs-host-name"),
        called=title,
        calling=str(pytestconfig.getoption("--pacs-calling")),
    )
    return Pacs(host.strip("[]"), int(port), title, pki, scu)
