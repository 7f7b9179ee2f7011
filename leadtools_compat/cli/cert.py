"""``cert``: files of certificates, in OnVerify's words; would a peer take them?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.tree import Tree

from leadtools_compat.cli import exits
from leadtools_compat.cli.options import existing, json_option, password_of
from leadtools_compat.cli.output import Output, plain
from leadtools_compat.diagnose.certificates import (
    CertificateFile,
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

Exit code 0: all can be read and are good; 1: something is wrong with one; 6: none can be read.
"""
_COLORS = {Level.good: "green", Level.note: "cyan", Level.warning: "yellow", Level.error: "red"}


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--ca", type=existing, metavar="FILE", help="Authorities that the peer trusts, PEM.")
@click.option("--crl", type=existing, metavar="FILE", help="Revocation lists of the peer, PEM.")
@click.option(
    "--role",
    type=click.Choice(["client", "server", "both"]),
    default="both",
    show_default=True,
    help="As what the certificate is shown to the peer.",
)
@click.option("--host-name", metavar="NAME", help="Name by which a client calls this server.")
@click.option("--password-file", type=existing, metavar="FILE", help="Password of a PKCS #12 file.")
@json_option
def cert(
    files: tuple[Path, ...],
    out: Output,
    ca: str | None,
    crl: str | None,
    role: str,
    host_name: str | None,
    password_file: str | None,
) -> int:
    """Show certificates (PEM, DER, PKCS #12): the text that OnVerify gets, order, purposes, days left.

    With --ca it also says whether a peer that trusts those authorities would accept them.
    """
    trusted: list[bytes] = []
    if ca is not None:
        try:
            trusted = read_file(Path(ca)).certificates
        except ValueError as error:
            raise click.BadParameter(f"{ca}: {error}", param_hint="--ca") from error
    roles = ("client", "server") if role == "both" else (role,)
    documents: list[dict[str, Any]] = []
    unreadable, bad = 0, 0
    for path in files:
        try:
            found = read_file(path, lambda path=path: password_of(password_file, str(path)))  # type: ignore[misc]
        except (OSError, ValueError) as error:
            text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            out.warn(f"{plain(path)}: {plain(text)}")
            documents.append({"file": str(path), "error": text})
            unreadable += 1
            continue
        document = _one(out, found, trusted if ca else None, roles, crl, host_name)
        bad += not document["ok"]
        documents.append(document)
    good = len(files) - unreadable - bad
    if len(files) > 1:
        out.say(f"{good} good, {bad} with faults, {unreadable} not readable")
    out.result({"ok": not (bad or unreadable), "files": documents})
    if unreadable == len(files):
        return exits.LOCAL
    return exits.NOT_ALL if bad or unreadable else exits.OK


def _one(
    out: Output,
    found: CertificateFile,
    trusted: list[bytes] | None,
    roles: tuple[str, ...],
    crl: str | None,
    host: str | None,
) -> dict[str, Any]:
    chain = [describe(der) for der in found.certificates]
    findings = _findings(chain, found)
    judged = {}
    if trusted is not None:
        for role in roles:
            checked = host if role == "server" else None
            judged[role] = _judge(found.certificates, trusted, role, crl, checked)
    keys = f", {found.keys} private key" if found.keys else ""
    tree = Tree(f"[bold]{plain(found.path)}[/bold] ({found.kind}, {len(chain)} certificates{keys})")
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
            branch.add(f"{one.days_left} days left")
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
    out.show(tree)
    errors = any(one.level is Level.error for one in findings) or any(judged.values())
    return {
        "file": str(found.path),
        "ok": not errors,
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


def _judge(
    chain: list[bytes], trusted: list[bytes], role: str, crl: str | None, host: str | None
) -> list[dict[str, Any]]:
    from leadtools_compat import library_path
    from leadtools_compat.dicom import (
        DicomSecurityCertificateException,
        DicomSecurityCertificateExceptionCode,
    )
    from leadtools_compat.testing.judge import complaints

    # The library's own OpenSSL: what it says here is what it says in a handshake.
    try:
        said = complaints(
            chain,
            trusted,
            "client" if role == "client" else "server",
            crl_file=crl,
            host=host,
            library=library_path(),
        )
    except ValueError as error:
        remedy = "Have the certificate issued anew: no peer can read it."
        return [{"code": "", "depth": 0, "message": str(error), "remedy": remedy}]
    made = []
    for complaint in said:
        finding = DicomSecurityCertificateException(
            DicomSecurityCertificateExceptionCode[complaint.code]
        )
        made.append(
            {
                "code": complaint.code,
                "depth": complaint.depth,
                "message": finding.Message,
                "remedy": finding.remedy,
            }
        )
    return made
