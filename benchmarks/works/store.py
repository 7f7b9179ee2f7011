"""C-STORE: MiB of data sets each second, dropped by the receiver."""

from __future__ import annotations

from benchmarks.core.model import GIB, MIB, Case, Sample, Spec
from benchmarks.works.common import Bench, pair, sample

__all__ = ["HIGHER", "LATENCY", "UNIT", "run", "specs"]

UNIT = "MiB/s"
HIGHER = True
LATENCY = False
WINDOW = 8
SIZES = {64 * 1024: "64 KiB", 512 * 1024: "512 KiB", 64 * MIB: "64 MiB", 512 * MIB: "512 MiB"}


def _one(size: int, tls: bool = True, clients: int = 1, window: int = 1) -> Spec:
    words = ["TLS 1.3" if tls else "plain", "one association"]
    if clients > 1:
        words[1] = f"{clients} associations"
    words.append("one in flight" if window == 1 else f"{window} in flight")
    title = f"C-STORE of {SIZES[size]} objects, {', '.join(words)}"
    return Spec("store", title, "store", tls=tls, clients=clients, size=size, window=window)


def specs(full: bool) -> list[Spec]:
    small, middle, large, _ = SIZES
    if not full:
        return [
            _one(small),
            _one(small, window=WINDOW),
            _one(middle),
            _one(middle, window=WINDOW),
            _one(large),
            _one(middle, clients=4),
        ]
    found = [_one(size, tls) for tls in (True, False) for size in SIZES]
    found += [_one(size, window=WINDOW) for size in (small, middle, large)]
    return found + [_one(size, clients=4) for size in (small, middle, large)]


def run(case: Case, bench: Bench) -> Sample:
    outcome = pair(case, bench)
    return sample(outcome, outcome.rate("bytes") / MIB, outcome.bytes / GIB, 1.0)
