"""How strictly purposes are judged, and how strong keys and hashes must be."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from leadtools_compat.dicom import DicomException
from leadtools_compat.testing import Identity, TestPki
from tests.support import PATIENCE, Listener, refused
from tests.tls.conftest import Meet
from tests.tls.issued import BOTH, Key, Purpose, issue
from tests.tls.peers import openssl_client, openssl_server, own
from tests.tls.tls_tools import (
    CODES,
    FINDINGS,
    SIDES,
    UNSUPPORTED_CERTIFICATE,
    VERSIONS,
    LibraryLog,
    Meeting,
    Side,
    calls_of,
    finding,
    other_side,
    rules_for,
)

Nets = Callable[[Any], Any]
at_either_side = pytest.mark.parametrize("side", SIDES)


@pytest.fixture
def judged(meet: Meet, pki: TestPki) -> Callable[..., Meeting]:
    """Let one side judge an identity with more demands."""

    def start(side: Side, peer: Identity, demand: Any, **changes: Any) -> Meeting:
        rules = {
            side: rules_for(pki, side, also=demand).but(**changes),
            other_side(side): rules_for(pki, other_side(side), identity=peer),
        }
        return meet(rules["server"], rules["client"])

    return start


def checking(mode: str) -> Callable[[Any], None]:
    def check(net: Any) -> None:
        net.tls_purpose_check = mode

    return check


def needing(rsa_bits: int = 0, ec_bits: int = 0, hash_bits: int = 0) -> Callable[[Any], None]:
    return lambda net: net.set_tls_minimum_strength(rsa_bits, ec_bits, hash_bits)


# ---- purposes

# What the peer's certificate says, and which checks let it pass. "own": that of the peer's role.
PURPOSES: dict[str, set[str]] = {
    "both": {"default", "strict", "any"},
    "own": {"default", "strict", "any"},
    "none said": {"default", "any"},
    "other": {"any"},
}


def said(word: str, role: Side) -> tuple[Purpose, ...] | None:
    other = other_side(role)
    return {"both": BOTH, "own": (role,), "none said": None, "other": (other,)}[word]


@at_either_side
@pytest.mark.parametrize("mode", ["default", "strict", "any"])
@pytest.mark.parametrize("word", PURPOSES)
def test_purposes_are_judged_as_the_setting_says(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path, word: str, mode: str, side: Side
) -> None:
    peer = issue(pki, tmp_path, "peer", purposes=said(word, other_side(side)))
    meeting = judged(side, peer, checking(mode))
    net = meeting.of(side)
    assert net.tls_purpose_check == mode
    assert meeting.linked == (mode in PURPOSES[word])
    if meeting.linked:
        assert net.tls_verified
        return
    failure = net.failure
    assert [(call.ok, call.code) for call in calls_of(net)] == [(0, "InvalidPurpose")]
    assert failure.certificate_code == FINDINGS.InvalidPurpose
    assert failure.certificate_depth == 0
    assert failure.alert_sent == UNSUPPORTED_CERTIFICATE
    assert "extended key usage" in failure.remedy
    assert ("no extended key usage" in failure.remedy) == (word == "none said")


@at_either_side
@pytest.mark.parametrize("version", VERSIONS)
def test_strict_complaint_may_be_overruled_and_shows(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path, side: Side, version: str
) -> None:
    peer = issue(pki, tmp_path, "peer", purposes=None)
    hooks = {"OnVerify": lambda *arguments: 1}
    meeting = judged(side, peer, checking("strict"), method=VERSIONS[version], hooks=hooks)
    net = meeting.of(side)
    assert meeting.linked
    assert not net.tls_verified
    assert net.tls_verify_code == FINDINGS.InvalidPurpose


@at_either_side
def test_any_purpose_is_not_any_certificate(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path, side: Side
) -> None:
    for options in ({"by_itself": True}, {"days": (-9.0, -1.0)}):
        peer = issue(pki, tmp_path, "peer", purposes=(side,), **options)
        assert not judged(side, peer, checking("any")).linked


def test_leaving_purposes_unchecked_warns(
    nets: Nets, pki: TestPki, library_log: LibraryLog
) -> None:
    net = nets(rules_for(pki, "client").net())
    net.tls_purpose_check = "strict"
    assert not library_log.about_settings("purposes")
    net.tls_purpose_check = "any"
    assert library_log.about_settings("purposes")


def test_purpose_check_has_three_words(nets: Nets, pki: TestPki) -> None:
    net = nets(rules_for(pki, "client").net())
    assert net.tls_purpose_check == "default"
    with refused(CODES.Parameter, "strict"):
        net.tls_purpose_check = "loose"
    with pytest.raises(TypeError):
        net.tls_purpose_check = 1
    assert net.tls_purpose_check == "default"


def test_openssl_with_a_certificate_for_the_other_role(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki, tmp_path: Path
) -> None:
    server_only = issue(pki, tmp_path, "server-only", purposes=("server",))
    client_only = issue(pki, tmp_path, "client-only", purposes=("client",))
    for number, (mode, linked) in enumerate((("default", False), ("any", True)), 1):
        listener = listen(
            lambda mode=mode: nets(rules_for(pki, "server", also=checking(mode)).net())
        )
        openssl_client(listener.HostPort, *own(server_only))
        code = listener.child().log.wait("OnSecureLinkReady").code
        assert (code == CODES.Success) == linked, number
        with openssl_server(*own(client_only)) as server:
            net = nets(rules_for(pki, "client", also=checking(mode)).net())
            net.Connect(None, 0, "127.0.0.1", server.port)
            assert (net.log.wait("OnSecureLinkReady").code == CODES.Success) == linked
            net.CloseForced(True)
            net.log.wait("OnClose")


# ---- keys and hashes

KEYS: dict[str, Callable[[], Key]] = {
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
STRENGTHS = [
    *(("rsa2048", {"rsa_bits": 2048}, ""), ("rsa2048", {"rsa_bits": 3072}, "EeKeyTooSmall")),
    *(("rsa3072", {"rsa_bits": 3072}, ""), ("rsa2048", {"ec_bits": 384}, "CaKeyTooSmall")),
    *(("p256", {"ec_bits": 256}, ""), ("p256", {"ec_bits": 384}, "EeKeyTooSmall")),
    *(("ed25519", {"ec_bits": 256}, ""), ("ed25519", {"ec_bits": 384}, "EeKeyTooSmall")),
    *(("p384", {"ec_bits": 384}, "CaKeyTooSmall"), ("p256", {"hash_bits": 256}, "")),
    *(("p256", {"hash_bits": 384}, "CaMdTooWeak"),),
]


@at_either_side
@pytest.mark.parametrize(
    ("key", "least", "code"), STRENGTHS, ids=[f"{k}-{m}" for k, m, _ in STRENGTHS]
)
def test_peer_must_be_as_strong_as_the_setting_says(
    judged: Callable[..., Meeting],
    pki: TestPki,
    tmp_path: Path,
    key: str,
    least: dict[str, int],
    code: str,
    side: Side,
) -> None:
    peer = issue(pki, tmp_path, "peer", key=KEYS[key](), hash_=hashes.SHA256())
    # The demand is about the own one, too.
    strong = issue(pki, tmp_path, "strong", key=KEYS["p384"](), hash_=hashes.SHA512())
    meeting = judged(side, peer, needing(**least), identity=strong)
    net = meeting.of(side)
    assert meeting.linked == (not code), net.failure
    if not code:
        assert net.tls_verified
        return
    assert calls_of(net)[-1][:2] == (0, code)
    failure = net.failure
    assert failure.certificate_code == finding(code)
    (bits,) = least.values()
    assert str(bits) in failure.remedy


@at_either_side
def test_own_certificate_must_be_as_strong(nets: Nets, pki: TestPki, side: Side) -> None:
    net = nets(rules_for(pki, side, also=needing(ec_bits=521, rsa_bits=4096)).net())
    if side == "client":
        with refused(CODES.TlsWeakKey, "minimum", "needed"):
            net.Connect(None, 0, "127.0.0.1", 9)
        return
    failed: list[Any] = []

    def accept(listener: Any, error: Any) -> None:
        try:
            listener.Accept(net)
        except DicomException as problem:
            failed.append(problem)

    listener = nets(Listener(OnAccept=accept))
    listener.Listen("127.0.0.1", 0, 4)
    client = nets(rules_for(pki, "client").net())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    listener.log.wait("OnAccept")
    assert [error.Code for error in failed] == [CODES.TlsWeakKey]


def test_stricter_of_profile_and_setting_counts(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path
) -> None:
    strong = issue(pki, tmp_path, "strong", key=KEYS["p384"](), hash_=hashes.SHA512())
    peer = issue(pki, tmp_path, "peer", key=KEYS["rsa2048"]())

    def both(net: Any) -> None:
        net.apply_tls_profile("B.12")
        net.set_tls_minimum_strength(rsa_bits=3072)

    meeting = judged("server", peer, both, identity=strong)
    assert not meeting.linked
    assert meeting.child.failure.certificate_code == FINDINGS.EeKeyTooSmall
    assert "3072" in meeting.child.failure.remedy


def test_what_cannot_be_asked_for_is_refused(nets: Nets, pki: TestPki) -> None:
    net = nets(rules_for(pki, "client").net())
    for wrong in ((-1, 0, 0), (16385, 0, 0), (0, 522, 0), (0, 0, 513)):
        with refused(CODES.Parameter):
            net.set_tls_minimum_strength(*wrong)
    assert net.tls_minimum_strength == (0, 0, 0)
    net.set_tls_minimum_strength(hash_bits=384)
    assert net.tls_minimum_strength == (0, 0, 384)


def test_python_client_with_a_weak_key_is_refused(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki, tmp_path: Path
) -> None:
    weak = issue(pki, tmp_path, "weak", key=KEYS["rsa2048"]())
    strong = issue(pki, tmp_path, "strong", key=KEYS["rsa3072"]())
    for peer, code in ((weak, CODES.TlsCertificateRejected), (strong, CODES.Success)):
        demand = needing(rsa_bits=3072)
        listener = listen(lambda demand=demand: nets(rules_for(pki, "server", also=demand).net()))
        context = ssl.create_default_context(cafile=pki.ca_file)
        context.check_hostname = False
        context.load_cert_chain(peer.combined_file)
        with (
            socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as plain,
            context.wrap_socket(plain),
        ):
            assert listener.child().log.wait("OnSecureLinkReady").code == code
