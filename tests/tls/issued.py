"""Certificates with any names, purposes, keys and hashes, from the test PKI or signed by themselves."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from leadtools_compat.testing import Identity, TestPki

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Purpose = Literal["client", "server"]
BOTH: tuple[Purpose, ...] = ("client", "server")
PURPOSES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


def issue(
    pki: TestPki,
    folder: Path,
    name: str,
    *,
    names: Sequence[str] | None = None,
    purposes: Sequence[Purpose] | None = BOTH,
    key: Key | None = None,
    days: tuple[float, float] = (-1, 30),
    by_itself: bool = False,
    hash_: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None,
    email: str | None = None,
) -> Identity:
    """Issue a certificate from the PKI's intermediate, or one that is signed by itself.

    Parameters
    ----------
    names
        For the SubjectAltName: DNS names, addresses, e-mail addresses (with ``@``), URIs (with
        ``:``); None: no such extension.
    purposes
        Extended key usages; None: no such extension.
    email
        An e-mail address in the subject, as old certificates have it.
    """
    own = ec.generate_private_key(ec.SECP256R1()) if key is None else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    if email is not None:
        subject = x509.Name([*subject, x509.NameAttribute(NameOID.EMAIL_ADDRESS, email)])
    issuer, signer = subject, own
    authority = x509.load_der_x509_certificate(pki.intermediate.certificate_der)
    if not by_itself:
        loaded = serialization.load_pem_private_key(
            Path(pki.intermediate.key_file).read_bytes(), None
        )
        assert isinstance(loaded, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey))
        issuer, signer = authority.subject, loaded
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days[0]))
        .not_valid_after(now + datetime.timedelta(days[1]))
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([general_name(one) for one in names]), False
        )
    if purposes is not None:
        usages = [PURPOSES[one] for one in purposes]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
    if not by_itself:  # Python 3.13 insists on it
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        )
    method = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hash_ or hashes.SHA256()
    certificate = builder.sign(signer, method)
    chain = [certificate] if by_itself else [certificate, authority]
    return write(pki, folder, name, own, chain)


def general_name(text: str) -> x509.GeneralName:
    """Make a name of the kind that the text shows."""
    if "@" in text:
        return x509.RFC822Name(text)
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    return x509.UniformResourceIdentifier(text) if ":" in text else x509.DNSName(text)


def write(
    pki: TestPki, folder: Path, name: str, key: Key, chain: Sequence[x509.Certificate]
) -> Identity:
    """Write chain and key as files, and give them as an identity."""
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificates = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain)
    files = {".pem": certificates, ".key": encoded, "-combined.pem": certificates + encoded}
    for suffix, content in files.items():
        (folder / f"{name}{suffix}").write_bytes(content)
    return dataclasses.replace(
        pki.client,
        name=name,
        kind="issued",
        certificate_file=str(folder / f"{name}.pem"),
        key_file=str(folder / f"{name}.key"),
        combined_file=str(folder / f"{name}-combined.pem"),
        chain_der=tuple(one.public_bytes(serialization.Encoding.DER) for one in chain),
    )
