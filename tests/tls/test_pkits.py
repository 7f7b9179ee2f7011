"""NIST's PKITS, sections 4.1 to 4.16: each path as a client's chain, presented to our listener over TLS.

Our verdict is that of PKITS, or the difference stands in ``docs/pkits.md`` with its reason. The codes of
what is refused are in ``golden/pkits.txt``, so that nothing is refused for a wrong reason.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.support import MUTUAL, PATIENCE, Listener
from tests.tls.pkits import ANCHOR, SECTIONS, Case, Parts, all_cases
from tests.tls.rawtls import present_to_server
from tests.tls.tls_tools import CODES, Rules

GOOD = "accepted"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/pkits.md"
GOLDEN = Path(__file__).parent / "golden/pkits.txt"

ROW = re.compile(r"^\| (4[.\d]+) \| (.+?) \| (accepted|refused) \| (\w+) \| (.+) \|$", re.M)
DIFFERENCES: dict[str, tuple[str, ...]] = {row[0]: row for row in ROW.findall(DOCUMENT.read_text())}
"""The table of the document: number, title, what PKITS wants, our verdict, reason."""
REFUSALS = dict(line.split() for line in GOLDEN.read_text().splitlines())


class Judge:
    """A listener that trusts PKITS's anchor and insists on lists for the whole chain."""

    def __init__(self, nets: Callable[[Any], Any], pki: TestPki, folder: Path) -> None:
        self._folder = folder
        self._rules = Rules(identity=pki.server, ca=self._file("anchor", ANCHOR), flags=MUTUAL)
        self._listener = nets(Listener(lambda: nets(self._rules.net())))
        self._listener.Listen("127.0.0.1", 0, 16)
        self._links = 0

    def _file(self, name: str, *contents: str) -> str:
        file = self._folder / f"pkits-{name}.pem"
        file.write_text("".join(contents))
        return str(file)

    def verdict(self, case: Case) -> str:
        """Let a client present the path of a case; "accepted", or the code."""
        parts = case.parts()
        self._rules = self._rules.but(crl_file=self._file(f"lists{case.number}", *parts.lists))
        if "DSA" in case.title:
            # TLS has no DSA any more, and nobody can sign with it: the chain alone is shown.
            assert present_to_server(self._listener.HostPort, "TLSv1.2", parts.der) is not None
        else:
            self._connect(parts)
        self._links += 1
        child = self._listener.child(self._links)
        code = child.log.wait("OnSecureLinkReady").code
        if code == CODES.Success:
            assert child.tls_verified
            assert tuple(child.tls_peer_certificates)[: len(parts.der)] == parts.der
            return GOOD
        assert code == CODES.TlsCertificateRejected, child.failure
        return str(child.failure.certificate_code)

    def _connect(self, parts: Parts) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(self._file("client", *parts.chain, parts.key()))
        try:
            with socket.create_connection(
                ("127.0.0.1", self._listener.HostPort), PATIENCE
            ) as plain:
                context.wrap_socket(plain).close()
        except OSError:  # refused while it still spoke; what counts is what the listener says
            pass


@pytest.mark.parametrize("section", SECTIONS)
def test_verdict_is_that_of_pkits_or_a_documented_choice(
    nets: Callable[[Any], Any], pki: TestPki, tmp_path: Path, section: str
) -> None:
    judge = Judge(nets, pki, tmp_path)
    ours = {}
    wanted = {}
    for case in all_cases():
        if case.section != section:
            continue
        ours[case.number] = judge.verdict(case)
        if case.number in DIFFERENCES:
            wanted[case.number] = DIFFERENCES[case.number][3]
        else:
            wanted[case.number] = GOOD if case.good else REFUSALS[case.number]
    assert ours == wanted
    assert len(ours) == SECTIONS[section][0]


def test_document_lists_real_differences_only() -> None:
    cases = {case.number: case for case in all_cases()}
    assert len(cases) == sum(count for count, _ in SECTIONS.values()) == 224
    for number, (_, title, want, ours, _) in DIFFERENCES.items():
        assert title == cases[number].title
        assert want == ("accepted" if cases[number].good else "refused")
        assert (want == "accepted") != (ours == GOOD)
    refused = {
        one.number for one in cases.values() if not one.good and one.number not in DIFFERENCES
    }
    assert refused == set(REFUSALS)
