"""Addresses of both families, names, ports that are free, taken or forbidden, and what stays readable."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomException, DicomExceptionCode, DicomNetIpTypeFlags
from leadtools_compat.testing import TestPki
from tests.robustness.robust_peers import dial, reset
from tests.robustness.robust_tools import run_program, until
from tests.support import PATIENCE, Listener, RecordingNet, refused, tls_child, tls_net

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
CODES = DicomExceptionCode
V4, V6, BOTH = (
    DicomNetIpTypeFlags.Ipv4,
    DicomNetIpTypeFlags.Ipv6,
    DicomNetIpTypeFlags.Ipv4OrIpv6,
)


def has_ipv6() -> bool:
    """Tell whether ::1 works here."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def resolves_to_ipv6(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, 1, socket.AF_INET6, socket.SOCK_STREAM))
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this computer has no ::1")


def own_addresses(family: int) -> set[str]:
    """Find the addresses that the system would send from, without sending anything."""
    target = "192.0.2.1" if family == socket.AF_INET else "2001:db8::1"
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((target, 9))
        except OSError:
            return set()
        return {probe.getsockname()[0]}


def start(nets: Keep, address: Any, port: int = 0, ip_type: Any = V4, make: Any = None) -> Listener:
    listener: Listener = nets(Listener(make))
    listener.Listen(address, port, 8, ip_type)
    return listener


def link(client: Any, listener: Listener, address: Any, ip_type: Any = V4) -> Any:
    """Connect and give the child."""
    client.Connect(None, 0, address, listener.HostPort, ip_type)
    assert client.log.wait("OnConnect").code == CODES.Success, str(client.failure)
    return listener.child()


def part(client: Any, child: Any, listener: Listener) -> None:
    """Close, and wait until all know."""
    client.Close()
    client.log.wait("OnClose")
    child.log.wait("OnClose")
    listener.log.wait("OnClose")


# ---- families ----


@needs_ipv6
@pytest.mark.parametrize(
    "written", ["::1", "[::1]", "0:0:0:0:0:0:0:1", ipaddress.ip_address("::1")]
)
@pytest.mark.parametrize("ip_type", [V4, V6, BOTH])
def test_ipv6_literal_works_however_it_is_written_and_whatever_the_type(
    written: Any, ip_type: Any, nets: Keep
) -> None:
    listener = start(nets, written, ip_type=ip_type)
    assert listener.HostAddress == "::1"
    client = nets(RecordingNet())
    child = link(client, listener, written, ip_type)
    assert (client.PeerAddress, client.PeerPort) == ("::1", listener.HostPort)
    assert (child.PeerAddress, child.PeerPort) == ("::1", client.HostPort)
    assert child.HostAddress == client.HostAddress == "::1"
    assert f"[::1]:{listener.HostPort}" in repr(client)
    part(client, child, listener)


@needs_ipv6
def test_tls_over_ipv6_checks_the_address_in_the_certificate(nets: Keep, pki: TestPki) -> None:
    listener = start(nets, "::1", make=tls_child(pki))
    for host, code in (("::1", CODES.Success), ("fd00::99", CODES.TlsCertificateRejected)):
        client = nets(tls_net(pki))
        client.expected_host = host
        client.Connect(None, 0, "::1", listener.HostPort)
        assert client.log.wait("OnSecureLinkReady").code == code
        client.CloseForced(True)
        client.log.wait("OnClose")
    listener.log.wait("OnClose", 2)


@needs_ipv6
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_dual_stack_listener_takes_both_and_writes_ipv4_as_ipv4(address: str, nets: Keep) -> None:
    listener = start(nets, "*", ip_type=BOTH)
    client = nets(RecordingNet())
    child = link(client, listener, address)
    assert child.PeerAddress == address
    assert child.HostAddress == address
    part(client, child, listener)


@needs_ipv6
def test_ipv6_listener_takes_ipv6_only(nets: Keep) -> None:
    listener = start(nets, "*", ip_type=V6)
    assert listener.HostAddress == "::"
    client = nets(RecordingNet())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnConnect").code == CODES.NetConnectionRefused
    client.log.wait("OnClose")
    again = nets(RecordingNet())
    part(again, link(again, listener, "::1"), listener)


@needs_ipv6
def test_both_families_may_listen_on_the_same_port(nets: Keep) -> None:
    six = start(nets, "::1", ip_type=V6)
    four = start(nets, "127.0.0.1", six.HostPort)
    for listener, address in ((six, "::1"), (four, "127.0.0.1")):
        client = nets(RecordingNet())
        child = link(client, listener, address)
        assert child.PeerAddress == address
        part(client, child, listener)


@needs_ipv6
def test_local_and_peer_address_of_different_families_are_refused_at_once(nets: Keep) -> None:
    client = nets(RecordingNet())
    with refused(CODES.Parameter, "127.0.0.1", "::1"):
        client.Connect("127.0.0.1", 0, "::1", 104)
    client.Connect("::1", 0, "::1", 1)  # it is as free as before
    client.log.wait("OnClose")


@needs_ipv6
def test_limit_per_address_counts_an_ipv4_peer_of_a_dual_stack_listener(
    nets: Keep, pki: TestPki
) -> None:
    listener = nets(Listener(tls_child(pki)))
    listener.limits["handshakes_per_address"] = 2
    listener.Listen("*", 0, 8, BOTH)
    port = listener.HostPort
    with dial(port) as first, dial(port) as second:
        listener.log.wait("OnAccept", 2)
        with dial(port, host="::1") as six:  # somebody else
            listener.log.wait("OnAccept", 3)
            with dial(port) as third:
                listener.log.wait("OnAccept", 4)
                code = listener.children[0].log.wait("OnClose").code
                assert code == CODES.NetTooManyConnections
                assert [child.IsConnected() for child in listener.children[1:]] == [True] * 3
                listener.CloseForced(True)
                for peer in (first, second, six, third):
                    peer.recv(10)


# ---- names ----


@pytest.mark.parametrize("ip_type", [V4, BOTH])
def test_localhost_is_resolved_on_both_ends(ip_type: Any, nets: Keep) -> None:
    listener = start(nets, "localhost", ip_type=V4)
    assert ipaddress.ip_address(listener.HostAddress).is_loopback
    client = nets(RecordingNet())
    child = link(client, listener, "localhost", ip_type)  # BOTH: ::1 refuses, 127.0.0.1 is next
    assert client.PeerAddress == "127.0.0.1"
    part(client, child, listener)


def test_name_as_local_address(nets: Keep) -> None:
    listener = start(nets, "127.0.0.1")
    client = nets(RecordingNet())
    client.Connect("localhost", 0, "localhost", listener.HostPort)
    assert client.log.wait("OnConnect").code == CODES.Success
    assert client.HostAddress == "127.0.0.1"
    part(client, listener.child(), listener)


def test_name_without_an_address_of_the_family_is_not_found(nets: Keep) -> None:
    if resolves_to_ipv6("localhost"):
        pytest.skip("localhost has an IPv6 address here")
    client = nets(RecordingNet())
    client.Connect(None, 0, "localhost", 104, V6)
    assert client.log.wait("OnConnect").code == CODES.NetHostNotFound
    assert client.log.wait("OnClose").code == CODES.NetHostNotFound


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "127.1", "999.1.1.1", "-"])
def test_host_that_is_not_found_is_named_in_onconnect_and_onclose(name: str, nets: Keep) -> None:
    client = nets(RecordingNet())
    client.Connect(None, 0, name, 104)
    code = client.log.wait("OnConnect").code
    if name == "127.1" and code != CODES.NetHostNotFound:
        # The resolver takes it for 127.0.0.1, as inet_aton(3) does.
        assert code == CODES.NetConnectionRefused
        client.log.wait("OnClose")
        return
    assert code == CODES.NetHostNotFound
    assert client.log.wait("OnClose").code == CODES.NetHostNotFound
    assert client.log.names() == ["OnConnect", "OnClose"]
    failure = client.failure
    assert (failure.stage, failure.side) == ("resolve", "local")
    assert name in failure.message
    assert failure.remedy
    assert (client.PeerAddress, client.PeerPort) == ("", 0)


def test_local_name_that_is_not_found_is_raised(nets: Keep) -> None:
    with refused(CODES.NetHostNotFound, "no-such-host.invalid"):
        nets(Listener()).Listen("no-such-host.invalid", 0, 1)
    client = nets(RecordingNet())
    with refused(CODES.NetHostNotFound, "no-such-host.invalid"):
        client.Connect("no-such-host.invalid", 0, "127.0.0.1", 104)
    assert client.log.names() == []


def test_close_and_dispose_while_a_name_is_being_looked_up(nets: Keep) -> None:
    for end in ("Close", "CloseForced", "Dispose"):
        client = nets(RecordingNet())
        client.Connect(None, 0, "no-such-host.invalid", 104)
        if end == "Dispose":
            client.Dispose()
            assert "OnClose" not in client.log.names()
            continue
        client.Close() if end == "Close" else client.CloseForced(True)
        code = client.log.wait("OnClose").code
        assert code in (CODES.Success, CODES.NetHostNotFound)
        assert client.log.names() == ["OnConnect", "OnClose"]


@pytest.mark.parametrize("peer", [None, ""])
def test_connect_to_nobody_is_a_wrong_parameter(peer: Any, nets: Keep) -> None:
    with refused(CODES.Parameter, "empty"):
        nets(RecordingNet()).Connect(None, 0, peer, 104)


# ---- where a listener listens ----


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_address_is_this_computers(empty: Any, nets: Keep) -> None:
    listener = start(nets, empty)
    address = listener.HostAddress
    assert listener.HostPort > 0
    found = own_addresses(socket.AF_INET)
    if found:
        assert address in found
        assert not ipaddress.ip_address(address).is_loopback
    else:
        assert address == "127.0.0.1"
    client = nets(RecordingNet())
    child = link(client, listener, address)
    assert child.HostAddress == address
    part(client, child, listener)


@needs_ipv6
def test_empty_address_of_ipv6_is_no_link_local_one(nets: Keep) -> None:
    listener = start(nets, "", ip_type=V6)
    address = ipaddress.ip_address(listener.HostAddress)
    assert address.version == 6
    assert not address.is_link_local
    client = nets(RecordingNet())
    part(client, link(client, listener, listener.HostAddress, V6), listener)


def test_star_is_all_addresses(nets: Keep) -> None:
    listener = start(nets, "*")
    assert listener.HostAddress == "0.0.0.0"
    for number, address in enumerate(["127.0.0.1", "127.0.0.9", *own_addresses(socket.AF_INET)], 1):
        client = nets(RecordingNet())
        client.Connect(None, 0, address, listener.HostPort)
        assert client.log.wait("OnConnect").code == CODES.Success
        assert listener.child(number).HostAddress == address
        client.Close()
        listener.log.wait("OnClose", number)


def test_port_zero_gives_each_listener_a_port_of_its_own(nets: Keep) -> None:
    ports = [start(nets, "127.0.0.1").HostPort for _ in range(10)]
    assert len(set(ports)) == 10
    assert min(ports) > 1023


def test_backlog_of_zero_and_of_too_many_are_no_cap_on_clients(nets: Keep) -> None:
    for backlog in (0, 1, 2**31 - 1):
        listener = nets(Listener())
        listener.Listen("127.0.0.1", 0, backlog)
        peers = [dial(listener.HostPort) for _ in range(10)]
        listener.log.wait("OnAccept", 10)
        assert listener.GetClientCount() == 10
        for peer in peers:
            peer.close()
        listener.log.wait("OnClose", 10)


# ---- the own end of a client ----


def free_port() -> int:
    """Take a port that was free a moment ago: the tests that use it try again with another one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_local_address_and_port_are_used(nets: Keep) -> None:
    listener = start(nets, "127.0.0.1")
    for _ in range(20):
        client = nets(RecordingNet())
        port = free_port()
        try:
            client.Connect("127.0.0.5", port, "127.0.0.1", listener.HostPort)
        except DicomException:  # somebody was quicker
            continue
        assert client.log.wait("OnConnect").code == CODES.Success
        assert (client.HostAddress, client.HostPort) == ("127.0.0.5", port)
        child = listener.child()
        assert (child.PeerAddress, child.PeerPort) == ("127.0.0.5", port)
        part(client, child, listener)
        return
    pytest.fail("no free port")


@pytest.mark.parametrize("first", ["server", "client"])
def test_fixed_local_port_is_used_again_as_soon_as_onclose_was_told(first: str, nets: Keep) -> None:
    """Programs have one fixed local port, and connect again in or after OnClose."""
    rounds = 30
    listener = start(nets, "127.0.0.1")
    client = nets(RecordingNet())
    port = free_port()
    codes = []
    for count in range(1, rounds + 1):
        client.Connect(None, port, "127.0.0.1", listener.HostPort)
        codes.append(client.log.wait("OnConnect", count).code)
        if codes[-1] == CODES.Success:
            assert client.HostPort == port
            child = listener.child(codes.count(CODES.Success))
            child.CloseForced(True) if first == "server" else client.CloseForced(True)
            child.log.wait("OnClose")
        client.log.wait("OnClose", count)
    assert codes == [CODES.Success] * rounds, str(client.failure)


def taken_port(second: Any, port: int, listener: Listener) -> DicomExceptionCode:
    """Connect from a port that belongs to a connection: raised or told, and by name."""
    try:
        second.Connect("127.0.0.1", port, "127.0.0.1", listener.HostPort)
    except DicomException as problem:
        return problem.Code
    code: DicomExceptionCode = second.log.wait("OnConnect").code
    assert second.log.wait("OnClose").code == code
    assert second.failure.remedy
    return code


@pytest.mark.parametrize("own", [None, "127.0.0.1", "both"], ids=["no", "address", "port too"])
def test_local_port_of_a_connection_that_lives_is_in_use(own: Any, nets: Keep) -> None:
    listener = start(nets, "127.0.0.1")
    first, second = nets(RecordingNet()), nets(RecordingNet())
    address, port = ("127.0.0.1", free_port()) if own == "both" else (own, 0)
    first.Connect(address, port, "127.0.0.1", listener.HostPort)
    assert first.log.wait("OnConnect").code == CODES.Success
    child = listener.child()
    assert taken_port(second, first.HostPort, listener) == CODES.NetAddressInUse
    part(first, child, listener)


@pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8::77"])
def test_local_address_of_another_computer_is_raised(address: str, nets: Keep) -> None:
    if ":" in address and not has_ipv6():
        pytest.skip("this computer has no ::1")
    with refused(CODES.NetAddressNotAvailable, address):
        nets(Listener()).Listen(address, 0, 1)
    client = nets(RecordingNet())
    peer = "::1" if ":" in address else "127.0.0.1"
    with refused(CODES.NetAddressNotAvailable, address):
        client.Connect(address, 0, peer, 104)
    assert client.log.names() == []
    assert client.failure is None or client.failure.code == CODES.NetAddressNotAvailable


# ---- ports that cannot be had ----


def test_port_in_use_is_raised_and_the_net_is_as_free_as_before(nets: Keep) -> None:
    taken = start(nets, "127.0.0.1")
    other = nets(Listener())
    for _ in range(3):
        with refused(CODES.NetAddressInUse, str(taken.HostPort)):
            other.Listen("127.0.0.1", taken.HostPort, 1)
    with refused(CODES.NetAddressInUse, str(taken.HostPort)):
        other.Listen("*", taken.HostPort, 1)
    other.Listen("127.0.0.1", 0, 1)
    with refused(CODES.NetAlreadyConnected):
        other.Listen("127.0.0.1", 0, 1)


def test_port_is_free_at_once_when_its_listener_closes_with_clients_connected(nets: Keep) -> None:
    listener = start(nets, "127.0.0.1")
    port = listener.HostPort
    client = nets(RecordingNet())
    child = link(client, listener, "127.0.0.1")
    listener.Close()
    again = nets(Listener())
    again.Listen("127.0.0.1", port, 8)
    assert child.IsConnected()
    second = nets(RecordingNet())
    part(second, link(second, again, "127.0.0.1"), again)
    client.Close()
    child.log.wait("OnClose")


PRIVILEGED = """
    import os, sys
    from leadtools_compat.dicom import *
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    net = DicomNet(None, 0)
    for call in (lambda: net.Listen("127.0.0.1", 104, 1), lambda: net.Connect(None, 1000, "127.0.0.1", 1)):
        try:
            call()
            print("allowed")
        except DicomException as problem:
            print(problem.Code, "1024" in problem.Message)
    net.Dispose()
"""


def test_privileged_port_is_denied_by_name_to_those_who_have_no_privilege() -> None:
    first = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if first.exists() and int(first.read_text()) <= 1000:
        pytest.skip("all ports are free for all here")
    done = run_program(PRIVILEGED)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "NetAccessDenied True\n" * 2


# ---- after the close ----


@pytest.mark.parametrize("end", ["close", "reset", "dispose"])
def test_addresses_stay_readable_in_onclose_and_after_it(end: str, nets: Keep) -> None:
    seen: list[tuple[str, int, str, int]] = []

    def look(net: Any, error: DicomExceptionCode, closed: Any) -> None:
        seen.append((closed.PeerAddress, closed.PeerPort, closed.HostAddress, closed.HostPort))

    listener = nets(Listener(lambda: RecordingNet(OnClose=look), OnClose=look))
    listener.Listen("127.0.0.1", 0, 8)
    peer = dial(listener.HostPort)
    expected = (*peer.getsockname(), "127.0.0.1", listener.HostPort)
    child = listener.child()
    if end == "dispose":
        child.Dispose()
        peer.close()
    else:
        reset(peer) if end == "reset" else peer.close()
        child.log.wait("OnClose")
        listener.log.wait("OnClose")
        assert seen == [expected, expected]
    after = (child.PeerAddress, child.PeerPort, child.HostAddress, child.HostPort)
    assert after == expected
    child.Dispose()
    after = (child.PeerAddress, child.PeerPort, child.HostAddress, child.HostPort)
    assert after == expected


def test_addresses_are_those_of_the_present_connection(nets: Keep) -> None:
    first, second = start(nets, "127.0.0.1"), start(nets, "127.0.0.2")
    client = nets(RecordingNet())
    for count, listener in enumerate((first, second), 1):
        client.Connect(None, 0, listener.HostAddress, listener.HostPort)
        client.log.wait("OnConnect", count)
        assert (client.PeerAddress, client.PeerPort) == (listener.HostAddress, listener.HostPort)
        client.CloseForced(True)
        client.log.wait("OnClose", count)
        listener.log.wait("OnClose")
    client.Connect(None, 0, "no-such-host.invalid", 104)
    client.log.wait("OnClose", 3)
    assert (client.PeerAddress, client.PeerPort) == ("", 0)


def test_addresses_are_read_by_others_while_connections_come_and_go(nets: Keep) -> None:
    listener = start(nets, "127.0.0.1")
    client = nets(RecordingNet())
    over = threading.Event()
    wrong: list[Any] = []

    def read() -> None:
        while not over.is_set():
            pair = (client.PeerAddress, client.PeerPort)
            if pair[0] not in ("", "127.0.0.1") or pair[1] not in (0, listener.HostPort):
                wrong.append(pair)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for count in range(1, 31):
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        client.log.wait("OnConnect", count)
        client.CloseForced(True)
    client.log.wait("OnClose", 30)
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    until(lambda: listener.GetClientCount() == 0, "all children are closed")
    assert wrong == []
