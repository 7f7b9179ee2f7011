"""Kinds about who signed: good chains, unknown and missing issuers, direct trust, limits of authorities.

The one rule: the expected complaints are what OpenSSL 3.0 says when each one is overruled; the tests ask it.
"""

from __future__ import annotations

from typing import cast

from leadtools_compat.testing import certificates as x
from leadtools_compat.testing.chains import Maker
from leadtools_compat.testing.keys import RsaKey
from leadtools_compat.testing.kinds import NO_ISSUER, NO_ISSUER_NOTE, Register
from leadtools_compat.testing.model import Draft

KINDS = Register()


@KINDS.kind("good chain of three, RSA-2048 leaf")
def good_rsa(make: Maker) -> Draft:
    key = make.shop.key(make.role, "rsa")
    return make.draft(make.leaf(key=key), make.intermediate, key=key)


@KINDS.kind("good chain of three, P-256 leaf")
def good_ec(make: Maker) -> Draft:
    key = make.shop.key(make.role, "ec")
    return make.draft(make.leaf(key=key), make.intermediate, key=key)


@KINDS.kind("good chain, leaf with an RSA-PSS key (id-RSASSA-PSS), signed with RSA-PSS and SHA-256")
def good_rsa_pss(make: Maker) -> Draft:
    key = cast(RsaKey, make.shop.key(make.role, "rsa")).as_pss()
    issuer = make.rsa_issuer()
    leaf = make.leaf(x.Signer(issuer.name, cast(RsaKey, issuer.key).as_pss(), issuer.der), key=key)
    return make.draft(leaf, issuer, key=key)


@KINDS.kind("good chain, Ed25519 leaf")
def good_ed25519(make: Maker) -> Draft:
    key = make.shop.key(make.role, "ed25519")
    return make.draft(make.leaf(key=key), make.intermediate, key=key)


@KINDS.kind("good chain of three: the leaf, an intermediate that is sent, the trusted root")
def with_intermediate(make: Maker) -> Draft:
    return make.draft(make.leaf(), make.intermediate)


@KINDS.kind("good chain of two: the root signed the leaf")
def direct_root_signed(make: Maker) -> Draft:
    return make.draft(make.leaf(make.root))


@KINDS.kind("good chain of four: two intermediates are sent")
def two_intermediates(make: Maker) -> Draft:
    upper = make.authority(
        "Test Upper Intermediate CA", make.root, key="intermediate", path_length=1
    )
    lower = make.authority("Test Lower Intermediate CA", upper, path_length=0)
    return make.draft(make.leaf(lower), lower, upper)


@KINDS.kind("good chain whose intermediates are sent in the wrong order, which OpenSSL puts right")
def unordered_chain(make: Maker) -> Draft:
    upper = make.authority(
        "Test Upper Intermediate CA", make.root, key="intermediate", path_length=1
    )
    lower = make.authority("Test Lower Intermediate CA", upper, path_length=0)
    return make.draft(make.leaf(lower), upper, lower)


@KINDS.kind("good chain that is sent with its root, as many products do")
def root_sent(make: Maker) -> Draft:
    return make.draft(make.leaf(), make.intermediate, make.root)


@KINDS.kind(
    "signed by an authority that the judge does not know; leaf and intermediate are sent",
    ("UnableToGetIssuerCertLocally", 1),
)
def unknown_ca(make: Maker) -> Draft:
    root = make.authority("Unknown Root CA", None)
    intermediate = make.authority("Unknown Intermediate CA", root)
    return make.draft(make.leaf(intermediate), intermediate)


@KINDS.kind("as unknown_ca, and the unknown root is sent too", ("SelfSignedCertInChain", 2))
def unknown_ca_root_sent(make: Maker) -> Draft:
    root = make.authority("Unknown Root CA", None)
    intermediate = make.authority("Unknown Intermediate CA", root)
    return make.draft(make.leaf(intermediate), intermediate, root)


@KINDS.kind("signed by the intermediate, which is not sent", NO_ISSUER, note=NO_ISSUER_NOTE)
def missing_intermediate(make: Maker) -> Draft:
    return make.draft(make.leaf())


@KINDS.kind("signed by its own key", ("DepthZeroSelfSignedCert", 0))
def self_signed(make: Maker) -> Draft:
    return make.draft(_self_signed(make))


@KINDS.kind("signed by its own key, and the judge trusts this very certificate")
def self_signed_trusted(make: Maker) -> Draft:
    leaf = _self_signed(make)
    return make.draft(leaf, trust=[leaf])


@KINDS.kind(
    "signed by an intermediate nobody has; the judge trusts the leaf itself",
    note="accepted through PARTIAL_CHAIN only; without it UnableToGetIssuerCertLocally at depth 0",
)
def leaf_trusted_directly(make: Maker) -> Draft:
    leaf = make.leaf()
    return make.draft(leaf, trust=[leaf])


@KINDS.kind(
    "the judge trusts the intermediate and does not have the root",
    note="accepted through PARTIAL_CHAIN only; without it UnableToGetIssuerCert at depth 1",
)
def intermediate_trusted(make: Maker) -> Draft:
    return make.draft(make.leaf(), make.intermediate, trust=[make.intermediate.der])


@KINDS.kind(
    "signed by a certificate that is not an authority (BasicConstraints CA:FALSE)",
    ("InvalidCa", 1),
    ("InvalidPurpose", 1),
    note="OpenSSL 3 calls it 79, 1.1.1 and this library 24",
)
def issuer_not_ca(make: Maker) -> Draft:
    issuer = make.authority("Test Person", make.root, ca=False, usages=())
    return make.draft(make.leaf(issuer), issuer)


@KINDS.kind(
    "signed by a version 1 certificate, which cannot say that it is an authority",
    ("InvalidCa", 1),
    ("InvalidPurpose", 1),
    note="OpenSSL 3 calls it 79, 1.1.1 and this library 24",
)
def v1_intermediate(make: Maker) -> Draft:
    issuer = make.authority("Test Old Intermediate CA", make.root, version=1)
    return make.draft(make.leaf(issuer), issuer)


@KINDS.kind(
    "the intermediate's key usage lacks certificate signing",
    ("InvalidCa", 1),
    ("InvalidPurpose", 1),
    ("KeyusageNoCertsign", 1),
)
def key_usage_no_cert_sign(make: Maker) -> Draft:
    issuer = make.authority("Test CRL Signer", make.root, usages=("cRLSign", "digitalSignature"))
    return make.draft(make.leaf(issuer), issuer)


@KINDS.kind("an authority with path length 0 signed another authority", ("PathLengthExceeded", 2))
def path_length_exceeded(make: Maker) -> Draft:
    upper = make.authority(
        "Test Narrow Intermediate CA", make.root, key="intermediate", path_length=0
    )
    lower = make.authority("Test Lower Intermediate CA", upper)
    return make.draft(make.leaf(lower), lower, upper)


@KINDS.kind(
    "good, but four authorities between leaf and root, for a judge of depth 2",
    ("CertChainTooLong", 3),
    ("UnableToGetIssuerCertLocally", 3),
)
def too_deep(make: Maker) -> Draft:
    first = make.authority("Test Intermediate CA 1", make.root, key="intermediate")
    second = make.authority("Test Intermediate CA 2", first)
    third = make.authority("Test Intermediate CA 3", second, key="intermediate")
    fourth = make.authority("Test Intermediate CA 4", third)
    return make.draft(make.leaf(fourth), fourth, third, second, first, verify_depth=2)


@KINDS.kind("one bit of the leaf's signature is wrong", ("CertSignatureFailure", 0))
def bad_signature(make: Maker) -> Draft:
    return make.draft(x.spoil_signature(make.leaf()), make.intermediate)


@KINDS.kind("one bit of the intermediate's signature is wrong", ("CertSignatureFailure", 1))
def bad_signature_intermediate(make: Maker) -> Draft:
    issuer = make.authority("Test Spoilt Intermediate CA", make.root)
    issuer = x.Signer(issuer.name, issuer.key, x.spoil_signature(issuer.der))
    return make.draft(make.leaf(issuer), issuer)


@KINDS.kind(
    "the intermediate may sign for allowed.test only, the leaf is for localhost",
    ("PermittedViolation", 0),
)
def name_constraints_permitted_violation(make: Maker) -> Draft:
    limits = x.name_constraints(permitted=["allowed.test"])
    issuer = make.authority("Test Limited Intermediate CA", make.root, extra=[limits])
    return make.draft(make.leaf(issuer, hosts=["localhost"]), issuer)


@KINDS.kind(
    "the intermediate may not sign for localhost, the leaf is for it", ("ExcludedViolation", 0)
)
def name_constraints_excluded(make: Maker) -> Draft:
    limits = x.name_constraints(excluded=["localhost"])
    issuer = make.authority("Test Limited Intermediate CA", make.root, extra=[limits])
    return make.draft(make.leaf(issuer, hosts=["localhost"]), issuer)


@KINDS.kind("good: the intermediate may sign for localhost only, and the leaf is for it")
def name_constraints_kept(make: Maker) -> Draft:
    limits = x.name_constraints(permitted=["localhost"])
    issuer = make.authority("Test Limited Intermediate CA", make.root, extra=[limits])
    return make.draft(make.leaf(issuer, hosts=["localhost"]), issuer)


def _self_signed(make: Maker) -> bytes:
    return make.leaf(x.Signer(make.subject(), make.leaf_key, b""))
