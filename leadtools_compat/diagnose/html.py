"""A report as one page that can be mailed: no scripts, no other files, for screen, dark and paper.

The one rule: every value goes through `text`; the page has no script and refuses any by its own
content security policy.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from leadtools_compat.diagnose.model import Certificate, Level, Report
from leadtools_compat.diagnose.sequence import draw
from leadtools_compat.diagnose.style import STYLE

__all__ = ["page", "text"]

_MARKS = {Level.good: "✓", Level.note: "i", Level.warning: "!", Level.error: "✗"}
_WORDS = {Level.good: "Good", Level.note: "Note", Level.warning: "Warning", Level.error: "Error"}


def text(value: object) -> str:
    """Escape; control characters become visible, but newlines and tabs."""
    cleaned = "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in str(value))
    return html.escape(cleaned)


def page(report: Report) -> str:
    """Make the page."""
    name = f"TLS diagnosis of {report.target}"
    parts = [
        _head(report),
        _findings(report),
        _section("Conversation", draw(report, text)),
        _chain(report) if report.with_tls else "",
        _offers(report) if report.with_tls else "",
        _facts(report),
        _untested(report),
        _texts(report),
    ]
    body = "\n".join(part for part in parts if part)
    made = f"{report.made:%Y-%m-%d %H:%M} UTC"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{text(name)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
<footer>{text(made)}, took {report.seconds:.1f} s. Made by {text(report.library)}.</footer>
</body>
</html>
"""


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{text(title)}</h2>\n{content}\n</section>" if content else ""


def _head(report: Report) -> str:
    level = report.shown_level
    return f"""<header class="{level}">
<p class="target">{text(report.target)}, {report.made:%Y-%m-%d %H:%M} UTC</p>
<h1><span class="mark" aria-hidden="true">{_MARKS[level]}</span>
<span class="sr">{_WORDS[level]}: </span>{text(report.verdict)}</h1>
</header>"""


def _findings(report: Report) -> str:
    rows = []
    for one in report.findings:
        remedy = f'<p class="remedy">{text(one.remedy)}</p>' if one.remedy else ""
        rows.append(
            f'<li class="{one.level}"><span class="mark" aria-hidden="true">{_MARKS[one.level]}</span>'
            f'<div><p><span class="label">{_WORDS[one.level]}, {text(one.area)}</span> '
            f"{text(one.text)}</p>{remedy}</div></li>"
        )
    return _section("Findings", f'<ul class="findings">{"".join(rows)}</ul>' if rows else "")


# ---- chain


def _chain(report: Report) -> str:
    tls = report.tls
    if not tls.chain:
        return ""
    anchors = [one for one in tls.verdicts if one.depth is None]
    boxes = []
    if anchors:
        marks = [(one.code, one.good, one.message, one.remedy) for one in anchors]
        head = f"<h3>{text(anchors[-1].subject)}</h3><p>trusted here, not sent by the peer</p>"
        boxes.append((head, marks))
    for depth in range(len(tls.chain) - 1, -1, -1):
        one = tls.chain[depth]
        marks = [(v.code, v.good, v.message, v.remedy) for v in tls.verdicts if v.depth == depth]
        boxes.append((_certificate(depth, one), marks))
    drawn = ""
    for head, marks in reversed(boxes):
        bad = any(not good for _, good, _, _ in marks)
        if bad:  # OnVerify is called once more when a fault was overruled: that is no praise
            marks = [mark for mark in marks if not mark[1]]
        judged = "".join(_verdict(*mark) for mark in marks) or "<p>OnVerify was not called</p>"
        state = "error" if bad else "good" if marks else "note"
        inner = f"<ul>{drawn}</ul>" if drawn else ""
        drawn = f'<li><div class="certificate {state}">{head}{judged}</div>{inner}</li>'
    return _section("Chain, and what OnVerify said", f'<ul class="chain">{drawn}</ul>')


def _verdict(code: str, good: bool, message: str, remedy: str) -> str:
    mark = "✓" if good else "✗"
    more = "" if good else f": {text(message)}"
    cure = f'<span class="remedy">{text(remedy)}</span>' if remedy else ""
    return f'<p class="verdict {"good" if good else "error"}">{mark} {text(code)}{more}{cure}</p>'


def _certificate(depth: int, one: Certificate) -> str:
    whose = "the peer's own" if depth == 0 else "authority" if one.is_ca else "not an authority"
    rows = [("issuer", one.issuer), ("key", one.key), ("signed with", one.signature)]
    if one.not_before and one.not_after:
        left = one.days_left or 0
        end = f"{left} days left" if left >= 0 else f"ended {-left} days ago"
        rows.append(("valid", f"{one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}, {end}"))
    rows += [("names", ", ".join(one.names)), ("serial", one.serial), ("SHA-256", one.sha256)]
    return (
        f"<h3>{text(one.subject or 'no subject')}</h3><p>depth {depth}, {whose}</p>{_pairs(rows)}"
    )


def _pairs(rows: Iterable[tuple[str, object]]) -> str:
    found = [(name, value) for name, value in rows if value not in (None, "")]
    cells = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in found)
    return f"<dl>{cells}</dl>" if cells else ""


# ---- what the peer can do


def _offers(report: Report) -> str:
    tls = report.tls
    rows = []
    for name, offer in tls.versions.items():
        if offer.accepted:
            order = {True: "its own order counts", False: "the client's order counts"}
            how = "" if offer.server_order is None else f" ({order[offer.server_order]})"
            suites = "".join(f"<li>{text(suite)}</li>" for suite in offer.suites)
            state = f"yes{how}<ol>{suites}</ol>"
        else:
            state = ("no" if offer.accepted is False else "not known") + (
                f" ({text(offer.why)})" if offer.why else ""
            )
        rows.append(f'<tr><th scope="row">{text(name)}</th><td>{state}</td></tr>')
    if tls.groups:
        rows.append(f'<tr><th scope="row">Groups</th><td>{text(", ".join(tls.groups))}</td></tr>')
    for one in tls.profiles:
        state = "can be met" if one.met else text(f"no: {'; '.join(one.reasons)}")
        retired = " (retired)" if one.retired else ""
        rows.append(f'<tr><th scope="row">{text(one.name + retired)}</th><td>{state}</td></tr>')
    table = f'<div class="wide"><table><tbody>{"".join(rows)}</tbody></table></div>'
    return _section("Versions, suites, groups, profiles", table if rows else "")


def _facts(report: Report) -> str:
    tls, dicom, connection = report.tls, report.dicom, report.connection
    took = "" if connection.seconds is None else f" in {connection.seconds * 1000:.1f} ms"
    rows: list[tuple[str, object]] = [("TCP", f"{connection.connected or 'no connection'}{took}")]
    rows += [("addresses", ", ".join(connection.addresses))]
    if report.with_tls:
        rows += [
            ("link", ", ".join(filter(None, (tls.version, tls.suite, tls.group)))),
            ("name checked", tls.expected_host or "none"),
            ("client certificate", tls.client_certificate or "not known"),
            ("authorities named", "; ".join(tls.ca_names)),
            ("Diffie-Hellman prime", f"{tls.dh_bits} bits" if tls.dh_bits else ""),
            ("ALPN", "not known" if tls.alpn is None else tls.alpn or "none chosen"),
            ("resumption", tls.resumption or "not known"),
            ("stapled status", tls.stapling or "not known"),
        ]
    if dicom.tried:
        echo = "" if dicom.echo_seconds is None else f" in {dicom.echo_seconds * 1000:.1f} ms"
        rows += [
            ("AE titles", f"{report.calling} calls {report.called}"),
            ("association", "accepted" if dicom.associated else "failed"),
            ("C-ECHO", dicom.echo + echo if dicom.echo else "no answer"),
            ("implementation", dicom.implementation),
            ("longest PDU", f"{dicom.max_length} bytes" if dicom.max_length else ""),
        ]
    else:
        rows.append(("DICOM", "not tried"))
    return _section("Facts", _pairs(rows))


def _untested(report: Report) -> str:
    items = "".join(f"<li>{text(one)}</li>" for one in report.untested)
    return _section("Not tested", f"<ul>{items}</ul>" if items else "")


def _texts(report: Report) -> str:
    made = "".join(
        f"<details><summary>depth {depth}: {text(one.subject)}</summary><pre>{text(one.text)}</pre>"
        "</details>"
        for depth, one in enumerate(report.tls.chain)
    )
    return _section("Certificates as OnVerify gets them", made)
