"""TestPki: a certificate authority in a folder, with good identities and all kinds of bad ones.

The one rule: nothing is made before it is asked for, but root, intermediate, server and client, and nothing twice.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import ClassVar, get_args

from leadtools_compat.testing import catalogue, files
from leadtools_compat.testing.certificates import Signer
from leadtools_compat.testing.certificates import name as distinguished_name
from leadtools_compat.testing.chains import BOTH_PURPOSES, LOCAL_HOSTS, Maker, Workshop
from leadtools_compat.testing.model import Authority, Draft, Identity, KeyType, Kind, Role
from leadtools_compat.testing.revocation import (
    CertificateStatus,
    lists_of,
    must_staple,
    ocsp_response,
)


class TestPki:
    """A test PKI: one call makes root, intermediate, server and client; `make` makes the rest.

    Parameters
    ----------
    directory
        Where the files go; it is made if it is not there. Each process needs its own one.
    seed
        Anything; the same seed and the same `now` give the same bytes. None makes fresh keys. Keys from a seed are
        as public as the seed: never use them outside tests.
    key
        ``rsa`` (2048 bits) or ``ec`` (P-256): the type of all keys for which a kind asks nothing else. ``ec`` is
        much quicker to make.
    now
        The moment to which all validity is relative. None takes the last midnight, UTC, so that the certificates
        are good today.

    Attributes
    ----------
    server, client
        Good identities: localhost, 127.0.0.1 and ::1, for both TLS roles, as DICOM nodes play both.
    root, intermediate
        The authorities.
    ca_file
        The root, PEM: what peers trust.

    Raises
    ------
    OSError
        If the directory cannot be made or written.
    ValueError
        If `key` is unknown.

    Examples
    --------
    >>> pki = TestPki("certificates", seed="demo")          # doctest: +SKIP
    >>> pki.client.combined_file                            # doctest: +SKIP
    '/home/me/certificates/client-combined.pem'
    >>> pki.make("expired", role="server").expected         # doctest: +SKIP
    (Complaint(code='CertHasExpired', depth=0),)
    """

    __test__: ClassVar[bool] = False

    def __init__(
        self,
        directory: str | os.PathLike[str],
        seed: int | str | bytes | None = None,
        key: KeyType = "rsa",
        *,
        now: datetime | None = None,
    ) -> None:
        _check(key, KeyType, "key")
        today = datetime.now(timezone.utc)
        midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
        self.directory = Path(directory).absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.seed = seed
        self.key: KeyType = key
        self.now = midnight if now is None else now.astimezone(timezone.utc)
        self._shop = Workshop(seed, key, self.now, today if now is None else self.now)
        self._lock = threading.RLock()
        self._made: dict[tuple[str, Role, KeyType], Identity] = {}
        self.root = self._authority(self._shop.root, "ca")
        self.intermediate = self._authority(self._shop.intermediate, "intermediate")
        self.ca_file = self.root.certificate_file
        self.server = self._standing("server")
        self.client = self._standing("client")

    def __repr__(self) -> str:
        return f"<TestPki {self.directory}: {self.key}, seed {self.seed!r}, {len(self._made)} more identities made>"

    @staticmethod
    def kinds() -> tuple[Kind, ...]:
        """Return all kinds that `make` knows, each with a description and the expected verdict."""
        return tuple(catalogue.KINDS.values())

    def make(self, kind: str, role: Role = "client", key: KeyType | None = None) -> Identity:
        """Make an identity of a kind, or return it if it is there.

        Parameters
        ----------
        kind
            One of `kinds`.
        role
            The role in which the peer presents it.
        key
            Type of the leaf's key; None for that of the PKI. Kinds that are about the key ignore it.

        Raises
        ------
        ValueError
            If kind, role or key is unknown.
        OSError
            If the files cannot be written.
        """
        found = catalogue.find(kind)
        _check(role, Role, "role")
        key = key or self.key
        _check(key, KeyType, "key")
        with self._lock:
            if (kind, role, key) not in self._made:
                folder = kind if key == self.key else f"{kind}-{key}"
                draft = found.build(Maker(self._shop, kind, role, key))
                self._made[kind, role, key] = self._write(
                    found, role, draft, self.directory / folder
                )
            return self._made[kind, role, key]

    def issue(
        self,
        name: str,
        *,
        role: Role = "client",
        hosts: Sequence[str] = LOCAL_HOSTS,
        purposes: Sequence[str] | None = BOTH_PURPOSES,
        days: tuple[float, float] = (-1, 397),
        key: KeyType | None = None,
        staple: bool = False,
    ) -> Identity:
        """Issue a certificate of your own from the intermediate, with a key of its own.

        Parameters
        ----------
        name
            Common name; it names the folder too.
        hosts
            DNS names and addresses for the SubjectAltName.
        purposes
            Extended key usages by name (``serverAuth``) or dotted OID; None for no such extension.
        days
            Validity from and until, in days from `now`.
        staple
            True for a certificate that is only good with an OCSP staple (RFC 7633).

        Raises
        ------
        ValueError
            If `name` cannot name a folder, or role or key is unknown.
        OSError
            If the files cannot be written.
        """
        _check(role, Role, "role")
        _check(key or self.key, KeyType, "key")
        if name in ("", ".", "..") or set(name) & set("/\\\0"):
            raise ValueError(f"{name!r} cannot name a folder")
        with self._lock:
            maker = Maker(self._shop, f"issued {name}", role, key or self.key)
            own = self._shop.key(f"issued {name}", key or self.key)
            subject = distinguished_name(("CN", name))
            leaf = maker.leaf(
                key=own,
                subject=subject,
                hosts=hosts,
                purposes=purposes,
                valid=maker.days(*days),
                extra=[must_staple()] if staple else [],
            )
            draft = maker.draft(leaf, maker.intermediate, key=own)
            kind = Kind(name, f"issued for {name}", build=lambda _: draft)
            return self._write(kind, role, draft, self.directory / "issued" / name)

    def crl(
        self,
        *revoked: Identity | Authority,
        name: str = "crl",
        days: tuple[float, float] = (-1 / 24, 1),
        authorities: Sequence[str] = ("ca", "intermediate"),
        der: bool = False,
    ) -> str:
        """Write the revocation lists of the authorities into one file, and return its path.

        Parameters
        ----------
        revoked
            Who is named, each in the list of its issuer.
        name
            Stem of the file ``NAME.crl.pem`` in the PKI's directory; one that is there is replaced
            at once, so a running node never reads half of it.
        days
            Beginning and end of the lists, in days from this moment.
        authorities
            Names of those whose lists go in: ``ca``, ``intermediate``.
        der
            True for ``NAME.crl``, DER; for one authority.

        Raises
        ------
        ValueError
            For an unknown authority, or several with `der`.
        OSError
            If the file cannot be written.
        """
        known = {"ca": self._shop.root, "intermediate": self._shop.intermediate}
        for one in authorities:
            _one_of(one, known, "authority")
        if der and len(authorities) != 1:
            raise ValueError("a DER file holds one list: give one authority")
        gone = [
            one.certificate_der if isinstance(one, Authority) else one.chain_der[0]
            for one in revoked
        ]
        lists = lists_of([known[one] for one in authorities], gone, days)
        content = lists[0] if der else files.pem("X509 CRL", *lists)
        return str(files.write(self.directory / f"{name}.crl{'' if der else '.pem'}", content))

    def ocsp(
        self,
        identity: Identity,
        status: CertificateStatus = "good",
        *,
        name: str = "",
        days: tuple[float, float | None] = (-1 / 24, 1),
        responder: Identity | None = None,
        by_name: bool = False,
    ) -> str:
        """Write an OCSP response about an identity's certificate, DER, and return its path.

        Parameters
        ----------
        identity
            One whose chain is sent whole: its issuer is the second certificate.
        status
            ``good``, ``revoked`` or ``unknown``.
        name
            Stem of the file ``NAME.ocsp`` in the PKI's directory; "" for the identity's. One that is
            there is replaced at once.
        days
            thisUpdate and nextUpdate, in days from this moment; None for no nextUpdate.
        responder
            Who signs; its certificate is sent along. None: the intermediate itself. A good one is
            ``issue("responder", purposes=("OCSPSigning",), hosts=())``.
        by_name
            The responder is named by its name instead of its key.

        Raises
        ------
        ValueError
            If the identity has no issuer in its chain.
        OSError
            If the file cannot be written.
        """
        if len(identity.chain_der) < 2:
            raise ValueError(f"{identity.name} was not issued by an authority of its chain")
        signer = self._shop.intermediate.der, self._shop.intermediate.key.pkcs8
        if responder is not None:
            signer = responder.chain_der[0], Path(responder.key_der_file).read_bytes()
        content = ocsp_response(
            identity.chain_der[0],
            identity.chain_der[1],
            *signer,
            status,
            days,
            send=responder is not None,
            by_name=by_name,
        )
        return str(files.write(self.directory / f"{name or identity.name}.ocsp", content))

    def _standing(self, role: Role) -> Identity:
        kind = catalogue.find("good_rsa" if self.key == "rsa" else "good_ec")
        draft = kind.build(Maker(self._shop, kind.name, role, self.key))
        return self._write(kind, role, draft, self.directory)

    def _authority(self, signer: Signer, stem: str) -> Authority:
        certificate = files.write(
            self.directory / f"{stem}.pem", files.pem("CERTIFICATE", signer.der)
        )
        files.write(self.directory / f"{stem}.der", signer.der)
        key = files.pem("PRIVATE KEY", signer.key.pkcs8)
        key_file = files.write(self.directory / f"{stem}.key", key, secret=True)
        return Authority(stem, str(certificate), str(key_file), signer.der)

    def _write(self, kind: Kind, role: Role, draft: Draft, folder: Path) -> Identity:
        folder.mkdir(parents=True, exist_ok=True)

        def put(suffix: str, content: bytes, secret: bool = False) -> str:
            return str(files.write(folder / f"{role}{suffix}", content, secret))

        chain = files.pem("CERTIFICATE", *draft.chain)
        key = files.pem("PRIVATE KEY", draft.key.pkcs8)
        encrypted = files.pem("ENCRYPTED PRIVATE KEY", files.encrypt_key(draft.key.pkcs8))
        ca_file, crl_file = str(self.directory / "ca.pem"), None
        if draft.trust is not None:
            ca_file = put("-ca.pem", files.pem("CERTIFICATE", *draft.trust))
        if draft.crls is not None:
            crl_file = put("-crl.pem", files.pem("X509 CRL", *draft.crls))
        return Identity(
            name=f"{kind.name}-{role}",
            kind=kind.name,
            role=role,
            certificate_file=put(".pem", chain),
            key_file=put(".key", key, secret=True),
            combined_file=put("-combined.pem", chain + key, secret=True),
            encrypted_file=put("-encrypted.pem", chain + encrypted, secret=True),
            der_file=put(".der", draft.chain[0]),
            key_der_file=put("-key.der", draft.key.pkcs8, secret=True),
            p12_file=put(
                ".p12",
                files.pkcs12(f"{kind.name}-{role}", draft.key.pkcs8, draft.chain),
                secret=True,
            ),
            ca_file=ca_file,
            crl_file=crl_file,
            chain_der=draft.chain,
            key_password=files.PASSWORD,
            description=kind.description,
            expected=kind.expected if draft.expected is None else draft.expected,
            never_judged=kind.never_judged,
            verify_depth=draft.verify_depth,
            host=draft.host,
        )


def _check(value: str, allowed: object, what: str) -> None:
    _one_of(value, get_args(allowed), what)


def _one_of(value: str, names: Iterable[str], what: str) -> None:
    if value not in names:
        raise ValueError(f"{what} is {value!r}, but must be one of {', '.join(map(repr, names))}")
