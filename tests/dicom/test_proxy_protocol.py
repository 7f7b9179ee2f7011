"""Load balancers in front of a listener: the header that tells the client, and who may send one."""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from leadtools_compat.dicom import DicomExceptionCode, DicomNet
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, Listener, RecordingNet, refused, secure, tls_child

Keep = Callable[[Any], Any]
LOOPBACK = "127.0.0.1"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL = SIGNATURE + b"\x20\0\0\0"
REQUEST = b"\x01\x00\x00\x00\x00\x44" + b"\x00\x01\x00\x00"  # the beginning of an A-ASSOCIATE-RQ


def header(client: str, port: int, values: bytes = b"") -> bytes:
    """Make a header of version 2."""
    source = ipaddress.ip_address(client)
    target = ipaddress.ip_address("192.0.2.200" if source.version == 4 else "2001:db8::200")
    body = source.packed + target.packed + struct.pack("!HH", port, 2762) + values
    family = b"\x21\x11" if source.version == 4 else b"\x21\x21"
    return SIGNATURE + family + struct.pack("!H", len(body)) + body


class Lines(logging.Handler):
    """The library's log lines from INFO on; they come a little later than what they tell of."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._changed = threading.Condition()
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self._lines.append(record.getMessage())
            self._changed.notify_all()

    def all(self) -> list[str]:
        with self._changed:
            return list(self._lines)

    def wait(self, *words: str) -> str:
        """Wait for a line that has all the words."""

        def found() -> str | None:
            return next((one for one in self._lines if all(word in one for word in words)), None)

        with self._changed:
            if not self._changed.wait_for(found, PATIENCE):
                pytest.fail(f"no line has {words}: {self._lines}")
            line = found()
        assert line is not None
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Take the log lines of the library down."""
    logger = logging.getLogger("leadtools_compat")
    level, handler = logger.level, Lines()
    DicomNet.set_failure_log()  # what other tests have left to be told is told now
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    DicomNet.set_failure_log(lines=1000)  # each has its line, whatever other tests had
    yield handler
    DicomNet.set_failure_log()
    logger.setLevel(level)
    logger.removeHandler(handler)


@pytest.fixture
def behind(nets: Keep, pki: TestPki) -> Callable[..., Listener]:
    """Start listeners that trust loopback as a proxy; with TLS unless said otherwise."""

    def start(
        proxies: Any = LOOPBACK, tls: bool = True, change: Callable[[Any], None] | None = None
    ) -> Listener:
        listener: Listener = nets(Listener(tls_child(pki) if tls else None))
        if tls:
            secure(listener, pki.server, pki.ca_file)
        listener.trusted_proxies = proxies
        if change is not None:
            change(listener)
        listener.Listen(LOOPBACK, 0, 16)
        return listener

    return start


@contextmanager
def dialled(listener: DicomNet, *words: bytes) -> Iterator[socket.socket]:
    """Connect as the proxy does, and say the words."""
    with socket.create_connection((LOOPBACK, listener.HostPort), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for word in words:
            connection.sendall(word)
        yield connection


def client_context(pki: TestPki) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=pki.ca_file)
    context.check_hostname = False
    context.load_cert_chain(pki.client.combined_file, pki.client.key_file)
    return context


def ended(connection: socket.socket) -> bool:
    """Wait for the end of a connection that nobody says a word on."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    ("words", "client"),
    [
        ([header("192.0.2.7", 40000)], ("192.0.2.7", 40000)),
        ([header("2001:db8::7", 1)], ("2001:db8::7", 1)),
        ([bytes([one]) for one in header("192.0.2.7", 40000)], ("192.0.2.7", 40000)),
        ([header("192.0.2.7", 2, b"\x02\x00\x03abc\x04\x00\x00")], ("192.0.2.7", 2)),
        (
            [header("192.0.2.7", 3, b"\xe0" + struct.pack("!H", 9000) + bytes(9000))],
            ("192.0.2.7", 3),
        ),
        ([b"PROXY TCP4 192.0.2.7 192.0.2.200 40000 2762\r\n"], ("192.0.2.7", 40000)),
        ([header("::ffff:192.0.2.7", 4)], ("192.0.2.7", 4)),
    ],
    ids=["ipv4", "ipv6", "byte by byte", "values", "large", "version 1", "mapped"],
)
def test_peer_is_the_client_of_the_header_and_the_proxy_is_known(
    behind: Callable[..., Listener], pki: TestPki, words: list[bytes], client: tuple[str, int]
) -> None:
    listener = behind()
    with dialled(listener, *words) as plain:
        own = plain.getsockname()
        with client_context(pki).wrap_socket(plain) as secured:
            child = listener.child()
            assert (child.PeerAddress, child.PeerPort) == client
            assert (child.proxy_address, child.proxy_port) == own
            assert (child.HostAddress, child.HostPort) == (LOOPBACK, listener.HostPort)
            assert child.log.wait("OnSecureLinkReady").code == DicomExceptionCode.Success
            assert secured.version() is not None
    child.log.wait("OnClose")
    child.Dispose()
    assert (child.PeerAddress, child.PeerPort) == client
    assert (child.proxy_address, child.proxy_port) == own


def test_peer_is_known_in_on_accept_already(behind: Callable[..., Listener]) -> None:
    listener = behind(tls=False)
    seen = []

    def accept(net: Any, _error: Any) -> None:
        child = RecordingNet()
        net.children.append(child)
        net.Accept(child)
        seen.append(child.PeerAddress)

    listener.hooks["OnAccept"] = accept
    with dialled(listener, header("192.0.2.7", 40000)):
        listener.log.wait("OnAccept")
        assert seen == ["192.0.2.7"]


def test_what_comes_with_the_header_is_read_by_the_association(
    behind: Callable[..., Listener],
) -> None:
    listener = behind(tls=False)
    with dialled(listener, header("192.0.2.7", 40000) + b"GET / HTTP/1.1\r\n\r\n"):
        child = listener.child()
        child.log.wait("OnClose")
    failure = child.failure
    assert failure is not None
    assert failure.code == DicomExceptionCode.NetProtocol
    assert "HTTP" in failure.message


def test_failure_and_log_name_the_client_and_the_proxy(
    behind: Callable[..., Listener], lines: Lines
) -> None:
    listener = behind()
    with dialled(
        listener, header("192.0.2.7", 40000), b"\x15\x03\x03\x00\x02\x02\x30"
    ) as connection:
        port = connection.getsockname()[1]
        child = listener.child()
        assert child.log.wait("OnClose").code != DicomExceptionCode.Success
    failure = child.failure
    assert failure is not None
    named = f"peer 192.0.2.7 port 40000, through the proxy 127.0.0.1 port {port}"
    assert named in failure.message
    lines.wait(named)


# ---- who may send one ----


@pytest.mark.parametrize("word", [header("192.0.2.7", 40000), LOCAL, b"PROXY UNKNOWN\r\n"])
@pytest.mark.parametrize("proxies", [(), "192.0.2.1, 127.0.0.2/32"], ids=["nobody", "others"])
def test_header_from_elsewhere_is_garbage(
    behind: Callable[..., Listener], word: bytes, proxies: Any
) -> None:
    listener = behind(proxies)
    with dialled(listener, word) as connection:
        child = listener.child()
        assert child.log.wait("OnSecureLinkReady").code != DicomExceptionCode.Success
        assert (child.PeerAddress, child.proxy_address, child.proxy_port) == (LOOPBACK, "", 0)
        assert child.PeerPort == connection.getsockname()[1]
    assert child.failure is not None
    assert "PROXY protocol" in child.failure.message


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03\x00", "began with TLS"),
        (REQUEST + bytes(10), "began with DICOM"),
        (header("192.0.2.7", 1)[:20], "ended in the middle"),
        (SIGNATURE + b"\x21\x12\0\x0c" + bytes(12), "datagrams"),
        (header("192.0.2.7", 1, b"\x03\x00\x04abcd"), "checksum is wrong"),
        (b"PROXY TCP4 192.0.2.7 1 1\r\n", "2.1"),
    ],
    ids=["tls", "dicom", "part", "udp", "checksum", "version 1"],
)
def test_proxy_without_a_right_header_is_refused_before_anybody_is_told(
    behind: Callable[..., Listener],
    pki: TestPki,
    lines: Lines,
    word: bytes,
    reason: str,
) -> None:
    listener = behind()
    with dialled(listener, word) as connection:
        with suppress(OSError):  # it may have been refused by now
            connection.shutdown(socket.SHUT_WR)
        assert ended(connection)
    with dialled(listener, header("192.0.2.8", 2)) as plain, client_context(pki).wrap_socket(plain):
        assert listener.child().PeerAddress == "192.0.2.8"  # and it goes on
    assert len(listener.log.all("OnAccept")) == 1
    lines.wait("was refused", "proxy 127.0.0.1", reason, "send-proxy-v2")


def test_network_of_proxies_counts_and_may_be_given_as_objects(
    behind: Callable[..., Listener],
) -> None:
    listener = behind(
        [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_address("::1"), "192.0.2.1"]
    )
    assert listener.trusted_proxies == ("127.0.0.0/8", "::1", "192.0.2.1")
    with dialled(listener, header("192.0.2.7", 40000)):
        assert listener.child().PeerAddress == "192.0.2.7"


# ---- connections of the proxy's own ----


@pytest.mark.parametrize("word", [b"", LOCAL, b"PROXY UNKNOWN\r\n"], ids=["nothing", "2", "1"])
def test_health_check_that_says_nothing_is_not_told_of(
    behind: Callable[..., Listener], lines: Lines, word: bytes
) -> None:
    listener = behind()
    checks = []
    for _ in range(3):
        with dialled(listener, word) as connection:
            checks.append(f":{connection.getsockname()[1]} ")
            connection.shutdown(socket.SHUT_WR)
            assert ended(connection)
    with dialled(listener, header("192.0.2.8", 2)):
        assert listener.child().PeerAddress == "192.0.2.8"
        assert len(listener.log.all("OnAccept")) == 1
        assert not [line for line in lines.all() if any(check in line for check in checks)]


def test_health_check_that_names_the_proxy_as_client_is_not_told_of(
    behind: Callable[..., Listener], lines: Lines
) -> None:
    listener = behind()
    checks = []
    for kind in ("text", "binary"):
        with dialled(listener) as connection:
            host, port = connection.getsockname()
            checks.append(f":{port} ")
            text = f"PROXY TCP4 {host} 127.0.0.1 {port} {listener.HostPort}\r\n"
            connection.sendall(text.encode() if kind == "text" else header(host, port))
            connection.shutdown(socket.SHUT_WR)
            assert ended(connection)
    with dialled(listener, header(LOOPBACK, 2)):
        assert listener.child().PeerPort == 2
        assert len(listener.log.all("OnAccept")) == 1
        assert not [line for line in lines.all() if any(check in line for check in checks)]


def test_proxy_that_speaks_for_itself_is_the_peer(
    behind: Callable[..., Listener], pki: TestPki
) -> None:
    listener = behind()
    with dialled(listener, LOCAL) as plain:
        own = plain.getsockname()
        with client_context(pki).wrap_socket(plain):
            child = listener.child()
            assert (child.PeerAddress, child.PeerPort) == own
            assert (child.proxy_address, child.proxy_port) == own


# ---- limits ----


@pytest.mark.parametrize("word", [b"", LOCAL, SIGNATURE + b"\x21\x11\xff\xff" + bytes(1000)])
def test_header_has_the_time_of_the_handshake(
    behind: Callable[..., Listener], lines: Lines, word: bytes
) -> None:
    listener = behind(change=lambda net: setattr(net, "handshake_timeout", 0.2))
    with dialled(listener, word) as connection:
        assert ended(connection)
    assert listener.log.all("OnAccept") == []
    lines.wait("within the handshake limit")


def test_handshakes_are_counted_for_the_client_not_for_the_proxy(
    behind: Callable[..., Listener],
) -> None:
    def limit(net: Listener) -> None:
        net.limits["handshakes_per_address"] = 2

    listener = behind(change=limit)
    with (
        dialled(listener, header("192.0.2.7", 1)),
        dialled(listener, header("192.0.2.8", 2)),
        dialled(listener, header("192.0.2.9", 3)),
    ):
        children = {
            listener.child(number).PeerAddress: listener.child(number) for number in (1, 2, 3)
        }
        with dialled(listener, header("192.0.2.8", 4)), dialled(listener, header("192.0.2.8", 5)):
            oldest = children["192.0.2.8"]
            code = oldest.log.wait("OnClose").code
            assert code == DicomExceptionCode.NetTooManyConnections
            assert oldest.PeerPort == 2
            assert oldest.failure is not None
            assert "192.0.2.8" in oldest.failure.message
            assert children["192.0.2.7"].IsConnected()
            assert children["192.0.2.9"].IsConnected()


def test_proxy_itself_is_exempt_from_the_limit_of_an_address(
    behind: Callable[..., Listener],
) -> None:
    def limit(net: Listener) -> None:
        net.limits["handshakes_per_address"] = 1

    listener = behind(change=limit)
    hello = LOCAL + b"\x16\x03\x01\x00\xc8\x01"
    with dialled(listener, hello), dialled(listener, hello), dialled(listener, hello):
        for number in (1, 2, 3):
            assert listener.child(number).IsConnected()
        assert all(child.log.all("OnClose") == [] for child in listener.children)


def test_many_that_do_not_greet_push_each_other_out(behind: Callable[..., Listener]) -> None:
    def limit(net: Listener) -> None:
        net.limits["handshakes_total"] = 4

    listener = behind(tls=False, change=limit)
    silent = [socket.create_connection((LOOPBACK, listener.HostPort)) for _ in range(5)]
    try:
        silent[0].settimeout(PATIENCE)
        assert ended(silent[0])
        with dialled(listener, header("192.0.2.7", 1)):
            assert listener.child().PeerAddress == "192.0.2.7"
    finally:
        for one in silent:
            one.close()


def test_closed_listener_lets_go_of_what_has_not_greeted(
    behind: Callable[..., Listener],
) -> None:
    listener = behind()
    with dialled(listener, SIGNATURE) as one, dialled(listener, LOCAL) as other:
        with dialled(listener, header("192.0.2.7", 1)):
            listener.child()  # the others are accepted by now
        listener.Close()
        assert ended(one)
        assert ended(other)


def test_many_clients_at_once_are_not_mixed_up(behind: Callable[..., Listener]) -> None:
    listener = behind(tls=False)
    count = 60

    def dial(number: int) -> socket.socket:
        connection = socket.create_connection((LOOPBACK, listener.HostPort), PATIENCE)
        word = header(f"192.0.2.{number}", 1000 + number)
        cut = number % len(word)
        connection.sendall(word[:cut])
        connection.sendall(word[cut:])
        return connection

    opened: list[socket.socket] = []
    threads = [
        threading.Thread(
            target=lambda first=first: opened.extend(map(dial, range(first, count, 4)))
        )
        for first in range(4)
    ]
    try:
        for thread in threads:
            thread.start()
        listener.log.wait("OnAccept", count)
        for thread in threads:
            thread.join()
        seen = {(child.PeerAddress, child.PeerPort) for child in listener.children}
        assert seen == {(f"192.0.2.{number}", 1000 + number) for number in range(count)}
        ports = {one.getsockname()[1] for one in opened}
        assert {child.proxy_port for child in listener.children} == ports
    finally:
        for one in opened:
            one.close()


# ---- the setting ----


def test_list_of_proxies_is_checked(nets: Keep) -> None:
    net = nets(RecordingNet())
    assert net.trusted_proxies == ()
    net.trusted_proxies = "192.0.2.7, 10.0.0.0/8"
    for word in ("proxy.example", "10.0.0.1/8", "10.0.0.0/40", "127.1"):
        with refused(DicomExceptionCode.Parameter, word):
            net.trusted_proxies = ["::1", word]
    with pytest.raises(TypeError, match="not int"):
        net.trusted_proxies = [7]
    assert net.trusted_proxies == ("192.0.2.7", "10.0.0.0/8")
    net.trusted_proxies = None
    assert net.trusted_proxies == ()


def test_list_of_proxies_is_frozen_while_listening(behind: Callable[..., Listener]) -> None:
    listener = behind()
    with refused(DicomExceptionCode.InvalidState, "trusted proxies"):
        listener.trusted_proxies = ()
    listener.Close()
    listener.trusted_proxies = ()
