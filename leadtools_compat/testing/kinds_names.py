"""Kinds about names, addresses and serial numbers: odd ones, long ones, hostile ones.

The one rule: what a certificate says about itself must never break, mislead or cut short what is shown of it. Most of
these kinds are accepted; the expected complaints of the rest are what OpenSSL 3.0 says.
"""

from __future__ import annotations

from leadtools_compat.testing import certificates as x
from leadtools_compat.testing import der
from leadtools_compat.testing.chains import Maker
from leadtools_compat.testing.kinds import Register
from leadtools_compat.testing.model import Draft

KINDS = Register()

_ORGANIZATION = ("O", "Test Organization")


def _called(make: Maker, *pairs: tuple[str, str]) -> Draft:
    return make.draft(make.leaf(subject=x.name(*pairs)), make.intermediate)


def _encoded_as(make: Maker, value: str | bytes, tag: int) -> Draft:
    common = der.set_of(x.attribute("CN", value, tag))
    subject = der.sequence(common, der.set_of(x.attribute(*_ORGANIZATION)))
    return make.draft(make.leaf(subject=subject), make.intermediate)


# ---- subjects


@KINDS.kind("quotes, backslash, plus, angle brackets, number sign and equals sign in the subject")
def name_with_quotes(make: Maker) -> Draft:
    return _called(make, ("CN", "Say \"test\" + \\ <this> #1 = 'it'; yes"), ("O", '"'))


@KINDS.kind("commas in the subject, as companies have them")
def name_with_commas(make: Maker) -> Draft:
    return _called(make, ("CN", "Test, Client"), ("O", "Test Technologies, Inc., Omaha"))


@KINDS.kind("blanks at both ends, and a number sign first, in the subject")
def name_with_blanks(make: Maker) -> Draft:
    return _called(make, ("CN", "  Test Client  "), ("O", "#1 Test"))


@KINDS.kind("line feeds, a tab, an escape sequence and a forged line of text in the subject")
def name_with_newline(make: Maker) -> Draft:
    return _called(
        make, ("CN", "Test\nIssuer Name: CN = Test Root CA\r\n\t\x1b[31mred\x7f"), _ORGANIZATION
    )


@KINDS.kind("Latin, Greek, Cyrillic, Japanese, right-to-left and beyond the BMP, in UTF-8")
def name_utf8(make: Maker) -> Draft:
    return _called(
        make, ("CN", "Tëst Ωμέγα Тест 日本語 \u202eRTL 😀"), ("L", "Köln"), _ORGANIZATION
    )


@KINDS.kind("a BMPString in the subject (UTF-16)")
def name_bmp_string(make: Maker) -> Draft:
    return _encoded_as(make, "Tëst 日本語", der.BMP_STRING)


@KINDS.kind("a T61String in the subject, Latin-1 in practice")
def name_latin1(make: Maker) -> Draft:
    return _encoded_as(make, "Tëst Köln", der.T61_STRING)


@KINDS.kind("bytes that are no text (a BIT STRING) as the common name")
def name_bit_string(make: Maker) -> Draft:
    return _encoded_as(make, b"\x00Test \xff\xfe\x00\n", der.BIT_STRING)


@KINDS.kind(
    "a UTF8String in the subject that is not UTF-8",
    never_judged="cannot be parsed",
    note="OpenSSL refuses it as a certificate: it can be neither loaded nor received",
)
def name_not_utf8(make: Maker) -> Draft:
    return _encoded_as(make, b"Test \xff\xfe\xc3(\xed\xa0\x80", der.UTF8_STRING)


@KINDS.kind(
    "a NUL in the common name and in a DNS name: localhost, NUL, evil.test",
    note="OpenSSL matches no host name with a NUL in it",
)
def name_with_nul(make: Maker) -> Draft:
    leaf = make.leaf(
        subject=x.name(("CN", "localhost\0.evil.test"), _ORGANIZATION),
        hosts=["localhost\0.evil.test"],
    )
    return make.draft(leaf, make.intermediate)


@KINDS.kind("a common name of 60 KiB: the chain is just under OpenSSL's limit of 100 KiB")
def name_very_long(make: Maker) -> Draft:
    return _called(make, ("CN", "x" * (60 << 10)), _ORGANIZATION)


@KINDS.kind("a common name of 110 KiB", never_judged="chain over 100 KiB")
def name_beyond_limit(make: Maker) -> Draft:
    return _called(make, ("CN", "x" * (110 << 10)), _ORGANIZATION)


@KINDS.kind("300 parts in the subject")
def many_rdns(make: Maker) -> Draft:
    return _called(make, ("CN", "Test"), *(("OU", f"Unit {number}") for number in range(299)))


@KINDS.kind("one part of the subject with three attributes")
def multi_valued_rdn(make: Maker) -> Draft:
    pairs = (("CN", "Test"), ("OU", "Radiology"), ("serialNumber", "17"))
    together = der.set_of(*(x.attribute(*pair) for pair in pairs))
    leaf = make.leaf(subject=der.sequence(together, der.set_of(x.attribute(*_ORGANIZATION))))
    return make.draft(leaf, make.intermediate)


@KINDS.kind("an attribute in the subject that nobody knows")
def unknown_attribute(make: Maker) -> Draft:
    return _called(make, ("CN", "Test"), (x.UUID_ARC, "unknown"), _ORGANIZATION)


@KINDS.kind("no subject at all, only alternative names (critical)")
def empty_subject(make: Maker) -> Draft:
    return _called(make)


# ---- serial numbers


@KINDS.kind("a serial number of 20 octets, the most that RFC 5280 allows")
def huge_serial(make: Maker) -> Draft:
    return make.draft(make.leaf(serial=0x7F << 152 | 0xA5), make.intermediate)


@KINDS.kind("a serial number of 40 octets")
def over_long_serial(make: Maker) -> Draft:
    return make.draft(make.leaf(serial=0x7F << 312 | 0xA5), make.intermediate)


@KINDS.kind("a negative serial number (-0xabcdef)")
def negative_serial(make: Maker) -> Draft:
    return make.draft(make.leaf(serial=-0xABCDEF), make.intermediate)


@KINDS.kind("the serial number is zero")
def zero_serial(make: Maker) -> Draft:
    return make.draft(make.leaf(serial=0), make.intermediate)


# ---- hosts


@KINDS.kind("for *.wildcard.test; the judge expects node1.wildcard.test")
def wildcard_san(make: Maker) -> Draft:
    leaf = make.leaf(subject=x.name(("CN", "*.wildcard.test")), hosts=["*.wildcard.test"])
    return make.draft(leaf, make.intermediate, host="node1.wildcard.test")


@KINDS.kind("for the address ::1 only; the judge expects it")
def ipv6_san(make: Maker) -> Draft:
    return make.draft(make.leaf(hosts=["::1"]), make.intermediate, host="::1")


@KINDS.kind(
    "for other.test; the judge expects localhost",
    ("HostnameMismatch", 0),
    note="accepted by a judge that does not check host names",
)
def wrong_host(make: Maker) -> Draft:
    return make.draft(make.leaf(hosts=["other.test"]), make.intermediate, host="localhost")


@KINDS.kind(
    "for 192.0.2.1; the judge expects 127.0.0.1",
    ("IpAddressMismatch", 0),
    note="accepted by a judge that does not check host names",
)
def wrong_address(make: Maker) -> Draft:
    return make.draft(make.leaf(hosts=["192.0.2.1"]), make.intermediate, host="127.0.0.1")


@KINDS.kind(
    "no alternative names, the host in the common name only; the judge expects localhost",
    ("HostnameMismatch", 0),
    note="RFC 9525; OpenSSL would take the common name if there is no DNS name, unless told not to",
)
def common_name_only(make: Maker) -> Draft:
    leaf = make.leaf(subject=x.name(("CN", "localhost")), hosts=())
    return make.draft(leaf, make.intermediate, host="localhost")
