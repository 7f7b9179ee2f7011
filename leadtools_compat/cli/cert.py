"""``cert``: files of certificates, in OnVerify's words; would a peer take them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.tree import Tree

from leadtools_compat._nodes.files import Problem, find_files
from leadtools_compat.cli import exits
from leadtools_compat.cli.cert_peer import Peer, judge, peer_of
from leadtools_compat.cli.options import existing, json_option, password_of
from leadtools_compat.cli.output import Output, plain
from leadtools_compat.diagnose.certificates import (
    CertificateFile,
    NoCertificateError,
    describe,
    expiry_finding,
    order_findings,
    read_file,
    strength_findings,
)
from leadtools_compat.diagnose.model import Certificate, Finding, Level

EXAMPLES = """\b
Examples:
  leadtools-compat cert server.pem
  leadtools-compat cert client.p12 --ca ca.pem --role client
  leadtools-compat cert *.pem --ca ca.pem --host-name pacs.example.org --json
  leadtools-compat cert /etc/pki --ca ca.pem --crl root.crl --crl-dir lists

Exit code 0: all can be read and are good; 1: something is wrong with one; 6: none can be read.
"""
SHOWN = 20
"""Files that are shown in full, and those that cannot be read; the next ones are short, or counted."""
_folder = click.Path(exists=True, file_okay=False)
_COLORS = {Level.good: "green", Level.note: "cyan", Level.warning: "yellow", Level.error: "red"}


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--ca",
    type=existing,
    multiple=True,
    metavar="FILE",
    help="Authorities that the peer trusts, PEM or DER; may be repeated.",
)
@click.option(
    "--ca-dir",
    "ca_folders",
    type=_folder,
    multiple=True,
    metavar="FOLDER",
    help="All authorities in a folder; may be repeated.",
)
@click.option(
    "--crl",
    "crls",
    type=existing,
    multiple=True,
    metavar="FILE",
    help="Revocation lists of the peer, PEM or DER; each certificate needs one. May be repeated.",
)
@click.option(
    "--crl-dir",
    "crl_folders",
    type=_folder,
    multiple=True,
    metavar="FOLDER",
    help="All revocation lists of a folder; may be repeated.",
)
@click.option(
    "--role",
    type=click.Choice(["client", "server", "both"]),
    help="As what the certificate is shown to the peer; if not given, one of the two will do.",
)
@click.option("--host-name", metavar="NAME", help="Name by which a client calls this server.")
@click.option("--password-file", type=existing, metavar="FILE", help="Password of a PKCS #12 file.")
@json_option
def cert(
    files: tuple[Path, ...],
    out: Output,
    ca: tuple[str, ...],
    ca_folders: tuple[str, ...],
    crls: tuple[str, ...],
    crl_folders: tuple[str, ...],
    role: str | None,
    host_name: str | None,
    password_file: str | None,
) -> int:
    """Show certificates (PEM, DER, PKCS #12): the text that OnVerify gets, order, purposes, days left.

    FILES may be folders: all certificates in them; keys and revocation lists there are passed over.
    With --ca it also says whether a peer that trusts those authorities would accept them.
    """
    if not (ca or ca_folders):
        for given, option in ((crls or crl_folders, "--crl"), (host_name, "--host-name")):
            if given:
                raise click.UsageError(f"{option} needs --ca FILE: whom the peer trusts")
    if host_name is not None and not host_name.isascii():
        hint = "write it as it is in certificates: xn--..."
        raise click.BadParameter(f"{host_name!r} is not ASCII; {hint}", param_hint="--host-name")
    tally = _Tally(out)
    with peer_of(
        *(map(Path, ca), map(Path, ca_folders), map(Path, crls), map(Path, crl_folders)), host_name
    ) as peer:
        roles = (role,) if role in ("client", "server") else ("client", "server")
        asked = peer if ca or ca_folders else None
        for path, named in _all(files):
            _show(tally, path, named, password_file, asked, roles, role == "both")
    return tally.end()


def _all(paths: tuple[Path, ...]) -> Iterator[tuple[Path | Problem, bool]]:
    """Give the files, and whether they were named one by one."""
    for path in paths:
        for found in find_files([path]):
            yield found, not path.is_dir()


@dataclass
class _Tally:
    """What was found, and the documents for ``--json``."""

    out: Output
    good: int = 0
    faulty: int = 0
    unreadable: int = 0
    others: int = 0
    documents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def brief(self) -> bool:
        """Whether there have been so many that the next ones get a line each."""
        return self.good + self.faulty > SHOWN

    def add(self, document: dict[str, Any]) -> None:
        if self.out.as_json:
            self.documents.append(document)

    def not_readable(self, path: Path, text: str) -> None:
        self.unreadable += 1
        self.add({"file": str(path), "error": text})
        if self.unreadable <= SHOWN:
            self.out.warn(f"{plain(path)}: {plain(text)}")
        elif self.unreadable == SHOWN + 1:
            self.out.warn("more of these are only counted (--json lists all)")

    def end(self) -> int:
        out = self.out
        total = self.good + self.faulty + self.unreadable + self.others
        if total != 1:
            more = f", {self.others} with keys or lists only" if self.others else ""
            words = f"{self.good} good, {self.faulty} with faults, {self.unreadable} not readable"
            out.say(words + more)
        ok = self.good > 0 and not (self.faulty or self.unreadable)
        counts = {"good": self.good, "faulty": self.faulty, "unreadable": self.unreadable}
        out.result({"ok": ok, **counts, "others": self.others, "files": self.documents})
        if not (self.good or self.faulty):
            return exits.LOCAL
        return exits.OK if ok else exits.NOT_ALL


def _show(
    tally: _Tally,
    path: Path | Problem,
    named: bool,
    password_file: str | None,
    peer: Peer | None,
    roles: tuple[str, ...],
    all_roles: bool,
) -> None:
    if isinstance(path, Problem):
        tally.not_readable(path.path, path.text)
        return
    try:
        found = read_file(path, lambda: password_of(password_file, str(path)))
    except NoCertificateError as error:
        if named:
            tally.not_readable(path, str(error))
        else:
            tally.others += 1
        return
    except (OSError, ValueError) as error:
        text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        tally.not_readable(path, text)
        return
    document = _one(tally.out, found, peer, roles, all_roles, tally.brief)
    if document["ok"]:
        tally.good += 1
    else:
        tally.faulty += 1
    tally.add(document)


def _one(
    out: Output,
    found: CertificateFile,
    peer: Peer | None,
    roles: tuple[str, ...],
    all_roles: bool,
    brief: bool,
) -> dict[str, Any]:
    """Judge and print one file.

    Without --role, what is taken in one role is good: a server's certificate need not be a client's.
    """
    chain = [describe(der) for der in found.certificates]
    findings = _findings(chain, found)
    judged = {}
    if peer is not None:
        for role in roles:
            judged[role] = judge(found.certificates, peer, role)
    out.show(
        _line(found, chain, findings, judged) if brief else _tree(found, chain, findings, judged)
    )
    errors = any(one.level is Level.error for one in findings)
    refused = bool(judged) and (any if all_roles else all)(map(bool, judged.values()))
    return {
        "file": str(found.path),
        "ok": not (errors or refused),
        "kind": found.kind,
        "certificates": [
            {**asdict(one), "pins": _pins(der)}
            for one, der in zip(chain, found.certificates, strict=True)
        ],
        "findings": [{**asdict(one), "level": str(one.level)} for one in findings],
        "judged": {
            role: {"accepted": not told, "complaints": told} for role, told in judged.items()
        },
    }


_Judged = dict[str, list[dict[str, Any]]]


def _tree(
    found: CertificateFile, chain: list[Certificate], findings: list[Finding], judged: _Judged
) -> Tree:
    keys = f", {found.keys} private key" if found.keys else ""
    many = "1 certificate" if len(chain) == 1 else f"{len(chain)} certificates"
    tree = Tree(f"[bold]{plain(found.path)}[/bold] ({found.kind}, {many}{keys})")
    for number, one in enumerate(chain):
        branch = tree.add(f"certificate {number}")
        lines = [plain(line.replace("\t", "    ")) for line in one.text.splitlines()]
        branch.add("\n".join(lines))
        branch.add(f"{plain(one.key)}, signed with {plain(one.signature)}")
        if one.names:
            branch.add(f"names: {plain(', '.join(one.names))}")
        for pin in _pins(found.certificates[number]):
            branch.add(f"pin: {plain(pin)}")
        if one.days_left is not None:
            branch.add(_days(one.days_left))
    for finding in findings:
        color = _COLORS[finding.level]
        leaf = tree.add(f"[{color}]{finding.level}[/{color}] {plain(finding.text)}")
        if finding.remedy:
            leaf.add(f"[bold]{plain(finding.remedy)}[/bold]")
    for role, complaints in judged.items():
        words = f"as {role}: a peer that trusts these authorities"
        if not complaints:
            tree.add(f"[green]accepted[/green] {words} takes it")
            continue
        leaf = tree.add(f"[red]refused[/red] {words} says")
        for one_complaint in complaints:
            line = f"depth {one_complaint['depth']}: {one_complaint['code']}: {one_complaint['message']}"
            leaf.add(plain(line)).add(f"[bold]{plain(one_complaint['remedy'])}[/bold]")
    return tree


def _line(
    found: CertificateFile, chain: list[Certificate], findings: list[Finding], judged: _Judged
) -> str:
    """Say the same in one line, when there are many files."""
    words = [plain(chain[0].subject)]
    words += [] if chain[0].days_left is None else [_days(chain[0].days_left)]
    for finding in findings:
        if finding.level in (Level.error, Level.warning):
            color = _COLORS[finding.level]
            words.append(f"[{color}]{finding.level}[/{color}] {plain(finding.text)}")
    for role, complaints in judged.items():
        codes = plain(", ".join(dict.fromkeys(one["code"] for one in complaints)))
        words.append(
            f"[red]refused[/red] as {role}: {codes}"
            if complaints
            else f"[green]accepted[/green] as {role}"
        )
    return f"[bold]{plain(found.path)}[/bold]: {'; '.join(words)}"


def _days(left: int) -> str:
    if left < 0:
        return f"ended {-left} {'day' if left == -1 else 'days'} ago"
    return f"{left} {'day' if left == 1 else 'days'} left"


def _pins(der: bytes) -> list[str]:
    """Give what ``--pin`` takes; nothing for what OpenSSL cannot read."""
    from leadtools_compat.dicom import DicomException, DicomNet

    try:
        return list(DicomNet.tls_pins_of(der))
    except DicomException:
        return []


def _findings(chain: list[Certificate], found: CertificateFile) -> list[Finding]:
    findings = [Finding(Level.warning, "certificate", f"{text}.") for text in found.problems]
    bundle = len(chain) > 1 and all(one.is_ca for one in chain)
    if not bundle:  # a file of authorities has no order
        findings += order_findings(chain)
    for number, one in enumerate(chain):
        whose = f"Certificate {number}"
        ending = expiry_finding(one, whose)
        findings += [] if ending is None else [ending]
        findings += strength_findings(one, whose)
        findings += [Finding(Level.warning, "certificate", f"{whose}: {f}.") for f in one.faults]
    return findings
