"""What portcheck prints: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from leadtools_compat.portcheck.model import Report, Status

__all__ = ["GUIDE", "as_json", "as_text"]

GUIDE = "docs/porting.md"
_ORDER = {Status.ABSENT: 0, Status.DIFFERS: 1, Status.DONE: 2}


def _link(anchor: str) -> str:
    return f"{GUIDE}#{anchor}" if anchor else ""


def _counts(report: Report) -> Counter[Status]:
    return Counter(report.members().values())


def as_text(report: Report, brief: bool = False) -> str:
    """Write a report for people.

    Parameters
    ----------
    brief
        Leave out the members of which nothing is to be said.
    """
    lines = []
    for one in sorted(report.findings, key=lambda one: (one.file, one.line, one.name)):
        if brief and one.status == Status.DONE:
            continue
        note = f": {one.note}" if one.note else ""
        link = f"  [{_link(one.anchor)}]" if one.anchor else ""
        lines.append(f"{one.file}:{one.line}: {one.name}  {one.status.value}{note}{link}")
    if report.hints:
        lines.append("")
        lines += [
            f"{one.file}:{one.line}: {one.what}  [{_link(one.anchor)}]" for one in report.hints
        ]
    if report.unread:
        lines.append("")
        lines += [f"{one.file}: passed over, {one.why}" for one in report.unread]
    counts = _counts(report)
    absent = [name for name, status in report.members().items() if status == Status.ABSENT]
    if absent:
        lines += ["", "Absent: " + ", ".join(sorted(absent))]
    lines += [
        "",
        f"{report.files} files, {sum(counts.values())} members: {counts[Status.DONE]} done, "
        f"{counts[Status.DIFFERS]} differ, {counts[Status.ABSENT]} absent",
        f"{report.percentage()} %",
    ]
    return "\n".join(lines).lstrip("\n")


def as_json(report: Report) -> str:
    """Write a report for programs."""
    counts = _counts(report)
    findings: list[dict[str, Any]] = [
        {
            "file": one.file,
            "line": one.line,
            "type": one.owner,
            "member": one.member,
            "status": one.status.value,
            "note": one.note,
            "guide": _link(one.anchor),
        }
        for one in sorted(report.findings, key=lambda one: (one.file, one.line, one.name))
    ]
    members = sorted(report.members().items(), key=lambda item: (_ORDER[item[1]], item[0]))
    return json.dumps(
        {
            "files": report.files,
            "percentage": report.percentage(),
            "counts": {status.value: counts[status] for status in Status},
            "members": {name: status.value for name, status in members},
            "findings": findings,
            "hints": [
                {"file": one.file, "line": one.line, "what": one.what, "guide": _link(one.anchor)}
                for one in report.hints
            ],
            "unread": [{"file": one.file, "why": one.why} for one in report.unread],
        },
        indent=2,
    )
