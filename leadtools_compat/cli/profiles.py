"""``profiles``: the named TLS profiles, what each sets, and whether it can be used here."""

from __future__ import annotations

from itertools import compress
from typing import Any

import click
from rich.table import Table

from leadtools_compat.cli import exits
from leadtools_compat.cli.options import json_option
from leadtools_compat.cli.output import Output
from leadtools_compat.dicom import DicomNet, DicomTlsProfile

EXAMPLES = """\b
Examples:
  leadtools-compat profiles
  leadtools-compat profiles --suites
  leadtools-compat profiles --json

The name is what DicomNet.apply_tls_profile takes.
"""
NARROW = 70
"""Columns below which what may be left out is."""


@click.command(epilog=EXAMPLES)
@click.option("--suites", "with_suites", is_flag=True, help="The suites of each, too, in order.")
@json_option
def profiles(out: Output, with_suites: bool) -> int:
    """List the TLS profiles of DICOM and IHE, those in force first."""
    every = DicomTlsProfile.all()
    table = Table(header_style="bold")
    titles = ("name", "source", "versions", "suites", "least", "resumption", "usable")
    shown = [
        out.console.width >= NARROW or title not in ("source", "least", "resumption")
        for title in titles
    ]
    for title in compress(titles, shown):
        table.add_column(title, overflow="fold", no_wrap=title in ("name", "usable"))
    for one in every:
        suites = "\n".join(suite.iana_name for suite in one.suites)
        row = (
            *(one.name, f"{one.title}{' (retired)' if one.retired else ''}"),
            ", ".join(version.removeprefix("TLSv") for version in one.versions),
            suites if with_suites else str(len(one.suites)),
            *(_least(one), "on request" if one.resumption else "never"),
            "yes" if one.is_possible else "[dim]no[/dim]",
        )
        table.add_row(*compress(row, shown))
    out.show(table)
    version = DicomNet.GetOpenSslVersion().version_text
    out.say(f"{version}; renegotiation: never")
    for one in every:
        if one.missing:
            out.say(one.missing)
    out.result({"ok": True, "openssl": version, "profiles": [_row(one) for one in every]})
    return exits.OK


def _least(one: DicomTlsProfile) -> str:
    bits = {"RSA ": one.rsa_bits, "EC ": one.ec_bits, "DHE ": one.dh_bits, "SHA-": one.hash_bits}
    return ", ".join(f"{name}{number}" for name, number in bits.items() if number)


def _row(one: DicomTlsProfile) -> dict[str, Any]:
    def names(suites: tuple[Any, ...]) -> list[str]:
        return [suite.iana_name for suite in suites]

    return {
        "name": one.name,
        "aliases": list(one.aliases),
        "title": one.title,
        "retired": one.retired,
        "versions": list(one.versions),
        "suites": names(one.suites),
        "optional_suites": names(one.optional_suites),
        "suites_on_request": names(one.suites_on_request),
        "groups": list(one.groups),
        "hybrid_group": one.hybrid_group,
        "signature_algorithms": list(one.signature_algorithms),
        "rsa_bits": one.rsa_bits,
        "ec_bits": one.ec_bits,
        "dh_bits": one.dh_bits,
        "hash_bits": one.hash_bits,
        "resumption": one.resumption,
        "renegotiation": one.renegotiation,
        "usable": one.is_possible,
        "missing": one.missing,
    }
