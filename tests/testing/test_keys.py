"""Keys and DER under the test PKI, against published vectors and the real library."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from leadtools_compat.testing import der
from leadtools_compat.testing.keys import EcKey, Entropy, rsa_key

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc)


def test_rsa_key_from_a_seed_is_a_sound_key() -> None:
    key = rsa_key(Entropy("sound"), "label")
    loaded = load_der_private_key(key.pkcs8, None)  # checks the numbers, primality included
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.key_size == 2048
    loaded.public_key().verify(
        key.sign(b"text", "sha1"), b"text", padding.PKCS1v15(), hashes.SHA1()
    )
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    loaded.public_key().verify(key.as_pss().sign(b"text", "sha256"), b"text", pss, hashes.SHA256())
    assert rsa_key(Entropy("sound"), "other").n != key.n


def test_ecdsa_signature_is_that_of_rfc_6979() -> None:
    key = EcKey(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721)  # A.2.5
    assert key.sign(b"sample", "sha256") == der.sequence(
        der.integer(0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716),
        der.integer(0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8),
    )


# ---- DER


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (der.integer(0), "020100"),
        (der.integer(127), "02017f"),
        (der.integer(128), "02020080"),
        (der.integer(-1), "0201ff"),
        (der.integer(-128), "020180"),
        (der.integer(-129), "0202ff7f"),
        (der.oid("1.2.840.113549"), "06062a864886f70d"),
        (der.oid("2.999"), "06028837"),
        (der.named_bits(5, 6), "03020106"),
        (der.named_bits(0), "03020780"),
        (der.named_bits(), "030100"),
        (der.octets(bytes(128))[:3], "048180"),
        (der.octets(bytes(65536))[:5], "0483010000"),
        (der.tlv_indefinite(0x30, b"\x05\x00"), "308005000000"),
        (der.time(NOON), "170d3236303130323132303030305a"),
        (der.time(NOON.replace(year=2050)), "180f32303530303130323132303030305a"),
    ],
)
def test_der_is_encoded_as_x690_says(encoded: bytes, expected: str) -> None:
    assert encoded.hex() == expected
