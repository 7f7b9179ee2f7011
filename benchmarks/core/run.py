"""Runs the cases: every round goes through all of them, so that noise meets all alike.

A round does the cases in an order of its own (shuffled by a fixed seed). Rounds are done until the
wanted number is reached, or the time is up; the first one is always whole.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.core import plan
from benchmarks.core.model import Case, Sample, Settings
from benchmarks.core.noise import calibrate
from benchmarks.core.processes import BrokenRunError, Sampler
from benchmarks.works.common import Bench

__all__ = ["Run", "run_all"]


@dataclass
class Run:
    """All that was measured."""

    cases: list[Case]
    samples: dict[int, list[Sample]] = field(default_factory=dict)
    noise: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    rounds: int = 0

    def of(self, case: Case) -> list[Sample]:
        return self.samples[self.cases.index(case)]


def _one(case: Case, bench: Bench) -> Sample:
    try:
        sample: Sample = plan.WORKS[case.spec.work].run(case, bench)
    except (BrokenRunError, OSError, NotImplementedError) as error:
        sample = Sample(error=str(error))
    return sample


def run_all(
    cases: list[Case], settings: Settings, rounds: int, budget: float, verbose: bool
) -> Run:
    """Measure; `budget` in seconds, after which no more is begun but for the first round."""
    run = Run(cases, {number: [] for number in range(len(cases))})
    sampler = Sampler()
    bench = Bench(settings, sampler)
    began = time.monotonic()
    show = sys.stderr.isatty() or verbose
    try:
        for turn in range(rounds):
            order = list(range(len(cases)))
            random.Random(turn).shuffle(order)
            run.noise.append(calibrate())
            for number in order:
                if turn > 0 and time.monotonic() - began > budget:
                    break
                sample = _one(cases[number], bench)
                run.samples[number].append(sample)
                if show:
                    value = sample.error.partition("\n")[0][:300] or f"{sample.value:.1f}"
                    case = cases[number]
                    words = f"[{turn + 1}/{rounds}] {case.spec.title}: {case.name}: {value}"
                    print(words, file=sys.stderr, flush=True)
            else:
                run.rounds += 1
                continue
            break
    finally:
        sampler.close()
        plan.orthanc.clean()
    run.noise.append(calibrate())
    run.seconds = time.monotonic() - began
    return run
