"""DER encoding by hand: one function for each ASN.1 type that certificates, CRLs and keys are made of.

The one rule: everything here takes and returns ``bytes`` and checks nothing, because half of the kinds of the
test PKI exist to be wrong in a way that a proper encoder refuses.
"""

from __future__ import annotations

from datetime import datetime, timezone

CONTEXT = 0x80
CONSTRUCTED = 0x20

BIT_STRING = 0x03
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
T61_STRING = 0x14
IA5_STRING = 0x16
BMP_STRING = 0x1E


def tlv(tag: int, content: bytes) -> bytes:
    """Return tag, shortest length and content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def tlv_indefinite(tag: int, content: bytes) -> bytes:
    """Return the BER form with indefinite length (X.690 8.1.3.6), which DER forbids."""
    return bytes((tag | CONSTRUCTED, 0x80)) + content + b"\x00\x00"


def sequence(*items: bytes) -> bytes:
    """Return a SEQUENCE of encoded items."""
    return tlv(0x30, b"".join(items))


def set_of(*items: bytes) -> bytes:
    """Return a SET OF, its items sorted as DER wants (X.690 11.6)."""
    return tlv(0x31, b"".join(sorted(items)))


def integer(value: int) -> bytes:
    """Return an INTEGER, of either sign."""
    magnitude = value if value >= 0 else ~value
    return tlv(0x02, value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def boolean(value: bool) -> bytes:
    """Return a BOOLEAN."""
    return tlv(0x01, b"\xff" if value else b"\x00")


def null() -> bytes:
    """Return a NULL."""
    return b"\x05\x00"


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(0x04, content)


def bits(content: bytes) -> bytes:
    """Return a BIT STRING whose last octet is used fully."""
    return tlv(0x03, b"\x00" + content)


def named_bits(*positions: int) -> bytes:
    """Return a BIT STRING of named bits, without trailing zeros (X.690 11.2.2)."""
    if not positions:
        return tlv(0x03, b"\x00")
    last = max(positions)
    value = sum(1 << (last - position) for position in set(positions))
    unused = 7 - last % 8
    return tlv(0x03, bytes((unused,)) + (value << unused).to_bytes(last // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER given as ``1.2.840...``."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return tlv(0x06, bytes(content))


def explicit(number: int, content: bytes) -> bytes:
    """Return `content` inside an explicit context tag."""
    return tlv(CONTEXT | CONSTRUCTED | number, content)


def implicit(number: int, content: bytes, constructed: bool = False) -> bytes:
    """Return raw content octets under an implicit context tag."""
    return tlv(CONTEXT | (CONSTRUCTED if constructed else 0) | number, content)


def text(value: str, tag: int = UTF8_STRING) -> bytes:
    """Return a string of the type `tag` names."""
    codec = {UTF8_STRING: "utf-8", T61_STRING: "latin-1", BMP_STRING: "utf-16-be"}.get(tag, "ascii")
    return tlv(tag, value.encode(codec))


def time(value: datetime) -> bytes:
    """Return UTCTime until 2049 and GeneralizedTime from 2050 on (RFC 5280 4.1.2.5)."""
    value = value.astimezone(timezone.utc)
    if 1950 <= value.year < 2050:
        return tlv(0x17, value.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return generalized_time(value)


def generalized_time(value: datetime) -> bytes:
    """Return a GeneralizedTime, whatever the year."""
    value = value.astimezone(timezone.utc)
    return tlv(0x18, f"{value.year:04d}{value:%m%d%H%M%S}Z".encode("ascii"))
