"""The benchmarks run: real programs, short measurements, and the files are what they should be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread

from benchmarks.core import plan
from benchmarks.core.materials import Materials
from benchmarks.core.model import Case, Spec

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("size", [64 * 1024, 512 * 1024])
def test_objects_have_the_size_and_the_instance_uid_that_the_clients_count_on(
    tmp_path: Path, size: int
) -> None:
    paths = Materials(tmp_path, "ec").objects(size)
    for number in (0, len(paths) - 1):
        data = dcmread(paths[number])
        meta = data.file_meta.FileMetaInformationGroupLength + 144
        assert paths[number].stat().st_size - meta == size
        assert data.SOPInstanceUID == f"2.25.{size * 1000 + number}"
        assert len(data.PixelData) > size * 0.95


def test_every_table_begins_with_the_row_that_the_others_are_compared_with() -> None:
    for full in (False, True):
        first: dict[Spec, Case] = {}
        for case in plan.cases(full):
            first.setdefault(case.spec, case)
            assert case.reference == (first[case.spec] is case)


def test_a_short_run_measures_both_languages_against_the_limit(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "benchmarks", "--rounds", "1", "--seconds", "0.05", "--key", "ec"]
    argv += ["--output", str(tmp_path), "--rows", "^ours"]
    argv += ["--only", "one CPU|resumed|64 KiB.*8 in flight"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    assert {row["work"] for row in results} == {"echo", "handshakes", "store"}
    assert {row["row"] for row in results} == {"limit", "ours C", "ours Python"}
    assert all(row["median"] > 0 for row in results)
    assert "| ours Python" in (tmp_path / "tables.md").read_text()
