"""Draw the state table of ``csrc/ldc_fsm.c`` into ``docs/state-table.md``; with ``--check`` only say if it is stale.

The page is made from the very lines that are compiled. The reader is strict: a row that it does not
understand, or a table with a hole, ends the program.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "csrc/ldc_fsm.c"
PAGE = "docs/state-table.md"
STATES = 13
EVENTS = 19

_NAMED = re.compile(r'\[LDC_\w+\] = \{"([^"]+)", "([^"]+)"\},')
_ACTION = re.compile(
    r'\[LDC_\w+\] = \{"([^"]+)", "([^"]+)", (LDC_STA\d+|0), (LDC_STA\d+|0), (LDC_FSM_\w+|0), [^,]+, [^,]+\},'
)
_CELLS = re.compile(r"\[LDC_EVT(\d+)\] = ROW\(([^)]+)\),")


@dataclass(frozen=True)
class Action:
    name: str
    text: str
    targets: tuple[str, ...]
    """Names of the next states: one, or two when `fact` decides."""
    fact: str


@dataclass(frozen=True)
class Table:
    states: dict[str, str]
    events: dict[str, str]
    actions: dict[str, Action]
    cells: dict[str, list[str]]
    """Of each event the names of the actions, Sta1 first; "-" for an empty cell."""


def rows(source: str, table: str) -> Iterator[str]:
    """Give the rows of one table, without comments."""
    found = re.search(rf"^static const \w+ {table}\[.*?\] = \{{\n(.*?)^\}};", source, re.M | re.S)
    if found is None:
        raise ValueError(f"{SOURCE}: no table {table!r}")
    for line in found[1].splitlines():
        row = re.sub(r"/\*.*?\*/", "", line).strip()
        if row:
            yield row


def match(pattern: re.Pattern[str], row: str) -> re.Match[str]:
    found = pattern.fullmatch(row)
    if found is None:
        raise ValueError(f"{SOURCE}: a row that is not understood: {row}")
    return found


def read_named(source: str, table: str) -> dict[str, str]:
    found = (match(_NAMED, row) for row in rows(source, table))
    return {name[1]: name[2] for name in found}


def read(source: str) -> Table:
    states, events = read_named(source, "states"), read_named(source, "events")
    actions: dict[str, Action] = {}
    for row in rows(source, "actions"):
        name, text, following, otherwise, fact = match(_ACTION, row).groups()
        targets = [f"Sta{t.removeprefix('LDC_STA')}" for t in (following, otherwise) if t != "0"]
        actions[name] = Action(name, text, tuple(targets), "" if fact == "0" else fact)
    cells: dict[str, list[str]] = {}
    for row in rows(source, "cells"):
        number, names = match(_CELLS, row).groups()
        cells[f"Evt{number}"] = [
            "-" if name.strip() == "NONE" else name.strip().replace("_", "-")
            for name in names.split(",")
        ]
    table = Table(states, events, actions, cells)
    check(table)
    return table


def check(table: Table) -> None:
    if list(table.states) != [f"Sta{i + 1}" for i in range(STATES)]:
        raise ValueError(f"{SOURCE}: the states are not Sta1 to Sta{STATES}")
    if not list(table.events) == list(table.cells) == [f"Evt{i + 1}" for i in range(EVENTS)]:
        raise ValueError(f"{SOURCE}: the events are not Evt1 to Evt{EVENTS}, each with its cells")
    for event, names in table.cells.items():
        if len(names) != STATES or not set(names) <= set(table.actions):
            raise ValueError(f"{SOURCE}: the row of {event} has a wrong length or action")


def diagram(table: Table) -> Iterator[str]:
    """Give all moves but the aborts: the life of an association that goes well, or is rejected."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    for state, text in table.states.items():
        yield f"    {state}: {state} - {text.replace(';', ',')}"
    moves: dict[tuple[str, str], list[str]] = {}
    for event, names in table.cells.items():
        for state, name in zip(table.states, names, strict=True):
            if not name.startswith("AA-"):
                for target in table.actions[name].targets:
                    moves.setdefault((state, target), []).append(f"{event} {name}")
    yield "    [*] --> Sta1"
    for (state, target), labels in moves.items():
        yield f"    {state} --> {target}: {', '.join(labels)}"
    yield "```"


def grid(head: list[str], body: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in body:
        yield f"| {' | '.join(row)} |"


def page(table: Table) -> str:
    lines = [
        "# The state table of the upper layer",
        "",
        f"PS3.8 §9.2, as it is compiled. Drawn from `{SOURCE}` by `tools/draw_fsm.py`; edit that table, not this page.",
        "",
        "## Picture",
        "",
        "Aborts and protocol errors (AA-1 to AA-8) are left out here; they are in the cells below.",
        "",
        *diagram(table),
        "",
        "## Cells",
        "",
        "An empty cell: a primitive of the local user is refused (`InvalidState`), any other event cannot",
        "happen there and is dropped.",
        "",
        *grid(
            ["", *table.states],
            [
                [f"**{event}** {table.events[event]}", *("" if n == "-" else n for n in names)]
                for event, names in table.cells.items()
            ],
        ),
        "",
        "## States",
        "",
        *grid(["state", "meaning"], [list(item) for item in table.states.items()]),
        "",
        "## Actions",
        "",
        *grid(
            ["action", "what is done", "next state"],
            [[a.name, a.text, " or ".join(a.targets)] for a in table.actions.values() if a.targets],
        ),
        "",
        *(
            f"- {a.name}: {a.targets[0]} when `{a.fact}` holds, else {a.targets[1]}."
            for a in table.actions.values()
            if a.fact
        ),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, 1 if the page is stale"
    )
    arguments = parser.parse_args()
    fresh = page(read((ROOT / SOURCE).read_text(encoding="utf-8")))
    path = ROOT / PAGE
    if path.is_file() and path.read_text(encoding="utf-8") == fresh:
        return 0
    if arguments.check:
        print(f"{PAGE} is stale: run tools/draw_fsm.py", file=sys.stderr)
        return 1
    path.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
