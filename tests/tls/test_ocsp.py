"""OCSP staples between two of our own: served, asked for, judged; what each mode takes and refuses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.files import write
from leadtools_compat.testing.revocation import ocsp_response, refusing_response
from tests.support import NO_CHECK, PATIENCE, PEER, Listener, RecordingNet, refused
from tests.tls.conftest import Meet
from tests.tls.peers import openssl_server, own
from tests.tls.tls_tools import (
    BAD_STATUS_RESPONSE,
    CODES,
    FINDINGS,
    TLS,
    VERSIONS,
    LibraryLog,
    Meeting,
    calls_of,
    rules_for,
)

Nets = Callable[[Any], Any]
Stapled = Callable[..., Meeting]

in_each_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def stapled(meet: Meet, pki: TestPki) -> Stapled:
    """Let a server serve a staple file, and a client with a mode ask for it."""

    def start(
        file: str | None,
        mode: str = "check",
        version: str = "TLSv1.3",
        identity: Identity | None = None,
        **changes: Any,
    ) -> Meeting:
        server = rules_for(pki, "server", method=VERSIONS[version])
        server = server.but(identity=identity or pki.server)
        server = server.but(attributes={} if file is None else {"ocsp_staple_file": file})
        more = changes.pop("attributes", {})
        client = rules_for(pki, "client", method=VERSIONS[version], **changes)
        return meet(server, client.but(attributes={"ocsp_check": mode, **more}))

    return start


@pytest.fixture(scope="module")
def responder(pki: TestPki) -> Identity:
    """A responder whom the intermediate has given the right to answer."""
    return pki.issue("OCSP responder", purposes=("OCSPSigning",), hosts=())


def refusal(client: Any) -> Any:
    """Expect that the client has refused the staple, and give its record."""
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected
    failure = client.failure
    assert failure.code == CODES.TlsCertificateRejected
    assert failure.stage == "certificate"
    assert failure.side == "local"
    assert failure.certificate_depth == 0
    assert "Test Server" in failure.certificate_subject
    assert failure.alert_sent == BAD_STATUS_RESPONSE
    assert failure.remedy
    assert not client.tls_verified
    assert client.tls_revocation == "failed"
    return failure


def told(child: Any) -> None:
    """Expect that the server has heard that its staple was refused."""
    failure = child.failure
    assert failure.code == CODES.TlsPeerRejectedCertificate
    assert failure.alert_received == BAD_STATUS_RESPONSE
    assert "OCSP" in failure.remedy


# ---- good


@in_each_version
@pytest.mark.parametrize("mode", ["check", "require"])
def test_good_staple_is_served_and_verified(
    stapled: Stapled, pki: TestPki, version: str, mode: str
) -> None:
    meeting = stapled(pki.ocsp(pki.server), mode, version)
    assert meeting.linked, meeting.client.failure
    client = meeting.client
    assert (client.tls_ocsp_status, client.tls_revocation) == ("good", "good")
    assert client.tls_verified
    # Nobody is asked about what is good: the chain's calls are all.
    assert [(call.ok, call.code) for call in calls_of(client)] == [(1, "Success")] * 3
    assert (meeting.child.tls_ocsp_status, meeting.child.tls_revocation) == ("", "off")


@in_each_version
@pytest.mark.parametrize("by_name", [False, True])
def test_responder_with_the_right_from_the_issuer_may_answer(
    stapled: Stapled, pki: TestPki, responder: Identity, version: str, by_name: bool
) -> None:
    name = f"delegated-{version}-{by_name}"
    file = pki.ocsp(pki.server, name=name, responder=responder, by_name=by_name)
    assert stapled(file, "require", version).client.tls_ocsp_status == "good"


@pytest.mark.parametrize("days", [(-1 / 24, 1), (-0.5, None), (-7, 0.01), (0.002, 1), (-1, -0.002)])
def test_staple_counts_while_it_is_in_date_by_clocks_that_differ_a_little(
    stapled: Stapled, pki: TestPki, days: tuple[float, float | None]
) -> None:
    # Served by a file that is in date for us: dates near the edge are within the grace of 5 minutes.
    file = pki.ocsp(pki.server, name=f"days{days}", days=days)
    served = days[1] is None or days[1] > 0
    meeting = stapled(file, "check")
    assert meeting.linked
    assert meeting.client.tls_ocsp_status == ("good" if served else "missing")


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384()])
def test_certificate_is_known_by_any_usual_hash(
    stapled: Stapled, pki: TestPki, digest: hashes.HashAlgorithm, tmp_path: Path
) -> None:
    shop = pki._shop.intermediate
    leaf, issuer = pki.server.chain_der[:2]
    content = ocsp_response(leaf, issuer, issuer, shop.key.pkcs8, digest=digest)
    file = write(tmp_path / "staple.ocsp", content)
    assert stapled(str(file), "require").client.tls_ocsp_status == "good"


# ---- the modes


@in_each_version
def test_nothing_is_asked_for_unless_it_is_switched_on(
    stapled: Stapled, pki: TestPki, version: str
) -> None:
    assert RecordingNet(TLS).ocsp_check == "off"
    meeting = stapled(pki.ocsp(pki.server, "revoked", name="gone-off"), "off", version)
    assert meeting.linked
    assert (meeting.client.tls_ocsp_status, meeting.client.tls_revocation) == ("", "off")


@in_each_version
def test_missing_staple_will_do_for_check_and_the_link_says_so(
    stapled: Stapled, version: str
) -> None:
    meeting = stapled(None, "check", version)
    assert meeting.linked
    client = meeting.client
    assert (client.tls_ocsp_status, client.tls_revocation) == ("missing", "unknown")
    assert client.tls_verified


@in_each_version
def test_missing_staple_is_refused_when_it_is_required(stapled: Stapled, version: str) -> None:
    meeting = stapled(None, "require", version)
    failure = refusal(meeting.client)
    told(meeting.child)
    assert failure.certificate_code == FINDINGS.OcspVerifyNeeded
    assert "sent no OCSP staple" in failure.remedy
    assert meeting.client.tls_ocsp_status == "missing"
    assert [(call.ok, call.code) for call in calls_of(meeting.client)] == [
        *[(1, "Success")] * 3,
        (0, "OcspVerifyNeeded"),
    ]
    assert calls_of(meeting.client)[-1].subject == calls_of(meeting.client)[-2].subject


@in_each_version
@pytest.mark.parametrize("mode", ["check", "require"])
def test_certificate_that_must_be_stapled_is_refused_without_a_staple(
    stapled: Stapled, pki: TestPki, version: str, mode: str
) -> None:
    identity = pki.issue("Test Server must staple", role="server", staple=True)
    failure = refusal(stapled(None, mode, version, identity).client)
    assert failure.certificate_code == FINDINGS.OcspVerifyNeeded
    assert "only good with one" in failure.remedy
    file = pki.ocsp(identity, name="must-staple")
    assert stapled(file, mode, version, identity).client.tls_ocsp_status == "good"
    assert stapled(None, "off", version, identity).linked


def test_responder_that_says_only_try_later_has_said_nothing(
    peer_staples: Callable[..., Any], pki: TestPki
) -> None:
    client = peer_staples(refusing_response(), "check")
    assert client.tls_ocsp_status == "missing"
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    failure = refusal(peer_staples(refusing_response(), "require"))
    assert failure.certificate_code == FINDINGS.OcspVerifyNeeded
    assert "trylater" in failure.remedy


def test_server_cannot_require_staples_of_clients(pki: TestPki, nets: Nets) -> None:
    def child() -> Any:
        return nets(rules_for(pki, "server", attributes={"ocsp_check": "require"}).net())

    said: list[BaseException] = []

    class Refusing(Listener):
        def OnAccept(self, error: Any) -> None:
            try:
                self.Accept(child())
            except Exception as problem:  # noqa: BLE001 - for the main thread
                said.append(problem)
            self.log.add("OnAccept", error)

    listener = nets(Refusing())
    listener.Listen("127.0.0.1", 0, 16)
    client = nets(rules_for(pki, "client").net())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    listener.log.wait("OnAccept")
    [problem] = said
    assert problem.Code == CODES.FeatureNotSupported  # type: ignore[attr-defined]
    assert "clients send none" in str(problem)


# ---- bad: openssl serves what ours would not


@pytest.fixture
def peer_staples(nets: Nets, pki: TestPki) -> Callable[..., Any]:
    """Let openssl serve any response; give the client, which knows what it makes of it."""

    def start(content: bytes, mode: str, version: str = "TLSv1.3") -> Any:
        file = write(pki.directory / f"bent-{os.urandom(4).hex()}.ocsp", content)
        rules = rules_for(pki, "client", method=VERSIONS[version])
        client = nets(rules.but(attributes={"ocsp_check": mode}).net())
        with openssl_server(*own(pki.server), "-status_file", str(file)) as server:
            client.Connect(None, 0, "127.0.0.1", server.port)
            if client.log.wait("OnSecureLinkReady").code != CODES.Success:
                server.wait_for("bad certificate status response")
                client.log.wait("OnClose")
        return client

    return start


def bent(pki: TestPki, how: str, responder: Identity) -> bytes:
    """Make a response that proves nothing."""
    shop = pki._shop
    leaf, issuer = pki.server.chain_der[:2]
    key = shop.intermediate.key.pkcs8
    good = ocsp_response(leaf, issuer, issuer, key)
    if how == "signature":
        return good[:-10] + bytes([good[-10] ^ 1]) + good[-9:]
    if how == "nonsense":
        return b"nonsense"
    if how == "another certificate":
        return ocsp_response(pki.client.chain_der[0], issuer, issuer, key)
    if how == "expired":
        return ocsp_response(leaf, issuer, issuer, key, days=(-8, -1))
    if how == "no end, old":
        return ocsp_response(leaf, issuer, issuer, key, days=(-2, None))
    if how == "not yet valid":
        return ocsp_response(leaf, issuer, issuer, key, days=(1, 2))
    if how == "root instead of issuer":
        root = shop.root
        return ocsp_response(leaf, issuer, root.der, root.key.pkcs8, send=True)
    others = {
        "no OCSPSigning": pki.issue("no signing", purposes=("serverAuth",), hosts=()),
        "no purpose at all": pki.issue("no purpose", purposes=None, hosts=()),
        "expired responder": pki.issue("old", purposes=("OCSPSigning",), hosts=(), days=(-9, -1)),
        "of its own key only": pki.make("self_signed", "server"),
        "the server itself": pki.server,
        "right, but not sent": responder,
    }
    one = others[how]
    pkcs8 = Path(one.key_der_file).read_bytes()
    send = how != "right, but not sent"
    return ocsp_response(leaf, issuer, one.chain_der[0], pkcs8, send=send)


BENT = {
    "signature": "signature",
    "another certificate": "about another certificate",
    "expired": "out of date",
    "no end, old": "out of date",
    "not yet valid": "not yet valid",
    "root instead of issuer": "not issued by the certificate's own issuer",
    "no OCSPSigning": "OCSPSigning",
    "no purpose at all": "OCSPSigning",
    "expired responder": "not in date",
    "of its own key only": "not issued by the certificate's own issuer",
    "the server itself": "OCSPSigning",
    "right, but not sent": "signature",
}


@pytest.mark.parametrize("how", BENT)
def test_staple_that_proves_nothing_is_refused_even_when_none_is_required(
    peer_staples: Callable[..., Any], pki: TestPki, responder: Identity, how: str
) -> None:
    version = list(VERSIONS)[len(how) % 2]
    client = peer_staples(bent(pki, how, responder), "check", version)
    failure = refusal(client)
    assert failure.certificate_code == FINDINGS.OcspVerifyFailed
    assert BENT[how] in failure.remedy
    assert client.tls_ocsp_status == "bad"
    assert calls_of(client)[-1].code == "OcspVerifyFailed"


@pytest.mark.parametrize("status", ["revoked", "unknown"])
@in_each_version
def test_what_the_responder_says_counts(
    stapled: Stapled, pki: TestPki, status: Any, version: str
) -> None:
    meeting = stapled(pki.ocsp(pki.server, status, name=f"says-{status}"), "check", version)
    failure = refusal(meeting.client)
    told(meeting.child)
    code = FINDINGS.CertRevoked if status == "revoked" else FINDINGS.OcspCertUnknown
    assert failure.certificate_code == code
    assert meeting.client.tls_ocsp_status == status
    if status == "revoked":
        assert "keyCompromise" in failure.remedy


def test_old_word_that_it_is_revoked_still_counts(
    peer_staples: Callable[..., Any], pki: TestPki
) -> None:
    leaf, issuer = pki.server.chain_der[:2]
    key = pki._shop.intermediate.key.pkcs8
    content = ocsp_response(leaf, issuer, issuer, key, "revoked", days=(-30, -23))
    failure = refusal(peer_staples(content, "check"))
    assert failure.certificate_code == FINDINGS.CertRevoked


def test_responder_that_a_list_names_has_no_say(stapled: Stapled, pki: TestPki) -> None:
    gone = pki.issue("gone responder", purposes=("OCSPSigning",), hosts=())
    file = pki.ocsp(pki.server, name="by-gone", responder=gone)
    lists = {"crl_paths": pki.crl(gone, name="gone-responder")}
    assert stapled(file, "check").linked
    failure = refusal(stapled(file, "check", attributes=lists).client)
    assert failure.certificate_code == FINDINGS.OcspVerifyFailed
    assert "revoked" in failure.remedy


# ---- user code


@in_each_version
def test_complaint_about_the_staple_may_be_overruled_and_shows(
    stapled: Stapled, pki: TestPki, version: str
) -> None:
    hooks = {"OnVerify": lambda *arguments: 1}
    file = pki.ocsp(pki.server, "revoked", name="overruled")
    meeting = stapled(file, "require", version, hooks=hooks)
    assert meeting.linked
    client = meeting.client
    assert not client.tls_verified
    assert client.tls_verify_code == FINDINGS.CertRevoked
    assert (client.tls_ocsp_status, client.tls_revocation) == ("revoked", "failed")


def test_client_that_takes_anybody_is_told_and_the_link_shows_it(
    stapled: Stapled, pki: TestPki
) -> None:
    meeting = stapled(pki.ocsp(pki.server, "revoked", name="anybody"), "require", flags=NO_CHECK)
    assert meeting.linked
    assert not meeting.client.tls_verified
    assert meeting.client.tls_verify_code == FINDINGS.CertRevoked
    assert calls_of(meeting.client)[-1].code == "CertRevoked"


@pytest.mark.parametrize("flags", [PEER, NO_CHECK])
def test_nobody_is_accepted_when_the_question_about_the_staple_is_not_answered(
    stapled: Stapled, pki: TestPki, flags: Any, unraisable: Any
) -> None:
    def raise_at_the_staple(net: Any, ok: int, text: str, error: Any) -> int:
        if not ok:
            raise LookupError("no idea")
        return ok

    hooks = {"OnVerify": raise_at_the_staple}
    meeting = stapled(None, "require", flags=flags, hooks=hooks)
    assert not meeting.linked
    failure = meeting.client.failure
    assert failure.code == CODES.TlsVerifyCallback
    assert isinstance(failure.exception, LookupError)
    unraisable.expect(LookupError)


def test_after_a_stop_nobody_is_asked_about_the_staple(stapled: Stapled, pki: TestPki) -> None:
    hooks = {"OnVerify": lambda net, ok, text, error: 0}
    meeting = stapled(None, "require", flags=NO_CHECK, hooks=hooks)
    assert len(calls_of(meeting.client)) == 1
    assert meeting.client.tls_ocsp_status == ""


# ---- what a server serves


def test_staple_that_is_not_for_the_certificate_is_refused_at_once(
    pki: TestPki, nets: Nets, tmp_path: Path, responder: Identity
) -> None:
    net = nets(rules_for(pki, "server").net())
    kept = pki.ocsp(pki.server)
    net.ocsp_staple_file = kept
    for how in ("signature", "another certificate", "expired", "nonsense", "not yet valid"):
        file = write(tmp_path / "bad.ocsp", bent(pki, how, responder))
        with refused(CODES.FileAccess, str(file)):
            net.ocsp_staple_file = file
        assert net.ocsp_staple_file == kept
    (tmp_path / "empty.ocsp").write_bytes(b"")
    for name in ("empty.ocsp", "none.ocsp"):
        with refused(CODES.FileAccess, name):
            net.ocsp_staple_file = tmp_path / name
    (tmp_path / "late.ocsp").write_bytes(refusing_response())
    with refused(CODES.FileAccess, "trylater"):
        net.ocsp_staple_file = tmp_path / "late.ocsp"
    net.ocsp_staple_file = None
    assert net.ocsp_staple_file is None


def test_staple_given_before_the_certificate_is_held_against_it_later(
    pki: TestPki, nets: Nets
) -> None:
    net = nets(rules_for(pki, "server", identity=None).net())
    net.ocsp_staple_file = pki.ocsp(pki.client)
    net.SetTlsClientCertificate(pki.server.combined_file, 1, None)
    net.children_inherit_tls = True
    with refused(CODES.FileAccess, "another certificate"):
        net.Listen("127.0.0.1", 0, 4)


def test_new_file_is_served_without_a_call_and_a_bad_one_is_not(
    pki: TestPki,
    nets: Nets,
    tmp_path: Path,
    library_log: LibraryLog,
    responder: Identity,
) -> None:
    file = tmp_path / "staple.ocsp"
    Path(pki.ocsp(pki.server)).replace(file)
    listener = nets(Listener(lambda: nets(rules_for(pki, "server").but(identity=None).net())))
    rules_for(pki, "server", attributes={"ocsp_staple_file": file}).apply(listener)
    listener.children_inherit_tls = True
    listener.Listen("127.0.0.1", 0, 16)

    def status() -> str:
        with rules_for(pki, "client", attributes={"ocsp_check": "check"}).net() as client:
            client.Connect(None, 0, "127.0.0.1", listener.HostPort)
            client.log.wait("OnSecureLinkReady")
            return str(client.tls_ocsp_status)

    assert status() == "good"
    write(file, bent(pki, "another certificate", responder))
    wait_until(lambda: status() == "good" and _warned(library_log, "served on"))
    write(file, Path(pki.ocsp(pki.server, "revoked", name="new-word")).read_bytes())
    wait_until(lambda: status() == "revoked")
    library_log.wait("says of the own certificate", "revoked")


def _warned(log: LibraryLog, word: str) -> bool:
    return any(word in text for text in log.about_settings())


def wait_until(true: Callable[[], bool]) -> None:
    """Try until it is so, as the file is looked at once a second; each try is a handshake."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
