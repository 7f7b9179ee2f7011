"""Writes the seeds of tests/csrc/corpus/pdu and tests/csrc/corpus/pdv.

    python tools/make_pdu_corpus.py

Each seed shows the fuzzer one more form that PS3.8 9.3 and PS3.7 D.3.3 have, good or bad. Files that
a fuzzer found useful may lie beside them; they are left alone.
"""

from __future__ import annotations

import struct
from pathlib import Path

CORPUS = Path(__file__).resolve().parent.parent / "tests/csrc/corpus"

APPLICATION = b"1.2.840.10008.3.1.1.1"
VERIFICATION = b"1.2.840.10008.1.1"
CT = b"1.2.840.10008.5.1.4.1.1.2"
IMPLICIT = b"1.2.840.10008.1.2"
EXPLICIT = b"1.2.840.10008.1.2.1"


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(body)) + body


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def field(body: bytes) -> bytes:
    return struct.pack(">H", len(body)) + body


def proposed(identifier: int, abstract: bytes, *transfers: bytes) -> bytes:
    syntaxes = b"".join(item(0x40, uid) for uid in transfers)
    return item(0x20, bytes([identifier, 0, 0, 0]) + item(0x30, abstract) + syntaxes)


def answer(identifier: int, result: int, *transfers: bytes) -> bytes:
    syntaxes = b"".join(item(0x40, uid) for uid in transfers)
    return item(0x21, bytes([identifier, 0, result, 0]) + syntaxes)


MAX_LENGTH = item(0x51, struct.pack(">I", 16384))
CLASS = item(0x52, b"1.2.3")
ASYNC = item(0x53, struct.pack(">HH", 5, 6))
ROLE = item(0x54, field(CT) + b"\1\1")
VERSION = item(0x55, b"V_1")
EXTENDED = item(0x56, field(CT) + b"\1\2\3")
COMMON = item(0x57, field(CT) + field(b"1.2.840.10008.4.2") + field(field(VERIFICATION)))
RESPONSE = item(0x59, field(b"ticket"))


def identity(kind: int, primary: bytes, secondary: bytes = b"") -> bytes:
    return item(0x58, bytes([kind, 1]) + field(primary) + field(secondary))


def associate(
    kind: int,
    contexts: bytes,
    user: bytes,
    called: bytes = b"ARCHIVE",
    calling: bytes = b"SCU",
    version: int = 1,
    application: bytes = item(0x10, APPLICATION),
) -> bytes:
    head = struct.pack(">HH", version, 0) + called.ljust(16) + calling.ljust(16) + bytes(32)
    return pdu(kind, head + application + contexts + user)


def pdus() -> dict[str, bytes]:
    one = proposed(1, VERIFICATION, IMPLICIT)
    basic = item(0x50, MAX_LENGTH + CLASS + VERSION)
    everything = MAX_LENGTH + CLASS + ASYNC + ROLE + VERSION + EXTENDED + COMMON
    two = proposed(1, VERIFICATION, IMPLICIT, EXPLICIT) + proposed(3, CT, IMPLICIT)
    answers = answer(1, 0, IMPLICIT) + answer(3, 3, IMPLICIT)
    full = associate(1, two, item(0x50, everything + identity(2, b"user", b"pass")))
    return {
        "rq_minimal": associate(1, one, item(0x50, MAX_LENGTH + CLASS)),
        "rq_full": full,
        "rq_identity_name": associate(1, one, item(0x50, CLASS + identity(1, b"user"))),
        "rq_identity_kerberos": associate(1, one, item(0x50, identity(3, bytes(range(64))))),
        "rq_identity_saml": associate(1, one, item(0x50, identity(4, b"<saml/>" * 20))),
        "rq_identity_jwt": associate(1, one, item(0x50, identity(5, b"e30.e30."))),
        "rq_unknown_items": associate(
            1, item(0x77, b"x") + one, item(0x50, item(0x01, b"a") + MAX_LENGTH + item(0x5A, b""))
        ),
        "rq_order": associate(1, basic + one, b"", version=3),
        "rq_128_contexts": associate(
            1, b"".join(proposed(i, b"1.%d" % i, b"1.2") for i in range(1, 256, 2)), basic
        ),
        "rq_duplicate_context": associate(1, one + one, basic),
        "rq_even_context": associate(1, proposed(2, CT, IMPLICIT), basic),
        "rq_no_transfer": associate(1, proposed(1, CT), basic),
        "rq_padded_uids": associate(1, proposed(1, CT + b"\0", IMPLICIT + b" "), basic),
        "rq_bad_uid": associate(1, proposed(1, b"../../etc", IMPLICIT), basic),
        "rq_titles": associate(1, one, basic, called=b"../..\\x", calling=b"A\0B"),
        "rq_no_application": associate(1, one, basic, application=b""),
        "rq_no_user": associate(1, one, b""),
        "rq_two_roles": associate(1, two, item(0x50, ROLE + ROLE)),
        "rq_two_lengths": associate(1, two, item(0x50, MAX_LENGTH + MAX_LENGTH)),
        "rq_item_past_parent": full.replace(item(0x55, b"V_1"), b"\x55\0\xff\xffV_1"),
        "rq_huge_length": b"\x01\0\xff\xff\xff\xff" + full[6:],
        "rq_cut": full[:200],
        "ac_minimal": associate(2, answer(1, 0, IMPLICIT), item(0x50, MAX_LENGTH + CLASS)),
        "ac_full": associate(
            2,
            answers,
            item(0x50, MAX_LENGTH + CLASS + ASYNC + ROLE + VERSION + EXTENDED + RESPONSE),
        ),
        "ac_rejected_bare": associate(2, answer(1, 4) + answer(3, 1, b""), basic),
        "ac_two_transfers": associate(2, answer(1, 0, IMPLICIT, EXPLICIT), basic),
        "ac_not_proposed": associate(2, answer(9, 0, IMPLICIT), basic),
        "ac_no_contexts": associate(2, b"", basic),
        "rj": pdu(3, b"\0\1\1\7"),
        "rj_reserved": pdu(3, b"\xff\2\3\2"),
        "release_rq": pdu(5, bytes(4)),
        "release_rp": pdu(6, bytes(4)),
        "abort_user": pdu(7, b"\0\0\0\0"),
        "abort_provider": pdu(7, b"\0\0\2\6"),
        "abort_long": pdu(7, bytes(5)),
        "unknown_type": pdu(9, bytes(4)),
    }


def pdv(context: int, control: int, fragment: bytes) -> bytes:
    return struct.pack(">IBB", len(fragment) + 2, context, control) + fragment


def streams() -> dict[str, bytes]:
    command = pdv(1, 3, b"command!")
    data = pdv(1, 0, b"data")
    last = pdv(1, 2, b"last")
    seed = b"\x12\x34"  # how it is cut
    bodies = {
        "one_item": pdu(4, command),
        "items": pdu(4, command + data + last),
        "pdus": pdu(4, command) + pdu(4, data) + pdu(4, last) + pdu(5, bytes(4)),
        "empty_fragment": pdu(4, pdv(255, 0xFE, b"")),
        "association": pdus()["rq_minimal"] + pdu(4, command) + pdu(5, bytes(4)),
        "abort": pdu(4, data) + pdu(7, b"\0\0\2\1"),
        "no_item": pdu(4, b""),
        "cut_item": pdu(4, command + b"\0\0\0"),
        "item_past_pdu": pdu(4, b"\0\0\1\0" + command[4:]),
        "item_length_0": pdu(4, bytes(4) + b"\1\3"),
        "item_length_max": pdu(4, b"\xff\xff\xff\xff\1\3"),
        "even_context": pdu(4, pdv(2, 3, b"xx")),
        "too_long": b"\x04\0\xff\xff\xff\xff" + command,
        "http": b"GET / HTTP/1.1\r\n\r\n",
        "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "cut": pdu(4, command)[:9],
    }
    return {name: seed + body for name, body in bodies.items()}


def main() -> None:
    for folder, seeds in (("pdu", pdus()), ("pdv", streams())):
        target = CORPUS / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, content in seeds.items():
            (target / f"{name}.bin").write_bytes(content)


if __name__ == "__main__":
    main()
