"""Own certificate and key in every form that files have: PEM, DER, PKCS #8, PKCS #12; and what goes wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadtools_compat.dicom import DicomTlsCertificateType
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import Scp
from tests.support import PATIENCE, Listener, RecordingNet, refused
from tests.tls.conftest import Meet
from tests.tls.peers import CLEAN, openssl_server, own
from tests.tls.tls_tools import CODES, TLS, rules_for

Nets = Callable[[Any], Any]
PEM = DicomTlsCertificateType.Pem
DER = DicomTlsCertificateType.Asn1
P12 = DicomTlsCertificateType.Pkcs12
P12_LEGACY = DicomTlsCertificateType.Pkcs12Legacy
SECRET = "test"


class Locked(RecordingNet):
    """A net whose user knows a password, or none."""

    def __init__(self, password: str | None = SECRET) -> None:
        super().__init__(TLS)
        self.password = password
        self.asked = 0

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        self.asked += 1
        return self.password


def openssl(*words: str, input: str | None = None) -> str:
    """Run the program; its messages if it fails."""
    done = subprocess.run(
        ["openssl", *words], input=input, capture_output=True, text=True, env=CLEAN, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def key_in(
    form: str, pki: TestPki, folder: Path
) -> tuple[str, DicomTlsCertificateType, str | None]:
    """Write the client's certificate and key in a form; give what `SetTlsClientCertificate` takes."""
    me = pki.client
    key = str(folder / "own.key")
    given = ("-in", me.key_file, "-out", key)
    secret = ("-passout", f"pass:{SECRET}")
    if form == "PKCS #8 PEM":
        return me.certificate_file, PEM, me.key_file
    if form == "PKCS #8 PEM encrypted":
        openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", *given, *secret)
    elif form == "PKCS #8 PEM encrypted with scrypt":
        openssl("pkcs8", "-topk8", "-scrypt", *given, *secret)
    elif form == "PKCS #8 PEM encrypted with 3DES":
        openssl("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", *given, *secret)
    elif form == "traditional PEM":
        openssl("pkey", "-traditional", *given)
    elif form == "traditional PEM encrypted":
        openssl("pkey", "-traditional", "-aes256", *given, *secret)
    elif form == "traditional PEM encrypted with 3DES":
        openssl("pkey", "-traditional", "-des3", *given, *secret)
    elif form == "DER":
        return me.der_file, DER, me.key_der_file
    elif form == "traditional DER":
        openssl("pkey", "-traditional", "-outform", "DER", *given)
        return me.der_file, DER, key
    elif form == "PKCS #8 DER encrypted":
        openssl("pkcs8", "-topk8", "-outform", "DER", *given, *secret)
        return me.der_file, DER, key
    elif form == "one PEM encrypted":
        return me.encrypted_file, PEM, None
    elif form == "PKCS #12":
        return me.p12_file, P12, None
    elif form == "PKCS #12 taken as legacy":
        return me.p12_file, P12_LEGACY, None
    else:
        raise AssertionError(form)
    return me.certificate_file, PEM, key


PLAIN = ("PKCS #8 PEM", "traditional PEM", "DER", "traditional DER")
ENCRYPTED = (
    "PKCS #8 PEM encrypted",
    "PKCS #8 PEM encrypted with scrypt",
    "PKCS #8 PEM encrypted with 3DES",
    "traditional PEM encrypted",
    "traditional PEM encrypted with 3DES",
    "PKCS #8 DER encrypted",
    "one PEM encrypted",
    "PKCS #12",
    "PKCS #12 taken as legacy",
)


def export(pki: TestPki, folder: Path, *options: str, password: str = SECRET, **files: str) -> str:
    """Let the openssl program export the client's identity as PKCS #12."""
    out = folder / "exported.p12"
    me = pki.client
    openssl(
        *("pkcs12", "-export", "-inkey", files.get("key", me.key_file)),
        *("-in", files.get("certificate", me.certificate_file), "-out", str(out)),
        *("-passout", f"pass:{password}", *options),
    )
    return str(out)


# ---- every form carries a link


@pytest.mark.parametrize("form", [*PLAIN, *ENCRYPTED])
def test_key_in_every_form_makes_a_link(
    pki: TestPki, meet: Meet, nets: Nets, tmp_path: Path, form: str
) -> None:
    files = key_in(form, pki, tmp_path)
    net = nets(Locked())
    net.SetTlsClientCertificate(*files)
    assert net.asked == (0 if form in PLAIN else 1)
    identity = own(pki.server)
    with openssl_server(*identity, "-Verify", "5", "-CAfile", pki.ca_file) as server:
        net.Connect(None, 0, "127.0.0.1", server.port)
        assert net.log.wait("OnSecureLinkReady").code == CODES.Success
        server.wait_for("Client certificate")


@pytest.mark.parametrize("form", ENCRYPTED)
def test_wrong_password_no_password_and_one_that_is_too_long_are_told_apart(
    pki: TestPki, nets: Nets, tmp_path: Path, form: str
) -> None:
    certificate, kind, key = key_in(form, pki, tmp_path)
    name = Path(key or certificate).name
    for password, words in (
        ("wrong", ("cannot be decrypted with the password given", "Check the password")),
        (None, ("no password was given", "OnPrivateKeyPassword")),
        ("", ("no password was given",)),
        ("x" * 1025, ("is longer than 1024 bytes",)),
    ):
        net = nets(Locked(password))
        with refused(CODES.TlsPrivateKeyPassword, name, *words):
            net.SetTlsClientCertificate(certificate, kind, key)
        assert net.asked == 1
        net.password = SECRET
        net.SetTlsClientCertificate(certificate, kind, key)


# ---- PKCS #12


@pytest.mark.parametrize("kind", [P12, P12_LEGACY])
def test_pkcs12_from_memory_brings_its_chain_in_order(
    pki: TestPki, meet: Meet, nets: Nets, tmp_path: Path, kind: DicomTlsCertificateType
) -> None:
    # The program writes the certificates as they come: the authority first here.
    certificates = pki.client.certificate_file
    blocks = Path(certificates).read_text().split("-----END CERTIFICATE-----\n")[:-1]
    assert len(blocks) > 1
    turned = tmp_path / "turned.pem"
    turned.write_text("".join(block + "-----END CERTIFICATE-----\n" for block in blocks[::-1]))
    contents = Path(export(pki, tmp_path, certificate=str(turned))).read_bytes()

    server = rules_for(pki, "server")
    meeting = meet(server, rules_for(pki, "client", identity=None, hooks={}).but(flags=1))
    assert not meeting.linked  # a client without a certificate is refused

    listener = meeting.listener
    net = nets(Locked())
    net.SetTlsClientCertificate(contents, kind)
    net.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert net.log.wait("OnSecureLinkReady").code == CODES.Success
    child = listener.child(2)
    child.log.wait("OnSecureLinkReady")
    assert tuple(child.tls_peer_certificates) == pki.client.chain_der


@pytest.mark.parametrize("mac", [(), ("-nomac",)])
def test_pkcs12_without_a_password_is_read_without_asking(
    pki: TestPki, nets: Nets, tmp_path: Path, mac: tuple[str, ...]
) -> None:
    options = ("-keypbe", "NONE", "-certpbe", "NONE", *mac)
    net = nets(Locked())
    net.SetTlsClientCertificate(export(pki, tmp_path, *options, password=""), P12)
    assert net.asked == 0


def test_old_pkcs12_names_the_way_out_and_is_read_when_allowed(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    old = export(pki, tmp_path, "-legacy", "-certpbe", "PBE-SHA1-RC2-40")
    net = nets(Locked())
    with refused(CODES.TlsPrivateKeyFile, "RC2", "openssl pkcs12 -legacy", "Pkcs12Legacy"):
        net.SetTlsClientCertificate(old, P12)
    net.password = "wrong"
    with refused(CODES.TlsPrivateKeyPassword, "wrong password"):
        net.SetTlsClientCertificate(old, P12_LEGACY)
    net.password = SECRET
    net.SetTlsClientCertificate(old, P12_LEGACY)
    # For that file only: nothing else has got the old algorithms.
    assert "legacy" not in type(net).tls_library().providers
    with refused(CODES.TlsPrivateKeyFile, "RC2"):
        net.SetTlsClientCertificate(old, P12)


def test_pkcs12_with_3des_is_read_as_it_is(pki: TestPki, nets: Nets, tmp_path: Path) -> None:
    net = nets(Locked())
    options = ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1")
    net.SetTlsClientCertificate(export(pki, tmp_path, *options), P12)


def test_pkcs12_that_lacks_a_part_says_which(pki: TestPki, nets: Nets, tmp_path: Path) -> None:
    net = nets(Locked())
    with refused(CODES.TlsPrivateKeyFile, "has no private key"):
        net.SetTlsClientCertificate(export(pki, tmp_path, "-nokeys"), P12)
    # openssl will not write a foreign certificate beside a key; cryptography will.
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
    from cryptography.x509 import load_der_x509_certificate

    foreign = load_der_x509_certificate(pki.server.chain_der[0])
    for others, code, words in (
        ([], CODES.TlsCertificateFile, "no certificate"),
        ([foreign], CODES.TlsKeyMismatch, "belongs to the key"),
    ):
        text = pkcs12.serialize_key_and_certificates(
            b"me",
            ec.generate_private_key(ec.SECP256R1()),
            None,
            others,
            BestAvailableEncryption(SECRET.encode()),
        )
        with refused(code, words):
            net.SetTlsClientCertificate(text, P12)


def test_pkcs12_takes_no_other_key(pki: TestPki, nets: Nets) -> None:
    with refused(CODES.Parameter, "has its key inside"):
        nets(Locked()).SetTlsClientCertificate(pki.client.p12_file, P12, pki.client.key_file)


@pytest.mark.parametrize("size", [0, 1, 20, 200, 1000])
def test_pkcs12_that_was_cut_is_refused(
    pki: TestPki, nets: Nets, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "cut.p12"
    file.write_bytes(Path(pki.client.p12_file).read_bytes()[:size])
    with refused(CODES.TlsCertificateFile, "cut.p12", "no readable PKCS #12"):
        nets(Locked()).SetTlsClientCertificate(file, P12)


def test_password_with_letters_beyond_ascii_opens_both_kinds(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
        pkcs12,
    )
    from cryptography.x509 import load_der_x509_certificate

    word = "schl\u00fcssel \u9375"
    key = load_pem_private_key(Path(pki.client.key_file).read_bytes(), None)
    lock = BestAvailableEncryption(word.encode())
    leaf = load_der_x509_certificate(pki.client.chain_der[0])
    net = nets(Locked(word))
    net.SetTlsClientCertificate(
        pkcs12.serialize_key_and_certificates(b"me", key, leaf, None, lock),  # type: ignore[arg-type]
        P12,
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    net.SetTlsClientCertificate(Path(pki.client.certificate_file).read_bytes(), PEM, pem)


# ---- the wrong thing in the right place


def test_what_was_given_by_mistake_is_named(pki: TestPki, nets: Nets, tmp_path: Path) -> None:
    me = pki.client
    net = nets(Locked())
    ssh = tmp_path / "ssh.key"
    ssh.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
    )
    openssl("req", "-new", "-key", me.key_file, "-subj", "/CN=me", "-out", str(tmp_path / "a.csr"))
    certificate, key = CODES.TlsCertificateFile, CODES.TlsPrivateKeyFile
    for code, words, files in (
        (certificate, "PKCS #12: the type is Pkcs12", (me.p12_file, PEM)),
        (certificate, "PKCS #12: the type is Pkcs12", (me.p12_file, DER, me.key_der_file)),
        (certificate, "DER: the type is Asn1", (me.der_file, PEM, me.key_file)),
        (certificate, "a key, but no certificate", (me.key_file, PEM)),
        (certificate, "certificate request", (tmp_path / "a.csr", PEM, me.key_file)),
        (key, "DER: the type is Asn1", (me.certificate_file, PEM, me.key_der_file)),
        (key, "certificate only: name the file of the key", (me.certificate_file, PEM)),
        (key, "ssh-keygen -p -m PKCS8", (me.certificate_file, PEM, ssh)),
        (certificate, "no readable PKCS #12", (me.combined_file, P12)),
    ):
        with refused(code, words):
            net.SetTlsClientCertificate(*files)


def test_key_of_another_certificate_names_both_files(pki: TestPki, nets: Nets) -> None:
    for kind, mine, other in (
        (PEM, pki.client.certificate_file, pki.server.key_file),
        (DER, pki.client.der_file, pki.server.key_der_file),
    ):
        with refused(CODES.TlsKeyMismatch, Path(mine).name, Path(other).name):
            nets(Locked()).SetTlsClientCertificate(mine, kind, other)


def test_key_locked_with_an_old_cipher_names_the_way_out(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    key = tmp_path / "old.key"
    both = ("-provider", "legacy", "-provider", "default")
    openssl(
        *("pkcs8", "-topk8", "-v1", "PBE-MD5-DES", "-in", pki.client.key_file, "-out", str(key)),
        *("-passout", f"pass:{SECRET}", *both),
    )
    with refused(CODES.TlsPrivateKeyFile, "old.key", "legacy provider", "openssl pkcs8 -topk8 -v2"):
        nets(Locked()).SetTlsClientCertificate(pki.client.certificate_file, PEM, key)


# ---- other peers


@pytest.fixture
def locked_server(pki: TestPki, nets: Nets) -> Listener:
    """A server whose key comes out of PKCS #12, and which answers C-ECHO."""

    def child() -> Any:
        net = rules_for(pki, "server", identity=None).apply(nets(Answering(TLS)))
        net.SetTlsClientCertificate(pki.server.p12_file, P12)
        return net

    made: Listener = nets(Listener(child))
    made.Listen("127.0.0.1", 0, 4)
    return made


class Answering(Scp):
    """An SCP that knows the password."""

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        return SECRET


def test_dcmtk_and_python_talk_to_a_server_with_its_key_in_pkcs12(
    pki: TestPki, locked_server: Listener
) -> None:
    import socket
    import ssl

    from tests.interop.programs import run

    me, port = pki.client, locked_server.HostPort
    trust = ("+cf", pki.ca_file, "+cf", pki.intermediate.certificate_file)
    dcmtk = ("+tls", me.key_file, me.certificate_file, *trust, "127.0.0.1", port)
    assert "E:" not in run("echoscu", *dcmtk)
    context = ssl.create_default_context(cafile=pki.ca_file)
    context.load_cert_chain(me.combined_file)
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as link,
    ):
        assert link.getpeercert(True) == pki.server.chain_der[0]
