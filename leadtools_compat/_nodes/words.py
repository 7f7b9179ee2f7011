"""The library's remedies speak of its calls; here are the same in options of the command line."""

from __future__ import annotations

from leadtools_compat.dicom import DicomExceptionCode

__all__ = ["OPTIONS"]

OPTIONS = {
    DicomExceptionCode.TlsPeerRequiresCertificate: "--cert FILE is the own certificate",
    DicomExceptionCode.TlsCertificateRequired: "--no-verify takes clients without a certificate",
    DicomExceptionCode.TlsPeerNotTls: "without TLS options the connection is plain",
    DicomExceptionCode.NetPeerSpeaksTls: "--ca FILE (and --cert FILE) switch TLS on",
    DicomExceptionCode.TlsPrivateKeyPassword: "--password-file FILE has the password in its first line",
    DicomExceptionCode.TlsKeyMismatch: "--key FILE is the key of --cert FILE",
}
