"""The conversation as a drawing: two life lines, arrows, times; SVG that follows the page's colours.

The one rule: steps are spaced evenly, not by time, so that all labels can be read; times stand beside.
"""

from __future__ import annotations

from collections.abc import Callable

from leadtools_compat.diagnose.model import Event, Report

__all__ = ["draw"]

_WIDTH, _STEP, _TOP = 720, 38, 58
_US, _PEER = 150, 610
_TIMES = 88
_LABEL = 62


def draw(report: Report, text: Callable[[object], str]) -> str:
    """Draw it; "" if nothing happened."""
    events = [one for one in report.events if one.text]
    if not events:
        return ""
    height = _TOP + _STEP * len(events) + 24
    bottom = height - 14
    parts = [
        f'<svg class="sequence" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{text(_spoken(events))}">',
        f'<line class="life" x1="{_US}" y1="36" x2="{_US}" y2="{bottom}"/>',
        f'<line class="life" x1="{_PEER}" y1="36" x2="{_PEER}" y2="{bottom}"/>',
        f'<text class="who" x="{_US}" y="22" text-anchor="middle">this computer</text>',
        f'<text class="who" x="{_PEER}" y="22" text-anchor="middle">'
        f"{text(_short(report.target, 28))}</text>",
        f'<text class="time" x="{_TIMES}" y="22" text-anchor="end">ms</text>',
    ]
    for number, event in enumerate(events):
        parts += _event(event, _TOP + _STEP * number, text)
    parts.append("</svg>")
    return f'<div class="wide">{"".join(parts)}</div>'


def _event(event: Event, y: int, text: Callable[[object], str]) -> list[str]:
    state = "" if event.good else " bad"
    label = text(_short(event.text, _LABEL))
    made = [
        f'<text class="time" x="{_TIMES}" y="{y + 4}" text-anchor="end">{event.at * 1000:.1f}</text>'
    ]
    middle = (_US + _PEER) // 2
    if event.who in ("us", "peer"):
        start, end = (_US, _PEER) if event.who == "us" else (_PEER, _US)
        tip = end - 9 if end > start else end + 9
        made += [
            f'<line class="arrow{state}" x1="{start}" y1="{y}" x2="{tip}" y2="{y}"/>',
            f'<path class="tip{state}" d="M{end} {y}L{tip} {y - 5}L{tip} {y + 5}Z"/>',
            f'<text class="label{state}" x="{middle}" y="{y - 7}" text-anchor="middle">{label}</text>',
        ]
    elif event.who == "both":
        made += [
            f'<rect class="band{state}" x="{_US - 6}" y="{y - 12}" '
            f'width="{_PEER - _US + 12}" height="24" rx="4"/>',
            f'<text class="label{state}" x="{middle}" y="{y + 4}" text-anchor="middle">{label}</text>',
        ]
    else:
        mark = "✓" if event.good else "✗"
        made += [
            f'<circle class="dot{state}" cx="{_US}" cy="{y}" r="5"/>',
            f'<text class="label{state}" x="{_US + 14}" y="{y + 4}">{mark} {label}</text>',
        ]
    return made


def _spoken(events: list[Event]) -> str:
    names = {"us": "we send", "peer": "the peer sends", "both": "", "self": "we check"}
    return "; ".join(
        f"{one.at * 1000:.1f} ms {names[one.who]} {one.text}".replace("  ", " ") for one in events
    )


def _short(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1]}…"
