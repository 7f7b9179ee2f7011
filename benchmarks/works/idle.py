"""Associations that are open and do nothing: memory, threads and CPU of the server.

Held by programs/holder.c for every server alike. Then one C-ECHO on each shows that they live.
"""

from __future__ import annotations

import time

from benchmarks.core.model import Case, Command, Sample, Spec
from benchmarks.core.processes import Worker, busy_seconds, private_kib, threads
from benchmarks.works.common import Bench

__all__ = ["HIGHER", "LATENCY", "UNIT", "run", "specs"]

UNIT = "KiB private each"
HIGHER = False
LATENCY = False
WATCHED_SECONDS = 2.0


def specs(full: bool) -> list[Spec]:
    counts = (100, 1000, 10000) if full else (100,)
    return [
        Spec("idle", f"{count} idle associations, TLS 1.3", "hold", count=count) for count in counts
    ]


def run(case: Case, bench: Bench) -> Sample:
    spec, settings = case.spec, bench.settings
    with Worker(case.scp.serve(spec, settings), bench.log("server")) as server:
        port = server.ready()
        time.sleep(0.2)
        before = private_kib(server.pid)
        words = (f"count={spec.count}", f"port={port}", f"tls={settings.materials.tls}")
        holder = Command((settings.programs.holder(), *words))
        began = time.monotonic()
        with Worker(holder, bench.log("client-0")) as client:
            held = client.ready()
            took = time.monotonic() - began
            time.sleep(0.5)
            cpu, busy, start = server.cpu(), busy_seconds(), time.monotonic()
            time.sleep(WATCHED_SECONDS)
            seconds = time.monotonic() - start
            cpu, busy = server.cpu() - cpu, busy_seconds() - busy
            private, count = private_kib(server.pid), threads(server.pid)
            client.go()
            answered = client.result(bench.patience)
    return Sample(
        value=(private - before) / max(held, 1),
        p99=answered["p99"],
        threads=count,
        foreign=max(0.0, (busy - cpu) / seconds),
        extra={
            "held": held,
            "answered": answered["count"],
            "cpu_percent": cpu / seconds * 100,
            "connect_seconds": took,
        },
        error=""
        if held == answered["count"] == spec.count
        else f"held {held} of {spec.count}, {answered['count']} answered",
    )
