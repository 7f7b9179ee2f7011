"""What is aimed at, and what a run has reached: one line for each aim that the run says anything about.

"Python" is this library from Python at both ends, "C" from C. Times and rates are compared with a
row of the same table, so that they mean the same on every machine: where an aim was written in
microseconds, it is the ratio to what the limit took where it was written (12 microseconds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.core.model import MIB, Spec
from benchmarks.core.report import Row, rows_of
from benchmarks.core.run import Run
from benchmarks.works.store import WINDOW

__all__ = ["Aim", "aims", "table"]

PYTHON, C, LIMIT = "ours Python", "ours C", "limit"
FORKED, ORTHANC = "storescp --fork", "-> orthanc"
PEERS = ("dcmtk", "storescu", "orthanc", "pynetdicom")


@dataclass(frozen=True)
class Aim:
    """One line of the table."""

    what: str
    wanted: str
    reached: str
    met: bool


@dataclass(frozen=True)
class Tables:
    """The rows of a run, found by what was done and by their names."""

    found: dict[Spec, list[Row]]

    def spec(self, work: str, **wanted: object) -> Spec | None:
        """Find a work over TLS, by what is not as usual."""
        asked: dict[str, object] = {
            "tls": True,
            "clients": 1,
            "window": 1,
            "resume": False,
            "pinned": False,
        }
        asked |= wanted
        fits = (
            spec
            for spec in self.found
            if spec.work == work and all(getattr(spec, key) == it for key, it in asked.items())
        )
        return next(fits, None)

    def row(self, spec: Spec | None, name: str) -> Row | None:
        """Find a row that was measured: of this name, or whose name ends so."""
        rows = [row for row in self.found.get(spec, ()) if row.value] if spec else []
        exact = (row for row in rows if row.case.name == name)
        return next(exact, next((row for row in rows if row.case.name.endswith(name)), None))

    def value(self, spec: Spec | None, name: str) -> float | None:
        row = self.row(spec, name)
        return None if row is None else row.value

    def dcmtk(self, spec: Spec | None) -> float | None:
        """Give the best of DCMTK at both ends."""
        values = [
            row.value or 0.0
            for row in self.peers(spec)
            if row.case.name.startswith(("dcmtk", "storescu")) and "storescp" in row.case.name
        ]
        return max(values, default=None)

    def peers(self, spec: Spec | None) -> list[Row]:
        """List the rows without us."""
        rows = self.found.get(spec, []) if spec else []
        return [
            row
            for row in rows
            if row.value and "ours" not in row.case.name and row.case.name.startswith(PEERS)
        ]


def _ratio(
    what: str, mine: float | None, other: float | None, wanted: float, most: bool = False
) -> Iterator[Aim]:
    if mine and other:
        reached = mine / other
        sign, met = ("at most", reached <= wanted) if most else ("at least", reached >= wanted)
        yield Aim(what, f"{sign} {wanted:.3g}", f"{reached:.2f}", met)


def _most(what: str, unit: str, value: float | None, wanted: float) -> Iterator[Aim]:
    if value is not None:
        yield Aim(what, f"at most {wanted:g} {unit}", f"{value:.3g} {unit}", value <= wanted)


def _handshakes(run: Tables) -> Iterator[Aim]:
    one, four = run.spec("handshakes"), run.spec("handshakes", clients=4)
    rate = run.value(one, PYTHON)
    yield from _ratio("association, one client, of the limit", rate, run.value(one, LIMIT), 0.85)
    best = max((row.value or 0.0 for row in run.peers(one)), default=None)
    yield from _ratio("association, one client, of the best peer", rate, best, 1.0)
    rate = run.value(four, PYTHON)
    for name, wanted in ((LIMIT, 0.8), (ORTHANC, 1.6), (FORKED, 1.6)):
        other = run.value(four, name)
        yield from _ratio(f"association, four clients, of {name}", rate, other, wanted)
    again = run.spec("handshakes", resume=True)
    for name in (PYTHON, C):
        full = run.value(one, name)
        yield from _ratio(f"resumed, of full, {name}", run.value(again, name), full, 2.5)


def _echo(run: Tables) -> Iterator[Aim]:
    for pinned, marks in ((False, {C: 1.4, PYTHON: 2.0}), (True, {C: 30 / 12, PYTHON: 110 / 12})):
        spec = run.spec("echo", pinned=pinned)
        where = "one CPU" if pinned else "free"
        for name, wanted in marks.items():
            mine, limit = run.value(spec, name), run.value(spec, LIMIT)
            yield from _ratio(
                f"C-ECHO p50, {where}, to the limit's, {name}", mine, limit, wanted, True
            )
            row = run.row(spec, name)
            p99 = None if row is None else row.median("p99")
            yield from _ratio(f"C-ECHO p99 to its p50, {where}, {name}", p99, mine, 5.0, True)


def _store(run: Tables) -> Iterator[Aim]:
    marks: tuple[tuple[int, int, float], ...] = (
        (64 * 1024, 1, 1.3),
        (64 * 1024, WINDOW, 2.5),
        (512 * 1024, 1, 1.0),
        (512 * 1024, WINDOW, 1.25),
        (64 * MIB, 1, 1.0),
        (512 * MIB, 1, 1.0),
    )
    for size, window, wanted in marks:
        spec = run.spec("store", size=size, window=window)
        mine = run.value(spec, PYTHON)
        words = f"C-STORE of {_size(size)}, {'one' if window == 1 else window} in flight, of"
        yield from _ratio(f"{words} DCMTK's best", mine, run.dcmtk(spec), wanted)
        if size > MIB:
            yield from _ratio(f"{words} the limit", mine, run.value(spec, LIMIT), 0.9)
            from_file = run.value(spec, "limit, from the file")
            yield from _ratio(f"{words} the limit, from the file", mine, from_file, 0.9)
        if window == 1:
            yield from _cpu(run, spec, words)
    for size in (64 * 1024, 512 * 1024, 64 * MIB):
        four = run.spec("store", size=size, clients=4)
        words = f"C-STORE of {_size(size)}, four associations, of {FORKED}"
        yield from _ratio(words, run.value(four, PYTHON), run.dcmtk(four), 1.3)


def _size(size: int) -> str:
    return f"{size // 1024} KiB" if size < MIB else f"{size // MIB} MiB"


def _cpu(run: Tables, spec: Spec | None, words: str) -> Iterator[Aim]:
    def both(row: Row) -> float:
        return (row.median("client_cpu") or 0.0) + (row.median("server_cpu") or 0.0)

    mine = run.row(spec, PYTHON)
    others = [both(row) for row in run.peers(spec)]
    if mine is not None and others:
        yield from _ratio(f"{words} the thriftiest peer: CPU", both(mine), min(others), 1.0, True)


def _memory(run: Tables) -> Iterator[Aim]:
    spec = run.spec("store", size=512 * MIB)
    for name in (PYTHON, C):
        row = run.row(spec, name)
        if row is not None:
            for side in ("client", "server"):
                above = row.median(f"{side}_above")
                yield from _most(f"512 MiB objects, {name}, {side} above idle", "MiB", above, 64)


def _idle(run: Tables) -> Iterator[Aim]:
    for count in (1000, 10000):
        row = run.row(run.spec("idle", count=count), PYTHON)
        if row is None:
            continue
        words = f"{count} idle associations, Python"
        if count == 1000:
            yield from _most(f"{words}, memory of each", "KiB", row.value, 40)
            yield from _most(f"{words}, threads", "", row.median("threads"), 8)
            yield from _most(f"{words}, CPU", "%", row.extra("cpu_percent"), 1)
        answered = row.extra("answered") or 0.0
        yield Aim(f"{words}, answer a C-ECHO", f"{count}", f"{answered:.0f}", answered >= count)


def _startup(run: Tables) -> Iterator[Aim]:
    spec = next((one for one in run.found if one.verb == "first"), None)
    mine, bare = run.value(spec, PYTHON), run.value(spec, "python -c pass")
    if mine and bare:
        yield from _most(
            "start to first association, beyond python -c pass", "ms", mine - bare, 100
        )
    other = run.value(spec, "pynetdicom")
    yield from _ratio("start to first association, of pynetdicom's", mine, other, 0.5, True)


_ALL: tuple[Callable[[Tables], Iterator[Aim]], ...] = (
    _handshakes,
    _echo,
    _store,
    _memory,
    _idle,
    _startup,
)


def aims(run: Run) -> list[Aim]:
    """List the aims that the run has figures for."""
    found = Tables(rows_of(run))
    return [aim for part in _ALL for aim in part(found)]


def table(run: Run) -> str:
    """Write them in Markdown; "" when there are none."""
    lines = [
        f"| {aim.what} | {aim.wanted} | {aim.reached} | {'yes' if aim.met else '**no**'} |"
        for aim in aims(run)
    ]
    head = ["**Aims**", "", "| | wanted | reached | met |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *lines]) + "\n" if lines else ""
