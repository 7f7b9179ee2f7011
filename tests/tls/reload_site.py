"""A listener whose files change while it listens, for the tests of reloading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.files import write
from tests.support import Listener, RecordingNet, connect
from tests.tls.tls_tools import PEM, TLS, Rules, rules_for

__all__ = ["Nets", "Site", "other"]

Nets = Callable[[Any], Any]


class Site:
    """A listener whose files are a folder's: ``own.pem``, ``ca.pem``, ``crl.pem``, ``own.ocsp``."""

    def __init__(self, pki: TestPki, folder: Path, nets: Nets, **hooks: Any) -> None:
        self.pki, self.folder, self.nets = pki, folder, nets
        self.own, self.ca = folder / "own.pem", folder / "ca.pem"
        self.crl, self.staple = folder / "crl.pem", folder / "own.ocsp"
        self.show(pki.server)
        write(self.ca, Path(pki.ca_file).read_bytes())
        self.revoke()
        rules = Rules(ca=str(self.ca), crl_file=str(self.crl))
        self.listener: Any = nets(Listener(self.child, mode=TLS, **hooks))
        rules.apply(self.listener)
        self.children: list[Any] = []
        self.links = 0

    def child(self) -> Any:
        return self.nets(RecordingNet(TLS))

    def listen(self) -> Site:
        """Load what is there, and listen."""
        self.listener.SetTlsClientCertificate(str(self.own), PEM, None)
        self.listener.children_inherit_tls = True
        self.listener.Listen("127.0.0.1", 0, 64)
        return self

    def show(self, identity: Identity) -> None:
        """Put an identity's certificate and key where the listener reads them."""
        write(self.own, Path(identity.combined_file).read_bytes(), secret=True)

    def revoke(self, *gone: Identity) -> None:
        """Publish lists."""
        write(self.crl, Path(self.pki.crl(*gone, name=self.folder.name)).read_bytes())

    def meet(self, **changes: Any) -> tuple[Any, Any]:
        """Let a new client connect; both ends know how it went."""
        client = self.nets(rules_for(self.pki, "client", **changes).net())
        connect(client, self.listener)
        self.links += 1
        client.log.wait("OnSecureLinkReady")
        child = self.listener.child(self.links)
        child.log.wait("OnSecureLinkReady")
        return client, child

    def shown(self, **changes: Any) -> bytes:
        """Give the certificate that a new client is shown."""
        client, _ = self.meet(**changes)
        assert client.failure is None, client.failure
        return bytes(client.tls_peer_certificates[0])


def other(pki: TestPki, name: str = "Renewed Server") -> Identity:
    return pki.issue(name, role="server")
