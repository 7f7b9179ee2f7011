"""Audit messages: what they say, and that they arrive, over UDP, TCP and TLS."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from leadtools_compat._binding.log import unwatch_failures, watch_failures
from leadtools_compat.dicom import DicomExceptionCode, DicomFailure, DicomNet
from leadtools_compat.monitor import AuditTrail, audit_to, security_alert
from leadtools_compat.monitor.audit import syslog_line
from leadtools_compat.testing import NodeError, SecureScp, SecureScu, TestPki
from tests.support import PATIENCE

HEAD = re.compile(
    rb"<84>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ \S+ \d+ IHE\+RFC-3881 - \xef\xbb\xbf(?=<)"
)


def failure(**changes: object) -> DicomFailure:
    fields = {
        "stage": "certificate",
        "side": "local",
        "code": DicomExceptionCode.TlsCertificateRejected,
        "message": "The peer's certificate was rejected",
        "certificate_subject": 'CN = "Evil\x00, <Client>"',
        "remedy": "Renew it.",
    }
    return DicomFailure(**(fields | changes))  # type: ignore[arg-type]


class Repository:
    """Keeps what comes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.lines: list[bytes] = []

    def take(self, line: bytes) -> None:
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()

    def wait(self, count: int = 1) -> list[bytes]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.lines) >= count, PATIENCE), self.lines
            return list(self.lines)


@contextmanager
def repository(kind: str, pki: TestPki, port: int = 0) -> Iterator[tuple[Repository, int]]:
    """Run one: octet counting on streams, one message a datagram on UDP."""
    kept = Repository()
    stop = threading.Event()
    socket_type = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, socket_type) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.settimeout(0.1)
        context: ssl.SSLContext | None = None
        if kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pki.server.combined_file)
            context.load_verify_locations(pki.ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
        if kind != "udp":
            server.listen()

        def read(link: socket.socket) -> None:
            stream = link.makefile("rb")
            while True:
                size = b""
                while (digit := stream.read(1)) not in (b" ", b""):
                    size += digit
                if not size:
                    return
                kept.take(stream.read(int(size)))

        def serve() -> None:
            while not stop.is_set():
                try:
                    if kind == "udp":
                        kept.take(server.recv(65536))
                        continue
                    link, _ = server.accept()
                except TimeoutError:
                    continue
                link.settimeout(PATIENCE)
                try:
                    with link if context is None else context.wrap_socket(link, True) as wrapped:
                        read(wrapped)
                except OSError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield kept, server.getsockname()[1]
        finally:
            stop.set()
            thread.join()


def parsed(line: bytes) -> Xml.Element:
    head = HEAD.match(line)
    assert head, line[:120]
    return Xml.fromstring(line[head.end() :])


def test_message_is_a_security_alert_about_node_authentication() -> None:
    body = security_alert(failure(), "192.0.2.7", "inbound", source="ARCHIVE", host="pacs")
    message = Xml.fromstring(body)
    assert [one.tag for one in message] == [
        "EventIdentification",
        "ActiveParticipant",
        "ActiveParticipant",
        "AuditSourceIdentification",
        "ParticipantObjectIdentification",
    ]
    event = message[0]
    assert event.attrib["EventActionCode"] == "E"
    assert event.attrib["EventOutcomeIndicator"] == "4"
    assert datetime.fromisoformat(event.attrib["EventDateTime"]).tzinfo is not None
    assert [(one.tag, one.attrib["csd-code"]) for one in event] == [
        ("EventID", "110113"),
        ("EventTypeCode", "110126"),
    ]
    own, other = message[1], message[2]
    assert (own.attrib["UserIsRequestor"], other.attrib["UserIsRequestor"]) == ("false", "true")
    assert other.attrib["NetworkAccessPointID"] == "192.0.2.7"
    assert other.attrib["NetworkAccessPointTypeCode"] == "2"
    assert "<Client>" in other.attrib["UserID"]
    assert "\x00" not in other.attrib["UserID"]
    assert message[3].attrib["AuditSourceID"] == "ARCHIVE"
    subject = message[4]
    assert subject[0].attrib["csd-code"] == "110182"
    told = base64.b64decode(subject[1].attrib["value"]).decode()
    assert "TlsCertificateRejected" in told


@pytest.mark.parametrize(
    ("changes", "user"),
    [
        ({"certificate_subject": "CN = Peer", "certificate_depth": 0}, "CN = Peer"),
        ({"certificate_subject": "CN = CA", "certificate_depth": 1}, "192.0.2.7"),
        ({"certificate_subject": "CN = Ours", "side": "peer"}, "192.0.2.7"),
        ({"certificate_subject": None}, "192.0.2.7"),
    ],
)
def test_other_node_is_named_by_its_own_certificate_or_its_address(
    changes: dict[str, object], user: str
) -> None:
    body = security_alert(failure(**changes), "192.0.2.7", "inbound", source="X", host="pacs")
    assert Xml.fromstring(body)[2].attrib["UserID"] == user


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
def test_refused_client_and_refusing_server_are_reported(
    kind: str, pki: TestPki, make_secure_scp: Callable[..., SecureScp]
) -> None:
    scp = make_secure_scp(pki.server, ca_file=pki.ca_file)
    with pytest.raises(NodeError) as caught:
        SecureScu(pki.make("expired"), pki.ca_file).echo(scp.port)
    assert caught.value.failure is not None
    own = {"ca_file": pki.ca_file, "certificate": pki.client.combined_file} if kind == "tls" else {}
    # With UDP nothing tells that the other address of localhost is the one.
    host = "127.0.0.1" if kind == "udp" else "localhost"
    with repository(kind, pki) as (kept, port):
        with AuditTrail(f"{kind}://{host}:{port}", **own) as trail:  # type: ignore[arg-type]
            assert trail.failed(scp.wait_failure(), "127.0.0.1", "inbound")
            assert trail.failed(caught.value.failure, "localhost", "outbound")
            assert trail.wait(PATIENCE)
            first, second = map(parsed, kept.wait(2))
        assert first[0].attrib["EventOutcomeIndicator"] == "4"
        assert second[1].attrib["UserIsRequestor"] == "true"
        assert trail.sent == 2


def test_what_failed_elsewhere_is_no_matter_of_node_authentication(pki: TestPki) -> None:
    with repository("udp", pki) as (kept, port), AuditTrail(f"udp://127.0.0.1:{port}") as trail:
        assert not trail.failed(failure(stage="association"), "x", "inbound")
        assert not trail.failed(failure(stage="tcp"), "x", "outbound")
        assert trail.failed(failure(), "last", "inbound")
        assert len(kept.wait()) == 1


def test_messages_wait_for_a_repository_that_is_down_and_the_oldest_go_first(
    pki: TestPki, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    trail = AuditTrail(f"tcp://127.0.0.1:{port}", limit=3, retry=0.05)
    for number in range(5):
        trail.failed(failure(), f"192.0.2.{number}", "inbound")
    assert trail.dropped == 2
    with repository("tcp", pki, port) as (kept, _):
        trail.close()  # sends what waits
        peers = [parsed(line)[4].attrib["ParticipantObjectID"] for line in kept.wait(trail.sent)]
    # One that was being sent when it was dropped may come before them.
    assert peers[-3:] == ["192.0.2.2", "192.0.2.3", "192.0.2.4"]
    # Its own trouble is logged, once, and never audited.
    assert sum("cannot be reached" in text for text in caplog.messages) <= 1


def test_encrypted_key_gets_its_password_and_nobody_is_asked(pki: TestPki) -> None:
    encrypted = pki.client.certificate_file.replace(".pem", "-encrypted.pem")
    own: dict[str, Any] = {"ca_file": pki.ca_file, "certificate": encrypted}
    with repository("tls", pki) as (kept, port):
        with AuditTrail(f"tls://localhost:{port}", **own, password=lambda: "test") as trail:
            trail.failed(failure(), "one", "inbound")
            kept.wait()
        for wrong in (None, lambda: None, lambda: "wrong"):
            with pytest.raises(ssl.SSLError):
                AuditTrail(f"tls://localhost:{port}", **own, password=wrong)


def test_repository_that_comes_again_gets_the_next_message(pki: TestPki) -> None:
    with repository("tcp", pki) as (kept, port):
        trail = AuditTrail(f"tcp://127.0.0.1:{port}", retry=0.05)
        trail.failed(failure(), "one", "inbound")
        kept.wait()
        assert trail._link is not None
        trail._link.shutdown(socket.SHUT_RDWR)
        trail.failed(failure(), "two", "inbound")
        assert len(kept.wait(2)) == 2
        trail.close()


def test_repository_of_another_authority_gets_nothing(pki: TestPki) -> None:
    with repository("tls", pki) as (kept, port):
        trail = AuditTrail(f"tls://localhost:{port}", retry=0.05)
        trail.failed(failure(), "one", "inbound")
        trail.close(timeout=0.5)
    assert kept.lines == []
    assert (trail.sent, trail.dropped) == (0, 1)


@pytest.mark.parametrize("target", ["http://x", "udp://", "x:514", ""])
def test_target_that_is_none_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="must be udp://HOST"):
        AuditTrail(target)


def test_names_that_syslog_cannot_have_are_made_harmless() -> None:
    line = syslog_line(b"<a/>", "bad host\n", "prog\x00ram")
    assert line.startswith(b"<84>1 ")
    assert b"\n" not in line
    assert b"bad_host_" in line


# ---- one call, and every failure of the process is reported


def test_one_call_reports_both_sides_and_no_program_has_to_hand_anything_on(
    pki: TestPki, make_secure_scp: Callable[..., SecureScp]
) -> None:
    with repository("udp", pki) as (kept, port):
        trail = audit_to(f"udp://127.0.0.1:{port}", source="ARCHIVE")
        try:
            scp = make_secure_scp(pki.server, ca_file=pki.ca_file)
            with pytest.raises(NodeError):
                SecureScu(pki.make("expired"), pki.ca_file).echo(scp.port)
            reports = [parsed(line) for line in kept.wait(2)]
        finally:
            trail.close()
    ways = {one[0].attrib["EventOutcomeIndicator"]: one for one in reports}
    assert set(ways) == {"4", "8"}
    for one in ways.values():
        assert one[4].attrib["ParticipantObjectID"] == "127.0.0.1"
        assert one[3].attrib["AuditSourceID"] == "ARCHIVE"
        told = base64.b64decode(one[4][1].attrib["value"]).decode()
        assert "certificate" in told


def test_failures_that_the_log_only_counts_are_reported_each(
    pki: TestPki, make_secure_scp: Callable[..., SecureScp]
) -> None:
    scp = make_secure_scp(pki.server, ca_file=pki.ca_file)
    with repository("tcp", pki) as (kept, port), AuditTrail(f"tcp://127.0.0.1:{port}") as trail:
        trail.watch().watch()  # twice is once
        DicomNet.set_failure_log(0, 60)
        try:
            for _ in range(12):
                with socket.create_connection(("127.0.0.1", scp.port), PATIENCE) as stranger:
                    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    stranger.settimeout(PATIENCE)
                    while stranger.recv(4096):
                        pass
            kept.wait(12)
        finally:
            DicomNet.set_failure_log()
        trail.close()
        assert trail.sent == 12


def test_trail_that_is_closed_has_what_happened_before_and_hears_no_more(
    pki: TestPki, make_secure_scp: Callable[..., SecureScp]
) -> None:
    scp = make_secure_scp(pki.server, ca_file=pki.ca_file)
    with repository("tcp", pki) as (kept, port):
        trail = AuditTrail(f"tcp://127.0.0.1:{port}").watch()
        with pytest.raises(NodeError):
            SecureScu(pki.make("expired"), pki.ca_file).echo(scp.port)
        scp.wait_failure()
        trail.close()  # at once: nobody has to wait for the messages
        assert trail.sent == 2
        with pytest.raises(NodeError):
            SecureScu(pki.make("expired"), pki.ca_file).echo(scp.port)
        assert len(kept.wait(2)) == 2


def test_watcher_that_raises_is_logged_and_the_others_are_told(
    pki: TestPki, make_secure_scp: Callable[..., SecureScp], caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    def bad(*about: object) -> None:
        raise ZeroDivisionError("mine")

    def good(failure: DicomFailure, peer: str, port: int, inbound: bool) -> None:
        seen.append(f"{inbound}: {failure}")

    scp = make_secure_scp(pki.server, ca_file=pki.ca_file)
    watch_failures(bad)
    watch_failures(good)
    try:
        with pytest.raises(NodeError):
            SecureScu(pki.make("expired"), pki.ca_file).echo(scp.port)
        scp.wait_failure()
    finally:
        unwatch_failures(bad, PATIENCE)
        unwatch_failures(good, PATIENCE)
    assert sorted(one.partition(":")[0] for one in seen) == ["False", "True"]
    assert "a watcher of failures raised" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_end_of_the_process_sends_what_waits(pki: TestPki) -> None:
    program = """
import socket, sys
from leadtools_compat.monitor import audit_to
from leadtools_compat.testing import NodeError, SecureScu
audit_to(sys.argv[1])
with socket.create_server(("127.0.0.1", 0)) as plain:
    import threading
    def serve():
        link = plain.accept()[0]
        link.recv(1000)
        link.sendall(b"HTTP/1.1 400 Bad Request\\r\\n\\r\\n")
        link.recv(1000)
    threading.Thread(target=serve, daemon=True).start()
    try:
        SecureScu(None, sys.argv[2]).echo(plain.getsockname()[1])
    except NodeError:
        pass
"""
    with repository("tcp", pki) as (kept, port):
        command = [sys.executable, "-c", program, f"tcp://127.0.0.1:{port}", pki.ca_file]
        subprocess.run(command, check=True, timeout=PATIENCE * 3)
        report = parsed(kept.wait()[0])
    assert "HTTP" in base64.b64decode(report[4][1].attrib["value"]).decode()


def test_forked_child_reports_over_a_link_of_its_own(pki: TestPki) -> None:
    """And what waits in the parent is sent once."""
    program = """
import os, sys
from tests.monitor.test_audit import failure
from leadtools_compat.monitor import AuditTrail
trail = AuditTrail(sys.argv[1])
assert trail.failed(failure(), "parent", "inbound") and trail.wait(20)
child = os.fork()
if child == 0:
    trail.failed(failure(), "child", "inbound")
    trail.close(20)
    os._exit(0 if trail.sent == 2 else 1)
assert os.waitpid(child, 0)[1] == 0
trail.failed(failure(), "again", "inbound")
trail.close(20)
"""
    with repository("udp", pki) as (kept, port):
        command = [sys.executable, "-c", program, f"udp://127.0.0.1:{port}"]
        subprocess.run(command, check=True, timeout=PATIENCE * 3)
        peers = [parsed(line)[4].attrib["ParticipantObjectID"] for line in kept.wait(3)]
    assert peers == ["parent", "child", "again"]


def test_name_that_no_look_up_takes_is_told(caplog: pytest.LogCaptureFixture) -> None:
    trail = AuditTrail("udp://audit..example")
    trail.failed(failure(), "peer", "inbound")
    trail.wait(0.2)
    trail.close(0.2)
    assert (trail.sent, trail.dropped) == (0, 1)
    assert "audit..example:514 cannot be reached" in caplog.text
