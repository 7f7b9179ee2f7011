"""A run as tables (Markdown) and as JSON: medians, spread, and ratios to the reference."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.core import plan
from benchmarks.core.model import Case, Sample, Spec
from benchmarks.core.noise import NOISY, machine
from benchmarks.core.run import Run

__all__ = ["Row", "rows_of", "tables", "write_json"]


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    case: Case
    value: float | None
    low: float | None
    high: float | None
    count: int
    noisy: int
    ratio: float | None
    """To the reference, above 1 = better than it."""
    samples: list[Sample]
    error: str

    @property
    def not_offered(self) -> bool:
        """Whether the peer says that it cannot do this."""
        return "not offered" in self.error

    def median(self, name: str) -> float | None:
        return _median(getattr(sample, name) for sample in self.samples)

    def extra(self, name: str) -> float | None:
        return _median(sample.extra.get(name) for sample in self.samples)


def _row(run: Run, case: Case, reference: list[Sample]) -> Row:
    work = plan.WORKS[case.spec.work]
    all_samples = run.of(case)
    good = [it for it in all_samples if it.value is not None]
    values = [it.value for it in good if it.value is not None]
    # Round by round, so that a slow minute meets both sides of a ratio.
    pairs = [
        (mine.value, other.value)
        for mine, other in zip(all_samples, reference, strict=False)
        if mine.value and other.value
    ]
    ratios = [mine / other if work.HIGHER else other / mine for mine, other in pairs]
    errors = [it.error for it in all_samples if it.error]
    return Row(
        case=case,
        value=_median(values),
        low=min(values, default=None),
        high=max(values, default=None),
        count=len(good),
        noisy=sum(it.foreign > NOISY for it in good),
        ratio=_median(ratios),
        samples=good,
        error=errors[0] if errors else "",
    )


def rows_of(run: Run) -> dict[Spec, list[Row]]:
    """Sort the run into tables."""
    found: dict[Spec, list[Row]] = {}
    for case in run.cases:
        reference = next(it for it in run.cases if it.spec == case.spec and it.reference)
        found.setdefault(case.spec, []).append(_row(run, case, run.of(reference)))
    return found


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _both(row: Row, left: str, right: str) -> str:
    first, second = row.median(left), row.median(right)
    return "" if first is None or second is None else f"{_number(first)} / {_number(second)}"


def _columns(spec: Spec) -> list[str]:
    work = plan.WORKS[spec.work]
    head = ["", f"{work.UNIT}, median (min-max)", "n (noisy)", "ratio"]
    if spec.work == "idle":
        return [*head, "held / answered", "threads", "CPU %", "C-ECHO p99 µs"]
    if spec.work == "startup":
        return head
    if work.LATENCY:
        head.append("p99 µs")
    cpu = "s/GiB" if spec.work == "store" else "ms each"
    return [*head, f"CPU {cpu} client / server", "peak MiB client / server", "above idle"]


def _cells(spec: Spec, row: Row) -> list[str]:
    work = plan.WORKS[spec.work]
    if row.value is None:
        first = row.error.partition("\n")[0]
        short = "not offered" if row.not_offered else f"failed: {first[-60:]}"
        return [row.case.name, short, *[""] * (len(_columns(spec)) - 2)]
    spread = f"{_number(row.value)} ({_number(row.low)}-{_number(row.high)})"
    count = f"{row.count} ({row.noisy})" if row.noisy else str(row.count)
    ratio = "reference" if row.case.reference else _number(row.ratio)
    cells = [row.case.name, spread, count, ratio]
    if spec.work == "idle":
        held = f"{_number(row.extra('held'))} / {_number(row.extra('answered'))}"
        cpu = _number(row.extra("cpu_percent"))
        return [*cells, held, _number(row.median("threads")), cpu, _number(row.median("p99"))]
    if spec.work == "startup":
        return cells
    if work.LATENCY:
        cells.append(_number(row.median("p99")))
    cells.append(_both(row, "client_cpu", "server_cpu"))
    cells.append(_both(row, "client_peak", "server_peak"))
    return [*cells, _both(row, "client_above", "server_above")]


def _line(cells: list[str], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def tables(run: Run) -> str:
    """Write all tables in Markdown."""
    text = [_about(run)]
    for spec, rows in rows_of(run).items():
        lines = [_columns(spec), *(_cells(spec, row) for row in rows)]
        widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
        rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
        body = [_line(line, widths) for line in lines]
        text.append("\n".join([f"**{spec.title}**", "", body[0], rule, *body[1:]]))
    return "\n\n".join(text) + "\n"


def _about(run: Run) -> str:
    facts = machine()
    walls = [noise["wall_ms"] for noise in run.noise]
    loads = [noise["load"] for noise in run.noise]
    return (
        f"{facts['cpus']} CPUs ({facts['cpu']}), {facts['system']}, Python {facts['python']}, "
        f"{facts['openssl']}, {facts['dcmtk']}, Orthanc {facts['orthanc']}, pynetdicom "
        f"{facts['pynetdicom']}.\n"
        f"{run.rounds} whole rounds in {run.seconds:.0f} s, interleaved. Noise: the fixed piece of "
        f"work took {min(walls):.0f}-{max(walls):.0f} ms, load {min(loads):.1f}-{max(loads):.1f}. "
        f"A sample is noisy when others used more than {NOISY} CPU meanwhile.\n"
        "Ratios: above 1 is better than the reference, taken round by round."
    )


def write_json(run: Run, path: Path) -> None:
    """Write all samples, for plots and comparisons of one's own."""
    results = []
    for spec, rows in rows_of(run).items():
        results += [
            {
                "title": spec.title,
                "work": spec.work,
                "unit": plan.WORKS[spec.work].UNIT,
                "higher_is_better": plan.WORKS[spec.work].HIGHER,
                "row": row.case.name,
                "reference": row.case.reference,
                "median": row.value,
                "min": row.low,
                "max": row.high,
                "ratio": row.ratio,
                "samples": [sample.as_dict() for sample in run.of(row.case)],
            }
            for row in rows
        ]
    content: dict[str, Any] = {
        "machine": machine(),
        "seconds": run.seconds,
        "rounds": run.rounds,
        "noise": run.noise,
        "results": results,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
