"""Fixtures for the Scu classes: nodes of our own as the other side, plain and with TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from leadtools_compat.dicom import DicomNetSecurityMode, DicomTlsCertificateType
from leadtools_compat.dicom.scu import DicomConnection, DicomScp
from leadtools_compat.testing import Identity, TestPki
from tests.dicom.nodes import Link
from tests.support import PATIENCE, PEER, Listener, settings

S = TypeVar("S", bound=DicomConnection)


class Site:
    """Makes nodes and Scu objects for one kind of link."""

    def __init__(self, link: Link, pki: TestPki, nets: Callable[[Any], Any]) -> None:
        self.link, self.pki, self._nets = link, pki, nets
        self.tls = link.kind == "tls"

    def node(self, **hooks: Any) -> tuple[Listener, DicomScp]:
        """Start a node with these hooks; gives it and the way to it."""
        listener = self.link.scp(**hooks)
        return listener, self.way(listener.HostPort)

    def way(self, port: int, title: str = "NODE") -> DicomScp:
        scp = DicomScp("127.0.0.1", title, port)
        scp.Timeout = PATIENCE
        scp.Secure = self.tls
        return scp

    def scu(self, cls: type[S], identity: Identity | None = None, title: str = "OURS") -> S:
        """Make a Scu object, with our certificate if it speaks TLS."""
        if not self.tls:
            made = cls()
        else:
            made = cls(None, DicomNetSecurityMode.Tls, settings(self.pki.ca_file, PEER))
            own = self.pki.client if identity is None else identity
            made.SetTlsClientCertificate(own.combined_file, DicomTlsCertificateType.Pem, None)
        made.AETitle = title
        self._nets(made)
        return made


@pytest.fixture(params=["plain", "tls"])
def site(
    request: pytest.FixtureRequest,
    pki: TestPki,
    nets: Callable[[Any], Any],
    listen: Callable[..., Listener],
) -> Site:
    return Site(Link(request.param, pki, listen, nets), pki, nets)


@pytest.fixture
def plain(pki: TestPki, nets: Callable[[Any], Any], listen: Callable[..., Listener]) -> Site:
    return Site(Link("plain", pki, listen, nets), pki, nets)


@pytest.fixture
def secure_site(pki: TestPki, nets: Callable[[Any], Any], listen: Callable[..., Listener]) -> Site:
    return Site(Link("tls", pki, listen, nets), pki, nets)


EVENTS = (
    "BeforeConnect",
    "AfterConnect",
    "VerifyCertificate",
    "AfterSecureLinkReady",
    "BeforeAssociateRequest",
    "AfterAssociateRequest",
    "BeforeReleaseRequest",
    "AfterReleaseRequest",
    "BeforeClose",
    "AfterClose",
)


def record(scu: Any, *more: str) -> list[tuple[str, Any]]:
    """Write down all events of an object, with their arguments, as they come."""
    seen: list[tuple[str, Any]] = []
    for name in (*EVENTS, *more):

        def handler(sender: Any, e: Any, name: str = name) -> None:
            assert sender is scu
            seen.append((name, e))

        event = getattr(scu, name)
        event += handler
    return seen


def names(seen: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in seen]
