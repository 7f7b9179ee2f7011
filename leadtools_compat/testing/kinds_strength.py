"""Kinds about strength and revocation: short keys, broken hashes, CRLs that revoke, lack or lie.

The one rule: the expected complaints are what OpenSSL 3.0 says at security level 2 when each one is overruled; the
tests ask it. Kinds with CRLs expect a judge that checks the whole chain.
"""

from __future__ import annotations

from leadtools_compat.testing.chains import Maker
from leadtools_compat.testing.kinds import Register
from leadtools_compat.testing.model import Draft

KINDS = Register()

# ---- keys and hashes


@KINDS.kind("RSA-1024 leaf", ("EeKeyTooSmall", 0))
def weak_key_rsa1024(make: Maker) -> Draft:
    key = make.shop.key(make.role, "rsa1024")
    return make.draft(make.leaf(key=key), make.intermediate, key=key)


@KINDS.kind("RSA-768 leaf", ("EeKeyTooSmall", 0))
def weak_key_rsa768(make: Maker) -> Draft:
    key = make.shop.key(make.role, "rsa768")
    return make.draft(make.leaf(key=key), make.intermediate, key=key)


@KINDS.kind("RSA-1024 intermediate", ("CaKeyTooSmall", 1))
def weak_ca_key(make: Maker) -> Draft:
    issuer = make.authority(
        "Test Weak Intermediate CA", make.root, key=make.shop.key("weak", "rsa1024")
    )
    return make.draft(make.leaf(issuer), issuer)


@KINDS.kind("the leaf is signed with SHA-1", ("CaMdTooWeak", 0))
def weak_hash_sha1(make: Maker) -> Draft:
    issuer = make.rsa_issuer()
    return make.draft(make.leaf(issuer, digest="sha1"), issuer)


@KINDS.kind("the leaf is signed with MD5", ("CaMdTooWeak", 0))
def weak_hash_md5(make: Maker) -> Draft:
    issuer = make.rsa_issuer()
    return make.draft(make.leaf(issuer, digest="md5"), issuer)


@KINDS.kind("the intermediate is signed with SHA-1", ("CaMdTooWeak", 1))
def weak_hash_sha1_intermediate(make: Maker) -> Draft:
    return _weak_intermediate(make, "sha1")


@KINDS.kind("the intermediate is signed with MD5", ("CaMdTooWeak", 1))
def weak_hash_md5_intermediate(make: Maker) -> Draft:
    return _weak_intermediate(make, "md5")


def _weak_intermediate(make: Maker, digest: str) -> Draft:
    root = make.rsa_root()
    issuer = make.authority("Test Weakly Signed CA", root, digest=digest)
    return make.draft(make.leaf(issuer), issuer, trust=None if root is make.root else [root.der])


# ---- revocation


@KINDS.kind("good, judged with CRLs of root and intermediate that revoke nothing")
def crl_good(make: Maker) -> Draft:
    crls = [make.crl(make.root), make.crl(make.intermediate)]
    return make.draft(make.leaf(), make.intermediate, crls=crls)


@KINDS.kind("the intermediate's CRL revokes the leaf", ("CertRevoked", 0))
def revoked_leaf(make: Maker) -> Draft:
    crls = [make.crl(make.root), make.crl(make.intermediate, make.serial("leaf"))]
    return make.draft(make.leaf(), make.intermediate, crls=crls)


@KINDS.kind("the root's CRL revokes the intermediate", ("CertRevoked", 1))
def revoked_intermediate(make: Maker) -> Draft:
    title = "Test Revoked Intermediate CA"
    issuer = make.authority(title, make.root)
    crls = [make.crl(make.root, make.serial(title)), make.crl(issuer)]
    return make.draft(make.leaf(issuer), issuer, crls=crls)


@KINDS.kind("the judge checks CRLs, but has none of the intermediate", ("UnableToGetCrl", 0))
def crl_missing(make: Maker) -> Draft:
    return make.draft(make.leaf(), make.intermediate, crls=[make.crl(make.root)])


@KINDS.kind("the intermediate's CRL ended 30 days ago", ("CrlHasExpired", 0))
def crl_expired(make: Maker) -> Draft:
    old = make.crl(make.intermediate, valid=make.days(-60, -30))
    return make.draft(make.leaf(), make.intermediate, crls=[make.crl(make.root), old])


@KINDS.kind("the intermediate's CRL begins in 30 days", ("CrlNotYetValid", 0))
def crl_not_yet_valid(make: Maker) -> Draft:
    early = make.crl(make.intermediate, valid=make.days(30, 60))
    return make.draft(make.leaf(), make.intermediate, crls=[make.crl(make.root), early])


@KINDS.kind(
    "one bit of the signature of the intermediate's CRL is wrong", ("CrlSignatureFailure", 0)
)
def crl_bad_signature(make: Maker) -> Draft:
    spoiled = make.crl(make.intermediate, spoiled=True)
    return make.draft(make.leaf(), make.intermediate, crls=[make.crl(make.root), spoiled])


@KINDS.kind("the intermediate may not sign CRLs, but did", ("KeyusageNoCrlSign", 0))
def crl_issuer_may_not(make: Maker) -> Draft:
    issuer = make.authority("Test CA Without CRLs", make.root, usages=("keyCertSign",))
    return make.draft(make.leaf(issuer), issuer, crls=[make.crl(make.root), make.crl(issuer)])
