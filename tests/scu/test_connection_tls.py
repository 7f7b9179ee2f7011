"""DicomConnection over TLS: flags, certificates, VerifyCertificate, passwords."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomExceptionCode,
    DicomNetSecurityMode,
    DicomSecurityCertificateExceptionCode,
    DicomTlsCertificateType,
)
from leadtools_compat.dicom.scu import (
    ClientConnectionException,
    DicomConnection,
)
from leadtools_compat.testing import TestPki
from tests.scu.conftest import Site, names, record
from tests.scu.connection_tools import tls_scu
from tests.support import MUTUAL, NO_CHECK, PEER, refused, settings


@pytest.mark.parametrize("kind", ["expired", "unknown_ca", "no_purpose"])
@pytest.mark.parametrize("flags", [PEER, NO_CHECK])
def test_flags_of_the_constructor_decide_about_the_node(
    secure_site: Site, pki: TestPki, nets: Callable[[Any], Any], listen: Any, kind: str, flags: Any
) -> None:
    from tests.dicom.nodes import Scp
    from tests.support import tls_net

    bad = pki.make(kind)
    listener = listen(lambda: tls_net(pki, bad, NO_CHECK, cls=Scp))
    scu = tls_scu(pki, nets, flags)
    seen = record(scu)
    if flags == NO_CHECK:
        assert scu.Verify(secure_site.way(listener.HostPort))
        assert not scu.tls_verified
        return
    with pytest.raises(ClientConnectionException) as caught:
        scu.Verify(secure_site.way(listener.HostPort))
    assert caught.value.Code == DicomExceptionCode.TlsCertificateRejected
    assert caught.value.failure is not None
    assert caught.value.failure.certificate_code
    assert "VerifyCertificate" in names(seen)
    assert dict(seen)["AfterSecureLinkReady"].Error == DicomExceptionCode.TlsCertificateRejected
    assert names(seen)[-1] in ("AfterSecureLinkReady", "AfterClose")


def test_an_onverify_that_looks_like_the_librarys_is_asked_all_the_same(
    secure_site: Site, pki: TestPki, nets: Callable[[Any], Any]
) -> None:
    """As `functools.wraps` makes it, with the name of the library's module."""
    asked: list[int] = []

    def refuse(net: Any, ok: int, certificate: str, error: Any) -> int:
        asked.append(ok)
        return 0

    looking_alike = functools.wraps(DicomConnection.OnVerify)(refuse)
    kind: Any = type("Wrapping", (DicomConnection,), {"OnVerify": looking_alike})
    _, scp = secure_site.node()
    scu = nets(kind(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, PEER)))
    scu.AETitle = "OURS"
    scu.SetTlsClientCertificate(pki.client.combined_file, DicomTlsCertificateType.Pem, None)
    with pytest.raises(ClientConnectionException) as caught:
        scu.Verify(scp)
    assert asked == [1]
    assert caught.value.Code == DicomExceptionCode.TlsCertificateRejected


def test_a_refused_certificate_of_ours_is_a_connection_failure(
    secure_site: Site, pki: TestPki
) -> None:
    _, scp = secure_site.node()
    scu = secure_site.scu(DicomConnection, pki.make("expired", role="client"))
    with pytest.raises(ClientConnectionException) as caught:
        scu.Verify(scp)
    assert caught.value.Code == DicomExceptionCode.TlsPeerRejectedCertificate


def test_a_missing_certificate_of_ours(secure_site: Site, pki: TestPki, nets: Any) -> None:
    _, scp = secure_site.node()
    with pytest.raises(ClientConnectionException) as caught:
        tls_scu(pki, nets, PEER, client=False).Verify(scp)
    assert caught.value.Code == DicomExceptionCode.TlsPeerRequiresCertificate


def test_verify_certificate_hears_every_certificate(secure_site: Site) -> None:
    _, scp = secure_site.node()
    scu = secure_site.scu(DicomConnection)
    seen = record(scu)
    assert scu.Verify(scp)
    told = [e for name, e in seen if name == "VerifyCertificate"]
    assert len(told) == 3  # root, intermediate, leaf
    assert all((e.Ok, e.Return) == (1, 1) for e in told)
    success = DicomSecurityCertificateExceptionCode.Success
    assert all(e.ErrorException.Code == success for e in told)
    assert "Subject Name:" in told[0].CertificateString


def answers(*values: Any) -> list[Callable[[Any, Any], None]]:
    """Make handlers that give these answers; None does not touch it."""

    def handler(value: Any) -> Callable[[Any, Any], None]:
        def handle(sender: Any, e: Any) -> None:
            if isinstance(value, BaseException):
                raise value
            if value is not None:
                e.Return = value

        return handle

    return [handler(value) for value in values]


@pytest.mark.parametrize(
    ("values", "good"),
    [
        ((1,), True),
        ((0,), False),
        ((2,), False),
        ((-1,), False),
        ((0, 1), False),
        ((1, 0), False),
        ((1, 0, 1), False),
        ((1, 1), True),
        ((None, 1), True),
        ((1, None), True),
        ((None,), True),
        ((True,), True),
        ((False, 1), False),
    ],
)
def test_any_refusal_of_several_handlers_counts(
    secure_site: Site, values: tuple[Any, ...], good: bool
) -> None:
    _, scp = secure_site.node()
    scu = secure_site.scu(DicomConnection)
    for handler in answers(*values):
        scu.VerifyCertificate += handler
    if good:
        assert scu.Verify(scp)
        return
    with pytest.raises(ClientConnectionException) as caught:
        scu.Verify(scp)
    assert caught.value.Code == DicomExceptionCode.TlsCertificateRejected


@pytest.mark.parametrize("values", [("yes",), (1, KeyError("mine")), (KeyError("mine"), 1)])
def test_an_exception_of_a_verify_handler_refuses_and_comes_out(
    secure_site: Site, values: tuple[Any, ...]
) -> None:
    node, scp = secure_site.node()
    scu = secure_site.scu(DicomConnection)
    for handler in answers(*values):
        scu.VerifyCertificate += handler
    with pytest.raises((KeyError, TypeError)):
        scu.Verify(scp)
    assert node.child().log.wait("OnSecureLinkReady").code != DicomExceptionCode.Success


def test_handlers_may_overrule_a_bad_certificate(
    secure_site: Site, pki: TestPki, nets: Any, listen: Any
) -> None:
    from tests.dicom.nodes import Scp
    from tests.support import tls_net

    bad = pki.make("expired")
    listener = listen(lambda: tls_net(pki, bad, MUTUAL, cls=Scp))
    scu = tls_scu(pki, nets, PEER)
    scu.VerifyCertificate += answers(1)[0]
    scu.VerifyCertificate += lambda sender, e: None  # one that only writes a log
    assert scu.Verify(secure_site.way(listener.HostPort))
    assert not scu.tls_verified


def test_the_password_comes_from_the_event(pki: TestPki, nets: Any, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(Path(pki.client.key_file).read_bytes(), None)
    locked = tmp_path / "key.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    scu = nets(DicomConnection(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, PEER)))
    with refused(DicomExceptionCode.TlsPrivateKeyPassword):
        scu.SetTlsClientCertificate(pki.client.combined_file, 1, locked)

    def password(sender: Any, e: Any) -> None:
        e.PrivateKeyPassword = "secret"

    scu.PrivateKeyPassword += password
    scu.SetTlsClientCertificate(pki.client.combined_file, 1, locked)
    scu.PrivateKeyPassword -= password


def test_a_plain_node_where_tls_is_spoken(secure_site: Site, plain: Site) -> None:
    _, scp = plain.node()
    with pytest.raises(ClientConnectionException) as caught:
        secure_site.scu(DicomConnection).Verify(scp)
    assert caught.value.Code == DicomExceptionCode.TlsPeerNotTls


# ---- properties ---------------------------------------------------------------------------------
