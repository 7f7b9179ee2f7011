"""The figures of the benchmarks: medians, ratios round by round, what failed, tables and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.core import report
from benchmarks.core.model import Case, Sample, Spec
from benchmarks.core.run import Run

FASTER = Spec("handshakes", "more is better", "handshakes")
SHORTER = Spec("echo", "less is better", "echo")


def run_of(spec: Spec, **rows: list[float | None]) -> Run:
    """Make a run; the first row is the reference, None a failure."""
    cases = [Case(spec, name, None, None, number == 0) for number, name in enumerate(rows)]
    run = Run(cases, noise=[{"wall_ms": 60.0, "load": 1.0}], seconds=1.0, rounds=3)
    for number, values in enumerate(rows.values()):
        run.samples[number] = [
            Sample(error="it broke") if value is None else Sample(value=value, client_cpu=1.0)
            for value in values
        ]
    return run


def rows_of(run: Run) -> dict[str, report.Row]:
    return {row.case.name: row for rows in report.rows_of(run).values() for row in rows}


def test_the_ratio_is_taken_within_each_round_so_that_a_slow_minute_meets_both() -> None:
    rows = rows_of(run_of(FASTER, limit=[100, 10, 100], ours=[90, 9, 90]))
    assert rows["ours"].ratio == pytest.approx(0.9)
    assert rows["ours"].value == 90
    assert (rows["ours"].low, rows["ours"].high) == (9, 90)


def test_above_one_is_better_for_times_as_well_as_for_rates() -> None:
    assert rows_of(run_of(FASTER, limit=[10], ours=[20]))["ours"].ratio == 2
    assert rows_of(run_of(SHORTER, limit=[10], ours=[20]))["ours"].ratio == 0.5


def test_a_row_that_failed_says_so_and_has_no_figure() -> None:
    run = run_of(FASTER, limit=[100, 100], ours=[None, None])
    row = rows_of(run)["ours"]
    assert row.value is None
    assert row.ratio is None
    assert "failed: it broke" in report.tables(run)


def test_one_failure_is_kept_beside_the_samples_that_went_well() -> None:
    row = rows_of(run_of(FASTER, limit=[100, 100], ours=[None, 50]))["ours"]
    assert row.value == 50
    assert row.count == 1
    assert row.error == "it broke"


def test_json_has_every_sample(tmp_path: Path) -> None:
    report.write_json(run_of(FASTER, limit=[100, 101], ours=[50, None]), tmp_path / "results.json")
    content = json.loads((tmp_path / "results.json").read_text())
    limit, ours = content["results"]
    assert [sample["value"] for sample in limit["samples"]] == [100, 101]
    assert ours["samples"][1]["error"] == "it broke"
    assert content["noise"]
    assert content["machine"]["cpus"] > 0
