"""The archive's listener: it makes a child for every client and sets it up in OnAccept."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from examples.archive.association import Association
from examples.archive.index import Index
from leadtools_compat.dicom import *
from leadtools_compat.dicom.scu import *


class Server(DicomNet):
    """Listens, and holds what its children share."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(None, DicomNetSecurityMode.None_)
        self.options = options
        self.folder: Path = options.folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.title: str = options.title
        self.callers: set[str] = set(options.allow or ())
        self.most_clients: int = options.clients
        self.worklist: Path | None = options.worklist
        self.nodes: dict[str, DicomScp] = dict(options.node or ())
        self.index = Index(self.folder / "index.sqlite")
        self.pool = ThreadPoolExecutor(options.threads, "archive")

    @property
    def tls(self) -> bool:
        return self.options.certificate is not None

    def settings(self) -> DicomOpenSslContextCreationSettings:
        """TLS settings, of the children and of the connections for C-MOVE."""
        return DicomOpenSslContextCreationSettings(
            DicomSslMethodType.SslV23,
            self.options.ca,
            DicomOpenSslVerificationFlags.Peer
            | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate,
            9,
            DicomOpenSslOptionsFlags.NoSslV2,
        )

    def secure(self, net: DicomNet) -> None:
        """Give a net the archive's certificate; everybody has to show one, too."""
        net.Initialize(str(self.folder), DicomNetSecurityMode.Tls, self.settings())
        net.SetTlsClientCertificate(
            self.options.certificate, DicomTlsCertificateType.Pem, self.options.key
        )

    def OnAccept(self, error: DicomExceptionCode) -> None:
        mode = DicomNetSecurityMode.Tls if self.tls else DicomNetSecurityMode.None_
        child = Association(self, mode)
        if self.tls:
            self.secure(child)
        self.Accept(child)

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if net.failure is not None:
            self.log(f"{net.PeerAddress}: {net.failure}")
        net.Dispose()

    def client(self, scp: DicomScp) -> StoreScu:
        """Make the sender of a C-MOVE."""
        if not scp.Secure:
            scu = StoreScu(str(self.folder))
        else:
            scu = StoreScu(str(self.folder), DicomNetSecurityMode.Tls, self.settings())
            scu.SetTlsClientCertificate(
                self.options.certificate, DicomTlsCertificateType.Pem, self.options.key
            )
        scu.AETitle = self.title or "ARCHIVE"
        return scu

    def log(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def Dispose(self, disposing: bool = True) -> None:
        children: list[Any] = [self.GetClient(i) for i in range(self.GetClientCount())]
        super().Dispose(disposing)
        for child in children:
            child.Dispose()
        self.pool.shutdown(cancel_futures=True)
        self.index.close()
