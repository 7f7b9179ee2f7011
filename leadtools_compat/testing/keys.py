"""Private keys of the test PKI: RSA, P-256 and Ed25519, from random numbers or, byte for byte, from a seed.

The one rule: a key knows its own encodings and signs deterministically (RFC 6979 for ECDSA, a salt taken from the
message for RSA-PSS), so that one seed always gives the same files. RSA is done on Python integers where
`cryptography` refuses to help: moduli under 1024 bits, MD5, SHA-1, chosen salts.

These keys are for tests. Whoever knows the seed knows the keys, and integer arithmetic leaks through timing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from abc import ABC, abstractmethod
from functools import cached_property, lru_cache
from math import gcd, prod

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from leadtools_compat.testing import der

HASH_OID = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
}
RSA_SIGNATURE_OID = {
    "md5": "1.2.840.113549.1.1.4",
    "sha1": "1.2.840.113549.1.1.5",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
}
ECDSA_SIGNATURE_OID = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
}
RSA_ENCRYPTION_OID = "1.2.840.113549.1.1.1"
RSA_PSS_OID = "1.2.840.113549.1.1.10"
MGF1_OID = "1.2.840.113549.1.1.8"
EC_PUBLIC_KEY_OID = "1.2.840.10045.2.1"
P256_OID = "1.2.840.10045.3.1.7"
ED25519_OID = "1.3.101.112"

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SIEVE_LIMIT = 50_000
_SIEVE_SPAN = 8_192


class Entropy:
    """A source of bytes that all come from one seed, each label its own stream (SHAKE-256).

    Parameters
    ----------
    seed
        Any text, number or bytes; the same one gives the same bytes for ever.
    """

    def __init__(self, seed: int | str | bytes) -> None:
        self.seed = seed if isinstance(seed, bytes) else str(seed).encode("utf-8")

    def bytes(self, label: str, size: int) -> bytes:
        """Return `size` bytes for `label`."""
        named = label.encode("utf-8")
        head = len(self.seed).to_bytes(4, "big") + self.seed + len(named).to_bytes(4, "big") + named
        return hashlib.shake_256(b"leadtools_compat test PKI 1" + head).digest(size)

    def integer(self, label: str, bits: int) -> int:
        """Return a number of at most `bits` bits for `label`."""
        return int.from_bytes(self.bytes(label, (bits + 7) // 8), "big") >> (-bits % 8)


class Key(ABC):
    """A private key, its encodings and its signatures."""

    @property
    @abstractmethod
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""

    @property
    @abstractmethod
    def pkcs8(self) -> bytes:
        """PrivateKeyInfo, DER, not encrypted (RFC 5958)."""

    @property
    @abstractmethod
    def public_bits(self) -> bytes:
        """Content of the public key's BIT STRING: what key identifiers are computed from (RFC 5280 4.2.1.2)."""

    @abstractmethod
    def signature_algorithm(self, digest: str) -> bytes:
        """Return the AlgorithmIdentifier of what `sign` makes."""

    @abstractmethod
    def sign(self, message: bytes, digest: str) -> bytes:
        """Return the signature of `message`, hashed with `digest` (``sha256``, ``sha1``, ``md5``, ``sha384``)."""

    @property
    def identifier(self) -> bytes:
        """Key identifier: SHA-1 of the public bits."""
        return hashlib.sha1(self.public_bits, usedforsecurity=False).digest()


class RsaKey(Key):
    """An RSA key of any size.

    Parameters
    ----------
    p, q
        The primes; the public exponent is 65537.
    pss
        True for a key that may sign with RSA-PSS only (``id-RSASSA-PSS``); its signatures are PSS then.
    """

    def __init__(self, p: int, q: int, pss: bool = False) -> None:
        self.p, self.q, self.e = max(p, q), min(p, q), 65537
        self.n = p * q
        self.d = pow(self.e, -1, (p - 1) * (q - 1) // gcd(p - 1, q - 1))
        self.pss = pss

    @property
    def size(self) -> int:
        """Octets of the modulus."""
        return (self.n.bit_length() + 7) // 8

    @property
    def _algorithm(self) -> bytes:
        if self.pss:
            return der.sequence(der.oid(RSA_PSS_OID))
        return der.sequence(der.oid(RSA_ENCRYPTION_OID), der.null())

    @property
    def public_bits(self) -> bytes:
        """The RSAPublicKey structure."""
        return der.sequence(der.integer(self.n), der.integer(self.e))

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return der.sequence(self._algorithm, der.bits(self.public_bits))

    @cached_property
    def pkcs8(self) -> bytes:
        """PrivateKeyInfo, DER, not encrypted."""
        d_p, d_q, inverse = self.d % (self.p - 1), self.d % (self.q - 1), pow(self.q, -1, self.p)
        numbers = (0, self.n, self.e, self.d, self.p, self.q, d_p, d_q, inverse)
        inner = der.sequence(*(der.integer(number) for number in numbers))
        return der.sequence(der.integer(0), self._algorithm, der.octets(inner))

    def signature_algorithm(self, digest: str) -> bytes:
        """Return the AlgorithmIdentifier of PKCS #1 v1.5, or of PSS for a PSS key."""
        if not self.pss:
            return der.sequence(der.oid(RSA_SIGNATURE_OID[digest]), der.null())
        hashed = der.sequence(der.oid(HASH_OID[digest]), der.null())
        mask = der.sequence(der.oid(MGF1_OID), hashed)
        salt = der.integer(hashlib.new(digest).digest_size)
        parameters = der.sequence(
            der.explicit(0, hashed), der.explicit(1, mask), der.explicit(2, salt)
        )
        return der.sequence(der.oid(RSA_PSS_OID), parameters)

    def sign(self, message: bytes, digest: str) -> bytes:
        """Return a PKCS #1 v1.5 signature, or a PSS one for a PSS key."""
        if self.pss:
            return self._raw(_pss_encode(message, digest, self.n.bit_length() - 1))
        if digest in ("sha256", "sha384") and self.size >= 256:
            algorithm = hashes.SHA256() if digest == "sha256" else hashes.SHA384()
            return self._openssl.sign(message, padding.PKCS1v15(), algorithm)
        hashed = hashlib.new(digest, message, usedforsecurity=False).digest()
        info = der.sequence(der.sequence(der.oid(HASH_OID[digest]), der.null()), der.octets(hashed))
        return self._raw(b"\x00\x01".ljust(self.size - len(info) - 1, b"\xff") + b"\x00" + info)

    def as_pss(self) -> RsaKey:
        """Return the same numbers as a key that signs with PSS only."""
        return RsaKey(self.p, self.q, pss=True)

    def _raw(self, block: bytes) -> bytes:
        return pow(int.from_bytes(block, "big"), self.d, self.n).to_bytes(self.size, "big")

    @cached_property
    def _openssl(self) -> rsa.RSAPrivateKey:
        numbers = rsa.RSAPrivateNumbers(
            p=self.p,
            q=self.q,
            d=self.d,
            dmp1=self.d % (self.p - 1),
            dmq1=self.d % (self.q - 1),
            iqmp=pow(self.q, -1, self.p),
            public_numbers=rsa.RSAPublicNumbers(self.e, self.n),
        )
        return numbers.private_key(unsafe_skip_rsa_key_validation=True)


class EcKey(Key):
    """A P-256 key, given by its private number."""

    def __init__(self, number: int) -> None:
        self.number = number

    @cached_property
    def public_bits(self) -> bytes:
        """The public point, not compressed."""
        public = ec.derive_private_key(self.number, ec.SECP256R1()).public_key()
        form = serialization.PublicFormat.UncompressedPoint
        return public.public_bytes(serialization.Encoding.X962, form)

    @property
    def _algorithm(self) -> bytes:
        return der.sequence(der.oid(EC_PUBLIC_KEY_OID), der.oid(P256_OID))

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return der.sequence(self._algorithm, der.bits(self.public_bits))

    @property
    def pkcs8(self) -> bytes:
        """PrivateKeyInfo, DER, not encrypted."""
        number = der.octets(self.number.to_bytes(32, "big"))
        inner = der.sequence(der.integer(1), number, der.explicit(1, der.bits(self.public_bits)))
        return der.sequence(der.integer(0), self._algorithm, der.octets(inner))

    def signature_algorithm(self, digest: str) -> bytes:
        """Return the AlgorithmIdentifier of ECDSA with `digest`."""
        return der.sequence(der.oid(ECDSA_SIGNATURE_OID[digest]))

    def sign(self, message: bytes, digest: str) -> bytes:
        """Return an ECDSA signature with the nonce of RFC 6979, whatever OpenSSL is linked."""
        hashed = hashlib.new(digest, message, usedforsecurity=False).digest()
        value = int.from_bytes(hashed[:32], "big") % P256_ORDER
        nonce = _rfc6979_nonce(self.number, value, digest)
        point = ec.derive_private_key(nonce, ec.SECP256R1()).public_key().public_numbers()
        r = point.x % P256_ORDER
        s = pow(nonce, -1, P256_ORDER) * (value + r * self.number) % P256_ORDER
        return der.sequence(der.integer(r), der.integer(s))


class Ed25519Key(Key):
    """An Ed25519 key, given by its 32 private bytes."""

    def __init__(self, private: bytes) -> None:
        self.private = private
        self._openssl = ed25519.Ed25519PrivateKey.from_private_bytes(private)

    @property
    def public_bits(self) -> bytes:
        """The 32 public bytes."""
        return self._openssl.public_key().public_bytes_raw()

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER (RFC 8410)."""
        return der.sequence(der.sequence(der.oid(ED25519_OID)), der.bits(self.public_bits))

    @property
    def pkcs8(self) -> bytes:
        """PrivateKeyInfo, DER, not encrypted."""
        algorithm = der.sequence(der.oid(ED25519_OID))
        return der.sequence(der.integer(0), algorithm, der.octets(der.octets(self.private)))

    def signature_algorithm(self, digest: str) -> bytes:
        """Return the AlgorithmIdentifier of Ed25519; `digest` has no meaning here."""
        return der.sequence(der.oid(ED25519_OID))

    def sign(self, message: bytes, digest: str) -> bytes:
        """Return an Ed25519 signature; `digest` has no meaning here."""
        return self._openssl.sign(message)


def rsa_key(entropy: Entropy | None, label: str, bits: int = 2048) -> RsaKey:
    """Return an RSA key: from `entropy` and `label`, or a fresh one if `entropy` is None."""
    if entropy is not None:
        return _seeded_rsa(entropy.seed, label, bits)
    if bits < 1024:  # cryptography makes none so small
        return _seeded_rsa(fresh_entropy().seed, label, bits)
    numbers = rsa.generate_private_key(65537, bits).private_numbers()
    return RsaKey(numbers.p, numbers.q)


def ec_key(entropy: Entropy, label: str) -> EcKey:
    """Return the P-256 key of `label`."""
    return EcKey(1 + entropy.integer(f"ec key {label}", 384) % (P256_ORDER - 1))


def ed25519_key(entropy: Entropy, label: str) -> Ed25519Key:
    """Return the Ed25519 key of `label`."""
    return Ed25519Key(entropy.bytes(f"ed25519 key {label}", 32))


def fresh_entropy() -> Entropy:
    """Return a source that nobody can repeat."""
    return Entropy(secrets.token_bytes(32))


@lru_cache(maxsize=256)
def _seeded_rsa(seed: bytes, label: str, bits: int) -> RsaKey:
    entropy = Entropy(seed)
    primes: list[int] = []
    attempt = 0
    while len(primes) < 2:
        start = entropy.integer(f"rsa {bits} key {label} {attempt}", bits // 2)
        attempt += 1
        prime = _next_prime(
            start | 3 << (bits // 2 - 2) | 1
        )  # two top bits: the modulus has `bits` bits exactly
        if prime is not None and prime not in primes and gcd(prime - 1, 65537) == 1:
            primes.append(prime)
    return RsaKey(primes[0], primes[1])


@lru_cache(maxsize=1)
def _small_primes() -> tuple[int, ...]:
    sieve = bytearray([1]) * _SIEVE_LIMIT
    sieve[0:2] = b"\x00\x00"
    for number in range(2, int(_SIEVE_LIMIT**0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(
                len(range(number * number, _SIEVE_LIMIT, number))
            )
    return tuple(number for number in range(3, _SIEVE_LIMIT) if sieve[number])


def _next_prime(start: int) -> int | None:
    """Return the first prime among `_SIEVE_SPAN` odd numbers from the odd `start` on, or None."""
    candidates = bytearray([1]) * _SIEVE_SPAN
    primes = _small_primes()
    for first in range(0, len(primes), 64):  # one long division for 64 primes, then short ones
        group = primes[first : first + 64]
        rest = start % prod(group)
        for prime in group:
            position = (-rest * ((prime + 1) // 2)) % prime  # start + 2 * position is divisible
            candidates[position::prime] = bytes(len(range(position, _SIEVE_SPAN, prime)))
    position = candidates.find(1)
    while position >= 0:
        if _is_probable_prime(start + 2 * position):
            return start + 2 * position
        position = candidates.find(1, position + 1)
    return None


def _is_probable_prime(number: int) -> bool:
    """Miller-Rabin with four bases: for random numbers of this size the error is below 2**-100."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7):
        value = pow(base, odd, number)
        if value in (1, number - 1):
            continue
        for _ in range(twos - 1):
            value = value * value % number
            if value == number - 1:
                break
        else:
            return False
    return True


def _rfc6979_nonce(number: int, value: int, digest: str) -> int:
    """Return the nonce of RFC 6979 3.2 for P-256."""
    size = hashlib.new(digest).digest_size
    message = number.to_bytes(32, "big") + value.to_bytes(32, "big")
    key, chain = b"\x00" * size, b"\x01" * size
    for step in (b"\x00", b"\x01"):
        key = hmac.new(key, chain + step + message, digest).digest()
        chain = hmac.new(key, chain, digest).digest()
    while True:
        block = b""
        while len(block) < 32:
            chain = hmac.new(key, chain, digest).digest()
            block += chain
        nonce = int.from_bytes(block[:32], "big")
        if 0 < nonce < P256_ORDER:
            return nonce
        key = hmac.new(key, chain + b"\x00", digest).digest()
        chain = hmac.new(key, chain, digest).digest()


def _pss_encode(message: bytes, digest: str, bits: int) -> bytes:
    """EMSA-PSS (RFC 8017 9.1.1) with a salt that follows from the message."""
    hashed = hashlib.new(digest, message).digest()
    salt = hashlib.new(digest, b"salt" + hashed).digest()
    size = (bits + 7) // 8
    tag = hashlib.new(digest, bytes(8) + hashed + salt).digest()
    block = (b"\x01" + salt).rjust(size - len(tag) - 1, b"\x00")
    mask = b""
    for counter in range(-(-len(block) // len(tag))):
        mask += hashlib.new(digest, tag + counter.to_bytes(4, "big")).digest()
    masked = bytearray(left ^ right for left, right in zip(block, mask, strict=False))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + tag + b"\xbc"
