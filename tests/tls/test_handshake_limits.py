"""Unfinished handshakes at the default limits: 128 of an address, loopback exempt, the oldest goes.

The address that is not loopback is in a network of the test's own; limits set by hand are tested
with the load tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.support import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "198.51.100.1"
"""RFC 5737: of nobody."""
CROWD = 131

CODE = """
import contextlib, json, socket, sys
from leadtools_compat._binding.reads import statistics
from tests.support import Listener, RecordingNet, connect
from tests.tls.tls_tools import PEM, TLS

own, address, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

def node():
    net = RecordingNet(TLS)
    net.SetTlsClientCertificate(own, PEM, None)
    net.handshake_timeout = 3600
    return net

listener = Listener(node)
listener.Listen(address, 0, 256)
with contextlib.ExitStack() as stack:
    peers = []
    for number in range(1, count + 1):
        peers.append(stack.enter_context(socket.create_connection((address, listener.HostPort))))
        listener.log.wait("OnAccept", number)
    client = node()
    client.Connect(None, 0, address, listener.HostPort)
    linked = client.log.wait("OnSecureLinkReady").code.name
    # In TLS 1.3 the client is ready before the server has read its Finished.
    listener.log.wait("OnAccept", count + 1)
    listener.children[count].log.wait("OnSecureLinkReady")
    evicted = []
    for child in listener.children[:4]:
        if count > 128:
            code = child.log.wait("OnClose").code.name if address != "127.0.0.1" else "Success"
            evicted.append([code, child.failure.code.name if child.failure else ""])
    alive = sum(child.IsConnected() for child in listener.children)
    unfinished = statistics()["handshakes"]
    listener.CloseForced(True)
print(json.dumps({"linked": linked, "evicted": evicted, "alive": alive, "unfinished": unfinished}))
"""


def crowd(pki: TestPki, address: str, *before: str) -> Any:
    """Let a crowd connect to `address` and say nothing, then a proper client; give what became of them."""
    done = subprocess.run(
        [*before, sys.executable, "-c", CODE, pki.client.combined_file, address, str(CROWD)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_129th_of_an_address_costs_the_oldest_and_a_proper_client_gets_in(
    pki: TestPki,
) -> None:
    room = (*("unshare", "--net"), *(() if os.geteuid() == 0 else ("--user", "--map-root-user")))
    up = f'ip link set lo up && ip addr add {ADDRESS}/32 dev lo && exec "$@"'
    told = crowd(pki, ADDRESS, *room, "sh", "-c", up, "sh")
    assert told["linked"] == "Success"
    # 131 silent ones and the client: four more than 128.
    assert told["evicted"] == [["NetTooManyConnections", "NetTooManyConnections"]] * 4
    assert told["unfinished"] == 127
    assert told["alive"] == 128


def test_loopback_is_exempt_by_default(pki: TestPki) -> None:
    told = crowd(pki, "127.0.0.1")
    assert told["linked"] == "Success"
    assert told["evicted"] == [["Success", ""]] * 4
    assert told["unfinished"] == CROWD
    assert told["alive"] == CROWD + 1


pytestmark = pytest.mark.timeout(300)
