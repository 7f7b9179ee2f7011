"""Fixtures of the TLS tests: two nets meet, and everything is disposed at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from leadtools_compat.testing import Identity, TestPki
from tests.tls.resuming import Scene
from tests.tls.tls_tools import (
    METHODS,
    VERSIONS,
    LibraryLog,
    Meeting,
    Rules,
    Side,
    judging,
    other_side,
    rules_for,
)

Meet = Callable[..., Meeting]
Present = Callable[..., Meeting]


@pytest.fixture
def library_log() -> Iterator[LibraryLog]:
    """Hear the library's warnings."""
    log = LibraryLog()
    logger = logging.getLogger("leadtools_compat")
    logger.addHandler(log)
    yield log
    logger.removeHandler(log)


@pytest.fixture(scope="session")
def rsa_pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """One PKI with RSA keys, which most of the retired profiles need."""
    return TestPki(tmp_path_factory.mktemp("rsa"), seed="profiles", key="rsa")


@pytest.fixture
def meet(nets: Callable[[Any], Any]) -> Meet:
    """Let a client and a server of given rules meet; settled when it returns."""

    def start(server: Rules, client: Rules) -> Meeting:
        return Meeting(server, client, nets).settle()

    return start


@pytest.fixture
def present(meet: Meet, pki: TestPki) -> Present:
    """Let one side present an identity to the other, which judges it as documented.

    The presenting side allows TLS 1.0, for the sake of security level 0: there OpenSSL loads any
    certificate as one's own. The judge decides about the version.
    """

    def start(
        identity: Identity,
        judge: Side,
        version: str,
        presenter: dict[str, Any] | None = None,
        **changes: Any,
    ) -> Meeting:
        rules = {
            judge: judging(rules_for(pki, judge, method=VERSIONS[version]), identity).but(
                **changes
            ),
            other_side(judge): rules_for(
                pki, other_side(judge), identity=identity, method=METHODS.TlsV1
            ).but(**(presenter or {})),
        }
        return meet(rules["server"], rules["client"])

    return start


@pytest.fixture
def scene(pki: TestPki, nets: Callable[[Any], Any]) -> Scene:
    """Both sides good, with TLS 1.3."""
    return Scene(pki, nets)


@pytest.fixture
def resuming(scene: Scene) -> Scene:
    """A scene in which the next link would be resumed."""
    assert not scene.link()
    assert scene.link()
    return scene


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """Another PKI, which the first one does not know; its names are the same."""
    return TestPki(tmp_path_factory.mktemp("stranger"), seed="stranger", key="ec")


@pytest.fixture
def judged(meet: Meet, pki: TestPki) -> Callable[..., Meeting]:
    """Let one side judge the other's identity with changed rules."""

    def start(side: Side, identity: Identity | None = None, **changes: Any) -> Meeting:
        other = rules_for(pki, other_side(side))
        if identity is not None:
            other = other.but(identity=identity)
        rules = {side: rules_for(pki, side, **changes), other_side(side): other}
        return meet(rules["server"], rules["client"])

    return start
