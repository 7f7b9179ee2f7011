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

POLICY_SECTIONS = ("4.8", "4.9", "4.10", "4.11", "4.12")
P1, P2, P3, P6 = (f"2.16.840.1.101.3.2.1.48.{last}" for last in (1, 2, 3, 6))


def explicit(*policies: str, **more: bool) -> dict[str, Any]:
    return {"policies": policies, "explicit": True, **more}


def only(*policies: str) -> dict[str, Any]:
    return {"policies": policies, "explicit": False}


WITH_POLICIES: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("4.8.1", explicit(), True),
    ("4.8.1", explicit(P1), True),
    ("4.8.1", explicit(P2), False),
    ("4.8.1", explicit(P1, P2), True),
    ("4.8.2", explicit(), False),
    ("4.8.3", explicit(), False),
    ("4.8.3", explicit(P1, P2), False),
    ("4.8.6", only(P1), True),
    ("4.8.6", only(P2), False),
    ("4.8.10", only(P1), True),
    ("4.8.10", only(P2), True),
    ("4.8.11", only(P1), True),
    ("4.8.13", only(P1), True),
    ("4.8.13", only(P2), True),
    ("4.8.13", only(P3), True),
    ("4.8.14", only(P1), True),
    ("4.8.14", only(P2), False),
    ("4.8.18", only(P1), True),
    ("4.8.18", only(P2), True),
    ("4.8.20", explicit(), True),
    ("4.9.1", only(), True),
    ("4.10.1", only(P1), True),
    ("4.10.1", only(P2), False),
    ("4.10.1", {**only(), "inhibit_mapping": True}, False),
    ("4.10.3", only(P1), False),
    ("4.10.3", only(P2), True),
    ("4.10.5", only(P1), True),
    ("4.10.5", only(P6), False),
    ("4.10.6", only(P1), True),
    ("4.10.6", only(P6), False),
    ("4.10.12", only(P1), True),
    ("4.10.12", only(P2), True),
    ("4.11.2", only(), True),
    ("4.12.3", only(), True),
    ("4.12.3", {**only(), "inhibit_any": True}, False),
)
"""Where PKITS says what other initial settings than "any policy" decide: number, settings, good."""


class Judge:
    """A listener that trusts PKITS's anchor and insists on lists for the whole chain."""

    def __init__(self, nets: Callable[[Any], Any], pki: TestPki, folder: Path) -> None:
        self._folder = folder
        self._rules = Rules(identity=pki.server, ca=self._file("anchor", ANCHOR), flags=MUTUAL)
        self.policies: dict[str, Any] = {"policies": ()}
        self._listener = nets(Listener(lambda: nets(self._child())))
        self._listener.Listen("127.0.0.1", 0, 16)
        self._links = 0

    def _child(self) -> Any:
        net = self._rules.net()
        net.set_tls_policies(**self.policies)
        return net

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


@pytest.mark.parametrize("section", POLICY_SECTIONS)
def test_policies_are_not_looked_at_unless_asked_for(
    nets: Callable[[Any], Any], pki: TestPki, tmp_path: Path, section: str
) -> None:
    judge = Judge(nets, pki, tmp_path)
    judge.policies = {"policies": None}
    cases = [case for case in all_cases() if case.section == section and not case.good]
    assert {case.number: judge.verdict(case) for case in cases} == {
        case.number: GOOD for case in cases
    }


@pytest.mark.parametrize("section", POLICY_SECTIONS)
def test_policies_that_the_user_asks_for_decide_as_pkits_says(
    nets: Callable[[Any], Any], pki: TestPki, tmp_path: Path, section: str
) -> None:
    judge = Judge(nets, pki, tmp_path)
    cases = {case.number: case for case in all_cases()}
    for number, wishes, good in WITH_POLICIES:
        if cases[number].section == section:
            judge.policies = wishes
            expected = GOOD if good else "NoExplicitPolicy"
            assert judge.verdict(cases[number]) == expected, (number, wishes)


def test_document_lists_real_differences_only() -> None:
    cases = {case.number: case for case in all_cases()}
    assert len(cases) == sum(count for count, _ in SECTIONS.values()) == 224
    for number, (_, title, want, ours, _) in DIFFERENCES.items():
        assert title == cases[number].title
        assert want == ("accepted" if cases[number].good else "refused")
        assert (want == "accepted") != (ours == GOOD)
    bad = {one.number for one in cases.values() if not one.good}
    assert bad - set(DIFFERENCES) == set(REFUSALS)
    (listed,) = re.findall(r"are accepted then: ([\d., ]+)\.\n", DOCUMENT.read_text())
    assert set(listed.split(", ")) == {one for one in bad if cases[one].section in POLICY_SECTIONS}
