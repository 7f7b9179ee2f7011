"""Does your PACS do TLS well? Copy this file into an empty folder, set the PACS up, and run it:

    pip install 'leadtools_compat[testing,cli]'
    leadtools-compat pki certificates --seed trial
    # let the PACS use certificates/server.pem and certificates/server.key, trust certificates/ca.pem,
    # and demand a certificate of its clients; then, for example:
    pytest test_pacs_tls.py --pacs localhost:2762 --pacs-pki certificates --pacs-seed trial

With --pacs-strict it also asks for what many PACS do not do: no TLS 1.0 and 1.1, and no client that
can keep the others waiting.

docs/test-your-pacs.md tells more.
"""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from leadtools_compat.testing import Pacs, expect_refused

# What no careful server takes, and why it says so.
BAD_CLIENTS = {
    "expired": "CertHasExpired",
    "not_yet_valid": "CertNotYetValid",
    "unknown_ca": "UnableToGetIssuerCertLocally",
    "self_signed": "DepthZeroSelfSignedCert",
    "wrong_purpose": "InvalidPurpose",
    "bad_signature": "CertSignatureFailure",
}
FAULTS = ("silent", "half_hello", "resets", "garbage", "plain", "no_request", "huge_length")


def test_pacs_is_trusted_and_answers(pacs: Pacs) -> None:
    link = pacs.echo()
    assert link.verified


def test_pacs_talks_tls_1_2(pacs: Pacs) -> None:
    assert pacs.echo(version="1.2").version == "TLSv1.2"


def test_pacs_has_a_certificate_that_lasts(pacs: Pacs) -> None:
    report = pacs.diagnose()
    assert report.tls.chain, report.verdict
    ends = report.tls.chain[0].not_after
    assert ends is not None
    days = (ends - datetime.now(timezone.utc)).days
    assert days > 7, f"the certificate of the PACS ends in {days} days"


@pytest.mark.pacs_strict
def test_pacs_takes_no_old_version(pacs: Pacs) -> None:
    versions = pacs.diagnose().tls.versions
    assert [name for name in ("SSLv3", "TLSv1", "TLSv1.1") if versions[name].accepted] == []


def test_pacs_takes_no_broken_suite(pacs: Pacs) -> None:
    versions = pacs.diagnose().tls.versions
    suites = {suite for offer in versions.values() for suite in offer.suites}
    broken = ("_NULL_", "_EXPORT_", "_RC4_", "_anon_", "_3DES_")
    assert [suite for suite in suites if any(word in suite for word in broken)] == []


def test_client_without_a_certificate_is_refused(pacs: Pacs) -> None:
    with expect_refused(by="server"):
        pacs.stranger().echo(pacs.port, pacs.host)


@pytest.mark.parametrize("kind", BAD_CLIENTS)
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_client_with_a_bad_certificate_is_refused(pacs: Pacs, kind: str, version: str) -> None:
    identity = pacs.pki.make(kind, role="client")
    with expect_refused(by="server") as refusal:
        pacs.echo(identity, version="1.2" if version == "1.2" else "1.3")
    print(f"expected {BAD_CLIENTS[kind]}, told: {refusal.failure}")


@pytest.mark.parametrize("fault", FAULTS)
def test_pacs_survives_a_client_that_misbehaves(pacs: Pacs, fault: str) -> None:
    with pacs.faulty(fault) as client:
        client.wait(0.5)
    assert pacs.echo().verified


@pytest.mark.pacs_strict
@pytest.mark.parametrize("fault", FAULTS)
def test_client_that_misbehaves_keeps_nobody_else_waiting(pacs: Pacs, fault: str) -> None:
    with pacs.faulty(fault):
        assert pacs.echo().verified
