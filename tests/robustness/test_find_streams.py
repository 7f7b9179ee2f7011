"""A C-FIND with very many matches: it can be cancelled at once, and a slow client costs nobody memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.robustness import robust_find
from tests.robustness.robust_tools import environment, sanitized
from tests.robustness.robust_transfer import MIB, Watch

ALLOWED = 16 * MIB
"""Above idle, of either: 4 MiB of messages may wait to be sent, and as much again for what keeps 13 000 of them."""
CANCELLED = 0xFE00


@contextmanager
def program(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, robust_find.__file__, *map(str, arguments)]
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def find(
    matches: int, cancel_after: int, pause: float
) -> tuple[dict[str, Any], tuple[int, float | None]]:
    """Ask for matches; gives what the client and the server say of it."""
    with ExitStack() as stack:
        scp = stack.enter_context(program("scp", matches))
        port = said(scp)
        scu = stack.enter_context(program("scu", port, matches, cancel_after, pause))
        assert said(scu) == "ready"
        with Watch(scp.pid) as server, Watch(scu.pid) as client:
            assert scu.stdin is not None
            scu.stdin.write("go\n")
            scu.stdin.flush()
            told = json.loads(said(scu))
        sent, stopped = json.loads(said(scp))
        print(
            f"{told}, sent {sent}; above idle: client {client.growth / MIB:.1f} MiB, "
            f"server {server.growth / MIB:.1f} MiB"
        )
        if not sanitized():
            assert client.growth < ALLOWED
            assert server.growth < ALLOWED
        return told, (sent, stopped)


def cancelled_within_a_second(matches: int, after: int, pause: float = 0.0) -> None:
    told, (sent, stopped) = find(matches, after, pause)
    assert told["status"] == CANCELLED
    assert stopped is not None
    assert stopped < 1.0
    assert told["count"] == sent < matches
    # A slow client has to read what was sent before: the queue and what is in the sockets.
    assert told["after_cancel"] < 1.0 or pause


def slow_client_costs_nothing(matches: int, pause: float) -> None:
    told, (sent, stopped) = find(matches, 0, pause)
    assert (told["status"], told["count"], sent, stopped) == (0, matches, matches, None)
    assert told["took"] > matches * pause


def test_cancel_stops_20_000_matches_within_a_second() -> None:
    cancelled_within_a_second(20_000, 1000)


def test_cancel_of_a_client_that_reads_slowly_stops_100_000_matches_within_a_second() -> None:
    """The server has sent until it had to wait; the cancel overtakes what waits to be read."""
    cancelled_within_a_second(100_000, 2000, 0.0005)


@pytest.mark.soak
def test_cancel_stops_100_000_matches_within_a_second() -> None:
    cancelled_within_a_second(100_000, 5000)


def test_2_000_matches_for_a_slow_client_cost_no_memory() -> None:
    slow_client_costs_nothing(2_000, 0.0005)


@pytest.mark.soak
def test_100_000_matches_for_a_slow_client_cost_no_memory() -> None:
    slow_client_costs_nothing(100_000, 0.001)
