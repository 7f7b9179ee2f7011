"""Failures in the log: attributes of the records, floods, exceptions; and certificates that end.

That every kind of failure is there with its sentence, on both sides, is tests/diagnose/test_failure_matrix.py.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from leadtools_compat._nodes.client import VERIFICATION, Client, Context, Node, NodeError
from leadtools_compat.dicom import DicomExceptionCode, DicomNet, DicomTlsCertificateType
from leadtools_compat.monitor import CertificateEnding
from leadtools_compat.testing import TestPki
from tests.conftest import Unraisable
from tests.support import (
    PATIENCE,
    Listener,
    RecordingNet,
    connect,
    refused,
    tls_child,
    tls_net,
)

Keep = Callable[[Any], Any]
Listen = Callable[..., Listener]


class Records(logging.Handler):
    """What the library logs; others may wait for it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._changed = threading.Condition()
        self.seen: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self.seen.append(record)
            self._changed.notify_all()

    def wait(self, *words: str) -> logging.LogRecord:
        def found() -> list[logging.LogRecord]:
            return [one for one in self.seen if all(w in one.getMessage() for w in words)]

        with self._changed:
            if not self._changed.wait_for(found, PATIENCE):
                pytest.fail(f"not logged: {words}; {[one.getMessage() for one in self.seen]}")
            return found()[0]

    def about(self, what: str) -> list[logging.LogRecord]:
        with self._changed:
            return [one for one in self.seen if hasattr(one, what)]


@pytest.fixture
def records() -> Iterator[Records]:
    """Hear all, and begin with nothing counted."""
    handler = Records()
    logger = logging.getLogger("leadtools_compat")
    logger.addHandler(handler)
    DicomNet.set_failure_log()
    yield handler
    DicomNet.set_failure_log()
    logger.removeHandler(handler)


def talk_to(port: int, what: bytes) -> None:
    """Say something else than TLS, and wait for the end."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as stranger:
        stranger.sendall(what)
        while stranger.recv(4096):
            pass


def test_a_scanner_gets_ten_lines_and_one_that_counts_when_the_listener_ends(
    pki: TestPki, listen: Listen, records: Records
) -> None:
    listener = listen(make_child=tls_child(pki))
    for number in range(15):
        talk_to(listener.HostPort, b"GET / HTTP/1.1\r\n\r\n")
        listener.child(number + 1).log.wait("OnClose")
    listener.CloseForced(True)
    last = records.wait("5 more connections failed within 60 seconds for the same cause")
    lines = records.about("failure")
    assert [one.__dict__["more"] for one in lines] == [0] * 10 + [5]
    assert all(one.__dict__["failure"].code == DicomExceptionCode.TlsPeerNotTls for one in lines)
    assert all(one.__dict__["inbound"] for one in lines)
    assert "HTTP" in last.getMessage()
    assert last.__dict__["failure"].remedy in last.getMessage()


def test_a_listener_that_stays_open_tells_the_count_when_the_time_is_over(
    pki: TestPki, listen: Listen, records: Records
) -> None:
    DicomNet.set_failure_log(1, 1)
    listener = listen(make_child=tls_child(pki))
    for _ in range(3):
        talk_to(listener.HostPort, b"SSH-2.0-scanner\r\n")
    records.wait("2 more connections failed within 1 seconds")


def test_zero_lines_is_silence(pki: TestPki, listen: Listen, records: Records) -> None:
    DicomNet.set_failure_log(lines=0)
    listener = listen(make_child=tls_child(pki))
    talk_to(listener.HostPort, b"GET / HTTP/1.1\r\n\r\n")
    listener.child().log.wait("OnClose")
    listener.CloseForced(True)
    listener.log.wait("OnClose")
    assert records.about("failure") == []


@pytest.mark.parametrize(("lines", "seconds"), [(-1, 60), (1 << 32, 60), (1, 0), (1, 604_801)])
def test_numbers_out_of_range_are_refused(lines: int, seconds: int) -> None:
    with refused(DicomExceptionCode.Parameter, "not in"):
        DicomNet.set_failure_log(lines, seconds)
    with pytest.raises(TypeError):
        DicomNet.set_failure_log("many")  # type: ignore[arg-type]


def test_what_onverify_raised_is_said_and_nothing_is_kept_by_the_record(
    pki: TestPki, listen: Listen, nets: Keep, records: Records, unraisable: Unraisable
) -> None:
    def fail(*_: Any) -> int:
        raise ValueError("no\nidea")

    client = nets(tls_net(pki, OnVerify=fail))
    connect(client, listen(make_child=tls_child(pki)))
    client.log.wait("OnClose")
    unraisable.expect(ValueError, "OnVerify")
    record = records.wait("TlsVerifyCallback (320)", "ValueError: no idea")
    assert str(client.failure) in record.getMessage()
    assert record.__dict__["failure"].exception is None


@pytest.mark.parametrize("silent", ["client", "server"])
def test_silence_in_the_handshake_is_logged_on_the_other_side(
    pki: TestPki, listen: Listen, nets: Keep, records: Records, silent: str
) -> None:
    def hasty() -> Any:
        child = tls_child(pki)()
        child.handshake_timeout = 0.2
        return child

    with socket.create_server(("127.0.0.1", 0)) as mute:
        if silent == "server":
            client = nets(tls_net(pki))
            client.handshake_timeout = 0.2
            client.Connect(None, 0, "127.0.0.1", mute.getsockname()[1])
            failed, way = client, "to"
        else:
            listener = listen(make_child=hasty)
            with socket.create_connection(("127.0.0.1", listener.HostPort)):
                failed, way = listener.child(), "from"
                failed.log.wait("OnClose")
        failed.log.wait("OnClose")
        record = records.wait("TlsHandshakeTimeout (301)", f"connection {way} 127.0.0.1:")
    assert str(failed.failure) in record.getMessage()


class Aborter(RecordingNet):
    """Answers an association request with an A-ABORT."""

    def OnReceiveAssociateRequest(self, association: Any) -> None:
        self.SendAbort(0, 0)


def test_abort_of_the_peer_is_logged_in_words(listen: Listen, records: Records) -> None:
    listener = listen(make_child=Aborter)
    with Client(Node("127.0.0.1", listener.HostPort), None, PATIENCE) as client:
        client.open()
        with pytest.raises(NodeError):
            client.associate([Context(VERIFICATION)])
    record = records.wait("AssociationAborted (401)", "by its program")
    assert not record.__dict__["inbound"]


# ---- certificates that end


def ending(records: Records) -> list[CertificateEnding]:
    return [one.__dict__["ending"] for one in records.about("ending")]


def whole_days(found: CertificateEnding) -> int:
    return int((found.ends - datetime.now(timezone.utc)).total_seconds() // 86400)


def test_a_plain_listener_warns_of_its_own_certificate_when_it_opens(
    pki: TestPki, nets: Keep, records: Records
) -> None:
    own = pki.issue("ends soon", role="server", days=(-1, 5.5))
    listener = nets(tls_net(pki, own))
    listener.Listen("127.0.0.1", 0, 1)
    record = records.wait("our certificate", "CN = ends soon", " days, on ", ": renew it")
    assert record.levelno == logging.WARNING
    (found,) = ending(records)
    assert (found.days_left, found.authority) == (whole_days(found), False)
    assert f"ends in {found.days_left} days" in record.getMessage()
    again = nets(tls_net(pki, own))
    again.Listen("127.0.0.1", 0, 1)
    assert len(ending(records)) == 1


def test_the_certificate_of_children_is_watched_and_that_of_a_client_is_not(
    pki: TestPki, listen: Listen, nets: Keep, records: Records
) -> None:
    server = pki.issue("ended child", role="server", days=(-9, -1.5))
    client = nets(tls_net(pki, pki.issue("short client", days=(-1, 3))))
    connect(client, listen(make_child=tls_child(pki, identity=server)))
    client.log.wait("OnClose")
    (found,) = ending(records)
    assert found.days_left == whole_days(found) < 0
    assert "CN = ended child" in found.subject
    records.wait("CN = ended child", "has ended on ")


def test_certificates_for_other_names_are_watched_too(
    pki: TestPki, listen: Listen, nets: Keep, records: Records
) -> None:
    other = pki.issue("other name", role="server", hosts=["other.example"], days=(-1, 6))

    def child() -> Any:
        made = tls_child(pki)()
        made.add_tls_certificate(other.combined_file, DicomTlsCertificateType.Pem)
        return made

    client = nets(tls_net(pki))
    connect(client, listen(make_child=child))
    client.log.wait("OnSecureLinkReady")
    assert [one.subject.split(",")[0] for one in ending(records)] == ["CN = other name"]
