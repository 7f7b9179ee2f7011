"""What it costs to say why a handshake failed: the peer chooses what there is to look at."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

import pytest

from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, Listener
from tests.tls import rawtls
from tests.tls.tls_tools import VERSIONS, rules_for

UNKNOWN, ED448 = 0xEEEE, 0x0808
MANY = 8000
"""Of each; a ClientHello has room for twice as many."""
LONGEST = 0.5
"""Seconds of all processors; one look at each algorithm takes about a millisecond."""


@pytest.mark.sanitize
def test_many_signature_algorithms_cost_no_more_than_looking_at_each(
    pki: TestPki, listen: Callable[..., Listener]
) -> None:
    """A client takes many that nobody knows, then, again and again, one that our key does not make."""
    identity = pki.make("good_rsa", role="server")
    rules = rules_for(pki, "server", identity=identity, method=VERSIONS["TLSv1.3"])
    listener = listen(make_child=rules.net)
    takes = rawtls.number(UNKNOWN, 2) * MANY + rawtls.number(ED448, 2) * MANY
    share = rawtls.number(rawtls.X25519, 2) + rawtls.block(os.urandom(32), 2)
    extensions = rawtls.extension(13, rawtls.block(takes, 2))
    extensions += rawtls.extension(43, b"\x02\x03\x04") + rawtls.GROUPS
    extensions += rawtls.extension(51, rawtls.block(share, 2))
    head = b"\x03\x03" + os.urandom(32) + rawtls.block(b"", 1)
    head += rawtls.block(rawtls.number(rawtls.SUITE_13, 2), 2) + rawtls.block(b"\0", 1)
    hello = rawtls.message(rawtls.CLIENT_HELLO, head + rawtls.block(extensions, 2))
    began = time.process_time()
    with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as connection:
        for at in range(0, len(hello), 16384):
            part = hello[at : at + 16384]
            connection.sendall(b"\x16\x03\x01" + rawtls.block(part, 2))
        child = listener.child()
        child.log.wait("OnClose")
    spent = time.process_time() - began
    assert "The peer takes Ed448." in child.failure.remedy
    assert spent < LONGEST
