"""Delta lists (RFC 5280 5.2.4): they count, whether or not something points at them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadtools_compat.testing import TestPki
from tests.tls.conftest import Meet
from tests.tls.tls_tools import (
    CERTIFICATE_REVOKED,
    FINDINGS,
    SIDES,
    Meeting,
    Side,
    calls_of,
    other_side,
    rules_for,
)

at_either_side = pytest.mark.parametrize("side", SIDES)

POINTER = x509.FreshestCRL(
    [x509.DistributionPoint([x509.UniformResourceIdentifier("http://ca.test/d")], None, None, None)]
)
PART = x509.IssuingDistributionPoint(
    [x509.UniformResourceIdentifier("http://ca.test/part")], None, False, False, None, False, False
)


def serial_of(certificate: bytes) -> int:
    return x509.load_der_x509_certificate(certificate).serial_number


def revocation_list(
    pki: TestPki,
    authority: str,
    number: int,
    revoked: Sequence[int] = (),
    *,
    base: int | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
    lifted: bool = False,
    forged: bool = False,
    ended: bool = False,
) -> bytes:
    """Make a complete list, or with `base` a delta list."""
    signer = {"ca": pki.root, "intermediate": pki.intermediate}[authority]
    key = serialization.load_pem_private_key(Path(signer.key_file).read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.load_der_x509_certificate(signer.certificate_der).subject)
        .last_update(now - datetime.timedelta(hours=2))
        .next_update(now + datetime.timedelta(hours=-1 if ended else 1))
        .add_extension(x509.CRLNumber(number), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
    )
    if base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(base), True)
    for one in extensions:
        critical = isinstance(one, x509.IssuingDistributionPoint)
        builder = builder.add_extension(one, critical)
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        if lifted:
            reason = x509.CRLReason(x509.ReasonFlags.remove_from_crl)
            entry = entry.add_extension(reason, False)
        builder = builder.add_revoked_certificate(entry.build())
    other = ec.generate_private_key(ec.SECP256R1())
    made = builder.sign(other if forged else key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def checked(meet: Meet, pki: TestPki, tmp_path: Path) -> Callable[..., Meeting]:
    """Let a side judge the other by these lists."""

    def start(side: Side, *lists: bytes, hooks: Any = None, **attributes: Any) -> Meeting:
        file = tmp_path / f"lists-{len(list(tmp_path.iterdir()))}.pem"
        file.write_bytes(b"".join(lists))
        changed = {"attributes": {"crl_paths": file, **attributes}, "hooks": hooks or {}}
        rules = {
            side: rules_for(pki, side, **changed),
            other_side(side): rules_for(pki, other_side(side)),
        }
        return meet(rules["server"], rules["client"])

    return start


def peer_of(pki: TestPki, side: Side) -> int:
    return serial_of((pki.client if side == "server" else pki.server).chain_der[0])


@at_either_side
@pytest.mark.parametrize("pointed_at", [True, False])
def test_delta_list_revokes_with_and_without_a_pointer_to_it(
    checked: Callable[..., Meeting], pki: TestPki, side: Side, pointed_at: bool
) -> None:
    lists = [
        revocation_list(pki, "ca", 1),
        revocation_list(pki, "intermediate", 5, extensions=(POINTER,) if pointed_at else ()),
        revocation_list(pki, "intermediate", 6, [peer_of(pki, side)], base=5),
    ]
    meeting = checked(side, *lists)
    assert not meeting.linked
    failure = meeting.of(side).failure
    assert (str(failure.certificate_code), failure.certificate_depth) == ("CertRevoked", 0)
    assert failure.alert_sent == CERTIFICATE_REVOKED
    assert meeting.of(side).tls_revocation == "failed"
    assert [(call.ok, call.code) for call in calls_of(meeting.of(side))] == [(0, "CertRevoked")]
    overruled = checked(side, *lists, hooks={"OnVerify": lambda *arguments: 1})
    assert overruled.linked
    assert [call.code for call in calls_of(overruled.of(side))].count("CertRevoked") == 1
    assert not overruled.of(side).tls_verified


@at_either_side
def test_soft_fail_does_not_let_pass_what_a_delta_list_alone_names(
    checked: Callable[..., Meeting], pki: TestPki, side: Side
) -> None:
    root = revocation_list(pki, "ca", 1)
    delta = revocation_list(pki, "intermediate", 6, [peer_of(pki, side)], base=5)
    other = revocation_list(pki, "intermediate", 6, [4711], base=5)
    meeting = checked(side, root, delta, revocation_soft_fail=True)
    assert not meeting.linked
    assert str(meeting.of(side).failure.certificate_code) == "CertRevoked"
    assert checked(side, root, other, revocation_soft_fail=True).linked


@at_either_side
def test_delta_list_of_the_root_counts_for_the_chain_and_not_for_the_leaf(
    checked: Callable[..., Meeting], pki: TestPki, side: Side
) -> None:
    authority = serial_of(pki.intermediate.certificate_der)
    lists = [
        revocation_list(pki, "ca", 1),
        revocation_list(pki, "ca", 2, [authority], base=1),
        revocation_list(pki, "intermediate", 5),
    ]
    failure = checked(side, *lists).of(side).failure
    assert (str(failure.certificate_code), failure.certificate_depth) == ("CertRevoked", 1)
    assert checked(side, *lists, crl_check="leaf").linked


HARMLESS = ["as new", "lifted", "forged", "another's"]


@at_either_side
@pytest.mark.parametrize("case", HARMLESS)
def test_delta_list_that_is_over_or_not_the_issuers_revokes_nobody(
    checked: Callable[..., Meeting], pki: TestPki, side: Side, case: str
) -> None:
    meeting = checked(
        side,
        revocation_list(pki, "ca", 1),
        revocation_list(pki, "intermediate", 6 if case == "as new" else 5),
        revocation_list(
            pki,
            "ca" if case == "another's" else "intermediate",
            6,
            [peer_of(pki, side)],
            base=5,
            lifted=case == "lifted",
            forged=case == "forged",
        ),
    )
    assert meeting.linked
    assert meeting.of(side).tls_revocation == "good"


@at_either_side
def test_complete_list_of_another_part_does_not_end_a_delta_list(
    checked: Callable[..., Meeting], pki: TestPki, side: Side
) -> None:
    meeting = checked(
        side,
        revocation_list(pki, "ca", 1),
        revocation_list(pki, "intermediate", 5),
        revocation_list(pki, "intermediate", 9, extensions=(PART,)),
        revocation_list(pki, "intermediate", 6, [peer_of(pki, side)], base=5),
    )
    assert not meeting.linked
    assert str(meeting.of(side).failure.certificate_code) == "CertRevoked"


def test_delta_list_in_date_does_not_hide_that_the_complete_one_has_ended(
    checked: Callable[..., Meeting], pki: TestPki, caplog: pytest.LogCaptureFixture
) -> None:
    lists = [
        revocation_list(pki, "ca", 1),
        revocation_list(pki, "intermediate", 5, ended=True),
        revocation_list(pki, "intermediate", 6, base=5),
    ]
    meeting = checked("client", *lists)
    meeting.client.log.wait("OnClose")
    assert meeting.client.failure.certificate_code == FINDINGS.CrlHasExpired
    assert (
        sum("revocation list of" in line and "has ended" in line for line in caplog.messages) == 1
    )
