"""Names that the peer's certificate must carry beside a host name: e-mail addresses and URIs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, PEER, refused
from tests.tls.conftest import Meet
from tests.tls.issued import issue
from tests.tls.peers import CLEAN, openssl_server, own
from tests.tls.tls_tools import (
    BAD_CERTIFICATE,
    CODES,
    SIDES,
    VERSIONS,
    Meeting,
    Side,
    calls_of,
    finding,
    other_side,
    rules_for,
)

Nets = Callable[[Any], Any]

NAMES = ("node.test", "192.0.2.7", "ct1@hospital.test", "urn:oid:1.2.3", "dicom://ct1.test/CT1")
at_either_side = pytest.mark.parametrize("side", SIDES)


@pytest.fixture
def judged(meet: Meet, pki: TestPki, tmp_path: Path) -> Callable[..., Meeting]:
    """Let a side expect things of a peer whose certificate has these names."""

    def start(side: Side, names: tuple[str, ...] | None = NAMES, **changes: Any) -> Meeting:
        peer = issue(pki, tmp_path, "named", names=names)
        rules = {
            side: rules_for(pki, side).but(**changes),
            other_side(side): rules_for(pki, other_side(side), identity=peer),
        }
        return meet(rules["server"], rules["client"])

    return start


def expecting(**names: str) -> Callable[[Any], None]:
    def expect(net: Any) -> None:
        for name, value in names.items():
            setattr(net, name, value)

    return expect


@at_either_side
@pytest.mark.parametrize("name", ["expected_email", "expected_uri"])
def test_peer_that_carries_the_name_is_taken(
    judged: Callable[..., Meeting], side: Side, name: str
) -> None:
    value = {"expected_email": "ct1@hospital.test", "expected_uri": "dicom://ct1.test/CT1"}[name]
    meeting = judged(side, also=expecting(**{name: value}))
    net = meeting.of(side)
    assert meeting.linked, net.failure
    assert net.tls_verified
    assert getattr(net, name) == value
    assert [call.code for call in calls_of(net)] == ["Success"] * 3


BAD = {
    "other address": ("expected_email", "mr1@hospital.test", "EmailMismatch"),
    "other domain": ("expected_email", "ct1@hospital.example", "EmailMismatch"),
    "other URI": ("expected_uri", "urn:oid:1.2.4", "HostnameMismatch"),
    "longer URI": ("expected_uri", "urn:oid:1.2.3.4", "HostnameMismatch"),
    "beginning of a URI": ("expected_uri", "urn:oid:1.2", "HostnameMismatch"),
    "URI in other letters": ("expected_uri", "URN:OID:1.2.3", "HostnameMismatch"),
}


@at_either_side
@pytest.mark.parametrize("case", BAD)
def test_peer_without_the_name_is_refused_and_the_record_says_what_it_has(
    judged: Callable[..., Meeting], side: Side, case: str
) -> None:
    name, value, code = BAD[case]
    meeting = judged(side, also=expecting(**{name: value}))
    net = meeting.of(side)
    assert not meeting.linked
    assert [(call.ok, call.code) for call in calls_of(net)] == [(0, code)]
    failure = net.failure
    assert failure.code == CODES.TlsCertificateRejected
    assert failure.certificate_code == finding(code)
    assert failure.certificate_depth == 0
    assert failure.alert_sent == BAD_CERTIFICATE
    assert "have it issued" in failure.remedy
    if name == "expected_email":
        assert "e-mail ct1@hospital.test" in failure.remedy
        assert "DNS node.test" in failure.remedy
        assert "IP address 192.0.2.7" in failure.remedy
    else:
        assert value in failure.remedy


@at_either_side
@pytest.mark.parametrize("others", [None, ("192.0.2.7", "urn:oid:1.2.3")], ids=["none", "others"])
@pytest.mark.parametrize(
    ("expected", "code"),
    [
        ({"expected_host": "node.test"}, "HostnameMismatch"),
        ({"expected_email": "ct1@hospital.test"}, "EmailMismatch"),
    ],
    ids=["host", "e-mail"],
)
def test_names_in_the_subject_prove_nothing(
    meet: Meet,
    pki: TestPki,
    tmp_path: Path,
    side: Side,
    expected: dict[str, str],
    code: str,
    others: tuple[str, ...] | None,
) -> None:
    peer = issue(pki, tmp_path, "node.test", names=others, email="ct1@hospital.test")
    rules = {
        side: rules_for(pki, side, also=expecting(**expected)),
        other_side(side): rules_for(pki, other_side(side), identity=peer),
    }
    meeting = meet(rules["server"], rules["client"])
    assert not meeting.linked
    assert [(call.ok, call.code) for call in calls_of(meeting.of(side))] == [(0, code)]
    assert meeting.of(side).failure.certificate_code == finding(code)


@pytest.mark.parametrize("host", ["elsewhere.test", "192.0.2.99"])
def test_record_of_another_host_lists_what_the_certificate_carries(
    judged: Callable[..., Meeting], host: str
) -> None:
    failure = judged("client", host=host).client.failure
    assert "DNS node.test, IP address 192.0.2.7" in failure.remedy
    assert f'Expected was "{host}".' in failure.remedy
    nameless = judged("client", None, host=host).client.failure
    assert "no name" in nameless.remedy


@at_either_side
@pytest.mark.parametrize("version", VERSIONS)
def test_mismatch_may_be_overruled_and_shows(
    judged: Callable[..., Meeting], side: Side, version: str
) -> None:
    for name, value, code in (BAD["other address"], BAD["other URI"]):
        meeting = judged(
            side,
            also=expecting(**{name: value}),
            method=VERSIONS[version],
            hooks={"OnVerify": lambda *arguments: 1},
        )
        net = meeting.of(side)
        assert meeting.linked
        assert not net.tls_verified
        assert str(net.tls_verify_code) == code


def test_all_names_must_fit_where_several_are_expected(judged: Callable[..., Meeting]) -> None:
    good = {"expected_email": "ct1@hospital.test", "expected_uri": "urn:oid:1.2.3"}
    assert judged("server", host="node.test", also=expecting(**good)).linked
    assert not judged("server", host="other.test", also=expecting(**good)).linked
    wrong = {**good, "expected_uri": "urn:oid:9"}
    assert not judged("server", host="node.test", also=expecting(**wrong)).linked


@pytest.mark.parametrize(
    ("name", "value"), [("expected_email", "a@b.test"), ("expected_host", "b.test")]
)
def test_server_that_expects_a_name_insists_on_a_certificate(
    meet: Meet, pki: TestPki, name: str, value: str
) -> None:
    server = rules_for(pki, "server", flags=PEER, also=expecting(**{name: value}))
    meeting = meet(server, rules_for(pki, "client", identity=None))
    assert not meeting.linked
    assert meeting.child.failure.code == CODES.TlsCertificateRequired


@at_either_side
@pytest.mark.parametrize(
    ("name", "value"), [("expected_uri", "urn:x:y"), ("expected_host", "node.test")]
)
def test_expectation_without_verification_is_a_contradiction(
    nets: Nets, pki: TestPki, side: Side, name: str, value: str
) -> None:
    net = nets(rules_for(pki, side, flags=0, also=expecting(**{name: value})).net())
    if side == "server":
        net.children_inherit_tls = True
    with refused(CODES.Parameter, "None", "Peer"):
        if side == "server":
            net.Listen("127.0.0.1", 0, 1)
        else:
            net.Connect(None, 0, "127.0.0.1", 9)


def test_openssl_server_is_held_against_the_name(nets: Nets, pki: TestPki, tmp_path: Path) -> None:
    peer = issue(pki, tmp_path, "named", names=NAMES)
    with openssl_server(*own(peer)) as server:
        for value, linked in (("ct1@hospital.test", True), ("mr1@hospital.test", False)):
            client = nets(rules_for(pki, "client", also=expecting(expected_email=value)).net())
            client.Connect(None, 0, "127.0.0.1", server.port)
            code = client.log.wait("OnSecureLinkReady").code
            assert (code == CODES.Success) == linked
            client.CloseForced(True)
            client.log.wait("OnClose")


def test_openssl_says_the_same_about_addresses(pki: TestPki, tmp_path: Path) -> None:
    peer = issue(pki, tmp_path, "named", names=NAMES)
    for value, linked in (("ct1@hospital.test", True), ("mr1@hospital.test", False)):
        said = subprocess.run(
            ["openssl", "x509", "-in", peer.certificate_file, "-noout", "-checkemail", value],
            capture_output=True,
            text=True,
            env=CLEAN,
            timeout=PATIENCE,
            check=False,
        ).stdout
        assert ("does match" in said) == linked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expected_email", "nobody"),
        ("expected_email", "a\0@b.test"),
        ("expected_uri", "no-scheme"),
        ("expected_uri", "urn:" + "x" * 1024),
    ],
)
def test_what_is_no_such_name_is_refused(nets: Nets, pki: TestPki, name: str, value: str) -> None:
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.Parameter):
        setattr(net, name, value)
    assert getattr(net, name) is None
    with pytest.raises(TypeError):
        setattr(net, name, 5)
    setattr(net, name, "")
    assert getattr(net, name) is None
