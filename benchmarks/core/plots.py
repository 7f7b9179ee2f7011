"""A run as pictures: one page for each work, a bar for each row, whiskers from min to max."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from benchmarks.core import plan
from benchmarks.core.model import Spec
from benchmarks.core.report import Row, rows_of
from benchmarks.core.run import Run

__all__ = ["draw"]

COLOURS = {"limit": "#999999", "python -c pass": "#999999", "ours": "#1f77b4"}
OTHER = "#ff9f4a"


def _colour(name: str) -> str:
    return next((colour for word, colour in COLOURS.items() if name.startswith(word)), OTHER)


def draw(run: Run, folder: Path) -> list[Path]:
    """Draw all works; return the files (PNG)."""
    mpl.use("Agg")  # no display
    import matplotlib.pyplot as plt

    found = rows_of(run)
    files = []
    for work in plan.WORKS:
        tables = {spec: rows for spec, rows in found.items() if spec.work == work}
        if not tables:
            continue
        heights = [max(len(rows), 2) for rows in tables.values()]
        figure, axes = plt.subplots(
            len(tables),
            1,
            figsize=(9, 0.34 * sum(heights) + 0.9 * len(tables)),
            squeeze=False,
            gridspec_kw={"height_ratios": heights},
            layout="constrained",
        )
        for axis, (spec, rows) in zip(axes[:, 0], tables.items(), strict=True):
            _bars(axis, spec, [row for row in rows if row.value is not None])
        path = folder / f"{work}.png"
        figure.savefig(path, dpi=110)
        plt.close(figure)
        files.append(path)
    return files


def _bars(axis: mpl.axes.Axes, spec: Spec, rows: list[Row]) -> None:
    work = plan.WORKS[spec.work]
    names = [row.case.name for row in rows]
    values = [row.value or 0.0 for row in rows]
    low = [value - (row.low or value) for value, row in zip(values, rows, strict=True)]
    high = [(row.high or value) - value for value, row in zip(values, rows, strict=True)]
    positions = range(len(rows))
    colours = [_colour(name) for name in names]
    axis.barh(positions, values, color=colours, xerr=[low, high], error_kw={"lw": 0.8})
    axis.set_yticks(positions, names, fontsize=8)
    axis.invert_yaxis()
    if values and max(values) > 30 * max(min(values), 1e-9):
        axis.set_xscale("log")
    better = "more" if work.HIGHER else "less"
    axis.set_title(f"{spec.title} ({work.UNIT}, {better} is better)", fontsize=9, loc="left")
    axis.tick_params(axis="x", labelsize=8)
