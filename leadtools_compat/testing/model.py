"""What the test PKI hands out: kinds, identities and the verdicts that are expected for them.

The one rule: everything here is frozen; an identity may be shared by all tests of a run.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from cryptography import x509

from leadtools_compat.testing.keys import Key

if TYPE_CHECKING:
    from leadtools_compat.testing.chains import Maker

Role = Literal["client", "server"]
KeyType = Literal["rsa", "ec"]
Obstacle = Literal["", "chain over 100 KiB", "cannot be parsed"]


class Complaint(NamedTuple):
    """One complaint about one certificate: a member name of DicomSecurityCertificateExceptionCode, and its depth.

    Depth 0 is the leaf.
    """

    code: str
    depth: int


@dataclass(frozen=True)
class Kind:
    """A kind of identity that `TestPki.make` knows.

    Attributes
    ----------
    name
        What `TestPki.make` takes.
    description
        One line: what is special about it.
    expected
        What a judge says about it, in order, if every complaint is overruled; empty if it is accepted. The first
        one is what ends the handshake by default.
    never_judged
        Why the handshake fails before any verdict, or empty if it does not: the chain is longer than OpenSSL's
        limit for a handshake message (`expected` is what a judge without that limit says), or OpenSSL cannot parse
        it.
    note
        Where versions of OpenSSL differ, or what else is worth knowing; often empty.
    """

    name: str
    description: str
    expected: tuple[Complaint, ...] = ()
    never_judged: Obstacle = ""
    note: str = ""
    build: Callable[[Maker], Draft] = field(repr=False, kw_only=True)

    @property
    def accepted(self) -> bool:
        """True if a handshake with this kind succeeds."""
        return not self.expected and not self.never_judged


@dataclass(frozen=True)
class Draft:
    """What a builder of a kind returns, before it is written to files.

    Attributes
    ----------
    chain
        As the peer sends it, leaf first, DER.
    key
        Of the leaf.
    trust
        What a judge trusts; None for the root of the PKI.
    crls
        None for no CRL checks.
    verify_depth, host
        See `Identity`.
    """

    chain: tuple[bytes, ...]
    key: Key
    trust: tuple[bytes, ...] | None = None
    crls: tuple[bytes, ...] | None = None
    verify_depth: int | None = None
    host: str | None = None
    expected: tuple[Complaint, ...] | None = None


@dataclass(frozen=True)
class Identity:
    """A key with its certificate chain, as files, and what a judge is expected to say about it.

    The judge trusts `ca_file`, checks the purpose of the peer's role at security level 2, and takes any trusted
    certificate as the end of the chain (OpenSSL's ``PARTIAL_CHAIN``). All files are named by absolute paths.

    Attributes
    ----------
    name
        Kind and role, for messages and test ids.
    kind, role
        What was asked for.
    certificate_file
        Leaf and chain, PEM, without the root.
    key_file
        The key, PEM (PKCS #8), not encrypted.
    combined_file
        Leaf, chain and key in one PEM file.
    encrypted_file
        The same with the key encrypted under `key_password`.
    der_file, key_der_file
        Leaf and key, DER.
    p12_file
        Key and chain, PKCS #12, under `key_password`.
    ca_file
        What a judge trusts, PEM.
    crl_file
        CRLs, PEM, of a judge that checks the whole chain for revocation; None for a judge that does not.
    chain_der
        The chain as sent, leaf first.
    key_password
        Of `encrypted_file` and `p12_file`.
    description, expected, never_judged
        See `Kind`.
    verify_depth
        The depth the judge is set to, if that matters: 2 allows two authorities between leaf and root.
    host
        The host name that the judge expects, if that matters.
    """

    name: str
    kind: str
    role: Role
    certificate_file: str
    key_file: str
    combined_file: str
    encrypted_file: str
    der_file: str
    key_der_file: str
    p12_file: str
    ca_file: str
    crl_file: str | None
    chain_der: tuple[bytes, ...] = field(repr=False)
    key_password: str | None
    description: str
    expected: tuple[Complaint, ...] = ()
    never_judged: Obstacle = ""
    verify_depth: int | None = None
    host: str | None = None

    def __repr__(self) -> str:
        said = ", ".join(f"{code}@{depth}" for code, depth in self.expected) or "accepted"
        if self.never_judged:
            said = f"never judged: {self.never_judged}"
        return f"<Identity {self.name}: {said}; {len(self.chain_der)} certificate(s) in {self.certificate_file}>"

    @property
    def accepted(self) -> bool:
        """True if a handshake with this identity succeeds."""
        return not self.expected and not self.never_judged

    @property
    def code(self) -> str:
        """The code of the first complaint, or ``Success``: what the failure record names by default."""
        return self.expected[0].code if self.expected else "Success"

    @property
    def directory(self) -> Path:
        """Where the files are."""
        return Path(self.certificate_file).parent

    @cached_property
    def leaf(self) -> x509.Certificate | None:
        """The leaf as `cryptography` sees it, or None if it refuses to parse it."""
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # it warns of odd serial numbers, which are there on purpose
            try:
                return x509.load_der_x509_certificate(self.chain_der[0])
            except ValueError:
                return None


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the PKI, as files, to sign more with other tools."""

    name: str
    certificate_file: str
    key_file: str
    certificate_der: bytes = field(repr=False)
