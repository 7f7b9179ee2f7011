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

__all__ = ["TlsOptions", "TlsVersion", "certificate_type", "configure", "is_uri", "set_suites"]

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
        Either may be a URI, ``pkcs11:...``, with `pkcs11_module`. A file of PKCS #12 has both.
    password
        Called when the key is encrypted.
    crls
        Files and folders of revocation lists, PEM or DER; empty: they are not checked.
    crl_leaf_only
        Only the peer's own certificate needs a list, not the whole chain.
    soft_fail
        A list that is missing or out of date will do.
    ocsp
        What a client does about OCSP staples: ``off``, ``check`` those that come, ``require`` one.
    staple
        The OCSP response that a server sends along, DER.
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
    pkcs12_legacy
        A file of PKCS #12 may be encrypted with RC2.
    pkcs11_module
        Library of a token, for ``pkcs11:`` URIs; None: OpenSSL's provider is not loaded.
    keylog
        File that the secrets of the links are written to; None: none.
    """

    ca: str | bytes | None = None
    certificate: str | None = None
    key: str | None = None
    password: Callable[[], str | None] | None = None
    crls: tuple[str, ...] = ()
    crl_leaf_only: bool = False
    soft_fail: bool = False
    ocsp: Literal["off", "check", "require"] = "off"
    staple: str | None = None
    verify: bool = True
    check_host: bool = True
    host_name: str | None = None
    version: TlsVersion | None = None
    suites: tuple[int, ...] = ()
    profile: str | None = None
    demands: TlsDemands = field(default_factory=TlsDemands)
    pkcs12_legacy: bool = False
    pkcs11_module: str | None = None
    keylog: str | None = None

    @property
    def pem_files(self) -> bool:
        """Whether certificate and key are PEM files, which other programs can read, too."""
        return all(
            not is_uri(name) and certificate_type(name) == DicomTlsCertificateType.Pem
            for name in (self.certificate, self.key)
            if name is not None
        )

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
    must = DicomOpenSslVerificationFlags.Peer
    if not tls.demands.certificate_optional:
        must |= DicomOpenSslVerificationFlags.FailIfNoPeerCertificate
    settings = DicomOpenSslContextCreationSettings(
        _METHODS[tls.version] if method is None else method,
        tls.ca,
        changes.get("flags", must if tls.verify else none),
        9,
        DicomOpenSslOptionsFlags.NoSslV2 | DicomOpenSslOptionsFlags.NoSslV3 | options,
    )
    net.Initialize(None, DicomNetSecurityMode.Tls, settings)
    if tls.pkcs11_module is not None:
        DicomNet.load_tls_provider("pkcs11", None, {"pkcs11-module-path": tls.pkcs11_module})
    if tls.certificate is not None:
        kind = certificate_type(tls.certificate, tls.pkcs12_legacy)
        net.SetTlsClientCertificate(tls.certificate, kind, tls.key)
    if tls.crls:
        net.crl_paths = tls.crls
        net.crl_check = "leaf" if tls.crl_leaf_only else "chain"
        net.revocation_soft_fail = tls.soft_fail
    net.ocsp_check = tls.ocsp
    net.ocsp_staple_file = tls.staple
    if tls.keylog is not None:
        net.tls_keylog_file = tls.keylog
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


def is_uri(name: str) -> bool:
    """Tell whether a name is that of a key in a token and not of a file."""
    return name.startswith("pkcs11:")


def certificate_type(file: str, pkcs12_legacy: bool = False) -> DicomTlsCertificateType:
    """Tell PKCS #12, DER and PEM apart by how the file begins; `Pem` if it cannot be read: others say why."""
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - errors are others' business
            start = stream.read(16)
    except OSError:
        return DicomTlsCertificateType.Pem
    if start[:1] != b"\x30":
        return DicomTlsCertificateType.Pem
    # RFC 7292 4: a sequence that begins with the integer 3; a certificate's begins with a sequence.
    length = start[1] if len(start) > 1 else 0
    inner = start[2 + (length & 0x7F if length & 0x80 else 0) :]
    if not inner.startswith(b"\x02\x01\x03"):
        return DicomTlsCertificateType.Asn1
    return DicomTlsCertificateType.Pkcs12Legacy if pkcs12_legacy else DicomTlsCertificateType.Pkcs12
