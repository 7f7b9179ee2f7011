"""The end of a load test: nothing that was done is missing in the report.

When a test without a page is over, Locust's master gives its workers half a second for their last
report, which a request that is under way may outlast; and the tables are written once in a second,
whatever has come since.
"""

from __future__ import annotations

from typing import Any

import gevent
from locust import stats
from locust.rpc import Message
from locust.runners import STATE_STOPPING, MasterRunner

__all__ = ["PATIENCE", "wait_for_tables", "wait_for_workers"]

PATIENCE = 60.0
"""Seconds, beside Locust's own ``--stop-timeout``."""


def wait_for_workers(environment: Any, **_: Any) -> None:
    """Stop the workers, and wait until each has reported that its last user has ended."""
    runner = environment.runner
    options = environment.parsed_options
    if not isinstance(runner, MasterRunner) or not getattr(options, "headless", False):
        return  # with a page, the test stops and the workers stay
    running = {client.id for client in runner.clients.all}

    def report(client_id: str, data: dict[str, Any]) -> None:
        if data.get("user_count") == 0:  # and with it everything that they had done
            running.discard(client_id)

    environment.events.worker_report.add_listener(report)
    runner.update_state(STATE_STOPPING)  # else it gives a worker that is ready again new users
    for client_id in list(running):
        runner.server.send_to_client(Message("stop", None, client_id))  # type: ignore[no-untyped-call]
    with gevent.Timeout(PATIENCE + (environment.stop_timeout or 0.0), False):
        while running & {client.id for client in runner.clients.all}:
            gevent.sleep(0.05)
    environment.events.worker_report.remove_listener(report)


def wait_for_tables(environment: Any, **_: Any) -> None:
    """Let the tables be written once more, when all users have ended."""
    if getattr(environment.parsed_options, "csv_prefix", None):
        gevent.sleep(stats.CSV_STATS_INTERVAL_SEC + 0.2)
