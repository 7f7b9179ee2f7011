"""The test PKI: its files, its seeds, its refusals. What OpenSSL says of its kinds is in test_kinds."""

from __future__ import annotations

import dataclasses
import hashlib
import stat
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import ocsp

import leadtools_compat.testing
from leadtools_compat.testing import Complaint, Identity, TestPki, files
from leadtools_compat.testing.judge import judge
from leadtools_compat.testing.model import KeyType, Role

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc)
ROLES: tuple[Role, Role] = ("client", "server")
PATIENCE = 30.0


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """RSA, fresh keys."""
    return TestPki(tmp_path_factory.mktemp("pki-rsa"))


@pytest.fixture(scope="module")
def ec_pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """P-256, fresh keys."""
    return TestPki(tmp_path_factory.mktemp("pki-ec"), key="ec")


def openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the openssl program."""
    command = ["openssl", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


# ---- refusals and choices


def test_unknown_names_are_refused_with_a_hint(pki: TestPki) -> None:
    with pytest.raises(ValueError, match="no kind of identity 'expird'; did you mean expired"):
        pki.make("expird")
    with pytest.raises(ValueError, match=r"TestPki\.kinds\(\) lists"):
        pki.make("%%%")
    with pytest.raises(ValueError, match="role is 'peer', but must be one of 'client', 'server'"):
        pki.make("expired", "peer")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="key is 'dsa', but must be one of 'rsa', 'ec'"):
        pki.make("expired", key="dsa")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot name a folder"):
        pki.issue("../elsewhere")


def test_one_identity_may_have_the_other_type_of_key(pki: TestPki) -> None:
    identity = pki.make("no_purpose", "server", key="ec")
    assert identity.leaf is not None
    assert isinstance(identity.leaf.public_key(), ec.EllipticCurvePublicKey)
    assert identity.certificate_file != pki.make("no_purpose", "server").certificate_file
    assert judge(identity) == identity.expected


def test_clock_skew_begins_an_hour_after_now(tmp_path: Path) -> None:
    leaf = TestPki(tmp_path, key="ec", now=NOON).make("clock_skew").leaf
    assert leaf is not None
    assert leaf.not_valid_before_utc == NOON + timedelta(hours=1)


def test_documented_example_is_expired_as_well_after_may_2030(tmp_path: Path) -> None:
    later = TestPki(tmp_path, key="ec", now=NOON.replace(year=2031)).make("documented_example")
    assert later.expected == (("InvalidPurpose", 0), ("CertHasExpired", 0))


# ---- identities and files


def spki(key: PublicKeyTypes) -> bytes:
    """Give the encoded public key."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_standing_identities_are_named_as_in_the_sample(pki: TestPki) -> None:
    names = {path.name for path in pki.directory.iterdir() if path.is_file()}
    assert {"ca.pem", "server.pem", "server.key", "client.pem", "client.key"} <= names
    assert {"ca.key", "server-combined.pem", "client-encrypted.pem", "client.p12"} <= names
    assert pki.ca_file == str(pki.directory / "ca.pem")
    assert pki.root.certificate_file == pki.ca_file
    assert pki.server.role == "server"
    assert pki.client.role == "client"
    assert pki.server.leaf is not None
    hosts = pki.server.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert hosts.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in hosts.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_every_file_of_an_identity_holds_the_same_key_and_chain(
    pki: TestPki, ec_pki: TestPki
) -> None:
    bad = pki.make("expired")
    for identity in (pki.client, ec_pki.server, pki.make("good_ed25519"), bad):
        assert identity.leaf is not None
        assert identity.key_password == "test"
        encrypted = Path(identity.encrypted_file).read_bytes()
        keys = [
            load_pem_private_key(Path(identity.key_file).read_bytes(), None),
            load_der_private_key(Path(identity.key_der_file).read_bytes(), None),
            load_pem_private_key(encrypted[encrypted.index(b"-----BEGIN ENCRYPTED") :], b"test"),
        ]
        store = pkcs12.load_pkcs12(Path(identity.p12_file).read_bytes(), b"test")
        assert store.key is not None
        assert store.cert is not None
        assert store.cert.certificate == identity.leaf
        assert store.cert.friendly_name == identity.name.encode()
        public = {spki(key.public_key()) for key in (*keys, store.key)}
        assert public == {spki(identity.leaf.public_key())}
        chain = list(identity.chain_der)
        assert files.unpem(Path(identity.certificate_file).read_bytes()) == chain
        assert files.unpem(Path(identity.combined_file).read_bytes())[:-1] == chain
        assert files.unpem(encrypted)[:-1] == chain
        assert Path(identity.der_file).read_bytes() == identity.chain_der[0]


def test_openssl_reads_encrypted_key_and_pkcs12(pki: TestPki) -> None:
    plain = openssl("pkey", "-in", pki.client.key_file).stdout
    assert openssl("pkey", "-in", pki.client.encrypted_file, "-passin", "pass:test").stdout == plain
    assert (
        openssl("pkey", "-in", pki.client.encrypted_file, "-passin", "pass:wrong").returncode != 0
    )
    store = openssl(
        "pkcs12", "-in", pki.client.p12_file, "-passin", "pass:test", "-nodes", "-nocerts"
    ).stdout
    assert plain in store


def test_files_with_keys_are_for_their_owner_only(pki: TestPki) -> None:
    pki.make("expired")
    for path in pki.directory.rglob("*.*"):
        secret = b"PRIVATE KEY" in path.read_bytes() or path.name.endswith(("-key.der", ".p12"))
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if secret else 0o644), path


def test_failed_write_leaves_nothing_and_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        files.write(tmp_path / "taken", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_identity_is_made_once_even_from_many_threads(pki: TestPki) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: pki.make("multi_valued_rdn", "server"), range(32)))
    assert len({id(identity) for identity in made}) == 1


def test_identity_is_frozen_hashable_and_says_what_is_expected(pki: TestPki) -> None:
    identity = pki.make("no_purpose")
    assert repr(identity).startswith(
        "<Identity no_purpose-client: InvalidPurpose@0; 2 certificate(s) in "
    )
    assert "never judged: chain over 100 KiB" in repr(pki.make("chain_1mb"))
    assert identity.code == "InvalidPurpose"
    assert not identity.accepted
    assert pki.client.code == "Success"
    assert pki.client.accepted
    assert identity in {identity}
    with pytest.raises(dataclasses.FrozenInstanceError):
        identity.name = "other"  # type: ignore[misc]
    assert pki.make("name_not_utf8").leaf is None or pki.make("name_not_utf8").never_judged


def test_issued_certificate_is_good_and_has_a_key_of_its_own(pki: TestPki) -> None:
    identity = pki.issue(
        "PACS One",
        role="server",
        hosts=["pacs.test"],
        purposes=["serverAuth"],
        days=(-1, 30),
        key="ec",
    )
    assert judge(dataclasses.replace(identity, host="pacs.test")) == ()
    assert judge(dataclasses.replace(identity, host="other.test")) == (
        Complaint("HostnameMismatch", 0),
    )
    assert identity.directory == pki.directory / "issued" / "PACS One"
    again, other = pki.issue("PACS One", key="ec"), pki.issue("PACS Two", key="ec")
    assert identity.leaf is not None
    assert again.leaf is not None
    assert other.leaf is not None
    assert identity.leaf.public_key() == again.leaf.public_key() != other.leaf.public_key()


def test_pki_is_not_collected_as_a_test() -> None:
    assert TestPki.__test__ is False


# ---- seeds


def everything(directory: Path) -> dict[str, bytes]:
    """Read all files under a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def make_all(pki: TestPki) -> dict[str, bytes]:
    """Make every kind in both roles and read the files."""
    for kind in pki.kinds():
        for role in ROLES:
            pki.make(kind.name, role)
    return everything(pki.directory)


def test_same_seed_gives_the_same_bytes_for_every_kind(tmp_path: Path) -> None:
    first = make_all(TestPki(tmp_path / "first", seed=7, key="ec", now=NOON))
    second = make_all(TestPki(tmp_path / "second", seed="7", key="ec", now=NOON))
    assert first == second


@pytest.mark.parametrize(
    ("key", "digest"),
    [
        ("rsa", "be307ee50505b2023f17366694a47b5d554f1bbe4368d7808953eaeb2ab874e4"),
        ("ec", "8506b432386f1e013d61b02a855f24b0b57436e045bf8472c790a9280e77f20f"),
    ],
)
def test_seed_gives_the_bytes_that_it_always_gave(
    tmp_path: Path, key: KeyType, digest: str
) -> None:
    pki = TestPki(tmp_path, seed="golden", key=key, now=NOON)
    pki.make("good_rsa_pss")
    content = everything(tmp_path)
    assert hashlib.sha256(b"".join(content[name] for name in sorted(content))).hexdigest() == digest


def test_other_seed_and_no_seed_give_other_keys(tmp_path: Path) -> None:
    seeds: Sequence[int | None] = (1, 2, None, None)
    made = [
        TestPki(tmp_path / str(number), seed, "ec", now=NOON) for number, seed in enumerate(seeds)
    ]
    assert len({Path(pki.client.key_file).read_bytes() for pki in made}) == 4
    assert len({pki.client.chain_der for pki in made}) == 4


# ---- the package


def test_missing_cryptography_is_explained() -> None:
    folder = Path(leadtools_compat.testing.__file__).parent
    source = str(folder / "__init__.py")
    code = f"import sys; sys.modules['cryptography'] = None; exec(open({source!r}).read())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert "ImportError: leadtools_compat.testing needs the package 'cryptography'" in done.stderr
    assert "pip install leadtools_compat[testing]" in done.stderr


def test_lists_name_whom_they_are_to_name(pki: TestPki) -> None:
    file = pki.crl(pki.client, pki.intermediate, name="named")
    lists = {
        one.issuer.rfc4514_string(): one
        for one in map(x509.load_der_x509_crl, files.unpem(Path(file).read_bytes()))
    }
    for issuer, gone in ((pki.root, pki.intermediate), (pki.intermediate, pki.client)):
        authority = x509.load_der_x509_certificate(issuer.certificate_der)
        der = gone.chain_der[0] if isinstance(gone, Identity) else gone.certificate_der
        one = lists[authority.subject.rfc4514_string()]
        assert one.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
        serial = x509.load_der_x509_certificate(der).serial_number
        assert [entry.serial_number for entry in one] == [serial]
    alone = Path(pki.crl(name="alone", authorities=("ca",), der=True)).read_bytes()
    assert len(x509.load_der_x509_crl(alone)) == 0
    with pytest.raises(ValueError, match="one authority"):
        pki.crl(der=True)
    with pytest.raises(ValueError, match="'intermediate'"):
        pki.crl(authorities=("nobody",))


def test_staples_say_what_they_are_to_say_and_need_an_issuer(pki: TestPki) -> None:
    content = Path(pki.ocsp(pki.server, "revoked", name="said")).read_bytes()
    response = ocsp.load_der_ocsp_response(content)
    assert response.certificate_status == ocsp.OCSPCertStatus.REVOKED
    certificate = x509.load_der_x509_certificate(pki.server.chain_der[0])
    assert response.serial_number == certificate.serial_number
    with pytest.raises(ValueError, match="not issued"):
        pki.ocsp(pki.make("self_signed", "server"))
    identity = pki.issue("stapled", staple=True)
    feature = x509.load_der_x509_certificate(identity.chain_der[0]).extensions
    assert (
        x509.TLSFeatureType.status_request in feature.get_extension_for_class(x509.TLSFeature).value
    )
