"""One's own certificate and key: every way to load them, and what cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomException
from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.files import encrypt_key, write
from tests.support import Listener, refused
from tests.tls.tls_tools import (
    CODES,
    DER,
    PEM,
    TLS,
    Meeting,
    Rules,
    Side,
    other_side,
    rules_for,
)
from tests.tls.trust_tools import Nets, at_either_side


@pytest.fixture
def proved(nets: Nets, pki: TestPki) -> Callable[[Any, Side], None]:
    """Make a link with a net that has its own certificate loaded; the other side must verify it."""

    def prove(net: Any, side: Side) -> None:
        other = rules_for(pki, other_side(side))
        if side == "client":
            listener = nets(Listener(lambda: nets(other.net())))
            client = net
        else:
            listener = nets(Listener(lambda: net))
            client = nets(other.net())
        listener.Listen("127.0.0.1", 0, 4)
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success, client.failure
        child = listener.child()
        assert child.log.wait("OnSecureLinkReady").code == CODES.Success, child.failure
        peer = child if side == "client" else client
        assert peer.tls_verified
        assert len(peer.tls_peer_certificates) >= 1

    return prove


def bare(nets: Nets, pki: TestPki, side: Side, **hooks: Any) -> Any:
    """Make a net without an own certificate."""
    return nets(rules_for(pki, side, identity=None).net(**hooks))


def ways(identity: Identity) -> dict[str, tuple[Any, ...]]:
    """Give the arguments of SetTlsClientCertificate for each way to load the identity."""
    combined = Path(identity.combined_file).read_bytes()
    certificate = Path(identity.certificate_file).read_bytes()
    key = Path(identity.key_file).read_bytes()
    return {
        "combined": (identity.combined_file, PEM, None),
        "combined-empty": (identity.combined_file, PEM, ""),
        "combined-twice": (identity.combined_file, PEM, identity.combined_file),
        "two-files": (identity.certificate_file, PEM, identity.key_file),
        "paths": (Path(identity.certificate_file), PEM, Path(identity.key_file)),
        "bytes": (combined, PEM),
        "two-bytes": (certificate, PEM, key),
        "memoryview": (memoryview(certificate), PEM, bytearray(key)),
        "encrypted": (identity.encrypted_file, PEM, None),
        "encrypted-bytes": (Path(identity.encrypted_file).read_bytes(), PEM),
    }


WAYS = (
    *("combined", "combined-empty", "combined-twice", "two-files", "paths", "bytes", "two-bytes"),
    *("memoryview", "encrypted", "encrypted-bytes"),
)


@at_either_side
@pytest.mark.parametrize("way", WAYS)
def test_own_certificate_is_loaded_in_each_way(
    nets: Nets, pki: TestPki, proved: Callable[[Any, Side], None], way: str, side: Side
) -> None:
    identity = pki.server if side == "server" else pki.client
    net = bare(nets, pki, side)
    net.SetTlsClientCertificate(*ways(identity)[way])
    asked = net.log.all("OnPrivateKeyPassword")
    assert [event.arguments for event in asked] == ([(False,)] if "encrypted" in way else [])
    proved(net, side)


@at_either_side
@pytest.mark.parametrize("form", ["files", "bytes"])
@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_own_certificate_is_loaded_from_der(
    nets: Nets,
    pki: TestPki,
    proved: Callable[[Any, Side], None],
    form: str,
    key: str,
    side: Side,
) -> None:
    identity = pki.make("direct_root_signed", side, key)  # type: ignore[arg-type]
    arguments: tuple[Any, ...] = (identity.der_file, DER, identity.key_der_file)
    if form == "bytes":
        arguments = (
            Path(identity.der_file).read_bytes(),
            DER,
            Path(identity.key_der_file).read_bytes(),
        )
    net = bare(nets, pki, side)
    net.SetTlsClientCertificate(*arguments)
    proved(net, side)


@pytest.mark.parametrize("form", ["file", "bytes"])
def test_encrypted_key_in_der_asks_for_its_password(
    nets: Nets,
    pki: TestPki,
    proved: Callable[[Any, Side], None],
    tmp_path: Path,
    form: str,
) -> None:
    identity = pki.make("direct_root_signed", "client")
    encrypted = encrypt_key(Path(identity.key_der_file).read_bytes())
    file = write(tmp_path / "key.der", encrypted)
    net = bare(nets, pki, "client")
    if form == "file":
        net.SetTlsClientCertificate(identity.der_file, DER, str(file))
    else:
        net.SetTlsClientCertificate(Path(identity.der_file).read_bytes(), DER, encrypted)
    assert len(net.log.all("OnPrivateKeyPassword")) == 1
    proved(net, "client")


@pytest.mark.parametrize("kind", ["good_rsa", "good_ec", "good_rsa_pss", "good_ed25519"])
@at_either_side
def test_every_kind_of_key_makes_a_link(
    judged: Callable[..., Meeting], pki: TestPki, kind: str, side: Side
) -> None:
    assert judged(side, pki.make(kind, other_side(side))).linked


@pytest.mark.parametrize("password", ["wrong", "", None, "test ", "x" * 1024, "x" * 1025])
def test_wrong_or_missing_password_is_refused_and_nothing_is_loaded(
    nets: Nets, pki: TestPki, listen: Callable[..., Listener], password: str | None
) -> None:
    net = bare(nets, pki, "client", OnPrivateKeyPassword=lambda net, encryption: password)
    with refused(CODES.TlsPrivateKeyPassword, pki.client.encrypted_file):
        net.SetTlsClientCertificate(pki.client.encrypted_file, PEM, None)
    listener = listen(lambda: nets(rules_for(pki, "server").net()))
    net.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert net.log.wait("OnSecureLinkReady").code == CODES.TlsPeerRequiresCertificate


def test_exception_in_onprivatekeypassword_comes_out_of_the_call(nets: Nets, pki: TestPki) -> None:
    def fail(net: Any, encryption: bool) -> str:
        raise LookupError("no password here")

    net = bare(nets, pki, "client", OnPrivateKeyPassword=fail)
    with pytest.raises(LookupError, match="no password here"):
        net.SetTlsClientCertificate(pki.client.encrypted_file, PEM, None)
    assert len(net.log.all("OnPrivateKeyPassword")) == 1


def test_failed_load_keeps_the_certificate_that_was_there(
    nets: Nets, pki: TestPki, proved: Callable[[Any, Side], None]
) -> None:
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.TlsCertificateFile):
        net.SetTlsClientCertificate("/nowhere/at/all.pem", PEM, None)
    with refused(CODES.TlsKeyMismatch):
        net.SetTlsClientCertificate(pki.client.certificate_file, PEM, pki.server.key_file)
    proved(net, "client")


def test_initialize_keeps_the_certificate_that_was_loaded(
    nets: Nets, pki: TestPki, proved: Callable[[Any, Side], None]
) -> None:
    net = nets(rules_for(pki, "client").net())
    net.Initialize(None, TLS, Rules(ca=pki.ca_file).settings())
    proved(net, "client")


FAULTS: dict[str, tuple[Callable[[TestPki], tuple[Any, ...]], Any]] = {
    "no-file": (lambda pki: ("/nowhere.pem", PEM, None), CODES.TlsCertificateFile),
    "key-only": (lambda pki: (pki.client.key_file, PEM, None), CODES.TlsCertificateFile),
    "folder": (lambda pki: (str(pki.directory), PEM, None), CODES.TlsCertificateFile),
    "no-key": (lambda pki: (pki.client.certificate_file, PEM, None), CODES.TlsPrivateKeyFile),
    "no-key-file": (
        lambda pki: (pki.client.certificate_file, PEM, "/nowhere.key"),
        CODES.TlsPrivateKeyFile,
    ),
    "der-without-key": (lambda pki: (pki.client.der_file, DER, None), CODES.TlsPrivateKeyFile),
    "der-as-pem": (
        lambda pki: (pki.client.der_file, PEM, pki.client.key_file),
        CODES.TlsCertificateFile,
    ),
    "pem-as-der": (
        lambda pki: (pki.client.certificate_file, DER, pki.client.key_der_file),
        CODES.TlsCertificateFile,
    ),
    "other-key": (
        lambda pki: (pki.client.certificate_file, PEM, pki.server.key_file),
        CODES.TlsKeyMismatch,
    ),
    "root-first": (
        lambda pki: (
            Path(pki.ca_file).read_bytes() + Path(pki.client.combined_file).read_bytes(),
            PEM,
        ),
        CODES.TlsKeyMismatch,
    ),
    "type": (lambda pki: (pki.client.combined_file, 9, None), CODES.Parameter),
    "empty-bytes": (lambda pki: (b"", PEM), CODES.TlsCertificateFile),
}


@pytest.mark.parametrize("name", FAULTS)
def test_own_certificate_that_cannot_be_used_is_refused_at_once(
    nets: Nets, pki: TestPki, name: str
) -> None:
    arguments, code = FAULTS[name]
    net = bare(nets, pki, "client")
    with refused(code):
        net.SetTlsClientCertificate(*arguments(pki))


@pytest.mark.parametrize(
    "kind", ["weak_key_rsa1024", "weak_key_rsa768", "weak_ca_key", "weak_hash_md5"]
)
def test_own_certificate_that_is_too_weak_is_raised_by_connect_and_accept(
    nets: Nets, pki: TestPki, kind: str
) -> None:
    raised: list[DicomException] = []

    def accept(listener: Any, error: Any) -> None:
        child = nets(rules_for(pki, "server", identity=pki.make(kind, "server")).net())
        try:
            listener.Accept(child)
        except DicomException as problem:
            raised.append(problem)
        listener.children.append(nets(rules_for(pki, "server").net()))
        listener.Accept(listener.children[0])

    listener = nets(Listener(OnAccept=accept))
    listener.Listen("127.0.0.1", 0, 4)
    client = nets(rules_for(pki, "client", identity=pki.make(kind, "client")).net())
    with refused(CODES.TlsWeakKey):
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    client.SetTlsClientCertificate(pki.client.combined_file, PEM, None)
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert [problem.Code for problem in raised] == [CODES.TlsWeakKey]


def test_server_without_a_certificate_is_refused_by_accept(nets: Nets, pki: TestPki) -> None:
    raised: list[DicomException] = []

    def accept(listener: Any, error: Any) -> None:
        try:
            listener.Accept(bare(nets, pki, "server"))
        except DicomException as problem:
            raised.append(problem)
        listener.children.append(nets(rules_for(pki, "server").net()))
        listener.Accept(listener.children[0])

    listener = nets(Listener(OnAccept=accept))
    listener.Listen("127.0.0.1", 0, 4)
    client = nets(rules_for(pki, "client").net())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert [problem.Code for problem in raised] == [CODES.TlsCertificateMissing]
    assert "SetTlsClientCertificate" in raised[0].Message
