"""Early data (0-RTT, RFC 8446 2.3): never taken, whatever a client tries, and never sent."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomNet
from leadtools_compat.testing import TestPki, der
from tests.dicom.nodes import Node
from tests.robustness.robust_tools import until
from tests.support import PATIENCE, Listener
from tests.tls.peers import CLEAN, openssl_client, openssl_server, own
from tests.tls.tls_tools import CODES, TLS, Rules, rules_for

Nets = Callable[[Any], Any]
MAX_EARLY_DATA = 15
"""Of SSL_SESSION's structure, ssl_asn1.c; the elements come in the order of their numbers."""


class Unjudged(Node):
    """Has the library's OnVerify, so its sessions may be resumed."""

    OnVerify = DicomNet.OnVerify


def elements(content: bytes) -> list[tuple[int, bytes]]:
    """Split DER into tags and whole elements."""
    found = []
    while content:
        size, at = content[1], 2
        if size & 0x80:
            at += size & 0x7F
            size = int.from_bytes(content[2:at], "big")
        found.append((content[0], content[: at + size]))
        content = content[at + size :]
    return found


def allow_early_data(path: Path) -> None:
    """Make a saved session say that its server takes 16 KiB of early data."""
    text = path.read_text()
    whole = base64.b64decode("".join(re.findall(r"^[A-Za-z0-9+/=]+$", text, re.M)))
    ((_, sequence),) = elements(whole)
    at = 2 + (sequence[1] & 0x7F if sequence[1] & 0x80 else 0)
    tag = 0xA0 | MAX_EARLY_DATA
    parts = [one for one in elements(sequence[at:]) if one[0] != tag]
    place = next((i for i, one in enumerate(parts) if one[0] > tag), len(parts))
    parts.insert(place, (tag, der.explicit(MAX_EARLY_DATA, der.integer(16384))))
    encoded = base64.encodebytes(der.sequence(*(one for _, one in parts))).decode()
    path.write_text(
        f"-----BEGIN SSL SESSION PARAMETERS-----\n{encoded}-----END SSL SESSION PARAMETERS-----\n"
    )


def save_session(port: int, session: Path, *options: str) -> str:
    """Let ``openssl s_client`` stay until the server's ticket has come, and keep it in a file."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options]
    with subprocess.Popen(
        [*command, "-sess_out", str(session)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=CLEAN,
    ) as process:
        # Its words stay in its buffer until it ends; the file is written when the ticket comes.
        until(lambda: session.is_file() and b"END SSL SESSION" in session.read_bytes(), "a ticket")
        printed, _ = process.communicate("Q\n", PATIENCE)
    return printed


@pytest.fixture
def listener(pki: TestPki, nets: Nets) -> Listener:
    """A server whose sessions may go on; its nets record what they receive."""

    def child() -> Any:
        net = rules_for(pki, "server").apply(Unjudged(TLS))
        net.tls_resumption = True
        return nets(net)

    made: Listener = nets(Listener(child))
    made.Listen("127.0.0.1", 0, 8)
    return made


def test_early_data_that_a_client_sends_is_thrown_away(
    pki: TestPki, listener: Listener, tmp_path: Path
) -> None:
    session, early = tmp_path / "session.pem", tmp_path / "early"
    early.write_bytes(b"\x01\x00\x00\x00\x00\x04ABCD" * 20)  # PDUs, for whoever would read them
    common = ("-CAfile", pki.ca_file, *own(pki.client), "-tls1_3")
    save_session(listener.HostPort, session, *common)
    listener.child(1).log.wait("OnClose")
    allow_early_data(session)
    printed = openssl_client(
        listener.HostPort, *common, "-sess_in", str(session), "-early_data", str(early)
    )
    assert "Early data was rejected" in printed
    child = listener.child(2)
    assert child.log.wait("OnSecureLinkReady").code == CODES.Success
    child.log.wait("OnClose")
    assert [name for name in child.log.names() if name.startswith("OnReceive")] == []
    assert child.traffic[1] == 0  # received


def test_sessions_of_our_server_allow_none(
    pki: TestPki, listener: Listener, tmp_path: Path
) -> None:
    session, early = tmp_path / "session.pem", tmp_path / "early"
    early.write_bytes(b"early")
    common = ("-CAfile", pki.ca_file, *own(pki.client), "-tls1_3")
    printed = save_session(listener.HostPort, session, *common)
    assert "Max Early Data: 0" in printed
    printed = openssl_client(
        listener.HostPort, *common, "-sess_in", str(session), "-early_data", str(early)
    )
    assert "Early data was not sent" in printed


def test_our_client_sends_none_to_a_server_that_takes_it(pki: TestPki, nets: Nets) -> None:
    rules: Rules = rules_for(pki, "client")
    net = nets(rules.apply(Unjudged(TLS)))
    net.tls_resumption = True
    with openssl_server(*own(pki.server), "-early_data", "-tls1_3", "-no_anti_replay") as server:
        for turn in (1, 2):
            start = server.printed
            net.Connect(None, 0, "127.0.0.1", server.port)
            assert net.log.wait("OnSecureLinkReady", turn).code == CODES.Success
            assert net.tls_resumed is (turn == 2)
            server.wait_for("No early data received", start)
            net.CloseForced(True)
            net.log.wait("OnClose", turn)
