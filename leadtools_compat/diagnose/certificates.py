"""Certificates in words: read from files or from a handshake, put in order, found at fault.

The one rule: a certificate that cannot be parsed in a part is described in all others.
"""

from __future__ import annotations

import base64
import errno
import os
import re
import stat
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID

from leadtools_compat._binding import reads
from leadtools_compat.diagnose.model import Certificate, Finding, Level
from leadtools_compat.dicom import DicomException, DicomTlsCertificateType

__all__ = [
    "EXPIRY_DAYS",
    "CertificateFile",
    "NoCertificateError",
    "describe",
    "expiry_finding",
    "order_findings",
    "read_file",
    "read_lists",
    "strength_findings",
]

EXPIRY_DAYS = (30, 7, 1)
"""Days before its end at which a certificate is warned about."""

_HEAD = 4096
_SIZE_LIMIT = 16 * 1024 * 1024
_PEM = b"-----BEGIN "


@dataclass
class CertificateFile:
    """What a file has.

    Attributes
    ----------
    kind
        ``PEM``, ``DER`` or ``PKCS #12``.
    certificates
        DER, in the order of the file.
    keys
        How many there are.
    lists
        Revocation lists, DER.
    problems
        Blocks that cannot be read.
    """

    path: Path
    kind: str = ""
    certificates: list[bytes] = field(default_factory=list)
    keys: int = 0
    lists: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class NoCertificateError(ValueError):
    """A file that is in order, but has only keys or revocation lists."""


def read_file(path: Path, password: Callable[[], str | None] | None = None) -> CertificateFile:
    """Read a file of certificates.

    Parameters
    ----------
    password
        Called for a PKCS #12 file.

    Raises
    ------
    OSError
        The file cannot be read.
    NoCertificateError
        It has keys or revocation lists only.
    ValueError
        It has no certificate, or the password is wrong; the text says so.
    """
    made = _read(path, password)
    if not made.certificates:
        if made.problems:
            raise ValueError(f"no certificate in it: {made.problems[0]}")
        if not (made.keys or made.lists):
            raise ValueError("no certificate in it")
        held = "a private key" if made.keys else "revocation lists"
        raise NoCertificateError(f"no certificate in it, only {held}")
    return made


def read_lists(path: Path) -> list[bytes]:
    """Read the revocation lists of a file, PEM or DER; gives them in DER.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It has none; the text says what it has.
    """
    made = _read(path, None)
    if not made.lists:
        held = f"; it has {len(made.certificates)} certificates" if made.certificates else ""
        raise ValueError(f"no revocation list in it{held}")
    return made.lists


def _read(path: Path, password: Callable[[], str | None] | None) -> CertificateFile:
    about = path.stat()
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(about.st_mode):  # opening a pipe would wait for its other end
        raise ValueError("not a file")
    if about.st_size > _SIZE_LIMIT:
        raise ValueError("larger than 16 MiB: no file of certificates")
    with path.open("rb") as stream:
        content = stream.read(_HEAD)
        if not content:
            raise ValueError("the file is empty")
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ValueError("text in UTF-16: save it as plain text (ASCII or UTF-8)")
        der = content[:1] == b"\x30"
        if not der and b"\0" in content:  # an image, say: the rest of it is not read
            raise ValueError("neither PEM nor DER: not a file of certificates")
        content += stream.read()
    made = CertificateFile(path)
    if _PEM in content:
        _read_pem(content, made)
    elif der:
        _read_der(content, made, password)
    else:
        raise ValueError("neither PEM nor DER: not a file of certificates")
    return made


def _read_pem(content: bytes, made: CertificateFile) -> None:
    made.kind = "PEM"
    pattern = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
    found = 0
    for number, match in enumerate(pattern.finditer(content), 1):
        found += 1
        label = match[1].decode("ascii")
        into = made.lists if label == "X509 CRL" else made.certificates
        if label in ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL"):
            try:
                into.append(base64.b64decode(b"".join(match[2].split()), validate=True))
            except ValueError:
                made.problems.append(f"block {number} is not valid Base64")
        elif label.endswith("PRIVATE KEY"):
            made.keys += 1
        else:
            made.problems.append(f"block {number} is a {label}")
    begun = content.count(_PEM)
    if begun > found:
        made.problems.append(f"{begun - found} of {begun} blocks have no matching END line")


def _read_der(
    content: bytes, made: CertificateFile, password: Callable[[], str | None] | None
) -> None:
    try:
        reads.certificate_text(content, DicomTlsCertificateType.Asn1)
    except DicomException:
        pass
    else:
        made.kind = "DER"
        made.certificates.append(content)
        return
    if _read_other_der(content, made):
        return
    secret: str | None = None
    for attempt in range(2):
        try:
            key, leaf, others = pkcs12.load_key_and_certificates(
                content, None if secret is None else secret.encode()
            )
        except ValueError as error:
            if "password" not in str(error).lower() and "mac" not in str(error).lower():
                raise ValueError("DER, but neither a certificate nor PKCS #12") from error
            if attempt == 0 and password is not None:
                secret = password()
                if secret is not None:
                    continue
                raise ValueError("PKCS #12 with a password, and none was given") from error
            raise ValueError("PKCS #12: the password is wrong") from error
        made.kind = "PKCS #12"
        made.keys = 0 if key is None else 1
        for one in (leaf, *others):
            if one is not None:
                made.certificates.append(one.public_bytes(Encoding.DER))
        return


def _read_other_der(content: bytes, made: CertificateFile) -> bool:
    """Tell a revocation list or a key from what may be PKCS #12."""
    with warnings.catch_warnings(), suppress(ValueError):
        warnings.simplefilter("ignore")
        x509.load_der_x509_crl(content)
        made.kind, made.lists = "DER", [content]
        return True
    try:
        load_der_private_key(content, None)
    except TypeError:  # it is one, and encrypted
        pass
    except (ValueError, UnsupportedAlgorithm):
        return False
    made.kind, made.keys = "DER", 1
    return True


def describe(der: bytes, now: datetime | None = None) -> Certificate:
    """Describe a certificate; what cannot be read is named in `Certificate.faults`."""
    made = Certificate()
    try:
        made.text = reads.certificate_text(der, DicomTlsCertificateType.Asn1)
    except DicomException as error:
        made.faults.append(error.Message)
    _from_text(made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parsed = x509.load_der_x509_certificate(der)
        except ValueError as error:
            made.faults.append(f"cannot be parsed strictly: {error}")
            return made
        made.sha256 = parsed.fingerprint(hashes.SHA256()).hex(":")
        for part in (_validity, _key, _signature, _extensions):
            _try(part, made, parsed, now or datetime.now(timezone.utc))
    return made


def _try(
    part: Callable[[Certificate, x509.Certificate, datetime], None],
    made: Certificate,
    parsed: x509.Certificate,
    now: datetime,
) -> None:
    try:
        part(made, parsed, now)
    except (ValueError, x509.UnsupportedGeneralNameType) as error:
        made.faults.append(f"{part.__name__.strip('_')}: {error}")
    except Exception as error:  # noqa: BLE001 - parsers of hostile bytes
        made.faults.append(f"{part.__name__.strip('_')}: {type(error).__name__}: {error}")


def _from_text(made: Certificate) -> None:
    for line in made.text.splitlines():
        name, _, value = line.strip().partition(":")
        if name == "Subject Name":
            made.subject = value.strip()
        elif name == "Issuer Name":
            made.issuer = value.strip()
        elif name == "Serial Number":
            made.serial = value.strip()
        elif value.strip() == "Yes":
            made.purposes.append(name.strip())
        elif line.strip().startswith("CA (Certificate"):
            made.is_ca = True
    made.self_issued = bool(made.subject) and made.subject == made.issuer


def _validity(made: Certificate, parsed: x509.Certificate, now: datetime) -> None:
    made.not_before, made.not_after = parsed.not_valid_before_utc, parsed.not_valid_after_utc
    made.days_left = int((made.not_after - now).total_seconds() // 86400)


def _key(made: Certificate, parsed: x509.Certificate, now: datetime) -> None:
    key = parsed.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        made.key, made.key_bits = f"RSA {key.key_size}", key.key_size
    elif isinstance(key, ec.EllipticCurvePublicKey):
        made.key, made.key_bits = f"EC {key.curve.name}", key.key_size
    elif isinstance(key, dsa.DSAPublicKey):
        made.key, made.key_bits = f"DSA {key.key_size}", key.key_size
    elif isinstance(key, ed25519.Ed25519PublicKey):
        made.key, made.key_bits = "Ed25519", 256
    elif isinstance(key, ed448.Ed448PublicKey):
        made.key, made.key_bits = "Ed448", 448
    else:
        made.key = type(key).__name__


def _signature(made: Certificate, parsed: x509.Certificate, now: datetime) -> None:
    digest = parsed.signature_hash_algorithm
    scheme = parsed.signature_algorithm_oid._name
    made.signature = scheme if digest is None else f"{scheme} ({digest.name.upper()})"


def _extensions(made: Certificate, parsed: x509.Certificate, now: datetime) -> None:
    for extension in parsed.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            made.names += [str(one.value) for one in value if isinstance(one, _NAMED)]
        elif isinstance(value, x509.AuthorityInformationAccess):
            made.ocsp += [
                str(one.access_location.value)
                for one in value
                if one.access_method == AuthorityInformationAccessOID.OCSP
            ]
        elif isinstance(value, x509.TLSFeature):
            made.must_staple = x509.TLSFeatureType.status_request in value


_NAMED = (x509.DNSName, x509.IPAddress)


# ---- findings


def expiry_finding(certificate: Certificate, whose: str) -> Finding | None:
    """Judge a certificate's end: an error when it is over, a warning from 30 days before."""
    days = certificate.days_left
    if days is None or certificate.not_after is None:
        return None
    until = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC"
    if days < 0:
        text = f"{whose} ({certificate.subject}) ended on {until}, {-days} days ago."
        return Finding(Level.error, "certificate", text, "Renew it, or check the clock.")
    if days <= EXPIRY_DAYS[0]:
        level = Level.error if days <= EXPIRY_DAYS[1] else Level.warning
        text = f"{whose} ({certificate.subject}) ends in {days} days, on {until}."
        return Finding(level, "certificate", text, "Renew it before that.")
    return None


def strength_findings(certificate: Certificate, whose: str) -> list[Finding]:
    """Judge key and signature by PS3.15 B.12: RSA 2048, EC 256, SHA-256 or better."""
    found = []
    weak = certificate.key.startswith(("RSA", "DSA")) and 0 < certificate.key_bits < 2048
    weak = weak or (certificate.key.startswith("EC ") and 0 < certificate.key_bits < 256)
    if weak:
        found.append(
            Finding(
                Level.error,
                "certificate",
                f"The key of {whose} ({certificate.subject}) is weak: {certificate.key}.",
                "Have it issued anew with RSA 2048 bits or more, or EC P-256.",
            )
        )
    if any(old in certificate.signature for old in ("(SHA1)", "(MD5)")) and (
        not certificate.self_issued
    ):
        found.append(
            Finding(
                Level.error,
                "certificate",
                f"{whose} ({certificate.subject}) is signed with {certificate.signature}.",
                "Have it signed with SHA-256 or better.",
            )
        )
    return found


def order_findings(chain: Sequence[Certificate]) -> list[Finding]:
    """Judge the order of a chain: own certificate first, each signed by the next one."""
    found: list[Finding] = []
    if not chain:
        return found
    subjects = {one.subject for one in chain}
    issuers = {one.issuer for one in chain if not one.self_issued}
    reversed_chain = (
        len(chain) > 1 and chain[0].is_ca and all(b.issuer == a.subject for a, b in pairwise(chain))
    )
    if reversed_chain:
        text = "The chain is reversed: it begins with the authority."
        remedy = "Put the own certificate first, then the one that signed it, and so on."
        return [Finding(Level.error, "chain", text, remedy)]
    if len(chain) > 1 and chain[0].is_ca and any(not one.is_ca for one in chain):
        text = "The first certificate is an authority; TLS presents the first one as its own."
        found.append(Finding(Level.error, "chain", text, "Put the own certificate first."))
    for number, (one, above) in enumerate(pairwise(chain)):
        if one.issuer == above.subject:
            continue
        if one.issuer in subjects:
            text = (
                f"Certificate {number + 1} ({above.subject}) is not the one that signed {number}."
            )
            found.append(
                Finding(Level.warning, "chain", text, "Put each certificate before its issuer.")
            )
        elif not one.self_issued:
            text = f"The issuer of certificate {number}, {one.issuer}, is missing."
            found.append(Finding(Level.warning, "chain", text, "Add the intermediate certificate."))
    strangers = [
        one for one in chain[1:] if one.subject not in issuers and one.subject != chain[0].issuer
    ]
    if strangers and not found:
        text = f"{strangers[0].subject} does not belong to the chain."
        found.append(Finding(Level.note, "chain", text, "Take it out."))
    return found
