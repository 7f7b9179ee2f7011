"""Kinds about time and purpose: when a certificate is good, and for what.

The one rule: the expected complaints are what OpenSSL 3.0 says when each one is overruled; the tests ask it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from leadtools_compat.testing import certificates as x
from leadtools_compat.testing.chains import Maker
from leadtools_compat.testing.kinds import Register
from leadtools_compat.testing.model import Complaint, Draft

KINDS = Register()

# ---- time


@KINDS.kind("the leaf ended 30 days ago", ("CertHasExpired", 0))
def expired(make: Maker) -> Draft:
    return make.draft(make.leaf(valid=make.days(-60, -30)), make.intermediate)


@KINDS.kind("the leaf begins in 30 days", ("CertNotYetValid", 0))
def not_yet_valid(make: Maker) -> Draft:
    return make.draft(make.leaf(valid=make.days(30, 60)), make.intermediate)


@KINDS.kind(
    "the leaf begins in one hour: the clock of one side is slow",
    ("CertNotYetValid", 0),
    note="the hour counts from the real time, unless the PKI was given `now`",
)
def clock_skew(make: Maker) -> Draft:
    start = make.shop.clock + timedelta(hours=1)
    return make.draft(make.leaf(valid=(start, start + timedelta(days=397))), make.intermediate)


@KINDS.kind("the intermediate ended 30 days ago", ("CertHasExpired", 1))
def expired_intermediate(make: Maker) -> Draft:
    issuer = make.authority("Test Expired Intermediate CA", make.root, valid=make.days(-60, -30))
    return make.draft(make.leaf(issuer), issuer)


# ---- purposes


@KINDS.kind(
    "meant for the other role only: a client with serverAuth, a server with clientAuth",
    ("InvalidPurpose", 0),
)
def wrong_purpose(make: Maker) -> Draft:
    other = "serverAuth" if make.role == "client" else "clientAuth"
    return make.draft(make.leaf(purposes=[other]), make.intermediate)


@KINDS.kind(
    "made without the SSL client and SSL server purposes (code signing only)",
    ("InvalidPurpose", 0),
    note="the table of purposes is that of the example in the documentation of OnVerify",
)
def no_purpose(make: Maker) -> Draft:
    leaf = make.leaf(purposes=["codeSigning"], usages=["digitalSignature"])
    return make.draft(leaf, make.intermediate)


@KINDS.kind("made for mail only (emailProtection)", ("InvalidPurpose", 0))
def email_only(make: Maker) -> Draft:
    return make.draft(make.leaf(purposes=["emailProtection"]), make.intermediate)


@KINDS.kind("no extended key usage, which means every purpose")
def no_eku(make: Maker) -> Draft:
    return make.draft(make.leaf(purposes=None), make.intermediate)


@KINDS.kind(
    "anyExtendedKeyUsage only",
    ("InvalidPurpose", 0),
    note="OpenSSL does not take `any` for SSL client or SSL server",
)
def any_eku(make: Maker) -> Draft:
    return make.draft(make.leaf(purposes=["any"]), make.intermediate)


@KINDS.kind("good, and the extended key usage is critical")
def critical_eku(make: Maker) -> Draft:
    return make.draft(make.leaf(critical_purposes=True), make.intermediate)


@KINDS.kind("only this role's own purpose, as strict sites issue them: accepted")
def own_purpose_only(make: Maker) -> Draft:
    return make.draft(make.leaf(purposes=[f"{make.role}Auth"]), make.intermediate)


@KINDS.kind("key usage without digitalSignature (encryption only)", ("InvalidPurpose", 0))
def key_usage_no_signature(make: Maker) -> Draft:
    return make.draft(make.leaf(usages=["dataEncipherment"]), make.intermediate)


@KINDS.kind("the intermediate may sign for mail only", ("InvalidPurpose", 1))
def issuer_wrong_purpose(make: Maker) -> Draft:
    issuer = make.authority("Test Mail CA", make.root, purposes=["emailProtection"])
    return make.draft(make.leaf(issuer), issuer)


@KINDS.kind(
    "names, dates, serial number and purposes of the example in the documentation of OnVerify, with its own root",
    ("InvalidPurpose", 0),
    note="valid until May 30 2030; CertHasExpired at depth 0 comes after that",
)
def documented_example(make: Maker) -> Draft:
    place = (("C", "US"), ("ST", "Nebraska"), ("L", "Omaha"))
    subject = x.name(("CN", "Test Client"), *place, ("O", "Test Client Organization"))
    owner = (
        ("L", "Charlotte"),
        ("ST", "North Carolina"),
        ("C", "US"),
        ("emailAddress", "[email protected]"),
    )
    name = x.name(("CN", "LEAD CA"), *owner, ("O", "LEAD Technologies, Inc."))
    root = make.authority("LEAD CA", None, subject=name, valid=make.days(-3650, 3650))
    start = datetime(2020, 6, 1, 21, 31, 35, tzinfo=timezone.utc)
    end = datetime(2030, 5, 30, 21, 31, 35, tzinfo=timezone.utc)
    leaf = make.leaf(
        root,
        subject=subject,
        hosts=(),
        usages=["digitalSignature"],
        purposes=["codeSigning"],
        valid=(start, end),
        serial=0xAE8A75375603C445,
    )
    draft = make.draft(leaf, trust=[root.der])
    if make.shop.now <= end:
        return draft
    return replace(draft, expected=(Complaint("InvalidPurpose", 0), Complaint("CertHasExpired", 0)))
