"""Files of the test PKI: PEM, PKCS #8, encrypted keys and PKCS #12, written at once or not at all.

The one rule: a file that holds a key is 0600 from its first moment, and the salts come from what is encrypted, so that
one seed always gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from leadtools_compat.testing import der
from leadtools_compat.testing.keys import HASH_OID

PASSWORD = "test"
ITERATIONS = 2048
MAC_ITERATIONS = 256  # done in Python; the password is no secret anyway

_PBES2 = "1.2.840.113549.1.5.13"
_PBKDF2 = "1.2.840.113549.1.5.12"
_HMAC_SHA256 = "1.2.840.113549.2.9"
_AES256_CBC = "2.16.840.1.101.3.4.1.42"
_PKCS7_DATA = "1.2.840.113549.1.7.1"
_SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2"
_CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3"
_X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"
_LOCAL_KEY_ID = "1.2.840.113549.1.9.21"


def pem(label: str, *encoded: bytes) -> bytes:
    """Return one PEM block for each of `encoded`."""
    blocks = []
    for one in encoded:
        text = base64.b64encode(one).decode("ascii")
        lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
        blocks.append(f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
    return "".join(blocks).encode("ascii")


def unpem(content: bytes) -> list[bytes]:
    """Return what is in the PEM blocks of `content`, whatever their labels."""
    blocks = content.decode("ascii").split("-----BEGIN ")[1:]
    return [base64.b64decode(block.split("-----")[1]) for block in blocks]


def write(path: Path, content: bytes, secret: bool = False) -> Path:
    """Write a file so that a reader sees all of it or the one before.

    Parameters
    ----------
    secret
        True for a file with a key in it: nobody but the owner may read it.

    Returns
    -------
    Path
        `path`, for chaining.

    Raises
    ------
    OSError
        If the directory is not there or not writable, or the disk is full.
    """
    descriptor, draft = tempfile.mkstemp(
        prefix=".", suffix=path.name, dir=path.parent
    )  # created as 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if not secret:
                os.fchmod(file.fileno(), 0o644)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink()
        raise
    return path


@lru_cache(maxsize=64)  # an identity needs it twice, and many identities share a key
def encrypt_key(pkcs8: bytes, password: str = PASSWORD) -> bytes:
    """Return EncryptedPrivateKeyInfo: PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC (RFC 8018)."""
    drawn = hashlib.sha256(b"key encryption" + password.encode("utf-8") + pkcs8).digest()
    salt, start = drawn[:16], drawn[16:]
    derived = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8"), salt, ITERATIONS, 32)
    fill = 16 - len(pkcs8) % 16
    encryptor = Cipher(algorithms.AES(derived), modes.CBC(start)).encryptor()
    secret = encryptor.update(pkcs8 + bytes((fill,)) * fill) + encryptor.finalize()
    function = der.sequence(der.oid(_HMAC_SHA256), der.null())
    derivation = der.sequence(
        der.oid(_PBKDF2), der.sequence(der.octets(salt), der.integer(ITERATIONS), function)
    )
    scheme = der.sequence(der.oid(_AES256_CBC), der.octets(start))
    return der.sequence(
        der.sequence(der.oid(_PBES2), der.sequence(derivation, scheme)), der.octets(secret)
    )


def pkcs12(name: str, pkcs8: bytes, chain: Sequence[bytes], password: str = PASSWORD) -> bytes:
    """Return a PKCS #12 file with an encrypted key and the chain, leaf first (RFC 7292).

    Parameters
    ----------
    name
        The friendly name of key and leaf.
    """
    drawn = hashlib.sha256(b"pkcs12" + pkcs8 + b"".join(chain)).digest()
    key_id = der.sequence(der.oid(_LOCAL_KEY_ID), der.tlv(0x31, der.octets(drawn[:8])))
    friendly = der.sequence(der.oid(_FRIENDLY_NAME), der.tlv(0x31, der.text(name, der.BMP_STRING)))
    attributes = der.set_of(key_id, friendly)
    key_bag = der.sequence(
        der.oid(_SHROUDED_KEY_BAG), der.explicit(0, encrypt_key(pkcs8, password)), attributes
    )
    bags = []
    for position, one in enumerate(chain):
        inner = der.sequence(der.oid(_X509_CERTIFICATE), der.explicit(0, der.octets(one)))
        bag = (der.oid(_CERTIFICATE_BAG), der.explicit(0, inner))
        bags.append(der.sequence(*bag, attributes) if position == 0 else der.sequence(*bag))
    safe = der.sequence(_data(der.sequence(*bags)), _data(der.sequence(key_bag)))
    salt = drawn[8:16]
    mac = hmac.new(_pkcs12_mac_key(password, salt), safe, "sha256").digest()
    info = der.sequence(der.sequence(der.oid(HASH_OID["sha256"]), der.null()), der.octets(mac))
    return der.sequence(
        der.integer(3),
        _data(safe),
        der.sequence(info, der.octets(salt), der.integer(MAC_ITERATIONS)),
    )


def _data(content: bytes) -> bytes:
    return der.sequence(der.oid(_PKCS7_DATA), der.explicit(0, der.octets(content)))


def _pkcs12_mac_key(password: str, salt: bytes) -> bytes:
    """RFC 7292 B.2 for SHA-256, purpose 3; one round is enough, as the key is as long as the hash."""
    secret = password.encode("utf-16-be") + b"\x00\x00"
    blocks = (b"\x03" * 64, _repeated(salt), _repeated(secret))
    value = hashlib.sha256(b"".join(blocks)).digest()
    for _ in range(MAC_ITERATIONS - 1):
        value = hashlib.sha256(value).digest()
    return value


def _repeated(content: bytes) -> bytes:
    size = -(-len(content) // 64) * 64
    return (content * (size // len(content) + 1))[:size]
