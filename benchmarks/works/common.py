"""How most works are run: a server, its clients at once, and what both sides have used."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.core.model import Case, Sample, Settings
from benchmarks.core.processes import Sampler, Worker, busy_seconds, watched

__all__ = ["Bench", "Outcome", "pair", "sample"]


@dataclass(frozen=True)
class Bench:
    """What the works need of the run."""

    settings: Settings
    sampler: Sampler
    patience: float = 120.0

    def log(self, who: str) -> Any:
        return self.settings.folder / f"{who}.log"


@dataclass(frozen=True)
class Outcome:
    """What the programs have said, and what was seen from outside."""

    results: list[dict[str, Any]]
    client_cpu: float
    server_cpu: float
    client_peak: float
    server_peak: float
    client_idle: float
    server_idle: float
    foreign: float

    @property
    def count(self) -> int:
        return sum(result["count"] for result in self.results)

    @property
    def bytes(self) -> int:
        return sum(result["bytes"] for result in self.results)

    def rate(self, what: str) -> float:
        """Sum over the clients of what each did in its own time, for each second."""
        return float(sum(result[what] / result["seconds"] for result in self.results))


def pair(case: Case, bench: Bench) -> Outcome:
    """Run one server and the clients of the case against it."""
    spec, settings = case.spec, bench.settings
    cpu = 0 if spec.pinned else None
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            Worker(case.scp.serve(spec, settings), bench.log("server"), cpu)
        )
        port = server.ready()
        clients = [
            stack.enter_context(
                Worker(case.scu.client(spec, settings, port), bench.log(f"client-{number}"), cpu)
            )
            for number in range(spec.clients)
        ]
        for client in clients:
            client.ready()
        time.sleep(0.05)  # starting is over
        stack.enter_context(watched(bench.sampler, server, *clients))
        idle = [bench.sampler.look(server.pid), sum(bench.sampler.look(it.pid) for it in clients)]
        before = [server.cpu(), sum(client.cpu() for client in clients)]
        busy, began = busy_seconds(), time.monotonic()
        for client in clients:
            client.go()
        results = [client.result(bench.patience) for client in clients]
        took = time.monotonic() - began
        busy = busy_seconds() - busy
        after = [server.cpu(), sum(client.cpu() for client in clients)]
        peak = [bench.sampler.look(server.pid), sum(bench.sampler.look(it.pid) for it in clients)]
        if server.process.poll() is not None:
            raise server.broken("the server has ended")
    ours = after[0] - before[0] + after[1] - before[1]
    return Outcome(
        results=results,
        client_cpu=sum(it.get("cpu", 0.0) for it in results) or after[1] - before[1],
        server_cpu=after[0] - before[0],
        client_peak=peak[1],
        server_peak=peak[0],
        client_idle=idle[1],
        server_idle=idle[0],
        foreign=max(0.0, (busy - ours) / took),
    )


def sample(outcome: Outcome, value: float, unit_count: float, scale: float) -> Sample:
    """Make a sample; CPU figures are seconds for each of `unit_count`, times `scale`."""
    return Sample(
        value=value,
        client_cpu=outcome.client_cpu / unit_count * scale,
        server_cpu=outcome.server_cpu / unit_count * scale,
        client_peak=outcome.client_peak,
        server_peak=outcome.server_peak,
        client_above=outcome.client_peak - outcome.client_idle,
        server_above=outcome.server_peak - outcome.server_idle,
        foreign=outcome.foreign,
    )
