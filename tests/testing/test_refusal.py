"""`expect_refused`: passes for the right refusal only, and says in words what came in its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

import pytest

from leadtools_compat.testing import SecureScp, SecureScu, TestPki, VerifyRecorder, expect_refused

PASSES = [
    ("expired", "server", "CertHasExpired"),
    ("expired", "server", "certificate_expired"),
    ("expired", "server", "TlsPeerRejectedCertificate"),
    ("expired", "server", None),
    ("no_purpose", "server", "InvalidPurpose"),
    ("unknown_ca", "server", "UnableToGetIssuerCertLocally"),
]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize(("kind", "by", "code"), PASSES)
def test_refusal_by_the_server_is_recognised(
    dicom_pki: TestPki,
    secure_scp: SecureScp,
    secure_scu: SecureScu,
    kind: str,
    by: str,
    code: str | None,
    version: Literal["1.2", "1.3"],
) -> None:
    bad = dataclasses.replace(
        secure_scu, identity=dicom_pki.make(kind, role="client"), version=version
    )
    with expect_refused(by="server", code=code) as refusal:
        bad.echo(secure_scp.port)
    assert refusal.failure is not None
    assert refusal.failure.side == "peer"
    told = secure_scp.wait_failure()
    assert str(told.certificate_code) == dicom_pki.make(kind).expected[0].code


def test_refusal_by_the_client_is_recognised(
    dicom_pki: TestPki, make_secure_scp: Callable[..., SecureScp], secure_scu: SecureScu
) -> None:
    scp = make_secure_scp(dicom_pki.make("expired", role="server"))
    with expect_refused(by="client", code="CertHasExpired"):
        secure_scu.echo(scp.port)


def test_what_is_not_refused_fails_in_words(secure_scp: SecureScp, secure_scu: SecureScu) -> None:
    words = "expected the server to refuse with unknown_ca, but nothing was refused"
    failing = pytest.raises(AssertionError, match=words)
    with failing, expect_refused(by="server", code="unknown_ca"):
        secure_scu.echo(secure_scp.port)


def test_the_other_side_and_another_reason_fail_in_words(
    dicom_pki: TestPki, secure_scp: SecureScp, secure_scu: SecureScu
) -> None:
    expired = dataclasses.replace(secure_scu, identity=dicom_pki.make("expired", role="client"))
    other_side = pytest.raises(AssertionError, match="client to refuse, but the server did")
    with other_side, expect_refused(by="client"):
        expired.echo(secure_scp.port)
    other_reason = pytest.raises(AssertionError, match=r"another one: .*certificate_expired")
    with other_reason, expect_refused(by="server", code="InvalidPurpose"):
        expired.echo(secure_scp.port)


def test_misspelt_reason_is_refused_with_the_nearest_one() -> None:
    failing = pytest.raises(ValueError, match="did you mean CertHasExpired")
    with failing, expect_refused(by="server", code="CertHasExpird"):
        pytest.fail("not reached")


def test_onverify_is_recorded_on_both_sides_and_may_be_overruled(
    dicom_pki: TestPki, secure_scp: SecureScp, secure_scu: SecureScu, onverify: VerifyRecorder
) -> None:
    assert secure_scu.echo(secure_scp.port).verified
    assert onverify.codes("client") == ["Success"] * 3
    assert onverify.codes("server") == ["Success"] * 3
    assert onverify.calls[0].subject.startswith("CN = Test Root CA")
    onverify.clear()
    onverify.answers["CertHasExpired"] = 1
    expired = dataclasses.replace(secure_scu, identity=dicom_pki.make("expired", role="client"))
    expired.echo(secure_scp.port)
    assert "CertHasExpired" in onverify.codes("server")
    assert "CertHasExpired" not in onverify.codes("client")
