"""A report as a tree for the terminal, verdict on top.

The one rule: nothing foreign reaches the terminal unescaped.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.tree import Tree

from leadtools_compat.diagnose.model import Certificate, Level, Report

__all__ = ["render"]

_STYLES = {
    Level.good: ("green", "ok"),
    Level.note: ("cyan", "note"),
    Level.warning: ("yellow", "warning"),
    Level.error: ("red", "error"),
}


def _safe(text: object) -> str:
    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text)))


def _known(value: object, missing: str = "not known") -> str:
    return f"[dim]{missing}[/dim]" if value in (None, "") else _safe(value)


def render(report: Report) -> RenderableType:
    """Make it."""
    color, word = _STYLES[report.shown_level]
    top = f"[bold {color}]{word.upper()}[/bold {color}] [bold]{_safe(report.verdict)}[/bold]"
    tree = Tree(f"{_safe(report.target)}  [dim]{report.made:%Y-%m-%d %H:%M} UTC[/dim]")
    _findings(tree, report)
    _connection(tree, report)
    if report.with_tls and report.connection.connected:
        _tls(tree, report)
    _dicom(tree, report)
    _conversation(tree, report)
    if report.untested:
        branch = tree.add("not tested")
        for text in report.untested:
            branch.add(f"[dim]{_safe(text)}[/dim]")
    return Group(top, tree)


def _findings(tree: Tree, report: Report) -> None:
    branch = tree.add("[bold]findings[/bold]")
    for one in report.findings:
        color, word = _STYLES[one.level]
        leaf = branch.add(f"[{color}]{word}[/{color}] {_safe(one.area)}: {_safe(one.text)}")
        if one.remedy:
            leaf.add(f"[bold]{_safe(one.remedy)}[/bold]")


def _connection(tree: Tree, report: Report) -> None:
    connection = report.connection
    if connection.connected and connection.seconds is not None:
        took = f"{connection.seconds * 1000:.1f} ms"
        branch = tree.add(f"[bold]TCP[/bold] {_safe(connection.connected)} in {took}")
    else:
        branch = tree.add("[bold]TCP[/bold] [red]no connection[/red]")
    for text in connection.failed:
        branch.add(f"[yellow]{_safe(text)}[/yellow]")


def _tls(tree: Tree, report: Report) -> None:
    tls = report.tls
    words = ", ".join(filter(None, (tls.version, tls.suite, tls.group)))
    branch = tree.add(f"[bold]TLS[/bold] {_known(words, 'no link')}")
    if tls.versions:
        versions = branch.add("versions")
        for name, offer in tls.versions.items():
            if not offer.accepted:
                why = f" ({_safe(offer.why)})" if offer.why else ""
                versions.add(f"[dim]{name}: {'no' if offer.accepted is False else '?'}{why}[/dim]")
                continue
            order = {True: ", in its own order", False: ", in the client's order"}
            how = "" if offer.server_order is None else order[offer.server_order]
            many = "suite" if len(offer.suites) == 1 else "suites"
            leaf = versions.add(f"{name}: {len(offer.suites)} {many}{how}")
            for suite in offer.suites:
                leaf.add(_safe(suite))
    if tls.groups:
        branch.add(f"groups: {_safe(', '.join(tls.groups))}")
    if tls.profiles:
        profiles = branch.add("profiles")
        for profile in tls.profiles:
            retired = " (retired)" if profile.retired else ""
            if profile.met:
                profiles.add(f"[green]yes[/green] {_safe(profile.name)}{retired}")
            else:
                why = _safe("; ".join(profile.reasons))
                profiles.add(f"[dim]no  {_safe(profile.name)}{retired}: {why}[/dim]")
    if tls.dh_bits:
        branch.add(f"Diffie-Hellman prime: {tls.dh_bits} bits")
    if tls.chain:
        chain = branch.add("chain as sent")
        for depth, one in enumerate(tls.chain):
            _certificate(chain, depth, one)
    if tls.verdicts:
        verdicts = branch.add("OnVerify")
        for said in tls.verdicts:
            mark = "[green]1[/green]" if said.good else "[red]0[/red]"
            where = "anchor" if said.depth is None else f"depth {said.depth}"
            verdicts.add(f"{mark} {where}: {_safe(said.subject)}: {_safe(said.code)}")
    branch.add(f"name that was checked: {_known(tls.expected_host, 'none')}")
    branch.add(f"client certificate: {_known(tls.client_certificate)}")
    if tls.ca_names:
        names = branch.add("authorities that the peer names")
        for name in tls.ca_names:
            names.add(_safe(name))
    branch.add(f"ALPN: {_known(tls.alpn, 'none chosen' if tls.alpn == '' else 'not known')}")
    branch.add(f"resumption: {_known(tls.resumption)}")
    branch.add(f"stapled revocation status: {_known(tls.stapling)}")


def _certificate(branch: Tree, depth: int, one: Certificate) -> None:
    leaf = branch.add(f"{depth}: {_known(one.subject)}")
    leaf.add(f"issuer {_known(one.issuer)}")
    if one.not_before and one.not_after:
        days = f"{one.days_left} days left" if (one.days_left or 0) >= 0 else "[red]ended[/red]"
        leaf.add(f"valid {one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}, {days}")
    leaf.add(f"{_known(one.key)}, signed with {_known(one.signature)}")
    if one.names:
        leaf.add(f"names {_safe(', '.join(one.names))}")
    if one.purposes:
        leaf.add(f"purposes {_safe(', '.join(one.purposes))}")


def _dicom(tree: Tree, report: Report) -> None:
    dicom = report.dicom
    if not dicom.tried:
        tree.add("[bold]DICOM[/bold] [dim]not tried[/dim]")
        return
    if not dicom.associated:
        tree.add(f"[bold]DICOM[/bold] [red]no association[/red] as {_safe(report.called)}")
        return
    took = "" if dicom.echo_seconds is None else f" in {dicom.echo_seconds * 1000:.1f} ms"
    branch = tree.add(f"[bold]DICOM[/bold] C-ECHO {_known(dicom.echo)}{took}")
    branch.add(f"implementation {_known(dicom.implementation)}")
    branch.add(f"longest PDU it takes: {_known(dicom.max_length)} bytes")


def _conversation(tree: Tree, report: Report) -> None:
    if not report.events:
        return
    marks = {"us": "-->", "peer": "<--", "both": "---", "self": "   "}
    branch = tree.add("[bold]conversation[/bold] [dim](ms)[/dim]")
    for one in report.events:
        style = "" if one.good else "[red]"
        end = "" if one.good else "[/red]"
        at = f"{one.at * 1000:8.1f}"
        branch.add(f"[dim]{at}[/dim] {marks[one.who]} {style}{_safe(one.text)}{end}")
