"""``ciphers``: the cipher suites, their names, and whether they can be used here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich.table import Table

from leadtools_compat.cli import exits
from leadtools_compat.cli.options import json_option
from leadtools_compat.cli.output import Output
from leadtools_compat.dicom import DicomNet, DicomNetSecurityMode, DicomTlsCipherSuiteType

EXAMPLES = """\b
Examples:
  leadtools-compat ciphers
  leadtools-compat ciphers --all --json

Any of the names, or the number, is what --suite takes.
"""
_NAMES = {"IANA": "iana", "LEADTOOLS": "name", "OpenSSL": "openssl"}
WIDE = 150
"""Columns from which on the three names have columns of their own."""


@click.command(epilog=EXAMPLES)
@click.option("--all", "every", is_flag=True, help="Those that this OpenSSL does not have, too.")
@json_option
def ciphers(out: Output, every: bool) -> int:
    """List the cipher suites, those of the default list first, and the groups of the key exchange."""
    with DicomNet(None, DicomNetSecurityMode.Tls) as net:
        default: list[DicomTlsCipherSuiteType] = []
        while suite := net.GetTlsCipherSuiteByIndex(len(default)):
            default.append(suite)
        rows = [_row(net, suite, default) for suite in _suites(default)]
    shown = [row for row in rows if row["available"] or every]
    columns = _columns(out.console.width)
    table = Table(header_style="bold")
    for title in columns:
        table.add_column(title, overflow="fold", no_wrap=title == "number")
    for row in shown:
        table.add_row(*(cell(row) for cell in columns.values()))
    out.show(table)
    version = DicomNet.GetOpenSslVersion().version_text
    out.say(f"{version}; place: in the default list")
    library = DicomNet.tls_library()
    out.say("groups: " + ", ".join(library.groups))
    hybrids = ", ".join(library.hybrid_groups) or "none; OpenSSL has them from 3.5 on"
    out.say(f"post-quantum hybrid groups: {hybrids}")
    groups = {"groups": library.groups, "hybrid_groups": library.hybrid_groups}
    out.result({"ok": True, "openssl": version, "suites": shown, **groups})
    return exits.OK


_Cell = Callable[[dict[str, Any]], str]


def _columns(width: int) -> dict[str, _Cell]:
    """Give titles and cells for a terminal: names are never cut, the rest goes first."""
    columns: dict[str, _Cell] = {"number": lambda row: str(row["number"])}
    if width >= WIDE:
        for title, key in _NAMES.items():
            columns[title] = lambda row, key=key: str(row[key])  # type: ignore[misc]
    else:
        columns[", ".join(_NAMES)] = lambda row: "\n".join(str(row[key]) for key in _NAMES.values())
    if width >= 100:
        columns["place"] = lambda row: "" if row["place"] is None else str(row["place"])
    if width >= 70:
        columns["key"] = lambda row: f"{row['bits']} bit"
    columns["usable"] = lambda row: "yes" if row["available"] else "[dim]no[/dim]"
    return columns


def _suites(default: list[DicomTlsCipherSuiteType]) -> list[DicomTlsCipherSuiteType]:
    rest = [suite for suite in DicomTlsCipherSuiteType if int(suite) and suite not in default]
    return [*default, *rest]


def _row(
    net: DicomNet, suite: DicomTlsCipherSuiteType, default: list[DicomTlsCipherSuiteType]
) -> dict[str, Any]:
    return {
        "number": f"0x{int(suite):04X}",
        "place": default.index(suite) if suite in default else None,
        "iana": suite.iana_name,
        "name": suite.name,
        "openssl": suite.openssl_name,
        "bits": net.GetTlsEncryptionKeyLength(suite),
        "available": suite.is_available,
    }
