"""Session resumption: when it happens, and every way round the verification that must not be one.

A resumed handshake shows no certificate and asks nobody. So each test of the second kind first makes
a session, then changes one thing, and expects a full handshake with its verdict.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from leadtools_compat._binding import reads
from leadtools_compat.dicom import DicomException, DicomNet
from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.certificates import revocation_list
from leadtools_compat.testing.files import pem
from tests.support import NO_CHECK, PATIENCE, PEER, Hook, Listener, RecordingNet, refused
from tests.tls.peers import openssl_client, openssl_server, own
from tests.tls.tls_tools import (
    CODES,
    FINDINGS,
    SIDES,
    TLS,
    VERSIONS,
    LibraryLog,
    Rules,
    Side,
    calls_of,
    other_side,
    rules_for,
)

if TYPE_CHECKING:
    from typing_extensions import Self

at_either_side = pytest.mark.parametrize("side", SIDES)
in_each_version = pytest.mark.parametrize("version", VERSIONS)

Nets = Callable[[Any], Any]


class Unjudged(RecordingNet):
    """Has the library's OnVerify, so its sessions may be resumed."""

    OnVerify = DicomNet.OnVerify


class Judging(RecordingNet):
    """Has an OnVerify that says what a test wants."""

    answer: int | None = None

    def OnVerify(self, ok: int, certificateString: str, error: Any) -> int:
        self.log.add("OnVerify", ok, certificateString, error)
        return ok if self.answer is None else self.answer


class Believing(Judging):
    """Finds everything good."""

    answer = 1


def make(rules: Rules, kind: type[RecordingNet] = Unjudged, on: bool = True, **hooks: Hook) -> Any:
    """Make a net with resumption switched on or off."""
    net = rules.apply(kind(TLS, **hooks))
    net.tls_resumption = on
    return net


class Scene:
    """A listener whose children follow `server` (and `kind`, `on`), and clients that come one by one."""

    def __init__(self, pki: TestPki, nets: Nets, version: str = "TLSv1.3") -> None:
        method = VERSIONS[version]
        self.nets = nets
        self.rules: dict[Side, Rules] = {
            side: rules_for(pki, side, method=method) for side in SIDES
        }
        self.kind: dict[Side, type[RecordingNet]] = dict.fromkeys(SIDES, Unjudged)
        self.on: dict[Side, bool] = dict.fromkeys(SIDES, True)
        self.listener = nets(Listener(lambda: nets(self.net("server"))))
        self.listener.Listen("*", 0, 16)
        self.links = 0

    def net(self, side: Side) -> Any:
        """Make a net as things stand."""
        return make(self.rules[side], self.kind[side], self.on[side])

    def change(self, side: Side, **changes: Any) -> None:
        """Change the rules of one side from now on."""
        self.rules[side] = self.rules[side].but(**changes)

    def meet(self, client: Any = None, host: str = "127.0.0.1", port: int = 0) -> dict[Side, Any]:
        """Let a client (a new one if none is given) connect; both sides know how it went."""
        client = self.nets(self.net("client")) if client is None else client
        turn = len(client.log.all("OnSecureLinkReady")) + 1
        client.Connect(None, 0, host, port or self.listener.HostPort)
        self.links += 1
        child = self.listener.child(self.links)
        self.said = {
            "client": client.log.wait("OnSecureLinkReady", turn).code,
            "server": child.log.wait("OnSecureLinkReady").code,
        }
        return {"client": client, "server": child}

    def close(self, both: dict[Side, Any]) -> None:
        """End a link."""
        turn = len(both["client"].log.all("OnClose")) + 1
        both["client"].Close()
        both["client"].log.wait("OnClose", turn)
        both["server"].log.wait("OnClose")

    def link(self, client: Any = None, host: str = "127.0.0.1", port: int = 0) -> bool:
        """Make a link and end it; tell whether it was resumed, on which both sides agree."""
        both = self.meet(client, host, port)
        assert set(self.said.values()) == {CODES.Success}
        resumed = {bool(net.tls_resumed) for net in both.values()}
        assert len(resumed) == 1
        self.close(both)
        return resumed.pop()

    def refusal(self, judge: Side) -> Any:
        """Meet, expect `judge` to refuse, and give what it found."""
        both = self.meet()
        assert self.said[judge] == CODES.TlsCertificateRejected
        assert self.said[other_side(judge)] == CODES.TlsPeerRejectedCertificate
        both["client"].log.wait("OnClose")
        both["server"].log.wait("OnClose")
        assert not any(net.tls_resumed for net in both.values())
        return both[judge].failure.certificate_code


@pytest.fixture
def scene(pki: TestPki, nets: Nets) -> Scene:
    """Both sides good, with TLS 1.3."""
    return Scene(pki, nets)


@pytest.fixture
def resuming(scene: Scene) -> Scene:
    """A scene in which the next link would be resumed."""
    assert not scene.link()
    assert scene.link()
    return scene


# ---- when it happens


@in_each_version
def test_second_link_of_the_same_net_is_resumed_and_still_verified(
    pki: TestPki, nets: Nets, version: str
) -> None:
    scene = Scene(pki, nets, version)
    client = nets(scene.net("client"))
    counted = reads.statistics()["resumed"]
    assert not scene.link(client)
    for _ in range(3):
        both = scene.meet(client)
        for side, net in both.items():
            assert net.tls_resumed
            assert net.tls_verified
            assert net.tls_version == version
            assert net.tls_verify_code == FINDINGS.Success
            peer = pki.server if side == "client" else pki.client
            assert net.tls_peer_certificates[0] == peer.chain_der[0]
            assert net.failure is None
        scene.close(both)
    assert reads.statistics()["resumed"] >= counted + 6


@in_each_version
def test_another_net_with_the_same_settings_resumes_too(
    pki: TestPki, nets: Nets, version: str
) -> None:
    scene = Scene(pki, nets, version)
    assert [scene.link() for _ in range(3)] == [False, True, True]


@in_each_version
def test_certificates_are_not_exchanged_again(pki: TestPki, nets: Nets, version: str) -> None:
    scene = Scene(pki, nets, version)
    with Relay(scene.listener.HostPort) as relay:
        assert [scene.link(port=relay.port) for _ in range(2)] == [False, True]
    certificates = sum(map(len, pki.server.chain_der + pki.client.chain_der))
    assert relay.counts[1] < relay.counts[0] - certificates


def test_it_is_off_unless_both_sides_switch_it_on(pki: TestPki, nets: Nets) -> None:
    assert RecordingNet(TLS).tls_resumption is False
    for on in ({"server": False, "client": True}, {"server": True, "client": False}):
        scene = Scene(pki, nets)
        scene.on.update(on)  # type: ignore[arg-type]
        assert [scene.link() for _ in range(3)] == [False] * 3


def test_switching_it_off_ends_it(resuming: Scene) -> None:
    for side in SIDES:
        resuming.on[side] = False
        assert not resuming.link()
        resuming.on[side] = True
        assert resuming.link() in (True, False)


def test_it_is_a_setting_that_is_frozen_while_connected(scene: Scene) -> None:
    both = scene.meet()
    with refused(CODES.InvalidState, "session resumption"):
        both["client"].tls_resumption = False
    assert both["client"].tls_resumption
    scene.close(both)


def test_resumed_link_carries_data_and_ends_like_any_other(scene: Scene) -> None:
    scene.link()
    both = scene.meet()
    assert both["client"].tls_resumed
    with pytest.raises(DicomException):
        both["client"].SendReleaseRequest()  # no association: but the net answers as ever
    scene.close(both)
    assert both["client"].log.all("OnClose")[-1].code == CODES.Success


# ---- off whenever user code judges


@at_either_side
@in_each_version
def test_own_onverify_sees_every_handshake(
    pki: TestPki, nets: Nets, library_log: LibraryLog, side: Side, version: str
) -> None:
    scene = Scene(pki, nets, version)
    scene.kind[side] = Judging
    for _ in range(3):
        both = scene.meet()
        assert not both["client"].tls_resumed
        assert not both["server"].tls_resumed
        assert [call.ok for call in calls_of(both[side])] == [1, 1, 1]
        scene.close(both)
    assert "resumption stays off" in library_log.wait("resumption stays off", "OnVerify")


@at_either_side
def test_onverify_of_an_object_counts_from_the_next_connection_on(
    resuming: Scene, side: Side
) -> None:
    asked: list[int] = []

    class Changed(Unjudged):
        def __init__(self, mode: int, **hooks: Hook) -> None:
            super().__init__(mode, **hooks)
            self.__dict__["OnVerify"] = self.judge

        def judge(self, ok: int, text: str, error: Any) -> int:
            asked.append(ok)
            return ok

    resuming.kind[side] = Changed
    assert not resuming.link()
    assert asked == [1, 1, 1]


@at_either_side
def test_overruled_verdict_makes_no_session(pki: TestPki, nets: Nets, side: Side) -> None:
    scene = Scene(pki, nets)
    bad = other_side(side)
    scene.change(bad, identity=pki.make("self_signed", bad))
    scene.kind[side] = Believing
    assert not scene.link()
    assert not scene.link()
    scene.kind[side] = Unjudged
    assert scene.refusal(side) == FINDINGS.DepthZeroSelfSignedCert


@at_either_side
def test_session_from_before_is_not_taken_when_user_code_refuses(
    resuming: Scene, side: Side
) -> None:
    class Refusing(Judging):
        answer = 0

    resuming.kind[side] = Refusing
    assert resuming.refusal(side) == FINDINGS.CertRejected


# ---- each way round the verification


@at_either_side
def test_unverified_link_makes_no_session(pki: TestPki, nets: Nets, side: Side) -> None:
    scene = Scene(pki, nets)
    bad = other_side(side)
    scene.change(bad, identity=pki.make("self_signed", bad))
    scene.change(side, flags=NO_CHECK)
    assert [scene.link() for _ in range(2)] == [False, False]
    scene.change(side, flags=rules_for(pki, side).flags)
    assert scene.refusal(side) == FINDINGS.DepthZeroSelfSignedCert


@at_either_side
def test_verification_that_is_switched_on_again_is_done(
    pki: TestPki, nets: Nets, side: Side
) -> None:
    scene = Scene(pki, nets)
    scene.change(side, flags=NO_CHECK)
    assert [scene.link() for _ in range(2)] == [False, False]
    scene.change(side, flags=PEER)
    both = scene.meet()
    assert both[side].tls_verified
    assert not both[side].tls_resumed


def test_client_without_a_certificate_gets_no_session_of_a_server_that_asked(
    pki: TestPki, nets: Nets
) -> None:
    scene = Scene(pki, nets)
    scene.change("server", flags=PEER)
    scene.change("client", identity=None)
    assert [scene.link() for _ in range(3)] == [False] * 3


CHANGES: dict[str, Callable[[TestPki, Side], dict[str, Any]]] = {
    "flags": lambda pki, side: {"flags": PEER},
    "depth": lambda pki, side: {"depth": 8},
    "method": lambda pki, side: {"method": VERSIONS["TLSv1.3"].__class__.SslV23},
    "certificate": lambda pki, side: {"identity": pki.make("good_rsa", side)},
    "CA file": lambda pki, side: {"ca": two_authorities(pki)},
    "CRL": lambda pki, side: {"crl_file": crl_of(pki, "empty")},
    "suites": lambda pki, side: {"suites": [0x1301, 0x1302]},
    "host": lambda pki, side: {"host": "localhost"},
}


def two_authorities(pki: TestPki) -> str:
    """Give a CA file with the good root and another one."""
    file = pki.directory / "two-authorities.pem"
    other = Path(pki.make("self_signed", "server").certificate_file).read_text()
    content = Path(pki.ca_file).read_text() + other
    if not file.exists():
        file.write_text(content)
    return str(file)


def crl_of(pki: TestPki, name: str, *revoked: Identity, seconds: float = 86400.0) -> str:
    """Write the lists of root and intermediate, with some leaves revoked."""
    now = datetime.now(timezone.utc)
    serials = [x509.load_der_x509_certificate(one.chain_der[0]).serial_number for one in revoked]
    lists = [
        revocation_list(
            issuer=issuer,
            number=1,
            this_update=now - timedelta(hours=1),
            next_update=now + timedelta(seconds=seconds),
            revoked=serials if number == 1 else (),
        )
        for number, issuer in enumerate((pki._shop.root, pki._shop.intermediate))
    ]
    file = pki.directory / f"crl-{name}.pem"
    file.write_bytes(pem("X509 CRL", *lists))
    return str(file)


@at_either_side
@pytest.mark.parametrize("what", CHANGES)
def test_other_settings_need_a_full_handshake_of_their_own(
    resuming: Scene, pki: TestPki, side: Side, what: str
) -> None:
    before = resuming.rules[side]
    resuming.change(side, **CHANGES[what](pki, side))
    assert not resuming.link()
    assert resuming.link()
    resuming.rules[side] = before
    resuming.link()
    assert resuming.link()


@at_either_side
def test_peer_is_refused_when_its_authority_is_no_longer_trusted(
    resuming: Scene, pki: TestPki, side: Side
) -> None:
    resuming.change(side, ca=pki.make("self_signed", "server").certificate_file)
    assert resuming.refusal(side) == FINDINGS.UnableToGetIssuerCertLocally


@at_either_side
def test_peer_is_refused_when_it_has_been_revoked(pki: TestPki, nets: Nets, side: Side) -> None:
    scene = Scene(pki, nets)
    scene.change(side, crl_file=crl_of(pki, f"none-{side}"))
    assert [scene.link() for _ in range(2)] == [False, True]
    peer = pki.client if side == "server" else pki.server
    # The same file, as somebody would do it who gets a new list each night.
    scene.change(side, crl_file=crl_of(pki, f"none-{side}", peer))
    assert scene.refusal(side) == FINDINGS.CertRevoked


def issue_until(pki: TestPki, name: str, side: Side, end: float) -> Identity:
    """Issue a certificate that ends at `end`."""
    return pki.issue(name, role=side, days=(-1, (end - pki.now.timestamp()) / 86400))


@contextmanager
def seconds_left(scene: Scene, prepare: Callable[[float, int], None]) -> Iterator[None]:
    """Have the scene resume a link whose verdict holds a few seconds only; yield when they are over."""
    for attempt, seconds in enumerate((3, 12, 48)):  # more of them for a busy machine
        end = int(time.time()) + seconds
        prepare(end, attempt)
        both = scene.meet()
        if set(scene.said.values()) == {CODES.Success}:
            scene.close(both)
            both = scene.meet()
            if both["client"].tls_resumed:
                scene.close(both)
                break
            scene.close(both)
    else:
        pytest.fail("the machine is too busy to make two links in time")
    while time.time() <= end + 1:
        threading.Event().wait(end + 1.01 - time.time())  # for the calendar, which tells nobody
    yield


@at_either_side
@in_each_version
def test_peer_whose_certificate_has_ended_in_between_is_refused(
    pki: TestPki, nets: Nets, side: Side, version: str
) -> None:
    scene = Scene(pki, nets, version)
    peer = other_side(side)

    def prepare(end: float, attempt: int) -> None:
        name = f"short {side} {version} {attempt}"
        scene.change(peer, identity=issue_until(pki, name, peer, end))

    with seconds_left(scene, prepare):
        assert scene.refusal(side) == FINDINGS.CertHasExpired


@at_either_side
def test_peer_is_judged_anew_when_the_revocation_list_has_ended_in_between(
    pki: TestPki, nets: Nets, side: Side
) -> None:
    scene = Scene(pki, nets)

    def prepare(end: float, attempt: int) -> None:
        file = crl_of(pki, f"short-{side}-{attempt}", seconds=end - time.time())
        scene.change(side, crl_file=file)

    with seconds_left(scene, prepare):
        assert scene.refusal(side) == FINDINGS.CrlHasExpired


def test_session_is_for_the_address_and_port_that_made_it(
    resuming: Scene, pki: TestPki, nets: Nets
) -> None:
    assert not resuming.link(host="127.0.0.2")
    assert resuming.link(host="127.0.0.2")
    other = Scene(pki, nets)  # the same settings, another port
    assert not other.link()


def test_refused_client_does_not_offer_its_session_again(pki: TestPki, nets: Nets) -> None:
    scene = Scene(pki, nets)
    client = nets(scene.net("client"))
    assert not scene.link(client)
    scene.change("server", ca=pki.make("self_signed", "server").certificate_file)
    both = scene.meet(client)
    assert scene.said["client"] == CODES.TlsPeerRejectedCertificate
    client.log.wait("OnClose", 2)
    both["server"].log.wait("OnClose")
    scene.change("server", ca=pki.ca_file)
    assert not scene.link(client)
    assert scene.link(client)


# ---- other programs


class Relay:
    """Passes connections on to a port, one after the other, and counts the bytes of each."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.counts: list[int] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while True:
            try:
                one, _ = self._listener.accept()
            except OSError:  # the test is over
                return
            self.counts.append(0)
            with one, socket.create_connection(("127.0.0.1", self._target)) as other:
                ends = {one: other, other: one}
                while ends:
                    for ready in select.select(list(ends), [], [], PATIENCE)[0]:
                        data = ready.recv(65536)
                        self.counts[-1] += len(data)
                        if data:
                            ends[ready].sendall(data)
                        else:
                            ends.pop(ready).shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)


def ssl_context(pki: TestPki, side: Side, version: str) -> ssl.SSLContext:
    """Make a context of Python's own, mutual."""
    protocol = ssl.PROTOCOL_TLS_SERVER if side == "server" else ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(protocol)
    identity = pki.server if side == "server" else pki.client
    context.load_cert_chain(identity.combined_file)
    context.load_verify_locations(pki.ca_file)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    number = ssl.TLSVersion.TLSv1_2 if version == "TLSv1.2" else ssl.TLSVersion.TLSv1_3
    context.minimum_version = context.maximum_version = number
    return context


def take_ticket(link: ssl.SSLSocket) -> Any:
    """Read until the session has its ticket."""
    link.setblocking(False)
    while link.version() == "TLSv1.3" and not (link.session and link.session.has_ticket):
        assert select.select([link], [], [], PATIENCE)[0]
        try:
            assert link.recv(1) == b"", "no data was expected"
        except ssl.SSLWantReadError:
            continue
    return link.session


@in_each_version
def test_python_ssl_client_resumes_at_our_listener_and_not_after_a_change(
    pki: TestPki, nets: Nets, version: str
) -> None:
    scene = Scene(pki, nets, version)
    context = ssl_context(pki, "client", version)
    session = None

    def link() -> bool:
        nonlocal session
        scene.links += 1
        with socket.create_connection(("127.0.0.1", scene.listener.HostPort), PATIENCE) as plain:
            secure = context.wrap_socket(plain, session=session)
            child = scene.listener.child(scene.links)
            assert child.log.wait("OnSecureLinkReady").code == CODES.Success
            reused = bool(secure.session_reused)
            assert child.tls_resumed == reused
            assert child.tls_verified
            assert child.tls_peer_certificates[0] == pki.client.chain_der[0]
            if not reused:
                session = take_ticket(secure)
            child.Close()
            child.log.wait("OnClose")
            secure.close()
        return reused

    assert [link() for _ in range(3)] == [False, True, True]
    kept = session
    scene.change("server", crl_file=crl_of(pki, f"python {version}"))
    session = kept
    assert not link()
    scene.change("server", crl_file=None)
    session = kept
    assert link()


@in_each_version
def test_our_client_resumes_at_a_python_ssl_server(pki: TestPki, nets: Nets, version: str) -> None:
    context = ssl_context(pki, "server", version)
    reused: list[bool] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            plain, _ = listener.accept()
            with plain, context.wrap_socket(plain, server_side=True) as secure:
                reused.append(bool(secure.session_reused))
                secure.recv(1)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    client = nets(make(rules_for(pki, "client", method=VERSIONS[version])))
    for turn in (1, 2):
        client.Connect(None, 0, "127.0.0.1", listener.getsockname()[1])
        assert client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
        assert client.tls_resumed == (turn == 2)
        client.Close()
        client.log.wait("OnClose", turn)
    server.join(PATIENCE)
    listener.close()
    assert reused == [False, True]


@in_each_version
def test_our_client_resumes_at_openssl_s_server(pki: TestPki, nets: Nets, version: str) -> None:
    option = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}[version]
    options = (*own(pki.server), "-CAfile", pki.ca_file, "-Verify", "3", option)
    with openssl_server(*options) as server:
        client = nets(make(rules_for(pki, "client", method=VERSIONS[version])))
        for turn in (1, 2):
            client.Connect(None, 0, "127.0.0.1", server.port)
            assert client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
            assert client.tls_resumed == (turn == 2)
            client.Close()
            client.log.wait("OnClose", turn)
        server.wait_for("Reused session-id")


def test_openssl_s_client_without_tickets_resumes_by_session_id(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    scene = Scene(pki, nets, "TLSv1.2")
    options = (*own(pki.client), "-CAfile", pki.ca_file, "-no_ticket", "-tls1_2")
    file = str(tmp_path / "session.pem")
    said = openssl_client(scene.listener.HostPort, *options, "-sess_out", file)
    assert "New, TLSv1.2" in said
    child = scene.listener.child(1)
    child.log.wait("OnClose")
    said = openssl_client(scene.listener.HostPort, *options, "-sess_in", file)
    assert "Reused, TLSv1.2" in said
    child = scene.listener.child(2)
    child.log.wait("OnClose")
    scene.change("server", ca=two_authorities(pki))
    assert "New, TLSv1.2" in openssl_client(scene.listener.HostPort, *options, "-sess_in", file)
    scene.change("server", ca=pki.ca_file)
    scene.kind["server"] = Judging
    assert "New, TLSv1.2" in openssl_client(scene.listener.HostPort, *options, "-sess_in", file)
