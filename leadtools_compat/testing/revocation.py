"""Revocation lists (RFC 5280) and OCSP responses (RFC 6960) of a test PKI.

The one rule: whoever asks says who signs, rightly or not; `cryptography` puts it together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp

from leadtools_compat.testing import certificates
from leadtools_compat.testing.certificates import Signer

__all__ = ["CertificateStatus", "lists_of", "must_staple", "ocsp_response", "refusing_response"]

CertificateStatus = Literal["good", "revoked", "unknown"]
TLS_FEATURE = "1.3.6.1.5.5.7.1.24"
_STATUS = {
    "good": ocsp.OCSPCertStatus.GOOD,
    "revoked": ocsp.OCSPCertStatus.REVOKED,
    "unknown": ocsp.OCSPCertStatus.UNKNOWN,
}


def must_staple() -> certificates.Extension:
    """Return the extension of a certificate that is only good with a staple (RFC 7633)."""
    return certificates.Extension(TLS_FEATURE, b"\x30\x03\x02\x01\x05")


def _clock(days: float, now: datetime | None) -> datetime:
    moment = datetime.now(timezone.utc) if now is None else now
    return (moment + timedelta(days=days)).replace(microsecond=0)


def lists_of(
    authorities: Iterable[Signer],
    revoked: Sequence[bytes],
    days: tuple[float, float],
    now: datetime | None = None,
    number: int = 1,
) -> list[bytes]:
    """Return one list of each authority, DER; `revoked` are certificates, each named by its issuer's."""
    found = [x509.load_der_x509_certificate(one) for one in revoked]
    return [
        certificates.revocation_list(
            issuer=authority,
            number=number,
            this_update=_clock(days[0], now),
            next_update=_clock(days[1], now),
            revoked=[
                one.serial_number for one in found if one.issuer.public_bytes() == authority.name
            ],
        )
        for authority in authorities
    ]


def ocsp_response(
    certificate: bytes,
    issuer: bytes,
    responder: bytes,
    key: bytes,
    status: CertificateStatus = "good",
    days: tuple[float, float | None] = (-1 / 24, 1),
    *,
    now: datetime | None = None,
    send: bool = False,
    by_name: bool = False,
    digest: hashes.HashAlgorithm | None = None,
) -> bytes:
    """Return a signed OCSP response, DER.

    Parameters
    ----------
    certificate, issuer
        What it is about, DER.
    responder, key
        Who signs: certificate and key (PKCS #8), DER.
    status
        What it says. A revoked one is so since an hour before the response.
    days
        thisUpdate and nextUpdate, in days from now; None for no nextUpdate.
    send
        Whether the responder's certificate goes along.
    by_name
        The responder is named by its name instead of its key.
    digest
        Hash of the certificate's id; None for SHA-1, as everybody does it.
    """
    loaded = serialization.load_der_private_key(key, None)
    assert isinstance(loaded, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey))
    signer = x509.load_der_x509_certificate(responder)
    start, end = days
    gone = status == "revoked"
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=x509.load_der_x509_certificate(certificate),
        issuer=x509.load_der_x509_certificate(issuer),
        algorithm=digest or hashes.SHA1(),
        cert_status=_STATUS[status],
        this_update=_clock(start, now),
        next_update=None if end is None else _clock(end, now),
        revocation_time=_clock(start - 1 / 24, now) if gone else None,
        revocation_reason=x509.ReasonFlags.key_compromise if gone else None,
    )
    encoding = ocsp.OCSPResponderEncoding
    builder = builder.responder_id(encoding.NAME if by_name else encoding.HASH, signer)
    if send:
        builder = builder.certificates([signer])
    response = builder.sign(loaded, hashes.SHA256())
    return response.public_bytes(serialization.Encoding.DER)


def refusing_response() -> bytes:
    """Return a response that says no more than "try later", DER."""
    busy = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    return busy.public_bytes(serialization.Encoding.DER)
