"""Every kind of chain of the test PKI, at either side, in TLS 1.2 and 1.3, with the default answer.

What is expected comes from two places that know nothing of the library: `Identity.expected`, and
OpenSSL's own verify callback (`oracle`). One engine looks at all that both sides say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import DicomException, DicomExceptionCode
from leadtools_compat.dicom.dicom_failure import alert_name
from leadtools_compat.testing import Identity, TestPki
from tests.support import Listener
from tests.tls import oracle, rawtls
from tests.tls.conftest import Present
from tests.tls.tls_tools import (
    BAD_CERTIFICATE,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_REVOKED,
    CERTIFICATE_UNKNOWN,
    CODES,
    DECRYPT_ERROR,
    FINDINGS,
    ILLEGAL_PARAMETER,
    METHODS,
    OPTIONS,
    SIDES,
    SUITES,
    UNKNOWN_CA,
    UNSUPPORTED_CERTIFICATE,
    VERSIONS,
    Call,
    Meeting,
    Side,
    calls_of,
    certificate_text,
    finding,
    judging,
    other_side,
    rules_for,
)

KINDS = {kind.name: kind for kind in TestPki.kinds()}
JUDGED = [name for name, kind in KINDS.items() if not kind.never_judged]
GOOD = [name for name in JUDGED if KINDS[name].accepted]
BAD = [name for name in JUDGED if not KINDS[name].accepted]
TOO_LONG = [name for name, kind in KINDS.items() if kind.never_judged == "chain over 100 KiB"]
UNREADABLE = [name for name, kind in KINDS.items() if kind.never_judged == "cannot be parsed"]
WEAK = [name for name in BAD if name.startswith("weak_")]

# An OpenSSL server does not take these certificates for a suite of TLS 1.2, whatever its level.
NOT_BY_A_TLS12_SERVER = {"key_usage_no_signature", "duplicate_extension", "broken_extension"}

# RFC 5246 7.2.2 and RFC 8446 6.2 where they say so, OpenSSL's choice where they do not. For a broken
# signature they say bad_certificate, and OpenSSL decrypt_error; what counts is that the peer
# understands it as a refusal of its certificate.
SPOILT = {"CertSignatureFailure", "CrlSignatureFailure"}
ALERTS = {
    "CertHasExpired": CERTIFICATE_EXPIRED,
    "CrlHasExpired": CERTIFICATE_EXPIRED,
    "CertRevoked": CERTIFICATE_REVOKED,
    "InvalidPurpose": UNSUPPORTED_CERTIFICATE,
    **dict.fromkeys(
        (
            "UnableToGetIssuerCert",
            "UnableToGetIssuerCertLocally",
            "UnableToVerifyLeafSignature",
            "UnableToGetCrl",
            "SelfSignedCertInChain",
            "DepthZeroSelfSignedCert",
            "CertChainTooLong",
            "PathLengthExceeded",
            "InvalidCa",
        ),
        UNKNOWN_CA,
    ),
    **dict.fromkeys(
        (
            "CertNotYetValid",
            "CrlNotYetValid",
            "ErrorInCertNotBeforeField",
            "ErrorInCertNotAfterField",
            "EeKeyTooSmall",
            "CaKeyTooSmall",
            "CaMdTooWeak",
            "HostnameMismatch",
            "IpAddressMismatch",
        ),
        BAD_CERTIFICATE,
    ),
    **dict.fromkeys(
        (
            "PermittedViolation",
            "ExcludedViolation",
            "UnhandledCriticalExtension",
            "KeyusageNoCrlSign",
        ),
        CERTIFICATE_UNKNOWN,
    ),
}

at_either_side = pytest.mark.parametrize("judge", SIDES)
in_both_versions = pytest.mark.parametrize("version", VERSIONS)


def by_an_openssl_peer(kinds: list[str]) -> pytest.MarkDecorator:
    """Each kind at either side in both versions, where an OpenSSL peer presents it; else the raw peer does."""
    cases = [
        (kind, judge, version)
        for kind in kinds
        for judge in SIDES
        for version in VERSIONS
        if not (kind in NOT_BY_A_TLS12_SERVER and judge == "client" and version == "TLSv1.2")
    ]
    return pytest.mark.parametrize(("kind", "judge", "version"), cases)


# ---- the engine


def expected_calls(identity: Identity, overrule: bool = False) -> list[Call]:
    """Give the calls of OnVerify that the judge of `identity` must get."""
    calls = oracle.asked(identity, (lambda ok: 1) if overrule else (lambda ok: ok))
    complaints = tuple((call.code, call.depth) for call in calls if call.ok != 1)
    assert complaints == (identity.expected if overrule else identity.expected[:1])
    return [Call(call.ok, call.code, certificate_text(call.der)) for call in calls]


def check_judge_refused(net: Any, identity: Identity) -> None:
    """Look at everything that a side says which refused `identity`."""
    calls = calls_of(net)
    assert calls == expected_calls(identity)
    assert [call.ok for call in calls] == [1] * (len(calls) - 1) + [0]
    code, depth = identity.expected[0]
    failure = net.failure
    assert failure.code == CODES.TlsCertificateRejected
    assert (failure.stage, failure.side) == ("certificate", "local")
    assert str(failure.certificate_code) == calls[-1].code == code
    assert failure.certificate_depth == depth
    assert failure.certificate_subject == calls[-1].subject
    if code in SPOILT:
        assert failure.alert_sent in (BAD_CERTIFICATE, DECRYPT_ERROR)
    else:
        assert alert_name(failure.alert_sent) == alert_name(ALERTS[code])
    assert failure.alert_received is None
    assert DicomException.GetCodeMessage(failure.code) in failure.message
    assert failure.remedy.endswith(".")
    assert failure.exception is None
    received = [(one.depth, one.text) for one in failure.chain]
    assert received == [
        (depth, certificate_text(der)) for depth, der in enumerate(identity.chain_der)
    ]
    check_no_link(net, CODES.TlsCertificateRejected)
    assert net.tls_verify_code == finding(code)


def check_peer_was_told(net: Any, judge: Any) -> None:
    """Look at everything that the refused side says."""
    failure = net.failure
    assert failure.code == CODES.TlsPeerRejectedCertificate
    assert (failure.stage, failure.side) == ("certificate", "peer")
    assert alert_name(failure.alert_received) == alert_name(judge.failure.alert_sent)
    assert failure.alert_sent is None
    assert failure.certificate_code is None
    assert failure.remedy
    check_no_link(net, CODES.TlsPeerRejectedCertificate)


def check_no_link(net: Any, code: DicomExceptionCode) -> None:
    """Look at a side whose handshake has failed."""
    assert net.log.all("OnSecureLinkReady")[0].arguments == (code,)
    assert net.log.all("OnClose")[0].arguments == (code, net)
    names = net.log.names()
    calls = names.count("OnVerify")
    before = ["OnConnect"] if "OnConnect" in names else []
    assert names == [*before, *["OnVerify"] * calls, "OnSecureLinkReady", "OnClose"]
    assert not net.IsConnected()
    assert net.GetTlsCipherSuite() == SUITES.None_
    assert not net.tls_verified
    assert net.tls_version == ""


def check_order_of_closes(meeting: Meeting) -> None:
    """Look at the listener, which is told after its child."""
    assert meeting.order == ["child", "listener"]
    told = meeting.listener.log.all("OnClose")
    assert [event.arguments for event in told] == [(meeting.child.failure.code, meeting.child)]
    assert meeting.listener.GetClientCount() == 0


# ---- chains that are judged


@in_both_versions
@at_either_side
@pytest.mark.parametrize("kind", GOOD)
def test_good_chain_is_asked_about_root_first_and_makes_a_verified_link(
    present: Present, pki: TestPki, kind: str, judge: Side, version: str
) -> None:
    identity = pki.make(kind, other_side(judge))
    meeting = present(identity, judge, version)
    assert meeting.linked, (meeting.of(judge).failure, meeting.of(other_side(judge)).failure)
    calls = calls_of(meeting.of(judge))
    assert calls == expected_calls(identity)
    assert {call.ok for call in calls} == {1}
    assert calls[-1].text == certificate_text(identity.chain_der[0])
    assert meeting.client.GetTlsCipherSuite() == meeting.child.GetTlsCipherSuite() != SUITES.None_
    for net in (meeting.client, meeting.child):
        assert net.failure is None
        assert net.IsConnected()
        assert net.tls_version == version
        assert net.tls_verified
        assert net.tls_verify_code == FINDINGS.Success
        assert not net.tls_resumed
    if kind != "ber_encoded":  # OpenSSL keeps what was signed, and writes the rest as DER
        assert meeting.of(judge).tls_peer_certificates == list(identity.chain_der)
    assert meeting.order == []


@by_an_openssl_peer(BAD)
def test_bad_chain_is_refused_at_its_first_complaint_and_both_sides_say_so(
    present: Present, pki: TestPki, kind: str, judge: Side, version: str
) -> None:
    identity = pki.make(kind, other_side(judge))
    meeting = present(identity, judge, version)
    judging_net, refused_net = meeting.of(judge), meeting.of(other_side(judge))
    check_judge_refused(judging_net, identity)
    check_peer_was_told(refused_net, judging_net)
    check_order_of_closes(meeting)
    # A refused client has judged the server before; a refused server never came to it.
    asked = [call.ok for call in calls_of(refused_net)]
    assert asked == ([1, 1, 1] if judge == "server" else [])


@in_both_versions
@at_either_side
@pytest.mark.parametrize(
    "kind", [*sorted(NOT_BY_A_TLS12_SERVER), "unknown_ca", "expired", "bad_signature"]
)
def test_bad_chain_of_a_peer_that_is_not_openssl_is_refused_alike(
    nets: Callable[[Any], Any], pki: TestPki, kind: str, judge: Side, version: str
) -> None:
    identity = pki.make(kind, other_side(judge))
    net, alert = present_raw(nets, pki, identity, judge, version)
    check_judge_refused(net, identity)
    assert alert == net.failure.alert_sent


@by_an_openssl_peer(JUDGED)
def test_overruling_each_complaint_asks_on_and_makes_the_link(
    present: Present, pki: TestPki, kind: str, judge: Side, version: str
) -> None:
    identity = pki.make(kind, other_side(judge))
    meeting = present(identity, judge, version, hooks={"OnVerify": lambda *arguments: 1})
    net = meeting.of(judge)
    assert calls_of(net) == expected_calls(identity, overrule=True)
    assert meeting.linked, (net.failure, meeting.of(other_side(judge)).failure)
    assert net.failure is None
    assert net.tls_verified == identity.accepted
    assert str(net.tls_verify_code) == identity.code


# ---- weak certificates and old protocols


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (METHODS.TlsV1, OPTIONS.None_),
        (METHODS.SslV23, OPTIONS.AllowTlsV1),
        (METHODS.SslV23, OPTIONS.AllowTlsV1_1),
    ],
    ids=["TlsV1", "AllowTlsV1", "AllowTlsV1_1"],
)
@at_either_side
@pytest.mark.parametrize("kind", WEAK)
def test_level_zero_of_the_protocol_still_judges_certificates_at_level_two(
    present: Present, pki: TestPki, kind: str, judge: Side, method: Any, options: Any
) -> None:
    identity = pki.make(kind, other_side(judge))
    meeting = present(identity, judge, "TLSv1.3", method=method, options=options)
    check_judge_refused(meeting.of(judge), identity)
    check_peer_was_told(meeting.of(other_side(judge)), meeting.of(judge))


@pytest.mark.parametrize(
    ("version", "off"),
    [("TLSv1", OPTIONS.NoTlsV1_1 | OPTIONS.NoTlsV1_2), ("TLSv1.1", OPTIONS.NoTlsV1_2)],
)
@at_either_side
@pytest.mark.parametrize("kind", [*WEAK, "good_ec", "no_purpose", "expired", "self_signed"])
def test_chains_in_tls_1_0_and_1_1_are_judged_as_in_newer_versions(
    present: Present, pki: TestPki, kind: str, judge: Side, version: str, off: OPTIONS
) -> None:
    identity = pki.make(kind, other_side(judge))
    cbc = [SUITES.EcdheEcdsaWithAes128CbcSha, SUITES.EcdheRsaWithAes128CbcSha]
    meeting = present(
        identity,
        judge,
        "TLSv1.3",
        presenter={"options": off | OPTIONS.NoTlsV1_3, "suites": cbc},
        method=METHODS.TlsV1,
        suites=cbc,
    )
    net = meeting.of(judge)
    if identity.accepted:
        assert meeting.linked, (net.failure, meeting.of(other_side(judge)).failure)
        assert calls_of(net) == expected_calls(identity)
        assert net.tls_version == version
        assert net.tls_verified
    else:
        check_judge_refused(net, identity)
        check_peer_was_told(meeting.of(other_side(judge)), net)


# ---- chains that cannot be judged


@in_both_versions
@at_either_side
@pytest.mark.parametrize("kind", TOO_LONG)
def test_chain_over_100_kib_ends_without_a_call_and_says_what_to_do(
    present: Present, pki: TestPki, kind: str, judge: Side, version: str
) -> None:
    meeting = present(pki.make(kind, other_side(judge)), judge, version)
    net, other = meeting.of(judge), meeting.of(other_side(judge))
    assert calls_of(net) == []
    failure = net.failure
    assert (failure.code, failure.stage, failure.side) == (
        CODES.TlsFailure,
        "certificate",
        "local",
    )
    assert "100 KiB" in failure.message
    assert failure.remedy
    assert failure.certificate_code is None
    # OpenSSL 3.0 sends the first, 3.5 the second.
    assert failure.alert_sent in (ILLEGAL_PARAMETER, BAD_CERTIFICATE)
    check_no_link(net, CODES.TlsFailure)
    told = (
        CODES.TlsPeerRejectedCertificate
        if failure.alert_sent == BAD_CERTIFICATE
        else CODES.TlsAlertReceived
    )
    assert other.failure.code == told
    assert other.failure.alert_received == failure.alert_sent
    check_no_link(other, told)
    check_order_of_closes(meeting)


@in_both_versions
@at_either_side
@pytest.mark.parametrize("kind", UNREADABLE)
def test_certificate_that_cannot_be_parsed_ends_without_a_call(
    nets: Callable[[Any], Any], pki: TestPki, kind: str, judge: Side, version: str
) -> None:
    net, alert = present_raw(nets, pki, pki.make(kind, other_side(judge)), judge, version)
    assert calls_of(net) == []
    assert net.failure.code == CODES.TlsFailure
    assert net.failure.side == "local"
    assert net.failure.openssl is not None
    assert net.failure.remedy
    assert alert == net.failure.alert_sent is not None
    check_no_link(net, CODES.TlsFailure)


def present_raw(
    nets: Callable[[Any], Any], pki: TestPki, identity: Identity, judge: Side, version: str
) -> tuple[Any, int | None]:
    """Let a raw peer present an identity; give the judging net and the alert that the peer got."""
    rules = judging(rules_for(pki, judge, method=VERSIONS[version]), identity)
    if judge == "client":
        with rawtls.listening() as listener:
            net = nets(rules.net())
            net.Connect(None, 0, "127.0.0.1", listener.getsockname()[1])
            alert = rawtls.present_to_client(listener, version, identity.chain_der)
    else:
        server = nets(Listener(lambda: nets(rules.net())))
        server.Listen("127.0.0.1", 0, 16)
        alert = rawtls.present_to_server(server.HostPort, version, identity.chain_der)
        net = server.child()
        server.log.wait("OnClose")
    net.log.wait("OnClose")
    return net, alert


# ---- what the record says about the certificate at fault


@at_either_side
@pytest.mark.parametrize(
    ("kind", "extension"),
    [
        ("broken_extension", "Basic Constraints"),
        ("duplicate_extension", "Subject Alternative Name"),
        ("broken_extension_intermediate", "Key Usage"),
    ],
)
def test_record_names_the_invalid_extension(
    nets: Callable[[Any], Any],
    pki: TestPki,
    kind: str,
    extension: str,
    judge: Side,
) -> None:
    net, _ = present_raw(nets, pki, pki.make(kind, other_side(judge)), judge, "TLSv1.2")
    assert extension in str(net.failure)


def test_table_of_this_file_has_every_first_complaint_and_enough_kinds() -> None:
    assert {KINDS[name].expected[0].code for name in BAD} <= set(ALERTS) | SPOILT
    assert len(GOOD) + len(BAD) >= 80
    assert len(TOO_LONG) == 2
    assert UNREADABLE == ["name_not_utf8"]
