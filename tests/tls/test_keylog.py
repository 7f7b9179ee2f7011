"""The key log: tshark decrypts with it, nobody else can read it, and it never happens unasked or unnoticed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.dicom.nodes import IMPLICIT, VERIFICATION, Node, request
from tests.interop.capture import Relay, write_capture
from tests.interop.programs import run
from tests.support import Listener, RecordingNet, refused
from tests.tls.conftest import Meet
from tests.tls.peers import openssl_client
from tests.tls.tls_tools import CODES, TLS, VERSIONS, LibraryLog, rules_for, run_python

Nets = Callable[[Any], Any]
PORT = 2762
LINES_12 = {"CLIENT_RANDOM"}
LINES_13 = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
}


def logged(path: Path) -> list[str]:
    """Give the labels in a key log; each line has to be whole."""
    lines = path.read_text("ascii").splitlines()
    assert all(re.fullmatch(r"[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,96}", line) for line in lines)
    return [line.split()[0] for line in lines]


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("side", ["client", "server"])
def test_tshark_decrypts_an_association_with_the_key_log(
    pki: TestPki, nets: Nets, tmp_path: Path, version: str, side: str
) -> None:
    path, capture = tmp_path / "keys.log", tmp_path / "traffic.pcap"

    def make(who: Any) -> Any:
        net = nets(rules_for(pki, who, method=VERSIONS[version]).apply(Node(TLS)))
        if who == side:
            net.tls_keylog_file = path
        return net

    listener = nets(Listener(lambda: make("server")))
    listener.Listen("127.0.0.1", 0, 4)
    client = make("client")
    with Relay(listener.HostPort) as relay:
        client.Connect(None, 0, "127.0.0.1", relay.port)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        client.SendAssociateRequest(request((VERIFICATION, IMPLICIT), called="SECRETCALLED"))
        listener.child().log.wait("OnReceiveAssociateRequest")
        client.CloseForced(True)
        client.log.wait("OnClose")
        listener.child().log.wait("OnClose")
    write_capture(capture, relay.connections, PORT)
    assert b"SECRETCALLED" not in capture.read_bytes()
    tls = ("-d", f"tcp.port=={PORT},tls")
    read = ("tshark", "-n", "-r", capture, *tls, "-q", "-z", "follow,tls,ascii,0")
    assert "SECRETCALLED" not in run(*read)
    assert "SECRETCALLED" in run(*read, "-o", f"tls.keylog_file:{path}")
    assert set(logged(path)) >= (LINES_12 if version == "TLSv1.2" else LINES_13)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_setting_it_and_each_link_warns(
    pki: TestPki, nets: Nets, library_log: LibraryLog, tmp_path: Path
) -> None:
    path = tmp_path / "keys.log"
    listener = nets(Listener(lambda: nets(rules_for(pki, "server").net())))
    listener.Listen("127.0.0.1", 0, 4)
    client = nets(rules_for(pki, "client").net())
    client.tls_keylog_file = path
    assert library_log.about_settings("will be written to")
    assert path.exists()
    assert logged(path) == []
    sizes = []
    for turn in (1, 2):
        library_log.clear()
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        client.log.wait("OnSecureLinkReady", turn)
        library_log.wait("secrets of a TLS link are written", str(path))
        client.CloseForced(True)
        client.log.wait("OnClose", turn)
        sizes.append(len(logged(path)))
    assert 0 < sizes[0] < sizes[1]  # appended
    client.tls_keylog_file = None
    assert client.tls_keylog_file is None
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    client.log.wait("OnSecureLinkReady", 3)
    assert len(logged(path)) == sizes[1]


def test_other_nets_with_the_same_settings_are_not_logged(
    pki: TestPki, nets: Nets, tmp_path: Path, meet: Meet
) -> None:
    path = tmp_path / "keys.log"
    logging = nets(rules_for(pki, "client").net())
    logging.tls_keylog_file = path
    listener = meet(rules_for(pki, "server"), rules_for(pki, "client")).listener
    assert logged(path) == []
    logging.Connect(None, 0, "127.0.0.1", listener.HostPort)
    logging.log.wait("OnSecureLinkReady")
    lines = len(logged(path))
    assert lines
    quiet = nets(rules_for(pki, "client").net())
    quiet.Connect(None, 0, "127.0.0.1", listener.HostPort)
    quiet.log.wait("OnSecureLinkReady")
    assert len(logged(path)) == lines


def test_file_that_others_can_read_or_that_is_none_is_refused(nets: Nets, tmp_path: Path) -> None:
    net = nets(RecordingNet(TLS))
    path = tmp_path / "keys.log"
    path.write_text("")
    path.chmod(0o640)
    with refused(CODES.FileAccess, "keys.log", "can be read by others", "mode 600"):
        net.tls_keylog_file = path
    path.chmod(0o600)
    net.tls_keylog_file = path
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(path)
    os.mkfifo(pipe, 0o600)
    for bad in (link, pipe, tmp_path, tmp_path / "no" / "folder"):
        with refused(CODES.FileAccess, str(bad)):
            net.tls_keylog_file = bad
    assert net.tls_keylog_file == path


def test_it_is_frozen_while_connected(meet: Meet, pki: TestPki, tmp_path: Path) -> None:
    meeting = meet(rules_for(pki, "server"), rules_for(pki, "client"))
    with refused(CODES.InvalidState, "key log"):
        meeting.client.tls_keylog_file = tmp_path / "keys.log"
    assert not (tmp_path / "keys.log").exists()


def test_environment_is_never_looked_at(pki: TestPki, tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    told = run_python(
        """
        import json, sys
        from tests.support import Listener, RecordingNet, connect
        from tests.tls.tls_tools import PEM, TLS

        def net():
            made = RecordingNet(TLS)
            made.SetTlsClientCertificate(sys.argv[1], PEM, None)
            return made

        listener = Listener(net)
        listener.Listen("127.0.0.1", 0, 4)
        client = net()
        connect(client, listener)
        print(json.dumps(client.log.wait("OnSecureLinkReady").code.name))
        """,
        pki.client.combined_file,
        folder=tmp_path,
        environment={**os.environ, "SSLKEYLOGFILE": str(path)},
    )
    assert told == "Success"
    assert not path.exists()


def test_openssl_writes_the_same_secrets_for_the_same_link(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours.log", tmp_path / "theirs.log"

    def child() -> Any:
        net = nets(rules_for(pki, "server", flags=0).net())
        net.tls_keylog_file = ours
        return net

    listener = nets(Listener(child))
    listener.Listen("127.0.0.1", 0, 4)
    openssl_client(listener.HostPort, "-keylogfile", str(theirs))
    listener.child().log.wait("OnClose")
    lines = [line for line in theirs.read_text().splitlines() if not line.startswith("#")]
    assert {line.split()[0] for line in lines} >= LINES_13
    assert set(lines) == set(ours.read_text().splitlines())
