"""Whom a net trusts: CA files, depth, revocation lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.files import pem, unpem, write
from tests.support import Listener, RecordingNet, refused
from tests.tls.conftest import Present
from tests.tls.peers import write_pem
from tests.tls.tls_tools import (
    CODES,
    FINDINGS,
    TLS,
    UNKNOWN_CA,
    Meeting,
    Rules,
    Side,
    calls_of,
    other_side,
    rules_for,
)
from tests.tls.trust_tools import GOOD, Nets, at_either_side, codes_of, in_both_versions


@at_either_side
def test_file_with_several_authorities_trusts_each(
    judged: Callable[..., Meeting], pki: TestPki, stranger: TestPki, tmp_path: Path, side: Side
) -> None:
    roots = [stranger.root.certificate_der, pki.root.certificate_der]
    ca = write_pem(tmp_path / "all.pem", *roots)
    assert codes_of(judged(side, ca=ca).of(side)) == GOOD
    identity = getattr(stranger, other_side(side))
    meeting = judged(side, identity, ca=ca)
    # The stranger does not trust us: it is asked about us with its own PKI's file in neither case.
    assert codes_of(meeting.of(side)) == GOOD
    assert meeting.linked


@at_either_side
def test_text_between_the_certificates_of_a_file_does_not_matter(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path, side: Side
) -> None:
    file = tmp_path / "commented.pem"
    blocks = Path(pki.ca_file).read_text()
    file.write_text(f"# the hospital's root, do not edit\n\n{blocks}\nsubject=whatever\n\n")
    assert judged(side, ca=str(file)).linked


@at_either_side
def test_root_of_the_same_name_with_another_key_is_not_trusted(
    judged: Callable[..., Meeting], stranger: TestPki, side: Side
) -> None:
    meeting = judged(side, ca=stranger.ca_file)
    net = meeting.of(side)
    assert net.failure.code == CODES.TlsCertificateRejected
    assert codes_of(net)[-1][0] == 0
    assert not meeting.linked


@at_either_side
@pytest.mark.parametrize(
    ("kind", "certificates"),
    [("self_signed_trusted", 1), ("leaf_trusted_directly", 1), ("intermediate_trusted", 2)],
)
def test_any_certificate_in_the_file_is_an_anchor(
    present: Present, pki: TestPki, kind: str, certificates: int, side: Side
) -> None:
    identity = pki.make(kind, other_side(side))
    meeting = present(identity, side, "TLSv1.3")
    assert meeting.linked
    assert codes_of(meeting.of(side)) == GOOD[:certificates]
    assert meeting.of(side).tls_verified


@at_either_side
def test_leaf_trusted_directly_must_be_this_very_leaf(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path, side: Side
) -> None:
    other = pki.make("leaf_trusted_directly", other_side(side))
    ca = write_pem(tmp_path / "leaf.pem", other.chain_der[0])
    twin = pki.make("good_ec", other_side(side))  # same names, same key, another certificate
    assert judged(side, other, ca=ca).linked
    meeting = judged(side, twin, ca=ca)
    assert not meeting.linked
    assert meeting.of(side).failure.certificate_code in (
        FINDINGS.UnableToGetIssuerCertLocally,
        FINDINGS.UnableToGetIssuerCert,
    )


@at_either_side
def test_directly_trusted_leaf_is_still_checked_for_its_purpose_and_dates(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path, side: Side
) -> None:
    for kind in ("no_purpose", "expired"):
        identity = pki.make(kind, other_side(side))
        ca = write_pem(tmp_path / f"{kind}.pem", identity.chain_der[0])
        meeting = judged(side, identity, ca=ca)
        assert str(meeting.of(side).failure.certificate_code) == identity.code


@at_either_side
@pytest.mark.parametrize("form", ["bytes", "bytearray", "memoryview", "path", "str"])
def test_authorities_come_from_a_path_or_from_bytes(
    judged: Callable[..., Meeting], pki: TestPki, form: str, side: Side
) -> None:
    content = Path(pki.ca_file).read_bytes()
    forms = {
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "path": Path(pki.ca_file),
        "str": pki.ca_file,
    }
    meeting = judged(side, ca=forms[form])
    assert meeting.linked
    assert meeting.of(side).tls_verified


@at_either_side
def test_authorities_from_bytes_decide_as_those_from_a_file(
    judged: Callable[..., Meeting], stranger: TestPki, side: Side
) -> None:
    assert not judged(side, ca=Path(stranger.ca_file).read_bytes()).linked


def test_initialize_replaces_the_authorities_that_came_from_bytes(
    pki: TestPki, nets: Nets, stranger: TestPki, listen: Callable[..., Listener]
) -> None:
    listener = listen(lambda: nets(rules_for(pki, "server").net()))
    content = Path(pki.ca_file).read_bytes()
    client = nets(rules_for(pki, "client", ca=content).net())
    client.Initialize(None, TLS, Rules(ca=stranger.ca_file).settings())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no certificate\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
    ],
)
@pytest.mark.parametrize("form", ["file", "bytes"])
def test_authorities_that_cannot_be_read_are_refused_at_once(
    nets: Nets, tmp_path: Path, content: bytes, form: str
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    net = nets(RecordingNet(TLS))
    ca = str(file) if form == "file" else content
    with refused(CODES.TlsCAFile):
        net.Initialize(None, TLS, Rules(ca=ca).settings())


def test_one_broken_certificate_among_good_ones_is_not_passed_over(
    nets: Nets, pki: TestPki, tmp_path: Path
) -> None:
    good = Path(pki.ca_file).read_bytes()
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    for number, content in enumerate((good + broken, broken + good)):
        file = tmp_path / f"{number}.pem"
        file.write_bytes(content)
        net = nets(RecordingNet(TLS))
        with refused(CODES.TlsCAFile, str(file)):
            net.Initialize(None, TLS, Rules(ca=str(file)).settings())


# ---- depth


def chain_of(pki: TestPki, authorities: int, side: Side) -> Identity:
    kinds = {0: "direct_root_signed", 1: "good_ec", 2: "two_intermediates", 4: "too_deep"}
    return pki.make(kinds[authorities], side)


@in_both_versions
@at_either_side
@pytest.mark.parametrize(
    ("authorities", "depth"), [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (4, 3), (4, 4), (2, 100)]
)
def test_depth_is_how_many_authorities_may_stand_between_leaf_and_root(
    present: Present, pki: TestPki, authorities: int, depth: int, side: Side, version: str
) -> None:
    identity = chain_of(pki, authorities, other_side(side))
    meeting = present(identity, side, version, depth=depth)
    net = meeting.of(side)
    if authorities <= depth:
        assert meeting.linked, net.failure
        assert len(calls_of(net)) == authorities + 2
    else:
        failure = net.failure
        assert failure.certificate_code == FINDINGS.CertChainTooLong
        assert int(failure.certificate_code) == 22
        assert failure.alert_sent == UNKNOWN_CA
        assert "depth" in failure.remedy
        assert len(failure.chain) == authorities + 1


@pytest.mark.parametrize("depth", [-1, 2**31, 101])
def test_depth_out_of_range_is_a_wrong_parameter(nets: Nets, depth: int) -> None:
    with refused(CODES.Parameter, "depth" if depth == 101 else "maximumVerificationDepth"):
        nets(RecordingNet(TLS)).Initialize(None, TLS, Rules(depth=depth).settings())


# ---- revocation

REVOCATION = {
    "crl_good": "",
    "revoked_leaf": "CertRevoked",
    "revoked_intermediate": "CertRevoked",
    "crl_missing": "UnableToGetCrl",
    "crl_expired": "CrlHasExpired",
    "crl_not_yet_valid": "CrlNotYetValid",
    "crl_bad_signature": "CrlSignatureFailure",
    "crl_issuer_may_not": "KeyusageNoCrlSign",
}


@at_either_side
@pytest.mark.parametrize("kind", REVOCATION)
def test_revocation_is_checked_for_the_whole_chain_when_there_is_a_list(
    present: Present, pki: TestPki, kind: str, side: Side
) -> None:
    identity = pki.make(kind, other_side(side))
    meeting = present(identity, side, "TLSv1.2")
    failure = meeting.of(side).failure
    assert ("" if failure is None else str(failure.certificate_code)) == REVOCATION[kind]
    if failure is not None:
        assert failure.certificate_depth == (1 if kind == "revoked_intermediate" else 0)
        assert failure.remedy


@at_either_side
@pytest.mark.parametrize("kind", REVOCATION)
def test_revocation_is_not_checked_without_a_list(
    present: Present, pki: TestPki, kind: str, side: Side
) -> None:
    identity = pki.make(kind, other_side(side))
    assert present(identity, side, "TLSv1.3", crl_file=None).linked


@at_either_side
def test_revocation_may_be_overruled_and_shows(present: Present, pki: TestPki, side: Side) -> None:
    identity = pki.make("revoked_leaf", other_side(side))
    hooks = {"OnVerify": lambda *arguments: 1}
    net = present(identity, side, "TLSv1.3", hooks=hooks).of(side)
    assert net.failure is None
    assert not net.tls_verified
    assert net.tls_verify_code == FINDINGS.CertRevoked


def test_missing_list_of_the_root_is_a_complaint_about_the_intermediate(
    judged: Callable[..., Meeting], pki: TestPki, tmp_path: Path
) -> None:
    both = unpem(Path(str(pki.make("crl_good", "client").crl_file)).read_bytes())
    file = write(tmp_path / "one.pem", pem("X509 CRL", both[1]))
    meeting = judged("server", crl_file=str(file))
    failure = meeting.child.failure
    assert (failure.certificate_code, failure.certificate_depth) == (FINDINGS.UnableToGetCrl, 1)


def test_crl_file_can_be_taken_away_again(
    nets: Nets, pki: TestPki, listen: Callable[..., Listener]
) -> None:
    listener = listen(lambda: nets(rules_for(pki, "server").net()))
    client = nets(rules_for(pki, "client").net())
    client.crl_file = str(pki.make("crl_missing", "server").crl_file)
    assert client.crl_file is not None
    client.crl_file = None
    assert client.crl_file is None
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN X509 CRL-----\nAA==\n", None])
def test_crl_file_that_cannot_be_read_is_refused_at_once(
    nets: Nets, pki: TestPki, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "crl.pem"
    if content is not None:
        file.write_bytes(content)
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.FileAccess, str(file)):
        net.crl_file = str(file)
    assert net.crl_file is None


# ---- host names
