"""TLS settings as tools take them, applied to a net.

The one rule: a peer is verified unless somebody has said in words that it must not be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from leadtools_compat._nodes.tls_demands import TlsDemands
from leadtools_compat.dicom import (
    DicomNet,
    DicomNetSecurityMode,
    DicomOpenSslContextCreationSettings,
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomSslMethodType,
    DicomTlsCertificateType,
    DicomTlsCipherSuiteType,
)

__all__ = ["TlsOptions", "TlsVersion", "configure", "set_suites"]

TlsVersion = Literal["1.2", "1.3"]
_METHODS = {
    None: DicomSslMethodType.SslV23,
    "1.2": DicomSslMethodType.TlsV1_2,
    "1.3": DicomSslMethodType.TlsV1_3,
}


@dataclass(frozen=True)
class TlsOptions:
    """What a tool was told about TLS.

    Attributes
    ----------
    ca
        PEM file of the authorities that are trusted, or PEM text as bytes; None: nobody is.
    certificate, key
        Own certificate with its chain, and its key if it is in another file; PEM, or both DER.
    password
        Called when the key is encrypted.
    crl
        PEM file of revocation lists; None: revocation is not checked.
    verify
        False: the peer's certificate is looked at, and taken whatever it is.
    check_host
        Whether a server's certificate must carry the name it was called by.
    host_name
        The name it must carry, if that is not the address.
    version
        Only this version; None: the best that both sides have.
    suites
        Cipher suites in place of the default list, or of the profile's.
    profile
        Name of a TLS profile (`DicomNet.apply_tls_profile`); None: none.
    demands
        Names, pins, more trust, and how strict to be.
    """

    ca: str | bytes | None = None
    certificate: str | None = None
    key: str | None = None
    password: Callable[[], str | None] | None = None
    crl: str | None = None
    verify: bool = True
    check_host: bool = True
    host_name: str | None = None
    version: TlsVersion | None = None
    suites: tuple[int, ...] = ()
    profile: str | None = None
    demands: TlsDemands = field(default_factory=TlsDemands)

    def server_name(self, address: str) -> str:
        """Give the name that is sent to the server at `address`, by other means than a net."""
        if self.demands.server_name is not None:
            return self.demands.server_name
        return self.host_name or address

    def expected_host(self, address: str) -> str | None:
        """Give the name that the server at `address` must prove, or None."""
        if not (self.verify and self.check_host):
            return None
        return self.host_name or address


def configure(
    net: DicomNet,
    tls: TlsOptions,
    host: str | None = None,
    *,
    options: DicomOpenSslOptionsFlags | int = 0,
    method: DicomSslMethodType | None = None,
    **changes: Any,
) -> None:
    """Give a net its TLS settings.

    Parameters
    ----------
    net
        Not connected.
    tls
        The settings.
    host
        Name that the peer must prove; None: any.
    options
        More context options.
    method
        In place of the one of ``tls.version``.
    changes
        ``flags`` in place of those of ``tls.verify``.

    Raises
    ------
    DicomException
        For files and suites that cannot be used; the message names the file.
    """
    none = DicomOpenSslVerificationFlags.None_
    must = (
        DicomOpenSslVerificationFlags.Peer | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate
    )
    settings = DicomOpenSslContextCreationSettings(
        _METHODS[tls.version] if method is None else method,
        tls.ca,
        changes.get("flags", must if tls.verify else none),
        9,
        DicomOpenSslOptionsFlags.NoSslV2 | DicomOpenSslOptionsFlags.NoSslV3 | options,
    )
    net.Initialize(None, DicomNetSecurityMode.Tls, settings)
    if tls.certificate is not None:
        kind = DicomTlsCertificateType.Pem
        if is_der(tls.certificate):
            kind = DicomTlsCertificateType.Asn1
        net.SetTlsClientCertificate(tls.certificate, kind, tls.key)
    if tls.crl is not None:
        net.crl_file = tls.crl
    net.expected_host = host
    if tls.profile is not None:
        net.apply_tls_profile(tls.profile)
    tls.demands.apply(net)
    if tls.suites:
        set_suites(net, tls.suites)


def set_suites(net: DicomNet, suites: tuple[int, ...]) -> None:
    """Replace a net's whole list of cipher suites."""
    net.SetTlsCipherSuiteByIndex(0, DicomTlsCipherSuiteType.None_)
    for index, suite in enumerate(suites):
        net.SetTlsCipherSuiteByIndex(index, suite)


def is_der(file: str) -> bool:
    """Tell whether a file begins as DER does; False if it cannot be read: others say why."""
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - errors are others' business
            return stream.read(1) == b"\x30"
    except OSError:
        return False
