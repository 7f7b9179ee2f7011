"""`DicomOpenSslContextCreationSettings`."""

from __future__ import annotations

import os

from leadtools_compat._binding.text import Contents, StrPath, is_bytes
from leadtools_compat.dicom._arguments import INT_MAX, flags, integer, member
from leadtools_compat.dicom.enums_tls import (
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomSslMethodType,
)

__all__ = ["DEFAULT_DEPTH", "DEFAULT_OPTIONS", "DicomOpenSslContextCreationSettings"]

DEFAULT_DEPTH = 9
DEFAULT_OPTIONS = DicomOpenSslOptionsFlags.NoSslV2 | DicomOpenSslOptionsFlags.NoSslV3


class DicomOpenSslContextCreationSettings:
    """How a net talks TLS; an argument of `DicomNet.Initialize`, which copies it.

    Parameters
    ----------
    sslMethodType
        Versions. ``SslV23``, the default, is the best of TLS 1.2 and 1.3 that both sides have.
    certificationAuthoritiesFileName
        PEM file of the certificates to trust, self-signed or not; or its contents as bytes (ours).
        None or "": none. The system's store is never used.
    verificationFlags
        What a bad certificate of the peer does, and whether a server asks for one. Default
        ``None_``, which makes unverified links; the library warns about them.
    maximumVerificationDepth
        How many certificates may stand between the peer's own one and a trusted one; default 9.
    options
        Default ``NoSslV2 | NoSslV3``.

    Raises
    ------
    DicomException
        ``Parameter``: a number without a meaning, or a verification bit that is not known.
    TypeError
        An argument is not of its type.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomOpenSslContextCreationSettings``; the constructor without
    arguments is ours.
    """

    def __init__(
        self,
        sslMethodType: DicomSslMethodType | int = DicomSslMethodType.SslV23,
        certificationAuthoritiesFileName: StrPath | Contents | None = None,
        verificationFlags: DicomOpenSslVerificationFlags
        | int = DicomOpenSslVerificationFlags.None_,
        maximumVerificationDepth: int = DEFAULT_DEPTH,
        options: DicomOpenSslOptionsFlags | int = DEFAULT_OPTIONS,
    ) -> None:
        self.SslMethodType = sslMethodType
        self.CertificationAuthoritiesFileName = certificationAuthoritiesFileName
        self.VerificationFlags = verificationFlags
        self.MaximumVerificationDepth = maximumVerificationDepth
        self.Options = options

    @property
    def SslMethodType(self) -> DicomSslMethodType:
        """Versions that may be negotiated."""
        return self._method

    @SslMethodType.setter
    def SslMethodType(self, value: DicomSslMethodType | int) -> None:
        self._method = DicomSslMethodType(member(value, "sslMethodType", DicomSslMethodType))

    @property
    def CertificationAuthoritiesFileName(self) -> StrPath | bytes | None:
        """PEM file (or PEM bytes) of what is trusted."""
        return self._ca

    @CertificationAuthoritiesFileName.setter
    def CertificationAuthoritiesFileName(self, value: StrPath | Contents | None) -> None:
        if value is None or isinstance(value, (str, os.PathLike)):
            self._ca: StrPath | bytes | None = value
        elif is_bytes(value):
            self._ca = bytes(value)
        else:
            raise TypeError(
                "certificationAuthoritiesFileName must be a path, PEM bytes or None, not "
                f"{type(value).__name__}"
            )

    @property
    def VerificationFlags(self) -> DicomOpenSslVerificationFlags:
        """What a bad certificate does."""
        return self._flags

    @VerificationFlags.setter
    def VerificationFlags(self, value: DicomOpenSslVerificationFlags | int) -> None:
        kind = DicomOpenSslVerificationFlags
        self._flags = kind(flags(value, "verificationFlags", kind))

    @property
    def MaximumVerificationDepth(self) -> int:
        """Certificates between the peer's own and a trusted one."""
        return self._depth

    @MaximumVerificationDepth.setter
    def MaximumVerificationDepth(self, value: int) -> None:
        self._depth = integer(value, "maximumVerificationDepth", 0, INT_MAX)

    @property
    def Options(self) -> DicomOpenSslOptionsFlags:
        """Options of the context."""
        return self._options

    @Options.setter
    def Options(self, value: DicomOpenSslOptionsFlags | int) -> None:
        self._options = DicomOpenSslOptionsFlags(integer(value, "options", 0, INT_MAX))

    def __repr__(self) -> str:
        ca = f"{len(self._ca)} bytes" if isinstance(self._ca, bytes) else repr(self._ca)
        return (
            f"<{type(self).__name__} {self._method}, CA {ca}, {self._flags}, depth {self._depth}, "
            f"{self._options}>"
        )
