"""Names: the host that is expected, and the CAs that a server names."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._binding import lib
from leadtools_compat.testing import TestPki
from leadtools_compat.testing.files import unpem
from tests.support import Listener, refused
from tests.tls.conftest import Meet, Present
from tests.tls.peers import openssl_client, write_pem
from tests.tls.tls_tools import (
    BAD_CERTIFICATE,
    CODES,
    FLAGS,
    UNKNOWN_CA,
    VERSIONS,
    Meeting,
    Side,
    info,
    other_side,
    rules_for,
)
from tests.tls.trust_tools import GOOD, Nets, at_either_side, codes_of, in_both_versions

HOSTS = {
    # expected, in the certificate, code of the complaint
    "name": ("node.test", ["node.test"], ""),
    "case": ("NODE.test", ["node.TEST"], ""),
    "dot-at-the-end": ("node.test.", ["node.test"], ""),
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
    "ipv6-scope": ("fe80::7%lo", ["fe80::7"], ""),
    "ipv6-scope-other": ("fe80::7%lo", ["fe80::8"], "IpAddressMismatch"),
    "ipv6-other": ("2001:db8::7", ["2001:db8::8"], "IpAddressMismatch"),
    "name-for-address": ("192.0.2.7", ["node.test"], "IpAddressMismatch"),
    "address-for-name": ("node.test", ["192.0.2.7"], "HostnameMismatch"),
}
NO_HOSTS = [".node.test", "*.node.test", "node.test:104", "a@node.test", "127.1", "bücher.test"]
"""A dot in front would stand for every name below, for OpenSSL."""
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
    for text in NO_HOSTS:
        with refused(CODES.Parameter, "no host"):
            net.expected_host = text
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
