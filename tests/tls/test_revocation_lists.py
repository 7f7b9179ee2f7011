"""Revocation lists from files and folders: which are taken, whom they concern, hard and soft fail."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadtools_compat.dicom import DicomSecurityCertificateException
from leadtools_compat.testing import TestPki
from leadtools_compat.testing.files import unpem, write
from tests.support import NO_CHECK, RecordingNet, refused
from tests.tls.conftest import Meet
from tests.tls.issued import issue
from tests.tls.issued import write as write_identity
from tests.tls.tls_tools import (
    CERTIFICATE_REVOKED,
    CODES,
    FINDINGS,
    SIDES,
    TLS,
    VERSIONS,
    LibraryLog,
    Meeting,
    Side,
    calls_of,
    finding,
    other_side,
    rules_for,
)

Nets = Callable[[Any], Any]
Checked = Callable[..., Meeting]

at_either_side = pytest.mark.parametrize("side", SIDES)
in_each_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def checked(meet: Meet, pki: TestPki) -> Checked:
    """Let one side judge the other with attributes of revocation."""

    def start(side: Side, version: str = "TLSv1.3", **attributes: Any) -> Meeting:
        changes = {name: attributes.pop(name) for name in ("hooks", "flags") if name in attributes}
        method = VERSIONS[version]
        rules = {
            side: rules_for(pki, side, method=method, attributes=attributes, **changes),
            other_side(side): rules_for(pki, other_side(side), method=method),
        }
        return meet(rules["server"], rules["client"])

    return start


def peer_of(pki: TestPki, side: Side) -> Any:
    return pki.client if side == "server" else pki.server


def code_of(meeting: Meeting, side: Side) -> str:
    failure = meeting.of(side).failure
    return "" if failure is None else str(failure.certificate_code)


# ---- files and folders


@at_either_side
@in_each_version
def test_list_in_its_own_file_of_each_authority(
    checked: Checked, pki: TestPki, side: Side, version: str
) -> None:
    name = f"own-{side}-{version}"
    root = pki.crl(name=f"{name}-root", authorities=("ca",), der=True)
    good = pki.crl(name=f"{name}-good", authorities=("intermediate",))
    bad = pki.crl(peer_of(pki, side), name=f"{name}-bad", authorities=("intermediate",), der=True)
    meeting = checked(side, version, crl_paths=[root, good])
    assert meeting.linked
    assert meeting.of(side).tls_revocation == "good"
    meeting = checked(side, version, crl_paths=(root, bad))
    assert code_of(meeting, side) == "CertRevoked"
    assert meeting.of(side).failure.alert_sent == CERTIFICATE_REVOKED
    assert meeting.of(side).tls_revocation == "failed"
    assert code_of(checked(side, version, crl_paths=[good]), side) == "UnableToGetCrl"


@at_either_side
def test_folder_gives_all_lists_that_are_in_it(
    checked: Checked, pki: TestPki, tmp_path: Path, side: Side, library_log: LibraryLog
) -> None:
    name = f"folder-{side}"
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "empty folder").mkdir()
    (folder / ".hidden").write_text("-----BEGIN X509 CRL-----\nbroken")
    # A folder with the same content is not read twice, and said of once.
    (folder / "README").write_text(f"lists of the hospital, {side}\n")
    shutil.copy(pki.root.certificate_file, folder / "ca.pem")
    shutil.copy(Path(pki.ca_file).with_suffix(".der"), folder / "ca.der")
    shutil.copy(pki.crl(name=name, authorities=("ca",), der=True), folder)
    assert code_of(checked(side, crl_paths=folder), side) == "UnableToGetCrl"
    shutil.copy(pki.crl(name=name, authorities=("intermediate",)), folder)
    assert checked(side, crl_paths=str(folder)).linked
    for passed_over in ("README", "ca.pem", "ca.der"):
        library_log.wait(passed_over, "holds no revocation list")
    assert not library_log.about_settings("hidden")
    shutil.copy(
        pki.crl(peer_of(pki, side), name=f"{name}-newer", authorities=("intermediate",)), folder
    )
    meeting = checked(side, crl_paths=[folder])
    assert code_of(meeting, side) == "CertRevoked"


@pytest.mark.parametrize("how", ["empty", "no list", "damaged pem", "damaged der", "forbidden"])
def test_folder_without_lists_or_with_a_damaged_one_is_refused(
    pki: TestPki, nets: Nets, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    net = nets(rules_for(pki, "client").net())
    good = pki.crl(name="of-the-net")
    net.crl_paths = good
    lists = unpem(Path(good).read_bytes())
    named = str(folder)
    if how == "no list":
        (folder / "README").write_text("nothing here yet\n")
    if how == "damaged pem":
        (folder / "one.pem").write_text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
        named = "one.pem"
    if how == "damaged der":
        (folder / "one.crl").write_bytes(lists[0][:-5])
        named = "one.crl"
    if how == "forbidden":
        (folder / "one.crl").write_bytes(lists[0])
        folder.chmod(0)
        if os.geteuid() == 0:
            folder.chmod(0o700)
            folder = tmp_path / "gone"
    with refused(CODES.FileAccess, named if how != "forbidden" else str(folder)):
        net.crl_paths = [folder]
    assert net.crl_paths == (good,)
    assert net.crl_file == good


def test_der_file_with_something_behind_the_list_is_refused(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    content = Path(pki.crl(name="twice", authorities=("ca",), der=True)).read_bytes()
    file = write(tmp_path / "twice.crl", content + content)
    with refused(CODES.FileAccess, "twice.crl"):
        nets(RecordingNet(TLS)).crl_paths = file


def test_paths_are_given_one_by_one_or_together_and_read_back(pki: TestPki, nets: Nets) -> None:
    net = nets(RecordingNet(TLS))
    assert (net.crl_paths, net.crl_file, net.crl_check) == ((), None, "chain")
    assert (net.revocation_soft_fail, net.ocsp_check) == (False, "off")
    one, two = pki.crl(name="one"), Path(pki.crl(name="two"))
    net.crl_paths = [one, two]
    assert (net.crl_paths, net.crl_file) == ((one, two), None)
    net.crl_file = two
    assert (net.crl_paths, net.crl_file) == ((two,), two)
    net.crl_paths = None
    assert net.crl_paths == ()
    for wrong in (["", one], [one, ""]):
        with refused(CODES.Parameter, "crl_paths"):
            net.crl_paths = wrong
    for nonsense in ([5], 5, [b"bytes"]):
        with pytest.raises(TypeError):
            net.crl_paths = nonsense
    for name in ("crl_check", "ocsp_check"):
        with refused(CODES.Parameter, name):
            setattr(net, name, "sometimes")
        with pytest.raises(TypeError):
            setattr(net, name, 1)


# ---- leaf or chain


@at_either_side
def test_leaf_only_needs_the_list_of_the_leafs_issuer(
    checked: Checked, pki: TestPki, side: Side
) -> None:
    peer = peer_of(pki, side)
    leafs = pki.crl(name=f"leaf-{side}", authorities=("intermediate",))
    roots = pki.crl(name=f"root-{side}", authorities=("ca",))
    gone = pki.crl(peer, name=f"leaf-gone-{side}", authorities=("intermediate",))
    meeting = checked(side, crl_paths=leafs, crl_check="leaf")
    assert meeting.linked
    assert meeting.of(side).tls_revocation == "good"
    assert code_of(checked(side, crl_paths=gone, crl_check="leaf"), side) == "CertRevoked"
    assert code_of(checked(side, crl_paths=roots, crl_check="leaf"), side) == "UnableToGetCrl"


@at_either_side
def test_revoked_intermediate_counts_for_the_chain_only(
    checked: Checked, pki: TestPki, side: Side
) -> None:
    lists = pki.crl(pki.intermediate, name=f"intermediate-{side}")
    meeting = checked(side, crl_paths=lists)
    assert code_of(meeting, side) == "CertRevoked"
    assert meeting.of(side).failure.certificate_depth == 1
    assert checked(side, crl_paths=lists, crl_check="leaf").linked


ABOUT_LISTS = [
    *("UnableToGetCrl", "UnableToDecryptCrlSignature", "CrlSignatureFailure", "CrlNotYetValid"),
    *("CrlHasExpired", "ErrorInCrlLastUpdateField", "ErrorInCrlNextUpdateField", "CertRevoked"),
    *("UnableToGetCrlIssuer", "KeyusageNoCrlSign", "UnhandledCriticalCrlExtension"),
    *("DifferentCrlScope", "CrlPathValidationError", "InvalidExtension"),
]


@pytest.mark.parametrize("name", ABOUT_LISTS)
def test_complaint_about_lists_has_a_remedy_of_its_own(name: str) -> None:
    def remedy(code: Any) -> str:
        return str(DicomSecurityCertificateException(code, "").remedy)

    assert remedy(finding(name)) != remedy(FINDINGS.Unspecified)


# ---- soft fail

SOFT = {
    "missing": "UnableToGetCrl",
    "expired": "CrlHasExpired",
    "early": "CrlNotYetValid",
}


def soft_list(pki: TestPki, how: str, side: Side, *revoked: Any) -> str:
    days = {"expired": (-9.0, -1.0), "early": (1.0, 2.0)}.get(how, (-1.0, 1.0))
    name = f"soft-{how}-{side}-{len(revoked)}"
    authorities = ("ca",) if how == "missing" else ("ca", "intermediate")
    return pki.crl(*revoked, name=name, days=days, authorities=authorities)


@at_either_side
@pytest.mark.parametrize("how", SOFT)
def test_list_that_is_missing_or_out_of_date_is_refused_unless_soft_fail_is_set(
    checked: Checked, pki: TestPki, side: Side, how: str, library_log: LibraryLog
) -> None:
    lists = soft_list(pki, how, side)
    hard = checked(side, crl_paths=lists)
    assert code_of(hard, side) == SOFT[how]
    assert hard.of(side).failure.remedy
    assert hard.of(side).tls_revocation == "failed"
    soft = checked(side, crl_paths=lists, revocation_soft_fail=True)
    net = soft.of(side)
    assert soft.linked
    assert net.tls_verified
    assert net.tls_revocation == "unknown"
    assert [(call.ok, call.code) for call in calls_of(net)] == [(1, "Success")] * 3
    library_log.wait("may have been revoked", "soft fail")


@at_either_side
@in_each_version
def test_soft_fail_never_lets_a_revoked_certificate_pass(
    checked: Checked, pki: TestPki, side: Side, version: str
) -> None:
    peer = peer_of(pki, side)
    for how in ("in date", "expired"):
        lists = soft_list(pki, how, side, peer)
        meeting = checked(side, version, crl_paths=lists, revocation_soft_fail=True)
        assert code_of(meeting, side) == "CertRevoked"
        assert meeting.of(side).tls_revocation == "failed"


@at_either_side
def test_soft_fail_never_lets_a_forged_list_pass(
    checked: Checked, pki: TestPki, side: Side
) -> None:
    forged = pki.make("crl_bad_signature", other_side(side)).crl_file
    meeting = checked(side, crl_paths=forged, revocation_soft_fail=True)
    assert code_of(meeting, side) == "CrlSignatureFailure"


def test_list_that_has_ended_is_said_when_it_is_loaded_but_not_if_there_is_a_newer_one(
    pki: TestPki, nets: Nets, library_log: LibraryLog
) -> None:
    old = pki.crl(name="ended", days=(-9, -1), authorities=("intermediate",))
    new = pki.crl(name="new", authorities=("intermediate",))
    net = nets(RecordingNet(TLS))
    net.crl_paths = [old, new]
    assert library_log.about_settings("has ended") == []
    net.crl_paths = old
    assert "Test Intermediate CA" in library_log.wait("has ended", "fetch the present one")


def test_newer_list_of_two_counts(checked: Checked, pki: TestPki) -> None:
    newer = pki.crl(pki.server, name="newer", days=(-0.1, 1))
    older = pki.crl(name="older", days=(-0.5, 1))
    for paths in ([newer, older], [older, newer]):
        assert code_of(checked("client", crl_paths=paths), "client") == "CertRevoked"


# ---- user code


@at_either_side
def test_complaint_about_a_list_may_be_overruled_and_shows(
    checked: Checked, pki: TestPki, side: Side
) -> None:
    hooks = {"OnVerify": lambda *arguments: 1}
    lists = soft_list(pki, "missing", side)
    net = checked(side, crl_paths=lists, hooks=hooks).of(side)
    assert not net.tls_verified
    assert net.tls_verify_code == FINDINGS.UnableToGetCrl
    assert net.tls_revocation == "failed"


def test_client_that_takes_anybody_tells_of_a_revoked_server(
    checked: Checked, pki: TestPki, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "leadtools_compat"):
        lists = pki.crl(pki.server, name="anybody")
        meeting = checked("client", crl_paths=lists, flags=NO_CHECK)
    assert meeting.linked
    assert not meeting.client.tls_verified
    assert meeting.client.tls_revocation == "failed"


def test_settings_of_revocation_are_frozen_while_connected(checked: Checked, pki: TestPki) -> None:
    meeting = checked("client", crl_paths=pki.crl(name="frozen"))
    values = {
        "crl_paths": pki.crl(name="frozen-2"),
        "crl_check": "leaf",
        "revocation_soft_fail": True,
        "ocsp_check": "require",
        "ocsp_staple_file": pki.ocsp(pki.client),
        "children_inherit_tls": True,
    }
    for name, value in values.items():
        before = getattr(meeting.client, name)
        with refused(CODES.InvalidState):
            setattr(meeting.client, name, value)
        assert getattr(meeting.client, name) == before


@at_either_side
@pytest.mark.parametrize(
    "expected",
    [
        {"expected_host": "localhost"},
        {"expected_email": "node@hospital.test"},
        {"expected_host": "127.0.0.1"},
    ],
    ids=["host", "e-mail", "address"],
)
def test_names_that_are_expected_of_the_peer_are_not_expected_of_who_signs_lists(
    meet: Meet, pki: TestPki, tmp_path: Path, side: Side, expected: dict[str, str]
) -> None:
    """The authority has a key for its lists only, in a certificate with the same name."""
    peer = issue(pki, tmp_path, "node", names=("localhost", "127.0.0.1", "node@hospital.test"))
    key = ec.generate_private_key(ec.SECP256R1())
    signer, lists = own_list_signer(pki, key)
    encoded = serialization.load_pem_private_key(Path(peer.key_file).read_bytes(), None)
    assert isinstance(encoded, ec.EllipticCurvePrivateKey)
    chain = [*map(x509.load_der_x509_certificate, peer.chain_der), signer]
    peer = write_identity(pki, tmp_path, "with signer", encoded, chain)
    file = write(tmp_path / "lists.pem", lists)
    for attributes in ({}, expected):
        rules = {
            side: rules_for(pki, side, attributes={"crl_paths": file, **attributes}),
            other_side(side): rules_for(pki, other_side(side), identity=peer),
        }
        meeting = meet(rules["server"], rules["client"])
        assert meeting.linked, meeting.of(side).failure
        assert meeting.of(side).tls_revocation == "good"


def own_list_signer(
    pki: TestPki, key: ec.EllipticCurvePrivateKey
) -> tuple[x509.Certificate, bytes]:
    """Make a certificate of the root's for the intermediate's lists, and the lists of both."""
    now = datetime.now(timezone.utc)
    lists = Path(pki.crl(name="of the root", authorities=("ca",))).read_bytes()
    root = x509.load_der_x509_certificate(pki.root.certificate_der)
    issuer = x509.load_der_x509_certificate(pki.intermediate.certificate_der).subject
    root_key = serialization.load_pem_private_key(Path(pki.root.key_file).read_bytes(), None)
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    usage = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    signer = (
        x509.CertificateBuilder()
        .subject_name(issuer)
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.KeyUsage(crl_sign=True, **usage), True)
        .add_extension(identifier, False)
        .sign(root_key, hashes.SHA256())
    )
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer)
        .last_update(now - timedelta(hours=1))
        .next_update(now + timedelta(hours=1))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False
        )
        .sign(key, hashes.SHA256())
    )
    return signer, lists + made.public_bytes(serialization.Encoding.PEM)
