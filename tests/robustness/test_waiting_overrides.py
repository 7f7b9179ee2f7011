"""Overrides that wait for overrides of other nets: threads do not run out for good."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

from tests.support import PATIENCE, RecordingNet

Keep = Callable[[Any], Any]
WAITING = 70
"""More than there are threads in ordinary times."""


def test_all_threads_wait_for_a_net_whose_turn_has_not_come(nets: Keep) -> None:
    """As the C-MOVE overrides of a busy archive do, each for its own connection to a third node."""
    with socket.create_server(("127.0.0.1", 0), backlog=2 * WAITING) as server:
        address = server.getsockname()
        heard = threading.Event()
        inside = threading.Semaphore(0)
        answers: list[bool] = []

        def wait(*arguments: Any) -> None:
            inside.release()
            answers.append(heard.wait(PATIENCE))

        waiting = [nets(RecordingNet(OnConnect=wait)) for _ in range(WAITING)]
        for net in waiting:
            net.Connect(None, 0, *address)
        for _ in range(60):
            assert inside.acquire(timeout=PATIENCE)
        third = nets(RecordingNet(OnConnect=lambda *arguments: heard.set()))
        third.Connect(None, 0, *address)
        for net in waiting:
            net.log.wait("OnConnect")
    assert answers == WAITING * [True]
