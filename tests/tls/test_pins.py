"""Pins: this very certificate, or this key, besides the chain or in place of any authority."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from leadtools_compat.dicom import DicomNet
from leadtools_compat.testing import Identity, TestPki
from tests.interop.programs import ENVIRONMENT, free_port, run, served
from tests.support import PATIENCE, PEER, Listener, refused
from tests.tls.conftest import Meet
from tests.tls.issued import issue
from tests.tls.peers import CLEAN, openssl_client, openssl_server, own, write_pem
from tests.tls.tls_tools import (
    BAD_CERTIFICATE,
    CODES,
    FINDINGS,
    METHODS,
    SIDES,
    TLS,
    VERSIONS,
    Meeting,
    Side,
    Unjudged,
    calls_of,
    other_side,
    rules_for,
)

Nets = Callable[[Any], Any]


at_either_side = pytest.mark.parametrize("side", SIDES)
in_both_versions = pytest.mark.parametrize("version", VERSIONS)
of_both_kinds = pytest.mark.parametrize("kind", ["certificate", "key"])
WRONG = "key:" + "00" * 32


def pin_of(identity: Identity, kind: str = "certificate") -> str:
    pin: str = getattr(DicomNet.tls_pins_of(identity.chain_der[0]), kind)
    return pin


def pinning(*pins: str, only: bool = False) -> Callable[[Any], None]:
    return lambda net: net.set_tls_pins(pins, only)


@pytest.fixture
def judged(meet: Meet, pki: TestPki) -> Callable[..., Meeting]:
    """Let one side judge the other's identity with these pins."""

    def start(
        side: Side, pins: tuple[str, ...], identity: Identity | None = None, **changes: Any
    ) -> Meeting:
        only = changes.pop("only", False)
        other = rules_for(pki, other_side(side))
        other = other if identity is None else other.but(identity=identity)
        judge = rules_for(pki, side, also=pinning(*pins, only=only)).but(**changes)
        rules = {side: judge, other_side(side): other}
        return meet(rules["server"], rules["client"])

    return start


@pytest.fixture
def device(pki: TestPki, tmp_path: Path) -> Identity:
    """A device with a certificate that it has signed itself."""
    return issue(pki, tmp_path, "device", names=["device.test"], by_itself=True)


# ---- what a pin is


def test_pins_are_the_digests_that_openssl_computes(pki: TestPki) -> None:
    file = pki.server.certificate_file
    fingerprint = run("openssl", "x509", "-in", file, "-noout", "-fingerprint", "-sha256")
    key = run("openssl", "x509", "-in", file, "-noout", "-pubkey")
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"],
        input=key.encode(),
        capture_output=True,
        env=CLEAN,
        timeout=PATIENCE,
        check=True,
    ).stdout
    for content in (pki.server.chain_der[0], Path(file).read_bytes()):
        pins = DicomNet.tls_pins_of(content)
        assert pins.certificate.partition(":")[2] == (
            fingerprint.partition("=")[2].strip().replace(":", "").lower()
        )
        assert pins.key == "key:" + hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_certificate_has_no_pins(content: bytes) -> None:
    with refused(CODES.TlsCertificateFile):
        DicomNet.tls_pins_of(content)
    with pytest.raises(TypeError):
        DicomNet.tls_pins_of("a.pem")  # type: ignore[arg-type]


@pytest.mark.parametrize("empty", ["", " ", [""], [WRONG, " "]])
def test_empty_pin_does_not_stand_for_no_pins(nets: Nets, pki: TestPki, empty: Any) -> None:
    net = nets(rules_for(pki, "client").net())
    net.set_tls_pins(WRONG)
    with refused(CODES.Parameter, "empty pin"):
        net.set_tls_pins(empty)
    assert net.tls_pins == (WRONG,)
    net.set_tls_pins(None)
    assert net.tls_pins == ()


def test_pin_is_taken_in_every_usual_form(judged: Callable[..., Meeting], pki: TestPki) -> None:
    kind, _, digits = pin_of(pki.client, "key").partition(":")
    colons = ":".join(digits[i : i + 2] for i in range(0, 64, 2)).upper()
    encoded = base64.b64encode(bytes.fromhex(digits)).decode()
    for form in (digits, digits.upper(), colons, encoded):
        meeting = judged("server", (f"{kind}:{form}",))
        assert meeting.linked, meeting.child.failure
    assert meeting.child.tls_pins == (f"{kind}:{encoded}",)


def test_what_is_no_pin_is_refused_and_changes_nothing(nets: Nets, pki: TestPki) -> None:
    net = nets(rules_for(pki, "client").net())
    net.set_tls_pins([WRONG], only=True)
    for bad in ("", "sha256:00", "key:00", WRONG + "00", "a\0b"):
        with refused(CODES.Parameter):
            net.set_tls_pins([WRONG, bad] if bad else [], only=True)
    with refused(CODES.Parameter, "64"):
        net.set_tls_pins([WRONG] * 65)
    with pytest.raises(TypeError):
        net.set_tls_pins([5])
    assert (net.tls_pins, net.tls_pins_only) == ((WRONG,), True)
    net.set_tls_pins(None)
    assert (net.tls_pins, net.tls_pins_only) == ((), False)
    net.set_tls_pins(WRONG)
    assert net.tls_pins == (WRONG,)


# ---- besides the chain


@at_either_side
@in_both_versions
@of_both_kinds
def test_pinned_peer_is_taken(
    judged: Callable[..., Meeting], pki: TestPki, side: Side, version: str, kind: str
) -> None:
    peer = pki.client if side == "server" else pki.server
    meeting = judged(side, (WRONG, pin_of(peer, kind)), method=VERSIONS[version])
    net = meeting.of(side)
    assert meeting.linked, net.failure
    assert net.tls_verified
    assert [call.code for call in calls_of(net)] == ["Success"] * 3


@at_either_side
@in_both_versions
@of_both_kinds
def test_peer_with_another_pin_is_refused_before_its_chain_is_looked_at(
    judged: Callable[..., Meeting], pki: TestPki, side: Side, version: str, kind: str
) -> None:
    peer = pki.client if side == "server" else pki.server
    wrong = WRONG if kind == "key" else WRONG.replace("key", "cert")
    meeting = judged(side, (wrong,), method=VERSIONS[version])
    net = meeting.of(side)
    assert not meeting.linked
    assert [(call.ok, call.code) for call in calls_of(net)] == [(0, "CertUntrusted")]
    failure = net.failure
    assert failure.code == CODES.TlsCertificateRejected
    assert failure.certificate_code == FINDINGS.CertUntrusted
    assert failure.certificate_depth == 0
    assert failure.alert_sent == BAD_CERTIFICATE
    assert pin_of(peer, kind) in failure.remedy
    assert "pin it" in failure.remedy
    assert meeting.of(other_side(side)).failure.code == CODES.TlsPeerRejectedCertificate


@at_either_side
def test_pin_of_an_issuer_is_no_pin_of_the_peer(
    judged: Callable[..., Meeting], pki: TestPki, side: Side
) -> None:
    issuer = DicomNet.tls_pins_of(pki.intermediate.certificate_der)
    assert not judged(side, tuple(issuer)).linked


@at_either_side
def test_pinned_peer_of_an_unknown_authority_is_refused_all_the_same(
    judged: Callable[..., Meeting], device: Identity, side: Side
) -> None:
    meeting = judged(side, (pin_of(device),), device)
    assert not meeting.linked
    assert meeting.of(side).failure.certificate_code == FINDINGS.DepthZeroSelfSignedCert


@at_either_side
@pytest.mark.parametrize("only", [False, True])
def test_wrong_pin_may_be_overruled_and_shows(
    judged: Callable[..., Meeting], side: Side, only: bool
) -> None:
    meeting = judged(side, (WRONG,), only=only, hooks={"OnVerify": lambda *arguments: 1})
    net = meeting.of(side)
    assert meeting.linked
    assert not net.tls_verified
    assert net.tls_verify_code == FINDINGS.CertUntrusted
    codes = [call.code for call in calls_of(net)]
    assert codes == ["CertUntrusted"] + ["Success"] * (1 if only else 3)


@at_either_side
def test_renewed_certificate_of_the_same_key_fits_its_key_pin_only(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path, side: Side
) -> None:
    first = issue(pki, tmp_path, "first")
    key = serialization.load_pem_private_key(Path(first.key_file).read_bytes(), None)
    renewed = issue(pki, tmp_path, "renewed", key=key)  # type: ignore[arg-type]
    assert judged(side, (pin_of(first, "key"),), renewed).linked
    assert not judged(side, (pin_of(first),), renewed).linked


def test_server_with_pins_insists_on_a_certificate(meet: Meet, pki: TestPki) -> None:
    server = rules_for(pki, "server", flags=PEER, also=pinning(pin_of(pki.client)))
    meeting = meet(server, rules_for(pki, "client", identity=None))
    assert not meeting.linked
    assert meeting.child.failure.code == CODES.TlsCertificateRequired


@pytest.mark.parametrize("only", [False, True])
def test_pins_without_verification_are_a_contradiction(
    nets: Nets, pki: TestPki, only: bool
) -> None:
    also = pinning(pin_of(pki.server), only=only)
    client = nets(rules_for(pki, "client", flags=0, also=also).net())
    with refused(CODES.Parameter, "None", "Peer"):
        client.Connect(None, 0, "127.0.0.1", 9)


# ---- the only trust


@at_either_side
@in_both_versions
@of_both_kinds
@pytest.mark.parametrize("ca", ["none", "another"])
def test_self_signed_peer_needs_nothing_but_its_pin(
    *,
    judged: Callable[..., Meeting],
    pki: TestPki,
    device: Identity,
    side: Side,
    version: str,
    kind: str,
    ca: str,
) -> None:
    changes: dict[str, Any] = {"ca": None if ca == "none" else pki.ca_file}
    meeting = judged(
        side, (pin_of(device, kind),), device, only=True, method=VERSIONS[version], **changes
    )
    net = meeting.of(side)
    # The other side trusts the PKI, and this one shows a certificate of it.
    assert meeting.linked, net.failure
    assert net.tls_verified
    assert [(call.ok, call.subject) for call in calls_of(net)] == [(1, "CN = device")]


@at_either_side
def test_pinned_peer_of_any_authority_is_taken_with_the_chain_that_it_sends(
    judged: Callable[..., Meeting], pki: TestPki, side: Side
) -> None:
    peer = pki.client if side == "server" else pki.server
    meeting = judged(side, (pin_of(peer),), only=True, ca=None)
    assert meeting.linked, meeting.of(side).failure
    assert meeting.of(side).tls_verified
    assert len(meeting.of(side).tls_peer_certificates) == 2


@at_either_side
def test_authorities_do_not_count_where_pins_are_the_only_trust(
    judged: Callable[..., Meeting], device: Identity, side: Side
) -> None:
    meeting = judged(side, (pin_of(device),), only=True)  # a good one of the PKI
    assert not meeting.linked
    assert [call.code for call in calls_of(meeting.of(side))] == ["CertUntrusted"]


FAULTS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "expired": ({"days": (-30.0, -1.0)}, "CertHasExpired", {}),
    "not yet valid": ({"days": (1.0, 30.0)}, "CertNotYetValid", {}),
    "another host": ({"names": ["device.test"]}, "HostnameMismatch", {"host": "other.test"}),
    "too weak": ({"key": 1024}, "EeKeyTooSmall", {}),
}


@at_either_side
@pytest.mark.parametrize("fault", FAULTS)
def test_pinned_certificate_is_judged_all_the_same(
    meet: Meet, pki: TestPki, tmp_path: Path, side: Side, fault: str
) -> None:
    draft, code, changes = FAULTS[fault]
    options: dict[str, Any] = dict(draft)
    if "key" in options:
        options["key"] = rsa.generate_private_key(65537, options["key"])
    device = issue(pki, tmp_path, "device", by_itself=True, **options)
    pins = pinning(pin_of(device), only=True)
    judge = rules_for(pki, side, also=pins).but(**changes)
    show = rules_for(pki, other_side(side), identity=device, method=METHODS.TlsV1)
    rules = {side: judge, other_side(side): show}
    meeting = meet(rules["server"], rules["client"])
    net = meeting.of(side)
    assert not meeting.linked
    assert [(call.ok, call.code) for call in calls_of(net)] == [(0, code)]


@at_either_side
def test_pinned_certificate_for_the_other_purpose_is_refused(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path, side: Side
) -> None:
    device = issue(pki, tmp_path, "device", by_itself=True, purposes=[side])
    meeting = judged(side, (pin_of(device),), device, only=True)
    assert not meeting.linked
    assert meeting.of(side).failure.certificate_code == FINDINGS.InvalidPurpose


# ---- resumption


def test_session_of_other_pins_is_not_resumed(nets: Nets, pki: TestPki) -> None:
    def child() -> Any:
        net = nets(rules_for(pki, "server").apply(Unjudged(TLS)))
        net.tls_resumption = True
        return net

    listener = nets(Listener(child))
    listener.Listen("127.0.0.1", 0, 16)

    def dial(*pins: str) -> tuple[CODES, bool]:
        net = nets(rules_for(pki, "client", also=pinning(*pins)).apply(Unjudged(TLS)))
        net.tls_resumption = True
        net.Connect(None, 0, "127.0.0.1", listener.HostPort)
        code = net.log.wait("OnSecureLinkReady").code
        resumed = net.tls_resumed
        net.Close()
        net.log.wait("OnClose")
        return code, resumed

    good = pin_of(pki.server)
    assert dial(good) == (CODES.Success, False)
    assert dial(good) == (CODES.Success, True)
    assert dial() == (CODES.Success, False)
    assert dial(WRONG) == (CODES.TlsCertificateRejected, False)


# ---- peers of others


def test_openssl_server_is_held_against_the_pins(
    nets: Nets, pki: TestPki, device: Identity
) -> None:
    with openssl_server(*own(device)) as server:
        for pins, code in ((pin_of(device), CODES.Success), (WRONG, CODES.TlsCertificateRejected)):
            also = pinning(pins, only=True)
            client = nets(rules_for(pki, "client", ca=None, also=also).net())
            client.Connect(None, 0, "127.0.0.1", server.port)
            assert client.log.wait("OnSecureLinkReady").code == code
            client.CloseForced(True)
            client.log.wait("OnClose")


def test_openssl_client_is_held_against_the_pins(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki, device: Identity
) -> None:
    also = pinning(pin_of(device), only=True)
    listener = listen(lambda: nets(rules_for(pki, "server", ca=None, also=also).net()))
    openssl_client(listener.HostPort, *own(device))
    assert listener.child(1).log.wait("OnSecureLinkReady").code == CODES.Success
    openssl_client(listener.HostPort, *own(pki.client))
    assert listener.child(2).log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected


def test_dcmtk_client_and_server_with_their_own_certificates(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki, device: Identity, tmp_path: Path
) -> None:
    also = pinning(pin_of(device, "key"), only=True)
    listener = listen(lambda: nets(rules_for(pki, "server", ca=None, also=also).net()))
    common = ("+tls", device.key_file, device.certificate_file, "+cf", pki.ca_file)
    with subprocess.Popen(
        ["echoscu", *common, "127.0.0.1", str(listener.HostPort)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as client:
        assert listener.child().log.wait("OnSecureLinkReady").code == CODES.Success
        listener.child().CloseForced(True)
        client.wait(PATIENCE)
    port = free_port()
    command = ["storescp", *common, port, "-od", tmp_path]
    with served(command, tmp_path / "storescp.log", port):
        for pin, code in ((pin_of(device), CODES.Success), (WRONG, CODES.TlsCertificateRejected)):
            pins = pinning(pin, only=True)
            net = nets(rules_for(pki, "client", ca=None, also=pins).net())
            net.Connect(None, 0, "127.0.0.1", port)
            assert net.log.wait("OnSecureLinkReady").code == code
            net.CloseForced(True)
            net.log.wait("OnClose")


@at_either_side
@pytest.mark.parametrize("kind", ["broken_extension", "duplicate_extension"])
@pytest.mark.parametrize("how", ["pinned", "in the CA file"])
def test_broken_extension_is_no_way_past_the_purpose_of_what_is_trusted_by_itself(
    meet: Meet, pki: TestPki, tmp_path: Path, side: Side, kind: str, how: str
) -> None:
    """OpenSSL finds no fault with it: it only says that such a certificate has no issuer."""
    peer = pki.make(kind, other_side(side))
    alone = write_pem(tmp_path / "peer.pem", peer.chain_der[0])
    judge = rules_for(pki, side, ca=alone)
    if how == "pinned":
        judge = rules_for(pki, side, also=pinning(pin_of(peer), only=True))
    rules = {
        side: judge,
        other_side(side): rules_for(pki, other_side(side), identity=peer, method=METHODS.TlsV1),
    }
    meeting = meet(rules["server"], rules["client"])
    assert not meeting.linked
    failure = meeting.of(side).failure
    assert failure.certificate_code == FINDINGS.InvalidExtension
    assert "is invalid" in failure.remedy
