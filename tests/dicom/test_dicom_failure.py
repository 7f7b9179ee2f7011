"""The failure record: who says what when a link fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomException,
    DicomExceptionCode,
    DicomFailure,
    DicomNetSecurityMode,
    DicomSecurityCertificateExceptionCode,
    ReceivedCertificate,
)
from leadtools_compat.dicom.dicom_failure import alert_name
from leadtools_compat.testing import TestPki
from tests.support import NO_CHECK, Listener, RecordingNet, connect, tls_child, tls_net

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
CODES = DicomExceptionCode
FINDINGS = DicomSecurityCertificateExceptionCode


@pytest.fixture
def refused(listen: Listen, pki: TestPki, nets: Keep) -> tuple[Any, Any, Listener]:
    """A client without SSL purposes, refused by the server: client, child, listener."""
    listener = listen(tls_child(pki))
    client = nets(tls_net(pki, pki.make("no_purpose", role="client")))
    connect(client, listener)
    client.log.wait("OnClose")
    listener.log.wait("OnClose")
    return client, listener.child(), listener


def test_server_names_the_certificate_and_the_alert_it_sent(
    refused: tuple[Any, Any, Listener], pki: TestPki
) -> None:
    _, child, _ = refused
    failure = child.failure
    assert failure.code == CODES.TlsCertificateRejected
    assert failure.message.startswith(DicomException.GetCodeMessage(failure.code))
    assert (failure.stage, failure.side) == ("certificate", "local")
    assert failure.certificate_code == FINDINGS.InvalidPurpose
    assert failure.certificate_depth == 0
    assert failure.certificate_subject == failure.chain[0].subject
    assert failure.alert_sent is not None
    assert failure.alert_received is None
    assert failure.remedy
    assert failure.exception is None
    assert 0 <= failure.elapsed < 20
    assert child.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected
    assert child.log.wait("OnClose").code == CODES.TlsCertificateRejected


def test_client_names_the_refusal_and_the_alert_it_received(
    refused: tuple[Any, Any, Listener],
) -> None:
    client, child, _ = refused
    failure = client.failure
    assert failure.code == CODES.TlsPeerRejectedCertificate
    assert (failure.stage, failure.side) == ("certificate", "peer")
    assert failure.alert_received == child.failure.alert_sent
    assert failure.alert_sent is None
    assert failure.remedy
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsPeerRejectedCertificate
    assert client.log.wait("OnClose").code == CODES.TlsPeerRejectedCertificate
    assert client.log.names().count("OnClose") == 1


def test_chain_has_every_certificate_received_reached_or_not(
    refused: tuple[Any, Any, Listener], pki: TestPki
) -> None:
    client, child, _ = refused
    calls = child.log.all("OnVerify")
    assert len(calls) == 1  # a bad leaf and the default answer: nobody is asked any more
    ok, text, error = calls[0].arguments
    assert (ok, error.Code) == (0, FINDINGS.InvalidPurpose)
    chain = child.failure.chain
    assert [one.depth for one in chain] == list(range(len(chain)))
    assert len(chain) == len(pki.make("no_purpose", role="client").chain_der) > 1
    assert chain[0].text == text
    for one in chain:
        assert one.text.startswith(f"Subject Name: {one.subject}\nIssuer Name: ")
        assert "SSL client : " in one.text
    assert [one.text for one in client.failure.chain] != []


def test_str_is_one_line_and_as_dict_is_json(refused: tuple[Any, Any, Listener]) -> None:
    client, child, _ = refused
    for net in (client, child):
        text = str(net.failure)
        assert "\n" not in text
        assert str(net.failure.code) in text
        assert net.failure.remedy in text
        values = json.loads(json.dumps(net.failure.as_dict()))
        assert values["code"] == str(net.failure.code)
        assert values["stage"] == "certificate"
        assert set(values) == set(DicomFailure._fields)
        assert values["chain"][0]["text"] == net.failure.chain[0].text
    assert "InvalidPurpose" in str(child.failure)
    assert child.failure.as_dict()["certificate_code"] == "InvalidPurpose"


def test_record_is_there_inside_the_callbacks(listen: Listen, pki: TestPki, nets: Keep) -> None:
    seen: list[Any] = []

    def look(net: Any, *arguments: Any) -> None:
        seen.append((net.failure, net.GetTlsCipherSuite()))

    listener = listen(tls_child(pki, OnSecureLinkReady=look, OnClose=look))
    client = nets(tls_net(pki, pki.make("expired", role="client")))
    connect(client, listener)
    listener.log.wait("OnClose")
    assert [str(failure.certificate_code) for failure, _ in seen] == ["CertHasExpired"] * 2
    assert [int(suite) for _, suite in seen] == [0, 0]


def test_record_survives_dispose_and_is_a_copy(refused: tuple[Any, Any, Listener]) -> None:
    client, _, _ = refused
    before = client.failure
    client.Dispose()
    assert client.failure == before
    with pytest.raises(AttributeError):
        before.code = 0


def test_good_link_has_no_record_and_a_new_connection_clears_the_old_one(
    refused: tuple[Any, Any, Listener], pki: TestPki, listen: Listen, nets: Keep
) -> None:
    client, _, _ = refused
    old = client.failure
    client.SetTlsClientCertificate(pki.client.combined_file, 1, None)
    listener = listen(tls_child(pki))
    connect(client, listener)
    assert client.log.wait("OnSecureLinkReady", 2).code == CODES.Success
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.Success
    assert client.failure is None
    assert child.failure is None
    assert old.code == CODES.TlsPeerRejectedCertificate
    assert client.tls_verified
    assert child.tls_verified
    assert client.tls_verify_code == FINDINGS.Success


def test_overruled_complaint_makes_a_link_that_says_so(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen(tls_child(pki, OnVerify=lambda net, ok, text, error: 1))
    client = nets(tls_net(pki, pki.make("no_purpose", role="client")))
    connect(client, listener)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.Success
    assert child.failure is None
    assert not child.tls_verified
    assert child.tls_verify_code == FINDINGS.InvalidPurpose
    complaints = [event for event in child.log.all("OnVerify") if event.arguments[0] == 0]
    assert len(complaints) == 1


def test_exception_in_onverify_is_in_the_record(
    listen: Listen, pki: TestPki, nets: Keep, unraisable: Any
) -> None:
    def fail(net: Any, ok: int, text: str, error: Any) -> int:
        raise LookupError("no such patient")

    client = nets(tls_net(pki, OnVerify=fail))
    connect(client, listen(tls_child(pki)))
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsVerifyCallback
    error = unraisable.expect(LookupError, "RecordingNet.OnVerify")
    failure = client.failure
    assert failure.code == CODES.TlsVerifyCallback
    assert failure.exception is error
    assert "LookupError: no such patient" in str(failure)
    assert failure.as_dict()["exception"] == "LookupError: no such patient"
    assert failure.chain


def test_client_without_verification_still_ends_when_nobody_answers(
    listen: Listen, pki: TestPki, nets: Keep, unraisable: Any
) -> None:
    client = nets(tls_net(pki, flags=NO_CHECK, OnVerify=lambda *arguments: None))
    connect(client, listen(tls_child(pki)))
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsVerifyCallback
    unraisable.expect(TypeError, "OnVerify")


def test_plain_peer_on_a_tls_port_is_named_on_both_sides(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen(RecordingNet)  # plain children
    client = nets(tls_net(pki))
    client.handshake_timeout = 1.0
    connect(client, listener)
    code = client.log.wait("OnSecureLinkReady").code
    assert code in (CODES.TlsPeerNotTls, CODES.TlsHandshakeTimeout)
    assert client.log.wait("OnClose").code == code
    assert client.failure.remedy


def test_missing_client_certificate_is_named_on_both_sides(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    from tests.support import settings

    listener = listen(tls_child(pki))
    client = nets(RecordingNet(DicomNetSecurityMode.Tls))
    client.Initialize(None, DicomNetSecurityMode.Tls, settings(pki.ca_file))
    connect(client, listener)
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsPeerRequiresCertificate
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRequired
    assert client.failure.remedy
    assert child.failure.remedy


def test_record_alone_has_sensible_text() -> None:
    record = DicomFailure("tls", "peer", CODES.TlsAlertReceived, "The peer sent", alert_received=40)
    assert str(record) == (
        "tls, by the peer: TlsAlertReceived (310), The peer sent; "
        "alert received handshake_failure (40)"
    )
    record = DicomFailure(
        "tls",
        "local",
        CODES.TlsFailure,
        "line\nbreak",
        openssl=(5, "error:05"),
        exception=KeyError(),
        chain=(ReceivedCertificate(0, "CN = x", "text"),),
    )
    assert str(record) == "tls, by us: TlsFailure (300), line break; error:05; KeyError"
    assert record.as_dict()["openssl"] == [5, "error:05"]
    assert alert_name(116) == "certificate_required"
    assert alert_name(200) == "alert_200"
