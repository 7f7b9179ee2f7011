"""Which named TLS profiles a link to the peer can meet, and why not the others.

The one rule: only what was found out counts; what is not known is no reason against a profile.
"""

from __future__ import annotations

import re

from leadtools_compat.diagnose.model import Profile, Tls
from leadtools_compat.dicom import DicomTlsProfile

__all__ = ["judge_profiles"]

_CURVES = {"p-256": "secp256r1", "p-384": "secp384r1", "p-521": "secp521r1"}
_SHOWN = 3


def judge_profiles(tls: Tls) -> list[Profile]:
    """Hold every profile against versions, suites, groups and the certificate of the peer."""
    if not any(offer.suites for offer in tls.versions.values()):
        return []
    return [
        Profile(one.name, one.title, one.retired, _reasons(tls, one))
        for one in DicomTlsProfile.all()
    ]


def _reasons(tls: Tls, profile: DicomTlsProfile) -> list[str]:
    talks = [
        name for name in profile.versions if name in tls.versions and tls.versions[name].suites
    ]
    if not talks:
        return [f"the peer talks none of its versions ({', '.join(profile.versions)})"]
    wanted = {suite.iana_name for suite in (*profile.suites, *profile.suites_on_request)}
    shared = {suite for name in talks for suite in tls.versions[name].suites} & wanted
    if not shared:
        some = [suite.iana_name for suite in profile.suites[:_SHOWN]]
        more = ", ..." if len(wanted) > _SHOWN else ""
        return [f"the peer takes none of its cipher suites ({', '.join(some)}{more})"]
    return [*_exchange(tls, profile, shared), *_certificate(tls, profile)]


def _exchange(tls: Tls, profile: DicomTlsProfile, shared: set[str]) -> list[str]:
    """Groups, and the prime of Diffie-Hellman in TLS 1.2."""
    if not tls.groups or any(suite.startswith("TLS_RSA_WITH_") for suite in shared):
        return []
    allowed = {_CURVES.get(group.lower(), group.lower()) for group in profile.groups}
    if allowed & set(tls.groups):
        return []
    bits = tls.dh_bits or 0
    if any("_DHE_" in suite for suite in shared) and (bits == 0 or bits >= profile.dh_bits):
        return []
    return [f"the peer has none of its groups ({', '.join(profile.groups)})"]


def _certificate(tls: Tls, profile: DicomTlsProfile) -> list[str]:
    found = []
    leaf = tls.chain[0] if tls.chain else None
    if leaf is None:
        return []
    kind = leaf.key.split(" ")[0] if leaf.key else ""
    least = {"RSA": profile.rsa_bits, "EC": profile.ec_bits}.get(kind, 0)
    if 0 < leaf.key_bits < least:
        found.append(f"its key is {kind} {leaf.key_bits}, and must be {least} bits or more")
    hashed = re.search(r"SHA-?(\d+)\)", leaf.signature)
    bits = 160 if hashed is not None and hashed[1] == "1" else int(hashed[1]) if hashed else 0
    if 0 < bits < profile.hash_bits:
        found.append(
            f"it is signed with SHA-{hashed[1] if hashed else ''}, not SHA-{profile.hash_bits}"
        )
    return [f"the peer's certificate: {reason}" for reason in found]
