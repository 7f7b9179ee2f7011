"""Association, C-ECHO, release: how many each second."""

from __future__ import annotations

from benchmarks.core.model import Case, Sample, Spec
from benchmarks.works.common import Bench, pair, sample

__all__ = ["HIGHER", "LATENCY", "UNIT", "run", "specs"]

UNIT = "1/s"
HIGHER = True
LATENCY = False


def specs(full: bool) -> list[Spec]:
    def one(title: str, tls: bool = True, clients: int = 1, resume: bool = False) -> Spec:
        kind = "TLS 1.3" + (", resumed" if resume else "") if tls else "plain"
        heading = f"association + C-ECHO + release, {kind}, {title}"
        return Spec("handshakes", heading, "handshakes", tls=tls, clients=clients, resume=resume)

    found = [
        one("one client"),
        one("four clients", clients=4),
        one("one client", resume=True),
    ]
    if full:
        found += [one("four clients", clients=4, resume=True), one("one client", tls=False)]
    return found


def run(case: Case, bench: Bench) -> Sample:
    outcome = pair(case, bench)
    return sample(outcome, outcome.rate("count"), outcome.count, 1e3)
