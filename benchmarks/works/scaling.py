"""Several listening processes against one: where Python itself is the limit, and where it is not."""

from __future__ import annotations

from benchmarks.core.model import Case, Sample, Spec
from benchmarks.works.common import Bench, pair, sample

__all__ = ["HIGHER", "LATENCY", "UNIT", "run", "specs"]

UNIT = "1/s"
HIGHER = True
LATENCY = False


def specs(full: bool) -> list[Spec]:
    if not full:
        return []
    four = "TLS 1.3, four clients"
    return [
        Spec(
            "scaling",
            f"scaling: association + C-ECHO + release, {four}",
            "handshakes",
            clients=4,
        ),
        *(
            Spec(
                "scaling",
                f"scaling: C-ECHO answered after {micro / 1000:g} ms of Python, {four}",
                "echo",
                clients=4,
                python_us=micro,
            )
            for micro in (100, 2000)
        ),
    ]


def run(case: Case, bench: Bench) -> Sample:
    outcome = pair(case, bench)
    return sample(outcome, outcome.rate("count"), outcome.count, 1e3)
