"""Structures and texts that C fills: read here, given on as Python values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from leadtools_compat._binding import ffi, lib
from leadtools_compat._binding.errors import check
from leadtools_compat._binding.text import from_c

__all__ = [
    "IF_THERE",
    "ON_REQUEST",
    "REQUIRED",
    "FailureFields",
    "ProfileFields",
    "TlsSettings",
    "address",
    "certificate_text",
    "failure",
    "failure_fields",
    "failure_sentence",
    "fill_settings",
    "peer_certificates",
    "statistics",
    "tls_info",
    "tls_library",
    "tls_profile_missing",
    "tls_profile_reasons",
    "tls_profiles",
    "traffic",
    "trusted_proxies",
    "verify_remedy",
]

ADDRESS_CHARS = 64
INFO_CHARS = 512
PIN_CHARS = 80
REQUIRED = lib.DICOM_TLS_PROFILE_SUITE_REQUIRED
IF_THERE = lib.DICOM_TLS_PROFILE_SUITE_IF_THERE
ON_REQUEST = lib.DICOM_TLS_PROFILE_SUITE_ON_REQUEST


class FailureFields(NamedTuple):
    """DICOMFAILURE, copied."""

    code: int
    stage: int
    side: int
    alert_sent: int
    alert_received: int
    certificate_code: int
    certificate_depth: int
    elapsed: float
    openssl_code: int
    message: str
    openssl_text: str
    subject: str
    remedy: str


class TlsSettings(NamedTuple):
    """L_SSL_CTX_CREATE as Python values; `ca_file` is for `const char *`, NULL = none."""

    method: int
    ca_file: Any
    flags: int
    depth: int
    options: int


class ProfileFields(NamedTuple):
    """DICOMTLSPROFILE, copied; `suites` are numbers, each with its DICOM_TLS_PROFILE_SUITE_..."""

    name: str
    aliases: str
    title: str
    retired: bool
    lowest: int
    highest: int
    suites: list[tuple[int, int]]
    groups: str
    signatures: str
    hybrid: bool
    rsa_bits: int
    ec_bits: int
    dh_bits: int
    hash_bits: int
    resumption: bool


def address(function: Callable[[Any, Any, int], int], handle: Any) -> str:
    """Read an address by one of the L_DicomGet...Address functions; "" when there is none."""
    buffer = ffi.new("L_TCHAR[]", ADDRESS_CHARS)
    if function(handle, buffer, ADDRESS_CHARS) != 0:
        return ""
    return from_c(buffer)


def trusted_proxies(handle: Any) -> str:
    """Read the list of trusted proxies, as it was set; "" when there is none."""
    size = INFO_CHARS
    while size <= 1 << 24:
        buffer = ffi.new("L_TCHAR[]", size)
        if lib.L_DicomGetTrustedProxies(handle, buffer, size) == 0:
            return from_c(buffer)
        size *= 8
    return ""


def tls_info(handle: Any, what: int) -> str:
    """Read one DICOM_TLS_INFO_... text of any length; "" when there is none."""
    size = INFO_CHARS
    while size <= 1 << 24:
        buffer = ffi.new("L_TCHAR[]", size)
        code = lib.L_DicomGetInfoTLS(handle, what, buffer, size)
        if code == 0:
            return from_c(buffer)
        if code != lib.DICOM_ERROR_PARAMETER:
            return ""
        size *= 8
    return ""


def tls_library(what: int) -> str:
    """Read one DICOM_TLS_LIBRARY_... text."""
    size = INFO_CHARS
    while True:
        buffer = ffi.new("L_TCHAR[]", size)
        code = lib.L_DicomGetLibraryTLS(what, buffer, size)
        if code != lib.DICOM_ERROR_PARAMETER or size > 1 << 20:
            check(code)
            return from_c(buffer)
        size *= 8


def tls_pin(content: bytes, kind: int) -> str:
    """Compute a pin, DICOM_TLS_PIN_..., of a certificate in PEM or DER."""
    buffer = ffi.new("L_TCHAR[]", PIN_CHARS)
    der = content[:1] == b"\x30"  # a SEQUENCE
    form = lib.DICOM_TLS_CERTIFICATE_ASN1 if der else lib.DICOM_TLS_CERTIFICATE_PEM
    check(lib.L_DicomGetPinTLS(content, len(content), form, kind, buffer, PIN_CHARS))
    return from_c(buffer)


def tls_profiles() -> list[ProfileFields]:
    """Copy the table of TLS profiles."""
    profiles: list[ProfileFields] = []
    record = ffi.new("DICOMTLSPROFILE *")
    record.uStructSize = ffi.sizeof("DICOMTLSPROFILE")
    while lib.L_DicomGetProfileTLS(len(profiles), record) == 0:
        profiles.append(
            ProfileFields(
                from_c(record.pszName),
                from_c(record.pszAliases),
                from_c(record.pszTitle),
                bool(record.bRetired),
                record.nLowest,
                record.nHighest,
                [(record.pSuites[i], record.pUses[i]) for i in range(record.nSuites)],
                from_c(record.pszGroups),
                from_c(record.pszSignatures),
                bool(record.bHybrid),
                *(record.nRsaBits, record.nEcBits, record.nDhBits, record.nHashBits),
                bool(record.bResumption),
            )
        )
    return profiles


def tls_profile_missing(name: str) -> str:
    """Give what OpenSSL lacks for a profile; "" when it can be applied."""
    code = lib.L_DicomIsProfilePossibleTLS(name.encode())
    if code == lib.DICOM_ERROR_TLS_PROFILE:
        return from_c(lib.L_DicomGetLastErrorText())
    check(code)
    return ""


def tls_profile_reasons(handle: Any, name: str) -> tuple[int, list[str]]:
    """Judge a link by a profile: the code, and why it does not satisfy it."""
    size = INFO_CHARS
    while True:
        buffer = ffi.new("L_TCHAR[]", size)
        code = lib.L_DicomCheckProfileTLS(handle, name.encode(), buffer, size)
        if code != lib.DICOM_ERROR_PARAMETER or size >= 1 << 24:
            return code, from_c(buffer).splitlines()
        size *= 8


def failure(handle: Any) -> FailureFields | None:
    """Copy the failure record; None when there is no failure."""
    record = ffi.new("DICOMFAILURE *")
    record.uStructSize = ffi.sizeof("DICOMFAILURE")
    if lib.L_DicomGetFailure(handle, record) != 0 or record.nCode == 0:
        return None
    return failure_fields(record)


def failure_fields(record: Any) -> FailureFields:
    """Copy a DICOMFAILURE."""
    return FailureFields(
        record.nCode,
        record.nStage,
        record.nSide,
        record.nAlertSent,
        record.nAlertReceived,
        record.nCertificateCode,
        record.nCertificateDepth,
        record.dElapsed,
        record.uOpenSsl,
        from_c(record.pszMessage),
        from_c(record.pszOpenSsl),
        from_c(record.pszSubject),
        from_c(record.pszRemedy),
    )


def failure_sentence(fields: FailureFields) -> str:
    """Write the record in one sentence."""
    record = ffi.new("DICOMFAILURE *")
    record.uStructSize = ffi.sizeof("DICOMFAILURE")
    record.nCode, record.nStage, record.nSide = fields.code, fields.stage, fields.side
    record.nAlertSent, record.nAlertReceived = fields.alert_sent, fields.alert_received
    record.nCertificateCode = fields.certificate_code
    record.nCertificateDepth = fields.certificate_depth
    kept = []  # the texts, until the call has returned
    for member, text in (
        ("pszMessage", fields.message),
        ("pszOpenSsl", fields.openssl_text),
        ("pszSubject", fields.subject),
        ("pszRemedy", fields.remedy),
    ):
        kept.append(ffi.new("L_TCHAR[]", text.encode("utf-8", "replace").replace(b"\0", b" ")))
        setattr(record, member, kept[-1])
    size = ffi.new("L_UINT *")
    check(lib.L_DicomFormatFailure(record, ffi.NULL, size))
    buffer = ffi.new("L_TCHAR[]", size[0])
    check(lib.L_DicomFormatFailure(record, buffer, size))
    return from_c(buffer)


def traffic(handle: Any) -> tuple[int, int]:
    """Read how many bytes of PDUs were sent and received; zeros for a net that is gone."""
    counts = ffi.new("L_UINT64[2]")
    lib.L_DicomGetTraffic(handle, counts, counts + 1)
    return int(counts[0]), int(counts[1])


def peer_certificates(handle: Any) -> list[tuple[bytes, str]]:
    """Copy DER and text of each certificate the peer sent, leaf first."""
    certificates = []
    for index in range(lib.L_DicomGetPeerCertificateCountTLS(handle)):
        sizes = ffi.new("L_UINT[2]")
        code = lib.L_DicomGetPeerCertificateTLS(handle, index, ffi.NULL, sizes, ffi.NULL, sizes + 1)
        if code != 0:
            break
        der = ffi.new("L_UCHAR[]", max(sizes[0], 1))
        text = ffi.new("L_TCHAR[]", max(sizes[1], 1))
        if lib.L_DicomGetPeerCertificateTLS(handle, index, der, sizes, text, sizes + 1) != 0:
            break
        certificates.append((bytes(ffi.buffer(der, sizes[0])), from_c(text)))
    return certificates


def certificate_text(certificate: bytes, kind: int) -> str:
    """Write the text that OnVerify would get for a certificate in PEM or DER."""
    size = ffi.new("L_UINT *")
    check(lib.L_DicomGetCertificateText(certificate, len(certificate), kind, ffi.NULL, size))
    text = ffi.new("L_TCHAR[]", max(size[0], 1))
    check(lib.L_DicomGetCertificateText(certificate, len(certificate), kind, text, size))
    return from_c(text)


def verify_remedy(code: int) -> str:
    """Give the sentence about what to do for a verification code."""
    return from_c(lib.L_DicomGetVerifyRemedy(code))


def fill_settings(settings: TlsSettings) -> tuple[Any, Any]:
    """Make an L_SSL_CTX_CREATE; keep both results until the call with the first has returned."""
    structure = ffi.new("L_SSL_CTX_CREATE *")
    structure.uStructSize = ffi.sizeof("L_SSL_CTX_CREATE")
    structure.uFlags = lib.FLAG_SSL_CTX_CREATE_ALL
    structure.nMethodTypeSSL = settings.method
    structure.uVerifyMode = settings.flags
    structure.nVerifyDepth = settings.depth
    structure.nOptions = settings.options
    keep = None
    if settings.ca_file != ffi.NULL:
        keep = ffi.new("L_TCHAR[]", settings.ca_file)
        structure.pszCAfile = keep
    return structure, keep


def statistics() -> dict[str, int]:
    """Read the numbers of the running library: nets, connections, threads, ..."""
    structure = ffi.new("DICOMSTATISTICS *")
    structure.uStructSize = ffi.sizeof("DICOMSTATISTICS")
    check(lib.L_DicomGetStatistics(structure))
    return {
        "nets": structure.nNets,
        "connections": structure.nConnections,
        "threads": structure.nThreads,
        "handshakes": structure.nHandshakes,
        "accepted": structure.nAccepted,
        "links": structure.nLinks,
        "link_failures": structure.nLinkFailures,
        "resumed": structure.nResumed,
        "files_read": structure.nFilesRead,
    }
