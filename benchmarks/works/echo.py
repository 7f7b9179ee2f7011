"""C-ECHO on an open association: how long one takes."""

from __future__ import annotations

from benchmarks.core.model import Case, Sample, Spec
from benchmarks.works.common import Bench, pair, sample

__all__ = ["HIGHER", "LATENCY", "UNIT", "run", "specs"]

UNIT = "µs, p50"
HIGHER = False
LATENCY = True


def specs(full: bool) -> list[Spec]:
    def one(tls: bool, pinned: bool) -> Spec:
        where = "both ends on one CPU" if pinned else "free"
        kind = "TLS 1.3" if tls else "plain"
        return Spec("echo", f"C-ECHO, {kind}, {where}", "echo", tls=tls, pinned=pinned)

    found = [one(True, True), one(True, False)]
    if full:
        found += [one(False, True), one(False, False)]
    return found


def run(case: Case, bench: Bench) -> Sample:
    outcome = pair(case, bench)
    made = sample(outcome, outcome.results[0]["p50"], outcome.count, 1e3)
    made.p99 = outcome.results[0]["p99"]
    return made
