"""`Pacs`: the node under test, as the options of pytest name it.

The one rule: it is called as any client would call it; nothing about it is assumed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadtools_compat._nodes.tls import TlsOptions, TlsVersion
from leadtools_compat.testing.faulty import FaultyScu
from leadtools_compat.testing.model import Identity
from leadtools_compat.testing.nodes import Link, SecureScu
from leadtools_compat.testing.pki import TestPki

if TYPE_CHECKING:
    from leadtools_compat.diagnose import Report

__all__ = ["Pacs"]


@dataclass(frozen=True)
class Pacs:
    """A node that runs somewhere.

    Attributes
    ----------
    host, port, title
        Where it is.
    pki
        The PKI it trusts; its server certificate comes from there too.
    scu
        A good client for it.
    """

    host: str
    port: int
    title: str
    pki: TestPki
    scu: SecureScu

    def client(
        self, identity: Identity | None = None, version: TlsVersion | None = None
    ) -> SecureScu:
        """Make a client with another certificate, or for one version of TLS only."""
        chosen = self.scu.identity if identity is None else identity
        return dataclasses.replace(self.scu, identity=chosen, version=version)

    def stranger(self) -> SecureScu:
        """Make a client without a certificate."""
        return dataclasses.replace(self.scu, identity=None)

    def echo(self, identity: Identity | None = None, version: TlsVersion | None = None) -> Link:
        """Send a C-ECHO; raises `NodeError`."""
        return self.client(identity, version).echo(self.port, self.host)

    def store(self, *files: Path | str) -> Link:
        """Send files; raises `NodeError`."""
        return self.scu.store(self.port, *files, host=self.host)

    def faulty(self, fault: str) -> FaultyScu:
        """Start a client that misbehaves towards it, with the good certificate."""
        return FaultyScu(fault, self.port, self.host, self.scu.identity)

    def diagnose(self) -> Report:
        """Make the report that ``leadtools-compat diagnose`` makes."""
        from leadtools_compat.diagnose import diagnose

        own = self.scu.identity
        tls = TlsOptions(
            ca=self.scu.ca_file,
            certificate=None if own is None else own.combined_file,
            check_host=self.scu.host_name != "",
            host_name=self.scu.host_name or None,
        )
        return diagnose(self.host, self.port, tls, called=self.title, calling=self.scu.calling)
