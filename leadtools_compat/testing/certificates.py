"""X.509 certificates and CRLs, built field by field (RFC 5280) from the encoders of `der`.

The one rule: the caller says what goes in, right or wrong; only what it leaves out gets a sound default.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadtools_compat.testing import der
from leadtools_compat.testing.keys import Key

ATTRIBUTE_OID = {
    "CN": "2.5.4.3",
    "SN": "2.5.4.4",
    "serialNumber": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "title": "2.5.4.12",
    "description": "2.5.4.13",
    "emailAddress": "1.2.840.113549.1.9.1",
    "DC": "0.9.2342.19200300.100.1.25",
}
PURPOSE_OID = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    "any": "2.5.29.37.0",
}
KEY_USAGE_BIT = {
    "digitalSignature": 0,
    "nonRepudiation": 1,
    "keyEncipherment": 2,
    "dataEncipherment": 3,
    "keyAgreement": 4,
    "keyCertSign": 5,
    "cRLSign": 6,
}
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALT_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_NUMBER = "2.5.29.20"
NAME_CONSTRAINTS = "2.5.29.30"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"
UUID_ARC = "2.25.288966212372146530961218283541203746913"  # an arc of nobody (X.667), for extensions unknown to all


@dataclass(frozen=True)
class Signer:
    """Who signs: the name and key of a certificate authority, and its certificate."""

    name: bytes
    key: Key
    der: bytes


@dataclass(frozen=True)
class Extension:
    """One extension: what it is, whether it is critical, and the DER inside its OCTET STRING."""

    oid: str
    value: bytes
    critical: bool = False


def attribute(kind: str, value: str | bytes, tag: int | None = None) -> bytes:
    """Return one AttributeTypeAndValue.

    Parameters
    ----------
    kind
        Short name (``CN``, ``O``, ...) or dotted OID.
    value
        Text, or the raw content octets.
    tag
        Type of string. None takes UTF8String, but PrintableString for ``C`` and IA5String for mail and ``DC``.
    """
    if tag is None:
        short = {"C": der.PRINTABLE_STRING, "emailAddress": der.IA5_STRING, "DC": der.IA5_STRING}
        tag = short.get(kind, der.UTF8_STRING)
    encoded = der.tlv(tag, value) if isinstance(value, bytes) else der.text(value, tag)
    return der.sequence(der.oid(ATTRIBUTE_OID.get(kind, kind)), encoded)


def name(*pairs: tuple[str, str]) -> bytes:
    """Return a Name with one attribute in each RDN: ``name(("CN", "Test"), ("C", "US"))``."""
    return der.sequence(*(der.set_of(attribute(kind, value)) for kind, value in pairs))


def basic_constraints(ca: bool, path_length: int | None = None) -> Extension:
    """Return BasicConstraints, critical for an authority."""
    content = (der.boolean(True) if ca else b"") + (
        der.integer(path_length) if path_length is not None else b""
    )
    return Extension(BASIC_CONSTRAINTS, der.sequence(content), critical=ca)


def key_usage(*usages: str) -> Extension:
    """Return KeyUsage, critical."""
    return Extension(
        KEY_USAGE, der.named_bits(*(KEY_USAGE_BIT[usage] for usage in usages)), critical=True
    )


def extended_key_usage(purposes: Iterable[str], critical: bool = False) -> Extension:
    """Return ExtendedKeyUsage with purposes by short name or dotted OID."""
    encoded = (der.oid(PURPOSE_OID.get(purpose, purpose)) for purpose in purposes)
    return Extension(EXTENDED_KEY_USAGE, der.sequence(*encoded), critical)


def general_name(host: str) -> bytes:
    """Return a GeneralName: an address where `host` is one, else a DNS name."""
    try:
        return der.implicit(7, ipaddress.ip_address(host).packed)
    except ValueError:
        return der.implicit(2, host.encode("utf-8"))


def subject_alt_name(hosts: Iterable[str], critical: bool = False) -> Extension:
    """Return SubjectAltName of DNS names and IP addresses."""
    return Extension(
        SUBJECT_ALT_NAME, der.sequence(*(general_name(host) for host in hosts)), critical
    )


def name_constraints(permitted: Iterable[str] = (), excluded: Iterable[str] = ()) -> Extension:
    """Return NameConstraints on DNS names, critical."""
    content = b""
    for number, hosts in enumerate((permitted, excluded)):
        trees = b"".join(der.sequence(general_name(host)) for host in hosts)
        content += der.implicit(number, trees, constructed=True) if trees else b""
    return Extension(NAME_CONSTRAINTS, der.sequence(content), critical=True)


def subject_key_identifier(key: Key) -> Extension:
    """Return SubjectKeyIdentifier."""
    return Extension(SUBJECT_KEY_IDENTIFIER, der.octets(key.identifier))


def authority_key_identifier(key: Key) -> Extension:
    """Return AuthorityKeyIdentifier with the key identifier only."""
    return Extension(AUTHORITY_KEY_IDENTIFIER, der.sequence(der.implicit(0, key.identifier)))


def unknown_extension(content: bytes, critical: bool = False) -> Extension:
    """Return an extension that no implementation knows."""
    return Extension(UUID_ARC, der.octets(content), critical)


def certificate(
    *,
    subject: bytes,
    key: Key,
    issuer: Signer,
    serial: int | bytes,
    not_before: datetime | bytes,
    not_after: datetime | bytes,
    extensions: Sequence[Extension] = (),
    digest: str = "sha256",
    version: int = 3,
    indefinite: bool = False,
) -> bytes:
    """Return a signed certificate, DER.

    Parameters
    ----------
    serial
        A number, or the raw content octets of its INTEGER.
    not_before, not_after
        Moments, or any encoding.
    extensions
        In the order given, doubles and nonsense included.
    version
        3; or 1, which leaves the extensions out.
    indefinite
        True writes the outer structures with indefinite lengths: BER, not DER.
    """
    algorithm = issuer.key.signature_algorithm(digest)
    validity = der.sequence(
        *(one if isinstance(one, bytes) else der.time(one) for one in (not_before, not_after))
    )
    number = der.tlv(0x02, serial) if isinstance(serial, bytes) else der.integer(serial)
    fields = [number, algorithm, issuer.name, validity, subject, key.spki]
    if version > 1:
        fields.insert(0, der.explicit(0, der.integer(version - 1)))
        if extensions:
            fields.append(
                der.explicit(3, der.sequence(*(_encoded(extension) for extension in extensions)))
            )
    tbs = der.tlv_indefinite(0x30, b"".join(fields)) if indefinite else der.sequence(*fields)
    content = tbs + algorithm + der.bits(issuer.key.sign(tbs, digest))
    return der.tlv_indefinite(0x30, content) if indefinite else der.sequence(content)


def revocation_list(
    *,
    issuer: Signer,
    number: int,
    this_update: datetime,
    next_update: datetime,
    revoked: Sequence[int] = (),
    digest: str = "sha256",
) -> bytes:
    """Return a signed CRL, DER, that names the serial numbers `revoked` (at `this_update`)."""
    algorithm = issuer.key.signature_algorithm(digest)
    fields = [der.integer(1), algorithm, issuer.name, der.time(this_update), der.time(next_update)]
    if revoked:
        fields.append(
            der.sequence(
                *(der.sequence(der.integer(one), der.time(this_update)) for one in revoked)
            )
        )
    extensions = (authority_key_identifier(issuer.key), Extension(CRL_NUMBER, der.integer(number)))
    fields.append(der.explicit(0, der.sequence(*(_encoded(extension) for extension in extensions))))
    tbs = der.sequence(*fields)
    return der.sequence(tbs, algorithm, der.bits(issuer.key.sign(tbs, digest)))


def spoil_signature(encoded: bytes) -> bytes:
    """Return the certificate or CRL with one bit of its signature turned over."""
    return encoded[:-10] + bytes((encoded[-10] ^ 0x01,)) + encoded[-9:]


def _encoded(extension: Extension) -> bytes:
    critical = der.boolean(True) if extension.critical else b""
    return der.sequence(der.oid(extension.oid), critical, der.octets(extension.value))
