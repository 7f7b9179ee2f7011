"""Side by side with the peers: ``python -m benchmarks`` (``make bench``).

python -m benchmarks                     the quick form, under 4 minutes
python -m benchmarks --full              everything
python -m benchmarks --part idle         one part of everything, in under 5 minutes
python -m benchmarks --only C-STORE      tables whose title matches (regular expression)
python -m benchmarks --compare A B       two commits of this library, same tables
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from benchmarks.core import aims, plan
from benchmarks.core.build import Programs
from benchmarks.core.compare import built_trees
from benchmarks.core.materials import Materials
from benchmarks.core.model import Case, Settings
from benchmarks.core.report import rows_of, tables, write_json
from benchmarks.core.run import run_all
from benchmarks.peers.ours import HERE

QUICK_BUDGET = 190.0
FULL_BUDGET = 3600.0
PART_BUDGET = 200.0
PARTS = {
    "handshakes": "^association",
    "echo": "^C-ECHO",
    "store-small": "^C-STORE of (64|512) KiB objects, TLS",
    "store-plain": "^C-STORE of .* plain",
    "store-64": "^C-STORE of 64 MiB objects, TLS",
    "store-512": "^C-STORE of 512 MiB objects, TLS",
    "idle": "idle associations",
    "startup": "^(process start|imports)",
    "scaling": "^scaling",
}
"""What the full form consists of, by the titles of the tables."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Benchmarks")
    parser.add_argument("--full", action="store_true", help="all works, all peers, more rounds")
    parser.add_argument("--part", choices=PARTS, help="one part of --full")
    parser.add_argument("--only", default="", help="only tables whose title matches")
    parser.add_argument(
        "--rows", default="", help="only rows whose name matches, and the reference"
    )
    parser.add_argument("--rounds", type=int, help="at most so many; the time may end it before")
    parser.add_argument("--seconds", type=float, help="length of one measurement")
    parser.add_argument("--budget", type=float, help="seconds after which nothing more is begun")
    parser.add_argument("--compare", nargs=2, metavar="COMMIT", help="compare two commits")
    parser.add_argument("--key", choices=("rsa", "ec"), default="rsa", help="keys of the PKI")
    parser.add_argument("--output", type=Path, default=HERE / "build" / "bench" / "results")
    parser.add_argument("--verbose", action="store_true", help="say what is measured")
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    options = parser.parse_args()
    options.full = options.full or options.part is not None
    return options


def _chosen(found: list[Case], options: argparse.Namespace) -> list[Case]:
    title, row = re.compile(options.only), re.compile(options.rows)
    part = re.compile(PARTS.get(options.part, ""))
    return [
        case
        for case in found
        if title.search(case.spec.title)
        and part.search(case.spec.title)
        and (case.reference or row.search(case.name))
    ]


def _budget(options: argparse.Namespace) -> float:
    if options.budget:
        return float(options.budget)
    return PART_BUDGET if options.part else FULL_BUDGET if options.full else QUICK_BUDGET


def _measure(options: argparse.Namespace, trees: dict[str, Path] | None) -> int:
    found = plan.cases(options.full) if trees is None else plan.comparison(trees, options.full)
    chosen = _chosen(found, options)
    if not chosen:
        print("Nothing matches; --list names what there is.", file=sys.stderr)
        return 2
    if options.list:
        for case in chosen:
            print(f"{case.spec.title}: {case.name}")
        return 0
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/dev/shm") as folder:
        settings = Settings(
            seconds=options.seconds or (1.0 if options.full else 0.4),
            folder=Path(folder),
            materials=Materials(Path(folder), options.key),
            programs=Programs(HERE / "build" / "bench" / "programs"),
        )
        run = run_all(
            chosen,
            settings,
            rounds=options.rounds or (4 if options.full else 3),
            budget=_budget(options),
            verbose=options.verbose,
        )
    text = "\n".join((tables(run), aims.table(run)))
    print(text)
    (options.output / "tables.md").write_text(text)
    write_json(run, options.output / "results.json")
    try:
        from benchmarks.core.plots import draw
    except ImportError:
        print("No plots: matplotlib is missing (pip install 'leadtools_compat[bench]').")
    else:
        draw(run, options.output)
    print(f"Tables, JSON and plots: {options.output}")
    all_rows = [row for rows in rows_of(run).values() for row in rows]
    broken = [row for row in all_rows if row.error and not row.not_offered]
    for row in broken:
        print(f"failed: {row.case.spec.title}: {row.case.name}: {row.error}", file=sys.stderr)
    return 1 if broken else 0


def main() -> int:
    options = _arguments()
    if options.compare:
        with built_trees(options.compare) as trees:
            return _measure(options, trees)
    return _measure(options, None)


if __name__ == "__main__":
    sys.exit(main())
