"""What the benchmarks say about the aims: what is compared with what, and when one is met."""

from __future__ import annotations

import re

import pytest

from benchmarks.__main__ import PARTS
from benchmarks.core import aims, plan
from benchmarks.core.model import MIB, Case, Sample, Spec
from benchmarks.core.run import Run

FULL = Spec("handshakes", "full", "handshakes")
RESUMED = Spec("handshakes", "resumed", "handshakes", resume=True)
PINNED = Spec("echo", "pinned", "echo", pinned=True)
LARGE = Spec("store", "large", "store", size=512 * MIB)
FOUR = Spec("store", "four", "store", size=512 * 1024, clients=4)


def run_of(*tables: tuple[Spec, dict[str, Sample]]) -> Run:
    """Make a run of one round."""
    run = Run([], noise=[{"wall_ms": 60.0, "load": 1.0}], seconds=1.0, rounds=1)
    for spec, rows in tables:
        for name, sample in rows.items():
            run.samples[len(run.cases)] = [sample]
            run.cases.append(Case(spec, name, None, None, name == "limit"))
    return run


def found(run: Run) -> dict[str, aims.Aim]:
    return {aim.what: aim for aim in aims.aims(run)}


def test_resumed_is_compared_with_full_handshakes_of_the_same_language() -> None:
    full = {"limit": Sample(100), "ours C": Sample(90), "ours Python": Sample(80)}
    resumed = {"limit": Sample(400), "ours C": Sample(270), "ours Python": Sample(160)}
    run = run_of((FULL, full), (RESUMED, resumed))
    assert found(run)["resumed, of full, ours C"].reached == "3.00"
    assert found(run)["resumed, of full, ours C"].met
    assert not found(run)["resumed, of full, ours Python"].met
    assert found(run)["association, one client, of the limit"].reached == "0.80"


def test_times_are_compared_with_the_limit_of_the_same_run() -> None:
    rows = {"limit": Sample(20, p99=50), "ours C": Sample(51, p99=100)}
    lines = found(run_of((PINNED, rows)))
    assert not lines["C-ECHO p50, one CPU, to the limit's, ours C"].met  # 30 to 12 is 2.5
    assert lines["C-ECHO p99 to its p50, one CPU, ours C"].met


def test_the_better_one_of_dcmtks_pairs_counts() -> None:
    rows = {
        "limit": Sample(900),
        "ours Python": Sample(600),
        "dcmtk classes -> storescp --fork": Sample(400),
        "storescu -> storescp --fork": Sample(500),
        "ours Python -> storescp --fork": Sample(800),
        "dcmtk classes -> ours Python": Sample(800),
    }
    line = found(run_of((FOUR, rows)))["C-STORE of 512 KiB, four associations, of storescp --fork"]
    assert line.reached == "1.20"
    assert not line.met


def test_memory_is_held_against_the_mark() -> None:
    sample = Sample(300, client_above=1.5, server_above=80, client_cpu=1, server_cpu=1)
    lines = found(run_of((LARGE, {"limit": sample, "ours Python": sample})))
    assert lines["512 MiB objects, ours Python, client above idle"].met
    assert not lines["512 MiB objects, ours Python, server above idle"].met
    assert "80 MiB | **no**" in aims.table(
        run_of((LARGE, {"limit": sample, "ours Python": sample}))
    )


def test_a_run_that_says_nothing_about_an_aim_has_no_line_for_it() -> None:
    assert (
        aims.table(run_of((FULL, {"limit": Sample(100), "ours C": Sample(error="broken")}))) == ""
    )


@pytest.mark.parametrize("full", [True, False])
def test_every_aim_has_its_rows_in_the_full_form(full: bool) -> None:
    run = Run(plan.cases(full), noise=[{"wall_ms": 60.0, "load": 1.0}], seconds=1.0, rounds=1)
    everything = Sample(1, p99=1, client_cpu=1, server_cpu=1, client_above=1, server_above=1)
    everything.threads, everything.extra = 1, {"cpu_percent": 0.0, "answered": 1.0}
    run.samples = {number: [everything] for number in range(len(run.cases))}
    assert len(found(run)) == (43 if full else 28)


def test_each_table_of_the_full_form_is_in_one_part() -> None:
    for title in {case.spec.title for case in plan.cases(True)}:
        assert sum(bool(re.search(part, title)) for part in PARTS.values()) == 1, title
