"""The bench where chains are put together: authorities, leaves and CRLs with sound defaults.

The one rule: a `Maker` belongs to one kind and one role, and everything random about it (keys, serial numbers) comes
from the PKI's entropy under a label with both in it. A builder says only what is special.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from leadtools_compat.testing import certificates as x
from leadtools_compat.testing.keys import (
    Entropy,
    Key,
    RsaKey,
    ec_key,
    ed25519_key,
    fresh_entropy,
    rsa_key,
)
from leadtools_compat.testing.model import Draft, KeyType, Role

BOTH_PURPOSES = ("serverAuth", "clientAuth")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
CA_USAGES = ("keyCertSign", "cRLSign", "digitalSignature")
ORGANIZATION = ("O", "leadtools_compat test PKI")

Validity = tuple[datetime, datetime]


class Workshop:
    """Keys, clock and the two standing authorities of one PKI.

    Parameters
    ----------
    seed
        None for fresh keys.
    key
        Type of all keys for which a kind asks nothing else.
    now
        The moment to which all validity is relative.
    clock
        The moment for `clock_skew` alone: the real time, unless `now` was given.
    """

    def __init__(
        self, seed: int | str | bytes | None, key: KeyType, now: datetime, clock: datetime
    ) -> None:
        self.fresh = seed is None
        self.entropy = fresh_entropy() if seed is None else Entropy(seed)
        self.key_type = key
        self.now = now
        self.clock = clock
        self._keys: dict[tuple[str, str], Key] = {}
        maker = Maker(self, "standing", "server", key)
        self.root = maker.authority("Test Root CA", None, key="root", valid=self.days(-2, 3650))
        self.intermediate = maker.authority(
            "Test Intermediate CA", self.root, key="intermediate", path_length=0
        )

    def days(self, start: float, end: float) -> Validity:
        """Return a validity in days from now."""
        return self.now + timedelta(days=start), self.now + timedelta(days=end)

    def key(self, label: str, kind: str | None = None) -> Key:
        """Return the key of `label`: ``rsa``, ``ec``, ``ed25519`` or ``rsa1024`` (any size)."""
        kind = kind or self.key_type
        if (label, kind) not in self._keys:
            self._keys[label, kind] = self._new_key(label, kind)
        return self._keys[label, kind]

    def _new_key(self, label: str, kind: str) -> Key:
        if kind == "ec":
            return ec_key(self.entropy, label)
        if kind == "ed25519":
            return ed25519_key(self.entropy, label)
        if not kind.startswith("rsa"):
            raise ValueError(f"unknown type of key {kind!r}: use 'rsa' or 'ec'")
        return rsa_key(None if self.fresh else self.entropy, label, int(kind[3:] or 2048))


class Maker:
    """Makes the certificates of one identity."""

    def __init__(self, shop: Workshop, kind: str, role: Role, key: KeyType) -> None:
        self.shop = shop
        self.kind = kind
        self.role: Role = role
        self.key_type = key

    @property
    def root(self) -> x.Signer:
        """The root of the PKI."""
        return self.shop.root

    @property
    def intermediate(self) -> x.Signer:
        """The intermediate of the PKI: it may sign leaves, not authorities."""
        return self.shop.intermediate

    @property
    def leaf_key(self) -> Key:
        """The key of leaves of this role."""
        return self.shop.key(self.role, self.key_type)

    def days(self, start: float, end: float) -> Validity:
        """Return a validity in days from now."""
        return self.shop.days(start, end)

    def serial(self, what: str) -> int:
        """Return the serial number of `what`: positive, 16 octets at most."""
        label = (
            f"serial {what}"
            if self.kind == "standing"
            else f"serial {self.kind} {self.role} {what}"
        )
        return self.shop.entropy.integer(label, 126) | 1 << 126

    def subject(self, *more: tuple[str, str]) -> bytes:
        """Return the usual name of a leaf, and `more`."""
        title = self.role.capitalize()
        return x.name(("CN", f"Test {title}"), ("O", f"Test {title} Organization"), *more)

    def rsa_issuer(self) -> x.Signer:
        """Return an intermediate with an RSA key: the standing one if it has one."""
        if isinstance(self.intermediate.key, RsaKey):
            return self.intermediate
        return self.authority(
            "Test RSA Intermediate CA", self.root, key=self.shop.key("intermediate", "rsa")
        )

    def rsa_root(self) -> x.Signer:
        """Return a root with an RSA key: the standing one if it has one, else one that is to be trusted too."""
        if isinstance(self.root.key, RsaKey):
            return self.root
        return self.authority("Test RSA Root CA", None, key=self.shop.key("intermediate", "rsa"))

    def authority(
        self,
        title: str,
        issuer: x.Signer | None,
        *,
        key: str | Key = "other",
        subject: bytes | None = None,
        ca: bool = True,
        path_length: int | None = None,
        usages: Sequence[str] = CA_USAGES,
        purposes: Sequence[str] | None = None,
        valid: Validity | None = None,
        extra: Iterable[x.Extension] = (),
        serial: int | None = None,
        digest: str = "sha256",
        version: int = 3,
    ) -> x.Signer:
        """Make an authority.

        Parameters
        ----------
        title
            Its common name.
        issuer
            None for a self-signed one.
        key
            Label of its key, or the key: ``other`` is one that neither standing authority has.
        usages
            Key usages; empty for no such extension.
        purposes
            Extended key usages; None for no such extension.
        """
        own = self.shop.key(key) if isinstance(key, str) else key
        subject = subject or x.name(("CN", title), ORGANIZATION)
        signer = issuer or x.Signer(subject, own, b"")
        extensions = [x.basic_constraints(ca, path_length)]
        extensions += [x.key_usage(*usages)] if usages else []
        extensions += [x.extended_key_usage(purposes)] if purposes else []
        extensions += [
            x.subject_key_identifier(own),
            x.authority_key_identifier(signer.key),
            *extra,
        ]
        start, end = valid or self.days(-1, 1825)
        encoded = x.certificate(
            subject=subject,
            key=own,
            issuer=signer,
            serial=self.serial(title) if serial is None else serial,
            not_before=start,
            not_after=end,
            extensions=extensions,
            digest=digest,
            version=version,
        )
        return x.Signer(subject, own, encoded)

    def leaf(
        self,
        issuer: x.Signer | None = None,
        *,
        key: Key | None = None,
        subject: bytes | None = None,
        hosts: Sequence[str] = LOCAL_HOSTS,
        usages: Sequence[str] | None = None,
        purposes: Sequence[str] | None = BOTH_PURPOSES,
        critical_purposes: bool = False,
        valid: Validity | None = None,
        extra: Iterable[x.Extension] = (),
        constraints: x.Extension | None = None,
        serial: int | bytes | None = None,
        digest: str = "sha256",
        version: int = 3,
        indefinite: bool = False,
        times: tuple[bytes | None, bytes | None] = (None, None),
    ) -> bytes:
        """Make a leaf, DER; what is not said is as in a good one.

        Parameters
        ----------
        issuer
            None for the standing intermediate.
        hosts
            Names and addresses; empty for no SubjectAltName, which is critical if the subject is empty.
        purposes
            None for no ExtendedKeyUsage.
        extra
            Extensions that come last.
        constraints
            In place of BasicConstraints CA:FALSE.
        times
            Encodings in place of those of `valid`.
        """
        key = key or self.leaf_key
        issuer = issuer or self.intermediate
        subject = self.subject() if subject is None else subject
        if usages is None:
            usages = (
                ("digitalSignature", "keyEncipherment")
                if isinstance(key, RsaKey)
                else ("digitalSignature",)
            )
        extensions = [constraints or x.basic_constraints(False), x.key_usage(*usages)]
        extensions += [x.extended_key_usage(purposes, critical_purposes)] if purposes else []
        extensions += [x.subject_alt_name(hosts, critical=subject == x.name())] if hosts else []
        extensions += [
            x.subject_key_identifier(key),
            x.authority_key_identifier(issuer.key),
            *extra,
        ]
        start, end = valid or self.days(-1, 397)
        return x.certificate(
            subject=subject,
            key=key,
            issuer=issuer,
            serial=self.serial("leaf") if serial is None else serial,
            not_before=times[0] or start,
            not_after=times[1] or end,
            extensions=extensions,
            digest=digest,
            version=version,
            indefinite=indefinite,
        )

    def crl(
        self,
        issuer: x.Signer,
        *revoked: int,
        number: int = 1,
        valid: Validity | None = None,
        spoiled: bool = False,
    ) -> bytes:
        """Return a CRL of `issuer`."""
        start, end = valid or self.days(-1, 397)
        encoded = x.revocation_list(
            issuer=issuer, number=number, this_update=start, next_update=end, revoked=revoked
        )
        return x.spoil_signature(encoded) if spoiled else encoded

    def draft(
        self,
        leaf: bytes,
        *authorities: x.Signer,
        key: Key | None = None,
        trust: Sequence[bytes] | None = None,
        crls: Sequence[bytes] | None = None,
        verify_depth: int | None = None,
        host: str | None = None,
    ) -> Draft:
        """Return the identity's draft; `authorities` are sent after the leaf in the order given."""
        return Draft(
            chain=(leaf, *(authority.der for authority in authorities)),
            key=key or self.leaf_key,
            trust=None if trust is None else tuple(trust),
            crls=None if crls is None else tuple(crls),
            verify_depth=verify_depth,
            host=host,
        )
