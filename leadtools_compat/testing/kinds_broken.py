"""Kinds whose encoding or extensions are wrong, old, or too much.

The one rule: the expected complaints are what OpenSSL 3.0 says when each one is overruled; the tests ask it.
"""

from __future__ import annotations

from leadtools_compat.testing import certificates as x
from leadtools_compat.testing import der
from leadtools_compat.testing.chains import LOCAL_HOSTS, Maker
from leadtools_compat.testing.kinds import NO_ISSUER, Register
from leadtools_compat.testing.model import Draft

KINDS = Register()

_INVALID = (
    "X509_check_purpose answers -1 for every purpose of such a certificate, and it has no issuer"
)


@KINDS.kind("a critical extension that nobody knows", ("UnhandledCriticalExtension", 0))
def unknown_critical_extension(make: Maker) -> Draft:
    extension = x.unknown_extension(b"unknown", critical=True)
    return make.draft(make.leaf(extra=[extension]), make.intermediate)


@KINDS.kind("an extension that nobody knows, not critical: accepted (IHE ITI-19)")
def unknown_extension(make: Maker) -> Draft:
    return make.draft(make.leaf(extra=[x.unknown_extension(b"unknown")]), make.intermediate)


@KINDS.kind("the alternative names are there twice", NO_ISSUER, note=_INVALID)
def duplicate_extension(make: Maker) -> Draft:
    return make.draft(make.leaf(extra=[x.subject_alt_name(LOCAL_HOSTS)]), make.intermediate)


@KINDS.kind(
    "BasicConstraints that does not parse",
    NO_ISSUER,
    note=_INVALID,
)
def broken_extension(make: Maker) -> Draft:
    nonsense = x.Extension(x.BASIC_CONSTRAINTS, b"\x30\x05garbage"[:7])
    return make.draft(make.leaf(constraints=nonsense), make.intermediate)


@KINDS.kind("the intermediate's key usage does not parse", NO_ISSUER, note=_INVALID)
def broken_extension_intermediate(make: Maker) -> Draft:
    nonsense = x.Extension(x.KEY_USAGE, b"\x04\x02\x06\x40")
    issuer = make.authority("Test Broken Intermediate CA", make.root, usages=(), extra=[nonsense])
    return make.draft(make.leaf(issuer), issuer)


@KINDS.kind("a version 1 leaf, without extensions")
def v1_certificate(make: Maker) -> Draft:
    return make.draft(make.leaf(version=1), make.intermediate)


@KINDS.kind("a leaf that says CA:TRUE")
def leaf_is_ca(make: Maker) -> Draft:
    return make.draft(make.leaf(constraints=x.basic_constraints(True)), make.intermediate)


@KINDS.kind("the leaf is BER with indefinite lengths, not DER")
def ber_encoded(make: Maker) -> Draft:
    return make.draft(make.leaf(indefinite=True), make.intermediate)


@KINDS.kind("notAfter as text that is no time", ("ErrorInCertNotAfterField", 0))
def broken_not_after(make: Maker) -> Draft:
    return make.draft(make.leaf(times=(None, der.tlv(0x17, b"991332250000Z"))), make.intermediate)


@KINDS.kind("notBefore as text that is no time", ("ErrorInCertNotBeforeField", 0))
def broken_not_before(make: Maker) -> Draft:
    return make.draft(make.leaf(times=(der.tlv(0x17, b"269932250000Z"), None)), make.intermediate)


@KINDS.kind("valid until the year 9999 (GeneralizedTime)")
def endless_validity(make: Maker) -> Draft:
    return make.draft(make.leaf(times=(None, der.tlv(0x18, b"99991231235959Z"))), make.intermediate)


@KINDS.kind(
    "a chain of more than 1 MiB: the intermediate carries an extension of that size",
    never_judged="chain over 100 KiB",
)
def chain_1mb(make: Maker) -> Draft:
    padding = x.unknown_extension(b"\x00" * (1 << 20))
    issuer = make.authority("Test Heavy Intermediate CA", make.root, extra=[padding])
    return make.draft(make.leaf(issuer), issuer)


@KINDS.kind("good, with 90 KiB of certificates in the chain that nobody asked for")
def needless_certificates(make: Maker) -> Draft:
    padding = x.unknown_extension(b"\x00" * 8000)
    strangers = [
        make.authority(f"Stranger CA {number}", None, extra=[padding]) for number in range(10)
    ]
    return make.draft(make.leaf(), make.intermediate, *strangers)
