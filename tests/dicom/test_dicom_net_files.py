"""Certificates, keys, CA files and CRLs: what is loaded, and how a bad file is named."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomException,
    DicomExceptionCode,
    DicomNetSecurityMode,
    DicomTlsCertificateType,
)
from leadtools_compat.testing import TestPki
from tests.support import (
    Listener,
    RecordingNet,
    connect,
    refused,
    secure,
    settings,
    tls_child,
)

Keep = Callable[[Any], Any]
PEM, DER = DicomTlsCertificateType.Pem, DicomTlsCertificateType.Asn1
PLAIN, TLS = DicomNetSecurityMode.None_, DicomNetSecurityMode.Tls


@pytest.fixture
def net(nets: Keep) -> RecordingNet:
    made: RecordingNet = nets(RecordingNet(TLS))
    return made


def test_certificates_may_be_paths_or_bytes_with_the_key_anywhere(
    net: RecordingNet, pki: TestPki
) -> None:
    me = pki.client
    net.SetTlsClientCertificate(certFile=me.combined_file, type=PEM, keyFile=None)
    net.SetTlsClientCertificate(me.combined_file, PEM, "")
    net.SetTlsClientCertificate(me.combined_file, PEM, me.combined_file)
    net.SetTlsClientCertificate(Path(me.certificate_file), 1, Path(me.key_file))
    net.SetTlsClientCertificate(me.der_file, DER, me.key_der_file)
    combined = Path(me.combined_file).read_bytes()
    net.SetTlsClientCertificate(combined, PEM)
    net.SetTlsClientCertificate(bytearray(combined), PEM, memoryview(combined))
    net.SetTlsClientCertificate(
        Path(me.der_file).read_bytes(), DER, Path(me.key_der_file).read_bytes()
    )
    assert net.log.all() == []  # no password was asked for
    net.SetTlsClientCertificate(Path(me.encrypted_file).read_bytes(), PEM)
    net.SetTlsClientCertificate(me.encrypted_file, PEM)
    assert [event.arguments for event in net.log.all("OnPrivateKeyPassword")] == [(False,)] * 2


def test_certificate_and_ca_from_bytes_make_a_link(
    listen: Callable[..., Listener], pki: TestPki, nets: Keep
) -> None:
    listener = listen(tls_child(pki))
    net = nets(RecordingNet(TLS))
    net.Initialize(None, TLS, settings(Path(pki.ca_file).read_bytes()))
    net.SetTlsClientCertificate(Path(pki.client.combined_file).read_bytes(), PEM, None)
    connect(net, listener)
    assert net.log.wait("OnSecureLinkReady").code == DicomExceptionCode.Success
    assert net.tls_verified


def certificate_files(tmp_path: Path, pki: TestPki) -> dict[str, Path]:
    junk = tmp_path / "junk.pem"
    junk.write_text("this is not PEM\n")
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    return {
        "missing": tmp_path / "missing.pem",
        "folder": folder,
        "junk": junk,
        "good": Path(pki.client.combined_file),
        "certificate": Path(pki.client.certificate_file),
        "key": Path(pki.client.key_file),
        "other key": Path(pki.server.key_file),
    }


@pytest.mark.parametrize(
    ("certificate", "key", "codes", "named"),
    [
        ("missing", None, ("TlsCertificateFile", "FileNotFound"), "missing.pem"),
        ("folder", None, ("TlsCertificateFile", "FileRead", "FileAccess"), "folder"),
        ("junk", None, ("TlsCertificateFile",), "junk.pem"),
        ("certificate", "missing", ("TlsPrivateKeyFile", "FileNotFound"), "missing.pem"),
        ("certificate", "junk", ("TlsPrivateKeyFile",), "junk.pem"),
        ("certificate", None, ("TlsPrivateKeyFile",), "client.pem"),
        ("certificate", "other key", ("TlsKeyMismatch",), "key"),
        ("key", "good", ("TlsCertificateFile",), "key"),
    ],
)
def test_bad_certificate_and_key_files_are_named(
    net: RecordingNet,
    tmp_path: Path,
    pki: TestPki,
    certificate: str,
    key: str | None,
    codes: tuple[str, ...],
    named: str,
) -> None:
    files = certificate_files(tmp_path, pki)
    with pytest.raises(DicomException) as caught:
        net.SetTlsClientCertificate(files[certificate], PEM, None if key is None else files[key])
    assert str(caught.value.Code) in codes
    fault = files[key] if key in ("missing", "junk", "other key") else files[certificate]
    assert str(fault) in caught.value.Message
    assert named in caught.value.Message
    assert caught.value.Message.count(". ") >= 1  # a second sentence: the remedy


def test_certificate_path_must_not_be_empty_and_der_needs_a_key(
    net: RecordingNet, pki: TestPki
) -> None:
    for empty in ("", None):
        with refused(DicomExceptionCode.TlsCertificateFile, "certFile"):
            net.SetTlsClientCertificate(empty, PEM, None)  # type: ignore[arg-type]
    with refused(DicomExceptionCode.TlsPrivateKeyFile, "DER"):
        net.SetTlsClientCertificate(pki.client.der_file, DER, None)
    with refused(DicomExceptionCode.TlsCertificateFile, "PEM"):
        net.SetTlsClientCertificate(pki.client.der_file, PEM, None)
    with pytest.raises(DicomException):
        net.SetTlsClientCertificate(b"", PEM)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything: become nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_unreadable_file_is_named(net: RecordingNet, tmp_path: Path, pki: TestPki) -> None:
    secret = tmp_path / "secret.pem"
    secret.write_bytes(Path(pki.client.combined_file).read_bytes())
    secret.chmod(0)
    with without_privileges(), pytest.raises(DicomException, match=r"secret\.pem.*Permission"):
        net.SetTlsClientCertificate(secret, PEM, None)


@pytest.mark.parametrize("fault", ["missing", "folder", "junk", "key"])
def test_bad_ca_files_are_refused_at_initialize(
    net: RecordingNet, tmp_path: Path, pki: TestPki, fault: str
) -> None:
    file = certificate_files(tmp_path, pki)[fault]
    with pytest.raises(DicomException) as caught:
        net.Initialize(None, TLS, settings(file))
    assert str(caught.value.Code) in ("TlsCAFile", "FileNotFound", "FileAccess", "FileRead")
    assert str(file) in caught.value.Message
    with refused(DicomExceptionCode.TlsCAFile):
        net.Initialize(None, TLS, settings(b"no certificate in here"))


def test_bad_crl_file_is_refused_and_named(net: RecordingNet, tmp_path: Path, pki: TestPki) -> None:
    for fault in ("missing", "junk"):
        file = certificate_files(tmp_path, pki)[fault]
        with pytest.raises(DicomException, match=re.escape(str(file))):
            net.crl_file = file
        assert net.crl_file is None


def test_failed_initialize_leaves_the_net_usable(
    net: RecordingNet, pki: TestPki, tmp_path: Path
) -> None:
    with pytest.raises(DicomException):
        net.Initialize(None, TLS, settings(tmp_path / "none.pem"))
    secure(net, pki.client, pki.ca_file)
