"""Each combination of DicomOpenSslVerificationFlags on each side: who is asked, and how it ends.

The tables are those of docs/tls.md: what makes sense with Peer only counts as Peer too.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat._binding import ffi, lib
from leadtools_compat.dicom import DicomOpenSslContextCreationSettings
from leadtools_compat.testing import Identity, TestPki
from tests.support import PATIENCE, Listener, refused
from tests.tls.conftest import Meet
from tests.tls.tls_tools import (
    CERTIFICATE_REQUIRED,
    CODES,
    FINDINGS,
    FLAGS,
    HANDSHAKE_FAILURE,
    LINK_WARNING,
    METHODS,
    SUITES,
    UNSUPPORTED_CERTIFICATE,
    VERSIONS,
    LibraryLog,
    Meeting,
    calls_of,
    finding,
    info,
    rules_for,
)

PEER, FAIL, ONCE = FLAGS.Peer, FLAGS.FailIfNoPeerCertificate, FLAGS.ClientOnce

COMBINATIONS = {
    "None": FLAGS.None_,
    "Peer": PEER,
    "FailIfNoPeerCertificate": FAIL,
    "ClientOnce": ONCE,
    "Peer-FailIfNoPeerCertificate": PEER | FAIL,
    "Peer-ClientOnce": PEER | ONCE,
    "FailIfNoPeerCertificate-ClientOnce": FAIL | ONCE,
    "All": FLAGS.All,
}
WITHOUT_PEER = [name for name, flags in COMBINATIONS.items() if flags and not flags & PEER]

in_both_versions = pytest.mark.parametrize("version", VERSIONS)
with_each_combination = pytest.mark.parametrize("name", COMBINATIONS)

ASKS_FOR_NONE = "asks for no client certificate"
ACCEPTS_ANY = "accepts any server certificate"
WITHOUT = "without Peer"


@pytest.fixture
def server_meets(meet: Meet, pki: TestPki) -> Callable[..., Meeting]:
    """Let a server with these flags meet a client with a good, a bad or no certificate."""
    identities: dict[str, Identity | None] = {
        "good": pki.client,
        "bad": pki.make("no_purpose", "client"),
        "none": None,
    }

    def start(flags: int, client: str, version: str, **hooks: Any) -> Meeting:
        return meet(
            rules_for(pki, "server", flags=flags, method=VERSIONS[version], hooks=hooks),
            rules_for(pki, "client", identity=identities[client]),
        )

    return start


def was_asked(meeting: Meeting) -> bool:
    """Tell whether the server asked for a certificate, as the client saw it."""
    return info(meeting.client, lib.DICOM_TLS_INFO_CERTIFICATE_REQUESTED) == "1"


# ---- the server's flags


@in_both_versions
@pytest.mark.parametrize("client", ["good", "bad", "none"])
def test_server_with_none_asks_for_no_certificate_and_takes_everybody(
    server_meets: Callable[..., Meeting], client: str, version: str
) -> None:
    meeting = server_meets(FLAGS.None_, client, version)
    assert meeting.linked
    assert not was_asked(meeting)
    assert calls_of(meeting.child) == []
    assert not meeting.child.tls_verified
    assert meeting.child.tls_verify_code == FINDINGS.Success
    assert meeting.child.tls_peer_certificates == []
    assert meeting.child.failure is None
    assert meeting.client.tls_verified


@in_both_versions
@pytest.mark.parametrize("name", [name for name in COMBINATIONS if name != "None"])
def test_server_that_asks_takes_a_good_certificate(
    server_meets: Callable[..., Meeting], name: str, version: str
) -> None:
    meeting = server_meets(COMBINATIONS[name], "good", version)
    assert meeting.linked
    assert was_asked(meeting)
    assert [(call.ok, call.code) for call in calls_of(meeting.child)] == [(1, "Success")] * 3
    assert meeting.child.tls_verified


@in_both_versions
@pytest.mark.parametrize("name", [name for name in COMBINATIONS if name != "None"])
def test_server_that_asks_ends_the_link_for_a_bad_certificate(
    server_meets: Callable[..., Meeting], name: str, version: str
) -> None:
    meeting = server_meets(COMBINATIONS[name], "bad", version)
    child, client = meeting.child, meeting.client
    assert was_asked(meeting)
    assert [(call.ok, call.code) for call in calls_of(child)] == [(0, "InvalidPurpose")]
    assert child.failure.code == CODES.TlsCertificateRejected
    assert child.failure.alert_sent == UNSUPPORTED_CERTIFICATE
    assert client.failure.code == CODES.TlsPeerRejectedCertificate
    assert client.failure.alert_received == UNSUPPORTED_CERTIFICATE
    assert meeting.order == ["child", "listener"]


@in_both_versions
@pytest.mark.parametrize("name", [name for name, one in COMBINATIONS.items() if one & FAIL])
def test_server_that_demands_a_certificate_ends_the_link_for_none(
    server_meets: Callable[..., Meeting], name: str, version: str
) -> None:
    meeting = server_meets(COMBINATIONS[name], "none", version)
    child, client = meeting.child, meeting.client
    alert = HANDSHAKE_FAILURE if version == "TLSv1.2" else CERTIFICATE_REQUIRED
    assert was_asked(meeting)
    assert calls_of(child) == []
    failure = child.failure
    assert failure.code == CODES.TlsCertificateRequired
    assert (failure.stage, failure.side) == ("certificate", "local")
    assert failure.alert_sent == alert
    assert failure.remedy
    assert child.log.all("OnSecureLinkReady")[0].code == CODES.TlsCertificateRequired
    assert child.log.all("OnClose")[0].code == CODES.TlsCertificateRequired
    failure = client.failure
    assert failure.code == CODES.TlsPeerRequiresCertificate
    assert (failure.stage, failure.side) == ("certificate", "peer")
    assert failure.alert_received == alert
    assert "SetTlsClientCertificate" in failure.remedy
    assert client.log.all("OnSecureLinkReady")[0].code == CODES.TlsPeerRequiresCertificate
    assert client.log.all("OnClose")[0].code == CODES.TlsPeerRequiresCertificate
    assert [call.ok for call in calls_of(client)] == [1, 1, 1]  # it found the server good
    assert meeting.order == ["child", "listener"]
    for net in (client, child):
        assert not net.IsConnected()
        assert net.GetTlsCipherSuite() == SUITES.None_


@in_both_versions
@pytest.mark.parametrize("name", ["Peer", "ClientOnce", "Peer-ClientOnce"])
def test_server_that_only_asks_takes_a_client_without_certificate_as_unverified(
    server_meets: Callable[..., Meeting],
    library_log: LibraryLog,
    name: str,
    version: str,
) -> None:
    meeting = server_meets(COMBINATIONS[name], "none", version)
    assert meeting.linked
    assert was_asked(meeting)
    assert calls_of(meeting.child) == []
    assert not meeting.child.tls_verified
    library_log.wait(LINK_WARNING, "no certificate")


@in_both_versions
def test_server_that_only_asks_may_overrule_a_bad_certificate(
    server_meets: Callable[..., Meeting], version: str
) -> None:
    meeting = server_meets(PEER, "bad", version, OnVerify=lambda *arguments: 1)
    assert meeting.linked
    assert not meeting.child.tls_verified
    assert meeting.child.tls_verify_code == FINDINGS.InvalidPurpose


# ---- the client's flags


@in_both_versions
@with_each_combination
def test_client_asks_about_a_good_server_whatever_its_flags(
    meet: Meet, pki: TestPki, name: str, version: str
) -> None:
    meeting = meet(
        rules_for(pki, "server", method=VERSIONS[version]),
        rules_for(pki, "client", flags=COMBINATIONS[name]),
    )
    assert meeting.linked
    assert [(call.ok, call.code) for call in calls_of(meeting.client)] == [(1, "Success")] * 3
    assert meeting.client.tls_verified
    assert meeting.client.failure is None


@in_both_versions
@pytest.mark.parametrize("name", [name for name in COMBINATIONS if name != "None"])
def test_client_with_any_flag_ends_the_link_for_a_bad_server(
    meet: Meet, pki: TestPki, name: str, version: str
) -> None:
    meeting = meet(
        rules_for(
            pki, "server", identity=pki.make("no_purpose", "server"), method=VERSIONS[version]
        ),
        rules_for(pki, "client", flags=COMBINATIONS[name]),
    )
    client, child = meeting.client, meeting.child
    assert [(call.ok, call.code) for call in calls_of(client)] == [(0, "InvalidPurpose")]
    assert client.failure.code == CODES.TlsCertificateRejected
    assert client.failure.alert_sent == UNSUPPORTED_CERTIFICATE
    assert child.failure.code == CODES.TlsPeerRejectedCertificate
    assert child.failure.alert_received == UNSUPPORTED_CERTIFICATE


@in_both_versions
@pytest.mark.parametrize(
    "kind", ["no_purpose", "expired", "unknown_ca", "self_signed", "bad_signature"]
)
def test_client_with_none_calls_and_links_with_a_bad_server_and_says_so(
    meet: Meet, pki: TestPki, library_log: LibraryLog, kind: str, version: str
) -> None:
    identity = pki.make(kind, "server")
    meeting = meet(
        rules_for(pki, "server", identity=identity, method=VERSIONS[version]),
        rules_for(pki, "client", flags=FLAGS.None_),
    )
    client = meeting.client
    assert meeting.linked
    calls = calls_of(client)
    assert (calls[-1].ok, calls[-1].code) == (0, identity.code)
    assert not client.tls_verified
    assert str(client.tls_verify_code) == identity.code
    assert client.failure is None
    assert len(library_log.about_settings(ACCEPTS_ANY)) == 1
    library_log.wait(LINK_WARNING, f"code {int(finding(identity.code))} ")


@in_both_versions
def test_failifnopeercertificate_means_nothing_on_a_client_of_a_server_that_asks_nothing(
    meet: Meet, pki: TestPki, version: str
) -> None:
    meeting = meet(
        rules_for(pki, "server", flags=FLAGS.None_, method=VERSIONS[version]),
        rules_for(pki, "client", flags=PEER | FAIL, identity=None),
    )
    assert meeting.linked


@in_both_versions
@pytest.mark.parametrize("flags", ["None", "Peer"])
def test_client_without_anchors_complains_about_the_issuer(
    meet: Meet, pki: TestPki, flags: str, version: str
) -> None:
    meeting = meet(
        rules_for(pki, "server", flags=FLAGS.None_, method=VERSIONS[version]),
        rules_for(pki, "client", ca=None, flags=COMBINATIONS[flags]),
    )
    codes = [(call.ok, call.code) for call in calls_of(meeting.client)]
    assert codes == [(0, "UnableToGetIssuerCertLocally")]
    assert meeting.linked == (flags == "None")
    assert not meeting.client.tls_verified
    if flags == "Peer":
        assert "No CA file was given here" in meeting.client.failure.remedy


@in_both_versions
def test_renegotiation_and_resumption_never_happen_so_client_once_has_no_effect(
    meet: Meet, pki: TestPki, version: str
) -> None:
    for _ in range(2):  # the second connection judges again
        meeting = meet(
            rules_for(pki, "server", flags=FLAGS.All, method=VERSIONS[version]),
            rules_for(pki, "client", flags=FLAGS.All),
        )
        assert meeting.linked
        for net in (meeting.client, meeting.child):
            assert len(calls_of(net)) == 3
            assert not net.tls_resumed


@in_both_versions
def test_same_client_judges_again_at_its_second_connection(
    meet: Meet, pki: TestPki, version: str
) -> None:
    meeting = meet(
        rules_for(pki, "server", method=VERSIONS[version]),
        rules_for(pki, "client", flags=FLAGS.All),
    )
    client = meeting.client
    client.CloseForced(True)
    client.log.wait("OnClose")
    client.Connect(None, 0, "127.0.0.1", meeting.listener.HostPort)
    assert client.log.wait("OnSecureLinkReady", 2).code == CODES.Success
    assert len(calls_of(client)) == 6
    assert not client.tls_resumed


@in_both_versions
def test_session_of_a_link_that_nobody_judged_is_not_resumed_where_the_client_is_judged(
    nets: Callable[[Any], Any], pki: TestPki, version: str
) -> None:
    """A resumed session would bring no certificate to judge."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(pki.ca_file)
    context.load_cert_chain(pki.client.combined_file)
    context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]

    def visit(flags: int, session: ssl.SSLSession | None) -> tuple[ssl.SSLSession, bool, Any]:
        rules = rules_for(pki, "server", flags=flags, method=VERSIONS[version])
        # It says goodbye, so that the client reads all that was sent: the ticket, too.
        hooks = {"OnSecureLinkReady": lambda net, error: net.Close()}
        listener = nets(Listener(lambda: nets(rules.net(**hooks))))
        listener.Listen("127.0.0.1", 0, 4)
        with (
            socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as plain,
            context.wrap_socket(plain, session=session) as link,
        ):
            assert link.recv(1) == b""
            assert link.version() == version
            assert link.session is not None
            listener.log.wait("OnClose")
            return link.session, bool(link.session_reused), listener.child()

    session, reused, child = visit(FLAGS.None_, None)
    assert not reused
    assert calls_of(child) == []
    assert child.log.wait("OnSecureLinkReady").code == CODES.Success
    for _ in range(2):  # its own session is not resumed either
        session, reused, child = visit(FLAGS.All, session)
        assert not reused
        assert [call.ok for call in calls_of(child)] == [1, 1, 1]
        assert child.log.wait("OnSecureLinkReady").code == CODES.Success
        assert not child.tls_resumed


# ---- warnings


@pytest.mark.parametrize("name", COMBINATIONS)
def test_combination_without_peer_is_said_at_initialize(
    pki: TestPki, nets: Callable[[Any], Any], library_log: LibraryLog, name: str
) -> None:
    nets(rules_for(pki, "client", flags=COMBINATIONS[name]).net())
    said = library_log.about_settings(WITHOUT)
    assert len(said) == (1 if name in WITHOUT_PEER else 0)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_unverified_contexts_are_said_once_on_the_side_that_does_not_verify(
    meet: Meet, pki: TestPki, library_log: LibraryLog, name: str
) -> None:
    expected = 1 if name == "None" else 0
    meet(rules_for(pki, "server", flags=COMBINATIONS[name]), rules_for(pki, "client"))
    assert len(library_log.about_settings(ASKS_FOR_NONE)) == expected
    assert library_log.about_settings(ACCEPTS_ANY) == []
    library_log.clear()
    meet(rules_for(pki, "server"), rules_for(pki, "client", flags=COMBINATIONS[name]))
    assert len(library_log.about_settings(ACCEPTS_ANY)) == expected
    assert library_log.about_settings(ASKS_FOR_NONE) == []


def test_mutual_link_of_good_nodes_warns_of_nothing(
    meet: Meet, pki: TestPki, library_log: LibraryLog
) -> None:
    assert meet(rules_for(pki, "server"), rules_for(pki, "client")).linked
    assert library_log.about_settings() == []


# ---- unknown bits


@pytest.mark.parametrize("bits", [8, 9, 0x10, 0x100, 0x7FFFFFFF, 2**31, -1])
def test_unknown_bits_are_a_wrong_parameter(bits: int) -> None:
    with refused(CODES.Parameter, "verificationFlags"):
        DicomOpenSslContextCreationSettings(METHODS.SslV23, None, bits)
    settings = DicomOpenSslContextCreationSettings()
    with refused(CODES.Parameter, "verificationFlags"):
        settings.VerificationFlags = bits
    assert settings.VerificationFlags == FLAGS.None_


@pytest.mark.parametrize("bits", [8, 9, 0x10, 0x80000000])
def test_unknown_bits_are_a_wrong_parameter_in_c_too(bits: int) -> None:
    create = ffi.new("L_SSL_CTX_CREATE *")
    create.uStructSize = ffi.sizeof("L_SSL_CTX_CREATE")
    create.uFlags = lib.FLAG_SSL_CTX_CREATE_VERIFY_MODE
    create.uVerifyMode = bits
    assert lib.L_DicomCreateNetExt(ffi.NULL, lib.DICOM_SECURE_TLS, create) == ffi.NULL
    assert lib.L_DicomGetLastError() == CODES.Parameter
    assert create.nSuccess == CODES.Parameter


@pytest.mark.parametrize("bits", range(8))
def test_every_documented_combination_is_taken_and_read_back(bits: int) -> None:
    settings = DicomOpenSslContextCreationSettings(METHODS.SslV23, None, bits)
    assert settings.VerificationFlags == bits
    assert FLAGS.All == PEER | FAIL | ONCE


def test_default_is_none() -> None:
    assert DicomOpenSslContextCreationSettings().VerificationFlags == FLAGS.None_
