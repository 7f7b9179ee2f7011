"""Several listeners on one port, and what is said when that is not possible."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import DicomExceptionCode
from tests.support import PATIENCE, Listener, RecordingNet, python, refused

Keep = Callable[[Any], Any]
LOOPBACK = "127.0.0.1"


def listener(nets: Keep, port: int = 0, reuse: bool = True) -> Listener:
    net: Listener = nets(Listener())
    net.reuse_port = reuse
    net.Listen(LOOPBACK, port, 16)
    return net


def test_listeners_that_share_a_port_get_all_connections_between_them(nets: Keep) -> None:
    one = listener(nets)
    assert one.reuse_port
    other = listener(nets, one.HostPort)
    both = threading.Semaphore(0)
    for net in (one, other):
        accept = net.OnAccept

        def count(error: DicomExceptionCode, accept: Any = accept) -> None:
            accept(error)
            both.release()

        net.OnAccept = count  # type: ignore[method-assign]
    opened = [socket.create_connection((LOOPBACK, one.HostPort)) for _ in range(64)]
    try:
        assert all(both.acquire(timeout=PATIENCE) for _ in opened)
        assert len(one.children) + len(other.children) == len(opened)
        assert one.children
        assert other.children
    finally:
        for connection in opened:
            connection.close()


def test_other_one_takes_over_when_one_ends(nets: Keep) -> None:
    one = listener(nets)
    other = listener(nets, one.HostPort)
    one.Close()
    opened = [socket.create_connection((LOOPBACK, other.HostPort)) for _ in range(8)]
    try:
        other.log.wait("OnAccept", len(opened))
    finally:
        for connection in opened:
            connection.close()


def test_port_of_somebody_who_does_not_share_is_refused_with_the_remedy(nets: Keep) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with refused(DicomExceptionCode.NetAddressInUse, str(port), "reuse_port", "same user"):
            listener(nets, port)


def test_port_that_is_shared_is_not_for_who_does_not_share(nets: Keep) -> None:
    port = listener(nets).HostPort
    with refused(DicomExceptionCode.NetAddressInUse, str(port), "another port"):
        listener(nets, port, reuse=False)


def test_default_is_not_to_share(nets: Keep) -> None:
    net = nets(Listener())
    assert not net.reuse_port
    net.Listen(LOOPBACK, 0, 1)
    with refused(DicomExceptionCode.InvalidState, "reuse_port"):
        net.reuse_port = True
    with refused(DicomExceptionCode.NetAddressInUse):
        listener(nets, net.HostPort)


OTHER_USER = """
import os, sys
from leadtools_compat.dicom import *
with DicomNet(None, DicomNetSecurityMode.None_) as net:
    os.setuid(65534)
    net.reuse_port = True
    try:
        net.Listen("127.0.0.1", int(sys.argv[1]), 1)
    except DicomException as error:
        print(error)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")
def test_port_is_not_shared_with_other_users(nets: Keep) -> None:
    done = python("-c", OTHER_USER, listener(nets).HostPort)
    assert "NetAddressInUse" in done.stdout, done.stderr
    assert "same user" in done.stdout


def test_settings_of_listening_cannot_be_written_after_dispose() -> None:
    net = RecordingNet()
    net.Dispose()
    for name, value in (("reuse_port", True), ("trusted_proxies", ())):
        with refused(DicomExceptionCode.ObjectDisposed):
            setattr(net, name, value)
