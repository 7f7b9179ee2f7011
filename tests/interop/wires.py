"""Our end of a connection to another program: plain, TLS of either version, with and without a client certificate."""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

from leadtools_compat.dicom import DicomNet, DicomNetSecurityMode, DicomSslMethodType
from leadtools_compat.dicom import DicomTlsCertificateType as CertificateType
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import Link, Node, request
from tests.support import MUTUAL, PEER, Hook, settings


class Kind(NamedTuple):
    """What is agreed on the wire; DCMTK, Orthanc and the others take either version, so ours decides."""

    method: DicomSslMethodType
    version: str
    client_certificate: bool


KINDS: dict[str, Kind | None] = {
    "plain": None,
    "tls12": Kind(DicomSslMethodType.TlsV1_2, "TLSv1.2", True),
    "tls13": Kind(DicomSslMethodType.TlsV1_3, "TLSv1.3", True),
    "tls12-no-client-certificate": Kind(DicomSslMethodType.TlsV1_2, "TLSv1.2", False),
    "tls13-no-client-certificate": Kind(DicomSslMethodType.TlsV1_3, "TLSv1.3", False),
}
ALL = tuple(KINDS)
WITH_CERTIFICATE = ("plain", "tls12", "tls13")


class Wire(Link):
    """Makes our end; `name` is one of `KINDS`."""

    def __init__(self, name: str, *parts: Any) -> None:
        super().__init__(name, *parts)
        self.tls = KINDS[name]
        self.pki = self._pki

    def _node(self, cls: type[Node], server: bool, hooks: dict[str, Hook]) -> Any:
        if self.tls is None:
            return super()._node(cls, server, hooks)
        net = cls(DicomNetSecurityMode.Tls, **hooks)
        flags = MUTUAL if self.tls.client_certificate else PEER
        made = settings(self._pki.ca_file, flags, self.tls.method)
        net.Initialize(None, DicomNetSecurityMode.Tls, made)
        if server or self.tls.client_certificate:
            identity = self._pki.server if server else self._pki.client
            net.SetTlsClientCertificate(identity.combined_file, CertificateType.Pem, None)
        return net

    def check(self, net: DicomNet, server: bool = True) -> None:
        """See that the link of our `net` was what the name says; `server`: ours was accepted."""
        if self.tls is None:
            assert net.SecurityMode == DicomNetSecurityMode.None_
            return
        assert net.tls_version == self.tls.version
        assert net.tls_verified or not (self.tls.client_certificate or not server)
        assert bool(net.tls_peer_certificates) == (self.tls.client_certificate or not server)

    def dial(self, port: int, **hooks: Hook) -> Any:
        """Connect a client of ours to a program of others."""
        scu = self.scu(**hooks)
        scu.Connect(None, 0, "127.0.0.1", port)
        ready = scu.log.wait("OnConnect" if self.tls is None else "OnSecureLinkReady")
        assert ready.code == 0, scu.failure
        self.check(scu, server=False)
        return scu

    def associated_to(
        self,
        port: int,
        *contexts: tuple[str, str],
        called: str = "SCP",
        calling: str = "SCU",
        **hooks: Hook,
    ) -> Any:
        """Connect a client of ours to a program of others, and make an association."""
        scu = self.dial(port, **hooks)
        with request(*contexts, called=called, calling=calling) as asked:
            scu.SendAssociateRequest(asked)
        scu.log.wait("OnReceiveAssociateAccept")
        return scu


def released(scu: Any) -> None:
    """Release the association of a client of ours, which then closes."""
    scu.SendReleaseRequest()
    assert scu.log.wait("OnClose").code == 0, (scu.failure, scu.log.names())


def context(tls: Kind, pki: TestPki, server: bool) -> ssl.SSLContext:
    """Make Python's TLS settings for the other side: it checks our certificate, too."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.load_verify_locations(pki.ca_file)
    made.verify_mode = ssl.CERT_REQUIRED
    if server and not tls.client_certificate:
        made.verify_mode = ssl.CERT_OPTIONAL
    if server or tls.client_certificate:
        made.load_cert_chain((pki.server if server else pki.client).combined_file)
    return made
