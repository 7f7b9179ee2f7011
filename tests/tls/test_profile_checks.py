"""What a TLS profile demands of keys, hashes and signatures, and how a link is judged by profiles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from leadtools_compat.testing import TestPki
from leadtools_compat.testing.files import pem
from tests.support import refused
from tests.tls.conftest import Meet
from tests.tls.peers import (
    ALL_SUITES,
    openssl_server,
    own,
)
from tests.tls.profiles import (
    BY_NAME,
    applied,
    checked,
    dialled,
    dialling,
    linked,
)
from tests.tls.tls_tools import (
    CODES,
    METHODS,
    PEM,
    SUITES,
    Rules,
    calls_of,
    rules_for,
)

# ---- keys, hashes, signatures


class Chain(NamedTuple):
    """A root and a leaf for 127.0.0.1; files in PEM."""

    root: str
    leaf: str


def chain(
    folder: Path, root_curve: ec.EllipticCurve, leaf_curve: ec.EllipticCurve, digest: Any
) -> Chain:
    """Issue a leaf of one curve by a root of another."""
    keys = {
        "root": ec.generate_private_key(root_curve),
        "leaf": ec.generate_private_key(leaf_curve),
    }
    now = datetime.now(timezone.utc)
    files = {}
    for name, key in keys.items():
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
        certificate = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(name == "root", None), True)
            .sign(keys["root"], digest)
        )
        text = certificate.public_bytes(Encoding.PEM)
        if name == "leaf":
            text += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files[name] = folder / f"{name}.pem"
        files[name].write_bytes(text)
    return Chain(str(files["root"]), str(files["leaf"]))


WEAK_CHAINS = {
    "root P-224": (ec.SECP224R1(), ec.SECP256R1(), hashes.SHA256(), "CaKeyTooSmall"),
    "SHA-224": (ec.SECP256R1(), ec.SECP256R1(), hashes.SHA224(), "CaMdTooWeak"),
}


@pytest.mark.parametrize("name", WEAK_CHAINS)
def test_chain_that_is_too_weak_for_the_profile_is_a_complaint(
    nets: Callable[[Any], Any], tmp_path: Path, name: str
) -> None:
    root_curve, leaf_curve, digest, code = WEAK_CHAINS[name]
    files = chain(tmp_path, root_curve, leaf_curve, digest)
    rules = Rules(ca=files.root)
    options = ("-cert", files.leaf, "-key", files.leaf, *ALL_SUITES)
    with openssl_server(*options) as server:
        with dialling(rules, None, server.port) as plain:
            assert linked(plain), plain.failure  # level 2 finds no fault
            assert [call.ok for call in calls_of(plain)] == [1, 1]
            assert checked(plain, "B.12").satisfied == (name == "root P-224")  # it is not sent
        client = dialled(applied(nets(rules.net()), "B.12"), server.port)
        assert not linked(client)
        assert client.failure.code == CODES.TlsCertificateRejected
        assert str(client.failure.certificate_code) == code
        assert [(call.ok, call.code) for call in calls_of(client)] == [(0, code)]


def test_complaint_of_the_profile_can_be_overruled_and_comes_before_the_successes(
    nets: Callable[[Any], Any], tmp_path: Path
) -> None:
    files = chain(tmp_path, ec.SECP224R1(), ec.SECP256R1(), hashes.SHA224())
    rules = Rules(ca=files.root, hooks={"OnVerify": lambda net, ok, text, error: 1})
    options = ("-cert", files.leaf, "-key", files.leaf, *ALL_SUITES)
    with openssl_server(*options) as server:
        client = dialled(applied(nets(rules.net()), "B.12"), server.port)
        assert linked(client), client.failure
        assert [(call.ok, call.code, call.subject[-4:]) for call in calls_of(client)] == [
            *((0, "CaMdTooWeak", "leaf"), (0, "CaKeyTooSmall", "root")),
            *((1, "Success", "root"), (1, "Success", "leaf")),
        ]
        assert not client.tls_verified
        reasons = checked(client, "B.12").reasons
        assert any("certificate" in one and "SHA-256" in one for one in reasons)


def test_own_certificate_that_is_too_weak_is_refused(
    nets: Callable[[Any], Any], pki: TestPki, tmp_path: Path
) -> None:
    files = chain(tmp_path, ec.SECP256R1(), ec.SECP224R1(), hashes.SHA256())
    client = nets(rules_for(pki, "client").net())
    client.SetTlsClientCertificate(files.leaf, PEM, None)
    with refused(CODES.TlsWeakKey, "224 bits", "256", "B.12"):
        applied(client, "B.12").Connect(None, 0, "127.0.0.1", 9)


# ---- judging


def test_each_reason_names_what_is_wrong(nets: Callable[[Any], Any], pki: TestPki) -> None:
    rules = rules_for(pki, "client", suites=[SUITES.EcdheEcdsaWithChacha20Poly1305Sha256])
    with openssl_server(*own(pki.server), *ALL_SUITES) as server:
        client = dialled(nets(rules.net()), server.port)
        checks = {one.name: one for one in client.check_tls_profiles()}
    assert list(checks) == list(BY_NAME)
    assert checks["B.13"].satisfied
    (reason,) = checks["B.12"].reasons
    assert "cipher suite" in reason
    assert "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" in reason
    assert {one.name for one in checks.values() if one.satisfied} == {"B.13"}
    assert str(checks["B.13"]) == "B.13: satisfied"
    assert "cipher suite" in str(checks["B.12"])


def test_version_is_a_reason_on_both_sides(meet: Meet, pki: TestPki) -> None:
    meeting = meet(rules_for(pki, "server"), rules_for(pki, "client"))
    for net in (meeting.client, meeting.child):
        assert net.tls_version == "TLSv1.3"
        assert checked(net, "B.12").satisfied
        assert any("version: TLSv1.3" in one for one in checked(net, "bcp195_extended").reasons)


# The second Oakley group, RFC 2409 section 6.2.
OAKLEY_2 = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF"
)


@pytest.fixture
def small_prime(tmp_path: Path) -> str:
    """Write parameters of Diffie-Hellman with 1024 bits."""
    file = tmp_path / "dh.pem"
    # PKCS #3: a sequence of the prime, here with a zero before it, and the generator.
    der = bytes.fromhex(f"308187 02818100 {OAKLEY_2} 020102")
    file.write_bytes(pem("DH PARAMETERS", der))
    return str(file)


def test_small_prime_of_the_peer_is_a_reason_and_no_link_with_the_profile(
    nets: Callable[[Any], Any], rsa_pki: TestPki, small_prime: str
) -> None:
    suite = SUITES.DheRsaWithAes128GcmSha256
    options = (*own(rsa_pki.server), "-tls1_2", "-dhparam", small_prime)
    rules = rules_for(rsa_pki, "client", method=METHODS.TlsV1)
    with openssl_server(*options, *ALL_SUITES) as server:
        with dialling(rules, None, server.port, suite) as loose:
            assert linked(loose), loose.failure
            reasons = checked(loose, "bcp195").reasons
            assert any("DHE with 1024 bits" in one for one in reasons), reasons
        for name in ("bcp195", "ihe_stx12"):
            with dialling(rules, name, server.port, suite) as client:
                assert not linked(client), name


def test_weak_signature_of_the_peer_is_a_reason_and_no_link_with_the_profile(
    nets: Callable[[Any], Any], rsa_pki: TestPki
) -> None:
    options = (*own(rsa_pki.server), "-tls1_2", "-sigalgs", "RSA+SHA1")
    suite = SUITES.EcdheRsaWithAes128GcmSha256
    rules = rules_for(rsa_pki, "client", method=METHODS.TlsV1)
    with openssl_server(*options, *ALL_SUITES) as server:
        with dialling(rules, None, server.port, suite) as loose:
            assert linked(loose), loose.failure
            (reason,) = checked(loose, "B.12").reasons
            assert "signature algorithm" in reason
            assert "SHA1" in reason
        for name in ("B.12", "bcp195"):
            with dialling(rules, name, server.port, suite) as client:
                assert not linked(client), name
