"""Every way in which a secure connection fails, both sides, TLS 1.2 and 1.3: each says why.

Stage, side, certificate, cause and remedy are named by the record of either side; no cell says only
"handshake failure". What one certificate's fault looks like at either judge is tests/tls/test_chain_matrix.py;
strangers that break off or talk nonsense are tests/robustness/test_strange_peers.py.
"""

from __future__ import annotations

import json
import logging
import queue
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomFailure, DicomNet
from leadtools_compat.dicom.dicom_failure import alert_name
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, Listener, connect, refused
from tests.tls.conftest import Meet, Present
from tests.tls.peers import openssl_client, openssl_server, own
from tests.tls.tls_tools import (
    CODES,
    METHODS,
    PEM,
    SIDES,
    VERSIONS,
    Rules,
    Side,
    other_side,
    rules_for,
)

in_both_versions = pytest.mark.parametrize("version", VERSIONS)
at_either_side = pytest.mark.parametrize("judge", SIDES)
EMPTY = re.compile(
    r"^(?:tls failure: |the peer sent a fatal tls alert: )?(?:handshake.failure)\W*\d*\W*$", re.I
)


@dataclass(frozen=True)
class Told:
    """What a record must say."""

    stage: str
    side: str
    code: str
    remedy: str
    finding: str | None = None
    subject: str | None = None
    alert: str | None = None


def check(failure: DicomFailure | None, told: Told, logged: bool = True) -> None:
    """Compare a record with it, in all its forms."""
    assert failure is not None
    text = str(failure)
    assert (failure.stage, failure.side, str(failure.code)) == (told.stage, told.side, told.code), (
        text
    )
    assert re.search(told.remedy, failure.remedy, re.I), text
    assert not EMPTY.match(failure.message), text
    assert failure.message.lower() not in ("tls failure", "handshake failure"), text
    finding = None if failure.certificate_code is None else str(failure.certificate_code)
    assert finding == told.finding, text
    if told.subject is not None:
        assert told.subject in (failure.certificate_subject or ""), text
        assert told.subject in text
    if told.alert is not None:
        number = failure.alert_sent if failure.side == "local" else failure.alert_received
        assert number is not None, text
        assert alert_name(number) == told.alert, text
    document = json.loads(json.dumps(failure.as_dict()))
    assert document["remedy"] == failure.remedy
    assert "\n" not in text
    if logged:
        check_log(failure)


def check_log(failure: DicomFailure) -> None:
    """The same sentence is in the log, with the peer's address, once."""
    assert log_of_test is not None
    text = str(failure)
    record = log_of_test.wait_for(f" failed: {text}")
    told = record.__dict__["failure"]
    assert record.levelno == logging.WARNING
    assert str(told) == text
    assert told.as_dict() == {**failure.as_dict(), "chain": [], "elapsed": told.elapsed}
    assert record.__dict__["peer_address"] in ("127.0.0.1", "::1")
    assert record.__dict__["peer_port"] > 0
    assert record.__dict__["more"] == 0
    inbound = record.__dict__["inbound"]
    assert record.getMessage().startswith(f"connection {'from' if inbound else 'to'} ")


class FailureLog(logging.Handler):
    """The library's warnings; others may wait for one."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._changed = threading.Condition()
        self._seen: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self._seen.append(record)
            self._changed.notify_all()

    def wait_for(self, words: str) -> logging.LogRecord:
        def found() -> list[logging.LogRecord]:
            return [one for one in self._seen if words in one.getMessage()]

        with self._changed:
            if not self._changed.wait_for(found, PATIENCE):
                pytest.fail(f"not in the log: {words}; {[r.getMessage() for r in self._seen]}")
            return found()[0]


log_of_test: FailureLog | None = None


@pytest.fixture(autouse=True)
def failure_log() -> Iterator[FailureLog]:
    """Hear of each failure: every cell of the matrix is in the log, too."""
    global log_of_test
    log_of_test = FailureLog()
    logger = logging.getLogger("leadtools_compat")
    logger.addHandler(log_of_test)
    DicomNet.set_failure_log(1000, 60)
    yield log_of_test
    DicomNet.set_failure_log()
    logger.removeHandler(log_of_test)
    log_of_test = None


# ---- one side's certificate is at fault: the judge knows all, the other side what to do

BAD = {
    "unknown_ca": ("UnableToGetIssuerCertLocally", "issuing CA", "unknown_ca", "CA file"),
    "missing_intermediate": (
        *("UnableToGetIssuerCertLocally", "intermediate certificates"),
        *("unknown_ca", "intermediate certificates"),
    ),
    "self_signed": ("DepthZeroSelfSignedCert", "self-signed", "unknown_ca", "CA file"),
    "expired": ("CertHasExpired", "Renew", "certificate_expired", "renew it, or check the clocks"),
    "clock_skew": ("CertNotYetValid", "clocks of both computers", "bad_certificate", "log"),
    "no_purpose": ("InvalidPurpose", "clientAuth", "unsupported_certificate", "extended key usage"),
    "wrong_purpose": ("InvalidPurpose", "serverAuth", "unsupported_certificate", "extended key"),
    "revoked_leaf": ("CertRevoked", "revoked", "certificate_revoked", "revoked: get a new one"),
    "weak_key_rsa1024": ("EeKeyTooSmall", "RSA 2048", "bad_certificate", "log says why"),
    "weak_hash_sha1": ("CaMdTooWeak", "SHA-256", "bad_certificate", "log says why"),
    "wrong_host": ("HostnameMismatch", "name or address", "bad_certificate", "log says why"),
    "wrong_address": ("IpAddressMismatch", "name or address", "bad_certificate", "log says why"),
}


@in_both_versions
@at_either_side
@pytest.mark.parametrize("kind", BAD)
def test_faulty_certificate_is_named_by_the_judge_and_its_owner_learns_what_to_do(
    present: Present, pki: TestPki, kind: str, judge: Side, version: str
) -> None:
    finding, cure, alert, owners_cure = BAD[kind]
    owner = other_side(judge)
    identity = pki.make(kind, role=owner)
    meeting = present(identity, judge, version)
    subject = f"Test {owner.capitalize()}"
    at_judge = meeting.of(judge).failure
    check(
        at_judge,
        Told("certificate", "local", "TlsCertificateRejected", cure, finding, None, alert),
    )
    assert at_judge.certificate_depth is not None
    assert at_judge.chain[0].subject.count(subject) or kind in ("wrong_host", "wrong_address")
    check(
        meeting.of(owner).failure,
        Told(
            "certificate", "peer", "TlsPeerRejectedCertificate", owners_cure, None, subject, alert
        ),
    )


@in_both_versions
def test_client_without_a_certificate(meet: Meet, pki: TestPki, version: str) -> None:
    method = VERSIONS[version]
    meeting = meet(
        rules_for(pki, "server", method=method),
        rules_for(pki, "client", identity=None, method=method),
    )
    load = "Load a certificate"
    check(meeting.child.failure, Told("certificate", "local", "TlsCertificateRequired", load))
    check(meeting.client.failure, Told("certificate", "peer", "TlsPeerRequiresCertificate", load))


@in_both_versions
@at_either_side
def test_authority_that_lacks_the_intermediate_of_the_other_side(
    meet: Meet, pki: TestPki, judge: Side, version: str
) -> None:
    """The owner sends its leaf only, as those do who install it without its chain."""
    owner = other_side(judge)
    leaf = pki.make("missing_intermediate", role=owner)
    rules = {
        judge: rules_for(pki, judge, method=VERSIONS[version]),
        owner: rules_for(pki, owner, identity=leaf),
    }
    meeting = meet(rules["server"], rules["client"])
    finding = "UnableToGetIssuerCertLocally"
    cure = "have the peer send its intermediate"
    check(
        meeting.of(judge).failure,
        Told("certificate", "local", "TlsCertificateRejected", cure, finding),
    )
    assert len(meeting.of(judge).failure.chain) == 1


@pytest.mark.parametrize("newer", SIDES)
def test_no_version_in_common(meet: Meet, pki: TestPki, newer: Side) -> None:
    method = {newer: METHODS.TlsV1_3, other_side(newer): METHODS.TlsV1_2}
    meeting = meet(
        rules_for(pki, "server", method=method["server"]),
        rules_for(pki, "client", method=method["client"]),
    )
    for net in (meeting.client, meeting.child):
        side = net.failure.side
        check(net.failure, Told("tls", side, "TlsNoSharedVersion", "TLS 1.2 or 1.3 on both"))


@in_both_versions
def test_no_suite_in_common(meet: Meet, pki: TestPki, version: str) -> None:
    suites = {"TLSv1.3": ((0x1301,), (0x1302,)), "TLSv1.2": ((0xC02B,), (0xC02C,))}[version]
    meeting = meet(
        rules_for(pki, "server", suites=suites[0]), rules_for(pki, "client", suites=suites[1])
    )
    for side, net in (("local", meeting.child), ("peer", meeting.client)):
        check(net.failure, Told("tls", side, "TlsNoSharedCipherSuite", "cipher suite in common"))


@in_both_versions
def test_no_group_in_common(
    pki: TestPki, version: str, nets: Callable[[Any], Any], listen: Callable[..., Listener]
) -> None:
    """Our lists end with P-521, so the other side has one that we do not have."""
    identity = pki.make("good_rsa", role="server")
    only = ["-groups", "brainpoolP512r1"]
    if version == "TLSv1.3":
        only = ["-groups", "ffdhe8192"]
    flag = "-tls1_3" if version == "TLSv1.3" else "-tls1_2"
    ecdhe = ["-cipher", "ECDHE+AESGCM"] if version == "TLSv1.2" else []
    with openssl_server(*own(identity), flag, *only, *ecdhe) as server:
        client = nets(rules_for(pki, "client", method=VERSIONS[version]).net())
        client.Connect(None, 0, "127.0.0.1", server.port)
        client.log.wait("OnClose")
    check(client.failure, Told("tls", "peer", "TlsNoSharedCipherSuite", "group .X25519, P-256"))
    rules = rules_for(pki, "server", identity=identity, method=VERSIONS[version])
    listener = listen(make_child=rules.net)
    openssl_client(listener.HostPort, flag, *only, *ecdhe)
    child = listener.child()
    child.log.wait("OnClose")
    assert str(child.failure.code) in ("TlsNoSharedCipherSuite", "TlsFailure")
    check(
        child.failure,
        Told("tls", "local", str(child.failure.code), "X25519"),
    )


FLAGS = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}


@in_both_versions
@pytest.mark.parametrize(
    ("takes", "words"),
    [("ed448", "Ed448"), ("RSA+SHA1:ed448", "(RSA with SHA-1, )?Ed448")],
    ids=["ed448", "sha1"],
)
def test_no_signature_algorithm_in_common_at_the_server(
    pki: TestPki, version: str, listen: Callable[..., Listener], takes: str, words: str
) -> None:
    """A client that takes only signatures that an RSA key of ours does not make."""
    identity = pki.make("good_rsa", role="server")
    rules = rules_for(pki, "server", identity=identity, method=VERSIONS[version])
    listener = listen(make_child=rules.net)
    # Level 0: SHA-1 is not struck from what the client offers.
    level = ("-cipher", "DEFAULT:@SECLEVEL=0")
    openssl_client(listener.HostPort, FLAGS[version], *level, "-sigalgs", takes)
    child = listener.child()
    child.log.wait("OnClose")
    early = version == "TLSv1.2" and takes == "ed448"  # OpenSSL looks at the suites first
    code = "TlsNoSharedCipherSuite" if early else "TlsFailure"
    cure = f"peer takes {words}.*Load a certificate with such a key"
    check(child.failure, Told("tls", "local", code, cure, alert="handshake_failure"))
    assert "no signature algorithm" in child.failure.message.lower()
    assert "RSA" in child.failure.message


@in_both_versions
def test_no_signature_algorithm_in_common_at_the_client(
    pki: TestPki, version: str, nets: Callable[[Any], Any]
) -> None:
    """The server has an RSA key, and would sign with Ed448 only."""
    identity = pki.make("good_rsa", role="server")
    with openssl_server(*own(identity), FLAGS[version], "-sigalgs", "ed448") as server:
        client = nets(rules_for(pki, "client", method=VERSIONS[version]).net())
        client.Connect(None, 0, "127.0.0.1", server.port)
        client.log.wait("OnClose")
    cure = "signature algorithm that the server's key can make"
    told = Told("tls", "peer", "TlsNoSharedCipherSuite", cure, alert="handshake_failure")
    check(client.failure, told)


@in_both_versions
def test_certificate_of_a_kind_that_the_server_does_not_take_at_the_client(
    pki: TestPki, version: str, nets: Callable[[Any], Any]
) -> None:
    """It was loaded, and OpenSSL could not send it: it is not missing."""
    ask = ("-CAfile", pki.ca_file, "-Verify", "3", "-client_sigalgs", "ed448")
    identity = pki.make("good_rsa", role="server")
    with openssl_server(*own(identity), FLAGS[version], *ask) as server:
        client = nets(rules_for(pki, "client", method=VERSIONS[version]).net())
        client.Connect(None, 0, "127.0.0.1", server.port)
        client.log.wait("OnClose")
    cure = "peer takes Ed448.*Load a certificate with such a key"
    alert = "certificate_required" if version == "TLSv1.3" else "handshake_failure"
    code = "TlsPeerRequiresCertificate"
    told = Told("certificate", "peer", code, cure, None, "CN = Test Client", alert)
    check(client.failure, told)
    assert "could not be sent" in client.failure.message


@in_both_versions
def test_certificate_of_a_kind_that_is_not_taken_at_the_server(
    pki: TestPki, version: str, listen: Callable[..., Listener]
) -> None:
    rules = rules_for(pki, "server", method=VERSIONS[version])
    listener = listen(make_child=rules.net)
    identity = pki.make("good_rsa", role="client")
    sent = (*own(identity), "-client_sigalgs", "ed448")
    openssl_client(listener.HostPort, FLAGS[version], *sent)
    child = listener.child()
    child.log.wait("OnClose")
    cure = "Load a certificate at the client; if it has one, .* Ed448"
    check(child.failure, Told("certificate", "local", "TlsCertificateRequired", cure))


# ---- our own files, before any byte is sent


def test_key_of_another_certificate(pki: TestPki, nets: Callable[[Any], Any]) -> None:
    net = nets(rules_for(pki, "client", identity=None).net())
    with refused(CODES.TlsKeyMismatch, pki.server.key_file):
        net.SetTlsClientCertificate(pki.client.certificate_file, PEM, pki.server.key_file)


# ---- the wrong port


@in_both_versions
def test_tls_client_at_a_plain_port(
    pki: TestPki, version: str, nets: Callable[[Any], Any], listen: Callable[..., Listener]
) -> None:
    listener = listen()
    client = nets(rules_for(pki, "client", method=VERSIONS[version]).net())
    connect(client, listener)
    client.log.wait("OnClose")
    child = listener.child()
    child.log.wait("OnClose")
    check(client.failure, Told("tls", "peer", "TlsPeerNotTls", "Switch TLS on at the server"))
    check(child.failure, Told("tcp", "peer", "NetPeerSpeaksTls", "Switch TLS on here"))


@in_both_versions
def test_plain_client_at_a_tls_port(
    pki: TestPki, version: str, nets: Callable[[Any], Any], listen: Callable[..., Listener]
) -> None:
    from leadtools_compat._nodes.client import VERIFICATION, Client, Context, Node, NodeError

    listener = listen(make_child=rules_for(pki, "server", method=VERSIONS[version]).net)
    with Client(Node("127.0.0.1", listener.HostPort), None, PATIENCE) as client:
        client.open()
        with pytest.raises(NodeError) as caught:
            client.associate([Context(VERIFICATION)])
    child = listener.child()
    child.log.wait("OnClose")
    check(child.failure, Told("tls", "peer", "TlsPeerNotTls", "Switch TLS on at the client"))
    assert "TLS" in f"{caught.value} {caught.value.remedy}"


PROXIES = {
    "version 1": b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 2762\r\n",
    "version 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),
}


@pytest.mark.parametrize("kind", PROXIES)
def test_load_balancer_that_sends_the_proxy_protocol(
    pki: TestPki, kind: str, listen: Callable[..., Listener]
) -> None:
    listener = listen(make_child=rules_for(pki, "server").net)
    with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as peer:
        peer.sendall(PROXIES[kind])
        child = listener.child()
        child.log.wait("OnClose")
    check(child.failure, Told("tls", "peer", "TlsPeerNotTls", "load balancer"))
    assert "PROXY protocol" in child.failure.message


@in_both_versions
def test_proxy_that_opens_tls_and_shows_a_certificate_of_its_own(
    meet: Meet, pki: TestPki, tmp_path: Path, version: str
) -> None:
    proxy = TestPki(tmp_path, seed="proxy", key="ec")
    front = Rules(identity=proxy.server, ca=pki.ca_file, method=VERSIONS[version])
    meeting = meet(front, rules_for(pki, "client"))
    cure = "proxy in between"
    told = Told(
        *("certificate", "local", "TlsCertificateRejected", cure, "UnableToGetIssuerCertLocally")
    )
    check(meeting.client.failure, told)
    assert len(meeting.client.failure.chain) == 2


@contextmanager
def accepting(act: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                act(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_web_proxy_that_answers_for_the_peer(pki: TestPki, nets: Callable[[Any], Any]) -> None:
    def refuse(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        peer.settimeout(PATIENCE)
        peer.recv(65536)

    with accepting(refuse) as port:
        client = nets(rules_for(pki, "client").net())
        client.Connect(None, 0, "127.0.0.1", port)
        client.log.wait("OnClose")
    check(client.failure, Told("tls", "peer", "TlsPeerNotTls", "Check address and port"))
    assert "HTTP" in client.failure.message


# ---- past TLS


@in_both_versions
def test_association_that_is_rejected_over_tls(
    pki: TestPki, version: str, tmp_path: Path, failure_log: FailureLog
) -> None:
    from leadtools_compat._nodes.client import VERIFICATION, Client, Context, Node, NodeError
    from leadtools_compat._nodes.receiver import Events, Receiver
    from leadtools_compat._nodes.tls import TlsOptions

    choice: Any = version.removeprefix("TLSv")
    server = TlsOptions(pki.ca_file, pki.server.combined_file, version=choice)
    client_tls = TlsOptions(pki.ca_file, pki.client.combined_file, version=choice)
    at_server: queue.SimpleQueue[DicomFailure] = queue.SimpleQueue()
    events = Events(failed=lambda peer, failure: at_server.put(failure))
    with Receiver(tmp_path, server, "ARCHIVE", events) as receiver:
        port = receiver.start("127.0.0.1", 0)
        with Client(Node("localhost", port, "WRONG"), client_tls, PATIENCE) as client:
            client.open()
            with pytest.raises(NodeError) as caught:
                client.associate([Context(VERIFICATION)])
        check(
            caught.value.failure,
            Told("association", "peer", "AssociationRejected", "called AE title"),
        )
        assert 'called "WRONG", calling "LT-COMPAT"' in caught.value.message
        assert "called AE title not recognized" in caught.value.message
        check(
            at_server.get(timeout=PATIENCE),
            Told("association", "local", "AssociationRejected", "call this node by its AE title"),
        )
        with Client(Node("localhost", port, "ARCHIVE"), client_tls, PATIENCE) as client:
            client.open().associate([Context("1.2.840.10008.5.1.4.31")])
            with pytest.raises(NodeError, match="does not accept") as caught:
                client.context("1.2.840.10008.5.1.4.31")
            assert "Modality Worklist" in caught.value.message
            code = "AbstractSyntaxNotSupported"
            cure = "Enable this service for LT-COMPAT"
            check(caught.value.failure, Told("association", "peer", code, cure), logged=False)
            for side, who in (("by us", "from"), ("by the peer", "to")):
                line = failure_log.wait_for(f"association, {side}: {code}")
                assert line.getMessage().startswith(f"connection {who} 127.0.0.1:")
                assert "1.2.840.10008.5.1.4.31 (abstract syntax not supported)" in line.getMessage()
                assert line.__dict__["failure"].remedy


def test_every_finding_has_a_remedy_of_its_own_or_the_general_one() -> None:
    from leadtools_compat.dicom import (
        DicomSecurityCertificateException,
        DicomSecurityCertificateExceptionCode,
    )

    general = DicomSecurityCertificateException(77).remedy
    own_ones = 0
    for code in DicomSecurityCertificateExceptionCode:
        remedy = DicomSecurityCertificateException(code).remedy
        assert bool(remedy) == bool(int(code)), code
        own_ones += remedy not in ("", general)
    assert own_ones >= 25
