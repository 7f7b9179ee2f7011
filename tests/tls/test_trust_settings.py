"""What a net trusts and how it is loaded: CA files, depth, CRLs, host names, CA names, own certificates."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._binding import lib
from leadtools_compat.dicom import DicomException
from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.files import encrypt_key, pem, unpem, write
from tests.support import Listener, RecordingNet, refused
from tests.tls.conftest import Meet, Present
from tests.tls.peers import openssl_client, write_pem
from tests.tls.tls_tools import (
    BAD_CERTIFICATE,
    CODES,
    DER,
    FINDINGS,
    FLAGS,
    PEM,
    SIDES,
    TLS,
    UNKNOWN_CA,
    VERSIONS,
    Meeting,
    Rules,
    Side,
    calls_of,
    info,
    other_side,
    rules_for,
)

Nets = Callable[[Any], Any]

at_either_side = pytest.mark.parametrize("side", SIDES)
in_both_versions = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """Another PKI, which the first one does not know; its names are the same."""
    return TestPki(tmp_path_factory.mktemp("stranger"), seed="stranger", key="ec")


@pytest.fixture
def judged(meet: Meet, pki: TestPki) -> Callable[..., Meeting]:
    """Let one side judge the other's identity with changed rules."""

    def start(side: Side, identity: Identity | None = None, **changes: Any) -> Meeting:
        other = rules_for(pki, other_side(side))
        if identity is not None:
            other = other.but(identity=identity)
        rules = {side: rules_for(pki, side, **changes), other_side(side): other}
        return meet(rules["server"], rules["client"])

    return start


def codes_of(net: Any) -> list[tuple[int, str]]:
    return [(call.ok, call.code) for call in calls_of(net)]


GOOD = [(1, "Success")] * 3


# ---- CA files


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

HOSTS = {
    # expected, in the certificate, code of the complaint
    "name": ("node.test", ["node.test"], ""),
    "case": ("NODE.test", ["node.TEST"], ""),
    "second-name": ("node.test", ["other.test", "node.test"], ""),
    "wildcard": ("node.site.test", ["*.site.test"], ""),
    "wildcard-deeper": ("a.node.site.test", ["*.site.test"], "HostnameMismatch"),
    "wildcard-itself": ("site.test", ["*.site.test"], "HostnameMismatch"),
    "wildcard-part": ("node1.site.test", ["node*.site.test"], "HostnameMismatch"),
    "other": ("node.test", ["other.test"], "HostnameMismatch"),
    "suffix": ("node.test", ["evil-node.test"], "HostnameMismatch"),
    "ipv4": ("192.0.2.7", ["192.0.2.7"], ""),
    "ipv4-other": ("192.0.2.7", ["192.0.2.8"], "IpAddressMismatch"),
    "ipv6": ("2001:db8::7", ["2001:db8::7"], ""),
    "ipv6-form": ("2001:0db8:0:0::7", ["2001:db8::7"], ""),
    "ipv6-other": ("2001:db8::7", ["2001:db8::8"], "IpAddressMismatch"),
    "name-for-address": ("192.0.2.7", ["node.test"], "IpAddressMismatch"),
    "address-for-name": ("node.test", ["192.0.2.7"], "HostnameMismatch"),
}
NUMBERS = {"HostnameMismatch": 62, "IpAddressMismatch": 64}


@at_either_side
@pytest.mark.parametrize("name", HOSTS)
def test_certificate_must_be_for_the_expected_host(
    judged: Callable[..., Meeting], pki: TestPki, name: str, side: Side
) -> None:
    host, names, code = HOSTS[name]
    identity = pki.issue(f"{name}-{other_side(side)}", role=other_side(side), hosts=names)
    meeting = judged(side, identity, host=host)
    net = meeting.of(side)
    assert net.expected_host == host
    if not code:
        assert meeting.linked, net.failure
        assert codes_of(net) == GOOD
        return
    assert codes_of(net) == [(0, code)]
    failure = net.failure
    assert failure.code == CODES.TlsCertificateRejected
    assert int(failure.certificate_code) == NUMBERS[code]
    assert failure.certificate_depth == 0
    assert failure.alert_sent == BAD_CERTIFICATE
    assert failure.remedy
    assert meeting.of(other_side(side)).failure.code == CODES.TlsPeerRejectedCertificate


@in_both_versions
@at_either_side
@pytest.mark.parametrize("host", ["elsewhere.test", "192.0.2.99"])
def test_host_mismatch_may_be_overruled_and_shows(
    present: Present, pki: TestPki, host: str, side: Side, version: str
) -> None:
    identity = pki.make("good_ec", other_side(side))
    hooks = {"OnVerify": lambda *arguments: 1}
    meeting = present(identity, side, version, host=host, hooks=hooks)
    net = meeting.of(side)
    code = "IpAddressMismatch" if host[0].isdigit() else "HostnameMismatch"
    assert meeting.linked
    assert codes_of(net) == [(0, code), *GOOD]
    assert not net.tls_verified
    assert str(net.tls_verify_code) == code


@at_either_side
def test_host_is_not_checked_unless_asked_for(
    judged: Callable[..., Meeting], pki: TestPki, side: Side
) -> None:
    identity = pki.issue(f"far-{side}", role=other_side(side), hosts=["elsewhere.test"])
    assert judged(side, identity).linked
    assert judged(side, identity, host=None).linked


def test_expected_name_is_sent_as_server_name_and_an_address_is_not(
    nets: Nets, pki: TestPki
) -> None:
    from tests.tls import rawtls

    for host, sent in (("node.test", b"node.test"), ("192.0.2.7", None), (None, None)):
        with rawtls.listening() as listener:
            client = nets(rules_for(pki, "client", host=host).net())
            client.Connect(None, 0, "127.0.0.1", listener.getsockname()[1])
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(20)
                _, extensions = rawtls.read_client_hello(rawtls.Channel(connection))
            server_name = extensions.get(0)
            assert (server_name is None) == (sent is None)
            if sent is not None:
                assert server_name is not None
                assert server_name[5:] == sent
            client.log.wait("OnClose")


def test_expected_host_takes_nothing_that_is_no_host(nets: Nets, pki: TestPki) -> None:
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.Parameter):
        net.expected_host = "nul\0.test"
    with pytest.raises(TypeError):
        net.expected_host = 5
    net.expected_host = ""
    assert net.expected_host is None
    net.expected_host = str(ipaddress.ip_address("::1"))
    assert net.expected_host == "::1"


# ---- names of CAs that a server sends


def ca_names(net: Any) -> list[str]:
    return info(net, lib.DICOM_TLS_INFO_CA_NAMES).splitlines()


ROOT_NAME = "CN = Test Root CA, O = leadtools_compat test PKI"


@in_both_versions
@pytest.mark.parametrize("flags", [FLAGS.Peer, FLAGS.All])
def test_server_sends_the_subjects_of_its_ca_file(
    meet: Meet, pki: TestPki, version: str, flags: Any
) -> None:
    meeting = meet(
        rules_for(pki, "server", flags=flags, method=VERSIONS[version]), rules_for(pki, "client")
    )
    assert ca_names(meeting.client) == [ROOT_NAME]


@in_both_versions
def test_every_subject_of_the_ca_file_is_sent_in_order(
    meet: Meet, pki: TestPki, tmp_path: Path, version: str
) -> None:
    others = [
        unpem(Path(pki.make(kind, "client").ca_file).read_bytes())[0]
        for kind in ("documented_example", "leaf_trusted_directly")
    ]
    ca = write_pem(tmp_path / "ca.pem", others[0], pki.root.certificate_der, others[1])
    meeting = meet(
        rules_for(pki, "server", ca=ca, method=VERSIONS[version]), rules_for(pki, "client")
    )
    names = ca_names(meeting.client)
    assert names[0].startswith("CN = LEAD CA, ")
    assert names[1:] == [ROOT_NAME, "CN = Test Client, O = Test Client Organization"]


@in_both_versions
def test_no_names_are_sent_when_switched_off(meet: Meet, pki: TestPki, version: str) -> None:
    meeting = meet(
        rules_for(pki, "server", send_ca_names=False, method=VERSIONS[version]),
        rules_for(pki, "client"),
    )
    assert meeting.linked
    assert ca_names(meeting.client) == []


@pytest.mark.parametrize("sends", [True, False])
def test_openssl_s_client_sees_the_names(nets: Nets, pki: TestPki, sends: bool) -> None:
    rules = rules_for(pki, "server", flags=FLAGS.Peer, send_ca_names=sends)
    listener = nets(Listener(lambda: nets(rules.net())))
    listener.Listen("127.0.0.1", 0, 4)
    printed = openssl_client(listener.HostPort, "-nameopt", "oneline")
    assert ("Acceptable client certificate CA names" in printed) == sends
    assert ("No client certificate CA names sent" in printed) == (not sends)
    listener.child().log.wait("OnSecureLinkReady")


@in_both_versions
def test_client_is_told_when_its_issuer_is_not_among_the_names(
    meet: Meet, pki: TestPki, version: str
) -> None:
    identity = pki.make("unknown_ca", "client")
    meeting = meet(
        rules_for(pki, "server", method=VERSIONS[version]),
        rules_for(pki, "client", identity=identity),
    )
    failure = meeting.client.failure
    assert failure.code == CODES.TlsPeerRejectedCertificate
    assert failure.alert_received == UNKNOWN_CA
    issuer = "CN = Unknown Intermediate CA, O = leadtools_compat test PKI"
    assert issuer in failure.remedy
    assert "1 CA" in failure.remedy


@in_both_versions
@pytest.mark.parametrize("case", ["named", "not sent"])
def test_client_is_not_told_so_when_its_issuer_is_named_or_no_names_came(
    meet: Meet, pki: TestPki, version: str, case: str
) -> None:
    kind = "expired" if case == "named" else "unknown_ca"
    meeting = meet(
        rules_for(pki, "server", method=VERSIONS[version], send_ca_names=case == "named"),
        rules_for(pki, "client", identity=pki.make(kind, "client")),
    )
    failure = meeting.client.failure
    assert failure.code == CODES.TlsPeerRejectedCertificate
    assert failure.remedy
    assert "Intermediate CA" not in failure.remedy


@in_both_versions
def test_client_gives_its_certificate_even_if_its_issuer_is_not_named(
    meet: Meet, pki: TestPki, version: str
) -> None:
    """The server decides: it may overrule, and its record has the chain."""
    meeting = meet(
        rules_for(
            pki,
            "server",
            method=VERSIONS[version],
            hooks={"OnVerify": lambda *arguments: 1},
        ),
        rules_for(pki, "client", identity=pki.make("unknown_ca", "client")),
    )
    assert meeting.linked
    assert len(meeting.child.tls_peer_certificates) == 2


# ---- own certificate


@pytest.fixture
def proved(nets: Nets, pki: TestPki) -> Callable[[Any, Side], None]:
    """Make a link with a net that has its own certificate loaded; the other side must verify it."""

    def prove(net: Any, side: Side) -> None:
        other = rules_for(pki, other_side(side))
        if side == "client":
            listener = nets(Listener(lambda: nets(other.net())))
            client = net
        else:
            listener = nets(Listener(lambda: net))
            client = nets(other.net())
        listener.Listen("127.0.0.1", 0, 4)
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success, client.failure
        child = listener.child()
        assert child.log.wait("OnSecureLinkReady").code == CODES.Success, child.failure
        peer = child if side == "client" else client
        assert peer.tls_verified
        assert len(peer.tls_peer_certificates) >= 1

    return prove


def bare(nets: Nets, pki: TestPki, side: Side, **hooks: Any) -> Any:
    """Make a net without an own certificate."""
    return nets(rules_for(pki, side, identity=None).net(**hooks))


def ways(identity: Identity) -> dict[str, tuple[Any, ...]]:
    """Give the arguments of SetTlsClientCertificate for each way to load the identity."""
    combined = Path(identity.combined_file).read_bytes()
    certificate = Path(identity.certificate_file).read_bytes()
    key = Path(identity.key_file).read_bytes()
    return {
        "combined": (identity.combined_file, PEM, None),
        "combined-empty": (identity.combined_file, PEM, ""),
        "combined-twice": (identity.combined_file, PEM, identity.combined_file),
        "two-files": (identity.certificate_file, PEM, identity.key_file),
        "paths": (Path(identity.certificate_file), PEM, Path(identity.key_file)),
        "bytes": (combined, PEM),
        "two-bytes": (certificate, PEM, key),
        "memoryview": (memoryview(certificate), PEM, bytearray(key)),
        "encrypted": (identity.encrypted_file, PEM, None),
        "encrypted-bytes": (Path(identity.encrypted_file).read_bytes(), PEM),
    }


WAYS = (
    *("combined", "combined-empty", "combined-twice", "two-files", "paths", "bytes", "two-bytes"),
    *("memoryview", "encrypted", "encrypted-bytes"),
)


@at_either_side
@pytest.mark.parametrize("way", WAYS)
def test_own_certificate_is_loaded_in_each_way(
    nets: Nets, pki: TestPki, proved: Callable[[Any, Side], None], way: str, side: Side
) -> None:
    identity = pki.server if side == "server" else pki.client
    net = bare(nets, pki, side)
    net.SetTlsClientCertificate(*ways(identity)[way])
    asked = net.log.all("OnPrivateKeyPassword")
    assert [event.arguments for event in asked] == ([(False,)] if "encrypted" in way else [])
    proved(net, side)


@at_either_side
@pytest.mark.parametrize("form", ["files", "bytes"])
@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_own_certificate_is_loaded_from_der(
    nets: Nets,
    pki: TestPki,
    proved: Callable[[Any, Side], None],
    form: str,
    key: str,
    side: Side,
) -> None:
    identity = pki.make("direct_root_signed", side, key)  # type: ignore[arg-type]
    arguments: tuple[Any, ...] = (identity.der_file, DER, identity.key_der_file)
    if form == "bytes":
        arguments = (
            Path(identity.der_file).read_bytes(),
            DER,
            Path(identity.key_der_file).read_bytes(),
        )
    net = bare(nets, pki, side)
    net.SetTlsClientCertificate(*arguments)
    proved(net, side)


@pytest.mark.parametrize("form", ["file", "bytes"])
def test_encrypted_key_in_der_asks_for_its_password(
    nets: Nets,
    pki: TestPki,
    proved: Callable[[Any, Side], None],
    tmp_path: Path,
    form: str,
) -> None:
    identity = pki.make("direct_root_signed", "client")
    encrypted = encrypt_key(Path(identity.key_der_file).read_bytes())
    file = write(tmp_path / "key.der", encrypted)
    net = bare(nets, pki, "client")
    if form == "file":
        net.SetTlsClientCertificate(identity.der_file, DER, str(file))
    else:
        net.SetTlsClientCertificate(Path(identity.der_file).read_bytes(), DER, encrypted)
    assert len(net.log.all("OnPrivateKeyPassword")) == 1
    proved(net, "client")


@pytest.mark.parametrize("kind", ["good_rsa", "good_ec", "good_rsa_pss", "good_ed25519"])
@at_either_side
def test_every_kind_of_key_makes_a_link(
    judged: Callable[..., Meeting], pki: TestPki, kind: str, side: Side
) -> None:
    assert judged(side, pki.make(kind, other_side(side))).linked


@pytest.mark.parametrize("password", ["wrong", "", None, "test ", "x" * 1024, "x" * 1025])
def test_wrong_or_missing_password_is_refused_and_nothing_is_loaded(
    nets: Nets, pki: TestPki, listen: Callable[..., Listener], password: str | None
) -> None:
    net = bare(nets, pki, "client", OnPrivateKeyPassword=lambda net, encryption: password)
    with refused(CODES.TlsPrivateKeyPassword, pki.client.encrypted_file):
        net.SetTlsClientCertificate(pki.client.encrypted_file, PEM, None)
    listener = listen(lambda: nets(rules_for(pki, "server").net()))
    net.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert net.log.wait("OnSecureLinkReady").code == CODES.TlsPeerRequiresCertificate


def test_exception_in_onprivatekeypassword_comes_out_of_the_call(nets: Nets, pki: TestPki) -> None:
    def fail(net: Any, encryption: bool) -> str:
        raise LookupError("no password here")

    net = bare(nets, pki, "client", OnPrivateKeyPassword=fail)
    with pytest.raises(LookupError, match="no password here"):
        net.SetTlsClientCertificate(pki.client.encrypted_file, PEM, None)
    assert len(net.log.all("OnPrivateKeyPassword")) == 1


def test_failed_load_keeps_the_certificate_that_was_there(
    nets: Nets, pki: TestPki, proved: Callable[[Any, Side], None]
) -> None:
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.TlsCertificateFile):
        net.SetTlsClientCertificate("/nowhere/at/all.pem", PEM, None)
    with refused(CODES.TlsKeyMismatch):
        net.SetTlsClientCertificate(pki.client.certificate_file, PEM, pki.server.key_file)
    proved(net, "client")


def test_initialize_keeps_the_certificate_that_was_loaded(
    nets: Nets, pki: TestPki, proved: Callable[[Any, Side], None]
) -> None:
    net = nets(rules_for(pki, "client").net())
    net.Initialize(None, TLS, Rules(ca=pki.ca_file).settings())
    proved(net, "client")


FAULTS: dict[str, tuple[Callable[[TestPki], tuple[Any, ...]], Any]] = {
    "no-file": (lambda pki: ("/nowhere.pem", PEM, None), CODES.TlsCertificateFile),
    "key-only": (lambda pki: (pki.client.key_file, PEM, None), CODES.TlsCertificateFile),
    "folder": (lambda pki: (str(pki.directory), PEM, None), CODES.TlsCertificateFile),
    "no-key": (lambda pki: (pki.client.certificate_file, PEM, None), CODES.TlsPrivateKeyFile),
    "no-key-file": (
        lambda pki: (pki.client.certificate_file, PEM, "/nowhere.key"),
        CODES.TlsPrivateKeyFile,
    ),
    "der-without-key": (lambda pki: (pki.client.der_file, DER, None), CODES.TlsPrivateKeyFile),
    "der-as-pem": (
        lambda pki: (pki.client.der_file, PEM, pki.client.key_file),
        CODES.TlsCertificateFile,
    ),
    "pem-as-der": (
        lambda pki: (pki.client.certificate_file, DER, pki.client.key_der_file),
        CODES.TlsCertificateFile,
    ),
    "other-key": (
        lambda pki: (pki.client.certificate_file, PEM, pki.server.key_file),
        CODES.TlsKeyMismatch,
    ),
    "root-first": (
        lambda pki: (
            Path(pki.ca_file).read_bytes() + Path(pki.client.combined_file).read_bytes(),
            PEM,
        ),
        CODES.TlsKeyMismatch,
    ),
    "type": (lambda pki: (pki.client.combined_file, 3, None), CODES.Parameter),
    "empty-bytes": (lambda pki: (b"", PEM), CODES.TlsCertificateFile),
}


@pytest.mark.parametrize("name", FAULTS)
def test_own_certificate_that_cannot_be_used_is_refused_at_once(
    nets: Nets, pki: TestPki, name: str
) -> None:
    arguments, code = FAULTS[name]
    net = bare(nets, pki, "client")
    with refused(code):
        net.SetTlsClientCertificate(*arguments(pki))


@pytest.mark.parametrize(
    "kind", ["weak_key_rsa1024", "weak_key_rsa768", "weak_ca_key", "weak_hash_md5"]
)
def test_own_certificate_that_is_too_weak_is_raised_by_connect_and_accept(
    nets: Nets, pki: TestPki, kind: str
) -> None:
    raised: list[DicomException] = []

    def accept(listener: Any, error: Any) -> None:
        child = nets(rules_for(pki, "server", identity=pki.make(kind, "server")).net())
        try:
            listener.Accept(child)
        except DicomException as problem:
            raised.append(problem)
        listener.children.append(nets(rules_for(pki, "server").net()))
        listener.Accept(listener.children[0])

    listener = nets(Listener(OnAccept=accept))
    listener.Listen("127.0.0.1", 0, 4)
    client = nets(rules_for(pki, "client", identity=pki.make(kind, "client")).net())
    with refused(CODES.TlsWeakKey):
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    client.SetTlsClientCertificate(pki.client.combined_file, PEM, None)
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert [problem.Code for problem in raised] == [CODES.TlsWeakKey]


def test_server_without_a_certificate_is_refused_by_accept(nets: Nets, pki: TestPki) -> None:
    raised: list[DicomException] = []

    def accept(listener: Any, error: Any) -> None:
        try:
            listener.Accept(bare(nets, pki, "server"))
        except DicomException as problem:
            raised.append(problem)
        listener.children.append(nets(rules_for(pki, "server").net()))
        listener.Accept(listener.children[0])

    listener = nets(Listener(OnAccept=accept))
    listener.Listen("127.0.0.1", 0, 4)
    client = nets(rules_for(pki, "client").net())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert [problem.Code for problem in raised] == [CODES.TlsCertificateMissing]
    assert "SetTlsClientCertificate" in raised[0].Message
