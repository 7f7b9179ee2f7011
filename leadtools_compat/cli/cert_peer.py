"""What ``cert`` asks in place of a peer: whom that one trusts, its revocation lists, what it would say.

The one rule: the library's own OpenSSL judges, so that the answer is that of a handshake.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadtools_compat._nodes.files import Problem, find_files
from leadtools_compat.diagnose.certificates import read_file, read_lists

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Peer", "judge", "peer_of"]


@dataclass(frozen=True)
class Peer:
    """What the peer has.

    Attributes
    ----------
    trusted
        DER.
    lists
        A file of revocation lists, PEM; None: it checks none.
    host
        The name by which it calls a server; None: any.
    """

    trusted: list[bytes]
    lists: str | None
    host: str | None


@contextmanager
def peer_of(
    ca: Iterable[Path],
    ca_folders: Iterable[Path],
    crls: Iterable[Path],
    crl_folders: Iterable[Path],
    host: str | None,
) -> Iterator[Peer]:
    """Read the files; in folders, those that are something else are left out.

    Raises
    ------
    click.BadParameter
        A file that was named has not what it should have, or a folder nothing of it.
    """
    from leadtools_compat.testing.files import pem

    trusted = _gather(ca, ca_folders, lambda path: read_file(path).certificates, "--ca")
    lists = _gather(crls, crl_folders, read_lists, "--crl")
    if not lists:
        yield Peer(trusted, None, host)
        return
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(pem("X509 CRL", *lists))
        file.flush()
        yield Peer(trusted, file.name, host)


def _gather(
    files: Iterable[Path],
    folders: Iterable[Path],
    read: Callable[[Path], list[bytes]],
    option: str,
) -> list[bytes]:
    found: dict[bytes, None] = {}
    path = Path()
    try:
        for path in files:
            found |= dict.fromkeys(read(path))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path}: {_words(error)}", param_hint=option) from error
    for folder in folders:
        before = len(found)
        for one in find_files([folder]):
            if isinstance(one, Problem):
                raise click.BadParameter(f"{one.path}: {one.text}", param_hint=f"{option}-dir")
            try:
                found |= dict.fromkeys(read(one))
            except (OSError, ValueError):
                continue
        if len(found) == before:
            raise click.BadParameter(f"{folder}: nothing in it", param_hint=f"{option}-dir")
    return list(found)


def _words(error: OSError | ValueError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def judge(chain: list[bytes], peer: Peer, role: str) -> list[dict[str, Any]]:
    """Give what the peer would complain about, with the remedies; empty: it accepts the chain."""
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
            peer.trusted,
            "client" if role == "client" else "server",
            crl_file=peer.lists,
            host=peer.host if role == "server" else None,
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
