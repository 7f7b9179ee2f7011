"""`DicomTlsProfile`: the named TLS profiles of DICOM and IHE; `DicomTlsProfileCheck`: how a link does."""

from __future__ import annotations

from typing import NamedTuple

from leadtools_compat._binding import reads
from leadtools_compat.dicom.enums_tls import DicomTlsCipherSuiteType

__all__ = ["DicomTlsProfile", "DicomTlsProfileCheck"]

_VERSIONS = {0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}


class DicomTlsProfile(NamedTuple):
    """One named TLS profile, as `DicomNet.apply_tls_profile` sets it (ours).

    Attributes
    ----------
    name
        As ``B.12``; in calls neither case nor punctuation count.
    aliases
        Other names that are taken.
    title
        Where it is defined.
    retired
        No longer in the standard: applying it warns.
    versions
        As ``("TLSv1.2", "TLSv1.3")``.
    suites
        The suites that it lists, in order, whether OpenSSL has them or not.
    optional_suites
        Those of `suites` that are left out where OpenSSL lacks them.
    suites_on_request
        Suites that belong to it, but are listed only when `DicomNet.SetTlsCipherSuiteByIndex` adds
        them: newer versions of OpenSSL take them at security level 0 only.
    groups
        Groups of the key exchange, OpenSSL's names, in order.
    hybrid_group
        Whether a post-quantum hybrid group comes first where OpenSSL has one.
    signature_algorithms
        Of the handshake, OpenSSL's names.
    rsa_bits, ec_bits, dh_bits
        The smallest keys in bits; 0: no rule of the profile's.
    hash_bits
        Bits of the smallest hash of a signature, as 256; 0: no rule of the profile's.
    resumption
        Whether `DicomNet.tls_resumption` counts: not with the profiles that have no forward secrecy.

    Notes
    -----
    Sources of the table: PS3.15 annex B and IHE ITI TF-2 3.19.
    """

    name: str
    aliases: tuple[str, ...]
    title: str
    retired: bool
    versions: tuple[str, ...]
    suites: tuple[DicomTlsCipherSuiteType, ...]
    optional_suites: tuple[DicomTlsCipherSuiteType, ...]
    suites_on_request: tuple[DicomTlsCipherSuiteType, ...]
    groups: tuple[str, ...]
    hybrid_group: bool
    signature_algorithms: tuple[str, ...]
    rsa_bits: int
    ec_bits: int
    dh_bits: int
    hash_bits: int
    resumption: bool

    @classmethod
    def all(cls) -> tuple[DicomTlsProfile, ...]:
        """Give all profiles, those in force first."""
        return tuple(map(cls._of, reads.tls_profiles()))

    @property
    def missing(self) -> str:
        """What the linked OpenSSL lacks for it, as a sentence; "": it can be applied."""
        return reads.tls_profile_missing(self.name)

    @property
    def is_possible(self) -> bool:
        """Whether the linked OpenSSL can do it."""
        return not self.missing

    @property
    def renegotiation(self) -> bool:
        """Whether a link may be negotiated anew: never, whatever the profile (RFC 9325, 3.5)."""
        return False

    @classmethod
    def _of(cls, fields: reads.ProfileFields) -> DicomTlsProfile:
        used = {
            use: tuple(DicomTlsCipherSuiteType(suite) for suite, one in fields.suites if one == use)
            for use in (reads.REQUIRED, reads.IF_THERE, reads.ON_REQUEST)
        }
        listed = [suite for suite, use in fields.suites if use != reads.ON_REQUEST]
        return cls(
            name=fields.name,
            aliases=tuple(fields.aliases.split()),
            title=fields.title,
            retired=fields.retired,
            versions=tuple(
                text
                for number, text in _VERSIONS.items()
                if fields.lowest <= number <= fields.highest
            ),
            suites=tuple(map(DicomTlsCipherSuiteType, listed)),
            optional_suites=used[reads.IF_THERE],
            suites_on_request=used[reads.ON_REQUEST],
            groups=tuple(fields.groups.split(":")),
            hybrid_group=fields.hybrid,
            signature_algorithms=tuple(fields.signatures.split(":")),
            rsa_bits=fields.rsa_bits,
            ec_bits=fields.ec_bits,
            dh_bits=fields.dh_bits,
            hash_bits=fields.hash_bits,
            resumption=fields.resumption,
        )

    def __str__(self) -> str:
        retired = ", retired" if self.retired else ""
        return f"{self.name}: {self.title}{retired}"


class DicomTlsProfileCheck(NamedTuple):
    """How a link does by one profile; `DicomNet.check_tls_profiles` gives them (ours).

    Attributes
    ----------
    name
        Of the profile.
    satisfied
        Whether the link satisfies it.
    reasons
        Why not: version, cipher suite, group, key exchange, signature algorithm, certificate.
    retired
        Whether the profile is no longer in the standard.
    """

    name: str
    satisfied: bool
    reasons: tuple[str, ...]
    retired: bool

    def __str__(self) -> str:
        return f"{self.name}: {'satisfied' if self.satisfied else '; '.join(self.reasons)}"
