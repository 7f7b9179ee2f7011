"""``pki``: a test PKI in a folder."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.table import Table

from leadtools_compat.cli import exits
from leadtools_compat.cli.options import json_option
from leadtools_compat.cli.output import Output, plain

if TYPE_CHECKING:
    from leadtools_compat.testing.model import Role

EXAMPLES = """\b
Examples:
  leadtools-compat pki certificates
  leadtools-compat pki certificates --seed ci --key ec
  leadtools-compat pki certificates --kind expired --kind no_purpose --role client
  leadtools-compat pki certificates --host pacs.test --host 10.0.0.7
  leadtools-compat pki --list

Each identity is written as PEM (certificate, key, both, encrypted), DER and PKCS #12; the password
of the encrypted ones is "test". For tests only: with --seed the keys are as public as the seed.
"""


@click.command(epilog=EXAMPLES)
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", help="The same seed makes the same keys and, on one day, the same files.")
@click.option(
    "--key", type=click.Choice(["rsa", "ec"]), default="rsa", show_default=True, help="Of all keys."
)
@click.option("--kind", "kinds", multiple=True, metavar="NAME", help="Make this bad one too.")
@click.option("--all", "every", is_flag=True, help="Make all kinds.")
@click.option(
    "--role",
    type=click.Choice(["client", "server", "both"]),
    default="both",
    show_default=True,
    help="For which role the kinds are made.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Issue a certificate for these names and addresses too.",
)
@click.option("--force", is_flag=True, help="Replace files that are in DIRECTORY.")
@click.option(
    "--list", "show", is_flag=True, help="List the kinds, and what OnVerify says to them."
)
@json_option
def pki(
    directory: Path | None,
    out: Output,
    seed: str | None,
    key: str,
    kinds: tuple[str, ...],
    every: bool,
    role: Literal["client", "server", "both"],
    hosts: tuple[str, ...],
    force: bool,
    show: bool,
) -> int:
    """Make a test PKI in DIRECTORY: root, intermediate, server and client; and kinds of bad ones."""
    from leadtools_compat.testing import TestPki

    known = {kind.name: kind for kind in TestPki.kinds()}
    if show:
        _list(out)
        return exits.OK
    if directory is None:
        raise click.UsageError("DIRECTORY is missing: where the files go")
    for kind in kinds:
        if kind not in known:
            near = difflib.get_close_matches(kind, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; --list shows them"
            raise click.BadParameter(f"there is no kind {kind!r}{hint}", param_hint="--kind")
    if not force:
        _keep(directory, seed)
    made = TestPki(directory, seed, "ec" if key == "ec" else "rsa")
    identities = [made.server, made.client]
    roles: tuple[Role, ...] = ("client", "server") if role == "both" else (role,)
    wanted = known if every else kinds
    identities += [made.make(kind, role=one) for kind in wanted for one in roles]
    if hosts:
        identities.append(made.issue(hosts[0].replace("/", "_"), role="server", hosts=hosts))
    table = Table(header_style="bold")
    for title in ("identity", "what it is", "OnVerify says first", "file"):
        table.add_column(title, overflow="fold")
    for identity in identities:
        said: str = "accepted" if identity.accepted else identity.never_judged
        said = identity.expected[0].code if identity.expected else said
        file = Path(identity.combined_file).relative_to(made.directory)
        table.add_row(*map(plain, (identity.name, identity.description, said, file)))
    out.show(table)
    out.say(f"trust: {plain(made.ca_file)}")
    out.result(
        {
            "ok": True,
            "directory": str(made.directory),
            "ca_file": made.ca_file,
            "identities": [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "role": one.role,
                    "certificate": one.certificate_file,
                    "key": one.key_file,
                    "combined": one.combined_file,
                    "p12": one.p12_file,
                    "password": one.key_password,
                    "ca_file": one.ca_file,
                    "crl_file": one.crl_file,
                    "host": one.host,
                    "expected": [{"code": c.code, "depth": c.depth} for c in one.expected],
                    "never_judged": one.never_judged,
                }
                for one in identities
            ],
        }
    )
    return exits.OK


def _keep(directory: Path, seed: str | None) -> None:
    """Refuse to replace keys; a test PKI may be made once more where it is, of its seed."""
    names = [f"{name}{end}" for name in ("ca", "server", "client") for end in (".pem", ".key")]
    there = [name for name in names if (directory / name).exists()]
    again = seed is not None and (directory / "client-encrypted.pem").exists()
    if there and not again:
        raise click.BadParameter(
            f"{directory} has {there[0]} already: give another folder, or --force to replace it",
            param_hint="DIRECTORY",
        )


def _list(out: Output) -> None:
    from leadtools_compat.testing import TestPki

    table = Table(header_style="bold")
    for title in ("kind", "what it is", "OnVerify says"):
        table.add_column(title, overflow="fold")
    for kind in TestPki.kinds():
        said = ", ".join(f"{code} (depth {depth})" for code, depth in kind.expected)
        table.add_row(
            kind.name, plain(kind.description), plain(kind.never_judged or said or "accepted")
        )
    out.show(table)
    out.result(
        {
            "ok": True,
            "kinds": [
                {
                    "name": kind.name,
                    "description": kind.description,
                    "expected": [{"code": c.code, "depth": c.depth} for c in kind.expected],
                    "never_judged": kind.never_judged,
                    "note": kind.note,
                }
                for kind in TestPki.kinds()
            ],
        }
    )
