"""Which peers do which work: the rows of each table, in order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.core.model import MIB, Case, Spec
from benchmarks.peers.dcmtk import DcmtkClasses, Storescp, Storescu
from benchmarks.peers.limit import Limit
from benchmarks.peers.orthanc import Orthanc
from benchmarks.peers.ours import HERE, OursC, OursPython
from benchmarks.peers.pynd import Pynetdicom
from benchmarks.peers.scaled import Scaled
from benchmarks.works import echo, handshakes, idle, scaling, startup, store

__all__ = ["WORKS", "cases", "comparison"]

WORKS: dict[str, ModuleType] = {
    "handshakes": handshakes,
    "echo": echo,
    "store": store,
    "idle": idle,
    "startup": startup,
    "scaling": scaling,
}
MODEST = 64 * MIB
"""Up to this size the slow peers are measured in the quick form."""

limit = Limit()
orthanc = Orthanc()
Row = tuple[Any, Any]


def _named(spec: Spec, rows: list[Row]) -> list[Case]:
    """Make cases; the first row is the reference."""
    return [
        Case(
            spec,
            scu.name if scu is scp or scu.name == scp.name else f"{scu.name} -> {scp.name}",
            scu,
            scp,
            number == 0,
        )
        for number, (scu, scp) in enumerate(rows)
    ]


def _ours(trees: dict[str, Path]) -> list[Row]:
    rows: list[Row] = []
    for label, tree in trees.items():
        in_c, in_python = OursC(tree, label), OursPython(tree, label)
        rows += [(in_c, in_c), (in_python, in_python)]
    return rows


def _associations(spec: Spec, full: bool, ours: list[Row]) -> list[Row]:
    rows = [(limit, limit), *ours]
    if spec.resume:
        return rows  # the others do not resume
    storescp = Storescp(fork=spec.clients > 1)
    rows += [(DcmtkClasses(), storescp), (DcmtkClasses(), orthanc)]
    default = Pynetdicom(tuned=False)
    rows.append((default, default))
    if full:
        rows += [(DcmtkClasses(tuned=False), Storescp(tuned=False)), *_mixed(storescp)]
    return rows


def _mixed(storescp: Storescp) -> list[Row]:
    """Pair ours with the others, either way round."""
    mine = OursPython()
    tuned = Pynetdicom()
    return [(mine, storescp), (mine, orthanc), (DcmtkClasses(), mine), (tuned, mine)]


def _store(spec: Spec, full: bool, ours: list[Row]) -> list[Row]:
    storescp = Storescp(fork=spec.clients > 1)
    rows = [(limit, limit), *ours, (DcmtkClasses(), storescp)]
    if spec.size > MIB:  # ours reads these from the file while it sends
        from_file = Limit(from_file=True)
        rows.insert(1, (from_file, from_file))
    if MIB < spec.size <= MODEST:  # as the limit and DCMTK's best do
        in_memory = (OursC(from_memory=True), OursPython(from_memory=True))
        rows[4:4] = [(one, one) for one in in_memory]
    if spec.window > 1:
        return rows  # the others keep one in flight, whatever is agreed
    tuned, default = Pynetdicom(), Pynetdicom(tuned=False)
    if full or spec.size <= MODEST:
        rows += [(Storescu(), storescp), (DcmtkClasses(), orthanc), (tuned, tuned)]
    if full:
        rows += [(Storescu(tuned=False), Storescp(tuned=False)), (default, default)]
        rows += _mixed(storescp)
    return rows


def _idle(spec: Spec, full: bool, ours: list[Row]) -> list[Row]:
    del full
    servers: list[Any] = [mine for _, mine in ours]
    if spec.count <= 1000:
        forking = Storescp(fork=True)
        servers += [forking, orthanc]
    if spec.count <= 100:
        servers.append(Pynetdicom())
    rows: list[Row] = [(server, server) for server in servers]
    return rows


def _scaled(spec: Spec, full: bool, ours: list[Row]) -> list[Row]:
    """Ways to serve; the client is ours in C, which leaves most of the machine to them."""
    del spec, full
    client = ours[0][0]
    ways = [Scaled(1), Scaled(2), Scaled(4), Scaled(1, True), Scaled(2, True)]
    return [(client, way) for way in ways]


def _startup(spec: Spec, ours: list[Row]) -> list[Case]:
    bare = Case(spec, "python -c pass", None, None, True)
    python = [scu for scu, _ in ours if isinstance(scu, OursPython)]
    if spec.verb == "import":
        others = ("ssl", "pydicom", "pynetdicom")
        found = [Case(spec, scu.name, scu, None) for scu in python]
        return [bare, *found, *(Case(spec, name, None, None) for name in others)]
    storescp = Storescp()
    clients: list[Any] = [*python, Pynetdicom()]
    return [bare, *(Case(spec, scu.name, scu, storescp) for scu in clients)]


_ROWS: dict[str, Callable[[Spec, bool, list[Row]], list[Row]]] = {
    "handshakes": _associations,
    "echo": _associations,
    "store": _store,
    "idle": _idle,
    "scaling": _scaled,
}


def _of(spec: Spec, full: bool, ours: list[Row]) -> list[Case]:
    if spec.work == "startup":
        return _startup(spec, ours)
    return _named(spec, _ROWS[spec.work](spec, full, ours))


def cases(full: bool) -> list[Case]:
    """List all cases of the quick or the full form."""
    ours = _ours({"": HERE})
    return [
        case
        for work in WORKS.values()
        for spec in work.specs(full)
        for case in _of(spec, full, ours)
    ]


def comparison(trees: dict[str, Path], full: bool) -> list[Case]:
    """List the cases that compare trees of this library with each other, and with the limit."""
    ours = _ours(trees)
    found = [
        case
        for work in WORKS.values()
        if work is not scaling
        for spec in work.specs(full)
        for case in _of(spec, False, ours)
    ]
    labels = tuple(trees)
    return [case for case in found if case.reference or case.name.endswith(labels)]
